//! The feed-forward engine against its slow twin, the event engine: the same spikes and the same
//! gradients on random layered networks and on trained ones.

use std::ops::ControlFlow;

use firstspike::engine::layered::{
    Arrival, Batch, Element, GradientGuard, LayeredEngine, Workspace,
};
use firstspike::engine::{EngineOptions, EventEngine, SourceSpike};
use firstspike::learning::{
    BackwardPass, FirstSpikes, LearningEngine, Trainer, TrainingSettings, gradients_by_delay,
};
use firstspike::network::{
    CompiledNetwork, DelayKind, Layer, LayerDelays, LayeredNetwork, layered,
};
use firstspike::neuron::NeuronParameters;
use firstspike::{random, scenario};
use rand::RngExt;
use rand::rngs::ChaCha8Rng;
use rand_distr::Normal;

/// A random layered network with some stimuli.
struct Case {
    network: LayeredNetwork,
    compiled: CompiledNetwork,
    tau_s: f64,
    stimuli: Vec<Vec<SourceSpike>>,
}

fn delays(random: &mut ChaCha8Rng, rows: usize, columns: usize, tau_s: f64) -> LayerDelays {
    let kinds = [DelayKind::Axonal, DelayKind::Dendritic, DelayKind::Synaptic];
    let kind = kinds[[0, 1, 2, 2][random.random_range(0..4)]];
    let longest = random.random_range(0.1..3.0) * tau_s;
    // Some are equal, or zero.
    let raster = random.random_bool(0.3);
    let value = |random: &mut ChaCha8Rng| {
        let value: f64 = random.random_range(0.0..longest);
        if raster { (value * 4.0).round() / 4.0 } else { value }
    };
    LayerDelays { kind, values: (0..kind.count(rows, columns)).map(|_| value(random)).collect() }
}

/// What kind of networks: without delays, one sample each; with delays; or small ones, whose samples
/// run in batches.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Plain,
    Delayed,
    Small,
}

fn case(random: &mut ChaCha8Rng, tau_m: f64, kind: Kind) -> Case {
    let is_delayed = kind == Kind::Delayed;
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
    // More rows than an index of eight bits can name are sorted in another way.
    let is_wide = is_delayed && random.random_bool(0.02);
    let inputs = match kind {
        _ if is_wide => 300,
        Kind::Small if random.random_bool(0.7) => random.random_range(1..9),
        Kind::Plain | Kind::Delayed | Kind::Small => random.random_range(1..60),
    };
    let mut rows = inputs;
    let layers: Vec<Layer> = (0..random.random_range(1..4))
        .map(|index| {
            let size = random.random_range(1..70);
            let bias_sources = random.random_range(0..3);
            let sources = rows + bias_sources;
            // Wide layers with more than a few arrivals run better one by one.
            let is_narrow = kind == Kind::Small && sources > 8;
            let size = if is_narrow { size % 16 + 1 } else { size };
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
                delays: (is_delayed && random.random_bool(0.8))
                    .then(|| delays(random, sources, size, tau_s)),
            }
        })
        .collect();
    let network = layered(inputs, &layers).expect("valid");
    let compiled = CompiledNetwork::new(&network.network);
    let late = random.random_range(0.5..6.0) * tau_s;
    let samples = if kind == Kind::Plain { 1 } else { random.random_range(1..20) };
    let mut stimuli: Vec<_> = (0..samples).map(|_| stimulus(random, &compiled, late)).collect();
    if kind == Kind::Small {
        // Only with the same bias can samples run together.
        let is_bias = |spike: &SourceSpike| spike.source as usize >= inputs;
        let bias: Vec<SourceSpike> = stimuli[0].iter().copied().filter(is_bias).collect();
        for stimulus in &mut stimuli {
            stimulus.retain(|spike| !is_bias(spike));
            stimulus.extend(&bias);
            stimulus.sort_by(|a, b| a.time.total_cmp(&b.time).then(a.source.cmp(&b.source)));
        }
    }
    Case { network, compiled, tau_s, stimuli }
}

fn stimulus(random: &mut ChaCha8Rng, network: &CompiledNetwork, late: f64) -> Vec<SourceSpike> {
    let mut stimulus = Vec::new();
    for source in 0..network.node_count() {
        if network.dynamics(source).is_none() && random.random_bool(0.9) {
            let time: f64 = random.random_range(0.0..late);
            // Some come together.
            let time = if random.random_bool(0.3) { (time * 4.0).round() / 4.0 } else { time };
            stimulus.push(SourceSpike { time, source: source as u32 });
        }
    }
    stimulus.sort_by(|a, b| a.time.total_cmp(&b.time).then(a.source.cmp(&b.source)));
    stimulus
}

