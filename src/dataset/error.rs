//! What is wrong with files of data.

use std::io;
use std::path::PathBuf;

use crate::table::{NpyProblem, TableProblem};

/// A file of data that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{}: {problem}", path.display())]
#[non_exhaustive]
pub struct DataError {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it, and where.
    pub problem: DataProblem,
}

/// What is wrong with a file of data.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataProblem {
    /// It cannot be read.
    #[error("{0}")]
    Unreadable(io::Error),
    /// There is no such file.
    #[error("there is no such file, and none with .gz")]
    Missing,

    /// An IDX file ends within its header.
    #[error("the file ends within its header")]
    HeaderCutOff,
    /// The first bytes are not those of an IDX file.
    #[error(
        "begins with {found:#010x}, but an IDX file of bytes in {dimensions} dimension{} begins with \
         {expected:#010x}",
        if *dimensions == 1 { "" } else { "s" }
    )]
    NotIdx {
        /// The first four bytes.
        found: u32,
        /// What they must be.
        expected: u32,
        /// How many dimensions the file must have.
        dimensions: usize,
    },
    /// The header of an IDX file announces more values than there can be.
    #[error("{dimensions:?} values cannot be")]
    TooManyValues {
        /// Values in each dimension.
        dimensions: Vec<usize>,
    },
    /// An IDX file has fewer bytes than its header announces.
    #[error(
        "is cut off: {expected} bytes should follow the header ({dimensions:?}), there are {found}"
    )]
    CutOff {
        /// Bytes that the header announces.
        expected: u64,
        /// Values in each dimension.
        dimensions: Vec<usize>,
        /// Bytes that are there.
        found: usize,
    },
    /// An IDX file has more bytes than its header announces.
    #[error("goes on after the {announced} bytes that its header announces")]
    TooLong {
        /// Bytes that the header announces.
        announced: u64,
    },
    /// An IDX file has other dimensions than the one that is wanted.
    #[error("{found:?} values, not {expected:?}")]
    Dimensions {
        /// Values in each dimension.
        found: Vec<usize>,
        /// What they must be.
        expected: Vec<usize>,
    },

    /// Images are of another size.
    #[error("images of {height} × {width}, but they must be {side} × {side}")]
    ImageSize {
        /// Rows of pixels.
        height: usize,
        /// Pixels in a row.
        width: usize,
        /// What both must be.
        side: usize,
    },
    /// There are not as many labels as samples.
    #[error("{labels} labels, but {} has {samples} {}", features.display(), kind.plural())]
    LabelCount {
        /// Labels in the file.
        labels: usize,
        /// The file of the samples.
        features: PathBuf,
        /// Samples in it.
        samples: usize,
        /// What they are.
        kind: SampleKind,
    },
    /// A label is no class of these images.
    #[error("label {index} (from 0) is {label}, but it must be from 0 to {last}")]
    NoClass {
        /// Which label, from 0.
        index: usize,
        /// The label.
        label: u8,
        /// The largest label that is accepted.
        last: usize,
    },
    /// More images are asked for than there are, or none.
    #[error(
        "has {found} images for {set}, but {asked} are asked for{}",
        if *found == 0 && *set == "validation" { " (it is the last sixth of the file)" } else { "" }
    )]
    ImageCount {
        /// Images that can be had.
        found: usize,
        /// `training`, `validation` or `test`.
        set: &'static str,
        /// Images that are asked for.
        asked: usize,
    },

    /// It is no table, in the line if there is one.
    #[error("{}{problem}", line.map_or_else(String::new, |line| format!("line {line}: ")))]
    Table {
        /// The line, from 1.
        line: Option<u64>,
        /// What is wrong.
        problem: TableProblem,
    },
    /// A table has no column of labels.
    #[error(
        "line {line}: there is no column `{column}`: the first line must name it (another name goes to \
         dataset.file.label); there are {found}"
    )]
    NoLabelColumn {
        /// The line, from 1.
        line: u64,
        /// What it should be called.
        column: String,
        /// The columns, and how they are separated.
        found: String,
    },
    /// No column is clearly the label.
    #[error(
        "line {line}: which column is the label? Name it with --label COLUMN; there are {found}"
    )]
    WhichLabel {
        /// The line, from 1.
        line: u64,
        /// The columns.
        found: String,
    },
    /// A table lacks a column that is named.
    #[error("line {line}: there is no column `{column}`; there are {found}")]
    NoColumn {
        /// The line, from 1.
        line: u64,
        /// Name of the column.
        column: String,
        /// The columns, and how they are separated.
        found: String,
    },
    /// A table has two columns of a name that is used.
    #[error("line {line}: there are two columns `{column}`")]
    TwoColumns {
        /// The line, from 1.
        line: u64,
        /// Their name.
        column: String,
    },
    /// A table has nothing but labels.
    #[error("line {line}: there are no features beside `{column}`")]
    NoFeatures {
        /// The line, from 1.
        line: u64,
        /// The column of labels.
        column: String,
    },
    /// A table has no rows.
    #[error("there are no samples")]
    NoSamples,
    /// A field of a table does not hold what it should.
    #[error("line {line}, column `{column}`: `{field}`: {accepted}")]
    Field {
        /// The line, from 1.
        line: u64,
        /// Name of the column.
        column: String,
        /// What stands there.
        field: String,
        /// What is accepted, as a sentence.
        accepted: &'static str,
    },

    /// It is no NPY file that can be read.
    #[error(transparent)]
    Npy(#[from] NpyProblem),
    /// Features in an NPY file have another shape.
    #[error("has shape {shape:?}, but features are a row or an image for each sample")]
    FeatureShape {
        /// The shape.
        shape: Vec<usize>,
    },
    /// An NPY file has no values.
    #[error("has shape {shape:?}: there is nothing in it")]
    NoValues {
        /// The shape.
        shape: Vec<usize>,
    },
    /// Labels in an NPY file have another shape.
    #[error("has shape {shape:?}, but labels are one for each sample")]
    LabelShape {
        /// The shape.
        shape: Vec<usize>,
    },
    /// Features in an NPY file have another type.
    #[error("has type {found}, but it must be float64, float32 or uint8")]
    FeatureType {
        /// The type, as NumPy writes it.
        found: String,
    },
    /// Labels in an NPY file are not whole numbers.
    #[error("has type {found}, but labels must be whole numbers")]
    LabelType {
        /// The type, as NumPy writes it.
        found: String,
    },
    /// A feature in an NPY file is out of range.
    #[error("row {row}, column {column} (from 0): {value}: {accepted}")]
    Feature {
        /// The row, from 0.
        row: usize,
        /// The column, from 0.
        column: usize,
        /// What stands there.
        value: f64,
        /// What is accepted, as a sentence.
        accepted: &'static str,
    },

    /// So many samples cannot be taken away for validation.
    #[error(
        "has {samples} samples, of which {asked} cannot be taken for validation: at least one must be \
         left"
    )]
    NothingLeft {
        /// Samples that there are.
        samples: usize,
        /// Samples to be taken.
        asked: usize,
    },
    /// Two tables that go together have not as many features.
    #[error("{found} features, but {} has {expected}", other.display())]
    FeatureCount {
        /// Features in the file.
        found: usize,
        /// The other file.
        other: PathBuf,
        /// Features in that.
        expected: usize,
    },
    /// Two tables that go together have other columns.
    #[error("line 1: column `{found}` stands where {} has `{expected}`", other.display())]
    FeatureName {
        /// Name of the column.
        found: String,
        /// The other file.
        other: PathBuf,
        /// Name of the column there.
        expected: String,
    },
    /// A label is beyond the number of classes.
    #[error(
        "sample {sample} (from 0) has label {label}, but {classes} classes have labels from 0 to {}",
        classes.saturating_sub(1)
    )]
    LabelRange {
        /// The sample, from 0.
        sample: usize,
        /// Its label.
        label: usize,
        /// How many classes there are.
        classes: usize,
    },
    /// A label is none of the classes.
    #[error("sample {sample} (from 0) has label `{label}`, but the classes are {known}")]
    UnknownLabel {
        /// The sample, from 0.
        sample: usize,
        /// Its label.
        label: String,
        /// Names of the classes.
        known: String,
    },
}

/// What the samples of a file are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SampleKind {
    /// Images, in an IDX file.
    Image,
    /// Rows of a table.
    Row,
}

impl SampleKind {
    fn plural(self) -> &'static str {
        match self {
            SampleKind::Image => "images",
            SampleKind::Row => "rows",
        }
    }
}

impl DataProblem {
    /// The problem with the name of its file.
    pub(super) fn of(self, path: impl Into<PathBuf>) -> DataError {
        DataError { path: path.into(), problem: self }
    }
}
