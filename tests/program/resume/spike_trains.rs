//! Trainings of spike trains go on as those of layers do.

use std::path::{Path, PathBuf};

use nix::sys::signal::Signal;

use super::common::binary::{files, json, project, text};
use super::common::stopping::{assert_same, signal};
use super::{done, ended};

/// The whole training. A signal comes at most some hundred epochs after its cue, which is a line for each
/// hundredth epoch: what is said goes through a small buffer.
const EPOCHS: u32 = 2000;

fn run(out: &str, epochs: u32, more: &[&str]) -> Vec<String> {
    let scenario: PathBuf = project().join("scenarios/recurrent_learning.toml");
    let epochs = format!("spike_training.epochs={epochs}");
    let fixed = ["run", text(&scenario), "--out", out, "--set", &epochs];
    fixed.into_iter().chain(more.iter().copied()).map(str::to_owned).collect()
}

fn uninterrupted() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    done(folder.path(), &run(".", EPOCHS, &[]));
    folder
}

fn ends(line: &str, epoch: u32) -> bool {
    line.starts_with(&format!("epoch {epoch:>4}/"))
}

fn epochs(folder: &Path) -> u32 {
    let summary = json(&folder.join("summary.json"));
    summary["epochs"].as_u64().expect("a count") as u32
}

#[test]
fn killed_or_interrupted_it_resumes_to_the_same_bytes() {
    let reference = uninterrupted();
    let folder = tempfile::tempdir().expect("a temporary folder");
    let arguments = run(".", EPOCHS, &["--resume", "--checkpoint-every", "0"]);
    for (start, by) in [Signal::SIGKILL, Signal::SIGINT, Signal::SIGKILL].into_iter().enumerate() {
        let is_cue = |line: &str| line.starts_with("epoch ");
        let (code, said) = signal(folder.path(), &arguments, is_cue, by);
        assert_eq!(code, (by == Signal::SIGINT).then_some(130), "{said:?}");
        assert_eq!(said[0].starts_with("resuming after "), start > 0, "{said:?}");
        if by == Signal::SIGINT {
            let summary = json(&folder.path().join("summary.json"));
            assert_eq!(summary["interrupted"], true);
            assert!(said.last().is_some_and(|line| line.contains("--resume")), "{said:?}");
        }
    }
    done(folder.path(), &arguments);
    assert_same(reference.path(), folder.path());

    let before = files(folder.path());
    let ended = done(folder.path(), &arguments);
    assert!(ended.stderr.contains("complete run of this scenario"), "{}", ended.stderr);
    assert!(ended.stdout.contains("timing error"), "{}", ended.stdout);
    assert!(files(folder.path()) == before);
}

#[test]
fn with_more_epochs_it_goes_on_to_the_same_bytes() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let constant = ["--set", "spike_training.schedule=constant"];
    let resume = [&constant[..], &["--resume"]].concat();
    done(folder.path(), &run("whole", 120, &constant));
    done(folder.path(), &run("parts", 50, &constant));
    let ended = done(folder.path(), &run("parts", 120, &resume));
    assert!(ended.stderr.starts_with("resuming after 50 epochs"), "{}", ended.stderr);
    assert_same(&folder.path().join("whole"), &folder.path().join("parts"));
    assert_eq!(epochs(&folder.path().join("parts")), 120);

    // The scenario's own schedule is a cosine.
    done(folder.path(), &run("cosine", 50, &[]));
    let refused = ended_with(folder.path(), &run("cosine", 120, &["--resume"]));
    assert!(refused.contains("spike_training.schedule = \"cosine\""), "{refused}");
}

/// The message of a refusal.
fn ended_with(folder: &Path, arguments: &[String]) -> String {
    let ended = ended(folder, arguments);
    assert_eq!(ended.code, Some(2), "{}", ended.stderr);
    ended.stderr
}

#[test]
fn stopped_at_an_epoch_it_leaves_what_a_shorter_one_leaves() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let constant = ["--set", "spike_training.schedule=constant"];
    let is_cue = |line: &str| ends(line, 100);
    let (code, said) =
        signal(folder.path(), &run("stopped", 1_000_000, &constant), is_cue, Signal::SIGINT);
    assert_eq!(code, Some(130), "{said:?}");
    let stopped = folder.path().join("stopped");
    done(folder.path(), &run("short", epochs(&stopped), &constant));
    for name in ["metrics.csv", "network.json", "spikes.csv"] {
        let of = |run: &Path| std::fs::read(run.join(name)).expect(name);
        assert!(of(&stopped) == of(&folder.path().join("short")), "{name} differs");
    }
}
