//! What a program did instead of answering, and what is wrong with its answer.

use std::io;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::sync::Arc;

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

impl ProgramFailure {
    #[cfg(feature = "external")]
    pub(in crate::chip) fn file(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
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
