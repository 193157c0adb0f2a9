//! How many synaptic events per second the event engine handles in a recurrent network that runs
//! without learning, on one thread: 1000 neurons (80 % excitatory, 20 % inhibitory) and as many
//! Poisson sources, each with synapses onto 100 random neurons, delay 1.5 ms, `τ_m = 20 ms`,
//! `τ_s = 2 ms`. Inhibition balances excitation: the neurons fire irregularly.
//!
//! The throughput reported is that of spikes that arrive at synapses, those of the sources
//! included, over everything the engine does: propagation, prediction, queues, resets.
//!
//! ```text
//! cargo bench --bench simulation
//! ```

#[path = "common/activity.rs"]
mod common;

use std::time::Duration;

use common::activity;
use criterion::{Criterion, SamplingMode, Throughput, criterion_group, criterion_main};
use firstspike::engine::{EngineOptions, EventEngine, Observer, Recording, SourceSpike};
use firstspike::network::{CompiledNetwork, Network, PopulationId, Synapse};
use firstspike::neuron::NeuronParameters;
use firstspike::random;
use rand::RngExt;
use rand_distr::{Distribution, Exp1};

const EXCITATORY: usize = 800;
const NEURONS: usize = 1000;
const SYNAPSES_PER_NODE: usize = 100;
/// Potentials in mV, times in ms.
const DELAY: f64 = 1.5;
const WEIGHT: f64 = 0.5;
const INHIBITION: f64 = -8.0 * WEIGHT;
/// Spikes of one source per ms.
const SOURCE_RATE: f64 = 0.018;
const UNTIL: f64 = 500.0;

/// The network; its sources are the first nodes.
fn balanced_network() -> CompiledNetwork {
    let mut network = Network::new();
    let parameters = NeuronParameters {
        tau_m: 20.0,
        tau_s: 2.0,
        tau_s_inhibitory: 2.0,
        threshold: 20.0,
        reset_potential: 10.0,
        refractory_period: 2.0,
        ..NeuronParameters::default()
    };
    let sources = network.add_sources("background", NEURONS).expect("new");
    let neurons = network.add_neurons("neurons", vec![parameters; NEURONS]).expect("valid");
    let mut random = random::stream(1, "bench network", 0);
    let mut connect = |pre: (PopulationId, usize), weight: f64| {
        for _ in 0..SYNAPSES_PER_NODE {
            let post = (neurons, random.random_range(0..NEURONS));
            network.connect(pre, post, Synapse { weight, delay: DELAY }).expect("valid");
        }
    };
    for index in 0..NEURONS {
        connect((sources, index), WEIGHT);
        connect((neurons, index), if index < EXCITATORY { WEIGHT } else { INHIBITION });
    }
    CompiledNetwork::new(&network)
}

/// Spikes of all sources together, sorted by time.
fn background() -> Vec<SourceSpike> {
    let mut random = random::stream(1, "bench background", 0);
    let mut time = 0.0;
    let mut spikes = Vec::new();
    loop {
        let wait: f64 = Exp1.sample(&mut random);
        time += wait / (SOURCE_RATE * NEURONS as f64);
        if time > UNTIL {
            return spikes;
        }
        spikes.push(SourceSpike { time, source: random.random_range(0..NEURONS as u32) });
    }
}

/// Looks at nothing, so that only the engine is measured.
struct Nobody;

impl Observer for Nobody {
    fn spike(&mut self, _node: usize, _time: f64) {}
}

fn simulation(criterion: &mut Criterion) {
    let network = balanced_network();
    let stimulus = background();
    let mut engine = EventEngine::new(&network, EngineOptions::default());
    let mut recording = Recording::default();
    let statistics = engine.run(&network, &stimulus, UNTIL, &mut recording).expect("runs");
    let (rate, variation) = activity(&recording, NEURONS..2 * NEURONS, UNTIL);
    // What is measured is the irregular activity of a balanced network, neither silence nor lockstep.
    println!(
        "{} synaptic events; neurons fire at {:.1} Hz with a variation of intervals of {:.2}",
        statistics.synaptic_events,
        1000.0 * rate,
        variation
    );
    assert!((0.002..0.05).contains(&rate) && variation > 0.7);

    let mut group = criterion.benchmark_group("simulation");
    group
        .throughput(Throughput::Elements(statistics.synaptic_events))
        .sample_size(20)
        .sampling_mode(SamplingMode::Flat)
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(6));
    group.bench_function("balanced network, 1000 neurons, 500 ms", |bencher| {
        bencher.iter(|| engine.run(&network, &stimulus, UNTIL, &mut Nobody).expect("runs"));
    });
    group.finish();
}

// No plots: criterion's fail in this package, whose plotters takes its fonts from the program.
criterion_group! {
    name = benches;
    config = Criterion::default().without_plots();
    targets = simulation
}
criterion_main!(benches);
