//! The schemas and reference pages in the repository are those of the program, and its files keep to them.

use crate::common;

use std::path::{Path, PathBuf};

use common::binary::{firstspike, json, project, successful, text};
use common::schema::problems;
use serde_json::Value;

const KINDS: [&str; 3] = ["scenario", "chip", "study"];

/// A file of the repository as the program would write it today.
fn same(path: &str, command: &[&str]) {
    let there = std::fs::read_to_string(project().join(path)).unwrap_or_default();
    let printed = successful(project(), command).stdout;
    assert!(
        there == printed,
        "{path} is not what the program writes: firstspike {} > {path}",
        command.join(" ")
    );
}

#[test]
fn the_schemas_of_the_repository_are_those_of_the_program() {
    for kind in KINDS {
        same(&format!("schemas/{kind}.json"), &["schema", kind]);
    }
}

#[test]
fn the_reference_pages_of_the_repository_are_those_of_the_program() {
    for kind in KINDS {
        same(&format!("docs/reference/{kind}.md"), &["schema", kind, "--markdown"]);
    }
}

/// A TOML file as validators of TOML see it: numbers that JSON does not have are null.
fn as_json(path: &Path) -> Value {
    let file: toml::Table = toml::from_str(&std::fs::read_to_string(path).expect("a text"))
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::to_value(file).expect("JSON")
}

/// All TOML files in a folder and below.
fn tables(folder: &str) -> Vec<PathBuf> {
    let files = common::binary::files(&project().join(folder)).into_keys();
    files.filter(|path| path.extension().is_some_and(|ending| ending == "toml")).collect()
}

#[test]
fn every_file_of_the_repository_keeps_to_its_schema() {
    let schemas = KINDS.map(|kind| json(&project().join(format!("schemas/{kind}.json"))));
    let mut count = [0; 3];
    let folders = ["scenarios", "chips", "tests/cases", "src/cli/new"];
    for path in folders.into_iter().flat_map(tables) {
        let file = as_json(&path);
        let kind = if file.get("study").is_some() {
            2
        } else if text(&path).contains("chips/") {
            1
        } else if file.get("layers").is_some() || file.get("populations").is_some() {
            0
        } else {
            // The table of `reproduce`, and files of cases that are none of the three.
            continue;
        };
        let found = problems(&schemas[kind], &schemas[kind], &file, "");
        // A case of a weight that the program refuses.
        let is_refused = text(&path).contains("cases/overflow-silent/");
        assert_eq!(!found.is_empty(), is_refused, "{}: {}", path.display(), found.join("\n"));
        count[kind] += 1;
    }
    assert!(count[0] > 20 && count[1] == 4 && count[2] > 30, "{count:?}");
}

#[test]
fn what_the_program_refuses_the_schema_refuses_too() {
    let schema = json(&project().join("schemas/scenario.json"));
    let base = "dataset.yin_yang = {}\nlayers = [{ size = 9 }, { size = 3 }]\n";
    let refused = |more: &str| {
        let file: toml::Table = toml::from_str(&format!("{base}{more}")).expect(more);
        let file = serde_json::to_value(file).expect("JSON");
        !problems(&schema, &schema, &file, "").is_empty()
    };
    for right in [
        "",
        "training = { silent_neurons = true, optimiser = 'adam' }",
        "training.gradient_guard = inf",
        "neuron.tau_m = inf",
        "neuron.tau_m.normal = { mean = 20, std = 2 }",
        "chip = 'a.toml'",
        "chip.neurons.fixed_pattern.tau_m = 0.1",
        "training.loss.shift_invariant_mean_squared_error.margin = 'auto'",
    ] {
        assert!(!refused(right), "{right}");
    }
    for wrong in [
        "trainning = {}",
        "training.epochs = 0",
        "training.epochs = 'many'",
        "training.augmentation.dropout = 1",
        "training.silent_neurons = 'on'",
        "neuron.tau_m = -1",
        "neuron.tau_m.normal = { mean = 20 }",
        "chip.link.loss = 1.5",
        "chip.neurons.fixed_pattern.tau_m = { mean = -2 }",
        "training.loss.first_spike_cross_entropy.scale = 1",
        "training.loss = { mean_squared_error = { correct = 1, wrong = 2 }, x = 1 }",
    ] {
        assert!(refused(wrong), "{wrong}");
    }
}

#[test]
fn new_files_name_the_schema_beside_them() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path();
    for (template, kind) in [("recurrent", "scenario"), ("chip", "scenario"), ("study", "study")] {
        let file = format!("{template}.toml");
        successful(path, &["new", &file, "--template", template]);
        let written = std::fs::read_to_string(path.join(&file)).expect("a text");
        assert!(written.starts_with(&format!("#:schema ./{kind}.schema.json\n")), "{written}");
        let schema = json(&path.join(format!("{kind}.schema.json")));
        let found = problems(&schema, &schema, &as_json(&path.join(&file)), "");
        assert!(found.is_empty(), "{}", found.join("\n"));
    }
    // What is not ours stays.
    std::fs::write(path.join("scenario.schema.json"), "mine").expect("writable");
    let ended = successful(path, &["new", "other.toml", "--template", "chip"]);
    assert!(ended.stderr.contains("the schema for editors is not written"), "{}", ended.stderr);
    assert_eq!(std::fs::read(path.join("scenario.schema.json")).expect("there"), b"mine");
    assert_eq!(firstspike(path, &["schema", "network"]).code, Some(2));
}
