//! Spikes as columns, from any CSV file that has times and neurons.
//!
//! ```text
//! file ─→ blocks of whole lines ─→ rows of each block, in parallel ─→ columns
//!         (gzip or not)             (what a line means: the heading)
//! ```
//!
//! Which columns hold what is recognised from their names (`time_us`, `spike time (ms)`, `sender`, …),
//! as is the character between them. Only a few blocks are in memory at a time, and a spike takes 8 to
//! 18 bytes.
//!
//! What is not sound in a file is either refused, with its line, or left out with a [`TraceWarning`]:
//!
//! | found | what happens |
//! |---|---|
//! | no time column; no neuron among other columns; two that may be meant | refused, with the option that says which |
//! | text in a number; a negative neuron; a row with too few or too many fields | refused |
//! | a population's name of more than 255 characters, or with a control character | refused |
//! | NUL bytes or other binary data; an empty file; a folder; a corrupt gzip file | refused |
//! | a time that is not a number, infinite, or missing | no spike: left out, with a warning |
//! | a last line that is cut off | left out, with a warning |
//! | a gzip file that is cut off | read up to its last whole line, with a warning |
//! | a time beyond 2^53, as of nanoseconds since 1970 | rounded to a double, with a warning |
//! | rows that are not in order of time | read in the order of the file, with a warning |
//! | nothing but a heading | no spikes, with a warning |
//! | rows that repeat a spike | spikes, too: a neuron or source may spike twice at one time |
//!
//! Byte order marks, carriage returns, blank lines, lines that begin with `#`, and a delimiter at the
//! end of each line are read over; a carriage return alone ends a line, too, where no line feed does. A file
//! that has times and no neurons is the spike train of one neuron. A last line without line feed that is
//! sound in itself counts: nothing tells whether digits of its last number are missing.

mod blocks;
mod heading;
mod lines;
mod npy;
mod rows;

use std::fmt;
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use rustc_hash::FxHashSet;

use super::{FormProblem, TraceError};
use crate::settings::time_units::TimeFactor;
use blocks::Blocks;
use heading::Layout;
pub use lines::LineNumbers;
pub use npy::read_npy;
pub(super) use npy::{NpySpikes, read_npy_spikes};
use rows::{Columns, RowError, Rows};

/// Spikes as columns: what any CSV with times and neurons holds.
///
/// All columns that are not empty are of the same length, an entry per spike, in the order of the
/// file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Recording {
    /// The unit in the name of the time column, such as `us` or `tau_s`; none if it has no unit.
    pub time_unit: Option<String>,
    /// Names of the populations in the order of their first spikes; one without name if there is no
    /// such column.
    pub populations: Vec<String>,
    /// When each spike was, in the time unit. Finite.
    pub times: Vec<f64>,
    /// Which neuron of its population spiked.
    pub neurons: Vec<u32>,
    /// Index of the population of each spike; empty if all are of one population.
    pub population: Vec<u16>,
    /// Sample (stimulus presentation, trial) of each spike; empty if there is no such column.
    pub samples: Vec<u32>,
    /// Where the spikes stand in the file.
    pub lines: LineNumbers,
}

impl Recording {
    /// How many spikes there are.
    pub fn len(&self) -> usize {
        self.times.len()
    }

    /// Whether there is no spike.
    pub fn is_empty(&self) -> bool {
        self.times.is_empty()
    }

    /// Index in [`populations`](Self::populations) of the population of a spike.
    pub fn population_of(&self, spike: usize) -> usize {
        self.population.get(spike).map_or(0, |&population| usize::from(population))
    }

    /// How many neurons of each population spike.
    pub fn spiking_neurons(&self) -> Vec<u64> {
        let mut neurons = FxHashSet::default();
        let mut counts = vec![0; self.populations.len()];
        for spike in 0..self.len() {
            let population = self.population_of(spike);
            counts[population] += u64::from(neurons.insert((population, self.neurons[spike])));
        }
        counts
    }

    /// Sample of a spike; 0 if the recording has no samples.
    pub fn sample_of(&self, spike: usize) -> u32 {
        self.samples.get(spike).copied().unwrap_or(0)
    }

    /// What brings times to a unit; those without one are taken as they are.
    ///
    /// # Errors
    /// If the units cannot be converted.
    pub(super) fn factor_to(&self, path: &Path, unit: &str) -> Result<TimeFactor, TraceError> {
        let Some(found) = &self.time_unit else { return Ok(TimeFactor::ONE) };
        TimeFactor::between(found, unit).ok_or_else(|| TraceError::TimeUnit {
            path: path.to_owned(),
            found: found.clone(),
            expected: unit.to_owned(),
        })
    }

    /// Adds spikes that come after those that are there.
    fn append(&mut self, part: Columns) -> Result<(), RowError> {
        let mut indices = Vec::with_capacity(part.populations.len());
        for name in part.populations {
            let known = self.populations.iter().position(|known| *known == name);
            indices.push(known.unwrap_or_else(|| {
                self.populations.push(name);
                self.populations.len() - 1
            }) as u16);
        }
        if self.populations.len() > usize::from(u16::MAX) {
            let line = part.lines.of(0).unwrap_or(1);
            return Err(RowError::Form { line, problem: FormProblem::TooManyPopulations });
        }
        let (before, after) = (self.times.len(), self.times.len() + part.times.len());
        if u32::try_from(after).is_err() {
            let line = part.lines.of(0).unwrap_or(1);
            return Err(RowError::Form { line, problem: FormProblem::TooManySpikes });
        }
        if self.populations.len() > 1 {
            self.population.resize(before, 0);
            let indices_of_spikes = part.population.iter().map(|&at| indices[usize::from(at)]);
            self.population.extend(indices_of_spikes);
            // A part of one population only, or whose last spikes are of its first.
            self.population.resize(after, indices.first().copied().unwrap_or(0));
        }
        self.lines.append(before, &part.lines);
        self.times.extend(part.times);
        self.neurons.extend(part.neurons);
        self.samples.extend(part.samples);
        Ok(())
    }
}

