//! The neurons of a register, each at its own time, in lockstep: a round takes every neuron to its next
//! spike, or to the end of an interval without one.

use pulp::Simd;

use super::NarrowLayer;
use crate::engine::heterogeneous::LayerSpike;
use crate::neuron::heterogeneous::{
    BLOCK_SIZE, Column, MembraneState, NeuronConstants, NeuronLanes, OpenIntervals, StateColumns,
    first_crossing,
};
use crate::simd::{F64s, registers, registers_mut};

/// What a neuron does next.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Next {
    /// Its refractory period ends.
    Release,
    /// It goes to the first interval, from a slot on, on which it may cross its threshold.
    Interval(usize),
    /// It may cross the threshold on what is left of an interval before a slot.
    Search(usize),
    /// It is at the last arrival.
    Nothing,
}

/// One interval for each neuron of a register.
struct Intervals {
    /// The state at the start.
    state: StateColumns,
    since: Column,
    length: Column,
    /// The potential at the end.
    end: Column,
    /// Whether the neuron may cross its threshold: one or zero.
    open: Column,
}

/// A register of neurons in lockstep.
pub struct LockstepSearch<'a, 'b, S: Simd, const SPLIT: bool> {
    narrow: NarrowLayer<'a, 'b, S, SPLIT>,
    neurons: [NeuronConstants; BLOCK_SIZE],
    next: [Next; BLOCK_SIZE],
    /// `c` of the sums.
    constants: Column,
    intervals: Intervals,
    /// The time of the last arrival.
    last: f64,
}

/// The register of a column of which no more is in use.
macro_rules! load {
    ($simd:expr, $column:expr) => {
        F64s::<S>::new($simd, registers::<S>(&$column)[0])
    };
}

/// Writes a register to such a column.
macro_rules! store {
    ($value:expr, $column:expr) => {
        registers_mut::<S>(&mut $column)[0] = $value.value()
    };
}

impl<'a, 'b, S: Simd, const SPLIT: bool> LockstepSearch<'a, 'b, S, SPLIT> {
    #[inline(always)]
    pub fn new(narrow: NarrowLayer<'a, 'b, S, SPLIT>) -> Self {
        let zero = [0.0; BLOCK_SIZE];
        let state = StateColumns::AT_REST;
        LockstepSearch {
            last: narrow.arrivals.last().map_or(0.0, |arrival| arrival.time),
            narrow,
            neurons: [NeuronConstants::NONE; BLOCK_SIZE],
            next: [Next::Nothing; BLOCK_SIZE],
            constants: zero,
            intervals: Intervals { state, since: zero, length: zero, end: zero, open: zero },
        }
    }

    /// The block of a lane's neuron, and its index there.
    #[inline(always)]
    fn position(&self, lane: usize) -> (usize, usize) {
        let neuron = self.narrow.lanes.register * S::F64_LANES + lane;
        (neuron / BLOCK_SIZE, neuron % BLOCK_SIZE)
    }

    /// The time of a slot.
    #[inline(always)]
    fn time(&self, slot: usize) -> f64 {
        if slot == 0 { 0.0 } else { self.narrow.arrivals[slot - 1].time }
    }

    /// Sums for a neuron, which begins.
    #[inline(always)]
    pub fn begin(&mut self, lane: usize) {
        let (block, index) = self.position(lane);
        let neuron = NeuronConstants::new(self.narrow.layer.neurons, block * BLOCK_SIZE + index);
        let state = &self.narrow.layer_state.states[block];
        let [excitatory, inhibitory] = &state.state.currents;
        let currents = [excitatory[index], inhibitory[index]];
        self.narrow.sums.sum::<S, SPLIT>(self.narrow.lanes.simd, lane, &neuron, currents);
        let release = state.release[index];
        self.next[lane] = if release >= self.last {
            Next::Nothing
        } else if release > 0.0 {
            Next::Release
        } else {
            let start = self.narrow.sums.slot::<S>(lane, 0);
            self.constants[lane] = start.constant(&start, state.state.potential[index], &neuron);
            Next::Interval(0)
        };
        self.neurons[lane] = neuron;
    }

