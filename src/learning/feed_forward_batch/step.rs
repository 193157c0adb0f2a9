//! From what a batch left behind to new weights: gradients summed tile by tile, and the optimiser's step.

use rayon::prelude::*;

use super::FeedForwardRunner;
use crate::engine::layered::{Batch, Element, Tile};
use crate::learning::Adam;
use crate::learning::optimiser::AdamStep;

/// Multiply-adds below which a step is not worth sharing out.
const SMALL: usize = 20_000;

/// A tile of one layer's weights with the optimiser's memory of them, if there is to be a step.
struct TileWeights<'a, T> {
    layer: usize,
    tile: Tile,
    weights: &'a mut [f64],
    rounded: &'a mut [T],
    means: &'a mut [f64],
    squares: &'a mut [f64],
}

impl<T: Element + Into<f64>> FeedForwardRunner<T> {
    /// Bumps weights: per layer and neuron, all that come in. Then takes a step, if there is one, with the
    /// gradients of the last [`Self::learn`].
    pub fn update(&mut self, bumps: &[Vec<f64>], step: Option<(&mut Adam, f64)>) {
        let (adam, moments) = match step {
            Some((adam, rate)) => (Some(adam.begin_step(rate)), adam.moments_mut()),
            None => (None, Default::default()),
        };
        let batches = std::mem::take(&mut self.batches);
        let mut rounded: Vec<Vec<T>> =
            (0..self.network.layer_count()).map(|layer| self.network.take_weights(layer)).collect();
        let mut weights = std::mem::take(&mut self.weights);
        let work: usize = (0..self.network.layer_count())
            .map(|layer| {
                let per_weight = if adam.is_some() { self.used } else { 1 };
                self.network.tiling(layer).value_count() * per_weight
            })
            .sum();
        let tiles = self.split(moments, &mut weights, &mut rounded);
        let update = |mut part: TileWeights<'_, T>| {
            let amounts = bumps.get(part.layer).map_or(&[][..], Vec::as_slice);
            self.bump(&mut part, amounts);
            if let Some(adam) = &adam {
                self.with_worker(|worker| {
                    self.step(&mut part, &batches[..self.used], adam, &mut worker.sums)
                });
            }
            self.program(part);
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
        self.batches = batches;
    }

    /// All tiles of all layers, each with its part of every array.
    fn split<'a>(
        &self,
        (mut means, mut squares): (&'a mut [f64], &'a mut [f64]),
        mut weights: &'a mut [f64],
        rounded: &'a mut [Vec<T>],
    ) -> Vec<TileWeights<'a, T>> {
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

    /// Adds the amounts of a layer's neurons, or none. On a chip, nothing is bumped out of its reach.
    fn bump(&self, part: &mut TileWeights<'_, T>, amounts: &[f64]) {
        let Some(amounts) = amounts.get(part.tile.column..) else { return };
        if amounts.is_empty() {
            return;
        }
        self.arch.dispatch(
            #[inline(always)]
            || {
                for weights in part.weights.chunks_exact_mut(part.tile.width) {
                    weights.iter_mut().zip(amounts).for_each(|(weight, amount)| *weight += amount);
                }
            },
        );
        let Some(grid) = &self.grid else { return };
        for (row, weights) in part.weights.chunks_exact_mut(part.tile.width).enumerate() {
            let places = grid.row(part.layer, row, part.tile.column);
            let bumped = weights.iter_mut().zip(amounts).zip(places);
            for ((weight, _), place) in bumped.filter(|((_, amount), _)| **amount > 0.0) {
                *weight = place.clip(*weight);
            }
        }
    }

    /// Sums a tile's gradients, and has the optimiser follow them.
    fn step(
        &self,
        part: &mut TileWeights<'_, T>,
        batches: &[Batch<T>],
        adam: &AdamStep,
        sums: &mut [T],
    ) {
        let TileWeights { layer, tile, weights, means, squares, .. } = part;
        let sums = &mut sums[..weights.len()];
        self.network.weight_gradients(*layer, tile, batches, sums);
        self.arch.dispatch(
            #[inline(always)]
            || adam.apply(weights, sums, means, squares),
        );
    }

    /// Rounds a tile's weights to those that the network runs with, and those out of a chip's reach to
    /// what is within.
    fn program(&self, TileWeights { layer, tile, weights, rounded, .. }: TileWeights<'_, T>) {
        let Some(grid) = &self.grid else {
            self.arch.dispatch(
                #[inline(always)]
                || {
                    for (rounded, &weight) in rounded.iter_mut().zip(&*weights) {
                        *rounded = T::from_f64(weight);
                    }
                },
            );
            return;
        };
        let rows = rounded.chunks_mut(tile.width).zip(weights.chunks_mut(tile.width));
        self.arch.dispatch(
            #[inline(always)]
            || {
                for (row, (rounded, weights)) in rows.enumerate() {
                    let places = grid.row(layer, row, tile.column);
                    for ((rounded, weight), place) in rounded.iter_mut().zip(weights).zip(places) {
                        *weight = place.clip(*weight);
                        *rounded = T::from_f64(place.program(*weight));
                    }
                }
            },
        );
    }
}
