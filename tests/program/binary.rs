//! The binary does what it says: simulates, trains, writes its files, reports progress and trouble,
//! and ends well when interrupted.

use crate::common;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use common::binary::{
    files, firstspike, json, project, read, rows, subcommands, successful, text, timeless,
    write_mnist,
};
use firstspike::trace::{self, Trace};

/// What a training writes; all but the summary, which tells the time, is the same in every run.
const SAME_IN_EVERY_RUN: [&str; 9] = [
    "checkpoint.safetensors",
    "class_map.png",
    "class_map.svg",
    "metrics.csv",
    "network.json",
    "predictions.csv",
    "report.html",
    "scenario.toml",
    "spikes.csv",
];

const TEST_SAMPLES: u32 = 100;

/// Changes the main scenario into one that trains in no time.
const SMALL: [&str; 10] = [
    "--set",
    "training.epochs=2",
    "--set",
    "dataset.yin_yang.training.size=300",
    "--set",
    "dataset.yin_yang.validation.size=100",
    "--set",
    "dataset.yin_yang.test.size=100",
    "--set",
    "layers.0.size=30",
];

fn scenario(name: &str) -> PathBuf {
    project().join("scenarios").join(name)
}

/// Arguments that train a small network into `out`.
fn small_training<'a>(scenario: &'a Path, out: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    [&["run", text(scenario), "--out", out], &SMALL[..], more].concat()
}

/// Trains a small network into a new folder.
fn train(more: &[&str]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    successful(folder.path(), &small_training(&scenario("yin_yang.toml"), ".", more));
    folder
}

fn assert_same_results(one: &Path, other: &Path) {
    for name in SAME_IN_EVERY_RUN {
        let of = |folder: &Path| timeless(&folder.join(name), read(&folder.join(name)));
        assert!(of(one) == of(other), "{name} differs");
    }
}

fn read_trace(folder: &Path) -> Trace {
    trace::read(&folder.join("spikes.csv")).expect("a readable trace")
}

/// Every file of a training is there and complete, and no other.
fn assert_complete(folder: &Path, summary: &serde_json::Value) {
    let names: BTreeSet<PathBuf> = files(folder)
        .into_keys()
        .map(|path| path.strip_prefix(folder).expect("in it").into())
        .collect();
    let expected = SAME_IN_EVERY_RUN.into_iter().chain(["summary.json"]).map(PathBuf::from);
    assert_eq!(names, expected.collect());

    assert_eq!(summary["version"], env!("CARGO_PKG_VERSION"));
    for key in ["test_accuracy", "train_accuracy", "validation_accuracy"] {
        let accuracy = summary[key].as_f64().expect(key);
        assert!((0.0..=1.0).contains(&accuracy), "{key} = {accuracy}");
    }
    assert!(summary["seconds_per_epoch"].as_f64().expect("a number") > 0.0);

    let metrics = rows(&folder.join("metrics.csv"));
    let epochs: Vec<&str> = metrics.iter().map(|row| &row[0]).collect();
    let count = summary["epochs"].as_u64().expect("a count");
    let expected: Vec<String> = (1..=count).map(|epoch| epoch.to_string()).collect();
    assert_eq!(epochs, expected);

    let trace = read_trace(folder);
    assert_eq!(trace.time_unit, "tau_s");
    let samples: BTreeSet<u32> = trace.spikes.iter().map(|spike| spike.sample).collect();
    assert_eq!(samples, (0..TEST_SAMPLES).collect());

    let network = json(&folder.join("network.json"));
    assert_eq!(network["populations"].as_array().expect("a list").len(), 5);
    let png = read(&folder.join("class_map.png"));
    assert!(png.starts_with(b"\x89PNG\r\n\x1a\n") && png.ends_with(b"IEND\xaeB`\x82"));
    let svg = String::from_utf8(read(&folder.join("class_map.svg"))).expect("UTF-8");
    assert!(svg.starts_with("<svg") && svg.trim_end().ends_with("</svg>"));
}

#[test]
fn the_single_neuron_spikes_as_in_the_committed_trace() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let scenario = scenario("single_neuron.toml");
    successful(folder.path(), &["run", text(&scenario), "--out", "."]);
    let committed = project().join("traces/single_neuron/spikes.csv");
    assert_eq!(
        String::from_utf8(read(&folder.path().join("spikes.csv"))),
        String::from_utf8(read(&committed))
    );
}

