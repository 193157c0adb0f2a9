//! An external program as substrate: another simulator, or what drives a real chip.
//!
//! The program is told the network once, its weights whenever they change, and the input spikes of a
//! batch of samples; it answers with the spikes it recorded. Everything is CSV with named columns, over
//! the program's standard streams ([`Exchange::Streams`]) or in files ([`Exchange::Files`]).
//! `docs/substrate_protocol.md` is the protocol.
//!
//! Nothing that the program does stops a training without a word. Every answer has a time-out, whether
//! the program hangs, reads nothing or floods a stream; an answer that cannot be what it says is an
//! error with its line; what is merely unusual (a neuron that spikes twice, a row that comes twice) is
//! counted in [`Anomalies`]. After an error the program is ended, and with it whatever it started; so it is
//! if this process is killed.

mod answer;
mod answer_stream;
mod files;
#[cfg(unix)]
mod guard;
mod process;
mod tables;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::{AnswerProblem, Presented, Program, ProgramFailure, Substrate, SubstrateError};
use crate::engine::Spike;
use crate::network::LayeredNetwork;
use answer::{AnswerReader, shortened};
use answer_stream::AnswerStream;
use files::{ExchangeFiles, write_anew};
use process::Process;
use tables::Tables;

pub use answer::Anomalies;
#[doc(hidden)]
pub use answer::parse_answer;

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
        /// Where the files are. Made if need be; the files of the last batch stay. A substrate that finds
        /// another at work there takes `<folder>_2`, or the next that is free.
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
    anomalies: Anomalies,
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
    Files(ExchangeFiles),
    /// A program that failed.
    Over,
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
            return Err(SubstrateError::NoCommand);
        }
        if settings.timeout.is_zero() || settings.timeout > ExternalSettings::LONGEST_TIMEOUT {
            return Err(SubstrateError::TimeoutOutOfRange {
                seconds: settings.timeout.as_secs_f64(),
                most: ExternalSettings::LONGEST_TIMEOUT.as_secs(),
            });
        }
        let tables = Tables::new(network, &settings.time_unit)?;
        let working_directory = std::path::absolute(working_directory)
            .map_err(SubstrateError::file(working_directory))?;
        let connection = match &settings.exchange {
            Exchange::Streams => {
                let process = Process::streaming(&settings.command, &working_directory);
                let process = process.map_err(|source| SubstrateError::Start {
                    program: shortened(&settings.command.join(" ")),
                    folder: working_directory.clone(),
                    source: Arc::new(source),
                })?;
                process.send(tables.framed("network", tables.network()));
                Connection::Streams(process)
            }
            Exchange::Files { folder } => {
                let files = ExchangeFiles::claim(folder)?;
                write_anew(&files.network, tables.network())
                    .map_err(SubstrateError::file(&files.network))?;
                Connection::Files(files)
            }
        };
        Ok(ExternalSubstrate {
            reader: AnswerReader::new(network, &settings.time_unit),
            settings,
            working_directory,
            tables,
            anomalies: Anomalies::default(),
            connection,
            programmed: false,
            batches: 0,
        })
    }

    /// What was odd about all answers so far.
    pub fn anomalies(&self) -> Anomalies {
        self.anomalies
    }

    fn command(&self) -> String {
        shortened(&self.settings.command.join(" "))
    }

    /// Ends the program, whatever it does, and makes the error.
    fn give_up(&mut self, failure: ProgramFailure, process: Option<Process>) -> SubstrateError {
        let ended = match std::mem::replace(&mut self.connection, Connection::Over) {
            Connection::Streams(process) => Some(process),
            _ => process,
        };
        let last_words = ended.map(Process::kill).unwrap_or_default();
        let (program, batch) = (self.command(), self.batches);
        SubstrateError::Program { program, batch, failure: Box::new(failure), last_words }
    }
}

impl Substrate for ExternalSubstrate {
    fn program(&mut self, program: &Program<'_>) -> Result<(), SubstrateError> {
        let weights = self.tables.weights(program)?;
        match &self.connection {
            Connection::Streams(process) => process.send(self.tables.framed("weights", &weights)),
            Connection::Files(files) => write_anew(&files.weights, &weights)
                .map_err(SubstrateError::file(&files.weights))?,
            Connection::Over => return Err(SubstrateError::Ended { program: self.command() }),
        }
        self.programmed = true;
        Ok(())
    }

    fn present(&mut self, samples: &[Presented]) -> Result<Vec<Vec<Spike>>, SubstrateError> {
        if !self.programmed {
            return Err(SubstrateError::NotProgrammed);
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
            anomalies: &mut self.anomalies,
        };
        let mut started = None;
        let spikes = match &mut self.connection {
            Connection::Streams(process) => batch.over_streams(process),
            Connection::Files(files) => {
                batch.through_files(files, &self.working_directory, &mut started)
            }
            Connection::Over => return Err(SubstrateError::Ended { program: self.command() }),
        };
        spikes.map_err(|failure| self.give_up(failure, started))
    }

    fn warnings(&self) -> Vec<String> {
        self.anomalies.warnings()
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
    anomalies: &'a mut Anomalies,
}

impl Batch<'_> {
    fn over_streams(self, process: &mut Process) -> Result<Vec<Vec<Spike>>, ProgramFailure> {
        let timeout = self.settings.timeout;
        let deadline = Instant::now() + timeout;
        if let Some(line) = process.unasked() {
            return Err(ProgramFailure::Unasked { line });
        }
        if process.has_ended()
            && let Some(status) = process.wait_until(deadline)
        {
            return Err(ProgramFailure::EndedEarly { status, lines: 0 });
        }
        let head = format!("stimulus,{},{}", self.number, self.samples.len());
        process.send(self.tables.framed(&head, &self.tables.stimulus(self.samples)));
        let mut stream = AnswerStream::new(process, deadline, self.number);
        self.reader.read(&mut stream, self.samples, self.anomalies).map_err(|problem| match problem
        {
            // The stream knows why.
            AnswerProblem::Unreadable(_) => stream.failure(timeout),
            problem => ProgramFailure::Answer { problem },
        })
    }

    /// Leaves the program in `started`, for what it wrote to its error output.
    fn through_files(
        self,
        files: &ExchangeFiles,
        folder: &Path,
        started: &mut Option<Process>,
    ) -> Result<Vec<Vec<Spike>>, ProgramFailure> {
        let timeout = self.settings.timeout;
        write_anew(&files.stimulus, &self.tables.stimulus(self.samples))
            .map_err(ProgramFailure::file(&files.stimulus))?;
        files.forget_answer()?;
        let paths = [&files.network, &files.weights, &files.stimulus, &files.spikes];
        let mut arguments = paths.map(|path| path.clone().into_os_string()).to_vec();
        arguments.push(self.samples.len().to_string().into());
        let deadline = Instant::now() + timeout;
        let process = Process::with_files(&self.settings.command, &arguments, folder);
        let process = started.insert(process.map_err(|source| ProgramFailure::Start {
            folder: folder.to_owned(),
            source: Arc::new(source),
        })?);
        match process.wait_until(deadline) {
            None => return Err(ProgramFailure::DidNotEnd { seconds: timeout.as_secs_f64() }),
            Some(status) if !status.success() => {
                return Err(ProgramFailure::EndedWithError { status });
            }
            Some(_) => {}
        }
        let mut answer = files.open_answer()?;
        self.reader
            .read(&mut answer, self.samples, self.anomalies)
            .map_err(|problem| ProgramFailure::AnswerFile { path: files.spikes.clone(), problem })
    }
}
