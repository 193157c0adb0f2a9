//! From a network to a graph, in the terms of any dialect.
//!
//! The fields are those that the dialect's program reads. Beside them the strict dialect has metadata with all that
//! NIR has no field for, and with the conventions: so what is written is read back to the bit.

mod neurons;
mod synapses;

use std::collections::BTreeMap;

use super::convention::Dialect;
use super::model::{Field, Graph, Node, Tensor};
use crate::network::CompiledNetwork;
use crate::settings::TimeUnit;

/// Numbers of all matrices, at most: 800 MB.
const MOST_NUMBERS: usize = 100_000_000;

/// The spikes of a population of sources.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SourceTrains {
    /// Name of the population.
    pub population: String,
    /// Source and time of each spike.
    pub spikes: Vec<(usize, f64)>,
}

/// A network that a file of the dialect cannot be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("population `{population}`: {reason}; {help}")]
pub struct ExportError {
    /// The population.
    pub population: String,
    /// Why not.
    pub reason: String,
    /// What would help.
    pub help: String,
}

/// The graph of a network whose times are in this unit, and what to say about it. `step` is the length of the
/// dialect's steps, if it is not the usual one.
///
/// # Errors
/// If the dialect has no such neurons, or the matrices would be too large.
pub fn export(
    network: &CompiledNetwork,
    unit: TimeUnit,
    dialect: Dialect,
    step: Option<f64>,
    trains: &[SourceTrains],
) -> Result<(Graph, Vec<String>), ExportError> {
    let mut notes = Vec::new();
    let terms = neurons::Terms::new(unit, dialect, step, &mut notes);
    let names = names(network);
    let mut graph = Graph { version: Some("1.0.8".to_owned()), ..Graph::default() };
    let mut scales = Vec::new();
    for (population, name) in network.populations().iter().zip(&names) {
        let of_node =
            |node| Some(network.distinct_parameters()[network.dynamics_index(node)? as usize]);
        let parameters: Vec<_> = population.nodes.clone().filter_map(of_node).collect();
        if parameters.is_empty() {
            let mut node =
                Node::new("Input", [("shape", Tensor::integers(&[population.nodes.len()]))]);
            if let Some(trains) = trains.iter().find(|trains| trains.population == population.name)
            {
                let times = trains.spikes.iter().map(|spike| spike.1 * terms.ratio).collect();
                let sources: Vec<usize> = trains.spikes.iter().map(|spike| spike.0).collect();
                let noted = |value| Field::Numbers(value);
                node.metadata.insert("firstspike_times".to_owned(), noted(Tensor::vector(times)));
                node.metadata
                    .insert("firstspike_sources".to_owned(), noted(Tensor::integers(&sources)));
            }
            graph.nodes.insert(name.clone(), node);
            scales.push(Vec::new());
            continue;
        }
        let (node, scale) = terms.node(&population.name, &parameters, &mut notes)?;
        graph.nodes.insert(name.clone(), node);
        scales.push(scale);
    }
    synapses::add(&mut graph, network, &names, &scales, &terms, &mut notes)?;
    outputs(&mut graph, network, &names);
    if dialect == Dialect::Strict {
        let text = |text: &str| Field::Text(text.to_owned());
        graph.metadata = BTreeMap::from([
            ("generator".to_owned(), text(concat!("firstspike ", env!("CARGO_PKG_VERSION")))),
            ("time_unit".to_owned(), text(unit.suffix())),
            ("current_jump".to_owned(), text("w_in*weight/tau_syn")),
            ("reset".to_owned(), text("v_reset")),
            ("firstspike_order".to_owned(), text(&names.join("\n"))),
        ]);
    }
    Ok((graph, notes))
}

/// An output for every population of neurons without synapses to others; for all if there is none.
fn outputs(graph: &mut Graph, network: &CompiledNetwork, names: &[String]) {
    let is_neurons = |index: &usize| {
        let first = network.populations()[*index].nodes.start;
        network.dynamics_index(first).is_some()
    };
    let leads_on = |index: usize| {
        let own = network.populations()[index].nodes.clone();
        let mut targets = own.clone().flat_map(|node| &network.targets()[network.outgoing(node)]);
        targets.any(|&target| !own.contains(&(target as usize)))
    };
    let neurons: Vec<usize> = (0..names.len()).filter(is_neurons).collect();
    let last: Vec<usize> = neurons.iter().copied().filter(|&index| !leads_on(index)).collect();
    let shown = if last.is_empty() { neurons } else { last };
    for &index in &shown {
        let wanted =
            if shown.len() == 1 { "output".to_owned() } else { format!("output_{}", names[index]) };
        let name = unused(graph, &wanted);
        let size = network.populations()[index].nodes.len();
        graph
            .nodes
            .insert(name.clone(), Node::new("Output", [("shape", Tensor::integers(&[size]))]));
        graph.edges.push((names[index].clone(), name));
    }
}

/// A name that no node has.
fn unused(graph: &Graph, wanted: &str) -> String {
    let mut name = wanted.to_owned();
    let mut number = 1;
    while graph.nodes.contains_key(&name) {
        number += 1;
        name = format!("{wanted}_{number}");
    }
    name
}

/// Names of populations as names of nodes: HDF5 has `/` between groups.
fn names(network: &CompiledNetwork) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for (index, population) in network.populations().iter().enumerate() {
        let mut name = population.name.replace('/', "_");
        if name.is_empty() || name == "." || names.contains(&name) {
            name = format!("{name}_{index}");
        }
        names.push(name);
    }
    names
}
