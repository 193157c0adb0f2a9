//! What training in the loop found of the substrate's neurons: `chip_found.csv`, a neuron per row.

use std::io::{self, Write};

use serde::{Deserialize, Serialize};

use crate::learning::FoundNeuron;
use crate::report::html::{ChipFound, FoundNeurons, short};

/// File name.
pub const CHIP_FOUND: &str = "chip_found.csv";

/// What was found of the neurons of a layer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FoundLayer {
    /// Name of the layer.
    pub layer: String,
    /// Mean and standard deviation of its thresholds, relative to those of the scenario.
    pub threshold: [f64; 2],
    /// Mean and standard deviation of its delays, in the summary's unit of times.
    pub delay: [f64; 2],
    /// Standard deviation of its recorded times around those of the twin, in the same unit.
    pub noise: f64,
    /// Root mean square of what the thresholds differ from those that the neurons have, relative to those of the
    /// scenario; if the substrate knows them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threshold_error: Option<f64>,
    /// Fraction of spikes that only the record has, or only the twin.
    pub disagreement: f64,
}

impl FoundLayer {
    /// Layer by layer. Neurons of which no spike was ever compared are left out.
    pub fn of(neurons: &[FoundNeuron], names: &[String]) -> Vec<FoundLayer> {
        let layer = |(index, name): (usize, &String)| {
            let of_layer = || neurons.iter().filter(move |neuron| neuron.layer == index);
            let compared = || of_layer().filter(|neuron| neuron.compared > 0);
            let errors: Vec<f64> = compared()
                .filter_map(|neuron| {
                    Some((neuron.threshold[0] - neuron.true_threshold?) / neuron.target)
                })
                .collect();
            let missed: u64 = of_layer().map(|neuron| neuron.missed[0] + neuron.missed[1]).sum();
            let agreed: u64 = of_layer().map(|neuron| neuron.compared).sum();
            FoundLayer {
                layer: name.clone(),
                threshold: moments(compared().map(|neuron| neuron.threshold[0] / neuron.target)),
                delay: moments(compared().map(|neuron| neuron.delay[0])),
                noise: of_layer().map(|neuron| neuron.residual).next().unwrap_or(0.0),
                threshold_error: (!errors.is_empty()).then(|| {
                    let squares: f64 = errors.iter().map(|error| error * error).sum();
                    (squares / errors.len() as f64).sqrt()
                }),
                disagreement: missed as f64 / (missed + agreed).max(1) as f64,
            }
        };
        names.iter().enumerate().map(layer).collect()
    }
}

/// The same for a report; none if nothing was found.
pub(super) fn content(neurons: &[FoundNeuron], layers: &[FoundLayer]) -> Option<ChipFound> {
    let layer = |(index, found): (usize, &FoundLayer)| {
        let of_layer = || neurons.iter().filter(move |neuron| neuron.layer == index);
        let column = |value: &dyn Fn(&FoundNeuron) -> f64| {
            of_layer().map(|neuron| short(value(neuron))).collect()
        };
        let truth = |neuron: &FoundNeuron| Some(short(neuron.true_threshold? / neuron.target));
        FoundNeurons {
            name: found.layer.clone(),
            threshold: column(&|neuron| neuron.threshold[0] / neuron.target),
            threshold_std: column(&|neuron| neuron.threshold[1] / neuron.target),
            threshold_true: of_layer().map(truth).collect(),
            delay: column(&|neuron| neuron.delay[0]),
            delay_std: column(&|neuron| neuron.delay[1]),
            compared: of_layer().map(|neuron| neuron.compared).collect(),
            thresholds: found.threshold,
            delays: found.delay,
            noise: found.noise,
            threshold_error: found.threshold_error,
            disagreement: short(100.0 * found.disagreement),
        }
    };
    let known = neurons.iter().all(|neuron| neuron.true_threshold.is_some());
    let layers: Vec<FoundNeurons> = layers.iter().enumerate().map(layer).collect();
    (!neurons.is_empty()).then_some(ChipFound { layers, known })
}

/// Mean and standard deviation; zero of nothing.
fn moments(values: impl Iterator<Item = f64> + Clone) -> [f64; 2] {
    let count = values.clone().count().max(1) as f64;
    let mean = values.clone().sum::<f64>() / count;
    let variance = values.map(|value| (value - mean).powi(2)).sum::<f64>() / count;
    [mean, variance.sqrt()]
}

/// Writes the table. Thresholds are relative to those of the scenario, and `neuron` counts from zero through all
/// layers, as in files of measured neurons.
pub(super) fn write(
    file: &mut impl Write,
    neurons: &[FoundNeuron],
    layer_names: &[String],
    unit: &str,
) -> io::Result<()> {
    let mut writer = csv::Writer::from_writer(file);
    let mut heading: Vec<String> =
        ["neuron", "layer", "threshold", "threshold_std", "threshold_true"]
            .map(str::to_owned)
            .to_vec();
    heading.extend(["delay", "delay_std", "noise"].map(|name| format!("{name}_{unit}")));
    heading.extend(["compared", "only_recorded", "only_twin"].map(str::to_owned));
    writer.write_record(&heading)?;
    for (index, neuron) in neurons.iter().enumerate() {
        let [threshold, spread] = neuron.threshold.map(|value| value / neuron.target);
        let truth = neuron.true_threshold.map(|truth| (truth / neuron.target).to_string());
        writer.write_record([
            index.to_string(),
            layer_names[neuron.layer].clone(),
            threshold.to_string(),
            spread.to_string(),
            truth.unwrap_or_default(),
            neuron.delay[0].to_string(),
            neuron.delay[1].to_string(),
            neuron.residual.to_string(),
            neuron.compared.to_string(),
            neuron.missed[0].to_string(),
            neuron.missed[1].to_string(),
        ])?;
    }
    writer.flush()
}
