//! Many processes in one folder, and many kills: nothing is ever corrupt, and whatever is killed ends with the
//! bytes of a run that was left alone. Takes minutes, and is therefore asked for:
//!
//! ```sh
//! cargo test --test program robustness -- --ignored --nocapture
//! ```
//!
//! When a process is killed is random, from a seed, but where it then is depends on the machine. The tests hold
//! wherever that is.

use crate::common;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use common::binary::{command, files, json, project, successful, tiny_training};
use common::stopping::{assert_same, results};
use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

const PAIRS: usize = 200;

/// For each kind of run.
const KILLS: usize = 40;

/// After so many kills in one folder the run may end.
const KILLS_IN_A_ROW: usize = 5;

fn write_scenarios(folder: &Path) {
    let write = |name: &str, content: &str| {
        std::fs::write(folder.join(name), content).expect("writable");
    };
    write("train.toml", &tiny_training("seed = 1\nengine = 'event'", [120, 30, 30], 12));
    write("chip.toml", &tiny_training("seed = 1\n[chip]\nlink.loss = 0.01", [90, 30, 30], 8));
    write(
        "study.toml",
        "[study]\nbase = 'chip.toml'\nset = ['training.epochs=2']\nseeds = 4\n[[axes]]\nname = 'jitter'\n\
         key = 'chip.link.spike_jitter'\nvalues = [0.0, 0.1, 0.2]\nideal = 0.0\n",
    );
    let scenario = |name: &str| {
        std::fs::read_to_string(project().join("scenarios").join(name)).expect("a scenario")
    };
    write("simulate.toml", &scenario("recurrent.toml").replace("until = 1000", "until = 100"));
    write("spikes.toml", &scenario("recurrent_learning.toml"));
    write("recurrent_learning_targets.csv", &scenario("recurrent_learning_targets.csv"));
}

fn start(folder: &Path, arguments: &[&str]) -> Child {
    let mut command = command();
    command.args(arguments).current_dir(folder).stdin(Stdio::null());
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the binary starts")
}

#[test]
#[ignore = "takes minutes"]
fn two_hundred_pairs_of_processes_in_one_folder_corrupt_none() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let place = folder.path();
    write_scenarios(place);
    let mut random = ChaCha8Rng::seed_from_u64(1);
    let mut codes: BTreeMap<[Option<i32>; 2], usize> = BTreeMap::new();
    for scenario in ["train.toml", "simulate.toml"] {
        let few = ["--set", "training.epochs=2"];
        let more = if scenario == "train.toml" { &few[..] } else { &[] };
        let run = |seed: &'static str, out: &str, options: &[&'static str]| {
            let fixed = ["run", scenario, "--seed", seed, "--threads", "1", "--out", out];
            [&fixed[..], more, options].concat().into_iter().map(str::to_owned).collect::<Vec<_>>()
        };
        for seed in ["1", "2"] {
            let reference = format!("{scenario}_{seed}");
            let arguments = run(seed, &reference, &[]);
            successful(place, &arguments.iter().map(String::as_str).collect::<Vec<_>>());
        }
        for pair in 0..PAIRS / 2 {
            let out = format!("{scenario}_pair_{pair}");
            let options: &[&str] = if pair % 2 == 0 { &["--overwrite"] } else { &[] };
            let begin = |seed| {
                let arguments = run(seed, &out, options);
                start(place, &arguments.iter().map(String::as_str).collect::<Vec<_>>())
            };
            let mut one = begin("1");
            std::thread::sleep(Duration::from_millis(random.random_range(0..20)));
            let mut two = begin("2");
            let ended = [&mut one, &mut two].map(|child| child.wait().expect("a child").code());
            *codes.entry(ended).or_default() += 1;
            assert!(ended.contains(&Some(0)), "{out}: {ended:?}");
            assert!(ended.iter().all(|code| matches!(code, Some(0 | 2))), "{out}: {ended:?}");
            let out = place.join(out);
            let seed = json(&out.join("summary.json"))["seed"].as_u64().expect("a seed");
            assert_same(&place.join(format!("{scenario}_{seed}")), &out);
        }
    }
    eprintln!("{PAIRS} pairs of processes, none corrupt; exit codes of both: {codes:?}");
}

/// What a study left. It tells no time.
fn study_results(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let own = |path: PathBuf| path.strip_prefix(folder).expect("in it").to_owned();
    files(folder).into_iter().map(|(path, bytes)| (own(path), bytes)).collect()
}

#[test]
#[ignore = "takes minutes"]
fn two_hundred_kills_of_all_kinds_of_runs_end_with_the_same_bytes() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let place = folder.path();
    write_scenarios(place);
    let mut random = ChaCha8Rng::seed_from_u64(2);
    let kinds: [(&str, &[&str]); 5] = [
        ("train", &["--resume", "--checkpoint-every", "0"]),
        ("chip", &["--resume", "--checkpoint-every", "0"]),
        ("spikes", &["--resume", "--checkpoint-every", "0", "--set", "spike_training.epochs=150"]),
        ("study", &[]),
        // A simulation keeps no checkpoint: the same command simulates it anew.
        ("simulate", &[]),
    ];
    for (kind, options) in kinds {
        let scenario = format!("{kind}.toml");
        let run = |out: &str, threads: &str| -> Vec<String> {
            let fixed = ["run", &scenario, "--out", out, "--threads", threads, "--quiet"];
            [&fixed[..], options].concat().into_iter().map(str::to_owned).collect()
        };
        let reference = format!("{kind}_reference");
        let begin = Instant::now();
        let arguments = run(&reference, "2");
        successful(place, &arguments.iter().map(String::as_str).collect::<Vec<_>>());
        let whole = begin.elapsed();
        let (mut kills, mut runs, mut unfinished) = (0, 0, 0);
        while kills < KILLS {
            let out = format!("{kind}_{runs}");
            let arguments = run(&out, if runs % 2 == 0 { "1" } else { "2" });
            let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
            let mut in_a_row = 0;
            while in_a_row < KILLS_IN_A_ROW {
                let mut child = start(place, &arguments);
                std::thread::sleep(whole.mul_f64(random.random_range(0.0..0.8)));
                if child.try_wait().expect("a child").is_some() {
                    break;
                }
                child.kill().expect("it still runs");
                child.wait().expect("a child");
                (in_a_row, kills) = (in_a_row + 1, kills + 1);
                let left = files(place).into_keys();
                unfinished += left
                    .filter(|path| path.extension().is_some_and(|name| name == "partial"))
                    .count();
            }
            successful(place, &arguments);
            let (reference, out) = (place.join(&reference), place.join(&out));
            if kind == "study" {
                assert!(study_results(&reference) == study_results(&out), "{kind} {runs}");
            } else {
                assert!(results(&reference) == results(&out), "{kind} {runs}");
            }
            std::fs::remove_dir_all(out).expect("it is there");
            runs += 1;
        }
        eprintln!(
            "{kind}: {kills} kills in {runs} runs, {unfinished} unfinished files, the same bytes"
        );
    }
}
