//! Bad input is refused: with exit code 2, a message that says where it is and what is accepted,
//! nothing on stdout, and not a byte changed on the disk.

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

/// Weights of the label layer from a file.
const WEIGHT_FILE: Change =
    &[("weights.normal = { mean = 1.0, std = 0.5 }", "weights.file = \"weights.csv\"")];

/// Input spikes from a file.
const SPIKE_FILE: Change =
    &[("source.spike_times = [[5.0, 40.0], [8.0]]", "size = 2\nsource.file = \"spikes.csv\"")];

const EDGES: &str = "connect.edges = [
    { pre = 0, post = 0, weight = 1.5, delay = 1.0 },
    { pre = 1, post = 2, weight = 1.2, delay = 1.0 },
]";

/// A parameter of the neurons from a file.
const PARAMETER_FILE: Change = &[("size = 3", "size = 3\nneuron.tau_m.file = \"tau.csv\"")];

/// Synapses from a file.
const EDGE_FILE: Change = &[(EDGES, "connect.file = \"edges.csv\"")];

#[test]
fn unknown_keys_and_wrong_types_are_refused() {
    replay(&[
        training(
            "unknown key",
            &[("seed = 1\n", "sed = 1\n")],
            &["scenario.toml", "line 2,", "unknown field `sed`", "Did you mean `seed`?"],
        ),
        training(
            "unknown section",
            &[("[encoding]", "[encodign]")],
            &["scenario.toml", "line 14,", "`encodign`", "Did you mean `encoding`?"],
        ),
        training(
            "unknown nested key",
            &[("learning_rate", "learning_rat")],
            &[
                "scenario.toml",
                "line 33,",
                "unknown field `learning_rat`, expected one of `learning_rate`, `beta1`, `beta2`",
                "Did you mean `learning_rate`?",
            ],
        ),
        training(
            "unknown key of a layer",
            &[("bias_times", "bias_time")],
            &["scenario.toml", "line 21,", "`bias_time`", "Did you mean `bias_times`?"],
        ),
        simulation(
            "unknown key of a synapse",
            &[("weight = 1.2", "wieght = 1.2")],
            &["scenario.toml", "line 21,", "`wieght`", "Did you mean `weight`?"],
        ),
        training(
            "unknown loss",
            &[("shift_invariant_mean_squared_error", "mean_square_error")],
            &[
                "scenario.toml",
                "line 32,",
                "unknown variant `mean_square_error`, expected one of \
                 `first_spike_cross_entropy`, `mean_squared_error`, \
                 `shift_invariant_mean_squared_error`",
                "Did you mean `mean_squared_error`?",
            ],
        ),
        training(
            "unknown time unit",
            &[("\"tau_s\"", "\"minutes\"")],
            &["scenario.toml", "line 1,", "one of `tau_s`, `s`, `ms`, `us`, `ns`"],
        ),
        training(
            "unknown data set",
            &[("[dataset.yin_yang]", "[dataset.mnits]")],
            &["scenario.toml", "line 9,", "unknown variant `mnits`", "Did you mean `mnist`?"],
        ),
        training(
            "text for a number",
            &[("tau_m = 1.0", "tau_m = \"long\"")],
            &[
                "scenario.toml",
                "line 5,",
                "string \"long\", expected a number, or a table with normal",
            ],
        ),
        training(
            "number for a table",
            &[("[neuron]\ntau_m = 1.0\ntau_s = 1.0\nthreshold = 1.0", "neuron = 3")],
            &["scenario.toml", "line 4,", "integer `3`, expected a table\n"],
        ),
        training(
            "fraction for a count",
            &[("epochs = 1", "epochs = 1.5")],
            &["scenario.toml", "line 30,", "`1.5`, expected a whole number, not negative"],
        ),
        training(
            "negative count",
            &[("epochs = 1", "epochs = -1")],
            &["scenario.toml", "line 30,", "`-1`, expected a whole number, not negative"],
        ),
        training(
            "missing loss",
            &[("loss.shift_invariant_mean_squared_error.margin = 0.2\n", "")],
            &["scenario.toml", "line 29,", "[training]", "missing field `loss`"],
        ),
        simulation(
            "key given twice",
            &[("until = 100.0", "until = 100.0\nuntil = 200.0")],
            &["scenario.toml", "line 26,", "duplicate key"],
        ),
    ]);
}

