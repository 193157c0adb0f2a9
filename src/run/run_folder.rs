//! The folder of a run: it belongs to one run at a time, and holds the results of one run only.
//!
//! ```text
//! lock ─→ whose results are there? ─→ old files go ─→ scenario.toml ─→ … ─→ summary.json ─→ unlock
//!         another run's: refused       summary.json first               a run is complete with it
//! ```
//!
//! Whenever the process is killed, what is there is of one run, and a folder without `summary.json` and
//! without a checkpoint is one that nobody will miss.
//!
//! What is wrong with a folder before anything in it is touched is a [`FolderError`]; what goes wrong
//! later, such as a disk that is full, a [`RunError::Output`].

use std::fs;
use std::io;
use std::ops::Deref;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::checkpoint::{self, Checkpoint, CheckpointError};
use super::folder;
use super::identity::Relation;
use super::lock::Lock;
use super::predictions;
use super::{OutputFolder, RunError, RunIdentity, RunOptions};

/// What a run says about itself, in the file that is written first.
pub(super) const SCENARIO: &str = "scenario.toml";

/// What a run comes to, in the file that is written last.
pub(super) const SUMMARY: &str = "summary.json";

/// Every file that a run of any kind writes, in the order in which those of an old run are removed.
const RESULTS: [&str; 12] = [
    SUMMARY,
    OutputFolder::REPORT,
    "metrics.csv",
    "spikes.csv",
    "potentials.csv",
    predictions::FILE,
    "network.json",
    "chip_found.csv",
    "class_map.svg",
    "class_map.png",
    checkpoint::FILE,
    SCENARIO,
];

const LOCK: &str = ".lock";

/// A folder that a run cannot have. Nothing in it was touched.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FolderError {
    /// It cannot be made, or nothing can be written into it.
    #[error("cannot write {}: {source}", path.display())]
    Unusable {
        /// The folder, or the file in it.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Another process writes into it.
    #[error("another process is writing into {}: wait for it, or give another --out", path.display())]
    InUse {
        /// The folder.
        path: PathBuf,
    },
    /// It has the results of something else.
    #[error(
        "{} holds {what}: {difference}\nGive --overwrite to replace it, or another folder with --out.",
        path.display()
    )]
    OtherRun {
        /// The folder.
        path: PathBuf,
        /// `the run of another scenario`, or what else is there.
        what: &'static str,
        /// In what it differs from this run.
        difference: String,
    },
    /// The run would replace a file that it reads.
    #[error(
        "{}: the run reads this file, and would replace it with its results: give another --out",
        path.display()
    )]
    OwnInput {
        /// The file.
        path: PathBuf,
    },
    /// Another process has been at it since it was looked at.
    #[error("{} has changed since this run began: start it again", path.display())]
    Changed {
        /// The folder.
        path: PathBuf,
    },
}

/// The folder of a run, which no other process can have meanwhile.
#[derive(Debug)]
pub(super) struct RunFolder {
    folder: OutputFolder,
    lock: Option<Lock>,
    /// The folder, if it was made for this run.
    made: Option<PathBuf>,
}

impl Deref for RunFolder {
    type Target = OutputFolder;

    fn deref(&self) -> &OutputFolder {
        &self.folder
    }
}

impl Drop for RunFolder {
    fn drop(&mut self) {
        self.lock = None;
        // A folder that was made for nothing; one with files stays.
        if let Some(path) = &self.made {
            let _ = fs::remove_dir(path);
        }
    }
}

impl RunFolder {
    /// Makes the folder of a run if need be, and takes it.
    ///
    /// # Errors
    /// If another process has it, it cannot be made or written into, the run would replace a file that
    /// it reads, or the results of another run without being told to.
    pub fn claim(
        identity: &RunIdentity,
        options: &RunOptions<'_>,
        start: Start,
    ) -> Result<Self, RunError> {
        let path = &options.out;
        let is_new = !path.exists();
        let folder = OutputFolder::make(path)?;
        let mut claimed = RunFolder { lock: None, made: is_new.then(|| path.clone()), folder };
        // What cannot be made is the user's folder, not our file in it.
        let lock =
            Lock::take(&claimed.file(LOCK)).map_err(|source| folder::unusable(path, source))?;
        if lock.is_none() {
            return Err(FolderError::InUse { path: path.clone() }.into());
        }
        claimed.lock = lock;
        claimed.check_inputs(identity, path)?;
        claimed.check_places()?;
        if !options.overwrite
            && let Some(error) = other_run(identity, path, start)
        {
            return Err(error.into());
        }
        Ok(claimed)
    }

