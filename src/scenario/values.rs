//! Numbers of a scenario that are one value, a distribution, or given one by one.

use std::path::{Path, PathBuf};

use rand::RngExt;
use rand::rngs::ChaCha8Rng;
use rand_distr::{Distribution, Normal};
use serde::{Deserialize, Serialize};

use crate::learning::Bounds;

/// Values of a group. `V` is how they are given one by one: for the weights or delays of synapses a
/// table with a row per presynaptic neuron and a column per postsynaptic neuron, for a parameter of
/// neurons ([`ParameterSpec`](super::ParameterSpec)) a list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub enum ValueSpec<V = Vec<Vec<f64>>> {
    /// The same for all.
    Constant(f64),
    /// Drawn from a normal distribution.
    Normal {
        /// Its mean.
        mean: f64,
        /// Its standard deviation, not negative.
        std: f64,
    },
    /// Drawn with equal probability from an interval.
    Uniform {
        /// Its lower end.
        low: f64,
        /// Its upper end, not below the lower.
        high: f64,
    },
    /// `low + (high − low)/(1 + e^(−x))` with `x` drawn from a normal distribution: between the ends,
    /// and never on them.
    LogitNormal {
        /// Mean of `x`.
        mean: f64,
        /// Its standard deviation, not negative.
        std: f64,
        /// The lower end.
        #[serde(default)]
        low: f64,
        /// The upper end, above the lower.
        #[serde(default = "one")]
        high: f64,
    },
    /// One by one.
    Values(V),
    /// A CSV file that holds them, relative to the scenario's folder: a table has no header, a
    /// parameter of neurons is in the column of its name.
    File(PathBuf),
}

fn one() -> f64 {
    1.0
}

impl<V> ValueSpec<V> {
    /// Whether the values are given one by one, which fixes their number.
    pub fn is_table(&self) -> bool {
        matches!(self, ValueSpec::Values(_) | ValueSpec::File(_))
    }

    /// The file that the values are in, if they are in one.
    pub(super) fn file_mut(&mut self) -> Option<&mut PathBuf> {
        match self {
            ValueSpec::File(file) => Some(file),
            _ => None,
        }
    }

    /// What is wrong with the specification itself, if anything.
    pub(super) fn problem(&self) -> Option<String> {
        match *self {
            ValueSpec::Constant(value) if !value.is_finite() => {
                Some(format!("constant = {value} must be finite"))
            }
            ValueSpec::Normal { mean, std }
                if !(mean.is_finite() && std >= 0.0 && std.is_finite()) =>
            {
                Some(format!(
                    "normal = {{ mean = {mean}, std = {std} }}: both must be finite, std not negative"
                ))
            }
            ValueSpec::Uniform { low, high }
                if !(low <= high && low.is_finite() && high.is_finite()) =>
            {
                Some(format!(
                    "uniform = {{ low = {low}, high = {high} }}: both must be finite, low ≤ high"
                ))
            }
            ValueSpec::LogitNormal { mean, std, low, high }
                if !(mean.is_finite()
                    && std >= 0.0
                    && std.is_finite()
                    && low < high
                    && (high - low).is_finite()) =>
            {
                Some(format!(
                    "logit_normal = {{ mean = {mean}, std = {std}, low = {low}, high = {high} }}: all \
                     must be finite, std not negative, low < high"
                ))
            }
            _ => None,
        }
    }

    /// The ends of the interval that all values are in, as far as they are known without drawing or
    /// reading them.
    pub(super) fn ends(&self) -> Option<(f64, f64)> {
        match *self {
            ValueSpec::Constant(value) => Some((value, value)),
            ValueSpec::Uniform { low, high } | ValueSpec::LogitNormal { low, high, .. } => {
                Some((low, high))
            }
            ValueSpec::Normal { .. } | ValueSpec::Values(_) | ValueSpec::File(_) => None,
        }
    }

    /// One draw; values that are given one by one have none.
    pub(super) fn draw(&self, random: &mut ChaCha8Rng) -> f64 {
        match *self {
            ValueSpec::Constant(value) => value,
            ValueSpec::Normal { mean, std } => {
                Normal::new(mean, std).map_or(f64::NAN, |normal| normal.sample(random))
            }
            ValueSpec::Uniform { low, high } => low + (high - low) * random.random::<f64>(),
            ValueSpec::LogitNormal { mean, std, low, high } => {
                let raw = Normal::new(mean, std).map_or(f64::NAN, |normal| normal.sample(random));
                Bounds { low, high }.value(raw)
            }
            ValueSpec::Values(_) | ValueSpec::File(_) => f64::NAN,
        }
    }
}

