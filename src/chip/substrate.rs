//! What runs a layered network in place of the ideal engines: the model of a chip, or a real one.

use super::SubstrateError;
use crate::engine::{SourceSpike, Spike};

/// One sample to be shown to the network.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Presented {
    /// Which presentation this is, of all in a run: what a model's chance is drawn for.
    pub key: PresentationKey,
    /// The spikes of all sources, those of the bias sources included, in any order, in time units
    /// counted from the start of the sample.
    pub stimulus: Vec<SourceSpike>,
}

/// Tells presentations apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PresentationKey {
    /// The epoch of training (from 1) that shows the sample; zero for evaluation.
    pub epoch: u64,
    /// Number of the sample in its set.
    pub sample: u32,
    /// Number of its batch: of the uninterrupted sequence of samples that it belongs to.
    pub batch: u32,
}

/// What happened in a number of presentations, for the account of energy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Activity {
    /// Presentations.
    pub samples: u64,
    /// Spikes of neurons.
    pub spikes: u64,
    /// Spikes that were sent to a layer.
    pub events: u64,
    /// Those of them that were lost.
    pub lost: u64,
    /// Arrivals of spikes at single synapses.
    pub synaptic_events: u64,
    /// What of it there was until each sample's decision, where a window does not say how long samples last.
    pub until_decision: UntilDecision,
}

/// What happened until the first spike of a label neuron; in samples without one, all that happened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UntilDecision {
    /// Spikes of neurons.
    pub spikes: u64,
    /// Arrivals of spikes at single synapses.
    pub synaptic_events: u64,
}

impl Activity {
    /// Adds another.
    pub fn add(&mut self, other: &Activity) {
        self.samples += other.samples;
        self.spikes += other.spikes;
        self.events += other.events;
        self.lost += other.lost;
        self.synaptic_events += other.synaptic_events;
        self.until_decision.spikes += other.until_decision.spikes;
        self.until_decision.synaptic_events += other.until_decision.synaptic_events;
    }
}

/// What the substrate is set to: the values of the scenario's network, not those that a real chip makes
/// of them.
#[derive(Clone, Copy, Debug)]
pub struct Program<'a> {
    /// All weights: the layers' matrices one after the other, row by row.
    pub weights: &'a [f64],
    /// The delay of each synapse in the same order, in time units; empty if there are none.
    pub delays: &'a [f64],
}

/// Runs samples through a layered network and gives back what was recorded.
pub trait Substrate: Send {
    /// Sets weights and delays for the samples to come.
    ///
    /// # Errors
    /// If the substrate does not take them.
    fn program(&mut self, program: &Program<'_>) -> Result<(), SubstrateError>;

    /// Shows samples, one after the other, and returns for each the recorded spikes of its neurons:
    /// nodes of the network, in any order, in time units counted from the start of the sample, any
    /// number per neuron.
    ///
    /// # Errors
    /// If the substrate fails.
    fn present(&mut self, samples: &[Presented]) -> Result<Vec<Vec<Spike>>, SubstrateError>;

    /// The same, in place of earlier records, whose memory is used again where the substrate can.
    ///
    /// # Errors
    /// If the substrate fails; what the records are then is not said.
    fn present_again(
        &mut self,
        samples: &[Presented],
        records: &mut Vec<Vec<Spike>>,
    ) -> Result<(), SubstrateError> {
        *records = self.present(samples)?;
        Ok(())
    }

    /// What happened since it was asked last; nothing if the substrate does not count.
    fn take_activity(&mut self) -> Activity {
        Activity::default()
    }

    /// Thresholds of all neurons, layer after layer, relative to their leak potentials, as they are but for what
    /// changes from trial to trial; empty if nobody knows.
    fn thresholds(&self) -> Vec<f64> {
        Vec::new()
    }

    /// What was odd about the records so far, a sentence each.
    fn warnings(&self) -> Vec<String> {
        Vec::new()
    }
}
