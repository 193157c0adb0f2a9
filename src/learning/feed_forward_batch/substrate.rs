//! Batches on a substrate: forward passes there, backward passes with the recorded times, as in the paper's
//! training in the loop. The [`LearningRule`] says of which neurons the derivatives are.

use std::sync::{Mutex, MutexGuard};

use rayon::prelude::*;

use super::{FeedForwardRunner, Worker};
use crate::chip::{
    Activity, PresentationKey, Presented, Program, Substrate, SubstrateError, WeightGrid,
};
use crate::engine::Spike;
use crate::engine::layered::{Arrival, Batch, DerivativesAt, LayeredEngine, Unsupported};
use crate::learning::batch::{BatchResult, GradientSettings, Look, Parts, UNIT};
use crate::learning::loss::label_tau_s;
use crate::learning::twin::Twin;
use crate::learning::{
    Adam, EncodedSet, FirstSpikes, LearningRule, Loss, Margin, Presentation, SubstrateCondition,
    SubstratePrior, TrainedDelays,
};
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
    /// What is known of it beforehand.
    pub prior: SubstratePrior,
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
    device: Mutex<Device>,
    /// What was shown in the last batch: its memory is used again.
    shown: Shown,
    batch_size: usize,
    nodes: usize,
    shapes: Vec<LayerShape>,
    /// The delay of each synapse, in the order of the layers' matrices; empty without any.
    delays: Vec<f64>,
    kinds: Vec<Option<crate::network::DelayKind>>,
    /// What the label neurons should do, before the noise of their times is known.
    loss: Loss,
    /// Synaptic time constant of the label neurons, in time units.
    tau_s: f64,
    rule: LearningRule,
    /// With the rule that needs one.
    twin: Option<Twin>,
}

impl SubstrateRunner {
    pub fn new(
        layered: &LayeredNetwork,
        compiled: &CompiledNetwork,
        parts: Parts,
        loss: Loss,
        rule: LearningRule,
        in_the_loop: InTheLoop,
    ) -> Result<Self, Unsupported> {
        let InTheLoop { substrate, grid, batch_size, prior } = in_the_loop;
        let tau_s = label_tau_s(compiled, &parts.labels());
        let settled = loss.with_noise(tau_s, 0.0);
        let mut fast = FeedForwardRunner::new(layered, compiled, parts, settled)?.for_records();
        let layer_name =
            |layer: usize| layered.network.populations()[layered.layers[layer].0].name.clone();
        if let Some(layer) =
            (0..fast.network.layer_count()).find(|&layer| fast.network.has_synaptic_delays(layer))
        {
            return Err(Unsupported::SynapticDelays { layer: layer_name(layer) });
        }
        let twin = match rule {
            LearningRule::Recorded => None,
            LearningRule::Datasheet => {
                fast.network = prior.expected_engine(layered, fast.network)?;
                None
            }
            LearningRule::Twin => {
                let (network, twin) = Twin::of(prior, layered, fast.network)?;
                fast.network = network;
                Some(twin)
            }
        };
        let edges = || layered.network.graph().edge_weights();
        let has_delays = layered.delays.iter().any(Option::is_some);
        let delays = edges().filter(|_| has_delays).map(|synapse| synapse.delay).collect();
        fast.grid = grid;
        let weights: Vec<f64> = edges().map(|synapse| synapse.weight).collect();
        fast.set_weights(&weights);
        let mut runner = SubstrateRunner {
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
            loss,
            tau_s,
            rule,
            twin,
        };
        runner.follow_twin();
        Ok(runner)
    }
    /// The twin, with the rule that needs one.
    pub fn twin(&self) -> Option<&Twin> {
        self.twin.as_ref()
    }
    /// How training stands.
    pub fn condition(&self) -> SubstrateCondition {
        let labels = self.fast.network.layer_count() - 1;
        SubstrateCondition {
            at_limit: self.fast.fraction_at_limit(),
            label_noise: self.twin.as_ref().map(|twin| twin.noise(labels)),
            margin: match self.loss {
                Loss::ShiftInvariantMeanSquaredError { margin: Margin::Fixed(margin) } => {
                    Some(margin)
                }
                _ => None,
            },
            margin_follows: matches!(
                self.loss,
                Loss::ShiftInvariantMeanSquaredError { margin: Margin::Auto }
            ),
            rule: self.rule,
        }
    }

