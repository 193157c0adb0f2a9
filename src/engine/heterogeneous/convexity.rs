//! What the two ends of a stretch without events say about crossings between them, however long it is.
//!
//! Multiplied by `e^(λ_m t)` the potential does not leak any more, and where time constants are nearly
//! equal it becomes nearly a straight line, while the threshold becomes a convex curve. The distance of
//! the two is `G = (ϑ − V) e^(λ_m t)`. From `V̇ = (E + J)/C − λ_m V`, with the excitatory current `E ≥ 0`,
//! the inhibitory current `J ≤ 0`, and the rheobase `R = C λ_m ϑ`, the current that holds the potential
//! at the threshold,
//!
//! ```text
//! Ġ = e^(λ_m t) (R − E − J)/C        G̈ = e^(λ_m t) (λ_m R − (λ_m − λ_e) E − (λ_m − λ_i) J)/C
//! ```
//!
//! and so on with higher powers of the rates. The second to the sixth derivative are not negative, now
//! and for as long as nothing arrives, if
//!
//! ```text
//! a_e E + a_i |J| ≤ λ_m R
//! a_e = max{d, d²/λ_m, d⁴/λ_m³}  with d = λ_m − λ_e        a_i = f max{1, f²/λ_m², f⁴/λ_m⁴}  with f = (λ_i − λ_m)⁺
//! ```
//!
//! because the left side only decays, and `(λ_m − λ_e)^n E ≤ λ_m^(n−1) a_e E` for `n` from 1 to 5 wherever
//! the power is positive, and so for `|J|` with `−(λ_m − λ_i)^n`. Then `G` is *convex* (and its slope, too):
//!
//! * it lies above its tangents: there is no zero between two ends with `G > 0` if the tangents there meet
//!   above zero. With `s = E + J − R` and `g = ϑ − V`, those from the start and from the end of a stretch
//!   of length `T` are zero at `C g₀/s₀` and at `T − C g₁/|s₁|`, so that this is
//!   `T s₀ |s₁|/C < g₁ s₀ + g₀ |s₁|`;
//! * with a current below the rheobase there is no zero ahead;
//! * it lies above its Taylor polynomials of second to fifth degree, whose first zero is never behind
//!   that of `G`, and approaches it quickly ([`Cells::first_step`], [`Cells::step`]).

use pulp::Simd;

use super::cells::Cells;
use super::motion::Moment;
use crate::simd::{F64s, Mask};

/// Below any slope or current that there can be but by rounding.
const TINY: f64 = 1e-60;

