//! First crossings of neurons with two synaptic time constants, in double-double arithmetic.
//!
//! The slow twin cuts time at the turning points of the potential, which it finds by a dense scan of
//! the slope's sign; on the monotone stretches in between a crossing is a sign of `V − ϑ` that
//! changes from below to above, closed in on by bisection. The accuracy rule is that of
//! `crossing_exactness.rs`: off by less than 1e-12 τ_s or 8 units in the last place of the inputs
//! times the condition number of the crossing; no spike missed and none invented.

use crate::common;

use common::double_double::DoubleDouble;
use common::gold::say;
use common::reference::bisect;
use firstspike::neuron::{Dynamics, NeuronParameters, State};
use firstspike::random;
use rand::RngExt;
use rand::seq::IndexedRandom;

/// `τ_m/τ_s`.
const MEMBRANES: [f64; 16] = [
    1.0,
    1.0 - 1e-12,
    1.0 + 1e-12,
    1.0 - 1e-6,
    1.0 + 1e-6,
    1.0 - 1e-3,
    1.0 + 1e-3,
    1.1,
    2.0,
    4.0,
    10.0,
    1e4,
    f64::INFINITY,
    0.1,
    0.3,
    0.8,
];

/// `τ_s` of inhibitory synapses over that of excitatory ones.
const SPLITS: [f64; 10] =
    [0.1, 0.5, 0.9, 2.0, 5.0, 10.0, 1.0 - 1e-9, 1.0 + 1e-9, 1.0 - 1e-12, 1.0 + 1e-12];

/// A neuron of capacitance 1 that rests at 0, and its state.
#[derive(Clone, Copy, Debug)]
struct Case {
    tau_m: f64,
    tau_s: f64,
    tau_s_inhibitory: f64,
    threshold: f64,
    bias_current: f64,
    state: State,
}

/// The same in double-double: `τ_m` (none if infinite), `τ_s`, that of inhibition, threshold, bias
/// current, potential, current, inhibitory current.
#[derive(Clone, Copy)]
struct Twin {
    values: [DoubleDouble; 8],
    leaky: bool,
}

impl Twin {
    fn new(case: &Case) -> Self {
        let State { potential, current, inhibitory_current } = case.state;
        let leaky = case.tau_m.is_finite();
        let tau_m = if leaky { case.tau_m } else { 1.0 };
        let values = [
            tau_m,
            case.tau_s,
            case.tau_s_inhibitory,
            case.threshold,
            case.bias_current,
            potential,
            current,
            inhibitory_current,
        ];
        Twin { values: values.map(DoubleDouble::from), leaky }
    }

    /// `e^(−t/τ_m)` and `K(t)` for a synaptic time constant.
    fn membrane_and_kernel(&self, tau: DoubleDouble, time: f64) -> (DoubleDouble, DoubleDouble) {
        let tau_m = self.values[0];
        let synapse = (-DoubleDouble::from(time) / tau).exp();
        let (membrane, distance) = if self.leaky {
            ((-DoubleDouble::from(time) / tau_m).exp(), (tau_m - tau) / (tau_m * tau))
        } else {
            (DoubleDouble::ONE, DoubleDouble::ONE / tau)
        };
        let exponent = distance * time;
        let kernel = if distance.is_zero() {
            synapse * time
        } else if exponent.abs().hi < 0.35 {
            // The difference of the exponentials would cancel.
            synapse * exponent.exp_m1() / distance
        } else {
            (membrane - synapse) / distance
        };
        (membrane, kernel)
    }

    /// `V − ϑ`.
    fn above(&self, time: f64) -> DoubleDouble {
        let [tau_m, tau_s, tau_i, threshold, bias, potential, current, inhibition] = self.values;
        let (membrane, excitatory) = self.membrane_and_kernel(tau_s, time);
        let (_, inhibitory) = self.membrane_and_kernel(tau_i, time);
        let biased = if self.leaky {
            bias * tau_m * -(-DoubleDouble::from(time) / tau_m).exp_m1()
        } else {
            bias * time
        };
        potential * membrane + current * excitatory + inhibition * inhibitory + biased - threshold
    }

