//! Where neurons first reach their threshold: neuron after neuron, all samples of a register at once.
//!
//! Without synaptic delays all neurons have the same order of arrivals. So it is found once, with what follows
//! from the times ([`super::order`]), and a neuron only looks its weights up. With a delay per synapse every
//! neuron sorts for itself.

use std::marker::PhantomData;

use pulp::{Simd, WithSimd, bytemuck};

use super::order::{row_of, write_steps};
use super::{BatchedLayer, Delays, LANES};
use crate::engine::layered::sorting_network::{Comparators, sort_keys};
use crate::engine::layered::tiles::Tiling;
use crate::neuron::basis::{BasisOf, SpikeState, Sums, TimeBasis};
#[cfg(target_arch = "x86_64")]
use crate::simd::ByPermutation;
use crate::simd::{
    ByLanes, Element, F64s, LARGE_TABLE, Lookup, Mask, SMALL_TABLE, grow, registers, registers_mut,
    with_row,
};

/// Room to work in; kept from batch to batch.
#[derive(Clone, Debug, Default)]
pub(super) struct Scratch {
    keys: Vec<f64>,
    /// Per register of samples: the steps of [`super::order`].
    steps: Vec<f64>,
    /// Per register of samples: the arrivals of one neuron, in order, and their weights.
    sorted: Vec<f64>,
    sorted_weights: Vec<f64>,
    /// Of one neuron: scaled weights, one per group.
    weights: Vec<f64>,
    /// Of one neuron, per register of samples: [`TimeBasis::locate`].
    located: Vec<f64>,
}

/// Runs a layer on its arrivals.
#[inline(always)]
pub(super) fn forward<S: Simd, T: Element, B: BasisOf>(simd: S, layer: BatchedLayer<'_, T>) {
    let count = layer.layer.tiling.columns * layer.pass.width();
    let [first, second] = &mut layer.pass.views;
    for column in [first, second, &mut layer.pass.inverse_slopes, &mut layer.pass.spike_times] {
        column.resize(count, 0.0);
    }
    let basis = PhantomData::<B>;
    if matches!(layer.layer.delays, Delays::Synaptic(_)) {
        return simd.vectorize(OwnOrder { layer, basis });
    }
    match layer.pass.arrivals.groups.len() {
        0..=SMALL_TABLE => simd.vectorize(SharedOrder::<T, B, SMALL_TABLE> { layer, basis }),
        0..=LARGE_TABLE => simd.vectorize(SharedOrder::<T, B, LARGE_TABLE> { layer, basis }),
        _ => simd.vectorize(SharedOrder::<T, B, 0> { layer, basis }),
    }
}

/// What a neuron's arrivals did: the sums, and where it crosses for certain or perhaps.
struct Found<S: Simd> {
    sums: Sums<S>,
    certain: Mask<S>,
    possible: Mask<S>,
}

/// The neurons of a layer whose arrivals have one order, at most `ROWS` of them (any number if it is zero).
struct SharedOrder<'a, T, B, const ROWS: usize> {
    layer: BatchedLayer<'a, T>,
    basis: PhantomData<B>,
}

impl<T: Element, B: BasisOf> WithSimd for SharedOrder<'_, T, B, 0> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let count = self.layer.pass.arrivals.groups.len();
        self.run::<S, _>(simd, ByRow { count });
    }
}

macro_rules! with_lookup {
    ($($rows:ident)*) => {
        $(impl<T: Element, B: BasisOf> WithSimd for SharedOrder<'_, T, B, $rows> {
            type Output = ();

            #[inline(always)]
            fn with_simd<S: Simd>(self, simd: S) {
                #[cfg(target_arch = "x86_64")]
                if let Some(lookup) = ByPermutation::new::<S>() {
                    return self.run::<S, _>(simd, ByTable::<_, $rows>(lookup));
                }
                self.run::<S, _>(simd, ByTable::<_, $rows>(ByLanes));
            }
        })*
    };
}
with_lookup!(SMALL_TABLE LARGE_TABLE);

/// The weights of a neuron, looked up by the rows that keys carry.
trait Weights<S: Simd>: Copy {
    /// The weights as they are looked up.
    type Table<'a>;

    fn table<'a>(self, weights: &'a [f64]) -> Self::Table<'a>;

    fn get(self, table: &Self::Table<'_>, key: S::f64s) -> S::f64s;
}

/// At most `ROWS`, in registers if the machine can do that.
#[derive(Clone, Copy)]
struct ByTable<L, const ROWS: usize>(L);

impl<S: Simd, L: Lookup<S, ROWS>, const ROWS: usize> Weights<S> for ByTable<L, ROWS> {
    type Table<'a> = L::Table;

