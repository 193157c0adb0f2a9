//! Scenarios that are none: unknown keys, wrong types, and sections that do not go together.

use super::{Case, TRAINING, replay, simulation, training};

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
            "encoding that cannot be derived, for neurons that differ",
            &[
                ("[encoding]\nearliest = 0.15\nlatest = 2.0\n", ""),
                ("size = 5\n", "size = 5\nneuron.tau_s.uniform = { low = 1.0, high = 2.0 }\n"),
            ],
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
