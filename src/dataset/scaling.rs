//! Features of any range as numbers from 0 to 1.

use serde::{Deserialize, Serialize};

use crate::settings::{Check, Settings};

/// What the features of tables are scaled by. It is found in the training set and kept with the network, so that
/// new samples are scaled alike; what is beyond it becomes 0 or 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub enum ScalingRule {
    /// Nothing: features are numbers from 0 to 1.
    #[default]
    None,
    /// Each feature by its range, or by its deciles if a few values reach far beyond the others (if the middle
    /// 80 % of the values are within 40 % of the range). Deciles spread the spikes of such a feature evenly.
    Auto,
    /// Each feature by its range.
    Range,
    /// All features by the range that they have together: what suits the pixels of images.
    CommonRange,
    /// Each feature by the quantiles of this share and of one minus it, so that a few extreme values do not
    /// squeeze all others. Above 0, below 0.5.
    Quantiles(f64),
}

impl Settings for ScalingRule {
    fn check(&self, check: &mut Check<'_>) {
        if let ScalingRule::Quantiles(share) = *self {
            check.require(share > 0.0 && share < 0.5, "quantiles", || {
                format!("{share} must be above 0 and below 0.5")
            });
        }
    }
}

/// What becomes 0 and what becomes 1, for each feature. Between them numbers are scaled linearly.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scaling {
    /// What becomes 0, and what is below it.
    pub low: Vec<f64>,
    /// What becomes 1, and what is above it. Where it is not above `low`, all becomes 0.
    pub high: Vec<f64>,
    /// What becomes the fractions between, at equal steps: of nine values 0.1, 0.2, … Between them numbers are
    /// scaled linearly. Empty for a feature that is scaled linearly from `low` to `high`; left out if all are.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub between: Vec<Vec<f64>>,
}

/// A feature whose values from the first decile to the last take less of its range is scaled by deciles.
const CROWDED: f64 = 0.4;

impl ScalingRule {
    /// The scaling of features, given row by row; none if they are left as they are.
    pub fn fit(self, values: &[f64], columns: usize) -> Option<Scaling> {
        let ends = |values: &mut dyn Iterator<Item = f64>| {
            values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
                (value.min(low), value.max(high))
            })
        };
        let column = |index: usize| values.iter().skip(index).step_by(columns).copied();
        let sorted = |index: usize| {
            let mut sorted: Vec<f64> = column(index).collect();
            sorted.sort_by(f64::total_cmp);
            sorted
        };
        let mut between = Vec::new();
        let (low, high) = match self {
            ScalingRule::None => return None,
            ScalingRule::Auto => {
                between = (0..columns).map(|index| inner_deciles(&sorted(index))).collect();
                if between.iter().all(Vec::is_empty) {
                    between.clear();
                }
                (0..columns).map(|index| ends(&mut column(index))).unzip()
            }
            ScalingRule::Range => (0..columns).map(|index| ends(&mut column(index))).unzip(),
            ScalingRule::CommonRange => {
                let (low, high) = ends(&mut values.iter().copied());
                (vec![low; columns], vec![high; columns])
            }
            ScalingRule::Quantiles(share) => (0..columns)
                .map(|index| {
                    let sorted = sorted(index);
                    let (low, high) = (quantile(&sorted, share), quantile(&sorted, 1.0 - share));
                    // A feature that is nearly always the same still has a range.
                    if low < high { (low, high) } else { ends(&mut sorted.into_iter()) }
                })
                .unzip(),
        };
        Some(Scaling { low, high, between })
    }
}

/// The nine values that part the values of a feature into tenths; none if they are spread well.
fn inner_deciles(sorted: &[f64]) -> Vec<f64> {
    let deciles: Vec<f64> =
        (1..10).map(|tenth| quantile(sorted, f64::from(tenth) / 10.0)).collect();
    let range = sorted[sorted.len() - 1] - sorted[0];
    if deciles[8] - deciles[0] < CROWDED * range { deciles } else { Vec::new() }
}

/// Linear between the values next to it, as NumPy's.
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let place = share * (sorted.len() - 1) as f64;
    let (below, fraction) = (place.floor() as usize, place.fract());
    let above = (below + 1).min(sorted.len() - 1);
    sorted[below] + fraction * (sorted[above] - sorted[below])
}

impl Scaling {
    /// Scales features, given row by row.
    pub fn apply(&self, values: &mut [f64]) {
        for row in values.chunks_mut(self.low.len().max(1)) {
            for (index, value) in row.iter_mut().enumerate() {
                *value = self.fraction(index, *value);
            }
        }
    }

