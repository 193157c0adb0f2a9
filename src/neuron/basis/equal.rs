//! Neurons with `τ_m = τ_s`.
//!
//! With `s = λ (t − t₀)`, the time since the reference in time constants, and `x = e^s`, the potential in
//! units of the threshold is
//!
//! ```text
//! V/ϑ = (P s + R)/x        P = Σ w'_i x_i    R = −Σ w'_i x_i s_i    w' = w/(λ C ϑ)
//! ```
//!
//! so that `x` is needed per arrival and sample, for all neurons of a layer. A neuron is at or above the
//! threshold if `h(s) = P s + R − e^s ≥ 0`; this is concave in `s`. From below the threshold at one
//! arrival `s₁` it gets there until the next one `s₂`
//!
//! * if `P s₂ + R ≥ x₂`, so that it is there at the end; or
//! * if the maximum of `h`, at `e^s = P`, lies between them and is above zero: `P (ln P − 1) + R > 0`.
//!   This can only be if the tangent of `h` at `s₁` has reached zero at `s₂`: `P s₂ + R ≥ x₁ (1 + s₂ − s₁)`,
//!   which is asked first, because it follows from being there at the end, too.
//!
//! After the last arrival it crosses if the maximum comes later, `P > x`, and is above zero.
//!
//! # The crossing
//! `h` has its zero at `s = s* − u`, where the potential peaks at `s* = 1 − R/P` and
//!
//! ```text
//! (1 − u) e^u = y        y = ϑ/V_peak = e^(s*)/P
//! ```
//!
//! ([`crate::neuron::Dynamics::first_crossing`]). As a function of `p = √(2 (1 − y))`, `u = 1 + W₀(−y/e)` is
//! analytic on the whole interval from 0 (grazing) to `√2` (at once): the square root of the branch point is
//! in `p`, and the next singularity lies as far to the other side, at `p = −√2`. So are `u/p` and `e^(−u)`,
//! whose expansions in Chebyshev polynomials converge by a factor of `3 + √8` per degree: polynomials of
//! degree 20 give them to rounding, with neither logarithm nor iteration. The first has all digits of a
//! grazing `u`, the second those of what follows from `q = 1 − u = y e^(−u)` without another exponential:
//!
//! ```text
//! 1/x = 1/(q P)        V̇ = λ ϑ (P/x − 1) = λ ϑ u/q
//! ```
//!
//! # Recorded spikes
//! Carried to a recorded time `s_T`, the slope `λ ϑ u/q` at the crossing becomes `V̇ = λ ϑ u/q · x/x_T =
//! λ ϑ u P/x_T`.

use pulp::Simd;

use super::{Instant, Membrane, NEVER, SpikeState, Sums, TimeBasis};
use crate::simd::{F64s, Mask};

/// See the module.
#[derive(Clone, Copy)]
pub(crate) struct Equal<S: Simd> {
    simd: S,
    rate: f64,
    inverse_capacitance: f64,
}

/// From an arrival to the next.
#[derive(Clone, Copy)]
pub(crate) struct EqualStep<S: Simd> {
    /// What a unit of weight adds to `P` and `R`.
    adds: [F64s<S>; 2],
    /// `s` and `x` of the next arrival.
    next: [F64s<S>; 2],
    /// `x₁ (1 + s₂ − s₁)`
    tangent: F64s<S>,
}

impl<S: Simd> Equal<S> {
    #[inline(always)]
    fn all(&self, value: f64) -> F64s<S> {
        F64s::splat(self.simd, value)
    }
}

impl<S: Simd> TimeBasis<S> for Equal<S> {
    const STEP: usize = 5;
    /// Far from the reference a unit in the last place is long.
    const CARRIES_INDEX: bool = false;
    type Step = EqualStep<S>;

    #[inline(always)]
    fn new(simd: S, membrane: &Membrane) -> Self {
        let Membrane { membrane_rate: rate, inverse_capacitance, .. } = *membrane;
        Equal { simd, rate, inverse_capacitance }
    }

