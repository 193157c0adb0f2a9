//! Delays that are trained beside the weights of a layered network.
//!
//! Training changes a raw number per delay, which [`Bounds`] keep within an interval. The gradient by a
//! delay is that by the arrivals it shifts: `dL/dd = Σ dL/dt` over all synapses that share it.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::{Adam, AdamSettings, Bounds, StateError, TrainerState};
use crate::network::{DelayKind, LayerShape, LayeredNetwork, Network};
use crate::settings::{Check, Settings};

/// How the delays of a layer are trained: within bounds, by an Adam of their own with the moments and
/// the schedule of the weights'. A delay that begins on a bound is moved inside by a thousandth of the
/// interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct DelayTraining {
    /// Lower bound, never reached. In time units. Not negative. Default: 0.
    #[serde(default)]
    pub low: f64,
    /// Upper bound, never reached. In time units. Finite, above `low`.
    pub high: f64,
    /// Step size of Adam at the start of training, for the number from which a logistic function makes the delay
    /// between its bounds. Above zero.
    pub learning_rate: f64,
}

impl DelayTraining {
    /// What the delays stay within.
    pub fn bounds(&self) -> Bounds {
        Bounds { low: self.low, high: self.high }
    }
}

impl Settings for DelayTraining {
    fn check(&self, check: &mut Check<'_>) {
        let DelayTraining { low, high, learning_rate } = *self;
        check.positive("learning_rate", learning_rate);
        check.require(0.0 <= low && low < high && high.is_finite(), "", || {
            format!("low = {low}, high = {high}: must be finite, not negative, low < high")
        });
    }
}

/// Sums derivatives by the delay of each synapse, in the order of the layers' matrices, to derivatives
/// by the delays of all layers that have some, layer after layer.
pub fn gradients_by_delay(network: &LayeredNetwork, by_synapse: &[f64]) -> Vec<f64> {
    let mut by_delay = Vec::new();
    for (LayerShape { first, rows, columns }, &kind) in network.shapes().iter().zip(&network.delays)
    {
        let Some(kind) = kind else { continue };
        let start = by_delay.len();
        by_delay.resize(start + kind.count(*rows, *columns), 0.0);
        let synapses = by_synapse[*first..first + rows * columns].iter().enumerate();
        for (index, by) in synapses {
            let (row, column) = (index / columns, index % columns);
            by_delay[start + kind.index(row, column, *columns)] += by;
        }
    }
    by_delay
}

/// The trained delays of a network, and the optimiser that changes them.
#[derive(Clone, Debug)]
pub struct TrainedDelays {
    layers: Vec<TrainedLayer>,
    /// The raw numbers of all of them, and the delays that they stand for.
    raw: Vec<f64>,
    values: Vec<f64>,
    /// Its learning rate is 1: each layer has its own.
    adam: Adam,
}

#[derive(Clone, Debug)]
struct TrainedLayer {
    /// Index of the layer in its network.
    layer: usize,
    kind: DelayKind,
    shape: LayerShape,
    training: DelayTraining,
    /// Its raw numbers and delays.
    range: Range<usize>,
    /// Where its delays begin among those of all layers.
    first: usize,
}

impl TrainedDelays {
    /// The delays of the layers for which there is an entry in `training`, starting from those of the
    /// network. One outside its bounds, or on them, is moved inside ([`Bounds::raw`]).
    pub fn new(
        network: &LayeredNetwork,
        training: &[Option<DelayTraining>],
        adam: AdamSettings,
    ) -> Self {
        let (mut layers, mut raw, mut first) = (Vec::new(), Vec::new(), 0);
        let shapes = network.shapes();
        for (layer, delays) in network.layer_delays().into_iter().enumerate() {
            let Some(delays) = delays else { continue };
            if let Some(training) = training.get(layer).copied().flatten() {
                let start = raw.len();
                raw.extend(delays.values.iter().map(|&delay| training.bounds().raw(delay)));
                layers.push(TrainedLayer {
                    layer,
                    kind: delays.kind,
                    shape: shapes[layer],
                    training,
                    range: start..raw.len(),
                    first,
                });
            }
            first += delays.values.len();
        }
        let adam = Adam::new(raw.len(), AdamSettings { learning_rate: 1.0, ..adam });
        let mut delays = TrainedDelays { layers, values: vec![0.0; raw.len()], raw, adam };
        delays.compute_values();
        delays
    }

