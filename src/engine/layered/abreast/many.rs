//! The sweep over many arrivals: sample after sample, some registers of neurons at a time.
//!
//! The arrivals of a register of samples are sorted together by a sorting network, as keys: times with the
//! row in their last bits, so that exchanging two takes two operations. (What is equal but for these bits
//! may stay in another order: it comes at the same time but for rounding.) All that is computed is taken
//! from the times themselves.

use pulp::{Simd, WithSimd};

use super::super::sorting_network::{BLOCK, sort_blocks};
use super::few::peaks_above;
use super::{AbreastLayer, AbreastPass, AbreastScratch, MOST_ROWS, NEVER, PADDING};
use crate::simd::with_row;
use crate::simd::{Element, grow};
use crate::simd::{F64s, Mask, registers, registers_mut};

/// Most registers of neurons that are looked at together.
const REGISTERS: usize = 4;
/// Most neurons of these.
const NEURONS: usize = REGISTERS * PADDING;
/// The first indices.
const INDICES: [f64; PADDING] = [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0];

/// Runs a layer, and leaves what was found as [`super::spikes`] takes it.
#[inline(always)]
pub(super) fn sweep_many<S: Simd, T: Element>(
    simd: S,
    layer: AbreastLayer<'_, T>,
    samples: usize,
    pass: &mut AbreastPass,
    scratch: &mut AbreastScratch,
) {
    let (rows, columns) = (layer.layer.tiling.rows, layer.layer.tiling.columns);
    let padded = columns.next_multiple_of(PADDING);
    scratch.weights.clear();
    scratch.weights.resize(rows * padded, 0.0);
    for column in 0..columns {
        let places = scratch.weights[column..].iter_mut().step_by(padded);
        places.zip(layer.scaled_weights(column)).for_each(|(to, weight)| *to = weight);
    }
    let shape = Shape { rows, columns, padded };
    simd.vectorize(Sweep { shape, samples, pass, scratch });
}

#[derive(Clone, Copy)]
struct Shape {
    rows: usize,
    columns: usize,
    /// Columns, filled up to whole registers.
    padded: usize,
}

struct Sweep<'a> {
    shape: Shape,
    samples: usize,
    pass: &'a mut AbreastPass,
    scratch: &'a mut AbreastScratch,
}

impl WithSimd for Sweep<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Sweep { shape, samples, pass, scratch } = self;
        let AbreastScratch { sorted, weights, .. } = scratch;
        let lanes = S::F64_LANES;
        let places = shape.rows.next_multiple_of(BLOCK);
        grow(sorted, places * lanes);
        // Samples that only fill the last register up do not spike.
        for column in [&mut pass.spikes, &mut pass.decays, &mut pass.inverse_slopes] {
            column.fill(0.0);
        }
        let weights = registers::<S>(weights);
        let in_row = shape.padded / lanes;
        for group in 0..pass.width / lanes {
            let keys = &mut registers_mut::<S>(sorted)[..places];
            let counts = write_keys(simd, pass, shape.rows, group, keys);
            sort_blocks(simd, keys);
            let first_sample = group * lanes;
            for lane in 0..lanes.min(samples.saturating_sub(first_sample)) {
                let sample = first_sample + lane;
                let arrivals = Arrivals {
                    keys: &sorted[lane..],
                    count: counts.lane(lane) as usize,
                    times: &pass.times[sample..],
                    powers: &pass.powers[sample..],
                    width: pass.width,
                };
                for first in (0..in_row).step_by(REGISTERS) {
                    let neurons = first * lanes;
                    let part = Part {
                        weights: &weights[first..],
                        in_row,
                        neurons: shape.columns - neurons.min(shape.columns),
                    };
                    let found = match in_row - first {
                        1 => part.cross::<S, 1>(simd, &arrivals),
                        2 => part.cross::<S, 2>(simd, &arrivals),
                        3 => part.cross::<S, 3>(simd, &arrivals),
                        _ => part.cross::<S, 4>(simd, &arrivals),
                    };
                    let columns = neurons..shape.columns.min(neurons + REGISTERS * lanes);
                    for (neuron, column) in columns.enumerate() {
                        let place = column * pass.width + sample;
                        pass.spikes[place] = found[0][neuron];
                        pass.decays[place] = found[1][neuron];
                        pass.inverse_slopes[place] = found[2][neuron];
                    }
                }
            }
        }
    }
}

/// Writes the keys of a register of samples, and fills their last block up. Returns how many arrivals each has.
#[inline(always)]
fn write_keys<S: Simd>(
    simd: S,
    pass: &AbreastPass,
    rows: usize,
    group: usize,
    keys: &mut [S::f64s],
) -> F64s<S> {
    let times = registers::<S>(&pass.times);
    let width = pass.width / S::F64_LANES;
    let all = |value| F64s::splat(simd, value);
    let (zero, one, never) = (all(0.0), all(1.0), all(NEVER));
    let mut counts = zero;
    let (keys, beyond) = keys.split_at_mut(rows);
    for (row, key) in keys.iter_mut().enumerate() {
        let time = F64s::new(simd, times[row * width + group]);
        counts = counts + never.above(time).select(one, zero);
        // All are at least one time constant from zero, and none loses its order.
        *key = with_row::<S, MOST_ROWS>(simd, (time - one).value(), row);
    }
    beyond.fill(never.value());
    counts
}

/// The arrivals of one sample, in the order of time. Of all columns every `width`th value is the sample's;
/// of the keys as many lanes apart as a register has.
#[derive(Clone, Copy)]
struct Arrivals<'a> {
    keys: &'a [f64],
    count: usize,
    /// By row.
    times: &'a [f64],
    powers: &'a [f64],
    width: usize,
}

