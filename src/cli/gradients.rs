//! `firstspike check --gradients`: the network's gradients against finite differences.

use std::process::ExitCode;

use super::exit::failure;
use super::{ScenarioArguments, console};
use crate::run::{GradientCheck, GradientEntry, Kink, RunError, check_gradients};

/// Entries of the table.
const SHOWN: usize = 10;

pub(super) fn check(arguments: &ScenarioArguments, samples: usize) -> ExitCode {
    let checked = arguments
        .load()
        .map_err(RunError::from)
        .and_then(|loaded| check_gradients(&loaded, samples));
    match checked {
        Ok(check) => {
            print(&check);
            if check.passed() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => failure(&error),
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
    print_kinks(check);
    if check.spikes_change > 0 {
        console::out!(
            "{} not compared: every step that is large enough creates or deletes spikes",
            check.spikes_change
        );
    }
    if check.unsettled > 0 {
        console::out!(
            "{} not compared: their differences do not settle before rounding hides them",
            check.unsettled
        );
    }
    if check.at_zero > 0 {
        console::out!(
            "{} delays and input times not compared: at zero they cannot be moved both ways",
            check.at_zero
        );
    }
    if check.immovable > 0 {
        console::out!("{} spikes have no derivative (they are at time zero)", check.immovable);
    }
    if check.entries.is_empty() {
        let why = if check.neuron_spikes == 0 {
            "no neuron spikes: give the network more input, or larger weights"
        } else if check.zero > 0 {
            "every derivative that could be compared is zero"
        } else {
            "see above for the reasons"
        };
        console::err!("error: nothing was compared: {why}");
    }
}

/// Where there is no derivative, and why.
fn print_kinks(check: &GradientCheck) {
    if check.kinks.is_empty() {
        return;
    }
    console::out!("{} not differentiable here:", check.kinks.len());
    for Kink { by, backward, forward, tie } in check.kinks.iter().take(SHOWN) {
        let tie = tie.as_deref().unwrap_or("a tie");
        console::out!("  {by}: {backward:.6e} from below, {forward:.6e} from above: {tie}");
    }
}
