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
        network.connect((input, pre), (neurons, post), Synapse { weight, delay }).expect("valid");
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
    let weights: Vec<f64> = network.graph().edge_weights().map(|synapse| synapse.weight).collect();
    assert_eq!(weights, [5.0, 1.0, 2.0, 3.0]);
}

#[test]
fn rows_make_the_same_network_as_the_graph() {
    use rand::RngExt;
    let mut random = crate::random::stream(1, "rows test", 0);
    let mut network = Network::new();
    let input = network.add_sources("input", 3).expect("new");
    let neurons =
        network.add_neurons("neurons", vec![NeuronParameters::default(); 5]).expect("new");
    let nodes = network.clone();
    let mut rows = vec![Vec::new(); 8];
    for _ in 0..100 {
        let (pre, post) = (random.random_range(0..8usize), random.random_range(0..5usize));
        let delay = [0.0, 0.5, 1.0][random.random_range(0..3)];
        let synapse = Synapse { weight: random.random(), delay };
        let from = if pre < 3 { (input, pre) } else { (neurons, pre - 3) };
        network.connect(from, (neurons, post), synapse).expect("valid");
        rows[pre].push((post as u32 + 3, synapse));
    }
    let whole = CompiledNetwork::new(&network);
    let streamed =
        CompiledNetwork::from_rows(&nodes, |node, row| row.append(&mut rows[node])).expect("valid");
    assert_eq!(whole.targets(), streamed.targets());
    assert_eq!(whole.weights(), streamed.weights());
    assert_eq!(whole.delays(), streamed.delays());
    assert_eq!(whole.bundle_delays(), streamed.bundle_delays());
    for node in 0..8 {
        assert_eq!(whole.outgoing(node), streamed.outgoing(node));
        assert_eq!(whole.incoming(node), streamed.incoming(node));
        for bundle in whole.bundles(node) {
            let delay = whole.bundle_delays()[bundle];
            for synapse in whole.bundle_synapses(bundle..bundle + 1) {
                assert_eq!(whole.delays()[synapse], delay);
            }
        }
    }

    let refused = |post, weight, delay| {
        let fill = |node, row: &mut Vec<_>| {
            if node == 4 {
                row.push((post, Synapse { weight, delay }));
            }
        };
        CompiledNetwork::from_rows(&nodes, fill).expect_err("invalid").to_string()
    };
    assert_eq!(
        refused(1, 1.0, 1.0),
        "population `input` is a spike source: no synapse can end there"
    );
    assert_eq!(refused(9, 1.0, 1.0), "the network has 8 nodes: there is no node 9");
    assert_eq!(
        refused(7, 1.0, -1.0),
        "synapse neurons[1] → neurons[4]: delay = -1 must be finite and not negative"
    );
}
