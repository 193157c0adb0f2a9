use rand::RngExt;
use rand::rngs::ChaCha8Rng;

use super::*;
use crate::engine::layered::Workspace;
use crate::network::{CompiledNetwork, Layer as LayerToBuild, LayeredNetwork, layered};
use crate::neuron::NeuronParameters;
use crate::random;

/// A network of layers of these sizes, with a bias source in each but the last.
fn network(random: &mut ChaCha8Rng, sizes: &[usize], tau: f64) -> LayeredNetwork {
    let mut layers = Vec::new();
    for (index, pair) in sizes.windows(2).enumerate() {
        let bias_sources = usize::from(index + 2 < sizes.len());
        let (rows, columns) = (pair[0] + bias_sources, pair[1]);
        let mean = 4.0 / rows as f64;
        let weight = |_| mean * random.random_range(-1.0..3.0);
        let weights = (0..rows * columns).map(weight).collect();
        let neurons = (0..columns).map(|neuron| NeuronParameters {
            tau_m: tau,
            tau_s: tau,
            tau_s_inhibitory: tau,
            capacitance: 1.3,
            threshold: 1.0 + 0.1 * (neuron % 3) as f64,
            ..NeuronParameters::default()
        });
        layers.push(LayerToBuild {
            name: format!("layer {index}"),
            neurons: neurons.collect(),
            bias_sources,
            weights,
            delays: None,
        });
    }
    layered(sizes[0], &layers).expect("valid")
}

/// Samples of a network as a chip may have recorded them, with the derivatives of the loss by the label
/// neurons' times: any times, some the same, some none.
struct Samples {
    bias: Vec<Vec<Arrival>>,
    passes: Vec<SamplePass<f64>>,
    by_label_time: Vec<Vec<f64>>,
}

/// What the way back gave.
#[derive(Debug, Default)]
struct Gradients {
    weights: Vec<Vec<f64>>,
    guarded: u64,
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
    /// In one of eight samples rows of a group do not come together.
    fn new(
        random: &mut ChaCha8Rng,
        network: &FeedForwardNetwork<f64>,
        together: &[Range<u32>],
    ) -> Self {
        let bias_of = |layer: &Layer<f64>| {
            let rows = layer.tiling.rows;
            (rows - layer.bias.1..rows).map(|row| Arrival { time: 0.9, row: row as u32 }).collect()
        };
        let bias: Vec<Vec<Arrival>> = network.layers.iter().map(bias_of).collect();
        let labels = network.layers.last().expect("a layer").tiling.columns;
        let (mut passes, mut by_label_time) = (Vec::new(), Vec::new());
        for sample in 0..16 {
            let inputs = network.layers[0].tiling.rows - bias[0].len();
            let mut times: Vec<f64> = (0..inputs).map(|_| time(random)).collect();
            for rows in together {
                let rows = rows.start as usize..rows.end as usize;
                let first = times[rows.start];
                times[rows].fill(first);
            }
            if sample % 8 == 5 {
                times[0] = 0.4;
            }
            let arrivals = (0..).zip(times).filter(|(_, time)| *time < f64::INFINITY);
            let arrivals = arrivals.map(|(row, time)| Arrival { time, row });
            let mut pass = SamplePass::new(network);
            pass.layers[0].inputs.arrivals = arrivals.chain(bias[0].clone()).collect();
            for (layer, pass) in network.layers.iter().zip(&mut pass.layers) {
                pass.spikes.times = (0..layer.tiling.columns).map(|_| time(random)).collect();
            }
            passes.push(pass);
            let by_time = |_| match random.random_range(0..4) {
                0 => 0.0,
                _ => random.random_range(-1.0..1.0),
            };
            by_label_time.push(match sample {
                3 => vec![0.0; labels],
                _ => (0..labels).map(by_time).collect(),
            });
        }
        Samples { bias, passes, by_label_time }
    }

    fn gradients(
        &self,
        network: &FeedForwardNetwork<f64>,
        together: &[Range<u32>],
        guard: Option<f64>,
    ) -> Gradients {
        let backward = UnsortedBackward::new(network, together).expect("supported");
        let (mut sums, mut workspace) = (backward.begin(), UnsortedWorkspace::default());
        let mut guarded = 0;
        for (pass, by_label_time) in self.passes.iter().zip(&self.by_label_time) {
            guarded += backward.backward(
                network,
                &self.bias,
                &mut pass.clone(),
                by_label_time,
                guard,
                &mut workspace,
                &mut sums,
            );
        }
        let layers = sums.into_iter().enumerate();
        let weights =
            layers.map(|(layer, sums)| backward.weight_gradients(network, layer, sums)).collect();
        Gradients { weights, guarded }
    }

