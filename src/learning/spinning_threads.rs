//! Threads that spin between batches.
//!
//! A thread of the pool that finds no work for some microseconds goes to sleep, and to wake it takes
//! longer than a small network needs for a batch. So while an epoch is trained the others spin: they look
//! for work again and again. Where they find none they let the threads of other programs go first.

use std::sync::atomic::{AtomicBool, Ordering};

/// Somebody's threads spin. If two shared a pool, each would wait for the end of the other's work.
static TAKEN: AtomicBool = AtomicBool::new(false);

/// Runs when it goes out of scope, also if something panics.
struct OnDrop<F: FnMut()>(F);

impl<F: FnMut()> Drop for OnDrop<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

/// Does some work on the present thread while all others of its pool spin. Nothing is different on a
/// thread of no pool, in a pool of one, or while other threads spin already.
pub(super) fn with_spinning_threads<R>(work: impl FnOnce() -> R) -> R {
    let here = rayon::current_thread_index();
    let is_alone = here.is_none() || rayon::current_num_threads() < 2;
    if is_alone || TAKEN.swap(true, Ordering::Acquire) {
        return work();
    }
    let _taken = OnDrop(|| TAKEN.store(false, Ordering::Release));
    let is_over = AtomicBool::new(false);
    rayon::in_place_scope(|scope| {
        // This thread may come upon its own copy while it waits for others: it is over at once.
        scope.spawn_broadcast(|_, context| {
            while Some(context.index()) != here && !is_over.load(Ordering::Relaxed) {
                if rayon::yield_now() != Some(rayon::Yield::Executed) {
                    std::thread::yield_now();
                }
            }
        });
        let _over = OnDrop(|| is_over.store(true, Ordering::Relaxed));
        work()
    })
}

#[cfg(test)]
mod tests {
    use rayon::prelude::*;

    use super::*;

    fn sum() -> usize {
        (0..1000).into_par_iter().with_max_len(1).sum()
    }

    #[test]
    fn work_is_done_in_any_pool_beside_other_work_and_after_a_panic() {
        assert_eq!(with_spinning_threads(sum), 499_500);
        for threads in [1, 2, 5] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
            pool.expect("threads").install(|| {
                let nested = || with_spinning_threads(|| sum() + with_spinning_threads(sum));
                let (some, others) = rayon::join(nested, nested);
                assert_eq!((some, others), (999_000, 999_000));
                let failing = || with_spinning_threads(|| assert_eq!(sum(), 0));
                assert!(std::panic::catch_unwind(failing).is_err());
                assert_eq!(nested(), 999_000);
            });
        }
    }
}
