//! Features of any range as numbers from 0 to 1.

use serde::{Deserialize, Serialize};

use crate::settings::{Check, Settings};

/// What the features of tables are scaled by. It is found in the training set and kept with the network, so that
/// new samples are scaled alike; what is beyond it becomes 0 or 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub enum ScalingRule {
    /// Nothing: features are numbers from 0 to 1.
    #[default]
    None,
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
}

impl ScalingRule {
    /// The scaling of features, given row by row; none if they are left as they are.
    pub fn fit(self, values: &[f64], columns: usize) -> Option<Scaling> {
        let ends = |values: &mut dyn Iterator<Item = f64>| {
            values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
                (value.min(low), value.max(high))
            })
        };
        let column = |index: usize| values.iter().skip(index).step_by(columns).copied();
        let (low, high) = match self {
            ScalingRule::None => return None,
            ScalingRule::Range => (0..columns).map(|index| ends(&mut column(index))).unzip(),
            ScalingRule::CommonRange => {
                let (low, high) = ends(&mut values.iter().copied());
                (vec![low; columns], vec![high; columns])
            }
            ScalingRule::Quantiles(share) => (0..columns)
                .map(|index| {
                    let mut sorted: Vec<f64> = column(index).collect();
                    sorted.sort_by(f64::total_cmp);
                    let (low, high) = (quantile(&sorted, share), quantile(&sorted, 1.0 - share));
                    // A feature that is nearly always the same still has a range.
                    if low < high { (low, high) } else { ends(&mut sorted.into_iter()) }
                })
                .unzip(),
        };
        Some(Scaling { low, high })
    }
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
            for ((value, &low), &high) in row.iter_mut().zip(&self.low).zip(&self.high) {
                let range = high - low;
                *value = if range > 0.0 { ((*value - low) / range).clamp(0.0, 1.0) } else { 0.0 };
            }
        }
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
    fn new_values_stay_within_and_constant_features_are_0() {
        assert_eq!(scaled(ScalingRule::Range, &[-7.0, 1e9]), [0.0, 1.0]);
        let constant = ScalingRule::Range.fit(&[5.0, 5.0], 1).expect("it scales");
        let mut values = [5.0, 7.0];
        constant.apply(&mut values);
        assert_eq!(values, [0.0, 0.0]);
    }
}
