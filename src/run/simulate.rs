//! Simulation of a network of populations, with all its files.

use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use super::summary::PopulationSummary;
use super::{OutputFolder, Progress, RunError, RunOptions, SimulationSummary, network_file};
use crate::engine::{EngineError, EventEngine, Observer};
use crate::network::{CompiledNetwork, Population};
use crate::scenario::LoadedScenario;
use crate::trace::TraceWriter;

/// Simulates a scenario of populations and writes `scenario.toml`, `spikes.csv`, `network.json` and
/// `summary.json`.
///
/// # Errors
/// If the scenario names files that do not fit, the folder cannot be written, or a neuron spikes
/// endlessly at one instant.
pub fn simulate(
    loaded: &LoadedScenario,
    options: &RunOptions<'_>,
    progress: &mut dyn Progress,
) -> Result<SimulationSummary, RunError> {
    let start = Instant::now();
    let simulation = loaded.simulation()?;
    let folder = OutputFolder::create(&options.out)?;
    folder.write("scenario.toml", |file| file.write_all(loaded.scenario.to_toml().as_bytes()))?;
    let unit = loaded.scenario.time_unit.suffix();
    folder.write("network.json", |file| network_file::write(&simulation.network, unit, file))?;

    progress.stage("simulating");
    let network = CompiledNetwork::new(&simulation.network);
    let mut engine = EventEngine::new(&network, simulation.options);
    let mut counts = vec![0; network.populations().len()];
    let mut outcome = None;
    folder
        .write("spikes.csv", |file| {
            let mut recorder = Recorder {
                populations: network.populations(),
                place: places(&network),
                counts: &mut counts,
                writer: TraceWriter::new(file, unit)?,
                written: Ok(()),
                interrupt: options.interrupt,
            };
            let ran = engine.run(&network, &simulation.stimulus, simulation.until, &mut recorder);
            let failed = ran.is_err();
            outcome = Some(ran);
            if failed {
                return Err(io::Error::other("the simulation failed"));
            }
            recorder.written?;
            recorder.writer.finish()
        })
        .map_err(|error| match &outcome {
            Some(Err(engine_error)) => explain(engine_error, network.populations()),
            _ => error,
        })?;
    let statistics = match outcome {
        Some(Ok(statistics)) => statistics,
        _ => Default::default(),
    };

    let summary = SimulationSummary {
        scenario: loaded.scenario.name.clone(),
        version: env!("CARGO_PKG_VERSION"),
        seed: loaded.scenario.seed,
        time_unit: unit,
        until: simulation.until,
        interrupted: options.interrupt.load(Ordering::Relaxed),
        synaptic_events: statistics.synaptic_events,
        seconds: start.elapsed().as_secs_f64(),
        populations: network
            .populations()
            .iter()
            .zip(&counts)
            .map(|(population, &spikes)| PopulationSummary {
                name: population.name.clone(),
                size: population.nodes.len(),
                spikes,
                rate: spikes as f64 / (population.nodes.len() as f64 * simulation.until),
            })
            .collect(),
    };
    folder.write("summary.json", |file| {
        serde_json::to_writer_pretty(&mut *file, &summary)?;
        writeln!(file)
    })?;
    progress.finish();
    Ok(summary)
}

/// Writes each spike to the trace as it happens.
struct Recorder<'a, W: Write> {
    populations: &'a [Population],
    place: Vec<u32>,
    counts: &'a mut [u64],
    writer: TraceWriter<W>,
    written: io::Result<()>,
    interrupt: &'a AtomicBool,
}

impl<W: Write> Observer for Recorder<'_, W> {
    fn spike(&mut self, node: usize, time: f64) {
        let index = self.place[node] as usize;
        self.counts[index] += 1;
        if self.written.is_ok() {
            let population = &self.populations[index];
            let neuron = (node - population.nodes.start) as u32;
            self.written = self.writer.write(0, &population.name, neuron, time);
        }
    }

    fn wants_to_stop(&self) -> bool {
        self.written.is_err() || self.interrupt.load(Ordering::Relaxed)
    }
}

/// Per node: the index of its population.
fn places(network: &CompiledNetwork) -> Vec<u32> {
    let mut place = vec![0; network.node_count()];
    for (index, population) in network.populations().iter().enumerate() {
        place[population.nodes.clone()].fill(index as u32);
    }
    place
}

/// The engine's error in terms of populations.
pub(super) fn explain(error: &EngineError, populations: &[Population]) -> RunError {
    let node = match error {
        EngineError::EndlessSpikes { neuron, .. } => *neuron,
        EngineError::NotASource { node, .. } => *node as usize,
        EngineError::Stimulus { .. } => 0,
    };
    let found = populations.iter().find(|population| population.nodes.contains(&node));
    RunError::Engine {
        population: found.map_or_else(String::new, |population| population.name.clone()),
        neuron: found.map_or(0, |population| node - population.nodes.start),
        source: error.clone(),
    }
}
