//! The forms in which spikes are exchanged, and one place that reads them all.
//!
//! ```text
//! name, or first bytes, or --format ─→ TraceFormat ─→ reader of that format ─┐
//!                                                                            ▼
//!                       populations by ranges of ids ([`IdRanges`]) ─→ Recording
//! ```
//!
//! [`TraceSource`] is where every command gets its spikes from. What a format is for, and what it cannot
//! hold, is in `docs/formats.md`.

mod files;
mod ids;
mod merge;
mod nest;
#[cfg(feature = "hdf5")]
mod nir_data;
mod npy;
mod problem;
#[cfg(feature = "hdf5")]
mod shd;
#[cfg(feature = "hdf5")]
mod sonata;
mod source;

use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::{FormProblem, TraceError};
pub use ids::{IdRange, IdRanges, IdRangesError};
pub use npy::{companion, companion_to_write};
pub use problem::FormatProblem;
pub use source::TraceSource;

/// A form in which spikes are exchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
#[cfg_attr(feature = "cli", value(rename_all = "lower"))]
#[non_exhaustive]
pub enum TraceFormat {
    /// A table of text with a heading, packed with gzip or not.
    Csv,
    /// NEST's files: ids and times in ms, with a heading (.dat) or without (.gdf).
    Nest,
    /// Two NPY files, of times and of neurons.
    Npy,
    /// SONATA: HDF5, times in ms and node ids by population.
    Sonata,
    /// Events of the data sets SHD and SSC: HDF5, a row per sample. Read only.
    Shd,
    /// NIRData of the package nir: HDF5, events of nodes by sample.
    NirData,
}

impl TraceFormat {
    /// All of them.
    pub const ALL: [TraceFormat; 6] = [
        TraceFormat::Csv,
        TraceFormat::Nest,
        TraceFormat::Npy,
        TraceFormat::Sonata,
        TraceFormat::Shd,
        TraceFormat::NirData,
    ];

    /// How the format is called in options.
    pub fn name(self) -> &'static str {
        match self {
            TraceFormat::Csv => "csv",
            TraceFormat::Nest => "nest",
            TraceFormat::Npy => "npy",
            TraceFormat::Sonata => "sonata",
            TraceFormat::Shd => "shd",
            TraceFormat::NirData => "nirdata",
        }
    }

    /// Whether files are text, which may be packed with gzip.
    pub fn is_text(self) -> bool {
        matches!(self, TraceFormat::Csv | TraceFormat::Nest)
    }

    /// The format that a file's name says; none if several have such names, as `.h5` and `.dat`.
    pub fn of_name(path: &Path) -> Option<Self> {
        let name = path.file_name()?.to_string_lossy().to_ascii_lowercase();
        let unpacked = name.strip_suffix(".gz");
        let name = unpacked.unwrap_or(&name);
        let format = match name.rsplit_once('.')?.1 {
            "csv" | "tsv" | "txt" => TraceFormat::Csv,
            "gdf" => TraceFormat::Nest,
            "npy" => TraceFormat::Npy,
            "sonata" => TraceFormat::Sonata,
            "nirdata" => TraceFormat::NirData,
            _ => return None,
        };
        (unpacked.is_none() || format.is_text()).then_some(format)
    }

    /// The format to write into a file of this name; none if the name does not tell.
    pub fn to_write(path: &Path) -> Option<Self> {
        Self::of_name(path).or_else(|| match path.extension()?.to_str()? {
            "dat" => Some(TraceFormat::Nest),
            "h5" | "hdf5" => Some(TraceFormat::Sonata),
            _ => None,
        })
    }

    /// The format of a file: what its name says or, if that says nothing, its first bytes. What is nothing
    /// else is a table of text, which says itself what it lacks.
    ///
    /// # Errors
    /// If it is an HDF5 file without spikes in it.
    pub fn of_file(path: &Path) -> Result<Self, TraceError> {
        if let Some(format) = Self::of_name(path) {
            return Ok(format);
        }
        let mut start = Vec::new();
        let is_file = path.is_file();
        // What cannot be read is complained of by whoever reads it.
        if !is_file || File::open(path).and_then(|f| f.take(512).read_to_end(&mut start)).is_err() {
            return Ok(TraceFormat::Csv);
        }
        if start.starts_with(b"\x93NUMPY") {
            return Ok(TraceFormat::Npy);
        }
        if start.starts_with(b"# NEST version") {
            return Ok(TraceFormat::Nest);
        }
        // Behind a user block, HDF5 begins at 512 or a power of two above; spikes never do.
        if start.starts_with(HDF5) {
            return of_hdf5(path);
        }
        Ok(TraceFormat::Csv)
    }
}

