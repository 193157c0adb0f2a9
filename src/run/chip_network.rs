//! The neurons of a chip, for potentials: those of a network with the deviations that stay.

use crate::chip::WeightGrid;
use crate::network::Network;
use crate::scenario::{Learner, LoadedScenario, ScenarioError};

/// A trained network as the model of the scenario's chip realises it, without trial-to-trial noise; none if
/// there is no chip, or an ideal one. The learner has the order of the synapses, and the initial weights,
/// which the signs of rows go by; the network is as large as its.
///
/// # Errors
/// If the network or the file of the chip's measured neurons does not fit.
pub(super) fn chip_network(
    loaded: &LoadedScenario,
    learner: &Learner,
    trained: &Network,
) -> Result<Option<Network>, ScenarioError> {
    let hardware = loaded.hardware(learner)?.filter(|hardware| !hardware.sheet.is_ideal());
    let Some(hardware) = hardware else { return Ok(None) };
    let edges = trained.graph().raw_edges().iter();
    let mut weights: Vec<f64> = edges.map(|edge| edge.weight.weight).collect();
    if let Some(grid) = WeightGrid::new(&hardware.sheet, &learner.network) {
        weights = grid.program_all(&learner.network.shapes(), &weights);
    }
    let model = loaded.model(&hardware.sheet, learner)?;
    let mut network = learner.network.clone();
    network.network = trained.clone();
    Ok(Some(model.realise(&network, &weights)))
}
