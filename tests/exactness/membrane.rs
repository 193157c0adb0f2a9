//! Membrane potentials after the fact agree with a plain sum of exponentials, and with what a spike
//! is: the threshold when it happens, the reset potential for as long as it lasts.

use std::ops::Range;

use firstspike::engine::{EngineOptions, EventEngine, Observer, SourceSpike};
use firstspike::membrane::SpikeTrains;
use firstspike::network::{CompiledNetwork, Network, PopulationId, Synapse};
use firstspike::neuron::{NeuronParameters, State};
use firstspike::random;
use rand::RngExt;
use rand::rngs::ChaCha8Rng;

const SOURCES: usize = 20;
const NEURONS: usize = 30;
const UNTIL: f64 = 200.0;

/// A run of a random recurrent network of neurons no two of which are alike.
struct Run {
    network: CompiledNetwork,
    parameters: Vec<NeuronParameters>,
    options: EngineOptions,
    /// Spikes by node.
    spikes: Vec<Vec<f64>>,
    trains: SpikeTrains,
}

/// Sees every spike twice: as a plain list by node, and as the module under test does.
struct Both {
    spikes: Vec<Vec<f64>>,
    trains: SpikeTrains,
}

impl Observer for Both {
    fn spike(&mut self, node: usize, time: f64) {
        self.spikes[node].push(time);
        self.trains.spike(node, time);
    }
}

fn between(random: &mut ChaCha8Rng, range: Range<f64>) -> f64 {
    random.random_range(range)
}

fn neuron(random: &mut ChaCha8Rng) -> NeuronParameters {
    let leak_potential = between(random, -70.0..-60.0);
    let threshold = leak_potential + between(random, 8.0..12.0);
    NeuronParameters {
        tau_m: between(random, 15.0..25.0),
        tau_s: between(random, 2.0..6.0),
        tau_s_inhibitory: between(random, 7.0..12.0),
        capacitance: between(random, 3.0..5.0),
        leak_potential,
        reset_potential: leak_potential - between(random, 0.0..5.0),
        threshold,
        refractory_period: between(random, 0.0..4.0),
        bias_current: between(random, -0.5..2.5),
        initial_potential: between(random, leak_potential - 5.0..threshold),
        initial_current: between(random, 0.0..5.0),
        initial_inhibitory_current: between(random, -5.0..0.0),
    }
}

fn run(seed: u64, options: EngineOptions) -> Run {
    let mut random = random::stream(seed, "membrane test", 0);
    let parameters: Vec<_> = (0..NEURONS).map(|_| neuron(&mut random)).collect();
    let mut network = Network::new();
    network.add_sources("sources", SOURCES).expect("new");
    network.add_neurons("neurons", parameters.iter().copied()).expect("valid");
    let ids = [PopulationId(0), PopulationId(1)];
    for (pre, size) in [(ids[0], SOURCES), (ids[1], NEURONS)] {
        for _ in 0..size * 8 {
            let (from, to) = (random.random_range(0..size), random.random_range(0..NEURONS));
            // Delays in steps, so that many arrivals coincide; some there are none of.
            let delay = f64::from(random.random_range(0..8_u8)) * 0.5;
            let synapse = Synapse { weight: between(&mut random, -6.0..8.0), delay };
            network.connect((pre, from), (ids[1], to), synapse).expect("valid");
        }
    }
    let mut stimulus: Vec<SourceSpike> = (0..SOURCES * 20)
        .map(|_| SourceSpike {
            time: (between(&mut random, 0.0..UNTIL) * 2.0).floor() * 0.5,
            source: random.random_range(0..SOURCES as u32),
        })
        .collect();
    stimulus.sort_by(|a, b| a.time.total_cmp(&b.time));

    let network = CompiledNetwork::new(&network);
    let mut both = Both {
        spikes: vec![Vec::new(); network.node_count()],
        trains: SpikeTrains::new(&network, SOURCES..SOURCES + NEURONS),
    };
    let mut engine = EventEngine::new(&network, options);
    engine.run(&network, &stimulus, UNTIL, &mut both).expect("no endless spikes");
    Run { network, parameters, options, spikes: both.spikes, trains: both.trains }
}

impl Run {
    fn states(&self, neuron: usize, times: &[f64]) -> Vec<State> {
        let node = SOURCES + neuron;
        self.trains.states(&self.network, node, self.options, times).expect("recorded")
    }

    fn potentials(&self, neuron: usize, times: &[f64]) -> Vec<f64> {
        let dynamics = self.network.dynamics(SOURCES + neuron).expect("a neuron");
        let states = self.states(neuron, times);
        states.iter().map(|state| dynamics.membrane_potential(state)).collect()
    }

