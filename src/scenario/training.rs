//! Training as a scenario states it.

use serde::{Deserialize, Serialize};

/// How a network is trained.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainingSpec {
    /// Passes over the training set.
    pub epochs: usize,
    /// Samples per step.
    #[serde(default = "default_batch_size")]
    pub batch_size: usize,
    /// What the label neurons should do.
    pub loss: LossSpec,
    /// How the weights follow their gradients.
    #[serde(default)]
    pub optimiser: OptimiserSpec,
    /// How the learning rate changes over the epochs.
    #[serde(default)]
    pub schedule: ScheduleSpec,
    /// Largest weight gradient of one neuron in one sample, beyond which that neuron's gradients
    /// from the sample are discarded (grazing spikes have diverging gradients); `inf` keeps all.
    #[serde(default = "default_guard")]
    pub gradient_guard: f64,
    /// The remedy for neurons that do not spike.
    #[serde(default)]
    pub silent_neurons: RemedySpec,
    /// Which epoch's weights are kept.
    #[serde(default)]
    pub select: SelectSpec,
    /// How samples are varied whenever they are shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub augmentation: Option<AugmentationSpec>,
}

/// Chance that training adds to samples; zero for none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AugmentationSpec {
    /// Standard deviation of normal noise on each input spike's time; negative times are mirrored.
    pub time_noise: f64,
    /// Probability with which an input spike is left out.
    pub dropout: f64,
    /// Images move by up to this many pixels in each direction.
    pub shift: f64,
    /// Images turn by up to this many degrees either way.
    pub rotation: f64,
    /// Images grow or shrink by up to this fraction.
    pub scale: f64,
}

fn default_batch_size() -> usize {
    150
}

fn default_guard() -> f64 {
    0.2
}

/// A loss on first-spike times.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub enum LossSpec {
    /// The paper's loss: the correct label neuron should be the first by far. The label whose
    /// neuron spikes first is the decision.
    FirstSpikeCrossEntropy {
        /// How far apart two times must be to count as different.
        scale: f64,
        /// Weight of the cost of late correct spikes.
        early_weight: f64,
        /// How quickly that cost grows.
        early_scale: f64,
    },
    /// Target times. The label whose neuron is closest to the target of the correct one is the
    /// decision.
    MeanSquaredError {
        /// Target of the correct label neuron.
        correct: f64,
        /// Target of the others.
        wrong: f64,
    },
    /// Wrong label neurons should spike `margin` after the correct one. The label whose neuron
    /// spikes first is the decision.
    ShiftInvariantMeanSquaredError {
        /// How much later.
        margin: f64,
    },
}

/// The optimiser.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub enum OptimiserSpec {
    /// Adam.
    Adam(AdamSpec),
}

impl Default for OptimiserSpec {
    fn default() -> Self {
        OptimiserSpec::Adam(AdamSpec::default())
    }
}

/// Settings of Adam.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AdamSpec {
    /// Step size at the start.
    pub learning_rate: f64,
    /// Decay of the running mean of the gradient.
    pub beta1: f64,
    /// Decay of the running mean of the squared gradient.
    pub beta2: f64,
}

impl Default for AdamSpec {
    fn default() -> Self {
        AdamSpec { learning_rate: 0.005, beta1: 0.9, beta2: 0.999 }
    }
}

/// How the learning rate changes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub enum ScheduleSpec {
    /// It stays.
    Constant,
    /// Multiplied by `factor` every `every` epochs.
    Step {
        /// Epochs between steps.
        every: usize,
        /// Factor of each step, 0 to 1.
        factor: f64,
    },
    /// Half a cosine, from the initial rate to zero.
    #[default]
    Cosine,
}

/// A remedy for silent neurons.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub enum RemedySpec {
    /// None.
    #[default]
    Ignore,
    /// The paper's weight bump.
    Bump {
        /// Per layer: allowed fraction of silent (sample, neuron) pairs.
        allowed: Vec<f64>,
        /// First increase of the weights.
        amount: f64,
    },
    /// A push for each neuron that is silent too often, beside the gradient step.
    Nudge {
        /// Per layer: allowed fraction of samples in which a neuron is silent.
        allowed: Vec<f64>,
        /// Increase for a neuron that is always silent.
        amount: f64,
    },
}

/// Which epoch's weights are kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SelectSpec {
    /// Those of the last epoch.
    #[default]
    Last,
    /// Those with the best accuracy on the validation set; of equal ones the latest.
    BestValidation,
}
