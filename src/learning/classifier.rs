//! A trained network in use: one sample after the other, from features to a class.

use std::ops::Range;
use std::sync::Arc;

use super::{EncodedSet, EncodingScratch, FirstSpikes, Loss, Presentation};
use crate::dataset::{Dataset, Encoding, Features};
use crate::engine::{EngineError, EngineOptions, EventEngine, SourceSpike};
use crate::network::{CompiledNetwork, LayeredNetwork};

/// How samples come to a layered network: features as spikes of its input, and the spikes of its bias
/// sources, which come with every sample.
#[derive(Clone, Debug, PartialEq)]
pub struct SampleEncoder {
    encoding: Encoding,
    first_input: usize,
    features: usize,
    bias: Vec<SourceSpike>,
}

/// A number of values that does not fit a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{found} {what}: the network needs {expected}")]
pub struct MismatchError {
    /// What the values are.
    pub what: &'static str,
    /// How many there are.
    pub found: usize,
    /// How many there must be.
    pub expected: usize,
}

impl MismatchError {
    pub(super) fn check(what: &'static str, found: usize, expected: usize) -> Result<(), Self> {
        if found == expected { Ok(()) } else { Err(MismatchError { what, found, expected }) }
    }
}

impl SampleEncoder {
    /// An encoder for this network. `bias_times` has a time for every bias source, layer after layer,
    /// in time units.
    ///
    /// # Errors
    /// If there are not as many times as bias sources.
    pub fn new(
        network: &LayeredNetwork,
        encoding: Encoding,
        bias_times: &[f64],
    ) -> Result<Self, MismatchError> {
        let populations = network.network.populations();
        let nodes = |id: crate::network::PopulationId| populations[id.0].nodes.clone();
        let sources: Vec<usize> = network.bias.iter().flatten().flat_map(|&id| nodes(id)).collect();
        MismatchError::check("times of bias sources", bias_times.len(), sources.len())?;
        let spike = |(&time, source): (&f64, usize)| SourceSpike { time, source: source as u32 };
        let input = nodes(network.input);
        Ok(SampleEncoder {
            encoding,
            first_input: input.start,
            features: input.len() / encoding.copies(),
            bias: bias_times.iter().zip(sources).map(spike).collect(),
        })
    }

    /// A data set as the network is shown it.
    ///
    /// # Errors
    /// If the samples have another number of features than the network has inputs.
    pub fn encode(&self, dataset: &Dataset) -> Result<EncodedSet, MismatchError> {
        MismatchError::check("features of a sample", dataset.feature_count, self.features)?;
        Ok(EncodedSet::new(dataset, self.encoding, self.first_input, &self.bias))
    }
}

/// What a network makes of a sample.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    /// The class; none if every label neuron is silent.
    pub class: Option<usize>,
    /// When the first label neuron spiked, in time units; infinite if none did.
    pub time: f64,
    /// First spike of each label neuron, in time units; infinite if it is silent.
    pub label_times: Vec<f64>,
}

/// Why a sample has no decision.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClassifyError {
    /// It does not fit the network.
    #[error(transparent)]
    Mismatch(#[from] MismatchError),
    /// The engine failed.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

/// A trained network that classifies samples as they come, with the event engine: exact, whatever the
/// network. To score a whole set fast there is [`Trainer::evaluate`](super::Trainer::evaluate).
pub struct Classifier {
    network: CompiledNetwork,
    encoder: SampleEncoder,
    loss: Loss,
    labels: Range<usize>,
    engine: EventEngine,
    record: FirstSpikes,
    scratch: EncodingScratch,
    stimulus: Vec<SourceSpike>,
}

impl Classifier {
    /// A classifier with the present weights of a network. Neurons spike at most once per sample; the
    /// class is what `loss` decides ([`Loss::decide`]).
    pub fn new(network: &LayeredNetwork, encoder: SampleEncoder, loss: Loss) -> Self {
        let populations = network.network.populations();
        let labels = network.layers.last().map_or(0..0, |id| populations[id.0].nodes.clone());
        let network = CompiledNetwork::new(&network.network);
        Classifier {
            engine: EventEngine::new(&network, EngineOptions { at_most_one_spike: true }),
            record: FirstSpikes::new(network.node_count()),
            network,
            encoder,
            loss,
            labels,
            scratch: EncodingScratch::default(),
            stimulus: Vec::new(),
        }
    }

    /// Classifies one sample.
    ///
    /// # Errors
    /// If the sample has another number of features than the network has inputs, or a feature becomes a
    /// time that no spike can have.
    pub fn classify(&mut self, features: &[f64]) -> Result<Decision, ClassifyError> {
        let sample = Dataset {
            features: Features::Real(features.into()),
            labels: Arc::new([0]),
            feature_count: features.len(),
            class_count: 1,
            image: None,
        };
        let sample = self.encoder.encode(&sample)?;
        sample.stimulus(0, Presentation::Plain, &mut self.scratch, &mut self.stimulus);
        self.record.clear();
        self.engine.run(&self.network, &self.stimulus, f64::INFINITY, &mut self.record)?;
        let label_times = self.record.times()[self.labels.clone()].to_vec();
        Ok(Decision {
            class: self.loss.decide(&label_times),
            time: label_times.iter().copied().fold(f64::INFINITY, f64::min),
            label_times,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::learning::Margin;
    use crate::network::{Layer, layered};
    use crate::neuron::NeuronParameters;

    /// Two label neurons, each driven by its own input and by a bias source.
    fn network() -> LayeredNetwork {
        let layer = Layer {
            name: "label".to_owned(),
            neurons: vec![NeuronParameters::default(); 2],
            bias_sources: 1,
            weights: vec![4.0, 0.0, 0.0, 4.0, 0.5, 0.5],
            delays: None,
        };
        layered(2, &[layer]).expect("valid")
    }

    #[test]
    fn the_label_neuron_with_the_earlier_input_wins() {
        let network = network();
        let encoder =
            SampleEncoder::new(&network, Encoding::SpikeTimes, &[0.0]).expect("one bias source");
        let loss = Loss::ShiftInvariantMeanSquaredError { margin: Margin::Fixed(0.1) };
        let mut classifier = Classifier::new(&network, encoder, loss);
        let decision = classifier.classify(&[0.5, 0.2]).expect("a sample");
        assert_eq!(decision.class, Some(1));
        assert_eq!(decision.time, decision.label_times[1]);
        assert!(decision.label_times[1] > 0.2 && decision.label_times[0] > decision.time);
        assert_eq!(classifier.classify(&[0.2, 0.5]).expect("a sample").class, Some(0));
        let silent = classifier.classify(&[f64::INFINITY; 2]).expect("a sample");
        assert_eq!((silent.class, silent.time), (None, f64::INFINITY));
    }

    #[test]
    fn what_does_not_fit_is_refused_with_both_numbers() {
        let network = network();
        let error = SampleEncoder::new(&network, Encoding::SpikeTimes, &[]).expect_err("no times");
        assert_eq!(error.to_string(), "0 times of bias sources: the network needs 1");
        let encoder = SampleEncoder::new(&network, Encoding::SpikeTimes, &[0.0]).expect("fits");
        let loss = Loss::ShiftInvariantMeanSquaredError { margin: Margin::Fixed(0.1) };
        let error = Classifier::new(&network, encoder, loss).classify(&[0.5; 3]);
        let message = error.expect_err("three features").to_string();
        assert_eq!(message, "3 features of a sample: the network needs 2");
    }
}
