//! Runs of scenarios: from a file or a dictionary to a folder of results.

use std::path::{Path, PathBuf};
use std::sync::mpsc::Sender;
use std::time::Duration;

use firstspike::learning::{EpochMetrics, Score, SpikeTrainMetrics};
use firstspike::run::{
    Checkpoint, EngineSummary, Previous, Progress, RunError, RunIdentity, RunOptions, Samples,
    SpikeTrainingSummary, Subset, TrainedRun, TrainingResult, TrainingSummary, simulate, to_resume,
    train, train_spike_trains,
};
use firstspike::scenario::{LoadedScenario, Override, ScenarioFile};
use firstspike::study::is_study;
use pyo3::prelude::*;
use pyo3::types::{IntoPyDict, PyBool, PyDict, PyFloat, PyInt, PyList, PyString, PyTuple};

use crate::program::{Said, interruptibly};
use crate::{arrays, errors, threads};

/// What messages call a scenario that is a dictionary. Paths in it begin at the working directory.
const DICTIONARY: &str = "the scenario's dictionary";

/// A value of Python in TOML.
pub fn toml_value(value: &Bound<'_, PyAny>) -> PyResult<toml::Value> {
    let py = value.py();
    if value.is_instance_of::<PyBool>() {
        return Ok(toml::Value::Boolean(value.extract()?));
    }
    if value.is_instance_of::<PyInt>() {
        return Ok(toml::Value::Integer(value.extract()?));
    }
    if value.is_instance_of::<PyFloat>() {
        return Ok(toml::Value::Float(value.extract()?));
    }
    if value.is_instance_of::<PyString>() {
        return Ok(toml::Value::String(value.extract()?));
    }
    if let Ok(table) = value.cast::<PyDict>() {
        let entry = |(key, value): (Bound<'_, PyAny>, Bound<'_, PyAny>)| {
            Ok((key.extract::<String>()?, toml_value(&value)?))
        };
        let table: PyResult<toml::Table> = table.iter().map(entry).collect();
        return Ok(toml::Value::Table(table?));
    }
    if value.is_instance_of::<PyList>() || value.is_instance_of::<PyTuple>() {
        let values: PyResult<Vec<_>> = value.try_iter()?.map(|value| toml_value(&value?)).collect();
        return Ok(toml::Value::Array(values?));
    }
    // Arrays and numbers of NumPy.
    if let Ok(plain) = value.call_method0("tolist") {
        return toml_value(&plain);
    }
    if let Ok(path) = value.call_method0("__fspath__") {
        return toml_value(&path);
    }
    let kind = value.get_type().name()?;
    Err(errors::input(py, format!("a scenario has no place for a {kind}: {}", value.repr()?)))
}

/// Changes of values, as the command line's `--set`.
fn overrides(set: Option<&Bound<'_, PyDict>>) -> PyResult<Vec<Override>> {
    let Some(set) = set else { return Ok(Vec::new()) };
    let change = |(key, value): (Bound<'_, PyAny>, Bound<'_, PyAny>)| {
        let (key, value) = (key.extract::<String>()?, toml_value(&value)?);
        Ok(Override::here(format!("{key}={value}")))
    };
    set.iter().map(change).collect()
}

/// Reads a scenario: the path of a file, or a dictionary.
fn load(scenario: &Bound<'_, PyAny>, set: Option<&Bound<'_, PyDict>>) -> PyResult<LoadedScenario> {
    let py = scenario.py();
    let file = match scenario.cast::<PyDict>() {
        Ok(table) => {
            let text = toml::to_string_pretty(&toml_value(table)?);
            let text = text.map_err(|error| errors::input(py, error))?;
            ScenarioFile::parse(Path::new(DICTIONARY), text)
        }
        Err(_) => ScenarioFile::read(&scenario.extract::<PathBuf>()?),
    };
    let file = file.map_err(|error| errors::of(py, &error))?;
    if is_study(&file) {
        let message = "this is a study: `firstspike run` on the command line runs it (in Python, \
                       firstspike.main([\"run\", path]))";
        return Err(errors::input(py, message));
    }
    file.load(&overrides(set)?).map_err(|error| errors::of(py, &error))
}

/// A chip's datasheet, with entries of its own.
pub fn datasheet(
    chip: &Bound<'_, PyAny>,
    set: Option<&Bound<'_, PyDict>>,
) -> PyResult<firstspike::chip::Datasheet> {
    let py = chip.py();
    // The smallest scenario that has one: what a chip file may say is said there.
    let scenario = PyDict::new(py);
    scenario.set_item("chip", chip)?;
    scenario.set_item("dataset", [("yin_yang", PyDict::new(py))].into_py_dict(py)?)?;
    let layer = PyDict::new(py);
    layer.set_item("size", 3)?;
    scenario.set_item("layers", [layer])?;
    let entries = PyDict::new(py);
    for (key, value) in set.iter().flat_map(|set| set.iter()) {
        entries.set_item(format!("chip.{key}"), value)?;
    }
    Ok(load(scenario.as_any(), Some(&entries))?.scenario.chip.unwrap_or_default())
}

