//! The sweep over a few arrivals: neuron after neuron, a register of samples at a time.
//!
//! Each sample has its own order of arrivals, which all neurons share: they are sorted once, in registers,
//! and each neuron looks its weights up in that order.

use pulp::{Simd, WithSimd};

use super::super::sorting_network::sort_keys;
use super::{AbreastLayer, AbreastPass, AbreastScratch, NEVER};
use crate::simd::{ByLanes, Lookup, SMALL_TABLE, with_row};
use crate::simd::{Element, grow};
use crate::simd::{F64s, Mask, registers, registers_mut};

/// Most arrivals that are few.
pub(super) const MOST_FEW: usize = SMALL_TABLE;

/// What the sweep needs of one arrival of a register of samples, each in its own order.
struct Step<S: Simd> {
    /// What it adds to `P` and `R` for a unit of scaled weight.
    adds: [F64s<S>; 2],
    /// Its time, with the row in its last bits.
    row: S::f64s,
    /// Of the next arrival: `s`, `x`, and `x₁ (1 + s − s₁)`.
    next: [F64s<S>; 3],
}

/// Values of a step in memory.
const STEP: usize = 6;

/// Runs a layer, and leaves what was found as [`super::spikes`] takes it.
#[inline(always)]
pub(super) fn sweep_few<S: Simd, T: Element>(
    simd: S,
    layer: AbreastLayer<'_, T>,
    pass: &mut AbreastPass,
    scratch: &mut AbreastScratch,
) {
    let (rows, columns) = (layer.layer.tiling.rows, layer.layer.tiling.columns);
    scratch.weights.clear();
    scratch.weights.resize(columns * MOST_FEW, 0.0);
    for (column, weights) in scratch.weights.chunks_exact_mut(MOST_FEW).enumerate() {
        weights.iter_mut().zip(layer.scaled_weights(column)).for_each(|(to, weight)| *to = weight);
    }
    match rows {
        ..=4 => simd.vectorize(Sweep::<4> { rows, pass, scratch }),
        5 => simd.vectorize(Sweep::<5> { rows, pass, scratch }),
        6 => simd.vectorize(Sweep::<6> { rows, pass, scratch }),
        _ => simd.vectorize(Sweep::<8> { rows, pass, scratch }),
    }
}

/// At most `N` arrivals.
struct Sweep<'a, const N: usize> {
    rows: usize,
    pass: &'a mut AbreastPass,
    scratch: &'a mut AbreastScratch,
}

impl<const N: usize> WithSimd for Sweep<'_, N> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        #[cfg(target_arch = "x86_64")]
        if let Some(lookup) = crate::simd::ByPermutation::new::<S>() {
            return self.run(simd, lookup);
        }
        self.run(simd, ByLanes);
    }
}

impl<const N: usize> Sweep<'_, N> {
    #[inline(always)]
    fn run<S: Simd, L: Lookup<S, MOST_FEW>>(self, simd: S, lookup: L) {
        let Sweep { rows, pass, scratch } = self;
        let width = pass.width / S::F64_LANES;
        grow(&mut scratch.sorted, width * N * STEP * S::F64_LANES);
        let steps = &mut registers_mut::<S>(&mut scratch.sorted)[..width * N * STEP];
        let times = registers::<S>(&pass.times);
        for (group, steps) in steps.chunks_exact_mut(N * STEP).enumerate() {
            let mut sorted = [simd.splat_f64s(NEVER); N];
            for row in 0..N {
                if row < rows {
                    sorted[row] = times[row * width + group];
                }
            }
            write_steps(simd, sorted, steps);
        }
        let spikes = registers_mut::<S>(&mut pass.spikes).chunks_exact_mut(width);
        let decays = registers_mut::<S>(&mut pass.decays).chunks_exact_mut(width);
        let certain = registers_mut::<S>(&mut pass.inverse_slopes).chunks_exact_mut(width);
        let weights = scratch.weights.as_chunks::<MOST_FEW>().0;
        for (((spikes, decays), certain), weights) in spikes.zip(decays).zip(certain).zip(weights) {
            let table = lookup.table(weights);
            let places = spikes.iter_mut().zip(decays).zip(certain);
            for (((first, second), certain), steps) in places.zip(steps.chunks_exact(N * STEP)) {
                let found = cross::<S, L, N>(simd, lookup, table, steps);
                [*first, *second, *certain] = found;
            }
        }
    }
}

