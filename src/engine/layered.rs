//! Layered networks of first spikes, in the numbers that learning needs.
//!
//! A [`LayeredEngine`] runs a [`Batch`] of samples forward, or takes up what was recorded of them elsewhere, and
//! carries the derivatives of a loss back:
//!
//! ```text
//! forward | load_record  →  spike times  →  backward  →  weight_gradients, delay gradients
//! ```
//!
//! Two kernels do the work, on the same equations ([`crate::neuron`]); which one is decided by the shape of the
//! network, and nothing else depends on it:
//!
//! * `wide`: a register holds neurons of one sample. For layers of many neurons.
//! * `batched`: a register holds samples of one neuron. For small layers, for synaptic delays, and for
//!   records.
//!
//! The results are those of the event engine to rounding, with the same rules: inputs that come together act
//! together, a peak that only touches the threshold is no crossing, and an input at the very moment of a spike
//! comes too late for it. Delays of axons move a layer's inputs, and delays of dendrites its spikes.
//!
//! What a [`LayeredEngine`] cannot run says [`Unsupported`]; the event engine runs everything.

mod batch;
mod batched;
mod guard;
pub mod single;
mod tiles;
mod wide;

use pulp::Arch;

pub use self::batch::{Batch, Comparison, DerivativesAt, LayerGradients, RecordNoise, Workspace};
pub use self::guard::GradientGuard;
pub use self::tiles::{Tile, Tiling};
pub use self::wide::{HomogeneousLayer, HomogeneousWorkspace};
use crate::network::{CompiledNetwork, DelayKind, LayerDelays, LayeredNetwork};
use crate::neuron::{Dynamics, Membrane};
pub use crate::simd::Element;
pub use crate::sorting::Arrival;
use crate::sorting::Comparators;

/// Which kernel runs a network, and on how many samples at a time. Measured on one thread with `cargo bench
/// --bench epoch` and `--bench mnist`.
struct Tuning {
    /// Layers of at most so many rows go through the batched kernel, however many neurons they have: the
    /// weights of a neuron fit into a register, where they are looked up.
    few_rows: usize,
    /// With more rows, up to so many, only layers of few neurons do.
    most_rows: usize,
    /// How many neurons those may have: more keep a vector unit busy by themselves.
    few_neurons: usize,
    /// Samples of a batch: as many as keep all that is known of a small layer in the second cache.
    samples: usize,
    /// The same for a network with a layer of more than `most_rows` rows.
    samples_of_wide: usize,
}

const TUNING: Tuning =
    Tuning { few_rows: 8, most_rows: 128, few_neurons: 16, samples: 64, samples_of_wide: 16 };

