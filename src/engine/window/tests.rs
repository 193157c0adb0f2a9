use rand::RngExt;

use super::super::{EventEngine, Recording};
use super::*;
use crate::network::{Network, Synapse};
use crate::neuron::NeuronParameters;

/// What random networks and stimuli are made of.
struct Recipe {
    neurons: usize,
    kinds: usize,
    connectivity: f64,
    /// Spikes of five sources, at multiples of a quarter time unit.
    spikes: usize,
    /// How long the stimulus lasts, in time units.
    length: u32,
    weight: f64,
    delays: &'static [f64],
}

const SMALL: Recipe = Recipe {
    neurons: 12,
    kinds: 3,
    connectivity: 0.3,
    spikes: 40,
    length: 15,
    weight: 1.8,
    delays: &[0.5, 0.5, 0.75, 1.3],
};

fn random_case(seed: u64, recipe: &Recipe) -> (CompiledNetwork, Vec<SourceSpike>) {
    let mut random = crate::random::stream(seed, "window test", 0);
    let mut network = Network::new();
    let input = network.add_sources("input", 5).expect("new");
    let kinds: Vec<NeuronParameters> = (0..recipe.kinds)
        .map(|_| NeuronParameters {
            tau_m: [0.5, 1.0, 2.0, 7.0, f64::INFINITY][random.random_range(0..5)],
            bias_current: [0.0, 0.0, -0.2, 0.3, 1.5][random.random_range(0..5)],
            refractory_period: [0.0, 0.3, 0.5, 2.0][random.random_range(0..4)],
            initial_potential: [0.0, 0.4, -0.7][random.random_range(0..3)],
            ..NeuronParameters::default()
        })
        .collect();
    let parameters: Vec<_> = (0..recipe.neurons).map(|i| kinds[i % kinds.len()]).collect();
    let neurons = network.add_neurons("neurons", parameters).expect("valid");
    for (pre, size) in [(input, 5), (neurons, recipe.neurons)] {
        for from in 0..size {
            for to in 0..recipe.neurons {
                while random.random::<f64>() < recipe.connectivity {
                    let weight = recipe.weight * random.random_range(-0.6..1.0);
                    // Sources may do without a delay.
                    let delay = if pre == input && random.random::<f64>() < 0.3 {
                        0.0
                    } else {
                        recipe.delays[random.random_range(0..recipe.delays.len())]
                    };
                    let synapse = Synapse { weight, delay };
                    network.connect((pre, from), (neurons, to), synapse).expect("valid");
                }
            }
        }
    }
    let mut stimulus: Vec<SourceSpike> = (0..recipe.spikes)
        .map(|_| SourceSpike {
            time: f64::from(random.random_range(0..4 * recipe.length)) * 0.25,
            source: random.random_range(0..5),
        })
        .collect();
    stimulus.sort_by(|a, b| a.time.total_cmp(&b.time));
    (CompiledNetwork::new(&network), stimulus)
}

/// Records up to three hundred spikes: recurrent excitation may grow without end, and roundings
/// with it.
#[derive(Default)]
struct Capped(Recording);

impl Observer for Capped {
    fn spike(&mut self, node: usize, time: f64) {
        self.0.spike(node, time);
    }

    fn wants_to_stop(&self) -> bool {
        self.0.spikes.len() >= 300
    }
}

/// Runs both engines; they must agree. Returns how many spikes there were.
fn compare(seed: u64, recipe: &Recipe, until: f64, at_most_one_spike: bool) -> usize {
    let (network, stimulus) = random_case(seed, recipe);
    let options = EngineOptions { at_most_one_spike };
    let mut expected = Capped::default();
    let exact = EventEngine::new(&network, options).run(&network, &stimulus, until, &mut expected);
    let mut found = Capped::default();
    let mut engine = WindowEngine::new(&network, options).expect("delays above zero");
    let ran = engine.run(&network, &stimulus, until, &mut found);
    let (found, expected) = (found.0, expected.0);
    assert_eq!(found.spikes.len(), expected.spikes.len(), "seed {seed}");
    if found.spikes.len() < 300 {
        assert_eq!(ran, exact, "seed {seed}");
    }
    let mut pairs: Vec<_> = found.spikes.iter().zip(&expected.spikes).collect();
    for (found, expected) in &pairs {
        let distance = (found.time - expected.time).abs();
        assert!(distance < 1e-9, "seed {seed}: {found:?} {expected:?}");
    }
    // Spikes that are apart by roundings only may have changed places.
    pairs.retain(|(found, expected)| found.node != expected.node);
    let (mut left, mut right): (Vec<u32>, Vec<u32>) =
        pairs.iter().map(|(found, expected)| (found.node, expected.node)).unzip();
    left.sort_unstable();
    right.sort_unstable();
    assert_eq!(left, right, "seed {seed}");
    assert!(pairs.len() * 50 <= found.spikes.len(), "seed {seed}: {pairs:?}");
    found.spikes.len()
}

#[test]
fn agrees_with_the_event_engine_on_small_networks() {
    let mut spikes = 0;
    for seed in 0..400 {
        spikes += compare(seed, &SMALL, 16.0, false);
        spikes += compare(seed, &SMALL, 16.0, true);
    }
    assert!(spikes > 40_000, "too quiet to prove anything: {spikes} spikes");
}