    #[inline(always)]
    fn instant(&self, elapsed: F64s<S>) -> Instant<S> {
        let comes = self.all(f64::INFINITY).above(elapsed);
        self.instant_at(comes.select(self.all(self.rate) * elapsed, self.all(NEVER)))
    }

    #[inline(always)]
    fn instant_at(&self, coordinate: F64s<S>) -> Instant<S> {
        let comes = self.all(NEVER).above(coordinate);
        Instant { coordinate, power: comes.select(coordinate.exp(), self.all(0.0)) }
    }

    /// `λ d` and `e^(λ d)`.
    #[inline(always)]
    fn shift(&self, delay: F64s<S>) -> [F64s<S>; 2] {
        let shift = self.all(self.rate) * delay;
        [shift, shift.exp()]
    }

    #[inline(always)]
    fn later(&self, instant: Instant<S>, [shift, growth]: [F64s<S>; 2]) -> Instant<S> {
        Instant { coordinate: instant.coordinate + shift, power: instant.power * growth }
    }

    #[inline(always)]
    fn step(&self, arrival: Instant<S>, next: Instant<S>) -> EqualStep<S> {
        let (zero, never) = (self.all(0.0), self.all(NEVER));
        let Instant { coordinate, power } = arrival;
        // Nothing is reached before an arrival that never comes.
        let follows = never.above(next.coordinate);
        let comes = never.above(coordinate);
        let tangent = (self.all(1.0) + (next.coordinate - coordinate)) * power;
        EqualStep {
            adds: [power, comes.select(-(power * coordinate), zero)],
            next: [follows.select(next.coordinate, zero), follows.select(next.power, never)],
            tangent: follows.select(tangent, never),
        }
    }

    #[inline(always)]
    fn store(step: &EqualStep<S>, memory: &mut [S::f64s]) {
        let EqualStep { adds, next, tangent } = *step;
        memory[0] = adds[0].value();
        memory[1] = adds[1].value();
        memory[2] = next[0].value();
        memory[3] = next[1].value();
        memory[4] = tangent.value();
    }

    #[inline(always)]
    fn load(simd: S, memory: &[S::f64s]) -> EqualStep<S> {
        EqualStep {
            adds: [F64s::new(simd, memory[0]), F64s::new(simd, memory[1])],
            next: [F64s::new(simd, memory[2]), F64s::new(simd, memory[3])],
            tangent: F64s::new(simd, memory[4]),
        }
    }

    /// `1/(λ C)`
    fn weight_scale(&self) -> f64 {
        self.inverse_capacitance / self.rate
    }

    #[inline(always)]
    fn rest(&self) -> Sums<S> {
        let zero = self.all(0.0);
        Sums { first: zero, second: zero, last: zero }
    }

    #[inline(always)]
    fn add(&self, sums: &mut Sums<S>, step: &EqualStep<S>, weight: F64s<S>, to: Mask<S>) {
        let weight = to.select(weight, self.all(0.0));
        sums.first = weight.multiply_add(step.adds[0], sums.first);
        sums.second = weight.multiply_add(step.adds[1], sums.second);
    }

    #[inline(always)]
    fn crosses(&self, sums: &Sums<S>, step: &EqualStep<S>, of: Mask<S>) -> Mask<S> {
        let Sums { first, second, .. } = *sums;
        let [time, power] = step.next;
        let there = first.multiply_add(time, second);
        let crosses = there.at_least(power).and(of);
        let may = there.at_least(step.tangent).and(power.above(first)).and(of).and_not(crosses);
        if !may.any() {
            return crosses;
        }
        // The maximum of `h`, for a positive `P`.
        let peaks = (first * (first.ln() - self.all(1.0))).above(-second);
        crosses.or(may.and(peaks))
    }

    #[inline(always)]
    fn may_cross_after(&self, sums: &Sums<S>, last_power: F64s<S>) -> Mask<S> {
        sums.first.above(last_power)
    }

