//! Traces in the formats of other tools: what is written is read again, by this program and by theirs, and what
//! would be lost is refused.

mod malformed;
mod others;

use std::path::Path;

use crate::common::binary::{firstspike, project, read, successful, text};

const SPIKES: &str = "sample,population,neuron,time_ms\n\
    0,exc,0,0.1\n0,inh,1,2.25\n0,exc,2,3\n0,exc,0,10.125\n";

fn folder_with(contents: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (name, content) in contents {
        std::fs::write(folder.path().join(name), content).expect("writable");
    }
    folder
}

fn refused(folder: &Path, arguments: &[&str]) -> String {
    let ended = firstspike(folder, arguments);
    assert_eq!(ended.code, Some(2), "{arguments:?}: {}", ended.stderr);
    ended.stderr
}

#[test]
fn every_format_brings_back_the_same_spikes() {
    let folder = folder_with(&[("a.csv", SPIKES)]);
    for (name, unit) in [
        ("b.csv", "ms"),
        ("b.csv.gz", "ms"),
        ("b.gdf", "ms"),
        ("b.dat", "ms"),
        ("times.npy", "ms"),
        ("spike_times.npy", "ms"),
        ("b.h5", "ms"),
        ("b.nirdata", "s"),
    ] {
        successful(folder.path(), &["convert", "a.csv", name]);
        // And back, bit by bit: two formats of one trace are the same CSV.
        let back = successful(
            folder.path(),
            &["convert", name, "back.csv", "--time-unit", unit, "--unit", "ms"],
        );
        assert!(back.stdout.contains("4 spikes as csv"), "{}", back.stdout);
        let found = String::from_utf8(read(&folder.path().join("back.csv"))).expect("UTF-8");
        let sorted = |text: &str| {
            let mut lines: Vec<String> =
                text.lines().map(|line| line.replace(",3.0", ",3")).collect();
            lines.sort();
            lines
        };
        assert_eq!(sorted(&found), sorted(SPIKES), "{name}");
        let equal = ["diff", "a.csv", name, "--time-unit", &format!("ms,{unit}")];
        successful(folder.path(), &equal);
    }
}

#[test]
fn every_command_reads_every_format() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let scenario = project().join("scenarios/yin_yang.toml");
    let set = "training.epochs=1";
    let small = "dataset.yin_yang={training={size=40},validation={size=20},test={size=20}}";
    let run = ["run", text(&scenario), "--set", set, "--set", small, "--out", "run"];
    successful(folder.path(), &run);
    for (name, more) in [
        ("s.nirdata", &["--to", "nirdata", "--tau-s", "1s"][..]),
        ("s.gdf", &["--tau-s", "1s", "--samples", "0"]),
    ] {
        successful(folder.path(), &[&["convert", "run/spikes.csv", name][..], more].concat());
        let printed = successful(folder.path(), &["stats", name, "--json"]).stdout;
        assert!(printed.contains("\"hidden\""), "{printed}");
        successful(folder.path(), &["raster", name, "--ascii"]);
    }
    // A trace in tau_s, kept as it is: learning takes it as it takes the CSV file.
    let to_npy = ["convert", "run/spikes.csv", "times.npy", "--samples", "3"];
    successful(folder.path(), &to_npy);
    let learn = |trace: &str| {
        let arguments =
            ["learn", text(&scenario), "--set", small, "--trace", trace, "--data", "test", "--out"];
        firstspike(folder.path(), &[&arguments[..], &["out.json"]].concat())
    };
    let message = learn("s.nirdata").stderr;
    assert!(message.contains("times are in s, the scenario's in tau_s"), "{message}");
}

#[test]
fn a_stimulus_is_read_from_any_format() {
    let folder = folder_with(&[("in.csv", "population,neuron,time_ms\nin,0,1\nin,1,2.5\n")]);
    let scenario = |file: &str| {
        format!(
            "time_unit = \"us\"\nsimulation.until = 5000.0\n\
             [[populations]]\nname = \"in\"\nsize = 2\nsource.file = \"{file}\"\n"
        )
    };
    for name in ["in.h5", "in.gdf"] {
        successful(folder.path(), &["convert", "in.csv", name]);
        std::fs::write(folder.path().join("a.toml"), scenario(name)).expect("writable");
        let ended = firstspike(folder.path(), &["run", "a.toml", "--out", "run", "--overwrite"]);
        assert_eq!(ended.code, Some(0), "{name}: {}", ended.stderr);
        let spikes = String::from_utf8(read(&folder.path().join("run/spikes.csv"))).expect("UTF-8");
        assert!(spikes.contains("in,0,1000.0") && spikes.contains("in,1,2500.0"), "{spikes}");
    }
}

