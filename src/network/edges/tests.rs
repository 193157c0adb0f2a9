use std::io::Write;

use super::*;
use crate::network::CompiledNetwork;
use crate::neuron::NeuronParameters;

/// Two sources and three neurons.
fn nodes() -> Network {
    let mut network = Network::new();
    network.add_sources("input", 2).expect("new");
    network.add_neurons("neurons", vec![NeuronParameters::default(); 3]).expect("new");
    network
}

fn read_as(
    bytes: &[u8],
    file: impl FnOnce(&mut EdgeFile),
    defaults: EdgeDefaults,
) -> Result<CompiledNetwork, String> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("edges");
    std::fs::write(&path, bytes).expect("writable");
    let mut edges = EdgeFile::new(&path);
    file(&mut edges);
    let network = nodes();
    let source = EdgeSource::new(edges, defaults, &network, "ms");
    compile(&network, &[source]).map_err(|error| error.to_string())
}

fn from_input() -> EdgeDefaults {
    EdgeDefaults { pre: Some(0), post: Some(1), ..EdgeDefaults::default() }
}

fn read(text: &str) -> Result<CompiledNetwork, String> {
    read_as(text.as_bytes(), |_| {}, from_input())
}

#[test]
fn every_dialect_is_the_same_network() {
    let expected =
        read("pre,post,weight,delay\n1,2,0.5,1.5\n0,0,-1,0.5\n0,1,2,0.5\n").expect("sound");
    assert_eq!(expected.targets(), [2, 3, 4]);
    assert_eq!(expected.weights(), [-1.0, 2.0, 0.5]);
    assert_eq!(expected.delays(), [0.5, 0.5, 1.5]);
    let same = |found: CompiledNetwork, name: &str| {
        assert_eq!(found.targets(), expected.targets(), "{name}");
        assert_eq!(found.weights(), expected.weights(), "{name}");
        assert_eq!(found.delays(), expected.delays(), "{name}");
    };
    for text in [
        "# of another simulator\n\nsource;target;weight;delay_ms\r\n1;2;0.5;1.5\r\n0;0;-1;0.5\r\n0;1;2;0.5\r\n",
        "\u{feff}delay\tsyn_weight\tTarget\tpre_id\t\n1.5\t.5\t2\t1\t\n0.5\t-1e0\t0\t0\t\n.5\t2\t1.0\t0\t\n",
        "pre post weight delay_us\n1 2 0.5 1500\n0 0 -1 500\n0 1 2 5e2\n",
        "pre,post,weight,delay_s\r1,2,0.5,0.0015\r0,0,-1,0.0005\r0,1,2,0.0005\r",
        "\"pre\",\"post\",\"weight\",\"delay\"\n\"1\",2,0.5,1.5\n0,0,-1,0.5\n0,1,2,0.5",
        "pre_population,pre,post_population,post,weight,delay\nneurons,1,neurons,2,9,9\n\
         input,1,neurons,2,0.5,1.5\ninput,0,neurons,0,-1,0.5\ninput,0,neurons,1,2,0.5\n",
    ] {
        same(read(text).expect(text), text);
    }
    let text =
        "pre,post,weight,delay,model\n2,3,5,1.5,static\n1,1,-10,0.5,static\n1,2,20,0.5,static\n";
    let options = |file: &mut EdgeFile| {
        (file.first_id, file.weight_scale, file.ignore) = (1, 0.1, vec!["model".to_owned()]);
    };
    same(read_as(text.as_bytes(), options, from_input()).expect("sound"), "ids from 1");
    let utf_16: Vec<u8> = "pre,post,weight,delay\n1,2,0.5,1.5\n0,0,-1,0.5\n0,1,2,0.5\n"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    same(read_as(&utf_16, |_| {}, from_input()).expect("sound"), "UTF-16");
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(text.as_bytes()).expect("in memory");
    let packed = gzip.finish().expect("in memory");
    same(read_as(&packed, options, from_input()).expect("sound"), "gzip");
    let cut = read_as(&packed[..packed.len() - 9], options, from_input()).expect_err("cut off");
    assert!(cut.contains("cut off"), "{cut}");
}

