//! The training loop: run, pair, differentiate, step.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::{Alignment, Bounds, Trainable, align};
use crate::engine::{
    EngineError, EngineOptions, EventEngine, Observer, Recording, SourceSpike, Spike,
};
use crate::learning::{
    Adam, AdamSettings, Schedule, StateError, TraceGradients, TrainerState, exact, trace_gradients,
};
use crate::network::{CompiledNetwork, Network, Node, synapse_order};
use crate::neuron::NeuronParameters;

/// Spikes of one run beyond which it is cut short: recurrent excitation may never end.
const MOST_SPIKES: usize = 1_000_000;

/// How a network is trained to emit spike trains.
#[derive(Clone, Debug, PartialEq)]
pub struct SpikeTrainSettings {
    /// Runs and steps.
    pub epochs: usize,
    /// The optimiser; it changes weights, and the raw numbers of bounded parameters.
    pub adam: AdamSettings,
    /// How its learning rate changes.
    pub schedule: Schedule,
    /// Largest distance, in time units, of an emitted spike from the target it stands for.
    pub window: f64,
    /// Strength of the push on the potential where a spike is missing or extra, relative to the
    /// gradient of a pair that is one time unit apart.
    pub push: f64,
    /// Largest magnitude of a derivative; larger ones are cut (grazing spikes have diverging ones).
    pub largest_gradient: f64,
    /// What is trained beside the weights.
    pub trainable: Trainable,
    /// When each run ends, in time units.
    pub until: f64,
}

/// How far the emitted spike trains are from their targets.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct SpikeTrainMetrics {
    /// Number of the epoch, from 1.
    pub epoch: usize,
    /// `½ Σ (t − target)²` over the pairs.
    #[serde(with = "exact")]
    pub loss: f64,
    /// Emitted spikes that stand for a target.
    pub paired: usize,
    /// Targets that no spike stands for.
    pub missing: usize,
    /// Spikes that stand for no target.
    pub extra: usize,
}

impl SpikeTrainMetrics {
    /// Root mean square of the distances of the pairs, in time units; zero without pairs.
    pub fn timing_error(&self) -> f64 {
        if self.paired == 0 { 0.0 } else { (2.0 * self.loss / self.paired as f64).sqrt() }
    }

    /// Whether every spike has its target and every target its spike.
    pub fn is_complete(&self) -> bool {
        self.missing == 0 && self.extra == 0
    }
}

/// Trains a network to emit given spike trains.
pub struct SpikeTrainTrainer {
    network: Network,
    stimulus: Vec<SourceSpike>,
    /// Nodes of the population with targets.
    nodes: Range<usize>,
    targets: Vec<Vec<f64>>,
    settings: SpikeTrainSettings,
    adam: Adam,
    /// Weights, then the raw numbers of delays, thresholds and time constants.
    values: Vec<f64>,
    epoch: usize,
}

impl SpikeTrainTrainer {
    /// A trainer for the neurons `nodes` of a network, with one target train (sorted times) each.
    pub fn new(
        network: Network,
        stimulus: Vec<SourceSpike>,
        nodes: Range<usize>,
        targets: Vec<Vec<f64>>,
        settings: SpikeTrainSettings,
    ) -> Self {
        let values = initial_values(&network, &settings.trainable);
        let mut trainer = SpikeTrainTrainer {
            adam: Adam::new(values.len(), settings.adam),
            network,
            stimulus,
            nodes,
            targets,
            settings,
            values,
            epoch: 0,
        };
        trainer.write_values();
        trainer
    }

    /// The network with its present parameters.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// Everything that the rest of the training depends on. To be taken between two epochs.
    pub fn state(&self) -> TrainerState {
        let mut state = TrainerState::default();
        state.set_counter("epoch", self.epoch as u64);
        state.set_array("values", self.values.clone());
        self.adam.save("adam", &mut state);
        state
    }

    /// Goes on from the state of a trainer with the same network and settings.
    ///
    /// # Errors
    /// If the state is not of such a trainer; this one is then as it was.
    pub fn restore(&mut self, state: &TrainerState) -> Result<(), StateError> {
        let epoch = state.counter("epoch", usize::MAX as u64)? as usize;
        let adam = self.adam.restored("adam", state)?;
        self.values = state.array("values", self.values.len())?.to_vec();
        (self.epoch, self.adam) = (epoch, adam);
        self.write_values();
        Ok(())
    }

