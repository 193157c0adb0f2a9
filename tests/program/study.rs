//! Studies: every point with every seed into one tidy file, on any number of threads and machines,
//! through any number of interruptions; and what is made of it.

use crate::common;

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use common::binary::{firstspike, project, read, rows, successful, text, tiny_training};
use common::stopping::signal;
use firstspike::study::{Limit, Quantity, Study, Summary, tolerances};
use nix::sys::signal::Signal;

const HEAD: &str = r#"
[chip]
time_unit = "us"
tau_s = 6.0
energy.static_power = 0.175
"#;

pub(crate) const STUDY: &str = r#"
[study]
title = "Jitter"
base = "tiny.toml"
set = ["training.batch_size=50"]
seeds = [3, 1]
variants = ["in_the_loop", "ideal_then_chip"]

[[axes]]
name = "jitter"
key = "chip.link.spike_jitter"
factor = 6.0
label = "Jitter of spikes"
unit = "τ_s"
values = [0.0, 0.1, 1]
ideal = 0.0
"#;

/// A folder with the study and its scenario.
pub(crate) fn folder(study: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    std::fs::write(folder.path().join("tiny.toml"), tiny_training(HEAD, [300, 50, 100], 3))
        .expect("writable");
    std::fs::write(folder.path().join("study.toml"), study).expect("writable");
    folder
}

/// The lines of a file of results, sorted.
pub(crate) fn sorted(results: &Path) -> Vec<String> {
    let text = String::from_utf8(read(results)).expect("UTF-8");
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    lines.sort();
    lines
}

fn number(row: &csv::StringRecord, column: usize) -> f64 {
    row[column].parse().unwrap_or_else(|_| panic!("{row:?}: column {column}"))
}

#[test]
fn trains_every_point_with_every_seed_as_run_would() {
    let place = folder(STUDY);
    let ended = successful(place.path(), &["run", "study.toml", "--out", "out"]);
    let found = rows(&place.path().join("out/results.csv"));
    assert_eq!(found.len(), 12, "two variants, three values, two seeds");
    let keys: HashSet<(String, String, String)> =
        found.iter().map(|row| (row[1].to_owned(), row[2].to_owned(), row[3].to_owned())).collect();
    assert_eq!(keys.len(), 12);
    assert!(ended.stderr.contains("[12/12]"), "{}", ended.stderr);
    let row = |variant: &str, value: &str, seed: &str| {
        let is = |row: &&csv::StringRecord| {
            (&row[1], &row[2], &row[3]) == (variant, value, seed) && &row[0] == "study"
        };
        found.iter().find(is).unwrap_or_else(|| panic!("{variant} {value} {seed}"))
    };

    let arguments = ["run", "tiny.toml", "--seed", "3", "--set", "training.batch_size=50"];
    for (value, chip) in [("0", "0.0"), ("0.1", "0.6000000000000001")] {
        let jitter = format!("chip.link.spike_jitter={chip}");
        let out = ["--out", "one", "--overwrite", "--set", &jitter];
        successful(place.path(), &[&arguments[..], &out].concat());
        let summary = common::binary::json(&place.path().join("one/summary.json"));
        let row = row("in_the_loop", value, "3");
        for (column, value) in [
            (4, &summary["test_accuracy"]),
            (5, &summary["train_accuracy"]),
            (6, &summary["validation_accuracy"]),
            (7, &summary["mean_decision_time"]),
            (8, &summary["hardware"]["spikes_per_sample"]),
            (9, &summary["hardware"]["energy_per_sample"]),
            (10, &summary["test_undecided"]),
            (11, &summary["epochs"]),
        ] {
            assert_eq!(Some(number(row, column)), value.as_f64(), "column {column} of {row:?}");
        }
        assert_eq!(&row[12], "");
    }

    // What the results belong to can be run as it stands.
    successful(place.path(), &["check", "out/base.toml"]);

    // Without a distortion there is no difference to have been trained with it.
    let without =
        |row: &csv::StringRecord| row.iter().skip(2).map(str::to_owned).collect::<Vec<_>>();
    let (one, two) = (row("in_the_loop", "0", "1"), row("ideal_then_chip", "0", "1"));
    assert_eq!(without(one), without(two));
    // With one there is, and the ideal training is measured on the distorted chip.
    let (ideal, distorted) = (row("ideal_then_chip", "0", "1"), row("ideal_then_chip", "1", "1"));
    assert!(number(distorted, 4) < number(ideal, 4), "{distorted:?} {ideal:?}");
    // Accuracies of a hundred samples may be the same by chance, mean times of decision hardly.
    assert_ne!(number(distorted, 7), number(row("in_the_loop", "1", "1"), 7));
}