    /// Takes a round. Returns whether there may be another.
    #[inline(always)]
    pub fn go_on(&mut self) -> bool {
        self.intervals.open = [0.0; BLOCK_SIZE];
        if self.next.contains(&Next::Release) {
            self.release();
        }
        let mut is_open = false;
        for lane in 0..S::F64_LANES {
            if let Next::Interval(from) = self.next[lane] {
                self.next[lane] = self.find_open_interval(lane, from);
            }
            is_open |= self.next[lane] != Next::Nothing;
        }
        if is_open {
            self.search();
        }
        is_open
    }

    /// Refractory periods end. Takes their neurons to the next arrival.
    #[inline(always)]
    fn release(&mut self) {
        let NarrowLayer { lanes, arrivals, .. } = self.narrow;
        let simd = lanes.simd;
        let mut slots = [0; BLOCK_SIZE];
        let mut refractory = [0.0; BLOCK_SIZE];
        for lane in 0..S::F64_LANES {
            if self.next[lane] != Next::Release {
                continue;
            }
            let (block, index) = self.position(lane);
            let state = &self.narrow.layer_state.states[block];
            let release = state.release[index];
            let slot = arrivals.partition_point(|arrival| arrival.time <= release);
            slots[lane] = slot;
            refractory[lane] = release - self.time(slot);
            let currents = self.narrow.sums.slot::<S>(lane, slot).currents(&self.neurons[lane]);
            let potential = state.state.potential[index];
            self.set_start(lane, potential, currents, release, slot + 1);
        }
        let mut state = self.state();
        let length = load!(simd, self.intervals.length);
        lanes.decay_currents::<SPLIT>(&mut state, load!(simd, refractory));
        let end = lanes.after::<SPLIT>(&state, length);
        let open = lanes.may_cross::<SPLIT>([&state, &end], length, lanes.threshold());
        let [zero, one] = [F64s::splat(simd, 0.0), F64s::splat(simd, 1.0)];
        let mut may_cross = [0.0; BLOCK_SIZE];
        store!(open.and(length.above(zero)).select(one, zero), may_cross);
        store!(end.potential, self.intervals.end);
        store!(state.currents[0], self.intervals.state.currents[0]);
        store!(state.currents[1], self.intervals.state.currents[1]);
        for lane in 0..S::F64_LANES {
            if self.next[lane] == Next::Release {
                self.next[lane] = self.after_release(lane, slots[lane], may_cross[lane] > 0.0);
            }
        }
    }

    /// A neuron was released after a slot. It may cross before the next slot, or goes on from there.
    #[inline(always)]
    fn after_release(&mut self, lane: usize, slot: usize, may_cross: bool) -> Next {
        let sums = &*self.narrow.sums;
        let (before, next) = (sums.slot::<S>(lane, slot), sums.slot::<S>(lane, slot + 1));
        self.constants[lane] =
            before.constant(&next, self.intervals.end[lane], &self.neurons[lane]);
        if may_cross {
            self.intervals.open[lane] = 1.0;
            Next::Search(slot + 1)
        } else {
            Next::Interval(slot + 1)
        }
    }

    /// Goes to the first interval, from a slot on, that a neuron may spike on.
    #[inline(always)]
    fn find_open_interval(&mut self, lane: usize, from: usize) -> Next {
        let (simd, sums) = (self.narrow.lanes.simd, &*self.narrow.sums);
        let (neuron, constant) = (&self.neurons[lane], self.constants[lane]);
        let intervals =
            OpenIntervals::<S, SPLIT> { simd, sums, index: lane, neuron, constant, from };
        let slot = simd.vectorize(intervals);
        if slot == f64::INFINITY {
            return Next::Nothing;
        }
        let slot = slot as usize;
        let (start, end) = (sums.slot::<S>(lane, slot), sums.slot::<S>(lane, slot + 1));
        let potential = start.potential(&start, constant, neuron);
        let end = start.potential(&end, constant, neuron);
        let currents = start.currents(neuron);
        self.set_start(lane, potential, currents, self.time(slot), slot + 1);
        self.intervals.end[lane] = end;
        self.intervals.open[lane] = 1.0;
        Next::Search(slot + 1)
    }

