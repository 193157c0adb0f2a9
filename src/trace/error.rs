//! Why a trace cannot be used.

use std::io;
use std::path::{Path, PathBuf};

use super::format::FormatProblem;
use crate::table::NpyProblem;

/// A trace that cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TraceError {
    /// The file cannot be opened or is not CSV.
    #[error("{}: {source}", path.display())]
    Csv {
        /// The file.
        path: PathBuf,
        /// What and where.
        source: csv::Error,
    },
    /// A column is missing.
    #[error("{}:1: there is no column `{column}`; there are {found}", path.display())]
    Column {
        /// The file.
        path: PathBuf,
        /// What was looked for.
        column: String,
        /// The columns that exist.
        found: String,
    },
    /// A column is there twice.
    #[error("{}:1: column `{column}` is there twice: which is meant?", path.display())]
    DoubledColumn {
        /// The file.
        path: PathBuf,
        /// Name of the column.
        column: String,
    },
    /// A field does not hold what its column says.
    #[error("{}:{line}: {column} `{field}` must be {accepted}", path.display())]
    Field {
        /// The file.
        path: PathBuf,
        /// Line in it, from 1.
        line: u64,
        /// Name of the column.
        column: String,
        /// What stands there.
        field: String,
        /// What is accepted.
        accepted: &'static str,
    },
    /// A population was to be chosen, and has no spikes.
    #[error(
        "{}: there are no spikes of population `{population}`; there are {found}: choose one, as in \
         file = {{ path = \"…\", population = \"…\" }}", path.display()
    )]
    NoPopulation {
        /// The file.
        path: PathBuf,
        /// What was looked for.
        population: String,
        /// Populations that have spikes.
        found: String,
    },
    /// A sample was chosen, and has no spikes.
    #[error(
        "{}: there are no spikes of sample {sample}; there are samples from {first} to {last}",
        path.display()
    )]
    NoSample {
        /// The file.
        path: PathBuf,
        /// What was looked for.
        sample: u32,
        /// First sample with spikes.
        first: u32,
        /// Last sample with spikes.
        last: u32,
    },
    /// No sample was chosen, and there are several.
    #[error(
        "{}: there are {count} samples ({first} to {last}), and spikes are taken of one: choose it, as in \
         file = {{ path = \"…\", sample = {first} }}", path.display()
    )]
    SeveralSamples {
        /// The file.
        path: PathBuf,
        /// How many samples have spikes.
        count: usize,
        /// The first.
        first: u32,
        /// The last.
        last: u32,
    },
    /// Times are in a unit that cannot be converted.
    #[error(
        "{}: times are in {found}, which cannot be converted to {expected}: see firstspike convert",
        path.display()
    )]
    TimeUnit {
        /// The file.
        path: PathBuf,
        /// The unit of the trace.
        found: String,
        /// The unit that is needed.
        expected: String,
    },
    /// Reading failed.
    #[error("{}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file is no trace.
    #[error("{}: {problem}", place(path, *line))]
    Form {
        /// The file.
        path: PathBuf,
        /// Line in it, from 1; none if the whole file is meant.
        line: Option<u64>,
        /// What is wrong, and what would be right.
        problem: FormProblem,
    },
}