    /// `dV/dt`, as a sum of what decays, so that nothing cancels late.
    fn slope(&self, time: f64) -> DoubleDouble {
        let [tau_m, tau_s, tau_i, _, bias, potential, current, inhibition] = self.values;
        let leak = if self.leaky { potential / tau_m } else { DoubleDouble::ZERO };
        let now = bias + current + inhibition - leak;
        let (membrane, excitatory) = self.membrane_and_kernel(tau_s, time);
        let (_, inhibitory) = self.membrane_and_kernel(tau_i, time);
        now * membrane - current / tau_s * excitatory - inhibition / tau_i * inhibitory
    }

    /// How far one relative unit of every value moves the potential at `time`, all added up.
    fn sensitivity(&self, time: f64) -> f64 {
        let change = 1e-10;
        let here = self.above(time);
        (0..self.values.len())
            .map(|index| {
                let mut moved = *self;
                moved.values[index] = moved.values[index] * (DoubleDouble::ONE + change);
                ((moved.above(time) - here).to_f64() / change).abs()
            })
            .sum()
    }

    /// Zero, the turning points of the potential, and the end of time.
    fn turning_points(&self, end: f64) -> Vec<f64> {
        let [tau_m, tau_s, tau_i, ..] = self.values.map(DoubleDouble::to_f64);
        let fastest = tau_m.min(tau_s).min(tau_i);
        let mut grid = vec![0.0];
        while grid[grid.len() - 1] < end {
            grid.push(grid[grid.len() - 1] * 1.03 + 0.02 * fastest);
        }
        let slopes: Vec<f64> = grid.iter().map(|&time| self.slope(time).to_f64()).collect();
        // Two turns between neighbours on the grid have the slope's own extremum between them.
        let mut points: Vec<(f64, f64)> = Vec::new();
        for at in 0..grid.len() {
            points.push((grid[at], slopes[at]));
            let sign = slopes[at].signum();
            let nearest =
                |other: usize| slopes.get(other).is_none_or(|s| s * sign >= slopes[at] * sign);
            if at == 0 || (nearest(at + 1) && nearest(at - 1)) {
                let (low, high) = (grid[at.saturating_sub(1)], grid[(at + 1).min(grid.len() - 1)]);
                let time = lowest(low, high, |time| self.slope(time).to_f64() * sign);
                points.push((time, self.slope(time).to_f64()));
            }
        }
        points.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut turns = vec![0.0];
        for pair in points.windows(2) {
            if pair[0].1 * pair[1].1 < 0.0 {
                let rising = pair[0].1 < 0.0;
                turns.push(bisect(pair[0].0, pair[1].0, |time| {
                    self.slope(time).is_positive() == rising
                }));
            }
        }
        turns.push(end);
        turns
    }
}

/// Where a function with a single minimum has it.
fn lowest(mut low: f64, mut high: f64, value: impl Fn(f64) -> f64) -> f64 {
    // Flat to 1e-14 of the interval squared after (2/3)^40: two turns closer than that move the
    // potential by less than rounding.
    for _ in 0..40 {
        let third = (high - low) / 3.0;
        if value(low + third) < value(high - third) { high -= third } else { low += third }
    }
    0.5 * (low + high)
}

fn end_of_time(case: &Case) -> f64 {
    let slowest = [case.tau_m, case.tau_s, case.tau_s_inhibitory];
    // Every exponential is gone, and the weakest drift has made up for the strongest inhibition.
    1e3 * slowest.into_iter().filter(|tau| tau.is_finite()).fold(0.0, f64::max)
        + if case.tau_m.is_finite() { 0.0 } else { 1e5 * case.tau_s }
}

#[derive(Default)]
struct Tally {
    spikes: usize,
    undetermined: usize,
    /// Of the error, in units of what is allowed.
    worst: f64,
}

