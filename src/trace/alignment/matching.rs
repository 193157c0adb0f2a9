//! The best matching of two spike trains.
//!
//! Of all ways to pair spikes of A with spikes of B that keep the order in time, it is the one with
//! the least cost: |Δt| for a pair, and half the reach for a spike without partner. That is the metric
//! of Victor and Purpura (J. Neurophysiol. 76, 1996) with q = 2 / reach: two spikes farther apart than
//! the reach are cheaper as one that is missing and one that is extra.
//!
//! The usual dynamic programme looks at every pair of spikes. Here, row by row of A, only those of B
//! within the reach are looked at: the time is proportional to the number of such pairs, which for a
//! reach of half an interval is about that of spikes.

/// What becomes of a spike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Match {
    /// Index in A, index in B.
    Pair(usize, usize),
    /// Index in A.
    Missing(usize),
    /// Index in B.
    Extra(usize),
}

/// Two trains that are too dense to be matched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("more than {MOST_PAIRS} pairs of spikes of a neuron are within reach of each other")]
#[non_exhaustive]
pub struct MatchingError;

/// A byte each: half a gigabyte.
const MOST_PAIRS: usize = 500_000_000;

/// How the best matching of the first spikes of A and of B ends.
const PAIR: u8 = 0;
const MISSING: u8 = 1;
const EXTRA: u8 = 2;

/// Matches two trains, each ascending. The result is in order of time; where two matchings cost the
/// same, it is the one with more pairs at the end.
///
/// # Errors
/// If there are too many pairs of spikes within the reach of each other.
pub fn match_trains(a: &[f64], b: &[f64], reach: f64) -> Result<Vec<Match>, MatchingError> {
    if a == b {
        return Ok((0..a.len()).map(|index| Match::Pair(index, index)).collect());
    }
    // Nothing is farther apart than the ends; a finite cost can be added up.
    let span = |train: &[f64]| train.iter().fold(0.0_f64, |most, time| most.max(time.abs()));
    let alone = 0.5 * reach.min(4.0 * (span(a) + span(b)) + 1.0);
    let rows = Rows::new(a, b, 2.0 * alone)?;
    let (mut cost, mut next) = (vec![0.0], Vec::new());
    let mut choice = vec![EXTRA; rows.cells()];
    // `cost[k]`: of the first spikes of A, as many as rows before, and the first `from + k` of B. Beyond
    // the last, and in the first row, every further spike of B costs the same.
    let mut from = 0;
    for (row, &time) in a.iter().enumerate() {
        let before = |index: usize| -> f64 {
            let last = from + cost.len() - 1;
            if index <= last {
                cost[index - from]
            } else {
                cost[last - from] + (index - last) as f64 * alone
            }
        };
        let (low, high) = rows.band(row);
        let choices = &mut choice[rows.start[row]..];
        next.clear();
        for index in low..=high {
            let missing = before(index) + alone;
            let (mut best, mut how) = (missing, MISSING);
            if index > low {
                let extra = next[index - low - 1] + alone;
                if extra < best {
                    (best, how) = (extra, EXTRA);
                }
                let pair = before(index - 1) + (time - b[index - 1]).abs();
                if pair <= best {
                    (best, how) = (pair, PAIR);
                }
            }
            choices[index - low] = how;
            next.push(best);
        }
        std::mem::swap(&mut cost, &mut next);
        from = low;
    }
    Ok(rows.trace_back(&choice, a.len(), b.len()))
}

/// Which spikes of B are within the reach of each of A.
struct Rows {
    /// First spike of B that may be a partner, and the first behind them.
    bands: Vec<(usize, usize)>,
    /// Where the choices of each row begin.
    start: Vec<usize>,
}

impl Rows {
    fn new(a: &[f64], b: &[f64], reach: f64) -> Result<Self, MatchingError> {
        let (mut low, mut high, mut cells) = (0, 0, 0);
        let (mut bands, mut start) = (Vec::new(), Vec::new());
        for &time in a {
            while low < b.len() && b[low] <= time - reach {
                low += 1;
            }
            high = high.max(low);
            while high < b.len() && b[high] < time + reach {
                high += 1;
            }
            bands.push((low, high));
            start.push(cells);
            cells += high - low + 1;
            if cells > MOST_PAIRS {
                return Err(MatchingError);
            }
        }
        start.push(cells);
        Ok(Rows { bands, start })
    }

    fn cells(&self) -> usize {
        self.start[self.bands.len()]
    }

    fn band(&self, row: usize) -> (usize, usize) {
        self.bands[row]
    }

