//! Threshold crossings of many neurons at once, from their states at a common reference time.

use pulp::Simd;

use super::elementary::{Doubles, registers, registers_mut};
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

    /// Computes all crossings. `offset` gives the time of an input, counted from the reference.
    #[inline(always)]
    pub fn solve<S: Simd>(&mut self, simd: S, membrane: &Membrane, offset: impl Fn(u32) -> f64) {
        let count = self.places.len();
        let padded = count.next_multiple_of(S::F64_LANES);
        for column in [&mut self.currents, &mut self.potentials, &mut self.elapsed] {
            column.resize(padded, 0.0);
        }
        self.thresholds.resize(padded, f64::INFINITY);
        if membrane.ratio == Ratio::General {
            for (index, place) in self.places.iter().enumerate() {
                self.elapsed[index] = general(
                    membrane,
                    self.currents[index],
                    self.potentials[index],
                    self.thresholds[index],
                    offset(place.input),
                );
            }
            return;
        }
        let currents = registers::<S>(&self.currents);
        let potentials = registers::<S>(&self.potentials);
        let thresholds = registers::<S>(&self.thresholds);
        let elapsed = registers_mut::<S>(&mut self.elapsed);
        let states = currents.iter().zip(potentials).zip(thresholds);
        for (elapsed, ((&current, &potential), &threshold)) in elapsed.iter_mut().zip(states) {
            let [current, potential, threshold] =
                [current, potential, threshold].map(|value| Doubles::new(simd, value));
            *elapsed = closed_form(simd, membrane, current, potential, threshold).value();
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
    if membrane.ratio == Ratio::General {
        return general(membrane, current, potential, threshold, offset);
    }
    let simd = pulp::Scalar;
    let [current, potential, threshold] =
        [current, potential, threshold].map(|value| Doubles::splat(simd, value));
    closed_form(simd, membrane, current, potential, threshold).value()
}

#[inline(always)]
fn closed_form<S: Simd>(
    simd: S,
    membrane: &Membrane,
    current: Doubles<S>,
    potential: Doubles<S>,
    threshold: Doubles<S>,
) -> Doubles<S> {
    let push = current * Doubles::splat(simd, membrane.inverse_capacitance);
    match membrane.ratio {
        Ratio::Equal => {
            equal(simd, Doubles::splat(simd, membrane.membrane_rate), push, potential, threshold)
        }
        Ratio::Double => {
            double(simd, Doubles::splat(simd, membrane.membrane_rate), push, potential, threshold)
        }
        Ratio::NonLeaky | Ratio::General => non_leaky(
            simd,
            Doubles::splat(simd, membrane.synaptic_rate),
            push,
            potential,
            threshold,
        ),
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
fn equal<S: Simd>(
    simd: S,
    rate: Doubles<S>,
    push: Doubles<S>,
    potential: Doubles<S>,
    threshold: Doubles<S>,
) -> Doubles<S> {
    let [zero, one, two] = [0.0, 1.0, 2.0].map(|value| Doubles::splat(simd, value));
    let scale = rate / push;
    let peak = one - scale * potential;
    let ratio = threshold * scale * peak.exp();
    let p = (two * (one - ratio)).max(zero).sqrt();
    let x = p.multiply_add(Doubles::splat(simd, std::f64::consts::SQRT_2), -one);
    let elapsed = (peak - p * x.polynomial(&LEAD)) / rate;
    push.above(zero).and(one.above(ratio)).select(elapsed, Doubles::splat(simd, f64::NAN))
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
fn double<S: Simd>(
    simd: S,
    rate: Doubles<S>,
    push: Doubles<S>,
    potential: Doubles<S>,
    threshold: Doubles<S>,
) -> Doubles<S> {
    let [zero, two, four] = [0.0, 2.0, 4.0].map(|value| Doubles::splat(simd, value));
    let scale = push / rate;
    let lift = scale + potential;
    let discriminant = lift * lift - four * scale * threshold;
    let decay = (lift + discriminant.max(zero).sqrt()) / (two * scale);
    let elapsed = -decay.ln() / rate;
    let crosses = push.above(zero).and(lift.above(zero)).and(discriminant.above(zero));
    crosses.select(elapsed, Doubles::splat(simd, f64::NAN))
}

/// `τ_m = ∞`: the potential is `u + (I/C) τ_s (1 − e^(−t/τ_s))`.
#[inline(always)]
fn non_leaky<S: Simd>(
    simd: S,
    rate: Doubles<S>,
    push: Doubles<S>,
    potential: Doubles<S>,
    threshold: Doubles<S>,
) -> Doubles<S> {
    let [zero, one] = [0.0, 1.0].map(|value| Doubles::splat(simd, value));
    let left = one - (threshold - potential) * rate / push;
    let elapsed = -left.ln() / rate;
    push.above(zero).and(left.above(zero)).select(elapsed, Doubles::splat(simd, f64::NAN))
}

/// Any ratio: the general solver, from the state at the input.
fn general(membrane: &Membrane, current: f64, potential: f64, threshold: f64, offset: f64) -> f64 {
    let view = membrane.view(offset);
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
