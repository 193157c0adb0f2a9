//! Traces whose columns must have the names that this program writes, read row by row.

use std::path::Path;

use super::TraceError;

/// What a time may be.
pub(super) const TIME: &str = "a finite number, not negative";

/// A CSV file being read, with errors that name file and line.
pub(super) struct Table<'a> {
    path: &'a Path,
    reader: csv::Reader<std::fs::File>,
    headings: Vec<String>,
    record: csv::StringRecord,
}

pub(super) struct Row<'t> {
    path: &'t Path,
    record: &'t csv::StringRecord,
}

impl<'a> Table<'a> {
    pub fn open(path: &'a Path) -> Result<Self, TraceError> {
        let wrap = |source| TraceError::Csv { path: path.to_owned(), source };
        let mut reader =
            csv::ReaderBuilder::new().trim(csv::Trim::All).from_path(path).map_err(wrap)?;
        let headings = reader.headers().map_err(wrap)?.iter().map(str::to_owned).collect();
        Ok(Table { path, reader, headings, record: csv::StringRecord::new() })
    }

    /// Where a column is, if there is one of this name.
    pub fn position(&self, name: &str) -> Result<Option<usize>, TraceError> {
        let mut places = (0..self.headings.len()).filter(|&place| self.headings[place] == name);
        let place = places.next();
        if places.next().is_none() {
            return Ok(place);
        }
        let (path, column) = (self.path.to_owned(), name.to_owned());
        Err(TraceError::DoubledColumn { path, column })
    }

    pub fn column(&self, name: &str) -> Result<usize, TraceError> {
        self.position(name)?.ok_or_else(|| TraceError::Column {
            path: self.path.to_owned(),
            column: name.to_owned(),
            found: self.headings.join(", "),
        })
    }

    /// The time column and its unit.
    pub fn time_column(&self) -> Result<(usize, String), TraceError> {
        let unit = self.headings.iter().enumerate().find_map(|(index, heading)| {
            heading.strip_prefix("time_").map(|unit| (index, unit.to_owned()))
        });
        match unit {
            Some(found) => Ok(found),
            None => self.column("time_<unit>").map(|index| (index, String::new())),
        }
    }

    pub fn next(&mut self) -> Result<Option<Row<'_>>, TraceError> {
        let more = self
            .reader
            .read_record(&mut self.record)
            .map_err(|source| TraceError::Csv { path: self.path.to_owned(), source })?;
        Ok(more.then_some(Row { path: self.path, record: &self.record }))
    }
}

impl Row<'_> {
    pub fn text(&self, column: usize) -> &str {
        self.record.get(column).unwrap_or("")
    }

    pub fn line(&self) -> u64 {
        self.record.position().map_or(0, csv::Position::line)
    }

    fn refuse(&self, column: &str, field: &str, accepted: &'static str) -> TraceError {
        TraceError::Field {
            path: self.path.to_owned(),
            line: self.line(),
            column: column.to_owned(),
            field: field.to_owned(),
            accepted,
        }
    }

    pub fn index(&self, column: usize, name: &str) -> Result<u32, TraceError> {
        let field = self.text(column);
        field.parse().map_err(|_| self.refuse(name, field, "a whole number from 0 to 4294967295"))
    }

    pub fn time(&self, column: usize) -> Result<f64, TraceError> {
        let field = self.text(column);
        match field.parse() {
            Ok(time) if (0.0..f64::INFINITY).contains(&time) => Ok(time),
            _ => Err(self.refuse("time", field, TIME)),
        }
    }
}