#[test]
fn scenarios_that_are_no_scenario_are_refused() {
    replay(&[
        Case {
            name: "missing scenario file",
            arguments: &["none.toml"],
            stderr: &["cannot read scenario none.toml: No such file"],
            ..TRAINING
        },
        Case {
            name: "a folder for a scenario",
            arguments: &["out"],
            stderr: &["cannot read scenario out: Is a directory"],
            ..TRAINING
        },
        Case {
            name: "binary scenario",
            files: &[("binary.toml", b"\x00\xff\xfe\x01")],
            arguments: &["binary.toml"],
            stderr: &["cannot read scenario binary.toml", "valid UTF-8"],
            ..TRAINING
        },
        Case {
            name: "empty scenario",
            scenario: "",
            stderr: &["scenario.toml: layers: the scenario has no network: give it [[layers]]"],
            ..TRAINING
        },
        Case {
            name: "neither layers nor populations",
            scenario: "time_unit = \"ms\"\n[neuron]\ntau_s = 5.0\n",
            stderr: &["scenario.toml: layers: ", "[[layers]]", "[[populations]]"],
            ..TRAINING
        },
        training(
            "not TOML",
            &[("latest = 2.0", "latest = ")],
            &["scenario.toml", "line 16, column 10", "latest = "],
        ),
        training(
            "layers and populations",
            &[("[training]", "[[populations]]\nname = \"more\"\nsize = 1\n[training]")],
            &["scenario.toml:29: populations: ", "either [[layers]] or [[populations]]"],
        ),
        training(
            "missing data set",
            &[(
                "[dataset.yin_yang]
training = { size = 60, seed = 42 }
validation = { size = 30, seed = 41 }
test = { size = 30, seed = 40 }
",
                "",
            )],
            &["scenario.toml: dataset: ", "add [dataset.yin_yang]"],
        ),
        training(
            "missing encoding",
            &[("[encoding]\nearliest = 0.15\nlatest = 2.0\n", "")],
            &["scenario.toml: encoding: ", "earliest and latest spike times"],
        ),
        simulation(
            "encoding without data",
            &[("[simulation]", "[encoding]\nearliest = 0.0\nlatest = 1.0\n[simulation]")],
            &["scenario.toml:24: encoding: [encoding] goes with [[layers]]"],
        ),
        training(
            "projections of layers",
            &[(
                "[training]",
                "[[projections]]\npre = \"input\"\npost = \"label\"\n\
                 connect.all_to_all = {}\nweights.constant = 1.0\n[training]",
            )],
            &["scenario.toml:29: projections: [[projections]] go with [[populations]]"],
        ),
        simulation(
            "missing simulation",
            &[("[simulation]\nuntil = 100.0\n", "")],
            &["scenario.toml: simulation: ", "add [simulation] with until"],
        ),
        simulation(
            "missing end of the simulation",
            &[("until = 100.0\n", "")],
            &["scenario.toml", "line 24,", "[simulation]", "missing field `until`"],
        ),
    ]);
}

#[test]
fn values_out_of_range_are_refused() {
    replay(&[
        training(
            "negative membrane time constant",
            &[("tau_m = 1.0", "tau_m = -2.0")],
            &["scenario.toml:5: neuron.tau_m: -2 must be above 0 (inf for a non-leaky neuron)"],
        ),
        training(
            "synaptic time constant of zero",
            &[("tau_s = 1.0", "tau_s = 0.0")],
            &["scenario.toml:6: neuron.tau_s: 0 must be finite and above 0"],
        ),
        training(
            "infinite synaptic time constant",
            &[("tau_s = 1.0", "tau_s = inf")],
            &["scenario.toml:6: neuron.tau_s: inf must be finite and above 0"],
        ),
        training(
            "threshold that is not a number",
            &[("threshold = 1.0", "threshold = nan")],
            &["scenario.toml:7: neuron.threshold: NaN must be finite"],
        ),
        training(
            "threshold not above reset",
            &[("threshold = 1.0", "threshold = 1.0\nreset_potential = 1.0")],
            &[
                "scenario.toml:8: neuron.reset_potential: 1 must be finite and below the threshold (1)",
            ],
        ),
        simulation(
            "negative refractory period",
            &[("refractory_period = 2.0", "refractory_period = -2.0")],
            &["scenario.toml:6: neuron.refractory_period: -2 must be finite and not negative"],
        ),
        training(
            "neuron of one layer",
            &[("name = \"label\"", "name = \"label\"\nneuron.capacitance = 0.0")],
            &["scenario.toml:26: layers.1.neuron.capacitance: 0 must be finite and above 0"],
        ),
        training(
            "encoding backwards",
            &[("latest = 2.0", "latest = 0.15")],
            &["scenario.toml:14: encoding: earliest = 0.15, latest = 0.15: must be finite with \
                 0 ≤ earliest < latest"],
        ),
        training(
            "empty training set",
            &[("size = 60", "size = 0")],
            &["scenario.toml:10: dataset.yin_yang.training.size: 0 must be from 1 to 100000000"],
        ),
        training(
            "no epochs",
            &[("epochs = 1", "epochs = 0")],
            &["scenario.toml:30: training.epochs: 0 must be at least 1"],
        ),
        training(
            "empty batches",
            &[("batch_size = 30", "batch_size = 0")],
            &["scenario.toml:31: training.batch_size: 0 must be at least 1"],
        ),
        training(
            "negative learning rate",
            &[("learning_rate = 0.01", "learning_rate = -0.01")],
            &["scenario.toml:33: training.optimiser.adam.learning_rate: -0.01 must be finite and \
                 above 0"],
        ),
        training(
            "negative margin",
            &[("margin = 0.2", "margin = -0.2")],
            &["scenario.toml:32: training.loss.shift_invariant_mean_squared_error.margin: -0.2 \
                 must be finite and above 0"],
        ),
        training(
            "silent fractions of too few layers",
            &[("[0.3, 0.0]", "[0.3]")],
            &["scenario.toml:34: training.silent_neurons.bump.allowed: 1 fractions, but there \
                 are 2 layers"],
        ),
        training(
            "silent fraction above one",
            &[("[0.3, 0.0]", "[0.3, 1.5]")],
            &["scenario.toml:34: training.silent_neurons.bump.allowed: [0.3, 1.5] must all be \
                 from 0 to 1"],
        ),
        simulation(
            "simulation that ends before it starts",
            &[("until = 100.0", "until = -1.0")],
            &["scenario.toml:25: simulation.until: -1 must be finite and above 0"],
        ),
        simulation(
            "spike at infinity",
            &[("[8.0]", "[inf]")],
            &["scenario.toml:10: populations.0.source.spike_times: time 3 is inf: it must be \
                 finite and not negative"],
        ),
    ]);
}

