//! The first threshold crossing of a register of neurons within a stretch without events.
//!
//! From a time before the crossing, the potential is followed along a parabola that it cannot exceed:
//! where the parabola reaches the threshold, the potential has not done so before. Steps of this kind
//! approach the first crossing from below, quadratically, and never step over it; if they leave the
//! stretch, there is none.
//!
//! *Nearly equal time constants.* Where the distance to the threshold without the leak is convex
//! (`convexity`), its Taylor polynomials are better than a parabola, for equal and for split currents.
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

use pulp::Simd;

use super::cells::Cells;
use super::motion::Moment;
use crate::simd::{F64s, Mask};

/// Steps after which a peak that grazes the threshold to rounding is taken for what its stretch says.
pub const STEPS: usize = 200;

/// A step below this fraction of the synaptic time constant is the last along a line or parabola: the next
/// would be its square.
const LAST_STEP: f64 = 1e-9;

/// The time to the first crossing in each lane, infinite where there is none within `rest`. Only lanes
/// that are `open` are looked at; of `certain` ones it is known that they cross.
#[inline(always)]
pub fn first_crossing<S: Simd, const SPLIT: bool>(
    cells: &Cells<'_, S>,
    start: &Moment<S>,
    rest: F64s<S>,
    open: Mask<S>,
    certain: Mask<S>,
) -> F64s<S> {
    let all = |value| F64s::splat(cells.simd, value);
    let mut seeker = Seeker {
        start: *start,
        rest,
        certain,
        time: all(0.0),
        active: open,
        found: all(f64::INFINITY),
    };
    let mut steps = 0;
    while steps < STEPS && seeker.active.any() {
        seeker.step::<SPLIT>(cells, steps == 0);
        steps += 1;
    }
    seeker.give_up();
    seeker.found
}

/// A search on its way.
#[derive(Clone, Copy)]
pub struct Seeker<S: Simd> {
    pub start: Moment<S>,
    pub rest: F64s<S>,
    /// Which lanes are known to cross.
    pub certain: Mask<S>,
    /// How far it has come.
    pub time: F64s<S>,
    /// Which lanes are still looked at.
    pub active: Mask<S>,
    /// Infinite where there is no crossing.
    pub found: F64s<S>,
}

impl<S: Simd> Seeker<S> {
    /// Goes on by one step in each lane; the first is taken from the start.
    #[inline(always)]
    pub fn step<const SPLIT: bool>(&mut self, cells: &Cells<'_, S>, is_first: bool) {
        let threshold = cells.threshold();
        let Seeker { start, rest, certain, time, active, found } = *self;
        let state = if is_first { start } else { cells.after::<SPLIT>(&start, time) };
        let state = &state;
        let all = |value| F64s::splat(cells.simd, value);
        let (zero, infinity) = (all(0.0), all(f64::INFINITY));
        let missing = (threshold - state.potential).max_of_numbers(zero);
        let (mut step, mut ahead, mut is_close);
        if is_first {
            (step, ahead) = cells.first_step::<SPLIT>(state, missing);
            is_close = all(0.0).at_least(missing);
        } else {
            (step, ahead, is_close) = cells.step::<SPLIT>(state, missing);
        }
        let is_convex = cells.is_convex::<SPLIT>(state);
        if active.and_not(is_convex).any() {
            let other = if SPLIT {
                careful_step(cells, state, threshold, missing, rest - time)
            } else {
                tangent_step(cells, state, missing)
            };
            let last_step = all(LAST_STEP) / cells.synaptic(0);
            step = is_convex.select(step, other.0);
            ahead = is_convex.and(ahead).or(other.1.and_not(is_convex));
            is_close = is_convex.and(is_close).or(last_step.at_least(step).and_not(is_convex));
        }
        let next = time + step;
        // What crosses for certain does so within the stretch, whatever rounding says.
        let within = rest.at_least(next);
        let next = within.select(next, certain.select(rest, infinity));
        let goes_on = ahead.or(certain).and(rest.at_least(next));
        let is_active = active.and(goes_on);
        let time = is_active.select(next, time);
        let is_last = is_active.and(is_close.or(time.at_least(rest)));
        self.found = is_last.select(time, found);
        self.active = is_active.and_not(is_last);
        self.time = time;
    }

    /// Rounding keeps what is still looked at from the threshold: a peak that only touches it is no
    /// crossing.
    #[inline(always)]
    pub fn give_up(&mut self) {
        self.found = self.active.and(self.certain).select(self.time, self.found);
    }
}

/// The step along the tangent for a single current, and whether there can be a crossing ahead.
#[inline(always)]
fn tangent_step<S: Simd>(
    cells: &Cells<'_, S>,
    state: &Moment<S>,
    missing: F64s<S>,
) -> (F64s<S>, Mask<S>) {
    let all = |value| F64s::splat(cells.simd, value);
    let slope = cells.slope::<false>(state);
    let ahead = slope.above(all(0.0)).or(all(0.0).at_least(missing));
    (missing / slope.max(all(f64::MIN_POSITIVE)), ahead)
}

/// The step along the parabola for split currents, and whether there can be a crossing ahead.
#[inline(always)]
fn careful_step<S: Simd>(
    cells: &Cells<'_, S>,
    state: &Moment<S>,
    threshold: F64s<S>,
    missing: F64s<S>,
    rest: F64s<S>,
) -> (F64s<S>, Mask<S>) {
    let simd = cells.simd;
    let slope = cells.slope::<true>(state);
    let all = |value| F64s::splat(simd, value);
    let zero = all(0.0);
    let membrane = cells.membrane();
    let [excitatory, inhibitory] = [
        state.currents[0] * cells.inverse_capacitance(),
        state.currents[1] * cells.inverse_capacitance(),
    ];
    // `max` gives its argument for NaN: infinitely much time leaves nothing.
    let left = (all(1.0) - cells.synaptic(0) * rest).max(zero);
    let bend = membrane * membrane * threshold
        - (membrane + cells.synaptic(1)) * inhibitory
        - (membrane + cells.synaptic(0)) * excitatory * left;
    let bend = bend.max(zero);
    let root = (slope * slope + all(2.0) * bend * missing).sqrt();
    // Of both forms of the parabola's root the one without cancellation.
    let rising = slope.at_least(zero);
    let tiny = all(f64::MIN_POSITIVE);
    let step = rising
        .select((missing + missing) / (root + slope).max(tiny), (root - slope) / bend.max(tiny));
    // A unit of current lifts the potential by at most 1/λ_s, by less than a time itself.
    let reach = rest.above(all(1.0) / cells.synaptic(0)).select(all(1.0) / cells.synaptic(0), rest);
    let highest = excitatory.multiply_add(reach, state.potential.max(zero));
    (step, highest.at_least(threshold).or(zero.at_least(missing)))
}
