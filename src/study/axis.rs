//! What a study varies.

use std::collections::HashSet;
use std::fmt;

use serde::Deserialize;

use super::search::{Pool, RandomRange};
use crate::settings::Check;

/// One value on an axis.
#[derive(Clone, Debug, PartialEq)]
pub enum AxisValue {
    /// Whatever the base scenario has: nothing is set. In files `"base"`.
    Base,
    /// A whole number.
    Integer(i64),
    /// A number.
    Number(f64),
    /// A truth value.
    Boolean(bool),
    /// A word.
    Text(String),
}

/// One direction in which a study varies its scenario.
#[derive(Clone, Debug, PartialEq)]
pub struct Axis {
    /// Column of the results: letters, digits and `_`.
    pub name: String,
    /// The keys of the scenario that are set, all to the same value.
    pub keys: Vec<String>,
    /// What a number is multiplied by to get the value of the keys: the axis may be in other units.
    pub factor: f64,
    /// What it is, for figures.
    pub label: String,
    /// Its unit; empty for a mere number.
    pub unit: String,
    /// The values, in the order of figures.
    pub values: Vec<AxisValue>,
    /// The value without distortion, with which the others are compared.
    pub ideal: Option<AxisValue>,
    /// What figures call the value `"base"`.
    pub base_label: String,
    /// Whether the values are on a logarithmic scale: how one interpolates between them.
    pub is_logarithmic: bool,
}

/// One direction in which a study varies its scenario. Its values are one of `values`, `linear`, `logarithmic`
/// and `random`.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "Axis"))]
#[serde(deny_unknown_fields)]
pub(super) struct AxisEntry {
    /// Column of the results: letters, digits and `_`.
    pub name: String,
    /// The key of the scenario that varies, with dots: `training.batch_size`. Default: required, or `keys`.
    pub key: Option<String>,
    /// Keys that are all set to the same value. Default: only `key`.
    pub keys: Option<Vec<String>>,
    /// What a number is multiplied by to get the value of the key: the axis may be in other units. Finite, not
    /// zero. Default: 1.
    pub factor: Option<f64>,
    /// What it is, for figures. Default: `name`.
    pub label: Option<String>,
    /// Its unit, for figures. Default: none.
    #[serde(default)]
    pub unit: String,
    /// The values, one by one. Default: one of the four is required.
    pub values: Option<Vec<AxisValue>>,
    /// Evenly spaced values. Default: one of the four is required.
    pub linear: Option<Range>,
    /// Values with even ratios. Default: one of the four is required.
    pub logarithmic: Option<Range>,
    /// Values that are drawn from an interval, as many as `study.budget` allows. Default: one of the four is
    /// required.
    pub random: Option<RandomRange>,
    /// The value without distortion, with which the others are compared. Default: none.
    pub ideal: Option<AxisValue>,
    /// What figures call the value `"base"`. Default: `base`.
    pub base_label: Option<String>,
}

/// Evenly spaced values, ends included.
#[derive(Clone, Copy, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct Range {
    /// The first. Finite; above zero if they are logarithmic.
    pub from: f64,
    /// The last. Finite; above zero if they are logarithmic.
    pub to: f64,
    /// How many. From 2 to 10000.
    pub count: usize,
}

/// More values of one axis are surely a mistake.
const MOST_VALUES: usize = 10_000;

#[cfg(feature = "schema")]
impl schemars::JsonSchema for AxisValue {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "AxisValue".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "A number, `inf` included, `true` or `false`, a word, or `\"base\"` for the base \
                            scenario's own value.",
            "type": ["number", "boolean", "string"],
        })
    }
}

impl<'de> Deserialize<'de> for AxisValue {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(
            untagged,
            expecting = "expected a number, true or false, a word, or \"base\" for the base scenario's \
                         own value"
        )]
        enum Written {
            Integer(i64),
            Number(f64),
            Boolean(bool),
            Text(String),
        }
        Ok(match Written::deserialize(deserializer)? {
            Written::Integer(value) => AxisValue::Integer(value),
            Written::Number(value) => AxisValue::Number(value),
            Written::Boolean(value) => AxisValue::Boolean(value),
            Written::Text(word) if word == "base" => AxisValue::Base,
            Written::Text(word) => AxisValue::Text(word),
        })
    }
}

