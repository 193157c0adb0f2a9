//! `firstspike membranes`: the potentials of a recorded run.

use std::collections::BTreeMap;
use std::error::Error;
use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::console;
use super::exit::failure;
use crate::membrane::MembraneTrace;
use crate::report::membranes::MOST_PANELS;
use crate::run::{ChosenNeuron, Membranes, RecordedRun, write_file};

/// Width of the drawing where there is no terminal.
const WIDTH: usize = 80;

/// Inputs that are named for each neuron.
const NAMED: usize = 5;

#[derive(Debug, Args)]
pub(super) struct MembranesArguments {
    /// The folder of a run, as `firstspike run` wrote it.
    folder: PathBuf,
    /// Number of the sample (of the test set), from 0; a simulation is sample 0.
    #[arg(long, value_name = "N", default_value_t = 0)]
    sample: u32,
    /// A neuron, or all neurons of a population; may be repeated [default: the label neurons that
    /// matter, or the first neurons of each population].
    #[arg(long = "neuron", value_name = "POPULATION[:INDEX]")]
    neurons: Vec<String>,
    /// From when to when, in the scenario's time unit [default: the whole sample, or the beginning of
    /// a long simulation].
    #[arg(long, value_name = "FROM:TO", value_parser = window)]
    window: Option<(f64, f64)>,
    /// Draw an SVG file instead of the terminal.
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    /// Draw a PNG file instead of the terminal.
    #[arg(long, value_name = "FILE")]
    png: Option<PathBuf>,
    /// Write the potentials as CSV: time_<unit>, population, neuron, potential.
    #[arg(long, value_name = "FILE")]
    csv: Option<PathBuf>,
}

fn window(text: &str) -> Result<(f64, f64), String> {
    let parse = |text: &str| text.trim().parse::<f64>().ok().filter(|time| time.is_finite());
    text.split_once(':')
        .and_then(|(from, to)| Some((parse(from)?, parse(to)?)))
        .filter(|(from, to)| 0.0 <= *from && from < to)
        .ok_or_else(|| "it must be two times, as in 0:1.5, the second after the first".to_owned())
}

pub(super) fn run(arguments: &MembranesArguments) -> ExitCode {
    match show(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failure(&*error),
    }
}

fn show(arguments: &MembranesArguments) -> Result<(), Box<dyn Error>> {
    let run = RecordedRun::open(&arguments.folder)?;
    if let Some(error) = run.missing_labels() {
        console::err!("warning: labels are not known: {error}");
    }
    let neurons = if arguments.neurons.is_empty() {
        run.default_neurons(arguments.sample)?
    } else {
        chosen(&run, &arguments.neurons)?
    };
    let membranes = run.membranes(arguments.sample, &neurons, arguments.window)?;
    let figure = run.figure(&membranes)?;
    let Membranes { window: (from, to), .. } = membranes;
    let unit = run.scenario().time_unit;
    let (_, end) = run.span(arguments.sample)?;
    if arguments.window.is_none() && to < end {
        let symbol = unit.symbol();
        console::err!(
            "showing {from} to {to} of {end} {symbol}: --window FROM:TO for another part"
        );
    }

    console::out!("{}", figure.title);
    if !figure.note.is_empty() {
        console::out!("{}", figure.note);
    }
    let files = [&arguments.svg, &arguments.png, &arguments.csv];
    if files.iter().all(|file| file.is_none()) {
        let (width, colours) = terminal();
        // It has colours.
        console::print_raw(&format!("{}\n", figure.to_text(width, colours).trim_end()));
    }
    for (neuron, trace) in &membranes.traces {
        console::out!("{}", summary(neuron, trace, from, unit.symbol()));
    }
    if let Some(path) = &arguments.svg {
        let svg = figure.to_svg()?;
        write_file(path, |file| file.write_all(svg.as_bytes()))?;
        console::out!("picture  {}", path.display());
    }
    if let Some(path) = &arguments.png {
        let png = figure.to_png()?;
        write_file(path, |file| file.write_all(&png))?;
        console::out!("picture  {}", path.display());
    }
    if let Some(path) = &arguments.csv {
        write_file(path, |file| membranes.write(unit.suffix(), file))?;
        console::out!("table    {}", path.display());
    }
    Ok(())
}

