//! Features and labels from NPY files.

use std::path::Path;

use npyz::{Deserialize, Order};

use super::super::{DataError, DataProblem, ImageShape, SampleKind};
use super::labels::Labels;
use super::{Kind, Table, Values};
use crate::table::NpyArray;

/// What to say of a value that is not a number.
const MISSING: &str = "there is no value: fill it in, or leave the row out";

impl Table {
    /// Reads two NPY files: one with a row of features (or an image) per sample, of `float64`, `float32` or
    /// `uint8`, and one with a label per sample, of any type of whole numbers.
    ///
    /// # Errors
    /// If a file cannot be read, has another shape or type, or a value that does not fit; with its
    /// row and column, from 0.
    pub fn read_npy(features: &Path, labels: Option<&Path>, kind: Kind) -> Result<Self, DataError> {
        let refuse = |problem: DataProblem| problem.of(features);
        let array = Array::open(features)?;
        let (rows, columns, image) = match array.shape[..] {
            [rows, columns] => (rows, columns, None),
            [rows, height, width] => (rows, height * width, Some(ImageShape { width, height })),
            _ => return Err(refuse(DataProblem::FeatureShape { shape: array.shape })),
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
            return Err(refuse(DataProblem::FeatureType { found: array.file.kind() }));
        };
        if let Values::Real(values) = &values
            && let Some(place) = values.iter().position(|&value| !kind.accepts(value))
        {
            let (row, column) = (place / columns, place % columns);
            let value = values[place];
            let accepted = if value.is_nan() { MISSING } else { kind.accepted() };
            return Err(refuse(DataProblem::Feature { row, column, value, accepted }));
        }
        let table = Table {
            features: values,
            labels: labels.map(read_labels).transpose()?.unwrap_or_default(),
            feature_count: columns,
            samples: rows,
            columns: None,
            image,
            paths: (features.to_owned(), labels.unwrap_or(features).to_owned()),
        };
        table.with_a_label_each(SampleKind::Row)
    }
}

/// The labels in an NPY file.
fn read_labels(path: &Path) -> Result<Labels, DataError> {
    let array = Array::open(path)?;
    if array.shape.len() != 1 {
        return Err(DataProblem::LabelShape { shape: array.shape }.of(path));
    }
    let labels = match array.file.kind().trim_start_matches(['<', '>', '|', '=']) {
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
    Ok(labels.iter().map(i128::to_string).collect())
}

/// An NPY file in memory, and its shape.
struct Array<'a> {
    path: &'a Path,
    file: NpyArray,
    shape: Vec<usize>,
}

impl<'a> Array<'a> {
    fn open(path: &'a Path) -> Result<Self, DataError> {
        let file = NpyArray::read(path).map_err(|problem| DataProblem::Npy(problem).of(path))?;
        let shape = file.header.shape().iter().map(|&size| size as usize).collect();
        Ok(Array { path, file, shape })
    }

    /// The values row by row, if they are of this type.
    fn values<T: Deserialize + Copy>(&self) -> Result<Option<Vec<T>>, DataError> {
        let Some(values) = self.file.values::<T>() else { return Ok(None) };
        let values = values
            .collect::<Result<Vec<T>, _>>()
            .map_err(|error| DataProblem::Unreadable(error).of(self.path))?;
        Ok(Some(match (self.file.header.order(), &self.shape[..]) {
            (Order::Fortran, &[rows, columns]) => (0..rows * columns)
                .map(|place| values[place % columns * rows + place / columns])
                .collect(),
            (Order::Fortran, &[rows, height, width]) => (0..rows * height * width)
                .map(|place| {
                    let (row, pixel) = (place / (height * width), place % (height * width));
                    values[row + rows * (pixel / width + height * (pixel % width))]
                })
                .collect(),
            _ => values,
        }))
    }

    fn whole_numbers<T: Deserialize + Copy + Into<i128>>(&self) -> Result<Vec<i128>, DataError> {
        let values = self.values::<T>()?.unwrap_or_default();
        Ok(values.into_iter().map(Into::into).collect())
    }
}
