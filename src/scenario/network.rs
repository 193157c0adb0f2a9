//! Layers, populations, projections and sources as a scenario states them.

use serde::{Deserialize, Serialize};

use super::{DelaySection, GroupParameters, SpikeFile, Values};
use crate::network::edges::EdgeFile;
use crate::network::{LARGEST_SIZE, Receptor};
use crate::settings::{Check, Settings};

/// One layer of a feed-forward network, driven by all of the layer before it (the first by the
/// features of the data set).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct LayerSection {
    /// Name, unique in the network. Default: `label` for the last layer, `hidden` or `hidden_1`, `hidden_2`, …
    /// for those before.
    #[serde(default)]
    pub name: String,
    /// Number of neurons. From 1 to 10000000.
    pub size: usize,
    /// Times of bias spikes: each is a source of its own that drives the whole layer. In time units. Finite, not
    /// negative. Default: none; one in the middle of the encoding's range if there are no `weights` either.
    #[serde(default)]
    pub bias_times: Vec<f64>,
    /// Parameters that differ from the scenario's `[neuron]`. Default: none.
    #[serde(default)]
    pub neuron: GroupParameters,
    /// Initial weights: a row per presynaptic neuron, the rows of the bias sources last. Default: those of the
    /// network to start from, or `auto`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weights: Option<Values>,
    /// Axonal, dendritic or synaptic delays; bias sources have them too. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delays: Option<DelaySection>,
}

/// A group of neurons, or of spike sources if it has a `source`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct PopulationSection {
    /// Name, unique in the network.
    pub name: String,
    /// Number of neurons or sources. From 1 to 10000000. Default: required; with `spike_times` one source per list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<usize>,
    /// Parameters that differ from the scenario's `[neuron]`. Default: none.
    #[serde(default)]
    pub neuron: GroupParameters,
    /// What the spikes of sources are; a population without is one of neurons. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Source>,
}

/// The spikes of a population of sources.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub enum Source {
    /// Explicit spike trains, one list per source. In time units. Finite, not negative.
    SpikeTimes(Vec<Vec<f64>>),
    /// A CSV file with columns `neuron` and `time_<unit>`; its rows of this population, if it has a column
    /// `population`, and of one sample.
    File(SpikeFile),
    /// One spike every `interval`, from `start`.
    Regular {
        /// Time between two spikes. In time units. Finite, above zero.
        interval: f64,
        /// Time of the first. In time units. Finite, not negative. Default: 0.
        #[serde(default)]
        start: f64,
        /// When they end; a spike at that very time is kept. In time units. Above `start`. Default: with the
        /// simulation.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        stop: Option<f64>,
    },
    /// Independent Poisson processes.
    Poisson {
        /// How many spikes a source has; 0 for silence. In spikes per time unit. Finite, not negative.
        rate: f64,
        /// When they begin. In time units. Finite, not negative. Default: 0.
        #[serde(default)]
        start: f64,
        /// When they end; a spike at that very time is kept. In time units. Above `start`. Default: with the
        /// simulation.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        stop: Option<f64>,
    },
}

/// Synapses from one population to another.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ProjectionSection {
    /// Presynaptic population. Default: required, but for a file that names it for each synapse.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub pre: String,
    /// Postsynaptic population. Default: required, but for a file that names it for each synapse.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub post: String,
    /// Which pairs of neurons have a synapse.
    pub connect: Connect,
    /// Weights of the synapses; not with explicit edges, which bring their own. With a file only one constant, if it
    /// has no weights. Default: required, but for explicit edges and files.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weights: Option<Values>,
    /// Delays of the synapses; with a file only one constant, if it has no delays. In time units. Finite, not negative.
    /// Default: 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delays: Option<Values>,
    /// Which of the neurons' two synaptic inputs the synapses end on.
    #[serde(default)]
    pub receptor: Receptor,
}

/// Which pairs of neurons have a synapse.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub enum Connect {
    /// Every pair; a neuron and itself only if `autapses` is set.
    AllToAll {
        /// Whether neurons connect to themselves.
        #[serde(default)]
        autapses: bool,
    },
    /// Neurons of equal index; both populations have the same size.
    OneToOne {},
    /// Each pair with this probability, independently; never a neuron with itself. From 0 to 1.
    Probability(f64),
    /// Each postsynaptic neuron receives from this many presynaptic neurons, drawn with replacement; never from
    /// itself. From 0 to 10000000.
    InDegree(usize),
    /// An explicit list of synapses.
    Edges(Vec<Edge>),
    /// A file of synapses: a table with columns `pre`, `post`, `weight` and, if there are any, `delay`, `receptor`,
    /// `pre_population` and `post_population`, or SONATA edges.
    File(EdgeFile),
}

/// One synapse of an explicit list.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Edge {
    /// Index of the presynaptic neuron in its population. From 0.
    pub pre: usize,
    /// Index of the postsynaptic neuron in its population. From 0.
    pub post: usize,
    /// Weight. From -1e300 to 1e300.
    pub weight: f64,
    /// Delay. In time units. Finite, not negative. Default: 0.
    #[serde(default)]
    pub delay: f64,
}

/// How a network of populations is simulated.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct SimulationSection {
    /// When the simulation ends; spikes at that very time are kept. In time units. Finite, above zero.
    pub until: f64,
    /// Whether each neuron spikes at most once. Default: false.
    #[serde(default)]
    pub at_most_one_spike: bool,
    /// What runs it.
    #[serde(default)]
    pub engine: SimulationEngine,
}

