//! Every check of a scenario that needs no file: what goes with what, and names. Ranges are checked by
//! the settings themselves.

use std::collections::HashSet;

use super::{Connect, Precision, Scenario, extent};
use crate::learning::LearningEngine;
use crate::settings::{Check, Problem, Settings};

/// All problems of a scenario, in the order of the file's sections.
pub(super) fn validate(scenario: &Scenario) -> Vec<Problem> {
    let mut problems = Vec::new();
    let check = &mut Check::new(&mut problems);
    kind(check, scenario);
    check.settings("neuron", &scenario.neuron);
    names(check, scenario);
    data(check, scenario);
    for (index, layer) in scenario.layers.iter().enumerate() {
        layer.check(&scenario.neuron, &mut check.section(format!("layers.{index}")));
    }
    if let Some(training) = &scenario.training {
        check.settings("training", training);
        check.require(
            training.loss.is_some() || scenario.layers.is_empty(),
            "training.loss",
            || {
                "with neurons that differ the loss must be given: for instance \
             loss.shift_invariant_mean_squared_error.margin = 0.15"
                    .to_owned()
            },
        );
        let mut check = check.section("training.silent_neurons");
        training.silent_neurons.check_layers(scenario.layers.len(), &mut check);
    }
    substrates(check, scenario);
    for (index, population) in scenario.populations.iter().enumerate() {
        population.check(&scenario.neuron, &mut check.section(format!("populations.{index}")));
    }
    if scenario.is_simulation() {
        projections(check, scenario);
        simulation(check, scenario);
        extent::check(check, scenario);
    }
    if let Some(training) = &scenario.spike_training {
        spike_training(check, scenario, &training.population);
        check.settings("spike_training", training);
    }
    problems
}

fn kind(check: &mut Check<'_>, scenario: &Scenario) {
    let (layers, populations) = (!scenario.layers.is_empty(), !scenario.populations.is_empty());
    check.require(layers || populations, "layers", || {
        "the scenario has no network: give it [[layers]] (a feed-forward network to train) or \
         [[populations]] (any network to simulate)"
            .to_owned()
    });
    check.require(!(layers && populations), "populations", || {
        "a scenario has either [[layers]] or [[populations]], not both".to_owned()
    });
    if layers {
        let single = scenario.precision == Some(Precision::Single);
        check.require(
            !single || scenario.engine == Some(LearningEngine::FeedForward),
            "precision",
            || {
                "single precision goes with engine = \"feed_forward\": the event engine is \
                 always exact"
                    .to_owned()
            },
        );
        check.require(scenario.dataset.is_some(), "dataset", || {
            "[[layers]] need a data set: add [dataset.yin_yang], [dataset.mnist], \
             [dataset.fashion_mnist] or [dataset.file]"
                .to_owned()
        });
        let misplaced = [
            ("simulation", scenario.simulation.is_some(), "[simulation] goes"),
            ("spike_training", scenario.spike_training.is_some(), "[spike_training] goes"),
            ("recording", scenario.recording.is_some(), "[recording] goes"),
            ("projections", !scenario.projections.is_empty(), "[[projections]] go"),
        ];
        for (key, given, what) in misplaced {
            check.require(!given, key, || {
                format!("{what} with [[populations]], not with [[layers]]")
            });
        }
    }
    if populations {
        check.require(scenario.simulation.is_some(), "simulation", || {
            "[[populations]] need to know how long to run: add [simulation] with until = …"
                .to_owned()
        });
        let misplaced = [
            ("dataset", scenario.dataset.is_some()),
            ("encoding", scenario.encoding.is_some()),
            ("training", scenario.training.is_some()),
            ("engine", scenario.engine.is_some()),
            ("precision", scenario.precision.is_some()),
            ("start_from", scenario.start_from.is_some()),
        ];
        for (key, given) in misplaced {
            check.require(!given, key, || {
                format!("[{key}] goes with [[layers]], not with [[populations]]")
            });
        }
    }
}

fn names(check: &mut Check<'_>, scenario: &Scenario) {
    let name = scenario.name.as_str();
    check.require(!name.contains(['/', '\\']) && !matches!(name, "." | ".."), "name", || {
        format!("`{name}` names the output folder: it must not be a path")
    });
    let mut seen = HashSet::from(["input".to_owned()]);
    if scenario.layers.is_empty() {
        seen.clear();
    }
    let layers = scenario.layers.iter().map(|layer| ("layers", &layer.name));
    let populations =
        scenario.populations.iter().map(|population| ("populations", &population.name));
    for (index, (list, name)) in layers.chain(populations).enumerate() {
        let key = format!("{list}.{index}.name");
        let fits = !name.is_empty()
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
        check.require(fits, key.clone(), || {
            format!("`{name}` must be made of letters, digits, `_` and `-`")
        });
        check.require(seen.insert(name.clone()), key, || {
            let reserved = if list == "layers" { " (`input` is the data's)" } else { "" };
            format!("`{name}` is taken: names must be unique{reserved}")
        });
    }
}

