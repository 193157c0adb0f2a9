//! Networks of neurons and spike sources.
//!
//! A [`Network`] is a directed graph (petgraph) whose nodes are neurons or spike sources and whose
//! edges are synapses with a weight and a delay. It is what users build, inspect and save:
//! [`Network::add_sources`], [`Network::add_neurons`] and [`Network::connect`] make any topology,
//! [`layered`] the feed-forward networks of the paper. [`CompiledNetwork`] is the same network laid
//! out for the engines, which never touch the graph; [`SynapseRows`] make it of synapses that come in any order, such as
//! those of a file (`edges`), without a graph. [`mod@file`] keeps a network as JSON.

mod compiled;
#[cfg(feature = "files")]
pub mod edges;
pub mod file;
mod graph;
mod layered;
mod layers_of_network;
mod rows;

pub(crate) use compiled::synapse_order;
pub use compiled::{CompiledNetwork, IncomingSynapse};
pub use graph::{Network, NetworkError, Node, Population, PopulationId, Receptor, Synapse};
pub use layered::{DelayKind, Layer, LayerDelays, LayerError, LayerShape, LayeredNetwork, layered};
pub use rows::{MOST_SYNAPSES, SynapseCounts, SynapseRows, SynapseSink};

/// Largest number of neurons in a group, and of inputs to one of them: far beyond what fits into
/// memory, and far below what overflows an index.
pub const LARGEST_SIZE: usize = 10_000_000;
