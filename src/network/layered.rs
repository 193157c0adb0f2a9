//! Feed-forward networks: layers of neurons, each driven by all of the layer before it.

use rand::Rng;
use rand_distr::{Distribution, Normal};
use serde::{Deserialize, Serialize};

use super::{Network, NetworkError, PopulationId, Synapse};
use crate::neuron::NeuronParameters;

/// One layer of a feed-forward network.
#[derive(Clone, Debug, PartialEq)]
pub struct Layer {
    /// Name of the layer's population.
    pub name: String,
    /// One entry per neuron.
    pub neurons: Vec<NeuronParameters>,
    /// How many bias sources drive the layer beside the layer before it.
    pub bias_sources: usize,
    /// Weights, row by row: a row per presynaptic neuron, the rows of the bias sources last.
    pub weights: Vec<f64>,
    /// Delays of the layer's inputs or of its spikes; none if all are zero.
    pub delays: Option<LayerDelays>,
}

impl Layer {
    /// A layer without delays whose weights are drawn, row by row, from a normal distribution.
    /// `inputs` is the size of the layer before it.
    pub fn random(
        name: &str,
        inputs: usize,
        bias_sources: usize,
        neurons: Vec<NeuronParameters>,
        weights: Normal<f64>,
        random: &mut impl Rng,
    ) -> Self {
        let count = (inputs + bias_sources) * neurons.len();
        Layer {
            name: name.to_owned(),
            neurons,
            bias_sources,
            weights: weights.sample_iter(random).take(count).collect(),
            delays: None,
        }
    }
}

/// Delays of a layer.
#[derive(Clone, Debug, PartialEq)]
pub struct LayerDelays {
    /// What has a delay.
    pub kind: DelayKind,
    /// One value per row, column, or pair of them ([`DelayKind::count`]), in time units.
    pub values: Vec<f64>,
}

/// What has a delay of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DelayKind {
    /// Each presynaptic neuron and bias source: its spikes reach the whole layer that much later.
    Axonal,
    /// Each neuron of the layer: whatever it receives comes that much later. Its spikes then do too.
    Dendritic,
    /// Each synapse. In the order of the weights.
    Synaptic,
}

impl DelayKind {
    /// How many delays a layer with this many rows and columns has.
    pub fn count(self, rows: usize, columns: usize) -> usize {
        match self {
            DelayKind::Axonal => rows,
            DelayKind::Dendritic => columns,
            DelayKind::Synaptic => rows * columns,
        }
    }

    /// Which of them belongs to the synapse in a row and column.
    pub fn index(self, row: usize, column: usize, columns: usize) -> usize {
        match self {
            DelayKind::Axonal => row,
            DelayKind::Dendritic => column,
            DelayKind::Synaptic => row * columns + column,
        }
    }

    /// The delay of each synapse of a layer, row by row, from the values of this kind.
    pub(crate) fn of_synapses(
        self,
        values: &[f64],
        rows: usize,
        columns: usize,
    ) -> impl Iterator<Item = f64> {
        (0..rows * columns)
            .map(move |synapse| values[self.index(synapse / columns, synapse % columns, columns)])
    }

    /// `axonal`, `dendritic` or `synaptic`.
    pub fn name(self) -> &'static str {
        match self {
            DelayKind::Axonal => "axonal",
            DelayKind::Dendritic => "dendritic",
            DelayKind::Synaptic => "synaptic",
        }
    }
}

/// A layered network and which population plays which part.
///
/// The edges of the network's graph stand in the order of the layers' matrices, one after the other,
/// row by row. This is the order in which layered networks are trained and saved, whatever the delays.
#[derive(Clone, Debug)]
pub struct LayeredNetwork {
    /// The network.
    pub network: Network,
    /// The spike sources that a data set drives.
    pub input: PopulationId,
    /// The layers' populations, the label layer last.
    pub layers: Vec<PopulationId>,
    /// The bias sources of each layer; none for a layer without.
    pub bias: Vec<Option<PopulationId>>,
    /// What has delays in each layer; none for a layer without. The values are those of the synapses.
    pub delays: Vec<Option<DelayKind>>,
}

