//! What a run came to, as `summary.json`.

use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{EngineSummary, FoundLayer};
use crate::chip::HardwareAccount;
use crate::learning::{Diagnosis, LayerActivity};
use crate::network::{LayerDelays, Population};
use crate::trace::statistics::rate_unit;

/// Result of a training or evaluation run. Accuracies are fractions of 1.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct TrainingSummary {
    /// Name of the scenario.
    pub scenario: String,
    /// Version of firstspike.
    pub version: String,
    /// Seed of initial weights and order of samples.
    pub seed: u64,
    /// Fraction of test samples decided correctly.
    pub test_accuracy: f64,
    /// Fraction of training samples decided correctly, with the final weights.
    pub train_accuracy: f64,
    /// Fraction of validation samples decided correctly.
    pub validation_accuracy: f64,
    /// Mean loss on the test set.
    #[serde(deserialize_with = "number_or_nan")]
    pub test_loss: f64,
    /// Fraction of test samples in which no label neuron spiked.
    pub test_undecided: f64,
    /// Mean time of the first label spike on the test set, in `time_unit`; not a number (in JSON
    /// null) if there was none.
    #[serde(deserialize_with = "number_or_nan")]
    pub mean_decision_time: f64,
    /// The unit of times.
    pub time_unit: String,
    /// Epochs that were completed.
    pub epochs: usize,
    /// Epoch whose weights were kept; 0 for the initial ones.
    pub selected_epoch: usize,
    /// Whether the run was ended before its last epoch.
    pub interrupted: bool,
    /// Mean wall-clock time of an epoch's training, in seconds.
    pub seconds_per_epoch: f64,
    /// Wall-clock time of the whole run, in seconds.
    pub seconds: f64,
    /// Threads that worked.
    pub threads: usize,
    /// What ran the network: `event`, `feed_forward`, `feed_forward, single precision` or
    /// `substrate`.
    #[serde(default)]
    pub engine: EngineSummary,
    /// What a classification takes on the hardware, if the scenario has a chip with a clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hardware: Option<HardwareAccount>,
    /// Where derivatives came from, if a substrate ran the network: `twin`, `datasheet` or `recorded`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// What the twin found of the substrate, layer by layer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub found: Option<Vec<FoundLayer>>,
    /// Names of the classes.
    #[serde(default)]
    pub class_names: Vec<String>,
    /// Of the test set, for each true class: how many samples were decided to be each class, and last how many
    /// were not decided.
    #[serde(default)]
    pub confusion: Vec<Vec<u64>>,
    /// How the neurons of each layer took part in the test set.
    pub layers: Vec<LayerSummary>,
    /// What hindered learning, if anything did.
    pub warnings: Vec<String>,
}

/// How the neurons of a layer took part in the test set.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct LayerSummary {
    /// Name of the layer.
    pub name: String,
    /// Number of neurons.
    pub neurons: usize,
    /// Fraction of (sample, neuron) pairs without a spike.
    pub silent_fraction: f64,
    /// Fraction of (sample, neuron) pairs with a spike after the first label spike.
    pub late_fraction: f64,
    /// Neurons that spiked in no sample.
    pub dead_neurons: usize,
    /// The layer's delays, if it has some.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delays: Option<DelaySummary>,
}

/// The delays of a layer, in the summary's unit of times.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DelaySummary {
    /// `axonal`, `dendritic` or `synaptic`.
    pub kind: String,
    /// The shortest.
    pub least: f64,
    /// Their mean.
    pub mean: f64,
    /// The longest.
    pub most: f64,
}

impl DelaySummary {
    fn new(delays: LayerDelays) -> Self {
        let values = delays.values.iter().copied();
        DelaySummary {
            kind: delays.kind.name().to_owned(),
            least: values.clone().fold(f64::INFINITY, f64::min),
            mean: values.clone().sum::<f64>() / values.len() as f64,
            most: values.fold(0.0, f64::max),
        }
    }
}

