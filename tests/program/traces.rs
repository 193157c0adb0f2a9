//! Traces of this program and of others: what `stats` and `diff` make of them, and of malformed ones.

use crate::common;

use std::io::Write;
use std::path::Path;
use std::process::Stdio;

use common::binary::{
    Ended, command, files, firstspike, json, project, read, rows, successful, text,
};
use common::nest::Case;
use firstspike::trace::TraceWriter;

const SPIKES: &str = "sample,population,neuron,time_ms\n\
    0,a,0,10\n0,b,0,12\n0,a,0,20\n0,a,1,25\n0,a,0,40\n1,a,1,5\n1,b,0,13\n1,a,1,15\n";

fn folder_with(contents: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (name, content) in contents {
        std::fs::write(folder.path().join(name), content).expect("writable");
    }
    folder
}

fn statistics(folder: &Path, arguments: &[&str]) -> serde_json::Value {
    let printed = successful(folder, &[&["stats"], arguments, &["--json"]].concat()).stdout;
    serde_json::from_str(&printed).expect("JSON")
}

fn near(found: &serde_json::Value, expected: f64) {
    let found = found.as_f64().expect("a number");
    assert!((found - expected).abs() < 1e-9 * (1.0 + expected.abs()), "{found} is not {expected}");
}

#[test]
fn statistics_are_those_one_counts_by_hand() {
    let folder = folder_with(&[("a.csv", SPIKES)]);
    let found = statistics(folder.path(), &["a.csv", "--size", "a=4", "--size", "b=1"]);
    assert_eq!(found["samples"], 2);
    let (a, b) = (&found["populations"][0], &found["populations"][1]);
    assert_eq!((&a["population"], &b["population"]), (&"a".into(), &"b".into()));
    assert_eq!(
        (&a["neurons"], &a["silent_neurons"], &a["spikes"]),
        (&4.into(), &2.into(), &6.into())
    );
    // 6 spikes of 4 neurons in 2 samples of 40 ms.
    near(&a["rate_per_second"], 6.0 / (4.0 * 2.0 * 0.04));
    near(&a["spikes_per_sample"], 3.0);
    // First spikes: neuron 0 at 10; neuron 1 at 25 and 5.
    near(&a["first_spike_mean_ms"], 40.0 / 3.0);
    near(&a["first_spike_median_ms"], 10.0);
    // Intervals: 10 and 20 of neuron 0, 10 of neuron 1.
    near(&a["interval_mean_ms"], 40.0 / 3.0);
    near(&a["coefficient_of_variation"], 1.0 / 3.0);
    near(&a["cv2"], 2.0 / 3.0);
    near(&a["local_variation"], 1.0 / 3.0);
    assert_eq!(found["all"]["spikes"], 8);
    // A spike in one of 4 bins of each sample: a mean of 1/4 and a variance of 3/16.
    let wide = statistics(folder.path(), &["a.csv", "--bin", "10", "--populations", "b"]);
    near(&wide["all"]["fano_factor"], 0.75);

    let part = statistics(folder.path(), &["a.csv", "--samples", "1", "--window", "10:"]);
    assert_eq!(part["all"]["spikes"], 2);

    let csv = successful(folder.path(), &["stats", "a.csv", "--csv"]).stdout;
    std::fs::write(folder.path().join("statistics.csv"), csv).expect("writable");
    let rows = rows(&folder.path().join("statistics.csv"));
    let names: Vec<&str> = rows.iter().map(|row| &row[0]).collect();
    assert_eq!(names, ["", "a", "b"]);

    let table = successful(folder.path(), &["stats", "a.csv"]).stdout;
    assert!(table.lines().all(|line| line.chars().count() <= 80), "{table}");
    for line in ["a.csv: 8 spikes of 3 neurons in 2 samples", "--size a=N tells"] {
        assert!(table.contains(line), "{table}");
    }
}

