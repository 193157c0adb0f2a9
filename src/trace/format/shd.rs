//! Events of the data sets SHD and SSC: `/spikes/times` and `/spikes/units`, a row of any length for each
//! sample, and `/labels`.
//!
//! Times are in seconds, as half-precision floats, with at most 11 bits.

use std::path::Path;

use super::{FormatProblem, check_count, in_file, refuse};
use crate::hdf5::Hdf5File;
use crate::trace::TraceError;
use crate::trace::recording::Recording;

/// Rows that are read at once: the longest have some ten thousand events.
const ROWS: u64 = 256;

/// Reads all samples, in order; units are the neurons of one population without a name.
///
/// # Errors
/// If it is no such file, is damaged, or a time is no finite number.
pub(super) fn read(path: &Path) -> Result<Recording, TraceError> {
    let mut recording = Recording {
        time_unit: Some("s".to_owned()),
        populations: vec![String::new()],
        ..Recording::default()
    };
    for_each_sample(path, |sample, times, units| {
        recording.times.extend_from_slice(times);
        recording.neurons.extend_from_slice(units);
        recording.samples.resize(recording.times.len(), sample);
        check_count(path, recording.times.len() as u64)
    })?;
    Ok(recording)
}

/// Shows the times and units of one sample after the other.
fn for_each_sample(
    path: &Path,
    mut look: impl FnMut(u32, &[f64], &[u32]) -> Result<(), TraceError>,
) -> Result<(), TraceError> {
    let file = Hdf5File::open(path).map_err(in_file)?;
    let times = file.dataset("spikes/times").map_err(in_file)?;
    let units = file.dataset("spikes/units").map_err(in_file)?;
    let lengths = |place: String, found, other: String, expected| {
        Err(refuse(path, FormatProblem::Lengths { place, found, other, expected }))
    };
    let value = |place: &str, index, value: f64, accepted| {
        let (place, value) = (place.to_owned(), value.to_string());
        Err(refuse(path, FormatProblem::Value { place, index, value, accepted }))
    };
    if times.rows() != units.rows() {
        let (place, other) = ("spikes/units".to_owned(), "spikes/times".to_owned());
        return lengths(place, units.rows(), other, times.rows());
    }
    check_count(path, times.rows())?;
    let mut who = Vec::new();
    let mut row = 0;
    while row < times.rows() {
        let range = row..(row + ROWS).min(times.rows());
        let some_times = times.ragged(range.clone()).map_err(in_file)?;
        let some_units = units.ragged(range.clone()).map_err(in_file)?;
        for (sample, (when, units)) in range.clone().zip(some_times.iter().zip(&some_units)) {
            if when.len() != units.len() {
                let place = format!("spikes/units[{sample}]");
                let other = format!("spikes/times[{sample}]");
                return lengths(place, units.len() as u64, other, when.len() as u64);
            }
            if let Some(&time) = when.iter().find(|time| !time.is_finite()) {
                return value("spikes/times", sample, time, "a row of finite numbers");
            }
            who.clear();
            for &unit in units {
                if !(0.0..=f64::from(u32::MAX)).contains(&unit) || unit.fract() != 0.0 {
                    let accepted = "a row of whole numbers from 0 to 4294967295";
                    return value("spikes/units", sample, unit, accepted);
                }
                who.push(unit as u32);
            }
            look(sample as u32, when, &who)?;
        }
        row = range.end;
    }
    Ok(())
}
