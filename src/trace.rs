//! Recorded spike trains as CSV: `sample,population,neuron,time_<unit>`, a row per spike.
//!
//! Rows are written as they come ([`TraceWriter`]) and read back without loss ([`read`]): times are
//! printed with the digits that bring back the same double. In Python, a trace is
//! `pandas.read_csv("spikes.csv")`.
//!
//! [`recording`] reads the traces of others too, and large ones fast; [`trains`] sorts their spikes by
//! neuron, [`statistics`] counts and [`alignment`] compares them.

pub mod alignment;
pub mod bins;
mod error;
pub mod recording;
pub mod selection;
pub mod statistics;
pub mod time_unit;
pub mod trains;

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::path::Path;

pub use error::{FormProblem, SelectionError, TraceError};

/// One recorded spike.
#[derive(Clone, Debug, PartialEq)]
pub struct TraceSpike {
    /// Number of the sample (stimulus presentation), from 0.
    pub sample: u32,
    /// Name of the population.
    pub population: String,
    /// Index of the neuron in it, from 0.
    pub neuron: u32,
    /// When it spiked, from the start of the sample, in the trace's time unit.
    pub time: f64,
}

/// A trace file in memory.
#[derive(Clone, Debug, PartialEq)]
pub struct Trace {
    /// The unit in the name of the time column, such as `us` or `tau_s`.
    pub time_unit: String,
    /// The spikes in the order of the file.
    pub spikes: Vec<TraceSpike>,
}

/// Writes a trace row by row.
pub struct TraceWriter<W: Write> {
    writer: csv::Writer<W>,
    /// Hardware time of one time unit.
    hardware: Option<f64>,
}

impl<W: Write> TraceWriter<W> {
    /// Writes the heading.
    ///
    /// # Errors
    /// If writing fails.
    pub fn new(output: W, time_unit: &str) -> io::Result<Self> {
        let mut writer = csv::Writer::from_writer(output);
        writer.write_record(["sample", "population", "neuron", &format!("time_{time_unit}")])?;
        Ok(TraceWriter { writer, hardware: None })
    }

    /// Writes the heading of a trace whose spikes have their times on the hardware beside them, in
    /// another unit: `per_time` for each time unit of the trace.
    ///
    /// # Errors
    /// If writing fails.
    pub fn with_hardware_time(
        output: W,
        time_unit: &str,
        hardware_unit: &str,
        per_time: f64,
    ) -> io::Result<Self> {
        let mut writer = csv::Writer::from_writer(output);
        let (time, hardware) =
            (format!("time_{time_unit}"), format!("hardware_time_{hardware_unit}"));
        writer.write_record(["sample", "population", "neuron", &time, &hardware])?;
        Ok(TraceWriter { writer, hardware: Some(per_time) })
    }

    /// Writes one spike.
    ///
    /// # Errors
    /// If writing fails.
    pub fn write(
        &mut self,
        sample: u32,
        population: &str,
        neuron: u32,
        time: f64,
    ) -> io::Result<()> {
        let written = match self.hardware {
            None => self.writer.serialize((sample, population, neuron, time)),
            Some(per_time) => {
                self.writer.serialize((sample, population, neuron, time, time * per_time))
            }
        };
        written.map_err(io::Error::from)
    }

