//! Sources of spikes, and recordings of potentials.

use super::{replay, simulation, training};

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
