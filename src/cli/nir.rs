//! `firstspike nir`: networks of other programs.

mod check;
mod compare;
mod convert;
mod export;
mod import;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Subcommand};

use super::console;
use super::exit::{FAILED, failure};
use crate::nir::{
    Convention, Dialect, Graph, Guess, Meaning, Refusal, Reset, contradiction, guess, meaning,
};

#[derive(Debug, Subcommand)]
pub(super) enum NirCommand {
    /// List what of a network is not supported, or compare it with another one or with recorded spikes.
    #[command(
        after_help = "Without --against and --reference it says what the file means, and lists every node that no \
        network of leaky integrate-and-fire neurons can be, with the reason and what would help.\n\n\
        --against runs both networks exactly, on the same inputs: each input alone, all at once, random ones with \
        fixed seeds. It says that they are equal, or which spike is the first that differs and what the likely \
        cause is: unit of time, jump of the current, reset, delay, threshold.\n\n\
        --reference runs the network on the input spikes of a trace, whose populations have the names of the \
        nodes, and compares the others. Without a dialect every one is tried, and those that agree are named.\n\n\
        Exit codes: 0 all is supported, or equal; 1 something is not; 2 the file is none, or does not say what it means \
        and there is no --dialect.\n\n\
        Examples:\n  \
        firstspike nir check network.nir --dialect snntorch\n  \
        firstspike nir check a.nir --dialect strict --against b.nir --against-dialect norse\n  \
        firstspike nir check network.nir --reference spikes.csv --tolerance 1e-6"
    )]
    Check(check::CheckArguments),
    /// Write a scenario that runs a network, with its data.
    #[command(
        after_help = "The folder gets scenario.toml, tables of neurons and synapses that it reads, and the same as \
        network.npz. Inputs are populations of sources. Their spikes are those of --spikes, or of the file if firstspike \
        wrote it, or else regular: change them.\n\n\
        Examples:\n  \
        firstspike nir import network.nir --dialect strict --out imported\n  \
        firstspike run imported/scenario.toml"
    )]
    Import(import::ImportArguments),
    /// Write the network of a run or of a scenario as a NIR file.
    #[command(
        after_help = "The strict dialect, which is the default, says in its metadata what times and weights mean, and \
        has all parameters: imported again, the network gives the same spikes to the bit. Other dialects are written \
        as their programs read them. What such a file cannot have is said.\n\n\
        Examples:\n  \
        firstspike nir export traces/recurrent recurrent.nir\n  \
        firstspike nir export scenarios/single_neuron.toml one.nir --to norse"
    )]
    Export(export::ExportArguments),
    /// Write a file anew, as another program means it.
    #[command(
        after_help = "Times, weights and resistances are scaled so that the network is the same. Graphs inside become \
        one, convolutions and pools become matrices, read-outs without spikes go.\n\n\
        Example:\n  \
        firstspike nir convert network.nir for_norse.nir --dialect jaxsnn --to norse"
    )]
    Convert(convert::ConvertArguments),
}

/// How a file is read.
#[derive(Debug, Args)]
pub(super) struct DialectArguments {
    /// How to read the file [default: as it says, or as its numbers show].
    #[arg(long, value_parser = dialect())]
    dialect: Option<Dialect>,
    /// Length of a step of the program that wrote it, in the file's times [default: the usual one].
    #[arg(long, value_name = "TIME", value_parser = step)]
    step: Option<f64>,
    /// Take resets by subtraction as resets to v_reset: exact up to each neuron's first spike.
    #[arg(long, value_name = "value", value_parser = ["value"])]
    reset: Option<String>,
}

fn dialect() -> impl TypedValueParser<Value = Dialect> {
    PossibleValuesParser::new(Dialect::ALL.map(|(name, _)| name)).map(|given| {
        let found = Dialect::ALL.iter().find(|(name, _)| *name == given);
        found.map_or(Dialect::Strict, |(_, dialect)| *dialect)
    })
}

fn share(text: &str) -> Result<f64, String> {
    let value = text.parse().ok().filter(|value: &f64| *value > 0.0 && *value < 1.0);
    value.ok_or_else(|| "it must be a number above 0 and below 1".to_owned())
}

fn step(text: &str) -> Result<f64, String> {
    let value = text.parse().ok().filter(|value: &f64| *value > 0.0 && value.is_finite());
    value.ok_or_else(|| "it must be a number above 0".to_owned())
}

