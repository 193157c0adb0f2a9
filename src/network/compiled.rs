//! The network laid out for the engines: dense indices and compressed rows.

use petgraph::visit::EdgeRef;

use super::{Network, Node, Population};
use crate::neuron::{Dynamics, NeuronParameters};

/// A synapse seen from its postsynaptic neuron.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IncomingSynapse {
    /// Presynaptic node.
    pub pre: u32,
    /// Index of the synapse in [`CompiledNetwork::weights`].
    pub synapse: u32,
}

/// A network in the form the engines run on.
///
/// Synapses are numbered by presynaptic node, then delay, then postsynaptic node, so that those
/// which one spike reaches are contiguous and in the order of their arrival. Topology, delays and
/// neurons never change; the weights may, between runs ([`CompiledNetwork::weights_mut`]).
#[derive(Clone, Debug)]
pub struct CompiledNetwork {
    populations: Vec<Population>,
    /// Each distinct neuron once.
    dynamics: Vec<Dynamics>,
    /// What they were prepared from.
    parameters: Vec<NeuronParameters>,
    /// Per node: its index in `dynamics`, or none for a source.
    dynamics_of: Vec<Option<u32>>,
    row_starts: Vec<u32>,
    targets: Vec<u32>,
    weights: Vec<f64>,
    delays: Vec<f64>,
    incoming_starts: Vec<u32>,
    incoming: Vec<IncomingSynapse>,
    /// Per synapse: the index of its edge in the graph.
    edges: Vec<u32>,
}

impl CompiledNetwork {
    /// Lays out a network for the engines.
    pub fn new(network: &Network) -> Self {
        let graph = network.graph();
        let (parameters, dynamics_of) = distinct_parameters(graph.node_weights());
        let prepare =
            |parameters| Dynamics::new(parameters).expect("the graph holds valid neurons only");
        let dynamics = parameters.iter().map(prepare).collect();

        let mut synapses: Vec<_> = graph
            .edge_references()
            .map(|edge| {
                let (pre, post) = (edge.source().index() as u32, edge.target().index() as u32);
                (pre, *edge.weight(), post, edge.id().index() as u32)
            })
            .collect();
        synapses.sort_by(|a, b| {
            a.0.cmp(&b.0)
                .then(a.1.delay.total_cmp(&b.1.delay))
                .then(a.2.cmp(&b.2))
                .then(a.3.cmp(&b.3))
        });

        let nodes = graph.node_count();
        let row_starts = starts(nodes, synapses.iter().map(|synapse| synapse.0));
        let incoming_starts = starts(nodes, synapses.iter().map(|synapse| synapse.2));
        let mut next = incoming_starts.clone();
        let mut incoming = vec![IncomingSynapse { pre: 0, synapse: 0 }; synapses.len()];
        for (index, &(pre, _, post, _)) in synapses.iter().enumerate() {
            let slot = &mut next[post as usize];
            incoming[*slot as usize] = IncomingSynapse { pre, synapse: index as u32 };
            *slot += 1;
        }
        CompiledNetwork {
            populations: network.populations().to_vec(),
            dynamics,
            parameters,
            dynamics_of,
            row_starts,
            targets: synapses.iter().map(|synapse| synapse.2).collect(),
            weights: synapses.iter().map(|synapse| synapse.1.weight).collect(),
            delays: synapses.iter().map(|synapse| synapse.1.delay).collect(),
            incoming_starts,
            incoming,
            edges: synapses.iter().map(|synapse| synapse.3).collect(),
        }
    }

    /// Writes the present weights back to the graph this was compiled from.
    pub fn write_weights_to(&self, network: &mut Network) {
        let mut weights = vec![0.0; self.weights.len()];
        for (&edge, &weight) in self.edges.iter().zip(&self.weights) {
            weights[edge as usize] = weight;
        }
        network.set_weights(weights);
    }

    /// Number of nodes, sources and neurons.
    pub fn node_count(&self) -> usize {
        self.dynamics_of.len()
    }

    /// Number of synapses.
    pub fn synapse_count(&self) -> usize {
        self.weights.len()
    }

    /// The populations, in order.
    pub fn populations(&self) -> &[Population] {
        &self.populations
    }

    /// The neuron at a node; none for a source.
    #[inline]
    pub fn dynamics(&self, node: usize) -> Option<&Dynamics> {
        self.dynamics_of[node].map(|index| &self.dynamics[index as usize])
    }

    /// Each distinct neuron once.
    pub fn distinct_dynamics(&self) -> &[Dynamics] {
        &self.dynamics
    }

    /// The parameters of each distinct neuron, in the same order.
    pub fn distinct_parameters(&self) -> &[NeuronParameters] {
        &self.parameters
    }