    #[inline(always)]
    fn table<'a>(self, weights: &'a [f64]) -> L::Table {
        let mut table = [0.0; ROWS];
        table[..weights.len()].copy_from_slice(weights);
        self.0.table(&table)
    }

    #[inline(always)]
    fn get(self, table: &L::Table, key: S::f64s) -> S::f64s {
        self.0.get(table, key)
    }
}

/// Any number, in memory.
#[derive(Clone, Copy)]
struct ByRow {
    count: usize,
}

impl<S: Simd> Weights<S> for ByRow {
    type Table<'a> = &'a [f64];

    #[inline(always)]
    fn table<'a>(self, weights: &'a [f64]) -> &'a [f64] {
        weights
    }

    #[inline(always)]
    fn get(self, table: &&[f64], key: S::f64s) -> S::f64s {
        let mut weights = [0.0; LANES];
        let rows: &[u64] = bytemuck::cast_slice(std::slice::from_ref(&key));
        for (weight, &row) in weights.iter_mut().zip(rows) {
            *weight = table[row_of(row, self.count)];
        }
        registers::<S>(&weights)[0]
    }
}

impl<T: Element, B: BasisOf, const ROWS: usize> SharedOrder<'_, T, B, ROWS> {
    #[inline(always)]
    fn run<S: Simd, W: Weights<S>>(self, simd: S, lookup: W) {
        let BatchedLayer { layer, pass, scratch } = self.layer;
        let Tiling { columns, .. } = layer.tiling;
        let basis = B::On::<S>::new(simd, &layer.neurons.membrane);
        let Scratch { keys, steps, weights, located, .. } = &mut scratch.search;
        let count = pass.arrivals.groups.len();
        let width = pass.arrivals.registers::<S>();
        let length = count * (1 + B::On::<S>::STEP);
        grow(steps, width * length * S::F64_LANES);
        let steps = &mut registers_mut::<S>(steps)[..width * length];
        if length > 0 {
            for (register, steps) in steps.chunks_exact_mut(length).enumerate() {
                write_steps(simd, basis, &pass.arrivals, register, keys, steps);
            }
        }
        // The reference is the last arrival.
        let last_power = basis.instant(F64s::splat(simd, 0.0)).power;
        grow(located, 3 * pass.width());
        for column in 0..columns {
            scaled_weights(layer, &pass.arrivals.groups, column, basis.weight_scale(), weights);
            let table = lookup.table(weights);
            let located = &mut registers_mut::<S>(located)[..3 * width];
            for (register, located) in located.chunks_exact_mut(3).enumerate() {
                let steps = &steps[register * length..(register + 1) * length];
                let Found { sums, certain, possible } =
                    search(simd, basis, lookup, &table, steps, last_power);
                let values = basis.locate(&sums, certain, possible);
                for (located, value) in located.iter_mut().zip(values) {
                    *located = value.value();
                }
            }
            write_spikes(simd, basis, layer.neurons.thresholds[column], column, located, pass);
        }
        if let Delays::Dendritic(delays) = &layer.delays {
            let times = pass.spike_times.chunks_exact_mut(pass.arrivals.width);
            for (times, delay) in times.zip(delays) {
                times.iter_mut().for_each(|time| *time += delay);
            }
        }
    }
}

/// The weights of one neuron, summed over the rows of each group, in the units of the basis.
pub(super) fn scaled_weights<T: Element>(
    layer: &super::Layer<T>,
    groups: &[std::ops::Range<usize>],
    column: usize,
    scale: f64,
    weights: &mut Vec<f64>,
) {
    let place = layer.tiling.column(column);
    let scale = scale / layer.neurons.thresholds[column];
    weights.clear();
    weights.extend(groups.iter().map(|rows| {
        rows.clone().map(|row| layer.weights[place.at(row)].to_f64()).sum::<f64>() * scale
    }));
}

/// Goes over the steps of a register of samples.
#[inline(always)]
fn search<S: Simd, B: TimeBasis<S>, W: Weights<S>>(
    simd: S,
    basis: B,
    lookup: W,
    table: &W::Table<'_>,
    steps: &[S::f64s],
    last_power: F64s<S>,
) -> Found<S> {
    let zero = F64s::splat(simd, 0.0);
    let everywhere = zero.at_least(zero);
    let (mut sums, mut waits) = (basis.rest(), everywhere);
    // Asked now and then: that all have crossed is hardly ever foreseen.
    for steps in steps.chunks(8 * (1 + B::STEP)) {
        for step in steps.chunks_exact(1 + B::STEP) {
            let weight = F64s::new(simd, lookup.get(table, step[0]));
            let step = B::load(simd, &step[1..]);
            basis.add(&mut sums, &step, weight, waits);
            waits = waits.and_not(basis.crosses(&sums, &step, waits));
        }
        if !waits.any() {
            break;
        }
    }
    let possible = waits.and(basis.may_cross_after(&sums, last_power));
    Found { sums, certain: everywhere.and_not(waits), possible }
}

