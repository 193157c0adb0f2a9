//! Why an HDF5 file is not read or written.

use std::io;
use std::path::PathBuf;

use super::LARGEST;

/// An HDF5 file that cannot be read or written: which, where in it, and why.
#[derive(Debug, thiserror::Error)]
#[error("{}{}{place}: {problem}", path.display(), if place.is_empty() { "" } else { ": " })]
#[non_exhaustive]
pub struct Hdf5Error {
    /// The file.
    pub path: PathBuf,
    /// The path of the group or data set inside it; empty for the file itself.
    pub place: String,
    /// What is wrong.
    pub problem: Hdf5Problem,
}

/// What is wrong with an HDF5 file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Hdf5Problem {
    /// It cannot be read.
    #[error("{0}")]
    Unreadable(io::Error),
    /// It cannot be written.
    #[error("cannot be written: {0}")]
    Unwritable(String),
    /// It is a folder.
    #[error("this is a folder: an HDF5 file is expected")]
    Folder,
    /// It is a file of another kind.
    #[error("this is no HDF5 file: the signature at its beginning is missing")]
    OtherFormat,
    /// There is no such object.
    #[error("there is none in this file ({0})")]
    Missing(String),
    /// The file is damaged, or uses what is not read.
    #[error("{0}")]
    Malformed(String),
    /// It claims more values than there are bytes for.
    #[error(
        "it claims {claimed} bytes (shape {shape:?}), but the file has room for {possible} at most: it is \
         damaged or cut off"
    )]
    Claims {
        /// Bytes that the shape needs.
        claimed: u128,
        /// Its shape.
        shape: Vec<u64>,
        /// Bytes that there can be.
        possible: u64,
    },
    /// It holds more than is read at once.
    #[error("it has {bytes} bytes: at most {LARGEST} are read at once")]
    TooLarge {
        /// Its bytes, unpacked.
        bytes: u128,
    },
    /// It is of another type.
    #[error("{found}, but {expected} are expected")]
    Type {
        /// What it is.
        found: String,
        /// What is read here.
        expected: &'static str,
    },
    /// A number is no integer, or beyond 64 bits.
    #[error(
        "value {place} is {value}: integers from -9223372036854775808 to 9223372036854775807 are expected"
    )]
    NotInteger {
        /// Which, from 0.
        place: u64,
        /// The value.
        value: f64,
    },
}
