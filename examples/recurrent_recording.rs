//! Simulates a recurrent network of excitatory and inhibitory neurons, records its spikes, and finds
//! from them what a membrane did.
//!
//!     cargo run --release --no-default-features --example recurrent_recording

use std::error::Error;

use firstspike::engine::{EngineOptions, EventEngine, Observer, Recording, SourceSpike};
use firstspike::membrane::SpikeTrains;
use firstspike::network::{CompiledNetwork, Network, Synapse};
use firstspike::neuron::NeuronParameters;
use firstspike::random;
use rand::RngExt;
use rand_distr::{Distribution, Exp};

/// When the simulation ends, in milliseconds.
const END: f64 = 500.0;

fn main() -> Result<(), Box<dyn Error>> {
    // Times are in milliseconds, potentials in units of the threshold.
    let neuron = NeuronParameters {
        tau_m: 20.0,
        tau_s: 2.0,
        tau_s_inhibitory: 2.0,
        capacitance: 2.0,
        refractory_period: 2.0,
        ..NeuronParameters::default()
    };
    let mut network = Network::new();
    let background = network.add_sources("background", 100)?;
    let excitatory = network.add_neurons("excitatory", vec![neuron; 80])?;
    let inhibitory = network.add_neurons("inhibitory", vec![neuron; 20])?;

    // Every pair of neurons is connected with a probability of one in ten.
    let mut random = random::stream(1, "synapses", 0);
    let from = [(background, 100, 0.25), (excitatory, 80, 0.2), (inhibitory, 20, -0.8)];
    for (pre, pre_size, weight) in from {
        for (post, post_size) in [(excitatory, 80), (inhibitory, 20)] {
            for (i, j) in (0..pre_size).flat_map(|i| (0..post_size).map(move |j| (i, j))) {
                if random.random_bool(0.1) {
                    let synapse = Synapse { weight, delay: random.random_range(1.0..3.0) };
                    network.connect((pre, i), (post, j), synapse)?;
                }
            }
        }
    }

    // Poisson spikes of the background: 50 per source and second.
    let interval = Exp::new(0.05)?;
    let mut stimulus = Vec::new();
    for source in 0..100 {
        let mut time = interval.sample(&mut random);
        while time < END {
            stimulus.push(SourceSpike { time, source });
            time += interval.sample(&mut random);
        }
    }
    stimulus.sort_by(|a, b| a.time.total_cmp(&b.time));

    let network = CompiledNetwork::new(&network);
    let options = EngineOptions::default();
    let mut recording = Recording::default();
    EventEngine::new(&network, options).run(&network, &stimulus, END, &mut recording)?;

    for population in network.populations() {
        let spikes = recording.spikes.iter();
        let count =
            spikes.filter(|spike| population.nodes.contains(&(spike.node as usize))).count();
        let rate = count as f64 / population.nodes.len() as f64 / (0.001 * END);
        println!("{}: {count} spikes, {rate:.1} per neuron and second", population.name);
        assert!(count > 0, "{} is silent", population.name);
    }

    // Potentials are not recorded but follow from the spikes, exactly: where a neuron spiked, it was at
    // its threshold.
    let first = network.populations()[1].nodes.clone();
    let is_first = |node: u32| first.contains(&(node as usize));
    let spike = recording.spikes.iter().find(|spike| is_first(spike.node)).ok_or("no spike")?;
    let node = spike.node as usize;
    let mut trains = SpikeTrains::new(&network, [node]);
    recording.spikes.iter().for_each(|spike| trains.spike(spike.node as usize, spike.time));
    let times = [spike.time - 1.0, spike.time];
    let states = trains.states(&network, node, options, &times).ok_or("no neuron")?;
    let dynamics = network.dynamics(node).ok_or("no neuron")?;
    let potentials: Vec<f64> =
        states.iter().map(|state| dynamics.membrane_potential(state)).collect();
    for (time, potential) in times.iter().zip(&potentials) {
        println!("neuron {} at {time:.3} ms: potential {potential:.6}", node - first.start);
    }
    assert!((potentials[1] - neuron.threshold).abs() < 1e-9);
    Ok(())
}
