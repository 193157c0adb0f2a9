//! What the neurons of a register do at different times, side by side: a round takes each from where it is
//! to its next spike, or finds that it has none where it seemed to have one.

use pulp::Simd;

use super::LayerSpike;
use super::blocks::{Column, MomentColumns, PADDING};
use super::cells::Cells;
use super::few::Few;
use super::motion::Moment;
use super::search::first_crossing;
use super::stretches::Stretches;
use super::sums::{Single, Slot};
use crate::simd::{F64s, registers, registers_mut};

/// What a neuron does next.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Next {
    /// Its refractory period ends.
    Release,
    /// It is on the first stretch that it may cross its threshold on, if there is one from a slot on.
    Stretch(usize),
    /// It may cross the threshold on what is left of a stretch before a slot.
    Search(usize),
    /// It is at the last arrival.
    Nothing,
}

/// A register of neurons on different stretches: where they start, when, and how long it takes.
struct Starts {
    state: MomentColumns,
    since: Column,
    length: Column,
    /// The potential at the end.
    end: Column,
    /// Whether the neuron may cross its threshold: one or zero.
    open: Column,
}

impl Starts {
    const NONE: Starts = {
        let zero = [0.0; PADDING];
        Starts { state: MomentColumns::ZERO, since: zero, length: zero, end: zero, open: zero }
    };
}

/// Rounds of a register of neurons.
pub struct Rounds<'a, 'b, S: Simd, const SPLIT: bool> {
    few: Few<'a, 'b, S, SPLIT>,
    singles: [Single; PADDING],
    next: [Next; PADDING],
    /// `c` of `sums`.
    constants: Column,
    starts: Starts,
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

impl<'a, 'b, S: Simd, const SPLIT: bool> Rounds<'a, 'b, S, SPLIT> {
    #[inline(always)]
    pub fn new(few: Few<'a, 'b, S, SPLIT>) -> Self {
        Rounds {
            last: few.arrivals.last().map_or(0.0, |arrival| arrival.time),
            few,
            singles: [Single::NONE; PADDING],
            next: [Next::Nothing; PADDING],
            constants: [0.0; PADDING],
            starts: Starts::NONE,
        }
    }

    /// The block that a neuron belongs to, and its place there.
    #[inline(always)]
    fn place(&self, lane: usize) -> (usize, usize) {
        let neuron = self.few.cells.register * S::F64_LANES + lane;
        (neuron / PADDING, neuron % PADDING)
    }

    /// When a slot is.
    #[inline(always)]
    fn time(&self, slot: usize) -> f64 {
        if slot == 0 { 0.0 } else { self.few.arrivals[slot - 1].time }
    }

    /// Sums for a neuron, which begins.
    #[inline(always)]
    pub fn begin(&mut self, lane: usize) {
        let (block, place) = self.place(lane);
        let single = Single::new(self.few.layer.neurons, block * PADDING + place);
        let state = &self.few.places.states[block];
        let [excitatory, inhibitory] = &state.moment.currents;
        let currents = [excitatory[place], inhibitory[place]];
        self.few.sums.sum::<S, SPLIT>(self.few.cells.simd, lane, &single, currents);
        let release = state.release[place];
        self.next[lane] = if release >= self.last {
            Next::Nothing
        } else if release > 0.0 {
            Next::Release
        } else {
            let start = self.few.sums.slot::<S>(lane, 0);
            let charge = state.moment.potential[place] * single.capacitance * start.growth;
            self.constants[lane] = charge - start.charge_at(&start);
            Next::Stretch(0)
        };
        self.singles[lane] = single;
    }

    /// A round; whether there may be another.
    #[inline(always)]
    pub fn go_on(&mut self) -> bool {
        self.starts.open = [0.0; PADDING];
        if self.next.contains(&Next::Release) {
            self.release();
        }
        let mut is_open = false;
        for lane in 0..S::F64_LANES {
            if let Next::Stretch(from) = self.next[lane] {
                self.next[lane] = self.look(lane, from);
            }
            is_open |= self.next[lane] != Next::Nothing;
        }
        if is_open {
            self.search();
        }
        is_open
    }

    /// Refractory periods end: the rest of the stretch on which they do, up to the next arrival.
    #[inline(always)]
    fn release(&mut self) {
        let Few { cells, arrivals, .. } = self.few;
        let simd = cells.simd;
        let mut slots = [0; PADDING];
        let mut wait = [0.0; PADDING];
        for lane in 0..S::F64_LANES {
            if self.next[lane] != Next::Release {
                continue;
            }
            let (block, place) = self.place(lane);
            let state = &self.few.places.states[block];
            let release = state.release[place];
            let slot = arrivals.partition_point(|arrival| arrival.time <= release);
            slots[lane] = slot;
            wait[lane] = release - self.time(slot);
            let currents = self.few.sums.slot::<S>(lane, slot).currents(&self.singles[lane]);
            let potential = state.moment.potential[place];
            self.start(lane, potential, currents);
            self.starts.since[lane] = release;
            self.starts.length[lane] = self.time(slot + 1) - release;
        }
        let mut state = self.state();
        let length = load!(simd, self.starts.length);
        cells.hold::<SPLIT>(&mut state, load!(simd, wait));
        let end = cells.after::<SPLIT>(&state, length);
        let open = cells.may_cross::<SPLIT>([&state, &end], length, cells.threshold());
        let [zero, one] = [F64s::splat(simd, 0.0), F64s::splat(simd, 1.0)];
        let mut may_cross = [0.0; PADDING];
        store!(open.and(length.above(zero)).select(one, zero), may_cross);
        store!(end.potential, self.starts.end);
        store!(state.currents[0], self.starts.state.currents[0]);
        store!(state.currents[1], self.starts.state.currents[1]);
        for lane in 0..S::F64_LANES {
            if self.next[lane] == Next::Release {
                self.next[lane] = self.is_released(lane, slots[lane], may_cross[lane] > 0.0);
            }
        }
    }

