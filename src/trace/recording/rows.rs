//! From the lines of a block to columns.

use std::path::Path;

use memchr::memchr;
use rustc_hash::FxHashMap;

use super::super::{FormProblem, TraceError};
use super::blocks::Block;
use super::heading::{Layout, Separator};
use super::lines::LineNumbers;

/// The spikes of a block.
#[derive(Default)]
pub(super) struct Columns {
    pub times: Vec<f64>,
    pub neurons: Vec<u32>,
    /// Index in `populations`; empty if there is only one.
    pub population: Vec<u16>,
    pub populations: Vec<String>,
    pub samples: Vec<u32>,
    pub lines: LineNumbers,
    /// Rows without a finite time.
    pub without_time: Rows,
    /// Rows earlier than the one before.
    pub unsorted: Rows,
    /// Rows whose time has more digits than a double.
    pub rounded: Rows,
    /// The last line, if it is cut off.
    pub cut_off: Rows,
}

/// Some rows of a file.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Rows {
    pub count: u64,
    /// Line of the first.
    pub first_line: u64,
}

impl Rows {
    pub fn add(&mut self, more: Rows) {
        if self.count == 0 {
            self.first_line = more.first_line;
        }
        self.count += more.count;
    }

    pub fn one(line: u64) -> Rows {
        Rows { count: 1, first_line: line }
    }
}

