use super::super::{Recording, Spike};
use super::*;
use crate::network::{Network, Receptor, Synapse};
use crate::neuron::{Dynamics, NeuronParameters, first_spike};

fn one_neuron(parameters: NeuronParameters, weights: &[f64]) -> CompiledNetwork {
    let mut network = Network::new();
    let input = network.add_sources("input", weights.len()).expect("new");
    let neuron = network.add_neurons("neuron", [parameters]).expect("valid");
    for (index, &weight) in weights.iter().enumerate() {
        let synapse = Synapse { weight, delay: 0.0 };
        network.connect((input, index), (neuron, 0), synapse).expect("valid");
    }
    CompiledNetwork::new(&network)
}

fn run(
    network: &CompiledNetwork,
    options: EngineOptions,
    stimulus: &[(f64, u32)],
    until: f64,
) -> Result<Vec<Spike>, EngineError> {
    let stimulus: Vec<_> =
        stimulus.iter().map(|&(time, source)| SourceSpike { time, source }).collect();
    let mut recording = Recording::default();
    EventEngine::new(network, options).run(network, &stimulus, until, &mut recording)?;
    Ok(recording.spikes)
}

#[test]
fn agrees_with_the_single_neuron() {
    let parameters = NeuronParameters { tau_m: 3.0, ..NeuronParameters::default() };
    let weights = [2.0, -1.0, 3.0, 4.0];
    let network = one_neuron(parameters, &weights);
    let stimulus = [(0.1, 0), (0.4, 1), (0.4, 2), (0.7, 3)];
    let spikes = run(&network, EngineOptions::default(), &stimulus, 0.72).expect("runs");
    let inputs = stimulus.map(|(time, source)| (time, weights[source as usize]));
    let dynamics = Dynamics::new(&parameters).expect("valid");
    let expected = first_spike(&dynamics, &inputs).map(|crossing| crossing.elapsed);
    let found = spikes.iter().find(|spike| spike.node == 4).map(|spike| spike.time);
    assert_eq!(found, expected);
}

#[test]
fn a_constant_current_fires_with_the_textbook_period() {
    let (bias_current, refractory_period) = (2.0, 0.5);
    let parameters =
        NeuronParameters { bias_current, refractory_period, ..NeuronParameters::default() };
    let network = one_neuron(parameters, &[0.0]);
    let spikes = run(&network, EngineOptions::default(), &[], 10.0).expect("runs");
    // Interval: the refractory period and τ_m ln(I/(I − ϑ)) from reset to threshold.
    let period = refractory_period + 2.0f64.ln();
    assert_eq!(spikes.len(), 8);
    for (index, spike) in spikes.iter().enumerate() {
        let expected = 2.0f64.ln() + index as f64 * period;
        assert!((spike.time - expected).abs() < 1e-14);
    }
}

#[test]
fn ring_with_delays_passes_a_spike_around() {
    // Neurons that a spike of this weight brings to threshold after exactly t = 0.1.
    let mut network = Network::new();
    let input = network.add_sources("input", 1).expect("new");
    let parameters = NeuronParameters { refractory_period: 1.0, ..NeuronParameters::default() };
    let ring = network.add_neurons("ring", vec![parameters; 3]).expect("valid");
    let weight = 10.0 * 0.1f64.exp();
    network.connect((input, 0), (ring, 0), Synapse { weight, delay: 0.0 }).expect("valid");
    for index in 0..3 {
        network
            .connect((ring, index), (ring, (index + 1) % 3), Synapse { weight, delay: 20.0 })
            .expect("valid");
    }
    let network = CompiledNetwork::new(&network);
    let spikes = run(&network, EngineOptions::default(), &[(0.0, 0)], 150.0).expect("runs");
    let first_of_each_lap: Vec<_> =
        spikes.iter().filter(|spike| spike.node != 0).map(|spike| spike.time).collect();
    // The surviving current makes neurons burst after their refractory period; the first
    // spikes follow each other by delay and rise time.
    assert!((first_of_each_lap[0] - 0.1).abs() < 1e-14);
    assert!(first_of_each_lap.iter().any(|time| (time - 20.2).abs() < 1e-13));
    assert!(first_of_each_lap.iter().any(|time| (time - 40.3).abs() < 1e-13));
}

#[test]
fn at_most_one_spike_is_kept() {
    let network = one_neuron(NeuronParameters::default(), &[20.0]);
    let stimulus = [(0.0, 0), (5.0, 0), (10.0, 0)];
    let count = |options| {
        let spikes = run(&network, options, &stimulus, f64::INFINITY).expect("runs");
        spikes.iter().filter(|spike| spike.node == 1).count()
    };
    assert!(count(EngineOptions::default()) > 3);
    assert_eq!(count(EngineOptions { at_most_one_spike: true }), 1);
}

#[test]
fn an_input_at_the_moment_of_a_crossing_comes_too_late_to_prevent_it() {
    let network = one_neuron(NeuronParameters::default(), &[10.0, -1000.0]);
    let lone =
        run(&network, EngineOptions { at_most_one_spike: true }, &[(0.0, 0)], 9.0).expect("runs");
    let time = lone[1].time;
    let tied =
        run(&network, EngineOptions { at_most_one_spike: true }, &[(0.0, 0), (time, 1)], 9.0)
            .expect("runs");
    assert_eq!(tied.iter().map(|spike| spike.node).collect::<Vec<_>>(), [0, 2, 1]);
    let earlier = time * (1.0 - 1e-15);
    let prevented =
        run(&network, EngineOptions { at_most_one_spike: true }, &[(0.0, 0), (earlier, 1)], 9.0)
            .expect("runs");
    assert_eq!(prevented.iter().map(|spike| spike.node).collect::<Vec<_>>(), [0, 1]);
}

