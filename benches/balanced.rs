//! Speed and memory of the window engine: how many synaptic events per second it handles in a
//! balanced random network of 12,500 neurons (10,000 excitatory, 2,500 inhibitory) with 1250
//! synapses each, delay 1.5 ms, `τ_m = 20 ms`, `τ_s = 2 ms`, on one thread and on two; how that
//! changes from 10^4 to 10^7 synapses at 100 per neuron; and how many bytes a synapse takes.
//!
//! A constant current and Poisson sources (one per 12.5 neurons, with as many synapses as a neuron)
//! drive the neurons above threshold, and strong inhibition holds them below it: they fire
//! irregularly, each when its random inputs happen to let it. A synaptic event is a spike that
//! arrives at a synapse. Nothing else is counted; everything the engine does is measured.
//!
//! ```text
//! cargo bench --bench balanced
//! ```

#[path = "common/activity.rs"]
mod common;

use std::time::{Duration, Instant};

use common::activity;
use criterion::{Criterion, SamplingMode, Throughput, criterion_group, criterion_main};
use firstspike::engine::{
    EngineOptions, EventEngine, Observer, Recording, SourceSpike, WindowEngine,
};
use firstspike::network::{CompiledNetwork, Network, Synapse};
use firstspike::neuron::NeuronParameters;
use firstspike::random;
use rand::RngExt;
use rand_distr::{Distribution, Exp1};
use rayon::ThreadPoolBuilder;

/// Potentials in mV, times in ms.
const DELAY: f64 = 1.5;
/// Alone it would bring a neuron to 1.3 times its threshold.
const BIAS: f64 = 1.3;
/// Inhibitory weights relative to excitatory ones.
const INHIBITION: f64 = -6.0;

/// Excitatory weight times the square root of the synapses per neuron, in mV per ms: fluctuations
/// are the same in networks of all sizes. A lone spike raises the potential by 1.5 ms times that.
const STRENGTH: f64 = 8.0;
/// Spikes of one source per ms.
const SOURCE_RATE: f64 = 0.02;

fn sources_beside(neurons: usize) -> usize {
    neurons.div_ceil(25) * 2
}

/// A balanced network; its sources are the last nodes.
fn balanced_network(neurons: usize, synapses_per_neuron: usize) -> CompiledNetwork {
    let parameters = NeuronParameters {
        tau_m: 20.0,
        tau_s: 2.0,
        tau_s_inhibitory: 2.0,
        threshold: 20.0,
        reset_potential: 10.0,
        refractory_period: 2.0,
        bias_current: BIAS,
        ..NeuronParameters::default()
    };
    let mut nodes = Network::new();
    nodes.add_neurons("neurons", vec![parameters; neurons]).expect("valid");
    nodes.add_sources("sources", sources_beside(neurons)).expect("new");
    let weight = STRENGTH / (synapses_per_neuron as f64).sqrt();
    let mut random = random::stream(1, "balanced bench", 0);
    CompiledNetwork::from_rows(&nodes, |node, row| {
        let inhibitory = (neurons / 5 * 4..neurons).contains(&node);
        let weight = if inhibitory { INHIBITION * weight } else { weight };
        row.extend(
            (0..synapses_per_neuron).map(|_| {
                (random.random_range(0..neurons as u32), Synapse { weight, delay: DELAY })
            }),
        );
    })
    .expect("valid")
}

/// Spikes of all sources together, sorted by time.
fn background(neurons: usize, until: f64) -> Vec<SourceSpike> {
    let sources = sources_beside(neurons);
    let mut random = random::stream(1, "balanced sources", 0);
    let mut time = 0.0;
    let mut spikes = Vec::new();
    loop {
        let wait: f64 = Exp1.sample(&mut random);
        time += wait / (SOURCE_RATE * sources as f64);
        if time > until {
            return spikes;
        }
        let source = (neurons + random.random_range(0..sources)) as u32;
        spikes.push(SourceSpike { time, source });
    }
}

/// Looks at nothing, so that only the engine is measured.
struct Nobody;

impl Observer for Nobody {
    fn spike(&mut self, _node: usize, _time: f64) {}
}

/// Resident memory of this process and its peak, in bytes; none where /proc does not tell.
fn memory() -> Option<(f64, f64)> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let read = |key: &str| {
        let line = status.lines().find(|line| line.starts_with(key))?;
        line.split_whitespace().nth(1)?.parse::<f64>().ok().map(|kilobytes| 1024.0 * kilobytes)
    };
    Some((read("VmRSS:")?, read("VmHWM:")?))
}

