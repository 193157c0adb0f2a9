//! Headless training: without files, and what its network comes to on the test set. Studies repeat it.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use super::RunError;
use super::training_files::SpikeCounter;
use crate::learning::{EncodedSet, LearningRule, Trainer, TrainerState};
use crate::scenario::{Hardware, Learner, LoadedScenario, Select};

/// What a trained network comes to. Accuracies are fractions of 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Measurement {
    /// Fraction of test samples decided correctly.
    pub test_accuracy: f64,
    /// Fraction of training samples decided correctly.
    pub train_accuracy: f64,
    /// Fraction of validation samples decided correctly.
    pub validation_accuracy: f64,
    /// Mean time of the first label spike on the test set, in the scenario's time unit; not a number if
    /// there was none.
    pub mean_decision_time: f64,
    /// Neurons' spikes per test sample; on a chip with a clock, while a sample lasts.
    pub spikes_per_sample: f64,
    /// Energy per test sample, in joules; none without a chip that has a clock and entries for energy.
    pub energy_per_sample: Option<f64>,
    /// Fraction of test samples in which no label neuron spiked.
    pub undecided: f64,
    /// Epochs of training.
    pub epochs: usize,
}

/// A training that writes no files.
pub struct HeadlessTraining {
    learner: Learner,
    hardware: Option<Hardware>,
    trainer: Trainer,
    training: EncodedSet,
    validation: EncodedSet,
    test: EncodedSet,
}

impl HeadlessTraining {
    /// Puts a scenario together; works on the threads of the present rayon pool. An external substrate
    /// has its files in `folder`.
    ///
    /// # Errors
    /// If the scenario names files that do not fit, or its network does not fit on its substrate.
    pub fn new(loaded: &LoadedScenario, folder: &Path) -> Result<Self, RunError> {
        let learner = loaded.learner()?;
        let hardware = loaded.hardware(&learner)?;
        let trainer = loaded.trainer(&learner, hardware.as_ref(), folder)?;
        Ok(HeadlessTraining {
            hardware,
            trainer,
            training: learner.encode_training(),
            validation: learner.encode(&learner.data.validation),
            test: learner.encode(&learner.data.test),
            learner,
        })
    }

    /// Trains as the scenario says, and keeps the epoch that it says. `None` if it was interrupted.
    ///
    /// # Errors
    /// If learning cannot go on.
    pub fn train(&mut self, interrupt: &AtomicBool) -> Result<Option<TrainerState>, RunError> {
        let mut best: Option<(f64, TrainerState)> = None;
        for _ in 0..self.learner.settings.epochs {
            if !self.train_epoch(interrupt)? {
                return Ok(None);
            }
            if self.learner.select == Select::BestValidation {
                let accuracy = self.trainer.evaluate(&self.validation)?.score.accuracy();
                if best.as_ref().is_none_or(|(so_far, _)| accuracy >= *so_far) {
                    best = Some((accuracy, self.trainer.parameters()));
                }
            }
        }
        if let Some((_, parameters)) = best {
            self.trainer.set_parameters(&parameters)?;
        }
        Ok(Some(self.trainer.parameters()))
    }

    /// Trains one epoch; whether it was not interrupted.
    ///
    /// # Errors
    /// If learning cannot go on.
    pub fn train_epoch(&mut self, interrupt: &AtomicBool) -> Result<bool, RunError> {
        let trained = self.trainer.train_epoch(&self.training, &mut |_| {
            if interrupt.load(Ordering::Relaxed) {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        })?;
        Ok(trained.is_some())
    }

    /// Takes over what was learned elsewhere.
    ///
    /// # Errors
    /// If it is of another network.
    pub fn set_parameters(&mut self, parameters: &TrainerState) -> Result<(), RunError> {
        Ok(self.trainer.set_parameters(parameters)?)
    }

    /// Epochs that the scenario asks for.
    pub fn epochs(&self) -> usize {
        self.learner.settings.epochs
    }

    /// What the network comes to as it is.
    ///
    /// # Errors
    /// If the engine fails on a sample.
    pub fn measure(&self) -> Result<Measurement, RunError> {
        let HeadlessTraining { trainer, learner, .. } = self;
        // What counts for the account is the test set's activity only.
        trainer.take_activity();
        let mut counter = SpikeCounter::new(&learner.network);
        let tested = trainer.evaluate_records(&self.test, |_, record, _| counter.count(record))?;
        let (score, on_substrate) = (tested.score, trainer.take_activity());
        let happened = if on_substrate.samples > 0 { on_substrate } else { counter.activity };
        let hardware = self.hardware.as_ref();
        let account =
            hardware.and_then(|hardware| hardware.account(&happened, score.decision_time()));
        Ok(Measurement {
            test_accuracy: score.accuracy(),
            train_accuracy: trainer.evaluate(&self.training)?.score.accuracy(),
            validation_accuracy: trainer.evaluate(&self.validation)?.score.accuracy(),
            mean_decision_time: score.decision_time(),
            // Counted over the same span as the energy, if there is one.
            spikes_per_sample: account.as_ref().map_or_else(
                || happened.spikes as f64 / happened.samples as f64,
                |account| account.spikes_per_sample,
            ),
            energy_per_sample: account.and_then(|account| account.energy_per_sample),
            undecided: score.undecided as f64 / score.samples as f64,
            epochs: self.epochs(),
        })
    }
}

/// The same scenario with another rule of training in the loop.
pub fn with_rule(mut loaded: LoadedScenario, rule: LearningRule) -> LoadedScenario {
    if let Some(training) = &mut loaded.scenario.training {
        training.rule = rule;
    }
    loaded
}

/// The same scenario without its substrate.
pub fn without_substrate(loaded: &LoadedScenario) -> LoadedScenario {
    let mut ideal = loaded.clone();
    ideal.scenario.chip = None;
    ideal.scenario.substrate = None;
    ideal
}
