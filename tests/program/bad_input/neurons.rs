//! Parameters of single neurons, drawn or from a file.

use super::{Case, Change, SIMULATION, replay, simulation, training};

/// A parameter of the neurons from a file.
const PARAMETER_FILE: Change = &[("size = 3", "size = 3\nneuron.tau_m.file = \"tau.csv\"")];

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
            stderr: &["tau.csv:3: 1 field, but 2 are needed (separated by commas)"],
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
