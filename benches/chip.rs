//! What training in the loop costs: an epoch on the model of BrainScaleS-2 beside one of the same
//! network and data on the ideal engine, one thread. Every measured epoch starts from the weights of
//! the networks' first epochs.
//!
//! * `ideal`: the scenario without its chip, feed-forward engine;
//! * `in the loop`: with all of the chip's imperfections;
//! * `in the loop, reset`: neurons put to rest before each sample, one spike each;
//! * `in the loop, one time constant`: moreover without spreads of time constants: the feed-forward sweep.
//!
//! ```text
//! cargo bench --bench chip
//! ```

use std::ops::ControlFlow;
use std::path::Path;
use std::time::Duration;

use criterion::{Criterion, SamplingMode, criterion_group, criterion_main};
use firstspike::learning::{EncodedSet, Trainer};
use firstspike::scenario;
use rayon::{ThreadPool, ThreadPoolBuilder};

const EPOCHS_BEFORE: usize = 10;

/// A network after its first epochs.
struct Trained {
    pool: ThreadPool,
    trainer: Trainer,
    training: EncodedSet,
    weights: Vec<f64>,
}

impl Trained {
    fn new(file: &str, overrides: &[&str]) -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios").join(file);
        let overrides: Vec<String> = overrides.iter().map(|&given| given.to_owned()).collect();
        let loaded = scenario::load(&path, &overrides).expect("a scenario of the repository");
        let learner = loaded.learner().expect("a scenario to train");
        let training = learner.encode(&learner.data.training);
        let hardware = loaded.hardware(&learner).expect("the network fits");
        let folder = std::env::temp_dir();
        let pool = ThreadPoolBuilder::new().num_threads(1).build().expect("a thread");
        let trainer = pool
            .install(|| loaded.trainer(&learner, hardware.as_ref(), &folder))
            .expect("the network can run");
        let mut trained = Trained { pool, trainer, training, weights: Vec::new() };
        trained.keep();
        for _ in 0..EPOCHS_BEFORE {
            trained.epoch();
            trained.keep();
        }
        trained
    }

    fn keep(&mut self) {
        self.weights = self.trainer.network().weights().to_vec();
    }

    fn epoch(&mut self) {
        let Trained { pool, trainer, training, weights } = self;
        trainer.set_weights(weights);
        pool.install(|| trainer.train_epoch(training, &mut |_| ControlFlow::Continue(())))
            .expect("learning goes on")
            .expect("nothing stops the epoch");
    }
}

fn epochs(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("yin-yang epoch");
    group
        .sampling_mode(SamplingMode::Flat)
        .sample_size(10)
        .measurement_time(Duration::from_secs(8));
    let reset = ["chip.presentation.reset=true", "chip.neurons.repeated_spikes=false"];
    let uniform = [
        reset[0],
        reset[1],
        "chip.neurons.fixed_pattern.tau_m=0.0",
        "chip.neurons.fixed_pattern.tau_s=0.0",
        "chip.neurons.fixed_pattern.tau_s_inhibitory=0.0",
    ];
    for (name, overrides) in [
        ("ideal", &["chip={name=\"none\"}"][..]),
        ("in the loop", &[][..]),
        ("in the loop, reset", &reset[..]),
        ("in the loop, one time constant", &uniform[..]),
    ] {
        let mut trained = None;
        group.bench_function(name, |bencher| {
            let trained = trained
                .get_or_insert_with(|| Trained::new("yin_yang_brainscales2.toml", overrides));
            bencher.iter(|| trained.epoch());
        });
    }
    group.finish();
}

criterion_group! {
    name = chip;
    config = Criterion::default().without_plots();
    targets = epochs
}
criterion_main!(chip);
