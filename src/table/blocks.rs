//! A table of text as blocks of whole lines, for tables that are larger than memory should be.
//!
//! Dialects are those of [`TextTable`](super::TextTable); UTF-16 is decoded as a whole. Blocks are read one after
//! the other, and may be split into rows in parallel.

use std::fs::File;
use std::io::{self, Cursor, Read};
use std::path::{Path, PathBuf};

use memchr::{memchr, memchr_iter, memrchr};

use super::{Separator, TableError, TableProblem, bytes, decoded, quoted, unpacked};

/// Bytes that are read at once; no line is longer.
const BLOCK: usize = 1 << 20;

/// The largest table that is read in blocks, unpacked, in bytes: a hundred million long rows.
const LARGEST: u64 = 64 << 30;

/// A table being read.
pub(crate) struct TextBlocks {
    path: PathBuf,
    input: Box<dyn Read + Send>,
    /// The start of a line whose end has not been read.
    rest: Vec<u8>,
    line: u64,
    read: u64,
    ended: bool,
    ends_with_cr: bool,
}

/// Whole lines.
pub(crate) struct TextBlock {
    bytes: Vec<u8>,
    first_line: u64,
}

impl TextBlocks {
    /// Opens a file that can be read more than once.
    ///
    /// # Errors
    /// If it cannot be read, is no file of its own (such as a pipe), or no text.
    pub fn open(path: &Path) -> Result<Self, TableError> {
        let refuse = |problem| TableError { path: path.to_owned(), line: None, problem };
        let unreadable = |error| refuse(TableProblem::Unreadable(error));
        let file = File::open(path).map_err(unreadable)?;
        if !file.metadata().map_err(unreadable)?.is_file() {
            return Err(refuse(TableProblem::NotAFile));
        }
        let mut blocks = TextBlocks {
            path: path.to_owned(),
            input: unpacked(file).map_err(unreadable)?,
            rest: Vec::new(),
            line: 1,
            read: 0,
            ended: false,
            ends_with_cr: false,
        };
        blocks.fill(4096)?;
        let is_utf_16 = matches!(blocks.rest[..], [0xff, 0xfe, ..] | [0xfe, 0xff, ..])
            || matches!(blocks.rest[..], [0, letter, ..] | [letter, 0, ..] if letter != 0);
        if is_utf_16 {
            let text = bytes(path).and_then(decoded).map_err(refuse)?;
            blocks.input = Box::new(Cursor::new(text.into_bytes()));
            (blocks.rest, blocks.ended) = (Vec::new(), false);
            blocks.fill(4096)?;
        } else {
            // Refuses other formats by their beginnings; what of a letter is cut off there comes later.
            let start = match std::str::from_utf8(&blocks.rest) {
                Err(error) if error.error_len().is_none() => &blocks.rest[..error.valid_up_to()],
                _ => &blocks.rest[..],
            };
            decoded(start.to_vec()).map_err(refuse)?;
            if blocks.rest.starts_with(b"\xef\xbb\xbf") {
                blocks.rest.drain(..3);
            }
        }
        blocks.ends_with_cr = memchr(b'\r', &blocks.rest)
            .is_some_and(|at| at + 1 < blocks.rest.len())
            && memchr(b'\n', &blocks.rest).is_none();
        blocks.end_lines(0);
        Ok(blocks)
    }

    /// Up to so many blocks; none at the end.
    pub fn take(&mut self, count: usize) -> Result<Vec<TextBlock>, TableError> {
        std::iter::from_fn(|| self.next().transpose()).take(count).collect()
    }

