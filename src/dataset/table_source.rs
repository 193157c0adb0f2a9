//! Tables of a user's own as a data set: which files and columns, which labels, what scaling, what split.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::table::{Classes, Columns, Kind, Table, list};
use super::{DataError, DataSets, ImageShape, Known, ScalingRule};
use crate::network::LARGEST_SIZE;
use crate::settings::{Check, Problem, Settings};

/// Tables of features, with a label for each row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct TableSource {
    /// What is learned from.
    pub training: TableFiles,
    /// What an epoch may be chosen by. Default: `share = 0.05`.
    #[serde(default = "a_twentieth")]
    pub validation: HeldOutFiles,
    /// What the result is measured on. Default: `share = 0.2`.
    #[serde(default = "a_fifth")]
    pub test: HeldOutFiles,
    /// Seed of what is drawn for a share. From 0. Default: 1.
    #[serde(default = "one")]
    pub split_seed: u64,
    /// Name of the column of labels in CSV files. Default: `label`.
    #[serde(default = "label", skip_serializing_if = "is_label")]
    pub label: String,
    /// Names of the columns of features in CSV files, in the order of the network's inputs. Default: all but
    /// `label` and `leave_out`, as they stand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub features: Option<Vec<String>>,
    /// Names of columns in CSV files that are no features. Default: none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub leave_out: Vec<String>,
    /// What features are scaled by. Default: `none`, they are numbers from 0 to 1.
    #[serde(default)]
    pub scaling: ScalingRule,
    /// Whether one minus each feature is a feature, too, behind the others. A feature spikes the later the larger it
    /// is, its complement the earlier: large values are early there. Default: false.
    #[serde(default)]
    pub complement: bool,
    /// Width and height if the features are the pixels of an image, row by row; they are then kept in 256
    /// shades. Default: what the file says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<ImageShape>,
    /// Whether the features are spike times, in time units, and are used as they are.
    #[serde(default)]
    pub spike_times: bool,
    /// Number of classes. From 1 to 10000000. Default: one more than the largest label, or as many as there are words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub classes: Option<usize>,
    /// The labels, in the order of the label neurons. Default: 0, 1, … if all labels are whole numbers from 0,
    /// else the training set's, sorted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class_names: Option<Vec<String>>,
}

fn a_twentieth() -> HeldOutFiles {
    HeldOutFiles::Share(0.05)
}

fn a_fifth() -> HeldOutFiles {
    HeldOutFiles::Share(0.2)
}

fn one() -> u64 {
    1
}

fn label() -> String {
    "label".to_owned()
}

fn is_label(name: &str) -> bool {
    name == "label"
}

/// The files of a table of features and labels.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub enum TableFiles {
    /// A CSV file with a header: a column of labels, and a column for each feature.
    Csv(PathBuf),
    /// Two NPY files.
    Npy {
        /// A row or an image for each sample.
        features: PathBuf,
        /// A label for each sample.
        labels: PathBuf,
    },
    /// Two IDX files, as MNIST's.
    Idx {
        /// A row or an image for each sample.
        features: PathBuf,
        /// A label for each sample.
        labels: PathBuf,
    },
}

/// Where a set is that is not learned from: a part of the training table, or in files of its own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub enum HeldOutFiles {
    /// The last so many samples of the training table. At least 1. (The test set is taken away first.)
    Last(usize),
    /// This share of the training table, drawn at random from each class; for the validation set, of what the test
    /// set leaves of it. Above 0, below 1.
    Share(f64),
    /// A CSV file, as for `training`.
    Csv(PathBuf),
    /// Two NPY files, as for `training`.
    Npy {
        /// A row or an image for each sample.
        features: PathBuf,
        /// A label for each sample.
        labels: PathBuf,
    },
    /// Two IDX files, as for `training`.
    Idx {
        /// A row or an image for each sample.
        features: PathBuf,
        /// A label for each sample.
        labels: PathBuf,
    },
}

