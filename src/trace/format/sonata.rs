//! SONATA's files of spikes: `/spikes/<population>/timestamps` and `node_ids`, of one length.
//!
//! Times are in the unit that the attribute `units` of `timestamps` says, milliseconds if there is none. How
//! the spikes are sorted (attribute `sorting`) is not relied on.

use std::path::Path;

use super::{FormatProblem, check_count, in_file, refuse};
use crate::hdf5::{Hdf5Dataset, Hdf5File};
use crate::settings::time_units;
use crate::trace::recording::Recording;
use crate::trace::{FormProblem, TraceError};

/// Rows that are read at once.
const ROWS: u64 = 1 << 16;

/// Reads all populations of a file, in the order of their names.
///
/// # Errors
/// If it is no such file, is damaged, or a time or id is out of range.
pub(super) fn read(path: &Path) -> Result<Recording, TraceError> {
    let file = Hdf5File::open(path).map_err(in_file)?;
    let populations = file.members("spikes").map_err(in_file)?.groups;
    if populations.is_empty() {
        let (place, expected) = ("spikes".to_owned(), "a group for each population");
        return Err(refuse(path, FormatProblem::Lacks { place, expected }));
    }
    if populations.len() > usize::from(u16::MAX) {
        let problem = FormProblem::TooManyPopulations;
        return Err(TraceError::Form { path: path.to_owned(), line: None, problem });
    }
    let mut recording = Recording::default();
    for name in populations {
        let unit = append(&file, &name, &mut recording)?;
        let known = recording.time_unit.get_or_insert_with(|| unit.clone());
        if *known != unit {
            let place = format!("spikes/{name}/timestamps");
            let found = format!("{unit}, where other populations have {known}");
            return Err(refuse(path, FormatProblem::Unit { place, found }));
        }
        recording.populations.push(name);
    }
    if recording.populations.len() == 1 {
        recording.population = Vec::new();
    }
    Ok(recording)
}

/// Adds the spikes of a population, which is the next; returns the unit of its times.
fn append(file: &Hdf5File, name: &str, recording: &mut Recording) -> Result<String, TraceError> {
    let place = |column: &str| format!("spikes/{name}/{column}");
    let (of_times, of_nodes) = (place("timestamps"), place("node_ids"));
    let times = file.dataset(&of_times).map_err(in_file)?;
    let nodes = file.dataset(&of_nodes).map_err(in_file)?;
    let path = file.path();
    for (place, column) in [(&of_times, &times), (&of_nodes, &nodes)] {
        if column.shape().len() != 1 {
            let (place, found) = (place.clone(), column.shape().to_vec());
            let expected = "of one dimension, with a value for each spike".to_owned();
            return Err(refuse(path, FormatProblem::Shape { place, found, expected }));
        }
    }
    if !nodes.is_whole() && nodes.rows() > 0 {
        let (place, expected) = (of_nodes, "whole numbers");
        return Err(refuse(path, FormatProblem::Type { place, expected }));
    }
    if times.rows() != nodes.rows() {
        let (found, expected) = (nodes.rows(), times.rows());
        let (place, other) = (of_nodes, of_times);
        return Err(refuse(path, FormatProblem::Lengths { place, found, other, expected }));
    }
    check_count(path, (recording.len() as u64).saturating_add(times.rows()))?;
    let unit = match file.attribute(&of_times, "units").map_err(in_file)? {
        None => "ms",
        Some(unit) => {
            let text = unit.text().unwrap_or("no text").to_owned();
            let found = time_units::short(&text);
            found.ok_or_else(|| {
                refuse(path, FormatProblem::Unit { place: of_times.clone(), found: text })
            })?
        }
    };
    rows(path, (&of_times, &times), (&of_nodes, &nodes), recording)?;
    Ok(unit.to_owned())
}

fn rows(
    path: &Path,
    (of_times, times): (&str, &Hdf5Dataset<'_>),
    (of_nodes, nodes): (&str, &Hdf5Dataset<'_>),
    recording: &mut Recording,
) -> Result<(), TraceError> {
    let population = recording.populations.len() as u16;
    let mut row = 0;
    while row < times.rows() {
        let range = row..(row + ROWS).min(times.rows());
        let some_times = times.numbers_in(range.clone()).map_err(in_file)?;
        let some_nodes = nodes.integers_in(range.clone()).map_err(in_file)?;
        let value = |place: &str, index, value: String, accepted| {
            let place = place.to_owned();
            refuse(path, FormatProblem::Value { place, index, value, accepted })
        };
        for (at, time) in range.clone().zip(&some_times) {
            if !time.is_finite() {
                return Err(value(of_times, at, time.to_string(), "a finite number"));
            }
        }
        for (at, node) in range.clone().zip(&some_nodes) {
            recording.neurons.push(u32::try_from(*node).map_err(|_| {
                value(of_nodes, at, node.to_string(), "a whole number from 0 to 4294967295")
            })?);
        }
        let found = some_times.len().min(some_nodes.len()) as u64;
        if found < range.end - range.start || some_times.len() != some_nodes.len() {
            let (place, other) = (of_nodes.to_owned(), of_times.to_owned());
            let expected = range.end;
            let found = range.start + found;
            return Err(refuse(path, FormatProblem::Lengths { place, found, other, expected }));
        }
        recording.times.extend(some_times);
        recording.population.resize(recording.times.len(), population);
        row = range.end;
    }
    Ok(())
}
