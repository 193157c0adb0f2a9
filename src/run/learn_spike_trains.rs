//! One learning pass over a trace of a network that is to emit given spike trains.

use std::path::Path;

use super::LearnError;
use super::learn::{node_of, write_network};
use crate::engine::Spike;
use crate::learning::SpikeTrainMetrics;
use crate::network::CompiledNetwork;
use crate::run::RunError;
use crate::scenario::{LoadedScenario, SpikeTrainingSection};
use crate::trace;

/// Takes one step of the scenario's optimiser by a trace of its network, whoever recorded it: how
/// far the recorded spikes are from their targets, and the exact gradients of the recorded times
/// ([`crate::learning::trace_gradients`]). Writes the changed network to `out`; the metrics are
/// those of the trace.
///
/// # Errors
/// If scenario or trace cannot be used, with file and line, or the network cannot be written.
pub fn learn_spike_trains(
    loaded: &LoadedScenario,
    spec: &SpikeTrainingSection,
    path: &Path,
    out: &Path,
) -> Result<SpikeTrainMetrics, LearnError> {
    let simulation = loaded.simulation().map_err(RunError::from)?;
    let mut trainer = loaded.spike_train_trainer(spec, simulation).map_err(RunError::from)?;
    let unit = loaded.scenario.time_unit.suffix();
    let (trace, lines) = trace::read_with_lines(path)?;
    let refuse = |line, message| LearnError::Spike { path: path.to_owned(), line, message };
    if trace.time_unit != unit {
        let message = format!("times are in {}, the scenario's in {unit}", trace.time_unit);
        return Err(refuse(1, message));
    }
    let mut spikes = Vec::with_capacity(lines.len());
    for (spike, &line) in trace.spikes.iter().zip(&lines) {
        let node = node_of(spike, trainer.network().populations())
            .map_err(|message| refuse(line, message))?;
        if spike.sample != 0 {
            let message = format!("sample {} does not exist: there is only 0", spike.sample);
            return Err(refuse(line, message));
        }
        spikes.push(Spike { node: node as u32, time: spike.time });
    }
    // Stable: at one time the order of the file is that of the recording.
    spikes.sort_by(|a, b| a.time.total_cmp(&b.time));
    let compiled = CompiledNetwork::new(trainer.network());
    let metrics = trainer.learn_from(&compiled, &spikes);
    write_network(trainer.network(), unit, out)?;
    Ok(metrics)
}
