//! HDF5 files: groups, arrays of numbers and text, attributes; read and written without a C library.
//!
//! A file is opened without being read ([`Hdf5File`]); a data set of it ([`Hdf5Dataset`]) is checked before
//! its values are: what it claims to hold must be in the file. So a few bytes that claim 10 GB are refused with
//! that figure, before memory is taken. What is larger than memory is read a range of rows at a time.
//!
//! ```text
//! file ─ open → Hdf5File ─ dataset → Hdf5Dataset ─ numbers, integers, texts, ragged → values
//! values → Hdf5Group ─ write → file;    columns, a block at a time → Hdf5Columns → file
//! ```
//!
//! Two newer forms of chunks are not read, and the message names `h5repack`, which rewrites them: lengths that are
//! stored in 3 bytes (65,536 or more in files for the latest version only), and indices that grow in several
//! dimensions.
//!
//! Numbers come as doubles or as integers, whatever their width, sign and byte order; half precision, too.

mod dataset;
mod error;
mod heap;
mod number;
#[cfg(test)]
mod tests;
mod write;

use std::fs::File;
use std::path::{Path, PathBuf};

use hdf5_pure::Group;

pub use dataset::Hdf5Dataset;
pub use error::{Hdf5Error, Hdf5Problem};
pub use write::{ColumnType, Hdf5Columns, Hdf5Group, Hdf5Value, write};

/// The most bytes that one read takes, as they are stored when unpacked.
pub const LARGEST: u64 = 4 << 30;

/// The value of an attribute.
#[derive(Clone, Debug, PartialEq)]
pub enum Attribute {
    /// One number, or several.
    Numbers(Vec<f64>),
    /// One text, or several.
    Texts(Vec<String>),
}

impl Attribute {
    /// The number, if it is one.
    pub fn number(&self) -> Option<f64> {
        match self {
            Attribute::Numbers(values) if values.len() == 1 => Some(values[0]),
            _ => None,
        }
    }

    /// The text, if it is one.
    pub fn text(&self) -> Option<&str> {
        match self {
            Attribute::Texts(values) if values.len() == 1 => Some(&values[0]),
            _ => None,
        }
    }
}

/// What stands in a group, in the order of names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Members {
    /// Names of groups.
    pub groups: Vec<String>,
    /// Names of data sets.
    pub datasets: Vec<String>,
}

/// An HDF5 file, open for reading.
#[derive(Debug)]
pub struct Hdf5File {
    path: PathBuf,
    file: hdf5_pure::File,
    /// The file itself, for what the crate does not read.
    bytes: File,
    size: u64,
}

impl Hdf5File {
    /// Opens a file; of its contents only the beginning is read.
    ///
    /// # Errors
    /// If it cannot be read or is no HDF5 file.
    pub fn open(path: &Path) -> Result<Self, Hdf5Error> {
        let refuse = |problem| Hdf5Error { path: path.to_owned(), place: String::new(), problem };
        let bytes = File::open(path).map_err(|error| refuse(Hdf5Problem::Unreadable(error)))?;
        let about = bytes.metadata().map_err(|error| refuse(Hdf5Problem::Unreadable(error)))?;
        if about.is_dir() {
            return Err(refuse(Hdf5Problem::Folder));
        }
        let is_hdf5 = hdf5_pure::is_hdf5(path);
        if !is_hdf5.map_err(|error| refuse(Hdf5Problem::Unreadable(error)))? {
            return Err(refuse(Hdf5Problem::OtherFormat));
        }
        let file = hdf5_pure::File::open_streaming(path)
            .map_err(|error| refuse(Hdf5Problem::Malformed(error.to_string())))?;
        Ok(Hdf5File { path: path.to_owned(), file, bytes, size: about.len() })
    }

    /// Where the file is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What stands in a group; the root is `""`.
    ///
    /// # Errors
    /// If there is no such group or it is malformed.
    pub fn members(&self, group: &str) -> Result<Members, Hdf5Error> {
        let found = self.group(group)?;
        let mut members = Members {
            groups: found.groups().map_err(|error| self.malformed(group, &error))?,
            datasets: found.datasets().map_err(|error| self.malformed(group, &error))?,
        };
        members.groups.sort_unstable();
        members.datasets.sort_unstable();
        Ok(members)
    }

    /// A data set, checked: what it claims to hold is in the file.
    ///
    /// # Errors
    /// If there is none of this path, it is malformed, or it claims to be more than the file can hold.
    pub fn dataset(&self, place: &str) -> Result<Hdf5Dataset<'_>, Hdf5Error> {
        let found = self.file.dataset(place).map_err(|error| self.missing(place, &error))?;
        Hdf5Dataset::new(self, place, found)
    }

    /// An attribute of a group (the root is `""`) or of a data set, if it is there.
    ///
    /// # Errors
    /// If there is no such object, or the attribute is malformed or neither numbers nor text.
    pub fn attribute(&self, place: &str, name: &str) -> Result<Option<Attribute>, Hdf5Error> {
        let attributes = match self.group(place) {
            Ok(group) => group.attrs(),
            Err(missing) => {
                self.file.dataset(place).map_err(|_| missing).map(|found| found.attrs())?
            }
        };
        let attributes = attributes.map_err(|error| self.malformed(place, &error))?;
        let Some(value) = attributes.get(name) else { return Ok(None) };
        let texts = value.as_strings().map(<[String]>::to_vec);
        let texts = texts.or_else(|| Some(vec![value.as_str()?.to_owned()]));
        let integers = || Some(value.to_i64s()?.into_iter().map(|value| value as f64).collect());
        let numbers = value
            .to_f64s()
            .or_else(|| Some(vec![value.as_f64()?]))
            .or_else(integers)
            .or_else(|| Some(vec![value.as_i64().map(|value| value as f64)?]));
        match (texts, numbers) {
            (Some(texts), _) => Ok(Some(Attribute::Texts(texts))),
            (None, Some(numbers)) => Ok(Some(Attribute::Numbers(numbers))),
            (None, None) => {
                let found = format!("attribute `{name}` is {}", value.type_name());
                Err(self.error(place, Hdf5Problem::Type { found, expected: "numbers or text" }))
            }
        }
    }

    fn group(&self, place: &str) -> Result<Group, Hdf5Error> {
        if place.is_empty() {
            return Ok(self.file.root());
        }
        self.file.group(place).map_err(|error| self.missing(place, &error))
    }

    fn error(&self, place: &str, problem: Hdf5Problem) -> Hdf5Error {
        Hdf5Error { path: self.path.clone(), place: place.to_owned(), problem }
    }

    fn malformed(&self, place: &str, error: &hdf5_pure::Error) -> Hdf5Error {
        self.error(place, Hdf5Problem::Malformed(error.to_string()))
    }

    fn missing(&self, place: &str, error: &hdf5_pure::Error) -> Hdf5Error {
        self.error(place, Hdf5Problem::Missing(error.to_string()))
    }
}