    /// Removes what an earlier run left, all or all but its checkpoint, and writes `scenario.toml`.
    ///
    /// # Errors
    /// If a file cannot be removed or written.
    pub fn begin(&self, identity: &RunIdentity, keep_checkpoint: bool) -> Result<(), RunError> {
        for name in RESULTS {
            if !(keep_checkpoint && name == checkpoint::FILE) {
                self.remove(name)?;
            }
        }
        self.write(SCENARIO, |file| io::Write::write_all(file, identity.text().as_bytes()))
    }

    /// Makes sure that no result would replace what the run reads. The scenario itself may be the one
    /// that the run would write.
    fn check_inputs(&self, identity: &RunIdentity, path: &Path) -> Result<(), FolderError> {
        let own = |path: &Path| fs::canonicalize(path).ok();
        for input in identity.files() {
            let (Some(name), Some(folder)) = (input.file_name(), input.parent()) else { continue };
            let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
            let is_result = RESULTS.iter().any(|result| name == *result);
            if is_result && own(folder).is_some() && own(folder) == own(path) {
                let same = fs::read_to_string(input).is_ok_and(|text| text == identity.text());
                if !(name == SCENARIO && same) {
                    return Err(FolderError::OwnInput { path: input.clone() });
                }
            }
        }
        Ok(())
    }

    /// Makes sure that every result has its place, before the first old one is removed.
    fn check_places(&self) -> Result<(), RunError> {
        let is_folder = |path: &PathBuf| fs::symlink_metadata(path).is_ok_and(|it| it.is_dir());
        match RESULTS.map(|name| self.file(name)).into_iter().find(is_folder) {
            None => Ok(()),
            Some(path) => {
                let source = io::ErrorKind::IsADirectory.into();
                Err(FolderError::Unusable { path, source }.into())
            }
        }
    }
}

/// How a run starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// From the beginning, whatever is there.
    Anew,
    /// From what an earlier run left, if it left something.
    Resumed,
}

impl Start {
    /// How a run starts that goes on from a checkpoint, or from none.
    pub(super) fn of<T>(checkpoint: &Option<T>) -> Self {
        if checkpoint.is_some() { Start::Resumed } else { Start::Anew }
    }
}

/// The refusal of a folder, which need not exist, that has the results of something else; none if
/// nothing of worth is there, or it is of this very run.
pub fn other_run(identity: &RunIdentity, folder: &Path, start: Start) -> Option<FolderError> {
    let refuse = |what, difference| {
        Some(FolderError::OtherRun { path: folder.to_owned(), what, difference })
    };
    match Checkpoint::<IgnoredAny>::read(identity, folder) {
        Ok(Some((_, Relation::OtherEpochs { difference, .. }))) if start == Start::Anew => {
            let difference = format!("{difference}; --resume goes on from there");
            return refuse("a run of this scenario with other epochs", difference);
        }
        Ok(Some(_)) => return None,
        Err(CheckpointError::OtherScenario { difference, .. }) => {
            let what = if is_complete(folder) {
                "the run of another scenario"
            } else {
                "a training of another scenario, which can be resumed"
            };
            return refuse(what, difference);
        }
        // What cannot be resumed is of no use.
        Ok(None) | Err(_) => {}
    }
    if fs::symlink_metadata(folder.join(SUMMARY)).is_err() {
        return None;
    }
    match fs::read_to_string(folder.join(SCENARIO)) {
        Ok(text) => match identity.relation(&text) {
            Relation::Same => None,
            Relation::Different(difference) => refuse("the run of another scenario", difference),
            Relation::OtherEpochs { difference, .. } => refuse(
                "a run of this scenario with other epochs",
                format!("{difference}, and there is no checkpoint to go on from"),
            ),
        },
        Err(_) => {
            refuse("results of something else", format!("there is {SUMMARY}, but no {SCENARIO}"))
        }
    }
}

/// Whether the summary in a folder is of a run that came to its end.
fn is_complete(folder: &Path) -> bool {
    #[derive(Deserialize)]
    struct Ending {
        interrupted: bool,
    }
    let bytes = fs::read(folder.join(SUMMARY)).unwrap_or_default();
    serde_json::from_slice(&bytes).is_ok_and(|Ending { interrupted }| !interrupted)
}
