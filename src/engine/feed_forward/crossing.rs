//! Threshold crossings of many neurons at once, from their states at a common reference time.

use pulp::Simd;

use super::elementary::{Doubles, Truths, registers, registers_mut};
use super::lanes::{Element, grow};
use super::membrane::Membrane;
use crate::neuron::{Ratio, State};

/// Where neurons cross: their states at the reference and the inputs after which they do. Each column
/// has a value per neuron, padding included.
#[derive(Clone, Debug, Default)]
pub struct Crossings<T> {
    /// The input after which the neuron crosses; [`NEVER`](Self::NEVER) if it does not.
    pub inputs: Vec<T>,
    pub currents: Vec<T>,
    pub potentials: Vec<T>,
    wide: [Vec<f64>; 3],
}

impl<T: Element> Crossings<T> {
    /// What stands for no input.
    pub const NEVER: f64 = -1.0;

    pub fn grow(&mut self, neurons: usize) {
        grow(&mut self.inputs, neurons);
        grow(&mut self.currents, neurons);
        grow(&mut self.potentials, neurons);
    }

    /// Computes all crossings, counted from the reference, into `elapsed`: infinite for a neuron that
    /// does not cross. After the last input (the input `last`) a neuron only may cross; before it
    /// every neuron that is named does. `offset` gives the time of an input, counted from the
    /// reference. The currents at the crossings are written to `currents`.
    #[expect(clippy::too_many_arguments, reason = "the columns of one loop")]
    #[inline(always)]
    pub fn solve<S: Simd>(
        &mut self,
        simd: S,
        membrane: &Membrane,
        thresholds: &[f64],
        last: usize,
        offset: impl Fn(usize) -> f64,
        currents: &mut [f64],
        elapsed: &mut [f64],
    ) {
        let count = thresholds.len();
        let [inputs, potentials, _] = &mut self.wide;
        for (wide, column) in
            [&mut *inputs, &mut *potentials].into_iter().zip([&self.inputs, &self.potentials])
        {
            wide.clear();
            wide.extend(column[..count].iter().map(|value| value.to_f64()));
        }
        for (wide, value) in currents.iter_mut().zip(&self.currents) {
            *wide = value.to_f64();
        }
        if membrane.ratio == Ratio::General {
            for neuron in 0..count {
                elapsed[neuron] = f64::INFINITY;
                if inputs[neuron] != Self::NEVER {
                    let offset = offset(inputs[neuron] as usize);
                    let crossing = general(
                        membrane,
                        currents[neuron],
                        potentials[neuron],
                        thresholds[neuron],
                        offset,
                    );
                    elapsed[neuron] = crossing.unwrap_or(f64::INFINITY);
                }
            }
            return;
        }
        let never = Doubles::splat(simd, Self::NEVER + 0.5);
        let last = Doubles::splat(simd, last as f64 - 0.5);
        let infinity = Doubles::splat(simd, f64::INFINITY);
        let columns = [&*currents, &*potentials, thresholds, &*inputs];
        let [currents, potentials, thresholds, inputs] = columns.map(registers::<S>);
        let elapsed = registers_mut::<S>(elapsed);
        for index in 0..elapsed.len() {
            let columns = [currents, potentials, thresholds, inputs];
            let [current, potential, threshold, input] =
                columns.map(|column| Doubles::new(simd, column[index]));
            let (crossing, exists) = closed_form(simd, membrane, current, potential, threshold);
            // A peak within rounding of the threshold is no reason to lose a certain crossing.
            let exists = exists.or(last.above(input)).and(input.above(never));
            elapsed[index] = exists.select(crossing, infinity).value();
        }
    }
}

