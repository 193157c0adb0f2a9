use super::*;
use crate::network::{CompiledNetwork, Node as NetworkNode};

mod mistakes;

fn vector(values: &[f64]) -> Tensor {
    Tensor::vector(values.to_vec())
}

fn matrix(rows: usize, values: &[f64]) -> Tensor {
    let shape = vec![rows, values.len() / rows];
    Tensor { shape, values: values.to_vec(), whole: false }
}

fn cuba(count: usize) -> Node {
    let all = |value: f64| vector(&vec![value; count]);
    Node::new(
        "CubaLIF",
        [
            ("tau_mem", all(0.01)),
            ("tau_syn", all(0.005)),
            ("r", all(2.0)),
            ("w_in", all(3.0)),
            ("v_leak", all(0.0)),
            ("v_reset", all(0.0)),
            ("v_threshold", all(1.0)),
        ],
    )
}

fn graph(nodes: Vec<(&str, Node)>, edges: &[(&str, &str)]) -> Graph {
    Graph {
        nodes: nodes.into_iter().map(|(name, node)| (name.to_owned(), node)).collect(),
        edges: edges.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect(),
        ..Graph::default()
    }
}

fn input(shape: &[usize]) -> Node {
    Node::new("Input", [("shape", Tensor::integers(shape))])
}

/// The synapses of what a graph means: from, to, weight, delay.
fn synapses(meaning: &Meaning) -> Vec<(usize, usize, f64, f64)> {
    let edges = meaning.network.graph().raw_edges().iter();
    let mut synapses: Vec<_> = edges
        .map(|edge| {
            let ends = (edge.source().index(), edge.target().index());
            (ends.0, ends.1, edge.weight.weight, edge.weight.delay)
        })
        .collect();
    synapses.sort_by_key(|synapse| (synapse.0, synapse.1));
    synapses
}

#[test]
fn every_dialect_has_its_jump_unit_and_resistance() {
    let weight = matrix(1, &[4.0]);
    let edges = [("input", "w"), ("w", "lif"), ("lif", "output")];
    let nodes = |lif: Node| {
        let output = Node::new("Output", [("shape", Tensor::integers(&[1]))]);
        graph(
            vec![
                ("input", input(&[1])),
                ("w", Node::new("Linear", [("weight", weight.clone())])),
                ("lif", lif),
                ("output", output),
            ],
            &edges,
        )
    };
    let written = nodes(cuba(1));
    let ones = {
        let mut lif = cuba(1);
        lif.fields.insert("r".to_owned(), Field::Numbers(vector(&[1.0])));
        lif.fields.insert("w_in".to_owned(), Field::Numbers(vector(&[1.0])));
        nodes(lif)
    };
    // The weight, the membrane time constant, the capacitance.
    for (dialect, graph, weight, tau_m, capacitance) in [
        (Dialect::Strict, &written, 4.0 * 3.0 / 0.005, 0.01, 0.005),
        (Dialect::Snntorch, &written, 4.0 * 3.0 * (1e-4 / 0.005), 0.01, 0.005),
        (Dialect::Norse, &written, 4.0 * 3.0 * (1e-3 / 0.005), 0.01, 0.005),
        (Dialect::NorseLifCell, &ones, 4.0, 10.0, 10.0),
        (Dialect::Jaxsnn, &ones, 4.0, 0.01, 0.01),
        (Dialect::Hxtorch, &ones, 4.0, 0.01, 0.01),
        (Dialect::Rockpool, &written, 4.0, 0.01, 0.005),
        (Dialect::Spyx, &written, 4.0, 0.01, 1.0),
    ] {
        let mut convention = dialect.convention(None);
        let subtracts = convention.reset == Reset::Subtract;
        assert_eq!(meaning(graph, &convention).is_err(), subtracts, "{dialect:?}");
        convention.reset = Reset::ToValue;
        let meant = meaning(graph, &convention).expect("meant");
        let found = synapses(&meant);
        assert!((found[0].2 / weight - 1.0).abs() < 1e-15, "{dialect:?}: {found:?}");
        let NetworkNode::Neuron(neuron) = meant.network.graph().raw_nodes()[1].weight else {
            panic!("a neuron");
        };
        assert!((neuron.tau_m / tau_m - 1.0).abs() < 1e-15, "{dialect:?}: {neuron:?}");
        assert!((neuron.capacitance / capacitance - 1.0).abs() < 1e-15, "{dialect:?}: {neuron:?}");
    }
    let refused = meaning(&written, &Dialect::Jaxsnn.convention(None)).expect_err("r is 2");
    assert!(refused[0].to_string().contains("lif (CubaLIF): neuron 0: r = 2 and w_in = 3"));
}

