//! Spikes of any origin: reading, statistics, comparison.

use std::error::Error;
use std::path::PathBuf;

use firstspike::report::raster::figure::{self, Figure};
use firstspike::report::raster::{Raster, Selection};
use firstspike::trace::alignment::{PopulationPair, align as align_trains};
use firstspike::trace::recording::{ColumnNames, Recording, read_recording};
use firstspike::trace::statistics::{Distribution, GroupStatistics, Setting, Statistics};
use firstspike::trace::trains::Trains;
use numpy::PyReadonlyArrayDyn;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};

use crate::{arrays, errors, threads};

/// Reads a trace file (CSV of any simulator, packed with gzip or not) into columns.
#[pyfunction]
pub fn read_trace(py: Python<'_>, path: PathBuf) -> PyResult<Bound<'_, PyDict>> {
    let pool = threads::pool_of(py)?;
    let read = py.detach(|| pool.install(|| read_recording(&path, &ColumnNames::default())));
    let (recording, warnings) = read.map_err(|error| errors::of(py, &error))?;
    let spikes = recording.len();
    let wide = |values: Vec<u16>| values.into_iter().map(u32::from).collect::<Vec<u32>>();
    let or_zero = |values: Vec<u32>| if values.is_empty() { vec![0; spikes] } else { values };
    let result = PyDict::new(py);
    result.set_item("sample", arrays::vector(py, or_zero(recording.samples)))?;
    result.set_item("population", arrays::vector(py, or_zero(wide(recording.population))))?;
    result.set_item("neuron", arrays::vector(py, recording.neurons))?;
    result.set_item("time", arrays::vector(py, recording.times))?;
    result.set_item("populations", recording.populations)?;
    result.set_item("time_unit", recording.time_unit)?;
    let warnings: Vec<String> = warnings.iter().map(|warning| warning.to_string()).collect();
    result.set_item("warnings", warnings)?;
    Ok(result)
}

/// Columns of spikes from arrays: times, neurons, samples and populations, of which the last two may be none.
fn recording(
    py: Python<'_>,
    columns: [Option<&Bound<'_, PyAny>>; 4],
    populations: Vec<String>,
) -> PyResult<Recording> {
    let [times, neurons, samples, population] = columns;
    let none = || errors::input(py, "spikes need times and neurons");
    let times: PyReadonlyArrayDyn<'_, f64> = arrays::array(times.ok_or_else(none)?, "times", 1)?;
    let times = arrays::values(times.as_array()).into_owned();
    let count = times.len();
    if let Some(index) = times.iter().position(|time| !time.is_finite()) {
        let message = format!("times[{index}] is {}: a spike has a finite time", times[index]);
        return Err(errors::input(py, message));
    }
    let whole = |value: Option<&Bound<'_, PyAny>>, name: &str, most: i64| -> PyResult<Vec<u32>> {
        let Some(value) = value else { return Ok(Vec::new()) };
        let values = arrays::array::<i64>(value, name, 1)?;
        let values = arrays::values(values.as_array());
        if values.len() != count {
            let found = values.len();
            return Err(errors::input(
                py,
                format!("{name} has {found} values: there are {count} times"),
            ));
        }
        let number = |(index, &value): (usize, &i64)| {
            if (0..=most).contains(&value) {
                return Ok(value as u32);
            }
            Err(errors::input(
                py,
                format!("{name}[{index}] is {value}: it must be from 0 to {most}"),
            ))
        };
        values.iter().enumerate().map(number).collect()
    };
    if neurons.is_none() {
        return Err(none());
    }
    let most = i64::from(u32::MAX);
    let of_population = whole(population, "population", populations.len() as i64 - 1)?;
    Ok(Recording {
        populations,
        neurons: whole(neurons, "neurons", most)?,
        samples: whole(samples, "samples", most)?,
        population: of_population.into_iter().map(|index| index as u16).collect(),
        times,
        ..Recording::default()
    })
}

/// Counts in spikes: all of them, and each population.
#[pyfunction]
#[pyo3(signature = (times, neurons, samples, population, populations, sizes, all_samples, window, bin))]
pub fn statistics<'py>(
    py: Python<'py>,
    times: &Bound<'py, PyAny>,
    neurons: &Bound<'py, PyAny>,
    samples: Option<&Bound<'py, PyAny>>,
    population: Option<&Bound<'py, PyAny>>,
    populations: Vec<String>,
    sizes: Vec<Option<u64>>,
    all_samples: Vec<u32>,
    window: (f64, f64),
    bin: Option<f64>,
) -> PyResult<Bound<'py, PyList>> {
    if !(window.0 < window.1 && window.0.is_finite() && window.1.is_finite()) {
        let message =
            format!("the window from {} to {} is empty or has no end", window.0, window.1);
        return Err(errors::input(py, message));
    }
    if let Some(bin) = bin.filter(|&bin| !(bin > 0.0 && bin.is_finite())) {
        return Err(errors::input(py, format!("bin is {bin}: it must be a time above 0")));
    }
    let mut columns =
        recording(py, [Some(times), Some(neurons), samples, population], populations)?;
    keep_window(&mut columns, window);
    let setting = Setting { window, bin, sizes, samples: all_samples, ..Setting::default() };
    let pool = threads::pool_of(py)?;
    let found = py.detach(|| pool.install(|| Statistics::new(&Trains::new(&columns), &setting)));
    let found = found.map_err(|error| errors::input(py, error))?;
    let result = PyList::empty(py);
    for group in std::iter::once(&found.all).chain(&found.populations) {
        result.append(as_dictionary(py, group)?)?;
    }
    Ok(result)
}

