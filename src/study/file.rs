//! The file that says what a study consists of.

use std::collections::{BTreeSet, HashSet};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use serde::Deserialize;

use super::axis::AxisEntry;
use super::search::{self, Pool};
use super::written::{Head, Seeds, StudyFile};
use super::{Axis, AxisValue, StudyError, results};
use crate::learning::LearningRule;
use crate::run::{checksums, with_rule, without_substrate};
use crate::scenario::{LoadedScenario, Override, ScenarioError, ScenarioFile, explain, line_of};
use crate::settings::{Check, Settings};

/// A scenario, the values of it that vary, and the seeds.
#[derive(Clone, Debug)]
pub struct Study {
    /// Short name, also of the folder of its results: letters, digits, `_` and `-`.
    pub name: String,
    /// Heading of its figures.
    pub title: String,
    /// The scenario.
    pub base: PathBuf,
    /// Changes of the scenario at every point, as `key=value`.
    pub set: Vec<Override>,
    /// The seeds.
    pub seeds: Vec<u64>,
    /// How the networks are trained.
    pub variants: Vec<Variant>,
    /// What varies.
    pub axes: Vec<Axis>,
    /// How the axes are combined; in a search [`Combine::Paired`].
    pub combine: Combine,
    /// Whether its points are drawn.
    pub is_search: bool,
    path: PathBuf,
    /// The scenario's file, once a point has asked for it.
    base_file: OnceLock<ScenarioFile>,
}

/// How a network is trained for the substrate that it is measured on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Variant {
    /// On it: as the scenario says.
    InTheLoop,
    /// On it, with derivatives at recorded times (`training.rule = "recorded"`).
    Recorded,
    /// On it, with those of the neurons that the datasheet promises (`training.rule = "datasheet"`).
    Datasheet,
    /// On it, with those of a twin (`training.rule = "twin"`).
    Twin,
    /// Without the scenario's chip; its weights are then put onto the chip as they are.
    IdealThenChip,
}

impl Variant {
    /// Name in the results.
    pub fn name(self) -> &'static str {
        match self {
            Variant::InTheLoop => "in_the_loop",
            Variant::Recorded => "recorded",
            Variant::Datasheet => "datasheet",
            Variant::Twin => "twin",
            Variant::IdealThenChip => "ideal_then_chip",
        }
    }

    /// The rule of training in the loop, if it is not the scenario's.
    pub fn rule(self) -> Option<LearningRule> {
        match self {
            Variant::InTheLoop | Variant::IdealThenChip => None,
            Variant::Recorded => Some(LearningRule::Recorded),
            Variant::Datasheet => Some(LearningRule::Datasheet),
            Variant::Twin => Some(LearningRule::Twin),
        }
    }

    /// A scenario with the rule of this variant.
    pub(super) fn with_its_rule(self, loaded: LoadedScenario) -> LoadedScenario {
        match self.rule() {
            Some(rule) => with_rule(loaded, rule),
            None => loaded,
        }
    }

    /// What is trained for a scenario.
    pub(super) fn trained(self, loaded: LoadedScenario) -> LoadedScenario {
        match self {
            Variant::IdealThenChip => without_substrate(&loaded),
            _ => self.with_its_rule(loaded),
        }
    }

    /// What figures call it.
    pub fn label(self) -> &'static str {
        match self {
            Variant::InTheLoop => "trained in the loop",
            Variant::Recorded => "in the loop, recorded times",
            Variant::Datasheet => "in the loop, model of the datasheet",
            Variant::Twin => "in the loop, twin",
            Variant::IdealThenChip => "trained ideally, then put on the chip",
        }
    }
}

/// How the values of several axes are combined.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Combine {
    /// Each with each.
    #[default]
    Grid,
    /// The first with the first, the second with the second, …
    Paired,
}

/// A value for each axis.
#[derive(Clone, Debug, PartialEq)]
pub struct Point(pub Vec<AxisValue>);

