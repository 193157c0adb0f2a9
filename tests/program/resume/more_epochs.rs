//! A run that ended goes on with more epochs, to the bytes of a run that had them from the start. Where the
//! learning rate depends on the number of epochs, it is another run, and is refused.

use std::path::Path;

use nix::sys::signal::Signal;

use super::common::binary::{files, json, read};
use super::common::stopping::{assert_same, signal};
use super::{CHECKPOINT, done, ended, ends, interrupted, run};

/// The small scenario with a learning rate that does not depend on the number of epochs.
fn constant(out: &str, epochs: u64, more: &[&str]) -> Vec<String> {
    let epochs = format!("training.epochs={epochs}");
    let fixed = ["--set", "training.schedule=constant", "--set", &epochs];
    run(out, &[&fixed[..], more].concat())
}

/// A refusal for this reason that left the folder as it was.
fn refused(folder: &Path, arguments: &[String], reasons: &[&str]) {
    let before = files(folder);
    let ended = ended(folder, arguments);
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""), "{}", ended.stderr);
    for reason in reasons {
        assert!(ended.stderr.contains(reason), "no `{reason}` in {}", ended.stderr);
    }
    assert!(files(folder) == before, "{reasons:?}: something was touched");
}

#[test]
fn with_more_epochs_a_complete_run_goes_on_to_the_same_bytes() {
    let step = "training.schedule={step={every=2, factor=0.5}}";
    for schedule in ["training.schedule=constant", step] {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let more = ["--set", schedule];
        done(folder.path(), &constant("whole", 7, &more));
        for (epochs, said) in
            [(3, "nothing to resume"), (5, "after 3 epochs"), (7, "after 5 epochs")]
        {
            let ended = done(
                folder.path(),
                &constant("parts", epochs, &[&more[..], &["--resume"]].concat()),
            );
            let first = ended.stderr.lines().next().expect("a line");
            assert!(first.contains(said), "{}", ended.stderr);
        }
        assert_same(&folder.path().join("whole"), &folder.path().join("parts"));
    }
}

#[test]
fn killed_after_more_epochs_were_asked_for_a_run_goes_on_to_the_same_bytes() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    done(folder.path(), &constant("whole", 40, &[]));
    done(folder.path(), &constant("parts", 3, &[]));
    let before = json(&folder.path().join("parts/summary.json"))["seconds"].as_f64();
    let resume = constant("parts", 40, &["--resume"]);
    let (code, said) = signal(folder.path(), &resume, |line| ends(line, 5), Signal::SIGKILL);
    assert_eq!(code, None, "{said:?}");
    assert!(!folder.path().join("parts/summary.json").exists(), "it is not complete");
    done(folder.path(), &resume);
    assert_same(&folder.path().join("whole"), &folder.path().join("parts"));
    let after = json(&folder.path().join("parts/summary.json"))["seconds"].as_f64();
    assert!(after > before, "the time of the first three epochs counts");
}

#[test]
fn an_interrupted_run_may_end_sooner_than_it_was_to() {
    let constant_rate = ["--set", "training.schedule=constant"];
    let folder = interrupted(3, Signal::SIGINT, &constant_rate);
    let epochs = json(&folder.path().join("summary.json"))["epochs"].as_u64().expect("a count");
    done(folder.path(), &constant(".", epochs + 1, &["--resume"]));
    let reference = tempfile::tempdir().expect("a temporary folder");
    done(reference.path(), &constant(".", epochs + 1, &[]));
    assert_same(reference.path(), folder.path());
}

#[test]
fn what_cannot_go_on_with_other_epochs_is_refused_with_the_reason() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let place = folder.path();
    let cosine = |out: &str, epochs: u32, more: &[&str]| {
        run(out, &[&["--set", &format!("training.epochs={epochs}")], more].concat())
    };
    done(place, &cosine("cosine", 2, &[]));
    done(place, &constant("constant", 2, &[]));

    let reason = "training.epochs is 2 there, but 4 here, and with training.schedule = \"cosine\" the \
                  learning rate of every epoch depends on that";
    for more in [&[][..], &["--resume"]] {
        refused(place, &cosine("cosine", 4, more), &[reason, "--overwrite", "--out"]);
    }
    let reason = "training.epochs is 2 there, but 4 here; --resume goes on from there";
    refused(place, &constant("constant", 4, &[]), &[reason, "--overwrite"]);
    let reason = "it has 2 epochs already, but training.epochs is 1 here";
    refused(place, &constant("constant", 1, &["--resume"]), &[reason]);
    let seed = ["--resume", "--seed", "2"];
    refused(place, &constant("constant", 4, &seed), &["seed is 1 there, but 2 here"]);

    // As a version of the program before this one left it.
    std::fs::remove_file(place.join("constant").join(CHECKPOINT)).expect("there");
    let reason = "there is no checkpoint to go on from";
    refused(place, &constant("constant", 4, &["--resume"]), &[reason, "--overwrite"]);
    done(place, &constant("constant", 4, &["--overwrite"]));
    done(place, &constant("fresh", 4, &[]));
    assert_same(&place.join("fresh"), &place.join("constant"));
    assert!(!read(&place.join("fresh").join(CHECKPOINT)).is_empty());
}
