//! Neurons with a delay per synapse: every one has an order of arrivals of its own, and sorts for itself.

use std::marker::PhantomData;

use pulp::{Simd, WithSimd};

use super::super::{BatchedLayer, Delays, LayerPass};
use super::{FOUND, Found, Scratch, scaled_weights, write_spikes};
use crate::engine::layered::tiles::Tiling;
use crate::neuron::basis::{BasisOf, TimeBasis};
#[cfg(target_arch = "x86_64")]
use crate::simd::ByPermutation;
use crate::simd::{
    ByLanes, F64s, LARGE_TABLE, Lookup, SMALL_TABLE, grow, registers, registers_mut, with_row,
};
use crate::sorting::{Comparators, sort_keys};

/// The neurons of a layer with a delay per synapse.
pub(super) struct OwnOrder<'a, B> {
    pub layer: BatchedLayer<'a>,
    pub basis: PhantomData<B>,
}

impl<B: BasisOf> WithSimd for OwnOrder<'_, B> {
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

impl<B: BasisOf> OwnOrder<'_, B> {
    #[inline(always)]
    fn run<S: Simd, L>(self, simd: S, lookup: L)
    where
        L: Lookup<S, SMALL_TABLE> + Lookup<S, LARGE_TABLE>,
    {
        let BatchedLayer { layer, pass, scratch } = self.layer;
        let Tiling { rows, columns, .. } = layer.tiling;
        let Delays::Synaptic(delays) = layer.delays else { return };
        let basis = B::On::<S>::new(simd, &layer.neurons.membrane);
        let width = pass.arrivals.registers::<S>();
        grow(&mut scratch.search.found, FOUND * pass.width());
        for column in 0..columns {
            let Scratch { weights, .. } = &mut scratch.search;
            let scale = basis.weight_scale();
            scaled_weights(&layer, &pass.arrivals.groups, column, scale, weights);
            let neuron = Neuron { column, columns, rows };
            let search = &mut scratch.search;
            let carries = B::On::<S>::CARRIES_INDEX;
            let count =
                match rows {
                    ..=5 if carries => neuron
                        .sort_keys::<S, _, L, 5, SMALL_TABLE>(simd, basis, lookup, pass, search),
                    ..=8 if carries => neuron
                        .sort_keys::<S, _, L, 8, SMALL_TABLE>(simd, basis, lookup, pass, search),
                    ..=32 if carries => neuron
                        .sort_keys::<S, _, L, 32, LARGE_TABLE>(simd, basis, lookup, pass, search),
                    _ => neuron.sort(simd, basis, &delays.comparators, pass, search),
                };
            let Scratch { sorted, sorted_weights, found, located, .. } = search;
            let sorted = &registers::<S>(sorted)[..width * count];
            let weights = &registers::<S>(sorted_weights)[..width * count];
            let found = &mut registers_mut::<S>(found)[..FOUND * width];
            let mut register = 0;
            while register < width {
                let lists = Lists {
                    sorted: &sorted[register * count..],
                    weights: &weights[register * count..],
                    count,
                };
                let found = &mut found[register * FOUND..];
                register += match width - register {
                    1 => lists.search::<B::On<S>, 1>(simd, basis, found),
                    2 => lists.search::<B::On<S>, 2>(simd, basis, found),
                    3 => lists.search::<B::On<S>, 3>(simd, basis, found),
                    _ => lists.search::<B::On<S>, 4>(simd, basis, found),
                };
            }
            write_spikes(simd, basis, &layer, column, found, located, pass);
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
        pass: &LayerPass,
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
        pass: &LayerPass,
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
            for (row, key) in keys.iter_mut().enumerate().take(self.rows) {
                let arrival = self.arrival(simd, basis, pass, row, register);
                *key = with_row::<S, ROWS>(simd, arrival.value(), row);
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
        pass: &LayerPass,
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

/// Sorted arrivals at a neuron and their weights, register after register of samples.
struct Lists<'a, S: Simd> {
    sorted: &'a [S::f64s],
    weights: &'a [S::f64s],
    /// Arrivals of a list.
    count: usize,
}

impl<S: Simd> Lists<'_, S> {
    /// Goes over the first `N` lists side by side, because each step of a list waits for its last one. Writes
    /// what it finds, and returns `N`.
    #[inline(always)]
    fn search<B: TimeBasis<S>, const N: usize>(
        &self,
        simd: S,
        basis: B,
        found: &mut [S::f64s],
    ) -> usize {
        let Lists { sorted, weights, count } = *self;
        let (sorted, weights) = (&sorted[..N * count], &weights[..N * count]);
        let zero = F64s::splat(simd, 0.0);
        let everywhere = zero.at_least(zero);
        let never = basis.instant(F64s::splat(simd, f64::INFINITY));
        let (mut sums, mut waits) = ([basis.rest(); N], [everywhere; N]);
        let mut last_powers = [zero; N];
        let mut arrivals = [never; N];
        for list in 0..N {
            arrivals[list] = basis.instant_at(F64s::new(simd, sorted[list * count]));
        }
        for index in 0..count {
            for list in 0..N {
                let place = list * count + index;
                let arrival = arrivals[list];
                let next = if index + 1 < count {
                    basis.instant_at(F64s::new(simd, sorted[place + 1]))
                } else {
                    never
                };
                last_powers[list] = last_powers[list].max_of_numbers(arrival.power);
                let step = basis.step(arrival, next);
                let weight = F64s::new(simd, weights[place]);
                basis.add(&mut sums[list], &step, weight, waits[list]);
                let crosses = basis.crosses(&sums[list], &step, waits[list]);
                waits[list] = waits[list].and_not(crosses);
                arrivals[list] = next;
            }
        }
        for list in 0..N {
            let may = basis.may_cross_after(&sums[list], last_powers[list]);
            let (sums, waits) = (sums[list], waits[list]);
            Found { sums, certain: everywhere.and_not(waits), possible: waits.and(may) }
                .store(simd, &mut found[list * FOUND..][..FOUND]);
        }
        N
    }
}
