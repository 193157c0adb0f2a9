//! What the event engine's queue costs (`priority-queue`, a heap that finds a neuron by its hash),
//! against the standard library's heap with lazy deletion: superseded entries stay in it until they
//! surface, or are swept out whenever they outnumber the live ones three to one.
//!
//! All do the same rounds: pop the earliest crossing, reschedule 50 random neurons, push the popped
//! one back, every time an exponential wait after the popped one. The time reported is that of one
//! round of 52 operations. One group per number of neurons, so ratios are those of one run.
//!
//! ```text
//! cargo bench --bench queue
//! ```

// The engine's own type, which is no part of the public API.
#[allow(dead_code, unused_imports)]
#[path = "../src/engine/queue.rs"]
mod queue;

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main};
use firstspike::random;
use ordered_float::OrderedFloat;
use queue::EventQueue;
use rand::RngExt;
use rand_distr::{Distribution, Exp1};

const SIZES: [usize; 3] = [128, 1024, 10_000];
const RESCHEDULES: usize = 50;

/// What the engine asks of a queue.
trait Queue {
    /// Inserts or moves a neuron's crossing.
    fn schedule(&mut self, neuron: usize, time: f64);
    /// Takes the earliest crossing out.
    fn pop(&mut self) -> Option<(f64, usize)>;
}

impl Queue for EventQueue {
    #[inline]
    fn schedule(&mut self, neuron: usize, time: f64) {
        EventQueue::schedule(self, neuron, time);
    }

    #[inline]
    fn pop(&mut self) -> Option<(f64, usize)> {
        EventQueue::pop(self)
    }
}

/// The standard heap, with the entry that counts of each neuron.
struct LazyHeap {
    heap: BinaryHeap<Reverse<(OrderedFloat<f64>, u32)>>,
    /// The scheduled time, if there is one.
    scheduled: Vec<Option<f64>>,
    /// Length at which the superseded entries are swept out.
    limit: usize,
}

impl LazyHeap {
    fn new(neurons: usize, limit: usize) -> Self {
        LazyHeap { heap: BinaryHeap::new(), scheduled: vec![None; neurons], limit }
    }
}

impl Queue for LazyHeap {
    #[inline]
    fn schedule(&mut self, neuron: usize, time: f64) {
        self.scheduled[neuron] = Some(time);
        self.heap.push(Reverse((OrderedFloat(time), neuron as u32)));
        if self.heap.len() > self.limit {
            let scheduled = &self.scheduled;
            self.heap.retain(|Reverse((time, neuron))| scheduled[*neuron as usize] == Some(time.0));
        }
    }

    #[inline]
    fn pop(&mut self) -> Option<(f64, usize)> {
        while let Some(Reverse((time, neuron))) = self.heap.pop() {
            let neuron = neuron as usize;
            if self.scheduled[neuron] == Some(time.0) {
                self.scheduled[neuron] = None;
                return Some((time.0, neuron));
            }
        }
        None
    }
}

/// A queue under work, in the steady state after many rounds.
struct Workload<'a, Q> {
    queue: Q,
    /// Neurons and the waits until their crossings, drawn beforehand and used in a circle whose
    /// length is no multiple of a round's.
    draws: &'a [(u32, f32)],
    position: usize,
}

impl<'a, Q: Queue> Workload<'a, Q> {
    fn new(mut queue: Q, neurons: usize, draws: &'a [(u32, f32)]) -> Self {
        for (neuron, draw) in draws[..neurons].iter().enumerate() {
            queue.schedule(neuron, f64::from(draw.1));
        }
        let mut workload = Workload { queue, draws, position: neurons };
        // A round takes 1/n of a mean wait: superseded entries come and go in balance after a few.
        for _ in 0..4 * neurons {
            workload.round();
        }
        workload
    }

    #[inline]
    fn draw(&mut self) -> (usize, f64) {
        let (neuron, wait) = self.draws[self.position];
        self.position = (self.position + 1) % self.draws.len();
        (neuron as usize, f64::from(wait))
    }

    #[inline]
    fn round(&mut self) -> (f64, usize) {
        let (now, popped) = self.queue.pop().expect("every neuron is scheduled");
        for _ in 0..RESCHEDULES {
            let (neuron, wait) = self.draw();
            self.queue.schedule(neuron, now + wait);
        }
        let (_, wait) = self.draw();
        self.queue.schedule(popped, now + wait);
        (now, popped)
    }
}

fn queues(criterion: &mut Criterion) {
    for neurons in SIZES {
        let mut random = random::stream(1, "bench queue", neurons as u64);
        let draws: Vec<(u32, f32)> = (0..1 << 16)
            .map(|_| (random.random_range(0..neurons as u32), Exp1.sample(&mut random)))
            .collect();
        let queue = || Workload::new(EventQueue::new(neurons), neurons, &draws);
        let lazy = || Workload::new(LazyHeap::new(neurons, usize::MAX), neurons, &draws);
        let swept = || Workload::new(LazyHeap::new(neurons, 4 * neurons), neurons, &draws);

        let outcome = last_round(queue());
        assert_eq!(outcome, last_round(lazy()));
        assert_eq!(outcome, last_round(swept()));

        let mut group = criterion.benchmark_group(format!("queue of {neurons} neurons"));
        group.throughput(Throughput::Elements(RESCHEDULES as u64 + 2));
        group.warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(2));
        measure(&mut group, "EventQueue", queue());
        measure(&mut group, "lazy BinaryHeap", lazy());
        measure(&mut group, "lazy BinaryHeap, swept", swept());
        group.finish();
    }
}

/// What comes out after a thousand more rounds; the same whatever the queue.
fn last_round<Q: Queue>(mut workload: Workload<'_, Q>) -> (f64, usize) {
    (0..1000).map(|_| workload.round()).last().expect("rounds")
}

fn measure<Q: Queue>(
    group: &mut BenchmarkGroup<'_, WallTime>,
    name: &str,
    mut workload: Workload<'_, Q>,
) {
    group.bench_function(name, |bencher| bencher.iter(|| workload.round()));
}

// No plots: criterion's fail in this package, whose plotters takes its fonts from the program.
criterion_group! {
    name = benches;
    config = Criterion::default().without_plots();
    targets = queues
}
criterion_main!(benches);
