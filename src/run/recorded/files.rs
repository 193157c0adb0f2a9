//! What a run's files hold, checked against each other.

use std::path::Path;

use super::{NeuronModel, RecordedError, RunFileError};
use crate::engine::Spike;
use crate::network::{LARGEST_SIZE, Network};
use crate::run::chip_network::chip_network;
use crate::run::trace_spikes;
use crate::scenario::{LayerSection, Learner, LoadedScenario, Scenario, ScenarioError};
use crate::trace::format::TraceSource;

/// Checks that the network has the populations of the scenario.
pub(in crate::run) fn check_populations(
    network: &Network,
    scenario: &Scenario,
) -> Result<(), RunFileError> {
    let found: Vec<&str> =
        network.populations().iter().map(|population| population.name.as_str()).collect();
    let expected: Vec<String> = if scenario.is_simulation() {
        scenario.populations.iter().map(|population| population.name.clone()).collect()
    } else {
        let layer = |layer: &LayerSection| {
            let bias = (!layer.bias_times.is_empty()).then(|| format!("{}_bias", layer.name));
            bias.into_iter().chain([layer.name.clone()]).collect::<Vec<_>>()
        };
        ["input".to_owned()].into_iter().chain(scenario.layers.iter().flat_map(layer)).collect()
    };
    if found == expected {
        return Ok(());
    }
    let (found, expected) = (found.join(", "), expected.join(", "));
    Err(RunFileError::Populations { found, expected })
}

/// The spikes of each sample, in the order of the file.
pub(super) fn read_spikes(
    path: &Path,
    unit: &str,
    network: &Network,
) -> Result<Vec<Vec<Spike>>, RecordedError> {
    let mut samples: Vec<Vec<Spike>> = Vec::new();
    // No data set is larger; a damaged number must not ask for the memory of one that is.
    trace_spikes::read(
        &TraceSource::new(path),
        unit,
        network.populations(),
        LARGEST_SIZE,
        |spike| {
            if spike.sample >= samples.len() {
                samples.resize_with(spike.sample + 1, Vec::new);
            }
            samples[spike.sample].push(Spike { node: spike.node as u32, time: spike.time });
        },
    )?;
    Ok(samples)
}

/// The time that a simulation reached, by its summary: nothing is known after it.
pub(super) fn read_reached(path: &Path) -> Result<f64, RecordedError> {
    #[derive(serde::Deserialize)]
    struct Ending {
        reached: f64,
    }
    let refuse = |error| RecordedError::File { path: path.to_owned(), error };
    let text = std::fs::read_to_string(path).map_err(|error| refuse(error.into()))?;
    let ending: Ending = serde_json::from_str(&text).map_err(|error| refuse(error.into()))?;
    Ok(ending.reached)
}

/// Adds the spikes of sources that were not recorded, which the scenario has, up to the time that the
/// simulation reached; returns the populations
/// whose spikes are known.
pub(super) fn add_stimulus(
    loaded: &LoadedScenario,
    reached: f64,
    spikes: &mut Vec<Spike>,
) -> Result<Vec<bool>, ScenarioError> {
    let names = loaded.scenario.recording.as_ref().and_then(|recording| recording.spikes.as_ref());
    let Some(names) = names else {
        return Ok(vec![true; loaded.scenario.populations.len()]);
    };
    let (populations, stimulus) = loaded.stimulus()?;
    let recorded: Vec<bool> =
        populations.iter().map(|population| names.contains(&population.name)).collect();
    for (population, _) in populations.iter().zip(&recorded).filter(|(_, recorded)| !**recorded) {
        let own = stimulus.iter().filter(|spike| {
            population.nodes.contains(&(spike.source as usize)) && spike.time <= reached
        });
        spikes.extend(own.map(|spike| Spike { node: spike.source, time: spike.time }));
    }
    let sources = loaded.scenario.populations.iter().map(|population| population.is_source());
    Ok(recorded.iter().zip(sources).map(|(&recorded, source)| recorded || source).collect())
}

/// Puts the recorded network onto the scenario's chip.
pub(super) fn onto_chip(
    loaded: &LoadedScenario,
    learner: &Learner,
    network: &mut Network,
    path: &Path,
) -> Result<NeuronModel, RecordedError> {
    let sizes = |network: &Network| (network.graph().node_count(), network.graph().edge_count());
    if sizes(network) != sizes(&learner.network.network) {
        return Err(RecordedError::File { path: path.to_owned(), error: RunFileError::Network });
    }
    let Some(on_chip) = chip_network(loaded, learner, network)? else {
        return Ok(NeuronModel::Exact);
    };
    *network = on_chip;
    Ok(NeuronModel::Chip)
}
