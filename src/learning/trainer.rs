//! Epochs of training, and evaluation.

use std::ops::ControlFlow;
use std::time::Instant;

use rand::seq::SliceRandom;
use serde::{Deserialize, Serialize};

use super::batch::{BatchResult, GradientSettings, LearningError, Look, Parts};
use super::feed_forward_batch::InTheLoop;
use super::network::TrainedNetwork;
use super::runner::Runner;
use super::silent::RuleWithMemory;
use super::spinning_threads::with_spinning_threads;
use super::{
    Adam, AdamSettings, DelayTraining, EncodedSet, EngineChoice, EpochMetrics, Evaluation,
    FeedForwardError, FirstSpikes, FoundNeuron, LearningRule, Loss, Margin, Presentation, Schedule,
    Score, SilentNeuronRule, StateError, SubstrateCondition, TrainedDelays, TrainerState,
};
use crate::chip::Activity;
use crate::engine::layered::Unsupported;
use crate::network::{CompiledNetwork, LayeredNetwork, Network};
use crate::random;

/// How a network is trained.
#[derive(Clone, Debug, PartialEq)]
pub struct TrainingSettings {
    /// Passes over the training set.
    pub epochs: usize,
    /// Samples per step. Above zero.
    pub batch_size: usize,
    /// What the label neurons should do.
    pub loss: Loss,
    /// The optimiser.
    pub adam: AdamSettings,
    /// How its learning rate changes.
    pub schedule: Schedule,
    /// Largest weight gradient of one neuron in one sample, beyond which that neuron's weight
    /// gradients are discarded; none to keep all.
    pub gradient_guard: Option<f64>,
    /// What is done about silent neurons.
    pub silent_neurons: SilentNeuronRule,
    /// Per layer: how its delays are trained; none, or no entry, to leave them as they are.
    pub delays: Vec<Option<DelayTraining>>,
    /// Seed of the order of samples.
    pub seed: u64,
    /// What runs the network.
    pub engine: LearningEngine,
    /// Longest time between two spikes that reach a layer in one sample, in time units: the feed-forward
    /// engine has a limit ([`FeedForwardError::Span`]).
    pub input_span: f64,
    /// Where derivatives come from in the loop; of no account elsewhere.
    pub rule: LearningRule,
}

/// What runs a layered network. The results differ by roundings only, except for single precision.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum LearningEngine {
    /// The feed-forward engine in double precision if it supports the network, else the event engine.
    #[default]
    Auto,
    /// The event engine: any network.
    Event,
    /// The feed-forward engine in double precision: neurons of a layer that share their time constants
    /// and rest below their thresholds.
    FeedForward,
    /// The feed-forward engine with weights and sums in single precision: faster, with errors of spike
    /// times around 1e-6 of the synaptic time constant. Files have a key of its own for the precision.
    #[serde(skip)]
    FeedForwardSingle,
}

impl Default for TrainingSettings {
    /// A hundred epochs with wrong labels to spike 0.15 time units after the right one, and a step size
    /// that falls to zero.
    fn default() -> Self {
        TrainingSettings {
            epochs: 100,
            batch_size: 100,
            loss: Loss::ShiftInvariantMeanSquaredError { margin: Margin::Fixed(0.15) },
            adam: AdamSettings::default(),
            schedule: Schedule::Cosine,
            gradient_guard: None,
            silent_neurons: SilentNeuronRule::default(),
            delays: Vec::new(),
            seed: 0,
            engine: LearningEngine::default(),
            input_span: 0.0,
            rule: LearningRule::default(),
        }
    }
}

/// Trains a layered first-spike network.
pub struct Trainer {
    settings: TrainingSettings,
    network: TrainedNetwork,
    parts: Parts,
    runner: Runner,
    adam: Adam,
    delays: TrainedDelays,
    silent_neurons: RuleWithMemory,
    epoch: usize,
}

impl Trainer {
    /// A trainer for a network whose label layer is the last. Works on the threads of the rayon
    /// pool in which it is made and used.
    ///
    /// # Errors
    /// If the settings ask for an engine that cannot run the network.
    pub fn new(
        network: &LayeredNetwork,
        settings: TrainingSettings,
    ) -> Result<Self, FeedForwardError> {
        Self::with_runner(network, settings, Runner::new)
    }

    /// A trainer of a network that runs on a substrate: forward passes there, backward passes with what
    /// was recorded (training in the loop). `settings.rule` says of which neurons the derivatives are;
    /// `settings.engine` has no say.
    ///
    /// # Errors
    /// If the feed-forward engine, which does the backward passes, does not support the network.
    pub fn in_the_loop(
        network: &LayeredNetwork,
        settings: TrainingSettings,
        in_the_loop: InTheLoop,
    ) -> Result<Self, Unsupported> {
        let mut trainer = Self::with_runner(network, settings, |network, parts, settings| {
            Runner::in_the_loop(network, parts, settings, in_the_loop)
        })?;
        trainer.runner.set_parameters(&trainer.network.weights(), &trainer.delays);
        Ok(trainer)
    }

