//! Where neurons first reach their threshold: neuron after neuron, all samples of a register at once.
//!
//! Without synaptic delays all neurons have the same order of arrivals. So it is found once, with what follows
//! from the times ([`super::order`]), and a neuron only looks its weights up. With a delay per synapse every
//! neuron sorts for itself ([`own_order`]).

mod own_order;

use std::marker::PhantomData;

use pulp::{Simd, WithSimd};

use self::own_order::OwnOrder;
use super::order::{self, SOME};
use super::{BatchedLayer, Delays, LayerPass, LayerView};
use crate::neuron::basis::{BasisOf, SpikeState, Sums, TimeBasis};
#[cfg(target_arch = "x86_64")]
use crate::simd::ByPermutation;
use crate::simd::{ByLanes, F64s, Lookup, Mask, SMALL_TABLE, grow, registers, registers_mut};

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
    /// Of all neurons: scaled weights, group by group.
    rows: Vec<f64>,
    /// Per neuron and register of samples: [`Found`].
    found: Vec<f64>,
    /// Of one neuron, per register of samples: [`TimeBasis::locate`].
    located: Vec<f64>,
}

/// Runs a layer on its arrivals.
#[inline(always)]
pub(super) fn forward<S: Simd, B: BasisOf>(simd: S, layer: BatchedLayer<'_>) {
    let count = layer.layer.tiling.columns * layer.pass.width();
    let [first, second] = &mut layer.pass.response_factors;
    for column in [first, second, &mut layer.pass.inverse_slopes, &mut layer.pass.spike_times] {
        column.resize(count, 0.0);
    }
    let basis = PhantomData::<B>;
    if matches!(layer.layer.delays, Delays::Synaptic(_)) {
        return simd.vectorize(OwnOrder { layer, basis });
    }
    if !B::LOOKS_UP {
        return simd.vectorize(SharedOrder::<B, 0> { layer, basis });
    }
    match layer.pass.arrivals.groups.len() {
        0..=5 => simd.vectorize(SharedOrder::<B, 5> { layer, basis }),
        6..=8 => simd.vectorize(SharedOrder::<B, 8> { layer, basis }),
        _ => simd.vectorize(SharedOrder::<B, 0> { layer, basis }),
    }
}

/// What a neuron's arrivals did: the sums, and where it crosses for certain or perhaps.
struct Found<S: Simd> {
    sums: Sums<S>,
    certain: Mask<S>,
    possible: Mask<S>,
}

/// Registers of a [`Found`] in memory.
const FOUND: usize = 4;

impl<S: Simd> Found<S> {
    #[inline(always)]
    fn store(&self, simd: S, memory: &mut [S::f64s]) {
        let all = |value| F64s::splat(simd, value);
        memory[0] = self.sums.first.value();
        memory[1] = self.sums.second.value();
        memory[2] = self.sums.last.value();
        // Two where it is certain, one where it is possible.
        let state = self.certain.select(all(2.0), self.possible.select(all(1.0), all(0.0)));
        memory[3] = state.value();
    }

    #[inline(always)]
    fn load(simd: S, memory: &[S::f64s]) -> Self {
        let sums = Sums {
            first: F64s::new(simd, memory[0]),
            second: F64s::new(simd, memory[1]),
            last: F64s::new(simd, memory[2]),
        };
        let state = F64s::new(simd, memory[3]);
        let certain = state.above(F64s::splat(simd, 1.5));
        let possible = state.above(F64s::splat(simd, 0.5)).and_not(certain);
        Found { sums, certain, possible }
    }
}

/// The neurons of a layer whose arrivals have one order: at most `N` of them, or any number if it is zero.
struct SharedOrder<'a, B, const N: usize> {
    layer: BatchedLayer<'a>,
    basis: PhantomData<B>,
}

impl<B: BasisOf> WithSimd for SharedOrder<'_, B, 0> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        self.run_gathered(simd);
    }
}

