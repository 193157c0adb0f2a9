//! A trained network in use: the folder of a run opened again, to decide on new samples.

use std::path::{Path, PathBuf};
use std::time::Instant;

use super::network_file::{self, NetworkFileError};
use super::overlap::overlap;
use super::predictions::{Prediction, Predictions};
use super::recorded::check_populations;
use super::report::{Neurons, TestRecord};
use super::training_files::SpikeCounter;
use super::{RunError, RunFileError, RunIdentity, Subset};
use crate::chip::HardwareAccount;
use crate::dataset::table::{Classes, Kind};
use crate::dataset::{
    DataError, DataProblem, DataSets, DataSource, Dataset, Encoding, Features, NewSamples,
};
use crate::learning::{Diagnosis, FirstSpikes, Inference, MismatchError};
use crate::network::{LayerError, LayeredNetwork};
use crate::report::html::ReportData;
use crate::scenario::{LoadedScenario, Override, ScenarioError, ScenarioFile};

/// The folder of a training, opened to use its network.
#[derive(Debug)]
pub struct TrainedRun {
    folder: PathBuf,
    /// The scenario as it was trained.
    trained: LoadedScenario,
    /// The same, perhaps on another chip.
    loaded: LoadedScenario,
    network: LayeredNetwork,
    inference: Inference,
}

/// A network that cannot be used, or samples that do not fit it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrainedError {
    /// A file is missing.
    #[error(
        "{} has no {file}: it must be the folder of a training, as `firstspike run` leaves it",
        folder.display()
    )]
    Missing {
        /// The folder.
        folder: PathBuf,
        /// The file.
        file: &'static str,
    },
    /// The run did not train a network of layers.
    #[error("{} holds a simulation: only a network of [[layers]] decides", folder.display())]
    Simulation {
        /// The folder.
        folder: PathBuf,
    },
    /// There is no chip of which there could be individuals.
    #[error("{} was trained without a chip: an individual needs --chip FILE", folder.display())]
    NoChip {
        /// The folder.
        folder: PathBuf,
    },
    /// The scenario cannot be used.
    #[error(transparent)]
    Scenario(#[from] ScenarioError),
    /// The file of the network cannot be read.
    #[error(transparent)]
    Network(#[from] NetworkFileError),
    /// The network is none of layers.
    #[error("{}: {error}", path.display())]
    Layers {
        /// The file.
        path: PathBuf,
        /// What is otherwise.
        error: Box<LayerError>,
    },
    /// The network is not of the scenario.
    #[error("{}: {error}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is otherwise.
        error: RunFileError,
    },
    /// The file does not say of the network what it should.
    #[error("{}: inference: {error}", path.display())]
    Inference {
        /// The file.
        path: PathBuf,
        /// What does not fit.
        error: MismatchError,
    },
    /// It is of an earlier version, and what it lacks cannot be found.
    #[error(
        "{} is of an earlier version, which did not write how samples come in; the scenario would tell, \
         but: {error}\nTrain again: firstspike run {} --overwrite --out {}",
        path.display(), scenario.display(), folder.display()
    )]
    Old {
        /// The file of the network.
        path: PathBuf,
        /// The file of the scenario.
        scenario: PathBuf,
        /// The folder.
        folder: PathBuf,
        /// Why the scenario does not tell.
        error: Box<ScenarioError>,
    },
    /// The data of the run are not what they were.
    #[error(
        "{}: the data have changed since: {difference}\nGive the samples with --data.",
        folder.display()
    )]
    Changed {
        /// The folder.
        folder: PathBuf,
        /// In what.
        difference: String,
    },
    /// The samples cannot be read.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The network does not run.
    #[error(transparent)]
    Run(#[from] RunError),
}

/// Samples for a network.
#[derive(Clone, Copy, Debug)]
pub enum Samples<'a> {
    /// A set of the run's own.
    Set(Subset),
    /// A file, and for arrays one of labels.
    File {
        /// A table of text, an NPY or an IDX file.
        path: &'a Path,
        /// Labels of an NPY or IDX file.
        labels: Option<&'a Path>,
    },
}

/// What samples came to.
#[derive(Debug)]
pub struct Shown {
    /// The decisions.
    pub predictions: Predictions,
    /// A page about them, if it was asked for and there are labels.
    pub report: Option<ReportData>,
    /// If samples of a file are those that the network learned from.
    pub overlap: Option<Diagnosis>,
    /// Time and energy of a decision, if the chip has a clock.
    pub hardware: Option<HardwareAccount>,
}

impl TrainedRun {
    /// Opens a run's folder; its network runs on what it was trained on, or on the chip of this file.
    ///
    /// # Errors
    /// If a file is missing or damaged, the files are not of one run, or the run trained no layers.
    pub fn open(folder: &Path, chip: Option<&Path>) -> Result<Self, TrainedError> {
        Self::open_on(folder, chip, None)
    }

