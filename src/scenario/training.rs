//! Training as a scenario states it.

use serde::{Deserialize, Serialize};

use super::Scenario;
use crate::dataset::Augmentation;
use crate::learning::{
    AdamSettings, LearningEngine, LearningRule, Loss, Margin, Schedule, SilentNeuronRule,
    TrainingSettings,
};
use crate::settings::{Check, Settings};

/// How a network is trained.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainingSection {
    /// Passes over the training set. At least 1.
    pub epochs: usize,
    /// Samples per step. At least 1. Default: 150.
    #[serde(default = "default_batch_size")]
    pub batch_size: usize,
    /// What the label neurons should do.
    pub loss: Loss,
    /// How the weights follow their gradients.
    #[serde(default)]
    pub optimiser: Optimiser,
    /// How the learning rate changes over the epochs.
    #[serde(default)]
    pub schedule: Schedule,
    /// Largest weight gradient of one neuron in one sample, beyond which that neuron's gradients
    /// from the sample are discarded (grazing spikes have diverging gradients); `inf` keeps all. Above
    /// zero. Default: 0.2.
    #[serde(default = "default_guard")]
    pub gradient_guard: f64,
    /// What is done about neurons that do not spike.
    #[serde(default)]
    pub silent_neurons: SilentNeuronRule,
    /// Which epoch's weights are kept.
    #[serde(default)]
    pub select: Select,
    /// Where derivatives come from if a chip or program runs the network. Default: `"twin"`.
    #[serde(default)]
    pub rule: LearningRule,
    /// How samples are varied whenever they are shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub augmentation: Option<Augmentation>,
}

fn default_batch_size() -> usize {
    150
}

fn default_guard() -> f64 {
    0.2
}

/// The optimiser.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub enum Optimiser {
    /// Adam.
    Adam(AdamSettings),
}

impl Default for Optimiser {
    fn default() -> Self {
        Optimiser::Adam(AdamSettings::default())
    }
}

impl Settings for Optimiser {
    fn check(&self, check: &mut Check<'_>) {
        let Optimiser::Adam(adam) = self;
        check.settings("adam", adam);
    }
}

/// Which epoch's weights are kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Select {
    /// Those of the last epoch.
    #[default]
    Last,
    /// Those with the best accuracy on the validation set; of equal ones the latest.
    BestValidation,
}

impl Settings for TrainingSection {
    fn check(&self, check: &mut Check<'_>) {
        check.at_least_one("epochs", self.epochs);
        check.at_least_one("batch_size", self.batch_size);
        check.require(self.gradient_guard > 0.0, "gradient_guard", || {
            format!("{} must be above 0 (inf for no guard)", self.gradient_guard)
        });
        check.settings("loss", &self.loss);
        check.settings("optimiser", &self.optimiser);
        check.settings("schedule", &self.schedule);
        check.settings("silent_neurons", &self.silent_neurons);
        if let Some(augmentation) = &self.augmentation {
            check.settings("augmentation", augmentation);
        }
    }
}

impl Scenario {
    /// What a feed-forward network's spikes are judged by, training or not.
    pub fn loss(&self) -> Loss {
        // Without training it says nothing but that the first label neuron to spike decides.
        let untrained = Loss::ShiftInvariantMeanSquaredError { margin: Margin::Fixed(0.0) };
        self.training.as_ref().map_or(untrained, |training| training.loss)
    }

    /// How samples are varied whenever training shows them.
    pub(super) fn augmentation(&self) -> Option<Augmentation> {
        let augmentation = self.training.as_ref()?.augmentation?;
        Some(Augmentation { seed: self.seed, ..augmentation })
    }

    /// The settings of training; with zero epochs for a scenario that does not train.
    pub(super) fn training_settings(&self) -> TrainingSettings {
        let delays = self.layers.iter().map(|layer| layer.delays.as_ref()?.trainable);
        let untrained = TrainingSettings {
            epochs: 0,
            batch_size: 1,
            loss: self.loss(),
            adam: AdamSettings::default(),
            schedule: Schedule::Constant,
            gradient_guard: None,
            silent_neurons: SilentNeuronRule::Ignore,
            delays: delays.collect(),
            seed: self.seed,
            engine: self.learning_engine(),
            input_span: 0.0,
            rule: LearningRule::default(),
        };
        let Some(training) = &self.training else { return untrained };
        let Optimiser::Adam(adam) = training.optimiser;
        let guard = training.gradient_guard;
        TrainingSettings {
            epochs: training.epochs,
            batch_size: training.batch_size,
            adam,
            schedule: training.schedule,
            gradient_guard: guard.is_finite().then_some(guard),
            silent_neurons: training.silent_neurons.clone(),
            rule: training.rule,
            ..untrained
        }
    }

    fn learning_engine(&self) -> LearningEngine {
        match (self.engine.unwrap_or_default(), self.precision.unwrap_or_default()) {
            (LearningEngine::FeedForward, super::Precision::Single) => {
                LearningEngine::FeedForwardSingle
            }
            (engine, _) => engine,
        }
    }
}