    /// The next block; none at the end.
    pub fn next(&mut self) -> Result<Option<TextBlock>, TableError> {
        let end = loop {
            if self.ended {
                break self.rest.len();
            }
            if self.rest.len() >= BLOCK {
                match memrchr(b'\n', &self.rest) {
                    Some(end) => break end + 1,
                    None if self.rest.len() > BLOCK => {
                        return Err(self.error(Some(self.line), TableProblem::LongLine));
                    }
                    None => {}
                }
            }
            let before = self.rest.len();
            self.fill(BLOCK)?;
            self.end_lines(before);
        };
        let after = self.rest[end..].to_vec();
        let mut bytes = std::mem::replace(&mut self.rest, after);
        bytes.truncate(end);
        if bytes.is_empty() {
            return Ok(None);
        }
        let first_line = self.line;
        self.line += memchr_iter(b'\n', &bytes).count() as u64;
        Ok(Some(TextBlock { bytes, first_line }))
    }

    /// An error in this file.
    pub fn error(&self, line: Option<u64>, problem: TableProblem) -> TableError {
        TableError { path: self.path.clone(), line, problem }
    }

    fn fill(&mut self, count: usize) -> Result<(), TableError> {
        let read = self.input.by_ref().take(count as u64).read_to_end(&mut self.rest);
        let read = read.map_err(|error| {
            let line = self.line + memchr_iter(b'\n', &self.rest).count() as u64;
            self.error(Some(line), TableProblem::Unreadable(explained(error)))
        })?;
        self.ended = read < count;
        self.read += read as u64;
        if self.read > LARGEST {
            return Err(self.error(None, TableProblem::TooLarge));
        }
        Ok(())
    }

    fn end_lines(&mut self, before: usize) {
        if self.ends_with_cr {
            let returns = self.rest[before..].iter_mut().filter(|byte| **byte == b'\r');
            returns.for_each(|byte| *byte = b'\n');
        }
    }
}

fn explained(error: io::Error) -> io::Error {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => {
            io::Error::new(error.kind(), "the gzip file is cut off here")
        }
        io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData => {
            io::Error::new(error.kind(), format!("the gzip file is damaged here: {error}"))
        }
        _ => error,
    }
}

impl TextBlock {
    /// Shows each row that is not blank to `row`, with its line and its fields; the separator is that of the
    /// first row. The result is what is wrong, and where.
    pub fn rows<E>(
        &self,
        separator: Option<Separator>,
        wrong: impl Fn(u64, TableProblem) -> E,
        mut row: impl FnMut(u64, &[&str], Separator) -> Result<bool, E>,
    ) -> Result<(), E> {
        let text = match std::str::from_utf8(&self.bytes) {
            Ok(text) if memchr(0, text.as_bytes()).is_none() => text,
            Ok(_) => {
                let at = memchr(0, &self.bytes).unwrap_or(0);
                return Err(wrong(self.line_of(at), TableProblem::NotText));
            }
            Err(error) => {
                return Err(wrong(self.line_of(error.valid_up_to()), TableProblem::NotText));
            }
        };
        let mut fields: Vec<&str> = Vec::new();
        let (mut at, mut line) = (0, self.first_line);
        let mut separator = separator;
        while at < text.len() {
            let end = memchr(b'\n', &self.bytes[at..]).map_or(text.len(), |length| at + length);
            let content = text[at..end].trim_end_matches(['\r', ' ']);
            let start = content.trim_start();
            if !(start.is_empty() || start.starts_with(['#', '%'])) {
                let separator = *separator.get_or_insert_with(|| Separator::of(content));
                let goes_on = if memchr(b'"', content.as_bytes()).is_some() {
                    let Some(owned) = quoted(content, separator) else {
                        return Err(wrong(line, TableProblem::OpenQuote));
                    };
                    let owned: Vec<&str> = owned.iter().map(AsRef::as_ref).collect();
                    row(line, &owned, separator)?
                } else {
                    fields.clear();
                    match separator {
                        Separator::Letter(letter) => {
                            fields.extend(content.split(letter).map(str::trim));
                        }
                        Separator::Blanks => fields.extend(content.split_ascii_whitespace()),
                    }
                    row(line, &fields, separator)?
                };
                if !goes_on {
                    return Ok(());
                }
            }
            at = end + 1;
            line += 1;
        }
        Ok(())
    }

    fn line_of(&self, at: usize) -> u64 {
        self.first_line + memchr_iter(b'\n', &self.bytes[..at]).count() as u64
    }
}
