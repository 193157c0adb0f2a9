//! Training and evaluation of a feed-forward network, with all its files.

use std::io::Write;
use std::ops::ControlFlow;
use std::sync::atomic::Ordering;
use std::time::Instant;

use super::checkpoint::{Best, Checkpoint};
use super::chip_found::{self, CHIP_FOUND, FoundLayer};
use super::chip_network::chip_network;
use super::ideal_then_chip::{self, COMPARED_AFTER};
use super::overlap::overlap;
use super::report::{Neurons, TestRecord};
use super::resumption::Beginning;
use super::run_folder::{RunFolder, SUMMARY, Start};
use super::summary::{LayerSummary, warning};
use super::training_files::{self, write_metrics};
use super::{
    OutputFolder, Predictions, Progress, RunError, RunIdentity, RunOptions, TrainingSummary,
    network_file, picture, predictions,
};
use crate::chip::HardwareClock;
use crate::dataset::{DataSets, DataSource};
use crate::learning::{
    Diagnosis, EncodedSet, EpochMetrics, Evaluation, FirstSpikes, Score, Trainer, diagnose,
    diagnose_substrate,
};
use crate::scenario::{Hardware, Learner, LoadedScenario, Select, Values};

/// Epochs after which no new trouble is looked for: what hinders learning shows early.
const EARLY_EPOCHS: usize = 10;

