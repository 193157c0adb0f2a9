//! `firstspike run`: from a scenario to its results.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};

use super::console;
use super::progress::{Bar, Lines, Quiet};
use super::{RunArguments, bad_input};
use crate::run::{
    Progress, RunError, RunOptions, SimulationSummary, SpikeTrainingSummary, TrainingSummary,
    simulate, train, train_spike_trains,
};
use crate::scenario::{DatasetSpec, LoadedScenario, load};

static INTERRUPT: AtomicBool = AtomicBool::new(false);

pub(super) fn run(arguments: &RunArguments) -> ExitCode {
    let loaded = match load(&arguments.scenario.scenario, &arguments.scenario.overrides()) {
        Ok(loaded) => loaded,
        Err(error) => return bad_input(&error),
    };
    let threads = arguments.threads.map_or(0, usize::from);
    let pool = match rayon::ThreadPoolBuilder::new().num_threads(threads).build() {
        Ok(pool) => pool,
        Err(error) => return bad_input(&format!("cannot start {threads} threads: {error}")),
    };
    listen_for_interrupt();
    let out =
        arguments.out.clone().unwrap_or_else(|| Path::new("traces").join(&loaded.scenario.name));
    let mut progress: Box<dyn Progress + Send> = if arguments.quiet {
        Box::new(Quiet)
    } else if console_is_terminal() {
        Box::new(Bar::new())
    } else {
        Box::new(Lines::new())
    };
    match pool.install(|| run_scenario(&loaded, out, progress.as_mut())) {
        Ok(()) if INTERRUPT.load(Ordering::Relaxed) => ExitCode::from(130),
        Ok(()) => ExitCode::SUCCESS,
        Err(error @ (RunError::Scenario(_) | RunError::Output { .. })) => bad_input(&error),
        Err(error) => {
            console::err!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run_scenario(
    loaded: &LoadedScenario,
    out: PathBuf,
    progress: &mut dyn Progress,
) -> Result<(), RunError> {
    let options = RunOptions { out, interrupt: &INTERRUPT };
    if let Some(spec) = &loaded.scenario.spike_training {
        let summary = train_spike_trains(loaded, spec, &options, progress)?;
        print_spike_training(&summary, &options.out);
    } else if loaded.scenario.is_simulation() {
        let summary = simulate(loaded, &options, progress)?;
        print_simulation(&summary, &options.out);
    } else {
        let summary = train(loaded, &options, progress)?;
        let has_picture = matches!(loaded.scenario.dataset, Some(DatasetSpec::YinYang(_)));
        print_training(&summary, &options.out, has_picture);
    }
    Ok(())
}

/// The first Ctrl-C asks the run to end, the second ends the program.
fn listen_for_interrupt() {
    let listening = ctrlc::set_handler(|| {
        if INTERRUPT.swap(true, Ordering::Relaxed) {
            std::process::exit(130);
        }
        console::err!("\ninterrupted: writing what there is (Ctrl-C again to stop at once)");
    });
    if let Err(error) = listening {
        console::err!("warning: Ctrl-C will stop at once, without writing results: {error}");
    }
}

fn console_is_terminal() -> bool {
    use std::io::IsTerminal;
    std::io::stderr().is_terminal()
}

fn print_training(summary: &TrainingSummary, out: &Path, has_picture: bool) {
    let percent = |fraction: f64| format!("{:.2} %", 100.0 * fraction);
    if summary.interrupted {
        console::out!("interrupted after {} epochs", summary.epochs);
    }
    console::out!("test accuracy        {}", percent(summary.test_accuracy));
    console::out!("validation accuracy  {}", percent(summary.validation_accuracy));
    console::out!("train accuracy       {}", percent(summary.train_accuracy));
    console::out!(
        "mean decision time   {:.3} {}",
        summary.mean_decision_time,
        unit_symbol(summary.time_unit)
    );
    console::out!(
        "time                 {:.1} s, {:.0} ms per epoch on {} thread{}",
        summary.seconds,
        1e3 * summary.seconds_per_epoch,
        summary.threads,
        if summary.threads == 1 { "" } else { "s" }
    );
    if has_picture {
        console::out!("picture              {}", out.join("class_map.png").display());
        console::out!("everything else in   {}", out.display());
    } else {
        console::out!("everything in        {}", out.display());
    }
}

fn print_spike_training(summary: &SpikeTrainingSummary, out: &Path) {
    if summary.interrupted {
        console::out!("interrupted after {} epochs", summary.epochs);
    }
    console::out!(
        "timing error         {:.6} {} (root mean square of {} spikes)",
        summary.timing_error,
        unit_symbol(summary.time_unit),
        summary.paired
    );
    console::out!("missing spikes       {}", summary.missing);
    console::out!("extra spikes         {}", summary.extra);
    console::out!("time                 {:.1} s", summary.seconds);
    console::out!("everything else in   {}", out.display());
}

fn print_simulation(summary: &SimulationSummary, out: &Path) {
    if summary.interrupted {
        console::out!("interrupted before {} {}", summary.until, summary.time_unit);
    }
    console::out!("{:<20} {:>8} {:>12} {:>14}", "population", "size", "spikes", "rate");
    for population in &summary.populations {
        console::out!(
            "{:<20} {:>8} {:>12} {:>14.6}",
            population.name,
            population.size,
            population.spikes,
            population.rate
        );
    }
    console::out!("(rate: spikes per neuron and {})", unit_symbol(summary.time_unit));
    console::out!("{} synaptic events in {:.3} s", summary.synaptic_events, summary.seconds);
    console::out!("spikes               {}", out.join("spikes.csv").display());
}

fn unit_symbol(suffix: &str) -> &str {
    if suffix == "us" { "µs" } else { suffix }
}
