//! Arrivals by powers of `e`: neurons with `τ_m = 2 τ_s`, without an exponential per synapse.
//!
//! With `λ = λ_m = λ_s/2` the clock shows `x = e^(λ (t − t₀))`. A delay `d` multiplies it by `e^(λ d)`, a
//! number per synapse for all samples; and what inputs `x_i` have done is seen at `x` as
//!
//! ```text
//! V(x) = c (P x − Q)/x²        P = Σ w_i x_i    Q = Σ w_i x_i²    c = 1/(C (λ_s − λ_m))
//! ```
//!
//! because `e^(−λ s) − e^(−2 λ s)` with `s = t − t_i` is `x_i/x − (x_i/x)²`. So with `ϑ' = ϑ/c`, between
//! two arrivals `x` and `x'` the potential
//!
//! * is at or above the threshold at the end if `P x' − Q ≥ ϑ' x'²`;
//! * has a peak if it rises at first, `2 Q > P x`, and falls in the end, `P x' > 2 Q`; that peak,
//!   `c P²/(4 Q)`, is above the threshold if `P² > 4 ϑ' Q`.
//!
//! A neuron crosses where one of the two holds first, or after its last input, if the potential rises
//! there to a peak above the threshold. Then `ϑ' x² − P x + Q = 0`, the smaller root of which is
//!
//! ```text
//! x = 2 Q/(P + √D)        D = P² − 4 ϑ' Q        V̇ = λ x dV/dx = c λ √D/x
//! ```
//!
//! and one logarithm gives the time. What is kept of a spike is `1/x`: multiplied by it, the reading of an
//! arrival is what is left of it at the spike.

use pulp::Simd;

use super::super::elementary::{Doubles, Truths};
use super::super::membrane::Membrane;
use super::{Clock, FirstSpikes};

/// What the clock shows for what never comes, and for the end of all: later than any spike. Inputs that
/// all come then do not lift the potential any more, so they need no care.
const FAR: f64 = 1e100;

/// The clock shows `e^(λ_m (t − t₀))`.
#[derive(Clone, Copy)]
pub(super) struct Powers<S: Simd> {
    simd: S,
    /// `λ_m`
    rate: Doubles<S>,
    /// `1/λ_m`
    time_constant: Doubles<S>,
    /// `c`
    scale: Doubles<S>,
    /// `1/c`
    inverse_scale: Doubles<S>,
    /// `c λ_m`
    slope_scale: Doubles<S>,
}

/// `P` and `Q`.
#[derive(Clone, Copy)]
struct Sums<S: Simd> {
    first: Doubles<S>,
    second: Doubles<S>,
}

/// `ϑ'` and `4 ϑ'`.
#[derive(Clone, Copy)]
struct Thresholds<S: Simd> {
    once: Doubles<S>,
    four: Doubles<S>,
}

impl<S: Simd> Sums<S> {
    /// Whether neurons with these sums from one arrival on cross until the next.
    #[inline(always)]
    fn cross(
        &self,
        thresholds: Thresholds<S>,
        previous: Doubles<S>,
        arrival: Doubles<S>,
    ) -> Truths<S> {
        let Sums { first, second } = *self;
        let (lift, twice) = (first * arrival, second + second);
        let reached = (lift - second).at_least(thresholds.once * arrival * arrival);
        let rises = twice.above(first * previous);
        let falls = lift.above(twice);
        let peaks = (first * first).above(thresholds.four * second);
        reached.or(rises.and(falls).and(peaks))
    }
}

impl<S: Simd> Powers<S> {
    #[inline(always)]
    fn thresholds(&self, threshold: Doubles<S>) -> Thresholds<S> {
        let once = threshold * self.inverse_scale;
        Thresholds { once, four: once * Doubles::splat(self.simd, 4.0) }
    }
}

