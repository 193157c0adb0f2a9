//! The choice between the engines, for training and evaluation.

use super::batch::{BatchResult, EventRunner, GradientSettings, LearningError, Look, Parts};
use super::feed_forward_batch::{FeedForwardRunner, InTheLoop, SubstrateRunner};
use super::network::TrainedNetwork;
use super::silent;
use super::twin::Twin;
use super::{
    Adam, EncodedSet, EngineChoice, FeedForwardError, FoundNeuron, LearningEngine, Presentation,
    StateError, SubstrateCondition, TrainedDelays, TrainerState, TrainingSettings, WhyNotFaster,
    gradients_by_delay,
};
use crate::chip::Activity;
use crate::engine::layered::Unsupported;
use crate::network::CompiledNetwork;

/// What runs batches.
pub(super) enum Runner {
    /// And why the feed-forward engine does not.
    Event(EventRunner, WhyNotFaster),
    FeedForward(FeedForwardRunner<f64>),
    FeedForwardSingle(FeedForwardRunner<f32>),
    Substrate(Box<SubstrateRunner>),
}

/// Calls a method of whichever runner there is that has the weights in the layout of the feed-forward
/// engine; on a substrate, the same unless it is given.
macro_rules! feed_forward {
    ($runner:expr, $event:ident => $on_event:expr, $fast:ident => $on_fast:expr) => {
        feed_forward!($runner, $event => $on_event, $fast => $on_fast, $fast => $on_fast)
    };
    ($runner:expr, $event:ident => $on_event:expr, $fast:ident => $on_fast:expr,
     $substrate:ident => $on_substrate:expr) => {
        match $runner {
            Runner::Event($event, _) => $on_event,
            Runner::FeedForward($fast) => $on_fast,
            Runner::FeedForwardSingle($fast) => $on_fast,
            Runner::Substrate($substrate) => $on_substrate,
        }
    };
}

impl Runner {
    pub fn new(
        network: &TrainedNetwork,
        parts: &Parts,
        settings: &TrainingSettings,
    ) -> Result<Self, FeedForwardError> {
        let (layered, compiled) = (network.layered(), network.compiled());
        let loss = settings.loss.for_labels(compiled, &parts.labels());
        let delays = settings.delays.iter().any(Option::is_some);
        let event =
            |why| Runner::Event(EventRunner::new(compiled, parts.clone(), loss, delays), why);
        let span_within = |most| FeedForwardError::check_span(compiled, settings.input_span, most);
        let double = || {
            span_within(FeedForwardError::MOST_DOUBLE)?;
            let runner = FeedForwardRunner::new(layered, compiled, parts.clone(), loss)?;
            Ok(Runner::FeedForward(runner))
        };
        match settings.engine {
            LearningEngine::Auto => {
                Ok(double().unwrap_or_else(|why| event(WhyNotFaster::Unable(why))))
            }
            LearningEngine::Event => Ok(event(WhyNotFaster::Asked)),
            LearningEngine::FeedForward => double(),
            LearningEngine::FeedForwardSingle => {
                span_within(FeedForwardError::MOST_SINGLE)?;
                let single = FeedForwardRunner::new(layered, compiled, parts.clone(), loss)?;
                Ok(Runner::FeedForwardSingle(single))
            }
        }
    }

    /// A runner of a substrate.
    pub fn in_the_loop(
        network: &TrainedNetwork,
        parts: &Parts,
        settings: &TrainingSettings,
        in_the_loop: InTheLoop,
    ) -> Result<Self, Unsupported> {
        let (layered, compiled) = (network.layered(), network.compiled());
        let TrainingSettings { loss, rule, .. } = *settings;
        let parts = parts.clone();
        let runner = SubstrateRunner::new(layered, compiled, parts, loss, rule, in_the_loop)?;
        Ok(Runner::Substrate(Box::new(runner)))
    }

    /// The twin of the substrate, if there is one.
    pub fn twin(&self) -> Option<&Twin> {
        match self {
            Runner::Substrate(substrate) => substrate.twin(),
            _ => None,
        }
    }
    /// How training on a substrate stands.
    pub fn condition(&self) -> Option<SubstrateCondition> {
        match self {
            Runner::Substrate(substrate) => Some(substrate.condition()),
            _ => None,
        }
    }