/// Leaves spikes outside a window out.
fn keep_window(recording: &mut Recording, (from, to): (f64, f64)) {
    let kept: Vec<bool> = recording.times.iter().map(|time| (from..=to).contains(time)).collect();
    fn retain<T>(values: &mut Vec<T>, kept: &[bool]) {
        let mut kept = kept.iter();
        values.retain(|_| *kept.next().unwrap_or(&true));
    }
    retain(&mut recording.times, &kept);
    retain(&mut recording.neurons, &kept);
    retain(&mut recording.samples, &kept);
    retain(&mut recording.population, &kept);
}

fn as_dictionary<'py>(py: Python<'py>, group: &GroupStatistics) -> PyResult<Bound<'py, PyDict>> {
    let distribution = |of: Option<Distribution>| -> PyResult<Option<Bound<'py, PyDict>>> {
        let Some(of) = of else { return Ok(None) };
        let entries = PyDict::new(py);
        entries.set_item("mean", of.mean)?;
        entries.set_item("lower_quartile", of.lower_quartile)?;
        entries.set_item("median", of.median)?;
        entries.set_item("upper_quartile", of.upper_quartile)?;
        Ok(Some(entries))
    };
    let entries = PyDict::new(py);
    entries.set_item("population", &group.population)?;
    entries.set_item("size", group.size)?;
    entries.set_item("spiking", group.spiking)?;
    entries.set_item("spikes", group.spikes)?;
    entries.set_item("spikes_per_sample", group.spikes_per_sample)?;
    entries.set_item("coincident", group.coincident)?;
    entries.set_item("rate", group.rate)?;
    entries.set_item("latency", distribution(group.latency)?)?;
    entries.set_item("interval", distribution(group.interval)?)?;
    entries.set_item("coefficient_of_variation", group.coefficient_of_variation)?;
    entries.set_item("cv2", group.cv2)?;
    entries.set_item("local_variation", group.local_variation)?;
    entries.set_item("fano_factor", group.fano_factor)?;
    Ok(entries)
}

