//! What of a simulation is recorded.

use serde::{Deserialize, Serialize};

use super::build_simulation::evenly;
use crate::network::Network;

/// What of a simulation is recorded; without it, all spikes are.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordingSpec {
    /// Names of the populations whose spikes are written. Default: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spikes: Option<Vec<String>>,
    /// Whose membrane potentials and synaptic currents are written, and when.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub potential: Vec<PotentialSpec>,
}

/// Neurons whose membrane potential and synaptic currents are written, and when: at `times`, or
/// `every` so often.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PotentialSpec {
    /// Their population.
    pub population: String,
    /// Their indices in it. Default: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub neurons: Option<Vec<usize>>,
    /// When; times do not decrease.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times: Option<Vec<f64>>,
    /// Time between two samples. Above zero.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub every: Option<f64>,
    /// Time of the first sample, with `every`. Default: 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<f64>,
    /// No sample is later, with `every`. Default: the end of the simulation.
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

impl RecordingSpec {
    /// The recording of a network's simulation until the given time.
    pub(super) fn resolve(&self, network: &Network, until: f64) -> Recording {
        let populations = network.populations();
        let written = |name: &String| self.spikes.as_ref().is_none_or(|names| names.contains(name));
        let potential = |spec: &PotentialSpec| {
            let (id, population) = network.population(&spec.population)?;
            let all = || (0..population.nodes.len()).collect();
            Some(PotentialRecording {
                population: id.0,
                neurons: spec.neurons.clone().unwrap_or_else(all),
                times: spec.sample_times(until),
            })
        };
        Recording {
            spikes: populations.iter().map(|population| written(&population.name)).collect(),
            potentials: self.potential.iter().filter_map(potential).collect(),
        }
    }
}

impl PotentialSpec {
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
