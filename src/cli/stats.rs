//! `firstspike stats`: what can be counted in a trace.

mod span;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;

use rustc_hash::FxHashMap;

use super::traces::{ColumnArguments, SelectionArguments, number, short, table};
use super::{bad_input, console};
use crate::run::RunMetadata;
use crate::trace::SelectionError;
use crate::trace::recording::Recording;
use crate::trace::statistics::{GroupStatistics, Setting, Statistics, SynchronyError};
use crate::trace::trains::Trains;
use span::Span;

#[derive(Debug, Args)]
pub(super) struct StatsArguments {
    /// The trace: a CSV file with times and neurons, packed with gzip or not, or any format of firstspike
    /// convert; - for standard input.
    trace: PathBuf,
    /// Print JSON.
    #[arg(long, conflicts_with = "csv")]
    json: bool,
    /// Print CSV: a row for all spikes (population empty), and one per population.
    #[arg(long)]
    csv: bool,
    /// How many neurons a population has, to count silent ones; without a name, that of a trace
    /// without populations. May be repeated. [default: from network.json beside the trace]
    #[arg(long, value_name = "[POPULATION=]N")]
    size: Vec<Size>,
    /// How long a sample is, in the trace's time unit [default: the time that the run reached, by
    /// summary.json beside the trace, or until the last spike].
    #[arg(long, value_name = "TIME", value_parser = positive)]
    duration: Option<f64>,
    /// Width of the bins for synchrony [default: 3 ms, but at most a hundredth of a sample].
    #[arg(long, value_name = "TIME", value_parser = positive)]
    bin: Option<f64>,
    #[command(flatten)]
    selection: SelectionArguments,
    #[command(flatten)]
    columns: ColumnArguments,
}

/// Name of a population (empty if there is none) and number of its neurons.
#[derive(Clone, Debug)]
struct Size(String, u64);

impl From<(String, u64)> for Size {
    fn from((name, size): (String, u64)) -> Self {
        Size(name, size)
    }
}

impl std::str::FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, count) = text.rsplit_once('=').unwrap_or(("", text));
        let count = count.trim().parse().map_err(|_| {
            "it must be POPULATION=N with a whole number N, or N for a trace without populations"
        })?;
        Ok(Size(name.to_owned(), count))
    }
}

fn positive(text: &str) -> Result<f64, String> {
    let value = text.parse().ok().filter(|value: &f64| value.is_finite() && *value > 0.0);
    value.ok_or_else(|| "it must be a number above 0".to_owned())
}

pub(super) fn run(arguments: &StatsArguments) -> ExitCode {
    match evaluate(arguments) {
        Ok(report) => {
            report.print(arguments);
            ExitCode::SUCCESS
        }
        Err(message) => bad_input(&message),
    }
}

/// The statistics and what they are based on.
struct Report {
    statistics: Statistics,
    time_unit: Option<String>,
    setting: Setting,
    span: Span,
    /// Why there is no synchrony, if it was left out.
    without_synchrony: Option<SynchronyError>,
    network: Option<PathBuf>,
}

fn evaluate(arguments: &StatsArguments) -> Result<Report, String> {
    let mut recording = arguments.columns.read(&arguments.trace, None)?;
    let metadata = RunMetadata::of(&arguments.trace);
    let given = sizes(arguments, &recording)?;
    let selection = arguments.selection.selection();
    let place = arguments.trace.display();
    let refuse = |error: SelectionError| format!("{place}: {error}");
    let span = Span::of(&recording, arguments, &metadata)?;
    // What was not chosen still tells which samples and neurons there are.
    let samples = selection.chosen_samples(&recording).map_err(refuse)?;
    let seen: FxHashMap<String, u64> =
        recording.populations.iter().cloned().zip(recording.spiking_neurons()).collect();
    selection.apply(&mut recording).map_err(refuse)?;
    let trains = Trains::new(&recording);
    let Recording { time_unit, populations, .. } = recording;
    let sizes: Vec<Size> =
        given.into_iter().chain(metadata.sizes.into_iter().map(Size::from)).collect();
    let size = |name: &String| sizes.iter().find(|size| size.0 == *name).map(|size| size.1);
    let mut setting = Setting {
        window: (span.from, span.to),
        bin: Some(arguments.bin.unwrap_or(span.usual_bin(time_unit.as_deref()))),
        sizes: populations.iter().map(size).collect(),
        seen: populations.iter().map(|name| seen.get(name).copied().unwrap_or(0)).collect(),
        samples,
    };
    let mut without_synchrony = None;
    let statistics = match Statistics::new(&trains, &setting) {
        Err(error) if arguments.bin.is_none() => {
            setting.bin = None;
            without_synchrony = Some(error);
            Statistics::new(&trains, &setting)
        }
        found => found,
    };
    let statistics = statistics.map_err(|error| format!("--bin: {error}"))?;
    let network = metadata.network;
    Ok(Report { statistics, time_unit, setting, span, without_synchrony, network })
}

