//! Neurons with `τ_m = 2 τ_s`, without an exponential per synapse.
//!
//! With `λ = λ_m = λ_s/2` the coordinate of a time is `x = e^(λ (t − t₀))`. A delay `d` multiplies it by
//! `e^(λ d)`, a number per synapse for all samples; and what arrivals `x_i` have done is seen at `x` as
//!
//! ```text
//! V(x) = c (P x − Q)/x²        P = Σ w_i x_i    Q = Σ w_i x_i²    c = 1/(C (λ_s − λ_m))
//! ```
//!
//! because `e^(−λ s) − e^(−2 λ s)` with `s = t − t_i` is `x_i/x − (x_i/x)²`. With weights `w' = c w/(2 ϑ)`, so
//! that `H = Σ w'_i x_i` and `K = Σ w'_i x_i²`, the potential is at or above the threshold where
//!
//! ```text
//! f(x) = x²/2 − H x + K ≤ 0
//! ```
//!
//! This parabola has its minimum at `x = H`. So a neuron crosses between two arrivals `x` and `x'` if it is
//! not positive at the place between them that is nearest to `H`, which is one comparison; and after its
//! last arrival if it is not at `H`, or there if `H` is past. Then the smaller zero is
//!
//! ```text
//! x = 2 K/(H + √D)        D = H² − 2 K        V̇ = λ x dV/dx = 2 ϑ λ √D/x
//! ```
//!
//! and one logarithm gives the time. A spike sees its arrivals by `1/x`: multiplied by it, the coordinate of
//! an arrival is what is left of it. Carried to a recorded `x_T`, the slope becomes `2 ϑ λ √D/x_T`.

use pulp::Simd;

use super::{Instant, Membrane, SpikeState, Sums, TimeBasis};
use crate::simd::{F64s, Mask};

/// The coordinate of what never comes, and of the end of all, `2^332`: later than any spike, and its square
/// is finite. Arrivals that all come then do not lift the potential any more, so they need no care.
const FAR: f64 = f64::from_bits((1023 + 332) << 52);

/// See the module.
#[derive(Clone, Copy)]
pub(crate) struct Double<S: Simd> {
    simd: S,
    /// `λ_m`
    rate: f64,
    /// `c`
    scale: f64,
}

/// From an arrival to the next.
#[derive(Clone, Copy)]
pub(crate) struct DoubleStep<S: Simd> {
    arrival: F64s<S>,
    next: F64s<S>,
}

impl<S: Simd> Double<S> {
    #[inline(always)]
    fn all(&self, value: f64) -> F64s<S> {
        F64s::splat(self.simd, value)
    }
}

impl<S: Simd> TimeBasis<S> for Double<S> {
    const STEP: usize = 2;
    const CARRIES_INDEX: bool = true;
    type Step = DoubleStep<S>;

    #[inline(always)]
    fn new(simd: S, membrane: &Membrane) -> Self {
        Double { simd, rate: membrane.membrane_rate, scale: membrane.inverse_distance() }
    }

    #[inline(always)]
    fn instant(&self, elapsed: F64s<S>) -> Instant<S> {
        let coordinate = (self.all(self.rate) * elapsed).exp();
        let comes = self.all(f64::INFINITY).above(elapsed);
        self.instant_at(comes.select(coordinate, self.all(FAR)))
    }

    #[inline(always)]
    fn instant_at(&self, coordinate: F64s<S>) -> Instant<S> {
        Instant { coordinate, power: coordinate }
    }

    /// `e^(λ d)`
    #[inline(always)]
    fn shift(&self, delay: F64s<S>) -> [F64s<S>; 2] {
        [(self.all(self.rate) * delay).exp(), self.all(0.0)]
    }

    #[inline(always)]
    fn later(&self, instant: Instant<S>, [growth, _]: [F64s<S>; 2]) -> Instant<S> {
        self.instant_at((instant.coordinate * growth).min(self.all(FAR)))
    }

    #[inline(always)]
    fn step(&self, arrival: Instant<S>, next: Instant<S>) -> DoubleStep<S> {
        DoubleStep { arrival: arrival.coordinate, next: next.coordinate.min(self.all(FAR)) }
    }

    #[inline(always)]
    fn store(step: &DoubleStep<S>, memory: &mut [S::f64s]) {
        memory[0] = step.arrival.value();
        memory[1] = step.next.value();
    }

    #[inline(always)]
    fn load(simd: S, memory: &[S::f64s]) -> DoubleStep<S> {
        DoubleStep { arrival: F64s::new(simd, memory[0]), next: F64s::new(simd, memory[1]) }
    }

    /// `c/2`
    fn weight_scale(&self) -> f64 {
        0.5 * self.scale
    }

    /// `K` begins with what no sum notices: without any arrival no neuron crosses.
    #[inline(always)]
    fn rest(&self) -> Sums<S> {
        let zero = self.all(0.0);
        Sums { first: zero, second: self.all(f64::MIN_POSITIVE), last: zero }
    }

