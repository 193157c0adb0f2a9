//! The engine that runs a simulation, and why it is not a faster one.

use super::EngineSummary;
use super::nodes;
use crate::engine::{EngineError, EventEngine, Observer, RunStatistics, WindowEngine, WindowError};
use crate::network::{CompiledNetwork, Population};
use crate::scenario::{LoadedScenario, ScenarioError, Simulation, SimulationEngine};

/// How many times as fast as the event engine the window engine is: in a balanced random network of 12,500
/// neurons with 1,250 synapses each it handles 117 million synaptic events per second on one thread, the
/// event engine 2.8 million.
const WINDOW: (&str, u32) = ("window", 42);

/// The engine that runs a simulation.
pub(super) enum Engine {
    Event(EventEngine),
    Window(WindowEngine),
}

impl Engine {
    /// The engine that the scenario asks for.
    ///
    /// # Errors
    /// If that is the window engine, and it cannot run the network.
    pub fn choose(
        loaded: &LoadedScenario,
        simulation: &Simulation,
    ) -> Result<(Self, EngineSummary), ScenarioError> {
        let network = &simulation.network;
        let window = || {
            let engine = WindowEngine::new(network, simulation.options);
            engine.map_err(|error| explain(&error, network.populations()))
        };
        let fastest = |engine: Engine| {
            let summary = EngineSummary::fastest(engine.name());
            Ok((engine, summary))
        };
        let event = || Engine::Event(EventEngine::new(network, simulation.options));
        let is_large = network.synapse_count() >= WindowEngine::LARGE;
        let slower = |why| Ok((event(), EngineSummary::slower("event", WINDOW, why)));
        match simulation.engine {
            SimulationEngine::Window => match window() {
                Ok(engine) => fastest(Engine::Window(engine)),
                Err(message) => Err(loaded.problem("simulation.engine", &message)),
            },
            SimulationEngine::Auto | SimulationEngine::Event if !is_large => fastest(event()),
            SimulationEngine::Event => slower("the scenario asks for it".to_owned()),
            SimulationEngine::Auto => match window() {
                Ok(engine) => match crowded(network) {
                    None => fastest(Engine::Window(engine)),
                    Some(message) => slower(message),
                },
                Err(message) => slower(message),
            },
        }
    }

    fn name(&self) -> &'static str {
        match self {
            Engine::Event(_) => "event",
            Engine::Window(_) => "window",
        }
    }

    pub fn run<O: Observer>(
        &mut self,
        simulation: &Simulation,
        observer: &mut O,
    ) -> Result<RunStatistics, EngineError> {
        let Simulation { network, stimulus, until, .. } = simulation;
        match self {
            Engine::Event(engine) => engine.run(network, stimulus, *until, observer),
            Engine::Window(engine) => engine.run(network, stimulus, *until, observer),
        }
    }
}

/// Why the sums of a neuron's inputs want the event engine, if they do.
fn crowded(network: &CompiledNetwork) -> Option<String> {
    let (node, inputs) = WindowEngine::crowded(network)?;
    Some(format!(
        "{} has {inputs} inputs: with more than {}, the window engine's sums may be off by more than 1e-12",
        nodes::name(node, network.populations()),
        WindowEngine::MOST_INPUTS,
    ))
}

/// The window engine's error in terms of populations.
fn explain(error: &WindowError, populations: &[Population]) -> String {
    match error {
        WindowError::ZeroDelay { node } => format!(
            "{} has a synapse without delay: the window engine needs delays above zero",
            nodes::name(*node, populations)
        ),
        WindowError::SplitCurrents { node } => format!(
            "{} has two synaptic time constants: the window engine needs one per neuron",
            nodes::name(*node, populations)
        ),
    }
}

/// The engine that trains a network to emit spike trains, whatever its size.
///
/// # Errors
/// If the scenario asks for another.
pub(super) fn spike_training_engine(
    loaded: &LoadedScenario,
    wanted: SimulationEngine,
    synapses: usize,
) -> Result<EngineSummary, ScenarioError> {
    match wanted {
        SimulationEngine::Window => {
            let message = "\"window\" runs simulations; [spike_training] runs on the event engine: use \
                           \"auto\" or \"event\"";
            Err(loaded.problem("simulation.engine", message))
        }
        _ if synapses < WindowEngine::LARGE => Ok(EngineSummary::fastest("event")),
        SimulationEngine::Event => {
            Ok(EngineSummary::slower("event", WINDOW, "the scenario asks for it".to_owned()))
        }
        SimulationEngine::Auto => {
            let why = "training to emit spike trains runs on the event engine";
            Ok(EngineSummary::slower("event", WINDOW, why.to_owned()))
        }
    }
}

/// The engine that would run a scenario of populations.
///
/// # Errors
/// If the engine that the scenario asks for cannot.
pub fn simulation_engine(
    loaded: &LoadedScenario,
    simulation: &Simulation,
) -> Result<EngineSummary, ScenarioError> {
    if loaded.scenario.spike_training.is_some() {
        return spike_training_engine(
            loaded,
            simulation.engine,
            simulation.network.synapse_count(),
        );
    }
    Engine::choose(loaded, simulation).map(|(_, summary)| summary)
}