    fn with_runner<E>(
        network: &LayeredNetwork,
        settings: TrainingSettings,
        runner: impl FnOnce(&TrainedNetwork, &Parts, &TrainingSettings) -> Result<Runner, E>,
    ) -> Result<Self, E> {
        let parts = Parts::new(network);
        let delays = TrainedDelays::new(network, &settings.delays, settings.adam);
        let mut network = TrainedNetwork::new(network);
        network.set_delays(&delays);
        let runner = runner(&network, &parts, &settings)?;
        Ok(Trainer {
            adam: Adam::new(runner.weight_count(network.compiled()), settings.adam),
            runner,
            silent_neurons: RuleWithMemory::new(settings.silent_neurons.clone()),
            network,
            delays,
            parts,
            settings,
            epoch: 0,
        })
    }

    /// What runs the network, and why it is not something faster.
    pub fn engine(&self) -> EngineChoice {
        self.runner.choice()
    }

    /// Whether a substrate runs the network.
    pub fn is_on_substrate(&self) -> bool {
        self.runner.is_substrate()
    }

    /// What happened on the substrate since this was asked last; nothing without one.
    pub fn take_activity(&self) -> Activity {
        self.runner.take_activity()
    }
    /// How training on a substrate stands; none without one.
    pub fn substrate_condition(&self) -> Option<SubstrateCondition> {
        self.runner.condition()
    }

    /// What was found of every neuron of the substrate, layer after layer; empty without a twin of it.
    pub fn found_neurons(&self) -> Vec<FoundNeuron> {
        self.runner.found_neurons()
    }

    /// What was odd about the substrate's records, a sentence each.
    pub fn warnings(&self) -> Vec<String> {
        self.runner.warnings()
    }

    /// The network with its present weights and delays.
    pub fn network(&self) -> &CompiledNetwork {
        self.network.compiled()
    }

    /// Gives the network that this trainer was made from the present weights and delays.
    pub fn write_to(&self, network: &mut Network) {
        network.set_weights(self.network.weights());
        self.delays.write_to(network);
    }

    /// Replaces all weights, in the order of the layers' matrices, one after the other, row by row.
    pub fn set_weights(&mut self, weights: &[f64]) {
        self.network.set_weights(weights);
        self.runner.set_parameters(weights, &self.delays);
    }

    /// What is learned, and nothing else of the state: the array `weights`, in the order of the layers'
    /// matrices; and if delays are trained, `delays`, their raw numbers ([`super::Bounds`]).
    pub fn parameters(&self) -> TrainerState {
        let mut state = TrainerState::default();
        state.set_array("weights", self.network.weights());
        self.delays.save_values(&mut state);
        state
    }

    /// Replaces what is learned by what [`Self::parameters`] gave earlier.
    ///
    /// # Errors
    /// If an array is missing or has another length; nothing is then replaced.
    pub fn set_parameters(&mut self, parameters: &TrainerState) -> Result<(), StateError> {
        let weights = parameters.array("weights", self.network.compiled().synapse_count())?;
        self.delays = self.delays.with_values(parameters)?;
        self.network.set_delays(&self.delays);
        self.network.set_weights(weights);
        self.runner.set_parameters(weights, &self.delays);
        Ok(())
    }

    /// Everything that the rest of the training depends on. To be taken between two epochs.
    pub fn state(&self) -> TrainerState {
        let mut state = self.parameters();
        state.set_counter("epoch", self.epoch as u64);
        self.adam.save("adam.weights", &mut state);
        self.delays.save_memory(&mut state);
        self.silent_neurons.save("silent_neurons", &mut state);
        if let Some(twin) = self.runner.twin() {
            twin.save(&mut state);
        }
        state
    }

    /// Goes on from the state of a trainer with the same network and settings.
    ///
    /// # Errors
    /// If the state is not of such a trainer; this one is then as it was.
    pub fn restore(&mut self, state: &TrainerState) -> Result<(), StateError> {
        let epoch = state.counter("epoch", usize::MAX as u64)? as usize;
        let adam = self.adam.restored("adam.weights", state)?;
        let silent_neurons =
            self.silent_neurons.restored("silent_neurons", self.parts.layers.len(), state)?;
        let delays = self.delays.clone().with_memory(state)?;
        let twin = self.runner.restored_twin(state)?;
        let before = std::mem::replace(&mut self.delays, delays);
        if let Err(error) = self.set_parameters(state) {
            self.delays = before;
            return Err(error);
        }
        self.runner.set_twin(twin);
        (self.epoch, self.adam, self.silent_neurons) = (epoch, adam, silent_neurons);
        Ok(())
    }

