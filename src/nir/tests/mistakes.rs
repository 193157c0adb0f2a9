//! Files with mistakes: what would be lost or misread is refused, and what is written comes back.

use super::*;
use crate::neuron::NeuronParameters;
use crate::settings::TimeUnit;

fn strict() -> Convention {
    Dialect::Strict.convention(None)
}

fn linear(rows: usize, values: &[f64]) -> Node {
    Node::new("Linear", [("weight", matrix(rows, values))])
}

/// A network of one source, and of one neuron that a constant current drives.
fn driven(is_connected: bool) -> CompiledNetwork {
    let mut network = crate::network::Network::new();
    let neuron = NeuronParameters {
        bias_current: 1.5,
        initial_current: -1.5,
        ..NeuronParameters::default()
    };
    let input = network.add_sources("input", 1).expect("sources");
    let lif = network.add_neurons("lif", [neuron]).expect("a neuron");
    if is_connected {
        let synapse = crate::network::Synapse { weight: 2.0, delay: 0.0 };
        network.connect((input, 0), (lif, 0), synapse).expect("a synapse");
    }
    CompiledNetwork::new(&network)
}

fn currents(meaning: &Meaning) -> Vec<f64> {
    let nodes = meaning.network.graph().raw_nodes().iter();
    nodes
        .filter_map(|node| match node.weight {
            NetworkNode::Neuron(neuron) => Some(neuron.bias_current),
            NetworkNode::Source => None,
        })
        .collect()
}

#[test]
fn spikes_of_the_metadata_come_back_in_the_networks_time_or_are_refused() {
    let trains = [SourceTrains { population: "input".to_owned(), spikes: vec![(0, 0.25)] }];
    let mut network = crate::network::Network::new();
    let input = network.add_sources("input", 1).expect("sources");
    let lif = network.add_neurons("lif", [NeuronParameters::default()]).expect("a neuron");
    let synapse = crate::network::Synapse { weight: 2.0, delay: 0.0 };
    network.connect((input, 0), (lif, 0), synapse).expect("a synapse");
    let network = CompiledNetwork::new(&network);
    let (written, _) =
        export(&network, TimeUnit::S, Dialect::NorseLifCell, None, &trains).expect("written");
    let convention = Dialect::NorseLifCell.convention(None);
    let meant = meaning(&written, &convention).expect("meant");
    assert!((meant.stimulus[0].2 / 0.25 - 1.0).abs() < 1e-12, "{:?}", meant.stimulus);
    for (times, sources, reason) in [
        (vec![1.0, 2.0], vec![0.0], "2 `firstspike_times` and 1 `firstspike_sources`"),
        (vec![-1.0], vec![0.0], "spike 0 of its metadata is at -1"),
        (vec![f64::INFINITY], vec![0.0], "is at inf"),
        (vec![1.0], vec![1.0], "is of source 1"),
        (vec![1.0], vec![0.5], "is of source 0.5"),
    ] {
        let mut wrong = written.clone();
        let node = wrong.nodes.get_mut("input").expect("there");
        for (name, values) in [("firstspike_times", times), ("firstspike_sources", sources)] {
            node.metadata.insert(name.to_owned(), Field::Numbers(Tensor::vector(values)));
        }
        let refused = meaning(&wrong, &convention).expect_err(reason);
        assert!(refused[0].reason.contains(reason), "{}", refused[0]);
    }
}

