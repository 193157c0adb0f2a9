//! Labels of samples, numbers or words, and the classes that they stand for.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;

use super::super::{DataError, DataProblem};

/// A label per sample, kept as the index of one of the different labels that there are.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Labels {
    texts: Vec<String>,
    of_sample: Vec<u32>,
}

/// What a field of a table says.
pub(super) enum Field {
    Label(String),
    Missing,
    /// A number that is not whole: a quantity, not a class.
    Fraction,
}

/// Reads a label: a word, or a whole number, also as other programs write it (`1.0`).
pub(super) fn label(field: &str) -> Field {
    if is_missing(field) {
        return Field::Missing;
    }
    match field.parse::<f64>() {
        _ if field.parse::<i64>().is_ok_and(|number| number.to_string() == field) => {
            Field::Label(field.to_owned())
        }
        Ok(value) if value.fract() == 0.0 && value.abs() <= f64::from(u32::MAX) => {
            Field::Label((value as i64).to_string())
        }
        Ok(_) => Field::Fraction,
        Err(_) => Field::Label(field.to_owned()),
    }
}

/// Whether a field is what other programs write for no value.
pub(super) fn is_missing(field: &str) -> bool {
    const NOTHING: [&str; 8] = ["", "na", "n/a", "nan", "null", "none", "?", "<na>"];
    NOTHING.iter().any(|nothing| field.eq_ignore_ascii_case(nothing))
}

impl Labels {
    pub fn len(&self) -> usize {
        self.of_sample.len()
    }

    pub fn text(&self, sample: usize) -> &str {
        &self.texts[self.of_sample[sample] as usize]
    }

    /// The labels without those from `first` on, which are returned.
    pub fn split_off(&mut self, first: usize) -> Labels {
        Labels { texts: self.texts.clone(), of_sample: self.of_sample.split_off(first) }
    }

    /// The labels of these samples.
    pub fn pick(&self, samples: &[usize]) -> Labels {
        let of_sample = samples.iter().map(|&sample| self.of_sample[sample]).collect();
        Labels { texts: self.texts.clone(), of_sample }
    }

    /// The different labels that some sample has.
    pub fn different(&self) -> BTreeSet<&str> {
        let mut used = vec![false; self.texts.len()];
        self.of_sample.iter().for_each(|&label| used[label as usize] = true);
        let texts = self.texts.iter().zip(used);
        texts.filter(|(_, used)| *used).map(|(text, _)| text.as_str()).collect()
    }
}

impl FromIterator<String> for Labels {
    fn from_iter<I: IntoIterator<Item = String>>(labels: I) -> Self {
        let mut known = HashMap::new();
        let mut found = Labels::default();
        for label in labels {
            let index = *known.entry(label).or_insert_with_key(|label| {
                found.texts.push(label.clone());
                found.texts.len() as u32 - 1
            });
            found.of_sample.push(index);
        }
        found
    }
}

/// A larger label is the name of a class, such as an article's number: as the class's own number it would ask
/// for as many label neurons.
pub const LARGEST_NUMBER: usize = 9_999;

/// The classes of a data set, in the order of their label neurons.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Classes {
    names: Vec<String>,
}

impl Classes {
    /// Classes that are known by name.
    pub fn named(names: &[String]) -> Self {
        Classes { names: names.to_vec() }
    }

    /// Classes `0`, `1`, ….
    pub fn numbered(count: usize) -> Self {
        Classes { names: (0..count).map(|class| class.to_string()).collect() }
    }

    /// The classes of these tables' labels, of which the first table is the training set. If all labels are whole
    /// numbers from 0 to 9,999, each is the number of its class. Else the classes are the different
    /// labels of the training set: in the order of their size if all are numbers, or of the alphabet.
    pub fn of(tables: &[&super::Table]) -> Self {
        let numbers = |text: &str| text.parse::<usize>().ok();
        let all: Option<Vec<usize>> =
            tables.iter().flat_map(|table| table.labels.different()).map(numbers).collect();
        if let Some(largest) = all.map(|all| all.into_iter().max().unwrap_or(0))
            && largest <= LARGEST_NUMBER
        {
            return Self::numbered(largest + 1);
        }
        let training = tables.first().map(|table| table.labels.different()).unwrap_or_default();
        let mut names: Vec<String> = training.into_iter().map(str::to_owned).collect();
        let number = |name: &String| name.parse::<i64>();
        if names.iter().all(|name| number(name).is_ok()) {
            names.sort_by_key(|name| number(name).unwrap_or_default());
        }
        Classes { names }
    }

    /// Their names.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The class of each sample.
    pub(super) fn assign(&self, labels: &Labels, path: &Path) -> Result<Vec<usize>, DataError> {
        let by_name: HashMap<&str, usize> =
            self.names.iter().map(String::as_str).zip(0..).collect();
        let classes: Vec<Option<usize>> =
            labels.texts.iter().map(|text| by_name.get(text.as_str()).copied()).collect();
        let class = |(sample, &label): (usize, &u32)| {
            classes[label as usize]
                .ok_or_else(|| self.unknown(sample, labels.text(sample)).of(path))
        };
        labels.of_sample.iter().enumerate().map(class).collect()
    }

    fn unknown(&self, sample: usize, label: &str) -> DataProblem {
        let numbered =
            self.names.iter().enumerate().all(|(class, name)| *name == class.to_string());
        match label.parse() {
            Ok(label) if numbered => {
                DataProblem::LabelRange { sample, label, classes: self.names.len() }
            }
            _ => {
                let (label, known) = (label.to_owned(), list(&self.names));
                DataProblem::UnknownLabel { sample, label, known }
            }
        }
    }
}

/// Some names of a list that may be long.
pub fn list(names: &[String]) -> String {
    const MOST: usize = 20;
    let more = if names.len() > MOST { ", …" } else { "" };
    names.iter().take(MOST).map(String::as_str).collect::<Vec<_>>().join(", ") + more
}
