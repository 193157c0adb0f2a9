//! A training that was killed or interrupted goes on from its checkpoint, and ends with the same
//! bytes as one that was left alone. A checkpoint that cannot be gone on from is refused, and
//! nothing is touched.

mod more_epochs;
mod spike_trains;

use crate::common;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use common::binary::{Ended, command, files, firstspike, json, project, read, successful, text};
use common::stopping::{assert_same, signal};
use firstspike::learning::{LearningEngine, Trainer, TrainingSettings};
use firstspike::scenario::load;
use nix::sys::signal::Signal;

const CHECKPOINT: &str = "checkpoint.safetensors";

const EPOCHS: u32 = 40;

/// Changes the main scenario into a small one that exercises all that a checkpoint holds: the best
/// epoch is kept, the rule for silent neurons acts in most batches, and delays are trained. On the
/// slower engine: an interrupt takes a while to be heard, and a fast training would be through.
const CHANGES: [&str; 12] = [
    "engine='event'",
    "training.epochs=40",
    "training.batch_size=30",
    "training.select=best_validation",
    "training.silent_neurons.bump={allowed=[0.02, 0.0], amount=0.0005}",
    "dataset.yin_yang.training.size=600",
    "dataset.yin_yang.validation.size=100",
    "dataset.yin_yang.test.size=100",
    "layers.0.size=30",
    "layers.0.delays={axonal.constant=0.2, trainable={high=1.0, learning_rate=0.003}}",
    "layers.1.delays={synaptic.constant=0.1, trainable={high=0.5, learning_rate=0.01}}",
    "name=small",
];

fn yin_yang() -> PathBuf {
    project().join("scenarios/yin_yang.toml")
}

/// Arguments that run the small scenario into `out`.
fn run(out: &str, more: &[&str]) -> Vec<String> {
    let scenario = yin_yang();
    let fixed = ["run", text(&scenario), "--out", out, "--checkpoint-every", "0"];
    let changes = CHANGES.iter().flat_map(|change| ["--set", change]);
    fixed.into_iter().chain(changes).chain(more.iter().copied()).map(str::to_owned).collect()
}

fn ended(folder: &Path, arguments: &[String]) -> Ended {
    firstspike(folder, &arguments.iter().map(String::as_str).collect::<Vec<_>>())
}

fn done(folder: &Path, arguments: &[String]) -> Ended {
    successful(folder, &arguments.iter().map(String::as_str).collect::<Vec<_>>())
}

/// A folder with the results of the small scenario, never stopped.
fn uninterrupted() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    done(folder.path(), &run(".", &["--threads", "2"]));
    folder
}

/// A folder in which the small scenario was interrupted, by a signal that came once it was through
/// with so many epochs.
fn interrupted(epochs: u32, by: Signal, more: &[&str]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (code, said) = signal(folder.path(), &run(".", more), |line| ends(line, epochs), by);
    assert_eq!(code, Some(130), "{said:?}");
    assert!(said.last().is_some_and(|line| line.contains("--resume")), "{said:?}");
    folder
}

/// Whether a line says that this epoch is over.
fn ends(line: &str, epoch: u32) -> bool {
    line.starts_with(&format!("epoch {epoch:>4}/"))
}

#[test]
fn killed_between_epochs_a_run_resumes_to_the_same_bytes() {
    let reference = uninterrupted();
    for threads in ["1", "2"] {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let arguments = run(".", &["--resume", "--threads", threads]);
        for start in 0..3 {
            // The second epoch of this start: after the first one there was a checkpoint.
            let mut epochs = 0;
            let is_cue = |line: &str| {
                epochs += u32::from(line.starts_with("epoch "));
                epochs == 2
            };
            let (code, said) = signal(folder.path(), &arguments, is_cue, Signal::SIGKILL);
            assert_eq!(code, None, "{said:?}");
            assert_eq!(said[0].starts_with("resuming after "), start > 0, "{said:?}");
        }
        let ended = done(folder.path(), &arguments);
        assert!(ended.stderr.starts_with("resuming after "), "{}", ended.stderr);
        assert_same(reference.path(), folder.path());
    }
}

