//! The model of a chip: what a network does on it, sample by sample.
//!
//! ```text
//! stimulus ─→ link ─→ neurons of the first layer ─→ jitter ─→ link ─→ neurons of the next ─→ …
//!                                                     └─→ window, time stamps ─→ record
//! ```
//!
//! Fixed patterns are drawn once, for an individual chip; what is drawn anew for each presentation has a
//! stream of random numbers of its own, so that records depend neither on the order of samples nor on
//! the number of threads. Without a reset between samples, those of a batch are one uninterrupted
//! sequence.

mod trial;

use std::ops::Range;

use pulp::Arch;
use rayon::prelude::*;

use self::trial::{keeps_time_constants, place};
use super::datasheet::Datasheet;
use super::link::Link;
use super::neurons::{Deviations, ThresholdTargets, fixed_pattern};
use super::substrate::{Activity, PresentationKey, Presented, Program, Substrate, SubstrateError};
use super::weights::{SynapsePattern, units};
use crate::engine::Spike;
use crate::engine::feed_forward::{Arrival, ArrivalSorter, UniformLayer, UniformWorkspace};
use crate::engine::individual::{
    IndividualLayer, IndividualNeurons, IndividualWorkspace, JointRows, LayerSpike, NeuronStates,
    SynapseColumns,
};
use crate::network::{DelayKind, LayerShape, LayeredNetwork, Network, Node};
use crate::neuron::NeuronParameters;
use crate::random;

/// Samples of one unit of work, if they do not depend on each other.
const UNIT: usize = 10;

/// A layer on the chip.
#[derive(Clone, Debug)]
struct ChipLayer {
    shape: LayerShape,
    /// Nodes of its neurons, and of the sources that drive it: those of the layer before or the data,
    /// and bias sources.
    nodes: Range<usize>,
    sources: Range<usize>,
    bias: Range<usize>,
    link: Link,
    /// The neurons without and with the deviations that stay.
    targets: Vec<NeuronParameters>,
    fixed: Vec<Deviations>,
    /// The same for trials that change only thresholds.
    thresholds: Vec<ThresholdTargets>,
    neurons: IndividualNeurons,
    pattern: SynapsePattern,
    synapses: SynapseColumns,
    /// Rows that spike together, with these weights.
    joint: Vec<JointRows>,
    /// The same weights for the fast way, if the neurons have the same time constants with a closed form
    /// of the crossing, spike once, and start at rest.
    uniform: Option<UniformLayer>,
    delay_kind: Option<DelayKind>,
    /// Per row or per neuron.
    delays: Vec<f64>,
}

/// A chip with a network on it.
#[derive(Clone, Debug)]
pub struct ChipModel {
    /// In model time.
    sheet: Datasheet,
    seed: u64,
    layers: Vec<ChipLayer>,
    arch: Arch,
    activity: Activity,
}

/// What a thread works with.
#[derive(Default)]
struct Scratch {
    arrivals: Vec<Arrival>,
    sorter: ArrivalSorter,
    layer_spikes: Vec<LayerSpike>,
    /// The spikes of the layer before as they were sent.
    sent: Vec<LayerSpike>,
    /// Per layer: what the last sample left over.
    states: Vec<NeuronStates>,
    /// Per layer: the neurons as they are in this trial, if they differ from trial to trial.
    trial: Vec<Option<IndividualNeurons>>,
    uniform: UniformWorkspace,
    individual: IndividualWorkspace,
}

