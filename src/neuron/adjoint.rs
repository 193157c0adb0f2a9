//! The state of a neuron forwards and the adjoint state backwards, between events and at them.
//!
//! The adjoint state holds the derivatives of a loss by the state: going backwards in time it obeys the
//! transposed equations. Excitatory and inhibitory currents are apart here even if their time constants
//! are equal, because the derivatives by the two constants differ.

use super::NeuronParameters;
use super::kernel::KernelByRates;

/// Derivatives of a loss by the parameters of one neuron, in the units of [`NeuronParameters`].
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[allow(missing_docs)]
pub struct NeuronGradients {
    pub tau_m: f64,
    pub tau_s: f64,
    pub tau_s_inhibitory: f64,
    pub capacitance: f64,
    pub leak_potential: f64,
    pub reset_potential: f64,
    pub threshold: f64,
    pub refractory_period: f64,
    pub bias_current: f64,
    pub initial_potential: f64,
    pub initial_current: f64,
    pub initial_inhibitory_current: f64,
}

/// The state of a neuron with its excitatory and its inhibitory current apart.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct MembraneState {
    /// Relative to the leak.
    pub potential: f64,
    /// Excitatory and inhibitory.
    pub currents: [f64; 2],
}

/// Derivatives of the loss by a neuron's state at one time.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct AdjointState {
    /// `p`, by the potential; zero while the potential is held at reset.
    pub potential: f64,
    /// `q`, by each current: also the derivative by the weight of an arrival at this time.
    pub currents: [f64; 2],
    /// `s = λ_s q − p/C`, by the time of an arrival of unit weight at this time. It follows from
    /// the others, but where the response to an input is about to peak the two terms cancel.
    pub arrivals: [f64; 2],
}

impl AdjointState {
    pub fn is_zero(&self) -> bool {
        self.potential == 0.0 && self.currents == [0.0; 2]
    }
}

/// A neuron's parameters as rates: the linear equations of its state and of the adjoint state between
/// events, and what an event does to the adjoint state.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LinearDynamics {
    membrane_rate: f64,
    synaptic_rates: [f64; 2],
    inverse_capacitance: f64,
    bias_current: f64,
    reset: f64,
    pub refractory_period: f64,
    pub initial: MembraneState,
}

impl LinearDynamics {
    pub fn new(parameters: &NeuronParameters) -> Self {
        LinearDynamics {
            membrane_rate: 1.0 / parameters.tau_m,
            synaptic_rates: [1.0 / parameters.tau_s, 1.0 / parameters.tau_s_inhibitory],
            inverse_capacitance: 1.0 / parameters.capacitance,
            bias_current: parameters.bias_current,
            reset: parameters.reset_potential - parameters.leak_potential,
            refractory_period: parameters.refractory_period,
            initial: MembraneState {
                potential: parameters.initial_potential - parameters.leak_potential,
                currents: [parameters.initial_current, parameters.initial_inhibitory_current],
            },
        }
    }

    /// `dV/dt` of a state that is not held at reset.
    pub fn slope(&self, state: &MembraneState) -> f64 {
        let current = state.currents[0] + state.currents[1] + self.bias_current;
        current * self.inverse_capacitance - self.membrane_rate * state.potential
    }

    /// The state `elapsed` later, held at reset.
    pub fn hold(&self, state: &MembraneState, elapsed: f64) -> MembraneState {
        let decayed =
            |kind: usize| state.currents[kind] * (-self.synaptic_rates[kind] * elapsed).exp();
        MembraneState { potential: self.reset, currents: [decayed(0), decayed(1)] }
    }

    /// The state `elapsed` later.
    pub fn advance(&self, state: &MembraneState, elapsed: f64) -> MembraneState {
        let decay = (-self.membrane_rate * elapsed).exp();
        let drift = KernelByRates::new(self.membrane_rate, 0.0, elapsed);
        let mut potential =
            state.potential * decay + self.bias_current * drift.value * self.inverse_capacitance;
        for kind in 0..2 {
            let kernel = KernelByRates::new(self.membrane_rate, self.synaptic_rates[kind], elapsed);
            potential += state.currents[kind] * kernel.value * self.inverse_capacitance;
        }
        MembraneState { potential, ..self.hold(state, elapsed) }
    }

