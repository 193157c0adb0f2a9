//! How long an epoch of the Yin-Yang task takes: 5000 samples through the network, back, and into the
//! weights, or only through it. The networks are trained for three epochs first, because
//! an initial network is not typical; every measured epoch starts from the weights reached then.
//!
//! * `main scenario`: `scenarios/yin_yang.toml`, 120 hidden neurons, feed-forward engine, one thread;
//! * `event engine`: the same on the event engine;
//! * `paper's recipe`: `scenarios/yin_yang_paper.toml`, the same size, one thread;
//! * `30 hidden neurons`, `30 hidden neurons, synaptic delays`: a smaller hidden layer, one thread;
//! * `forward only`: the main scenario, evaluated on its training set, one thread;
//! * `two threads`: the main scenario.
//!
//! ```text
//! cargo bench --bench epoch
//! ```

use std::ops::ControlFlow;
use std::path::Path;
use std::time::Duration;

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, SamplingMode, criterion_group, criterion_main};
use firstspike::learning::{EncodedSet, EpochMetrics, Score, Trainer};
use firstspike::scenario;
use rayon::{ThreadPool, ThreadPoolBuilder};

const EPOCHS_BEFORE: usize = 3;

/// A network after its first epochs, on threads of its own.
struct Trained {
    pool: ThreadPool,
    trainer: Trainer,
    training: EncodedSet,
    /// Weights after the first epochs.
    weights: Vec<f64>,
}

impl Trained {
    fn new(file: &str, overrides: &[&str], threads: usize) -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios").join(file);
        let overrides: Vec<String> = overrides.iter().map(|&given| given.to_owned()).collect();
        let loaded = scenario::load(&path, &overrides).expect("a scenario of the repository");
        let learner = loaded.learner().expect("a scenario to train");
        let training = learner.encode(&learner.data.training);
        assert_eq!(training.len(), 5000);
        let pool = ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
        // A trainer keeps memory for each thread of the pool it is made in.
        let trainer = pool.install(|| {
            Trainer::new(&learner.network, learner.settings.clone()).expect("the network can run")
        });
        let mut trained = Trained { pool, trainer, training, weights: Vec::new() };
        trained.weights = trained.trainer.network().weights().to_vec();
        for _ in 0..EPOCHS_BEFORE {
            let metrics = trained.epoch();
            assert!(metrics.training.accuracy() > 0.0);
            trained.weights = trained.trainer.network().weights().to_vec();
        }
        trained
    }

    fn epoch(&mut self) -> EpochMetrics {
        let Trained { pool, trainer, training, weights } = self;
        trainer.set_weights(weights);
        pool.install(|| trainer.train_epoch(training, &mut |_| ControlFlow::Continue(())))
            .expect("learning goes on")
            .expect("nothing stops the epoch")
    }

    fn evaluate(&mut self) -> Score {
        let Trained { pool, trainer, training, weights } = self;
        trainer.set_weights(weights);
        pool.install(|| trainer.evaluate(training)).expect("the engine runs").score
    }
}

/// Prepares the network only if this measurement is asked for.
fn measure<R>(
    group: &mut BenchmarkGroup<'_, WallTime>,
    name: &str,
    prepare: impl Fn() -> Trained,
    work: impl Fn(&mut Trained) -> R,
) {
    let mut trained = None;
    group.bench_function(name, |bencher| {
        let trained = trained.get_or_insert_with(&prepare);
        bencher.iter(|| work(trained));
    });
}

fn epochs(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("Yin-Yang epoch");
    group
        .sample_size(10)
        .sampling_mode(SamplingMode::Flat)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(4));
    let main = |threads| move || Trained::new("yin_yang.toml", &[], threads);
    let paper = || Trained::new("yin_yang_paper.toml", &[], 1);
    let small = || Trained::new("yin_yang_30.toml", &[], 1);
    let delays = || Trained::new("yin_yang_30_delays.toml", &[], 1);
    let event = || Trained::new("yin_yang.toml", &["engine=\"event\""], 1);
    measure(&mut group, "main scenario", main(1), Trained::epoch);
    measure(&mut group, "event engine", event, Trained::epoch);
    measure(&mut group, "paper's recipe", paper, Trained::epoch);
    measure(&mut group, "30 hidden neurons", small, Trained::epoch);
    measure(&mut group, "30 hidden neurons, synaptic delays", delays, Trained::epoch);
    measure(&mut group, "forward only", main(1), Trained::evaluate);
    measure(&mut group, "two threads", main(2), Trained::epoch);
    group.finish();
}

// No plots: criterion's fail in this package, whose plotters takes its fonts from the program.
criterion_group! {
    name = benches;
    config = Criterion::default().without_plots();
    targets = epochs
}
criterion_main!(benches);
