//! What all arrivals up to each have done to a neuron, summed once, with the arrivals in lanes.
//!
//! Multiplied by `e^(λ_m t)`, the potential does not leak and the current of an arrival at `t_j` with weight
//! `w` is `w e^(λ_s t_j) e^(d t)` with `d = λ_m − λ_s`. With the entire function `ψ(t) = (e^(d t) − 1)/d` the
//! charge `C V` is
//!
//! ```text
//! C V(t) e^(λ_m t) = U(t) + c        U(t) = Σ_s (a_s ψ_s(t)) − b
//! a_s = Σ_j w_j e^(λ_s t_j)          b = Σ_s Σ_j w_j e^(λ_s t_j) ψ_s(t_j)
//! I_s(t) e^(λ_m t) = a_s (1 + d_s ψ_s(t))
//! ```
//!
//! summed over the arrivals up to `t` at excitatory and at inhibitory synapses, because what an arrival adds
//! since is `(e^(d t) − e^(d t_j))/d = ψ(t) − ψ(t_j)`. The currents left over from before are arrivals at time
//! zero. A spike changes only the constant `c`: so the sums serve the whole sample. Time is counted from
//! the middle of the sample, which keeps all exponents small. With `z = d t`, `ψ(t) = t φ(z)` and
//!
//! ```text
//! e^(λ_s t) = e^(λ_m t) e^(−z) = e^(λ_m t) (1 − z φ(−z))
//! ```
//!
//! so that one exponential serves both currents; the series of `φ(z)` and `φ(−z)` have their even and odd
//! terms in common.
//!
//! *Slots.* Slot 0 is time zero, slot `j` the `j`-th arrival; those that are left over are at the time of the
//! last, without weight. Each lane has a run of slots that follow each other, in one row of the table after the
//! other. Then sums go on from row to row; what comes before a lane is added where it is used.
//!
//! ```text
//!          lane 0  lane 1  lane 2  …
//! row 0       0       3       6
//! row 1       1       4       7
//! row 2       2       5       8
//! ```

use std::ops::Range;

use pulp::{Simd, WithSimd};

use super::blocks::{Column, PADDING};
use super::motion::{NEAR, PHI_SHORT, PHI_WIDE};
use super::neurons::IndividualNeurons;
use super::numbers::Numbers;
use super::synapses::{SomeColumns, SynapseColumns};
use crate::engine::layered::Arrival;
use crate::simd::{F64s, registers, registers_mut};

/// A neuron, by itself.
#[derive(Clone, Copy, Debug)]
pub struct Single {
    /// `λ_m`
    pub membrane: f64,
    /// `λ_m − λ_s` of both currents.
    pub distance: [f64; 2],
    /// `C`
    pub capacitance: f64,
    /// `C ϑ`
    pub threshold: f64,
}

impl Single {
    pub const NONE: Single =
        Single { membrane: 1.0, distance: [0.0; 2], capacitance: 1.0, threshold: f64::INFINITY };

    #[inline(always)]
    pub fn new(neurons: &IndividualNeurons, neuron: usize) -> Self {
        let (block, place) = (&neurons.blocks[neuron / PADDING], neuron % PADDING);
        let capacitance = 1.0 / block.inverse_capacitance[place];
        Single {
            membrane: block.membrane[place],
            distance: [block.distance[0][place], block.distance[1][place]],
            capacitance,
            threshold: capacitance * block.threshold[place],
        }
    }
}

/// What the table has of a slot, one register after the other: `e^(λ_m t)`, both `ψ`, and within the lane
/// both `a` and `b`.
pub const ENTRIES: usize = 6;
/// Where both `ψ`, both `a`, and `b` are.
pub const REACH: usize = 1;
pub const CURRENTS: usize = 3;
pub const PAST: usize = 5;

