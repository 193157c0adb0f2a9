//! A neuron prepared for computing, its state, and the exact step from one event to the next.
//!
//! Potentials are counted from the leak potential here (`u = V − E_l`), so that a leak far from
//! zero costs no precision. With the rates `λ_m = 1/τ_m` (zero for the non-leaky neuron) and
//! `λ_s = 1/τ_s`, a state `(u, I)` evolves for a time `t` without events into
//!
//! ```text
//! u(t) = u e^(−λ_m t) + (I/C) K(t) + (I_b/C) (1 − e^(−λ_m t))/λ_m        I(t) = I e^(−λ_s t)
//! K(t) = (e^(−λ_m t) − e^(−λ_s t)) / (λ_s − λ_m)      (t e^(−λ t) for equal rates)
//! ```
//!
//! With a second synaptic time constant for inhibitory synapses there is a second current with its
//! own response of the same form; it adds to `u`.
//!
//! `K` is the response of the membrane to a unit jump of current. Near equal rates the difference
//! of exponentials cancels; [`Dynamics`] owns that singularity: it computes
//! `K = e^(−λ t) · (1 − e^(−d t))/d` with the slower rate `λ`, the distance `d` of the rates, and
//! `expm1` wherever `d t` is small. The same formula serves every ratio, `λ_m = 0` included.

use super::kernel::{decay_and_complement, general_decays_and_kernel};
use super::{NeuronParameters, ParameterError};

/// Membrane potential and synaptic currents of one neuron at one time.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct State {
    /// Membrane potential relative to the leak potential.
    pub potential: f64,
    /// Synaptic current: the sum of the weights that arrived, each decayed since. If inhibitory
    /// synapses have a time constant of their own, that of the excitatory ones only.
    pub current: f64,
    /// Synaptic current of inhibitory synapses if they have a time constant of their own, else zero.
    pub inhibitory_current: f64,
}

/// Which closed form the ratio of the time constants allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ratio {
    /// `τ_m = τ_s`: the crossing is a Lambert W function.
    Equal,
    /// `τ_m = 2 τ_s`: the crossing is the root of a quadratic.
    Double,
    /// `τ_m = ∞` without bias current: the crossing is a logarithm.
    NonLeaky,
    /// Anything else: a bracketed solve.
    General,
}

/// One neuron's parameters in the form that the computations use.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Dynamics {
    pub(super) ratio: Ratio,
    /// `λ_m`, per time unit.
    pub(super) membrane_rate: f64,
    /// `λ_s`, per time unit.
    pub(super) synaptic_rate: f64,
    /// `λ_s` of inhibitory synapses, per time unit.
    pub(super) inhibitory_rate: f64,
    /// Whether inhibitory synapses have a time constant of their own.
    split: bool,
    /// `1/C`.
    pub(super) inverse_capacitance: f64,
    /// `I_b/C`: potential per time unit that the bias current adds.
    pub(super) drift: f64,
    /// Where the potential goes without input, relative to the leak; infinite if it drifts away.
    pub(super) asymptote: f64,
    /// Threshold relative to the leak potential.
    pub(super) threshold: f64,
    /// Reset relative to the leak potential.
    reset: f64,
    refractory_period: f64,
    leak_potential: f64,
    initial_state: State,
    /// The largest value of `K(t)/C`, rounded up: what a unit of current can add at most.
    pub(super) largest_response: f64,
    /// The same for inhibitory synapses.
    pub(super) largest_inhibitory_response: f64,
}

/// What an interval without events does to a state. Neurons of equal parameters share it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Propagator {
    potential_decay: f64,
    current_decay: f64,
    /// `K(t)/C`.
    response: f64,
    inhibitory_decay: f64,
    inhibitory_response: f64,
    drift: f64,
}

impl Propagator {
    /// The state after the interval.
    #[inline]
    pub fn apply(&self, state: &mut State) {
        state.potential = state.potential * self.potential_decay
            + state.current * self.response
            + state.inhibitory_current * self.inhibitory_response
            + self.drift;
        state.current *= self.current_decay;
        state.inhibitory_current *= self.inhibitory_decay;
    }

