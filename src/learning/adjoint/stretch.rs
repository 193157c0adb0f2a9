//! One neuron over a stretch of time without events: forwards its state, backwards the adjoint.
//!
//! Excitatory and inhibitory currents are kept apart here even if their time constants are equal,
//! because the derivatives by the two constants differ.

use super::NeuronGradients;
use crate::neuron::NeuronParameters;

/// The state of a neuron: potential relative to the leak, excitatory and inhibitory current.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Moment {
    pub potential: f64,
    pub currents: [f64; 2],
}

/// Derivatives of the loss by a neuron's state at one moment.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Adjoint {
    /// `p`, by the potential; zero while the potential is held at reset.
    pub potential: f64,
    /// `q`, by each current: also the derivative by the weight of an arrival at this moment.
    pub currents: [f64; 2],
    /// `s = λ_s q − p/C`, by the time of an arrival of unit weight at this moment. It follows from
    /// the others, but where the response to an input is about to peak the two terms cancel.
    pub arrivals: [f64; 2],
}

impl Adjoint {
    pub fn is_zero(&self) -> bool {
        self.potential == 0.0 && self.currents == [0.0; 2]
    }
}

/// A neuron's parameters as rates.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cell {
    membrane_rate: f64,
    synaptic_rates: [f64; 2],
    inverse_capacitance: f64,
    bias_current: f64,
    reset: f64,
    pub refractory_period: f64,
    pub initial: Moment,
}

impl Cell {
    pub fn new(parameters: &NeuronParameters) -> Self {
        Cell {
            membrane_rate: 1.0 / parameters.tau_m,
            synaptic_rates: [1.0 / parameters.tau_s, 1.0 / parameters.tau_s_inhibitory],
            inverse_capacitance: 1.0 / parameters.capacitance,
            bias_current: parameters.bias_current,
            reset: parameters.reset_potential - parameters.leak_potential,
            refractory_period: parameters.refractory_period,
            initial: Moment {
                potential: parameters.initial_potential - parameters.leak_potential,
                currents: [parameters.initial_current, parameters.initial_inhibitory_current],
            },
        }
    }

    /// `dV/dt` of a state that is not held at reset.
    pub fn slope(&self, moment: &Moment) -> f64 {
        let current = moment.currents[0] + moment.currents[1] + self.bias_current;
        current * self.inverse_capacitance - self.membrane_rate * moment.potential
    }

    /// The state `elapsed` later, held at reset.
    pub fn hold(&self, moment: &Moment, elapsed: f64) -> Moment {
        let decayed =
            |kind: usize| moment.currents[kind] * (-self.synaptic_rates[kind] * elapsed).exp();
        Moment { potential: self.reset, currents: [decayed(0), decayed(1)] }
    }

    /// The state `elapsed` later.
    pub fn advance(&self, moment: &Moment, elapsed: f64) -> Moment {
        let decay = (-self.membrane_rate * elapsed).exp();
        let drift = Kernel::new(self.membrane_rate, 0.0, elapsed);
        let mut potential =
            moment.potential * decay + self.bias_current * drift.value * self.inverse_capacitance;
        for kind in 0..2 {
            let kernel = Kernel::new(self.membrane_rate, self.synaptic_rates[kind], elapsed);
            potential += moment.currents[kind] * kernel.value * self.inverse_capacitance;
        }
        Moment { potential, ..self.hold(moment, elapsed) }
    }

    /// Takes the adjoint back over a stretch during which the potential is held at reset, and adds
    /// what the stretch owes to the rates. `before` is the state at its start.
    ///
    /// `I' = I e^(−λ_s t)`, so `q = e^(−λ_s t) q'` and `∂I'/∂λ_s = −t I e^(−λ_s t)`.
    pub fn hold_back(
        &self,
        before: &Moment,
        elapsed: f64,
        adjoint: &mut Adjoint,
        by: &mut RateGradients,
    ) {
        for kind in 0..2 {
            let rate = self.synaptic_rates[kind];
            adjoint.currents[kind] *= (-rate * elapsed).exp();
            adjoint.arrivals[kind] = rate * adjoint.currents[kind];
            by.synaptic[kind] -= elapsed * adjoint.currents[kind] * before.currents[kind];
        }
    }

