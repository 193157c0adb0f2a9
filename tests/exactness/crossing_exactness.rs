//! First spikes against the slow high-precision twin, on random neurons of every kind.
//!
//! The accuracy rule: a crossing is off by less than 1e-12 tau_s, or, where the crossing is so
//! ill-conditioned (it grazes the threshold) that the last places of the inputs alone move it by
//! more than that, by less than 8 units in the last place of the inputs times its condition number.
//! No spike is missed and none invented, unless the maximum that decides is within rounding of the
//! threshold; those neurons are counted and must be rare.

use crate::common;

use common::double_double::DoubleDouble;
use common::twin::Twin;
use firstspike::neuron::{Dynamics, NeuronParameters, first_spike};
use proptest::prelude::*;
use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};
use rayon::prelude::*;

/// tau_m/tau_s.
const RATIOS: [f64; 22] = [
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
    0.2,
    0.3,
    0.4,
    0.5,
    0.6,
    0.7,
    0.8,
    0.9,
];

/// Ratios next to a closed form, or further out than the required ones.
const AWKWARD_RATIOS: [f64; 10] = [
    1.0 - f64::EPSILON,
    1.0 + f64::EPSILON,
    1.0 + 1e-9,
    2.0 - 2.0 * f64::EPSILON,
    2.0 + 2.0 * f64::EPSILON,
    2.0 + 1e-9,
    1e-3,
    1e-6,
    1e8,
    1e15,
];

fn parameters(twin: &Twin) -> NeuronParameters {
    NeuronParameters {
        tau_m: twin.tau_m,
        tau_s: twin.tau_s,
        tau_s_inhibitory: twin.tau_s,
        capacitance: twin.capacitance,
        leak_potential: twin.leak_potential,
        reset_potential: twin.threshold - 1.0,
        threshold: twin.threshold,
        refractory_period: 0.0,
        bias_current: twin.bias_current,
        initial_potential: twin.leak_potential,
        ..NeuronParameters::default()
    }
}

fn dynamics(twin: &Twin) -> Dynamics {
    Dynamics::new(&parameters(twin)).expect("the twin's parameters are valid")
}

/// What a lone unit of weight per capacitance raises the potential by.
fn peak_response(tau_m: f64, tau_s: f64) -> f64 {
    if tau_m.is_infinite() {
        tau_s
    } else if (tau_m / tau_s - 1.0).abs() < 1e-2 {
        tau_s / std::f64::consts::E
    } else {
        let difference = 1.0 / tau_s - 1.0 / tau_m;
        let time = (tau_m / tau_s).ln() / difference;
        ((-time / tau_m).exp() - (-time / tau_s).exp()) / difference
    }
}

/// A neuron with 1 to 12 inputs within six time constants, some of them simultaneous; about half
/// of these neurons spike.
fn ordinary(rng: &mut ChaCha8Rng, ratio: f64) -> Twin {
    let tau_s = 10f64.powf(rng.random_range(-1.0..1.3));
    let tau_m = tau_s * ratio;
    let capacitance = 10f64.powf(rng.random_range(-1.0..1.0));
    let leak_potential = if rng.random() { 0.0 } else { rng.random_range(-80.0..10.0) };
    let threshold = leak_potential + 10f64.powf(rng.random_range(-1.0..1.0));
    let unit = (threshold - leak_potential) * capacitance / peak_response(tau_m, tau_s);
    let bias_current = if rng.random_bool(0.6) {
        0.0
    } else {
        // Relative to what holds the potential at the threshold (in the long run).
        let held = (threshold - leak_potential) * capacitance / tau_m.min(20.0 * tau_s);
        held * rng.random_range(-1.5..1.3)
    };
    let mut times: Vec<f64> = Vec::new();
    for _ in 0..rng.random_range(1..=12) {
        times.push(match times.last() {
            Some(&earlier) if rng.random_bool(0.15) => earlier,
            _ if rng.random_bool(0.05) => 0.0,
            _ => rng.random_range(0.0..6.0 * tau_s),
        });
    }
    times.sort_by(f64::total_cmp);
    let inputs = times.into_iter().map(|time| (time, unit * rng.random_range(-0.8..1.0)));
    let inputs = inputs.collect();
    Twin { tau_m, tau_s, capacitance, leak_potential, threshold, bias_current, inputs }
}

