//! A layer on flat arrays against the event engine and the slow twin of the backward passes.

use rand::RngExt;
use rand::rngs::ChaCha8Rng;

use firstspike::engine::layered::DerivativesAt;
use firstspike::engine::{
    EngineOptions, EventEngine, FirstSpikeLayer, LayerArrays, LayerInputError,
    LayerNeuronParameters, Recording, SourceSpike, WeightOrder, parameter_gradients,
};
use firstspike::learning::{BackwardPass, FirstSpikes, trace_gradients};
use firstspike::network::{CompiledNetwork, DelayKind, Layer, LayerDelays, layered};
use firstspike::neuron::NeuronParameters;
use firstspike::random;

struct Case {
    sizes: [usize; 3],
    tau_m: f64,
    kind: Option<DelayKind>,
    order: WeightOrder,
    times: Vec<f64>,
    /// Input × neuron.
    weights: Vec<f64>,
    delays: Vec<f64>,
    by_spikes: Vec<f64>,
}

impl Case {
    fn new(
        random: &mut ChaCha8Rng,
        sizes: [usize; 3],
        tau_m: f64,
        kind: Option<DelayKind>,
        order: WeightOrder,
    ) -> Self {
        let [samples, inputs, neurons] = sizes;
        let mean = 4.0 / inputs as f64;
        let mut draw = |count: usize, low: f64, high: f64| -> Vec<f64> {
            (0..count).map(|_| random.random_range(low..high)).collect()
        };
        let mut times = draw(samples * inputs, 0.0, 2.5);
        times.iter_mut().filter(|time| **time > 2.0).for_each(|time| *time = f64::INFINITY);
        let weights = draw(inputs * neurons, -mean, 3.0 * mean);
        let delays = draw(kind.map_or(0, |kind| kind.count(inputs, neurons)), 0.0, 0.5);
        let by_spikes = draw(samples * neurons, -1.0, 1.0);
        Case { sizes, tau_m, kind, order, times, weights, delays, by_spikes }
    }

    fn parameters(&self) -> LayerNeuronParameters {
        let thresholds = (0..self.sizes[2]).map(|neuron| 1.0 + 0.1 * (neuron % 3) as f64).collect();
        LayerNeuronParameters { tau_m: self.tau_m, tau_s: 1.0, capacitance: 1.3, thresholds }
    }

    /// A matrix in rows of inputs, in the order of the case.
    fn ordered(&self, matrix: &[f64]) -> Vec<f64> {
        let [_, inputs, neurons] = self.sizes;
        let mut ordered = vec![0.0; matrix.len()];
        for (index, &value) in matrix.iter().enumerate() {
            ordered[self.order.index(index / neurons, index % neurons, inputs, neurons)] = value;
        }
        ordered
    }

    fn ordered_delays(&self, delays: &[f64]) -> Vec<f64> {
        if self.kind == Some(DelayKind::Synaptic) { self.ordered(delays) } else { delays.to_vec() }
    }