impl ValueSpec {
    /// A table of `rows` × `columns` values, row by row. The error says what is wrong, and where in
    /// the file if there is one.
    pub(super) fn table(
        &self,
        rows: usize,
        columns: usize,
        folder: &Path,
        random: &mut ChaCha8Rng,
    ) -> Result<Vec<f64>, String> {
        let (table, place) = match self {
            ValueSpec::Values(table) => (table.clone(), String::new()),
            ValueSpec::File(path) => {
                let path = folder.join(path);
                (read_table(&path)?, format!("{}: ", path.display()))
            }
            _ => return Ok((0..rows * columns).map(|_| self.draw(random)).collect()),
        };
        if table.len() != rows {
            return Err(format!(
                "{place}{} rows, but {rows} are needed (presynaptic neurons, then bias sources)",
                table.len()
            ));
        }
        for (index, row) in table.iter().enumerate() {
            if row.len() != columns {
                return Err(format!(
                    "{place}row {} has {} values, but {columns} are needed (postsynaptic neurons)",
                    index + 1,
                    row.len()
                ));
            }
            if let Some(value) = row.iter().find(|value| !value.is_finite()) {
                return Err(format!("{place}row {}: {value} must be finite", index + 1));
            }
        }
        Ok(table.concat())
    }
}

impl ValueSpec<Vec<f64>> {
    /// `count` values, one per `each`; a file's from its column of this name. The error says what is
    /// wrong, and where in the file if there is one.
    pub(super) fn list(
        &self,
        count: usize,
        each: &str,
        column: &str,
        folder: &Path,
        random: &mut ChaCha8Rng,
    ) -> Result<Vec<f64>, String> {
        let (list, place) = match self {
            ValueSpec::Values(list) => (list.clone(), String::new()),
            ValueSpec::File(path) => {
                let path = folder.join(path);
                (read_column(&path, column)?, format!("{}: ", path.display()))
            }
            _ => return Ok((0..count).map(|_| self.draw(random)).collect()),
        };
        if list.len() == count {
            Ok(list)
        } else {
            Err(format!("{place}{} values, but {count} are needed: one per {each}", list.len()))
        }
    }
}

/// Reads a CSV file without header, all finite numbers.
fn read_table(path: &Path) -> Result<Vec<Vec<f64>>, String> {
    let mut table = Vec::new();
    for record in open(path, false)?.records() {
        let (line, record) = checked(path, record)?;
        let row = record
            .iter()
            .map(|field| {
                field.parse().ok().filter(|value: &f64| value.is_finite()).ok_or_else(|| {
                    format!("{}:{line}: `{field}` must be a finite number", path.display())
                })
            })
            .collect::<Result<Vec<f64>, String>>()?;
        table.push(row);
    }
    Ok(table)
}

/// Reads one column of a CSV file with a header: numbers, which may be infinite.
fn read_column(path: &Path, name: &str) -> Result<Vec<f64>, String> {
    let mut reader = open(path, true)?;
    let headings = reader.headers().map_err(|error| format!("{}: {error}", path.display()))?;
    let column = headings.iter().position(|heading| heading == name).ok_or_else(|| {
        let found = headings.iter().collect::<Vec<_>>().join(", ");
        format!("{}:1: there is no column `{name}`; there are {found}", path.display())
    })?;
    let mut list = Vec::new();
    for record in reader.records() {
        let (line, record) = checked(path, record)?;
        let field = record.get(column).unwrap_or("");
        list.push(field.parse().map_err(|_| {
            format!("{}:{line}: {name} `{field}` must be a number", path.display())
        })?);
    }
    Ok(list)
}

fn open(path: &Path, has_headers: bool) -> Result<csv::Reader<std::fs::File>, String> {
    csv::ReaderBuilder::new()
        .has_headers(has_headers)
        .flexible(true)
        .trim(csv::Trim::All)
        .from_path(path)
        .map_err(|error| format!("{}: {error}", path.display()))
}

/// A record with its line, or what is wrong with it.
fn checked(
    path: &Path,
    record: csv::Result<csv::StringRecord>,
) -> Result<(u64, csv::StringRecord), String> {
    let record = record.map_err(|error| format!("{}: {error}", path.display()))?;
    Ok((record.position().map_or(0, csv::Position::line), record))
}