fn data(check: &mut Check<'_>, scenario: &Scenario) {
    let Some(source) = &scenario.dataset else { return };
    check.settings("dataset", source);
    if let (Some(classes), Some(label)) = (source.class_count(), scenario.layers.last()) {
        let key = format!("layers.{}.size", scenario.layers.len() - 1);
        check.require(label.size == classes, key, || {
            format!("{} label neurons, but {} has {classes} classes", label.size, source.title())
        });
    }
    match &scenario.encoding {
        None => check.require(source.has_spike_times() || scenario.layers.is_empty(), "encoding", || {
            "with neurons that differ a data set needs an [encoding] with earliest and latest spike times"
                .to_owned()
        }),
        Some(_) if source.has_spike_times() => check.refuse(
            "encoding",
            "with dataset.file.spike_times = true the features are spike times already: leave out \
             [encoding]",
        ),
        Some(encoding) => check.settings("encoding", encoding),
    }
    if let Some(augmentation) = scenario.augmentation().filter(|_| !source.has_images()) {
        for (name, amount) in [
            ("scale", augmentation.scale),
            ("rotation", augmentation.rotation),
            ("shift", augmentation.shift),
        ] {
            check.require(amount == 0.0, format!("training.augmentation.{name}"), || {
                "only images can be distorted: MNIST or Fashion-MNIST".to_owned()
            });
        }
    }
}

fn substrates(check: &mut Check<'_>, scenario: &Scenario) {
    let layers = !scenario.layers.is_empty();
    if let Some(sheet) = &scenario.chip {
        check.require(layers, "chip", || {
            "[chip] goes with [[layers]], not with [[populations]]".to_owned()
        });
        check.settings("chip", sheet);
    }
    if let Some(substrate) = &scenario.substrate {
        check.require(layers, "substrate", || {
            "[substrate] goes with [[layers]], not with [[populations]]".to_owned()
        });
        check.settings("substrate", substrate);
    }
}

fn projections(check: &mut Check<'_>, scenario: &Scenario) {
    let known: Vec<&str> =
        scenario.populations.iter().map(|population| population.name.as_str()).collect();
    for (index, projection) in scenario.projections.iter().enumerate() {
        let check = &mut check.section(format!("projections.{index}"));
        let is_file = matches!(projection.connect, Connect::File(_));
        for (end, name) in [("pre", &projection.pre), ("post", &projection.post)] {
            if name.is_empty() {
                check.require(is_file, end, || {
                    format!("missing: which of the populations? There are {}", known.join(", "))
                });
                continue;
            }
            check.require(known.contains(&name.as_str()), end, || {
                format!("there is no population `{name}`; there are {}", known.join(", "))
            });
        }
        let ends_on_source = scenario
            .populations
            .iter()
            .any(|population| population.name == projection.post && population.is_source());
        check.require(!ends_on_source, "post", || {
            format!("`{}` is a spike source: synapses must end on neurons", projection.post)
        });
        projection.check(check);
    }
}

fn simulation(check: &mut Check<'_>, scenario: &Scenario) {
    let Some(simulation) = &scenario.simulation else { return };
    let until = simulation.until;
    check.positive("simulation.until", until);
    let Some(recording) = &scenario.recording else { return };
    let names = scenario.populations.iter().map(|population| population.name.as_str());
    let known = names.collect::<Vec<_>>();
    for (index, name) in recording.spikes.iter().flatten().enumerate() {
        check.require(known.contains(&name.as_str()), format!("recording.spikes.{index}"), || {
            format!("there is no population `{name}`; there are {}", known.join(", "))
        });
    }
    for (index, potential) in recording.potential.iter().enumerate() {
        let check = &mut check.section(format!("recording.potential.{index}"));
        potential.check_neurons(&scenario.populations, check);
        potential.check_times(until, check);
    }
}

/// Checks that the population that learns spike trains is one of neurons.
fn spike_training(check: &mut Check<'_>, scenario: &Scenario, name: &str) {
    let neurons = scenario.populations.iter().filter(|population| !population.is_source());
    let known: Vec<&str> = neurons.map(|population| population.name.as_str()).collect();
    check.require(known.contains(&name), "spike_training.population", || {
        format!("`{name}` must be a population of neurons: {}", known.join(", "))
    });
}