    /// The same on this individual of the chip; none for the one that it was trained on.
    ///
    /// # Errors
    /// As [`Self::open`], and if there is no chip.
    pub fn open_on(
        folder: &Path,
        chip: Option<&Path>,
        individual: Option<u64>,
    ) -> Result<Self, TrainedError> {
        for file in ["scenario.toml", "network.json"] {
            if !folder.join(file).is_file() {
                return Err(TrainedError::Missing { folder: folder.to_owned(), file });
            }
        }
        let file = ScenarioFile::read(&folder.join("scenario.toml"))?;
        let trained = file.load(&[])?;
        if trained.scenario.is_simulation() {
            return Err(TrainedError::Simulation { folder: folder.to_owned() });
        }
        if individual.is_some() && chip.is_none() && trained.scenario.chip.is_none() {
            return Err(TrainedError::NoChip { folder: folder.to_owned() });
        }
        let quoted = chip.map(|chip| toml::Value::String(chip.to_string_lossy().into_owned()));
        let chip_file = quoted.map(|quoted| Override::here(format!("chip={quoted}")));
        let individual =
            individual.map(|number| Override::here(format!("chip.individual={number}")));
        let changes: Vec<Override> = chip_file.into_iter().chain(individual).collect();
        let loaded = if changes.is_empty() {
            trained.clone()
        } else {
            let mut other = file.load(&changes)?;
            if chip.is_some() {
                other.scenario.substrate = None;
            }
            other
        };
        let path = folder.join("network.json");
        let saved = network_file::read_with::<Inference>(&path)?;
        let misfit = |error| TrainedError::File { path: path.clone(), error };
        let expected = trained.scenario.time_unit.suffix();
        if saved.time_unit != expected {
            let (found, expected) = (saved.time_unit, expected.to_owned());
            return Err(misfit(RunFileError::TimeUnit { found, expected }));
        }
        check_populations(&saved.network, &trained.scenario).map_err(misfit)?;
        let mut network = LayeredNetwork::try_from(saved.network)
            .map_err(|error| TrainedError::Layers { path: path.clone(), error: Box::new(error) })?;
        let inference = match saved.inference {
            Some(inference) => inference,
            None => trained.learner().map(|learner| learner.inference()).map_err(|error| {
                TrainedError::Old {
                    path: path.clone(),
                    scenario: folder.join("scenario.toml"),
                    folder: folder.to_owned(),
                    error: Box::new(error),
                }
            })?,
        };
        inference
            .check(&network)
            .map_err(|error| TrainedError::Inference { path: path.clone(), error })?;
        network.delays.clone_from(&inference.delays);
        Ok(TrainedRun { folder: folder.to_owned(), trained, loaded, network, inference })
    }

    /// What the network needs beside itself.
    pub fn inference(&self) -> &Inference {
        &self.inference
    }

    /// The network with its trained weights and delays.
    pub fn network(&self) -> &LayeredNetwork {
        &self.network
    }

