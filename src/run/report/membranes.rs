//! Membrane potentials for charts.

use crate::engine::EngineOptions;
use crate::membrane::SpikeTrains;
use crate::network::CompiledNetwork;
use crate::report::html::{Membrane, short};

/// A neuron's exact potential from time zero to `end`, if its spikes were recorded, at about as many
/// points as are asked for: spikes, with their resets, are always among them.
pub(super) fn membrane(
    network: &CompiledNetwork,
    trains: &SpikeTrains,
    neuron: usize,
    options: EngineOptions,
    end: f64,
    points: usize,
) -> Option<Membrane> {
    let trace = trains.trace(network, neuron, options, (0.0, end))?;
    let last = trace.times.len() - 1;
    let every = trace.times.len().div_ceil(points);
    let kept = (0..=last).filter(|&index| {
        let is_reset = |index: usize| {
            (1..=last).contains(&index) && trace.times[index] == trace.times[index - 1]
        };
        index % every == 0 || index == last || is_reset(index) || is_reset(index + 1)
    });
    let (time, potential) =
        kept.map(|index| (short(trace.times[index]), short(trace.potential[index]))).unzip();
    Some(Membrane { time, potential, threshold: trace.threshold })
}
