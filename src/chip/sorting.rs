//! Sorting the spikes on a link.

use crate::engine::feed_forward::{Arrival, comes_before, insert};

/// Lists up to this length are sorted by insertion.
const SHORT: usize = 16;

/// Sorts spikes by time and row. Those in no order are dealt out first into as many buckets as there are
/// spikes, of equal stretches of time: a comparison sort mispredicts every other comparison of times in no
/// order.
#[derive(Debug, Default)]
pub(super) struct Sorter {
    dealt: Vec<Arrival>,
    buckets: Vec<u32>,
    /// Where each bucket begins, then where it ends.
    places: Vec<u32>,
}

impl Sorter {
    pub fn sort(&mut self, spikes: &mut [Arrival]) {
        if spikes.windows(2).all(|pair| !comes_before(&pair[1], &pair[0])) {
            return;
        }
        if spikes.len() > SHORT {
            self.deal(spikes);
        }
        insert(spikes);
    }

    /// Puts the spikes into the order of buckets. Only neighbours within a bucket are then out of place.
    fn deal(&mut self, spikes: &mut [Arrival]) {
        let (mut first, mut last) = (spikes[0].time, spikes[0].time);
        for spike in &*spikes {
            first = if spike.time < first { spike.time } else { first };
            last = if spike.time > last { spike.time } else { last };
        }
        let count = 2 * spikes.len();
        let scale = (count - 1) as f64 / (last - first);
        // What is not a number is in the first bucket.
        self.buckets.clear();
        let bucket = |spike: &Arrival| ((spike.time - first) * scale) as u32;
        self.buckets.extend(spikes.iter().map(|spike| bucket(spike).min(count as u32 - 1)));
        self.places.clear();
        self.places.resize(count, 0);
        for &bucket in &self.buckets {
            self.places[bucket as usize] += 1;
        }
        let mut begin = 0;
        let mut most = 0;
        for place in &mut self.places {
            most = most.max(*place);
            begin += std::mem::replace(place, begin);
        }
        self.dealt.clear();
        self.dealt.extend_from_slice(spikes);
        for (spike, &bucket) in self.dealt.iter().zip(&self.buckets) {
            let place = &mut self.places[bucket as usize];
            spikes[*place as usize] = *spike;
            *place += 1;
        }
        if most as usize > SHORT {
            self.sort_crowds(spikes);
        }
    }

    #[cold]
    fn sort_crowds(&self, spikes: &mut [Arrival]) {
        let mut begin = 0;
        for &end in &self.places {
            spikes[begin..end as usize]
                .sort_unstable_by(|a, b| a.time.total_cmp(&b.time).then(a.row.cmp(&b.row)));
            begin = end as usize;
        }
    }
}

#[cfg(test)]
mod tests {
    use rand::RngExt;

    use super::*;
    use crate::random;

    #[test]
    fn spikes_are_in_the_order_of_a_comparison_sort() {
        let mut sorter = Sorter::default();
        for index in 0..500 {
            let mut random = random::stream(1, "sorter test", index);
            let count = random.random_range(0..200);
            let grid = [1e-9, 0.1, 1.0, 100.0][index as usize % 4];
            let outlier = if index % 5 == 0 { 1e12 } else { 1.0 };
            let spike = |row: u32| {
                let time: f64 = random.random_range(-1.0..5.0);
                let time = (time / grid).round() * grid + 0.0;
                Arrival { time: if row == 3 { outlier } else { time }, row: row ^ 21 }
            };
            let mut spikes: Vec<Arrival> = (0..count).map(spike).collect();
            let mut expected = spikes.clone();
            expected.sort_by(|a, b| a.time.total_cmp(&b.time).then(a.row.cmp(&b.row)));
            sorter.sort(&mut spikes);
            assert_eq!(spikes, expected, "{index}");
        }
    }
}