/// Trains and evaluates a feed-forward scenario on the threads of the present rayon pool, and
/// writes `scenario.toml`, `metrics.csv`, `summary.json`, `spikes.csv` and `predictions.csv` (of the test set),
/// `network.json`, `report.html`, a checkpoint, and for data in a plane `class_map.svg` and
/// `class_map.png`. Goes on from a checkpoint of the same scenario, or of one that differs in its number
/// of epochs only ([`previous`](super::previous)); the results are the same bytes as without a break.
///
/// An interrupted run writes all of this for its complete epochs. A run that starts anew removes what an
/// older one left, but the checkpoint of a run of the same scenario and data that was stopped only once
/// it is as far.
///
/// # Errors
/// If the scenario names files that do not fit, the folder is another run's or cannot be written,
/// learning diverges, or the checkpoint is not of this scenario and these data.
pub fn train(
    loaded: &LoadedScenario,
    options: &RunOptions<'_>,
    resume: Option<Checkpoint>,
    progress: &mut dyn Progress,
) -> Result<TrainingSummary, RunError> {
    let start = Instant::now();
    let mut learner = loaded.learner()?;
    let hardware = loaded.hardware(&learner)?;
    let identity = RunIdentity::of(loaded);
    let folder = RunFolder::claim(&identity, options, Start::of(&resume))?;
    let mut trainer = loaded.trainer(&learner, hardware.as_ref(), &options.out)?;
    let beginning = Beginning::new::<TrainingSummary>(&identity, options, resume)?;
    let keeps_checkpoint = beginning.keeps_checkpoint();
    let Beginning { mut so_far, further } = beginning;
    if so_far.epochs() > 0 {
        trainer.restore(&so_far.trainer)?;
    } else {
        so_far.trainer = trainer.state();
    }
    let unit = loaded.scenario.time_unit.suffix();
    let seconds_before = so_far.seconds;
    let clock = hardware.as_ref().and_then(|hardware| hardware.clock);
    let mut session = Session {
        loaded,
        identity: &identity,
        clock,
        hardware: hardware.as_ref(),
        learner: &learner,
        options,
        folder: &folder,
        progress,
        so_far,
        start,
        seconds_before,
        further,
    };
    folder.begin(&identity, keeps_checkpoint)?;
    session.look_at_test_set();
    // From here on the run has a checkpoint, if only an older one for now.
    session.save()?;

    session.progress.engine(&trainer.engine().into());
    let validation = learner.encode(&learner.data.validation);
    let training = learner.encode_training();
    session.epochs(&mut trainer, &training, &validation)?;
    let Session { mut so_far, progress, .. } = session;
    let Checkpoint { best, history, troubles, .. } = &so_far;
    if let Some(best) = best {
        trainer.set_parameters(&best.parameters)?;
    }

    progress.stage("evaluating");
    let mut trained = learner.network.network.clone();
    trainer.write_to(&mut trained);
    let on_chip = match loaded.scenario.substrate {
        None => chip_network(loaded, &learner, &trained)?,
        Some(_) => None,
    };
    learner.network.network = trained;
    let test = learner.encode(&learner.data.test);
    // What counts for the account is the test set's activity only.
    trainer.take_activity();
    let mut report = TestRecord::new(&learner);
    let look = |sample, record: &FirstSpikes, decided| report.look(sample, record, decided);
    let tested = training_files::test(&learner, &trainer, &test, &folder, unit, clock, look)?;
    let on_substrate = trainer.take_activity();
    let Evaluation { score: test_score, layers: activity } = tested.evaluation;
    let train_score = trainer.evaluate(&training)?.score;
    let validation_score = trainer.evaluate(&validation)?.score;
    let account = hardware.as_ref().and_then(|hardware| {
        let happened = if on_substrate.samples > 0 { on_substrate } else { tested.activity };
        let account = hardware.account(&happened, test_score.decision_time())?;
        Some(account.for_time_unit(loaded.scenario.time_unit.seconds(), hardware.tau_s))
    });
    let predictions = Predictions {
        class_names: learner.data.class_names.clone(),
        time_unit: unit.to_owned(),
        rows: tested.predictions,
    };
    folder.write(predictions::FILE, |file| predictions.write(file))?;
    let decisions: Vec<Option<usize>> =
        predictions.rows.iter().map(|row| row.verdict.map(|verdict| verdict.class)).collect();
    let inference = learner.inference();
    folder.write("network.json", |file| {
        network_file::write_with(&learner.network.network, unit, Some(&inference), file)
    })?;
    // Without training nothing was looked for.
    let found = if history.is_empty() { Vec::new() } else { trainer.found_neurons() };
    if !found.is_empty() {
        let names = &learner.layer_names;
        folder.write(CHIP_FOUND, |file| chip_found::write(file, &found, names, unit))?;
    }
    let mut class_map = None;
    if let Some(plane) = learner.data.plane {
        progress.stage("drawing the class map");
        let title = format!("test accuracy {:.1} %", 100.0 * test_score.accuracy());
        let external = loaded.scenario.substrate.is_some();
        let map = picture::class_map(&learner, &trainer, &plane, &decisions, &title, external)?;
        folder.write("class_map.svg", |file| file.write_all(map.svg.as_bytes()))?;
        folder.write("class_map.png", |file| file.write_all(&map.png))?;
        class_map = Some(map.content);
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
        selected_epoch: best.as_ref().map_or(history.len(), |best| best.epoch),
        interrupted: history.len() < learner.settings.epochs,
        // The sum of nothing is minus zero.
        seconds_per_epoch: history.iter().fold(0.0, |sum, epoch| sum + epoch.seconds)
            / history.len().max(1) as f64,
        seconds: seconds_before + start.elapsed().as_secs_f64(),
        threads: rayon::current_num_threads(),
        engine: trainer.engine().into(),
        hardware: account,
        rule: trainer.is_on_substrate().then(|| learner.settings.rule.name().to_owned()),
        found: (!found.is_empty()).then(|| FoundLayer::of(&found, &learner.layer_names)),
        confusion: predictions.confusion(),
        class_names: predictions.class_names,
        layers: layers
            .map(|((name, activity), delays)| LayerSummary::new(name, activity, delays))
            .collect(),
        warnings: troubles.iter().map(warning).chain(trainer.warnings()).collect(),
    };
    let neurons = Neurons::new(&trainer, on_chip.as_ref());
    let chip_found =
        summary.found.as_deref().and_then(|layers| chip_found::content(&found, layers));
    let report = report.report(loaded, &neurons, history, &summary, class_map, chip_found);
    folder.write_report(&report)?;
    if !summary.interrupted {
        // The summary has the times: equal runs leave equal checkpoints.
        so_far.seconds = 0.0;
        so_far.history.iter_mut().for_each(|epoch| epoch.seconds = 0.0);
        so_far.write(&folder, &identity)?;
    }
    folder.write_json(SUMMARY, &summary)?;
    progress.finish();
    Ok(summary)
}

