//! `firstspike run`: from a scenario to its results.

use std::path::Path;
use std::process::ExitCode;

use super::session::Session;
use super::traces::number;
use super::{RunArguments, bad_input, console};
use crate::chip::HardwareAccount;
use crate::dataset::DataSource;
use crate::run::{
    Checkpoint, CheckpointError, Previous, RunError, RunIdentity, RunOptions, SimulationSummary,
    SpikeTrainingSummary, TrainingSummary, other_run, previous, simulate, train,
    train_spike_trains,
};
use crate::scenario::{LoadedScenario, ScenarioFile};
use crate::trace::statistics::rate_unit;
use crate::trace::time_unit;

pub(super) fn run(arguments: &RunArguments, file: &ScenarioFile) -> ExitCode {
    let loaded = match file.load(&arguments.scenario.overrides()) {
        Ok(loaded) => loaded,
        Err(error) => return bad_input(&error),
    };
    if let Some(option) = arguments.study.misplaced() {
        let file = arguments.scenario.scenario.display();
        return bad_input(&format!(
            "{option} is for studies, and {file} is none: it has no [study]"
        ));
    }
    let default = || Path::new("traces").join(&loaded.scenario.name);
    let out = arguments.out.clone().unwrap_or_else(default);
    let from = match starting_point(&loaded, &out, arguments) {
        Ok(StartingPoint::Beginning) => None,
        Ok(StartingPoint::Checkpoint(checkpoint)) => Some(*checkpoint),
        Ok(StartingPoint::End) => return ExitCode::SUCCESS,
        Err(message) => return bad_input(&message),
    };
    let session = match Session::new(&arguments.session) {
        Ok(session) => session,
        Err(error) => return bad_input(&error),
    };
    let options = session.options(out, arguments.overwrite);
    match session.install(|| run_scenario(&loaded, &options, from, &session)) {
        Ok(()) if session.is_interrupted() => ExitCode::from(130),
        Ok(()) => ExitCode::SUCCESS,
        Err(
            error @ (RunError::Scenario(_)
            | RunError::Folder(_)
            | RunError::Output { .. }
            | RunError::State(_)),
        ) => bad_input(&error),
        Err(error) => {
            console::err!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Where a run begins.
enum StartingPoint {
    Beginning,
    Checkpoint(Box<Checkpoint>),
    /// There is nothing left to do.
    End,
}

/// Looks at what is in the folder, and says what will be done about it.
fn starting_point(
    loaded: &LoadedScenario,
    out: &Path,
    arguments: &RunArguments,
) -> Result<StartingPoint, String> {
    let (place, resume) = (out.display(), arguments.resume);
    if loaded.scenario.is_simulation() {
        return if resume {
            Err("--resume: only the training of [[layers]] can be resumed".to_owned())
        } else {
            Ok(StartingPoint::Beginning)
        };
    }
    let identity = RunIdentity::of(loaded);
    if resume
        && !arguments.overwrite
        && let Some(error) = other_run(&identity, out)
    {
        return Err(error.to_string());
    }
    match previous(&identity, out) {
        Err(CheckpointError::OtherScenario { .. }) if arguments.overwrite => {
            Ok(StartingPoint::Beginning)
        }
        Err(error) if resume => Err(format!("{error}\nWithout --resume, the run starts anew.")),
        Ok(Previous::Complete(summary)) if resume => {
            console::err!("{place} holds the complete run of this scenario: nothing to do");
            print_training(&summary, out, has_picture(loaded));
            Ok(StartingPoint::End)
        }
        Ok(Previous::Stopped(checkpoint)) if resume => {
            console::err!("resuming after {}", epochs(checkpoint.epochs()));
            Ok(StartingPoint::Checkpoint(checkpoint))
        }
        Ok(Previous::Nothing) if resume => {
            console::err!("nothing to resume in {place}: starting from the beginning");
            Ok(StartingPoint::Beginning)
        }
        Ok(Previous::Stopped(checkpoint)) if checkpoint.epochs() > 0 => {
            console::err!(
                "warning: starting anew, although {place} holds {} of this run: --resume would go \
                 on from there",
                epochs(checkpoint.epochs())
            );
            Ok(StartingPoint::Beginning)
        }
        _ => Ok(StartingPoint::Beginning),
    }
}

fn run_scenario(
    loaded: &LoadedScenario,
    options: &RunOptions<'_>,
    from: Option<Checkpoint>,
    session: &Session,
) -> Result<(), RunError> {
    let mut progress = session.progress();
    let progress = progress.as_mut();
    if let Some(spec) = &loaded.scenario.spike_training {
        let summary = train_spike_trains(loaded, spec, options, progress)?;
        print_spike_training(&summary, &options.out);
    } else if loaded.scenario.is_simulation() {
        let summary = simulate(loaded, options, progress)?;
        print_simulation(&summary, &options.out);
    } else {
        let summary = train(loaded, options, from, progress)?;
        print_training(&summary, &options.out, has_picture(loaded));
        if summary.interrupted {
            console::err!("to go on from here, run the same command with --resume");
        }
    }
    Ok(())
}

/// Whether the run draws a class map.
fn has_picture(loaded: &LoadedScenario) -> bool {
    matches!(loaded.scenario.dataset, Some(DataSource::YinYang(_)))
}

fn epochs(count: usize) -> String {
    if count == 1 { "1 epoch".to_owned() } else { format!("{count} epochs") }
}

fn print_training(summary: &TrainingSummary, out: &Path, has_picture: bool) {
    let percent = |fraction: f64| format!("{:.2} %", 100.0 * fraction);
    if summary.interrupted {
        console::out!("interrupted after {}", epochs(summary.epochs));
    }
    console::out!("test accuracy        {}", percent(summary.test_accuracy));
    console::out!("validation accuracy  {}", percent(summary.validation_accuracy));
    console::out!("train accuracy       {}", percent(summary.train_accuracy));
    let decision_time = if summary.mean_decision_time.is_nan() {
        "none: no label neuron spiked".to_owned()
    } else {
        format!("{:.3} {}", summary.mean_decision_time, time_unit::symbol(&summary.time_unit))
    };
    console::out!("mean decision time   {decision_time}");
    if let Some(account) = &summary.hardware {
        print_hardware(account);
    }
    console::out!(
        "time                 {:.1} s, {:.0} ms per epoch on {} thread{}",
        summary.seconds,
        1e3 * summary.seconds_per_epoch,
        summary.threads,
        if summary.threads == 1 { "" } else { "s" }
    );
    console::out!("engine               {}", summary.engine);
    if has_picture {
        console::out!("picture              {}", out.join("class_map.png").display());
        console::out!("everything else in   {}", out.display());
    } else {
        console::out!("everything in        {}", out.display());
    }
}

/// What a classification takes on the chip.
fn print_hardware(account: &HardwareAccount) {
    let HardwareAccount { chip, decision_time, time_per_sample, samples_per_second, .. } = account;
    match account.speedup_factor {
        Some(factor) => console::out!("on the chip          {chip}, {factor:.0} times as fast"),
        None => console::out!("on the chip          {chip}"),
    }
    if decision_time.is_finite() {
        console::out!("  decision time      {}", with_prefix(*decision_time, "s"));
    }
    console::out!(
        "  time per sample    {} ({samples_per_second:.0} samples per second)",
        with_prefix(*time_per_sample, "s")
    );
    console::out!(
        "  energy per sample  {} ({:.1} spikes, {:.0} synaptic events)",
        account.energy_per_sample.map_or_else(
            || "unknown: the chip has no [energy]".to_owned(),
            |energy| with_prefix(energy, "J")
        ),
        account.spikes_per_sample,
        account.synaptic_events_per_sample
    );
}

/// A quantity with three digits and the prefix that suits it: `8.40 µJ`.
fn with_prefix(value: f64, unit: &str) -> String {
    const PREFIXES: [(f64, &str); 6] =
        [(1.0, ""), (1e-3, "m"), (1e-6, "µ"), (1e-9, "n"), (1e-12, "p"), (1e-15, "f")];
    let found = PREFIXES.iter().find(|(size, _)| value.abs() >= 0.9995 * size);
    let &(size, prefix) = found.unwrap_or(&PREFIXES[0]);
    let scaled = value / size;
    let digits = if scaled >= 99.95 {
        0
    } else if scaled >= 9.995 {
        1
    } else {
        2
    };
    format!("{scaled:.digits$} {prefix}{unit}")
}

fn print_spike_training(summary: &SpikeTrainingSummary, out: &Path) {
    if summary.interrupted {
        console::out!("interrupted after {}", epochs(summary.epochs));
    }
    console::out!(
        "timing error         {:.6} {} (root mean square of {} spikes)",
        summary.timing_error,
        time_unit::symbol(summary.time_unit),
        summary.paired
    );
    console::out!("missing spikes       {}", summary.missing);
    console::out!("extra spikes         {}", summary.extra);
    console::out!("time                 {:.1} s", summary.seconds);
    console::out!("engine               {}", summary.engine);
    console::out!("everything else in   {}", out.display());
}

fn print_simulation(summary: &SimulationSummary, out: &Path) {
    if summary.interrupted {
        let (unit, reached) = (time_unit::symbol(summary.time_unit), summary.reached);
        console::out!("interrupted at {reached} of {} {unit}", summary.until);
    }
    let (_, unit, _) = rate_unit(Some(summary.time_unit));
    let rate = format!("rate [{}]", time_unit::symbol(&unit));
    console::out!("{:<20} {:>8} {:>12} {rate:>14}", "population", "size", "spikes");
    for population in &summary.populations {
        console::out!(
            "{:<20} {:>8} {:>12} {:>14}",
            population.name,
            population.size,
            population.spikes,
            population.rate.map_or("–".to_owned(), number)
        );
    }
    console::out!("{} synaptic events in {:.3} s", summary.synaptic_events, summary.seconds);
    console::out!("engine               {}", summary.engine);
    console::out!("spikes               {}", out.join("spikes.csv").display());
}

#[cfg(test)]
mod tests {
    use super::with_prefix;

    #[test]
    fn quantities_have_three_digits() {
        for (value, expected) in [
            (8.4e-6, "8.40 µJ"),
            (48e-6, "48.0 µJ"),
            (0.9999e-3, "1.00 mJ"),
            (852e-6, "852 µJ"),
            (0.0, "0.00 J"),
            (15e-9, "15.0 nJ"),
            (12.0, "12.0 J"),
        ] {
            assert_eq!(with_prefix(value, "J"), expected);
        }
    }
}
