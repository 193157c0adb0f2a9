//! The `firstspike` command, and work that Ctrl-C can end.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use pyo3::prelude::*;

/// How long Ctrl-C may go unnoticed.
const LOOK: Duration = Duration::from_millis(50);

/// Runs the program with these arguments, of which the first is its name; its exit code.
#[pyfunction]
pub fn run_program(py: Python<'_>, arguments: Vec<String>) -> u8 {
    py.detach(|| firstspike::cli::run(arguments))
}

/// What a worker says on its way.
pub enum Said<E, R> {
    Event(E),
    Done(R),
}

/// Does work on another thread, while this one, the interpreter's, hears of it and looks for Ctrl-C. `hear` is
/// called with every event; if it fails, or Ctrl-C comes, the flag that the work was given is set, and the
/// exception is raised when the work has ended.
pub fn interruptibly<E: Send, R: Send>(
    py: Python<'_>,
    work: impl FnOnce(&AtomicBool, &mpsc::Sender<Said<E, R>>) -> R + Send,
    mut hear: impl FnMut(E) -> PyResult<()>,
) -> (PyResult<()>, Option<R>) {
    let interrupt = AtomicBool::new(false);
    let (sender, receiver) = mpsc::channel();
    let receiver = std::sync::Mutex::new(receiver);
    std::thread::scope(|scope| {
        let flag = &interrupt;
        scope.spawn(move || {
            let result = work(flag, &sender);
            // Whoever waits no longer does not need it.
            let _ = sender.send(Said::Done(result));
        });
        let mut raised = Ok(());
        loop {
            let said = py.detach(|| {
                let receiver = receiver.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                receiver.recv_timeout(LOOK)
            });
            let heard = match said {
                Ok(Said::Done(result)) => return (raised, Some(result)),
                Err(RecvTimeoutError::Disconnected) => return (raised, None),
                Err(RecvTimeoutError::Timeout) => Ok(()),
                Ok(Said::Event(event)) if raised.is_ok() => hear(event),
                Ok(Said::Event(_)) => Ok(()),
            };
            let heard = heard.and_then(|()| py.check_signals());
            if raised.is_ok() && heard.is_err() {
                raised = heard;
                interrupt.store(true, Ordering::Relaxed);
            }
        }
    })
}