/// What an engine made of a case: spike times by sample and node, and sums over the samples of
/// gradients for random derivatives of a loss by the label neurons' times. Those by weight in the order
/// of the layers' matrices, those by delay of all layers that have some.
struct Outcome {
    times: Vec<Vec<f64>>,
    by_weight: Vec<f64>,
    by_delay: Vec<f64>,
}

impl Case {
    fn labels(&self) -> std::ops::Range<usize> {
        let labels = self.network.layers[self.network.layers.len() - 1];
        self.network.network.populations()[labels.0].nodes.clone()
    }

    /// Values per synapse of the compiled network in the order of the matrices, which is that of the
    /// edges.
    fn in_matrices(&self, values: &[f64]) -> Vec<f64> {
        let place = |pre: usize, post: usize| {
            let (pre, post) = ((pre as u32).into(), (post as u32).into());
            self.network.network.graph().find_edge(pre, post).expect("an edge").index()
        };
        let mut sorted = vec![f64::NAN; values.len()];
        for pre in 0..self.compiled.node_count() {
            for synapse in self.compiled.outgoing(pre) {
                let post = self.compiled.targets()[synapse] as usize;
                sorted[place(pre, post)] = values[synapse];
            }
        }
        sorted
    }

    fn by_event_engine(&self, by_label_time: &[f64], guard: Option<f64>) -> Outcome {
        let options = EngineOptions { at_most_one_spike: true };
        let mut engine = EventEngine::new(&self.compiled, options);
        let mut pass = BackwardPass::with_delays(&self.compiled);
        let labels = self.labels();
        let mut times = Vec::new();
        for (stimulus, by_time) in self.stimuli.iter().zip(by_label_time.chunks(labels.len())) {
            let mut record = FirstSpikes::new(self.compiled.node_count());
            engine.run(&self.compiled, stimulus, f64::INFINITY, &mut record).expect("runs");
            pass.time_gradients.fill(0.0);
            pass.time_gradients[labels.clone()].copy_from_slice(by_time);
            record.backpropagate(&self.compiled, guard, &mut pass);
            times.push(record.times().to_vec());
        }
        let by_delay = self.in_matrices(&pass.delay_gradients);
        Outcome {
            times,
            by_weight: self.in_matrices(&pass.weight_gradients),
            by_delay: gradients_by_delay(&self.network, &by_delay),
        }
    }

    fn by_feed_forward_engine<T: Element>(
        &self,
        by_label_time: &[f64],
        guard: Option<f64>,
    ) -> Outcome {
        self.by_network(&self.feed_forward::<T>(), by_label_time, guard)
    }

    fn feed_forward<T: Element>(&self) -> LayeredEngine<T> {
        LayeredEngine::new(&self.network, &self.compiled).expect("supported")
    }

