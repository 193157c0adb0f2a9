//! What both engines do with spikes on their way: order them, and accept them from a stimulus.

use ordered_float::OrderedFloat;

use super::{EngineError, SourceSpike};
use crate::network::CompiledNetwork;

/// A spike on its way: the next bundle of synapses it arrives at, and where its row ends. Deliveries
/// are ordered by time and then by synapse, because bundles are numbered in the order of synapses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Delivery {
    /// When it arrives there, in time units.
    pub arrival: OrderedFloat<f64>,
    pub bundle: u32,
    pub row_end: u32,
    /// When it was emitted, in time units.
    pub emitted: OrderedFloat<f64>,
}

/// Checks the spike at `index` of a stimulus: that its time is not before `earliest`, and its node a
/// source.
#[inline]
pub(super) fn check_source(
    network: &CompiledNetwork,
    &SourceSpike { time, source }: &SourceSpike,
    index: usize,
    earliest: f64,
) -> Result<(), EngineError> {
    if !(time >= earliest) {
        return Err(EngineError::Stimulus { index, time });
    }
    let node = source as usize;
    if node >= network.node_count() || network.dynamics_index(node).is_some() {
        return Err(EngineError::NotASource { index, node: source });
    }
    Ok(())
}