impl<S: Simd> Step<S> {
    #[inline(always)]
    fn load(simd: S, values: &[S::f64s]) -> Self {
        let load = |index: usize| F64s::new(simd, values[index]);
        Step { adds: [load(0), load(1)], row: values[2], next: [load(3), load(4), load(5)] }
    }
}

/// Sorts the times of a register of samples, and writes their steps.
#[inline(always)]
fn write_steps<S: Simd, const N: usize>(simd: S, mut times: [S::f64s; N], steps: &mut [S::f64s]) {
    // With the row in the last bits: arrivals that are equal but for these come together but for rounding.
    for (row, time) in times.iter_mut().enumerate() {
        *time = with_row::<S, MOST_FEW>(simd, *time, row);
    }
    sort_keys(simd, &mut times);
    let all = |value| F64s::splat(simd, value);
    let (zero, one, never) = (all(0.0), all(1.0), all(NEVER));
    // Time and power of the arrival after; the last has none.
    let mut next = [zero, never];
    for index in (0..N).rev() {
        // Without the row, which would make a denormal number of zero.
        let time = F64s::new(simd, with_row::<S, MOST_FEW>(simd, times[index], 0));
        let comes = never.above(time);
        let power = comes.select(time.exp_of_negative(), zero);
        let [next_time, next_power] = next;
        let tangent = (one + next_time - time) * power;
        let follows = never.above(next_power);
        let tangent = follows.select(tangent, never);
        let step = &mut steps[index * STEP..][..STEP];
        step[0] = power.value();
        step[1] = comes.select(-(power * time), zero).value();
        step[2] = times[index];
        step[3] = next_time.value();
        step[4] = next_power.value();
        step[5] = tangent.value();
        next = [comes.select(time, zero), comes.select(power, never)];
    }
}

/// Looks for the crossings of one neuron in a register of samples: `P` and `R`, both zero if there is none,
/// and one where there certainly is one.
#[inline(always)]
fn cross<S: Simd, L: Lookup<S, MOST_FEW>, const N: usize>(
    simd: S,
    lookup: L,
    table: L::Table,
    steps: &[S::f64s],
) -> [S::f64s; 3] {
    let (zero, one) = (F64s::splat(simd, 0.0), F64s::splat(simd, 1.0));
    let (mut first, mut second) = (zero, zero);
    let mut waits = zero.at_least(zero);
    for index in 0..N {
        let step = Step::load(simd, &steps[index * STEP..][..STEP]);
        let weight = F64s::new(simd, lookup.get(table, step.row));
        first = waits.select(weight.multiply_add(step.adds[0], first), first);
        second = waits.select(weight.multiply_add(step.adds[1], second), second);
        if index + 1 < N {
            let [time, power, tangent] = step.next;
            let there = first.multiply_add(time, second);
            let mut crosses = there.at_least(power);
            let may = there.at_least(tangent).and(power.above(first)).and(waits).and_not(crosses);
            if may.any() {
                crosses = crosses.or(may.and(peaks_above(first, second, one)));
            }
            waits = waits.and_not(crosses);
        }
    }
    let may = waits.and_not(first.above(one));
    [
        may.select(zero, first).value(),
        may.select(zero, second).value(),
        waits.select(zero, one).value(),
    ]
}

/// Whether the maximum of `h` is above zero, for a positive `P`.
#[inline(always)]
pub(super) fn peaks_above<S: Simd>(first: F64s<S>, second: F64s<S>, one: F64s<S>) -> Mask<S> {
    (first * (first.ln() - one)).above(-second)
}
