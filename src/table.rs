//! Tables of text: files with a row per line, as spreadsheets, simulators and people write them.
//!
//! The separator is found out (semicolon, tab, comma, or any number of blanks), and so is how the file is
//! packed (gzip or not) and encoded (UTF-8 or UTF-16, with byte order mark or without). Blank lines, lines
//! that begin with `#` or `%`, a separator at the end of each line, and any kind of line end are read over.
//! A quoted field may hold separators, not line ends.

mod blocks;
mod npy;
mod packed;

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

pub(crate) use blocks::{TextBlock, TextBlocks};
pub use npy::NpyProblem;
pub(crate) use npy::{NpyArray, NpyColumn};
pub(crate) use packed::unpacked;

/// Refuses to put a new file in the place of what is no file: a folder, a device, a pipe. A link stands for what it
/// leads to. Whoever writes several files asks for all of them before the first is replaced.
///
/// # Errors
/// If something else than a regular file is there.
pub(crate) fn check_replaceable(path: &Path) -> io::Result<()> {
    match std::fs::metadata(path) {
        Ok(found) if found.is_dir() => {
            let message = format!("{} is a folder", path.display());
            Err(io::Error::new(io::ErrorKind::IsADirectory, message))
        }
        Ok(found) if !found.is_file() => {
            let message = format!("{} is a device or a pipe, not a file", path.display());
            Err(io::Error::new(io::ErrorKind::InvalidInput, message))
        }
        _ => Ok(()),
    }
}

/// Where a file is written until it is whole: beside its place, hidden.
pub(crate) fn partial(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.partial"))
}

/// The largest table, unpacked, in bytes. A packed file of a few megabytes may claim to be more.
const LARGEST: u64 = 4 << 30;

/// A table that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("{}{}: {problem}", path.display(), line.map_or_else(String::new, |line| format!(":{line}")))]
#[non_exhaustive]
pub struct TableError {
    /// The file.
    pub path: PathBuf,
    /// The line, from 1, if it is one that is wrong.
    pub line: Option<u64>,
    /// What is wrong.
    pub problem: TableProblem,
}

/// What is wrong with a table.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TableProblem {
    /// The file cannot be read.
    #[error("{0}")]
    Unreadable(io::Error),
    /// It is a pipe or a folder.
    #[error("this is no file that can be read twice (a folder or a pipe): give a file")]
    NotAFile,
    /// A line is longer than any row.
    #[error("a line has more than 1048576 bytes")]
    LongLine,
    /// It is larger than any table.
    #[error("it has more than {LARGEST} bytes, unpacked")]
    TooLarge,
    /// It is a file of another kind.
    #[error("this is {found}, not a table of text: {advice}")]
    Format {
        /// What it is.
        found: &'static str,
        /// What to do.
        advice: &'static str,
    },
    /// It is no text.
    #[error("this is no text: it is neither UTF-8 nor UTF-16")]
    NotText,
    /// There is nothing in it.
    #[error("there is nothing in it")]
    Empty,
    /// A quoted field has no end.
    #[error("a quoted field has no end in its line")]
    OpenQuote,
    /// A row is shorter or longer than the heading.
    #[error(
        "{found} field{}, but {expected} are needed ({separator})",
        if *found == 1 { "" } else { "s" }
    )]
    FieldCount {
        /// Fields of the row.
        found: usize,
        /// Fields of the heading.
        expected: usize,
        /// How they are separated.
        separator: &'static str,
    },
}

/// What is between two fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Separator {
    Letter(char),
    /// Any number of blanks.
    Blanks,
}

impl Separator {
    pub(crate) fn of(line: &str) -> Self {
        let found = [';', '\t', ','].into_iter().find(|&letter| line.contains(letter));
        found.map_or(Separator::Blanks, Separator::Letter)
    }

    pub(crate) fn describe(self) -> &'static str {
        match self {
            Separator::Letter(';') => "separated by semicolons",
            Separator::Letter('\t') => "separated by tabs",
            Separator::Letter(_) => "separated by commas",
            Separator::Blanks => "separated by blanks",
        }
    }
}

/// A table of text in memory.
#[derive(Clone, Debug)]
pub struct TextTable {
    path: PathBuf,
    text: String,
    separator: Separator,
}

/// A row that is not blank.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextRow<'t> {
    /// Its line, from 1.
    pub line: u64,
    /// Its fields, without blanks and quotes around them.
    pub fields: Vec<Cow<'t, str>>,
}

