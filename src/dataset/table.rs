//! Features and labels from tables: a table of text, or two NPY or IDX files.
//!
//! Features are fractions from 0 to 1; numbers of any range, which a [`Scaling`] makes fractions; or, if they
//! are to be used as they are, spike times. Bytes in NPY and IDX files, the usual form of images, stand for their
//! 255th as fractions. Labels are whole numbers or words.

mod csv;
mod labels;
mod npy;

use std::path::{Path, PathBuf};

use rand::seq::SliceRandom;

pub use csv::Columns;
pub(super) use csv::{DECIMAL_COMMA, has_decimal_comma};
use labels::Labels;
pub use labels::{Classes, list};

use super::{DataError, DataProblem, Dataset, Features, ImageShape, SampleKind, Scaling, idx};
use crate::random;
use crate::settings::MOST;

/// What features are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Numbers from 0 to 1.
    Fractions,
    /// Numbers of any range, up to 1e100 in size, to be scaled.
    Numbers,
    /// Times, not negative; infinity (or nothing, in a CSV file) for no spike.
    SpikeTimes,
}

impl Kind {
    fn accepts(self, value: f64) -> bool {
        match self {
            Kind::Fractions => (0.0..=1.0).contains(&value),
            Kind::Numbers => value.abs() <= MOST,
            Kind::SpikeTimes => value >= 0.0,
        }
    }

    fn accepted(self) -> &'static str {
        match self {
            Kind::Fractions => {
                "a feature must be a number from 0 to 1; for other ranges give dataset.file.scaling \
                 = \"range\""
            }
            Kind::Numbers => {
                "a feature must be a number, at most 1e100 in size; columns of words go to \
                 dataset.file.leave_out"
            }
            Kind::SpikeTimes => "a spike time must be a number, not negative, or inf for no spike",
        }
    }
}