    fn by_network<T: Element>(
        &self,
        network: &LayeredEngine<T>,
        by_label_time: &[f64],
        guard: Option<f64>,
    ) -> Outcome {
        let mut outcome = Outcome {
            times: Vec::new(),
            by_weight: vec![0.0; self.compiled.synapse_count()],
            by_delay: Vec::new(),
        };
        // Bias spikes of a network are the same in all samples that run together; otherwise each sample is
        // a block of its own.
        let sources = |layer, stimulus: &[SourceSpike]| -> Vec<Arrival> {
            let arrival = |spike: &SourceSpike| {
                let row = network.row_of_source(layer, spike.source as usize)?;
                Some(Arrival { time: spike.time, row })
            };
            stimulus.iter().filter_map(arrival).collect()
        };
        let bias = |stimulus: &Vec<SourceSpike>| -> Vec<Vec<Arrival>> {
            (1..network.layer_count()).map(|layer| sources(layer, stimulus)).collect()
        };
        let alike = self.stimuli.iter().all(|stimulus| bias(stimulus) == bias(&self.stimuli[0]));
        let block = if alike { self.stimuli.len() } else { 1 };
        let mut workspace = Workspace::default();
        let mut batches = Vec::new();
        let labels = self.labels().len();
        let gradients = by_label_time.chunks(labels * block);
        for (stimuli, by_label_time) in self.stimuli.chunks(block).zip(gradients) {
            let bias: Vec<Vec<Arrival>> =
                (0..network.layer_count()).map(|layer| sources(layer, &stimuli[0])).collect();
            let mut batch = Batch::default();
            batch.begin(network, stimuli.len());
            for (sample, stimulus) in stimuli.iter().enumerate() {
                *batch.stimulus_mut(sample) = sources(0, stimulus);
            }
            network.forward(&bias, &mut batch, &mut workspace);
            let guard = guard.map(|limit| GradientGuard { limit });
            network.backward(by_label_time, guard, &mut batch, &mut workspace);
            for (sample, stimulus) in stimuli.iter().enumerate() {
                let mut times = vec![f64::INFINITY; self.compiled.node_count()];
                for spike in stimulus {
                    times[spike.source as usize] = spike.time;
                }
                for layer in 0..network.layer_count() {
                    let neurons = network.neurons(layer);
                    batch.copy_spike_times(network, layer, sample, &mut times[neurons]);
                }
                outcome.times.push(times);
            }
            batches.push(batch);
        }
        for layer in 0..network.layer_count() {
            let tiling = network.tiling(layer);
            let mut tiled = vec![T::default(); tiling.value_count()];
            for tile in tiling.tiles() {
                let range = tile.start..tile.start + tile.width * tiling.rows;
                network.weight_gradients(layer, &tile, &batches, &mut tiled[range]);
            }
            let first = network.first_synapse(layer);
            let matrix = first..first + tiling.rows * tiling.columns;
            tiling.gather(&tiled, &mut outcome.by_weight[matrix]);
            let mut by_delay = vec![0.0; batches[0].gradients()[layer].delays.len()];
            for batch in &batches {
                let more = &batch.gradients()[layer].delays;
                by_delay.iter_mut().zip(more).for_each(|(sum, more)| *sum += more);
            }
            outcome.by_delay.extend(by_delay);
        }
        outcome
    }
}

/// Runs random cases on both engines and compares.
fn compare(cases: std::ops::Range<u64>, kind: Kind) {
    let ratios = match kind {
        Kind::Small => vec![1.0, 1.0, 2.0, 1.0, 1.4, f64::INFINITY],
        Kind::Plain | Kind::Delayed => {
            vec![1.0, 2.0, f64::INFINITY, 1.0 + 1e-9, 1.001, 0.3, 3.0, 20.0]
        }
    };
    let (mut spikes, mut silent, mut delays, mut worst_time) = (0, 0, 0, 0.0f64);
    let mut worst = [0.0f64; 2];
    for (index, ratio) in cases.zip(ratios.into_iter().cycle()) {
        let random = &mut random::stream(1, "feed-forward test", index);
        let case = case(random, ratio, kind);
        let count = case.labels().len() * case.stimuli.len();
        let by_label_time: Vec<f64> = (0..count).map(|_| random.random_range(-1.0..1.0)).collect();
        let guard = random.random_bool(0.2).then_some(0.3);
        let slow = case.by_event_engine(&by_label_time, guard);
        let mut network = case.feed_forward::<f64>();
        if kind == Kind::Plain {
            network = network.wide();
        } else {
            network = network.batched();
        }
        let fast = case.by_network(&network, &by_label_time, guard);
        for (expected, found) in slow.times.iter().flatten().zip(fast.times.iter().flatten()) {
            assert_eq!(expected.is_finite(), found.is_finite(), "case {index} {expected} {found}");
            if expected.is_finite() {
                spikes += 1;
                worst_time = worst_time.max((expected - found).abs() / case.tau_s);
            } else {
                silent += 1;
            }
        }
        delays += slow.by_delay.len();
        assert_eq!(slow.by_delay.len(), fast.by_delay.len());
        for (kind, slow, fast) in
            [(0, &slow.by_weight, &fast.by_weight), (1, &slow.by_delay, &fast.by_delay)]
        {
            // What cancels in a sum is compared with what it is a sum of.
            let size = slow.iter().map(|by| by.abs()).sum::<f64>() / slow.len().max(1) as f64;
            for (&expected, &found) in slow.iter().zip(fast) {
                let error = (expected - found).abs() / expected.abs().max(size).max(1e-3);
                worst[kind] = worst[kind].max(error);
            }
        }
    }
    println!(
        "{spikes} spikes, {silent} silent, {delays} delays; worst time {worst_time:e}, gradient by \
         weight {:e}, by delay {:e}",
        worst[0], worst[1]
    );
    assert!(spikes > 10_000 && silent > 10_000 && (delays > 10_000) == (kind == Kind::Delayed));
    assert!(worst_time < 1e-9 && worst[0] < 1e-9 && worst[1] < 1e-9);
}