impl<S: Simd> Clock<'_, S> for Powers<S> {
    #[inline(always)]
    fn new(simd: S, membrane: &Membrane) -> Self {
        let all = |value| Doubles::splat(simd, value);
        let scale = membrane.inverse_distance();
        Powers {
            simd,
            rate: all(membrane.membrane_rate),
            time_constant: all(1.0 / membrane.membrane_rate),
            scale: all(scale),
            inverse_scale: all(1.0 / scale),
            slope_scale: all(scale * membrane.membrane_rate),
        }
    }

    #[inline(always)]
    fn reading(&self, time: Doubles<S>, reference: Doubles<S>) -> Doubles<S> {
        let infinity = Doubles::splat(self.simd, f64::INFINITY);
        let reading = (self.rate * (time - reference)).exp();
        infinity.above(time).select(reading, Doubles::splat(self.simd, FAR))
    }

    #[inline(always)]
    fn shift(&self, delay: Doubles<S>) -> Doubles<S> {
        (self.rate * delay).exp()
    }

    #[inline(always)]
    fn arrival(&self, input: Doubles<S>, shift: Doubles<S>) -> Doubles<S> {
        (input * shift).min(Doubles::splat(self.simd, FAR))
    }

    #[inline(always)]
    fn search(
        &self,
        threshold: Doubles<S>,
        arrivals: &[S::f64s],
        weights: &[S::f64s],
    ) -> [Doubles<S>; 2] {
        let zero = Doubles::splat(self.simd, 0.0);
        let thresholds = self.thresholds(threshold);
        let mut sums = Sums { first: zero, second: zero };
        let (mut found, mut previous) = (sums, zero);
        let mut waiting = zero.at_least(zero);
        for (&arrival, &weight) in arrivals.iter().zip(weights) {
            let arrival = Doubles::new(self.simd, arrival);
            let crosses = sums.cross(thresholds, previous, arrival).and(waiting);
            waiting = waiting.and_not(crosses);
            found.first = crosses.select(sums.first, found.first);
            found.second = crosses.select(sums.second, found.second);
            let share = Doubles::new(self.simd, weight) * arrival;
            sums.first = sums.first + share;
            sums.second = share.multiply_add(arrival, sums.second);
            previous = arrival;
        }
        let far = Doubles::splat(self.simd, FAR);
        let crosses = sums.cross(thresholds, previous, far).and(waiting);
        [crosses.select(sums.first, found.first), crosses.select(sums.second, found.second)]
    }

    #[inline(always)]
    fn first_spikes(
        &self,
        threshold: Doubles<S>,
        [first, second]: [Doubles<S>; 2],
    ) -> FirstSpikes<S> {
        let zero = Doubles::splat(self.simd, 0.0);
        // Where a neuron crosses, both are positive.
        let spikes = second.above(zero);
        // A peak within rounding of the threshold is no reason to lose a certain crossing.
        let discriminant = first * first - self.thresholds(threshold).four * second;
        let root = discriminant.max(zero).sqrt();
        let inverse = (first + root) / (second + second);
        FirstSpikes {
            deadlines: spikes.select(inverse, self.never()),
            slopes: spikes.select(self.slope_scale * root * inverse, zero),
        }
    }

    #[inline(always)]
    fn times(&self, deadlines: Doubles<S>, reference: Doubles<S>) -> Doubles<S> {
        let infinity = Doubles::splat(self.simd, f64::INFINITY);
        let time = reference - deadlines.ln() * self.time_constant;
        infinity.above(deadlines).select(time, infinity)
    }

    #[inline(always)]
    fn never(&self) -> Doubles<S> {
        Doubles::splat(self.simd, f64::INFINITY)
    }

    #[inline(always)]
    fn response(&self, arrival: Doubles<S>, deadline: Doubles<S>) -> [Doubles<S>; 2] {
        let all = |value| Doubles::splat(self.simd, value);
        let one = all(1.0);
        let decay = arrival * deadline;
        let decay = one.above(decay).select(decay, all(0.0));
        let square = decay * decay;
        [(decay - square) * self.scale, (square + square - decay) * self.slope_scale]
    }
}
