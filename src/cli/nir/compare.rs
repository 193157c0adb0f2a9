//! Two networks, or one and recorded spikes, side by side.

use std::path::Path;
use std::process::ExitCode;

use super::check::CheckArguments;
use super::{DialectArguments, Outcome, Source, Stop, console, differs};
use crate::nir::{Comparison, Dialect, Meaning, Reference, Spikes, compare, compare_with, meaning};
use crate::report::differences::{Differences, MOST_PANELS, Panel};
use crate::run::file_names;
use crate::settings::time_units::TimeFactor;
use crate::trace::recording::{ColumnNames, Recording, read_recording};

pub(super) fn against(arguments: &CheckArguments, first: &Meaning) -> Outcome {
    let Some(path) = &arguments.against else { return Ok(ExitCode::SUCCESS) };
    let dialect = DialectArguments {
        dialect: arguments.against_dialect,
        step: arguments.against_step,
        reset: arguments.dialect.reset.clone(),
    };
    let second = match Source::read(path, &dialect)?.meaning() {
        Ok(meaning) => meaning,
        Err(stop @ Stop::Refused) => return stop.outcome(1),
        Err(stop) => return stop.outcome(2),
    };
    let comparison = compare(first, &second, arguments.tolerance)?;
    let names = (name(&arguments.file), name(path));
    write_picture(arguments, &comparison, &names, first)?;
    Ok(report(&comparison, arguments.tolerance, first, &names, false))
}

