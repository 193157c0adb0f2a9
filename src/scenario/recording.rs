//! What of a simulation is recorded.

use serde::{Deserialize, Serialize};

use super::PopulationSection;
use super::build_simulation::evenly;
use super::network::check_period;
use crate::network::{LARGEST_SIZE, Network};
use crate::settings::Check;

/// What of a simulation is recorded; without it, all spikes are.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct RecordingSection {
    /// Names of the populations whose spikes are written. Default: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spikes: Option<Vec<String>>,
    /// Whose membrane potentials and synaptic currents are written, and when. Default: none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub potential: Vec<PotentialSection>,
}

/// Neurons whose membrane potential and synaptic currents are written, and when: at `times`, or
/// `every` so often.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct PotentialSection {
    /// Their population.
    pub population: String,
    /// Their indices in it. From 0. Default: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub neurons: Option<Vec<usize>>,
    /// When; times do not decrease. In time units. Finite, not negative. Default: none; either these or `every`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times: Option<Vec<f64>>,
    /// Time between two samples. In time units. Finite, above zero. Default: none; either this or `times`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub every: Option<f64>,
    /// Time of the first sample, with `every`. In time units. Finite, not negative. Default: 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<f64>,
    /// No sample is later, with `every`. In time units. Above `start`. Default: the end of the simulation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop: Option<f64>,
}

/// What of a simulation is recorded, for a network that is built.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Recording {
    /// Per population: whether its spikes are written.
    pub spikes: Vec<bool>,
    /// Whose membrane potentials are written, and when.
    pub potentials: Vec<PotentialRecording>,
}

/// Neurons of one population whose membrane potentials are written at the same times.
#[derive(Clone, Debug, PartialEq)]
pub struct PotentialRecording {
    /// Index of the population.
    pub population: usize,
    /// Indices of the neurons in it.
    pub neurons: Vec<usize>,
    /// When; times do not decrease.
    pub times: Vec<f64>,
}

impl RecordingSection {
    /// The recording of a network's simulation until the given time.
    pub(super) fn resolve(&self, network: &Network, until: f64) -> Recording {
        let populations = network.populations();
        let written = |name: &String| self.spikes.as_ref().is_none_or(|names| names.contains(name));
        let potential = |section: &PotentialSection| {
            let (id, population) = network.population(&section.population)?;
            let all = || (0..population.nodes.len()).collect();
            Some(PotentialRecording {
                population: id.0,
                neurons: section.neurons.clone().unwrap_or_else(all),
                times: section.sample_times(until),
            })
        };
        Recording {
            spikes: populations.iter().map(|population| written(&population.name)).collect(),
            potentials: self.potential.iter().filter_map(potential).collect(),
        }
    }
}

impl PotentialSection {
    /// Checks whose potentials are recorded.
    pub(super) fn check_neurons(&self, populations: &[PopulationSection], check: &mut Check<'_>) {
        let name = &self.population;
        let neurons = populations.iter().filter(|population| !population.is_source());
        let found = neurons.clone().find(|population| population.name == *name);
        check.require(found.is_some(), "population", || {
            let known: Vec<&str> = neurons.map(|population| population.name.as_str()).collect();
            format!("there is no population of neurons `{name}`; there are {}", known.join(", "))
        });
        let Some(size) = found.and_then(|population| population.size) else { return };
        for (place, &neuron) in self.neurons.iter().flatten().enumerate() {
            check.require(neuron < size, format!("neurons.{place}"), || {
                format!("neuron {neuron} does not exist: it must be from 0 to {}", size.max(1) - 1)
            });
        }
    }

    /// Checks when they are, in a simulation until the given time.
    pub(super) fn check_times(&self, until: f64, check: &mut Check<'_>) {
        let Some(every) = self.every else {
            let period = self.start.is_some() || self.stop.is_some();
            check.require(self.times.is_some() && !period, "", || {
                "when? give times = [ … ], or every = … with, if need be, start and stop".to_owned()
            });
            let times = self.times.as_deref().unwrap_or_default();
            for (place, &time) in times.iter().enumerate() {
                let earliest = if place == 0 { 0.0 } else { times[place - 1] };
                check.require(time >= earliest && time <= until, format!("times.{place}"), || {
                    format!(
                        "{time} must be from {earliest} (times do not decrease) to {until} (the \
                             end of the simulation)"
                    )
                });
            }
            return;
        };
        check.require(self.times.is_none(), "times", || {
            "there is every = … already: give one of them".to_owned()
        });
        check.positive("every", every);
        let start = self.start.unwrap_or(0.0);
        check_period(check, start, self.stop);
        check.require(!(start > until), "start", || {
            format!("{start} must be at most {until} (the end of the simulation)")
        });
        let count = (self.stop.unwrap_or(until).min(until) - start) / every;
        check.require(!(count > LARGEST_SIZE as f64), "every", || {
            format!("{every} gives {count:.0} samples per neuron: at most {LARGEST_SIZE}")
        });
    }

    fn sample_times(&self, until: f64) -> Vec<f64> {
        match (&self.times, self.every) {
            (Some(times), _) => times.clone(),
            (None, Some(every)) => {
                let stop = self.stop.map_or(until, |stop| stop.min(until));
                evenly(self.start.unwrap_or(0.0), every, stop)
            }
            (None, None) => Vec::new(),
        }
    }
}
