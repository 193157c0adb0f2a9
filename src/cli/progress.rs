//! Progress on the terminal: a bar, or a plain line per epoch where there is no terminal.

use indicatif::{ProgressBar, ProgressStyle};

use super::console;
use crate::learning::{Diagnosis, EpochMetrics, Score, SpikeTrainMetrics};
use crate::run::{EngineSummary, Progress};

/// A progress bar with loss, accuracy and time left.
pub(super) struct Bar {
    bar: ProgressBar,
    samples_per_epoch: u64,
    validation: Option<f64>,
}

impl Bar {
    pub fn new() -> Self {
        let bar = ProgressBar::new_spinner();
        Bar { bar, samples_per_epoch: 0, validation: None }
    }
}

fn style(template: &str) -> ProgressStyle {
    // The templates are literals; a bar without style is better than none.
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

impl Progress for Bar {
    fn engine(&mut self, engine: &EngineSummary) {
        if engine.why_not_faster.is_some() {
            self.bar.suspend(|| print_engine(engine));
        }
    }

    fn start(&mut self, epochs: usize, samples_per_epoch: usize) {
        self.samples_per_epoch = samples_per_epoch as u64;
        self.bar.set_length(epochs as u64 * self.samples_per_epoch);
        // As wide as 80 columns with the longest message; a longer one is cut, never wrapped.
        self.bar.set_style(style("{bar:10} {wide_msg} {eta:>4} left"));
    }

    fn resume(&mut self, history: &[EpochMetrics]) {
        self.bar.set_position(history.len() as u64 * self.samples_per_epoch);
        // Time left is estimated from what is done from here on.
        self.bar.reset_eta();
        history.iter().for_each(|metrics| self.epoch(metrics));
    }

    fn resume_spike_trains(&mut self, epochs: usize) {
        self.bar.set_position(epochs as u64);
        self.bar.reset_eta();
    }

    fn batch(&mut self, epoch: usize, score: &Score) {
        self.bar.set_position((epoch as u64 - 1) * self.samples_per_epoch + score.samples);
        let validation = self
            .validation
            .map_or_else(String::new, |accuracy| format!("  validation {:.1} %", 100.0 * accuracy));
        self.bar.set_message(format!(
            "epoch {epoch}  loss {:.4}  training {:.1} %{validation}",
            score.loss(),
            100.0 * score.accuracy(),
        ));
    }

    fn epoch(&mut self, metrics: &EpochMetrics) {
        self.validation = metrics.validation.map(|score| score.accuracy());
    }

    fn spike_trains(&mut self, metrics: &SpikeTrainMetrics) {
        self.bar.set_position(metrics.epoch as u64);
        self.bar.set_message(spike_train_line(metrics));
    }

    fn trouble(&mut self, diagnosis: &Diagnosis) {
        self.bar.suspend(|| print_trouble(diagnosis));
    }

    fn stage(&mut self, what: &str) {
        self.bar.set_style(style("{spinner} {wide_msg}"));
        self.bar.set_message(what.to_owned());
        self.bar.tick();
    }

    fn finish(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// A line per epoch.
pub(super) struct Lines {
    epochs: usize,
    seconds: f64,
}

impl Lines {
    pub fn new() -> Self {
        Lines { epochs: 0, seconds: 0.0 }
    }
}

impl Progress for Lines {
    fn engine(&mut self, engine: &EngineSummary) {
        if engine.why_not_faster.is_some() {
            print_engine(engine);
        }
    }

    fn start(&mut self, epochs: usize, _samples_per_epoch: usize) {
        self.epochs = epochs;
    }

    fn resume(&mut self, history: &[EpochMetrics]) {
        self.seconds = history.iter().map(|metrics| metrics.seconds).sum();
    }

    fn epoch(&mut self, metrics: &EpochMetrics) {
        self.seconds += metrics.seconds;
        let validation = metrics.validation.map_or_else(String::new, |score| {
            format!("  validation {:.2} %", 100.0 * score.accuracy())
        });
        let left = self.seconds / metrics.epoch as f64 * (self.epochs - metrics.epoch) as f64;
        console::err!(
            "epoch {:>4}/{}  loss {:.5}  training {:.2} %{validation}  {left:.0} s left",
            metrics.epoch,
            self.epochs,
            metrics.training.loss(),
            100.0 * metrics.training.accuracy(),
        );
    }

    fn spike_trains(&mut self, metrics: &SpikeTrainMetrics) {
        // Epochs are short: a line for every hundredth is enough.
        if metrics.epoch.is_multiple_of(100) || metrics.epoch == self.epochs {
            console::err!(
                "epoch {:>4}/{}  {}",
                metrics.epoch,
                self.epochs,
                spike_train_line(metrics)
            );
        }
    }

    fn trouble(&mut self, diagnosis: &Diagnosis) {
        print_trouble(diagnosis);
    }

    fn stage(&mut self, what: &str) {
        console::err!("{what}");
    }
}

/// Says what runs the network: before the run, because it may be worth stopping.
pub(super) fn print_engine(engine: &EngineSummary) {
    console::err!("engine: {engine}");
}

fn spike_train_line(metrics: &SpikeTrainMetrics) -> String {
    format!(
        "timing error {:.5}  missing {}  extra {}",
        metrics.timing_error(),
        metrics.missing,
        metrics.extra
    )
}

/// Warnings only.
pub(super) struct Quiet;

impl Progress for Quiet {
    fn trouble(&mut self, diagnosis: &Diagnosis) {
        print_trouble(diagnosis);
    }
}

fn print_trouble(diagnosis: &Diagnosis) {
    console::err!("warning: {}\n  what to do: {}", diagnosis.finding, diagnosis.advice);
}
