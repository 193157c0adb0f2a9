//! Numbers of a scenario that are one value, a distribution, or given one by one.

use std::fmt;
use std::path::{Path, PathBuf};

use rand::RngExt;
use rand::rngs::ChaCha8Rng;
use rand_distr::{Distribution, Normal};
use serde::{Deserialize, Serialize};

use crate::learning::Bounds;
use crate::settings::{Check, Settings};
use crate::table::{TableError, TextRow, TextTable};

/// Values of a group. `V` is how they are given one by one: for the weights or delays of synapses a
/// table with a row per presynaptic neuron and a column per postsynaptic neuron, for a parameter of
/// neurons ([`Parameter`](super::Parameter)) a list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(
    feature = "schema",
    schemars(
        rename = "Values{V}",
        description = "Numbers of a group: one for all, drawn from a distribution, or one by one. For synapses these \
                       are a table with a row per presynaptic and a column per postsynaptic neuron, for neurons a list."
    )
)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub enum Values<V = Vec<Vec<f64>>> {
    /// The same for all.
    Constant(f64),
    /// Drawn from a normal distribution.
    Normal {
        /// Its mean. Finite.
        mean: f64,
        /// Its standard deviation. Finite, not negative.
        std: f64,
    },
    /// Drawn with equal probability from an interval.
    Uniform {
        /// Its lower end. Finite.
        low: f64,
        /// Its upper end. Finite, at least `low`.
        high: f64,
    },
    /// `low + (high − low)/(1 + e^(−x))` with `x` drawn from a normal distribution: between the ends,
    /// and never on them.
    LogitNormal {
        /// Mean of `x`. Finite.
        mean: f64,
        /// Its standard deviation. Finite, not negative.
        std: f64,
        /// The lower end. Finite. Default: 0.
        #[serde(default)]
        low: f64,
        /// The upper end. Finite, above `low`. Default: 1.
        #[serde(default = "one")]
        high: f64,
    },
    /// One by one.
    #[serde(rename = "values")]
    Each(V),
    /// A CSV file that holds them, relative to the scenario's folder: a table has no header, a
    /// parameter of neurons is in the column of its name.
    File(PathBuf),
    /// For the weights of layers only: normally distributed, so that most neurons spike: 90 % of a hidden layer are
    /// above threshold when four fifths of their input have come, 95 % of the label layer when three tenths have.
    Auto,
}

fn one() -> f64 {
    1.0
}

impl<V> Values<V> {
    /// Whether the values are given one by one, which fixes their number.
    pub fn is_table(&self) -> bool {
        matches!(self, Values::Each(_) | Values::File(_))
    }

    /// The file that the values are in, if they are in one.
    pub(super) fn file_mut(&mut self) -> Option<&mut PathBuf> {
        match self {
            Values::File(file) => Some(file),
            _ => None,
        }
    }

    /// The ends of the interval that all values are in, as far as they are known without drawing or
    /// reading them.
    pub(super) fn ends(&self) -> Option<(f64, f64)> {
        match *self {
            Values::Constant(value) => Some((value, value)),
            Values::Uniform { low, high } | Values::LogitNormal { low, high, .. } => {
                Some((low, high))
            }
            Values::Normal { .. } | Values::Each(_) | Values::File(_) | Values::Auto => None,
        }
    }

    /// One draw; values that are given one by one have none.
    pub(super) fn draw(&self, random: &mut ChaCha8Rng) -> f64 {
        match *self {
            Values::Constant(value) => value,
            Values::Normal { mean, std } => {
                Normal::new(mean, std).map_or(f64::NAN, |normal| normal.sample(random))
            }
            Values::Uniform { low, high } => low + (high - low) * random.random::<f64>(),
            Values::LogitNormal { mean, std, low, high } => {
                let raw = Normal::new(mean, std).map_or(f64::NAN, |normal| normal.sample(random));
                Bounds { low, high }.value(raw)
            }
            Values::Each(_) | Values::File(_) | Values::Auto => f64::NAN,
        }
    }
}

impl<V> Settings for Values<V> {
    fn check(&self, check: &mut Check<'_>) {
        let finite = |values: &[f64]| values.iter().all(|value| value.is_finite());
        match *self {
            Values::Constant(value) => check
                .require(value.is_finite(), "", || format!("constant = {value} must be finite")),
            Values::Normal { mean, std } => {
                check.require(finite(&[mean, std]) && std >= 0.0, "", || {
                    format!(
                        "normal = {{ mean = {mean}, std = {std} }}: both must be finite, std not \
                         negative"
                    )
                });
            }
            Values::Uniform { low, high } => {
                check.require(finite(&[low, high]) && low <= high, "", || {
                    format!(
                        "uniform = {{ low = {low}, high = {high} }}: both must be finite, low ≤ high"
                    )
                });
            }
            Values::LogitNormal { mean, std, low, high } => {
                let holds = finite(&[mean, std, high - low]) && std >= 0.0 && low < high;
                check.require(holds, "", || {
                    format!(
                        "logit_normal = {{ mean = {mean}, std = {std}, low = {low}, high = {high} }}: \
                         all must be finite, std not negative, low < high"
                    )
                });
            }
            Values::Each(_) | Values::File(_) => {}
            Values::Auto => check.refuse("", "auto is for the weights of layers only"),
        }
    }
}

