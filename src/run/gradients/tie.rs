//! Ties: two things that happen at one time by construction, and would happen in another order after
//! any small move. There the loss has a kink.

use super::probe::{Parameter, Probe, Trains};
use crate::network::Node;
use crate::run::nodes;

/// Roundings that may stand between two times that are meant to be one.
const ROUNDINGS: f64 = 16.0;

/// The first input that arrives just when a refractory period ends, in words; for a delay one of its own
/// synapse if there is one. None if there is no such tie.
pub(super) fn find(probe: &Probe, base: &[Trains], parameter: Parameter) -> Option<String> {
    let own = match parameter {
        Parameter::Delay(synapse) => Some(synapse),
        _ => None,
    };
    let own = own.and_then(|synapse| first(probe, base, |other| other == synapse));
    own.or_else(|| first(probe, base, |_| true))
}

fn first(probe: &Probe, base: &[Trains], is_asked: impl Fn(usize) -> bool) -> Option<String> {
    let refractory = |node: usize| match probe.network.graph().raw_nodes()[node].weight {
        Node::Neuron(neuron) => neuron.refractory_period,
        Node::Source => 0.0,
    };
    for trains in base {
        for spike in trains {
            let pre = spike.node as usize;
            for synapse in probe.compiled.outgoing(pre).filter(|&synapse| is_asked(synapse)) {
                let arrival = spike.time + probe.compiled.delays()[synapse];
                let post = probe.compiled.targets()[synapse];
                let period = refractory(post as usize);
                let is_end = |end: f64| (arrival - end).abs() <= ROUNDINGS * f64::EPSILON * arrival;
                // By node and then by time.
                let from = trains.partition_point(|spike| spike.node < post);
                let to = trains.partition_point(|spike| spike.node <= post);
                let ends = trains[from..to].iter().map(|spike| spike.time + period);
                if period > 0.0 && ends.into_iter().any(is_end) {
                    let name = |node| nodes::name(node, probe.compiled.populations());
                    return Some(format!(
                        "an input arrives at the end of a refractory period ({} → {} at {arrival:.6})",
                        name(pre),
                        name(post as usize)
                    ));
                }
            }
        }
    }
    None
}
