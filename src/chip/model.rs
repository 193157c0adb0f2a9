//! The model of a chip: what a network does on it, sample by sample.
//!
//! ```text
//! stimulus ─→ link ─→ neurons of the first layer ─→ jitter ─→ link ─→ neurons of the next ─→ …
//!                                                     └─→ window, time stamps ─→ record
//! ```
//!
//! Fixed patterns are drawn once, for an individual chip. Trial noise is drawn anew for each presentation,
//! from a stream of random numbers of its own: records depend neither on the order of samples nor on the
//! number of threads. Without a reset between samples, those of a batch are one uninterrupted sequence.

mod presentation;
mod trial;

use std::ops::Range;

use pulp::Arch;
use rayon::prelude::*;

use self::presentation::ScratchPool;
use self::trial::keeps_time_constants;
use super::SubstrateError;
use super::datasheet::Datasheet;
use super::link::Link;
use super::neurons::{Deviations, ThresholdTargets, fixed_pattern};
use super::substrate::{Activity, Presented, Program, Substrate};
use super::weights::{SynapsePattern, units};
use crate::engine::Spike;
use crate::engine::heterogeneous::{SynapseMatrix, SynchronousInputs};
use crate::engine::layered::HomogeneousLayer;
use crate::network::{DelayKind, LayerShape, LayeredNetwork, Network, Node};
use crate::neuron::NeuronParameters;
use crate::neuron::heterogeneous::HeterogeneousNeurons;

/// Samples of one unit of work, if they do not depend on each other.
const UNIT: usize = 10;

/// The row of what does not drive a layer.
const NO_ROW: u32 = u32::MAX;

/// A layer on the chip.
#[derive(Clone, Debug)]
struct ChipLayer {
    shape: LayerShape,
    /// Nodes of its neurons, and the first neuron's index among those of all layers.
    nodes: Range<usize>,
    first_neuron: usize,
    /// Per node: the row of a source that drives the layer, [`NO_ROW`] for others. Empty if none does.
    rows_of_sources: Vec<u32>,
    link: Link,
    /// The neurons without and with the deviations that stay.
    targets: Vec<NeuronParameters>,
    fixed: Vec<Deviations>,
    /// The same for trials that change only thresholds.
    thresholds: Vec<ThresholdTargets>,
    neurons: HeterogeneousNeurons,
    pattern: SynapsePattern,
    synapses: SynapseMatrix,
    /// Rows that spike at the same time, with these weights.
    synchronous: Vec<SynchronousInputs>,
    /// The same weights for the faster engine, if the neurons have the same time constants with a closed form
    /// of the crossing, spike once, and start at rest.
    homogeneous: Option<HomogeneousLayer>,
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
    scratch_pool: ScratchPool,
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
        let mut data = Some(range(network.input));
        let (mut first_source, mut first_neuron) = (0, 0);
        let mut layers = Vec::new();
        let parts = network.layers.iter().zip(&network.bias).zip(&network.delays);
        let places = network.shapes().into_iter().zip(units(network));
        for (((&id, &bias), &delay_kind), (shape, units)) in parts.zip(places) {
            if delay_kind == Some(DelayKind::Synaptic) {
                return Err(SubstrateError::SynapticDelays);
            }
            let layer_nodes = range(id);
            let target = |node: usize| match nodes[node] {
                Node::Neuron(neuron) => Some(on_chip(neuron, sheet)),
                Node::Source => None,
            };
            let targets: Vec<NeuronParameters> = layer_nodes.clone().filter_map(target).collect();
            let fixed: Vec<Deviations> = fixed.by_ref().take(targets.len()).collect();
            let realised = realised(&fixed, &targets);
            let mut neurons = HeterogeneousNeurons::new(&realised).map_err(|source| {
                SubstrateError::Neuron { population: populations[id.0].name.clone(), source }
            })?;
            if sheet.neurons.trial_to_trial.tau_s_inhibitory.is_some() {
                neurons.split_currents();
            }
            neurons.prepare(&[sheet.link.interval], &realised);
            let homogeneous = if spikes_once_from_rest(sheet) && keeps_time_constants(sheet) {
                HomogeneousLayer::new(&realised, shape.rows)
            } else {
                None
            };
            layers.push(ChipLayer {
                homogeneous,
                link: Link::new(&sheet.link, shape.rows, individual, first_source),
                pattern: SynapsePattern::new(sheet, &units, shape.rows, individual, shape.first),
                synapses: SynapseMatrix::new(shape.rows, shape.columns),
                synchronous: Vec::new(),
                nodes: layer_nodes,
                first_neuron,
                rows_of_sources: rows_of_sources(shape.rows, data.take(), bias.map(range)),
                shape,
                thresholds: ThresholdTargets::blocks(&fixed, &targets),
                targets,
                fixed,
                neurons,
                delay_kind,
                delays: Vec::new(),
            });
            first_source += shape.rows;
            first_neuron += shape.columns;
        }
        Ok(ChipModel {
            sheet: sheet.clone(),
            seed,
            layers,
            arch: Arch::new(),
            activity: Activity::default(),
            scratch_pool: ScratchPool::default(),
        })
    }

    /// Announces rows of the first layer that spike at the same time in every sample. The link sends them
    /// one after the other, and their common effect is then computed once for all samples. Results change by
    /// rounding only.
    pub fn expect_synchronous(&mut self, rows: impl IntoIterator<Item = Range<u32>>) {
        let interval = self.sheet.link.interval;
        let layer = &mut self.layers[0];
        if interval > 0.0 && layer.delay_kind != Some(DelayKind::Axonal) {
            let neurons = realised(&layer.fixed, &layer.targets);
            let count = layer.shape.rows;
            let rows = rows.into_iter().filter(|rows| rows.end as usize <= count);
            layer.synchronous = SynchronousInputs::new(rows, interval, &neurons);
            layer.set_synchronous(self.arch);
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
            strengths.append(&mut layer.pattern.realised(&weights[first..first + rows * columns]));
            for (synapse, delay) in delays[first..first + rows * columns].iter_mut().enumerate() {
                *delay += layer.link.delay(synapse / columns);
            }
        }
        realised.set_delays(delays);
        realised.set_weights(strengths);
        let mut neurons = (0..self.layers.len()).flat_map(|layer| self.neurons(layer));
        realised.change_neurons(|neuron| *neuron = neurons.next().unwrap_or(*neuron));
        realised
    }
}