impl ChipModel {
    /// Puts a network onto a chip, whose sheet is in model time ([`Datasheet::in_model_time`]). Trials
    /// are drawn with `seed`; so are fixed patterns, unless the sheet names an individual chip.
    ///
    /// # Errors
    /// If the network has delays of single synapses, measured neurons cannot be read or do not fit, or a
    /// neuron's parameters are out of range.
    pub fn new(
        sheet: &Datasheet,
        network: &LayeredNetwork,
        seed: u64,
    ) -> Result<Self, SubstrateError> {
        let individual = sheet.individual.unwrap_or(seed);
        let nodes: Vec<&Node> = network.network.graph().node_weights().collect();
        let populations = network.network.populations();
        let range = |id: crate::network::PopulationId| populations[id.0].nodes.clone();
        let neuron_count = network.layers.iter().map(|&id| range(id).len()).sum();
        let mut fixed = fixed_pattern(&sheet.neurons, neuron_count, individual)?.into_iter();
        let mut sources = range(network.input);
        let mut first_source = 0;
        let mut layers = Vec::new();
        let parts = network.layers.iter().zip(&network.bias).zip(&network.delays);
        let places = network.shapes().into_iter().zip(units(network));
        for (((&id, &bias), &delay_kind), (shape, units)) in parts.zip(places) {
            if delay_kind == Some(DelayKind::Synaptic) {
                let message = "a chip has one delay per axon or per dendrite, not per synapse";
                return Err(SubstrateError { message: message.to_owned() });
            }
            let layer_nodes = range(id);
            let target = |node: usize| match nodes[node] {
                Node::Neuron(neuron) => Some(on_chip(neuron, sheet)),
                Node::Source => None,
            };
            let targets: Vec<NeuronParameters> = layer_nodes.clone().filter_map(target).collect();
            let fixed: Vec<Deviations> = fixed.by_ref().take(targets.len()).collect();
            let realised = realised(&fixed, &targets);
            let mut neurons =
                IndividualNeurons::new(&realised).map_err(|error| SubstrateError {
                    message: format!("population `{}`: {error}", populations[id.0].name),
                })?;
            if sheet.neurons.trial_to_trial.tau_s_inhibitory.is_some() {
                neurons.split();
            }
            neurons.prepare(&[sheet.link.interval], &realised);
            let uniform = if spikes_once_from_rest(sheet) && keeps_time_constants(sheet) {
                UniformLayer::new(&realised, shape.rows)
            } else {
                None
            };
            layers.push(ChipLayer {
                uniform,
                link: Link::new(&sheet.link, shape.rows, individual, first_source),
                pattern: SynapsePattern::new(sheet, &units, shape.rows, individual, shape.first),
                synapses: SynapseColumns::new(shape.rows, shape.columns),
                joint: Vec::new(),
                nodes: layer_nodes.clone(),
                sources: std::mem::replace(&mut sources, layer_nodes),
                bias: bias.map_or(0..0, range),
                shape,
                thresholds: fixed
                    .iter()
                    .zip(&targets)
                    .map(|(fixed, target)| ThresholdTargets::new(fixed, target))
                    .collect(),
                targets,
                fixed,
                neurons,
                delay_kind,
                delays: Vec::new(),
            });
            first_source += shape.rows;
        }
        Ok(ChipModel {
            sheet: sheet.clone(),
            seed,
            layers,
            arch: Arch::new(),
            activity: Activity::default(),
        })
    }

    /// Tells it of rows of the first layer that spike at the same time in every sample, and that the link
    /// therefore sends one after the other: what they do together is then computed once for all samples.
    /// But for rounding it changes nothing else.
    pub fn expect_together(&mut self, rows: impl IntoIterator<Item = Range<u32>>) {
        let interval = self.sheet.link.interval;
        let layer = &mut self.layers[0];
        if interval > 0.0 && layer.delay_kind != Some(DelayKind::Axonal) {
            let neurons = realised(&layer.fixed, &layer.targets);
            let count = layer.shape.rows;
            let rows = rows.into_iter().filter(|rows| rows.end as usize <= count);
            layer.joint = JointRows::new(rows, interval, &neurons);
            layer.set_joint(self.arch);
        }
    }

    /// The neurons of a layer as they are on this chip, without what changes from trial to trial.
    pub fn neurons(&self, layer: usize) -> Vec<NeuronParameters> {
        let ChipLayer { fixed, targets, .. } = &self.layers[layer];
        realised(fixed, targets)
    }

