use rand::RngExt;
use rand::rngs::ChaCha8Rng;

use crate::engine::layered::{
    Arrival, Batch, DerivativesAt, GradientGuard, LayeredEngine, Workspace,
};
use crate::network::{CompiledNetwork, DelayKind, Layer, LayerDelays, LayeredNetwork, layered};
use crate::neuron::NeuronParameters;
use crate::random;

const BIAS_TIME: f64 = 0.9;
const CAPACITANCE: f64 = 1.3;

/// A network of layers of these sizes, with a bias source in each but the last.
fn network(
    random: &mut ChaCha8Rng,
    sizes: &[usize],
    [tau_m, tau_s]: [f64; 2],
    delays: Option<DelayKind>,
) -> LayeredNetwork {
    let mut layers = Vec::new();
    for (index, pair) in sizes.windows(2).enumerate() {
        let bias_sources = usize::from(index + 2 < sizes.len());
        let (rows, columns) = (pair[0] + bias_sources, pair[1]);
        let mean = 4.0 / rows as f64;
        let weights = (0..rows * columns).map(|_| mean * random.random_range(-1.0..3.0)).collect();
        let neurons = (0..columns).map(|neuron| NeuronParameters {
            tau_m,
            tau_s,
            tau_s_inhibitory: tau_s,
            capacitance: CAPACITANCE,
            threshold: 1.0 + 0.1 * (neuron % 3) as f64,
            ..NeuronParameters::default()
        });
        let delays = delays.map(|kind| LayerDelays {
            kind,
            values: (0..kind.count(rows, columns)).map(|_| random.random_range(0.0..0.5)).collect(),
        });
        let name = format!("layer {index}");
        layers.push(Layer { name, neurons: neurons.collect(), bias_sources, weights, delays });
    }
    layered(sizes[0], &layers).expect("valid")
}

fn engine(network: &LayeredNetwork) -> LayeredEngine<f64> {
    let compiled = CompiledNetwork::new(&network.network);
    LayeredEngine::new(network, &compiled).expect("supported").batched()
}

/// The spikes of each layer's bias.
fn bias(engine: &LayeredEngine<f64>) -> Vec<Vec<Arrival>> {
    let of_layer = |layer: &crate::engine::layered::Layer<f64>| {
        let rows = layer.tiling.rows;
        let bias = rows - layer.bias.1..rows;
        bias.map(|row| Arrival { time: BIAS_TIME, row: row as u32 }).collect()
    };
    engine.layers.iter().map(of_layer).collect()
}

/// Gradients by the weights of a batch, layer by layer, row by row.
fn by_weight(engine: &LayeredEngine<f64>, batch: Batch<f64>) -> Vec<Vec<f64>> {
    let batches = [batch];
    let matrix = |layer| {
        let tiling = engine.tiling(layer);
        let mut tiled = vec![0.0; tiling.value_count()];
        for tile in tiling.tiles() {
            let part = &mut tiled[tile.start..tile.start + tile.width * tiling.rows];
            engine.weight_gradients(layer, &tile, &batches, part);
        }
        let mut matrix = vec![0.0; tiling.rows * tiling.columns];
        tiling.gather(&tiled, &mut matrix);
        matrix
    };
    (0..engine.layer_count()).map(matrix).collect()
}

