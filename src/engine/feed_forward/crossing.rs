//! Threshold crossings of many neurons at once, from their states at a common reference time.

use pulp::Simd;

use super::elementary::{exp, ln};
use super::lanes::multiply_add;
use super::membrane::Membrane;
use crate::neuron::{Ratio, State};

/// Neurons whose crossing is to be computed: their states at the reference, thresholds, and room for
/// the results.
#[derive(Clone, Debug, Default)]
pub struct Crossings {
    /// Which neuron, and after which input it crosses.
    pub places: Vec<Place>,
    pub currents: Vec<f64>,
    pub potentials: Vec<f64>,
    pub thresholds: Vec<f64>,
    /// When each crosses, counted from the reference; NaN if it does not.
    pub elapsed: Vec<f64>,
}

/// A neuron of the layer, and the input after which it crosses or may cross.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    pub neuron: u32,
    pub input: u32,
}

impl Crossings {
    pub fn clear(&mut self) {
        self.places.clear();
        self.currents.clear();
        self.potentials.clear();
        self.thresholds.clear();
    }

    #[inline(always)]
    pub fn push(&mut self, place: Place, current: f64, potential: f64, threshold: f64) {
        self.places.push(place);
        self.currents.push(current);
        self.potentials.push(potential);
        self.thresholds.push(threshold);
    }

    /// Computes all crossings. `input_offset` gives the time of an input, counted from the
    /// reference.
    #[inline(always)]
    pub fn solve<S: Simd>(&mut self, membrane: &Membrane, input_offset: impl Fn(u32) -> f64) {
        self.elapsed.clear();
        self.elapsed.resize(self.places.len(), f64::NAN);
        let states = self.currents.iter().zip(&self.potentials).zip(&self.thresholds);
        match membrane.ratio {
            Ratio::Equal => {
                for (elapsed, ((&current, &potential), &threshold)) in
                    self.elapsed.iter_mut().zip(states)
                {
                    *elapsed = equal::<S>(membrane, current, potential, threshold);
                }
            }
            Ratio::Double => {
                for (elapsed, ((&current, &potential), &threshold)) in
                    self.elapsed.iter_mut().zip(states)
                {
                    *elapsed = double::<S>(membrane, current, potential, threshold);
                }
            }
            Ratio::NonLeaky => {
                for (elapsed, ((&current, &potential), &threshold)) in
                    self.elapsed.iter_mut().zip(states)
                {
                    *elapsed = non_leaky::<S>(membrane, current, potential, threshold);
                }
            }
            Ratio::General => {
                for ((elapsed, place), ((&current, &potential), &threshold)) in
                    self.elapsed.iter_mut().zip(&self.places).zip(states)
                {
                    let offset = input_offset(place.input);
                    *elapsed = general::<S>(membrane, current, potential, threshold, offset);
                }
            }
        }
    }
}

/// One crossing, counted from the reference, by the same formulas; NaN if there is none. `offset` is
/// the time of the input after which it is looked for.
pub fn solve_one(
    membrane: &Membrane,
    current: f64,
    potential: f64,
    threshold: f64,
    offset: f64,
) -> f64 {
    type S = pulp::Scalar;
    match membrane.ratio {
        Ratio::Equal => equal::<S>(membrane, current, potential, threshold),
        Ratio::Double => double::<S>(membrane, current, potential, threshold),
        Ratio::NonLeaky => non_leaky::<S>(membrane, current, potential, threshold),
        Ratio::General => general::<S>(membrane, current, potential, threshold, offset),
    }
}

/// `τ_m = τ_s`: `V(x) = (u + (I/C) x) e^(−λx)` peaks at `λx* = 1 − λ u C/I`, and with
/// `y = ϑ/V_peak` the crossing lies `u/λ` before it, where `(1 − u) e^u = y`
/// ([`crate::neuron::Dynamics::first_crossing`]).
///
/// As a function of `p = √(2 (1 − y))`, `u = 1 + W₀(−y/e)` is analytic on the whole interval
/// from 0 (grazing) to `√2` (at once): the square root of the branch point is in `p`, and the next
/// singularity lies as far to the other side, at `p = −√2`. So its expansion in Chebyshev
/// polynomials converges by a factor of `3 + √8` per degree, and a polynomial of degree 20 gives
/// `u/p` to rounding: neither logarithm nor iteration.
#[inline(always)]
fn equal<S: Simd>(membrane: &Membrane, current: f64, potential: f64, threshold: f64) -> f64 {
    let rate = membrane.membrane_rate;
    let push = current * membrane.inverse_capacitance;
    let peak = 1.0 - rate * potential / push;
    let ratio = threshold * rate / push * exp::<S>(peak);
    let p = (2.0 * (1.0 - ratio)).max(0.0).sqrt();
    let x = multiply_add::<S>(p, std::f64::consts::SQRT_2, -1.0);
    let mut series = LEAD[LEAD.len() - 1];
    for &coefficient in LEAD[..LEAD.len() - 1].iter().rev() {
        series = multiply_add::<S>(series, x, coefficient);
    }
    let elapsed = (peak - p * series) / rate;
    if push > 0.0 && ratio < 1.0 { elapsed } else { f64::NAN }
}

