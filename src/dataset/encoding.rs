//! From features to spike times.

/// How the features of a data set become spike times.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Encoding {
    /// By their size.
    Latency(LatencyEncoding),
    /// They are spike times already, in time units; infinity for no spike.
    SpikeTimes,
}

/// Latency code: a feature `v` between 0 and 1 spikes once, at
/// `earliest + v (latest − earliest)`; inverted at `earliest + (1 − v) (latest − earliest)`, large
/// features first (Göltz, Kriener et al. 2021, methods).
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct LatencyEncoding {
    /// When the first feature spikes, one of 0 (inverted: of 1), in time units.
    pub earliest: f64,
    /// When the last feature spikes, one of 1 (inverted: of 0), in time units.
    pub latest: f64,
    /// Whether large features spike early.
    pub inverted: bool,
    /// Whether a feature of exactly 0 does not spike at all.
    pub silent_zero: bool,
}

impl LatencyEncoding {
    /// Spike time of a feature; infinity if it does not spike.
    #[inline]
    pub fn spike_time(&self, feature: f64) -> f64 {
        if self.silent_zero && feature == 0.0 {
            return f64::INFINITY;
        }
        let fraction = if self.inverted { 1.0 - feature } else { feature };
        self.earliest + fraction * (self.latest - self.earliest)
    }
}

impl Encoding {
    /// Spike time of a feature, in time units; infinity if it does not spike.
    #[inline]
    pub fn spike_time(&self, feature: f64) -> f64 {
        match self {
            Encoding::Latency(encoding) => encoding.spike_time(feature),
            Encoding::SpikeTimes => feature,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAPER: LatencyEncoding =
        LatencyEncoding { earliest: 0.15, latest: 2.0, inverted: false, silent_zero: false };

    #[test]
    fn maps_the_ends_and_the_published_first_sample() {
        assert_eq!(PAPER.spike_time(0.0), 0.15);
        assert_eq!(PAPER.spike_time(1.0), 2.0);
        // First feature of the published test set, and the first input time published for it.
        assert_eq!(PAPER.spike_time(0.234_096_645_595_634_03), 0.583_078_794_351_923);
    }

    #[test]
    fn bright_pixels_first_and_dark_ones_silent() {
        let inverted = LatencyEncoding { inverted: true, ..PAPER };
        assert_eq!(inverted.spike_time(0.0), 2.0);
        assert_eq!(inverted.spike_time(1.0), 0.15);
        assert_eq!(inverted.spike_time(0.25), 0.15 + 0.75 * (2.0 - 0.15));
        let silent = LatencyEncoding { silent_zero: true, ..inverted };
        assert_eq!(silent.spike_time(0.0), f64::INFINITY);
        assert_eq!(silent.spike_time(0.25), inverted.spike_time(0.25));
        assert_eq!(Encoding::SpikeTimes.spike_time(3.5), 3.5);
    }
}
