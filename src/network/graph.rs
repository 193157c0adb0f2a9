//! The network as a graph: what users build and inspect.

use std::collections::BTreeMap;
use std::ops::Range;

use petgraph::graph::{DiGraph, NodeIndex};
use serde::{Deserialize, Serialize};

use crate::neuron::{NeuronParameters, ParameterError};
use crate::settings::MOST;

/// The largest size of a weight: a hundred million of them still have a finite sum.
const MOST_WEIGHT: f64 = 1e300;

/// A node of the network.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Node {
    /// Emits the spikes that a stimulus prescribes.
    Source,
    /// A neuron.
    Neuron(NeuronParameters),
}

/// A synapse: an edge from the presynaptic to the postsynaptic node.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Synapse {
    /// Jump of the postsynaptic current when a spike arrives. From -1e300 to 1e300.
    pub weight: f64,
    /// Time from the presynaptic spike to its arrival, in time units. From 0 to 1e100.
    pub delay: f64,
}

impl Synapse {
    /// Whether weight or delay is out of range: which, its value, and what is accepted.
    #[inline]
    pub(crate) fn out_of_range(&self) -> Option<(&'static str, f64, &'static str)> {
        let Synapse { weight, delay } = *self;
        if weight.abs() <= MOST_WEIGHT && (0.0..=MOST).contains(&delay) {
            return None;
        }
        Some(if !weight.is_finite() {
            ("weight", weight, "finite")
        } else if weight.abs() > MOST_WEIGHT {
            ("weight", weight, "from -1e300 to 1e300")
        } else if !(delay >= 0.0 && delay.is_finite()) {
            ("delay", delay, "finite and not negative")
        } else {
            ("delay", delay, "at most 1e100")
        })
    }
}

/// Which of a neuron's two synaptic inputs a synapse ends on; it matters where they have different
/// time constants.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Receptor {
    /// The excitatory one if the weight is not negative, else the inhibitory one.
    #[default]
    BySign,
    /// The excitatory one, whatever the weight.
    Excitatory,
    /// The inhibitory one, whatever the weight.
    Inhibitory,
}

/// A named group of nodes with consecutive indices.
#[derive(Clone, Debug, PartialEq)]
pub struct Population {
    /// Name, unique in the network; the `population` column of traces.
    pub name: String,
    /// Indices of the nodes.
    pub nodes: Range<usize>,
}

/// Handle of a population, in the order in which populations were added.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PopulationId(pub usize);

/// A network that cannot be.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum NetworkError {
    /// Two populations of one name.
    #[error("population `{0}` exists twice: names must be unique")]
    DuplicatePopulation(String),
    /// A population without nodes.
    #[error("population `{0}` is empty: it must have at least one neuron")]
    EmptyPopulation(String),
    /// A neuron's parameter is out of range.
    #[error("population `{population}`: {source}")]
    Parameter {
        /// Name of the population.
        population: String,
        /// Which parameter, and what is accepted.
        source: ParameterError,
    },
    /// A synapse ends beyond the network.
    #[error("the network has {size} nodes: there is no node {node}")]
    NoSuchNode {
        /// How many nodes there are.
        size: usize,
        /// The index that was asked for.
        node: usize,
    },
    /// A synapse starts or ends beyond its population.
    #[error("population `{population}` has {size} neurons: there is no neuron {neuron}")]
    NoSuchNeuron {
        /// Name of the population.
        population: String,
        /// How many neurons it has.
        size: usize,
        /// The index that was asked for.
        neuron: usize,
    },
    /// A synapse ends on a spike source.
    #[error("population `{0}` is a spike source: no synapse can end there")]
    SourceAsTarget(String),
    /// A weight or delay is out of range.
    #[error(
        "synapse {pre}[{pre_neuron}] → {post}[{post_neuron}]: {what} = {} must be {accepted}",
        if value.abs() > MOST { format!("{value:e}") } else { value.to_string() }
    )]
    Synapse {
        /// Presynaptic population.
        pre: String,
        /// Index in it.
        pre_neuron: usize,
        /// Postsynaptic population.
        post: String,
        /// Index in it.
        post_neuron: usize,
        /// `weight` or `delay`.
        what: &'static str,
        /// The value that was refused.
        value: f64,
        /// What is accepted.
        accepted: &'static str,
    },
    /// More synapses than are read.
    #[error("there are more than 100000000 synapses: at most so many are read")]
    TooManySynapses,
    /// Synapses changed between being counted and being read.
    #[error(
        "the synapses are not those that were counted: the file changed while it was read; read it again"
    )]
    OtherSynapses,
}

/// A network of neurons and spike sources.
#[derive(Clone, Debug, Default)]
pub struct Network {
    graph: DiGraph<Node, Synapse>,
    populations: Vec<Population>,
    /// Receptors that were chosen explicitly, by edge.
    receptors: BTreeMap<usize, Receptor>,
}

