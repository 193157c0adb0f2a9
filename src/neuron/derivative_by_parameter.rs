//! How a crossing time moves with the parameters of the neuron.

use super::kernel::KernelByRates;
use super::{CausalInput, NeuronGradients, NeuronParameters};

/// Derivatives of the first-spike time `T` of a neuron that rests at its leak potential without input, by its
/// membrane and synaptic time constants, its capacitance and its threshold; what else [`NeuronGradients`] has is
/// zero. `None` if the potential does not rise at `T`: the neuron cannot have crossed its threshold then.
///
/// The crossing is `V(T) = Σ w_i K(T − t_i)/C = ϑ`, hence `dT/dϑ = 1/V̇` and, for what else the potential depends
/// on, `dT/dx = −(∂V/∂x)/V̇`. Inputs that arrive at `T` or later take no part.
pub fn crossing_by_parameters(
    parameters: &NeuronParameters,
    spike_time: f64,
    inputs: &[CausalInput],
) -> Option<NeuronGradients> {
    let (membrane_rate, synaptic_rate) = (1.0 / parameters.tau_m, 1.0 / parameters.tau_s);
    let (mut current, mut by_membrane, mut by_synapses) = (0.0, 0.0, 0.0);
    for input in inputs {
        let elapsed = spike_time - input.arrival;
        if elapsed > 0.0 {
            let kernel = KernelByRates::new(membrane_rate, synaptic_rate, elapsed);
            current += input.weight * (-synaptic_rate * elapsed).exp();
            by_membrane += input.weight * kernel.by_membrane_rate;
            by_synapses += input.weight * kernel.by_synaptic_rate;
        }
    }
    let threshold = parameters.threshold - parameters.leak_potential;
    // C V̇, with the potential at the threshold.
    let rise = current - parameters.capacitance * membrane_rate * threshold;
    (rise > 0.0).then(|| NeuronGradients {
        // dλ/dτ = −λ²
        tau_m: by_membrane * membrane_rate * membrane_rate / rise,
        tau_s: by_synapses * synaptic_rate * synaptic_rate / rise,
        capacitance: threshold / rise,
        threshold: parameters.capacitance / rise,
        ..NeuronGradients::default()
    })
}

#[cfg(test)]
mod tests {
    use super::super::{Dynamics, first_spike};
    use super::*;

    #[test]
    fn agrees_with_central_differences_at_every_ratio() {
        for tau_m in [0.4, 1.0, 1.0 + 1e-9, 2.0, 5.0, f64::INFINITY] {
            let neuron = NeuronParameters {
                tau_m,
                capacitance: 1.3,
                threshold: 0.9,
                ..NeuronParameters::default()
            };
            let inputs = [(0.1, 2.0), (0.4, -1.0), (0.9, 4.0), (1.0, 5.0), (9.0, 1.0)];
            let spike_time = |neuron: &NeuronParameters| {
                let dynamics = Dynamics::new(neuron).expect("valid");
                first_spike(&dynamics, &inputs).expect("it spikes").elapsed
            };
            let causes =
                inputs.map(|(arrival, weight)| CausalInput { arrival, weight, inhibitory: false });
            let found =
                crossing_by_parameters(&neuron, spike_time(&neuron), &causes).expect("it rises");
            let step = 1e-6;
            let difference = |change: &dyn Fn(&mut NeuronParameters, f64)| {
                let (mut up, mut down) = (neuron, neuron);
                change(&mut up, step);
                change(&mut down, -step);
                (spike_time(&up) - spike_time(&down)) / (2.0 * step)
            };
            let by_tau_m =
                if tau_m.is_finite() { difference(&|neuron, by| neuron.tau_m += by) } else { 0.0 };
            let by_tau_s = difference(&|neuron, by| {
                neuron.tau_s += by;
                neuron.tau_s_inhibitory += by;
            });
            // Truncation 1e-12 and rounding 1e-16/1e-6 of the differences.
            assert!((found.tau_m - by_tau_m).abs() < 1e-8, "{tau_m}");
            assert!((found.tau_s - by_tau_s).abs() < 1e-8, "{tau_m}");
            let by_capacitance = difference(&|neuron, by| neuron.capacitance += by);
            assert!((found.capacitance - by_capacitance).abs() < 1e-8, "{tau_m}");
            let by_threshold = difference(&|neuron, by| neuron.threshold += by);
            assert!((found.threshold - by_threshold).abs() < 1e-8, "{tau_m}");
        }
    }

    #[test]
    fn a_spike_that_cannot_have_been_has_no_derivatives() {
        let neuron = NeuronParameters::default();
        let cause = CausalInput { arrival: 0.0, weight: 1.0, inhibitory: false };
        assert_eq!(crossing_by_parameters(&neuron, 1.0, &[cause]), None);
        assert_eq!(crossing_by_parameters(&neuron, 1.0, &[]), None);
    }
}
