//! Batches on a substrate: forward passes there, backward passes with the recorded times and the ideal
//! equations, as in the paper's training in the loop.

mod unsorted;

use std::ops::Range;
use std::sync::{Mutex, MutexGuard};

use rayon::prelude::*;

use super::{FeedForwardRunner, Worker};
use crate::chip::{
    Activity, PresentationKey, Presented, Program, Substrate, SubstrateError, WeightGrid,
};
use crate::engine::Spike;
use crate::engine::layered::{Arrival, SamplePass, UnsortedBackward, Unsupported};
use crate::learning::batch::{BatchResult, GradientSettings, Parts, UNIT};
use crate::learning::{Adam, EncodedSet, FirstSpikes, Loss, Presentation, TrainedDelays};
use crate::network::{CompiledNetwork, LayerShape, LayeredNetwork};

/// Samples whose records are in memory together in evaluation, in batches.
const BATCHES: usize = 20;

/// A substrate, and what it is to be programmed with.
pub struct InTheLoop {
    /// What runs the network.
    pub substrate: Box<dyn Substrate>,
    /// The weights that it can be programmed with.
    pub grid: Option<WeightGrid>,
    /// Samples of an uninterrupted sequence, in evaluation too.
    pub batch_size: usize,
    /// Rows of the first layer that spike at one time in most samples: learning is faster if it knows.
    pub together: Vec<Range<u32>>,
}

/// The substrate and whether it has the present weights.
struct Device {
    substrate: Box<dyn Substrate>,
    is_programmed: bool,
    activity: Activity,
}

/// Samples on the substrate, and their records.
#[derive(Debug, Default)]
struct Shown {
    presented: Vec<Presented>,
    records: Vec<Vec<Spike>>,
}

/// Runs batches on a substrate. The feed-forward runner has the weights, and learns.
pub struct SubstrateRunner {
    fast: FeedForwardRunner<f64>,
    /// The way back without sorting, if the network can go it.
    unsorted: Option<UnsortedBackward>,
    device: Mutex<Device>,
    /// What was shown in the last batch: its memory is used again.
    shown: Shown,
    batch_size: usize,
    nodes: usize,
    shapes: Vec<LayerShape>,
    /// The delay of each synapse, in the order of the layers' matrices; empty without any.
    delays: Vec<f64>,
    kinds: Vec<Option<crate::network::DelayKind>>,
}

impl SubstrateRunner {
    pub fn new(
        layered: &LayeredNetwork,
        compiled: &CompiledNetwork,
        parts: Parts,
        loss: Loss,
        in_the_loop: InTheLoop,
    ) -> Result<Self, Unsupported> {
        let InTheLoop { substrate, grid, batch_size, together } = in_the_loop;
        let mut fast = FeedForwardRunner::new(layered, compiled, parts, loss)?.one_by_one();
        if let Some(layer) =
            (0..fast.network.layer_count()).find(|&layer| fast.network.has_synaptic_delays(layer))
        {
            let population = layered.layers[layer];
            let layer = layered.network.populations()[population.0].name.clone();
            return Err(Unsupported::SynapticDelays { layer });
        }
        let edges = || layered.network.graph().edge_weights();
        let has_delays = layered.delays.iter().any(Option::is_some);
        let delays = edges().filter(|_| has_delays).map(|synapse| synapse.delay).collect();
        fast.grid = grid;
        let weights: Vec<f64> = edges().map(|synapse| synapse.weight).collect();
        fast.set_weights(&weights);
        Ok(SubstrateRunner {
            unsorted: UnsortedBackward::new(&fast.network, &together),
            fast,
            device: Mutex::new(Device {
                substrate,
                is_programmed: false,
                activity: Activity::default(),
            }),
            shown: Shown::default(),
            batch_size,
            nodes: compiled.node_count(),
            shapes: layered.shapes(),
            delays,
            kinds: layered.delays.clone(),
        })
    }

    pub fn weight_count(&self) -> usize {
        self.fast.weight_count()
    }

    /// All shadow weights in the order of the layers' matrices.
    pub fn weights(&self) -> Vec<f64> {
        self.fast.weights()
    }

    pub fn set_weights(&mut self, weights: &[f64]) {
        self.fast.set_weights(weights);
        self.is_outdated();
    }

