use proptest::prelude::*;

use super::super::recording::Recording;
use super::*;

/// A spike: population, neuron, sample, time.
type Row = (u16, u32, u32, f64);

fn recording(rows: &[Row]) -> Recording {
    Recording {
        populations: vec!["a".to_owned(), "b".to_owned()],
        times: rows.iter().map(|row| row.3).collect(),
        neurons: rows.iter().map(|row| row.1).collect(),
        population: rows.iter().map(|row| row.0).collect(),
        samples: rows.iter().map(|row| row.2).collect(),
        ..Recording::default()
    }
}

/// The times of a neuron in a sample, by looking through all rows.
fn train(rows: &[Row], population: u16, neuron: u32, sample: u32) -> Vec<f64> {
    let of_it = rows.iter().filter(|row| (row.0, row.1, row.2) == (population, neuron, sample));
    let mut times: Vec<f64> = of_it.map(|row| row.3).collect();
    times.sort_by(f64::total_cmp);
    times
}

fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

fn sorted_quantile(values: &[f64], fraction: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let place = fraction * (sorted.len() - 1) as f64;
    let (low, high) = (place.floor() as usize, place.ceil() as usize);
    sorted[low] * (1.0 - place.fract()) + sorted[high] * place.fract()
}

/// Everything again, slowly, by its definition.
fn twin(
    rows: &[Row],
    populations: &[u16],
    setting: &Setting,
    size: Option<u64>,
) -> GroupStatistics {
    let samples: std::collections::BTreeSet<u32> = rows.iter().map(|row| row.2).collect();
    let mut found = GroupStatistics { size, ..GroupStatistics::default() };
    let (mut latencies, mut intervals) = (Vec::new(), Vec::new());
    let (mut variations, mut cv2s, mut locals) = (Vec::new(), Vec::new(), Vec::new());
    let mut all_times = Vec::new();
    for &population in populations {
        for neuron in 0..4 {
            let trains: Vec<Vec<f64>> =
                samples.iter().map(|&sample| train(rows, population, neuron, sample)).collect();
            let of_samples: Vec<Vec<f64>> = trains
                .iter()
                .map(|times| (1..times.len()).map(|at| times[at] - times[at - 1]).collect())
                .collect();
            found.spikes += trains.iter().map(|times| times.len() as u64).sum::<u64>();
            found.spiking += u64::from(trains.iter().any(|times| !times.is_empty()));
            latencies.extend(trains.iter().filter_map(|times| times.first()));
            let own: Vec<f64> = of_samples.concat();
            found.coincident += own.iter().filter(|&&interval| interval == 0.0).count() as u64;
            if own.len() >= 2 && own.iter().any(|&interval| interval > 0.0) {
                let squares: Vec<f64> = own.iter().map(|value| value * value).collect();
                let (first, second) = (mean(&own).expect("some"), mean(&squares).expect("some"));
                variations.push((second - first * first).max(0.0).sqrt() / first);
            }
            intervals.extend(own);
            let mut contrasts = Vec::new();
            for one in &of_samples {
                contrasts.extend(
                    (1..one.len())
                        .map(|at| (one[at] - one[at - 1], one[at] + one[at - 1]))
                        .map(|(difference, sum)| if sum == 0.0 { 0.0 } else { difference / sum }),
                );
            }
            cv2s.extend(mean(&contrasts.iter().map(|c: &f64| 2.0 * c.abs()).collect::<Vec<_>>()));
            locals.extend(mean(&contrasts.iter().map(|c| 3.0 * c * c).collect::<Vec<_>>()));
            for (sample, times) in samples.iter().zip(&trains) {
                all_times.extend(times.iter().map(|&time| (*sample, time)));
            }
        }
    }
    let distribution = |values: &[f64]| {
        mean(values).map(|mean| Distribution {
            mean,
            lower_quartile: sorted_quantile(values, 0.25),
            median: sorted_quantile(values, 0.5),
            upper_quartile: sorted_quantile(values, 0.75),
        })
    };
    found.latency = distribution(&latencies);
    found.interval = distribution(&intervals);
    found.coefficient_of_variation = mean(&variations);
    found.cv2 = mean(&cv2s);
    found.local_variation = mean(&locals);
    let duration = setting.window.1 - setting.window.0;
    let observed = size.unwrap_or(found.spiking) as f64 * samples.len() as f64 * duration;
    found.rate = (observed > 0.0).then(|| found.spikes as f64 / observed);
    found.spikes_per_sample = found.spikes as f64 / samples.len() as f64;
    let mut counts = Vec::new();
    for &sample in &samples {
        let mut from = setting.window.0;
        let bin = setting.bin.expect("bins");
        while from + bin <= setting.window.1 {
            let is_last = from + bin == setting.window.1;
            let is_in = |&&(of, time): &&(u32, f64)| {
                of == sample && from <= time && (time < from + bin || is_last && time == from + bin)
            };
            counts.push(all_times.iter().filter(is_in).count() as u32);
            from += bin;
        }
    }
    found.fano_factor = population_fano_factor(&counts);
    found
}

fn assert_alike(found: &GroupStatistics, expected: &GroupStatistics) {
    for (found, expected) in found.quantities(None).iter().zip(expected.quantities(None)) {
        let alike = match (found.value, expected.value) {
            (None, None) => true,
            (Some(one), Some(other)) => (one - other).abs() <= 1e-7 * (1.0 + other.abs()),
            _ => false,
        };
        assert!(alike, "{found:?} is not {expected:?}");
    }
}

