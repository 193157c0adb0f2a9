//! Neurons with any ratio of time constants.
//!
//! The coordinate of a time is the time itself, from the reference. The sums are those of
//! [`crate::neuron::membrane`]: current and potential at the reference, with weights in units of the
//! threshold. The potential at an arrival is a linear form of both, and so is its slope. Between two arrivals
//! it has at most one extremum and is concave up to it, so it reaches the threshold if and only if
//!
//! * it is at or above the threshold at the next arrival; or
//! * it rises at the first and falls at the next, and its peak in between reaches the threshold. Then so does
//!   the tangent at the first, which is asked before the crossing itself is computed.
//!
//! Without leak the potential is monotone between two arrivals, and the crossing is one logarithm. Any other
//! ratio takes the scalar solver, one lane after the other ([`Membrane::crossing_after`]).

use pulp::Simd;

use super::super::Ratio;
use super::{Instant, Membrane, NEVER, SpikeState, Sums, TimeBasis};
use crate::simd::{F64s, Mask};

/// See the module.
#[derive(Clone, Copy)]
pub(crate) struct AnyRatio<S: Simd> {
    simd: S,
    membrane: Membrane,
}

/// The state at a time, as linear forms of current and potential at the reference.
#[derive(Clone, Copy)]
struct Forms<S: Simd> {
    potential: [F64s<S>; 2],
    slope: [F64s<S>; 2],
}

/// From an arrival to the next.
#[derive(Clone, Copy)]
pub(crate) struct AnyStep<S: Simd> {
    /// What a unit of weight adds to current and potential at the reference.
    adds: [F64s<S>; 2],
    coordinate: F64s<S>,
    /// Until the next arrival; zero if it comes at the same time, or never.
    gap: F64s<S>,
    here: Forms<S>,
    there: Forms<S>,
}

#[inline(always)]
fn value<S: Simd>(form: [F64s<S>; 2], sums: &Sums<S>) -> F64s<S> {
    form[1].multiply_add(sums.second, form[0] * sums.first)
}

impl<S: Simd> AnyRatio<S> {
    #[inline(always)]
    fn all(&self, value: f64) -> F64s<S> {
        F64s::splat(self.simd, value)
    }

    /// The forms at a time, and what a unit of weight that arrives then adds to the sums.
    #[inline(always)]
    fn forms(&self, coordinate: F64s<S>) -> (Forms<S>, [F64s<S>; 2]) {
        let (there, here) = self.membrane.propagators_both(self.simd, coordinate);
        let rate = self.all(-self.membrane.membrane_rate);
        let push = there.current * self.all(self.membrane.inverse_capacitance);
        let potential = [there.response, there.decay];
        let slope = [rate.multiply_add(there.response, push), rate * there.decay];
        (Forms { potential, slope }, [here.current, here.response])
    }

    /// `dV/dt` where the potential is at the threshold.
    #[inline(always)]
    fn slope_at_threshold(&self, sums: &Sums<S>, elapsed: F64s<S>) -> F64s<S> {
        let left = (self.all(-self.membrane.synaptic_rate) * elapsed).exp();
        let push = left * sums.first * self.all(self.membrane.inverse_capacitance);
        push - self.all(self.membrane.membrane_rate)
    }

    /// The crossing that the sums imply, from the reference; infinite if there is none.
    #[inline(always)]
    fn crossing(&self, sums: &Sums<S>, certain: Mask<S>) -> F64s<S> {
        let (zero, one, infinity) = (self.all(0.0), self.all(1.0), self.all(f64::INFINITY));
        let Sums { first, second, last } = *sums;
        if self.membrane.ratio != Ratio::General {
            let (elapsed, exists) = self.membrane.closed_form(self.simd, first, second, one);
            return certain.or(exists).select(elapsed, infinity);
        }
        let certain = certain.select(one, zero);
        last.map(|lane, last| {
            let sums = [first.lane(lane), second.lane(lane)];
            let certain = certain.lane(lane) > 0.0;
            self.membrane.crossing_after(sums, 1.0, last, certain).unwrap_or(f64::INFINITY)
        })
    }
}

impl<S: Simd> TimeBasis<S> for AnyRatio<S> {
    const STEP: usize = 12;
    /// Far from the reference a unit in the last place is long.
    const CARRIES_INDEX: bool = false;
    type Step = AnyStep<S>;