#[test]
fn endless_spikes_and_bad_stimuli_are_reported() {
    // Spikes 1e-18 apart cannot be told apart at time one.
    let network = one_neuron(NeuronParameters::default(), &[1e18]);
    let error = run(&network, EngineOptions::default(), &[(1.0, 0)], 10.0).expect_err("stuck");
    assert!(matches!(error, EngineError::EndlessSpikes { neuron: 1, .. }), "{error}");

    let network = one_neuron(NeuronParameters::default(), &[1.0]);
    let fails = |stimulus: &[(f64, u32)]| {
        run(&network, EngineOptions::default(), stimulus, 10.0).expect_err("bad stimulus")
    };
    assert_eq!(fails(&[(1.0, 0), (0.5, 0)]), EngineError::Stimulus { index: 1, time: 0.5 });
    assert_eq!(fails(&[(-1.0, 0)]), EngineError::Stimulus { index: 0, time: -1.0 });
    assert_eq!(fails(&[(1.0, 1)]), EngineError::NotASource { index: 0, node: 1 });
    assert!(matches!(fails(&[(f64::NAN, 0)]), EngineError::Stimulus { .. }));
}

/// A random recurrent network with ties, zero delays and all kinds of neurons, and a stimulus.
fn random_case(seed: u64) -> (CompiledNetwork, Vec<SourceSpike>) {
    use rand::RngExt;
    let mut random = crate::random::stream(seed, "engine test", 0);
    let mut network = Network::new();
    let input = network.add_sources("input", 5).expect("new");
    let kinds: Vec<NeuronParameters> = (0..3)
        .map(|_| NeuronParameters {
            tau_m: [0.5, 1.0, 2.0, 7.0, f64::INFINITY][random.random_range(0..5)],
            bias_current: [0.0, 0.0, -0.2, 0.3, 1.5][random.random_range(0..5)],
            refractory_period: [0.0, 0.3, 2.0][random.random_range(0..3)],
            ..NeuronParameters::default()
        })
        .collect();
    let neurons: Vec<NeuronParameters> = (0..12).map(|i| kinds[i % 3]).collect();
    let neurons = network.add_neurons("neurons", neurons).expect("valid");
    for (pre, size) in [(input, 5), (neurons, 12)] {
        for from in 0..size {
            for to in 0..12 {
                if random.random::<f64>() < 0.4 {
                    let weight = random.random_range(-1.0..1.8);
                    let delay = [0.0, 0.5, 0.5, 1.3][random.random_range(0..4)];
                    let synapse = Synapse { weight, delay };
                    network.connect((pre, from), (neurons, to), synapse).expect("valid");
                }
            }
        }
    }
    let mut stimulus: Vec<SourceSpike> = (0..40)
        .map(|_| SourceSpike {
            time: f64::from(random.random_range(0..60u32)) * 0.25,
            source: random.random_range(0..5),
        })
        .collect();
    stimulus.sort_by(|a, b| a.time.total_cmp(&b.time));
    (CompiledNetwork::new(&network), stimulus)
}

/// Records up to a thousand spikes: recurrent excitation may never end.
#[derive(Default)]
struct Capped(Recording);

impl Observer for Capped {
    fn spike(&mut self, node: usize, time: f64) {
        self.0.spike(node, time);
    }

    fn wants_to_stop(&self) -> bool {
        self.0.spikes.len() >= 1000
    }
}

#[test]
fn putting_crossings_off_changes_no_bit() {
    let mut spikes = 0;
    for seed in 0..400 {
        let (network, stimulus) = random_case(seed);
        for at_most_one_spike in [false, true] {
            let options = EngineOptions { at_most_one_spike };
            let run = |defers| {
                let mut engine = EventEngine { defers, ..EventEngine::new(&network, options) };
                let mut recording = Capped::default();
                let ran = engine.run(&network, &stimulus, 20.0, &mut recording);
                (ran, recording.0)
            };
            let deferred = run(true);
            spikes += deferred.1.spikes.len();
            assert_eq!(deferred, run(false), "seed {seed}");
        }
    }
    assert!(spikes > 50_000, "too quiet to prove anything: {spikes} spikes");
}

#[test]
fn a_synapse_acts_through_the_receptor_it_was_connected_to() {
    let parameters =
        NeuronParameters { tau_s: 1.0, tau_s_inhibitory: 4.0, ..NeuronParameters::default() };
    let spike_with = |receptor, weight: f64| {
        let mut network = Network::new();
        let input = network.add_sources("input", 1).expect("new");
        let neuron = network.add_neurons("neuron", [parameters]).expect("valid");
        let synapse = Synapse { weight, delay: 0.0 };
        network.connect_to_receptor((input, 0), (neuron, 0), synapse, receptor).expect("valid");
        let network = CompiledNetwork::new(&network);
        let options = EngineOptions { at_most_one_spike: true };
        run(&network, options, &[(0.0, 0)], 50.0).expect("runs").get(1).map(|spike| spike.time)
    };
    let alone = |tau_s| {
        let parameters = NeuronParameters { tau_s, tau_s_inhibitory: tau_s, ..parameters };
        let dynamics = Dynamics::new(&parameters).expect("valid");
        first_spike(&dynamics, &[(0.0, 2.0)]).map(|crossing| crossing.elapsed)
    };
    // A weight of 2 stays below the threshold through the fast receptor, and crosses through the
    // slow one.
    assert_eq!(spike_with(Receptor::BySign, 2.0), alone(1.0));
    assert_eq!(spike_with(Receptor::Excitatory, 2.0), None);
    let slow = spike_with(Receptor::Inhibitory, 2.0).expect("crosses");
    // Two solvers of one equation: a few roundings apart.
    assert!((slow - alone(4.0).expect("crosses")).abs() < 1e-14);
}
