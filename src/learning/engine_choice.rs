//! Which engine runs a layered network, and why it is not the fastest.

use std::fmt;

use crate::engine::layered::Unsupported;
use crate::network::CompiledNetwork;

/// Why the feed-forward engine cannot run a network on its data.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum FeedForwardError {
    /// It does not support the network.
    #[error(transparent)]
    Unsupported(#[from] Unsupported),
    /// It carries the states of a layer over the whole span of its inputs, by factors that must not leave
    /// the range of its numbers.
    #[error(
        "spikes are spread over {span}, and must be within {most} of the shortest time constant \
         ({shortest})"
    )]
    Span {
        /// Longest time between two spikes that reach a layer in one sample, in time units.
        span: f64,
        /// How many of the shortest time constant it can be.
        most: f64,
        /// The shortest time constant of all neurons, in time units.
        shortest: f64,
    },
}

impl FeedForwardError {
    /// Time constants that a span can be long in double precision.
    pub(super) const MOST_DOUBLE: f64 = 500.0;
    /// The same in single precision.
    pub(super) const MOST_SINGLE: f64 = 60.0;

    /// Whether the engine can carry states over a span.
    pub(super) fn check_span(network: &CompiledNetwork, span: f64, most: f64) -> Result<(), Self> {
        let neurons = network.distinct_parameters().iter();
        let shortest = neurons
            .fold(f64::INFINITY, |shortest, neuron| shortest.min(neuron.tau_m).min(neuron.tau_s));
        if span <= most * shortest {
            Ok(())
        } else {
            Err(FeedForwardError::Span { span, most, shortest })
        }
    }
}

/// Why a faster engine does not run a network.
#[derive(Clone, Debug, PartialEq)]
pub enum WhyNotFaster {
    /// The settings ask for another one.
    Asked,
    /// It cannot.
    Unable(FeedForwardError),
}

impl fmt::Display for WhyNotFaster {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            WhyNotFaster::Asked => formatter.write_str("the scenario asks for it"),
            WhyNotFaster::Unable(reason) => reason.fmt(formatter),
        }
    }
}

/// What runs a layered network.
#[derive(Clone, Debug, PartialEq)]
pub struct EngineChoice {
    /// `event`, `feed_forward`, `feed_forward, single precision` or `substrate`.
    pub name: &'static str,
    /// Why the feed-forward engine does not run the network; none if it does, or a substrate.
    pub why_not_faster: Option<WhyNotFaster>,
}

impl EngineChoice {
    /// A substrate: nothing else is asked whether it is faster.
    pub const SUBSTRATE: EngineChoice = EngineChoice { name: "substrate", why_not_faster: None };

    /// The engine that [`Self::why_not_faster`] is about.
    pub const FASTER: &str = "feed_forward";

    /// How many times as fast it is: an epoch of `yin_yang.toml` on one thread takes 10.6 ms, and 225 ms
    /// with the event engine.
    pub const TIMES_FASTER: u32 = 21;
}
