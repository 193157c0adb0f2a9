//! What all settings have in common: they read and check themselves.
//!
//! A setting is a field of a plain struct, with its unit, its range and its default beside it. The
//! struct reads itself from a file by serde, and notes what is out of range as [`Settings`]. Files of
//! settings, such as scenarios and chip files, are made of such structs.
//!
//! ```
//! use firstspike::learning::Loss;
//! use firstspike::settings::Settings;
//!
//! let loss = Loss::MeanSquaredError { correct: -1.0, wrong: 2.0 };
//! let problem = &loss.problems()[0];
//! assert_eq!(problem.key, "mean_squared_error.correct");
//! assert_eq!(problem.message, "-1 must be finite and above 0");
//! ```

pub(crate) mod number_or_auto;
#[cfg(feature = "schema")]
pub(crate) mod schema;
mod time_unit;
pub mod time_units;

use std::fmt::Display;
use std::ops::RangeBounds;

pub use time_unit::TimeUnit;

/// The smallest size of a number that must not be zero, such as a time constant. Products and quotients
/// of a few numbers from here to [`MOST`] are far from what doubles can hold, 1e-308 to 1e308.
pub const LEAST: f64 = 1e-100;

/// The largest size of a number, such as a weight or a time.
pub const MOST: f64 = 1e100;

/// Something wrong with the value of a key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{key}: {message}")]
pub struct Problem {
    /// Dotted path of the key: `layers.0.size`.
    pub key: String,
    /// What is wrong, and what is accepted.
    pub message: String,
}

/// Settings that check themselves.
pub trait Settings {
    /// Notes what is wrong with the values.
    fn check(&self, check: &mut Check<'_>);

    /// What is wrong with the values, in the order of the fields; nothing if all is well.
    fn problems(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        self.check(&mut Check::new(&mut problems));
        problems
    }
}

/// Collects what is wrong with the settings of a section. Keys are relative to it; the empty key is
/// the section itself.
#[derive(Debug)]
pub struct Check<'p> {
    /// Path of the section; empty at the top.
    section: String,
    problems: &'p mut Vec<Problem>,
}

impl<'p> Check<'p> {
    /// A check at the top, which adds to a list of problems.
    pub fn new(problems: &'p mut Vec<Problem>) -> Self {
        Check { section: String::new(), problems }
    }

    /// A check of the settings under a key.
    pub fn section(&mut self, key: impl Display) -> Check<'_> {
        Check { section: self.path(&key.to_string()), problems: self.problems }
    }

    /// Checks settings that stand under a key.
    pub fn settings(&mut self, key: impl Display, settings: &impl Settings) {
        settings.check(&mut self.section(key));
    }

    fn path(&self, key: &str) -> String {
        match (self.section.as_str(), key) {
            ("", key) => key.to_owned(),
            (section, "") => section.to_owned(),
            (section, key) => format!("{section}.{key}"),
        }
    }

    /// Notes a problem.
    pub fn refuse(&mut self, key: impl AsRef<str>, message: impl Into<String>) {
        self.problems.push(Problem { key: self.path(key.as_ref()), message: message.into() });
    }

    /// Notes a problem unless something holds.
    pub fn require(&mut self, holds: bool, key: impl AsRef<str>, message: impl FnOnce() -> String) {
        if !holds {
            self.refuse(key, message());
        }
    }

    /// Notes a value that is out of a range; `accepted` is the range in words, after "must be".
    pub fn range<T: PartialOrd + Display>(
        &mut self,
        key: impl AsRef<str>,
        value: T,
        range: impl RangeBounds<T>,
        accepted: &str,
    ) {
        self.require(range.contains(&value), key, || format!("{value} must be {accepted}"));
    }

    /// Notes a value that is not above zero, infinite, or beyond [`LEAST`] or [`MOST`].
    pub fn positive(&mut self, key: impl AsRef<str>, value: f64) {
        if !(value > 0.0 && value.is_finite()) {
            self.refuse(key, format!("{value} must be finite and above 0"));
        } else if !(LEAST..=MOST).contains(&value) {
            self.refuse(key, format!("{value:e} must be from {LEAST:e} to {MOST:e}"));
        }
    }

    /// Notes a value that is negative, infinite, or beyond [`MOST`].
    pub fn not_negative(&mut self, key: impl AsRef<str>, value: f64) {
        if !(value >= 0.0 && value.is_finite()) {
            self.refuse(key, format!("{value} must be finite and not negative"));
        } else if value > MOST {
            self.refuse(key, format!("{value:e} must be at most {MOST:e}"));
        }
    }

    /// Notes a number of zero, and one that is too large.
    pub fn size(&mut self, key: &str, size: usize, largest: usize) {
        self.at_least_one(key, size);
        self.require(size <= largest, key, || format!("{size} must be at most {largest}"));
    }

    /// Notes a number of zero.
    pub fn at_least_one(&mut self, key: impl AsRef<str>, count: usize) {
        self.require(count > 0, key, || "0 must be at least 1".to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn problems_have_the_whole_path_and_what_is_accepted() {
        let mut problems = Vec::new();
        let mut check = Check::new(&mut problems);
        check.at_least_one("epochs", 0);
        let mut layer = check.section("layers.1");
        layer.positive("weights.scale", f64::NAN);
        layer.section("delays").range("", -1.0, 0.0..=1.0, "from 0 to 1");
        check.not_negative("fine", 0.0);
        let texts: Vec<String> = problems.iter().map(Problem::to_string).collect();
        let expected = [
            "epochs: 0 must be at least 1",
            "layers.1.weights.scale: NaN must be finite and above 0",
            "layers.1.delays: -1 must be from 0 to 1",
        ];
        assert_eq!(texts, expected);
    }
}
