//! Features and labels from tables: a table of text, or two NPY files.
//!
//! Features are fractions from 0 to 1, or, if they are to be used as they are, spike times. `uint8`
//! features in an NPY file, the usual form of images, stand for their 255th as fractions.

use std::path::{Path, PathBuf};

use npyz::{Deserialize, NpyFile, NpyHeader, Order};

use super::{DataError, DataProblem, Dataset, Features, SampleKind};
use crate::table::{TableError, TextTable, npy_header};

/// What features are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Numbers from 0 to 1.
    Fractions,
    /// Times, not negative; infinity (or nothing, in a CSV file) for no spike.
    SpikeTimes,
}

impl Kind {
    fn accepts(self, value: f64) -> bool {
        match self {
            Kind::Fractions => (0.0..=1.0).contains(&value),
            Kind::SpikeTimes => value >= 0.0,
        }
    }

    fn accepted(self) -> &'static str {
        match self {
            Kind::Fractions => "a feature must be a number from 0 to 1",
            Kind::SpikeTimes => "a spike time must be a number, not negative, or inf for no spike",
        }
    }
}

/// A table in memory: a row of features and a label per sample.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    features: Values,
    labels: Vec<usize>,
    feature_count: usize,
    /// What the features are called, if they have names.
    columns: Option<Vec<String>>,
    /// Where the features and the labels are from.
    paths: (PathBuf, PathBuf),
}

/// Features, row by row.
#[derive(Clone, Debug, PartialEq)]
enum Values {
    Real(Vec<f64>),
    Bytes(Vec<u8>, f64),
}

impl Table {
    /// Reads a table of text with a heading: the column `label` (whole numbers from 0, also written
    /// `1.0`), and any other column a feature. Separators, comments, packing and encoding are as
    /// [`TextTable`] reads them.
    ///
    /// # Errors
    /// If the file cannot be read, has no such column, no samples, or a value that does not fit; with
    /// its line and column.
    pub fn read_csv(path: &Path, kind: Kind) -> Result<Self, DataError> {
        let refuse = |problem: DataProblem| problem.of(path);
        let wrap = |TableError { line, problem, .. }: TableError| {
            refuse(DataProblem::Table { line, problem })
        };
        let table = TextTable::read(path).map_err(wrap)?;
        let mut rows = table.even_rows();
        // A table has a row.
        let Some(heading) = rows.next().transpose().map_err(wrap)? else {
            return Err(refuse(DataProblem::NoSamples));
        };
        let (line, headings) = (heading.line, heading.fields);
        let mut places = headings.iter().enumerate().filter(|(_, name)| *name == "label");
        let Some((label_column, _)) = places.next() else {
            let found = format!("{} ({})", headings.join(", "), table.separator());
            return Err(refuse(DataProblem::NoLabelColumn { line, found }));
        };
        if places.next().is_some() {
            return Err(refuse(DataProblem::TwoLabelColumns { line }));
        }
        let names = headings.iter().filter(|&name| name != "label");
        let columns: Vec<String> = names.map(|name| name.clone().into_owned()).collect();
        if columns.is_empty() {
            return Err(refuse(DataProblem::NoFeatures { line }));
        }
        let (mut features, mut labels) = (Vec::new(), Vec::new());
        for row in rows {
            let row = row.map_err(wrap)?;
            for (index, field) in row.fields.iter().enumerate() {
                let wrong = |accepted| {
                    let (column, field) =
                        (headings[index].clone().into_owned(), field.clone().into_owned());
                    refuse(DataProblem::Field { line: row.line, column, field, accepted })
                };
                if index == label_column {
                    let accepted = "a label must be a whole number from 0";
                    labels.push(label(field).ok_or_else(|| wrong(accepted))?);
                } else if field.is_empty() && kind == Kind::SpikeTimes {
                    features.push(f64::INFINITY);
                } else {
                    let value = field.parse().ok().filter(|&value| kind.accepts(value));
                    features.push(value.ok_or_else(|| wrong(kind.accepted()))?);
                }
            }
        }
        if labels.is_empty() {
            return Err(refuse(DataProblem::NoSamples));
        }
        Ok(Table {
            features: Values::Real(features),
            labels,
            feature_count: columns.len(),
            columns: Some(columns),
            paths: (path.to_owned(), path.to_owned()),
        })
    }

