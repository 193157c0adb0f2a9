//! What the physics of one neuron costs, for each closed form and for the solver that serves any
//! other ratio of time constants:
//!
//! * `first_crossing`: one prediction ([`Dynamics::first_crossing`]), over random states of which
//!   half fire, in random order;
//! * `propagator`: one exact step ([`Dynamics::propagator`] and its application) over a random
//!   time;
//! * `crossing_derivatives`: the derivatives of one spike time by five inputs.
//!
//! The time reported is that of one call; the next state is picked from a table within it (about a
//! nanosecond).
//!
//! ```text
//! cargo bench --bench crossing
//! ```

use std::time::Duration;

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, criterion_group, criterion_main};
use firstspike::neuron::{
    CausalInput, Dynamics, NeuronParameters, State, crossing_derivatives, first_spike,
};
use firstspike::random;
use rand::RngExt;
use rand::rngs::ChaCha8Rng;
use rand_distr::{Distribution, Exp1};

/// Enough states for no branch predictor to learn them by heart.
const STATES: usize = 1 << 14;

/// Name and `τ_m/τ_s`.
const RATIOS: [(&str, f64); 4] = [
    ("tau_m = tau_s (Lambert W)", 1.0),
    ("tau_m = 2 tau_s (quadratic)", 2.0),
    ("tau_m = inf (logarithm)", f64::INFINITY),
    ("tau_m = 1.5 tau_s (solver)", 1.5),
];

fn neuron(tau_m: f64) -> Dynamics {
    Dynamics::new(&NeuronParameters { tau_m, ..NeuronParameters::default() }).expect("valid")
}

/// A state between events. A third of the currents are inhibitory, and the excitatory ones reach
/// well beyond what it takes to fire from rest (`e` for equal time constants).
fn random_state(random: &mut ChaCha8Rng) -> State {
    State {
        potential: random.random_range(-1.0..1.0),
        current: random.random_range(-3.0..6.0),
        inhibitory_current: 0.0,
    }
}

/// States that fire or not at the toss of a coin: the same tosses for every ratio.
fn states(dynamics: &Dynamics) -> Vec<State> {
    let mut coin = random::stream(1, "bench coin", 0);
    let mut random = random::stream(1, "bench states", 0);
    let mut state_that = |fires: bool| {
        loop {
            let state = random_state(&mut random);
            if dynamics.first_crossing(&state).is_some() == fires {
                return state;
            }
        }
    };
    (0..STATES).map(|_| state_that(coin.random())).collect()
}

/// Walks through a table in a circle.
fn measure<T, R>(
    group: &mut BenchmarkGroup<'_, WallTime>,
    name: &str,
    table: &[T],
    mut work: impl FnMut(&T) -> R,
) {
    let mut index = 0;
    group.bench_function(name, |bencher| {
        bencher.iter(|| {
            index = if index + 1 < table.len() { index + 1 } else { 0 };
            work(&table[index])
        });
    });
}

fn first_crossing(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("first_crossing");
    group.warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(2));
    for (name, tau_m) in RATIOS {
        let dynamics = neuron(tau_m);
        measure(&mut group, name, &states(&dynamics), |state| dynamics.first_crossing(state));
    }
    group.finish();
}

fn propagator(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("propagator");
    group.warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(2));
    let mut random = random::stream(1, "bench steps", 0);
    let steps: Vec<(State, f64)> = (0..STATES)
        .map(|_| {
            let wait: f64 = Exp1.sample(&mut random);
            (random_state(&mut random), 0.3 * wait)
        })
        .collect();
    for (name, tau_m) in RATIOS {
        let dynamics = neuron(tau_m);
        measure(&mut group, name, &steps, |&(mut state, elapsed)| {
            dynamics.propagator(elapsed).apply(&mut state);
            state
        });
    }
    group.finish();
}

/// Five inputs and the spike that comes after all of them.
fn spike_with_inputs(dynamics: &Dynamics, random: &mut ChaCha8Rng) -> ([CausalInput; 5], f64) {
    loop {
        let mut inputs: [(f64, f64); 5] = std::array::from_fn(|_| {
            (random.random_range(0.15..2.0), random.random_range(-1.0..3.0))
        });
        inputs.sort_by(|a, b| a.0.total_cmp(&b.0));
        if let Some(spike) = first_spike(dynamics, &inputs)
            && spike.elapsed > inputs[4].0
        {
            let causal = inputs.map(|(arrival, weight)| CausalInput {
                arrival,
                weight,
                inhibitory: weight < 0.0,
            });
            return (causal, spike.elapsed);
        }
    }
}

fn derivatives(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("crossing_derivatives, 5 inputs");
    group.warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(2));
    for (name, tau_m) in RATIOS {
        let dynamics = neuron(tau_m);
        let mut random = random::stream(1, "bench inputs", 0);
        let spikes: Vec<_> = (0..1024).map(|_| spike_with_inputs(&dynamics, &mut random)).collect();
        let mut derivatives = Vec::new();
        measure(&mut group, name, &spikes, |(inputs, time)| {
            crossing_derivatives(&dynamics, *time, inputs, &mut derivatives)
        });
    }
    group.finish();
}

// No plots: criterion's fail in this package, whose plotters takes its fonts from the program.
criterion_group! {
    name = benches;
    config = Criterion::default().without_plots();
    targets = first_crossing, propagator, derivatives
}
criterion_main!(benches);