/// The sums of a register of neurons.
#[derive(Debug, Default)]
pub struct Sums {
    /// Slots of a lane.
    pub rows: usize,
    /// Where times are counted from.
    middle: f64,
    /// Of each slot, and one row more.
    times: Numbers,
    /// Of the stretch after each slot, and which it is ([`Self::stretches`]).
    lengths: Numbers,
    names: Numbers,
    /// Of each row of slots, for so many neurons, one after the other.
    weights: Numbers,
    width: usize,
    /// Neuron by neuron.
    table: Numbers,
    /// Both `a`, and `b`, from before each lane, neuron by neuron.
    before: Vec<[Column; 3]>,
}

/// A neuron at a slot, after its arrival.
#[derive(Clone, Copy, Debug)]
pub struct Slot {
    /// `e^(λ_m t)`
    pub growth: f64,
    /// `ψ`
    pub reach: [f64; 2],
    /// `a`
    pub currents: [f64; 2],
    /// `b`
    pub past: f64,
}

impl Slot {
    /// `U` at another slot, if nothing arrives until then.
    #[inline(always)]
    pub fn charge_at(&self, later: &Slot) -> f64 {
        self.currents[0] * later.reach[0] + (self.currents[1] * later.reach[1] - self.past)
    }

    /// The currents.
    #[inline(always)]
    pub fn currents(&self, single: &Single) -> [f64; 2] {
        let left = |index: usize| {
            let growth = single.distance[index].mul_add(self.reach[index], 1.0);
            self.currents[index] * growth / self.growth
        };
        [left(0), left(1)]
    }
}

impl Sums {
    /// Gives the arrivals their slots.
    #[inline(always)]
    pub fn arrange<S: Simd>(&mut self, simd: S, arrivals: &[Arrival]) {
        let lanes = S::F64_LANES;
        self.rows = (arrivals.len() + 1).div_ceil(lanes);
        let last = arrivals.last().map_or(0.0, |arrival| arrival.time);
        self.middle = 0.5 * last;
        self.times.resize((self.rows + 1) * lanes);
        let (rows, middle) = (self.rows, self.middle);
        let times = self.times.values_mut();
        let mut rest = arrivals;
        for lane in 0..lanes {
            let free = usize::from(lane == 0);
            let (here, later) = rest.split_at(rest.len().min(rows - free));
            let mut slots = times.chunks_exact_mut(lanes).take(rows);
            slots.by_ref().take(free).for_each(|slot| slot[lane] = -middle);
            for (arrival, slot) in here.iter().zip(slots.by_ref()) {
                slot[lane] = arrival.time - middle;
            }
            slots.for_each(|slot| slot[lane] = last - middle);
            rest = later;
        }
        times[rows * lanes..].fill(last - middle);
        self.measure::<S>(simd);
    }

    /// Measures the stretches.
    #[inline(always)]
    fn measure<S: Simd>(&mut self, simd: S) {
        let (lanes, rows) = (S::F64_LANES, self.rows);
        self.lengths.resize(rows * lanes);
        self.names.resize(rows * lanes);
        let all = |value| F64s::<S>::splat(simd, value);
        let mut name = all(0.0).map(|lane, _| (lane * rows) as f64);
        let times = self.times.values();
        let lengths = registers_mut::<S>(self.lengths.values_mut());
        let names = registers_mut::<S>(self.names.values_mut());
        for (row, (length, names)) in lengths.iter_mut().zip(names).enumerate() {
            // The last row of a lane is followed by the first of the next lane: one number further.
            let next = if row + 1 == rows { 1 } else { (row + 1) * lanes };
            let next = F64s::new(simd, registers::<S>(&times[next..next + lanes])[0]);
            let since = F64s::new(simd, registers::<S>(&times[row * lanes..][..lanes])[0]);
            let stretch = next - since;
            *length = stretch.value();
            *names = stretch.above(all(0.0)).select(name, all(f64::NEG_INFINITY)).value();
            name = name + all(1.0);
        }
    }

