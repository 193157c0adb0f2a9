//! `firstspike identify` through the binary: a chip's neurons are found in its own records.

use std::collections::BTreeMap;
use std::path::Path;

use crate::common::binary::{firstspike, read, rows, successful, text};

/// A network that is not trained, on a chip whose thresholds spread by a fifth, with a delay that nobody told.
const SCENARIO: &str = r#"
time_unit = "tau_s"
seed = 3
chip.neurons.fixed_pattern.threshold = 0.2
chip.link.delay = 0.1
chip.link.spike_jitter = 0.02

[dataset.yin_yang]
training.size = 30
validation.size = 30
test.size = 400

[encoding]
earliest = 0.15
latest = 2.0

[[layers]]
name = "hidden"
size = 30
bias_times = [0.9]
weights.normal = { mean = 1.5, std = 0.8 }

[[layers]]
name = "label"
size = 3
weights.normal = { mean = 0.3, std = 0.2 }
"#;

type Times = BTreeMap<(String, String, String), f64>;

/// The spikes of neurons of a run in `folder`.
fn times(folder: &Path) -> Times {
    let neurons = rows(&folder.join("spikes.csv")).into_iter();
    let neurons = neurons.filter(|row| ["hidden", "label"].contains(&&row[1]));
    let entry = |row: csv::StringRecord| {
        let time = row[3].parse().expect("a time");
        ((row[0].to_owned(), row[1].to_owned(), row[2].to_owned()), time)
    };
    neurons.map(entry).collect()
}

/// Root mean square of the differences of spikes that both have, and the fraction that only one has.
fn distance(a: &Times, b: &Times) -> (f64, f64) {
    let both: Vec<f64> =
        a.iter().filter_map(|(key, time)| Some((time - b.get(key)?).powi(2))).collect();
    let all = a.len() + b.len() - both.len();
    let mean = both.iter().sum::<f64>() / both.len() as f64;
    (mean.sqrt(), (all - both.len()) as f64 / all as f64)
}

#[test]
fn a_chip_is_found_in_what_it_recorded() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let place = |name: &str| folder.path().join(name);
    std::fs::write(place("network.toml"), SCENARIO).expect("written");
    let run = |out: &str, more: &[&str]| {
        let network = place("network.toml");
        let out = place(out);
        let mut arguments = vec!["run", text(&network), "--out", text(&out), "--quiet"];
        arguments.extend(more);
        successful(folder.path(), &arguments);
        times(&out)
    };
    run("recorded", &[]);
    let without_jitter = run("chip", &["--set", "chip.link.spike_jitter=0"]);
    let ideal = run("ideal", &["--set", "chip = {}"]);
    let (trace, found) = (place("recorded/spikes.csv"), place("found"));
    let network = place("network.toml");
    let told = successful(
        folder.path(),
        &[
            "identify",
            text(&network),
            "--trace",
            text(&trace),
            "--data",
            "test",
            "--out",
            text(&found),
        ],
    );
    assert!(told.stdout.contains("samples              400"), "{}", told.stdout);
    let chip = format!("chip={:?}", text(&found.join("chip.toml")));
    let quiet = ["chip.link.spike_jitter=0", "chip.neurons.trial_to_trial.threshold=0"];
    let again = run("again", &["--set", &chip, "--set", quiet[0], "--set", quiet[1]]);
    let (error, missing) = distance(&without_jitter, &again);
    let (ideal_error, _) = distance(&without_jitter, &ideal);
    // Of a jitter of 0.02 in 400 samples; the ideal neurons are a delay of 0.1 and more away.
    assert!(error < 0.01 && missing < 0.02, "{error} {missing}");
    assert!(ideal_error > 0.1, "{ideal_error}");
    let table = String::from_utf8(read(&found.join("chip_found.csv"))).expect("UTF-8");
    assert_eq!(table.lines().count(), 34, "a row per neuron");
}

#[test]
fn a_trace_without_its_inputs_is_refused() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let place = |name: &str| folder.path().join(name);
    std::fs::write(place("network.toml"), SCENARIO).expect("written");
    std::fs::write(place("trace.csv"), "sample,population,neuron,time_tau_s\n0,hidden,0,1.0\n")
        .expect("written");
    let (network, trace, out) = (place("network.toml"), place("trace.csv"), place("found"));
    let arguments = ["identify", text(&network), "--trace", text(&trace), "--out", text(&out)];
    let ended = firstspike(folder.path(), &arguments);
    assert_eq!(ended.code, Some(2), "{}", ended.stderr);
    assert!(ended.stderr.contains("trace.csv"), "{}", ended.stderr);
    assert!(!out.exists());
}

#[test]
fn a_trained_chip_is_identified_from_the_folder_of_its_run() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let place = |name: &str| folder.path().join(name);
    let (network, out) = (place("network.toml"), place("trained"));
    std::fs::write(&network, format!("{SCENARIO}\n[training]\nepochs = 2\n")).expect("written");
    successful(folder.path(), &["run", text(&network), "--out", text(&out), "--quiet"]);
    let trace = out.join("spikes.csv");
    let of = |what: &Path| {
        let arguments = ["identify", text(what), "--trace", text(&trace), "--data", "test"];
        firstspike(folder.path(), &arguments)
    };
    let refused = of(&network);
    assert_eq!(refused.code, Some(2), "{}", refused.stderr);
    assert!(refused.stderr.contains("`hidden` has the initial weights"), "{}", refused.stderr);
    assert!(refused.stderr.contains("folder of the run"), "{}", refused.stderr);
    let found = of(&out);
    assert_eq!(found.code, Some(0), "{}", found.stderr);
    assert!(found.stdout.contains("noise of times"), "{}", found.stdout);
    // The trained weights explain the record: what is left of the times is the jitter of 0.02.
    let noise = |line: &str| {
        let value = line.trim().strip_prefix("noise of times")?.split_whitespace().next()?;
        value.parse::<f64>().ok()
    };
    let noises: Vec<f64> = found.stdout.lines().filter_map(noise).collect();
    assert_eq!(noises.len(), 2, "{}", found.stdout);
    assert!(noises.iter().all(|&noise| noise < 0.05), "{noises:?}");
    assert!(out.join("chip/chip.toml").is_file());
}