    pub fn set_delays(&mut self, delays: &TrainedDelays) {
        self.fast.set_delays(delays);
        for (layer, values) in delays.by_layer() {
            let Some(kind) = self.kinds[layer] else { continue };
            let LayerShape { first, rows, columns } = self.shapes[layer];
            for synapse in 0..rows * columns {
                let index = kind.index(synapse / columns, synapse % columns, columns);
                self.delays[first + synapse] = values[index];
            }
        }
        self.is_outdated();
    }

    pub fn update(&mut self, bumps: &[Vec<f64>], step: Option<(&mut Adam, f64)>) {
        self.fast.update(bumps, step);
        self.is_outdated();
    }

    /// What happened on the substrate since it was asked last.
    pub fn take_activity(&self) -> Activity {
        std::mem::take(&mut self.device().activity)
    }

    /// What was odd about its records.
    pub fn warnings(&self) -> Vec<String> {
        self.device().substrate.warnings()
    }

    /// Has learning and the substrate take the present weights.
    fn is_outdated(&mut self) {
        if let Some(unsorted) = &mut self.unsorted {
            unsorted.take_weights(&self.fast.network);
        }
        self.device().is_programmed = false;
    }

    fn device(&self) -> MutexGuard<'_, Device> {
        // A substrate that panicked is programmed anew, and says itself whether it can go on.
        self.device.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// Shows samples to the substrate.
    fn present(
        &self,
        set: &EncodedSet,
        samples: &[u32],
        presentation: Presentation,
        shown: &mut Shown,
    ) -> Result<(), SubstrateError> {
        let epoch = match presentation {
            Presentation::Plain => 0,
            Presentation::Training { epoch } => epoch,
        };
        let Shown { presented, records } = shown;
        presented.resize_with(samples.len(), Presented::default);
        let shows = presented.par_iter_mut().zip(samples).enumerate().with_min_len(UNIT);
        shows.for_each(|(index, (presented, &sample))| {
            let batch = samples[index / self.batch_size * self.batch_size];
            presented.key = PresentationKey { epoch, sample, batch };
            self.fast.with_worker(|worker| {
                let Worker { encoding, .. } = worker;
                set.stimulus(sample as usize, presentation, encoding, &mut presented.stimulus);
            });
        });
        let device = &mut *self.device();
        if !device.is_programmed {
            let weights = self.fast.programmed();
            device.substrate.program(&Program { weights: &weights, delays: &self.delays })?;
            device.is_programmed = true;
        }
        device.substrate.present_again(presented, records)?;
        device.activity.add(&device.substrate.take_activity());
        if records.len() != samples.len() {
            let message = format!("{} records of {} samples", records.len(), samples.len());
            return Err(SubstrateError { message });
        }
        Ok(())
    }

    /// Writes a record into a pass.
    fn take_record(
        &self,
        presented: &Presented,
        record: &[Spike],
        times: &mut Vec<f64>,
        pass: &mut SamplePass<f64>,
    ) {
        let arrivals = &mut pass.layers[0].inputs.arrivals;
        arrivals.clear();
        arrivals.extend(presented.stimulus.iter().filter_map(|spike| {
            let row = self.fast.network.row_of_source(0, spike.source as usize)?;
            Some(Arrival { time: spike.time, row })
        }));
        times.clear();
        times.resize(self.nodes, f64::INFINITY);
        keep_first(record, times);
        for (layer, pass) in pass.layers.iter_mut().enumerate() {
            let neurons = self.fast.network.neurons(layer);
            pass.spikes.times.clear();
            pass.spikes.times.extend_from_slice(&times[neurons]);
        }
    }

    pub fn evaluate(
        &self,
        set: &EncodedSet,
        samples: &[u32],
    ) -> Result<BatchResult, SubstrateError> {
        let mut total = BatchResult::empty(&self.fast.parts);
        let mut shown = Shown::default();
        for some in samples.chunks(BATCHES * self.batch_size) {
            self.present(set, some, Presentation::Plain, &mut shown)?;
            let Shown { presented, records } = &shown;
            let (mut times, mut pass) = (Vec::new(), SamplePass::new(&self.fast.network));
            let mut gradient = vec![0.0; self.fast.parts.labels().len()];
            for ((presented, record), &sample) in presented.iter().zip(records).zip(some) {
                self.take_record(presented, record, &mut times, &mut pass);
                self.fast.count(set.label(sample as usize), &pass, &mut total, &mut gradient);
            }
        }
        Ok(total)
    }

