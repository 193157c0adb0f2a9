//! Why a substrate cannot do what it is asked to.

mod program;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

pub use program::{AnswerProblem, ProgramFailure};

use crate::neuron::ParameterError;

/// A substrate that refuses, or that fails. What was learned until then is kept.
///
/// [`ends_substrate`](Self::ends_substrate) says whether the substrate can be used again.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SubstrateError {
    /// The command names no program. No substrate was made.
    #[error("the command is empty: it must name a program")]
    NoCommand,
    /// The time-out is out of range. No substrate was made.
    #[error("the time-out of {seconds} s must be above 0 and at most {most} s")]
    TimeoutOutOfRange {
        /// The time-out, in seconds.
        seconds: f64,
        /// The longest that is accepted, in seconds.
        most: u64,
    },
    /// A name cannot be a field of a table without quotes. No substrate was made.
    #[error(
        "`{name}` must not be empty nor have commas, quotes or spaces: it is a field of the program's \
         tables"
    )]
    Name {
        /// The name of a population or of the time unit.
        name: String,
    },
    /// The program cannot be started. No substrate was made.
    #[error("`{program}` cannot be started in {}: {source}", folder.display())]
    Start {
        /// The program and its arguments, shortened.
        program: String,
        /// Where it would run.
        folder: PathBuf,
        /// Why.
        source: Arc<io::Error>,
    },
    /// A file or folder of the exchange cannot be used.
    #[error("{}: {source}", path.display())]
    File {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: Arc<io::Error>,
    },
    /// There are not as many values as synapses. The substrate keeps the values it had.
    #[error("the network has {synapses} synapses, not {found} {values}")]
    ValueCount {
        /// Synapses of the network: how many values are accepted.
        synapses: usize,
        /// Values that were given.
        found: usize,
        /// What they are: `weights` or `delays`.
        values: &'static str,
    },
    /// Samples were to be shown before weights were set. Set them and go on.
    #[error("the weights must be set before samples are shown")]
    NotProgrammed,
    /// A program failed in a batch. It was ended: the substrate can be used no longer.
    #[error("`{program}`, batch {batch}: {failure}{}", quoted(last_words))]
    Program {
        /// The program and its arguments, shortened.
        program: String,
        /// Number of the batch, from 1.
        batch: u64,
        /// What it did.
        failure: Box<ProgramFailure>,
        /// The last lines of its error output; empty if there are none.
        last_words: String,
    },
    /// The program was ended after an earlier error: the substrate can be used no longer.
    #[error("`{program}` was ended after an error")]
    Ended {
        /// The program and its arguments, shortened.
        program: String,
    },
    /// The substrate recorded more or fewer samples than it was shown. It may be shown others.
    #[error("{found} records of {samples} samples")]
    RecordCount {
        /// Samples that were shown: how many records are accepted.
        samples: usize,
        /// Records that came.
        found: usize,
    },
    /// The network has a delay per synapse, which no chip has. No substrate was made.
    #[error("a chip has one delay per axon or per dendrite, not per synapse")]
    SynapticDelays,
    /// A neuron with its deviations is out of range. No substrate was made.
    #[error("population `{population}`: {source}")]
    Neuron {
        /// The neuron's population.
        population: String,
        /// Which parameter, and what is accepted.
        source: ParameterError,
    },
    /// A file of measured neurons cannot be used. No substrate was made.
    #[error("measured neurons: {}: {problem}", path.display())]
    MeasuredNeurons {
        /// The file.
        path: PathBuf,
        /// What is wrong with it, and where.
        problem: Box<MeasuredProblem>,
    },
}

/// What is wrong with a file of measured neurons.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MeasuredProblem {
    /// It cannot be read, or is not CSV.
    #[error("{0}")]
    Csv(Arc<csv::Error>),
    /// It has no column `neuron`.
    #[error("there is no column `neuron`")]
    NoNeuronColumn,
    /// A column is there twice.
    #[error("column `{column}` is there twice: which is meant?")]
    DoubledColumn {
        /// Name of the column.
        column: String,
    },
    /// It has a column that is no parameter of a neuron.
    #[error("unknown column `{column}`: it must be {accepted}")]
    UnknownColumn {
        /// Name of the column.
        column: String,
        /// The names that are accepted.
        accepted: &'static str,
    },
    /// A field does not hold what its column says.
    #[error("line {line}: {column} `{field}` must be {accepted}")]
    Field {
        /// The line, from 1.
        line: u64,
        /// Name of the column.
        column: String,
        /// What stands there.
        field: String,
        /// What is accepted.
        accepted: String,
    },
    /// A neuron has two rows.
    #[error("line {line}: neuron {neuron} is there twice")]
    Twice {
        /// Line of the second, from 1.
        line: u64,
        /// Number of the neuron.
        neuron: usize,
    },
    /// A neuron has no row.
    #[error("the network has {neurons} neurons, but neuron {missing} is not there")]
    Missing {
        /// Neurons of the network.
        neurons: usize,
        /// Number of the first that is not there.
        missing: usize,
    },
}

impl SubstrateError {
    /// Whether the substrate can be used no longer: its program was ended, or it was never made. If
    /// not, what was wrong was the request, and the substrate is as it was before.
    pub fn ends_substrate(&self) -> bool {
        !matches!(
            self,
            SubstrateError::NotProgrammed
                | SubstrateError::ValueCount { .. }
                | SubstrateError::RecordCount { .. }
        )
    }

    #[cfg(feature = "external")]
    pub(super) fn file(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        |source| SubstrateError::File { path, source: Arc::new(source) }
    }
}

/// The end of an error output, as a message quotes it.
fn quoted(last_words: &str) -> String {
    if last_words.is_empty() {
        return String::new();
    }
    format!("; it last wrote to its error output:\n  {}", last_words.replace('\n', "\n  "))
}