    /// Potential and current after the interval, of a neuron without split currents.
    #[inline]
    pub(crate) fn apply_to_pair(&self, [potential, current]: [f64; 2]) -> [f64; 2] {
        [
            potential * self.potential_decay + current * self.response + self.drift,
            current * self.current_decay,
        ]
    }

    /// What an input of weight one at the start of the interval adds to potential and current at
    /// its end, for a neuron without split currents.
    #[inline]
    pub(crate) fn of_unit_input(&self) -> [f64; 2] {
        [self.response, self.current_decay]
    }
}

impl Dynamics {
    /// Prepares a neuron for computing.
    ///
    /// # Errors
    /// If a parameter is out of its range ([`NeuronParameters::validate`]).
    pub fn new(parameters: &NeuronParameters) -> Result<Self, ParameterError> {
        parameters.validate()?;
        let membrane_rate = 1.0 / parameters.tau_m;
        let synaptic_rate = 1.0 / parameters.tau_s;
        let drift = parameters.bias_current / parameters.capacitance;
        let asymptote = if parameters.tau_m.is_finite() {
            drift * parameters.tau_m
        } else if drift > 0.0 {
            f64::INFINITY
        } else {
            f64::NEG_INFINITY
        };
        let ratio = if parameters.tau_m == parameters.tau_s {
            Ratio::Equal
        } else if parameters.tau_m == 2.0 * parameters.tau_s {
            Ratio::Double
        } else if parameters.tau_m.is_infinite() && drift == 0.0 {
            Ratio::NonLeaky
        } else {
            Ratio::General
        };
        let split = parameters.tau_s_inhibitory != parameters.tau_s;
        let inhibitory_current = parameters.initial_inhibitory_current;
        let mut dynamics = Dynamics {
            ratio,
            membrane_rate,
            synaptic_rate,
            inhibitory_rate: 1.0 / parameters.tau_s_inhibitory,
            split,
            inverse_capacitance: 1.0 / parameters.capacitance,
            drift,
            asymptote,
            threshold: parameters.threshold - parameters.leak_potential,
            reset: parameters.reset_potential - parameters.leak_potential,
            refractory_period: parameters.refractory_period,
            leak_potential: parameters.leak_potential,
            initial_state: State {
                potential: parameters.initial_potential - parameters.leak_potential,
                current: parameters.initial_current + if split { 0.0 } else { inhibitory_current },
                inhibitory_current: if split { inhibitory_current } else { 0.0 },
            },
            largest_response: 0.0,
            largest_inhibitory_response: 0.0,
        };
        dynamics.largest_response = dynamics.peak_response(synaptic_rate);
        dynamics.largest_inhibitory_response = dynamics.peak_response(dynamics.inhibitory_rate);
        Ok(dynamics)
    }

    /// The peak of a lone postsynaptic potential of unit weight, rounded up.
    fn peak_response(&self, synaptic_rate: f64) -> f64 {
        // K' = 0 at t = ln(λ_s/λ_m)/(λ_s − λ_m), the peak of a lone postsynaptic potential.
        let excess = (synaptic_rate - self.membrane_rate) / self.membrane_rate;
        let peak = if excess == 0.0 {
            1.0 / synaptic_rate
        } else {
            excess.ln_1p() / (synaptic_rate - self.membrane_rate)
        };
        let largest = if peak.is_finite() {
            general_decays_and_kernel(self.membrane_rate, synaptic_rate, peak).2
        } else {
            1.0 / synaptic_rate
        };
        // Rounded up by far more than the few units in the last place it may be wrong by.
        largest * self.inverse_capacitance * (1.0 + 1e-12)
    }

    /// The neuron at time zero: at rest, unless its parameters say otherwise.
    pub fn initial_state(&self) -> State {
        self.initial_state
    }

