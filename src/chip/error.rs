//! Why a substrate cannot do what it is asked to.

use std::io;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::sync::Arc;

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

/// What a program did instead of answering.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProgramFailure {
    /// It cannot be started.
    #[error("cannot be started in {}: {source}", folder.display())]
    Start {
        /// Where it would run.
        folder: PathBuf,
        /// Why.
        source: Arc<io::Error>,
    },
    /// It wrote a line before it was asked.
    #[error("wrote `{line}` before it was asked")]
    Unasked {
        /// The line, shortened.
        line: String,
    },
    /// Its answer was not there in time.
    #[error("{seconds} s (the time-out) have passed {}", so_far(*lines))]
    TimedOut {
        /// The time-out, in seconds.
        seconds: f64,
        /// Lines of its answer until then.
        lines: usize,
    },
    /// It was to write a file and did not end in time.
    #[error("did not end within {seconds} s (the time-out)")]
    DidNotEnd {
        /// The time-out, in seconds.
        seconds: f64,
    },
    /// It ended before its answer did.
    #[error("{} {}", ending(*status), so_far(*lines))]
    EndedEarly {
        /// How it ended.
        status: ExitStatus,
        /// Lines of its answer until then.
        lines: usize,
    },
    /// It ended with an error, whatever it wrote to its files.
    #[error("{}", ending(*status))]
    EndedWithError {
        /// How it ended.
        status: ExitStatus,
    },
    /// It closed its output before its answer ended.
    #[error("closed its output {}", so_far(*lines))]
    ClosedOutput {
        /// Lines of its answer until then.
        lines: usize,
    },
    /// It wrote a line that is too long to be one of an answer.
    #[error("wrote a line of {bytes} bytes or more {}", so_far(*lines))]
    LongLine {
        /// How long the line is at least.
        bytes: u64,
        /// Lines of its answer before.
        lines: usize,
    },
    /// It left no file with an answer.
    #[error("left no answer: {}: {source}", path.display())]
    NoFile {
        /// Where the answer was to be.
        path: PathBuf,
        /// Why there is none.
        source: Arc<io::Error>,
    },
    /// It left something else where the file with its answer should be.
    #[error(
        "left no answer: {} is a pipe, a device or a folder: the answer must be a file",
        path.display()
    )]
    NotAFile {
        /// Where the answer was to be.
        path: PathBuf,
    },
    /// A file of the exchange cannot be used.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: Arc<io::Error>,
    },
    /// It answered over its output, and what it says cannot be.
    #[error("answer{}{problem}", before(problem))]
    Answer {
        /// What is wrong, and where.
        problem: AnswerProblem,
    },
    /// It answered in a file, and what that says cannot be.
    #[error("answer, {}{}{problem}", path.display(), before(problem))]
    AnswerFile {
        /// The file.
        path: PathBuf,
        /// What is wrong, and where.
        problem: AnswerProblem,
    },
}

/// What is wrong with an answer.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AnswerProblem {
    /// It has not even a heading.
    #[error("line 1: there is no heading: it must be sample,population,neuron,{time_column}")]
    NoHeading {
        /// Name of the column of times.
        time_column: String,
    },
    /// A column is missing.
    #[error("line 1: there is no column `{column}` in `{heading}`")]
    NoColumn {
        /// Name of the column.
        column: String,
        /// The heading, shortened.
        heading: String,
    },
    /// A column is there twice.
    #[error("line 1: column `{column}` is there twice in `{heading}`: which is meant?")]
    DoubledColumn {
        /// Name of the column.
        column: String,
        /// The heading, shortened.
        heading: String,
    },
    /// A row has no end, as if a quote had been opened and not closed.
    #[error("line {line}: a row of more than {most} bytes has no end")]
    LongRow {
        /// A line of the row, from 1.
        line: u64,
        /// How many bytes are accepted.
        most: u64,
    },
    /// There are too many spikes to be an answer.
    #[error("line {line}: more than {most} spikes are too many")]
    TooManySpikes {
        /// The first line too many, from 1.
        line: u64,
        /// How many are accepted.
        most: usize,
    },
    /// A row has more or fewer fields than the heading.
    #[error("line {line}: `{row}` has {found} of {expected} fields")]
    FieldCount {
        /// The line, from 1.
        line: u64,
        /// The row, shortened.
        row: String,
        /// Fields that it has.
        found: usize,
        /// Fields that the heading has.
        expected: usize,
    },
    /// A field does not hold what it should.
    #[error("line {line}: {column} `{field}` must be {accepted}")]
    Field {
        /// The line, from 1.
        line: u64,
        /// `sample`, `population`, `neuron` or `time`.
        column: &'static str,
        /// What stands there, shortened.
        field: String,
        /// What is accepted.
        accepted: String,
    },
    /// It is not CSV.
    #[error("{0}")]
    NotCsv(Arc<csv::Error>),
    /// It cannot be read.
    #[error("{0}")]
    Unreadable(Arc<io::Error>),
    /// The file is empty.
    #[error("it is empty: it must have at least a heading")]
    Empty,
    /// The file ends within a line.
    #[error("it is cut off: its last line has no end")]
    FileCutOff,
    /// The output was closed within a line.
    #[error("it is cut off: line `{line}` has no end")]
    CutOff {
        /// The line, shortened.
        line: String,
    },
    /// Its last line is for another batch.
    #[error("`{line}` must be `end,{batch}`: the number of the batch that was shown")]
    OtherBatch {
        /// The line, shortened.
        line: String,
        /// Number of the batch that was shown.
        batch: u64,
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

impl ProgramFailure {
    #[cfg(feature = "external")]
    pub(super) fn file(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        |source| ProgramFailure::File { path, source: Arc::new(source) }
    }
}

impl AnswerProblem {
    /// Whether the message begins with a line of the answer.
    fn has_line(&self) -> bool {
        use AnswerProblem::{CutOff, Empty, FileCutOff, OtherBatch, Unreadable};
        !matches!(self, Empty | FileCutOff | CutOff { .. } | OtherBatch { .. } | Unreadable(_))
    }
}

/// What stands between the name of an answer and a problem of it: a line is a part of the name.
fn before(problem: &AnswerProblem) -> &'static str {
    if problem.has_line() { ", " } else { ": " }
}

/// How much of an answer came, in words.
fn so_far(lines: usize) -> String {
    match lines {
        0 => "without an answer".to_owned(),
        1 => "after 1 line of its answer".to_owned(),
        lines => format!("after {lines} lines of its answer"),
    }
}

/// How a program ended, in words.
fn ending(status: ExitStatus) -> String {
    match status.code() {
        Some(code) => format!("ended with exit code {code}"),
        None => format!("was ended ({status})"),
    }
}

/// The end of an error output, as a message quotes it.
fn quoted(last_words: &str) -> String {
    if last_words.is_empty() {
        return String::new();
    }
    format!("; it last wrote to its error output:\n  {}", last_words.replace('\n', "\n  "))
}