#[test]
fn networks_that_do_not_fit_together_are_refused() {
    replay(&[
        training(
            "layer without neurons",
            &[("size = 5", "size = 0")],
            &["scenario.toml:20: layers.0.size: 0 must be at least 1"],
        ),
        training(
            "label layer that is not one neuron per class",
            &[("size = 3\n", "size = 4\n")],
            &["scenario.toml:26: layers.1.size: 4 label neurons, but the Yin-Yang data set has 3 \
                 classes"],
        ),
        training(
            "two layers of one name",
            &[("name = \"label\"", "name = \"hidden\"")],
            &["scenario.toml:25: layers.1.name: `hidden` is taken: names must be unique"],
        ),
        training(
            "name that cannot be in a CSV file",
            &[("name = \"hidden\"", "name = \"hidden,1\"")],
            &["scenario.toml:19: layers.0.name: `hidden,1` must be made of letters, digits, `_` \
                 and `-`"],
        ),
        simulation(
            "two populations of one name",
            &[("name = \"neurons\"", "name = \"input\"")],
            &["scenario.toml:13: populations.1.name: `input` is taken: names must be unique\n"],
        ),
        simulation(
            "neuron parameters of sources",
            &[("source.spike_times", "neuron.tau_m = 3.0\nsource.spike_times")],
            &["scenario.toml:10: populations.0.neuron: spike sources have no neuron parameters"],
        ),
        simulation(
            "projection to an unknown population",
            &[("post = \"neurons\"", "post = \"neuron\"")],
            &["scenario.toml:18: projections.0.post: there is no population `neuron`; there are \
                 input, neurons"],
        ),
        simulation(
            "projection onto a source",
            &[("post = \"neurons\"", "post = \"input\"")],
            &["scenario.toml:18: projections.0.post: `input` is a spike source: synapses must \
                 end on neurons"],
        ),
        simulation(
            "synapse to a neuron that does not exist",
            &[("post = 2", "post = 3")],
            &["scenario.toml:21: projections.0.connect.edges.1: population `neurons` has 3 \
                 neurons: there is no neuron 3"],
        ),
        simulation(
            "negative delay of a synapse",
            &[("weight = 1.2, delay = 1.0", "weight = 1.2, delay = -1.0")],
            &["scenario.toml:21: projections.0.connect.edges.1: synapse input[1] → neurons[2]: \
                 delay = -1 must be finite and not negative"],
        ),
        simulation(
            "weight of a synapse that is not a number",
            &[("weight = 1.2", "weight = nan")],
            &["scenario.toml:21: projections.0.connect.edges.1: synapse input[1] → neurons[2]: \
                 weight = NaN must be finite"],
        ),
        simulation(
            "one to one between populations of unequal size",
            &[(EDGES, "connect.one_to_one = {}\nweights.constant = 1.0")],
            &["scenario.toml:19: projections.0.connect: one_to_one needs populations of equal \
                 size, but they have 2 and 3"],
        ),
        simulation(
            "probability above one",
            &[(EDGES, "connect.probability = 1.5\nweights.constant = 1.0")],
            &["scenario.toml:19: projections.0.connect.probability: 1.5 must be from 0 to 1"],
        ),
        simulation(
            "synapses without weights",
            &[(EDGES, "connect.all_to_all = {}")],
            &["scenario.toml:16: projections.0.weights: missing: for instance \
                 weights.constant = 1.0"],
        ),
        training(
            "negative delays of a layer",
            &[("size = 5", "size = 5\ndelays.constant = -1.0")],
            &["scenario.toml:21: layers.0.delays.synaptic: -1 must not be negative"],
        ),
        training(
            "delays of something else",
            &[("size = 5", "size = 5\ndelays.axnal.constant = 1.0")],
            &["line 21, ", "unknown variant `axnal`", "Did you mean `axonal`?"],
        ),
        training(
            "two kinds of delays",
            &[("size = 5", "size = 5\ndelays = { axonal.constant = 1, synaptic.constant = 1 }")],
            &["line 21, ", "two kinds of delays, expected one of `axonal`, `dendritic`"],
        ),
        training(
            "bounds of delays that are none",
            &[(
                "size = 5",
                "size = 5\ndelays.axonal.constant = 0.5\n\
                 delays.trainable = { low = 1.0, high = 0.5, learning_rate = 0.0 }",
            )],
            &[
                "scenario.toml:22: layers.0.delays.trainable.learning_rate: 0 must be finite and \
                 above 0",
                "scenario.toml:22: layers.0.delays.trainable: low = 1, high = 0.5: must be finite, \
                 not negative, low < high",
            ],
        ),
        training(
            "trained delays that begin outside their bounds",
            &[(
                "size = 5",
                "size = 5\ndelays.dendritic.uniform = { low = 0.0, high = 1.5 }\n\
                 delays.trainable = { high = 1.0, learning_rate = 0.01 }",
            )],
            &["scenario.toml:21: layers.0.delays.dendritic: 1.5 must be within the bounds of \
                 training, 0 to 1"],
        ),
        training(
            "trained delays that are drawn outside their bounds",
            &[(
                "size = 5",
                "size = 5\ndelays.dendritic.normal = { mean = 0.0, std = 1.0 }\n\
                 delays.trainable = { high = 1.0, learning_rate = 0.01 }",
            )],
            &["layers.0.delays: -", " must not be negative"],
        ),
        training(
            "too few axonal delays",
            &[("size = 5", "size = 5\ndelays.axonal.values = [0.5, 0.5, 0.5, 0.5]")],
            &["scenario.toml:21: layers.0.delays: 4 values, but 5 are needed: one per row \
                 (presynaptic neurons, then bias sources)"],
        ),
        training(
            "distribution of weights that is none",
            &[("std = 0.8", "std = -0.8")],
            &["scenario.toml:22: layers.0.weights: ", "must be finite, std not negative"],
        ),
    ]);
}

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
                "scenario.toml:19: projections.0.connect.file: edges.csv:2: missing field `weight`",
                "a row holds pre and post (whole numbers), weight and",
            ],
            ..SIMULATION
        },
        Case {
            name: "text for the weight of a synapse",
            change: EDGE_FILE,
            files: &[("edges.csv", b"pre,post,weight\n0,0,1.0\n0,1,big\n")],
            stderr: &[
                "scenario.toml:19: projections.0.connect.file: edges.csv:3: weight `big`: ",
                "a row holds pre and post (whole numbers), weight and",
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
                "scenario.toml:19: projections.0.connect.file: edges.csv:2: population `neurons` \
                 has 3 neurons: there is no neuron 7",
            ],
            ..SIMULATION
        },
    ]);
}