proptest! {
    #[test]
    fn statistics_are_those_of_the_slow_twin(
        rows in prop::collection::vec((0_u16..2, 0_u32..4, 0_u32..3, 0_u32..400), 1..80),
        bin in prop::sample::select(vec![8.5, 9.0]),
    ) {
        // Quarters of a time unit: bins begin exactly where they should.
        let rows: Vec<Row> =
            rows.iter().map(|&(p, n, s, t)| (p, n, s, 0.25 * f64::from(t))).collect();
        let sizes = vec![Some(7), Some(9)];
        let setting =
            Setting { window: (0.0, 99.0), bin: Some(bin), sizes, ..Setting::default() };
        let trains = Trains::new(&recording(&rows));
        let found = Statistics::new(&trains, &setting).expect("few bins");
        assert_alike(&found.all, &twin(&rows, &[0, 1], &setting, Some(16)));
        for (index, population) in found.populations.iter().enumerate() {
            let size = setting.sizes[index];
            assert_alike(population, &twin(&rows, &[index as u16], &setting, size));
        }
    }
}

#[test]
fn known_processes_have_their_textbook_values() {
    let clock = [2.0; 9];
    assert_eq!(coefficient_of_variation(&clock), Some(0.0));
    assert_eq!((cv2(&clock), local_variation(&clock)), (Some(0.0), Some(0.0)));
    assert_eq!(coefficient_of_variation(&[1.0, 3.0]), Some(0.5));
    assert_eq!(cv2(&[1.0, 3.0]), Some(1.0));
    assert_eq!(local_variation(&[1.0, 3.0]), Some(0.75));
    assert_eq!(coefficient_of_variation(&[1.0]), None);
    for intervals in
        [&clock[..], &[1.0, 3.0], &[1e9, 1e9 + 1.0, 1e9 + 3.0], &[1.0], &[0.0, 0.0], &[]]
    {
        let mut running = RunningVariation::default();
        intervals.iter().for_each(|&interval| running.add(interval));
        let expected = coefficient_of_variation(intervals);
        match (running.coefficient_of_variation(), expected) {
            (Some(found), Some(expected)) => assert!((found - expected).abs() < 1e-14, "{found}"),
            (found, expected) => assert_eq!(found, expected, "{intervals:?}"),
        }
    }
    assert_eq!((cv2(&[1.0]), local_variation(&[1.0])), (None, None));
    // All spikes in one of four bins; the same number in each.
    assert_eq!(population_fano_factor(&[8, 0, 0, 0]), Some(6.0));
    assert_eq!(population_fano_factor(&[2, 2, 2, 2]), Some(0.0));
    assert_eq!(population_fano_factor(&[0, 0]), None);
}

#[test]
fn poisson_neurons_are_irregular_and_not_synchronous() {
    use rand_distr::{Distribution as _, Exp1};
    let mut rows = Vec::new();
    for neuron in 0..50 {
        let mut random = crate::random::stream(1, "poisson statistics", u64::from(neuron));
        let mut time = 0.0;
        loop {
            let wait: f64 = Exp1.sample(&mut random);
            time += 10.0 * wait;
            if time > 10_000.0 {
                break;
            }
            rows.push((0, neuron, 0, time));
        }
    }
    let setting = Setting { window: (0.0, 10_000.0), bin: Some(3.0), ..Setting::default() };
    let all = Statistics::new(&Trains::new(&recording(&rows)), &setting).expect("few bins").all;
    let near = |found: Option<f64>, expected: f64, error: f64| {
        assert!(found.is_some_and(|found| (found - expected).abs() < error), "{found:?}");
    };
    near(all.rate, 0.1, 0.002);
    near(all.coefficient_of_variation, 1.0, 0.02);
    near(all.cv2, 1.0, 0.02);
    near(all.local_variation, 1.0, 0.03);
    near(all.fano_factor, 1.0, 0.08);
    near(all.interval.map(|found| found.median), 10.0 * 2.0_f64.ln(), 0.15);
}

#[test]
fn too_many_bins_are_refused() {
    let trains = Trains::new(&recording(&[(0, 0, 0, 1.0)]));
    let setting = Setting { window: (0.0, 1e6), bin: Some(1e-6), ..Setting::default() };
    let error = Statistics::new(&trains, &setting).expect_err("too many").to_string();
    assert!(error.contains("1.000e12"), "{error}");
}

/// 3 spikes of 2 neurons in 4 trials of 10 time units, in two of which all are silent.
#[test]
fn samples_and_neurons_that_are_silent_here_count() {
    let trains = Trains::new(&recording(&[(0, 0, 0, 4.0), (0, 0, 3, 6.0), (0, 0, 3, 6.0)]));
    let setting = Setting {
        window: (0.0, 10.0),
        bin: Some(5.0),
        seen: vec![2, 0],
        samples: vec![0, 1, 2, 3],
        ..Setting::default()
    };
    let found = Statistics::new(&trains, &setting).expect("few bins");
    assert_eq!((found.samples, found.all.spikes, found.all.coincident), (4, 3, 1));
    assert_eq!(found.all.spikes_per_sample, 0.75);
    assert_eq!(found.all.rate, Some(3.0 / (2.0 * 4.0 * 10.0)));
    // One of 8 bins has one spike, another two: a mean of 3/8, and a mean square of 5/8.
    let fano = found.all.fano_factor.expect("a spike");
    assert!((fano - (5.0 / 8.0 - 9.0 / 64.0) / (3.0 / 8.0)).abs() < 1e-14, "{fano}");
}
