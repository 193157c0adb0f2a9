//! `firstspike nir`: networks of other programs.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::common::binary::{Ended, firstspike, project, successful};

mod peers;
mod refusals;

pub(super) fn nir(folder: &Path, arguments: &[&str]) -> Ended {
    firstspike(folder, &[&["nir"], arguments].concat())
}

/// A file of `tests/files/write_nir.py`.
fn file(name: &str) -> String {
    project().join("tests/files").join(name).to_string_lossy().into_owned()
}

fn run(folder: &Path, scenario: &str, out: &str) {
    successful(folder, &["run", scenario, "--out", out]);
}

#[test]
fn a_network_comes_back_with_the_same_spikes_to_the_bit() {
    let folder = TempDir::new().expect("a temporary folder");
    for name in ["recurrent", "heterogeneous", "single_neuron"] {
        let scenario = project().join(format!("scenarios/{name}.toml"));
        let scenario = scenario.to_string_lossy().into_owned();
        run(folder.path(), &scenario, name);
        let (nir_file, imported) = (format!("{name}.nir"), format!("{name}_imported"));
        let exported = nir(folder.path(), &["export", name, &nir_file]);
        assert_eq!(exported.code, Some(0), "{}", exported.stderr);
        let read = nir(folder.path(), &["import", &nir_file, "--out", &imported]);
        assert_eq!(read.code, Some(0), "{}", read.stderr);
        run(folder.path(), &format!("{imported}/scenario.toml"), &format!("{name}_again"));
        let spikes =
            |run: &str| std::fs::read_to_string(folder.path().join(run).join("spikes.csv"));
        let (first, again) =
            (spikes(name).expect("spikes"), spikes(&format!("{name}_again")).expect("spikes"));
        assert!(first.lines().count() > 1, "{name}");
        if name == "heterogeneous" {
            // It records some neurons only.
            let again: HashSet<&str> = again.lines().collect();
            assert!(first.lines().all(|spike| again.contains(spike)), "{name}: other spikes");
        } else {
            assert!(first == again, "{name}: other spikes");
        }
    }
}

#[test]
fn a_file_that_does_not_say_what_it_means_is_a_question() {
    let folder = TempDir::new().expect("a temporary folder");
    let network = file("nir_cuba.nir");
    let asked = nir(folder.path(), &["check", &network]);
    assert_eq!(asked.code, Some(2), "{}{}", asked.stdout, asked.stderr);
    assert!(asked.stderr.contains("choose --dialect strict|snntorch|norse"), "{}", asked.stderr);
    let answered = nir(folder.path(), &["check", &network, "--dialect", "strict"]);
    assert_eq!(answered.code, Some(0), "{}", answered.stderr);
    assert!(answered.stdout.contains("everything is supported"), "{}", answered.stdout);
}

#[test]
fn what_cannot_be_meant_is_listed_node_by_node() {
    let folder = TempDir::new().expect("a temporary folder");
    let refused = nir(folder.path(), &["check", &file("nir_refused.nir"), "--dialect", "strict"]);
    assert_eq!(refused.code, Some(1), "{}", refused.stderr);
    for message in
        ["threshold (Threshold): a threshold without reset", "middle (LI): its potential goes on"]
    {
        assert!(refused.stdout.contains(message), "{}", refused.stdout);
    }
    let imported = nir(folder.path(), &["import", &file("nir_refused.nir"), "--dialect", "strict"]);
    assert_eq!(imported.code, Some(2), "{}", imported.stderr);
    assert!(!folder.path().join("nir_refused").exists());
}

