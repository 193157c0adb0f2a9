//! Potentials of recorded runs: exact against the engine's own, the threshold at every spike, and the
//! command that draws them.

use crate::common;

use std::path::Path;

use common::binary::{files, firstspike, project, read, rows, successful, text};
use firstspike::run::{NeuronModel, RecordedRun};

/// Runs a scenario of the project into a folder.
fn record(name: &str, more: &[&str]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let scenario = project().join("scenarios").join(name);
    successful(
        folder.path(),
        &[&["run", text(&scenario), "--out", "run", "--quiet"], more].concat(),
    );
    folder
}

/// Changes a Yin-Yang scenario into one that trains in no time.
const SMALL: [&str; 8] = [
    "--set",
    "training.epochs=2",
    "--set",
    "dataset.yin_yang.training.size=300",
    "--set",
    "dataset.yin_yang.validation.size=50",
    "--set",
    "dataset.yin_yang.test.size=20",
];

fn open(folder: &Path) -> RecordedRun {
    RecordedRun::open(&folder.join("run")).expect("a run's folder")
}

/// Checks every neuron in some samples: the threshold at each recorded spike, and a computed crossing
/// there and nowhere else. Returns how many spikes there were.
fn check_spikes(run: &RecordedRun) -> usize {
    let mut spikes = 0;
    for population in run.network().populations() {
        if run.network().dynamics(population.nodes.start).is_none() {
            continue;
        }
        for (sample, neuron) in (0..run.samples().min(5) as u32)
            .flat_map(|sample| (0..population.nodes.len() as u32).map(move |n| (sample, n)))
        {
            let trace = run.membrane(sample, &population.name, neuron, None).expect("recorded");
            let place = format!("{}:{neuron} in sample {sample}", population.name);
            assert_eq!(trace.spikes.len(), trace.crossings.len(), "{place}: {trace:?}");
            for (spike, crossing) in trace.spikes.iter().zip(&trace.crossings) {
                assert!((spike - crossing).abs() <= 1e-9 * (1.0 + spike), "{place}: {crossing}");
                let at = trace.times.iter().position(|time| time == spike).expect("its time");
                let scale = trace.threshold.abs().max(1.0);
                let error = (trace.potential[at] - trace.threshold).abs();
                assert!(error <= 1e-9 * scale, "{place}: off the threshold by {error:e}");
                assert_eq!((trace.times[at + 1], trace.potential[at + 1]), (*spike, trace.reset));
            }
            assert!(trace.times.is_sorted());
            spikes += trace.spikes.len();
        }
    }
    spikes
}

#[test]
fn every_recorded_spike_of_a_simulation_is_at_the_threshold() {
    for name in ["single_neuron.toml", "recurrent.toml", "heterogeneous.toml"] {
        let folder = record(name, &[]);
        let run = open(folder.path());
        assert_eq!(run.model(), NeuronModel::Exact);
        assert!(check_spikes(&run) > 0, "{name}: no spikes");
    }
}

#[test]
fn every_recorded_spike_of_a_trained_network_is_at_the_threshold() {
    for name in ["yin_yang_30.toml", "yin_yang_5_delays.toml"] {
        let folder = record(name, &SMALL);
        let run = open(folder.path());
        assert_eq!((run.model(), run.samples()), (NeuronModel::Exact, 20));
        assert!(check_spikes(&run) > 20, "{name}: too few spikes");
        // What brings a first spike about adds up to the threshold.
        let layer = run.label_layer().expect("layers").name.clone();
        let decided = run.decision(0).expect("a decision") as u32;
        let trace = run.membrane(0, &layer, decided, None).expect("recorded");
        let sum: f64 = trace.inputs.iter().filter_map(|input| input.contribution).sum();
        assert!((trace.leak + sum - trace.threshold).abs() < 1e-9, "{name}: {sum}");
    }
}

