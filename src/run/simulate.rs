//! Simulation of a network of populations, with all its files.

use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use super::report::{Activity, simulation_report};
use super::run_folder::{RunFolder, SUMMARY};
use super::simulation_engine::Engine;
use super::summary::PopulationSummary;
use super::{
    Progress, RunError, RunIdentity, RunOptions, SimulationSummary, Start, network_file, nodes,
    potentials,
};
use crate::engine::{EngineError, Observer};
use crate::membrane::SpikeTrains;
use crate::network::Population;
use crate::scenario::LoadedScenario;
use crate::trace::TraceWriter;

/// Simulates a scenario of populations and writes `scenario.toml`, `spikes.csv`, `network.json`,
/// `report.html`, `summary.json` and, if potentials are recorded, `potentials.csv`.
///
/// # Errors
/// If the scenario names files that do not fit, the folder is another run's or cannot be written, or a
/// neuron spikes endlessly at one instant.
pub fn simulate(
    loaded: &LoadedScenario,
    options: &RunOptions<'_>,
    progress: &mut dyn Progress,
) -> Result<SimulationSummary, RunError> {
    let start = Instant::now();
    let simulation = loaded.simulation()?;
    let network = &simulation.network;
    let (mut engine, engine_summary) = Engine::choose(loaded, &simulation)?;
    let identity = RunIdentity::of(loaded);
    let folder = RunFolder::claim(&identity, options, Start::Anew)?;
    folder.begin(&identity, false)?;
    let unit = loaded.scenario.time_unit.suffix();
    folder.write("network.json", |file| network_file::write_compiled(network, unit, file))?;

    progress.engine(&engine_summary);
    progress.stage("simulating");
    let mut counts = vec![0; network.populations().len()];
    let mut trains = potentials::spike_trains(network, &simulation.recording);
    let mut activity = Activity::new(network.populations(), simulation.until);
    let (mut end, mut interrupted) = (simulation.until, false);
    let mut failed = None;
    let ran = folder.write("spikes.csv", |file| {
        let mut recorder = Recorder {
            populations: network.populations(),
            places: nodes::places(network.populations()),
            counts: &mut counts,
            wanted: &simulation.recording.spikes,
            trains: &mut trains,
            activity: &mut activity,
            last: None,
            writer: TraceWriter::new(file, unit)?,
            written: Ok(()),
            interrupt: options.interrupt,
            interrupted: false,
        };
        let ran = engine.run(&simulation, &mut recorder).map_err(|error| {
            failed = Some(explain(&error, network.populations()));
            io::Error::other("the simulation failed")
        });
        let statistics = ran?;
        recorder.written?;
        if recorder.interrupted {
            (end, interrupted) = (recorder.last.unwrap_or(0.0), true);
        }
        recorder.writer.finish()?;
        Ok(statistics)
    });
    let statistics = ran.map_err(|error| failed.unwrap_or(error))?;

    if !simulation.recording.potentials.is_empty() {
        progress.stage("computing potentials");
        folder.write("potentials.csv", |file| {
            potentials::write(&simulation, &trains, end, unit, file)
        })?;
    }

    let summary = SimulationSummary {
        scenario: loaded.scenario.name.clone(),
        version: env!("CARGO_PKG_VERSION"),
        seed: loaded.scenario.seed,
        time_unit: unit,
        until: simulation.until,
        reached: end,
        interrupted,
        engine: engine_summary,
        synaptic_events: statistics.synaptic_events,
        seconds: start.elapsed().as_secs_f64(),
        populations: network
            .populations()
            .iter()
            .zip(&counts)
            .map(|(population, &spikes)| PopulationSummary::new(population, spikes, end, unit))
            .collect(),
    };
    let recorded = (&simulation.recording, &trains, simulation.options);
    let report = simulation_report(loaded, network, &activity, recorded, &summary);
    folder.write_report(&report)?;
    folder.write_json(SUMMARY, &summary)?;
    progress.finish();
    Ok(summary)
}

/// Counts each spike as it happens, and keeps or writes it if that is wanted.
struct Recorder<'a, W: Write> {
    populations: &'a [Population],
    places: Vec<(u32, u32)>,
    counts: &'a mut [u64],
    /// Per population: whether its spikes are written.
    wanted: &'a [bool],
    trains: &'a mut SpikeTrains,
    activity: &'a mut Activity,
    /// When the last spike was.
    last: Option<f64>,
    writer: TraceWriter<W>,
    written: io::Result<()>,
    interrupt: &'a AtomicBool,
    /// Whether a spike was left out for it. Until then, all spikes of one time are recorded.
    interrupted: bool,
}

impl<W: Write> Observer for Recorder<'_, W> {
    fn spike(&mut self, node: usize, time: f64) {
        let is_later = self.last.is_some_and(|last| last < time);
        if is_later && self.interrupt.load(Ordering::Relaxed) {
            self.interrupted = true;
            return;
        }
        let (index, neuron) = self.places[node];
        let index = index as usize;
        self.counts[index] += 1;
        self.last = Some(time);
        self.trains.spike(node, time);
        self.activity.spike(index, node, time);
        if self.wanted[index] && self.written.is_ok() {
            self.written = self.writer.write(0, &self.populations[index].name, neuron, time);
        }
    }

    fn wants_to_stop(&self) -> bool {
        self.written.is_err() || self.interrupted
    }
}

/// The engine's error in terms of populations.
pub(super) fn explain(error: &EngineError, populations: &[Population]) -> RunError {
    let node = match error {
        EngineError::EndlessSpikes { neuron, .. } => *neuron,
        EngineError::NotASource { node, .. } => *node as usize,
        EngineError::Stimulus { .. } => 0,
    };
    let found = nodes::find(node, populations);
    RunError::Engine {
        population: found.map_or_else(String::new, |(population, _)| population.name.clone()),
        neuron: found.map_or(0, |(_, neuron)| neuron),
        source: error.clone(),
    }
}
