//! The fast path for layered first-spike networks: forward and backward, vectorised.
//!
//! A sample goes through layer after layer. The inputs of a layer are sorted once; a sweep over them
//! keeps two running sums for each neuron, its synaptic current and its potential, both carried to one
//! reference time ([`membrane`]), and notices when a neuron crosses its threshold ([`sweep`]); the
//! crossing times come from closed forms for many neurons at once ([`crossing`]). The backward pass
//! ([`backward`]) walks the layers in the opposite direction over the same sums. The results are those
//! of the event engine to rounding, with the same rules: inputs that come together act together, a peak
//! that only touches the threshold is no crossing, and an input at the very moment of a spike comes too
//! late for it.
//!
//! What a [`FeedForwardNetwork`] cannot run says [`Unsupported`]; the event engine runs everything.

mod backward;
mod crossing;
mod elementary;
mod inputs;
mod lanes;
mod membrane;
mod sorting;
mod sweep;
mod tiles;

use pulp::{Arch, Simd, WithSimd};

pub use self::backward::LayerGradient;
use self::backward::TimeGradient;
use self::crossing::Crossings;
pub use self::crossing::LayerSpikes;
use self::inputs::Steps;
pub use self::inputs::{Arrival, Inputs};
pub use self::lanes::Element;
use self::membrane::{LayerNeurons, Membrane};
use self::sweep::SweptLayer;
pub use self::tiles::{Tile, Tiling};
use crate::network::{CompiledNetwork, LayeredNetwork};

/// Why a layered network needs the event engine.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Unsupported {
    /// The neurons of a layer have different time constants or capacitances.
    #[error("the neurons of layer `{layer}` differ in their time constants or capacitances")]
    Heterogeneous {
        /// The layer.
        layer: String,
    },
    /// Inhibitory synapses with a time constant of their own.
    #[error("layer `{layer}` has inhibitory synapses with a time constant of their own")]
    SplitCurrents {
        /// The layer.
        layer: String,
    },
    /// Bias currents or initial states.
    #[error("the neurons of layer `{layer}` do not rest below their thresholds without input")]
    NotAtRest {
        /// The layer.
        layer: String,
    },
    /// Delays.
    #[error("layer `{layer}` has synaptic delays")]
    Delays {
        /// The layer.
        layer: String,
    },
}

/// One layer.
#[derive(Clone, Debug)]
struct Layer<T> {
    neurons: LayerNeurons,
    tiling: Tiling,
    weights: Vec<T>,
    /// Nodes of the layer's neurons in the network.
    first_node: usize,
    /// First node and number of the bias sources.
    bias: (usize, usize),
    /// Where the layer's weights begin in the compiled network.
    first_synapse: usize,
}

/// A layered network in the form that the fast path computes with. Its weights are rounded to the
/// precision `T`.
#[derive(Clone, Debug)]
pub struct FeedForwardNetwork<T> {
    layers: Vec<Layer<T>>,
    first_input: usize,
    arch: Arch,
}

/// What one sample did in one layer, forward and backward.
#[derive(Clone, Debug, Default)]
pub struct LayerPass<T> {
    /// The spikes that drove the layer.
    pub inputs: Inputs<T>,
    /// Its own spikes.
    pub spikes: LayerSpikes,
    /// How the loss depends on its inputs.
    pub gradient: LayerGradient<T>,
}

/// What one sample did in the network.
#[derive(Clone, Debug, Default)]
pub struct SamplePass<T> {
    /// One entry per layer.
    pub layers: Vec<LayerPass<T>>,
}

/// What a thread works with; kept from sample to sample.
#[derive(Clone, Debug, Default)]
pub struct Workspace<T> {
    steps: Steps<T>,
    crossings: Crossings<T>,
    times: TimeGradient<T>,
    by_time: Vec<f64>,
    by_input: Vec<f64>,
}

