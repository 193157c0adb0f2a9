//! Recurrent networks learn to emit given spike trains, from the command line.

use crate::common;

use common::binary::{firstspike, json, successful, text};
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
    // Inputs start within the bounds, too.
    arguments.extend(["--set", "projections.0.delays.constant=1.0"]);
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

#[test]
fn one_pass_over_a_recorded_trace_is_one_epoch_of_training() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let scenario = scenario();
    let train = |out: &str, epochs: &str| {
        let epochs = format!("spike_training.epochs={epochs}");
        let constant = "spike_training.schedule=constant";
        let arguments =
            ["run", text(&scenario), "--out", out, "--quiet", "--set", &epochs, "--set", constant];
        successful(folder.path(), &arguments);
    };
    train("trained", "1");
    // The untrained network's trace: a simulation, without [spike_training].
    let toml = std::fs::read_to_string(&scenario).expect("readable");
    let untrained = toml.split("[spike_training]").next().expect("the part before");
    std::fs::write(folder.path().join("simulation.toml"), untrained).expect("writable");
    successful(folder.path(), &["run", "simulation.toml", "--out", "simulated"]);
    let trace = "simulated/spikes.csv";
    let learn = ["learn", text(&scenario), "--trace", trace, "--out", "learned.json"];
    let ended = successful(folder.path(), &learn);
    assert!(ended.stdout.contains("missing spikes"), "{}", ended.stdout);
    let network = |path: &str| json(&folder.path().join(path));
    assert_eq!(network("learned.json"), network("trained/network.json"));

    std::fs::write(
        folder.path().join("bad.csv"),
        "sample,population,neuron,time_tau_s\n0,recurrent,20,1.0\n",
    )
    .expect("writable");
    let refused = firstspike(folder.path(), &["learn", text(&scenario), "--trace", "bad.csv"]);
    assert_eq!(refused.code, Some(2));
    assert!(
        refused.stderr.contains("bad.csv:2: recurrent[20] does not exist"),
        "{}",
        refused.stderr
    );
}