#[test]
fn interruptions_and_threads_change_nothing() {
    // More results than the interrupted parts can be through with.
    let study = STUDY.replace("seeds = [3, 1]", "seeds = 6");
    let place = folder(&study);
    let slow = ["run", "study.toml", "--set", "training.epochs=20", "--out"];
    successful(place.path(), &[&slow[..], &["whole", "--threads", "1"]].concat());
    let results = place.path().join("parts/results.csv");
    let complete = || {
        let text = std::fs::read_to_string(&results).unwrap_or_default();
        text.lines().count().saturating_sub(1)
    };
    let mut before = 0;
    for by in [Signal::SIGKILL, Signal::SIGINT, Signal::SIGKILL] {
        let arguments: Vec<String> = [&slow[..], &["parts", "--threads", "2"]]
            .concat()
            .into_iter()
            .map(str::to_owned)
            .collect();
        // A result of this part: what is there already is said in another way.
        let cue = |line: &str| line.starts_with('[');
        let (code, _) = signal(place.path(), &arguments, cue, by);
        assert_eq!(code, (by == Signal::SIGINT).then_some(130), "{by}");
        let now = complete();
        assert!(now > before && now < 36, "{by}: {now} results after {before}");
        before = now;
    }
    // A row that was being written when the power went.
    let mut bytes = read(&results);
    bytes.extend(b"study,in_the_loop,0,2,0.9");
    std::fs::write(&results, bytes).expect("writable");
    let last = successful(place.path(), &[&slow[..], &["parts", "--threads", "2"]].concat());
    let trained = last.stderr.lines().filter(|line| line.starts_with('[')).count();
    assert_eq!(trained, 36 - before, "nothing is done twice");
    assert_eq!(sorted(&place.path().join("whole/results.csv")), sorted(&results));
    // And once more, there is nothing to do.
    let again = successful(place.path(), &[&slow[..], &["parts"]].concat());
    assert!(!again.stderr.lines().any(|line| line.starts_with('[')), "{}", again.stderr);
}

#[test]
fn shards_are_merged_into_the_whole() {
    let place = folder(STUDY);
    successful(place.path(), &["run", "study.toml", "--out", "whole"]);
    let mut parts: Vec<PathBuf> = Vec::new();
    for shard in ["1/3", "2/3", "3/3"] {
        // As if each was on a machine of its own.
        let out = format!("machine_{}", &shard[..1]);
        successful(place.path(), &["run", "study.toml", "--shard", shard, "--out", &out]);
        parts.push(place.path().join(out).join(format!("results_{}_of_3.csv", &shard[..1])));
    }
    assert_eq!(parts.iter().map(|part| rows(part).len()).collect::<Vec<_>>(), [4, 4, 4]);
    let files: Vec<&str> = parts.iter().map(|part| text(part)).collect();
    let merge = |files: &[&str]| {
        firstspike(
            place.path(),
            &[&["study", "merge"], files, &["--out", "merged/results.csv"]].concat(),
        )
    };
    assert_eq!(merge(&files).code, Some(0));
    let merged = place.path().join("merged/results.csv");
    assert_eq!(sorted(&merged), sorted(&place.path().join("whole/results.csv")));
    // What is in two files is there once; the order of files has no say.
    let bytes = read(&merged);
    assert_eq!(merge(&[files[2], files[0], files[1], files[0]]).code, Some(0));
    assert_eq!(read(&merged), bytes);
    // What failed on one machine and not on another did not fail.
    let failed = place.path().join("failed.csv");
    let heading = String::from_utf8_lossy(&bytes).lines().next().expect("a heading").to_owned();
    std::fs::write(&failed, format!("{heading}\nstudy,in_the_loop,0,3,,,,,,,,,no memory\n"))
        .expect("writable");
    assert_eq!(merge(&[text(&failed), files[0], files[1], files[2]]).code, Some(0));
    assert_eq!(read(&merged), bytes);
    // The merged file is as good as a run.
    std::fs::rename(place.path().join("merged"), place.path().join("study")).expect("renamed");
    successful(
        place.path(),
        &["study", "report", "study.toml", "--results", ".", "--out", "report"],
    );
    for name in ["study.svg", "study.png", "statistics.md", "tolerance.csv"] {
        assert!(place.path().join("report").join(name).exists(), "{name}");
    }

    // Contradictions are not papered over.
    let other = place.path().join("other.csv");
    let changed = String::from_utf8(bytes).expect("UTF-8").replacen(",3,0.", ",3,0.1", 1);
    std::fs::write(&other, changed).expect("writable");
    let refused = merge(&[files[0], files[1], files[2], text(&other)]);
    assert_eq!(refused.code, Some(2));
    assert!(refused.stderr.contains("is another result than in"), "{}", refused.stderr);
}

