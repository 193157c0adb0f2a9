//! The event engine against a slow and obvious simulator (`common/reference.rs`), on random networks.

use crate::common;

use common::gold::say;
use common::reference::simulate;
use firstspike::engine::{
    EngineError, EngineOptions, EventEngine, Observer, Recording, SourceSpike, Spike,
};
use firstspike::network::{CompiledNetwork, Network, Synapse};
use firstspike::neuron::NeuronParameters;
use firstspike::random;
use rand::RngExt;
use rand::seq::IndexedRandom;

const SOURCES: usize = 4;
const NEURONS: usize = 8;

/// Spikes up to which a network is compared: each may magnify the rounding of those before it.
const MOST_SPIKES: usize = 60;

/// How far apart two times may be. Rounding of 1e-16 is magnified by one over the slope of a
/// crossing, at most 2e4 outside close calls and mostly below ten, and from spike to spike: 1e-9
/// leaves a factor of a million for the sixty spikes of a network. A late time has its own rounding,
/// of which sixty spikes add one each.
fn tolerance(time: f64) -> f64 {
    1e-9 + 64.0 * f64::EPSILON * time
}

/// What a random network is made of.
#[derive(Clone, Copy)]
struct Kind {
    name: &'static str,
    at_most_one_spike: bool,
    /// Inhibitory synapses have time constants of their own.
    split: bool,
    /// The stimulus pauses for a million time units.
    gap: bool,
}

#[derive(Default)]
struct Tally {
    compared: usize,
    close: usize,
    spikes: usize,
    ties: usize,
    near_ties: usize,
    across_gap: usize,
    worst: f64,
}

#[test]
fn random_networks_spike_as_in_the_reference() {
    let base = Kind { name: "plain", at_most_one_spike: false, split: false, gap: false };
    compare(base, 150);
    compare(Kind { name: "split", split: true, ..base }, 150);
}

#[test]
fn neurons_that_spike_at_most_once_do_so_as_in_the_reference() {
    let base = Kind { name: "once", at_most_one_spike: true, split: false, gap: false };
    compare(base, 75);
    compare(Kind { name: "once, split", split: true, ..base }, 75);
}

#[test]
fn networks_wake_from_a_silence_of_a_million_time_constants_as_in_the_reference() {
    let base = Kind { name: "gap", at_most_one_spike: false, split: false, gap: true };
    let across = compare(base, 60).across_gap
        + compare(Kind { name: "gap, split", split: true, ..base }, 60).across_gap;
    assert!(across >= 20, "too few networks spike after the gap: {across}");
}

fn compare(kind: Kind, count: u64) -> Tally {
    let mut tally = Tally::default();
    for seed in 0..count {
        let (network, stimulus) = random_network(kind, seed);
        compare_one(kind, seed, &network, &stimulus, &mut tally);
    }
    let Tally { compared, close, spikes, ties, near_ties, across_gap, worst } = tally;
    say(&format!(
        "{}: {compared} networks, {spikes} spikes, {ties} ties, worst deviation {worst:.1e}; \
         {close} left out as close calls, {near_ties} with ties up to rounding, \
         {across_gap} across the gap",
        kind.name
    ));
    // The rule must not explain failures away.
    assert!(close * 10 <= count as usize, "{}: {close} close calls of {count}", kind.name);
    assert!(near_ties * 10 <= count as usize, "{}: {near_ties} near ties", kind.name);
    tally
}