    /// `s*`, `1/P` and `y`, which is two for a neuron that does not cross.
    #[inline(always)]
    fn locate(&self, sums: &Sums<S>, certain: Mask<S>, possible: Mask<S>) -> [F64s<S>; 3] {
        let (zero, one, two) = (self.all(0.0), self.all(1.0), self.all(2.0));
        let inverse = one / sums.first;
        let peak = one - sums.second * inverse;
        let ratio = peak.exp() * inverse;
        let exceeds = one.above(ratio);
        let crosses = sums.first.above(zero).and(certain.or(possible.and(exceeds)));
        // A peak within rounding of the threshold is no reason to lose a certain crossing.
        [peak, inverse, crosses.select(exceeds.select(ratio, one), two)]
    }

    #[inline(always)]
    fn spike(&self, [peak, inverse, ratio]: [F64s<S>; 3], threshold: f64) -> SpikeState<S> {
        let (zero, one, two) = (self.all(0.0), self.all(1.0), self.all(2.0));
        let crosses = two.above(ratio);
        let [_, x] = expansion(self.simd, ratio);
        let decay = x.polynomial(&DECAY);
        let rest = ratio * decay;
        let lead = (one - rest).max(zero);
        let both = one / (rest * lead);
        let spike = peak - lead;
        let has_slope = crosses.and(lead.above(zero));
        // Grazing, `q` is one.
        let left = has_slope.select(inverse * lead * both, inverse);
        let inverse_slope = rest * rest * both * self.all(1.0 / (self.rate * threshold));
        SpikeState {
            response_factors: [crosses.select(spike, self.all(-NEVER)), crosses.select(left, zero)],
            inverse_slope: has_slope.select(inverse_slope, zero),
            elapsed: crosses.select(spike * self.all(1.0 / self.rate), self.all(f64::INFINITY)),
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
        let peak = Peak::new(self.simd, one, sums.first, sums.second, one);
        let divisor =
            self.all(self.rate * threshold) * sums.first * Peak::lead(self.simd, peak.ratio);
        let inverse_slope = at.power / divisor;
        // Of arrivals that are long over at the reference nothing may be left.
        let crosses = sums
            .first
            .above(zero)
            .and(one.above(peak.ratio))
            .and(infinity.above(inverse_slope))
            .and(self.all(NEVER).above(at.coordinate));
        SpikeState {
            response_factors: [
                crosses.select(at.coordinate, self.all(-NEVER)),
                crosses.select(one / at.power, zero),
            ],
            inverse_slope: crosses.select(inverse_slope, zero),
            elapsed: zero,
        }
    }

    /// `δ e^(−δ)` and `(1 − δ) e^(−δ)` with `δ = s − s_i` and `e^(−δ) = x_i/x`.
    #[inline(always)]
    fn response(&self, arrival: Instant<S>, [spike, left]: [F64s<S>; 2]) -> [F64s<S>; 2] {
        let zero = self.all(0.0);
        let elapsed = spike - arrival.coordinate;
        let decay = elapsed.above(zero).select(arrival.power * left, zero);
        let response = elapsed * decay;
        [response, decay - response]
    }

    /// `1/(λ C)`
    fn response_scale(&self) -> f64 {
        self.inverse_capacitance / self.rate
    }

    /// `1/C`
    fn slope_scale(&self) -> f64 {
        self.inverse_capacitance
    }
}

/// The peak of a potential.
#[derive(Clone, Copy)]
pub(crate) struct Peak<S: Simd> {
    simd: S,
    /// `s*`
    pub place: F64s<S>,
    /// `y = ϑ/V_peak`
    pub ratio: F64s<S>,
}

impl<S: Simd> Peak<S> {
    /// From the slope `I/C` that the current at the reference gives the potential, and the potential there.
    #[inline(always)]
    pub fn new(
        simd: S,
        rate: F64s<S>,
        push: F64s<S>,
        potential: F64s<S>,
        threshold: F64s<S>,
    ) -> Self {
        let scale = rate / push;
        let place = F64s::splat(simd, 1.0) - scale * potential;
        Peak { simd, place, ratio: threshold * scale * place.exp() }
    }

