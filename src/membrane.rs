//! Membrane potentials and synaptic currents after the fact, from recorded spikes.
//!
//! The engine keeps no history: between its events a neuron is a closed formula. So a neuron's state
//! at any time follows from the spikes alone. [`SpikeTrains`] records those that matter during a
//! run; [`SpikeTrains::states`] then has every recorded spike arrive again, with the delay and weight
//! of its synapse, and propagates the neuron from event to event exactly as the engine did. Nothing
//! is interpolated, and a fine grid of times makes the run itself no slower.
//!
//! A state is the limit from the left: what happens at that very moment is not in it yet. At the
//! time of a spike it is the state just before the reset, with the potential at the threshold; at
//! time zero it is the initial state. While a neuron is refractory its potential is the reset
//! potential and its currents go on.
//!
//! [`SpikeTrains::trace`] puts together what a picture of one neuron needs: a [`MembraneTrace`].

mod motion;
mod trace;

use crate::engine::{EngineOptions, Observer};
use crate::network::CompiledNetwork;
use crate::neuron::State;
use motion::{Event, Membrane, What};

pub use trace::{InputSpike, MembraneTrace};

/// Spikes of some neurons and of everything presynaptic to them, as an observer of a run.
#[derive(Clone, Debug)]
pub struct SpikeTrains {
    /// Per node: its spike times in order, if they are wanted.
    trains: Vec<Option<Vec<f64>>>,
}

impl Observer for SpikeTrains {
    #[inline]
    fn spike(&mut self, node: usize, time: f64) {
        if let Some(train) = &mut self.trains[node] {
            train.push(time);
        }
    }
}

impl SpikeTrains {
    /// To find the states of these neurons (nodes of the network) after a run.
    pub fn new(network: &CompiledNetwork, neurons: impl IntoIterator<Item = usize>) -> Self {
        let mut trains = vec![None; network.node_count()];
        for neuron in neurons {
            trains[neuron] = Some(Vec::new());
            for synapse in network.incoming(neuron) {
                trains[synapse.pre as usize] = Some(Vec::new());
            }
        }
        SpikeTrains { trains }
    }

    /// The states of a neuron at `times`, which must not decrease nor lie beyond the end of the
    /// run. `options` are those of the run; a neuron that may spike only once is held at reset after
    /// its spike. None if the node is a source or its spikes were not recorded.
    pub fn states(
        &self,
        network: &CompiledNetwork,
        neuron: usize,
        options: EngineOptions,
        times: &[f64],
    ) -> Option<Vec<State>> {
        let dynamics = network.dynamics(neuron)?;
        let events = self.events(network, neuron)?;
        let mut membrane = Membrane::new(dynamics, options);
        let mut next = 0;
        let state_at = |&time: &f64| {
            while let Some(event) = events.get(next).filter(|event| event.time < time) {
                membrane.meet(event, network);
                next += 1;
            }
            // A copy: the samples must not change the roundings of what comes after them.
            let mut there = membrane.clone();
            there.move_to(time);
            there.state
        };
        Some(times.iter().map(state_at).collect())
    }

    /// Everything that happens to the neuron, in the engine's order: by time, spikes before
    /// arrivals, arrivals by synapse.
    fn events(&self, network: &CompiledNetwork, neuron: usize) -> Option<Vec<Event>> {
        let spikes = self.trains[neuron].as_ref()?;
        let mut events: Vec<Event> =
            spikes.iter().map(|&time| Event { time, what: What::Spike }).collect();
        for incoming in network.incoming(neuron) {
            let synapse = incoming.synapse as usize;
            let delay = network.delays()[synapse];
            let train = self.trains[incoming.pre as usize].as_ref()?;
            events.extend(train.iter().map(|&spike| Event {
                time: spike + delay,
                what: What::Arrival { pre: incoming.pre, synapse: incoming.synapse },
            }));
        }
        let order = |event: &Event| match event.what {
            What::Spike => None,
            What::Arrival { synapse, .. } => Some(synapse),
        };
        events.sort_by(|a, b| a.time.total_cmp(&b.time).then(order(a).cmp(&order(b))));
        Some(events)
    }
}