impl HeldOutFiles {
    /// The table, from its files or taken away from another.
    fn take(
        &self,
        training: &mut Table,
        (purpose, seed): (&'static str, u64),
        read: impl FnOnce(&TableFiles) -> Result<Table, DataError>,
    ) -> Result<Table, (&'static str, DataError)> {
        let files = match self.clone() {
            HeldOutFiles::Last(count) => {
                return training.split_last(count).map_err(|error| (".last", error));
            }
            HeldOutFiles::Share(share) => {
                let split = training.split_share(share, purpose, seed);
                return split.map_err(|error| (".share", error));
            }
            HeldOutFiles::Csv(path) => TableFiles::Csv(path),
            HeldOutFiles::Npy { features, labels } => TableFiles::Npy { features, labels },
            HeldOutFiles::Idx { features, labels } => TableFiles::Idx { features, labels },
        };
        read(&files).map_err(|error| ("", error))
    }

    fn files_mut(&mut self) -> Vec<(&'static str, &mut PathBuf)> {
        match self {
            HeldOutFiles::Last(_) | HeldOutFiles::Share(_) => Vec::new(),
            HeldOutFiles::Csv(path) => vec![("csv", path)],
            HeldOutFiles::Npy { features, labels } => {
                vec![("npy.features", features), ("npy.labels", labels)]
            }
            HeldOutFiles::Idx { features, labels } => {
                vec![("idx.features", features), ("idx.labels", labels)]
            }
        }
    }
}

impl TableFiles {
    fn files_mut(&mut self) -> Vec<(&'static str, &mut PathBuf)> {
        match self {
            TableFiles::Csv(path) => vec![("csv", path)],
            TableFiles::Npy { features, labels } => {
                vec![("npy.features", features), ("npy.labels", labels)]
            }
            TableFiles::Idx { features, labels } => {
                vec![("idx.features", features), ("idx.labels", labels)]
            }
        }
    }

    fn read(&self, kind: Kind, columns: Columns<'_>) -> Result<Table, DataError> {
        match self {
            TableFiles::Csv(path) => Table::read_csv(path, kind, columns),
            TableFiles::Npy { features, labels } => Table::read_npy(features, Some(labels), kind),
            TableFiles::Idx { features, labels } => Table::read_idx(features, Some(labels), kind),
        }
    }
}

impl TableSource {
    /// Tables with these files, and all else as it is by default.
    pub fn new(training: TableFiles) -> Self {
        TableSource {
            training,
            validation: a_twentieth(),
            test: a_fifth(),
            split_seed: one(),
            label: label(),
            features: None,
            leave_out: Vec::new(),
            scaling: ScalingRule::None,
            complement: false,
            image: None,
            spike_times: false,
            classes: None,
            class_names: None,
        }
    }

    /// What features are, before scaling.
    pub fn kind(&self) -> Kind {
        match (self.spike_times, self.scaling) {
            (true, _) => Kind::SpikeTimes,
            (false, ScalingRule::None) => Kind::Fractions,
            (false, _) => Kind::Numbers,
        }
    }

    /// Whether the training set is in IDX files, which say how images are shaped.
    pub(super) fn reads_idx(&self) -> bool {
        matches!(self.training, TableFiles::Idx { .. })
    }

    /// The files that are named, with their keys.
    pub(crate) fn files_mut(&mut self) -> Vec<(String, &mut PathBuf)> {
        let keyed = |set: &'static str, files: Vec<(&'static str, _)>| {
            files.into_iter().map(move |(part, file)| (format!("file.{set}.{part}"), file))
        };
        keyed("validation", self.validation.files_mut())
            .chain(keyed("training", self.training.files_mut()))
            .chain(keyed("test", self.test.files_mut()))
            .collect()
    }