#[test]
fn changed_biases_and_w_in_contradict_the_metadata() {
    let (written, _) =
        export(&driven(true), TimeUnit::S, Dialect::Strict, None, &[]).expect("written");
    assert_eq!(currents(&meaning(&written, &strict()).expect("meant")), [1.5]);
    let mut biased = written.clone();
    let affine = biased.nodes.get_mut("input-lif").expect("there");
    affine.fields.insert("bias".to_owned(), Field::Numbers(vector(&[7.0])));
    let refused = meaning(&biased, &strict()).expect_err("another bias");
    assert!(refused[0].reason.contains("its biases give the current"), "{}", refused[0]);
    affine_without_bias(&mut biased);
    let refused = meaning(&biased, &strict()).expect_err("no bias");
    assert!(refused[0].reason.contains("give the current 0"), "{}", refused[0]);
    let mut jump = written;
    let lif = jump.nodes.get_mut("lif").expect("there");
    lif.fields.insert("w_in".to_owned(), Field::Numbers(vector(&[9.0])));
    let refused = meaning(&jump, &strict()).expect_err("another w_in");
    assert!(refused[0].reason.contains("w_in is 9"), "{}", refused[0]);
}

fn affine_without_bias(graph: &mut Graph) {
    let affine = graph.nodes.get_mut("input-lif").expect("there");
    affine.fields.insert("bias".to_owned(), Field::Numbers(vector(&[0.0])));
}

#[test]
fn shapes_that_do_not_fit_are_refused_if_too_few_signals_come_too() {
    let few = graph(
        vec![("input", input(&[2])), ("lif", cuba(3)), ("w", linear(2, &[1.0, 0.0, 0.0, 1.0]))],
        &[("input", "w"), ("w", "lif")],
    );
    let refused = meaning(&few, &strict()).expect_err("2 of 3");
    assert!(refused[0].reason.contains("takes 3 signals, but 2 come from `w`"), "{}", refused[0]);
    let conv = Node::new(
        "Conv1d",
        [
            ("weight", Tensor { shape: vec![1, 1, 1], values: vec![1.0], whole: false }),
            ("input_shape", Tensor::integers(&[5])),
        ],
    );
    let Some(Err((reason, _))) = operator::Operator::of(&conv, &[1, 4]) else { panic!("4 of 5") };
    assert!(reason.contains("[4] comes"), "{reason}");
}

#[test]
fn a_bias_needs_no_input() {
    let affine =
        Node::new("Affine", [("weight", matrix(1, &[0.0, 0.0])), ("bias", vector(&[0.5]))]);
    let alone = graph(
        vec![("bias", affine), ("input", input(&[1])), ("lif", cuba(1)), ("w", linear(1, &[1.0]))],
        &[("bias", "lif"), ("input", "w"), ("w", "lif")],
    );
    let meant = meaning(&alone, &strict()).expect("meant");
    assert!((currents(&meant)[0] - 1.5).abs() < 1e-12, "{:?}", currents(&meant));
}

#[test]
fn a_driven_neuron_without_synapses_comes_back_in_every_dialect() {
    for (dialect, step) in [
        (Dialect::Strict, None),
        (Dialect::Norse, None),
        (Dialect::Snntorch, None),
        (Dialect::Jaxsnn, Some(0.1)),
    ] {
        let (written, _) =
            export(&driven(false), TimeUnit::S, dialect, step, &[]).expect("written");
        let meant = meaning(&written, &dialect.convention(step)).expect("meant");
        let found = meant.network.graph().raw_nodes()[1].weight;
        let NetworkNode::Neuron(found) = found else { panic!("a neuron") };
        // Currents come with the membrane's capacitance, which some dialects scale.
        let drive = found.bias_current / found.capacitance * found.tau_m;
        let own = NeuronParameters::default();
        let expected = 1.5 / own.capacitance * own.tau_m;
        assert!((drive / expected - 1.0).abs() < 1e-9, "{dialect:?}: {drive}, {expected}");
    }
    // One neuron and nothing else.
    let mut network = crate::network::Network::new();
    network.add_neurons("lif", [NeuronParameters::default()]).expect("a neuron");
    let network = CompiledNetwork::new(&network);
    let (written, _) = export(&network, TimeUnit::S, Dialect::Strict, None, &[]).expect("written");
    let meant = meaning(&written, &strict()).expect("meant");
    assert_eq!(meant.network.graph().node_count(), 1);
}