fn compare_one(
    kind: Kind,
    seed: u64,
    network: &Network,
    stimulus: &[SourceSpike],
    tally: &mut Tally,
) {
    let last = stimulus.last().map_or(0.0, |spike| spike.time) + 8.0;
    let once = kind.at_most_one_spike;
    let mut expected = simulate(network, stimulus, once, last, MOST_SPIKES);
    let mut until = last;
    if expected.spikes.len() == MOST_SPIKES {
        // Between two spikes far apart, so that rounding does not decide which are compared.
        let apart = |pair: &[(usize, f64)]| pair[1].1 - pair[0].1 > 1e-3;
        let Some(kept) = expected.spikes.windows(2).rposition(apart) else { return };
        until = 0.5 * (expected.spikes[kept].1 + expected.spikes[kept + 1].1);
        expected.spikes.truncate(kept + 1);
    }
    if expected.close_calls > 0 {
        tally.close += 1;
        return;
    }
    let compiled = CompiledNetwork::new(network);
    let mut recording = Recording::default();
    EventEngine::new(&compiled, EngineOptions { at_most_one_spike: once })
        .run(&compiled, stimulus, until, &mut recording)
        .unwrap_or_else(|error| panic!("{}, seed {seed}: {error}", kind.name));
    let found: Vec<(usize, f64)> =
        recording.spikes.iter().map(|spike| (spike.node as usize, spike.time)).collect();
    let show = || format!("{}, seed {seed}:\n{found:?}\n{:?}", kind.name, expected.spikes);

    let train = |spikes: &[(usize, f64)], node: usize| -> Vec<f64> {
        spikes.iter().filter(|spike| spike.0 == node).map(|spike| spike.1).collect()
    };
    for node in 0..SOURCES + NEURONS {
        let (found, expected) = (train(&found, node), train(&expected.spikes, node));
        assert_eq!(found.len(), expected.len(), "node {node}, {}", show());
        for (found, expected) in found.into_iter().zip(expected) {
            let deviation = (found - expected).abs();
            assert!(deviation <= tolerance(expected), "node {node} at {expected}, {}", show());
            tally.worst = tally.worst.max(deviation);
        }
    }
    // The order of spikes. Two that differ by rounding only in one of the runs may be swapped.
    let exact_tie = |spikes: &[(usize, f64)], at: usize| {
        let same = |other: usize| spikes.get(other).is_some_and(|spike| spike.1 == spikes[at].1);
        same(at + 1) || (at > 0 && same(at - 1))
    };
    let swapped: Vec<usize> =
        (0..found.len()).filter(|&at| found[at].0 != expected.spikes[at].0).collect();
    for &at in &swapped {
        let both_exact = exact_tie(&found, at) && exact_tie(&expected.spikes, at);
        assert!(!both_exact, "spike {at} is out of order, {}", show());
    }
    let tied_neurons =
        |pair: &[(usize, f64)]| pair[0].1 == pair[1].1 && pair[0].0.max(pair[1].0) >= SOURCES;
    tally.near_ties += usize::from(!swapped.is_empty());
    tally.compared += 1;
    tally.spikes += found.len();
    tally.ties += found.windows(2).filter(|pair| tied_neurons(pair)).count();
    tally.across_gap +=
        usize::from(found.iter().any(|&(node, time)| node >= SOURCES && time > 1e6));
}

/// Recurrent, with times and delays on a coarse grid. Delays of zero lead from a lower to a higher
/// neuron only, so that no loop has none.
fn random_network(kind: Kind, seed: u64) -> (Network, Vec<SourceSpike>) {
    let mut random = random::stream(seed, kind.name, 0);
    // A bias current above the threshold, or a non-leaky membrane that keeps what it gets, would
    // spike all through a silence.
    let biases: &[f64] =
        if kind.gap { &[0.0, -0.2, 0.3] } else { &[0.0, 0.0, -0.2, 0.3, 0.7, 1.3, 2.5] };
    let membranes: &[f64] = if kind.gap {
        &[0.3, 1.0, 2.0, 7.0]
    } else {
        &[0.3, 1.0, 1.0 + 1e-9, 2.0, 7.0, f64::INFINITY]
    };
    let kinds: Vec<NeuronParameters> = (0..3)
        .map(|_| {
            let tau_s = pick(&mut random, &[1.0, 1.0, 0.5]);
            let split = pick(&mut random, &[0.3, 1.0 + 1e-9, 2.0, 5.0]) * tau_s;
            let leak_potential = pick(&mut random, &[0.0, 0.0, -3.0]);
            NeuronParameters {
                tau_m: pick(&mut random, membranes),
                tau_s,
                tau_s_inhibitory: if kind.split { split } else { tau_s },
                capacitance: pick(&mut random, &[1.0, 2.0]),
                leak_potential,
                reset_potential: leak_potential + pick(&mut random, &[0.0, -0.5, 0.4]),
                threshold: leak_potential + 1.0,
                refractory_period: pick(&mut random, &[0.0, 0.25, 1.3]),
                bias_current: pick(&mut random, biases),
                // One neuron in ten spikes at time zero.
                initial_potential: leak_potential
                    + pick(&mut random, &[0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.3, -0.8, 1.5]),
                initial_current: pick(&mut random, &[0.0, 0.0, 0.0, 0.7]),
                initial_inhibitory_current: pick(&mut random, &[0.0, 0.0, 0.0, -0.4]),
            }
        })
        .collect();
    let mut network = Network::new();
    let sources = network.add_sources("sources", SOURCES).expect("new");
    let neurons = (0..NEURONS).map(|index| kinds[index % 3]);
    let neurons = network.add_neurons("neurons", neurons).expect("valid");
    let recurrent = if kind.gap { 0.8 } else { 1.6 };
    for (pre, size, strongest) in [(sources, SOURCES, 5.0), (neurons, NEURONS, recurrent)] {
        for from in 0..size {
            for to in 0..NEURONS {
                if random.random::<f64>() < 0.4 {
                    let weight = random.random_range(-1.0..1.0) * strongest;
                    let ahead = pre == sources || from < to;
                    let delays: &[f64] = if ahead { &[0.0, 0.5, 1.25] } else { &[0.5, 1.25] };
                    let synapse = Synapse { weight, delay: pick(&mut random, delays) };
                    network.connect((pre, from), (neurons, to), synapse).expect("valid");
                }
            }
        }
    }
    let gap = if kind.gap { 1e6 } else { 0.0 };
    let mut stimulus: Vec<SourceSpike> = (0..24)
        .map(|index| SourceSpike {
            time: f64::from(random.random_range(0..32u32)) * 0.25
                + if index < 12 { 0.0 } else { gap },
            source: random.random_range(0..SOURCES as u32),
        })
        .collect();
    stimulus.sort_by(|a, b| a.time.total_cmp(&b.time));
    (network, stimulus)
}