impl fmt::Display for AxisValue {
    /// As it is in the results.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AxisValue::Base => formatter.write_str("base"),
            AxisValue::Integer(value) => value.fmt(formatter),
            // Negative zero would be another value in the file only.
            AxisValue::Number(value) => (value + 0.0).fmt(formatter),
            AxisValue::Boolean(value) => value.fmt(formatter),
            AxisValue::Text(word) => word.fmt(formatter),
        }
    }
}

impl AxisValue {
    /// The number, if it is one; infinity is.
    pub fn number(&self) -> Option<f64> {
        match *self {
            AxisValue::Integer(value) => Some(value as f64),
            AxisValue::Number(value) => Some(value),
            _ => None,
        }
    }

    /// Whether two values are the same; `1` and `1.0` are.
    pub fn is(&self, other: &AxisValue) -> bool {
        self.to_string() == other.to_string()
    }
}

impl Axis {
    /// Changes of the scenario for a value, as `key=value`.
    pub fn overrides(&self, value: &AxisValue) -> Vec<String> {
        let text = match value {
            AxisValue::Base => return Vec::new(),
            AxisValue::Integer(value) if self.factor == 1.0 => value.to_string(),
            AxisValue::Integer(value) => number(*value as f64 * self.factor),
            AxisValue::Number(value) => number(value * self.factor),
            AxisValue::Boolean(value) => value.to_string(),
            AxisValue::Text(word) => toml::Value::String(word.clone()).to_string(),
        };
        self.keys.iter().map(|key| format!("{key}={text}")).collect()
    }

    /// What a figure calls a value.
    pub fn name_of(&self, value: &AxisValue) -> String {
        match value {
            AxisValue::Base => self.base_label.clone(),
            AxisValue::Number(value) if *value == f64::INFINITY => "∞".to_owned(),
            other => other.to_string(),
        }
    }

    /// What figures call these values: numbers with as many digits as tell them apart, at least three.
    /// What has no more as it is stays as it is.
    pub fn names_of(&self, values: &[&AxisValue]) -> Vec<String> {
        let rounded = |digits: usize| -> Vec<String> {
            let name = |value: &&AxisValue| match value {
                AxisValue::Number(number) if number.is_finite() => {
                    let short: f64 = format!("{number:.*e}", digits - 1).parse().unwrap_or(*number);
                    self.name_of(&AxisValue::Number(short))
                }
                other => self.name_of(other),
            };
            values.iter().map(name).collect()
        };
        let tells_apart =
            |names: &Vec<String>| names.iter().collect::<HashSet<_>>().len() == names.len();
        (3..17).map(rounded).find(tells_apart).unwrap_or_else(|| rounded(17))
    }

    /// What a figure writes at the axis: quantity and unit.
    pub fn title(&self) -> String {
        if self.unit.is_empty() {
            self.label.clone()
        } else {
            format!("{} [{}]", self.label, self.unit)
        }
    }

    /// What the keys are set to, in words.
    pub(super) fn description(&self) -> String {
        let keys = self.keys.join(", ");
        if self.factor == 1.0 {
            format!("{}: {keys}", self.name)
        } else {
            format!("{}: {} times {keys}", self.name, self.factor)
        }
    }
}

/// A number of TOML. A whole one is written as such: keys that are whole numbers take no other, and
/// keys with fractions take both.
fn number(value: f64) -> String {
    // Beyond, not every whole number is a double.
    let is_whole = value.fract() == 0.0 && value.abs() <= 9_007_199_254_740_992.0;
    if is_whole { format!("{}", value as i64) } else { format!("{value:?}") }
}

impl Range {
    fn values(self, logarithmic: bool) -> Vec<AxisValue> {
        let Range { from, to, count } = self;
        let last = count.max(2) as f64 - 1.0;
        (0..count)
            .map(|index| {
                let share = index as f64 / last;
                let value = if index + 1 == count && count > 1 {
                    to
                } else if logarithmic {
                    from * (to / from).powf(share)
                } else {
                    from + (to - from) * share
                };
                // Ten digits are plenty, and readable in the results.
                AxisValue::Number(format!("{value:.9e}").parse().unwrap_or(value))
            })
            .collect()
    }