    /// What becomes the fractions at so many equal steps between 0 and 1, also of a feature that is scaled linearly.
    #[cfg(feature = "cli")]
    pub(crate) fn steps(&self, feature: usize, count: usize) -> Vec<f64> {
        match self.between.get(feature) {
            Some(between) if !between.is_empty() => between.clone(),
            _ => {
                let (low, high) = (self.low[feature], self.high[feature]);
                let step = |index: usize| index as f64 / (count + 1) as f64;
                (1..=count).map(|index| low + step(index) * (high - low)).collect()
            }
        }
    }

    /// What a value of a feature becomes.
    fn fraction(&self, feature: usize, value: f64) -> f64 {
        let (mut low, mut high) = (self.low[feature], self.high[feature]);
        if !(low < high) {
            return 0.0;
        }
        let between = self.between.get(feature).map_or(&[][..], Vec::as_slice);
        // Of equal values the first counts: what many samples share becomes the least that it can be.
        let below = between.partition_point(|&known| known < value);
        if let Some(before) = below.checked_sub(1) {
            low = between[before];
        }
        if let Some(&after) = between.get(below) {
            high = after;
        }
        let part = if high > low { ((value - low) / (high - low)).clamp(0.0, 1.0) } else { 0.0 };
        (below as f64 + part) / (between.len() + 1) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two features of five samples, the second with one far away.
    const ROWS: [f64; 10] = [-1.0, 0.0, 0.0, 1.0, 1.0, 2.0, 2.0, 3.0, 3.0, 1000.0];

    fn scaled(rule: ScalingRule, values: &[f64]) -> Vec<f64> {
        let mut values = values.to_vec();
        rule.fit(&ROWS, 2).expect("it scales").apply(&mut values);
        values
    }

    #[test]
    fn the_ends_of_the_training_set_become_0_and_1() {
        assert_eq!(ScalingRule::None.fit(&ROWS, 2), None);
        assert_eq!(scaled(ScalingRule::Range, &[-1.0, 500.0, 3.0, 1000.0]), [0.0, 0.5, 1.0, 1.0]);
        let common = scaled(ScalingRule::CommonRange, &[-1.0, 1000.0, 499.5, -1.0]);
        assert_eq!(common, [0.0, 1.0, 0.5, 0.0]);
        // A quarter and three quarters: from 0 to 2, and from 1 to 3.
        let quarters = scaled(ScalingRule::Quantiles(0.25), &[1.0, 1.5, 0.0, 1000.0]);
        assert_eq!(quarters, [0.5, 0.25, 0.0, 1.0]);
    }

    #[test]
    fn crowded_values_are_scaled_by_deciles() {
        // 0, 1, … 99, of which the second feature is the exponential: 80 % of it are within 0.01 of its range.
        let rows: Vec<f64> =
            (0..100).flat_map(|value| [f64::from(value), f64::from(value).exp()]).collect();
        let scaling = ScalingRule::Auto.fit(&rows, 2).expect("it scales");
        assert!(scaling.between[0].is_empty());
        assert_eq!(scaling.between[1].len(), 9);
        let mut scaled = rows.clone();
        scaling.apply(&mut scaled);
        for (row, pair) in scaled.chunks(2).enumerate() {
            let place = row as f64 / 99.0;
            assert!((pair[0] - place).abs() < 1e-12, "{row}");
            // Within the tenth that its rank says.
            assert!((pair[1] - place).abs() < 0.1 + 1e-12, "{row}: {}", pair[1]);
        }
        let mut beyond = [-1.0, -1.0, 1e3, 1e300];
        scaling.apply(&mut beyond);
        assert_eq!(beyond, [0.0, 0.0, 1.0, 1.0]);
        // A value that most samples have is the least; what is rare is above it.
        let rare = ScalingRule::Auto.fit(&[&[0.0; 19][..], &[1.0]].concat(), 1).expect("it scales");
        let mut values = [0.0, 0.5, 1.0];
        rare.apply(&mut values);
        assert_eq!(values, [0.0, 0.95, 1.0]);
        // Features that are spread well need no deciles.
        let even = ScalingRule::Auto.fit(&[0.0, 0.3, 0.6, 1.0], 1).expect("it scales");
        assert_eq!(even.between, Vec::<Vec<f64>>::new());
    }

    #[test]
    fn new_values_stay_within_and_constant_features_are_0() {
        assert_eq!(scaled(ScalingRule::Range, &[-7.0, 1e9]), [0.0, 1.0]);
        let constant = ScalingRule::Range.fit(&[5.0, 5.0], 1).expect("it scales");
        let mut values = [5.0, 7.0];
        constant.apply(&mut values);
        assert_eq!(values, [0.0, 0.0]);
    }
}
