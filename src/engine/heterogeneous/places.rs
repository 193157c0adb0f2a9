//! Where the neurons of a layer are in a sample, in blocks of eight.

use pulp::Simd;

use super::blocks::{Column, MomentColumns, PADDING, Part, Place};
use super::motion::Moment;
use super::neurons::StateBlock;
use super::way::WayBlock;
use crate::simd::{F64s, Mask};

/// Neurons whose spikes are known of, but not when they are.
#[derive(Clone, Copy)]
pub struct Parked<S: Simd> {
    /// At the beginning of the stretch on which they spike.
    pub start: Moment<S>,
    /// When that is; infinite for neurons that are not parked.
    pub since: F64s<S>,
    pub length: F64s<S>,
}

/// The same of eight neurons.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
pub struct ParkedBlock {
    start: MomentColumns,
    since: Column,
    length: Column,
}

impl ParkedBlock {
    pub const NONE: ParkedBlock = ParkedBlock {
        start: MomentColumns::ZERO,
        since: [f64::INFINITY; PADDING],
        length: [0.0; PADDING],
    };

    pub fn clear(&mut self) {
        self.since = [f64::INFINITY; PADDING];
    }
}

impl<S: Simd> Parked<S> {
    /// Which neurons are parked.
    #[inline(always)]
    pub fn which(&self, simd: S) -> Mask<S> {
        F64s::splat(simd, f64::INFINITY).above(self.since)
    }

    /// With more of them, which are in these states at the beginning of the same stretch.
    #[inline(always)]
    pub fn with(self, more: Mask<S>, start: &Moment<S>, since: F64s<S>, length: F64s<S>) -> Self {
        Parked {
            start: start.or(more, self.start),
            since: more.select(since, self.since),
            length: more.select(length, self.length),
        }
    }
}

/// Which neurons are refractory all the way from one time to another, and which are released on it.
#[inline(always)]
pub fn held_and_released<S: Simd>(release: F64s<S>, from: F64s<S>, to: F64s<S>) -> [Mask<S>; 2] {
    let held = release.at_least(to);
    [held, release.at_least(from).and_not(held)]
}

/// All neurons of a layer at some time.
pub struct Places<'a> {
    pub states: &'a mut [StateBlock],
    pub parked: &'a mut [ParkedBlock],
    pub ways: &'a mut [WayBlock],
}

impl Places<'_> {
    #[inline(always)]
    pub fn state<S: Simd>(&self, simd: S, register: usize) -> Moment<S> {
        let part = Part::new::<S>(self.states, register);
        part.moment(simd, &part.moment)
    }

    #[inline(always)]
    pub fn release<S: Simd>(&self, simd: S, register: usize) -> F64s<S> {
        let part = Part::new::<S>(self.states, register);
        part.load(simd, &part.release)
    }

    #[inline(always)]
    pub fn set<S: Simd>(&mut self, register: usize, state: &Moment<S>, release: F64s<S>) {
        let place = Place::new::<S>(register);
        let block = &mut self.states[place.block];
        block.moment.store(place, state);
        place.store(release, &mut block.release);
    }

    #[inline(always)]
    pub fn parked<S: Simd>(&self, simd: S, register: usize) -> Parked<S> {
        let part = Part::new::<S>(self.parked, register);
        let start = part.moment(simd, &part.start);
        Parked { start, since: part.load(simd, &part.since), length: part.load(simd, &part.length) }
    }

    #[inline(always)]
    pub fn park<S: Simd>(&mut self, register: usize, parked: &Parked<S>) {
        let place = Place::new::<S>(register);
        let block = &mut self.parked[place.block];
        block.start.store(place, &parked.start);
        place.store(parked.since, &mut block.since);
        place.store(parked.length, &mut block.length);
    }

    /// None of a register is parked any more.
    #[inline(always)]
    pub fn unpark<S: Simd>(&mut self, simd: S, register: usize) {
        let place = Place::new::<S>(register);
        place.store(F64s::splat(simd, f64::INFINITY), &mut self.parked[place.block].since);
    }
}