#[test]
fn parameters_of_single_neurons_are_refused_by_name() {
    replay(&[
        simulation(
            "unknown distribution of a parameter",
            &[("tau_m = 20.0", "tau_m.normla = { mean = 20.0, std = 1.0 }")],
            &["scenario.toml", "line 4,", "unknown variant `normla`", "Did you mean `normal`?"],
        ),
        simulation(
            "unknown key of a distribution",
            &[("tau_m = 20.0", "tau_m.normal = { mean = 20.0, sdt = 1.0 }")],
            &["scenario.toml", "line 4,", "unknown field `sdt`", "Did you mean `std`?"],
        ),
        simulation(
            "text in a distribution",
            &[("tau_m = 20.0", "tau_m.normal = { mean = 20.0, std = \"wide\" }")],
            &["scenario.toml", "line 4,", "string \"wide\", expected a number\n"],
        ),
        simulation(
            "parameter given in no way",
            &[("tau_m = 20.0", "tau_m = {}")],
            &["scenario.toml", "line 4,", "empty table, expected a number, or normal, uniform,"],
        ),
        simulation(
            "list for a parameter",
            &[("tau_m = 20.0", "tau_m = [20.0, 20.0, 20.0]")],
            &["scenario.toml", "line 4,", "expected a number, or a table with normal, uniform,"],
        ),
        simulation(
            "parameter given in two ways",
            &[("tau_m = 20.0", "tau_m = { values = [1.0, 2.0, 3.0], file = \"tau.csv\" }")],
            &["scenario.toml", "line 4,", "expected one of `normal`, `uniform`, `values`, `file`"],
        ),
        simulation(
            "distribution of a parameter that is none",
            &[("tau_m = 20.0", "tau_m.normal = { mean = 20.0, std = -1.0 }")],
            &["scenario.toml:4: neuron.tau_m: normal = { mean = 20, std = -1 }: both must be \
                 finite, std not negative"],
        ),
        simulation(
            "interval upside down",
            &[("size = 3", "size = 3\nneuron.tau_m.uniform = { low = 3.0, high = 2.0 }")],
            &[
                "scenario.toml:15: populations.1.neuron.tau_m: uniform = { low = 3, high = 2 }: ",
                "low ≤ high",
            ],
        ),
        simulation(
            "drawn value out of range",
            &[("tau_m = 20.0", "tau_m.normal = { mean = -50.0, std = 1.0 }")],
            &[
                "scenario.toml:4: neuron.tau_m: population `neurons`: neuron 0: -",
                " must be above 0 (inf for a non-leaky neuron); narrow the distribution (uniform \
                 stays between its ends), or give values",
            ],
        ),
        simulation(
            "reset above a drawn threshold",
            &[(
                "tau_s = 5.0",
                "reset_potential = 0.5\nthreshold.uniform = { low = 0.1, high = 0.2 }",
            )],
            &["scenario.toml:5: neuron.reset_potential: population `neurons`: neuron 0: 0.5 must \
                 be finite and below the threshold (0.1"],
        ),
        training(
            "drawn value of a layer out of range",
            &[("size = 5", "size = 5\nneuron.capacitance.uniform = { low = -2.0, high = -1.0 }")],
            &[
                "scenario.toml:21: layers.0.neuron.capacitance: population `hidden`: neuron 0: -1.",
                " must be finite and above 0; narrow the distribution",
            ],
        ),
        simulation(
            "values for too few neurons",
            &[("size = 3", "size = 3\nneuron.tau_m.values = [1.0, 2.0]")],
            &["scenario.toml:15: populations.1.neuron.tau_m: population `neurons`: 2 values, but \
                 3 are needed: one per neuron"],
        ),
        simulation(
            "one value out of range",
            &[("size = 3", "size = 3\nneuron.tau_m.values = [1.0, 2.0, -3.0]")],
            &["scenario.toml:15: populations.1.neuron.tau_m: population `neurons`: neuron 2: -3 \
                 must be above 0 (inf for a non-leaky neuron)\n"],
        ),
        simulation(
            "missing parameter file",
            PARAMETER_FILE,
            &["scenario.toml:15: populations.1.neuron.tau_m: population `neurons`: tau.csv: No \
                 such file"],
        ),
        Case {
            name: "parameter file without the parameter",
            change: PARAMETER_FILE,
            files: &[("tau.csv", b"neuron,tau\n0,1.0\n")],
            stderr: &["scenario.toml:15: populations.1.neuron.tau_m: population `neurons`: \
                 tau.csv:1: there is no column `tau_m`; there are neuron, tau"],
            ..SIMULATION
        },
        Case {
            name: "text in a parameter file",
            change: PARAMETER_FILE,
            files: &[("tau.csv", b"tau_m\n1.0\nlong\n2.0\n")],
            stderr: &["tau.csv:3: tau_m `long` must be a number"],
            ..SIMULATION
        },
        Case {
            name: "parameter file with a short row",
            change: PARAMETER_FILE,
            files: &[("tau.csv", b"neuron,tau_m\n0,1.0\n1\n2,2.0\n")],
            stderr: &["tau.csv:3: tau_m `` must be a number"],
            ..SIMULATION
        },
        Case {
            name: "parameter file for too many neurons",
            change: PARAMETER_FILE,
            files: &[("tau.csv", b"tau_m\n1\n2\n3\n4\n")],
            stderr: &["tau.csv: 4 values, but 3 are needed: one per neuron"],
            ..SIMULATION
        },
        Case {
            name: "parameter in a file out of range",
            change: PARAMETER_FILE,
            files: &[("tau.csv", b"tau_m\n1\nnan\n3\n")],
            stderr: &[
                "scenario.toml:15: populations.1.neuron.tau_m: population `neurons`: neuron 1: NaN \
                 must be above 0 (inf for a non-leaky neuron); see row 2 of tau.csv",
            ],
            ..SIMULATION
        },
        Case {
            name: "--set of a part of a distribution",
            change: &[("tau_m = 20.0", "tau_m.normal = { mean = 20.0, std = 1.0 }")],
            arguments: &["scenario.toml", "--set", "neuron.tau_m.normal.std=-1"],
            stderr: &["--set: neuron.tau_m: normal = { mean = 20, std = -1 }: both must be"],
            ..SIMULATION
        },
        Case {
            name: "--set of a parameter out of range",
            arguments: &["scenario.toml", "--set", "populations.1.neuron.tau_s.values=[1, 0, 1]"],
            stderr: &[
                "--set: populations.1.neuron.tau_s: population `neurons`: neuron 1: 0 must be",
            ],
            ..SIMULATION
        },
    ]);
}