#[test]
fn a_run_tells_how_many_neurons_it_has_and_how_long_it_lasts() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let scenario = project().join("scenarios/recurrent.toml");
    successful(folder.path(), &["run", text(&scenario), "--out", "run", "--quiet"]);
    let found = statistics(folder.path(), &["run/spikes.csv"]);
    let excitatory = found["populations"].as_array().expect("a list").iter();
    let excitatory = excitatory.filter(|one| one["population"] == "excitatory").collect::<Vec<_>>();
    assert_eq!(excitatory[0]["neurons"], 80);
    assert_eq!(found["to_is"], "the end of the simulation");
    let summary = json(&folder.path().join("run/summary.json"));
    let rates = summary["populations"].as_array().expect("populations");
    let rate = rates.iter().find(|one| one["name"] == "excitatory").expect("there");
    assert_eq!(excitatory[0]["rate_per_second"], rate["rate_per_second"]);

    let error = firstspike(folder.path(), &["stats", "run"]);
    assert_eq!(error.code, Some(2));
    assert!(error.stderr.contains("its trace is run/spikes.csv"), "{}", error.stderr);
}

/// Pipes bytes into the program.
fn piped(folder: &Path, arguments: &[&str], input: &[u8]) -> Ended {
    let mut child = command()
        .current_dir(folder)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("started");
    child.stdin.take().expect("a pipe").write_all(input).expect("read");
    let output = child.wait_with_output().expect("ended");
    Ended {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).expect("UTF-8"),
        stderr: String::from_utf8(output.stderr).expect("UTF-8"),
    }
}

fn packed(content: &str) -> Vec<u8> {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packer.write_all(content.as_bytes()).expect("packed");
    packer.finish().expect("packed")
}

#[test]
fn traces_are_read_packed_and_from_standard_input() {
    let folder = folder_with(&[("a.csv", SPIKES)]);
    // Gzip is known by its bytes, whatever the file is called.
    std::fs::write(folder.path().join("packed.csv"), packed(SPIKES)).expect("writable");
    let plain = successful(folder.path(), &["stats", "a.csv", "--csv"]).stdout;
    assert_eq!(successful(folder.path(), &["stats", "packed.csv", "--csv"]).stdout, plain);
    let from_pipe = piped(folder.path(), &["stats", "-", "--csv"], SPIKES.as_bytes());
    assert_eq!((from_pipe.code, from_pipe.stdout), (Some(0), plain));
    let ended = piped(folder.path(), &["diff", "a.csv", "-"], &packed(SPIKES));
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
}

#[test]
fn traces_of_other_simulators_need_no_options() {
    let nest = "# NEST version: 3.8\n# RecordingBackendASCII version: 2\n\
        sender\ttime_ms\n1\t10.500\n2\t11.300\n1\t20.100\n";
    let folder = folder_with(&[
        ("nest.dat", nest),
        ("old.gdf", "1\t10.500\t\n2\t11.300\t\n1\t20.100\t\n"),
        ("bare.txt", "1 10.500\n2 11.300\n1 20.100\n"),
        ("brian.csv", "i,t [ms]\n1,10.5\n2,11.3\n1,20.1\n"),
        ("sonata.csv", "timestamps population node_ids\n10.5 v1 1\n11.3 v1 2\n20.1 v1 1\n"),
        ("seconds.csv", "Neuron ID;Spike time (s)\r\n1;0.0105\r\n2;0.0113\r\n1;0.0201\r\n"),
    ]);
    for file in ["nest.dat", "old.gdf", "brian.csv", "sonata.csv", "seconds.csv"] {
        let found = statistics(folder.path(), &[file]);
        assert_eq!(found["all"]["spikes"], 3, "{file}");
        assert_eq!(found["all"]["spiking_neurons"], 2, "{file}");
    }
    for (file, more) in [
        ("brian.csv", &[][..]),
        ("seconds.csv", &[]),
        // The format has times in ms.
        ("old.gdf", &[]),
        ("bare.txt", &["--time-unit", ",ms"]),
        ("sonata.csv", &["--time-unit", "ms"]),
    ] {
        let arguments = [&["diff", "nest.dat", file], more].concat();
        successful(folder.path(), &arguments);
    }
    let unknown = firstspike(folder.path(), &["diff", "nest.dat", "bare.txt"]);
    assert_eq!(unknown.code, Some(2));
    assert!(unknown.stderr.contains("add --time-unit ms"), "{}", unknown.stderr);
}

