//! Getting the files of a data set, and making sure that they are the right ones.
//!
//! A file is downloaded as `<name>.partial` beside its place. If that breaks off, the next attempt
//! goes on from there, where the server can; otherwise it starts again. A file gets its name once
//! its checksum is right, so whatever has its name is whole.

use std::error::Error;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use sha2::{Digest, Sha256};

use super::catalogue::{CatalogueFile, Checksum, Collection};
use super::{DataProblem, idx};

/// How long a server may take to connect, and to send anything.
const PATIENCE: Duration = Duration::from_secs(60);

/// A file that could not be had. What was there before is as it was.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FetchError {
    /// The server cannot be reached.
    #[error("cannot get {url}: {source}")]
    Server {
        /// The address.
        url: String,
        /// What happened.
        source: Box<dyn Error + Send + Sync>,
    },
    /// The server refuses.
    #[error("cannot get {url}: the server says {status} {reason}")]
    Refused {
        /// The address.
        url: String,
        /// The status of its answer.
        status: u16,
        /// The status in words.
        reason: &'static str,
    },
    /// The connection ended too early.
    #[error(
        "{url}: broken off after {received} bytes: {source}; what is there is kept, and the same \
         command goes on from it"
    )]
    BrokenOff {
        /// The address.
        url: String,
        /// Bytes that are there.
        received: u64,
        /// What happened.
        source: io::Error,
    },
    /// What the server has is not the file.
    #[error("{url} is not the right file: {problem}; it was deleted")]
    Wrong {
        /// The address.
        url: String,
        /// What is wrong.
        problem: WrongFile,
    },
    /// Another file is in the place of the one to be fetched, and would be read before it.
    #[error("{}: {problem}: remove it to fetch it again", path.display())]
    InTheWay {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: WrongFile,
    },
    /// A file or folder on this side cannot be used.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// What is in the place of a file.
#[derive(Debug)]
pub enum State {
    /// Nothing.
    Missing,
    /// The right file.
    Verified,
    /// The uncompressed file, of the right form; its checksum is known only of the compressed one.
    Plausible,
    /// Something else.
    Wrong(WrongFile),
}

/// What is wrong with a file that was to be another.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WrongFile {
    /// It has another form.
    #[error("{0}")]
    Form(DataProblem),
    /// It has the form, but other bytes.
    #[error("its SHA-256 is {found}, not {expected}")]
    Checksum {
        /// Its SHA-256 in hexadecimal digits.
        found: String,
        /// The right one.
        expected: String,
    },
    /// It cannot be read.
    #[error("{0}")]
    Unreadable(io::Error),
}

/// Hears how a download goes.
pub trait FetchProgress {
    /// A file is begun, of which some bytes are there; its size, if the server says it.
    fn begin(&mut self, _name: &str, _already: u64, _size: Option<u64>) {}
    /// So many bytes are there.
    fn received(&mut self, _bytes: u64) {}
    /// A file is in its place; whether it was there before.
    fn done(&mut self, _name: &str, _before: bool) {}
}

/// Says what is in the places of all files of a data set, in the folder.
pub fn verify(collection: &Collection, folder: &Path) -> Vec<(PathBuf, State)> {
    collection.files.iter().map(|file| verify_file(file, folder)).collect()
}

/// Looks for a file, compressed or not.
fn verify_file(file: &CatalogueFile, folder: &Path) -> (PathBuf, State) {
    let compressed = folder.join(&file.name);
    let plain = folder.join(file.name.trim_end_matches(".gz"));
    // The plain one is what a scenario reads if both are there.
    match [plain, compressed.clone()].into_iter().find(|path| path.exists()) {
        None => (compressed, State::Missing),
        Some(path) => {
            let state = check(file, &path);
            (path, state)
        }
    }
}

/// Compares a file with what is known of it.
fn check(file: &CatalogueFile, path: &Path) -> State {
    if let Err(error) = idx::read(path, file.dimensions.len()).and_then(|found| {
        if found.dimensions == file.dimensions {
            return Ok(());
        }
        let (found, expected) = (found.dimensions, file.dimensions.clone());
        Err(DataProblem::Dimensions { found, expected }.of(path))
    }) {
        return State::Wrong(WrongFile::Form(error.problem));
    }
    let (content, expected) = match &file.checksum {
        Checksum::Content(expected) => (idx::open(path), expected),
        Checksum::Compressed(expected) => {
            if path.extension().is_none_or(|ending| ending != "gz" && ending != "partial") {
                return State::Plausible;
            }
            (File::open(path).map(|file| Box::new(file) as Box<dyn Read + Send>), expected)
        }
    };
    match content.and_then(checksum) {
        Ok(found) if found == *expected => State::Verified,
        Ok(found) => State::Wrong(WrongFile::Checksum { found, expected: expected.clone() }),
        Err(error) => State::Wrong(WrongFile::Unreadable(error)),
    }
}

/// The SHA-256 of what can be read, in hexadecimal digits.
pub(crate) fn checksum(mut content: impl Read) -> io::Result<String> {
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        let count = content.read(&mut buffer)?;
        if count == 0 {
            return Ok(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect());
        }
        hash.update(&buffer[..count]);
    }
}