/// Names of the columns to be read, or their numbers from 1; those that are none are recognised.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ColumnNames {
    /// The column of the times.
    pub time: Option<String>,
    /// The column of the neurons.
    pub neuron: Option<String>,
    /// The column of the populations.
    pub population: Option<String>,
    /// The column of the samples.
    pub sample: Option<String>,
}

/// Something in a trace that is not as it should be, and that can be lived with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceWarning {
    /// The file.
    pub path: PathBuf,
    /// What it is.
    pub anomaly: Anomaly,
    /// How many rows.
    pub count: u64,
    /// Line of the first of them, from 1.
    pub first_line: u64,
}

/// What may be wrong with rows of a trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Anomaly {
    /// The time is not a number, infinite, or missing.
    NoTime,
    /// The row is earlier than the one before, of the same sample.
    Unsorted,
    /// The time is beyond 2^53, where doubles are whole numbers or farther apart.
    Rounded,
    /// The file ends within a line.
    CutOff,
    /// The gzip file ends too early.
    TruncatedGzip,
    /// There is no spike in the file.
    Empty,
}

impl fmt::Display for TraceWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let TraceWarning { path, anomaly, count, first_line } = self;
        write!(f, "{}:{first_line}: ", path.display())?;
        let rows = if *count == 1 { "1 row".to_owned() } else { format!("{count} rows") };
        let (are, first) = if *count == 1 { ("is", "") } else { ("are", " (this is the first)") };
        match anomaly {
            Anomaly::NoTime => write!(f, "{rows} without a finite time {are} left out{first}"),
            Anomaly::Unsorted => {
                write!(f, "{rows} {are} earlier than the row before{first}; the order is restored")
            }
            Anomaly::Rounded => write!(
                f,
                "{rows} {are} beyond 2^53: such times are rounded{first}; count them from the start of the \
                 recording"
            ),
            Anomaly::CutOff => write!(f, "the last line is cut off and left out"),
            Anomaly::TruncatedGzip => {
                write!(f, "the gzip file is cut off after this line; what is before it is read")
            }
            Anomaly::Empty => write!(f, "there is not a single spike in the file"),
        }
    }
}

/// Reads the spikes of a CSV file, packed with gzip or not; `-` is standard input.
///
/// # Errors
/// If the file cannot be read or is no such trace, with the line; see the table above.
pub fn read_recording(
    path: &Path,
    names: &ColumnNames,
) -> Result<(Recording, Vec<TraceWarning>), TraceError> {
    let mut blocks = Blocks::open(path)?;
    let path = blocks.path().to_owned();
    let Some(mut first) = blocks.next()? else {
        return Err(blocks.form(None, FormProblem::Empty));
    };
    let layout = Layout::recognise(&mut first, names, &blocks)?;
    let mut recording = Recording { time_unit: layout.time_unit.clone(), ..Recording::default() };
    let mut found = Found::default();
    let mut batch = vec![first];
    while !batch.is_empty() {
        let parse =
            || -> Vec<_> { batch.par_iter().map(|block| rows::parse(block, &layout)).collect() };
        let (next, parsed) = rayon::join(|| blocks.take(2 * rayon::current_num_threads()), parse);
        for part in parsed {
            let part = part.map_err(|error| error.in_file(&path))?;
            found.add(&recording, &part);
            recording.append(part).map_err(|error| error.in_file(&path))?;
        }
        batch = next?;
    }
    if recording.populations.is_empty() {
        recording.populations.push(String::new());
    }
    let warnings = found.warnings(&path, blocks.truncated_after(), recording.is_empty());
    Ok((recording, warnings))
}

/// What was found in the file besides spikes.
#[derive(Default)]
struct Found {
    without_time: Rows,
    unsorted: Rows,
    rounded: Rows,
    cut_off: Rows,
}

impl Found {
    /// Adds what is in a block that comes after what was read.
    fn add(&mut self, before: &Recording, part: &Columns) {
        if let (Some(last), Some(first)) = (before.times.last(), part.times.first())
            && first < last
            && before.samples.last() == part.samples.first()
        {
            self.unsorted.add(Rows::one(part.lines.of(0).unwrap_or(1)));
        }
        self.without_time.add(part.without_time);
        self.unsorted.add(part.unsorted);
        self.rounded.add(part.rounded);
        self.cut_off.add(part.cut_off);
    }

    fn warnings(&self, path: &Path, truncated: Option<u64>, empty: bool) -> Vec<TraceWarning> {
        let truncated = truncated.map(Rows::one).unwrap_or_default();
        let empty = if empty { Rows::one(1) } else { Rows::default() };
        [
            (Anomaly::NoTime, self.without_time),
            (Anomaly::Unsorted, self.unsorted),
            (Anomaly::Rounded, self.rounded),
            (Anomaly::CutOff, self.cut_off),
            (Anomaly::TruncatedGzip, truncated),
            (Anomaly::Empty, empty),
        ]
        .into_iter()
        .filter(|(_, rows)| rows.count > 0)
        .map(|(anomaly, Rows { count, first_line })| TraceWarning {
            path: path.to_owned(),
            anomaly,
            count,
            first_line,
        })
        .collect()
    }
}

#[cfg(test)]
mod tests;
