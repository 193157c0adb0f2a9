//! The folder of a run belongs to one run: to one process while it works, and to one scenario with its
//! data. What is another's is refused before anything is touched.

use crate::common;

use std::path::{Path, PathBuf};

use common::binary::{Ended, files, firstspike, json, project, read, successful, text, timeless};
use common::cases::{case, replace};
use common::stopping::{assert_same, signal};
use nix::sys::signal::Signal;

const SINGLE: &str = "scenarios/single_neuron.toml";

/// A refusal that left a folder as it was.
fn refused(folder: &Path, arguments: &[&str]) -> Ended {
    let before = files(folder);
    let ended = firstspike(folder, arguments);
    assert_eq!(ended.code, Some(2), "{arguments:?}: {}", ended.stderr);
    assert_eq!(ended.stdout, "", "{arguments:?}");
    assert_eq!(files(folder), before, "{arguments:?}");
    ended
}

/// What a simulation left, without its summary, which tells the time.
fn results(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let all = files(folder).into_iter();
    let all = all.map(|(path, bytes)| {
        let bytes = timeless(&path, bytes);
        (path.strip_prefix(folder).expect("in it").to_owned(), bytes)
    });
    all.filter(|(name, _)| !name.ends_with("summary.json")).collect()
}

/// Arguments of a training that lasts until it is stopped.
fn endless(more: &[&str]) -> Vec<String> {
    let fixed = ["run", "scenario.toml", "--set", "training.epochs=3000000", "--out", "out"];
    [&fixed[..], more].concat().into_iter().map(str::to_owned).collect()
}

#[test]
fn a_second_process_is_refused_while_the_first_one_works() {
    let folder = case("resume-data-changed");
    let out = folder.path().join("out");
    let mut said = Vec::new();
    let is_cue = |line: &str| {
        if !line.starts_with("epoch    2/") {
            return false;
        }
        for more in [&[][..], &["--resume"], &["--overwrite"], &["--seed", "2", "--overwrite"]] {
            let arguments: Vec<String> = endless(more);
            let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
            let ended = firstspike(folder.path(), &arguments);
            said.push((ended.code, ended.stderr));
        }
        true
    };
    let (code, _) =
        signal(folder.path(), &endless(&["--checkpoint-every=0"]), is_cue, Signal::SIGKILL);
    assert_eq!(code, None);
    assert_eq!(said.len(), 4);
    for (code, stderr) in &said {
        assert_eq!(*code, Some(2), "{stderr}");
        assert!(stderr.contains("another process is writing into out"), "{stderr}");
    }
    // A killed process holds nothing.
    let ended = successful(folder.path(), &["run", "scenario.toml", "--out", "out", "--overwrite"]);
    assert!(!ended.stderr.contains("another process"), "{}", ended.stderr);
    assert!(files(&out).keys().all(|path| !path.ends_with(".lock")), "the lock is gone");
}

#[test]
fn the_run_of_another_scenario_is_replaced_only_if_that_is_wanted() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let single = project().join(SINGLE);
    let run = ["run", text(&single), "--out", "out"];
    successful(folder.path(), &run);
    // The same once more: the same bytes.
    let before = results(&folder.path().join("out"));
    successful(folder.path(), &run);
    assert_eq!(results(&folder.path().join("out")), before);

    let other = [&run[..], &["--seed", "7"]].concat();
    let ended = refused(folder.path(), &other);
    for part in [
        "out holds the run of another scenario: seed is 1 there, but 7 here",
        "--overwrite",
        "--out",
    ] {
        assert!(ended.stderr.contains(part), "no `{part}` in {}", ended.stderr);
    }
    successful(folder.path(), &[&other[..], &["--overwrite"]].concat());
    assert_eq!(json(&folder.path().join("out/summary.json"))["seed"], 7);

    // Results that nobody can tell the scenario of are somebody's, too.
    std::fs::remove_file(folder.path().join("out/scenario.toml")).expect("there");
    let ended = refused(folder.path(), &other);
    assert!(
        ended.stderr.contains("there is summary.json, but no scenario.toml"),
        "{}",
        ended.stderr
    );
}

