//! `firstspike nir import`.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;

use super::{DialectArguments, Outcome, Source, console};
use crate::network::{Network, Node, Population};
use crate::neuron::NeuronParameters;
use crate::nir::{Graph, Meaning};
use crate::run::{Export, OutputFolder, file_names};

#[derive(Debug, Args)]
pub(in crate::cli) struct ImportArguments {
    /// A NIR file.
    file: PathBuf,
    /// Folder for the scenario and its data [default: the file's name without its ending, here].
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Spikes of the inputs (CSV), with the names of the input nodes as populations.
    #[arg(long, value_name = "TRACE")]
    spikes: Option<PathBuf>,
    /// Replace a scenario that is there, and its data.
    #[arg(long)]
    overwrite: bool,
    #[command(flatten)]
    dialect: DialectArguments,
}

pub(super) fn run(arguments: &ImportArguments) -> Outcome {
    let source = Source::read(&arguments.file, &arguments.dialect)?;
    let meaning = match source.meaning() {
        Ok(meaning) => meaning,
        Err(stop) => return stop.outcome(2),
    };
    let stem = arguments.file.file_stem().unwrap_or_default();
    let out = arguments.out.clone().unwrap_or_else(|| PathBuf::from(stem));
    if !arguments.overwrite && out.join("scenario.toml").exists() {
        let message = format!(
            "{}: there is a scenario already: choose another folder (--out), or --overwrite",
            out.display()
        );
        return Err(message.into());
    }
    if !arguments.overwrite
        && let Some(there) =
            files(&meaning.network).into_iter().find(|name| out.join(name).exists())
    {
        let message = format!(
            "{}: it is there already, and would be replaced: choose another folder (--out), or --overwrite",
            out.join(there).display()
        );
        return Err(message.into());
    }
    let spikes = arguments.spikes.as_ref().map(std::path::absolute).transpose()?;
    let text = scenario(&meaning, &source.graph, &arguments.file, spikes.as_deref());
    Export::of_network(&meaning.network).write(&out)?;
    let folder = OutputFolder::create(&out)?;
    if !meaning.stimulus.is_empty() && spikes.is_none() {
        let unit = meaning.time_unit.suffix();
        let names = file_names(meaning.network.populations());
        let name = |population: &String| {
            let found = meaning.network.population(population);
            found.map_or_else(|| population.clone(), |(id, _)| names[id.0].clone())
        };
        folder.write("inputs.csv", |file| {
            writeln!(file, "population,neuron,time_{unit}")?;
            let mut writer = csv::Writer::from_writer(file);
            for (population, neuron, time) in &meaning.stimulus {
                writer.write_record([&name(population), &neuron.to_string(), &time.to_string()])?;
            }
            writer.flush()
        })?;
    }
    folder.write("scenario.toml", |file| file.write_all(text.as_bytes()))?;
    console::out!("{}", folder.file("scenario.toml").display());
    Ok(ExitCode::SUCCESS)
}

/// The files that may be written beside the scenario.
fn files(network: &Network) -> Vec<String> {
    let names = file_names(network.populations());
    let mut files = vec!["inputs.csv".to_owned(), "network.npz".to_owned()];
    files.extend(names.iter().map(|name| format!("{name}.neurons.csv")));
    let synapses = pairs(network).into_iter();
    files
        .extend(synapses.map(|(pre, post)| format!("{}-{}.synapses.csv", names[pre], names[post])));
    files
}

