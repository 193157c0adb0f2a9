//! A sample of a layer of few neurons that much arrives at: one neuron at a time, its arrivals in lanes.
//!
//! Going from arrival to arrival with neurons in lanes (`stages`) costs the same for three neurons as for
//! eight, and each step waits for the one before. Here a neuron's arrivals are summed side by side (`sums`),
//! and the stretches between them are looked at side by side, too (`stretches`): the first on which a
//! crossing is not excluded is where the neuron spikes, or goes on. What is done there, and where a refractory
//! period ends, is done for all neurons of a register together, in rounds (`rounds`):
//!
//! ```text
//! sums ─→ release ─→ stretches ─→ search ─→ finish
//!            ↑           ↑          │  │
//!            │           └──────────┘  │  no crossing
//!            └─────────────────────────┘  a spike whose refractory period ends before the last arrival
//! ```
//!
//! What is after the last arrival is done as it is for all layers (`finish`).

use pulp::{Simd, WithSimd};

use super::cells::Cells;
use super::motion::WIDE;
use super::places::Places;
use super::rounds::Rounds;
use super::sums::Sums;
use super::{IndividualLayer, LayerSpike};
use crate::engine::layered::Arrival;

/// Neurons per block of eight up to which a layer has few. Measured with registers of eight: this way takes
/// about half the time for three neurons, and as long for six.
const FEW: usize = 5;

/// Arrivals for each of these neurons from which on there are many. Measured: it takes as long for three
/// neurons and 16 arrivals, or five and 40.
const MANY: usize = 8;

/// Rate times half a sample up to which the sums are exact to rounding.
const LARGEST_EXPONENT: f64 = 20.0;

/// Whether a layer goes this way, with these arrivals up to the end of a sample: if it pays, and if nothing
/// is lost to rounding. It does not depend on the machine.
pub fn are_few(layer: &IndividualLayer<'_>, arrivals: &[Arrival]) -> bool {
    let &IndividualLayer { neurons, joint, .. } = layer;
    let (first, last) = match arrivals {
        [first, .., last] => (first.time, last.time),
        _ => return false,
    };
    let count = neurons.len().div_ceil(neurons.blocks.len().max(1));
    if count > FEW || arrivals.len() < MANY * count || !joint.is_empty() {
        return false;
    }
    let range = neurons.rate_range();
    let half = 0.5 * last;
    let thresholds = &neurons.thresholds()[..neurons.len()];
    first >= 0.0
        && thresholds.iter().all(|&threshold| threshold >= 0.0)
        && range.fastest * half <= LARGEST_EXPONENT
        && range.largest_distance * half <= WIDE
}

/// A register of neurons, up to the last arrival.
pub struct Few<'a, 'b, S: Simd, const SPLIT: bool> {
    pub cells: Cells<'a, S>,
    pub layer: &'a IndividualLayer<'a>,
    pub arrivals: &'a [Arrival],
    pub sums: &'a mut Sums,
    /// Where the neurons are at time zero, then at the last arrival.
    pub places: &'a mut Places<'b>,
    pub spikes: &'a mut Vec<LayerSpike>,
}

impl<S: Simd, const SPLIT: bool> WithSimd for Few<'_, '_, S, SPLIT> {
    type Output = ();

    #[inline(always)]
    fn with_simd<Same: Simd>(self, _: Same) {
        let Few { cells, layer, arrivals, .. } = self;
        let first = cells.register * S::F64_LANES;
        let count = layer.neurons.len().saturating_sub(first).min(S::F64_LANES);
        if count == 0 {
            return;
        }
        self.sums.read::<S>(arrivals, layer.synapses, first..first + count);
        let mut rounds = Rounds::new(self);
        for lane in 0..count {
            rounds.begin(lane);
        }
        while rounds.go_on() {}
        for lane in 0..count {
            rounds.arrive(lane);
        }
    }
}
