//! Whether a network fits onto a chip, and what would make it fit.

use super::datasheet::{Datasheet, Sign};
use crate::network::LayeredNetwork;

/// Why a network does not fit, if it does not; `copies` is how many sources each input has already.
pub fn misfit(sheet: &Datasheet, network: &LayeredNetwork, copies: usize) -> Option<String> {
    let populations = network.network.populations();
    let shapes = network.shapes();
    let name = |layer: usize| &populations[network.layers[layer].0].name;
    let chip = &sheet.name;
    let neurons: usize = shapes.iter().map(|shape| shape.columns).sum();
    if let Some(most) = sheet.size.neurons.filter(|&most| neurons > most) {
        return Some(format!(
            "the network has {neurons} neurons, but `{chip}` has {most}: take {} from its layers",
            neurons - most
        ));
    }
    let per_source = if sheet.weights.sign == Sign::RowPair { 2 } else { 1 };
    for (layer, shape) in shapes.iter().enumerate() {
        let limits = [
            (sheet.size.synapse_rows, per_source, "synapse rows"),
            (sheet.size.fan_in, 1, "synapses per neuron"),
        ];
        for (limit, each, what) in limits {
            let needed = shape.rows * each;
            let Some(most) = limit.filter(|&most| needed > most) else { continue };
            let bias = network.bias[layer].map_or(0, |id| populations[id.0].nodes.len());
            let features = (shape.rows - bias) / copies;
            let advice = match (layer, most / each) {
                (0, fit) if copies > 1 && features + bias <= fit => {
                    let fewer = (fit - bias) / features;
                    format!("lower encoding.copies from {copies} to {fewer}")
                }
                (0, fit) => format!("use at most {fit} features (of images: a smaller size)"),
                (_, fit) => format!("use at most {fit} neurons and bias sources before it"),
            };
            return Some(format!(
                "layer `{}` needs {needed} {what} ({} sources{}), but `{chip}` has {most}: {advice}",
                name(layer),
                shape.rows,
                if each == 2 { ", a row for each sign" } else { "" },
            ));
        }
    }
    // A neuron whose every input has the largest weight and comes at once: its potential peaks at
    // the sum over e (for equal time constants), which must reach the threshold.
    let inputs = shapes.first()?.rows;
    let peak = sheet.weights.largest * inputs as f64 / std::f64::consts::E;
    (peak < 1.0).then(|| {
        let needed = (std::f64::consts::E / sheet.weights.largest).ceil() as usize;
        let more = (copies * needed).div_ceil(inputs);
        format!(
            "layer `{}` can never spike on `{chip}`: all of its {inputs} sources together, with the \
             largest weight, reach {:.0} % of the threshold; show each feature to several sources \
             (encoding.copies = {more} at least)",
            name(0),
            100.0 * peak
        )
    })
}
