//! What runs have to tell, collected for their `report.html` ([`crate::report::html`]).

mod activity;
mod evaluation;
mod membranes;
mod simulation;
mod training;

use super::EngineSummary;
use crate::report::html::Fact;
use crate::scenario::LoadedScenario;
pub(super) use activity::Activity;
pub(super) use simulation::{simulation_report, spike_training_report};
pub(super) use training::{Neurons, TestRecord};

/// Bytes of a scenario that a report shows; one with lists of a million weights has them in its file.
const LARGEST_SCENARIO: usize = 100_000;

/// What was run, how, and how long it took. The last line is the one thing in a report that differs between
/// equal runs.
fn facts(
    loaded: &LoadedScenario,
    samples: Option<String>,
    engine: &EngineSummary,
    (seconds, threads): (f64, Option<usize>),
) -> Vec<Fact> {
    let mut facts = loaded.scenario.facts();
    facts.extend(samples.map(|samples| ("Samples", samples)));
    facts.push(("Engine", engine.to_string()));
    let on =
        threads.map_or_else(String::new, |threads| format!(" on {}", count(threads, "thread")));
    facts.push(("Run time", format!("{seconds:.1} s{on}")));
    facts
}

/// The scenario with every default, if it is not too long to read.
fn scenario(loaded: &LoadedScenario) -> String {
    let text = loaded.scenario.to_toml();
    if text.len() <= LARGEST_SCENARIO { text } else { String::new() }
}

/// What to say about an engine that is not the fastest.
fn engine_note(engine: &EngineSummary) -> Option<String> {
    engine.why_not_faster.as_ref().map(|_| format!("Ran on the engine {engine}."))
}

/// A fraction as a percentage with so many digits.
fn percent(fraction: f64, digits: usize) -> String {
    if fraction.is_finite() { format!("{:.digits$} %", 100.0 * fraction) } else { "–".to_owned() }
}

/// A quantity of three or four digits with its unit.
fn quantity(value: f64, unit: &str) -> String {
    if !value.is_finite() {
        "–".to_owned()
    } else if value != 0.0 && value.abs() < 1e-3 {
        format!("{value:.2e} {unit}")
    } else {
        format!("{value:.3} {unit}")
    }
}

/// How many there are of something: `1 neuron`, `2 neurons`.
fn count(number: usize, what: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") }
}
