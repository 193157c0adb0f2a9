use proptest::prelude::*;
use pulp::{Arch, Scalar, Simd, WithSimd};

use super::*;

/// Sorts lists or layers, some arrivals at a time.
struct Sort<'a> {
    spikes: &'a [f64],
    as_rows: bool,
    step: usize,
    expected: &'a [Arrival],
}

impl WithSimd for Sort<'_> {
    type Output = Vec<Arrival>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Vec<Arrival> {
        let Sort { spikes, as_rows, step, expected } = self;
        let (mut sorter, mut sorted) = (Sorter::default(), Sorted::default());
        let (total, last) = if as_rows {
            let (rows, bias) = spikes.split_at(spikes.len() / 2);
            let bias: Vec<Arrival> = (rows.len() as u32..)
                .zip(bias)
                .filter(|(_, time)| time.is_finite())
                .map(|(row, &time)| Arrival { time: time - 1.0, row })
                .collect();
            let mut delays = vec![0.0; rows.len()];
            delays.resize(spikes.len(), 1.0);
            sorter.begin_rows(simd, rows, &bias, Some(&delays), &mut sorted)
        } else {
            let arrivals = (0..).zip(spikes).map(|(row, &time)| Arrival { time, row });
            let mut arrivals: Vec<Arrival> =
                arrivals.filter(|arrival| arrival.time.is_finite()).collect();
            arrivals.reverse();
            sorter.begin(simd, &mut arrivals, &mut sorted)
        };
        assert_eq!((total, last), (expected.len(), expected.last().map_or(0.0, |at| at.time)));
        let mut count = sorted.count;
        while count < total {
            sorter.sort(simd, &mut sorted, count + step, total);
            assert!(sorted.count >= total.min(count + step));
            count = sorted.count;
        }
        let columns = sorted.times.iter().zip(&sorted.rows).take(sorted.count);
        columns.map(|(&time, &row)| Arrival { time, row }).collect()
    }
}

#[test]
fn long_lists_are_sorted() {
    let time = |index: u32| f64::from(index.wrapping_mul(2_654_435_761) >> 15) * 1e-3;
    let spikes: Vec<f64> = (0..70_000).map(time).collect();
    let arrivals = (0..).zip(&spikes).map(|(row, &time)| Arrival { time, row });
    let mut expected: Vec<Arrival> = arrivals.collect();
    expected.sort_by(|a, b| a.time.total_cmp(&b.time).then(a.row.cmp(&b.row)));
    let sort = Sort { spikes: &spikes, as_rows: false, step: 33, expected: &expected };
    assert!(Arch::new().dispatch(sort) == expected);
}

#[test]
fn arrivals_that_are_equal_stay() {
    let arrival = |row: u32| Arrival { time: f64::from(row % 3), row: row % 5 };
    let mut sorter = ArrivalSorter::default();
    for count in [3, 12, 90, 300] {
        let mut arrivals: Vec<Arrival> = (0..count).map(arrival).collect();
        let mut expected = arrivals.clone();
        expected.sort_by(|a, b| a.time.total_cmp(&b.time).then(a.row.cmp(&b.row)));
        sorter.sort(&mut arrivals);
        assert_eq!(arrivals, expected, "{count}");
    }
}

proptest! {
    #[test]
    fn agrees_with_a_comparison_sort(
        spikes in proptest::collection::vec(
            prop_oneof![
                4 => 1.0..3.0,
                1 => Just(1.0),
                1 => (1..4).prop_map(f64::from),
                1 => (0..9).prop_map(|tiny| 2.0 + f64::from(tiny) * f64::EPSILON * 4.0),
                1 => Just(1e9),
                1 => Just(f64::INFINITY),
            ],
            0..400,
        ),
        as_rows: bool,
        step in 1_usize..50,
    ) {
        let mut expected: Vec<Arrival> =
            (0..).zip(&spikes).map(|(row, &time)| Arrival { time, row }).collect();
        expected.retain(|arrival| arrival.time.is_finite());
        if as_rows {
            let half = spikes.len() as u32 / 2;
            for arrival in expected.iter_mut().filter(|arrival| arrival.row >= half) {
                arrival.time = arrival.time - 1.0 + 1.0;
            }
        }
        expected.sort_by(|a, b| a.time.total_cmp(&b.time).then(a.row.cmp(&b.row)));
        let mut arrivals = expected.clone();
        arrivals.reverse();
        let half = arrivals.len() / 2;
        arrivals.rotate_left(half);
        ArrivalSorter::default().sort(&mut arrivals);
        prop_assert_eq!(&arrivals, &expected);
        let sort = || Sort { spikes: &spikes, as_rows, step, expected: &expected };
        prop_assert_eq!(&Arch::new().dispatch(sort()), &expected);
        prop_assert_eq!(&sort().with_simd(Scalar), &expected);
    }
}
