//! Medians, quartiles, and how sure one can be of a median.

use crate::trace::statistics::quantile;

/// Two ends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

/// What a number of values have in common.
#[derive(Clone, Debug, PartialEq)]
pub struct Statistics {
    /// How many values.
    pub count: usize,
    /// The smallest.
    pub minimum: f64,
    /// A quarter is below.
    pub lower_quartile: f64,
    /// Half is below.
    pub median: f64,
    /// Three quarters are below.
    pub upper_quartile: f64,
    /// The largest.
    pub maximum: f64,
    /// An interval that covers the median of all possible seeds with a probability of at least 95 %,
    /// whatever the distribution; there is none for fewer than six values.
    pub confidence: Option<Interval>,
}

/// The confidence level of intervals.
const CONFIDENCE: f64 = 0.95;

impl Statistics {
    /// Statistics of the values that are numbers; none if there are none.
    pub fn of(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut sorted: Vec<f64> = values.into_iter().filter(|value| !value.is_nan()).collect();
        sorted.sort_by(f64::total_cmp);
        let (&minimum, &maximum) = (sorted.first()?, sorted.last()?);
        let count = sorted.len();
        let confidence = median_rank(count)
            .map(|rank| Interval { low: sorted[rank], high: sorted[count - 1 - rank] });
        let [lower_quartile, median, upper_quartile] =
            [0.25, 0.5, 0.75].map(|fraction| quantile(&mut sorted, fraction));
        Some(Statistics {
            count,
            minimum,
            lower_quartile,
            median,
            upper_quartile,
            maximum,
            confidence,
        })
    }
}

/// The largest rank `r`, from 0, for which the `r`th smallest and the `r`th largest of `count` values
/// enclose the median with the confidence: as many values are below it as heads in `count` tosses.
fn median_rank(count: usize) -> Option<usize> {
    let mut probability = 0.5_f64.powi(count as i32);
    let mut below = 0.0;
    let mut rank = None;
    for tails in 0..count.div_ceil(2) {
        below += probability;
        if 2.0 * below > 1.0 - CONFIDENCE {
            break;
        }
        rank = Some(tails);
        probability *= (count - tails) as f64 / (tails + 1) as f64;
    }
    rank
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quartiles_are_interpolated() {
        let found = Statistics::of([4.0, 1.0, f64::NAN, 3.0, 2.0]).expect("there are values");
        assert_eq!(found.count, 4);
        assert_eq!((found.minimum, found.maximum), (1.0, 4.0));
        assert_eq!((found.lower_quartile, found.median, found.upper_quartile), (1.75, 2.5, 3.25));
        assert_eq!(found.confidence, None);
        assert_eq!(Statistics::of([f64::NAN]), None);
    }

    /// The ranks that tables of the sign test give for 95 %.
    #[test]
    fn ranks_of_the_median_are_those_of_the_sign_test() {
        for (count, rank) in
            [(5, None), (6, Some(1)), (9, Some(2)), (12, Some(3)), (20, Some(6)), (50, Some(18))]
        {
            assert_eq!(median_rank(count), rank.map(|rank: usize| rank - 1), "{count}");
        }
    }

    /// Of many samples, at least 95 % of the intervals cover the true median, and not all.
    #[test]
    fn confidence_intervals_cover_the_median() {
        use rand::RngExt;
        const SAMPLES: u64 = 4000;
        let covered = (0..SAMPLES)
            .filter(|&sample| {
                let mut random = crate::random::stream(1, "median test", sample);
                // A skewed distribution with the median 0.125.
                let values = (0..20).map(|_| random.random::<f64>().powi(3));
                let found = Statistics::of(values).and_then(|found| found.confidence);
                let Interval { low, high } = found.expect("enough values");
                low <= 0.125 && 0.125 <= high
            })
            .count();
        // Exactly 95.86 %; the standard deviation of the count is 0.3 %.
        let share = covered as f64 / SAMPLES as f64;
        assert!((0.947..0.97).contains(&share), "{share}");
    }
}
