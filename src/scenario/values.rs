//! Numbers of a scenario that are one value, a distribution, or a table.

use std::path::{Path, PathBuf};

use rand::RngExt;
use rand::rngs::ChaCha8Rng;
use rand_distr::{Distribution, Normal};
use serde::{Deserialize, Serialize};

/// Weights or delays of a group of synapses.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub enum ValueSpec {
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
    /// A table: a row per presynaptic neuron, a column per postsynaptic neuron.
    Values(Vec<Vec<f64>>),
    /// A CSV file without header that holds such a table; relative to the scenario's folder.
    File(PathBuf),
}

impl ValueSpec {
    /// Whether the values are a table, which fixes their number.
    pub fn is_table(&self) -> bool {
        matches!(self, ValueSpec::Values(_) | ValueSpec::File(_))
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
            _ => None,
        }
    }

    /// One draw; tables have none.
    pub(super) fn draw(&self, random: &mut ChaCha8Rng) -> f64 {
        match *self {
            ValueSpec::Constant(value) => value,
            ValueSpec::Normal { mean, std } => {
                Normal::new(mean, std).map_or(f64::NAN, |normal| normal.sample(random))
            }
            ValueSpec::Uniform { low, high } => low + (high - low) * random.random::<f64>(),
            ValueSpec::Values(_) | ValueSpec::File(_) => f64::NAN,
        }
    }

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

/// Reads a CSV file without header, all finite numbers.
fn read_table(path: &Path) -> Result<Vec<Vec<f64>>, String> {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .trim(csv::Trim::All)
        .from_path(path)
        .map_err(|error| format!("{}: {error}", path.display()))?;
    let mut table = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|error| format!("{}: {error}", path.display()))?;
        let line = record.position().map_or(0, csv::Position::line);
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
