//! A network as JSON: populations with their neurons, and synapses by pair of populations.
//!
//! What [`write()`] writes, [`read`] reads back to the bit, with the synapses in the order of their
//! pairs of populations; for layers that is the order of their matrices.
//!
//! ```json
//! {"version": 2,
//!  "time_unit": "tau_s",
//!  "populations": [{"name": "input", "size": 4, "neurons": []},
//!                  {"name": "label", "size": 3, "neurons": [{"tau_m": 1.0, "…": 0}]}],
//!  "projections": [{"pre": "input", "post": "label", "synapses": [[0, 0, 1.5, 0.0]]}],
//!  "inference": {"…": "how samples come in and decisions out"}}
//! ```
//!
//! `neurons` has an entry per neuron, or one for all, or none for spike sources; a `tau_m` of `null` is
//! infinite. A synapse is the presynaptic and the postsynaptic neuron, counted from 0 in their populations,
//! its weight, and its delay. `receptors`, beside `synapses`, says for each `by_sign`, `excitatory` or
//! `inhibitory`, where some were chosen. `inference` is what a trained network needs beside itself
//! ([`Inference`](crate::learning::Inference)); a network that was simulated has none.
//!
//! Files of version 1 have neither `version` nor `inference`. They are read, too.

mod compiled;

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use petgraph::visit::EdgeRef;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Deserializer, Serialize};

use super::{LARGEST_SIZE, Network, NetworkError, Node, PopulationId, Receptor, Synapse};
use crate::neuron::NeuronParameters;
pub use compiled::write_compiled;

/// The version of the files that are written, and the newest that can be read.
pub const VERSION: u32 = 2;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct NetworkFile<I> {
    #[serde(default = "first")]
    version: u32,
    /// The unit of all times.
    time_unit: String,
    populations: Vec<PopulationEntry>,
    projections: Vec<ProjectionEntry>,
    #[serde(default = "nothing", skip_serializing_if = "Option::is_none")]
    inference: Option<I>,
}

fn first() -> u32 {
    1
}

fn nothing<I>() -> Option<I> {
    None
}

/// What a file says about itself, whatever else is in it.
#[derive(Deserialize)]
struct Versioned {
    #[serde(default = "first")]
    version: u32,
}

/// A network from a file.
#[derive(Clone, Debug)]
pub struct Saved<I> {
    /// The network.
    pub network: Network,
    /// The unit of all its times, such as `tau_s`.
    pub time_unit: String,
    /// What it needs beside itself to be used, if the file has that.
    pub inference: Option<I>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PopulationEntry {
    name: String,
    size: usize,
    /// One entry per neuron, or a single one if all are equal; empty for spike sources.
    neurons: Vec<NeuronEntry>,
}

#[derive(Clone, Copy, PartialEq, Serialize, Deserialize)]
struct NeuronEntry(#[serde(with = "ParameterEntries")] NeuronParameters);

/// The parameters in the order of the file.
#[derive(Serialize, Deserialize)]
#[serde(remote = "NeuronParameters", deny_unknown_fields)]
struct ParameterEntries {
    #[serde(deserialize_with = "finite_or_infinite")]
    tau_m: f64,
    tau_s: f64,
    tau_s_inhibitory: f64,
    capacitance: f64,
    leak_potential: f64,
    reset_potential: f64,
    threshold: f64,
    refractory_period: f64,
    bias_current: f64,
    initial_potential: f64,
    initial_current: f64,
    initial_inhibitory_current: f64,
}

/// JSON has no infinity; the time constant of a non-leaky neuron is written as null.
fn finite_or_infinite<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    Ok(Option::<f64>::deserialize(deserializer)?.unwrap_or(f64::INFINITY))
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ProjectionEntry {
    pre: String,
    post: String,
    /// Presynaptic neuron, postsynaptic neuron, weight, delay.
    synapses: Vec<(usize, usize, f64, f64)>,
    /// Receptors of the same synapses, where some were chosen explicitly.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    receptors: Vec<ReceptorEntry>,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum ReceptorEntry {
    BySign,
    Excitatory,
    Inhibitory,
}

/// A file that holds no network.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NetworkFileError {
    /// It cannot be opened.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is not JSON, or not of a network.
    #[error("{}: not a network as `firstspike run` writes it: {source}", path.display())]
    Json {
        /// The file.
        path: PathBuf,
        /// What was found, with line and column.
        source: serde_json::Error,
    },
    /// It is of a newer program.
    #[error(
        "{}: has version {found}, but this firstspike reads versions up to {VERSION}: use a newer one",
        path.display()
    )]
    Version {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: u32,
    },
    /// The network that it describes cannot be.
    #[error("{}: {place}: {message}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// Where in it: `projections[1].synapses[7]`.
        place: String,
        /// What was found, and what is accepted.
        message: String,
    },
}