#[test]
fn two_dialects_of_one_network_are_equal_and_a_mistake_is_named() {
    let folder = TempDir::new().expect("a temporary folder");
    let network = file("nir_cuba.nir");
    for dialect in ["strict", "snntorch", "norse", "norse-lifcell", "jaxsnn", "hxtorch"] {
        let converted = format!("{dialect}.nir");
        let ran = nir(
            folder.path(),
            &[
                "convert",
                &network,
                &converted,
                "--dialect",
                "norse",
                "--to",
                dialect,
                "--to-step",
                "1e-4",
            ],
        );
        assert_eq!(ran.code, Some(0), "{dialect}: {}", ran.stderr);
        let steps = ["--against-dialect", dialect, "--against-step", "1e-4"];
        let how: &[&str] = if dialect == "strict" { &[] } else { &steps };
        let arguments =
            [&["check", &network, "--dialect", "norse", "--against", &converted][..], how].concat();
        let ran = nir(folder.path(), &arguments);
        assert_eq!(ran.code, Some(0), "{dialect}: {}{}", ran.stdout, ran.stderr);
        assert!(ran.stdout.contains("equal to 1e-12"), "{dialect}: {}", ran.stdout);
    }
    // Milliseconds that are read as seconds, and another jump.
    for (other, dialect, cause) in [
        ("jaxsnn.nir", "hxtorch", "the likely cause is the unit of time"),
        (&network, "strict", "the likely cause is the jump of the current per spike"),
    ] {
        let arguments = ["check", &network, "--dialect", "norse", "--against", other];
        let how =
            ["--against-dialect", dialect, "--against-step", "1e-4", "--svg", "differences.svg"];
        let ran = nir(folder.path(), &[&arguments[..], &how].concat());
        assert_eq!(ran.code, Some(1), "{dialect}: {}{}", ran.stdout, ran.stderr);
        assert!(ran.stdout.contains("the first spike that differs"), "{dialect}: {}", ran.stdout);
        assert!(ran.stdout.contains(cause), "{dialect}: {}", ran.stdout);
        assert!(folder.path().join("differences.svg").is_file());
    }
}

#[test]
fn recorded_spikes_name_the_dialect() {
    let folder = TempDir::new().expect("a temporary folder");
    let network = file("nir_cuba.nir");
    let ran = nir(folder.path(), &["import", &network, "--dialect", "norse", "--out", "imported"]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    run(folder.path(), "imported/scenario.toml", "run");
    let ran = nir(folder.path(), &["check", &network, "--reference", "run/spikes.csv"]);
    assert_eq!(ran.code, Some(0), "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stdout.contains("norse: equal to 1e-12"), "{}", ran.stdout);
    assert!(
        ran.stdout.contains("the recorded spikes are those of: --dialect norse\n"),
        "{}",
        ran.stdout
    );
}

#[test]
fn a_scenario_is_not_replaced_and_bad_files_are_refused() {
    let folder = TempDir::new().expect("a temporary folder");
    let network = file("nir_cuba.nir");
    let import = ["import", &network, "--dialect", "strict", "--out", "imported"];
    assert_eq!(nir(folder.path(), &import).code, Some(0));
    let again = nir(folder.path(), &import);
    assert_eq!(again.code, Some(2), "{}", again.stderr);
    assert!(again.stderr.contains("there is a scenario already"), "{}", again.stderr);
    for (name, bytes, message) in [
        ("text.nir", &b"no HDF5"[..], "this is no HDF5 file"),
        ("empty.nir", b"", "this is no HDF5 file"),
    ] {
        std::fs::write(folder.path().join(name), bytes).expect("writable");
        let ran = nir(folder.path(), &["check", name]);
        assert_eq!(ran.code, Some(2), "{name}: {}", ran.stderr);
        assert!(ran.stderr.contains(message), "{name}: {}", ran.stderr);
    }
    let other = nir(folder.path(), &["check", &file("hdf5.h5")]);
    assert_eq!(other.code, Some(2), "{}", other.stderr);
    assert!(other.stderr.contains("no group `node`"), "{}", other.stderr);
}

/// A Python with these packages, if there is one; else it is said what is not tested.
pub(super) fn python(packages: &[&str], what: &str) -> Option<PathBuf> {
    let python = PathBuf::from(std::env::var_os("PYTHON").unwrap_or_else(|| "python3".into()));
    let import = format!("import {}", packages.join(", "));
    let found = Command::new(&python).args(["-c", &import]).output();
    if found.is_ok_and(|output| output.status.success()) {
        return Some(python);
    }
    eprintln!("NOT TESTED: {what}; {} has not all of {}", python.display(), packages.join(", "));
    None
}
