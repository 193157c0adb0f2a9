//! An external program as substrate: another simulator, or what drives a real chip.
//!
//! The program is told the network once, its weights whenever they change, and the input spikes of a
//! batch of samples; it answers with the spikes it recorded. Everything is CSV with named columns, over
//! the program's standard streams ([`Exchange::Streams`]) or in files ([`Exchange::Files`]).
//! `docs/substrate_protocol.md` is the protocol.
//!
//! Nothing that the program does stops a training without a word. Every answer has a time-out, whether
//! the program hangs, reads nothing or floods a stream; an answer that cannot be what it says is an
//! error with its line; what is merely odd (a neuron that spikes twice, a row that comes twice) is
//! counted in [`Oddities`]. After an error the program is ended, and with it whatever it started.

mod answer;
mod process;
mod tables;

use std::fs;
use std::io::{self, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::time::{Duration, Instant};

use super::{Presented, Program, Substrate, SubstrateError};
use crate::engine::Spike;
use crate::network::LayeredNetwork;
use answer::{AnswerError, AnswerReader, shortened};
use process::{AnswerStream, Process};
use tables::Tables;

pub use answer::Oddities;

/// How an external program is run.
#[derive(Clone, Debug, PartialEq)]
pub struct ExternalSettings {
    /// The program and its arguments. A program with a folder in its name, such as `./chip.sh`, is
    /// looked for from the working directory, any other on the search path.
    pub command: Vec<String>,
    /// How long the answer to one batch may take, the start of the program included. Above zero, at
    /// most [`Self::LONGEST_TIMEOUT`].
    pub timeout: Duration,
    /// How tables go to and fro.
    pub exchange: Exchange,
    /// What the names of columns of times end in, such as `tau_s`: the unit of all times.
    pub time_unit: String,
}

/// How tables go to and fro between us and the program.
#[derive(Clone, Debug, PartialEq)]
pub enum Exchange {
    /// Over the program's standard input and output. The program is started once and stays.
    Streams,
    /// In files. The program is started for every batch, with their paths as arguments.
    Files {
        /// Where the files are. Made if need be; the files of the last batch stay.
        folder: PathBuf,
    },
}

/// A layered network on an external program.
#[derive(Debug)]
pub struct ExternalSubstrate {
    settings: ExternalSettings,
    /// Where the program runs. Absolute.
    working_directory: PathBuf,
    tables: Tables,
    reader: AnswerReader,
    oddities: Oddities,
    connection: Connection,
    programmed: bool,
    /// Batches that were shown.
    batches: u64,
}

/// What stands between us and the program.
#[derive(Debug)]
enum Connection {
    /// A program that stays.
    Streams(Process),
    /// Files for a program that is started for every batch.
    Files(Paths),
    /// A program that failed.
    Over,
}

/// The files of an exchange. Absolute.
#[derive(Clone, Debug)]
struct Paths {
    network: PathBuf,
    weights: PathBuf,
    stimulus: PathBuf,
    spikes: PathBuf,
}

impl ExternalSettings {
    /// How long an answer may take where nothing else is said.
    pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(60);

    /// How long an answer may take at most: eleven days.
    pub const LONGEST_TIMEOUT: Duration = Duration::from_secs(1_000_000);
}

impl ExternalSubstrate {
    /// Puts a network on an external program, which runs in `working_directory`. Over streams, it is
    /// started now, and told the network.
    ///
    /// # Errors
    /// If the settings cannot be, a population's name has no place in a CSV field, or the program or
    /// the folder of the files cannot be found.
    pub fn new(
        network: &LayeredNetwork,
        settings: ExternalSettings,
        working_directory: &Path,
    ) -> Result<Self, SubstrateError> {
        if settings.command.first().is_none_or(String::is_empty) {
            return Err(error("the command is empty: it must name a program"));
        }
        if settings.timeout.is_zero() || settings.timeout > ExternalSettings::LONGEST_TIMEOUT {
            let (found, most) = (settings.timeout, ExternalSettings::LONGEST_TIMEOUT);
            return Err(error(format!(
                "the time-out of {} s must be above 0 and at most {} s",
                found.as_secs_f64(),
                most.as_secs()
            )));
        }
        let tables = Tables::new(network, &settings.time_unit)?;
        let working_directory = std::path::absolute(working_directory)
            .map_err(|source| error(format!("{}: {source}", working_directory.display())))?;
        let connection = match &settings.exchange {
            Exchange::Streams => {
                let process = Process::streaming(&settings.command, &working_directory)?;
                process.send(tables.framed("network", tables.network()));
                Connection::Streams(process)
            }
            Exchange::Files { folder } => {
                let paths = Paths::new(folder)?;
                write(&paths.network, tables.network())?;
                Connection::Files(paths)
            }
        };
        Ok(ExternalSubstrate {
            reader: AnswerReader::new(network, &settings.time_unit),
            settings,
            working_directory,
            tables,
            oddities: Oddities::default(),
            connection,
            programmed: false,
            batches: 0,
        })
    }

    /// What was odd about all answers so far.
    pub fn oddities(&self) -> Oddities {
        self.oddities
    }

    fn command(&self) -> String {
        shortened(&self.settings.command.join(" "))
    }

    /// Ends the program, whatever it does, and makes the error.
    fn give_up(&mut self, message: &str, process: Option<Process>) -> SubstrateError {
        let ended = match std::mem::replace(&mut self.connection, Connection::Over) {
            Connection::Streams(process) => Some(process),
            _ => process,
        };
        let last_words = ended.map(Process::kill).unwrap_or_default();
        let mut message = format!("`{}`, batch {}: {message}", self.command(), self.batches);
        if !last_words.is_empty() {
            message += "; it last wrote to its error output:\n  ";
            message += &last_words.replace('\n', "\n  ");
        }
        error(message)
    }
}

impl Substrate for ExternalSubstrate {
    fn program(&mut self, program: &Program<'_>) -> Result<(), SubstrateError> {
        let weights = self.tables.weights(program)?;
        match &self.connection {
            Connection::Streams(process) => process.send(self.tables.framed("weights", &weights)),
            Connection::Files(paths) => write(&paths.weights, &weights)?,
            Connection::Over => return Err(over(&self.command())),
        }
        self.programmed = true;
        Ok(())
    }

    fn present(&mut self, samples: &[Presented]) -> Result<Vec<Vec<Spike>>, SubstrateError> {
        if !self.programmed {
            return Err(error("the weights must be set before samples are shown"));
        }
        if samples.is_empty() {
            return Ok(Vec::new());
        }
        self.batches += 1;
        let batch = Batch {
            number: self.batches,
            samples,
            settings: &self.settings,
            tables: &self.tables,
            reader: &self.reader,
            oddities: &mut self.oddities,
        };
        let mut started = None;
        let spikes = match &mut self.connection {
            Connection::Streams(process) => batch.over_streams(process),
            Connection::Files(paths) => {
                batch.through_files(paths, &self.working_directory, &mut started)
            }
            Connection::Over => return Err(over(&self.command())),
        };
        spikes.map_err(|message| self.give_up(&message, started))
    }

    fn warnings(&self) -> Vec<String> {
        self.oddities.warnings()
    }
}

/// Samples on their way to a program.
struct Batch<'a> {
    /// Counted from 1.
    number: u64,
    samples: &'a [Presented],
    settings: &'a ExternalSettings,
    tables: &'a Tables,
    reader: &'a AnswerReader,
    oddities: &'a mut Oddities,
}

