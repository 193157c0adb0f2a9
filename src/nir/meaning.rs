//! From a graph and a convention to a network of leaky integrate-and-fire neurons.
//!
//! Every neuron node is a population, every input of the graph a population of sources. From each of them
//! signals are followed through the linear nodes to the neurons that they reach: those are the synapses. What is
//! constant, a bias, is followed in the same way, to constant currents.

mod neurons;
mod paths;
mod stimulus;

use super::convention::{Convention, Reset};
use super::flat::Flat;
use super::model::Graph;
use crate::network::{Network, PopulationId, Synapse};
use crate::settings::TimeUnit;
use neurons::Kind;

/// Something in a graph that no network of leaky integrate-and-fire neurons can be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{node} ({kind}): {reason}; {help}")]
pub struct Refusal {
    /// The node, with the names of the graphs that it is in.
    pub node: String,
    /// Its type.
    pub kind: String,
    /// Why it cannot be.
    pub reason: String,
    /// What would help.
    pub help: String,
}

/// What a graph means.
#[derive(Clone, Debug)]
pub struct Meaning {
    /// The network: inputs are populations of sources, and neuron nodes populations of neurons.
    pub network: Network,
    /// The unit of its times.
    pub time_unit: TimeUnit,
    /// Names of the inputs, in the order of the network.
    pub inputs: Vec<String>,
    /// Names of the populations that an output of the graph shows.
    pub outputs: Vec<String>,
    /// Spikes of the sources that the file's metadata has: population, source, time.
    pub stimulus: Vec<(String, usize, f64)>,
    /// What was left out or approximated, in sentences.
    pub notes: Vec<String>,
}

/// The network that a graph means by a convention.
///
/// # Errors
/// All that is not supported, node by node.
pub fn meaning(graph: &Graph, convention: &Convention) -> Result<Meaning, Vec<Refusal>> {
    let mut refusals = Vec::new();
    let flat = Flat::new(graph, &mut refusals);
    let shapes = paths::shapes(&flat, &mut refusals);
    let mut notes = Vec::new();
    let mut populations: Vec<Option<neurons::Population>> = flat
        .nodes
        .iter()
        .zip(&shapes)
        .map(|(node, shape)| {
            neurons::population(node, shape.as_deref(), convention, &mut notes)
                .map_err(|refusal| refusals.push(refusal))
                .ok()
                .flatten()
        })
        .collect();
    paths::refuse_read_outs(&flat, &populations, &mut refusals);
    if populations.iter().flatten().all(|population| population.kind == Kind::Sources)
        && refusals.is_empty()
    {
        refusals.push(Refusal {
            node: "the graph".to_owned(),
            kind: "NIRGraph".to_owned(),
            reason: "it has no neurons that spike".to_owned(),
            help: "a CubaLIF or LIF is needed".to_owned(),
        });
    }
    if !refusals.is_empty() {
        return Err(refusals);
    }
    let found = paths::follow(&flat, &shapes, &populations)?;
    let subtracts = convention.reset == Reset::Subtract;
    if subtracts {
        let spiking = populations.iter().zip(&flat.nodes);
        let first = spiking.filter(|(population, _)| {
            population.as_ref().is_some_and(|population| population.kind != Kind::Sources)
        });
        if let Some((_, node)) = first.into_iter().next() {
            refusals.push(Refusal {
                node: node.name.clone(),
                kind: node.node.kind.clone(),
                reason: "the threshold is subtracted when it spikes, and neurons here are reset to a value"
                    .to_owned(),
                help: "--reset value takes v_reset instead, which changes what follows a neuron's first spike"
                    .to_owned(),
            });
        }
    }
    neurons::refuse_fast_chains(&flat, &populations, &found, &mut refusals);
    for (index, population) in populations.iter_mut().enumerate() {
        let Some(population) = population.as_mut().filter(|found| found.kind != Kind::Sources)
        else {
            continue;
        };
        let node = &flat.nodes[index];
        population
            .drive(node, found.constants[index].as_deref(), convention)
            .unwrap_or_else(|refusal| refusals.push(refusal));
    }
    if !refusals.is_empty() {
        return Err(refusals);
    }
    let mut meaning = Meaning {
        network: Network::new(),
        time_unit: convention.unit,
        inputs: Vec::new(),
        outputs: Vec::new(),
        stimulus: Vec::new(),
        notes,
    };
    let mut ids: Vec<Option<PopulationId>> = Vec::with_capacity(flat.nodes.len());
    for (node, population) in flat.nodes.iter().zip(&populations) {
        let added = population.as_ref().map(|population| {
            if population.kind == Kind::Sources {
                meaning.inputs.push(node.name.clone());
                match stimulus::stimulus(node, population.size, convention.scale) {
                    Ok(spikes) => meaning.stimulus.extend(spikes),
                    Err(refusal) => refusals.push(refusal),
                }
                meaning.network.add_sources(&node.name, population.size)
            } else {
                meaning.network.add_neurons(&node.name, population.neurons.iter().copied())
            }
        });
        match added.transpose() {
            Ok(id) => ids.push(id),
            Err(error) => {
                ids.push(None);
                refusals.push(Refusal {
                    node: node.name.clone(),
                    kind: node.node.kind.clone(),
                    reason: error.to_string(),
                    help: "neurons of this kind do not exist here".to_owned(),
                });
            }
        }
    }
    if !refusals.is_empty() {
        return Err(refusals);
    }
    for bundle in &found.bundles {
        let (Some(from), Some(to)) = (ids[bundle.from], ids[bundle.to]) else { continue };
        let Some(target) = &populations[bundle.to] else { continue };
        for entry in bundle.entries.iter() {
            let weight = entry.weight * target.gain[entry.to as usize];
            let synapse = Synapse { weight, delay: entry.delay * convention.scale };
            let (pre, post) = ((from, entry.from as usize), (to, entry.to as usize));
            if let Err(error) = meaning.network.connect(pre, post, synapse) {
                return Err(vec![Refusal {
                    node: flat.nodes[bundle.to].name.clone(),
                    kind: flat.nodes[bundle.to].node.kind.clone(),
                    reason: error.to_string(),
                    help: "its weights, w_in, r and time constants give this number".to_owned(),
                }]);
            }
        }
    }
    meaning.outputs = found.outputs.iter().map(|&index| flat.nodes[index].name.clone()).collect();
    meaning.notes.extend(found.notes);
    Ok(meaning)
}
