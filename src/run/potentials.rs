//! Membrane potentials and synaptic currents as `potentials.csv`.

use std::io::{self, Write};

use crate::membrane::SpikeTrains;
use crate::network::CompiledNetwork;
use crate::scenario::{Recording, Simulation};

/// What to record during the run so that the potentials can be computed afterwards.
pub(super) fn spike_trains(network: &CompiledNetwork, recording: &Recording) -> SpikeTrains {
    let neurons = recording.potentials.iter().flat_map(|wanted| {
        let first = network.populations()[wanted.population].nodes.start;
        wanted.neurons.iter().map(move |neuron| first + neuron)
    });
    SpikeTrains::new(network, neurons)
}

/// Writes a row per recorded neuron and time up to `end`: the potential in the units of the
/// scenario, the excitatory and the inhibitory current. If inhibitory synapses have no time constant
/// of their own, the first current is that of all synapses and the second zero.
pub(super) fn write(
    simulation: &Simulation,
    trains: &SpikeTrains,
    end: f64,
    unit: &str,
    output: &mut impl Write,
) -> io::Result<()> {
    let network = &simulation.network;
    let mut writer = csv::Writer::from_writer(output);
    let time_column = format!("time_{unit}");
    writer.write_record([
        "population",
        "neuron",
        &time_column,
        "potential",
        "current",
        "inhibitory_current",
    ])?;
    for wanted in &simulation.recording.potentials {
        let population = &network.populations()[wanted.population];
        let times = &wanted.times[..wanted.times.partition_point(|&time| time <= end)];
        for &neuron in &wanted.neurons {
            let node = population.nodes.start + neuron;
            let states = trains.states(network, node, simulation.options, times);
            let (Some(dynamics), Some(states)) = (network.dynamics(node), states) else {
                continue;
            };
            for (&time, state) in times.iter().zip(&states) {
                let potential = dynamics.membrane_potential(state);
                let currents = (state.current, state.inhibitory_current);
                writer.serialize((&population.name, neuron, time, potential, currents))?;
            }
        }
    }
    writer.flush()
}
