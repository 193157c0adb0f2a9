//! Arrivals by time: any ratio of the time constants.
//!
//! The state is carried from input to input, and the crossing is looked for by the conditions of
//! [`super::super::sweep`], each sample behind its own mask. All crossings of a register are computed at
//! once, from the states at the inputs before them.

use pulp::Simd;

use super::super::crossing::{closed_form, general_from};
use super::super::membrane::Membrane;
use super::{Clock, FirstSpikes};
use crate::neuron::Ratio;
use crate::simd::{F64s, Mask};

/// The clock shows the time itself, and delays are added to it.
#[derive(Clone, Copy)]
pub(super) struct Times<'a, S> {
    simd: S,
    membrane: &'a Membrane,
}

impl<'a, S: Simd> Clock<'a, S> for Times<'a, S> {
    /// Far from zero a unit in the last place is long.
    const CARRIES_ROWS: bool = false;

    #[inline(always)]
    fn new(simd: S, membrane: &'a Membrane) -> Self {
        Times { simd, membrane }
    }

    #[inline(always)]
    fn reading(&self, time: F64s<S>, _: F64s<S>) -> F64s<S> {
        time
    }

    #[inline(always)]
    fn shift(&self, delay: F64s<S>) -> F64s<S> {
        delay
    }

    #[inline(always)]
    fn arrival(&self, input: F64s<S>, shift: F64s<S>) -> F64s<S> {
        input + shift
    }

    #[inline(always)]
    fn weight_scale(&self, _: f64) -> f64 {
        1.0
    }

    #[inline(always)]
    fn search(
        &self,
        threshold: F64s<S>,
        arrivals: &[S::f64s],
        weights: &[S::f64s],
    ) -> [F64s<S>; 2] {
        let (time, current) = first_spike(self.simd, self.membrane, threshold, arrivals, weights);
        [time, current]
    }

    #[inline(always)]
    fn first_spikes(&self, threshold: F64s<S>, [time, current]: [F64s<S>; 2]) -> FirstSpikes<S> {
        let all = |value| F64s::splat(self.simd, value);
        // There the potential is the threshold.
        let leak = all(self.membrane.membrane_rate) * threshold;
        let slope = all(self.membrane.inverse_capacitance) * current - leak;
        let spikes = all(f64::INFINITY).above(time);
        FirstSpikes { deadlines: time, slopes: spikes.select(slope, all(0.0)) }
    }

    #[inline(always)]
    fn times(&self, deadlines: F64s<S>, _: F64s<S>) -> F64s<S> {
        deadlines
    }

    #[inline(always)]
    fn never(&self) -> F64s<S> {
        F64s::splat(self.simd, f64::NEG_INFINITY)
    }

    #[inline(always)]
    fn largest_response(&self) -> f64 {
        f64::INFINITY
    }

    /// Response and slope.
    #[inline(always)]
    fn effect(&self, arrival: F64s<S>, deadline: F64s<S>, factor: F64s<S>) -> [F64s<S>; 2] {
        let all = |value| F64s::splat(self.simd, value);
        let (zero, membrane) = (all(0.0), self.membrane);
        let causal = deadline.above(arrival);
        let elapsed = causal.select(deadline - arrival, zero);
        let views = membrane.views_after(self.simd, elapsed);
        let slope = views.current * all(membrane.inverse_capacitance)
            - all(membrane.membrane_rate) * views.response;
        let factor = causal.select(factor, zero);
        [factor * views.response, factor * slope]
    }

    #[inline(always)]
    fn response(&self, effect: [F64s<S>; 2]) -> [F64s<S>; 2] {
        effect
    }
}

/// The states from which neurons cross.
struct Found<S: Simd> {
    /// The threshold, infinite for lanes whose crossing has been found.
    waiting: F64s<S>,
    /// The inputs before the crossings, and the states there.
    times: F64s<S>,
    currents: F64s<S>,
    potentials: F64s<S>,
}

