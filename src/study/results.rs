//! The results of a study: one tidy CSV, a row per training.
//!
//! A row is written as soon as its training is complete, and is on the disk before the next begins.
//! The file can be cut off anywhere; what remains of a row that was not written to its end is
//! dropped when the file is opened again. In the end the rows are put in the order of the plan
//! ([`Results::sort`]). Nothing in it depends on the clock or the number of threads.

use std::cmp::Ordering;
use std::collections::{HashMap, HashSet};
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

use super::merge::SortedKey;
use super::{Job, ResultsProblem, Study, StudyError, TrainingFailure, reader};
use crate::run::{Lock, Measurement, OutputFolder, RunError};

/// Columns before and after those of the axes.
const BEFORE: [&str; 2] = ["study", "variant"];
pub(super) const AFTER: [&str; 10] = [
    "seed",
    "test_accuracy",
    "train_accuracy",
    "validation_accuracy",
    "mean_decision_time",
    "spikes_per_sample",
    "energy_per_sample",
    "undecided",
    "epochs",
    "error",
];

/// Whether a column of this name exists besides those of the axes.
pub(super) fn is_column(name: &str) -> bool {
    BEFORE.contains(&name) || AFTER.contains(&name)
}

/// One training and what came of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Name of the study.
    pub study: String,
    /// Name of the variant.
    pub variant: String,
    /// The point: a value per axis, as text.
    pub values: Vec<String>,
    /// The seed.
    pub seed: u64,
    /// What was measured, or why nothing was.
    pub outcome: Result<Measurement, TrainingFailure>,
}

/// What tells trainings of one study apart.
pub(super) type Key = (String, Vec<String>, u64);

impl Job {
    pub(super) fn key(&self) -> Key {
        let values = self.point.0.iter().map(ToString::to_string).collect();
        (self.variant.name().to_owned(), values, self.seed)
    }
}

impl Row {
    /// The row of a job.
    pub fn new(study: &Study, job: &Job, outcome: Result<Measurement, TrainingFailure>) -> Self {
        let (variant, values, seed) = job.key();
        Row { study: study.name.clone(), variant, values, seed, outcome }
    }

    pub(super) fn key(&self) -> Key {
        (self.variant.clone(), self.values.clone(), self.seed)
    }

    /// Which training it is, in words.
    pub(super) fn training(&self) -> String {
        format!("{}, {}, seed {}", self.values.join(", "), self.variant, self.seed)
    }

    /// The row as it is in the file, with its line end.
    pub(super) fn line(&self) -> io::Result<Vec<u8>> {
        let mut fields = vec![self.study.clone(), self.variant.clone()];
        fields.extend(self.values.iter().cloned());
        fields.push(self.seed.to_string());
        match &self.outcome {
            Ok(measured) => {
                let finite = |value: f64| {
                    if value.is_finite() { value.to_string() } else { String::new() }
                };
                fields.extend([
                    finite(measured.test_accuracy),
                    finite(measured.train_accuracy),
                    finite(measured.validation_accuracy),
                    finite(measured.mean_decision_time),
                    finite(measured.spikes_per_sample),
                    measured.energy_per_sample.map_or_else(String::new, finite),
                    finite(measured.undecided),
                    measured.epochs.to_string(),
                    String::new(),
                ]);
            }
            Err(error) => {
                fields.extend(std::iter::repeat_n(String::new(), AFTER.len() - 2));
                fields.push(error.to_string());
            }
        }
        csv_line(&fields)
    }
}

fn csv_line(fields: &[String]) -> io::Result<Vec<u8>> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(fields)?;
    writer.into_inner().map_err(|error| io::Error::other(error.to_string()))
}

/// The heading of the results of a study with these axes.
pub(super) fn heading<'a>(axes: impl Iterator<Item = &'a str>) -> Vec<String> {
    BEFORE.into_iter().chain(axes).chain(AFTER).map(str::to_owned).collect()
}

/// A file of results, open for more. No other process can have it meanwhile.
#[derive(Debug)]
pub struct Results {
    folder: OutputFolder,
    name: String,
    heading: Vec<String>,
    file: File,
    done: HashSet<Key>,
    rows: Vec<Row>,
    _lock: Lock,
}

