//! Recorded spike trains as CSV: `sample,population,neuron,time_<unit>`, a row per spike.
//!
//! Rows are written as they come ([`TraceWriter`]) and read back without loss ([`read`]): times are
//! printed with the digits that bring back the same double. In Python, a trace is
//! `pandas.read_csv("spikes.csv")`.
//!
//! [`recording`] reads the traces of others too, and large ones fast; [`format`](mod@format) reads every format of
//! them, [`conversion`] and [`written`] write it; [`trains`] sorts their spikes by
//! neuron, [`statistics`] counts and [`alignment`] compares them.

pub mod alignment;
pub mod bins;
pub mod conversion;
mod error;
pub mod format;
pub mod recording;
pub mod selection;
pub mod statistics;
mod strict;
pub mod trains;
pub mod written;

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::path::Path;

use crate::settings::time_units::TimeFactor;
use format::{TraceFormat, TraceSource};
use strict::Table;

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

    /// Writes the heading of a trace whose unit of time is not known.
    ///
    /// # Errors
    /// If writing fails.
    pub fn without_unit(output: W) -> io::Result<Self> {
        let mut writer = csv::Writer::from_writer(output);
        writer.write_record(["sample", "population", "neuron", "time"])?;
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
    let time_unit =
        for_each(&TraceSource::new(path), None, |_, sample, population, neuron, time| {
            spikes.push(TraceSpike { sample, population: population.to_owned(), neuron, time });
        })?;
    Ok(Trace { time_unit, spikes })
}

/// Reads a trace row by row, and returns the unit of its times: `look` gets the line in the file, from
/// 1, and sample, population, neuron and time of each spike. In a format without lines, that is the number of
/// the spike. A trace of no samples is of sample 0. In another format than CSV, times are converted to `unit`
/// if they can be.
///
/// # Errors
/// As [`read`].
pub fn for_each(
    source: &TraceSource,
    unit: Option<&str>,
    mut look: impl FnMut(u64, u32, &str, u32, f64),
) -> Result<String, TraceError> {
    let path = source.path.as_path();
    if source.format()? != TraceFormat::Csv {
        let (recording, _) = source.read()?;
        let factor = unit.and_then(|unit| recording.factor_to(path, unit).ok());
        for (spike, &time) in recording.times.iter().enumerate() {
            let line = recording.lines.of(spike).unwrap_or(spike as u64 + 1);
            let population = &recording.populations[recording.population_of(spike)];
            let time = non_negative(path, line, factor.unwrap_or(TimeFactor::ONE).apply(time))?;
            look(line, recording.sample_of(spike), population, recording.neurons[spike], time);
        }
        let converted = factor.and(unit).map(str::to_owned);
        return Ok(converted.or(recording.time_unit).unwrap_or_default());
    }
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

fn non_negative(path: &Path, line: u64, time: f64) -> Result<f64, TraceError> {
    if time >= 0.0 {
        return Ok(time);
    }
    let (column, field) = ("time".to_owned(), time.to_string());
    let accepted = strict::TIME;
    Err(TraceError::Field { path: path.to_owned(), line, column, field, accepted })
}

/// Reads the spikes (neuron, time) of one population in one sample, for a stimulus or as targets: a CSV
/// with the columns `neuron` and `time_<unit>`, or a trace in any other format, whose times are converted.
/// Where it has populations, only rows of this one count, and where it has samples, only those of the chosen
/// one; none may be chosen if all of its rows are of one.
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
    let (mut spikes, mut populations, mut samples) = (Vec::new(), Vec::new(), BTreeSet::new());
    let mut add = |name: Option<&str>, own: Option<u32>, spike: (usize, f64)| {
        if let Some(name) = name.filter(|name| *name != population) {
            if !populations.iter().any(|known| known == name) && populations.len() < 12 {
                populations.push(name.to_owned());
            }
            return;
        }
        samples.extend(own);
        if own.is_none() || sample.is_none() || own == sample {
            spikes.push(spike);
        }
    };
    let source = TraceSource::new(path);
    if source.format()? == TraceFormat::Csv {
        let mut table = Table::open(path)?;
        let neuron = table.column("neuron")?;
        let time = table.column(&format!("time_{time_unit}"))?;
        let columns = [table.position("population")?, table.position("sample")?];
        while let Some(row) = table.next()? {
            let spike = (row.index(neuron, "neuron")? as usize, row.time(time)?);
            let own = columns[1].map(|column| row.index(column, "sample"));
            let name = columns[0].map(|column| row.text(column));
            // The sample of a row that does not count need be no number.
            match name {
                Some(name) if name != population => add(Some(name), None, spike),
                name => add(name, own.transpose()?, spike),
            }
        }
    } else {
        let (recording, _) = source.read()?;
        let factor = recording.factor_to(path, time_unit)?;
        for (spike, &time) in recording.times.iter().enumerate() {
            let line = recording.lines.of(spike).unwrap_or(spike as u64 + 1);
            let name = &recording.populations[recording.population_of(spike)];
            let time = non_negative(path, line, factor.apply(time))?;
            let neuron = recording.neurons[spike] as usize;
            let own = recording.samples.get(spike).copied();
            add(Some(name.as_str()).filter(|name| !name.is_empty()), own, (neuron, time));
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
