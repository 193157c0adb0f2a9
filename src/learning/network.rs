//! A layered network in training: as the graph that is saved, and as the engines run it.

use super::TrainedDelays;
use crate::network::{CompiledNetwork, LayeredNetwork, synapse_order};

/// A layered network with its compiled form. Everything here that has a value per synapse has them in
/// the order of the layers' matrices, unless it says otherwise; the compiled network has an order of
/// its own, which changes with the delays.
pub(super) struct TrainedNetwork {
    /// Its weights are those of the start.
    layered: LayeredNetwork,
    compiled: CompiledNetwork,
    /// Per synapse of the compiled network: its place in the layers' matrices.
    order: Vec<u32>,
}

impl TrainedNetwork {
    pub fn new(network: &LayeredNetwork) -> Self {
        TrainedNetwork {
            compiled: CompiledNetwork::new(&network.network),
            order: synapse_order(&network.network),
            layered: network.clone(),
        }
    }

    pub fn layered(&self) -> &LayeredNetwork {
        &self.layered
    }

    pub fn compiled(&self) -> &CompiledNetwork {
        &self.compiled
    }

    pub fn compiled_mut(&mut self) -> &mut CompiledNetwork {
        &mut self.compiled
    }

    /// Values in the order of the compiled network in that of the matrices.
    pub fn in_matrices(&self, compiled: &[f64]) -> Vec<f64> {
        let mut values = vec![0.0; compiled.len()];
        for (&place, &value) in self.order.iter().zip(compiled) {
            values[place as usize] = value;
        }
        values
    }

    /// The present weights.
    pub fn weights(&self) -> Vec<f64> {
        self.in_matrices(self.compiled.weights())
    }

    pub fn set_weights(&mut self, weights: &[f64]) {
        for (weight, &place) in self.compiled.weights_mut().iter_mut().zip(&self.order) {
            *weight = weights[place as usize];
        }
    }

    /// Takes over the present delays. The compiled network is laid out anew.
    pub fn set_delays(&mut self, delays: &TrainedDelays) {
        if delays.is_empty() {
            return;
        }
        let weights = self.weights();
        delays.write_to(&mut self.layered.network);
        self.layered.network.set_weights(weights);
        self.compiled = CompiledNetwork::new(&self.layered.network);
        self.order = synapse_order(&self.layered.network);
    }
}