    /// Spikes, and gradients by times, weights, delays, thresholds and the two time constants and the capacitance.
    fn slowly(&self) -> [Vec<f64>; 6] {
        let [samples, inputs, neurons] = self.sizes;
        let LayerNeuronParameters { tau_m, tau_s, capacitance, thresholds } = self.parameters();
        let neuron = |threshold: f64| NeuronParameters {
            tau_m,
            tau_s,
            tau_s_inhibitory: tau_s,
            capacitance,
            threshold,
            ..NeuronParameters::default()
        };
        let layer = Layer {
            name: "layer".to_owned(),
            neurons: thresholds.into_iter().map(neuron).collect(),
            bias_sources: 0,
            weights: self.weights.clone(),
            delays: self.kind.map(|kind| LayerDelays { kind, values: self.delays.clone() }),
        };
        let network = CompiledNetwork::new(&layered(inputs, &[layer]).expect("valid").network);
        let options = EngineOptions { at_most_one_spike: true };
        let mut engine = EventEngine::new(&network, options);
        let mut pass = BackwardPass::with_delays(&network);
        let [mut spikes, mut by_times, mut by_thresholds] = [vec![], vec![], vec![0.0; neurons]];
        let mut by_rates = vec![0.0; 3];
        for sample in 0..samples {
            let times = &self.times[sample * inputs..][..inputs];
            let mut stimulus: Vec<_> = (0..inputs)
                .filter(|&source| times[source].is_finite())
                .map(|source| SourceSpike { time: times[source], source: source as u32 })
                .collect();
            stimulus.sort_by(|a: &SourceSpike, b| a.time.total_cmp(&b.time));
            let mut record = Recording::default();
            engine.run(&network, &stimulus, 100.0, &mut record).expect("runs");
            let mut first = vec![f64::INFINITY; network.node_count()];
            for spike in &record.spikes {
                first[spike.node as usize] = first[spike.node as usize].min(spike.time);
            }
            first[..inputs].copy_from_slice(times);
            spikes.extend_from_slice(&first[inputs..]);
            let by_spikes = &self.by_spikes[sample * neurons..][..neurons];
            pass.time_gradients.fill(0.0);
            pass.time_gradients[inputs..].copy_from_slice(by_spikes);
            FirstSpikes::from_times(first).backpropagate(&network, None, &mut pass);
            by_times.extend_from_slice(&pass.time_gradients[..inputs]);
            let by_record: Vec<f64> = record
                .spikes
                .iter()
                .map(|spike| {
                    (spike.node as usize).checked_sub(inputs).map_or(0.0, |n| by_spikes[n])
                })
                .collect();
            let trace = trace_gradients(&network, options, &record.spikes, &by_record);
            for (sum, neuron) in by_thresholds.iter_mut().zip(&trace.neurons[inputs..]) {
                *sum += neuron.threshold;
                by_rates[0] += neuron.tau_m;
                by_rates[1] += neuron.tau_s + neuron.tau_s_inhibitory;
                by_rates[2] += neuron.capacitance;
            }
        }
        // The compiled network numbers the synapses of a source by their delays.
        let place = |input: usize, synapse: usize| {
            input * neurons + network.targets()[synapse] as usize - inputs
        };
        let [mut by_weights, mut by_each_delay] =
            [vec![0.0; inputs * neurons], vec![0.0; inputs * neurons]];
        for input in 0..inputs {
            for synapse in network.outgoing(input) {
                by_weights[place(input, synapse)] = pass.weight_gradients[synapse];
                by_each_delay[place(input, synapse)] = pass.delay_gradients[synapse];
            }
        }
        let by_delays = (0..self.delays.len()).map(|delay| {
            let synapses = (0..inputs * neurons).filter(|synapse| {
                let kind = self.kind.expect("there are delays");
                kind.index(synapse / neurons, synapse % neurons, neurons) == delay
            });
            synapses.map(|synapse| by_each_delay[synapse]).sum()
        });
        let by_delays = self.ordered_delays(&by_delays.collect::<Vec<f64>>());
        let by_weights = self.ordered(&by_weights);
        [spikes, by_times, by_weights, by_delays, by_thresholds, by_rates]
    }
}

fn agree(what: &str, found: &[f64], expected: &[f64], tolerance: f64) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (index, (found, expected)) in found.iter().zip(expected).enumerate() {
        let is_same =
            found == expected || (found - expected).abs() < tolerance * (1.0 + expected.abs());
        assert!(is_same, "{what}[{index}]: {found} and {expected}");
    }
}

#[test]
fn agrees_with_the_event_engine_and_the_slow_backward_pass() {
    let mut random = random::stream(1, "flat layer", 0);
    let kinds =
        [None, Some(DelayKind::Axonal), Some(DelayKind::Dendritic), Some(DelayKind::Synaptic)];
    // Both kernels, parts of registers, more samples than a batch has.
    for sizes in [[1, 1, 1], [70, 5, 33], [13, 20, 3], [37, 20, 40]] {
        for tau_m in [0.7, 1.0, 2.0, 3.0, f64::INFINITY] {
            for (kind, order) in
                kinds.into_iter().zip([WeightOrder::ByInput, WeightOrder::ByNeuron].repeat(2))
            {
                let case = Case::new(&mut random, sizes, tau_m, kind, order);
                let parameters = case.parameters();
                let [samples, inputs, neurons] = sizes;
                let delays = case.ordered_delays(&case.delays);
                let arrays = LayerArrays {
                    inputs,
                    neurons,
                    samples,
                    times: &case.times,
                    weights: &case.ordered(&case.weights),
                    order,
                    delays: kind.map(|kind| (kind, delays.as_slice())),
                    parameters: &parameters,
                    by_times: true,
                };
                let mut layer = FirstSpikeLayer::default();
                let mut spikes = vec![0.0; samples * neurons];
                layer.forward(&arrays, &mut spikes).expect("valid");
                let [expected, by_times, by_weights, by_delays, by_thresholds, by_rates] =
                    case.slowly();
                agree("spikes", &spikes, &expected, 1e-11);
                // Gradients are divided by slopes, which may be small: as in the comparison of the engines.
                let found = layer.backward(&case.by_spikes).expect("valid");
                agree("by times", &found.times, &by_times, 1e-8);
                agree("by weights", &found.weights, &by_weights, 1e-8);
                agree("by delays", &found.delays, &by_delays, 1e-8);
                let again = layer.backward(&case.by_spikes).expect("valid");
                assert_eq!(found, again, "nothing is used up");
                let by_parameter =
                    parameter_gradients(&arrays, &spikes, &case.by_spikes).expect("valid");
                agree("by thresholds", &by_parameter.thresholds, &by_thresholds, 1e-8);
                let found_rates =
                    [by_parameter.tau_m, by_parameter.tau_s, by_parameter.capacitance];
                agree("by tau_m, tau_s, capacitance", &found_rates, &by_rates, 1e-8);
                // What it recorded itself, it takes back alike.
                layer.record(&arrays, &spikes, DerivativesAt::Record).expect("valid");
                let recorded = layer.backward(&case.by_spikes).expect("valid");
                agree("by weights, recorded", &recorded.weights, &by_weights, 1e-7);
                agree("by times, recorded", &recorded.times, &by_times, 1e-7);
            }
        }
    }
}