impl Tuning {
    /// Whether a layer of this shape is one for the batched kernel.
    fn suits_batches(&self, Tiling { rows, columns, .. }: Tiling) -> bool {
        rows <= self.few_rows || rows <= self.most_rows && columns <= self.few_neurons
    }
}

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
    /// Neurons that a substrate is expected to have have parameters out of range.
    #[error("the neurons that are expected in layer `{layer}`: {problem}")]
    Impossible {
        /// The layer.
        layer: String,
        /// What is out of range.
        problem: String,
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
                DelayKind::Synaptic => {
                    Delays::Synaptic(SynapticDelays { values, comparators: Comparators::new(rows) })
                }
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

/// The synaptic delays of a layer.
#[derive(Clone, Debug)]
struct SynapticDelays {
    /// Row by row, in time units.
    values: Vec<f64>,
    /// Sorts the arrivals at a neuron.
    comparators: Comparators,
}

/// The neurons of a layer.
#[derive(Clone, Debug)]
struct LayerNeurons {
    membrane: Membrane,
    /// Relative to the leak potential; padded with infinity.
    thresholds: Vec<f64>,
}

/// What keeps neurons from being those of a layer.
enum Problem {
    Heterogeneous,
    SplitCurrents,
    NotAtRest,
}

impl Problem {
    fn of(self, layer: String) -> Unsupported {
        match self {
            Problem::Heterogeneous => Unsupported::Heterogeneous { layer },
            Problem::SplitCurrents => Unsupported::SplitCurrents { layer },
            Problem::NotAtRest => Unsupported::NotAtRest { layer },
        }
    }
}

impl LayerNeurons {
    /// Of one neuron at least.
    fn new(dynamics: &[Dynamics], tiling: Tiling) -> Result<Self, Problem> {
        let membrane = Membrane::new(&dynamics[0]);
        if dynamics.iter().any(Dynamics::has_split_currents) {
            return Err(Problem::SplitCurrents);
        }
        if !dynamics.iter().all(Dynamics::starts_and_stays_at_rest) {
            return Err(Problem::NotAtRest);
        }
        if !dynamics.iter().all(|dynamics| membrane.is_that_of(dynamics)) {
            return Err(Problem::Heterogeneous);
        }
        let mut thresholds: Vec<f64> = dynamics.iter().map(Dynamics::threshold).collect();
        thresholds.resize(tiling.padded_columns(), f64::INFINITY);
        Ok(LayerNeurons { membrane, thresholds })
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

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kernel {
    Wide,
    Batched,
}

/// A layered network in the form that the kernels compute with. Its weights are rounded to the precision `T`;
/// the batched kernel computes in double precision all the same.
#[derive(Clone, Debug)]
pub struct LayeredEngine<T> {
    layers: Vec<Layer<T>>,
    first_input: usize,
    kernel: Kernel,
    arch: Arch,
}

impl<T: Element> LayeredEngine<T> {
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
                neurons.clone().filter_map(|node| compiled.dynamics(node).copied()).collect();
            let tiling = Tiling {
                rows: previous.len() + bias.1,
                columns: neurons.len(),
                padding: T::PADDING,
            };
            let neurons_of_layer =
                LayerNeurons::new(&dynamics, tiling).map_err(|problem| problem.of(name()))?;
            layers.push(Layer {
                neurons: neurons_of_layer,
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
        let kernel = Kernel::of(&layers);
        let mut prepared = LayeredEngine { layers, first_input, kernel, arch: Arch::new() };
        let edges = network.network.graph().edge_weights();
        let weights: Vec<f64> = edges.map(|synapse| synapse.weight).collect();
        prepared.set_weights(&weights);
        Ok(prepared)
    }

    /// The same network without the vector instructions of the machine.
    pub fn scalar(self) -> Self {
        LayeredEngine { arch: Arch::Scalar, ..self }
    }

    /// The same network on the kernel for wide layers, unless it has synaptic delays.
    pub fn wide(self) -> Self {
        let kernel = if has_synaptic_delays(&self.layers) { Kernel::Batched } else { Kernel::Wide };
        LayeredEngine { kernel, ..self }
    }

    /// The same network on the kernel that takes up records.
    pub fn batched(self) -> Self {
        LayeredEngine { kernel: Kernel::Batched, ..self }
    }

    /// Whether it runs on the batched kernel.
    pub fn is_batched(&self) -> bool {
        self.kernel == Kernel::Batched
    }

    /// How many samples a [`Batch`] had best have if there are `samples` to run.
    pub fn batch_size(&self, samples: usize) -> usize {
        if self.kernel == Kernel::Wide {
            // One after the other they stay in the cache on their way back.
            return 1;
        }
        let is_wide = self.layers.iter().any(|layer| layer.tiling.rows > TUNING.most_rows);
        let most = if is_wide { TUNING.samples_of_wide } else { TUNING.samples };
        let batches = samples.div_ceil(most).max(1);
        samples.div_ceil(batches).next_multiple_of(batched::LANES).max(batched::LANES)
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

    /// The same network with other neurons in its layers: as many, layer after layer.
    ///
    /// # Errors
    /// If they need the event engine. `name` names a layer.
    pub(crate) fn with_neurons(
        mut self,
        neurons: &[Vec<Dynamics>],
        name: impl Fn(usize) -> String,
    ) -> Result<Self, Unsupported> {
        for (index, (layer, neurons)) in self.layers.iter_mut().zip(neurons).enumerate() {
            layer.neurons = LayerNeurons::new(neurons, layer.tiling)
                .map_err(|problem| problem.of(name(index)))?;
        }
        Ok(self)
    }

    /// Synaptic time constant of a layer's neurons, in time units.
    pub fn tau_s(&self, layer: usize) -> f64 {
        1.0 / self.layers[layer].neurons.membrane.synaptic_rate
    }

    /// Thresholds of a layer's neurons, relative to the leak potential.
    pub fn thresholds(&self, layer: usize) -> &[f64] {
        let Layer { neurons, tiling, .. } = &self.layers[layer];
        &neurons.thresholds[..tiling.columns]
    }

    /// Takes them.
    pub fn set_thresholds(&mut self, layer: usize, thresholds: &[f64]) {
        let Layer { neurons, tiling, .. } = &mut self.layers[layer];
        neurons.thresholds[..tiling.columns].copy_from_slice(thresholds);
    }

    /// Whether a layer has a delay per synapse.
    pub fn has_synaptic_delays(&self, layer: usize) -> bool {
        matches!(self.layers[layer].delays, Delays::Synaptic(_))
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

    /// The data source of the network that a row of the first layer's matrix belongs to; none if it is one of
    /// the bias.
    pub fn source_of_row(&self, row: u32) -> Option<usize> {
        let Layer { bias: (_, count), tiling, .. } = self.layers[0];
        let row = row as usize;
        (row < tiling.rows - count).then_some(self.first_input + row)
    }

    /// First node of a layer's neurons in the network, and their number.
    pub fn neurons(&self, layer: usize) -> std::ops::Range<usize> {
        let Layer { first_node, tiling, .. } = self.layers[layer];
        first_node..first_node + tiling.columns
    }
}

fn has_synaptic_delays<T>(layers: &[Layer<T>]) -> bool {
    layers.iter().any(|layer| matches!(layer.delays, Delays::Synaptic(_)))
}

impl Kernel {
    /// The faster one for these layers.
    fn of<T>(layers: &[Layer<T>]) -> Self {
        let is_double = size_of::<T>() == size_of::<f64>();
        let is_small = |layer: &Layer<T>| TUNING.suits_batches(layer.tiling);
        let is_batched = is_double && layers.iter().all(is_small) || has_synaptic_delays(layers);
        if is_batched { Kernel::Batched } else { Kernel::Wide }
    }
}
