//! Chip files through the binary: what their entries count, and what is said of wrong ones.

use std::path::Path;

use crate::common::binary::{firstspike, json, project, rows, successful, text};

const SCENARIO: &str = "\
time_unit = \"tau_s\"
dataset.yin_yang = { training.size = 60, validation.size = 30, test.size = 50 }
layers = [{ size = 20 }, { size = 3 }]
[training]
epochs = 2
";

/// Spikes of neurons per sample until the first spike of a label neuron, in the trace of a run's test set.
fn spikes_until_decision(folder: &Path, samples: usize) -> f64 {
    let mut of_samples = vec![(f64::INFINITY, Vec::new()); samples];
    for row in rows(&folder.join("spikes.csv")) {
        let (sample, time): (usize, f64) =
            (row[0].parse().expect("a number"), row[3].parse().expect("a number"));
        let (decision, spikes) = &mut of_samples[sample];
        if ["hidden", "label"].contains(&&row[1]) {
            spikes.push(time);
        }
        if &row[1] == "label" {
            *decision = decision.min(time);
        }
    }
    let count = |(decision, spikes): &(f64, Vec<f64>)| {
        spikes.iter().filter(|&time| time <= decision).count()
    };
    of_samples.iter().map(count).sum::<usize>() as f64 / samples as f64
}

#[test]
fn without_a_window_spikes_and_time_end_at_the_decision() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let place = |name: &str| folder.path().join(name);
    std::fs::write(place("network.toml"), SCENARIO).expect("written");
    let chips = [
        ("ideal", ""),
        ("uneven", "neurons.fixed_pattern.threshold = 0.1\nlink.spike_jitter = 0.1\n"),
    ];
    for (name, more) in chips {
        let sheet = format!("time_unit = \"us\"\ntau_s = 6.0\nenergy.spike = 1e-11\n{more}");
        std::fs::write(place("chip.toml"), sheet).expect("written");
        let arguments = ["run", "network.toml", "--out", name, "--set", "chip=chip.toml"];
        let told = successful(folder.path(), &arguments);
        let account = json(&place(name).join("summary.json"))["hardware"].clone();
        let number = |key: &str| account[key].as_f64().expect("a number");
        let spikes = spikes_until_decision(&place(name), 50);
        assert!((number("spikes_per_sample") - spikes).abs() < 1e-9, "{name}: {account} {spikes}");
        assert!((number("energy_per_sample") / (1e-11 * spikes) - 1.0).abs() < 1e-9, "{account}");
        assert_eq!(number("time_per_sample"), number("decision_time"));
        // Some tens of picojoules are not nothing, on the terminal and in the page.
        assert!(told.stdout.contains(" pJ ("), "{}", told.stdout);
        let page = std::fs::read_to_string(place(name).join("report.html")).expect("a page");
        assert!(page.contains(" pJ") && !page.contains("0.00 µJ"), "{name}");
    }
}

#[test]
fn a_value_out_of_range_is_found_in_the_chip_file() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let place = |name: &str| folder.path().join(name);
    std::fs::write(place("network.toml"), SCENARIO).expect("written");
    std::fs::write(
        place("chip.toml"),
        "name = \"mine\"\n\n[weights]\nmagnitude_bits = 40\nlargest = 2.0\n",
    )
    .expect("written");
    let refused = |arguments: &[&str]| {
        let ended = firstspike(folder.path(), arguments);
        assert_eq!(ended.code, Some(2), "{}", ended.stderr);
        ended.stderr
    };
    let from_file = refused(&["check", "network.toml", "--set", "chip=chip.toml"]);
    assert!(
        from_file.contains("chip.toml:4: weights.magnitude_bits: 40 must be from 1 to 24"),
        "{from_file}"
    );
    let by_itself = refused(&["check", "chip.toml"]);
    assert!(by_itself.contains("chip.toml:4: weights.magnitude_bits: 40"), "{by_itself}");
    // What the command line says stays the command line's.
    let bits = "chip.weights.magnitude_bits=50";
    let overridden = refused(&["check", "network.toml", "--set", "chip=chip.toml", "--set", bits]);
    assert!(overridden.contains("--set: chip.weights.magnitude_bits: 50"), "{overridden}");
    let run = refused(&["run", "chip.toml"]);
    assert!(run.contains("this is a chip file") && run.contains("--set chip=chip.toml"), "{run}");
}

#[test]
fn a_chip_file_is_checked_by_itself() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for name in ["brainscales2", "ideal", "loihi", "odin"] {
        let path = project().join("chips").join(name).with_extension("toml");
        let told = successful(folder.path(), &["check", text(&path)]);
        assert!(told.stdout.contains("[weights]"), "{}", told.stdout);
        assert!(told.stderr.contains("a chip file"), "{}", told.stderr);
    }
}

#[test]
fn evaluating_on_a_chip_says_what_it_takes_there_on_any_individual() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let place = |name: &str| folder.path().join(name);
    std::fs::write(place("network.toml"), SCENARIO).expect("written");
    std::fs::write(
        place("chip.toml"),
        "time_unit = \"us\"\ntau_s = 6.0\nenergy.spike = 1e-11\nneurons.fixed_pattern.threshold = 0.2\n",
    )
    .expect("written");
    successful(folder.path(), &["run", "network.toml", "--out", "ideal", "--quiet"]);
    let evaluate = |more: &[&str], out: &str| {
        let arguments = ["evaluate", "ideal", "--set", "test", "--out", out];
        let told = successful(folder.path(), &[&arguments[..], more].concat());
        (told.stdout, json(&place(out)))
    };
    let (told, without) = evaluate(&[], "without.json");
    assert!(!told.contains("on the chip"), "{told}");
    assert!(without["hardware"].is_null(), "{without}");
    let on = |individual: &str| {
        let more = ["--chip", "chip.toml", "--individual", individual];
        evaluate(&more, &format!("{individual}.json"))
    };
    let ((told, one), (_, two), (_, again)) = (on("1"), on("2"), on("1"));
    for line in ["on the chip", "time per sample", "energy per sample"] {
        assert!(told.contains(line), "{told}");
    }
    assert!(one["hardware"]["energy_per_sample"].as_f64().expect("a number") > 0.0, "{one}");
    assert_eq!(one, again);
    assert_ne!(one["mean_decision_time"], two["mean_decision_time"]);
    let refused =
        firstspike(folder.path(), &["evaluate", "ideal", "--set", "test", "--individual", "1"]);
    assert_eq!(refused.code, Some(2), "{}", refused.stderr);
    assert!(refused.stderr.contains("without a chip"), "{}", refused.stderr);
}

#[test]
fn odd_amounts_are_doubted_before_the_run() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    std::fs::write(folder.path().join("network.toml"), SCENARIO).expect("written");
    let spread = "chip.neurons.fixed_pattern.threshold=5";
    let told = successful(folder.path(), &["check", "network.toml", "--set", spread]);
    assert!(told.stderr.contains("0.05 for 5 %"), "{}", told.stderr);
}