/// The system ends a program that writes a file beyond the limit, in the middle of it. With a larger
/// limit for each start, the run ends in the files of its epochs first and then in its results.
#[test]
fn killed_while_it_writes_a_file_a_run_resumes_to_the_same_bytes() {
    let reference = uninterrupted();
    let folder = tempfile::tempdir().expect("a temporary folder");
    // In blocks of 512 bytes; the first is below the size of a checkpoint.
    let (mut limit, mut resumed, mut unfinished) = (16, 0, BTreeSet::new());
    loop {
        let program = command().get_program().to_owned();
        let output = Command::new("sh")
            .args(["-c", "ulimit -c 0; ulimit -f $0; exec \"$@\"", &limit.to_string()])
            .arg(program)
            .args(run(".", &["--resume", "--threads", "1"]))
            .current_dir(folder.path())
            .output()
            .expect("sh starts");
        let said = String::from_utf8(output.stderr).expect("UTF-8");
        resumed += usize::from(said.starts_with("resuming after "));
        match output.status.code() {
            None => {}
            Some(code) => {
                assert_eq!(code, 0, "{said}");
                break;
            }
        }
        let names = files(folder.path()).into_keys();
        unfinished.extend(names.filter(|path| path.extension().is_some_and(|e| e == "partial")));
        limit += limit / 5;
    }
    assert!(resumed > 1, "resumed {resumed} times");
    for name in [CHECKPOINT, "spikes.csv", "report.html"] {
        let partial = folder.path().join(format!(".{name}.partial"));
        assert!(unfinished.contains(&partial), "{name} was never cut off: {unfinished:?}");
    }
    assert_same(reference.path(), folder.path());
}

#[test]
fn interrupted_a_run_resumes_to_the_same_bytes() {
    let reference = uninterrupted();
    for by in [Signal::SIGINT, Signal::SIGTERM] {
        let folder = interrupted(3, by, &[]);
        let summary = json(&folder.path().join("summary.json"));
        assert_eq!(summary["interrupted"], true);
        let epochs = summary["epochs"].as_u64().expect("a count");
        let ended = done(folder.path(), &run(".", &["--resume", "--threads", "1"]));
        let said: Vec<&str> = ended.stderr.lines().collect();
        assert_eq!(said[0], format!("resuming after {epochs} epochs"));
        assert!(said[1].starts_with("engine: "), "{said:?}");
        assert!(said[2].starts_with(&format!("epoch {:>4}/{EPOCHS}", epochs + 1)), "{said:?}");
        assert_same(reference.path(), folder.path());
        let whole = json(&folder.path().join("summary.json"))["seconds"].as_f64();
        assert!(whole > summary["seconds"].as_f64(), "the time before the interrupt counts");
    }
}

#[test]
fn an_interrupted_run_leaves_the_results_of_its_complete_epochs() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let last = ["--set", "training.select=last", "--set", "training.schedule=constant", "--set"];
    let endless = run("endless", &[&last[..], &["training.epochs=1000000"]].concat());
    let (code, said) = signal(folder.path(), &endless, |line| ends(line, 3), Signal::SIGINT);
    assert_eq!(code, Some(130), "{said:?}");
    let epochs = &json(&folder.path().join("endless/summary.json"))["epochs"];
    let epochs = format!("training.epochs={epochs}");
    done(folder.path(), &run("short", &[&last[..], &[&epochs]].concat()));
    for name in ["metrics.csv", "network.json", "spikes.csv", "class_map.svg"] {
        let of = |run: &str| read(&folder.path().join(run).join(name));
        assert!(of("endless") == of("short"), "{name} differs");
    }
}

#[test]
fn resuming_a_complete_run_touches_nothing_and_says_its_result() {
    let folder = uninterrupted();
    let before = files(folder.path());
    let first = json(&folder.path().join("summary.json"));
    let ended = done(folder.path(), &run(".", &["--resume"]));
    assert!(ended.stderr.contains("complete run of this scenario"), "{}", ended.stderr);
    let accuracy = 100.0 * first["test_accuracy"].as_f64().expect("a number");
    assert!(ended.stdout.contains(&format!("{accuracy:.2} %")), "{}", ended.stdout);
    assert_eq!(files(folder.path()), before);

    // Another scenario than the complete one needs a word.
    let other = ["--resume", "--seed", "2"];
    let refused = self::ended(folder.path(), &run(".", &other));
    assert_eq!(refused.code, Some(2), "{}", refused.stderr);
    assert!(refused.stderr.contains("seed is 1 there, but 2 here"), "{}", refused.stderr);
    let ended = done(folder.path(), &run(".", &[&other[..], &["--overwrite"]].concat()));
    assert!(ended.stderr.starts_with("nothing to resume in ."), "{}", ended.stderr);
    assert_eq!(json(&folder.path().join("summary.json"))["seed"], 2);
}

