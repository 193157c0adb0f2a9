//! From a file and the command line's overrides to a checked scenario.
//!
//! The file is parsed once, to a table. Overrides change the table, a chip file is put under its entry
//! `chip`, and what comes out is converted once, to a [`Scenario`]. Only if that fails is the place of
//! the mistake looked for: in the text by itself, which knows lines, and then override by override.

use std::fmt::{self, Write as _};
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::explain::explain;
use super::locate::{is_there, line_of};
use super::overrides::{Override, apply_all, folder_of, is_within};
use super::validate::validate;
use super::variants::Variants;
use super::{GroupParameters, Scenario, chip, defaults};
use crate::dataset::DataSource;
use crate::neuron::NeuronParameters;
use crate::settings::Problem;

/// A scenario that cannot be used. Nothing has been written when it is returned.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ScenarioError {
    /// The file cannot be read.
    #[error("cannot read scenario {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is not TOML, or has a key or type that a scenario does not know.
    #[error("{}: {message}", path.display())]
    Parse {
        /// The file.
        path: PathBuf,
        /// What and where, with the line.
        message: String,
    },
    /// An override does not fit.
    #[error("--set {given}: {message}")]
    Override {
        /// The override as it was given.
        given: String,
        /// What is wrong.
        message: String,
    },
    /// Values are out of range or do not fit together.
    #[error("{}", lines(problems))]
    Invalid {
        /// Each problem, with its place.
        problems: Vec<ScenarioProblem>,
    },
}

fn lines(problems: &[ScenarioProblem]) -> String {
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

/// Something wrong with a value of a scenario, and where the value is from.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {problem}")]
pub struct ScenarioProblem {
    /// Where the value is from.
    pub place: Place,
    /// Its key, what is wrong with it, and what is accepted.
    pub problem: Problem,
}

/// Where a value of a scenario is from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// The command line.
    Override,
    /// A file.
    File {
        /// The file.
        path: PathBuf,
        /// The line of the value, from 1, or of the nearest part of its key that is there.
        line: Option<usize>,
    },
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Override => formatter.write_str("--set"),
            Place::File { path, line: None } => path.display().fmt(formatter),
            Place::File { path, line: Some(line) } => {
                write!(formatter, "{}:{line}", path.display())
            }
        }
    }
}

/// A scenario file that was read and parsed, but not yet checked: overrides can still change it.
#[derive(Clone, Debug)]
pub struct ScenarioFile {
    path: PathBuf,
    text: String,
    table: toml::Table,
}

/// A checked scenario and where it came from.
#[derive(Clone, Debug)]
pub struct LoadedScenario {
    /// The scenario with every default filled in.
    pub scenario: Scenario,
    origin: Origin,
}

/// Where the values of a scenario are from.
#[derive(Clone, Debug)]
pub(super) struct Origin {
    path: PathBuf,
    text: String,
    overrides: Vec<Override>,
    /// The chip file.
    base: Option<chip::Base>,
}

impl Origin {
    /// The folder of the file.
    pub fn folder(&self) -> &Path {
        self.path.parent().unwrap_or(Path::new(""))
    }

    /// The folder that a relative path under a key begins at: that of the file in which the path
    /// stands, or the working directory for one from the command line.
    pub fn folder_of(&self, key: &str) -> &Path {
        folder_of(key, &self.overrides, self.folder())
    }

    fn invalid(&self, problems: Vec<Problem>) -> ScenarioError {
        let place = |key: &str| {
            if self.is_overridden(key) {
                Place::Override
            } else {
                Place::File { path: self.path.clone(), line: line_of(&self.text, key) }
            }
        };
        let of_chip_file = |problem: &Problem| {
            let (place, key) = self.base.as_ref()?.place_of(&problem.key)?;
            let problem = Problem { key: key.to_owned(), message: problem.message.clone() };
            Some(ScenarioProblem { place, problem })
        };
        let located = |problem: Problem| {
            let here = |problem: Problem| ScenarioProblem { place: place(&problem.key), problem };
            of_chip_file(&problem).unwrap_or_else(|| here(problem))
        };
        let problems = problems.into_iter().map(located).collect();
        ScenarioError::Invalid { problems }
    }

    pub fn problem(&self, key: &str, message: impl ToString) -> ScenarioError {
        self.invalid(vec![Problem { key: key.to_owned(), message: message.to_string() }])
    }