#[test]
fn potentials_are_those_that_the_simulation_recorded_itself() {
    let folder = record("heterogeneous.toml", &[]);
    let run = open(folder.path());
    let mut compared = 0;
    for row in rows(&folder.path().join("run/potentials.csv")) {
        let number = |field: usize| row[field].parse::<f64>().expect("a number");
        let (population, neuron, time) = (&row[0], number(1) as u32, number(2));
        // The grid of the simulation is that of a window of a thousandth as many milliseconds.
        if population != "excitatory" || (time - time.round()).abs() > 1e-9 {
            continue;
        }
        let window = Some((time, 200.0_f64.max(time + 1.0)));
        let trace = run.membrane(0, population, neuron, window).expect("recorded");
        assert_eq!(trace.times[0].to_bits(), time.to_bits());
        assert_eq!(
            trace.potential[0].to_bits(),
            number(3).to_bits(),
            "{population}:{neuron} {time}"
        );
        compared += 1;
    }
    assert!(compared >= 50, "only {compared} potentials");
}

#[test]
fn on_a_chip_the_neurons_are_the_chips_own() {
    let folder = record("yin_yang_30_brainscales2.toml", &SMALL);
    let run = open(folder.path());
    assert_eq!(run.model(), NeuronModel::Chip);
    let mut distances = Vec::new();
    for (sample, neuron) in (0..20).flat_map(|sample| (0..30).map(move |n| (sample, n))) {
        let trace = run.membrane(sample, "hidden", neuron, None).expect("recorded");
        if let (Some(spike), Some(crossing)) = (trace.spikes.first(), trace.crossings.first()) {
            distances.push((spike - crossing).abs() / run.network().distinct_dynamics()[0].tau_s());
        }
    }
    assert!(distances.len() > 50, "only {} spikes", distances.len());
    distances.sort_by(f64::total_cmp);
    let median = distances[distances.len() / 2];
    // Jitter and the clock's resolution, but not the spread of the neurons' parameters.
    assert!(0.0 < median && median < 0.1, "median distance {median} tau_s");
    let shown = successful(folder.path(), &["membranes", "run"]).stdout;
    assert!(shown.contains("the chip's neurons"), "{shown}");
}

#[test]
fn a_training_is_drawn_on_the_terminal_and_into_files() {
    let folder = record("yin_yang_30.toml", &SMALL);
    let before = files(folder.path()).len();
    let shown = successful(folder.path(), &["membranes", "run"]).stdout;
    for expected in ["sample 0 (", "decided for", "input, bias", "hidden", "label:0", "▼", "τ_s"]
    {
        assert!(shown.contains(expected), "{expected} in\n{shown}");
    }
    assert!(!shown.contains('\u{1b}'), "no colours into a pipe");
    assert!(shown.lines().all(|line| !line.contains('│') || line.chars().count() <= 80), "{shown}");
    assert_eq!(files(folder.path()).len(), before, "nothing is written");

    let ended = firstspike(folder.path(), &["membranes", "run", "--neuron", "hidden"]);
    assert_eq!(ended.code, Some(2));
    assert!(ended.stderr.contains("30 neurons are too many for a picture"), "{}", ended.stderr);

    let more = ["membranes", "run", "--sample", "3", "--neuron", "label", "--neuron", "hidden:4"];
    let files = ["--svg", "a.svg", "--png", "a.png", "--csv", "a.csv", "--window", "0:1.5"];
    successful(folder.path(), &[&more[..], &files].concat());
    let svg = String::from_utf8(read(&folder.path().join("a.svg"))).expect("UTF-8");
    let document = roxmltree::Document::parse(&svg).expect("well-formed");
    // Texts are outlines, with what they say as labels.
    let texts: Vec<&str> =
        document.descendants().filter_map(|node| node.attribute("aria-label")).collect();
    for expected in ["hidden:4", "time [τₛ]", "membrane potential", "excitatory input"] {
        assert!(texts.contains(&expected), "{expected} in {texts:?}");
    }
    assert!(read(&folder.path().join("a.png")).starts_with(b"\x89PNG"));
    let table = String::from_utf8(read(&folder.path().join("a.csv"))).expect("UTF-8");
    assert!(table.starts_with("time_tau_s,population,neuron,potential\n"), "{}", &table[..60]);
    let neurons: std::collections::BTreeSet<_> = rows(&folder.path().join("a.csv"))
        .iter()
        .map(|row| (row[1].to_owned(), row[2].to_owned()))
        .collect();
    assert_eq!(neurons.len(), 4);
}