/// The first bytes of an HDF5 file.
const HDF5: &[u8] = b"\x89HDF\r\n\x1a\n";

/// Which format of spikes an HDF5 file has.
#[cfg(feature = "hdf5")]
fn of_hdf5(path: &Path) -> Result<TraceFormat, TraceError> {
    let file = crate::hdf5::Hdf5File::open(path).map_err(in_file)?;
    let kind = file.attribute("", "__type__").map_err(in_file)?;
    if kind.is_some_and(|kind| kind.text() == Some("NIRGraphData")) {
        return Ok(TraceFormat::NirData);
    }
    let root = file.members("").map_err(in_file)?;
    if root.groups.iter().any(|name| name == "spikes") {
        let spikes = file.members("spikes").map_err(in_file)?;
        let is_shd = spikes.datasets.iter().any(|name| name == "times");
        return Ok(if is_shd { TraceFormat::Shd } else { TraceFormat::Sonata });
    }
    let mut found = [root.groups, root.datasets].concat();
    found.truncate(12);
    let found = if found.is_empty() { "nothing".to_owned() } else { found.join(", ") };
    Err(refuse(path, FormatProblem::NoSpikes { found }))
}

/// An error of a file with the place in it.
#[cfg(feature = "hdf5")]
fn in_file(error: crate::hdf5::Hdf5Error) -> TraceError {
    let crate::hdf5::Hdf5Error { path, place, problem } = error;
    match problem {
        crate::hdf5::Hdf5Problem::Unreadable(source) => TraceError::Read { path, source },
        problem => {
            let place = if place.is_empty() { "HDF5".to_owned() } else { place };
            refuse(&path, FormatProblem::Hdf5 { place, problem })
        }
    }
}

/// Refuses more spikes than an index of four bytes can tell apart.
#[cfg(feature = "hdf5")]
fn check_count(path: &Path, count: u64) -> Result<(), TraceError> {
    match u32::try_from(count) {
        Ok(_) => Ok(()),
        Err(_) => {
            let problem = FormProblem::TooManySpikes;
            Err(TraceError::Form { path: path.to_owned(), line: None, problem })
        }
    }
}

#[cfg(not(feature = "hdf5"))]
fn of_hdf5(path: &Path) -> Result<TraceFormat, TraceError> {
    Err(refuse(path, FormatProblem::WithoutHdf5))
}

impl std::fmt::Display for TraceFormat {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// A complaint about a whole file.
fn refuse(path: &Path, problem: impl Into<FormatProblem>) -> TraceError {
    let problem = FormProblem::Format(Box::new(problem.into()));
    TraceError::Form { path: path.to_owned(), line: None, problem }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_first_bytes_tell_the_format() {
        for (name, expected) in [
            ("spikes.csv", Some(TraceFormat::Csv)),
            ("spikes.TSV.gz", Some(TraceFormat::Csv)),
            ("spikes-7-0.gdf", Some(TraceFormat::Nest)),
            ("spikes.gdf.gz", Some(TraceFormat::Nest)),
            ("times.npy", Some(TraceFormat::Npy)),
            ("times.npy.gz", None),
            ("spikes.sonata.gz", None),
            ("spikes.h5", None),
            ("spikes.dat", None),
            ("spikes", None),
        ] {
            assert_eq!(TraceFormat::of_name(Path::new(name)), expected, "{name}");
        }
        let folder = tempfile::tempdir().expect("a temporary folder");
        for (content, expected) in [
            (&b"\x93NUMPY\x01\x00"[..], TraceFormat::Npy),
            (b"# NEST version: 3.8\n", TraceFormat::Nest),
            (b"neuron\ttime_ms\n", TraceFormat::Csv),
            (b"", TraceFormat::Csv),
        ] {
            let path = folder.path().join("spikes.dat");
            std::fs::write(&path, content).expect("writable");
            assert_eq!(TraceFormat::of_file(&path).expect("known"), expected);
        }
        assert_eq!(TraceFormat::of_file(Path::new("nothing")).expect("text"), TraceFormat::Csv);
    }
}