/// Which synapses of the network are those of one layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LayerShape {
    /// The layer's first edge in the network's graph.
    pub first: usize,
    /// Presynaptic neurons and bias sources.
    pub rows: usize,
    /// Neurons of the layer.
    pub columns: usize,
}

impl LayeredNetwork {
    /// Where the layers' matrices are.
    pub fn shapes(&self) -> Vec<LayerShape> {
        let size = |id: PopulationId| self.network.populations()[id.0].nodes.len();
        let (mut first, mut previous) = (0, size(self.input));
        let mut shapes = Vec::new();
        for (&layer, &bias) in self.layers.iter().zip(&self.bias) {
            let (rows, columns) = (previous + bias.map_or(0, size), size(layer));
            shapes.push(LayerShape { first, rows, columns });
            (first, previous) = (first + rows * columns, columns);
        }
        shapes
    }

    /// The delays of each layer as they are in the network now.
    pub fn layer_delays(&self) -> Vec<Option<LayerDelays>> {
        let edges = self.network.graph().raw_edges();
        let delays = |(shape, kind): (LayerShape, &Option<DelayKind>)| {
            let kind = (*kind)?;
            let LayerShape { first, rows, columns } = shape;
            let delay =
                |row: usize, column: usize| edges[first + row * columns + column].weight.delay;
            let values = match kind {
                DelayKind::Axonal => (0..rows).map(|row| delay(row, 0)).collect(),
                DelayKind::Dendritic => (0..columns).map(|column| delay(0, column)).collect(),
                DelayKind::Synaptic => (0..rows * columns)
                    .map(|index| delay(index / columns, index % columns))
                    .collect(),
            };
            Some(LayerDelays { kind, values })
        };
        self.shapes().into_iter().zip(&self.delays).map(delays).collect()
    }
}

/// A layer that does not fit its network.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum LayerError {
    /// No layers at all.
    #[error("the network has no layers: it must have at least one")]
    NoLayers,
    /// A matrix of the wrong size.
    #[error(
        "layer `{layer}` needs {rows} × {columns} {what} (presynaptic neurons and bias sources × \
         neurons), but has {found}"
    )]
    Shape {
        /// Name of the layer.
        layer: String,
        /// `weights` or `synaptic delays`.
        what: &'static str,
        /// Presynaptic neurons and bias sources.
        rows: usize,
        /// Neurons of the layer.
        columns: usize,
        /// How many values there are.
        found: usize,
    },
    /// A list of the wrong length.
    #[error("layer `{layer}` needs {expected} {kind} delays, but has {found}")]
    Delays {
        /// Name of the layer.
        layer: String,
        /// `axonal` or `dendritic`.
        kind: &'static str,
        /// How many there must be.
        expected: usize,
        /// How many there are.
        found: usize,
    },
    /// A network that does not consist of layers.
    #[error("not a network of layers: {problem}")]
    NotLayered {
        /// What is otherwise, and where.
        problem: String,
    },
    /// The network refused a neuron or synapse.
    #[error(transparent)]
    Network(#[from] NetworkError),
}

