//! A network as JSON: populations with their neurons, and synapses by pair of populations.
//!
//! What [`write()`] writes, [`read`] reads back to the bit, with the synapses in the order of their
//! pairs of populations; for layers that is the order of their matrices.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use petgraph::visit::EdgeRef;
use serde::{Deserialize, Deserializer, Serialize};

use super::{LARGEST_SIZE, Network, NetworkError, Node, PopulationId, Receptor, Synapse};
use crate::neuron::NeuronParameters;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct NetworkFile {
    /// The unit of all times.
    time_unit: String,
    populations: Vec<PopulationEntry>,
    projections: Vec<ProjectionEntry>,
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
    let text = std::fs::read_to_string(path)
        .map_err(|source| NetworkFileError::Read { path: path.to_owned(), source })?;
    let file: NetworkFile = serde_json::from_str(&text)
        .map_err(|source| NetworkFileError::Json { path: path.to_owned(), source })?;
    let network = build(&file).map_err(|(place, message)| {
        let path = path.to_owned();
        NetworkFileError::Content { path, place, message }
    })?;
    Ok((network, file.time_unit))
}

/// Builds the network; the error is where something is wrong, and what.
fn build(file: &NetworkFile) -> Result<Network, (String, String)> {
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
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::network::CompiledNetwork;

    fn neuron(values: [f64; 4], leaky: bool) -> NeuronParameters {
        NeuronParameters {
            tau_m: if leaky { values[0] } else { f64::INFINITY },
            tau_s: values[1],
            tau_s_inhibitory: values[2],
            initial_current: -values[3],
            ..NeuronParameters::default()
        }
    }

    /// Two populations of neurons and one of sources, with any synapses between them.
    fn network() -> impl Strategy<Value = Network> {
        let parameters = (prop::array::uniform4(1e-3..1e3), any::<bool>());
        let neurons = prop::collection::vec(parameters, 1..5);
        let synapse = (0..3_usize, 0..9_usize, 0..9_usize, -1e3..1e3, 0.0..9.0, 0..4_u8);
        (neurons, prop::collection::vec(synapse, 0..30)).prop_map(|(neurons, synapses)| {
            let mut network = Network::new();
            let parameters = neurons.iter().map(|&(values, leaky)| neuron(values, leaky));
            network.add_neurons("various", parameters).expect("valid");
            network.add_sources("sources", 3).expect("new");
            network.add_neurons("equal", [NeuronParameters::default(); 2]).expect("valid");
            let sizes = [neurons.len(), 3, 2];
            for (pre, from, to, weight, delay, receptor) in synapses {
                let post = 2 * (to % 2);
                let (from, to) = (from % sizes[pre], to % sizes[post]);
                let receptor = match receptor {
                    0 => Receptor::Excitatory,
                    1 => Receptor::Inhibitory,
                    _ => Receptor::BySign,
                };
                let ends = ((PopulationId(pre), from), (PopulationId(post), to));
                let synapse = Synapse { weight, delay };
                network.connect_to_receptor(ends.0, ends.1, synapse, receptor).expect("valid");
            }
            network
        })
    }

    fn read_text(text: &str) -> Result<(Network, String), NetworkFileError> {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("network.json");
        std::fs::write(&path, text).expect("writable");
        read(&path)
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back_to_the_bit(network in network()) {
            let mut written = Vec::new();
            write(&network, "us", &mut written).expect("memory");
            let text = String::from_utf8(written).expect("UTF-8");
            let (found, unit) = read_text(&text).expect("what was written");
            prop_assert_eq!(unit, "us");
            prop_assert_eq!(found.populations(), network.populations());
            prop_assert!(found.graph().node_weights().eq(network.graph().node_weights()));
            // The engines' form has an order of its own, whatever that of the graph.
            let compiled = [&network, &found].map(CompiledNetwork::new);
            let [expected, found] = &compiled;
            let bits = |values: &[f64]| values.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
            prop_assert_eq!(bits(found.weights()), bits(expected.weights()));
            prop_assert_eq!(bits(found.delays()), bits(expected.delays()));
            prop_assert_eq!(found.targets(), expected.targets());
            for synapse in 0..expected.synapse_count() {
                prop_assert_eq!(found.is_inhibitory(synapse), expected.is_inhibitory(synapse));
            }
        }
    }

    #[test]
    fn damaged_files_are_refused_with_their_place() {
        let mut network = Network::new();
        network.add_sources("input", 2).expect("new");
        network.add_neurons("neuron", [NeuronParameters::default()]).expect("valid");
        let synapse = Synapse { weight: 0.5, delay: 0.25 };
        network.connect((PopulationId(0), 1), (PopulationId(1), 0), synapse).expect("valid");
        let mut written = Vec::new();
        write(&network, "tau_s", &mut written).expect("memory");
        let good = String::from_utf8(written).expect("UTF-8");
        read_text(&good).expect("undamaged");
        for (from, to, expected) in [
            (good.as_str(), &good[..60], "line 1 column 60"),
            ("\"threshold\"", "\"treshold\"", "unknown field `treshold`"),
            ("\"threshold\":1.0", "\"threshold\":null", "invalid type: null, expected f64"),
            ("\"tau_m\":1.0,", "", "missing field `tau_m`"),
            ("\"tau_m\":1.0", "\"tau_m\":-1.0", "populations[1]: population `neuron`: tau_m = -1"),
            (
                "\"size\":2",
                "\"size\":20000000",
                "populations[0]: size 20000000 makes 20000000 neurons",
            ),
            (
                "\"size\":1,",
                "\"size\":9999999,",
                "populations[1]: size 9999999 makes 10000001 neurons",
            ),
            ("\"pre\":\"input\"", "\"pre\":\"inptu\"", "projections[0]: there is no population"),
            ("[1,0,", "[2,0,", "projections[0].synapses[0]: population `input` has 2 neurons"),
            ("0.25", "-0.25", "delay = -0.25 must be finite and not negative"),
            ("]]}", "]],\"receptors\":[\"by_sign\",\"by_sign\"]}", "2 receptors for 1 synapses"),
        ] {
            let message = read_text(&good.replacen(from, to, 1)).expect_err(to).to_string();
            assert!(message.contains("network.json: "), "{message}");
            assert!(message.contains(expected), "{message}");
        }
    }
}
