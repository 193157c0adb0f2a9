//! The exact motion of a register of neurons between two events.
//!
//! With the mean `μ = (λ_m + λ_s)/2` and half the distance `η = (λ_s − λ_m)/2` of the rates,
//!
//! ```text
//! e^(−λ_m t) = e^(−μt) (cosh ηt + sinh ηt)      e^(−λ_s t) = e^(−μt) (cosh ηt − sinh ηt)
//! K(t) = e^(−μt) t · sinh(ηt)/(ηt)
//! ```
//!
//! so that one exponential and two short series in `(ηt)²` give everything without the cancellation
//! that `(e^(−λ_m t) − e^(−λ_s t))/(λ_s − λ_m)` suffers for rates that are nearly equal, as those of a
//! calibrated chip are. Where `|ηt|` is large nothing cancels, and the textbook form serves.

use pulp::Simd;

use super::neurons::IndividualNeurons;
use crate::engine::feed_forward::elementary::{Doubles, Truths, registers};

/// `|ηt|` up to which the series are exact to rounding.
const NEAR: f64 = 0.5;

/// `sinh(x)/x` in powers of `x²`: the next term is below 5e-17.
const SINH: [f64; 7] = [
    1.0,
    1.0 / 6.0,
    1.0 / 120.0,
    1.0 / 5_040.0,
    1.0 / 362_880.0,
    1.0 / 39_916_800.0,
    1.0 / 6_227_020_800.0,
];

/// `cosh(x)` in powers of `x²`: the next term is below 1e-18.
const COSH: [f64; 8] = [
    1.0,
    1.0 / 2.0,
    1.0 / 24.0,
    1.0 / 720.0,
    1.0 / 40_320.0,
    1.0 / 3_628_800.0,
    1.0 / 479_001_600.0,
    1.0 / 87_178_291_200.0,
];

/// A register of neurons' potentials and excitatory and inhibitory currents. Without split currents
/// the second is zero.
#[derive(Clone, Copy)]
pub struct Moment<S: Simd> {
    pub potential: Doubles<S>,
    pub currents: [Doubles<S>; 2],
}

impl<S: Simd> Moment<S> {
    #[inline(always)]
    pub fn at_rest(simd: S) -> Self {
        let zero = Doubles::splat(simd, 0.0);
        Moment { potential: zero, currents: [zero; 2] }
    }

    /// Weights arrive.
    #[inline(always)]
    pub fn receive<const SPLIT: bool>(&mut self, simd: S, weights: Doubles<S>) {
        if SPLIT {
            let zero = Doubles::splat(simd, 0.0);
            let excitatory = weights.max(zero);
            self.currents[0] = self.currents[0] + excitatory;
            self.currents[1] = self.currents[1] + (weights - excitatory);
        } else {
            self.currents[0] = self.currents[0] + weights;
        }
    }

    /// This where it holds, `other` elsewhere.
    #[inline(always)]
    pub fn or(self, holds: Truths<S>, other: Self) -> Self {
        Moment {
            potential: holds.select(self.potential, other.potential),
            currents: [
                holds.select(self.currents[0], other.currents[0]),
                holds.select(self.currents[1], other.currents[1]),
            ],
        }
    }
}

/// The rates of a register of neurons.
#[derive(Clone, Copy)]
pub struct Rates<S: Simd> {
    pub simd: S,
    pub membrane: Doubles<S>,
    pub synaptic: [Doubles<S>; 2],
    pub inverse_capacitance: Doubles<S>,
    mean: [Doubles<S>; 2],
    half: [Doubles<S>; 2],
}

impl<S: Simd> Rates<S> {
    #[inline(always)]
    pub fn load(simd: S, neurons: &IndividualNeurons, register: usize) -> Self {
        let load = |column: &[f64]| Doubles::new(simd, registers::<S>(column)[register]);
        let membrane = load(&neurons.membrane_rate);
        let synaptic = [load(&neurons.synaptic_rates[0]), load(&neurons.synaptic_rates[1])];
        let half = Doubles::splat(simd, 0.5);
        Rates {
            simd,
            membrane,
            synaptic,
            inverse_capacitance: load(&neurons.inverse_capacitance),
            mean: [(membrane + synaptic[0]) * half, (membrane + synaptic[1]) * half],
            half: [(synaptic[0] - membrane) * half, (synaptic[1] - membrane) * half],
        }
    }

    /// `e^(−λ_m t)`, `e^(−λ_s t)` and `K(t)/C` for one of the currents.
    #[inline(always)]
    fn factors(&self, current: usize, time: Doubles<S>) -> [Doubles<S>; 3] {
        let (mean, half) = (self.mean[current], self.half[current]);
        let x = half * time;
        let square = x * x;
        let common = (-(mean * time)).exp_of_negative();
        let sinh = square.polynomial(&SINH);
        let cosh = square.polynomial(&COSH);
        let odd = x * sinh;
        let decay = common * (cosh + odd);
        let left = common * (cosh - odd);
        let response = common * time * sinh * self.inverse_capacitance;
        let far = square.above(Doubles::splat(self.simd, NEAR * NEAR));
        if !far.any() {
            return [decay, left, response];
        }
        let far_decay = (-(self.membrane * time)).exp_of_negative();
        let far_left = (-(self.synaptic[current] * time)).exp_of_negative();
        let far_response = (far_decay - far_left) * self.inverse_capacitance / (half + half);
        [
            far.select(far_decay, decay),
            far.select(far_left, left),
            far.select(far_response, response),
        ]
    }

    /// The state after a time, which each lane has for itself.
    #[inline(always)]
    pub fn after<const SPLIT: bool>(&self, state: &Moment<S>, time: Doubles<S>) -> Moment<S> {
        let [decay, left, response] = self.factors(0, time);
        let potential = state.potential.multiply_add(decay, state.currents[0] * response);
        let first = state.currents[0] * left;
        if !SPLIT {
            return Moment { potential, currents: [first, state.currents[1]] };
        }
        let [_, left, response] = self.factors(1, time);
        Moment {
            potential: state.currents[1].multiply_add(response, potential),
            currents: [first, state.currents[1] * left],
        }
    }

    /// The currents after a time during which the potential is held.
    #[inline(always)]
    pub fn hold<const SPLIT: bool>(&self, state: &mut Moment<S>, time: Doubles<S>) {
        for index in 0..if SPLIT { 2 } else { 1 } {
            let left = (-(self.synaptic[index] * time)).exp_of_negative();
            state.currents[index] = state.currents[index] * left;
        }
    }

    /// `dV/dt`
    #[inline(always)]
    pub fn slope<const SPLIT: bool>(&self, state: &Moment<S>) -> Doubles<S> {
        let current = if SPLIT { state.currents[0] + state.currents[1] } else { state.currents[0] };
        current * self.inverse_capacitance - self.membrane * state.potential
    }
}
