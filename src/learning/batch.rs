//! One batch through the event engine and back, on any number of threads with the same result.

use std::ops::Range;
use std::sync::Mutex;

use rayon::prelude::*;

use super::{
    BackwardPass, EncodedSet, EncodingScratch, FirstSpikes, LayerActivity, Loss, Presentation,
    Score,
};
use crate::chip::SubstrateError;
use crate::engine::layered::add_all;
use crate::engine::{EngineError, EngineOptions, EventEngine, SourceSpike};
use crate::network::{CompiledNetwork, LayeredNetwork};

/// Learning that cannot go on.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LearningError {
    /// The engine failed on a sample.
    #[error("sample {sample}: {source}")]
    Engine {
        /// Index of the sample.
        sample: usize,
        /// What happened.
        source: EngineError,
    },
    /// The substrate failed.
    #[error("substrate: {0}")]
    Substrate(#[from] SubstrateError),
    /// A weight or delay is no longer a number.
    #[error(
        "epoch {epoch}: a weight or delay became {value}: lower the learning rate or set a gradient guard"
    )]
    Diverged {
        /// Epoch in which it happened.
        epoch: usize,
        /// The weight, or the raw number of the delay.
        value: f64,
    },
}

/// Samples per unit of work. All sums are formed per unit and then in the order of the units, so that
/// no result depends on the number of threads.
pub(super) const UNIT: usize = 10;

/// The nodes of a layered network by their part.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Parts {
    /// Nodes of each layer, the label layer last.
    pub layers: Vec<Range<usize>>,
}

impl Parts {
    pub fn new(network: &LayeredNetwork) -> Self {
        let populations = network.network.populations();
        Parts { layers: network.layers.iter().map(|id| populations[id.0].nodes.clone()).collect() }
    }

    pub fn labels(&self) -> Range<usize> {
        self.layers[self.layers.len() - 1].clone()
    }

    pub fn silent_activity(&self) -> Vec<LayerActivity> {
        self.layers.iter().map(|nodes| LayerActivity::new(nodes.len())).collect()
    }
}

/// What a number of samples gave.
#[derive(Clone, Debug)]
pub(super) struct BatchResult {
    pub score: Score,
    pub activity: Vec<LayerActivity>,
    /// Per synapse, in the order of the compiled network; empty for the feed-forward engine, which
    /// keeps its own.
    pub weight_gradients: Vec<f64>,
    /// The event engine's by synapse, in the order of the compiled network; the feed-forward engine's
    /// by delay, layer after layer.
    pub delay_gradients: Vec<f64>,
    pub guarded: u64,
}

impl BatchResult {
    pub fn empty(parts: &Parts) -> Self {
        BatchResult {
            score: Score::default(),
            activity: parts.silent_activity(),
            weight_gradients: Vec::new(),
            delay_gradients: Vec::new(),
            guarded: 0,
        }
    }

    /// Adds another result to the sums.
    pub fn add(&mut self, other: BatchResult) {
        self.score.add(&other.score);
        for (activity, more) in self.activity.iter_mut().zip(&other.activity) {
            activity.add(more);
        }
        add_all(&mut self.weight_gradients, other.weight_gradients);
        add_all(&mut self.delay_gradients, other.delay_gradients);
        self.guarded += other.guarded;
    }

    /// Counts one sample: what its label neurons said, and which neurons took part. Writes the
    /// derivatives of the loss by the label neurons' times.
    pub fn count<'a>(
        &mut self,
        loss: &Loss,
        label: usize,
        label_times: &[f64],
        layer_times: impl Iterator<Item = &'a [f64]>,
        gradient: &mut [f64],
    ) {
        let value = loss.evaluate(label_times, label, gradient);
        let first = label_times.iter().copied().fold(f64::INFINITY, f64::min);
        let decided = loss.decide(label_times);
        self.score.samples += 1;
        self.score.correct += u64::from(decided == Some(label));
        self.score.undecided += u64::from(decided.is_none());
        self.score.loss_sum += value;
        self.score.decision_time_sum += if decided.is_some() { first } else { 0.0 };
        for (times, activity) in layer_times.zip(&mut self.activity) {
            activity.samples += 1;
            let mut late = 0;
            for (count, &time) in activity.spikes.iter_mut().zip(times) {
                let spiked = time < f64::INFINITY;
                *count += u64::from(spiked);
                late += u64::from(spiked & (first < time));
            }
            activity.late += late;
        }
    }
}

/// How gradients are formed; none for evaluation.
#[derive(Clone, Copy, Debug)]
pub(super) struct GradientSettings {
    /// Weight of one sample in the sum: one over the size of the batch.
    pub sample_weight: f64,
    pub guard: Option<f64>,
}

/// What each thread works with.
struct Worker {
    engine: EventEngine,
    record: FirstSpikes,
    pass: BackwardPass,
    label_gradient: Vec<f64>,
    scratch: EncodingScratch,
    stimulus: Vec<SourceSpike>,
}

