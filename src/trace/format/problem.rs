//! What makes a file no trace of its format.

use std::path::PathBuf;

use super::IdRangesError;

/// What makes a file no trace of its format, and what would be right.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FormatProblem {
    /// No file has a name of this pattern.
    #[error("no file has such a name")]
    NoMatch,
    /// The pattern cannot be understood.
    #[error("this is no pattern of file names: {0}")]
    Pattern(String),
    /// Several files are given for a format of one file.
    #[error("{count} files are meant, and a trace in the format {format} is one file")]
    SeveralFiles {
        /// How many files.
        count: usize,
        /// The format.
        format: &'static str,
    },
    /// The units of two files differ.
    #[error("times are in {found}, those of {} in {expected}", other.display())]
    OtherUnit {
        /// The unit here.
        found: String,
        /// The unit of the first file.
        expected: String,
        /// The first file.
        other: PathBuf,
    },
    /// Samples are in one of two files only.
    #[error("only some of the files have samples: {} is not as this one", other.display())]
    SomeSamples {
        /// The first file.
        other: PathBuf,
    },
    /// Tables of ids are beside some files only.
    #[error(
        "only some of the files have a table of ids: {} is there, and {} is not; say which ids are whose with --ids",
        other.display(), table.display()
    )]
    SomeTables {
        /// The table that is missing.
        table: PathBuf,
        /// One that is there.
        other: PathBuf,
    },
    /// A format is given that is not that of the file.
    #[error("this is {found}, not {expected}: leave out --format, or give another")]
    OtherFormat {
        /// What it is.
        found: &'static str,
        /// What it should be.
        expected: &'static str,
    },
    /// The file of the neurons is not known.
    #[error(
        "this has times; which file has the neurons? Name it with --neuron-file, or call it {}",
        candidates.join(" or ")
    )]
    NoNeuronFile {
        /// Names that would be found.
        candidates: Vec<String>,
    },
    /// Times are numbers of samples, and nothing tells how long one is.
    #[error(
        "its times are whole numbers, as of samples: say how many there are in a second with \
         --sampling-rate HZ, or their unit with --time-unit UNIT"
    )]
    NoSamplingRate,
    /// A sampling rate is given for times with fractions.
    #[error("its times are {found}, not numbers of samples: leave out --sampling-rate")]
    NoSampleNumbers {
        /// Type of the values.
        found: String,
    },
    /// Only whole numbers of samples are converted.
    #[error("--sampling-rate is for NPY files, and this is {format}")]
    RateOfOther {
        /// The format.
        format: &'static str,
    },
    /// A unit is given that is not that of the file.
    #[error("--time-unit {given}: the times are in {found}, as the file says")]
    GivenUnit {
        /// The unit that is given.
        given: String,
        /// The unit in the file.
        found: String,
    },
    /// A neuron is in none of the ranges.
    #[error("{place}{neuron} is in no range of --ids: there are {ranges}")]
    NoRange {
        /// `line 3: `, if it is known.
        place: String,
        /// The neuron.
        neuron: u32,
        /// The ranges.
        ranges: String,
    },
    /// Ranges are given for spikes that have populations.
    #[error("the spikes have populations already ({found}): --ids is for files without")]
    HasPopulations {
        /// The populations.
        found: String,
    },
    /// The table of ranges beside the file is wrong.
    #[error(transparent)]
    Ids(#[from] IdRangesError),
    /// The program is built without HDF5.
    #[error("this is an HDF5 file, and this program is built without the feature `hdf5`")]
    WithoutHdf5,
    /// The HDF5 file is damaged, or lacks what there should be.
    #[cfg(feature = "hdf5")]
    #[error("{place}: {problem}")]
    Hdf5 {
        /// Path in the file; empty for the file.
        place: String,
        /// What is wrong.
        problem: crate::hdf5::Hdf5Problem,
    },
    /// There are graphs within graphs without end.
    #[error("{place}: graphs within graphs, deeper than {deepest} or with more than {most} groups")]
    Nested {
        /// Path in the file.
        place: String,
        /// How deep they may be.
        deepest: usize,
        /// How many groups there may be.
        most: u32,
    },
    /// An HDF5 file holds no spikes that are known.
    #[error(
        "there are no spikes in this HDF5 file: SONATA has /spikes/<population>/timestamps, SHD \
         /spikes/times and NIRData /nodes; there are {found}"
    )]
    NoSpikes {
        /// What there is.
        found: String,
    },
    /// Something is missing in the file.
    #[error("there is nothing in {place}: in this format, it has {expected}")]
    Lacks {
        /// Path in the file.
        place: String,
        /// What a file of the format has.
        expected: &'static str,
    },
    /// A dataset has another shape.
    #[error("{place} has the shape {found:?}: it must be {expected}")]
    Shape {
        /// Path in the file.
        place: String,
        /// Its shape.
        found: Vec<u64>,
        /// What it should be.
        expected: String,
    },
    /// A dataset or attribute has another type.
    #[error("{place} must be {expected}")]
    Type {
        /// Path in the file.
        place: String,
        /// What it should be.
        expected: &'static str,
    },
    /// A value is out of range.
    #[error("{place}[{index}] is {value}: it must be {accepted}")]
    Value {
        /// Path in the file.
        place: String,
        /// Which value, from 0.
        index: u64,
        /// What it is.
        value: String,
        /// What is accepted.
        accepted: &'static str,
    },
    /// Two columns have different lengths.
    #[error("{place} has {found} values, and {other} has {expected}")]
    Lengths {
        /// Path of one.
        place: String,
        /// Its length.
        found: u64,
        /// Path of the other.
        other: String,
        /// Its length.
        expected: u64,
    },
    /// A unit is not known.
    #[error("the unit of {place} is `{found}`: it must be one of s, ms, us, ns, or spelled out")]
    Unit {
        /// Path in the file.
        place: String,
        /// The unit.
        found: String,
    },
    /// Time steps are no times.
    #[error(
        "{place} is a signal on a grid of time steps: a trace has times of spikes, which only EventData \
         have"
    )]
    Gridded {
        /// Path in the file.
        place: String,
    },
}
