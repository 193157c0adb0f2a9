//! From a scenario's data set to samples in memory.

use std::path::Path;

use super::load::LoadedScenario;
use super::{
    DatasetSpec, FileSpec, MnistSpec, ScenarioError, SubsetSpec, TableSpec, ValidationSpec,
    YinYangSpec,
};
use crate::dataset::mnist::{self, Resolution, Sizes};
use crate::dataset::table::{Kind, Table};
use crate::dataset::yin_yang::{self, YinYang};
use crate::dataset::{DataError, Dataset, Encoding, LatencyEncoding};

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
    /// The plane to draw, if the first two features are coordinates in one.
    pub plane: Option<YinYang>,
}

impl LoadedScenario {
    /// The data sets, and how their features become spike times.
    pub(super) fn data_sets(&self) -> Result<(DataSets, Encoding), ScenarioError> {
        let Some(dataset) = &self.scenario.dataset else {
            return Err(self.problem("dataset", "[[layers]] need a data set"));
        };
        let data = match dataset {
            DatasetSpec::YinYang(spec) => yin_yang_sets(spec),
            DatasetSpec::Mnist(spec) => {
                let names = (0..mnist::CLASS_COUNT).map(|digit| digit.to_string());
                self.mnist_sets(spec, ("mnist", "mnist"), names.collect())?
            }
            DatasetSpec::FashionMnist(spec) => {
                let names = mnist::FASHION_CLASS_NAMES.map(str::to_owned);
                self.mnist_sets(spec, ("fashion_mnist", "fashion-mnist"), names.to_vec())?
            }
            DatasetSpec::File(spec) => self.table_sets(spec)?,
        };
        let encoding = match (dataset, self.scenario.encoding) {
            (DatasetSpec::File(FileSpec { spike_times: true, .. }), _) => Encoding::SpikeTimes,
            (_, Some(spec)) => Encoding::Latency(LatencyEncoding {
                earliest: spec.earliest,
                latest: spec.latest,
                inverted: spec.inverted,
                silent_zero: spec.silent_zero,
            }),
            (_, None) => return Err(self.problem("encoding", "a data set needs an [encoding]")),
        };
        Ok((data, encoding))
    }

    /// MNIST or Fashion-MNIST, by the names of the scenario and of the catalogue.
    fn mnist_sets(
        &self,
        spec: &MnistSpec,
        (key, name): (&str, &str),
        class_names: Vec<String>,
    ) -> Result<DataSets, ScenarioError> {
        let folder = spec.folder.as_deref().unwrap_or(Path::new(""));
        let resolution = if spec.size == 16 { Resolution::Reduced } else { Resolution::Full };
        let sizes = Sizes { training: spec.training, validation: spec.validation, test: spec.test };
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
            self.problem(&format!("dataset.{key}"), &format!("{error}{advice}"))
        })?;
        let mnist::Sets { training, validation, test } = sets;
        Ok(DataSets { training, validation, test, class_names, plane: None })
    }

    fn table_sets(&self, spec: &FileSpec) -> Result<DataSets, ScenarioError> {
        let kind = if spec.spike_times { Kind::SpikeTimes } else { Kind::Fractions };
        let wrap = |name: &str, error: DataError| {
            self.problem(&format!("dataset.file.{name}"), &error.to_string())
        };
        let table = |name: &str, table: &TableSpec| {
            let read = match table {
                TableSpec::Csv(path) => Table::read_csv(path, kind),
                TableSpec::Npy { features, labels } => Table::read_npy(features, labels, kind),
            };
            read.map_err(|error| wrap(name, error))
        };
        let mut training = table("training", &spec.training)?;
        let validation = match &spec.validation {
            ValidationSpec::Last(count) => {
                training.split_last(*count).map_err(|error| wrap("validation.last", error))?
            }
            ValidationSpec::Csv(path) => table("validation", &TableSpec::Csv(path.clone()))?,
            ValidationSpec::Npy { features, labels } => {
                let (features, labels) = (features.clone(), labels.clone());
                table("validation", &TableSpec::Npy { features, labels })?
            }
        };
        let test = table("test", &spec.test)?;
        for (name, table) in [("validation", &validation), ("test", &test)] {
            table.check_columns(&training).map_err(|error| wrap(name, error))?;
        }
        let tables = [&training, &validation, &test];
        let largest = tables.iter().map(|table| table.largest_label()).max().unwrap_or(0);
        let classes = spec.classes.unwrap_or(largest.saturating_add(1));
        for (name, table) in [("training", &training), ("validation", &validation), ("test", &test)]
        {
            table.check_labels(classes).map_err(|error| wrap(name, error))?;
        }
        let labels = self.scenario.layers.last().map_or(0, |layer| layer.size);
        if classes != labels {
            let message = format!(
                "{labels} label neurons, but the data set has {classes} classes (labels up to \
                 {largest})"
            );
            let key = format!("layers.{}.size", self.scenario.layers.len().saturating_sub(1));
            return Err(self.problem(&key, &message));
        }
        Ok(DataSets {
            training: training.into_dataset(classes),
            validation: validation.into_dataset(classes),
            test: test.into_dataset(classes),
            class_names: (0..classes).map(|class| class.to_string()).collect(),
            plane: None,
        })
    }
}

fn yin_yang_sets(spec: &YinYangSpec) -> DataSets {
    let generator = YinYang { r_small: spec.r_small, r_big: spec.r_big };
    let generate = |subset: SubsetSpec| Dataset::from(generator.generate(subset.seed, subset.size));
    DataSets {
        training: generate(spec.training),
        validation: generate(spec.validation),
        test: generate(spec.test),
        class_names: yin_yang::CLASS_NAMES.iter().map(|&name| name.to_owned()).collect(),
        plane: Some(generator),
    }
}
