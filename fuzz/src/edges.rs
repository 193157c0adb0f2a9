//! Synapses of other simulators: edge lists and SONATA edges.

use firstspike::network::Network;
use firstspike::network::edges::{EdgeDefaults, EdgeFile, EdgeSource, compile};
use firstspike::neuron::NeuronParameters;

use super::folder::write;

/// A table with a row per synapse.
pub fn edge_list(data: &[u8]) {
    read("edges.csv", data);
}

/// SONATA edges.
pub fn sonata_edges(data: &[u8]) {
    read("edges.h5", data);
}

/// Reads a file whose populations the scenario names, and one that names them itself.
fn read(name: &str, data: &[u8]) {
    let path = write(name, data);
    let mut nodes = Network::new();
    nodes.add_sources("input", 3).expect("new");
    nodes.add_neurons("neurons", vec![NeuronParameters::default(); 4]).expect("new");
    let named = EdgeDefaults { pre: Some(0), post: Some(1), ..EdgeDefaults::default() };
    let constant = EdgeDefaults { weight: Some(1.0), delay: Some(0.5), ..EdgeDefaults::default() };
    for defaults in [named, EdgeDefaults::default(), constant] {
        let source = EdgeSource::new(EdgeFile::new(&path), defaults, &nodes, "ms");
        let Ok(network) = compile(&nodes, &[source]) else { continue };
        assert!(network.targets().iter().all(|&target| (3..7).contains(&target)));
        assert!(network.weights().iter().all(|weight| weight.is_finite()));
        assert!(network.bundle_delays().iter().all(|&delay| delay >= 0.0));
        assert_eq!(network.outgoing(6).end, network.synapse_count());
    }
}
