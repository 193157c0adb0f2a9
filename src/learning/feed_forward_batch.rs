//! One batch through the feed-forward engine, back, and into the weights, on any number of threads with
//! the same result.
//!
//! The work is shared out twice. Forward and backward passes are independent per sample; what each
//! leaves behind are two numbers per neuron and input, not gradients per synapse. The weight gradients
//! are then summed tile by tile of each weight matrix, over all samples of the batch in their order, and
//! the optimiser's step is applied to the tile while it is in the cache. No thread sums for another, so
//! nothing depends on how many there are, and no copy of the weights' gradients is ever made.

use std::sync::Mutex;

use pulp::Arch;
use rayon::prelude::*;

use super::batch::{BatchResult, GradientSettings, Parts, UNIT};
use super::optimiser::AdamStep;
use super::{Adam, EncodedSet, EncodingScratch, FirstSpikes, Loss, Presentation};
use crate::engine::SourceSpike;
use crate::engine::feed_forward::{
    Arrival, Element, FeedForwardNetwork, SamplePass, Tile, Unsupported, Workspace,
};
use crate::network::{CompiledNetwork, LayeredNetwork};

/// Multiply-adds below which a step is not worth sharing out.
const SMALL: usize = 200_000;

/// What each thread works with.
struct Worker<T> {
    workspace: Workspace<T>,
    pass: SamplePass<T>,
    stimulus: Vec<SourceSpike>,
    encoding: EncodingScratch,
    label_gradient: Vec<f64>,
    /// The gradients of one tile.
    sums: Vec<T>,
}

