//! The comment of a field, taken apart: meaning, unit, range and default.

/// A comment, taken apart by its sentences.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Description {
    /// What it is.
    pub meaning: String,
    /// In which unit.
    pub unit: String,
    /// What is accepted.
    pub range: String,
    /// What it is if nothing is given.
    pub default: String,
}

/// Bounds of a number.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Bounds {
    pub minimum: Option<f64>,
    pub above: Option<f64>,
    pub maximum: Option<f64>,
    pub below: Option<f64>,
}

/// How sentences begin that say what is accepted.
const RANGES: [&str; 7] =
    ["Above ", "At least ", "At most ", "Below ", "Finite", "From ", "Not negative"];

impl Description {
    /// Of a comment, on one line.
    pub(super) fn of(comment: &str) -> Self {
        let mut found = Description::default();
        let mut meaning = Vec::new();
        for sentence in sentences(comment) {
            let text = sentence.strip_suffix('.').unwrap_or(sentence);
            if let Some(default) = text.strip_prefix("Default: ") {
                found.default = default.to_owned();
            } else if let (Some(unit), true) = (text.strip_prefix("In "), found.unit.is_empty()) {
                found.unit = unit.to_owned();
            } else if RANGES.iter().any(|range| text.starts_with(range)) {
                found.range = format!("{}{}", text[..1].to_lowercase(), &text[1..]);
            } else {
                meaning.push(sentence);
            }
        }
        found.meaning = meaning.join(" ");
        found
    }

    /// The bounds that the range states, as far as they are numbers.
    pub(super) fn bounds(&self) -> Bounds {
        let mut bounds = Bounds::default();
        for clause in self.range.split([',', ';']).map(str::trim) {
            if let Some(ends) = clause.strip_prefix("from ") {
                let (low, high) = ends.split_once(" to ").unwrap_or((ends, ""));
                bounds.minimum = number(low);
                match high.strip_prefix("below ") {
                    Some(high) => bounds.below = number(high),
                    None => bounds.maximum = number(high),
                }
            } else if let Some(low) = clause.strip_prefix("above ") {
                bounds.above = number(low);
            } else if let Some(low) = clause.strip_prefix("at least ") {
                bounds.minimum = number(low);
            } else if let Some(high) = clause.strip_prefix("at most ") {
                bounds.maximum = number(high);
            } else if let Some(high) = clause.strip_prefix("below ") {
                bounds.below = number(high);
            } else if clause == "not negative" {
                bounds.minimum = Some(0.0);
            }
        }
        bounds
    }
}

fn number(text: &str) -> Option<f64> {
    if text == "zero" { Some(0.0) } else { text.replace('−', "-").parse().ok() }
}

/// The sentences of a text: each ends with a full stop before a blank and a capital letter, a digit or code.
fn sentences(text: &str) -> Vec<&str> {
    let mut sentences = Vec::new();
    let mut begin = 0;
    for (place, _) in text.match_indices(". ") {
        let next = text[place + 2..].chars().next();
        if next.is_some_and(|letter| letter.is_uppercase() || "`(".contains(letter)) {
            sentences.push(text[begin..=place].trim());
            begin = place + 2;
        }
    }
    sentences.push(text[begin..].trim());
    sentences.retain(|sentence| !sentence.is_empty());
    sentences
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comment_falls_into_meaning_unit_range_and_default() {
        let found = Description::of(
            "When it starts (see e.g. `a.toml`). In time units. Not negative. It may wait. Default: 0.5.",
        );
        let expected = Description {
            meaning: "When it starts (see e.g. `a.toml`). It may wait.".into(),
            unit: "time units".into(),
            range: "not negative".into(),
            default: "0.5".into(),
        };
        assert_eq!(found, expected);
    }

    #[test]
    fn ranges_of_numbers_are_bounds() {
        let bounds = |range: &str| Description::of(range).bounds();
        let none = Bounds::default();
        for (range, expected) in [
            ("Above zero.", Bounds { above: Some(0.0), ..none }),
            ("Finite, not negative.", Bounds { minimum: Some(0.0), ..none }),
            ("From 0 to below 1.", Bounds { minimum: Some(0.0), below: Some(1.0), ..none }),
            ("From 1 to 24.", Bounds { minimum: Some(1.0), maximum: Some(24.0), ..none }),
            ("Above 0, at most 1e6.", Bounds { above: Some(0.0), maximum: Some(1e6), ..none }),
            ("Above `low`.", none),
            ("Finite.", none),
        ] {
            assert_eq!(bounds(range), expected, "{range}");
        }
    }
}
