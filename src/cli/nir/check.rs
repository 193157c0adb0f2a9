//! `firstspike nir check`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::{
    DialectArguments, Outcome, Source, Stop, compare, console, dialect, differs, list, share, step,
};
use crate::nir::{Dialect, Meaning, meaning};

#[derive(Debug, Args)]
pub(in crate::cli) struct CheckArguments {
    /// A NIR file.
    pub(super) file: PathBuf,
    #[command(flatten)]
    pub(super) dialect: DialectArguments,
    /// Another NIR file: run both on the same inputs.
    #[arg(long, value_name = "FILE")]
    pub(super) against: Option<PathBuf>,
    /// How to read the other file [default: as it says, or as its numbers show].
    #[arg(long, value_name = "DIALECT", requires = "against", value_parser = dialect())]
    pub(super) against_dialect: Option<Dialect>,
    /// Length of a step of the program that wrote the other file.
    #[arg(long, value_name = "TIME", requires = "against", value_parser = step)]
    pub(super) against_step: Option<f64>,
    /// Recorded spikes of inputs and neurons (CSV): run the network on the inputs.
    #[arg(long, value_name = "TRACE", conflicts_with = "against")]
    pub(super) reference: Option<PathBuf>,
    /// Largest difference of two times that counts as none, in lengths of the run.
    #[arg(long, value_name = "SHARE", default_value = "1e-12", value_parser = share)]
    pub(super) tolerance: f64,
    /// Draw the differences over time (SVG).
    #[arg(long, value_name = "FILE")]
    pub(super) svg: Option<PathBuf>,
    /// Draw the differences over time (PNG).
    #[arg(long, value_name = "FILE")]
    pub(super) png: Option<PathBuf>,
}

pub(super) fn run(arguments: &CheckArguments) -> Outcome {
    let is_alone = arguments.against.is_none() && arguments.reference.is_none();
    if is_alone && (arguments.svg.is_some() || arguments.png.is_some()) {
        return Err("--svg and --png draw differences: --against or --reference is needed".into());
    }
    let source = Source::read(&arguments.file, &arguments.dialect)?;
    if arguments.reference.is_some() {
        return compare::reference(arguments, &source);
    }
    if source.convention.is_none() {
        // What is not supported in any dialect is worth more than the question which one.
        let any = Dialect::Strict.convention(None);
        if let Err(refusals) = meaning(&source.graph, &any) {
            list(&source.path, &refusals);
            return Ok(differs());
        }
    }
    let meaning = match source.meaning() {
        Ok(meaning) => meaning,
        Err(stop @ Stop::Refused) => return stop.outcome(1),
        Err(stop) => return stop.outcome(2),
    };
    if arguments.against.is_some() {
        return compare::against(arguments, &meaning);
    }
    show(&meaning);
    Ok(ExitCode::SUCCESS)
}

/// Prints what a file means.
fn show(meaning: &Meaning) {
    let network = &meaning.network;
    let unit = meaning.time_unit.suffix();
    for population in network.populations() {
        let first = &network.graph().raw_nodes()[population.nodes.start].weight;
        let about = match first {
            crate::network::Node::Source => "sources".to_owned(),
            crate::network::Node::Neuron(neuron) => format!(
                "neurons, tau_m {} {unit}, tau_s {} {unit}, threshold {}",
                neuron.tau_m, neuron.tau_s, neuron.threshold
            ),
        };
        console::out!("{}: {} {about}", population.name, population.nodes.len());
    }
    console::out!("{} synapses; everything is supported", network.graph().edge_count());
}
