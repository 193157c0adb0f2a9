//! Traces with a known answer, in `tests/cases`: durations, bins, silent trials, coincident spikes, ids.

use crate::common;

use std::path::{Path, PathBuf};

use common::binary::{Ended, firstspike, json, project, successful, text};
use serde_json::Value;

/// A file of a case.
fn case(name: &str) -> PathBuf {
    project().join("tests/cases").join(name)
}

fn printed(ended: &Ended) -> Value {
    serde_json::from_str(&ended.stdout).expect("JSON")
}

fn statistics(trace: &Path, more: &[&str]) -> Value {
    printed(&successful(project(), &[&["stats", text(trace), "--json"], more].concat()))
}

fn near(found: &Value, expected: f64, tolerance: f64) {
    let found = found.as_f64().expect("a number");
    assert!((found - expected).abs() <= tolerance * expected.abs(), "{found} is not {expected}");
}

/// A folder with a file in it.
fn folder_with(name: &str, content: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    std::fs::write(folder.path().join(name), content).expect("writable");
    folder
}

/// 100 clocks spike every T = 10 ln(5/4) + 2 ms, first 2 ms earlier. Interrupted whenever, they have spiked k
/// times up to (k T − 2) ms.
#[cfg(unix)]
#[test]
fn rates_of_an_interrupted_simulation_are_over_the_time_that_it_reached() {
    use common::stopping::signal;
    use nix::sys::signal::Signal;

    let folder = tempfile::tempdir().expect("a temporary folder");
    let scenario = case("interrupted-rate/scenario.toml");
    let arguments = ["run", text(&scenario), "--out", "out"].map(str::to_owned);
    let (code, said) =
        signal(folder.path(), &arguments, |line| line.contains("simulating"), Signal::SIGINT);
    assert_eq!(code, Some(130), "{said:?}");
    let summary = json(&folder.path().join("out/summary.json"));
    assert_eq!(summary["interrupted"], true);
    let clock = &summary["populations"][0];
    let spikes = clock["spikes"].as_u64().expect("a count");
    assert_eq!(spikes % 100, 0, "all spikes of the last instant are there");
    let count = (spikes / 100) as f64;
    let period = 10.0 * 1.25_f64.ln() + 2.0;
    let reached = count * period - 2.0;
    near(&summary["reached"], reached, 1e-9);
    near(&clock["rate_per_second"], 1e3 * count / reached, 1e-9);
    near(&clock["rate_per_second"], 236.326, 1.0 / count);

    let found = statistics(&folder.path().join("out/spikes.csv"), &[]);
    assert_eq!(found["to_is"], "where the simulation was interrupted");
    assert_eq!(found["to"], summary["reached"]);
    assert_eq!(found["all"]["rate_per_second"], clock["rate_per_second"]);
    // What is beside a trace that nothing wrote to its end is not of the same run.
    std::fs::remove_file(folder.path().join("out/summary.json")).expect("there");
    let found = statistics(&folder.path().join("out/spikes.csv"), &[]);
    assert_eq!(found["to_is"], "the last spike");
}

#[test]
fn times_on_a_grid_are_in_the_bin_that_one_would_name_in_any_unit() {
    let clock = case("synchrony-grid-ms/clock.csv");
    for more in [&[][..], &["--bin", "0.1"]] {
        let found = statistics(&clock, &[&["--duration", "10"], more].concat());
        near(&found["bin"], 0.1, 0.0);
        assert_eq!(found["all"]["fano_factor"], 0.0, "one spike in each of 100 bins");
    }
    // The same train in seconds.
    let times: String = (0..100).map(|step| format!("0,{step}e-4\n")).collect();
    let folder = folder_with("seconds.csv", &format!("neuron,time_s\n{times}"));
    let found = statistics(&folder.path().join("seconds.csv"), &["--duration", "0.01"]);
    assert_eq!(found["all"]["fano_factor"], 0.0);
}

#[test]
fn the_last_spike_of_a_window_is_in_its_last_bin() {
    let found = statistics(&case("synchrony-last-spike/edge.csv"), &["--bin", "5"]);
    // Counts 0 and 4.
    assert_eq!(found["all"]["fano_factor"], 2.0);
}

