use super::*;
use crate::dataset::{ImageShape, LatencyEncoding, TimeNoise};

const PAPER: LatencyEncoding =
    LatencyEncoding { earliest: 0.15, latest: 2.0, inverted: true, silent_zero: false, copies: 1 };
const FIRST: usize = 7;

/// Three images of 12 × 10, mostly dark.
fn images() -> Dataset {
    let pixel = |place: u32| if place % 5 < 3 { 0 } else { (place * 167 % 256) as u8 };
    Dataset {
        features: Features::Bytes { values: (0..360).map(pixel).collect(), divisor: 256.0 },
        labels: [0, 1, 0].into(),
        feature_count: 120,
        class_count: 2,
        image: Some(ImageShape { width: 12, height: 10 }),
    }
}

fn encode(set: &EncodedSet, sample: usize, presentation: Presentation) -> Vec<SourceSpike> {
    let mut spikes = vec![SourceSpike { time: -1.0, source: 99 }];
    set.inputs(sample, presentation, &mut EncodingScratch::default(), &mut spikes);
    spikes
}

/// The spikes as the definitions have them.
fn expected(dataset: &Dataset, encoding: Encoding, sample: usize) -> Vec<SourceSpike> {
    let mut spikes: Vec<SourceSpike> = (0..dataset.feature_count)
        .map(|index| SourceSpike {
            time: encoding.spike_time(dataset.feature(sample, index)),
            source: (FIRST + index) as u32,
        })
        .filter(|spike| spike.time.is_finite())
        .collect();
    spikes.sort_by(order);
    spikes
}

#[test]
fn all_ways_of_sorting_give_what_the_definition_says() {
    let bytes = images();
    let numbers = |scale: f64| Dataset {
        features: Features::Real(
            (0..360)
                .map(|place| scale * bytes.feature(place / 120, place % 120))
                .map(|value: f64| value.powi(3))
                .collect(),
        ),
        ..bytes.clone()
    };
    let few = Dataset {
        features: Features::Real([0.5, 0.0, 0.25, 0.5, 1.0, 0.0].into()),
        feature_count: 2,
        image: None,
        ..bytes.clone()
    };
    // A lone late spike leaves all others in one bucket.
    let mut uneven: Vec<f64> = (0..360).map(|place| 1e-9 * f64::from(place * 167 % 256)).collect();
    (uneven[50], uneven[170], uneven[300]) = (1e6, 1e6, f64::INFINITY);
    let uneven = Dataset { features: Features::Real(uneven.into()), ..bytes.clone() };
    let encodings = [
        PAPER,
        LatencyEncoding { inverted: false, ..PAPER },
        LatencyEncoding { silent_zero: true, ..PAPER },
        LatencyEncoding { silent_zero: true, inverted: false, ..PAPER },
        // So narrow that different bytes have equal times.
        LatencyEncoding { earliest: 1.0, latest: 1.0 + 20.0 * f64::EPSILON, ..PAPER },
    ]
    .map(Encoding::Latency);
    for dataset in [&bytes, &numbers(1.0), &few, &uneven] {
        for encoding in encodings.iter().chain([&Encoding::SpikeTimes]) {
            let set = EncodedSet::new(dataset, *encoding, FIRST, &[]);
            for sample in 0..3 {
                let spikes = encode(&set, sample, Presentation::Plain);
                assert_eq!(spikes, expected(dataset, *encoding, sample), "{encoding:?}");
            }
        }
    }
}

#[test]
fn biases_are_in_their_place() {
    let bias = [0.0, 0.9, 5.0].map(|time| SourceSpike { time, source: 3 });
    let dataset = images();
    let set = EncodedSet::new(&dataset, Encoding::Latency(PAPER), FIRST, &bias);
    let mut spikes = Vec::new();
    set.stimulus(1, Presentation::Plain, &mut EncodingScratch::default(), &mut spikes);
    let mut all = expected(&dataset, Encoding::Latency(PAPER), 1);
    all.extend(bias);
    all.sort_by(order);
    assert_eq!(spikes, all);
}