    /// Writes out what is buffered.
    ///
    /// # Errors
    /// If writing fails.
    pub fn finish(mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

/// Reads a trace. Columns may come in any order; others than the trace's own are ignored.
///
/// # Errors
/// If the file cannot be read, lacks a column, or a field is not what its column says; with the line.
pub fn read(path: &Path) -> Result<Trace, TraceError> {
    let mut spikes = Vec::new();
    let time_unit = for_each(path, |_, sample, population, neuron, time| {
        spikes.push(TraceSpike { sample, population: population.to_owned(), neuron, time });
    })?;
    Ok(Trace { time_unit, spikes })
}

/// Reads a trace row by row, and returns the unit of its times: `look` gets the line in the file, from
/// 1, and sample, population, neuron and time of each spike.
///
/// # Errors
/// As [`read`].
pub fn for_each(
    path: &Path,
    mut look: impl FnMut(u64, u32, &str, u32, f64),
) -> Result<String, TraceError> {
    let mut table = Table::open(path)?;
    let sample = table.column("sample")?;
    let population = table.column("population")?;
    let neuron = table.column("neuron")?;
    let (time, time_unit) = table.time_column()?;
    while let Some(row) = table.next()? {
        look(
            row.line(),
            row.index(sample, "sample")?,
            row.text(population),
            row.index(neuron, "neuron")?,
            row.time(time)?,
        );
    }
    Ok(time_unit)
}

/// Reads the spikes (neuron, time) of one population in one sample, for a stimulus or as targets: a CSV
/// with the columns `neuron` and `time_<unit>`. Where it has a column `population`, only rows of this one
/// count, and where it has a column `sample`, only those of the chosen one; none may be chosen if all of
/// its rows are of one.
///
/// # Errors
/// As [`read`]; if there are rows, but none of the population or of the sample; or if the rows of the
/// population are of several samples and none is chosen.
pub fn read_spikes_of(
    path: &Path,
    time_unit: &str,
    population: &str,
    sample: Option<u32>,
) -> Result<Vec<(usize, f64)>, TraceError> {
    let mut table = Table::open(path)?;
    let neuron = table.column("neuron")?;
    let time = table.column(&format!("time_{time_unit}"))?;
    let columns = [table.position("population")?, table.position("sample")?];
    let (mut spikes, mut populations, mut samples) = (Vec::new(), Vec::new(), BTreeSet::new());
    while let Some(row) = table.next()? {
        let spike = (row.index(neuron, "neuron")? as usize, row.time(time)?);
        if let Some(column) = columns[0] {
            let name = row.text(column);
            if name != population {
                if !populations.iter().any(|known| known == name) && populations.len() < 12 {
                    populations.push(name.to_owned());
                }
                continue;
            }
        }
        let own = columns[1].map(|column| row.index(column, "sample")).transpose()?;
        samples.extend(own);
        if own.is_none() || sample.is_none() || own == sample {
            spikes.push(spike);
        }
    }
    let path = path.to_owned();
    if spikes.is_empty() && samples.is_empty() && !populations.is_empty() {
        let (population, found) = (population.to_owned(), populations.join(", "));
        return Err(TraceError::NoPopulation { path, population, found });
    }
    match (samples.first(), samples.last(), sample) {
        (Some(&first), Some(&last), None) if first != last => {
            Err(TraceError::SeveralSamples { path, count: samples.len(), first, last })
        }
        (Some(&first), Some(&last), Some(sample)) if spikes.is_empty() => {
            Err(TraceError::NoSample { path, sample, first, last })
        }
        _ => Ok(spikes),
    }
}

/// A CSV file being read, with errors that name file and line.
struct Table<'a> {
    path: &'a Path,
    reader: csv::Reader<std::fs::File>,
    headings: Vec<String>,
    record: csv::StringRecord,
}

struct Row<'t> {
    path: &'t Path,
    record: &'t csv::StringRecord,
}

impl<'a> Table<'a> {
    fn open(path: &'a Path) -> Result<Self, TraceError> {
        let wrap = |source| TraceError::Csv { path: path.to_owned(), source };
        let mut reader =
            csv::ReaderBuilder::new().trim(csv::Trim::All).from_path(path).map_err(wrap)?;
        let headings = reader.headers().map_err(wrap)?.iter().map(str::to_owned).collect();
        Ok(Table { path, reader, headings, record: csv::StringRecord::new() })
    }

    /// Where a column is, if there is one of this name.
    fn position(&self, name: &str) -> Result<Option<usize>, TraceError> {
        let mut places = (0..self.headings.len()).filter(|&place| self.headings[place] == name);
        let place = places.next();
        if places.next().is_none() {
            return Ok(place);
        }
        let (path, column) = (self.path.to_owned(), name.to_owned());
        Err(TraceError::DoubledColumn { path, column })
    }

    fn column(&self, name: &str) -> Result<usize, TraceError> {
        self.position(name)?.ok_or_else(|| TraceError::Column {
            path: self.path.to_owned(),
            column: name.to_owned(),
            found: self.headings.join(", "),
        })
    }

    /// The time column and its unit.
    fn time_column(&self) -> Result<(usize, String), TraceError> {
        let unit = self.headings.iter().enumerate().find_map(|(index, heading)| {
            heading.strip_prefix("time_").map(|unit| (index, unit.to_owned()))
        });
        match unit {
            Some(found) => Ok(found),
            None => self.column("time_<unit>").map(|index| (index, String::new())),
        }
    }

    fn next(&mut self) -> Result<Option<Row<'_>>, TraceError> {
        let more = self
            .reader
            .read_record(&mut self.record)
            .map_err(|source| TraceError::Csv { path: self.path.to_owned(), source })?;
        Ok(more.then_some(Row { path: self.path, record: &self.record }))
    }
}