    /// The values, if they can be; else notes why not.
    fn checked_values(self, logarithmic: bool, mut check: Check<'_>) -> Vec<AxisValue> {
        let Range { from, to, count } = self;
        let finite = from.is_finite() && to.is_finite() && from != to;
        if !finite || (logarithmic && !(from > 0.0 && to > 0.0)) {
            let sign = if logarithmic { " and above 0" } else { "" };
            check.refuse("", format!("from {from} to {to}: must be finite, different{sign}"));
        } else if !(2..=MOST_VALUES).contains(&count) {
            check.refuse("", format!("count = {count} must be from 2 to {MOST_VALUES}"));
        } else {
            return self.values(logarithmic);
        }
        Vec::new()
    }
}

impl AxisEntry {
    /// The axis, and what a search draws its values from; of no use if a problem is noted.
    pub fn axis(self, check: &mut Check<'_>) -> (Axis, Pool) {
        let fits = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
        check.require(!self.name.is_empty() && self.name.chars().all(fits), "name", || {
            format!("`{}` must be made of letters, digits and `_`", self.name)
        });
        let keys = match (self.key, self.keys) {
            (Some(key), None) => vec![key],
            (None, Some(keys)) if !keys.is_empty() => keys,
            _ => {
                check.refuse("key", "give either `key` or a list of `keys`");
                Vec::new()
            }
        };
        for key in &keys {
            let path = |letter: char| letter.is_ascii_alphanumeric() || "_.-".contains(letter);
            if key.is_empty() || !key.chars().all(path) {
                check.refuse("key", format!("`{key}` must be a key, as in chip.link.loss"));
            } else if key == "seed" {
                check.refuse("key", "seeds are given in [study]");
            }
        }
        let values = match (self.values, self.linear, self.logarithmic, self.random) {
            (Some(values), None, None, None) => {
                check.require((1..=MOST_VALUES).contains(&values.len()), "values", || {
                    format!("{} values must be from 1 to {MOST_VALUES}", values.len())
                });
                values
            }
            (None, Some(range), None, None) => range.checked_values(false, check.section("linear")),
            (None, None, Some(range), None) => {
                range.checked_values(true, check.section("logarithmic"))
            }
            (None, None, None, Some(range)) => {
                range.check(check.section("random"));
                Vec::new()
            }
            _ => {
                check
                    .refuse("values", "give one of `values`, `linear`, `logarithmic` and `random`");
                Vec::new()
            }
        };
        let mut seen = HashSet::new();
        for value in &values {
            if value.number().is_some_and(f64::is_nan) {
                check.refuse("values", "nan is no value");
            } else if !seen.insert(value.to_string()) {
                check.refuse("values", format!("{value} is there twice"));
            }
        }
        if let Some(ideal) = &self.ideal
            && !values.iter().any(|value| value.is(ideal))
        {
            check.refuse("ideal", format!("{ideal} must be one of the values"));
        }
        let factor = self.factor.unwrap_or(1.0);
        check.require(factor.is_finite() && factor != 0.0, "factor", || {
            format!("{factor} must be finite and not 0")
        });
        let pool = self.random.map_or_else(|| Pool::List(values.clone()), Pool::Interval);
        let axis = Axis {
            label: self.label.unwrap_or_else(|| self.name.clone()),
            name: self.name,
            keys,
            factor,
            unit: self.unit,
            values,
            ideal: self.ideal,
            base_label: self.base_label.unwrap_or_else(|| "base".to_owned()),
            is_logarithmic: self.logarithmic.is_some()
                || self.random.is_some_and(|range| range.logarithmic),
        };
        (axis, pool)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Problem;

    fn axis(text: &str) -> Result<Axis, Vec<Problem>> {
        let mut problems = Vec::new();
        let entry: AxisEntry = toml::from_str(text).expect("an axis");
        let (axis, _) = entry.axis(&mut Check::new(&mut problems));
        if problems.is_empty() { Ok(axis) } else { Err(problems) }
    }

    fn shown(values: &[AxisValue]) -> Vec<String> {
        values.iter().map(AxisValue::to_string).collect()
    }

    #[test]
    fn values_are_lists_and_ranges() {
        let linear = "name = 'a'\nkey = 'k'\nlinear = { from = 0, to = 0.3, count = 4 }";
        assert_eq!(shown(&axis(linear).expect("good").values), ["0", "0.1", "0.2", "0.3"]);
        let steps = "name = 'a'\nkey = 'k'\nlogarithmic = { from = 0.01, to = 10, count = 4 }";
        let steps = axis(steps).expect("good");
        assert_eq!(shown(&steps.values), ["0.01", "0.1", "1", "10"]);
        assert!(steps.is_logarithmic);
        let names = |axis: &Axis| axis.names_of(&axis.values.iter().collect::<Vec<_>>());
        assert_eq!(names(&steps), ["0.01", "0.1", "1", "10"]);
        let odd = "name = 'a'\nkey = 'k'\nlogarithmic = { from = 0.01, to = 1, count = 4 }";
        assert_eq!(names(&axis(odd).expect("good")), ["0.01", "0.0464", "0.215", "1"]);
        let near = "name = 'a'\nkey = 'k'\nvalues = [0.12341, 0.12342, 7, inf]";
        assert_eq!(names(&axis(near).expect("good")), ["0.12341", "0.12342", "7", "∞"]);
        let sizes = "name = 'a'\nkey = 'k'\nlinear = { from = 10, to = 30, count = 3 }";
        let sizes = axis(sizes).expect("good");
        let overrides = sizes.values.iter().flat_map(|value| sizes.overrides(value));
        assert_eq!(overrides.collect::<Vec<_>>(), ["k=10", "k=20", "k=30"]);
        let list = "name = 'a'\nkey = 'k'\nvalues = [1, 2.5, inf, true, 'x y', 'base']";
        let list = axis(list).expect("good");
        assert_eq!(shown(&list.values), ["1", "2.5", "inf", "true", "x y", "base"]);
        let overrides: Vec<String> =
            list.values.iter().flat_map(|value| list.overrides(value)).collect();
        assert_eq!(overrides, ["k=1", "k=2.5", "k=inf", "k=true", "k=\"x y\""]);
    }

    #[test]
    fn several_keys_move_together_and_in_other_units() {
        let both = axis("name = 'a'\nkeys = ['k', 'l.m']\nfactor = 6\nvalues = [1, 0.5]");
        let both = both.expect("good");
        assert_eq!(both.overrides(&both.values[0]), ["k=6", "l.m=6"]);
        assert_eq!(both.overrides(&both.values[1]), ["k=3", "l.m=3"]);
        let odd = axis("name = 'a'\nkey = 'k'\nfactor = 0.5\nvalues = [1, 1e300]").expect("good");
        assert_eq!(odd.overrides(&odd.values[0]), ["k=0.5"]);
        assert_eq!(odd.overrides(&odd.values[1]), ["k=5e299"]);
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (text, key, message) in [
            ("name = 'a b'\nkey = 'k'\nvalues = [1]", "name", "`a b` must be made of"),
            ("name = 'a'\nvalues = [1]", "key", "either `key` or"),
            ("name = 'a'\nkey = 'k=2'\nvalues = [1]", "key", "`k=2` must be a key"),
            ("name = 'a'\nkey = 'seed'\nvalues = [1]", "key", "[study]"),
            ("name = 'a'\nkey = 'k'", "values", "give one of"),
            ("name = 'a'\nkey = 'k'\nvalues = []", "values", "0 values must be"),
            ("name = 'a'\nkey = 'k'\nvalues = [nan]", "values", "nan is no value"),
            ("name = 'a'\nkey = 'k'\nvalues = [1, 1.0]", "values", "1 is there twice"),
            ("name = 'a'\nkey = 'k'\nvalues = [1]\nideal = 0", "ideal", "one of the values"),
            ("name = 'a'\nkey = 'k'\nvalues = [1]\nfactor = 0", "factor", "not 0"),
            (
                "name = 'a'\nkey = 'k'\nlogarithmic = { from = 0, to = 1, count = 3 }",
                "logarithmic",
                "above 0",
            ),
            ("name = 'a'\nkey = 'k'\nlinear = { from = 0, to = 1, count = 1 }", "linear", "count"),
        ] {
            let problems = axis(text).expect_err(text);
            assert!(
                problems.iter().any(|found| found.key == key && found.message.contains(message)),
                "{text}: {problems:?}"
            );
        }
    }
}