#[test]
fn a_training_that_fails_is_recorded_and_the_others_go_on() {
    // With so many neurons the network does not fit.
    let study = STUDY
        .replace("key = \"chip.link.spike_jitter\"", "key = \"layers.0.size\"")
        .replace("factor = 6.0\n", "")
        .replace("values = [0.0, 0.1, 1]\nideal = 0.0", "values = [5, 40]")
        .replace("set = [", "set = [\"chip.size.neurons=30\", ");
    let place = folder(&study);
    let ended = firstspike(place.path(), &["run", "study.toml", "--out", "out"]);
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    let found = rows(&place.path().join("out/results.csv"));
    assert_eq!(found.len(), 8);
    for row in &found {
        if &row[2] == "5" {
            assert_eq!(&row[12], "");
            assert!(number(row, 4) > 0.0);
        } else {
            assert!(row[12].contains("has 30: take 13 from its layers"), "{row:?}");
            assert_eq!(&row[4], "");
        }
    }
    assert!(place.path().join("out/study.png").exists(), "what there is, is drawn");
    // It stays failed, and nothing is repeated.
    let again = firstspike(place.path(), &["run", "study.toml", "--out", "out"]);
    assert_eq!(again.code, Some(1));
    assert_eq!(rows(&place.path().join("out/results.csv")).len(), 8);
}

#[test]
fn axes_are_combined_as_a_grid_or_in_pairs() {
    let second =
        "\n[[axes]]\nname = \"loss\"\nkey = \"chip.link.loss\"\nvalues = [0.0, \"base\", 0.5]\n";
    let points = |study: &str| -> Result<Vec<String>, String> {
        let place = folder(study);
        let study =
            Study::read(&place.path().join("study.toml")).map_err(|error| error.to_string())?;
        Ok(study.points().iter().map(|point| study.describe(point)).collect())
    };
    let grid = points(&format!("{STUDY}{second}")).expect("a study");
    assert_eq!(grid.len(), 9);
    assert_eq!(grid[..2], ["jitter = 0, loss = 0", "jitter = 0, loss = base"]);
    let paired = STUDY.replace("seeds =", "combine = \"paired\"\nseeds =");
    let pairs = points(&format!("{paired}{second}")).expect("a study");
    assert_eq!(
        pairs,
        ["jitter = 0, loss = 0", "jitter = 0.1, loss = base", "jitter = 1, loss = 0.5"]
    );
    let uneven = second.replace(", 0.5]", "]");
    let message = points(&format!("{paired}{uneven}")).expect_err("uneven");
    assert!(
        message.contains("axes.1.values: 2 values, but paired axes must have as many"),
        "{message}"
    );

    // What a point sets is what its scenario has, and nothing else is.
    let place = folder(&format!("{STUDY}{second}"));
    let study = Study::read(&place.path().join("study.toml")).expect("a study");
    let chip = |index: usize| {
        let loaded = study.load(&study.points()[index], 5).expect("a scenario");
        assert_eq!(loaded.scenario.seed, 5);
        assert_eq!(loaded.scenario.training.expect("it trains").batch_size, Some(50));
        loaded.scenario.chip.expect("there is a chip").link
    };
    assert_eq!((chip(5).spike_jitter, chip(5).loss), (0.1 * 6.0, 0.5));
    assert_eq!((chip(7).spike_jitter, chip(7).loss), (6.0, 0.0));
}

#[test]
fn a_dry_run_lists_the_points_and_writes_nothing() {
    let place = folder(STUDY);
    let ended = successful(place.path(), &["run", "study.toml", "--dry-run", "--out", "out"]);
    assert!(ended.stdout.starts_with("jitter = 0\njitter = 0.1\njitter = 1\n"), "{}", ended.stdout);
    assert!(ended.stdout.contains("3 points, 2 seeds, 2 variants: 12 trainings; about "));
    assert!(!place.path().join("out").exists());
}

