//! Which ids are whose, in formats that number the neurons of all populations in one row.
//!
//! As an option: `exc=1-8000,inh=8001-10000`. As a file, which is written beside a trace and found there:
//! a CSV with the columns `population,first_id,last_id`.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use super::FormatProblem;
use crate::trace::recording::Recording;

/// Largest table of ranges, in bytes.
const LARGEST: u64 = 16 << 20;

/// The ids of a population.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdRange {
    /// Its name.
    pub population: String,
    /// Id of neuron 0.
    pub first: u32,
    /// Id of the last neuron.
    pub last: u32,
}

/// The ids of populations, ascending, without overlap.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IdRanges(Vec<IdRange>);

/// Ranges of ids that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IdRangesError {
    /// The text is no range.
    #[error("`{0}` is no range of ids: write NAME=FIRST-LAST, such as exc=1-8000")]
    Range(String),
    /// Two populations share ids.
    #[error("{0} and {1} share ids")]
    Overlap(String, String),
    /// A population is there twice.
    #[error("population `{0}` is there twice")]
    Twice(String),
    /// An index of a population has two bytes.
    #[error("{0} populations: at most 65535")]
    TooMany(usize),
    /// Ids have four bytes.
    #[error("the ids of {0} would go beyond 4294967295")]
    TooLarge(String),
    /// The table cannot be read.
    #[error("{}: {message}", path.display())]
    Table {
        /// The file.
        path: PathBuf,
        /// What is wrong, with the line.
        message: String,
    },
}

impl IdRanges {
    /// Ranges in any order.
    ///
    /// # Errors
    /// If two of them overlap or have one name, or one ends before it begins.
    pub fn new(mut ranges: Vec<IdRange>) -> Result<Self, IdRangesError> {
        if let Some(range) = ranges.iter().find(|range| range.last < range.first) {
            return Err(IdRangesError::Range(range.to_string()));
        }
        if ranges.len() > usize::from(u16::MAX) {
            return Err(IdRangesError::TooMany(ranges.len()));
        }
        ranges.sort_by_key(|range| range.first);
        for pair in ranges.windows(2) {
            if pair[1].first <= pair[0].last {
                return Err(IdRangesError::Overlap(pair[0].to_string(), pair[1].to_string()));
            }
        }
        let mut names: Vec<&str> = ranges.iter().map(|range| range.population.as_str()).collect();
        names.sort_unstable();
        match names.windows(2).find(|pair| pair[0] == pair[1]) {
            Some(pair) => Err(IdRangesError::Twice(pair[0].to_owned())),
            None => Ok(IdRanges(ranges)),
        }
    }

    /// Populations of these sizes one after the other, from an id on. One of size 0 is left out.
    ///
    /// # Errors
    /// If an id would be above 2³² − 1, or two populations have one name.
    pub fn in_a_row(
        sizes: impl IntoIterator<Item = (String, u64)>,
        start: u32,
    ) -> Result<Self, IdRangesError> {
        let mut next = u64::from(start);
        let mut ranges = Vec::new();
        for (population, size) in sizes {
            if size == 0 {
                continue;
            }
            let first = u32::try_from(next);
            next = next.saturating_add(size);
            let (Ok(first), Ok(last)) = (first, u32::try_from(next - 1)) else {
                return Err(IdRangesError::TooLarge(population));
            };
            ranges.push(IdRange { population, first, last });
        }
        Self::new(ranges)
    }

    /// Reads a table of ranges.
    ///
    /// # Errors
    /// If it cannot be read, or its rows are no ranges or overlap; with the line.
    pub fn read(path: &Path) -> Result<Self, IdRangesError> {
        let table = |message: String| IdRangesError::Table { path: path.to_owned(), message };
        let wrap = |error: csv::Error| table(error.to_string());
        let size = std::fs::metadata(path).map_err(|error| table(error.to_string()))?.len();
        if size > LARGEST {
            return Err(table(format!("{size} bytes: a table of ids has at most {LARGEST}")));
        }
        let mut reader =
            csv::ReaderBuilder::new().trim(csv::Trim::All).from_path(path).map_err(wrap)?;
        let expected = ["population", "first_id", "last_id"];
        if reader.headers().map_err(wrap)? != expected.as_slice() {
            return Err(table(format!("the heading must be {}", expected.join(","))));
        }
        let mut ranges = Vec::new();
        for row in reader.deserialize() {
            let (population, first, last) = row.map_err(wrap)?;
            ranges.push(IdRange { population, first, last });
        }
        Self::new(ranges).map_err(|error| table(error.to_string()))
    }

    /// Where the table of a trace's ranges is: `spikes.dat.ids.csv` for `spikes.dat`.
    pub fn beside(trace: &Path) -> PathBuf {
        let name = trace.file_name().unwrap_or_default().to_string_lossy();
        trace.with_file_name(format!("{name}.ids.csv"))
    }

