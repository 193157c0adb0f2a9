//! From a feed-forward scenario to the parts of a training run.

use std::ops::Range;

use super::load::{LoadedScenario, Problem};
use super::{
    DataSets, LayeredEngineSpec, LossSpec, OptimiserSpec, PrecisionSpec, RemedySpec, Scenario,
    ScenarioError, ScheduleSpec, SelectSpec,
};
use crate::dataset::{Augmentation, Dataset, Encoding};
use crate::engine::SourceSpike;
use crate::learning::{
    AdamSettings, EncodedSet, LearningEngine, Loss, Schedule, SilentNeurons, TrainingSettings,
    time_range,
};
use crate::network::{Layer, LayeredNetwork, layered};
use crate::random;

/// Everything that a training or evaluation run needs.
pub struct Learner {
    /// The network with its initial weights.
    pub network: LayeredNetwork,
    /// Names of the layers.
    pub layer_names: Vec<String>,
    /// The data.
    pub data: DataSets,
    /// How features become spike times.
    pub encoding: Encoding,
    /// How many sources each feature drives.
    pub copies: usize,
    /// How samples are varied whenever training shows them.
    pub augmentation: Option<Augmentation>,
    /// Bias spikes that come with every sample.
    pub bias: Vec<SourceSpike>,
    /// How to train; no epochs if the scenario only evaluates.
    pub settings: TrainingSettings,
    /// Which epoch's weights to keep.
    pub select: SelectSpec,
}

impl Learner {
    /// Encodes a data set for the network's sources.
    pub fn encode(&self, dataset: &Dataset) -> EncodedSet {
        let populations = self.network.network.populations();
        let first_input = populations[self.network.input.0].nodes.start;
        let set =
            EncodedSet::new(dataset, self.encoding, first_input, &self.bias).copied(self.copies);
        match self.augmentation {
            Some(augmentation) => set.augmented(augmentation),
            None => set,
        }
    }

    /// Longest time between two spikes that reach a layer in one sample, in time units.
    fn input_span(&self) -> f64 {
        let data = &self.data;
        let sets = [&data.training, &data.validation, &data.test];
        let ranges = sets.map(|set| time_range(set, self.encoding));
        let delays = self.network.layer_delays();
        let delays = delays.iter().flatten().flat_map(|delays| &delays.values);
        ranges.into_iter().fold(0.0, f64::max)
            + self.bias.iter().fold(0.0, |latest, spike| spike.time.max(latest))
            + delays.fold(0.0, |longest, &delay| delay.max(longest))
    }

    /// Rows of the first layer that spike at the same time in every sample: the copies of each feature, and
    /// bias sources of one time.
    pub fn together(&self) -> Vec<Range<u32>> {
        let populations = self.network.network.populations();
        let inputs = populations[self.network.input.0].nodes.len();
        let copies = |first: usize| first as u32..(first + self.copies) as u32;
        let mut rows: Vec<Range<u32>> = (0..inputs).step_by(self.copies).map(copies).collect();
        let bias = self.network.bias[0].map_or(0..0, |id| populations[id.0].nodes.clone());
        let spikes: Vec<&SourceSpike> =
            self.bias.iter().filter(|spike| bias.contains(&(spike.source as usize))).collect();
        for group in spikes.chunk_by(|a, b| a.time == b.time && a.source + 1 == b.source) {
            let first = (inputs + group[0].source as usize - bias.start) as u32;
            rows.push(first..first + group.len() as u32);
        }
        rows
    }
}

impl LoadedScenario {
    /// Builds network, data sets and training settings of a feed-forward scenario.
    ///
    /// # Errors
    /// If a file that the scenario names cannot be read or does not fit.
    pub fn learner(&self) -> Result<Learner, ScenarioError> {
        let (data, encoding) = self.data_sets()?;
        let copies = self.scenario.encoding.map_or(1, |encoding| encoding.copies);
        let network = self.layered_network(copies * data.training.feature_count)?;
        let populations = network.network.populations();
        let mut bias = Vec::new();
        for (layer, sources) in self.scenario.layers.iter().zip(&network.bias) {
            let Some(sources) = sources else { continue };
            let nodes = populations[sources.0].nodes.clone();
            bias.extend(
                nodes
                    .zip(&layer.bias_times)
                    .map(|(node, &time)| SourceSpike { time, source: node as u32 }),
            );
        }
        let (settings, select) = training_settings(&self.scenario);
        let mut learner = Learner {
            network,
            layer_names: self.scenario.layers.iter().map(|layer| layer.name.clone()).collect(),
            data,
            encoding,
            copies,
            augmentation: self.augmentation(),
            bias,
            settings,
            select,
        };
        learner.settings.input_span = learner.input_span();
        Ok(learner)
    }

    fn augmentation(&self) -> Option<Augmentation> {
        let spec = self.scenario.training.as_ref()?.augmentation?;
        Some(Augmentation {
            time_noise: spec.time_noise,
            dropout: spec.dropout,
            shift: spec.shift,
            rotation: spec.rotation,
            scale: spec.scale,
            seed: self.scenario.seed,
        })
    }

