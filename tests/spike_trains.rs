//! Recurrent networks learn to emit given spike trains, from the command line.

mod common;

use common::binary::{json, successful, text};
use std::path::{Path, PathBuf};

fn scenario() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/recurrent_learning.toml")
}

#[test]
fn twenty_recurrent_neurons_learn_their_spike_trains() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    successful(folder.path(), &["run", text(&scenario()), "--out", ".", "--quiet"]);
    let summary = json(&folder.path().join("summary.json"));
    assert_eq!((summary["missing"].as_u64(), summary["extra"].as_u64()), (Some(0), Some(0)));
    assert_eq!(summary["paired"].as_u64(), Some(71), "three or four spikes of twenty neurons");
    let error = summary["timing_error"].as_f64().expect("a number");
    // A hundredth of tau_s is what is asked for.
    assert!(error < 0.01, "{error}");
}

#[test]
fn delays_thresholds_and_time_constants_are_trained_within_their_bounds() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let bounds =
        [("delays", 0.4, 2.5), ("threshold", 0.8, 1.2), ("tau_m", 1.5, 3.0), ("tau_s", 0.7, 1.4)];
    let overrides: Vec<String> = bounds
        .iter()
        .map(|(name, low, high)| {
            format!("spike_training.trainable.{name}={{low={low},high={high}}}")
        })
        .collect();
    let scenario = scenario();
    let mut arguments = vec!["run", text(&scenario), "--out", ".", "--quiet"];
    arguments.extend(["--set", "spike_training.epochs=150"]);
    for change in &overrides {
        arguments.extend(["--set", change]);
    }
    successful(folder.path(), &arguments);
    let network = json(&folder.path().join("network.json"));
    let neurons = network["populations"][1]["neurons"].as_array().expect("parameters");
    let within = |name: &str, value: f64| {
        let &(_, low, high) = bounds.iter().find(|known| known.0 == name).expect("bounded");
        assert!(low < value && value < high, "{name} = {value}");
        value
    };
    assert_eq!(neurons.len(), 20, "they have become different");
    for name in ["threshold", "tau_m", "tau_s"] {
        let values: Vec<f64> = neurons
            .iter()
            .map(|neuron| within(name, neuron[name].as_f64().expect("a number")))
            .collect();
        assert!(values.iter().any(|&value| (value - values[0]).abs() > 1e-3), "{name} was trained");
    }
    for projection in network["projections"].as_array().expect("projections") {
        for synapse in projection["synapses"].as_array().expect("synapses") {
            within("delays", synapse[3].as_f64().expect("a delay"));
        }
    }
}