impl<T: Element> FeedForwardNetwork<T> {
    /// Prepares a layered network with the weights of its compiled form.
    ///
    /// # Errors
    /// If it needs the event engine.
    pub fn new(network: &LayeredNetwork, compiled: &CompiledNetwork) -> Result<Self, Unsupported> {
        let populations = network.network.populations();
        let nodes = |id: crate::network::PopulationId| populations[id.0].nodes.clone();
        let mut layers = Vec::new();
        let mut previous = nodes(network.input);
        let mut first_synapse = 0;
        for (&id, &bias) in network.layers.iter().zip(&network.bias) {
            let name = || populations[id.0].name.clone();
            let neurons = nodes(id);
            let bias = bias.map_or((0, 0), |bias| (nodes(bias).start, nodes(bias).len()));
            let dynamics: Vec<_> =
                neurons.clone().filter_map(|node| compiled.dynamics(node)).collect();
            let membrane = Membrane::new(dynamics[0]);
            let alike = |other: &Membrane| {
                other.membrane_rate == membrane.membrane_rate
                    && other.synaptic_rate == membrane.synaptic_rate
                    && other.inverse_capacitance == membrane.inverse_capacitance
            };
            if dynamics.iter().any(|dynamics| dynamics.has_split_currents()) {
                return Err(Unsupported::SplitCurrents { layer: name() });
            }
            if !dynamics.iter().all(|dynamics| dynamics.starts_and_stays_at_rest()) {
                return Err(Unsupported::NotAtRest { layer: name() });
            }
            if !dynamics.iter().all(|dynamics| alike(&Membrane::new(dynamics))) {
                return Err(Unsupported::Heterogeneous { layer: name() });
            }
            let tiling = Tiling {
                rows: previous.len() + bias.1,
                columns: neurons.len(),
                padding: T::PADDING,
            };
            let synapses = first_synapse..first_synapse + tiling.rows * tiling.columns;
            if compiled.delays()[synapses.clone()].iter().any(|&delay| delay != 0.0) {
                return Err(Unsupported::Delays { layer: name() });
            }
            let mut thresholds: Vec<f64> =
                dynamics.iter().map(|dynamics| dynamics.threshold()).collect();
            thresholds.resize(tiling.padded_columns(), f64::INFINITY);
            layers.push(Layer {
                neurons: LayerNeurons { membrane, thresholds },
                tiling,
                weights: vec![T::default(); tiling.value_count()],
                first_node: neurons.start,
                bias,
                first_synapse,
            });
            first_synapse = synapses.end;
            previous = neurons;
        }
        let first_input = nodes(network.input).start;
        let mut prepared = FeedForwardNetwork { layers, first_input, arch: Arch::new() };
        prepared.set_weights(compiled.weights());
        Ok(prepared)
    }

    /// The same network on another instruction set than the machine's best.
    pub fn on(self, arch: Arch) -> Self {
        FeedForwardNetwork { arch, ..self }
    }

    /// Takes all weights from the order of the compiled network, in which, without delays, they are
    /// the layers' matrices one after the other, row by row.
    pub fn set_weights(&mut self, weights: &[f64]) {
        for layer in &mut self.layers {
            let end = layer.first_synapse + layer.tiling.rows * layer.tiling.columns;
            layer.tiling.scatter(&weights[layer.first_synapse..end], &mut layer.weights);
        }
    }

    /// Number of layers.
    pub fn layer_count(&self) -> usize {
        self.layers.len()
    }

    /// How a layer's weights are laid out.
    pub fn tiling(&self, layer: usize) -> Tiling {
        self.layers[layer].tiling
    }

    /// Where a layer's weights begin in the order of the compiled network.
    pub fn first_synapse(&self, layer: usize) -> usize {
        self.layers[layer].first_synapse
    }

    /// A layer's weights in tiles.
    pub fn weights_mut(&mut self, layer: usize) -> &mut [T] {
        &mut self.layers[layer].weights
    }

    /// Takes a layer's weights out, so that they can be changed while the network is looked at; it
    /// cannot run until they are back.
    pub(crate) fn take_weights(&mut self, layer: usize) -> Vec<T> {
        std::mem::take(&mut self.layers[layer].weights)
    }

    /// Gives a layer its weights back.
    pub(crate) fn return_weights(&mut self, layer: usize, weights: Vec<T>) {
        self.layers[layer].weights = weights;
    }

    /// The node of the first data source.
    pub fn first_input(&self) -> usize {
        self.first_input
    }

    /// The row of a layer's matrix that belongs to a source of the network; none if the source does
    /// not drive that layer.
    pub fn row_of_source(&self, layer: usize, source: usize) -> Option<u32> {
        let Layer { bias: (first, count), tiling, .. } = self.layers[layer];
        if (first..first + count).contains(&source) {
            return Some((tiling.rows - count + source - first) as u32);
        }
        let inputs = self.first_input..self.first_input + tiling.rows - count;
        (layer == 0 && inputs.contains(&source)).then(|| (source - self.first_input) as u32)
    }

    /// First node of a layer's neurons in the network, and their number.
    pub fn neurons(&self, layer: usize) -> std::ops::Range<usize> {
        let Layer { first_node, tiling, .. } = self.layers[layer];
        first_node..first_node + tiling.columns
    }

    /// Runs one sample. The arrivals of the first layer stand in `pass` already (in any order), bias
    /// spikes included; `bias` are those of each layer.
    pub fn forward(
        &self,
        bias: &[Vec<Arrival>],
        pass: &mut SamplePass<T>,
        workspace: &mut Workspace<T>,
    ) {
        self.arch.dispatch(Forward { network: self, bias, pass, workspace });
    }

