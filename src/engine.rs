//! From stimulus to spikes.
//!
//! The [`EventEngine`] runs any compiled network in continuous time: a priority queue holds at most
//! one predicted threshold crossing per neuron, and the deliveries that are under way. The
//! [`WindowEngine`] runs networks whose neurons all have delays, without a queue of crossings and on
//! any number of threads: the faster one for large networks. Whatever looks at a run is an
//! [`Observer`]: recording, statistics and learning all see the same spikes.
//!
//! Layered networks of first spikes have engines of their own, layer by layer and many neurons or
//! samples at a time; [`learning`](crate::learning) uses them wherever a network is not
//! [`Unsupported`]. A [`FirstSpikeLayer`] is one layer on flat arrays, forward and backward.

mod delivery;
mod event;
// Only for this crate, its tests and its benchmarks.
#[doc(hidden)]
pub mod heterogeneous;
#[doc(hidden)]
pub mod layered;
mod observer;
mod queue;
mod window;

pub use event::{EngineError, EngineOptions, EventEngine, RunStatistics, SourceSpike};
pub use layered::Unsupported;
pub use layered::single::{
    FirstSpikeLayer, FlatGradients, LayerArrays, LayerInputError, LayerNeuronParameters,
    LayerParameterGradients, WeightOrder, is_for_threads, parameter_gradients,
};
pub use observer::{Observer, Recording, Spike};
pub use window::{WindowEngine, WindowError};
