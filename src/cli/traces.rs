//! What the commands on traces have in common: which columns, which spikes, and how numbers look.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::console;
use crate::trace::format::{IdRanges, TraceFormat, TraceSource};
use crate::trace::recording::{ColumnNames, Recording};
use crate::trace::selection::Selection;

/// Help heading of what says how a file is to be read.
const FORMAT: &str = "Format (recognised from name and content if not given)";

/// What the columns are called, if their names are not recognised.
#[derive(Debug, Args)]
#[command(next_help_heading = "Columns (recognised from their names if not given)")]
pub(super) struct ColumnArguments {
    /// Column of the times: its name, or its number from 1.
    #[arg(long, value_name = "NAME")]
    time_column: Option<String>,
    /// Column of the neurons.
    #[arg(long, value_name = "NAME")]
    neuron_column: Option<String>,
    /// Column of the populations.
    #[arg(long, value_name = "NAME")]
    population_column: Option<String>,
    /// Column of the samples (trials).
    #[arg(long, value_name = "NAME")]
    sample_column: Option<String>,
    /// Unit of the times, if the name of their column does not tell: s, ms, us, …
    #[arg(long, value_name = "UNIT")]
    time_unit: Option<String>,
    /// Format of the trace: csv, nest, npy, sonata, shd or nirdata [default: by its name, or its first
    /// bytes].
    #[arg(long, visible_alias = "from", value_name = "FORMAT", help_heading = FORMAT)]
    format: Option<String>,
    /// The NPY file of the neurons, for a trace that is an NPY file of times (numpy.save) [default: the one
    /// beside it: spike_clusters.npy for spike_times.npy, neurons.npy for times.npy, a_neurons.npy for a.npy].
    #[arg(long, value_name = "FILE", help_heading = FORMAT)]
    neuron_file: Option<String>,
    /// Samples per second, if times in an NPY file are numbers of samples: 30000 for many probes.
    #[arg(long, value_name = "HZ", help_heading = FORMAT)]
    sampling_rate: Option<String>,
    /// Which ids are whose, if the file numbers all neurons in a row: exc=1-8000,inh=8001-10000, or a CSV file
    /// with population,first_id,last_id [default: the file <TRACE>.ids.csv, if it is there].
    #[arg(long, value_name = "RANGES|FILE", help_heading = FORMAT, value_parser = id_ranges)]
    ids: Option<IdRanges>,
    /// Number of the first neuron in the trace, if it is not 0: NEST counts from 1, across populations.
    /// From here on, the first neuron is neuron 0.
    #[arg(long, value_name = "N")]
    first_neuron: Option<String>,
}

/// Which spikes count.
#[derive(Debug, Args)]
#[command(next_help_heading = "Selection")]
pub(super) struct SelectionArguments {
    /// Only these populations.
    #[arg(long, value_name = "NAME,...", value_delimiter = ',')]
    populations: Vec<String>,
    /// Only these samples: 0-9, or 1,3,7.
    #[arg(long, value_name = "A-B|LIST", value_delimiter = ',', value_parser = samples)]
    samples: Vec<(u32, u32)>,
    /// Only spikes from FROM up to TO, in the trace's time unit; either may be left out.
    #[arg(long, value_name = "FROM:TO", value_parser = window, allow_hyphen_values = true)]
    window: Option<(f64, f64)>,
}

/// A sample, or the first and the last of some.
fn samples(text: &str) -> Result<(u32, u32), String> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    match (first.trim().parse(), last.trim().parse()) {
        (Ok(first), Ok(last)) if first <= last => Ok((first, last)),
        _ => Err("samples are written as 0-9, or 1,3,7".to_owned()),
    }
}

/// The format of a name.
fn format(name: &str) -> Result<TraceFormat, String> {
    TraceFormat::from_str(name, true).map_err(|_| {
        let names = TraceFormat::ALL.map(TraceFormat::name).join(", ");
        format!("--format {name}: it must be one of {names}; for two traces, as csv,sonata")
    })
}

