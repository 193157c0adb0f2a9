//! The queue of predicted threshold crossings.

use std::cmp::Reverse;
use std::fmt;

use ordered_float::OrderedFloat;
use priority_queue::PriorityQueue;
use rustc_hash::FxBuildHasher;

/// When a neuron crosses its threshold, and which one: the order of events.
type Crossing = (OrderedFloat<f64>, usize);

/// A priority queue of at most one predicted crossing per neuron.
///
/// | | what it does | time |
/// |---|---|---|
/// | [`schedule`](Self::schedule) | inserts a neuron's crossing, or moves it | O(log n) |
/// | [`cancel`](Self::cancel) | removes it, if there is one | O(log n) |
/// | [`next`](Self::next) | looks at the earliest crossing | O(1) |
/// | [`pop`](Self::pop) | takes the earliest crossing out | O(log n) |
/// | [`clear`](Self::clear) | forgets all crossings, keeps the memory | O(n) |
///
/// **Order.** Earlier crossings come first. Crossings at the same time come by the neuron's index,
/// whatever the order of insertion, so a run does not depend on the history of the queue. The two
/// zeros are one time; infinity comes last. NaN is no time.
///
/// **Cost.** The crate's heap finds a neuron by its hash; a heap over dense indices would save that.
/// `benches/queue.rs` compares it with the standard library's heap, which leaves superseded entries
/// behind.
#[derive(Clone)]
pub struct EventQueue {
    crossings: PriorityQueue<usize, Reverse<Crossing>, FxBuildHasher>,
}

impl EventQueue {
    /// An empty queue with room for the crossings of this many neurons.
    pub fn new(neurons: usize) -> Self {
        EventQueue { crossings: PriorityQueue::with_capacity_and_hasher(neurons, FxBuildHasher) }
    }

    /// Sets the time of the neuron's crossing, and forgets one that was scheduled before. The time
    /// may be anything but NaN.
    #[inline]
    pub fn schedule(&mut self, neuron: usize, time: f64) {
        debug_assert!(!time.is_nan(), "neuron {neuron} has no time");
        self.crossings.push(neuron, Reverse((OrderedFloat(time), neuron)));
    }

    /// Forgets the neuron's crossing, if one is scheduled.
    #[inline]
    pub fn cancel(&mut self, neuron: usize) {
        self.crossings.remove(&neuron);
    }

    /// The earliest crossing: time and neuron.
    #[inline]
    pub fn next(&self) -> Option<(f64, usize)> {
        self.crossings.peek().map(|(_, &Reverse((time, neuron)))| (time.0, neuron))
    }

    /// Takes the earliest crossing out.
    #[inline]
    pub fn pop(&mut self) -> Option<(f64, usize)> {
        self.crossings.pop().map(|(_, Reverse((time, neuron)))| (time.0, neuron))
    }

    /// Forgets all crossings.
    pub fn clear(&mut self) {
        self.crossings.clear();
    }
}

/// The crate's own needs a hasher that can be printed.
impl fmt::Debug for EventQueue {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_map().entries(self.crossings.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    /// What the contract says, the slow way: the scheduled times by neuron.
    #[derive(Default)]
    struct Shadow(BTreeMap<usize, f64>);

    impl Shadow {
        fn next(&self) -> Option<(f64, usize)> {
            let crossings = self.0.iter().map(|(&neuron, &time)| (time, neuron));
            // Of equal times the first, which has the lowest index.
            crossings.min_by(|a, b| a.0.partial_cmp(&b.0).expect("no NaN"))
        }

        fn pop(&mut self) -> Option<(f64, usize)> {
            let next = self.next()?;
            self.0.remove(&next.1);
            Some(next)
        }
    }

    #[derive(Clone, Debug)]
    enum Operation {
        Schedule(usize, f64),
        Cancel(usize),
        Pop,
        Clear,
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
            80 => (0..24usize, time).prop_map(|(neuron, time)| Operation::Schedule(neuron, time)),
            20 => (0..24usize).prop_map(Operation::Cancel),
            40 => Just(Operation::Pop),
            1 => Just(Operation::Clear),
        ]
    }

    proptest! {
        #[test]
        fn does_what_its_contract_says(operations in prop::collection::vec(operation(), 0..400)) {
            let mut queue = EventQueue::new(24);
            let mut shadow = Shadow::default();
            for operation in operations {
                match operation {
                    Operation::Schedule(neuron, time) => {
                        queue.schedule(neuron, time);
                        shadow.0.insert(neuron, time);
                    }
                    Operation::Cancel(neuron) => {
                        queue.cancel(neuron);
                        shadow.0.remove(&neuron);
                    }
                    Operation::Pop => prop_assert_eq!(queue.pop(), shadow.pop()),
                    Operation::Clear => {
                        queue.clear();
                        shadow.0.clear();
                    }
                }
                prop_assert_eq!(queue.next(), shadow.next());
            }
        }
    }
}
