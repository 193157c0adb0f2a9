//! The feed-forward engine against its slow twin, the event engine: the same spikes and the same
//! gradients on random layered networks and on trained ones.

use firstspike::engine::feed_forward::{Arrival, FeedForwardNetwork, SamplePass, Workspace};
use firstspike::engine::{EngineOptions, EventEngine, SourceSpike};
use firstspike::learning::{BackwardPass, FirstSpikes};
use firstspike::network::{CompiledNetwork, Layer, LayeredNetwork, layered};
use firstspike::neuron::NeuronParameters;
use firstspike::random;
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

fn by_feed_forward_engine<T: firstspike::engine::feed_forward::Element>(
    case: &Case,
    by_label_time: &[f64],
) -> Outcome {
    let network = FeedForwardNetwork::<T>::new(&case.network, &case.compiled).expect("supported");
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

#[test]
fn spikes_and_gradients_agree_with_the_event_engine() {
    let ratios = [1.0, 2.0, f64::INFINITY, 1.0 + 1e-9, 1.001, 0.3, 3.0, 20.0];
    let (mut spikes, mut silent, mut worst_time, mut worst_gradient) = (0, 0, 0.0f64, 0.0f64);
    for (index, ratio) in (0..2000).zip(ratios.into_iter().cycle()) {
        let random = &mut random::stream(1, "feed-forward test", index);
        let case = case(random, ratio);
        let by_label_time: Vec<f64> = (0..70).map(|_| random.random_range(-1.0..1.0)).collect();
        let slow = by_event_engine(&case, &by_label_time);
        let labels = case.network.layers[case.network.layers.len() - 1];
        let labels = case.network.network.populations()[labels.0].nodes.len();
        let fast = by_feed_forward_engine::<f64>(&case, &by_label_time[..labels]);
        for (node, (&expected, &found)) in slow.times.iter().zip(&fast.times).enumerate() {
            assert_eq!(
                expected.is_finite(),
                found.is_finite(),
                "case {index} node {node} {expected} {found}"
            );
            if expected.is_finite() {
                spikes += 1;
                worst_time = worst_time.max((expected - found).abs());
            } else {
                silent += 1;
            }
        }
        for (synapse, (&expected, &found)) in slow.gradients.iter().zip(&fast.gradients).enumerate()
        {
            let error = (expected - found).abs() / expected.abs().max(1e-3);
            if error > 1e-9 {
                println!("case {index} ratio {ratio} synapse {synapse}: {expected:e} {found:e}");
            }
            worst_gradient = worst_gradient.max(error);
        }
    }
    println!("{spikes} spikes, {silent} silent; worst {worst_time:e}, {worst_gradient:e}");
}
