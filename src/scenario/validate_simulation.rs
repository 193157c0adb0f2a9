//! Every check of populations, projections, simulation and recording that needs no file.

use super::validate::{Check, LARGEST_SIZE};
use super::{ConnectSpec, NeuronSpec, PotentialSpec, Scenario, SourceSpec};

impl Check {
    pub(super) fn populations(&mut self, scenario: &Scenario) {
        for (index, population) in scenario.populations.iter().enumerate() {
            let key = |part: &str| format!("populations.{index}.{part}");
            let implied = match &population.source {
                Some(SourceSpec::SpikeTimes(trains)) => Some(trains.len()),
                _ => None,
            };
            match (population.size.or(implied), implied) {
                (None, _) => self.require(false, key("size"), || {
                    "how many neurons or sources? size must be given".to_owned()
                }),
                (Some(size), None) => self.size(&key("size"), size),
                (Some(0), _) => self.size(&key("size"), 0),
                (Some(size), Some(trains)) => self.require(size == trains, key("size"), || {
                    format!("{size} sources, but {trains} spike trains: one each")
                }),
            }
            let has_own = population.neuron != NeuronSpec::default();
            self.require(!(population.is_source() && has_own), key("neuron"), || {
                "spike sources have no neuron parameters".to_owned()
            });
            match &population.source {
                None => {
                    self.neuron(&key("neuron"), &population.neuron, Some(&scenario.neuron));
                }
                Some(SourceSpec::SpikeTimes(trains)) => {
                    for (place, time) in trains.iter().flatten().enumerate() {
                        self.require(
                            *time >= 0.0 && time.is_finite(),
                            key("source.spike_times"),
                            || {
                                format!(
                                    "time {} is {time}: it must be finite and not negative",
                                    place + 1
                                )
                            },
                        );
                    }
                }
                Some(SourceSpec::File(_)) => {}
                Some(SourceSpec::Regular { interval, start, stop }) => {
                    self.positive(&key("source.regular.interval"), *interval);
                    self.period(&key("source.regular"), *start, *stop);
                }
                Some(SourceSpec::Poisson { rate, start, stop }) => {
                    self.positive(&key("source.poisson.rate"), *rate);
                    self.period(&key("source.poisson"), *start, *stop);
                }
            }
        }
    }

    pub(super) fn projections(&mut self, scenario: &Scenario) {
        let known: Vec<&str> =
            scenario.populations.iter().map(|population| population.name.as_str()).collect();
        for (index, projection) in scenario.projections.iter().enumerate() {
            let key = |part: &str| format!("projections.{index}.{part}");
            for (end, name) in [("pre", &projection.pre), ("post", &projection.post)] {
                self.require(known.contains(&name.as_str()), key(end), || {
                    format!("there is no population `{name}`; there are {}", known.join(", "))
                });
            }
            let ends_on_source = scenario
                .populations
                .iter()
                .any(|population| population.name == projection.post && population.is_source());
            self.require(!ends_on_source, key("post"), || {
                format!("`{}` is a spike source: synapses must end on neurons", projection.post)
            });
            let explicit =
                matches!(projection.connect, ConnectSpec::Edges(_) | ConnectSpec::File(_));
            self.require(explicit != projection.weights.is_some(), key("weights"), || {
                if explicit {
                    "an explicit list of synapses brings its own weights and delays".to_owned()
                } else {
                    "missing: for instance weights.constant = 1.0".to_owned()
                }
            });
            self.require(!(explicit && projection.delays.is_some()), key("delays"), || {
                "an explicit list of synapses brings its own weights and delays".to_owned()
            });
            self.values(&key("weights"), projection.weights.as_ref());
            self.delays(&key("delays"), projection.delays.as_ref());
            if let ConnectSpec::InDegree(degree) = projection.connect {
                self.require(degree <= LARGEST_SIZE, key("connect.in_degree"), || {
                    format!("{degree} must be at most {LARGEST_SIZE}")
                });
            }
            if let ConnectSpec::Probability(probability) = projection.connect {
                self.require(
                    (0.0..=1.0).contains(&probability),
                    key("connect.probability"),
                    || format!("{probability} must be from 0 to 1"),
                );
            }
        }
    }

