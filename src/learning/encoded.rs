//! A data set as the stimuli of a network.

use crate::dataset::{Dataset, LatencyEncoding};
use crate::engine::SourceSpike;

/// The stimulus and label of every sample, ready for the engine.
#[derive(Clone, Debug, PartialEq)]
pub struct EncodedSet {
    spikes: Vec<SourceSpike>,
    starts: Vec<usize>,
    labels: Vec<usize>,
}

impl EncodedSet {
    /// Encodes every feature as a spike of the source with the same index after `first_input`, and
    /// adds `bias`, the spikes (source, time) that come with every sample.
    pub fn new(
        dataset: &Dataset,
        encoding: &LatencyEncoding,
        first_input: usize,
        bias: &[SourceSpike],
    ) -> Self {
        let mut encoded = EncodedSet {
            spikes: Vec::with_capacity(dataset.len() * (dataset.feature_count + bias.len())),
            starts: vec![0],
            labels: dataset.labels.clone(),
        };
        for sample in 0..dataset.len() {
            let start = encoded.spikes.len();
            let inputs =
                dataset.sample(sample).iter().enumerate().map(|(index, &feature)| SourceSpike {
                    time: encoding.spike_time(feature),
                    source: (first_input + index) as u32,
                });
            encoded.spikes.extend(inputs.chain(bias.iter().copied()));
            encoded.spikes[start..]
                .sort_by(|a, b| a.time.total_cmp(&b.time).then(a.source.cmp(&b.source)));
            encoded.starts.push(encoded.spikes.len());
        }
        encoded
    }

    /// Number of samples.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there are no samples.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// Spikes of the sources in one sample, sorted by time.
    pub fn stimulus(&self, sample: usize) -> &[SourceSpike] {
        &self.spikes[self.starts[sample]..self.starts[sample + 1]]
    }

    /// Class of one sample.
    pub fn label(&self, sample: usize) -> usize {
        self.labels[sample]
    }
}
