//! One sample after the other through all layers.

use std::sync::{Mutex, PoisonError};

use super::trial::{TrialNoise, stream_index};
use super::{ChipLayer, ChipModel, NO_ROW, spikes_once_from_rest};
use crate::chip::substrate::{Activity, Presented, UntilDecision};
use crate::engine::Spike;
use crate::engine::heterogeneous::{
    HeterogeneousLayer, HeterogeneousWorkspace, LayerSpike, NeuronStates,
};
use crate::engine::layered::{Arrival, HomogeneousWorkspace};
use crate::network::DelayKind;
use crate::neuron::heterogeneous::HeterogeneousNeurons;
use crate::random;
use crate::sorting::ArrivalSorter;

/// Scratch memory that threads take and give back. It is no part of a chip: a copy starts without.
#[derive(Debug, Default)]
pub(super) struct ScratchPool(Mutex<Vec<Scratch>>);

impl Clone for ScratchPool {
    fn clone(&self) -> Self {
        ScratchPool::default()
    }
}

impl ScratchPool {
    /// Runs with scratch memory from the pool, or with new.
    pub fn with<R>(&self, work: impl FnOnce(&mut Scratch) -> R) -> R {
        // A thread that panics gives nothing back.
        let list = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut scratch = list().pop().unwrap_or_default();
        let result = work(&mut scratch);
        list().push(scratch);
        result
    }
}

/// What a thread works with; kept from sample to sample.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    arrivals: Vec<Arrival>,
    sorter: ArrivalSorter,
    layer_spikes: Vec<LayerSpike>,
    /// The spikes of the layer before as they were sent.
    sent: Vec<LayerSpike>,
    /// Per layer: what the last sample left over.
    states: Vec<NeuronStates>,
    /// Per layer: the neurons as they are in this trial, if they differ from trial to trial.
    trial: Vec<Option<HeterogeneousNeurons>>,
    noise: TrialNoise,
    /// What happened in the sample so far, where it lasts until the decision.
    happened: Happened,
    homogeneous: HomogeneousWorkspace,
    heterogeneous: HeterogeneousWorkspace,
}

/// When neurons spiked and spikes arrived in a sample.
#[derive(Debug, Default)]
struct Happened {
    spikes: Vec<f64>,
    /// With the number of synapses that they arrived at.
    arrivals: Vec<(f64, u64)>,
}

impl Happened {
    fn clear(&mut self) {
        self.spikes.clear();
        self.arrivals.clear();
    }

    fn until(&self, decision: f64) -> UntilDecision {
        let seen = |(time, synapses): &(f64, u64)| if *time <= decision { *synapses } else { 0 };
        UntilDecision {
            spikes: self.spikes.iter().filter(|&&time| time <= decision).count() as u64,
            synaptic_events: self.arrivals.iter().map(seen).sum(),
        }
    }
}

impl ChipModel {
    /// Shows samples one after the other.
    pub(super) fn run(
        &self,
        samples: &[Presented],
        scratch: &mut Scratch,
        records: &mut [Vec<Spike>],
    ) -> Activity {
        let mut activity = Activity { samples: samples.len() as u64, ..Activity::default() };
        scratch.states.resize_with(self.layers.len(), NeuronStates::default);
        for (states, layer) in scratch.states.iter_mut().zip(&self.layers) {
            states.reset(&layer.neurons);
        }
        scratch.trial.resize_with(self.layers.len(), || None);
        for (sample, record) in samples.iter().zip(records) {
            record.clear();
            self.present_one(sample, scratch, record, &mut activity);
        }
        activity
    }