impl LayerSummary {
    pub(super) fn new(name: &str, activity: &LayerActivity, delays: Option<LayerDelays>) -> Self {
        LayerSummary {
            delays: delays.map(DelaySummary::new),
            name: name.to_owned(),
            neurons: activity.spikes.len(),
            silent_fraction: activity.silent_fraction(),
            late_fraction: activity.late_fraction(),
            dead_neurons: activity.dead_neurons(),
        }
    }
}

/// Result of a simulation.
#[derive(Clone, Debug, Serialize)]
pub struct SimulationSummary {
    /// Name of the scenario.
    pub scenario: String,
    /// Version of firstspike.
    pub version: &'static str,
    /// Seed of everything random.
    pub seed: u64,
    /// The unit of times.
    pub time_unit: &'static str,
    /// When the simulation was to end.
    pub until: f64,
    /// Up to when it was simulated: `until`, or the last spike before the interrupt. Every spike up to
    /// then is recorded, and rates are over this time.
    pub reached: f64,
    /// Whether it was ended before `until`.
    pub interrupted: bool,
    /// What ran it: `event` or `window`.
    pub engine: EngineSummary,
    /// Spikes that arrived at synapses.
    pub synaptic_events: u64,
    /// Wall-clock time, in seconds.
    pub seconds: f64,
    /// Activity of each population.
    pub populations: Vec<PopulationSummary>,
}

/// Result of training a network to emit spike trains.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SpikeTrainingSummary {
    /// Name of the scenario.
    pub scenario: String,
    /// Version of firstspike.
    pub version: String,
    /// Seed of everything random.
    pub seed: u64,
    /// The unit of times.
    pub time_unit: String,
    /// Root mean square of the distances between spikes and their targets after the last step, in
    /// `time_unit`.
    pub timing_error: f64,
    /// Spikes that stand for a target.
    pub paired: usize,
    /// Targets without a spike.
    pub missing: usize,
    /// Spikes without a target.
    pub extra: usize,
    /// Up to when the trained network was simulated, in `time_unit`.
    pub reached: f64,
    /// Epochs that were completed.
    pub epochs: usize,
    /// Whether the run was ended before its last epoch.
    pub interrupted: bool,
    /// What ran it: `event`.
    pub engine: EngineSummary,
    /// Wall-clock time, in seconds.
    pub seconds: f64,
}

/// Activity of a population in a simulation.
#[derive(Clone, Debug)]
pub struct PopulationSummary {
    /// Name of the population.
    pub name: String,
    /// Number of neurons or sources.
    pub size: usize,
    /// How many spikes they emitted together.
    pub spikes: u64,
    /// Spikes per neuron and time, in the unit of [`rate_unit`]: per second, or per time unit if that is no
    /// unit of physical time. None for no neurons, or no time.
    pub rate: Option<f64>,
    /// The name of the unit, as in the key `rate_per_second` of `summary.json`.
    pub rate_unit: String,
}

impl PopulationSummary {
    /// The activity of a population with so many spikes in a simulation that reached a time.
    pub(super) fn new(population: &Population, spikes: u64, reached: f64, time_unit: &str) -> Self {
        let size = population.nodes.len();
        let (rate_unit, _, per_unit) = rate_unit(Some(time_unit));
        let observed = size as f64 * reached;
        let rate = (observed > 0.0).then(|| spikes as f64 / observed * per_unit);
        PopulationSummary { name: population.name.clone(), size, spikes, rate, rate_unit }
    }
}

impl Serialize for PopulationSummary {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(4))?;
        map.serialize_entry("name", &self.name)?;
        map.serialize_entry("size", &self.size)?;
        map.serialize_entry("spikes", &self.spikes)?;
        map.serialize_entry(&format!("rate_{}", self.rate_unit), &self.rate)?;
        map.end()
    }
}

/// A diagnosis as one line.
pub(super) fn warning(diagnosis: &Diagnosis) -> String {
    format!("{}; {}", diagnosis.finding, diagnosis.advice)
}

/// JSON has no number that is none: it is written as null.
fn number_or_nan<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or(f64::NAN))
}
