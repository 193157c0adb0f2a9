//! `firstspike convert`: a trace in the format of another tool.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;

use super::exit::failure;
use super::traces::{ColumnArguments, SelectionArguments, id_ranges};
use super::{bad_input, console};
use crate::run::{RunMetadata, write_trace};
use crate::settings::time_units;
use crate::trace::conversion::{Conversion, Converted, Ids};
use crate::trace::format::TraceFormat;

#[derive(Debug, Args)]
pub(super) struct ConvertArguments {
    /// The trace; - for standard input. Several files are one: 'spikes-7-*.dat', or a.dat,b.dat.
    input: PathBuf,
    /// The file to write.
    output: PathBuf,
    #[command(flatten)]
    target: TargetArguments,
    #[command(flatten)]
    selection: SelectionArguments,
    #[command(flatten)]
    columns: ColumnArguments,
}

/// What is written.
#[derive(Debug, Args)]
#[command(next_help_heading = "What is written")]
struct TargetArguments {
    /// Format to write [default: by the name of the file].
    #[arg(long, value_enum, value_name = "FORMAT")]
    to: Option<TraceFormat>,
    /// Unit of the times that are written, where the format leaves the choice (csv, npy): s, ms, us, …
    #[arg(long, value_name = "UNIT", value_parser = unit)]
    unit: Option<String>,
    /// How long a synaptic time constant is, for a trace in tau_s: 10ms, 6us.
    #[arg(long, value_name = "TIME", value_parser = duration)]
    tau_s: Option<(f64, String)>,
    /// Lay samples out one after the other, this far from start to start, in the unit of the input.
    #[arg(long, value_name = "TIME", value_parser = positive)]
    sample_offset: Option<f64>,
    /// Name of the population, for spikes that have none or are of one.
    #[arg(long, value_name = "NAME")]
    population: Option<String>,
    /// Ids to write in nest and npy: that of the first neuron of the first population, or ranges as for --ids
    /// [default: from 1 in nest, from 0 in npy].
    #[arg(long, value_name = "START|RANGES|FILE", value_parser = ids)]
    output_ids: Option<Ids>,
    /// Write times as whole numbers of samples, so many per second (npy).
    #[arg(long, value_name = "HZ", value_parser = positive)]
    output_sampling_rate: Option<f64>,
}

fn positive(text: &str) -> Result<f64, String> {
    let value = text.parse().ok().filter(|value: &f64| value.is_finite() && *value > 0.0);
    value.ok_or_else(|| "it must be a number above 0".to_owned())
}

fn unit(text: &str) -> Result<String, String> {
    let known = time_units::short(text).map(str::to_owned);
    known.ok_or_else(|| "it must be s, ms, us or ns".to_owned())
}

fn duration(text: &str) -> Result<(f64, String), String> {
    let end = text.find(|letter: char| letter.is_alphabetic() && letter != 'e' && letter != 'E');
    let (number, name) = text.split_at(end.unwrap_or(text.len()));
    let wrong = |_| "it must be a number above 0 and its unit, such as 10ms or 6us".to_owned();
    Ok((positive(number.trim()).map_err(wrong)?, unit(name).map_err(wrong)?))
}

fn ids(text: &str) -> Result<Ids, String> {
    match text.parse() {
        Ok(first) => Ok(Ids::From(first)),
        Err(_) => id_ranges(text).map(Ids::Ranges),
    }
}

pub(super) fn run(arguments: &ConvertArguments) -> ExitCode {
    let (converted, to) = match convert(arguments) {
        Ok(found) => found,
        Err(message) => return bad_input(&message),
    };
    for note in &converted.notes {
        console::err!("note: {note}");
    }
    let target = &arguments.target;
    let rate = target.output_sampling_rate;
    let files = match write_trace(&converted, to, &arguments.output, rate) {
        Ok(files) => files,
        Err(error) => return failure(&error),
    };
    let recording = &converted.recording;
    let unit = match (rate, recording.time_unit.as_deref()) {
        (Some(rate), _) => format!("samples, {rate} per second"),
        (None, Some(unit)) => time_units::symbol(unit),
        (None, None) => "an unknown unit".to_owned(),
    };
    let names: Vec<String> = files.iter().map(|file| file.display().to_string()).collect();
    console::out!("{}: {} spikes as {to}, times in {unit}", names.join(", "), recording.len());
    ExitCode::SUCCESS
}

fn convert(arguments: &ConvertArguments) -> Result<(Converted, TraceFormat), String> {
    let (input, target) = (&arguments.input, &arguments.target);
    if arguments.output.as_os_str() == "-" {
        return Err("a trace is written to a file: give its name instead of -".to_owned());
    }
    let to = target.to.or_else(|| TraceFormat::to_write(&arguments.output)).ok_or_else(|| {
        let names = TraceFormat::ALL.map(TraceFormat::name).join(", ");
        let output = arguments.output.display();
        format!(
            "{output}: the name does not tell the format to write: say it with --to, one of {names}"
        )
    })?;
    check_packing(&arguments.output, to)?;
    let mut recording = arguments.columns.read(input, None)?;
    let selection = arguments.selection.selection();
    selection.apply(&mut recording).map_err(|error| format!("{}: {error}", input.display()))?;
    let conversion = Conversion {
        unit: target.unit.clone(),
        tau_s: target.tau_s.clone(),
        sample_offset: target.sample_offset,
        population: target.population.clone(),
        ids: target.output_ids.clone(),
        sizes: RunMetadata::of(input).sizes,
        sampling_rate: target.output_sampling_rate,
    };
    let mut converted =
        conversion.apply(recording, to).map_err(|error| format!("{}: {error}", input.display()))?;
    if let Some(rate) = target.output_sampling_rate {
        let times = &converted.recording.times;
        let off = |time: &f64| ((time * rate).round() / rate - time).abs();
        let farthest = times.iter().map(off).fold(0.0, f64::max);
        // Beyond 2^53, a number of samples is no whole double.
        if let Some(time) = times.iter().find(|time| (*time * rate).abs() > 9e15) {
            return Err(format!("--output-sampling-rate {rate}: {time} s is too many samples"));
        }
        if farthest > 0.0 {
            converted
                .notes
                .push(format!("times are rounded to samples: by at most {farthest:.3e} s"));
        }
    }
    Ok((converted, to))
}

/// Refuses the name of a packed file for what is not packed.
fn check_packing(output: &Path, to: TraceFormat) -> Result<(), String> {
    let is_packed = output.extension().is_some_and(|end| end.eq_ignore_ascii_case("gz"));
    if !is_packed || to.is_text() {
        return Ok(());
    }
    let (shown, without) = (output.display(), output.with_extension(""));
    let without = without.display();
    Err(format!(
        "{shown}: only csv and nest are packed with gzip, and this would be {to}: call it {without}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_text_is_packed() {
        let refused =
            check_packing(Path::new("a/o.npy.GZ"), TraceFormat::Npy).expect_err("no text");
        assert!(refused.contains("this would be npy: call it a/o.npy"), "{refused}");
        for (name, to) in [("o.npy", TraceFormat::Npy), ("o.gdf.gz", TraceFormat::Nest)] {
            assert_eq!(check_packing(Path::new(name), to), Ok(()));
        }
    }
}
