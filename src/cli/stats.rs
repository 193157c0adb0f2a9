//! `firstspike stats`: what can be counted in a trace.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;

use super::traces::{ColumnArguments, SelectionArguments, number, table, trains};
use super::{bad_input, console};
use crate::run::RunMetadata;
use crate::trace::recording::Recording;
use crate::trace::statistics::{GroupStatistics, Setting, Statistics};
use crate::trace::time_unit;

#[derive(Debug, Args)]
pub(super) struct StatsArguments {
    /// The trace: a CSV file with times and neurons, packed with gzip or not; - for standard input.
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
    /// How long a sample is, in the trace's time unit [default: as the scenario beside the trace
    /// says, or until the last spike].
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
    /// Where the end of the window is from.
    end_is: &'static str,
    network: Option<PathBuf>,
}

fn evaluate(arguments: &StatsArguments) -> Result<Report, String> {
    let mut recording = arguments.columns.read(&arguments.trace, None)?;
    let metadata = RunMetadata::of(&arguments.trace);
    let sizes = sizes(arguments, &recording, &metadata)?;
    let selection = arguments.selection.selection();
    let whole = (recording.times.iter().copied())
        .fold((0.0_f64, 0.0_f64), |(from, to), time| (from.min(time), to.max(time)));
    let place = arguments.trace.display();
    selection.apply(&mut recording).map_err(|error| format!("{place}: {error}"))?;
    let (mut to, mut end_is) = match (arguments.duration, metadata.until) {
        (Some(duration), _) if duration < whole.1 => {
            return Err(format!("--duration {duration}: the last spike is at {}", whole.1));
        }
        (Some(duration), _) => (duration, "--duration"),
        (None, Some(until)) if until >= whole.1 => (until, "the end of the simulation"),
        _ => (whole.1, "the last spike"),
    };
    let mut from = whole.0;
    if let Some(window) = selection.window {
        from = if window.0.is_finite() { window.0 } else { from };
        (to, end_is) = if window.1.is_finite() { (window.1, "--window") } else { (to, end_is) };
    }
    let trains = trains(&recording, &arguments.trace);
    let Recording { time_unit, populations, .. } = recording;
    let seconds = time_unit.as_deref().and_then(time_unit::seconds);
    let hundredth = (to - from).max(0.0) / 100.0;
    let usual = seconds.map_or(hundredth, |seconds| hundredth.min(3e-3 / seconds));
    let sizes = populations.iter().map(|name| sizes.iter().find(|size| size.0 == *name));
    let setting = Setting {
        window: (from, to.max(from)),
        bin: arguments.bin.unwrap_or(usual),
        sizes: sizes.map(|size| size.map(|size| size.1)).collect(),
    };
    let statistics =
        Statistics::new(&trains, &setting).map_err(|error| format!("--bin: {error}"))?;
    Ok(Report { statistics, time_unit, setting, end_is, network: metadata.network })
}

/// Sizes of populations: those given, and those of the run.
fn sizes(
    arguments: &StatsArguments,
    recording: &Recording,
    metadata: &RunMetadata,
) -> Result<Vec<Size>, String> {
    let mut sizes = arguments.size.clone();
    for Size(name, size) in &sizes {
        let Some(index) = recording.populations.iter().position(|known| known == name) else {
            let there = recording.populations.join(", ");
            return Err(if recording.populations == [""] {
                format!("--size {name}={size}: the spikes have no populations; give --size {size}")
            } else {
                format!("--size {name}={size}: there is no such population; there are {there}")
            });
        };
        let largest = (0..recording.len())
            .filter(|&spike| recording.population_of(spike) == index)
            .map(|spike| recording.neurons[spike])
            .max();
        if let Some(largest) = largest.filter(|&largest| u64::from(largest) > *size) {
            return Err(format!("--size {name}={size}: there is a neuron {largest}"));
        }
    }
    sizes.extend(metadata.sizes.iter().map(|(name, size)| Size(name.clone(), *size)));
    Ok(sizes)
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
            "from": self.setting.window.0,
            "to": self.setting.window.1,
            "to_is": self.end_is,
            "bin": self.setting.bin,
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
        let (from, to) = self.setting.window;
        let unit = self.unit();
        let in_samples = if *samples == 1 { "" } else { &format!(" in {samples} samples") };
        console::out!(
            "{}: {} spikes of {} neurons{in_samples}",
            name(&arguments.trace),
            all.spikes,
            all.spiking
        );
        if all.spikes == 0 {
            return;
        }
        console::out!(
            "from {} to {} {unit} ({}); bins of {} {unit}",
            number(from),
            number(to),
            self.end_is,
            number(self.setting.bin)
        );
        let groups = self.groups();
        let columns: Vec<_> =
            groups.iter().map(|group| group.quantities(self.time_unit.as_deref())).collect();
        let heading = |group: &&GroupStatistics| match group.population.as_deref() {
            None => "all".to_owned(),
            Some("") => "neurons".to_owned(),
            Some(name) => short(name),
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
        if self.statistics.populations.iter().any(|group| group.size.is_none()) {
            let example = match self.statistics.populations[0].population.as_deref() {
                None | Some("") => "--size N".to_owned(),
                Some(name) => format!("--size {name}=N"),
            };
            console::out!("\nHow many neurons there are is not known: {example} tells, and the");
            console::out!("rate is then that of all neurons; here it is that of those that spike.");
        } else if let Some(network) = self.network.as_ref().filter(|_| arguments.size.is_empty()) {
            console::out!("\nNumbers of neurons are from {}.", network.display());
        }
    }
}

/// A trace as it is called in messages.
fn name(trace: &Path) -> std::borrow::Cow<'_, str> {
    if trace == Path::new("-") { "standard input".into() } else { trace.to_string_lossy() }
}

/// A name of a population, cut if it is too long for a column.
fn short(name: &str) -> String {
    if name.chars().count() <= 20 {
        return name.to_owned();
    }
    name.chars().take(19).chain(['…']).collect()
}