#[test]
fn a_record_of_the_ideal_network_has_its_gradients() {
    let kinds =
        [None, Some(DelayKind::Axonal), Some(DelayKind::Dendritic), Some(DelayKind::Synaptic)];
    let mut compared = 0;
    for index in 0..240 {
        let random = &mut random::stream(1, "recorded ideal", index);
        let tau_m = [1.0, 2.0, f64::INFINITY, 1.4, 1.0][index as usize % 5];
        let network = network(random, &[6, 9, 4], [tau_m, 1.0], kinds[index as usize % 4]);
        let engine = engine(&network);
        let bias = bias(&engine);
        let samples = 5;
        let stimuli: Vec<Vec<Arrival>> = (0..samples)
            .map(|_| {
                let inputs = (0..6).map(|row| Arrival { time: random.random_range(0.0..1.5), row });
                inputs.chain(bias[0].clone()).collect()
            })
            .collect();
        let by_label_time: Vec<f64> =
            (0..4 * samples).map(|_| random.random_range(-1.0..1.0)).collect();
        let mut batch = Batch::default();
        batch.begin(&engine, samples);
        for (sample, stimulus) in stimuli.iter().enumerate() {
            batch.stimulus_mut(sample).clone_from(stimulus);
        }
        // Each has a workspace of its own, which holds what it needs on its way back.
        let mut workspace = Workspace::default();
        engine.forward(&bias, &mut batch, &mut workspace);
        engine.backward(&by_label_time, None, &mut batch, &mut workspace);
        let gradients = |batch: Batch<f64>| {
            let delays: Vec<f64> =
                batch.gradients().iter().flat_map(|layer| layer.delays.clone()).collect();
            let weights = by_weight(&engine, batch);
            weights.into_iter().flatten().chain(delays).collect::<Vec<f64>>()
        };
        let expected = gradients(batch.clone());
        for derivatives in [DerivativesAt::Record, DerivativesAt::Crossings(&[])] {
            let (mut recorded, mut workspace) = (Batch::default(), Workspace::default());
            recorded.begin(&engine, samples);
            for (sample, stimulus) in stimuli.iter().enumerate() {
                recorded.stimulus_mut(sample).clone_from(stimulus);
                for layer in 0..engine.layer_count() {
                    let mut times = vec![0.0; engine.neurons(layer).len()];
                    batch.copy_spike_times(&engine, layer, sample, &mut times);
                    recorded.record_spike_times(layer, sample, &times);
                }
            }
            engine.load_record(&bias, derivatives, &mut recorded, &mut workspace);
            engine.backward(&by_label_time, None, &mut recorded, &mut workspace);
            let found = gradients(recorded);
            if derivatives == DerivativesAt::Crossings(&[]) {
                assert_eq!(found, expected, "the same computation");
                continue;
            }
            for (expected, found) in expected.iter().zip(found) {
                // The same formulas but for the slope, which near a grazing spike has lost digits.
                let error = (expected - found).abs();
                assert!(error <= 1e-9 * (1.0 + expected.abs()), "{index}: {expected} {found}");
                compared += usize::from(*expected != 0.0);
            }
        }
    }
    assert!(compared > 8000, "{compared}");
}

#[test]
fn a_comparison_has_the_times_and_slopes_of_the_crossings() {
    let start = || random::stream(1, "comparison", 0);
    let network = network(&mut start(), &[6, 9], [1.0, 1.0], None);
    let engine = engine(&network);
    let bias = bias(&engine);
    let samples = 11;
    let (mut batch, mut workspace) = (Batch::default(), Workspace::default());
    let mut run = |engine: &LayeredEngine<f64>, random: &mut ChaCha8Rng, batch: &mut Batch<f64>| {
        batch.begin(engine, samples);
        for sample in 0..samples {
            let inputs = (0..6).map(|row| Arrival { time: random.random_range(0.0..1.5), row });
            *batch.stimulus_mut(sample) = inputs.chain(bias[0].clone()).collect();
            batch.record_spike_times(0, sample, &[0.5 * sample as f64; 9]);
        }
        engine.load_record(&bias, DerivativesAt::Crossings(&[]), batch, &mut workspace);
        let neurons = engine.compare(0, batch, &workspace);
        let values = neurons.map(|neuron| {
            (neuron.recorded.to_vec(), neuron.computed.to_vec(), neuron.inverse_slopes.to_vec())
        });
        values.collect::<Vec<_>>()
    };
    let here = run(&engine, &mut start(), &mut batch);
    let step = 1e-7;
    let mut higher = engine.clone();
    let thresholds: Vec<f64> = engine.thresholds(0).iter().map(|old| old + step).collect();
    higher.set_thresholds(0, &thresholds);
    let there = run(&higher, &mut start(), &mut batch);
    let mut compared = 0;
    for ((recorded, computed, slopes), (_, later, _)) in here.iter().zip(&there) {
        for sample in 0..samples {
            assert_eq!(recorded[sample], 0.5 * sample as f64);
            assert_eq!(computed[sample] < f64::INFINITY, slopes[sample] > 0.0);
            if slopes[sample] > 0.0 && slopes[sample] < 10.0 {
                let difference = (later[sample] - computed[sample]) / step;
                // The step squared over the slope cubed, at most.
                assert!((difference - slopes[sample]).abs() < 1e-3 * (1.0 + slopes[sample]));
                compared += 1;
            }
        }
    }
    assert!(compared > 50, "{compared}");
}