#[test]
fn sources_that_stop_before_they_start_are_refused() {
    const SPIKES: &str = "source.spike_times = [[5.0, 40.0], [8.0]]";
    replay(&[
        simulation(
            "Poisson source that stops before it starts",
            &[(SPIKES, "size = 2\nsource.poisson = { rate = 1.0, start = 5.0, stop = 5.0 }")],
            &["scenario.toml:11: populations.0.source.poisson.stop: 5 must be above the start (5)"],
        ),
        simulation(
            "regular source that never stops, for want of a number",
            &[(SPIKES, "size = 2\nsource.regular = { interval = 1.0, stop = nan }")],
            &[
                "scenario.toml:11: populations.0.source.regular.stop: NaN must be above the start (0)",
            ],
        ),
        simulation(
            "regular source that starts at no time",
            &[(SPIKES, "size = 2\nsource.regular = { interval = 1.0, start = -1.0 }")],
            &["scenario.toml:11: populations.0.source.regular.start: -1 must be finite and not \
                 negative"],
        ),
    ]);
}

/// Records the potentials of `neurons` in the way that the text says, from line 27 on.
macro_rules! potential {
    ($text:literal) => {
        &[(
            "until = 100.0",
            concat!("until = 100.0\n[[recording.potential]]\npopulation = \"neurons\"\n", $text),
        )]
    };
}