/// A table in memory: a row of features per sample, and a label unless there are none.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    features: Values,
    /// One per sample, or none at all.
    labels: Labels,
    feature_count: usize,
    samples: usize,
    /// What the features are called, if they have names.
    columns: Option<Vec<String>>,
    /// How features lie in an image, if the file says so.
    image: Option<ImageShape>,
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
    /// Reads two IDX files, the format of MNIST: bytes of images or rows, and a label for each.
    ///
    /// # Errors
    /// If a file cannot be read or is no such file, or they have different numbers of samples.
    pub fn read_idx(features: &Path, labels: Option<&Path>, kind: Kind) -> Result<Self, DataError> {
        let images = idx::read(features, 3).or_else(|error| match error.problem {
            DataProblem::NotIdx { found: 0x0802, .. } => idx::read(features, 2),
            _ => Err(error),
        })?;
        let shape = images.dimensions;
        let (samples, feature_count) = (shape[0], shape[1..].iter().product());
        if samples == 0 || feature_count == 0 {
            return Err(DataProblem::NoValues { shape }.of(features));
        }
        let image = match shape[1..] {
            [height, width] => Some(ImageShape { width, height }),
            _ => None,
        };
        let texts = match labels {
            Some(labels) => idx::read(labels, 1)?.bytes.iter().map(u8::to_string).collect(),
            None => Labels::default(),
        };
        let divisor = if kind == Kind::Fractions { 255.0 } else { 1.0 };
        let values = Values::Bytes(images.bytes, divisor);
        let table = Table {
            features: values,
            labels: texts,
            feature_count,
            samples,
            columns: None,
            image,
            paths: (features.to_owned(), labels.unwrap_or(features).to_owned()),
        };
        table.with_a_label_each(SampleKind::Image)
    }

    /// The table, if it has as many labels as samples, or none.
    fn with_a_label_each(self, kind: SampleKind) -> Result<Self, DataError> {
        let (labels, samples) = (self.labels.len(), self.samples);
        if labels == samples || self.paths.0 == self.paths.1 {
            return Ok(self);
        }
        let features = self.paths.0;
        Err(DataProblem::LabelCount { labels, features, samples, kind }.of(self.paths.1))
    }

    /// Number of samples.
    pub fn len(&self) -> usize {
        self.samples
    }

    /// Whether there are no samples.
    pub fn is_empty(&self) -> bool {
        self.samples == 0
    }

    /// Whether the samples have labels.
    pub fn has_labels(&self) -> bool {
        self.labels.len() == self.samples
    }

    /// Whether every label is one of these.
    pub fn has_only(&self, names: &[String]) -> bool {
        self.labels.different().iter().all(|label| names.iter().any(|name| name == label))
    }

    /// Features per sample.
    pub fn feature_count(&self) -> usize {
        self.feature_count
    }

    /// What the features are called, if they have names.
    pub fn columns(&self) -> Option<&[String]> {
        self.columns.as_deref()
    }

    /// How features lie in an image, if the file says so.
    pub fn image(&self) -> Option<ImageShape> {
        self.image
    }

    /// The features, row by row.
    pub fn numbers(&self) -> Vec<f64> {
        match &self.features {
            Values::Real(values) => values.clone(),
            Values::Bytes(values, divisor) => {
                values.iter().map(|&value| f64::from(value) / divisor).collect()
            }
        }
    }

    /// Scales the features, which become fractions.
    pub fn scale(&mut self, scaling: &Scaling) {
        let mut values = self.numbers();
        scaling.apply(&mut values);
        self.features = Values::Real(values);
    }

    /// Puts the complements of a sample's features, one minus each, behind them. They have no names of their own.
    pub fn complement(&mut self) {
        let columns = self.feature_count;
        let with_complements = |row: &[f64]| {
            let complements = row.iter().map(|value| 1.0 - value);
            row.iter().copied().chain(complements).collect::<Vec<_>>()
        };
        let values = self.numbers();
        self.features = Values::Real(values.chunks(columns).flat_map(with_complements).collect());
        self.feature_count = 2 * columns;
    }

    /// Takes the last `count` samples away, as a table of their own.
    ///
    /// # Errors
    /// If none would be left.
    pub fn split_last(&mut self, count: usize) -> Result<Table, DataError> {
        let Some(first) = self.samples.checked_sub(count).filter(|&first| first > 0) else {
            let problem = DataProblem::NothingLeft { samples: self.samples, asked: count };
            return Err(problem.of(&self.paths.1));
        };
        let start = first * self.feature_count;
        let features = match &mut self.features {
            Values::Real(values) => Values::Real(values.split_off(start)),
            Values::Bytes(values, divisor) => Values::Bytes(values.split_off(start), *divisor),
        };
        self.samples = first;
        Ok(Table { features, labels: self.labels.split_off(first), samples: count, ..self.alike() })
    }

    /// Takes a share of the samples of each class away, at random, as a table of their own. Both stay in
    /// order. `purpose` and `seed` are those of the random stream.
    ///
    /// # Errors
    /// If there are fewer than two samples.
    pub fn split_share(
        &mut self,
        share: f64,
        purpose: &'static str,
        seed: u64,
    ) -> Result<Table, DataError> {
        if self.samples < 2 {
            let problem = DataProblem::NothingLeft { samples: self.samples, asked: 1 };
            return Err(problem.of(&self.paths.1));
        }
        // Class by class, each shuffled: every k-th of this order has a like share of each class.
        let mut order: Vec<usize> = (0..self.samples).collect();
        order.shuffle(&mut random::stream(seed, purpose, 0));
        order.sort_by_key(|&sample| self.labels.text(sample));
        let taken = (share * self.samples as f64).round().clamp(1.0, self.samples as f64 - 1.0);
        let is_taken = |place: usize| {
            let so_far = |place: usize| (place as f64 * taken / self.samples as f64).round();
            so_far(place + 1) > so_far(place)
        };
        let (mut left, mut away) = (Vec::new(), Vec::new());
        for (place, &sample) in order.iter().enumerate() {
            if is_taken(place) { away.push(sample) } else { left.push(sample) }
        }
        left.sort_unstable();
        away.sort_unstable();
        let split = self.pick(&away);
        *self = self.pick(&left);
        Ok(split)
    }

    /// A table of these samples.
    fn pick(&self, samples: &[usize]) -> Table {
        fn rows<T: Copy>(values: &[T], samples: &[usize], columns: usize) -> Vec<T> {
            let row = |&sample: &usize| &values[sample * columns..(sample + 1) * columns];
            samples.iter().flat_map(row).copied().collect()
        }
        let features = match &self.features {
            Values::Real(values) => Values::Real(rows(values, samples, self.feature_count)),
            Values::Bytes(values, divisor) => {
                Values::Bytes(rows(values, samples, self.feature_count), *divisor)
            }
        };
        let labels = self.labels.pick(samples);
        Table { features, labels, samples: samples.len(), ..self.alike() }
    }

    /// A table without samples that is otherwise like this.
    fn alike(&self) -> Table {
        Table {
            features: Values::Real(Vec::new()),
            labels: Labels::default(),
            feature_count: self.feature_count,
            samples: 0,
            columns: self.columns.clone(),
            image: self.image,
            paths: self.paths.clone(),
        }
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

    /// The table as a data set of these classes; of class 0 if it has no labels. As an image, features are
    /// kept in 256 shades.
    ///
    /// # Errors
    /// If a label is none of the classes.
    pub fn into_dataset(
        self,
        classes: &Classes,
        image: Option<ImageShape>,
    ) -> Result<Dataset, DataError> {
        let labels = if self.has_labels() {
            classes.assign(&self.labels, &self.paths.1)?
        } else {
            vec![0; self.samples]
        };
        let image = image.or(self.image);
        let shade = |value: &f64| (255.0 * value).round() as u8;
        Ok(Dataset {
            features: match self.features {
                Values::Real(values) if image.is_some() => {
                    Features::Bytes { values: values.iter().map(shade).collect(), divisor: 255.0 }
                }
                Values::Real(values) => Features::Real(values.into()),
                Values::Bytes(values, divisor) => {
                    Features::Bytes { values: values.into(), divisor }
                }
            },
            labels: labels.into(),
            feature_count: self.feature_count,
            class_count: classes.names().len(),
            image,
        })
    }
}

#[cfg(test)]
mod tests;
