//! From stimulus to spikes.
//!
//! The [`EventEngine`] runs any compiled network in continuous time: a priority queue holds at most
//! one predicted threshold crossing per neuron, and the deliveries that are under way. Whatever
//! looks at a run is an [`Observer`]: recording, statistics and learning all see the same spikes.

mod event;
mod observer;
mod queue;

pub use event::{EngineError, EngineOptions, EventEngine, RunStatistics, SourceSpike};
pub use observer::{Observer, Recording, Spike};
pub use queue::EventQueue;