/// Computes the spikes of one neuron, and writes them to the pass.
#[inline(always)]
fn write_spikes<S: Simd, B: TimeBasis<S>>(
    simd: S,
    basis: B,
    threshold: f64,
    column: usize,
    located: &[S::f64s],
    pass: &mut super::LayerPass,
) {
    let width = pass.arrivals.registers::<S>();
    let places = column * width..(column + 1) * width;
    let references = &registers::<S>(&pass.arrivals.references)[..width];
    let [first, second] = &mut pass.views;
    let first = &mut registers_mut::<S>(first)[places.clone()];
    let second = &mut registers_mut::<S>(second)[places.clone()];
    let slopes = &mut registers_mut::<S>(&mut pass.inverse_slopes)[places.clone()];
    let times = &mut registers_mut::<S>(&mut pass.spike_times)[places];
    for (register, located) in located.chunks_exact(3).enumerate() {
        let located =
            [F64s::new(simd, located[0]), F64s::new(simd, located[1]), F64s::new(simd, located[2])];
        let SpikeState { view, inverse_slope, elapsed } = basis.spike(located, threshold);
        first[register] = view[0].value();
        second[register] = view[1].value();
        slopes[register] = inverse_slope.value();
        times[register] = (F64s::new(simd, references[register]) + elapsed).value();
    }
}

/// The neurons of a layer with a delay per synapse.
struct OwnOrder<'a, T, B> {
    layer: BatchedLayer<'a, T>,
    basis: PhantomData<B>,
}

impl<T: Element, B: BasisOf> WithSimd for OwnOrder<'_, T, B> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        #[cfg(target_arch = "x86_64")]
        if let Some(lookup) = ByPermutation::new::<S>() {
            return self.run(simd, lookup);
        }
        self.run(simd, ByLanes);
    }
}

impl<T: Element, B: BasisOf> OwnOrder<'_, T, B> {
    #[inline(always)]
    fn run<S: Simd, L>(self, simd: S, lookup: L)
    where
        L: Lookup<S, SMALL_TABLE> + Lookup<S, LARGE_TABLE>,
    {
        let BatchedLayer { layer, pass, scratch } = self.layer;
        let Tiling { rows, columns, .. } = layer.tiling;
        let Delays::Synaptic(delays) = &layer.delays else { return };
        let basis = B::On::<S>::new(simd, &layer.neurons.membrane);
        let width = pass.arrivals.registers::<S>();
        grow(&mut scratch.search.located, 3 * pass.width());
        for column in 0..columns {
            let Scratch { weights, .. } = &mut scratch.search;
            let scale = basis.weight_scale();
            scaled_weights(layer, &pass.arrivals.groups, column, scale, weights);
            let neuron = Neuron { column, columns, rows };
            let search = &mut scratch.search;
            macro_rules! by_keys {
                ($($count:literal: $table:ident;)*) => {
                    match rows {
                        $(..=$count if B::On::<S>::CARRIES_INDEX => neuron
                            .sort_keys::<S, _, L, $count, $table>(simd, basis, lookup, pass, search),)*
                        _ => neuron.sort(simd, basis, &delays.comparators, pass, search),
                    }
                };
            }
            let count = by_keys! {
                4: SMALL_TABLE;
                5: SMALL_TABLE;
                6: SMALL_TABLE;
                8: SMALL_TABLE;
                16: LARGE_TABLE;
                32: LARGE_TABLE;
            };
            let Scratch { sorted, sorted_weights, located, .. } = search;
            let sorted = registers::<S>(sorted)[..width * count].chunks_exact(count);
            let weights = registers::<S>(sorted_weights)[..width * count].chunks_exact(count);
            let located = &mut registers_mut::<S>(located)[..3 * width];
            for ((sorted, weights), located) in sorted.zip(weights).zip(located.chunks_exact_mut(3))
            {
                let Found { sums, certain, possible } = search_sorted(simd, basis, sorted, weights);
                let values = basis.locate(&sums, certain, possible);
                for (located, value) in located.iter_mut().zip(values) {
                    *located = value.value();
                }
            }
            write_spikes(simd, basis, layer.neurons.thresholds[column], column, located, pass);
        }
    }
}

/// One neuron of a layer with synaptic delays.
#[derive(Clone, Copy)]
struct Neuron {
    column: usize,
    columns: usize,
    rows: usize,
}

