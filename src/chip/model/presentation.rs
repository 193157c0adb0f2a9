//! One sample after the other through all layers.

use std::sync::{Mutex, PoisonError};

use super::trial::{Chance, place};
use super::{ChipLayer, ChipModel, NO_ROW, spikes_once_from_rest};
use crate::chip::substrate::{Activity, Presented};
use crate::engine::Spike;
use crate::engine::heterogeneous::{
    IndividualLayer, IndividualNeurons, IndividualWorkspace, LayerSpike, NeuronStates,
};
use crate::engine::layered::{Arrival, ArrivalSorter, HomogeneousWorkspace};
use crate::network::DelayKind;
use crate::random;

/// What threads have worked with, and will again. It is no part of what a chip is: a copy begins without.
#[derive(Debug, Default)]
pub(super) struct Spare(Mutex<Vec<Scratch>>);

impl Clone for Spare {
    fn clone(&self) -> Self {
        Spare::default()
    }
}

impl Spare {
    /// Works with what is there, or with something new.
    pub fn with<R>(&self, work: impl FnOnce(&mut Scratch) -> R) -> R {
        // What a thread that panicked had is not given back.
        let list = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut scratch = list().pop().unwrap_or_default();
        let result = work(&mut scratch);
        list().push(scratch);
        result
    }
}

/// What a thread works with.
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
    trial: Vec<Option<IndividualNeurons>>,
    chance: Chance,
    uniform: HomogeneousWorkspace,
    individual: IndividualWorkspace,
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
        self.draw_trial(sample.key, &mut scratch.chance);
        let mut jitter = self.jitter(sample.key);
        for (index, layer) in self.layers.iter().enumerate() {
            let Scratch { arrivals, sent: spikes, sorter, .. } = &mut *scratch;
            layer.collect(sample, if index == 0 { &[] } else { spikes }, arrivals);
            let sent = arrivals.len();
            let random = || random::stream(self.seed, "chip link", place(sample.key, index));
            layer.link.transmit(arrivals, sorter, random);
            activity.events += sent as u64;
            activity.lost += (sent - scratch.arrivals.len()) as u64;
            activity.synaptic_events += (scratch.arrivals.len() * layer.shape.columns) as u64;
            self.run_layer(index, scratch);
            if layer.delay_kind == Some(DelayKind::Dendritic) {
                for spike in &mut scratch.layer_spikes {
                    spike.time += layer.delays[spike.neuron as usize];
                }
            }
            let Scratch { chance, layer_spikes: spikes, sent, .. } = &mut *scratch;
            activity.spikes += spikes.len() as u64;
            self.read_out(layer.nodes.start, &mut jitter, chance, spikes, record);
            std::mem::swap(sent, spikes);
        }
    }

    /// Runs a layer's neurons on the arrivals.
    fn run_layer(&self, index: usize, scratch: &mut Scratch) {
        let layer = &self.layers[index];
        let ChipLayer { synapses, joint, .. } = layer;
        let Scratch {
            arrivals,
            layer_spikes,
            states,
            trial,
            chance,
            uniform: workspace,
            individual,
            ..
        } = scratch;
        let mut neurons = &layer.neurons;
        if !self.sheet.neurons.trial_to_trial.is_ideal() {
            let own = trial[index].get_or_insert_with(|| neurons.clone());
            self.apply_trial(index, chance, own);
            neurons = own;
        }
        let running = IndividualLayer { neurons, synapses, joint };
        let window = self.sheet.presentation.window;
        let reset = self.sheet.presentation.reset;
        if let Some(uniform) = &layer.uniform {
            let times = uniform.first_spikes(self.arch, arrivals, neurons.thresholds(), workspace);
            let spikes = times.iter().zip(0..).map(|(&time, neuron)| LayerSpike { time, neuron });
            layer_spikes.clear();
            let end = window.min(f64::MAX);
            layer_spikes.extend(spikes.filter(|spike| spike.time <= end));
        } else if spikes_once_from_rest(&self.sheet) {
            running.first_spikes(self.arch, arrivals, window, individual, layer_spikes);
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
            running.all_spikes(self.arch, arrivals, end, states, individual, layer_spikes);
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