    /// Runs the network as it is; returns its spikes.
    ///
    /// # Errors
    /// If a neuron spikes endlessly at one instant.
    pub fn run(&self) -> Result<(Vec<Spike>, CompiledNetwork), EngineError> {
        let compiled = CompiledNetwork::new(&self.network);
        let mut recording = Capped(Recording::default());
        let mut engine = EventEngine::new(&compiled, EngineOptions::default());
        engine.run(&compiled, &self.stimulus, self.settings.until, &mut recording)?;
        Ok((recording.0.spikes, compiled))
    }

    /// The nodes of the population that learns, and what each of them should do: times in order.
    pub fn targets(&self) -> (Range<usize>, &[Vec<f64>]) {
        (self.nodes.clone(), &self.targets)
    }

    /// Compares the spikes of a run with the targets.
    pub fn compare(&self, spikes: &[Spike]) -> SpikeTrainMetrics {
        self.differences(spikes).0
    }

    /// The metrics of a run, the derivative of the loss by each spike's time, and the pushes where
    /// spikes are missing or extra: node, time, strength.
    fn differences(&self, spikes: &[Spike]) -> (SpikeTrainMetrics, Vec<f64>, Vec<Push>) {
        let mut metrics =
            SpikeTrainMetrics { epoch: self.epoch, loss: 0.0, paired: 0, missing: 0, extra: 0 };
        let mut by_time = vec![0.0; spikes.len()];
        let mut pushes = Vec::new();
        for (node, targets) in self.nodes.clone().zip(&self.targets) {
            let own: Vec<usize> =
                (0..spikes.len()).filter(|&index| spikes[index].node as usize == node).collect();
            let emitted: Vec<f64> = own.iter().map(|&index| spikes[index].time).collect();
            let Alignment { pairs, missing, extra } =
                align(&emitted, targets, self.settings.window);
            for &(spike, target) in &pairs {
                let error = emitted[spike] - targets[target];
                by_time[own[spike]] = error;
                metrics.loss += 0.5 * error * error;
            }
            metrics.paired += pairs.len();
            metrics.missing += missing.len();
            metrics.extra += extra.len();
            let push = self.settings.push;
            let raise = |&target: &usize| Push { node, time: targets[target], strength: -push };
            let lower = |&spike: &usize| Push { node, time: emitted[spike], strength: push };
            pushes.extend(missing.iter().map(raise).chain(extra.iter().map(lower)));
        }
        (metrics, by_time, pushes)
    }

    /// One epoch: runs the network, compares, and takes a step. The metrics are those of the run,
    /// before the step.
    ///
    /// # Errors
    /// If a neuron spikes endlessly at one instant.
    pub fn train_epoch(&mut self) -> Result<SpikeTrainMetrics, EngineError> {
        let (spikes, compiled) = self.run()?;
        Ok(self.learn_from(&compiled, &spikes))
    }

    /// Takes a step by spikes that the network emitted, or that were recorded elsewhere, sorted by
    /// time. `compiled` is the network as it is. The metrics are those of the spikes.
    pub fn learn_from(
        &mut self,
        compiled: &CompiledNetwork,
        spikes: &[Spike],
    ) -> SpikeTrainMetrics {
        self.epoch += 1;
        let (metrics, by_time, pushes) = self.differences(spikes);
        let mut gradients = trace_gradients(compiled, EngineOptions::default(), spikes, &by_time);
        for push in &pushes {
            push_potential(compiled, spikes, push, &mut gradients.weights);
        }
        self.step(&gradients);
        metrics
    }

    fn step(&mut self, gradients: &TraceGradients) {
        let mut flat = self.flatten(gradients);
        let largest = self.settings.largest_gradient;
        for gradient in &mut flat {
            *gradient = if gradient.is_finite() { gradient.clamp(-largest, largest) } else { 0.0 };
        }
        let rate = self.settings.schedule.factor((self.epoch - 1) as f64, self.settings.epochs);
        self.adam.step(&mut self.values, &flat, rate);
        self.write_values();
    }

    /// The gradients in the order of `values`, by the raw number where a parameter is bounded.
    fn flatten(&self, gradients: &TraceGradients) -> Vec<f64> {
        let graph = self.network.graph();
        let mut weights = vec![0.0; graph.edge_count()];
        let mut delays = vec![0.0; graph.edge_count()];
        for (synapse, &edge) in synapse_order(&self.network).iter().enumerate() {
            weights[edge as usize] = gradients.weights[synapse];
            delays[edge as usize] = gradients.delays[synapse];
        }
        let mut flat = weights;
        let trainable = &self.settings.trainable;
        if let Some(bounds) = trainable.delays {
            let edges = graph.edge_weights();
            flat.extend(edges.zip(delays).map(|(edge, by)| by * bounds.derivative(edge.delay)));
        }
        for (bounds, value, by) in neuron_parameters(trainable) {
            for (node, gradient) in graph.node_weights().zip(&gradients.neurons) {
                if let Node::Neuron(parameters) = node {
                    flat.push(by(gradient) * bounds.derivative(value(parameters)));
                }
            }
        }
        flat
    }

