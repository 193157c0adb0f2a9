//! What every command needs that works for a while: threads, progress and how it is stopped.

use std::io::IsTerminal;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use clap::Args;

use super::console;
use super::progress::{Bar, Lines, Quiet};
use crate::run::{Progress, RunOptions};

static INTERRUPT: AtomicBool = AtomicBool::new(false);

/// How the work is done; none of it changes a result.
#[derive(Debug, Args)]
pub(super) struct SessionArguments {
    /// Threads to work on [default: all cores]. The results do not depend on it.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
    /// Show no progress; warnings and the result are still shown.
    #[arg(long, short)]
    quiet: bool,
    /// Shortest time between two checkpoints of a training; 0 for one after every epoch.
    #[arg(long, value_name = "SECONDS", default_value = "5", value_parser = seconds)]
    checkpoint_every: Duration,
}

fn seconds(text: &str) -> Result<Duration, String> {
    text.parse()
        .ok()
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .ok_or_else(|| "it must be a number of seconds, 0 or above".to_owned())
}

/// Threads, progress and interrupts of one command.
pub(super) struct Session {
    pool: rayon::ThreadPool,
    quiet: bool,
    checkpoint_every: Duration,
}

impl Session {
    /// Starts the threads and listens for interrupts.
    pub fn new(arguments: &SessionArguments) -> Result<Self, String> {
        let pool = Self::threads(arguments.threads)?;
        listen_for_interrupt();
        let SessionArguments { quiet, checkpoint_every, .. } = *arguments;
        Ok(Session { pool, quiet, checkpoint_every })
    }

    /// So many threads, or one for each core.
    pub fn threads(threads: Option<u16>) -> Result<rayon::ThreadPool, String> {
        let threads = threads.map_or(0, usize::from);
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        pool.map_err(|error| format!("cannot start {threads} threads: {error}"))
    }

    /// Works on the session's threads.
    pub fn install<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        self.pool.install(work)
    }

    /// Options of a run into a folder, in which it may replace what is another run's.
    pub fn options(&self, out: PathBuf, overwrite: bool) -> RunOptions<'static> {
        let checkpoint_every = self.checkpoint_every;
        RunOptions { out, interrupt: &INTERRUPT, checkpoint_every, overwrite }
    }

    /// What shows the progress of one run.
    pub fn progress(&self) -> Box<dyn Progress> {
        if self.quiet {
            Box::new(Quiet)
        } else if std::io::stderr().is_terminal() {
            Box::new(Bar::new())
        } else {
            Box::new(Lines::new())
        }
    }

    /// Whether nothing but warnings and results is to be shown.
    pub fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// Whether it was asked to end.
    pub fn is_interrupted(&self) -> bool {
        INTERRUPT.load(Ordering::Relaxed)
    }
}

/// The first interrupt asks the run to end, the second ends the program.
fn interrupt() {
    if INTERRUPT.swap(true, Ordering::Relaxed) {
        std::process::exit(130);
    }
    console::err!("\ninterrupted: writing what there is (Ctrl-C again to stop at once)");
}

/// Listens for Ctrl-C, and for what a batch system sends some time before it kills (SIGTERM). SIGHUP is
/// left as it is: `nohup` has it ignored.
fn listen_for_interrupt() {
    if let Err(error) = ctrlc::set_handler(interrupt) {
        console::err!("warning: Ctrl-C will stop at once, without writing results: {error}");
    }
    #[cfg(unix)]
    match signal_hook::iterator::Signals::new([signal_hook::consts::SIGTERM]) {
        Ok(mut signals) => {
            std::thread::spawn(move || signals.forever().for_each(|_| interrupt()));
        }
        Err(error) => {
            console::err!("warning: SIGTERM will stop at once, without writing results: {error}");
        }
    }
}
