//! Studies: a scenario trained many times, with some of its values varied, over many seeds.
//!
//! ```text
//! study file ─→ points × variants × seeds ─→ trainings, one per thread ─→ results.csv
//!                                                                             └─→ statistics ─→ report
//! ```
//!
//! A [`Study`] names a base scenario, the axes along which it changes and the seeds. [`run()`] does every
//! [`Job`] on a thread of its own and appends its [`Row`] to one tidy CSV at once, so that a study that
//! is killed goes on where it was; a [`Shard`] of the jobs can be done elsewhere and [`merge()`]d.
//! [`Summary`] reads the results back: medians with confidence intervals, and the distortion that
//! each study tolerates; [`write_report()`] makes figures and tables of them.

mod axis;
#[cfg(feature = "mpi")]
pub mod distributed;
mod estimate;
mod figures;
mod file;
mod merge;
mod reader;
mod report;
mod results;
mod runner;
mod shard;
mod statistics;
mod summary;
mod tables;
mod tolerance;
mod trainings;

use std::path::PathBuf;

pub use axis::{Axis, AxisValue};
pub use estimate::{Estimate, estimate};
pub use figures::{figure, overview};
pub use file::{Combine, Job, Point, Study, Variant, is_study};
pub use merge::merge;
pub use report::write_report;
pub use results::{Results, Row};
pub use runner::{Finished, Outcome, Watch, run};
pub use shard::Shard;
pub use statistics::{Interval, Statistics};
pub use summary::{Group, Quantity, Series, Summary};
pub use tables::{statistics_csv, statistics_markdown, tolerance_csv, tolerance_markdown};
pub use tolerance::{ALLOWED_LOSS, Limit, Tolerance, tolerances};

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
    #[error("{}: {message}", path.display())]
    Results {
        /// The file.
        path: PathBuf,
        /// What is wrong, and what to do.
        message: String,
    },
    /// Results cannot be written, or nothing can be trained at all.
    #[error(transparent)]
    Run(#[from] RunError),
    /// A figure cannot be drawn.
    #[error(transparent)]
    Figure(#[from] PictureError),
}

impl StudyError {
    fn results(path: &std::path::Path, message: impl Into<String>) -> Self {
        StudyError::Results { path: path.to_owned(), message: message.into() }
    }
}