    pub fn learn(
        &mut self,
        set: &EncodedSet,
        samples: &[u32],
        presentation: Presentation,
        settings: GradientSettings,
    ) -> Result<BatchResult, SubstrateError> {
        let mut shown = std::mem::take(&mut self.shown);
        self.present(set, samples, presentation, &mut shown)?;
        let result = if self.unsorted.is_some() {
            self.learn_unsorted(set, samples, &shown, settings)
        } else {
            self.learn_sorted(set, samples, &shown, settings)
        };
        self.shown = shown;
        Ok(result)
    }

    /// [`Self::learn`] from the records of samples.
    fn learn_sorted(
        &mut self,
        set: &EncodedSet,
        samples: &[u32],
        Shown { presented, records }: &Shown,
        settings: GradientSettings,
    ) -> BatchResult {
        let mut passes = std::mem::take(&mut self.fast.passes);
        passes.resize_with(samples.len(), || SamplePass::new(&self.fast.network));
        let bias = self.fast.bias(set);
        let (unit, _) = self.fast.unit(samples.len());
        let this = &*self;
        let shown = samples.par_chunks(unit).zip(presented.par_chunks(unit));
        let units: Vec<BatchResult> = shown
            .zip(records.par_chunks(unit))
            .zip(passes.par_chunks_mut(unit))
            .map(|(((samples, presented), records), passes)| {
                this.fast.with_worker(|worker| {
                    let mut times = Vec::new();
                    for ((presented, record), pass) in
                        presented.iter().zip(records).zip(passes.iter_mut())
                    {
                        this.take_record(presented, record, &mut times, pass);
                    }
                    this.learn_unit(worker, set, samples, passes, &bias, settings)
                })
            })
            .collect();
        self.fast.passes = passes;
        let mut total = BatchResult::empty(&self.fast.parts);
        units.into_iter().for_each(|unit| total.add(unit));
        total
    }

    fn learn_unit(
        &self,
        worker: &mut Worker<f64>,
        set: &EncodedSet,
        samples: &[u32],
        passes: &mut [SamplePass<f64>],
        bias: &[Vec<Arrival>],
        settings: GradientSettings,
    ) -> BatchResult {
        let fast = &self.fast;
        let mut result = BatchResult::empty(&fast.parts);
        fast.network.begin(&mut worker.workspace);
        for (&sample, pass) in samples.iter().zip(passes) {
            let pass = std::slice::from_mut(pass);
            let label = set.label(sample as usize);
            fast.count(label, &pass[0], &mut result, &mut worker.label_gradient);
            for gradient in &mut worker.label_gradient {
                *gradient *= settings.sample_weight;
            }
            let Worker { workspace, label_gradient, .. } = worker;
            fast.network.recorded(bias, pass, workspace);
            fast.network.backward(label_gradient, settings.guard, pass, workspace);
            result.guarded +=
                pass[0].layers.iter().map(|layer| layer.gradient.guarded).sum::<u64>();
        }
        result.delay_gradients = worker.delay_gradients();
        result
    }

    /// Shows the record of each sample to `look`, in order.
    pub fn for_each(
        &self,
        set: &EncodedSet,
        mut look: impl FnMut(usize, &FirstSpikes),
    ) -> Result<(), SubstrateError> {
        let samples: Vec<u32> = (0..set.len() as u32).collect();
        let mut shown = Shown::default();
        for some in samples.chunks(BATCHES * self.batch_size) {
            self.present(set, some, Presentation::Plain, &mut shown)?;
            let Shown { presented, records } = &shown;
            for ((presented, record), &sample) in presented.iter().zip(records).zip(some) {
                let mut times = vec![f64::INFINITY; self.nodes];
                for spike in &presented.stimulus {
                    times[spike.source as usize] = spike.time;
                }
                keep_first(record, &mut times);
                look(sample as usize, &FirstSpikes::from_times(times));
            }
        }
        Ok(())
    }
}

/// Writes the time of each neuron's first spike in a record.
fn keep_first(record: &[Spike], times: &mut [f64]) {
    for spike in record {
        let first = &mut times[spike.node as usize];
        *first = first.min(spike.time);
    }
}

#[cfg(test)]
mod tests;