/// Writes a network with its present weights; `time_unit` names the unit of all its times, such as
/// `tau_s`.
///
/// # Errors
/// If writing fails.
pub fn write(network: &Network, time_unit: &str, output: &mut impl Write) -> io::Result<()> {
    write_with(network, time_unit, None::<&()>, output)
}

/// Writes a network as [`write()`] does, with what it needs beside itself to be used.
///
/// # Errors
/// If writing fails.
pub fn write_with<I: Serialize>(
    network: &Network,
    time_unit: &str,
    inference: Option<&I>,
    output: &mut impl Write,
) -> io::Result<()> {
    let graph = network.graph();
    let populations = network.populations();
    let mut population_of = vec![0; graph.node_count()];
    for (index, population) in populations.iter().enumerate() {
        population_of[population.nodes.clone()].fill(index);
    }
    let mut projections = BTreeMap::<_, (Vec<_>, Vec<_>)>::new();
    for edge in graph.edge_references() {
        let (from, to) = (edge.source().index(), edge.target().index());
        let pair = (population_of[from], population_of[to]);
        let (synapses, receptors) = projections.entry(pair).or_default();
        synapses.push((
            from - populations[pair.0].nodes.start,
            to - populations[pair.1].nodes.start,
            edge.weight().weight,
            edge.weight().delay,
        ));
        if network.has_explicit_receptors() {
            receptors.push(match network.receptor(edge.id().index()) {
                Receptor::BySign => ReceptorEntry::BySign,
                Receptor::Excitatory => ReceptorEntry::Excitatory,
                Receptor::Inhibitory => ReceptorEntry::Inhibitory,
            });
        }
    }
    let file = NetworkFile {
        version: VERSION,
        inference,
        time_unit: time_unit.to_owned(),
        populations: populations
            .iter()
            .map(|population| {
                let mut neurons: Vec<NeuronEntry> = graph
                    .node_weights()
                    .skip(population.nodes.start)
                    .take(population.nodes.len())
                    .filter_map(|node| match node {
                        Node::Source => None,
                        Node::Neuron(parameters) => Some(NeuronEntry(*parameters)),
                    })
                    .collect();
                if neurons.iter().all(|neuron| *neuron == neurons[0]) {
                    neurons.truncate(1);
                }
                let (name, size) = (population.name.clone(), population.nodes.len());
                PopulationEntry { name, size, neurons }
            })
            .collect(),
        projections: projections
            .into_iter()
            .map(|((pre, post), (synapses, receptors))| ProjectionEntry {
                pre: populations[pre].name.clone(),
                post: populations[post].name.clone(),
                synapses,
                receptors,
            })
            .collect(),
    };
    serde_json::to_writer(&mut *output, &file)?;
    writeln!(output)
}

