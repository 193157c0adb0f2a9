//! One batch through the feed-forward engine, back, and into the weights, on any number of threads with
//! the same result.
//!
//! The work is shared out twice. Forward and backward passes are independent per sample: units of samples,
//! fixed by their position, go through the network on any thread, as one or several [`Batch`]es. The weight
//! gradients are then summed tile by tile of each weight matrix, over all batches in their order, and
//! the optimiser's step is applied to the tile while it is in the cache. No thread sums for another, so
//! nothing depends on how many there are.

mod grid;
mod step;
mod substrate;

use std::ops::Range;
use std::sync::Mutex;

use pulp::Arch;
use rayon::prelude::*;

pub use substrate::InTheLoop;
pub(super) use substrate::SubstrateRunner;

use super::batch::{BatchResult, GradientSettings, Look, Parts, UNIT, add_all, samples_per_look};
use super::{EncodedSet, EncodingScratch, FirstSpikes, Loss, Presentation, TrainedDelays};
use crate::chip::WeightGrid;
use crate::engine::SourceSpike;
use crate::engine::layered::{
    Arrival, Batch, Element, GradientGuard, LayeredEngine, Unsupported, Workspace,
};
use crate::network::{CompiledNetwork, LayeredNetwork};

/// What each thread works with.
struct Worker<T> {
    workspace: Workspace<T>,
    /// For samples that are not learned from.
    batch: Batch<T>,
    /// When each node of the network first spiked.
    times: Vec<f64>,
    stimulus: Vec<SourceSpike>,
    encoding: EncodingScratch,
    /// Of one sample.
    label_times: Vec<f64>,
    label_gradient: Vec<f64>,
    /// Of all samples of a batch.
    label_gradients: Vec<f64>,
    /// Per sample of a batch: when the first label neuron spiked.
    first_label_spikes: Vec<f64>,
    /// The gradients of one tile.
    sums: Vec<T>,
}

/// Runs batches on the feed-forward engine, and keeps the threads' memory between them.
pub(super) struct FeedForwardRunner<T> {
    network: LayeredEngine<T>,
    parts: Parts,
    loss: Loss,
    arch: Arch,
    /// All weights in double precision, in the engine's layout, layer after layer.
    weights: Vec<f64>,
    /// What the network is programmed with instead, if it is to run on a chip.
    grid: Option<WeightGrid>,
    /// What the samples of the last [`Self::learn`] left, in their order, in the first `used` of them: the
    /// others keep their memory for a larger batch.
    batches: Vec<Batch<T>>,
    used: usize,
    workers: Vec<Mutex<Worker<T>>>,
}

