//! Training of a network of populations to emit given spike trains, with all its files.
//!
//! An epoch is short: the checkpoint is written when its time has come, and when the run ends.

use std::sync::atomic::Ordering;
use std::time::Instant;

use super::report::{Activity, spike_training_report};
use super::resumption::Beginning;
use super::run_folder::{RunFolder, SUMMARY, Start};
use super::simulation_engine::spike_training_engine;
use super::{
    Checkpoint, Progress, RunError, RunIdentity, RunOptions, SpikeTrainingSummary, network_file,
    nodes,
};
use crate::learning::{SpikeTrainMetrics, SpikeTrainTrainer};
use crate::run::simulate::explain;
use crate::scenario::{LoadedScenario, SpikeTrainingSection};
use crate::trace::TraceWriter;

/// Trains a scenario with `[spike_training]`, and writes `scenario.toml`, `metrics.csv`, `spikes.csv`
/// (of the trained network), `network.json`, `report.html`, `summary.json` and a checkpoint. Goes on from
/// a checkpoint of the same scenario ([`previous`](super::previous)), to the same bytes.
///
/// # Errors
/// If the scenario names files that do not fit, the folder is another run's or cannot be written, the
/// checkpoint is not of this scenario and these data, or a neuron spikes endlessly at one instant.
pub fn train_spike_trains(
    loaded: &LoadedScenario,
    spec: &SpikeTrainingSection,
    options: &RunOptions<'_>,
    resume: Option<Checkpoint<SpikeTrainMetrics>>,
    progress: &mut dyn Progress,
) -> Result<SpikeTrainingSummary, RunError> {
    let start = Instant::now();
    let simulation = loaded.simulation_graph()?;
    let until = simulation.until;
    let engine =
        spike_training_engine(loaded, simulation.engine, simulation.network.graph().edge_count())?;
    let mut trainer = loaded.spike_train_trainer(spec, simulation)?;
    let identity = RunIdentity::of(loaded);
    let folder = RunFolder::claim(&identity, options, Start::of(&resume))?;
    let beginning = Beginning::new::<SpikeTrainingSummary>(&identity, options, resume)?;
    let keeps_checkpoint = beginning.keeps_checkpoint();
    let Beginning { mut so_far, further } = beginning;
    if so_far.epochs() > 0 {
        trainer.restore(&so_far.trainer)?;
    }
    folder.begin(&identity, keeps_checkpoint)?;
    let seconds_before = so_far.seconds;
    let seconds = || seconds_before + start.elapsed().as_secs_f64();
    let save = |trainer: &SpikeTrainTrainer, so_far: &mut Checkpoint<_>| {
        if so_far.epochs() < further {
            return Ok(());
        }
        (so_far.trainer, so_far.seconds) = (trainer.state(), seconds());
        so_far.write(&folder, &identity)
    };
    save(&trainer, &mut so_far)?;
    let unit = loaded.scenario.time_unit.suffix();
    let populations = trainer.network().populations().to_vec();
    let places = nodes::places(&populations);
    let failed = |error| explain(&error, &populations);

    progress.engine(&engine);
    progress.start(spec.epochs, 1);
    progress.resume_spike_trains(so_far.epochs());
    let mut saved = Instant::now();
    while so_far.epochs() < spec.epochs && !options.interrupt.load(Ordering::Relaxed) {
        let metrics = trainer.train_epoch().map_err(failed)?;
        progress.spike_trains(&metrics);
        so_far.history.push(metrics);
        if saved.elapsed() >= options.checkpoint_every {
            save(&trainer, &mut so_far)?;
            saved = Instant::now();
        }
    }
    let interrupted = so_far.epochs() < spec.epochs;
    save(&trainer, &mut so_far)?;
    let history = &so_far.history;
    let (spikes, network) = trainer.run().map_err(failed)?;
    let last = trainer.compare(&spikes);

    let mut activity = Activity::new(&populations, until);
    folder.write("metrics.csv", |file| {
        let mut writer = csv::Writer::from_writer(file);
        let error = format!("timing_error_{unit}");
        writer.write_record(["epoch", "loss", &error, "paired", "missing", "extra"])?;
        for epoch in history {
            let SpikeTrainMetrics { epoch: number, loss, paired, missing, extra } = *epoch;
            writer.serialize((number, loss, epoch.timing_error(), paired, missing, extra))?;
        }
        writer.flush()
    })?;
    folder.write("spikes.csv", |file| {
        let mut writer = TraceWriter::new(file, unit)?;
        for spike in &spikes {
            let (index, neuron) = places[spike.node as usize];
            activity.spike(index as usize, spike.node as usize, spike.time);
            writer.write(0, &populations[index as usize].name, neuron, spike.time)?;
        }
        writer.finish()
    })?;
    folder.write("network.json", |file| network_file::write(trainer.network(), unit, file))?;
    let summary = SpikeTrainingSummary {
        scenario: loaded.scenario.name.clone(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        seed: loaded.scenario.seed,
        time_unit: unit.to_owned(),
        timing_error: last.timing_error(),
        paired: last.paired,
        missing: last.missing,
        extra: last.extra,
        reached: until,
        epochs: history.len(),
        interrupted,
        engine,
        seconds: seconds(),
    };
    let report =
        spike_training_report(loaded, &network, &activity, history, trainer.targets(), &summary);
    folder.write_report(&report)?;
    if !interrupted {
        so_far.seconds = 0.0;
        so_far.write(&folder, &identity)?;
    }
    folder.write_json(SUMMARY, &summary)?;
    progress.finish();
    Ok(summary)
}
