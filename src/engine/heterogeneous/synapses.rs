//! The synapses of a layer in columns, padded as its neurons are.

use pulp::Simd;

use super::blocks::{Column, PADDING, Place};
use crate::simd::F64s;

/// The weights of a layer: for each eight neurons all rows, one after the other.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SynapseColumns {
    rows: usize,
    columns: usize,
    weights: Vec<WeightBlock>,
}

/// The weights of a row at eight neurons.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[repr(align(64))]
struct WeightBlock(Column);

impl SynapseColumns {
    /// Room for a matrix of a row per presynaptic and a column per postsynaptic neuron, of zeros.
    pub fn new(rows: usize, columns: usize) -> Self {
        let weights = vec![WeightBlock::default(); rows * columns.div_ceil(PADDING)];
        SynapseColumns { rows, columns, weights }
    }

    /// Takes a matrix, row by row.
    pub fn set(&mut self, matrix: &[f64]) {
        for (row, weights) in matrix.chunks_exact(self.columns.max(1)).take(self.rows).enumerate() {
            let places = self.weights[row..].iter_mut().step_by(self.rows);
            let (blocks, rest) = weights.as_chunks::<PADDING>();
            for (index, WeightBlock(place)) in places.enumerate() {
                match blocks.get(index) {
                    Some(block) => *place = *block,
                    None => place[..rest.len()].copy_from_slice(rest),
                }
            }
        }
    }

    /// The weights of a row at a register of neurons.
    #[inline(always)]
    pub(super) fn row<S: Simd>(&self, simd: S, row: u32, register: usize) -> F64s<S> {
        let place = Place::new::<S>(register);
        let WeightBlock(weights) = &self.weights[place.block * self.rows + row as usize];
        place.load(simd, weights)
    }

    /// The weights from a neuron on.
    #[inline(always)]
    pub(super) fn columns(&self, neuron: usize) -> SomeColumns<'_> {
        let block = neuron / PADDING;
        let rows = &self.weights[block * self.rows..(block + 1) * self.rows];
        SomeColumns { rows, first: neuron % PADDING }
    }
}

/// The weights from a neuron on, in its block.
#[derive(Clone, Copy, Debug)]
pub(super) struct SomeColumns<'a> {
    rows: &'a [WeightBlock],
    first: usize,
}

impl SomeColumns<'_> {
    /// Those of a row at `N` neurons, which belong to the block.
    #[inline(always)]
    pub fn weights<const N: usize>(&self, row: u32) -> &[f64] {
        let WeightBlock(weights) = &self.rows[row as usize];
        &weights[self.first..self.first + N]
    }
}
