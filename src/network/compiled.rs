//! The network laid out for the engines: dense indices and compressed rows.

use std::ops::Range;
use std::sync::OnceLock;

use super::{Network, NetworkError, Node, Population, Receptor, Synapse};
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
/// which one spike reaches are contiguous and in the order of their arrival. The synapses of one
/// node that share a delay form a *bundle*: one spike reaches all of them at one moment. Topology,
/// delays and neurons never change; the weights may, between runs
/// ([`CompiledNetwork::weights_mut`]).
///
/// # Memory
/// A synapse takes 12 bytes (postsynaptic node and weight) and a bundle another 12, so that large
/// networks of few distinct delays stay close to 12 bytes per synapse. What only learning asks for
/// is laid out at its first use: [`Self::incoming`] takes 8 bytes per synapse, [`Self::delays`]
/// another 8.
#[derive(Clone, Debug)]
pub struct CompiledNetwork {
    populations: Vec<Population>,
    /// Each distinct neuron once.
    dynamics: Vec<Dynamics>,
    /// What they were prepared from.
    parameters: Vec<NeuronParameters>,
    /// Per node: its index in `dynamics`, or none for a source.
    dynamics_of: Vec<Option<u32>>,
    /// Per node: its first bundle; one entry more than nodes.
    row_bundles: Vec<u32>,
    /// Per bundle: its first synapse; one entry more than bundles.
    bundle_starts: Vec<u32>,
    bundle_delays: Vec<f64>,
    targets: Vec<u32>,
    weights: Vec<f64>,
    /// Per synapse: its receptor; empty if the sign of the weight chooses for all.
    receptors: Vec<Receptor>,
    incoming: OnceLock<Incoming>,
    delays: OnceLock<Vec<f64>>,
}

/// The synapses grouped by postsynaptic node.
#[derive(Clone, Debug)]
struct Incoming {
    starts: Vec<u32>,
    synapses: Vec<IncomingSynapse>,
}

impl CompiledNetwork {
    /// Lays out a network for the engines.
    pub fn new(network: &Network) -> Self {
        let graph = network.graph();
        let order = synapse_order(network);
        let mut compiled = Self::without_synapses(network, order.len());
        let mut next = order.iter().map(|&edge| &graph.raw_edges()[edge as usize]).peekable();
        for node in 0..graph.node_count() {
            while let Some(edge) = next.next_if(|edge| edge.source().index() == node) {
                compiled.push_synapse(node, edge.target().index() as u32, &edge.weight);
            }
            compiled.end_row();
        }
        if network.has_explicit_receptors() {
            compiled.receptors =
                order.iter().map(|&edge| network.receptor(edge as usize)).collect();
        }
        compiled
    }

    /// Lays out the populations of `network` with synapses that come row by row instead of from
    /// the graph, which takes several times the memory: the way to networks of millions of
    /// synapses. `fill_row` is called for every node in turn and pushes the synapses that start
    /// there, with their postsynaptic nodes, in any order. The graph's own synapses are left out.
    ///
    /// # Errors
    /// If a synapse ends on no node or on a spike source, or its weight or delay is out of range.
    pub fn from_rows(
        network: &Network,
        mut fill_row: impl FnMut(usize, &mut Vec<(u32, Synapse)>),
    ) -> Result<Self, NetworkError> {
        let mut compiled = Self::without_synapses(network, 0);
        let mut row = Vec::new();
        for node in 0..compiled.node_count() {
            row.clear();
            fill_row(node, &mut row);
            for (post, synapse) in &row {
                network.check_synapse(node, *post as usize, synapse)?;
            }
            row.sort_by(|a, b| a.1.delay.total_cmp(&b.1.delay).then(a.0.cmp(&b.0)));
            for (post, synapse) in &row {
                compiled.push_synapse(node, *post, synapse);
            }
            compiled.end_row();
        }
        compiled.targets.shrink_to_fit();
        compiled.weights.shrink_to_fit();
        compiled.bundle_starts.shrink_to_fit();
        compiled.bundle_delays.shrink_to_fit();
        Ok(compiled)
    }

