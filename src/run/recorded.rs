//! A recorded run, opened again: scenario, network and spikes from its folder.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use super::network_file::{self, NetworkFileError};
use crate::chip::WeightGrid;
use crate::engine::{EngineOptions, Observer, Spike};
use crate::learning::Loss;
use crate::membrane::{MembraneTrace, SpikeTrains};
use crate::network::{CompiledNetwork, Network, Population};
use crate::scenario::{Learner, LoadedScenario, Scenario, ScenarioError, load};
use crate::trace::{self, TraceError};

/// A folder that `firstspike run` wrote: `scenario.toml`, `network.json` and `spikes.csv`.
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

/// A recorded run that cannot be opened, or lacks what was asked for.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecordedError {
    /// The folder lacks a file of a run.
    #[error(
        "{} has no {file}: it must be a folder that `firstspike run` wrote, complete",
        folder.display()
    )]
    Missing {
        /// The folder.
        folder: PathBuf,
        /// Name of the file.
        file: &'static str,
    },
    /// Its scenario cannot be used.
    #[error(transparent)]
    Scenario(#[from] ScenarioError),
    /// Its network cannot be read.
    #[error(transparent)]
    Network(#[from] NetworkFileError),
    /// Its spikes cannot be read.
    #[error(transparent)]
    Trace(#[from] TraceError),
    /// Its files do not belong together.
    #[error("{}: {message}", path.display())]
    Misfit {
        /// The file that does not fit.
        path: PathBuf,
        /// What was found, and what is accepted.
        message: String,
    },
    /// The chip cannot be set up again without the data set.
    #[error("{0}\nThe neurons of a run on a chip need its data set.")]
    Chip(String),
    /// It has no such sample, population or neuron, or not what it takes to know its potential.
    #[error("{0}")]
    Unknown(String),
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
        for file in ["scenario.toml", "network.json", "spikes.csv"] {
            if !folder.join(file).is_file() {
                return Err(RecordedError::Missing { folder: folder.to_owned(), file });
            }
        }
        let loaded = load(&folder.join("scenario.toml"), &[])?;
        let path = folder.join("network.json");
        let (mut network, unit) = network_file::read(&path)?;
        let wanted_unit = loaded.scenario.time_unit.suffix();
        if unit != wanted_unit {
            let message = format!("times are in {unit}, those of scenario.toml in {wanted_unit}");
            return Err(RecordedError::Misfit { path, message });
        }
        check_populations(&network, &loaded.scenario)
            .map_err(|message| RecordedError::Misfit { path: path.clone(), message })?;
        let mut spikes = read_spikes(&folder.join("spikes.csv"), wanted_unit, &network)?;

        let mut known = vec![true; network.populations().len()];
        let mut model = NeuronModel::Exact;
        let (mut end, mut classes) = (None, None);
        let mut options = EngineOptions { at_most_one_spike: true };
        if let Some(simulation) = &loaded.scenario.simulation {
            options.at_most_one_spike = simulation.at_most_one_spike;
            end = Some(simulation.until);
            spikes.resize_with(1, Vec::new);
            if loaded.scenario.spike_training.is_none() {
                known = add_stimulus(&loaded, &mut spikes[0])?;
            }
        } else {
            let learner = loaded.learner();
            if loaded.scenario.substrate.is_some() {
                model = NeuronModel::Ideal;
            } else if loaded.scenario.chip.is_some() {
                model = onto_chip(&loaded, learner.as_ref(), &mut network, &path)?;
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
        let refuse = || {
            let last = self.samples().saturating_sub(1);
            let message = match self.samples() {
                0 => "spikes.csv has no spikes, and so no samples".to_owned(),
                1 => format!("there is no sample {sample}: there is only sample 0"),
                _ => format!("there is no sample {sample}: it must be from 0 to {last}"),
            };
            RecordedError::Unknown(message)
        };
        self.spikes.get(sample as usize).map(Vec::as_slice).ok_or_else(refuse)
    }

    /// The population of this name.
    ///
    /// # Errors
    /// If there is none; the message suggests one.
    pub fn population(&self, name: &str) -> Result<&Population, RecordedError> {
        let populations = self.network.populations();
        populations.iter().find(|population| population.name == name).ok_or_else(|| {
            let names: Vec<&str> = populations.iter().map(|known| known.name.as_str()).collect();
            let mut message =
                format!("there is no population `{name}`; there are {}", names.join(", "));
            let nearest = names
                .iter()
                .map(|known| (strsim::damerau_levenshtein(name, known), known))
                .min_by_key(|(distance, _)| *distance)
                .filter(|(distance, known)| *distance <= known.len() / 2);
            if let Some((_, known)) = nearest {
                let _ = write!(message, ". Did you mean `{known}`?");
            }
            RecordedError::Unknown(message)
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
        let refuse = |message| Err(RecordedError::Unknown(message));
        let spikes = self.spikes(sample)?;
        let (from, to) = window.map_or_else(|| self.span(sample), Ok)?;
        if !(0.0 <= from && from < to && to.is_finite()) {
            return refuse(format!(
                "the window {from} to {to} must begin at 0 or later, and end after that"
            ));
        }
        let nodes = self.population(population)?.nodes.clone();
        if neuron as usize >= nodes.len() {
            return refuse(format!(
                "{population}:{neuron} does not exist: the neuron must be from 0 to {}",
                nodes.len() - 1
            ));
        }
        let node = nodes.start + neuron as usize;
        let is_unknown = |node: usize| {
            let mut populations = self.network.populations().iter().zip(&self.known);
            let found = populations.find(|(population, _)| population.nodes.contains(&node));
            found.filter(|(_, known)| !**known).map(|(population, _)| population.name.as_str())
        };
        let presynaptic = self.network.incoming(node).iter().map(|synapse| synapse.pre as usize);
        if let Some(unknown) = presynaptic.chain([node]).find_map(is_unknown) {
            return refuse(format!(
                "the potential of {population}:{neuron} depends on the spikes of `{unknown}`, which \
                 were not recorded: add it to recording.spikes in the scenario and run it again"
            ));
        }
        let mut trains = SpikeTrains::new(&self.network, [node]);
        for spike in spikes {
            trains.spike(spike.node as usize, spike.time);
        }
        trains.trace(&self.network, node, self.options, (from, to)).map_or_else(
            || {
                refuse(format!(
                    "`{population}` is a population of spike sources, which have no potential"
                ))
            },
            Ok,
        )
    }
}

/// Checks that the network has the populations of the scenario.
fn check_populations(network: &Network, scenario: &Scenario) -> Result<(), String> {
    let found: Vec<&str> =
        network.populations().iter().map(|population| population.name.as_str()).collect();
    let expected: Vec<String> = if scenario.is_simulation() {
        scenario.populations.iter().map(|population| population.name.clone()).collect()
    } else {
        let layer = |layer: &crate::scenario::LayerSpec| {
            let bias = (!layer.bias_times.is_empty()).then(|| format!("{}_bias", layer.name));
            bias.into_iter().chain([layer.name.clone()]).collect::<Vec<_>>()
        };
        ["input".to_owned()].into_iter().chain(scenario.layers.iter().flat_map(layer)).collect()
    };
    if found == expected {
        return Ok(());
    }
    Err(format!(
        "the populations are {}, those of scenario.toml {}: the files are not of one run",
        found.join(", "),
        expected.join(", ")
    ))
}

/// The spikes of each sample, in the order of the file.
fn read_spikes(
    path: &Path,
    unit: &str,
    network: &Network,
) -> Result<Vec<Vec<Spike>>, RecordedError> {
    let populations = network.populations();
    let mut samples: Vec<Vec<Spike>> = Vec::new();
    let mut wrong = None;
    let found = trace::for_each(path, |line, sample, population, neuron, time| {
        let nodes = populations.iter().find(|known| known.name == population);
        let node = nodes.and_then(|known| known.nodes.clone().nth(neuron as usize));
        // No data set is larger; a damaged number must not ask for the memory of one that is.
        let sample = sample as usize;
        let Some(node) = node.filter(|_| sample <= crate::scenario::LARGEST_SIZE) else {
            wrong.get_or_insert_with(|| {
                format!(
                    "line {line}: sample {sample}, {population}[{neuron}] is not in network.json"
                )
            });
            return;
        };
        if sample >= samples.len() {
            samples.resize_with(sample + 1, Vec::new);
        }
        samples[sample].push(Spike { node: node as u32, time });
    })?;
    let path = path.to_owned();
    if found != unit {
        let message = format!("times are in {found}, those of scenario.toml in {unit}");
        return Err(RecordedError::Misfit { path, message });
    }
    match wrong {
        Some(message) => Err(RecordedError::Misfit { path, message }),
        None => Ok(samples),
    }
}

/// Adds the spikes of sources that were not recorded, which the scenario has; returns the populations
/// whose spikes are known.
fn add_stimulus(
    loaded: &LoadedScenario,
    spikes: &mut Vec<Spike>,
) -> Result<Vec<bool>, ScenarioError> {
    let names = loaded.scenario.recording.as_ref().and_then(|recording| recording.spikes.as_ref());
    let Some(names) = names else {
        return Ok(vec![true; loaded.scenario.populations.len()]);
    };
    let simulation = loaded.simulation()?;
    let populations = simulation.network.populations();
    let recorded: Vec<bool> =
        populations.iter().map(|population| names.contains(&population.name)).collect();
    for (population, _) in populations.iter().zip(&recorded).filter(|(_, recorded)| !**recorded) {
        let own = simulation.stimulus.iter().filter(|spike| {
            population.nodes.contains(&(spike.source as usize)) && spike.time <= simulation.until
        });
        spikes.extend(own.map(|spike| Spike { node: spike.source, time: spike.time }));
    }
    let sources = loaded.scenario.populations.iter().map(|population| population.is_source());
    Ok(recorded.iter().zip(sources).map(|(&recorded, source)| recorded || source).collect())
}

/// Puts the recorded network onto the scenario's chip. The learner has the order of the synapses, and
/// the initial weights, which the signs of rows go by.
fn onto_chip(
    loaded: &LoadedScenario,
    learner: Result<&Learner, &ScenarioError>,
    network: &mut Network,
    path: &Path,
) -> Result<NeuronModel, RecordedError> {
    let learner = learner.map_err(|error| RecordedError::Chip(error.to_string()))?;
    let Some(hardware) = loaded.hardware(learner)? else { return Ok(NeuronModel::Exact) };
    if hardware.sheet.is_ideal() {
        return Ok(NeuronModel::Exact);
    }
    let sizes = |network: &Network| (network.graph().node_count(), network.graph().edge_count());
    if sizes(network) != sizes(&learner.network.network) {
        let message = "not the neurons and synapses of scenario.toml".to_owned();
        return Err(RecordedError::Misfit { path: path.to_owned(), message });
    }
    let edges = network.graph().raw_edges();
    let recorded = edges.iter().map(|edge| edge.weight.weight);
    let mut weights: Vec<f64> = recorded.collect();
    if let Some(grid) = WeightGrid::new(&hardware.sheet, &learner.network) {
        weights = grid.program_all(&learner.network.shapes(), &weights);
    }
    let model = loaded.model(&hardware.sheet, learner)?;
    let mut trained = learner.network.clone();
    trained.network = network.clone();
    *network = model.realise(&trained, &weights);
    Ok(NeuronModel::Chip)
}