#[test]
fn malformed_traces_are_refused_with_their_line() {
    for (name, content, expected) in [
        ("empty", "", "a.csv: the file is empty"),
        ("no time", "neuron,voltage\n1,2\n", "a.csv:1: no column is recognised as the time; there"),
        ("no neuron", "time_ms,energy\n2,1\n", "--neuron-column"),
        ("text", "neuron,time_ms\n1,2\n1,soon\n", "a.csv:3: time_ms `soon` must be a number"),
        (
            "negative neuron",
            "neuron,time_ms\n-3,2\n",
            "a.csv:2: neuron `-3` must be a whole number",
        ),
        ("too few fields", "neuron,time_ms\n3\n1,2\n", "a.csv:2: 1 field in this row"),
        ("too many fields", "neuron,time_ms\n3,1,2\n", "a.csv:2: 3 fields in this row"),
        ("binary", "neuron,time_ms\n\u{1}\u{2}\u{3}\u{4}", "a.csv:2: this is binary data"),
        ("ambiguous", "1,2\n3,4\n", "--time-column and --neuron-column, numbers from 1"),
        ("JSON", "{\"times\": []}", "a.csv: this is JSON"),
    ] {
        let folder = folder_with(&[("a.csv", content), ("sound.csv", SPIKES)]);
        let before = files(folder.path());
        for arguments in
            [&["stats", "a.csv"][..], &["diff", "a.csv", "sound.csv", "--svg", "new/a.svg"]]
        {
            let ended = firstspike(folder.path(), arguments);
            assert_eq!(ended.code, Some(2), "{name}: {}", ended.stdout);
            assert!(ended.stderr.contains(expected), "{name}: {}", ended.stderr);
            assert_eq!(ended.stdout, "", "{name}");
        }
        assert!(files(folder.path()) == before, "{name}");
    }
    let folder = folder_with(&[]);
    for (arguments, expected) in [
        (&["stats", "."][..], "this is a folder, and a trace is a file"),
        (&["stats", "none.csv"], "none.csv: No such file"),
        (&["diff", "-", "-"], "only one of the traces can be standard input"),
    ] {
        let ended = firstspike(folder.path(), arguments);
        assert_eq!(ended.code, Some(2), "{arguments:?}");
        assert!(ended.stderr.contains(expected), "{arguments:?}: {}", ended.stderr);
    }
}

#[test]
fn what_is_not_sound_is_left_out_with_a_warning() {
    for (name, content, expected, spikes) in [
        ("infinite", "neuron,time_ms\n1,2\n1,inf\n1,NaN\n", "a.csv:3: 2 rows without a finite", 1),
        ("unsorted", "neuron,time_ms\n1,2\n1,1\n", "a.csv:3: 1 row is earlier than the row be", 2),
        ("twice", "neuron,time_ms\n1,2\n1,2\n1,2\n", "", 3),
        ("cut off", "time_ms,neuron\n1,2\n1", "a.csv:3: the last line is cut off", 1),
        ("heading", "time_ms,neuron\n", "a.csv:1: there is not a single spike in the file", 0),
        ("mark and CRLF", "\u{feff}neuron,time_ms\r\n1,2\r\n", "", 1),
    ] {
        let folder = folder_with(&[("a.csv", content)]);
        let ended = successful(folder.path(), &["stats", "a.csv", "--json"]);
        let found: serde_json::Value = serde_json::from_str(&ended.stdout).expect("JSON");
        assert_eq!(found["all"]["spikes"], spikes, "{name}");
        assert!(ended.stderr.contains(expected), "{name}: {}", ended.stderr);
        assert_eq!(ended.stderr.is_empty(), expected.is_empty(), "{name}: {}", ended.stderr);
    }
}

