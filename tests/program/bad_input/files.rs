//! Weights, spikes and synapses from files that are malformed.

use super::{Case, Change, EDGES, SIMULATION, TRAINING, replay, simulation, training};

/// Weights of the label layer from a file.
const WEIGHT_FILE: Change =
    &[("weights.normal = { mean = 1.0, std = 0.5 }", "weights.file = \"weights.csv\"")];

/// Input spikes from a file.
const SPIKE_FILE: Change =
    &[("source.spike_times = [[5.0, 40.0], [8.0]]", "size = 2\nsource.file = \"spikes.csv\"")];

/// Synapses from a file.
const EDGE_FILE: Change = &[(EDGES, "connect.file = \"edges.csv\"")];

#[test]
fn malformed_files_beside_the_scenario_are_refused() {
    replay(&[
        training(
            "missing weight file",
            WEIGHT_FILE,
            &["scenario.toml:27: layers.1.weights: weights.csv: No such file"],
        ),
        Case {
            name: "weight that is not a number",
            change: WEIGHT_FILE,
            files: &[("weights.csv", b"1,2,3\n1,2,3\n1,NaN,3\n1,2,3\n1,2,3\n")],
            stderr: &[
                "scenario.toml:27: layers.1.weights: weights.csv:3: `NaN` must be a finite number",
            ],
            ..TRAINING
        },
        Case {
            name: "text for a weight",
            change: WEIGHT_FILE,
            files: &[("weights.csv", b"1,2,3\n1,2,3\n1,2,3\n1,two,3\n1,2,3\n")],
            stderr: &[
                "scenario.toml:27: layers.1.weights: weights.csv:4: `two` must be a finite number",
            ],
            ..TRAINING
        },
        Case {
            name: "too few rows of weights",
            change: WEIGHT_FILE,
            files: &[("weights.csv", b"1,2,3\n1,2,3\n1,2,3\n1,2,3\n")],
            stderr: &["scenario.toml:27: layers.1.weights: weights.csv: 4 rows, but 5 are needed"],
            ..TRAINING
        },
        Case {
            name: "row with too few weights",
            change: WEIGHT_FILE,
            files: &[("weights.csv", b"1,2,3\n1,2\n1,2,3\n1,2,3\n1,2,3\n")],
            stderr: &[
                "scenario.toml:27: layers.1.weights: weights.csv: row 2 has 2 values, but 3 are \
                 needed",
            ],
            ..TRAINING
        },
        simulation(
            "missing spike file",
            SPIKE_FILE,
            &["scenario.toml:11: populations.0.source: spikes.csv: No such file"],
        ),
        Case {
            name: "spike file without times",
            change: SPIKE_FILE,
            files: &[("spikes.csv", b"neuron,time_us\n0,1.0\n")],
            stderr: &["scenario.toml:11: populations.0.source: spikes.csv:1: there is no column \
                 `time_ms`; there are neuron, time_us"],
            ..SIMULATION
        },
        Case {
            name: "text for a spike time",
            change: SPIKE_FILE,
            files: &[("spikes.csv", b"neuron,time_ms\n0,1.0\n1,soon\n")],
            stderr: &[
                "scenario.toml:11: populations.0.source: spikes.csv:3: time `soon` must be a \
                 finite number, not negative",
            ],
            ..SIMULATION
        },
        Case {
            name: "negative spike time",
            change: SPIKE_FILE,
            files: &[("spikes.csv", b"neuron,time_ms\n0,-1.0\n")],
            stderr: &[
                "scenario.toml:11: populations.0.source: spikes.csv:2: time `-1.0` must be a \
                 finite number, not negative",
            ],
            ..SIMULATION
        },
        Case {
            name: "spike of a source beyond the population",
            change: SPIKE_FILE,
            files: &[("spikes.csv", b"neuron,time_ms\n0,1.0\n2,1.0\n")],
            stderr: &[
                "scenario.toml:11: populations.0.source: spikes.csv: neuron 2 does not exist: it \
                 must be from 0 to 1",
            ],
            ..SIMULATION
        },
        Case {
            name: "spike file with a short row",
            change: SPIKE_FILE,
            files: &[("spikes.csv", b"neuron,time_ms\n0,1.0\n1\n")],
            stderr: &[
                "scenario.toml:11: populations.0.source: spikes.csv: ",
                "line: 3",
                "1 fields",
            ],
            ..SIMULATION
        },
        Case {
            name: "synapse file without weights",
            change: EDGE_FILE,
            files: &[("edges.csv", b"pre,post\n0,0\n")],
            stderr: &[
                "scenario.toml:19: projections.0.connect.file: edges.csv:1: missing column `weight`: ",
                "there are pre, post (separated by commas). If all are equal: weights.constant",
            ],
            ..SIMULATION
        },
        Case {
            name: "text for the weight of a synapse",
            change: EDGE_FILE,
            files: &[("edges.csv", b"pre,post,weight\n0,0,1.0\n0,1,big\n")],
            stderr: &[
                "scenario.toml:19: projections.0.connect.file: edges.csv:3: weight = `big` must be a \
                 number",
            ],
            ..SIMULATION
        },
        Case {
            name: "weight in a synapse file that is not a number",
            change: EDGE_FILE,
            files: &[("edges.csv", b"pre,post,weight\n0,0,1.0\n0,1,nan\n")],
            stderr: &[
                "scenario.toml:19: projections.0.connect.file: edges.csv:3: ",
                "weight = NaN must be finite",
            ],
            ..SIMULATION
        },
        Case {
            name: "synapse in a file to a neuron that does not exist",
            change: EDGE_FILE,
            files: &[("edges.csv", b"pre,post,weight\n0,7,1.0\n")],
            stderr: &[
                "scenario.toml:19: projections.0.connect.file: edges.csv:2: post = 7 must be \
                 from 0 to 2 (population `neurons`)",
            ],
            ..SIMULATION
        },
    ]);
}
