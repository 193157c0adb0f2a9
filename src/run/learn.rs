//! One learning pass over a trace, whoever recorded it.

use std::path::{Path, PathBuf};

use super::trace_spikes::{self, Misfit, NodeSpike, ReadError, TraceMisfit};
use super::{RunError, network_file, nodes, write_file};
use crate::engine::Observer;
use crate::learning::{
    Adam, BackwardPass, EncodedSet, EncodingScratch, FirstSpikes, Presentation, TrainedDelays,
    gradients_by_delay,
};
use crate::network::{CompiledNetwork, Network, synapse_order};
use crate::scenario::LoadedScenario;
use crate::trace::TraceError;
use crate::trace::format::TraceSource;

/// Which of a scenario's sets a trace shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subset {
    /// What is learned from.
    Training,
    /// What an epoch may be chosen by.
    Validation,
    /// What the result is measured on.
    Test,
}

/// A trace that does not belong to the scenario.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LearnError {
    /// It cannot be read.
    #[error(transparent)]
    Trace(#[from] TraceError),
    /// A spike does not fit; or one that a spike implies is missing.
    #[error(transparent)]
    Misfit(#[from] TraceMisfit),
    /// The scenario has nothing to learn by.
    #[error(
        "the scenario has no loss to learn by: it needs [[layers]] and [training], or [[populations]] \
         and [spike_training]"
    )]
    NoLoss,
    /// The scenario has no layers whose neurons could be identified.
    #[error("the scenario is a simulation: neurons are identified in networks of [[layers]]")]
    NoLayers,
    /// The scenario says how to train, and not what came of it.
    #[error(
        "{}: layer `{layer}` has the initial weights of a training, and the trace is of trained ones: give the \
         folder of the run instead of the scenario, or its network with --set start_from=FOLDER",
        path.display()
    )]
    Untrained {
        /// The scenario.
        path: PathBuf,
        /// The layer.
        layer: String,
    },
    /// Its network cannot be run layer by layer.
    #[error("neurons cannot be identified: {reason}")]
    Unsupported {
        /// Why.
        reason: String,
    },
    /// The trace has nothing to teach.
    #[error("{}: there are no spikes", path.display())]
    NoSpikes {
        /// The trace.
        path: PathBuf,
    },
    /// The scenario cannot be used, or the network not written.
    #[error(transparent)]
    Run(#[from] RunError),
}

impl From<ReadError> for LearnError {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Trace(error) => error.into(),
            ReadError::Misfit(error) => error.into(),
        }
    }
}

/// What a pass over a trace gave.
#[derive(Clone, Debug)]
pub struct LearnSummary {
    /// Samples in the trace.
    pub samples: usize,
    /// Mean loss of the trace, before the step.
    pub loss: f64,
    /// Fraction of samples that the trace decides correctly.
    pub accuracy: f64,
    /// Length of the gradient of the mean loss by all weights.
    pub gradient_norm: f64,
    /// How often the gradient guard discarded a neuron's weight gradients.
    pub guarded: u64,
}

/// How far a recorded input may be from the one that the sample stands for, as a fraction of the
/// encoding's range. More than the jitter of a recording, less than most samples differ by: a trace
/// of another set is recognised.
const INPUT_TOLERANCE: f64 = 0.05;

