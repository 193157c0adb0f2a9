//! `firstspike predict` and `firstspike evaluate`: a trained network in use.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;

use super::exit::failure;
use super::run::print_hardware;
use super::session::Session;
use super::{Data, bad_input, console};
use crate::report::html;
use crate::run::{RunError, Samples, Shown, TrainedError, TrainedRun, write_file};

/// The network, and the samples that it is shown.
#[derive(Debug, Args)]
pub(super) struct NetworkArguments {
    /// The folder of a training, as `firstspike run` wrote it.
    run: PathBuf,
    /// Samples: a table of text with the columns that the network was trained with, in any order, or an NPY
    /// or IDX file.
    #[arg(long, value_name = "FILE", required_unless_present = "set", conflicts_with = "set")]
    data: Option<PathBuf>,
    /// Labels of an NPY or IDX file; a table has them in its column.
    #[arg(long, value_name = "FILE", requires = "data")]
    labels: Option<PathBuf>,
    /// A set of the run's own instead.
    #[arg(long, value_name = "SET")]
    set: Option<Data>,
    /// Put the network on the chip of this file [default: what it was trained on].
    #[arg(long, value_name = "FILE")]
    chip: Option<PathBuf>,
    /// Which of all chips of the kind [default: the one that it was trained on, or by the run's seed].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(..=i64::MAX as u64))]
    individual: Option<u64>,
    /// Threads to work on [default: all cores]. The results do not depend on it.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
}

#[derive(Debug, Args)]
pub(super) struct PredictArguments {
    #[command(flatten)]
    network: NetworkArguments,
    /// File for the decisions [default: the terminal].
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Add the time at which each label neuron spiked.
    #[arg(long)]
    times: bool,
}

#[derive(Debug, Args)]
pub(super) struct EvaluateArguments {
    #[command(flatten)]
    network: NetworkArguments,
    /// File for accuracy and confusion matrix (JSON), beside the terminal.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// File for a report (HTML): confusion matrix, distributions of spike times, single samples.
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
}

impl NetworkArguments {
    fn open(&self) -> Result<(TrainedRun, Samples<'_>), TrainedError> {
        let run = TrainedRun::open_on(&self.run, self.chip.as_deref(), self.individual)?;
        let samples = match (&self.data, self.set) {
            (Some(path), _) => Samples::File { path, labels: self.labels.as_deref() },
            (None, set) => Samples::Set(set.unwrap_or(Data::Test).into()),
        };
        Ok((run, samples))
    }

    /// What messages call the samples.
    fn samples(&self) -> String {
        match (&self.data, self.set) {
            (Some(path), _) => path.display().to_string(),
            (None, Some(Data::Training)) => "the training set".to_owned(),
            (None, Some(Data::Validation)) => "the validation set".to_owned(),
            (None, _) => "the test set".to_owned(),
        }
    }

