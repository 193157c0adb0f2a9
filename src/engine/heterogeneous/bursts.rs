//! Bursts: arrivals at equal, prepared intervals, as a link sends that has more than one event at a time.

use std::ops::Range;

use crate::engine::layered::Arrival;
use crate::neuron::heterogeneous::{HeterogeneousNeurons, IntervalPropagator};

/// One arrival, or several at the same interval.
#[derive(Clone, Debug)]
pub struct Burst {
    pub range: Range<usize>,
    /// Index of the propagator between its arrivals; none if there is one arrival only.
    propagator: Option<usize>,
}

impl Burst {
    /// The propagator from one of its arrivals to the next.
    #[inline(always)]
    pub fn propagator<'a>(
        &self,
        neurons: &'a HeterogeneousNeurons,
    ) -> Option<&'a IntervalPropagator> {
        neurons.propagators().get(self.propagator?)
    }
}

/// Divides arrivals into bursts.
pub fn find_bursts(arrivals: &[Arrival], neurons: &HeterogeneousNeurons, bursts: &mut Vec<Burst>) {
    bursts.clear();
    let mut before = f64::NEG_INFINITY;
    for (index, arrival) in arrivals.iter().enumerate() {
        let propagator = neurons.find_propagator(before, arrival.time);
        before = arrival.time;
        match bursts.last_mut() {
            Some(burst)
                if propagator.is_some()
                    && (burst.propagator.is_none() || burst.propagator == propagator) =>
            {
                burst.propagator = propagator;
                burst.range.end = index + 1;
            }
            _ => bursts.push(Burst { range: index..index + 1, propagator: None }),
        }
    }
}
