//! The membrane that all neurons of a layer have in common, seen from one reference time.
//!
//! Between events potential and current evolve linearly, so the state that some inputs have caused can
//! be carried to any common reference time `t₀`, later or earlier, without losing anything:
//!
//! ```text
//! I₀ = Σ w_i e^(−λ_s (t₀ − t_i))        u₀ = Σ w_i K(t₀ − t_i)/C
//! V(t) = u₀ e^(−λ_m x) + I₀ K(x)/C        x = t − t₀
//! ```
//!
//! with the response `K` of [`super`], continued to negative arguments. An input's share in
//! `I₀` and `u₀` depends on its time only, so it is computed once for all neurons of a layer; and the
//! potential at any time is one linear form of the two sums, with coefficients that all neurons
//! share. The reference is the layer's last input: then every share is at most of order one.
//!
//! Unless the two rates are equal or nearly so, the second sum is not the potential but its part that
//! decays with the membrane's rate, `p₀ = u₀ + I₀/(C (λ_s − λ_m))`. With `d = C (λ_s − λ_m)`,
//!
//! ```text
//! p₀ = Σ w_i e^(−λ_m (t₀ − t_i))/d        V(t) = p₀ e^(−λ_m x) − I₀ e^(−λ_s x)/d
//! ```
//!
//! and the two parts decay each for itself: nothing is the difference of numbers that have grown on the
//! way back from the reference. (For nearly equal rates `1/d` would be large, and nothing grows.) "The
//! potential" of the layered engine's sums is `p₀` then.

use pulp::Simd;

use super::{Dynamics, Ratio, State};
use crate::simd::F64s;

/// What all neurons of a layer have in common.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Membrane {
    pub dynamics: Dynamics,
    pub ratio: Ratio,
    /// `λ_m`, per time unit.
    pub membrane_rate: f64,
    /// `λ_s`, per time unit.
    pub synaptic_rate: f64,
    /// `1/C`.
    pub inverse_capacitance: f64,
    /// Largest value of `K(t)/C`.
    pub largest_response: f64,
}

/// A register of propagators.
pub(crate) struct Propagators<S: Simd> {
    /// What is left of the current.
    pub current: F64s<S>,
    /// The potential that a unit of current at the reference makes; in shares, that of a unit weight.
    pub response: F64s<S>,
    /// What is left of the potential.
    pub decay: F64s<S>,
}

impl Membrane {
    pub fn new(dynamics: &Dynamics) -> Self {
        Membrane {
            dynamics: *dynamics,
            ratio: dynamics.ratio(),
            membrane_rate: dynamics.membrane_rate(),
            synaptic_rate: dynamics.synaptic_rate(),
            inverse_capacitance: dynamics.inverse_capacitance(),
            largest_response: dynamics.largest_response(),
        }
    }

    /// Whether this is the membrane of a neuron with these dynamics.
    pub fn is_that_of(&self, dynamics: &Dynamics) -> bool {
        self.membrane_rate == dynamics.membrane_rate()
            && self.synaptic_rate == dynamics.synaptic_rate()
            && self.inverse_capacitance == dynamics.inverse_capacitance()
    }

    /// Whether the rates are so close that the difference of their exponentials would cancel.
    fn is_nearly_equal(&self) -> bool {
        self.ratio != Ratio::Equal
            && (self.synaptic_rate - self.membrane_rate).abs() < 0.1 * self.synaptic_rate
    }

    /// Decay of the current, response and decay of the potential after `x`, for rates whose
    /// exponentials must not be subtracted.
    fn nearly_equal(&self, x: f64) -> (f64, f64, f64) {
        let distance = self.synaptic_rate - self.membrane_rate;
        let decay = (-self.membrane_rate * x).exp();
        let kernel = decay * if distance == 0.0 { x } else { -(-distance * x).exp_m1() / distance };
        ((-self.synaptic_rate * x).exp(), kernel * self.inverse_capacitance, decay)
    }

