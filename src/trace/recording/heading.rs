//! What the columns of a file are: the separator, and which column is which, from the heading or, if
//! there is none, from the first rows.

mod names;

use memchr::memchr;

use super::super::{FormProblem, TraceError};
use super::ColumnNames;
use super::blocks::{Block, Blocks};
use names::{
    NEURONS, POPULATIONS, SAMPLES, TIMES, base, base_and_unit, column_named, find, find_among, list,
};

use super::rows::{is_blank_or_comment, number, numbered, split, whole, without_quotes};

/// What is between two fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Separator {
    Byte(u8),
    /// Any number of spaces and tabs.
    Blanks,
}

impl Separator {
    /// The separator of a line: the first of semicolon, tab and comma that is there, else blanks.
    fn of(text: &[u8]) -> Self {
        let separators = [b';', b'\t', b','];
        let found = separators.into_iter().find(|&separator| memchr(separator, text).is_some());
        found.map_or(Separator::Blanks, Separator::Byte)
    }

    /// How it is called in messages.
    pub fn describe(self) -> &'static str {
        match self {
            Separator::Byte(b';') => "separated by semicolons",
            Separator::Byte(b'\t') => "separated by tabs",
            Separator::Byte(_) => "separated by commas",
            Separator::Blanks => "separated by blanks",
        }
    }
}

/// What a line of a file means.
#[derive(Debug)]
pub(super) struct Layout {
    pub separator: Separator,
    /// How many fields a line has.
    pub fields: usize,
    pub time: usize,
    /// None if the spikes are of one neuron.
    pub neuron: Option<usize>,
    pub population: Option<usize>,
    pub sample: Option<usize>,
    pub time_unit: Option<String>,
    /// Whether the neuron's field is a name and a number, as `in0`: the name is the population.
    pub numbered_names: bool,
    pub has_heading: bool,
    /// Names of the columns, or their numbers if there is no heading.
    pub names: Vec<String>,
}

/// Rows of the first block.
struct Lines<'a> {
    rest: &'a [u8],
    line: u64,
}

impl<'a> Iterator for Lines<'a> {
    /// Line, text without blanks at its end, and how much of the block is behind it.
    type Item = (u64, &'a [u8], &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let end = memchr(b'\n', self.rest).map_or(self.rest.len(), |at| at + 1);
        let (text, rest) = self.rest.split_at(end);
        self.rest = rest;
        self.line += 1;
        Some((self.line - 1, text.trim_ascii_end(), rest))
    }
}

/// A line as texts.
fn texts(text: &[u8], separator: Separator) -> Result<Vec<String>, FormProblem> {
    let mut fields = Vec::new();
    let plain;
    let text = if split(text, separator, &mut fields) {
        plain = without_quotes(text, separator, &mut fields)?;
        &plain
    } else {
        text
    };
    let text_of = |&(start, end): &(usize, usize)| {
        String::from_utf8_lossy(&text[start..end]).trim().to_owned()
    };
    let mut found: Vec<String> = fields.iter().map(text_of).collect();
    if found.len() > 1 && found.last().is_some_and(String::is_empty) {
        found.pop();
    }
    Ok(found)
}

/// A heading whose units in brackets are apart from their names by no blank.
fn heading_texts(text: &[u8], separator: Separator) -> Result<Vec<String>, FormProblem> {
    if separator != Separator::Blanks {
        return texts(text, separator);
    }
    let joined = String::from_utf8_lossy(text).replace(" (", "(").replace(" [", "[");
    texts(joined.as_bytes(), separator)
}

/// Whether every field is a number, so that the line can be no heading.
fn is_data(fields: &[String]) -> bool {
    fields.iter().all(|field| number(field.as_bytes()).is_some())
}

impl Layout {
    /// Finds out what the columns are, and takes the heading off the block.
    ///
    /// # Errors
    /// If there is no time or neuron column, or more than one that may be meant.
    pub fn recognise(
        first: &mut Block,
        names: &ColumnNames,
        blocks: &Blocks,
    ) -> Result<Self, TraceError> {
        let mut lines = Lines { rest: &first.bytes, line: first.first_line };
        let mut comment = None;
        let (line, text, behind) = loop {
            match lines.next() {
                None => return Err(blocks.form(None, FormProblem::CommentsOnly)),
                Some((_, text, _)) if is_blank_or_comment(text) => {
                    comment = Some(text).filter(|text| !text.is_empty()).or(comment);
                }
                Some(found) => break found,
            }
        };
        let form = |problem| blocks.form(Some(line), problem);
        let separator = Separator::of(text);
        let row = heading_texts(text, separator).map_err(form)?;
        let layout = if is_data(&row) {
            let row = texts(text, separator).map_err(form)?;
            // numpy.savetxt and others hide the heading in a comment.
            let heading = comment
                .map(|text| {
                    heading_texts(
                        text.trim_ascii_start().get(1..).unwrap_or(b""),
                        separator_of_comment(text, separator),
                    )
                })
                .and_then(Result::ok)
                .filter(|heading| heading.len() == row.len())
                .filter(|heading| {
                    let has_neurons = find(heading, &NEURONS, base).is_ok();
                    find(heading, &TIMES, |name| base_and_unit(name).0).is_ok()
                        && (has_neurons || heading.len() == 1)
                });
            let rows = Lines { rest: &first.bytes, line: first.first_line };
            match heading {
                Some(heading) => Self::from_heading(heading, separator, names, &form)?,
                None => Self::without_heading(row.len(), separator, rows, names, &form)?,
            }
        } else {
            let rest = behind.len();
            let mut layout = Self::from_heading(row, separator, names, &form)?;
            let mut rows = Lines { rest: behind, line: line + 1 };
            let next = rows.find(|(_, text, _)| !is_blank_or_comment(text));
            if let Some((_, text, _)) = next
                && let Ok(row) = texts(text, separator)
                && layout.population.is_none()
                && let Some(field) = layout.neuron.and_then(|neuron| row.get(neuron))
            {
                let field = field.as_bytes();
                layout.numbered_names = whole(field).is_none() && numbered(field).is_some();
            }
            let heading_length = first.bytes.len() - rest;
            first.bytes.drain(..heading_length);
            first.first_line = line + 1;
            layout
        };
        Ok(layout)
    }