    #[inline(always)]
    fn new(simd: S, membrane: &Membrane) -> Self {
        AnyRatio { simd, membrane: *membrane }
    }

    #[inline(always)]
    fn instant(&self, elapsed: F64s<S>) -> Instant<S> {
        let comes = self.all(f64::INFINITY).above(elapsed);
        self.instant_at(comes.select(elapsed, self.all(NEVER)))
    }

    #[inline(always)]
    fn instant_at(&self, coordinate: F64s<S>) -> Instant<S> {
        Instant { coordinate, power: self.all(0.0) }
    }

    #[inline(always)]
    fn shift(&self, delay: F64s<S>) -> [F64s<S>; 2] {
        [delay, self.all(0.0)]
    }

    #[inline(always)]
    fn later(&self, instant: Instant<S>, [delay, _]: [F64s<S>; 2]) -> Instant<S> {
        self.instant_at(instant.coordinate + delay)
    }

    #[inline(always)]
    fn step(&self, arrival: Instant<S>, next: Instant<S>) -> AnyStep<S> {
        let (zero, never) = (self.all(0.0), self.all(NEVER));
        let comes = never.above(arrival.coordinate);
        let follows = never.above(next.coordinate);
        let coordinate = comes.select(arrival.coordinate, zero);
        let next = follows.select(next.coordinate, coordinate);
        let (here, adds) = self.forms(coordinate);
        let (there, _) = self.forms(next);
        AnyStep {
            adds: [comes.select(adds[0], zero), comes.select(adds[1], zero)],
            coordinate: comes.select(coordinate, -never),
            gap: follows.select(next - coordinate, zero),
            here,
            there,
        }
    }

    #[inline(always)]
    fn store(step: &AnyStep<S>, memory: &mut [S::f64s]) {
        let AnyStep { adds, coordinate, gap, here, there } = *step;
        memory[0] = adds[0].value();
        memory[1] = adds[1].value();
        memory[2] = coordinate.value();
        memory[3] = gap.value();
        for (memory, forms) in memory[4..].chunks_exact_mut(4).zip([here, there]) {
            memory[0] = forms.potential[0].value();
            memory[1] = forms.potential[1].value();
            memory[2] = forms.slope[0].value();
            memory[3] = forms.slope[1].value();
        }
    }

    #[inline(always)]
    fn load(simd: S, memory: &[S::f64s]) -> AnyStep<S> {
        let forms = |memory: &[S::f64s]| Forms {
            potential: [F64s::new(simd, memory[0]), F64s::new(simd, memory[1])],
            slope: [F64s::new(simd, memory[2]), F64s::new(simd, memory[3])],
        };
        AnyStep {
            adds: [F64s::new(simd, memory[0]), F64s::new(simd, memory[1])],
            coordinate: F64s::new(simd, memory[2]),
            gap: F64s::new(simd, memory[3]),
            here: forms(&memory[4..8]),
            there: forms(&memory[8..12]),
        }
    }

    fn weight_scale(&self) -> f64 {
        1.0
    }

    #[inline(always)]
    fn rest(&self) -> Sums<S> {
        let zero = self.all(0.0);
        Sums { first: zero, second: zero, last: self.all(-NEVER) }
    }

    #[inline(always)]
    fn add(&self, sums: &mut Sums<S>, step: &AnyStep<S>, weight: F64s<S>, to: Mask<S>) {
        let weight = to.select(weight, self.all(0.0));
        sums.first = weight.multiply_add(step.adds[0], sums.first);
        sums.second = weight.multiply_add(step.adds[1], sums.second);
        sums.last = to.select(sums.last.max_of_numbers(step.coordinate), sums.last);
    }

    #[inline(always)]
    fn crosses(&self, sums: &Sums<S>, step: &AnyStep<S>, of: Mask<S>) -> Mask<S> {
        let (zero, one) = (self.all(0.0), self.all(1.0));
        let of = of.and(step.gap.above(zero));
        let there = value(step.there.potential, sums);
        let crosses = there.at_least(one).and(of);
        let rise = value(step.here.slope, sums);
        let tangent = rise.multiply_add(step.gap, value(step.here.potential, sums));
        let peaks = tangent
            .at_least(one)
            .and(rise.above(zero))
            .and(zero.above(value(step.there.slope, sums)))
            .and(of)
            .and_not(crosses);
        if !peaks.any() {
            return crosses;
        }
        let none = zero.above(zero);
        crosses.or(peaks.and(self.all(f64::INFINITY).above(self.crossing(sums, none))))
    }

