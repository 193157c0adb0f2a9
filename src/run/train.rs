//! Training and evaluation of a feed-forward network, with all its files.

use std::io::{self, Write};
use std::ops::ControlFlow;
use std::sync::atomic::Ordering;
use std::time::Instant;

use super::summary::{LayerSummary, warning};
use super::{OutputFolder, Progress, RunError, RunOptions, TrainingSummary, network_file, picture};
use crate::learning::{Diagnosis, EncodedSet, EpochMetrics, Score, Trainer, diagnose};
use crate::scenario::{Learner, LoadedScenario, SelectSpec};
use crate::trace::TraceWriter;

/// Epochs after which no new trouble is looked for: what hinders learning shows early.
const EARLY_EPOCHS: usize = 10;

/// Trains and evaluates a feed-forward scenario on the threads of the present rayon pool, and
/// writes `scenario.toml`, `metrics.csv`, `summary.json`, `spikes.csv` (of the test set),
/// `network.json`, and for data in a plane `class_map.svg` and `class_map.png`.
///
/// # Errors
/// If the scenario names files that do not fit, the folder cannot be written, or learning diverges.
pub fn train(
    loaded: &LoadedScenario,
    options: &RunOptions<'_>,
    progress: &mut dyn Progress,
) -> Result<TrainingSummary, RunError> {
    let start = Instant::now();
    let mut learner = loaded.learner()?;
    let folder = OutputFolder::open(loaded, options)?;

    let mut trainer = Trainer::new(&learner.network, learner.settings.clone());
    let validation = learner.encode(&learner.data.validation);
    let training = learner.encode(&learner.data.training);
    let unit = loaded.scenario.time_unit.suffix();
    let mut session = Session {
        learner: &learner,
        options,
        progress,
        history: Vec::new(),
        troubles: Vec::new(),
        best: None,
    };
    session.epochs(&mut trainer, &training, &validation, &folder, unit)?;
    let Session { history, troubles, best, progress, .. } = session;
    if let Some(best) = &best {
        trainer.set_weights(&best.weights);
    }

    progress.stage("evaluating");
    let test = learner.encode(&learner.data.test);
    let (test_score, activity) = trainer.evaluate(&test)?;
    let (train_score, _) = trainer.evaluate(&training)?;
    let (validation_score, _) = trainer.evaluate(&validation)?;
    trainer.network().write_weights_to(&mut learner.network.network);
    let decided = write_spikes(&learner, &trainer, &test, &folder, unit)?;
    folder
        .write("network.json", |file| network_file::write(&learner.network.network, unit, file))?;
    if let Some(plane) = learner.data.plane {
        progress.stage("drawing the class map");
        let title = format!("test accuracy {:.1} %", 100.0 * test_score.accuracy());
        let (svg, png) = picture::class_map(&learner, &trainer, &plane, &decided, &title)?;
        folder.write("class_map.svg", |file| file.write_all(svg.as_bytes()))?;
        folder.write("class_map.png", |file| file.write_all(&png))?;
    }

    let layers = learner.layer_names.iter().zip(&activity);
    let summary = TrainingSummary {
        scenario: loaded.scenario.name.clone(),
        version: env!("CARGO_PKG_VERSION"),
        seed: loaded.scenario.seed,
        test_accuracy: test_score.accuracy(),
        train_accuracy: train_score.accuracy(),
        validation_accuracy: validation_score.accuracy(),
        test_loss: test_score.loss(),
        test_undecided: test_score.undecided as f64 / test_score.samples as f64,
        mean_decision_time: test_score.decision_time(),
        time_unit: unit,
        epochs: history.len(),
        selected_epoch: best.map_or(history.len(), |best| best.epoch),
        interrupted: history.len() < learner.settings.epochs,
        seconds_per_epoch: history.iter().map(|epoch| epoch.seconds).sum::<f64>()
            / history.len().max(1) as f64,
        seconds: start.elapsed().as_secs_f64(),
        threads: rayon::current_num_threads(),
        layers: layers.map(|(name, activity)| LayerSummary::new(name, activity)).collect(),
        warnings: troubles.iter().map(warning).collect(),
    };
    folder.write_json("summary.json", &summary)?;
    progress.finish();
    Ok(summary)
}

/// The weights that are best on the validation set so far.
struct Best {
    epoch: usize,
    accuracy: f64,
    weights: Vec<f64>,
}

/// The epochs of one run.
struct Session<'a, 'p> {
    learner: &'a Learner,
    options: &'a RunOptions<'a>,
    progress: &'p mut dyn Progress,
    history: Vec<EpochMetrics>,
    troubles: Vec<Diagnosis>,
    best: Option<Best>,
}