    fn present_one(
        &self,
        sample: &Presented,
        scratch: &mut Scratch,
        record: &mut Vec<Spike>,
        activity: &mut Activity,
    ) {
        self.draw_trial(sample.key, &mut scratch.noise);
        let mut jitter = self.jitter(sample.key);
        // A sample without a window lasts until its decision, which is known once all layers have run.
        let lasts_until_decision = self.sheet.presentation.window == f64::INFINITY;
        scratch.happened.clear();
        for (index, layer) in self.layers.iter().enumerate() {
            let Scratch { arrivals, sent: spikes, sorter, .. } = &mut *scratch;
            layer.collect(sample, if index == 0 { &[] } else { spikes }, arrivals);
            let sent = arrivals.len();
            let random = || random::stream(self.seed, "chip link", stream_index(sample.key, index));
            layer.link.transmit(arrivals, sorter, random);
            activity.events += sent as u64;
            activity.lost += (sent - scratch.arrivals.len()) as u64;
            let synapses = layer.shape.columns as u64;
            activity.synaptic_events += scratch.arrivals.len() as u64 * synapses;
            if lasts_until_decision {
                let Scratch { arrivals, happened, .. } = &mut *scratch;
                happened.arrivals.extend(arrivals.iter().map(|arrival| (arrival.time, synapses)));
            }
            self.run_layer(index, scratch);
            if layer.delay_kind == Some(DelayKind::Dendritic) {
                for spike in &mut scratch.layer_spikes {
                    spike.time += layer.delays[spike.neuron as usize];
                }
            }
            let Scratch { noise, layer_spikes: spikes, sent, happened, .. } = &mut *scratch;
            activity.spikes += spikes.len() as u64;
            self.read_out(layer.nodes.start, &mut jitter, noise, spikes, record);
            if lasts_until_decision {
                happened.spikes.extend(spikes.iter().map(|spike| spike.time));
            }
            std::mem::swap(sent, spikes);
        }
        if lasts_until_decision {
            let labels = scratch.sent.iter().map(|spike| spike.time);
            let until = scratch.happened.until(labels.fold(f64::INFINITY, f64::min));
            activity.until_decision.spikes += until.spikes;
            activity.until_decision.synaptic_events += until.synaptic_events;
        }
    }

    /// Runs a layer's neurons on the arrivals.
    fn run_layer(&self, index: usize, scratch: &mut Scratch) {
        let layer = &self.layers[index];
        let ChipLayer { synapses, synchronous, .. } = layer;
        let Scratch {
            arrivals,
            layer_spikes,
            states,
            trial,
            noise,
            homogeneous: workspace,
            heterogeneous,
            ..
        } = scratch;
        let mut neurons = &layer.neurons;
        if !self.sheet.neurons.trial_to_trial.is_ideal() {
            let own = trial[index].get_or_insert_with(|| neurons.clone());
            self.apply_trial(index, noise, own);
            neurons = own;
        }
        let running = HeterogeneousLayer { neurons, synapses, synchronous };
        let window = self.sheet.presentation.window;
        let reset = self.sheet.presentation.reset;
        if let Some(homogeneous) = &layer.homogeneous {
            let times =
                homogeneous.first_spikes(self.arch, arrivals, neurons.thresholds(), workspace);
            let spikes = times.iter().zip(0..).map(|(&time, neuron)| LayerSpike { time, neuron });
            layer_spikes.clear();
            let end = window.min(f64::MAX);
            layer_spikes.extend(spikes.filter(|spike| spike.time <= end));
        } else if spikes_once_from_rest(&self.sheet) {
            running.first_spikes(self.arch, arrivals, window, heterogeneous, layer_spikes);
        } else {
            let states = &mut states[index];
            if reset {
                states.reset(neurons);
            } else {
                self.arch.dispatch(
                    #[inline(always)]
                    || states.adapt(neurons),
                );
            }
            let end = window.min(running.horizon(arrivals));
            running.all_spikes(self.arch, arrivals, end, states, heterogeneous, layer_spikes);
        }
    }
}

impl ChipLayer {
    /// The spikes that are sent to the layer: those of the layer before, and of the stimulus those of its
    /// sources.
    fn collect(&self, sample: &Presented, spikes: &[LayerSpike], arrivals: &mut Vec<Arrival>) {
        arrivals.clear();
        arrivals.extend(spikes.iter().map(|spike| Arrival { time: spike.time, row: spike.neuron }));
        let is_driven = !self.rows_of_sources.is_empty();
        let stimulus =
            sample.stimulus.iter().filter(|spike| is_driven && spike.time < f64::INFINITY);
        arrivals.extend(stimulus.filter_map(|spike| {
            let row = *self.rows_of_sources.get(spike.source as usize)?;
            (row != NO_ROW).then_some(Arrival { time: spike.time, row })
        }));
        if self.delay_kind == Some(DelayKind::Axonal) {
            for arrival in arrivals {
                arrival.time += self.delays[arrival.row as usize];
            }
        }
    }
}
