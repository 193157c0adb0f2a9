//! What a look at 10^7 spikes costs: putting them in order once ([`Raster::new`]), and then every
//! picture of a terminal of 200 by 60 characters, in dots of braille ([`Raster::count`]): of the whole
//! range, and of a hundredth of it.
//!
//! 1000 neurons of four populations spike at random times over 1000 s, in the order of time.
//!
//! ```text
//! cargo bench --bench raster
//! ```

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use firstspike::random;
use firstspike::report::raster::{Grid, Raster, Selection, Stack, View};
use firstspike::trace::recording::Recording;
use rand::RngExt;

const SPIKES: usize = 10_000_000;
const NEURONS: u32 = 250;

fn recording() -> Recording {
    let mut random = random::stream(1, "raster benchmark", 0);
    let mut recording = Recording {
        time_unit: Some("ms".to_owned()),
        populations: (0..4).map(|population| format!("population {population}")).collect(),
        ..Recording::default()
    };
    for spike in 0..SPIKES {
        recording.times.push((spike as f64 + random.random_range(0.0..1.0)) * 0.1);
        recording.neurons.push(random.random_range(0..NEURONS));
        recording.population.push(random.random_range(0..4));
    }
    recording
}

fn bench(criterion: &mut Criterion) {
    let recording = recording();
    let mut group = criterion.benchmark_group("raster of 10^7 spikes");
    group.sample_size(10).measurement_time(Duration::from_secs(5));
    group.throughput(Throughput::Elements(SPIKES as u64));
    let selection = Selection::default();
    group.bench_function("order", |bencher| {
        bencher.iter(|| Raster::new(black_box(&recording), &selection).expect("all of it"));
    });
    let raster = Raster::new(&recording, &selection).expect("all of it");
    let stack = Stack::new(&raster.bands, 60, 1, 0.25);
    let grid = Grid { columns: 400, lines: 240, tallest: 12 };
    let whole = raster.whole(&stack);
    let middle = 0.5 * (whole.x.0 + whole.x.1);
    let part = 0.005 * (whole.x.1 - whole.x.0);
    let zoomed = View { x: (middle - part, middle + part), ..whole };
    for (name, view) in [("whole range", whole), ("a hundredth", zoomed)] {
        let cells = raster.count(&view, &stack, grid);
        group.throughput(Throughput::Elements(cells.spikes()));
        group.bench_function(name, |bencher| {
            bencher.iter(|| raster.count(black_box(&view), &stack, grid));
        });
    }
    group.finish();
}

criterion_group!(benches, bench);
criterion_main!(benches);