    /// A peak that was found before.
    #[inline(always)]
    pub fn located(simd: S, place: F64s<S>, ratio: F64s<S>) -> Self {
        Peak { simd, place, ratio }
    }

    /// Whether it is above the threshold.
    #[inline(always)]
    pub fn exceeds_threshold(&self) -> Mask<S> {
        F64s::splat(self.simd, 1.0).above(self.ratio)
    }

    /// The time to the crossing, from the reference.
    #[inline(always)]
    pub fn crossing(&self, inverse_rate: F64s<S>) -> F64s<S> {
        (self.place - Self::lead(self.simd, self.ratio)) * inverse_rate
    }

    /// The same, and whether there is one.
    #[inline(always)]
    pub(super) fn first_crossing(&self, rate: F64s<S>, push: F64s<S>) -> (F64s<S>, Mask<S>) {
        let (zero, one) = (F64s::splat(self.simd, 0.0), F64s::splat(self.simd, 1.0));
        (self.crossing(one / rate), push.above(zero).and(self.exceeds_threshold()))
    }

    /// `u`, how long before its peak a potential crosses, in time constants, from `ϑ/V_peak`.
    #[inline(always)]
    fn lead(simd: S, ratio: F64s<S>) -> F64s<S> {
        let [p, x] = expansion(simd, ratio);
        p * x.polynomial(&LEAD)
    }
}

/// `p` and `√2 p − 1`, in powers of which the polynomials are.
#[inline(always)]
fn expansion<S: Simd>(simd: S, ratio: F64s<S>) -> [F64s<S>; 2] {
    let all = |value| F64s::splat(simd, value);
    let p = (all(2.0) * (all(1.0) - ratio)).max(all(0.0)).sqrt();
    [p, p.multiply_add(all(std::f64::consts::SQRT_2), -all(1.0))]
}

/// `u/p`
const LEAD: [f64; 21] = [
    0.820_429_692_461_014_5,
    -0.138_074_084_853_237_38,
    0.030_874_846_588_745_11,
    -0.007_744_753_603_670_585,
    0.002_068_864_875_126_652,
    -0.000_575_144_033_785_745_9,
    0.000_164_365_328_136_626_98,
    -4.793_434_357_639_82e-5,
    1.419_798_753_068_274_5e-5,
    -4.257_350_452_635_266e-6,
    1.289_371_752_679_495e-6,
    -3.937_651_697_204_255e-7,
    1.210_839_947_731_961_6e-7,
    -3.737_879_282_751_315e-8,
    1.161_378_838_757_254_4e-8,
    -3.723_012_007_035_898_4e-9,
    1.173_353_354_959_937_6e-9,
    -2.927_600_962_338_971_4e-10,
    8.949_681_825_712_587e-11,
    -6.226_883_648_947_78e-11,
    2.033_413_942_729_162_3e-11,
];

/// `e^(−u)`; the next term of the expansion is 6e-17.
const DECAY: [f64; 21] = [
    0.559_824_801_298_697_3,
    -0.270_114_502_227_696_84,
    0.107_600_343_367_557_1,
    -0.040_111_865_963_630_47,
    0.014_476_816_359_881_075,
    -0.005_127_704_585_984_587,
    0.001_794_421_592_299_712_6,
    -0.000_622_726_084_654_343_1,
    0.000_214_796_879_890_706_42,
    -7.374_902_862_355_775e-5,
    2.523_051_754_640_758e-5,
    -8.608_789_681_183_442e-6,
    2.930_115_574_823_114e-6,
    -9.915_607_127_089_97e-7,
    3.359_149_225_454_385e-7,
    -1.185_785_922_540_736_6e-7,
    4.039_851_792_767_805e-8,
    -9.820_630_169_042_058e-9,
    3.178_428_863_338_111_4e-9,
    -2.774_072_423_315_551e-9,
    9.624_046_670_266_364e-10,
];
