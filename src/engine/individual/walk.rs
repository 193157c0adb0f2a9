//! Stretches on which neurons spike, or on which their refractory periods end.
//!
//! Neither current nor potential wait for the time of a spike: synaptic currents survive it, and the
//! potential stays at the reset for as long as the neuron is refractory. A neuron that will be refractory
//! to the end of the stretch on which it spikes is therefore only parked, with the state at the start of
//! the stretch; when its refractory period may end, the crossings of all parked neurons of the register
//! are computed together.

use pulp::{Simd, WithSimd};

use super::LayerSpike;
use super::motion::{Moment, Rates};
use super::search::first_crossing;
use crate::engine::feed_forward::elementary::{Doubles, Truths};

/// The neurons of a register.
#[derive(Clone, Copy)]
pub struct Cells<S: Simd> {
    pub rates: Rates<S>,
    pub threshold: Doubles<S>,
    pub reset: Doubles<S>,
    pub refractory_period: Doubles<S>,
    pub register: usize,
    /// The neuron in the first lane.
    pub first: usize,
}

/// Where they are.
#[derive(Clone, Copy)]
pub struct Place<S: Simd> {
    pub state: Moment<S>,
    /// End of the refractory period; of a parked neuron, a time before it.
    pub release: Doubles<S>,
    pub now: f64,
    pub parked: Parked<S>,
}

/// Neurons whose spikes are known of, but not when they are.
#[derive(Clone, Copy)]
pub struct Parked<S: Simd> {
    /// At the beginning of the stretch on which they spike.
    start: Moment<S>,
    /// When that is; infinite for neurons that are not parked.
    since: Doubles<S>,
    length: Doubles<S>,
}

impl<S: Simd> Parked<S> {
    #[inline(always)]
    pub fn none(simd: S) -> Self {
        let since = Doubles::splat(simd, f64::INFINITY);
        Parked { start: Moment::at_rest(simd), since, length: Doubles::splat(simd, 0.0) }
    }

    #[inline(always)]
    fn which(&self, simd: S) -> Truths<S> {
        Doubles::splat(simd, f64::INFINITY).above(self.since)
    }

    /// Whether there are any.
    #[inline(always)]
    pub fn any(&self, simd: S) -> bool {
        self.which(simd).any()
    }
}

impl<S: Simd> Place<S> {
    /// Which neurons are released before a time to which others are `held`.
    #[inline(always)]
    pub fn is_released(&self, simd: S, held: Truths<S>) -> Truths<S> {
        let later = self.release.above(Doubles::splat(simd, self.now));
        later.or(self.parked.which(simd)).and_not(held)
    }
}

impl<S: Simd> Cells<S> {
    /// Computes when the parked neurons spike.
    #[inline(always)]
    pub fn settle<const SPLIT: bool>(
        &self,
        mut at: Place<S>,
        spikes: &mut Vec<LayerSpike>,
    ) -> Place<S> {
        let Cells { rates, threshold, .. } = self;
        let Parked { start, since, length } = at.parked;
        let parked = at.parked.which(rates.simd);
        let elapsed =
            first_crossing::<S, SPLIT>(rates, &start, *threshold, length, parked, parked);
        // Infinite where nothing is parked.
        let times = since + elapsed;
        self.push(times, spikes);
        at.release = parked.select(times + self.refractory_period, at.release);
        at.parked = Parked::none(rates.simd);
        at
    }

    /// Writes down the spikes of a register.
    #[inline(always)]
    fn push(&self, times: Doubles<S>, spikes: &mut Vec<LayerSpike>) {
        for lane in 0..S::F64_LANES {
            let time = times.lane(lane);
            if time < f64::INFINITY {
                spikes.push(LayerSpike { time, neuron: (self.first + lane) as u32 });
            }
        }
    }
}

/// A stretch on which something may happen.
pub struct Walk<'a, S: Simd, const SPLIT: bool> {
    pub cells: &'a Cells<S>,
    pub at: Place<S>,
    /// The state at its end if no neuron is released or spikes.
    pub next: Moment<S>,
    /// Which neurons may spike if none is released.
    pub open: Truths<S>,
    pub time: f64,
    pub spikes: &'a mut Vec<LayerSpike>,
}

