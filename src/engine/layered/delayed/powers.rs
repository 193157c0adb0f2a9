//! Arrivals by powers of `e`: neurons with `τ_m = 2 τ_s`, without an exponential per synapse.
//!
//! With `λ = λ_m = λ_s/2` the clock shows `x = e^(λ (t − t₀))`. A delay `d` multiplies it by `e^(λ d)`, a
//! number per synapse for all samples; and what inputs `x_i` have done is seen at `x` as
//!
//! ```text
//! V(x) = c (P x − Q)/x²        P = Σ w_i x_i    Q = Σ w_i x_i²    c = 1/(C (λ_s − λ_m))
//! ```
//!
//! because `e^(−λ s) − e^(−2 λ s)` with `s = t − t_i` is `x_i/x − (x_i/x)²`. With `ϑ' = ϑ/c` and weights by
//! `2 ϑ'`, so that `H = P/(2 ϑ')` and `K = Q/(2 ϑ')`, the potential is at or above the threshold where
//!
//! ```text
//! f(x) = x²/2 − H x + K ≤ 0
//! ```
//!
//! This parabola has its minimum at `x = H`. So a neuron crosses between two arrivals `x` and `x'` if it is
//! not positive at the place between them that is nearest to `H`, which is one comparison; and after its
//! last input if it is not at `H`, or there if `H` is past. Then the smaller zero is
//!
//! ```text
//! x = 2 K/(H + √D)        D = H² − 2 K        V̇ = λ x dV/dx = 2 ϑ λ √D/x
//! ```
//!
//! and one logarithm gives the time. What is kept of a spike is `1/x`: multiplied by it, the reading of an
//! arrival is what is left of it at the spike.

use pulp::Simd;

use super::super::membrane::Membrane;
use super::{Clock, FirstSpikes};
use crate::simd::{F64s, Mask};

/// What the clock shows for what never comes, and for the end of all, `2^332`: later than any spike. Inputs
/// that all come then do not lift the potential any more, so they need no care.
const FAR: f64 = f64::from_bits((1023 + 332) << 52);

/// The clock shows `e^(λ_m (t − t₀))`.
#[derive(Clone, Copy)]
pub(super) struct Powers<S: Simd> {
    simd: S,
    /// `λ_m`
    rate: F64s<S>,
    /// `1/λ_m`
    time_constant: F64s<S>,
    /// `c`
    scale: f64,
    /// `c λ_m`
    slope_scale: f64,
}

/// `H` and `K`.
#[derive(Clone, Copy)]
struct Sums<S: Simd> {
    first: F64s<S>,
    second: F64s<S>,
}

impl<S: Simd> Powers<S> {
    #[inline(always)]
    fn all(&self, value: f64) -> F64s<S> {
        F64s::splat(self.simd, value)
    }

    /// Whether neurons with these sums from one arrival on stay below their threshold until the next.
    #[inline(always)]
    fn stays_below(
        &self,
        Sums { first, second }: Sums<S>,
        previous: F64s<S>,
        arrival: F64s<S>,
    ) -> Mask<S> {
        let nearest = first.max_of_numbers(previous).min(arrival);
        second.above(self.all(-0.5).multiply_add(nearest, first) * nearest)
    }
}

