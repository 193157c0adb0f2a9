//! Networks for other tools: what is written is what the run learned, by the crates that read such files, and by
//! NumPy.

use crate::common;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::process::Command;

use common::binary::{firstspike, json, project, read, successful, text};
use common::cases::case;

/// Every array of an NPZ file: its shape and its numbers.
fn arrays(path: &Path) -> BTreeMap<String, (Vec<u64>, Vec<f64>)> {
    let mut archive = zip::ZipArchive::new(File::open(path).expect("there")).expect("a ZIP file");
    let mut arrays = BTreeMap::new();
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index).expect("an entry");
        let name = entry.name().expect("UTF-8").strip_suffix(".npy").expect("an array").to_owned();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).expect("readable");
        let npy = npyz::NpyFile::new(&bytes[..]).expect("an NPY file");
        let shape = npy.shape().to_vec();
        let numbers = match npy.try_data::<f64>() {
            Ok(numbers) => numbers.map(|number| number.expect("a number")).collect(),
            Err(npy) => {
                let whole = npy.into_vec::<i64>().expect("whole numbers");
                whole.into_iter().map(|number| number as f64).collect()
            }
        };
        arrays.insert(name, (shape, numbers));
    }
    arrays
}

/// The weights of the synapses between two populations in `network.json`, by pre- and postsynaptic neuron.
fn weights(network: &serde_json::Value, pre: &str, post: &str) -> BTreeMap<(u64, u64), f64> {
    let projections = network["projections"].as_array().expect("projections");
    let found = projections.iter().find(|one| one["pre"] == pre && one["post"] == post);
    let synapses = found.expect("a projection")["synapses"].as_array().expect("synapses");
    let number = |value: &serde_json::Value| value.as_f64().expect("a number");
    let one =
        |it: &serde_json::Value| ((number(&it[0]) as u64, number(&it[1]) as u64), number(&it[2]));
    synapses.iter().map(one).collect()
}

/// A run of the case with delays, and its export.
fn exported() -> tempfile::TempDir {
    let folder = case("words-as-labels");
    let run = ["run", "scenario.toml", "--out", "run", "--quiet", "--set", "training.epochs=3"];
    let delays = ["--set", "layers.1.delays={ axonal.constant = 0.25 }"];
    successful(folder.path(), &[&run[..], &delays].concat());
    let ended = successful(folder.path(), &["export", "run"]);
    assert!(ended.stdout.starts_with("run_export/network.npz\n"), "{}", ended.stdout);
    folder
}

#[test]
fn a_trained_network_is_exported_as_it_was_learned() {
    let folder = exported();
    let path = folder.path();
    let network = json(&path.join("run/network.json"));
    let found = arrays(&path.join("run_export/network.npz"));
    let hidden = weights(&network, "input", "hidden");
    let bias = weights(&network, "hidden_bias", "hidden");
    let (shape, values) = &found["hidden.weights"];
    assert_eq!(shape[1], 20);
    assert_eq!(values.len(), hidden.len() + bias.len());
    for (index, value) in values.iter().enumerate() {
        let (row, column) = (index as u64 / 20, index as u64 % 20);
        let inputs = hidden.len() as u64 / 20;
        let expected = match row.checked_sub(inputs) {
            None => hidden[&(row, column)],
            Some(row) => bias[&(row, column)],
        };
        assert_eq!(value.to_bits(), expected.to_bits(), "row {row}, column {column}");
    }
    assert_eq!(found["label.delays"], (vec![21], vec![0.25; 21]), "20 neurons and a bias source");
    assert_eq!(found["hidden.tau_m"], (vec![20], vec![1.0; 20]));
    let low = network["inference"]["scaling"]["low"].as_array().expect("numbers");
    let low: Vec<f64> = low.iter().map(|one| one.as_f64().expect("a number")).collect();
    assert_eq!(found["scaling.low"].1, low);
    let classes = String::from_utf8(read(&path.join("run_export/classes.csv"))).expect("UTF-8");
    assert_eq!(classes, "name\nsetosa\nversi color\nvirginica\n");
    // The same network, the same bytes.
    successful(path, &["export", "run", "--out", "again"]);
    assert!(read(&path.join("again/network.npz")) == read(&path.join("run_export/network.npz")));
}

