//! Where the samples of a training come from, as it stands in a file.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Deserializer, Serialize};

use super::mnist::{self, Resolution, Sizes};
use super::yin_yang::{self, YinYang};
use super::{Dataset, Scaling, TableSource, catalogue};
use crate::settings::{Check, Problem, Settings};

/// Where the samples come from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub enum DataSource {
    /// The Yin-Yang data set, generated.
    YinYang(YinYangSource),
    /// MNIST: handwritten digits, from its files.
    Mnist(MnistSource),
    /// Fashion-MNIST: images of clothes, from its files.
    FashionMnist(MnistSource),
    /// Tables of features and labels.
    File(Box<TableSource>),
}

/// The three sets of a data set.
#[derive(Clone, Debug)]
pub struct DataSets {
    /// What is learned from.
    pub training: Dataset,
    /// What an epoch may be chosen by.
    pub validation: Dataset,
    /// What the result is measured on.
    pub test: Dataset,
    /// Names of the classes.
    pub class_names: Vec<String>,
    /// Names of the features, if they have some.
    pub feature_names: Option<Vec<String>>,
    /// What the features were scaled by, if they were.
    pub scaling: Option<Scaling>,
    /// Whether the second half of the features are the complements of the first.
    pub complement: bool,
    /// The plane to draw, if the first two features are coordinates in one.
    pub plane: Option<YinYang>,
}

/// What is known of data from a training with others of their kind, so that it is not found anew.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Known {
    /// What the features are scaled by.
    pub scaling: Option<Scaling>,
    /// Names of the features, if they have some.
    pub feature_names: Option<Vec<String>>,
    /// Names of the classes.
    pub class_names: Option<Vec<String>>,
}

/// The Yin-Yang data set; the defaults are the published sets.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct YinYangSource {
    /// Radius of the dots. From 0.01 to 0.5 times `r_big`. Default: 0.1.
    pub r_small: f64,
    /// Radius of the disc. From 1e-6 to 1e6. Default: 0.5.
    pub r_big: f64,
    /// The training set. Default: 5000 samples of seed 42.
    #[serde(deserialize_with = "training")]
    #[cfg_attr(feature = "schema", schemars(with = "Given"))]
    pub training: GeneratedSet,
    /// The validation set. Default: 1000 samples of seed 41.
    #[serde(deserialize_with = "validation")]
    #[cfg_attr(feature = "schema", schemars(with = "Given"))]
    pub validation: GeneratedSet,
    /// The test set. Default: 1000 samples of seed 40.
    #[serde(deserialize_with = "test")]
    #[cfg_attr(feature = "schema", schemars(with = "Given"))]
    pub test: GeneratedSet,
}

/// A generated set of samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct GeneratedSet {
    /// Number of samples. From 1 to 10 million.
    pub size: usize,
    /// Seed of the generator.
    pub seed: u32,
}

/// MNIST or a set of the same form. `firstspike data fetch` gets the files.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct MnistSource {
    /// Pixels along each side of an image: 28 as they are, or 16, cropped and resized. In pixels. From 16 to 28,
    /// one of the two. Default: 28.
    pub size: usize,
    /// The folder with the four files. Default: where `firstspike data fetch` puts them, `data/mnist`
    /// or `data/fashion_mnist` in the working directory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub folder: Option<PathBuf>,
    /// Samples to learn from, the first ones. From 1 to 50000. Default: all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub training: Option<usize>,
    /// Samples to validate with, the first of the last 10,000 for training. From 1 to 10000. Default: all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub validation: Option<usize>,
    /// Samples to test with, the first ones. From 1 to 10000. Default: all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub test: Option<usize>,
}

impl Default for YinYangSource {
    fn default() -> Self {
        let YinYang { r_small, r_big } = YinYang::default();
        YinYangSource {
            r_small,
            r_big,
            training: GeneratedSet { size: 5000, seed: 42 },
            validation: GeneratedSet { size: 1000, seed: 41 },
            test: GeneratedSet { size: 1000, seed: 40 },
        }
    }
}