#[test]
fn trials_in_which_what_was_chosen_is_silent_are_not_forgotten() {
    let trace = case("silent-trials-populations/trials.csv");
    let sizes = ["--duration", "10", "--size", "in=1", "--size", "out=1"];
    let out = |more: &[&str]| {
        let found = statistics(&trace, &[&sizes[..], more].concat());
        let populations = found["populations"].as_array().expect("a list").clone();
        populations.into_iter().find(|one| one["population"] == "out").expect("there")
    };
    for more in [&[][..], &["--populations", "out"], &["--samples", "0-3"]] {
        let found = out(more);
        assert_eq!(found["spikes_per_sample"], 0.75, "{more:?}");
        assert_eq!(found["rate_per_second"], 75.0, "{more:?}");
    }
    // Both spikes of `out` before 7 ms: 2 in 4 trials of 7 ms.
    near(&out(&["--window", "0:7"])["rate_per_second"], 2.0 / (4.0 * 0.007), 1e-14);
    // Trials 1 and 2 are silent.
    assert_eq!(out(&["--samples", "1-3", "--populations", "out"])["spikes_per_sample"], 2.0 / 3.0);
    // Of two neurons that are known from other trials, one spikes in this one.
    let folder = folder_with("two.csv", "trial,neuron,time_ms\n0,0,1\n1,0,1\n1,1,1\n");
    let found = statistics(&folder.path().join("two.csv"), &["--samples", "0", "--duration", "10"]);
    assert_eq!(found["all"]["rate_per_second"], 50.0);
}

#[test]
fn coincident_spikes_count_alike_in_run_stats_and_diff() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let scenario = case("coincident-spikes/scenario.toml");
    successful(folder.path(), &["run", text(&scenario), "--out", "out", "--quiet"]);
    let summary = json(&folder.path().join("out/summary.json"));
    let counts = |list: &Value| -> Vec<u64> {
        let list = list.as_array().expect("a list").iter();
        list.map(|one| one["spikes"].as_u64().expect("a count")).collect()
    };
    assert_eq!(counts(&summary["populations"]), [2, 1]);
    let ended = successful(folder.path(), &["stats", "out/spikes.csv", "--json"]);
    assert_eq!(ended.stderr, "");
    let found = printed(&ended);
    assert_eq!(counts(&found["populations"]), [2, 1]);
    assert_eq!((&found["all"]["spikes"], &found["coincident_spikes"]), (&3.into(), &1.into()));
    let table = successful(folder.path(), &["stats", "out/spikes.csv"]).stdout;
    assert!(table.contains("1 spike repeats one of the same neuron at the same time"), "{table}");

    let (a, b) = (case("coincident-spikes/a.csv"), case("coincident-spikes/b.csv"));
    let ended = firstspike(project(), &["diff", text(&a), text(&b), "--json"]);
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    let found = printed(&ended);
    let counts = ["pairs", "missing", "extra"].map(|count| found["all"][count].as_u64());
    assert_eq!(counts, [3, 0, 1].map(Some));
}

/// n spikes first at 5 − 10 W₀(−1/3) ms, from the one spike of `exc` in sample 0.
#[test]
fn a_source_takes_the_rows_of_its_population_and_of_one_sample() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let scenario = case("source-file-populations/pop.toml");
    let ended = firstspike(folder.path(), &["run", text(&scenario), "--out", "out", "--quiet"]);
    assert_eq!(ended.code, Some(2));
    let expected = "pop.csv: there are 2 samples (0 to 1), and spikes are taken of one: choose it";
    assert!(ended.stderr.contains(expected), "{}", ended.stderr);
    assert!(!folder.path().join("out").exists());

    let file = format!("{{ path = {:?}, sample = 0 }}", case("source-file-populations/pop.csv"));
    let set = format!("populations.0.source.file={file}");
    successful(folder.path(), &["run", text(&scenario), "--set", &set, "--out", "out", "--quiet"]);
    let spikes =
        firstspike::trace::read(&folder.path().join("out/spikes.csv")).expect("a trace").spikes;
    let times = |name: &str| -> Vec<f64> {
        let own = spikes.iter().filter(|spike| spike.population == name);
        own.map(|spike| spike.time).collect()
    };
    assert_eq!(times("exc"), [5.0]);
    let n = times("n");
    assert!((n[0] - 11.190_613).abs() < 1e-6, "{n:?}");
    // One spike of exc does not bring n to its threshold again after those of inh and of sample 1.
    assert!(n.iter().all(|&time| time < 20.0), "{n:?}");
}