#[test]
fn the_recurrent_network_leaves_a_trace_that_agrees_with_its_summary() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    successful(folder.path(), &["run", text(&scenario("recurrent.toml")), "--out", "."]);
    let trace = read_trace(folder.path());
    assert_eq!(trace.time_unit, "ms");
    assert!(trace.spikes.is_sorted_by(|a, b| a.time <= b.time));
    let summary = json(&folder.path().join("summary.json"));
    assert_eq!(summary["interrupted"], false);
    let populations = summary["populations"].as_array().expect("a list");
    assert_eq!(populations.len(), 3);
    for population in populations {
        let (name, size) = (&population["name"], population["size"].as_u64().expect("a size"));
        let spikes: Vec<_> =
            trace.spikes.iter().filter(|spike| *name == spike.population.as_str()).collect();
        assert!(!spikes.is_empty(), "{name} is silent");
        assert_eq!(population["spikes"], spikes.len());
        assert!(spikes.iter().all(|spike| u64::from(spike.neuron) < size && spike.time <= 1000.0));
    }
}

#[test]
fn a_training_leaves_all_its_files_and_its_scenario_repeats_it() {
    let first = train(&["--seed", "7"]);
    let summary = json(&first.path().join("summary.json"));
    assert_complete(first.path(), &summary);
    assert_eq!((&summary["epochs"], &summary["seed"]), (&2.into(), &7.into()));
    assert_eq!(summary["interrupted"], false);

    let again = tempfile::tempdir().expect("a temporary folder");
    let resolved = first.path().join("scenario.toml");
    successful(again.path(), &["run", text(&resolved), "--out", "."]);
    assert_same_results(first.path(), again.path());
}

#[test]
fn results_depend_on_the_seed_but_not_on_the_threads() {
    let one = train(&["--threads", "1"]);
    let two = train(&["--threads", "2"]);
    assert_same_results(one.path(), two.path());
    let threads = |folder: &Path| json(&folder.join("summary.json"))["threads"].clone();
    assert_eq!((threads(one.path()), threads(two.path())), (1.into(), 2.into()));

    let other = train(&["--seed", "2"]);
    for name in SAME_IN_EVERY_RUN {
        let (one, other) = (read(&one.path().join(name)), read(&other.path().join(name)));
        assert!(one != other, "{name} does not depend on the seed");
    }
}

#[test]
fn progress_is_a_plain_line_per_epoch_or_nothing() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let scenario = scenario("yin_yang.toml");
    let ended = successful(folder.path(), &small_training(&scenario, ".", &[]));
    let epochs: Vec<&str> =
        ended.stderr.lines().filter(|line| line.starts_with("epoch ")).collect();
    assert_eq!(epochs.len(), 2, "{}", ended.stderr);
    for (line, epoch) in epochs.iter().zip(["epoch    1/2  loss ", "epoch    2/2  loss "]) {
        assert!(line.starts_with(epoch), "{line}");
        assert!(line.contains("training ") && line.contains("validation "), "{line}");
    }
    assert!(!ended.stderr.contains(['\r', '\x1b']), "{:?}", ended.stderr);
    assert!(ended.stdout.contains("test accuracy"), "{}", ended.stdout);

    let quiet = successful(folder.path(), &small_training(&scenario, ".", &["--quiet"]));
    assert_eq!(quiet.stderr, "");
    assert!(quiet.stdout.contains("test accuracy"), "{}", quiet.stdout);
}

#[test]
fn a_network_that_cannot_learn_is_told_what_to_do() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let scenario = scenario("yin_yang.toml");
    let silent =
        ["--set", "layers.1.weights={constant=0.0}", "--set", "training.silent_neurons=ignore"];
    let ended = successful(folder.path(), &small_training(&scenario, ".", &silent));
    let first_epoch = ended.stderr.split("epoch    2/2").next().expect("at least one part");
    let finding = "3 of 3 neurons of layer `label` spiked in no sample of epoch 1";
    let advice = "raise the mean of layer `label`'s initial weights";
    assert!(first_epoch.contains(&format!("warning: {finding}\n  what to do: ")), "{first_epoch}");
    assert!(first_epoch.contains(advice), "{first_epoch}");

    let summary = json(&folder.path().join("summary.json"));
    let warnings = summary["warnings"].as_array().expect("a list");
    let said = |warning: &serde_json::Value| {
        warning.as_str().is_some_and(|text| text.contains(finding) && text.contains(advice))
    };
    assert_eq!(warnings.iter().filter(|warning| said(warning)).count(), 1, "{warnings:?}");

    let healthy = json(&train(&[]).path().join("summary.json"));
    assert_eq!(healthy["warnings"], serde_json::json!([]));
}

