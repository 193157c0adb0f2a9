//! Training a network of populations to emit given spike trains, as a scenario states it.

use serde::{Deserialize, Serialize};

use super::load::LoadedScenario;
use super::{Optimiser, ScenarioError, Simulation, SpikeFile};
use crate::learning::{Bounds, Schedule, SpikeTrainSettings, SpikeTrainTrainer, Trainable};
use crate::network::{Network, Node};
use crate::neuron::{NeuronParameters, ParameterError};
use crate::settings::{Check, MOST, Settings};

/// How the neurons of a population are trained to emit given spike trains.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct SpikeTrainingSection {
    /// The population with targets.
    pub population: String,
    /// The trains its neurons should emit.
    pub targets: TargetTrains,
    /// Runs and steps. At least 1.
    pub epochs: usize,
    /// Largest distance of a spike from the target it stands for. In time units. Finite, above zero.
    pub window: f64,
    /// Strength of the push where a spike is missing or extra, relative to the gradient of a spike
    /// that is one time unit off. Above zero. Default: 2.
    #[serde(default = "default_push")]
    pub push: f64,
    /// Largest magnitude of a derivative; larger ones are cut. Above zero. Default: 10.
    #[serde(default = "default_largest_gradient")]
    pub largest_gradient: f64,
    /// How the parameters follow their gradients. `adam` alone stands for its defaults. Default: `adam`.
    #[serde(default)]
    pub optimiser: Optimiser,
    /// How the learning rate changes over the epochs.
    #[serde(default)]
    pub schedule: Schedule,
    /// What is trained beside the weights, each within bounds that it cannot reach, and within which it starts.
    /// Default: nothing.
    #[serde(default)]
    pub trainable: Trainable,
}

fn default_push() -> f64 {
    2.0
}

fn default_largest_gradient() -> f64 {
    10.0
}

/// Target spike trains.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub enum TargetTrains {
    /// One list of times per neuron. In time units. Finite, not negative.
    SpikeTimes(Vec<Vec<f64>>),
    /// A CSV file with columns `neuron` and `time_<unit>`; its rows of the trained population, if it has a
    /// column `population`, and of one sample.
    File(SpikeFile),
}

impl Settings for SpikeTrainingSection {
    fn check(&self, check: &mut Check<'_>) {
        check.at_least_one("epochs", self.epochs);
        check.positive("window", self.window);
        check.positive("push", self.push);
        check.positive("largest_gradient", self.largest_gradient);
        check.settings("optimiser", &self.optimiser);
        check.settings("schedule", &self.schedule);
        check.settings("trainable", &self.trainable);
    }
}

impl SpikeTrainingSection {
    /// The settings of the training of a simulation until the given time.
    fn settings(&self, until: f64) -> SpikeTrainSettings {
        let Optimiser::Adam(adam) = self.optimiser;
        SpikeTrainSettings {
            epochs: self.epochs,
            adam,
            schedule: self.schedule,
            window: self.window,
            push: self.push,
            largest_gradient: self.largest_gradient,
            trainable: self.trainable,
            until,
        }
    }
}

/// Makes sure that a neuron would still be one at an end of what a parameter may become.
fn check_end(neuron: NeuronParameters, name: &str, end: f64) -> Result<(), ParameterError> {
    let mut changed = neuron;
    match name {
        "threshold" => changed.threshold = end,
        "tau_m" => changed.tau_m = end,
        _ => (changed.tau_s, changed.tau_s_inhibitory) = (end, end),
    }
    changed.validate()
}

impl LoadedScenario {
    /// Makes sure that training starts within its bounds: it would move what is outside.
    fn check_start(&self, trainable: &Trainable, network: &Network) -> Result<(), ScenarioError> {
        let refuse = |name: &str, place: String, value: f64, Bounds { low, high }: Bounds| {
            let message = format!(
                "{place}: {name} = {value} must be within the bounds of training, {low} to {high}"
            );
            self.problem(&format!("spike_training.trainable.{name}"), message)
        };
        let excludes = |bounds: Bounds, value: f64| !(bounds.low..=bounds.high).contains(&value);
        let place = |node: usize| {
            let mut populations = network.populations().iter();
            let found = populations.find(|population| population.nodes.contains(&node));
            found.map_or_else(String::new, |population| {
                format!("{}[{}]", population.name, node - population.nodes.start)
            })
        };
        if let Some(bounds) = trainable.delays {
            if bounds.high > MOST {
                let message = format!("high = {:e} must be at most {MOST:e}", bounds.high);
                return Err(self.problem("spike_training.trainable.delays", message));
            }
            let edges = network.graph().raw_edges().iter();
            let outside = edges.clone().find(|edge| excludes(bounds, edge.weight.delay));
            if let Some(edge) = outside {
                let ends = [edge.source(), edge.target()].map(|node| place(node.index()));
                return Err(refuse("delays", ends.join(" → "), edge.weight.delay, bounds));
            }
        }
        for (node, found) in network.graph().raw_nodes().iter().enumerate() {
            let Node::Neuron(neuron) = found.weight else { continue };
            for (name, bounds, value) in [
                ("threshold", trainable.threshold, neuron.threshold),
                ("tau_m", trainable.tau_m, neuron.tau_m),
                ("tau_s", trainable.tau_s, neuron.tau_s),
            ] {
                let Some(bounds) = bounds else { continue };
                if excludes(bounds, value) {
                    return Err(refuse(name, place(node), value, bounds));
                }
                for end in [bounds.low, bounds.high] {
                    check_end(neuron, name, end).map_err(|error| {
                        let message = format!("{}: where training may lead, {error}", place(node));
                        self.problem(&format!("spike_training.trainable.{name}"), message)
                    })?;
                }
            }
            if trainable.tau_s.is_some() && neuron.tau_s != neuron.tau_s_inhibitory {
                let message = format!(
                    "{}: tau_s_inhibitory = {} must equal tau_s = {}: training moves both as one",
                    place(node),
                    neuron.tau_s_inhibitory,
                    neuron.tau_s
                );
                return Err(self.problem("spike_training.trainable.tau_s", message));
            }
        }
        Ok(())
    }

    /// The trainer of a scenario with `[spike_training]`, for its built simulation.
    ///
    /// # Errors
    /// If the targets cannot be read or do not fit the population.
    pub fn spike_train_trainer(
        &self,
        section: &SpikeTrainingSection,
        simulation: Simulation<Network>,
    ) -> Result<SpikeTrainTrainer, ScenarioError> {
        let refuse = |message: String| self.problem("spike_training.targets", message);
        let nodes = match simulation.network.population(&section.population) {
            Some((_, population)) => population.nodes.clone(),
            None => return Err(refuse(format!("there is no population `{}`", section.population))),
        };
        let mut targets = match &section.targets {
            TargetTrains::SpikeTimes(trains) => trains.clone(),
            TargetTrains::File(file) => {
                let unit = self.scenario.time_unit.suffix();
                let spikes = file
                    .read(self.folder(), unit, &section.population)
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
        if let Some(Bounds { low, .. }) = section.trainable.threshold
            && low <= highest_reset
        {
            let message =
                format!("low = {low} must be above every reset potential ({highest_reset})");
            return Err(self.problem("spike_training.trainable.threshold", message));
        }
        self.check_start(&section.trainable, &simulation.network)?;
        let settings = section.settings(simulation.until);
        Ok(SpikeTrainTrainer::new(
            simulation.network,
            simulation.stimulus,
            nodes,
            targets,
            settings,
        ))
    }
}