impl<S: Simd> Found<S> {
    #[inline(always)]
    fn add(&mut self, crosses: Mask<S>, [time, current, potential]: [F64s<S>; 3]) {
        self.times = crosses.select(time, self.times);
        self.currents = crosses.select(current, self.currents);
        self.potentials = crosses.select(potential, self.potentials);
    }
}

/// When neurons with these inputs, sorted by time, first spike, and their currents then. Infinite for
/// those that do not; infinite times are those of inputs that do not come.
#[inline(always)]
fn first_spike<S: Simd>(
    simd: S,
    membrane: &Membrane,
    threshold: F64s<S>,
    times: &[S::f64s],
    weights: &[S::f64s],
) -> (F64s<S>, F64s<S>) {
    let all = |value| F64s::splat(simd, value);
    let (zero, infinity) = (all(0.0), all(f64::INFINITY));
    let (rate, inverse_capacitance) =
        (all(membrane.membrane_rate), all(membrane.inverse_capacitance));
    let slope = |current, potential| inverse_capacitance * current - rate * potential;
    let mut found = Found { waiting: threshold, times: zero, currents: zero, potentials: zero };
    let (mut previous, mut current, mut potential) = (zero, zero, zero);
    for (index, (&time, &weight)) in times.iter().zip(weights).enumerate() {
        let (time, weight) = (F64s::new(simd, time), F64s::new(simd, weight));
        let comes = infinity.above(time);
        let time = comes.select(time, previous);
        let weight = comes.select(weight, zero);
        if index > 0 {
            let gap = time - previous;
            let views = membrane.views_after(simd, gap);
            let next = potential.multiply_add(views.decay, current * views.response);
            let rise = slope(current, potential);
            let mut crosses = next.at_least(found.waiting);
            let peaks = rise
                .multiply_add(gap, potential)
                .at_least(found.waiting)
                .and(zero.above(slope(current * views.current, next)))
                .and(rise.above(zero))
                .and(found.waiting.above(next));
            if peaks.any() {
                let (_, exists) = cross(simd, membrane, current, potential, threshold);
                crosses = crosses.or(peaks.and(exists));
            }
            if crosses.any() {
                found.add(crosses, [previous, current, potential]);
                found.waiting = crosses.select(infinity, found.waiting);
                if !infinity.above(found.waiting).any() {
                    break;
                }
            }
            (current, potential) = (current * views.current, next);
        }
        current = current + weight;
        previous = time;
    }
    // What has not crossed before its last input may do so after it.
    let waits = infinity.above(found.waiting);
    found.add(waits, [previous, current, potential]);
    let (elapsed, exists) = cross(simd, membrane, found.currents, found.potentials, threshold);
    // A peak within rounding of the threshold is no reason to lose a certain crossing.
    let rises = slope(found.currents, found.potentials).above(zero);
    let exists = waits.select(exists.and(rises).select(elapsed, infinity), elapsed);
    let crosses = infinity.above(exists);
    // A crossing at once may be found a rounding earlier.
    let decay = (all(-membrane.synaptic_rate) * crosses.select(elapsed, zero)).exp();
    (crosses.select(found.times + elapsed, infinity), crosses.select(found.currents * decay, zero))
}

/// The time to the crossing from these states, and whether there is one.
#[inline(always)]
fn cross<S: Simd>(
    simd: S,
    membrane: &Membrane,
    current: F64s<S>,
    potential: F64s<S>,
    threshold: F64s<S>,
) -> (F64s<S>, Mask<S>) {
    if membrane.ratio != Ratio::General {
        let sum = membrane.potential_sum(simd, current, potential);
        return closed_form(simd, membrane, current, sum, threshold);
    }
    let elapsed = current.map(|lane, current| {
        let state = (current, potential.lane(lane));
        general_from(membrane, state, threshold.lane(lane)).unwrap_or(f64::INFINITY)
    });
    (elapsed, F64s::splat(simd, f64::INFINITY).above(elapsed))
}
