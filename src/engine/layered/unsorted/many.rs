//! A layer of many neurons and few rows: a register holds neurons, and goes over the rows.

use pulp::Simd;

use super::super::tiles::Tiling;
use super::neurons::{Coefficients, Neurons};
use super::rows::Rows;
use crate::simd::{F64s, Mask, registers, registers_mut};

/// The layer in one sample, with its weights in this tiling.
pub(super) struct ManyNeurons<'a> {
    pub neurons: Neurons<'a>,
    pub rows: &'a Rows,
    pub tiling: Tiling,
    pub weights: &'a [f64],
}

/// A register of neurons, and which of each row of weights it is.
#[derive(Clone, Copy)]
struct SomeNeurons<S: Simd> {
    /// When they spiked.
    time: F64s<S>,
    /// `s_T`
    offset: F64s<S>,
    /// Registers in a row.
    width: usize,
    place: usize,
}

/// What the loops need of the rows, in columns of one length.
#[derive(Clone, Copy)]
struct Columns<'a> {
    times: &'a [f64],
    offsets: &'a [f64],
    powers: &'a [f64],
    moments: &'a [f64],
}

impl ManyNeurons<'_> {
    /// Adds the derivatives by weights to `sums`, and writes those by the rows' times, if they are asked for.
    /// Returns how many neurons the guard kept from learning.
    #[inline(always)]
    pub fn backward<S: Simd>(
        &self,
        simd: S,
        guard: Option<f64>,
        coefficients: &mut Coefficients,
        sums: &mut [f64],
        mut by_row: Option<&mut Vec<f64>>,
    ) -> u64 {
        let rows = self.tiling.rows;
        let columns = Columns {
            times: &self.rows.times[..rows],
            offsets: &self.rows.offsets[..rows],
            powers: &self.rows.powers[..rows],
            moments: &self.rows.moments[..rows],
        };
        if let Some(by_row) = &mut by_row {
            // A register for each row, until all are summed.
            by_row.clear();
            by_row.resize(rows * S::F64_LANES, 0.0);
        }
        self.sum(simd, columns, coefficients);
        self.neurons.solve(simd, self.rows.reference, coefficients);
        let guarded = self.add(simd, guard, columns, coefficients, sums, &mut by_row);
        if let Some(by_row) = by_row {
            for row in 0..rows {
                by_row[row] = F64s::new(simd, registers::<S>(by_row)[row]).sum();
            }
            by_row.truncate(rows);
        }
        guarded
    }

    /// Adds all derivatives, those by a row's time in a register still to be summed.
    #[inline(always)]
    fn add<S: Simd>(
        &self,
        simd: S,
        guard: Option<f64>,
        columns: Columns,
        coefficients: &Coefficients,
        sums: &mut [f64],
        by_row: &mut Option<&mut Vec<f64>>,
    ) -> u64 {
        let rows = self.tiling.rows;
        let mut guarded = 0;
        for tile in self.tiling.tiles() {
            let width = tile.width / S::F64_LANES;
            let values = tile.start..tile.start + tile.width * rows;
            let weights = registers::<S>(&self.weights[values.clone()]);
            let sums = registers_mut::<S>(&mut sums[values]);
            for place in 0..width {
                let register = tile.column / S::F64_LANES + place;
                if !self.neurons.take_part(simd, register).any() {
                    continue;
                }
                let time = load(simd, self.neurons.times, register);
                let neurons = SomeNeurons {
                    time,
                    offset: load(simd, &coefficients.offsets, register),
                    width,
                    place,
                };
                let mut factor = load(simd, &coefficients.weight_factors, register);
                if let Some(guard) = guard {
                    let exceeds = neurons.exceed(simd, columns, factor, guard);
                    let (zero, one) = (F64s::splat(simd, 0.0), F64s::splat(simd, 1.0));
                    guarded += exceeds.select(one, zero).sum() as u64;
                    factor = exceeds.select(zero, factor);
                }
                neurons.add_weights(simd, columns, factor, sums);
                if let Some(by_row) = by_row {
                    let factor = load(simd, &coefficients.factors, register);
                    neurons.add_times(simd, columns, factor, weights, registers_mut::<S>(by_row));
                }
            }
        }
        guarded
    }

    /// Sums the causal sets.
    #[inline(always)]
    fn sum<S: Simd>(&self, simd: S, columns: Columns, coefficients: &mut Coefficients) {
        let zero = F64s::splat(simd, 0.0);
        let Columns { times, powers, moments, .. } = columns;
        coefficients.grow(self.neurons.times.len());
        let Coefficients { currents, potentials, .. } = coefficients;
        let (currents, potentials) = (registers_mut::<S>(currents), registers_mut::<S>(potentials));
        for tile in self.tiling.tiles() {
            let width = tile.width / S::F64_LANES;
            let values = tile.start..tile.start + tile.width * times.len();
            let weights = registers::<S>(&self.weights[values]);
            for place in 0..width {
                let register = tile.column / S::F64_LANES + place;
                let spikes = F64s::new(simd, registers::<S>(self.neurons.times)[register]);
                let (mut current, mut potential) = (zero, zero);
                let rows = weights.chunks_exact(width).zip(times).zip(powers).zip(moments);
                for (((weights, &time), &power), &moment) in rows {
                    let is_causal = spikes.above(F64s::splat(simd, time));
                    let weight = is_causal.select(F64s::new(simd, weights[place]), zero);
                    current = weight.multiply_add(F64s::splat(simd, power), current);
                    potential = weight.multiply_add(F64s::splat(simd, moment), potential);
                }
                currents[register] = current.value();
                potentials[register] = potential.value();
            }
        }
    }
}

