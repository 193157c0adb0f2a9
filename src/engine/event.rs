//! The event engine: a priority-queue scheduler in continuous time.
//!
//! # Order of events
//!
//! Events happen in the total order (time, kind, neuron, synapse), which fixes every result bit for
//! bit. At one time:
//!
//! 1. threshold crossings come first, by neuron;
//! 2. then the spikes of sources, in the order of the stimulus;
//! 3. then the arrivals of spikes, by presynaptic neuron and then by synapse ([`CompiledNetwork`]
//!    numbers synapses in that order).
//!
//! Crossings come first because the potential is continuous: a neuron that reaches its threshold at
//! the moment an input arrives has reached it without that input. All arrivals at one time are
//! added up before any neuron's crossing is predicted anew. A spike that is emitted at `t` over a
//! synapse without delay arrives at `t`, after everything that was due at `t` before it.

mod prediction;
mod propagators;

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;
use std::ops::Range;

use ordered_float::OrderedFloat;

use super::Observer;
use super::delivery::{Delivery, check_source};
use super::queue::EventQueue;
use crate::network::CompiledNetwork;
use crate::neuron::{Dynamics, State, add_compensated};
use prediction::{Deferred, Horizon};
use propagators::{PropagatorCache, Use};

/// One spike of a stimulus.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SourceSpike {
    /// When the source spikes, in time units; infinity stands for "never".
    pub time: f64,
    /// Index of the source in the network.
    pub source: u32,
}

/// How a run treats its neurons.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EngineOptions {
    /// Each neuron spikes at most once per run and ignores everything afterwards: what a code of
    /// first-spike times needs.
    pub at_most_one_spike: bool,
}

/// What a run did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RunStatistics {
    /// Spikes of sources and neurons.
    pub spikes: u64,
    /// Spikes that arrived at synapses.
    pub synaptic_events: u64,
}

/// A run that cannot go on. The spikes that the observer saw until then are valid.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// The stimulus is not sorted by time, or has a time that is negative or NaN.
    #[error(
        "spike {index} of the stimulus, at {time}, is out of order: times must not be negative and must not decrease"
    )]
    Stimulus {
        /// Position in the stimulus.
        index: usize,
        /// Its time.
        time: f64,
    },
    /// The stimulus names a node that is no source.
    #[error("spike {index} of the stimulus is for node {node}, which is not a spike source")]
    NotASource {
        /// Position in the stimulus.
        index: usize,
        /// The node it names.
        node: u32,
    },
    /// A neuron spikes twice within a few roundings of the time, or a trillionth of `τ_s`.
    #[error(
        "neuron {neuron} spikes again and again at time {time}, faster than times can be told \
         apart: give it a refractory period, or weaken its inputs and bias current"
    )]
    EndlessSpikes {
        /// Node of the neuron.
        neuron: usize,
        /// Where time stands still.
        time: f64,
    },
}

/// A neuron during a run.
#[derive(Clone, Copy, Debug)]
struct SimulatedNeuron {
    /// State at `updated`.
    state: State,
    /// What rounding took from the two currents at the present moment.
    lost: [f64; 2],
    updated: f64,
    /// End of the refractory period.
    release: f64,
    /// Index of the neuron's dynamics; sources have none and are never touched.
    dynamics: u32,
    /// Has spiked, and may not again.
    spent: bool,
    /// Received something at the present moment.
    touched: bool,
    /// Inhibitory synapses have a time constant of their own.
    split: bool,
    /// Whether the prediction of its crossing was put off, and until when.
    deferred: Option<Horizon>,
}

impl SimulatedNeuron {
    /// Ends the present moment: all that has arrived is summed.
    fn settle(&mut self) {
        self.touched = false;
        let [lost, lost_inhibitory] = std::mem::take(&mut self.lost);
        self.state.current += lost;
        self.state.inhibitory_current += lost_inhibitory;
    }
}

/// The priority-queue scheduler. One engine serves any number of runs of networks of one topology;
/// it keeps its memory between them.
#[derive(Clone, Debug)]
pub struct EventEngine {
    options: EngineOptions,
    neurons: Vec<SimulatedNeuron>,
    crossings: EventQueue,
    deliveries: BinaryHeap<Reverse<Delivery>>,
    /// Neurons that received something at the present moment.
    touched: Vec<u32>,
    /// Neurons whose predictions were put off.
    deferred: Deferred,
    /// Off only in the tests, which compare with an engine that predicts every crossing at once.
    defers: bool,
    /// Neurons of a layer are mostly updated at the same times, and so share their propagators.
    propagators: PropagatorCache,
}