    fn from_heading(
        headings: Vec<String>,
        separator: Separator,
        names: &ColumnNames,
        form: &impl Fn(FormProblem) -> TraceError,
    ) -> Result<Self, TraceError> {
        let there = list(&headings);
        let named = |name: &Option<String>, quantity| match name {
            None => Ok(None),
            Some(name) => column_named(&headings, name).map(Some).ok_or_else(|| {
                let (name, found) = (name.clone(), there.clone());
                form(FormProblem::NoSuchColumn { quantity, name, found })
            }),
        };
        let required = |given: Option<usize>, found: Result<usize, Vec<&str>>, quantity| {
            given.map_or(found, Ok).map_err(|several: Vec<&str>| {
                form(if several.is_empty() {
                    FormProblem::NotRecognised { quantity, found: there.clone() }
                } else {
                    let candidates = several.into_iter().map(str::to_owned).collect();
                    FormProblem::Ambiguous { quantity, candidates }
                })
            })
        };
        let optional = |given: Option<usize>, found: Result<usize, Vec<&str>>, quantity| match (
            given, found,
        ) {
            (Some(given), _) => Ok(Some(given)),
            (None, Ok(found)) => Ok(Some(found)),
            (None, Err(several)) if several.is_empty() => Ok(None),
            (None, Err(several)) => required(None, Err(several), quantity).map(Some),
        };
        let given = [
            named(&names.time, "time")?,
            named(&names.neuron, "neuron")?,
            named(&names.population, "population")?,
            named(&names.sample, "sample")?,
        ];
        // A column that was given for one thing is not recognised as another.
        let free = |column: usize| !given.contains(&Some(column));
        let recognise = |groups: &[&[&str]], name: fn(&str) -> String| {
            find_among(&headings, groups, name, free)
        };
        let time = required(given[0], recognise(&TIMES, |name| base_and_unit(name).0), "time")?;
        let population = optional(given[2], recognise(&POPULATIONS, base), "population")?;
        let sample = optional(given[3], recognise(&SAMPLES, base), "sample")?;
        // Where no column is left that could be the neuron, there is one neuron.
        let others = 1 + usize::from(population.is_some()) + usize::from(sample.is_some());
        let neuron = if headings.len() == others {
            given[1]
        } else {
            Some(required(given[1], recognise(&NEURONS, base), "neuron")?)
        };
        Ok(Layout {
            separator,
            fields: headings.len(),
            time,
            neuron,
            population,
            sample,
            time_unit: base_and_unit(&headings[time]).1,
            numbered_names: false,
            has_heading: true,
            names: headings,
        })
    }

    fn without_heading(
        fields: usize,
        separator: Separator,
        rows: Lines<'_>,
        names: &ColumnNames,
        form: &impl Fn(FormProblem) -> TraceError,
    ) -> Result<Self, TraceError> {
        let numbers: Vec<String> = (1..=fields).map(|number| number.to_string()).collect();
        let column = |name: &Option<String>, quantity| match name {
            None => Ok(None),
            Some(name) => {
                numbers.iter().position(|number| number == name).map(Some).ok_or_else(|| {
                    let (name, columns) = (name.clone(), fields);
                    form(FormProblem::NoSuchNumber { quantity, name, columns })
                })
            }
        };
        let mut time = column(&names.time, "time")?;
        let mut neuron = column(&names.neuron, "neuron")?;
        let population = column(&names.population, "population")?;
        let sample = column(&names.sample, "sample")?;
        if fields == 2 && population.is_none() && sample.is_none() {
            match (time, neuron) {
                (None, None) => (time, neuron) = by_fractions(rows, separator),
                (Some(given), None) => neuron = Some(1 - given),
                (None, Some(given)) => time = Some(1 - given),
                _ => {}
            }
        }
        if fields == 1 {
            time = Some(0);
        }
        match (time, neuron) {
            (Some(time), neuron) if neuron.is_some() || fields == 1 => Ok(Layout {
                separator,
                fields,
                time,
                neuron,
                population,
                sample,
                time_unit: None,
                numbered_names: false,
                has_heading: false,
                names: numbers.iter().map(|number| format!("column {number}")).collect(),
            }),
            _ => Err(form(FormProblem::NoHeading { columns: fields })),
        }
    }
}

/// Of two columns without heading, the one with fractions holds the times, if the other has none.
fn by_fractions(rows: Lines<'_>, separator: Separator) -> (Option<usize>, Option<usize>) {
    let mut has_fractions = [false; 2];
    for (_, text, _) in rows.filter(|(_, text, _)| !is_blank_or_comment(text)) {
        let Ok(row) = texts(text, separator) else { continue };
        for (column, field) in row.iter().take(2).enumerate() {
            has_fractions[column] |= whole(field.as_bytes()).is_none();
        }
    }
    match has_fractions {
        [true, false] => (Some(0), Some(1)),
        [false, true] => (Some(1), Some(0)),
        _ => (None, None),
    }
}

/// A comment may have a separator of its own, or that of the rows.
fn separator_of_comment(text: &[u8], rows: Separator) -> Separator {
    match Separator::of(text) {
        Separator::Blanks => Separator::Blanks,
        _ => rows,
    }
}
