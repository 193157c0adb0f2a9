//! A look at a table that nobody has described yet: which column is the label, and which are features.

use std::collections::BTreeSet;
use std::path::Path;

use super::table::{DECIMAL_COMMA, has_decimal_comma};
use super::{DataError, DataProblem};
use crate::table::{TableError, TextTable};

/// What labels are often called.
const LABEL_NAMES: [&str; 12] = [
    "label",
    "labels",
    "class",
    "target",
    "species",
    "category",
    "diagnosis",
    "variety",
    "type",
    "y",
    "outcome",
    "digit",
];

/// What numbers of rows are often called.
const NUMBER_NAMES: [&str; 6] = ["", "id", "index", "row", "unnamed: 0", "rownames"];

/// Most classes that a column is taken to name, unless it is called so.
const MOST_CLASSES: usize = 100;

/// What the columns of a table of text seem to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableLook {
    /// The column of labels.
    pub label: String,
    /// Columns that are no features, and why.
    pub leave_out: Vec<(String, &'static str)>,
    /// The other columns.
    pub features: Vec<String>,
    /// Whether all features are whole numbers from 0 to 255, and there are enough for an image.
    pub looks_like_pixels: bool,
}

/// What is in a column.
#[derive(Clone, Debug, Default)]
struct Column {
    different: BTreeSet<String>,
    numbers: usize,
    /// Numbers with a decimal comma, and the first of them with its line.
    decimal_commas: usize,
    first_comma: Option<(u64, String)>,
    /// Whether each row's value is its number, from 0 or 1.
    counts_rows: bool,
    are_bytes: bool,
}

impl TableLook {
    /// Looks at a table with a heading. `label` names the column of labels, if the user has.
    ///
    /// # Errors
    /// If the file cannot be read, has no rows, or no column that is clearly the label.
    pub fn at(path: &Path, label: Option<&str>) -> Result<Self, DataError> {
        let wrap = |TableError { line, problem, .. }: TableError| {
            DataProblem::Table { line, problem }.of(path)
        };
        let table = TextTable::read(path).map_err(wrap)?;
        let mut rows = table.even_rows();
        let Some(heading) = rows.next().transpose().map_err(wrap)? else {
            return Err(DataProblem::NoSamples.of(path));
        };
        let names: Vec<String> = heading.fields.iter().map(ToString::to_string).collect();
        let fresh = Column { counts_rows: true, are_bytes: true, ..Column::default() };
        let mut columns = vec![fresh; names.len()];
        let mut count = 0;
        for row in rows {
            let row = row.map_err(wrap)?;
            columns
                .iter_mut()
                .zip(&row.fields)
                .for_each(|(column, field)| column.add(field, count, row.line));
            count += 1;
        }
        if count == 0 {
            return Err(DataProblem::NoSamples.of(path));
        }
        let place = match label {
            Some(label) => names.iter().position(|name| name == label),
            None => find_label(&names, &columns, count),
        };
        let Some(place) = place else {
            let (line, found) = (heading.line, names.join(", "));
            return Err(match label {
                Some(label) => DataProblem::NoColumn { line, column: label.to_owned(), found },
                None => DataProblem::WhichLabel { line, found },
            }
            .of(path));
        };
        let mut look = TableLook {
            label: names[place].clone(),
            leave_out: Vec::new(),
            features: Vec::new(),
            looks_like_pixels: false,
        };
        let mut are_bytes = true;
        for (index, (name, column)) in names.into_iter().zip(&columns).enumerate() {
            // A few gaps are no words: reading the table will name them.
            let is_words = 2 * column.numbers < count;
            if index == place {
                continue;
            }
            if let Some((line, field)) = &column.first_comma
                && 2 * column.decimal_commas > count
            {
                let (line, field, accepted) = (*line, field.clone(), DECIMAL_COMMA);
                return Err(DataProblem::Field { line, column: name, field, accepted }.of(path));
            }
            if is_words {
                look.leave_out.push((name, "words"));
            } else if column.counts_rows && NUMBER_NAMES.contains(&name.to_lowercase().as_str()) {
                look.leave_out.push((name, "numbers of rows"));
            } else {
                are_bytes &= column.are_bytes;
                look.features.push(name);
            }
        }
        look.looks_like_pixels = are_bytes && look.features.len() >= 64;
        Ok(look)
    }