impl EventEngine {
    /// An engine for networks of this topology.
    pub fn new(network: &CompiledNetwork, options: EngineOptions) -> Self {
        let neurons = (0..network.node_count())
            .map(|node| SimulatedNeuron {
                state: State::default(),
                lost: [0.0; 2],
                updated: 0.0,
                release: f64::NEG_INFINITY,
                dynamics: network.dynamics_index(node).unwrap_or(u32::MAX),
                spent: false,
                touched: false,
                split: network.dynamics(node).is_some_and(Dynamics::has_split_currents),
                deferred: None,
            })
            .collect();
        EventEngine {
            options,
            neurons,
            crossings: EventQueue::new(network.node_count()),
            deliveries: BinaryHeap::new(),
            touched: Vec::new(),
            deferred: Deferred::default(),
            defers: true,
            propagators: PropagatorCache::new(network),
        }
    }

    /// Runs the network from rest at time zero until nothing is left to happen up to `until`
    /// (inclusive; may be infinite for networks that fall silent), or the observer wants to stop.
    /// `stimulus` is sorted by time.
    ///
    /// # Errors
    /// If the stimulus is unsorted or names a node that is no source, or if a neuron spikes
    /// endlessly at one instant.
    pub fn run<O: Observer>(
        &mut self,
        network: &CompiledNetwork,
        stimulus: &[SourceSpike],
        until: f64,
        observer: &mut O,
    ) -> Result<RunStatistics, EngineError> {
        self.reset(network, until);
        let mut statistics = RunStatistics::default();
        let mut next_source = 0;
        let mut source_time = Self::next_source(network, stimulus, next_source, 0.0)?;
        loop {
            let crossing = self.crossings.next().map_or(f64::INFINITY, |(time, _)| time);
            let arrival = self.next_arrival();
            let now = crossing.min(source_time).min(arrival);
            if self.deferred.due_before(now) {
                self.predict_deferred(network, now, source_time, until);
                continue;
            }
            if now > until || now == f64::INFINITY {
                return Ok(statistics);
            }
            if crossing == now {
                let Some((_, neuron)) = self.crossings.pop() else { continue };
                observer.spike(neuron, now);
                if observer.wants_to_stop() {
                    return Ok(statistics);
                }
                statistics.spikes += 1;
                self.emit(network, neuron, now);
                self.reset_after_spike(network, neuron, now, until)?;
            } else if source_time == now {
                let source = stimulus[next_source].source as usize;
                observer.spike(source, now);
                if observer.wants_to_stop() {
                    return Ok(statistics);
                }
                statistics.spikes += 1;
                self.emit(network, source, now);
                next_source += 1;
                source_time = Self::next_source(network, stimulus, next_source, now)?;
            } else {
                statistics.synaptic_events += self.deliver(network, now);
                self.predict_touched(network, now, source_time, until);
            }
        }
    }

    /// Puts every neuron to rest, and predicts the crossings of those that need no input to spike.
    fn reset(&mut self, network: &CompiledNetwork, until: f64) {
        self.crossings.clear();
        self.deliveries.clear();
        self.touched.clear();
        self.deferred.clear();
        for neuron in 0..self.neurons.len() {
            let Some(dynamics) = network.dynamics(neuron) else { continue };
            let simulated = &mut self.neurons[neuron];
            simulated.state = dynamics.initial_state();
            simulated.lost = [0.0; 2];
            simulated.updated = 0.0;
            simulated.release = f64::NEG_INFINITY;
            simulated.spent = false;
            simulated.touched = false;
            simulated.deferred = None;
            self.predict(network, neuron, until);
        }
    }

    /// The time of the stimulus's spike at `index`, infinity behind its end.
    fn next_source(
        network: &CompiledNetwork,
        stimulus: &[SourceSpike],
        index: usize,
        earliest: f64,
    ) -> Result<f64, EngineError> {
        let Some(spike) = stimulus.get(index) else { return Ok(f64::INFINITY) };
        check_source(network, spike, index, earliest)?;
        Ok(spike.time)
    }

    #[inline]
    fn next_arrival(&self) -> f64 {
        self.deliveries.peek().map_or(f64::INFINITY, |next| next.0.arrival.0)
    }