/// What is wrong with values that are given one by one, and where they are.
#[derive(Debug)]
pub(super) struct ValuesError {
    file: Option<PathBuf>,
    line: Option<u64>,
    message: String,
}

impl ValuesError {
    /// Something wrong with a line of a file, or all of it.
    fn new(file: &Path, line: impl Into<Option<u64>>, message: impl ToString) -> Self {
        let (file, message) = (Some(file.to_owned()), message.to_string());
        ValuesError { file, line: line.into(), message }
    }
}

impl From<TableError> for ValuesError {
    fn from(error: TableError) -> Self {
        ValuesError::new(&error.path, error.line, error.problem)
    }
}

impl fmt::Display for ValuesError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(file) = &self.file {
            write!(formatter, "{}:", file.display())?;
            match self.line {
                Some(line) => write!(formatter, "{line}: ")?,
                None => write!(formatter, " ")?,
            }
        }
        formatter.write_str(&self.message)
    }
}

impl Values {
    /// A table of `rows` × `columns` values, row by row.
    pub(super) fn table(
        &self,
        rows: usize,
        columns: usize,
        folder: &Path,
        random: &mut ChaCha8Rng,
    ) -> Result<Vec<f64>, ValuesError> {
        let (table, file) = match self {
            Values::Each(table) => (table.clone(), None),
            Values::File(path) => {
                let path = folder.join(path);
                (read_table(&path)?, Some(path))
            }
            _ => return Ok((0..rows * columns).map(|_| self.draw(random)).collect()),
        };
        let refuse = |message| Err(ValuesError { file: file.clone(), line: None, message });
        if table.len() != rows {
            return refuse(format!(
                "{} rows, but {rows} are needed (presynaptic neurons, then bias sources)",
                table.len()
            ));
        }
        for (index, row) in table.iter().enumerate() {
            if row.len() != columns {
                return refuse(format!(
                    "row {} has {} values, but {columns} are needed (postsynaptic neurons)",
                    index + 1,
                    row.len()
                ));
            }
            if let Some(value) = row.iter().find(|value| !value.is_finite()) {
                return refuse(format!("row {}: {value} must be finite", index + 1));
            }
        }
        Ok(table.concat())
    }
}

impl Values<Vec<f64>> {
    /// `count` values, one per `each`; a file's from its column of this name.
    pub(super) fn list(
        &self,
        count: usize,
        each: &str,
        column: &str,
        folder: &Path,
        random: &mut ChaCha8Rng,
    ) -> Result<Vec<f64>, ValuesError> {
        let (list, file) = match self {
            Values::Each(list) => (list.clone(), None),
            Values::File(path) => {
                let path = folder.join(path);
                (read_column(&path, column)?, Some(path))
            }
            _ => return Ok((0..count).map(|_| self.draw(random)).collect()),
        };
        if list.len() == count {
            return Ok(list);
        }
        let message = format!("{} values, but {count} are needed: one per {each}", list.len());
        Err(ValuesError { file, line: None, message })
    }
}

/// Reads a table without heading, all finite numbers.
fn read_table(path: &Path) -> Result<Vec<Vec<f64>>, ValuesError> {
    let table = TextTable::read(path)?;
    let number = |line: u64, field: &str| match field.parse() {
        Ok(value) if f64::is_finite(value) => Ok(value),
        _ => Err(ValuesError::new(path, line, format!("`{field}` must be a finite number"))),
    };
    let row = |row: Result<TextRow<'_>, TableError>| {
        let mut row = row?;
        // A separator at the end of the line.
        if row.fields.len() > 1 && row.fields.last().is_some_and(|field| field.is_empty()) {
            row.fields.pop();
        }
        row.fields.iter().map(|field| number(row.line, field)).collect()
    };
    table.rows().map(row).collect()
}

/// Reads one column of a table with a heading: numbers, which may be infinite.
fn read_column(path: &Path, name: &str) -> Result<Vec<f64>, ValuesError> {
    let table = TextTable::read(path)?;
    let mut rows = table.even_rows();
    let heading = rows.next().transpose()?;
    let (line, names) = heading.map_or((1, Vec::new()), |heading| (heading.line, heading.fields));
    let column = names.iter().position(|heading| heading == name).ok_or_else(|| {
        let found = names.join(", ");
        ValuesError::new(path, line, format!("there is no column `{name}`; there are {found}"))
    })?;
    if names[column + 1..].iter().any(|heading| heading == name) {
        return Err(ValuesError::new(path, line, format!("column `{name}` is there twice")));
    }
    let mut list = Vec::new();
    for row in rows {
        let row = row?;
        let field = &row.fields[column];
        list.push(field.parse().map_err(|_| {
            ValuesError::new(path, row.line, format!("{name} `{field}` must be a number"))
        })?);
    }
    Ok(list)
}