#[test]
fn what_check_prints_is_a_scenario_that_checks_to_the_same() {
    for entry in std::fs::read_dir(project().join("scenarios")).expect("a readable folder") {
        let scenario = entry.expect("a readable entry").path();
        let is_table = scenario.ends_with("table.toml");
        if is_table || scenario.extension().is_none_or(|ending| ending != "toml") {
            continue;
        }
        let folder = tempfile::tempdir().expect("a temporary folder");
        write_mnist(&folder.path().join("data/mnist"), 12, 4);
        let printed = successful(folder.path(), &["check", text(&scenario)]);
        assert!(printed.stderr.contains("valid; "), "{}", printed.stderr);
        std::fs::write(folder.path().join("again.toml"), &printed.stdout).expect("writable");
        let again = successful(folder.path(), &["check", "again.toml"]);
        assert_eq!(again.stdout, printed.stdout);
        assert_eq!(files(folder.path()).len(), 1 + 4, "check writes no file");
    }
}

#[test]
fn the_help_of_each_command_has_an_example() {
    let commands = subcommands(&[]);
    for command in &commands {
        let help = successful(project(), &[command, "--help"]).stdout;
        assert!(help.contains("Example"), "{help}");
        assert!(help.contains(&format!("firstspike {command} ")), "{help}");
    }
    assert_eq!(commands.len(), 18, "{commands:?}");
}

#[test]
fn without_arguments_the_help_is_printed() {
    let ended = firstspike(project(), &[]);
    assert_eq!(ended.code, Some(2));
    assert!(ended.stderr.contains("Usage: firstspike"), "{}", ended.stderr);
}

#[cfg(unix)]
mod interrupt {
    use nix::sys::signal::Signal;

    use super::common::binary::{json, rows, text};
    use super::common::stopping::signal;
    use super::{assert_complete, read_trace, scenario, small_training};

    /// Starts a run, interrupts it once it has said `cue`, and finds it ended with code 130.
    fn interrupt(arguments: &[&str], folder: &std::path::Path, cue: &str) {
        let arguments: Vec<String> =
            arguments.iter().map(|&argument| argument.to_owned()).collect();
        let (code, said) = signal(folder, &arguments, |line| line.contains(cue), Signal::SIGINT);
        assert_eq!(code, Some(130), "{said:?}");
        assert!(said.iter().any(|line| line.starts_with("interrupted: writing")), "{said:?}");
    }

    #[test]
    fn an_interrupted_training_writes_everything() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let yin_yang = scenario("yin_yang.toml");
        let endless = ["--threads", "1", "--set", "training.epochs=1000000"];
        let arguments = small_training(&yin_yang, ".", &endless);
        interrupt(&arguments, folder.path(), "epoch    3/1000000");
        let summary = json(&folder.path().join("summary.json"));
        assert_eq!(summary["interrupted"], true);
        assert!(summary["epochs"].as_u64().expect("a count") >= 3);
        assert_complete(folder.path(), &summary);
    }

    #[test]
    fn an_interrupted_simulation_keeps_the_spikes_so_far() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let recurrent = scenario("recurrent.toml");
        // Few inputs, but a current that keeps the neurons spiking for a minute or more.
        let endless = [
            "--set",
            "simulation.until=3000000.0",
            "--set",
            "populations.0.size=1",
            "--set",
            "neuron.bias_current=0.5",
            "--set",
            "recording.potential=[{population='excitatory', neurons=[0], every=1.0}]",
        ];
        let arguments = [&["run", text(&recurrent), "--out", "."], &endless[..]].concat();
        interrupt(&arguments, folder.path(), "simulating");
        let summary = json(&folder.path().join("summary.json"));
        assert_eq!(summary["interrupted"], true);
        let counted = summary["populations"].as_array().expect("a list");
        let counted: u64 = counted.iter().map(|one| one["spikes"].as_u64().expect("a count")).sum();
        let spikes = read_trace(folder.path()).spikes;
        assert_eq!(counted, spikes.len() as u64);
        // Potentials end with them.
        let last = spikes.last().expect("the neurons spike").time;
        let potentials = rows(&folder.path().join("potentials.csv"));
        assert_eq!(potentials.len(), 1 + last as usize);
    }
}

