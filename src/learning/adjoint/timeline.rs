//! The record as the neurons saw it: their spikes, and what arrived at them.

use crate::engine::{EngineOptions, Spike};
use crate::network::CompiledNetwork;

/// What happens to a neuron.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Kind {
    /// It spikes.
    Spike,
    /// The spike arrives at it over this synapse.
    Arrival { synapse: u32 },
}

/// Something that happens to a neuron because of a recorded spike.
#[derive(Clone, Copy, Debug)]
pub(super) struct Event {
    pub time: f64,
    /// Node of the neuron it happens to.
    pub neuron: u32,
    /// Position of the spike in the record.
    pub spike: u32,
    pub kind: Kind,
}

/// Everything that can influence a recorded spike, by time; at one time spikes come before
/// arrivals, as in the engine's order of events.
///
/// What arrives at or after a neuron's last spike is left out: it has no influence. With at most
/// one spike per neuron the first spike is the last, and what the record has beyond it is ignored.
pub(super) fn events(
    network: &CompiledNetwork,
    options: EngineOptions,
    spikes: &[Spike],
) -> Vec<Event> {
    let mut last = vec![f64::NEG_INFINITY; network.node_count()];
    let mut ignored = vec![false; spikes.len()];
    for (spike, ignored) in spikes.iter().zip(&mut ignored) {
        let node = spike.node as usize;
        *ignored = options.at_most_one_spike
            && network.dynamics(node).is_some()
            && last[node] > f64::NEG_INFINITY;
        if !*ignored {
            last[node] = last[node].max(spike.time);
        }
    }
    let mut events = Vec::new();
    for (index, spike) in spikes.iter().enumerate() {
        if ignored[index] {
            continue;
        }
        let node = spike.node as usize;
        let event = |time, neuron, kind| Event { time, neuron, spike: index as u32, kind };
        if network.dynamics(node).is_some() {
            events.push(event(spike.time, spike.node, Kind::Spike));
        }
        for synapse in network.outgoing(node) {
            let target = network.targets()[synapse];
            let time = spike.time + network.delays()[synapse];
            if time < last[target as usize] {
                events.push(event(time, target, Kind::Arrival { synapse: synapse as u32 }));
            }
        }
    }
    events.sort_by(|a, b| {
        a.time.total_cmp(&b.time).then((a.kind != Kind::Spike).cmp(&(b.kind != Kind::Spike)))
    });
    events
}