    /// Reads the tables. What is known is not found anew.
    ///
    /// # Errors
    /// If a file cannot be read or does not fit; the key says which.
    pub fn load(&self, known: Option<&Known>) -> Result<DataSets, Problem> {
        let known = known.cloned().unwrap_or_default();
        let wrap = |name: &str, error: DataError| Problem {
            key: format!("file.{name}"),
            message: error.to_string(),
        };
        let columns = Columns {
            label: &self.label,
            label_is_optional: false,
            features: self.features.as_deref().or(known.feature_names.as_deref()),
            leave_out: &self.leave_out,
        };
        // A scaling that is known makes fractions of any numbers.
        let kind = match (self.kind(), &known.scaling) {
            (Kind::Fractions, Some(_)) => Kind::Numbers,
            (kind, _) => kind,
        };
        let read = |files: &TableFiles| files.read(kind, columns);
        let mut training = read(&self.training).map_err(|error| wrap("training", error))?;
        let mut held_out = |name: &str, purpose, set: &HeldOutFiles| {
            set.take(&mut training, (purpose, self.split_seed), read)
                .map_err(|(part, error)| wrap(&format!("{name}{part}"), error))
        };
        let test = held_out("test", "test split", &self.test)?;
        let validation = held_out("validation", "validation split", &self.validation)?;
        for (name, table) in [("validation", &validation), ("test", &test)] {
            table.check_columns(&training).map_err(|error| wrap(name, error))?;
        }
        if let Some(ImageShape { width, height }) = self.image
            && width * height != training.feature_count()
        {
            let features = training.feature_count();
            let message = format!("{width} × {height} pixels, but there are {features} features");
            return Err(Problem { key: "file.image".to_owned(), message });
        }
        let classes = self.classes_of([&training, &validation, &test], &known)?;
        let found = || self.scaling.fit(&training.numbers(), training.feature_count());
        let scaling = known.scaling.filter(|_| !self.spike_times).or_else(found);
        if let Some(scaling) = &scaling
            && scaling.low.len() != training.feature_count()
        {
            let (expected, features) = (scaling.low.len(), training.feature_count());
            let message =
                format!("{features} features, but the network to start from has {expected}");
            return Err(Problem { key: "file.training".to_owned(), message });
        }
        let feature_names = training.columns().map(<[String]>::to_vec);
        let finish = |name: &str, mut table: Table| {
            scaling.iter().for_each(|scaling| table.scale(scaling));
            if self.complement {
                table.complement();
            }
            table.into_dataset(&classes, self.image).map_err(|error| wrap(name, error))
        };
        let (training, validation, test) = (
            finish("training", training)?,
            finish("validation", validation)?,
            finish("test", test)?,
        );
        Ok(DataSets {
            training,
            validation,
            test,
            class_names: classes.names().to_vec(),
            feature_names,
            scaling,
            complement: self.complement,
            plane: None,
        })
    }

    /// The classes, as they are given or found.
    fn classes_of(&self, tables: [&Table; 3], known: &Known) -> Result<Classes, Problem> {
        if let Some(names) = &self.class_names {
            return Ok(Classes::named(names));
        }
        // Other classes than the network had are a new task.
        if let Some(names) = &known.class_names
            && tables.iter().all(|table| table.has_only(names))
        {
            return Ok(Classes::named(names));
        }
        let found = Classes::of(&tables);
        let Some(count) = self.classes else { return Ok(found) };
        let numbered = Classes::numbered(found.names().len()) == found;
        if numbered {
            return Ok(Classes::numbered(count));
        }
        if found.names().len() != count {
            let (there, names) = (found.names().len(), list(found.names()));
            let message = format!("{count} classes, but the training set has {there}: {names}");
            return Err(Problem { key: "file.classes".to_owned(), message });
        }
        Ok(found)
    }
}

impl Settings for TableSource {
    fn check(&self, check: &mut Check<'_>) {
        if let Some(classes) = self.classes {
            check.size("classes", classes, LARGEST_SIZE);
        }
        if let Some(names) = &self.class_names {
            check.size("class_names", names.len(), LARGEST_SIZE);
            let unique: std::collections::HashSet<&String> = names.iter().collect();
            check.require(unique.len() == names.len(), "class_names", || {
                "a name is there twice: each class has its own".to_owned()
            });
            let count = self.classes.unwrap_or(names.len());
            check.require(count == names.len(), "classes", || {
                format!("{count}, but there are {} class_names", names.len())
            });
        }
        for (name, held_out) in [("validation", &self.validation), ("test", &self.test)] {
            match *held_out {
                HeldOutFiles::Last(count) => check.at_least_one(format!("{name}.last"), count),
                HeldOutFiles::Share(share) => {
                    check.require(share > 0.0 && share < 1.0, format!("{name}.share"), || {
                        format!("{share} must be above 0 and below 1")
                    });
                }
                _ => {}
            }
        }
        check.settings("scaling", &self.scaling);
        check.require(!(self.spike_times && self.scaling != ScalingRule::None), "scaling", || {
            "spike times are used as they are: leave out scaling".to_owned()
        });
        if let Some(ImageShape { width, height }) = self.image {
            check.size("image.width", width, LARGEST_SIZE);
            check.size("image.height", height, LARGEST_SIZE);
            check.require(!self.spike_times, "image", || {
                "an image has pixels, not spike times".to_owned()
            });
            check.require(!self.complement, "image", || {
                "an image has no complement: leave out one of them".to_owned()
            });
        }
        check.require(!(self.spike_times && self.complement), "complement", || {
            "spike times have no complement".to_owned()
        });
        check.require(self.features.is_none() || self.leave_out.is_empty(), "leave_out", || {
            "features are named one by one: leave out leave_out".to_owned()
        });
        check.require(self.features.as_ref().is_none_or(|it| !it.is_empty()), "features", || {
            "[] must name at least one column".to_owned()
        });
    }
}
