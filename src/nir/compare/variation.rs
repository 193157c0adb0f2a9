//! Changes of a network that would explain why its spikes are others.

use std::fmt;

use crate::network::{Network, Node, PopulationId, Synapse};

/// What makes two networks differ.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Cause {
    /// Times of the second are so many times too short.
    TimeUnit(f64),
    /// Jumps of currents in the second are so many times too small.
    Jump(f64),
    /// Both.
    TimeUnitAndJump(f64, f64),
    /// Neurons of the second are reset to other potentials.
    Reset,
    /// Spikes of the second travel for other times.
    Delay,
    /// The second spikes at other thresholds.
    Threshold,
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Cause::TimeUnit(factor) => {
                write!(
                    f,
                    "the unit of time: with the times of the second × {factor} they are equal"
                )
            }
            Cause::Jump(factor) => write!(
                f,
                "the jump of the current per spike: with the weights of the second × {factor} they are equal"
            ),
            Cause::TimeUnitAndJump(time, jump) => write!(
                f,
                "the unit of time and the jump of the current: with the times of the second × {time} and its weights \
                 × {jump} they are equal"
            ),
            Cause::Reset => f.write_str("the reset: with the first's v_reset they are equal"),
            Cause::Delay => f.write_str("the delays: with those of the first they are equal"),
            Cause::Threshold => {
                f.write_str("the thresholds: with those of the first they are equal")
            }
        }
    }
}

/// A change of a network.
#[derive(Clone, Copy, Debug)]
pub(super) struct Variation {
    time: f64,
    weight: f64,
    reset: bool,
    delay: bool,
    threshold: bool,
}

const NONE: Variation =
    Variation { time: 1.0, weight: 1.0, reset: false, delay: false, threshold: false };

/// What may explain a difference; likely causes first.
pub(super) fn candidates(a: &Network, b: &Network, ratio: f64) -> Vec<(Variation, Cause)> {
    let first = |network: &Network| {
        network.graph().raw_nodes().iter().find_map(|node| match node.weight {
            Node::Neuron(neuron) => Some(neuron),
            Node::Source => None,
        })
    };
    let mut found = Vec::new();
    let (Some(neuron_a), Some(neuron_b)) = (first(a), first(b)) else { return found };
    let time = neuron_a.tau_m * ratio / neuron_b.tau_m;
    let time = if time.is_finite() { time } else { 1.0 };
    // The slope of a potential that a weight makes, per time constant.
    let slope = |network: &Network| {
        let edge = network.graph().raw_edges().iter().find(|edge| edge.weight.weight != 0.0)?;
        let Node::Neuron(target) = network.graph().node_weight(edge.target())? else { return None };
        let unit = if target.tau_m.is_finite() { target.tau_m } else { target.tau_s };
        Some(edge.weight.weight / target.capacitance * unit)
    };
    let weight = match (slope(a), slope(b)) {
        (Some(a), Some(b)) if b != 0.0 && (a / b).is_finite() => a / b,
        _ => 1.0,
    };
    let differs = |factor: f64| (factor - 1.0).abs() > 1e-9;
    if differs(time) {
        found.push((Variation { time, ..NONE }, Cause::TimeUnit(time)));
    }
    if differs(weight) {
        found.push((Variation { weight, ..NONE }, Cause::Jump(weight)));
    }
    if differs(time) && differs(weight) {
        found.push((Variation { time, weight, ..NONE }, Cause::TimeUnitAndJump(time, weight)));
    }
    found.push((Variation { reset: true, ..NONE }, Cause::Reset));
    found.push((Variation { delay: true, ..NONE }, Cause::Delay));
    found.push((Variation { threshold: true, ..NONE }, Cause::Threshold));
    found
}

impl Variation {
    /// The changed network; none if the other has another form.
    pub(super) fn apply(&self, network: &Network, model: &Network, ratio: f64) -> Option<Network> {
        let mut changed = Network::new();
        for population in network.populations() {
            let nodes =
                population.nodes.clone().map(|index| &network.graph().raw_nodes()[index].weight);
            let others =
                model.population(&population.name).map(|(_, population)| population.nodes.clone());
            let mut neurons = Vec::new();
            for (place, node) in nodes.enumerate() {
                let Node::Neuron(mut neuron) = *node else { continue };
                let other = others.clone().and_then(|mut nodes| nodes.nth(place));
                let other = other.and_then(|index| match model.graph().raw_nodes()[index].weight {
                    Node::Neuron(neuron) => Some(neuron),
                    Node::Source => None,
                });
                if self.time != 1.0 {
                    for value in [
                        &mut neuron.tau_m,
                        &mut neuron.tau_s,
                        &mut neuron.tau_s_inhibitory,
                        &mut neuron.capacitance,
                        &mut neuron.refractory_period,
                    ] {
                        *value *= self.time;
                    }
                }
                if self.reset {
                    neuron.reset_potential = other?.reset_potential;
                }
                if self.threshold {
                    neuron.threshold = other?.threshold;
                }
                neurons.push(neuron);
            }
            let added = if neurons.is_empty() {
                changed.add_sources(&population.name, population.nodes.len())
            } else {
                changed.add_neurons(&population.name, neurons)
            };
            added.ok()?;
        }
        let edges = network.graph().raw_edges();
        let others = model.graph().raw_edges();
        if self.delay && edges.len() != others.len() {
            return None;
        }
        let place = |node: usize| {
            let index =
                network.populations().partition_point(|population| population.nodes.end <= node);
            (PopulationId(index), node - network.populations()[index].nodes.start)
        };
        for (index, edge) in edges.iter().enumerate() {
            let delay = if self.delay {
                others[index].weight.delay * ratio
            } else {
                edge.weight.delay * self.time
            };
            let synapse = Synapse { weight: edge.weight.weight * self.weight, delay };
            changed
                .connect(place(edge.source().index()), place(edge.target().index()), synapse)
                .ok()?;
        }
        Some(changed)
    }
}