#[test]
fn a_packed_trace_that_is_cut_off_is_read_as_far_as_it_goes() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut content = "neuron,time_ms\n".to_owned();
    for spike in 0..20_000 {
        content += &format!("{},{}\n", spike * 7919 % 100, f64::from(spike) / 7.0);
    }
    let mut bytes = packed(&content);
    bytes.truncate(bytes.len() / 2);
    std::fs::write(folder.path().join("a.csv.gz"), bytes).expect("writable");
    let ended = successful(folder.path(), &["stats", "a.csv.gz", "--json"]);
    let found: serde_json::Value = serde_json::from_str(&ended.stdout).expect("JSON");
    let spikes = found["all"]["spikes"].as_u64().expect("a number");
    assert!((5_000..15_000).contains(&spikes), "{spikes}");
    let expected = format!("a.csv.gz:{}: the gzip file is cut off after this line", spikes + 1);
    assert!(ended.stderr.contains(&expected), "{}", ended.stderr);
}

/// If it were read to its end, this would take hours.
#[test]
fn a_sparse_file_is_refused_at_once() {
    let folder = folder_with(&[("a.csv", "neuron,time_ms\n1,2\n")]);
    let path = folder.path().join("a.csv");
    let file = std::fs::OpenOptions::new().append(true).open(&path).expect("writable");
    file.set_len(10 << 40).expect("a file system with sparse files");
    let ended = firstspike(folder.path(), &["stats", "a.csv"]);
    assert_eq!(ended.code, Some(2));
    assert!(ended.stderr.contains("a.csv:3: there is a NUL byte"), "{}", ended.stderr);
}

#[test]
fn equal_traces_are_equal_and_others_differ() {
    let later = SPIKES.replace("0,a,1,25", "0,a,1,25.25");
    let fewer = SPIKES.replace("1,a,1,15\n", "");
    let folder = folder_with(&[("a.csv", SPIKES), ("later.csv", &later), ("fewer.csv", &fewer)]);
    let run = |arguments: &[&str]| firstspike(folder.path(), &[&["diff"], arguments].concat());

    let same = run(&["a.csv", "a.csv"]);
    assert_eq!(same.code, Some(0));
    assert!(same.stdout.contains("equal: no spike is missing"), "{}", same.stdout);

    assert_eq!(run(&["a.csv", "later.csv", "--tolerance", "0.25"]).code, Some(0));
    let other = run(&["a.csv", "later.csv", "--json"]);
    assert_eq!(other.code, Some(1));
    let found: serde_json::Value = serde_json::from_str(&other.stdout).expect("JSON");
    assert_eq!(found["all"]["beyond_tolerance"], 1);
    near(&found["populations"][0]["neurons"][1]["largest_absolute_difference"], 0.25);

    let pictures = ["--svg", "p/d.svg", "--png", "p/d.png", "--csv", "p/neurons.csv"];
    let missing = run(&[&["a.csv", "fewer.csv"], &pictures[..]].concat());
    assert_eq!(missing.code, Some(1));
    assert!(missing.stdout.contains("1 missing, 0 extra"), "{}", missing.stdout);
    assert!(missing.stdout.lines().all(|line| line.chars().count() <= 80), "{}", missing.stdout);
    let svg = String::from_utf8(read(&folder.path().join("p/d.svg"))).expect("UTF-8");
    for label in ["Time [ms]", "Δt [ms]", "only A (lower edge)"] {
        assert!(svg.contains(label), "{label}");
    }
    assert!(read(&folder.path().join("p/d.png")).starts_with(b"\x89PNG"));
    let neurons = rows(&folder.path().join("p/neurons.csv"));
    assert_eq!(neurons.len(), 3);
    assert_eq!(&neurons[1][5], "1", "a spike of neuron 1 is missing: {neurons:?}");
}

