//! The times of all spikes of a register within an interval without input. Each neuron goes from the end of
//! its refractory period, if it is in one, to its next spike, from there to the end of the next refractory
//! period, and so on. A pending spike comes first, from an interval before.
//!
//! The search is kept in blocks of eight neurons, so that many registers can take their steps in turn.

use pulp::Simd;

use super::LayerSpike;
use super::layer_state::LayerState;
use crate::neuron::heterogeneous::{
    BLOCK_SIZE, BlockSlice, Column, CrossingSearch, MembraneState, NeuronLanes, PARAMS, Position,
    StateColumns,
};
use crate::simd::{F64s, Mask};

/// The searches of eight neurons.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
pub struct SearchBlock {
    /// The state that the search starts from, when that is, and how long the search goes on.
    start: StateColumns,
    since: Column,
    length: Column,
    /// The state at the end of the interval, without further spikes.
    end: StateColumns,
    /// The fields of [`CrossingSearch`]; masks are one or zero.
    certain: Column,
    time: Column,
    active: Column,
    found: Column,
}

impl SearchBlock {
    pub const NONE: SearchBlock = {
        let (zero, state) = ([0.0; BLOCK_SIZE], StateColumns::AT_REST);
        SearchBlock {
            start: state,
            since: zero,
            length: zero,
            end: state,
            certain: zero,
            time: zero,
            active: zero,
            found: zero,
        }
    };
}

/// A register on an interval without input.
pub struct SpikeSearch<'a, 'b, S: Simd> {
    pub lanes: NeuronLanes<'a, S>,
    pub layer_state: &'a mut LayerState<'b>,
    /// Start of the interval.
    pub now: f64,
    /// Its end.
    pub time: f64,
}

impl<S: Simd> SpikeSearch<'_, '_, S> {
    /// Takes the register to the end of the interval, and writes down its spikes.
    #[inline(always)]
    pub fn run<const SPLIT: bool>(mut self, spikes: &mut Vec<LayerSpike>) {
        let mut is_open = self.begin::<SPLIT>();
        while is_open {
            let mut steps = 0;
            while steps < PARAMS.max_steps && self.step::<SPLIT>(steps == 0) {
                steps += 1;
            }
            self.give_up();
            is_open = self.spike::<SPLIT>(spikes);
        }
        self.finish();
    }

    #[inline(always)]
    fn all(&self, value: f64) -> F64s<S> {
        F64s::splat(self.lanes.simd, value)
    }

    /// Begins. Returns whether any neuron may spike.
    #[inline(always)]
    pub fn begin<const SPLIT: bool>(&mut self) -> bool {
        let NeuronLanes { simd, register, .. } = self.lanes;
        let (zero, now, length) =
            (self.all(0.0), self.all(self.now), self.all(self.time - self.now));
        let pending = self.layer_state.pending::<S>(simd, register);
        let is_pending = pending.mask(simd);
        let mut state = self.layer_state.state::<S>(simd, register);
        let refractory = self.refractory_time(self.layer_state.release(simd, register));
        let refractory = is_pending.select(zero, refractory);
        if refractory.above(zero).any() {
            self.lanes.decay_currents::<SPLIT>(&mut state, refractory);
        }
        let rest = length - refractory;
        let end = self.lanes.after::<SPLIT>(&state, rest);
        let threshold = self.lanes.threshold();
        let open = self.lanes.may_cross::<SPLIT>([&state, &end], rest, threshold);
        let open = open.and(rest.above(zero)).or(is_pending);
        let certain = end.potential.at_least(threshold).or(is_pending).and(open);
        self.search_from(
            &pending.start.or(is_pending, state),
            is_pending.select(pending.since, now + refractory),
            is_pending.select(pending.length, rest),
            open,
            certain,
        );
        let (position, block) = self.block();
        block.end.store(position, &end);
        open.any()
    }

    /// For how long neurons with these releases are refractory within the interval.
    #[inline(always)]
    fn refractory_time(&self, release: F64s<S>) -> F64s<S> {
        let length = self.all(self.time - self.now);
        (release - self.all(self.now)).max_of_numbers(self.all(0.0)).min(length)
    }

    /// Begins to search for crossings from these states on.
    #[inline(always)]
    fn search_from(
        &mut self,
        state: &MembraneState<S>,
        since: F64s<S>,
        length: F64s<S>,
        open: Mask<S>,
        certain: Mask<S>,
    ) {
        let search = CrossingSearch::new(&self.lanes, *state, length, open, certain);
        let certain = certain.select(self.all(1.0), self.all(0.0));
        let (position, block) = self.block();
        block.start.store(position, state);
        position.store(since, &mut block.since);
        position.store(length, &mut block.length);
        position.store(certain, &mut block.certain);
        self.store(&search);
    }

    #[inline(always)]
    fn block(&mut self) -> (Position, &mut SearchBlock) {
        let position = Position::new::<S>(self.lanes.register);
        (position, &mut self.layer_state.searches[position.block])
    }