impl Arrivals<'_> {
    /// Row, `s` and `x` of an arrival.
    #[inline(always)]
    fn get(&self, index: usize, lanes: usize) -> (usize, f64, f64) {
        let row = self.keys[index * lanes].to_bits() as usize % MOST_ROWS;
        (row, self.times[row * self.width], self.powers[row * self.width])
    }
}

/// Some registers of neurons.
#[derive(Clone, Copy)]
struct Part<'a, R> {
    /// From their first register in the first row on.
    weights: &'a [R],
    /// Registers of a row.
    in_row: usize,
    /// How many neurons there are from the first of these on; what is beyond is padding.
    neurons: usize,
}

/// Where neurons cross, as far as is known.
struct Found<S: Simd, const N: usize> {
    waits: [Mask<S>; N],
    first: [F64s<S>; N],
    second: [F64s<S>; N],
    certain: [F64s<S>; N],
}

impl<S: Simd, const N: usize> Found<S, N> {
    #[inline(always)]
    fn new(simd: S, neurons: usize) -> Self {
        let zero = F64s::splat(simd, 0.0);
        let index = F64s::new(simd, registers::<S>(&INDICES)[0]);
        let mut waits = [zero.at_least(zero); N];
        for (register, waits) in waits.iter_mut().enumerate() {
            let left = neurons as f64 - (register * S::F64_LANES) as f64;
            *waits = F64s::splat(simd, left).above(index);
        }
        Found { waits, first: [zero; N], second: [zero; N], certain: [zero; N] }
    }

    /// These cross with these sums.
    #[inline(always)]
    fn add(
        &mut self,
        register: usize,
        crosses: Mask<S>,
        [first, second]: [F64s<S>; 2],
        certain: F64s<S>,
    ) {
        self.waits[register] = self.waits[register].and_not(crosses);
        self.first[register] = crosses.select(first, self.first[register]);
        self.second[register] = crosses.select(second, self.second[register]);
        self.certain[register] = crosses.select(certain, self.certain[register]);
    }

    #[inline(always)]
    fn is_over(&self) -> bool {
        let mut waits = self.waits[0];
        for &other in &self.waits[1..] {
            waits = waits.or(other);
        }
        !waits.any()
    }

    /// Values by neuron: `P`, `R`, and one where a crossing is certain.
    #[inline(always)]
    fn values(&self) -> [[f64; NEURONS]; 3] {
        let mut values = [[0.0; NEURONS]; 3];
        for (values, column) in values.iter_mut().zip([&self.first, &self.second, &self.certain]) {
            for (value, column) in registers_mut::<S>(values).iter_mut().zip(column) {
                *value = column.value();
            }
        }
        values
    }
}

impl<R: Copy> Part<'_, R> {
    /// Adds an arrival with these `s` and `x`.
    #[inline(always)]
    fn add<S: Simd<f64s = R>, const N: usize>(
        &self,
        simd: S,
        first: &mut [F64s<S>; N],
        second: &mut [F64s<S>; N],
        row: usize,
        [time, power]: [f64; 2],
    ) {
        let row = &self.weights[row * self.in_row..][..N];
        let (pull, power) = (-(power * time), F64s::splat(simd, power));
        let pull = F64s::splat(simd, pull);
        for register in 0..N {
            let weight = F64s::new(simd, row[register]);
            first[register] = weight.multiply_add(power, first[register]);
            second[register] = weight.multiply_add(pull, second[register]);
        }
    }

    /// Looks for the crossings of `N` registers of neurons.
    #[inline(always)]
    fn cross<S: Simd<f64s = R>, const N: usize>(
        &self,
        simd: S,
        arrivals: &Arrivals<'_>,
    ) -> [[f64; NEURONS]; 3] {
        let all = |value| F64s::splat(simd, value);
        let (zero, one) = (all(0.0), all(1.0));
        let mut found = Found::<S, N>::new(simd, self.neurons);
        if arrivals.count == 0 {
            return found.values();
        }
        let (mut first, mut second) = ([zero; N], [zero; N]);
        let lanes = S::F64_LANES;
        let (mut row, mut time, mut power) = arrivals.get(0, lanes);
        for next in 1..arrivals.count {
            self.add(simd, &mut first, &mut second, row, [time, power]);
            let (next_row, next_time, next_power) = arrivals.get(next, lanes);
            let tangent = all((1.0 + (next_time - time)) * power);
            let there = all(next_time);
            let mut may = zero.above(zero);
            for register in 0..N {
                let there = first[register].multiply_add(there, second[register]);
                may = may.or(there.at_least(tangent).and(found.waits[register]));
            }
            if may.any() {
                let end = all(next_power);
                for register in 0..N {
                    let sums = [first[register], second[register]];
                    let there = sums[0].multiply_add(there, sums[1]);
                    let waits = found.waits[register];
                    let reaches = there.at_least(end);
                    let may = there.at_least(tangent).and(end.above(sums[0]));
                    let peaks = may.and(peaks_above(sums[0], sums[1], one));
                    found.add(register, reaches.or(peaks).and(waits), sums, one);
                }
                if found.is_over() {
                    return found.values();
                }
            }
            (row, time, power) = (next_row, next_time, next_power);
        }
        self.add(simd, &mut first, &mut second, row, [time, power]);
        for register in 0..N {
            let crosses = first[register].above(one).and(found.waits[register]);
            found.add(register, crosses, [first[register], second[register]], zero);
        }
        found.values()
    }
}
