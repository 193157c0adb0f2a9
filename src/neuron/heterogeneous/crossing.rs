//! The first threshold crossing of a register of neurons within an interval without input.
//!
//! The search follows a parabola that the potential cannot exceed. Until the parabola reaches the threshold,
//! the potential has not. Steps of this kind approach the first crossing from below, quadratically, and
//! never step over it. If they leave the interval, there is no crossing.
//!
//! *Nearly equal time constants.* Where the distance to the threshold without the leak is convex
//! (`convexity`), its Taylor polynomials are better than a parabola, for equal and for split currents.
//!
//! *Equal synaptic time constants.* `V̈ = −λ_m V̇ − λ_s I/C` is negative while the potential rises and the
//! current is positive; without a positive current the potential does not rise to a threshold above rest.
//! The parabola is the tangent, the step Newton's. Once the slope is not positive, there is no crossing
//! ahead.
//!
//! *Split currents*, excitatory `E ≥ 0` and inhibitory `J ≤ 0`. As long as `V < ϑ`,
//!
//! ```text
//! V̈ = −λ_m V̇ − (λ_e E + λ_i J)/C = λ_m² V − ((λ_m + λ_e) E + (λ_m + λ_i) J)/C
//!   ≤ λ_m² ϑ + (λ_m + λ_i) |J|/C − (λ_m + λ_e) E_later/C
//! ```
//!
//! `|J|` and `E` only decay: `|J|` is at most what it is now, and `E` at least `E (1 − λ_e r)` within the
//! rest `r` of the interval. There is no crossing ahead if not even all of `E` without any inhibition
//! could lift the potential to the threshold.

use pulp::Simd;

use super::convexity::SeriesStep;
use super::lanes::NeuronLanes;
use super::params::PARAMS;
use super::propagation::MembraneState;
use crate::simd::{F64s, Mask};

/// The time to the first crossing in each lane, infinite where there is none within `interval`. Only lanes
/// that are `open` are searched; those that are `certain` are known to cross.
#[inline(always)]
pub fn first_crossing<S: Simd, const SPLIT: bool>(
    lanes: &NeuronLanes<'_, S>,
    start: &MembraneState<S>,
    interval: F64s<S>,
    open: Mask<S>,
    certain: Mask<S>,
) -> F64s<S> {
    let mut search = CrossingSearch::new(lanes, *start, interval, open, certain);
    let mut steps = 0;
    while steps < PARAMS.max_steps && search.active.any() {
        search.step::<SPLIT>(lanes, steps == 0);
        steps += 1;
    }
    search.give_up();
    search.found
}

/// A search for the first crossing of each lane.
#[derive(Clone, Copy)]
pub struct CrossingSearch<S: Simd> {
    /// The state at the start of the interval.
    pub start: MembraneState<S>,
    /// Length of the interval.
    pub interval: F64s<S>,
    /// Which lanes are known to cross.
    pub certain: Mask<S>,
    /// How far the search has come: no lane crosses before.
    pub time: F64s<S>,
    /// Which lanes are still searched.
    pub active: Mask<S>,
    /// The time of the crossing; infinite where none is found.
    pub found: F64s<S>,
}

impl<S: Simd> CrossingSearch<S> {
    /// A search in the lanes that are `open`.
    #[inline(always)]
    pub fn new(
        lanes: &NeuronLanes<'_, S>,
        start: MembraneState<S>,
        interval: F64s<S>,
        open: Mask<S>,
        certain: Mask<S>,
    ) -> Self {
        let (time, found) = (lanes.splat(0.0), lanes.splat(f64::INFINITY));
        CrossingSearch { start, interval, certain, time, active: open, found }
    }

