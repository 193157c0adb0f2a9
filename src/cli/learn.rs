//! `firstspike learn`: one learning pass over a recorded trace.

use std::path::Path;
use std::process::ExitCode;

use super::exit::failure;
use super::{LearnArguments, RecordedArguments, bad_input, console};
use crate::run::{LearnSummary, learn, learn_spike_trains};

pub(super) fn run(arguments: &LearnArguments) -> ExitCode {
    let RecordedArguments { scenario, data, .. } = &arguments.recorded;
    let trace = &arguments.recorded.source();
    let loaded = match scenario.load() {
        Ok(loaded) => loaded,
        Err(error) => return bad_input(&error),
    };
    let out = arguments
        .out
        .clone()
        .unwrap_or_else(|| Path::new("traces").join(&loaded.scenario.name).join("learned.json"));
    if let Some(spec) = &loaded.scenario.spike_training {
        return match learn_spike_trains(&loaded, spec, trace, &out) {
            Ok(metrics) => {
                console::out!("timing error         {} (before the step)", metrics.timing_error());
                console::out!("missing spikes       {}", metrics.missing);
                console::out!("extra spikes         {}", metrics.extra);
                console::out!("changed network      {}", out.display());
                ExitCode::SUCCESS
            }
            Err(error) => failure(&error),
        };
    }
    match learn(&loaded, trace, (*data).into(), &out) {
        Ok(summary) => {
            print(&summary);
            console::out!("changed network      {}", out.display());
            ExitCode::SUCCESS
        }
        Err(error) => failure(&error),
    }
}

fn print(summary: &LearnSummary) {
    console::out!("samples              {}", summary.samples);
    console::out!("loss                 {}", summary.loss);
    console::out!("accuracy             {:.2} %", 100.0 * summary.accuracy);
    console::out!("gradient             {:e} (length, by all weights)", summary.gradient_norm);
    if summary.guarded > 0 {
        console::out!("discarded            {} gradients of one neuron (guard)", summary.guarded);
    }
}
