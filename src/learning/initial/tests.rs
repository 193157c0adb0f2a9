use rand_distr::{Distribution, Normal};

use super::*;
use crate::dataset::{Features, LatencyEncoding};
use crate::neuron::first_spike;

/// Samples whose features are spread evenly.
fn dataset(features: usize) -> Dataset {
    let samples = 50;
    let value = |place: usize| (0.618_034 * place as f64).fract();
    Dataset {
        features: Features::Real((0..samples * features).map(value).collect()),
        labels: vec![0; samples].into(),
        feature_count: features,
        class_count: 1,
        image: None,
    }
}

/// The share of neurons with such weights that have spiked by a time, over a data set's samples.
fn share(data: &Dataset, encoding: Encoding, weights: InitialWeights, until: f64) -> f64 {
    let neuron = Dynamics::new(&NeuronParameters::default()).expect("valid");
    let random = &mut crate::random::stream(1, "test", 0);
    let normal = Normal::new(weights.mean, weights.std).expect("finite");
    let (mut spiked, neurons) = (0, 40);
    for sample in 0..data.len() {
        let spike = |index| encoding.spike_time(data.feature(sample, index));
        let mut times: Vec<f64> = (0..data.feature_count).map(spike).collect();
        times.sort_by(f64::total_cmp);
        for _ in 0..neurons {
            let inputs: Vec<(f64, f64)> =
                times.iter().map(|&time| (time, normal.sample(random))).collect();
            let first = first_spike(&neuron, &inputs);
            let time = first.map_or(f64::INFINITY, |crossing| crossing.elapsed);
            spiked += usize::from(time <= until);
        }
    }
    spiked as f64 / (data.len() * neurons) as f64
}

#[test]
fn the_stated_share_spikes_whatever_the_fan_in() {
    let encoding = Encoding::Latency(LatencyEncoding::default());
    for features in [4, 30, 300, 1000] {
        let data = dataset(features);
        let drive = Drive::of_features(&data, encoding);
        assert!((drive.spikes() - features as f64).abs() < 1e-9);
        let neurons = [NeuronParameters::default(); 10];
        let weights = drive.weights(&neurons, false).expect("they spike");
        // Four fifths of the input are there at 0.8, and a fifth of the time constant later 90 % should be
        // above threshold. A first crossing may come before, and with few inputs their times vary.
        let found = share(&data, encoding, weights, 1.0);
        assert!((0.80..=0.97).contains(&found), "{features} features: {found}");
    }
}

#[test]
fn layers_pass_on_what_spikes_and_no_more() {
    let data = dataset(20);
    let mut drive = Drive::of_features(&data, Encoding::Latency(LatencyEncoding::default()));
    drive.add_bias(&[0.5]);
    assert!((drive.spikes() - 21.0).abs() < 1e-9);
    for size in [100, 50, 10] {
        let neurons = vec![NeuronParameters::default(); size];
        let weights = drive.weights(&neurons, false).expect("they spike");
        drive.pass(&neurons, weights);
        let share = drive.spikes() / size as f64;
        assert!((0.9..=1.0).contains(&share), "{share} of {size}");
    }
}

#[test]
fn weights_scale_with_threshold_and_response() {
    let drive = Drive::of_features(&dataset(20), Encoding::Latency(LatencyEncoding::default()));
    let usual = NeuronParameters::default();
    let found = |neuron| drive.weights(&[neuron], true).expect("it spikes");
    let (one, two) = (found(usual), found(NeuronParameters { threshold: 2.0, ..usual }));
    assert!((two.mean - 2.0 * one.mean).abs() < 1e-12 && (two.std - 2.0 * one.std).abs() < 1e-12);
    let large = found(NeuronParameters { capacitance: 2.0, ..usual });
    assert!((large.mean - 2.0 * one.mean).abs() < 1e-12);
}

#[test]
fn what_cannot_be_is_said() {
    let silent = LatencyEncoding { silent_zero: true, ..LatencyEncoding::default() };
    let nothing = Dataset { features: Features::Real([0.0; 50].into()), ..dataset(1) };
    let drive = Drive::of_features(&nothing, Encoding::Latency(silent));
    let message = drive.weights(&[NeuronParameters::default()], false).expect_err("nothing");
    assert_eq!(message, "no spikes arrive at the layer");
    let above = NeuronParameters { leak_potential: 2.0, ..NeuronParameters::default() };
    let drive = Drive::of_features(&dataset(4), Encoding::Latency(LatencyEncoding::default()));
    let message = drive.weights(&[above], false).expect_err("above");
    assert!(message.starts_with("the neurons rest above their threshold"), "{message}");
}

#[test]
fn the_normal_distribution_is_known() {
    for (value, share) in [(0.0, 0.5), (1.281_552, 0.9), (-1.644_854, 0.05), (3.0, 0.998_650_1)] {
        assert!((normal_below(value) - share).abs() < 2e-7, "{value}");
    }
}