/// The epochs of one run.
struct Session<'a, 'p> {
    loaded: &'a LoadedScenario,
    identity: &'a RunIdentity,
    clock: Option<HardwareClock>,
    hardware: Option<&'a Hardware>,
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
            let (mut metrics, score, compared) =
                match self.epoch(trainer, [training, validation], epoch) {
                    Ok(Some(done)) => done,
                    stopped => {
                        // What is written is of whole epochs, and so is what the run goes on from.
                        trainer.restore(&self.so_far.trainer)?;
                        self.save()?;
                        return stopped.map(drop);
                    }
                };
            metrics.validation = Some(score);
            self.keep_best(trainer, epoch, score.accuracy());
            self.progress.epoch(&metrics);
            self.so_far.history.push(metrics);
            self.look_for_trouble(trainer);
            if let Some(found) = compared {
                self.progress.trouble(&found);
                self.so_far.troubles.push(found);
            }
            self.so_far.trainer = trainer.state();
            self.write_metrics()?;
            if saved.elapsed() >= self.options.checkpoint_every {
                self.save()?;
                saved = Instant::now();
            }
        }
        Ok(())
    }

    /// Says if the test set is of samples that are learned from.
    fn look_at_test_set(&mut self) {
        let DataSets { training, test, .. } = &self.learner.data;
        let is_own = matches!(self.loaded.scenario.dataset, Some(DataSource::File(_)));
        let troubles = &mut self.so_far.troubles;
        if let Some(found) = is_own.then(|| overlap(test, training)).flatten()
            && !troubles.contains(&found)
        {
            self.progress.trouble(&found);
            troubles.push(found);
        }
    }

    /// Trains an epoch and scores the validation set; none if the run was interrupted.
    fn epoch(
        &mut self,
        trainer: &mut Trainer,
        sets: [&EncodedSet; 2],
        epoch: usize,
    ) -> Result<Option<(EpochMetrics, Score, Option<Diagnosis>)>, RunError> {
        let Session { loaded, learner, hardware, options, .. } = *self;
        let go_on = || match options.interrupt.load(Ordering::Relaxed) {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        };
        let [training, validation] = sets;
        let mut after_batch = |score: &Score| {
            self.progress.batch(epoch, score);
            go_on()
        };
        let Some(metrics) = trainer.train_epoch(training, &mut after_batch)? else {
            return Ok(None);
        };
        let score = trainer.evaluate(validation)?.score;
        if epoch != COMPARED_AFTER {
            return Ok(Some((metrics, score, None)));
        }
        let compared =
            ideal_then_chip::compare(loaded, learner, hardware, trainer, sets, &score, &go_on)?;
        Ok(match compared {
            ControlFlow::Continue(found) => Some((metrics, score, found)),
            ControlFlow::Break(()) => None,
        })
    }

    fn save(&mut self) -> Result<(), RunError> {
        if self.so_far.epochs() < self.further {
            return Ok(());
        }
        self.so_far.seconds = self.seconds_before + self.start.elapsed().as_secs_f64();
        self.so_far.write(self.folder, self.identity)
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
        if self.learner.select == Select::BestValidation
            && best.as_ref().is_none_or(|best| accuracy >= best.accuracy)
        {
            *best = Some(Best { epoch, accuracy, parameters: trainer.parameters() });
        }
    }
    fn look_for_trouble(&mut self, trainer: &Trainer) {
        let Checkpoint { history, troubles, .. } = &mut self.so_far;
        if history.len() > EARLY_EPOCHS {
            return;
        }
        let Learner { data, layer_names, settings, .. } = self.learner;
        let layers = &self.loaded.scenario.layers;
        let is_given = |weights: &Values| *weights != Values::Auto;
        let given = layers.iter().any(|layer| layer.weights.as_ref().is_some_and(is_given));
        let classes = data.class_names.len();
        let mut all = diagnose(history, layer_names, classes, &settings.silent_neurons, given);
        if let Some(condition) = trainer.substrate_condition() {
            all.extend(diagnose_substrate(history, &condition));
        }
        for found in all {
            // Once is enough for each kind of advice.
            if troubles.iter().all(|known| known.advice != found.advice) {
                self.progress.trouble(&found);
                troubles.push(found);
            }
        }
    }
}
