//! Every distortion of a chip, as its traces show it: mean, spread, independence between neurons and
//! samples, and the same on any number of threads.
//!
//! One source drives many neurons with one strong weight. What a neuron's parameter is on the chip
//! follows from when it spikes: the parameter is the one with which the event engine's neuron spikes
//! then.

use firstspike::chip::{
    ChipModel, Datasheet, Deviation, LinkSheet, NeuronDeviations, NeuronSheet, PresentationKey,
    PresentationSheet, Presented, Program, Shape, Sign, Substrate, Trial, WeightGrid, WeightSheet,
};
use firstspike::engine::{EngineOptions, EventEngine, Recording, SourceSpike, Spike};
use firstspike::network::{CompiledNetwork, Layer, LayeredNetwork, Network, Synapse, layered};
use firstspike::neuron::NeuronParameters;

/// Neurons of the layer.
const COUNT: usize = 1500;

/// Weight of the source's synapses.
const WEIGHT: f64 = 10.0;

/// The second source, which inhibits.
const INHIBITION: f64 = -2.0;

fn target() -> NeuronParameters {
    NeuronParameters { refractory_period: 0.3, ..NeuronParameters::default() }
}

fn network(count: usize) -> LayeredNetwork {
    let weights = [vec![WEIGHT; count], vec![INHIBITION; count]].concat();
    let layer = Layer {
        name: "layer".to_owned(),
        neurons: vec![target(); count],
        bias_sources: 0,
        weights,
        delays: None,
    };
    layered(2, &[layer]).expect("valid")
}

/// Both sources spike, the inhibiting one first.
fn presented(sample: u32) -> Presented {
    let stimulus =
        vec![SourceSpike { time: 0.5, source: 0 }, SourceSpike { time: 0.25, source: 1 }];
    Presented { key: PresentationKey { epoch: 0, sample, batch: sample / 10 }, stimulus }
}

/// The recorded spikes of some samples, on so many threads.
fn record(sheet: &Datasheet, count: usize, samples: u32, threads: usize) -> Vec<Vec<Spike>> {
    let network = network(count);
    let mut chip = ChipModel::new(sheet, &network, 7).expect("the network fits");
    let edges = network.network.graph().edge_weights();
    let weights: Vec<f64> = edges.map(|synapse| synapse.weight).collect();
    let grid = WeightGrid::new(sheet, &network);
    let programmed: Vec<f64> = weights
        .iter()
        .enumerate()
        .map(|(index, &weight)| {
            let place = (index / count, index % count);
            grid.as_ref().map_or(weight, |grid| grid.synapse(0, place.0, place.1).program(weight))
        })
        .collect();
    chip.program(&Program { weights: &programmed, delays: &[] }).expect("takes them");
    let shown: Vec<Presented> = (0..samples).map(presented).collect();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
    pool.install(|| chip.present(&shown)).expect("runs")
}

/// Per neuron the time of its `nth` spike (from 0) in a record; infinite if there is none.
fn times(record: &[Spike], count: usize, nth: usize) -> Vec<f64> {
    let mut all = vec![Vec::new(); count];
    for spike in record {
        all[spike.node as usize - 2].push(spike.time);
    }
    all.iter_mut().for_each(|times| times.sort_by(f64::total_cmp));
    all.iter().map(|times| times.get(nth).copied().unwrap_or(f64::INFINITY)).collect()
}

/// When an ideal neuron with these parameters spikes the `nth` time.
fn spike_time(neuron: NeuronParameters, nth: usize) -> f64 {
    let mut network = Network::new();
    let input = network.add_sources("input", 2).expect("new");
    let layer = network.add_neurons("layer", [neuron]).expect("valid");
    for (source, weight) in [WEIGHT, INHIBITION].into_iter().enumerate() {
        let synapse = Synapse { weight, delay: 0.0 };
        network.connect((input, source), (layer, 0), synapse).expect("valid");
    }
    let network = CompiledNetwork::new(&network);
    let mut stimulus = presented(0).stimulus;
    stimulus.sort_by(|a, b| a.time.total_cmp(&b.time));
    let mut recording = Recording::default();
    EventEngine::new(&network, EngineOptions::default())
        .run(&network, &stimulus, 30.0, &mut recording)
        .expect("runs");
    let spikes: Vec<f64> =
        recording.spikes.iter().filter(|spike| spike.node == 2).map(|spike| spike.time).collect();
    spikes.get(nth).copied().unwrap_or(f64::INFINITY)
}