#[test]
fn resuming_nothing_starts_from_the_beginning() {
    let reference = uninterrupted();
    let folder = tempfile::tempdir().expect("a temporary folder");
    let ended = done(folder.path(), &run("new", &["--resume"]));
    assert!(ended.stderr.starts_with("nothing to resume in new"), "{}", ended.stderr);
    assert_same(reference.path(), &folder.path().join("new"));
}

#[test]
fn starting_anew_keeps_a_checkpoint_that_is_further_on() {
    let folder = interrupted(12, Signal::SIGINT, &[]);
    let checkpoint = read(&folder.path().join(CHECKPOINT));
    // By the second epoch, it would have written a checkpoint of the first.
    let second = |line: &str| ends(line, 2);
    let (code, said) = signal(folder.path(), &run(".", &[]), second, Signal::SIGKILL);
    assert_eq!(code, None);
    assert!(said[0].contains("warning: starting anew") && said[0].contains("--resume"), "{said:?}");
    assert!(read(&folder.path().join(CHECKPOINT)) == checkpoint);

    // A run that is through has no use for it.
    done(folder.path(), &run(".", &[]));
    assert_same(uninterrupted().path(), folder.path());
}

#[test]
fn a_checkpoint_of_another_scenario_is_refused() {
    let folder = interrupted(3, Signal::SIGINT, &[]);
    let before = files(folder.path());
    for (change, difference) in [
        (["--seed", "2"], "seed is 1 there, but 2 here"),
        (["--set", "layers.0.size=31"], "layers.0.size is 30 there, but 31 here"),
    ] {
        let refused = ended(folder.path(), &run(".", &["--resume", change[0], change[1]]));
        assert_eq!(refused.code, Some(2), "{}", refused.stderr);
        assert_eq!(refused.stdout, "");
        let message = format!(
            ". holds a training of another scenario, which can be resumed: {difference}\nGive --overwrite"
        );
        assert!(refused.stderr.contains(&message), "{}", refused.stderr);
        assert_eq!(files(folder.path()), before);
    }
}

#[test]
fn a_damaged_checkpoint_is_refused() {
    let folder = interrupted(3, Signal::SIGINT, &[]);
    let path = folder.path().join(CHECKPOINT);
    let whole = read(&path);
    let mut flipped = whole.clone();
    flipped[whole.len() - 9] ^= 1;
    for (name, bytes) in [
        ("empty", &[][..]),
        ("cut", &whole[..whole.len() / 2]),
        ("flipped", &flipped),
        ("no checkpoint at all", b"epoch,loss\n1,0.5\n2,0.4\n"),
    ] {
        std::fs::write(&path, bytes).expect("writable");
        let before = files(folder.path());
        let refused = ended(folder.path(), &run(".", &["--resume"]));
        assert_eq!(refused.code, Some(2), "{name}: {}", refused.stderr);
        assert!(refused.stderr.contains("checkpoint.safetensors is damaged: "), "{name}");
        assert!(refused.stderr.contains("Without --resume, the run starts anew."), "{name}");
        assert_eq!((refused.stdout.as_str(), files(folder.path())), ("", before), "{name}");
    }
    // As it says.
    done(folder.path(), &run(".", &[]));
    assert_same(uninterrupted().path(), folder.path());
}

