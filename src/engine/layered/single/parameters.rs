//! How a loss on the spikes of a layer depends on its thresholds and time constants.

use super::arrays::{check_times, fits};
use super::{Element, LayerArrays, LayerInputError};
use crate::network::DelayKind;
use crate::neuron::{CausalInput, crossing_by_parameters};

/// Derivatives of a loss by the parameters of a layer's neurons.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LayerParameterGradients {
    /// By the membrane time constant; zero for non-leaky neurons.
    pub tau_m: f64,
    /// By the synaptic time constant, at a constant capacitance.
    pub tau_s: f64,
    /// By the capacitance.
    pub capacitance: f64,
    /// By each neuron's threshold, or by the one that all have.
    pub thresholds: Vec<f64>,
}

/// How a loss depends on the parameters of a layer's neurons, given how it depends on their `spikes` (sample ×
/// neuron), which may have been recorded elsewhere. Takes about 30 ns per synapse and sample.
///
/// # Errors
/// If an array does not fit the others, or a value is out of its range.
pub fn parameter_gradients<T: Element>(
    layer: &LayerArrays<'_, T>,
    spikes: &[T],
    by_spikes: &[T],
) -> Result<LayerParameterGradients, LayerInputError> {
    layer.check()?;
    let LayerArrays { inputs, neurons, samples, parameters, .. } = *layer;
    fits("spikes", samples * neurons, spikes.len())?;
    fits("gradient", samples * neurons, by_spikes.len())?;
    check_times("spikes", spikes, neurons)?;
    parameters.prepare(neurons)?;
    let mut sums = LayerParameterGradients {
        thresholds: vec![0.0; parameters.thresholds.len()],
        ..LayerParameterGradients::default()
    };
    let last = sums.thresholds.len() - 1;
    let mut causes = Vec::new();
    let samples = layer.times.chunks_exact(inputs).zip(spikes.chunks_exact(neurons));
    for ((times, spikes), by_spikes) in samples.zip(by_spikes.chunks_exact(neurons)) {
        for (neuron, (spike, by)) in spikes.iter().zip(by_spikes).enumerate() {
            let (mut spike, by) = (spike.to_f64(), by.to_f64());
            if by == 0.0 || spike == f64::INFINITY {
                continue;
            }
            causes.clear();
            for (input, time) in times.iter().enumerate() {
                let synapse = layer.order.index(input, neuron, inputs, neurons);
                let delay = match layer.delays {
                    Some((DelayKind::Axonal, delays)) => delays[input].to_f64(),
                    Some((DelayKind::Synaptic, delays)) => delays[synapse].to_f64(),
                    Some((DelayKind::Dendritic, _)) | None => 0.0,
                };
                let weight = layer.weights[synapse].to_f64();
                let arrival = time.to_f64() + delay;
                causes.push(CausalInput { arrival, weight, inhibitory: false });
            }
            if let Some((DelayKind::Dendritic, delays)) = layer.delays {
                spike -= delays[neuron].to_f64();
            }
            let of_neuron = parameters.of_neuron(neuron);
            let Some(by_parameter) = crossing_by_parameters(&of_neuron, spike, &causes) else {
                continue;
            };
            sums.tau_m += by * by_parameter.tau_m;
            sums.tau_s += by * by_parameter.tau_s;
            sums.capacitance += by * by_parameter.capacitance;
            sums.thresholds[neuron.min(last)] += by * by_parameter.threshold;
        }
    }
    Ok(sums)
}