/// The deviation with which a neuron spikes at `time`: `with` is monotonic, in either direction.
fn infer(time: f64, nth: usize, with: fn(f64) -> NeuronParameters) -> f64 {
    let (mut low, mut high) = (-0.6, 0.6);
    let grows = spike_time(with(high), nth) > spike_time(with(low), nth);
    for _ in 0..50 {
        let middle = 0.5 * (low + high);
        if (spike_time(with(middle), nth) < time) == grows {
            low = middle;
        } else {
            high = middle;
        }
    }
    0.5 * (low + high)
}

struct Moments {
    mean: f64,
    std: f64,
    /// Correlation of each value with the next.
    neighbours: f64,
}

fn moments(values: &[f64]) -> Moments {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / count;
    let product: f64 = values.windows(2).map(|pair| (pair[0] - mean) * (pair[1] - mean)).sum();
    Moments { mean, std: variance.sqrt(), neighbours: product / (count * variance) }
}

fn correlation(a: &[f64], b: &[f64]) -> f64 {
    let (of_a, of_b) = (moments(a), moments(b));
    let product: f64 = a.iter().zip(b).map(|(a, b)| (a - of_a.mean) * (b - of_b.mean)).sum();
    product / (a.len() as f64 * of_a.std * of_b.std)
}

/// Mean and spread are as the sheet says, within five standard errors, and neighbours independent.
fn check(name: &str, values: &[f64], mean: f64, std: f64) {
    let found = moments(values);
    let count = values.len() as f64;
    assert!((found.mean - mean).abs() < 5.0 * std / count.sqrt(), "{name}: mean {}", found.mean);
    // The standard error of a normal distribution's spread.
    let error = 5.0 * std / (2.0 * count).sqrt();
    assert!((found.std - std).abs() < error, "{name}: spread {}", found.std);
    assert!(found.neighbours.abs() < 5.0 / count.sqrt(), "{name}: {}", found.neighbours);
}

/// A parameter of a neuron: how a sheet distorts it, and a neuron that is off by so much.
struct Parameter {
    name: &'static str,
    sheet: fn(&mut NeuronDeviations, Deviation),
    neuron: fn(f64) -> NeuronParameters,
    /// The spike that tells.
    nth: usize,
}

const PARAMETERS: [Parameter; 7] = [
    Parameter {
        name: "threshold",
        sheet: |sheet, by| sheet.threshold = by,
        neuron: |by| NeuronParameters { threshold: 1.0 + by, ..target() },
        nth: 0,
    },
    Parameter {
        name: "leak_potential",
        sheet: |sheet, by| sheet.leak_potential = by,
        neuron: |by| NeuronParameters { leak_potential: by, initial_potential: by, ..target() },
        nth: 0,
    },
    Parameter {
        name: "reset_potential",
        sheet: |sheet, by| sheet.reset_potential = by,
        neuron: |by| NeuronParameters { reset_potential: by, ..target() },
        nth: 1,
    },
    Parameter {
        name: "tau_m",
        sheet: |sheet, by| sheet.tau_m = by,
        neuron: |by| NeuronParameters { tau_m: 1.0 + by, ..target() },
        nth: 0,
    },
    Parameter {
        name: "tau_s",
        sheet: |sheet, by| sheet.tau_s = by,
        neuron: |by| {
            let tau_s = 1.0 + by;
            NeuronParameters { tau_s, tau_s_inhibitory: tau_s, ..target() }
        },
        nth: 1,
    },
    Parameter {
        name: "tau_s_inhibitory",
        sheet: |sheet, by| sheet.tau_s_inhibitory = Some(by),
        neuron: |by| NeuronParameters { tau_s_inhibitory: 1.0 + by, ..target() },
        nth: 1,
    },
    Parameter {
        name: "refractory_period",
        sheet: |sheet, by| sheet.refractory_period = by,
        neuron: |by| NeuronParameters { refractory_period: 0.3 * (1.0 + by), ..target() },
        nth: 1,
    },
];

