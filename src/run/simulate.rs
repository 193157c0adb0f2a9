//! Simulation of a network of populations, with all its files.

use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use super::report::{Activity, simulation_report};
use super::summary::PopulationSummary;
use super::{
    OutputFolder, Progress, RunError, RunOptions, SimulationSummary, network_file, potentials,
};
use crate::engine::{EngineError, EventEngine, Observer, RunStatistics, WindowEngine, WindowError};
use crate::membrane::SpikeTrains;
use crate::network::{CompiledNetwork, Population};
use crate::scenario::{LoadedScenario, Simulation, SimulationEngine};
use crate::trace::TraceWriter;

/// Simulates a scenario of populations and writes `scenario.toml`, `spikes.csv`, `network.json`,
/// `report.html`, `summary.json` and, if potentials are recorded, `potentials.csv`.
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
    let network = CompiledNetwork::new(&simulation.network);
    let mut engine = Engine::choose(&network, &simulation)
        .map_err(|error| loaded.problem("simulation.engine", error))?;
    let folder = OutputFolder::open(loaded, options)?;
    let unit = loaded.scenario.time_unit.suffix();
    folder.write("network.json", |file| network_file::write(&simulation.network, unit, file))?;

    progress.stage("simulating");
    let mut counts = vec![0; network.populations().len()];
    let mut trains = potentials::spike_trains(&network, &simulation.recording);
    let mut activity = Activity::new(network.populations(), simulation.until);
    let mut end = simulation.until;
    let mut outcome = None;
    folder
        .write("spikes.csv", |file| {
            let mut recorder = Recorder {
                populations: network.populations(),
                place: places(&network),
                counts: &mut counts,
                wanted: &simulation.recording.spikes,
                trains: &mut trains,
                activity: &mut activity,
                last: 0.0,
                writer: TraceWriter::new(file, unit)?,
                written: Ok(()),
                interrupt: options.interrupt,
            };
            let ran = engine.run(&network, &simulation, &mut recorder);
            let failed = ran.is_err();
            outcome = Some(ran);
            if failed {
                return Err(io::Error::other("the simulation failed"));
            }
            recorder.written?;
            if options.interrupt.load(Ordering::Relaxed) {
                end = recorder.last;
            }
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

    if !simulation.recording.potentials.is_empty() {
        progress.stage("computing potentials");
        folder.write("potentials.csv", |file| {
            potentials::write(&network, &simulation, &trains, end, unit, file)
        })?;
    }

    let summary = SimulationSummary {
        scenario: loaded.scenario.name.clone(),
        version: env!("CARGO_PKG_VERSION"),
        seed: loaded.scenario.seed,
        time_unit: unit,
        until: simulation.until,
        interrupted: options.interrupt.load(Ordering::Relaxed),
        engine: engine.name(),
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
    let recorded = (&simulation.recording, &trains, simulation.options);
    let report = simulation_report(loaded, &network, &activity, recorded, end, &summary);
    folder.write_report(&report)?;
    folder.write_json("summary.json", &summary)?;
    progress.finish();
    Ok(summary)
}

/// Synapses from which on the window engine's start-up pays.
const LARGE: usize = 200_000;

/// The engine that runs a simulation.
enum Engine {
    Event(EventEngine),
    Window(WindowEngine),
}

impl Engine {
    /// The engine that the scenario asks for; the error is that of a window engine that cannot.
    fn choose(network: &CompiledNetwork, simulation: &Simulation) -> Result<Self, WindowError> {
        let event = || Engine::Event(EventEngine::new(network, simulation.options));
        let window = || WindowEngine::new(network, simulation.options).map(Engine::Window);
        match simulation.engine {
            SimulationEngine::Event => Ok(event()),
            SimulationEngine::Window => window(),
            SimulationEngine::Auto if network.synapse_count() < LARGE => Ok(event()),
            SimulationEngine::Auto => Ok(window().unwrap_or_else(|_| event())),
        }
    }

    fn name(&self) -> &'static str {
        match self {
            Engine::Event(_) => "event",
            Engine::Window(_) => "window",
        }
    }

    fn run<O: Observer>(
        &mut self,
        network: &CompiledNetwork,
        simulation: &Simulation,
        observer: &mut O,
    ) -> Result<RunStatistics, EngineError> {
        let (stimulus, until) = (&simulation.stimulus, simulation.until);
        match self {
            Engine::Event(engine) => engine.run(network, stimulus, until, observer),
            Engine::Window(engine) => engine.run(network, stimulus, until, observer),
        }
    }
}

/// Counts each spike as it happens, and keeps or writes it if that is wanted.
struct Recorder<'a, W: Write> {
    populations: &'a [Population],
    place: Vec<u32>,
    counts: &'a mut [u64],
    /// Per population: whether its spikes are written.
    wanted: &'a [bool],
    trains: &'a mut SpikeTrains,
    activity: &'a mut Activity,
    /// When the last spike was.
    last: f64,
    writer: TraceWriter<W>,
    written: io::Result<()>,
    interrupt: &'a AtomicBool,
}

impl<W: Write> Observer for Recorder<'_, W> {
    fn spike(&mut self, node: usize, time: f64) {
        let index = self.place[node] as usize;
        self.counts[index] += 1;
        self.last = time;
        self.trains.spike(node, time);
        self.activity.spike(index, node, time);
        if self.wanted[index] && self.written.is_ok() {
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