impl Row<'_> {
    fn text(&self, column: usize) -> &str {
        self.record.get(column).unwrap_or("")
    }

    fn line(&self) -> u64 {
        self.record.position().map_or(0, csv::Position::line)
    }

    fn refuse(&self, column: &str, field: &str, accepted: &'static str) -> TraceError {
        TraceError::Field {
            path: self.path.to_owned(),
            line: self.line(),
            column: column.to_owned(),
            field: field.to_owned(),
            accepted,
        }
    }

    fn index(&self, column: usize, name: &str) -> Result<u32, TraceError> {
        let field = self.text(column);
        field.parse().map_err(|_| self.refuse(name, field, "a whole number from 0 to 4294967295"))
    }

    fn time(&self, column: usize) -> Result<f64, TraceError> {
        let field = self.text(column);
        match field.parse() {
            Ok(time) if (0.0..f64::INFINITY).contains(&time) => Ok(time),
            _ => Err(self.refuse("time", field, "a finite number, not negative")),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_written_is_read_back_bit_for_bit(
            times in prop::collection::vec(0.0..f64::MAX, 1..20)
        ) {
            let folder = tempfile::tempdir().expect("a temporary folder");
            let path = folder.path().join("spikes.csv");
            let file = std::fs::File::create(&path).expect("writable");
            let mut writer = TraceWriter::new(file, "us").expect("heading");
            let mut expected = Vec::new();
            for (neuron, &time) in times.iter().enumerate() {
                writer.write(7, "hidden", neuron as u32, time).expect("row");
                let population = "hidden".to_owned();
                expected.push(TraceSpike { sample: 7, population, neuron: neuron as u32, time });
            }
            writer.finish().expect("flush");
            let trace = read(&path).expect("readable");
            prop_assert_eq!(trace, Trace { time_unit: "us".to_owned(), spikes: expected });
        }
    }

    #[test]
    fn spikes_of_one_population_and_one_sample_are_read() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("pop.csv");
        let text =
            "sample,population,neuron,time_ms\n0,exc,0,5\n0,inh,0,20\n1,exc,0,40\n0,inh,1,7\n";
        std::fs::write(&path, text).expect("writable");
        let read = |population: &str, sample| read_spikes_of(&path, "ms", population, sample);
        assert_eq!(read("exc", Some(0)).expect("there"), [(0, 5.0)]);
        assert_eq!(read("exc", Some(1)).expect("there"), [(0, 40.0)]);
        assert_eq!(read("inh", None).expect("one sample"), [(0, 20.0), (1, 7.0)]);
        for (population, sample, expected) in [
            (
                "exc",
                None,
                "2 samples (0 to 1), and spikes are taken of one: choose it, as in file = {",
            ),
            ("exc", Some(2), "there are no spikes of sample 2; there are samples from 0 to 1"),
            (
                "e",
                None,
                "there are no spikes of population `e`; there are exc, inh: choose one, as in",
            ),
        ] {
            let message = read(population, sample).expect_err(expected).to_string();
            assert!(message.contains("pop.csv") && message.contains(expected), "{message}");
        }
        std::fs::write(&path, "time_ms,neuron\n3,1\n").expect("writable");
        assert_eq!(read("exc", None).expect("no populations"), [(1, 3.0)]);
        std::fs::write(&path, "sample,population,time_ms,neuron\n").expect("writable");
        assert_eq!(read("exc", Some(3)).expect("silent"), []);
    }

    #[test]
    fn malformed_traces_are_refused_with_their_line() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("bad.csv");
        let cases = [
            ("sample,population,neuron\n", ":1: there is no column `time_<unit>`"),
            ("neuron,sample,population,neuron,time_us\n", ":1: column `neuron` is there twice"),
            ("sample,population,neuron,time_us\n0,a,1,0.5\n0,a,x,1\n", ":3: neuron `x` must be"),
            ("sample,population,neuron,time_us\n0,a,1,NaN\n", ":2: time `NaN` must be"),
            ("sample,population,neuron,time_us\n0,a,1,-1\n", ":2: time `-1` must be"),
            ("sample,population,neuron,time_us\n0,a,1\n", "line: 2"),
        ];
        for (text, expected) in cases {
            std::fs::write(&path, text).expect("writable");
            let message = read(&path).expect_err(text).to_string();
            assert!(message.contains("bad.csv") && message.contains(expected), "{message}");
        }
    }
}