impl Results {
    /// Opens the results of a study in a folder; a new file gets its heading, an old one must be of the
    /// study.
    ///
    /// # Errors
    /// If the file cannot be read or written, is a symbolic link, is of another study, has a training
    /// twice, is damaged other than at its end, or another process is writing to it.
    pub fn open(folder: &OutputFolder, name: &str, study: &Study) -> Result<Self, StudyError> {
        let path = &folder.file(name);
        let wrap = |source| RunError::Output { path: path.clone(), source };
        let lock = Lock::take(&folder.file(&format!(".{name}.lock"))).map_err(wrap)?;
        let Some(lock) = lock else {
            return Err(StudyError::results(path, ResultsProblem::InUse));
        };
        let mut file = open(path).map_err(wrap)?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(wrap)?;
        let whole = bytes.iter().rposition(|&byte| byte == b'\n').map_or(0, |end| end + 1);
        let heading = heading(study.axes.iter().map(|axis| axis.name.as_str()));
        let rows = if whole == 0 {
            Vec::new()
        } else {
            let table = reader::parse(path, &bytes[..whole])?;
            if table.heading != heading {
                let (found, expected) = (table.heading.join(","), heading.join(","));
                let problem = ResultsProblem::OtherColumns { found, expected };
                return Err(StudyError::results(path, problem));
            }
            if let Some(row) = table.rows.iter().find(|row| row.study != study.name) {
                let (found, expected) = (row.study.clone(), study.name.clone());
                let problem = ResultsProblem::OtherStudy { found, expected };
                return Err(StudyError::results(path, problem));
            }
            table.rows
        };
        if whole < bytes.len() {
            // The rest of a row that was being written when the program was killed.
            file.set_len(whole as u64).map_err(wrap)?;
        }
        file.seek(SeekFrom::Start(whole as u64)).map_err(wrap)?;
        if whole == 0 {
            let line = csv_line(&heading).map_err(wrap)?;
            file.write_all(&line).and_then(|()| file.sync_data()).map_err(wrap)?;
        }
        let done = rows.iter().map(Row::key).collect();
        let (folder, name) = (folder.clone(), name.to_owned());
        Ok(Results { folder, name, heading, file, done, rows, _lock: lock })
    }

    /// Whether a job is there, complete or failed.
    pub fn has(&self, job: &Job) -> bool {
        self.done.contains(&job.key())
    }

    /// What is there.
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// Adds a row, and waits until it is on the disk.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn append(&mut self, row: Row) -> Result<(), RunError> {
        let mut write = || {
            let line = row.line()?;
            self.file.write_all(&line)?;
            self.file.sync_data()
        };
        write().map_err(|source| self.output_error(source))?;
        self.done.insert(row.key());
        self.rows.push(row);
        Ok(())
    }

    /// Puts the rows in the order of these jobs. Rows of other jobs come last, by variant, point and
    /// seed. So the file has the same bytes, in whatever order the trainings ended.
    ///
    /// # Errors
    /// If it cannot be written; the file is then as it was.
    pub fn sort(&mut self, jobs: &[Job]) -> Result<(), RunError> {
        let places: HashMap<Key, usize> = jobs.iter().map(Job::key).zip(0..).collect();
        let place = |row: &Row| places.get(&row.key()).copied().unwrap_or(jobs.len());
        let is_before = |one: &Row, two: &Row| match place(one).cmp(&place(two)) {
            Ordering::Equal => SortedKey(one.key()).cmp(&SortedKey(two.key())),
            order => order,
        };
        if self.rows.is_sorted_by(|one, two| is_before(one, two).is_le()) {
            return Ok(());
        }
        self.rows.sort_by(is_before);
        self.folder.write(&self.name, |file| {
            file.write_all(&csv_line(&self.heading)?)?;
            self.rows.iter().try_for_each(|row| file.write_all(&row.line()?))?;
            file.flush()?;
            file.get_ref().sync_data()
        })?;
        let reopened = open(&self.folder.file(&self.name)).and_then(|mut file| {
            file.seek(SeekFrom::End(0))?;
            Ok(file)
        });
        self.file = reopened.map_err(|source| self.output_error(source))?;
        Ok(())
    }

    fn output_error(&self, source: io::Error) -> RunError {
        RunError::Output { path: self.folder.file(&self.name), source }
    }
}

/// Opens a file that is there, or makes it. What a link leads to is not ours to write to.
fn open(path: &Path) -> io::Result<File> {
    if std::fs::symlink_metadata(path).is_ok_and(|found| found.is_symlink()) {
        return Err(io::Error::other("it is a symbolic link: remove it"));
    }
    OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)
}
