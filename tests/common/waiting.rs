//! Waits for what another process does.

use std::time::{Duration, Instant};

/// No test depends on how long something takes; this only ends one that would wait for ever.
const PATIENCE: Duration = Duration::from_secs(600);

/// Waits until `look` finds something.
///
/// # Panics
/// With the words of `missing`, if it never does.
pub fn wait_for<T>(mut look: impl FnMut() -> Option<T>, missing: impl FnOnce() -> String) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        if start.elapsed() > PATIENCE {
            panic!("waited in vain: {}", missing());
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}
