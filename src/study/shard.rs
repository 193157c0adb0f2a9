//! A part of a study's trainings, for one of several machines.

use std::fmt;
use std::str::FromStr;

use super::{Job, Study};

/// Every `count`th training, from the `index`th on. Written `3/16`: the third of sixteen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    index: usize,
    count: usize,
}

impl Shard {
    /// All of it.
    pub const WHOLE: Shard = Shard { index: 1, count: 1 };

    /// Whether the training with this number, from 0, belongs to it.
    pub fn has(self, job: usize) -> bool {
        job % self.count == self.index - 1
    }

    /// Its trainings.
    pub fn jobs(self, study: &Study) -> Vec<Job> {
        let all = study.jobs().into_iter().enumerate();
        all.filter(|(index, _)| self.has(*index)).map(|(_, job)| job).collect()
    }

    /// Name of its file of results.
    pub fn file(self) -> String {
        if self == Shard::WHOLE {
            "results.csv".to_owned()
        } else {
            format!("results_{}_of_{}.csv", self.index, self.count)
        }
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.index, self.count)
    }
}

/// A text that is no shard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a shard is written 3/16: the third of sixteen, counted from 1")]
#[non_exhaustive]
pub struct ParseShardError;

impl FromStr for Shard {
    type Err = ParseShardError;

    fn from_str(text: &str) -> Result<Self, ParseShardError> {
        let (index, count) = text.split_once('/').unwrap_or(("", ""));
        match (index.trim().parse::<usize>(), count.trim().parse::<usize>()) {
            (Ok(index), Ok(count)) if (1..=count).contains(&index) => Ok(Shard { index, count }),
            _ => Err(ParseShardError),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_are_a_partition() {
        let shards: Vec<Shard> =
            (1..=5).map(|index| format!("{index}/5").parse().expect("a shard")).collect();
        for job in 0..23 {
            assert_eq!(shards.iter().filter(|shard| shard.has(job)).count(), 1, "{job}");
        }
        for bad in ["0/3", "4/3", "3", "", "a/b", "1/0", "-1/3"] {
            assert!(bad.parse::<Shard>().is_err(), "{bad}");
        }
    }
}