#[test]
fn convolutions_pools_scales_and_delays_become_synapses() {
    // A row of 4 pixels, a kernel of 2, and pairs of what comes out.
    let kernel = Tensor { shape: vec![1, 1, 2], values: vec![1.0, -2.0], whole: false };
    let conv = Node::new(
        "Conv1d",
        [
            ("weight", kernel),
            ("stride", Tensor::integers(&[1])),
            ("padding", Tensor::integers(&[0])),
            ("dilation", Tensor::integers(&[1])),
            ("groups", Tensor::integers(&[1])),
            ("bias", vector(&[0.5])),
        ],
    );
    let graph = graph(
        vec![
            ("a input", input(&[1, 4])),
            ("conv", conv),
            (
                "delay",
                Node::new(
                    "Delay",
                    [(
                        "delay",
                        Tensor { shape: vec![1, 3], values: vec![0.0, 1.0, 2.0], whole: false },
                    )],
                ),
            ),
            (
                "flat",
                Node::new(
                    "Flatten",
                    [("start_dim", Tensor::integers(&[0])), ("end_dim", vector(&[-1.0]))],
                ),
            ),
            ("lif", cuba(3)),
            ("scale", Node::new("Scale", [("scale", vector(&[1.0, 1.0, 10.0]))])),
        ],
        &[
            ("a input", "conv"),
            ("conv", "delay"),
            ("delay", "flat"),
            ("flat", "scale"),
            ("scale", "lif"),
        ],
    );
    let meant = meaning(&graph, &Dialect::Strict.convention(None)).expect("meant");
    let gain = 3.0 / 0.005;
    let expected = [
        (0, 4, 1.0, 0.0),
        (1, 4, -2.0, 0.0),
        (1, 5, 1.0, 1.0),
        (2, 5, -2.0, 1.0),
        (2, 6, 10.0, 2.0),
        (3, 6, -20.0, 2.0),
    ];
    assert_eq!(
        synapses(&meant),
        expected.map(|(a, b, weight, delay)| (a, b, weight * gain, delay))
    );
    // The bias: w_in b in the stationary state, from nothing.
    for (node, scale) in [(4, 1.0), (6, 10.0)] {
        let NetworkNode::Neuron(neuron) = meant.network.graph().raw_nodes()[node].weight else {
            panic!("a neuron");
        };
        let current = 3.0 * 0.5 * scale;
        assert!((neuron.bias_current - current).abs() < 1e-12, "{neuron:?}");
        assert_eq!(neuron.initial_current, -neuron.bias_current);
    }
}

#[test]
fn windows_with_padding_and_groups_are_those_of_torch() {
    // Two channels in two groups; 2 × 2 pixels, a kernel of 3 × 3 with padding 1 that takes the right neighbour.
    let mut values = vec![0.0; 18];
    (values[5], values[14]) = (1.0, 7.0);
    let conv = Node::new(
        "Conv2d",
        [
            ("weight", Tensor { shape: vec![2, 1, 3, 3], values, whole: false }),
            ("padding", Tensor::integers(&[1, 1])),
            ("groups", Tensor::integers(&[2])),
            ("bias", vector(&[0.0, 0.0])),
        ],
    );
    let operator = operator::Operator::of(&conv, &[2, 2, 2]).expect("linear").expect("meant");
    assert_eq!(operator.shape, [2, 2, 2]);
    let entries: Vec<_> = (0..8).map(|input| operator.entries(input).collect::<Vec<_>>()).collect();
    let none = Vec::new();
    let expected = [
        none.clone(),
        vec![(0, 1.0)],
        none.clone(),
        vec![(2, 1.0)],
        none.clone(),
        vec![(4, 7.0)],
        none.clone(),
        vec![(6, 7.0)],
    ];
    assert_eq!(entries, expected);
    let pool = |kind: &str| {
        let sizes = Tensor::integers(&[2, 2]);
        Node::new(kind, [("kernel_size", sizes.clone()), ("stride", sizes)])
    };
    for (kind, factor) in [("SumPool2d", 1.0), ("AvgPool2d", 0.25)] {
        let operator =
            operator::Operator::of(&pool(kind), &[1, 2, 2]).expect("linear").expect("meant");
        assert_eq!(operator.shape, [1, 1, 1]);
        assert!((0..4).all(|input| operator.entries(input).eq([(0, factor)])), "{kind}");
    }
}