    /// Both directions at once: how the reference's state is seen at these offsets from it, and how a
    /// state there is seen at the reference.
    #[inline(always)]
    pub fn propagators_both<S: Simd>(
        &self,
        simd: S,
        x: F64s<S>,
    ) -> (Propagators<S>, Propagators<S>) {
        if self.is_nearly_equal() {
            return (self.propagators_nearly_equal(x), self.propagators_nearly_equal(-x));
        }
        let (current, back) = (F64s::splat(simd, self.synaptic_rate) * x).exp_both();
        if self.ratio == Ratio::Equal {
            let scaled = x * F64s::splat(simd, self.inverse_capacitance);
            let there = Propagators { current: back, response: scaled * back, decay: back };
            return (there, Propagators { current, response: -(scaled * current), decay: current });
        }
        let inverse_distance = F64s::splat(simd, self.inverse_distance());
        let (decay, decay_back) = (F64s::splat(simd, self.membrane_rate) * x).exp_both();
        let response = -(back * inverse_distance);
        let there = Propagators { current: back, response, decay: decay_back };
        (there, Propagators { current, response: decay * inverse_distance, decay })
    }

    /// See [`Self::nearly_equal`].
    #[inline(always)]
    fn propagators_nearly_equal<S: Simd>(&self, x: F64s<S>) -> Propagators<S> {
        Propagators {
            current: x.map(|_, x| self.nearly_equal(x).0),
            response: x.map(|_, x| self.nearly_equal(x).1),
            decay: x.map(|_, x| self.nearly_equal(x).2),
        }
    }

    /// `1/(C (λ_s − λ_m))`.
    pub fn inverse_distance(&self) -> f64 {
        self.inverse_capacitance / (self.synaptic_rate - self.membrane_rate)
    }

    /// How a state is seen after a time, not negative, that each lane has for itself.
    #[inline(always)]
    pub fn propagators_after<S: Simd>(&self, simd: S, x: F64s<S>) -> Propagators<S> {
        if self.is_nearly_equal() {
            return self.propagators_nearly_equal(x);
        }
        let all = |value| F64s::splat(simd, value);
        let decay = (all(-self.membrane_rate) * x).exp_of_negative();
        let current = match self.ratio {
            Ratio::Equal => {
                let response = x * decay * all(self.inverse_capacitance);
                return Propagators { current: decay, response, decay };
            }
            Ratio::Double => decay * decay,
            Ratio::NonLeaky | Ratio::General => (all(-self.synaptic_rate) * x).exp_of_negative(),
        };
        let distance = self.synaptic_rate - self.membrane_rate;
        let response = (decay - current) * all(self.inverse_capacitance / distance);
        Propagators { current, response, decay }
    }

    /// How the reference's state is seen at these offsets from it.
    #[inline(always)]
    pub fn propagators<S: Simd>(&self, simd: S, x: F64s<S>) -> Propagators<S> {
        if self.is_nearly_equal() {
            return self.propagators_nearly_equal(x);
        }
        let current = (F64s::splat(simd, -self.synaptic_rate) * x).exp();
        if self.ratio == Ratio::Equal {
            let response = x * current * F64s::splat(simd, self.inverse_capacitance);
            return Propagators { current, response, decay: current };
        }
        let decay = (F64s::splat(simd, -self.membrane_rate) * x).exp();
        let response = -(current * F64s::splat(simd, self.inverse_distance()));
        Propagators { current, response, decay }
    }

    /// The first crossing of a neuron from its sums of current and potential at the reference, if nothing
    /// arrives later than `offset` after it: when it is, from the reference. For any ratio, one neuron at
    /// a time. A `certain` crossing that rounding hides is at the peak.
    pub fn crossing_after(
        &self,
        sums: [f64; 2],
        threshold: f64,
        offset: f64,
        certain: bool,
    ) -> Option<f64> {
        let simd = pulp::Scalar;
        let [current, potential] = sums;
        let there = self.propagators(simd, F64s::splat(simd, offset));
        let state = State {
            potential: there.response.value() * current + there.decay.value() * potential,
            current: there.current.value() * current,
            inhibitory_current: 0.0,
        };
        let dynamics = self.dynamics.with_threshold(threshold);
        let elapsed = match dynamics.first_crossing(&state) {
            Some(crossing) => crossing.elapsed,
            None if certain => dynamics.extremum(&state).unwrap_or(0.0),
            None => return None,
        };
        Some(offset + elapsed)
    }
}