    /// Sets where a neuron's interval starts, and the slot at which it ends.
    #[inline(always)]
    fn set_start(
        &mut self,
        lane: usize,
        potential: f64,
        currents: [f64; 2],
        since: f64,
        end: usize,
    ) {
        let length = self.time(end) - since;
        let Intervals { state, since: sinces, length: lengths, .. } = &mut self.intervals;
        state.potential[lane] = potential;
        state.currents[0][lane] = currents[0];
        state.currents[1][lane] = currents[1];
        sinces[lane] = since;
        lengths[lane] = length;
    }

    /// The states at the start of the intervals.
    #[inline(always)]
    fn state(&self) -> MembraneState<S> {
        let (simd, state) = (self.narrow.lanes.simd, &self.intervals.state);
        let [excitatory, inhibitory] = &state.currents;
        MembraneState {
            potential: load!(simd, state.potential),
            currents: [load!(simd, *excitatory), load!(simd, *inhibitory)],
        }
    }

    /// Searches the crossings of all neurons that may have one.
    #[inline(always)]
    fn search(&mut self) {
        let lanes = self.narrow.lanes;
        let NeuronLanes { simd, register, .. } = lanes;
        let all = |value| F64s::<S>::splat(simd, value);
        let Intervals { since, length, end, open, .. } = &self.intervals;
        let open = load!(simd, *open).above(all(0.0));
        let certain = load!(simd, *end).at_least(lanes.threshold()).and(open);
        let (state, length) = (self.state(), load!(simd, *length));
        let found = first_crossing::<S, SPLIT>(&lanes, &state, length, open, certain);
        let times = load!(simd, *since) + found;
        let spikes = all(f64::INFINITY).above(found);
        let layer_state = &mut *self.narrow.layer_state;
        let mut now = layer_state.state(simd, register);
        now.potential = spikes.select(lanes.reset(), now.potential);
        let release = layer_state.release(simd, register);
        let release = spikes.select(times + lanes.refractory_period(), release);
        layer_state.set(register, &now, release);
        let (mut time, mut released) = ([0.0; BLOCK_SIZE], [0.0; BLOCK_SIZE]);
        store!(times, time);
        store!(release, released);
        self.spike(&time, &released);
    }

    /// Neurons whose searches found a time spike; the others go on.
    #[inline(always)]
    fn spike(&mut self, times: &Column, release: &Column) {
        for lane in 0..S::F64_LANES {
            let Next::Search(slot) = self.next[lane] else { continue };
            let time = times[lane];
            self.next[lane] = if time == f64::INFINITY {
                Next::Interval(slot)
            } else {
                let neuron = (self.narrow.lanes.register * S::F64_LANES + lane) as u32;
                self.narrow.spikes.push(LayerSpike { time, neuron });
                if release[lane] >= self.last { Next::Nothing } else { Next::Release }
            };
        }
    }

    /// Takes a neuron to the last arrival.
    #[inline(always)]
    pub fn finish(&mut self, lane: usize) {
        let (block, index) = self.position(lane);
        let neuron = &self.neurons[lane];
        let slot = self.narrow.sums.slot::<S>(lane, self.narrow.arrivals.len());
        let state = &mut self.narrow.layer_state.states[block];
        let [excitatory, inhibitory] = &mut state.state.currents;
        [excitatory[index], inhibitory[index]] = slot.currents(neuron);
        // A refractory neuron keeps its potential.
        if state.release[index] < self.last {
            state.state.potential[index] = slot.potential(&slot, self.constants[lane], neuron);
        }
    }
}
