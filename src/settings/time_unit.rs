//! The unit of times in files of settings and in results.

use serde::{Deserialize, Serialize};

/// The unit of all times in a scenario and its outputs, or in a chip file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum TimeUnit {
    /// The synaptic time constant, which has no physical unit.
    #[default]
    TauS,
    /// Seconds.
    S,
    /// Milliseconds.
    Ms,
    /// Microseconds.
    Us,
    /// Nanoseconds.
    Ns,
}

impl TimeUnit {
    /// Name in files and column headings: `time_us`.
    pub fn suffix(self) -> &'static str {
        match self {
            TimeUnit::TauS => "tau_s",
            TimeUnit::S => "s",
            TimeUnit::Ms => "ms",
            TimeUnit::Us => "us",
            TimeUnit::Ns => "ns",
        }
    }

    /// In seconds; none for the synaptic time constant.
    pub fn seconds(self) -> Option<f64> {
        match self {
            TimeUnit::TauS => None,
            TimeUnit::S => Some(1.0),
            TimeUnit::Ms => Some(1e-3),
            TimeUnit::Us => Some(1e-6),
            TimeUnit::Ns => Some(1e-9),
        }
    }

    /// Symbol on axes and in text.
    pub fn symbol(self) -> &'static str {
        match self {
            TimeUnit::TauS => "τ_s",
            TimeUnit::Us => "µs",
            other => other.suffix(),
        }
    }
}
