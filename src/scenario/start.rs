//! The trained network that a training starts from.

use std::path::{Path, PathBuf};

use super::load::LoadedScenario;
use super::{Scenario, ScenarioError, Values};
use crate::dataset::{Encoding, Known};
use crate::learning::Inference;
use crate::network::file::{self, Saved};
use crate::network::{LayerDelays, LayeredNetwork};

/// What a layer starts with: its weights, row by row, and its delays.
pub(super) type LayerStart = (Vec<f64>, Option<LayerDelays>);

/// A trained network with what it needs beside itself.
#[derive(Clone, Debug)]
pub(super) struct Start {
    path: PathBuf,
    network: LayeredNetwork,
    inference: Inference,
}

/// Fills in what a scenario leaves out and the network to start from says: encoding, and bias times of the layers
/// that are taken over. A file that cannot be read is refused later, by [`LoadedScenario::start`].
pub(super) fn fill_in(scenario: &mut Scenario) {
    let Some(path) = &scenario.start_from else { return };
    let Ok(Saved { network, inference: Some(inference), .. }) = file::read_with::<Inference>(path)
    else {
        return;
    };
    let Ok(network) = LayeredNetwork::try_from(network) else { return };
    if scenario.encoding.is_none()
        && let Encoding::Latency(encoding) = inference.encoding
    {
        scenario.encoding = Some(encoding);
    }
    let populations = network.network.populations();
    for (id, times) in network.layers.iter().zip(inference.bias_times) {
        let name = &populations[id.0].name;
        let mut layers = scenario.layers.iter_mut();
        if let Some(layer) = layers.find(|layer| layer.name == *name)
            && layer.weights.is_none()
            && layer.bias_times.is_empty()
        {
            layer.bias_times = times;
        }
    }
}

impl LoadedScenario {
    /// The same scenario with all that was learned in the run of this folder.
    pub fn with_network_of(mut self, folder: &Path) -> Self {
        let path = folder.join("network.json");
        self.scenario.start_from = Some(std::path::absolute(&path).unwrap_or(path));
        for layer in &mut self.scenario.layers {
            // A run writes down what its layers began with, which is not what they ended with.
            layer.weights = None;
        }
        self
    }

    /// Names of the layers that begin with weights of the scenario although there is a network to start from.
    pub fn layers_started_anew(&self) -> impl Iterator<Item = &str> {
        let starts = self.scenario.start_from.is_some();
        let anew =
            self.scenario.layers.iter().filter(move |layer| starts && layer.weights.is_some());
        anew.map(|layer| layer.name.as_str())
    }

    /// The first layer that a training begins with weights that are drawn: nothing recorded after it is of them.
    pub fn untrained_layer(&self) -> Option<&str> {
        let is_drawn = |weights: &Option<Values>| {
            !weights.as_ref().is_some_and(|it| it.is_table() || matches!(it, Values::Constant(_)))
        };
        let starts = self.scenario.start_from.is_some();
        let mut layers = self.scenario.layers.iter();
        let layer = layers.find(|it| is_drawn(&it.weights) && !(starts && it.weights.is_none()))?;
        self.scenario.training.is_some().then_some(layer.name.as_str())
    }

    /// The network that the scenario starts from, if it names one.
    pub(super) fn start(&self) -> Result<Option<Start>, ScenarioError> {
        let Some(path) = &self.scenario.start_from else { return Ok(None) };
        let refuse = |message: String| self.problem("start_from", message);
        let Saved { network, time_unit, inference } =
            file::read_with::<Inference>(path).map_err(|error| refuse(error.to_string()))?;
        let here = |message: String| refuse(format!("{}: {message}", path.display()));
        let wanted = self.scenario.time_unit.suffix();
        if time_unit != wanted {
            return Err(here(format!("its times are in {time_unit}, the scenario's in {wanted}")));
        }
        let inference = inference.ok_or_else(|| {
            here(
                "it does not say how samples come in: it was simulated, or trained by an earlier \
                 version; run its scenario again"
                    .to_owned(),
            )
        })?;
        let mut network =
            LayeredNetwork::try_from(network).map_err(|error| here(error.to_string()))?;
        inference.check(&network).map_err(|error| here(error.to_string()))?;
        network.delays.clone_from(&inference.delays);
        let found = inference.encoding.copies();
        let copies = self.scenario.encoding.map_or(1, |encoding| encoding.copies);
        if found != copies {
            return Err(here(format!(
                "it has {found} copies of each feature, the scenario {copies}"
            )));
        }
        Ok(Some(Start { path: path.clone(), network, inference }))
    }
}

impl Start {
    /// What is known of the data from the training before.
    pub fn known(&self) -> Known {
        Known {
            scaling: self.inference.scaling.clone(),
            feature_names: self.inference.feature_names.clone(),
            class_names: Some(self.inference.class_names.clone()),
        }
    }

    /// What the layer of this name starts with, which must have this many rows and columns. The error says
    /// what is otherwise.
    pub fn layer(&self, name: &str, (rows, columns): (usize, usize)) -> Result<LayerStart, String> {
        const ANEW: &str =
            "give the layer weights of its own (weights = \"auto\") to start it anew";
        let path = self.path.display();
        let populations = self.network.network.populations();
        let ids = &self.network.layers;
        let Some(layer) = ids.iter().position(|id| populations[id.0].name == name) else {
            let names: Vec<&str> = ids.iter().map(|id| populations[id.0].name.as_str()).collect();
            let names = names.join(", ");
            return Err(format!("start_from: {path} has no layer `{name}`, but {names}; {ANEW}"));
        };
        let shape = self.network.shapes()[layer];
        if (shape.rows, shape.columns) != (rows, columns) {
            return Err(format!(
                "start_from: layer `{name}` of {path} has {} × {} synapses, here {rows} × {columns} are \
                 needed (presynaptic neurons and bias sources × neurons); {ANEW}",
                shape.rows, shape.columns
            ));
        }
        let edges = self.network.network.graph().raw_edges();
        let own = &edges[shape.first..shape.first + rows * columns];
        let weights = own.iter().map(|edge| edge.weight.weight).collect();
        Ok((weights, self.network.layer_delays().swap_remove(layer)))
    }
}
