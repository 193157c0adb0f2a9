//! One batch through the event engine and back, on any number of threads with the same result.

use std::ops::Range;
use std::sync::Mutex;

use rayon::prelude::*;

use super::twin::Observations;
use super::{
    BackwardPass, EncodedSet, EncodingScratch, FirstSpikes, LayerActivity, Loss, Presentation,
    Score,
};
use crate::chip::SubstrateError;
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
    /// What the samples say of the neurons of a substrate; empty without a twin of it.
    pub observations: Observations,
}

impl BatchResult {
    pub fn empty(parts: &Parts) -> Self {
        BatchResult {
            score: Score::default(),
            activity: parts.silent_activity(),
            weight_gradients: Vec::new(),
            delay_gradients: Vec::new(),
            guarded: 0,
            observations: Observations::new(),
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
        if self.observations.is_empty() {
            self.observations = other.observations;
        } else {
            let layers = self.observations.iter_mut().zip(&other.observations);
            for (sums, more) in layers.flat_map(|(sums, more)| sums.iter_mut().zip(more)) {
                sums.add(more);
            }
        }
    }

    /// Counts what the label neurons said of one sample, and writes the derivatives of the loss by their times.
    /// Returns when the first of them spiked.
    pub fn count_labels(
        &mut self,
        loss: &Loss,
        label: usize,
        label_times: &[f64],
        gradient: &mut [f64],
    ) -> f64 {
        let value = loss.evaluate(label_times, label, gradient);
        let first = label_times.iter().copied().fold(f64::INFINITY, f64::min);
        let decided = loss.decide(label_times);
        self.score.samples += 1;
        self.score.correct += u64::from(decided == Some(label));
        self.score.undecided += u64::from(decided.is_none());
        self.score.loss_sum += value;
        self.score.decision_time_sum += if decided.is_some() { first } else { 0.0 };
        first
    }

    /// Counts which neurons took part in one sample, of which the first label neuron spiked at a time.
    pub fn count_activity<'a>(
        &mut self,
        first_label_spike: f64,
        layer_times: impl Iterator<Item = &'a [f64]>,
    ) {
        for (times, activity) in layer_times.zip(&mut self.activity) {
            activity.samples += 1;
            for (count, &time) in activity.spikes.iter_mut().zip(times) {
                let spiked = time < f64::INFINITY;
                *count += u64::from(spiked);
                activity.late += u64::from(spiked & (first_label_spike < time));
            }
        }
    }
}

/// Adds values to the sums so far. Nothing at all, on either side, is as good as zeros.
pub(super) fn add_all(sums: &mut Vec<f64>, more: Vec<f64>) {
    if sums.is_empty() {
        *sums = more;
    } else {
        sums.iter_mut().zip(more).for_each(|(sum, more)| *sum += more);
    }
}

/// Sees the record of each evaluated sample, in the order of the samples.
pub(super) type Look<'a> = &'a mut dyn FnMut(usize, &FirstSpikes);

/// Samples whose records are in memory together.
const RECORDS: usize = 1024;

/// How many samples are evaluated before their records are shown: whole units, so that records change
/// no sum; all samples if there is nobody to show records to.
pub(super) fn samples_per_look(look: Option<&Look<'_>>, unit: usize, samples: usize) -> usize {
    if look.is_some() { RECORDS.next_multiple_of(unit) } else { samples.max(1) }
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

    /// Runs the given samples and forms their gradients.
    pub fn learn(
        &self,
        network: &CompiledNetwork,
        set: &EncodedSet,
        samples: &[u32],
        presentation: Presentation,
        gradient: GradientSettings,
    ) -> Result<BatchResult, LearningError> {
        let units: Vec<Result<BatchResult, LearningError>> = samples
            .par_chunks(UNIT)
            .map(|unit| {
                self.with_worker(|worker| {
                    self.learn_unit(worker, network, set, unit, presentation, gradient)
                })
            })
            .collect();
        let mut total = BatchResult::empty(&self.parts);
        for unit in units {
            total.add(unit?);
        }
        Ok(total)
    }

    /// Runs the given samples as they are, each once, and shows the record of each to `look`.
    pub fn evaluate(
        &self,
        network: &CompiledNetwork,
        set: &EncodedSet,
        samples: &[u32],
        mut look: Option<Look<'_>>,
    ) -> Result<BatchResult, LearningError> {
        type Unit = Result<(BatchResult, Vec<FirstSpikes>), LearningError>;
        let keep = look.is_some();
        let mut total = BatchResult::empty(&self.parts);
        for some in samples.chunks(samples_per_look(look.as_ref(), UNIT, samples.len())) {
            let units: Vec<Unit> = some
                .par_chunks(UNIT)
                .map(|unit| {
                    self.with_worker(|worker| self.evaluate_unit(worker, network, set, unit, keep))
                })
                .collect();
            let mut samples = some.iter();
            for unit in units {
                let (result, records) = unit?;
                total.add(result);
                if let Some(look) = &mut look {
                    for (record, &sample) in records.iter().zip(&mut samples) {
                        look(sample as usize, record);
                    }
                }
            }
        }
        Ok(total)
    }

    fn with_worker<R>(&self, work: impl FnOnce(&mut Worker) -> R) -> R {
        let index = rayon::current_thread_index().unwrap_or(0) % self.workers.len();
        // A worker that panicked left no state that the next sample does not reset.
        work(&mut self.workers[index].lock().unwrap_or_else(|poisoned| poisoned.into_inner()))
    }

    fn learn_unit(
        &self,
        worker: &mut Worker,
        network: &CompiledNetwork,
        set: &EncodedSet,
        samples: &[u32],
        presentation: Presentation,
        gradient: GradientSettings,
    ) -> Result<BatchResult, LearningError> {
        let mut result = BatchResult::empty(&self.parts);
        worker.pass.weight_gradients.fill(0.0);
        worker.pass.delay_gradients.fill(0.0);
        worker.pass.guarded = 0;
        for &sample in samples {
            worker.forward(network, set, sample as usize, presentation)?;
            self.count(worker, set.label(sample as usize), &mut result);
            worker.backward(network, self.parts.labels(), gradient);
        }
        result.weight_gradients = worker.pass.weight_gradients.clone();
        result.delay_gradients = worker.pass.delay_gradients.clone();
        result.guarded = worker.pass.guarded;
        Ok(result)
    }

    /// The records are empty unless they are to be kept.
    fn evaluate_unit(
        &self,
        worker: &mut Worker,
        network: &CompiledNetwork,
        set: &EncodedSet,
        samples: &[u32],
        keep: bool,
    ) -> Result<(BatchResult, Vec<FirstSpikes>), LearningError> {
        let (mut result, mut records) = (BatchResult::empty(&self.parts), Vec::new());
        for &sample in samples {
            worker.forward(network, set, sample as usize, Presentation::Plain)?;
            self.count(worker, set.label(sample as usize), &mut result);
            if keep {
                records.push(worker.record.clone());
            }
        }
        Ok((result, records))
    }

    fn count(&self, worker: &mut Worker, label: usize, result: &mut BatchResult) {
        let times = worker.record.times();
        let label_times = &times[self.parts.labels()];
        let layer_times = self.parts.layers.iter().map(|nodes| &times[nodes.clone()]);
        let gradient = &mut worker.label_gradient;
        let first = result.count_labels(&self.loss, label, label_times, gradient);
        result.count_activity(first, layer_times);
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
