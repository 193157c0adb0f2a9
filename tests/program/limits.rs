//! Nothing is made because a file says so: what is too large, or beyond what the arithmetic bears, is
//! counted and refused, with the number and what is accepted.

use crate::common;

use std::path::Path;

use common::binary::{firstspike, json, project, successful, text};
use common::cases::{case, replace};

/// What `run` and `check` say when they refuse a scenario, on one line.
fn refusals(folder: &Path, more: &[&str]) -> [String; 2] {
    [&["run", "scenario.toml", "--out", "out"][..], &["check", "scenario.toml"]].map(|command| {
        let ended = firstspike(folder, &[command, more].concat());
        assert_eq!(ended.code, Some(2), "{command:?} {more:?}: {}", ended.stderr);
        assert_eq!(ended.stdout, "");
        assert!(!folder.join("out").exists());
        ended.stderr
    })
}

#[test]
fn a_rate_in_hertz_per_millisecond_is_counted_before_it_takes_the_memory() {
    let folder = case("poisson-too-many");
    for said in refusals(folder.path(), &[]) {
        assert!(said.contains("8e8 input spikes, at most 1e8: rate is per ms"), "{said}");
    }
    for said in refusals(folder.path(), &["--set", "populations.0.source.poisson.rate=1e90"]) {
        assert!(said.contains("1e95 input spikes, at most 1e8"), "{said}");
    }
    for said in refusals(folder.path(), &["--set", "populations.0.source.poisson.rate=1e300"]) {
        assert!(said.contains("1e300 must be at most 1e100"), "{said}");
    }
    // Without spikes there is silence.
    let silent = "populations.0.source.poisson.rate=0.0";
    successful(folder.path(), &["run", "scenario.toml", "--out", "out", "--set", silent]);
    let summary = json(&folder.path().join("out/summary.json"));
    assert_eq!(summary["populations"][0]["spikes"], 0);
}

#[test]
fn currents_that_would_be_infinite_are_refused_with_the_range() {
    let folder = case("overflow-silent");
    for said in refusals(folder.path(), &[]) {
        let expected = "weight = 1e308 must be from -1e300 to 1e300";
        assert!(said.contains(expected), "{said}");
    }
    replace(
        &folder.path().join("scenario.toml"),
        "    { pre = 0, post = 0, weight = 1e308, delay = 1.0 },\n    { pre = 0, post = 0, weight = 1e308, delay = 1.0 },\n",
        "    { pre = 0, post = 0, weight = 30.0, delay = 1.0 },\n",
    );
    for (change, expected) in [
        ("neuron.tau_s=1e-300", "neuron.tau_s: 1e-300 must be from 1e-100 to 1e100"),
        ("neuron.tau_m=1e300", "neuron.tau_m: 1e300 must be from 1e-100 to 1e100 (or inf"),
        ("neuron.threshold=1e308", "neuron.threshold: 1e308 must be from -1e100 to 1e100"),
        ("simulation.until=1e200", "simulation.until: 1e200 must be from 1e-100 to 1e100"),
    ] {
        for said in refusals(folder.path(), &["--set", change]) {
            assert!(said.contains(expected), "{change}: {said}");
        }
    }
    // At the end of what is borne the neuron spikes as it should, when the input arrives.
    let change = ["--set", "neuron.tau_s=1e-100", "--set", "neuron.capacitance=10.0"];
    let run = ["run", "scenario.toml", "--out", "out"];
    successful(folder.path(), &[&run[..], &change].concat());
}

#[test]
fn a_size_that_a_spike_contradicts_is_refused() {
    let folder = case("size-too-small");
    let stats = |size: &str| {
        firstspike(folder.path(), &["stats", "three.csv", "--size", size, "--duration", "10"])
    };
    let ended = stats("2");
    assert_eq!(ended.code, Some(2), "{}", ended.stdout);
    assert!(ended.stderr.contains("--size 2: there is a neuron 2"), "{}", ended.stderr);
    assert_eq!(stats("3").code, Some(0));
}

#[test]
fn training_bounds_that_exclude_the_start_are_refused() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let scenario = project().join("scenarios/recurrent_learning.toml");
    for (name, bounds) in [
        ("threshold", "{low=2.0,high=3.0}"),
        ("tau_m", "{low=100.0,high=200.0}"),
        ("tau_s", "{low=50.0,high=60.0}"),
        ("delays", "{low=90.0,high=91.0}"),
    ] {
        let change = format!("spike_training.trainable.{name}={bounds}");
        let arguments = ["run", text(&scenario), "--out", "out", "--set", &change];
        let ended = firstspike(folder.path(), &arguments);
        assert_eq!(ended.code, Some(2), "{name}: {}", ended.stderr);
        let key = format!("--set: spike_training.trainable.{name}: ");
        assert!(ended.stderr.contains(&key), "{}", ended.stderr);
        assert!(
            ended.stderr.contains("must be within the bounds of training, "),
            "{}",
            ended.stderr
        );
        assert!(!folder.path().join("out").exists());
    }
}

#[test]
fn training_bounds_beyond_what_a_neuron_bears_are_refused() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let scenario = project().join("scenarios/recurrent_learning.toml");
    for (name, bounds, said) in [
        ("threshold", "{low=0.5,high=1e120}", "threshold = 1e120 is out of range"),
        ("tau_m", "{low=1e-120,high=9.0}", "tau_m = 1e-120 is out of range"),
        ("tau_s", "{low=1e-120,high=9.0}", "tau_s = 1e-120 is out of range"),
        ("delays", "{low=0.0,high=1e120}", "high = 1e120 must be at most 1e100"),
    ] {
        let change = format!("spike_training.trainable.{name}={bounds}");
        let arguments = ["run", text(&scenario), "--out", "out", "--set", &change];
        let ended = firstspike(folder.path(), &arguments);
        assert_eq!(ended.code, Some(2), "{name}: {}", ended.stderr);
        assert!(ended.stderr.contains(said), "{}", ended.stderr);
        assert!(!folder.path().join("out").exists());
    }
}

#[test]
fn a_value_that_is_nearly_toml_is_no_word() {
    let folder = case("poisson-too-many");
    let change = "populations.0.source={spike_times=[[1e400]]}";
    for said in refusals(folder.path(), &["--set", change]) {
        assert!(said.contains("is not a value of TOML"), "{said}");
    }
}
