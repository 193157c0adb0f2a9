//! What the commands on traces have in common: which columns, which spikes, and how numbers look.

use std::path::{Path, PathBuf};

use clap::Args;

use super::console;
use crate::trace::recording::{Anomaly, ColumnNames, Recording, TraceWarning, read_recording};
use crate::trace::selection::Selection;
use crate::trace::trains::Trains;

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
        let names = ColumnNames {
            time: pick(&self.time_column),
            neuron: pick(&self.neuron_column),
            population: pick(&self.population_column),
            sample: pick(&self.sample_column),
        };
        let (mut recording, warnings) =
            read_recording(path, &names).map_err(|error| error.to_string())?;
        for warning in warnings {
            console::err!("warning: {warning}");
        }
        let unit = pick(&self.time_unit);
        if let (Some(given), Some(found)) = (&unit, &recording.time_unit)
            && given != found
        {
            return Err(format!(
                "--time-unit {given}: the times of {} are in {found}, as the heading says",
                path.display()
            ));
        }
        recording.time_unit = unit.or(recording.time_unit);
        Ok(recording)
    }
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

/// Sorts a recording, and says which rows are there twice.
pub(super) fn trains(recording: &Recording, path: &Path) -> Trains {
    let trains = Trains::new(recording);
    if let Some(&first) = trains.duplicates.first() {
        let warning = TraceWarning {
            path: if path == Path::new("-") {
                PathBuf::from("standard input")
            } else {
                path.into()
            },
            anomaly: Anomaly::Duplicate,
            count: trains.duplicates.len() as u64,
            first_line: recording.lines.of(first as usize).unwrap_or(0),
        };
        console::err!("warning: {warning}");
    }
    trains
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

/// Writes a table: the first column to the left, the others to the right, each as wide as need be.
/// Columns that would go beyond 80 characters begin a new table below.
pub(super) fn table(headings: &[String], rows: &[Vec<String>]) -> String {
    const WIDTH: usize = 80;
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
        for row in std::iter::once(headings).chain(rows.iter().map(Vec::as_slice)) {
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
    }
}