/// The row of each source that drives a layer of so many rows, by its node: those of the data, if there are
/// any, first, those of the bias last.
fn rows_of_sources(
    rows: usize,
    data: Option<Range<usize>>,
    bias: Option<Range<usize>>,
) -> Vec<u32> {
    let mut found = Vec::new();
    let first_bias = rows - bias.as_ref().map_or(0, ExactSizeIterator::len);
    for (first_row, nodes) in [(0, data), (first_bias, bias)] {
        for (node, row) in nodes.into_iter().flatten().zip(first_row as u32..) {
            if found.len() <= node {
                found.resize(node + 1, NO_ROW);
            }
            found[node] = row;
        }
    }
    found
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
    fn set_synchronous(&mut self, arch: Arch) {
        for inputs in &mut self.synchronous {
            inputs.set(arch, &self.neurons, &self.synapses);
        }
    }
}

impl Substrate for ChipModel {
    fn program(&mut self, program: &Program<'_>) -> Result<(), SubstrateError> {
        for layer in &mut self.layers {
            let LayerShape { first, rows, columns } = layer.shape;
            let weights = &program.weights[first..first + rows * columns];
            let realised = layer.pattern.realised(weights);
            match &mut layer.homogeneous {
                Some(homogeneous) => homogeneous.set_weights(&realised),
                None => {
                    layer.synapses.set(&realised);
                    layer.set_synchronous(self.arch);
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
        let mut records = Vec::new();
        self.present_again(samples, &mut records)?;
        Ok(records)
    }

    fn present_again(
        &mut self,
        samples: &[Presented],
        records: &mut Vec<Vec<Spike>>,
    ) -> Result<(), SubstrateError> {
        records.resize_with(samples.len(), Vec::new);
        let mut rest = &mut records[..];
        let runs: Vec<&[Presented]> = if self.sheet.presentation.reset {
            samples.chunks(UNIT).collect()
        } else {
            samples.chunk_by(|a, b| a.key.batch == b.key.batch).collect()
        };
        let runs: Vec<(&[Presented], &mut [Vec<Spike>])> = runs
            .into_iter()
            .map(|run| (run, rest.split_off_mut(..run.len()).unwrap_or_default()))
            .collect();
        let this = &*self;
        let happened: Vec<Activity> = runs
            .into_par_iter()
            .map(|(run, records)| this.scratch_pool.with(|scratch| this.run(run, scratch, records)))
            .collect();
        happened.iter().for_each(|activity| self.activity.add(activity));
        Ok(())
    }

    fn thresholds(&self) -> Vec<f64> {
        let threshold = |(fixed, target): (&Deviations, &NeuronParameters)| {
            let neuron = fixed.apply(target);
            neuron.threshold - neuron.leak_potential
        };
        let layers = self.layers.iter();
        layers.flat_map(|layer| layer.fixed.iter().zip(&layer.targets).map(threshold)).collect()
    }

    fn take_activity(&mut self) -> Activity {
        std::mem::take(&mut self.activity)
    }
}
