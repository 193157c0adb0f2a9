//! A chip file by itself, without the scenario that it is for.

use std::path::Path;

use super::load::parse_error;
use super::locate::line_of;
use super::{Place, ScenarioError, ScenarioFile, ScenarioProblem};
use crate::chip::Datasheet;
use crate::settings::Settings;

/// Keys that chip files have, and scenarios and studies do not.
const OF_CHIPS: [&str; 8] =
    ["weights", "neurons", "link", "presentation", "energy", "size", "tau_s", "distortion"];

/// Keys that only scenarios and studies have.
const OF_OTHERS: [&str; 8] =
    ["dataset", "layers", "populations", "neuron", "training", "chip", "study", "simulation"];

impl ScenarioFile {
    /// Whether the file is one of a chip, and no scenario or study.
    pub fn is_chip(&self) -> bool {
        OF_CHIPS.iter().any(|key| self.has(key)) && !OF_OTHERS.iter().any(|key| self.has(key))
    }

    /// The chip file, checked as far as that goes without a scenario.
    ///
    /// # Errors
    /// If it has an unknown key or a wrong type, or a value is out of range, with the line.
    pub fn chip(&self) -> Result<Datasheet, ScenarioError> {
        let (path, text) = (self.path(), self.text());
        let sheet: Datasheet = toml::from_str(text).map_err(|error| parse_error(path, &error))?;
        let place = |key: &str| Place::File { path: path.to_owned(), line: line_of(text, key) };
        let problems: Vec<ScenarioProblem> = sheet
            .problems()
            .into_iter()
            .map(|problem| ScenarioProblem { place: place(&problem.key), problem })
            .collect();
        if problems.is_empty() { Ok(sheet) } else { Err(ScenarioError::Invalid { problems }) }
    }

    /// What to do with a chip file in place of a scenario.
    pub fn chip_advice(path: &Path) -> String {
        let path = path.display();
        format!("{path}: this is a chip file: give it to a scenario with --set chip={path}")
    }
}
