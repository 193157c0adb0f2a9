//! Does a study's trainings: each on one thread, so that no result depends on how many there are.

use std::any::Any;
use std::collections::{HashMap, HashSet};
use std::fs;
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, mpsc};
use std::time::Instant;

use super::{Job, Results, Row, Shard, Study, StudyError, Variant};
use crate::learning::TrainerState;
use crate::run::{Bench, Measurement, OutputFolder, RunError, without_substrate};

/// Name of the file that says what the results in a folder belong to.
const IDENTITY: &str = "base.toml";

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
    check(study)?;
    let output = OutputFolder::create(folder)?;
    identify(study, &output)?;
    let mut results = Results::open(&output.file(&shard.file()), study)?;
    let all = study.jobs().into_iter().enumerate();
    let all: Vec<Job> = all.filter(|(index, _)| shard.has(*index)).map(|(_, job)| job).collect();
    let (found, left): (Vec<&Job>, Vec<&Job>) = all.iter().partition(|job| results.has(job));
    let mut clock = Clock::new(threads, &left);
    watch.begin(all.len(), results.rows());
    let bench = Trainings { study, folder, interrupt, ideal: Mutex::default() };
    let next = AtomicUsize::new(0);
    let stop = AtomicBool::new(false);
    let (sender, receiver) = mpsc::channel();
    let mut done = found.len();
    let written = std::thread::scope(|scope| {
        for _ in 0..threads.min(left.len()) {
            let (sender, bench, next, stop, left) = (sender.clone(), &bench, &next, &stop, &left);
            scope.spawn(move || {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(&job) = left.get(index) else { return };
                    if stop.load(Ordering::Relaxed) || interrupt.load(Ordering::Relaxed) {
                        return;
                    }
                    let start = Instant::now();
                    let Some(outcome) = bench.job(job) else { return };
                    let seconds = start.elapsed().as_secs_f64();
                    if sender.send((job, outcome, seconds)).is_err() {
                        return;
                    }
                }
            });
        }
        drop(sender);
        for (job, outcome, seconds) in &receiver {
            let row = Row::new(study, job, outcome);
            if let Err(error) = results.append(row.clone()) {
                // What cannot be kept need not be computed.
                stop.store(true, Ordering::Relaxed);
                return Err(error);
            }
            done += 1;
            clock.took(job.variant, seconds);
            let seconds_left = clock.seconds_left();
            watch.end(&Finished { job, row: &row, done, total: all.len(), seconds_left });
        }
        Ok(())
    });
    watch.finish();
    written?;
    let keys: HashSet<_> = all.iter().map(Job::key).collect();
    let here = |row: &&Row| keys.contains(&row.key());
    let rows: Vec<&Row> = results.rows().iter().filter(here).collect();
    let failed = rows.iter().filter(|row| row.outcome.is_err()).count();
    Ok(Outcome { complete: rows.len() - failed, failed, left: all.len() - rows.len() })
}

/// Checks the scenario of every point.
fn check(study: &Study) -> Result<(), StudyError> {
    let seed = study.seeds.first().copied().unwrap_or(1);
    study.points().iter().try_for_each(|point| study.load(point, seed).map(drop))
}

/// Makes sure that the folder is this study's.
fn identify(study: &Study, output: &OutputFolder) -> Result<(), StudyError> {
    if !is_identified(study, &output.file(IDENTITY))? {
        let identity = study.identity()?;
        output.write(IDENTITY, |file| file.write_all(identity.as_bytes()))?;
    }
    Ok(())
}

/// Whether a file says that the results beside it are this study's; an error if it says that they are
/// something else's.
fn is_identified(study: &Study, path: &Path) -> Result<bool, StudyError> {
    let identity = study.identity()?;
    match fs::read_to_string(path) {
        Ok(text) if text == identity => Ok(true),
        Ok(text) => {
            let differs = |(old, new): &(&str, &str)| old != new;
            let lines = text.lines().zip(identity.lines()).find(differs);
            let (old, new) = lines.unwrap_or(("another length", "this"));
            let message = format!(
                "the results here are of another base scenario or of other keys (it says `{old}`, now it \
                 is `{new}`): use another --out, or remove the folder"
            );
            Err(StudyError::results(path, message))
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
        Err(source) => Err(StudyError::Read { path: path.to_owned(), source }),
    }
}

/// The ideal training of a scenario; it may have failed.
type Ideal = Arc<OnceLock<Result<TrainerState, String>>>;

/// Does trainings.
struct Trainings<'s> {
    study: &'s Study,
    folder: &'s Path,
    interrupt: &'s AtomicBool,
    /// Ideal trainings by their scenario: points that differ in the chip only share one.
    ideal: Mutex<HashMap<String, Ideal>>,
}

