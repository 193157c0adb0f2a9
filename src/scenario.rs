//! The scenario file: everything a run is told, with defaults, units and checks.
//!
//! A scenario is a TOML file. [`load`] reads it, applies overrides from the command line, checks
//! every value and fills in every default; what comes out is a complete [`Scenario`] that can be
//! written down again ([`Scenario::to_toml`]) and builds the parts of a run: network, stimuli, data
//! sets, training settings. Every number that is a time is in the scenario's `time_unit`.
//!
//! A relative path begins at the folder of the file in which it stands, be that a scenario, a chip file
//! or a study; one from the command line begins at the working directory ([`Override`]).
//!
//! What is here is the structure of the file. What stands in it are the settings of the parts
//! themselves, such as [`Loss`](crate::learning::Loss) or [`Datasheet`], which read and check
//! themselves ([`Settings`](crate::settings::Settings)).
//!
//! There are two kinds. With `[[layers]]` and a `[dataset]` it is a feed-forward network of first
//! spikes that is trained and evaluated; with `[[populations]]` and a `[simulation]` it is any
//! network, simulated.

mod build;
mod build_simulation;
mod chip;
mod chip_file;
mod defaults;
mod delays;
mod doubts;
mod draft;
mod explain;
mod extent;
mod facts;
mod load;
mod locate;
mod network;
mod neuron;
mod overrides;
mod parameter;
mod recording;
mod shorthand;
mod spike_file;
mod spike_training;
mod start;
mod training;
mod validate;
mod values;
mod variants;

use std::collections::BTreeSet;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::chip::Datasheet;
use crate::dataset::{DataSource, LatencyEncoding};
use crate::learning::LearningEngine;
use crate::settings::TimeUnit;

pub use build::Learner;
pub use build_simulation::Simulation;
pub use chip::{Hardware, SubstrateExchange, SubstrateSection};
pub use delays::{DelaySection, DelayValues};
pub use draft::Draft;
pub(crate) use explain::explain;
pub use load::{LoadedScenario, Place, ScenarioError, ScenarioFile, ScenarioProblem, load};
pub(crate) use locate::line_of;
pub use network::{
    Connect, Edge, LayerSection, PopulationSection, Precision, ProjectionSection, SimulationEngine,
    SimulationSection, Source,
};
pub use neuron::GroupParameters;
pub use overrides::Override;
pub use parameter::Parameter;
pub use recording::{PotentialRecording, PotentialSection, Recording, RecordingSection};
pub use spike_file::SpikeFile;
pub use spike_training::{SpikeTrainingSection, TargetTrains};
pub use training::{Optimiser, Select, TrainingSection};
pub use values::Values;

/// A complete description of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// Name of the run and of its output folder. Default: the file's name without its ending.
    #[serde(default)]
    pub name: String,
    /// The unit of every time in the scenario and its outputs.
    #[serde(default)]
    pub time_unit: TimeUnit,
    /// Seed of everything random but the data sets, which have seeds of their own. From 0.
    #[serde(default = "default_seed")]
    pub seed: u64,
    /// A trained network to start from: the folder of its run, or its `network.json`. Layers of the same name
    /// without weights of their own take over its weights, delays and bias times; the data are scaled as its were,
    /// and encoded alike if there is no `encoding`. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_from: Option<PathBuf>,
    /// What runs a network of layers. Default: `auto`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub engine: Option<LearningEngine>,
    /// The precision in which the feed-forward engine computes. Default: `double`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub precision: Option<Precision>,
    /// Parameters of all neurons, unless their layer or population says otherwise. Default: `tau_s` of 1, `tau_m` and
    /// capacitance of `tau_s`, threshold of 1, leak and reset potential of 0, no refractory period.
    #[serde(default)]
    pub neuron: GroupParameters,
    /// Samples to learn from. Default: none; needed with `layers`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dataset: Option<DataSource>,
    /// How features become spike times. An encoding that is written down, with whatever values, leaves
    /// `training.augmentation.time_noise` at none; if it is left out, the noise is `"auto"`. Default: `earliest` is
    /// 0.15 `tau_s`, `latest` 1.5 `tau_s`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encoding: Option<LatencyEncoding>,
    /// A feed-forward network, layer by layer; the last is the label layer. Default: none; either these or
    /// `populations`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub layers: Vec<LayerSection>,
    /// How the layers are trained; without it they are only evaluated. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub training: Option<TrainingSection>,
    /// The chip that the layers are put on: `chip = "file.toml"`, or a table of the same entries, with
    /// `base = "file.toml"` for those that it does not give. Default: ideal.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "chip::file_or_table"
    )]
    #[cfg_attr(feature = "schema", schemars(schema_with = "chip::file_or_table_schema"))]
    pub chip: Option<Datasheet>,
    /// A program that runs the layers. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub substrate: Option<SubstrateSection>,
    /// A network of any topology. Default: none; either these or `layers`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub populations: Vec<PopulationSection>,
    /// Its synapses. Default: none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub projections: Vec<ProjectionSection>,
    /// How it is simulated. Default: none; needed with `populations`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub simulation: Option<SimulationSection>,
    /// How it is trained to emit given spike trains. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spike_training: Option<SpikeTrainingSection>,
    /// What is recorded of it. Default: all spikes, no potentials.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recording: Option<RecordingSection>,
}

