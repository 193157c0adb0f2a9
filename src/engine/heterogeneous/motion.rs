//! The exact motion of a register of neurons between two events.
//!
//! With `z = (λ_m − λ_s) t` and the entire function `φ(z) = (e^z − 1)/z`,
//!
//! ```text
//! K(t) = e^(−λ_m t) t φ(z)        e^(−λ_s t) = e^(−λ_m t) (1 + z φ(z))
//! ```
//!
//! so that one exponential and, for each current, one short series give everything, without the
//! cancellation that `(e^(−λ_m t) − e^(−λ_s t))/(λ_s − λ_m)` suffers for rates that are nearly equal, as
//! those of a calibrated chip are. Where `|z|` is large nothing cancels, and the textbook form serves.
//! Most stretches are so short that the exponential is a short series, too.

use pulp::Simd;

use super::cells::{Cells, Known};
use super::neurons::Gap;
use crate::simd::{F64s, Mask, reciprocal_factorials};

/// Rate times duration up to which a stretch counts as short.
pub const SHORT: f64 = 1.0 / 8.0;

/// `|z|` up to which [`PHI_SHORT`] is exact to rounding: whatever a short stretch can have.
pub const NEAR: f64 = 2.0 * SHORT;

/// `|z|` up to which [`PHI`] is exact to rounding.
const MIDDLE: f64 = 0.5;

/// `φ(z)`: the next term is below 1e-17.
pub const PHI_SHORT: [f64; 12] = reciprocal_factorials(1);

/// `|z|` up to which [`PHI_WIDE`] is exact to rounding.
pub const WIDE: f64 = 2.0;

/// `φ(z)`: the next term is below 5e-17.
const PHI: [f64; 14] = reciprocal_factorials(1);

/// `φ(z)`: the next term is below 2e-18.
pub const PHI_WIDE: [f64; 24] = reciprocal_factorials(1);

/// Rate times duration up to which a stretch counts as tiny, and `|z|` up to which it does.
pub const TINY: f64 = 1.0 / 64.0;
pub const TINY_Z: f64 = 1.0 / 200.0;

/// `e^x` and `φ(z)`: the next terms are below 1e-19 and 5e-18 for a tiny stretch.
const EXPONENTIAL_TINY: [f64; 8] = reciprocal_factorials(0);
const PHI_TINY: [f64; 6] = reciprocal_factorials(1);

/// `|z|` up to which [`PHI_CLOSE`] is exact to rounding: the next term is below 1e-17.
pub const CLOSE_Z: f64 = 1.0 / 16.0;
const PHI_CLOSE: [f64; 9] = reciprocal_factorials(1);

/// `e^x`: the next term is below 3e-18 for a short stretch.
const EXPONENTIAL_SHORT: [f64; 11] = reciprocal_factorials(0);

/// A register of neurons' potentials and excitatory and inhibitory currents. Without split currents
/// the second is zero.
#[derive(Clone, Copy)]
pub struct Moment<S: Simd> {
    pub potential: F64s<S>,
    pub currents: [F64s<S>; 2],
}

impl<S: Simd> Moment<S> {
    #[inline(always)]
    pub fn at_rest(simd: S) -> Self {
        let zero = F64s::splat(simd, 0.0);
        Moment { potential: zero, currents: [zero; 2] }
    }

    /// Weights arrive.
    #[inline(always)]
    pub fn receive<const SPLIT: bool>(&mut self, simd: S, weights: F64s<S>) {
        if SPLIT {
            let zero = F64s::splat(simd, 0.0);
            let excitatory = weights.max_of_numbers(zero);
            self.currents[0] = self.currents[0] + excitatory;
            self.currents[1] = self.currents[1] + (weights - excitatory);
        } else {
            self.currents[0] = self.currents[0] + weights;
        }
    }

    /// The excitatory and the inhibitory part of the currents.
    #[inline(always)]
    pub fn push_and_pull<const SPLIT: bool>(&self, simd: S) -> [F64s<S>; 2] {
        if SPLIT {
            return self.currents;
        }
        let push = self.currents[0].max(F64s::splat(simd, 0.0));
        [push, self.currents[0] - push]
    }

    /// This where it holds, `other` elsewhere.
    #[inline(always)]
    pub fn or(self, holds: Mask<S>, other: Self) -> Self {
        Moment {
            potential: holds.select(self.potential, other.potential),
            currents: [
                holds.select(self.currents[0], other.currents[0]),
                holds.select(self.currents[1], other.currents[1]),
            ],
        }
    }
}

