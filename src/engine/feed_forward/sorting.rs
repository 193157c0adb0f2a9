//! Sorting the arrivals of one sample.
//!
//! The times of a layer's spikes are spread rather evenly, and there are tens to hundreds of them: they
//! are dealt out into as many buckets as there are arrivals, by a linear map of time, and what is left to
//! do within the buckets is a few exchanges. That takes a third of the time of a comparison sort. Where
//! the times are not spread evenly, it is a comparison sort.

use super::inputs::Arrival;

/// Lists up to this length are sorted by insertion alone.
const SHORT: usize = 24;
/// More arrivals than this in one bucket, and the times are not spread evenly.
const CROWDED: u32 = 16;

/// Sorts arrivals by time, then row: from the first one on, as far as it is asked to.
#[derive(Clone, Debug, Default)]
pub struct Sorter {
    /// Where the buckets that are not sorted yet end.
    ends: Vec<u32>,
    /// The first of them.
    next: usize,
    /// How many arrivals are in their final order.
    sorted: usize,
    dealt: Vec<Arrival>,
}

impl Sorter {
    /// Takes up new arrivals, and returns the time of the last.
    pub fn begin(&mut self, arrivals: &mut Vec<Arrival>) -> f64 {
        self.ends.clear();
        self.next = 0;
        self.sorted = arrivals.len();
        if arrivals.len() <= SHORT {
            let count = arrivals.len();
            insert(arrivals, 0, count);
        } else if arrivals.is_sorted_by(|a, b| !comes_before(b, a)) {
            // Nothing to do.
        } else if let Some(last) = self.deal(arrivals) {
            self.sorted = 0;
            return last;
        } else {
            arrivals.sort_unstable_by(|a, b| a.time.total_cmp(&b.time).then(a.row.cmp(&b.row)));
        }
        arrivals.last().map_or(0.0, |arrival| arrival.time)
    }

    /// Brings at least `count` arrivals (or all) into their final order. Returns how many are.
    pub fn sort(&mut self, arrivals: &mut [Arrival], count: usize) -> usize {
        while self.sorted < count.min(arrivals.len()) {
            let end = self.ends[self.next] as usize;
            insert(arrivals, self.sorted, end);
            self.sorted = end;
            self.next += 1;
        }
        self.sorted
    }

    /// Deals the arrivals out into buckets, in the order of time, and returns the time of the last;
    /// none if a bucket is crowded.
    fn deal(&mut self, arrivals: &mut Vec<Arrival>) -> Option<f64> {
        let (mut first, mut last) = (f64::INFINITY, f64::NEG_INFINITY);
        for arrival in arrivals.iter() {
            first = if arrival.time < first { arrival.time } else { first };
            last = if arrival.time > last { arrival.time } else { last };
        }
        let count = arrivals.len();
        // Multiplying by a rounded factor keeps the order, and the last one in the last bucket.
        let scale = (count - 1) as f64 / (last - first);
        if !scale.is_finite() {
            return None;
        }
        let bucket = |arrival: &Arrival| (((arrival.time - first) * scale) as usize).min(count - 1);
        self.ends.resize(count, 0);
        for arrival in arrivals.iter() {
            self.ends[bucket(arrival)] += 1;
        }
        let (mut next, mut most) = (0, 0);
        for end in &mut self.ends {
            most = most.max(*end);
            (*end, next) = (next, next + *end);
        }
        if most > CROWDED {
            return None;
        }
        self.dealt.resize(count, Arrival::default());
        for arrival in arrivals.iter() {
            let end = &mut self.ends[bucket(arrival)];
            self.dealt[*end as usize] = *arrival;
            *end += 1;
        }
        std::mem::swap(arrivals, &mut self.dealt);
        Some(last)
    }
}

#[inline(always)]
fn comes_before(a: &Arrival, b: &Arrival) -> bool {
    a.time < b.time || a.time == b.time && a.row < b.row
}

/// Sorts a stretch by insertion.
fn insert(arrivals: &mut [Arrival], start: usize, end: usize) {
    for index in start + 1..end {
        let arrival = arrivals[index];
        let mut place = index;
        while place > start && comes_before(&arrival, &arrivals[place - 1]) {
            arrivals[place] = arrivals[place - 1];
            place -= 1;
        }
        arrivals[place] = arrival;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn agrees_with_a_comparison_sort(
            times in proptest::collection::vec(
                prop_oneof![0.0..3.0, Just(1.0), (0..4).prop_map(f64::from), Just(1e9)],
                0..300,
            ),
            step in 1_usize..50,
        ) {
            let mut arrivals: Vec<Arrival> =
                (0..).zip(&times).map(|(row, &time)| Arrival { time, row }).collect();
            // Rows in another order than times.
            arrivals.reverse();
            let mut expected = arrivals.clone();
            expected.sort_by(|a, b| a.time.total_cmp(&b.time).then(a.row.cmp(&b.row)));
            let mut sorter = Sorter::default();
            let last = sorter.begin(&mut arrivals);
            prop_assert_eq!(last, expected.last().map_or(0.0, |arrival| arrival.time));
            let mut count = 0;
            while count < expected.len() {
                count = sorter.sort(&mut arrivals, count + step);
                prop_assert_eq!(&arrivals[..count], &expected[..count]);
            }
            prop_assert_eq!(arrivals, expected);
        }
    }
}
