//! Exit codes: 0 only if everything was done and said, 2 only for bad input with nothing touched. A full disk
//! and a closed output are 3.

use crate::common;

use std::fs::OpenOptions;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use common::binary::{command, files, project, successful, text, tiny_training};
use common::stopping::assert_same;

/// Standard output that takes nothing: the disk is full.
fn full() -> Stdio {
    OpenOptions::new().write(true).open("/dev/full").expect("Linux has it").into()
}

/// Standard output that nobody reads.
fn closed() -> Stdio {
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    writer.into()
}

fn ended(folder: &Path, arguments: &[&str], stdout: Stdio) -> (Option<i32>, String) {
    let output = command()
        .args(arguments)
        .current_dir(folder)
        .stdout(stdout)
        .stderr(Stdio::piped())
        .output()
        .expect("the binary starts");
    (output.status.code(), String::from_utf8(output.stderr).expect("UTF-8"))
}

/// A folder with a scenario of each kind, a study and the results of a simulation and a training.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let write = |name: &str, content: &str| {
        std::fs::write(folder.path().join(name), content).expect("writable");
    };
    write("train.toml", &tiny_training("seed = 1", [60, 30, 30], 2));
    write(
        "study.toml",
        "[study]\nbase = 'train.toml'\nseeds = 1\n[[axes]]\nname = 'batch'\n\
         key = 'training.batch_size'\nvalues = [20, 30]\n",
    );
    let single = project().join("scenarios/single_neuron.toml");
    write("simulate.toml", &std::fs::read_to_string(single).expect("a scenario"));
    successful(folder.path(), &["run", "simulate.toml", "--out", "simulated"]);
    successful(folder.path(), &["run", "train.toml", "--out", "trained"]);
    successful(folder.path(), &["run", "study.toml", "--out", "traces/study"]);
    folder
}

#[test]
fn what_cannot_be_printed_is_never_called_done() {
    let folder = folder();
    let trace = "trained/spikes.csv";
    let commands: [&[&str]; 19] = [
        &["--help"],
        &["help", "run"],
        &["--version"],
        &["check", "train.toml"],
        &["check", "study.toml"],
        &["check", "train.toml", "--gradients"],
        &["run", "simulate.toml", "--out", "simulated"],
        &["run", "train.toml", "--out", "trained", "--resume"],
        &["run", "study.toml", "--out", "traces/study"],
        &["run", "study.toml", "--dry-run"],
        &["learn", "train.toml", "--trace", trace, "--data", "test", "--out", "learned.json"],
        &["membranes", "trained"],
        &["raster", trace],
        &["stats", trace],
        &["stats", trace, "--json"],
        &["stats", trace, "--csv"],
        &["diff", trace, trace],
        &["study", "merge", "traces/study/results.csv", "--out", "merged.csv"],
        &["data", "list"],
    ];
    for arguments in commands {
        let (code, said) = ended(folder.path(), arguments, full());
        assert_eq!(code, Some(3), "{arguments:?}: {said}");
        let message = "error: cannot write to standard output: No space left on device";
        assert!(said.contains(message), "{arguments:?}: {said}");

        // Whoever closed it needs no message.
        let (code, said) = ended(folder.path(), arguments, closed());
        assert_eq!(code, Some(3), "{arguments:?}: {said}");
        assert!(!said.contains("error") && !said.contains("panic"), "{arguments:?}: {said}");
    }
    // What failed for another reason is called that.
    let (code, _) = ended(folder.path(), &["run", "nowhere.toml"], full());
    assert_eq!(code, Some(2));
    let (code, _) = ended(folder.path(), &["--no-such-option"], full());
    assert_eq!(code, Some(2));
}

#[test]
fn a_run_whose_output_is_closed_still_writes_its_files() {
    let folder = folder();
    let (code, said) = ended(folder.path(), &["run", "train.toml", "--out", "closed"], closed());
    assert_eq!(code, Some(3), "{said}");
    assert_same(&folder.path().join("trained"), &folder.path().join("closed"));
}

/// Runs the program where no file can be larger than so many blocks of 512 bytes, and finding that out is
/// an error of writing, as on a full disk.
fn with_small_files(folder: &Path, blocks: u32, arguments: &[&str]) -> Output {
    Command::new("sh")
        .args(["-c", "trap '' XFSZ; ulimit -f $0; exec \"$@\"", &blocks.to_string()])
        .arg(command().get_program())
        .args(arguments)
        .current_dir(folder)
        .output()
        .expect("sh starts")
}

#[test]
fn a_file_that_cannot_be_written_is_no_bad_input() {
    let folder = folder();
    let place = folder.path();
    let trace = "trained/spikes.csv";
    let commands: [&[&str]; 8] = [
        &["run", "simulate.toml", "--out", "new"],
        &["run", "train.toml", "--out", "new", "--overwrite"],
        &["run", "study.toml", "--out", "new-study"],
        &["learn", "train.toml", "--trace", trace, "--data", "test", "--out", "learned.json"],
        &["membranes", "trained", "--svg", "picture.svg"],
        &["raster", trace, "--png", "raster.png"],
        &["raster", trace, "--html", "raster.html"],
        &["diff", trace, trace, "--svg", "difference.svg"],
    ];
    for arguments in commands {
        let output = with_small_files(place, 1, arguments);
        let said = String::from_utf8(output.stderr).expect("UTF-8");
        assert_eq!(output.status.code(), Some(3), "{arguments:?}: {said}");
        assert!(said.contains("error: cannot write "), "{arguments:?}: {said}");
    }
    let names = files(place);
    let partial = |path: &&std::path::PathBuf| text(path).contains(".partial");
    assert_eq!(names.keys().find(partial), None, "nothing unfinished is left");
    for name in ["learned.json", "picture.svg", "raster.png", "raster.html", "difference.svg"] {
        assert!(!names.contains_key(&place.join(name)), "{name} is there");
    }
    assert!(!names.contains_key(&place.join("new/summary.json")), "the run is not complete");

    // With room again, everything goes on.
    successful(place, &["run", "train.toml", "--out", "new", "--overwrite"]);
    assert_same(&place.join("trained"), &place.join("new"));
    successful(place, &["run", "study.toml", "--out", "new-study"]);
    let results =
        |study: &str| std::fs::read(place.join(study).join("results.csv")).expect("results");
    assert!(results("new-study") == results("traces/study"));
}
