//! Scenarios on a chip, through the binary: what an ideal chip leaves alone, what any other makes of a
//! run, what does not fit, and programs in place of the model.

use crate::common;

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use common::binary::{
    Ended, files, firstspike, json, project, read, rows, successful, text, timeless,
};
use firstspike::chip::{ChipModel, PresentationKey, Presented, Program, Substrate};
use firstspike::learning::{EncodingScratch, Presentation, Trainer};
use firstspike::scenario::load;

/// Makes the scenarios small.
const SMALL: [&str; 6] = [
    "training.epochs=3",
    "dataset.yin_yang.training.size=200",
    "dataset.yin_yang.validation.size=50",
    "dataset.yin_yang.test.size=50",
    "layers.0.size=20",
    "training.batch_size=50",
];

fn scenario(name: &str) -> PathBuf {
    project().join("scenarios").join(name)
}

/// Runs a small version of a scenario into a folder.
fn run(scenario: &Path, out: &Path, more: &[&str]) -> Ended {
    let mut arguments = vec!["run", text(scenario), "--out", text(out), "--quiet"];
    for change in SMALL {
        arguments.extend(["--set", change]);
    }
    arguments.extend(more);
    firstspike(out.parent().expect("a folder"), &arguments)
}

fn run_well(scenario: &Path, out: &Path, more: &[&str]) -> Ended {
    let ended = run(scenario, out, more);
    assert_eq!(ended.code, Some(0), "{more:?}: {}", ended.stderr);
    ended
}

#[test]
fn an_ideal_chip_changes_no_bit() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let place = |name: &str| folder.path().join(name);
    run_well(&scenario("yin_yang.toml"), &place("none"), &[]);
    let ideal = format!("chip={:?}", text(&project().join("chips/ideal.toml")));
    run_well(&scenario("yin_yang.toml"), &place("ideal"), &["--set", &ideal]);
    let clock = "chip={ time_unit = 'us', tau_s = 6.0, energy = { static_power = 0.1 } }";
    run_well(&scenario("yin_yang.toml"), &place("clock"), &["--set", clock]);
    for name in ["metrics.csv", "spikes.csv", "network.json", "class_map.svg", "class_map.png"] {
        let expected = read(&place("none").join(name));
        assert!(read(&place("ideal").join(name)) == expected, "{name}");
        if !name.ends_with(".csv") {
            assert!(read(&place("clock").join(name)) == expected, "{name} with a clock");
        }
    }
    assert_eq!(json(&place("ideal/summary.json"))["engine"]["name"], "feed_forward");
    // With a clock, a column more says when that is on the hardware.
    let (plain, clocked) = (rows(&place("none/spikes.csv")), rows(&place("clock/spikes.csv")));
    assert_eq!(plain.len(), clocked.len());
    for (plain, clocked) in plain.iter().zip(&clocked) {
        assert_eq!(plain.iter().collect::<Vec<_>>(), clocked.iter().take(4).collect::<Vec<_>>());
        let [model, hardware] =
            [3, 4].map(|index| clocked[index].parse::<f64>().expect("a number"));
        assert_eq!(hardware, model * 6.0);
    }
    let heading = String::from_utf8(read(&place("clock/spikes.csv"))).expect("UTF-8");
    assert!(heading.starts_with("sample,population,neuron,time_tau_s,hardware_time_us\n"));
    let account = json(&place("clock/summary.json"))["hardware"].clone();
    let energy = account["energy_per_sample"].as_f64().expect("a number");
    let decision = account["decision_time"].as_f64().expect("a number");
    assert!((energy / (0.1 * decision) - 1.0).abs() < 1e-12, "{account}");
}

