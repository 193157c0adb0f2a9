//! Weights as a chip can be programmed with them.

use std::borrow::Cow;

use super::FeedForwardRunner;
use crate::engine::layered::{Element, Tiling};

impl<T: Element + Into<f64>> FeedForwardRunner<T> {
    /// Weights in the order of the layers' matrices, as the network is programmed with them.
    pub(super) fn on_grid<'a>(&self, weights: &'a [f64]) -> Cow<'a, [f64]> {
        let Some(grid) = &self.grid else { return Cow::Borrowed(weights) };
        let mut programmed = weights.to_vec();
        for layer in 0..self.network.layer_count() {
            let Tiling { rows, columns, .. } = self.network.tiling(layer);
            let first = self.network.first_synapse(layer);
            let matrix = programmed[first..first + rows * columns].chunks_mut(columns);
            for (row, weights) in matrix.enumerate() {
                let weights = weights.iter_mut().zip(grid.row(layer, row, 0));
                weights.for_each(|(weight, place)| *weight = place.program(*weight));
            }
        }
        Cow::Owned(programmed)
    }
    /// Fraction of the weights that are as large as the chip allows.
    pub(super) fn fraction_at_limit(&self) -> f64 {
        let Some(grid) = &self.grid else { return 0.0 };
        let weights = self.weights();
        let mut at_limit = 0;
        for layer in 0..self.network.layer_count() {
            let Tiling { rows, columns, .. } = self.network.tiling(layer);
            let first = self.network.first_synapse(layer);
            for (row, weights) in weights[first..first + rows * columns].chunks(columns).enumerate()
            {
                let places = grid.row(layer, row, 0).zip(weights);
                at_limit += places.filter(|(place, weight)| place.is_at_limit(**weight)).count();
            }
        }
        at_limit as f64 / weights.len().max(1) as f64
    }

    /// All weights as the network is programmed with them, in the order of the layers' matrices.
    pub(super) fn programmed(&self) -> Vec<f64> {
        let mut programmed = Vec::new();
        for layer in 0..self.network.layer_count() {
            let tiling = self.network.tiling(layer);
            let first = programmed.len();
            programmed.resize(first + tiling.rows * tiling.columns, 0.0);
            tiling.gather(self.network.weights(layer), &mut programmed[first..]);
        }
        programmed
    }
}