impl Default for MnistSource {
    fn default() -> Self {
        MnistSource { size: 28, folder: None, training: None, validation: None, test: None }
    }
}

/// A generated set of samples, as it is written.
#[derive(Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "GeneratedSet"))]
#[serde(deny_unknown_fields)]
struct Given {
    /// Number of samples. From 1 to 10000000. Default: as in the published set.
    size: Option<usize>,
    /// Seed of the generator. From 0. Default: as in the published set.
    seed: Option<u32>,
}

/// Reads a generated set; what is left out is as in the published set.
fn generated<'de, D: Deserializer<'de>>(
    published: GeneratedSet,
    deserializer: D,
) -> Result<GeneratedSet, D::Error> {
    let Given { size, seed } = Given::deserialize(deserializer)?;
    Ok(GeneratedSet { size: size.unwrap_or(published.size), seed: seed.unwrap_or(published.seed) })
}

fn training<'de, D: Deserializer<'de>>(deserializer: D) -> Result<GeneratedSet, D::Error> {
    generated(YinYangSource::default().training, deserializer)
}

fn validation<'de, D: Deserializer<'de>>(deserializer: D) -> Result<GeneratedSet, D::Error> {
    generated(YinYangSource::default().validation, deserializer)
}

fn test<'de, D: Deserializer<'de>>(deserializer: D) -> Result<GeneratedSet, D::Error> {
    generated(YinYangSource::default().test, deserializer)
}

impl DataSource {
    /// What messages call it.
    pub fn title(&self) -> &'static str {
        match self {
            DataSource::YinYang(_) => "the Yin-Yang data set",
            DataSource::Mnist(_) => "MNIST",
            DataSource::FashionMnist(_) => "Fashion-MNIST",
            DataSource::File(_) => "the data set",
        }
    }

    /// Number of classes, if it is known without reading a file.
    pub fn class_count(&self) -> Option<usize> {
        match self {
            DataSource::YinYang(_) => Some(yin_yang::CLASS_NAMES.len()),
            DataSource::Mnist(_) | DataSource::FashionMnist(_) => Some(mnist::CLASS_COUNT),
            DataSource::File(tables) => {
                tables.class_names.as_ref().map(Vec::len).or(tables.classes)
            }
        }
    }

    /// Whether the samples are images, which can be distorted.
    pub fn has_images(&self) -> bool {
        match self {
            DataSource::Mnist(_) | DataSource::FashionMnist(_) => true,
            DataSource::File(tables) => tables.image.is_some() || tables.reads_idx(),
            DataSource::YinYang(_) => false,
        }
    }

    /// Whether the features are spike times already.
    pub fn has_spike_times(&self) -> bool {
        matches!(self, DataSource::File(tables) if tables.spike_times)
    }

    /// The files and folders that are named, with their keys.
    pub fn files_mut(&mut self) -> Vec<(String, &mut PathBuf)> {
        match self {
            DataSource::YinYang(_) => Vec::new(),
            DataSource::Mnist(source) => {
                source.folder.iter_mut().map(|path| ("mnist.folder".to_owned(), path)).collect()
            }
            DataSource::FashionMnist(source) => {
                let key = || "fashion_mnist.folder".to_owned();
                source.folder.iter_mut().map(|path| (key(), path)).collect()
            }
            DataSource::File(tables) => tables.files_mut(),
        }
    }

    /// The files that the samples are read from, as far as they are there.
    pub fn files(&self) -> Vec<PathBuf> {
        match self {
            DataSource::Mnist(source) | DataSource::FashionMnist(source) => {
                source.folder.as_deref().map(mnist::files).unwrap_or_default()
            }
            other => {
                let mut other = other.clone();
                other.files_mut().into_iter().map(|(_, file)| file.clone()).collect()
            }
        }
    }

    /// Makes a folder that nobody named the one that `data fetch` uses.
    pub fn fill_in_folder(&mut self) {
        let (source, usual) = match self {
            DataSource::Mnist(source) => (source, catalogue::mnist().folder),
            DataSource::FashionMnist(source) => (source, catalogue::fashion_mnist().folder),
            _ => return,
        };
        source.folder.get_or_insert_with(|| std::path::absolute(&usual).unwrap_or(usual));
    }

    /// Reads or generates the samples. Of tables, what is known is not found anew.
    ///
    /// # Errors
    /// If a file cannot be read or does not fit; the key says which.
    pub fn load(&self, known: Option<&Known>) -> Result<DataSets, Problem> {
        match self {
            DataSource::YinYang(source) => Ok(source.generate()),
            DataSource::Mnist(source) => {
                let names = (0..mnist::CLASS_COUNT).map(|digit| digit.to_string());
                source.load(("mnist", "mnist"), names.collect())
            }
            DataSource::FashionMnist(source) => {
                let names = mnist::FASHION_CLASS_NAMES.map(str::to_owned);
                source.load(("fashion_mnist", "fashion-mnist"), names.to_vec())
            }
            DataSource::File(source) => source.load(known),
        }
    }
}