#[test]
fn a_dialect_may_not_contradict_the_metadata() {
    let (written, _) =
        export(&driven(true), TimeUnit::Ms, Dialect::Strict, None, &[]).expect("written");
    let Guess::Known { convention, .. } = guess(&written) else { panic!("it says so") };
    assert_eq!(contradiction(&written, &convention), None);
    let why = contradiction(&written, &strict()).expect("s for ms");
    assert!(why.contains("`time_unit` is `ms`"), "{why}");
    let why = contradiction(&written, &Dialect::Jaxsnn.convention(None)).expect("another jump");
    assert!(why.contains("`current_jump`"), "{why}");
}

#[test]
fn very_many_paths_end_soon() {
    // Nothing goes on behind a matrix of zeros; a bias does, along 2^40 paths.
    let affine = Node::new("Affine", [("weight", matrix(1, &[0.0])), ("bias", vector(&[1.0]))]);
    let mut nodes = vec![("input".to_owned(), input(&[1])), ("zero".to_owned(), affine)];
    let mut edges = vec![("input".to_owned(), "zero".to_owned())];
    let mut last = vec!["zero".to_owned()];
    for layer in 0..40 {
        let both = ["a", "b"].map(|side| format!("{side}{layer}"));
        for name in &both {
            nodes.push((name.clone(), Node::new("Scale", [("scale", vector(&[0.5]))])));
            edges.extend(last.iter().map(|before| (before.clone(), name.clone())));
        }
        last = both.to_vec();
    }
    nodes.push(("lif".to_owned(), cuba(1)));
    edges.extend(last.iter().map(|before| (before.clone(), "lif".to_owned())));
    let mut deep = Graph { nodes: nodes.into_iter().collect(), edges, ..Graph::default() };
    let meant = meaning(&deep, &strict()).expect("meant");
    assert_eq!(meant.network.graph().edge_count(), 0);
    assert!((currents(&meant)[0] - 3.0).abs() < 1e-12, "{:?}", currents(&meant));
    // With signals, the budget ends it.
    deep.nodes.insert("zero".to_owned(), linear(1, &[1.0]));
    let refused = meaning(&deep, &strict()).expect_err("2^40 synapses");
    assert!(refused[0].reason.contains("more than 5000000 synapses"), "{}", refused[0]);
}

#[test]
fn edges_without_matrices_count_as_synapses() {
    let count = 100_000;
    let mut nodes = vec![("input".to_owned(), input(&[count]))];
    nodes.extend((0..60).map(|index| (format!("output{index}"), Node::new("Output", []))));
    nodes.push(("lif".to_owned(), cuba(1)));
    nodes.push(("w".to_owned(), linear(1, &vec![0.0; count])));
    let mut edges: Vec<_> =
        (0..60).map(|index| ("input".to_owned(), format!("output{index}"))).collect();
    edges.push(("input".to_owned(), "w".to_owned()));
    edges.push(("w".to_owned(), "lif".to_owned()));
    let mut fan = Graph { nodes: nodes.into_iter().collect(), edges, ..Graph::default() };
    assert!(meaning(&fan, &strict()).is_ok(), "outputs cost nothing");
    // 100,000 weights that 60 populations share.
    fan.nodes.insert("input".to_owned(), input(&[100]));
    fan.nodes.insert("w".to_owned(), linear(1000, &vec![1.0; 100_000]));
    fan.nodes.insert("lif".to_owned(), cuba(1000));
    for index in 0..60 {
        let name = format!("output{index}");
        fan.nodes.insert(name.clone(), cuba(1000));
        fan.edges.push(("w".to_owned(), name));
    }
    fan.edges.retain(|(from, to)| from != "input" || to == "w");
    let refused = meaning(&fan, &strict()).expect_err("6 million synapses");
    assert!(refused[0].reason.contains("more than 5000000 synapses"), "{}", refused[0]);
}
