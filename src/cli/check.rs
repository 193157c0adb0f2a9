//! `firstspike check`: validate a scenario and show what it stands for.

use std::process::ExitCode;

use super::progress::print_engine;
use super::run::print_doubts;
use super::{ScenarioArguments, bad_input, console};
use crate::dataset::TimeNoise;
use crate::learning::TrainingSettings;
use crate::run::{EngineSummary, simulation_engine};
use crate::scenario::{Learner, LoadedScenario, Scenario, ScenarioError, ScenarioFile, Values};

pub(super) fn check(arguments: &ScenarioArguments, file: &ScenarioFile) -> ExitCode {
    let checked =
        file.load(&arguments.overrides()).and_then(|loaded| Ok((Described::of(&loaded)?, loaded)));
    match checked {
        Ok((Described { text: description, derived, engine }, loaded)) => {
            console::out!("{}", loaded.scenario.to_toml().trim_end());
            if !derived.is_empty() {
                // Comments, so that the output stays a scenario that derives them for its own data.
                console::out!("\n# Derived from data and network:");
                derived.iter().for_each(|line| console::out!("#   {line}"));
            }
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

/// What a scenario comes to.
struct Described {
    /// How large it is.
    text: String,
    /// Keys with the values that the scenario leaves to be derived.
    derived: Vec<String>,
    /// What would run it.
    engine: EngineSummary,
}

impl Described {
    /// Builds everything that a run would, files included; says how large it is, and what would run it.
    fn of(loaded: &LoadedScenario) -> Result<Self, ScenarioError> {
        if loaded.scenario.is_simulation() {
            let simulation = loaded.simulation()?;
            let description = format!(
                "valid; {} neurons and sources, {} synapses, {} input spikes",
                simulation.network.node_count(),
                simulation.network.synapse_count(),
                simulation.stimulus.len()
            );
            let engine = simulation_engine(loaded, &simulation)?;
            return Ok(Described { text: description, derived: Vec::new(), engine });
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
        let derived = derived(&loaded.scenario, &learner);
        Ok(Described { text: description, derived, engine: engine.into() })
    }
}

/// What a training finds out for itself, as keys and values.
fn derived(scenario: &Scenario, learner: &Learner) -> Vec<String> {
    let mut lines = Vec::new();
    for (index, weights) in learner.derived_weights.iter().enumerate() {
        if let Some(Values::Normal { mean, std }) = weights {
            lines.push(format!(
                "layers.{index}.weights.normal = {{ mean = {mean:.4}, std = {std:.4} }}"
            ));
        }
    }
    let Some(training) = &scenario.training else { return lines };
    let TrainingSettings { epochs, batch_size, gradient_guard, .. } = &learner.settings;
    if training.epochs.is_none() {
        lines.push(format!("training.epochs = {epochs}"));
    }
    if training.batch_size.is_none() {
        lines.push(format!("training.batch_size = {batch_size}"));
    }
    if training.gradient_guard.is_none()
        && let Some(guard) = gradient_guard
    {
        lines.push(format!("training.gradient_guard = {guard}"));
    }
    let augmentation = learner.augmentation.filter(|it| it.time_noise == Some(TimeNoise::Auto));
    let found =
        augmentation.map(|it| it.for_training_set(&learner.data.training, learner.encoding));
    if let Some(TimeNoise::Fixed(noise)) = found.and_then(|augmentation| augmentation.time_noise) {
        lines.push(format!("training.augmentation.time_noise = {noise:.4}"));
    }
    lines
}
