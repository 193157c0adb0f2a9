//! From what a batch left behind to new weights: gradients summed tile by tile, and the optimiser's step.

use rayon::prelude::*;

use super::FeedForwardRunner;
use crate::engine::feed_forward::{Element, SamplePass, Tile};
use crate::learning::Adam;
use crate::learning::optimiser::AdamStep;

/// Multiply-adds below which a step is not worth sharing out.
const SMALL: usize = 20_000;

/// A tile of one layer's weights with the optimiser's memory of them.
struct TileWeights<'a, T> {
    layer: usize,
    tile: Tile,
    weights: &'a mut [f64],
    rounded: &'a mut [T],
    means: &'a mut [f64],
    squares: &'a mut [f64],
}

impl<T: Element + Into<f64>> FeedForwardRunner<T> {
    /// Takes one optimiser step with the gradients of the last [`Self::learn`].
    pub fn step(&mut self, adam: &mut Adam, rate: f64) {
        let step = adam.begin_step(rate);
        let passes = std::mem::take(&mut self.passes);
        let mut rounded: Vec<Vec<T>> =
            (0..self.network.layer_count()).map(|layer| self.network.take_weights(layer)).collect();
        let mut weights = std::mem::take(&mut self.weights);
        let work: usize = (0..self.network.layer_count())
            .map(|layer| {
                let is_summed = self.network.sums_weight_gradients(layer);
                self.network.tiling(layer).value_count() * if is_summed { 1 } else { passes.len() }
            })
            .sum();
        let tiles = self.split(adam, &mut weights, &mut rounded);
        let update = |tile: TileWeights<'_, T>| {
            self.with_worker(|worker| self.update(tile, &passes, &step, &mut worker.sums));
        };
        if work < SMALL {
            tiles.into_iter().for_each(update);
        } else {
            tiles.into_par_iter().for_each(update);
        }
        self.weights = weights;
        for (layer, rounded) in rounded.into_iter().enumerate() {
            self.network.return_weights(layer, rounded);
        }
        self.passes = passes;
    }

    /// All tiles of all layers, each with its part of every array.
    fn split<'a>(
        &self,
        adam: &'a mut Adam,
        mut weights: &'a mut [f64],
        rounded: &'a mut [Vec<T>],
    ) -> Vec<TileWeights<'a, T>> {
        let (mut means, mut squares) = adam.moments_mut();
        let mut tiles = Vec::new();
        for (layer, rounded) in rounded.iter_mut().enumerate() {
            let tiling = self.network.tiling(layer);
            let mut rounded = rounded.as_mut_slice();
            for tile in tiling.tiles() {
                let count = tile.width * tiling.rows;
                tiles.push(TileWeights {
                    layer,
                    tile,
                    weights: weights.split_off_mut(..count).unwrap_or_default(),
                    rounded: rounded.split_off_mut(..count).unwrap_or_default(),
                    means: means.split_off_mut(..count).unwrap_or_default(),
                    squares: squares.split_off_mut(..count).unwrap_or_default(),
                });
            }
        }
        tiles
    }

    fn update(
        &self,
        part: TileWeights<'_, T>,
        passes: &[SamplePass<T>],
        step: &AdamStep,
        sums: &mut [T],
    ) {
        let TileWeights { layer, tile, weights, rounded, means, squares } = part;
        let sums = &mut sums[..weights.len()];
        if self.network.sums_weight_gradients(layer) {
            for (sum, &gradient) in sums.iter_mut().zip(&self.summed[layer][tile.start..]) {
                *sum = T::from_f64(gradient);
            }
        } else {
            self.network.weight_gradients(layer, &tile, passes, sums);
        }
        self.arch.dispatch(|| step.apply(weights, sums, means, squares));
        self.program(layer, tile, weights, rounded);
    }

    /// Adds to all incoming weights of each of a layer's neurons that neuron's amount.
    pub fn raise(&mut self, layer: usize, amounts: &[f64]) {
        let tiling = self.network.tiling(layer);
        let start: usize = (0..layer).map(|layer| self.network.tiling(layer).value_count()).sum();
        let mut all = std::mem::take(&mut self.weights);
        let mut rounded = self.network.take_weights(layer);
        let weights = &mut all[start..start + tiling.value_count()];
        let mut padded = amounts.to_vec();
        padded.resize(tiling.padded_columns(), 0.0);
        let raise = |(tile, weights, rounded): (Tile, &mut [f64], &mut [T])| {
            let amounts = &padded[tile.column..tile.column + tile.width];
            self.arch.dispatch(|| {
                for weights in weights.chunks_exact_mut(tile.width) {
                    weights.iter_mut().zip(amounts).for_each(|(weight, amount)| *weight += amount);
                }
            });
            self.program(layer, tile, weights, rounded);
        };
        let mut left = (weights, rounded.as_mut_slice());
        let tiles = tiling.tiles().map(|tile| {
            let count = tile.width * tiling.rows;
            let weights = left.0.split_off_mut(..count).unwrap_or_default();
            (tile, weights, left.1.split_off_mut(..count).unwrap_or_default())
        });
        if tiling.value_count() < SMALL {
            tiles.for_each(raise);
        } else {
            tiles.collect::<Vec<_>>().into_par_iter().with_max_len(1).for_each(raise);
        }
        self.weights = all;
        self.network.return_weights(layer, rounded);
    }

    /// Rounds a tile's weights to those that the network runs with, and those out of a chip's reach to
    /// what is within.
    fn program(&self, layer: usize, tile: Tile, weights: &mut [f64], rounded: &mut [T]) {
        let Some(grid) = &self.grid else {
            self.arch.dispatch(|| {
                for (rounded, &weight) in rounded.iter_mut().zip(&*weights) {
                    *rounded = T::from_f64(weight);
                }
            });
            return;
        };
        let columns = self.network.tiling(layer).columns - tile.column;
        let rows = rounded.chunks_mut(tile.width).zip(weights.chunks_mut(tile.width));
        for (row, (rounded, weights)) in rows.enumerate() {
            for (column, (rounded, weight)) in rounded.iter_mut().zip(weights).enumerate() {
                if column < columns {
                    let column = tile.column + column;
                    *weight = grid.clip(layer, column, *weight);
                    *rounded = T::from_f64(grid.program(layer, row, column, *weight));
                }
            }
        }
    }
}