    /// Reads two NPY files: one with a row of features per sample, of `float64`, `float32` or
    /// `uint8`, and one with a label per sample, of any type of whole numbers.
    ///
    /// # Errors
    /// If a file cannot be read, has another shape or type, or a value that does not fit; with its
    /// row and column, from 0.
    pub fn read_npy(features: &Path, labels: &Path, kind: Kind) -> Result<Self, DataError> {
        let refuse = |problem: DataProblem| problem.of(features);
        let array = Array::open(features)?;
        let [rows, columns] = array.shape[..] else {
            return Err(refuse(DataProblem::FeatureShape { shape: array.shape }));
        };
        if rows == 0 || columns == 0 {
            return Err(refuse(DataProblem::NoValues { shape: array.shape }));
        }
        let values = if let Some(values) = array.values::<u8>()? {
            let divisor = if kind == Kind::Fractions { 255.0 } else { 1.0 };
            Values::Bytes(values, divisor)
        } else if let Some(values) = array.values::<f64>()? {
            Values::Real(values)
        } else if let Some(values) = array.values::<f32>()? {
            Values::Real(values.into_iter().map(f64::from).collect())
        } else {
            return Err(refuse(DataProblem::FeatureType { found: array.kind() }));
        };
        if let Values::Real(values) = &values
            && let Some(place) = values.iter().position(|&value| !kind.accepts(value))
        {
            let (row, column) = (place / columns, place % columns);
            let (value, accepted) = (values[place], kind.accepted());
            return Err(refuse(DataProblem::Feature { row, column, value, accepted }));
        }
        let labels_path = labels;
        let labels = read_labels(labels_path)?;
        if labels.len() != rows {
            let (labels, features) = (labels.len(), features.to_owned());
            let (samples, kind) = (rows, SampleKind::Row);
            return Err(DataProblem::LabelCount { labels, features, samples, kind }.of(labels_path));
        }
        Ok(Table {
            features: values,
            labels,
            feature_count: columns,
            columns: None,
            paths: (features.to_owned(), labels_path.to_owned()),
        })
    }

    /// Takes the last `count` samples away, as a table of their own.
    ///
    /// # Errors
    /// If none would be left.
    pub fn split_last(&mut self, count: usize) -> Result<Table, DataError> {
        let Some(first) = self.labels.len().checked_sub(count).filter(|&first| first > 0) else {
            let problem = DataProblem::NothingLeft { samples: self.labels.len(), asked: count };
            return Err(problem.of(&self.paths.1));
        };
        let start = first * self.feature_count;
        let features = match &mut self.features {
            Values::Real(values) => Values::Real(values.split_off(start)),
            Values::Bytes(values, divisor) => Values::Bytes(values.split_off(start), *divisor),
        };
        Ok(Table {
            features,
            labels: self.labels.split_off(first),
            feature_count: self.feature_count,
            columns: self.columns.clone(),
            paths: self.paths.clone(),
        })
    }

    /// Makes sure that the features are those of another table.
    ///
    /// # Errors
    /// If there are more or fewer, or they have other names.
    pub fn check_columns(&self, other: &Table) -> Result<(), DataError> {
        let (found, expected) = (self.feature_count, other.feature_count);
        let theirs = &other.paths.0;
        if found != expected {
            let problem = DataProblem::FeatureCount { found, other: theirs.clone(), expected };
            return Err(problem.of(&self.paths.0));
        }
        if let (Some(own), Some(others)) = (&self.columns, &other.columns)
            && let Some((own, other)) = own.iter().zip(others).find(|(own, other)| own != other)
        {
            let (found, other, expected) = (own.clone(), theirs.clone(), other.clone());
            return Err(DataProblem::FeatureName { found, other, expected }.of(&self.paths.0));
        }
        Ok(())
    }

    /// The largest label.
    pub fn largest_label(&self) -> usize {
        self.labels.iter().copied().max().unwrap_or(0)
    }

    /// Makes sure that labels are below the number of classes.
    ///
    /// # Errors
    /// If one is not.
    pub fn check_labels(&self, classes: usize) -> Result<(), DataError> {
        match self.labels.iter().position(|&label| label >= classes) {
            None => Ok(()),
            Some(sample) => {
                let label = self.labels[sample];
                Err(DataProblem::LabelRange { sample, label, classes }.of(&self.paths.1))
            }
        }
    }

