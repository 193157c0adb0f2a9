//! One file of results from those of several shards or machines.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use super::results::{Key, Row};
use super::{ResultsProblem, StudyError, reader};
use crate::run::OutputFolder;

/// Puts files of results of one study together, sorted by variant, point and seed, and writes them to
/// `out`. Returns the number of rows. A training may be in several files if it is the same in all; one
/// that failed in one and is complete in another is taken as complete.
///
/// # Errors
/// If a file cannot be read or is of another study, two files contradict each other, or `out` cannot be
/// written.
pub fn merge(paths: &[PathBuf], out: &Path) -> Result<usize, StudyError> {
    let mut merged: BTreeMap<SortedKey, (Row, &Path)> = BTreeMap::new();
    let mut first: Option<(&Path, Vec<String>, Option<String>)> = None;
    for path in paths {
        let table = reader::read(path)?;
        let study = table.rows.first().map(|row| row.study.clone());
        match &mut first {
            None => first = Some((path, table.heading.clone(), study)),
            Some((other, heading, name)) => {
                let name = name.get_or_insert_with(|| study.clone().unwrap_or_default());
                let is_same = table.heading == *heading && study.is_none_or(|study| study == *name);
                if !is_same {
                    let problem = ResultsProblem::NotMergeable { other: other.to_path_buf() };
                    return Err(StudyError::results(path, problem));
                }
            }
        }
        for row in table.rows {
            let key = SortedKey(row.key());
            let Some((known, other)) = merged.get_mut(&key) else {
                merged.insert(key, (row, path));
                continue;
            };
            match (&known.outcome, &row.outcome) {
                (Ok(one), Ok(two)) if format!("{one:?}") != format!("{two:?}") => {
                    let training = row.training();
                    let other = other.to_path_buf();
                    let problem = ResultsProblem::Contradiction { training, other };
                    return Err(StudyError::results(path, problem));
                }
                (Err(_), Ok(_)) => (*known, *other) = (row, path),
                _ => {}
            }
        }
    }
    let Some((_, columns, _)) = first else {
        return Err(StudyError::results(out, ResultsProblem::NothingToMerge));
    };
    let folder = out.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = OutputFolder::create(folder.unwrap_or(Path::new(".")))?;
    let name = out.file_name().unwrap_or(out.as_os_str()).to_string_lossy();
    folder.write(&name, |file| {
        writeln!(file, "{}", columns.join(","))?;
        merged.values().try_for_each(|(row, _)| file.write_all(&row.line()?))
    })?;
    Ok(merged.len())
}

/// Keys in the order of numbers where there are numbers.
#[derive(PartialEq, Eq)]
pub(super) struct SortedKey(pub Key);

impl Ord for SortedKey {
    fn cmp(&self, other: &Self) -> Ordering {
        let (SortedKey((variant, values, seed)), SortedKey((variant2, values2, seed2))) =
            (self, other);
        let values = || {
            let pairs = values.iter().zip(values2);
            pairs.map(|(one, two)| compare(one, two)).find(|order| order.is_ne())
        };
        // In the loop first, as studies do it.
        variant2
            .cmp(variant)
            .then_with(|| values().unwrap_or(Ordering::Equal))
            .then(seed.cmp(seed2))
    }
}

impl PartialOrd for SortedKey {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Numbers by size, before words.
fn compare(one: &str, two: &str) -> Ordering {
    match (one.parse::<f64>(), two.parse::<f64>()) {
        (Ok(a), Ok(b)) => a.total_cmp(&b).then_with(|| one.cmp(two)),
        (Ok(_), Err(_)) => Ordering::Less,
        (Err(_), Ok(_)) => Ordering::Greater,
        (Err(_), Err(_)) => one.cmp(two),
    }
}
