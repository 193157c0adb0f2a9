//! Sorting the arrivals of one sample.
//!
//! The times of a layer's spikes are spread rather evenly, and there are tens to hundreds of them: they
//! are dealt out into twice as many buckets as there are arrivals, by a linear map of time, and what is left to
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
    keys: Vec<u32>,
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
        let mut end = self.sorted;
        while end < count.min(arrivals.len()) {
            end = self.ends[self.next] as usize;
            self.next += 1;
        }
        insert(arrivals, self.sorted, end);
        self.sorted = end;
        end
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
        // Twice as many buckets as arrivals: most are alone. Subtracting, multiplying and rounding keep
        // the order. Adding 2^52 rounds to an integer, which then stands in the lowest bits.
        let buckets = 2 * count;
        let scale = (buckets - 1) as f64 / (last - first);
        if !scale.is_finite() {
            return None;
        }
        const ROUNDER: f64 = 4_503_599_627_370_496.0;
        self.keys.clear();
        self.keys.extend(
            arrivals
                .iter()
                .map(|arrival| ((arrival.time - first) * scale + ROUNDER).to_bits() as u32),
        );
        self.ends.resize(buckets, 0);
        for &key in &self.keys {
            self.ends[key as usize] += 1;
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
        for (arrival, &key) in arrivals.iter().zip(&self.keys) {
            let end = &mut self.ends[key as usize];
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