impl Network {
    /// A network without nodes.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a population of `size` spike sources.
    ///
    /// # Errors
    /// If the name is taken or the population empty.
    pub fn add_sources(&mut self, name: &str, size: usize) -> Result<PopulationId, NetworkError> {
        self.add_population(name, std::iter::repeat_n(Node::Source, size))
    }

    /// Adds a population of neurons, one per item of `parameters`.
    ///
    /// # Errors
    /// If the name is taken, the population empty, or a parameter out of range.
    pub fn add_neurons(
        &mut self,
        name: &str,
        parameters: impl IntoIterator<Item = NeuronParameters>,
    ) -> Result<PopulationId, NetworkError> {
        let nodes: Vec<Node> = parameters
            .into_iter()
            .map(|parameters| {
                parameters.validate()?;
                Ok(Node::Neuron(parameters))
            })
            .collect::<Result<_, ParameterError>>()
            .map_err(|source| NetworkError::Parameter { population: name.to_owned(), source })?;
        self.add_population(name, nodes)
    }

    fn add_population(
        &mut self,
        name: &str,
        nodes: impl IntoIterator<Item = Node>,
    ) -> Result<PopulationId, NetworkError> {
        if self.population(name).is_some() {
            return Err(NetworkError::DuplicatePopulation(name.to_owned()));
        }
        let first = self.graph.node_count();
        for node in nodes {
            self.graph.add_node(node);
        }
        let nodes = first..self.graph.node_count();
        if nodes.is_empty() {
            return Err(NetworkError::EmptyPopulation(name.to_owned()));
        }
        self.populations.push(Population { name: name.to_owned(), nodes });
        Ok(PopulationId(self.populations.len() - 1))
    }

    /// As [`Self::connect`], with the receptor that the synapse ends on.
    ///
    /// # Errors
    /// As [`Self::connect`].
    pub fn connect_to_receptor(
        &mut self,
        pre: (PopulationId, usize),
        post: (PopulationId, usize),
        synapse: Synapse,
        receptor: Receptor,
    ) -> Result<(), NetworkError> {
        let edge = self.graph.edge_count();
        self.connect(pre, post, synapse)?;
        if receptor != Receptor::BySign {
            self.receptors.insert(edge, receptor);
        }
        Ok(())
    }

    /// The receptor of an edge of the graph.
    pub fn receptor(&self, edge: usize) -> Receptor {
        self.receptors.get(&edge).copied().unwrap_or_default()
    }

    /// Whether any synapse was connected to a receptor explicitly.
    pub fn has_explicit_receptors(&self) -> bool {
        !self.receptors.is_empty()
    }

    /// Adds a synapse from neuron `pre_neuron` of `pre` to neuron `post_neuron` of `post`.
    ///
    /// Several synapses between the same two neurons are allowed.
    ///
    /// # Errors
    /// If a neuron does not exist, the target is a spike source, or weight or delay is out of range.
    pub fn connect(
        &mut self,
        (pre, pre_neuron): (PopulationId, usize),
        (post, post_neuron): (PopulationId, usize),
        synapse: Synapse,
    ) -> Result<(), NetworkError> {
        let pre_node = self.node_index(pre, pre_neuron)?;
        let post_node = self.node_index(post, post_neuron)?;
        self.connect_nodes(pre_node.index(), post_node.index(), synapse, Receptor::BySign)
    }

    /// As [`Self::connect_to_receptor`], by indices of nodes.
    pub(super) fn connect_nodes(
        &mut self,
        pre: usize,
        post: usize,
        synapse: Synapse,
        receptor: Receptor,
    ) -> Result<(), NetworkError> {
        self.check_synapse(pre, post, &synapse)?;
        let edge = self.graph.add_edge(NodeIndex::new(pre), NodeIndex::new(post), synapse);
        if receptor != Receptor::BySign {
            self.receptors.insert(edge.index(), receptor);
        }
        Ok(())
    }

    /// Whether there may be such a synapse between two neurons of populations.
    #[cfg(feature = "scenario")]
    pub(crate) fn check_ends(
        &self,
        (pre, pre_neuron): (PopulationId, usize),
        (post, post_neuron): (PopulationId, usize),
        synapse: &Synapse,
    ) -> Result<(), NetworkError> {
        let pre = self.node_index(pre, pre_neuron)?;
        let post = self.node_index(post, post_neuron)?;
        self.check_synapse(pre.index(), post.index(), synapse)
    }