/// What a run says on its way.
enum Event {
    Start(usize, usize),
    Epochs(usize),
    Batch(usize, Score),
    Epoch(usize, Option<f64>),
    Stage(String),
    Note(String),
}

/// Sends it to the interpreter's thread.
struct Listener<R>(Sender<Said<Event, R>>);

impl<R> Listener<R> {
    fn say(&self, event: Event) {
        // Nobody listens any more: the run ends by its flag.
        let _ = self.0.send(Said::Event(event));
    }
}

impl<R> Progress for Listener<R> {
    fn engine(&mut self, engine: &EngineSummary) {
        if engine.why_not_faster.is_some() {
            self.say(Event::Note(format!("engine: {engine}")));
        }
    }

    fn start(&mut self, epochs: usize, samples_per_epoch: usize) {
        self.say(Event::Start(epochs, samples_per_epoch));
    }

    fn resume(&mut self, history: &[EpochMetrics]) {
        self.say(Event::Epochs(history.len()));
    }

    fn resume_spike_trains(&mut self, epochs: usize) {
        self.say(Event::Epochs(epochs));
    }

    fn batch(&mut self, epoch: usize, score: &Score) {
        self.say(Event::Batch(epoch, *score));
    }

    fn epoch(&mut self, metrics: &EpochMetrics) {
        let accuracy = metrics.validation.as_ref().map(Score::accuracy);
        self.say(Event::Epoch(metrics.epoch, accuracy));
    }

    fn spike_trains(&mut self, metrics: &SpikeTrainMetrics) {
        self.say(Event::Epoch(metrics.epoch, None));
    }

    fn trouble(&mut self, diagnosis: &firstspike::learning::Diagnosis) {
        let firstspike::learning::Diagnosis { finding, advice } = diagnosis;
        self.say(Event::Note(format!("warning: {finding}\n  what to do: {advice}")));
    }

    fn stage(&mut self, what: &str) {
        self.say(Event::Stage(what.to_owned()));
    }
}

/// Runs a scenario (the path of a file, or a dictionary) into a folder. Returns the folder, and whether the run was
/// complete before.
#[pyfunction]
#[pyo3(signature = (scenario, set, out, resume, overwrite, checkpoint_every, progress))]
pub fn run_scenario(
    py: Python<'_>,
    scenario: &Bound<'_, PyAny>,
    set: Option<&Bound<'_, PyDict>>,
    out: Option<PathBuf>,
    resume: bool,
    overwrite: bool,
    checkpoint_every: f64,
    progress: Option<&Bound<'_, PyAny>>,
) -> PyResult<PathBuf> {
    let loaded = load(scenario, set)?;
    if resume && loaded.scenario.is_simulation() && loaded.scenario.spike_training.is_none() {
        let text = "resume=True: a simulation keeps no checkpoint to go on from; leave it out to simulate anew";
        return Err(errors::input(py, text));
    }
    let out = out.unwrap_or_else(|| Path::new("traces").join(&loaded.scenario.name));
    let checkpoint_every = Duration::try_from_secs_f64(checkpoint_every)
        .map_err(|_| errors::input(py, "checkpoint_every must be a number of seconds"))?;
    let (loaded, folder) = (&loaded, &out);
    let pool = threads::pool_of(py)?;
    let (raised, ran) = interruptibly(
        py,
        |interrupt, sender| {
            let mut listener = Listener(sender.clone());
            let options =
                RunOptions { out: folder.clone(), interrupt, checkpoint_every, overwrite };
            pool.install(|| run(loaded, &options, resume, &mut listener))
        },
        |event| {
            let Some(progress) = progress else { return Ok(()) };
            match event {
                Event::Start(epochs, samples) => {
                    progress.call_method1("start", (epochs, samples)).map(drop)
                }
                Event::Epochs(epochs) => progress.call_method1("resume", (epochs,)).map(drop),
                Event::Batch(epoch, score) => {
                    let values = (epoch, score.samples, score.loss(), score.accuracy());
                    progress.call_method1("batch", values).map(drop)
                }
                Event::Epoch(epoch, accuracy) => {
                    progress.call_method1("epoch", (epoch, accuracy)).map(drop)
                }
                Event::Stage(what) => progress.call_method1("stage", (what,)).map(drop),
                Event::Note(text) => progress.call_method1("note", (text,)).map(drop),
            }
        },
    );
    match ran {
        Some(Err(error)) => Err(errors::of(py, &error)),
        Some(Ok(())) => raised.map(|()| out),
        None => raised.and_then(|()| Err(errors::failed(py, "the run ended without a result"))),
    }
}