impl Settings for DataSource {
    fn check(&self, check: &mut Check<'_>) {
        match self {
            DataSource::YinYang(source) => check.settings("yin_yang", source),
            DataSource::Mnist(source) => check.settings("mnist", source),
            DataSource::FashionMnist(source) => check.settings("fashion_mnist", source),
            DataSource::File(source) => check.settings("file", source.as_ref()),
        }
    }
}

impl YinYangSource {
    fn figure(&self) -> YinYang {
        YinYang { r_small: self.r_small, r_big: self.r_big }
    }

    fn generate(&self) -> DataSets {
        let figure = self.figure();
        let generate = |set: GeneratedSet| Dataset::from(figure.generate(set.seed, set.size));
        DataSets {
            training: generate(self.training),
            validation: generate(self.validation),
            test: generate(self.test),
            class_names: yin_yang::CLASS_NAMES.map(str::to_owned).to_vec(),
            feature_names: None,
            scaling: None,
            complement: false,
            plane: Some(figure),
        }
    }
}

impl Settings for YinYangSource {
    fn check(&self, check: &mut Check<'_>) {
        if let Err(error) = self.figure().check() {
            check.refuse("", error.to_string());
        }
        let sets =
            [("training", self.training), ("validation", self.validation), ("test", self.test)];
        for (name, set) in sets {
            check.range(format!("{name}.size"), set.size, 1..=10_000_000, "from 1 to 10000000");
        }
    }
}

impl MnistSource {
    /// The sets from their files; `key` and `name` are what scenarios and the catalogue call the data.
    fn load(
        &self,
        (key, name): (&str, &str),
        class_names: Vec<String>,
    ) -> Result<DataSets, Problem> {
        let folder = self.folder.as_deref().unwrap_or(Path::new(""));
        let resolution = if self.size == 16 { Resolution::Reduced } else { Resolution::Full };
        let sizes = Sizes { training: self.training, validation: self.validation, test: self.test };
        let sets = mnist::load(folder, resolution, sizes).map_err(|error| {
            let missing = !error.path.exists();
            let advice = if missing {
                format!(
                    "\n  get it with `firstspike data fetch {name}`, or say where it is with \
                     dataset.{key}.folder"
                )
            } else {
                String::new()
            };
            Problem { key: key.to_owned(), message: format!("{error}{advice}") }
        })?;
        let mnist::Sets { training, validation, test } = sets;
        Ok(DataSets {
            training,
            validation,
            test,
            class_names,
            feature_names: None,
            scaling: None,
            complement: false,
            plane: None,
        })
    }
}

impl Settings for MnistSource {
    fn check(&self, check: &mut Check<'_>) {
        let size = self.size;
        check.require(matches!(size, 16 | 28), "size", || format!("{size} must be 28 or 16"));
        let sizes = [
            ("training", self.training, 50_000),
            ("validation", self.validation, 10_000),
            ("test", self.test, 10_000),
        ];
        for (name, size, most) in sizes {
            if let Some(size) = size {
                check.range(name, size, 1..=most, &format!("from 1 to {most}"));
            }
        }
    }
}