fn default_seed() -> u64 {
    1
}

impl Scenario {
    /// Whether this is a network of populations to simulate, not layers to train.
    pub fn is_simulation(&self) -> bool {
        !self.populations.is_empty()
    }

    /// The files that the scenario names, with their keys.
    fn files_mut(&mut self) -> Vec<(String, &mut PathBuf)> {
        let mut files = Vec::new();
        files.extend(self.start_from.iter_mut().map(|file| ("start_from".to_owned(), file)));
        let mut neurons = vec![("neuron".to_owned(), &mut self.neuron)];
        for (index, layer) in self.layers.iter_mut().enumerate() {
            let key = |part: &str| format!("layers.{index}.{part}");
            neurons.push((key("neuron"), &mut layer.neuron));
            let weights = layer.weights.as_mut().and_then(Values::file_mut);
            files.extend(weights.map(|file| (key("weights.file"), file)));
            let delays = layer.delays.as_mut().and_then(DelaySection::file_mut);
            files.extend(delays.map(|file| (key("delays"), file)));
        }
        for (index, population) in self.populations.iter_mut().enumerate() {
            let key = |part: &str| format!("populations.{index}.{part}");
            neurons.push((key("neuron"), &mut population.neuron));
            if let Some(Source::File(file)) = &mut population.source {
                files.push((key("source.file"), &mut file.path));
            }
        }
        for (index, projection) in self.projections.iter_mut().enumerate() {
            let key = |part: &str| format!("projections.{index}.{part}");
            let weights = projection.weights.as_mut().and_then(Values::file_mut);
            files.extend(weights.map(|file| (key("weights.file"), file)));
            let delays = projection.delays.as_mut().and_then(Values::file_mut);
            files.extend(delays.map(|file| (key("delays.file"), file)));
            if let Connect::File(file) = &mut projection.connect {
                files.push((key("connect.file"), &mut file.path));
                let types = file.edge_types.as_mut();
                files.extend(types.map(|file| (key("connect.file.edge_types"), file)));
            }
        }
        let data = self.dataset.iter_mut().flat_map(DataSource::files_mut);
        files.extend(data.map(|(key, file)| (format!("dataset.{key}"), file)));
        for (key, parameters) in neurons {
            for (name, parameter) in GroupParameters::NAMES.into_iter().zip(parameters.each_mut()) {
                let file = parameter.as_mut().and_then(|parameter| parameter.0.file_mut());
                files.extend(file.map(|file| (format!("{key}.{name}.file"), file)));
            }
        }
        if let Some(SpikeTrainingSection { targets: TargetTrains::File(file), .. }) =
            &mut self.spike_training
        {
            files.push(("spike_training.targets.file".to_owned(), &mut file.path));
        }
        if let Some(SubstrateSection { folder: Some(folder), .. }) = &mut self.substrate {
            files.push(("substrate.folder".to_owned(), folder));
        }
        files
    }

    /// Every file that the scenario is made of beside its own: those that it names, and those of its
    /// data set. The entries of a chip file are part of the scenario; the program of a substrate is no
    /// input.
    pub fn files(&self) -> BTreeSet<PathBuf> {
        let mut rest = self.clone();
        rest.substrate = None;
        let dataset = rest.dataset.take();
        let mut files: BTreeSet<PathBuf> =
            rest.files_mut().into_iter().map(|(_, file)| file.clone()).collect();
        files.extend(dataset.iter().flat_map(DataSource::files));
        files.extend(self.chip.iter().filter_map(|chip| chip.neurons.measured.clone()));
        files
    }

    /// The scenario as a TOML file, with every default filled in.
    pub fn to_toml(&self) -> String {
        toml::to_string(self).unwrap_or_else(|error| format!("# cannot be written: {error}\n"))
    }
}
