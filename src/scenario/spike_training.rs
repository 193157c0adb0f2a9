//! Training a network of populations to emit given spike trains, as a scenario states it.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::load::{LoadedScenario, Problem};
use super::validate::Check;
use super::{OptimiserSpec, Scenario, ScenarioError, ScheduleSpec, Simulation};
use crate::learning::{
    AdamSettings, Bounds, Schedule, SpikeTrainSettings, SpikeTrainTrainer, Trainable,
};
use crate::network::Node;
use crate::trace;

/// How the neurons of a population are trained to emit given spike trains.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SpikeTrainingSpec {
    /// The population with targets.
    pub population: String,
    /// The trains its neurons should emit.
    pub targets: TargetSpec,
    /// Runs and steps.
    pub epochs: usize,
    /// Largest distance of a spike from the target it stands for.
    pub window: f64,
    /// Strength of the push where a spike is missing or extra, relative to the gradient of a spike
    /// that is one time unit off.
    #[serde(default = "default_push")]
    pub push: f64,
    /// Largest magnitude of a derivative; larger ones are cut.
    #[serde(default = "default_largest_gradient")]
    pub largest_gradient: f64,
    /// How the parameters follow their gradients.
    #[serde(default)]
    pub optimiser: OptimiserSpec,
    /// How the learning rate changes over the epochs.
    #[serde(default)]
    pub schedule: ScheduleSpec,
    /// What is trained beside the weights, each within bounds that it cannot reach.
    #[serde(default)]
    pub trainable: TrainableSpec,
}

fn default_push() -> f64 {
    2.0
}

fn default_largest_gradient() -> f64 {
    10.0
}

/// Target spike trains.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub enum TargetSpec {
    /// One list of times per neuron.
    SpikeTimes(Vec<Vec<f64>>),
    /// A CSV file with columns `neuron` and `time_<unit>`.
    File(PathBuf),
}

/// Parameters that are trained beside the weights.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainableSpec {
    /// Delays of all synapses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delays: Option<BoundsSpec>,
    /// Thresholds of all neurons.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threshold: Option<BoundsSpec>,
    /// Membrane time constants of all neurons.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tau_m: Option<BoundsSpec>,
    /// Synaptic time constants of all neurons.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tau_s: Option<BoundsSpec>,
}

/// An interval that a trained parameter stays inside.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BoundsSpec {
    /// Lower bound.
    pub low: f64,
    /// Upper bound.
    pub high: f64,
}

impl TrainableSpec {
    fn named(&self) -> [(&'static str, Option<BoundsSpec>); 4] {
        [
            ("delays", self.delays),
            ("threshold", self.threshold),
            ("tau_m", self.tau_m),
            ("tau_s", self.tau_s),
        ]
    }
}

/// Checks the section against the rest of the scenario.
pub(super) fn validate(check: &mut Check, scenario: &Scenario, spec: &SpikeTrainingSpec) {
    let population = scenario.populations.iter().find(|known| known.name == spec.population);
    check.require(
        population.is_some_and(|known| known.source.is_none()),
        "spike_training.population",
        || {
            let known: Vec<&str> = scenario
                .populations
                .iter()
                .filter(|known| known.source.is_none())
                .map(|known| known.name.as_str())
                .collect();
            format!("`{}` must be a population of neurons: {}", spec.population, known.join(", "))
        },
    );
    check.require(spec.epochs > 0, "spike_training.epochs", || "0 must be at least 1".to_owned());
    check.positive("spike_training.window", spec.window);
    check.positive("spike_training.push", spec.push);
    check.positive("spike_training.largest_gradient", spec.largest_gradient);
    check.optimiser("spike_training", &spec.optimiser, &spec.schedule);
    for (name, bounds) in spec.trainable.named() {
        let Some(BoundsSpec { low, high }) = bounds else { continue };
        let lowest = if name == "delays" { low >= 0.0 } else { low > 0.0 || name == "threshold" };
        check.require(
            lowest && low < high && low.is_finite() && high.is_finite(),
            format!("spike_training.trainable.{name}"),
            || format!("low = {low}, high = {high}: must be finite, low < high, and in range"),
        );
    }
}

impl LoadedScenario {
    /// The trainer of a scenario with `[spike_training]`, for its built simulation.
    ///
    /// # Errors
    /// If the targets cannot be read or do not fit the population.
    pub fn spike_train_trainer(
        &self,
        spec: &SpikeTrainingSpec,
        simulation: Simulation,
    ) -> Result<SpikeTrainTrainer, ScenarioError> {
        let refuse = |message: String| {
            self.invalid(&[Problem { key: "spike_training.targets".to_owned(), message }])
        };
        let nodes = match simulation.network.population(&spec.population) {
            Some((_, population)) => population.nodes.clone(),
            None => return Err(refuse(format!("there is no population `{}`", spec.population))),
        };
        let mut targets = match &spec.targets {
            TargetSpec::SpikeTimes(trains) => trains.clone(),
            TargetSpec::File(path) => {
                let unit = self.scenario.time_unit.suffix();
                let spikes = trace::read_source_spikes(&self.folder().join(path), unit)
                    .map_err(|error| refuse(error.to_string()))?;
                let mut trains = vec![Vec::new(); nodes.len()];
                for (neuron, time) in spikes {
                    trains
                        .get_mut(neuron)
                        .ok_or_else(|| {
                            let last = nodes.len() - 1;
                            refuse(format!("neuron {neuron} must be from 0 to {last}"))
                        })?
                        .push(time);
                }
                trains
            }
        };
        if targets.len() != nodes.len() {
            let (trains, size) = (targets.len(), nodes.len());
            return Err(refuse(format!("{trains} trains, but {size} neurons: one each")));
        }
        for train in &mut targets {
            train.sort_by(f64::total_cmp);
            let fits = |&time: &f64| (0.0..=simulation.until).contains(&time);
            if let Some(time) = train.iter().find(|time| !fits(time)) {
                let until = simulation.until;
                return Err(refuse(format!("{time} must be from 0 to simulation.until ({until})")));
            }
        }
        let highest_reset = simulation
            .network
            .graph()
            .node_weights()
            .filter_map(|node| match node {
                Node::Source => None,
                Node::Neuron(parameters) => Some(parameters.reset_potential),
            })
            .fold(f64::NEG_INFINITY, f64::max);
        if let Some(BoundsSpec { low, .. }) = spec.trainable.threshold
            && low <= highest_reset
        {
            let message =
                format!("low = {low} must be above every reset potential ({highest_reset})");
            let key = "spike_training.trainable.threshold".to_owned();
            return Err(self.invalid(&[Problem { key, message }]));
        }
        let settings = settings(spec, simulation.until);
        Ok(SpikeTrainTrainer::new(
            simulation.network,
            simulation.stimulus,
            nodes,
            targets,
            settings,
        ))
    }
}

fn settings(spec: &SpikeTrainingSpec, until: f64) -> SpikeTrainSettings {
    let bounds =
        |spec: Option<BoundsSpec>| spec.map(|BoundsSpec { low, high }| Bounds { low, high });
    SpikeTrainSettings {
        epochs: spec.epochs,
        adam: AdamSettings::from(&spec.optimiser),
        schedule: Schedule::from(&spec.schedule),
        window: spec.window,
        push: spec.push,
        largest_gradient: spec.largest_gradient,
        trainable: Trainable {
            delays: bounds(spec.trainable.delays),
            thresholds: bounds(spec.trainable.threshold),
            tau_m: bounds(spec.trainable.tau_m),
            tau_s: bounds(spec.trainable.tau_s),
        },
        until,
    }
}
