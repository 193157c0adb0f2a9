//! A table of results beside published figures: many trainings over several seeds, one command.
//!
//! A [`Table`] names scenarios and seeds. [`reproduce`] trains each pair into a folder of its own,
//! `<row>/seed_<n>`; what is complete there already is taken as it is, and what was stopped goes on
//! from its checkpoint, so that the whole can be interrupted at any moment and started again. After
//! every training, `table.md` and `table.csv` hold all results so far.

mod report;
mod table;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

pub use report::{csv, markdown, page};
pub use table::{Row, Table, TableError};

use super::{
    FolderError, OutputFolder, Previous, Progress, RunError, RunIdentity, RunOptions, Start,
    TrainingSummary, other_run, previous, train,
};
use crate::scenario::{LoadedScenario, Override, ScenarioFile};

/// One training of a table.
#[derive(Clone, Copy, Debug)]
pub struct Job<'t> {
    /// What is trained.
    pub row: &'t Row,
    /// With which seed.
    pub seed: u64,
    /// Number of the job, from 1.
    pub number: usize,
    /// How many jobs there are.
    pub count: usize,
}

/// How a job ended.
#[derive(Debug)]
pub enum Outcome<'s> {
    /// It was complete already.
    Found(&'s TrainingSummary),
    /// It is now.
    Trained(&'s TrainingSummary),
    /// It cannot be done; the rest of its row is left out.
    Failed(&'s str),
}

/// Hears how the work on a table goes.
pub trait Watch {
    /// A training begins, to be watched by what is returned. If an older checkpoint is of no use,
    /// `discarded` says why.
    fn begin(&mut self, job: &Job<'_>, discarded: Option<&str>) -> Box<dyn Progress>;
    /// A job ended, and not by an interrupt.
    fn end(&mut self, job: &Job<'_>, outcome: &Outcome<'_>);
}

/// What became of a row.
#[derive(Clone, Debug)]
pub struct RowResult<'t> {
    /// The row.
    pub row: &'t Row,
    /// Its complete trainings, in the order of its seeds.
    pub summaries: Vec<TrainingSummary>,
    /// Why the others could not be done.
    pub failure: Option<String>,
}

/// Trains every row of a table with every seed into `options.out`, on the threads of the present
/// rayon pool. Ends early if it is interrupted; a later call goes on from there.
///
/// # Errors
/// If the folder cannot be written. A row that fails is no error: its result says why.
pub fn reproduce<'t>(
    table: &'t Table,
    options: &RunOptions<'_>,
    watch: &mut dyn Watch,
) -> Result<Vec<RowResult<'t>>, RunError> {
    let folder = OutputFolder::create(&options.out)?;
    let count = table.rows.iter().map(|row| row.seeds.len()).sum();
    let mut results: Vec<RowResult<'t>> = table
        .rows
        .iter()
        .map(|row| RowResult { row, summaries: Vec::new(), failure: None })
        .collect();
    let mut before = 0;
    for (index, row) in table.rows.iter().enumerate() {
        for (number, &seed) in (before + 1..).zip(&row.seeds) {
            if options.interrupt.load(Ordering::Relaxed) {
                return Ok(results);
            }
            let job = Job { row, seed, number, count };
            match run(table, &job, options, watch) {
                Ok(summary) if summary.interrupted => return Ok(results),
                Ok(summary) => results[index].summaries.push(summary),
                Err(error) => {
                    let message = error.to_string();
                    watch.end(&job, &Outcome::Failed(&message));
                    results[index].failure = Some(message);
                }
            }
            folder.write("table.md", |file| file.write_all(page(&results).as_bytes()))?;
            folder.write("table.csv", |file| csv(&results, file))?;
            if results[index].failure.is_some() {
                break;
            }
        }
        before += row.seeds.len();
    }
    Ok(results)
}

/// Does one job, or finds it done.
fn run(
    table: &Table,
    job: &Job<'_>,
    options: &RunOptions<'_>,
    watch: &mut dyn Watch,
) -> Result<TrainingSummary, RunError> {
    let loaded = scenario(table, job)?;
    let out = options.out.join(folder_of(job.row, job.seed));
    let identity = RunIdentity::of(&loaded);
    let (checkpoint, discarded) = match previous(&identity, &out) {
        Ok(Previous::Complete(summary)) => {
            watch.end(job, &Outcome::Found(&summary));
            return Ok(*summary);
        }
        Ok(Previous::Stopped(checkpoint) | Previous::OtherEpochs(checkpoint)) => {
            (Some(*checkpoint), None)
        }
        // The table says what is wanted; what was there before is out of date.
        Ok(Previous::Nothing) => (None, outdated(&identity, &out)),
        Err(error) => (None, Some(error.to_string())),
    };
    let mut progress = watch.begin(job, discarded.as_deref());
    let options = RunOptions { out, overwrite: true, ..options.clone() };
    let summary = train(&loaded, &options, checkpoint, progress.as_mut())?;
    if !summary.interrupted {
        watch.end(job, &Outcome::Trained(&summary));
    }
    Ok(summary)
}

/// In what the complete run in a folder differs from the one that is wanted, if one is there.
fn outdated(identity: &RunIdentity, folder: &Path) -> Option<String> {
    match other_run(identity, folder, Start::Resumed)? {
        FolderError::OtherRun { what, difference, .. } => {
            Some(format!("{} holds {what}: {difference}", folder.display()))
        }
        other => Some(other.to_string()),
    }
}

/// The folder of one training, in that of the table.
fn folder_of(row: &Row, seed: u64) -> PathBuf {
    Path::new(&row.name).join(format!("seed_{seed}"))
}

fn scenario(table: &Table, job: &Job<'_>) -> Result<LoadedScenario, RunError> {
    let folder = table.folder();
    let here = |given: &String| Override::in_folder(given, folder);
    let mut overrides: Vec<Override> = job.row.set.iter().map(here).collect();
    overrides.push(Override::here(format!("seed={}", job.seed)));
    let loaded = ScenarioFile::read(&folder.join(&job.row.scenario))?.load(&overrides)?;
    if loaded.scenario.is_simulation() {
        let message = "a table is of trainings: the scenario must have [[layers]]";
        return Err(loaded.problem("populations", message).into());
    }
    Ok(loaded)
}