#[test]
fn only_training_is_varied_and_always_in_the_same_way() {
    let settings = Augmentation {
        time_noise: Some(TimeNoise::Fixed(0.3)),
        dropout: 0.2,
        shift: 2.0,
        rotation: 15.0,
        scale: 0.1,
        seed: 1,
    };
    let training = Presentation::Training { epoch: 4 };
    let only = [
        Augmentation { shift: 2.0, seed: 1, ..Augmentation::default() },
        Augmentation {
            time_noise: Some(TimeNoise::Fixed(0.3)),
            seed: 1,
            ..Augmentation::default()
        },
        Augmentation { dropout: 0.2, seed: 1, ..Augmentation::default() },
        settings,
    ];
    let plain = EncodedSet::new(&images(), Encoding::Latency(PAPER), FIRST, &[]);
    let mut scratch = EncodingScratch::default();
    for settings in only {
        let set = plain.clone().augmented(settings);
        for sample in 0..3 {
            assert_eq!(
                encode(&set, sample, Presentation::Plain),
                encode(&plain, sample, Presentation::Plain)
            );
            let varied = encode(&set, sample, training);
            assert_ne!(varied, encode(&plain, sample, training), "{settings:?}");
            assert_ne!(varied, encode(&set, sample, Presentation::Training { epoch: 5 }));
            assert!(varied.is_sorted_by(|a, b| order(a, b).is_lt()));
            // Whatever the memory was used for before.
            let mut again = Vec::new();
            set.inputs(sample, training, &mut scratch, &mut again);
            assert_eq!(varied, again);
        }
    }
    let nothing = plain.clone().augmented(Augmentation { seed: 1, ..Augmentation::default() });
    assert_eq!(encode(&nothing, 2, training), encode(&plain, 2, Presentation::Plain));
}

#[test]
fn an_image_that_moves_takes_its_spikes_along() {
    // One bright pixel in the middle; dark ones are silent.
    let mut pixels = [0; 81];
    pixels[40] = 255;
    let dataset = Dataset {
        features: Features::Bytes { values: pixels.into(), divisor: 255.0 },
        labels: [0].into(),
        feature_count: 81,
        class_count: 1,
        image: Some(ImageShape { width: 9, height: 9 }),
    };
    let encoding = Encoding::Latency(LatencyEncoding { silent_zero: true, ..PAPER });
    let settings = Augmentation { shift: 3.0, ..Augmentation::default() };
    let set = EncodedSet::new(&dataset, encoding, 0, &[]).augmented(settings);
    for epoch in 1..50 {
        let (dx, dy) = settings.distortion(epoch, 0).shift;
        let spikes = encode(&set, 0, Presentation::Training { epoch });
        // The brightness is spread over four pixels, and its centre is where the shift says.
        let bright = |spike: &SourceSpike| 1.0 - (spike.time - 0.15) / 1.85;
        let total: f64 = spikes.iter().map(bright).sum();
        let mean = |place: fn(u32) -> u32| {
            let sum = |spike| bright(spike) * f64::from(place(spike.source));
            spikes.iter().map(sum).sum::<f64>() / total
        };
        assert!((1..=4).contains(&spikes.len()) && (total - 1.0).abs() < 0.01);
        assert!((mean(|source| source % 9) - 4.0 - dx).abs() < 0.02, "epoch {epoch}");
        assert!((mean(|source| source / 9) - 4.0 - dy).abs() < 0.02, "epoch {epoch}");
    }
}

#[test]
fn copies_of_a_feature_spike_with_it_and_stay_sorted() {
    let dataset = Dataset {
        features: Features::Real([0.5, 0.0, 0.5].into()),
        labels: [0].into(),
        feature_count: 3,
        class_count: 1,
        image: None,
    };
    let with_copies = |copies| {
        let encoding = Encoding::Latency(LatencyEncoding { copies, ..PAPER });
        encode(&EncodedSet::new(&dataset, encoding, 7, &[]), 0, Presentation::Plain)
    };
    let (once, twice) = (with_copies(1), with_copies(2));
    let expected: Vec<SourceSpike> = once
        .iter()
        .flat_map(|&SourceSpike { time, source }| {
            [0, 1].map(|copy| SourceSpike { time, source: 7 + 2 * (source - 7) + copy })
        })
        .collect();
    assert_eq!(twice, expected);
    assert_eq!(twice.iter().map(|spike| spike.source).collect::<Vec<_>>(), [7, 8, 11, 12, 9, 10]);
}
