//! The feed-forward engine against its slow twin, the event engine: the same spikes and the same
//! gradients on random layered networks and on trained ones.

use std::ops::ControlFlow;

use firstspike::engine::feed_forward::{
    Arrival, Element, FeedForwardNetwork, SamplePass, Workspace,
};
use firstspike::engine::{EngineOptions, EventEngine, SourceSpike};
use firstspike::learning::{BackwardPass, FirstSpikes, LearningEngine, Trainer, TrainingSettings};
use firstspike::network::{CompiledNetwork, Layer, LayeredNetwork, layered};
use firstspike::neuron::{CausalInput, NeuronParameters, crossing_derivatives};
use firstspike::{random, scenario};
use pulp::Arch;
use rand::RngExt;
use rand::rngs::ChaCha8Rng;
use rand_distr::Normal;

/// A random layered network with one stimulus.
struct Case {
    network: LayeredNetwork,
    compiled: CompiledNetwork,
    stimulus: Vec<SourceSpike>,
}

fn case(random: &mut ChaCha8Rng, tau_m: f64) -> Case {
    let tau_s: f64 = if random.random_bool(0.5) { 1.0 } else { random.random_range(0.5..8.0) };
    let neuron = NeuronParameters {
        tau_m: tau_m * tau_s,
        tau_s,
        tau_s_inhibitory: tau_s,
        capacitance: tau_s * random.random_range(0.5..2.0),
        leak_potential: -65.0,
        reset_potential: -70.0,
        initial_potential: -65.0,
        threshold: -64.0,
        ..NeuronParameters::default()
    };
    let inputs = random.random_range(1..60);
    let mut rows = inputs;
    let layers: Vec<Layer> = (0..random.random_range(1..4))
        .map(|index| {
            let size = random.random_range(1..70);
            let bias_sources = random.random_range(0..3);
            let sources = rows + bias_sources;
            // So that most neurons spike, and many do not.
            let mean = random.random_range(0.5..4.0) * 2.7 / (sources as f64).max(3.0);
            let weight = Normal::new(mean, random.random_range(0.2..2.0) * mean).expect("positive");
            rows = size;
            Layer {
                name: format!("layer_{index}"),
                neurons: (0..size)
                    .map(|_| NeuronParameters {
                        threshold: neuron.threshold + random.random_range(-0.2..0.2),
                        ..neuron
                    })
                    .collect(),
                bias_sources,
                weights: (0..sources * size).map(|_| random.sample(weight)).collect(),
                delays: None,
            }
        })
        .collect();
    let network = layered(inputs, &layers).expect("valid");
    let compiled = CompiledNetwork::new(&network.network);
    let late = random.random_range(0.5..6.0) * tau_s;
    let mut stimulus = Vec::new();
    for source in 0..compiled.node_count() {
        if compiled.dynamics(source).is_none() && random.random_bool(0.9) {
            let time: f64 = random.random_range(0.0..late);
            // Some come together.
            let time = if random.random_bool(0.3) { (time * 4.0).round() / 4.0 } else { time };
            stimulus.push(SourceSpike { time, source: source as u32 });
        }
    }
    stimulus.sort_by(|a, b| a.time.total_cmp(&b.time).then(a.source.cmp(&b.source)));
    Case { network, compiled, stimulus }
}

/// What an engine made of a case: spike times by node, and gradients for random derivatives of a loss
/// by the label neurons' times.
struct Outcome {
    times: Vec<f64>,
    gradients: Vec<f64>,
}

fn by_event_engine(case: &Case, by_label_time: &[f64]) -> Outcome {
    let mut engine = EventEngine::new(&case.compiled, EngineOptions { at_most_one_spike: true });
    let mut record = FirstSpikes::new(case.compiled.node_count());
    engine.run(&case.compiled, &case.stimulus, f64::INFINITY, &mut record).expect("runs");
    let mut pass = BackwardPass::new(&case.compiled);
    let labels = case.network.layers[case.network.layers.len() - 1];
    let labels = case.network.network.populations()[labels.0].nodes.clone();
    for (node, &by_time) in labels.zip(by_label_time) {
        pass.time_gradients[node] = by_time;
    }
    record.backpropagate(&case.compiled, None, &mut pass);
    Outcome { times: record.times().to_vec(), gradients: pass.weight_gradients }
}

fn by_feed_forward_engine<T: Element>(case: &Case, by_label_time: &[f64]) -> Outcome {
    by_instructions::<T>(case, by_label_time, Arch::new())
}

