//! The record of one sample, and the backward pass over it.

use crate::engine::Observer;
use crate::engine::layered::GradientGuard;
use crate::network::CompiledNetwork;
use crate::neuron::{CausalInput, CrossingDerivative, crossing_derivatives};

/// First-spike times of one run: all that learning needs to know of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FirstSpikes {
    /// Per node: when it first spiked, in time units; infinite if it did not.
    times: Vec<f64>,
    /// The nodes that spiked, in the order in which they did.
    order: Vec<u32>,
}

impl Observer for FirstSpikes {
    #[inline]
    fn spike(&mut self, node: usize, time: f64) {
        if self.times[node] == f64::INFINITY {
            self.times[node] = time;
            self.order.push(node as u32);
        }
    }
}

/// What the backward pass works with and leaves behind; kept from sample to sample.
#[derive(Clone, Debug, Default)]
pub struct BackwardPass {
    /// Per node: derivative of the loss by the node's first-spike time. Set for the label neurons
    /// before the pass, for every node (sources included) after it.
    pub time_gradients: Vec<f64>,
    /// Per synapse: derivative of the loss by its weight, summed over samples.
    pub weight_gradients: Vec<f64>,
    /// Per synapse: derivative of the loss by its delay, summed over samples; empty to leave it out.
    pub delay_gradients: Vec<f64>,
    /// How often the gradient guard discarded a neuron's weight gradients.
    pub guarded: u64,
    inputs: Vec<CausalInput>,
    synapses: Vec<(u32, u32)>,
    derivatives: Vec<CrossingDerivative>,
}

impl BackwardPass {
    /// Nothing accumulated yet.
    pub fn new(network: &CompiledNetwork) -> Self {
        BackwardPass {
            time_gradients: vec![0.0; network.node_count()],
            weight_gradients: vec![0.0; network.synapse_count()],
            ..BackwardPass::default()
        }
    }

    /// Nothing accumulated yet; delays are accumulated too.
    pub fn with_delays(network: &CompiledNetwork) -> Self {
        BackwardPass {
            delay_gradients: vec![0.0; network.synapse_count()],
            ..BackwardPass::new(network)
        }
    }
}

impl FirstSpikes {
    /// An empty record for a network of this many nodes.
    pub fn new(nodes: usize) -> Self {
        FirstSpikes { times: vec![f64::INFINITY; nodes], order: Vec::new() }
    }

    /// A record of given first-spike times, one per node, infinite where there is none. Of equal times
    /// the node with the lower index comes first.
    pub fn from_times(times: Vec<f64>) -> Self {
        let mut order: Vec<u32> =
            (0..times.len() as u32).filter(|&node| times[node as usize] < f64::INFINITY).collect();
        order.sort_by(|&a, &b| times[a as usize].total_cmp(&times[b as usize]));
        FirstSpikes { times, order }
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.times.fill(f64::INFINITY);
        self.order.clear();
    }

    /// Per node: when it first spiked, infinite if it did not.
    pub fn times(&self) -> &[f64] {
        &self.times
    }

    /// The nodes that spiked and when, in the order in which they did.
    pub fn in_order(&self) -> impl DoubleEndedIterator<Item = (usize, f64)> + '_ {
        self.order.iter().map(|&node| (node as usize, self.times[node as usize]))
    }

    /// Backpropagation through the recorded times of a network whose nodes spike at most once.
    ///
    /// The pass goes through the record backwards in time. When a neuron's turn comes, everything it influenced
    /// has passed, so `dL/dT` of its spike is complete; the chain rule hands it on to the weights
    /// and times of the inputs that caused the spike ([`crossing_derivatives`]):
    ///
    /// ```text
    /// dL/dw_i += dL/dT · dT/dw_i        dL/dt_i += dL/dT · dT/dt_i
    /// ```
    ///
    /// The derivative by a synapse's delay is that by the arrival that it shifts.
    ///
    /// Nodes that did not spike, and inputs that never arrived or arrived too late, take no part.
    /// A neuron that could not have spiked at the recorded time (its potential would not be rising
    /// there) gets no gradient.
    ///
    /// `guard` is the limit of a [`GradientGuard`].
    pub fn backpropagate(
        &self,
        network: &CompiledNetwork,
        guard: Option<f64>,
        pass: &mut BackwardPass,
    ) {
        for (node, time) in self.in_order().rev() {
            let by_time = pass.time_gradients[node];
            let Some(dynamics) = network.dynamics(node) else { continue };
            if by_time == 0.0 {
                continue;
            }
            pass.inputs.clear();
            pass.synapses.clear();
            for incoming in network.incoming(node) {
                let arrival =
                    self.times[incoming.pre as usize] + network.delays()[incoming.synapse as usize];
                if arrival < time {
                    let synapse = incoming.synapse as usize;
                    pass.inputs.push(CausalInput {
                        arrival,
                        weight: network.weights()[synapse],
                        inhibitory: network.is_inhibitory(synapse),
                    });
                    pass.synapses.push((incoming.pre, incoming.synapse));
                }
            }
            let slope = crossing_derivatives(dynamics, time, &pass.inputs, &mut pass.derivatives);
            if !(slope > 0.0) {
                continue;
            }
            let by_weight =
                pass.derivatives.iter().map(|derivative| by_time * derivative.by_weight);
            let keep_weights =
                guard.is_none_or(|limit| !GradientGuard { limit }.discards(by_weight));
            pass.guarded += u64::from(!keep_weights);
            for (&(pre, synapse), derivative) in pass.synapses.iter().zip(&pass.derivatives) {
                let by_arrival = by_time * derivative.by_arrival;
                pass.time_gradients[pre as usize] += by_arrival;
                if let Some(by_delay) = pass.delay_gradients.get_mut(synapse as usize) {
                    *by_delay += by_arrival;
                }
                if keep_weights {
                    pass.weight_gradients[synapse as usize] += by_time * derivative.by_weight;
                }
            }
        }
    }
}
