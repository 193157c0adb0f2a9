//! A compiled network as JSON, written synapse by synapse: nothing of its size is made in memory.

use std::io::{self, Write};

use serde::ser::{Serialize, SerializeStruct, Serializer};

use super::super::{CompiledNetwork, Population, Receptor};
use super::{NeuronEntry, PopulationEntry, ReceptorEntry, VERSION};

/// Writes a compiled network as [`super::write()`] writes a graph, with the synapses of a pair of populations by
/// presynaptic neuron, then delay, then postsynaptic neuron.
///
/// # Errors
/// If writing fails.
pub fn write_compiled(
    network: &CompiledNetwork,
    time_unit: &str,
    output: &mut impl Write,
) -> io::Result<()> {
    serde_json::to_writer(&mut *output, &Whole { network, time_unit })?;
    writeln!(output)
}

struct Whole<'n> {
    network: &'n CompiledNetwork,
    time_unit: &'n str,
}

impl Serialize for Whole<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let populations = self.network.populations();
        let neurons = |population: &Population| {
            let distinct = self.network.distinct_parameters();
            let of_node =
                population.nodes.clone().filter_map(|node| self.network.dynamics_index(node));
            let mut neurons: Vec<NeuronEntry> =
                of_node.map(|index| NeuronEntry(distinct[index as usize])).collect();
            if neurons.iter().all(|neuron| *neuron == neurons[0]) {
                neurons.truncate(1);
            }
            let (name, size) = (population.name.clone(), population.nodes.len());
            PopulationEntry { name, size, neurons }
        };
        let pairs =
            populations.iter().flat_map(|pre| populations.iter().map(move |post| (pre, post)));
        let projections: Vec<Projection<'_>> = pairs
            .map(|(pre, post)| Projection { network: self.network, pre, post })
            .filter(|projection| projection.synapses().next().is_some())
            .collect();
        let mut file = serializer.serialize_struct("NetworkFile", 4)?;
        file.serialize_field("version", &VERSION)?;
        file.serialize_field("time_unit", self.time_unit)?;
        file.serialize_field("populations", &populations.iter().map(neurons).collect::<Vec<_>>())?;
        file.serialize_field("projections", &projections)?;
        file.end()
    }
}

/// The synapses between two populations.
#[derive(Clone, Copy)]
struct Projection<'n> {
    network: &'n CompiledNetwork,
    pre: &'n Population,
    post: &'n Population,
}

impl<'n> Projection<'n> {
    /// Presynaptic neuron, postsynaptic neuron, delay and synapse.
    fn synapses(self) -> impl Iterator<Item = (usize, usize, f64, usize)> + 'n {
        self.network.between(self.pre, self.post)
    }
}

impl Serialize for Projection<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let receptors = self.network.has_explicit_receptors();
        let fields = if receptors { 4 } else { 3 };
        let mut entry = serializer.serialize_struct("ProjectionEntry", fields)?;
        entry.serialize_field("pre", &self.pre.name)?;
        entry.serialize_field("post", &self.post.name)?;
        let synapses = || {
            self.synapses().map(|(pre, post, delay, synapse)| {
                (pre, post, self.network.weights()[synapse], delay)
            })
        };
        entry.serialize_field("synapses", &Sequence(synapses))?;
        if receptors {
            let receptors = || {
                self.synapses().map(|(.., synapse)| match self.network.receptor(synapse) {
                    Receptor::BySign => ReceptorEntry::BySign,
                    Receptor::Excitatory => ReceptorEntry::Excitatory,
                    Receptor::Inhibitory => ReceptorEntry::Inhibitory,
                })
            };
            entry.serialize_field("receptors", &Sequence(receptors))?;
        }
        entry.end()
    }
}

/// What an iterator gives, as a list.
struct Sequence<F>(F);

impl<F: Fn() -> I, I: Iterator<Item: Serialize>> Serialize for Sequence<F> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq((self.0)())
    }
}
