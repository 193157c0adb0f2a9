//! What a report shows, as plain numbers: collected by runs and studies, drawn by scripts.
//!
//! All of it becomes JSON: a number that is not finite becomes `null`, which charts leave out. Times are
//! in the scenario's unit, potentials in its units too.

use serde::Serialize;

use super::Histogram;
use crate::chip::HardwareAccount;
use crate::report::box_plot::Figure;

/// A line about a run: what it is, and its value.
pub type Fact = (&'static str, String);

/// A report.
#[derive(Clone, Debug, Serialize)]
pub struct ReportData {
    /// Name of the scenario, or title of the study.
    pub title: String,
    /// What it is, in a line.
    pub subtitle: String,
    /// The figures to remember.
    pub headline: Vec<Headline>,
    /// What readers should know, a sentence each.
    pub notes: Vec<String>,
    /// What was run, and how: a line each. The scripts do not need it.
    #[serde(skip)]
    pub facts: Vec<Fact>,
    /// The scenario with every default, as TOML; may be empty.
    #[serde(skip)]
    pub scenario: String,
    /// Symbol of the unit of times.
    pub time_unit: String,
    /// The rest.
    pub content: Content,
}

/// A figure to remember.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Headline {
    /// What it is.
    pub label: String,
    /// The figure with its unit.
    pub value: String,
    /// More about it; may be empty.
    pub detail: String,
}

impl Headline {
    /// A figure without more about it.
    pub fn new(label: &str, value: impl Into<String>) -> Self {
        Self::with_detail(label, value, "")
    }

    /// A figure and more about it.
    pub fn with_detail(label: &str, value: impl Into<String>, detail: impl Into<String>) -> Self {
        Headline { label: label.to_owned(), value: value.into(), detail: detail.into() }
    }
}

/// What a report is about.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Content {
    /// Training and evaluation of a layered network.
    Training(Box<TrainingContent>),
    /// Simulation of populations.
    Simulation(SimulationContent),
    /// Training of populations to emit given spike trains.
    SpikeTraining(SpikeTrainingContent),
    /// A study.
    Study(StudyContent),
}

/// Training and evaluation of a layered network.
#[derive(Clone, Debug, Serialize)]
pub struct TrainingContent {
    /// Names of the classes.
    pub class_names: Vec<String>,
    /// How learning went; none without training.
    pub curves: Option<Curves>,
    /// Epoch whose weights were kept.
    pub selected_epoch: usize,
    /// Test samples by class (rows) and decision (columns; the last is none).
    pub confusion: Vec<Vec<u64>>,
    /// What the network answers over the plane of the data.
    pub class_map: Option<ClassMap>,
    /// The test samples in a plane.
    pub plane: Option<Plane>,
    /// Sources and layers, in the order of the network.
    pub layers: Vec<LayerContent>,
    /// Times of the decisions that are right, and of those that are wrong.
    pub decision_times: [Option<Histogram>; 2],
    /// Samples to look at.
    pub samples: Vec<Sample>,
    /// How many test samples were decided wrongly.
    pub wrong: usize,
    /// Width and height of the samples if they are images.
    pub image: Option<(usize, usize)>,
    /// Which neurons the potentials are those of, in a sentence; empty if they are the trained ones.
    pub potentials: &'static str,
    /// Time and energy on a chip.
    pub hardware: Option<HardwareAccount>,
    /// What training in the loop found of the chip's neurons.
    pub chip_found: Option<ChipFound>,
}

/// What training in the loop found of a chip.
#[derive(Clone, Debug, Serialize)]
pub struct ChipFound {
    /// Layer by layer.
    pub layers: Vec<FoundNeurons>,
    /// Whether the true thresholds are known: the chip is a model.
    pub known: bool,
}