#[test]
fn a_chip_run_has_the_same_bytes_on_any_number_of_threads() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let base = project().join("chips/brainscales2.toml");
    let reset = format!(
        "chip={{ base = {:?}, presentation.reset = true, neurons.repeated_spikes = false }}",
        text(&base)
    );
    for (name, change) in [("stream", "chip.presentation.reset=false"), ("reset", &reset)] {
        let out = |threads: &str| folder.path().join(format!("{name}{threads}"));
        for threads in ["1", "2", "3"] {
            let more = ["--threads", threads, "--set", change];
            run_well(&scenario("yin_yang_brainscales2.toml"), &out(threads), &more);
        }
        for (path, content) in files(&out("1")) {
            let file = path.file_name().expect("a name");
            if file == "summary.json" {
                continue;
            }
            let content = timeless(&path, content);
            for threads in ["2", "3"] {
                let other = out(threads).join(file);
                assert!(timeless(&other, read(&other)) == content, "{name}: {file:?}");
            }
        }
        let account = json(&out("1").join("summary.json"))["hardware"].clone();
        // The published figures: 48 µs and 8.4 µJ per classification.
        let close = |key: &str, expected: f64| {
            let found = account[key].as_f64().expect("a number");
            assert!((found / expected - 1.0).abs() < 1e-9, "{key}: {found}");
        };
        close("time_per_sample", 48e-6);
        close("energy_per_sample", 8.4e-6);
        close("samples_per_second", 1.0 / 48e-6);
        close("synaptic_time_constant", 6e-6);
        assert!(account["spikes_per_sample"].as_f64().expect("a number") > 1.0);
    }
}

#[test]
fn training_in_the_loop_goes_on_from_a_state_as_if_never_stopped() {
    let changes: Vec<String> = SMALL.iter().map(|&change| change.to_owned()).collect();
    let loaded = load(&scenario("yin_yang_brainscales2.toml"), &changes).expect("valid");
    let learner = loaded.learner().expect("valid");
    let hardware = loaded.hardware(&learner).expect("fits");
    let new = || {
        let chip = loaded.in_the_loop(&learner, hardware.as_ref(), Path::new(""));
        let chip = chip.expect("fits").expect("it is not ideal");
        Trainer::in_the_loop(&learner.network, learner.settings.clone(), chip).expect("supported")
    };
    let set = learner.encode(&learner.data.training);
    let epoch = |trainer: &mut Trainer| {
        let go_on = &mut |_: &_| ControlFlow::Continue(());
        trainer.train_epoch(&set, go_on).expect("learns").expect("not stopped");
    };
    let (mut whole, mut first) = (new(), new());
    epoch(&mut whole);
    epoch(&mut first);
    let mut second = new();
    second.restore(&first.state()).expect("of the same network");
    epoch(&mut whole);
    epoch(&mut second);
    assert_eq!(whole.state(), second.state());
    assert_eq!(
        whole.evaluate(&set).expect("runs").score,
        second.evaluate(&set).expect("runs").score
    );
}

/// Copies of an input are known to come together; a chip that is not told so has the same records.
#[test]
fn what_comes_together_does_what_it_does_one_by_one() {
    let changes: Vec<String> = SMALL.iter().map(|&change| change.to_owned()).collect();
    let loaded = load(&scenario("yin_yang_brainscales2.toml"), &changes).expect("valid");
    let learner = loaded.learner().expect("valid");
    // Four features of five copies, and five bias sources of one time.
    assert_eq!(learner.synchronous_inputs(), [0..5, 5..10, 10..15, 15..20, 20..25]);
    let hardware = loaded.hardware(&learner).expect("fits").expect("a chip");
    let set = learner.encode(&learner.data.training);
    let shown: Vec<Presented> = (0..100)
        .map(|sample| {
            let (mut scratch, mut stimulus) = (EncodingScratch::default(), Vec::new());
            set.stimulus(sample as usize, Presentation::Plain, &mut scratch, &mut stimulus);
            Presented { key: PresentationKey { epoch: 0, sample, batch: sample / 50 }, stimulus }
        })
        .collect();
    let edges = learner.network.network.graph().edge_weights();
    let weights: Vec<f64> = edges.map(|synapse| 2.0 * synapse.weight).collect();
    let record = |mut chip: ChipModel| {
        chip.program(&Program { weights: &weights, delays: &[] }).expect("takes them");
        chip.present(&shown).expect("runs")
    };
    let new = || ChipModel::new(&hardware.sheet, &learner.network, 1).expect("fits");
    let (mut told, mut late) = (new(), new());
    told.expect_synchronous(learner.synchronous_inputs());
    let records = record(told);
    let count = records.iter().flatten().count();
    assert!(count > 500, "{count}");
    // Times are stamped by a clock whose ticks hide the rounding.
    assert_eq!(records, record(new()));
    late.program(&Program { weights: &weights, delays: &[] }).expect("takes them");
    late.expect_synchronous(
        learner.synchronous_inputs().into_iter().chain(std::iter::once(90..95)),
    );
    assert_eq!(records, late.present(&shown).expect("runs"), "told when it has its weights");
}