/// `u/p` in powers of `√2 p − 1`.
const LEAD: [f64; 21] = [
    0.820_429_692_461_014_5,
    -0.138_074_084_853_237_38,
    0.030_874_846_588_745_11,
    -0.007_744_753_603_670_585,
    0.002_068_864_875_126_652,
    -0.000_575_144_033_785_745_9,
    0.000_164_365_328_136_626_98,
    -4.793_434_357_639_82e-5,
    1.419_798_753_068_274_5e-5,
    -4.257_350_452_635_266e-6,
    1.289_371_752_679_495e-6,
    -3.937_651_697_204_255e-7,
    1.210_839_947_731_961_6e-7,
    -3.737_879_282_751_315e-8,
    1.161_378_838_757_254_4e-8,
    -3.723_012_007_035_898_4e-9,
    1.173_353_354_959_937_6e-9,
    -2.927_600_962_338_971_4e-10,
    8.949_681_825_712_587e-11,
    -6.226_883_648_947_78e-11,
    2.033_413_942_729_162_3e-11,
];

/// `τ_m = 2 τ_s`: in `x = e^(−λ_m t)` the potential is `(c + u) x − c x²` with `c = I/(C λ_m)`.
#[inline(always)]
fn double<S: Simd>(membrane: &Membrane, current: f64, potential: f64, threshold: f64) -> f64 {
    let push = current * membrane.inverse_capacitance / membrane.membrane_rate;
    let lift = push + potential;
    let discriminant = lift * lift - 4.0 * push * threshold;
    let decay = (lift + discriminant.max(0.0).sqrt()) / (2.0 * push);
    let elapsed = -ln::<S>(decay) / membrane.membrane_rate;
    let crosses = push > 0.0 && lift > 0.0 && discriminant > 0.0;
    if crosses { elapsed } else { f64::NAN }
}

/// `τ_m = ∞`: the potential is `u + (I/C) τ_s (1 − e^(−t/τ_s))`.
#[inline(always)]
fn non_leaky<S: Simd>(membrane: &Membrane, current: f64, potential: f64, threshold: f64) -> f64 {
    let push = current * membrane.inverse_capacitance;
    let left = 1.0 - (threshold - potential) * membrane.synaptic_rate / push;
    let elapsed = -ln::<S>(left) / membrane.synaptic_rate;
    if push > 0.0 && left > 0.0 { elapsed } else { f64::NAN }
}

/// Any ratio: the general solver, from the state at the input.
#[inline(always)]
fn general<S: Simd>(
    membrane: &Membrane,
    current: f64,
    potential: f64,
    threshold: f64,
    offset: f64,
) -> f64 {
    let view = membrane.view::<S>(offset);
    let state = State {
        potential: view.potential.of(current, potential),
        current: view.current * current,
        inhibitory_current: 0.0,
    };
    let crossing = membrane.dynamics.with_threshold(threshold).first_crossing(&state);
    crossing.map_or(f64::NAN, |crossing| offset + crossing.elapsed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::neuron::{Dynamics, NeuronParameters, State};

    #[test]
    fn every_ratio_crosses_where_the_general_solver_says() {
        for tau_m in [1.0, 2.0, f64::INFINITY, 3.0] {
            let parameters =
                NeuronParameters { tau_m, capacitance: 1.7, ..NeuronParameters::default() };
            let dynamics = Dynamics::new(&parameters).expect("valid");
            let membrane = Membrane::new(&dynamics);
            let mut crossed = 0;
            for step in 0..2000 {
                let current = f64::from(step) * 0.01;
                for potential in [-3.0, -0.5, 0.0, 0.5, 0.99] {
                    let state = State { potential, current, inhibitory_current: 0.0 };
                    let expected = dynamics.first_crossing(&state);
                    let found = solve_one(&membrane, current, potential, 1.0, 0.0);
                    let Some(expected) = expected else {
                        // A crossing in the past is found too.
                        assert!(found.is_nan() || found < 0.0, "{state:?} {found}");
                        continue;
                    };
                    crossed += 1;
                    let error = (found - expected.elapsed).abs() * expected.slope.min(1.0);
                    assert!(error < 1e-14, "{tau_m} {state:?}: {found} {expected:?}");
                }
            }
            assert!(crossed > 1000);
        }
    }
}