/// A row that is wrong.
#[derive(Debug)]
pub(super) enum RowError {
    Field { line: u64, column: String, field: String, accepted: &'static str },
    Form { line: u64, problem: FormProblem },
}

impl RowError {
    /// The error with the name of the file.
    pub fn in_file(self, path: &Path) -> TraceError {
        let path = path.to_owned();
        match self {
            RowError::Field { line, column, field, accepted } => {
                TraceError::Field { path, line, column, field, accepted }
            }
            RowError::Form { line, problem } => {
                TraceError::Form { path, line: Some(line), problem }
            }
        }
    }
}

impl RowError {
    /// Whether a row of so many fields that ends too early would give this error.
    fn may_be_cut_off(&self, layout: &Layout, fields: usize) -> bool {
        match self {
            RowError::Form { .. } => fields < layout.fields,
            RowError::Field { column, .. } => layout.names.last() == Some(column),
        }
    }
}

const WHOLE: &str = "a whole number from 0 to 4294967295";
const NUMBERED: &str =
    "a name that ends in the neuron's number, as in the first row (such as `in0`)";
const TIME: &str = "a number";
const DECIMAL_COMMA: &str = "a number (with a decimal point, not a comma)";

/// Reads all rows of a block.
pub(super) fn parse(block: &Block, layout: &Layout) -> Result<Columns, RowError> {
    let mut parser = Parser { layout, columns: Columns::default(), known: FxHashMap::default() };
    let mut fields = Vec::new();
    let (mut at, mut line) = (0, block.first_line);
    while at < block.bytes.len() {
        let end = memchr(b'\n', &block.bytes[at..]).map(|length| at + length);
        let text = block.bytes[at..end.unwrap_or(block.bytes.len())].trim_ascii_end();
        if !is_blank_or_comment(text) {
            let unquoted;
            let text = if split(text, layout.separator, &mut fields) {
                unquoted = without_quotes(text, layout.separator, &mut fields)
                    .map_err(|problem| RowError::Form { line, problem })?;
                &unquoted
            } else {
                text
            };
            match parser.row(text, &fields, line) {
                // The writer of the file was stopped within its last line.
                Err(error) if end.is_none() && error.may_be_cut_off(layout, fields.len()) => {
                    parser.columns.cut_off = Rows::one(line);
                }
                other => other?,
            }
        }
        at = end.map_or(block.bytes.len(), |end| end + 1);
        line += 1;
    }
    Ok(parser.columns)
}

/// Whether there is nothing to read in a line.
pub(super) fn is_blank_or_comment(text: &[u8]) -> bool {
    let text = text.trim_ascii_start();
    text.is_empty() || text[0] == b'#' || text[0] == b'%'
}

/// Start and end of each field. True if there are quotes, and the fields are not to be trusted.
pub(super) fn split(text: &[u8], separator: Separator, fields: &mut Vec<(usize, usize)>) -> bool {
    fields.clear();
    let mut quotes = false;
    match separator {
        Separator::Blanks => {
            let mut start = None;
            for (at, byte) in text.iter().enumerate() {
                quotes |= *byte == b'"';
                match (byte.is_ascii_whitespace(), start) {
                    (true, Some(from)) => {
                        fields.push((from, at));
                        start = None;
                    }
                    (false, None) => start = Some(at),
                    _ => {}
                }
            }
            fields.extend(start.map(|from| (from, text.len())));
        }
        Separator::Byte(separator) => {
            let mut start = 0;
            for (at, &byte) in text.iter().enumerate() {
                if byte == separator {
                    fields.push((start, at));
                    start = at + 1;
                }
                quotes |= byte == b'"';
            }
            fields.push((start, text.len()));
        }
    }
    quotes
}

/// The text without quotes, and the fields in it. A quoted field may hold separators, not line feeds.
pub(super) fn without_quotes(
    text: &[u8],
    separator: Separator,
    fields: &mut Vec<(usize, usize)>,
) -> Result<Vec<u8>, FormProblem> {
    let delimiter = match separator {
        Separator::Byte(byte) => byte,
        Separator::Blanks => b' ',
    };
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .delimiter(delimiter)
        .trim(csv::Trim::All)
        .from_reader(text);
    // The csv crate closes an open quote at the end of the text.
    if text.iter().filter(|byte| **byte == b'"').count() % 2 == 1 {
        return Err(FormProblem::OpenQuote);
    }
    let mut record = csv::ByteRecord::new();
    reader.read_byte_record(&mut record).map_err(FormProblem::NotCsv)?;
    let mut plain = Vec::new();
    fields.clear();
    for field in &record {
        if separator == Separator::Blanks && field.is_empty() {
            continue;
        }
        fields.push((plain.len(), plain.len() + field.len()));
        plain.extend_from_slice(field);
    }
    Ok(plain)
}

/// A number that is whole and not negative, also as `3.0` or `3e0`.
pub(super) fn whole(field: &[u8]) -> Option<u32> {
    let mut value = 0_u64;
    let mut digits = !field.is_empty() && field.len() <= 10;
    for &byte in field {
        digits &= byte.is_ascii_digit();
        value = value.wrapping_mul(10).wrapping_add(u64::from(byte.wrapping_sub(b'0')));
    }
    if digits {
        return u32::try_from(value).ok();
    }
    let value: f64 = number(field)?;
    let is_index = (0.0..=f64::from(u32::MAX)).contains(&value) && value.fract() == 0.0;
    is_index.then_some(value as u32)
}

/// Any number, also an infinite one or none (NaN).
pub(super) fn number(field: &[u8]) -> Option<f64> {
    std::str::from_utf8(field).ok()?.parse().ok()
}

/// A name that ends in a number: the name and the number.
pub(super) fn numbered(field: &[u8]) -> Option<(&str, u32)> {
    let text = std::str::from_utf8(field).ok()?;
    let name = text.trim_end_matches(|letter: char| letter.is_ascii_digit());
    let number = text[name.len()..].parse().ok()?;
    name.starts_with(char::is_alphabetic).then_some((name, number))
}

/// What table programs write where there is no value.
fn is_missing(field: &[u8]) -> bool {
    ["", "na", "n/a", "null", "none"].iter().any(|none| field.eq_ignore_ascii_case(none.as_bytes()))
}

/// Beyond 2^53, not every whole number is a double.
const LARGEST_WHOLE: f64 = 9_007_199_254_740_992.0;

/// Longest name of a population, in characters.
const LONGEST_NAME: usize = 255;

/// What makes a text no name of a population: names stand in tables, pictures and terminals.
fn unfit_name(name: &str) -> Option<FormProblem> {
    let length = name.chars().count();
    if length > LONGEST_NAME {
        return Some(FormProblem::LongName { length, most: LONGEST_NAME });
    }
    let control = name.chars().find(|letter| letter.is_control())?;
    Some(FormProblem::ControlCharacter { control })
}

struct Parser<'a> {
    layout: &'a Layout,
    columns: Columns,
    /// Index of each population's name.
    known: FxHashMap<Vec<u8>, u16>,
}

