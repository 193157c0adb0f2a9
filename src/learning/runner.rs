//! The choice between the engines, for training and evaluation.

use super::batch::{BatchResult, EventRunner, GradientSettings, LearningError, Parts};
use super::feed_forward_batch::FeedForwardRunner;
use super::silent;
use super::{Adam, EncodedSet, FirstSpikes, LearningEngine, Presentation, TrainingSettings};
use crate::engine::feed_forward::Unsupported;
use crate::network::{CompiledNetwork, LayeredNetwork};

/// What runs batches.
pub(super) enum Runner {
    Event(EventRunner),
    FeedForward(FeedForwardRunner<f64>),
    FeedForwardSingle(FeedForwardRunner<f32>),
}

/// Calls a method of whichever feed-forward runner there is.
macro_rules! feed_forward {
    ($runner:expr, $event:ident => $on_event:expr, $fast:ident => $on_fast:expr) => {
        match $runner {
            Runner::Event($event) => $on_event,
            Runner::FeedForward($fast) => $on_fast,
            Runner::FeedForwardSingle($fast) => $on_fast,
        }
    };
}

impl Runner {
    pub fn new(
        network: &LayeredNetwork,
        compiled: &CompiledNetwork,
        parts: &Parts,
        settings: &TrainingSettings,
    ) -> Result<Self, Unsupported> {
        let loss = settings.loss;
        let event = || Runner::Event(EventRunner::new(compiled, parts.clone(), loss));
        let double = || FeedForwardRunner::new(network, compiled, parts.clone(), loss);
        match settings.engine {
            LearningEngine::Auto => Ok(double().map_or_else(|_| event(), Runner::FeedForward)),
            LearningEngine::Event => Ok(event()),
            LearningEngine::FeedForward => Ok(Runner::FeedForward(double()?)),
            LearningEngine::FeedForwardSingle => {
                let single = FeedForwardRunner::new(network, compiled, parts.clone(), loss)?;
                Ok(Runner::FeedForwardSingle(single))
            }
        }
    }

    pub fn name(&self) -> &'static str {
        match self {
            Runner::Event(_) => "event",
            Runner::FeedForward(_) => "feed-forward",
            Runner::FeedForwardSingle(_) => "feed-forward, single precision",
        }
    }

    /// Number of weights in the layout in which the optimiser sees them.
    pub fn weight_count(&self, network: &CompiledNetwork) -> usize {
        feed_forward!(self, _event => network.synapse_count(), fast => fast.weight_count())
    }

    /// Takes over the weights of the network.
    pub fn set_weights(&mut self, weights: &[f64]) {
        feed_forward!(self, _event => (), fast => fast.set_weights(weights));
    }

    /// Gives the network the present weights.
    pub fn write_weights(&self, network: &mut CompiledNetwork) {
        feed_forward!(self, _event => (), fast => fast.write_weights(network.weights_mut()));
    }

    /// Runs samples as they are.
    pub fn evaluate(
        &self,
        network: &CompiledNetwork,
        set: &EncodedSet,
        samples: &[u32],
    ) -> Result<BatchResult, LearningError> {
        feed_forward!(self,
            event => event.run(network, set, samples, Presentation::Plain, None),
            fast => Ok(fast.evaluate(set, samples, Presentation::Plain)))
    }

    /// Runs samples forward and backward.
    pub fn learn(
        &mut self,
        network: &CompiledNetwork,
        set: &EncodedSet,
        samples: &[u32],
        presentation: Presentation,
        settings: GradientSettings,
    ) -> Result<BatchResult, LearningError> {
        feed_forward!(self,
            event => event.run(network, set, samples, presentation, Some(settings)),
            fast => Ok(fast.learn(set, samples, presentation, settings)))
    }

    /// Takes one step with the gradients of the samples learned last.
    pub fn step(
        &mut self,
        network: &mut CompiledNetwork,
        result: &BatchResult,
        adam: &mut Adam,
        rate: f64,
    ) {
        feed_forward!(self,
            _event => adam.step(network.weights_mut(), &result.weight_gradients, rate),
            fast => fast.step(adam, rate));
    }

    /// Adds an amount to all incoming weights of a neuron.
    pub fn raise(
        &mut self,
        network: &mut CompiledNetwork,
        parts: &Parts,
        layer: usize,
        neuron: usize,
        amount: f64,
    ) {
        feed_forward!(self,
            _event => silent::raise(network, parts.layers[layer].start + neuron, amount),
            fast => fast.raise(layer, neuron, amount));
    }

    /// Shows the record of each sample to `look`, in order.
    pub fn for_each(
        &self,
        network: &CompiledNetwork,
        set: &EncodedSet,
        look: impl FnMut(usize, &FirstSpikes),
    ) -> Result<(), LearningError> {
        feed_forward!(self,
        event => event.for_each(network, set, look),
        fast => {
            fast.for_each(network.node_count(), set, look);
            Ok(())
        })
    }
}