    /// A neuron is released after a slot, and goes on from the next slot or may cross before.
    #[inline(always)]
    fn is_released(&mut self, lane: usize, slot: usize, may_cross: bool) -> Next {
        let sums = &*self.few.sums;
        let (before, next) = (sums.slot::<S>(lane, slot), sums.slot::<S>(lane, slot + 1));
        let charge = self.starts.end[lane] * self.singles[lane].capacitance * next.growth;
        self.constants[lane] = charge - before.charge_at(&next);
        if may_cross {
            self.starts.open[lane] = 1.0;
            Next::Search(slot + 1)
        } else {
            Next::Stretch(slot + 1)
        }
    }

    /// Goes to the first stretch from a slot on that a neuron may spike on.
    #[inline(always)]
    fn look(&mut self, lane: usize, from: usize) -> Next {
        let (simd, sums, single) = (self.few.cells.simd, &*self.few.sums, &self.singles[lane]);
        let constant = self.constants[lane];
        let stretches = Stretches::<S, SPLIT> { simd, sums, index: lane, single, constant, from };
        let slot = simd.vectorize(stretches);
        if slot == f64::INFINITY {
            return Next::Nothing;
        }
        let slot = slot as usize;
        let (start, end) = (sums.slot::<S>(lane, slot), sums.slot::<S>(lane, slot + 1));
        let potential =
            |end: &Slot| (start.charge_at(end) + constant) / (single.capacitance * end.growth);
        let (potential, later) = (potential(&start), potential(&end));
        let currents = start.currents(single);
        self.start(lane, potential, currents);
        let since = self.time(slot);
        self.starts.since[lane] = since;
        self.starts.length[lane] = self.time(slot + 1) - since;
        self.starts.end[lane] = later;
        self.starts.open[lane] = 1.0;
        Next::Search(slot + 1)
    }

    /// The state that a neuron's stretch starts with.
    #[inline(always)]
    fn start(&mut self, lane: usize, potential: f64, currents: [f64; 2]) {
        self.starts.state.potential[lane] = potential;
        self.starts.state.currents[0][lane] = currents[0];
        self.starts.state.currents[1][lane] = currents[1];
    }

    /// The states that the stretches start with.
    #[inline(always)]
    fn state(&self) -> Moment<S> {
        let (simd, state) = (self.few.cells.simd, &self.starts.state);
        let [excitatory, inhibitory] = &state.currents;
        Moment {
            potential: load!(simd, state.potential),
            currents: [load!(simd, *excitatory), load!(simd, *inhibitory)],
        }
    }

    /// Looks for the crossings of all neurons that may have one on their stretches.
    #[inline(always)]
    fn search(&mut self) {
        let cells = self.few.cells;
        let Cells { simd, register, .. } = cells;
        let all = |value| F64s::<S>::splat(simd, value);
        let Starts { since, length, end, open, .. } = &self.starts;
        let open = load!(simd, *open).above(all(0.0));
        let certain = load!(simd, *end).at_least(cells.threshold()).and(open);
        let (state, length) = (self.state(), load!(simd, *length));
        let found = first_crossing::<S, SPLIT>(&cells, &state, length, open, certain);
        let times = load!(simd, *since) + found;
        let spikes = all(f64::INFINITY).above(found);
        let places = &mut *self.few.places;
        let mut now = places.state(simd, register);
        now.potential = spikes.select(cells.reset(), now.potential);
        let release = places.release(simd, register);
        let release = spikes.select(times + cells.refractory_period(), release);
        places.set(register, &now, release);
        let mut columns = [[0.0; PADDING]; 2];
        store!(times, columns[0]);
        store!(release, columns[1]);
        self.spike(&columns);
    }

    /// What the neurons do after a search, by when they spike, if they do, and by their releases.
    #[inline(always)]
    fn spike(&mut self, [times, release]: &[Column; 2]) {
        for lane in 0..S::F64_LANES {
            let Next::Search(slot) = self.next[lane] else { continue };
            let time = times[lane];
            self.next[lane] = if time == f64::INFINITY {
                Next::Stretch(slot)
            } else {
                let neuron = (self.few.cells.register * S::F64_LANES + lane) as u32;
                self.few.spikes.push(LayerSpike { time, neuron });
                if release[lane] >= self.last { Next::Nothing } else { Next::Release }
            };
        }
    }

    /// Comes to the last arrival.
    #[inline(always)]
    pub fn arrive(&mut self, lane: usize) {
        let (block, place) = self.place(lane);
        let (single, slot) = (&self.singles[lane], self.few.arrivals.len());
        let slot = self.few.sums.slot::<S>(lane, slot);
        let state = &mut self.few.places.states[block];
        let [excitatory, inhibitory] = &mut state.moment.currents;
        [excitatory[place], inhibitory[place]] = slot.currents(single);
        // Else it is held.
        if state.release[place] < self.last {
            let charge = slot.charge_at(&slot) + self.constants[lane];
            state.moment.potential[place] = charge / (single.capacitance * slot.growth);
        }
    }
}
