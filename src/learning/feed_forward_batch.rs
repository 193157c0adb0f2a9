//! One batch through the feed-forward engine, back, and into the weights, on any number of threads with
//! the same result.
//!
//! The work is shared out twice. Forward and backward passes are independent per sample; what each
//! leaves behind are two numbers per neuron and input, not gradients per synapse. The weight gradients
//! are then summed tile by tile of each weight matrix, over all samples of the batch in their order, and
//! the optimiser's step is applied to the tile while it is in the cache. No thread sums for another, so
//! nothing depends on how many there are, and no copy of the weights' gradients is ever made. Only where
//! many samples go through the network together, side by side or with synaptic delays, and where records go
//! back without sorting, each unit of samples sums its weight gradients at once, and the units' sums are
//! added in their order.

mod grid;
mod step;
mod substrate;

use std::sync::Mutex;

use pulp::Arch;
use rayon::prelude::*;

pub use substrate::InTheLoop;
pub(super) use substrate::SubstrateRunner;

use super::batch::{BatchResult, GradientSettings, Look, Parts, UNIT, samples_per_look};
use super::{EncodedSet, EncodingScratch, FirstSpikes, Loss, Presentation, TrainedDelays};
use crate::chip::WeightGrid;
use crate::engine::SourceSpike;
use crate::engine::layered::{
    Arrival, Element, FeedForwardNetwork, SamplePass, UnsortedWorkspace, Unsupported, Workspace,
    add_all,
};
use crate::network::{CompiledNetwork, LayeredNetwork};

/// Most samples that go through the network together, side by side or with synaptic delays.
const TOGETHER: usize = 64;
/// They come in whole registers of this many.
const REGISTER: usize = 8;

/// What each thread works with.
struct Worker<T> {
    workspace: Workspace<T>,
    unsorted: UnsortedWorkspace,
    /// For samples that are not learned from, or not again.
    passes: Vec<SamplePass<T>>,
    /// When each node of the network first spiked.
    times: Vec<f64>,
    stimulus: Vec<SourceSpike>,
    encoding: EncodingScratch,
    label_gradient: Vec<f64>,
    /// The same for all samples of a unit.
    label_gradients: Vec<f64>,
    /// The gradients of one tile.
    sums: Vec<T>,
}

impl<T> Worker<T> {
    /// Derivatives by the delays of all layers, summed over the unit's samples.
    fn delay_gradients(&self) -> Vec<f64> {
        let layers = self.workspace.gradients.iter();
        layers.flat_map(|gradient| gradient.delays.iter().copied()).collect()
    }
}

/// Runs batches on the feed-forward engine, and keeps the threads' memory between them.
pub(super) struct FeedForwardRunner<T> {
    network: FeedForwardNetwork<T>,
    parts: Parts,
    loss: Loss,
    arch: Arch,
    /// All weights in double precision, in the engine's layout, layer after layer.
    weights: Vec<f64>,
    /// What the network is programmed with instead, if it is to run on a chip.
    grid: Option<WeightGrid>,
    passes: Vec<SamplePass<T>>,
    /// Per layer that summed them over samples: its weight gradients, in the engine's layout. Empty for
    /// others: theirs are in the passes.
    summed: Vec<Vec<f64>>,
    workers: Vec<Mutex<Worker<T>>>,
}