    /// The unit of its times, as in the names of files' columns.
    pub fn time_unit(&self) -> &'static str {
        self.trained.scenario.time_unit.suffix()
    }

    /// Decides on samples, on the threads of the present rayon pool. `label_times` asks for the first spike of every
    /// label neuron.
    ///
    /// # Errors
    /// If the samples cannot be read or do not fit, or the network does not run.
    pub fn predict(
        &self,
        samples: Samples<'_>,
        label_times: bool,
    ) -> Result<Predictions, TrainedError> {
        Ok(self.show(samples, label_times, None)?.predictions)
    }

    /// Decides on samples as [`Self::predict`] does, says what that takes on the chip, and if there is a `title` for
    /// them makes a report.
    ///
    /// # Errors
    /// As [`Self::predict`].
    pub fn evaluate(
        &self,
        samples: Samples<'_>,
        title: Option<&str>,
    ) -> Result<Shown, TrainedError> {
        self.show(samples, false, title)
    }

    fn show(
        &self,
        samples: Samples<'_>,
        label_times: bool,
        title: Option<&str>,
    ) -> Result<Shown, TrainedError> {
        let start = Instant::now();
        let (dataset, has_labels) = match samples {
            Samples::Set(subset) => (self.own(subset)?, true),
            Samples::File { path, labels } => self.read(path, labels)?,
        };
        // Data that are not there any more, or are others now, tell nothing.
        let overlap = match (samples, &self.trained.scenario.dataset) {
            (Samples::File { .. }, Some(DataSource::File(_))) if has_labels => {
                self.own(Subset::Training).ok().and_then(|training| overlap(&dataset, &training))
            }
            _ => None,
        };
        let Inference { class_names, encoding, .. } = &self.inference;
        let data = DataSets {
            training: dataset.clone(),
            validation: dataset.clone(),
            test: dataset,
            class_names: class_names.clone(),
            feature_names: None,
            scaling: None,
            complement: false,
            plane: None,
        };
        let mut learner = self.loaded.learner_of(self.network.clone(), data, *encoding);
        learner.bias = self.inference.bias(&self.network);
        let settings = &mut learner.settings;
        settings.loss = self.inference.loss;
        settings.batch_size = self.inference.batch_size;
        settings.input_span = settings.input_span.max(self.inference.input_span);
        // They are as they were learned.
        settings.delays.clear();
        let hardware = self.loaded.hardware(&learner)?;
        let trainer = self.loaded.trainer(&learner, hardware.as_ref(), &self.folder)?;
        let populations = self.network.network.populations();
        let labels = self.network.layers.last().map_or(0..0, |id| populations[id.0].nodes.clone());
        let set = learner.encode(&learner.data.test);
        let mut rows = Vec::with_capacity(set.len());
        let mut report = title.filter(|_| has_labels).map(|_| TestRecord::new(&learner));
        let mut counter = SpikeCounter::new(&self.network);
        trainer.take_activity();
        let look = |sample, record: &FirstSpikes, _| {
            counter.count(record);
            let times = &record.times()[labels.clone()];
            let verdict = self.inference.loss.verdict(times);
            if let Some(report) = &mut report {
                report.look(sample, record, verdict.map(|verdict| verdict.class));
            }
            rows.push(Prediction {
                verdict,
                label: has_labels.then(|| set.label(sample)),
                label_times: if label_times { times.to_vec() } else { Vec::new() },
            });
        };
        let score = trainer.evaluate_records(&set, look).map_err(RunError::from)?.score;
        let on_substrate = trainer.take_activity();
        let account = hardware.as_ref().and_then(|hardware| {
            let happened = if on_substrate.samples > 0 { on_substrate } else { counter.activity };
            let account = hardware.account(&happened, score.decision_time())?;
            let unit = self.loaded.scenario.time_unit.seconds();
            Some(account.for_time_unit(unit, hardware.tau_s))
        });
        let time_unit = self.time_unit().to_owned();
        let report = report.zip(title).map(|(report, title)| {
            let (neurons, engine) = (Neurons::new(&trainer, None), trainer.engine().into());
            report.evaluation(&self.loaded, &neurons, title, &engine, start.elapsed().as_secs_f64())
        });
        let predictions = Predictions { class_names: class_names.clone(), time_unit, rows };
        Ok(Shown { predictions, report, overlap, hardware: account })
    }

    /// A set of the run's own.
    fn own(&self, subset: Subset) -> Result<Dataset, TrainedError> {
        let path = self.folder.join("scenario.toml");
        let before = std::fs::read_to_string(&path)
            .map_err(|source| ScenarioError::Read { path, source })?;
        if let Some(difference) = RunIdentity::of(&self.trained).difference(&before) {
            let folder = self.folder.clone();
            return Err(TrainedError::Changed { folder, difference });
        }
        let data = self.trained.own_data()?;
        Ok(match subset {
            Subset::Training => data.training,
            Subset::Validation => data.validation,
            Subset::Test => data.test,
        })
    }

    /// Samples from a file, scaled as those that were learned from, and whether they have labels.
    fn read(&self, path: &Path, labels: Option<&Path>) -> Result<(Dataset, bool), TrainedError> {
        let Inference { encoding, scaling, feature_names, feature_count, class_names, .. } =
            &self.inference;
        let kind = match (encoding, scaling) {
            (Encoding::SpikeTimes, _) => Kind::SpikeTimes,
            (Encoding::Latency(_), Some(_)) => Kind::Numbers,
            (Encoding::Latency(_), None) => Kind::Fractions,
        };
        let (label, features) = (self.label_column(), feature_names.as_deref());
        let mut table = NewSamples { path, labels, label, kind, features }.read()?;
        let (found, expected) = (table.feature_count(), *feature_count);
        if found != expected {
            let other = self.folder.join("network.json");
            let problem = DataProblem::FeatureCount { found, other, expected };
            return Err(DataError { path: path.to_owned(), problem }.into());
        }
        if let Some(scaling) = scaling {
            table.scale(scaling);
        }
        if self.inference.complement {
            table.complement();
        }
        let has_labels = table.has_labels();
        let classes = Classes::named(class_names);
        let mut dataset = table.into_dataset(&classes, self.inference.image)?;
        if let (Features::Bytes { divisor, .. }, Some(trained)) =
            (&mut dataset.features, self.inference.byte_divisor)
        {
            *divisor = trained;
        }
        Ok((dataset, has_labels))
    }

    /// Name of the column of labels in tables.
    pub fn label_column(&self) -> &str {
        match &self.trained.scenario.dataset {
            Some(DataSource::File(tables)) => &tables.label,
            _ => "label",
        }
    }
}
