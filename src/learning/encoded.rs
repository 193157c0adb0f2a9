//! A data set as the stimuli of a network.

use crate::dataset::{Dataset, LatencyEncoding};
use crate::engine::SourceSpike;

/// How a sample is shown to the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presentation {
    /// As it is in the data set: for evaluation.
    Plain,
    /// As the training of this epoch (from 1) shows it: with whatever chance the set adds.
    Training {
        /// Number of the epoch.
        epoch: u64,
    },
}

/// Samples that are encoded as spikes whenever they are shown; kept as features, which take a
/// fraction of the memory of spikes.
#[derive(Clone, Debug, PartialEq)]
pub struct EncodedSet {
    dataset: Dataset,
    encoding: LatencyEncoding,
    first_input: usize,
    bias: Vec<SourceSpike>,
}

impl EncodedSet {
    /// Every feature becomes a spike of the source with the same index after `first_input`; `bias`
    /// are the spikes that come with every sample.
    pub fn new(
        dataset: &Dataset,
        encoding: &LatencyEncoding,
        first_input: usize,
        bias: &[SourceSpike],
    ) -> Self {
        EncodedSet {
            dataset: dataset.clone(),
            encoding: *encoding,
            first_input,
            bias: bias.to_vec(),
        }
    }

    /// Number of samples.
    pub fn len(&self) -> usize {
        self.dataset.len()
    }

    /// Whether there are no samples.
    pub fn is_empty(&self) -> bool {
        self.dataset.is_empty()
    }

    /// Class of one sample.
    pub fn label(&self, sample: usize) -> usize {
        self.dataset.labels[sample]
    }

    /// The spikes that come with every sample.
    pub fn bias(&self) -> &[SourceSpike] {
        &self.bias
    }

    /// Writes the spikes of one sample's features to `spikes`, sorted by time and source. Features
    /// that do not spike are left out.
    pub fn inputs(
        &self,
        sample: usize,
        _presentation: Presentation,
        spikes: &mut Vec<SourceSpike>,
    ) {
        spikes.clear();
        let features = self.dataset.sample(sample);
        spikes.extend(features.iter().enumerate().map(|(index, &feature)| SourceSpike {
            time: self.encoding.spike_time(feature),
            source: (self.first_input + index) as u32,
        }));
        sort(spikes);
    }

    /// Writes all spikes of the sources in one sample to `spikes`, those of the bias sources
    /// included, sorted by time and source.
    pub fn stimulus(
        &self,
        sample: usize,
        presentation: Presentation,
        spikes: &mut Vec<SourceSpike>,
    ) {
        self.inputs(sample, presentation, spikes);
        if !self.bias.is_empty() {
            spikes.extend_from_slice(&self.bias);
            sort(spikes);
        }
    }
}

fn sort(spikes: &mut [SourceSpike]) {
    spikes.sort_unstable_by(|a, b| a.time.total_cmp(&b.time).then(a.source.cmp(&b.source)));
}
