//! How long a study will take.

use std::collections::HashSet;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use super::runner::{IDENTITY, check, is_identified};
use super::{Job, Row, Shard, Study, StudyError, Variant, reader};
use crate::run::{HeadlessTraining, RunError};

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
        let rows = reader::read(&path)?.rows;
        rows.iter().map(Row::key).collect()
    } else {
        HashSet::new()
    };
    let all = shard.jobs(study);
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
            // Points share an ideal training, unless axes change the network itself.
            Variant::IdealThenChip => jobs.len().min(study.seeds.len()),
            _ => jobs.len(),
        };
        let work =
            mean(|trial| trial.0) * trained as f64 + mean(|trial| trial.1) * jobs.len() as f64;
        seconds += work / threads as f64;
    }
    Ok(Estimate { left: left.len(), total: all.len(), seconds })
}

/// Seconds that a training and its measurement will take, from one epoch.
fn trial(study: &Study, folder: &Path, job: &Job) -> Result<(f64, f64), StudyError> {
    let loaded = job.variant.trained(study.load(&job.point, job.seed)?);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().map_err(|error| {
        RunError::Output { path: folder.to_owned(), source: std::io::Error::other(error) }
    })?;
    let never = AtomicBool::new(false);
    let seconds = pool.install(|| {
        let start = Instant::now();
        let mut training = HeadlessTraining::new(&loaded, folder)?;
        let built = start.elapsed().as_secs_f64();
        let start = Instant::now();
        training.train_epoch(&never)?;
        let epoch = start.elapsed().as_secs_f64();
        // Measuring shows all samples once, as an epoch does.
        Ok::<_, RunError>((built + epoch * training.epochs() as f64, epoch))
    })?;
    Ok(seconds)
}