#[test]
fn recordings_of_what_there_is_not_are_refused() {
    replay(&[
        simulation(
            "unknown key of the recording",
            &[("[simulation]", "[recording]\nspike = []\n[simulation]")],
            &["scenario.toml", "line 25,", "unknown field `spike`", "Did you mean `spikes`?"],
        ),
        simulation(
            "recorded potential of nobody",
            &[("until = 100.0", "until = 100.0\n[[recording.potential]]\nevery = 1.0")],
            &["scenario.toml", "line 26,", "missing field `population`"],
        ),
        simulation(
            "unknown key of a recorded potential",
            potential!("evry = 1.0"),
            &["scenario.toml", "line 28,", "unknown field `evry`", "Did you mean `every`?"],
        ),
        training(
            "recording of layers",
            &[("[training]", "[recording]\nspikes = [\"label\"]\n[training]")],
            &["scenario.toml:29: recording: [recording] goes with [[populations]]"],
        ),
        simulation(
            "spikes of an unknown population",
            &[("[simulation]", "[recording]\nspikes = [\"input\", \"output\"]\n[simulation]")],
            &["scenario.toml:25: recording.spikes.1: there is no population `output`; there are \
                 input, neurons"],
        ),
        simulation(
            "potential of sources",
            &[(
                "until = 100.0",
                "until = 100.0\n[[recording.potential]]\npopulation = \"input\"\nevery = 1.0",
            )],
            &["scenario.toml:27: recording.potential.0.population: there is no population of \
                 neurons `input`; there are neurons"],
        ),
        simulation(
            "potential of a neuron that does not exist",
            potential!("neurons = [0, 3]\nevery = 1.0"),
            &["scenario.toml:28: recording.potential.0.neurons.1: neuron 3 does not exist: it \
                 must be from 0 to 2"],
        ),
        simulation(
            "potential at no time",
            potential!("neurons = [0]"),
            &["scenario.toml:26: recording.potential.0: when? give times = [ … ], or every = …"],
        ),
        simulation(
            "potential at times and every so often",
            potential!("times = [1.0]\nevery = 1.0"),
            &["scenario.toml:28: recording.potential.0.times: there is every = … already"],
        ),
        simulation(
            "potential at times from a start on",
            potential!("times = [1.0]\nstart = 1.0"),
            &["scenario.toml:26: recording.potential.0: when? give times = [ … ], or every = …"],
        ),
        simulation(
            "potential at times that go back",
            potential!("times = [1.0, 3.0, 2.0]"),
            &["scenario.toml:28: recording.potential.0.times.2: 2 must be from 3 (times do not \
                 decrease) to 100 (the end of the simulation)"],
        ),
        simulation(
            "potential before the simulation",
            potential!("times = [-1.0]"),
            &["scenario.toml:28: recording.potential.0.times.0: -1 must be from 0 "],
        ),
        simulation(
            "potential after the simulation",
            potential!("times = [1.0, 100.5]"),
            &["scenario.toml:28: recording.potential.0.times.1: 100.5 must be from 1 ", " to 100 "],
        ),
        simulation(
            "potential every nought",
            potential!("every = 0.0"),
            &["scenario.toml:28: recording.potential.0.every: 0 must be finite and above 0"],
        ),
        simulation(
            "potential from after the simulation on",
            potential!("every = 1.0\nstart = 101.0"),
            &["scenario.toml:29: recording.potential.0.start: 101 must be at most 100"],
        ),
        simulation(
            "potential until before its start",
            potential!("every = 1.0\nstart = 10.0\nstop = 5.0"),
            &["scenario.toml:30: recording.potential.0.stop: 5 must be above the start (10)"],
        ),
        simulation(
            "potential more often than anyone can store",
            potential!("every = 1e-9"),
            &["scenario.toml:28: recording.potential.0.every: 0.000000001 gives 100000000000 \
                 samples per neuron: at most 10000000"],
        ),
    ]);
}