    /// Index of a node's neuron in [`Self::distinct_dynamics`]; none for a source.
    #[inline]
    pub fn dynamics_index(&self, node: usize) -> Option<u32> {
        self.dynamics_of[node]
    }

    /// Indices of the synapses that start at a node, by delay.
    #[inline]
    pub fn outgoing(&self, node: usize) -> std::ops::Range<usize> {
        self.row_starts[node] as usize..self.row_starts[node + 1] as usize
    }

    /// The synapses that end at a node, by presynaptic node.
    #[inline]
    pub fn incoming(&self, node: usize) -> &[IncomingSynapse] {
        let range = self.incoming_starts[node] as usize..self.incoming_starts[node + 1] as usize;
        &self.incoming[range]
    }

    /// Postsynaptic node of each synapse.
    pub fn targets(&self) -> &[u32] {
        &self.targets
    }

    /// Weight of each synapse.
    pub fn weights(&self) -> &[f64] {
        &self.weights
    }

    /// Weight of each synapse, to be changed between runs.
    pub fn weights_mut(&mut self) -> &mut [f64] {
        &mut self.weights
    }

    /// Index in the graph of the edge that a synapse was compiled from.
    pub fn edge(&self, synapse: usize) -> usize {
        self.edges[synapse] as usize
    }

    /// Delay of each synapse, in time units.
    pub fn delays(&self) -> &[f64] {
        &self.delays
    }
}

/// The parameters of each distinct neuron once, and for each node which one it is.
fn distinct_parameters<'a>(
    nodes: impl Iterator<Item = &'a Node>,
) -> (Vec<NeuronParameters>, Vec<Option<u32>>) {
    let mut distinct = Vec::new();
    let mut known = std::collections::HashMap::new();
    let indices = nodes
        .map(|node| match node {
            Node::Source => None,
            Node::Neuron(parameters) => Some(*known.entry(bits(parameters)).or_insert_with(|| {
                distinct.push(*parameters);
                distinct.len() as u32 - 1
            })),
        })
        .collect();
    (distinct, indices)
}

/// The parameters as a key: equal bits, equal neurons.
fn bits(parameters: &NeuronParameters) -> [u64; 12] {
    [
        parameters.tau_m,
        parameters.tau_s,
        parameters.capacitance,
        parameters.leak_potential,
        parameters.reset_potential,
        parameters.threshold,
        parameters.refractory_period,
        parameters.bias_current,
        parameters.tau_s_inhibitory,
        parameters.initial_potential,
        parameters.initial_current,
        parameters.initial_inhibitory_current,
    ]
    .map(f64::to_bits)
}

/// Where each row starts if items are grouped by row; one entry more than rows.
fn starts(rows: usize, items: impl Iterator<Item = u32>) -> Vec<u32> {
    let mut starts = vec![0; rows + 1];
    for row in items {
        starts[row as usize + 1] += 1;
    }
    for row in 0..rows {
        starts[row + 1] += starts[row];
    }
    starts
}

#[cfg(test)]
mod tests {
    use super::super::{Network, Synapse};
    use super::*;

    #[test]
    fn rows_are_sorted_by_delay_and_weights_find_their_way_back() {
        let mut network = Network::new();
        let input = network.add_sources("input", 2).expect("new");
        let neurons =
            network.add_neurons("neurons", vec![NeuronParameters::default(); 3]).expect("new");
        let synapses = [(1, 2, 0.5, 0.0), (0, 1, 0.1, 2.0), (0, 0, 0.2, 2.0), (0, 2, 0.3, 1.0)];
        for (pre, post, weight, delay) in synapses {
            network
                .connect((input, pre), (neurons, post), Synapse { weight, delay })
                .expect("valid");
        }
        let mut compiled = CompiledNetwork::new(&network);
        assert_eq!(compiled.outgoing(0), 0..3);
        assert_eq!(compiled.targets(), [4, 2, 3, 4]);
        assert_eq!(compiled.weights(), [0.3, 0.2, 0.1, 0.5]);
        assert_eq!(compiled.delays(), [1.0, 2.0, 2.0, 0.0]);
        assert_eq!(compiled.distinct_dynamics().len(), 1);
        assert_eq!(
            compiled.incoming(4),
            [IncomingSynapse { pre: 0, synapse: 0 }, IncomingSynapse { pre: 1, synapse: 3 }]
        );

        compiled.weights_mut().iter_mut().for_each(|weight| *weight *= 10.0);
        compiled.write_weights_to(&mut network);
        let weights: Vec<f64> =
            network.graph().edge_weights().map(|synapse| synapse.weight).collect();
        assert_eq!(weights, [5.0, 1.0, 2.0, 3.0]);
    }
}