impl<S: Simd, const SPLIT: bool> WithSimd for Walk<'_, S, SPLIT> {
    type Output = Place<S>;

    #[inline(always)]
    fn with_simd<Same: Simd>(mut self, _: Same) -> Place<S> {
        self.park().unwrap_or_else(|| self.carefully())
    }
}

impl<S: Simd, const SPLIT: bool> Walk<'_, S, SPLIT> {
    /// The usual case: no refractory period ends, and neurons that spike are refractory to the end of the
    /// stretch. None if it is another case.
    #[inline(always)]
    fn park(&mut self) -> Option<Place<S>> {
        let Cells { rates, threshold, reset, refractory_period, .. } = self.cells;
        let simd = rates.simd;
        let at = &self.at;
        let (start, end) = (Doubles::splat(simd, at.now), Doubles::splat(simd, self.time));
        let held = at.release.at_least(end);
        if at.is_released(simd, held).any() {
            return None;
        }
        let length = Doubles::splat(simd, self.time - at.now);
        let mut crosses = self.next.potential.at_least(*threshold).and(self.open);
        let undecided = self.open.and_not(crosses);
        if undecided.any() {
            let nowhere = length.above(length);
            let elapsed = first_crossing::<S, SPLIT>(
                rates, &at.state, *threshold, length, undecided, nowhere,
            );
            crosses = crosses.or(Doubles::splat(simd, f64::INFINITY).above(elapsed));
        }
        let earliest = start + *refractory_period;
        if end.above(earliest).and(crosses).any() {
            return None;
        }
        let parked = Parked {
            start: at.state.or(crosses, at.parked.start),
            since: crosses.select(start, at.parked.since),
            length: crosses.select(length, at.parked.length),
        };
        let mut state = self.next;
        state.potential = crosses.select(*reset, state.potential);
        let release = crosses.select(earliest, at.release);
        Some(Place { state, release, now: self.time, parked })
    }

    /// Any case: each neuron goes from the end of its refractory period, if it is in one, to its next
    /// spike, from there to the end of the next refractory period, and so on.
    #[inline(always)]
    fn carefully(self) -> Place<S> {
        let Walk { cells, mut at, time, spikes, .. } = self;
        if at.parked.any(cells.rates.simd) {
            at = cells.settle::<SPLIT>(at, spikes);
        }
        let Cells { rates, threshold, reset, refractory_period, .. } = cells;
        let simd = rates.simd;
        let all = |value| Doubles::splat(simd, value);
        let (zero, infinity) = (all(0.0), all(f64::INFINITY));
        let (start, length) = (all(at.now), all(time - at.now));
        let mut release = at.release;
        let mut state = at.state;
        let mut end = at.state;
        let mut active = zero.at_least(zero);
        loop {
            let wait = (release - start).max(zero);
            let wait = wait.above(length).select(length, wait);
            rates.hold::<SPLIT>(&mut state, wait);
            let rest = length - wait;
            let next = rates.after::<SPLIT>(&state, rest);
            end = next.or(active, end);
            let open = rates.may_cross::<SPLIT>([&state, &next], rest, *threshold);
            let open = open.and(active).and(rest.above(zero));
            if !open.any() {
                break;
            }
            let crosses = next.potential.at_least(*threshold).and(open);
            let elapsed =
                first_crossing::<S, SPLIT>(rates, &state, *threshold, rest, open, crosses);
            let spiked = infinity.above(elapsed);
            let times = start + wait + elapsed;
            cells.push(spiked.select(times, infinity), spikes);
            release = spiked.select(times + *refractory_period, release);
            end.potential = spiked.select(*reset, end.potential);
            active = spiked.and_not(release.at_least(all(time)));
            if !active.any() {
                break;
            }
            // Currents pass over spikes: they come from the start of the stretch.
            state = Moment { potential: *reset, ..at.state };
        }
        Place { state: end, release, now: time, ..at }
    }
}
