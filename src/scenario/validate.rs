//! Every check of a scenario that needs no file: ranges, names, and what goes with what.

use std::collections::HashSet;

use super::load::Problem;
use super::{
    LayeredEngineSpec, LossSpec, NeuronSpec, OptimiserSpec, PrecisionSpec, RemedySpec, Scenario,
    ScheduleSpec, TrainingSpec, ValueSpec,
};
use super::{chip, spike_training, validate_dataset};

/// Largest number of neurons in a group, and of inputs to one of them: far beyond what fits into
/// memory, and far below what overflows an index.
pub(crate) const LARGEST_SIZE: usize = 10_000_000;

/// All problems of a scenario, in the order of the file's sections.
pub(super) fn validate(scenario: &Scenario) -> Vec<Problem> {
    let mut check = Check::default();
    check.kind(scenario);
    check.neuron("neuron", &scenario.neuron, None);
    check.names(scenario);
    validate_dataset::validate(&mut check, scenario);
    check.layers(scenario);
    if let Some(training) = &scenario.training {
        check.training(training, scenario.layers.len());
    }
    chip::validate(&mut check, scenario);
    check.populations(scenario);
    if scenario.is_simulation() {
        check.projections(scenario);
        check.simulation(scenario);
    }
    if let Some(spec) = &scenario.spike_training {
        spike_training::validate(&mut check, scenario, spec);
    }
    check.problems
}

/// What is wrong with neurons that are all equal: which parameter, and why.
fn neuron_problem(neuron: &NeuronSpec) -> Option<(&'static str, String)> {
    let error = neuron.constant()?.validate().err()?;
    Some((error.parameter, format!("{} must be {}", error.value, error.accepted)))
}

/// Collects the problems of a scenario.
#[derive(Default)]
pub(super) struct Check {
    pub(super) problems: Vec<Problem>,
}

impl Check {
    pub(super) fn require(
        &mut self,
        holds: bool,
        key: impl Into<String>,
        message: impl FnOnce() -> String,
    ) {
        if !holds {
            self.problems.push(Problem { key: key.into(), message: message() });
        }
    }

    fn kind(&mut self, scenario: &Scenario) {
        let (layers, populations) = (!scenario.layers.is_empty(), !scenario.populations.is_empty());
        self.require(layers || populations, "layers", || {
            "the scenario has no network: give it [[layers]] (a feed-forward network to train) or \
             [[populations]] (any network to simulate)"
                .to_owned()
        });
        self.require(!(layers && populations), "populations", || {
            "a scenario has either [[layers]] or [[populations]], not both".to_owned()
        });
        if layers {
            let single = scenario.precision == Some(PrecisionSpec::Single);
            self.require(
                !single || scenario.engine == Some(LayeredEngineSpec::FeedForward),
                "precision",
                || {
                    "single precision goes with engine = \"feed_forward\": the event engine is \
                     always exact"
                        .to_owned()
                },
            );
            self.require(scenario.dataset.is_some(), "dataset", || {
                "[[layers]] need a data set: add [dataset.yin_yang], [dataset.mnist], \
                 [dataset.fashion_mnist] or [dataset.file]"
                    .to_owned()
            });
            self.require(scenario.simulation.is_none(), "simulation", || {
                "[simulation] goes with [[populations]], not with [[layers]]".to_owned()
            });
            self.require(scenario.spike_training.is_none(), "spike_training", || {
                "[spike_training] goes with [[populations]], not with [[layers]]".to_owned()
            });
            self.require(scenario.recording.is_none(), "recording", || {
                "[recording] goes with [[populations]], not with [[layers]]".to_owned()
            });
            self.require(scenario.projections.is_empty(), "projections", || {
                "[[projections]] go with [[populations]], not with [[layers]]".to_owned()
            });
        }
        if populations {
            self.require(scenario.simulation.is_some(), "simulation", || {
                "[[populations]] need to know how long to run: add [simulation] with until = …"
                    .to_owned()
            });
            let misplaced = [
                ("dataset", scenario.dataset.is_some()),
                ("encoding", scenario.encoding.is_some()),
                ("training", scenario.training.is_some()),
                ("engine", scenario.engine.is_some()),
                ("precision", scenario.precision.is_some()),
            ];
            for (key, given) in misplaced {
                self.require(!given, key, || {
                    format!("[{key}] goes with [[layers]], not with [[populations]]")
                });
            }
        }
    }

    /// Checks the neurons of a group, as far as that is possible without drawing or reading their
    /// values. A problem that they inherit from the `general` ones is reported there only.
    pub(super) fn neuron(&mut self, key: &str, neuron: &NeuronSpec, general: Option<&NeuronSpec>) {
        let inherited = general.map(NeuronSpec::given).unwrap_or_default();
        for entry in neuron.given() {
            if let Some(message) = entry.1.problem()
                && !inherited.contains(&entry)
            {
                self.problems.push(Problem { key: format!("{key}.{}", entry.0), message });
            }
        }
        let problem = neuron_problem(neuron);
        if problem == general.and_then(neuron_problem) {
            return;
        }
        if let Some((parameter, message)) = problem {
            self.problems.push(Problem { key: format!("{key}.{parameter}"), message });
        }
    }

