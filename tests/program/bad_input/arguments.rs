//! Arguments of the command line.

use super::{Case, SIMULATION, TRAINING, replay};

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
