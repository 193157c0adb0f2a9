//! The layers of a network that comes from a file, or was put together synapse by synapse.

use petgraph::visit::EdgeRef;

use super::{DelayKind, LayerError, LayerShape, LayeredNetwork, Network, Node, PopulationId};

impl TryFrom<Network> for LayeredNetwork {
    type Error = LayerError;

    /// Finds the layers of a network as [`layered`](super::layered) builds it and
    /// [`file::read`](super::file::read) gives it back: a population of inputs, then for each layer
    /// perhaps a population of bias sources, and its neurons, all of them driven by the layer before and
    /// by the bias. Delays that are equal in every row are those of axons, in every column those of
    /// dendrites.
    fn try_from(network: Network) -> Result<Self, LayerError> {
        let mut found = LayeredNetwork {
            network,
            input: PopulationId(0),
            layers: Vec::new(),
            bias: Vec::new(),
            delays: Vec::new(),
        };
        let not_layered = |problem: String| LayerError::NotLayered { problem };
        let mut bias = None;
        for (index, population) in found.network.populations().iter().enumerate() {
            let node = found.network.graph().raw_nodes().get(population.nodes.start);
            let is_source = node.is_none_or(|node| matches!(node.weight, Node::Source));
            match (index, is_source) {
                (0, true) => {}
                (0, false) => {
                    let name = &population.name;
                    return Err(not_layered(format!(
                        "its first population, `{name}`, is no input"
                    )));
                }
                (_, true) if bias.is_none() => bias = Some(PopulationId(index)),
                (_, true) => {
                    let name = &population.name;
                    return Err(not_layered(format!("the sources `{name}` belong to no layer")));
                }
                (_, false) => {
                    found.layers.push(PopulationId(index));
                    found.bias.push(bias.take());
                }
            }
        }
        if let Some(PopulationId(index)) = bias {
            let name = &found.network.populations()[index].name;
            return Err(not_layered(format!("the sources `{name}` belong to no layer")));
        }
        if found.layers.is_empty() {
            return Err(LayerError::NoLayers);
        }
        found.check_synapses().map_err(not_layered)?;
        let shapes = found.shapes();
        found.delays = shapes.iter().map(|&shape| found.delay_kind(shape)).collect();
        Ok(found)
    }
}

impl LayeredNetwork {
    /// Checks that the synapses are those of the layers' matrices, in their order.
    fn check_synapses(&self) -> Result<(), String> {
        let populations = self.network.populations();
        let nodes = |id: PopulationId| populations[id.0].nodes.clone();
        let mut edges = self.network.graph().edge_references();
        let mut before = nodes(self.input);
        for (&layer, &bias) in self.layers.iter().zip(&self.bias) {
            for row in before.chain(bias.map(nodes).into_iter().flatten()) {
                for column in nodes(layer) {
                    let ends =
                        edges.next().map(|edge| (edge.source().index(), edge.target().index()));
                    if ends != Some((row, column)) {
                        let name = &populations[layer.0].name;
                        return Err(format!(
                            "every neuron of `{name}` must have one synapse from each neuron of the \
                             layer before and each bias source, row by row"
                        ));
                    }
                }
            }
            before = nodes(layer);
        }
        match edges.next() {
            Some(_) => Err("it has synapses beside those from layer to layer".to_owned()),
            None => Ok(()),
        }
    }

    /// What has delays in a layer; none if all are zero.
    fn delay_kind(&self, shape: LayerShape) -> Option<DelayKind> {
        let LayerShape { first, rows, columns } = shape;
        let edges = &self.network.graph().raw_edges()[first..first + rows * columns];
        let delay = |row: usize, column: usize| edges[row * columns + column].weight.delay;
        let all = |test: &dyn Fn(usize, usize) -> bool| {
            (0..rows).all(|row| (0..columns).all(|column| test(row, column)))
        };
        if all(&|row, column| delay(row, column) == 0.0) {
            None
        } else if all(&|row, column| delay(row, column) == delay(row, 0)) {
            Some(DelayKind::Axonal)
        } else if all(&|row, column| delay(row, column) == delay(0, column)) {
            Some(DelayKind::Dendritic)
        } else {
            Some(DelayKind::Synaptic)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::{Layer, LayerDelays, Synapse, layered};
    use crate::neuron::NeuronParameters;

    fn layer(name: &str, rows: usize, kind: Option<DelayKind>) -> Layer {
        let delays = |kind: DelayKind| {
            let values = (0..kind.count(rows, 2)).map(|value| value as f64).collect();
            LayerDelays { kind, values }
        };
        Layer {
            name: name.to_owned(),
            neurons: vec![NeuronParameters::default(); 2],
            bias_sources: 1,
            weights: vec![1.0; 2 * rows],
            delays: kind.map(delays),
        }
    }

    #[test]
    fn layers_are_found_again_with_their_bias_and_delays() {
        for kind in
            [None, Some(DelayKind::Axonal), Some(DelayKind::Dendritic), Some(DelayKind::Synaptic)]
        {
            let layers = [layer("hidden", 4, kind), layer("label", 3, None)];
            let built = layered(3, &layers).expect("valid");
            let found = LayeredNetwork::try_from(built.network.clone()).expect("layers");
            assert_eq!((found.input, &found.layers), (built.input, &built.layers));
            assert_eq!((&found.bias, &found.delays), (&built.bias, &built.delays));
            assert_eq!(found.layer_delays(), built.layer_delays());
        }
    }

    #[test]
    fn other_networks_are_refused() {
        let refused = |network: Network| LayeredNetwork::try_from(network).expect_err("refused");
        assert_eq!(refused(Network::new()), LayerError::NoLayers);
        let mut network = layered(3, &[layer("label", 4, None)]).expect("valid").network;
        let (label, _) = network.population("label").expect("a layer");
        let synapse = Synapse { weight: 1.0, delay: 0.0 };
        network.connect((label, 0), (label, 1), synapse).expect("valid");
        let message = refused(network.clone()).to_string();
        assert!(message.ends_with("it has synapses beside those from layer to layer"), "{message}");
        network.add_sources("more", 1).expect("new");
        let message = refused(network).to_string();
        assert!(message.ends_with("the sources `more` belong to no layer"), "{message}");
    }
}