pub(super) fn run(command: &NirCommand) -> ExitCode {
    let outcome = match command {
        NirCommand::Check(arguments) => check::run(arguments),
        NirCommand::Import(arguments) => import::run(arguments),
        NirCommand::Export(arguments) => export::run(arguments),
        NirCommand::Convert(arguments) => convert::run(arguments),
    };
    outcome.unwrap_or_else(|error| failure(&*error))
}

type Outcome = Result<ExitCode, Box<dyn std::error::Error>>;

/// A file, and how it is read.
struct Source {
    path: PathBuf,
    graph: Graph,
    /// None if nobody says.
    convention: Option<Convention>,
    /// How that is known.
    reason: String,
}

impl Source {
    fn read(path: &Path, arguments: &DialectArguments) -> Result<Self, Box<dyn std::error::Error>> {
        let graph = Graph::read(path)?;
        let (mut convention, reason) = match arguments.dialect {
            Some(dialect) => {
                (Some(dialect.convention(arguments.step)), format!("--dialect {}", dialect.name()))
            }
            None => match guess(&graph) {
                Guess::Known { convention, dialect, reason } => {
                    let (named, step) = (dialect.map(Dialect::name), arguments.step);
                    if dialect.is_none() && step.is_some() {
                        return Err(format!(
                            "{}: --step is for files of programs that run in steps, and the metadata of this one say \
                             what it means: leave it out",
                            path.display()
                        )
                        .into());
                    }
                    let convention = match dialect.filter(|_| step.is_some()) {
                        Some(dialect) => dialect.convention(step),
                        None => convention,
                    };
                    let dialect =
                        named.map_or_else(String::new, |name| format!("dialect {name}: "));
                    (Some(convention), format!("{dialect}{reason}"))
                }
                Guess::Unknown(hints) => (None, hints.join("; ")),
            },
        };
        if let Some(convention) = convention.as_mut().filter(|_| arguments.reset.is_some()) {
            convention.reset = Reset::ToValue;
        }
        if let Some(why) = convention.as_ref().and_then(|known| contradiction(&graph, known)) {
            let message = format!("{}: {why}: leave --dialect out", path.display());
            return Err(message.into());
        }
        Ok(Source { path: path.to_owned(), graph, convention, reason })
    }

    /// Says that nobody knows what the file means.
    fn undecided(&self) -> String {
        let hints =
            if self.reason.is_empty() { String::new() } else { format!(" ({})", self.reason) };
        let names = Dialect::ALL.map(|(name, _)| name).join("|");
        format!(
            "{}: nothing in it says in which unit its times are and how far a spike moves a current{hints}: choose \
             --dialect {names} (firstspike nir --help says what each means)",
            self.path.display()
        )
    }

    /// What it means, said aloud; what is not supported is listed, and the exit code is the error.
    fn meaning(&self) -> Result<Meaning, Stop> {
        let Some(convention) = &self.convention else { return Err(Stop::Error(self.undecided())) };
        console::err!("{}: {convention} ({})", self.path.display(), self.reason);
        match meaning(&self.graph, convention) {
            Ok(meaning) => {
                for note in &meaning.notes {
                    console::err!("note: {note}");
                }
                Ok(meaning)
            }
            Err(refusals) => {
                list(&self.path, &refusals);
                Err(Stop::Refused)
            }
        }
    }
}

/// Why there is no meaning.
enum Stop {
    Error(String),
    /// It was listed.
    Refused,
}

impl Stop {
    /// The exit code; one that is refused is no input for commands that need a network.
    fn outcome(self, refused: u8) -> Outcome {
        match self {
            Stop::Error(message) => Err(message.into()),
            Stop::Refused => Ok(ExitCode::from(refused)),
        }
    }
}

/// Prints every refusal.
fn list(path: &Path, refusals: &[Refusal]) {
    let what = match refusals.len() {
        1 => "1 thing is".to_owned(),
        count => format!("{count} things are"),
    };
    console::err!("error: {}: {what} not supported:", path.display());
    for Refusal { node, kind, reason, help } in refusals {
        console::out!("{node} ({kind}): {reason}");
        console::out!("    {help}");
    }
}

/// The exit code of what differs or is not supported.
fn differs() -> ExitCode {
    ExitCode::from(FAILED)
}
