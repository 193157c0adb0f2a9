//! `firstspike check`: validate a scenario and show what it stands for.

use std::process::ExitCode;

use super::progress::print_engine;
use super::run::print_doubts;
use super::{ScenarioArguments, bad_input, console};
use crate::run::{EngineSummary, simulation_engine};
use crate::scenario::{LoadedScenario, ScenarioError, ScenarioFile};

pub(super) fn check(arguments: &ScenarioArguments, file: &ScenarioFile) -> ExitCode {
    let checked =
        file.load(&arguments.overrides()).and_then(|loaded| Ok((describe(&loaded)?, loaded)));
    match checked {
        Ok(((description, engine), loaded)) => {
            console::out!("{}", loaded.scenario.to_toml().trim_end());
            print_doubts(&loaded);
            console::err!("{}: {description}", arguments.scenario.display());
            print_engine(&engine);
            ExitCode::SUCCESS
        }
        Err(error) => bad_input(&error),
    }
}

/// A chip file by itself: what it says, with every default.
pub(super) fn check_chip(arguments: &ScenarioArguments, file: &ScenarioFile) -> ExitCode {
    let path = arguments.scenario.display();
    if !arguments.overrides().is_empty() {
        return bad_input(&format!("{path}: this is a chip file, and --set changes scenarios"));
    }
    let checked = file.chip().map_err(|error| error.to_string());
    match checked.and_then(|sheet| toml::to_string(&sheet).map_err(|error| error.to_string())) {
        Ok(text) => {
            console::out!("{}", text.trim_end());
            console::err!("{path}: valid; a chip file, for a scenario with --set chip={path}");
            ExitCode::SUCCESS
        }
        Err(error) => bad_input(&error),
    }
}

/// Builds everything that a run would, files included; says how large it is, and what would run it.
fn describe(loaded: &LoadedScenario) -> Result<(String, EngineSummary), ScenarioError> {
    if loaded.scenario.is_simulation() {
        let simulation = loaded.simulation()?;
        let description = format!(
            "valid; {} neurons and sources, {} synapses, {} input spikes",
            simulation.network.node_count(),
            simulation.network.synapse_count(),
            simulation.stimulus.len()
        );
        return Ok((description, simulation_engine(loaded, &simulation)?));
    }
    let learner = loaded.learner()?;
    let hardware = loaded.hardware(&learner)?;
    if let Some(hardware) = &hardware {
        loaded.model(&hardware.sheet, &learner)?;
    }
    let engine = loaded.engine(&learner, hardware.as_ref())?;
    let graph = learner.network.network.graph();
    let description = format!(
        "valid; {} neurons and sources, {} synapses; {} training, {} validation and {} test samples; \
         {} epochs",
        graph.node_count(),
        graph.edge_count(),
        learner.data.training.len(),
        learner.data.validation.len(),
        learner.data.test.len(),
        learner.settings.epochs
    );
    Ok((description, engine.into()))
}
