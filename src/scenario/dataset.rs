//! Data sets and their encoding as a scenario states them.

use std::path::PathBuf;

use serde::{Deserialize, Deserializer, Serialize};

/// Samples to learn from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub enum DatasetSpec {
    /// The Yin-Yang data set, generated.
    YinYang(YinYangSpec),
    /// MNIST: handwritten digits, from its files.
    Mnist(MnistSpec),
    /// Fashion-MNIST: images of clothes, from its files.
    FashionMnist(MnistSpec),
    /// Tables of features and labels.
    File(FileSpec),
}

/// The Yin-Yang data set; the defaults are the published sets.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct YinYangSpec {
    /// Radius of the dots.
    pub r_small: f64,
    /// Radius of the disc.
    pub r_big: f64,
    /// The training set.
    #[serde(deserialize_with = "training_subset")]
    pub training: SubsetSpec,
    /// The validation set.
    #[serde(deserialize_with = "validation_subset")]
    pub validation: SubsetSpec,
    /// The test set.
    #[serde(deserialize_with = "test_subset")]
    pub test: SubsetSpec,
}

impl Default for YinYangSpec {
    fn default() -> Self {
        YinYangSpec {
            r_small: 0.1,
            r_big: 0.5,
            training: SubsetSpec { size: 5000, seed: 42 },
            validation: SubsetSpec { size: 1000, seed: 41 },
            test: SubsetSpec { size: 1000, seed: 40 },
        }
    }
}

/// A generated set of samples.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct SubsetSpec {
    /// Number of samples.
    pub size: usize,
    /// Seed of the generator.
    pub seed: u32,
}

/// A set of samples of which a scenario may leave out parts.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PartialSubset {
    size: Option<usize>,
    seed: Option<u32>,
}

/// Reads a set of samples; what is left out is as in the published set.
fn subset<'de, D: Deserializer<'de>>(
    published: SubsetSpec,
    deserializer: D,
) -> Result<SubsetSpec, D::Error> {
    let given = PartialSubset::deserialize(deserializer)?;
    Ok(SubsetSpec {
        size: given.size.unwrap_or(published.size),
        seed: given.seed.unwrap_or(published.seed),
    })
}

fn training_subset<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SubsetSpec, D::Error> {
    subset(YinYangSpec::default().training, deserializer)
}

fn validation_subset<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SubsetSpec, D::Error> {
    subset(YinYangSpec::default().validation, deserializer)
}

fn test_subset<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SubsetSpec, D::Error> {
    subset(YinYangSpec::default().test, deserializer)
}

/// MNIST or a set of the same form. `firstspike data fetch` gets the files.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MnistSpec {
    /// Pixels along each side of an image: 28 as they are, or 16, cropped and resized.
    pub size: usize,
    /// The folder with the four files, relative to the scenario's; by default `data/mnist` or
    /// `data/fashion_mnist` in the working directory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub folder: Option<PathBuf>,
    /// Samples to learn from, the first ones; by default all 50,000.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub training: Option<usize>,
    /// Samples to validate with, the first of the last 10,000 for training; by default all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub validation: Option<usize>,
    /// Samples to test with, the first ones; by default all 10,000.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub test: Option<usize>,
}

impl Default for MnistSpec {
    fn default() -> Self {
        MnistSpec { size: 28, folder: None, training: None, validation: None, test: None }
    }
}

/// Tables of features, with a label for each row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileSpec {
    /// What is learned from.
    pub training: TableSpec,
    /// What an epoch may be chosen by.
    pub validation: ValidationSpec,
    /// What the result is measured on.
    pub test: TableSpec,
    /// Whether the features are spike times, in the scenario's unit, and are used as they are.
    #[serde(default)]
    pub spike_times: bool,
    /// Number of classes; by default one more than the largest label.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub classes: Option<usize>,
}

/// A table of features and labels. Files are relative to the scenario's folder.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub enum TableSpec {
    /// A CSV file with a header: the column `label`, and a column for each feature.
    Csv(PathBuf),
    /// Two NPY files.
    Npy {
        /// A row for each sample and a column for each feature.
        features: PathBuf,
        /// A label for each sample.
        labels: PathBuf,
    },
}

/// Where the validation set is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub enum ValidationSpec {
    /// The last so many samples of the training table, which are then not learned from.
    Last(usize),
    /// A CSV file, as for [`TableSpec`].
    Csv(PathBuf),
    /// Two NPY files, as for [`TableSpec`].
    Npy {
        /// A row for each sample and a column for each feature.
        features: PathBuf,
        /// A label for each sample.
        labels: PathBuf,
    },
}

impl DatasetSpec {
    /// The files that are named.
    pub(super) fn files_mut(&mut self) -> Vec<&mut PathBuf> {
        match self {
            DatasetSpec::YinYang(_) => Vec::new(),
            DatasetSpec::Mnist(spec) | DatasetSpec::FashionMnist(spec) => {
                spec.folder.iter_mut().collect()
            }
            DatasetSpec::File(FileSpec { training, validation, test, .. }) => {
                let mut files = match validation {
                    ValidationSpec::Last(_) => Vec::new(),
                    ValidationSpec::Csv(path) => vec![path],
                    ValidationSpec::Npy { features, labels } => vec![features, labels],
                };
                for table in [training, test] {
                    match table {
                        TableSpec::Csv(path) => files.push(path),
                        TableSpec::Npy { features, labels } => files.extend([features, labels]),
                    }
                }
                files
            }
        }
    }
}

/// How features become spike times.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EncodingSpec {
    /// Spike time of a feature of 0; inverted, of 1.
    pub earliest: f64,
    /// Spike time of a feature of 1; inverted, of 0.
    pub latest: f64,
    /// Whether large features spike early.
    #[serde(default)]
    pub inverted: bool,
    /// Whether a feature of exactly 0 does not spike.
    #[serde(default)]
    pub silent_zero: bool,
    /// How many sources each feature drives, with weights of their own: what makes up for a narrow
    /// range of weights. The sources of a feature follow each other.
    #[serde(default = "one")]
    pub copies: usize,
}

fn one() -> usize {
    1
}