/// Weights of very different sizes, weights that nearly cancel, inputs that nearly coincide: huge
/// currents on small potentials, spikes right after an input, potentials far from the threshold.
fn extreme(rng: &mut ChaCha8Rng, ratio: f64) -> Twin {
    let mut twin = ordinary(rng, ratio);
    for input in &mut twin.inputs {
        if rng.random_bool(0.5) {
            input.1 *= 10f64.powf(rng.random_range(-6.0..6.0));
        }
    }
    let mut cancelling = Vec::new();
    for &(time, weight) in &twin.inputs {
        if rng.random_bool(0.3) {
            let later = 10f64.powf(rng.random_range(-12.0..0.0)) * twin.tau_s;
            let change = 10f64.powf(rng.random_range(-12.0..0.0));
            let time = if rng.random() { time } else { time + later };
            cancelling.push((time, -weight * (1.0 + change)));
        }
    }
    twin.inputs.extend(cancelling);
    twin.inputs.sort_by(|a, b| a.0.total_cmp(&b.0));
    twin
}

/// A neuron whose highest potential is the threshold times 1 ± 10^-2 to 1 ± 10^-12.
fn grazing(rng: &mut ChaCha8Rng, ratio: f64) -> Twin {
    loop {
        let mut twin = ordinary(rng, ratio);
        let peak = twin.supremum();
        // A neuron that hardly ever leaves its leak for above would need absurd weights.
        if !(peak.hi > 1e-100 * twin.gap().hi && peak.hi.is_finite()) {
            continue;
        }
        let distance = 10f64.powi(-rng.random_range(2..=12));
        let excess = if rng.random() { 1.0 + distance } else { 1.0 - distance };
        if rng.random() {
            let gap = (peak / excess).to_f64();
            // A leak far from zero would round the distance away.
            twin.leak_potential = 0.0;
            twin.threshold = gap;
        } else {
            let scale = (twin.gap() * excess / peak).to_f64();
            twin.bias_current *= scale;
            for input in &mut twin.inputs {
                input.1 *= scale;
            }
        }
        return twin;
    }
}

/// What one ratio's neurons showed.
#[derive(Clone, Debug, Default)]
struct Tally {
    spikes: usize,
    /// Spikes that the inputs' last places move by more than 1e-12 tau_s.
    ill_conditioned: usize,
    undetermined: usize,
    missed: usize,
    invented: usize,
    inaccurate: usize,
    /// Wrong value of dV/dt at the crossing.
    inaccurate_slope: usize,
    /// Peak within 1e-9 of the threshold, relative to the threshold's height.
    close_calls: usize,
    /// Off by more than 1e-12 tau_s although the peak is further above the threshold than that:
    /// all of them ill-conditioned for other reasons (a late spike, a slow rise).
    beyond: usize,
    /// Largest error of a well-conditioned spike, in tau_s.
    worst_error: f64,
    /// Largest error in units in the last place times condition number: of the ill-conditioned
    /// spikes, and of all.
    worst_ill_conditioned: f64,
    worst_ulps: f64,
    worst_slope: f64,
    failures: Vec<String>,
}

impl Tally {
    fn fail(&mut self, what: &str, twin: &Twin, details: String) {
        if self.failures.len() < 3 {
            self.failures.push(format!("{what}: {details}\n      {twin:?}"));
        }
    }

