//! How far apart the samples of a data set are: what tells how much noise they bear.

use rayon::prelude::*;

use super::{Dataset, Encoding};

/// Samples whose nearest neighbours are looked for, and samples among which these are.
const MOST_SAMPLES: usize = 100;
const MOST_OTHERS: usize = 5_000;

/// The distance of a sample to the one that is most like it: the root mean square over their features of what
/// their spike times differ, in time units; the median over samples. Features of which either does not spike do
/// not count. Zero for fewer than two samples.
///
/// Of large data sets 100 samples are compared with 5,000 others, spread evenly.
pub(super) fn nearest_neighbour_distance(dataset: &Dataset, encoding: Encoding) -> f64 {
    let every = |most: usize| (0..dataset.len()).step_by(dataset.len().div_ceil(most).max(1));
    let times = |sample: usize| -> Vec<f64> {
        let spike = |index| encoding.spike_time(dataset.feature(sample, index));
        (0..dataset.feature_count).map(spike).collect()
    };
    let others: Vec<(usize, Vec<f64>)> =
        every(MOST_OTHERS).map(|sample| (sample, times(sample))).collect();
    let chosen: Vec<usize> = every(MOST_SAMPLES).collect();
    let mut distances: Vec<f64> = chosen
        .par_iter()
        .map(|&sample| {
            let own = times(sample);
            let of_others = others.iter().filter(|(other, _)| *other != sample);
            of_others.map(|(_, other)| mean_square(&own, other)).fold(f64::INFINITY, f64::min)
        })
        .filter(|square| square.is_finite())
        .collect();
    distances.sort_by(f64::total_cmp);
    distances.get(distances.len() / 2).map_or(0.0, |square| square.sqrt())
}

/// Mean square of the differences of times that are finite; infinite if there are none.
fn mean_square(times: &[f64], others: &[f64]) -> f64 {
    let differences = times.iter().zip(others).map(|(time, other)| time - other);
    let (sum, count) = differences
        .filter(|difference| difference.is_finite())
        .fold((0.0, 0_u32), |(sum, count), difference| (sum + difference * difference, count + 1));
    if count > 0 { sum / f64::from(count) } else { f64::INFINITY }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::{Features, LatencyEncoding};

    fn dataset(features: &[f64], feature_count: usize) -> Dataset {
        Dataset {
            features: Features::Real(features.into()),
            labels: vec![0; features.len() / feature_count].into(),
            feature_count,
            class_count: 1,
            image: None,
        }
    }

    fn distance(features: &[f64], feature_count: usize) -> f64 {
        let encoding = LatencyEncoding { earliest: 1.0, latest: 3.0, ..LatencyEncoding::default() };
        nearest_neighbour_distance(&dataset(features, feature_count), Encoding::Latency(encoding))
    }

    #[test]
    fn it_is_the_median_of_root_mean_squares_in_time() {
        // Distances of the features, in their order: 0.1, 0.1, 0.2, 0.6; of spikes twice as much.
        assert!((distance(&[0.0, 0.1, 0.3, 0.9], 1) - 0.4).abs() < 1e-12);
        // Only one of two features differs, by 0.3.
        assert!((distance(&[0.5, 0.2, 0.5, 0.5], 2) - 2.0 * (0.09_f64 / 2.0).sqrt()).abs() < 1e-12);
        assert_eq!(distance(&[0.7], 1), 0.0);
        assert_eq!(distance(&[], 1), 0.0);
    }

    #[test]
    fn features_that_do_not_spike_do_not_count() {
        let silent_zero = LatencyEncoding { silent_zero: true, ..LatencyEncoding::default() };
        let LatencyEncoding { earliest, latest, .. } = silent_zero;
        let encoding = Encoding::Latency(silent_zero);
        let found = nearest_neighbour_distance(&dataset(&[0.0, 0.5, 0.0, 0.75], 2), encoding);
        assert!((found - 0.25 * (latest - earliest)).abs() < 1e-12);
        assert_eq!(nearest_neighbour_distance(&dataset(&[0.0, 0.0], 1), encoding), 0.0);
    }

    #[test]
    fn many_samples_are_thinned_out() {
        let features: Vec<f64> = (0..20_000).map(|index| f64::from(index) / 20_000.0).collect();
        // Every fourth of them is among the others: so far apart they are, for nearly all of the hundred.
        let found = distance(&features, 1);
        assert!((found - 2.0 * 4.0 / 20_000.0).abs() < 1e-9, "{found}");
    }
}