#[test]
fn constants_and_populations_come_from_the_scenario_or_from_the_file() {
    let text = "pre_population,pre,post_population,post,receptor\ninput,1,neurons,2,inhibitory\nneurons,0,neurons,0,by_sign\n";
    let constants = EdgeDefaults { weight: Some(2.0), delay: Some(0.5), ..EdgeDefaults::default() };
    let found = read_as(text.as_bytes(), |_| {}, constants).expect("sound");
    assert_eq!((found.outgoing(1), found.outgoing(2)), (0..1, 1..2));
    assert_eq!((found.weights(), found.delays()), (&[2.0; 2][..], &[0.5; 2][..]));
    assert!(found.is_inhibitory(0) && !found.is_inhibitory(1));
}

#[test]
fn lists_of_many_blocks_are_in_order() {
    let mut text = "pre,post,weight\n".to_owned();
    for index in 0..200_000 {
        text += &format!("{},{},{index}\n", index % 2, index % 3);
    }
    let found = read(&text).expect("sound");
    let mut expected = vec![Vec::new(); 6];
    (0..200_000).for_each(|index| expected[index % 2 * 3 + index % 3].push(index as f64));
    assert!(found.weights() == expected.concat());
}

#[test]
fn what_is_wrong_is_said_with_line_column_and_range() {
    for (text, expected) in [
        ("", ": there is nothing in it"),
        ("# only\n", ": there is nothing in it"),
        ("pre,post\n0,0\n", ":1: missing column `weight`: columns are pre (or source)"),
        ("0,1,0.5\n", ":1: column `0` is not known"),
        ("pre,post,weight,dealy\n0,0,1,1\n", ":1: column `dealy` is not known"),
        ("pre,source,post,weight\n0,0,0,1\n", ":1: columns `pre` and `source` mean the same"),
        ("pre,post,weight,delay_steps\n0,0,1,1\n", ":1: column `delay_steps` cannot be converted"),
        (
            "pre,post,weight\n0,0,1\n0,3,1\n",
            ":3: post = 3 must be from 0 to 2 (population `neurons`)",
        ),
        ("pre,post,weight\n2,0,1\n", ":2: pre = 2 must be from 0 to 1 (population `input`)"),
        ("pre,post,weight\n-1,0,1\n", ":2: pre = -1 must be from 0 to 1"),
        ("pre,post,weight\n0.5,0,1\n", ":2: pre = 0.5 must be from 0 to 1"),
        ("pre,post,weight\n99999999999999999999,0,1\n", ":2: pre = 99999999999999999999 must be"),
        ("pre,post,weight\n0,0,big\n", ":2: weight = `big` must be a number"),
        ("pre,post,weight\n0,0,inf\n", ":2: weight = inf must be finite"),
        ("pre,post,weight\n0,0,1e301\n", ":2: weight = "),
        ("pre,post,weight,delay\n0,0,1,-0.1\n", ":2: delay = -0.1 must be finite and not negative"),
        ("pre,post,weight,delay\n0,0,1,nan\n", ":2: delay = NaN must be finite and not negative"),
        ("pre,post,weight\n0,0\n", ":2: 2 fields, but 3 are needed (separated by commas)"),
        ("pre,post,weight\n0,0,1,2\n", ":2: 4 fields, but 3 are needed"),
        ("pre,post,weight\n0,0,\"1\n", ":2: a quoted field has no end"),
        ("pre,post,weight,receptor\n0,0,1,ampa\n", ":2: receptor = `ampa` must be by_sign"),
        ("pre,post,weight\n0,0,\u{0}1\n", ": this is no text"),
        (
            "pre,post,weight,post_population\n0,0,1,input\n",
            ": no row is of a synapse from `input` to `neurons`",
        ),
        (
            "pre,post,weight,post_population\n0,0,1,neurns\n",
            ":2: post_population = `neurns` must be one of",
        ),
    ] {
        let error = read(text).expect_err(text);
        assert!(error.contains(expected), "{text}: {error}");
    }
    let refused = |defaults| {
        read_as(b"pre,post,weight,delay\n0,0,1,1\n", |_| {}, defaults).expect_err("refused")
    };
    let to_source = EdgeDefaults { post: Some(0), ..from_input() };
    assert!(refused(to_source).contains(":2: population `input` is a spike source"));
    let nowhere = EdgeDefaults { post: None, ..from_input() };
    assert!(refused(nowhere).contains("of which population is post?"));
    let twice = EdgeDefaults { weight: Some(1.0), ..from_input() };
    assert!(refused(twice).contains("the file has weights: leave out `weights`"));
    let folder = tempfile::tempdir().expect("a temporary folder");
    let source = EdgeSource::new(EdgeFile::new(folder.path()), from_input(), &nodes(), "ms");
    let error = compile(&nodes(), &[source]).expect_err("a folder").to_string();
    assert!(error.contains("no file that can be read twice"), "{error}");
}