    #[inline(always)]
    fn may_cross_after(&self, sums: &Sums<S>, _: F64s<S>) -> Mask<S> {
        sums.first.above(self.all(0.0))
    }

    /// When the neurons cross, from the reference, infinite for those that do not; and how steeply.
    #[inline(always)]
    fn locate(&self, sums: &Sums<S>, certain: Mask<S>, possible: Mask<S>) -> [F64s<S>; 3] {
        let (zero, infinity) = (self.all(0.0), self.all(f64::INFINITY));
        // After the last arrival there is a crossing only if the potential rises there: one in the past
        // has a closed form, too.
        let last = sums.last.above(self.all(-NEVER)).select(sums.last, zero);
        let (here, _) = self.forms(last);
        let rises = value(here.slope, sums).above(zero);
        let elapsed = self.crossing(sums, certain);
        let crosses = certain.or(possible.and(rises)).and(infinity.above(elapsed));
        let elapsed = crosses.select(elapsed, infinity);
        let slope = self.slope_at_threshold(sums, crosses.select(elapsed, zero));
        [elapsed, slope, zero]
    }

    #[inline(always)]
    fn spike(&self, [elapsed, slope, _]: [F64s<S>; 3], threshold: f64) -> SpikeState<S> {
        let zero = self.all(0.0);
        let crosses = self.all(f64::INFINITY).above(elapsed);
        let has_slope = crosses.and(slope.above(zero));
        let inverse_slope = self.all(1.0 / threshold) / slope;
        SpikeState {
            response_factors: [crosses.select(elapsed, self.all(-NEVER)), zero],
            inverse_slope: has_slope.select(inverse_slope, zero),
            elapsed,
        }
    }

    #[inline(always)]
    fn recorded_spike(
        &self,
        sums: &Sums<S>,
        at: Instant<S>,
        elapsed: F64s<S>,
        threshold: f64,
    ) -> SpikeState<S> {
        let (zero, infinity) = (self.all(0.0), self.all(f64::INFINITY));
        let received = sums.last.above(self.all(-NEVER));
        let sums = Sums { last: received.select(sums.last, zero), ..*sums };
        let ideal = self.crossing(&sums, zero.above(zero));
        let crosses = received.and(infinity.above(ideal)).and(infinity.above(elapsed));
        let (ideal, elapsed) = (crosses.select(ideal, zero), crosses.select(elapsed, zero));
        let carried = (self.all(self.membrane.membrane_rate) * (ideal - elapsed)).exp();
        let slope = self.slope_at_threshold(&sums, ideal).max(zero) * carried;
        let inverse_slope = self.all(1.0 / threshold) / slope;
        let crosses = crosses.and(slope.above(zero)).and(infinity.above(inverse_slope));
        SpikeState {
            response_factors: [crosses.select(at.coordinate, self.all(-NEVER)), zero],
            inverse_slope: crosses.select(inverse_slope, zero),
            elapsed: zero,
        }
    }

    #[inline(always)]
    fn response(&self, arrival: Instant<S>, [spike, _]: [F64s<S>; 2]) -> [F64s<S>; 2] {
        let zero = self.all(0.0);
        let is_causal = spike.above(arrival.coordinate);
        let elapsed = is_causal.select(spike - arrival.coordinate, zero);
        let after = self.membrane.propagators_after(self.simd, elapsed);
        let slope = after.current * self.all(self.membrane.inverse_capacitance)
            - self.all(self.membrane.membrane_rate) * after.response;
        [is_causal.select(after.response, zero), is_causal.select(slope, zero)]
    }

    fn response_scale(&self) -> f64 {
        1.0
    }

    fn slope_scale(&self) -> f64 {
        1.0
    }
}

/// `τ_m = ∞`: from sums of current and potential, the potential is `p − (I/C) τ_s e^(−t/τ_s)`.
#[inline(always)]
pub(super) fn crossing_non_leaky<S: Simd>(
    simd: S,
    rate: F64s<S>,
    push: F64s<S>,
    potential: F64s<S>,
    threshold: F64s<S>,
) -> (F64s<S>, Mask<S>) {
    let zero = F64s::splat(simd, 0.0);
    let left = (potential - threshold) * rate / push;
    let elapsed = -left.ln() / rate;
    (elapsed, push.above(zero).and(left.above(zero)))
}