    /// The side of the square that as many pixels as features make.
    pub fn square(&self) -> Option<usize> {
        let side = self.features.len().isqrt();
        (side * side == self.features.len()).then_some(side)
    }
}

impl Column {
    fn add(&mut self, field: &str, row: usize, line: u64) {
        if has_decimal_comma(field) {
            self.decimal_commas += 1;
            self.first_comma.get_or_insert_with(|| (line, field.to_owned()));
        }
        // More need not be told apart.
        if self.different.len() <= MOST_CLASSES && !self.different.contains(field) {
            self.different.insert(field.to_owned());
        }
        let number: Option<f64> = field.parse().ok();
        self.numbers += usize::from(number.is_some());
        self.counts_rows &= number.is_some_and(|it| it == row as f64 || it == row as f64 + 1.0);
        self.are_bytes &= number.is_some_and(|it| it.fract() == 0.0 && (0.0..=255.0).contains(&it));
    }

    /// Whether it may name classes.
    fn has_classes(&self, rows: usize) -> bool {
        let is_whole = |text: &String| text.parse::<f64>().is_ok_and(|it| it.fract() == 0.0);
        let whole_or_words = self.numbers == 0 || self.different.iter().all(is_whole);
        let count = self.different.len();
        whole_or_words && (2..=MOST_CLASSES).contains(&count) && 2 * count <= rows
    }
}

/// The column that is called like a label, or else the only one of words, or else the last if its values are
/// few.
fn find_label(names: &[String], columns: &[Column], rows: usize) -> Option<usize> {
    let by_name = LABEL_NAMES
        .iter()
        .find_map(|label| names.iter().position(|name| name.to_lowercase() == *label));
    let words: Vec<usize> = (0..columns.len())
        .filter(|&index| columns[index].numbers == 0 && columns[index].has_classes(rows))
        .collect();
    by_name.or(match words[..] {
        [only] => Some(only),
        _ => columns.len().checked_sub(1).filter(|&last| columns[last].has_classes(rows)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(text: &str, label: Option<&str>) -> Result<TableLook, String> {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("table.csv");
        std::fs::write(&path, text).expect("writable");
        TableLook::at(&path, label).map_err(|error| error.to_string())
    }

    #[test]
    fn labels_are_found_by_their_name_or_kind() {
        let rows = "1,a,0.5,0\n2,b,0.25,1\n3,a,7,0\n4,b,1,1\n";
        for (heading, label, left_out) in [
            ("id,x,y,class", "class", vec!["id", "x"]),
            ("id,Species,b,n", "Species", vec!["id"]),
            ("n,x,b,c", "x", vec![]),
        ] {
            let found = look(&format!("{heading}\n{rows}"), None).expect("clear");
            assert_eq!(found.label, label);
            let names: Vec<&str> = found.leave_out.iter().map(|(name, _)| name.as_str()).collect();
            assert_eq!(names, left_out, "{heading}");
        }
        let found = look(&format!("a,x,b,c\n{rows}"), Some("c")).expect("named");
        assert_eq!((found.label.as_str(), found.features.len()), ("c", 2));
        let last = look("a,b\n0.1,1\n0.2,0\n0.3,1\n0.4,0\n", None).expect("few values");
        assert_eq!(last.label, "b");
    }

    #[test]
    fn an_unclear_label_is_asked_for() {
        let error = look("a,b\n0.1,1.5\n0.2,2.5\n", None).expect_err("measurements");
        assert!(error.contains("line 1: which column is the label?"), "{error}");
        assert!(error.ends_with("a, b"), "{error}");
        let error = look("a,b\n0,1\n", Some("c")).expect_err("not there");
        assert!(error.contains("there is no column `c`; there are a, b"), "{error}");
    }

    #[test]
    fn images_are_whole_numbers_in_a_square() {
        let names: Vec<String> = (0..64).map(|pixel| format!("p{pixel}")).collect();
        let row = |value: usize| format!("{}{}\n", format!("{value},").repeat(64), value % 2);
        let text = format!("{},digit\n{}{}{}{}", names.join(","), row(0), row(3), row(16), row(9));
        let found = look(&text, None).expect("clear");
        assert!(found.looks_like_pixels);
        assert_eq!(found.square(), Some(8));
    }
}
