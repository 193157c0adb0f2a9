//! The synapses of a layer in blocks, padded as its neurons are.

use pulp::Simd;

use crate::neuron::heterogeneous::{BLOCK_SIZE, Column, Position};
use crate::simd::F64s;

/// The weights of a layer: for each block of neurons all rows, one after the other.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SynapseMatrix {
    rows: usize,
    columns: usize,
    weights: Vec<WeightBlock>,
}

/// The weights of a row at eight neurons.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[repr(align(64))]
struct WeightBlock(Column);

impl SynapseMatrix {
    /// A matrix of zeros with a row per presynaptic and a column per postsynaptic neuron.
    pub fn new(rows: usize, columns: usize) -> Self {
        let weights = vec![WeightBlock::default(); rows * columns.div_ceil(BLOCK_SIZE)];
        SynapseMatrix { rows, columns, weights }
    }

    /// Takes a matrix, row by row.
    pub fn set(&mut self, matrix: &[f64]) {
        for (row, weights) in matrix.chunks_exact(self.columns.max(1)).take(self.rows).enumerate() {
            let targets = self.weights[row..].iter_mut().step_by(self.rows);
            let (blocks, rest) = weights.as_chunks::<BLOCK_SIZE>();
            for (index, WeightBlock(target)) in targets.enumerate() {
                match blocks.get(index) {
                    Some(block) => *target = *block,
                    None => target[..rest.len()].copy_from_slice(rest),
                }
            }
        }
    }

    /// The weights of a row at a register of neurons.
    #[inline(always)]
    pub(super) fn row<S: Simd>(&self, simd: S, row: u32, register: usize) -> F64s<S> {
        let position = Position::new::<S>(register);
        let WeightBlock(weights) = &self.weights[position.block * self.rows + row as usize];
        position.load(simd, weights)
    }

    /// The weights of a row at a neuron and those after it in its block.
    #[inline(always)]
    pub(super) fn row_from(&self, row: u32, neuron: usize) -> &[f64] {
        let (block, index) = (neuron / BLOCK_SIZE, neuron % BLOCK_SIZE);
        let WeightBlock(weights) = &self.weights[block * self.rows + row as usize];
        &weights[index..]
    }
}
