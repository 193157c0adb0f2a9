//! Reading results back.

use std::collections::HashMap;
use std::path::Path;

use super::results::{AFTER, Row, heading};
use super::{ResultsProblem, StudyError, TrainingFailure};
use crate::run::Measurement;

/// A file of results.
#[derive(Clone, Debug)]
pub(super) struct Table {
    pub heading: Vec<String>,
    pub rows: Vec<Row>,
}

impl Table {
    /// Names of the axes.
    pub fn axes(&self) -> &[String] {
        &self.heading[2..self.heading.len() - AFTER.len()]
    }
}

/// Reads a file of results. A last line that was not written to its end is left out.
///
/// # Errors
/// If it cannot be read, is not what a study writes, or has a training twice.
pub(super) fn read(path: &Path) -> Result<Table, StudyError> {
    let bytes =
        std::fs::read(path).map_err(|source| StudyError::Read { path: path.to_owned(), source })?;
    let whole = bytes.iter().rposition(|&byte| byte == b'\n').map_or(0, |end| end + 1);
    parse(path, &bytes[..whole])
}

pub(super) fn parse(path: &Path, bytes: &[u8]) -> Result<Table, StudyError> {
    let mut reader = csv::Reader::from_reader(bytes);
    let wrong = |error| StudyError::results(path, ResultsProblem::NotCsv(error));
    let found: Vec<String> = reader.headers().map_err(wrong)?.iter().map(str::to_owned).collect();
    let axes = found.get(2..found.len().saturating_sub(AFTER.len())).unwrap_or(&[]);
    if heading(axes.iter().map(String::as_str)) != found {
        return Err(StudyError::results(path, ResultsProblem::NotResults));
    }
    let axes = axes.len();
    let mut rows = Vec::new();
    let mut lines = HashMap::new();
    for record in reader.records() {
        let record = record.map_err(wrong)?;
        let row = row(&record, axes, &found);
        let row = row.map_err(|problem| StudyError::results(path, problem))?;
        let line = record.position().map_or(0, csv::Position::line);
        if let Some(first_line) = lines.insert(row.key(), line) {
            let training = row.training();
            let problem = ResultsProblem::Duplicate { line, training, first_line };
            return Err(StudyError::results(path, problem));
        }
        rows.push(row);
    }
    Ok(Table { heading: found, rows })
}

fn row(record: &csv::StringRecord, axes: usize, heading: &[String]) -> Result<Row, ResultsProblem> {
    let seed = 2 + axes;
    let refuse = |column: usize, accepted| ResultsProblem::Field {
        line: record.position().map_or(0, csv::Position::line),
        column: heading[column].clone(),
        field: record[column].to_owned(),
        accepted,
    };
    let number = |column: usize| match &record[column] {
        "" => Ok(f64::NAN),
        text => text.parse::<f64>().map_err(|_| refuse(column, "a number")),
    };
    let whole =
        |column: usize| record[column].parse::<u64>().map_err(|_| refuse(column, "a whole number"));
    let error = &record[seed + AFTER.len() - 1];
    let outcome = if error.is_empty() {
        let energy = number(seed + 6)?;
        Ok(Measurement {
            test_accuracy: number(seed + 1)?,
            train_accuracy: number(seed + 2)?,
            validation_accuracy: number(seed + 3)?,
            mean_decision_time: number(seed + 4)?,
            spikes_per_sample: number(seed + 5)?,
            energy_per_sample: (!energy.is_nan()).then_some(energy),
            undecided: number(seed + 7)?,
            epochs: whole(seed + 8)? as usize,
        })
    } else {
        Err(TrainingFailure::new(error))
    };
    Ok(Row {
        study: record[0].to_owned(),
        variant: record[1].to_owned(),
        values: (2..seed).map(|column| record[column].to_owned()).collect(),
        seed: whole(seed)?,
        outcome,
    })
}