/// The neurons that were asked for.
fn chosen(run: &RecordedRun, given: &[String]) -> Result<Vec<ChosenNeuron>, Box<dyn Error>> {
    let mut neurons = Vec::new();
    for text in given {
        let index = text.rsplit_once(':').and_then(|(population, index)| {
            Some(ChosenNeuron { population: population.to_owned(), neuron: index.parse().ok()? })
        });
        match index {
            Some(neuron) => neurons.push(neuron),
            None => neurons.extend(run.neurons_of(text)?),
        }
    }
    if neurons.len() > MOST_PANELS {
        let found = neurons.len();
        let message = format!(
            "--neuron: {found} neurons are too many for a picture, which has room for \
             {MOST_PANELS}; choose some, as in --neuron {}:0",
            neurons[0].population
        );
        return Err(message.into());
    }
    Ok(neurons)
}

/// Width of the terminal, and whether to use colours there.
fn terminal() -> (usize, bool) {
    let is_terminal = std::io::stdout().is_terminal();
    let width = ::console::Term::stdout().size_checked().map(|(_, width)| usize::from(width));
    let wanted = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    (width.filter(|_| is_terminal).unwrap_or(WIDTH), is_terminal && wanted)
}

/// A contribution with its sign and three digits after the point; what is rounded to zero has none.
fn signed(value: f64) -> String {
    let text = format!("{value:+.3}");
    if text.trim_start_matches(['+', '-']) == "0.000" { "0.000".to_owned() } else { text }
}

/// What a neuron did, and which inputs mattered most for it.
fn summary(neuron: &ChosenNeuron, trace: &MembraneTrace, from: f64, unit: &str) -> String {
    let ChosenNeuron { population, neuron } = neuron;
    let times = |times: &[f64]| {
        let shown: Vec<String> = times.iter().take(4).map(|time| format!("{time:.4}")).collect();
        let more =
            if times.len() > 4 { format!(" and {} more", times.len() - 4) } else { String::new() };
        format!("{} {unit}{more}", shown.join(", "))
    };
    let mut text = format!("{population}:{neuron} ");
    text.push_str(&match trace.spikes.as_slice() {
        [] => "does not spike".to_owned(),
        spikes => format!("spikes at {}", times(spikes)),
    });
    let differs = trace.crossings.len() != trace.spikes.len()
        || trace.crossings.iter().zip(&trace.spikes).any(|(a, b)| (a - b).abs() > 1e-5 * b);
    if differs {
        text.push_str(&match trace.crossings.as_slice() {
            [] => "; the computed potential does not reach the threshold".to_owned(),
            crossings => format!("; computed: {}", times(crossings)),
        });
    }
    // A neuron's first spike is explained where all that led to it is in the window.
    if from > 0.0 || trace.spikes.is_empty() {
        return text;
    }
    let mut sums = BTreeMap::<String, f64>::new();
    for input in &trace.inputs {
        let Some(contribution) = input.contribution else { continue };
        *sums.entry(format!("{}:{}", input.population, input.neuron)).or_default() += contribution;
    }
    let mut inputs: Vec<(f64, String)> = sums.into_iter().map(|(name, sum)| (sum, name)).collect();
    inputs.sort_by(|a, b| b.0.abs().total_cmp(&a.0.abs()));
    if !inputs.is_empty() {
        let named: Vec<String> = inputs
            .iter()
            .take(NAMED)
            .map(|(value, name)| format!("{name} {}", signed(*value)))
            .collect();
        let count = inputs.len();
        let of = if count > NAMED { format!(" (of {count})") } else { String::new() };
        text.push_str(&format!(
            "\n    largest contributions at the first spike: {}{of}",
            named.join(", ")
        ));
    }
    text
}
