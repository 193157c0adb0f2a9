//! A file as blocks of whole lines, unpacked if it is packed.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use memchr::{memchr, memchr_iter, memrchr};

use super::super::{FormProblem, TraceError};
use crate::table::unpacked;

/// Bytes that are read at once.
const BLOCK: usize = 1 << 20;

/// No line of a trace is longer than this.
const LONGEST_LINE: usize = 1 << 20;

/// Whole lines of a file.
pub(super) struct Block {
    /// The lines; all but the last of the file end with a line feed.
    pub bytes: Vec<u8>,
    /// Line in the file of the first.
    pub first_line: u64,
}

/// A file being read.
pub(super) struct Blocks {
    path: PathBuf,
    input: Box<dyn Read + Send>,
    /// The start of a line whose end has not been read.
    rest: Vec<u8>,
    /// Line of the next block.
    line: u64,
    ended: bool,
    truncated: bool,
    /// Whether lines end with a carriage return alone, as on an old Macintosh.
    ends_with_cr: bool,
}

/// Beginnings of files that hold spikes in other forms, and what to do about them.
const OTHER_FORMS: [(&[u8], &str); 12] = [
    (b"{", "JSON: write its times and neurons as CSV"),
    (b"[", "JSON: write its times and neurons as CSV"),
    (b"\x89HDF", "an HDF5 file: call it .h5, or give --format sonata, shd or nirdata"),
    (
        b"\x93NUMPY",
        "a NumPy file: call it .npy, or give --format npy, and --neuron-file for that of the neurons",
    ),
    (b"PK\x03\x04", "a ZIP archive: unpack it, or pack the trace with gzip"),
    (b"\x28\xb5\x2f\xfd", "packed with zstd: unpack it, or pack the trace with gzip"),
    (b"\xfd7zXZ", "packed with xz: unpack it, or pack the trace with gzip"),
    (b"BZh", "packed with bzip2: unpack it, or pack the trace with gzip"),
    (b"PAR1", "a Parquet file: write its times and neurons as CSV"),
    (b"\x80\x04\x95", "a Python pickle: write its times and neurons as CSV"),
    (b"\xff\xfe", "in UTF-16: write it in UTF-8"),
    (b"\xfe\xff", "in UTF-16: write it in UTF-8"),
];

impl Blocks {
    /// Opens a file, or standard input for `-`.
    pub fn open(path: &Path) -> Result<Self, TraceError> {
        let wrap = |source| TraceError::Read { path: path.to_owned(), source };
        if path == Path::new("-") {
            return Self::new("standard input".into(), io::stdin());
        }
        let file = File::open(path).map_err(wrap)?;
        if file.metadata().map_err(wrap)?.is_dir() {
            let trace = path.join("spikes.csv");
            let problem = if trace.is_file() {
                FormProblem::FolderOfTrace { trace }
            } else {
                FormProblem::Folder
            };
            return Err(TraceError::Form { path: path.to_owned(), line: None, problem });
        }
        Self::new(path.to_owned(), file)
    }

    fn new(path: PathBuf, raw: impl Read + Send + 'static) -> Result<Self, TraceError> {
        let input = match unpacked(raw) {
            Ok(input) => input,
            Err(source) => return Err(TraceError::Read { path, source }),
        };
        let mut blocks = Blocks {
            path,
            input,
            rest: Vec::new(),
            line: 1,
            ended: false,
            truncated: false,
            ends_with_cr: false,
        };
        blocks.fill(4096)?;
        // Other forms have NUL bytes at their start, and names that say more than these.
        blocks.refuse_other_forms()?;
        blocks.refuse_nul(0)?;
        blocks.refuse_binary()?;
        blocks.ends_with_cr = ends_with_cr(&blocks.rest);
        blocks.end_lines(0);
        if blocks.rest.starts_with(b"\xef\xbb\xbf") {
            blocks.rest.drain(..3);
        }
        Ok(blocks)
    }

    /// The file, for messages.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// If a packed file ends too early, its last line that is whole.
    pub fn truncated_after(&self) -> Option<u64> {
        self.truncated.then(|| self.line.saturating_sub(1).max(1))
    }

    /// A complaint about the form of the file.
    pub fn form(&self, line: Option<u64>, problem: FormProblem) -> TraceError {
        TraceError::Form { path: self.path.clone(), line, problem }
    }

