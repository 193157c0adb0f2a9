//! `firstspike nir convert`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::{DialectArguments, Outcome, Source, console, dialect, step};
use crate::network::CompiledNetwork;
use crate::nir::{Dialect, SourceTrains, export};

#[derive(Debug, Args)]
pub(in crate::cli) struct ConvertArguments {
    /// A NIR file.
    file: PathBuf,
    /// The file to write.
    out: PathBuf,
    /// The program that is to read it.
    #[arg(long, value_name = "DIALECT", value_parser = dialect())]
    to: Dialect,
    /// Length of a step of that program, in its times [default: the usual one].
    #[arg(long, value_name = "TIME", value_parser = step)]
    to_step: Option<f64>,
    #[command(flatten)]
    dialect: DialectArguments,
}

pub(super) fn run(arguments: &ConvertArguments) -> Outcome {
    let meaning = match Source::read(&arguments.file, &arguments.dialect)?.meaning() {
        Ok(meaning) => meaning,
        Err(stop) => return stop.outcome(2),
    };
    let mut trains: Vec<SourceTrains> = Vec::new();
    for (population, source, time) in &meaning.stimulus {
        match trains.iter_mut().find(|trains| trains.population == *population) {
            Some(trains) => trains.spikes.push((*source, *time)),
            None => {
                let spikes = vec![(*source, *time)];
                trains.push(SourceTrains { population: population.clone(), spikes });
            }
        }
    }
    let (graph, notes) = export(
        &CompiledNetwork::new(&meaning.network),
        meaning.time_unit,
        arguments.to,
        arguments.to_step,
        &trains,
    )?;
    graph.write(&arguments.out)?;
    for note in notes {
        console::err!("note: {note}");
    }
    console::out!("{}", arguments.out.display());
    Ok(ExitCode::SUCCESS)
}