    /// The network as this chip has it, without what changes from trial to trial: neurons and synapses
    /// with the deviations that stay, `weights` as they are programmed (the layers' matrices one after
    /// the other, row by row), and the links' delays on top of the network's own.
    pub fn realise(&self, network: &LayeredNetwork, weights: &[f64]) -> Network {
        let mut realised = network.network.clone();
        let edges = realised.graph().raw_edges();
        let mut delays: Vec<f64> = edges.iter().map(|edge| edge.weight.delay).collect();
        let mut strengths = Vec::with_capacity(weights.len());
        for layer in &self.layers {
            let LayerShape { first, rows, columns } = layer.shape;
            strengths.extend(layer.pattern.realised(&weights[first..first + rows * columns]));
            for (place, delay) in delays[first..first + rows * columns].iter_mut().enumerate() {
                *delay += layer.link.delay(place / columns);
            }
        }
        realised.set_delays(delays);
        realised.set_weights(strengths);
        let mut neurons = (0..self.layers.len()).flat_map(|layer| self.neurons(layer));
        realised.change_neurons(|neuron| *neuron = neurons.next().unwrap_or(*neuron));
        realised
    }

    /// Shows samples one after the other.
    fn run(&self, samples: &[Presented], scratch: &mut Scratch) -> (Vec<Vec<Spike>>, Activity) {
        let mut activity = Activity::default();
        scratch.states =
            self.layers.iter().map(|layer| NeuronStates::at_rest(&layer.neurons)).collect();
        scratch.trial.resize_with(self.layers.len(), || None);
        let records = samples
            .iter()
            .map(|sample| {
                activity.samples += 1;
                self.present_one(sample, scratch, &mut activity)
            })
            .collect();
        (records, activity)
    }

    fn present_one(
        &self,
        sample: &Presented,
        scratch: &mut Scratch,
        activity: &mut Activity,
    ) -> Vec<Spike> {
        let mut record =
            Vec::with_capacity(self.layers.iter().map(|layer| layer.fixed.len()).sum());
        for (index, layer) in self.layers.iter().enumerate() {
            layer.collect(index == 0, sample, scratch);
            let sent = scratch.arrivals.len();
            let place = place(sample.key, index);
            let random = || random::stream(self.seed, "chip link", place);
            let Scratch { arrivals, sorter, .. } = &mut *scratch;
            layer.link.transmit(arrivals, sorter, random);
            activity.events += sent as u64;
            activity.lost += (sent - scratch.arrivals.len()) as u64;
            activity.synaptic_events += (scratch.arrivals.len() * layer.shape.columns) as u64;
            self.run_layer(index, sample.key, scratch);
            if layer.delay_kind == Some(DelayKind::Dendritic) {
                for spike in &mut scratch.layer_spikes {
                    spike.time += layer.delays[spike.neuron as usize];
                }
            }
            self.jitter(place, &mut scratch.layer_spikes);
            activity.spikes += scratch.layer_spikes.len() as u64;
            self.record(layer.nodes.start, &scratch.layer_spikes, &mut record);
            std::mem::swap(&mut scratch.sent, &mut scratch.layer_spikes);
        }
        record
    }

    /// Runs a layer's neurons on the arrivals.
    fn run_layer(&self, index: usize, key: PresentationKey, scratch: &mut Scratch) {
        let layer = &self.layers[index];
        let mut own = scratch.trial[index].take();
        if !self.sheet.neurons.trial_to_trial.is_ideal() {
            self.draw_trial(index, key, own.get_or_insert_with(|| layer.neurons.clone()));
        }
        let neurons = own.as_ref().unwrap_or(&layer.neurons);
        let ChipLayer { synapses, joint, .. } = layer;
        let running = IndividualLayer { neurons, synapses, joint };
        let Scratch { arrivals, layer_spikes, states, uniform: workspace, individual, .. } =
            scratch;
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
                states.adapt(neurons);
            }
            let end = window.min(running.horizon(arrivals));
            running.all_spikes(self.arch, arrivals, end, states, individual, layer_spikes);
        }
        scratch.trial[index] = own;
    }
}