impl Batch<'_> {
    fn over_streams(self, process: &mut Process) -> Result<Vec<Vec<Spike>>, String> {
        let timeout = self.settings.timeout;
        let deadline = Instant::now() + timeout;
        if let Some(line) = process.unasked() {
            return Err(format!("wrote `{line}` before it was asked"));
        }
        let head = format!("stimulus,{},{}", self.number, self.samples.len());
        process.send(self.tables.framed(&head, &self.tables.stimulus(self.samples)));
        let mut stream = AnswerStream::new(process, deadline, self.number);
        match self.reader.read(&mut stream, self.samples, self.oddities) {
            Ok(spikes) => Ok(spikes),
            Err(AnswerError::Line(message)) => Err(format!("answer, {message}")),
            Err(AnswerError::Read(_)) => Err(stream.failure(timeout)),
        }
    }

    /// Leaves the program in `started`, for what it wrote to its error output.
    fn through_files(
        self,
        paths: &Paths,
        folder: &Path,
        started: &mut Option<Process>,
    ) -> Result<Vec<Vec<Spike>>, String> {
        let timeout = self.settings.timeout;
        write(&paths.stimulus, &self.tables.stimulus(self.samples))
            .map_err(|error| error.message)?;
        let name = paths.spikes.display();
        match fs::remove_file(&paths.spikes) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                return Err(format!("{name}: {source}"));
            }
            _ => {}
        }
        let Paths { network, weights, stimulus, spikes } = paths.clone();
        let mut arguments =
            [network, weights, stimulus, spikes].map(PathBuf::into_os_string).to_vec();
        arguments.push(self.samples.len().to_string().into());
        let deadline = Instant::now() + timeout;
        let process = Process::with_files(&self.settings.command, &arguments, folder);
        let process = started.insert(process.map_err(|error| error.message)?);
        match process.wait_until(deadline) {
            None => {
                let seconds = timeout.as_secs_f64();
                return Err(format!("did not end within {seconds} s (the time-out)"));
            }
            Some(status) if !status.success() => return Err(ending(status)),
            Some(_) => {}
        }
        let mut file = fs::File::open(&paths.spikes)
            .map_err(|source| format!("left no answer: {name}: {source}"))?;
        ends_with_line(&mut file).map_err(|problem| format!("answer, {name}: {problem}"))?;
        let answer = self.reader.read(&mut file, self.samples, self.oddities);
        answer.map_err(|problem| match problem {
            AnswerError::Line(message) => format!("answer, {name}, {message}"),
            AnswerError::Read(source) => format!("answer, {name}: {source}"),
        })
    }
}

