//! Values out of their range.

use super::{replay, simulation, training};

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
            &["scenario.toml:10: dataset.yin_yang.training.size: 0 must be from 1 to 10000000"],
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
