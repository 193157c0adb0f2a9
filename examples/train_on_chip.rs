//! Trains in the loop on the model of a chip: every forward pass runs there, with its noise and its
//! steps of weights; the backward pass takes what was recorded.
//!
//!     cargo run --release --no-default-features --example train_on_chip

use std::error::Error;
use std::ops::ControlFlow;

use firstspike::chip::{ChipModel, Datasheet, HardwareAccount, HardwareClock, WeightGrid, misfit};
use firstspike::dataset::yin_yang::YinYang;
use firstspike::dataset::{Dataset, Encoding, LatencyEncoding};
use firstspike::learning::{
    AdamSettings, InTheLoop, SampleEncoder, SubstratePrior, Trainer, TrainingSettings,
};
use firstspike::network::{Layer, layered};
use firstspike::neuron::NeuronParameters;
use firstspike::random;
use rand_distr::Normal;

fn main() -> Result<(), Box<dyn Error>> {
    let neuron = NeuronParameters::default();
    let random = &mut random::stream(1, "weights", 0);
    let network = layered(
        4,
        &[
            Layer::random("hidden", 4, 1, vec![neuron; 60], Normal::new(1.5, 0.8)?, random),
            Layer::random("label", 60, 1, vec![neuron; 3], Normal::new(0.5, 0.4)?, random),
        ],
    )?;
    let encoding = LatencyEncoding { earliest: 0.15, latest: 2.0, ..LatencyEncoding::default() };
    let encoder = SampleEncoder::new(&network, Encoding::Latency(encoding), &[0.9, 0.9])?;
    let points = |seed, size| Dataset::from(YinYang::default().generate(seed, size));
    let training = encoder.encode(&points(42, 2000))?;
    let test = encoder.encode(&points(40, 1000))?;

    // The chip's datasheet has its own unit of time; the model's is one synaptic time constant.
    let sheet: Datasheet = toml::from_str(include_str!("../chips/brainscales2.toml"))?;
    let clock = HardwareClock::new(&sheet, neuron.tau_s).ok_or("the chip has no clock")?;
    let sheet = sheet.in_model_time(1.0 / clock.per_model_time);
    assert_eq!(misfit(&sheet, &network, 1), None);

    let adam = AdamSettings { learning_rate: 0.01, ..AdamSettings::default() };
    let settings = TrainingSettings { epochs: 40, adam, ..TrainingSettings::default() };
    let (epochs, batch_size) = (settings.epochs, settings.batch_size);
    let in_the_loop = InTheLoop {
        substrate: Box::new(ChipModel::new(&sheet, &network, 1)?),
        grid: WeightGrid::new(&sheet, &network),
        batch_size,
        prior: SubstratePrior::of(&sheet, neuron.tau_s),
    };
    let mut trainer = Trainer::in_the_loop(&network, settings, in_the_loop)?;
    for _ in 0..epochs {
        trainer.train_epoch(&training, &mut |_| ControlFlow::Continue(()))?;
    }

    trainer.take_activity();
    let score = trainer.evaluate(&test)?.score;
    println!("accuracy on the chip: {:.1} %", 100.0 * score.accuracy());
    let activity = trainer.take_activity();
    let account = HardwareAccount::new(
        &sheet,
        clock,
        neuron.tau_s,
        &activity,
        score.decision_time(),
        batch_size,
    );
    let account = account.ok_or("nothing was shown")?;
    println!("decided after {:.1} us", 1e6 * account.decision_time);
    if let Some(energy) = account.energy_per_sample {
        println!("energy per sample: {:.2} uJ", 1e6 * energy);
    }
    assert!(score.accuracy() > 0.85, "accuracy {}", score.accuracy());
    Ok(())
}