#[test]
fn what_cannot_be_compared_says_what_to_do() {
    let renamed = SPIKES.replace(",a,", ",E,");
    let folder = folder_with(&[
        ("a.csv", SPIKES),
        ("renamed.csv", &renamed),
        ("plain.csv", "neuron,time_ms\n0,12\n"),
        ("chip.csv", "sample,population,neuron,time_tau_s\n0,a,0,10\n"),
    ]);
    let run = |arguments: &[&str]| firstspike(folder.path(), &[&["diff"], arguments].concat());
    for (arguments, expected) in [
        (&["a.csv", "renamed.csv"][..], "--map a=E"),
        (&["a.csv", "plain.csv"], "a.csv has 2 samples and plain.csv has none"),
        (&["a.csv", "plain.csv", "--samples", "0"], "and plain.csv has none: choose the one"),
        (&["a.csv", "chip.csv"], "are in ms and those of chip.csv in tau_s"),
        (&["a.csv", "a.csv", "--populations", "c"], "--populations c: a.csv has a, b"),
        (&["a.csv", "renamed.csv", "--map", "a=F"], "renamed.csv has no population `F`"),
    ] {
        let ended = run(arguments);
        assert_eq!(ended.code, Some(2), "{arguments:?}: {}", ended.stdout);
        assert!(ended.stderr.contains(expected), "{arguments:?}: {}", ended.stderr);
    }
    assert_eq!(run(&["a.csv", "renamed.csv", "--map", "a=E"]).code, Some(0));
    let part = ["a.csv", "plain.csv", "--samples", "0", "--populations", "b"];
    let ended = run(&part);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(ended.stderr.contains("all its neurons are taken for `b`"), "{}", ended.stderr);
}

/// Our simulation of the gold networks against their exact solution, by way of the files.
#[test]
fn simulations_of_the_gold_networks_are_equal_to_the_exact_solution() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for case in Case::all().iter().filter(|case| ["rec50", "ff_2layer"].contains(&&*case.name)) {
        let path = folder.path().join("ours.csv");
        let file = std::fs::File::create(&path).expect("writable");
        let mut writer = TraceWriter::new(file, "ms").expect("heading");
        let mut spikes: Vec<(f64, u32)> = Vec::new();
        for (neuron, times) in case.run(None).iter().enumerate() {
            spikes.extend(times.iter().map(|&time| (time, neuron as u32)));
        }
        spikes.sort_by(|one, other| one.0.total_cmp(&other.0));
        for (time, neuron) in spikes {
            writer.write(0, "neurons", neuron, time).expect("a row");
        }
        writer.finish().expect("written");
        let exact = project().join("tests/gold/nest").join(&case.name).join("exact_spikes.csv");
        let ended = firstspike(folder.path(), &["diff", text(&exact), "ours.csv"]);
        assert_eq!(ended.code, Some(0), "{}: {}{}", case.name, ended.stdout, ended.stderr);
    }
}

#[test]
fn two_seeds_and_a_chip_differ_from_an_ideal_training() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let train = |scenario: &str, seed: &str, out: &str| {
        let scenario = project().join("scenarios").join(scenario);
        let sizes =
            ["training", "validation", "test"].map(|set| format!("dataset.yin_yang.{set}.size=60"));
        let mut arguments = vec!["run", text(&scenario), "--seed", seed, "--out", out, "--quiet"];
        arguments.extend(sizes.iter().flat_map(|size| ["--set", size]));
        arguments.extend(["--set", "training.epochs=1", "--set", "training.batch_size=20"]);
        successful(folder.path(), &arguments);
    };
    train("yin_yang.toml", "1", "ideal");
    train("yin_yang.toml", "2", "other");
    train("yin_yang_brainscales2.toml", "1", "chip");
    for other in ["other/spikes.csv", "chip/spikes.csv"] {
        let arguments =
            ["diff", "ideal/spikes.csv", other, "--populations", "hidden,label", "--json"];
        let ended = firstspike(folder.path(), &arguments);
        assert_eq!(ended.code, Some(1), "{}", ended.stderr);
        let found: serde_json::Value = serde_json::from_str(&ended.stdout).expect("JSON");
        let names = found["populations"].as_array().expect("a list").iter();
        let names: Vec<&str> = names.filter_map(|one| one["population"].as_str()).collect();
        assert_eq!(names, ["hidden", "label"]);
        // Every spike of both files is somewhere; the chip, hardly trained, is nearly silent.
        for (file, count) in [("ideal/spikes.csv", "spikes_a"), (other, "spikes_b")] {
            let rows = rows(&folder.path().join(file));
            let spikes = rows.iter().filter(|row| ["hidden", "label"].contains(&&row[1])).count();
            assert_eq!(found["all"][count], spikes, "{file}");
            assert!(spikes > 0, "{file}");
        }
    }
}