#[test]
fn fixed_patterns_of_neurons_are_what_the_sheet_says_and_stay() {
    for parameter in &PARAMETERS {
        let mut sheet = Datasheet::default();
        let deviation = Deviation { mean: 0.02, std: 0.04, ..Deviation::IDEAL };
        (parameter.sheet)(&mut sheet.neurons.fixed_pattern, deviation);
        sheet.neurons.repeated_spikes = true;
        let records = record(&sheet, COUNT, 2, 1);
        let found: Vec<f64> = times(&records[0], COUNT, parameter.nth)
            .iter()
            .map(|&time| infer(time, parameter.nth, parameter.neuron))
            .collect();
        check(parameter.name, &found, 0.02, 0.04);
        assert_eq!(records[0], records[1], "{}: a fixed pattern stays", parameter.name);
    }
}

#[test]
fn trial_to_trial_deviations_are_drawn_for_every_sample_or_batch() {
    for parameter in &PARAMETERS {
        let mut sheet = Datasheet::default();
        let deviation = Deviation { mean: 0.0, std: 0.05, distribution: Shape::Normal };
        (parameter.sheet)(&mut sheet.neurons.trial_to_trial, deviation);
        sheet.neurons.repeated_spikes = true;
        let inferred = |record: &[Spike]| -> Vec<f64> {
            let times = times(record, COUNT, parameter.nth);
            times.iter().map(|&time| infer(time, parameter.nth, parameter.neuron)).collect()
        };
        let records = record(&sheet, COUNT, 2, 1);
        let (first, second) = (inferred(&records[0]), inferred(&records[1]));
        check(parameter.name, &first, 0.0, 0.05);
        let samples = correlation(&first, &second);
        assert!(samples.abs() < 5.0 / (COUNT as f64).sqrt(), "{}: {samples}", parameter.name);

        sheet.neurons.trial = Trial::Batch;
        let records = record(&sheet, COUNT, 11, 1);
        assert_eq!(records[0], records[9], "{}: one batch, one trial", parameter.name);
        let (first, other) = (inferred(&records[0]), inferred(&records[10]));
        let batches = correlation(&first, &other);
        assert!(batches.abs() < 5.0 / (COUNT as f64).sqrt(), "{}: {batches}", parameter.name);
    }
}

/// The ideal neuron's spike.
fn ideal_time() -> f64 {
    spike_time(target(), 0)
}

#[test]
fn synapses_have_their_own_gains_and_offsets() {
    // With the inhibiting source's gain known to be one, the other weight follows from the time.
    let response = |elapsed: f64| elapsed * (-elapsed).exp();
    let excitation = |time: f64| (1.0 - INHIBITION * response(time - 0.25)) / response(time - 0.5);
    let deviation = Deviation { mean: -0.01, std: 0.02, ..Deviation::IDEAL };

    let offsets = Datasheet {
        weights: WeightSheet { offset: deviation, ..WeightSheet::default() },
        ..Datasheet::default()
    };
    // Offsets of both synapses move the spike: to first order, their sum weighted by the responses.
    let record_ = record(&offsets, COUNT, 1, 1);
    let ratio = response(ideal_time() - 0.25) / response(ideal_time() - 0.5);
    let found: Vec<f64> =
        times(&record_[0], COUNT, 0).iter().map(|&time| excitation(time) - WEIGHT).collect();
    check("offset", &found, -0.01 * (1.0 + ratio), 0.02 * (1.0 + ratio * ratio).sqrt());

    let gains = Datasheet {
        weights: WeightSheet { gain: deviation, sign: Sign::RowPair, ..WeightSheet::default() },
        ..Datasheet::default()
    };
    let record_ = record(&gains, COUNT, 1, 1);
    let found: Vec<f64> =
        times(&record_[0], COUNT, 0).iter().map(|&time| excitation(time) - WEIGHT).collect();
    let scale = WEIGHT.hypot(INHIBITION * ratio);
    check("gain", &found, -0.01 * (WEIGHT + INHIBITION * ratio), 0.02 * scale);
    assert_eq!(record_, record(&gains, COUNT, 1, 2));
}