    /// Opens the network and shows it the samples, on threads of its own.
    fn run<T: Send>(
        &self,
        show: impl FnOnce(&TrainedRun, Samples<'_>) -> Result<T, TrainedError> + Send,
    ) -> Result<T, ExitCode> {
        let pool = Session::threads(self.threads).map_err(|error| bad_input(&error))?;
        let shown = pool.install(|| self.open().and_then(|(run, samples)| show(&run, samples)));
        shown.map_err(|error| failed(&error))
    }
}

/// Bad input is what can be told before the network runs.
fn failed(error: &TrainedError) -> ExitCode {
    match error {
        TrainedError::Run(RunError::Learning(error)) => {
            console::err!("error: {error}");
            ExitCode::FAILURE
        }
        error => bad_input(error),
    }
}

pub(super) fn predict(arguments: &PredictArguments) -> ExitCode {
    let predict = |run: &TrainedRun, samples: Samples<'_>| run.predict(samples, arguments.times);
    let predictions = match arguments.network.run(predict) {
        Ok(predictions) => predictions,
        Err(code) => return code,
    };
    let Some(out) = &arguments.out else {
        // Whoever reads may have gone.
        let _ = predictions.write(&mut std::io::stdout().lock());
        return ExitCode::SUCCESS;
    };
    match write_file(out, |file| predictions.write(file)) {
        Ok(()) => {
            let samples = predictions.rows.len();
            console::out!("{samples} decisions in {}", out.display());
            ExitCode::SUCCESS
        }
        Err(error) => bad_input(&error),
    }
}

pub(super) fn evaluate(arguments: &EvaluateArguments) -> ExitCode {
    let title = arguments.network.samples();
    let of_report = arguments.report.is_some().then_some(title.as_str());
    let show = |run: &TrainedRun, samples: Samples<'_>| run.evaluate(samples, of_report);
    let Shown { predictions, report, overlap, hardware } = match arguments.network.run(show) {
        Ok(shown) => shown,
        Err(code) => return code,
    };
    if predictions.rows.iter().any(|row| row.label.is_none()) {
        let data = arguments.network.data.as_deref().unwrap_or(Path::new(""));
        let what = format!(
            "{} has no labels, without which there is no accuracy: a table needs its column of labels, \
             other files --labels FILE",
            data.display()
        );
        return bad_input(&what);
    }
    let confusion = predictions.confusion();
    let correct: u64 = confusion.iter().enumerate().map(|(class, row)| row[class]).sum();
    let undecided: u64 = confusion.iter().filter_map(|row| row.last()).sum();
    let samples = predictions.rows.len();
    let accuracy = correct as f64 / samples as f64;
    let decided = predictions.rows.iter().filter_map(|row| row.verdict);
    let time = decided.clone().map(|verdict| verdict.time).sum::<f64>() / decided.count() as f64;
    if let Some(out) = &arguments.out {
        let result = serde_json::json!({
            "samples": samples,
            "accuracy": accuracy,
            "undecided": undecided,
            "mean_decision_time": time,
            "time_unit": predictions.time_unit,
            "class_names": predictions.class_names,
            "confusion": confusion,
            "hardware": hardware,
        });
        let written = write_file(out, |file| {
            serde_json::to_writer_pretty(&mut *file, &result)?;
            writeln!(file)
        });
        if let Err(error) = written {
            return bad_input(&error);
        }
    }
    if let (Some(path), Some(report)) = (&arguments.report, report) {
        let page = html::report(&report).map_err(RunError::Page);
        let written =
            page.and_then(|page| write_file(path, |file| file.write_all(page.as_bytes())));
        if let Err(error) = written {
            return failure(&error);
        }
        console::out!("report               {}", path.display());
    }
    if let Some(found) = overlap {
        console::err!("warning: {}; {}", found.finding, found.advice);
    }
    console::out!("accuracy             {:.2} % ({correct} of {samples})", 100.0 * accuracy);
    console::out!("samples              {title}");
    console::out!("undecided            {undecided}");
    let unit = crate::settings::time_units::symbol(&predictions.time_unit);
    if time.is_finite() {
        console::out!("mean decision time   {time:.3} {unit}");
    } else {
        console::out!("mean decision time   none: no label neuron spiked");
    }
    if let Some(account) = &hardware {
        print_hardware(account);
    }
    console::out!("\ndecided to be (columns), of each true class (rows):");
    for line in confusion_lines(&predictions.class_names, &confusion) {
        console::out!("{line}");
    }
    ExitCode::SUCCESS
}

/// The confusion matrix as lines of text.
fn confusion_lines(names: &[String], confusion: &[Vec<u64>]) -> Vec<String> {
    let undecided = confusion.iter().any(|row| row.last().is_some_and(|&count| count > 0));
    let columns = names.len() + usize::from(undecided);
    let heading = names.iter().map(String::as_str).chain(["undecided"]).take(columns);
    let mut table = vec![std::iter::once("").chain(heading).map(str::to_owned).collect()];
    for (name, row) in names.iter().zip(confusion) {
        let counts = row.iter().take(columns).map(u64::to_string);
        table.push(std::iter::once(name.clone()).chain(counts).collect());
    }
    aligned(&table)
}

/// Rows of text with their columns below each other, the first at the left.
fn aligned(rows: &[Vec<String>]) -> Vec<String> {
    let columns = rows.first().map_or(0, Vec::len);
    let length = |text: &String| text.chars().count();
    let width = |column: usize| rows.iter().map(|row| length(&row[column])).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).enumerate().map(|(index, (cell, &width))| {
            if index == 0 { format!("{cell:<width$}") } else { format!("{cell:>width$}") }
        });
        cells.collect::<Vec<_>>().join("  ")
    };
    rows.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_confusion_matrix_has_its_names_and_a_column_of_undecided_only_if_there_are_some() {
        let names = ["setosa", "b"].map(str::to_owned);
        let lines = confusion_lines(&names, &[vec![10, 0, 0], vec![1, 2, 0]]);
        assert_eq!(lines, ["        setosa  b", "setosa      10  0", "b            1  2"]);
        let lines = confusion_lines(&names, &[vec![10, 0, 3], vec![1, 2, 0]]);
        assert_eq!(lines[0], "        setosa  b  undecided");
    }
}
