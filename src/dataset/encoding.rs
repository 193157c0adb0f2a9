//! From features to spike times.

/// Latency code: a feature `v` between 0 and 1 spikes once, at
/// `earliest + v (latest − earliest)` (Göltz, Kriener et al. 2021, methods).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LatencyEncoding {
    /// When a feature of 0 spikes, in time units.
    pub earliest: f64,
    /// When a feature of 1 spikes, in time units.
    pub latest: f64,
}

impl LatencyEncoding {
    /// Spike time of a feature.
    #[inline]
    pub fn spike_time(&self, feature: f64) -> f64 {
        self.earliest + feature * (self.latest - self.earliest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn maps_the_ends_and_the_published_first_sample() {
        let encoding = LatencyEncoding { earliest: 0.15, latest: 2.0 };
        assert_eq!(encoding.spike_time(0.0), 0.15);
        assert_eq!(encoding.spike_time(1.0), 2.0);
        // First feature of the published test set, and the first input time published for it.
        assert_eq!(encoding.spike_time(0.234_096_645_595_634_03), 0.583_078_794_351_923);
    }
}
