//! `firstspike check --gradients`: the network's gradients against finite differences.

use std::process::ExitCode;

use super::{ScenarioArguments, bad_input, console};
use crate::run::{GradientCheck, GradientEntry, RunError, check_gradients};
use crate::scenario::load;

/// Entries of the table.
const SHOWN: usize = 10;

pub(super) fn check(arguments: &ScenarioArguments, samples: usize) -> ExitCode {
    let checked = load(&arguments.scenario, &arguments.overrides())
        .map_err(RunError::from)
        .and_then(|loaded| check_gradients(&loaded, samples));
    match checked {
        Ok(check) => {
            print(&check);
            if check.passed() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(RunError::Scenario(error)) => bad_input(&error),
        Err(error) => {
            console::err!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn print(check: &GradientCheck) {
    let shown = &check.entries[..check.entries.len().min(SHOWN)];
    let width = shown.iter().map(|entry| entry.by.chars().count()).max().unwrap_or(0).max(10);
    console::out!(
        "{:<width$} {:>15} {:>15} {:>9} {:>9}",
        "derivative",
        "adjoint",
        "difference",
        "absolute",
        "relative"
    );
    for entry in shown {
        console::out!(
            "{:<width$} {:>15.8e} {:>15.8e} {:>9.1e} {:>9.1e}{}",
            entry.by,
            entry.adjoint,
            entry.difference,
            entry.absolute,
            entry.relative,
            if !entry.agrees() {
                "  differs"
            } else if !entry.agrees_closely() {
                "  (as far as a difference can tell)"
            } else {
                ""
            }
        );
    }
    if let Some(cut_at) = check.cut_at {
        console::out!(
            "the simulation was cut at {cut_at}: many derivatives of a longer one cannot be found by \
             differences, because every step that rounding allows changes the spikes"
        );
    }
    let count = |is: fn(&GradientEntry) -> bool| check.entries.iter().filter(|&e| is(e)).count();
    console::out!(
        "{} derivatives of {} spikes compared, {} differ by more than 1e-5; {} more are zero",
        check.entries.len(),
        check.neuron_spikes,
        count(|entry| !entry.agrees()),
        check.zero
    );
    let loose = count(|entry| entry.agrees() && !entry.agrees_closely());
    if loose > 0 {
        console::out!("{loose} agree only as far as a difference can tell, for rounding");
    }
    if check.without_difference > 0 {
        console::out!(
            "{} have no finite difference to compare with: every step that is large enough creates \
             or deletes spikes, or meets a kink",
            check.without_difference
        );
    }
    if check.immovable > 0 {
        console::out!("{} spikes have no derivative (they are at time zero)", check.immovable);
    }
    if check.entries.is_empty() && check.zero == 0 {
        console::err!("error: nothing could be compared");
    }
}