/// Samples as a chip may have recorded them: any times, some the same, some none.
struct Samples {
    stimuli: Vec<Vec<f64>>,
    /// Per sample and layer.
    spikes: Vec<Vec<Vec<f64>>>,
    by_label_time: Vec<Vec<f64>>,
}

fn time(random: &mut ChaCha8Rng) -> f64 {
    match random.random_range(0..10) {
        0 => f64::INFINITY,
        // On a grid, so that some are the same.
        1..4 => 0.25 * f64::from(random.random_range(0..12)),
        _ => random.random_range(0.0..3.0),
    }
}

impl Samples {
    /// Inputs come in groups of so many copies; unless `together`, not in one of the samples.
    fn new(random: &mut ChaCha8Rng, sizes: &[usize], copies: usize, together: bool) -> Self {
        let mut samples = Samples { stimuli: vec![], spikes: vec![], by_label_time: vec![] };
        for sample in 0..16 {
            let mut times: Vec<f64> = (0..sizes[0]).map(|_| time(random)).collect();
            for copies in times.chunks_mut(copies) {
                copies.fill(copies[0]);
            }
            if sample == 5 && !together {
                times[0] = 0.4;
            }
            samples.stimuli.push(times);
            let layers = sizes[1..].iter();
            let spikes = layers.map(|&size| (0..size).map(|_| time(random)).collect());
            samples.spikes.push(spikes.collect());
            let labels = sizes[sizes.len() - 1];
            let by_time = |_| match random.random_range(0..4) {
                0 => 0.0,
                _ => random.random_range(-1.0..1.0),
            };
            samples.by_label_time.push(match sample {
                3 => vec![0.0; labels],
                _ => (0..labels).map(by_time).collect(),
            });
        }
        samples
    }

    fn gradients(&self, engine: &LayeredEngine<f64>, guard: Option<f64>) -> (Vec<Vec<f64>>, u64) {
        let bias = bias(engine);
        let mut batch = Batch::default();
        batch.begin(engine, self.stimuli.len());
        for (sample, times) in self.stimuli.iter().enumerate() {
            let arrivals = (0..).zip(times).filter(|(_, time)| **time < f64::INFINITY);
            let arrivals = arrivals.map(|(row, &time)| Arrival { time, row });
            *batch.stimulus_mut(sample) = arrivals.chain(bias[0].clone()).collect();
            for (layer, times) in self.spikes[sample].iter().enumerate() {
                batch.record_spike_times(layer, sample, times);
            }
        }
        let mut workspace = Workspace::default();
        engine.load_record(&bias, DerivativesAt::Record, &mut batch, &mut workspace);
        let by_label_time: Vec<f64> = self.by_label_time.iter().flatten().copied().collect();
        let guard = guard.map(|limit| GradientGuard { limit });
        engine.backward(&by_label_time, guard, &mut batch, &mut workspace);
        let guarded = batch.guarded();
        (by_weight(engine, batch), guarded)
    }