    /// The nodes, and room for so many synapses.
    pub(super) fn without_synapses(network: &Network, synapses: usize) -> Self {
        let (parameters, dynamics_of) = distinct_parameters(network.graph().node_weights());
        let prepare =
            |parameters| Dynamics::new(parameters).expect("the graph holds valid neurons only");
        let dynamics = parameters.iter().map(prepare).collect();
        CompiledNetwork {
            populations: network.populations().to_vec(),
            dynamics,
            parameters,
            dynamics_of,
            row_bundles: vec![0],
            bundle_starts: vec![0],
            bundle_delays: Vec::new(),
            targets: Vec::with_capacity(synapses),
            weights: Vec::with_capacity(synapses),
            receptors: Vec::new(),
            incoming: OnceLock::new(),
            delays: OnceLock::new(),
        }
    }

    /// Appends a synapse to the row of `node`, the last so far. Rows come sorted.
    fn push_synapse(&mut self, node: usize, post: u32, synapse: &Synapse) {
        self.push_bundled(node, synapse.delay);
        self.targets.push(post);
        self.weights.push(synapse.weight);
    }

    /// Appends a synapse of this delay to the bundles of `node`; who calls keeps target and weight.
    #[inline]
    pub(super) fn push_bundled(&mut self, node: usize, delay: f64) {
        let bundles = self.bundle_delays.len();
        let in_row = bundles > self.row_bundles[node] as usize;
        let end = self.bundle_starts[bundles] + 1;
        if in_row && self.bundle_delays[bundles - 1] == delay {
            self.bundle_starts[bundles] = end;
        } else {
            self.bundle_delays.push(delay);
            self.bundle_starts.push(end);
        }
    }

    /// Takes the synapses of all rows, whose bundles are there; `receptors` may be empty.
    pub(super) fn take_synapses(
        &mut self,
        targets: Vec<u32>,
        weights: Vec<f64>,
        receptors: Vec<Receptor>,
    ) {
        debug_assert_eq!(self.bundle_starts.last(), Some(&(targets.len() as u32)));
        (self.targets, self.weights, self.receptors) = (targets, weights, receptors);
        self.bundle_starts.shrink_to_fit();
        self.bundle_delays.shrink_to_fit();
    }

    pub(super) fn end_row(&mut self) {
        self.row_bundles.push(self.bundle_delays.len() as u32);
    }

