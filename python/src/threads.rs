//! The threads that layers and simulations work on.
//!
//! A process that was forked (a worker of a data loader) has none of its parent's threads, so that the pool
//! belongs to the process that started it.

use std::hint::black_box;
use std::sync::{Arc, Mutex, PoisonError};

use pyo3::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::errors;

struct Pool {
    process: u32,
    pool: Arc<ThreadPool>,
}

static POOL: Mutex<Option<Pool>> = Mutex::new(None);
/// Zero: one for each core.
static THREADS: Mutex<usize> = Mutex::new(0);

/// Threads that cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum ThreadError {
    /// The processor takes the smallest numbers for zero here.
    #[error(
        "this thread flushes denormal numbers to zero (torch.set_flush_denormal?), with which spike times would be \
         wrong: import firstspike before, or leave it out"
    )]
    Flushes,
    /// The system has none.
    #[error("no thread can be started: {0}")]
    Start(#[from] rayon::ThreadPoolBuildError),
}

/// Whether the processor takes denormal numbers for zero on this thread, as it does on those of JAX. The kernels
/// sort times by keys that are such numbers.
fn flushes_denormals() -> bool {
    black_box(f64::MIN_POSITIVE) * black_box(0.5) == 0.0
}

/// The pool, for what is large, or where this thread does not compute with all numbers.
pub fn pool_for(py: Python<'_>, is_large: bool) -> PyResult<Option<Arc<ThreadPool>>> {
    if is_large || flushes_denormals() { pool_of(py).map(Some) } else { Ok(None) }
}

/// The pool, with what keeps it from being had as an exception.
pub fn pool_of(py: Python<'_>) -> PyResult<Arc<ThreadPool>> {
    pool().map_err(|error| errors::failed(py, error))
}

/// Does something on a pool, or on this thread.
pub fn on<R: Send>(pool: Option<&ThreadPool>, work: impl FnOnce() -> R + Send) -> R {
    match pool {
        Some(pool) => pool.install(work),
        None => work(),
    }
}

/// The pool of this process. Its threads compute as the one that started them.
fn pool() -> Result<Arc<ThreadPool>, ThreadError> {
    let process = std::process::id();
    let mut kept = POOL.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = kept.take() {
        if known.process == process {
            let pool = Arc::clone(&known.pool);
            *kept = Some(known);
            return Ok(pool);
        }
        // Its threads are in another process: waiting for them to end would take for ever.
        std::mem::forget(known);
    }
    if flushes_denormals() {
        return Err(ThreadError::Flushes);
    }
    let threads = *THREADS.lock().unwrap_or_else(PoisonError::into_inner);
    let pool = Arc::new(ThreadPoolBuilder::new().num_threads(threads).build()?);
    *kept = Some(Pool { process, pool: Arc::clone(&pool) });
    Ok(pool)
}

/// Starts the pool, if that can be done here; else whoever needs it hears why not.
pub fn start() {
    let _ = pool();
}

/// Has layers, simulations and runs work on so many threads; 0 is one for each core.
#[pyfunction]
pub fn set_threads(py: Python<'_>, count: usize) -> PyResult<()> {
    if count > 1024 {
        return Err(errors::input(py, format!("{count} threads: at most 1024")));
    }
    py.detach(|| {
        *THREADS.lock().unwrap_or_else(PoisonError::into_inner) = count;
        let old = POOL.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(old) = old.filter(|old| old.process != std::process::id()) {
            std::mem::forget(old);
        }
        pool()
    })
    .map(drop)
    .map_err(|error| errors::failed(py, error))
}

/// On how many threads layers, simulations and runs work.
#[pyfunction]
pub fn threads(py: Python<'_>) -> PyResult<usize> {
    Ok(pool_of(py)?.current_num_threads())
}
