//! Learning to emit given spike trains, several spikes per neuron, in networks of any topology.
//!
//! The emitted spikes of a neuron are paired with its target spikes ([`align`]). Pairs have a loss,
//! half the square of their distance in time, whose exact gradient is carried back through the
//! recorded trace ([`super::trace_gradients`]). A target without a spike and a spike without a target
//! have no gradient; the potential itself is raised or lowered at that time
//! there, which creates or deletes spikes until all are paired.

mod alignment;
mod parameters;
mod trainer;

pub use alignment::{Alignment, align};
pub use parameters::{Bounds, Trainable};
pub use trainer::{SpikeTrainMetrics, SpikeTrainSettings, SpikeTrainTrainer};
