//! `firstspike identify`: what a substrate is like, from a trace that it recorded.

use std::path::Path;
use std::process::ExitCode;

use super::exit::failure;
use super::{IdentifyArguments, RecordedArguments, bad_input, console};
use crate::run::{self, CHIP, FoundLayer};
use crate::scenario::ScenarioFile;

pub(super) fn run(arguments: &IdentifyArguments) -> ExitCode {
    let RecordedArguments { scenario, data, .. } = &arguments.recorded;
    let trace = &arguments.recorded.source();
    // The folder of a run stands for its scenario with what it learned.
    let folder = scenario.scenario.is_dir().then_some(scenario.scenario.as_path());
    let loaded = match folder {
        None => scenario.load(),
        Some(folder) => ScenarioFile::read(&folder.join("scenario.toml"))
            .and_then(|file| file.load(&scenario.overrides()))
            .map(|loaded| loaded.with_network_of(folder)),
    };
    let loaded = match loaded {
        Ok(loaded) => loaded,
        Err(error) => return bad_input(&error),
    };
    let of_run = || match folder {
        Some(folder) => folder.to_owned(),
        None => Path::new("traces").join(&loaded.scenario.name),
    };
    let out = arguments.out.clone().unwrap_or_else(|| of_run().join("chip"));
    let summary = match run::identify(&loaded, trace, (*data).into(), &out) {
        Ok(summary) => summary,
        Err(error) => return failure(&error),
    };
    let unit = loaded.scenario.time_unit.symbol();
    console::out!("samples              {}", summary.samples);
    for FoundLayer { layer, threshold, delay, noise, .. } in &summary.layers {
        console::out!("layer {layer}");
        console::out!(
            "  thresholds         {:.4} ± {:.4} of the scenario's",
            threshold[0],
            threshold[1]
        );
        console::out!("  delays             {:.4} ± {:.4} {unit}", delay[0], delay[1]);
        console::out!("  noise of times     {noise:.4} {unit}");
    }
    if summary.unseen > 0 {
        console::out!("not found            {} neurons without spikes to compare", summary.unseen);
    }
    console::out!("chip file            {}", out.join(CHIP).display());
    ExitCode::SUCCESS
}