#[test]
fn deciles_of_features_are_exported_and_linear_ones_as_even_steps() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path();
    let rows = (0..80).map(|row| {
        let value = f64::from(row) / 5.0;
        format!("{value},{},{}\n", value.exp(), ["low", "high"][usize::from(row >= 40)])
    });
    let table = format!("even,steep,label\n{}", rows.collect::<String>());
    std::fs::write(path.join("table.csv"), table).expect("writable");
    successful(path, &["new", "own.toml", "--data", "table.csv", "--hidden", "5"]);
    successful(path, &["run", "own.toml", "--out", "run", "--quiet", "--set", "training.epochs=1"]);
    successful(path, &["export", "run"]);
    let scaling = &json(&path.join("run/network.json"))["inference"]["scaling"];
    let numbers = |list: &serde_json::Value| -> Vec<f64> {
        let list = list.as_array().expect("a list");
        list.iter().map(|one| one.as_f64().expect("a number")).collect()
    };
    assert!(numbers(&scaling["between"][0]).is_empty());
    let (low, high) = (numbers(&scaling["low"])[0], numbers(&scaling["high"])[0]);
    let (shape, found) = &arrays(&path.join("run_export/network.npz"))["scaling.between"];
    assert_eq!(shape, &[2, 9]);
    assert_eq!(found[9..], numbers(&scaling["between"][1]));
    for (tenth, value) in (1..10).zip(found) {
        assert_eq!(*value, low + f64::from(tenth) / 10.0 * (high - low));
    }
}

#[test]
fn a_scenario_reads_exported_tables() {
    let folder = exported();
    let path = folder.path();
    let mut arguments = vec!["run", "scenario.toml", "--out", "same", "--quiet"];
    for change in [
        "training.optimiser.adam.learning_rate=1e-99",
        "training.epochs=1",
        "training.silent_neurons=false",
        "layers.0.weights.file=run_export/hidden.weights.csv",
        "layers.1.neuron.tau_m.file=run_export/label.neurons.csv",
        "layers.1.weights.file=run_export/label.weights.csv",
        "layers.1.delays={ axonal.file = \"run_export/label.delays.csv\" }",
    ] {
        arguments.extend(["--set", change]);
    }
    // Bias sources come with weights that are derived; here they are given.
    let bias = json(&path.join("run/network.json"))["inference"]["bias_times"][0][0].to_string();
    let bias = [0, 1].map(|layer| format!("layers.{layer}.bias_times=[{bias}]"));
    bias.iter().for_each(|change| arguments.extend(["--set", change]));
    successful(path, &arguments);
    assert!(read(&path.join("same/predictions.csv")) == read(&path.join("run/predictions.csv")));
}

#[test]
fn a_simulation_is_exported_as_lists_of_synapses() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path();
    let scenario = project().join("scenarios/recurrent.toml");
    successful(path, &["run", text(&scenario), "--out", "run", "--quiet"]);
    successful(path, &["export", "run"]);
    let network = json(&path.join("run/network.json"));
    let found = arrays(&path.join("run_export/network.npz"));
    for projection in network["projections"].as_array().expect("projections") {
        let name = |end: &str| projection[end].as_str().expect("a name");
        let name = format!("{}-{}", name("pre"), name("post"));
        let synapses = projection["synapses"].as_array().expect("synapses");
        for (place, part) in ["pre", "post", "weight", "delay"].into_iter().enumerate() {
            let expected: Vec<f64> =
                synapses.iter().map(|synapse| synapse[place].as_f64().expect("a number")).collect();
            assert_eq!(found[&format!("{name}.{part}")].1, expected, "{name}.{part}");
        }
        let table = read(&path.join(format!("run_export/{name}.synapses.csv")));
        assert!(table.starts_with(b"pre,post,weight,delay\n"));
    }
    let empty = firstspike(path, &["export", "."]);
    assert_eq!(empty.code, Some(2));
    assert!(empty.stderr.contains("has no scenario.toml"), "{}", empty.stderr);
}

#[test]
fn numpy_reads_what_is_exported() {
    let python = std::env::var("PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let has = Command::new(&python).args(["-c", "import numpy"]).output();
    if !has.is_ok_and(|ended| ended.status.success()) {
        eprintln!("NOT TESTED: NPZ files in NumPy; {python} has none");
        return;
    }
    let folder = exported();
    let script = "import numpy\n\
        arrays = numpy.load('run_export/network.npz')\n\
        weights = numpy.loadtxt('run_export/hidden.weights.csv', delimiter=',')\n\
        assert (arrays['hidden.weights'] == weights).all()\n\
        assert arrays['label.delays'].tolist() == [0.25] * 21\n";
    let ended = Command::new(&python).args(["-c", script]).current_dir(folder.path()).output();
    let ended = ended.expect("Python starts");
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
}
