//! The backward pass of layers with few neurons: a register holds inputs, not neurons.
//!
//! A label layer has some three neurons and a hundred inputs. With neurons in registers most lanes would be
//! padding, and the derivative by each input's time a sum over lanes. So here the shares are computed
//! anew for all inputs in the order of their rows, and the neurons take turns.

use pulp::Simd;

use super::super::elementary::{Doubles, registers};
use super::super::inputs::Inputs;
use super::super::lanes::Element;
use super::super::membrane::Membrane;
use super::super::tiles::Tiling;
use super::{LayerGradient, TimeGradient};

/// Most neurons of a layer that is narrow.
const NARROW: usize = 8;

impl Tiling {
    /// Whether the layer is better run with its inputs in registers.
    pub(in super::super) fn is_narrow(&self) -> bool {
        self.columns <= NARROW && self.rows >= 2 * self.columns
    }

    /// Rows, padded to whole registers.
    pub(in super::super) fn padded_rows(&self) -> usize {
        self.rows.next_multiple_of(self.padding)
    }

    /// A matrix of that layout as columns of padded rows.
    pub(in super::super) fn transpose<T: Element>(&self, matrix: &[T], transposed: &mut Vec<T>) {
        transposed.clear();
        transposed.resize(self.columns * self.padded_rows(), T::default());
        for (column, values) in transposed.chunks_exact_mut(self.padded_rows()).enumerate() {
            for (row, value) in values[..self.rows].iter_mut().enumerate() {
                *value = matrix[self.index(row, column)];
            }
        }
    }
}

impl<T: Element> Inputs<T> {
    /// Computes the shares of all rows, in their order.
    #[inline(always)]
    pub(in super::super) fn share_rows<S: Simd>(
        &mut self,
        simd: S,
        membrane: &Membrane,
        tiling: Tiling,
    ) {
        let count = tiling.padded_rows();
        self.row_times.resize(count, f64::INFINITY);
        let shares = &mut self.row_shares;
        shares.make_room(count, count);
        let (zero, infinity) = (Doubles::splat(simd, 0.0), Doubles::splat(simd, f64::INFINITY));
        let reference = Doubles::splat(simd, self.reference);
        for (index, &time) in registers::<S>(&self.row_times).iter().enumerate() {
            let time = Doubles::new(simd, time);
            let offset = infinity.above(time).select(time - reference, zero);
            let (_, here) = membrane.views_both(simd, offset);
            shares.write(index, time, &here);
        }
    }
}

impl<T: Element> LayerGradient<T> {
    /// [`LayerGradient::time_gradients`]: writes the derivative of the loss by the time of each row.
    #[inline(always)]
    pub(in super::super) fn time_gradients_by_row<S: Simd>(
        &self,
        simd: S,
        times: &TimeGradient<T>,
        tiling: Tiling,
        transposed: &[T],
        inputs: &Inputs<T>,
        by_row: &mut [f64],
    ) {
        let lanes = T::lanes::<S>();
        let padded = tiling.padded_rows();
        let [moments, currents, potentials] = inputs.row_shares.columns(padded);
        let (moments, currents) = (T::vectors::<S>(moments), T::vectors::<S>(currents));
        let potentials = T::vectors::<S>(potentials);
        for (index, by_row) in by_row.chunks_mut(lanes).enumerate() {
            let (time, current, potential) = (moments[index], currents[index], potentials[index]);
            let mut sum = T::splat(simd, T::default());
            for column in 0..tiling.columns {
                let weights = &transposed[column * padded..][..padded];
                let by_current = T::splat(simd, times.by_current[column]);
                let by_potential = T::splat(simd, times.by_potential[column]);
                let gradient = T::multiply(simd, by_current, current);
                let gradient = T::multiply_add(simd, by_potential, potential, gradient);
                let causal = T::below(simd, time, T::splat(simd, self.deadlines[column]));
                let gradient = T::where_set(simd, causal, gradient);
                sum = T::multiply_add(simd, T::vectors::<S>(weights)[index], gradient, sum);
            }
            for (by_row, &by) in by_row.iter_mut().zip(&*T::lanes_mut::<S>(&mut sum)) {
                *by_row = by.to_f64();
            }
        }
    }

    /// [`LayerGradient::add_weight_gradients`], to columns of padded rows.
    #[inline(always)]
    pub(in super::super) fn add_weight_gradients_by_row<S: Simd>(
        &self,
        simd: S,
        inputs: &Inputs<T>,
        tiling: Tiling,
        sums: &mut [T],
    ) {
        let padded = tiling.padded_rows();
        let [times, currents, potentials] = inputs.row_shares.columns(padded);
        let (times, currents) = (T::vectors::<S>(times), T::vectors::<S>(currents));
        let potentials = T::vectors::<S>(potentials);
        for column in 0..tiling.columns {
            let deadline = self.deadlines[column];
            // At once if nothing depends on this neuron.
            if !(T::from_f64(f64::NEG_INFINITY) < deadline) {
                continue;
            }
            let deadline = T::splat(simd, deadline);
            let by_current = T::splat(simd, self.by_current[column]);
            let by_potential = T::splat(simd, self.by_potential[column]);
            let sums = T::vectors_mut::<S>(&mut sums[column * padded..][..padded]);
            for index in 0..sums.len().min(times.len()).min(currents.len()).min(potentials.len()) {
                let gradient = T::multiply(simd, by_current, currents[index]);
                let gradient = T::multiply_add(simd, by_potential, potentials[index], gradient);
                let causal = T::below(simd, times[index], deadline);
                sums[index] = T::add(simd, sums[index], T::where_set(simd, causal, gradient));
            }
        }
    }
}
