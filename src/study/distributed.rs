//! A study under `mpirun`: the first process hands out trainings and keeps the results, the others do
//! one training after the other, each as soon as it has done the last.
//!
//! ```text
//! worker ── nothing, or the result of a training ─→ first process
//!        ←─ number of the next training, or stop ──
//! ```

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use mpi::environment::Universe;
use mpi::topology::SimpleCommunicator;
use mpi::traits::{Communicator, Destination, Source};
use serde::{Deserialize, Serialize};

use super::results::heading;
use super::runner::{Keep, Keeper};
use super::trainings::Trainings;
use super::{Job, Outcome, Row, Shard, Study, StudyError, TrainingFailure, Watch, reader};
use crate::run::{Measurement, RunError};

/// Instead of the number of a training: there is nothing left.
const STOP: u64 = u64::MAX;

/// How often the first process looks for messages. MPI itself would never rest.
const PAUSE: Duration = Duration::from_millis(2);

/// All processes of one `mpirun`.
pub struct Processes {
    world: SimpleCommunicator,
    // Ends the communication when it is dropped.
    _universe: Universe,
}

/// The result of a training on its way.
#[derive(Serialize, Deserialize)]
struct Message {
    number: usize,
    seconds: f64,
    /// Its row of the results, which is exact.
    row: Vec<u8>,
}

impl Processes {
    /// The processes, if there are several.
    pub fn several() -> Option<Self> {
        let universe = mpi::initialize()?;
        let world = universe.world();
        (world.size() > 1).then_some(Processes { world, _universe: universe })
    }

    /// Whether this is the first.
    pub fn is_first(&self) -> bool {
        self.world.rank() == 0
    }

    /// How many do trainings.
    pub fn workers(&self) -> usize {
        self.world.size() as usize - 1
    }

    /// Has a study done by the other processes; to be called by the first.
    ///
    /// # Errors
    /// As [`run`](super::run()); the others then stop.
    pub fn run(
        &self,
        study: &Study,
        folder: &Path,
        shard: Shard,
        interrupt: &AtomicBool,
        watch: &mut dyn Watch,
    ) -> Result<Outcome, StudyError> {
        match Keeper::open(study, folder, shard, self.workers()) {
            Ok(mut keeper) => keeper.keep_all(watch, |left, keep| {
                self.hand_out(&numbers(&shard.jobs(study), left), study, interrupt, keep)
            }),
            Err(error) => {
                let nothing =
                    &mut |_: usize, _: Result<Measurement, TrainingFailure>, _: f64| Ok(());
                self.hand_out(&[], study, interrupt, nothing)?;
                Err(error)
            }
        }
    }

    /// Hands out trainings by their numbers until there are none, and then tells every worker to stop.
    fn hand_out(
        &self,
        numbers: &[usize],
        study: &Study,
        interrupt: &AtomicBool,
        keep: &mut Keep<'_>,
    ) -> Result<(), RunError> {
        let mut next = numbers.iter();
        let mut kept = Ok(());
        let mut working = self.workers();
        while working > 0 {
            let (rank, message) = self.receive();
            if let Some(Message { number, seconds, row }) = message
                && let (Ok(index), Some(outcome), true) =
                    (numbers.binary_search(&number), read(&row, study), kept.is_ok())
            {
                kept = keep(index, outcome, seconds);
            }
            // What cannot be kept need not be computed.
            let goes_on = kept.is_ok() && !interrupt.load(Ordering::Relaxed);
            let number = if goes_on { next.next() } else { None };
            working -= usize::from(number.is_none());
            let number = number.map_or(STOP, |&number| number as u64);
            self.world.process_at_rank(rank).send(&number);
        }
        kept
    }

    /// Waits for a worker; there is no message if it has just begun, or was interrupted.
    fn receive(&self) -> (i32, Option<Message>) {
        loop {
            if let Some(status) = self.world.any_process().immediate_probe() {
                let rank = status.source_rank();
                let (bytes, _) = self.world.process_at_rank(rank).receive_vec::<u8>();
                return (rank, serde_json::from_slice(&bytes).ok());
            }
            std::thread::sleep(PAUSE);
        }
    }

    /// Does trainings until there are none left; to be called by all processes but the first.
    pub fn work(&self, study: &Study, folder: &Path, shard: Shard, interrupt: &AtomicBool) {
        let all = shard.jobs(study);
        let trainings = Trainings::new(study, folder, interrupt);
        let first = self.world.process_at_rank(0);
        let mut done = Vec::new();
        loop {
            first.send(&done[..]);
            let (number, _) = first.receive::<u64>();
            let Some(job) = all.get(number as usize) else { return };
            done = trainings
                .job(job)
                .and_then(|(outcome, seconds)| {
                    let row = Row::new(study, job, outcome).line().ok()?;
                    serde_json::to_vec(&Message { number: number as usize, seconds, row }).ok()
                })
                .unwrap_or_default();
        }
    }
}

/// The numbers of jobs among all, which are in the same order.
fn numbers(all: &[Job], left: &[&Job]) -> Vec<usize> {
    let mut left = left.iter().peekable();
    let mut is_next = |job: &Job| left.next_if(|next| **next == job).is_some();
    all.iter().enumerate().filter(|(_, job)| is_next(job)).map(|(number, _)| number).collect()
}

/// What a row says.
fn read(row: &[u8], study: &Study) -> Option<Result<Measurement, TrainingFailure>> {
    let heading = heading(study.axes.iter().map(|axis| axis.name.as_str()));
    let text = [heading.join(",").as_bytes(), b"\n", row].concat();
    let table = reader::parse(study.path(), &text).ok()?;
    Some(table.rows.into_iter().next()?.outcome)
}