impl<S: Simd> Clock<'_, S> for Powers<S> {
    const CARRIES_ROWS: bool = true;

    #[inline(always)]
    fn new(simd: S, membrane: &Membrane) -> Self {
        let scale = membrane.inverse_distance();
        Powers {
            simd,
            rate: F64s::splat(simd, membrane.membrane_rate),
            time_constant: F64s::splat(simd, 1.0 / membrane.membrane_rate),
            scale,
            slope_scale: scale * membrane.membrane_rate,
        }
    }

    #[inline(always)]
    fn reading(&self, time: F64s<S>, reference: F64s<S>) -> F64s<S> {
        let reading = (self.rate * (time - reference)).exp();
        self.all(f64::INFINITY).above(time).select(reading, self.all(FAR))
    }

    #[inline(always)]
    fn shift(&self, delay: F64s<S>) -> F64s<S> {
        (self.rate * delay).exp()
    }

    #[inline(always)]
    fn arrival(&self, input: F64s<S>, shift: F64s<S>) -> F64s<S> {
        (input * shift).min(self.all(FAR))
    }

    #[inline(always)]
    fn weight_scale(&self, threshold: f64) -> f64 {
        0.5 * self.scale / threshold
    }

    #[inline(always)]
    fn search(&self, _: F64s<S>, arrivals: &[S::f64s], weights: &[S::f64s]) -> [F64s<S>; 2] {
        let zero = self.all(0.0);
        // `K` begins with what no sum notices: without any input no neuron crosses.
        let mut sums = Sums { first: zero, second: self.all(f64::MIN_POSITIVE) };
        let mut found = Sums { first: zero, second: zero };
        let (mut previous, mut waits) = (zero, zero.at_least(zero));
        for (&arrival, &weight) in arrivals.iter().zip(weights) {
            let arrival = F64s::new(self.simd, arrival);
            let still_waits = waits.and(self.stays_below(sums, previous, arrival));
            // Those that wait no longer keep what was found; the sums wait for nobody.
            found.first = waits.select(sums.first, found.first);
            found.second = waits.select(sums.second, found.second);
            waits = still_waits;
            let share = F64s::new(self.simd, weight) * arrival;
            sums.first = sums.first + share;
            sums.second = share.multiply_add(arrival, sums.second);
            previous = arrival;
        }
        found.first = waits.select(sums.first, found.first);
        found.second = waits.select(sums.second, found.second);
        let waits = waits.and(self.stays_below(sums, previous, self.all(FAR)));
        [waits.select(zero, found.first), waits.select(zero, found.second)]
    }

    #[inline(always)]
    fn first_spikes(&self, threshold: F64s<S>, [first, second]: [F64s<S>; 2]) -> FirstSpikes<S> {
        let zero = self.all(0.0);
        // Where a neuron crosses, both are positive.
        let spikes = second.above(zero);
        let twice = second + second;
        // A peak within rounding of the threshold is no reason to lose a certain crossing.
        let root = (first * first - twice).max(zero).sqrt();
        let inverse = (first + root) / twice;
        let slopes = (threshold + threshold) * self.rate * root * inverse;
        FirstSpikes {
            deadlines: spikes.select(inverse, self.never()),
            slopes: spikes.select(slopes, zero),
        }
    }

    #[inline(always)]
    fn times(&self, deadlines: F64s<S>, reference: F64s<S>) -> F64s<S> {
        let infinity = self.all(f64::INFINITY);
        let time = reference - deadlines.ln() * self.time_constant;
        infinity.above(deadlines).select(time, infinity)
    }

    #[inline(always)]
    fn never(&self) -> F64s<S> {
        self.all(f64::INFINITY)
    }

    /// `c/4`, when one half is left of the arrival.
    #[inline(always)]
    fn largest_response(&self) -> f64 {
        0.25 * self.scale
    }

    /// What is left of the arrival, and its square.
    #[inline(always)]
    fn effect(&self, arrival: F64s<S>, deadline: F64s<S>, factor: F64s<S>) -> [F64s<S>; 2] {
        let decay = arrival * deadline;
        // Infinite where there is no spike.
        let decay = self.all(1.0).above(decay).select(decay, self.all(0.0));
        let left = factor * decay;
        [left, left * decay]
    }

    #[inline(always)]
    fn response(&self, [decay, square]: [F64s<S>; 2]) -> [F64s<S>; 2] {
        [
            (decay - square) * self.all(self.scale),
            (square + square - decay) * self.all(self.slope_scale),
        ]
    }
}