    /// Sends a spike on its way along the node's outgoing synapses.
    #[inline]
    fn emit(&mut self, network: &CompiledNetwork, node: usize, now: f64) {
        let row = network.bundles(node);
        if row.is_empty() {
            return;
        }
        self.deliveries.push(Reverse(Delivery {
            arrival: OrderedFloat(now + network.bundle_delays()[row.start]),
            bundle: row.start as u32,
            row_end: row.end as u32,
            emitted: OrderedFloat(now),
        }));
    }

    /// Applies everything that arrives now; returns how many synapses it arrived at.
    fn deliver(&mut self, network: &CompiledNetwork, now: f64) -> u64 {
        let mut count = 0;
        while let Some(reached) = self.next_synapses(network, now) {
            count += reached.len() as u64;
            let first = reached.start;
            let targets = &network.targets()[reached.clone()];
            for (index, (&target, &weight)) in
                targets.iter().zip(&network.weights()[reached]).enumerate()
            {
                self.receive(network, target as usize, first + index, weight, now);
            }
        }
        count
    }

    /// The next synapses that one spike reaches now, taken off the queue of deliveries.
    #[inline]
    fn next_synapses(&mut self, network: &CompiledNetwork, now: f64) -> Option<Range<usize>> {
        let mut next = self.deliveries.peek_mut()?;
        if next.0.arrival.0 != now {
            return None;
        }
        let (first, end) = (next.0.bundle as usize, next.0.row_end as usize);
        let emitted = next.0.emitted.0;
        let delays = &network.bundle_delays()[first..end];
        // Synapses of equal delay are reached together, and so are those of different delays whose
        // arrivals round to the same time.
        match delays.iter().position(|delay| emitted + delay != now) {
            None => {
                PeekMut::pop(next);
                Some(network.bundle_synapses(first..end))
            }
            Some(reached) => {
                next.0.bundle = (first + reached) as u32;
                next.0.arrival = OrderedFloat(emitted + delays[reached]);
                Some(network.bundle_synapses(first..first + reached))
            }
        }
    }

    #[inline]
    fn receive(
        &mut self,
        network: &CompiledNetwork,
        neuron: usize,
        synapse: usize,
        weight: f64,
        now: f64,
    ) {
        let simulated = &mut self.neurons[neuron];
        if simulated.spent {
            return;
        }
        if !simulated.touched {
            simulated.touched = true;
            self.touched.push(neuron as u32);
            let dynamics = &network.distinct_dynamics()[simulated.dynamics as usize];
            if simulated.updated < simulated.release {
                let held_until = simulated.release.min(now);
                dynamics.decay_current(&mut simulated.state, held_until - simulated.updated);
                simulated.updated = held_until;
            }
            let elapsed = now - simulated.updated;
            if elapsed > 0.0 {
                self.propagators
                    .get(Use::Advance, network, simulated.dynamics, elapsed)
                    .apply(&mut simulated.state);
                simulated.updated = now;
            }
        }
        let SimulatedNeuron { state, lost, split, .. } = simulated;
        if *split && network.is_inhibitory(synapse) {
            add_compensated(&mut state.inhibitory_current, &mut lost[1], weight);
        } else {
            add_compensated(&mut state.current, &mut lost[0], weight);
        }
    }

    fn reset_after_spike(
        &mut self,
        network: &CompiledNetwork,
        neuron: usize,
        now: f64,
        until: f64,
    ) -> Result<(), EngineError> {
        let simulated = &mut self.neurons[neuron];
        if self.options.at_most_one_spike {
            simulated.spent = true;
            return Ok(());
        }
        let dynamics = &network.distinct_dynamics()[simulated.dynamics as usize];
        let release = now + dynamics.refractory_period();
        if release - simulated.release <= endless_interval(dynamics, release) {
            return Err(EngineError::EndlessSpikes { neuron, time: now });
        }
        dynamics.decay_current(&mut simulated.state, now - simulated.updated);
        dynamics.reset(&mut simulated.state);
        simulated.updated = now;
        simulated.release = release;
        self.predict(network, neuron, until);
        Ok(())
    }
}

/// The interval between two spikes of a neuron that counts as no interval.
///
/// Eight roundings of the time cannot be told apart. Nor need time stand still for a run never to
/// end: near time zero doubles resolve any interval. But whatever makes a neuron spike at intervals
/// of `10⁻¹² τ_s` lasts for some `τ_s`, a trillion spikes.
#[inline]
fn endless_interval(dynamics: &Dynamics, time: f64) -> f64 {
    (8.0 * f64::EPSILON * time).max(1e-12 * dynamics.tau_s())
}

#[cfg(test)]
mod tests;