    /// Thresholds of all neurons, if the substrate knows them ([`Substrate::thresholds`]).
    pub fn thresholds(&self) -> Vec<f64> {
        self.device().substrate.thresholds()
    }
    /// Goes on with a twin, if there is one.
    pub fn set_twin(&mut self, twin: Option<Twin>) {
        self.twin = twin;
        self.follow_twin();
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
            let of_synapses = kind.of_synapses(values, rows, columns);
            self.delays[first..].iter_mut().zip(of_synapses).for_each(|(to, delay)| *to = delay);
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
            let (samples, found) = (samples.len(), records.len());
            return Err(SubstrateError::RecordCount { samples, found });
        }
        Ok(())
    }

    /// Shows the given samples as they are, each once, and the record of each to `look`.
    pub fn evaluate(
        &self,
        set: &EncodedSet,
        samples: &[u32],
        mut look: Option<Look<'_>>,
    ) -> Result<BatchResult, SubstrateError> {
        let mut total = BatchResult::empty(&self.fast.parts);
        let mut shown = Shown::default();
        let mut times = vec![0.0; self.nodes];
        let Parts { layers } = &self.fast.parts;
        let labels = self.fast.parts.labels();
        let mut gradient = vec![0.0; labels.len()];
        for some in samples.chunks(BATCHES * self.batch_size) {
            self.present(set, some, Presentation::Plain, &mut shown)?;
            let Shown { presented, records } = &shown;
            for ((presented, record), &sample) in presented.iter().zip(records).zip(some) {
                times.fill(f64::INFINITY);
                keep_first(record, &mut times);
                let (label, label_times) = (set.label(sample as usize), &times[labels.clone()]);
                let loss = &self.fast.loss;
                let first = total.count_labels(loss, label, label_times, &mut gradient);
                total.count_activity(first, layers.iter().map(|nodes| &times[nodes.clone()]));
                if let Some(look) = &mut look {
                    for spike in &presented.stimulus {
                        times[spike.source as usize] = spike.time;
                    }
                    look(sample as usize, &FirstSpikes::from_times(times.clone()));
                }
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
        let (bias, nodes) = (self.fast.bias(set), self.nodes);
        let Shown { presented, records } = &shown;
        let twin = self.twin.as_ref();
        let noise = twin.map(Twin::record_noise).unwrap_or_default();
        let derivatives = match self.rule {
            LearningRule::Recorded => DerivativesAt::Record,
            LearningRule::Datasheet | LearningRule::Twin => DerivativesAt::Crossings(&noise),
        };
        let result = self.fast.learn_from(
            set,
            samples,
            settings,
            |fast, worker, positions, batch, result| {
                batch.begin(&fast.network, positions.len());
                worker.times.resize(nodes, 0.0);
                for (index, position) in positions.enumerate() {
                    let (presented, record) = (&presented[position], &records[position]);
                    let times = &mut worker.times;
                    take_record(&fast.network, presented, record, times, batch, index);
                }
                let workspace = &mut worker.workspace;
                fast.network.load_record(&bias, derivatives, batch, workspace);
                let Some(twin) = twin else { return };
                if result.observations.is_empty() {
                    result.observations = twin.no_observations();
                }
                for (layer, sums) in result.observations.iter_mut().enumerate() {
                    twin.observe(layer, fast.network.compare(layer, batch, workspace), sums);
                }
            },
        );
        if let Some(twin) = &mut self.twin {
            twin.learn(&result.observations);
            self.follow_twin();
        }
        self.shown = shown;
        Ok(result)
    }

    /// Has the network the thresholds of the twin, and the loss the noise that it measures.
    fn follow_twin(&mut self) {
        let Some(twin) = &self.twin else { return };
        twin.show_to(&mut self.fast.network);
        let labels = self.fast.network.layer_count() - 1;
        self.fast.loss = self.loss.with_noise(self.tau_s, twin.noise(labels));
    }
}

/// Writes what was shown, and what was recorded, into a batch. `times` is room for one per node.
fn take_record(
    network: &LayeredEngine<f64>,
    presented: &Presented,
    record: &[Spike],
    times: &mut [f64],
    batch: &mut Batch<f64>,
    index: usize,
) {
    let arrivals = batch.stimulus_mut(index);
    arrivals.clear();
    arrivals.extend(presented.stimulus.iter().filter_map(|spike| {
        let row = network.row_of_source(0, spike.source as usize)?;
        Some(Arrival { time: spike.time, row })
    }));
    times.fill(f64::INFINITY);
    keep_first(record, times);
    for layer in 0..network.layer_count() {
        let recorded = &times[network.neurons(layer)];
        batch.record_spike_times(layer, index, recorded);
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