    /// The table as text.
    pub fn to_csv(&self) -> String {
        let mut text = "population,first_id,last_id\n".to_owned();
        for IdRange { population, first, last } in &self.0 {
            let quoted = population.contains([',', '"', '\n', '\r']);
            let name = population.replace('"', "\"\"");
            let name = if quoted { format!("\"{name}\"") } else { name };
            text += &format!("{name},{first},{last}\n");
        }
        text
    }

    /// The ranges, ascending.
    pub fn ranges(&self) -> &[IdRange] {
        &self.0
    }

    /// The range of a population.
    pub fn of(&self, population: &str) -> Option<&IdRange> {
        self.0.iter().find(|range| range.population == population)
    }

    /// Makes populations of a recording whose neurons are ids.
    ///
    /// # Errors
    /// If it has populations already, or a neuron is in no range.
    pub fn apply(&self, recording: &mut Recording) -> Result<(), FormatProblem> {
        if recording.populations.iter().any(|name| !name.is_empty()) {
            let found = recording.populations.join(", ");
            return Err(FormatProblem::HasPopulations { found });
        }
        recording.population = vec![0; recording.len()];
        for (spike, neuron) in recording.neurons.iter_mut().enumerate() {
            let behind = self.0.partition_point(|range| range.first <= *neuron);
            let range = behind.checked_sub(1).map(|at| &self.0[at]);
            let Some(range) = range.filter(|range| *neuron <= range.last) else {
                let line = recording.lines.of(spike);
                let place = line
                    .map_or_else(|| "neuron ".to_owned(), |line| format!("line {line}: neuron "));
                let (neuron, ranges) = (*neuron, self.to_string());
                return Err(FormatProblem::NoRange { place, neuron, ranges });
            };
            *neuron -= range.first;
            // There are at most 65535.
            recording.population[spike] = (behind - 1) as u16;
        }
        recording.populations = self.0.iter().map(|range| range.population.clone()).collect();
        Ok(())
    }
}

impl fmt::Display for IdRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}-{}", self.population, self.first, self.last)
    }
}

impl fmt::Display for IdRanges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const MOST: usize = 8;
        let ranges: Vec<String> = self.0.iter().take(MOST).map(IdRange::to_string).collect();
        f.write_str(&ranges.join(","))?;
        if self.0.len() > MOST { write!(f, ", and {} more", self.0.len() - MOST) } else { Ok(()) }
    }
}

impl FromStr for IdRanges {
    type Err = IdRangesError;

    fn from_str(text: &str) -> Result<Self, IdRangesError> {
        let range = |text: &str| {
            let wrong = || IdRangesError::Range(text.to_owned());
            let (name, ids) = text.rsplit_once('=').ok_or_else(wrong)?;
            let (first, last) = ids.split_once('-').unwrap_or((ids, ids));
            let number = |text: &str| text.trim().parse().map_err(|_| wrong());
            let population = name.trim().to_owned();
            Ok(IdRange { population, first: number(first)?, last: number(last)? })
        };
        Self::new(text.split(',').map(range).collect::<Result<_, _>>()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_make_populations_and_tables_bring_them_back() {
        let ranges: IdRanges = "inh=11-20, exc=1-10".parse().expect("ranges");
        let mut recording = Recording {
            populations: vec![String::new()],
            neurons: vec![1, 10, 11],
            times: vec![0.0; 3],
            ..Recording::default()
        };
        ranges.apply(&mut recording).expect("all are in a range");
        assert_eq!(recording.populations, ["exc", "inh"]);
        assert_eq!((recording.neurons, recording.population), (vec![0, 9, 0], vec![0, 0, 1]));

        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = IdRanges::beside(&folder.path().join("spikes-7.dat"));
        std::fs::write(&path, ranges.to_csv()).expect("writable");
        assert!(path.ends_with("spikes-7.dat.ids.csv"));
        assert_eq!(IdRanges::read(&path).expect("a table"), ranges);
        std::fs::write(&path, "population,first_id,last_id\na,1,x\n").expect("writable");
        let message = IdRanges::read(&path).expect_err("no number").to_string();
        assert!(
            message.contains("spikes-7.dat.ids.csv") && message.contains("line: 2"),
            "{message}"
        );
    }

    #[test]
    fn what_is_no_range_is_refused() {
        for (text, expected) in [
            ("exc", "`exc` is no range of ids"),
            ("exc=5-2", "`exc=5-2` is no range of ids"),
            ("a=1-5,b=5-6", "a=1-5 and b=5-6 share ids"),
            ("a=1,a=2", "population `a` is there twice"),
        ] {
            let message = text.parse::<IdRanges>().expect_err(text).to_string();
            assert!(message.contains(expected), "{message}");
        }
        let sizes = [("a".to_owned(), 5), ("none".to_owned(), 0), ("b".to_owned(), 2)];
        let ranges = IdRanges::in_a_row(sizes, 1).expect("small");
        assert_eq!(ranges.to_string(), "a=1-5,b=6-7");
        let large = IdRanges::in_a_row([("a".to_owned(), 1 << 32)], 1).expect_err("too large");
        assert_eq!(large, IdRangesError::TooLarge("a".to_owned()));
    }
}
