//! Networks that other programs write, and the spikes that these programs give.
//!
//! Steps of a simulator are made small and spike times extrapolated to none, for first spikes of neurons: later ones
//! begin at a reset on the grid.

use std::path::Path;
use std::process::Command;

use firstspike::hdf5::{Attribute, ColumnType, Hdf5Columns};
use tempfile::TempDir;

use super::{nir, python};
use crate::common::binary::project;

/// Runs a script of `tests/files` in a folder.
fn script(python: &Path, name: &str, folder: &Path, arguments: &[&str]) -> String {
    let path = project().join("tests/files").join(name);
    let ran = Command::new(python).arg(path).args(arguments).current_dir(folder).output();
    let ran = ran.expect("Python runs");
    let error = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "{name}: {error}");
    String::from_utf8_lossy(&ran.stdout).into_owned()
}

#[test]
fn snntorch_gives_the_same_spikes() {
    let packages = ["nir", "snntorch", "torch", "h5py"];
    let Some(python) = python(&packages, "NIR files of snnTorch") else { return };
    let folder = TempDir::new().expect("a temporary folder");
    script(&python, "nir_peers.py", folder.path(), &["snntorch"]);
    // A millionth of a time constant; the run is about one long.
    let ran = nir(
        folder.path(),
        &["check", "peer.nir", "--reference", "peer.csv", "--tolerance", "1e-6"],
    );
    assert_eq!(ran.code, Some(0), "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stderr.contains("dialect snntorch"), "{}", ran.stderr);
    assert!(ran.stdout.contains("equal to 1e-6"), "{}", ran.stdout);
}

#[test]
fn norse_gives_the_same_spikes_and_others_from_its_own_file() {
    let packages = ["nir", "norse.torch", "torch", "h5py"];
    let Some(python) = python(&packages, "NIR files of norse") else { return };
    let folder = TempDir::new().expect("a temporary folder");
    let said = script(&python, "nir_peers.py", folder.path(), &["norse"]);
    // What norse writes has times multiplied by dt; what it reads has not.
    let numbers: Vec<u32> = said
        .split(|letter: char| !letter.is_ascii_digit())
        .filter_map(|word| word.parse().ok())
        .collect();
    eprintln!("{}", said.trim());
    assert!(numbers.len() == 2 && numbers[0] > 0 && numbers[0] != numbers[1], "{said}");
    let ran = nir(
        folder.path(),
        &["check", "peer.nir", "--reference", "peer.csv", "--tolerance", "1e-6"],
    );
    assert_eq!(ran.code, Some(0), "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stdout.contains("--dialect norse-lifcell\n"), "{}", ran.stdout);
}

#[test]
fn the_package_nir_reads_what_is_written() {
    let Some(python) = python(&["nir", "h5py"], "NIR files in the package nir") else { return };
    let folder = TempDir::new().expect("a temporary folder");
    let scenario = project().join("scenarios/recurrent.toml");
    let ran = nir(folder.path(), &["export", &scenario.to_string_lossy(), "peer.nir"]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let said = script(&python, "nir_peers.py", folder.path(), &["read"]);
    assert!(said.contains("neurons: 100, unit: ms"), "{said}");
}

#[test]
fn h5py_reads_what_is_written() {
    let Some(python) = python(&["h5py", "numpy"], "HDF5 files in h5py") else { return };
    let folder = TempDir::new().expect("a temporary folder");
    let path = folder.path().join("peer.h5");
    let kinds = [("time", ColumnType::Double), ("id", ColumnType::U64), ("short", ColumnType::U32)];
    let units = [("units".to_owned(), Attribute::Texts(vec!["ms".to_owned()]))];
    let mut columns =
        Hdf5Columns::create(&path, ("spikes/all", &units), &kinds).expect("it can be written");
    for block in 0..100u64 {
        let ids: Vec<u64> = (block * 3000..block * 3000 + 3000).collect();
        let times: Vec<f64> = ids.iter().map(|&id| id as f64 / 8.0).collect();
        columns.push_doubles(0, &times).expect("written");
        columns.push_integers(1, &ids).expect("written");
        columns.push_integers(2, &ids).expect("written");
    }
    columns.finish().expect("written");
    let said = script(&python, "nir_peers.py", folder.path(), &["columns"]);
    assert!(said.contains("300000 spikes in ms, as written: True"), "{said}");
}
