use std::ops::Range;

use rand::RngExt;
use rayon::ThreadPoolBuilder;

use super::*;
use crate::dataset::{Dataset, Encoding, Features, LatencyEncoding};
use crate::engine::SourceSpike;
use crate::learning::AdamSettings;
use crate::network::{Layer, PopulationId, layered};
use crate::neuron::NeuronParameters;
use crate::random;

const COPIES: usize = 3;
const SAMPLES: usize = 37;

/// Records that have to do with the sample only: every neuron spikes at some time, or not at all.
struct AnyTimes {
    neurons: Range<u32>,
}

impl Substrate for AnyTimes {
    fn program(&mut self, _: &Program<'_>) -> Result<(), SubstrateError> {
        Ok(())
    }

    fn present(&mut self, samples: &[Presented]) -> Result<Vec<Vec<Spike>>, SubstrateError> {
        let record = |presented: &Presented| {
            let mut random = random::stream(1, "any times", u64::from(presented.key.sample));
            let spike = |node| Spike { node, time: random.random_range(0.2..3.0) };
            self.neurons.clone().map(spike).filter(|spike| spike.time < 2.8).collect()
        };
        Ok(samples.iter().map(record).collect())
    }
}

/// The gradients of one batch but for a factor.
fn gradients(rule: LearningRule, threads: usize) -> Vec<f64> {
    let mut random = random::stream(1, "substrate", 0);
    let mut layer = |name: &str, rows: usize, columns: usize, bias_sources| Layer {
        name: name.to_owned(),
        neurons: vec![NeuronParameters::default(); columns],
        bias_sources,
        weights: (0..rows * columns).map(|_| random.random_range(-0.1..0.4)).collect(),
        delays: None,
    };
    let inputs = 4 * COPIES;
    let layers = [layer("hidden", inputs + 1, 40, 1), layer("label", 40, 3, 0)];
    let layered = layered(inputs, &layers).expect("valid");
    let compiled = CompiledNetwork::new(&layered.network);
    let parts = Parts::new(&layered);
    let nodes = |id: PopulationId| layered.network.populations()[id.0].nodes.clone();
    let bias = nodes(layered.bias[0].expect("a bias")).start;
    let times: Vec<f64> = (0..4 * SAMPLES).map(|_| random.random_range(0.0..2.0)).collect();
    let dataset = Dataset {
        features: Features::Real(times.into()),
        labels: (0..SAMPLES).map(|sample| sample % 3).collect(),
        feature_count: 4,
        class_count: 3,
        image: None,
    };
    let bias = [SourceSpike { time: 0.9, source: bias as u32 }];
    let encoding = Encoding::Latency(LatencyEncoding {
        earliest: 0.0,
        latest: 1.0,
        copies: COPIES,
        ..LatencyEncoding::default()
    });
    let set = EncodedSet::new(&dataset, encoding, nodes(layered.input).start, &bias);
    let neurons = parts.layers[0].start as u32..parts.labels().end as u32;
    let in_the_loop = InTheLoop {
        substrate: Box::new(AnyTimes { neurons }),
        grid: None,
        batch_size: SAMPLES,
        prior: SubstratePrior::unknown(1.0),
    };
    let loss = Loss::MeanSquaredError { correct: 0.5, wrong: 1.5 };
    let learn = || {
        let runner = SubstrateRunner::new(&layered, &compiled, parts, loss, rule, in_the_loop);
        let mut runner = runner.expect("supported");
        let samples: Vec<u32> = (0..SAMPLES as u32).collect();
        let settings = GradientSettings { sample_weight: 1.0, guard: Some(5.0) };
        let presentation = Presentation::Training { epoch: 0 };
        runner.learn(&set, &samples, presentation, settings).expect("learns");
        let mut adam = Adam::new(runner.weight_count(), AdamSettings::default());
        runner.update(&[], Some((&mut adam, 1.0)));
        adam.moments_mut().0.to_vec()
    };
    ThreadPoolBuilder::new().num_threads(threads).build().expect("threads").install(learn)
}

#[test]
fn the_number_of_threads_changes_no_bit_of_the_gradients() {
    for rule in [LearningRule::Recorded, LearningRule::Datasheet, LearningRule::Twin] {
        let expected = gradients(rule, 1);
        assert!(expected.iter().any(|gradient| *gradient != 0.0));
        assert_eq!(expected, gradients(rule, 3));
    }
}
