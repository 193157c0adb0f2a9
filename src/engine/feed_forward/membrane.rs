//! The membrane of a layer, seen from one reference time.
//!
//! Between events potential and current evolve linearly, so the state that some inputs have caused can
//! be carried to any common reference time `t₀`, later or earlier, without losing anything:
//!
//! ```text
//! I₀ = Σ w_i e^(−λ_s (t₀ − t_i))        u₀ = Σ w_i K(t₀ − t_i)/C
//! V(t) = u₀ e^(−λ_m x) + I₀ K(x)/C        x = t − t₀
//! ```
//!
//! with the response `K` of [`crate::neuron`], continued to negative arguments. An input's share in
//! `I₀` and `u₀` depends on its time only, so it is computed once for all neurons of a layer; and the
//! potential at any time is one linear form of the two sums, with coefficients that all neurons
//! share. The reference is the layer's last input: then every share is at most of order one, and what a
//! late state owes to the sums is not the difference of large numbers.

use pulp::Simd;

use super::elementary::exp;
use crate::neuron::{Dynamics, Ratio};

/// What all neurons of a layer have in common.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Membrane {
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

/// Coefficients of current and potential in a linear form of the state at the reference time.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Form {
    pub current: f64,
    pub potential: f64,
}

impl Form {
    /// The form's value for a state at the reference time.
    #[inline(always)]
    pub fn of(&self, current: f64, potential: f64) -> f64 {
        self.current * current + self.potential * potential
    }
}

/// How the reference's state is seen at another time.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct View {
    /// The membrane potential there.
    pub potential: Form,
    /// `e^(−λ_s x)`: what is left of the current.
    pub current: f64,
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

    /// The potential, its decay and the current's decay after `x` (of any sign).
    #[inline(always)]
    pub fn view<S: Simd>(&self, x: f64) -> View {
        let current = exp::<S>(-self.synaptic_rate * x);
        let (decay, response) = self.decay_and_response::<S>(x, current);
        View { potential: Form { current: response, potential: decay }, current }
    }

    /// The share of a unit input at `x` before the reference in current and potential there.
    #[inline(always)]
    pub fn share<S: Simd>(&self, x: f64) -> Form {
        let view = self.view::<S>(x);
        Form { current: view.current, potential: view.potential.current }
    }

    #[inline(always)]
    fn decay_and_response<S: Simd>(&self, x: f64, current: f64) -> (f64, f64) {
        if self.ratio == Ratio::Equal {
            return (current, x * current * self.inverse_capacitance);
        }
        let distance = self.synaptic_rate - self.membrane_rate;
        let decay = exp::<S>(-self.membrane_rate * x);
        // For nearly equal rates the difference of the exponentials would cancel.
        let kernel = if distance.abs() > 0.1 * self.synaptic_rate {
            (decay - current) / distance
        } else {
            let shift = -distance * x;
            decay * if distance == 0.0 { x } else { -shift.exp_m1() / distance }
        };
        (decay, kernel * self.inverse_capacitance)
    }

    /// `dV/dt` at a view.
    #[inline(always)]
    pub fn slope(&self, view: &View) -> Form {
        Form {
            current: view.current * self.inverse_capacitance
                - self.membrane_rate * view.potential.current,
            potential: -self.membrane_rate * view.potential.potential,
        }
    }
}