    /// The slow twin: the paper's rule, neuron by neuron, synapse by synapse.
    fn by_the_papers_rule(
        &self,
        engine: &LayeredEngine<f64>,
        tau: f64,
        guard: Option<f64>,
    ) -> (Vec<Vec<f64>>, u64) {
        let mut gradients: Vec<Vec<f64>> = Vec::new();
        for layer in &engine.layers {
            gradients.push(vec![0.0; layer.tiling.rows * layer.tiling.columns]);
        }
        let mut guarded = 0;
        for (sample, stimulus) in self.stimuli.iter().enumerate() {
            let mut by_spike = self.by_label_time[sample].clone();
            for (index, layer) in engine.layers.iter().enumerate().rev() {
                let mut arrivals = if index == 0 {
                    stimulus.clone()
                } else {
                    self.spikes[sample][index - 1].clone()
                };
                arrivals.resize(layer.tiling.rows, BIAS_TIME);
                let mut by_arrival = vec![0.0; layer.tiling.rows];
                for (column, by_spike) in by_spike.iter().enumerate() {
                    let place = layer.tiling.column(column);
                    let weight = |row: usize| layer.weights[place.at(row)];
                    let inputs: Vec<(f64, f64)> = arrivals
                        .iter()
                        .enumerate()
                        .map(|(row, &time)| (time / tau, weight(row) * tau / CAPACITANCE))
                        .collect();
                    let spike = self.spikes[sample][index][column] / tau;
                    let threshold = layer.neurons.thresholds[column];
                    let Some(rule) = papers_rule(&inputs, threshold, spike) else { continue };
                    let by_weight = |row: usize| by_spike * rule[row].0 * tau * tau / CAPACITANCE;
                    let is_guarded = (0..inputs.len())
                        .any(|row| guard.is_some_and(|guard| by_weight(row).abs() > guard));
                    guarded += u64::from(is_guarded);
                    for (row, by_arrival) in by_arrival.iter_mut().enumerate() {
                        *by_arrival += by_spike * rule[row].1;
                        if !is_guarded {
                            gradients[index][row * layer.tiling.columns + column] += by_weight(row);
                        }
                    }
                }
                by_arrival.truncate(if index == 0 {
                    0
                } else {
                    self.spikes[sample][index - 1].len()
                });
                by_spike = by_arrival;
            }
        }
        (gradients, guarded)
    }
}

/// The paper's rule for `τ_m = τ_s = C = 1` (Göltz, Kriener et al. 2021, equations 5 and 6): derivatives by
/// the weights and the times of the inputs of a spike recorded at `time`; none if the ideal neuron stays
/// silent.
fn papers_rule(inputs: &[(f64, f64)], threshold: f64, time: f64) -> Option<Vec<(f64, f64)>> {
    if time == f64::INFINITY {
        return None;
    }
    let causal = inputs.iter().filter(|input| input.0 < time);
    let (a, b) = causal.fold((0.0, 0.0), |(a, b), &(arrival, weight)| {
        (a + weight * arrival.exp(), b + weight * arrival * arrival.exp())
    });
    let z = -threshold / a * (b / a).exp();
    if !(a > 0.0 && z >= -(-1.0_f64).exp()) {
        return None;
    }
    let w = lambert_w::lambert_w0(z);
    let derivatives = |&(arrival, weight): &(f64, f64)| {
        if !(arrival < time) {
            return (0.0, 0.0);
        }
        let (share, elapsed) = (arrival.exp() / (a * (1.0 + w)), time - arrival);
        (-share * elapsed, weight * share * (1.0 - elapsed))
    };
    Some(inputs.iter().map(derivatives).collect())
}

/// Few rows and many neurons, the other way round, both, one after the other; whole registers and rests, more
/// than one tile.
const SIZES: [&[usize]; 8] = [
    &[20, 120, 3],
    &[6, 9, 4],
    &[10, 3],
    &[70, 16, 5],
    &[5, 33, 2],
    &[12, 7, 40, 6],
    &[1, 1],
    &[40, 64],
];