impl<S: Simd> Cells<'_, S> {
    /// The state after a stretch whose effect is known, and what the potential cannot exceed on it
    /// ([`Self::ceiling`]).
    #[inline(always)]
    pub fn after_known<const SPLIT: bool>(
        &self,
        state: &Moment<S>,
        gap: &Gap,
    ) -> (Moment<S>, F64s<S>) {
        let zero = F64s::splat(self.simd, 0.0);
        let known = Known::new(self.simd, gap, self.register);
        let next = known.after::<SPLIT>(state);
        let [push, pull] = state.push_and_pull::<SPLIT>(self.simd);
        let length = self.inverse_capacitance() * F64s::splat(self.simd, gap.length);
        let depth = (zero - state.potential).max(zero) - pull * length;
        let higher = state.potential.max(next.potential);
        let ceiling = push.multiply_add(known.bend(0), higher);
        (next, depth.multiply_add(known.bend(1), ceiling))
    }

    /// The state after a stretch whose effect is not known in advance, and which neurons may cross the
    /// threshold on it.
    #[inline(always)]
    pub fn after_unknown<const SPLIT: bool>(
        &self,
        state: &Moment<S>,
        gap: f64,
        threshold: F64s<S>,
    ) -> (Moment<S>, Mask<S>) {
        let time = F64s::splat(self.simd, gap);
        if gap <= self.limits.short {
            let next = self.after_short_gap::<SPLIT>(state, gap);
            let ceiling = self.ceiling::<SPLIT>(state, next.potential, time);
            return (next, ceiling.at_least(threshold));
        }
        let next = self.after_long_gap::<SPLIT>(state, gap);
        (next, self.may_cross::<SPLIT>([state, &next], time, threshold))
    }

    /// The state after a time that is the same for all, and long.
    #[inline(always)]
    pub fn after_long_gap<const SPLIT: bool>(&self, state: &Moment<S>, gap: f64) -> Moment<S> {
        let time = F64s::splat(self.simd, gap);
        if gap > self.limits.close {
            return self.after::<SPLIT>(state, time);
        }
        let decay = (-(self.membrane() * time)).exp_of_negative();
        self.after_decay::<SPLIT, _>(state, time, decay, &PHI_CLOSE)
    }

    /// The state after a time that is the same for all, and short.
    #[inline(always)]
    pub fn after_short_gap<const SPLIT: bool>(&self, state: &Moment<S>, gap: f64) -> Moment<S> {
        let time = F64s::splat(self.simd, gap);
        if gap <= self.limits.tiny {
            self.after_series::<SPLIT, _, _>(state, time, &EXPONENTIAL_TINY, &PHI_TINY)
        } else if gap <= self.limits.close {
            self.after_series::<SPLIT, _, _>(state, time, &EXPONENTIAL_SHORT, &PHI_CLOSE)
        } else {
            self.after_series::<SPLIT, _, _>(state, time, &EXPONENTIAL_SHORT, &PHI_SHORT)
        }
    }

    /// The state after a time for which these series are exact to rounding.
    #[inline(always)]
    fn after_series<const SPLIT: bool, const N: usize, const M: usize>(
        &self,
        state: &Moment<S>,
        time: F64s<S>,
        exponential: &[f64; N],
        phi: &[f64; M],
    ) -> Moment<S> {
        let decay = (-(self.membrane() * time)).polynomial(exponential);
        self.after_decay::<SPLIT, _>(state, time, decay, phi)
    }

    /// The state after a time in which the membrane decays by a factor, and for which the series of `φ` is
    /// exact to rounding.
    #[inline(always)]
    fn after_decay<const SPLIT: bool, const M: usize>(
        &self,
        state: &Moment<S>,
        time: F64s<S>,
        decay: F64s<S>,
        phi: &[f64; M],
    ) -> Moment<S> {
        let push = decay * time * self.inverse_capacitance();
        let mut next = Moment { potential: state.potential * decay, currents: state.currents };
        for index in 0..if SPLIT { 2 } else { 1 } {
            let z = self.distance(index) * time;
            let phi = z.polynomial(phi);
            let current = state.currents[index];
            next.potential = (current * push).multiply_add(phi, next.potential);
            next.currents[index] = current * decay * z.multiply_add(phi, self.one());
        }
        next
    }

    /// The state after a time, which each lane has for itself.
    #[inline(always)]
    pub fn after<const SPLIT: bool>(&self, state: &Moment<S>, time: F64s<S>) -> Moment<S> {
        let decay = (-(self.membrane() * time)).exp_of_negative();
        let mut next = Moment { potential: state.potential * decay, currents: state.currents };
        for index in 0..if SPLIT { 2 } else { 1 } {
            let [left, response] = self.factors(index, time, decay);
            let current = state.currents[index];
            next.potential = current.multiply_add(response, next.potential);
            next.currents[index] = current * left;
        }
        next
    }

    /// `e^(−λ_s t)` and `K(t)/C` for one of the currents, from `e^(−λ_m t)`.
    #[inline(always)]
    fn factors(&self, current: usize, time: F64s<S>, decay: F64s<S>) -> [F64s<S>; 2] {
        let all = |value| F64s::splat(self.simd, value);
        let distance = self.distance(current);
        let z = distance * time;
        let size = z.max_of_numbers(-z);
        let phi = if !size.above(all(NEAR)).any() {
            z.polynomial(&PHI_SHORT)
        } else if !size.above(all(MIDDLE)).any() {
            z.polynomial(&PHI)
        } else {
            z.polynomial(&PHI_WIDE)
        };
        let left = decay * z.multiply_add(phi, self.one());
        let response = decay * time * phi * self.inverse_capacitance();
        let far = size.above(all(WIDE));
        if !far.any() {
            return [left, response];
        }
        let far_left = (-(self.synaptic(current) * time)).exp_of_negative();
        let far_response = (far_left - decay) * self.inverse_capacitance() / distance;
        [far.select(far_left, left), far.select(far_response, response)]
    }

    #[inline(always)]
    fn one(&self) -> F64s<S> {
        F64s::splat(self.simd, 1.0)
    }

    /// The potential a time after it was reset, from the currents at the end of that time; none if the
    /// series does not reach so far. Looking back, `I` of the end was `I e^(λ_s t)`, and its response is
    ///
    /// ```text
    /// I e^(λ_s t) K(t)/C = I t e^(−z) φ(z)/C = I t φ(−z)/C
    /// ```
    #[inline(always)]
    pub fn since_reset<const SPLIT: bool>(
        &self,
        end: &Moment<S>,
        time: F64s<S>,
    ) -> Option<F64s<S>> {
        let decay = (-(self.membrane() * time)).exp_of_negative();
        let mut response = F64s::splat(self.simd, 0.0);
        for index in 0..if SPLIT { 2 } else { 1 } {
            let z = -(self.distance(index) * time);
            if z.max_of_numbers(-z).above(F64s::splat(self.simd, WIDE)).any() {
                return None;
            }
            response = end.currents[index].multiply_add(z.polynomial(&PHI_WIDE), response);
        }
        let response = response * time * self.inverse_capacitance();
        Some(self.reset().multiply_add(decay, response))
    }

    /// Whether the excitatory currents do not reach the rheobase a time later: then the potential only
    /// approaches the threshold from there on, because `V̇ ≤ λ_m (ϑ − V)`. The bound is
    /// `e^(−x) ≤ 1/(1 + x + x²/2)`.
    #[inline(always)]
    pub fn fades<const SPLIT: bool>(&self, state: &Moment<S>, time: F64s<S>) -> Mask<S> {
        let [push, _] = state.push_and_pull::<SPLIT>(self.simd);
        let (one, half) = (self.one(), F64s::splat(self.simd, 0.5));
        let x = self.synaptic(0) * time;
        let growth = (x * x).multiply_add(half, one + x);
        (self.rheobase() * growth).at_least(push)
    }

    /// The currents after a time during which the potential is held.
    #[inline(always)]
    pub fn hold<const SPLIT: bool>(&self, state: &mut Moment<S>, time: F64s<S>) {
        for index in 0..if SPLIT { 2 } else { 1 } {
            let left = (-(self.synaptic(index) * time)).exp_of_negative();
            state.currents[index] = state.currents[index] * left;
        }
    }

    /// `dV/dt`
    #[inline(always)]
    pub fn slope<const SPLIT: bool>(&self, state: &Moment<S>) -> F64s<S> {
        let current = if SPLIT { state.currents[0] + state.currents[1] } else { state.currents[0] };
        current * self.inverse_capacitance() - self.membrane() * state.potential
    }

    /// How strongly the potential can bend downwards on a stretch: `B` with `V̈ ≥ −B`.
    ///
    /// `−V̈ = ((λ_m + λ_e) E + (λ_m + λ_i) J)/C − λ_m² V`, where `J ≤ 0` only lowers it, the excitatory
    /// current `E` only decays, and `V` does not fall further below zero than it is, or than the
    /// inhibition pulls it within the stretch.
    #[inline(always)]
    pub fn bend<const SPLIT: bool>(&self, start: &Moment<S>, time: F64s<S>) -> F64s<S> {
        let zero = F64s::splat(self.simd, 0.0);
        let [push, pull] = start.push_and_pull::<SPLIT>(self.simd);
        let depth = (-start.potential).max(zero) - pull * self.inverse_capacitance() * time;
        (self.membrane() + self.synaptic(0)) * self.inverse_capacitance() * push
            + self.membrane() * self.membrane() * depth
    }

    /// A height that the potential cannot exceed on a stretch, from its values at both ends: a function
    /// with `V̈ ≥ −B` stays below the higher end by at most `B Δ²/8`.
    #[inline(always)]
    pub fn ceiling<const SPLIT: bool>(
        &self,
        start: &Moment<S>,
        end: F64s<S>,
        time: F64s<S>,
    ) -> F64s<S> {
        let eighth = F64s::splat(self.simd, 0.125);
        let bend = self.bend::<SPLIT>(start, time);
        (bend * time * time).multiply_add(eighth, start.potential.max(end))
    }
}
