//! Stretches on which neurons spike, or on which their refractory periods end.
//!
//! Neither current nor potential wait for the time of a spike: synaptic currents survive it, and the
//! potential stays at the reset for as long as the neuron is refractory. A neuron that will be refractory
//! to the end of the stretch on which it spikes is therefore only parked, with the state at the start of
//! the stretch; when its refractory period may end, the crossings of all parked neurons of the register
//! are computed together, and those of all registers one after the other at the end (`finish`): no branch
//! depends on one of them, so that the processor can go on with the next in the meantime.

use pulp::{Simd, WithSimd};

use super::LayerSpike;
use super::motion::{Moment, Rates};
use super::neurons::{IndividualNeurons, RateRange};
use super::search::first_crossing;
use crate::engine::feed_forward::elementary::{Doubles, Truths, registers};

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
    #[inline(always)]
    pub fn load(simd: S, neurons: &IndividualNeurons, register: usize, range: RateRange) -> Self {
        let load = |column: &[f64]| Doubles::new(simd, registers::<S>(column)[register]);
        Cells {
            rates: Rates::load(simd, neurons, register, range),
            threshold: load(&neurons.threshold),
            reset: load(&neurons.reset),
            refractory_period: load(&neurons.refractory_period),
            register,
            first: register * S::F64_LANES,
        }
    }

    /// Writes down the spikes of a register.
    #[inline(always)]
    fn push(&self, times: Doubles<S>, spikes: &mut Vec<LayerSpike>) {
        let before = spikes.len();
        let mut count = before;
        spikes.resize(before + S::F64_LANES, LayerSpike { time: 0.0, neuron: 0 });
        let room = &mut spikes[before..];
        for lane in 0..S::F64_LANES {
            let time = times.lane(lane);
            // Without a branch, which would be mispredicted as often as not.
            room[count - before] = LayerSpike { time, neuron: (self.first + lane) as u32 };
            count += usize::from(time < f64::INFINITY);
        }
        spikes.truncate(count);
    }
}

/// A stretch on which something may happen.
pub struct Walk<'a, S: Simd, const SPLIT: bool> {
    pub cells: &'a Cells<S>,
    /// Where the neurons are, then where they come to. Half a kilobyte, which is not to be passed on.
    pub at: &'a mut Place<S>,
    /// The state at its end if no neuron is released or spikes.
    pub next: &'a Moment<S>,
    /// Which neurons may spike if none is released.
    pub open: Truths<S>,
    pub time: f64,
    pub spikes: &'a mut Vec<LayerSpike>,
}

impl<S: Simd, const SPLIT: bool> WithSimd for Walk<'_, S, SPLIT> {
    type Output = ();

    #[inline(always)]
    fn with_simd<Same: Simd>(mut self, _: Same) {
        if !self.park() {
            self.carefully();
        }
    }
}

impl<S: Simd, const SPLIT: bool> Walk<'_, S, SPLIT> {
    /// The usual case: no refractory period ends, and neurons that spike are refractory to the end of the
    /// stretch. If it is another case, nothing is changed.
    #[inline(always)]
    fn park(&mut self) -> bool {
        let Cells { rates, threshold, reset, refractory_period, .. } = self.cells;
        let simd = rates.simd;
        let at = &mut *self.at;
        let (start, end) = (Doubles::splat(simd, at.now), Doubles::splat(simd, self.time));
        let held = at.release.at_least(end);
        if at.is_released(simd, held).any() {
            return false;
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
            return false;
        }
        at.parked = Parked {
            start: at.state.or(crosses, at.parked.start),
            since: crosses.select(start, at.parked.since),
            length: crosses.select(length, at.parked.length),
        };
        at.state = *self.next;
        at.state.potential = crosses.select(*reset, at.state.potential);
        at.release = crosses.select(earliest, at.release);
        at.now = self.time;
        true
    }

    /// Any case.
    #[inline(always)]
    fn carefully(self) {
        let Walk { cells, at, time, spikes, .. } = self;
        let mut way = Way::new::<SPLIT>(cells, at, time);
        while way.open.any() {
            way.spike::<SPLIT>(cells, spikes);
            if !way.goes_on.any() {
                break;
            }
            way.go_on::<SPLIT>(cells);
        }
        *at = way.place(cells.rates.simd);
    }
}

