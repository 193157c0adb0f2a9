//! A layer of few neurons: a register holds rows, and up to four neurons go over them together.

use pulp::Simd;

use super::neurons::{Coefficients, Neurons};
use super::rows::Rows;
use crate::simd::{F64s, registers, registers_mut};

/// Most neurons that go over the rows together.
const NEURONS: usize = 4;

/// The layer in one sample, with its weights one neuron after the other.
pub(super) struct FewNeurons<'a> {
    pub neurons: Neurons<'a>,
    pub rows: &'a Rows,
    pub columns: usize,
    /// Rows, padding included.
    pub width: usize,
    pub weights: &'a [f64],
}

/// Calls a method for all columns, up to four at a time.
macro_rules! in_parts {
    ($columns:expr, $layer:ident.$method:ident($($argument:expr),*)) => {
        for first in (0..$columns).step_by(NEURONS) {
            match $columns - first {
                1 => $layer.$method::<S, 1>($($argument,)* first),
                2 => $layer.$method::<S, 2>($($argument,)* first),
                3 => $layer.$method::<S, 3>($($argument,)* first),
                _ => $layer.$method::<S, NEURONS>($($argument,)* first),
            }
        }
    };
}

impl FewNeurons<'_> {
    /// Adds the derivatives by weights to `sums`, and writes those by the rows' times. Returns how many
    /// neurons the guard kept from learning.
    #[inline(always)]
    pub fn backward<S: Simd>(
        &self,
        simd: S,
        guard: Option<f64>,
        coefficients: &mut Coefficients,
        sums: &mut [f64],
        by_row: &mut Vec<f64>,
    ) -> u64 {
        by_row.clear();
        by_row.resize(self.width, 0.0);
        let mut any = false;
        for register in 0..self.neurons.registers::<S>() {
            any |= self.neurons.take_part(simd, register).any();
        }
        if !any {
            return 0;
        }
        coefficients.grow(self.neurons.times.len());
        in_parts!(self.columns, self.sum(simd, coefficients));
        self.neurons.solve(simd, self.rows.reference, coefficients);
        let guarded = match guard {
            Some(guard) => self.guard(simd, guard, coefficients),
            None => 0,
        };
        in_parts!(self.columns, self.add(simd, coefficients, sums, by_row));
        guarded
    }

    /// The weights of `N` neurons from `first` on.
    #[inline(always)]
    fn columns<S: Simd, const N: usize>(&self, first: usize) -> [&[S::f64s]; N] {
        let width = self.width / S::F64_LANES;
        let mut columns = [&registers::<S>(self.weights)[..width]; N];
        for (neuron, column) in columns.iter_mut().enumerate() {
            *column = &registers::<S>(self.weights)[(first + neuron) * width..][..width];
        }
        columns
    }

    /// Sums the causal sets of `N` neurons.
    #[inline(always)]
    fn sum<S: Simd, const N: usize>(&self, simd: S, coefficients: &mut Coefficients, first: usize) {
        let zero = F64s::splat(simd, 0.0);
        let weights = self.columns::<S, N>(first);
        let mut spikes = [zero; N];
        for (neuron, spike) in spikes.iter_mut().enumerate() {
            *spike = F64s::splat(simd, self.neurons.times[first + neuron]);
        }
        let (mut currents, mut potentials) = ([zero; N], [zero; N]);
        let times = registers::<S>(&self.rows.times);
        let powers = &registers::<S>(&self.rows.powers)[..times.len()];
        let moments = &registers::<S>(&self.rows.moments)[..times.len()];
        for index in 0..times.len() {
            let time = F64s::new(simd, times[index]);
            let power = F64s::new(simd, powers[index]);
            let moment = F64s::new(simd, moments[index]);
            for neuron in 0..N {
                let weight = F64s::new(simd, weights[neuron][index]);
                let weight = spikes[neuron].above(time).select(weight, zero);
                currents[neuron] = weight.multiply_add(power, currents[neuron]);
                potentials[neuron] = weight.multiply_add(moment, potentials[neuron]);
            }
        }
        for neuron in 0..N {
            coefficients.currents[first + neuron] = currents[neuron].sum();
            coefficients.potentials[first + neuron] = potentials[neuron].sum();
        }
    }

    /// Keeps the weights of every neuron from learning of which one derivative exceeds `guard`.
    #[inline(always)]
    fn guard<S: Simd>(&self, simd: S, guard: f64, coefficients: &mut Coefficients) -> u64 {
        let zero = F64s::splat(simd, 0.0);
        let [times, offsets, powers] = self.rows::<S>();
        let mut guarded = 0;
        for neuron in 0..self.columns {
            let spike = F64s::splat(simd, self.neurons.times[neuron]);
            let spike_offset = F64s::splat(simd, coefficients.offsets[neuron]);
            let mut largest = zero;
            for row in 0..times.len() {
                let is_causal = spike.above(F64s::new(simd, times[row]));
                let elapsed = spike_offset - F64s::new(simd, offsets[row]);
                let response = elapsed * F64s::new(simd, powers[row]);
                largest = largest.max_of_numbers(is_causal.select(response, zero));
            }
            if coefficients.weight_factors[neuron].abs() * largest.largest() > guard {
                coefficients.weight_factors[neuron] = 0.0;
                guarded += 1;
            }
        }
        guarded
    }

    /// Adds the derivatives of `N` neurons.
    #[inline(always)]
    fn add<S: Simd, const N: usize>(
        &self,
        simd: S,
        coefficients: &Coefficients,
        sums: &mut [f64],
        by_row: &mut [f64],
        first: usize,
    ) {
        let all = |value| F64s::splat(simd, value);
        let zero = all(0.0);
        let weights = self.columns::<S, N>(first);
        let width = self.width / S::F64_LANES;
        let sums = &mut registers_mut::<S>(sums)[first * width..(first + N) * width];
        let (mut spikes, mut spike_offsets) = ([zero; N], [zero; N]);
        let (mut factors, mut weight_factors) = ([zero; N], [zero; N]);
        for neuron in 0..N {
            spikes[neuron] = all(self.neurons.times[first + neuron]);
            spike_offsets[neuron] = all(coefficients.offsets[first + neuron]);
            factors[neuron] = all(coefficients.factors[first + neuron]);
            weight_factors[neuron] = all(coefficients.weight_factors[first + neuron]);
        }
        let [times, offsets, powers] = self.rows::<S>();
        let by_row = &mut registers_mut::<S>(by_row)[..width];
        for row in 0..width {
            let time = F64s::new(simd, times[row]);
            let offset = F64s::new(simd, offsets[row]);
            let power = F64s::new(simd, powers[row]);
            let mut by = F64s::new(simd, by_row[row]);
            for neuron in 0..N {
                let is_causal = spikes[neuron].above(time);
                let response = (spike_offsets[neuron] - offset) * power;
                let sum = &mut sums[neuron * width + row];
                *sum = weight_factors[neuron]
                    .multiply_add(is_causal.select(response, zero), F64s::new(simd, *sum))
                    .value();
                let factor = factors[neuron] * F64s::new(simd, weights[neuron][row]);
                let by_time = is_causal.select(power - response, zero);
                by = factor.multiply_add(by_time, by);
            }
            by_row[row] = by.value();
        }
    }

    /// Times, offsets and powers of the rows.
    #[inline(always)]
    fn rows<S: Simd>(&self) -> [&[S::f64s]; 3] {
        let width = self.width / S::F64_LANES;
        let Rows { times, offsets, powers, .. } = self.rows;
        [times, offsets, powers].map(|column| &registers::<S>(column)[..width])
    }
}
