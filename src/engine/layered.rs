//! The fast path for layered first-spike networks: forward and backward, vectorised.
//!
//! A sample goes through layer after layer. The inputs of a layer are sorted once; a sweep over them
//! keeps two running sums for each neuron, its synaptic current and its potential, both carried to one
//! reference time (`membrane`), and notices when a neuron crosses its threshold (`sweep`); the
//! crossing times come from closed forms for many neurons at once (`crossing`). The backward pass
//! (`backward`) walks the layers in the opposite direction over the same sums. The results are those
//! of the event engine to rounding, with the same rules: inputs that come together act together, a peak
//! that only touches the threshold is no crossing, and an input at the very moment of a spike comes too
//! late for it.
//!
//! Delays of axons move a layer's inputs, and delays of dendrites its spikes. With a delay per synapse
//! a layer has a way of its own, many samples side by side (`delayed`).
//!
//! Networks of small layers with `τ_m = τ_s` and no delays run many samples side by side in another way
//! (`abreast`), unless they are told not to.
//!
//! Samples that ran elsewhere, on a chip, come in with their recorded times and go backward only (`recorded`),
//! with `τ_m = τ_s` and no delays in a way without sorting (`unsorted`).
//!
//! What a [`FeedForwardNetwork`] cannot run says [`Unsupported`]; the event engine runs everything.

mod abreast;
mod backward;
mod crossing;
mod delayed;
mod inputs;
mod membrane;
mod passes;
mod recorded;
mod sorting;
mod sorting_network;
mod sweep;
mod tiles;
mod uniform;
mod unsorted;

use pulp::Arch;

use self::abreast::{AbreastPass, AbreastScratch};
pub use self::backward::LayerGradient;
use self::backward::TimeGradient;
use self::crossing::Crossings;
pub use self::crossing::LayerSpikes;
pub use self::delayed::DelayGradient;
use self::delayed::{BlockPass, BlockScratch, SynapticDelays};
use self::inputs::Steps;
pub use self::inputs::{Arrival, Inputs};
use self::membrane::{LayerNeurons, Membrane};
use self::passes::{Backward, Forward, WeightGradients};
use self::recorded::{CausalSums, Recorded};
pub(crate) use self::sorting::ArrivalSorter;
pub use self::tiles::{Tile, Tiling};
pub use self::uniform::{UniformLayer, UniformWorkspace};
pub(crate) use self::unsorted::add_all;
pub use self::unsorted::{UnsortedBackward, UnsortedWorkspace, WeightSums};
use crate::network::{CompiledNetwork, DelayKind, LayerDelays, LayeredNetwork};
pub use crate::simd::Element;

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
    /// Synaptic delays of a network that is to run on a substrate.
    #[error("layer `{layer}` has synaptic delays: a substrate has delays of axons or dendrites")]
    SynapticDelays {
        /// The layer.
        layer: String,
    },
    /// Bias currents or initial states.
    #[error("the neurons of layer `{layer}` do not rest below their thresholds without input")]
    NotAtRest {
        /// The layer.
        layer: String,
    },
}

/// The delays of a layer.
#[derive(Clone, Debug)]
enum Delays {
    None,
    /// One per row.
    Axonal(Vec<f64>),
    /// One per neuron.
    Dendritic(Vec<f64>),
    Synaptic(SynapticDelays),
}

impl Delays {
    fn new(delays: Option<LayerDelays>, rows: usize) -> Self {
        match delays {
            None => Delays::None,
            Some(LayerDelays { kind, values }) => match kind {
                DelayKind::Axonal => Delays::Axonal(values),
                DelayKind::Dendritic => Delays::Dendritic(values),
                DelayKind::Synaptic => Delays::Synaptic(SynapticDelays::new(values, rows)),
            },
        }
    }

    fn values(&self) -> &[f64] {
        match self {
            Delays::None => &[],
            Delays::Axonal(values) | Delays::Dendritic(values) => values,
            Delays::Synaptic(delays) => &delays.values,
        }
    }

    fn values_mut(&mut self) -> &mut [f64] {
        match self {
            Delays::None => &mut [],
            Delays::Axonal(values) | Delays::Dendritic(values) => values,
            Delays::Synaptic(delays) => &mut delays.values,
        }
    }
}

