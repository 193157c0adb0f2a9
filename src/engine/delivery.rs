//! What both engines do with spikes on their way: order them, and accept them from a stimulus.

use super::{EngineError, SourceSpike};
use crate::network::CompiledNetwork;

/// A spike on its way: the next bundle of synapses it arrives at, and where its row ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Delivery {
    /// Order-preserving bits of the arrival time.
    pub arrival: u64,
    pub bundle: u32,
    pub row_end: u32,
    /// Bits of the time of emission.
    pub emitted: u64,
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