    fn layered_network(&self, inputs: usize) -> Result<LayeredNetwork, ScenarioError> {
        let mut rows = inputs;
        let mut layers = Vec::new();
        for (index, spec) in self.scenario.layers.iter().enumerate() {
            let key = format!("layers.{index}");
            let sources = rows + spec.bias_times.len();
            let stream = |purpose| random::stream(self.scenario.seed, purpose, index as u64);
            let refuse = |part, message: String| self.problem(&format!("{key}.{part}"), &message);
            let weights = spec
                .weights
                .table(sources, spec.size, self.folder(), &mut stream("initial weights"))
                .map_err(|message| refuse("weights", message))?;
            let delays = spec.delays.as_ref().map(|delays| {
                delays
                    .delays((sources, spec.size), self.folder(), &mut stream("initial delays"))
                    .map_err(|message| refuse("delays", message))
            });
            layers.push(Layer {
                name: spec.name.clone(),
                neurons: self.neurons(&key, &spec.name, &spec.neuron, spec.size, index)?,
                bias_sources: spec.bias_times.len(),
                weights,
                delays: delays.transpose()?,
            });
            rows = spec.size;
        }
        layered(inputs, &layers).map_err(|error| self.problem("layers", &error.to_string()))
    }

    pub(crate) fn problem(&self, key: &str, message: &str) -> ScenarioError {
        self.invalid(&[Problem { key: key.to_owned(), message: message.to_owned() }])
    }
}

impl Scenario {
    /// What a feed-forward network's spikes are judged by, training or not.
    pub fn loss(&self) -> Loss {
        training_settings(self).0.loss
    }
}

impl From<&OptimiserSpec> for AdamSettings {
    fn from(spec: &OptimiserSpec) -> Self {
        let OptimiserSpec::Adam(adam) = spec;
        AdamSettings {
            learning_rate: adam.learning_rate,
            beta1: adam.beta1,
            beta2: adam.beta2,
            ..AdamSettings::default()
        }
    }
}

impl From<&ScheduleSpec> for Schedule {
    fn from(spec: &ScheduleSpec) -> Self {
        match *spec {
            ScheduleSpec::Constant => Schedule::Constant,
            ScheduleSpec::Step { every, factor } => Schedule::Step { every, factor },
            ScheduleSpec::Cosine => Schedule::Cosine,
        }
    }
}

fn learning_engine(scenario: &Scenario) -> LearningEngine {
    match (scenario.engine.unwrap_or_default(), scenario.precision.unwrap_or_default()) {
        (LayeredEngineSpec::Auto, _) => LearningEngine::Auto,
        (LayeredEngineSpec::Event, _) => LearningEngine::Event,
        (LayeredEngineSpec::FeedForward, PrecisionSpec::Double) => LearningEngine::FeedForward,
        (LayeredEngineSpec::FeedForward, PrecisionSpec::Single) => {
            LearningEngine::FeedForwardSingle
        }
    }
}

/// The settings of training; with zero epochs for a scenario that does not train.
fn training_settings(scenario: &Scenario) -> (TrainingSettings, SelectSpec) {
    let (seed, engine) = (scenario.seed, learning_engine(scenario));
    let delays = scenario.layers.iter().map(|layer| {
        let trainable = layer.delays.as_ref()?.trainable?;
        Some(trainable.training())
    });
    let delays = delays.collect();
    let Some(spec) = &scenario.training else {
        let settings = TrainingSettings {
            epochs: 0,
            batch_size: 1,
            loss: Loss::ShiftInvariantMeanSquaredError { margin: 0.0 },
            adam: AdamSettings::default(),
            schedule: Schedule::Constant,
            gradient_guard: None,
            silent_neurons: SilentNeurons::Ignore,
            delays,
            seed,
            engine,
            input_span: 0.0,
        };
        return (settings, SelectSpec::Last);
    };
    let settings = TrainingSettings {
        epochs: spec.epochs,
        batch_size: spec.batch_size,
        loss: match spec.loss {
            LossSpec::FirstSpikeCrossEntropy { scale, early_weight, early_scale } => {
                Loss::FirstSpikeCrossEntropy { scale, early_weight, early_scale }
            }
            LossSpec::MeanSquaredError { correct, wrong } => {
                Loss::MeanSquaredError { correct, wrong }
            }
            LossSpec::ShiftInvariantMeanSquaredError { margin } => {
                Loss::ShiftInvariantMeanSquaredError { margin }
            }
        },
        adam: AdamSettings::from(&spec.optimiser),
        schedule: Schedule::from(&spec.schedule),
        gradient_guard: spec.gradient_guard.is_finite().then_some(spec.gradient_guard),
        silent_neurons: match &spec.silent_neurons {
            RemedySpec::Ignore => SilentNeurons::Ignore,
            RemedySpec::Bump { allowed, amount } => {
                SilentNeurons::Bump { allowed: allowed.clone(), amount: *amount }
            }
            RemedySpec::Nudge { allowed, amount } => {
                SilentNeurons::Nudge { allowed: allowed.clone(), amount: *amount }
            }
        },
        delays,
        seed,
        engine,
        input_span: 0.0,
    };
    (settings, spec.select)
}
