//! What a trained network needs beside itself: how samples come in, and decisions out.

use serde::{Deserialize, Serialize};

use super::{Loss, MismatchError};
use crate::dataset::{Encoding, ImageShape, Scaling};
use crate::engine::SourceSpike;
use crate::network::{DelayKind, LayeredNetwork};

/// How a trained network is used, as it stands in `network.json` under `inference`. Times are in the network's
/// time unit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Inference {
    /// Features of a sample, complements not counted.
    pub feature_count: usize,
    /// Their names, if they have some.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub feature_names: Option<Vec<String>>,
    /// How they lie in an image, if they are its pixels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<ImageShape>,
    /// What bytes are divided by, if the features were bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub byte_divisor: Option<f64>,
    /// What makes them numbers from 0 to 1. Without, they are that already, or spike times.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scaling: Option<Scaling>,
    /// Whether one minus each feature is a feature, too, behind the others.
    #[serde(default)]
    pub complement: bool,
    /// How they become spikes of the input.
    pub encoding: Encoding,
    /// For each layer, the spike times of its bias sources in every sample.
    pub bias_times: Vec<Vec<f64>>,
    /// For each layer, what has a delay of its own.
    pub delays: Vec<Option<DelayKind>>,
    /// Names of the classes, in the order of the label neurons.
    pub class_names: Vec<String>,
    /// What decides. Only its rule of decision counts ([`Loss::decide`]).
    pub loss: Loss,
    /// Longest time between two spikes that reach a layer in one sample: which engine runs the network may
    /// depend on it.
    pub input_span: f64,
    /// Samples that are shown to a substrate without interruption.
    pub batch_size: usize,
}

impl Inference {
    /// Makes sure that this is of the network.
    ///
    /// # Errors
    /// If the network has other numbers of inputs, layers, bias sources or label neurons.
    pub fn check(&self, network: &LayeredNetwork) -> Result<(), MismatchError> {
        let populations = network.network.populations();
        let size = |id: crate::network::PopulationId| populations[id.0].nodes.len();
        let layers = network.layers.len();
        let features = self.feature_count.saturating_mul(1 + usize::from(self.complement));
        let inputs = features.saturating_mul(self.encoding.copies());
        MismatchError::check("inputs", inputs, size(network.input))?;
        MismatchError::check("layers with bias times", self.bias_times.len(), layers)?;
        MismatchError::check("layers with kinds of delays", self.delays.len(), layers)?;
        for (times, bias) in self.bias_times.iter().zip(&network.bias) {
            MismatchError::check("bias times of a layer", times.len(), bias.map_or(0, size))?;
        }
        let labels = network.layers.last().map_or(0, |&id| size(id));
        MismatchError::check("classes", self.class_names.len(), labels)?;
        let features = |count: usize| MismatchError::check("features", count, self.feature_count);
        features(self.feature_names.as_ref().map_or(self.feature_count, Vec::len))?;
        if let Some(Scaling { low, high, between }) = &self.scaling {
            features(low.len())?;
            features(high.len())?;
            features(if between.is_empty() { self.feature_count } else { between.len() })?;
        }
        features(
            self.image.map_or(self.feature_count, |image| image.width.saturating_mul(image.height)),
        )
    }

    /// The bias spikes that come with every sample.
    pub fn bias(&self, network: &LayeredNetwork) -> Vec<SourceSpike> {
        let populations = network.network.populations();
        let of_layer = |(times, bias): (&Vec<f64>, &Option<crate::network::PopulationId>)| {
            let nodes = bias.map_or(0..0, |id| populations[id.0].nodes.clone());
            let spike = |(node, &time)| SourceSpike { time, source: node as u32 };
            nodes.zip(times).map(spike).collect::<Vec<_>>()
        };
        self.bias_times.iter().zip(&network.bias).flat_map(of_layer).collect()
    }
}