    fn add(&mut self, twin: &Twin) {
        let verdict = twin.verdict();
        if verdict.undetermined {
            self.undetermined += 1;
            return;
        }
        let found = first_spike(&dynamics(twin), &twin.inputs);
        let (found, exact) = match (found, verdict.crossing) {
            (None, None) => return,
            (Some(found), None) => {
                self.invented += 1;
                return self.fail("invented", twin, format!("{found:?}"));
            }
            (None, Some(exact)) => {
                self.missed += 1;
                return self.fail("missed", twin, format!("{exact:?}"));
            }
            (Some(found), Some(exact)) => (found, exact),
        };
        self.spikes += 1;
        assert!(exact.uncertainty < 0.01 * f64::EPSILON * exact.condition, "{twin:?}");
        let close = exact.overshoot < 1e-9 * twin.gap().to_f64();
        self.close_calls += usize::from(close);
        let error = (exact.time - found.elapsed).to_f64().abs();
        let ulp = f64::EPSILON * exact.condition;
        let ordinary = 1e-12 * twin.tau_s;
        self.beyond += usize::from(!close && error >= ordinary);
        self.worst_ulps = self.worst_ulps.max(error / ulp);
        if 8.0 * ulp > ordinary {
            self.ill_conditioned += 1;
            self.worst_ill_conditioned = self.worst_ill_conditioned.max(error / ulp);
        } else {
            self.worst_error = self.worst_error.max(error / twin.tau_s);
        }
        let tolerance = ordinary.max(8.0 * ulp);
        let accurate = error < tolerance;
        if !accurate {
            self.inaccurate += 1;
            let details = format!(
                "error {error:e} = {:e} tau_s = {} ulp, {found:?}, {exact:?}",
                error / twin.tau_s,
                error / ulp
            );
            self.fail("inaccurate", twin, details);
        }
        let slope_error = (found.slope - exact.slope).abs();
        let slope_rounding = f64::EPSILON * twin.magnitudes_at(exact.time).1;
        let allowed = exact.curvature.abs() * error.max(ulp) + slope_rounding;
        self.worst_slope = self.worst_slope.max(slope_error / allowed);
        let accurate = slope_error < 8.0 * allowed;
        if !accurate {
            self.inaccurate_slope += 1;
            let details = format!("{} too large, {found:?}, {exact:?}", slope_error / allowed);
            self.fail("slope", twin, details);
        }
    }

    fn merged(mut self, other: Tally) -> Tally {
        self.failures.extend(other.failures);
        self.failures.truncate(3);
        Tally {
            spikes: self.spikes + other.spikes,
            ill_conditioned: self.ill_conditioned + other.ill_conditioned,
            undetermined: self.undetermined + other.undetermined,
            missed: self.missed + other.missed,
            invented: self.invented + other.invented,
            inaccurate: self.inaccurate + other.inaccurate,
            inaccurate_slope: self.inaccurate_slope + other.inaccurate_slope,
            close_calls: self.close_calls + other.close_calls,
            beyond: self.beyond + other.beyond,
            worst_error: self.worst_error.max(other.worst_error),
            worst_ill_conditioned: self.worst_ill_conditioned.max(other.worst_ill_conditioned),
            worst_ulps: self.worst_ulps.max(other.worst_ulps),
            worst_slope: self.worst_slope.max(other.worst_slope),
            failures: self.failures,
        }
    }
}

/// Compares `count` neurons per ratio; at most one in `rare` may be undetermined.
fn compare(
    family: &str,
    ratios: &[f64],
    count: u64,
    rare: usize,
    neuron: impl Fn(&mut ChaCha8Rng, f64) -> Twin + Sync,
) {
    let mut failures = Vec::new();
    for (index, &ratio) in ratios.iter().enumerate() {
        let tally = (0..count)
            .into_par_iter()
            .fold(Tally::default, |mut tally, number| {
                let seed = (index as u64) << 32 | number;
                tally.add(&neuron(&mut ChaCha8Rng::seed_from_u64(seed), ratio));
                tally
            })
            .reduce(Tally::default, Tally::merged);
        eprintln!(
            "{family:8} ratio {ratio:<18} {count} neurons, {} spikes: worst {:.1e} tau_s; {} \
             ill-conditioned, worst {:.2} ulp (of all {:.2}), slope {:.2}; {} peaks within 1e-9, \
             {} of the others beyond 1e-12; \
             {} undetermined, {} missed, {} invented, {} inaccurate, {} slopes",
            tally.spikes,
            tally.worst_error,
            tally.ill_conditioned,
            tally.worst_ill_conditioned,
            tally.worst_ulps,
            tally.worst_slope,
            tally.close_calls,
            tally.beyond,
            tally.undetermined,
            tally.missed,
            tally.invented,
            tally.inaccurate,
            tally.inaccurate_slope,
        );
        let undetermined = tally.undetermined * rare > count as usize;
        let wrong = tally.missed + tally.invented + tally.inaccurate + tally.inaccurate_slope;
        if undetermined || wrong > 0 {
            failures.push(format!("ratio {ratio}: {}", tally.failures.join("\n    ")));
        }
        assert!(tally.spikes as u64 > count / 10, "{family} neurons hardly spike at {ratio}");
    }
    assert!(failures.is_empty(), "{family} neurons differ from the twin:\n{}", failures.join("\n"));
}