    /// The choices that led to the end, in order of time.
    fn trace_back(&self, choice: &[u8], mut a: usize, mut b: usize) -> Vec<Match> {
        let mut matches = Vec::with_capacity(a.max(b));
        while a > 0 {
            let (low, high) = self.bands[a - 1];
            // Before the band and behind it, spikes of B are extra.
            if b > high {
                b -= 1;
                matches.push(Match::Extra(b));
                continue;
            }
            match choice[self.start[a - 1] + (b - low)] {
                PAIR => {
                    (a, b) = (a - 1, b - 1);
                    matches.push(Match::Pair(a, b));
                }
                MISSING => {
                    a -= 1;
                    matches.push(Match::Missing(a));
                }
                _ => {
                    b -= 1;
                    matches.push(Match::Extra(b));
                }
            }
        }
        matches.extend((0..b).rev().map(Match::Extra));
        matches.reverse();
        matches
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cost(a: &[f64], b: &[f64], reach: f64, matches: &[Match]) -> f64 {
        let of = |found: &Match| match *found {
            Match::Pair(one, other) => (a[one] - b[other]).abs(),
            _ => 0.5 * reach,
        };
        matches.iter().map(of).sum()
    }

    /// The slow obvious twin: the whole table.
    fn least_cost(a: &[f64], b: &[f64], reach: f64) -> f64 {
        let mut table = vec![vec![0.0; b.len() + 1]; a.len() + 1];
        for row in 0..=a.len() {
            for column in 0..=b.len() {
                let mut best = f64::INFINITY;
                if row == 0 && column == 0 {
                    best = 0.0;
                }
                if row > 0 {
                    best = best.min(table[row - 1][column] + 0.5 * reach);
                }
                if column > 0 {
                    best = best.min(table[row][column - 1] + 0.5 * reach);
                }
                if row > 0 && column > 0 {
                    let pair = (a[row - 1] - b[column - 1]).abs();
                    best = best.min(table[row - 1][column - 1] + pair);
                }
                table[row][column] = best;
            }
        }
        table[a.len()][b.len()]
    }

    fn train() -> impl Strategy<Value = Vec<f64>> {
        prop::collection::vec(0_u32..200, 0..40).prop_map(|mut times| {
            times.sort_unstable();
            times.dedup();
            times.into_iter().map(|time| 0.25 * f64::from(time)).collect()
        })
    }

    proptest! {
        #[test]
        fn the_matching_costs_least_and_has_every_spike_once(
            a in train(), b in train(), reach in 0.1..60.0_f64,
        ) {
            let matches = match_trains(&a, &b, reach).expect("few pairs");
            let (mut in_a, mut in_b) = (0, 0);
            for found in &matches {
                let (one, other) = match *found {
                    Match::Pair(one, other) => (Some(one), Some(other)),
                    Match::Missing(one) => (Some(one), None),
                    Match::Extra(other) => (None, Some(other)),
                };
                prop_assert!(one.is_none_or(|one| one == in_a));
                prop_assert!(other.is_none_or(|other| other == in_b));
                in_a += usize::from(one.is_some());
                in_b += usize::from(other.is_some());
            }
            prop_assert_eq!((in_a, in_b), (a.len(), b.len()));
            let (found, least) = (cost(&a, &b, reach, &matches), least_cost(&a, &b, reach));
            prop_assert!((found - least).abs() < 1e-9, "{found} is not {least}");
        }
    }

    #[test]
    fn partners_are_found_as_one_would() {
        use Match::{Extra, Missing, Pair};
        let found = |a: &[f64], b: &[f64], reach| match_trains(a, b, reach).expect("few pairs");
        assert_eq!(found(&[1.0, 2.0], &[2.1], 0.5), [Missing(0), Pair(1, 0)]);
        assert_eq!(found(&[1.0], &[9.0], 0.5), [Missing(0), Extra(0)]);
        assert_eq!(found(&[1.0], &[9.0], f64::INFINITY), [Pair(0, 0)]);
        assert_eq!(found(&[], &[1.0, 2.0], 1.0), [Extra(0), Extra(1)]);
        assert_eq!(found(&[1.0, 5.0], &[], 1.0), [Missing(0), Missing(1)]);
        assert_eq!(found(&[], &[], 1.0), []);
    }

    #[test]
    fn long_trains_are_matched_in_a_moment() {
        let a: Vec<f64> = (0..300_000).map(f64::from).collect();
        let b: Vec<f64> = a.iter().map(|time| time + 0.1 * (time * 0.7).sin()).collect();
        let matches = match_trains(&a, &b, 0.5).expect("few pairs");
        assert!(matches.iter().enumerate().all(|(at, found)| *found == Match::Pair(at, at)));
        let steps: Vec<f64> = (0..30_000).map(|step| f64::from(step) + 0.5).collect();
        assert_eq!(match_trains(&a, &steps, 1e9), Err(MatchingError));
    }
}
