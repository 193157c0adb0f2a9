//! From features to spike times.

use serde::{Deserialize, Serialize};

use crate::settings::{Check, Settings};

/// How the features of a data set become spike times.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Encoding {
    /// By their size.
    Latency(LatencyEncoding),
    /// They are spike times already, in time units; infinity for no spike.
    SpikeTimes,
}

/// Latency code: a feature `v` between 0 and 1 spikes once, at
/// `earliest + v (latest − earliest)`; inverted at `earliest + (1 − v) (latest − earliest)`, large
/// features first (Göltz, Kriener et al. 2021, methods).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct LatencyEncoding {
    /// When the first feature spikes, one of 0 (inverted: of 1). In time units. Finite, not negative.
    pub earliest: f64,
    /// When the last feature spikes, one of 1 (inverted: of 0). In time units. Finite, above `earliest`.
    pub latest: f64,
    /// Whether large features spike early, not late. Default: false.
    #[serde(default)]
    pub inverted: bool,
    /// Whether a feature of exactly 0 does not spike at all. Default: false.
    #[serde(default)]
    pub silent_zero: bool,
    /// How many sources each feature drives, with weights of their own: what makes up for a narrow
    /// range of weights. The sources of a feature follow each other. At least 1. Default: 1.
    #[serde(default = "one")]
    pub copies: usize,
}

fn one() -> usize {
    1
}

impl Default for LatencyEncoding {
    /// Features from 0 to 1 spike at times from 0 to 1.
    fn default() -> Self {
        LatencyEncoding {
            earliest: 0.0,
            latest: 1.0,
            inverted: false,
            silent_zero: false,
            copies: 1,
        }
    }
}

impl Settings for LatencyEncoding {
    fn check(&self, check: &mut Check<'_>) {
        let LatencyEncoding { earliest, latest, .. } = *self;
        check.at_least_one("copies", self.copies);
        check.require(0.0 <= earliest && earliest < latest && latest.is_finite(), "", || {
            format!(
                "earliest = {earliest}, latest = {latest}: must be finite with 0 ≤ earliest < latest"
            )
        });
    }
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
    /// How many sources each feature drives.
    pub fn copies(&self) -> usize {
        match self {
            Encoding::Latency(encoding) => encoding.copies,
            Encoding::SpikeTimes => 1,
        }
    }

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

    const PAPER: LatencyEncoding = LatencyEncoding {
        earliest: 0.15,
        latest: 2.0,
        inverted: false,
        silent_zero: false,
        copies: 1,
    };

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
