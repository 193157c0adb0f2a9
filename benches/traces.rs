//! Reading a trace of 10^7 spikes (12,500 neurons in two populations, 10 Hz), plain and packed, and
//! the statistics of it, in spikes per second; and how much memory that takes.
//!
//! `cargo bench --bench traces`

use std::io::BufWriter;
use std::path::Path;
use std::time::Duration;

use criterion::{Criterion, SamplingMode, Throughput, criterion_group, criterion_main};
use firstspike::random;
use firstspike::trace::TraceWriter;
use firstspike::trace::recording::{ColumnNames, Recording, read_recording};
use firstspike::trace::statistics::{Setting, Statistics};
use firstspike::trace::trains::Trains;
use flate2::Compression;
use flate2::write::GzEncoder;
use rand::RngExt;

const SPIKES: u32 = 10_000_000;
const NEURONS: u32 = 12_500;
const DURATION: f64 = 80_000.0;

/// Writes spikes at random times, in order, of random neurons.
fn write(output: impl std::io::Write) {
    let mut writer = TraceWriter::new(output, "ms").expect("a heading");
    let mut random = random::stream(1, "traces bench", 0);
    let mut time = 0.0;
    for _ in 0..SPIKES {
        time += 2.0 * random.random::<f64>() * DURATION / f64::from(SPIKES);
        let neuron = random.random_range(0..NEURONS);
        let (population, neuron) =
            if neuron < 10_000 { ("excitatory", neuron) } else { ("inhibitory", neuron - 10_000) };
        writer.write(0, population, neuron, time).expect("a row");
    }
    writer.finish().expect("written");
}

fn read(path: &Path) -> Recording {
    read_recording(path, &ColumnNames::default()).expect("sound").0
}

fn evaluate(recording: &Recording) -> Statistics {
    let setting = Setting { window: (0.0, DURATION), bin: Some(3.0), ..Setting::default() };
    Statistics::new(&Trains::new(recording), &setting).expect("few bins")
}

/// The most memory this process ever had, in MB; none where /proc does not tell.
fn peak() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse::<f64>().ok().map(|kilobytes| kilobytes / 1024.0)
}

fn traces(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (plain, packed) = (folder.path().join("a.csv"), folder.path().join("a.csv.gz"));
    let create = |path: &Path| BufWriter::new(std::fs::File::create(path).expect("writable"));
    write(create(&plain));
    write(GzEncoder::new(create(&packed), Compression::fast()));
    let recording = read(&plain);
    assert_eq!(evaluate(&recording).all.spikes, u64::from(SPIKES));
    println!(
        "{SPIKES} spikes; peak memory of reading and statistics: {:.0} MB",
        peak().unwrap_or(0.0)
    );

    let mut group = criterion.benchmark_group("traces");
    group
        .throughput(Throughput::Elements(u64::from(SPIKES)))
        .sample_size(10)
        .sampling_mode(SamplingMode::Flat)
        .warm_up_time(Duration::from_millis(100));
    group.bench_function("read", |bencher| bencher.iter(|| read(&plain)));
    group.bench_function("read packed", |bencher| bencher.iter(|| read(&packed)));
    group.bench_function("statistics", |bencher| bencher.iter(|| evaluate(&recording)));
    group.bench_function("both", |bencher| bencher.iter(|| evaluate(&read(&plain))));
    group.finish();
}

// No plots: criterion's fail in this package, whose plotters takes its fonts from the program.
criterion_group! {
    name = benches;
    config = Criterion::default().without_plots();
    targets = traces
}
criterion_main!(benches);