/// Whether there is a crossing after an input, by the same formulas. `offset` is the time of the input,
/// counted from the reference; the potential must be rising there.
pub fn crosses_after(
    membrane: &Membrane,
    current: f64,
    potential: f64,
    threshold: f64,
    offset: f64,
) -> bool {
    if membrane.ratio == Ratio::General {
        return general(membrane, current, potential, threshold, offset).is_some();
    }
    let simd = pulp::Scalar;
    let [current, potential, threshold] =
        [current, potential, threshold].map(|value| Doubles::splat(simd, value));
    closed_form(simd, membrane, current, potential, threshold).1.value()
}

/// A crossing, and whether it exists. If it is known to exist, it is right to rounding even where the
/// second value is false.
#[inline(always)]
pub fn closed_form<S: Simd>(
    simd: S,
    membrane: &Membrane,
    current: Doubles<S>,
    potential: Doubles<S>,
    threshold: Doubles<S>,
) -> (Doubles<S>, Truths<S>) {
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
) -> (Doubles<S>, Truths<S>) {
    let [zero, one, two] = [0.0, 1.0, 2.0].map(|value| Doubles::splat(simd, value));
    let scale = rate / push;
    let peak = one - scale * potential;
    let ratio = threshold * scale * peak.exp();
    let p = (two * (one - ratio)).max(zero).sqrt();
    let x = p.multiply_add(Doubles::splat(simd, std::f64::consts::SQRT_2), -one);
    let elapsed = (peak - p * x.polynomial(&LEAD)) / rate;
    (elapsed, push.above(zero).and(one.above(ratio)))
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
) -> (Doubles<S>, Truths<S>) {
    let [zero, two, four] = [0.0, 2.0, 4.0].map(|value| Doubles::splat(simd, value));
    let scale = push / rate;
    let lift = scale + potential;
    let discriminant = lift * lift - four * scale * threshold;
    let decay = (lift + discriminant.max(zero).sqrt()) / (two * scale);
    let elapsed = -decay.ln() / rate;
    (elapsed, push.above(zero).and(lift.above(zero)).and(discriminant.above(zero)))
}

/// `τ_m = ∞`: the potential is `u + (I/C) τ_s (1 − e^(−t/τ_s))`.
#[inline(always)]
fn non_leaky<S: Simd>(
    simd: S,
    rate: Doubles<S>,
    push: Doubles<S>,
    potential: Doubles<S>,
    threshold: Doubles<S>,
) -> (Doubles<S>, Truths<S>) {
    let [zero, one] = [0.0, 1.0].map(|value| Doubles::splat(simd, value));
    let left = one - (threshold - potential) * rate / push;
    let elapsed = -left.ln() / rate;
    (elapsed, push.above(zero).and(left.above(zero)))
}

/// Any ratio: the general solver, from the state at the input.
pub fn general(
    membrane: &Membrane,
    current: f64,
    potential: f64,
    threshold: f64,
    offset: f64,
) -> Option<f64> {
    let view = membrane.view(offset);
    let state = State {
        potential: view.potential.of(current, potential),
        current: view.current * current,
        inhibitory_current: 0.0,
    };
    let crossing = membrane.dynamics.with_threshold(threshold).first_crossing(&state);
    crossing.map(|crossing| offset + crossing.elapsed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::neuron::{Dynamics, NeuronParameters, State};

    /// Sixteen neurons in this state at their only input.
    fn solve(membrane: &Membrane, current: f64, potential: f64) -> f64 {
        let mut crossings = Crossings::<f64> {
            inputs: vec![0.0; 16],
            currents: vec![current; 16],
            potentials: vec![potential; 16],
            ..Crossings::default()
        };
        let (mut currents, mut elapsed) = ([0.0; 16], [0.0; 16]);
        crossings.solve(
            pulp::Scalar,
            membrane,
            &[1.0; 16],
            0,
            |_| 0.0,
            &mut currents,
            &mut elapsed,
        );
        assert!(elapsed.iter().all(|&other| other == elapsed[0]));
        elapsed[0]
    }

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
                    let found = solve(&membrane, current, potential);
                    let Some(expected) = expected else {
                        // A crossing in the past is found too.
                        assert!(!found.is_finite() || found < 0.0, "{state:?} {found}");
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