#[test]
fn gradients_of_records_are_those_of_the_papers_rule() {
    let (mut compared, mut guarded) = (0, 0);
    for index in 0..240 {
        let random = &mut random::stream(1, "records", index);
        let sizes = SIZES[index as usize % SIZES.len()];
        let tau = [1.0, 0.6, 1.7][index as usize % 3];
        let network = network(random, sizes, [tau, tau], None);
        let mut engine = engine(&network);
        if index % 5 == 0 {
            engine = engine.scalar();
        }
        let copies = if sizes[0].is_multiple_of(5) { 5 } else { 1 };
        let samples = Samples::new(random, sizes, copies, index % 2 == 0);
        let guard = [None, Some(0.03), Some(0.3)][index as usize % 3];
        let (expected, expected_guarded) = samples.by_the_papers_rule(&engine, tau, guard);
        let (found, found_guarded) = samples.gradients(&engine, guard);
        assert_eq!(expected_guarded, found_guarded, "{index}");
        guarded += found_guarded;
        for (expected, found) in expected.iter().zip(&found) {
            let largest = expected.iter().fold(0.0, |largest: f64, value| largest.max(value.abs()));
            for (expected, found) in expected.iter().zip(found) {
                // The textbook form of the rule loses digits where spikes graze their thresholds.
                let bound = 1e-9 * (expected.abs() + largest);
                assert!((expected - found).abs() <= bound, "{index}: {expected} {found}");
                compared += usize::from(*expected != 0.0);
            }
        }
    }
    assert!(compared > 40_000 && guarded > 1000, "{compared} {guarded}");
}

#[test]
fn inputs_that_come_together_do_what_they_do_one_by_one() {
    for index in 0..60 {
        let random = &mut random::stream(1, "synchronous inputs", index);
        let network = network(random, &[20, 40, 3], [1.0, 1.0], None);
        let engine = engine(&network);
        let bias = bias(&engine);
        // In the second batch one more sample, that does not count, has other times.
        let outcome = |more: usize| {
            let mut batch = Batch::default();
            batch.begin(&engine, 8 + more);
            let random = &mut random::stream(2, "synchronous inputs", index);
            for sample in 0..8 + more {
                let times: Vec<f64> = (0..4).map(|_| random.random_range(0.0..2.0)).collect();
                let arrivals = (0..20).map(|row| Arrival { time: times[row as usize / 5], row });
                let mut stimulus: Vec<Arrival> = arrivals.chain(bias[0].clone()).collect();
                if sample == 8 {
                    stimulus
                        .iter_mut()
                        .for_each(|arrival| arrival.time += 0.01 * f64::from(arrival.row));
                }
                *batch.stimulus_mut(sample) = stimulus;
            }
            let mut by_label_time: Vec<f64> =
                (0..3 * 8).map(|_| random.random_range(-1.0..1.0)).collect();
            by_label_time.resize(3 * (8 + more), 0.0);
            let mut workspace = Workspace::default();
            engine.forward(&bias, &mut batch, &mut workspace);
            engine.backward(&by_label_time, None, &mut batch, &mut workspace);
            let mut times = vec![0.0; 8 * 3];
            for (sample, times) in times.chunks_exact_mut(3).enumerate() {
                batch.copy_spike_times(&engine, 1, sample, times);
            }
            (times, by_weight(&engine, batch))
        };
        let ((together, by_group), (apart, by_row)) = (outcome(0), outcome(1));
        for (together, apart) in together.iter().zip(&apart) {
            assert!(together == apart || (together - apart).abs() < 1e-12, "{together} {apart}");
        }
        let largest = by_row.iter().flatten().fold(0.0, |most: f64, by| most.max(by.abs()));
        for (group, row) in by_group.iter().flatten().zip(by_row.iter().flatten()) {
            assert!((group - row).abs() <= 1e-10 * largest, "{group} {row}");
        }
    }
}