/// What a unit of work gave.
struct UnitResult {
    result: BatchResult,
    /// See [`FeedForwardRunner::summed`].
    summed: Vec<Vec<f64>>,
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
            unsorted: UnsortedWorkspace::default(),
            passes: Vec::new(),
            times: Vec::new(),
            stimulus: Vec::new(),
            encoding: EncodingScratch::default(),
            label_gradient: vec![0.0; parts.labels().len()],
            label_gradients: Vec::new(),
            sums: vec![T::default(); largest],
        };
        let workers = (0..rayon::current_num_threads()).map(|_| Mutex::new(worker())).collect();
        let count = tilings.map(|tiling| tiling.value_count()).sum();
        let mut runner = FeedForwardRunner {
            weights: vec![0.0; count],
            grid: None,
            passes: Vec::new(),
            summed: vec![Vec::new(); network.layer_count()],
            network,
            parts,
            loss,
            arch: Arch::new(),
            workers,
        };
        let edges = layered.network.graph().edge_weights();
        let weights: Vec<f64> = edges.map(|synapse| synapse.weight).collect();
        runner.keep_weights(&weights);
        Ok(runner)
    }

    /// The same, with every sample run for itself.
    fn one_by_one(self) -> Self {
        FeedForwardRunner { network: self.network.one_by_one(), ..self }
    }

    /// Samples per unit of work, of so many, and how many of a unit go through the network together.
    fn unit(&self, samples: usize) -> (usize, usize) {
        let mut layers = 0..self.network.layer_count();
        let has_delays = layers.any(|layer| self.network.has_synaptic_delays(layer));
        if self.network.is_abreast() || has_delays {
            let units = samples.div_ceil(TOGETHER).max(1);
            let unit = samples.div_ceil(units).next_multiple_of(REGISTER).max(REGISTER);
            (unit, unit)
        } else {
            // One after the other they stay in the cache on their way back.
            (UNIT, 1)
        }
    }

    /// Number of weights in the engine's layout, padding included.
    pub fn weight_count(&self) -> usize {
        self.weights.len()
    }

    /// Takes all weights, in the order of the layers' matrices.
    pub fn set_weights(&mut self, weights: &[f64]) {
        self.network.set_weights(&self.on_grid(weights));
        self.keep_weights(weights);
    }

    fn keep_weights(&mut self, weights: &[f64]) {
        let mut start = 0;
        for layer in 0..self.network.layer_count() {
            let tiling = self.network.tiling(layer);
            let first = self.network.first_synapse(layer);
            let matrix = &weights[first..first + tiling.rows * tiling.columns];
            tiling.scatter(matrix, &mut self.weights[start..start + tiling.value_count()]);
            start += tiling.value_count();
        }
    }

    /// All weights in the order of the layers' matrices.
    pub fn weights(&self) -> Vec<f64> {
        let (mut start, mut weights) = (0, Vec::new());
        for layer in 0..self.network.layer_count() {
            let tiling = self.network.tiling(layer);
            let first = weights.len();
            weights.resize(first + tiling.rows * tiling.columns, 0.0);
            tiling
                .gather(&self.weights[start..start + tiling.value_count()], &mut weights[first..]);
            start += tiling.value_count();
        }
        weights
    }

    /// Takes over the trained delays.
    pub fn set_delays(&mut self, delays: &TrainedDelays) {
        for (layer, values) in delays.by_layer() {
            self.network.set_delays(layer, values);
        }
    }

    /// Runs the given samples as they are, each once, and shows the record of each to `look`, with the
    /// times of all nodes of the network.
    pub fn evaluate(
        &self,
        nodes: usize,
        set: &EncodedSet,
        samples: &[u32],
        mut look: Option<Look<'_>>,
    ) -> BatchResult {
        let bias = self.bias(set);
        let (unit, block) = self.unit(samples.len());
        let nodes = look.is_some().then_some(nodes);
        let mut total = BatchResult::empty(&self.parts);
        for some in samples.chunks(samples_per_look(look.as_ref(), unit, samples.len())) {
            let units: Vec<(BatchResult, Vec<FirstSpikes>)> = some
                .par_chunks(unit)
                .map(|unit| {
                    self.with_worker(|worker| {
                        self.evaluate_unit(worker, nodes, set, unit, block, &bias)
                    })
                })
                .collect();
            let mut samples = some.iter();
            for (result, records) in units {
                total.add(result);
                if let Some(look) = &mut look {
                    for (record, &sample) in records.iter().zip(&mut samples) {
                        look(sample as usize, record);
                    }
                }
            }
        }
        total
    }

    /// The records, of so many nodes, are empty if `nodes` is none.
    fn evaluate_unit(
        &self,
        worker: &mut Worker<T>,
        nodes: Option<usize>,
        set: &EncodedSet,
        samples: &[u32],
        block: usize,
        bias: &[Vec<Arrival>],
    ) -> (BatchResult, Vec<FirstSpikes>) {
        let (mut result, mut records) = (BatchResult::empty(&self.parts), Vec::new());
        let mut passes = std::mem::take(&mut worker.passes);
        passes.resize_with(passes.len().max(block), || SamplePass::new(&self.network));
        for samples in samples.chunks(block) {
            let passes = &mut passes[..samples.len()];
            let mut times = Vec::new();
            for (&sample, pass) in samples.iter().zip(passes.iter_mut()) {
                self.encode(worker, set, sample as usize, Presentation::Plain, bias, pass);
                times.extend(nodes.map(|nodes| {
                    let mut times = vec![f64::INFINITY; nodes];
                    for spike in worker.stimulus.iter().chain(set.bias()) {
                        times[spike.source as usize] = spike.time;
                    }
                    times
                }));
            }
            self.network.forward(bias, passes, &mut worker.workspace);
            for (&sample, pass) in samples.iter().zip(passes.iter()) {
                let label = set.label(sample as usize);
                self.count(label, pass, &mut result, &mut worker.label_gradient);
            }
            let ran = times.into_iter().zip(passes.iter());
            records.extend(ran.map(|(times, pass)| self.record(times, pass)));
        }
        worker.passes = passes;
        (result, records)
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
        let (unit, block) = self.unit(samples.len());
        let units: Vec<UnitResult> = samples
            .par_chunks(unit)
            .zip(passes.par_chunks_mut(unit))
            .with_max_len(1)
            .map(|(unit, passes)| {
                self.with_worker(|worker| {
                    self.learn_unit(worker, set, unit, block, passes, &bias, presentation, settings)
                })
            })
            .collect();
        self.passes = passes;
        let mut total = BatchResult::empty(&self.parts);
        self.summed.iter_mut().for_each(Vec::clear);
        for UnitResult { result, summed } in units {
            total.add(result);
            for (sums, more) in self.summed.iter_mut().zip(summed) {
                add_all(sums, more);
            }
        }
        total
    }

    #[expect(clippy::too_many_arguments, reason = "the unit of work of one call above")]
    fn learn_unit(
        &self,
        worker: &mut Worker<T>,
        set: &EncodedSet,
        samples: &[u32],
        block: usize,
        passes: &mut [SamplePass<T>],
        bias: &[Vec<Arrival>],
        presentation: Presentation,
        settings: GradientSettings,
    ) -> UnitResult {
        let mut result = BatchResult::empty(&self.parts);
        self.network.begin(&mut worker.workspace);
        for (samples, passes) in samples.chunks(block).zip(passes.chunks_mut(block)) {
            for (&sample, pass) in samples.iter().zip(passes.iter_mut()) {
                self.encode(worker, set, sample as usize, presentation, bias, pass);
            }
            self.network.forward(bias, passes, &mut worker.workspace);
            worker.label_gradients.clear();
            for (&sample, pass) in samples.iter().zip(passes.iter()) {
                let label = set.label(sample as usize);
                self.count(label, pass, &mut result, &mut worker.label_gradient);
                let gradients = worker.label_gradient.iter();
                let gradients = gradients.map(|gradient| gradient * settings.sample_weight);
                worker.label_gradients.extend(gradients);
            }
            let Worker { workspace, label_gradients, .. } = worker;
            self.network.backward(label_gradients, settings.guard, passes, workspace);
            let layers = passes.iter().flat_map(|pass| &pass.layers);
            result.guarded += layers.map(|layer| layer.gradient.guarded).sum::<u64>();
        }
        result.delay_gradients = worker.delay_gradients();
        let gradients = &mut worker.workspace.gradients;
        let summed = gradients.iter_mut().map(|gradient| std::mem::take(&mut gradient.weights));
        UnitResult { result, summed: summed.collect() }
    }

    /// The record of a sample, of whose nodes the sources have their times already.
    fn record(&self, mut times: Vec<f64>, pass: &SamplePass<T>) -> FirstSpikes {
        for (layer, pass) in pass.layers.iter().enumerate() {
            let neurons = self.network.neurons(layer);
            let count = neurons.len();
            times[neurons].copy_from_slice(&pass.spikes.times[..count]);
        }
        FirstSpikes::from_times(times)
    }

    /// Writes the spikes that drive the first layer.
    fn encode(
        &self,
        worker: &mut Worker<T>,
        set: &EncodedSet,
        sample: usize,
        presentation: Presentation,
        bias: &[Vec<Arrival>],
        pass: &mut SamplePass<T>,
    ) {
        let Worker { stimulus, encoding, .. } = worker;
        set.inputs(sample, presentation, encoding, stimulus);
        let first = self.network.first_input() as u32;
        let arrivals = &mut pass.layers[0].inputs.arrivals;
        arrivals.clear();
        arrivals.extend(
            stimulus.iter().map(|spike| Arrival { time: spike.time, row: spike.source - first }),
        );
        arrivals.extend_from_slice(&bias[0]);
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

    fn with_worker<R>(&self, work: impl FnOnce(&mut Worker<T>) -> R) -> R {
        let index = rayon::current_thread_index().unwrap_or(0) % self.workers.len();
        // A worker that panicked left no state that the next sample does not reset.
        work(&mut self.workers[index].lock().unwrap_or_else(|poisoned| poisoned.into_inner()))
    }
}