    #[inline(always)]
    fn part(&self) -> BlockSlice<'_, SearchBlock> {
        BlockSlice::new::<S>(self.layer_state.searches, self.lanes.register)
    }

    #[inline(always)]
    fn load(&self) -> CrossingSearch<S> {
        let (simd, part) = (self.lanes.simd, self.part());
        CrossingSearch {
            start: part.state(simd, &part.start),
            interval: part.load(simd, &part.length),
            certain: part.load(simd, &part.certain).above(self.all(0.0)),
            time: part.load(simd, &part.time),
            active: part.load(simd, &part.active).above(self.all(0.0)),
            found: part.load(simd, &part.found),
        }
    }

    /// Stores what a step changes.
    #[inline(always)]
    fn store(&mut self, search: &CrossingSearch<S>) {
        let active = search.active.select(self.all(1.0), self.all(0.0));
        let (position, block) = self.block();
        position.store(search.time, &mut block.time);
        position.store(active, &mut block.active);
        position.store(search.found, &mut block.found);
    }

    /// Takes one step of the search. Returns whether any neuron is still searched.
    #[inline(always)]
    pub fn step<const SPLIT: bool>(&mut self, is_first: bool) -> bool {
        let mut search = self.load();
        search.step::<SPLIT>(&self.lanes, is_first);
        self.store(&search);
        search.active.any()
    }

    /// Ends the search: see [`CrossingSearch::give_up`].
    #[inline(always)]
    pub fn give_up(&mut self) {
        let mut search = self.load();
        search.give_up();
        self.store(&search);
    }

    /// Neurons with a crossing spike, and go on when they are released. Returns whether any may spike
    /// again.
    #[inline(always)]
    pub fn spike<const SPLIT: bool>(&mut self, spikes: &mut Vec<LayerSpike>) -> bool {
        let NeuronLanes { simd, register, .. } = self.lanes;
        let part = self.part();
        let (elapsed, since) = (part.load(simd, &part.found), part.load(simd, &part.since));
        let mut end = part.state(simd, &part.end);
        let spiked = self.all(f64::INFINITY).above(elapsed);
        let times = since + elapsed;
        push(register, times, spikes);
        let release = self.layer_state.release::<S>(simd, register);
        let release = spiked.select(times + self.lanes.refractory_period(), release);
        self.layer_state.set_release(register, release);
        let reset = self.lanes.reset();
        end.potential = spiked.select(reset, end.potential);
        let goes_on = spiked.and_not(release.at_least(self.all(self.time)));
        let is_open = goes_on.any() && self.go_on::<SPLIT>(goes_on, release, &mut end);
        let (position, block) = self.block();
        block.end.store(position, &end);
        is_open
    }

    /// Neurons are released, and come to another end. Returns whether any may spike.
    #[inline(always)]
    fn go_on<const SPLIT: bool>(
        &mut self,
        goes_on: Mask<S>,
        release: F64s<S>,
        end: &mut MembraneState<S>,
    ) -> bool {
        let NeuronLanes { simd, register, .. } = self.lanes;
        let refractory = self.refractory_time(release);
        let rest = self.all(self.time - self.now) - refractory;
        // Currents survive spikes: they come from the start of the interval.
        let mut state = self.layer_state.state::<S>(simd, register);
        let stays = self.lanes.stays_subthreshold::<SPLIT>(&state, refractory);
        if !goes_on.and_not(stays).any()
            && let Some(potential) = self.lanes.potential_after_reset::<SPLIT>(end, rest)
        {
            end.potential = goes_on.select(potential, end.potential);
            return false;
        }
        state.potential = self.lanes.reset();
        self.lanes.decay_currents::<SPLIT>(&mut state, refractory);
        let next = self.lanes.after::<SPLIT>(&state, rest);
        let threshold = self.lanes.threshold();
        let open = self.lanes.may_cross::<SPLIT>([&state, &next], rest, threshold);
        let open = open.and(goes_on).and(rest.above(self.all(0.0)));
        if open.any() {
            let certain = next.potential.at_least(threshold).and(open);
            self.search_from(&state, self.all(self.now) + refractory, rest, open, certain);
        }
        *end = next.or(goes_on, *end);
        open.any()
    }

    /// Takes the neurons to the end of the interval.
    #[inline(always)]
    pub fn finish(&mut self) {
        let NeuronLanes { simd, register, .. } = self.lanes;
        let (part, release) = (self.part(), self.layer_state.release(simd, register));
        let end = part.state(simd, &part.end);
        self.layer_state.set(register, &end, release);
        self.layer_state.clear_pending::<S>(simd, register);
    }
}

/// Writes down the spikes of a register.
#[inline(always)]
fn push<S: Simd>(register: usize, times: F64s<S>, spikes: &mut Vec<LayerSpike>) {
    let before = spikes.len();
    let mut count = before;
    spikes.resize(before + S::F64_LANES, LayerSpike { time: 0.0, neuron: 0 });
    let room = &mut spikes[before..];
    for lane in 0..S::F64_LANES {
        let time = times.lane(lane);
        // Without a branch, which would be mispredicted as often as not.
        let neuron = (register * S::F64_LANES + lane) as u32;
        room[count - before] = LayerSpike { time, neuron };
        count += usize::from(time < f64::INFINITY);
    }
    spikes.truncate(count);
}