#[test]
fn spikes_and_gradients_agree_with_the_event_engine() {
    compare(0..2000, Kind::Plain);
}

#[test]
fn with_delays_they_agree_too() {
    compare(2000..3200, Kind::Delayed);
}

#[test]
fn in_batches_they_agree_too() {
    compare(3200..4000, Kind::Small);
}

/// Machines without vector instructions round each product, and sum in another order.
#[test]
fn scalar_instructions_give_the_same_to_rounding() {
    let mut grazing = 0;
    for index in 0..300 {
        let random = &mut random::stream(3, "feed-forward test", index);
        let ratio = [1.0, 2.0, f64::INFINITY, 0.4][index as usize % 4];
        let kind = [Kind::Delayed, Kind::Plain, Kind::Small][index as usize % 3];
        let case = case(random, ratio, kind);
        let count = case.labels().len() * case.stimuli.len();
        let by_label_time: Vec<f64> = (0..count).map(|_| random.random_range(-1.0..1.0)).collect();
        let vectors = case.by_feed_forward_engine::<f64>(&by_label_time, None);
        let scalars = case.by_network(&case.feed_forward::<f64>().scalar(), &by_label_time, None);
        let times = vectors.times.iter().flatten().zip(scalars.times.iter().flatten());
        for (&expected, &found) in times {
            let agree = expected == found || (expected - found).abs() < 1e-9;
            assert!(agree, "case {index}, ratio {ratio}: {expected} {found}");
        }
        let largest = vectors.by_weight.iter().fold(0.0_f64, |most, value| most.max(value.abs()));
        let errors = vectors.by_weight.iter().zip(&scalars.by_weight).map(|(a, b)| (a - b).abs());
        let error = errors.fold(0.0, f64::max) / largest.max(f64::MIN_POSITIVE);
        // A gradient divides by the slope at the spike, and so does the error of that slope: where a
        // spike only just grazes its threshold, roundings count by the inverse square of it.
        grazing += usize::from(error > 1e-9);
        assert!(error < 1e-6, "case {index}, ratio {ratio}: {error:e}");
    }
    assert!(grazing <= 3, "{grazing} of 300 cases differ by more than 1e-9");
}

/// In single precision the sums have errors of 1e-7 of their largest term; a time divides that by the
/// slope, and passes it on to the next layer.
#[test]
fn single_precision_errs_as_documented() {
    let mut errors = Vec::new();
    let mut disagreements = 0;
    for index in 0..500 {
        let random = &mut random::stream(2, "feed-forward test", index);
        let case = case(random, [1.0, 2.0][index as usize % 2], Kind::Plain);
        let by_label_time = vec![0.0; case.labels().len() * case.stimuli.len()];
        let double = case.by_feed_forward_engine::<f64>(&by_label_time, None);
        let single = case.by_feed_forward_engine::<f32>(&by_label_time, None);
        let times = double.times.iter().flatten().zip(single.times.iter().flatten());
        for (&expected, &found) in times {
            if expected.is_finite() && found.is_finite() {
                errors.push((expected - found).abs() / case.tau_s);
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
    assert_eq!(fast.engine().name, "feed_forward");
    let training = learner.encode(&learner.data.training);
    for _ in 0..3 {
        fast.train_epoch(&training, &mut |_| ControlFlow::Continue(())).expect("learns");
    }
    let mut slow = trainer(LearningEngine::Event);
    assert_eq!(slow.engine().name, "event");
    slow.set_parameters(&fast.parameters()).expect("the same network");

    let test = learner.encode(&learner.data.test);
    let mut records = Vec::new();
    slow.evaluate_records(&test, |_, record, decided| {
        records.push((record.times().to_vec(), decided));
    })
    .expect("runs");
    let mut worst = 0.0_f64;
    fast.evaluate_records(&test, |sample, record, decided| {
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
    assert_eq!(fast.evaluate(&test).expect("runs").score.correct, {
        slow.evaluate(&test).expect("runs").score.correct
    });
}