/// One training.
#[derive(Clone, Debug, PartialEq)]
pub struct Job {
    /// How.
    pub variant: Variant,
    /// Where.
    pub point: Point,
    /// With which seed.
    pub seed: u64,
}

/// More trainings are surely a mistake.
const MOST_JOBS: usize = 1_000_000;

/// Whether a file is a study, not a scenario: it has a key `study`.
pub fn is_study(file: &ScenarioFile) -> bool {
    file.has("study")
}

impl Study {
    /// Reads a study and checks it, but not its scenarios ([`Self::load`]).
    ///
    /// # Errors
    /// If the file cannot be read, has an unknown key or a wrong type, or a value is out of range.
    pub fn read(path: &Path) -> Result<Self, StudyError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| StudyError::Read { path: path.to_owned(), source })?;
        let file: StudyFile = toml::from_str(&text).map_err(|error| StudyError::Parse {
            path: path.to_owned(),
            message: explain(&error),
        })?;
        let folder = path.parent().unwrap_or(Path::new(""));
        let mut problems = Vec::new();
        let mut entry = |(index, entry): (usize, AxisEntry)| {
            let mut check = Check::new(&mut problems);
            entry.axis(&mut check.section(format!("axes.{index}")))
        };
        let (axes, pools): (Vec<Axis>, Vec<Pool>) =
            file.axes.into_iter().enumerate().map(&mut entry).unzip();
        let Head { name, title, base, set, seeds, variants, combine, budget, draw_seed } =
            file.study;
        let stem = || path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let name = name.unwrap_or_else(stem);
        let mut study = Study {
            title: title.unwrap_or_else(|| name.clone()),
            name,
            base: folder.join(base),
            set: set.given().into_iter().map(|given| Override::in_folder(given, folder)).collect(),
            seeds: match seeds {
                Seeds::Count(count) => (1..=count.min(MOST_JOBS as u64 + 1)).collect(),
                Seeds::List(seeds) => seeds,
            },
            variants,
            axes,
            combine,
            is_search: budget.is_some(),
            path: path.to_owned(),
            base_file: OnceLock::new(),
        };
        study.check_search(budget, &pools, &mut Check::new(&mut problems));
        if let Some(budget) = budget
            && problems.is_empty()
        {
            study.draw(&pools, budget, draw_seed);
        }
        if problems.is_empty() {
            problems = study.problems();
        }
        if problems.is_empty() {
            return Ok(study);
        }
        let place = |key: &str| match line_of(&text, key) {
            Some(line) => format!("{}:{line}", path.display()),
            None => path.display().to_string(),
        };
        let problems = problems.iter();
        let problems = problems.map(|problem| format!("{}: {problem}", place(&problem.key)));
        Err(StudyError::Invalid { problems: problems.collect() })
    }

    /// Notes what does not go with a search, or only with one.
    fn check_search(&self, budget: Option<usize>, pools: &[Pool], check: &mut Check<'_>) {
        let Some(budget) = budget else {
            for (index, pool) in pools.iter().enumerate() {
                let drawn = matches!(pool, Pool::Interval(_));
                check.require(!drawn, format!("axes.{index}.random"), || {
                    "how many values? Give study.budget, the number of trainings in all".to_owned()
                });
            }
            return;
        };
        let per_point = self.seeds.len().saturating_mul(self.variants.len()).max(1);
        check.require((per_point..=MOST_JOBS).contains(&budget), "study.budget", || {
            format!(
                "{budget} must be from {per_point} (seeds and variants of one point) to {MOST_JOBS}"
            )
        });
        check.require(self.combine == Combine::Grid, "study.combine", || {
            "a search with a budget draws its points: leave combine out".to_owned()
        });
        for (index, axis) in self.axes.iter().enumerate() {
            check.require(axis.ideal.is_none(), format!("axes.{index}.ideal"), || {
                "a search has no ideal value to compare with: leave it out".to_owned()
            });
        }
    }

    /// Draws the points of a search.
    fn draw(&mut self, pools: &[Pool], budget: usize, seed: u64) {
        let per_point = self.seeds.len().saturating_mul(self.variants.len()).max(1);
        let drawn = search::draw(pools, budget / per_point, seed);
        for (axis, values) in self.axes.iter_mut().zip(drawn) {
            axis.values = values;
        }
        self.combine = Combine::Paired;
    }

    /// The file that it was read from.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The folder of the file, in which its relative paths begin.
    fn folder(&self) -> &Path {
        self.path.parent().unwrap_or(Path::new(""))
    }

    /// All points; the last axis varies fastest.
    pub fn points(&self) -> Vec<Point> {
        match self.combine {
            Combine::Grid => {
                let mut points = vec![Point(Vec::new())];
                for axis in &self.axes {
                    let with = |point: &Point| {
                        let point = point.0.clone();
                        axis.values.iter().map(move |value| {
                            Point(point.iter().cloned().chain([value.clone()]).collect())
                        })
                    };
                    points = points.iter().flat_map(with).collect();
                }
                points
            }
            Combine::Paired => {
                let count = self.axes.first().map_or(0, |axis| axis.values.len());
                let point = |index: usize| {
                    Point(self.axes.iter().map(|axis| axis.values[index].clone()).collect())
                };
                (0..count).map(point).collect()
            }
        }
    }

    /// All trainings, in the order in which they are done.
    pub fn jobs(&self) -> Vec<Job> {
        let points = self.points();
        let mut jobs = Vec::new();
        for &variant in &self.variants {
            for point in &points {
                for &seed in &self.seeds {
                    jobs.push(Job { variant, point: point.clone(), seed });
                }
            }
        }
        jobs
    }

    /// The scenario of a point, with a seed.
    ///
    /// # Errors
    /// If it cannot be used; the message names the point.
    pub fn load(&self, point: &Point, seed: u64) -> Result<LoadedScenario, StudyError> {
        let mut overrides = self.set.clone();
        for (axis, value) in self.axes.iter().zip(&point.0) {
            let here = |given| Override::in_folder(given, self.folder());
            overrides.extend(axis.overrides(value).into_iter().map(here));
        }
        overrides.push(Override::here(format!("seed={seed}")));
        let place = || format!("{}, {}", self.path.display(), self.describe(point));
        let loaded = self
            .base_file()
            .and_then(|file| file.load(&overrides))
            .map_err(|source| StudyError::Point { point: place(), source })?;
        if loaded.scenario.is_simulation() {
            let message = "a study is of trainings: the scenario must have [[layers]]";
            let source = loaded.problem("populations", message);
            return Err(StudyError::Point { point: place(), source });
        }
        Ok(loaded)
    }

    /// The scenario's file, which is read when this is called first.
    fn base_file(&self) -> Result<&ScenarioFile, ScenarioError> {
        if let Some(file) = self.base_file.get() {
            return Ok(file);
        }
        let file = ScenarioFile::read(&self.base)?;
        Ok(self.base_file.get_or_init(|| file))
    }

    /// The base scenario as it is where nothing varies.
    ///
    /// # Errors
    /// If it cannot be used.
    pub fn load_base(&self) -> Result<LoadedScenario, StudyError> {
        let base = Point(vec![AxisValue::Base; self.axes.len()]);
        self.load(&base, 1)
    }

    /// A point in words: `loss = 0.1, jitter = 2`.
    pub fn describe(&self, point: &Point) -> String {
        let parts = self.axes.iter().zip(&point.0);
        let parts: Vec<String> =
            parts.map(|(axis, value)| format!("{} = {value}", axis.name)).collect();
        parts.join(", ")
    }

    /// The files that the scenarios of all points name. Only words on an axis can be such names.
    fn files(&self, base: &LoadedScenario) -> Result<BTreeSet<PathBuf>, StudyError> {
        let mut files = base.scenario.files();
        let is_word = |value: &AxisValue| matches!(value, AxisValue::Text(_));
        if self.axes.iter().any(|axis| axis.values.iter().any(is_word)) {
            for point in self.points() {
                files.extend(self.load(&point, 1)?.scenario.files());
            }
        }
        Ok(files)
    }

    /// What results belong to: another base, other keys, or other data make other results. It does not
    /// depend on the folder that the study is run in.
    ///
    /// # Errors
    /// If the base scenario cannot be used.
    pub fn identity(&self) -> Result<String, StudyError> {
        Ok(portable(&self.identity_in_place()?))
    }

    /// The same as it is written to a file: a scenario that can be run, the base with every default.
    pub(super) fn identity_in_place(&self) -> Result<String, StudyError> {
        let mut text = format!("# The base scenario of the study `{}`, which varies\n", self.name);
        for axis in &self.axes {
            text += &format!("#   {}\n", axis.description());
        }
        text += "\n";
        let base = self.load_base()?;
        text += &base.scenario.to_toml();
        text += &checksums(&self.files(&base)?);
        if let Ok(here) = std::env::current_dir() {
            text = format!("{PLACE}{}{}\n{text}", here.display(), std::path::MAIN_SEPARATOR);
        }
        Ok(text)
    }
}