#[test]
fn spike_jitter_is_independent_between_neurons_and_samples() {
    let sheet = Datasheet {
        link: LinkSheet { spike_jitter: 0.01, ..LinkSheet::default() },
        ..Datasheet::default()
    };
    let records = record(&sheet, COUNT, 2, 1);
    let [first, second] = [0, 1].map(|sample| -> Vec<f64> {
        times(&records[sample], COUNT, 0).iter().map(|time| time - ideal_time()).collect()
    });
    check("spike jitter", &first, 0.0, 0.01);
    assert!(correlation(&first, &second).abs() < 5.0 / (COUNT as f64).sqrt());
}

#[test]
fn delays_move_whole_samples_and_losses_silence_them() {
    const SAMPLES: u32 = 3000;
    // Both sources are late by as much only without jitter.
    let constant = Datasheet {
        link: LinkSheet { delay: 0.125, ..LinkSheet::default() },
        ..Datasheet::default()
    };
    let time = times(&record(&constant, 1, 1, 1)[0], 1, 0)[0];
    assert!((time - ideal_time() - 0.125).abs() < 1e-14, "{time}");

    // Jitter of the exciting source alone: the inhibiting one is lost with certainty by waiting.
    let jitter = Datasheet {
        link: LinkSheet { delay: 0.2, delay_jitter: 0.02, ..LinkSheet::default() },
        ..Datasheet::default()
    };
    let records = record(&jitter, 1, SAMPLES, 2);
    let shifts: Vec<f64> =
        records.iter().map(|record| times(record, 1, 0)[0] - ideal_time() - 0.2).collect();
    // dT/dt of the two inputs sum to one; their squares weigh the jitters.
    let response = |elapsed: f64| (1.0 - elapsed) * (-elapsed).exp();
    let parts = [WEIGHT * response(ideal_time() - 0.5), INHIBITION * response(ideal_time() - 0.25)];
    let slope: f64 = parts.iter().sum();
    let std = 0.02 * parts[0].hypot(parts[1]) / slope;
    check("delay jitter", &shifts, 0.0, std);

    let lossy =
        Datasheet { link: LinkSheet { loss: 0.3, ..LinkSheet::default() }, ..Datasheet::default() };
    let records = record(&lossy, 1, SAMPLES, 2);
    let silent = records.iter().filter(|record| record.is_empty()).count() as f64;
    let fraction = silent / f64::from(SAMPLES);
    // The exciting spike is lost; five standard errors.
    assert!((fraction - 0.3).abs() < 5.0 * (0.21 / f64::from(SAMPLES)).sqrt(), "{fraction}");
}