    /// Takes the adjoint state back by `elapsed`, during which the potential is held at reset, and adds
    /// the derivatives of that interval by the rates. `before` is the state at its start.
    ///
    /// `I' = I e^(−λ_s t)`, so `q = e^(−λ_s t) q'` and `∂I'/∂λ_s = −t I e^(−λ_s t)`.
    pub fn hold_adjoint(
        &self,
        before: &MembraneState,
        elapsed: f64,
        adjoint: &mut AdjointState,
        by: &mut RateGradients,
    ) {
        for kind in 0..2 {
            let rate = self.synaptic_rates[kind];
            adjoint.currents[kind] *= (-rate * elapsed).exp();
            adjoint.arrivals[kind] = rate * adjoint.currents[kind];
            by.synaptic[kind] -= elapsed * adjoint.currents[kind] * before.currents[kind];
        }
    }

    /// Takes the adjoint state back by `elapsed` without events, and adds the derivatives of that interval
    /// by the rates, the capacitance and the bias current. `before` is the state at its start.
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
    pub fn advance_adjoint(
        &self,
        before: &MembraneState,
        elapsed: f64,
        adjoint: &mut AdjointState,
        by: &mut RateGradients,
    ) {
        let later = adjoint.potential;
        let push = later * self.inverse_capacitance;
        let drift = KernelByRates::new(self.membrane_rate, 0.0, elapsed);
        // C times what the currents add to u'.
        let mut added = self.bias_current * drift.value;
        by.membrane += push * self.bias_current * drift.by_membrane_rate;
        by.bias_current += push * drift.value;
        for kind in 0..2 {
            let rate = self.synaptic_rates[kind];
            let decay = (-rate * elapsed).exp();
            let kernel = KernelByRates::new(self.membrane_rate, rate, elapsed);
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

    /// Takes the adjoint state back over the end of the refractory period: before it, the potential was
    /// held.
    pub fn release_adjoint(&self, adjoint: &mut AdjointState) {
        adjoint.potential = 0.0;
        for kind in 0..2 {
            adjoint.arrivals[kind] = self.synaptic_rates[kind] * adjoint.currents[kind];
        }
    }

    /// Takes the adjoint state back over a spike: that of the potential, which is zero after it, becomes
    /// `potential`.
    pub fn spike_adjoint(&self, adjoint: &mut AdjointState, potential: f64) {
        adjoint.potential = potential;
        for kind in 0..2 {
            let by_current = self.synaptic_rates[kind] * adjoint.currents[kind];
            adjoint.arrivals[kind] = by_current - potential * self.inverse_capacitance;
        }
    }
}

/// Derivatives of the loss by what a neuron's equations between events depend on.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct RateGradients {
    membrane: f64,
    synaptic: [f64; 2],
    capacitance: f64,
    bias_current: f64,
}

impl RateGradients {
    /// Adds them to those by time constants: `dλ/dτ = −λ²`, zero for the non-leaky neuron.
    pub fn add_to(&self, dynamics: &LinearDynamics, gradients: &mut NeuronGradients) {
        let [excitatory, inhibitory] = dynamics.synaptic_rates;
        gradients.tau_m -= self.membrane * dynamics.membrane_rate * dynamics.membrane_rate;
        gradients.tau_s -= self.synaptic[0] * excitatory * excitatory;
        gradients.tau_s_inhibitory -= self.synaptic[1] * inhibitory * inhibitory;
        gradients.capacitance += self.capacitance;
        gradients.bias_current += self.bias_current;
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Dynamics, State};
    use super::*;

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
            let dynamics = Dynamics::new(&parameters).expect("valid");
            let before = MembraneState { potential: -0.4, currents: [1.7, -0.8] };
            let mut state = State { potential: -0.4, current: 1.7, inhibitory_current: -0.8 };
            dynamics.advance(&mut state, 1.4);
            let after = LinearDynamics::new(&parameters).advance(&before, 1.4);
            // A handful of roundings of terms of order one.
            assert!((after.potential - state.potential).abs() < 4e-15, "tau_m {tau_m}");
            assert!((after.currents[0] - state.current).abs() < 4e-15);
            assert!((after.currents[1] - state.inhibitory_current).abs() < 4e-15);
        }
    }
}