/// Begins the line with the folder that a study was run in.
const PLACE: &str = "# Run in ";

/// An identity without the folder that the study was run in: the same study on another machine has its files in
/// another place. Those of earlier versions never had it.
pub(super) fn portable(identity: &str) -> String {
    match identity.strip_prefix(PLACE).and_then(|rest| rest.split_once('\n')) {
        Some((place, text)) => text.replace(place, ""),
        None => identity.to_owned(),
    }
}

impl Settings for Study {
    /// What is wrong between the parts.
    fn check(&self, check: &mut Check<'_>) {
        let fits = |letter: char| letter.is_ascii_alphanumeric() || "_-".contains(letter);
        check.require(!self.name.is_empty() && self.name.chars().all(fits), "study.name", || {
            format!("`{}` must be made of letters, digits, `_` and `-`", self.name)
        });
        check.require(!self.axes.is_empty(), "axes", || {
            "there must be at least one axis".to_owned()
        });
        check.require(!self.seeds.is_empty(), "study.seeds", || "there must be a seed".to_owned());
        let mut seen = HashSet::new();
        for &seed in &self.seeds {
            check.require(seen.insert(seed), "study.seeds", || format!("{seed} is there twice"));
            check
                .require(seed <= i64::MAX as u64, "study.seeds", || format!("{seed} is too large"));
        }
        check.require(!self.variants.is_empty(), "study.variants", || {
            "there must be one".to_owned()
        });
        for (index, variant) in self.variants.iter().enumerate() {
            check.require(!self.variants[..index].contains(variant), "study.variants", || {
                format!("{} is there twice", variant.name())
            });
        }
        for (index, axis) in self.axes.iter().enumerate() {
            let taken = self.axes[..index].iter().any(|other| other.name == axis.name)
                || results::is_column(&axis.name);
            check.require(!taken, format!("axes.{index}.name"), || {
                format!("`{}` is the name of another column of the results", axis.name)
            });
            let first = &self.axes[0];
            let same = self.combine == Combine::Grid || axis.values.len() == first.values.len();
            check.require(same, format!("axes.{index}.values"), || {
                let (here, there) = (axis.values.len(), first.values.len());
                format!("{here} values, but paired axes must have as many as the first: {there}")
            });
        }
        let sizes = self.axes.iter().map(|axis| axis.values.len());
        let points = match self.combine {
            Combine::Grid => sizes.fold(1, usize::saturating_mul),
            Combine::Paired => sizes.min().unwrap_or(0),
        };
        let jobs = points.saturating_mul(self.seeds.len()).saturating_mul(self.variants.len());
        check.require(jobs <= MOST_JOBS, "axes", || {
            format!("{jobs} trainings are too many: at most {MOST_JOBS}")
        });
    }
}

impl fmt::Display for Job {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let values: Vec<String> = self.point.0.iter().map(AxisValue::to_string).collect();
        write!(formatter, "{}, {}, seed {}", values.join(", "), self.variant.name(), self.seed)
    }
}