#[test]
fn single_precision_is_double_precision_to_its_rounding() {
    let mut random = random::stream(1, "flat layer", 1);
    for sizes in [[40, 5, 12], [20, 150, 40]] {
        let case = Case::new(&mut random, sizes, 1.0, None, WeightOrder::ByNeuron);
        let parameters = case.parameters();
        let narrow = |values: &[f64]| values.iter().map(|&value| value as f32).collect::<Vec<_>>();
        let (times, weights) = (narrow(&case.times), narrow(&case.ordered(&case.weights)));
        let [samples, inputs, neurons] = sizes;
        let mut spikes = vec![0.0_f32; samples * neurons];
        let arrays = LayerArrays {
            inputs,
            neurons,
            samples,
            times: &times,
            weights: &weights,
            order: WeightOrder::ByNeuron,
            delays: None,
            parameters: &parameters,
            by_times: true,
        };
        let mut layer = FirstSpikeLayer::default();
        layer.forward(&arrays, &mut spikes).expect("valid");
        let [expected, _, by_weights, ..] = case.slowly();
        let close = |found: f32, expected: f64| {
            f64::from(found) == expected || (f64::from(found) - expected).abs() < 1e-4
        };
        // A spike that grazes its threshold is another in single precision.
        let far = spikes.iter().zip(&expected).filter(|&(&a, &b)| !close(a, b)).count();
        assert!(far * 50 < spikes.len(), "{far} of {}", spikes.len());
        let found = layer.backward(&narrow(&case.by_spikes)).expect("valid");
        assert_eq!(found.times.len(), samples * inputs);
        let far = found.weights.iter().zip(&by_weights);
        let far = far.filter(|&(&a, &b)| (f64::from(a) - b).abs() > 1e-2 * (1.0 + b.abs())).count();
        assert!(far * 20 < by_weights.len(), "{far} of {}", by_weights.len());
    }
}

#[test]
fn what_makes_no_layer_is_refused_by_name() {
    let parameters =
        LayerNeuronParameters { tau_m: 1.0, tau_s: 1.0, capacitance: 1.0, thresholds: vec![1.0] };
    let good = LayerArrays {
        inputs: 2,
        neurons: 1,
        samples: 1,
        times: &[0.0, 1.0],
        weights: &[1.0, 2.0],
        order: WeightOrder::ByInput,
        delays: None,
        parameters: &parameters,
        by_times: false,
    };
    let refused = |arrays: &LayerArrays<'_, f64>| {
        let mut spikes = vec![0.0; arrays.samples * arrays.neurons];
        let mut layer = FirstSpikeLayer::default();
        layer.forward(arrays, &mut spikes).expect_err("bad").to_string()
    };
    let with_times = |times: &[f64]| refused(&LayerArrays { times, ..good });
    assert!(with_times(&[0.0, f64::NAN]).starts_with("times[0, 1] is NaN: it must be a time"));
    assert!(with_times(&[-0.5, 0.0]).starts_with("times[0, 0] is -0.5"));
    assert!(with_times(&[0.0]).contains("times has 1 values"));
    assert!(refused(&LayerArrays { samples: 0, times: &[], ..good }).contains("no samples"));
    assert!(refused(&LayerArrays { neurons: 0, weights: &[], ..good }).contains("no neurons"));
    let weights = &[1.0, f64::INFINITY];
    assert!(refused(&LayerArrays { weights, ..good }).starts_with("weights[1, 0] is inf"));
    let delays: Option<(DelayKind, &[f64])> = Some((DelayKind::Axonal, &[0.0, -1.0]));
    assert!(refused(&LayerArrays { delays, ..good }).starts_with("delays[0, 1] is -1"));
    for (name, bad) in [
        ("tau_m", LayerNeuronParameters { tau_m: 0.0, ..parameters.clone() }),
        ("threshold", LayerNeuronParameters { thresholds: vec![0.0], ..parameters.clone() }),
        ("thresholds", LayerNeuronParameters { thresholds: vec![1.0; 3], ..parameters.clone() }),
    ] {
        assert!(refused(&LayerArrays { parameters: &bad, ..good }).starts_with(name));
    }
    let mut layer = FirstSpikeLayer::default();
    layer.forward(&good, &mut [0.0]).expect("valid");
    let error = layer.backward(&[f64::NAN]).expect_err("no number");
    assert!(error.to_string().starts_with("gradient[0, 0] is NaN: it must be finite"));
    let error = layer.backward(&[0.0, 0.0]).expect_err("too many");
    assert_eq!(error, LayerInputError::Size { array: "gradient", expected: 1, found: 2 });
}
