//! Values of neurons in blocks of eight, and registers within them.
//!
//! A block keeps everything about eight neurons together, as columns of eight values. Eight doubles
//! fill the widest register; a narrower register is a part of a column.

use std::ops::Deref;

use pulp::Simd;

use super::propagation::MembraneState;
use crate::simd::{F64s, registers, registers_mut};

/// Neurons of a block: as many as fit into the widest register there is.
pub const BLOCK_SIZE: usize = 8;

/// One value for each neuron of a block.
pub type Column = [f64; BLOCK_SIZE];

/// Where a register's values stand in a list of blocks.
#[derive(Clone, Copy)]
pub struct Position {
    /// Index of the block.
    pub block: usize,
    /// Which register of a column.
    part: usize,
}

impl Position {
    #[inline(always)]
    pub fn new<S: Simd>(register: usize) -> Self {
        let first = register * S::F64_LANES;
        Position { block: first / BLOCK_SIZE, part: first % BLOCK_SIZE / S::F64_LANES }
    }

    #[inline(always)]
    pub fn load<S: Simd>(self, simd: S, column: &Column) -> F64s<S> {
        F64s::new(simd, registers::<S>(column)[self.part])
    }

    #[inline(always)]
    pub fn store<S: Simd>(self, value: F64s<S>, column: &mut Column) {
        registers_mut::<S>(column)[self.part] = value.value();
    }
}

/// The [`MembraneState`] of eight neurons.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StateColumns {
    pub potential: Column,
    /// Excitatory and inhibitory.
    pub currents: [Column; 2],
}

impl StateColumns {
    pub const AT_REST: StateColumns =
        StateColumns { potential: [0.0; BLOCK_SIZE], currents: [[0.0; BLOCK_SIZE]; 2] };

    #[inline(always)]
    pub fn store<S: Simd>(&mut self, position: Position, state: &MembraneState<S>) {
        position.store(state.potential, &mut self.potential);
        position.store(state.currents[0], &mut self.currents[0]);
        position.store(state.currents[1], &mut self.currents[1]);
    }
}

/// A block, of which one register is in use.
#[derive(Clone, Copy)]
pub struct BlockSlice<'a, B> {
    block: &'a B,
    position: Position,
}

impl<B> Deref for BlockSlice<'_, B> {
    type Target = B;

    #[inline(always)]
    fn deref(&self) -> &B {
        self.block
    }
}

impl<'a, B> BlockSlice<'a, B> {
    #[inline(always)]
    pub fn new<S: Simd>(blocks: &'a [B], register: usize) -> Self {
        let position = Position::new::<S>(register);
        BlockSlice { block: &blocks[position.block], position }
    }

    /// The register's values in one of the block's columns.
    #[inline(always)]
    pub fn load<S: Simd>(&self, simd: S, column: &Column) -> F64s<S> {
        self.position.load(simd, column)
    }

    /// The register's states.
    #[inline(always)]
    pub fn state<S: Simd>(&self, simd: S, columns: &StateColumns) -> MembraneState<S> {
        let [excitatory, inhibitory] = &columns.currents;
        MembraneState {
            potential: self.load(simd, &columns.potential),
            currents: [self.load(simd, excitatory), self.load(simd, inhibitory)],
        }
    }
}
