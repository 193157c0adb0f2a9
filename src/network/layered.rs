//! Feed-forward networks: layers of neurons, each driven by all of the layer before it.

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
    /// Delays in the same order, or none if all are zero.
    pub delays: Option<Vec<f64>>,
}

/// A layered network and which population plays which part.
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
        /// `weights` or `delays`.
        what: &'static str,
        /// Presynaptic neurons and bias sources.
        rows: usize,
        /// Neurons of the layer.
        columns: usize,
        /// How many values there are.
        found: usize,
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
    let mut built = LayeredNetwork { network, input, layers: Vec::new(), bias: Vec::new() };
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
            check("delays", delays.len())?;
        }
        for (row, &pre) in rows.iter().enumerate() {
            for column in 0..size {
                let index = row * size + column;
                let weight = layer.weights[index];
                let delay = layer.delays.as_ref().map_or(0.0, |delays| delays[index]);
                built.network.connect(pre, (post, column), Synapse { weight, delay })?;
            }
        }
        built.layers.push(post);
        built.bias.push(bias);
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
    }
}