/// The scenario, as text. Its populations have the names of nodes, with `_` for letters that such names may not have.
fn scenario(meaning: &Meaning, graph: &Graph, path: &Path, spikes: Option<&Path>) -> String {
    let network = &meaning.network;
    let unit = meaning.time_unit.suffix();
    let names = file_names(network.populations());
    let file = path.file_name().unwrap_or_default().to_string_lossy();
    let mut text = format!("# Imported from {file}.\n\ntime_unit = \"{unit}\"\n");
    let number = |name: &str| match graph.metadata.get(name) {
        Some(crate::nir::Field::Numbers(tensor)) => {
            tensor.scalar().filter(|value| value.is_finite())
        }
        _ => None,
    };
    let longest =
        network.graph().raw_nodes().iter().fold(0.0, |longest: f64, node| match node.weight {
            Node::Neuron(neuron) if neuron.tau_m.is_finite() => longest.max(neuron.tau_m),
            Node::Neuron(neuron) => longest.max(neuron.tau_s),
            Node::Source => longest,
        });
    // Ten digits are enough for what a person is to change.
    let round = |value: f64| format!("{value:.9e}").parse().unwrap_or(value);
    for (index, population) in network.populations().iter().enumerate() {
        let Population { name, nodes } = population;
        let _ = write!(
            text,
            "\n[[populations]]\nname = {}\nsize = {}\n",
            quoted(&names[index]),
            nodes.len()
        );
        match neurons(network, population) {
            None => {
                let own = meaning.stimulus.iter().any(|(population, ..)| population == name);
                let source = match spikes {
                    Some(path) => format!("source.file = {}", quoted(&path.to_string_lossy())),
                    None if own => "source.file = \"inputs.csv\"".to_owned(),
                    None if !meaning.stimulus.is_empty() => {
                        format!("source.spike_times = [{}]", vec!["[]"; nodes.len()].join(", "))
                    }
                    None => {
                        let interval: f64 = round(0.1 * longest);
                        format!(
                            "# The file has no spikes: these are an example.\n\
                             source.regular = {{ interval = {interval:?}, start = {interval:?} }}"
                        )
                    }
                };
                let _ = writeln!(text, "{source}");
            }
            Some(neurons) => {
                for (place, parameter) in NeuronParameters::NAMES.into_iter().enumerate() {
                    let value = |neuron: &NeuronParameters| *neuron.each_ref()[place];
                    let first = value(&neurons[0]);
                    if neurons.iter().all(|neuron| value(neuron).to_bits() == first.to_bits()) {
                        let _ = writeln!(text, "neuron.{parameter} = {first:?}");
                    } else {
                        let table = quoted(&format!("{}.neurons.csv", names[index]));
                        let _ = writeln!(text, "neuron.{parameter}.file = {table}");
                    }
                }
            }
        }
    }
    for (pre, post) in pairs(network) {
        let table = quoted(&format!("{}-{}.synapses.csv", names[pre], names[post]));
        let (pre, post) = (quoted(&names[pre]), quoted(&names[post]));
        let _ =
            write!(text, "\n[[projections]]\npre = {pre}\npost = {post}\nconnect.file = {table}\n");
    }
    let last = meaning.stimulus.iter().map(|spike| spike.2).fold(0.0, f64::max);
    let until = number("firstspike_until").unwrap_or_else(|| round(last + 10.0 * longest));
    let _ = write!(text, "\n[simulation]\nuntil = {until:?}\n");
    if number("firstspike_at_most_one_spike") == Some(1.0) {
        let _ = writeln!(text, "at_most_one_spike = true");
    }
    text
}

/// The neurons of a population; none if it is one of sources.
fn neurons(network: &Network, population: &Population) -> Option<Vec<NeuronParameters>> {
    let nodes = &network.graph().raw_nodes()[population.nodes.clone()];
    nodes
        .iter()
        .map(|node| match node.weight {
            Node::Neuron(neuron) => Some(neuron),
            Node::Source => None,
        })
        .collect()
}

/// Pairs of populations with synapses, in order.
fn pairs(network: &Network) -> Vec<(usize, usize)> {
    let populations = network.populations();
    let place =
        |node: usize| populations.partition_point(|population| population.nodes.end <= node);
    let edges = network.graph().raw_edges().iter();
    let pairs = edges.map(|edge| (place(edge.source().index()), place(edge.target().index())));
    let mut pairs: Vec<(usize, usize)> = pairs.collect();
    pairs.sort_unstable();
    pairs.dedup();
    pairs
}

/// A text as TOML has it.
fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}
