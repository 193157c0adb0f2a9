//! Layers whose neurons all differ: exact, vectorised over neurons.
//!
//! The neurons of a real substrate have thresholds and time constants of their own, so nothing of an
//! input's effect can be computed once for all of them, as [`super::layered`] does. This engine takes
//! every neuron from one burst of arrivals to the next, a register of neurons at a time. The equations are
//! those of `neuron::heterogeneous`; the order of events, and which of them are done together, is
//! decided here.
//!
//! ```text
//! arrivals (sorted) ─→ bursts ─→ event loop ─────────→ final interval ─→ spikes, states
//!               │                   │ ↑                  ↑      │ ↑
//!               │                slow path               │      │ │
//!               │                   │ ↑                  │      │ │
//!               │                   └─┴── spike search ──┼──────┴─┘
//!               └─→ narrow: sums over all arrivals ──────┘
//! ```
//!
//! * `bursts`: arrivals at equal intervals, whose propagator is prepared; `synchronous`: bursts that are the
//!   same in every sample, whose effect is summed in advance.
//! * `event_loop`: as a rule no refractory period ends on an interval, and both ends of it tell which
//!   neurons spike. Their spikes stay pending.
//! * `slow_path`: anything else.
//! * `spike_search`: the times of spikes, pending ones included; for all registers together in the
//!   `final_interval` from the last arrival to the end.
//! * `narrow`: few neurons with many arrivals, neuron by neuron up to the last arrival.
//!
//! Each neuron has excitatory and inhibitory synaptic time constants. If they are equal in all neurons of a
//! layer, one current serves both. Neurons spike once, or again and again after their refractory periods;
//! states can be left over from the sample before. The rules are those of the event engine: simultaneous
//! arrivals act together, an arrival at the very moment of a crossing comes too late for it, and synaptic
//! currents survive a spike.

mod bursts;
mod event_loop;
mod final_interval;
mod layer_state;
mod narrow;
mod slow_path;
mod spike_search;
mod synapses;
mod synchronous;
#[cfg(test)]
mod tests;

use pulp::{Arch, Simd, WithSimd};

use self::bursts::Burst;
use self::final_interval::SearchLists;
pub use self::layer_state::NeuronStates;
use self::layer_state::PendingBlock;
use self::spike_search::SearchBlock;
pub use self::synapses::SynapseMatrix;
pub use self::synchronous::SynchronousInputs;
use super::layered::Arrival;
use crate::neuron::heterogeneous::{HeterogeneousNeurons, InputSums};

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
pub struct HeterogeneousWorkspace {
    /// States of neurons that start from rest.
    rest: NeuronStates,
    bursts: Vec<Burst>,
    pending: Vec<PendingBlock>,
    searches: Vec<SearchBlock>,
    lists: SearchLists,
    sums: InputSums,
}

/// A layer that is about to be run.
#[derive(Clone, Copy, Debug)]
pub struct HeterogeneousLayer<'a> {
    /// Its neurons.
    pub neurons: &'a HeterogeneousNeurons,
    /// Its weights.
    pub synapses: &'a SynapseMatrix,
    /// Rows that spike together in most samples, with these weights.
    pub synchronous: &'a [SynchronousInputs],
}

impl HeterogeneousLayer<'_> {
    /// The first spike of each neuron up to `end`, from rest at time zero. `arrivals` are sorted by
    /// time. Spikes come in the order of the neurons.
    pub fn first_spikes(
        &self,
        arch: Arch,
        arrivals: &[Arrival],
        end: f64,
        workspace: &mut HeterogeneousWorkspace,
        spikes: &mut Vec<LayerSpike>,
    ) {
        let mut rest = std::mem::take(&mut workspace.rest);
        rest.reset(self.neurons);
        let (end, states, spikes_once) = (end.min(self.horizon(arrivals)), &mut rest, true);
        arch.dispatch(Run { layer: self, arrivals, end, states, workspace, spikes_once, spikes });
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
        workspace: &mut HeterogeneousWorkspace,
        spikes: &mut Vec<LayerSpike>,
    ) {
        let spikes_once = false;
        arch.dispatch(Run { layer: self, arrivals, end, states, workspace, spikes_once, spikes });
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
    layer: &'a HeterogeneousLayer<'a>,
    arrivals: &'a [Arrival],
    end: f64,
    states: &'a mut NeuronStates,
    workspace: &'a mut HeterogeneousWorkspace,
    /// Whether neurons spike only once.
    spikes_once: bool,
    spikes: &'a mut Vec<LayerSpike>,
}

impl WithSimd for Run<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        if self.layer.neurons.has_split_currents() {
            self.run::<S, true>(simd);
        } else {
            self.run::<S, false>(simd);
        }
    }
}
