//! From a file and the command line's overrides to a checked scenario.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use super::locate::{is_there, line_of};
use super::validate::validate;
use super::{DatasetSpec, NeuronSpec, Scenario, chip};
use crate::dataset::catalogue;
use crate::neuron::NeuronParameters;

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
    #[error("{}", problems.join("\n"))]
    Invalid {
        /// Each problem with file, line, key and what is accepted.
        problems: Vec<String>,
    },
}

/// Something wrong with the value of a key.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Problem {
    /// Dotted path: `layers.0.size`.
    pub key: String,
    pub message: String,
}

/// A checked scenario and where it came from.
#[derive(Clone, Debug)]
pub struct LoadedScenario {
    /// The scenario with every default filled in.
    pub scenario: Scenario,
    path: PathBuf,
    text: String,
    overrides: Vec<String>,
}

impl LoadedScenario {
    /// The folder that files named in the scenario are relative to.
    pub fn folder(&self) -> &Path {
        self.path.parent().unwrap_or(Path::new(""))
    }

    pub(super) fn invalid(&self, problems: &[Problem]) -> ScenarioError {
        let problems = problems
            .iter()
            .map(|Problem { key, message }| {
                let place = match line_of(&self.text, key) {
                    _ if self.is_overridden(key) => "--set".to_owned(),
                    Some(line) => format!("{}:{line}", self.path.display()),
                    None => self.path.display().to_string(),
                };
                format!("{place}: {key}: {message}")
            })
            .collect();
        ScenarioError::Invalid { problems }
    }

    /// Whether the value of a key, or for anything smaller than a section a part of it, comes from
    /// the command line.
    fn is_overridden(&self, key: &str) -> bool {
        let within = |inner: &str, outer: &str| {
            inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        self.overrides.iter().any(|given| {
            let changed = given.split('=').next().unwrap_or("").trim();
            within(key, changed) || (key.contains('.') && within(changed, key))
        })
    }

    /// The parameters of the neurons of a layer or population (the `group`th, at `key`).
    pub(super) fn neurons(
        &self,
        key: &str,
        name: &str,
        spec: &NeuronSpec,
        count: usize,
        group: usize,
    ) -> Result<Vec<NeuronParameters>, ScenarioError> {
        spec.neurons(count, group, self.scenario.seed, self.folder()).map_err(
            |(parameter, message)| {
                let (own, general) =
                    (format!("{key}.neuron.{parameter}"), format!("neuron.{parameter}"));
                // A problem is where its value was given.
                let inherited = !self.is_overridden(&own)
                    && !is_there(&self.text, &own)
                    && (self.is_overridden(&general) || is_there(&self.text, &general));
                let message = format!("population `{name}`: {message}");
                self.problem(if inherited { &general } else { &own }, &message)
            },
        )
    }
}

/// Reads a scenario, applies overrides (`key.path=value`, the value as in TOML or a bare string),
/// fills in every default and checks every value.
///
/// # Errors
/// If the file cannot be read, has an unknown key or a wrong type, an override does not fit, or a
/// value is out of range. The message names file, line and key, and what is accepted.
pub fn load(path: &Path, overrides: &[String]) -> Result<LoadedScenario, ScenarioError> {
    let text = std::fs::read_to_string(path)
        .map_err(|source| ScenarioError::Read { path: path.to_owned(), source })?;
    let parse_error = |error: &toml::de::Error| ScenarioError::Parse {
        path: path.to_owned(),
        message: explain(error),
    };
    let mut scenario: Scenario = toml::from_str(&text).map_err(|error| parse_error(&error))?;
    let mut table: toml::Table = toml::from_str(&text).map_err(|error| parse_error(&error))?;
    if !overrides.is_empty() {
        for given in overrides {
            let refuse = |message| ScenarioError::Override { given: given.clone(), message };
            chip::as_table(&mut table);
            apply_override(&mut table, given).map_err(refuse)?;
            scenario = table.clone().try_into().map_err(|error| refuse(explain(&error)))?;
        }
    }
    fill_in(&mut scenario, path);
    let mut loaded =
        LoadedScenario { scenario, path: path.to_owned(), text, overrides: overrides.to_vec() };
    chip::resolve(&mut loaded, &table)?;
    let problems = validate(&loaded.scenario);
    if problems.is_empty() { Ok(loaded) } else { Err(loaded.invalid(&problems)) }
}

/// Fills in the defaults that depend on other values.
fn fill_in(scenario: &mut Scenario, path: &Path) {
    if scenario.name.is_empty() {
        scenario.name = path
            .file_stem()
            .map_or_else(|| "scenario".to_owned(), |stem| stem.to_string_lossy().into_owned());
    }
    // `[neuron]` itself stays as it is: what neurons take from it is in their layer or population.
    let general = &scenario.neuron;
    let complete = |own: &mut NeuronSpec| {
        *own = own.over(general);
        own.fill_in();
    };
    scenario.layers.iter_mut().for_each(|layer| complete(&mut layer.neuron));
    for population in &mut scenario.populations {
        if population.source.is_none() {
            complete(&mut population.neuron);
        }
    }
    let folder = path.parent().unwrap_or(Path::new(""));
    for file in scenario.files_mut() {
        // Absolute, so that the resolved scenario can be run from anywhere.
        *file = std::path::absolute(folder.join(&*file)).unwrap_or_else(|_| folder.join(&*file));
    }
    // What nobody named is where `data fetch` puts it.
    let (spec, usual) = match &mut scenario.dataset {
        Some(DatasetSpec::Mnist(spec)) => (spec, catalogue::mnist().folder),
        Some(DatasetSpec::FashionMnist(spec)) => (spec, catalogue::fashion_mnist().folder),
        _ => return,
    };
    spec.folder.get_or_insert_with(|| std::path::absolute(&usual).unwrap_or(usual));
}

/// Sets `key.path=value` in the table.
fn apply_override(table: &mut toml::Table, given: &str) -> Result<(), String> {
    let Some((key, value)) = given.split_once('=') else {
        return Err("an override is written key=value, as in training.epochs=20".to_owned());
    };
    let (key, value) = (key.trim(), value.trim());
    let value = toml::from_str::<toml::Table>(&format!("value = {value}"))
        .ok()
        .and_then(|mut table| table.remove("value"))
        .unwrap_or_else(|| toml::Value::String(value.to_owned()));
    let mut parts: Vec<&str> = key.split('.').collect();
    let last = parts.pop().filter(|part| !part.is_empty()).ok_or("the key is empty")?;
    let Some(first) = parts.first() else {
        table.insert(last.to_owned(), value);
        return Ok(());
    };
    let empty = || toml::Value::Table(toml::Table::new());
    let mut place = table.entry((*first).to_owned()).or_insert_with(empty);
    for part in &parts[1..] {
        place = step_into(place, part)?;
    }
    match place {
        toml::Value::Table(table) => {
            table.insert(last.to_owned(), value);
        }
        other => *step_into(other, last)? = value,
    }
    Ok(())
}

fn step_into<'a>(place: &'a mut toml::Value, part: &str) -> Result<&'a mut toml::Value, String> {
    match place {
        toml::Value::Table(table) => Ok(table
            .entry(part.to_owned())
            .or_insert_with(|| toml::Value::Table(toml::Table::new()))),
        toml::Value::Array(array) => {
            let length = array.len();
            part.parse::<usize>().ok().and_then(|index| array.get_mut(index)).ok_or_else(|| {
                format!("`{part}` is not an index from 0 to {}", length.saturating_sub(1))
            })
        }
        _ => Err(format!("`{part}` cannot be set inside a value that is not a table")),
    }
}