impl Parser<'_> {
    fn row(&mut self, text: &[u8], fields: &[(usize, usize)], line: u64) -> Result<(), RowError> {
        let layout = self.layout;
        let count = fields.len();
        let ends_with_separator =
            count == layout.fields + 1 && fields.last().is_some_and(|field| field.0 == field.1);
        if count != layout.fields && !ends_with_separator {
            return Err(self.wrong_count(count, line));
        }
        let field = |column: usize| {
            let (start, end) = fields[column];
            text[start..end].trim_ascii()
        };
        let time_field = field(layout.time);
        let time = match number(time_field) {
            Some(time) if time.is_finite() => time,
            None if !is_missing(time_field) => {
                let accepted = if time_field.contains(&b',') { DECIMAL_COMMA } else { TIME };
                return Err(self.refuse(layout.time, time_field, line, accepted));
            }
            _ => {
                self.columns.without_time.add(Rows::one(line));
                return Ok(());
            }
        };
        let (population, neuron) = match layout.neuron {
            Some(column) if layout.numbered_names => numbered(field(column))
                .map(|(name, number)| (name.as_bytes(), number))
                .ok_or_else(|| self.refuse(column, field(column), line, NUMBERED))?,
            Some(column) => {
                let neuron = whole(field(column))
                    .ok_or_else(|| self.refuse(column, field(column), line, WHOLE))?;
                (layout.population.map_or(&b""[..], field), neuron)
            }
            None => (layout.population.map_or(&b""[..], field), 0),
        };
        let sample = match layout.sample {
            None => 0,
            Some(column) => {
                let sample_field = field(column);
                whole(sample_field).ok_or_else(|| self.refuse(column, sample_field, line, WHOLE))?
            }
        };
        let population = self.population(population, line)?;
        let columns = &mut self.columns;
        if columns.times.last().is_some_and(|&last| time < last)
            && columns.samples.last().is_none_or(|&last| last == sample)
        {
            columns.unsorted.add(Rows::one(line));
        }
        if time.abs() > LARGEST_WHOLE {
            columns.rounded.add(Rows::one(line));
        }
        columns.lines.push(columns.times.len(), line);
        columns.times.push(time);
        columns.neurons.push(neuron);
        if layout.sample.is_some() {
            columns.samples.push(sample);
        }
        if columns.populations.len() > 1 {
            columns.population.resize(columns.times.len() - 1, 0);
            columns.population.push(population);
        }
        Ok(())
    }

    /// Index of a population of this name.
    fn population(&mut self, name: &[u8], line: u64) -> Result<u16, RowError> {
        let columns = &mut self.columns;
        let last = columns.population.last().copied().unwrap_or(0);
        if columns.populations.get(usize::from(last)).is_some_and(|text| text.as_bytes() == name) {
            return Ok(last);
        }
        if let Some(&known) = self.known.get(name) {
            return Ok(known);
        }
        let text = String::from_utf8_lossy(name).into_owned();
        if let Some(problem) = unfit_name(&text) {
            return Err(RowError::Form { line, problem });
        }
        let count = columns.populations.len();
        let index = u16::try_from(count)
            .map_err(|_| RowError::Form { line, problem: FormProblem::TooManyPopulations })?;
        self.known.insert(name.to_vec(), index);
        columns.populations.push(text);
        Ok(index)
    }

    fn refuse(&self, column: usize, field: &[u8], line: u64, accepted: &'static str) -> RowError {
        let mut text = String::from_utf8_lossy(field).into_owned();
        if text.chars().count() > 40 {
            text = text.chars().take(40).chain(['…']).collect();
        }
        let field = text.escape_debug().to_string();
        RowError::Field { line, column: self.layout.names[column].clone(), field, accepted }
    }

    fn wrong_count(&self, count: usize, line: u64) -> RowError {
        let problem = FormProblem::FieldCount {
            found: count,
            expected: self.layout.fields,
            has_heading: self.layout.has_heading,
            separator: self.layout.separator.describe(),
        };
        RowError::Form { line, problem }
    }
}