/// Builds an all-to-all feed-forward network with `inputs` spike sources named `input`. Bias
/// sources of a layer form the population `<layer>_bias`.
///
/// # Errors
/// If there is no layer, a matrix has the wrong size, or a value is out of range.
pub fn layered(inputs: usize, layers: &[Layer]) -> Result<LayeredNetwork, LayerError> {
    if layers.is_empty() {
        return Err(LayerError::NoLayers);
    }
    let mut network = Network::new();
    let input = network.add_sources("input", inputs)?;
    let mut built = LayeredNetwork { network, input, layers: vec![], bias: vec![], delays: vec![] };
    let mut previous = (input, inputs);
    for layer in layers {
        let size = layer.neurons.len();
        let bias = (layer.bias_sources > 0)
            .then(|| built.network.add_sources(&format!("{}_bias", layer.name), layer.bias_sources))
            .transpose()?;
        let post = built.network.add_neurons(&layer.name, layer.neurons.iter().copied())?;

        let bias_rows =
            bias.into_iter().flat_map(|id| (0..layer.bias_sources).map(move |i| (id, i)));
        let rows: Vec<_> = (0..previous.1).map(|i| (previous.0, i)).chain(bias_rows).collect();
        let check = |what, found| {
            let shape = LayerError::Shape {
                layer: layer.name.clone(),
                what,
                rows: rows.len(),
                columns: size,
                found,
            };
            if found == rows.len() * size { Ok(()) } else { Err(shape) }
        };
        check("weights", layer.weights.len())?;
        if let Some(delays) = &layer.delays {
            let (kind, found) = (delays.kind, delays.values.len());
            let expected = kind.count(rows.len(), size);
            if kind == DelayKind::Synaptic {
                check("synaptic delays", found)?;
            } else if found != expected {
                let (layer, kind) = (layer.name.clone(), kind.name());
                return Err(LayerError::Delays { layer, kind, expected, found });
            }
        }
        for (row, &pre) in rows.iter().enumerate() {
            for column in 0..size {
                let index = row * size + column;
                let weight = layer.weights[index];
                let delay = layer
                    .delays
                    .as_ref()
                    .map_or(0.0, |delays| delays.values[delays.kind.index(row, column, size)]);
                built.network.connect(pre, (post, column), Synapse { weight, delay })?;
            }
        }
        built.layers.push(post);
        built.bias.push(bias);
        built.delays.push(layer.delays.as_ref().map(|delays| delays.kind));
        previous = (post, size);
    }
    Ok(built)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layer(name: &str, size: usize, weights: Vec<f64>) -> Layer {
        Layer {
            name: name.to_owned(),
            neurons: vec![NeuronParameters::default(); size],
            bias_sources: 1,
            weights,
            delays: None,
        }
    }

    #[test]
    fn connects_all_to_all_with_bias_rows_last() {
        let layers =
            [layer("hidden", 2, vec![1.0, 2.0, 3.0, 4.0]), layer("label", 1, vec![5.0, 6.0, 7.0])];
        let built = layered(1, &layers).expect("valid");
        let populations = built.network.populations();
        let names: Vec<&str> = populations.iter().map(|p| p.name.as_str()).collect();
        assert_eq!(names, ["input", "hidden_bias", "hidden", "label_bias", "label"]);
        let edges: Vec<_> = built
            .network
            .graph()
            .raw_edges()
            .iter()
            .map(|edge| (edge.source().index(), edge.target().index(), edge.weight.weight))
            .collect();
        let expected = [
            (0, 2, 1.0),
            (0, 3, 2.0),
            (1, 2, 3.0),
            (1, 3, 4.0),
            (2, 5, 5.0),
            (3, 5, 6.0),
            (4, 5, 7.0),
        ];
        assert_eq!(edges, expected);
    }

    #[test]
    fn a_matrix_of_the_wrong_size_is_refused() {
        let error = layered(3, &[layer("label", 2, vec![0.0; 6])]).expect_err("too few");
        assert_eq!(
            error.to_string(),
            "layer `label` needs 4 × 2 weights (presynaptic neurons and bias sources × neurons), \
             but has 6"
        );
        assert_eq!(layered(3, &[]).expect_err("none"), LayerError::NoLayers);
        let delayed = |kind, values| {
            let delays = Some(LayerDelays { kind, values });
            layered(3, &[Layer { delays, ..layer("label", 2, vec![0.0; 8]) }])
        };
        for (kind, count, message) in [
            (DelayKind::Axonal, 4, "layer `label` needs 4 axonal delays, but has 5"),
            (DelayKind::Dendritic, 2, "layer `label` needs 2 dendritic delays, but has 3"),
            (DelayKind::Synaptic, 8, "layer `label` needs 4 × 2 synaptic delays (presynaptic"),
        ] {
            let values: Vec<f64> = (0..count).map(|value| 0.5 + value as f64).collect();
            let built = delayed(kind, values.clone()).expect("as many as needed");
            assert_eq!(built.layer_delays(), [Some(LayerDelays { kind, values })]);
            let error = delayed(kind, vec![1.0; count + 1]).expect_err("one too many");
            assert!(error.to_string().starts_with(message), "{error}");
        }
    }
}
