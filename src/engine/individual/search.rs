//! The first threshold crossing of a register of neurons within a stretch without events.
//!
//! From a time before the crossing, the potential is followed along a parabola that it cannot exceed:
//! where the parabola reaches the threshold, the potential has not done so before. Steps of this kind
//! approach the first crossing from below, quadratically, and never step over it; if they leave the
//! stretch, there is none.
//!
//! *Nearly equal time constants.* Where the distance to the threshold without the leak is convex
//! (`convexity`), its tangent is that line, for equal and for split currents: the step is Newton's.
//!
//! *Equal synaptic time constants.* `V̈ = −λ_m V̇ − λ_s I/C` is negative while the potential rises and the
//! current is positive; and without a positive current the potential does not rise to a threshold above
//! rest. The parabola is the tangent, the step Newton's, and once the slope is not positive there is no
//! crossing ahead.
//!
//! *Split currents*, excitatory `E ≥ 0` and inhibitory `J ≤ 0`: as long as `V < ϑ`,
//!
//! ```text
//! V̈ = −λ_m V̇ − (λ_e E + λ_i J)/C = λ_m² V − ((λ_m + λ_e) E + (λ_m + λ_i) J)/C
//!   ≤ λ_m² ϑ + (λ_m + λ_i) |J|/C − (λ_m + λ_e) E_later/C
//! ```
//!
//! where all of `|J|` and `E` only decay: `|J|` is at most what it is now, and `E` at least
//! `E (1 − λ_e r)` within the rest `r` of the stretch. There is no crossing ahead if not even all of `E`
//! without any inhibition could lift the potential to the threshold.

use pulp::{Simd, WithSimd};

use super::motion::{Moment, Rates};
use crate::engine::feed_forward::elementary::{Doubles, Truths};

/// Steps after which a peak that grazes the threshold to rounding is taken for what its stretch says.
const STEPS: usize = 200;

/// A step below this fraction of the synaptic time constant is the last: the next would be its square.
const LAST_STEP: f64 = 1e-9;

/// The crossing within a stretch at the end of which the potential is above the threshold, where it
/// rises all the way: Newton's iteration from the chord, without any care. Lanes that are not `open`
/// have no meaning.
#[inline(always)]
pub fn only_crossing<S: Simd, const SPLIT: bool>(
    rates: &Rates<S>,
    start: &Moment<S>,
    end: Doubles<S>,
    threshold: Doubles<S>,
    gap: f64,
    open: Truths<S>,
) -> Doubles<S> {
    let simd = rates.simd;
    let all = |value| Doubles::splat(simd, value);
    let (zero, rest) = (all(0.0), all(gap));
    let last_step = all(LAST_STEP) / rates.synaptic[0];
    let mut time = rest * (threshold - start.potential) / (end - start.potential);
    time = open.select(time, zero);
    for _ in 0..STEPS {
        let state = if rates.is_short(gap) {
            rates.after_short::<SPLIT>(start, time)
        } else {
            rates.after::<SPLIT>(start, time)
        };
        let step = (threshold - state.potential) / rates.slope::<SPLIT>(&state);
        let next = (time + step).max(zero);
        let next = next.above(rest).select(rest, next);
        time = open.select(next, zero);
        if !step.max(-step).above(last_step).and(open).any() {
            break;
        }
    }
    time
}

/// The time to the first crossing in each lane, infinite where there is none within `rest`. Only lanes
/// that are `open` are looked at; those where `certain` holds are known to cross.
#[inline(always)]
pub fn first_crossing<S: Simd, const SPLIT: bool>(
    rates: &Rates<S>,
    start: &Moment<S>,
    threshold: Doubles<S>,
    rest: Doubles<S>,
    open: Truths<S>,
    certain: Truths<S>,
) -> Doubles<S> {
    let start = *start;
    let search = Search::<S, SPLIT> { rates: *rates, start, threshold, rest, open, certain };
    // A function of its own: it is called in several places, and rarely enough.
    rates.simd.vectorize(search)
}

struct Search<S: Simd, const SPLIT: bool> {
    rates: Rates<S>,
    start: Moment<S>,
    threshold: Doubles<S>,
    rest: Doubles<S>,
    open: Truths<S>,
    certain: Truths<S>,
}

