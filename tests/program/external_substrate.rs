//! External programs as substrates: those of `examples` against the event engine, and programs that
//! fail in every way that programs fail.

#[cfg(unix)]
mod failing_programs;
#[cfg(unix)]
mod processes;

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use firstspike::chip::{
    Anomalies, Exchange, ExternalSettings, ExternalSubstrate, Presented, Program, Substrate,
};
use firstspike::engine::{EngineOptions, EventEngine, Recording, SourceSpike, Spike};
use firstspike::network::{
    CompiledNetwork, DelayKind, Layer, LayerDelays, LayeredNetwork, layered,
};
use firstspike::neuron::NeuronParameters;
use firstspike::random;
use rand::RngExt;

/// A 4–30–3 network of random weights, and of random synaptic delays if there are to be any.
fn network(seed: u64, delays: bool) -> LayeredNetwork {
    let mut rng = random::stream(seed, "test network", 0);
    let mut layer = |name: &str, size: usize, rows: usize, low: f64, high: f64| {
        let weights = (0..rows * size).map(|_| rng.random_range(low..high)).collect();
        let values = (0..rows * size).map(|_| rng.random_range(0.0..1.0)).collect();
        Layer {
            name: name.to_owned(),
            neurons: vec![NeuronParameters::default(); size],
            bias_sources: 1,
            weights,
            delays: delays.then_some(LayerDelays { kind: DelayKind::Synaptic, values }),
        }
    };
    let layers = [layer("hidden", 30, 5, -0.5, 3.0), layer("label", 3, 31, -0.8, 1.5)];
    layered(4, &layers).expect("valid")
}

/// Weights and delays of a network, in the order of the matrices.
fn values(network: &LayeredNetwork) -> (Vec<f64>, Vec<f64>) {
    let edges = network.network.graph().raw_edges();
    edges.iter().map(|edge| (edge.weight.weight, edge.weight.delay)).unzip()
}

fn program(substrate: &mut ExternalSubstrate, network: &LayeredNetwork) {
    let (weights, delays) = values(network);
    let program = Program { weights: &weights, delays: &delays };
    substrate.program(&program).expect("weights for each synapse");
}

fn samples(network: &LayeredNetwork, seed: u64, count: usize) -> Vec<Presented> {
    let mut rng = random::stream(seed, "test samples", 0);
    let sources: Vec<u32> = network
        .network
        .populations()
        .iter()
        .filter(|population| {
            population.name.starts_with("input") || population.name.ends_with("_bias")
        })
        .flat_map(|population| population.nodes.clone().map(|node| node as u32))
        .collect();
    let mut sample = || Presented {
        stimulus: sources
            .iter()
            .map(|&source| SourceSpike { time: rng.random_range(0.15..2.0), source })
            .collect(),
        ..Presented::default()
    };
    (0..count).map(|_| sample()).collect()
}

/// What the event engine makes of a sample: spikes of neurons.
fn ideal(network: &LayeredNetwork, sample: &Presented) -> Vec<Spike> {
    let compiled = CompiledNetwork::new(&network.network);
    let mut engine = EventEngine::new(&compiled, EngineOptions { at_most_one_spike: true });
    let mut stimulus = sample.stimulus.clone();
    stimulus.sort_by(|a, b| a.time.total_cmp(&b.time));
    let mut record = Recording::default();
    engine.run(&compiled, &stimulus, f64::INFINITY, &mut record).expect("a stimulus in order");
    record.spikes.retain(|spike| compiled.dynamics(spike.node as usize).is_some());
    record.spikes
}

/// The largest distance between spikes of the same neurons; panics if other neurons spiked.
fn largest_difference(
    network: &LayeredNetwork,
    samples: &[Presented],
    found: &[Vec<Spike>],
) -> f64 {
    let mut largest: f64 = 0.0;
    for (sample, found) in samples.iter().zip(found) {
        let by_node = |spikes: &[Spike]| {
            let mut spikes = spikes.to_vec();
            spikes.sort_by_key(|spike| spike.node);
            spikes
        };
        let (expected, found) = (by_node(&ideal(network, sample)), by_node(found));
        let nodes = |spikes: &[Spike]| spikes.iter().map(|spike| spike.node).collect::<Vec<_>>();
        assert_eq!(nodes(&found), nodes(&expected));
        for (found, expected) in found.iter().zip(&expected) {
            largest = largest.max((found.time - expected.time).abs());
        }
    }
    largest
}

fn settings(command: &[&str], exchange: Exchange, timeout: f64) -> ExternalSettings {
    ExternalSettings {
        command: command.iter().map(|&word| word.to_owned()).collect(),
        timeout: Duration::from_secs_f64(timeout),
        exchange,
        time_unit: "tau_s".to_owned(),
    }
}