    /// Reads the weights of the arrivals at these neurons, which belong to one register.
    #[inline(always)]
    pub fn read<S: Simd>(
        &mut self,
        arrivals: &[Arrival],
        synapses: &SynapseColumns,
        neurons: Range<usize>,
    ) {
        let size = neurons.len() * self.rows * S::F64_LANES;
        self.table.resize(size * ENTRIES);
        self.before.resize(neurons.len(), [[0.0; PADDING]; 3]);
        let columns = synapses.columns(neurons.start);
        // A few more than there are cost less than to count them.
        match neurons.len() {
            1 => self.fill::<S, 1>(arrivals, columns),
            2 => self.fill::<S, 2>(arrivals, columns),
            3 | 4 => self.fill::<S, 4>(arrivals, columns),
            _ => self.fill::<S, PADDING>(arrivals, columns),
        }
    }

    /// Fills the slots of `N` neurons.
    #[inline(always)]
    fn fill<S: Simd, const N: usize>(&mut self, arrivals: &[Arrival], columns: SomeColumns<'_>) {
        let (lanes, rows) = (S::F64_LANES, self.rows);
        self.width = N;
        self.weights.resize(N * rows * lanes);
        let weights = self.weights.values_mut();
        let mut rest = arrivals;
        for lane in 0..lanes {
            // Slot 0 has no weight, nor have those that are left over.
            let free = usize::from(lane == 0);
            let (here, later) = rest.split_at(rest.len().min(rows - free));
            let mut slots = weights.chunks_exact_mut(lanes * N);
            let clear = |slot: &mut [f64]| {
                (0..N).for_each(|neuron| slot[neuron * lanes + lane] = 0.0);
            };
            slots.by_ref().take(free).for_each(clear);
            for (arrival, slot) in here.iter().zip(slots.by_ref()) {
                let weights = columns.weights::<N>(arrival.row);
                for (neuron, &weight) in weights.iter().enumerate() {
                    slot[neuron * lanes + lane] = weight;
                }
            }
            slots.for_each(clear);
            rest = later;
        }
    }

    /// Sums for one of these neurons, with the currents it starts with.
    #[inline(always)]
    pub fn sum<S: Simd, const SPLIT: bool>(
        &mut self,
        simd: S,
        index: usize,
        single: &Single,
        currents: [f64; 2],
    ) {
        let size = self.rows * S::F64_LANES;
        let times = &self.times.values()[..size];
        let weights = &self.weights.values()[index * S::F64_LANES..];
        let width = self.width;
        let table = &mut self.table.values_mut()[index * size * ENTRIES..][..size * ENTRIES];
        let furthest = self.middle * single.distance[0].abs().max(single.distance[1].abs());
        let totals = if furthest <= NEAR {
            let phi = &PHI_SHORT;
            simd.vectorize(Pass::<S, SPLIT, _> { simd, single, times, weights, width, table, phi })
        } else {
            let phi = &PHI_WIDE;
            simd.vectorize(Pass::<S, SPLIT, _> { simd, single, times, weights, width, table, phi })
        };
        self.go_on::<S>(index, single, currents, &totals);
    }

    /// Sums what comes before each lane.
    #[inline(always)]
    fn go_on<S: Simd>(
        &mut self,
        index: usize,
        single: &Single,
        left: [f64; 2],
        totals: &[Column; 3],
    ) {
        let first = self.entries::<S>(index, 0);
        let mut sums = [0.0; 3];
        for current in 0..2 {
            let reach = first[(REACH + current) * S::F64_LANES];
            let growth = single.distance[current].mul_add(reach, 1.0);
            sums[current] = left[current] * first[0] / growth;
            sums[2] += sums[current] * reach;
        }
        let before = &mut self.before[index];
        for lane in 0..S::F64_LANES {
            for (quantity, sum) in sums.iter_mut().enumerate() {
                before[quantity][lane] = *sum;
                *sum += totals[quantity][lane];
            }
        }
    }

    /// The entries of a neuron from a row on.
    #[inline(always)]
    fn entries<S: Simd>(&self, index: usize, row: usize) -> &[f64] {
        &self.table.values()[(index * self.rows + row) * S::F64_LANES * ENTRIES..]
    }