impl<S: Simd, const SPLIT: bool> WithSimd for Search<S, SPLIT> {
    type Output = Doubles<S>;

    #[inline(always)]
    fn with_simd<Same: Simd>(self, _: Same) -> Doubles<S> {
        search(&self)
    }
}

#[inline(always)]
fn search<S: Simd, const SPLIT: bool>(task: &Search<S, SPLIT>) -> Doubles<S> {
    let &Search { ref rates, ref start, threshold, rest, open, certain } = task;
    let simd = rates.simd;
    let all = |value| Doubles::splat(simd, value);
    let (zero, infinity) = (all(0.0), all(f64::INFINITY));
    let last_step = all(LAST_STEP) / rates.synaptic[0];
    let mut found = infinity;
    // One where a lane is still looked at.
    let mut active = open.select(all(1.0), zero);
    let mut time = zero;
    let mut state = *start;
    for _ in 0..STEPS {
        let missing = (threshold - state.potential).max(zero);
        let reached = zero.at_least(missing);
        let surplus = rates.surplus::<SPLIT>(&state);
        let tiny = all(f64::MIN_POSITIVE);
        let mut step = missing / (surplus * rates.inverse_capacitance).max(tiny);
        let mut ahead = surplus.above(zero).or(reached);
        let is_convex = rates.is_convex::<SPLIT>(&state);
        if active.above(zero).and_not(is_convex).any() {
            let slope = rates.slope::<SPLIT>(&state);
            let (other_step, other_ahead) = if SPLIT {
                careful_step(rates, &state, threshold, missing, slope, rest - time)
            } else {
                (missing / slope.max(tiny), slope.above(zero).or(reached))
            };
            step = is_convex.select(step, other_step);
            ahead = is_convex.and(ahead).or(other_ahead.and_not(is_convex));
        }
        let next = time + step;
        // What crosses for certain does so within the stretch, whatever rounding says.
        let within = rest.at_least(next);
        let next = within.select(next, certain.select(rest, infinity));
        let goes_on = ahead.or(certain).and(rest.at_least(next));
        active = goes_on.select(active, zero);
        let is_active = active.above(zero);
        time = is_active.select(next, time);
        let is_last = is_active.and(last_step.at_least(step).or(time.at_least(rest)));
        found = is_last.select(time, found);
        active = is_last.select(zero, active);
        if !active.above(zero).any() {
            return found;
        }
        state = rates.after::<SPLIT>(start, time);
    }
    // Rounding keeps them from the threshold: a peak that only touches it is no crossing.
    active.above(zero).and(certain).select(time, found)
}

/// The step along the parabola for split currents, and whether there can be a crossing ahead.
#[inline(always)]
fn careful_step<S: Simd>(
    rates: &Rates<S>,
    state: &Moment<S>,
    threshold: Doubles<S>,
    missing: Doubles<S>,
    slope: Doubles<S>,
    rest: Doubles<S>,
) -> (Doubles<S>, Truths<S>) {
    let simd = rates.simd;
    let all = |value| Doubles::splat(simd, value);
    let zero = all(0.0);
    let membrane = rates.membrane;
    let [excitatory, inhibitory] = [
        state.currents[0] * rates.inverse_capacitance,
        state.currents[1] * rates.inverse_capacitance,
    ];
    // `max` gives its argument for NaN: infinitely much time leaves nothing.
    let left = (all(1.0) - rates.synaptic[0] * rest).max(zero);
    let bend = membrane * membrane * threshold
        - (membrane + rates.synaptic[1]) * inhibitory
        - (membrane + rates.synaptic[0]) * excitatory * left;
    let bend = bend.max(zero);
    let root = (slope * slope + all(2.0) * bend * missing).sqrt();
    // Of both forms of the parabola's root the one without cancellation.
    let rising = slope.at_least(zero);
    let tiny = all(f64::MIN_POSITIVE);
    let step = rising
        .select((missing + missing) / (root + slope).max(tiny), (root - slope) / bend.max(tiny));
    // A unit of current lifts the potential by at most 1/λ_s, by less than a time itself.
    let reach = rest.above(all(1.0) / rates.synaptic[0]).select(all(1.0) / rates.synaptic[0], rest);
    let highest = excitatory.multiply_add(reach, state.potential.max(zero));
    (step, highest.at_least(threshold).or(zero.at_least(missing)))
}
