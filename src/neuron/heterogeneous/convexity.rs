//! Convexity of the distance to the threshold: whether a neuron crosses on an interval of any length, and
//! Taylor steps towards the crossing.
//!
//! Multiplied by `e^(λ_m t)` the potential does not leak. Where time constants are nearly equal it is
//! nearly a straight line, and the threshold is a convex curve. The distance of the two is
//! `G = (ϑ − V) e^(λ_m t)`. From `V̇ = (E + J)/C − λ_m V`, with the excitatory current `E ≥ 0`, the
//! inhibitory current `J ≤ 0`, and the rheobase `R = C λ_m ϑ`, the current that holds the potential at the
//! threshold,
//!
//! ```text
//! Ġ = e^(λ_m t) (R − E − J)/C        G̈ = e^(λ_m t) (λ_m R − (λ_m − λ_e) E − (λ_m − λ_i) J)/C
//! ```
//!
//! and so on with higher powers of the rates. The second to the sixth derivative are not negative, now
//! and until the next input, if
//!
//! ```text
//! a_e E + a_i |J| ≤ λ_m R
//! a_e = max{d, d²/λ_m, d⁴/λ_m³}  with d = λ_m − λ_e        a_i = f max{1, f²/λ_m², f⁴/λ_m⁴}  with f = (λ_i − λ_m)⁺
//! ```
//!
//! because the left side only decays, and `(λ_m − λ_e)^n E ≤ λ_m^(n−1) a_e E` for `n` from 1 to 5 wherever
//! the power is positive, and so for `|J|` with `−(λ_m − λ_i)^n`. Then `G` and its slope are *convex*:
//!
//! * `G` lies above its tangents. There is no zero between two ends with `G > 0` if the tangents there meet
//!   above zero. With `s = E + J − R` and `g = ϑ − V`, those from the start and from the end of an interval
//!   of length `T` are zero at `C g₀/s₀` and at `T − C g₁/|s₁|`, so the condition is
//!   `T s₀ |s₁|/C < g₁ s₀ + g₀ |s₁|`.
//! * With a current below the rheobase there is no zero ahead.
//! * `G` lies above its Taylor polynomials of second to fifth degree. Their first zero is never behind that
//!   of `G`, and approaches it quickly ([`NeuronLanes::first_series_step`], [`NeuronLanes::series_step`]).

use pulp::Simd;

use super::lanes::NeuronLanes;
use super::params::PARAMS;
use super::propagation::MembraneState;
use crate::simd::{F64s, Mask};

/// `a_e` and `a_i`, from the rates of the membrane and of excitatory and inhibitory synapses. They are
/// infinite if the membrane does not leak: then nothing counts as convex.
pub(super) fn convexity_coefficients([membrane, excitatory, inhibitory]: [f64; 3]) -> [f64; 2] {
    if membrane == 0.0 {
        return [f64::INFINITY; 2];
    }
    let slower = membrane - excitatory;
    let faster = (inhibitory - membrane).max(0.0);
    let [by_excitatory, by_inhibitory] = [slower / membrane, faster / membrane].map(|by| by * by);
    let by_excitatory = by_excitatory.max(by_excitatory * by_excitatory);
    let by_inhibitory = by_inhibitory.max(by_inhibitory * by_inhibitory).max(1.0);
    [slower.max(membrane * by_excitatory), faster * by_inhibitory]
}

/// A step of a search along the Taylor polynomial.
#[derive(Clone, Copy)]
pub struct SeriesStep<S: Simd> {
    /// How far it goes.
    pub length: F64s<S>,
    /// Whether there may be a zero ahead.
    pub is_ahead: Mask<S>,
    /// Whether the step ends at the zero to rounding.
    pub is_last: Mask<S>,
}