impl TextTable {
    /// Reads a file.
    ///
    /// # Errors
    /// If it cannot be read, is no text, is larger than 4 GiB, or has no row.
    pub fn read(path: &Path) -> Result<Self, TableError> {
        let refuse = |problem| TableError { path: path.to_owned(), line: None, problem };
        let text = bytes(path).and_then(decoded).map_err(refuse)?;
        let mut table = TextTable { path: path.to_owned(), text, separator: Separator::Blanks };
        let Some(first) = table.lines().map(|(_, line)| line).next() else {
            return Err(refuse(TableProblem::Empty));
        };
        table.separator = Separator::of(first);
        Ok(table)
    }

    /// How the fields are separated, in words.
    pub fn separator(&self) -> &'static str {
        self.separator.describe()
    }

    /// The rows, each read when it is its turn.
    pub fn rows(&self) -> impl Iterator<Item = Result<TextRow<'_>, TableError>> {
        self.lines().map(|(line, text)| match self.fields(text) {
            Some(fields) => Ok(TextRow { line, fields }),
            None => Err(self.error(line, TableProblem::OpenQuote)),
        })
    }

    /// The rows, which must have as many fields as the first, or an empty one more.
    pub fn even_rows(&self) -> impl Iterator<Item = Result<TextRow<'_>, TableError>> {
        let mut expected = None;
        self.rows().map(move |row| {
            let mut row = row?;
            let expected = *expected.get_or_insert_with(|| {
                if row.fields.len() > 1 && row.fields.last().is_some_and(|field| field.is_empty()) {
                    row.fields.len() - 1
                } else {
                    row.fields.len()
                }
            });
            if row.fields.len() == expected + 1
                && row.fields.last().is_some_and(|field| field.is_empty())
            {
                row.fields.pop();
            }
            let (found, separator) = (row.fields.len(), self.separator());
            if found == expected {
                return Ok(row);
            }
            Err(self.error(row.line, TableProblem::FieldCount { found, expected, separator }))
        })
    }

    fn error(&self, line: u64, problem: TableProblem) -> TableError {
        TableError { path: self.path.clone(), line: Some(line), problem }
    }

    /// The lines with something to read, and their numbers.
    fn lines(&self) -> impl Iterator<Item = (u64, &str)> {
        // Old Macs ended lines with a carriage return alone.
        let end = if self.text.contains('\n') { '\n' } else { '\r' };
        (1..).zip(self.text.split(end)).filter(|(_, line)| {
            let line = line.trim_start();
            !(line.is_empty() || line.starts_with(['#', '%']))
        })
    }

    /// The fields of a line; none if a quoted one has no end.
    fn fields<'t>(&self, line: &'t str) -> Option<Vec<Cow<'t, str>>> {
        let line = line.trim_end_matches(['\r', ' ']);
        if line.contains('"') {
            return quoted(line, self.separator);
        }
        Some(match self.separator {
            Separator::Letter(letter) => {
                line.split(letter).map(|field| Cow::Borrowed(field.trim())).collect()
            }
            Separator::Blanks => line.split_whitespace().map(Cow::Borrowed).collect(),
        })
    }
}

/// The fields of a line with quotes; none if a quoted one has no end.
fn quoted<'t>(line: &str, separator: Separator) -> Option<Vec<Cow<'t, str>>> {
    // The csv crate closes an open quote at the end of the text.
    if line.matches('"').count() % 2 == 1 {
        return None;
    }
    let delimiter = match separator {
        Separator::Letter(letter) => letter as u8,
        Separator::Blanks => b' ',
    };
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .delimiter(delimiter)
        .trim(csv::Trim::All)
        .from_reader(line.trim_start().as_bytes());
    let record = reader.records().next()?.ok()?;
    let is_field = |field: &&str| separator != Separator::Blanks || !field.is_empty();
    Some(record.iter().filter(is_field).map(|field| Cow::Owned(field.to_owned())).collect())
}

/// The bytes of a file, unpacked.
fn bytes(path: &Path) -> Result<Vec<u8>, TableProblem> {
    let content = File::open(path).and_then(unpacked).map_err(TableProblem::Unreadable)?;
    let mut bytes = Vec::new();
    content.take(LARGEST + 1).read_to_end(&mut bytes).map_err(TableProblem::Unreadable)?;
    if bytes.len() as u64 > LARGEST { Err(TableProblem::TooLarge) } else { Ok(bytes) }
}

