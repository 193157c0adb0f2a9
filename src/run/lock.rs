//! A lock that one process holds at a time: whoever writes results into a folder has it.
//!
//! It is a file that the system locks. The system lets go of it when the process ends, however that
//! is; a file that a killed process left behind is taken over by the next.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

/// A lock that is held until it is dropped.
#[derive(Debug)]
pub(crate) struct Lock {
    path: PathBuf,
    file: File,
}

impl Lock {
    /// Takes the lock of this path; none if another process has it. Where files cannot be locked, two
    /// processes at once are for the user to avoid.
    ///
    /// # Errors
    /// If the file cannot be made or opened, or is a symbolic link.
    pub fn take(path: &Path) -> io::Result<Option<Lock>> {
        loop {
            let file = open(path)?;
            if let Err(TryLockError::WouldBlock) = file.try_lock() {
                return Ok(None);
            }
            if is_at(&file, path) {
                return Ok(Some(Lock { path: path.to_owned(), file }));
            }
        }
    }

    /// Takes the lock of this path, and waits for it if need be.
    ///
    /// # Errors
    /// As [`Self::take`].
    pub fn wait(path: &Path) -> io::Result<Lock> {
        loop {
            let file = open(path)?;
            // As above.
            let _ = file.lock();
            if is_at(&file, path) {
                return Ok(Lock { path: path.to_owned(), file });
            }
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Before anyone else has it: who waits for it finds that the file is gone, and makes another.
        if cfg!(unix) {
            let _ = fs::remove_file(&self.path);
        }
        let _ = self.file.unlock();
    }
}

fn open(path: &Path) -> io::Result<File> {
    if fs::symlink_metadata(path).is_ok_and(|found| found.is_symlink()) {
        return Err(io::Error::other("it is a symbolic link: remove it"));
    }
    OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)
}

/// Whether the file is still what the path names: whoever had the lock before may have removed it.
#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    match (file.metadata(), fs::symlink_metadata(path)) {
        (Ok(own), Ok(there)) => (own.dev(), own.ino()) == (there.dev(), there.ino()),
        _ => false,
    }
}

#[cfg(not(unix))]
fn is_at(_file: &File, _path: &Path) -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_has_it_and_nothing_is_left_behind() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join(".lock");
        let first = Lock::take(&path).expect("a file").expect("free");
        assert!(Lock::take(&path).expect("a file").is_none());
        drop(first);
        assert!(!path.exists());
        // As a process leaves it that is killed.
        fs::write(&path, "").expect("writable");
        let second = Lock::wait(&path).expect("a file");
        assert!(Lock::take(&path).expect("a file").is_none());
        drop(second);
        assert_eq!(fs::read_dir(folder.path()).expect("there").count(), 0);
    }

    #[test]
    fn threads_hold_it_one_after_the_other() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (path, held) = (folder.path().join(".lock"), std::sync::Mutex::new(()));
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..50 {
                        let _lock = Lock::wait(&path).expect("a file");
                        drop(held.try_lock().expect("nobody else is here"));
                    }
                });
            }
        });
    }

    #[cfg(unix)]
    #[test]
    fn a_link_is_not_followed() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (path, aim) = (folder.path().join(".lock"), folder.path().join("aim"));
        std::os::unix::fs::symlink(&aim, &path).expect("a link");
        assert!(Lock::take(&path).is_err() && !aim.exists());
    }
}