/// Runs a network on so many threads: builds it, says how it behaves, and measures.
fn measure(criterion: &mut Criterion, neurons: usize, synapses_per_neuron: usize, until: f64) {
    let before = memory();
    let started = Instant::now();
    let network = balanced_network(neurons, synapses_per_neuron);
    let built = started.elapsed().as_secs_f64();
    let after = memory();
    let stimulus = background(neurons, until);
    let synapses = network.synapse_count();

    let mut engine = WindowEngine::new(&network, EngineOptions::default()).expect("has delays");
    let mut recording = Recording::default();
    let statistics = engine.run(&network, &stimulus, until, &mut recording).expect("runs");
    let (rate, variation) = activity(&recording, 0..neurons, until);
    println!(
        "{neurons} neurons, {synapses} synapses, built in {built:.2} s; {} synaptic events in \
         {until} ms; {:.1} Hz, variation of intervals {variation:.2}",
        statistics.synaptic_events,
        1000.0 * rate
    );
    // Later networks live in memory that earlier ones left behind: only the first tells.
    static FIRST: std::sync::Once = std::sync::Once::new();
    let mut first = false;
    FIRST.call_once(|| first = true);
    if first && let (Some(before), Some(after), Some(end)) = (before, after, memory()) {
        let per_synapse = |bytes: f64| bytes / synapses as f64;
        println!(
            "bytes per synapse: network {:.1}, with engine and run {:.1}, peak {:.1}",
            per_synapse(after.0 - before.0),
            per_synapse(end.0 - before.0),
            per_synapse(end.1 - before.0)
        );
    }

    let mut group = criterion.benchmark_group("balanced");
    group
        .throughput(Throughput::Elements(statistics.synaptic_events))
        .sample_size(10)
        .sampling_mode(SamplingMode::Flat)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(3));
    for threads in [1, 2] {
        let pool = ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
        group.bench_function(format!("{synapses} synapses, {threads} threads"), |bencher| {
            let run = || engine.run(&network, &stimulus, until, &mut Nobody).expect("runs");
            pool.install(|| bencher.iter(run));
        });
    }
    group.finish();
}

/// The first stretch of the run, which no chaos has touched yet, is that of the event engine.
fn check(neurons: usize, synapses_per_neuron: usize, until: f64) {
    let network = balanced_network(neurons, synapses_per_neuron);
    let stimulus = background(neurons, until);
    let (mut expected, mut found) = (Recording::default(), Recording::default());
    let options = EngineOptions::default();
    let started = Instant::now();
    let statistics = EventEngine::new(&network, options)
        .run(&network, &stimulus, until, &mut expected)
        .expect("runs");
    let speed = statistics.synaptic_events as f64 / started.elapsed().as_secs_f64();
    WindowEngine::new(&network, options)
        .expect("has delays")
        .run(&network, &stimulus, until, &mut found)
        .expect("runs");
    assert_eq!(found.spikes.len(), expected.spikes.len());
    let distances = found.spikes.iter().zip(&expected.spikes).map(|(a, b)| (a.time - b.time).abs());
    let farthest = distances.fold(0.0, f64::max);
    println!(
        "event engine: {:.1} M synaptic events/s; {} spikes in {until} ms, at most {farthest:.1e} ms \
         apart from the window engine's",
        speed / 1e6,
        expected.spikes.len()
    );
    assert!(farthest < 1e-9);
}

fn balanced(criterion: &mut Criterion) {
    // Smallest last: the allocator keeps what larger networks leave behind.
    measure(criterion, 12_500, 1250, 300.0);
    check(12_500, 1250, 40.0);
    // The curve from 10^7 to 10^4 synapses, at 100 per neuron: the time per synaptic event should
    // not grow.
    measure(criterion, 100_000, 100, 200.0);
    measure(criterion, 10_000, 100, 1000.0);
    measure(criterion, 1000, 100, 4000.0);
    measure(criterion, 100, 100, 20_000.0);
}

// No plots: criterion's fail in this package, whose plotters takes its fonts from the program.
criterion_group! {
    name = benches;
    config = Criterion::default().without_plots();
    targets = balanced
}
criterion_main!(benches);
