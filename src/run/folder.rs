//! The folder that a run writes into.

use std::fs::{self, File};
use std::io::{self, BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::{FolderError, RunError};
use crate::report::html::{self, ReportData};

/// A folder whose files appear whole or not at all.
#[derive(Clone, Debug)]
pub struct OutputFolder {
    path: PathBuf,
}

impl OutputFolder {
    /// Name of the report.
    pub const REPORT: &str = "report.html";

    /// Makes the folder if need be, and makes sure that files can be written there.
    ///
    /// # Errors
    /// If it cannot be made or written into.
    pub fn create(path: &Path) -> Result<Self, RunError> {
        let folder = Self::make(path)?;
        // Another process may be looking at the same time.
        let probe = path.join(format!(".writable.{}.partial", std::process::id()));
        let written = new_file(&probe).and_then(|_| fs::remove_file(&probe));
        written.map_err(|source| unusable(path, source))?;
        Ok(folder)
    }

    /// Makes the folder if need be.
    pub(super) fn make(path: &Path) -> Result<Self, RunError> {
        fs::create_dir_all(path).map_err(|source| unusable(path, source))?;
        Ok(OutputFolder { path: path.to_owned() })
    }

    /// Where a file of this name is or will be.
    pub fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Writes a value as a JSON file.
    ///
    /// # Errors
    /// If writing fails; the file is then as it was before.
    pub fn write_json(&self, name: &str, value: &impl Serialize) -> Result<(), RunError> {
        self.write(name, |file| {
            serde_json::to_writer_pretty(&mut *file, value)?;
            writeln!(file)
        })
    }

    /// Writes a report as `report.html`.
    ///
    /// # Errors
    /// If writing fails; the file is then as it was before.
    pub fn write_report(&self, data: &ReportData) -> Result<(), RunError> {
        let page = html::report(data).map_err(RunError::Page)?;
        self.write(Self::REPORT, |file| file.write_all(page.as_bytes()))
    }

    /// Writes a file beside its place and renames it once it is complete; returns what `content` does.
    ///
    /// # Errors
    /// If writing fails; the file is then as it was before.
    pub fn write<T>(
        &self,
        name: &str,
        content: impl FnOnce(&mut BufWriter<File>) -> io::Result<T>,
    ) -> Result<T, RunError> {
        let partial = self.partial(name);
        let complete = || {
            let mut writer = BufWriter::new(new_file(&partial)?);
            let outcome = content(&mut writer)?;
            writer.flush()?;
            drop(writer);
            fs::rename(&partial, self.file(name))?;
            Ok(outcome)
        };
        complete().map_err(|source: io::Error| {
            // The write has failed already; a leftover is no second failure.
            let _ = fs::remove_file(&partial);
            let path = self.file(name);
            match source.kind() {
                ErrorKind::IsADirectory => FolderError::Unusable { path, source }.into(),
                _ => RunError::Output { path, source },
            }
        })
    }

    /// Removes a file, if it is there, and what a killed run may have left of it.
    ///
    /// # Errors
    /// If it is there and cannot be removed.
    pub fn remove(&self, name: &str) -> Result<(), RunError> {
        for path in [self.partial(name), self.file(name)] {
            match fs::remove_file(&path) {
                Err(source) if source.kind() != ErrorKind::NotFound => {
                    return Err(RunError::Output { path, source });
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn partial(&self, name: &str) -> PathBuf {
        self.path.join(format!(".{name}.partial"))
    }
}

/// Why a folder cannot be used: it is the wrong one, unless the disk is full.
pub(super) fn unusable(path: &Path, source: io::Error) -> RunError {
    let path = path.to_owned();
    match source.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => RunError::Output { path, source },
        _ => FolderError::Unusable { path, source }.into(),
    }
}

/// A new file in place of what a killed process may have left there. A link is replaced, not followed.
fn new_file(path: &Path) -> io::Result<File> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => File::create_new(path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_write_leaves_the_old_file_and_no_other() {
        let place = tempfile::tempdir().expect("a temporary folder");
        let folder = OutputFolder::create(&place.path().join("a/b")).expect("writable");
        folder.write("x.txt", |file| write!(file, "old")).expect("writable");
        let failed = folder.write("x.txt", |file| -> io::Result<()> {
            write!(file, "new")?;
            Err(io::Error::other("disk full"))
        });
        assert!(failed.expect_err("failed").to_string().contains("x.txt: disk full"));
        assert_eq!(fs::read_to_string(folder.file("x.txt")).expect("there"), "old");
        assert_eq!(fs::read_dir(place.path().join("a/b")).expect("there").count(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn links_are_replaced_and_not_followed() {
        let place = tempfile::tempdir().expect("a temporary folder");
        let folder = OutputFolder::create(&place.path().join("run")).expect("writable");
        let aim = place.path().join("aim.txt");
        fs::write(&aim, "mine").expect("writable");
        for name in ["x.txt", ".x.txt.partial"] {
            std::os::unix::fs::symlink(&aim, folder.file(name)).expect("a link");
        }
        folder.write("x.txt", |file| write!(file, "new")).expect("writable");
        assert_eq!(fs::read_to_string(folder.file("x.txt")).expect("there"), "new");
        assert_eq!(fs::read_to_string(&aim).expect("there"), "mine");
        assert!(!fs::symlink_metadata(folder.file("x.txt")).expect("there").is_symlink());
    }
}