/// Runs batches on the event engine, and keeps the threads' memory between them.
pub(super) struct EventRunner {
    parts: Parts,
    loss: Loss,
    workers: Vec<Mutex<Worker>>,
}

impl EventRunner {
    /// A runner for as many threads as the present pool of rayon has. Gradients by delay are formed
    /// only if asked for.
    pub fn new(network: &CompiledNetwork, parts: Parts, loss: Loss, delays: bool) -> Self {
        let options = EngineOptions { at_most_one_spike: true };
        let worker = || Worker {
            engine: EventEngine::new(network, options),
            record: FirstSpikes::new(network.node_count()),
            pass: if delays {
                BackwardPass::with_delays(network)
            } else {
                BackwardPass::new(network)
            },
            label_gradient: vec![0.0; parts.labels().len()],
            scratch: EncodingScratch::default(),
            stimulus: Vec::new(),
        };
        let workers = (0..rayon::current_num_threads()).map(|_| Mutex::new(worker())).collect();
        EventRunner { parts, loss, workers }
    }

    /// Runs the given samples and forms their gradients if asked to.
    pub fn run(
        &self,
        network: &CompiledNetwork,
        set: &EncodedSet,
        samples: &[u32],
        presentation: Presentation,
        gradient: Option<GradientSettings>,
    ) -> Result<BatchResult, LearningError> {
        let units: Vec<Result<BatchResult, LearningError>> = samples
            .par_chunks(UNIT)
            .map(|unit| {
                self.with_worker(|worker| {
                    self.run_unit(worker, network, set, unit, presentation, gradient)
                })
            })
            .collect();
        let mut total = BatchResult::empty(&self.parts);
        for unit in units {
            total.add(unit?);
        }
        Ok(total)
    }

    /// Runs the samples in turn and shows each record to `look`.
    pub fn for_each(
        &self,
        network: &CompiledNetwork,
        set: &EncodedSet,
        mut look: impl FnMut(usize, &FirstSpikes),
    ) -> Result<(), LearningError> {
        const BLOCK: usize = 1024;
        for start in (0..set.len()).step_by(BLOCK) {
            let block = start..set.len().min(start + BLOCK);
            let records: Vec<Result<FirstSpikes, LearningError>> = block
                .clone()
                .into_par_iter()
                .map(|sample| {
                    self.with_worker(|worker| {
                        worker.forward(network, set, sample, Presentation::Plain)?;
                        Ok(worker.record.clone())
                    })
                })
                .collect();
            for (sample, record) in block.zip(records) {
                look(sample, &record?);
            }
        }
        Ok(())
    }

    fn with_worker<R>(&self, work: impl FnOnce(&mut Worker) -> R) -> R {
        let index = rayon::current_thread_index().unwrap_or(0) % self.workers.len();
        // A worker that panicked left no state that the next sample does not reset.
        work(&mut self.workers[index].lock().unwrap_or_else(|poisoned| poisoned.into_inner()))
    }

    fn run_unit(
        &self,
        worker: &mut Worker,
        network: &CompiledNetwork,
        set: &EncodedSet,
        samples: &[u32],
        presentation: Presentation,
        gradient: Option<GradientSettings>,
    ) -> Result<BatchResult, LearningError> {
        let mut result = BatchResult::empty(&self.parts);
        worker.pass.weight_gradients.fill(0.0);
        worker.pass.delay_gradients.fill(0.0);
        worker.pass.guarded = 0;
        for &sample in samples {
            let sample = sample as usize;
            worker.forward(network, set, sample, presentation)?;
            let times = worker.record.times();
            result.count(
                &self.loss,
                set.label(sample),
                &times[self.parts.labels()],
                self.parts.layers.iter().map(|nodes| &times[nodes.clone()]),
                &mut worker.label_gradient,
            );
            if let Some(settings) = gradient {
                worker.backward(network, self.parts.labels(), settings);
            }
        }
        if gradient.is_some() {
            result.weight_gradients = worker.pass.weight_gradients.clone();
            result.delay_gradients = worker.pass.delay_gradients.clone();
            result.guarded = worker.pass.guarded;
        }
        Ok(result)
    }
}

impl Worker {
    fn forward(
        &mut self,
        network: &CompiledNetwork,
        set: &EncodedSet,
        sample: usize,
        presentation: Presentation,
    ) -> Result<(), LearningError> {
        self.record.clear();
        set.stimulus(sample, presentation, &mut self.scratch, &mut self.stimulus);
        self.engine
            .run(network, &self.stimulus, f64::INFINITY, &mut self.record)
            .map_err(|source| LearningError::Engine { sample, source })?;
        Ok(())
    }

    fn backward(
        &mut self,
        network: &CompiledNetwork,
        labels: Range<usize>,
        settings: GradientSettings,
    ) {
        self.pass.time_gradients.fill(0.0);
        for (node, gradient) in labels.zip(&self.label_gradient) {
            self.pass.time_gradients[node] = gradient * settings.sample_weight;
        }
        self.record.backpropagate(network, settings.guard, &mut self.pass);
    }
}