#[test]
fn both_forms_of_the_setting_are_read_and_written() {
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Section {
        file: EdgeFile,
    }
    let read = |text: &str| serde_json::from_str::<Section>(text);
    for text in [
        r#"{"file":"edges.csv"}"#,
        r#"{"file":{"path":"edges.h5","first_id":1,"ignore":["x"],"weight_scale":0.5,"edges":"a","edge_types":"t.csv"}}"#,
    ] {
        let section = read(text).expect(text);
        assert_eq!(serde_json::to_string(&section).expect("writable"), text);
    }
    assert!(
        read(r#"{"file":{"path":"a","first":1}}"#)
            .expect_err("unknown")
            .to_string()
            .contains("first")
    );
}

#[cfg(feature = "hdf5")]
mod sonata {
    use proptest::prelude::*;

    use super::super::super::{SynapseCounts, SynapseRows};
    use super::*;

    fn same(found: &CompiledNetwork, expected: &CompiledNetwork) {
        assert_eq!(found.targets(), expected.targets());
        assert_eq!(found.bundle_delays(), expected.bundle_delays());
        for synapse in 0..expected.synapse_count() {
            assert_eq!(found.weights()[synapse].to_bits(), expected.weights()[synapse].to_bits());
            assert_eq!(found.receptor(synapse), expected.receptor(synapse));
        }
        (0..5).for_each(|node| assert_eq!(found.bundles(node), expected.bundles(node)));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]
        #[test]
        fn what_is_written_is_read_to_the_bit(
            synapses in prop::collection::vec((0_u32..5, 2_u32..5, any::<i32>(), 0..3_u32, 0..6_u8), 0..50),
        ) {
            let network = nodes();
            let mut counts = SynapseCounts::new(&network);
            synapses.iter().for_each(|it| counts.add(it.0).expect("few"));
            let mut rows = SynapseRows::new(&network, counts);
            for &(pre, post, weight, delay, receptor) in &synapses {
                let synapse = Synapse { weight: f64::from(weight) / 7.0, delay: f64::from(delay) / 10.0 };
                let receptor = match receptor {
                    4 => Receptor::Excitatory,
                    5 => Receptor::Inhibitory,
                    _ => Receptor::BySign,
                };
                rows.take(pre, post, synapse, receptor).expect("counted");
            }
            let expected = rows.finish().expect("all");
            let folder = tempfile::tempdir().expect("a temporary folder");
            let files = SonataFiles::beside(&folder.path().join("net.h5"));
            write_sonata(&expected, "ms", &files).expect("writable");
            let mut table = Vec::new();
            write_table(&expected, "ms", &mut table).expect("in memory");
            let path = folder.path().join("net.csv");
            std::fs::write(&path, table).expect("writable");
            for path in [&files.edges, &path] {
                let source = EdgeSource::new(EdgeFile::new(path), EdgeDefaults::default(), &network, "ms");
                match compile(&network, &[source]) {
                    Ok(found) => same(&found, &expected),
                    Err(error) => assert!(synapses.is_empty(), "{error}"),
                }
            }
        }
    }
}