#[test]
fn weights_are_rounded_to_steps_and_clipped_to_the_range() {
    let sheet = Datasheet {
        weights: WeightSheet { magnitude_bits: Some(3), largest: 3.5, ..WeightSheet::default() },
        ..Datasheet::default()
    };
    let grid = WeightGrid::new(&sheet, &network(2)).expect("a grid");
    for (weight, expected) in
        [(10.0, 3.5), (-9.0, -3.5), (0.24, 0.0), (0.26, 0.5), (-1.1, -1.0), (3.3, 3.5)]
    {
        assert_eq!(grid.synapse(0, 0, 1).program(weight), expected, "{weight}");
    }
    assert_eq!((grid.synapse(0, 0, 0).clip(8.0), grid.synapse(0, 0, 0).clip(0.24)), (3.5, 0.24));
    let by_row = Datasheet {
        weights: WeightSheet { sign: Sign::Row, ..WeightSheet::default() },
        ..Datasheet::default()
    };
    let grid = WeightGrid::new(&by_row, &network(2)).expect("a grid");
    assert_eq!(
        (grid.synapse(0, 0, 0).program(-1.0), grid.synapse(0, 0, 0).program(1.0)),
        (0.0, 1.0)
    );
    assert_eq!(
        (grid.synapse(0, 1, 0).program(-1.0), grid.synapse(0, 1, 0).program(1.0)),
        (-1.0, 0.0)
    );
    assert!(WeightGrid::new(&Datasheet::default(), &network(2)).is_none());
}

#[test]
fn time_stamps_window_and_states_left_over() {
    let shown = |presentation: PresentationSheet| Datasheet {
        presentation,
        neurons: NeuronSheet { repeated_spikes: true, ..NeuronSheet::default() },
        ..Datasheet::default()
    };
    let ideal = PresentationSheet::default();
    let all = times(&record(&shown(ideal), 1, 1, 1)[0], 1, 1)[0];
    let stamped = PresentationSheet { time_stamp: 0.01, ..ideal };
    let time = times(&record(&shown(stamped), 1, 1, 1)[0], 1, 0)[0];
    assert!(time <= ideal_time() && ideal_time() < time + 0.01 + 1e-12);
    assert!((time / 0.01 - (time / 0.01).round()).abs() < 1e-9, "{time}");
    let short = PresentationSheet { window: 0.5 * (ideal_time() + all), ..ideal };
    assert_eq!(record(&shown(short), 1, 1, 1)[0].len(), 1, "the second spike comes too late");
    // What the inhibiting and exciting spikes left over: within a batch, samples differ.
    let continuous = PresentationSheet { window: 2.0, reset: false, ..ideal };
    let records = record(&shown(continuous), 1, 20, 1);
    let first = |sample: usize| times(&records[sample], 1, 0)[0];
    assert!(first(1) < first(0), "the exciting current outlives the sample");
    assert_eq!(records[0], records[10], "a batch starts at rest");
}

#[test]
fn everything_at_once_is_the_same_on_any_number_of_threads() {
    let some = Deviation { mean: 0.01, std: 0.05, ..Deviation::IDEAL };
    let deviations = NeuronDeviations {
        threshold: some,
        leak_potential: some,
        reset_potential: some,
        tau_m: some,
        tau_s: some,
        tau_s_inhibitory: Some(some),
        refractory_period: some,
    };
    for reset in [true, false] {
        let sheet = Datasheet {
            weights: WeightSheet { gain: some, offset: some, ..WeightSheet::default() },
            neurons: NeuronSheet {
                repeated_spikes: !reset,
                fixed_pattern: deviations,
                trial_to_trial: deviations,
                ..NeuronSheet::default()
            },
            link: LinkSheet {
                delay: 0.1,
                delay_fixed_pattern: 0.01,
                delay_jitter: 0.01,
                spike_jitter: 0.01,
                interval: 0.002,
                loss: 0.05,
                ..LinkSheet::default()
            },
            presentation: PresentationSheet {
                window: 3.0,
                reset,
                time_stamp: 0.001,
                ..PresentationSheet::default()
            },
            ..Datasheet::default()
        };
        let one = record(&sheet, 30, 45, 1);
        assert!(one.iter().any(|record| !record.is_empty()));
        for threads in [2, 3] {
            assert_eq!(record(&sheet, 30, 45, threads), one, "{threads} threads");
        }
        assert!(record(&sheet, 30, 45, 1) == one, "the same again");
    }
}
