//! The exact propagation of a register of neurons between two events.
//!
//! With `z = (λ_m − λ_s) t` and the entire function `φ(z) = (e^z − 1)/z`,
//!
//! ```text
//! K(t) = e^(−λ_m t) t φ(z)        e^(−λ_s t) = e^(−λ_m t) (1 + z φ(z))
//! ```
//!
//! One exponential and a short series per current give everything. Nothing cancels, not even for nearly
//! equal rates, as those of a calibrated chip are; `(e^(−λ_m t) − e^(−λ_s t))/(λ_s − λ_m)` would. Where
//! `|z|` is large, nothing cancels there either, and this textbook form serves. Most intervals are so
//! short that the exponential is a short series, too. [`PARAMS`] says which series serves up to where.
//!
//! `SPLIT` says whether excitatory and inhibitory currents decay differently. If not, the first current
//! is the sum of both and the second is zero.

use pulp::Simd;

use super::lanes::NeuronLanes;
use super::params::PARAMS;
use super::propagator::{IntervalPropagator, PropagatorLanes};
use crate::simd::{F64s, Mask, reciprocal_factorials};

/// `e^x` of a tiny and of a short interval.
const EXP_TINY: [f64; 8] = reciprocal_factorials(0);
const EXP_SHORT: [f64; 11] = reciprocal_factorials(0);

/// `φ(z)`, from the narrowest range of `|z|` to the widest.
const PHI_TINY: [f64; 6] = reciprocal_factorials(1);
const PHI_CLOSE: [f64; 9] = reciprocal_factorials(1);
pub(super) const PHI_NEAR: [f64; 12] = reciprocal_factorials(1);
const PHI_MIDDLE: [f64; 14] = reciprocal_factorials(1);
pub(super) const PHI_WIDE: [f64; 24] = reciprocal_factorials(1);

/// Potentials, and excitatory and inhibitory currents, of a register of neurons.
#[derive(Clone, Copy)]
pub struct MembraneState<S: Simd> {
    pub potential: F64s<S>,
    pub currents: [F64s<S>; 2],
}

impl<S: Simd> MembraneState<S> {
    #[inline(always)]
    pub fn at_rest(simd: S) -> Self {
        let zero = F64s::splat(simd, 0.0);
        MembraneState { potential: zero, currents: [zero; 2] }
    }

    /// A spike arrives at synapses of these weights.
    #[inline(always)]
    pub fn add_input<const SPLIT: bool>(&mut self, simd: S, weights: F64s<S>) {
        if SPLIT {
            let zero = F64s::splat(simd, 0.0);
            let excitatory = weights.max_of_numbers(zero);
            self.currents[0] = self.currents[0] + excitatory;
            self.currents[1] = self.currents[1] + (weights - excitatory);
        } else {
            self.currents[0] = self.currents[0] + weights;
        }
    }

    /// The positive and the negative part of the currents.
    #[inline(always)]
    pub fn excitation_and_inhibition<const SPLIT: bool>(&self, simd: S) -> [F64s<S>; 2] {
        if SPLIT {
            return self.currents;
        }
        let excitation = self.currents[0].max(F64s::splat(simd, 0.0));
        [excitation, self.currents[0] - excitation]
    }

    /// The sum of both currents.
    #[inline(always)]
    pub(super) fn current<const SPLIT: bool>(&self) -> F64s<S> {
        if SPLIT { self.currents[0] + self.currents[1] } else { self.currents[0] }
    }

    /// This state where the mask holds, `other` elsewhere.
    #[inline(always)]
    pub fn or(self, holds: Mask<S>, other: Self) -> Self {
        MembraneState {
            potential: holds.select(self.potential, other.potential),
            currents: [
                holds.select(self.currents[0], other.currents[0]),
                holds.select(self.currents[1], other.currents[1]),
            ],
        }
    }
}

