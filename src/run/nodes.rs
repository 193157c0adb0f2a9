//! The nodes of a network in the user's terms: populations, and neurons in them.

use super::trace_spikes::Misfit;
use crate::network::Population;

/// The population of each node, and the node's index in it.
pub(super) fn places(populations: &[Population]) -> Vec<(u32, u32)> {
    let nodes = populations.iter().map(|population| population.nodes.end).max().unwrap_or(0);
    let mut places = vec![(0, 0); nodes];
    for (index, population) in populations.iter().enumerate() {
        let own = &mut places[population.nodes.clone()];
        for (place, neuron) in own.iter_mut().zip(0..) {
            *place = (index as u32, neuron);
        }
    }
    places
}

/// A node's population and its index there; none if it belongs to no population.
pub(super) fn find(node: usize, populations: &[Population]) -> Option<(&Population, usize)> {
    let found = populations.iter().find(|population| population.nodes.contains(&node))?;
    Some((found, node - found.nodes.start))
}

/// A node as `hidden[3]`.
pub(super) fn name(node: usize, populations: &[Population]) -> String {
    let found = find(node, populations);
    found.map_or_else(String::new, |(population, neuron)| format!("{}[{neuron}]", population.name))
}

/// The node of a neuron that is named by its population and its index there.
pub(super) fn of_name(
    name: &str,
    neuron: usize,
    populations: &[Population],
) -> Result<usize, Misfit> {
    let Some(population) = populations.iter().find(|known| known.name == name) else {
        let known: Vec<&str> = populations.iter().map(|known| known.name.as_str()).collect();
        return Err(Misfit::Population { name: name.to_owned(), known: known.join(", ") });
    };
    let size = population.nodes.len();
    if neuron >= size {
        let last = size.saturating_sub(1);
        return Err(Misfit::Neuron { population: name.to_owned(), neuron, last });
    }
    Ok(population.nodes.start + neuron)
}
