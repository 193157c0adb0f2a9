//! Why a file of synapses is not read.

use std::fmt;
use std::path::PathBuf;

use super::super::NetworkError;
use crate::table::TableProblem;

/// A file of synapses that is not read: which, where in it, and why.
#[derive(Debug, thiserror::Error)]
#[error("{}{place}: {problem}", path.display())]
#[non_exhaustive]
pub struct EdgeError {
    /// The file.
    pub path: PathBuf,
    /// Where in it.
    pub place: EdgePlace,
    /// What is wrong.
    pub problem: Box<EdgeProblem>,
}

/// Where in a file of synapses something is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EdgePlace {
    /// The file as a whole.
    File,
    /// A line of a table, from 1.
    Line(u64),
    /// A row of a population of SONATA edges, from 0.
    Row {
        /// The population of edges.
        edges: String,
        /// Its row.
        row: u64,
    },
}

impl fmt::Display for EdgePlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            EdgePlace::File => Ok(()),
            EdgePlace::Line(line) => write!(f, ":{line}"),
            EdgePlace::Row { edges, row } => write!(f, ": /edges/{edges}: row {row}"),
        }
    }
}

/// What is wrong with a file of synapses.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EdgeProblem {
    /// It cannot be read as a table of text.
    #[error("{0}")]
    Table(TableProblem),
    /// It cannot be read as an HDF5 file.
    #[cfg(feature = "hdf5")]
    #[error("{place}{}{problem}", if place.is_empty() { "" } else { ": " })]
    Hdf5 {
        /// The group or data set in it.
        place: String,
        /// What is wrong with that.
        problem: crate::hdf5::Hdf5Problem,
    },
    /// Columns are missing, unknown, or there twice.
    #[error("{0}")]
    Form(String),
    /// A value is out of its range, or no number.
    #[error("{column} = {found} must be {accepted}")]
    Field {
        /// The column.
        column: String,
        /// What stands there.
        found: String,
        /// What is accepted.
        accepted: String,
    },
    /// A synapse or all of them cannot be.
    #[error("{0}")]
    Network(NetworkError),
}
