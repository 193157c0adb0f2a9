//! `firstspike identify`: what a substrate is like, from a trace that it recorded.

use std::path::Path;
use std::process::ExitCode;

use super::exit::failure;
use super::{IdentifyArguments, RecordedArguments, bad_input, console};
use crate::run::{self, CHIP, FoundLayer};

pub(super) fn run(arguments: &IdentifyArguments) -> ExitCode {
    let RecordedArguments { scenario, data, .. } = &arguments.recorded;
    let trace = &arguments.recorded.source();
    let loaded = match scenario.load() {
        Ok(loaded) => loaded,
        Err(error) => return bad_input(&error),
    };
    let out = arguments
        .out
        .clone()
        .unwrap_or_else(|| Path::new("traces").join(&loaded.scenario.name).join("chip"));
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