type Side<'py> = (
    Bound<'py, PyAny>,
    Bound<'py, PyAny>,
    Option<Bound<'py, PyAny>>,
    Option<Bound<'py, PyAny>>,
    Vec<String>,
);

/// Aligns two traces spike by spike. Each is (times, neurons, samples, population, names of populations). Returns
/// per population its name and reach, and the columns of pairs (neuron, sample, time, difference), of what B misses
/// and of what it has beyond A (neuron, sample, time).
#[pyfunction]
pub fn align<'py>(
    py: Python<'py>,
    a: Side<'py>,
    b: Side<'py>,
    reach: Option<f64>,
) -> PyResult<Bound<'py, PyList>> {
    if let Some(reach) = reach.filter(|reach| !(*reach > 0.0)) {
        return Err(errors::input(py, format!("reach is {reach}: it must be a time above 0")));
    }
    let side = |(times, neurons, samples, population, names): &Side<'py>| {
        let columns = [Some(times), Some(neurons), samples.as_ref(), population.as_ref()];
        recording(py, columns, names.clone())
    };
    let (a, b) = (side(&a)?, side(&b)?);
    let mut pairs: Vec<PopulationPair> = Vec::new();
    for name in a.populations.iter().chain(&b.populations) {
        if pairs.iter().all(|pair| pair.name != *name) {
            let index = |in_names: &[String]| {
                in_names.iter().position(|known| known == name).map(|index| index as u16)
            };
            let (in_a, in_b) = (index(&a.populations), index(&b.populations));
            pairs.push(PopulationPair { name: name.clone(), a: in_a, b: in_b });
        }
    }
    let pool = threads::pool_of(py)?;
    let found = py.detach(|| {
        pool.install(|| align_trains(&Trains::new(&a), &Trains::new(&b), &pairs, reach))
    });
    let found = found.map_err(|error| errors::input(py, error))?;
    let result = PyList::empty(py);
    for population in found {
        let [mut neurons, mut samples] = [vec![], vec![]];
        let (mut times, mut differences) = (vec![], vec![]);
        for neuron in &population.neurons {
            for pair in &neuron.pairs {
                neurons.push(neuron.neuron);
                samples.push(pair.sample);
                times.push(pair.time);
                differences.push(pair.difference);
            }
        }
        let entries = PyDict::new(py);
        let pairs = (
            arrays::vector(py, neurons),
            arrays::vector(py, samples),
            arrays::vector(py, times),
            arrays::vector(py, differences),
        );
        entries.set_item("pairs", pairs)?;
        for name in ["missing", "extra"] {
            let (mut neurons, mut samples, mut times) = (vec![], vec![], vec![]);
            for neuron in &population.neurons {
                let singles = if name == "missing" { &neuron.missing } else { &neuron.extra };
                for single in singles {
                    neurons.push(neuron.neuron);
                    samples.push(single.sample);
                    times.push(single.time);
                }
            }
            let columns = (
                arrays::vector(py, neurons),
                arrays::vector(py, samples),
                arrays::vector(py, times),
            );
            entries.set_item(name, columns)?;
        }
        entries.set_item("name", population.name)?;
        entries.set_item("reach", population.reach)?;
        result.append(entries)?;
    }
    Ok(result)
}

/// A raster of a trace's first samples, as SVG.
#[pyfunction]
pub fn raster_svg(py: Python<'_>, path: PathBuf, samples: usize) -> PyResult<String> {
    let pool = threads::pool_of(py)?;
    let drawn = py.detach(|| -> Result<String, Box<dyn Error + Send + Sync>> {
        let (recording, _) = pool.install(|| read_recording(&path, &ColumnNames::default()))?;
        let selection = Selection { most_samples: Some(samples), ..Selection::default() };
        let raster = Raster::new(&recording, &selection)?;
        Ok(Figure { raster: &raster, size: figure::SIZE }.to_svg()?)
    });
    drawn.map_err(|error| errors::input(py, error))
}