/// The text of these bytes.
fn decoded(bytes: Vec<u8>) -> Result<String, TableProblem> {
    const KINDS: [(&[u8], &str, &str); 4] = [
        (b"\x93NUMPY", "an NPY file", "give NPY files where they are expected, or save it as CSV"),
        (b"\x89HDF", "an HDF5 file", "export it as CSV"),
        (b"PK\x03\x04", "a ZIP archive", "unpack it (a spreadsheet: save it as CSV)"),
        (b"\xd0\xcf\x11\xe0", "an old spreadsheet", "save it as CSV"),
    ];
    for (magic, found, advice) in KINDS {
        if bytes.starts_with(magic) {
            return Err(TableProblem::Format { found, advice });
        }
    }
    let utf_16 = |bytes: &[u8], number: fn([u8; 2]) -> u16| {
        let (pairs, rest) = bytes.as_chunks::<2>();
        let units: Vec<u16> = pairs.iter().map(|&pair| number(pair)).collect();
        String::from_utf16(&units).ok().filter(|_| rest.is_empty()).ok_or(TableProblem::NotText)
    };
    match bytes[..] {
        [0xff, 0xfe, ref rest @ ..] => utf_16(rest, u16::from_le_bytes),
        [0xfe, 0xff, ref rest @ ..] => utf_16(rest, u16::from_be_bytes),
        // Without a mark: the first letter of a table is one of ASCII.
        [letter, 0, ..] if letter != 0 => utf_16(&bytes, u16::from_le_bytes),
        [0, letter, ..] if letter != 0 => utf_16(&bytes, u16::from_be_bytes),
        [0xef, 0xbb, 0xbf, ref rest @ ..] => text(rest.to_vec()),
        _ => text(bytes),
    }
}

fn text(bytes: Vec<u8>) -> Result<String, TableProblem> {
    let text = String::from_utf8(bytes).map_err(|_| TableProblem::NotText)?;
    if text.contains('\0') { Err(TableProblem::NotText) } else { Ok(text) }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn read(bytes: &[u8]) -> Result<Vec<(u64, Vec<String>)>, String> {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("table");
        std::fs::write(&path, bytes).expect("writable");
        let table = TextTable::read(&path).map_err(|error| error.to_string())?;
        let row = |row: Result<TextRow<'_>, TableError>| {
            let row = row.map_err(|error| error.to_string())?;
            Ok((row.line, row.fields.iter().map(ToString::to_string).collect()))
        };
        table.even_rows().map(row).collect()
    }

    fn expected(lines: [u64; 2]) -> Vec<(u64, Vec<String>)> {
        let fields = |texts: [&str; 3]| texts.map(str::to_owned).to_vec();
        vec![(lines[0], fields(["x", "y", "label"])), (lines[1], fields(["0.5", "1", "2"]))]
    }

    #[test]
    fn every_dialect_is_the_same_table() {
        for (dialect, lines) in [
            ("x,y,label\n0.5,1,2\n", [1, 2]),
            ("x;y;label\n0.5;1;2", [1, 2]),
            ("x\ty\tlabel\r\n0.5\t1\t2\r\n", [1, 2]),
            ("x y  label\n 0.5  1 2 \n", [1, 2]),
            ("x,y,label\r0.5,1,2\r", [1, 2]),
            ("# a, comment\n\n x , y , label \n%\n0.5,1,2\n\n", [3, 5]),
            ("x,y,label,\n0.5,1,2,\n", [1, 2]),
            ("\"x\",\"y\",label\n0.5,\"1\",2\n", [1, 2]),
            ("\u{feff}x,y,label\n0.5,1,2\n", [1, 2]),
        ] {
            assert_eq!(read(dialect.as_bytes()).expect(dialect), expected(lines), "{dialect}");
        }
    }

    #[test]
    fn packed_and_otherwise_encoded_tables_are_read() {
        let text = "x,y,label\n0.5,1,2\n";
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(text.as_bytes()).expect("in memory");
        let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        for (name, bytes) in [
            ("gzip", gzip.finish().expect("in memory")),
            ("UTF-16, little end first", little.clone()),
            ("UTF-16, big end first", big.clone()),
            ("with a mark", [&[0xff, 0xfe][..], &little].concat()),
            ("with the other mark", [&[0xfe, 0xff][..], &big].concat()),
        ] {
            assert_eq!(read(&bytes).expect(name), expected([1, 2]), "{name}");
        }
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (bytes, message) in [
            (&b""[..], "there is nothing in it"),
            (b"# only\n", "there is nothing in it"),
            (b"a;b\n1;2;3\n", ":2: 3 fields, but 2 are needed (separated by semicolons)"),
            (b"a,b\n\"1,2\n", ":2: a quoted field has no end"),
            (b"\x93NUMPY\x01", "this is an NPY file"),
            (b"PK\x03\x04..", "this is a ZIP archive"),
            (b"a,b\n\xff\xfe,1\n", "this is no text"),
            (b"a,b\n\0,1\n", "this is no text"),
        ] {
            let error = read(bytes).expect_err(message);
            assert!(error.contains(message), "{error}");
        }
    }
}