    /// Carries the derivatives of the loss by the label neurons' spike times back through a sample.
    /// Afterwards each layer's [`LayerGradient`] holds what its weight gradients are made of.
    pub fn backward(
        &self,
        by_label_time: &[f64],
        guard: Option<f64>,
        pass: &mut SamplePass<T>,
        workspace: &mut Workspace<T>,
    ) {
        self.arch.dispatch(Backward { network: self, by_label_time, guard, pass, workspace });
    }

    /// Sums the weight gradients of one tile of a layer over samples, in their order.
    pub fn weight_gradients(
        &self,
        layer: usize,
        tile: &Tile,
        passes: &[SamplePass<T>],
        sums: &mut [T],
    ) {
        self.arch.dispatch(WeightGradients { layer, tile, passes, sums });
    }
}

impl<T: Element> SamplePass<T> {
    /// Room for a sample of a network.
    pub fn new(network: &FeedForwardNetwork<T>) -> Self {
        SamplePass { layers: vec![LayerPass::default(); network.layers.len()] }
    }

    /// The label neurons' spike times.
    pub fn label_times(&self, labels: usize) -> &[f64] {
        &self.layers[self.layers.len() - 1].spikes.times[..labels]
    }
}

struct Forward<'a, T> {
    network: &'a FeedForwardNetwork<T>,
    bias: &'a [Vec<Arrival>],
    pass: &'a mut SamplePass<T>,
    workspace: &'a mut Workspace<T>,
}

impl<T: Element> WithSimd for Forward<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Forward { network, bias, pass, workspace } = self;
        for (index, layer) in network.layers.iter().enumerate() {
            let (before, rest) = pass.layers.split_at_mut(index);
            let LayerPass { inputs, spikes, .. } = &mut rest[0];
            if let Some(previous) = before.last() {
                inputs.arrivals.clear();
                let neurons = network.layers[index - 1].tiling.columns;
                for (row, &time) in (0..).zip(&previous.spikes.times[..neurons]) {
                    if time < f64::INFINITY {
                        inputs.arrivals.push(Arrival { time, row });
                    }
                }
                inputs.arrivals.extend_from_slice(&bias[index]);
            }
            inputs.begin(&mut workspace.steps);
            let swept = SweptLayer {
                neurons: &layer.neurons,
                tiling: layer.tiling,
                weights: &layer.weights,
            };
            swept.run(simd, inputs, &mut workspace.steps, &mut workspace.crossings, spikes);
        }
    }
}

struct Backward<'a, T> {
    network: &'a FeedForwardNetwork<T>,
    by_label_time: &'a [f64],
    guard: Option<f64>,
    pass: &'a mut SamplePass<T>,
    workspace: &'a mut Workspace<T>,
}

impl<T: Element> WithSimd for Backward<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Backward { network, by_label_time, guard, pass, workspace } = self;
        let Workspace { times, by_time, by_input, .. } = workspace;
        by_time.clear();
        by_time.extend_from_slice(by_label_time);
        for (index, layer) in network.layers.iter().enumerate().rev() {
            let LayerPass { inputs, spikes, gradient } = &mut pass.layers[index];
            by_time.resize(layer.tiling.padded_columns(), 0.0);
            gradient.prepare(simd, &layer.neurons, inputs, spikes, by_time, times);
            if index > 0 {
                gradient.time_gradients(
                    simd,
                    times,
                    layer.tiling,
                    &layer.weights,
                    inputs,
                    by_input,
                );
                let neurons = network.layers[index - 1].tiling.columns;
                by_time.clear();
                by_time.resize(neurons, 0.0);
                for (arrival, &by_arrival) in inputs.arrivals.iter().zip(by_input.iter()) {
                    if let Some(by_time) = by_time.get_mut(arrival.row as usize) {
                        *by_time = by_arrival;
                    }
                }
            }
            if let Some(guard) = guard.filter(|&guard| times.largest_weight_gradient > guard) {
                gradient.guard(inputs, layer.tiling.columns, guard);
            }
        }
    }
}

struct WeightGradients<'a, T> {
    layer: usize,
    tile: &'a Tile,
    passes: &'a [SamplePass<T>],
    sums: &'a mut [T],
}

impl<T: Element> WithSimd for WeightGradients<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let WeightGradients { layer, tile, passes, sums } = self;
        sums.fill(T::default());
        for pass in passes {
            let LayerPass { inputs, gradient, .. } = &pass.layers[layer];
            gradient.add_weight_gradients(simd, inputs, tile, sums);
        }
    }
}
