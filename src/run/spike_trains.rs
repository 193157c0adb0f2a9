//! Training of a network of populations to emit given spike trains, with all its files.

use std::sync::atomic::Ordering;
use std::time::Instant;

use super::report::{Activity, spike_training_report};
use super::run_folder::{RunFolder, SUMMARY};
use super::simulation_engine::spike_training_engine;
use super::{
    Progress, RunError, RunIdentity, RunOptions, SpikeTrainingSummary, network_file, nodes,
};
use crate::learning::SpikeTrainMetrics;
use crate::run::simulate::explain;
use crate::scenario::{LoadedScenario, SpikeTrainingSection};
use crate::trace::TraceWriter;

/// Trains a scenario with `[spike_training]`, and writes `scenario.toml`, `metrics.csv`, `spikes.csv`
/// (of the trained network), `network.json`, `report.html` and `summary.json`.
///
/// # Errors
/// If the scenario names files that do not fit, the folder is another run's or cannot be
/// written, or a neuron spikes
/// endlessly at one instant.
pub fn train_spike_trains(
    loaded: &LoadedScenario,
    spec: &SpikeTrainingSection,
    options: &RunOptions<'_>,
    progress: &mut dyn Progress,
) -> Result<SpikeTrainingSummary, RunError> {
    let start = Instant::now();
    let simulation = loaded.simulation()?;
    let until = simulation.until;
    let engine = spike_training_engine(loaded, &simulation)?;
    let mut trainer = loaded.spike_train_trainer(spec, simulation)?;
    let identity = RunIdentity::of(loaded);
    let folder = RunFolder::claim(&identity, options)?;
    folder.begin(&identity, false)?;
    let unit = loaded.scenario.time_unit.suffix();
    let populations = trainer.network().populations().to_vec();
    let places = nodes::places(&populations);
    let failed = |error| explain(&error, &populations);

    progress.engine(&engine);
    progress.start(spec.epochs, 1);
    let mut history: Vec<SpikeTrainMetrics> = Vec::new();
    while history.len() < spec.epochs && !options.interrupt.load(Ordering::Relaxed) {
        let metrics = trainer.train_epoch().map_err(failed)?;
        progress.spike_trains(&metrics);
        history.push(metrics);
    }
    let (spikes, network) = trainer.run().map_err(failed)?;
    let last = trainer.compare(&spikes);

    let mut activity = Activity::new(&populations, until);
    folder.write("metrics.csv", |file| {
        let mut writer = csv::Writer::from_writer(file);
        let error = format!("timing_error_{unit}");
        writer.write_record(["epoch", "loss", &error, "paired", "missing", "extra"])?;
        for epoch in &history {
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
        version: env!("CARGO_PKG_VERSION"),
        seed: loaded.scenario.seed,
        time_unit: unit,
        timing_error: last.timing_error(),
        paired: last.paired,
        missing: last.missing,
        extra: last.extra,
        reached: until,
        epochs: history.len(),
        interrupted: history.len() < spec.epochs,
        engine,
        seconds: start.elapsed().as_secs_f64(),
    };
    let report =
        spike_training_report(loaded, &network, &activity, &history, trainer.targets(), &summary);
    folder.write_report(&report)?;
    folder.write_json(SUMMARY, &summary)?;
    progress.finish();
    Ok(summary)
}
