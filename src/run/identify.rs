//! What a substrate is like, from a trace that it recorded: a chip file with measured neurons.

use std::io::Write;
use std::path::Path;

use super::chip_found::{self, CHIP_FOUND, FoundLayer};
use super::learn::{LearnError, Recorded};
use super::{OutputFolder, RunError, Subset};
use crate::chip::{Datasheet, Deviation, NeuronDeviations, WeightGrid};
use crate::learning::{FirstSpikes, Identification, identify as find};
use crate::network::CompiledNetwork;
use crate::scenario::LoadedScenario;
use crate::trace::format::TraceSource;

/// The chip file.
pub const CHIP: &str = "chip.toml";
/// Its measured neurons.
const NEURONS: &str = "neurons.csv";

/// What an identification came to.
#[derive(Clone, Debug)]
pub struct IdentifySummary {
    /// Samples in the trace.
    pub samples: usize,
    /// What was found, layer by layer.
    pub layers: Vec<FoundLayer>,
    /// Neurons of which no spike could be compared.
    pub unseen: usize,
}

/// Finds thresholds and delays of the neurons that recorded a trace of a scenario's network, which has the weights that
/// the scenario gives it, and writes a chip file with them (`chip.toml`, `neurons.csv`), and a table with their
/// uncertainties (`chip_found.csv`), to the folder `out`. The scenario's chip says what is known beforehand.
///
/// # Errors
/// If scenario or trace cannot be used, with file and line; the scenario trains, but has only initial weights; or
/// the files cannot be written.
pub fn identify(
    loaded: &LoadedScenario,
    trace: &TraceSource,
    subset: Subset,
    out: &Path,
) -> Result<IdentifySummary, LearnError> {
    if loaded.scenario.is_simulation() {
        return Err(LearnError::NoLayers);
    }
    if let Some(layer) = loaded.untrained_layer() {
        let (path, layer) = (loaded.path().to_owned(), layer.to_owned());
        return Err(LearnError::Untrained { path, layer });
    }
    let mut learner = loaded.learner().map_err(RunError::from)?;
    let hardware = loaded.hardware(&learner).map_err(RunError::from)?;
    let sheet = hardware.as_ref().map(|hardware| &hardware.sheet);
    // What the chip was programmed with.
    if let Some(grid) = sheet.and_then(|sheet| WeightGrid::new(sheet, &learner.network)) {
        let edges = learner.network.network.graph().edge_weights();
        let weights: Vec<f64> = edges.map(|synapse| synapse.weight).collect();
        let programmed = grid.program_all(&learner.network.shapes(), &weights);
        learner.network.network.set_weights(programmed);
    }
    let network = CompiledNetwork::new(&learner.network.network);
    let set = learner.encode(match subset {
        Subset::Training => &learner.data.training,
        Subset::Validation => &learner.data.validation,
        Subset::Test => &learner.data.test,
    });
    let unit = loaded.scenario.time_unit.suffix();
    let recorded = Recorded::read(trace, unit, &network, &set)?;
    let records: Vec<&FirstSpikes> = recorded.samples.iter().map(|(_, record)| record).collect();
    let prior = loaded.prior(&learner, hardware.as_ref()).map_err(RunError::from)?;
    let time_constants = prior.time_constants;
    let found = find(&learner.network, prior, set.bias(), &records)
        .map_err(|error| LearnError::Unsupported { reason: error.to_string() })?;
    let layers = FoundLayer::of(&found.neurons, &learner.layer_names);
    let sheet = found_sheet(sheet, &found, &trace.path);
    let folder = OutputFolder::create(out)?;
    folder.write(NEURONS, |file| {
        writeln!(file, "neuron,threshold,tau_m,tau_s")?;
        let [tau_m, tau_s] = time_constants;
        for (index, neuron) in found.neurons.iter().enumerate() {
            writeln!(file, "{index},{},{tau_m},{tau_s}", neuron.threshold[0] / neuron.target)?;
        }
        Ok(())
    })?;
    folder.write(CHIP_FOUND, |file| {
        chip_found::write(file, &found.neurons, &learner.layer_names, unit)
    })?;
    folder.write(CHIP, |file| {
        let text = toml::to_string(&sheet).map_err(std::io::Error::other)?;
        writeln!(file, "# Times are in {unit}, the unit of the scenario.\n\n{text}")
    })?;
    let unseen = found.neurons.iter().filter(|neuron| neuron.compared == 0).count();
    Ok(IdentifySummary { samples: records.len(), layers, unseen })
}

/// The chip file: what was known, with measured neurons, their mean delay, and the noise of all layers together.
fn found_sheet(known: Option<&Datasheet>, found: &Identification, trace: &Path) -> Datasheet {
    let compared = || found.neurons.iter().filter(|neuron| neuron.compared > 0);
    let count = compared().count().max(1) as f64;
    let mean =
        |of: &dyn Fn(&crate::learning::FoundNeuron) -> f64| compared().map(of).sum::<f64>() / count;
    let delay = mean(&|neuron| neuron.delay[0]);
    let jitter = mean(&|neuron| found.noise[neuron.layer][0].powi(2)).sqrt();
    let threshold = mean(&|neuron| (found.noise[neuron.layer][1] / neuron.target).powi(2)).sqrt();
    let mut sheet = known.cloned().unwrap_or_default();
    sheet.name = "identified".to_owned();
    // What was known is in model time, with its distortions.
    (sheet.base, sheet.time_unit, sheet.tau_s, sheet.distortion) = (None, None, None, 1.0);
    sheet.neurons.fixed_pattern = NeuronDeviations::default();
    sheet.neurons.trial_to_trial = NeuronDeviations::default();
    sheet.link.delay_jitter = 0.0;
    sheet.source = format!("firstspike identify, from {}", trace.display());
    sheet.neurons.measured = Some(NEURONS.into());
    sheet.neurons.trial_to_trial.threshold = Deviation { std: threshold, ..Deviation::IDEAL };
    sheet.link.delay = delay.max(0.0);
    sheet.link.spike_jitter = jitter;
    sheet
}