/// What makes a file no trace.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FormProblem {
    /// It is empty.
    #[error("the file is empty: there is not even a heading")]
    Empty,
    /// It has nothing but comments.
    #[error("there are comments only, and no heading")]
    CommentsOnly,
    /// It is a folder without a trace.
    #[error("this is a folder, and a trace is a file")]
    Folder,
    /// It is a folder with a trace in it.
    #[error("this is a folder; its trace is {}", trace.display())]
    FolderOfTrace {
        /// The trace.
        trace: PathBuf,
    },
    /// It has spikes in another form than CSV.
    #[error("this is {form}")]
    OtherForm {
        /// The form, and what to do about it.
        form: &'static str,
    },
    /// It is no file of its format.
    #[error(transparent)]
    Format(#[from] Box<FormatProblem>),
    /// It is no NPY file that can be read.
    #[error(transparent)]
    Npy(#[from] NpyProblem),
    /// An NPY array has no or several dimensions.
    #[error("its shape is {shape:?}: it must have one dimension, with a value for each spike")]
    NpyShape {
        /// Its shape.
        shape: Vec<u64>,
    },
    /// Values in an NPY file have another type.
    #[error("its values must be {accepted}, not {found}")]
    NpyType {
        /// The type, as NumPy writes it.
        found: String,
        /// What they may be.
        accepted: &'static str,
    },
    /// A value in an NPY file is out of range.
    #[error("value {} is {value}: it must be {accepted}", index + 1)]
    NpyValue {
        /// Which value, from 0.
        index: usize,
        /// What it is.
        value: String,
        /// What is accepted.
        accepted: &'static str,
    },
    /// Two NPY arrays are of different lengths.
    #[error("{found} neurons, where {} has {expected} times", other.display())]
    NpyLength {
        /// How many neurons there are.
        found: usize,
        /// How many there should be.
        expected: usize,
        /// The file of the times.
        other: PathBuf,
    },
    /// It is not text.
    #[error("this is binary data, not CSV")]
    Binary,
    /// It has a NUL byte.
    #[error("there is a NUL byte: this is no text, or a file that was not written out")]
    NulByte,
    /// A line is too long.
    #[error("a line of more than a million characters: this is no trace")]
    LongLine,
    /// It cannot be unpacked.
    #[error("the gzip file is damaged here ({0})")]
    DamagedGzip(io::Error),
    /// A quote has no end.
    #[error("a quote is opened and not closed in this line")]
    OpenQuote,
    /// A line is not CSV.
    #[error("{0}")]
    NotCsv(csv::Error),
    /// A row has more or fewer fields than it should.
    #[error(
        "{} in this row, where {} has {expected} ({separator})",
        fields(*found),
        if *has_heading { "the heading" } else { "the first row" }
    )]
    FieldCount {
        /// Fields that it has.
        found: usize,
        /// Fields that it should have.
        expected: usize,
        /// Whether they are the heading's, or else the first row's.
        has_heading: bool,
        /// What separates them, in words.
        separator: &'static str,
    },
    /// A population's name is too long.
    #[error("the name of a population has {length} characters: at most {most}")]
    LongName {
        /// How many characters it has.
        length: usize,
        /// How many it may have.
        most: usize,
    },
    /// A population's name would do something to a terminal.
    #[error("the name of a population has the control character {}", control.escape_debug())]
    ControlCharacter {
        /// The character.
        control: char,
    },
    /// An index of a population has two bytes.
    #[error("there are more than 65535 populations")]
    TooManyPopulations,
    /// An index of a spike has four bytes.
    #[error("there are more than 4294967295 spikes")]
    TooManySpikes,
    /// There is no column of the name that was given for one.
    #[error("--{quantity}-column {name}: there is no such column; there are {found}")]
    NoSuchColumn {
        /// What the column was to hold: `time`, `neuron`, `population` or `sample`.
        quantity: &'static str,
        /// The name that was given.
        name: String,
        /// The columns that exist.
        found: String,
    },
    /// There is no column of the number that was given for one.
    #[error(
        "--{quantity}-column {name}: the file has no heading; give the number of the column, from 1 to \
         {columns}"
    )]
    NoSuchNumber {
        /// What the column was to hold: `time`, `neuron`, `population` or `sample`.
        quantity: &'static str,
        /// What was given.
        name: String,
        /// How many columns there are.
        columns: usize,
    },
    /// No column is recognised as what there must be.
    #[error(
        "no column is recognised as the {quantity}; there are {found}: say which it is with \
         --{quantity}-column NAME"
    )]
    NotRecognised {
        /// What the column would hold.
        quantity: &'static str,
        /// The columns that exist.
        found: String,
    },
    /// Several columns may be meant.
    #[error(
        "{} may each be the {quantity}: say which it is with --{quantity}-column NAME",
        candidates.join(" and ")
    )]
    Ambiguous {
        /// What the column would hold.
        quantity: &'static str,
        /// The columns that may be meant.
        candidates: Vec<String>,
    },
    /// Without a heading, nothing tells times from neurons.
    #[error(
        "there is no heading, and nothing tells which of the {columns} columns are times and neurons: \
         say it with --time-column and --neuron-column, numbers from 1; for ids and times in ms of NEST, with \
         --format nest"
    )]
    NoHeading {
        /// How many columns there are.
        columns: usize,
    },
}

fn place(path: &Path, line: Option<u64>) -> String {
    let line = line.map(|line| format!(":{line}")).unwrap_or_default();
    format!("{}{line}", path.display())
}

fn fields(count: usize) -> String {
    if count == 1 { "1 field".to_owned() } else { format!("{count} fields") }
}

/// Populations or samples that are not in a recording.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SelectionError {
    /// The recording has no populations.
    #[error("there is no population `{population}`: the spikes have no populations")]
    NoPopulations {
        /// The population that was chosen.
        population: String,
    },
    /// There is no population of this name.
    #[error("there is no population `{population}`; there are {}", found.join(", "))]
    UnknownPopulation {
        /// The population that was chosen.
        population: String,
        /// The populations that exist.
        found: Vec<String>,
    },
    /// So many samples are not named one by one.
    #[error("{count} samples are chosen: at most 16777216")]
    TooManySamples {
        /// How many there would be.
        count: u64,
    },
    /// The recording has no samples.
    #[error("the spikes have no samples to choose from")]
    NoSamples,
}
