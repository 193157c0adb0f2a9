//! Histograms: of values at hand, and of values that pass by.

use serde::Serialize;

use super::short;
use crate::trace::bins::bin_of;

/// Bins of a histogram, about: of all but the largest values, and of all.
const BINS: usize = 60;
const ALL_BINS: usize = 600;

/// Counts of values in bins of equal width.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Histogram {
    /// Where the first bin begins.
    pub start: f64,
    /// Width of a bin.
    pub width: f64,
    /// How many values lie in each; a value at an edge is in the bin above.
    pub counts: Vec<u64>,
    /// Mean of the values.
    pub mean: f64,
    /// How many there are.
    pub total: u64,
}

impl Histogram {
    /// The histogram of the values that are finite; none if there are none. The width of its bins is
    /// 1, 2 or 5 times a power of ten.
    pub fn of(values: impl Iterator<Item = f64> + Clone) -> Option<Self> {
        let values = values.filter(|value| value.is_finite());
        let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
        let (mut sum, mut total) = (0.0, 0);
        for value in values.clone() {
            (low, high) = (low.min(value), high.max(value));
            sum += value;
            total += 1;
        }
        if total == 0 {
            return None;
        }
        let spread = if high > low { high - low } else { low.abs().max(1.0) };
        let width = round_step(spread / BINS as f64);
        let place = |value: f64| bin_of(value, 0.0, width);
        let first = place(low);
        let mut counts = vec![0; (place(high) - first) as usize + 1];
        for value in values {
            counts[(place(value) - first) as usize] += 1;
        }
        let mean = short(sum / total as f64);
        Some(Histogram { start: short(first * width), width, counts, mean, total })
    }
}

/// The largest of 1, 2 and 5 times a power of ten that is at most `step`.
fn round_step(step: f64) -> f64 {
    let power = 10_f64.powf(step.log10().floor());
    let found = [5.0, 2.0].into_iter().find(|digit| digit * power <= step);
    found.unwrap_or(1.0) * power
}

/// Bins that values are counted in as they come, however large they are.
const FINE: usize = 8192;

/// A histogram of values above zero that pass by, whose range is not known beforehand: whenever a value
/// lies beyond the last bin, bins are merged in pairs and twice as wide.
#[derive(Clone, Debug)]
pub struct StreamingHistogram {
    width: f64,
    counts: Vec<u64>,
    sum: f64,
    total: u64,
}

impl Default for StreamingHistogram {
    fn default() -> Self {
        StreamingHistogram { width: 2_f64.powi(-40), counts: vec![0; FINE], sum: 0.0, total: 0 }
    }
}

impl StreamingHistogram {
    /// Counts a value, unless it is negative or not finite.
    #[inline]
    pub fn count(&mut self, value: f64) {
        if !(0.0..f64::INFINITY).contains(&value) {
            return;
        }
        while value >= self.width * FINE as f64 {
            self.widen();
        }
        // The width is a power of two: the quotient is exact.
        self.counts[(value / self.width) as usize] += 1;
        self.sum += value;
        self.total += 1;
    }

    /// Merges bins in pairs.
    fn widen(&mut self) {
        for bin in 0..FINE / 2 {
            self.counts[bin] = self.counts[2 * bin] + self.counts[2 * bin + 1];
        }
        self.counts[FINE / 2..].fill(0);
        self.width *= 2.0;
    }

    /// The bin up to which this fraction of the values lies.
    fn quantile_bin(&self, fraction: f64) -> usize {
        let wanted = (fraction * self.total as f64).ceil() as u64;
        let mut below = 0;
        let reached = |count: &u64| {
            below += count;
            below >= wanted
        };
        self.counts.iter().position(reached).unwrap_or(0)
    }

    /// The histogram of the values so far; none if there are none.
    pub fn finish(&self) -> Option<Histogram> {
        let [found] = Self::finish_alike([self.clone()]);
        found
    }

    /// Histograms with the same bins; none where there are no values.
    pub fn finish_alike<const N: usize>(mut all: [Self; N]) -> [Option<Histogram>; N] {
        let widest = all.iter().filter(|histogram| histogram.total > 0).map(|found| found.width);
        let widest = widest.fold(0.0, f64::max);
        let (mut first, mut last) = (FINE, 0);
        for histogram in &mut all {
            while histogram.width < widest {
                histogram.widen();
            }
            let filled = |count: &u64| *count > 0;
            if let Some(lowest) = histogram.counts.iter().position(filled) {
                first = first.min(lowest);
                last = last.max(histogram.counts.iter().rposition(filled).unwrap_or(lowest));
            }
        }
        // A few values that are far off must not make the bins of all others wide.
        let most = all.iter().map(|histogram| histogram.quantile_bin(0.995)).max();
        let span = |last: usize| (last + 1).saturating_sub(first);
        let merged = span(most.unwrap_or(last)).div_ceil(BINS);
        let merged = merged.max(span(last).div_ceil(ALL_BINS)).max(1);
        let first = first - first % merged;
        all.map(|StreamingHistogram { width, counts, sum, total }| {
            (total > 0).then(|| Histogram {
                start: first as f64 * width,
                width: merged as f64 * width,
                counts: counts[first..=last].chunks(merged).map(|bins| bins.iter().sum()).collect(),
                mean: short(sum / total as f64),
                total,
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_finite_value_is_in_its_bin() {
        let values = [0.1, 0.1, 0.25, f64::NAN, 3.05, -0.95];
        let found = Histogram::of(values.into_iter()).expect("there are values");
        assert_eq!((found.width, found.total, found.start), (0.05, 5, -0.95));
        assert_eq!(found.counts.iter().sum::<u64>(), 5);
        let bin = |value: f64| ((value - found.start) / found.width + 1e-9) as usize;
        assert_eq!(found.counts[bin(0.1)], 2);
        assert_eq!(found.counts[bin(3.05)], 1);
        assert_eq!(Histogram::of([f64::NAN].into_iter()), None);
        let same = Histogram::of([2.0; 7].into_iter()).expect("there are values");
        assert_eq!((same.counts.iter().sum::<u64>(), same.mean), (7, 2.0));
    }

    #[test]
    fn passing_values_are_counted_whatever_their_range() {
        for scale in [1e-9, 1.0, 1e9] {
            let mut passing = StreamingHistogram::default();
            let values: Vec<f64> = (1..=1000).map(|value| scale * f64::from(value)).collect();
            values.iter().for_each(|&value| passing.count(value));
            let found = passing.finish().expect("there are values");
            // One more than asked for: bins begin at multiples of their width.
            assert!((31..=BINS + 1).contains(&found.counts.len()), "{}", found.counts.len());
            assert_eq!(found.total, 1000);
            for (bin, &count) in found.counts.iter().enumerate() {
                let low = found.start + bin as f64 * found.width;
                let inside = |value: &&f64| (low..low + found.width).contains(*value);
                assert_eq!(values.iter().filter(inside).count() as u64, count, "{bin}");
            }
        }
        assert_eq!(StreamingHistogram::default().finish(), None);

        let (mut few, mut many) = (StreamingHistogram::default(), StreamingHistogram::default());
        few.count(0.5);
        (0..100).for_each(|value| many.count(f64::from(value)));
        let none = StreamingHistogram::default();
        let [few, many, none] = StreamingHistogram::finish_alike([few, many, none]);
        let (few, many) = (few.expect("a value"), many.expect("values"));
        assert_eq!((few.start, few.width, few.counts.len()), (0.0, many.width, many.counts.len()));
        assert_eq!((few.counts[0], few.mean, none), (1, 0.5, None));
    }
}
