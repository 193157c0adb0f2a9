//! The re-keyable queue of predicted threshold crossings.

use orx_priority_queue::{DaryHeapOfIndices, PriorityQueue, PriorityQueueDecKey};

/// A priority queue of at most one predicted crossing per neuron.
///
/// * [`schedule`](Self::schedule) inserts or moves a neuron's crossing, O(log n).
/// * [`cancel`](Self::cancel) removes it if there is one, O(log n).
/// * [`next`](Self::next) and [`pop`](Self::pop) give the earliest; crossings at the same time
///   come in the order of the neurons' indices, whatever the order of insertion.
///
/// Time and neuron are packed into one integer key, so the order of ties costs no comparison. The
/// heap over dense indices takes about half the time of the hash-indexed `priority-queue` crate
/// (`benches/queue.rs`), which serves as its oracle in the tests.
#[derive(Clone, Debug)]
pub struct EventQueue {
    heap: DaryHeapOfIndices<usize, u128, 4>,
}

impl EventQueue {
    /// An empty queue for neurons with indices below `neurons`.
    pub fn new(neurons: usize) -> Self {
        EventQueue { heap: DaryHeapOfIndices::with_index_bound(neurons) }
    }

    /// Sets the time of the neuron's crossing, replacing one that was scheduled before. The time
    /// may be anything but NaN.
    #[inline]
    pub fn schedule(&mut self, neuron: usize, time: f64) {
        self.heap.update_key_or_push(&neuron, pack(time, neuron));
    }

    /// Forgets the neuron's crossing, if one is scheduled.
    #[inline]
    pub fn cancel(&mut self, neuron: usize) {
        if self.heap.contains(&neuron) {
            self.heap.remove(&neuron);
        }
    }

    /// The earliest crossing: time and neuron.
    #[inline]
    pub fn next(&self) -> Option<(f64, usize)> {
        self.heap.peek().map(|&(neuron, key)| (unpack_time(key), neuron))
    }

    /// Takes the earliest crossing out.
    #[inline]
    pub fn pop(&mut self) -> Option<(f64, usize)> {
        self.heap.pop().map(|(neuron, key)| (unpack_time(key), neuron))
    }

    /// Forgets all crossings.
    pub fn clear(&mut self) {
        self.heap.clear();
    }
}

#[inline]
fn pack(time: f64, neuron: usize) -> u128 {
    debug_assert!(!time.is_nan());
    (u128::from(ordered_bits(time)) << 64) | neuron as u128
}

#[inline]
fn unpack_time(key: u128) -> f64 {
    from_ordered_bits((key >> 64) as u64)
}

/// Maps a time that is not NaN to an integer of the same order. Both zeros map to one value.
#[inline]
pub(super) fn ordered_bits(time: f64) -> u64 {
    let bits = (time + 0.0).to_bits();
    if bits >> 63 == 0 { bits | (1 << 63) } else { !bits }
}

/// Inverse of [`ordered_bits`].
#[inline]
pub(super) fn from_ordered_bits(bits: u64) -> f64 {
    f64::from_bits(if bits >> 63 == 1 { bits & !(1 << 63) } else { !bits })
}

#[cfg(test)]
mod tests {
    use std::cmp::Reverse;

    use priority_queue::PriorityQueue as HashQueue;
    use proptest::prelude::*;

    use super::*;

    #[derive(Clone, Debug)]
    enum Operation {
        Schedule(usize, f64),
        Cancel(usize),
        Pop,
    }

    fn operation() -> impl Strategy<Value = Operation> {
        // Few distinct times, so that ties are common; both zeros and infinity among them.
        let time = prop_oneof![
            Just(0.0),
            Just(-0.0),
            Just(f64::INFINITY),
            (-3..3).prop_map(f64::from),
            -1e3..1e3
        ];
        prop_oneof![
            4 => (0..24usize, time).prop_map(|(neuron, time)| Operation::Schedule(neuron, time)),
            1 => (0..24usize).prop_map(Operation::Cancel),
            2 => Just(Operation::Pop),
        ]
    }

    proptest! {
        #[test]
        fn agrees_with_the_hash_indexed_queue(operations in prop::collection::vec(operation(), 0..400)) {
            let mut queue = EventQueue::new(24);
            let mut oracle: HashQueue<usize, Reverse<(u64, usize)>> = HashQueue::new();
            for operation in operations {
                match operation {
                    Operation::Schedule(neuron, time) => {
                        queue.schedule(neuron, time);
                        oracle.push(neuron, Reverse((ordered_bits(time), neuron)));
                    }
                    Operation::Cancel(neuron) => {
                        queue.cancel(neuron);
                        oracle.remove(&neuron);
                    }
                    Operation::Pop => {
                        let expected =
                            oracle.pop().map(|(neuron, key)| (from_ordered_bits(key.0.0), neuron));
                        prop_assert_eq!(queue.next(), expected);
                        prop_assert_eq!(queue.pop(), expected);
                    }
                }
            }
        }

        #[test]
        fn ordered_bits_keep_the_order_of_times(a in any::<f64>(), b in any::<f64>()) {
            prop_assume!(!a.is_nan() && !b.is_nan());
            let order = ordered_bits(a).cmp(&ordered_bits(b));
            prop_assert_eq!(Some(order), a.partial_cmp(&b));
            prop_assert_eq!(from_ordered_bits(ordered_bits(a)), a);
        }
    }
}