fn by_instructions<T: Element>(case: &Case, by_label_time: &[f64], arch: Arch) -> Outcome {
    let network = FeedForwardNetwork::<T>::new(&case.network, &case.compiled).expect("supported");
    let network = network.on(arch);
    let mut bias = vec![Vec::new(); network.layer_count()];
    for spike in &case.stimulus {
        for (layer, bias) in bias.iter_mut().enumerate() {
            if let Some(row) = network.row_of_source(layer, spike.source as usize) {
                bias.push(Arrival { time: spike.time, row });
            }
        }
    }
    let mut pass = SamplePass::new(&network);
    let mut workspace = Workspace::default();
    pass.layers[0].inputs.arrivals = bias[0].clone();
    network.forward(&bias, &mut pass, &mut workspace);
    network.backward(by_label_time, None, &mut pass, &mut workspace);

    let mut times = vec![f64::INFINITY; case.compiled.node_count()];
    for spike in &case.stimulus {
        times[spike.source as usize] = spike.time;
    }
    let mut gradients = vec![0.0; case.compiled.synapse_count()];
    let passes = [pass];
    for layer in 0..network.layer_count() {
        let nodes = network.neurons(layer);
        let count = nodes.len();
        times[nodes].copy_from_slice(&passes[0].layers[layer].spikes.times[..count]);
        let tiling = network.tiling(layer);
        let mut tiled = vec![T::default(); tiling.value_count()];
        for tile in tiling.tiles() {
            let sums = &mut tiled[tile.start..tile.start + tile.width * tiling.rows];
            network.weight_gradients(layer, &tile, &passes, sums);
        }
        let first = network.first_synapse(layer);
        tiling.gather(&tiled, &mut gradients[first..first + tiling.rows * tiling.columns]);
    }
    Outcome { times, gradients }
}

/// The smallest slope of the potential at a spike, relative to threshold and synaptic time constant: how
/// well conditioned a case is.
fn smallest_slope(case: &Case, times: &[f64]) -> f64 {
    let mut smallest = f64::INFINITY;
    let mut derivatives = Vec::new();
    for (node, &time) in times.iter().enumerate() {
        let Some(dynamics) = case.compiled.dynamics(node).filter(|_| time.is_finite()) else {
            continue;
        };
        let inputs: Vec<CausalInput> = case
            .compiled
            .incoming(node)
            .iter()
            .map(|input| CausalInput {
                arrival: times[input.pre as usize],
                weight: case.compiled.weights()[input.synapse as usize],
                inhibitory: false,
            })
            .filter(|input| input.arrival < time)
            .collect();
        let slope = crossing_derivatives(dynamics, time, &inputs, &mut derivatives);
        smallest = smallest.min(slope * dynamics.tau_s());
    }
    smallest
}

fn label_count(case: &Case) -> usize {
    let labels = case.network.layers[case.network.layers.len() - 1];
    case.network.network.populations()[labels.0].nodes.len()
}

/// The two engines round differently. A time inherits an error of the potential divided by its slope, and
/// a gradient, which divides by the slope that this time has, once more. With slopes of a thousandth and
/// more the bounds are those of the design, 1e-9; below, they grow with the condition of the case.
#[test]
fn spikes_and_gradients_agree_with_the_event_engine() {
    let ratios = [1.0, 2.0, f64::INFINITY, 1.0 + 1e-9, 1.001, 0.3, 3.0, 20.0];
    let (mut spikes, mut silent, mut well_conditioned) = (0, 0, 0);
    let (mut worst_time, mut worst_gradient) = (0.0_f64, 0.0_f64);
    for (index, ratio) in (0..2000).zip(ratios.into_iter().cycle()) {
        let random = &mut random::stream(1, "feed-forward test", index);
        let case = case(random, ratio);
        let labels = label_count(&case);
        let by_label_time: Vec<f64> = (0..labels).map(|_| random.random_range(-1.0..1.0)).collect();
        let slow = by_event_engine(&case, &by_label_time);
        let fast = by_feed_forward_engine::<f64>(&case, &by_label_time);
        let slope = smallest_slope(&case, &slow.times).min(1.0);
        well_conditioned += usize::from(slope >= 1e-3);
        let tau_s = case.compiled.distinct_dynamics()[0].tau_s();
        for (node, (&expected, &found)) in slow.times.iter().zip(&fast.times).enumerate() {
            assert_eq!(expected.is_finite(), found.is_finite(), "case {index}, node {node}");
            if expected.is_finite() {
                spikes += 1;
                let error = (expected - found).abs() / tau_s;
                assert!(
                    error < 1e-9_f64.max(1e-13 / slope),
                    "case {index}, node {node}: {error:e}"
                );
                worst_time = worst_time.max(error);
            } else {
                silent += 1;
            }
        }
        // Gradients that are small beside the others owe their digits to a cancellation.
        let largest = slow.gradients.iter().fold(0.0_f64, |most, value| most.max(value.abs()));
        let pairs = slow.gradients.iter().zip(&fast.gradients);
        for (synapse, (&expected, &found)) in pairs.enumerate() {
            let error = (expected - found).abs() / expected.abs().max(1e-3 * largest);
            if largest > 0.0 {
                let bound = 1e-9_f64.max(1e-14 / (slope * slope));
                assert!(
                    error < bound,
                    "case {index}, synapse {synapse}: {found:e} {expected:e}, slope {slope:e}"
                );
                worst_gradient = worst_gradient.max(error);
            }
        }
    }
    println!(
        "{spikes} spikes, {silent} silent neurons, {well_conditioned} of 2000 cases with slopes above \
         1e-3; worst errors: times {worst_time:e}, gradients {worst_gradient:e}"
    );
    assert!(spikes > 100_000 && silent > 10_000 && well_conditioned > 1000);
}

