//! Membrane potentials for charts.

use crate::engine::EngineOptions;
use crate::membrane::SpikeTrains;
use crate::network::CompiledNetwork;
use crate::report::html::{Membrane, short};

/// A neuron's potential from time zero to `end` at evenly spaced points, if its spikes were recorded. At
/// each of the `spikes`, which are its own, and just after, there are points besides.
pub(super) fn membrane(
    network: &CompiledNetwork,
    trains: &SpikeTrains,
    neuron: usize,
    spikes: &[f64],
    options: EngineOptions,
    end: f64,
    points: usize,
) -> Option<Membrane> {
    let dynamics = network.dynamics(neuron)?;
    let parameters = &network.distinct_parameters()[network.dynamics_index(neuron)? as usize];
    let mut times: Vec<f64> =
        (0..=points).map(|point| end * point as f64 / points as f64).collect();
    let at_spikes = spikes.iter().filter(|&&spike| spike <= end);
    times.extend(at_spikes.flat_map(|&spike| [spike, spike.next_up()]));
    times.sort_by(f64::total_cmp);
    let states = trains.states(network, neuron, options, &times)?;
    Some(Membrane {
        potential: states
            .iter()
            .map(|state| short(dynamics.membrane_potential(state)))
            .collect(),
        time: times.into_iter().map(short).collect(),
        threshold: parameters.threshold,
    })
}