/// Takes one step of the scenario's optimiser against the gradient of its loss, averaged over the
/// samples of a trace, and writes the changed network to `out`.
///
/// The trace takes the place of the simulation: loss and gradient come from the recorded times of
/// inputs and neurons alone, with the slopes of the scenario's ideal neurons
/// ([`FirstSpikes::backpropagate`]). Each spike is the first and only one of its neuron in its
/// sample; neurons without one were silent. The step is the first of a training whose batch is the
/// trace, except that silent neurons are left alone.
///
/// # Errors
/// If scenario or trace cannot be used, with file and line, or the network cannot be written.
pub fn learn(
    loaded: &LoadedScenario,
    trace: &TraceSource,
    subset: Subset,
    out: &Path,
) -> Result<LearnSummary, LearnError> {
    if loaded.scenario.is_simulation() || loaded.scenario.training.is_none() {
        return Err(LearnError::NoLoss);
    }
    let mut learner = loaded.learner().map_err(RunError::from)?;
    let settings = &learner.settings;
    let mut delays = TrainedDelays::new(&learner.network, &settings.delays, settings.adam);
    delays.write_to(&mut learner.network.network);
    let mut network = CompiledNetwork::new(&learner.network.network);
    let set = learner.encode(match subset {
        Subset::Training => &learner.data.training,
        Subset::Validation => &learner.data.validation,
        Subset::Test => &learner.data.test,
    });
    let unit = loaded.scenario.time_unit.suffix();
    let recorded = Recorded::read(trace, unit, &network, &set)?;

    let label_layer = learner.network.layers[learner.network.layers.len() - 1];
    let labels = network.populations()[label_layer.0].nodes.clone();
    let loss = settings.loss.for_labels(&network, &labels);
    let mut summary = LearnSummary {
        samples: recorded.samples.len(),
        loss: 0.0,
        accuracy: 0.0,
        gradient_norm: 0.0,
        guarded: 0,
    };
    let share = 1.0 / recorded.samples.len() as f64;
    let mut pass = BackwardPass::with_delays(&network);
    let mut gradient = vec![0.0; labels.len()];
    for (sample, record) in &recorded.samples {
        let times = &record.times()[labels.clone()];
        let label = set.label(*sample);
        summary.loss += share * loss.evaluate(times, label, &mut gradient);
        if loss.decide(times) == Some(label) {
            summary.accuracy += share;
        }
        pass.time_gradients.fill(0.0);
        for (node, by_time) in labels.clone().zip(&gradient) {
            pass.time_gradients[node] = share * by_time;
        }
        record.backpropagate(&network, settings.gradient_guard, &mut pass);
    }
    summary.guarded = pass.guarded;
    summary.gradient_norm = pass.weight_gradients.iter().map(|by| by * by).sum::<f64>().sqrt();
    let mut adam = Adam::new(network.synapse_count(), settings.adam);
    let rate = settings.schedule.factor(0.0, settings.epochs);
    adam.step(network.weights_mut(), &pass.weight_gradients, rate);

    let order = synapse_order(&learner.network.network);
    let mut by_synapse = vec![0.0; order.len()];
    for (&place, &by) in order.iter().zip(&pass.delay_gradients) {
        by_synapse[place as usize] = by;
    }
    delays.step(&gradients_by_delay(&learner.network, &by_synapse), rate);

    network.write_weights_to(&mut learner.network.network);
    delays.write_to(&mut learner.network.network);
    write_network(&learner.network.network, unit, out)?;
    Ok(summary)
}

/// Writes a changed network to a file.
pub(super) fn write_network(network: &Network, unit: &str, out: &Path) -> Result<(), RunError> {
    write_file(out, |file| network_file::write(network, unit, file))
}

/// The samples of a trace.
pub(super) struct Recorded {
    /// Number in the set, and record.
    pub samples: Vec<(usize, FirstSpikes)>,
}
impl Recorded {
    pub fn read(
        source: &TraceSource,
        unit: &str,
        network: &CompiledNetwork,
        set: &EncodedSet,
    ) -> Result<Self, LearnError> {
        let mut spikes = Vec::new();
        let populations = network.populations();
        trace_spikes::read(source, unit, populations, set.len(), |spike| spikes.push(spike))?;
        // Stable: of a neuron's spikes in a sample the first in the file stays first.
        spikes.sort_by_key(|spike| (spike.sample, spike.node));
        let range = set.time_range();
        let mut samples = Vec::new();
        for spikes in spikes.chunk_by_mut(|a, b| a.sample == b.sample) {
            check_sample(spikes, network, set, INPUT_TOLERANCE * range).map_err(
                |(line, misfit)| TraceMisfit { path: source.path.clone(), line, misfit },
            )?;
            spikes.sort_by(|a, b| a.time.total_cmp(&b.time));
            let mut record = FirstSpikes::new(network.node_count());
            for spike in spikes.iter() {
                record.spike(spike.node, spike.time);
            }
            samples.push((spikes[0].sample, record));
        }
        if samples.is_empty() {
            return Err(LearnError::NoSpikes { path: source.path.clone() });
        }
        Ok(Recorded { samples })
    }
}

/// Checks that the spikes of one sample, sorted by node, are unique, and that all of its inputs are
/// there at their times.
fn check_sample(
    spikes: &[NodeSpike],
    network: &CompiledNetwork,
    set: &EncodedSet,
    tolerance: f64,
) -> Result<(), (u64, Misfit)> {
    let sample = spikes[0].sample;
    let name = |node| nodes::name(node, network.populations());
    let begin = spikes.iter().map(|spike| spike.line).min().unwrap_or(1);
    if let Some(pair) = spikes.windows(2).find(|pair| pair[0].node == pair[1].node) {
        let (neuron, first_line) = (name(pair[0].node), pair[0].line);
        return Err((pair[1].line, Misfit::SecondSpike { neuron, sample, first_line }));
    }
    let find = |node: usize| spikes.binary_search_by_key(&node, |spike| spike.node).ok();
    let mut expected = Vec::new();
    set.stimulus(sample, Presentation::Plain, &mut EncodingScratch::default(), &mut expected);
    for input in expected.iter().filter(|input| input.time.is_finite()) {
        let source = input.source as usize;
        let Some(found) = find(source) else {
            return Err((begin, Misfit::MissingInput { input: name(source), sample }));
        };
        let NodeSpike { time: found, line, .. } = spikes[found];
        let expected = input.time;
        if (found - expected).abs() > tolerance {
            let input = name(source);
            return Err((line, Misfit::InputTime { input, sample, found, expected }));
        }
    }
    Ok(())
}