    /// What the twin found of every neuron, with what the substrate knows of it.
    pub fn found_neurons(&self) -> Vec<FoundNeuron> {
        let Runner::Substrate(substrate) = self else { return Vec::new() };
        let mut found = substrate.twin().map(Twin::found).unwrap_or_default();
        for (neuron, threshold) in found.iter_mut().zip(substrate.thresholds()) {
            neuron.true_threshold = Some(threshold);
        }
        found
    }
    /// The twin of a state, if there is to be one.
    pub fn restored_twin(&self, state: &TrainerState) -> Result<Option<Twin>, StateError> {
        self.twin().map(|twin| twin.restored(state)).transpose()
    }

    /// Goes on with a twin, if there is one.
    pub fn set_twin(&mut self, twin: Option<Twin>) {
        if let Runner::Substrate(substrate) = self {
            substrate.set_twin(twin);
        }
    }
    /// What happened on the substrate since it was asked last.
    pub fn take_activity(&self) -> Activity {
        match self {
            Runner::Substrate(substrate) => substrate.take_activity(),
            _ => Activity::default(),
        }
    }

    /// What was odd about the substrate's records.
    pub fn warnings(&self) -> Vec<String> {
        match self {
            Runner::Substrate(substrate) => substrate.warnings(),
            _ => Vec::new(),
        }
    }

    /// Whether a substrate runs the network.
    pub fn is_substrate(&self) -> bool {
        matches!(self, Runner::Substrate(_))
    }

    pub fn choice(&self) -> EngineChoice {
        let (name, why_not_faster) = match self {
            Runner::Event(_, why) => ("event", Some(why.clone())),
            Runner::FeedForward(_) => ("feed_forward", None),
            Runner::FeedForwardSingle(_) => ("feed_forward, single precision", None),
            Runner::Substrate(_) => return EngineChoice::SUBSTRATE,
        };
        EngineChoice { name, why_not_faster }
    }

    /// Number of weights in the layout in which the optimiser sees them.
    pub fn weight_count(&self, network: &CompiledNetwork) -> usize {
        feed_forward!(self, _event => network.synapse_count(), fast => fast.weight_count())
    }

    /// Takes over the weights of the network, in the order of the layers' matrices, and its trained
    /// delays.
    pub fn set_parameters(&mut self, weights: &[f64], delays: &TrainedDelays) {
        feed_forward!(self, _event => (), fast => {
            fast.set_weights(weights);
            fast.set_delays(delays);
        });
    }

    /// Gives the network the present weights and delays.
    pub fn write_to(&self, network: &mut TrainedNetwork, delays: &TrainedDelays) {
        feed_forward!(self, _event => (), fast => {
            network.set_weights(&fast.weights());
            network.set_delays(delays);
        });
    }

    /// Runs samples as they are, each once, and shows the record of each to `look`.
    pub fn evaluate(
        &self,
        network: &CompiledNetwork,
        set: &EncodedSet,
        samples: &[u32],
        look: Option<Look<'_>>,
    ) -> Result<BatchResult, LearningError> {
        feed_forward!(self,
            event => event.evaluate(network, set, samples, look),
            fast => Ok(fast.evaluate(network.node_count(), set, samples, look)),
            substrate => Ok(substrate.evaluate(set, samples, look)?))
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
            event => event.learn(network, set, samples, presentation, settings),
            fast => Ok(fast.learn(set, samples, presentation, settings)),
            substrate => Ok(substrate.learn(set, samples, presentation, settings)?))
    }

    /// Bumps weights, per layer and neuron all that come in, and takes a step, if there is one, with the
    /// gradients of the samples learned last.
    pub fn update(
        &mut self,
        network: &mut TrainedNetwork,
        parts: &Parts,
        result: &BatchResult,
        bumps: &[Vec<f64>],
        step: Option<(&mut Adam, f64)>,
        delays: &mut TrainedDelays,
    ) {
        feed_forward!(self,
        _event => {
            for (neurons, amounts) in parts.layers.iter().zip(bumps) {
                silent::bump_weights(network.compiled_mut(), neurons.start, amounts);
            }
            let Some((adam, rate)) = step else { return };
            let mut weights = network.weights();
            adam.step(&mut weights, &network.in_matrices(&result.weight_gradients), rate);
            network.set_weights(&weights);
            if !delays.is_empty() {
                let by_synapse = network.in_matrices(&result.delay_gradients);
                delays.step(&gradients_by_delay(network.layered(), &by_synapse), rate);
                network.set_delays(delays);
            }
        },
        fast => {
            let rate = step.as_ref().map(|(_, rate)| *rate);
            fast.update(bumps, step);
            if let Some(rate) = rate {
                delays.step(&result.delay_gradients, rate);
                fast.set_delays(delays);
            }
        });
    }
}