fn pick(random: &mut impl rand::Rng, choices: &[f64]) -> f64 {
    *choices.choose(random).expect("there are choices")
}

#[test]
fn single_steps_of_any_size_cross_as_in_the_reference() {
    let mut spikes = 0;
    // None of them has the potential tend to the threshold itself.
    let sizes = [5e-324, 1e-310, 1e-300, 1e-9, 1.5, 3.0, 1e3, 1e9, 1e16, 1e100, 1e300];
    let ratios =
        [(1.0, 1.0), (2.0, 1.0), (1.0, 2.0), (f64::INFINITY, 1.0), (1.0 + 1e-9, 1.0), (10.0, 0.3)];
    for (tau_m, tau_s_inhibitory) in ratios {
        for bias_current in [0.0, 0.06, 2.0] {
            for weight in sizes.into_iter().flat_map(|size| [size, -size]) {
                let parameters = NeuronParameters {
                    tau_m,
                    tau_s_inhibitory,
                    bias_current,
                    ..NeuronParameters::default()
                };
                let (network, stimulus) = one_step(parameters, weight);
                let expected = simulate(&network, &stimulus, true, 2e3, 9);
                assert_eq!(expected.close_calls, 0);
                let found = run(&network, &stimulus, true, 2e3).expect("runs").spikes;
                let case = format!("{tau_m} {tau_s_inhibitory} {bias_current} {weight:e}");
                assert_eq!(found.len(), expected.spikes.len(), "{case}: {found:?} {expected:?}");
                for (found, expected) in found.iter().zip(&expected.spikes) {
                    assert_eq!(found.node as usize, expected.0, "{case}");
                    // One crossing, without a close call, in two different roundings.
                    let bound = 1e-12 + 8.0 * f64::EPSILON * expected.1;
                    assert!(
                        (found.time - expected.1).abs() <= bound,
                        "{case}: {found:?} {expected:?}"
                    );
                }
                spikes += found.len() - 1;
            }
        }
    }
    assert!(spikes > 150, "too quiet to prove anything: {spikes} spikes");
}

/// One source, whose spike at time one reaches one neuron.
fn one_step(parameters: NeuronParameters, weight: f64) -> (Network, Vec<SourceSpike>) {
    let mut network = Network::new();
    let source = network.add_sources("source", 1).expect("new");
    let neuron = network.add_neurons("neuron", [parameters]).expect("valid");
    let synapse = Synapse { weight, delay: 0.0 };
    network.connect((source, 0), (neuron, 0), synapse).expect("valid");
    (network, vec![SourceSpike { time: 1.0, source: 0 }])
}

fn run(
    network: &Network,
    stimulus: &[SourceSpike],
    at_most_one_spike: bool,
    until: f64,
) -> Result<Recording, EngineError> {
    let network = CompiledNetwork::new(network);
    let mut recording = Recording::default();
    EventEngine::new(&network, EngineOptions { at_most_one_spike })
        .run(&network, stimulus, until, &mut recording)
        .map(|_| recording)
}

/// Two neurons that excite each other without delay, and a source that starts them at `time`.
fn ping_pong(weight: f64, refractory_period: f64, time: f64) -> (Network, Vec<SourceSpike>) {
    let mut network = Network::new();
    let source = network.add_sources("source", 1).expect("new");
    let parameters = NeuronParameters { refractory_period, ..NeuronParameters::default() };
    let pair = network.add_neurons("pair", [parameters; 2]).expect("valid");
    let synapse = Synapse { weight, delay: 0.0 };
    network.connect((source, 0), (pair, 0), synapse).expect("valid");
    network.connect((pair, 0), (pair, 1), synapse).expect("valid");
    network.connect((pair, 1), (pair, 0), synapse).expect("valid");
    (network, vec![SourceSpike { time, source: 0 }])
}