impl Trainings<'_> {
    /// Does a training on one thread. `None` if it was interrupted.
    fn job(&self, job: &Job) -> Option<Result<Measurement, String>> {
        let work = || {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build();
            let pool = pool.map_err(|error| format!("cannot start a thread: {error}"))?;
            pool.install(|| self.train(job))
        };
        // A defect in one training must not cost the others.
        let outcome = catch_unwind(AssertUnwindSafe(work))
            .unwrap_or_else(|panic| Err(format!("the program failed: {}", message(&*panic))));
        outcome.transpose()
    }

    fn train(&self, job: &Job) -> Result<Option<Measurement>, String> {
        let text = |error: RunError| error.to_string();
        let loaded = self.study.load(&job.point, job.seed).map_err(|error| error.to_string())?;
        let mut bench = Bench::new(&loaded, self.folder).map_err(text)?;
        let is_there = match job.variant {
            Variant::InTheLoop => bench.train(self.interrupt).map_err(text)?.is_some(),
            Variant::IdealThenChip => {
                let ideal = without_substrate(&loaded);
                let key = ideal.scenario.to_toml();
                let cell = {
                    let mut known =
                        self.ideal.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
                    known.entry(key).or_default().clone()
                };
                let learned = cell.get_or_init(|| {
                    let mut bench = Bench::new(&ideal, self.folder).map_err(text)?;
                    // An interrupt ends everything: nobody will ask for these parameters.
                    Ok(bench.train(self.interrupt).map_err(text)?.unwrap_or_default())
                });
                let is_there = !self.interrupt.load(Ordering::Relaxed);
                if is_there {
                    bench.set_parameters(learned.as_ref().map_err(Clone::clone)?).map_err(text)?;
                }
                is_there
            }
        };
        if is_there { Ok(Some(bench.measure().map_err(text)?)) } else { Ok(None) }
    }
}

fn message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message")
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

/// What a study will take.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// Trainings that are left.
    pub left: usize,
    /// Of so many.
    pub total: usize,
    /// Seconds on so many threads.
    pub seconds: f64,
}

/// Estimates what is left of a shard by training an epoch of a few points.
///
/// # Errors
/// If a point's scenario cannot be used or fails in its first epoch, or the results in the folder are
/// of something else.
pub fn estimate(
    study: &Study,
    folder: &Path,
    shard: Shard,
    threads: usize,
) -> Result<Estimate, StudyError> {
    check(study)?;
    let path = folder.join(shard.file());
    let done = if path.exists() {
        is_identified(study, &folder.join(IDENTITY))?;
        let rows = super::reader::read(&path)?.rows;
        rows.iter().map(Row::key).collect()
    } else {
        HashSet::new()
    };
    let all = study.jobs().into_iter().enumerate();
    let all: Vec<Job> = all.filter(|(index, _)| shard.has(*index)).map(|(_, job)| job).collect();
    let left: Vec<&Job> = all.iter().filter(|job| !done.contains(&job.key())).collect();
    let mut seconds = 0.0;
    for &variant in &study.variants {
        let jobs: Vec<&&Job> = left.iter().filter(|job| job.variant == variant).collect();
        if jobs.is_empty() {
            continue;
        }
        let mut trials = Vec::new();
        for sixth in [1, 3, 5] {
            match trial(study, folder, jobs[sixth * jobs.len() / 6]) {
                Ok(found) => trials.push(found),
                // A training that fails takes no time.
                Err(StudyError::Run(_)) => {}
                Err(error) => return Err(error),
            }
        }
        let mean = |part: fn(&(f64, f64)) -> f64| {
            trials.iter().map(part).sum::<f64>() / trials.len().max(1) as f64
        };
        let trained = match variant {
            Variant::InTheLoop => jobs.len(),
            // Points share an ideal training, unless axes change the network itself.
            Variant::IdealThenChip => jobs.len().min(study.seeds.len()),
        };
        let work =
            mean(|trial| trial.0) * trained as f64 + mean(|trial| trial.1) * jobs.len() as f64;
        seconds += work / threads as f64;
    }
    Ok(Estimate { left: left.len(), total: all.len(), seconds })
}

/// Seconds that a training and its measurement will take, from one epoch.
fn trial(study: &Study, folder: &Path, job: &Job) -> Result<(f64, f64), StudyError> {
    let loaded = study.load(&job.point, job.seed)?;
    let loaded = match job.variant {
        Variant::InTheLoop => loaded,
        Variant::IdealThenChip => without_substrate(&loaded),
    };
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().map_err(|error| {
        RunError::Output { path: folder.to_owned(), source: std::io::Error::other(error) }
    })?;
    let never = AtomicBool::new(false);
    let seconds = pool.install(|| {
        let start = Instant::now();
        let mut bench = Bench::new(&loaded, folder)?;
        let built = start.elapsed().as_secs_f64();
        let start = Instant::now();
        bench.train_epoch(&never)?;
        let epoch = start.elapsed().as_secs_f64();
        // Measuring shows all samples once, as an epoch does.
        Ok::<_, RunError>((built + epoch * bench.epochs() as f64, epoch))
    })?;
    Ok(seconds)
}
