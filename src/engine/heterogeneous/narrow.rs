//! Narrow layers with many arrivals, neuron by neuron with its arrivals in lanes: about half the time of the
//! event loop for three neurons.
//!
//! The event loop, with neurons in lanes, takes as long for three neurons as for eight, and each interval
//! waits for the one before. Here the arrivals of a neuron are summed side by side
//! (`neuron::heterogeneous::InputSums`), and the intervals between them are examined side by side
//! (`OpenIntervals`): on the first where a crossing is not excluded, the neuron spikes or goes on. Searches and
//! releases of all neurons of a register are done in lockstep (`lockstep`):
//!
//! ```text
//! sums ─→ release ─→ open interval ─→ search ─→ final interval
//!            ↑             ↑           │  │
//!            │             └───────────┘  │  no crossing
//!            └────────────────────────────┘  a spike whose refractory period ends before the last arrival
//! ```
//!
//! The time after the last arrival is the same for all layers (`final_interval`).

mod lockstep;

use pulp::{Simd, WithSimd};

use self::lockstep::LockstepSearch;
use super::layer_state::LayerState;
use super::{HeterogeneousLayer, LayerSpike};
use crate::engine::layered::Arrival;
use crate::neuron::heterogeneous::{InputSums, NeuronLanes, PARAMS};

/// Whether a layer is narrow, with these arrivals up to the end of a sample: whether summing pays, and
/// loses nothing to rounding. It does not depend on the machine.
pub fn is_narrow(layer: &HeterogeneousLayer<'_>, arrivals: &[Arrival]) -> bool {
    let &HeterogeneousLayer { neurons, synchronous, .. } = layer;
    let (first, last) = match arrivals {
        [first, .., last] => (first.time, last.time),
        _ => return false,
    };
    let count = neurons.len().div_ceil(neurons.block_count().max(1));
    if count > PARAMS.narrow_neurons
        || arrivals.len() < PARAMS.narrow_arrivals * count
        || !synchronous.is_empty()
    {
        return false;
    }
    let thresholds = &neurons.thresholds()[..neurons.len()];
    first >= 0.0
        && thresholds.iter().all(|&threshold| threshold >= 0.0)
        && InputSums::are_exact(neurons, last)
}

/// A register of neurons up to the last arrival.
pub struct NarrowLayer<'a, 'b, S: Simd, const SPLIT: bool> {
    pub lanes: NeuronLanes<'a, S>,
    pub layer: &'a HeterogeneousLayer<'a>,
    pub arrivals: &'a [Arrival],
    pub sums: &'a mut InputSums,
    /// The neurons at time zero, then at the last arrival.
    pub layer_state: &'a mut LayerState<'b>,
    pub spikes: &'a mut Vec<LayerSpike>,
}

impl<S: Simd, const SPLIT: bool> WithSimd for NarrowLayer<'_, '_, S, SPLIT> {
    type Output = ();

    #[inline(always)]
    fn with_simd<Same: Simd>(self, _: Same) {
        let NarrowLayer { lanes, layer, arrivals, .. } = self;
        let first = lanes.register * S::F64_LANES;
        let count = layer.neurons.len().saturating_sub(first).min(S::F64_LANES);
        if count == 0 {
            return;
        }
        let weights = |arrival: &Arrival| layer.synapses.row_from(arrival.row, first);
        self.sums.read::<S, Arrival>(arrivals, count, weights);
        let mut search = LockstepSearch::new(self);
        for lane in 0..count {
            search.begin(lane);
        }
        while search.go_on() {}
        for lane in 0..count {
            search.finish(lane);
        }
    }
}