/// The way of a register's neurons through a stretch of time: each goes from the end of its refractory
/// period, if it is in one, to its next spike, from there to the end of the next refractory period, and so
/// on. Parked neurons come from their spike before the stretch.
#[derive(Clone, Copy)]
pub struct Way<S: Simd> {
    start: Moment<S>,
    now: f64,
    time: f64,
    /// Where each neuron is, since when, and for how long.
    state: Moment<S>,
    since: Doubles<S>,
    rest: Doubles<S>,
    release: Doubles<S>,
    /// At the end of the stretch if it does not spike any more.
    end: Moment<S>,
    /// Which may spike, and which do.
    pub open: Truths<S>,
    crosses: Truths<S>,
    /// Which have spiked, and are released before the end.
    pub goes_on: Truths<S>,
}

impl<S: Simd> Way<S> {
    /// From a place to a time.
    #[inline(always)]
    pub fn new<const SPLIT: bool>(cells: &Cells<S>, at: &Place<S>, time: f64) -> Self {
        let Cells { rates, threshold, .. } = cells;
        let all = |value| Doubles::splat(rates.simd, value);
        let (zero, now, length) = (all(0.0), all(at.now), all(time - at.now));
        let parked = at.parked.which(rates.simd);
        let wait = parked.select(zero, (at.release - now).max(zero));
        let wait = wait.above(length).select(length, wait);
        let mut state = at.state;
        if wait.above(zero).any() {
            rates.hold::<SPLIT>(&mut state, wait);
        }
        let rest = length - wait;
        let end = rates.after::<SPLIT>(&state, rest);
        let open = rates.may_cross::<SPLIT>([&state, &end], rest, *threshold);
        let open = open.and(rest.above(zero)).or(parked);
        Way {
            start: at.state,
            now: at.now,
            time,
            state: at.parked.start.or(parked, state),
            since: parked.select(at.parked.since, now + wait),
            rest: parked.select(at.parked.length, rest),
            release: at.release,
            end,
            open,
            crosses: end.potential.at_least(*threshold).or(parked).and(open),
            goes_on: parked,
        }
    }

    /// Neurons that have spiked go on when they are released.
    #[inline(always)]
    pub fn go_on<const SPLIT: bool>(&mut self, cells: &Cells<S>) {
        let Cells { rates, threshold, reset, .. } = cells;
        let all = |value| Doubles::splat(rates.simd, value);
        let (zero, length) = (all(0.0), all(self.time - self.now));
        let wait = (self.release - all(self.now)).max(zero);
        let wait = wait.above(length).select(length, wait);
        // Currents pass over spikes: they come from the start of the stretch.
        self.state = Moment { potential: *reset, ..self.start };
        rates.hold::<SPLIT>(&mut self.state, wait);
        self.since = all(self.now) + wait;
        self.rest = length - wait;
        let next = rates.after::<SPLIT>(&self.state, self.rest);
        self.end = next.or(self.goes_on, self.end);
        let open = rates.may_cross::<SPLIT>([&self.state, &next], self.rest, *threshold);
        self.open = open.and(self.goes_on).and(self.rest.above(zero));
        self.crosses = next.potential.at_least(*threshold).and(self.open);
    }

    /// Neurons that may spike do so, or do not.
    #[inline(always)]
    pub fn spike<const SPLIT: bool>(&mut self, cells: &Cells<S>, spikes: &mut Vec<LayerSpike>) {
        let Cells { rates, threshold, reset, refractory_period, .. } = cells;
        let all = |value| Doubles::splat(rates.simd, value);
        let elapsed = first_crossing::<S, SPLIT>(
            rates,
            &self.state,
            *threshold,
            self.rest,
            self.open,
            self.crosses,
        );
        let spiked = all(f64::INFINITY).above(elapsed);
        let times = self.since + elapsed;
        cells.push(times, spikes);
        self.release = spiked.select(times + *refractory_period, self.release);
        self.end.potential = spiked.select(*reset, self.end.potential);
        self.goes_on = spiked.and_not(self.release.at_least(all(self.time)));
    }

    /// Where it ends.
    #[inline(always)]
    pub fn place(&self, simd: S) -> Place<S> {
        Place { state: self.end, release: self.release, now: self.time, parked: Parked::none(simd) }
    }
}