#[test]
fn files_of_several_threads_are_one_trace() {
    let folder = folder_with(&[
        ("s-7-0.dat", "# NEST version: 3.8\nsender\ttime_ms\n1\t0.1\n3\t3\n1\t10.125\n"),
        ("s-7-1.dat", "# NEST version: 3.8\nsender\ttime_ms\n5\t2.25\n"),
        ("a.csv", SPIKES),
    ]);
    let ids = "exc=1-3,inh=4-5";
    for files in ["s-7-*.dat", "s-7-0.dat,s-7-1.dat"] {
        successful(folder.path(), &["diff", "a.csv", files, "--ids", ids]);
        successful(folder.path(), &["convert", files, "b.h5", "--ids", ids]);
        successful(folder.path(), &["diff", "a.csv", "b.h5"]);
    }
    let message = refused(folder.path(), &["stats", "s-8-*.dat"]);
    assert!(message.contains("s-8-*.dat: no file has such a name"), "{message}");
    let message = refused(folder.path(), &["stats", "s-7-*.dat", "--ids", "exc=1-3"]);
    assert!(message.contains("neuron 5 is in no range of --ids: there are exc=1-3"), "{message}");
}

#[test]
fn what_would_be_lost_needs_a_decision() {
    let two = "sample,population,neuron,time_tau_s\n0,a,0,0.5\n1,a,0,0.25\n";
    let folder = folder_with(&[("a.csv", two), ("u.csv", "neuron,time\n4,1\n")]);
    let before = std::fs::read_dir(folder.path()).expect("readable").count();
    for (arguments, expected) in [
        (&["a.csv", "a.h5"][..], "2 samples, and the format sonata has none: choose one with"),
        (&["a.csv", "a.h5", "--samples", "1"], "say how long that is with --tau-s"),
        (
            &["a.csv", "a.h5", "--sample-offset", "0.3", "--tau-s", "1ms"],
            "sample 0 has a spike at 0.5",
        ),
        (&["a.csv", "a.h5", "--tau-s", "5"], "--tau-s"),
        (&["a.csv", "a.xyz"], "a.xyz: the name does not tell the format to write"),
        (&["a.csv", "a.h5", "--to", "shd"], "the format shd is read only"),
        (&["u.csv", "u.h5"], "the unit of the times is not known"),
        (&["u.csv", "u.h5", "--time-unit", "ms"], "need one: --population NAME"),
        (&["u.csv", "-"], "a trace is written to a file"),
        (&["u.csv", "u.csv.gz", "--output-ids", "3"], "--output-ids is not for the format csv"),
        (&["u.csv", "u.npy", "--format", "hdf"], "--format hdf: it must be one of csv, nest, npy"),
    ] {
        let message = refused(folder.path(), &[&["convert"], arguments].concat());
        assert!(message.contains(expected), "{arguments:?}: {message}");
    }
    assert_eq!(std::fs::read_dir(folder.path()).expect("readable").count(), before);

    let laid = ["convert", "a.csv", "a.h5", "--sample-offset", "2", "--tau-s", "10ms"];
    let said = successful(folder.path(), &laid).stderr;
    assert!(said.contains("laid out one after the other, every 2"), "{said}");
    successful(folder.path(), &["convert", "a.h5", "b.csv"]);
    let found = String::from_utf8(read(&folder.path().join("b.csv"))).expect("UTF-8");
    assert_eq!(found, "sample,population,neuron,time_ms\n0,a,0,5.0\n0,a,0,22.5\n");
}

#[test]
fn times_in_samples_need_a_rate() {
    let folder = folder_with(&[("a.csv", "neuron,time_s\n4,0.001\n2,0.00201\n")]);
    let write = ["convert", "a.csv", "spike_times.npy", "--output-sampling-rate", "30000"];
    let ended = successful(folder.path(), &write);
    assert!(ended.stdout.starts_with("spike_times.npy, spike_clusters.npy: 2 spikes"));
    assert!(ended.stderr.contains("rounded to samples: by at most"), "{}", ended.stderr);
    let message = refused(folder.path(), &["stats", "spike_times.npy"]);
    assert!(message.contains("--sampling-rate HZ"), "{message}");
    let back = ["convert", "spike_times.npy", "b.csv", "--sampling-rate", "30000"];
    successful(folder.path(), &back);
    let found = String::from_utf8(read(&folder.path().join("b.csv"))).expect("UTF-8");
    assert_eq!(found, "sample,population,neuron,time_s\n0,,4,0.001\n0,,2,0.002\n");
    let message = refused(folder.path(), &["stats", "a.csv", "--sampling-rate", "30000"]);
    assert!(message.contains("--sampling-rate is for NPY files, and this is csv"), "{message}");
}