fn examples() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples")
}

/// The Python to use, if it has what a module needs.
pub(super) fn python(module: &str) -> Option<String> {
    let python = std::env::var("PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let has = Command::new(&python).args(["-c", &format!("import {module}")]).output();
    if has.is_ok_and(|output| output.status.success()) {
        return Some(python);
    }
    eprintln!("NOT TESTED: `{python}` has no module `{module}` (set PYTHON to one that has it)");
    None
}

#[test]
fn the_python_example_agrees_with_the_event_engine() {
    let Some(python) = python("csv") else { return };
    for delays in [false, true] {
        let first = network(1, delays);
        let settings = settings(&[&python, "substrate.py"], Exchange::Streams, 60.0);
        let mut substrate = ExternalSubstrate::new(&first, settings, &examples()).expect("started");
        // One program for different weights and batches of different sizes.
        for (seed, count) in [(1, 40), (2, 10), (2, 1)] {
            let network = network(seed, delays);
            program(&mut substrate, &network);
            let samples = samples(&network, seed, count);
            let found = substrate.present(&samples).expect("an answer");
            let difference = largest_difference(&network, &samples, &found);
            assert!(difference < 1e-9, "{difference}");
        }
        let expected = Anomalies { samples: 51, ..Anomalies::default() };
        let anomalies = substrate.anomalies();
        assert_eq!(Anomalies { samples_without_label: 0, ..anomalies }, expected);
    }
}

#[cfg(unix)]
#[test]
fn the_shell_example_agrees_with_the_event_engine_to_its_step() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let exchange = Exchange::Files { folder: folder.path().join("exchange") };
    let network = network(1, true);
    let settings = settings(&["./substrate.sh"], exchange, 60.0);
    let mut substrate = ExternalSubstrate::new(&network, settings, &examples()).expect("a folder");
    program(&mut substrate, &network);
    for seed in [1, 2] {
        let samples = samples(&network, seed, 5);
        let found = substrate.present(&samples).expect("an answer");
        let difference = largest_difference(&network, &samples, &found);
        assert!(0.0 < difference && difference < 0.01, "{difference}");
    }
    let files = ["network.csv", "spikes.csv", "stimulus.csv", "weights.csv"];
    for file in files {
        assert!(folder.path().join("exchange").join(file).is_file(), "{file}");
    }
}

#[test]
fn the_brian2_example_agrees_with_the_event_engine_to_its_step() {
    let Some(python) = python("brian2") else { return };
    for (step, delays) in [(0.01, false), (0.01, true), (0.001, true)] {
        let network = network(1, delays);
        let command = [&python, "substrate_brian2.py", "--step", &step.to_string()];
        let settings = settings(&command, Exchange::Streams, 120.0);
        let mut substrate =
            ExternalSubstrate::new(&network, settings, &examples()).expect("started");
        program(&mut substrate, &network);
        for (seed, count) in [(1, 20), (2, 20), (3, 5)] {
            let samples = samples(&network, seed, count);
            let found = substrate.present(&samples).expect("an answer");
            let difference = largest_difference(&network, &samples, &found);
            // Spikes and delays are rounded to the step, in both layers.
            assert!(0.0 < difference && difference < 5.0 * step, "{difference}");
        }
    }
}

#[cfg(unix)]
#[test]
fn the_examples_refuse_neurons_that_they_cannot_simulate() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let neurons = vec![NeuronParameters { tau_s_inhibitory: 2.0, ..NeuronParameters::default() }];
    let name = "label".to_owned();
    let layer = Layer { name, neurons, bias_sources: 0, weights: vec![4.0], delays: None };
    let network = layered(1, &[layer]).expect("valid");
    let files = Exchange::Files { folder: folder.path().to_owned() };
    let mut commands = vec![(vec!["./substrate.sh".to_owned()], files)];
    let python =
        |module, file: &str| Some((vec![python(module)?, file.to_owned()], Exchange::Streams));
    commands.extend(python("csv", "substrate.py"));
    commands.extend(python("brian2", "substrate_brian2.py"));
    for (command, exchange) in commands {
        let words: Vec<&str> = command.iter().map(String::as_str).collect();
        let settings = settings(&words, exchange, 60.0);
        let mut substrate =
            ExternalSubstrate::new(&network, settings, &examples()).expect("started");
        program(&mut substrate, &network);
        let error = substrate.present(&[Presented::default()]).expect_err("refused").to_string();
        assert!(error.contains("exit code 1") && error.contains("last wrote"), "{error}");
        assert!(error.contains("tau_m = tau_s") || error.contains("tau_s_inhibitory"), "{error}");
    }
}
