//! MNIST: how long an epoch of training takes (50,000 images through 784-350-10, back, and into the
//! weights), and how many images per second a trained 256-246-10 network classifies.
//!
//! * `epoch`: `scenarios/mnist.toml` on one thread and on two, in the precision of the scenario and in
//!   double precision;
//! * `classify`: `scenarios/mnist_16x16.toml` after two epochs, 10,000 test images, one thread.
//!
//! Needs the files of MNIST in `data/mnist` (`firstspike data fetch mnist`); without them it says so
//! and measures nothing.
//!
//! ```text
//! cargo bench --bench mnist
//! ```

use std::ops::ControlFlow;
use std::path::Path;
use std::time::Duration;

use criterion::{Criterion, SamplingMode, Throughput, criterion_group, criterion_main};
use firstspike::learning::{EncodedSet, Trainer};
use firstspike::scenario;
use rayon::{ThreadPool, ThreadPoolBuilder};

/// A network after its first epochs, on threads of its own.
struct Trained {
    pool: ThreadPool,
    trainer: Trainer,
    training: EncodedSet,
    test: EncodedSet,
    weights: Vec<f64>,
}

impl Trained {
    fn new(file: &str, overrides: &[&str], threads: usize, epochs: usize) -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let overrides: Vec<String> = overrides.iter().map(|&given| given.to_owned()).collect();
        let loaded = scenario::load(&root.join("scenarios").join(file), &overrides)
            .expect("a scenario of the repository");
        let learner = loaded.learner().expect("a scenario to train");
        let pool = ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
        let trainer = pool
            .install(|| Trainer::new(&learner.network, learner.settings.clone()))
            .expect("the network can run");
        let mut trained = Trained {
            pool,
            trainer,
            training: learner.encode(&learner.data.training),
            test: learner.encode(&learner.data.test),
            weights: Vec::new(),
        };
        trained.weights = trained.trainer.network().weights().to_vec();
        for _ in 0..epochs {
            trained.epoch();
            trained.weights = trained.trainer.network().weights().to_vec();
        }
        trained
    }

    fn epoch(&mut self) {
        let Trained { pool, trainer, training, weights, .. } = self;
        trainer.set_weights(weights);
        pool.install(|| trainer.train_epoch(training, &mut |_| ControlFlow::Continue(())))
            .expect("learning goes on");
    }

    fn classify(&self) -> u64 {
        self.pool
            .install(|| self.trainer.evaluate(&self.test))
            .expect("the engine runs")
            .score
            .correct
    }
}

const DOUBLE: &[&str] = &["precision=\"double\""];

fn mnist(criterion: &mut Criterion) {
    let files = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/mnist");
    if !files.is_dir() {
        eprintln!("no MNIST in {}: nothing is measured", files.display());
        return;
    }
    let mut group = criterion.benchmark_group("MNIST epoch");
    group
        .sample_size(10)
        .sampling_mode(SamplingMode::Flat)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(20));
    for (name, overrides, threads) in [
        ("one thread", &[] as &[&str], 1),
        ("two threads", &[], 2),
        ("double precision", DOUBLE, 1),
    ] {
        let mut trained = None;
        group.bench_function(name, |bencher| {
            let trained =
                trained.get_or_insert_with(|| Trained::new("mnist.toml", overrides, threads, 2));
            bencher.iter(|| trained.epoch());
        });
    }
    group.finish();

    let mut group = criterion.benchmark_group("MNIST 16 × 16 classify");
    group.sample_size(20).throughput(Throughput::Elements(10_000));
    for (name, overrides) in [("as in the scenario", &[] as &[&str]), ("double precision", DOUBLE)]
    {
        let mut trained = None;
        group.bench_function(name, |bencher| {
            let trained =
                trained.get_or_insert_with(|| Trained::new("mnist_16x16.toml", overrides, 1, 2));
            assert!(trained.classify() > 9000);
            bencher.iter(|| trained.classify());
        });
    }
    group.finish();
}

// No plots: criterion's fail in this package, whose plotters takes its fonts from the program.
criterion_group! {
    name = benches;
    config = Criterion::default().without_plots();
    targets = mnist
}
criterion_main!(benches);
