//! From a feed-forward scenario to the parts of a training run.

use std::ops::Range;

use super::extent::{MOST_SYNAPSES, short};
use super::load::LoadedScenario;
use super::start::Start;
use super::{ScenarioError, Select, Values};
use crate::dataset::table::list;
use crate::dataset::{Augmentation, DataSets, Dataset, Encoding, Features};
use crate::engine::SourceSpike;
use crate::learning::{Drive, EncodedSet, Inference, TrainingSettings, time_range};
use crate::network::{LARGEST_SIZE, Layer, LayeredNetwork, layered};
use crate::random;
use crate::settings::Problem;

/// Everything that a training or evaluation run needs.
pub struct Learner {
    /// The network with its initial weights.
    pub network: LayeredNetwork,
    /// Per layer: the distribution of its initial weights, where it was derived (`weights = "auto"`).
    pub derived_weights: Vec<Option<Values>>,
    /// Names of the layers.
    pub layer_names: Vec<String>,
    /// The data.
    pub data: DataSets,
    /// How features become spike times.
    pub encoding: Encoding,
    /// How samples are varied whenever training shows them.
    pub augmentation: Option<Augmentation>,
    /// Bias spikes that come with every sample.
    pub bias: Vec<SourceSpike>,
    /// How to train; no epochs if the scenario only evaluates.
    pub settings: TrainingSettings,
    /// Which epoch's weights to keep.
    pub select: Select,
}

impl Learner {
    /// Encodes a data set for the network's sources.
    pub fn encode(&self, dataset: &Dataset) -> EncodedSet {
        let populations = self.network.network.populations();
        let first_input = populations[self.network.input.0].nodes.start;
        EncodedSet::new(dataset, self.encoding, first_input, &self.bias)
    }

