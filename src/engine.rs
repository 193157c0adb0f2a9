//! From stimulus to spikes.
//!
//! The [`EventEngine`] runs any compiled network in continuous time: a priority queue holds at most
//! one predicted threshold crossing per neuron, and the deliveries that are under way. The
//! [`WindowEngine`] runs networks whose neurons all have delays, without a queue of crossings and on
//! any number of threads: the faster one for large networks. Layered networks of first spikes, in the
//! numbers that learning needs, go through [`layered`], layer by layer and many neurons at a time.
//! Whatever looks at a run of the first two is an [`Observer`]: recording, statistics and learning all see the same spikes.

mod delivery;
mod event;
pub(crate) mod heterogeneous;
pub mod layered;
mod observer;
mod queue;
mod window;

pub use event::{EngineError, EngineOptions, EventEngine, RunStatistics, SourceSpike};
pub use observer::{Observer, Recording, Spike};
pub use window::{WindowEngine, WindowError};
