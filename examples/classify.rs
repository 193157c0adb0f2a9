//! Takes a trained network from its file and classifies with it.
//!
//!     cargo run --release --no-default-features --example classify
//!
//! `yin_yang_network.json` is what `firstspike run scenarios/yin_yang_30.toml` has left in its folder as
//! `network.json`.

use std::error::Error;
use std::path::Path;

use firstspike::dataset::yin_yang::{CLASS_NAMES, YinYang};
use firstspike::dataset::{Encoding, LatencyEncoding};
use firstspike::learning::{Classifier, Loss, Margin, SampleEncoder};
use firstspike::network::{LayeredNetwork, file};

fn main() -> Result<(), Box<dyn Error>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/yin_yang_network.json");
    let (network, time_unit) = file::read(&path)?;
    let network = LayeredNetwork::try_from(network)?;

    // How the network was trained to be shown samples, and to decide.
    let encoding = LatencyEncoding { earliest: 0.15, latest: 2.0, ..LatencyEncoding::default() };
    let encoder = SampleEncoder::new(&network, Encoding::Latency(encoding), &[0.9, 0.9])?;
    let loss = Loss::ShiftInvariantMeanSquaredError { margin: Margin::Fixed(0.15) };
    let mut classifier = Classifier::new(&network, encoder, loss);

    // The published test set.
    let samples = YinYang::default().generate(40, 1000);
    let mut correct = 0;
    for (index, (features, &label)) in samples.features.iter().zip(&samples.labels).enumerate() {
        let decision = classifier.classify(features)?;
        correct += usize::from(decision.class == Some(label));
        if index < 5 {
            let [x, y, ..] = features;
            let class = decision.class.map_or("no class", |class| CLASS_NAMES[class]);
            println!("({x:.2}, {y:.2}): {class} after {:.3} {time_unit}", decision.time);
        }
    }
    println!("{correct} of {} correct", samples.labels.len());
    assert!(correct > 950);
    Ok(())
}