    /// Writes `values` into the network.
    fn write_values(&mut self) {
        let edges = self.network.graph().edge_count();
        let trainable = self.settings.trainable;
        let mut rest = self.values.iter().copied();
        self.network.set_weights(rest.by_ref().take(edges));
        if let Some(bounds) = trainable.delays {
            self.network.set_delays(rest.by_ref().take(edges).map(|raw| bounds.value(raw)));
        }
        for (bounds, set) in neuron_setters(&trainable) {
            self.network.change_neurons(|parameters| {
                if let Some(raw) = rest.next() {
                    set(parameters, bounds.value(raw));
                }
            });
        }
    }
}

/// Where the potential of a neuron should be higher (negative strength) or lower.
struct Push {
    node: usize,
    time: f64,
    strength: f64,
}

type Value = fn(&NeuronParameters) -> f64;
type Gradient = fn(&crate::learning::NeuronGradients) -> f64;
type Set = fn(&mut NeuronParameters, f64);

/// The trained parameters of neurons: bounds, value, and which gradient.
fn neuron_parameters(trainable: &Trainable) -> Vec<(Bounds, Value, Gradient)> {
    let all: [(Option<Bounds>, Value, Gradient); 3] = [
        (trainable.threshold, |neuron| neuron.threshold, |by| by.threshold),
        (trainable.tau_m, |neuron| neuron.tau_m, |by| by.tau_m),
        // Both synaptic time constants move as one.
        (trainable.tau_s, |neuron| neuron.tau_s, |by| by.tau_s + by.tau_s_inhibitory),
    ];
    all.into_iter().filter_map(|(bounds, value, by)| Some((bounds?, value, by))).collect()
}

fn neuron_setters(trainable: &Trainable) -> Vec<(Bounds, Set)> {
    let all: [(Option<Bounds>, Set); 3] = [
        (trainable.threshold, |neuron, value| neuron.threshold = value),
        (trainable.tau_m, |neuron, value| neuron.tau_m = value),
        (trainable.tau_s, |neuron, value| {
            neuron.tau_s = value;
            neuron.tau_s_inhibitory = value;
        }),
    ];
    all.into_iter().filter_map(|(bounds, set)| Some((bounds?, set))).collect()
}

/// Weights and raw numbers of a network as it is.
fn initial_values(network: &Network, trainable: &Trainable) -> Vec<f64> {
    let graph = network.graph();
    let mut values: Vec<f64> = graph.edge_weights().map(|synapse| synapse.weight).collect();
    if let Some(bounds) = trainable.delays {
        values.extend(graph.edge_weights().map(|synapse| bounds.raw(synapse.delay)));
    }
    for (bounds, value, _) in neuron_parameters(trainable) {
        values.extend(graph.node_weights().filter_map(|node| match node {
            Node::Source => None,
            Node::Neuron(parameters) => Some(bounds.raw(value(parameters))),
        }));
    }
    values
}

/// Adds the push's strength times the response of the neuron's potential at that time to each
/// weight, so that a step against it moves the potential there. Resets in between are left out:
/// this is a push in a useful direction, not a gradient.
fn push_potential(network: &CompiledNetwork, spikes: &[Spike], push: &Push, weights: &mut [f64]) {
    let Some(dynamics) = network.dynamics(push.node) else { return };
    for incoming in network.incoming(push.node) {
        let synapse = incoming.synapse as usize;
        for spike in spikes.iter().filter(|spike| spike.node == incoming.pre) {
            let elapsed = push.time - spike.time - network.delays()[synapse];
            if elapsed > 0.0 {
                let response = dynamics.response_at(network.is_inhibitory(synapse), elapsed).0;
                weights[synapse] += push.strength * response;
            }
        }
    }
}

/// A recording that ends a run which would not end by itself.
struct Capped(Recording);

impl Observer for Capped {
    fn spike(&mut self, node: usize, time: f64) {
        self.0.spike(node, time);
    }

    fn wants_to_stop(&self) -> bool {
        self.0.spikes.len() >= MOST_SPIKES
    }
}
