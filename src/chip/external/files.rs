//! The files of an exchange, in a folder that one substrate has at a time.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::chip::{AnswerProblem, ProgramFailure, SubstrateError};

/// More substrates at once than this are surely a mistake.
const MOST_FOLDERS: usize = 10_000;

/// The files of an exchange. Absolute.
#[derive(Debug)]
pub(super) struct ExchangeFiles {
    pub network: PathBuf,
    pub weights: PathBuf,
    pub stimulus: PathBuf,
    pub spikes: PathBuf,
    /// Held until the exchange is over.
    _lock: File,
}

impl ExchangeFiles {
    /// Takes the folder, or, where another substrate has it, `<folder>_2`, `<folder>_3`, …: the trainings of
    /// a study run side by side.
    ///
    /// # Errors
    /// If the folder is a link, or cannot be made or written into.
    pub fn claim(folder: &Path) -> Result<Self, SubstrateError> {
        let folder = std::path::absolute(folder).map_err(SubstrateError::file(folder))?;
        for number in 1..=MOST_FOLDERS {
            let mut name = folder.clone().into_os_string();
            if number > 1 {
                name.push(format!("_{number}"));
            }
            let folder = PathBuf::from(name);
            if let Some(files) = Self::take(&folder).map_err(SubstrateError::file(&folder))? {
                return Ok(files);
            }
        }
        let taken = io::Error::other(format!("{MOST_FOLDERS} folders of this name are in use"));
        Err(SubstrateError::file(folder)(taken))
    }

    /// Takes the folder; none if another substrate has it.
    fn take(folder: &Path) -> io::Result<Option<Self>> {
        if fs::symlink_metadata(folder).is_ok_and(|found| found.is_symlink()) {
            return Err(io::Error::other("it is a symbolic link: remove it"));
        }
        fs::create_dir_all(folder)?;
        let file = |name: &str| folder.join(name);
        // The system lets go of it when the process ends, however that is. Where files cannot be locked,
        // two substrates in one folder are for the user to avoid.
        let lock = file(".lock");
        if fs::symlink_metadata(&lock).is_ok_and(|found| !found.is_file()) {
            return Err(io::Error::other("its .lock is not a file: remove it"));
        }
        let lock = OpenOptions::new().write(true).create(true).truncate(false).open(lock)?;
        if let Err(TryLockError::WouldBlock) = lock.try_lock() {
            return Ok(None);
        }
        Ok(Some(ExchangeFiles {
            network: file("network.csv"),
            weights: file("weights.csv"),
            stimulus: file("stimulus.csv"),
            spikes: file("spikes.csv"),
            _lock: lock,
        }))
    }

    /// Removes the answer to an earlier batch.
    pub fn forget_answer(&self) -> Result<(), ProgramFailure> {
        remove(&self.spikes).map_err(ProgramFailure::file(&self.spikes))
    }

    /// Opens the answer. What is no file is refused: a pipe would keep us waiting, a device has no end.
    pub fn open_answer(&self) -> Result<File, ProgramFailure> {
        let path = &self.spikes;
        let missing =
            |source| ProgramFailure::NoFile { path: path.clone(), source: Arc::new(source) };
        let mut options = OpenOptions::new();
        options.read(true);
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt;
            // A pipe without a writer is opened at once, too.
            options.custom_flags(nix::libc::O_NONBLOCK | nix::libc::O_NOCTTY);
        }
        let mut file = options.open(path).map_err(missing)?;
        if !file.metadata().map_err(missing)?.is_file() {
            return Err(ProgramFailure::NotAFile { path: path.clone() });
        }
        let problem = |problem| ProgramFailure::AnswerFile { path: path.clone(), problem };
        ends_with_line(&mut file).map_err(problem)?;
        Ok(file)
    }
}

/// Writes a new file in place of what is there. A link is replaced, not followed.
pub(super) fn write_anew(path: &Path, content: &str) -> io::Result<()> {
    remove(path)?;
    File::create_new(path)?.write_all(content.as_bytes())
}

/// Removes a file, if there is one.
fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// An answer whose last line is not ended may be one that was cut off within a number.
fn ends_with_line(file: &mut File) -> Result<(), AnswerProblem> {
    let mut last = [0];
    let mut read = |file: &mut File| {
        if file.seek(SeekFrom::End(0))? > 0 {
            file.seek(SeekFrom::End(-1))?;
            file.read_exact(&mut last)?;
        }
        file.rewind()
    };
    read(file).map_err(|source| AnswerProblem::Unreadable(Arc::new(source)))?;
    match last[0] {
        b'\n' => Ok(()),
        0 => Err(AnswerProblem::Empty),
        _ => Err(AnswerProblem::FileCutOff),
    }
}