#[test]
fn two_neurons_that_excite_each_other_without_delay_are_reported_instead_of_running_for_ever() {
    // From times that stand still to those that creep on by some roundings per spike, at time zero
    // where doubles resolve anything, and late where they resolve little.
    for time in [0.0, 1.0, 1e6] {
        for weight in [1e7, 1e10, 1e12, 1e14, 1e15, 1e16, 1e18, 1e100, 1e300] {
            let (network, stimulus) = ping_pong(weight, 0.0, time);
            let error = run(&network, &stimulus, false, f64::INFINITY).expect_err("endless");
            let EngineError::EndlessSpikes { neuron, time: stuck } = error else {
                panic!("{weight:e} at {time}: {error}");
            };
            assert!(neuron == 1 || neuron == 2);
            assert!(stuck >= time && stuck < time + 1.0, "{weight:e} at {time}: {stuck}");
        }
    }
}

#[test]
fn a_current_that_would_make_a_trillion_spikes_is_reported() {
    for (weight, time) in [(1e13, 0.0), (1e15, 1.0), (1e300, 0.0)] {
        let (network, _) = one_step(NeuronParameters::default(), weight);
        let stimulus = [SourceSpike { time, source: 0 }];
        let error = run(&network, &stimulus, false, f64::INFINITY).expect_err("endless");
        assert!(matches!(error, EngineError::EndlessSpikes { neuron: 1, .. }), "{error}");
    }
    let biased = NeuronParameters { bias_current: 1e14, ..NeuronParameters::default() };
    let (network, stimulus) = one_step(biased, 0.0);
    let error = run(&network, &stimulus, false, 10.0).expect_err("endless");
    assert!(matches!(error, EngineError::EndlessSpikes { neuron: 1, .. }), "{error}");
}

/// Stops a run after a number of spikes.
struct First(usize, Vec<Spike>);

impl Observer for First {
    fn spike(&mut self, node: usize, time: f64) {
        self.1.push(Spike { node: node as u32, time });
    }

    fn wants_to_stop(&self) -> bool {
        self.1.len() >= self.0
    }
}

#[test]
fn fast_spiking_that_does_end_is_not_reported() {
    // A refractory period ends the chase; the pair spikes once per period.
    let (network, stimulus) = ping_pong(1e12, 0.5, 1.0);
    let found = run(&network, &stimulus, false, 3.9).expect("runs").spikes;
    assert_eq!(found.iter().filter(|spike| spike.node == 1).count(), 6);
    // At most one spike each.
    let (network, stimulus) = ping_pong(1e300, 0.0, 1.0);
    assert_eq!(run(&network, &stimulus, true, f64::INFINITY).expect("runs").spikes.len(), 3);
    // A billion spikes per time constant are many, but finitely many.
    let (network, stimulus) = one_step(NeuronParameters::default(), 1e9);
    let network = CompiledNetwork::new(&network);
    let mut first = First(10_000, Vec::new());
    let ran = EventEngine::new(&network, EngineOptions::default()).run(
        &network,
        &stimulus,
        f64::INFINITY,
        &mut first,
    );
    assert!(ran.is_ok() && first.1.len() == 10_000, "{ran:?}");
}

#[test]
fn the_reference_counts_a_maximum_next_to_the_threshold_as_a_close_call() {
    // A lone spike of weight w raises the potential to w/e.
    for (margin, close_calls) in [(1e-11, 1), (-1e-11, 1), (1e-7, 0), (-1e-7, 0)] {
        let weight = std::f64::consts::E * (1.0 + margin);
        let (network, stimulus) = one_step(NeuronParameters::default(), weight);
        let expected = simulate(&network, &stimulus, false, 9.0, 9);
        assert_eq!(expected.close_calls, close_calls, "margin {margin:e}");
        // An arrival that cuts the rise short of the threshold is no close call.
        let mut network = network;
        let (source, _) = network.population("source").expect("there");
        let (neuron, _) = network.population("neuron").expect("there");
        let synapse = Synapse { weight: -1.0, delay: 0.5 };
        network.connect((source, 0), (neuron, 0), synapse).expect("valid");
        assert_eq!(simulate(&network, &stimulus, false, 9.0, 9).close_calls, 0);
    }
}