    /// Writes the present weights back to the graph this was compiled from.
    pub fn write_weights_to(&self, network: &mut Network) {
        let mut weights = vec![0.0; self.weights.len()];
        for (&edge, &weight) in synapse_order(network).iter().zip(&self.weights) {
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
    pub fn outgoing(&self, node: usize) -> Range<usize> {
        let bundles = self.bundles(node);
        self.bundle_starts[bundles.start] as usize..self.bundle_starts[bundles.end] as usize
    }

    /// The bundles of a node, by delay: groups of its synapses with one delay each.
    #[inline]
    pub fn bundles(&self, node: usize) -> Range<usize> {
        self.row_bundles[node] as usize..self.row_bundles[node + 1] as usize
    }

    /// Indices of the synapses of some consecutive bundles of one node.
    #[inline]
    pub fn bundle_synapses(&self, bundles: Range<usize>) -> Range<usize> {
        self.bundle_starts[bundles.start] as usize..self.bundle_starts[bundles.end] as usize
    }

    /// Delay of each bundle, in time units.
    #[inline]
    pub fn bundle_delays(&self) -> &[f64] {
        &self.bundle_delays
    }

    /// The synapses that end at a node, by presynaptic node. Laid out for all nodes at the first
    /// call.
    #[inline]
    pub fn incoming(&self, node: usize) -> &[IncomingSynapse] {
        let incoming = self.incoming.get_or_init(|| self.gather_incoming());
        &incoming.synapses[incoming.starts[node] as usize..incoming.starts[node + 1] as usize]
    }

    fn gather_incoming(&self) -> Incoming {
        let starts = starts(self.node_count(), self.targets.iter().copied());
        let mut next = starts.clone();
        let mut synapses = vec![IncomingSynapse { pre: 0, synapse: 0 }; self.synapse_count()];
        for pre in 0..self.node_count() {
            for index in self.outgoing(pre) {
                let slot = &mut next[self.targets[index] as usize];
                synapses[*slot as usize] =
                    IncomingSynapse { pre: pre as u32, synapse: index as u32 };
                *slot += 1;
            }
        }
        Incoming { starts, synapses }
    }

    /// Postsynaptic node of each synapse.
    pub fn targets(&self) -> &[u32] {
        &self.targets
    }

    /// Weight of each synapse.
    pub fn weights(&self) -> &[f64] {
        &self.weights
    }

    /// Whether a synapse acts through the inhibitory receptor of its neuron: as it was connected, or
    /// by the sign of its present weight.
    #[inline]
    pub fn is_inhibitory(&self, synapse: usize) -> bool {
        match self.receptors.get(synapse) {
            Some(Receptor::Excitatory) => false,
            Some(Receptor::Inhibitory) => true,
            Some(Receptor::BySign) | None => self.weights[synapse] < 0.0,
        }
    }

    /// The synapses from one of its populations to another, by presynaptic neuron: both neurons, from 0 in their
    /// populations, delay and index of the synapse.
    pub fn between<'n>(
        &'n self,
        pre: &'n Population,
        post: &'n Population,
    ) -> impl Iterator<Item = (usize, usize, f64, usize)> + 'n {
        pre.nodes.clone().flat_map(move |node| {
            self.bundles(node).flat_map(move |bundle| {
                let delay = self.bundle_delays[bundle];
                self.bundle_synapses(bundle..bundle + 1).filter_map(move |synapse| {
                    let target = self.targets[synapse] as usize;
                    let is_there = post.nodes.contains(&target);
                    is_there.then(|| {
                        (node - pre.nodes.start, target - post.nodes.start, delay, synapse)
                    })
                })
            })
        })
    }

    /// The receptor that a synapse was connected to.
    pub fn receptor(&self, synapse: usize) -> Receptor {
        self.receptors.get(synapse).copied().unwrap_or_default()
    }

    /// Whether any synapse was connected to a receptor explicitly.
    pub fn has_explicit_receptors(&self) -> bool {
        !self.receptors.is_empty()
    }

    /// Weight of each synapse, to be changed between runs.
    pub fn weights_mut(&mut self) -> &mut [f64] {
        &mut self.weights
    }

    /// Delay of each synapse, in time units. Laid out at the first call; the engines go by
    /// [`Self::bundle_delays`].
    pub fn delays(&self) -> &[f64] {
        self.delays.get_or_init(|| {
            let mut delays = Vec::with_capacity(self.synapse_count());
            for (bundle, &delay) in self.bundle_delays.iter().enumerate() {
                delays.resize(self.bundle_starts[bundle + 1] as usize, delay);
            }
            delays
        })
    }
}

/// The edges of the graph in the order of the synapses of its compiled form.
pub(crate) fn synapse_order(network: &Network) -> Vec<u32> {
    let edges = network.graph().raw_edges();
    let mut order: Vec<u32> = (0..edges.len() as u32).collect();
    order.sort_by(|&a, &b| {
        let (a, b) = (&edges[a as usize], &edges[b as usize]);
        a.source()
            .cmp(&b.source())
            .then(a.weight.delay.total_cmp(&b.weight.delay))
            .then(a.target().cmp(&b.target()))
    });
    order
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
mod tests;