fn run(
    loaded: &LoadedScenario,
    options: &RunOptions<'_>,
    resume: bool,
    progress: &mut dyn Progress,
) -> Result<(), RunError> {
    if let Some(spec) = &loaded.scenario.spike_training {
        let from = beginning::<SpikeTrainingSummary>(loaded, options, resume)?;
        let Some(from) = from else { return Ok(()) };
        train_spike_trains(loaded, spec, options, from, progress).map(drop)
    } else if loaded.scenario.is_simulation() {
        simulate(loaded, options, progress).map(drop)
    } else {
        let from = beginning::<TrainingSummary>(loaded, options, resume)?;
        let Some(from) = from else { return Ok(()) };
        train(loaded, options, from, progress).map(drop)
    }
}

/// Where a training begins; none if there is nothing left to do. As the command with `--resume` does it.
fn beginning<S: TrainingResult>(
    loaded: &LoadedScenario,
    options: &RunOptions<'_>,
    resume: bool,
) -> Result<Option<Option<Checkpoint<S::Epoch>>>, RunError> {
    if !resume {
        return Ok(Some(None));
    }
    Ok(match to_resume::<S>(&RunIdentity::of(loaded), options)? {
        Previous::Complete(_) => None,
        Previous::Stopped(checkpoint) | Previous::OtherEpochs(checkpoint) => {
            Some(Some(*checkpoint))
        }
        Previous::Nothing => Some(None),
    })
}

/// Checks a scenario; returns it as TOML with every default filled in.
#[pyfunction]
#[pyo3(signature = (scenario, set))]
pub fn check_scenario(
    py: Python<'_>,
    scenario: &Bound<'_, PyAny>,
    set: Option<&Bound<'_, PyDict>>,
) -> PyResult<String> {
    let loaded = load(scenario, set)?;
    toml::to_string_pretty(&loaded.scenario).map_err(|error| errors::failed(py, error))
}

/// Decides on samples with the network of a run: on a file of them, or on a set of its own.
#[pyfunction]
#[pyo3(signature = (folder, file, set, chip))]
pub fn predict<'py>(
    py: Python<'py>,
    folder: PathBuf,
    file: Option<PathBuf>,
    set: Option<&str>,
    chip: Option<PathBuf>,
) -> PyResult<Bound<'py, PyDict>> {
    let samples = match (&file, set) {
        (Some(path), _) => Samples::File { path, labels: None },
        (None, Some("training")) => Samples::Set(Subset::Training),
        (None, Some("validation")) => Samples::Set(Subset::Validation),
        (None, Some("test")) => Samples::Set(Subset::Test),
        (None, other) => {
            let message = format!("{other:?} is none of \"training\", \"validation\", \"test\"");
            return Err(errors::input(py, message));
        }
    };
    let pool = threads::pool_of(py)?;
    let found = py.detach(|| {
        let run = TrainedRun::open(&folder, chip.as_deref())?;
        pool.install(|| run.predict(samples, true))
    });
    let found = found.map_err(|error| errors::of(py, &error))?;
    let (classes, count) = (found.class_names.len(), found.rows.len());
    let verdicts = || found.rows.iter().map(|row| row.verdict);
    let result = PyDict::new(py);
    let number = |class: Option<usize>| class.map_or(-1, |class| class as i64);
    let class = verdicts().map(|verdict| number(verdict.map(|verdict| verdict.class)));
    let time = verdicts().map(|verdict| verdict.map_or(f64::INFINITY, |verdict| verdict.time));
    let margin = verdicts().map(|verdict| verdict.map_or(f64::NAN, |verdict| verdict.margin));
    let label = found.rows.iter().map(|row| number(row.label));
    let label_times: Vec<f64> = found.rows.iter().flat_map(|row| row.label_times.clone()).collect();
    result.set_item("classes", arrays::vector(py, class.collect::<Vec<i64>>()))?;
    result.set_item("times", arrays::vector(py, time.collect::<Vec<f64>>()))?;
    result.set_item("margins", arrays::vector(py, margin.collect::<Vec<f64>>()))?;
    result.set_item("labels", arrays::vector(py, label.collect::<Vec<i64>>()))?;
    result.set_item("label_times", arrays::matrix(py, [count, classes], false, label_times)?)?;
    result.set_item("class_names", found.class_names)?;
    result.set_item("time_unit", found.time_unit)?;
    Ok(result)
}