macro_rules! with_lookup {
    ($($most:literal: $rows:ident)*) => {
        $(impl<B: BasisOf> WithSimd for SharedOrder<'_, B, $most> {
            type Output = ();

            #[inline(always)]
            fn with_simd<S: Simd>(self, simd: S) {
                #[cfg(target_arch = "x86_64")]
                if let Some(lookup) = ByPermutation::new::<S>() {
                    return self.run_by_table::<S, _, $rows>(simd, lookup);
                }
                self.run_by_table::<S, _, $rows>(simd, ByLanes);
            }
        })*
    };
}
with_lookup!(5: SMALL_TABLE 8: SMALL_TABLE);

impl<B: BasisOf, const N: usize> SharedOrder<'_, B, N> {
    /// Few arrivals: every neuron looks its weights up in a table of `ROWS`.
    #[inline(always)]
    fn run_by_table<S: Simd, L: Lookup<S, ROWS>, const ROWS: usize>(self, simd: S, lookup: L) {
        let BatchedLayer { layer, pass, scratch } = self.layer;
        let basis = B::On::<S>::new(simd, &layer.neurons.membrane);
        let Scratch { keys, steps, weights, found, located, .. } = &mut scratch.search;
        let width = pass.arrivals.registers::<S>();
        let length = N * (1 + B::On::<S>::STEP);
        grow(steps, width * length * S::F64_LANES);
        let steps = &mut registers_mut::<S>(steps)[..width * length];
        for (register, steps) in steps.chunks_exact_mut(length).enumerate() {
            let ordered = order::sort(simd, &pass.arrivals, register, keys);
            let instants = ordered.instants(0);
            let mut arrival = instants.get(simd, basis, 0);
            for (place, step) in steps.chunks_exact_mut(1 + B::On::<S>::STEP).enumerate() {
                let next = instants.get(simd, basis, place + 1);
                let is_one = place < pass.arrivals.groups.len();
                step[0] = if is_one { ordered.key(place) } else { simd.splat_f64s(0.0) };
                B::On::<S>::store(&basis.step(arrival, next), &mut step[1..]);
                arrival = next;
            }
        }
        // The reference is the last arrival.
        let last_power = basis.instant(F64s::splat(simd, 0.0)).power;
        grow(found, FOUND * pass.width());
        for column in 0..layer.tiling.columns {
            scaled_weights(&layer, &pass.arrivals.groups, column, basis.weight_scale(), weights);
            let mut table = [0.0; ROWS];
            table[..weights.len()].copy_from_slice(weights);
            let table = lookup.table(&table);
            let found = &mut registers_mut::<S>(found)[..FOUND * width];
            let steps = steps.chunks_exact(length);
            for (found, steps) in found.chunks_exact_mut(FOUND).zip(steps) {
                search::<S, _, L, N, ROWS>(simd, basis, lookup, &table, steps, last_power)
                    .store(simd, found);
            }
            write_spikes(simd, basis, &layer, column, found, located, pass);
        }
        delay_spikes(&layer, pass);
    }

    /// Many arrivals at few neurons: the weights of all neurons are brought in the order of the arrivals, some
    /// arrivals at a time, until all neurons have crossed.
    #[inline(always)]
    fn run_gathered<S: Simd>(self, simd: S) {
        let BatchedLayer { layer, pass, scratch } = self.layer;
        let columns = layer.tiling.columns;
        let basis = B::On::<S>::new(simd, &layer.neurons.membrane);
        let Scratch { keys, steps, weights, sorted_weights, rows, found, located, .. } =
            &mut scratch.search;
        let count = pass.arrivals.groups.len();
        let width = pass.arrivals.registers::<S>();
        let (length, stride) = (B::On::<S>::STEP, SOME * S::F64_LANES);
        grow(steps, SOME * length * S::F64_LANES);
        grow(sorted_weights, columns * stride);
        rows.clear();
        rows.resize(count * columns, 0.0);
        for column in 0..columns {
            scaled_weights(&layer, &pass.arrivals.groups, column, basis.weight_scale(), weights);
            let places = rows.iter_mut().skip(column).step_by(columns);
            places.zip(&*weights).for_each(|(place, &weight)| *place = weight);
        }
        let last_power = basis.instant(F64s::splat(simd, 0.0)).power;
        let zero = F64s::splat(simd, 0.0);
        let (everywhere, nowhere) = (zero.at_least(zero), zero.above(zero));
        grow(found, FOUND * pass.width() * columns);
        let found = &mut registers_mut::<S>(found)[..FOUND * width * columns];
        for register in 0..width {
            let ordered = order::sort(simd, &pass.arrivals, register, keys);
            let place = |column: usize| (column * width + register) * FOUND;
            for column in 0..columns {
                Found { sums: basis.rest(), certain: nowhere, possible: everywhere }
                    .store(simd, &mut found[place(column)..][..FOUND]);
            }
            for first in (0..count).step_by(SOME) {
                let some = SOME.min(count - first);
                let steps = &mut registers_mut::<S>(steps)[..some * length];
                let instants = ordered.instants(first);
                let mut arrival = instants.get(simd, basis, 0);
                for (index, step) in steps.chunks_exact_mut(length).enumerate() {
                    let next = instants.get(simd, basis, index + 1);
                    B::On::<S>::store(&basis.step(arrival, next), step);
                    arrival = next;
                    let to = &mut sorted_weights[index * S::F64_LANES..];
                    ordered.gather(first + index, rows, columns, stride, to);
                }
                let weights = registers::<S>(sorted_weights);
                let mut waits = nowhere;
                let mut column = 0;
                while column < columns {
                    let weights = &weights[column * SOME..];
                    let found = &mut found[place(column)..];
                    let stride = width * FOUND;
                    let (count, some_wait) = match columns - column {
                        1 => (1, go_on::<S, _, 1>(simd, basis, steps, weights, found, stride)),
                        2 => (2, go_on::<S, _, 2>(simd, basis, steps, weights, found, stride)),
                        3 => (3, go_on::<S, _, 3>(simd, basis, steps, weights, found, stride)),
                        _ => (4, go_on::<S, _, 4>(simd, basis, steps, weights, found, stride)),
                    };
                    waits = waits.or(some_wait);
                    column += count;
                }
                if !waits.any() {
                    break;
                }
            }
            for column in 0..columns {
                let memory = &mut found[place(column)..][..FOUND];
                let mut found = Found::load(simd, memory);
                let may = basis.may_cross_after(&found.sums, last_power);
                found.possible = found.possible.and(may);
                found.store(simd, memory);
            }
        }
        for column in 0..columns {
            let found = &found[column * width * FOUND..][..width * FOUND];
            write_spikes(simd, basis, &layer, column, found, located, pass);
        }
        delay_spikes(&layer, pass);
    }
}

