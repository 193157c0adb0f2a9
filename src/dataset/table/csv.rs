//! Tables of text with a heading: which column is what, and what its fields hold.

use std::borrow::Cow;
use std::path::Path;

use super::super::{DataError, DataProblem};
use super::labels::{self, Labels, is_missing};
use super::{Kind, Table, Values};
use crate::table::{TableError, TextTable};

/// Which columns of a table are what.
#[derive(Clone, Copy, Debug)]
pub struct Columns<'a> {
    /// Name of the column of labels.
    pub label: &'a str,
    /// Whether a table without that column will do.
    pub label_is_optional: bool,
    /// The features by name, in this order. Without, they are all other columns, as they stand.
    pub features: Option<&'a [String]>,
    /// Columns that are no features; used if those are not named.
    pub leave_out: &'a [String],
}

impl Default for Columns<'_> {
    /// The column `label`; all others are features.
    fn default() -> Self {
        Columns { label: "label", label_is_optional: false, features: None, leave_out: &[] }
    }
}

/// Where a table's columns are.
struct Places {
    label: Option<usize>,
    features: Vec<usize>,
}

impl Table {
    /// Reads a table of text with a heading. Labels are words, or whole numbers (also written `1.0`).
    /// Separators, comments, packing and encoding are as [`TextTable`] reads them.
    ///
    /// # Errors
    /// If the file cannot be read, lacks a column, has no samples, or a value that is missing or does not fit;
    /// with its line and column.
    pub fn read_csv(path: &Path, kind: Kind, columns: Columns<'_>) -> Result<Self, DataError> {
        let refuse = |problem: DataProblem| problem.of(path);
        let wrap = |TableError { line, problem, .. }: TableError| {
            refuse(DataProblem::Table { line, problem })
        };
        let table = TextTable::read(path).map_err(wrap)?;
        let mut rows = table.even_rows();
        // A table has a row.
        let Some(heading) = rows.next().transpose().map_err(wrap)? else {
            return Err(refuse(DataProblem::NoSamples));
        };
        let headings = heading.fields;
        let places = columns.find(heading.line, &headings, table.separator()).map_err(refuse)?;
        let (mut features, mut texts) = (Vec::new(), Vec::new());
        let mut samples = 0;
        for row in rows {
            let row = row.map_err(wrap)?;
            let wrong = |index: usize, accepted| {
                let column = headings[index].clone().into_owned();
                let field = row.fields[index].clone().into_owned();
                refuse(DataProblem::Field { line: row.line, column, field, accepted })
            };
            if let Some(index) = places.label {
                texts.push(match labels::label(&row.fields[index]) {
                    labels::Field::Label(text) => text,
                    labels::Field::Missing => return Err(wrong(index, MISSING)),
                    labels::Field::Fraction => {
                        return Err(wrong(index, "a label must be a whole number or a word"));
                    }
                });
            }
            for &index in &places.features {
                let field = &row.fields[index];
                if kind == Kind::SpikeTimes && field.is_empty() {
                    features.push(f64::INFINITY);
                    continue;
                }
                let value = field.parse().ok().filter(|&value| kind.accepts(value));
                let accepted = match field {
                    field if is_missing(field) => MISSING,
                    field if has_decimal_comma(field) => DECIMAL_COMMA,
                    _ => kind.accepted(),
                };
                features.push(value.ok_or_else(|| wrong(index, accepted))?);
            }
            samples += 1;
        }
        if samples == 0 {
            return Err(refuse(DataProblem::NoSamples));
        }
        let name = |&index: &usize| headings[index].clone().into_owned();
        Ok(Table {
            features: Values::Real(features),
            labels: texts.into_iter().collect::<Labels>(),
            feature_count: places.features.len(),
            samples,
            columns: Some(places.features.iter().map(name).collect()),
            image: None,
            paths: (path.to_owned(), path.to_owned()),
        })
    }
}

/// What to say of a number with a decimal comma.
pub(in crate::dataset) const DECIMAL_COMMA: &str = "this is a decimal comma: write numbers with decimal points \
     (save the table anew with the language set to English, or replace the commas in an editor)";

/// Whether a field would be a number if its only comma were a point.
pub(in crate::dataset) fn has_decimal_comma(field: &str) -> bool {
    field.matches(',').count() == 1 && field.replace(',', ".").parse::<f64>().is_ok()
}

/// What to say of a field with nothing in it.
const MISSING: &str = "there is no value: fill it in, or leave the row out";

impl Columns<'_> {
    fn find(
        &self,
        line: u64,
        headings: &[Cow<'_, str>],
        separator: &str,
    ) -> Result<Places, DataProblem> {
        let found = || format!("{} ({separator})", headings.join(", "));
        let place = |name: &str| headings.iter().position(|heading| heading == name);
        let label = place(self.label);
        let count = |name: &str| headings.iter().filter(|heading| *heading == name).count();
        let named = self.features.unwrap_or_default().iter().chain(self.leave_out);
        if let Some(twice) = named.map(String::as_str).chain([self.label]).find(|it| count(it) > 1)
        {
            return Err(DataProblem::TwoColumns { line, column: twice.to_owned() });
        }
        if label.is_none() && !self.label_is_optional {
            let column = self.label.to_owned();
            return Err(DataProblem::NoLabelColumn { line, column, found: found() });
        }
        let missing = |name: &String| {
            let column = name.clone();
            DataProblem::NoColumn { line, column, found: found() }
        };
        let features = match self.features {
            Some(names) => names
                .iter()
                .map(|name| place(name).ok_or_else(|| missing(name)))
                .collect::<Result<Vec<usize>, _>>()?,
            None => {
                if let Some(name) = self.leave_out.iter().find(|name| place(name).is_none()) {
                    return Err(missing(name));
                }
                let is_feature = |&index: &usize| {
                    let left_out = self.leave_out.iter().any(|name| *name == headings[index]);
                    Some(index) != label && !left_out
                };
                (0..headings.len()).filter(is_feature).collect()
            }
        };
        if features.is_empty() {
            let column = self.label.to_owned();
            return Err(DataProblem::NoFeatures { line, column });
        }
        Ok(Places { label, features })
    }
}
