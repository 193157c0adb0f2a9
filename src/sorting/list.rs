//! Lists of arrivals that are sorted to their end.

use pulp::{Arch, Simd, WithSimd};

use super::buckets::comes_before;
use super::{Arrival, Sorted, Sorter};

/// Sorts lists of arrivals by time, then row.
#[derive(Clone, Debug)]
pub(crate) struct ArrivalSorter {
    arch: Arch,
    sorter: Sorter,
    sorted: Sorted,
}

impl Default for ArrivalSorter {
    fn default() -> Self {
        ArrivalSorter { arch: Arch::new(), sorter: Sorter::default(), sorted: Sorted::default() }
    }
}

impl ArrivalSorter {
    /// Sorts a list, whose times are finite.
    pub fn sort(&mut self, arrivals: &mut [Arrival]) {
        if arrivals.is_sorted_by(|a, b| !comes_before(b, a)) {
            return;
        }
        let ArrivalSorter { arch, sorter, sorted } = self;
        arch.dispatch(SortAll { arrivals, sorter, sorted });
    }
}

struct SortAll<'a> {
    arrivals: &'a mut [Arrival],
    sorter: &'a mut Sorter,
    sorted: &'a mut Sorted,
}

impl WithSimd for SortAll<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let SortAll { arrivals, sorter, sorted } = self;
        let (count, _) = sorter.begin(simd, arrivals, sorted);
        debug_assert_eq!(count, arrivals.len(), "all of them come");
        sorter.sort(simd, sorted, count, count);
        let columns = sorted.times.iter().zip(&sorted.rows);
        for (arrival, (&time, &row)) in arrivals.iter_mut().zip(columns) {
            *arrival = Arrival { time, row };
        }
    }
}
