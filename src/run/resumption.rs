//! Where a training begins: at the beginning, or where an earlier one in its folder ended.
//!
//! ```text
//! what is there            --resume         without
//! nothing                  begins           begins
//! stopped                  goes on          begins; the checkpoint stays until this run is as far
//! complete                 nothing to do    begins
//! with other epochs        goes on          another run: refused
//! another run              refused          refused
//! ```

use std::fs;
use std::path::Path;

use serde::de::DeserializeOwned;

use super::identity::Relation;
use super::run_folder::{SCENARIO, SUMMARY, Start, other_run};
use super::{
    Checkpoint, CheckpointError, FolderError, RunError, RunIdentity, RunOptions,
    SpikeTrainingSummary, TrainingSummary,
};
use crate::learning::{EpochMetrics, SpikeTrainMetrics};

/// What a training comes to.
pub trait TrainingResult: DeserializeOwned {
    /// What it says after an epoch.
    type Epoch: Clone + DeserializeOwned;

    /// Whether it ended before its last epoch.
    fn is_interrupted(&self) -> bool;

    /// Gives the checkpoint of a complete training its wall-clock times, which are in the summary.
    fn set_clock(&self, checkpoint: &mut Checkpoint<Self::Epoch>);
}

impl TrainingResult for TrainingSummary {
    type Epoch = EpochMetrics;

    fn is_interrupted(&self) -> bool {
        self.interrupted
    }

    fn set_clock(&self, checkpoint: &mut Checkpoint) {
        checkpoint.seconds = self.seconds;
        checkpoint.history.iter_mut().for_each(|epoch| epoch.seconds = self.seconds_per_epoch);
    }
}

impl TrainingResult for SpikeTrainingSummary {
    type Epoch = SpikeTrainMetrics;

    fn is_interrupted(&self) -> bool {
        self.interrupted
    }

    fn set_clock(&self, checkpoint: &mut Checkpoint<SpikeTrainMetrics>) {
        checkpoint.seconds = self.seconds;
    }
}

/// What an earlier training left in a folder.
#[derive(Clone, Debug)]
pub enum Previous<S: TrainingResult = TrainingSummary> {
    /// Nothing to go on from.
    Nothing,
    /// A run that was stopped.
    Stopped(Box<Checkpoint<S::Epoch>>),
    /// A run with another number of epochs, stopped or complete, each of which is as this run's.
    OtherEpochs(Box<Checkpoint<S::Epoch>>),
    /// A complete run of the very same scenario.
    Complete(Box<S>),
}

/// Looks for an earlier training in a folder, which need not exist.
///
/// # Errors
/// If there is a checkpoint that cannot be read, is of another scenario or other data, or has more
/// epochs than are asked for.
pub fn previous<S: TrainingResult>(
    identity: &RunIdentity,
    folder: &Path,
) -> Result<Previous<S>, CheckpointError> {
    let complete = complete_summary::<S>(folder);
    let same = fs::read_to_string(folder.join(SCENARIO)).is_ok_and(|text| text == identity.text());
    let complete = match complete {
        Some(summary) if same => return Ok(Previous::Complete(Box::new(summary))),
        other => other,
    };
    Ok(match Checkpoint::read(identity, folder)? {
        None => Previous::Nothing,
        Some((checkpoint, Relation::Same)) => Previous::Stopped(Box::new(checkpoint)),
        Some((mut checkpoint, _)) => {
            if let Some(summary) = complete {
                summary.set_clock(&mut checkpoint);
            }
            Previous::OtherEpochs(Box::new(checkpoint))
        }
    })
}

/// What [`previous`] left that a training is to go on from: nothing else is there than what fits, or it may be
/// overwritten.
///
/// # Errors
/// If the folder is another run's, or [`previous`] fails.
pub fn to_resume<S: TrainingResult>(
    identity: &RunIdentity,
    options: &RunOptions<'_>,
) -> Result<Previous<S>, RunError> {
    if !options.overwrite
        && let Some(error) = other_run(identity, &options.out, Start::Resumed)
    {
        return Err(error.into());
    }
    match previous(identity, &options.out) {
        Err(CheckpointError::OtherScenario { .. }) if options.overwrite => Ok(Previous::Nothing),
        found => Ok(found?),
    }
}

/// The summary in a folder, if it is that of a complete training.
fn complete_summary<S: TrainingResult>(folder: &Path) -> Option<S> {
    let bytes = fs::read(folder.join(SUMMARY)).ok()?;
    serde_json::from_slice(&bytes).ok().filter(|summary: &S| !summary.is_interrupted())
}

/// Where a training begins, in a folder that is claimed.
pub(super) struct Beginning<E> {
    /// What was done before; nothing if it begins anew.
    pub so_far: Checkpoint<E>,
    /// Epochs of a checkpoint that is further on. It is the better one, also for a run that starts anew: it
    /// may be worth hours, and was perhaps left behind by mistake.
    pub further: usize,
}

impl<E: Clone + DeserializeOwned> Beginning<E> {
    /// Makes sure that what a run goes on from is still what is there.
    ///
    /// # Errors
    /// If another process had the folder since the checkpoint was read.
    pub fn new<S: TrainingResult<Epoch = E>>(
        identity: &RunIdentity,
        options: &RunOptions<'_>,
        resume: Option<Checkpoint<E>>,
    ) -> Result<Self, RunError> {
        let there = previous::<S>(identity, &options.out);
        match resume {
            None => {
                let further = match there {
                    Ok(Previous::Stopped(checkpoint)) => checkpoint.epochs(),
                    _ => 0,
                };
                Ok(Beginning { so_far: Checkpoint::default(), further })
            }
            Some(so_far) => match there {
                Ok(Previous::Stopped(checkpoint) | Previous::OtherEpochs(checkpoint))
                    if checkpoint.epochs() == so_far.epochs() =>
                {
                    Ok(Beginning { so_far, further: 0 })
                }
                _ => Err(FolderError::Changed { path: options.out.clone() }.into()),
            },
        }
    }

    /// Whether the checkpoint that is there has to stay.
    pub fn keeps_checkpoint(&self) -> bool {
        self.so_far.epochs() > 0 || self.further > 0
    }
}