#[test]
fn wrong_arguments_are_refused() {
    replay(&[
        Case {
            name: "no scenario",
            arguments: &[],
            stderr: &["required arguments were not provided", "<SCENARIO>"],
            ..TRAINING
        },
        Case {
            name: "--set without a value",
            arguments: &["scenario.toml", "--set", "training.epochs"],
            stderr: &["--set training.epochs: an override is written key=value"],
            ..TRAINING
        },
        Case {
            name: "--set of an unknown key",
            arguments: &["scenario.toml", "--set", "training.epoch=3"],
            stderr: &[
                "--set training.epoch=3: unknown field `epoch`",
                "in `training`",
                "Did you mean `epochs`?",
            ],
            ..TRAINING
        },
        Case {
            name: "--set to a wrong type",
            arguments: &["scenario.toml", "--set", "training.epochs=many"],
            stderr: &[
                "--set training.epochs=many: ",
                "string \"many\", expected a whole number, not negative",
            ],
            ..TRAINING
        },
        Case {
            name: "--set out of range",
            arguments: &["scenario.toml", "--set", "training.epochs=0"],
            stderr: &["--set: training.epochs: 0 must be at least 1"],
            ..TRAINING
        },
        Case {
            name: "--set of a whole table with a value out of range",
            arguments: &["scenario.toml", "--set", "neuron={tau_m=-1}"],
            stderr: &["--set: neuron.tau_m: -1 must be above 0"],
            ..TRAINING
        },
        Case {
            name: "--set of a layer that does not exist",
            arguments: &["scenario.toml", "--set", "layers.2.size=3"],
            stderr: &["--set layers.2.size=3: `2` is not an index from 0 to 1"],
            ..TRAINING
        },
        Case {
            name: "name of the run that is a path",
            arguments: &["scenario.toml", "--set", "name=../elsewhere"],
            stderr: &["--set: name: `../elsewhere`", "must not be a path"],
            ..TRAINING
        },
        Case {
            name: "seed that is not a number",
            arguments: &["scenario.toml", "--seed", "one"],
            stderr: &["'one'", "--seed"],
            ..TRAINING
        },
        Case {
            name: "no threads",
            arguments: &["scenario.toml", "--threads", "0"],
            run_only: true,
            stderr: &["'0'", "--threads", "1..=1024"],
            ..TRAINING
        },
        Case {
            name: "unknown flag",
            arguments: &["scenario.toml", "--sed", "3"],
            stderr: &["unexpected argument '--sed'", "'--seed'"],
            ..TRAINING
        },
        Case {
            name: "a file where the output folder should be",
            out: "notes.txt",
            files: &[("notes.txt", b"mine")],
            run_only: true,
            stderr: &["cannot write notes.txt: "],
            ..TRAINING
        },
        Case {
            name: "a file where the output folder's parent should be",
            out: "notes.txt/deeper",
            files: &[("notes.txt", b"mine")],
            run_only: true,
            stderr: &["cannot write notes.txt/deeper: "],
            ..SIMULATION
        },
    ]);
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

/// Another data set in place of Yin-Yang, which is four lines long too.
macro_rules! dataset {
    ($($line:literal)*) => {
        (
            "[dataset.yin_yang]\ntraining = { size = 60, seed = 42 }\n\
             validation = { size = 30, seed = 41 }\ntest = { size = 30, seed = 40 }\n",
            concat!($($line, "\n"),*),
        )
    };
}

/// Ten label neurons, as MNIST needs.
const TEN_LABELS: (&str, &str) = ("name = \"label\"\nsize = 3", "name = \"label\"\nsize = 10");

const TABLE: (&str, &str) =
    dataset!("[dataset.file]" "training.csv = 'a.csv'" "validation.last = 1" "test.csv = 'b.csv'");

const SPIKE_TIMES: (&str, &str) = dataset!("[dataset.file]" "training.csv = 'a.csv'" "validation.last = 1" "test.csv = 'b.csv'" "spike_times = true");

const NO_ENCODING: (&str, &str) = ("[encoding]\nearliest = 0.15\nlatest = 2.0\n", "");

/// A case with a table of these contents, of which the second is the test set.
const fn table(
    name: &'static str,
    change: Change,
    files: &'static [(&'static str, &'static [u8])],
    stderr: &'static [&'static str],
) -> Case {
    Case { name, change, files, stderr, ..TRAINING }
}

const GOOD_TABLE: (&str, &[u8]) = ("b.csv", b"label,x,y\n0,0,1\n1,0.5,0\n2,1,1\n");

#[test]
fn data_sets_that_do_not_fit_are_refused() {
    replay(&[
        training(
            "images of another size",
            &[dataset!("[dataset.mnist]" "size = 20"), TEN_LABELS],
            &["scenario.toml:10: dataset.mnist.size: 20 must be 28 or 16"],
        ),
        training(
            "more images than there are",
            &[dataset!("[dataset.mnist]" "training = 50001"), TEN_LABELS],
            &["scenario.toml:10: dataset.mnist.training: 50001 must be from 1 to 50000"],
        ),
        training(
            "no images to validate with",
            &[dataset!("[dataset.fashion_mnist]" "validation = 0"), TEN_LABELS],
            &["scenario.toml:10: dataset.fashion_mnist.validation: 0 must be from 1 to 10000"],
        ),
        training(
            "no images to test with",
            &[dataset!("[dataset.mnist]" "test = 0"), TEN_LABELS],
            &["scenario.toml:10: dataset.mnist.test: 0 must be from 1 to 10000"],
        ),
        training(
            "too few label neurons",
            &[dataset!("[dataset.mnist]")],
            &["layers.1.size: 3 label neurons, but MNIST has 10 classes"],
        ),
        training(
            "no files in a folder",
            &[dataset!("[dataset.mnist]" "folder = 'nowhere'"), TEN_LABELS],
            &[
                "scenario.toml:9: dataset.mnist: nowhere/train-images-idx3-ubyte: there is no such file",
                "firstspike data fetch mnist",
                "dataset.mnist.folder",
            ],
        ),
        training(
            "no files in the usual folder",
            &[dataset!("[dataset.fashion_mnist]"), TEN_LABELS],
            &["data/fashion_mnist/train-images-idx3-ubyte", "firstspike data fetch fashion-mnist"],
        ),
        Case {
            name: "images that are none",
            change: &[dataset!("[dataset.mnist]" "folder = '.'"), TEN_LABELS],
            files: &[
                ("train-images-idx3-ubyte.gz", b"not packed, no images"),
                ("train-labels-idx1-ubyte.gz", b"no labels"),
            ],
            stderr: &["train-images-idx3-ubyte.gz: begins with 0x6e6f7420"],
            ..TRAINING
        },
        training(
            "encoding with a word for a truth",
            &[("latest = 2.0", "latest = 2.0\ninverted = \"yes\"")],
            &["scenario.toml", "line 17", "boolean"],
        ),
        training(
            "encoding with an unknown key",
            &[("latest = 2.0", "latest = 2.0\nsilent_zeros = true")],
            &["`silent_zeros`", "Did you mean `silent_zero`?"],
        ),
    ]);
}