pub(super) fn reference(arguments: &CheckArguments, source: &Source) -> Outcome {
    let Some(path) = &arguments.reference else { return Ok(ExitCode::SUCCESS) };
    let (recording, warnings) = read_recording(path, &ColumnNames::default())?;
    for warning in warnings {
        console::err!("warning: {warning}");
    }
    let names = (name(&arguments.file), name(path));
    if source.convention.is_some() {
        let meaning = match source.meaning() {
            Ok(meaning) => meaning,
            Err(stop) => return stop.outcome(1),
        };
        let reference = as_reference(&recording, &meaning, path)?;
        let comparison = compare_with(&meaning, &reference, arguments.tolerance)?;
        write_picture(arguments, &comparison, &names, &meaning)?;
        return Ok(report(&comparison, arguments.tolerance, &meaning, &names, true));
    }
    // Nobody says what the file means: the spikes do.
    if arguments.svg.is_some() || arguments.png.is_some() {
        return Err(
            "a picture is of one dialect, and the file does not say which: give --dialect".into()
        );
    }
    let mut agreeing = Vec::new();
    for (dialect_name, dialect) in Dialect::ALL {
        let mut convention = dialect.convention(arguments.dialect.step);
        if arguments.dialect.reset.is_some() {
            convention.reset = crate::nir::Reset::ToValue;
        }
        match meaning(&source.graph, &convention) {
            Err(refusals) => {
                let first = refusals.first().map(ToString::to_string).unwrap_or_default();
                console::out!("{dialect_name}: not supported: {first}");
            }
            Ok(meaning) => {
                let reference = as_reference(&recording, &meaning, path)?;
                let comparison = compare_with(&meaning, &reference, arguments.tolerance)?;
                match &comparison.difference {
                    None if comparison.spikes == 0 => {
                        console::out!("{dialect_name}: {}", nothing(&comparison, &meaning));
                    }
                    None => {
                        console::out!(
                            "{dialect_name}: {}",
                            until(&comparison, arguments.tolerance, &meaning)
                        );
                        agreeing.push(dialect_name);
                    }
                    Some(_) => console::out!(
                        "{dialect_name}: {}",
                        first_difference(&comparison, &meaning, &names)
                    ),
                }
            }
        }
    }
    if agreeing.is_empty() {
        console::out!("no dialect gives the recorded spikes");
        return Ok(differs());
    }
    console::out!("the recorded spikes are those of: --dialect {}", agreeing.join(", "));
    Ok(ExitCode::SUCCESS)
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// The spikes of a trace, in the network's unit and by the names of its populations.
fn as_reference(
    recording: &Recording,
    meaning: &Meaning,
    path: &Path,
) -> Result<Reference, String> {
    let unit = meaning.time_unit.suffix();
    let factor = match recording.time_unit.as_deref() {
        Some(of_trace) if of_trace != unit => {
            TimeFactor::between(of_trace, unit).ok_or_else(|| {
                format!("{}: its times are in {of_trace}, the network's in {unit}", path.display())
            })?
        }
        _ => TimeFactor::ONE,
    };
    if recording.samples.iter().any(|&sample| sample != recording.samples[0]) {
        return Err(format!("{}: it has several samples: one is needed", path.display()));
    }
    let mut reference = Reference::default();
    let mut places = Vec::new();
    // Scenarios that were imported have other letters in the names of some nodes.
    let all = meaning.network.populations();
    let written = file_names(all);
    let node = |name: &String| {
        let exact = all.iter().find(|population| population.name == *name);
        exact.or_else(|| {
            all.iter().zip(&written).find(|(_, written)| *written == name).map(|found| found.0)
        })
    };
    for name in &recording.populations {
        let known = node(name);
        let Some(population) = known else {
            let all: Vec<&str> = all.iter().map(|known| known.name.as_str()).collect();
            return Err(format!(
                "{}: there is no population `{name}` in the network; it has `{}`",
                path.display(),
                all.join("`, `")
            ));
        };
        let input = meaning.inputs.iter().position(|input| *input == population.name);
        if input.is_none() {
            reference.populations.push((population.name.clone(), Spikes::new()));
        }
        places.push((input, reference.populations.len().wrapping_sub(1), population.nodes.len()));
    }
    for spike in 0..recording.len() {
        let (input, place, size) = places[recording.population_of(spike)];
        let (neuron, time) = (recording.neurons[spike], factor.apply(recording.times[spike]));
        if neuron as usize >= size {
            let name = &recording.populations[recording.population_of(spike)];
            return Err(format!(
                "{}: neuron {neuron} of `{name}` does not exist: the network has {size}",
                path.display()
            ));
        }
        match input {
            Some(input) => reference.inputs.push((input, neuron, time)),
            None => reference.populations[place].1.push((neuron, time)),
        }
    }
    // Populations that are silent in the trace are compared, too: those that an output shows, or all without one.
    for population in all {
        let is_known = reference.populations.iter().any(|(name, _)| *name == population.name);
        let is_shown = if meaning.outputs.is_empty() {
            !meaning.inputs.contains(&population.name)
        } else {
            meaning.outputs.contains(&population.name)
        };
        if !is_known && is_shown {
            reference.populations.push((population.name.clone(), Spikes::new()));
        }
    }
    if reference.inputs.is_empty() {
        return Err(format!(
            "{}: it has no spikes of the inputs `{}`: their rows are needed, with these names as population",
            path.display(),
            meaning.inputs.join("`, `")
        ));
    }
    Ok(reference)
}

fn equal(comparison: &Comparison, tolerance: f64) -> String {
    format!(
        "equal to {tolerance:e}: {} spikes of {} stimuli, the largest difference of a time is {:e} of a run",
        comparison.spikes,
        comparison.stimuli.len(),
        comparison.largest / comparison.duration
    )
}

/// The same for recorded spikes, which end somewhere.
fn until(comparison: &Comparison, tolerance: f64, meaning: &Meaning) -> String {
    format!(
        "{}; compared up to {} {}, the last spike of the trace",
        equal(comparison, tolerance),
        comparison.duration,
        meaning.time_unit.suffix()
    )
}

/// No spike is no agreement.
fn nothing(comparison: &Comparison, meaning: &Meaning) -> String {
    format!(
        "nothing was compared: no neuron spikes up to {} {}",
        comparison.duration,
        meaning.time_unit.suffix()
    )
}

fn first_difference(
    comparison: &Comparison,
    meaning: &Meaning,
    names: &(String, String),
) -> String {
    let Some(difference) = &comparison.difference else { return String::new() };
    let unit = meaning.time_unit.suffix();
    let when = |time: Option<f64>| match time {
        Some(time) => format!("spikes at {time} {unit}"),
        None => "does not spike any more".to_owned(),
    };
    let (population, neuron) = &difference.neuron;
    format!(
        "the first spike that differs: neuron {neuron} of `{population}` {} in {}, and {} in {} ({})",
        when(difference.first),
        names.0,
        when(difference.second),
        names.1,
        difference.stimulus
    )
}

fn report(
    comparison: &Comparison,
    tolerance: f64,
    meaning: &Meaning,
    names: &(String, String),
    of_trace: bool,
) -> ExitCode {
    let Some(difference) = &comparison.difference else {
        if comparison.spikes == 0 {
            console::out!("{}", nothing(comparison, meaning));
            return differs();
        }
        match of_trace {
            true => console::out!("{}", until(comparison, tolerance, meaning)),
            false => console::out!("{}", equal(comparison, tolerance)),
        }
        return ExitCode::SUCCESS;
    };
    console::out!("{}", first_difference(comparison, meaning, names));
    match &difference.cause {
        Some(cause) => console::out!("the likely cause is {cause}"),
        None => console::out!(
            "no single change of unit, jump, reset, delays or thresholds makes them equal"
        ),
    }
    differs()
}

fn write_picture(
    arguments: &CheckArguments,
    comparison: &Comparison,
    names: &(String, String),
    meaning: &Meaning,
) -> Result<(), Box<dyn std::error::Error>> {
    if arguments.svg.is_none() && arguments.png.is_none() {
        return Ok(());
    }
    let stimulus = comparison.difference.as_ref().map(|difference| &difference.stimulus);
    let panels = comparison.populations.iter().take(MOST_PANELS);
    let picture = Differences {
        title: stimulus.or(comparison.stimuli.last()).cloned().unwrap_or_default(),
        names: names.clone(),
        time_unit: Some(meaning.time_unit.suffix().to_owned()),
        panels: panels.map(|(name, a, b)| panel(name, a, b)).collect(),
    };
    if let Some(path) = &arguments.svg {
        crate::cli::files::write_file(path, picture.to_svg()?.as_bytes())?;
    }
    if let Some(path) = &arguments.png {
        crate::cli::files::write_file(path, &picture.to_png()?)?;
    }
    Ok(())
}

/// Spikes of a neuron are paired in their order.
fn panel(name: &str, a: &Spikes, b: &Spikes) -> Panel {
    let sorted = |spikes: &Spikes| {
        let mut sorted = spikes.clone();
        sorted.sort_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
        sorted
    };
    let (a, b) = (sorted(a), sorted(b));
    let mut panel = Panel { name: name.to_owned(), ..Panel::default() };
    let (mut at_a, mut at_b) = (0, 0);
    loop {
        match (a.get(at_a), b.get(at_b)) {
            (Some(one), Some(other)) if one.0 == other.0 => {
                panel.pairs.push((one.1, other.1 - one.1));
                (at_a, at_b) = (at_a + 1, at_b + 1);
            }
            (Some(one), other) if other.is_none_or(|other| one.0 < other.0) => {
                panel.missing.push(one.1);
                at_a += 1;
            }
            (_, Some(other)) => {
                panel.extra.push(other.1);
                at_b += 1;
            }
            _ => return panel,
        }
    }
}
