//! NIRData of the package nir: `/nodes/<node>/observables/<name>` with events by sample.
//!
//! `idx` and `time` have a row for each sample, and as many columns as the sample with most events has. What
//! is left over is padded, with `-1` and `inf`. Nested graphs are nodes with nodes; a population is called by
//! the path of its node, `subgraph/lif`. Of several observables the one of spikes is read. Times are taken as
//! seconds, the unit of NIR, unless the attribute `time_unit` of the file, which is written here, says another.

use std::path::Path;

use super::{FormatProblem, check_count, in_file, refuse};
use crate::hdf5::{Hdf5Dataset, Hdf5File};
use crate::settings::time_units;
use crate::trace::recording::Recording;
use crate::trace::{FormProblem, TraceError};

/// Graphs within graphs.
const DEEPEST: usize = 16;

/// Groups that are looked at, at most: links may lead round and round.
const MOST_GROUPS: u32 = 1 << 16;

/// Values that are read at once.
const VALUES: u64 = 1 << 18;

/// Reads the spikes of all nodes, in the order of their names and then by sample.
///
/// # Errors
/// If it is no such file, is damaged, or an index or time is out of range; if a node has a signal on a grid of
/// time steps and no events.
pub(super) fn read(path: &Path) -> Result<Recording, TraceError> {
    let file = Hdf5File::open(path).map_err(in_file)?;
    let said = file.attribute("", "time_unit").map_err(in_file)?;
    let said = said.map(|unit| unit.text().unwrap_or("no text").to_owned());
    let unit = match said {
        None => "s".to_owned(),
        Some(unit) if unit == "tau_s" || unit == "tau_m" => unit,
        Some(unit) => match time_units::short(&unit) {
            Some(short) => short.to_owned(),
            None => {
                let place = "the attribute time_unit".to_owned();
                return Err(refuse(path, FormatProblem::Unit { place, found: unit }));
            }
        },
    };
    let mut recording = Recording { time_unit: Some(unit), ..Recording::default() };
    let mut groups = 0;
    graph(&file, "", 0, &mut groups, &mut recording)?;
    if recording.populations.len() == 1 {
        recording.population = Vec::new();
    }
    Ok(recording)
}

fn graph(
    file: &Hdf5File,
    prefix: &str,
    depth: usize,
    groups: &mut u32,
    recording: &mut Recording,
) -> Result<(), TraceError> {
    let place = if prefix.is_empty() { "nodes".to_owned() } else { format!("{prefix}/nodes") };
    let names = file.members(&place).map_err(in_file)?.groups;
    *groups = groups.saturating_add(1).saturating_add(names.len() as u32);
    if depth > DEEPEST || *groups > MOST_GROUPS {
        let (deepest, most) = (DEEPEST, MOST_GROUPS);
        return Err(refuse(file.path(), FormatProblem::Nested { place, deepest, most }));
    }
    for name in names {
        let node = format!("{place}/{name}");
        let members = file.members(&node).map_err(in_file)?;
        if members.groups.iter().any(|name| name == "nodes") {
            graph(file, &node, depth + 1, groups, recording)?;
        } else {
            observables(file, &node, recording)?;
        }
    }
    Ok(())
}

/// Adds the spikes of a node.
fn observables(file: &Hdf5File, node: &str, recording: &mut Recording) -> Result<(), TraceError> {
    let place = format!("{node}/observables");
    let mut events = Vec::new();
    let mut gridded = None;
    for name in file.members(&place).map_err(in_file)?.groups {
        let place = format!("{place}/{name}");
        let kind = file.attribute(&place, "__type__").map_err(in_file)?;
        match kind.as_ref().and_then(|kind| kind.text()) {
            Some("EventData") => events.push((name, place)),
            // A value belongs to each event: current or weight, not a spike.
            Some("ValuedEventData") => {}
            Some("TimeGriddedData") => gridded = Some(place),
            _ => {
                let place = format!("{place}, attribute __type__,");
                let expected = "EventData, ValuedEventData or TimeGriddedData";
                return Err(refuse(file.path(), FormatProblem::Type { place, expected }));
            }
        }
    }
    let named = events.iter().position(|(name, _)| name == "spikes");
    let Some((_, place)) = events.get(named.unwrap_or(0)) else {
        return match gridded {
            Some(place) => Err(refuse(file.path(), FormatProblem::Gridded { place })),
            None => Ok(()),
        };
    };
    if recording.populations.len() >= usize::from(u16::MAX) {
        let problem = FormProblem::TooManyPopulations;
        return Err(TraceError::Form { path: file.path().to_owned(), line: None, problem });
    }
    let index = file.dataset(&format!("{place}/idx")).map_err(in_file)?;
    let time = file.dataset(&format!("{place}/time")).map_err(in_file)?;
    if index.shape().len() != 2 || index.shape() != time.shape() {
        let (place, found) = (format!("{place}/time"), time.shape().to_vec());
        let expected = format!("as that of idx, {:?}, samples × events", index.shape());
        return Err(refuse(file.path(), FormatProblem::Shape { place, found, expected }));
    }
    if !index.is_whole() {
        let (place, expected) = (format!("{place}/idx"), "whole numbers");
        return Err(refuse(file.path(), FormatProblem::Type { place, expected }));
    }
    check_count(file.path(), index.rows())?;
    samples(file, place, &index, &time, recording)?;
    // Without `nodes/` before each of its parts.
    let parts: Vec<&str> = node.split('/').skip(1).step_by(2).collect();
    recording.populations.push(parts.join("/"));
    Ok(())
}

fn samples(
    file: &Hdf5File,
    place: &str,
    index: &Hdf5Dataset<'_>,
    time: &Hdf5Dataset<'_>,
    recording: &mut Recording,
) -> Result<(), TraceError> {
    let population = recording.populations.len() as u16;
    let width = index.shape()[1];
    if width == 0 {
        return Ok(());
    }
    let refuse = |column: &str, index, value: String, accepted| {
        let place = format!("{place}/{column}");
        Err(refuse(file.path(), FormatProblem::Value { place, index, value, accepted }))
    };
    let rows = (VALUES / width).max(1);
    let mut row = 0;
    while row < index.rows() {
        let range = row..row.saturating_add(rows).min(index.rows());
        let some_times = time.numbers_in(range.clone()).map_err(in_file)?;
        let some_indices = index.integers_in(range.clone()).map_err(in_file)?;
        for (at, (&when, neuron)) in some_times.iter().zip(some_indices).enumerate() {
            let value = row * width + at as u64;
            // Padding: no neuron, and no time.
            match (neuron, when) {
                (-1, f64::INFINITY) => continue,
                (0.., when) if when.is_finite() => {}
                (0.., when) => {
                    return refuse(
                        "time",
                        value,
                        when.to_string(),
                        "finite where idx has a neuron",
                    );
                }
                (-1, when) => {
                    return refuse(
                        "time",
                        value,
                        when.to_string(),
                        "inf where idx is -1, the padding",
                    );
                }
                _ => {
                    return refuse(
                        "idx",
                        value,
                        neuron.to_string(),
                        "a neuron from 0, or -1 for none",
                    );
                }
            }
            let Ok(neuron) = u32::try_from(neuron) else {
                return refuse("idx", value, neuron.to_string(), "at most 4294967295");
            };
            recording.times.push(when);
            recording.neurons.push(neuron);
            recording.population.push(population);
            recording.samples.push((value / width) as u32);
        }
        check_count(file.path(), recording.len() as u64)?;
        row = range.end;
    }
    Ok(())
}
