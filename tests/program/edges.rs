//! Networks of other simulators: the same spikes to the bit as of the network that the scenario writes out, whatever file
//! brings it; and files that others read.

use crate::common;

use std::path::Path;
use std::process::Command;

use common::binary::{firstspike, project, read, successful, text};

/// The example of populations, in ms.
fn scenario(folder: &Path) -> String {
    let text = std::fs::read_to_string(project().join("scenarios/recurrent.toml")).expect("there");
    std::fs::write(folder.join("whole.toml"), &text).expect("writable");
    text
}

/// The scenario with one projection from a file in place of its own.
fn from_file(text: &str, connect: &str) -> String {
    let mut rest = String::new();
    let mut skips = false;
    for line in text.lines() {
        if line.starts_with('[') {
            skips = line == "[[projections]]";
        }
        if !skips {
            rest += line;
            rest.push('\n');
        }
    }
    rest + "\n[[projections]]\n" + connect + "\n"
}

#[test]
fn a_network_from_a_file_spikes_to_the_bit_as_the_one_of_the_scenario() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path();
    let whole = scenario(path);
    successful(path, &["run", "whole.toml", "--out", "whole", "--quiet"]);
    let mut files = vec!["edges.csv", "edges.csv.gz"];
    if ["s", "ms", "us"].iter().any(|unit| whole.contains(&format!("time_unit = \"{unit}\""))) {
        files.push("edges.h5");
    }
    for file in files {
        successful(path, &["export", "whole.toml", "--edges", file]);
        successful(path, &["export", "whole", "--edges", &format!("of_run_{file}")]);
        assert!(
            file.ends_with("gz")
                || read(&path.join(file)) == read(&path.join(format!("of_run_{file}"))),
            "{file}"
        );
        let text = from_file(&whole, &format!("connect.file = \"{file}\""));
        std::fs::write(path.join("listed.toml"), text).expect("writable");
        let out = format!("from_{file}");
        successful(path, &["check", "listed.toml"]);
        successful(path, &["run", "listed.toml", "--out", &out, "--quiet"]);
        assert!(
            read(&path.join(&out).join("spikes.csv")) == read(&path.join("whole/spikes.csv")),
            "{file}"
        );
        assert!(
            read(&path.join(&out).join("network.json")) == read(&path.join("whole/network.json")),
            "{file}"
        );
    }
}

#[test]
fn another_content_of_the_file_is_another_run() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path();
    let text = from_file(&scenario(path), "connect.file = \"edges.csv\"");
    successful(path, &["export", "whole.toml", "--edges", "edges.csv"]);
    std::fs::write(path.join("listed.toml"), text).expect("writable");
    successful(path, &["run", "listed.toml", "--out", "run", "--quiet"]);
    let edges = std::fs::read_to_string(path.join("edges.csv")).expect("there");
    let shorter: Vec<&str> = edges.lines().take(100).collect();
    std::fs::write(path.join("edges.csv"), shorter.join("\n")).expect("writable");
    let ended = firstspike(path, &["run", "listed.toml", "--out", "run", "--quiet"]);
    assert_eq!(ended.code, Some(2));
    assert!(ended.stderr.contains("edges.csv has other content"), "{}", ended.stderr);
}

#[test]
fn sonata_edges_are_those_that_libsonata_reads() {
    let python = std::env::var("PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let has = Command::new(&python).args(["-c", "import libsonata"]).output();
    if !has.is_ok_and(|ended| ended.status.success()) {
        eprintln!("NOT TESTED: SONATA edges in libsonata; {python} has none");
        return;
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path();
    let scenario = "time_unit = 'ms'\n\
        [[populations]]\nname = 'input'\nsize = 3\nsource.regular.interval = 1.0\n\
        [[populations]]\nname = 'cells'\nsize = 4\n\
        [[projections]]\npre = 'input'\npost = 'cells'\nconnect.edges = [{ pre = 2, post = 1, weight = 0.75, delay = 1.5 }]\n\
        [[projections]]\npre = 'cells'\npost = 'cells'\nconnect.all_to_all = {}\nweights.constant = -0.1\ndelays.constant = 2\n\
        [simulation]\nuntil = 1.0\n";
    std::fs::write(path.join("scenario.toml"), scenario).expect("writable");
    successful(path, &["export", "scenario.toml", "--edges", "net.h5"]);
    let script = "import libsonata\n\
        nodes = libsonata.NodeStorage('net_nodes.h5')\n\
        assert {name: nodes.open_population(name).size for name in nodes.population_names} == {'input': 3, 'cells': 4}\n\
        storage = libsonata.EdgeStorage('net.h5')\n\
        assert storage.population_names == {'input_to_cells', 'cells_to_cells'}\n\
        edges = storage.open_population('input_to_cells')\n\
        all = edges.select_all()\n\
        assert (edges.source, edges.target, edges.size) == ('input', 'cells', 1)\n\
        assert edges.source_nodes(all).tolist() == [2] and edges.target_nodes(all).tolist() == [1]\n\
        assert edges.get_attribute('syn_weight', all).tolist() == [0.75]\n\
        assert edges.get_attribute('delay', all).tolist() == [1.5]\n\
        assert storage.open_population('cells_to_cells').size == 12\n";
    let ended = Command::new(&python).args(["-c", script]).current_dir(path).output();
    let ended = ended.expect("Python starts");
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
}

#[test]
fn what_sonata_cannot_say_is_refused_before_anything_is_written() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path();
    let text = scenario(path);
    let tau_s =
        text.lines().filter(|line| !line.starts_with("time_unit")).collect::<Vec<_>>().join("\n");
    std::fs::write(path.join("tau_s.toml"), tau_s).expect("writable");
    let ended = firstspike(path, &["export", text_of("tau_s.toml"), "--edges", "net.h5"]);
    assert_eq!(ended.code, Some(2), "{}", ended.stderr);
    assert!(ended.stderr.contains("delays of SONATA edges are in ms"), "{}", ended.stderr);
    assert!(!path.join("net.h5").exists());
}

fn text_of(path: &str) -> &str {
    text(Path::new(path))
}