#[test]
fn neurons_may_be_counted_from_any_number() {
    let trace = case("nest-ids-offset/inhibitory.dat");
    let sizes = ["--size", "5", "--duration", "10"];
    let found = statistics(&trace, &[&sizes[..], &["--first-neuron", "101"]].concat());
    assert_eq!(found["all"]["silent_neurons"], 2);
    near(&found["all"]["rate_per_second"], 60.0, 1e-14);
    let ended = firstspike(project(), &[&["stats", text(&trace)], &sizes[..]].concat());
    assert_eq!(ended.code, Some(2));
    let expected = "--size 5: there is a neuron 103; if 101 is the number of the first, add --first-neuron 101";
    assert!(ended.stderr.contains(expected), "{}", ended.stderr);
    let ended = firstspike(project(), &["stats", text(&trace), "--first-neuron", "102"]);
    assert_eq!(ended.code, Some(2));
    assert!(
        ended.stderr.contains("inhibitory.dat:2: there is a neuron 101 before it"),
        "{}",
        ended.stderr
    );
}

#[test]
fn traces_whose_neurons_are_counted_from_0_and_from_1_are_compared() {
    let (a, b) = (case("nest-ids-diff/spikes.csv"), case("nest-ids-diff/nest.dat"));
    let compared = ["diff", text(&a), text(&b), "--populations", "n"];
    let ended = firstspike(project(), &compared);
    assert_eq!(ended.code, Some(1));
    let hint =
        "the numbers of all neurons of B are 1 higher than those of A: with --first-neuron 0,1 the";
    assert!(ended.stderr.contains(hint), "{}", ended.stderr);
    let ended = successful(project(), &[&compared[..], &["--first-neuron", "0,1"]].concat());
    assert!(ended.stdout.contains("equal: no spike is missing"), "{}", ended.stdout);
}

#[test]
fn traces_of_all_kinds_are_read() {
    let found = statistics(&case("cr-line-ends/old_mac.csv"), &[]);
    assert_eq!(found["all"]["spikes"], 2);
    for name in ["one_neuron.csv", "one_neuron.txt"] {
        for more in [&[][..], &["--time-column", "1"]] {
            let found = statistics(&case("single-column-trace").join(name), more);
            assert_eq!(found["all"]["spiking_neurons"], 1, "{name}");
            let unit = if name.ends_with("csv") { "_ms" } else { "" };
            // Intervals of 1 and 4.75.
            assert_eq!(found["all"][format!("interval_mean{unit}")], 2.875, "{name}");
        }
    }
}

#[test]
fn time_stamps_since_1970_have_their_intervals() {
    let trace = case("absolute-timestamps/events.csv");
    let found = statistics(&trace, &[]);
    assert_eq!(
        (&found["all"]["spikes"], &found["from_is"]),
        (&3.into(), &"the first spike".into())
    );
    assert_eq!(found["all"]["interval_mean_us"], 5010.0);
    near(&found["all"]["rate_per_second"], 3.0 / (2.0 * 5010e-6), 1e-12);
    let table = successful(project(), &["stats", text(&trace)]).stdout;
    let expected = "from the first spike, at 1700000000000001 us, to the last spike, 5010 us later";
    assert!(table.contains(expected), "{table}");
    assert!(table.lines().skip(1).all(|line| line.chars().count() <= 80), "{table}");
    // From time 0 there are too many bins, which nobody asked for: what has none is there.
    let ended = successful(project(), &["stats", text(&trace), "--window", "0:"]);
    assert!(ended.stdout.contains("Synchrony is left out"), "{}", ended.stdout);
    let ended = firstspike(project(), &["stats", text(&trace), "--window", "0:", "--bin", "3"]);
    assert_eq!(ended.code, Some(2));
    assert!(ended.stderr.contains("--bin: bins of 3 make"), "{}", ended.stderr);
}

#[test]
fn names_neither_break_a_table_nor_steer_a_terminal() {
    let name = "n".repeat(65_536);
    let folder = folder_with("long.csv", &format!("population,neuron,time_ms\n{name},0,1\n"));
    std::fs::write(folder.path().join("esc.csv"), "neuron,time_ms,\u{9b}2J\n0,\u{9b}2J,1\n")
        .expect("writable");
    for (arguments, expected) in [
        (
            &["diff", "long.csv", "long.csv"][..],
            "long.csv:2: the name of a population has 65536 characters",
        ),
        (&["stats", "esc.csv"], "esc.csv:2: time_ms `\\u{9b}2J` must be a number"),
        (
            &["stats", "esc.csv", "--sample-column", "\u{1b}c"],
            "--sample-column \\u{1b}c: there is no",
        ),
    ] {
        let ended = firstspike(folder.path(), arguments);
        assert_eq!(ended.code, Some(2), "{arguments:?}");
        assert!(ended.stderr.contains(expected), "{}", ended.stderr);
        let steers = |text: &str| text.chars().any(|letter| letter.is_control() && letter != '\n');
        assert!(!steers(&ended.stderr) && !steers(&ended.stdout), "{arguments:?}");
    }
}