impl Paths {
    fn new(folder: &Path) -> Result<Self, SubstrateError> {
        let wrap = |source: io::Error| error(format!("{}: {source}", folder.display()));
        fs::create_dir_all(folder).map_err(wrap)?;
        let folder = std::path::absolute(folder).map_err(wrap)?;
        let file = |name: &str| folder.join(name);
        Ok(Paths {
            network: file("network.csv"),
            weights: file("weights.csv"),
            stimulus: file("stimulus.csv"),
            spikes: file("spikes.csv"),
        })
    }
}

/// An answer whose last line is not ended may be one that was cut off within a number.
fn ends_with_line(file: &mut fs::File) -> Result<(), String> {
    let mut last = [0];
    let mut read = |file: &mut fs::File| {
        if file.seek(SeekFrom::End(0))? > 0 {
            file.seek(SeekFrom::End(-1))?;
            io::Read::read_exact(file, &mut last)?;
        }
        file.rewind()
    };
    read(file).map_err(|source| source.to_string())?;
    match last[0] {
        b'\n' => Ok(()),
        0 => Err("it is empty: it must have at least a heading".to_owned()),
        _ => Err("it is cut off: its last line has no end".to_owned()),
    }
}

fn write(path: &Path, content: &str) -> Result<(), SubstrateError> {
    fs::write(path, content).map_err(|source| error(format!("{}: {source}", path.display())))
}

fn error(message: impl Into<String>) -> SubstrateError {
    SubstrateError { message: message.into() }
}

fn over(command: &str) -> SubstrateError {
    error(format!("`{command}` was ended after an error"))
}

/// How a program ended, in words.
fn ending(status: ExitStatus) -> String {
    match status.code() {
        Some(code) => format!("ended with exit code {code}"),
        None => format!("was ended ({status})"),
    }
}
