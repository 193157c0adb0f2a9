//! Encoding one image of 28 × 28 as spikes, as it is and with what training may add to it.
//!
//! `cargo bench --bench encoding`

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use firstspike::dataset::{
    Augmentation, Dataset, Encoding, Features, ImageShape, LatencyEncoding, TimeNoise,
};
use firstspike::learning::{EncodedSet, EncodingScratch, Presentation};

/// A disc that is bright in the middle: 150 of 784 pixels are not dark, as in MNIST.
fn image() -> Dataset {
    let pixel = |place: usize| {
        let (x, y) = ((place % 28) as f64 - 13.5, (place / 28) as f64 - 13.5);
        (255.0 * (1.0 - (x * x + y * y) / 48.0)).max(0.0) as u8
    };
    Dataset {
        features: Features::Bytes { values: (0..784).map(pixel).collect(), divisor: 256.0 },
        labels: [0].into(),
        feature_count: 784,
        class_count: 10,
        image: Some(ImageShape { width: 28, height: 28 }),
    }
}

fn encoding(criterion: &mut Criterion) {
    let nothing = Augmentation::default();
    let distorted = Augmentation { shift: 2.0, rotation: 10.0, scale: 0.1, ..nothing };
    let cases = [
        ("plain", nothing),
        ("distorted", distorted),
        ("time noise", Augmentation { time_noise: Some(TimeNoise::Fixed(0.3)), ..nothing }),
        ("dropout", Augmentation { dropout: 0.1, ..nothing }),
        (
            "all",
            Augmentation { time_noise: Some(TimeNoise::Fixed(0.3)), dropout: 0.1, ..distorted },
        ),
    ];
    let mut group = criterion.benchmark_group("encoding of a 28 × 28 image");
    for silent_zero in [false, true] {
        let encoding = Encoding::Latency(LatencyEncoding {
            earliest: 0.15,
            latest: 2.0,
            inverted: true,
            silent_zero,
            copies: 1,
        });
        for (name, augmentation) in cases {
            let set = EncodedSet::new(&image(), encoding, 0, &[]).augmented(augmentation);
            let (mut scratch, mut spikes) = (EncodingScratch::default(), Vec::new());
            let mut epoch = 0;
            let dark = if silent_zero { "silent" } else { "spiking" };
            group.bench_function(format!("{name}, dark pixels {dark}"), |bencher| {
                bencher.iter(|| {
                    epoch += 1;
                    let shown = Presentation::Training { epoch };
                    set.inputs(0, shown, &mut scratch, &mut spikes);
                    black_box(&spikes);
                });
            });
        }
    }
    group.finish();
}

criterion_group!(benches, encoding);
criterion_main!(benches);