/// Ranges as they are written in an option, or the table of a file.
pub(super) fn id_ranges(text: &str) -> Result<IdRanges, String> {
    let path = Path::new(text);
    if path.is_file() { IdRanges::read(path) } else { text.parse() }
        .map_err(|error| error.to_string())
}

/// A number above 0, for an option.
fn rate(text: &str) -> Result<f64, String> {
    let rate = text.parse().ok().filter(|rate: &f64| rate.is_finite() && *rate > 0.0);
    rate.ok_or_else(|| format!("--sampling-rate {text}: it must be a number above 0, in Hz"))
}

fn window(text: &str) -> Result<(f64, f64), String> {
    let wrong = || "a window is written as FROM:TO, with FROM below TO, such as 0:100".to_owned();
    let (from, to) = text.split_once(':').ok_or_else(wrong)?;
    let end = |text: &str, open: f64| {
        if text.trim().is_empty() { Ok(open) } else { text.trim().parse().map_err(|_| wrong()) }
    };
    let (from, to) = (end(from, f64::NEG_INFINITY)?, end(to, f64::INFINITY)?);
    if from < to { Ok((from, to)) } else { Err(wrong()) }
}

impl ColumnArguments {
    /// Reads a trace and says what was not as it should be. Of options `A,B` it takes those of the
    /// first or of the second trace.
    pub fn read(&self, path: &Path, of: Option<usize>) -> Result<Recording, String> {
        let pick = |option: &Option<String>| {
            let text = option.as_deref()?;
            let parts = text.split_once(',').map(|(first, second)| [first, second]);
            match (of, parts) {
                (Some(of), Some(parts)) => Some(parts[of].trim()).filter(|part| !part.is_empty()),
                _ => Some(text),
            }
            .map(str::to_owned)
        };
        let columns = ColumnNames {
            time: pick(&self.time_column),
            neuron: pick(&self.neuron_column),
            population: pick(&self.population_column),
            sample: pick(&self.sample_column),
        };
        let format = pick(&self.format).map(|name| format(&name)).transpose()?;
        let source = TraceSource {
            path: path.to_owned(),
            format,
            columns,
            time_unit: pick(&self.time_unit),
            neuron_file: pick(&self.neuron_file).map(PathBuf::from),
            sampling_rate: pick(&self.sampling_rate).map(|text| rate(&text)).transpose()?,
            // Of two traces, ranges are for that which has no populations.
            ids: self.ids.clone().filter(|_| of.is_none()),
        };
        let (mut recording, warnings) = source.read().map_err(|error| error.to_string())?;
        for warning in warnings {
            console::err!("warning: {warning}");
        }
        if let Some(ids) = self.ids.as_ref().filter(|_| of.is_some())
            && recording.populations == [""]
        {
            ids.apply(&mut recording).map_err(|error| format!("{}: {error}", path.display()))?;
        }
        if let Some(first) = pick(&self.first_neuron) {
            count_from(&mut recording, &first, path)?;
        }
        Ok(recording)
    }

    /// Whether the number of a first neuron is given.
    pub fn has_first_neuron(&self) -> bool {
        self.first_neuron.is_some()
    }
}

/// Numbers the neurons of a trace from 0, where the first is `first`.
fn count_from(recording: &mut Recording, first: &str, path: &Path) -> Result<(), String> {
    let number: u32 = first.parse().map_err(|_| {
        format!(
            "--first-neuron {first}: it must be a whole number, such as 1 or, for two traces, 0,1"
        )
    })?;
    if let Some(spike) = recording.neurons.iter().position(|&neuron| neuron < number) {
        let line = recording.lines.of(spike).unwrap_or(1);
        let neuron = recording.neurons[spike];
        return Err(format!(
            "--first-neuron {first}: {}:{line}: there is a neuron {neuron} before it",
            path.display()
        ));
    }
    recording.neurons.iter_mut().for_each(|neuron| *neuron -= number);
    Ok(())
}

