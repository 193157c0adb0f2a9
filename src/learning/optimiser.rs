//! How weights follow their gradients.

use serde::{Deserialize, Serialize};

use super::{StateError, TrainerState};
use crate::settings::{Check, Settings};

/// Settings of the optimiser Adam.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct AdamSettings {
    /// Step size at the start of training. In units of weight. Above zero. Default: 0.005.
    pub learning_rate: f64,
    /// Decay of the running mean of the gradient. From 0 to below 1. Default: 0.9.
    pub beta1: f64,
    /// Decay of the running mean of the squared gradient. From 0 to below 1. Default: 0.999.
    pub beta2: f64,
    /// Added to the root mean square so that a vanishing gradient does not divide by zero. 1e-8; files
    /// cannot change it.
    #[serde(skip)]
    pub epsilon: f64,
}

impl Default for AdamSettings {
    fn default() -> Self {
        AdamSettings { learning_rate: 0.005, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 }
    }
}

impl Settings for AdamSettings {
    fn check(&self, check: &mut Check<'_>) {
        check.positive("learning_rate", self.learning_rate);
        for (name, beta) in [("beta1", self.beta1), ("beta2", self.beta2)] {
            check.range(name, beta, 0.0..1.0, "from 0 up to, not including, 1");
        }
    }
}

/// The Adam optimiser (Kingma & Ba 2015) with bias correction.
#[derive(Clone, Debug)]
pub struct Adam {
    settings: AdamSettings,
    steps: i32,
    mean: Vec<f64>,
    square: Vec<f64>,
}

impl Adam {
    /// An optimiser for this many parameters.
    pub fn new(weights: usize, settings: AdamSettings) -> Self {
        Adam { settings, steps: 0, mean: vec![0.0; weights], square: vec![0.0; weights] }
    }

    /// Takes one step against the gradients, at `rate` times the settings' learning rate.
    pub fn step(&mut self, weights: &mut [f64], gradients: &[f64], rate: f64) {
        let step = self.begin_step(rate);
        step.apply(weights, gradients, &mut self.mean, &mut self.square);
    }

    /// Counts a step, whose parts can then be applied in any order.
    pub(super) fn begin_step(&mut self, rate: f64) -> AdamStep {
        let AdamSettings { learning_rate, beta1, beta2, epsilon } = self.settings;
        self.steps = self.steps.saturating_add(1);
        AdamStep {
            beta1,
            beta2,
            epsilon,
            rate: rate * learning_rate / (1.0 - beta1.powi(self.steps)),
            square_scale: 1.0 / (1.0 - beta2.powi(self.steps)),
        }
    }

    /// Adds the moments and the number of steps to a state.
    pub(super) fn save(&self, prefix: &str, state: &mut TrainerState) {
        state.set_counter(format!("{prefix}.steps"), self.steps as u64);
        state.set_array(format!("{prefix}.mean"), self.mean.clone());
        state.set_array(format!("{prefix}.square"), self.square.clone());
    }

    /// This optimiser as it was when it was saved.
    pub(super) fn restored(&self, prefix: &str, state: &TrainerState) -> Result<Self, StateError> {
        let moment = |name| state.array(&format!("{prefix}.{name}"), self.mean.len());
        Ok(Adam {
            settings: self.settings,
            steps: state.counter(&format!("{prefix}.steps"), i32::MAX as u64)? as i32,
            mean: moment("mean")?.to_vec(),
            square: moment("square")?.to_vec(),
        })
    }

    /// The running means of the gradients and of their squares.
    pub(super) fn moments_mut(&mut self) -> (&mut [f64], &mut [f64]) {
        (&mut self.mean, &mut self.square)
    }
}

/// One step of [`Adam`], to be applied to any part of the parameters with their moments.
#[derive(Clone, Copy, Debug)]
pub(super) struct AdamStep {
    beta1: f64,
    beta2: f64,
    epsilon: f64,
    /// Learning rate with the correction of the mean.
    rate: f64,
    /// Correction of the mean square.
    square_scale: f64,
}

impl AdamStep {
    /// The same step with another learning rate, by this factor.
    pub fn scaled(self, factor: f64) -> Self {
        AdamStep { rate: self.rate * factor, ..self }
    }

