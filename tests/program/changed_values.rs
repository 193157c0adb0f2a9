//! Values that `--set` and the axes of a study change: whole numbers, another kind of a thing, and paths,
//! which begin where they stand.

use crate::common;

use std::path::Path;

use common::binary::{firstspike, json, project, rows, successful, text};
use common::cases::{case, replace};

#[test]
fn evenly_spaced_axes_go_with_keys_that_are_whole_numbers() {
    let folder = case("axis-whole-numbers");
    successful(folder.path(), &["run", "study.toml", "--out", "out"]);
    let found = rows(&folder.path().join("out/results.csv"));
    let sizes: Vec<&str> = found.iter().map(|row| &row[2]).collect();
    assert_eq!(sizes, ["10", "20", "30"]);
    assert!(found.iter().all(|row| row[12].is_empty()), "{found:?}");

    // A size that is no whole number is the user's to mend.
    replace(&folder.path().join("study.toml"), "to = 30", "to = 31");
    let ended = firstspike(folder.path(), &["check", "study.toml"]);
    assert_eq!(ended.code, Some(2));
    assert!(ended.stderr.contains("layers.0.size=20.5"), "{}", ended.stderr);
    assert!(ended.stderr.contains("expected a whole number"), "{}", ended.stderr);
}

#[test]
fn another_kind_of_a_thing_replaces_what_the_file_has() {
    let folder = case("set-variant");
    let check = |changes: &[&str]| {
        let set = changes.iter().flat_map(|change| ["--set", change]);
        firstspike(
            folder.path(),
            &["check", "scenario.toml"].into_iter().chain(set).collect::<Vec<_>>(),
        )
    };
    for (changes, expected) in [
        (
            &[
                "training.loss.first_spike_cross_entropy.scale=0.2",
                "training.loss.first_spike_cross_entropy.early_weight=0.005",
                "training.loss.first_spike_cross_entropy.early_scale=1",
            ][..],
            "[training.loss.first_spike_cross_entropy]\nscale = 0.2\n",
        ),
        (
            &[
                "training.loss.mean_squared_error.correct=1.6",
                "training.loss.mean_squared_error.wrong=2",
            ],
            "[training.loss.mean_squared_error]\ncorrect = 1.6\n",
        ),
        (&["layers.0.weights.constant=1"], "[layers.weights]\nconstant = 1.0\n"),
        (
            &["neuron.tau_m.normal.mean=1", "neuron.tau_m.normal.std=0.1"],
            "[neuron.tau_m.normal]\nmean = 1.0\nstd = 0.1\n",
        ),
        (&["neuron.tau_m.uniform={low=1,high=2}", "neuron.tau_m=3"], "tau_m = 3.0\n"),
    ] {
        let ended = check(changes);
        assert_eq!(ended.code, Some(0), "{changes:?}: {}", ended.stderr);
        assert!(ended.stdout.contains(expected), "{changes:?}: {}", ended.stdout);
    }
    for (change, expected) in [
        (
            "training.loss.first_spike_cross_entropy.scale=0.2",
            "--set 'training.loss={first_spike_cross_entropy={…}}'",
        ),
        (
            "layers.0.weights=1.0",
            "write --set 'layers.0.weights={constant=…}', with one of constant, normal",
        ),
        ("neuron.tau_m.normal.mean=1", "--set 'neuron.tau_m={normal={…}}'"),
    ] {
        let ended = check(&[change]);
        assert_eq!(ended.code, Some(2), "{change}");
        assert!(ended.stderr.starts_with(&format!("error: --set {change}: ")), "{}", ended.stderr);
        assert!(ended.stderr.contains(expected), "{change}: {}", ended.stderr);
    }
}

/// The rule of paths: in a file they begin at its folder, on the command line at the working directory.
#[test]
fn paths_begin_at_their_file_or_at_the_working_directory() {
    let case = case("axis-whole-numbers");
    let folder = case.path();
    for inner in ["scenarios", "studies/data", "here"] {
        std::fs::create_dir_all(folder.join(inner)).expect("writable");
    }
    for name in ["base.toml", "train.csv", "test.csv"] {
        std::fs::rename(folder.join(name), folder.join("scenarios").join(name)).expect("there");
    }
    // The same data with other labels, for the command line and for the study.
    let table = std::fs::read_to_string(folder.join("scenarios/train.csv")).expect("a table");
    let one = table.replacen("0.1476,0.8088,0", "0.1476,0.8088,1", 1);
    let two = table.replacen("0.1476,0.8088,0", "0.1476,0.8088,2", 1);
    std::fs::write(folder.join("here/train.csv"), one).expect("writable");
    std::fs::write(folder.join("studies/data/train.csv"), two).expect("writable");

    let data = |arguments: &[&str], from: &Path| {
        let ended = successful(from, arguments);
        let line =
            ended.stdout.lines().find(|line| line.starts_with("csv = ") && line.contains("train"));
        let path = line.unwrap_or_else(|| panic!("{}", ended.stdout)).to_owned();
        path.trim_start_matches("csv = ").trim_matches('"').to_owned()
    };
    let expected = |path: &str| text(&folder.join(path)).to_owned();
    let check = ["check", "scenarios/base.toml"];
    assert_eq!(data(&check, folder), expected("scenarios/train.csv"));
    let set = ["--set", "dataset.file.training.csv=here/train.csv"];
    assert_eq!(data(&[&check[..], &set].concat(), folder), expected("here/train.csv"));

    let study = "[study]\nbase = '../scenarios/base.toml'\n\
                 set = ['training.epochs=1', 'dataset.file.training.csv=data/train.csv']\nseeds = 1\n\
                 [[axes]]\nname = 'size'\nkey = 'layers.0.size'\nvalues = [5]\n";
    std::fs::write(folder.join("studies/study.toml"), study).expect("writable");
    let check = ["check", "studies/study.toml"];
    // A study is printed with paths as they are from here.
    assert_eq!(data(&check, folder), "studies/data/train.csv");
    assert_eq!(data(&[&check[..], &set].concat(), folder), "here/train.csv");
}

#[test]
fn a_program_beside_a_scenario_without_folder_is_found() {
    let Some(python) = crate::external_substrate::python("csv") else { return };
    let folder = case("bare-scenario-substrate");
    let program = project().join("examples/substrate.py");
    std::fs::copy(program, folder.path().join("substrate.py")).expect("writable");
    replace(&folder.path().join("scenario.toml"), "\"python3\"", &format!("{python:?}"));
    successful(folder.path(), &["run", "scenario.toml", "--out", "bare", "--quiet"]);
    successful(folder.path(), &["run", "./scenario.toml", "--out", "dotted", "--quiet"]);
    let accuracy =
        |out: &str| json(&folder.path().join(out).join("summary.json"))["test_accuracy"].clone();
    assert_eq!(accuracy("bare"), 0.6);
    assert_eq!(accuracy("bare"), accuracy("dotted"));
    // The scenario of the results runs from where they are.
    let there = folder.path().join("bare");
    successful(&there, &["run", "scenario.toml", "--out", "../again", "--quiet"]);
    assert_eq!(accuracy("again"), 0.6);
}