    /// Whether the value of a key, or for anything smaller than a section a part of it, comes from
    /// the command line.
    fn is_overridden(&self, key: &str) -> bool {
        self.overrides.iter().any(|change| {
            change.reaches(key) || (key.contains('.') && is_within(change.key(), key))
        })
    }

    /// Whether the value of a key was given, in the file or on the command line.
    fn is_given(&self, key: &str) -> bool {
        self.is_overridden(key) || is_there(&self.text, key)
    }
}

impl LoadedScenario {
    /// The file that it was read from.
    pub fn path(&self) -> &Path {
        &self.origin.path
    }

    /// The folder that files named in the scenario are relative to.
    pub fn folder(&self) -> &Path {
        self.origin.folder()
    }

    pub(crate) fn problem(&self, key: &str, message: impl ToString) -> ScenarioError {
        self.origin.problem(key, message)
    }

    /// The parameters of the neurons of a layer or population (the `group`th, at `key`).
    pub(super) fn neurons(
        &self,
        key: &str,
        name: &str,
        parameters: &GroupParameters,
        count: usize,
        group: usize,
    ) -> Result<Vec<NeuronParameters>, ScenarioError> {
        let neurons = parameters.neurons(count, group, self.scenario.seed, self.folder());
        neurons.map_err(|Problem { key: parameter, message }| {
            let own = format!("{key}.neuron.{parameter}");
            let general = format!("neuron.{parameter}");
            // A problem is where its value was given.
            let inherited = !self.origin.is_given(&own) && self.origin.is_given(&general);
            let message = format!("population `{name}`: {message}");
            self.problem(if inherited { &general } else { &own }, message)
        })
    }
}

/// Reads a scenario, applies overrides (`key.path=value`, the value as in TOML or a bare word), fills in
/// every default and checks every value. Paths in overrides begin at the working directory.
///
/// # Errors
/// If the file cannot be read, has an unknown key or a wrong type, an override does not fit, or a
/// value is out of range. The message names file, line and key, and what is accepted.
pub fn load(path: &Path, overrides: &[String]) -> Result<LoadedScenario, ScenarioError> {
    let overrides: Vec<Override> = overrides.iter().map(Override::here).collect();
    ScenarioFile::read(path)?.load(&overrides)
}

impl ScenarioFile {
    /// Reads and parses a file.
    ///
    /// # Errors
    /// If it cannot be read, or is not TOML.
    pub fn read(path: &Path) -> Result<Self, ScenarioError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| ScenarioError::Read { path: path.to_owned(), source })?;
        ScenarioFile::parse(path, text)
    }

    /// Parses a text that is no file's. Messages call it `path`, and paths in it begin at the folder of that.
    ///
    /// # Errors
    /// If it is no TOML.
    pub fn parse(path: &Path, text: String) -> Result<Self, ScenarioError> {
        let table = toml::from_str(&text).map_err(|error| parse_error(path, &error))?;
        Ok(ScenarioFile { path: path.to_owned(), text, table })
    }

    /// The file.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// What stands in it.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Whether there is a key or section of this name at the top of the file.
    pub fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    /// The scenario with these overrides, as [`load`] gives it.
    ///
    /// # Errors
    /// As [`load`].
    pub fn load(&self, overrides: &[Override]) -> Result<LoadedScenario, ScenarioError> {
        let (path, text) = (self.path.clone(), self.text.clone());
        let mut origin = Origin { path, text, overrides: overrides.to_vec(), base: None };
        let (table, _) = self.overridden(overrides)?;
        let (mut scenario, base) = match self.convert(table, &origin) {
            Ok(converted) => converted,
            Err(error) => return Err(self.diagnose(overrides).err().unwrap_or(error)),
        };
        origin.base = base;
        fill_in(&mut scenario, &origin);
        let problems = validate(&scenario);
        if problems.is_empty() {
            Ok(LoadedScenario { scenario, origin })
        } else {
            Err(origin.invalid(problems))
        }
    }

    /// The file's table with overrides, and where in it there are kinds of a thing.
    fn overridden(&self, overrides: &[Override]) -> Result<(toml::Table, Variants), ScenarioError> {
        let mut table = self.table.clone();
        let variants = apply_all(&mut table, overrides).map_err(|(index, message)| {
            let given = overrides[index].given.clone();
            ScenarioError::Override { given, message }
        })?;
        Ok((table, variants))
    }

    /// The scenario of a table, with its chip file.
    fn convert(
        &self,
        mut table: toml::Table,
        origin: &Origin,
    ) -> Result<(Scenario, Option<chip::Base>), ScenarioError> {
        let base = chip::complete(&mut table, origin)?;
        let mut scenario = Scenario::deserialize(table).map_err(|error| match &base {
            Some(base) => base.mistake().unwrap_or(origin.problem("chip", error.message())),
            None => parse_error(&self.path, &error),
        })?;
        chip::find_measured(&mut scenario, base.as_ref(), origin);
        Ok((scenario, base))
    }

    /// What is wrong with the types or keys of the file, or of an override: then the first of those
    /// after which it stays wrong. Nothing if that is neither.
    fn diagnose(&self, overrides: &[Override]) -> Result<(), ScenarioError> {
        toml::from_str::<Scenario>(&self.text).map_err(|error| parse_error(&self.path, &error))?;
        let mut guilty = Ok(());
        for count in (1..=overrides.len()).rev() {
            let (table, variants) = self.overridden(&overrides[..count])?;
            let Err(error) = Scenario::deserialize(table) else { break };
            let change = &overrides[count - 1];
            let mut message = explain(&error);
            if let Some(advice) = variants.advice(change.key(), &message) {
                let _ = write!(message, "\n{advice}");
            }
            guilty = Err(ScenarioError::Override { given: change.given.clone(), message });
        }
        guilty
    }
}

