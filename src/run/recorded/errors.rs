//! What can be wrong with a recorded run, and with what is asked of it.

use std::path::PathBuf;

use crate::run::network_file::NetworkFileError;
use crate::run::trace_spikes::{ReadError, TraceMisfit};
use crate::scenario::ScenarioError;
use crate::trace::TraceError;

/// A recorded run that cannot be opened, or lacks what was asked for.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecordedError {
    /// The folder lacks a file of a run.
    #[error(
        "{} has no {file}: it must be a folder that `firstspike run` wrote, complete",
        folder.display()
    )]
    Missing {
        /// The folder.
        folder: PathBuf,
        /// Name of the file.
        file: &'static str,
    },
    /// Its scenario cannot be used.
    #[error(transparent)]
    Scenario(#[from] ScenarioError),
    /// Its network cannot be read.
    #[error(transparent)]
    Network(#[from] NetworkFileError),
    /// Its spikes cannot be read.
    #[error(transparent)]
    Trace(#[from] TraceError),
    /// Its spikes are not those of its network.
    #[error(transparent)]
    Misfit(#[from] TraceMisfit),
    /// One of its files is not of this run, or damaged.
    #[error("{}: {error}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        error: RunFileError,
    },
    /// The chip cannot be set up again without the data set.
    #[error("{0}\nThe neurons of a run on a chip need its data set.")]
    Chip(ScenarioError),
    /// It has no such sample.
    #[error("{}", match count {
        0 => "spikes.csv has no spikes, and so no samples".to_owned(),
        1 => format!("there is no sample {sample}: there is only sample 0"),
        _ => format!("there is no sample {sample}: it must be from 0 to {}", count - 1),
    })]
    NoSample {
        /// The sample that was asked for.
        sample: u32,
        /// How many there are.
        count: usize,
    },
    /// It has no such population.
    #[error(
        "there is no population `{name}`; there are {known}{}",
        nearest.as_ref().map_or_else(String::new, |name| format!(". Did you mean `{name}`?"))
    )]
    NoPopulation {
        /// The name that was asked for.
        name: String,
        /// The names of those that there are.
        known: String,
        /// The one that is most like it, if one is.
        nearest: Option<String>,
    },
    /// A population has no such neuron.
    #[error("{population}:{neuron} does not exist: the neuron must be from 0 to {last}")]
    NoNeuron {
        /// The population.
        population: String,
        /// The neuron that was asked for.
        neuron: u32,
        /// Its last neuron.
        last: usize,
    },
    /// Spike sources have no potential.
    #[error("`{population}` is a population of spike sources, which have no potential")]
    Source {
        /// The population.
        population: String,
    },
    /// A window that is none.
    #[error("the window {from} to {to} must begin at 0 or later, and end after that")]
    Window {
        /// Its begin.
        from: f64,
        /// Its end.
        to: f64,
    },
    /// A window that ends after the run.
    #[error("the window {from} to {to} must end by {end}, as the run did")]
    LateWindow {
        /// Its begin.
        from: f64,
        /// Its end.
        to: f64,
        /// The run's end.
        end: f64,
    },
    /// Spikes that a potential depends on were not recorded.
    #[error(
        "the potential of {population}:{neuron} depends on the spikes of `{unrecorded}`, which were not \
         recorded: add it to recording.spikes in the scenario and run it again"
    )]
    Unrecorded {
        /// The population of the neuron.
        population: String,
        /// The neuron in it.
        neuron: u32,
        /// The population whose spikes are missing.
        unrecorded: String,
    },
}

/// What is wrong with a file of a run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunFileError {
    /// Times in another unit.
    #[error("times are in {found}, those of scenario.toml in {expected}")]
    TimeUnit {
        /// The file's.
        found: String,
        /// The scenario's.
        expected: String,
    },
    /// Other populations.
    #[error(
        "the populations are {found}, those of scenario.toml {expected}: the files are not of one run"
    )]
    Populations {
        /// The file's.
        found: String,
        /// The scenario's.
        expected: String,
    },
    /// Another network.
    #[error("not the neurons and synapses of scenario.toml")]
    Network,
    /// It cannot be read.
    #[error(transparent)]
    Read(#[from] std::io::Error),
    /// It is not the JSON that a run writes.
    #[error(transparent)]
    Json(#[from] serde_json::Error),
}

impl From<ReadError> for RecordedError {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Trace(error) => error.into(),
            ReadError::Misfit(error) => error.into(),
        }
    }
}