impl<S: Simd> NeuronLanes<'_, S> {
    /// `E + J − R`: the sign and, times `e^(λ_m t)/C`, the size of `−Ġ`.
    #[inline(always)]
    fn current_above_rheobase<const SPLIT: bool>(&self, state: &MembraneState<S>) -> F64s<S> {
        state.current::<SPLIT>() - self.rheobase()
    }

    /// Whether the distance to the threshold is convex until the next input.
    #[inline(always)]
    pub(super) fn is_convex<const SPLIT: bool>(&self, state: &MembraneState<S>) -> Mask<S> {
        let [excitation, inhibition] = state.excitation_and_inhibition::<SPLIT>(self.simd);
        let (of_excitation, of_inhibition) =
            (self.convexity_coefficient(0), self.convexity_coefficient(1));
        self.membrane_rheobase().at_least(excitation * of_excitation - inhibition * of_inhibition)
    }

    /// A step towards the first zero of a convex distance `g > 0`; it never goes beyond the zero.
    ///
    /// The Taylor polynomial is `g − s τ + κ τ²/2 + k τ³`, divided by `e^(λ_m t)`, with `κ, k ≥ 0`. Without
    /// the cubic term it has a zero if `s² ≥ 2 κ g`; if it has none, neither has `G`. With Newton's step
    /// `u = g/s`, `w = κ u/s` and `v = k u²/s`, the zero is the series
    ///
    /// ```text
    /// τ = u (1 + w/2 + (w²/2 + v) + (5 w³/8 + 5 w v/2) + …)
    /// ```
    ///
    /// of positive terms, of which the step takes three. With `x = λ_m u` and `s = ρ λ_m ϑ`, what is left
    /// out, the fourth derivative included, is below 1e-16 for `x`, `x/ρ` and `w` below 1e-4.
    #[inline(always)]
    pub(super) fn series_step<const SPLIT: bool>(
        &self,
        state: &MembraneState<S>,
        distance: F64s<S>,
    ) -> SeriesStep<S> {
        let all = |value| self.splat(value);
        let (zero, half, one) = (all(0.0), all(0.5), all(1.0));
        let slope = self.current_above_rheobase::<SPLIT>(state) * self.inverse_capacitance();
        // What the currents contribute to the second and to the third derivative.
        let mut by_currents = [state.currents[0] * self.rate_difference(0), zero];
        by_currents[1] = by_currents[0] * self.rate_difference(0);
        if SPLIT {
            let inhibitory = state.currents[1] * self.rate_difference(1);
            by_currents[0] = by_currents[0] + inhibitory;
            by_currents[1] = inhibitory.multiply_add(self.rate_difference(1), by_currents[1]);
        }
        let inverse = one / slope.max_of_numbers(all(PARAMS.smallest_slope));
        let unit = self.inverse_capacitance() * inverse;
        let newton = distance * inverse;
        let second = (self.membrane_rheobase() - by_currents[0]) * unit * newton;
        let third = self.membrane_rate() * self.membrane_rheobase() - by_currents[1];
        let third = third * unit * all(1.0 / 6.0) * (newton * newton);
        let series = (second * half).multiply_add(second + one, one) + third;
        let length = newton * series;
        let is_ahead = slope.above(zero).and(half.at_least(second)).or(zero.at_least(distance));
        let close = all(PARAMS.last_series_step);
        let bent = self.membrane_rheobase() * unit;
        let is_last =
            close.at_least(self.membrane_rate() * length).and(close.at_least(bent * length));
        SeriesStep { length, is_ahead, is_last: is_last.and(close.at_least(second)) }
    }

    /// The first step of a search. It is long, so that higher derivatives pay. It never goes beyond the zero
    /// either, and is the last only where the distance is zero.
    ///
    /// At the zero `τ₀` of the Taylor polynomial of second degree, that of fifth degree,
    /// `g − s τ + κ τ²/2 + k₃ τ³ + k₄ τ⁴ + k₅ τ⁵`, equals the sum `p` of its higher terms, with the slope
    /// `−r = −q + 3 k₃ τ₀² + …` and the second derivative `b`. It is convex, too, and its zero is at
    /// `δ = p/r + b δ²/(2 r)` from there, more than `p/r + b (p/r)²/(2 r)`. With `x = λ_m τ` there remain
    /// about `x⁶/(720 ρ)` and `x⁹/(432 ρ⁵)`.
    #[inline(always)]
    pub(super) fn first_series_step<const SPLIT: bool>(
        &self,
        state: &MembraneState<S>,
        distance: F64s<S>,
    ) -> SeriesStep<S> {
        let all = |value| self.splat(value);
        let (zero, smallest) = (all(0.0), all(PARAMS.smallest_slope));
        let (membrane_rate, unit) = (self.membrane_rate(), self.inverse_capacitance());
        // What the rheobase and the currents contribute to one derivative after the other.
        let mut rheobase = self.rheobase() * unit;
        let [mut excitatory, mut inhibitory] = state.currents.map(|current| current * unit);
        macro_rules! next_derivative {
            () => {{
                rheobase = rheobase * membrane_rate;
                excitatory = excitatory * self.rate_difference(0);
                if SPLIT {
                    inhibitory = inhibitory * self.rate_difference(1);
                    rheobase - (excitatory + inhibitory)
                } else {
                    rheobase - excitatory
                }
            }};
        }
        let start_slope = self.current_above_rheobase::<SPLIT>(state) * unit;
        let second = next_derivative!();
        let third = next_derivative!() * all(1.0 / 6.0);
        let fourth = next_derivative!() * all(1.0 / 24.0);
        let fifth = next_derivative!() * all(1.0 / 120.0);
        let discriminant = start_slope * start_slope - all(2.0) * second * distance;
        let root = discriminant.max_of_numbers(zero).sqrt();
        let step = (distance + distance) / (start_slope + root).max_of_numbers(smallest);
        let is_last = zero.at_least(distance);
        let is_ahead = start_slope.above(zero).and(discriminant.at_least(zero)).or(is_last);
        let square = step * step;
        let value = fifth.multiply_add(step, fourth).multiply_add(step, third) * (square * step);
        let rise = (all(5.0) * fifth).multiply_add(step, all(4.0) * fourth);
        let slope = root - rise.multiply_add(step, all(3.0) * third) * square;
        let bend = (all(12.0) * fourth).multiply_add(step, all(6.0) * third);
        let bend = bend.multiply_add(step, second);
        let falls = slope.above(smallest);
        let inverse = all(1.0) / falls.select(slope, all(1.0));
        let newton = value * inverse;
        let more = (newton * newton * inverse * all(0.5)).multiply_add(bend, newton);
        SeriesStep { length: falls.select(step + more, step), is_ahead, is_last }
    }

    /// Which neurons may cross the threshold between two states, with no input between them. A neuron
    /// whose potential has reached the threshold at the end may.
    #[inline(always)]
    pub fn may_cross<const SPLIT: bool>(
        &self,
        [start, end]: [&MembraneState<S>; 2],
        time: F64s<S>,
        threshold: F64s<S>,
    ) -> Mask<S> {
        let zero = self.splat(0.0);
        let (before, after) = (threshold - start.potential, threshold - end.potential);
        let rising = self.current_above_rheobase::<SPLIT>(start);
        let falling = -self.current_above_rheobase::<SPLIT>(end);
        let tangents = time * self.inverse_capacitance() * rising * falling;
        let meet_above =
            (after * rising + before * falling).above(tangents).or(zero.at_least(falling));
        let stays_below = zero.at_least(rising).or(meet_above);
        let is_clear = before.above(zero).and(after.above(zero)).and(stays_below);
        let everywhere = zero.at_least(zero);
        everywhere.and_not(is_clear.and(self.is_convex::<SPLIT>(start)))
    }
}
