//! One learning pass over a trace of a network that is to emit given spike trains.

use std::path::Path;

use super::learn::write_network;
use super::{LearnError, trace_spikes};
use crate::engine::Spike;
use crate::learning::SpikeTrainMetrics;
use crate::network::CompiledNetwork;
use crate::run::RunError;
use crate::scenario::{LoadedScenario, SpikeTrainingSection};
use crate::trace::format::TraceSource;

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
    trace: &TraceSource,
    out: &Path,
) -> Result<SpikeTrainMetrics, LearnError> {
    let simulation = loaded.simulation_graph().map_err(RunError::from)?;
    let mut trainer = loaded.spike_train_trainer(spec, simulation).map_err(RunError::from)?;
    let unit = loaded.scenario.time_unit.suffix();
    let mut spikes = Vec::new();
    trace_spikes::read(trace, unit, trainer.network().populations(), 1, |spike| {
        spikes.push(Spike { node: spike.node as u32, time: spike.time });
    })?;
    // Stable: at one time the order of the file is that of the recording.
    spikes.sort_by(|a, b| a.time.total_cmp(&b.time));
    let compiled = CompiledNetwork::new(trainer.network());
    let metrics = trainer.learn_from(&compiled, &spikes);
    write_network(trainer.network(), unit, out)?;
    Ok(metrics)
}