/// The sizes of populations that are given, if they can be.
fn sizes(arguments: &StatsArguments, recording: &Recording) -> Result<Vec<Size>, String> {
    for Size(name, size) in &arguments.size {
        let Some(index) = recording.populations.iter().position(|known| known == name) else {
            let there = recording.populations.join(", ");
            return Err(if recording.populations == [""] {
                format!("--size {name}={size}: the spikes have no populations; give --size {size}")
            } else {
                format!("--size {name}={size}: there is no such population; there are {there}")
            });
        };
        let neurons = (0..recording.len())
            .filter(|&spike| recording.population_of(spike) == index)
            .map(|spike| recording.neurons[spike]);
        let (least, most) = (neurons.clone().min().unwrap_or(0), neurons.max().unwrap_or(0));
        // Numbers from 0 or from 1 both are of so many neurons.
        let counts_from_1 = least > 0 && !arguments.columns.has_first_neuron();
        if u64::from(most) >= *size + u64::from(counts_from_1) && !recording.is_empty() {
            let option = if name.is_empty() { size.to_string() } else { format!("{name}={size}") };
            let fits = least > 0 && u64::from(most - least) < *size;
            let hint = if fits {
                format!("; if {least} is the number of the first, add --first-neuron {least}")
            } else {
                String::new()
            };
            return Err(format!("--size {option}: there is a neuron {most}{hint}"));
        }
    }
    Ok(arguments.size.clone())
}

impl Report {
    /// The unit of time in words.
    fn unit(&self) -> &str {
        self.time_unit.as_deref().unwrap_or("time unit")
    }

    /// All groups: first all together, if there is more than one population.
    fn groups(&self) -> Vec<&GroupStatistics> {
        let Statistics { all, populations, .. } = &self.statistics;
        if populations.len() == 1 {
            return populations.iter().collect();
        }
        std::iter::once(all).chain(populations).collect()
    }

    fn print(&self, arguments: &StatsArguments) {
        if arguments.json {
            let text = serde_json::to_string_pretty(&self.json(arguments));
            console::out!("{}", text.unwrap_or_default());
        } else if arguments.csv {
            self.print_csv();
        } else {
            self.print_table(arguments);
        }
    }

    fn json(&self, arguments: &StatsArguments) -> serde_json::Value {
        let object = |group: &GroupStatistics| {
            let mut entries = serde_json::Map::new();
            if let Some(population) = &group.population {
                entries.insert("population".to_owned(), population.clone().into());
            }
            for quantity in group.quantities(self.time_unit.as_deref()) {
                let value = match quantity.value {
                    Some(value) if quantity.is_count => (value as u64).into(),
                    value => value.into(),
                };
                entries.insert(quantity.name, value);
            }
            serde_json::Value::Object(entries)
        };
        serde_json::json!({
            "trace": arguments.trace,
            "time_unit": self.time_unit,
            "samples": self.statistics.samples,
            "from": self.span.from,
            "from_is": self.span.from_is,
            "to": self.span.to,
            "to_is": self.span.to_is,
            "bin": self.setting.bin,
            "coincident_spikes": self.statistics.all.coincident,
            "all": object(&self.statistics.all),
            "populations": self.statistics.populations.iter().map(object).collect::<Vec<_>>(),
        })
    }

