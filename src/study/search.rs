//! Random search: points that are drawn, within a budget of trainings.
//!
//! Every axis draws from a stream of its own, so that a larger budget adds points and changes none.

use std::collections::HashSet;

use rand::RngExt;
use rand::rngs::ChaCha8Rng;
use serde::Deserialize;

use super::AxisValue;
use crate::random;
use crate::settings::Check;

/// Draws of a point that was there already before the search says that there are no others.
const MOST_REPEATS: usize = 1000;

/// An interval from which values are drawn.
#[derive(Clone, Copy, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct RandomRange {
    /// The lower end. Finite; above zero if `logarithmic`.
    pub from: f64,
    /// The upper end. Finite, above `from`.
    pub to: f64,
    /// Whether each ratio is as likely, not each difference: for what varies over powers of ten.
    #[serde(default)]
    pub logarithmic: bool,
    /// Whether values are whole numbers, ends included.
    #[serde(default)]
    pub whole: bool,
}

/// What an axis of a search draws from.
#[derive(Clone, Debug)]
pub(super) enum Pool {
    /// One of a list.
    List(Vec<AxisValue>),
    /// An interval.
    Interval(RandomRange),
}

impl RandomRange {
    /// Notes what is wrong with it.
    pub fn check(self, mut check: Check<'_>) {
        let RandomRange { from, to, logarithmic, whole } = self;
        if !(from.is_finite() && to.is_finite() && from < to) {
            check.refuse("", format!("from {from} to {to}: must be finite, from below to"));
        } else if logarithmic && from <= 0.0 {
            check.refuse("from", format!("{from} must be above 0 if logarithmic"));
        }
        let exact = from.fract() == 0.0 && to.fract() == 0.0 && from.abs().max(to.abs()) < 1e15;
        check.require(!whole || exact, "whole", || {
            format!("from {from} to {to}: must be whole numbers below 1e15")
        });
    }

    fn draw(self, random: &mut ChaCha8Rng) -> AxisValue {
        let RandomRange { from, to, logarithmic, whole } = self;
        // Half a step beyond the ends, so that each whole number is as likely.
        let (low, high) = if whole { (from - 0.5, to + 0.5) } else { (from, to) };
        let share: f64 = random.random();
        let value =
            if logarithmic { low * (high / low).powf(share) } else { low + (high - low) * share };
        if whole {
            return AxisValue::Integer(value.round().clamp(from, to) as i64);
        }
        // Four digits tell points apart, and are readable in the results.
        let short: f64 = format!("{value:.3e}").parse().unwrap_or(value);
        AxisValue::Number(short.clamp(from, to))
    }
}

impl Pool {
    fn draw(&self, random: &mut ChaCha8Rng) -> AxisValue {
        match self {
            Pool::List(values) => values[random.random_range(0..values.len())].clone(),
            Pool::Interval(range) => range.draw(random),
        }
    }
}

/// Up to `count` different points, as the values of each axis. There are fewer if lists and whole numbers have no
/// more combinations, or if they hardly ever come up. No pool is an empty list.
pub(super) fn draw(pools: &[Pool], count: usize, seed: u64) -> Vec<Vec<AxisValue>> {
    let stream = |axis: usize| random::stream(seed, "study search", axis as u64);
    let mut streams: Vec<ChaCha8Rng> = (0..pools.len()).map(stream).collect();
    let mut axes = vec![Vec::new(); pools.len()];
    let mut seen = HashSet::new();
    let mut repeats = 0;
    while seen.len() < count && repeats < MOST_REPEATS {
        let point: Vec<AxisValue> =
            pools.iter().zip(&mut streams).map(|(pool, stream)| pool.draw(stream)).collect();
        if seen.insert(point.iter().map(ToString::to_string).collect::<Vec<_>>()) {
            axes.iter_mut().zip(point).for_each(|(axis, value)| axis.push(value));
            repeats = 0;
        } else {
            repeats += 1;
        }
    }
    axes
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: RandomRange = RandomRange { from: 1e-4, to: 1e-1, logarithmic: true, whole: false };
    const SIZE: RandomRange = RandomRange { from: 20.0, to: 23.0, logarithmic: false, whole: true };

    #[test]
    fn a_larger_budget_adds_points_and_changes_none() {
        let pools = [Pool::Interval(RATE), Pool::Interval(SIZE)];
        let (few, many) = (draw(&pools, 10, 3), draw(&pools, 50, 3));
        assert_eq!((many[0].len(), many[1].len()), (50, 50));
        assert_eq!((&few[0][..], &few[1][..]), (&many[0][..10], &many[1][..10]));
        assert_ne!(draw(&pools, 10, 4), few);
    }

    #[test]
    fn ratios_are_as_likely_and_ends_are_kept() {
        let drawn = draw(&[Pool::Interval(RATE)], 3000, 1).remove(0);
        let numbers: Vec<f64> = drawn.iter().filter_map(AxisValue::number).collect();
        assert!(numbers.iter().all(|value| (1e-4..=1e-1).contains(value)));
        let below = numbers.iter().filter(|value| **value < 1e-3).count() as f64;
        // A third of the decades; four standard errors are 0.034.
        assert!((below / numbers.len() as f64 - 1.0 / 3.0).abs() < 0.035, "{below}");
    }

    #[test]
    fn no_point_is_there_twice() {
        let words = vec![AxisValue::Text("a".into()), AxisValue::Boolean(true)];
        let axes = draw(&[Pool::List(words), Pool::Interval(SIZE)], 100, 1);
        assert_eq!(axes[0].len(), 8, "two words, four sizes: {axes:?}");
    }
}
