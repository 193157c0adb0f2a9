//! What would be taken for something else, or for an answer, is refused.

use tempfile::TempDir;

use super::{file, nir, run};
use crate::common::binary::project;

#[test]
fn no_spikes_are_no_agreement() {
    let folder = TempDir::new().expect("a temporary folder");
    let network = file("nir_cuba.nir");
    let ran = nir(folder.path(), &["import", &network, "--dialect", "norse", "--out", "imported"]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    run(folder.path(), "imported/scenario.toml", "run");
    let read = |name: &str| std::fs::read_to_string(folder.path().join(name)).expect("readable");
    let spikes = read("run/spikes.csv");
    let only_inputs: Vec<&str> = spikes
        .lines()
        .enumerate()
        .filter(|(place, line)| *place == 0 || line.contains("input"))
        .map(|(_, line)| line)
        .collect();
    assert!(only_inputs.len() > 1 && only_inputs.len() < spikes.lines().count(), "{spikes}");
    std::fs::write(folder.path().join("inputs.csv"), only_inputs.join("\n") + "\n")
        .expect("writable");
    let check = ["check", &network, "--dialect", "norse", "--reference"];
    let ran = nir(folder.path(), &[&check[..], &["inputs.csv"]].concat());
    assert_eq!(ran.code, Some(1), "{}{}", ran.stdout, ran.stderr);
    let ran = nir(folder.path(), &[&check[..], &["run/spikes.csv"]].concat());
    assert_eq!(ran.code, Some(0), "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stdout.contains("compared up to"), "{}", ran.stdout);
    // No spike of a neuron, in neither.
    let first = [only_inputs[0], only_inputs[1], ""].join("\n");
    std::fs::write(folder.path().join("one.csv"), first).expect("writable");
    let ran = nir(folder.path(), &[&check[..], &["one.csv"]].concat());
    assert_eq!(ran.code, Some(1), "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stdout.contains("nothing was compared"), "{}", ran.stdout);
}

#[test]
fn options_that_would_do_nothing_or_harm_are_refused() {
    let folder = TempDir::new().expect("a temporary folder");
    let network = file("nir_cuba.nir");
    let scenario = project().join("scenarios/single_neuron.toml").to_string_lossy().into_owned();
    let exported = nir(folder.path(), &["export", &scenario, "own.nir"]);
    assert_eq!(exported.code, Some(0), "{}", exported.stderr);
    for (arguments, message) in [
        (&["check", &network, "--dialect", "strict", "--svg", "x.svg"][..], "--against or --ref"),
        (&["check", "own.nir", "--against", "own.nir", "--tolerance", "5"], "below 1"),
        (&["check", "own.nir", "--step", "1e-3"], "leave it out"),
        (&["check", "own.nir", "--dialect", "jaxsnn"], "its metadata say that"),
    ] {
        let ran = nir(folder.path(), arguments);
        assert_eq!(ran.code, Some(2), "{arguments:?}: {}{}", ran.stdout, ran.stderr);
        assert!(ran.stderr.contains(message), "{arguments:?}: {}", ran.stderr);
    }
    // A target that cannot be written is no bad input.
    std::fs::create_dir(folder.path().join("folder.nir")).expect("writable");
    let ran = nir(folder.path(), &["convert", "own.nir", "folder.nir", "--to", "strict"]);
    assert_eq!(ran.code, Some(3), "{}", ran.stderr);
}

#[test]
fn data_beside_a_scenario_are_not_replaced() {
    let folder = TempDir::new().expect("a temporary folder");
    let network = file("nir_cuba.nir");
    std::fs::create_dir(folder.path().join("out")).expect("writable");
    for name in ["inputs.csv", "network.npz"] {
        let path = folder.path().join("out").join(name);
        std::fs::write(&path, "mine").expect("writable");
        let import = ["import", &network, "--dialect", "strict", "--out", "out"];
        let ran = nir(folder.path(), &import);
        assert_eq!(ran.code, Some(2), "{name}: {}", ran.stderr);
        assert!(ran.stderr.contains(name), "{}", ran.stderr);
        assert_eq!(std::fs::read_to_string(&path).expect("readable"), "mine");
        std::fs::remove_file(path).expect("there");
    }
}
