//! How learning goes: loss, accuracy, and which neurons take part.

use serde::{Deserialize, Serialize};

use super::exact;

/// Loss and decisions over a number of samples.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Score {
    /// How many samples.
    pub samples: u64,
    /// How many were decided correctly.
    pub correct: u64,
    /// How many had no label spike at all, so that no decision was made.
    pub undecided: u64,
    /// Sum of the losses.
    #[serde(with = "exact")]
    pub loss_sum: f64,
    /// Sum of the times of the first label spike, over the decided samples.
    #[serde(with = "exact")]
    pub decision_time_sum: f64,
}

impl Score {
    /// Fraction of samples decided correctly, 0 to 1.
    pub fn accuracy(&self) -> f64 {
        self.correct as f64 / self.samples as f64
    }

    /// Mean loss per sample.
    pub fn loss(&self) -> f64 {
        self.loss_sum / self.samples as f64
    }

    /// Mean time of the first label spike, in time units.
    pub fn decision_time(&self) -> f64 {
        self.decision_time_sum / (self.samples - self.undecided) as f64
    }

    pub(super) fn add(&mut self, other: &Score) {
        self.samples += other.samples;
        self.correct += other.correct;
        self.undecided += other.undecided;
        self.loss_sum += other.loss_sum;
        self.decision_time_sum += other.decision_time_sum;
    }
}

/// How the neurons of one layer took part in a number of samples.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LayerActivity {
    /// Per neuron: in how many samples it spiked.
    pub spikes: Vec<u64>,
    /// Spikes that came after the first label spike: too late to influence the decision.
    pub late: u64,
    /// How many samples.
    pub samples: u64,
}

impl LayerActivity {
    pub(super) fn new(neurons: usize) -> Self {
        LayerActivity { spikes: vec![0; neurons], late: 0, samples: 0 }
    }

    /// Fraction of (sample, neuron) pairs without a spike, 0 to 1.
    pub fn silent_fraction(&self) -> f64 {
        let pairs = self.samples as f64 * self.spikes.len() as f64;
        1.0 - self.spikes.iter().sum::<u64>() as f64 / pairs
    }

    /// Fraction of (sample, neuron) pairs with a spike after the first label spike, 0 to 1.
    pub fn late_fraction(&self) -> f64 {
        self.late as f64 / (self.samples as f64 * self.spikes.len() as f64)
    }

    /// How many neurons spiked in no sample.
    pub fn dead_neurons(&self) -> usize {
        self.spikes.iter().filter(|&&count| count == 0).count()
    }

    pub(super) fn add(&mut self, other: &LayerActivity) {
        for (count, more) in self.spikes.iter_mut().zip(&other.spikes) {
            *count += more;
        }
        self.late += other.late;
        self.samples += other.samples;
    }
}

/// What a set of samples came to.
#[derive(Clone, Debug, PartialEq)]
pub struct Evaluation {
    /// Loss and decisions.
    pub score: Score,
    /// Per layer: which neurons took part.
    pub layers: Vec<LayerActivity>,
}

/// What one epoch of training did.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EpochMetrics {
    /// Number of the epoch, from 1.
    pub epoch: usize,
    /// Learning rate of its last batch.
    #[serde(with = "exact")]
    pub learning_rate: f64,
    /// Over the training set, each sample as it was when its batch was learned.
    pub training: Score,
    /// Over the validation set after the epoch, if there is one.
    pub validation: Option<Score>,
    /// Per layer, over the training set.
    pub layers: Vec<LayerActivity>,
    /// Fraction of (sample, neuron) pairs whose weight gradients the guard discarded.
    #[serde(with = "exact")]
    pub guarded_fraction: f64,
    /// Batches in which weights of silent neurons were bumped. Files call them `raised_batches`.
    #[serde(rename = "raised_batches")]
    pub bumped_batches: u64,
    /// Batches of the epoch.
    pub batches: u64,
    /// Wall-clock time of the epoch's training, in seconds.
    #[serde(with = "exact")]
    pub seconds: f64,
}