impl<S: Simd> NeuronLanes<'_, S> {
    #[inline(always)]
    pub(super) fn splat(&self, value: f64) -> F64s<S> {
        F64s::splat(self.simd, value)
    }

    /// The state after a prepared interval, and the bound of the potential on it
    /// ([`Self::potential_bound`]).
    #[inline(always)]
    pub fn propagate_prepared<const SPLIT: bool>(
        &self,
        state: &MembraneState<S>,
        propagator: &IntervalPropagator,
    ) -> (MembraneState<S>, F64s<S>) {
        let zero = self.splat(0.0);
        let lanes = PropagatorLanes::new(self.simd, propagator, self.register);
        let next = lanes.propagate::<SPLIT>(state);
        let [excitation, inhibition] = state.excitation_and_inhibition::<SPLIT>(self.simd);
        let length = self.inverse_capacitance() * self.splat(propagator.length);
        let depth = (zero - state.potential).max(zero) - inhibition * length;
        let higher = state.potential.max(next.potential);
        let [of_excitation, of_depth] = lanes.bound_coefficients();
        let bound = excitation.multiply_add(of_excitation, higher);
        (next, depth.multiply_add(of_depth, bound))
    }

    /// The state after an interval of any length, the same for all lanes, and which neurons may cross the
    /// threshold on it.
    #[inline(always)]
    pub fn propagate<const SPLIT: bool>(
        &self,
        state: &MembraneState<S>,
        length: f64,
        threshold: F64s<S>,
    ) -> (MembraneState<S>, Mask<S>) {
        let time = self.splat(length);
        if length <= self.limits.short {
            let next = self.after_short::<SPLIT>(state, length);
            let bound = self.potential_bound::<SPLIT>(state, next.potential, time);
            return (next, bound.at_least(threshold));
        }
        let next = self.after_long::<SPLIT>(state, length);
        (next, self.may_cross::<SPLIT>([state, &next], time, threshold))
    }

    /// The state after a long interval.
    #[inline(always)]
    pub(super) fn after_long<const SPLIT: bool>(
        &self,
        state: &MembraneState<S>,
        length: f64,
    ) -> MembraneState<S> {
        let time = self.splat(length);
        if length > self.limits.close {
            return self.after::<SPLIT>(state, time);
        }
        let decay = (-(self.membrane_rate() * time)).exp_of_negative();
        self.after_decay::<SPLIT, _>(state, time, decay, &PHI_CLOSE)
    }

    /// The state after a short interval.
    #[inline(always)]
    pub(super) fn after_short<const SPLIT: bool>(
        &self,
        state: &MembraneState<S>,
        length: f64,
    ) -> MembraneState<S> {
        let time = self.splat(length);
        if length <= self.limits.tiny {
            self.after_series::<SPLIT, _, _>(state, time, &EXP_TINY, &PHI_TINY)
        } else if length <= self.limits.close {
            self.after_series::<SPLIT, _, _>(state, time, &EXP_SHORT, &PHI_CLOSE)
        } else {
            self.after_series::<SPLIT, _, _>(state, time, &EXP_SHORT, &PHI_NEAR)
        }
    }

    /// The state after a time that both series serve.
    #[inline(always)]
    fn after_series<const SPLIT: bool, const N: usize, const M: usize>(
        &self,
        state: &MembraneState<S>,
        time: F64s<S>,
        exponential: &[f64; N],
        phi: &[f64; M],
    ) -> MembraneState<S> {
        let decay = (-(self.membrane_rate() * time)).polynomial(exponential);
        self.after_decay::<SPLIT, _>(state, time, decay, phi)
    }

    /// The state after a time that the series of `φ` serves, from `e^(−λ_m t)`.
    #[inline(always)]
    fn after_decay<const SPLIT: bool, const M: usize>(
        &self,
        state: &MembraneState<S>,
        time: F64s<S>,
        decay: F64s<S>,
        phi: &[f64; M],
    ) -> MembraneState<S> {
        let response = decay * time * self.inverse_capacitance();
        let mut next =
            MembraneState { potential: state.potential * decay, currents: state.currents };
        for index in 0..if SPLIT { 2 } else { 1 } {
            let z = self.rate_difference(index) * time;
            let phi = z.polynomial(phi);
            let current = state.currents[index];
            next.potential = (current * response).multiply_add(phi, next.potential);
            next.currents[index] = current * decay * z.multiply_add(phi, self.splat(1.0));
        }
        next
    }

    /// The state after a time of each lane's own.
    #[inline(always)]
    pub fn after<const SPLIT: bool>(
        &self,
        state: &MembraneState<S>,
        time: F64s<S>,
    ) -> MembraneState<S> {
        let decay = (-(self.membrane_rate() * time)).exp_of_negative();
        let mut next =
            MembraneState { potential: state.potential * decay, currents: state.currents };
        for index in 0..if SPLIT { 2 } else { 1 } {
            let [current_decay, response] = self.decay_and_response(index, time, decay);
            let current = state.currents[index];
            next.potential = current.multiply_add(response, next.potential);
            next.currents[index] = current * current_decay;
        }
        next
    }

    /// `e^(−λ_s t)` and `K(t)/C` for one of the currents, from `e^(−λ_m t)`.
    #[inline(always)]
    fn decay_and_response(
        &self,
        current: usize,
        time: F64s<S>,
        membrane_decay: F64s<S>,
    ) -> [F64s<S>; 2] {
        let difference = self.rate_difference(current);
        let z = difference * time;
        let size = z.max_of_numbers(-z);
        let phi = if !size.above(self.splat(PARAMS.near_z)).any() {
            z.polynomial(&PHI_NEAR)
        } else if !size.above(self.splat(PARAMS.middle_z)).any() {
            z.polynomial(&PHI_MIDDLE)
        } else {
            z.polynomial(&PHI_WIDE)
        };
        let decay = membrane_decay * z.multiply_add(phi, self.splat(1.0));
        let response = membrane_decay * time * phi * self.inverse_capacitance();
        let is_far = size.above(self.splat(PARAMS.wide_z));
        if !is_far.any() {
            return [decay, response];
        }
        let far_decay = (-(self.synaptic_rate(current) * time)).exp_of_negative();
        let far_response = (far_decay - membrane_decay) * self.inverse_capacitance() / difference;
        [is_far.select(far_decay, decay), is_far.select(far_response, response)]
    }

    /// The potential a time after a reset, from the currents at the end of that time. None if the series
    /// does not reach so far. A current `I` of the end was `I e^(λ_s t)` at the reset, and its response is
    ///
    /// ```text
    /// I e^(λ_s t) K(t)/C = I t e^(−z) φ(z)/C = I t φ(−z)/C
    /// ```
    #[inline(always)]
    pub fn potential_after_reset<const SPLIT: bool>(
        &self,
        end: &MembraneState<S>,
        time: F64s<S>,
    ) -> Option<F64s<S>> {
        let decay = (-(self.membrane_rate() * time)).exp_of_negative();
        let mut response = self.splat(0.0);
        for index in 0..if SPLIT { 2 } else { 1 } {
            let z = -(self.rate_difference(index) * time);
            if z.max_of_numbers(-z).above(self.splat(PARAMS.wide_z)).any() {
                return None;
            }
            response = end.currents[index].multiply_add(z.polynomial(&PHI_WIDE), response);
        }
        let response = response * time * self.inverse_capacitance();
        Some(self.reset().multiply_add(decay, response))
    }

    /// The currents after a time, while the potential is held at the reset.
    #[inline(always)]
    pub fn decay_currents<const SPLIT: bool>(&self, state: &mut MembraneState<S>, time: F64s<S>) {
        for index in 0..if SPLIT { 2 } else { 1 } {
            let decay = (-(self.synaptic_rate(index) * time)).exp_of_negative();
            state.currents[index] = state.currents[index] * decay;
        }
    }

    /// `dV/dt`
    #[inline(always)]
    pub(super) fn slope<const SPLIT: bool>(&self, state: &MembraneState<S>) -> F64s<S> {
        state.current::<SPLIT>() * self.inverse_capacitance()
            - self.membrane_rate() * state.potential
    }
}
