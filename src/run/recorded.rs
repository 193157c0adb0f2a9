//! A recorded run, opened again: scenario, network and spikes from its folder.

mod errors;
mod files;

use std::path::Path;

use super::network_file;
use crate::engine::{EngineOptions, Observer, Spike};
use crate::learning::Loss;
use crate::membrane::{MembraneTrace, SpikeTrains};
use crate::network::{CompiledNetwork, Population};
use crate::scenario::{Scenario, ScenarioError, load};
pub use errors::{RecordedError, RunFileError};
pub(super) use files::check_populations;
use files::{add_stimulus, onto_chip, read_reached, read_spikes};

/// A folder that `firstspike run` wrote: `scenario.toml`, `network.json`, `spikes.csv` and `summary.json`.
#[derive(Debug)]
pub struct RecordedRun {
    scenario: Scenario,
    network: CompiledNetwork,
    options: EngineOptions,
    model: NeuronModel,
    /// Spikes of sources and neurons, by sample and time.
    spikes: Vec<Vec<Spike>>,
    /// Populations whose spikes are known.
    known: Vec<bool>,
    /// The end of a simulation.
    end: Option<f64>,
    classes: Option<Classes>,
}

/// What a feed-forward network decides on.
#[derive(Debug)]
struct Classes {
    loss: Loss,
    /// Index of the label layer's population.
    population: usize,
    /// Names and labels of the test set, or why they are not known.
    test: Result<TestSet, ScenarioError>,
}

#[derive(Debug)]
struct TestSet {
    names: Vec<String>,
    labels: std::sync::Arc<[usize]>,
}

/// Which neurons a run's potentials are those of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NeuronModel {
    /// Those that emitted the recorded spikes, exactly.
    Exact,
    /// Those of the chip with its weights, delays and all deviations that stay; what changes from trial
    /// to trial is left out. The spikes that drive them are the recorded ones.
    Chip,
    /// The scenario's ideal neurons, driven by the spikes that an external substrate recorded.
    Ideal,
}

impl RecordedRun {
    /// Opens a run's folder.
    ///
    /// On a chip the potentials will be those of the chip's neurons, as far as their deviations stay
    /// ([`NeuronModel`]). The test set is read for the labels; if it is not there any more, the rest is.
    ///
    /// # Errors
    /// If a file is missing or damaged, or the files are not of one run; with file and line.
    pub fn open(folder: &Path) -> Result<Self, RecordedError> {
        for file in ["scenario.toml", "network.json", "spikes.csv", "summary.json"] {
            if !folder.join(file).is_file() {
                return Err(RecordedError::Missing { folder: folder.to_owned(), file });
            }
        }
        let loaded = load(&folder.join("scenario.toml"), &[])?;
        let path = folder.join("network.json");
        let (mut network, unit) = network_file::read(&path)?;
        let wanted_unit = loaded.scenario.time_unit.suffix();
        if unit != wanted_unit {
            let error = RunFileError::TimeUnit { found: unit, expected: wanted_unit.to_owned() };
            return Err(RecordedError::File { path, error });
        }
        check_populations(&network, &loaded.scenario)
            .map_err(|error| RecordedError::File { path: path.clone(), error })?;
        let mut spikes = read_spikes(&folder.join("spikes.csv"), wanted_unit, &network)?;

        let mut known = vec![true; network.populations().len()];
        let mut model = NeuronModel::Exact;
        let (mut end, mut classes) = (None, None);
        let mut options = EngineOptions { at_most_one_spike: true };
        if let Some(simulation) = &loaded.scenario.simulation {
            options.at_most_one_spike = simulation.at_most_one_spike;
            spikes.resize_with(1, Vec::new);
            let reached = read_reached(&folder.join("summary.json"))?;
            end = Some(reached);
            if loaded.scenario.spike_training.is_none() {
                known = add_stimulus(&loaded, reached, &mut spikes[0])?;
            }
        } else {
            let mut learner = loaded.learner();
            if loaded.scenario.substrate.is_some() {
                model = NeuronModel::Ideal;
            } else if loaded.scenario.chip.is_some() {
                let known = learner.map_err(RecordedError::Chip)?;
                model = onto_chip(&loaded, &known, &mut network, &path)?;
                learner = Ok(known);
            }
            classes = Some(Classes {
                loss: loaded.scenario.loss(),
                population: network.populations().len() - 1,
                test: learner.map(|learner| TestSet {
                    names: learner.data.class_names,
                    labels: learner.data.test.labels,
                }),
            });
        }
        for spikes in &mut spikes {
            // Stable: at one time the order of the file is that of the recording.
            spikes.sort_by(|a, b| a.time.total_cmp(&b.time));
        }
        let network = CompiledNetwork::new(&network);
        let scenario = loaded.scenario;
        Ok(RecordedRun { scenario, network, options, model, spikes, known, end, classes })
    }

    /// The scenario as it was resolved.
    pub fn scenario(&self) -> &Scenario {
        &self.scenario
    }

    /// The network, of the neurons that [`Self::model`] says.
    pub fn network(&self) -> &CompiledNetwork {
        &self.network
    }

    /// Which neurons the potentials are those of.
    pub fn model(&self) -> NeuronModel {
        self.model
    }