#[test]
fn a_resolved_scenario_finds_its_files_from_anywhere() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let scenario = "\
        [[populations]]\nname = 'input'\nsize = 1\nsource.file = 'spikes.csv'\n\
        [[populations]]\nname = 'neuron'\nsize = 1\n\
        [[projections]]\npre = 'input'\npost = 'neuron'\nconnect.file = 'synapses.csv'\n\
        [simulation]\nuntil = 10.0\n";
    for (name, content) in [
        ("scenario.toml", scenario),
        ("spikes.csv", "neuron,time_tau_s\n0,1.5\n"),
        ("synapses.csv", "pre,post,weight,delay\n0,0,3.0,0.5\n"),
    ] {
        std::fs::write(folder.path().join(name), content).expect("writable");
    }
    successful(folder.path(), &["run", "scenario.toml", "--out", "first"]);
    let elsewhere = tempfile::tempdir().expect("a temporary folder");
    let resolved = folder.path().join("first/scenario.toml");
    successful(elsewhere.path(), &["run", text(&resolved), "--out", "second"]);
    let read = |path: &Path| std::fs::read(path).expect("written");
    let first = read(&folder.path().join("first/spikes.csv"));
    assert_eq!(first, read(&elsewhere.path().join("second/spikes.csv")));
    assert_eq!(first.iter().filter(|&&byte| byte == b'\n').count(), 3);
}

#[test]
fn neurons_that_are_all_different_are_the_same_in_the_run_of_the_resolved_scenario() {
    let first = tempfile::tempdir().expect("a temporary folder");
    successful(first.path(), &["run", text(&scenario("heterogeneous.toml")), "--out", "."]);
    let again = tempfile::tempdir().expect("a temporary folder");
    let resolved = first.path().join("scenario.toml");
    successful(again.path(), &["run", text(&resolved), "--out", "."]);
    for name in ["network.json", "potentials.csv", "scenario.toml", "spikes.csv"] {
        assert!(read(&first.path().join(name)) == read(&again.path().join(name)), "{name}");
    }

    let network = json(&first.path().join("network.json"));
    let values = |population: usize, parameter: &str| -> Vec<f64> {
        let neurons = network["populations"][population]["neurons"].as_array().expect("a list");
        neurons.iter().map(|neuron| neuron[parameter].as_f64().expect("a number")).collect()
    };
    assert_eq!(values(3, "bias_current"), [1.2, 1.4, 1.6, 1.8]);
    assert_eq!(values(3, "refractory_period"), [1.0, 2.0, 3.0, 4.0]);
    assert_eq!(values(2, "tau_m"), [10.0; 10]);
    let tau_m = values(1, "tau_m");
    let mean = tau_m.iter().sum::<f64>() / tau_m.len() as f64;
    assert!((19.0..21.0).contains(&mean), "40 draws of 20 ± 2 have the mean {mean}");
    let different: BTreeSet<u64> = tau_m.iter().map(|tau| tau.to_bits()).collect();
    assert_eq!(different.len(), 40);
    for (threshold, initial) in values(1, "threshold").iter().zip(values(1, "initial_potential")) {
        assert!((-56.0..-54.0).contains(threshold) && (-68.0..-60.0).contains(&initial));
    }
    assert!(values(1, "threshold")[..10] != values(2, "threshold"), "a stream per population");
}