    /// Takes the adjoint back over a stretch of free motion, and adds what the stretch owes to the
    /// rates, capacitance and bias current. `before` is the state at its start.
    ///
    /// Forwards, with the kernel `K` of each current and `D = K` for a current that does not decay,
    ///
    /// ```text
    /// u' = u e^(−λ_m t) + Σ (I/C) K + (I_b/C) D          I' = I e^(−λ_s t)
    /// ```
    ///
    /// Backwards, the transpose of this linear map takes `(p', q')` to
    ///
    /// ```text
    /// p = e^(−λ_m t) p'        q = e^(−λ_s t) q' + (K/C) p'        s = e^(−λ_s t) s' + λ_m (K/C) p'
    /// ```
    ///
    /// (the last from `e^(−λ_m t) − λ_s K = e^(−λ_s t) − λ_m K`), and every parameter `x` receives
    /// `p' ∂u'/∂x + q' ∂I'/∂x` at a fixed state before.
    pub fn advance_back(
        &self,
        before: &Moment,
        elapsed: f64,
        adjoint: &mut Adjoint,
        by: &mut RateGradients,
    ) {
        let later = adjoint.potential;
        let push = later * self.inverse_capacitance;
        let drift = Kernel::new(self.membrane_rate, 0.0, elapsed);
        // C times what the currents add to u'.
        let mut added = self.bias_current * drift.value;
        by.membrane += push * self.bias_current * drift.by_membrane_rate;
        by.bias_current += push * drift.value;
        for kind in 0..2 {
            let rate = self.synaptic_rates[kind];
            let decay = (-rate * elapsed).exp();
            let kernel = Kernel::new(self.membrane_rate, rate, elapsed);
            let current = before.currents[kind];
            let decayed = decay * adjoint.currents[kind];
            added += current * kernel.value;
            by.membrane += push * current * kernel.by_membrane_rate;
            by.synaptic[kind] += push * current * kernel.by_synaptic_rate;
            by.synaptic[kind] -= elapsed * current * decayed;
            adjoint.currents[kind] = decayed + push * kernel.value;
            adjoint.arrivals[kind] =
                decay * adjoint.arrivals[kind] + self.membrane_rate * push * kernel.value;
        }
        by.capacitance -= push * added * self.inverse_capacitance;
        adjoint.potential = later * (-self.membrane_rate * elapsed).exp();
        by.membrane -= elapsed * adjoint.potential * before.potential;
    }

    /// Going backwards over the end of the refractory period: until then the potential was held.
    pub fn release_back(&self, adjoint: &mut Adjoint) {
        adjoint.potential = 0.0;
        for kind in 0..2 {
            adjoint.arrivals[kind] = self.synaptic_rates[kind] * adjoint.currents[kind];
        }
    }

    /// Sets the adjoint of the potential at a crossing; after it, it was zero.
    pub fn cross_back(&self, adjoint: &mut Adjoint, potential: f64) {
        adjoint.potential = potential;
        for kind in 0..2 {
            let by_current = self.synaptic_rates[kind] * adjoint.currents[kind];
            adjoint.arrivals[kind] = by_current - potential * self.inverse_capacitance;
        }
    }
}

/// Derivatives by what the motion between events depends on.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct RateGradients {
    membrane: f64,
    synaptic: [f64; 2],
    capacitance: f64,
    bias_current: f64,
}

impl RateGradients {
    /// Adds them to those by time constants: `dλ/dτ = −λ²`, zero for the non-leaky neuron.
    pub fn add_to(&self, cell: &Cell, gradients: &mut NeuronGradients) {
        let [excitatory, inhibitory] = cell.synaptic_rates;
        gradients.tau_m -= self.membrane * cell.membrane_rate * cell.membrane_rate;
        gradients.tau_s -= self.synaptic[0] * excitatory * excitatory;
        gradients.tau_s_inhibitory -= self.synaptic[1] * inhibitory * inhibitory;
        gradients.capacitance += self.capacitance;
        gradients.bias_current += self.bias_current;
    }
}

