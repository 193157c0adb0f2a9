//! Groups of attributes of edges.

use super::super::{EdgeError, EdgeSource};
use super::{form, in_file};
use crate::hdf5::{Hdf5Dataset, Hdf5File};

/// Attributes of a group that are read.
const READ: [&str; 4] = ["syn_weight", "delay", "receptor", "nsyns"];

/// A group of attributes.
pub(super) struct Group<'f> {
    pub rows: u64,
    pub columns: [Option<Hdf5Dataset<'f>>; 4],
}

/// The attributes of some edges, in the order of [`READ`]; a column that no edge has is none.
#[derive(Default)]
pub(super) struct Attributes {
    pub columns: [Option<Vec<Option<f64>>>; 4],
}

impl Attributes {
    pub fn value(&self, kind: usize, edge: usize) -> Option<f64> {
        self.columns[kind].as_ref().and_then(|column| column[edge])
    }
}

impl<'f> Group<'f> {
    pub fn open(source: &EdgeSource, file: &'f Hdf5File, place: &str) -> Result<Self, EdgeError> {
        let wrong = |error| in_file(source, error);
        let members = file.members(place).map_err(wrong)?;
        let unknown = members.datasets.iter().chain(&members.groups);
        let unknown: Vec<&str> = unknown
            .map(String::as_str)
            .filter(|name| !READ.contains(name) && !source.file.ignore.iter().any(|it| it == name))
            .collect();
        if !unknown.is_empty() {
            let quoted: Vec<String> = unknown.iter().map(|name| format!("\"{name}\"")).collect();
            return Err(form(
                source,
                format!(
                    "/{place} has {}: syn_weight, delay (ms), receptor and nsyns are read. If the rest means nothing \
                 here: ignore = [{}]",
                    unknown.join(", "),
                    quoted.join(", ")
                ),
            ));
        }
        let mut group = Group { rows: u64::MAX, columns: [const { None }; 4] };
        for (column, name) in group.columns.iter_mut().zip(READ) {
            let ignored = source.file.ignore.iter().any(|it| it == name);
            if ignored || !members.datasets.iter().any(|it| it == name) {
                continue;
            }
            let dataset = file.dataset(&format!("{place}/{name}")).map_err(wrong)?;
            super::one_dimensional(source, &format!("{place}/{name}"), &dataset)?;
            if group.rows != u64::MAX && group.rows != dataset.rows() {
                return Err(form(
                    source,
                    format!(
                        "/{place}/{name} has {} rows, another attribute has {}: they must be equal",
                        dataset.rows(),
                        group.rows
                    ),
                ));
            }
            group.rows = dataset.rows();
            *column = Some(dataset);
        }
        Ok(group)
    }
}
