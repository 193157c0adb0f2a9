//! What of a recording is shown, and in which order.

use std::str::FromStr;

/// What of a recording is shown.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// From when to when; the end is not part of it.
    pub window: Window,
    /// Names of the populations, the lowest first; all of the recording's if there are none.
    pub populations: Vec<String>,
    /// Which neurons of each population.
    pub neurons: Option<IndexRanges>,
    /// Which samples.
    pub samples: Option<IndexRanges>,
    /// How many samples are shown, at most, if none are chosen: the first ones.
    pub most_samples: Option<usize>,
    /// The order of the rows.
    pub sort: Sort,
}

/// The order of the rows, from the lowest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sort {
    /// By population, and in each by index.
    #[default]
    Population,
    /// By index, whatever the population: for neurons that are numbered across populations.
    Index,
    /// By population, and in each by the first spike in the picture; silent neurons last.
    FirstSpike,
}

/// A time window; an end that is missing is that of the spikes.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Window {
    /// The beginning.
    pub from: Option<f64>,
    /// The end.
    pub to: Option<f64>,
}

impl Window {
    /// Whether a time is in it.
    pub fn contains(&self, time: f64) -> bool {
        self.from.is_none_or(|from| from <= time) && self.to.is_none_or(|to| time < to)
    }
}

impl FromStr for Window {
    type Err = ParseSelectionError;

    fn from_str(text: &str) -> Result<Self, ParseSelectionError> {
        let wrong = || ParseSelectionError::NoWindow { text: text.to_owned() };
        let (from, to) = text.split_once(':').ok_or_else(wrong)?;
        let time = |part: &str| match part.trim() {
            "" => Ok(None),
            part => {
                part.parse().ok().filter(|time: &f64| time.is_finite()).map(Some).ok_or_else(wrong)
            }
        };
        let window = Window { from: time(from)?, to: time(to)? };
        match window {
            Window { from: None, to: None } => Err(wrong()),
            Window { from: Some(from), to: Some(to) } if from >= to => {
                Err(ParseSelectionError::EmptyWindow { text: text.to_owned() })
            }
            window => Ok(window),
        }
    }
}

/// Numbers from 0, as ranges: `0-9,17`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IndexRanges {
    /// First and last, both included, in ascending order and apart.
    ranges: Vec<(u32, u32)>,
}

impl IndexRanges {
    /// Whether a number is in one of them.
    pub fn contains(&self, index: u32) -> bool {
        let after = self.ranges.partition_point(|&(first, _)| first <= index);
        after > 0 && index <= self.ranges[after - 1].1
    }
}

impl FromStr for IndexRanges {
    type Err = ParseSelectionError;

    fn from_str(text: &str) -> Result<Self, ParseSelectionError> {
        let number = |part: &str| {
            let wrong = |_| ParseSelectionError::NoIndex { part: part.to_owned() };
            part.trim().parse::<u32>().map_err(wrong)
        };
        let mut ranges = Vec::new();
        for part in text.split(',') {
            let (first, last) = match part.split_once('-') {
                Some((first, last)) => (number(first)?, number(last)?),
                None => (number(part)?, number(part)?),
            };
            if first > last {
                return Err(ParseSelectionError::Descending { part: part.to_owned() });
            }
            ranges.push((first, last));
        }
        ranges.sort_unstable();
        ranges.dedup_by(|next, kept| {
            let joined = u64::from(next.0) <= u64::from(kept.1) + 1;
            if joined {
                kept.1 = kept.1.max(next.1);
            }
            joined
        });
        Ok(IndexRanges { ranges })
    }
}

impl std::fmt::Display for IndexRanges {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (index, (first, last)) in self.ranges.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            if first == last {
                write!(f, "{comma}{first}")?;
            } else {
                write!(f, "{comma}{first}-{last}")?;
            }
        }
        Ok(())
    }
}

/// A text that is no part of a selection.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseSelectionError {
    /// It is no window of time.
    #[error("`{text}` is no time window: write FROM:TO, FROM: or :TO, as in 0.5:2")]
    NoWindow {
        /// The text.
        text: String,
    },
    /// The window does not end after it begins.
    #[error("`{text}`: the window must end after it begins")]
    EmptyWindow {
        /// The text.
        text: String,
    },
    /// A part of it is no index.
    #[error("`{part}` is no index: write 0-9,17, with whole numbers up to {}", u32::MAX)]
    NoIndex {
        /// The part.
        part: String,
    },
    /// A range ends before it begins.
    #[error("`{part}` must go up")]
    Descending {
        /// The range.
        part: String,
    },
}

/// A selection that the recording has nothing of.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SelectionError {
    /// A population is not there.
    #[error("there is no population `{name}`; there {found}")]
    Population {
        /// What was asked for.
        name: String,
        /// What there is.
        found: String,
    },
    /// None of the samples is there.
    #[error("no sample of {asked} is in the trace: {found}")]
    Samples {
        /// What was asked for.
        asked: String,
        /// What there is.
        found: String,
    },
    /// None of the neurons is there.
    #[error("no neuron of {asked} is in the trace: {found}")]
    Neurons {
        /// What was asked for.
        asked: String,
        /// What there is.
        found: String,
    },
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn windows_have_two_ends_or_one() {
        let window = |text: &str| text.parse::<Window>().map(|window| (window.from, window.to));
        assert_eq!(window("0.5:2"), Ok((Some(0.5), Some(2.0))));
        assert_eq!(window("-1e3:"), Ok((Some(-1000.0), None)));
        assert_eq!(window(" : 7"), Ok((None, Some(7.0))));
        for bad in ["", ":", "1", "2:1", "1:1", "a:b", "nan:1", "0:inf", "1:2:3"] {
            assert!(window(bad).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn ranges_contain_what_was_written(
            parts in prop::collection::vec((0_u32..50, 0_u32..8), 1..6), largest in any::<bool>()
        ) {
            let mut text: Vec<String> =
                parts.iter().map(|(first, more)| format!("{first}-{}", first + more)).collect();
            if largest {
                text.push(u32::MAX.to_string());
            }
            let ranges: IndexRanges = text.join(",").parse().expect("ranges");
            for index in 0..60 {
                let expected =
                    parts.iter().any(|&(first, more)| (first..=first + more).contains(&index));
                prop_assert_eq!(ranges.contains(index), expected);
            }
            prop_assert_eq!(ranges.contains(u32::MAX), largest);
            prop_assert_eq!(ranges.to_string().parse::<IndexRanges>(), Ok(ranges));
        }
    }

    #[test]
    fn what_is_no_range_is_refused() {
        for bad in ["", "x", "3-1", "-1", "1-", "1,,2", "4294967296", "1.5"] {
            assert!(bad.parse::<IndexRanges>().is_err(), "{bad}");
        }
    }
}