    /// A neuron at a slot.
    #[inline(always)]
    pub fn slot<S: Simd>(&self, index: usize, slot: usize) -> Slot {
        let (row, lane) = (slot % self.rows, slot / self.rows);
        let entries = &self.entries::<S>(index, row)[..S::F64_LANES * ENTRIES];
        let entry = |which: usize| entries[which * S::F64_LANES + lane];
        let before = &self.before[index];
        Slot {
            growth: entry(0),
            reach: [entry(REACH), entry(REACH + 1)],
            currents: [entry(CURRENTS) + before[0][lane], entry(CURRENTS + 1) + before[1][lane]],
            past: entry(PAST) + before[2][lane],
        }
    }

    /// The table of a neuron, and what comes before each lane.
    #[inline(always)]
    pub fn of<S: Simd>(&self, index: usize) -> (&[f64], &[Column; 3]) {
        let size = self.rows * S::F64_LANES * ENTRIES;
        (&self.entries::<S>(index, 0)[..size], &self.before[index])
    }

    /// How long the stretches after all slots are, and for those that are not empty the numbers of the slots;
    /// −∞ for others.
    #[inline(always)]
    pub fn stretches(&self) -> (&[f64], &[f64]) {
        (self.lengths.values(), self.names.values())
    }
}

/// All rows of a neuron.
struct Pass<'a, S, const SPLIT: bool, const N: usize> {
    simd: S,
    single: &'a Single,
    times: &'a [f64],
    /// From those of this neuron on.
    weights: &'a [f64],
    width: usize,
    table: &'a mut [f64],
    phi: &'a [f64; N],
}

impl<S: Simd, const SPLIT: bool, const N: usize> WithSimd for Pass<'_, S, SPLIT, N> {
    /// The sums of each lane.
    type Output = [Column; 3];

    #[inline(always)]
    fn with_simd<Same: Simd>(self, _: Same) -> [Column; 3] {
        let Pass { simd, single, times, weights, width, table, phi } = self;
        let all = |value| F64s::<S>::splat(simd, value);
        let (zero, one) = (all(0.0), all(1.0));
        let membrane = all(single.membrane);
        let [near, far] = [all(single.distance[0]), all(single.distance[1])];
        let (mut push, mut pull, mut past) = (zero, zero, zero);
        let rows = registers::<S>(times).iter().zip(registers::<S>(weights).iter().step_by(width));
        let table = registers_mut::<S>(table).as_chunks_mut::<ENTRIES>().0;
        for ((&time, &weight), entry) in rows.zip(table) {
            let (time, weight) = (F64s::new(simd, time), F64s::new(simd, weight));
            let growth = (membrane * time).exp_within_range();
            let weight = weight * growth;
            let (reach, decay) = reach_and_decay(time, near, one, phi);
            let mut reaches = [reach, zero];
            if SPLIT {
                let (reach, slower) = reach_and_decay(time, far, one, phi);
                let arriving = weight.max_of_numbers(zero) * decay;
                let pulling = weight.min(zero) * slower;
                push = push + arriving;
                pull = pull + pulling;
                past = arriving.multiply_add(reaches[0], past);
                past = pulling.multiply_add(reach, past);
                reaches[1] = reach;
            } else {
                let arriving = weight * decay;
                push = push + arriving;
                past = arriving.multiply_add(reaches[0], past);
            }
            *entry = [
                growth.value(),
                reaches[0].value(),
                reaches[1].value(),
                push.value(),
                pull.value(),
                past.value(),
            ];
        }
        let mut totals = [[0.0; PADDING]; 3];
        registers_mut::<S>(&mut totals[0])[0] = push.value();
        registers_mut::<S>(&mut totals[1])[0] = pull.value();
        registers_mut::<S>(&mut totals[2])[0] = past.value();
        totals
    }
}

/// `ψ(t)` and `e^(−d t)`.
#[inline(always)]
fn reach_and_decay<S: Simd, const N: usize>(
    time: F64s<S>,
    distance: F64s<S>,
    one: F64s<S>,
    phi: &[f64; N],
) -> (F64s<S>, F64s<S>) {
    let z = distance * time;
    let [even, odd] = z.halves(phi);
    let odd = z * odd;
    (time * (even + odd), one.minus_product(z, even - odd))
}
