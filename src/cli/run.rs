//! `firstspike run`: from a scenario to its results.

use std::path::Path;
use std::process::ExitCode;

use super::exit::{INTERRUPTED, failure};
use super::session::Session;
use super::traces::number;
use super::{RunArguments, bad_input, console};
use crate::chip::HardwareAccount;
use crate::dataset::DataSource;
use crate::report::with_prefix;
use crate::run::{
    Checkpoint, Previous, RunError, RunIdentity, RunOptions, SimulationSummary,
    SpikeTrainingSummary, TrainingResult, TrainingSummary, previous, simulate, to_resume, train,
    train_spike_trains,
};
use crate::scenario::{LoadedScenario, ScenarioFile};
use crate::settings::time_units;
use crate::trace::statistics::rate_unit;

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
    let scenario = &loaded.scenario;
    if arguments.resume && scenario.is_simulation() && scenario.spike_training.is_none() {
        return bad_input(
            &"--resume: a simulation keeps no checkpoint to go on from; leave it out to simulate anew",
        );
    }
    let default = || Path::new("traces").join(&loaded.scenario.name);
    let out = arguments.out.clone().unwrap_or_else(default);
    let session = match Session::new(&arguments.session) {
        Ok(session) => session,
        Err(error) => return bad_input(&error),
    };
    print_doubts(&loaded);
    // What goes on from a checkpoint starts from neither.
    for layer in loaded.layers_started_anew().filter(|_| !arguments.resume) {
        let start = loaded.scenario.start_from.as_deref().unwrap_or(Path::new("")).display();
        console::err!("{layer}: initial weights from the scenario, not from {start}");
    }
    let options = session.options(out, arguments.overwrite);
    match session.install(|| run_scenario(&loaded, &options, arguments.resume, &session)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(INTERRUPTED),
        Err(RunError::Checkpoint(error)) => {
            bad_input(&format!("{error}\nWithout --resume, the run starts anew."))
        }
        Err(error) => failure(&error),
    }
}

/// Says what is odd about a scenario's values.
pub(super) fn print_doubts(loaded: &LoadedScenario) {
    for doubt in loaded.scenario.doubts() {
        console::err!("warning: {doubt}");
    }
}

/// Runs a scenario; whether it came to its end.
fn run_scenario(
    loaded: &LoadedScenario,
    options: &RunOptions<'_>,
    resume: bool,
    session: &Session,
) -> Result<bool, RunError> {
    let mut progress = session.progress();
    let progress = progress.as_mut();
    let out = options.out.as_path();
    let interrupted = if let Some(spec) = &loaded.scenario.spike_training {
        let print = |summary: &SpikeTrainingSummary| print_spike_training(summary, out);
        let StartingPoint::At(from) = starting_point(loaded, options, resume, &print)? else {
            return Ok(true);
        };
        let summary = train_spike_trains(loaded, spec, options, from, progress)?;
        print(&summary);
        summary.interrupted
    } else if loaded.scenario.is_simulation() {
        let summary = simulate(loaded, options, progress)?;
        print_simulation(&summary, out);
        return Ok(!summary.interrupted);
    } else {
        let print = |summary: &TrainingSummary| print_training(summary, out, has_picture(loaded));
        let StartingPoint::At(from) = starting_point(loaded, options, resume, &print)? else {
            return Ok(true);
        };
        let summary = train(loaded, options, from, progress)?;
        print(&summary);
        summary.interrupted
    };
    if interrupted {
        console::err!("to go on from here, run the same command with --resume");
    }
    Ok(!interrupted)
}

/// Where a training begins.
enum StartingPoint<E> {
    /// At a checkpoint, or at the beginning.
    At(Option<Checkpoint<E>>),
    /// There is nothing left to do.
    End,
}

/// Looks at what is in the folder of a training, and says what will be done about it. The summary of a
/// complete run is printed.
fn starting_point<S: TrainingResult>(
    loaded: &LoadedScenario,
    options: &RunOptions<'_>,
    resume: bool,
    print: &impl Fn(&S),
) -> Result<StartingPoint<S::Epoch>, RunError> {
    let (out, place) = (&options.out, options.out.display());
    let identity = RunIdentity::of(loaded);
    let beginning = Ok(StartingPoint::At(None));
    if !resume {
        if let Ok(Previous::Stopped(checkpoint)) = previous::<S>(&identity, out)
            && checkpoint.epochs() > 0
        {
            console::err!(
                "warning: starting anew, although {place} holds {} of this run: --resume would go \
                 on from there",
                epochs(checkpoint.epochs())
            );
        }
        return beginning;
    }
    match to_resume::<S>(&identity, options)? {
        Previous::Complete(summary) => {
            console::err!("{place} holds the complete run of this scenario: nothing to do");
            print(&summary);
            Ok(StartingPoint::End)
        }
        Previous::Stopped(checkpoint) | Previous::OtherEpochs(checkpoint) => {
            console::err!("resuming after {}", epochs(checkpoint.epochs()));
            Ok(StartingPoint::At(Some(*checkpoint)))
        }
        Previous::Nothing => {
            console::err!("nothing to resume in {place}: starting from the beginning");
            beginning
        }
    }
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
        format!("{:.3} {}", summary.mean_decision_time, time_units::symbol(&summary.time_unit))
    };
    console::out!("mean decision time   {decision_time}");
    if let Some(account) = &summary.hardware {
        print_hardware(account);
    }
    let per_epoch = if summary.epochs == 0 {
        String::new()
    } else {
        format!(", {:.0} ms per epoch", 1e3 * summary.seconds_per_epoch)
    };
    console::out!(
        "time                 {:.1} s{per_epoch} on {} thread{}",
        summary.seconds,
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
pub(super) fn print_hardware(account: &HardwareAccount) {
    let HardwareAccount { chip, decision_time, time_per_sample, samples_per_second, .. } = account;
    match account.speedup_factor {
        Some(factor) => console::out!("on the chip          {chip}, {factor:.0} times as fast"),
        None => console::out!("on the chip          {chip}"),
    }
    if decision_time.is_finite() {
        console::out!("  decision time      {}", with_prefix(*decision_time, "s"));
    }
    if time_per_sample.is_finite() {
        console::out!(
            "  time per sample    {} ({samples_per_second:.0} samples per second)",
            with_prefix(*time_per_sample, "s")
        );
    } else {
        console::out!(
            "  time per sample    unknown: no label neuron spiked, and there is no window"
        );
    }
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

fn print_spike_training(summary: &SpikeTrainingSummary, out: &Path) {
    if summary.interrupted {
        console::out!("interrupted after {}", epochs(summary.epochs));
    }
    let unit = time_units::symbol(&summary.time_unit);
    match summary.paired {
        0 => console::out!("timing error         none: no spike is near a target"),
        paired => console::out!(
            "timing error         {:.6} {unit} (root mean square of {paired} spikes)",
            summary.timing_error
        ),
    }
    console::out!("missing spikes       {}", summary.missing);
    console::out!("extra spikes         {}", summary.extra);
    console::out!("time                 {:.1} s", summary.seconds);
    console::out!("engine               {}", summary.engine);
    console::out!("everything else in   {}", out.display());
}

fn print_simulation(summary: &SimulationSummary, out: &Path) {
    if summary.interrupted {
        let (unit, reached) = (time_units::symbol(summary.time_unit), summary.reached);
        console::out!("interrupted at {reached} of {} {unit}", summary.until);
    }
    let (_, unit, _) = rate_unit(Some(summary.time_unit));
    let rate = format!("rate [{}]", time_units::symbol(&unit));
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