#[test]
fn no_file_of_an_old_run_stays_beside_a_new_one() {
    let folder = case("resume-data-changed");
    successful(folder.path(), &["run", "scenario.toml", "--out", "out"]);
    let simulation = project().join(SINGLE);
    let run = ["run", text(&simulation), "--out"];
    successful(folder.path(), &[&run[..], &["out", "--overwrite"]].concat());
    successful(folder.path(), &[&run[..], &["alone"]].concat());
    let names = |out: &str| -> Vec<PathBuf> {
        results(&folder.path().join(out)).into_iter().map(|(name, _)| name).collect()
    };
    assert_eq!(names("out"), names("alone"));
    assert!(results(&folder.path().join("out")) == results(&folder.path().join("alone")));
}

#[test]
fn killed_at_any_time_a_rerun_leaves_nothing_of_the_old_run() {
    let folder = case("resume-data-changed");
    let out = folder.path().join("out");
    successful(folder.path(), &["run", "scenario.toml", "--out", "out"]);
    let old = files(&out);
    let arguments = endless(&["--seed", "2", "--overwrite"]);
    let is_cue = |line: &str| line.starts_with("epoch ");
    let (code, _) = signal(folder.path(), &arguments, is_cue, Signal::SIGKILL);
    assert_eq!(code, None);
    let scenario = String::from_utf8(read(&out.join("scenario.toml"))).expect("UTF-8");
    assert!(scenario.contains("seed = 2"), "{scenario}");
    for (path, content) in files(&out) {
        assert!(old.get(&path) != Some(&content), "{} is of the old run", path.display());
    }
    assert!(!out.join("summary.json").exists());
}

#[test]
fn a_run_does_not_replace_what_it_reads() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let scenario = std::fs::read_to_string(project().join(SINGLE)).expect("a scenario");
    std::fs::write(folder.path().join("scenario.toml"), scenario).expect("writable");
    let ended = refused(folder.path(), &["run", "scenario.toml", "--out", "."]);
    assert!(ended.stderr.contains("would replace it with its results"), "{}", ended.stderr);

    // The scenario of a run's folder is what the run would write there.
    successful(folder.path(), &["run", "scenario.toml", "--out", "out"]);
    let before = results(&folder.path().join("out"));
    successful(folder.path(), &["run", "out/scenario.toml", "--out", "out"]);
    assert_eq!(results(&folder.path().join("out")), before);
}

#[test]
fn links_in_a_folder_are_not_followed() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (out, aim) = (folder.path().join("out"), folder.path().join("mine.txt"));
    std::fs::create_dir(&out).expect("writable");
    std::fs::write(&aim, "mine").expect("writable");
    for name in ["spikes.csv", ".spikes.csv.partial", ".summary.json.partial", "scenario.toml"] {
        std::os::unix::fs::symlink(&aim, out.join(name)).expect("a link");
    }
    let single = project().join(SINGLE);
    successful(folder.path(), &["run", text(&single), "--out", "out"]);
    assert_eq!(read(&aim), b"mine");
    for path in files(&out).into_keys() {
        let found = std::fs::symlink_metadata(&path).expect("there");
        assert!(found.is_file(), "{} is a link", path.display());
    }
    std::os::unix::fs::symlink(&aim, out.join(".lock")).expect("a link");
    let ended = refused(folder.path(), &["run", text(&single), "--out", "out"]);
    assert!(ended.stderr.contains("symbolic link"), "{}", ended.stderr);
}

#[test]
fn a_complete_run_with_other_data_is_another_run() {
    let folder = case("resume-data-changed");
    let run = ["run", "scenario.toml", "--out", "out"];
    successful(folder.path(), &run);
    let ended = successful(folder.path(), &[&run[..], &["--resume"]].concat());
    assert!(ended.stderr.contains("nothing to do"), "{}", ended.stderr);

    replace(&folder.path().join("train.csv"), "0.1476,0.8088,0", "0.1476,0.8088,1");
    let said = "train.csv has other content than it had then";
    for more in [&[][..], &["--resume"]] {
        let ended = refused(folder.path(), &[&run[..], more].concat());
        assert!(ended.stderr.contains(said), "{}", ended.stderr);
        assert!(ended.stderr.contains("--overwrite"), "{}", ended.stderr);
    }
    successful(folder.path(), &[&run[..], &["--overwrite"]].concat());
    successful(folder.path(), &["run", "scenario.toml", "--out", "fresh"]);
    assert_same(&folder.path().join("fresh"), &folder.path().join("out"));
}