#[test]
fn tables_that_do_not_fit_are_refused() {
    replay(&[
        table("missing table", &[TABLE], &[], &["dataset.file.training: a.csv: "]),
        table(
            "feature out of range",
            &[TABLE],
            &[("a.csv", b"label,x,y\n0,0,1\n1,7,0\n"), GOOD_TABLE],
            &[
                "scenario.toml:10: dataset.file.training: a.csv: line 3, column `x`: `7`: a feature \
               must be a number from 0 to 1",
            ],
        ),
        table(
            "other columns",
            &[TABLE],
            &[("a.csv", b"label,y,x\n0,0,1\n1,1,0\n"), GOOD_TABLE],
            &["scenario.toml:12: dataset.file.test: b.csv: line 1: column `x` stands where"],
        ),
        table(
            "nothing left to learn from",
            &[TABLE],
            &[("a.csv", b"label,x,y\n0,0,1\n"), GOOD_TABLE],
            &["scenario.toml:11: dataset.file.validation.last: a.csv: has 1 samples"],
        ),
        table(
            "fewer classes than label neurons",
            &[TABLE],
            &[("a.csv", b"label,x,y\n0,0,1\n1,1,0\n"), ("b.csv", b"label,x,y\n1,0,1\n")],
            &["layers.1.size: 3 label neurons, but the data set has 2 classes (labels up to 1)"],
        ),
        table(
            "label beyond the classes",
            &[dataset!("[dataset.file]" "training.csv = 'a.csv'" "validation.last = 1"
                       "test.csv = 'b.csv'" "classes = 3")],
            &[("a.csv", b"label,x,y\n0,0,1\n3,1,0\n"), GOOD_TABLE],
            &["dataset.file.validation: a.csv: sample 0 (from 0) has label 3"],
        ),
        table(
            "label neurons against classes that are said",
            &[dataset!("[dataset.file]" "training.csv = 'a.csv'" "validation.last = 1"
                       "test.csv = 'b.csv'" "classes = 4")],
            &[],
            &["layers.1.size: 3 label neurons, but the data set has 4 classes"],
        ),
        table(
            "no samples to validate with",
            &[dataset!("[dataset.file]" "training.csv = 'a.csv'" "validation.last = 0"
                       "test.csv = 'b.csv'")],
            &[],
            &["scenario.toml:11: dataset.file.validation.last: 0 must be at least 1"],
        ),
        table(
            "arrays that are none",
            &[dataset!("[dataset.file]" "training.npy = { features = 'a.csv', labels = 'b.csv' }"
                       "validation.last = 1" "test.csv = 'b.csv'")],
            &[("a.csv", b"label,x,y\n0,0,1\n"), GOOD_TABLE],
            &["scenario.toml:10: dataset.file.training: a.csv: is no NPY file"],
        ),
        table(
            "spike times to encode",
            &[SPIKE_TIMES],
            &[],
            &["encoding: ", "leave out [encoding]"],
        ),
        table(
            "negative spike time",
            &[SPIKE_TIMES, NO_ENCODING],
            &[("a.csv", b"label,x,y\n0,3.5,\n1,inf,-1\n"), GOOD_TABLE],
            &["dataset.file.training: a.csv: line 3, column `y`: `-1`: a spike time must be"],
        ),
        table(
            "features that are to be encoded without encoding",
            &[TABLE, NO_ENCODING],
            &[],
            &["scenario.toml: encoding: ", "earliest and latest spike times"],
        ),
    ]);
}

#[test]
fn augmentation_out_of_range_is_refused() {
    macro_rules! augmentation {
        ($line:literal) => {
            (
                "optimiser.adam.learning_rate = 0.01",
                concat!("optimiser.adam.learning_rate = 0.01\naugmentation.", $line),
            )
        };
    }
    replay(&[
        training(
            "negative noise",
            &[augmentation!("time_noise = -0.3")],
            &["scenario.toml:34: training.augmentation.time_noise: -0.3 must be finite and not"],
        ),
        training(
            "all inputs left out",
            &[augmentation!("dropout = 1.0")],
            &["training.augmentation.dropout: 1 must be from 0 to below 1"],
        ),
        training(
            "turned by more than there is",
            &[augmentation!("rotation = 200.0")],
            &["training.augmentation.rotation: 200 must be from 0 to 180 degrees"],
        ),
        training(
            "moved the wrong way",
            &[augmentation!("shift = -1.0")],
            &["training.augmentation.shift: -1 must be from 0 to 28 pixels"],
        ),
        training(
            "shrunk to nothing",
            &[augmentation!("scale = 1.0")],
            &["training.augmentation.scale: 1 must be from 0 to below 1"],
        ),
        training(
            "distorted points",
            &[augmentation!("shift = 1.0")],
            &["training.augmentation.shift: only images can be distorted"],
        ),
        training(
            "unknown kind",
            &[augmentation!("rotate = 1.0")],
            &["`rotate`", "Did you mean `rotation`?"],
        ),
    ]);
}

#[test]
fn the_scenarios_are_good_before_they_are_changed() {
    for scenario in [TRAINING_SCENARIO, SIMULATION_SCENARIO] {
        let folder = tempfile::tempdir().expect("a temporary folder");
        std::fs::write(folder.path().join("scenario.toml"), scenario).expect("writable");
        let ended = firstspike(folder.path(), &["run", "scenario.toml", "--out", "out"]);
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
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