impl<S: Simd> SomeNeurons<S> {
    /// `δ_i x_i` of a row; zero if it comes too late.
    #[inline(always)]
    fn response(&self, simd: S, time: f64, offset: f64, power: f64) -> F64s<S> {
        let elapsed = self.offset - F64s::splat(simd, offset);
        let response = elapsed * F64s::splat(simd, power);
        let is_causal = self.time.above(F64s::splat(simd, time));
        is_causal.select(response, F64s::splat(simd, 0.0))
    }

    /// Of which neurons one derivative by a weight exceeds `guard`.
    #[inline(always)]
    fn exceed(&self, simd: S, columns: Columns, factor: F64s<S>, guard: f64) -> Mask<S> {
        let Columns { times, offsets, powers, .. } = columns;
        let mut largest = F64s::splat(simd, 0.0);
        for ((&time, &offset), &power) in times.iter().zip(offsets).zip(powers) {
            largest = largest.max_of_numbers(self.response(simd, time, offset, power));
        }
        (factor.max_of_numbers(-factor) * largest).above(F64s::splat(simd, guard))
    }

    /// Adds the derivatives by weights, `factor` times the responses.
    #[inline(always)]
    fn add_weights(&self, simd: S, columns: Columns, factor: F64s<S>, sums: &mut [S::f64s]) {
        let Columns { times, offsets, powers, .. } = columns;
        let rows = sums.chunks_exact_mut(self.width).zip(times).zip(offsets).zip(powers);
        for (((sums, &time), &offset), &power) in rows {
            let response = self.response(simd, time, offset, power);
            let sum = &mut sums[self.place];
            *sum = factor.multiply_add(response, F64s::new(simd, *sum)).value();
        }
    }

    /// Adds the derivatives by the rows' times, each a register still to be summed.
    #[inline(always)]
    fn add_times(
        &self,
        simd: S,
        columns: Columns,
        factor: F64s<S>,
        weights: &[S::f64s],
        by_row: &mut [S::f64s],
    ) {
        let Columns { times, offsets, powers, .. } = columns;
        let rows = by_row.iter_mut().zip(weights.chunks_exact(self.width));
        let rows = rows.zip(times).zip(offsets).zip(powers);
        for ((((by_row, weights), &time), &offset), &power) in rows {
            let power = F64s::splat(simd, power);
            let rest = power - (self.offset - F64s::splat(simd, offset)) * power;
            let is_causal = self.time.above(F64s::splat(simd, time));
            let rest = is_causal.select(rest, F64s::splat(simd, 0.0));
            let factor = factor * F64s::new(simd, weights[self.place]);
            *by_row = factor.multiply_add(rest, F64s::new(simd, *by_row)).value();
        }
    }
}

/// A register of a column.
#[inline(always)]
fn load<S: Simd>(simd: S, column: &[f64], register: usize) -> F64s<S> {
    F64s::new(simd, registers::<S>(column)[register])
}