#[test]
fn an_interrupted_training_does_not_go_on_with_other_data() {
    let folder = case("resume-data-changed");
    let is_cue = |line: &str| line.starts_with("epoch    3/");
    let (code, _) = signal(folder.path(), &endless(&[]), is_cue, Signal::SIGINT);
    assert_eq!(code, Some(130));
    replace(&folder.path().join("test.csv"), "0.2255,0.7933,0", "0.2255,0.7933,1");
    let resume = endless(&["--resume"]);
    let resume: Vec<&str> = resume.iter().map(String::as_str).collect();
    let ended = refused(folder.path(), &resume);
    assert!(ended.stderr.contains("test.csv has other content"), "{}", ended.stderr);

    // With the data as they were it does.
    replace(&folder.path().join("test.csv"), "0.2255,0.7933,1", "0.2255,0.7933,0");
    let mut said = Vec::new();
    let is_cue = |line: &str| {
        said.push(line.to_owned());
        line.starts_with("epoch ")
    };
    let (code, _) = signal(folder.path(), &endless(&["--resume"]), is_cue, Signal::SIGINT);
    assert_eq!(code, Some(130));
    assert!(said[0].starts_with("resuming after "), "{said:?}");
}

#[test]
fn a_study_does_not_go_on_with_other_data_and_says_what_is_there_twice() {
    let folder = case("resume-data-changed");
    std::fs::write(
        folder.path().join("study.toml"),
        "[study]\nbase = 'scenario.toml'\nset = ['training.epochs=1']\nseeds = 3\n\
         [[axes]]\nname = 'margin'\n\
         key = 'training.loss.shift_invariant_mean_squared_error.margin'\nvalues = [0.3, 0.1]\n",
    )
    .expect("writable");
    let run = ["run", "study.toml", "--out", "out", "--threads"];
    successful(folder.path(), &[&run[..], &["1"]].concat());
    let results = folder.path().join("out/results.csv");
    let whole = read(&results);

    // In the order of the plan, however the trainings ended.
    let text = String::from_utf8(whole.clone()).expect("UTF-8");
    let mut lines: Vec<&str> = text.lines().collect();
    lines[1..].reverse();
    std::fs::write(&results, lines.join("\n") + "\n").expect("writable");
    successful(folder.path(), &[&run[..], &["2"]].concat());
    assert!(read(&results) == whole, "{}", String::from_utf8_lossy(&read(&results)));
    let order: Vec<String> = text
        .lines()
        .skip(1)
        .map(|line| line.split(',').skip(2).take(2).collect::<Vec<_>>().join(","))
        .collect();
    assert_eq!(order, ["0.3,1", "0.3,2", "0.3,3", "0.1,1", "0.1,2", "0.1,3"]);

    let mut twice = text.clone();
    twice += text.lines().nth(2).expect("a row");
    twice += "\n";
    std::fs::write(&results, &twice).expect("writable");
    for arguments in [
        &["run", "study.toml", "--out", "out"][..],
        &["run", "study.toml", "--out", "out", "--dry-run"],
        &["study", "merge", "out/results.csv", "--out", "merged.csv"],
    ] {
        let ended = firstspike(folder.path(), arguments);
        assert_eq!(ended.code, Some(2), "{}", ended.stderr);
        let said = "line 8: 0.3, in_the_loop, seed 2 is there already, in line 3";
        assert!(ended.stderr.contains(said), "{}", ended.stderr);
    }
    std::fs::write(&results, &whole).expect("writable");

    replace(&folder.path().join("train.csv"), "0.1476,0.8088,0", "0.1476,0.8088,1");
    let ended = refused(folder.path(), &["run", "study.toml", "--out", "out"]);
    let said = "the results here are of other data: train.csv has other content";
    assert!(ended.stderr.contains(said), "{}", ended.stderr);
    assert!(ended.stderr.contains("another --out"), "{}", ended.stderr);
}
