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

/// Room to sort in.
#[derive(Clone, Debug, Default)]
pub struct Sorter {
    /// Per bucket: where its next arrival goes.
    places: Vec<u32>,
    dealt: Vec<Arrival>,
}

impl Sorter {
    /// Sorts by time, then row.
    pub fn sort(&mut self, arrivals: &mut Vec<Arrival>) {
        if arrivals.is_sorted_by(|a, b| !comes_before(b, a)) {
            return;
        }
        if arrivals.len() > SHORT && !self.deal(arrivals) {
            arrivals.sort_unstable_by(|a, b| a.time.total_cmp(&b.time).then(a.row.cmp(&b.row)));
            return;
        }
        insert(arrivals);
    }

    /// Deals the arrivals out into buckets, in the order of time; false if one is crowded.
    fn deal(&mut self, arrivals: &mut Vec<Arrival>) -> bool {
        let (mut first, mut last) = (f64::INFINITY, f64::NEG_INFINITY);
        for arrival in arrivals.iter() {
            first = first.min(arrival.time);
            last = last.max(arrival.time);
        }
        let count = arrivals.len();
        // Multiplying by a rounded factor keeps the order, and the last one in the last bucket.
        let scale = (count - 1) as f64 / (last - first);
        if !scale.is_finite() {
            return false;
        }
        let bucket = |arrival: &Arrival| (((arrival.time - first) * scale) as usize).min(count - 1);
        self.places.clear();
        self.places.resize(count, 0);
        for arrival in arrivals.iter() {
            self.places[bucket(arrival)] += 1;
        }
        let mut next = 0;
        for place in &mut self.places {
            if *place > CROWDED {
                return false;
            }
            (*place, next) = (next, next + *place);
        }
        self.dealt.clear();
        self.dealt.resize(count, Arrival::default());
        for arrival in arrivals.iter() {
            let place = &mut self.places[bucket(arrival)];
            self.dealt[*place as usize] = *arrival;
            *place += 1;
        }
        std::mem::swap(arrivals, &mut self.dealt);
        true
    }
}

#[inline(always)]
fn comes_before(a: &Arrival, b: &Arrival) -> bool {
    a.time < b.time || a.time == b.time && a.row < b.row
}

fn insert(arrivals: &mut [Arrival]) {
    for index in 1..arrivals.len() {
        let arrival = arrivals[index];
        let mut place = index;
        while place > 0 && comes_before(&arrival, &arrivals[place - 1]) {
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
        ) {
            let mut arrivals: Vec<Arrival> =
                (0..).zip(&times).map(|(row, &time)| Arrival { time, row }).collect();
            // Rows in another order than times.
            arrivals.reverse();
            let mut expected = arrivals.clone();
            expected.sort_by(|a, b| a.time.total_cmp(&b.time).then(a.row.cmp(&b.row)));
            Sorter::default().sort(&mut arrivals);
            prop_assert_eq!(arrivals, expected);
        }
    }
}