impl SelectionArguments {
    /// The selection, for a trace that has these populations.
    pub fn selection(&self) -> Selection {
        Selection {
            populations: self.populations.clone(),
            samples: self.samples.clone(),
            window: self.window,
        }
    }
}

/// A number as people read it: four digits, or all digits of a whole number.
pub(super) fn number(value: f64) -> String {
    let size = value.abs();
    if value == 0.0 {
        "0".to_owned()
    } else if !(1e-3..1e6).contains(&size) {
        format!("{value:.2e}")
    } else {
        let digits = (3 - size.log10().floor() as i32).max(0) as usize;
        format!("{value:.digits$}")
    }
}

/// A text that fits into a table.
pub(super) fn short(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars().take(most - 1).chain(['…']).collect()
}

/// Writes a table: the first column to the left, the others to the right, each as wide as need be.
/// Columns that would go beyond 80 characters begin a new table below; longer cells are cut.
pub(super) fn table(headings: &[String], rows: &[Vec<String>]) -> String {
    const WIDTH: usize = 80;
    let cut =
        |cells: &[String]| cells.iter().map(|cell| short(cell, WIDTH / 2)).collect::<Vec<_>>();
    let (headings, rows) = (cut(headings), rows.iter().map(|row| cut(row)).collect::<Vec<_>>());
    let width = |column: usize| {
        let cells = rows.iter().map(|row| &row[column]).chain([&headings[column]]);
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..headings.len()).map(width).collect();
    let first = widths.first().copied().unwrap_or(0);
    let mut text = String::new();
    let mut column = 1;
    while column < headings.len() {
        let begin = column;
        let mut used = first;
        while column < headings.len() && (column == begin || used + 2 + widths[column] <= WIDTH) {
            used += 2 + widths[column];
            column += 1;
        }
        if begin > 1 {
            text.push('\n');
        }
        for row in std::iter::once(&headings).chain(&rows) {
            text += &format!("{:<first$}", row[0]);
            for (cell, width) in row.iter().zip(&widths).take(column).skip(begin) {
                text += &format!("  {cell:>width$}");
            }
            text.truncate(text.trim_end_matches(' ').len());
            text.push('\n');
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        for (value, expected) in [
            (0.0, "0"),
            (12.0, "12.00"),
            (-0.012_345_6, "-0.01235"),
            (123_456.7, "123457"),
            (1.5e-12, "1.50e-12"),
            (2.5e9, "2.50e9"),
        ] {
            assert_eq!(number(value), expected);
        }
    }

    #[test]
    fn windows_and_samples_are_understood_or_refused() {
        assert_eq!(window("-5:10"), Ok((-5.0, 10.0)));
        assert_eq!(window("5:"), Ok((5.0, f64::INFINITY)));
        assert!(window("5").is_err() && window("5:5").is_err() && window("a:b").is_err());
        assert_eq!(samples("3-7"), Ok((3, 7)));
        assert!(samples("7-3").is_err() && samples("x").is_err());
    }

    #[test]
    fn wide_tables_are_broken() {
        let headings: Vec<String> = (0..5).map(|at| format!("heading {at}")).collect();
        let rows = vec![vec!["x".repeat(25); 5]];
        let text = table(&headings, &rows);
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
        assert_eq!(text.matches("heading 0").count(), 2);
        // A width of a format has 16 bits.
        let long = table(&["x".repeat(70_000), "y".repeat(70_000)], &[]);
        assert!(long.lines().all(|line| line.chars().count() <= 82), "{long}");
    }

    #[test]
    fn neurons_are_counted_from_the_first() {
        let mut recording = Recording { neurons: vec![103, 101], ..Recording::default() };
        count_from(&mut recording, "101", Path::new("a.dat")).expect("none is before");
        assert_eq!(recording.neurons, [2, 0]);
        let error = count_from(&mut recording, "1", Path::new("a.dat")).expect_err("0 is before");
        assert_eq!(error, "--first-neuron 1: a.dat:1: there is a neuron 0 before it");
    }
}