fn compare(case: &Case, tally: &mut Tally) {
    let twin = Twin::new(case);
    let parameters = NeuronParameters {
        tau_m: case.tau_m,
        tau_s: case.tau_s,
        tau_s_inhibitory: case.tau_s_inhibitory,
        threshold: case.threshold,
        reset_potential: case.threshold - 1.0,
        bias_current: case.bias_current,
        ..NeuronParameters::default()
    };
    let found = Dynamics::new(&parameters).expect("valid").first_crossing(&case.state);
    let turns = twin.turning_points(end_of_time(case));
    for pair in turns.windows(2) {
        let height = twin.above(pair[1]);
        // Rounding of the inputs and of some ten operations decides.
        if height.to_f64().abs() < 16.0 * f64::EPSILON * twin.sensitivity(pair[1]) {
            tally.undetermined += 1;
            return;
        }
        if height.is_positive() {
            let exact = bisect(pair[0], pair[1], |time| !twin.above(time).is_negative());
            let condition = twin.sensitivity(exact) / twin.slope(exact).to_f64();
            // The time itself is rounded, too.
            let allowed = (1e-12 * case.tau_s).max(8.0 * f64::EPSILON * condition)
                + 2.0 * f64::EPSILON * exact;
            let Some(found) = found else { panic!("missed at {exact}: {case:?}") };
            let error = (found.elapsed - exact).abs();
            assert!(error < allowed, "{found:?}, exact {exact}, allowed {allowed:e}: {case:?}");
            tally.worst = tally.worst.max(error / allowed);
            tally.spikes += 1;
            return;
        }
    }
    assert!(found.is_none(), "invented: {found:?}: {case:?}");
}

/// A neuron with currents of any size. A bias current may be missing, or lie on either side of what
/// holds the potential at the threshold.
fn ordinary(random: &mut impl rand::Rng) -> Case {
    let mut size = |low: f64, high: f64| 10f64.powf(random.random_range(low..high));
    let tau_s = size(-1.0, 1.0);
    let threshold = size(-1.0, 1.0);
    let unit = threshold / tau_s;
    let (current, inhibitory) = (unit * size(-2.0, 2.0), unit * size(-2.0, 2.0));
    let tau_m = tau_s * MEMBRANES.choose(random).expect("some");
    let tau_s_inhibitory = tau_s * SPLITS.choose(random).expect("some");
    let held = threshold / tau_m.min(20.0 * tau_s);
    let bias_current =
        if random.random_bool(0.6) { 0.0 } else { held * random.random_range(-1.5..1.5) };
    let inhibitory_current = if random.random_bool(0.9) { -inhibitory } else { inhibitory };
    let current = if random.random_bool(0.95) { current } else { -current };
    let potential = threshold * random.random_range(-2.0..0.999);
    let state = State { potential, current, inhibitory_current };
    Case { tau_m, tau_s, tau_s_inhibitory, threshold, bias_current, state }
}

/// A neuron whose highest maximum lies next to the threshold: without bias current the potential is
/// proportional to the state. None if it has no maximum above rest.
fn grazing(random: &mut impl rand::Rng) -> Option<Case> {
    let mut case = Case { bias_current: 0.0, ..ordinary(random) };
    let twin = Twin::new(&case);
    let turns = twin.turning_points(end_of_time(&case));
    let heights = turns[1..turns.len() - 1].iter().map(|&time| twin.above(time).to_f64());
    let highest = heights.fold(f64::NEG_INFINITY, f64::max) + case.threshold;
    let margin = 10f64.powf(random.random_range(-13.0..-2.0));
    let margin = if random.random() { margin } else { -margin };
    let scale = case.threshold * (1.0 + margin) / highest;
    case.state.potential *= scale;
    case.state.current *= scale;
    case.state.inhibitory_current *= scale;
    (highest > 0.0 && case.state.potential < case.threshold).then_some(case)
}

#[test]
fn neurons_with_two_synaptic_time_constants_spike_when_the_twin_does() {
    let mut random = random::stream(1, "split, ordinary", 0);
    let mut tally = Tally::default();
    for _ in 0..2500 {
        compare(&ordinary(&mut random), &mut tally);
    }
    let Tally { spikes, undetermined, worst } = tally;
    say(&format!(
        "split, ordinary: {spikes} spikes, {undetermined} undetermined, worst {worst:.2}"
    ));
    assert!(spikes > 600 && spikes < 1900 && undetermined <= 4);
}

#[test]
fn grazing_neurons_with_two_synaptic_time_constants_spike_when_the_twin_does() {
    let mut random = random::stream(1, "split, grazing", 0);
    let mut tally = Tally::default();
    for _ in 0..2000 {
        if let Some(case) = grazing(&mut random) {
            compare(&case, &mut tally);
        }
    }
    let Tally { spikes, undetermined, worst } = tally;
    say(&format!("split, grazing: {spikes} spikes, {undetermined} undetermined, worst {worst:.2}"));
    // Margins of 1e-13 lie near rounding, those above 1e-12 seldom do.
    assert!(spikes > 300 && undetermined < 200);
}
