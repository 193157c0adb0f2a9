//! A study file as it is written.

use std::path::PathBuf;

use serde::Deserialize;

use super::axis::AxisEntry;
use super::{Combine, Variant};

/// A study file.
#[derive(Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct StudyFile {
    /// What is trained, and how often.
    pub(super) study: Head,
    /// What varies: at least one axis.
    pub(super) axes: Vec<AxisEntry>,
}

/// What is trained, and how often.
#[derive(Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct Head {
    /// Short name, also of the folder of its results: letters, digits, `_` and `-`. Default: the file's name
    /// without its ending.
    pub(super) name: Option<String>,
    /// Heading of its figures. Default: `name`.
    pub(super) title: Option<String>,
    /// The scenario that varies; the path begins at the study's folder.
    pub(super) base: PathBuf,
    /// Changes of the scenario at every point, as `key=value`. Default: none.
    #[serde(default)]
    pub(super) set: Vec<String>,
    /// The seeds with which each point is trained.
    pub(super) seeds: Seeds,
    /// How the networks are trained for their substrate. Default: `in_the_loop`, as the scenario says.
    #[serde(default = "in_the_loop")]
    pub(super) variants: Vec<Variant>,
    /// How the values of several axes are combined. Default: `grid`.
    #[serde(default)]
    pub(super) combine: Combine,
    /// Makes the study a random search of so many trainings, over points, variants and seeds: as many points as
    /// fit, each with a value of every axis drawn, from the interval of a `random` axis, from the list of
    /// another. From 1 to 1000000. Default: no search.
    pub(super) budget: Option<usize>,
    /// Seed of what a random search draws. From 0. Default: 1.
    #[serde(default = "one")]
    pub(super) draw_seed: u64,
}

/// Their number `n` for seeds 1 to `n`, or a list.
#[derive(Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(untagged, expecting = "expected a number of seeds, or a list of seeds")]
pub(super) enum Seeds {
    /// Seeds 1 to this number. At least 1.
    Count(u64),
    /// The seeds. From 0.
    List(Vec<u64>),
}

fn one() -> u64 {
    1
}

fn in_the_loop() -> Vec<Variant> {
    vec![Variant::InTheLoop]
}