    fn print_csv(&self) {
        let mut writer = csv::Writer::from_writer(Vec::new());
        let Statistics { all, populations, .. } = &self.statistics;
        for (index, group) in std::iter::once(all).chain(populations).enumerate() {
            let quantities = group.quantities(self.time_unit.as_deref());
            if index == 0 {
                let names = quantities.iter().map(|quantity| quantity.name.as_str());
                // A Vec takes everything.
                let _ = writer.write_record(std::iter::once("population").chain(names));
            }
            let name = group.population.clone().unwrap_or_default();
            let values = quantities.iter().map(|quantity| match quantity.value {
                None => String::new(),
                Some(value) if quantity.is_count => value.to_string(),
                // The shortest text that brings back the number, with an exponent if it is far from 1.
                Some(value) => format!("{value:?}"),
            });
            let _ = writer.write_record(std::iter::once(name).chain(values));
        }
        let text = writer.into_inner().unwrap_or_default();
        console::out!("{}", String::from_utf8_lossy(&text).trim_end());
    }

    fn print_table(&self, arguments: &StatsArguments) {
        let Statistics { samples, all, .. } = &self.statistics;
        let in_samples = if *samples == 1 { "" } else { &format!(" in {samples} samples") };
        console::out!(
            "{}: {} of {}{in_samples}",
            name(&arguments.trace),
            count(all.spikes, "spike"),
            match all.size {
                // Those of the network count, too.
                Some(size) if size != all.spiking => {
                    format!("{} of {}", all.spiking, count(size, "neuron"))
                }
                _ => count(all.spiking, "neuron"),
            }
        );
        if all.spikes == 0 {
            return;
        }
        let mut line = self.span.describe(self.unit());
        if let Some(bin) = self.setting.bin {
            let bins = format!("bins of {} {}", number(bin), self.unit());
            let fits = line.chars().count() + bins.chars().count() < 78;
            line += &format!("{}{bins}", if fits { "; " } else { ";\n" });
        }
        console::out!("{line}");
        let groups = self.groups();
        let columns: Vec<_> =
            groups.iter().map(|group| group.quantities(self.time_unit.as_deref())).collect();
        let heading = |group: &&GroupStatistics| match group.population.as_deref() {
            None => "all".to_owned(),
            Some("") => "neurons".to_owned(),
            Some(name) => short(name, 20),
        };
        let headings: Vec<String> =
            std::iter::once(String::new()).chain(groups.iter().map(heading)).collect();
        // What no population has, such as intervals where no neuron spikes twice, needs no line.
        let is_known = |row: &usize| {
            columns[0][*row].is_count || columns.iter().any(|column| column[*row].value.is_some())
        };
        let rows: Vec<Vec<String>> = (0..columns[0].len())
            .filter(is_known)
            .map(|row| {
                let cells = columns.iter().map(|column| match column[row].value {
                    None => "–".to_owned(),
                    Some(value) if column[row].is_count => value.to_string(),
                    Some(value) => number(value),
                });
                std::iter::once(columns[0][row].label.clone()).chain(cells).collect()
            })
            .collect();
        console::out!("\n{}", table(&headings, &rows).trim_end());
        if all.coincident > 0 {
            let (spikes, repeat) = (count(all.coincident, "spike"), plural(all.coincident));
            console::out!(
                "\n{spikes} repeat{repeat} one of the same neuron at the same time; each counts."
            );
        }
        if let Some(error) = &self.without_synchrony {
            let (bins, bin, unit) = (error.count, number(error.bin), self.unit());
            console::out!("\nSynchrony is left out: {bins:.3e} bins of {bin} {unit} are too many.");
            console::out!("A wider --bin or a --window makes them fewer.");
        }
        if self.statistics.populations.iter().any(|group| group.size.is_none()) {
            let example = match self.statistics.populations[0].population.as_deref() {
                None | Some("") => "--size N".to_owned(),
                Some(name) => format!("--size {name}=N"),
            };
            console::out!("\nHow many neurons there are is not known: {example} tells, and the");
            console::out!(
                "rate is then that of all; here it is that of those that spike in the trace."
            );
        } else if let Some(network) = self.network.as_ref().filter(|_| arguments.size.is_empty()) {
            console::out!("\nNumbers of neurons are from {}.", network.display());
        }
    }
}

/// A trace as it is called in messages.
fn name(trace: &Path) -> std::borrow::Cow<'_, str> {
    if trace == Path::new("-") { "standard input".into() } else { trace.to_string_lossy() }
}

/// So many things.
fn count(number: u64, what: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") }
}

/// The ending of a verb.
fn plural(number: u64) -> &'static str {
    if number == 1 { "s" } else { "" }
}