#[test]
fn what_does_not_fit_is_refused_with_what_would() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let out = folder.path().join("out");
    let refuse = |changes: &[&str], expected: &str| {
        let more: Vec<&str> = changes.iter().flat_map(|&change| ["--set", change]).collect();
        let ended = run(&scenario("yin_yang_brainscales2.toml"), &out, &more);
        assert_eq!(ended.code, Some(2), "{changes:?}: {}", ended.stderr);
        assert!(ended.stderr.contains(expected), "{changes:?}: {}", ended.stderr);
        assert!(!out.exists(), "nothing is written");
    };
    refuse(&["layers.0.size=300"], "303 neurons, but `BrainScaleS-2` has 256: take 47");
    refuse(&["encoding.copies=80"], "lower encoding.copies from 80 to 62");
    refuse(
        &["encoding.copies=1", "layers.0.bias_times=[]", "chip.weights.largest=0.5"],
        "encoding.copies = 2 at least",
    );
    refuse(&["chip.size.fan_in=10"], "synapses per neuron");
    refuse(&["chip.tau_s=-1"], "chip.tau_s: -1 must be above 0");
    refuse(&["chip.time_unit=tau_s"], "chip.time_unit: `tau_s` is no unit of the chip's own time");
    refuse(&["chip.link.loss=1.5"], "chip.link.loss: 1.5 must be from 0 to 1");
    refuse(&["chip.weights.magnitude_bits=40"], "40 must be from 1 to 24");
    refuse(&["chip.neurons.fixed_pattern.tau_m={ std = -1 }"], "std not negative");
    refuse(&["chip.link.loss_probability=0.1"], "unknown field `loss_probability`");
    refuse(&["chip=nowhere.toml"], "cannot read chip file");
    refuse(&["chip.neurons.measured=nowhere.csv"], "measured");
    refuse(&["layers.1.delays.synaptic.constant=1.0"], "not per synapse");
    let bad = folder.path().join("bad.toml");
    std::fs::write(&bad, "name = 'x'\n[weights]\nlargst = 1\n").expect("writable");
    let change = format!("chip={:?}", text(&bad));
    refuse(&[&change], "line 3");
    refuse(&[&change], "Did you mean `largest`?");
}

#[test]
fn entries_of_the_scenario_stand_over_those_of_the_chip_file() {
    let path = scenario("yin_yang_brainscales2.toml");
    let change = ["check", text(&path), "--set", "chip.weights.magnitude_bits=4"];
    let shown = successful(project(), &change).stdout;
    for line in ["magnitude_bits = 4", "largest = 1.38", "sign = \"row_pair\"", "window = 48.0"] {
        assert!(shown.contains(line), "{line}: {shown}");
    }
    assert!(!shown.contains("base ="), "{shown}");
    // What is shown is a scenario of its own.
    let folder = tempfile::tempdir().expect("a temporary folder");
    let resolved = folder.path().join("resolved.toml");
    std::fs::write(&resolved, &shown).expect("writable");
    assert_eq!(successful(folder.path(), &["check", "resolved.toml"]).stdout, shown);
    // Every sheet of the repository is valid, and fits something.
    let mut count = 0;
    for entry in std::fs::read_dir(project().join("chips")).expect("a folder") {
        let chip = format!("chip={:?}", text(&entry.expect("readable").path()));
        successful(project(), &["check", text(&path), "--set", &chip]);
        count += 1;
    }
    assert!(count >= 4, "{count}");
}

