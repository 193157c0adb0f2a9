//! Stretches on which something unusual happens to a register, or may happen.
//!
//! Neither current nor potential wait for the time of a spike: synaptic currents survive it, and the
//! potential stays at the reset for as long as the neuron is refractory. A neuron that will be refractory
//! to the end of the stretch on which it spikes is therefore only parked, with the state at the start of
//! the stretch; when its refractory period may end, the crossings of all parked neurons of the register are
//! computed together, and those of all registers side by side at the end (`finish`).

use pulp::{Simd, WithSimd};

use super::LayerSpike;
use super::cells::Cells;
use super::motion::Moment;
use super::places::{Places, held_and_released};
use super::search::{STEPS, first_crossing};
use super::way::Way;
use crate::simd::{F64s, Mask};

/// A stretch on which something may happen.
pub struct Walk<'a, 'b, S: Simd, const SPLIT: bool> {
    pub cells: Cells<'a, S>,
    /// Where the neurons are at `now`, then where they come to.
    pub places: &'a mut Places<'b>,
    /// The state at its end if no neuron is released or spikes.
    pub next: Moment<S>,
    /// Which neurons may spike if none is released.
    pub open: Mask<S>,
    pub now: f64,
    pub time: f64,
    pub spikes: &'a mut Vec<LayerSpike>,
}

impl<S: Simd, const SPLIT: bool> WithSimd for Walk<'_, '_, S, SPLIT> {
    type Output = ();

    #[inline(always)]
    fn with_simd<Same: Simd>(mut self, _: Same) {
        if !self.park() {
            self.carefully();
        }
    }
}

impl<S: Simd, const SPLIT: bool> Walk<'_, '_, S, SPLIT> {
    /// No refractory period ends, and neurons that spike are refractory to the end of the stretch. If it is
    /// another case, nothing is changed.
    #[inline(always)]
    fn park(&mut self) -> bool {
        let Cells { simd, register, .. } = self.cells;
        let all = |value| F64s::splat(simd, value);
        let (start, end) = (all(self.now), all(self.time));
        let release = self.places.release(simd, register);
        let [_, released] = held_and_released(release, start, end);
        if released.any() {
            return false;
        }
        let (length, threshold) = (all(self.time - self.now), self.cells.threshold());
        let state = self.places.state(simd, register);
        let mut crosses = self.next.potential.at_least(threshold).and(self.open);
        let undecided = self.open.and_not(crosses);
        if undecided.any() {
            let none = start.above(start);
            let elapsed = first_crossing::<S, SPLIT>(&self.cells, &state, length, undecided, none);
            crosses = crosses.or(all(f64::INFINITY).above(elapsed));
        }
        let earliest = start + self.cells.refractory_period();
        if end.above(earliest).and(crosses).any() {
            return false;
        }
        let parked = self.places.parked(simd, register).with(crosses, &state, start, length);
        self.places.park(register, &parked);
        let mut next = self.next;
        next.potential = crosses.select(self.cells.reset(), next.potential);
        self.places.set(register, &next, crosses.select(earliest, release));
        true
    }

    /// Any case.
    #[inline(always)]
    fn carefully(self) {
        let Walk { cells, places, now, time, spikes, .. } = self;
        let mut way = Way { cells, places, now, time };
        let mut is_open = way.set_out::<SPLIT>();
        while is_open {
            let mut steps = 0;
            while steps < STEPS && way.step::<SPLIT>(steps == 0) {
                steps += 1;
            }
            way.give_up();
            is_open = way.spike::<SPLIT>(spikes);
        }
        way.arrive();
    }
}
