//! Layers whose neurons all differ: exact, vectorised over neurons.
//!
//! The neurons of a real substrate have thresholds and time constants of their own, so that nothing
//! of an input's effect can be computed once for all of them, as [`super::layered`] does. Here
//! every neuron's state is carried from one volley of arrivals to the next (`stages`), a register of
//! neurons at a time, by exact propagation (`motion`). What the copies of an input do together is known in
//! advance (`volleys`, `joint`). Potential and current at both ends of a stretch tell whether a neuron
//! crosses its threshold on it (`convexity`); where they leave it open, and for the time of a crossing, a
//! search that never steps over the first crossing decides (`search`). Layers of few neurons that much arrives
//! at go another way up to the last arrival: neuron by neuron, its arrivals side by side (`few`).
//!
//! ```text
//! arrivals (sorted) ─→ volleys ─→ stages ───────────────────────→ finish ─→ spikes, states
//!               │                   │ ↑                           ↑  ↑
//!               │                   └─┴─→ walk: what is unusual ──┼▶ way: spikes, releases
//!               └─→ few: sums, stretches, rounds ─────────────────┘
//! ```
//!
//! Each neuron has excitatory and inhibitory synaptic time constants; if they are equal in all neurons
//! of a layer, one current serves both. Neurons spike once, or again and again after their refractory
//! periods; states can be left over from the sample before. The rules are those of the event engine:
//! inputs that come together act together, an input at the very moment of a crossing comes too late for
//! it, and synaptic currents survive a spike.

mod blocks;
mod cells;
mod convexity;
mod few;
mod finish;
mod joint;
mod motion;
mod neurons;
mod numbers;
mod places;
mod rounds;
mod search;
mod stages;
mod stretches;
mod sums;
mod synapses;
#[cfg(test)]
mod tests;
mod volleys;
mod walk;
mod way;

use pulp::{Arch, Simd, WithSimd};

pub use self::blocks::{Column, PADDING};
pub use self::joint::JointRows;
pub use self::neurons::{IndividualNeurons, LevelBlock, NeuronStates};
use self::places::ParkedBlock;
use self::sums::Sums;
pub use self::synapses::SynapseColumns;
use self::volleys::Volley;
use self::way::WayBlock;
use super::layered::Arrival;

/// A spike of one of a layer's neurons.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LayerSpike {
    /// When, in time units.
    pub time: f64,
    /// Index of the neuron in its layer.
    pub neuron: u32,
}

/// What a thread works with; kept from sample to sample.
#[derive(Debug, Default)]
pub struct IndividualWorkspace {
    /// States of neurons that start from rest.
    rest: NeuronStates,
    volleys: Vec<Volley>,
    parked: Vec<ParkedBlock>,
    ways: Vec<WayBlock>,
    lists: [Vec<usize>; 2],
    sums: Sums,
}

/// A layer that is about to be run.
#[derive(Clone, Copy, Debug)]
pub struct IndividualLayer<'a> {
    /// Its neurons.
    pub neurons: &'a IndividualNeurons,
    /// Its weights.
    pub synapses: &'a SynapseColumns,
    /// Rows whose spikes come together in most samples, with these weights.
    pub joint: &'a [JointRows],
}

impl IndividualLayer<'_> {
    /// The first spike of each neuron up to `end`, from rest at time zero. `arrivals` are sorted by
    /// time. Spikes come in the order of the neurons.
    pub fn first_spikes(
        &self,
        arch: Arch,
        arrivals: &[Arrival],
        end: f64,
        workspace: &mut IndividualWorkspace,
        spikes: &mut Vec<LayerSpike>,
    ) {
        let mut rest = std::mem::take(&mut workspace.rest);
        rest.reset(self.neurons);
        let (end, states, is_once) = (end.min(self.horizon(arrivals)), &mut rest, true);
        arch.dispatch(Run { layer: self, arrivals, end, states, workspace, is_once, spikes });
        workspace.rest = rest;
    }

    /// All spikes from time zero to `end`, which is finite, of neurons that go on after each spike, from
    /// the given states. The states are then those at `end`. Spikes come in the order of the neurons, those
    /// of a neuron in that of time.
    pub fn all_spikes(
        &self,
        arch: Arch,
        arrivals: &[Arrival],
        end: f64,
        states: &mut NeuronStates,
        workspace: &mut IndividualWorkspace,
        spikes: &mut Vec<LayerSpike>,
    ) {
        let is_once = false;
        arch.dispatch(Run { layer: self, arrivals, end, states, workspace, is_once, spikes });
    }

    /// When nothing can happen any more after the last arrival: what is left of a state after 200 of
    /// the longest time constants is below 1e-86 of it.
    pub fn horizon(&self, arrivals: &[Arrival]) -> f64 {
        let last = arrivals.last().map_or(0.0, |arrival| arrival.time);
        last + 200.0 * self.neurons.longest_time_constant()
    }
}

/// A sample of a layer.
struct Run<'a> {
    layer: &'a IndividualLayer<'a>,
    arrivals: &'a [Arrival],
    end: f64,
    states: &'a mut NeuronStates,
    workspace: &'a mut IndividualWorkspace,
    /// Whether neurons spike only once.
    is_once: bool,
    spikes: &'a mut Vec<LayerSpike>,
}

impl WithSimd for Run<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        if self.layer.neurons.is_split() {
            self.run::<S, true>(simd);
        } else {
            self.run::<S, false>(simd);
        }
    }
}
