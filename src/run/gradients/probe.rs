//! A network and its input, of which any weight, delay or input time can be moved a little.

use std::ops::Range;

use crate::engine::{EngineError, EngineOptions, EventEngine, Recording, SourceSpike, Spike};
use crate::learning::{Loss, TraceGradients, trace_gradients};
use crate::network::{CompiledNetwork, Network, synapse_order};

/// What is moved.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Parameter {
    /// Weight of a synapse, in the compiled order.
    Weight(usize),
    /// Delay of a synapse, in the compiled order.
    Delay(usize),
    /// Time of a spike in the stimulus of a presentation.
    Input { presentation: usize, spike: usize },
}

/// What is differentiated.
#[derive(Clone, Debug)]
pub(super) enum Objective {
    /// `Σ c_k t_k` over the spikes of neurons, by node and then by time; zero for sources.
    Linear(Vec<f64>),
    /// The training loss of a sample.
    Training { loss: Loss, labels: Range<usize>, correct: usize },
}

/// One stimulus, and what its spikes are worth.
#[derive(Clone, Debug)]
pub(super) struct Presentation {
    pub stimulus: Vec<SourceSpike>,
    pub objective: Objective,
}

/// The network and everything that is presented to it.
pub(super) struct Probe {
    pub network: Network,
    pub compiled: CompiledNetwork,
    pub presentations: Vec<Presentation>,
    pub options: EngineOptions,
    pub until: f64,
}

/// The spikes of a run, by node and then by time.
pub(super) type Trains = Vec<Spike>;

/// Difference quotients from both sides.
#[derive(Clone, Copy, Debug)]
pub(super) struct Quotients {
    pub backward: f64,
    pub forward: f64,
}

impl Quotients {
    pub fn central(self) -> f64 {
        0.5 * (self.backward + self.forward)
    }

    /// By how much the two sides differ.
    pub fn gap(self) -> f64 {
        self.forward - self.backward
    }
}

impl Probe {
    /// The spikes of one presentation.
    pub fn run(
        &self,
        network: &CompiledNetwork,
        stimulus: &[SourceSpike],
    ) -> Result<Trains, EngineError> {
        let mut record = Recording::default();
        let mut engine = EventEngine::new(network, self.options);
        engine.run(network, stimulus, self.until, &mut record)?;
        record.spikes.sort_by_key(|spike| spike.node);
        Ok(record.spikes)
    }

    /// The adjoint's gradients for one presentation.
    pub fn gradients(&self, presentation: usize, trains: &Trains) -> TraceGradients {
        let by_time = self.presentations[presentation].objective.by_time(trains);
        trace_gradients(&self.compiled, self.options, trains, &by_time)
    }

    /// The difference quotients of the sum of all objectives at a step. None if it changes how often
    /// some neuron spikes, or cannot be made.
    pub fn quotients(&self, base: &[Trains], parameter: Parameter, step: f64) -> Option<Quotients> {
        let (up, down) = (self.moved(parameter, step), self.moved(parameter, -step));
        let affected = match parameter {
            Parameter::Input { presentation, .. } => presentation..presentation + 1,
            _ => 0..self.presentations.len(),
        };
        let (mut forward, mut backward) = (0.0, 0.0);
        for index in affected {
            let run = |network: &CompiledNetwork, by: f64| {
                let stimulus = self.moved_stimulus(parameter, index, by);
                let trains = self.run(network, &stimulus).ok()?;
                same_spikes(&trains, &base[index]).then_some(trains)
            };
            let (up, down) = (run(&up, step)?, run(&down, -step)?);
            let objective = &self.presentations[index].objective;
            forward += objective.change(&up, &base[index]);
            backward += objective.change(&base[index], &down);
        }
        Some(Quotients { backward: backward / step, forward: forward / step })
    }

    fn moved(&self, parameter: Parameter, by: f64) -> CompiledNetwork {
        match parameter {
            Parameter::Weight(synapse) => {
                let mut compiled = self.compiled.clone();
                compiled.weights_mut()[synapse] += by;
                compiled
            }
            Parameter::Delay(synapse) => {
                let mut network = self.network.clone();
                let edge = synapse_order(&self.network)[synapse] as usize;
                let mut delays: Vec<f64> =
                    network.graph().edge_weights().map(|synapse| synapse.delay).collect();
                delays[edge] += by;
                network.set_delays(delays);
                CompiledNetwork::new(&network)
            }
            Parameter::Input { .. } => self.compiled.clone(),
        }
    }

    fn moved_stimulus(&self, parameter: Parameter, index: usize, by: f64) -> Vec<SourceSpike> {
        let mut stimulus = self.presentations[index].stimulus.clone();
        if let Parameter::Input { presentation, spike } = parameter
            && presentation == index
        {
            stimulus[spike].time += by;
            stimulus.sort_by(|a, b| a.time.total_cmp(&b.time));
        }
        stimulus
    }
}

impl Objective {
    fn by_time(&self, trains: &Trains) -> Vec<f64> {
        match self {
            Objective::Linear(coefficients) => coefficients.clone(),
            Objective::Training { loss, labels, correct } => {
                let mut gradient = vec![0.0; labels.len()];
                loss.evaluate(&label_times(labels, trains), *correct, &mut gradient);
                let by_label = |spike: &Spike| {
                    let node = spike.node as usize;
                    if labels.contains(&node) { gradient[node - labels.start] } else { 0.0 }
                };
                trains.iter().map(by_label).collect()
            }
        }
    }

    /// By how much the objective of `up` is larger. Both have the same spikes.
    fn change(&self, up: &Trains, down: &Trains) -> f64 {
        match self {
            Objective::Linear(coefficients) => {
                let pairs = up.iter().zip(down).zip(coefficients);
                pairs.map(|((up, down), by)| by * (up.time - down.time)).sum()
            }
            Objective::Training { loss, labels, correct } => {
                let value = |trains| {
                    let times = label_times(labels, trains);
                    loss.evaluate(&times, *correct, &mut vec![0.0; times.len()])
                };
                value(up) - value(down)
            }
        }
    }
}

fn label_times(labels: &Range<usize>, trains: &Trains) -> Vec<f64> {
    let mut times = vec![f64::INFINITY; labels.len()];
    for spike in trains {
        let node = spike.node as usize;
        if labels.contains(&node) {
            times[node - labels.start] = spike.time;
        }
    }
    times
}

fn same_spikes(moved: &Trains, base: &Trains) -> bool {
    moved.len() == base.len() && moved.iter().zip(base).all(|(moved, base)| moved.node == base.node)
}
