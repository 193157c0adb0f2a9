//! Spikes per bin of time, of a simulation that may be interrupted long before its end.

use crate::trace::bins::bin_of;

/// Bins of a whole simulation.
const BINS: usize = 150;

/// Whenever a spike lies beyond the last bin, bins are merged in pairs and twice as wide. So a simulation
/// that ends when it should has [`BINS`] bins, and one that is interrupted at least half as many.
#[derive(Clone, Debug)]
pub(super) struct TimeBins {
    pub width: f64,
    pub counts: Vec<u64>,
}

/// How often bins can be merged before there are [`BINS`] of them in the whole simulation.
const DOUBLINGS: i32 = 60;

impl TimeBins {
    /// None filled so far, in a simulation that is to end at `until`.
    pub fn new(until: f64) -> Self {
        let width = (until / BINS as f64 / 2_f64.powi(DOUBLINGS)).max(f64::MIN_POSITIVE);
        TimeBins { width, counts: vec![0; 2 * BINS] }
    }

    /// Counts a spike.
    pub fn count(&mut self, time: f64) {
        let bin = loop {
            let bin = bin_of(time, 0.0, self.width);
            if bin < self.counts.len() as f64 {
                break bin.max(0.0) as usize;
            }
            self.merge();
        };
        self.counts[bin] += 1;
    }

    /// The bins up to the time that the simulation reached; the last one has its end.
    pub fn finish(mut self, reached: f64) -> Self {
        while bin_of(reached, 0.0, self.width) > BINS as f64 {
            self.merge();
        }
        let place = bin_of(reached, 0.0, self.width) as usize;
        let is_edge = (place as f64 * self.width - reached).abs() <= 4.0 * f64::EPSILON * reached;
        let used = if is_edge { place.max(1) } else { place + 1 };
        let beyond: u64 = self.counts[used..].iter().sum();
        self.counts.truncate(used);
        self.counts[used - 1] += beyond;
        self
    }

    /// The spikes of each bin, and how much time it covers up to the time that the simulation reached.
    pub fn parts(&self, reached: f64) -> impl Iterator<Item = (u64, f64)> {
        self.counts
            .iter()
            .enumerate()
            .map(move |(bin, &count)| (count, self.width.min(reached - bin as f64 * self.width)))
    }

    fn merge(&mut self) {
        let length = self.counts.len();
        for bin in 0..length / 2 {
            self.counts[bin] = self.counts[2 * bin] + self.counts[2 * bin + 1];
        }
        self.counts[length / 2..].fill(0);
        self.width *= 2.0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bins_reach_as_far_as_the_simulation() {
        // A spike every 0.1: 20 in each of 150 bins, and the last at the end.
        let mut bins = TimeBins::new(300.0);
        (0..=3000).for_each(|spike| bins.count(f64::from(spike) / 10.0));
        let whole = bins.clone().finish(300.0);
        assert_eq!((whole.width, whole.counts.len()), (2.0, 150));
        assert!(whole.counts[..149].iter().all(|&count| count == 20), "{:?}", whole.counts);
        assert_eq!(whole.counts[149], 21);

        // Interrupted after a millionth of its time: its bins are as many, and rates are the same.
        let mut bins = TimeBins::new(3e8);
        (1..=3000).for_each(|spike| bins.count(f64::from(spike) / 10.0));
        let part = bins.finish(300.0);
        assert!((75..=151).contains(&part.counts.len()), "{}", part.counts.len());
        assert_eq!(part.counts.iter().sum::<u64>(), 3000);
        let covered: f64 = part.parts(300.0).map(|(_, time)| time).sum();
        assert!((covered - 300.0).abs() < 1e-9, "{covered}");
        assert!(part.parts(300.0).all(|(count, time)| (count as f64 - 10.0 * time).abs() < 1.5));
    }
}