    /// Whether there may be such a synapse between two nodes.
    pub(crate) fn check_synapse(
        &self,
        pre_node: usize,
        post_node: usize,
        synapse: &Synapse,
    ) -> Result<(), NetworkError> {
        match self.graph.node_weight(NodeIndex::new(post_node)) {
            Some(Node::Neuron(_)) => {}
            Some(Node::Source) => {
                let (post, _) = self.name_of(post_node);
                return Err(NetworkError::SourceAsTarget(post));
            }
            None => {
                let size = self.graph.node_count();
                return Err(NetworkError::NoSuchNode { size, node: post_node });
            }
        }
        let refuse = |what, value, accepted| {
            let ((pre, pre_neuron), (post, post_neuron)) =
                (self.name_of(pre_node), self.name_of(post_node));
            Err(NetworkError::Synapse { pre, pre_neuron, post, post_neuron, what, value, accepted })
        };
        match synapse.out_of_range() {
            Some((what, value, accepted)) => refuse(what, value, accepted),
            None => Ok(()),
        }
    }

    /// The population of a node, and the node's index in it.
    fn name_of(&self, node: usize) -> (String, usize) {
        let found = self.populations.iter().find(|population| population.nodes.contains(&node));
        found.map_or((String::new(), node), |population| {
            (population.name.clone(), node - population.nodes.start)
        })
    }

    fn node_index(&self, id: PopulationId, neuron: usize) -> Result<NodeIndex, NetworkError> {
        let population = &self.populations[id.0];
        if neuron >= population.nodes.len() {
            return Err(NetworkError::NoSuchNeuron {
                population: population.name.clone(),
                size: population.nodes.len(),
                neuron,
            });
        }
        Ok(NodeIndex::new(population.nodes.start + neuron))
    }

    /// The populations in the order in which they were added.
    pub fn populations(&self) -> &[Population] {
        &self.populations
    }

    /// The population of this name, and its handle.
    pub fn population(&self, name: &str) -> Option<(PopulationId, &Population)> {
        self.populations
            .iter()
            .enumerate()
            .find(|(_, population)| population.name == name)
            .map(|(index, population)| (PopulationId(index), population))
    }

    /// The graph itself, for analysis with petgraph. Node indices are those of
    /// [`Population::nodes`].
    pub fn graph(&self) -> &DiGraph<Node, Synapse> {
        &self.graph
    }

    /// Replaces the delay of every synapse, in the order of the graph's edges. Delays are finite
    /// and not negative.
    pub(crate) fn set_delays(&mut self, delays: impl IntoIterator<Item = f64>) {
        for (synapse, delay) in self.graph.edge_weights_mut().zip(delays) {
            synapse.delay = delay;
        }
    }

    /// Changes the parameters of every neuron, in the order of the nodes, within their ranges.
    pub(crate) fn change_neurons(&mut self, mut change: impl FnMut(&mut NeuronParameters)) {
        for node in self.graph.node_weights_mut() {
            if let Node::Neuron(parameters) = node {
                change(parameters);
            }
        }
    }

    /// Replaces the weight of every synapse, in the order of the graph's edges.
    pub(crate) fn set_weights(&mut self, weights: impl IntoIterator<Item = f64>) {
        for (synapse, weight) in self.graph.edge_weights_mut().zip(weights) {
            synapse.weight = weight;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn impossible_networks_are_refused() {
        let mut network = Network::new();
        let input = network.add_sources("input", 2).expect("new");
        let neuron = network.add_neurons("neuron", [NeuronParameters::default()]).expect("new");
        let synapse = Synapse { weight: 1.0, delay: 0.5 };

        assert_eq!(network.connect((input, 1), (neuron, 0), synapse), Ok(()));
        let refused = [
            network.add_sources("input", 1).expect_err("taken"),
            network.add_sources("none", 0).expect_err("empty"),
            network.connect((input, 2), (neuron, 0), synapse).expect_err("beyond"),
            network.connect((neuron, 0), (input, 0), synapse).expect_err("source"),
            network
                .connect((input, 0), (neuron, 0), Synapse { weight: f64::NAN, ..synapse })
                .expect_err("weight"),
            network
                .connect((input, 0), (neuron, 0), Synapse { delay: -0.1, ..synapse })
                .expect_err("delay"),
            network
                .connect((input, 0), (neuron, 0), Synapse { weight: 1e308, ..synapse })
                .expect_err("two of these would be infinite"),
        ]
        .map(|error| error.to_string());
        assert_eq!(
            refused,
            [
                "population `input` exists twice: names must be unique",
                "population `none` is empty: it must have at least one neuron",
                "population `input` has 2 neurons: there is no neuron 2",
                "population `input` is a spike source: no synapse can end there",
                "synapse input[0] → neuron[0]: weight = NaN must be finite",
                "synapse input[0] → neuron[0]: delay = -0.1 must be finite and not negative",
                "synapse input[0] → neuron[0]: weight = 1e308 must be from -1e300 to 1e300",
            ]
        );
        assert_eq!(network.graph().edge_count(), 1);
    }
}