    fn names(&mut self, scenario: &Scenario) {
        let name = scenario.name.as_str();
        self.require(!name.contains(['/', '\\']) && !matches!(name, "." | ".."), "name", || {
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
            self.require(fits, key.clone(), || {
                format!("`{name}` must be made of letters, digits, `_` and `-`")
            });
            self.require(seen.insert(name.clone()), key, || {
                let reserved = if list == "layers" { " (`input` is the data's)" } else { "" };
                format!("`{name}` is taken: names must be unique{reserved}")
            });
        }
    }

    fn layers(&mut self, scenario: &Scenario) {
        for (index, layer) in scenario.layers.iter().enumerate() {
            let key = |part: &str| format!("layers.{index}.{part}");
            self.size(&key("size"), layer.size);
            self.neuron(&key("neuron"), &layer.neuron, Some(&scenario.neuron));
            for (place, &time) in layer.bias_times.iter().enumerate() {
                self.require(
                    time >= 0.0 && time.is_finite(),
                    key(&format!("bias_times.{place}")),
                    || format!("{time} must be finite and not negative"),
                );
            }
            self.values(&key("weights"), Some(&layer.weights));
            if let Some(delays) = &layer.delays {
                delays.validate(self, &key("delays"));
            }
        }
    }

    pub(super) fn values(&mut self, key: &str, values: Option<&ValueSpec>) {
        if let Some(message) = values.and_then(ValueSpec::problem) {
            self.problems.push(Problem { key: key.to_owned(), message });
        }
    }

    pub(super) fn delays(&mut self, key: &str, delays: Option<&ValueSpec>) {
        self.values(key, delays);
        if let Some((least, _)) = delays.and_then(ValueSpec::ends) {
            self.require(!(least < 0.0), key, || format!("{least} must not be negative"));
        }
    }

    pub(super) fn size(&mut self, key: &str, size: usize) {
        self.require(size > 0, key, || "0 must be at least 1".to_owned());
        self.require(size <= LARGEST_SIZE, key, || {
            format!("{size} must be at most {LARGEST_SIZE}")
        });
    }

    /// Checks an optimiser and its schedule, which are keys of `section`.
    pub(super) fn optimiser(
        &mut self,
        section: &str,
        optimiser: &OptimiserSpec,
        schedule: &ScheduleSpec,
    ) {
        let OptimiserSpec::Adam(adam) = optimiser;
        self.positive(&format!("{section}.optimiser.adam.learning_rate"), adam.learning_rate);
        for (name, beta) in [("beta1", adam.beta1), ("beta2", adam.beta2)] {
            self.require(
                (0.0..1.0).contains(&beta),
                format!("{section}.optimiser.adam.{name}"),
                || format!("{beta} must be from 0 up to, not including, 1"),
            );
        }
        if let ScheduleSpec::Step { every, factor } = *schedule {
            self.require(every > 0, format!("{section}.schedule.step.every"), || {
                "0 must be at least 1".to_owned()
            });
            self.require(
                factor > 0.0 && factor <= 1.0,
                format!("{section}.schedule.step.factor"),
                || format!("{factor} must be above 0 and at most 1"),
            );
        }
    }

    pub(super) fn positive(&mut self, key: &str, value: f64) {
        self.require(value > 0.0 && value.is_finite(), key, || {
            format!("{value} must be finite and above 0")
        });
    }

    fn training(&mut self, training: &TrainingSpec, layers: usize) {
        self.require(training.epochs > 0, "training.epochs", || "0 must be at least 1".to_owned());
        self.require(training.batch_size > 0, "training.batch_size", || {
            "0 must be at least 1".to_owned()
        });
        self.require(training.gradient_guard > 0.0, "training.gradient_guard", || {
            format!("{} must be above 0 (inf for no guard)", training.gradient_guard)
        });
        match training.loss {
            LossSpec::FirstSpikeCrossEntropy { scale, early_weight, early_scale } => {
                let key = "training.loss.first_spike_cross_entropy";
                self.positive(&format!("{key}.scale"), scale);
                self.positive(&format!("{key}.early_scale"), early_scale);
                self.require(
                    early_weight >= 0.0 && early_weight.is_finite(),
                    format!("{key}.early_weight"),
                    || format!("{early_weight} must be finite and not negative"),
                );
            }
            LossSpec::MeanSquaredError { correct, wrong } => {
                let key = "training.loss.mean_squared_error";
                self.positive(&format!("{key}.correct"), correct);
                self.positive(&format!("{key}.wrong"), wrong);
                self.require(correct != wrong, key, || {
                    format!("correct and wrong are both {correct}: they must differ")
                });
            }
            LossSpec::ShiftInvariantMeanSquaredError { margin } => {
                self.positive("training.loss.shift_invariant_mean_squared_error.margin", margin);
            }
        }
        self.optimiser("training", &training.optimiser, &training.schedule);
        let (rule, allowed, amount) = match &training.silent_neurons {
            RemedySpec::Ignore => return,
            RemedySpec::Bump { allowed, amount } => ("bump", allowed, *amount),
            RemedySpec::Nudge { allowed, amount } => ("nudge", allowed, *amount),
        };
        let key = format!("training.silent_neurons.{rule}");
        self.positive(&format!("{key}.amount"), amount);
        self.require(allowed.len() == layers, format!("{key}.allowed"), || {
            format!("{} fractions, but there are {layers} layers: one each", allowed.len())
        });
        self.require(
            allowed.iter().all(|fraction| (0.0..=1.0).contains(fraction)),
            format!("{key}.allowed"),
            || format!("{allowed:?} must all be from 0 to 1"),
        );
    }
}