    #[inline(always)]
    pub fn apply<T: Copy + Into<f64>>(
        &self,
        weights: &mut [f64],
        gradients: &[T],
        means: &mut [f64],
        squares: &mut [f64],
    ) {
        let moments = means.iter_mut().zip(squares);
        for ((weight, &gradient), (mean, square)) in weights.iter_mut().zip(gradients).zip(moments)
        {
            let gradient = gradient.into();
            *mean = self.beta1 * *mean + (1.0 - self.beta1) * gradient;
            *square = self.beta2 * *square + (1.0 - self.beta2) * gradient * gradient;
            let root = (*square * self.square_scale).sqrt() + self.epsilon;
            *weight -= self.rate * *mean / root;
        }
    }
}

/// How the learning rate changes over the epochs, as a factor of its initial value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub enum Schedule {
    /// It stays.
    Constant,
    /// Multiplied by `factor` every `every` epochs.
    Step {
        /// How often. In epochs. At least 1.
        every: usize,
        /// Factor of each step. Above zero, at most 1.
        factor: f64,
    },
    /// Half a cosine from one to zero over all epochs of the run.
    #[default]
    Cosine,
}

impl Settings for Schedule {
    fn check(&self, check: &mut Check<'_>) {
        if let Schedule::Step { every, factor } = *self {
            check.at_least_one("step.every", every);
            check.require(factor > 0.0 && factor <= 1.0, "step.factor", || {
                format!("{factor} must be above 0 and at most 1")
            });
        }
    }
}

impl Schedule {
    /// Whether the learning rate of an epoch depends on how many epochs there are. A training that goes on
    /// for more of them is then another one from its first epoch.
    pub fn depends_on_epochs(&self) -> bool {
        match self {
            Schedule::Constant | Schedule::Step { .. } => false,
            Schedule::Cosine => true,
        }
    }

    /// The factor at a point of the run, `progress` epochs (with fraction) into `epochs`.
    pub fn factor(&self, progress: f64, epochs: usize) -> f64 {
        match *self {
            Schedule::Constant => 1.0,
            Schedule::Step { every, factor } => factor.powf((progress / every as f64).floor()),
            Schedule::Cosine => {
                0.5 * (1.0 + (std::f64::consts::PI * progress / epochs as f64).cos())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn adam_agrees_with_a_hand_calculation_and_finds_a_minimum() {
        let settings = AdamSettings { learning_rate: 0.1, ..AdamSettings::default() };
        let mut adam = Adam::new(1, settings);
        let mut weights = [3.0];
        adam.step(&mut weights, &[2.0], 1.0);
        // With bias correction the first step is the learning rate, whatever the gradient.
        assert!((weights[0] - 2.9).abs() < 1e-8);
        for _ in 0..500 {
            let gradient = 2.0 * (weights[0] - 1.0);
            adam.step(&mut weights, &[gradient], 1.0);
        }
        assert!((weights[0] - 1.0).abs() < 1e-3);
    }

    #[test]
    fn what_a_file_leaves_out_is_the_default() {
        let adam: AdamSettings = serde_json::from_str(r#"{"learning_rate": 0.1}"#).expect("valid");
        assert_eq!(adam, AdamSettings { learning_rate: 0.1, ..AdamSettings::default() });
        let problems = AdamSettings { beta2: 1.0, ..adam }.problems();
        assert_eq!(problems.len(), 1);
        assert_eq!(problems[0].to_string(), "beta2: 1 must be from 0 up to, not including, 1");
    }

    #[test]
    fn schedules_pass_their_marks() {
        let step = Schedule::Step { every: 20, factor: 0.95 };
        assert_eq!(
            [0.0, 19.9, 20.0, 40.0].map(|e| step.factor(e, 300)),
            [1.0, 1.0, 0.95, 0.95f64.powi(2)]
        );
        let cosine = [0.0, 50.0, 100.0].map(|epoch| Schedule::Cosine.factor(epoch, 100));
        assert!((cosine[0] - 1.0).abs() + (cosine[1] - 0.5).abs() + cosine[2].abs() < 1e-15);
        assert_eq!(Schedule::Constant.factor(7.0, 10), 1.0);
    }
}