    /// Resets the potential after a spike; the synaptic currents survive it.
    #[inline]
    pub fn reset(&self, state: &mut State) {
        state.potential = self.reset;
    }

    /// Whether inhibitory synapses have a time constant of their own.
    #[inline]
    pub fn has_split_currents(&self) -> bool {
        self.split
    }

    pub(crate) fn ratio(&self) -> Ratio {
        self.ratio
    }

    pub(crate) fn membrane_rate(&self) -> f64 {
        self.membrane_rate
    }

    pub(crate) fn synaptic_rate(&self) -> f64 {
        self.synaptic_rate
    }

    pub(crate) fn inverse_capacitance(&self) -> f64 {
        self.inverse_capacitance
    }

    pub(crate) fn largest_response(&self) -> f64 {
        self.largest_response
    }

    /// Threshold relative to the leak potential.
    pub(crate) fn threshold(&self) -> f64 {
        self.threshold
    }

    /// The same neuron with another threshold (relative to the leak potential).
    pub(crate) fn with_threshold(&self, threshold: f64) -> Self {
        Dynamics { threshold, ..*self }
    }

    /// Whether the neuron is silent and at rest until its inputs come, and stays so without them.
    pub(crate) fn starts_and_stays_at_rest(&self) -> bool {
        self.drift == 0.0 && self.initial_state == State::default() && self.threshold > 0.0
    }

    /// Synaptic time constant (of excitatory synapses if currents are split), in time units.
    pub fn tau_s(&self) -> f64 {
        1.0 / self.synaptic_rate
    }

    /// How long a spike holds the potential at reset, in time units.
    #[inline]
    pub fn refractory_period(&self) -> f64 {
        self.refractory_period
    }

    /// Membrane potential of a state in the units of the parameters.
    pub fn membrane_potential(&self, state: &State) -> f64 {
        self.leak_potential + state.potential
    }

    /// A spike of this weight arrives at an excitatory or inhibitory synapse.
    #[inline]
    pub fn receive_at(&self, state: &mut State, weight: f64, inhibitory: bool) {
        if self.split && inhibitory {
            state.inhibitory_current += weight;
        } else {
            state.current += weight;
        }
    }

    /// Moves a state forward by `elapsed` time units (not negative) without events.
    #[inline]
    pub fn advance(&self, state: &mut State, elapsed: f64) {
        self.propagator(elapsed).apply(state);
    }

    /// A spike of this weight arrives; the sign of the weight chooses the synaptic current.
    #[inline]
    pub fn receive(&self, state: &mut State, weight: f64) {
        self.receive_at(state, weight, weight < 0.0);
    }

    /// Lets the synaptic current decay for `elapsed` time units while the potential is held.
    #[inline]
    pub fn decay_current(&self, state: &mut State, elapsed: f64) {
        state.current *= (-self.synaptic_rate * elapsed).exp();
        if self.split {
            state.inhibitory_current *= (-self.inhibitory_rate * elapsed).exp();
        }
    }

    /// Membrane potential relative to the leak, `elapsed` time units after `state`.
    pub fn potential_after(&self, state: &State, elapsed: f64) -> f64 {
        let mut later = *state;
        self.advance(&mut later, elapsed);
        later.potential
    }

    /// `dV/dt`, `elapsed` time units after `state`.
    pub fn slope_after(&self, state: &State, elapsed: f64) -> f64 {
        let mut later = *state;
        self.advance(&mut later, elapsed);
        self.slope(&later)
    }

    /// `dV/dt` of a state.
    #[inline]
    pub fn slope(&self, state: &State) -> f64 {
        let current = state.current + state.inhibitory_current;
        self.drift - self.membrane_rate * state.potential + current * self.inverse_capacitance
    }