    #[inline(always)]
    fn add(&self, sums: &mut Sums<S>, step: &DoubleStep<S>, weight: F64s<S>, to: Mask<S>) {
        let share = to.select(weight, self.all(0.0)) * step.arrival;
        sums.first = sums.first + share;
        sums.second = share.multiply_add(step.arrival, sums.second);
    }

    #[inline(always)]
    fn crosses(&self, sums: &Sums<S>, step: &DoubleStep<S>, of: Mask<S>) -> Mask<S> {
        let Sums { first, second, .. } = *sums;
        let nearest = first.max_of_numbers(step.arrival).min(step.next);
        let stays_below = second.above(self.all(-0.5).multiply_add(nearest, first) * nearest);
        of.and_not(stays_below)
    }

    /// None: until what never comes, [`Self::crosses`] looks as it does until any other arrival.
    #[inline(always)]
    fn may_cross_after(&self, _: &Sums<S>, _: F64s<S>) -> Mask<S> {
        let zero = self.all(0.0);
        zero.above(zero)
    }

    /// `1/x`, infinite for a neuron that does not cross, and `√D/x`.
    #[inline(always)]
    fn locate(&self, sums: &Sums<S>, certain: Mask<S>, possible: Mask<S>) -> [F64s<S>; 3] {
        let (zero, infinity) = (self.all(0.0), self.all(f64::INFINITY));
        let Sums { first, second, .. } = *sums;
        // Where a neuron crosses, both are positive.
        let crosses = certain.or(possible).and(second.above(zero));
        let twice = second + second;
        // A peak within rounding of the threshold is no reason to lose a certain crossing.
        let root = (first * first - twice).max(zero).sqrt();
        let inverse = (first + root) / twice;
        [crosses.select(inverse, infinity), crosses.select(root * inverse, zero), zero]
    }

    #[inline(always)]
    fn spike(&self, [inverse, slope, _]: [F64s<S>; 3], threshold: f64) -> SpikeState<S> {
        let (zero, infinity) = (self.all(0.0), self.all(f64::INFINITY));
        let slope = slope * self.all(2.0 * threshold * self.rate);
        let elapsed = -(inverse.ln() * self.all(1.0 / self.rate));
        SpikeState {
            response_factors: [inverse, zero],
            inverse_slope: slope.above(zero).select(self.all(1.0) / slope, zero),
            elapsed: infinity.above(inverse).select(elapsed, infinity),
        }
    }

    #[inline(always)]
    fn recorded_spike(
        &self,
        sums: &Sums<S>,
        at: Instant<S>,
        _: F64s<S>,
        threshold: f64,
    ) -> SpikeState<S> {
        let (zero, one, infinity) = (self.all(0.0), self.all(1.0), self.all(f64::INFINITY));
        let Sums { first, second, .. } = *sums;
        let discriminant = first * first - (second + second);
        let crosses = first
            .above(zero)
            .and(second.above(zero))
            .and(discriminant.above(zero))
            .and(self.all(FAR).above(at.coordinate));
        let slope = self.all(2.0 * threshold * self.rate) * discriminant.max(zero).sqrt();
        let inverse_slope = at.coordinate / slope;
        let crosses = crosses.and(infinity.above(inverse_slope));
        SpikeState {
            response_factors: [crosses.select(one / at.coordinate, infinity), zero],
            inverse_slope: crosses.select(inverse_slope, zero),
            elapsed: zero,
        }
    }

    /// `r − r²` and `2 r² − r`, where `r = x_i/x` is what is left of the arrival.
    #[inline(always)]
    fn response(&self, arrival: Instant<S>, [inverse, _]: [F64s<S>; 2]) -> [F64s<S>; 2] {
        let left = arrival.coordinate * inverse;
        // Infinite where there is no spike.
        let left = self.all(1.0).above(left).select(left, self.all(0.0));
        let square = left * left;
        [left - square, square + square - left]
    }

    /// `c`
    fn response_scale(&self) -> f64 {
        self.scale
    }

    /// `c λ_m`
    fn slope_scale(&self) -> f64 {
        self.scale * self.rate
    }
}

/// The same crossing from sums of current and potential: in `x = e^(−λ_m t)` the potential is `p x − b x²`
/// with `b = I/(C λ_m)`.
#[inline(always)]
pub(super) fn crossing_double<S: Simd>(
    simd: S,
    rate: F64s<S>,
    push: F64s<S>,
    lift: F64s<S>,
    threshold: F64s<S>,
) -> (F64s<S>, Mask<S>) {
    let (zero, two) = (F64s::splat(simd, 0.0), F64s::splat(simd, 2.0));
    let four = F64s::splat(simd, 4.0);
    let scale = push / rate;
    let discriminant = lift * lift - four * scale * threshold;
    let decay = (lift + discriminant.max(zero).sqrt()) / (two * scale);
    let elapsed = -decay.ln() / rate;
    (elapsed, push.above(zero).and(lift.above(zero)).and(discriminant.above(zero)))
}