pub(super) fn parse_error(path: &Path, error: &toml::de::Error) -> ScenarioError {
    ScenarioError::Parse { path: path.to_owned(), message: explain(error) }
}

/// Fills in the defaults that depend on other values.
fn fill_in(scenario: &mut Scenario, origin: &Origin) {
    let path = &origin.path;
    if scenario.name.is_empty() {
        scenario.name = path
            .file_stem()
            .map_or_else(|| "scenario".to_owned(), |stem| stem.to_string_lossy().into_owned());
    }
    if let Some(substrate) = &mut scenario.substrate {
        let folder = origin.folder_of("substrate.command");
        let here = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        substrate.folder.get_or_insert_with(|| absolute(here));
    }
    for (key, file) in scenario.files_mut() {
        // So that the resolved scenario can be run from anywhere.
        *file = absolute(&origin.folder_of(&key).join(&*file));
    }
    if let Some(start) = &mut scenario.start_from
        && start.extension().is_none_or(|ending| ending != "json")
    {
        start.push("network.json");
    }
    // `[neuron]` itself stays as it is: what neurons take from it is in their layer or population.
    let general = &scenario.neuron;
    let complete = |own: &mut GroupParameters| {
        *own = own.over(general);
        own.fill_in();
    };
    scenario.layers.iter_mut().for_each(|layer| complete(&mut layer.neuron));
    for population in &mut scenario.populations {
        if population.source.is_none() {
            complete(&mut population.neuron);
        }
    }
    if let Some(dataset) = &mut scenario.dataset {
        DataSource::fill_in_folder(dataset);
    }
    if scenario.dataset.is_some() {
        defaults::fill_in(scenario);
    }
}

/// The path from the root; as it is if the working directory is not known.
pub(super) fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overrides_need_to_fit_together_only_and_the_guilty_one_is_named() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/yin_yang.toml");
        let file = ScenarioFile::read(&path).expect("a scenario of the repository");
        let load = |overrides: &[&str]| {
            file.load(&overrides.iter().map(|&given| Override::here(given)).collect::<Vec<_>>())
        };
        let uniform = [
            "layers.0.weights={}",
            "layers.0.weights.uniform.low=0",
            "layers.0.weights.uniform.high=2",
        ];
        let loaded = load(&uniform).expect("good in the end");
        let weights = &loaded.scenario.layers[0].weights;
        let uniform_weights = crate::scenario::Values::Uniform { low: 0.0, high: 2.0 };
        assert_eq!(*weights, Some(uniform_weights));
        let wrong = "training.epochs=many";
        let [first, second, third] = uniform;
        for overrides in [[first, second, third, wrong], [wrong, first, second, third]] {
            let error = load(&overrides).expect_err("no number");
            assert!(
                matches!(&error, ScenarioError::Override { given, .. } if given == wrong),
                "{error}"
            );
        }
    }
}