#[test]
fn ordinary_neurons_spike_when_the_twin_does() {
    compare("ordinary", &RATIOS, 100_000, 10_000, ordinary);
}

#[test]
fn grazing_neurons_spike_when_the_twin_does() {
    compare("grazing", &RATIOS, 20_000, 500, grazing);
}

#[test]
fn extreme_neurons_spike_when_the_twin_does() {
    compare("extreme", &RATIOS, 20_000, 2_000, extreme);
}

#[test]
fn neurons_of_awkward_ratios_spike_when_the_twin_does() {
    compare("ordinary", &AWKWARD_RATIOS, 5_000, 1_000, ordinary);
    compare("grazing", &AWKWARD_RATIOS, 5_000, 500, grazing);
    compare("extreme", &AWKWARD_RATIOS, 5_000, 1_000, extreme);
}

#[test]
fn neurons_that_once_failed() {
    let neuron = |tau_m, tau_s, capacitance, threshold, bias_current, inputs: &[(f64, f64)]| Twin {
        tau_m,
        tau_s,
        capacitance,
        leak_potential: 0.0,
        threshold,
        bias_current,
        inputs: inputs.to_vec(),
    };
    let neurons = [
        // A grazing crossing soon after the start, its threshold tiny beside the asymptote.
        neuron(
            4.285553646182064,
            4.285553646182064,
            1.4280538307064294,
            1.5116636932415215e-6,
            -0.0884404276695374,
            &[(0.0, 0.08873959644345365)],
        ),
        neuron(
            30.33162436303564,
            15.16581218151782,
            0.35285908544271033,
            0.0024124665947420462,
            -0.007613838921846744,
            &[(0.0, 0.0085961899077405)],
        ),
        // 460 time constants from far below the threshold to a crossing just before the peak.
        neuron(
            8.186187594230073,
            8.178009584645428,
            0.6241334062021527,
            5.471222307957905,
            0.0,
            &[
                (0.0, -5.272703761700865e228),
                (8.283540337129189, -5.2978097598328416e228),
                (8.581197905455731, 1.2395243751428504e228),
                (22.151065254969808, -8.12172135166048e228),
                (22.151065254969808, -1.0740711412457949e228),
                (31.721152360666036, -8.518652976691941e228),
                (44.679532461779374, 2.412566718827656e228),
            ],
        ),
        // The peak of a neuron that leaks next to nothing.
        neuron(
            152392669769772.66,
            0.15239266976977264,
            0.19942467681867396,
            0.01589880590954828,
            0.0,
            &[
                (0.021252824265658044, -0.17518122249646767),
                (0.5242019739219836, 0.1959869865876597),
            ],
        ),
        neuron(2e15, 2.0, 0.4, 0.1, 0.0, &[(7.9, -0.5), (11.9, -9544.0), (14.1, 9653.0)]),
    ];
    let mut tally = Tally::default();
    for twin in &neurons {
        tally.add(twin);
    }
    assert_eq!((tally.spikes, tally.undetermined), (neurons.len(), 0));
    assert!(tally.failures.is_empty(), "{}", tally.failures.join("\n"));
}

/// A generated neuron with its ratio: proptest varies the seed.
fn any_neuron() -> impl Strategy<Value = Twin> {
    let ratios = [RATIOS.as_slice(), AWKWARD_RATIOS.as_slice()].concat();
    (any::<u64>(), proptest::sample::select(ratios), any::<bool>()).prop_map(
        |(seed, ratio, tame)| {
            let rng = &mut ChaCha8Rng::seed_from_u64(seed);
            if tame { ordinary(rng, ratio) } else { extreme(rng, ratio) }
        },
    )
}