    /// Up to `count` blocks; none at the end of the file.
    pub fn take(&mut self, count: usize) -> Result<Vec<Block>, TraceError> {
        std::iter::from_fn(|| self.next().transpose()).take(count).collect()
    }

    /// The next block.
    pub fn next(&mut self) -> Result<Option<Block>, TraceError> {
        let end = loop {
            if self.ended {
                break self.rest.len();
            }
            if self.rest.len() >= BLOCK {
                match memrchr(b'\n', &self.rest) {
                    Some(end) => break end + 1,
                    None if self.rest.len() > LONGEST_LINE => {
                        return Err(self.form(Some(self.line), FormProblem::LongLine));
                    }
                    None => {}
                }
            }
            self.read_more(BLOCK)?;
        };
        // What is left of a line in a packed file that was cut off is not sound.
        let sound =
            if self.truncated { memrchr(b'\n', &self.rest).map_or(0, |at| at + 1) } else { end };
        let after = self.rest[end..].to_vec();
        let mut bytes = std::mem::replace(&mut self.rest, after);
        bytes.truncate(sound);
        if bytes.is_empty() {
            return Ok(None);
        }
        let first_line = self.line;
        self.line += memchr_iter(b'\n', &bytes).count() as u64;
        Ok(Some(Block { bytes, first_line }))
    }

    /// Reads up to so many more bytes, fewer only at the end of the file, and makes sure that they are text.
    fn read_more(&mut self, count: usize) -> Result<(), TraceError> {
        let before = self.rest.len();
        self.fill(count)?;
        self.refuse_nul(before)?;
        self.end_lines(before);
        Ok(())
    }

    /// Reads up to so many more bytes, fewer only at the end of the file.
    fn fill(&mut self, count: usize) -> Result<(), TraceError> {
        self.rest.reserve(count);
        let read = self.input.by_ref().take(count as u64).read_to_end(&mut self.rest);
        match read {
            Ok(read) => self.ended = read < count,
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                (self.ended, self.truncated) = (true, true);
            }
            Err(source) => {
                let corrupt = matches!(
                    source.kind(),
                    io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData
                );
                if !corrupt {
                    return Err(TraceError::Read { path: self.path.clone(), source });
                }
                let line = self.line + memchr_iter(b'\n', &self.rest).count() as u64;
                return Err(self.form(Some(line), FormProblem::DamagedGzip(source)));
            }
        }
        Ok(())
    }

    /// Refuses NUL bytes. Sparse files and disks that went wrong are full of these; nobody should wait for
    /// their end.
    fn refuse_nul(&self, before: usize) -> Result<(), TraceError> {
        match memchr(0, &self.rest[before..]) {
            None => Ok(()),
            Some(at) => {
                let line = self.line + memchr_iter(b'\n', &self.rest[..before + at]).count() as u64;
                Err(self.form(Some(line), FormProblem::NulByte))
            }
        }
    }

    /// Ends lines with line feeds, from this byte on.
    fn end_lines(&mut self, before: usize) {
        if self.ends_with_cr {
            let returns = self.rest[before..].iter_mut().filter(|byte| **byte == b'\r');
            returns.for_each(|byte| *byte = b'\n');
        }
    }

    fn refuse_other_forms(&self) -> Result<(), TraceError> {
        let start = &self.rest;
        for (magic, form) in OTHER_FORMS {
            if start.starts_with(magic) {
                return Err(self.form(None, FormProblem::OtherForm { form }));
            }
        }
        Ok(())
    }

    fn refuse_binary(&self) -> Result<(), TraceError> {
        let start = &self.rest;
        let control = |byte: &u8| *byte < 0x20 && !b"\t\n\r\x0c".contains(byte);
        let invalid = std::str::from_utf8(start).is_err_and(|error| error.error_len().is_some());
        if let Some(at) = start.iter().position(control) {
            let line = 1 + memchr_iter(b'\n', &start[..at]).count() as u64;
            return Err(self.form(Some(line), FormProblem::Binary));
        }
        // Latin-1 is text, too: only its letters are wrong, as in "µs".
        let strange = start.iter().filter(|byte| !byte.is_ascii()).count();
        if invalid && 4 * strange > start.len() {
            return Err(self.form(None, FormProblem::Binary));
        }
        Ok(())
    }
}

/// Whether lines that begin like this end with a carriage return alone.
fn ends_with_cr(start: &[u8]) -> bool {
    let is_followed = memchr(b'\r', start).is_some_and(|at| at + 1 < start.len());
    is_followed && memchr(b'\n', start).is_none()
}
