//! What arrives when: spikes under way, and the plan of one window.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;
use std::ops::Range;

use ordered_float::OrderedFloat;

use super::TUNING;
use crate::engine::delivery::Delivery;
use crate::network::CompiledNetwork;

/// A spike arrives at all synapses of one bundle.
#[derive(Clone, Copy, Debug)]
pub(super) struct Arrival {
    pub time: f64,
    pub bundle: usize,
    /// Whether any of the weights is negative.
    pub inhibits: bool,
}

/// A part of a window, with what arrives in it.
#[derive(Clone, Debug)]
pub(super) struct Interval {
    pub start: f64,
    pub end: f64,
    /// Indices of its arrivals in the plan.
    pub arrivals: Range<usize>,
}

/// The spikes under way, and the plan of the present window.
#[derive(Clone, Debug)]
pub(super) struct Schedule {
    under_way: BinaryHeap<Reverse<Delivery>>,
    /// Per bundle: whether any of its weights is negative; none if nobody asked yet. The weights may
    /// change between runs.
    inhibits: Vec<Option<bool>>,
    /// An interval is full with so many synaptic events.
    quota: usize,
    /// No interval with arrivals is longer than this, in time units.
    longest: f64,
    /// The arrivals of the window, in the order of events.
    pub arrivals: Vec<Arrival>,
    /// The window in parts, without gaps.
    pub intervals: Vec<Interval>,
}

impl Schedule {
    /// Nothing under way. `shortest_tau_s` is the shortest synaptic time constant, in time units.
    pub fn new(network: &CompiledNetwork, shortest_tau_s: f64) -> Self {
        Schedule {
            under_way: BinaryHeap::new(),
            inhibits: vec![None; network.bundle_delays().len()],
            quota: TUNING.events_per_neuron * network.node_count(),
            longest: TUNING.longest_interval * shortest_tau_s,
            arrivals: Vec::new(),
            intervals: Vec::new(),
        }
    }

    /// Forgets everything, the weights included.
    pub fn reset(&mut self) {
        self.under_way.clear();
        self.inhibits.fill(None);
    }

    /// When the next spike arrives; infinity if none is under way.
    pub fn next_arrival(&self) -> f64 {
        self.under_way.peek().map_or(f64::INFINITY, |next| next.0.arrival.0)
    }

    /// Sends a spike on its way along the node's outgoing synapses.
    pub fn emit(&mut self, network: &CompiledNetwork, node: usize, time: f64) {
        let row = network.bundles(node);
        if !row.is_empty() && time < f64::INFINITY {
            self.under_way.push(Reverse(Delivery {
                arrival: OrderedFloat(time + network.bundle_delays()[row.start]),
                bundle: row.start as u32,
                row_end: row.end as u32,
                emitted: OrderedFloat(time),
            }));
        }
    }

    /// Plans the window from `start` to `end` with the arrivals that are due in it; how many
    /// synapses they reach.
    pub fn plan(
        &mut self,
        network: &CompiledNetwork,
        start: f64,
        end: f64,
        is_due: impl Fn(f64) -> bool,
    ) -> u64 {
        self.arrivals.clear();
        while let Some(mut next) = self.under_way.peek_mut() {
            let Delivery { arrival, bundle, row_end, emitted } = next.0;
            if !is_due(arrival.0) {
                break;
            }
            // Delays below the resolution of time make an arrival late, never early.
            let time = arrival.0.max(start);
            let bundle_index = bundle as usize;
            let inhibits = *self.inhibits[bundle_index].get_or_insert_with(|| {
                let synapses = network.bundle_synapses(bundle_index..bundle_index + 1);
                network.weights()[synapses].iter().any(|&weight| weight < 0.0)
            });
            self.arrivals.push(Arrival { time, bundle: bundle_index, inhibits });
            if bundle + 1 == row_end {
                PeekMut::pop(next);
            } else {
                let delay = network.bundle_delays()[bundle as usize + 1];
                next.0.bundle = bundle + 1;
                next.0.arrival = OrderedFloat(emitted.0 + delay);
            }
        }
        self.cut(network, start, end)
    }

    /// Cuts the window into intervals.
    fn cut(&mut self, network: &CompiledNetwork, mut start: f64, end: f64) -> u64 {
        self.intervals.clear();
        let mut events = 0;
        let mut next = 0;
        while next < self.arrivals.len() {
            let Arrival { time, .. } = self.arrivals[next];
            if time - start > self.longest {
                let arrivals = next..next;
                self.intervals.push(Interval { start, end: time, arrivals });
                start = time;
            }
            let (first, mut count, mut latest) = (next, 0, start);
            while let Some(&Arrival { time, bundle, .. }) = self.arrivals.get(next) {
                // Simultaneous arrivals are in one interval.
                let full = count >= self.quota && time > latest;
                if full || time - start > self.longest {
                    break;
                }
                count += network.bundle_synapses(bundle..bundle + 1).len();
                latest = time;
                next += 1;
            }
            let following = self.arrivals.get(next).map_or(end, |arrival| arrival.time);
            let stop = following.min((start + self.longest).max(latest));
            self.intervals.push(Interval { start, end: stop, arrivals: first..next });
            start = stop;
            events += count as u64;
        }
        if start < end {
            let arrivals = next..next;
            self.intervals.push(Interval { start, end, arrivals });
        }
        events
    }
}
