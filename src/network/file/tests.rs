use proptest::prelude::*;

use super::*;
use crate::network::CompiledNetwork;

fn neuron(values: [f64; 4], leaky: bool) -> NeuronParameters {
    NeuronParameters {
        tau_m: if leaky { values[0] } else { f64::INFINITY },
        tau_s: values[1],
        tau_s_inhibitory: values[2],
        initial_current: -values[3],
        ..NeuronParameters::default()
    }
}

/// Two populations of neurons and one of sources, with any synapses between them.
fn network() -> impl Strategy<Value = Network> {
    let parameters = (prop::array::uniform4(1e-3..1e3), any::<bool>());
    let neurons = prop::collection::vec(parameters, 1..5);
    let synapse = (0..3_usize, 0..9_usize, 0..9_usize, -1e3..1e3, 0.0..9.0, 0..4_u8);
    (neurons, prop::collection::vec(synapse, 0..30)).prop_map(|(neurons, synapses)| {
        let mut network = Network::new();
        let parameters = neurons.iter().map(|&(values, leaky)| neuron(values, leaky));
        network.add_neurons("various", parameters).expect("valid");
        network.add_sources("sources", 3).expect("new");
        network.add_neurons("equal", [NeuronParameters::default(); 2]).expect("valid");
        let sizes = [neurons.len(), 3, 2];
        for (pre, from, to, weight, delay, receptor) in synapses {
            let post = 2 * (to % 2);
            let (from, to) = (from % sizes[pre], to % sizes[post]);
            let receptor = match receptor {
                0 => Receptor::Excitatory,
                1 => Receptor::Inhibitory,
                _ => Receptor::BySign,
            };
            let ends = ((PopulationId(pre), from), (PopulationId(post), to));
            let synapse = Synapse { weight, delay };
            network.connect_to_receptor(ends.0, ends.1, synapse, receptor).expect("valid");
        }
        network
    })
}

fn read_text(text: &str) -> Result<(Network, String), NetworkFileError> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("network.json");
    std::fs::write(&path, text).expect("writable");
    read(&path)
}

proptest! {
    #[test]
    fn what_is_written_is_read_back_to_the_bit(network in network()) {
        let mut written = Vec::new();
        write(&network, "us", &mut written).expect("memory");
        let text = String::from_utf8(written).expect("UTF-8");
        let (found, unit) = read_text(&text).expect("what was written");
        prop_assert_eq!(unit, "us");
        prop_assert_eq!(found.populations(), network.populations());
        prop_assert!(found.graph().node_weights().eq(network.graph().node_weights()));
        // The engines' form has an order of its own, whatever that of the graph.
        let compiled = [&network, &found].map(CompiledNetwork::new);
        let [expected, found] = &compiled;
        let bits = |values: &[f64]| values.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
        prop_assert_eq!(bits(found.weights()), bits(expected.weights()));
        prop_assert_eq!(bits(found.delays()), bits(expected.delays()));
        prop_assert_eq!(found.targets(), expected.targets());
        for synapse in 0..expected.synapse_count() {
            prop_assert_eq!(found.is_inhibitory(synapse), expected.is_inhibitory(synapse));
        }
    }
}

#[test]
fn damaged_files_are_refused_with_their_place() {
    let mut network = Network::new();
    network.add_sources("input", 2).expect("new");
    network.add_neurons("neuron", [NeuronParameters::default()]).expect("valid");
    let synapse = Synapse { weight: 0.5, delay: 0.25 };
    network.connect((PopulationId(0), 1), (PopulationId(1), 0), synapse).expect("valid");
    let mut written = Vec::new();
    write(&network, "tau_s", &mut written).expect("memory");
    let good = String::from_utf8(written).expect("UTF-8");
    read_text(&good).expect("undamaged");
    for (from, to, expected) in [
        (good.as_str(), &good[..60], "line 1 column 60"),
        ("\"threshold\"", "\"treshold\"", "unknown field `treshold`"),
        ("\"threshold\":1.0", "\"threshold\":null", "invalid type: null, expected f64"),
        ("\"tau_m\":1.0,", "", "missing field `tau_m`"),
        ("\"tau_m\":1.0", "\"tau_m\":-1.0", "populations[1]: population `neuron`: tau_m = -1"),
        ("\"size\":2", "\"size\":20000000", "populations[0]: size 20000000 makes 20000000 neurons"),
        ("\"size\":1,", "\"size\":9999999,", "populations[1]: size 9999999 makes 10000001 neurons"),
        ("\"pre\":\"input\"", "\"pre\":\"inptu\"", "projections[0]: there is no population"),
        ("[1,0,", "[2,0,", "projections[0].synapses[0]: population `input` has 2 neurons"),
        ("0.25", "-0.25", "delay = -0.25 must be finite and not negative"),
        ("]]}", "]],\"receptors\":[\"by_sign\",\"by_sign\"]}", "2 receptors for 1 synapses"),
    ] {
        let message = read_text(&good.replacen(from, to, 1)).expect_err(to).to_string();
        assert!(message.contains("network.json: "), "{message}");
        assert!(message.contains(expected), "{message}");
    }
}

#[test]
fn files_of_other_versions_are_read_or_refused_with_what_to_do() {
    let mut network = Network::new();
    network.add_neurons("neuron", [NeuronParameters::default()]).expect("valid");
    let mut written = Vec::new();
    write_with(&network, "ms", Some(&[1.5, 2.5]), &mut written).expect("memory");
    let text = String::from_utf8(written).expect("UTF-8");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("network.json");
    let read_as = |text: &str| {
        std::fs::write(&path, text).expect("writable");
        read_with::<[f64; 2]>(&path).map_err(|error| error.to_string())
    };
    assert_eq!(read_as(&text).expect("version 2").inference, Some([1.5, 2.5]));
    let first = text.replace("\"version\":2,", "").replace(",\"inference\":[1.5,2.5]", "");
    assert_eq!(read_as(&first).expect("version 1").inference, None);
    let newer = text.replace("\"version\":2", "\"version\":3,\"colour\":true");
    let error = read_as(&newer).expect_err("version 3");
    assert!(
        error.ends_with(
            "has version 3, but this firstspike reads versions up to 2: use a newer one"
        ),
        "{error}"
    );
    let error = read_as(&text.replace("[1.5,2.5]", "[1.5]")).expect_err("another form");
    assert!(error.contains("invalid length 1"), "{error}");
}
