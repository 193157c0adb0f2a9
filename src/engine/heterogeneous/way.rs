//! The way of a register's neurons through a stretch of time: each goes from the end of its refractory
//! period, if it is in one, to its next spike, from there to the end of the next refractory period, and so
//! on. Parked neurons come from their spike before the stretch.
//!
//! What is known of the way stands in blocks of eight neurons, so that many registers can take their steps by
//! turns.

use pulp::Simd;

use super::LayerSpike;
use super::blocks::{Column, MomentColumns, PADDING, Part, Place};
use super::cells::Cells;
use super::motion::Moment;
use super::places::Places;
use super::search::Seeker;
use crate::simd::{F64s, Mask};

/// Eight neurons on their way.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
pub struct WayBlock {
    /// Where each neuron is, since when, and for how long.
    state: MomentColumns,
    since: Column,
    rest: Column,
    /// The end of the stretch if it does not spike any more.
    end: MomentColumns,
    /// The search for its spike ([`Seeker`]): truth values are one or zero.
    certain: Column,
    time: Column,
    active: Column,
    found: Column,
}

impl WayBlock {
    pub const NONE: WayBlock = {
        let (zero, moment) = ([0.0; PADDING], MomentColumns::ZERO);
        WayBlock {
            state: moment,
            since: zero,
            rest: zero,
            end: moment,
            certain: zero,
            time: zero,
            active: zero,
            found: zero,
        }
    };
}

/// A register on its way from one time to another.
pub struct Way<'a, 'b, S: Simd> {
    pub cells: Cells<'a, S>,
    pub places: &'a mut Places<'b>,
    pub now: f64,
    pub time: f64,
}

impl<S: Simd> Way<'_, '_, S> {
    #[inline(always)]
    fn all(&self, value: f64) -> F64s<S> {
        F64s::splat(self.cells.simd, value)
    }

    /// Begins; whether any neuron may spike.
    #[inline(always)]
    pub fn set_out<const SPLIT: bool>(&mut self) -> bool {
        let Cells { simd, register, .. } = self.cells;
        let (zero, now, length) =
            (self.all(0.0), self.all(self.now), self.all(self.time - self.now));
        let parked = self.places.parked::<S>(simd, register);
        let is_parked = parked.which(simd);
        let mut state = self.places.state::<S>(simd, register);
        let wait = is_parked.select(zero, self.wait(self.places.release(simd, register)));
        if wait.above(zero).any() {
            self.cells.hold::<SPLIT>(&mut state, wait);
        }
        let rest = length - wait;
        let end = self.cells.after::<SPLIT>(&state, rest);
        let threshold = self.cells.threshold();
        let open = self.cells.may_cross::<SPLIT>([&state, &end], rest, threshold);
        let open = open.and(rest.above(zero)).or(is_parked);
        let certain = end.potential.at_least(threshold).or(is_parked).and(open);
        self.seek(
            &parked.start.or(is_parked, state),
            is_parked.select(parked.since, now + wait),
            is_parked.select(parked.length, rest),
            open,
            certain,
        );
        let (place, block) = self.block();
        block.end.store(place, &end);
        open.any()
    }

    /// What is left of the refractory periods, as far as the way goes.
    #[inline(always)]
    fn wait(&self, release: F64s<S>) -> F64s<S> {
        let length = self.all(self.time - self.now);
        (release - self.all(self.now)).max_of_numbers(self.all(0.0)).min(length)
    }

    /// Begins to look for spikes from these states on.
    #[inline(always)]
    fn seek(
        &mut self,
        state: &Moment<S>,
        since: F64s<S>,
        rest: F64s<S>,
        open: Mask<S>,
        certain: Mask<S>,
    ) {
        let (zero, one, never) = (self.all(0.0), self.all(1.0), self.all(f64::INFINITY));
        let (place, block) = self.block();
        block.state.store(place, state);
        place.store(since, &mut block.since);
        place.store(rest, &mut block.rest);
        place.store(certain.select(one, zero), &mut block.certain);
        place.store(zero, &mut block.time);
        place.store(open.select(one, zero), &mut block.active);
        place.store(never, &mut block.found);
    }

    #[inline(always)]
    fn block(&mut self) -> (Place, &mut WayBlock) {
        let place = Place::new::<S>(self.cells.register);
        (place, &mut self.places.ways[place.block])
    }

