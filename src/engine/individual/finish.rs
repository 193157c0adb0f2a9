//! The way of all neurons of a layer from the last arrival to the end.
//!
//! Whether a neuron spikes, and when, are long chains of operations that each wait for the last. What is to
//! be done is therefore done for one register after the other before the next thing is: then hardly
//! anything that the processor has to guess depends on the end of a chain, and it works on several registers
//! at a time.

use pulp::{Simd, WithSimd};

use super::LayerSpike;
use super::walk::{Cells, Way};

/// All registers of a layer.
pub struct Finish<'a, S: Simd, const SPLIT: bool> {
    pub cells: &'a [Cells<S>],
    pub ways: &'a mut [Way<S>],
    pub spikes: &'a mut Vec<LayerSpike>,
}

impl<S: Simd, const SPLIT: bool> WithSimd for Finish<'_, S, SPLIT> {
    type Output = ();

    #[inline(always)]
    fn with_simd<Same: Simd>(self, _: Same) {
        let Finish { cells, ways, spikes } = self;
        let mut is_open = true;
        while is_open {
            for (cells, way) in cells.iter().zip(&mut *ways) {
                if way.open.any() {
                    way.spike::<SPLIT>(cells, spikes);
                }
            }
            is_open = false;
            for (cells, way) in cells.iter().zip(&mut *ways) {
                if way.open.any() {
                    way.go_on::<SPLIT>(cells);
                    is_open |= way.open.any();
                }
            }
        }
    }
}
