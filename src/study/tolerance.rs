//! How much of a distortion can be borne: where the accuracy falls below that of the ideal.

use super::{Axis, AxisValue, Interval, Quantity, Series, Statistics, Summary, Variant};

/// How much of the median test accuracy may be lost, in percentage points.
pub const ALLOWED_LOSS: f64 = 1.0;

/// How much of one distortion a network bears, in one direction from the ideal.
#[derive(Clone, Debug, PartialEq)]
pub struct Tolerance {
    /// How the network was trained.
    pub variant: Variant,
    /// The series in words, if there are several of a variant.
    pub series: String,
    /// Median test accuracy without the distortion, in percent, and its confidence interval.
    pub ideal: f64,
    /// See there.
    pub ideal_confidence: Option<Interval>,
    /// The value furthest from the ideal that was tested and is borne, with all between.
    pub borne: AxisValue,
    /// Where the median falls below what is allowed.
    pub limit: Limit,
    /// The values between which that is, as far as the confidence intervals of the distorted medians
    /// tell: where their lower and where their upper ends fall below.
    pub between: (Limit, Limit),
}

/// Where a curve falls below a level.
#[derive(Clone, Debug, PartialEq)]
pub enum Limit {
    /// Here: interpolated between the values tested.
    At(f64),
    /// At this value or before: there is nothing to interpolate from.
    Before(AxisValue),
    /// Not within what was tested.
    Beyond,
}

/// The tolerances of a study: for each series, one per direction in which its values leave the ideal.
/// None where there is no ideal value or nothing was measured at it.
pub fn tolerances(summary: &Summary) -> Vec<Tolerance> {
    let Some(axis) = summary.study.axes.first() else { return Vec::new() };
    let Some(ideal) = &axis.ideal else { return Vec::new() };
    let mut found = Vec::new();
    for series in &summary.series {
        let Some(start) = series.groups.iter().position(|group| group.value.is(ideal)) else {
            continue;
        };
        let up: Vec<usize> = (start..series.groups.len()).collect();
        let down: Vec<usize> = (0..=start).rev().collect();
        for path in [down, up] {
            if path.len() > 1 {
                found.extend(tolerance(summary, axis, series, &path));
            }
        }
    }
    found
}

/// The tolerance along a path of groups that begins at the ideal.
fn tolerance(summary: &Summary, axis: &Axis, series: &Series, path: &[usize]) -> Option<Tolerance> {
    let statistics: Vec<(&AxisValue, Statistics)> = path
        .iter()
        .filter_map(|&index| {
            let group = &series.groups[index];
            Some((&group.value, group.statistics(summary, Quantity::Accuracy)?))
        })
        .collect();
    let (first, ideal) = statistics.first()?;
    if !first.is(axis.ideal.as_ref()?) {
        return None;
    }
    let level = ideal.median - ALLOWED_LOSS;
    // The ideal is what the others are compared with: its own confidence is stated apart.
    let curve = |value: fn(&Statistics) -> f64| -> Vec<(&AxisValue, f64)> {
        let distorted = statistics.iter().skip(1).map(|(place, found)| (*place, value(found)));
        [(*first, ideal.median)].into_iter().chain(distorted).collect()
    };
    let low = |found: &Statistics| found.confidence.map_or(found.minimum, |interval| interval.low);
    let high =
        |found: &Statistics| found.confidence.map_or(found.maximum, |interval| interval.high);
    let borne = statistics.iter().take_while(|(_, found)| found.median >= level).last();
    Some(Tolerance {
        variant: series.variant,
        series: summary.name_of(series),
        ideal: ideal.median,
        ideal_confidence: ideal.confidence,
        borne: borne.map_or_else(|| (*first).clone(), |(value, _)| (*value).clone()),
        limit: limit(&curve(|found| found.median), level, axis.is_logarithmic),
        between: (
            limit(&curve(low), level, axis.is_logarithmic),
            limit(&curve(high), level, axis.is_logarithmic),
        ),
    })
}

/// Where a curve first falls below a level.
fn limit(curve: &[(&AxisValue, f64)], level: f64, logarithmic: bool) -> Limit {
    let Some(after) = curve.iter().position(|(_, value)| *value < level) else {
        return Limit::Beyond;
    };
    let (place, value) = curve[after];
    let Some(&(before, above)) = after.checked_sub(1).and_then(|index| curve.get(index)) else {
        return Limit::Before(place.clone());
    };
    let (Some(from), Some(to)) = (before.number(), place.number()) else {
        return Limit::Before(place.clone());
    };
    if !(from.is_finite() && to.is_finite()) {
        return Limit::Before(place.clone());
    }
    let share = (above - level) / (above - value);
    if logarithmic && from > 0.0 && to > 0.0 {
        Limit::At(from * (to / from).powf(share))
    } else {
        Limit::At(from + share * (to - from))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_interpolated_between_numbers() {
        let number = AxisValue::Number;
        let (a, b, c) = (number(0.0), number(0.1), number(0.3));
        let curve = [(&a, 98.0), (&b, 97.5), (&c, 96.5)];
        let Limit::At(found) = limit(&curve, 97.0, false) else { panic!("there is one") };
        assert!((found - 0.2).abs() < 1e-12, "{found}");
        assert_eq!(limit(&curve, 96.5, false), Limit::Beyond, "just borne");
        let (low, high) = (number(0.01), number(1.0));
        let Limit::At(found) = limit(&[(&low, 98.0), (&high, 96.0)], 97.0, true) else {
            panic!("there is one")
        };
        assert!((found - 0.1).abs() < 1e-12, "{found}");
        let bits = AxisValue::Integer(8);
        let curve = [(&AxisValue::Base, 98.0), (&bits, 90.0)];
        assert_eq!(limit(&curve, 97.0, false), Limit::Before(bits.clone()));
        assert_eq!(limit(&curve[1..], 97.0, false), Limit::Before(bits.clone()));
    }
}