    /// Trains one epoch. `progress` hears of the score so far after each batch and may stop the
    /// epoch there; then there are no metrics.
    ///
    /// # Errors
    /// If the engine fails on a sample, or a weight stops being finite.
    pub fn train_epoch(
        &mut self,
        set: &EncodedSet,
        progress: &mut dyn FnMut(&Score) -> ControlFlow<()>,
    ) -> Result<Option<EpochMetrics>, LearningError> {
        match self.runner {
            // A substrate may be a program that needs the processors for itself.
            Runner::Substrate(_) => self.train_batches(set, progress),
            _ => with_spinning_threads(|| self.train_batches(set, progress)),
        }
    }

    fn train_batches(
        &mut self,
        set: &EncodedSet,
        progress: &mut dyn FnMut(&Score) -> ControlFlow<()>,
    ) -> Result<Option<EpochMetrics>, LearningError> {
        let start = Instant::now();
        self.epoch += 1;
        let mut order: Vec<u32> = (0..set.len() as u32).collect();
        order.shuffle(&mut random::stream(self.settings.seed, "sample order", self.epoch as u64));

        let mut total = BatchResult::empty(&self.parts);
        let mut bumped_batches = 0;
        let mut rate = 0.0;
        let batches = order.len().div_ceil(self.settings.batch_size);
        for (index, batch) in order.chunks(self.settings.batch_size).enumerate() {
            let gradient = GradientSettings {
                sample_weight: 1.0 / batch.len() as f64,
                guard: self.settings.gradient_guard,
            };
            let shown = Presentation::Training { epoch: self.epoch as u64 };
            let result = self.runner.learn(self.network.compiled(), set, batch, shown, gradient)?;
            let bumps = self.silent_neurons.after(&result.activity);
            bumped_batches += u64::from(bumps.any());
            let epochs_done = (self.epoch - 1) as f64 + index as f64 / batches as f64;
            rate = self.settings.schedule.factor(epochs_done, self.settings.epochs);
            let (network, delays) = (&mut self.network, &mut self.delays);
            let step = (!bumps.skip_step).then_some((&mut self.adam, rate));
            self.runner.update(network, &self.parts, &result, &bumps.amounts, step, delays);
            total.score.add(&result.score);
            total.guarded += result.guarded;
            for (sum, activity) in total.activity.iter_mut().zip(&result.activity) {
                sum.add(activity);
            }
            if progress(&total.score).is_break() {
                self.runner.write_to(&mut self.network, &self.delays);
                return Ok(None);
            }
        }
        self.runner.write_to(&mut self.network, &self.delays);
        self.check_parameters()?;
        let neurons: usize = self.parts.layers.iter().map(ExactSizeIterator::len).sum();
        Ok(Some(EpochMetrics {
            epoch: self.epoch,
            learning_rate: rate * self.settings.adam.learning_rate,
            training: total.score,
            validation: None,
            layers: total.activity,
            guarded_fraction: total.guarded as f64 / (neurons * set.len()) as f64,
            bumped_batches,
            batches: batches as u64,
            seconds: start.elapsed().as_secs_f64(),
        }))
    }

    fn check_parameters(&self) -> Result<(), LearningError> {
        let weights = self.network.compiled().weights().iter().copied();
        match weights.chain(self.delays.broken()).find(|value| !value.is_finite()) {
            Some(value) => Err(LearningError::Diverged { epoch: self.epoch, value }),
            None => Ok(()),
        }
    }

    /// Scores a set without learning.
    ///
    /// # Errors
    /// If the engine fails on a sample.
    pub fn evaluate(&self, set: &EncodedSet) -> Result<Evaluation, LearningError> {
        self.evaluate_samples(set, None)
    }

    /// Scores a set without learning, and shows `look` the record of each sample, in order, with the
    /// decision it stands for. Score and records are of the same presentation: each sample runs once.
    ///
    /// # Errors
    /// If the engine fails on a sample.
    pub fn evaluate_records(
        &self,
        set: &EncodedSet,
        mut look: impl FnMut(usize, &FirstSpikes, Option<usize>),
    ) -> Result<Evaluation, LearningError> {
        self.evaluate_samples(
            set,
            Some(&mut |sample, record| {
                let decided = self.settings.loss.decide(&record.times()[self.parts.labels()]);
                look(sample, record, decided);
            }),
        )
    }

    fn evaluate_samples(
        &self,
        set: &EncodedSet,
        look: Option<Look<'_>>,
    ) -> Result<Evaluation, LearningError> {
        let samples: Vec<u32> = (0..set.len() as u32).collect();
        let result = self.runner.evaluate(self.network.compiled(), set, &samples, look)?;
        Ok(Evaluation { score: result.score, layers: result.activity })
    }
}