    /// Encodes the training set, which is varied whenever training shows it.
    pub fn encode_training(&self) -> EncodedSet {
        let training = &self.data.training;
        let set = self.encode(training);
        match self.augmentation {
            Some(varied) => set.augmented(varied.for_training_set(training, self.encoding)),
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

    /// What the network needs beside itself to be used.
    pub fn inference(&self) -> Inference {
        let populations = self.network.network.populations();
        let times = |bias: &Option<crate::network::PopulationId>| {
            let nodes = bias.map_or(0..0, |id| populations[id.0].nodes.clone());
            let own = self.bias.iter().filter(|spike| nodes.contains(&(spike.source as usize)));
            own.map(|spike| spike.time).collect()
        };
        let DataSets { training, class_names, feature_names, scaling, complement, .. } = &self.data;
        Inference {
            feature_count: training.feature_count / (1 + usize::from(*complement)),
            complement: *complement,
            feature_names: feature_names.clone(),
            image: training.image,
            byte_divisor: match training.features {
                Features::Bytes { divisor, .. } => Some(divisor),
                Features::Real(_) => None,
            },
            scaling: scaling.clone(),
            encoding: self.encoding,
            bias_times: self.network.bias.iter().map(times).collect(),
            delays: self.network.delays.clone(),
            class_names: class_names.clone(),
            loss: self.settings.loss,
            input_span: self.settings.input_span,
            batch_size: self.settings.batch_size,
        }
    }

    /// Rows of the first layer that spike at the same time in every sample: the copies of each feature, and
    /// bias sources of one time.
    pub fn synchronous_inputs(&self) -> Vec<Range<u32>> {
        let populations = self.network.network.populations();
        let inputs = populations[self.network.input.0].nodes.len();
        let copies = self.encoding.copies();
        let of_feature = |first: usize| first as u32..(first + copies) as u32;
        let mut rows: Vec<Range<u32>> = (0..inputs).step_by(copies).map(of_feature).collect();
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
        let start = self.start()?;
        let (data, encoding) = self.data_sets(start.as_ref())?;
        let (copies, features) = (encoding.copies(), data.training.feature_count);
        let inputs = copies.saturating_mul(features);
        if inputs > LARGEST_SIZE {
            let message = format!(
                "{copies} copies of {features} features are {} inputs: at most {LARGEST_SIZE}",
                short(copies as f64 * features as f64)
            );
            return Err(self.problem("encoding.copies", message));
        }
        let (network, derived_weights) =
            self.layered_network(inputs, (&data.training, encoding), start.as_ref())?;
        Ok(Learner { derived_weights, ..self.learner_of(network, data, encoding) })
    }

    /// The parts of a run of this scenario with a network of its layers that is there already.
    pub fn learner_of(
        &self,
        network: LayeredNetwork,
        data: DataSets,
        encoding: Encoding,
    ) -> Learner {
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
        let mut learner = Learner {
            settings: self.scenario.training_settings(&network, data.training.len()),
            network,
            derived_weights: Vec::new(),
            layer_names: self.scenario.layers.iter().map(|layer| layer.name.clone()).collect(),
            data,
            encoding,
            augmentation: self.scenario.augmentation(),
            bias,
            select: self.scenario.training.as_ref().map_or(Select::Last, |known| known.select),
        };
        learner.settings.input_span = learner.input_span();
        learner
    }

    /// The data sets of the scenario.
    ///
    /// # Errors
    /// If a file cannot be read or does not fit.
    pub fn own_data(&self) -> Result<DataSets, ScenarioError> {
        let (data, _) = self.data_sets(self.start()?.as_ref())?;
        Ok(data)
    }

    /// The data sets, and how their features become spike times. What is known of them from the network to start
    /// from is not found anew.
    fn data_sets(&self, start: Option<&Start>) -> Result<(DataSets, Encoding), ScenarioError> {
        let Some(source) = &self.scenario.dataset else {
            return Err(self.problem("dataset", "[[layers]] need a data set"));
        };
        let encoding = match self.scenario.encoding {
            _ if source.has_spike_times() => Encoding::SpikeTimes,
            Some(encoding) => Encoding::Latency(encoding),
            None => return Err(self.problem("encoding", "a data set needs an [encoding]")),
        };
        let data = source
            .load(start.map(Start::known).as_ref())
            .map_err(|Problem { key, message }| self.problem(&format!("dataset.{key}"), message))?;
        let classes = data.class_names.len();
        let labels = self.scenario.layers.last().map_or(0, |layer| layer.size);
        if classes != labels {
            let message = format!(
                "{labels} label neurons, but the data set has {classes} classes ({})",
                list(&data.class_names)
            );
            let key = format!("layers.{}.size", self.scenario.layers.len().saturating_sub(1));
            return Err(self.problem(&key, message));
        }
        Ok((data, encoding))
    }

    fn layered_network(
        &self,
        inputs: usize,
        (training, encoding): (&Dataset, Encoding),
        start: Option<&Start>,
    ) -> Result<(LayeredNetwork, Vec<Option<Values>>), ScenarioError> {
        let mut rows = inputs;
        let mut derived = vec![None; self.scenario.layers.len()];
        let mut layers = Vec::new();
        let is_automatic = |values: &Option<Values>| matches!(values, Some(Values::Auto));
        let automatic = self.scenario.layers.iter().rposition(|layer| is_automatic(&layer.weights));
        let mut drive = automatic.map(|_| Drive::of_features(training, encoding));
        for (index, layer) in self.scenario.layers.iter().enumerate() {
            let key = format!("layers.{index}");
            let sources = rows + layer.bias_times.len();
            let synapses = sources as f64 * layer.size as f64;
            if synapses > MOST_SYNAPSES {
                let (count, most) = (short(synapses), short(MOST_SYNAPSES));
                let message =
                    format!("{count} synapses, at most {most}: {sources} × {} neurons", layer.size);
                return Err(self.problem(&format!("{key}.size"), message));
            }
            let stream = |purpose| random::stream(self.scenario.seed, purpose, index as u64);
            let refuse = |part, message: String| self.problem(&format!("{key}.{part}"), message);
            let neurons = self.neurons(&key, &layer.name, &layer.neuron, layer.size, index)?;
            let mut values = layer.weights.clone();
            if automatic.is_some_and(|last| index <= last)
                && let Some(drive) = &mut drive
            {
                drive.add_bias(&layer.bias_times);
                let is_label = index + 1 == self.scenario.layers.len();
                let found = drive
                    .weights(&neurons, is_label)
                    .map_err(|message| refuse("weights", format!("auto: {message}")))?;
                drive.pass(&neurons, found);
                if is_automatic(&layer.weights) {
                    values = Some(Values::Normal { mean: found.mean, std: found.std });
                    derived[index].clone_from(&values);
                }
            }
            let (weights, delays) = match (&values, start) {
                (None, Some(start)) => start
                    .layer(&layer.name, (sources, layer.size))
                    .map_err(|message| refuse("size", message))?,
                (values, _) => {
                    let values = values.as_ref().unwrap_or(&Values::Auto);
                    let weights = values
                        .table(sources, layer.size, self.folder(), &mut stream("initial weights"))
                        .map_err(|error| refuse("weights", error.to_string()))?;
                    (weights, None)
                }
            };
            let own_delays = layer.delays.as_ref().map(|delays| {
                delays
                    .delays((sources, layer.size), self.folder(), &mut stream("initial delays"))
                    .map_err(|message| refuse("delays", message))
            });
            layers.push(Layer {
                name: layer.name.clone(),
                neurons,
                bias_sources: layer.bias_times.len(),
                weights,
                delays: own_delays.transpose()?.or(delays),
            });
            rows = layer.size;
        }
        let network = layered(inputs, &layers).map_err(|error| self.problem("layers", error))?;
        Ok((network, derived))
    }
}
