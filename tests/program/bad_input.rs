//! Bad input is refused: with exit code 2, a message that says where it is and what is accepted,
//! nothing on stdout, and not a byte changed on the disk.

mod arguments;
mod data_sets;
mod files;
mod networks;
mod neurons;
mod scenario;
mod stimuli;
mod values;

use crate::common;

use common::binary::{files, firstspike};

/// What of the scenario is replaced, and by what.
type Change = &'static [(&'static str, &'static str)];

/// A way to get the input wrong.
struct Case {
    /// What is wrong.
    name: &'static str,
    /// Content of `scenario.toml`, before it is changed.
    scenario: &'static str,
    change: Change,
    /// Files beside the scenario.
    files: &'static [(&'static str, &'static [u8])],
    /// Arguments of `run` or `check`.
    arguments: &'static [&'static str],
    /// The folder for results.
    out: &'static str,
    /// Whether only `run` can find the mistake, and `check` cannot.
    run_only: bool,
    /// What the message must say.
    stderr: &'static [&'static str],
}

/// A scenario that trains, with nothing wrong in it.
const TRAINING: Case = Case {
    name: "",
    scenario: TRAINING_SCENARIO,
    change: &[],
    files: &[],
    arguments: &["scenario.toml"],
    out: "out",
    run_only: false,
    stderr: &[],
};

/// A scenario that simulates, with nothing wrong in it.
const SIMULATION: Case = Case { scenario: SIMULATION_SCENARIO, ..TRAINING };

/// A change that makes the training scenario wrong.
const fn training(name: &'static str, change: Change, stderr: &'static [&'static str]) -> Case {
    Case { name, change, stderr, ..TRAINING }
}

/// A change that makes the simulation scenario wrong.
const fn simulation(name: &'static str, change: Change, stderr: &'static [&'static str]) -> Case {
    Case { name, change, stderr, ..SIMULATION }
}

const TRAINING_SCENARIO: &str = r#"time_unit = "tau_s"
seed = 1

[neuron]
tau_m = 1.0
tau_s = 1.0
threshold = 1.0

[dataset.yin_yang]
training = { size = 60, seed = 42 }
validation = { size = 30, seed = 41 }
test = { size = 30, seed = 40 }

[encoding]
earliest = 0.15
latest = 2.0

[[layers]]
name = "hidden"
size = 5
bias_times = [0.9]
weights.normal = { mean = 1.5, std = 0.8 }

[[layers]]
name = "label"
size = 3
weights.normal = { mean = 1.0, std = 0.5 }

[training]
epochs = 1
batch_size = 30
loss.shift_invariant_mean_squared_error.margin = 0.2
optimiser.adam.learning_rate = 0.01
silent_neurons.bump = { allowed = [0.3, 0.0], amount = 0.0005 }
"#;

const SIMULATION_SCENARIO: &str = r#"time_unit = "ms"

[neuron]
tau_m = 20.0
tau_s = 5.0
refractory_period = 2.0

[[populations]]
name = "input"
source.spike_times = [[5.0, 40.0], [8.0]]

[[populations]]
name = "neurons"
size = 3

[[projections]]
pre = "input"
post = "neurons"
connect.edges = [
    { pre = 0, post = 0, weight = 1.5, delay = 1.0 },
    { pre = 1, post = 2, weight = 1.2, delay = 1.0 },
]

[simulation]
until = 100.0
"#;

const EDGES: &str = "connect.edges = [
    { pre = 0, post = 0, weight = 1.5, delay = 1.0 },
    { pre = 1, post = 2, weight = 1.2, delay = 1.0 },
]";

#[test]
fn the_scenarios_are_good_before_they_are_changed() {
    for scenario in [TRAINING_SCENARIO, SIMULATION_SCENARIO] {
        let folder = tempfile::tempdir().expect("a temporary folder");
        std::fs::write(folder.path().join("scenario.toml"), scenario).expect("writable");
        let ended = firstspike(folder.path(), &["run", "scenario.toml", "--out", "out"]);
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    }
}

#[test]
fn a_problem_of_all_neurons_is_reported_once() {
    let training = TRAINING_SCENARIO.replace("threshold = 1.0", "threshold = nan");
    let simulation = SIMULATION_SCENARIO.replace("tau_m = 20.0", "tau_m = -20.0");
    let own = training.replace("name = \"label\"", "name = \"label\"\nneuron.threshold = -3.0");
    let cases = [
        (training, "error: scenario.toml:7: neuron.threshold: NaN must be finite\n"),
        (
            simulation,
            "error: scenario.toml:4: neuron.tau_m: -20 must be above 0 (inf for a non-leaky neuron)\n",
        ),
        (
            own,
            "error: scenario.toml:7: neuron.threshold: NaN must be finite\n\
             scenario.toml:26: layers.1.neuron.reset_potential: 0 must be finite and below the \
             threshold (-3)\n",
        ),
    ];
    for (scenario, stderr) in cases {
        let folder = tempfile::tempdir().expect("a temporary folder");
        std::fs::write(folder.path().join("scenario.toml"), scenario).expect("writable");
        let ended = firstspike(folder.path(), &["check", "scenario.toml"]);
        assert_eq!((ended.code, ended.stderr.as_str()), (Some(2), stderr));
    }
}

/// Runs each case with `run` and `check`, and finds it refused and the disk untouched.
fn replay(cases: &[Case]) {
    for case in cases {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut scenario = case.scenario.to_owned();
        for (from, to) in case.change {
            assert_eq!(scenario.matches(from).count(), 1, "{}: replaces once", case.name);
            scenario = scenario.replace(from, to);
        }
        let write = |name: &str, content: &[u8]| {
            std::fs::write(folder.path().join(name), content).expect("writable");
        };
        write("scenario.toml", scenario.as_bytes());
        for (name, content) in case.files {
            write(name, content);
        }
        std::fs::create_dir(folder.path().join("out")).expect("writable");
        for name in ["out/spikes.csv", "out/summary.json", "out/mine.txt"] {
            write(name, b"from before");
        }

        let before = files(folder.path());
        let run = [&["run"], case.arguments, &["--out", case.out]].concat();
        let check = [&["check"], case.arguments].concat();
        for arguments in [run, check].iter().take(if case.run_only { 1 } else { 2 }) {
            let ended = firstspike(folder.path(), arguments);
            let context = format!("{}: {arguments:?}\n{}", case.name, ended.stderr);
            assert_eq!(ended.code, Some(2), "{context}");
            assert_eq!(ended.stdout, "", "{context}");
            // Files that a scenario names are reported with their whole path.
            let stderr = ended.stderr.replace(&format!("{}/", folder.path().display()), "");
            for fragment in case.stderr {
                assert!(stderr.contains(fragment), "no `{fragment}` in {context}");
            }
            assert_eq!(files(folder.path()), before, "{context}");
        }
    }
}
