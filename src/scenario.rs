//! The scenario file: everything a run is told, with defaults, units and checks.
//!
//! A scenario is a TOML file. [`load`] reads it, applies overrides from the command line, checks
//! every value and fills in every default; what comes out is a complete [`Scenario`] that can be
//! written down again ([`Scenario::to_toml`]) and builds the parts of a run: network, stimuli, data
//! sets, training settings. Every number that is a time is in the scenario's `time_unit`.
//!
//! There are two kinds. With `[[layers]]` and a `[dataset]` it is a feed-forward network of first
//! spikes that is trained and evaluated; with `[[populations]]` and a `[simulation]` it is any
//! network, simulated.

mod build;
mod build_dataset;
mod build_simulation;
mod chip;
mod dataset;
mod delays;
mod load;
mod locate;
mod network;
mod neuron;
mod parameter;
mod recording;
mod spike_training;
mod training;
mod validate;
mod validate_dataset;
mod validate_simulation;
mod values;

use serde::{Deserialize, Serialize};

pub use build::Learner;
pub use build_dataset::DataSets;
pub use build_simulation::Simulation;
pub use chip::{ChipSpec, ExchangeSpec, Hardware, SubstrateSpec};
pub use dataset::{
    DatasetSpec, EncodingSpec, FileSpec, MnistSpec, SubsetSpec, TableSpec, ValidationSpec,
    YinYangSpec,
};
pub use delays::{DelaySpec, DelayValues, TrainableDelaySpec};
pub(crate) use load::explain;
pub use load::{LoadedScenario, ScenarioError, load};
pub(crate) use locate::line_of;
pub use network::{
    ConnectSpec, EdgeSpec, EngineSpec, LayerSpec, LayeredEngineSpec, PopulationSpec, PrecisionSpec,
    ProjectionSpec, ReceptorSpec, SimulationSpec, SourceSpec,
};
pub use neuron::NeuronSpec;
pub use parameter::ParameterSpec;
pub use recording::{PotentialRecording, PotentialSpec, Recording, RecordingSpec};
pub use spike_training::{BoundsSpec, SpikeTrainingSpec, TargetSpec, TrainableSpec};
pub use training::{
    AdamSpec, AugmentationSpec, LossSpec, OptimiserSpec, RemedySpec, ScheduleSpec, SelectSpec,
    TrainingSpec,
};
pub(crate) use validate::LARGEST_SIZE;
pub use values::ValueSpec;

/// A complete description of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// Name of the run and of its output folder; by default the file's name without its ending.
    #[serde(default)]
    pub name: String,
    /// The unit of every time in the scenario and its outputs.
    #[serde(default)]
    pub time_unit: TimeUnit,
    /// Seed of everything random but the data sets, which have seeds of their own.
    #[serde(default = "default_seed")]
    pub seed: u64,
    /// What runs a network of layers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub engine: Option<LayeredEngineSpec>,
    /// In what precision the feed-forward engine computes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub precision: Option<PrecisionSpec>,
    /// Parameters of all neurons, unless their layer or population says otherwise.
    #[serde(default)]
    pub neuron: NeuronSpec,
    /// Samples to learn from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dataset: Option<DatasetSpec>,
    /// How features become spike times.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encoding: Option<EncodingSpec>,
    /// A feed-forward network, layer by layer; the last is the label layer.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub layers: Vec<LayerSpec>,
    /// How the layers are trained; without it they are only evaluated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub training: Option<TrainingSpec>,
    /// The chip that the layers are put on. Default: ideal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chip: Option<ChipSpec>,
    /// A program that runs the layers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub substrate: Option<SubstrateSpec>,
    /// A network of any topology.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub populations: Vec<PopulationSpec>,
    /// Its synapses.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub projections: Vec<ProjectionSpec>,
    /// How it is simulated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub simulation: Option<SimulationSpec>,
    /// How it is trained to emit given spike trains.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spike_training: Option<SpikeTrainingSpec>,
    /// What is recorded of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recording: Option<RecordingSpec>,
}

fn default_seed() -> u64 {
    1
}

impl Scenario {
    /// Whether this is a network of populations to simulate, not layers to train.
    pub fn is_simulation(&self) -> bool {
        !self.populations.is_empty()
    }

    /// The files that the scenario names.
    fn files_mut(&mut self) -> Vec<&mut std::path::PathBuf> {
        let mut files = Vec::new();
        let mut tables = Vec::new();
        let mut neurons = vec![&mut self.neuron];
        for layer in &mut self.layers {
            neurons.push(&mut layer.neuron);
            tables.push(&mut layer.weights);
            files.extend(layer.delays.as_mut().and_then(DelaySpec::file_mut));
        }
        for population in &mut self.populations {
            neurons.push(&mut population.neuron);
            if let Some(SourceSpec::File(file)) = &mut population.source {
                files.push(file);
            }
        }
        for projection in &mut self.projections {
            tables.extend(&mut projection.weights);
            tables.extend(&mut projection.delays);
            if let ConnectSpec::File(file) = &mut projection.connect {
                files.push(file);
            }
        }
        files.extend(self.dataset.iter_mut().flat_map(DatasetSpec::files_mut));
        files.extend(tables.into_iter().filter_map(ValueSpec::file_mut));
        for (_, parameter) in neurons.into_iter().flat_map(NeuronSpec::entries_mut) {
            files.extend(parameter.as_mut().and_then(|parameter| parameter.0.file_mut()));
        }
        if let Some(SpikeTrainingSpec { targets: TargetSpec::File(file), .. }) =
            &mut self.spike_training
        {
            files.push(file);
        }
        files
    }

    /// The scenario as a TOML file, with every default filled in.
    pub fn to_toml(&self) -> String {
        toml::to_string(self).unwrap_or_else(|error| format!("# cannot be written: {error}\n"))
    }
}

/// The unit of all times in a scenario and its outputs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TimeUnit {
    /// The synaptic time constant.
    #[default]
    TauS,
    /// Seconds.
    S,
    /// Milliseconds.
    Ms,
    /// Microseconds.
    Us,
    /// Nanoseconds.
    Ns,
}

impl TimeUnit {
    /// Name in column headings: `time_us`.
    pub fn suffix(self) -> &'static str {
        match self {
            TimeUnit::TauS => "tau_s",
            TimeUnit::S => "s",
            TimeUnit::Ms => "ms",
            TimeUnit::Us => "us",
            TimeUnit::Ns => "ns",
        }
    }

    /// In seconds; none for the synaptic time constant, which has no physical unit.
    pub fn seconds(self) -> Option<f64> {
        match self {
            TimeUnit::TauS => None,
            TimeUnit::S => Some(1.0),
            TimeUnit::Ms => Some(1e-3),
            TimeUnit::Us => Some(1e-6),
            TimeUnit::Ns => Some(1e-9),
        }
    }

    /// Symbol on axes and in text.
    pub fn symbol(self) -> &'static str {
        match self {
            TimeUnit::TauS => "τ_s",
            TimeUnit::Us => "µs",
            other => other.suffix(),
        }
    }
}