#[test]
fn a_run_without_spikes_has_potentials_all_the_same() {
    let folder =
        record("single_neuron.toml", &["--set", "populations.0.source.spike_times=[[],[],[]]"]);
    let shown = successful(folder.path(), &["membranes", "run"]).stdout;
    assert!(shown.contains("neuron:0 does not spike"), "{shown}");
}

/// What is done to a copy of a run's folder.
type Damage = Box<dyn Fn(&Path)>;

#[test]
fn what_does_not_exist_is_refused_with_what_does() {
    let folder = record("single_neuron.toml", &[]);
    let run = folder.path().join("run");
    let copy = |damage: &dyn Fn(&Path)| {
        let copy = folder.path().join("copy");
        let _ = std::fs::remove_dir_all(&copy);
        std::fs::create_dir(&copy).expect("writable");
        for (path, content) in files(&run) {
            std::fs::write(copy.join(path.file_name().expect("a name")), content)
                .expect("writable");
        }
        damage(&copy);
    };
    let replace = |file: &'static str, from: &'static str, to: &'static str| {
        move |copy: &Path| {
            let content = String::from_utf8(read(&copy.join(file))).expect("UTF-8");
            assert!(content.contains(from), "{content}");
            std::fs::write(copy.join(file), content.replace(from, to)).expect("writable");
        }
    };
    let cases: Vec<(Damage, &[&str], &str)> = vec![
        (Box::new(|_| ()), &["--sample", "1"], "there is only sample 0"),
        (Box::new(|_| ()), &["--neuron", "neuro:0"], "Did you mean `neuron`?"),
        (Box::new(|_| ()), &["--neuron", "neuron:1"], "the neuron must be from 0 to 0"),
        (Box::new(|_| ()), &["--neuron", "input:0"], "spike sources, which have no potential"),
        (Box::new(|_| ()), &["--window", "0:200"], "must end by 100"),
        (Box::new(|_| ()), &["--window", "5:5"], "it must be two times"),
        (Box::new(|_| ()), &["--window", "1:x"], "it must be two times"),
        (
            Box::new(|copy| std::fs::remove_file(copy.join("spikes.csv")).expect("there")),
            &[],
            "copy has no spikes.csv: it must be a folder that `firstspike run` wrote",
        ),
        (
            Box::new(replace("network.json", "\"size\":3", "\"size\":")),
            &[],
            "network.json: not a network",
        ),
        (Box::new(replace("network.json", "[2,0,", "[3,0,")), &[], "projections[0].synapses[2]"),
        (
            Box::new(replace("network.json", "\"ms\"", "\"us\"")),
            &[],
            "network.json: times are in us",
        ),
        (Box::new(replace("network.json", "\"neuron\"", "\"other\"")), &[], "not of one run"),
        (Box::new(replace("spikes.csv", "0,input,", "0,inptu,")), &[], "no population `inptu`"),
        (
            Box::new(replace("spikes.csv", "time_ms", "time_us")),
            &[],
            "spikes.csv:1: times are in us",
        ),
        (Box::new(replace("scenario.toml", "until", "untill")), &[], "Did you mean `until`?"),
    ];
    for (damage, arguments, expected) in cases {
        copy(&*damage);
        let ended = firstspike(folder.path(), &[&["membranes", "copy"], arguments].concat());
        assert_eq!(ended.code, Some(2), "{arguments:?}: {}", ended.stderr);
        // The parser of arguments breaks its lines where it likes.
        assert!(ended.stderr.contains(expected), "{expected} in {}", ended.stderr);
    }
    let ended = firstspike(folder.path(), &["membranes", "nowhere"]);
    assert_eq!(ended.code, Some(2));
    assert!(ended.stderr.contains("nowhere has no scenario.toml"), "{}", ended.stderr);
}
