//! Trains a network on data from memory: which points of the unit square are in a circle?
//!
//!     cargo run --release --no-default-features --example train_from_memory

use std::error::Error;
use std::ops::ControlFlow;

use firstspike::dataset::{Dataset, Encoding, Features, LatencyEncoding};
use firstspike::learning::{AdamSettings, Evaluation, SampleEncoder, Trainer, TrainingSettings};
use firstspike::network::{Layer, layered};
use firstspike::neuron::NeuronParameters;
use firstspike::random;
use rand::RngExt;
use rand_distr::Normal;

/// Random points, each with its coordinates forward and backward: a class is then told by what comes
/// early.
fn points(count: usize, seed: u64) -> Dataset {
    let mut random = random::stream(seed, "points", 0);
    let (mut features, mut labels) = (Vec::new(), Vec::new());
    for _ in 0..count {
        let (x, y) = (random.random::<f64>(), random.random::<f64>());
        features.extend([x, y, 1.0 - x, 1.0 - y]);
        labels.push(usize::from((x - 0.5).hypot(y - 0.5) < 0.4));
    }
    Dataset {
        features: Features::Real(features.into()),
        labels: labels.into(),
        feature_count: 4,
        class_count: 2,
        image: None,
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    // Two layers of the paper's neuron, each with a bias: a spike that comes with every sample.
    let neuron = NeuronParameters::default();
    let random = &mut random::stream(1, "weights", 0);
    let network = layered(
        4,
        &[
            Layer::random("hidden", 4, 1, vec![neuron; 40], Normal::new(1.5, 0.8)?, random),
            Layer::random("label", 40, 1, vec![neuron; 2], Normal::new(0.5, 0.8)?, random),
        ],
    )?;

    // A feature from 0 to 1 becomes a spike from 0.15 to 2 synaptic time constants.
    let encoding = LatencyEncoding { earliest: 0.15, latest: 2.0, ..LatencyEncoding::default() };
    let encoder = SampleEncoder::new(&network, Encoding::Latency(encoding), &[0.9, 0.9])?;
    let training = encoder.encode(&points(2000, 1))?;
    let test = encoder.encode(&points(1000, 2))?;

    let adam = AdamSettings { learning_rate: 0.02, ..AdamSettings::default() };
    let settings = TrainingSettings { epochs: 40, adam, ..TrainingSettings::default() };
    let epochs = settings.epochs;
    let mut trainer = Trainer::new(&network, settings)?;
    println!("before training: {:.1} %", 100.0 * trainer.evaluate(&test)?.score.accuracy());
    for _ in 0..epochs {
        trainer.train_epoch(&training, &mut |_| ControlFlow::Continue(()))?;
    }

    let Evaluation { score, layers } = trainer.evaluate(&test)?;
    println!("after {epochs} epochs: {:.1} %", 100.0 * score.accuracy());
    println!("decided after {:.2} synaptic time constants", score.decision_time());
    println!("silent hidden neurons: {:.0} %", 100.0 * layers[0].silent_fraction());
    assert!(score.accuracy() > 0.95, "accuracy {}", score.accuracy());
    Ok(())
}
