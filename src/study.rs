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
//! [`Ranking`] names the best point by its validation accuracy.
//! [`Summary`] reads the results back: medians with confidence intervals, and the distortion that
//! each study tolerates; [`write_report()`] makes figures and tables of them.

mod axis;
mod best;
#[cfg(feature = "mpi")]
pub mod distributed;
mod engines;
mod error;
mod estimate;
mod figures;
mod file;
mod merge;
mod reader;
mod report;
mod results;
mod runner;
mod search;
mod shard;
mod statistics;
mod summary;
mod tables;
mod tolerance;
mod trainings;
mod written;

pub use axis::{Axis, AxisValue};
pub use best::{Ranked, Ranking, Spread};
pub use error::{ResultsProblem, StudyError, TrainingFailure};
pub use estimate::{Estimate, estimate};
pub use figures::{figure, overview};
pub use file::{Combine, Job, Point, Study, Variant, is_study};
pub use merge::merge;
pub use report::write_report;
pub use results::{Results, Row};
pub use runner::{Finished, Outcome, Watch, run};
pub use shard::{ParseShardError, Shard};
pub use statistics::{Interval, Statistics};
pub use summary::{Group, Quantity, Series, Summary};
pub use tables::{statistics_csv, statistics_markdown, tolerance_csv, tolerance_markdown};
pub use tolerance::{ALLOWED_LOSS, Limit, Tolerance, tolerances};
pub(crate) use written::StudyFile;