/// Machines without vector instructions round each product, and sum in another order.
#[test]
fn scalar_instructions_give_the_same_to_rounding() {
    for index in 0..300 {
        let random = &mut random::stream(3, "feed-forward test", index);
        let case = case(random, [1.0, 2.0, f64::INFINITY, 0.4][index as usize % 4]);
        let by_label_time: Vec<f64> =
            (0..label_count(&case)).map(|_| random.random_range(-1.0..1.0)).collect();
        let vectors = by_feed_forward_engine::<f64>(&case, &by_label_time);
        let scalars = by_instructions::<f64>(&case, &by_label_time, Arch::Scalar);
        let largest = vectors.gradients.iter().fold(0.0_f64, |most, value| most.max(value.abs()));
        for (&expected, &found) in vectors.times.iter().zip(&scalars.times) {
            assert!(expected == found || (expected - found).abs() < 1e-9, "case {index}");
        }
        for (&expected, &found) in vectors.gradients.iter().zip(&scalars.gradients) {
            assert!((expected - found).abs() <= 1e-9 * largest, "case {index}");
        }
    }
}

/// In single precision the sums have errors of 1e-7 of their largest term; a time divides that by the
/// slope, and passes it on to the next layer.
#[test]
fn single_precision_errs_as_documented() {
    let mut errors = Vec::new();
    let mut disagreements = 0;
    for index in 0..500 {
        let random = &mut random::stream(2, "feed-forward test", index);
        let case = case(random, [1.0, 2.0][index as usize % 2]);
        let by_label_time = vec![0.0; label_count(&case)];
        let double = by_feed_forward_engine::<f64>(&case, &by_label_time);
        let single = by_feed_forward_engine::<f32>(&case, &by_label_time);
        let tau_s = case.compiled.distinct_dynamics()[0].tau_s();
        for (&expected, &found) in double.times.iter().zip(&single.times) {
            if expected.is_finite() && found.is_finite() {
                errors.push((expected - found).abs() / tau_s);
            } else if expected.is_finite() != found.is_finite() {
                disagreements += 1;
            }
        }
    }
    errors.sort_by(f64::total_cmp);
    let (median, most) = (errors[errors.len() / 2], errors[errors.len() * 99 / 100]);
    println!(
        "{} spikes: median error {median:e}, 99 % below {most:e}, {disagreements} disagreements",
        errors.len()
    );
    assert!(errors.len() > 20_000);
    assert!(median < 1e-6 && most < 1e-4);
    assert!(disagreements * 2000 < errors.len());
}

/// After some training, on every sample of the test set.
#[test]
fn a_trained_network_does_the_same_on_both_engines() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/yin_yang.toml");
    let overrides = ["training.epochs=3", "dataset.yin_yang.training.size=1000"].map(str::to_owned);
    let learner = scenario::load(&path, &overrides).expect("valid").learner().expect("valid");
    let trainer = |engine| {
        let settings = TrainingSettings { engine, ..learner.settings.clone() };
        Trainer::new(&learner.network, settings).expect("supported")
    };
    let mut fast = trainer(LearningEngine::Auto);
    assert_eq!(fast.engine(), "feed-forward");
    let training = learner.encode(&learner.data.training);
    for _ in 0..3 {
        fast.train_epoch(&training, &mut |_| ControlFlow::Continue(())).expect("learns");
    }
    let mut slow = trainer(LearningEngine::Event);
    assert_eq!(slow.engine(), "event");
    slow.set_weights(fast.network().weights());

    let test = learner.encode(&learner.data.test);
    let mut records = Vec::new();
    slow.for_each_record(&test, |_, record, decided| {
        records.push((record.times().to_vec(), decided));
    })
    .expect("runs");
    let mut worst = 0.0_f64;
    fast.for_each_record(&test, |sample, record, decided| {
        let (times, expected) = &records[sample];
        assert_eq!(decided, *expected);
        for (&expected, &found) in times.iter().zip(record.times()) {
            assert_eq!(expected.is_finite(), found.is_finite());
            if expected.is_finite() {
                worst = worst.max((expected - found).abs());
            }
        }
    })
    .expect("runs");
    println!("worst difference of a spike time: {worst:e}");
    assert!(records.len() == 1000 && worst < 1e-9);
    assert_eq!(fast.evaluate(&test).expect("runs").0.correct, {
        slow.evaluate(&test).expect("runs").0.correct
    });
}