/// What runs a simulation. The engines' spike times differ by roundings only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum SimulationEngine {
    /// The window engine for large networks that it can run, else the event engine.
    #[default]
    Auto,
    /// The priority queue: any network.
    Event,
    /// Windows of the shortest delay, on all threads: delays above zero and one synaptic time
    /// constant per neuron.
    Window,
}

/// The precision in which the feed-forward engine computes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Precision {
    /// Double: exact to rounding.
    #[default]
    Double,
    /// Single, for weights and sums: faster, with errors of spike times around 1e-6 of the synaptic
    /// time constant.
    Single,
}

impl PopulationSection {
    /// Whether this is a population of spike sources.
    pub fn is_source(&self) -> bool {
        self.source.is_some()
    }

    /// Number of neurons or sources, as far as it is given.
    pub(super) fn given_size(&self) -> Option<usize> {
        self.size.or(match &self.source {
            Some(Source::SpikeTimes(trains)) => Some(trains.len()),
            _ => None,
        })
    }

    /// Checks the population of a scenario with these general parameters of neurons.
    pub(super) fn check(&self, general: &GroupParameters, check: &mut Check<'_>) {
        match (self.given_size(), &self.source) {
            (None, _) => check.refuse("size", "how many neurons or sources? size must be given"),
            (Some(size), Some(Source::SpikeTimes(trains))) if size > 0 => {
                let trains = trains.len();
                check.require(size == trains, "size", || {
                    format!("{size} sources, but {trains} spike trains: one each")
                });
            }
            (Some(size), _) => check.size("size", size, LARGEST_SIZE),
        }
        match &self.source {
            None => self.neuron.check_over(general, &mut check.section("neuron")),
            Some(source) => {
                check.require(self.neuron == GroupParameters::default(), "neuron", || {
                    "spike sources have no neuron parameters".to_owned()
                });
                check.settings("source", source);
            }
        }
    }
}

impl LayerSection {
    /// Checks the layer of a scenario with these general parameters of neurons.
    pub(super) fn check(&self, general: &GroupParameters, check: &mut Check<'_>) {
        check.size("size", self.size, LARGEST_SIZE);
        self.neuron.check_over(general, &mut check.section("neuron"));
        for (place, &time) in self.bias_times.iter().enumerate() {
            check.not_negative(format!("bias_times.{place}"), time);
        }
        if let Some(weights) = self.weights.as_ref().filter(|weights| **weights != Values::Auto) {
            check.settings("weights", weights);
        }
        if let Some(delays) = &self.delays {
            check.settings("delays", delays);
        }
    }
}

impl Settings for Source {
    fn check(&self, check: &mut Check<'_>) {
        match self {
            Source::SpikeTimes(trains) => {
                for (place, time) in trains.iter().flatten().enumerate() {
                    check.require(*time >= 0.0 && time.is_finite(), "spike_times", || {
                        let place = place + 1;
                        format!("time {place} is {time}: it must be finite and not negative")
                    });
                }
            }
            Source::File(_) => {}
            Source::Regular { interval, start, stop } => {
                let mut check = check.section("regular");
                check.positive("interval", *interval);
                check_period(&mut check, *start, *stop);
            }
            Source::Poisson { rate, start, stop } => {
                let mut check = check.section("poisson");
                check.not_negative("rate", *rate);
                check_period(&mut check, *start, *stop);
            }
        }
    }
}

/// Checks when something starts and, if it does before the simulation, stops.
pub(super) fn check_period(check: &mut Check<'_>, start: f64, stop: Option<f64>) {
    check.not_negative("start", start);
    if let Some(stop) = stop {
        check.require(stop > start, "stop", || format!("{stop} must be above the start ({start})"));
    }
}

impl Settings for ProjectionSection {
    fn check(&self, check: &mut Check<'_>) {
        const OWN: &str = "an explicit list of synapses brings its own weights and delays";
        const CONSTANT: &str = "a file without weights or delays of its own takes one constant";
        let explicit = matches!(self.connect, Connect::Edges(_));
        let file = matches!(self.connect, Connect::File(_));
        if let Connect::File(edges) = &self.connect {
            check.settings("connect.file", edges);
            for (key, values) in [("weights", &self.weights), ("delays", &self.delays)] {
                let fits = matches!(values, None | Some(Values::Constant(_)));
                check.require(fits, key, || CONSTANT.to_owned());
            }
        }
        match (explicit, &self.weights) {
            (true, Some(_)) => check.refuse("weights", OWN),
            (false, None) if !file => {
                check.refuse("weights", "missing: for instance weights.constant = 1.0")
            }
            _ => {}
        }
        if explicit && self.delays.is_some() {
            check.refuse("delays", OWN);
        }
        if let Some(weights) = &self.weights {
            check.settings("weights", weights);
        }
        if let Some(delays) = &self.delays {
            check.settings("delays", delays);
            if let Some((least, _)) = delays.ends() {
                check.require(!(least < 0.0), "delays", || format!("{least} must not be negative"));
            }
        }
        match self.connect {
            Connect::InDegree(degree) => {
                check.require(degree <= LARGEST_SIZE, "connect.in_degree", || {
                    format!("{degree} must be at most {LARGEST_SIZE}")
                });
            }
            Connect::Probability(probability) => {
                check.range("connect.probability", probability, 0.0..=1.0, "from 0 to 1");
            }
            _ => {}
        }
    }
}
