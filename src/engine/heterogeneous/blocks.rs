//! The values of a register of neurons, in blocks of eight.
//!
//! All that is known of eight neurons, as many as fit into the widest register, stands together: columns of
//! eight values. Narrower registers are parts of a column.

use std::ops::Deref;

use pulp::Simd;

use super::motion::Moment;
use crate::simd::{F64s, registers, registers_mut};

/// Neurons of a block: as many as fit into the widest register there is.
pub const PADDING: usize = 8;

/// One value for each neuron of a block.
pub type Column = [f64; PADDING];

/// Where the values of a register stand in a list of blocks.
#[derive(Clone, Copy)]
pub struct Place {
    pub block: usize,
    /// Which register of a column.
    part: usize,
}

impl Place {
    #[inline(always)]
    pub fn new<S: Simd>(register: usize) -> Self {
        let first = register * S::F64_LANES;
        Place { block: first / PADDING, part: first % PADDING / S::F64_LANES }
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

/// Potentials and excitatory and inhibitory currents ([`Moment`]) of eight neurons.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MomentColumns {
    pub potential: Column,
    pub currents: [Column; 2],
}

impl MomentColumns {
    pub const ZERO: MomentColumns =
        MomentColumns { potential: [0.0; PADDING], currents: [[0.0; PADDING]; 2] };

    #[inline(always)]
    pub fn store<S: Simd>(&mut self, place: Place, moment: &Moment<S>) {
        place.store(moment.potential, &mut self.potential);
        place.store(moment.currents[0], &mut self.currents[0]);
        place.store(moment.currents[1], &mut self.currents[1]);
    }
}

/// A register's part of a block.
#[derive(Clone, Copy)]
pub struct Part<'a, B> {
    block: &'a B,
    place: Place,
}

impl<B> Deref for Part<'_, B> {
    type Target = B;

    #[inline(always)]
    fn deref(&self) -> &B {
        self.block
    }
}

impl<'a, B> Part<'a, B> {
    #[inline(always)]
    pub fn new<S: Simd>(blocks: &'a [B], register: usize) -> Self {
        let place = Place::new::<S>(register);
        Part { block: &blocks[place.block], place }
    }

    /// The register's values in a column of the block.
    #[inline(always)]
    pub fn load<S: Simd>(&self, simd: S, column: &Column) -> F64s<S> {
        self.place.load(simd, column)
    }

    /// The same of three columns.
    #[inline(always)]
    pub fn moment<S: Simd>(&self, simd: S, columns: &MomentColumns) -> Moment<S> {
        let [excitatory, inhibitory] = &columns.currents;
        Moment {
            potential: self.load(simd, &columns.potential),
            currents: [self.load(simd, excitatory), self.load(simd, inhibitory)],
        }
    }
}
