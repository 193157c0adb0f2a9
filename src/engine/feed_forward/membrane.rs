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

use super::elementary::{Doubles, registers, registers_mut};
use super::lanes::grow;
use crate::neuron::{Dynamics, Ratio};

/// What all neurons of a layer have in common.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Membrane {
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
pub(super) struct Form {
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
pub(super) struct View {
    /// The membrane potential there.
    pub potential: Form,
    /// `e^(−λ_s x)`: what is left of the current.
    pub current: f64,
}

/// Many views, in columns.
#[derive(Clone, Debug, Default)]
pub(super) struct ViewColumns {
    /// What is left of the current.
    pub current: Vec<f64>,
    /// The potential that a unit of current at the reference makes.
    pub response: Vec<f64>,
    /// What is left of the potential.
    pub decay: Vec<f64>,
}

/// A register of views.
pub(super) struct Views<S: Simd> {
    /// See [`ViewColumns`].
    pub current: Doubles<S>,
    /// See [`ViewColumns`].
    pub response: Doubles<S>,
    /// See [`ViewColumns`].
    pub decay: Doubles<S>,
}

impl ViewColumns {
    fn grow(&mut self, length: usize) {
        grow(&mut self.current, length);
        grow(&mut self.response, length);
        grow(&mut self.decay, length);
    }

    fn set(&mut self, index: usize, view: View) {
        self.current[index] = view.current;
        self.response[index] = view.potential.current;
        self.decay[index] = view.potential.potential;
    }

    /// Currents, responses and decays as registers.
    #[inline(always)]
    pub fn registers<S: Simd>(&self, length: usize) -> [&[S::f64s]; 3] {
        [&self.current, &self.response, &self.decay].map(|column| registers::<S>(&column[..length]))
    }

    #[inline(always)]
    fn registers_mut<S: Simd>(&mut self, length: usize) -> [&mut [S::f64s]; 3] {
        [&mut self.current, &mut self.response, &mut self.decay]
            .map(|column| registers_mut::<S>(&mut column[..length]))
    }

    /// One view.
    #[inline(always)]
    pub fn get(&self, index: usize) -> View {
        View {
            potential: Form { current: self.response[index], potential: self.decay[index] },
            current: self.current[index],
        }
    }
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

    /// Whether the rates are so close that the difference of their exponentials would cancel.
    fn is_nearly_equal(&self) -> bool {
        self.ratio != Ratio::Equal
            && (self.synaptic_rate - self.membrane_rate).abs() < 0.1 * self.synaptic_rate
    }

    /// How the reference's state is seen after `x` (of any sign).
    pub fn view(&self, x: f64) -> View {
        if self.is_nearly_equal() {
            let distance = self.synaptic_rate - self.membrane_rate;
            let decay = (-self.membrane_rate * x).exp();
            let kernel =
                decay * if distance == 0.0 { x } else { -(-distance * x).exp_m1() / distance };
            let current = kernel * self.inverse_capacitance;
            return View {
                potential: Form { current, potential: decay },
                current: (-self.synaptic_rate * x).exp(),
            };
        }
        let views = self.views(pulp::Scalar, Doubles::splat(pulp::Scalar, x));
        View {
            potential: Form { current: views.response.value(), potential: views.decay.value() },
            current: views.current.value(),
        }
    }

    /// The same for many times at once, in columns of a length that fills whole registers.
    #[inline(always)]
    pub fn view_all<S: Simd>(&self, simd: S, offsets: &[f64], columns: &mut ViewColumns) {
        columns.grow(offsets.len());
        if self.is_nearly_equal() {
            for (index, &x) in offsets.iter().enumerate() {
                columns.set(index, self.view(x));
            }
            return;
        }
        let [current, response, decay] = columns.registers_mut::<S>(offsets.len());
        for (index, &x) in registers::<S>(offsets).iter().enumerate() {
            let views = self.views(simd, Doubles::new(simd, x));
            current[index] = views.current.value();
            response[index] = views.response.value();
            decay[index] = views.decay.value();
        }
    }

    /// Both directions at once: how the reference's state is seen at each offset, and how a state
    /// there is seen at the reference.
    #[inline(always)]
    pub fn view_both<S: Simd>(
        &self,
        simd: S,
        offsets: &[f64],
        there: &mut ViewColumns,
        here: &mut ViewColumns,
    ) {
        there.grow(offsets.len());
        here.grow(offsets.len());
        if self.is_nearly_equal() {
            for (index, &x) in offsets.iter().enumerate() {
                there.set(index, self.view(x));
                here.set(index, self.view(-x));
            }
            return;
        }
        let [there_current, there_response, there_decay] = there.registers_mut::<S>(offsets.len());
        let [here_current, here_response, here_decay] = here.registers_mut::<S>(offsets.len());
        for (index, &x) in registers::<S>(offsets).iter().enumerate() {
            let views = self.views(simd, -Doubles::new(simd, x));
            let back = self.reversed(simd, Doubles::new(simd, x), &views);
            here_current[index] = views.current.value();
            here_response[index] = views.response.value();
            here_decay[index] = views.decay.value();
            there_current[index] = back.current.value();
            there_response[index] = back.response.value();
            there_decay[index] = back.decay.value();
        }
    }

    /// How a state is seen after a time, not negative, that each lane has for itself.
    #[inline(always)]
    pub fn views_after<S: Simd>(&self, simd: S, x: Doubles<S>) -> Views<S> {
        if self.is_nearly_equal() {
            return Views {
                current: x.map(|_, x| self.view(x).current),
                response: x.map(|_, x| self.view(x).potential.current),
                decay: x.map(|_, x| self.view(x).potential.potential),
            };
        }
        let all = |value| Doubles::splat(simd, value);
        let decay = (all(-self.membrane_rate) * x).exp_of_negative();
        let current = match self.ratio {
            Ratio::Equal => {
                let response = x * decay * all(self.inverse_capacitance);
                return Views { current: decay, response, decay };
            }
            Ratio::Double => decay * decay,
            Ratio::NonLeaky | Ratio::General => (all(-self.synaptic_rate) * x).exp_of_negative(),
        };
        let distance = self.synaptic_rate - self.membrane_rate;
        let response = (decay - current) * all(self.inverse_capacitance / distance);
        Views { current, response, decay }
    }

    #[inline(always)]
    fn views<S: Simd>(&self, simd: S, x: Doubles<S>) -> Views<S> {
        let all = |value| Doubles::splat(simd, value);
        let current = (all(-self.synaptic_rate) * x).exp();
        if self.ratio == Ratio::Equal {
            let response = x * current * all(self.inverse_capacitance);
            return Views { current, response, decay: current };
        }
        let distance = self.synaptic_rate - self.membrane_rate;
        let decay = (all(-self.membrane_rate) * x).exp();
        let response = (decay - current) * all(self.inverse_capacitance / distance);
        Views { current, response, decay }
    }

    /// The views at `x`, from those at `−x`: the decays are the reciprocals.
    #[inline(always)]
    fn reversed<S: Simd>(&self, simd: S, x: Doubles<S>, views: &Views<S>) -> Views<S> {
        let all = |value| Doubles::splat(simd, value);
        let current = all(1.0) / views.current;
        if self.ratio == Ratio::Equal {
            let response = x * current * all(self.inverse_capacitance);
            return Views { current, response, decay: current };
        }
        let distance = self.synaptic_rate - self.membrane_rate;
        let decay = all(1.0) / views.decay;
        let response = (decay - current) * all(self.inverse_capacitance / distance);
        Views { current, response, decay }
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
