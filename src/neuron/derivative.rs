//! How a crossing time moves with the weights and times of its causal inputs.

use super::Dynamics;

/// One input spike of a neuron.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CausalInput {
    /// When the spike arrived at the neuron.
    pub arrival: f64,
    /// Weight of the synapse it arrived over.
    pub weight: f64,
    /// Whether that synapse is an inhibitory one.
    pub inhibitory: bool,
}

/// Derivatives of a crossing time `T` with respect to one of its inputs.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct CrossingDerivative {
    /// `dT/dw`, in time units per unit of weight.
    pub by_weight: f64,
    /// `dT/dt_i`, without unit.
    pub by_arrival: f64,
}

/// Derivatives of the first-spike time `T` of a neuron with respect to each of its `inputs`, written to `derivatives` in the same order. Returns `dV/dt` at `T`.
///
/// The crossing is defined by `V(T; w, t) = ϑ`, so by the implicit function theorem
/// `dT/dx = −(∂V/∂x)/(∂V/∂T)`. With the membrane's response `K` to a unit of weight,
/// `V(T) = Σ w_i K(T − t_i) + …`, hence (Göltz, Kriener et al. 2021, equations 5 and 6, in the form
/// that holds for every ratio of time constants)
///
/// ```text
/// dT/dw_i = −K(T − t_i)/V̇        dT/dt_i = w_i K'(T − t_i)/V̇        V̇ = Σ w_i K'(T − t_i) + bias
/// ```
///
/// An input outside the causal set (it arrives at or after `T`) has zero derivatives. At an exact
/// tie `t_i = T` the derivative is one-sided: that of the side where the input comes too late.
pub fn crossing_derivatives(
    dynamics: &Dynamics,
    spike_time: f64,
    inputs: &[CausalInput],
    derivatives: &mut Vec<CrossingDerivative>,
) -> f64 {
    derivatives.clear();
    let mut slope = dynamics.undriven_slope(spike_time);
    for input in inputs {
        let elapsed = spike_time - input.arrival;
        let (response, response_slope) = if elapsed > 0.0 {
            dynamics.response_at(input.inhibitory, elapsed)
        } else {
            (0.0, 0.0)
        };
        slope += input.weight * response_slope;
        derivatives.push(CrossingDerivative {
            by_weight: response,
            by_arrival: input.weight * response_slope,
        });
    }
    for derivative in derivatives {
        derivative.by_weight /= -slope;
        derivative.by_arrival /= slope;
    }
    slope
}

#[cfg(test)]
mod tests {
    use super::super::{NeuronParameters, first_spike};
    use super::*;

    fn spike_time(dynamics: &Dynamics, inputs: &[CausalInput]) -> f64 {
        let inputs: Vec<_> = inputs.iter().map(|input| (input.arrival, input.weight)).collect();
        first_spike(dynamics, &inputs).expect("the test's neurons spike").elapsed
    }

    #[test]
    fn agree_with_central_differences_and_with_the_two_sum_rules() {
        for tau_m in [0.4, 1.0, 1.0 + 1e-9, 2.0, 5.0, f64::INFINITY] {
            for bias_current in [0.0, 0.2] {
                let parameters =
                    NeuronParameters { tau_m, bias_current, ..NeuronParameters::default() };
                let dynamics = Dynamics::new(&parameters).expect("valid");
                let inputs = [(0.1, 2.0), (0.4, -1.0), (0.9, 4.0), (1.0, 5.0), (9.0, 1.0)].map(
                    |(arrival, weight)| CausalInput { arrival, weight, inhibitory: weight < 0.0 },
                );
                let time = spike_time(&dynamics, &inputs);
                let mut derivatives = Vec::new();
                let slope = crossing_derivatives(&dynamics, time, &inputs, &mut derivatives);

                let step = 1e-6;
                for index in 0..inputs.len() {
                    let difference = |change: &dyn Fn(&mut CausalInput, f64)| {
                        let (mut up, mut down) = (inputs, inputs);
                        change(&mut up[index], step);
                        change(&mut down[index], -step);
                        (spike_time(&dynamics, &up) - spike_time(&dynamics, &down)) / (2.0 * step)
                    };
                    let by_weight = difference(&|input, by| input.weight += by);
                    let by_arrival = difference(&|input, by| input.arrival += by);
                    // Truncation 1e-12 and rounding 1e-16/1e-6 of the differences.
                    assert!((derivatives[index].by_weight - by_weight).abs() < 1e-8);
                    assert!((derivatives[index].by_arrival - by_arrival).abs() < 1e-8);
                }
                if bias_current == 0.0 {
                    let shift: f64 = derivatives.iter().map(|d| d.by_arrival).sum();
                    assert!((shift - 1.0).abs() < 1e-13, "shifting all inputs shifts the spike");
                    let scale: f64 =
                        derivatives.iter().zip(&inputs).map(|(d, i)| d.by_weight * i.weight).sum();
                    assert!((scale + 1.0 / slope).abs() < 1e-12, "weights against threshold");
                }
            }
        }
    }
}
