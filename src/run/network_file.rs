//! A network as JSON: populations with their neurons, and synapses by pair of populations.

use std::io::{self, Write};

use petgraph::visit::EdgeRef;
use serde::Serialize;

use crate::network::{Network, Node, Receptor};
use crate::scenario::NeuronSpec;

#[derive(Serialize)]
struct NetworkFile<'a> {
    /// The unit of all times.
    time_unit: &'a str,
    populations: Vec<PopulationEntry<'a>>,
    projections: Vec<ProjectionEntry<'a>>,
}

#[derive(Serialize)]
struct PopulationEntry<'a> {
    name: &'a str,
    size: usize,
    /// One entry per neuron, or a single one if all are equal; empty for spike sources.
    neurons: Vec<NeuronSpec<f64>>,
}

#[derive(Serialize)]
struct ProjectionEntry<'a> {
    pre: &'a str,
    post: &'a str,
    /// Presynaptic neuron, postsynaptic neuron, weight, delay.
    synapses: Vec<(usize, usize, f64, f64)>,
    /// Receptors of the same synapses, where some were chosen explicitly.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    receptors: Vec<&'static str>,
}

/// Writes a network with its present weights.
pub(super) fn write(network: &Network, time_unit: &str, output: &mut impl Write) -> io::Result<()> {
    let graph = network.graph();
    let populations = network.populations();
    let mut population_of = vec![0; graph.node_count()];
    for (index, population) in populations.iter().enumerate() {
        population_of[population.nodes.clone()].fill(index);
    }
    let mut projections = std::collections::BTreeMap::<_, (Vec<_>, Vec<_>)>::new();
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
                Receptor::BySign => "by_sign",
                Receptor::Excitatory => "excitatory",
                Receptor::Inhibitory => "inhibitory",
            });
        }
    }
    let file = NetworkFile {
        time_unit,
        populations: populations
            .iter()
            .map(|population| {
                let mut neurons: Vec<NeuronSpec<f64>> = graph
                    .node_weights()
                    .skip(population.nodes.start)
                    .take(population.nodes.len())
                    .filter_map(|node| match node {
                        Node::Source => None,
                        Node::Neuron(parameters) => Some((*parameters).into()),
                    })
                    .collect();
                if neurons.iter().all(|neuron| *neuron == neurons[0]) {
                    neurons.truncate(1);
                }
                PopulationEntry { name: &population.name, size: population.nodes.len(), neurons }
            })
            .collect(),
        projections: projections
            .into_iter()
            .map(|((pre, post), (synapses, receptors))| ProjectionEntry {
                pre: &populations[pre].name,
                post: &populations[post].name,
                synapses,
                receptors,
            })
            .collect(),
    };
    serde_json::to_writer(&mut *output, &file)?;
    writeln!(output)
}
