//! A whole run: from a loaded scenario to the files in its folder.
//!
//! [`train`] trains and evaluates a feed-forward network, [`simulate`] runs a network of
//! populations, [`train_spike_trains`] trains one to emit given spike trains; [`check_gradients`]
//! compares a scenario's gradients with finite differences, and [`learn()`] takes one step on a
//! recorded trace. Runs write into an [`OutputFolder`]: every file is written beside its place and
//! renamed, so that it is there whole or not at all. A folder belongs to one run: another process is
//! refused, and so is another scenario or the same with other data ([`RunIdentity`]), unless it may
//! overwrite; the files of an old run go before the first new one comes. Whoever watches is a
//! [`Progress`]; an interrupt ends a run at the next batch, with everything written. A training that was
//! interrupted or killed, or is to have more epochs, goes on from its [`Checkpoint`]; [`previous`] finds
//! it.
//! [`mod@reproduce`] trains the scenarios of a table with several seeds; a [`HeadlessTraining`] trains and
//! measures without writing anything, for studies. [`RecordedRun`] opens the folder of a run again, and a
//! [`TrainedRun`] decides on new samples with its network.

mod checkpoint;
mod chip_found;
mod chip_network;
mod edges;
mod engine_summary;
mod export;
mod folder;
mod gradients;
mod headless;
mod ideal_then_chip;
mod identify;
mod identity;
mod learn;
mod learn_spike_trains;
mod lock;
mod membranes;
mod nodes;
mod overlap;
mod picture;
mod potentials;
mod predictions;
mod recorded;
mod report;
pub mod reproduce;
mod resumption;
mod run_folder;
mod run_metadata;
mod simulate;
mod simulation_engine;
mod spike_trains;
mod summary;
mod trace_files;
mod trace_spikes;
mod train;
mod trained;
mod training_files;

use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

pub use checkpoint::{Checkpoint, CheckpointError};
pub use chip_found::{CHIP_FOUND, FoundLayer};
pub use edges::EdgeExport;
pub use engine_summary::EngineSummary;
pub use export::Export;
pub(crate) use export::names as file_names;
pub use folder::OutputFolder;
pub use gradients::{GradientCheck, GradientEntry, Kink, check_gradients};
pub use headless::{HeadlessTraining, Measurement, with_rule, without_substrate};
pub use identify::{CHIP, IdentifySummary, identify};
pub use identity::RunIdentity;
pub(crate) use identity::{changed_file, checksums, without_checksums};
pub use learn::{LearnError, LearnSummary, Subset, learn};
pub use learn_spike_trains::learn_spike_trains;
pub(crate) use lock::Lock;
pub use membranes::{ChosenNeuron, Membranes, write_file};
pub use overlap::overlap;
pub use predictions::{Prediction, Predictions};
pub use recorded::{NeuronModel, RecordedError, RecordedRun, RunFileError};
pub use resumption::{Previous, TrainingResult, previous, to_resume};
pub use run_folder::{FolderError, Start, other_run};
pub use run_metadata::RunMetadata;
pub use simulate::simulate;
pub use simulation_engine::simulation_engine;
pub use spike_trains::train_spike_trains;
pub use summary::{SimulationSummary, SpikeTrainingSummary, TrainingSummary};
pub use trace_files::write_trace;
pub use trace_spikes::{Misfit, TraceMisfit};
pub use train::train;
pub use trained::{Samples, Shown, TrainedError, TrainedRun};

use crate::engine::EngineError;
use crate::learning::{
    Diagnosis, EpochMetrics, LearningError, Score, SpikeTrainMetrics, StateError,
};
use crate::network::file as network_file;
use crate::report::PictureError;
use crate::scenario::ScenarioError;

/// Hears how a run goes.
pub trait Progress {
    /// This will run the network.
    fn engine(&mut self, _engine: &EngineSummary) {}
    /// Training begins.
    fn start(&mut self, _epochs: usize, _samples_per_epoch: usize) {}
    /// It goes on after these epochs.
    fn resume(&mut self, _history: &[EpochMetrics]) {}
    /// Learning of spike trains goes on after so many epochs.
    fn resume_spike_trains(&mut self, _epochs: usize) {}
    /// A batch of this epoch (from 1) was learned; the score covers the epoch so far.
    fn batch(&mut self, _epoch: usize, _score: &Score) {}
    /// An epoch is complete.
    fn epoch(&mut self, _metrics: &EpochMetrics) {}
    /// An epoch of learning spike trains is complete.
    fn spike_trains(&mut self, _metrics: &SpikeTrainMetrics) {}
    /// The network has trouble learning.
    fn trouble(&mut self, _diagnosis: &Diagnosis) {}
    /// Training is over, and something else takes a while.
    fn stage(&mut self, _what: &str) {}
    /// The run is over.
    fn finish(&mut self) {}
}

/// Nobody watches.
pub struct Silent;

impl Progress for Silent {}

/// How a run is carried out; none of it changes a result.
#[derive(Clone, Debug)]
pub struct RunOptions<'a> {
    /// The folder for the results.
    pub out: PathBuf,
    /// Set from elsewhere to end the run early.
    pub interrupt: &'a AtomicBool,
    /// Shortest time between two checkpoints of a training; one is written after an epoch.
    pub checkpoint_every: Duration,
    /// Whether the results of another run in the folder may be replaced.
    pub overwrite: bool,
}

/// What an engine says, without its own number for the neuron.
fn without_node(error: &EngineError) -> String {
    match error {
        EngineError::EndlessSpikes { time, .. } => {
            let time = if time.abs() < 1e15 { time.to_string() } else { format!("{time:e}") };
            format!(
                "spikes again and again at time {time}, faster than times can be told apart: give it a \
                 refractory period, or weaken its inputs and bias current"
            )
        }
        other => other.to_string(),
    }
}

/// A run that failed. Files written before are complete. If it is bad input, or the folder cannot be
/// had, nothing was touched.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// The scenario cannot be used.
    #[error(transparent)]
    Scenario(#[from] ScenarioError),
    /// The results cannot be written.
    #[error("cannot write {}: {source}", path.display())]
    Output {
        /// File or folder.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The folder is another run's.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// There is a checkpoint, but not one to go on from.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// A checkpoint does not fit the network.
    #[error(transparent)]
    State(#[from] StateError),
    /// Learning cannot go on.
    #[error(transparent)]
    Learning(#[from] LearningError),
    /// The simulation cannot go on.
    #[error("population `{population}`, neuron {neuron}: {}", without_node(source))]
    Engine {
        /// The population in which it happened.
        population: String,
        /// The neuron in it.
        neuron: usize,
        /// What happened.
        source: EngineError,
    },
    /// A picture cannot be drawn.
    #[error(transparent)]
    Report(#[from] PictureError),
    /// The report cannot be put together.
    #[error("report: {0}")]
    Page(serde_json::Error),
}