/// One layer.
#[derive(Clone, Debug)]
struct Layer<T> {
    neurons: LayerNeurons,
    /// Whether its inputs are those of the network.
    is_first: bool,
    tiling: Tiling,
    weights: Vec<T>,
    delays: Delays,
    /// Nodes of the layer's neurons in the network.
    first_node: usize,
    /// First node and number of the bias sources.
    bias: (usize, usize),
    /// Where the layer's weights begin among those of all layers.
    first_synapse: usize,
}

/// A layered network in the form that the fast path computes with. Its weights are rounded to the
/// precision `T`.
#[derive(Clone, Debug)]
pub struct FeedForwardNetwork<T> {
    layers: Vec<Layer<T>>,
    first_input: usize,
    /// Whether samples run side by side.
    is_abreast: bool,
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
    sums: CausalSums,
    /// Per sample: derivatives by the spike times of the layer that is being looked at.
    by_times: Vec<Vec<f64>>,
    /// Per layer with synaptic delays.
    blocks: Vec<BlockPass>,
    scratch: BlockScratch,
    /// Per layer, if samples run side by side.
    abreast: Vec<AbreastPass>,
    abreast_scratch: AbreastScratch,
    /// Per layer: sums over samples since [`FeedForwardNetwork::begin`].
    pub gradients: Vec<DelayGradient>,
}

impl<T: Element> FeedForwardNetwork<T> {
    /// Prepares a layered network with the weights and delays that it has.
    ///
    /// # Errors
    /// If it needs the event engine.
    pub fn new(network: &LayeredNetwork, compiled: &CompiledNetwork) -> Result<Self, Unsupported> {
        let populations = network.network.populations();
        let nodes = |id: crate::network::PopulationId| populations[id.0].nodes.clone();
        let mut layers = Vec::new();
        let mut previous = nodes(network.input);
        let mut first_synapse = 0;
        for ((&id, &bias), delays) in
            network.layers.iter().zip(&network.bias).zip(network.layer_delays())
        {
            let name = || populations[id.0].name.clone();
            let neurons = nodes(id);
            let bias = bias.map_or((0, 0), |bias| (nodes(bias).start, nodes(bias).len()));
            let dynamics: Vec<_> =
                neurons.clone().filter_map(|node| compiled.dynamics(node)).collect();
            let membrane = Membrane::new(dynamics[0]);
            if dynamics.iter().any(|dynamics| dynamics.has_split_currents()) {
                return Err(Unsupported::SplitCurrents { layer: name() });
            }
            if !dynamics.iter().all(|dynamics| dynamics.starts_and_stays_at_rest()) {
                return Err(Unsupported::NotAtRest { layer: name() });
            }
            if !dynamics.iter().all(|dynamics| membrane.is_that_of(dynamics)) {
                return Err(Unsupported::Heterogeneous { layer: name() });
            }
            let tiling = Tiling {
                rows: previous.len() + bias.1,
                columns: neurons.len(),
                padding: T::PADDING,
            };
            let mut thresholds: Vec<f64> =
                dynamics.iter().map(|dynamics| dynamics.threshold()).collect();
            thresholds.resize(tiling.padded_columns(), f64::INFINITY);
            layers.push(Layer {
                neurons: LayerNeurons { membrane, thresholds },
                is_first: layers.is_empty(),
                tiling,
                weights: vec![T::default(); tiling.value_count()],
                delays: Delays::new(delays, tiling.rows),
                first_node: neurons.start,
                bias,
                first_synapse,
            });
            first_synapse += tiling.rows * tiling.columns;
            previous = neurons;
        }
        let first_input = nodes(network.input).start;
        let is_abreast = abreast::runs(&layers);
        let mut prepared =
            FeedForwardNetwork { layers, first_input, is_abreast, arch: Arch::new() };
        let edges = network.network.graph().edge_weights();
        let weights: Vec<f64> = edges.map(|synapse| synapse.weight).collect();
        prepared.set_weights(&weights);
        Ok(prepared)
    }

    /// The same network on another instruction set than the machine's best.
    pub fn on(self, arch: Arch) -> Self {
        FeedForwardNetwork { arch, ..self }
    }

    /// The same network with every sample run for itself.
    pub fn one_by_one(self) -> Self {
        FeedForwardNetwork { is_abreast: false, ..self }
    }