/// Response `K = ∫₀ᵗ e^(−λ_m (t−x)) e^(−λ_s x) dx` of the potential to a current, and its
/// derivatives by the rates.
///
/// With the slower rate `λ`, the distance `d ≥ 0` of the rates, and the means `h` and `g` of
/// `e^(−d t y)` and `y e^(−d t y)` over `0 < y < 1`,
///
/// ```text
/// K = t e^(−λ t) h        ∂K/∂fast = −t² e^(−λ t) g        ∂K/∂slow = −t² e^(−λ t) (h − g)
/// ```
///
/// Nothing is singular at equal rates, nor at a rate of zero.
struct Kernel {
    value: f64,
    by_membrane_rate: f64,
    by_synaptic_rate: f64,
}

impl Kernel {
    fn new(membrane_rate: f64, synaptic_rate: f64, elapsed: f64) -> Self {
        let slow = membrane_rate.min(synaptic_rate);
        let (h, g) = means((synaptic_rate - membrane_rate).abs() * elapsed);
        let scale = elapsed * (-slow * elapsed).exp();
        let by_fast = -elapsed * scale * g;
        let by_slow = -elapsed * scale * (h - g);
        let membrane_is_slow = membrane_rate <= synaptic_rate;
        Kernel {
            value: scale * h,
            by_membrane_rate: if membrane_is_slow { by_slow } else { by_fast },
            by_synaptic_rate: if membrane_is_slow { by_fast } else { by_slow },
        }
    }
}

/// Means of `e^(−z y)` and of `y e^(−z y)` over `0 < y < 1`: `(1 − e^(−z))/z` and
/// `(1 − (1 + z) e^(−z))/z²`. The second is summed as its series `Σ (−z)ⁿ/(n! (n + 2))` where the
/// difference would cancel.
fn means(z: f64) -> (f64, f64) {
    if z == 0.0 {
        return (1.0, 0.5);
    }
    let h = -(-z).exp_m1() / z;
    if z > 1.0 {
        return (h, (h - (-z).exp()) / z);
    }
    let mut term = 1.0;
    let mut g = 0.5;
    // 1/17! is below the rounding of the sum.
    for n in 1..17 {
        term *= -z / f64::from(n);
        g += term / f64::from(n + 2);
    }
    (h, g)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn means_agree_with_a_fine_sum_and_meet_where_their_formulas_do() {
        for z in [0.0, 1e-12, 1e-3, 0.5, 1.0, 1.0 + 1e-12, 3.0, 40.0] {
            let points = 20_000;
            let (mut h, mut g) = (0.0, 0.0);
            for point in 0..points {
                let y = (f64::from(point) + 0.5) / f64::from(points);
                h += (-z * y).exp() / f64::from(points);
                g += y * (-z * y).exp() / f64::from(points);
            }
            let found = means(z);
            // The midpoint rule's error is z² h/(24 · points²), and that of g a few times larger.
            let tolerance = 1e-10 * (1.0 + z * z);
            assert!((found.0 - h).abs() < tolerance && (found.1 - g).abs() < tolerance, "{z}");
        }
        // Both formulas of g are good to a few roundings of terms of order one at their border.
        assert!((means(1.0).1 - means(1.0 + f64::EPSILON).1).abs() < 1e-15);
    }

    #[test]
    fn the_state_moves_as_the_engine_moves_it() {
        for tau_m in [0.3, 1.0, 1.0 + 1e-9, 2.0, 7.0, f64::INFINITY] {
            let parameters = NeuronParameters {
                tau_m,
                tau_s_inhibitory: 0.6,
                bias_current: 0.3,
                capacitance: 1.3,
                ..NeuronParameters::default()
            };
            let dynamics = crate::neuron::Dynamics::new(&parameters).expect("valid");
            let before = Moment { potential: -0.4, currents: [1.7, -0.8] };
            let mut state =
                crate::neuron::State { potential: -0.4, current: 1.7, inhibitory_current: -0.8 };
            dynamics.advance(&mut state, 1.4);
            let after = Cell::new(&parameters).advance(&before, 1.4);
            // A handful of roundings of terms of order one.
            assert!((after.potential - state.potential).abs() < 4e-15, "tau_m {tau_m}");
            assert!((after.currents[0] - state.current).abs() < 4e-15);
            assert!((after.currents[1] - state.inhibitory_current).abs() < 4e-15);
        }
    }
}
