//! What the two ends of a stretch without events say about crossings between them, however long it is.
//!
//! Multiplied by `e^(λ_m t)` the potential does not leak any more, and where time constants are nearly
//! equal it becomes nearly a straight line, while the threshold becomes a convex curve. The distance of
//! the two is `G = (ϑ − V) e^(λ_m t)`. From `V̇ = (E + J)/C − λ_m V`, with the excitatory current `E ≥ 0`,
//! the inhibitory current `J ≤ 0`, and the rheobase `R = C λ_m ϑ`, the current that holds the potential
//! at the threshold,
//!
//! ```text
//! Ġ = e^(λ_m t) (R − E − J)/C        G̈ = e^(λ_m t) (λ_m R − c)/C
//! c = (λ_m − λ_e) E + (λ_m − λ_i) J  ≤  (λ_m − λ_e)⁺ E + (λ_i − λ_m)⁺ |J|
//! ```
//!
//! The bound of `c` only decays. If it is below `λ_m R` at the start of a stretch, `G` is convex on all of
//! it, and lies above its tangents: Newton's iteration from the left never steps over the first zero; with
//! a current below the rheobase there is none ahead; and there is none between two ends with `G > 0` if
//! the tangents there meet above zero. With `s = E + J − R` and `g = ϑ − V`, those from the start and from
//! the end of a stretch of length `T` are zero at `C g₀/s₀` and at `T − C g₁/|s₁|`, so that this is
//!
//! ```text
//! T s₀ |s₁|/C  <  g₁ s₀ + g₀ |s₁|
//! ```

use pulp::Simd;

use super::motion::{Moment, Rates};
use crate::engine::feed_forward::elementary::{Doubles, Truths};

impl<S: Simd> Rates<S> {
    /// By how much the current is above the rheobase: the sign and, times `e^(λ_m t)/C`, the size of `−Ġ`.
    #[inline(always)]
    pub fn surplus<const SPLIT: bool>(&self, state: &Moment<S>) -> Doubles<S> {
        let current = if SPLIT { state.currents[0] + state.currents[1] } else { state.currents[0] };
        current - self.rheobase
    }

    /// Whether the distance to the threshold is convex from now on, without further input.
    #[inline(always)]
    pub fn is_convex<const SPLIT: bool>(&self, state: &Moment<S>) -> Truths<S> {
        let [push, pull] = state.push_and_pull::<SPLIT>(self.simd);
        let [by_push, by_pull] = self.against_convexity;
        let bound = push * by_push - pull * by_pull;
        self.membrane_rheobase.at_least(bound)
    }

    /// Which neurons may cross the threshold between two states that a time without events lies between:
    /// certainly, those whose potential has reached it at the end.
    #[inline(always)]
    pub fn may_cross<const SPLIT: bool>(
        &self,
        [start, end]: [&Moment<S>; 2],
        time: Doubles<S>,
        threshold: Doubles<S>,
    ) -> Truths<S> {
        let zero = Doubles::splat(self.simd, 0.0);
        let (before, after) = (threshold - start.potential, threshold - end.potential);
        let (rising, falling) = (self.surplus::<SPLIT>(start), -self.surplus::<SPLIT>(end));
        let tangents = time * self.inverse_capacitance * rising * falling;
        let meet_above =
            (after * rising + before * falling).above(tangents).or(zero.at_least(falling));
        let stays_below = zero.at_least(rising).or(meet_above);
        let is_clear = before.above(zero).and(after.above(zero)).and(stays_below);
        let everywhere = zero.at_least(zero);
        everywhere.and_not(is_clear.and(self.is_convex::<SPLIT>(start)))
    }
}