    /// The table as a data set.
    pub fn into_dataset(self, class_count: usize) -> Dataset {
        Dataset {
            features: match self.features {
                Values::Real(values) => Features::Real(values.into()),
                Values::Bytes(values, divisor) => {
                    Features::Bytes { values: values.into(), divisor }
                }
            },
            labels: self.labels.into(),
            feature_count: self.feature_count,
            class_count,
            image: None,
        }
    }
}

/// A label as text: a whole number, also as other programs write it (`1.0`).
fn label(field: &str) -> Option<usize> {
    if let Ok(label) = field.parse() {
        return Some(label);
    }
    let value: f64 = field.parse().ok()?;
    let is_label = value.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(&value);
    is_label.then_some(value as usize)
}

/// The labels in an NPY file.
fn read_labels(path: &Path) -> Result<Vec<usize>, DataError> {
    let array = Array::open(path)?;
    if array.shape.len() != 1 {
        return Err(DataProblem::LabelShape { shape: array.shape }.of(path));
    }
    let labels = match array.kind().trim_start_matches(['<', '>', '|', '=']) {
        "u1" => array.whole_numbers::<u8>()?,
        "i1" => array.whole_numbers::<i8>()?,
        "u2" => array.whole_numbers::<u16>()?,
        "i2" => array.whole_numbers::<i16>()?,
        "u4" => array.whole_numbers::<u32>()?,
        "i4" => array.whole_numbers::<i32>()?,
        "u8" => array.whole_numbers::<u64>()?,
        "i8" => array.whole_numbers::<i64>()?,
        other => {
            return Err(DataProblem::LabelType { found: other.to_owned() }.of(path));
        }
    };
    labels
        .into_iter()
        .enumerate()
        .map(|(row, label)| {
            usize::try_from(label).map_err(|_| DataProblem::Label { row, label }.of(path))
        })
        .collect()
}

/// An NPY file in memory.
struct Array<'a> {
    path: &'a Path,
    header: NpyHeader,
    shape: Vec<usize>,
    content: Vec<u8>,
}

impl<'a> Array<'a> {
    fn open(path: &'a Path) -> Result<Self, DataError> {
        let refuse = |problem: DataProblem| problem.of(path);
        let mut content =
            std::fs::read(path).map_err(|error| refuse(DataProblem::Unreadable(error)))?;
        let mut rest = content.as_slice();
        let header = npy_header(&mut rest).map_err(|error| refuse(DataProblem::NotNpy(error)))?;
        // Before anything is made of that size: are there as many bytes as the header announces?
        let size = header.dtype().num_bytes().and_then(|size| {
            let mut sizes = header.shape().iter();
            sizes.try_fold(size as u64, |product, &size| product.checked_mul(size))
        });
        if size != Some(rest.len() as u64) {
            return Err(refuse(DataProblem::NpySize {
                found: rest.len(),
                shape: header.shape().to_vec(),
                values: header.dtype().descr(),
            }));
        }
        content.drain(..content.len() - rest.len());
        let shape = header.shape().iter().map(|&size| size as usize).collect();
        Ok(Array { path, header, shape, content })
    }

    /// The type of the values, as NumPy writes it.
    fn kind(&self) -> String {
        self.header.dtype().descr().trim_matches('\'').to_owned()
    }

    /// The values row by row, if they are of this type.
    fn values<T: Deserialize + Copy>(&self) -> Result<Option<Vec<T>>, DataError> {
        let file = NpyFile::with_header(self.header.clone(), self.content.as_slice());
        let Ok(values) = file.try_data::<T>() else { return Ok(None) };
        let values = values
            .collect::<Result<Vec<T>, _>>()
            .map_err(|error| DataProblem::Unreadable(error).of(self.path))?;
        Ok(Some(match (self.header.order(), &self.shape[..]) {
            (Order::Fortran, &[rows, columns]) => (0..rows * columns)
                .map(|place| values[place % columns * rows + place / columns])
                .collect(),
            _ => values,
        }))
    }

    fn whole_numbers<T: Deserialize + Copy + Into<i128>>(&self) -> Result<Vec<i128>, DataError> {
        let values = self.values::<T>()?.unwrap_or_default();
        Ok(values.into_iter().map(Into::into).collect())
    }
}

#[cfg(test)]
mod tests;