/// What neurons become with the deviations that stay.
fn realised(fixed: &[Deviations], targets: &[NeuronParameters]) -> Vec<NeuronParameters> {
    fixed.iter().zip(targets).map(|(deviations, target)| deviations.apply(target)).collect()
}

/// A neuron as it is meant to be on the chip.
fn on_chip(neuron: &NeuronParameters, sheet: &Datasheet) -> NeuronParameters {
    let refractory_period = sheet.neurons.refractory_period.unwrap_or(neuron.refractory_period);
    let tau_m = sheet.neurons.tau_m.unwrap_or(neuron.tau_m);
    NeuronParameters { refractory_period, tau_m, ..*neuron }
}

/// Whether neurons are put to rest before each sample, and spike at most once in it.
fn spikes_once_from_rest(sheet: &Datasheet) -> bool {
    sheet.presentation.reset && !sheet.neurons.repeated_spikes
}

impl ChipLayer {
    fn set_joint(&mut self, arch: Arch) {
        for joint in &mut self.joint {
            joint.set(arch, &self.neurons, &self.synapses);
        }
    }

    /// The spikes that are sent to the layer.
    fn collect(&self, is_first: bool, sample: &Presented, scratch: &mut Scratch) {
        let Scratch { arrivals, sent, .. } = scratch;
        arrivals.clear();
        if !is_first {
            let spikes = sent.iter();
            arrivals.extend(spikes.map(|spike| Arrival { time: spike.time, row: spike.neuron }));
        }
        let first_bias = self.shape.rows - self.bias.len();
        for spike in &sample.stimulus {
            let node = spike.source as usize;
            let row = if self.bias.contains(&node) {
                first_bias + node - self.bias.start
            } else if is_first && self.sources.contains(&node) {
                node - self.sources.start
            } else {
                continue;
            };
            if spike.time < f64::INFINITY {
                arrivals.push(Arrival { time: spike.time, row: row as u32 });
            }
        }
        if self.delay_kind == Some(DelayKind::Axonal) {
            for arrival in arrivals {
                arrival.time += self.delays[arrival.row as usize];
            }
        }
    }
}

impl Substrate for ChipModel {
    fn program(&mut self, program: &Program<'_>) -> Result<(), SubstrateError> {
        for layer in &mut self.layers {
            let LayerShape { first, rows, columns } = layer.shape;
            let weights = &program.weights[first..first + rows * columns];
            match &mut layer.uniform {
                Some(uniform) => {
                    let realised: Vec<f64> = layer.pattern.realised(weights).collect();
                    uniform.set_weights(&realised);
                }
                None => {
                    layer.synapses.set(layer.pattern.realised(weights));
                    layer.set_joint(self.arch);
                }
            }
            let delay =
                |synapse: usize| program.delays.get(first + synapse).copied().unwrap_or(0.0);
            layer.delays.clear();
            match layer.delay_kind {
                Some(DelayKind::Axonal) => {
                    layer.delays.extend((0..rows).map(|row| delay(row * columns)));
                }
                Some(DelayKind::Dendritic) => layer.delays.extend((0..columns).map(delay)),
                _ => {}
            }
        }
        Ok(())
    }

    fn present(&mut self, samples: &[Presented]) -> Result<Vec<Vec<Spike>>, SubstrateError> {
        let runs: Vec<&[Presented]> = if self.sheet.presentation.reset {
            samples.chunks(UNIT).collect()
        } else {
            samples.chunk_by(|a, b| a.key.batch == b.key.batch).collect()
        };
        let this = &*self;
        let results: Vec<(Vec<Vec<Spike>>, Activity)> = runs
            .into_par_iter()
            .map_init(Scratch::default, |scratch, run| this.run(run, scratch))
            .collect();
        let mut records = Vec::with_capacity(samples.len());
        for (some, activity) in results {
            records.extend(some);
            self.activity.add(&activity);
        }
        Ok(records)
    }

    fn take_activity(&mut self) -> Activity {
        std::mem::take(&mut self.activity)
    }
}
