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
            // None that a bias current lifts to the threshold at the very moment of an input.
            initial_potential: [0.0, 0.417, -0.731][random.random_range(0..3)],
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
    assert_eq!(found.spikes.len(), expected.spikes.len(), "seed {seed}: {ran:?} {exact:?}");
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

#[test]
fn agrees_with_the_event_engine_where_few_neurons_are_replayed() {
    // Long delays, several intervals per window, many inputs per interval, silent gaps.
    let quiet = Recipe {
        neurons: 60,
        kinds: 1,
        connectivity: 0.2,
        spikes: 60,
        length: 40,
        weight: 0.25,
        delays: &[1.5, 4.0],
    };
    let sparse = Recipe { spikes: 6, length: 400, weight: 4.0, ..quiet };
    let mixed = Recipe { kinds: 25, weight: 0.4, ..quiet };
    let mut spikes = 0;
    for seed in 0..40 {
        for recipe in [&quiet, &sparse, &mixed] {
            spikes += compare(seed, recipe, 45.0, false);
        }
    }
    assert!(spikes > 5_000, "too quiet to prove anything: {spikes} spikes");
}

#[test]
fn the_number_of_threads_changes_no_bit() {
    for seed in 0..20 {
        let (network, stimulus) = random_case(seed, &SMALL);
        let run = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
            let mut engine =
                WindowEngine::new(&network, EngineOptions::default()).expect("has delays");
            let mut recording = Capped::default();
            pool.expect("threads").install(|| {
                // The second run starts from the same state as the first.
                for _ in 0..2 {
                    recording = Capped::default();
                    engine.run(&network, &stimulus, 16.0, &mut recording).expect("runs");
                }
            });
            recording.0
        };
        let alone = run(1);
        for threads in [2, 3, 20] {
            assert_eq!(run(threads), alone, "seed {seed}");
        }
    }
}

#[test]
fn what_it_cannot_run_is_refused() {
    let refused = |parameters: NeuronParameters, delay| {
        let mut network = Network::new();
        let neurons = network.add_neurons("neurons", [parameters; 2]).expect("valid");
        let synapse = Synapse { weight: 1.0, delay };
        network.connect((neurons, 1), (neurons, 0), synapse).expect("valid");
        let network = CompiledNetwork::new(&network);
        WindowEngine::new(&network, EngineOptions::default()).expect_err("refused")
    };
    let good = NeuronParameters::default();
    assert_eq!(refused(good, 0.0), WindowError::ZeroDelay { node: 1 });
    let split = NeuronParameters { tau_s_inhibitory: 2.0, ..good };
    assert_eq!(refused(split, 1.0), WindowError::SplitCurrents { node: 0 });
}

#[test]
fn endless_spikes_and_bad_stimuli_are_reported() {
    let mut network = Network::new();
    let input = network.add_sources("input", 1).expect("new");
    let neuron = network.add_neurons("neuron", [NeuronParameters::default()]).expect("valid");
    let synapse = Synapse { weight: 1e18, delay: 0.0 };
    network.connect((input, 0), (neuron, 0), synapse).expect("valid");
    let network = CompiledNetwork::new(&network);
    let mut engine = WindowEngine::new(&network, EngineOptions::default()).expect("no delays");
    let mut fails = |stimulus: &[(f64, u32)]| {
        let stimulus: Vec<_> =
            stimulus.iter().map(|&(time, source)| SourceSpike { time, source }).collect();
        engine.run(&network, &stimulus, 10.0, &mut Recording::default()).expect_err("fails")
    };
    assert!(matches!(fails(&[(1.0, 0)]), EngineError::EndlessSpikes { neuron: 1, .. }));
    assert_eq!(fails(&[(1.0, 0), (0.5, 0)]), EngineError::Stimulus { index: 1, time: 0.5 });
    assert_eq!(fails(&[(1.0, 1)]), EngineError::NotASource { index: 0, node: 1 });
}

#[test]
fn constant_current_fires_to_the_end_inclusive() {
    let parameters = NeuronParameters { bias_current: 2.0, ..NeuronParameters::default() };
    let mut network = Network::new();
    network.add_neurons("neuron", [parameters]).expect("valid");
    let network = CompiledNetwork::new(&network);
    let mut engine = WindowEngine::new(&network, EngineOptions::default()).expect("no delays");
    let mut recording = Recording::default();
    engine.run(&network, &[], 100.0, &mut recording).expect("runs");
    assert_eq!(recording.spikes.len(), (100.0 / 2.0f64.ln()) as usize);
    let last = recording.spikes[recording.spikes.len() - 1].time;
    recording.spikes.clear();
    engine.run(&network, &[], last, &mut recording).expect("runs");
    assert!((recording.spikes[recording.spikes.len() - 1].time - last).abs() < 1e-9);
}