/// A scenario with a program as its substrate, in a folder of its own.
fn with_program(folder: &Path, command: &str) -> PathBuf {
    let scenario = std::fs::read_to_string(scenario("yin_yang_30.toml")).expect("readable");
    let path = folder.join("program.toml");
    let text = format!("{scenario}\n[substrate]\ncommand = {command}\ntimeout = 20\n");
    std::fs::write(&path, text).expect("writable");
    path
}

#[test]
fn a_program_in_the_loop_learns_what_the_ideal_network_does() {
    let python = std::process::Command::new("python3").arg("--version").output();
    if python.is_err() {
        eprintln!("NOT TESTED: there is no python3");
        return;
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    let script = project().join("examples/substrate.py");
    let path = with_program(folder.path(), &format!("['python3', {:?}]", text(&script)));
    let (ideal, program) = (folder.path().join("ideal"), folder.path().join("program"));
    run_well(&scenario("yin_yang_30.toml"), &ideal, &[]);
    run_well(&path, &program, &[]);
    let summary = |out: &Path| json(&out.join("summary.json"));
    assert_eq!(summary(&program)["engine"]["name"], "substrate");
    for key in ["test_accuracy", "validation_accuracy", "train_accuracy"] {
        assert_eq!(summary(&program)[key], summary(&ideal)[key], "{key}");
    }
    let losses = [ideal, program].map(|out| {
        let rows = rows(&out.join("metrics.csv"));
        rows.iter().map(|row| row[2].parse::<f64>().expect("a number")).collect::<Vec<_>>()
    });
    for (ideal, program) in losses[0].iter().zip(&losses[1]) {
        // Rounding, in another order, amplified by three epochs of learning.
        assert!((ideal - program).abs() < 1e-7 * ideal, "{losses:?}");
    }
}

#[test]
fn a_program_that_fails_loses_nothing() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    if std::process::Command::new("python3").arg("--version").output().is_err() {
        eprintln!("NOT TESTED: there is no python3");
        return;
    }
    // Hands everything on to the example, and dies when it is shown samples of the second epoch.
    let dying = r#"
import os, subprocess, sys
folder, example = sys.argv[1:]
whole = os.path.exists(folder + "/again")
chip = subprocess.Popen([sys.executable, example], stdin=subprocess.PIPE, text=True)
count = 0
for line in iter(sys.stdin.readline, ""):
    count += line.startswith("stimulus,")
    if count > 7 and not whole:
        print("the power went out", file=sys.stderr)
        chip.kill()
        sys.exit(3)
    chip.stdin.write(line)
    chip.stdin.flush()
chip.stdin.close()
sys.exit(chip.wait())
"#;
    let script = folder.path().join("dying.py");
    std::fs::write(&script, dying).expect("writable");
    let example = project().join("examples/substrate.py");
    let command = format!(
        "['python3', {:?}, {:?}, {:?}]",
        text(&script),
        text(folder.path()),
        text(&example)
    );
    let path = with_program(folder.path(), &command);
    let out = folder.path().join("out");
    let ended = run(&path, &out, &[]);
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    assert!(ended.stderr.contains("the power went out"), "{}", ended.stderr);
    assert_eq!(rows(&out.join("metrics.csv")).len(), 1, "the first epoch is kept");
    std::fs::write(folder.path().join("again"), "").expect("writable");
    let resumed = run_well(&path, &out, &["--resume"]);
    assert!(resumed.stderr.contains("resuming after 1 epoch"), "{}", resumed.stderr);
    let whole = folder.path().join("whole");
    run_well(&path, &whole, &[]);
    for name in ["metrics.csv", "spikes.csv", "network.json"] {
        assert!(read(&out.join(name)) == read(&whole.join(name)), "{name}");
    }
}