    /// Takes one step in each lane; the first one from the start.
    #[inline(always)]
    pub fn step<const SPLIT: bool>(&mut self, lanes: &NeuronLanes<'_, S>, is_first: bool) {
        let CrossingSearch { start, interval, certain, time, active, found } = *self;
        let threshold = lanes.threshold();
        let state = if is_first { start } else { lanes.after::<SPLIT>(&start, time) };
        let all = |value| lanes.splat(value);
        let (zero, infinity) = (all(0.0), all(f64::INFINITY));
        let distance = (threshold - state.potential).max_of_numbers(zero);
        let mut step = if is_first {
            lanes.first_series_step::<SPLIT>(&state, distance)
        } else {
            lanes.series_step::<SPLIT>(&state, distance)
        };
        let is_convex = lanes.is_convex::<SPLIT>(&state);
        if active.and_not(is_convex).any() {
            let (length, is_ahead) = if SPLIT {
                lanes.parabola_step(&state, threshold, distance, interval - time)
            } else {
                lanes.tangent_step(&state, distance)
            };
            let shortest = all(PARAMS.last_parabola_step) / lanes.synaptic_rate(0);
            step = SeriesStep {
                length: is_convex.select(step.length, length),
                is_ahead: is_convex.and(step.is_ahead).or(is_ahead.and_not(is_convex)),
                is_last: is_convex
                    .and(step.is_last)
                    .or(shortest.at_least(length).and_not(is_convex)),
            };
        }
        let next = time + step.length;
        // A certain crossing is within the interval, whatever rounding says.
        let within = interval.at_least(next);
        let next = within.select(next, certain.select(interval, infinity));
        let goes_on = step.is_ahead.or(certain).and(interval.at_least(next));
        let is_active = active.and(goes_on);
        let time = is_active.select(next, time);
        let is_last = is_active.and(step.is_last.or(time.at_least(interval)));
        self.found = is_last.select(time, found);
        self.active = is_active.and_not(is_last);
        self.time = time;
    }

    /// Ends the search after too many steps: rounding keeps the remaining lanes from the threshold. Of
    /// these, only the certain ones cross; a peak that only touches the threshold is no crossing.
    #[inline(always)]
    pub fn give_up(&mut self) {
        self.found = self.active.and(self.certain).select(self.time, self.found);
    }
}

impl<S: Simd> NeuronLanes<'_, S> {
    /// The step along the tangent for a single current, and whether there can be a crossing ahead.
    #[inline(always)]
    fn tangent_step(&self, state: &MembraneState<S>, distance: F64s<S>) -> (F64s<S>, Mask<S>) {
        let zero = self.splat(0.0);
        let slope = self.slope::<false>(state);
        let is_ahead = slope.above(zero).or(zero.at_least(distance));
        (distance / slope.max(self.splat(f64::MIN_POSITIVE)), is_ahead)
    }

    /// The step along the parabola for split currents, and whether there can be a crossing ahead within the
    /// rest of the interval.
    #[inline(always)]
    fn parabola_step(
        &self,
        state: &MembraneState<S>,
        threshold: F64s<S>,
        distance: F64s<S>,
        rest: F64s<S>,
    ) -> (F64s<S>, Mask<S>) {
        let all = |value| self.splat(value);
        let (zero, smallest) = (all(0.0), all(f64::MIN_POSITIVE));
        let (membrane_rate, synaptic_rate) = (self.membrane_rate(), self.synaptic_rate(0));
        let slope = self.slope::<true>(state);
        let [excitatory, inhibitory] = [
            state.currents[0] * self.inverse_capacitance(),
            state.currents[1] * self.inverse_capacitance(),
        ];
        // `max` gives its argument for NaN: an infinite rest leaves nothing.
        let left = (all(1.0) - synaptic_rate * rest).max(zero);
        let curvature = membrane_rate * membrane_rate * threshold
            - (membrane_rate + self.synaptic_rate(1)) * inhibitory
            - (membrane_rate + synaptic_rate) * excitatory * left;
        let curvature = curvature.max(zero);
        let root = (slope * slope + all(2.0) * curvature * distance).sqrt();
        // Of both forms of the root, the one without cancellation.
        let rising = slope.at_least(zero);
        let step = rising.select(
            (distance + distance) / (root + slope).max(smallest),
            (root - slope) / curvature.max(smallest),
        );
        // A unit of current lifts the potential by at most 1/λ_s, and by less than the time it has.
        let time_constant = all(1.0) / synaptic_rate;
        let reach = rest.above(time_constant).select(time_constant, rest);
        let highest = excitatory.multiply_add(reach, state.potential.max(zero));
        (step, highest.at_least(threshold).or(zero.at_least(distance)))
    }
}
