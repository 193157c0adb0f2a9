//! `firstspike diff`: two traces side by side.

mod output;
mod pairing;
mod shift;

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;

use super::exit::failure;
use super::traces::{ColumnArguments, SelectionArguments};
use crate::settings::time_units::TimeFactor;
use crate::trace::alignment::{PopulationAlignment, PopulationPair, align};
use crate::trace::recording::Recording;
use crate::trace::trains::Trains;

#[derive(Debug, Args)]
pub(super) struct DiffArguments {
    /// A trace: a CSV file with times and neurons, packed with gzip or not, or any format of firstspike convert.
    a: PathBuf,
    /// The trace to compare with it; times are converted to the unit of the first.
    b: PathBuf,
    /// Largest difference of two times that counts as none, in the time unit of the first trace.
    #[arg(long, value_name = "TIME", default_value = "1e-9", value_parser = tolerance)]
    tolerance: f64,
    /// Two spikes farther apart than this are not the same spike [default: half the median interval
    /// between spikes of a neuron; no limit if no neuron spikes twice].
    #[arg(long, value_name = "TIME", value_parser = reach)]
    reach: Option<f64>,
    /// Population NAME of the first trace is OTHER of the second. May be repeated.
    #[arg(long, value_name = "NAME=OTHER", value_parser = pairing::renaming)]
    map: Vec<(String, String)>,
    /// How many of the worst spikes to list.
    #[arg(long, value_name = "N", default_value_t = 10)]
    worst: usize,
    /// Print JSON.
    #[arg(long)]
    json: bool,
    /// Draw the differences over time (SVG).
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    /// Draw the differences over time (PNG).
    #[arg(long, value_name = "FILE")]
    png: Option<PathBuf>,
    /// Write a row per neuron (CSV).
    #[arg(long, value_name = "FILE")]
    csv: Option<PathBuf>,
    #[command(flatten)]
    selection: SelectionArguments,
    #[command(flatten)]
    columns: ColumnArguments,
}

fn tolerance(text: &str) -> Result<f64, String> {
    let value = text.parse().ok().filter(|value: &f64| value.is_finite() && *value >= 0.0);
    value.ok_or_else(|| "it must be a number, 0 or above".to_owned())
}

fn reach(text: &str) -> Result<f64, String> {
    let value = text.parse().ok().filter(|value: &f64| *value > 0.0);
    value.ok_or_else(|| "it must be a number above 0, or inf".to_owned())
}

/// Two traces, aligned.
struct Comparison {
    time_unit: Option<String>,
    populations: Vec<PopulationAlignment>,
    /// Whether the traces have samples.
    has_samples: bool,
    notes: Vec<String>,
}

pub(super) fn run(arguments: &DiffArguments) -> ExitCode {
    match show(arguments) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => failure(&*error),
    }
}

/// Whether the traces are equal.
fn show(arguments: &DiffArguments) -> Result<bool, Box<dyn Error>> {
    let comparison = compare(arguments)?;
    output::write_files(arguments, &comparison)?;
    Ok(output::print(arguments, &comparison))
}

fn compare(arguments: &DiffArguments) -> Result<Comparison, String> {
    let (path_a, path_b) = (arguments.a.as_path(), arguments.b.as_path());
    if path_a == Path::new("-") && path_b == Path::new("-") {
        return Err("only one of the traces can be standard input".to_owned());
    }
    let mut a = arguments.columns.read(path_a, Some(0))?;
    let mut b = arguments.columns.read(path_b, Some(1))?;
    let mut notes = Vec::new();
    convert(&a, &mut b, (path_a, path_b), &mut notes)?;
    pairing::rename(&a, &mut b, &arguments.map, (path_a, path_b))?;
    let selection = arguments.selection.selection();
    pairing::select(&mut a, &mut b, &selection, (path_a, path_b))?;
    pairing::align_samples(&mut a, &mut b, (path_a, path_b), &mut notes)?;
    let pairs: Vec<PopulationPair> =
        pairing::populations(&mut a, &mut b, (path_a, path_b), &mut notes)?;
    let (trains_a, mut trains_b) = (Trains::new(&a), Trains::new(&b));
    let populations = align(&trains_a, &trains_b, &pairs, arguments.reach)
        .map_err(|error| format!("{error}: give a smaller --reach"))?;
    let is_equal = |populations: &[PopulationAlignment]| {
        populations.iter().all(|population| population.is_equal(arguments.tolerance))
    };
    if !is_equal(&populations)
        && !arguments.columns.has_first_neuron()
        && let Some(shift) = shift::likely(&trains_a, &trains_b, &pairs)
    {
        shift::apply(&mut trains_b, shift);
        let shifted = align(&trains_a, &trains_b, &pairs, arguments.reach);
        if shifted.is_ok_and(|shifted| is_equal(&shifted)) {
            notes.push(shift::describe(shift));
        }
    }
    let has_samples = !a.samples.is_empty() || !b.samples.is_empty();
    Ok(Comparison { time_unit: a.time_unit, populations, has_samples, notes })
}

/// Brings the times of B to the unit of A.
fn convert(
    a: &Recording,
    b: &mut Recording,
    (path_a, path_b): (&Path, &Path),
    notes: &mut Vec<String>,
) -> Result<(), String> {
    let (path_a, path_b) = (path_a.display(), path_b.display());
    match (&a.time_unit, &b.time_unit) {
        (None, None) => {}
        (Some(one), Some(other)) => {
            let factor = TimeFactor::between(other, one).ok_or_else(|| {
                format!(
                    "the times of {path_a} are in {one} and those of {path_b} in {other}: these \
                     cannot be converted into each other"
                )
            })?;
            if factor != TimeFactor::ONE {
                notes.push(format!("times of {path_b} are converted from {other} to {one}"));
                b.times.iter_mut().for_each(|time| *time = factor.apply(*time));
            }
        }
        (Some(unit), None) | (None, Some(unit)) => {
            let is_a = a.time_unit.is_some();
            let (known, unknown) = if is_a { (path_a, path_b) } else { (path_b, path_a) };
            return Err(format!(
                "the times of {known} are in {unit}, and {unknown} does not say its unit: if it is \
                 the same, add --time-unit {unit}"
            ));
        }
    }
    Ok(())
}