    /// How many samples there are; a simulation is one.
    pub fn samples(&self) -> usize {
        self.spikes.len()
    }

    /// The recorded spikes of a sample by time, those of sources included.
    ///
    /// # Errors
    /// If there is no such sample.
    pub fn spikes(&self, sample: u32) -> Result<&[Spike], RecordedError> {
        let found = self.spikes.get(sample as usize).map(Vec::as_slice);
        found.ok_or(RecordedError::NoSample { sample, count: self.samples() })
    }

    /// The population of this name.
    ///
    /// # Errors
    /// If there is none; the message suggests one.
    pub fn population(&self, name: &str) -> Result<&Population, RecordedError> {
        let populations = self.network.populations();
        populations.iter().find(|population| population.name == name).ok_or_else(|| {
            let names: Vec<&str> = populations.iter().map(|known| known.name.as_str()).collect();
            let nearest = names
                .iter()
                .map(|known| (strsim::damerau_levenshtein(name, known), known))
                .min_by_key(|(distance, _)| *distance)
                .filter(|(distance, known)| *distance <= known.len() / 2);
            RecordedError::NoPopulation {
                name: name.to_owned(),
                nearest: nearest.map(|(_, known)| (*known).to_owned()),
                known: names.join(", "),
            }
        })
    }

    /// The label layer of a feed-forward network.
    pub fn label_layer(&self) -> Option<&Population> {
        self.classes.as_ref().map(|classes| &self.network.populations()[classes.population])
    }

    /// The class that the network decided for, if it did.
    pub fn decision(&self, sample: u32) -> Option<usize> {
        let classes = self.classes.as_ref()?;
        let labels = &self.network.populations()[classes.population].nodes;
        let mut times = vec![f64::INFINITY; labels.len()];
        for spike in self.spikes.get(sample as usize)? {
            let node = spike.node as usize;
            if labels.contains(&node) {
                let time = &mut times[node - labels.start];
                *time = time.min(spike.time);
            }
        }
        classes.loss.decide(&times)
    }

    /// The true class of a sample, if it is known.
    pub fn label(&self, sample: u32) -> Option<usize> {
        let test = self.classes.as_ref()?.test.as_ref().ok()?;
        test.labels.get(sample as usize).copied()
    }

    /// The name of a class; its number if there are no names.
    pub fn class_name(&self, class: usize) -> String {
        let test = self.classes.as_ref().and_then(|classes| classes.test.as_ref().ok());
        let name = test.and_then(|test| test.names.get(class));
        name.cloned().unwrap_or_else(|| class.to_string())
    }

    /// Why the labels of a feed-forward network are not known, if they are not.
    pub fn missing_labels(&self) -> Option<&ScenarioError> {
        self.classes.as_ref()?.test.as_ref().err()
    }

    /// From when to when something happens in a sample: the whole of a simulation, or up to a little
    /// after the last spike.
    ///
    /// # Errors
    /// If there is no such sample.
    pub fn span(&self, sample: u32) -> Result<(f64, f64), RecordedError> {
        let last = self.spikes(sample)?.last().map_or(1.0, |spike| spike.time);
        Ok((0.0, self.end.unwrap_or(1.05 * last)))
    }

    /// The potential of a neuron in a sample, from one time to another; without a window, over the
    /// sample's [span](Self::span).
    ///
    /// # Errors
    /// If there is no such sample, population or neuron, the population is of sources, spikes that
    /// the neuron receives were not recorded, or the window is empty or negative.
    pub fn membrane(
        &self,
        sample: u32,
        population: &str,
        neuron: u32,
        window: Option<(f64, f64)>,
    ) -> Result<MembraneTrace, RecordedError> {
        let spikes = self.spikes(sample)?;
        let (from, to) = window.map_or_else(|| self.span(sample), Ok)?;
        if !(0.0 <= from && from < to && to.is_finite()) {
            return Err(RecordedError::Window { from, to });
        }
        if let Some(end) = self.end.filter(|&end| to > end) {
            return Err(RecordedError::LateWindow { from, to, end });
        }
        let nodes = self.population(population)?.nodes.clone();
        if neuron as usize >= nodes.len() {
            let (population, last) = (population.to_owned(), nodes.len().saturating_sub(1));
            return Err(RecordedError::NoNeuron { population, neuron, last });
        }
        let node = nodes.start + neuron as usize;
        let is_unknown = |node: usize| {
            let mut populations = self.network.populations().iter().zip(&self.known);
            let found = populations.find(|(population, _)| population.nodes.contains(&node));
            found.filter(|(_, known)| !**known).map(|(population, _)| population.name.as_str())
        };
        let presynaptic = self.network.incoming(node).iter().map(|synapse| synapse.pre as usize);
        if let Some(unknown) = presynaptic.chain([node]).find_map(is_unknown) {
            let (population, unrecorded) = (population.to_owned(), unknown.to_owned());
            return Err(RecordedError::Unrecorded { population, neuron, unrecorded });
        }
        let mut trains = SpikeTrains::new(&self.network, [node]);
        for spike in spikes {
            trains.spike(spike.node as usize, spike.time);
        }
        let trace = trains.trace(&self.network, node, self.options, (from, to));
        trace.ok_or_else(|| RecordedError::Source { population: population.to_owned() })
    }
}
