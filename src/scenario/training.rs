//! Training as a scenario states it.

use serde::{Deserialize, Serialize};

use super::{Scenario, shorthand};
use crate::dataset::Augmentation;
use crate::learning::{
    AdamSettings, LearningEngine, LearningRule, Loss, Margin, Schedule, SilentNeuronRule,
    TrainingSettings,
};
use crate::network::LayeredNetwork;
use crate::settings::{Check, Settings};

/// How a network is trained.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct TrainingSection {
    /// Passes over the training set. At least 1. Default: as many as make 3000 steps, from 30 to 300.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epochs: Option<usize>,
    /// Samples per step. At least 1. Default: a twentieth of the training set, from 10 to 150.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch_size: Option<usize>,
    /// What the label neurons should do. Default: `first_spike_cross_entropy`, with a scale of 0.022 of the
    /// encoding's range, an early weight of 0.005, and an early scale of the synaptic time constant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub loss: Option<Loss>,
    /// How the weights follow their gradients. `adam` alone stands for its defaults. Default: `adam`.
    #[serde(default, deserialize_with = "shorthand::optimiser")]
    #[cfg_attr(feature = "schema", schemars(schema_with = "shorthand::optimiser_schema"))]
    pub optimiser: Optimiser,
    /// How the learning rate changes over the epochs.
    #[serde(default)]
    pub schedule: Schedule,
    /// Largest weight gradient of one neuron in one sample, beyond which that neuron's gradients
    /// from the sample are discarded (grazing spikes have diverging gradients); `inf` keeps all. Above
    /// zero. Default: 0.2, or 30 divided by the size of a batch if that is not given either (what one sample adds to the
    /// mean of a batch).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gradient_guard: Option<f64>,
    /// What is done about neurons that do not spike. `true` stands for `auto`, `false` for `ignore`. Default:
    /// `auto`.
    #[serde(default = "automatic", deserialize_with = "shorthand::silent_neurons")]
    #[cfg_attr(feature = "schema", schemars(schema_with = "shorthand::silent_neurons_schema"))]
    pub silent_neurons: SilentNeuronRule,
    /// Which epoch's weights are kept.
    #[serde(default)]
    pub select: Select,
    /// Where derivatives come from if a chip or program runs the network. Default: `"twin"`.
    #[serde(default)]
    pub rule: LearningRule,
    /// How samples are varied whenever they are shown. Default: noise on spike times if the scenario has no
    /// `[encoding]`, else not at all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub augmentation: Option<Augmentation>,
}

fn automatic() -> SilentNeuronRule {
    SilentNeuronRule::Auto
}

/// The optimiser.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
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
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Select {
    /// Those of the last epoch.
    #[default]
    Last,
    /// Those with the best accuracy on the validation set; of equal ones the latest.
    BestValidation,
}

/// Steps of the optimiser that a training takes by default, unless that is too few or too many epochs.
const STEPS: usize = 3000;

/// The largest batch by default.
const LARGEST_BATCH: usize = 150;

/// The gradient guard by default, in batches of that size.
const GUARD: f64 = 0.2;

/// Samples per step if nothing is said, for a training set of so many.
pub(super) fn default_batch_size(samples: usize) -> usize {
    (samples / 20).clamp(10, LARGEST_BATCH)
}

/// Passes over a training set of so many samples if nothing is said.
pub(super) fn default_epochs(samples: usize, batch_size: usize) -> usize {
    STEPS.div_ceil(samples.div_ceil(batch_size).max(1)).clamp(30, 300)
}

impl Settings for TrainingSection {
    fn check(&self, check: &mut Check<'_>) {
        check.at_least_one("epochs", self.epochs.unwrap_or(1));
        check.at_least_one("batch_size", self.batch_size.unwrap_or(1));
        let guard = self.gradient_guard.unwrap_or(GUARD);
        check.require(guard > 0.0, "gradient_guard", || {
            format!("{guard} must be above 0 (inf for no guard)")
        });
        if let Some(loss) = &self.loss {
            check.settings("loss", loss);
        }
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
        self.training.as_ref().and_then(|training| training.loss).unwrap_or(untrained)
    }

    /// How samples are varied whenever training shows them.
    pub(super) fn augmentation(&self) -> Option<Augmentation> {
        let augmentation = self.training.as_ref()?.augmentation?;
        Some(Augmentation { seed: self.seed, ..augmentation })
    }

    /// The settings of training a network with so many samples; with zero epochs for a scenario that does not
    /// train.
    pub(super) fn training_settings(
        &self,
        network: &LayeredNetwork,
        samples: usize,
    ) -> TrainingSettings {
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
        let batch_size = training.batch_size.unwrap_or_else(|| default_batch_size(samples));
        let guard = training.gradient_guard.unwrap_or(match training.batch_size {
            Some(_) => GUARD,
            None => GUARD * LARGEST_BATCH as f64 / batch_size as f64,
        });
        TrainingSettings {
            epochs: training.epochs.unwrap_or_else(|| default_epochs(samples, batch_size)),
            batch_size,
            adam,
            schedule: training.schedule,
            gradient_guard: guard.is_finite().then_some(guard),
            silent_neurons: training.silent_neurons.for_network(network),
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
