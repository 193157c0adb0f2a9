//! Has a study's trainings done, and keeps each result as soon as it is there.

use std::collections::HashSet;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;

use super::file::portable;
use super::trainings::Trainings;
use super::{
    Job, Results, ResultsProblem, Row, Shard, Study, StudyError, TrainingFailure, Variant,
};
use crate::run::{Lock, Measurement, OutputFolder, RunError, changed_file, without_checksums};

/// Name of the file that says what the results in a folder belong to.
pub(super) const IDENTITY: &str = "base.toml";

const IDENTITY_LOCK: &str = ".base.toml.lock";

/// Hears how a study goes.
pub trait Watch {
    /// It begins: `found` of `total` trainings are complete already.
    fn begin(&mut self, _total: usize, _found: &[Row]) {}
    /// A training ended.
    fn end(&mut self, _finished: &Finished<'_>) {}
    /// The study ended or was interrupted.
    fn finish(&mut self) {}
}

/// A training that ended.
#[derive(Clone, Copy, Debug)]
pub struct Finished<'a> {
    /// Which.
    pub job: &'a Job,
    /// What came of it.
    pub row: &'a Row,
    /// How many trainings are done.
    pub done: usize,
    /// How many there are.
    pub total: usize,
    /// Seconds until all are, as far as one can tell.
    pub seconds_left: f64,
}

/// What became of a study.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Trainings that are complete.
    pub complete: usize,
    /// Trainings that failed.
    pub failed: usize,
    /// Trainings that are still to be done, after an interrupt.
    pub left: usize,
}

/// Does what is left of a shard of a study, on so many threads, and writes its results into a folder.
///
/// # Errors
/// If a point's scenario cannot be used (then nothing is done), the folder has the results of something
/// else, or results cannot be written. A training that fails is none: its error is its result.
pub fn run(
    study: &Study,
    folder: &Path,
    shard: Shard,
    threads: usize,
    interrupt: &AtomicBool,
    watch: &mut dyn Watch,
) -> Result<Outcome, StudyError> {
    let mut keeper = Keeper::open(study, folder, shard, threads)?;
    let trainings = Trainings::new(study, folder, interrupt);
    keeper.keep_all(watch, |left, keep| on_threads(&trainings, left, threads, keep))
}

/// What takes a training that ended: its index, what came of it, and the seconds that it took.
pub(super) type Keep<'k> =
    dyn FnMut(usize, Result<Measurement, TrainingFailure>, f64) -> Result<(), RunError> + 'k;

/// Keeps the results of a shard.
pub(super) struct Keeper<'s> {
    study: &'s Study,
    results: Results,
    all: Vec<Job>,
    threads: usize,
}

impl<'s> Keeper<'s> {
    /// Checks every point, and opens the results in a folder. So many trainings are done at once.
    pub fn open(
        study: &'s Study,
        folder: &Path,
        shard: Shard,
        threads: usize,
    ) -> Result<Self, StudyError> {
        check(study)?;
        let output = OutputFolder::create(folder)?;
        identify(study, &output)?;
        let results = Results::open(&output, &shard.file(), study)?;
        Ok(Keeper { study, results, all: shard.jobs(study), threads })
    }

    /// Has the trainings done that are left, by whatever does them, and keeps each result at once. In
    /// the end the results are in the order of the plan.
    pub fn keep_all(
        &mut self,
        watch: &mut dyn Watch,
        work: impl FnOnce(&[&Job], &mut Keep<'_>) -> Result<(), RunError>,
    ) -> Result<Outcome, StudyError> {
        let Keeper { study, results, all, threads } = self;
        let left: Vec<&Job> = all.iter().filter(|job| !results.has(job)).collect();
        let mut clock = Clock::new(*threads, &left);
        watch.begin(all.len(), results.rows());
        let mut done = all.len() - left.len();
        let worked = work(&left, &mut |index, outcome, seconds| {
            let job = left[index];
            let row = Row::new(study, job, outcome);
            results.append(row.clone())?;
            done += 1;
            clock.took(job.variant, seconds);
            let seconds_left = clock.seconds_left();
            watch.end(&Finished { job, row: &row, done, total: all.len(), seconds_left });
            Ok(())
        });
        watch.finish();
        worked?;
        results.sort(all)?;
        let keys: HashSet<_> = all.iter().map(Job::key).collect();
        let rows = results.rows().iter().filter(|row| keys.contains(&row.key()));
        let (complete, failed): (Vec<&Row>, Vec<&Row>) = rows.partition(|row| row.outcome.is_ok());
        let (complete, failed) = (complete.len(), failed.len());
        Ok(Outcome { complete, failed, left: all.len() - complete - failed })
    }
}

/// Does trainings on threads of this process, one on each.
fn on_threads(
    trainings: &Trainings<'_>,
    left: &[&Job],
    threads: usize,
    keep: &mut Keep<'_>,
) -> Result<(), RunError> {
    let next = AtomicUsize::new(0);
    let (sender, receiver) = mpsc::channel();
    std::thread::scope(|scope| {
        for _ in 0..threads.min(left.len()) {
            let (sender, next) = (sender.clone(), &next);
            scope.spawn(move || {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(&job) = left.get(index) else { return };
                    let Some((outcome, seconds)) = trainings.job(job) else { return };
                    // Nobody listens any more: what cannot be kept need not be computed.
                    if sender.send((index, outcome, seconds)).is_err() {
                        return;
                    }
                }
            });
        }
        drop(sender);
        let receiver = receiver;
        receiver.iter().try_for_each(|(index, outcome, seconds)| keep(index, outcome, seconds))
    })
}