impl<S: Simd> Cells<'_, S> {
    /// By how much the current is above the rheobase: the sign and, times `e^(λ_m t)/C`, the size of `−Ġ`.
    #[inline(always)]
    pub fn surplus<const SPLIT: bool>(&self, state: &Moment<S>) -> F64s<S> {
        let current = if SPLIT { state.currents[0] + state.currents[1] } else { state.currents[0] };
        current - self.rheobase()
    }

    /// Whether the distance to the threshold is convex from now on, without further input.
    #[inline(always)]
    pub fn is_convex<const SPLIT: bool>(&self, state: &Moment<S>) -> Mask<S> {
        let [push, pull] = state.push_and_pull::<SPLIT>(self.simd);
        let [by_push, by_pull] = [self.against_convexity(0), self.against_convexity(1)];
        self.membrane_rheobase().at_least(push * by_push - pull * by_pull)
    }

    /// A step towards the first zero of a convex distance `g > 0` that is never longer than the way to it;
    /// whether there may be a zero ahead; and whether the step ends at the zero to rounding.
    ///
    /// The Taylor polynomial is `g − s τ + κ τ²/2 + k τ³`, divided by `e^(λ_m t)`, with `κ, k ≥ 0`; without the
    /// cubic term it has a zero if `s² ≥ 2 κ g`, and if it has none, neither has `G`. With Newton's step
    /// `u = g/s`, `w = κ u/s` and `v = k u²/s`, the zero is the series
    ///
    /// ```text
    /// τ = u (1 + w/2 + (w²/2 + v) + (5 w³/8 + 5 w v/2) + …)
    /// ```
    ///
    /// of positive terms, of which the first three are taken. With `x = λ_m u` and `s = ρ λ_m ϑ`, what is left
    /// out, the fourth derivative included, is below 1e-16 for `x`, `x/ρ` and `w` below 1e-4.
    #[inline(always)]
    pub fn step<const SPLIT: bool>(
        &self,
        state: &Moment<S>,
        distance: F64s<S>,
    ) -> (F64s<S>, Mask<S>, Mask<S>) {
        let all = |value| F64s::splat(self.simd, value);
        let (zero, half, one) = (all(0.0), all(0.5), all(1.0));
        let surplus = self.surplus::<SPLIT>(state) * self.inverse_capacitance();
        // In turn what G̈ and the third derivative have of the currents.
        let mut by_currents = [state.currents[0] * self.distance(0), zero];
        by_currents[1] = by_currents[0] * self.distance(0);
        if SPLIT {
            let inhibitory = state.currents[1] * self.distance(1);
            by_currents[0] = by_currents[0] + inhibitory;
            by_currents[1] = inhibitory.multiply_add(self.distance(1), by_currents[1]);
        }
        let inverse = one / surplus.max_of_numbers(all(TINY));
        let unit = self.inverse_capacitance() * inverse;
        let newton = distance * inverse;
        let bend = (self.membrane_rheobase() - by_currents[0]) * unit * newton;
        let third = self.membrane() * self.membrane_rheobase() - by_currents[1];
        let third = third * unit * all(1.0 / 6.0) * (newton * newton);
        let series = (bend * half).multiply_add(bend + one, one) + third;
        let step = newton * series;
        let ahead = surplus.above(zero).and(half.at_least(bend)).or(zero.at_least(distance));
        let close = all(1e-4);
        let bent = self.membrane_rheobase() * unit;
        let is_last = close.at_least(self.membrane() * step).and(close.at_least(bent * step));
        let is_last = is_last.and(close.at_least(bend));
        (step, ahead, is_last)
    }

    /// The first step of a search, which is long, so that higher derivatives pay; and whether there may be a
    /// zero ahead. It is never behind the zero either.
    ///
    /// At the zero `τ₀` of the Taylor polynomial of second degree, that of fifth degree,
    /// `g − s τ + κ τ²/2 + k₃ τ³ + k₄ τ⁴ + k₅ τ⁵`, is what its higher terms are there: `p`, with the slope
    /// `−r = −q + 3 k₃ τ₀² + …` and the second derivative `b`. It is convex, too, and its zero is at
    /// `δ = p/r + b δ²/(2 r)` from there, more than `p/r + b (p/r)²/(2 r)`. With `x = λ_m τ` there remain
    /// about `x⁶/(720 ρ)` and `x⁹/(432 ρ⁵)`.
    #[inline(always)]
    pub fn first_step<const SPLIT: bool>(
        &self,
        state: &Moment<S>,
        distance: F64s<S>,
    ) -> (F64s<S>, Mask<S>) {
        let all = |value| F64s::splat(self.simd, value);
        let (zero, tiny) = (all(0.0), all(TINY));
        let (membrane, unit) = (self.membrane(), self.inverse_capacitance());
        // What derivatives of one order after the other have of the rheobase and of the currents.
        let mut rheobase = self.rheobase() * unit;
        let [mut excitatory, mut inhibitory] = state.currents.map(|current| current * unit);
        macro_rules! next {
            () => {{
                rheobase = rheobase * membrane;
                excitatory = excitatory * self.distance(0);
                if SPLIT {
                    inhibitory = inhibitory * self.distance(1);
                    rheobase - (excitatory + inhibitory)
                } else {
                    rheobase - excitatory
                }
            }};
        }
        let surplus = self.surplus::<SPLIT>(state) * unit;
        let bend_at_start = next!();
        let third = next!() * all(1.0 / 6.0);
        let fourth = next!() * all(1.0 / 24.0);
        let fifth = next!() * all(1.0 / 120.0);
        let square = surplus * surplus - all(2.0) * bend_at_start * distance;
        let slope = square.max_of_numbers(zero).sqrt();
        let step = (distance + distance) / (surplus + slope).max_of_numbers(tiny);
        let ahead = surplus.above(zero).and(square.at_least(zero)).or(zero.at_least(distance));
        let area = step * step;
        let value = fifth.multiply_add(step, fourth).multiply_add(step, third) * (area * step);
        let rise = (all(5.0) * fifth).multiply_add(step, all(4.0) * fourth);
        let slope = slope - rise.multiply_add(step, all(3.0) * third) * area;
        let bend = (all(12.0) * fourth).multiply_add(step, all(6.0) * third);
        let bend = bend.multiply_add(step, bend_at_start);
        let falls = slope.above(tiny);
        let inverse = all(1.0) / falls.select(slope, all(1.0));
        let more = value * inverse;
        let more = (more * more * inverse * all(0.5)).multiply_add(bend, more);
        (falls.select(step + more, step), ahead)
    }

    /// Which neurons may cross the threshold between two states that a time without events lies between:
    /// certainly, those whose potential has reached it at the end.
    #[inline(always)]
    pub fn may_cross<const SPLIT: bool>(
        &self,
        [start, end]: [&Moment<S>; 2],
        time: F64s<S>,
        threshold: F64s<S>,
    ) -> Mask<S> {
        let zero = F64s::splat(self.simd, 0.0);
        let (before, after) = (threshold - start.potential, threshold - end.potential);
        let (rising, falling) = (self.surplus::<SPLIT>(start), -self.surplus::<SPLIT>(end));
        let tangents = time * self.inverse_capacitance() * rising * falling;
        let meet_above =
            (after * rising + before * falling).above(tangents).or(zero.at_least(falling));
        let stays_below = zero.at_least(rising).or(meet_above);
        let is_clear = before.above(zero).and(after.above(zero)).and(stays_below);
        let everywhere = zero.at_least(zero);
        everywhere.and_not(is_clear.and(self.is_convex::<SPLIT>(start)))
    }
}