    #[inline(always)]
    fn part(&self) -> Part<'_, WayBlock> {
        Part::new::<S>(self.places.ways, self.cells.register)
    }

    #[inline(always)]
    fn seeker(&self) -> Seeker<S> {
        let (simd, part) = (self.cells.simd, self.part());
        Seeker {
            start: part.moment(simd, &part.state),
            rest: part.load(simd, &part.rest),
            certain: part.load(simd, &part.certain).above(self.all(0.0)),
            time: part.load(simd, &part.time),
            active: part.load(simd, &part.active).above(self.all(0.0)),
            found: part.load(simd, &part.found),
        }
    }

    /// Goes on by one step of the search; whether any neuron is still looked at.
    #[inline(always)]
    pub fn step<const SPLIT: bool>(&mut self, is_first: bool) -> bool {
        let mut seeker = self.seeker();
        seeker.step::<SPLIT>(&self.cells, is_first);
        let active = seeker.active.select(self.all(1.0), self.all(0.0));
        let (place, block) = self.block();
        place.store(seeker.time, &mut block.time);
        place.store(active, &mut block.active);
        place.store(seeker.found, &mut block.found);
        seeker.active.any()
    }

    /// If the search has not ended, it does now: see [`Seeker::give_up`].
    #[inline(always)]
    pub fn give_up(&mut self) {
        let mut seeker = self.seeker();
        seeker.give_up();
        let (place, block) = self.block();
        place.store(seeker.found, &mut block.found);
    }

    /// Neurons whose spikes were found spike, and go on when they are released. Whether any may spike
    /// again.
    #[inline(always)]
    pub fn spike<const SPLIT: bool>(&mut self, spikes: &mut Vec<LayerSpike>) -> bool {
        let Cells { simd, register, .. } = self.cells;
        let part = self.part();
        let (elapsed, since) = (part.load(simd, &part.found), part.load(simd, &part.since));
        let mut end = part.moment(simd, &part.end);
        let spiked = self.all(f64::INFINITY).above(elapsed);
        let times = since + elapsed;
        push(register, times, spikes);
        let release = self.places.release::<S>(simd, register);
        let release = spiked.select(times + self.cells.refractory_period(), release);
        let place = Place::new::<S>(register);
        place.store(release, &mut self.places.states[place.block].release);
        let reset = self.cells.reset();
        end.potential = spiked.select(reset, end.potential);
        let goes_on = spiked.and_not(release.at_least(self.all(self.time)));
        let is_open = goes_on.any() && self.go_on::<SPLIT>(goes_on, release, &mut end);
        let (place, block) = self.block();
        block.end.store(place, &end);
        is_open
    }

    /// Neurons are released, and come to another end. Whether any may spike.
    #[inline(always)]
    fn go_on<const SPLIT: bool>(
        &mut self,
        goes_on: Mask<S>,
        release: F64s<S>,
        end: &mut Moment<S>,
    ) -> bool {
        let Cells { simd, register, .. } = self.cells;
        let wait = self.wait(release);
        let rest = self.all(self.time - self.now) - wait;
        // Currents pass over spikes: they come from the start of the stretch.
        let mut state = self.places.state::<S>(simd, register);
        if !goes_on.and_not(self.cells.fades::<SPLIT>(&state, wait)).any()
            && let Some(potential) = self.cells.since_reset::<SPLIT>(end, rest)
        {
            end.potential = goes_on.select(potential, end.potential);
            return false;
        }
        state.potential = self.cells.reset();
        self.cells.hold::<SPLIT>(&mut state, wait);
        let next = self.cells.after::<SPLIT>(&state, rest);
        let threshold = self.cells.threshold();
        let open = self.cells.may_cross::<SPLIT>([&state, &next], rest, threshold);
        let open = open.and(goes_on).and(rest.above(self.all(0.0)));
        if open.any() {
            let certain = next.potential.at_least(threshold).and(open);
            self.seek(&state, self.all(self.now) + wait, rest, open, certain);
        }
        *end = next.or(goes_on, *end);
        open.any()
    }

    /// Ends.
    #[inline(always)]
    pub fn arrive(&mut self) {
        let Cells { simd, register, .. } = self.cells;
        let (part, release) = (self.part(), self.places.release(simd, register));
        let end = part.moment(simd, &part.end);
        self.places.set(register, &end, release);
        self.places.unpark::<S>(simd, register);
    }
}

/// Writes down the spikes of a register.
#[inline(always)]
fn push<S: Simd>(register: usize, times: F64s<S>, spikes: &mut Vec<LayerSpike>) {
    let lanes = S::F64_LANES;
    let before = spikes.len();
    let mut count = before;
    spikes.resize(before + lanes, LayerSpike { time: 0.0, neuron: 0 });
    let room = &mut spikes[before..];
    for lane in 0..lanes {
        let time = times.lane(lane);
        // Without a branch, which would be mispredicted as often as not.
        room[count - before] = LayerSpike { time, neuron: (register * lanes + lane) as u32 };
        count += usize::from(time < f64::INFINITY);
    }
    spikes.truncate(count);
}