    /// The same by sorting.
    fn sorted_gradients(&self, network: &FeedForwardNetwork<f64>, guard: Option<f64>) -> Gradients {
        let mut workspace = Workspace::default();
        network.begin(&mut workspace);
        let (mut passes, mut guarded) = (self.passes.clone(), 0);
        for (pass, by_label_time) in passes.iter_mut().zip(&self.by_label_time) {
            let pass = std::slice::from_mut(pass);
            network.recorded(&self.bias, pass, &mut workspace);
            network.backward(by_label_time, guard, pass, &mut workspace);
            guarded += pass[0].layers.iter().map(|layer| layer.gradient.guarded).sum::<u64>();
        }
        let gradients = |layer: &Layer<f64>| vec![0.0; layer.tiling.value_count()];
        let mut weights: Vec<Vec<f64>> = network.layers.iter().map(gradients).collect();
        for (layer, weights) in weights.iter_mut().enumerate() {
            let tiling = network.tiling(layer);
            for tile in tiling.tiles() {
                let sums = &mut weights[tile.start..tile.start + tile.width * tiling.rows];
                network.weight_gradients(layer, &tile, &passes, sums);
            }
        }
        Gradients { weights, guarded }
    }
}

/// Every shape: few rows and many neurons, the other way round, both, one after the other; whole registers
/// and rests, more than one tile.
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
fn gradients_are_those_of_sorted_records() {
    let (mut compared, mut guarded) = (0, 0);
    for index in 0..240 {
        let mut random = random::stream(1, "unsorted", index);
        let sizes = SIZES[index as usize % SIZES.len()];
        let layered = network(&mut random, sizes, [1.0, 0.6, 1.7][index as usize % 3]);
        let compiled = CompiledNetwork::new(&layered.network);
        let network = FeedForwardNetwork::<f64>::new(&layered, &compiled).expect("supported");
        let mut network = network.one_by_one();
        if index % 5 == 0 {
            network = network.on(pulp::Arch::Scalar);
        }
        let copies = if index % 2 == 0 && sizes[0].is_multiple_of(5) { 5 } else { 1 };
        let copies = (0..sizes[0] as u32).step_by(copies).map(|row| row..row + copies as u32);
        let together: Vec<Range<u32>> = copies.collect();
        let samples = Samples::new(&mut random, &network, &together);
        let guard = [None, Some(0.03), Some(0.3)][index as usize % 3];
        let expected = samples.sorted_gradients(&network, guard);
        let found = samples.gradients(&network, &together, guard);
        assert_eq!(expected.guarded, found.guarded, "{index}");
        guarded += found.guarded;
        for (expected, found) in expected.weights.iter().zip(&found.weights) {
            let largest = expected.iter().fold(0.0, |largest: f64, value| largest.max(value.abs()));
            for (expected, found) in expected.iter().zip(found) {
                let error = (expected - found).abs();
                let bound = 1e-11 * expected.abs() + 1e-12 * largest;
                assert!(error <= bound, "{index}: {expected} {found}");
                compared += usize::from(*expected != 0.0);
            }
        }
    }
    assert!(compared > 40_000 && guarded > 1000, "{compared} {guarded}");
}

#[test]
fn rows_that_are_together_make_one_group_and_all_others_one_each() {
    let groups = |together: &[Range<u32>]| groups(together, 6);
    assert_eq!(groups(&[]), [0..1, 1..2, 2..3, 3..4, 4..5, 5..6]);
    assert_eq!(groups(&[4..6, 1..3]), [0..1, 1..3, 3..4, 4..6]);
    // Whatever the ranges are, every row is in one group.
    assert_eq!(groups(&[0..3, 2..4, 1..2, 5..9, 4..4]), [0..3, 3..4, 4..5, 5..6]);
}

#[test]
fn what_has_no_way_without_sorting_is_refused() {
    let refused = |change: &dyn Fn(&mut FeedForwardNetwork<f64>)| {
        let layered = network(&mut random::stream(1, "unsorted refused", 0), &[80, 20, 3], 1.0);
        let compiled = CompiledNetwork::new(&layered.network);
        let mut network = FeedForwardNetwork::<f64>::new(&layered, &compiled).expect("supported");
        change(&mut network);
        let copies: Vec<Range<u32>> = (0..16).map(|copy| 5 * copy..5 * copy + 5).collect();
        UnsortedBackward::new(&network, &copies).is_none()
    };
    assert!(!refused(&|_| ()));
    assert!(refused(&|network| network.layers[1].neurons.membrane.ratio = Ratio::Double));
    assert!(refused(&|network| network.layers[0].delays = Delays::Dendritic(vec![0.1; 20])));
    let layered = network(&mut random::stream(1, "unsorted refused", 1), &[80, 20, 3], 1.0);
    let compiled = CompiledNetwork::new(&layered.network);
    let network = FeedForwardNetwork::<f64>::new(&layered, &compiled).expect("supported");
    assert!(UnsortedBackward::new(&network, &[]).is_none(), "81 rows and 20 neurons");
}