    /// Whether samples run side by side: then some tens together are fast.
    pub fn is_abreast(&self) -> bool {
        self.is_abreast
    }

    /// Takes all weights: the layers' matrices one after the other, row by row.
    pub fn set_weights(&mut self, weights: &[f64]) {
        for layer in &mut self.layers {
            let end = layer.first_synapse + layer.tiling.rows * layer.tiling.columns;
            layer.tiling.scatter(&weights[layer.first_synapse..end], &mut layer.weights);
        }
    }

    /// Takes the delays of a layer that has some: as many as before, in the same order.
    pub fn set_delays(&mut self, layer: usize, delays: &[f64]) {
        self.layers[layer].delays.values_mut().copy_from_slice(delays);
    }

    /// Whether a layer's weight gradients are in [`Workspace::gradients`]: if samples run side by side, or
    /// with a delay per synapse.
    pub fn sums_weight_gradients(&self, layer: usize) -> bool {
        self.is_abreast() || self.has_synaptic_delays(layer)
    }

    /// Whether a layer has a delay per synapse.
    pub fn has_synaptic_delays(&self, layer: usize) -> bool {
        matches!(self.layers[layer].delays, Delays::Synaptic(_))
    }

    /// Prepares a workspace for [`Self::backward`]: nothing is summed yet.
    pub fn begin(&self, workspace: &mut Workspace<T>) {
        workspace.gradients.resize_with(self.layers.len(), DelayGradient::default);
        let layers = self.layers.iter().enumerate().zip(&mut workspace.gradients);
        for ((index, layer), gradient) in layers {
            let sums = self.sums_weight_gradients(index);
            let weights = if sums { layer.tiling.value_count() } else { 0 };
            for (sums, count) in [
                (&mut gradient.weights, weights),
                (&mut gradient.delays, layer.delays.values().len()),
            ] {
                sums.clear();
                sums.resize(count, 0.0);
            }
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

    /// Where a layer's weights begin in the layers' matrices one after the other.
    pub fn first_synapse(&self, layer: usize) -> usize {
        self.layers[layer].first_synapse
    }

    /// A layer's weights, in the layout of its tiling.
    pub fn weights(&self, layer: usize) -> &[T] {
        &self.layers[layer].weights
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

    /// Runs samples; side by side and with synaptic delays they are fast if there are some tens. The spikes
    /// that drive the first layer stand in each pass as its arrivals already (in any order), bias spikes
    /// included and without delays; `bias` are those of each layer.
    pub fn forward(
        &self,
        bias: &[Vec<Arrival>],
        passes: &mut [SamplePass<T>],
        workspace: &mut Workspace<T>,
    ) {
        self.arch.dispatch(Forward { network: self, bias, passes, workspace });
    }

    /// Prepares samples that ran elsewhere for [`Self::backward`]. Each pass holds the recorded times of
    /// the first spikes of all layers, one per neuron, infinite where there is none; and, as for
    /// [`Self::forward`], the spikes that drove the first layer.
    ///
    /// # Panics
    /// If a layer has synaptic delays, or samples run side by side ([`Self::one_by_one`]).
    pub fn recorded(
        &self,
        bias: &[Vec<Arrival>],
        passes: &mut [SamplePass<T>],
        workspace: &mut Workspace<T>,
    ) {
        let delayed = (0..self.layer_count()).any(|layer| self.has_synaptic_delays(layer));
        assert!(!delayed, "records of layers with synaptic delays go through the event engine");
        assert!(!self.is_abreast(), "records are taken up one by one");
        self.arch.dispatch(Recorded { network: self, bias, passes, workspace });
    }

    /// Carries the derivatives of the loss by the label neurons' spike times, one sample after the
    /// other, back through the samples that ran last. Afterwards each layer's [`LayerGradient`] holds
    /// what its weight gradients are made of; those by delays, and all of a layer that
    /// [`Self::sums_weight_gradients`], are added to [`Workspace::gradients`].
    pub fn backward(
        &self,
        by_label_time: &[f64],
        guard: Option<f64>,
        passes: &mut [SamplePass<T>],
        workspace: &mut Workspace<T>,
    ) {
        self.arch.dispatch(Backward { network: self, by_label_time, guard, passes, workspace });
    }

    /// Sums the weight gradients of one tile of a layer that does not ([`Self::sums_weight_gradients`])
    /// over samples, in their order.
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
