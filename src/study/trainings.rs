//! One training of a study: on one thread, so that no result depends on how many there are.

use std::any::Any;
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Instant;

use super::{Job, Study, TrainingFailure, Variant};
use crate::learning::TrainerState;
use crate::run::{HeadlessTraining, Measurement, RunError, without_substrate};

/// The ideal training of a scenario; it may have failed.
type Ideal = Arc<OnceLock<Result<TrainerState, TrainingFailure>>>;

/// Does trainings of a study.
pub(super) struct Trainings<'s> {
    study: &'s Study,
    folder: &'s Path,
    interrupt: &'s AtomicBool,
    /// Ideal trainings by their scenario: points that differ in the chip only share one.
    ideal: Mutex<HashMap<String, Ideal>>,
}

impl<'s> Trainings<'s> {
    pub fn new(study: &'s Study, folder: &'s Path, interrupt: &'s AtomicBool) -> Self {
        Trainings { study, folder, interrupt, ideal: Mutex::default() }
    }

    /// Does a training on one thread: what came of it, and the seconds that it took. `None` if it was
    /// interrupted.
    pub fn job(&self, job: &Job) -> Option<(Result<Measurement, TrainingFailure>, f64)> {
        if self.interrupt.load(Ordering::Relaxed) {
            return None;
        }
        let start = Instant::now();
        let work = || {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build();
            let pool = pool.map_err(|error| {
                TrainingFailure::new(format_args!("cannot start a thread: {error}"))
            })?;
            pool.install(|| self.train(job))
        };
        // A defect in one training must not cost the others.
        let outcome = catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
            Err(TrainingFailure::new(format_args!("the program failed: {}", message(&*panic))))
        });
        Some((outcome.transpose()?, start.elapsed().as_secs_f64()))
    }

    fn train(&self, job: &Job) -> Result<Option<Measurement>, TrainingFailure> {
        let failure = |error: RunError| TrainingFailure::new(error);
        let loaded = self.study.load(&job.point, job.seed).map_err(TrainingFailure::new)?;
        let loaded = job.variant.with_its_rule(loaded);
        let mut training = HeadlessTraining::new(&loaded, self.folder).map_err(failure)?;
        let is_there = match job.variant {
            Variant::IdealThenChip => {
                let ideal = without_substrate(&loaded);
                let key = ideal.scenario.to_toml();
                let cell = {
                    let mut known =
                        self.ideal.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
                    known.entry(key).or_default().clone()
                };
                let learned = cell.get_or_init(|| {
                    let mut training =
                        HeadlessTraining::new(&ideal, self.folder).map_err(failure)?;
                    // An interrupt ends everything: nobody will ask for these parameters.
                    Ok(training.train(self.interrupt).map_err(failure)?.unwrap_or_default())
                });
                let is_there = !self.interrupt.load(Ordering::Relaxed);
                if is_there {
                    training
                        .set_parameters(learned.as_ref().map_err(Clone::clone)?)
                        .map_err(failure)?;
                }
                is_there
            }
            _ => training.train(self.interrupt).map_err(failure)?.is_some(),
        };
        if is_there { Ok(Some(training.measure().map_err(failure)?)) } else { Ok(None) }
    }
}

fn message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message")
}