#[test]
fn what_is_wrong_is_refused_before_anything_is_done() {
    for (from, to, message) in [
        ("base = \"tiny.toml\"", "base = \"no.toml\"", "cannot read scenario"),
        ("title =", "titel =", "Did you mean `title`?"),
        ("seeds = [3, 1]", "seeds = []", "study.toml:6: study.seeds: there must be a seed"),
        ("seeds = [3, 1]", "seeds = \"some\"", "expected a number of seeds, or a list of seeds"),
        ("values = [0.0, 0.1, 1]", "values = [0.0, -1]", "jitter = -1"),
        ("values = [0.0, 0.1, 1]", "values = [0.0, -1]", "must be finite and not negative"),
        ("key = \"chip.link.spike_jitter\"", "key = \"chip.link.jitter\"", "jitter = 0"),
        ("ideal = 0.0", "ideal = 7", "axes.0.ideal: 7 must be one of the values"),
        ("name = \"jitter\"", "name = \"seed\"", "`seed` is the name of another column"),
        ("values = [0.0, 0.1, 1]", "values = []", "axes.0.values: 0 values"),
    ] {
        let place = folder(&STUDY.replace(from, to));
        for command in ["run", "check"] {
            let ended = firstspike(place.path(), &[command, "study.toml"]);
            assert_eq!(ended.code, Some(2), "{to}: {}", ended.stderr);
            assert!(ended.stderr.contains(message), "{to}: {}", ended.stderr);
            assert!(!place.path().join("traces").exists(), "{to}");
        }
    }
    let place = folder(STUDY);
    let ended = firstspike(place.path(), &["run", "tiny.toml", "--shard", "1/2"]);
    assert_eq!(ended.code, Some(2));
    assert!(ended.stderr.contains("--shard is for studies"), "{}", ended.stderr);
    // Results of another base are not mixed.
    successful(place.path(), &["run", "study.toml", "--out", "out"]);
    let before = read(&place.path().join("out/results.csv"));
    let more = ["run", "study.toml", "--out", "out", "--set", "training.epochs=4"];
    let ended = firstspike(place.path(), &more);
    assert_eq!(ended.code, Some(2));
    assert!(ended.stderr.contains("epochs = 3"), "{}", ended.stderr);
    assert_eq!(read(&place.path().join("out/results.csv")), before);
}

/// Results that one can compute with in the head.
#[test]
fn statistics_and_tolerances_are_of_the_seeds() {
    let study = STUDY.replace("variants = [\"in_the_loop\", \"ideal_then_chip\"]\n", "");
    let place = folder(&study.replace("seeds = [3, 1]", "seeds = 7"));
    let mut csv = "study,variant,jitter,seed,test_accuracy,train_accuracy,validation_accuracy,\
                   mean_decision_time,spikes_per_sample,energy_per_sample,undecided,epochs,error\n"
        .to_owned();
    for (value, median) in [("0", 0.98), ("0.1", 0.975), ("1", 0.965)] {
        for seed in 1..=7 {
            let accuracy = median + 0.001 * f64::from(seed - 4);
            csv += &format!("study,in_the_loop,{value},{seed},{accuracy},1,1,2,30,1e-6,0,3,\n");
        }
    }
    let results = place.path().join("results.csv");
    std::fs::write(&results, csv).expect("writable");
    let study = Study::read(&place.path().join("study.toml")).expect("a study");
    let summary = Summary::read(&study, &results).expect("results");
    let groups = &summary.series[0].groups;
    let of = |quantity| groups[1].statistics(&summary, quantity).expect("values");
    let close = |found: f64, expected: f64| {
        assert!((found - expected).abs() < 1e-9, "{found} {expected}");
    };
    let accuracy = of(Quantity::Accuracy);
    close(accuracy.minimum, 97.2);
    close(accuracy.lower_quartile, 97.35);
    close(accuracy.median, 97.5);
    let ends = accuracy.confidence.expect("seven are enough");
    close(ends.low, 97.2);
    close(ends.high, 97.8);
    close(of(Quantity::DecisionTime).median, 12.0);
    close(of(Quantity::Energy).median, 1.0);
    let found = tolerances(&summary);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].borne.to_string(), "0.1");
    let at = |limit: &Limit| match limit {
        Limit::At(value) => *value,
        other => panic!("{other:?}"),
    };
    // From 97.5 at 0.1 to 96.5 at 1: at 97.0 half way.
    close(at(&found[0].limit), 0.55);
    // The lower ends, 0.3 below: 97.2 at 0.1 and 96.2 at 1; the upper ends: 97.8 and 96.8.
    close(at(&found[0].between.0), 0.1 + 0.9 * 0.2);
    close(at(&found[0].between.1), 0.1 + 0.9 * 0.8);
}

/// Every study of the project is one, to its last point.
#[test]
fn the_panels_are_valid() {
    let mut names = HashSet::new();
    for (folder, seeds) in [("yin_yang", 20), ("mnist_16x16", 3)] {
        let folder = project().join("scenarios/studies").join(folder);
        let mut count = 0;
        for entry in std::fs::read_dir(&folder).expect("studies") {
            let path = entry.expect("readable").path();
            let study = Study::read(&path).unwrap_or_else(|error| panic!("{error}"));
            assert!(names.insert(study.name.clone()), "{}: a name of two", study.name);
            assert_eq!(study.seeds.len(), seeds, "{}", path.display());
            assert!(study.axes[0].ideal.is_some(), "{}", path.display());
            study.identity().unwrap_or_else(|error| panic!("{error}"));
            for point in study.points() {
                study.load(&point, 1).unwrap_or_else(|error| panic!("{error}"));
            }
            count += 1;
        }
        assert_eq!(count, 15, "{}", folder.display());
    }
}