/// What was found of the neurons of a layer. Thresholds are relative to those of the scenario.
#[derive(Clone, Debug, Serialize)]
pub struct FoundNeurons {
    /// Name of the layer.
    pub name: String,
    /// Per neuron: its threshold.
    pub threshold: Vec<f64>,
    /// Per neuron: standard deviation of the threshold found.
    pub threshold_std: Vec<f64>,
    /// Per neuron: the threshold that it has, where that is known.
    pub threshold_true: Vec<Option<f64>>,
    /// Per neuron: its delay.
    pub delay: Vec<f64>,
    /// Per neuron: standard deviation of the delay found.
    pub delay_std: Vec<f64>,
    /// Per neuron: spikes that told.
    pub compared: Vec<u64>,
    /// Mean and standard deviation of the thresholds.
    pub thresholds: [f64; 2],
    /// Mean and standard deviation of the delays.
    pub delays: [f64; 2],
    /// Standard deviation of recorded times around those of the twin.
    pub noise: f64,
    /// Root mean square of what the thresholds differ from the true ones, where those are known.
    pub threshold_error: Option<f64>,
    /// Percentage of spikes that only the record has, or only the twin.
    pub disagreement: f64,
}

/// A value per epoch of each quantity.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Curves {
    /// Number of the epoch.
    pub epoch: Vec<usize>,
    /// Mean loss on the training set, each sample as it was learned.
    pub training_loss: Vec<f64>,
    /// Mean loss on the validation set after the epoch.
    pub validation_loss: Vec<f64>,
    /// Accuracy on the training set, in percent.
    pub training_accuracy: Vec<f64>,
    /// Accuracy on the validation set, in percent.
    pub validation_accuracy: Vec<f64>,
    /// Mean time to decision on the training set.
    pub decision_time: Vec<f64>,
    /// Per layer: its name, and the percentage of (sample, neuron) pairs without a spike.
    pub silent: Vec<(String, Vec<f64>)>,
}

/// What a network answers over a plane.
#[derive(Clone, Debug, Serialize)]
pub struct ClassMap {
    /// Both coordinates go from 0 up to this.
    pub side: f64,
    /// Rows from the lowest second coordinate, each from the lowest first one: the class, −1 for no
    /// decision, none where no data are.
    pub rows: Vec<Vec<Option<i32>>>,
}

/// The test samples in the plane of their first two features.
#[derive(Clone, Debug, Serialize)]
pub struct Plane {
    /// First coordinates.
    pub x: Vec<f64>,
    /// Second coordinates.
    pub y: Vec<f64>,
    /// Classes.
    pub label: Vec<usize>,
    /// Decisions, where there are any.
    pub decided: Vec<Option<usize>>,
}

/// Sources or neurons with a place in the network.
#[derive(Clone, Debug, Serialize)]
pub struct LayerContent {
    /// Name of the population.
    pub name: String,
    /// How many there are.
    pub size: usize,
    /// Their first-spike times over the test set.
    pub first_spikes: Option<Histogram>,
    /// Percentage of (sample, neuron) pairs without a spike.
    pub silent: f64,
    /// Weights of the synapses that lead here.
    pub weights: Option<Histogram>,
    /// Delays, where there are any: `axonal`, `dendritic` or `synaptic`.
    pub delays: Option<(String, Histogram)>,
}

/// A test sample to look at.
#[derive(Clone, Debug, Serialize)]
pub struct Sample {
    /// Its number in the test set.
    pub index: usize,
    /// Its class.
    pub label: usize,
    /// The class that was decided for, if there was a decision.
    pub decided: Option<usize>,
    /// When that was.
    pub decision_time: Option<f64>,
    /// Features, if they are an image; from 0 to 1.
    pub pixels: Vec<f64>,
    /// Per layer of [`TrainingContent::layers`], per neuron: its first spike, if it has one.
    pub spikes: Vec<Vec<Option<f64>>>,
    /// The label neurons.
    pub membranes: Vec<Membrane>,
}

/// A neuron's membrane potential over time.
#[derive(Clone, Debug, Serialize)]
pub struct Membrane {
    /// Times.
    pub time: Vec<f64>,
    /// The potential at those times. At a spike there are two: before and after the reset.
    pub potential: Vec<f64>,
    /// Where the neuron spikes.
    pub threshold: f64,
}

/// A simulation.
#[derive(Clone, Debug, Serialize)]
pub struct SimulationContent {
    /// The time that it reached.
    pub until: f64,
    /// Every population.
    pub populations: Vec<PopulationContent>,
    /// Width of the bins of [`PopulationContent::rate`]; the last may be narrower.
    pub bin: f64,
    /// Symbol of the unit of rates: `1/s`, or `1/τ_s` where the time unit is no physical one.
    pub rate_unit: String,
    /// Its spikes.
    pub raster: Raster,
    /// Weights by pair of populations.
    pub projections: Vec<ProjectionContent>,
    /// Membrane potentials that were recorded.
    pub potentials: Vec<PotentialContent>,
}

