//! Layers, populations, projections and sources as a scenario states them.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{DelaySpec, NeuronSpec, ValueSpec};

/// One layer of a feed-forward network, driven by all of the layer before it (the first by the
/// features of the data set).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LayerSpec {
    /// Name, unique in the network.
    pub name: String,
    /// Number of neurons.
    pub size: usize,
    /// Times of bias spikes: each is a source of its own that drives the whole layer.
    #[serde(default)]
    pub bias_times: Vec<f64>,
    /// Parameters that differ from the scenario's `[neuron]`.
    #[serde(default)]
    pub neuron: NeuronSpec,
    /// Initial weights: a row per presynaptic neuron, the rows of the bias sources last.
    pub weights: ValueSpec,
    /// Axonal, dendritic or synaptic delays; bias sources have them too. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delays: Option<DelaySpec>,
}

/// A group of neurons, or of spike sources if it has a `source`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PopulationSpec {
    /// Name, unique in the network.
    pub name: String,
    /// Number of neurons or sources. Default for `spike_times`: one source per list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<usize>,
    /// Parameters that differ from the scenario's `[neuron]`.
    #[serde(default)]
    pub neuron: NeuronSpec,
    /// What the spikes of sources are; a population without is one of neurons.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<SourceSpec>,
}

/// The spikes of a population of sources.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub enum SourceSpec {
    /// Explicit spike trains, one list per source.
    SpikeTimes(Vec<Vec<f64>>),
    /// A CSV file with columns `neuron` and `time_<unit>`.
    File(PathBuf),
    /// One spike every `interval`, from `start`.
    Regular {
        /// Time between two spikes. Above zero.
        interval: f64,
        /// Time of the first.
        #[serde(default)]
        start: f64,
        /// When they end; a spike at that very time is kept. Default: with the simulation.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        stop: Option<f64>,
    },
    /// Independent Poisson processes.
    Poisson {
        /// Spikes per time unit and source. Above zero.
        rate: f64,
        /// When they begin.
        #[serde(default)]
        start: f64,
        /// When they end; a spike at that very time is kept. Default: with the simulation.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        stop: Option<f64>,
    },
}

/// Synapses from one population to another.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProjectionSpec {
    /// Presynaptic population.
    pub pre: String,
    /// Postsynaptic population.
    pub post: String,
    /// Which pairs of neurons have a synapse.
    pub connect: ConnectSpec,
    /// Weights of the synapses; not with explicit edges, which bring their own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weights: Option<ValueSpec>,
    /// Delays of the synapses. Default: 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delays: Option<ValueSpec>,
    /// Which of the neurons' two synaptic inputs the synapses end on.
    #[serde(default)]
    pub receptor: ReceptorSpec,
}

/// Which of a neuron's two synaptic inputs a synapse ends on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReceptorSpec {
    /// The sign of the weight chooses.
    #[default]
    BySign,
    /// That with the time constant `tau_s`.
    Excitatory,
    /// That with the time constant `tau_s_inhibitory`.
    Inhibitory,
}

/// Which pairs of neurons have a synapse.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub enum ConnectSpec {
    /// Every pair; a neuron and itself only if `autapses` is set.
    AllToAll {
        /// Whether neurons connect to themselves.
        #[serde(default)]
        autapses: bool,
    },
    /// Neurons of equal index; both populations have the same size.
    OneToOne {},
    /// Each pair with this probability, independently; never a neuron with itself.
    Probability(f64),
    /// Each postsynaptic neuron receives from this many presynaptic neurons, drawn with
    /// replacement; never from itself.
    InDegree(usize),
    /// An explicit list of synapses.
    Edges(Vec<EdgeSpec>),
    /// A CSV file with columns `pre`, `post`, `weight` and, if there are any, `delay`.
    File(PathBuf),
}

/// One synapse of an explicit list.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EdgeSpec {
    /// Index of the presynaptic neuron in its population.
    pub pre: usize,
    /// Index of the postsynaptic neuron in its population.
    pub post: usize,
    /// Weight.
    pub weight: f64,
    /// Delay. Default: 0.
    #[serde(default)]
    pub delay: f64,
}

/// How a network of populations is simulated.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SimulationSpec {
    /// When the simulation ends; spikes at that very time are kept.
    pub until: f64,
    /// Whether each neuron spikes at most once.
    #[serde(default)]
    pub at_most_one_spike: bool,
    /// What runs it.
    #[serde(default)]
    pub engine: EngineSpec,
}

/// What runs a simulation. The engines' spike times differ by roundings only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EngineSpec {
    /// The window engine for large networks that it can run, else the event engine.
    #[default]
    Auto,
    /// The priority queue: any network.
    Event,
    /// Windows of the shortest delay, on all threads: delays above zero and one synaptic time
    /// constant per neuron.
    Window,
}

/// What runs a network of layers. The engines' spike times differ by roundings only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LayeredEngineSpec {
    /// The feed-forward engine if it can run the network, else the event engine.
    #[default]
    Auto,
    /// The priority queue: any network.
    Event,
    /// All neurons of a layer at once: neurons of a layer that share their time constants and rest
    /// below their thresholds.
    FeedForward,
}

/// In what precision the feed-forward engine computes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PrecisionSpec {
    /// Double: exact to rounding.
    #[default]
    Double,
    /// Single, for weights and sums: faster, with errors of spike times around 1e-6 of the synaptic
    /// time constant.
    Single,
}
