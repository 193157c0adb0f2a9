//! Which engine runs a network, and why not a faster one, is said: in the terminal, in the summary, and
//! by `check`.

use std::path::Path;

use serde_json::{Value, json};

use crate::common::binary::{self, Ended, firstspike, project, successful, text, tiny_training};

/// A folder with a scenario.
fn folder(scenario: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    std::fs::write(folder.path().join("scenario.toml"), scenario).expect("writable");
    folder
}

fn run(folder: &Path, changes: &[&str]) -> (Ended, Value) {
    let run = ["run", "scenario.toml", "--out", "out", "--overwrite"];
    let ended = successful(folder, &[&run[..], changes].concat());
    let summary = binary::json(&folder.join("out/summary.json"));
    (ended, summary["engine"].clone())
}

#[test]
fn a_training_says_why_it_is_left_to_the_event_engine() {
    let head = "[neuron]\ntau_s_inhibitory = 0.5\n";
    let place = folder(&tiny_training(head, [60, 30, 30], 1));
    let why = "layer `hidden` has inhibitory synapses with a time constant of their own";
    let line = format!("event (21 times slower than feed_forward): {why}");
    let (ended, engine) = run(place.path(), &[]);
    let expected = json!({
        "name": "event", "faster": "feed_forward", "times_faster": 21, "why_not_faster": why,
    });
    assert_eq!(engine, expected);
    assert!(ended.stdout.contains(&format!("engine               {line}")), "{}", ended.stdout);
    // It may be worth stopping, so it is said before the first epoch too.
    let (before, _) = ended.stderr.split_once("epoch ").expect("a line per epoch");
    assert!(before.contains(&format!("engine: {line}")), "{}", ended.stderr);
    let checked = successful(place.path(), &["check", "scenario.toml"]);
    assert!(checked.stderr.contains(&format!("engine: {line}")), "{}", checked.stderr);
    // A complete run is shown as it was.
    let again = successful(place.path(), &["run", "scenario.toml", "--out", "out", "--resume"]);
    assert!(again.stdout.contains(&line), "{}", again.stdout);

    for command in ["check", "run"] {
        let forced = [command, "scenario.toml", "--set", "engine='feed_forward'"];
        let refused = firstspike(place.path(), &forced);
        assert_eq!(refused.code, Some(2), "{}", refused.stderr);
        assert!(refused.stderr.contains(&format!("feed_forward: {why}")), "{}", refused.stderr);
    }
}

#[test]
fn the_fastest_engine_needs_no_reason_and_a_slower_one_that_was_asked_for_has_one() {
    let place = folder(&tiny_training("", [60, 30, 30], 1));
    let (ended, engine) = run(place.path(), &[]);
    assert_eq!(engine, json!({ "name": "feed_forward", "why_not_faster": null }));
    assert!(ended.stdout.contains("engine               feed_forward\n"), "{}", ended.stdout);
    assert!(!ended.stderr.contains("engine"), "{}", ended.stderr);
    let (_, engine) = run(place.path(), &["--set", "engine='event'"]);
    assert_eq!(engine["name"], "event");
    assert_eq!(engine["why_not_faster"], "the scenario asks for it");
    let single = ["--set", "engine='feed_forward'", "--set", "precision='single'"];
    let (_, engine) = run(place.path(), &single);
    assert_eq!(engine["name"], "feed_forward, single precision");
}

#[test]
fn a_large_simulation_says_why_the_window_engine_cannot_run_it() {
    let place = folder(
        "[[populations]]\nname = 'source'\nsource.spike_times = [[1.0]]\n\
         [[populations]]\nname = 'first'\nsize = 500\n\
         [[populations]]\nname = 'second'\nsize = 500\n\
         [[projections]]\npre = 'source'\npost = 'first'\nconnect.all_to_all = {}\n\
         weights.constant = 3.0\n\
         [[projections]]\npre = 'first'\npost = 'second'\nconnect.all_to_all = {}\n\
         weights.constant = 0.001\ndelays.constant = 0.0\n\
         [simulation]\nuntil = 2.0\n",
    );
    let (ended, engine) = run(place.path(), &[]);
    let why = "first[0] has a synapse without delay: the window engine needs delays above zero";
    assert_eq!(engine["name"], "event");
    assert_eq!(engine["why_not_faster"], why);
    let line = format!("event (42 times slower than window): {why}");
    assert!(ended.stdout.contains(&line) && ended.stderr.contains(&line), "{}", ended.stdout);
    let checked = successful(place.path(), &["check", "scenario.toml"]);
    assert!(checked.stderr.contains(&line), "{}", checked.stderr);
    let (_, engine) = run(place.path(), &["--set", "projections.1.delays.constant=0.5"]);
    assert_eq!(engine, json!({ "name": "window", "why_not_faster": null }));
    let refused = firstspike(
        place.path(),
        &["check", "scenario.toml", "--set", "simulation.engine='window'"],
    );
    assert_eq!(refused.code, Some(2));
    assert!(refused.stderr.contains(&format!("simulation.engine: {why}")), "{}", refused.stderr);
}

#[test]
fn training_to_emit_spike_trains_refuses_an_engine_that_would_not_run_it() {
    let path = project().join("scenarios/recurrent_learning.toml");
    let place = tempfile::tempdir().expect("a temporary folder");
    let checked = successful(place.path(), &["check", text(&path)]);
    assert!(checked.stderr.contains("engine: event\n"), "{}", checked.stderr);
    let refused =
        firstspike(place.path(), &["check", text(&path), "--set", "simulation.engine='window'"]);
    assert_eq!(refused.code, Some(2));
    assert!(
        refused.stderr.contains("[spike_training] runs on the event engine"),
        "{}",
        refused.stderr
    );
}

#[test]
fn a_million_inputs_at_one_time_are_summed_exactly() {
    let case = project().join("tests/cases/many-simultaneous/scenario.toml");
    let place = folder(&std::fs::read_to_string(case).expect("a case"));
    let (_, engine) = run(place.path(), &[]);
    assert_eq!((&engine["name"], &engine["faster"]), (&json!("event"), &json!("window")));
    let spikes = std::fs::read_to_string(place.path().join("out/spikes.csv")).expect("spikes");
    let time = spikes.lines().nth(1).and_then(|line| line.rsplit(',').next()).expect("a spike");
    let time: f64 = time.parse().expect("a time");
    // `1 − W₀(−1/w)` with fifty digits, for a million times the double 2.9e-6. The crossing magnifies the
    // rounding of the sum 1.1 times; the start of the inputs adds one of its own.
    assert!((time - 1.682_031_923_694_572).abs() < 4.0 * f64::EPSILON, "{time}");
}