/// Activity of a population.
#[derive(Clone, Debug, Serialize)]
pub struct PopulationContent {
    /// Its name.
    pub name: String,
    /// How many neurons or sources it has.
    pub size: usize,
    /// Whether they are sources.
    pub is_source: bool,
    /// Their spikes.
    pub spikes: u64,
    /// Spikes per neuron and time, in [`SimulationContent::rate_unit`].
    pub mean_rate: f64,
    /// The same per bin of time.
    pub rate: Vec<f64>,
    /// Times between two spikes of a neuron.
    pub intervals: Option<Histogram>,
    /// Coefficient of variation of the intervals of a neuron, mean over the neurons that have two: as
    /// `firstspike stats` gives it.
    pub variation: Option<f64>,
}

/// Spikes for a raster.
#[derive(Clone, Debug, Serialize)]
pub struct Raster {
    /// Per population.
    pub populations: Vec<Rows>,
    /// What is left out, in a sentence; empty if nothing is.
    pub note: String,
}

/// Spikes of one population.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Rows {
    /// Neurons.
    pub neuron: Vec<u32>,
    /// When they spike.
    pub time: Vec<f64>,
}

/// Weights of the synapses from one population to another.
#[derive(Clone, Debug, Serialize)]
pub struct ProjectionContent {
    /// Presynaptic population.
    pub pre: String,
    /// Postsynaptic population.
    pub post: String,
    /// How many synapses.
    pub synapses: usize,
    /// Their weights.
    pub weights: Histogram,
}

/// A recorded potential.
#[derive(Clone, Debug, Serialize)]
pub struct PotentialContent {
    /// Population and neuron.
    pub name: String,
    /// Its potential.
    pub membrane: Membrane,
}

/// Training of populations to emit given spike trains.
#[derive(Clone, Debug, Serialize)]
pub struct SpikeTrainingContent {
    /// Number of the epoch.
    pub epoch: Vec<usize>,
    /// Loss.
    pub loss: Vec<f64>,
    /// Root mean square of the distances between spikes and targets.
    pub timing_error: Vec<f64>,
    /// Targets without a spike.
    pub missing: Vec<usize>,
    /// Spikes without a target.
    pub extra: Vec<usize>,
    /// The population that learns, as an index into the simulation's.
    pub target_population: usize,
    /// What it should do.
    pub targets: Rows,
    /// What the trained network does.
    pub simulation: SimulationContent,
}

/// A study, or several.
#[derive(Clone, Debug, Serialize)]
pub struct StudyContent {
    /// Maps over two axes.
    pub heat_maps: Vec<HeatMap>,
    /// Box plots, in sections.
    pub figures: Vec<Figure>,
    /// Tables.
    pub tables: Vec<Table>,
}

/// A quantity over two axes.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct HeatMap {
    /// Heading.
    pub title: String,
    /// Quantity and unit of the horizontal axis.
    pub x_label: String,
    /// Quantity and unit of the vertical axis.
    pub y_label: String,
    /// Names of the columns.
    pub x: Vec<String>,
    /// Names of the rows, from below.
    pub y: Vec<String>,
    /// Per row, per column: the value, if there is one.
    pub values: Vec<Vec<Option<f64>>>,
    /// Unit of the values.
    pub unit: &'static str,
}

/// A table of texts.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Table {
    /// Heading; may be empty.
    pub title: String,
    /// What it is about; may be empty.
    pub about: String,
    /// Names of the columns.
    pub head: Vec<String>,
    /// The rows.
    pub rows: Vec<Vec<String>>,
}

/// Five digits: as many as a chart can show.
pub fn short(value: f64) -> f64 {
    // Below, the power of ten would overflow. Zero has no sign.
    if !(value.abs() > 1e-290 && value.is_finite()) {
        return value + 0.0;
    }
    // Exact powers of ten, multiplied or divided by, so that what is printed has five digits.
    let exponent = 4 - value.abs().log10().floor() as i32;
    if exponent >= 0 {
        let power = 10_f64.powi(exponent);
        (value * power).round() / power
    } else {
        let power = 10_f64.powi(-exponent);
        (value / power).round() * power
    }
}