    /// Potential and currents by summing an exponential for everything that has ever arrived.
    fn brute_force(&self, neuron: usize, time: f64) -> (f64, f64, f64) {
        let p = &self.parameters[neuron];
        let mut arrivals = vec![
            (0.0, p.initial_current, p.tau_s),
            (0.0, p.initial_inhibitory_current, p.tau_s_inhibitory),
        ];
        for incoming in self.network.incoming(SOURCES + neuron) {
            let synapse = incoming.synapse as usize;
            let weight = self.network.weights()[synapse];
            let tau = if weight < 0.0 { p.tau_s_inhibitory } else { p.tau_s };
            for spike in &self.spikes[incoming.pre as usize] {
                let arrival = spike + self.network.delays()[synapse];
                if arrival < time {
                    arrivals.push((arrival, weight, tau));
                }
            }
        }
        let current = |tau: f64| -> f64 {
            let own = arrivals.iter().filter(|arrival| arrival.2 == tau);
            own.map(|(arrival, weight, _)| weight * (-(time - arrival) / tau).exp()).sum()
        };
        let currents = (current(p.tau_s), current(p.tau_s_inhibitory));

        let last = self.spikes[SOURCES + neuron].iter().rev().find(|&&spike| spike < time);
        let (free, from) = match last {
            None => (0.0, p.initial_potential),
            Some(_) if self.options.at_most_one_spike => (f64::INFINITY, p.reset_potential),
            Some(spike) => (spike + p.refractory_period, p.reset_potential),
        };
        if time <= free {
            return (from, currents.0, currents.1);
        }
        let decay = (-(time - free) / p.tau_m).exp();
        let mut potential = p.leak_potential
            + (from - p.leak_potential) * decay
            + p.bias_current * p.tau_m / p.capacitance * (1.0 - decay);
        for (arrival, weight, tau) in arrivals {
            // What is left of it when the neuron is free, and since when it acts.
            let start = arrival.max(free);
            let left = weight * (-(start - arrival) / tau).exp();
            let elapsed = time - start;
            let kernel =
                ((-elapsed / p.tau_m).exp() - (-elapsed / tau).exp()) / (1.0 / tau - 1.0 / p.tau_m);
            potential += left * kernel / p.capacitance;
        }
        (potential, currents.0, currents.1)
    }
}

#[test]
fn the_potential_at_a_spike_is_the_threshold_and_after_it_the_reset() {
    let mut spikes = 0;
    for seed in 1..=5 {
        let run = run(seed, EngineOptions::default());
        for (neuron, parameters) in run.parameters.iter().enumerate() {
            let times = &run.spikes[SOURCES + neuron];
            for potential in run.potentials(neuron, times) {
                let error = (potential - parameters.threshold).abs();
                assert!(error <= 1e-12 * parameters.threshold.abs(), "off by {error:e}");
                spikes += 1;
            }
            let held: Vec<f64> = times
                .iter()
                .flat_map(|spike| {
                    [1e-9, 0.3, 1.0].map(|part| spike + part * parameters.refractory_period)
                })
                .filter(|&time| time <= UNTIL)
                .collect();
            for (time, potential) in held.iter().zip(run.potentials(neuron, &held)) {
                let error = (potential - parameters.reset_potential).abs();
                assert!(error <= 1e-12 * potential.abs(), "off by {error:e} at {time}");
            }
        }
    }
    assert!(spikes > 500, "only {spikes} spikes");
}

#[test]
fn potentials_and_currents_agree_with_a_sum_of_exponentials() {
    for (seed, at_most_one_spike) in [(6, false), (7, false), (8, true)] {
        let run = run(seed, EngineOptions { at_most_one_spike });
        // A grid that meets arrivals, and times that meet nothing.
        let times: Vec<f64> = (0..=500).map(|step| f64::from(step) * 0.4).collect();
        for neuron in 0..NEURONS {
            let potentials = run.potentials(neuron, &times);
            let states = run.states(neuron, &times);
            for ((&time, potential), state) in times.iter().zip(potentials).zip(states) {
                let expected = run.brute_force(neuron, time);
                let found = (potential, state.current, state.inhibitory_current);
                let close = |a: f64, b: f64| (a - b).abs() <= 1e-11 * (1.0 + a.abs() + b.abs());
                assert!(
                    close(found.0, expected.0)
                        && close(found.1, expected.1)
                        && close(found.2, expected.2),
                    "neuron {neuron} at {time}: {found:?}, but {expected:?}"
                );
            }
        }
    }
}

#[test]
fn at_time_zero_the_state_is_the_initial_one_and_sources_have_none() {
    let run = run(9, EngineOptions::default());
    for neuron in 0..NEURONS {
        let initial = run.network.dynamics(SOURCES + neuron).expect("a neuron").initial_state();
        assert_eq!(run.states(neuron, &[0.0]), [initial]);
    }
    assert_eq!(run.trains.states(&run.network, 0, run.options, &[0.0]), None);
    let nothing = SpikeTrains::new(&run.network, []);
    assert_eq!(nothing.states(&run.network, SOURCES, run.options, &[0.0]), None);
}