/// Goes over the next steps with `N` neurons, whose weights stand [`SOME`] registers apart and what was found
/// of them `stride`. Returns where they wait. Side by side, because a neuron's next step waits for its last.
#[inline(always)]
fn go_on<S: Simd, B: TimeBasis<S>, const N: usize>(
    simd: S,
    basis: B,
    steps: &[S::f64s],
    weights: &[S::f64s],
    memory: &mut [S::f64s],
    stride: usize,
) -> Mask<S> {
    let zero = F64s::splat(simd, 0.0);
    let nowhere = zero.above(zero);
    let (mut sums, mut certain, mut waits) = ([basis.rest(); N], [nowhere; N], [nowhere; N]);
    for neuron in 0..N {
        let found = Found::load(simd, &memory[neuron * stride..][..FOUND]);
        sums[neuron] = found.sums;
        certain[neuron] = found.certain;
        waits[neuron] = found.possible;
    }
    for (index, step) in steps.chunks_exact(B::STEP).enumerate() {
        let step = B::load(simd, step);
        for neuron in 0..N {
            let weight = F64s::new(simd, weights[neuron * SOME + index]);
            basis.add(&mut sums[neuron], &step, weight, waits[neuron]);
            let crosses = basis.crosses(&sums[neuron], &step, waits[neuron]);
            certain[neuron] = certain[neuron].or(crosses);
            waits[neuron] = waits[neuron].and_not(crosses);
        }
    }
    let mut some_wait = nowhere;
    for neuron in 0..N {
        let found = Found { sums: sums[neuron], certain: certain[neuron], possible: waits[neuron] };
        found.store(simd, &mut memory[neuron * stride..][..FOUND]);
        some_wait = some_wait.or(waits[neuron]);
    }
    some_wait
}