#[test]
fn what_is_too_large_is_refused_before_it_is_made() {
    let conv = Node::new(
        "Conv2d",
        [
            ("weight", Tensor { shape: vec![1, 1, 1, 1], values: vec![1.0], whole: false }),
            ("input_shape", Tensor::integers(&[100_000, 100_000])),
        ],
    );
    let Some(Err((reason, _))) = operator::Operator::of(&conv, &[]) else { panic!("too large") };
    assert!(reason.contains("10000000000"), "{reason}");
    let large = graph(vec![("input", input(&[1 << 40]))], &[]);
    let refused = meaning(&large, &Dialect::Strict.convention(None)).expect_err("too large");
    assert!(refused[0].reason.contains("1099511627776"), "{}", refused[0]);
}

#[test]
fn circles_without_neurons_and_fast_chains_are_refused() {
    let one = || Node::new("Linear", [("weight", matrix(1, &[1.0]))]);
    let circle = graph(
        vec![("a", one()), ("b", one()), ("input", input(&[1])), ("lif", cuba(1))],
        &[("input", "a"), ("a", "b"), ("b", "a"), ("b", "lif")],
    );
    let refused = meaning(&circle, &Dialect::Strict.convention(None)).expect_err("a circle");
    assert!(refused[0].reason.contains("in a circle through linear nodes"), "{}", refused[0]);
    let lif = || {
        let all = [("tau", 0.01), ("r", 1.0), ("v_leak", 0.0), ("v_threshold", 1.0)];
        Node::new("LIF", all.map(|(name, value)| (name, vector(&[value, value]))))
    };
    let chain = |weights: &[f64]| {
        graph(
            vec![
                ("first", lif()),
                ("input", input(&[2])),
                ("second", lif()),
                ("w", Node::new("Linear", [("weight", matrix(2, weights))])),
            ],
            &[("input", "first"), ("first", "w"), ("w", "second")],
        )
    };
    let strict = Dialect::Strict.convention(None);
    assert!(meaning(&chain(&[1.0, 2.0, 0.0, 1.0]), &strict).is_ok());
    let refused = meaning(&chain(&[1.0, -2.0, 0.0, 1.0]), &strict).expect_err("an order decides");
    assert!(refused[0].reason.contains("their order would decide"), "{}", refused[0]);
}

#[test]
fn neurons_without_synaptic_filter_spike_with_their_input_and_lose_what_is_too_much() {
    let all = [("tau", 10.0), ("r", 1.0), ("v_leak", 0.0), ("v_threshold", 1.0)];
    let lif = Node::new("LIF", all.map(|(name, value)| (name, vector(&[value]))));
    // The potential jumps by 0.6 and by 0.9.
    let weight = Node::new("Linear", [("weight", matrix(1, &[6.0, 9.0]))]);
    let graph = graph(
        vec![("input", input(&[2])), ("lif", lif), ("w", weight)],
        &[("input", "w"), ("w", "lif")],
    );
    let meant = meaning(&graph, &Dialect::Strict.convention(None)).expect("meant");
    // 0.6 e^-0.1 + 0.6 is above the threshold. Of the 0.14 that are too much, 0.9 would make a spike at 2.5.
    let inputs = vec![(0, 0, 1.0), (0, 0, 2.0), (0, 1, 2.5)];
    let populations = vec![("lif".to_owned(), vec![(0, 2.0)])];
    let reference = Reference { inputs, populations };
    let comparison = compare_with(&meant, &reference, 1e-6).expect("it runs");
    assert_eq!(comparison.difference, None);
    assert!(comparison.spikes == 1 && comparison.largest < 3e-7, "{comparison:?}");
}

#[test]
fn what_is_written_says_what_it_means_and_contradictions_are_refused() {
    let graph = graph(
        vec![
            ("input", input(&[1])),
            ("lif", cuba(1)),
            ("w", Node::new("Linear", [("weight", matrix(1, &[4.0]))])),
        ],
        &[("input", "w"), ("w", "lif")],
    );
    assert!(matches!(guess(&graph), Guess::Unknown(_)));
    let first = meaning(&graph, &Dialect::Norse.convention(None)).expect("meant");
    let written =
        export(&CompiledNetwork::new(&first.network), first.time_unit, Dialect::Strict, None, &[]);
    let (mut written, _) = written.expect("written");
    let Guess::Known { convention, .. } = guess(&written) else { panic!("it says so") };
    let second = meaning(&written, &convention).expect("meant");
    assert_eq!(synapses(&first), synapses(&second));
    let nodes = |meaning: &Meaning| -> Vec<NetworkNode> {
        meaning.network.graph().raw_nodes().iter().map(|node| node.weight).collect()
    };
    assert_eq!(nodes(&first), nodes(&second));
    let lif = written.nodes.get_mut("lif").expect("there");
    lif.fields.insert("v_threshold".to_owned(), Field::Numbers(vector(&[2.0])));
    let refused = meaning(&written, &convention).expect_err("it was changed");
    assert!(refused[0].reason.contains("v_threshold is 2"), "{}", refused[0]);
}