    /// Checks when something starts and, if it does before the simulation, stops.
    fn period(&mut self, key: &str, start: f64, stop: Option<f64>) {
        self.require(start >= 0.0 && start.is_finite(), format!("{key}.start"), || {
            format!("{start} must be finite and not negative")
        });
        if let Some(stop) = stop {
            self.require(stop > start, format!("{key}.stop"), || {
                format!("{stop} must be above the start ({start})")
            });
        }
    }

    pub(super) fn simulation(&mut self, scenario: &Scenario) {
        let Some(simulation) = &scenario.simulation else { return };
        let until = simulation.until;
        self.require(until > 0.0 && until.is_finite(), "simulation.until", || {
            format!("{until} must be finite and above 0")
        });
        let Some(recording) = &scenario.recording else { return };
        let names = scenario.populations.iter().map(|population| population.name.as_str());
        let known = names.collect::<Vec<_>>();
        for (index, name) in recording.spikes.iter().flatten().enumerate() {
            self.require(
                known.contains(&name.as_str()),
                format!("recording.spikes.{index}"),
                || format!("there is no population `{name}`; there are {}", known.join(", ")),
            );
        }
        for (index, spec) in recording.potential.iter().enumerate() {
            let key = format!("recording.potential.{index}");
            self.recorded_neurons(&key, spec, scenario);
            self.recorded_times(&key, spec, until);
        }
    }

    fn recorded_neurons(&mut self, key: &str, spec: &PotentialSpec, scenario: &Scenario) {
        let name = &spec.population;
        let neurons = scenario.populations.iter().filter(|population| !population.is_source());
        let found = neurons.clone().find(|population| population.name == *name);
        self.require(found.is_some(), format!("{key}.population"), || {
            let known: Vec<&str> = neurons.map(|population| population.name.as_str()).collect();
            format!("there is no population of neurons `{name}`; there are {}", known.join(", "))
        });
        let Some(size) = found.and_then(|population| population.size) else { return };
        for (place, &neuron) in spec.neurons.iter().flatten().enumerate() {
            self.require(neuron < size, format!("{key}.neurons.{place}"), || {
                format!("neuron {neuron} does not exist: it must be from 0 to {}", size.max(1) - 1)
            });
        }
    }

    fn recorded_times(&mut self, key: &str, spec: &PotentialSpec, until: f64) {
        let Some(every) = spec.every else {
            let period = spec.start.is_some() || spec.stop.is_some();
            self.require(spec.times.is_some() && !period, key, || {
                "when? give times = [ … ], or every = … with, if need be, start and stop".to_owned()
            });
            let times = spec.times.as_deref().unwrap_or_default();
            for (place, &time) in times.iter().enumerate() {
                let earliest = if place == 0 { 0.0 } else { times[place - 1] };
                self.require(
                    time >= earliest && time <= until,
                    format!("{key}.times.{place}"),
                    || {
                        format!(
                            "{time} must be from {earliest} (times do not decrease) to {until} (the \
                             end of the simulation)"
                        )
                    },
                );
            }
            return;
        };
        self.require(spec.times.is_none(), format!("{key}.times"), || {
            "there is every = … already: give one of them".to_owned()
        });
        self.positive(&format!("{key}.every"), every);
        let start = spec.start.unwrap_or(0.0);
        self.period(key, start, spec.stop);
        self.require(!(start > until), format!("{key}.start"), || {
            format!("{start} must be at most {until} (the end of the simulation)")
        });
        let count = (spec.stop.unwrap_or(until).min(until) - start) / every;
        self.require(!(count > LARGEST_SIZE as f64), format!("{key}.every"), || {
            format!("{every} gives {count:.0} samples per neuron: at most {LARGEST_SIZE}")
        });
    }
}
