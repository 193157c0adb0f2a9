//! The file that says what a table of results consists of.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::scenario::{explain, line_of};
use crate::settings::{Check, Settings};

/// What a table of results consists of.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// The rows in the order in which they are shown.
    pub rows: Vec<Row>,
    #[serde(skip)]
    path: PathBuf,
}

/// One row of a table: a scenario that is trained with several seeds.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// Short name, also of the row's folder: letters, digits, `_` and `-`.
    pub name: String,
    /// What the table shows.
    pub title: String,
    /// The scenario, relative to the table's file.
    pub scenario: PathBuf,
    /// Changes of the scenario, as `key=value`.
    #[serde(default)]
    pub set: Vec<String>,
    /// The seeds; by default 1 to 5.
    #[serde(default = "default_seeds")]
    pub seeds: Vec<u64>,
    /// Figures to compare with, each with its source.
    #[serde(default)]
    pub published: Vec<String>,
    /// The mean test accuracy that is to be reached, in percent.
    #[serde(default)]
    pub reach: Option<f64>,
}

fn default_seeds() -> Vec<u64> {
    (1..=5).collect()
}

/// A table that cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TableError {
    /// The file cannot be read.
    #[error("cannot read table {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is not TOML, or has a key or type that a table does not know.
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
    /// A row is asked for that there is not.
    #[error("{}: there is no row `{name}`; there are {known}", path.display())]
    NoRow {
        /// The file.
        path: PathBuf,
        /// The name that was asked for.
        name: String,
        /// The names that exist.
        known: String,
    },
}

impl Table {
    /// Reads a table and checks it, but not its scenarios.
    ///
    /// # Errors
    /// If the file cannot be read, has an unknown key or a wrong type, or a value is out of range.
    pub fn load(path: &Path) -> Result<Self, TableError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| TableError::Read { path: path.to_owned(), source })?;
        let mut table: Table = toml::from_str(&text).map_err(|error| TableError::Parse {
            path: path.to_owned(),
            message: explain(&error),
        })?;
        path.clone_into(&mut table.path);
        let problems = table.problems();
        if problems.is_empty() {
            return Ok(table);
        }
        let place = |key: &str| match line_of(&text, key) {
            Some(line) => format!("{}:{line}", path.display()),
            None => path.display().to_string(),
        };
        let problems = problems.iter();
        Err(TableError::Invalid {
            problems: problems
                .map(|problem| format!("{}: {problem}", place(&problem.key)))
                .collect(),
        })
    }

    /// The folder that scenarios are relative to.
    pub fn folder(&self) -> &Path {
        self.path.parent().unwrap_or(Path::new(""))
    }

    /// Keeps only the rows of these names, in the table's order.
    ///
    /// # Errors
    /// If there is no row of a name.
    pub fn select(&mut self, names: &[String]) -> Result<(), TableError> {
        let known: Vec<&str> = self.rows.iter().map(|row| row.name.as_str()).collect();
        if let Some(name) = names.iter().find(|name| !known.contains(&name.as_str())) {
            let (path, known) = (self.path.clone(), known.join(", "));
            return Err(TableError::NoRow { path, name: name.clone(), known });
        }
        self.rows.retain(|row| names.contains(&row.name));
        Ok(())
    }
}

impl Settings for Table {
    fn check(&self, check: &mut Check<'_>) {
        let mut names = HashSet::new();
        check
            .require(!self.rows.is_empty(), "rows", || "there must be at least one row".to_owned());
        for (index, row) in self.rows.iter().enumerate() {
            let mut check = check.section(format!("rows.{index}"));
            let name = &row.name;
            let fits = |letter: char| letter.is_ascii_alphanumeric() || "_-".contains(letter);
            check.require(!name.is_empty() && name.chars().all(fits), "name", || {
                format!("`{name}` must be made of letters, digits, `_` and `-`")
            });
            check.require(names.insert(name), "name", || {
                format!("`{name}` is the name of two rows")
            });
            check.require(!row.title.trim().is_empty(), "title", || "must not be empty".to_owned());
            check.require(!row.seeds.is_empty(), "seeds", || "must not be empty".to_owned());
            let mut seeds = HashSet::new();
            for seed in &row.seeds {
                check.require(seeds.insert(seed), "seeds", || format!("{seed} is there twice"));
            }
            if let Some(reach) = row.reach {
                check.range("reach", reach, 0.0..=100.0, "from 0 to 100 (percent)");
            }
        }
    }
}
