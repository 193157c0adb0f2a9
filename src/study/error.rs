//! Why a study cannot be done, and why one of its trainings failed.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::report::PictureError;
use crate::run::RunError;
use crate::scenario::ScenarioError;

/// A study that cannot be done.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StudyError {
    /// A file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The study is not TOML, or has a key or type that studies do not know.
    #[error("{}: {message}", path.display())]
    Parse {
        /// The file.
        path: PathBuf,
        /// What and where, with the line.
        message: String,
    },
    /// Values are out of range or do not fit together.
    #[error("{}", problems.join("\n"))]
    Invalid {
        /// Each problem with file, line, key and what is accepted.
        problems: Vec<String>,
    },
    /// The scenario of a point cannot be used.
    #[error("{point}: {source}")]
    Point {
        /// Study and point.
        point: String,
        /// Why.
        source: ScenarioError,
    },
    /// There are results, but not of this study.
    #[error("{}: {problem}", path.display())]
    Results {
        /// The file.
        path: PathBuf,
        /// What is wrong, and what to do.
        problem: ResultsProblem,
    },
    /// Results cannot be written, or nothing can be trained at all.
    #[error(transparent)]
    Run(#[from] RunError),
    /// A figure cannot be drawn.
    #[error(transparent)]
    Figure(#[from] PictureError),
}

/// What is wrong with a file of results.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ResultsProblem {
    /// Another process writes to it.
    #[error(
        "another process is working on these results: wait for it, or use --shard or another --out"
    )]
    InUse,
    /// It is not CSV.
    #[error("{0}")]
    NotCsv(csv::Error),
    /// It has not the columns of results.
    #[error("these are not the results of a study: the columns are others")]
    NotResults,
    /// A field does not hold what its column says.
    #[error("line {line}: {column}: `{field}` must be {accepted}")]
    Field {
        /// The line, from 1.
        line: u64,
        /// Name of the column.
        column: String,
        /// What stands there.
        field: String,
        /// What is accepted.
        accepted: &'static str,
    },
    /// It has the columns of a study with other axes.
    #[error(
        "these results have the columns {found}, but the study has {expected}: use another --out"
    )]
    OtherColumns {
        /// The columns of the file.
        found: String,
        /// Those of the study.
        expected: String,
    },
    /// It is of a study with another name.
    #[error("these are results of the study `{found}`, not of `{expected}`: use another --out")]
    OtherStudy {
        /// The study of the file.
        found: String,
        /// The study.
        expected: String,
    },
    /// It varies other axes than the study whose figures are to be drawn.
    #[error("these results vary {found}, but the study {expected}")]
    OtherAxes {
        /// The axes of the file.
        found: String,
        /// Those of the study.
        expected: String,
    },
    /// It belongs to another base scenario, or to other keys.
    #[error(
        "the results here are of another base scenario or of other keys (it says `{found}`, now it is \
         `{expected}`): use another --out, or remove the folder"
    )]
    OtherScenario {
        /// The first line that differs, as it is in the file.
        found: String,
        /// As it is in the study.
        expected: String,
    },
    /// It belongs to other data.
    #[error(
        "the results here are of other data: {file} has other content than it had then: use another \
         --out, or remove the folder"
    )]
    OtherData {
        /// The first file whose content is another.
        file: String,
    },
    /// A training is there twice.
    #[error("line {line}: {training} is there already, in line {first_line}: remove one of them")]
    Duplicate {
        /// The line, from 1.
        line: u64,
        /// Point, variant and seed.
        training: String,
        /// Line of the same training.
        first_line: u64,
    },
    /// It cannot be merged with a file of another study.
    #[error("not of the same study as {}", other.display())]
    NotMergeable {
        /// The other file.
        other: PathBuf,
    },
    /// It has another result of a training than a file that it is to be merged with.
    #[error(
        "{training} is another result than in {}: are these of the same base scenario and version?",
        other.display()
    )]
    Contradiction {
        /// Point, variant and seed.
        training: String,
        /// The other file.
        other: PathBuf,
    },
    /// No point has all of its seeds.
    #[error(
        "no point has a validation accuracy for each of its seeds: let the study end first (firstspike run \
         goes on where it stopped)"
    )]
    NoCompletePoint,
    /// No files are to be merged.
    #[error("there is nothing to merge")]
    NothingToMerge,
}

impl StudyError {
    pub(super) fn results(path: &Path, problem: ResultsProblem) -> Self {
        StudyError::Results { path: path.to_owned(), problem }
    }
}

/// A training of a study that failed, as the results keep it: its error in one line. A failure is a
/// result, and the study goes on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{line}")]
pub struct TrainingFailure {
    line: String,
}

impl TrainingFailure {
    /// The failure by an error.
    pub fn new(error: impl fmt::Display) -> Self {
        let text = error.to_string();
        let lines: Vec<&str> =
            text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        // A row of results without a reason would read as one that was measured.
        let line = if lines.is_empty() { "no reason given".to_owned() } else { lines.join("; ") };
        TrainingFailure { line }
    }
}