/// How the parser calls the types of a scenario, and what they are to a user.
const TYPES: [(&str, &str); 6] = [
    ("expected f64", "expected a number"),
    ("expected usize", "expected a whole number, not negative"),
    ("expected u64", "expected a whole number, not negative"),
    ("expected u32", "expected a whole number from 0 to 4294967295"),
    ("expected a sequence", "expected a list"),
    // Of the tables, only those of neuron parameters can be found empty in this way.
    ("map, expected enum", "empty table, expected a number, or normal, uniform, values or file"),
];

/// The parser's message in a user's words, with the nearest known key where it met an unknown one.
pub(crate) fn explain(error: &toml::de::Error) -> String {
    let mut plain = TYPES
        .iter()
        .fold(error.message().to_owned(), |message, (theirs, ours)| message.replace(theirs, ours));
    if let Some(start) = plain.find("expected struct ") {
        plain.replace_range(start.., "expected a table");
    }
    let mut text = error.to_string().trim_end().replace(error.message(), &plain);
    let mut quoted = error.message().split('`').skip(1).step_by(2);
    if error.message().starts_with("unknown")
        && let Some(unknown) = quoted.next()
    {
        let nearest = quoted
            .map(|known| (strsim::damerau_levenshtein(unknown, known), known))
            .min_by_key(|(distance, _)| *distance)
            .filter(|(distance, known)| *distance <= known.len() / 2);
        if let Some((_, known)) = nearest {
            let _ = write!(text, "\nDid you mean `{known}`?");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overrides_reach_into_tables_and_arrays() {
        let mut table: toml::Table =
            toml::from_str("seed = 1\n[[layers]]\nsize = 3\n[training]\nepochs = 3\n")
                .expect("valid");
        for given in
            ["training.epochs=20", "layers.0.size = 7", "neuron.tau_m=inf", "name=a b", "seed=2"]
        {
            apply_override(&mut table, given).expect(given);
        }
        let expected: toml::Table = toml::from_str(
            "name = 'a b'\nseed = 2\nneuron.tau_m = inf\ntraining.epochs = 20\nlayers = [{size = 7}]",
        )
        .expect("valid");
        assert_eq!(table, expected);
        for bad in ["training", "=3", "layers.1.size=2", "seed.x=1"] {
            assert!(apply_override(&mut table, bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_unknown_key_is_explained_with_the_nearest_known_one() {
        let error = toml::from_str::<Scenario>("[neuron]\ntau_mem = 2\n").expect_err("unknown");
        let text = explain(&error);
        assert!(text.contains("line 2") && text.contains("Did you mean `tau_m`?"), "{text}");
    }
}