/// Runs batches on the feed-forward engine, and keeps the threads' memory between them.
pub(super) struct FeedForwardRunner<T> {
    network: FeedForwardNetwork<T>,
    parts: Parts,
    loss: Loss,
    arch: Arch,
    /// All weights in double precision, in the engine's layout, layer after layer.
    weights: Vec<f64>,
    passes: Vec<SamplePass<T>>,
    workers: Vec<Mutex<Worker<T>>>,
}

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
    /// A runner for as many threads as the present pool of rayon has.
    pub fn new(
        layered: &LayeredNetwork,
        compiled: &CompiledNetwork,
        parts: Parts,
        loss: Loss,
    ) -> Result<Self, Unsupported> {
        let network = FeedForwardNetwork::<T>::new(layered, compiled)?;
        let tilings = (0..network.layer_count()).map(|layer| network.tiling(layer));
        let largest = tilings.clone().map(|tiling| tiling.largest_tile()).max().unwrap_or(0);
        let worker = || Worker {
            workspace: Workspace::default(),
            pass: SamplePass::new(&network),
            stimulus: Vec::new(),
            encoding: EncodingScratch::default(),
            label_gradient: vec![0.0; parts.labels().len()],
            sums: vec![T::default(); largest],
        };
        let workers = (0..rayon::current_num_threads()).map(|_| Mutex::new(worker())).collect();
        let count = tilings.map(|tiling| tiling.value_count()).sum();
        let mut runner = FeedForwardRunner {
            weights: vec![0.0; count],
            passes: Vec::new(),
            network,
            parts,
            loss,
            arch: Arch::new(),
            workers,
        };
        runner.set_weights(compiled.weights());
        Ok(runner)
    }

    /// Number of weights in the engine's layout, padding included.
    pub fn weight_count(&self) -> usize {
        self.weights.len()
    }

    /// Takes all weights from the compiled network's order.
    pub fn set_weights(&mut self, weights: &[f64]) {
        self.network.set_weights(weights);
        let mut start = 0;
        for layer in 0..self.network.layer_count() {
            let tiling = self.network.tiling(layer);
            let first = self.network.first_synapse(layer);
            let matrix = &weights[first..first + tiling.rows * tiling.columns];
            tiling.scatter(matrix, &mut self.weights[start..start + tiling.value_count()]);
            start += tiling.value_count();
        }
    }

    /// Writes all weights in the compiled network's order.
    pub fn write_weights(&self, weights: &mut [f64]) {
        let mut start = 0;
        for layer in 0..self.network.layer_count() {
            let tiling = self.network.tiling(layer);
            let first = self.network.first_synapse(layer);
            let matrix = &mut weights[first..first + tiling.rows * tiling.columns];
            tiling.gather(&self.weights[start..start + tiling.value_count()], matrix);
            start += tiling.value_count();
        }
    }

    /// Adds an amount to all incoming weights of a neuron.
    pub fn raise(&mut self, layer: usize, neuron: usize, amount: f64) {
        let start: usize = (0..layer).map(|layer| self.network.tiling(layer).value_count()).sum();
        let tiling = self.network.tiling(layer);
        for row in 0..tiling.rows {
            let index = tiling.index(row, neuron);
            let weight = &mut self.weights[start + index];
            *weight += amount;
            self.network.weights_mut(layer)[index] = T::from_f64(*weight);
        }
    }

    /// Runs the given samples.
    pub fn evaluate(
        &self,
        set: &EncodedSet,
        samples: &[u32],
        presentation: Presentation,
    ) -> BatchResult {
        let bias = self.bias(set);
        let units: Vec<BatchResult> = samples
            .par_chunks(UNIT)
            .map(|unit| {
                self.with_worker(|worker| {
                    let mut result = BatchResult::empty(&self.parts);
                    let Worker { workspace, pass, stimulus, encoding, label_gradient, .. } = worker;
                    for &sample in unit {
                        let sample = sample as usize;
                        set.inputs(sample, presentation, encoding, stimulus);
                        self.forward(stimulus, &bias, pass, workspace);
                        self.count(set.label(sample), pass, &mut result, label_gradient);
                    }
                    result
                })
            })
            .collect();
        self.total(units)
    }

    /// Runs the given samples forward and backward, and keeps what [`Self::step`] needs.
    pub fn learn(
        &mut self,
        set: &EncodedSet,
        samples: &[u32],
        presentation: Presentation,
        settings: GradientSettings,
    ) -> BatchResult {
        let bias = self.bias(set);
        let mut passes = std::mem::take(&mut self.passes);
        passes.resize_with(samples.len(), || SamplePass::new(&self.network));
        let units: Vec<BatchResult> = samples
            .par_chunks(UNIT)
            .zip(passes.par_chunks_mut(UNIT))
            .map(|(unit, passes)| {
                self.with_worker(|worker| {
                    self.learn_unit(worker, set, unit, passes, &bias, presentation, settings)
                })
            })
            .collect();
        self.passes = passes;
        self.total(units)
    }

    #[expect(clippy::too_many_arguments, reason = "the unit of work of one call above")]
    fn learn_unit(
        &self,
        worker: &mut Worker<T>,
        set: &EncodedSet,
        samples: &[u32],
        passes: &mut [SamplePass<T>],
        bias: &[Vec<Arrival>],
        presentation: Presentation,
        settings: GradientSettings,
    ) -> BatchResult {
        let mut result = BatchResult::empty(&self.parts);
        let Worker { workspace, stimulus, encoding, label_gradient, .. } = worker;
        for (&sample, pass) in samples.iter().zip(passes) {
            let sample = sample as usize;
            set.inputs(sample, presentation, encoding, stimulus);
            self.forward(stimulus, bias, pass, workspace);
            self.count(set.label(sample), pass, &mut result, label_gradient);
            for gradient in label_gradient.iter_mut() {
                *gradient *= settings.sample_weight;
            }
            self.network.backward(label_gradient, settings.guard, pass, workspace);
            result.guarded += pass.layers.iter().map(|layer| layer.gradient.guarded).sum::<u64>();
        }
        result
    }

    /// Takes one optimiser step with the gradients of the last [`Self::learn`].
    pub fn step(&mut self, adam: &mut Adam, rate: f64) {
        let step = adam.begin_step(rate);
        let passes = std::mem::take(&mut self.passes);
        let mut rounded: Vec<Vec<T>> =
            (0..self.network.layer_count()).map(|layer| self.network.take_weights(layer)).collect();
        let mut weights = std::mem::take(&mut self.weights);
        let count = weights.len();
        let tiles = self.split(adam, &mut weights, &mut rounded);
        let update = |tile: TileWeights<'_, T>| {
            self.with_worker(|worker| self.update(tile, &passes, &step, &mut worker.sums));
        };
        if passes.len() * count < SMALL {
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
        self.network.weight_gradients(layer, &tile, passes, sums);
        self.arch.dispatch(|| step.apply(weights, sums, means, squares));
        for (rounded, &weight) in rounded.iter_mut().zip(&*weights) {
            *rounded = T::from_f64(weight);
        }
    }

    /// Shows the record of each sample to `look`, in order.
    pub fn for_each(
        &self,
        nodes: usize,
        set: &EncodedSet,
        mut look: impl FnMut(usize, &FirstSpikes),
    ) {
        const BLOCK: usize = 1024;
        let bias = self.bias(set);
        for start in (0..set.len()).step_by(BLOCK) {
            let block = start..set.len().min(start + BLOCK);
            let records: Vec<FirstSpikes> = block
                .clone()
                .into_par_iter()
                .map(|sample| {
                    self.with_worker(|worker| {
                        let Worker { workspace, pass, stimulus, encoding, .. } = worker;
                        set.inputs(sample, Presentation::Plain, encoding, stimulus);
                        self.forward(stimulus, &bias, pass, workspace);
                        self.record(nodes, stimulus, set.bias(), pass)
                    })
                })
                .collect();
            for (sample, record) in block.zip(records) {
                look(sample, &record);
            }
        }
    }

    fn record(
        &self,
        nodes: usize,
        stimulus: &[SourceSpike],
        bias: &[SourceSpike],
        pass: &SamplePass<T>,
    ) -> FirstSpikes {
        let mut times = vec![f64::INFINITY; nodes];
        for spike in stimulus.iter().chain(bias) {
            times[spike.source as usize] = spike.time;
        }
        for (layer, pass) in pass.layers.iter().enumerate() {
            let neurons = self.network.neurons(layer);
            let count = neurons.len();
            times[neurons].copy_from_slice(&pass.spikes.times[..count]);
        }
        FirstSpikes::from_times(times)
    }

    fn forward(
        &self,
        stimulus: &[SourceSpike],
        bias: &[Vec<Arrival>],
        pass: &mut SamplePass<T>,
        workspace: &mut Workspace<T>,
    ) {
        let first = self.network.first_input() as u32;
        let arrivals = &mut pass.layers[0].inputs.arrivals;
        arrivals.clear();
        arrivals.extend(
            stimulus.iter().map(|spike| Arrival { time: spike.time, row: spike.source - first }),
        );
        arrivals.extend_from_slice(&bias[0]);
        self.network.forward(bias, pass, workspace);
    }

    fn count(
        &self,
        label: usize,
        pass: &SamplePass<T>,
        result: &mut BatchResult,
        label_gradient: &mut [f64],
    ) {
        let sizes = self.parts.layers.iter().map(ExactSizeIterator::len);
        let layer_times =
            pass.layers.iter().zip(sizes).map(|(layer, size)| &layer.spikes.times[..size]);
        let label_times = pass.label_times(label_gradient.len());
        result.count(&self.loss, label, label_times, layer_times, label_gradient);
    }

    /// The bias spikes of each layer.
    fn bias(&self, set: &EncodedSet) -> Vec<Vec<Arrival>> {
        let arrivals = |layer| {
            let arrival = |spike: &SourceSpike| {
                let row = self.network.row_of_source(layer, spike.source as usize)?;
                Some(Arrival { time: spike.time, row })
            };
            set.bias().iter().filter_map(arrival).collect()
        };
        (0..self.network.layer_count()).map(arrivals).collect()
    }

    fn total(&self, units: Vec<BatchResult>) -> BatchResult {
        let mut total = BatchResult::empty(&self.parts);
        for unit in units {
            total.add(unit);
        }
        total
    }

    fn with_worker<R>(&self, work: impl FnOnce(&mut Worker<T>) -> R) -> R {
        let index = rayon::current_thread_index().unwrap_or(0) % self.workers.len();
        // A worker that panicked left no state that the next sample does not reset.
        work(&mut self.workers[index].lock().unwrap_or_else(|poisoned| poisoned.into_inner()))
    }
}