    fn compute_values(&mut self) {
        for TrainedLayer { range, training, .. } in &self.layers {
            let values = self.values[range.clone()].iter_mut().zip(&self.raw[range.clone()]);
            values.for_each(|(value, &raw)| *value = training.bounds().value(raw));
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.raw.is_empty()
    }

    /// Index of each layer with trained delays, and the delays.
    pub fn by_layer(&self) -> impl Iterator<Item = (usize, &[f64])> {
        self.layers.iter().map(|layer| (layer.layer, &self.values[layer.range.clone()]))
    }

    /// Takes one step against the derivatives by the delays of all layers ([`gradients_by_delay`]), at
    /// `rate` times each layer's learning rate.
    pub fn step(&mut self, by_delay: &[f64], rate: f64) {
        if self.is_empty() {
            return;
        }
        let mut gradients = Vec::with_capacity(self.raw.len());
        for layer in &self.layers {
            let bounds = layer.training.bounds();
            let values = self.values[layer.range.clone()].iter();
            gradients.extend(
                values
                    .zip(&by_delay[layer.first..])
                    .map(|(&delay, by)| by * bounds.derivative(delay)),
            );
        }
        let step = self.adam.begin_step(rate);
        let (means, squares) = self.adam.moments_mut();
        for layer in &self.layers {
            let range = layer.range.clone();
            step.scaled(layer.training.learning_rate).apply(
                &mut self.raw[range.clone()],
                &gradients[range.clone()],
                &mut means[range.clone()],
                &mut squares[range],
            );
        }
        self.compute_values();
    }

    /// Gives the network the present delays.
    pub fn write_to(&self, network: &mut Network) {
        let edges = network.graph().edge_weights();
        let mut delays: Vec<f64> = edges.map(|synapse| synapse.delay).collect();
        for (layer, (_, values)) in self.layers.iter().zip(self.by_layer()) {
            let LayerShape { first, rows, columns } = layer.shape;
            let of_synapses = layer.kind.of_synapses(values, rows, columns);
            delays[first..].iter_mut().zip(of_synapses).for_each(|(to, delay)| *to = delay);
        }
        network.set_delays(delays);
    }

    /// The raw numbers, as the array `delays` of a state that has any.
    pub(super) fn save_values(&self, state: &mut TrainerState) {
        if !self.is_empty() {
            state.set_array("delays", self.raw.clone());
        }
    }

    /// Adds the optimiser's memory to a state.
    pub(super) fn save_memory(&self, state: &mut TrainerState) {
        if !self.is_empty() {
            self.adam.save("adam.delays", state);
        }
    }

    /// These delays with the values of a state.
    pub(super) fn with_values(&self, state: &TrainerState) -> Result<Self, StateError> {
        let mut delays = self.clone();
        if !self.is_empty() {
            delays.raw.copy_from_slice(state.array("delays", self.raw.len())?);
            delays.compute_values();
        }
        Ok(delays)
    }

    /// These delays with the optimiser's memory of a state.
    pub(super) fn with_memory(mut self, state: &TrainerState) -> Result<Self, StateError> {
        if !self.is_empty() {
            self.adam = self.adam.restored("adam.delays", state)?;
        }
        Ok(self)
    }

    /// The first that is no number, if there is one.
    pub(super) fn broken(&self) -> Option<f64> {
        self.raw.iter().copied().find(|raw| !raw.is_finite())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::{Layer, LayerDelays, layered};
    use crate::neuron::NeuronParameters;

    fn network() -> LayeredNetwork {
        let layer = |name: &str, rows, kind: Option<DelayKind>| Layer {
            name: name.to_owned(),
            neurons: vec![NeuronParameters::default(); 2],
            bias_sources: 0,
            weights: vec![1.0; rows * 2],
            delays: kind.map(|kind| LayerDelays {
                kind,
                values: (1..=kind.count(rows, 2)).map(|i| 0.25 * i as f64).collect(),
            }),
        };
        let layers = [
            layer("a", 3, Some(DelayKind::Axonal)),
            layer("b", 2, None),
            layer("c", 2, Some(DelayKind::Dendritic)),
            layer("d", 2, Some(DelayKind::Synaptic)),
        ];
        layered(3, &layers).expect("valid")
    }

    #[test]
    fn gradients_are_summed_over_what_shares_a_delay() {
        let by_synapse: Vec<f64> = (0..18).map(f64::from).collect();
        let by_delay = gradients_by_delay(&network(), &by_synapse);
        assert_eq!(by_delay, [1.0, 5.0, 9.0, 22.0, 24.0, 14.0, 15.0, 16.0, 17.0]);
    }

    #[test]
    fn a_step_moves_the_trained_delays_only_and_within_their_bounds() {
        let mut network = network();
        let bounds = Bounds { low: 0.0, high: 2.0 };
        let training = |learning_rate| Some(DelayTraining { low: 0.0, high: 2.0, learning_rate });
        let training = [None, None, training(0.1), training(100.0)];
        let mut delays = TrainedDelays::new(&network, &training, AdamSettings::default());
        let before = network.layer_delays();
        let by_delay = [7.0, 7.0, 7.0, 1.0, -3.0, 2.0, -2.0, 0.0, 2.0];
        delays.step(&by_delay, 1.0);
        delays.write_to(&mut network.network);
        let found = network.layer_delays();
        assert_eq!(found[..2], before[..2]);
        // Adam's first step is the learning rate, whatever the gradient.
        let dendritic = &found[2].as_ref().expect("delays").values;
        for (found, (start, step)) in dendritic.iter().zip([(0.25, -0.1), (0.5, 0.1)]) {
            assert!((bounds.value(bounds.raw(start) + step) - found).abs() < 1e-8);
        }
        let ends = &found[3].as_ref().expect("delays").values;
        assert!(ends[0] < 1e-9 && ends[1] > 2.0 - 1e-9 && ends[3] < 1e-9, "{ends:?}");
        assert!((ends[2] - 0.75).abs() < 1e-12);
        assert!(ends.iter().all(|end| (0.0..=2.0).contains(end)));
    }
}