#[test]
fn only_trainings_are_resumed_and_the_interval_is_a_time() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let single = project().join("scenarios/single_neuron.toml");
    let refused = firstspike(folder.path(), &["run", text(&single), "--out", ".", "--resume"]);
    assert_eq!(refused.code, Some(2));
    assert!(refused.stderr.contains("a simulation keeps no checkpoint"), "{}", refused.stderr);
    for bad in ["-1", "nan", "often", "inf"] {
        let bad = format!("--checkpoint-every={bad}");
        let refused = firstspike(folder.path(), &["run", text(&single), "--out", ".", &bad]);
        assert_eq!(refused.code, Some(2));
        assert!(refused.stderr.contains("number of seconds, 0 or above"), "{}", refused.stderr);
    }
    assert!(files(folder.path()).is_empty());
}

#[test]
fn a_state_goes_on_in_another_trainer_bit_for_bit() {
    goes_on_in_another_trainer(LearningEngine::Event);
    goes_on_in_another_trainer(LearningEngine::FeedForward);
    goes_on_in_another_trainer(LearningEngine::FeedForwardSingle);
}

fn goes_on_in_another_trainer(engine: LearningEngine) {
    let changes: Vec<String> = CHANGES.iter().map(|&change| change.to_owned()).collect();
    let learner = load(&yin_yang(), &changes).and_then(|loaded| loaded.learner()).expect("valid");
    let training = learner.encode(&learner.data.training);
    let train = |trainer: &mut Trainer, epochs: usize| {
        for _ in 0..epochs {
            let mut onwards = |_: &_| std::ops::ControlFlow::Continue(());
            trainer.train_epoch(&training, &mut onwards).expect("learns").expect("not stopped");
        }
    };
    let settings = TrainingSettings { engine, ..learner.settings.clone() };
    let new = || Trainer::new(&learner.network, settings.clone()).expect("the network can run");
    let (mut whole, mut first, mut second) = (new(), new(), new());
    // Until each kind of memory is there to be forgotten.
    let mut epochs = 0;
    while epochs == 0 || !first.state().counters().contains_key("silent_neurons.last_layer") {
        epochs += 1;
        train(&mut first, 1);
    }
    train(&mut whole, epochs + 1);
    let state = first.state();
    let expected = [
        "adam.delays.mean",
        "adam.delays.square",
        "adam.weights.mean",
        "adam.weights.square",
        "delays",
        "silent_neurons.last_amount",
        "weights",
    ];
    assert_eq!(state.arrays().keys().collect::<Vec<_>>(), expected);
    let expected =
        ["adam.delays.steps", "adam.weights.steps", "epoch", "silent_neurons.last_layer"];
    assert_eq!(state.counters().keys().collect::<Vec<_>>(), expected);
    second.restore(&state).expect("of the same network");
    assert_eq!(second.state(), state);
    train(&mut second, 1);
    assert_eq!(second.state(), whole.state());

    // Another network's state changes nothing.
    let other = load(&yin_yang(), &[]).and_then(|loaded| loaded.learner()).expect("valid");
    let other =
        Trainer::new(&other.network, other.settings.clone()).expect("the network can run").state();
    let refused = second.restore(&other).expect_err("another network").to_string();
    assert!(refused.contains("`adam.weights.mean`"), "{refused}");
    assert_eq!(second.state(), whole.state());
}

/// A training that starts from the network of another.
#[test]
fn an_interrupted_fine_tuning_resumes_to_the_same_bytes() {
    let base = tempfile::tempdir().expect("a temporary folder");
    done(base.path(), &run("trained", &["--set", "training.epochs=2"]));
    let start = format!("start_from={}", text(&base.path().join("trained")));
    let other = [
        "--set",
        &start,
        "--set",
        "training.loss={shift_invariant_mean_squared_error.margin=0.2}",
        "--set",
        "training.schedule=constant",
    ];
    let whole = tempfile::tempdir().expect("a temporary folder");
    done(whole.path(), &run(".", &[&other[..], &["--threads", "2"]].concat()));
    for by in [Signal::SIGINT, Signal::SIGKILL] {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let arguments = run(".", &other);
        let (code, said) = signal(folder.path(), &arguments, |line| ends(line, 3), by);
        assert!(code != Some(0), "{said:?}");
        let resumed = run(".", &[&other[..], &["--resume", "--threads", "1"]].concat());
        let ended = done(folder.path(), &resumed);
        assert!(ended.stderr.starts_with("resuming after "), "{}", ended.stderr);
        assert_same(whole.path(), folder.path());
    }
}
