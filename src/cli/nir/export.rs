//! `firstspike nir export`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::{Outcome, console, dialect, step};
use crate::learning::Inference;
use crate::network::{CompiledNetwork, Population};
use crate::nir::{Dialect, Field, SourceTrains, Tensor, export};
use crate::run::OutputFolder;
use crate::scenario::{LoadedScenario, ScenarioFile};

#[derive(Debug, Args)]
pub(in crate::cli) struct ExportArguments {
    /// The folder of a run, or a scenario of [[populations]].
    run: PathBuf,
    /// The NIR file to write.
    file: PathBuf,
    /// The program that is to read it.
    #[arg(long, value_name = "DIALECT", default_value = "strict", value_parser = dialect())]
    to: Dialect,
    /// Length of a step of that program, in its times [default: the usual one].
    #[arg(long, value_name = "TIME", value_parser = step)]
    to_step: Option<f64>,
}

pub(super) fn run(arguments: &ExportArguments) -> Outcome {
    let is_run = arguments.run.is_dir();
    let path = if is_run { arguments.run.join("scenario.toml") } else { arguments.run.clone() };
    let loaded = ScenarioFile::read(&path)?.load(&[])?;
    let unit = loaded.scenario.time_unit;
    let mut until = None;
    let (network, trains) = if loaded.scenario.is_simulation() {
        let (network, trains, end) = simulation(&loaded)?;
        until = Some((
            end,
            loaded.scenario.simulation.as_ref().is_some_and(|how| how.at_most_one_spike),
        ));
        (network, trains)
    } else if is_run {
        let saved =
            crate::network::file::read_with::<Inference>(&arguments.run.join("network.json"))?;
        console::err!(
            "note: inputs and bias sources are inputs of the graph: spikes encode samples, which NIR has not"
        );
        (CompiledNetwork::new(&saved.network), Vec::new())
    } else {
        let message = format!(
            "{}: its network is trained first: firstspike run, then firstspike nir export with the folder of the run",
            path.display()
        );
        return Err(message.into());
    };
    let (mut graph, notes) = export(&network, unit, arguments.to, arguments.to_step, &trains)?;
    if let (Some((until, once)), Dialect::Strict) = (until, arguments.to) {
        let number =
            |value| Field::Numbers(Tensor { shape: Vec::new(), values: vec![value], whole: false });
        graph.metadata.insert("firstspike_until".to_owned(), number(until));
        graph
            .metadata
            .insert("firstspike_at_most_one_spike".to_owned(), number(f64::from(u8::from(once))));
    }
    if let Some(folder) = arguments.file.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        OutputFolder::create(folder)?;
    }
    graph.write(&arguments.file)?;
    for note in notes {
        console::err!("note: {note}");
    }
    console::out!("{}", arguments.file.display());
    Ok(ExitCode::SUCCESS)
}

type Simulated = (CompiledNetwork, Vec<SourceTrains>, f64);

fn simulation(loaded: &LoadedScenario) -> Result<Simulated, Box<dyn std::error::Error>> {
    let simulation = loaded.simulation()?;
    let trains =
        simulation.network.populations().iter().filter_map(|Population { name, nodes }| {
            let own =
                simulation.stimulus.iter().filter(|spike| nodes.contains(&(spike.source as usize)));
            let spikes: Vec<(usize, f64)> =
                own.map(|spike| (spike.source as usize - nodes.start, spike.time)).collect();
            (!spikes.is_empty()).then(|| SourceTrains { population: name.clone(), spikes })
        });
    let trains = trains.collect();
    Ok((simulation.network, trains, simulation.until))
}
