//! NIR: networks of other programs, read, checked, compared and written.
//!
//! A file of the Neuromorphic Intermediate Representation is a graph of nodes in HDF5. It leaves open what decides
//! spikes: the unit of its times, and how far one spike moves a current. So a graph means a network only together
//! with a [`Convention`], which a [`Dialect`], the file's own metadata, or a person gives.
//!
//! ```text
//! file ─ Graph::read → Graph ─┬─ convention::guess → Convention
//!                             └─ meaning(graph, convention) → Meaning: network, unit, stimulus; or Refusals
//! network ─ write::graph(…, Dialect) → Graph ─ Graph::write → file
//! two Meanings ─ compare → the first spike that differs, and the likely cause
//! ```
//!
//! Nothing is left out without a word: what a network of leaky integrate-and-fire neurons cannot be is a
//! [`Refusal`] with its node, and what is changed on the way is in [`Meaning::notes`].

mod compare;
mod convention;
mod export;
mod file;
mod flat;
mod meaning;
mod model;
mod operator;
#[cfg(test)]
mod tests;

pub use compare::{
    Cause, CompareError, Comparison, Difference, Reference, Spikes, compare, compare_with,
};
pub use convention::{Convention, Dialect, Guess, Jump, Reset, contradiction, guess};
pub use export::{ExportError, SourceTrains, export};
pub use meaning::{Meaning, Refusal, meaning};
pub use model::{Field, Graph, Node, Tensor};

use crate::hdf5::Hdf5Error;

/// A NIR file that cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NirError {
    /// The HDF5 file is not as it should be.
    #[error(transparent)]
    Hdf5(#[from] Hdf5Error),
    /// It holds no NIR graph.
    #[error("{}: {place}: {message}", path.display())]
    Content {
        /// The file.
        path: std::path::PathBuf,
        /// The path inside it.
        place: String,
        /// What was found, and what is expected.
        message: String,
    },
}
