//! Layers, populations and synapses that do not fit together.

use super::{EDGES, replay, simulation, training};

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