/// What the first spike of this neuron may be off by in absolute time.
fn tolerance(twin: &Twin) -> Option<f64> {
    let verdict = twin.verdict();
    let condition = verdict.crossing.map_or(0.0, |crossing| crossing.condition);
    (!verdict.undetermined).then(|| f64::max(1e-12 * twin.tau_s, 8.0 * f64::EPSILON * condition))
}

proptest! {
    #[test]
    fn later_inputs_make_a_later_spike(neuron in any_neuron(), delay in 0.0..10.0f64) {
        // A bias current would not be delayed with the inputs.
        let twin = Twin { bias_current: 0.0, ..neuron };
        let mut later = twin.clone();
        // The shifted times are rounded: what the unshifted neuron is exactly delayed by.
        for input in &mut later.inputs {
            input.0 += delay * twin.tau_s;
        }
        if let (Some(own), Some(shifted)) = (tolerance(&twin), tolerance(&later)) {
            let first = first_spike(&dynamics(&twin), &twin.inputs);
            let second = first_spike(&dynamics(&later), &later.inputs);
            prop_assert_eq!(first.is_some(), second.is_some());
            if let (Some(first), Some(second)) = (first, second) {
                let error = (second.elapsed - first.elapsed - delay * twin.tau_s).abs();
                prop_assert!(error < own + shifted, "off by {error:e}");
            }
        }
    }

    #[test]
    fn scaling_currents_and_threshold_keeps_the_spike_time(
        neuron in any_neuron(),
        scale in 0.01..100.0f64,
    ) {
        let twin = Twin { threshold: neuron.gap().to_f64(), leak_potential: 0.0, ..neuron };
        let mut scaled = twin.clone();
        scaled.threshold *= scale;
        scaled.bias_current *= scale;
        for input in &mut scaled.inputs {
            input.1 *= scale;
        }
        if let (Some(own), Some(other)) = (tolerance(&twin), tolerance(&scaled)) {
            let first = first_spike(&dynamics(&twin), &twin.inputs);
            let second = first_spike(&dynamics(&scaled), &scaled.inputs);
            prop_assert_eq!(first.is_some(), second.is_some());
            if let (Some(first), Some(second)) = (first, second) {
                let error = (second.elapsed - first.elapsed).abs();
                prop_assert!(error < own + other, "off by {error:e}");
            }
        }
    }

    #[test]
    fn potential_and_slope_are_the_twins(neuron in any_neuron(), late in 0.0..20.0f64) {
        let dynamics = dynamics(&neuron);
        let mut state = dynamics.initial_state();
        let mut now = 0.0;
        for &(time, weight) in &neuron.inputs {
            dynamics.advance(&mut state, time - now);
            dynamics.receive(&mut state, weight);
            now = time;
        }
        let elapsed = late * neuron.tau_s;
        let moment = DoubleDouble::from(now) + elapsed;
        // Counted from the leak. Each of up to 25 steps rounds a few times, relative to the terms,
        // and the exponents' own rounding is that of the times and time constants.
        let potential = dynamics.potential_after(&state, elapsed);
        let exact = neuron.potential_at(moment) - neuron.leak_potential;
        let error = (exact - potential).to_f64().abs();
        let rounding = f64::EPSILON * neuron.sensitivity_at(moment);
        prop_assert!(error <= 4.0 * rounding, "potential off by {} units", error / rounding);
        let slope = dynamics.slope_after(&state, elapsed);
        let error = (neuron.slope_at(moment) - slope).to_f64().abs();
        let (_, terms) = neuron.magnitudes_at(moment);
        // The slope's terms are the potential's divided by the time constants.
        let rounding = f64::EPSILON
            * (terms + neuron.sensitivity_at(moment) / neuron.tau_m.min(neuron.tau_s));
        prop_assert!(error <= 4.0 * rounding, "slope off by {} units", error / rounding);
    }
}
