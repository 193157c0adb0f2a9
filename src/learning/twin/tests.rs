use rand::RngExt;
use rand_distr::{Distribution, Normal};

use super::*;
use crate::engine::layered::{Arrival, Batch, DerivativesAt, LayeredEngine, Workspace};
use crate::network::{CompiledNetwork, Layer, layered};
use crate::neuron::NeuronParameters;
use crate::random;

const INPUTS: usize = 8;
const NEURONS: usize = 60;
const SAMPLES: usize = 50;

/// A chip with one layer: neurons whose thresholds and delays are not those of the datasheet.
struct Chip {
    thresholds: Vec<f64>,
    delays: Vec<f64>,
    jitter: f64,
}

/// A layer with these thresholds, as the network has it.
fn expected(thresholds: Vec<f64>) -> impl Iterator<Item = ExpectedLayer> {
    std::iter::once(ExpectedLayer { targets: thresholds.clone(), thresholds, tau_s: 1.0 })
}

/// Shows batches of random inputs to a chip, and has a twin learn from them.
fn learn(prior: SubstratePrior, batches: u64, seed: u64, jitter: f64) -> (Twin, Chip) {
    let mut random = random::stream(seed, "twin chip", 0);
    let layer = Layer {
        name: "layer".to_owned(),
        neurons: vec![NeuronParameters::default(); NEURONS],
        bias_sources: 0,
        weights: (0..INPUTS * NEURONS).map(|_| random.random_range(0.1..1.2)).collect(),
        delays: None,
    };
    let network = layered(INPUTS, &[layer]).expect("valid");
    let compiled = CompiledNetwork::new(&network.network);
    let engine = LayeredEngine::<f64>::new(&network, &compiled).expect("supported").batched();
    let mut draw = |mean: f64, spread: f64| {
        let normal = Normal::new(mean, spread).expect("a normal distribution");
        (0..NEURONS).map(|_| normal.sample(&mut random)).collect::<Vec<f64>>()
    };
    let chip = Chip { thresholds: draw(1.0, 0.2), delays: draw(0.1, 0.02), jitter };
    let mut real = engine.clone();
    real.set_thresholds(0, &chip.thresholds);
    let mut twin = Twin::new(&prior, expected(engine.thresholds(0).to_vec()));
    let mut model = engine;
    for batch in 0..batches {
        let mut random = random::stream(seed, "twin batch", batch);
        let mut shown = Batch::default();
        shown.begin(&real, SAMPLES);
        for sample in 0..SAMPLES {
            let inputs =
                (0..INPUTS as u32).map(|row| Arrival { time: random.random_range(0.0..2.0), row });
            *shown.stimulus_mut(sample) = inputs.collect();
        }
        let mut workspace = Workspace::default();
        let bias = [Vec::new()];
        real.forward(&bias, &mut shown, &mut workspace);
        let noise = Normal::new(0.0, chip.jitter).expect("a normal distribution");
        let mut times = vec![0.0; NEURONS];
        for sample in 0..SAMPLES {
            shown.copy_spike_times(&real, 0, sample, &mut times);
            for (time, delay) in times.iter_mut().zip(&chip.delays) {
                *time += delay + noise.sample(&mut random);
            }
            shown.record_spike_times(0, sample, &times);
        }
        model.set_thresholds(0, &twin.thresholds(0));
        model.load_record(&bias, DerivativesAt::Crossings(&[]), &mut shown, &mut workspace);
        let mut observations = twin.no_observations();
        twin.observe(0, model.compare(0, &shown, &workspace), &mut observations[0]);
        twin.learn(&observations);
    }
    (twin, chip)
}

fn rms(errors: impl Iterator<Item = f64>) -> f64 {
    let squares: Vec<f64> = errors.map(|error| error * error).collect();
    (squares.iter().sum::<f64>() / squares.len() as f64).sqrt()
}

#[test]
fn thresholds_and_delays_are_found_as_precisely_as_the_estimates_say() {
    let mut deviations = Vec::new();
    for (seed, jitter) in [(1, 0.02), (2, 0.1), (3, 0.02), (4, 0.1)] {
        let prior = SubstratePrior { jitter, ..SubstratePrior::unknown(1.0) };
        let (twin, chip) = learn(prior, 100, seed, jitter);
        let found = twin.found();
        // Neurons that hardly ever spike are not found.
        let compared = || found.iter().zip(0..).filter(|(neuron, _)| neuron.compared > 1000);
        assert!(compared().count() > NEURONS / 2);
        let thresholds = || compared().map(|(neuron, i)| (neuron.threshold, chip.thresholds[i]));
        let delays = || compared().map(|(neuron, i)| (neuron.delay, chip.delays[i]));
        // Of a spread of 0.2 and a mean of 0.1.
        assert!(rms(thresholds().map(|([mean, _], truth)| mean - truth)) < 0.2 * jitter + 0.002);
        assert!(rms(delays().map(|([mean, _], truth)| mean - truth)) < 0.15 * jitter + 0.002);
        let each = thresholds().chain(delays());
        deviations.extend(each.map(|([mean, spread], truth)| (mean - truth) / spread));
        let noise = twin.noise(0);
        assert!((0.85..1.1).contains(&(noise / jitter)), "{noise} {jitter}");
    }
    let within = |most: f64| {
        let inside = deviations.iter().filter(|deviation: &&f64| deviation.abs() < most).count();
        inside as f64 / deviations.len() as f64
    };
    // Of a normal distribution 68 % and 95 %. The values of a neuron depend on each other, and those of a chip
    // on the inputs that it was shown.
    assert!((0.55..0.85).contains(&within(1.0)), "{}", within(1.0));
    assert!(within(2.0) > 0.85, "{}", within(2.0));
}

#[test]
fn a_state_has_all_of_the_twin() {
    let (twin, _) = learn(SubstratePrior::unknown(1.0), 3, 3, 0.05);
    let mut state = TrainerState::default();
    twin.save(&mut state);
    let fresh = Twin::new(&SubstratePrior::unknown(1.0), expected(vec![1.0; NEURONS]));
    assert_ne!(fresh, twin);
    assert_eq!(fresh.restored(&state), Ok(twin));
    let smaller = Twin::new(&SubstratePrior::unknown(1.0), expected(vec![1.0; NEURONS - 1]));
    assert!(smaller.restored(&state).is_err());
}

#[test]
fn a_record_without_noise_that_the_prior_does_not_expect_is_believed_in_the_end() {
    // The prior is sure of no delay and of hardly any jitter; the chip has five of its deviations.
    let prior = SubstratePrior {
        threshold: [1.0, 0.2],
        delay: [0.0, 0.02],
        jitter: 0.001,
        ..SubstratePrior::unknown(1.0)
    };
    let (twin, chip) = learn(prior, 100, 4, 0.01);
    let found = twin.found();
    let compared = found.iter().zip(&chip.delays).filter(|(neuron, _)| neuron.compared > 1000);
    assert!(rms(compared.map(|(neuron, truth)| neuron.delay[0] - truth)) < 0.01);
}
