//! Learning from recorded first-spike times.
//!
//! A batch of samples runs through the network; the engine reports each spike to
//! [`FirstSpikes`], the record of one sample. A [`Loss`] reads the label neurons' times, and
//! [`FirstSpikes::backpropagate`] carries its gradient back through the recorded times to every
//! weight. [`Adam`] changes the weights at the rate of a [`Schedule`]; a [`SilentNeuronRule`] bumps the
//! weights of neurons that never spike and so receive no gradient. [`Trainer`] repeats this over batches and
//! epochs, [`EpochMetrics`] say how it goes, and [`diagnose`] what is wrong if it does not;
//! [`TrainerState`] is what an interrupted training needs to go on.

mod adjoint;
mod batch;
mod chip_layer;
mod classifier;
mod delays;
mod diagnosis;
mod encoded;
mod engine_choice;
mod exact;
mod feed_forward_batch;
mod first_spikes;
mod inference;
mod initial;
mod loss;
mod metrics;
mod network;
mod optimiser;
mod runner;
mod silent;
pub mod spike_trains;
mod spinning_threads;
mod state;
mod trainer;
mod twin;

pub use adjoint::{NeuronGradients, TraceGradients, trace_gradients};
pub use batch::LearningError;
pub use chip_layer::{ChipLayer, ChipLayerError, ChipLayerSettings, ChipRun};
pub use classifier::{Classifier, ClassifyError, Decision, MismatchError, SampleEncoder};
pub use delays::{DelayTraining, TrainedDelays, gradients_by_delay};
pub use diagnosis::{
    Diagnosis, SubstrateCondition, diagnose, diagnose_against_ideal, diagnose_substrate,
};
pub use encoded::{EncodedSet, EncodingScratch, Presentation, time_range};
pub use engine_choice::{EngineChoice, FeedForwardError, WhyNotFaster};
pub use feed_forward_batch::InTheLoop;
pub use first_spikes::{BackwardPass, FirstSpikes};
pub use inference::Inference;
pub use initial::{Drive, InitialWeights};
pub use loss::{Loss, Margin, SILENT_LOSS, Verdict};
pub use metrics::{EpochMetrics, Evaluation, LayerActivity, Score};
pub use optimiser::{Adam, AdamSettings, Schedule};
pub use silent::SilentNeuronRule;
pub use spike_trains::{
    Bounds, SpikeTrainMetrics, SpikeTrainSettings, SpikeTrainTrainer, Trainable,
};
pub use state::{StateError, TrainerState};
pub use trainer::{LearningEngine, Trainer, TrainingSettings};
pub use twin::{FoundNeuron, Identification, LearningRule, SubstratePrior, identify};