#[test]
fn what_is_recorded_can_be_chosen() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let heterogeneous = scenario("heterogeneous.toml");
    let run = ["run", text(&heterogeneous), "--out"];
    successful(folder.path(), &[&run[..], &["."]].concat());
    let trace = read_trace(folder.path());
    let recorded: BTreeSet<&str> =
        trace.spikes.iter().map(|spike| spike.population.as_str()).collect();
    assert_eq!(recorded, BTreeSet::from(["excitatory", "inhibitory", "pacemaker"]));
    let summary = json(&folder.path().join("summary.json"));
    assert!(summary["populations"][0]["spikes"].as_u64() > Some(0), "counted, but not written");

    let potentials = read(&folder.path().join("potentials.csv"));
    let heading = b"population,neuron,time_ms,potential,current,inhibitory_current\n";
    assert!(potentials.starts_with(heading));
    let rows = rows(&folder.path().join("potentials.csv"));
    let of = |population: &str, neuron: &str| -> Vec<f64> {
        let own = rows.iter().filter(|row| &row[0] == population && &row[1] == neuron);
        own.map(|row| row[2].parse().expect("a time")).collect()
    };
    for neuron in ["0", "3"] {
        let times = of("excitatory", neuron);
        assert_eq!((times.len(), times[0], times[500]), (501, 100.0, 150.0));
    }
    for neuron in ["0", "1", "2", "3"] {
        assert_eq!(of("pacemaker", neuron), [0.0, 10.0, 499.5]);
    }
    assert_eq!(rows.len(), 2 * 501 + 4 * 3);
    assert!(rows.iter().all(|row| (3..6).all(|field| row[field].parse::<f64>().is_ok())));

    // Everything, with every default: the same spikes and then some.
    let all = [&run[..], &["all", "--set", "recording={}"]].concat();
    successful(folder.path(), &all);
    let everything = read_trace(&folder.path().join("all"));
    let (sources, others): (Vec<_>, Vec<_>) =
        everything.spikes.into_iter().partition(|spike| spike.population == "background");
    assert_eq!(others, trace.spikes);
    assert!(!folder.path().join("all/potentials.csv").exists());
    // The background stops at 300 ms, and until then is what it is without a stop.
    assert!(sources.iter().all(|spike| spike.time <= 300.0) && !sources.is_empty());
    let source = "populations.0.source={poisson={rate=0.05}}";
    successful(folder.path(), &[&all[..], &["--set", source, "--overwrite"]].concat());
    let endless = read_trace(&folder.path().join("all")).spikes;
    let endless = endless.into_iter().filter(|spike| spike.population == "background");
    let (early, late): (Vec<_>, Vec<_>) = endless.partition(|spike| spike.time <= 300.0);
    assert_eq!(early, sources);
    assert!(!late.is_empty());
}

#[test]
fn the_recorded_potential_is_the_threshold_when_the_neuron_spikes() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let single = scenario("single_neuron.toml");
    successful(folder.path(), &["run", text(&single), "--out", "."]);
    let trace = read_trace(folder.path());
    let spikes = trace.spikes.iter().filter(|spike| spike.population == "neuron");
    let times: Vec<f64> = spikes.map(|spike| spike.time).collect();
    assert!(!times.is_empty());
    let potential = format!("recording.potential=[{{population='neuron', times={times:?}}}]");
    let recorded = ["run", text(&single), "--out", ".", "--overwrite", "--set", &potential];
    successful(folder.path(), &recorded);
    let rows = rows(&folder.path().join("potentials.csv"));
    assert_eq!(rows.len(), times.len());
    for (row, time) in rows.iter().zip(&times) {
        assert_eq!(row[2].parse(), Ok(*time), "bit for bit");
        let potential: f64 = row[3].parse().expect("a number");
        assert!((potential - 1.0).abs() <= 1e-12, "{potential} at {time}");
        assert_eq!(&row[5], "0.0", "one time constant, one current");
    }
}

#[test]
fn both_engines_give_the_same_spikes() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = project().join("scenarios/recurrent.toml");
    let spikes = |engine: &str| {
        let choice = format!("simulation.engine={engine}");
        // Short, because the network is chaotic: it amplifies the roundings in which they differ.
        let arguments =
            ["run", text(&path), "--out", engine, "--set", &choice, "--set", "simulation.until=60"];
        successful(folder.path(), &arguments);
        let summary = json(&folder.path().join(engine).join("summary.json"));
        assert_eq!(summary["engine"]["name"].as_str(), Some(engine));
        trace::read(&folder.path().join(engine).join("spikes.csv")).expect("readable").spikes
    };
    let (event, window) = (spikes("event"), spikes("window"));
    assert!(event.len() > 300 && event.len() == window.len());
    for (event, window) in event.iter().zip(&window) {
        assert_eq!((&event.population, event.neuron), (&window.population, window.neuron));
        assert!((event.time - window.time).abs() < 1e-9, "{event:?} {window:?}");
    }
    let choice = "simulation.engine=window";
    let split = ["run", text(&path), "--set", choice, "--set", "neuron.tau_s_inhibitory=3.0"];
    let refused = firstspike(folder.path(), &split);
    assert_eq!(refused.code, Some(2));
    assert!(
        refused.stderr.contains("simulation.engine: excitatory[0] has two"),
        "{}",
        refused.stderr
    );
}