impl<T: Element + Into<f64>> FeedForwardRunner<T> {
    /// A runner for as many threads as the present pool of rayon has.
    pub fn new(
        layered: &LayeredNetwork,
        compiled: &CompiledNetwork,
        parts: Parts,
        loss: Loss,
    ) -> Result<Self, Unsupported> {
        let network = LayeredEngine::<T>::new(layered, compiled)?;
        let tilings = (0..network.layer_count()).map(|layer| network.tiling(layer));
        let largest = tilings.clone().map(|tiling| tiling.largest_tile()).max().unwrap_or(0);
        let worker = || Worker {
            workspace: Workspace::default(),
            batch: Batch::default(),
            times: Vec::new(),
            stimulus: Vec::new(),
            encoding: EncodingScratch::default(),
            label_times: vec![0.0; parts.labels().len()],
            label_gradient: vec![0.0; parts.labels().len()],
            label_gradients: Vec::new(),
            first_label_spikes: Vec::new(),
            sums: vec![T::default(); largest],
        };
        let workers = (0..rayon::current_num_threads()).map(|_| Mutex::new(worker())).collect();
        let count = tilings.map(|tiling| tiling.value_count()).sum();
        let mut runner = FeedForwardRunner {
            weights: vec![0.0; count],
            grid: None,
            batches: Vec::new(),
            used: 0,
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

    /// The same, on the kernel that takes up records.
    fn for_records(self) -> Self {
        FeedForwardRunner { network: self.network.batched(), ..self }
    }

    /// Of so many samples: how many are a unit of work, and how many of these a batch.
    fn unit(&self, samples: usize) -> (usize, usize) {
        let batch = self.network.batch_size(samples);
        (UNIT.next_multiple_of(batch), batch)
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
        let (unit, size) = self.unit(samples.len());
        let nodes = look.is_some().then_some(nodes);
        let mut total = BatchResult::empty(&self.parts);
        for some in samples.chunks(samples_per_look(look.as_ref(), unit, samples.len())) {
            let units: Vec<(BatchResult, Vec<FirstSpikes>)> = some
                .par_chunks(unit)
                .map(|unit| {
                    self.with_worker(|worker| {
                        self.evaluate_unit(worker, nodes, set, unit, size, &bias)
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
        size: usize,
        bias: &[Vec<Arrival>],
    ) -> (BatchResult, Vec<FirstSpikes>) {
        let (mut result, mut records) = (BatchResult::empty(&self.parts), Vec::new());
        let mut batch = std::mem::take(&mut worker.batch);
        for samples in samples.chunks(size) {
            self.encode_all(worker, set, samples, Presentation::Plain, bias, &mut batch);
            let sources =
                |index| nodes.map(|nodes| self.source_times(nodes, set, &mut batch, index));
            let sources: Vec<_> = (0..samples.len()).map(sources).collect();
            self.network.forward(bias, &mut batch, &mut worker.workspace);
            self.count(worker, set, samples, &batch, 0.0, &mut result);
            for (index, times) in sources.into_iter().enumerate() {
                records.extend(times.map(|times| self.record(times, &batch, index)));
            }
        }
        worker.batch = batch;
        (result, records)
    }

    /// Runs the given samples forward and backward, and keeps what [`Self::update`] needs.
    pub fn learn(
        &mut self,
        set: &EncodedSet,
        samples: &[u32],
        presentation: Presentation,
        settings: GradientSettings,
    ) -> BatchResult {
        let bias = self.bias(set);
        self.learn_from(set, samples, settings, |runner, worker, positions, batch, _| {
            runner.forward(worker, set, &samples[positions], presentation, &bias, batch);
        })
    }

    /// Takes the given samples back through the network, and keeps what [`Self::update`] needs. `prepare`
    /// brings those at some positions into a batch, and may add to the result.
    fn learn_from(
        &mut self,
        set: &EncodedSet,
        samples: &[u32],
        settings: GradientSettings,
        prepare: impl Fn(&Self, &mut Worker<T>, Range<usize>, &mut Batch<T>, &mut BatchResult) + Sync,
    ) -> BatchResult {
        let (unit, size) = self.unit(samples.len());
        let mut batches = std::mem::take(&mut self.batches);
        self.used = samples.len().div_ceil(size);
        batches.resize_with(batches.len().max(self.used), Batch::default);
        let this = &*self;
        let units: Vec<BatchResult> = batches[..self.used]
            .par_chunks_mut(unit / size)
            .with_max_len(1)
            .enumerate()
            .map(|(index, batches)| {
                this.with_worker(|worker| {
                    let mut result = BatchResult::empty(&this.parts);
                    for (batch, start) in batches.iter_mut().zip((index * unit..).step_by(size)) {
                        let positions = start..samples.len().min(start + size);
                        prepare(this, worker, positions.clone(), batch, &mut result);
                        this.backward(
                            worker,
                            set,
                            &samples[positions],
                            batch,
                            settings,
                            &mut result,
                        );
                    }
                    result
                })
            })
            .collect();
        self.batches = batches;
        let mut total = BatchResult::empty(&self.parts);
        units.into_iter().for_each(|unit| total.add(unit));
        total
    }

    /// Takes a batch back that has been through the network.
    fn backward(
        &self,
        worker: &mut Worker<T>,
        set: &EncodedSet,
        samples: &[u32],
        batch: &mut Batch<T>,
        settings: GradientSettings,
        result: &mut BatchResult,
    ) {
        self.count(worker, set, samples, batch, settings.sample_weight, result);
        let Worker { workspace, label_gradients, .. } = worker;
        let guard = settings.guard.map(|limit| GradientGuard { limit });
        self.network.backward(label_gradients, guard, batch, workspace);
        result.guarded += batch.guarded();
        let delays = batch.gradients().iter().flat_map(|layer| layer.delays.iter().copied());
        add_all(&mut result.delay_gradients, delays.collect());
    }

    /// When the sources of a sample spike that is to run; infinite for all other nodes.
    fn source_times(
        &self,
        nodes: usize,
        set: &EncodedSet,
        batch: &mut Batch<T>,
        index: usize,
    ) -> Vec<f64> {
        let mut times = vec![f64::INFINITY; nodes];
        for arrival in batch.stimulus_mut(index) {
            if let Some(source) = self.network.source_of_row(arrival.row) {
                times[source] = arrival.time;
            }
        }
        for spike in set.bias() {
            times[spike.source as usize] = spike.time;
        }
        times
    }

    /// The record of a sample that has run, of whose nodes the sources have their times already.
    fn record(&self, mut times: Vec<f64>, batch: &Batch<T>, index: usize) -> FirstSpikes {
        for layer in 0..self.network.layer_count() {
            let neurons = self.network.neurons(layer);
            batch.copy_spike_times(&self.network, layer, index, &mut times[neurons]);
        }
        FirstSpikes::from_times(times)
    }

    /// Runs samples.
    fn forward(
        &self,
        worker: &mut Worker<T>,
        set: &EncodedSet,
        samples: &[u32],
        presentation: Presentation,
        bias: &[Vec<Arrival>],
        batch: &mut Batch<T>,
    ) {
        self.encode_all(worker, set, samples, presentation, bias, batch);
        self.network.forward(bias, batch, &mut worker.workspace);
    }

    /// Writes the stimuli of samples into a batch.
    fn encode_all(
        &self,
        worker: &mut Worker<T>,
        set: &EncodedSet,
        samples: &[u32],
        presentation: Presentation,
        bias: &[Vec<Arrival>],
        batch: &mut Batch<T>,
    ) {
        batch.begin(&self.network, samples.len());
        for (index, &sample) in samples.iter().enumerate() {
            let arrivals = batch.stimulus_mut(index);
            self.encode(worker, set, sample as usize, presentation, bias, arrivals);
        }
    }

    /// Writes the spikes that drive the first layer.
    fn encode(
        &self,
        worker: &mut Worker<T>,
        set: &EncodedSet,
        sample: usize,
        presentation: Presentation,
        bias: &[Vec<Arrival>],
        arrivals: &mut Vec<Arrival>,
    ) {
        let Worker { stimulus, encoding, .. } = worker;
        set.inputs(sample, presentation, encoding, stimulus);
        let first = self.network.first_input() as u32;
        arrivals.clear();
        arrivals.extend(
            stimulus.iter().map(|spike| Arrival { time: spike.time, row: spike.source - first }),
        );
        arrivals.extend_from_slice(&bias[0]);
    }

    /// Adds the samples of a batch to a result, and leaves the gradients of their losses in the worker, times the
    /// weight of a sample.
    fn count(
        &self,
        worker: &mut Worker<T>,
        set: &EncodedSet,
        samples: &[u32],
        batch: &Batch<T>,
        sample_weight: f64,
        result: &mut BatchResult,
    ) {
        let Worker { label_times, label_gradient, label_gradients, first_label_spikes, .. } =
            worker;
        label_gradients.clear();
        first_label_spikes.clear();
        let labels = self.network.layer_count() - 1;
        for (index, &sample) in samples.iter().enumerate() {
            batch.copy_spike_times(&self.network, labels, index, label_times);
            let label = set.label(sample as usize);
            let first = result.count_labels(&self.loss, label, label_times, label_gradient);
            first_label_spikes.push(first);
            label_gradients.extend(label_gradient.iter().map(|by_time| by_time * sample_weight));
        }
        for (layer, activity) in result.activity.iter_mut().enumerate() {
            let counts = &mut activity.spikes;
            activity.samples += samples.len() as u64;
            activity.late += batch.count_spikes(&self.network, layer, first_label_spikes, counts);
        }
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