impl Neuron {
    /// When an input arrives at the neuron.
    #[inline(always)]
    fn arrival<S: Simd, B: TimeBasis<S>>(
        self,
        simd: S,
        basis: B,
        pass: &super::LayerPass,
        row: usize,
        register: usize,
    ) -> F64s<S> {
        let shift = pass.arrivals.shift(simd, row * self.columns + self.column);
        basis.later(pass.arrivals.instant(simd, row, register), shift).coordinate
    }

    /// Sorts at most `N` arrivals as keys that carry their rows, so that weights can be looked up in a table
    /// of `ROWS` afterwards. Returns the length of a list.
    #[inline(always)]
    fn sort_keys<S: Simd, B: TimeBasis<S>, L, const N: usize, const ROWS: usize>(
        self,
        simd: S,
        basis: B,
        lookup: L,
        pass: &super::LayerPass,
        scratch: &mut Scratch,
    ) -> usize
    where
        L: Lookup<S, ROWS>,
    {
        let width = pass.arrivals.registers::<S>();
        let Scratch { sorted, sorted_weights, weights, .. } = scratch;
        grow(sorted, width * N * S::F64_LANES);
        grow(sorted_weights, width * N * S::F64_LANES);
        let sorted = registers_mut::<S>(sorted)[..width * N].as_chunks_mut::<N>().0;
        let sorted_weights = registers_mut::<S>(sorted_weights)[..width * N].as_chunks_mut::<N>().0;
        let mut table = [0.0; ROWS];
        table[..weights.len()].copy_from_slice(weights);
        let table = lookup.table(&table);
        let never = basis.instant(F64s::splat(simd, f64::INFINITY)).coordinate.value();
        for (register, (sorted, weights)) in sorted.iter_mut().zip(sorted_weights).enumerate() {
            let mut keys = [never; N];
            for row in 0..N {
                if row < self.rows {
                    let arrival = self.arrival(simd, basis, pass, row, register);
                    keys[row] = with_row::<S, ROWS>(simd, arrival.value(), row);
                }
            }
            sort_keys(simd, &mut keys);
            *sorted = keys;
            for (weight, &key) in weights.iter_mut().zip(&keys) {
                *weight = lookup.get(&table, key);
            }
        }
        N
    }

    /// Sorts any number of arrivals, and the weights with them.
    #[inline(always)]
    fn sort<S: Simd, B: TimeBasis<S>>(
        self,
        simd: S,
        basis: B,
        comparators: &Comparators,
        pass: &super::LayerPass,
        scratch: &mut Scratch,
    ) -> usize {
        let width = pass.arrivals.registers::<S>();
        let Scratch { sorted, sorted_weights, weights, .. } = scratch;
        grow(sorted, width * self.rows * S::F64_LANES);
        grow(sorted_weights, width * self.rows * S::F64_LANES);
        let sorted = registers_mut::<S>(sorted).chunks_exact_mut(self.rows);
        let sorted_weights = registers_mut::<S>(sorted_weights).chunks_exact_mut(self.rows);
        for (register, (sorted, sorted_weights)) in
            sorted.zip(sorted_weights).take(width).enumerate()
        {
            for (row, sorted) in sorted.iter_mut().enumerate() {
                *sorted = self.arrival(simd, basis, pass, row, register).value();
                sorted_weights[row] = simd.splat_f64s(weights[row]);
            }
            comparators.sort(simd, sorted, sorted_weights);
        }
        self.rows
    }
}

/// Goes over arrivals in order.
#[inline(always)]
fn search_sorted<S: Simd, B: TimeBasis<S>>(
    simd: S,
    basis: B,
    arrivals: &[S::f64s],
    weights: &[S::f64s],
) -> Found<S> {
    let zero = F64s::splat(simd, 0.0);
    let everywhere = zero.at_least(zero);
    let never = basis.instant(F64s::splat(simd, f64::INFINITY));
    let (mut sums, mut waits) = (basis.rest(), everywhere);
    let mut last_power = zero;
    let mut arrival = basis.instant_at(F64s::new(simd, arrivals[0]));
    for (index, &weight) in weights.iter().enumerate() {
        let next = match arrivals.get(index + 1) {
            Some(&next) => basis.instant_at(F64s::new(simd, next)),
            None => never,
        };
        last_power = last_power.max_of_numbers(arrival.power);
        let step = basis.step(arrival, next);
        basis.add(&mut sums, &step, F64s::new(simd, weight), waits);
        waits = waits.and_not(basis.crosses(&sums, &step, waits));
        arrival = next;
    }
    let possible = waits.and(basis.may_cross_after(&sums, last_power));
    Found { sums, certain: everywhere.and_not(waits), possible }
}