    /// What `elapsed` time units without events do to any state of this neuron.
    #[inline]
    pub fn propagator(&self, elapsed: f64) -> Propagator {
        let (potential_decay, current_decay, kernel) = self.decays_and_kernel(elapsed);
        let (inhibitory_decay, inhibitory_response) = if self.split {
            let (_, decay, kernel) =
                general_decays_and_kernel(self.membrane_rate, self.inhibitory_rate, elapsed);
            (decay, kernel * self.inverse_capacitance)
        } else {
            (0.0, 0.0)
        };
        Propagator {
            potential_decay,
            current_decay,
            response: kernel * self.inverse_capacitance,
            inhibitory_decay,
            inhibitory_response,
            drift: self.drift_after(elapsed, potential_decay),
        }
    }

    /// Response `K(t)/C` of the membrane to a unit of weight that arrived `elapsed` time units
    /// ago, and its derivative `K'(t)/C` by time.
    #[inline]
    pub fn response(&self, elapsed: f64) -> (f64, f64) {
        let (_, current_decay, kernel) = self.decays_and_kernel(elapsed);
        (
            kernel * self.inverse_capacitance,
            (current_decay - self.membrane_rate * kernel) * self.inverse_capacitance,
        )
    }

    /// As [`Self::response`], to an inhibitory synapse.
    #[inline]
    pub fn inhibitory_response(&self, elapsed: f64) -> (f64, f64) {
        if !self.split {
            return self.response(elapsed);
        }
        let (_, current_decay, kernel) =
            general_decays_and_kernel(self.membrane_rate, self.inhibitory_rate, elapsed);
        (
            kernel * self.inverse_capacitance,
            (current_decay - self.membrane_rate * kernel) * self.inverse_capacitance,
        )
    }

    /// As [`Self::response`], to an excitatory or inhibitory synapse.
    #[inline]
    pub fn response_at(&self, inhibitory: bool, elapsed: f64) -> (f64, f64) {
        if inhibitory { self.inhibitory_response(elapsed) } else { self.response(elapsed) }
    }

    /// The peak of the response to a unit of weight at an excitatory or inhibitory synapse; what it
    /// tends to if there is none.
    pub fn peak_response_at(&self, inhibitory: bool) -> f64 {
        if inhibitory { self.largest_inhibitory_response } else { self.largest_response }
    }

    /// `dV/dt` of a neuron that has received nothing since time zero, `elapsed` time units later:
    /// what its bias current and initial state cause.
    #[inline]
    pub fn undriven_slope(&self, elapsed: f64) -> f64 {
        if self.drift == 0.0 && self.initial_state == State::default() {
            return 0.0;
        }
        self.slope_after(&self.initial_state, elapsed)
    }

    /// `e^(−λ_m t)`, `e^(−λ_s t)` and `K(t)`, without cancellation.
    #[inline]
    fn decays_and_kernel(&self, elapsed: f64) -> (f64, f64, f64) {
        match self.ratio {
            Ratio::Equal => {
                let decay = (-self.membrane_rate * elapsed).exp();
                (decay, decay, elapsed * decay)
            }
            Ratio::Double => {
                // λ_s = 2 λ_m, so e^(−λ_s t) is a square and K = x (1 − x)/λ_m.
                let exponent = -self.membrane_rate * elapsed;
                let (decay, complement) = decay_and_complement(exponent);
                (decay, decay * decay, decay * complement / self.membrane_rate)
            }
            Ratio::NonLeaky | Ratio::General => {
                general_decays_and_kernel(self.membrane_rate, self.synaptic_rate, elapsed)
            }
        }
    }

    /// Potential that the bias current alone adds in `elapsed` time units.
    #[inline]
    fn drift_after(&self, elapsed: f64, potential_decay: f64) -> f64 {
        if self.drift == 0.0 {
            0.0
        } else if self.membrane_rate == 0.0 {
            self.drift * elapsed
        } else if potential_decay < 0.5 {
            self.asymptote * (1.0 - potential_decay)
        } else {
            -self.asymptote * (-self.membrane_rate * elapsed).exp_m1()
        }
    }
}

#[cfg(test)]
mod tests;
