//! Samples that come after training, in files of any form.

use std::io::Read;
use std::path::Path;

use super::table::{Columns, Kind, Table};
use super::{DataError, DataProblem, idx};

/// A table of samples that come after training, for a network that is there.
#[derive(Clone, Copy, Debug)]
pub struct NewSamples<'a> {
    /// A CSV, NPY or IDX file; recognised by its first bytes.
    pub path: &'a Path,
    /// The labels of an NPY or IDX file.
    pub labels: Option<&'a Path>,
    /// Name of the column of labels in a CSV file, which may be missing.
    pub label: &'a str,
    /// What features are, before scaling.
    pub kind: Kind,
    /// Names of the network's features, if they have some.
    pub features: Option<&'a [String]>,
}

impl NewSamples<'_> {
    /// Reads the samples. Of a CSV file those columns are taken that are named as the network's features, in any
    /// order.
    ///
    /// # Errors
    /// If a file cannot be read, lacks a column, or has a value that is missing or does not fit.
    pub fn read(&self) -> Result<Table, DataError> {
        let NewSamples { path, labels, label, kind, features } = *self;
        let columns = Columns { label, label_is_optional: true, features, leave_out: &[] };
        match FileForm::of(path)? {
            FileForm::Npy => Table::read_npy(path, labels, kind),
            FileForm::Idx => Table::read_idx(path, labels, kind),
            FileForm::Text => Table::read_csv(path, kind, columns),
        }
    }
}

/// What form a file of samples has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileForm {
    /// A table of text.
    Text,
    /// An array of NumPy.
    Npy,
    /// An IDX file, packed with gzip or not.
    Idx,
}

impl FileForm {
    /// The form of a file, by its first bytes.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn of(path: &Path) -> Result<Self, DataError> {
        let refuse = |error| DataProblem::Unreadable(error).of(path);
        let kind = std::fs::metadata(path).map_err(refuse)?;
        if !kind.is_file() && !kind.is_dir() {
            let message = "it is no file but a pipe or a device, which can be read only once: save the data in a file";
            return Err(refuse(std::io::Error::other(message)));
        }
        let mut start = Vec::new();
        let read = idx::open(path).and_then(|file| file.take(6).read_to_end(&mut start));
        read.map_err(refuse)?;
        Ok(match start[..] {
            [0x93, b'N', b'U', b'M', b'P', b'Y'] => FileForm::Npy,
            [0, 0, 8, 1..=4, ..] => FileForm::Idx,
            _ => FileForm::Text,
        })
    }
}