/// Puts spikes off by dendritic delays.
fn delay_spikes(layer: &LayerView<'_>, pass: &mut LayerPass) {
    let Delays::Dendritic(delays) = layer.delays else { return };
    let times = pass.spike_times.chunks_exact_mut(pass.arrivals.width);
    for (times, delay) in times.zip(delays) {
        times.iter_mut().for_each(|time| *time += delay);
    }
}

/// The weights of one neuron, summed over the rows of each group, in the units of the basis.
pub(super) fn scaled_weights(
    layer: &LayerView<'_>,
    groups: &[std::ops::Range<usize>],
    column: usize,
    scale: f64,
    weights: &mut Vec<f64>,
) {
    let place = layer.tiling.column(column);
    let scale = scale / layer.neurons.thresholds[column];
    weights.clear();
    weights.extend(
        groups
            .iter()
            .map(|rows| rows.clone().map(|row| layer.weights[place.at(row)]).sum::<f64>() * scale),
    );
}

/// Goes over the `N` steps of a register of samples.
#[inline(always)]
fn search<S: Simd, B: TimeBasis<S>, L: Lookup<S, ROWS>, const N: usize, const ROWS: usize>(
    simd: S,
    basis: B,
    lookup: L,
    table: &L::Table,
    steps: &[S::f64s],
    last_power: F64s<S>,
) -> Found<S> {
    let zero = F64s::splat(simd, 0.0);
    let everywhere = zero.at_least(zero);
    let (mut sums, mut waits) = (basis.rest(), everywhere);
    let length = 1 + B::STEP;
    for index in 0..N {
        let step = &steps[index * length..][..length];
        let weight = F64s::new(simd, lookup.get(table, step[0]));
        let step = B::load(simd, &step[1..]);
        basis.add(&mut sums, &step, weight, waits);
        waits = waits.and_not(basis.crosses(&sums, &step, waits));
    }
    let possible = waits.and(basis.may_cross_after(&sums, last_power));
    Found { sums, certain: everywhere.and_not(waits), possible }
}

/// Computes the spikes of one neuron, and writes them to the pass. In loops of their own: all operations of
/// one register wait for one another, and the fewer there are until the next register's, the more the machine
/// works on at once.
#[inline(always)]
fn write_spikes<S: Simd, B: TimeBasis<S>>(
    simd: S,
    basis: B,
    layer: &LayerView<'_>,
    column: usize,
    found: &[S::f64s],
    located: &mut Vec<f64>,
    pass: &mut LayerPass,
) {
    let width = pass.arrivals.registers::<S>();
    grow(located, 3 * pass.arrivals.width);
    let located = &mut registers_mut::<S>(located)[..3 * width];
    for (located, found) in located.chunks_exact_mut(3).zip(found.chunks_exact(FOUND)) {
        let Found { sums, certain, possible } = Found::load(simd, found);
        let values = basis.locate(&sums, certain, possible);
        located[0] = values[0].value();
        located[1] = values[1].value();
        located[2] = values[2].value();
    }
    let threshold = layer.neurons.thresholds[column];
    let places = column * width..(column + 1) * width;
    let references = &registers::<S>(&pass.arrivals.references)[..width];
    let [first, second] = &mut pass.response_factors;
    let first = &mut registers_mut::<S>(first)[places.clone()];
    let second = &mut registers_mut::<S>(second)[places.clone()];
    let slopes = &mut registers_mut::<S>(&mut pass.inverse_slopes)[places.clone()];
    let times = &mut registers_mut::<S>(&mut pass.spike_times)[places];
    for register in 0..width {
        let located = &located[3 * register..][..3];
        let located =
            [F64s::new(simd, located[0]), F64s::new(simd, located[1]), F64s::new(simd, located[2])];
        let SpikeState { response_factors, inverse_slope, elapsed } =
            basis.spike(located, threshold);
        first[register] = response_factors[0].value();
        second[register] = response_factors[1].value();
        slopes[register] = inverse_slope.value();
        times[register] = (F64s::new(simd, references[register]) + elapsed).value();
    }
}
