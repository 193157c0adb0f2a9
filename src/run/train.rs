//! Training and evaluation of a feed-forward network, with all its files.

use std::io::{self, Write};
use std::ops::ControlFlow;
use std::sync::atomic::Ordering;
use std::time::Instant;

use super::checkpoint::{self, Best, Checkpoint, Previous, previous};
use super::summary::{LayerSummary, warning};
use super::{OutputFolder, Progress, RunError, RunOptions, TrainingSummary, network_file, picture};
use crate::chip::{Activity, HardwareAccount, HardwareClock};
use crate::learning::{EncodedSet, EpochMetrics, Score, Trainer, diagnose};
use crate::network::LayeredNetwork;
use crate::scenario::{Hardware, Learner, LoadedScenario, SelectSpec};
use crate::trace::TraceWriter;

/// Epochs after which no new trouble is looked for: what hinders learning shows early.
const EARLY_EPOCHS: usize = 10;

/// Trains and evaluates a feed-forward scenario on the threads of the present rayon pool, and
/// writes `scenario.toml`, `metrics.csv`, `summary.json`, `spikes.csv` (of the test set),
/// `network.json`, and for data in a plane `class_map.svg` and `class_map.png`. Goes on from a checkpoint of the same
/// scenario if there is one ([`previous`](super::previous)); the results are the same bytes.
///
/// An interrupted run writes all of this for its complete epochs, and keeps its checkpoint. A run
/// that starts anew replaces an older checkpoint when it writes its first, but one of the same
/// scenario only once it is as far: it may be worth hours, and was perhaps left behind by mistake.
///
/// # Errors
/// If the scenario names files that do not fit, the folder cannot be written, learning diverges,
/// or the checkpoint is not of this scenario.
pub fn train(
    loaded: &LoadedScenario,
    options: &RunOptions<'_>,
    resume: Option<Checkpoint>,
    progress: &mut dyn Progress,
) -> Result<TrainingSummary, RunError> {
    let start = Instant::now();
    let mut learner = loaded.learner()?;
    let hardware = loaded.hardware(&learner)?;
    let mut trainer = match loaded.in_the_loop(&learner, hardware.as_ref(), &options.out)? {
        Some(in_the_loop) => {
            Trainer::in_the_loop(&learner.network, learner.settings.clone(), in_the_loop).map_err(
                |error| loaded.problem("layers", &format!("training on a substrate: {error}")),
            )?
        }
        None => Trainer::new(&learner.network, learner.settings.clone()).map_err(|error| {
            loaded.problem("engine", &format!("the feed-forward engine: {error}"))
        })?,
    };
    // A checkpoint further on than this run is the better one, also for a run that starts anew.
    let further = match (&resume, previous(loaded, &options.out)) {
        (None, Ok(Previous::Stopped(older))) => older.epochs(),
        _ => 0,
    };
    let so_far = match resume {
        Some(checkpoint) => {
            trainer.restore(&checkpoint.trainer)?;
            checkpoint
        }
        None => Checkpoint { trainer: trainer.state(), ..Checkpoint::default() },
    };
    let folder = OutputFolder::create(&options.out)?;
    let unit = loaded.scenario.time_unit.suffix();
    let seconds_before = so_far.seconds;
    let clock = hardware.as_ref().and_then(|hardware| hardware.clock);
    let mut session = Session {
        loaded,
        clock,
        learner: &learner,
        options,
        folder: &folder,
        progress,
        so_far,
        start,
        seconds_before,
        further,
    };
    // From here to its end the run has a checkpoint, if only an older one for now.
    if !folder.file(checkpoint::FILE).exists() {
        session.save()?;
    }
    folder.write_scenario(loaded)?;

    let validation = learner.encode(&learner.data.validation);
    let training = learner.encode(&learner.data.training);
    session.epochs(&mut trainer, &training, &validation)?;
    let Session { so_far, progress, .. } = session;
    let Checkpoint { best, history, troubles, .. } = so_far;
    if let Some(best) = &best {
        trainer.set_parameters(&best.parameters)?;
    }

    progress.stage("evaluating");
    let test = learner.encode(&learner.data.test);
    // What counts for the account is the test set's activity only.
    trainer.take_activity();
    let (test_score, activity) = trainer.evaluate(&test)?;
    let on_substrate = trainer.take_activity();
    let (train_score, _) = trainer.evaluate(&training)?;
    let (validation_score, _) = trainer.evaluate(&validation)?;
    trainer.write_to(&mut learner.network.network);
    let (decided, recorded) = write_spikes(&learner, &trainer, &test, &folder, unit, clock)?;
    let account = hardware.as_ref().and_then(|hardware| {
        let Hardware { sheet, clock, tau_s, batch_size } = hardware;
        let happened = if on_substrate.samples > 0 { on_substrate } else { recorded };
        let decision_time = test_score.decision_time();
        HardwareAccount::new(sheet, (*clock)?, *tau_s, &happened, decision_time, *batch_size)
    });
    folder
        .write("network.json", |file| network_file::write(&learner.network.network, unit, file))?;
    if let Some(plane) = learner.data.plane {
        progress.stage("drawing the class map");
        let title = format!("test accuracy {:.1} %", 100.0 * test_score.accuracy());
        let (svg, png) = picture::class_map(&learner, &trainer, &plane, &decided, &title)?;
        folder.write("class_map.svg", |file| file.write_all(svg.as_bytes()))?;
        folder.write("class_map.png", |file| file.write_all(&png))?;
    }

    let layers = learner.layer_names.iter().zip(&activity).zip(learner.network.layer_delays());
    let summary = TrainingSummary {
        scenario: loaded.scenario.name.clone(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        seed: loaded.scenario.seed,
        test_accuracy: test_score.accuracy(),
        train_accuracy: train_score.accuracy(),
        validation_accuracy: validation_score.accuracy(),
        test_loss: test_score.loss(),
        test_undecided: test_score.undecided as f64 / test_score.samples as f64,
        mean_decision_time: test_score.decision_time(),
        time_unit: unit.to_owned(),
        epochs: history.len(),
        selected_epoch: best.map_or(history.len(), |best| best.epoch),
        interrupted: history.len() < learner.settings.epochs,
        seconds_per_epoch: history.iter().map(|epoch| epoch.seconds).sum::<f64>()
            / history.len().max(1) as f64,
        seconds: seconds_before + start.elapsed().as_secs_f64(),
        threads: rayon::current_num_threads(),
        engine: trainer.engine().to_owned(),
        hardware: account,
        layers: layers
            .map(|((name, activity), delays)| LayerSummary::new(name, activity, delays))
            .collect(),
        warnings: troubles.iter().map(warning).chain(trainer.warnings()).collect(),
    };
    folder.write_json("summary.json", &summary)?;
    if !summary.interrupted {
        folder.remove(checkpoint::FILE)?;
    }
    progress.finish();
    Ok(summary)
}

/// The epochs of one run.
struct Session<'a, 'p> {
    loaded: &'a LoadedScenario,
    clock: Option<HardwareClock>,
    learner: &'a Learner,
    options: &'a RunOptions<'a>,
    folder: &'a OutputFolder,
    progress: &'p mut dyn Progress,
    /// After the last complete epoch.
    so_far: Checkpoint,
    start: Instant,
    /// What earlier parts of the run took.
    seconds_before: f64,
    /// Epochs of the checkpoint that is there already.
    further: usize,
}

impl Session<'_, '_> {
    fn epochs(
        &mut self,
        trainer: &mut Trainer,
        training: &EncodedSet,
        validation: &EncodedSet,
    ) -> Result<(), RunError> {
        let epochs = self.learner.settings.epochs;
        self.progress.start(epochs, training.len());
        if !self.so_far.history.is_empty() {
            self.progress.resume(&self.so_far.history);
            self.write_metrics()?;
        }
        let mut saved = Instant::now();
        for epoch in self.so_far.epochs() + 1..=epochs {
            let (progress, interrupt) = (&mut *self.progress, self.options.interrupt);
            let mut after_batch = |score: &Score| {
                progress.batch(epoch, score);
                if interrupt.load(Ordering::Relaxed) {
                    ControlFlow::Break(())
                } else {
                    ControlFlow::Continue(())
                }
            };
            let trained = trainer.train_epoch(training, &mut after_batch);
            let evaluated = trained.and_then(|metrics| {
                let Some(metrics) = metrics else { return Ok(None) };
                Ok(Some((metrics, trainer.evaluate(validation)?.0)))
            });
            let (mut metrics, score) = match evaluated {
                Ok(Some(done)) => done,
                stopped => {
                    // What is written is of whole epochs, and so is what the run goes on from.
                    trainer.restore(&self.so_far.trainer)?;
                    self.save()?;
                    return stopped.map(drop).map_err(RunError::from);
                }
            };
            metrics.validation = Some(score);
            self.keep_best(trainer, epoch, score.accuracy());
            self.progress.epoch(&metrics);
            self.so_far.history.push(metrics);
            self.look_for_trouble();
            self.so_far.trainer = trainer.state();
            self.write_metrics()?;
            if saved.elapsed() >= self.options.checkpoint_every {
                self.save()?;
                saved = Instant::now();
            }
        }
        Ok(())
    }

    fn save(&mut self) -> Result<(), RunError> {
        if self.so_far.epochs() < self.further {
            return Ok(());
        }
        self.so_far.seconds = self.seconds_before + self.start.elapsed().as_secs_f64();
        self.so_far.write(self.folder, self.loaded)
    }

    fn write_metrics(&self) -> Result<(), RunError> {
        let unit = self.loaded.scenario.time_unit.suffix();
        self.folder.write("metrics.csv", |file| {
            let layers = &self.learner.layer_names;
            write_metrics(file, &self.so_far.history, layers, unit, self.clock)
        })
    }

    fn keep_best(&mut self, trainer: &Trainer, epoch: usize, accuracy: f64) {
        let best = &mut self.so_far.best;
        if self.learner.select == SelectSpec::BestValidation
            && best.as_ref().is_none_or(|best| accuracy >= best.accuracy)
        {
            *best = Some(Best { epoch, accuracy, parameters: trainer.parameters() });
        }
    }

    fn look_for_trouble(&mut self) {
        let Checkpoint { history, troubles, .. } = &mut self.so_far;
        if history.len() > EARLY_EPOCHS {
            return;
        }
        let classes = self.learner.data.class_names.len();
        for found in diagnose(history, &self.learner.layer_names, classes) {
            // Once is enough for each kind of advice.
            if troubles.iter().all(|known| known.advice != found.advice) {
                self.progress.trouble(&found);
                troubles.push(found);
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
    clock: Option<HardwareClock>,
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
    heading
        .extend(clock.map(|clock| format!("mean_decision_hardware_time_{}", clock.unit.suffix())));
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
        ];
        row.extend(clock.map(|clock| clock.per_model_time * training.decision_time()));
        row.extend([epoch.guarded_fraction, epoch.raised_batches as f64]);
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

/// Writes the trace of the test set; returns the decision on each sample, and what happened as far as
/// first spikes tell.
fn write_spikes(
    learner: &Learner,
    trainer: &Trainer,
    test: &EncodedSet,
    folder: &OutputFolder,
    unit: &str,
    clock: Option<HardwareClock>,
) -> Result<(Vec<Option<usize>>, Activity), RunError> {
    let populations = trainer.network().populations();
    let mut place = vec![(0, 0); trainer.network().node_count()];
    for (index, population) in populations.iter().enumerate() {
        for (neuron, node) in population.nodes.clone().enumerate() {
            place[node] = (index, neuron as u32);
        }
    }
    let fan_out = fan_out(&learner.network);
    let mut activity = Activity::default();
    let mut decisions = Vec::with_capacity(learner.data.test.len());
    let mut failed = None;
    folder
        .write("spikes.csv", |file| {
            let mut writer = match clock {
                None => TraceWriter::new(file, unit)?,
                Some(HardwareClock { unit: hardware, per_model_time }) => {
                    let hardware = hardware.suffix();
                    TraceWriter::with_hardware_time(file, unit, hardware, per_model_time)?
                }
            };
            let mut written = Ok(());
            let ran = trainer.for_each_record(test, |sample, record, decided| {
                decisions.push(decided);
                activity.samples += 1;
                for (node, time) in record.in_order() {
                    let (is_neuron, synapses) = fan_out[node];
                    activity.spikes += u64::from(is_neuron);
                    activity.events += u64::from(synapses > 0);
                    activity.synaptic_events += synapses;
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
    Ok((decisions, activity))
}

/// Per node: whether it is a neuron, and how many synapses its spikes reach.
pub(super) fn fan_out(network: &LayeredNetwork) -> Vec<(bool, u64)> {
    let populations = network.network.populations();
    let mut nodes = vec![(false, 0); network.network.graph().node_count()];
    let mut sources = network.input;
    for (&layer, &bias) in network.layers.iter().zip(&network.bias) {
        let neurons = populations[layer.0].nodes.clone();
        for population in [Some(sources), bias].into_iter().flatten() {
            for node in populations[population.0].nodes.clone() {
                nodes[node].1 = neurons.len() as u64;
            }
        }
        neurons.for_each(|node| nodes[node].0 = true);
        sources = layer;
    }
    nodes
}