/// Checks the scenario of every point.
pub(super) fn check(study: &Study) -> Result<(), StudyError> {
    let seed = study.seeds.first().copied().unwrap_or(1);
    study.points().iter().try_for_each(|point| study.load(point, seed).map(drop))
}

/// Makes sure that the folder is this study's. Shards may start at the same moment.
fn identify(study: &Study, output: &OutputFolder) -> Result<(), StudyError> {
    let path = output.file(IDENTITY_LOCK);
    let lock = Lock::wait(&path).map_err(|source| RunError::Output { path, source })?;
    if !is_identified(study, &output.file(IDENTITY))? {
        let identity = study.identity_in_place()?;
        output.write(IDENTITY, |file| file.write_all(identity.as_bytes()))?;
    }
    drop(lock);
    Ok(())
}

/// Whether a file says that the results beside it are this study's; an error if it says that they are
/// something else's.
pub(super) fn is_identified(study: &Study, path: &Path) -> Result<bool, StudyError> {
    let identity = study.identity()?;
    match fs::read_to_string(path).map(|text| portable(&text)) {
        Ok(text) if text == identity => Ok(true),
        // Results of an earlier version do not say what the files contained.
        Ok(text) if text == without_checksums(&identity) => Ok(true),
        Ok(text) => {
            if without_checksums(&text) == without_checksums(&identity)
                && let Some(file) = changed_file(&text, &identity)
            {
                return Err(StudyError::results(path, ResultsProblem::OtherData { file }));
            }
            let differs = |(old, new): &(&str, &str)| old != new;
            let lines = text.lines().zip(identity.lines()).find(differs);
            let (old, new) = lines.unwrap_or(("another length", "this"));
            let (found, expected) = (old.to_owned(), new.to_owned());
            let problem = ResultsProblem::OtherScenario { found, expected };
            Err(StudyError::results(path, problem))
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
        Err(source) => Err(StudyError::Read { path: path.to_owned(), source }),
    }
}

/// Estimates the time left; variants take different times.
struct Clock {
    threads: usize,
    /// Per variant: trainings left, trainings done, and their seconds.
    variants: Vec<(Variant, usize, usize, f64)>,
}

impl Clock {
    fn new(threads: usize, left: &[&Job]) -> Self {
        let mut variants: Vec<(Variant, usize, usize, f64)> = Vec::new();
        for job in left {
            match variants.iter_mut().find(|entry| entry.0 == job.variant) {
                Some(entry) => entry.1 += 1,
                None => variants.push((job.variant, 1, 0, 0.0)),
            }
        }
        Clock { threads, variants }
    }

    fn took(&mut self, variant: Variant, seconds: f64) {
        if let Some((_, left, done, sum)) =
            self.variants.iter_mut().find(|entry| entry.0 == variant)
        {
            *left -= 1;
            *done += 1;
            *sum += seconds;
        }
    }

    fn seconds_left(&self) -> f64 {
        let (done, sum) = self
            .variants
            .iter()
            .fold((0, 0.0), |(done, sum), entry| (done + entry.2, sum + entry.3));
        let mean = sum / done.max(1) as f64;
        let seconds = self.variants.iter().map(|&(_, left, done, sum)| {
            left as f64 * if done > 0 { sum / done as f64 } else { mean }
        });
        seconds.sum::<f64>() / self.threads as f64
    }
}