/// Reads a network that a run has written, and the unit of its times.
///
/// # Errors
/// If the file cannot be read, is not JSON of this form, or describes a network that cannot be; with
/// file and place.
pub fn read(path: &Path) -> Result<(Network, String), NetworkFileError> {
    let Saved { network, time_unit, .. } = read_with::<IgnoredAny>(path)?;
    Ok((network, time_unit))
}

/// Reads a network with what it needs beside itself to be used, if the file has that.
///
/// # Errors
/// As [`read`].
pub fn read_with<I: DeserializeOwned>(path: &Path) -> Result<Saved<I>, NetworkFileError> {
    let text = std::fs::read_to_string(path)
        .map_err(|source| NetworkFileError::Read { path: path.to_owned(), source })?;
    let read = serde_json::from_str::<NetworkFile<I>>(&text);
    let found = match &read {
        Ok(file) => file.version,
        // What is new in it is no mistake.
        Err(_) => serde_json::from_str(&text).map_or(1, |file: Versioned| file.version),
    };
    if found > VERSION {
        return Err(NetworkFileError::Version { path: path.to_owned(), found });
    }
    let file = read.map_err(|source| NetworkFileError::Json { path: path.to_owned(), source })?;
    let network = build(&file).map_err(|(place, message)| {
        let path = path.to_owned();
        NetworkFileError::Content { path, place, message }
    })?;
    Ok(Saved { network, time_unit: file.time_unit, inference: file.inference })
}

/// Builds the network; the error is where something is wrong, and what.
fn build<I>(file: &NetworkFile<I>) -> Result<Network, (String, String)> {
    let mut network = Network::new();
    let mut total: usize = 0;
    for (index, PopulationEntry { name, size, neurons }) in file.populations.iter().enumerate() {
        let place = format!("populations[{index}]");
        total = total.saturating_add(*size);
        if total > LARGEST_SIZE {
            let message = format!(
                "size {size} makes {total} neurons and sources in all: there must be at most {LARGEST_SIZE}"
            );
            return Err((place, message));
        }
        let parameters = neurons.iter().map(|neuron| neuron.0);
        let added = match neurons.as_slice() {
            [] => network.add_sources(name, *size),
            [one] => network.add_neurons(name, std::iter::repeat_n(one.0, *size)),
            several if several.len() == *size => network.add_neurons(name, parameters),
            several => {
                let found = several.len();
                let message = format!("{found} neurons must be one for all, or as many as {size}");
                return Err((place, message));
            }
        };
        added.map_err(|error| (place, error.to_string()))?;
    }
    for (index, projection) in file.projections.iter().enumerate() {
        let place = format!("projections[{index}]");
        let find = |name: &str| {
            let found = network.population(name).map(|(id, _)| id);
            found.ok_or_else(|| (place.clone(), format!("there is no population `{name}`")))
        };
        let pair = (find(&projection.pre)?, find(&projection.post)?);
        let (synapses, receptors) = (projection.synapses.len(), projection.receptors.len());
        if receptors != 0 && receptors != synapses {
            let message = format!("{receptors} receptors for {synapses} synapses: one for each");
            return Err((place, message));
        }
        for synapse in 0..synapses {
            connect(&mut network, projection, pair, synapse)
                .map_err(|error| (format!("{place}.synapses[{synapse}]"), error.to_string()))?;
        }
    }
    Ok(network)
}

fn connect(
    network: &mut Network,
    projection: &ProjectionEntry,
    (pre, post): (PopulationId, PopulationId),
    synapse: usize,
) -> Result<(), NetworkError> {
    let (from, to, weight, delay) = projection.synapses[synapse];
    let receptor = match projection.receptors.get(synapse) {
        None | Some(ReceptorEntry::BySign) => Receptor::BySign,
        Some(ReceptorEntry::Excitatory) => Receptor::Excitatory,
        Some(ReceptorEntry::Inhibitory) => Receptor::Inhibitory,
    };
    network.connect_to_receptor((pre, from), (post, to), Synapse { weight, delay }, receptor)
}

#[cfg(test)]
mod tests;