/// Downloads what is missing or wrong of a data set into the folder, from its own address or from
/// a mirror, which has files of the same names.
///
/// # Errors
/// If a file cannot be had or is not the right one. Files that came before it are in their places.
pub fn fetch(
    collection: &Collection,
    folder: &Path,
    mirror: Option<&str>,
    progress: &mut dyn FetchProgress,
) -> Result<(), FetchError> {
    let wrap = |source| FetchError::File { path: folder.to_owned(), source };
    fs::create_dir_all(folder).map_err(wrap)?;
    // The server's bytes as they are: a compressed file must not be unpacked on the way.
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .accept_encoding("identity")
        .timeout_connect(Some(PATIENCE))
        .timeout_recv_response(Some(PATIENCE))
        .timeout_per_read(Some(PATIENCE))
        .build()
        .into();
    let base = mirror.unwrap_or(&collection.url).trim_end_matches('/');
    for file in &collection.files {
        let (path, state) = verify_file(file, folder);
        match state {
            State::Verified | State::Plausible => {
                progress.done(&file.name, true);
                continue;
            }
            // A wrong plain file would go before the right compressed one.
            State::Wrong(problem) if path.extension().is_none_or(|ending| ending != "gz") => {
                return Err(FetchError::InTheWay { path, problem });
            }
            State::Wrong(_) | State::Missing => {}
        }
        let download = Download {
            agent: &agent,
            url: format!("{base}/{}", file.name),
            partial: folder.join(format!("{}.partial", file.name)),
            file,
        };
        download.run(&folder.join(&file.name), progress)?;
        progress.done(&file.name, false);
    }
    Ok(())
}

/// One file on its way.
struct Download<'a> {
    agent: &'a ureq::Agent,
    url: String,
    partial: PathBuf,
    file: &'a CatalogueFile,
}

impl Download<'_> {
    fn run(&self, place: &Path, progress: &mut dyn FetchProgress) -> Result<(), FetchError> {
        let already = fs::metadata(&self.partial).map_or(0, |found| found.len());
        let mut state = if already > 0 { check(self.file, &self.partial) } else { State::Missing };
        if !matches!(state, State::Verified) {
            let resumed = self.receive(already, progress)?;
            state = check(self.file, &self.partial);
            // The beginning may be from another mirror, which packs the file in its own way.
            if resumed && !matches!(state, State::Verified) {
                self.delete()?;
                self.receive(0, progress)?;
                state = check(self.file, &self.partial);
            }
        }
        match state {
            State::Wrong(problem) => {
                self.delete()?;
                Err(FetchError::Wrong { url: self.url.clone(), problem })
            }
            _ => fs::rename(&self.partial, place).map_err(|source| self.file_error(source)),
        }
    }

    /// Gets the bytes after the first `already`, or all if the server sends no others. Whether it
    /// went on from what was there.
    fn receive(&self, already: u64, progress: &mut dyn FetchProgress) -> Result<bool, FetchError> {
        let mut request = self.agent.get(&self.url);
        if already > 0 {
            request = request.header("Range", format!("bytes={already}-"));
        }
        let mut response = request
            .call()
            .map_err(|error| FetchError::Server { url: self.url.clone(), source: error.into() })?;
        let status = response.status().as_u16();
        let goes_on = status == 206 && starts_at(&response, already);
        if already > 0 && !goes_on && (status == 206 || status == 416) {
            // There is nothing after what is there, so it is not a beginning of this file.
            self.delete()?;
            return self.receive(0, progress);
        }
        if status != 200 && !goes_on {
            let reason = response.status().canonical_reason().unwrap_or("");
            return Err(FetchError::Refused { url: self.url.clone(), status, reason });
        }
        let mut received = if goes_on { already } else { 0 };
        let size = response.body().content_length().map(|rest| rest + received);
        let mut output = OpenOptions::new()
            .create(true)
            .write(true)
            .append(goes_on)
            .truncate(!goes_on)
            .open(&self.partial)
            .map_err(|source| self.file_error(source))?;
        progress.begin(&self.file.name, received, size);
        let mut body = response.body_mut().as_reader();
        let mut buffer = vec![0; 1 << 16];
        loop {
            let count = body.read(&mut buffer).map_err(|source| FetchError::BrokenOff {
                url: self.url.clone(),
                received,
                source,
            })?;
            if count == 0 {
                break;
            }
            output.write_all(&buffer[..count]).map_err(|source| self.file_error(source))?;
            received += count as u64;
            progress.received(received);
        }
        match size {
            Some(announced) if announced != received => {
                let message = format!("the server announced {announced} bytes");
                let source = io::Error::new(io::ErrorKind::UnexpectedEof, message);
                Err(FetchError::BrokenOff { url: self.url.clone(), received, source })
            }
            _ => Ok(goes_on),
        }
    }

    fn delete(&self) -> Result<(), FetchError> {
        fs::remove_file(&self.partial).map_err(|source| self.file_error(source))
    }

    fn file_error(&self, source: io::Error) -> FetchError {
        FetchError::File { path: self.partial.clone(), source }
    }
}

/// Whether a partial answer begins where it was asked to.
fn starts_at(response: &ureq::http::Response<ureq::Body>, start: u64) -> bool {
    let range = response.headers().get("content-range").and_then(|value| value.to_str().ok());
    range.is_some_and(|range| range.trim().starts_with(&format!("bytes {start}-")))
}