impl Session<'_, '_> {
    fn epochs(
        &mut self,
        trainer: &mut Trainer,
        training: &EncodedSet,
        validation: &EncodedSet,
        folder: &OutputFolder,
        unit: &str,
    ) -> Result<(), RunError> {
        let epochs = self.learner.settings.epochs;
        self.progress.start(epochs, training.len());
        for epoch in 1..=epochs {
            let (progress, interrupt) = (&mut *self.progress, self.options.interrupt);
            let mut after_batch = |score: &Score| {
                progress.batch(epoch, score);
                if interrupt.load(Ordering::Relaxed) {
                    ControlFlow::Break(())
                } else {
                    ControlFlow::Continue(())
                }
            };
            let Some(mut metrics) = trainer.train_epoch(training, &mut after_batch)? else { break };
            let score = trainer.evaluate(validation)?.0;
            metrics.validation = Some(score);
            self.keep_best(trainer, epoch, score.accuracy());
            self.progress.epoch(&metrics);
            self.history.push(metrics);
            self.look_for_trouble();
            folder.write("metrics.csv", |file| {
                write_metrics(file, &self.history, &self.learner.layer_names, unit)
            })?;
        }
        Ok(())
    }

    fn keep_best(&mut self, trainer: &Trainer, epoch: usize, accuracy: f64) {
        if self.learner.select == SelectSpec::BestValidation
            && self.best.as_ref().is_none_or(|best| accuracy >= best.accuracy)
        {
            let weights = trainer.network().weights().to_vec();
            self.best = Some(Best { epoch, accuracy, weights });
        }
    }

    fn look_for_trouble(&mut self) {
        if self.history.len() > EARLY_EPOCHS {
            return;
        }
        let classes = self.learner.data.class_names.len();
        for found in diagnose(&self.history, &self.learner.layer_names, classes) {
            // Once is enough for each kind of advice.
            if self.troubles.iter().all(|known| known.advice != found.advice) {
                self.progress.trouble(&found);
                self.troubles.push(found);
            }
        }
    }
}

/// One row per epoch. Wall-clock times are left out (they are in the summary), so that equal runs
/// give equal bytes.
fn write_metrics(
    file: &mut impl Write,
    history: &[EpochMetrics],
    layer_names: &[String],
    unit: &str,
) -> io::Result<()> {
    let mut writer = csv::Writer::from_writer(file);
    let mut heading: Vec<String> = [
        "epoch",
        "learning_rate",
        "training_loss",
        "training_accuracy",
        "validation_loss",
        "validation_accuracy",
        "undecided_fraction",
    ]
    .map(str::to_owned)
    .to_vec();
    heading.push(format!("mean_decision_time_{unit}"));
    heading.extend(["guarded_fraction", "raised_batches"].map(str::to_owned));
    for name in layer_names {
        heading.extend(["silent", "late", "dead"].map(|what| format!("{what}_{name}")));
    }
    writer.write_record(&heading)?;
    for epoch in history {
        let training = &epoch.training;
        let mut row = vec![
            epoch.epoch as f64,
            epoch.learning_rate,
            training.loss(),
            training.accuracy(),
            epoch.validation.map_or(f64::NAN, |score| score.loss()),
            epoch.validation.map_or(f64::NAN, |score| score.accuracy()),
            training.undecided as f64 / training.samples as f64,
            training.decision_time(),
            epoch.guarded_fraction,
            epoch.raised_batches as f64,
        ];
        for layer in &epoch.layers {
            row.extend([
                layer.silent_fraction(),
                layer.late_fraction(),
                layer.dead_neurons() as f64,
            ]);
        }
        writer.write_record(row.iter().map(f64::to_string))?;
    }
    writer.flush()
}

/// Writes the trace of the test set; returns the decision on each sample.
fn write_spikes(
    learner: &Learner,
    trainer: &Trainer,
    test: &EncodedSet,
    folder: &OutputFolder,
    unit: &str,
) -> Result<Vec<Option<usize>>, RunError> {
    let populations = trainer.network().populations();
    let mut place = vec![(0, 0); trainer.network().node_count()];
    for (index, population) in populations.iter().enumerate() {
        for (neuron, node) in population.nodes.clone().enumerate() {
            place[node] = (index, neuron as u32);
        }
    }
    let mut decisions = Vec::with_capacity(learner.data.test.len());
    let mut failed = None;
    folder
        .write("spikes.csv", |file| {
            let mut writer = TraceWriter::new(file, unit)?;
            let mut written = Ok(());
            let ran = trainer.for_each_record(test, |sample, record, decided| {
                decisions.push(decided);
                for (node, time) in record.in_order() {
                    if written.is_ok() {
                        let (population, neuron) = place[node];
                        written = writer.write(
                            sample as u32,
                            &populations[population].name,
                            neuron,
                            time,
                        );
                    }
                }
            });
            if let Err(error) = ran {
                failed = Some(error);
                return Err(io::Error::other("the run failed"));
            }
            written?;
            writer.finish()
        })
        .map_err(|error| failed.take().map_or(error, RunError::Learning))?;
    Ok(decisions)
}
