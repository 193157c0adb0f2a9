//! What a user sets for a neuron, with the accepted ranges.

/// Parameters of one neuron. Times are in the scenario's time unit; potentials and currents are in
/// any units that satisfy `current × time = capacitance × potential`.
///
/// Every field stands for itself: who changes `tau_s` or `leak_potential` and takes the rest from the
/// default sets `tau_s_inhibitory` and `initial_potential` (and `reset_potential`) too. Scenario files
/// do that by themselves.
///
/// The default is the paper's neuron: `τ_m = τ_s = 1`, threshold 1 above a leak of 0, and a
/// capacitance equal to `τ_s`, so that one spike of weight `w` raises the potential to `w/e`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NeuronParameters {
    /// Membrane time constant `τ_m`; infinite for the non-leaky (nLIF) neuron. Above zero.
    pub tau_m: f64,
    /// Synaptic time constant `τ_s`, of excitatory synapses if those of inhibitory ones differ.
    /// Finite, above zero.
    pub tau_s: f64,
    /// Synaptic time constant of inhibitory synapses (those of negative weight). Finite, above zero.
    pub tau_s_inhibitory: f64,
    /// Membrane capacitance `C`. Finite, above zero.
    pub capacitance: f64,
    /// Leak potential `E_l`, where the membrane rests. Finite.
    pub leak_potential: f64,
    /// Potential to which a spike resets the membrane. Finite, below the threshold.
    pub reset_potential: f64,
    /// Threshold potential. Finite.
    pub threshold: f64,
    /// How long the potential is held at reset after a spike. Finite, not negative.
    pub refractory_period: f64,
    /// Constant current into the membrane. Finite.
    pub bias_current: f64,
    /// Potential at time zero; at the leak potential the neuron starts at rest. Finite.
    pub initial_potential: f64,
    /// Excitatory synaptic current at time zero. Finite.
    pub initial_current: f64,
    /// Inhibitory synaptic current at time zero. Finite.
    pub initial_inhibitory_current: f64,
}

impl Default for NeuronParameters {
    fn default() -> Self {
        NeuronParameters {
            tau_m: 1.0,
            tau_s: 1.0,
            tau_s_inhibitory: 1.0,
            capacitance: 1.0,
            leak_potential: 0.0,
            reset_potential: 0.0,
            threshold: 1.0,
            refractory_period: 0.0,
            bias_current: 0.0,
            initial_potential: 0.0,
            initial_current: 0.0,
            initial_inhibitory_current: 0.0,
        }
    }
}

/// A parameter outside its accepted range.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{parameter} = {value} is out of range: it must be {accepted}")]
pub struct ParameterError {
    /// Name of the parameter as it is written in a scenario.
    pub parameter: &'static str,
    /// The value that was refused.
    pub value: f64,
    /// What is accepted, to be read after "must be".
    pub accepted: String,
}

impl NeuronParameters {
    /// Checks every parameter against its range.
    ///
    /// # Errors
    /// Names the first parameter that is out of range, its value, and what is accepted.
    pub fn validate(&self) -> Result<(), ParameterError> {
        let refuse = |parameter, value, accepted: &str| {
            Err(ParameterError { parameter, value, accepted: accepted.to_owned() })
        };
        // Written so that NaN fails each comparison.
        if !(self.tau_m > 0.0) {
            return refuse("tau_m", self.tau_m, "above 0 (inf for a non-leaky neuron)");
        }
        let positive = [
            ("tau_s", self.tau_s),
            ("tau_s_inhibitory", self.tau_s_inhibitory),
            ("capacitance", self.capacitance),
        ];
        for (parameter, value) in positive {
            if !(value > 0.0 && value.is_finite()) {
                return refuse(parameter, value, "finite and above 0");
            }
        }
        let finite = [
            ("leak_potential", self.leak_potential),
            ("threshold", self.threshold),
            ("bias_current", self.bias_current),
            ("initial_potential", self.initial_potential),
            ("initial_current", self.initial_current),
            ("initial_inhibitory_current", self.initial_inhibitory_current),
        ];
        for (parameter, value) in finite {
            if !value.is_finite() {
                return refuse(parameter, value, "finite");
            }
        }
        if !(self.refractory_period >= 0.0 && self.refractory_period.is_finite()) {
            return refuse("refractory_period", self.refractory_period, "finite and not negative");
        }
        if !(self.reset_potential < self.threshold && self.reset_potential.is_finite()) {
            return Err(ParameterError {
                parameter: "reset_potential",
                value: self.reset_potential,
                accepted: format!("finite and below the threshold ({})", self.threshold),
            });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn default_is_valid_and_each_range_is_checked() {
        let good = NeuronParameters::default();
        assert_eq!(good.validate(), Ok(()));
        assert_eq!(NeuronParameters { tau_m: f64::INFINITY, ..good }.validate(), Ok(()));

        let nan = f64::NAN;
        let bad = [
            ("tau_m", NeuronParameters { tau_m: 0.0, ..good }),
            ("tau_m", NeuronParameters { tau_m: nan, ..good }),
            ("tau_s", NeuronParameters { tau_s: -1.0, ..good }),
            ("tau_s", NeuronParameters { tau_s: f64::INFINITY, ..good }),
            ("tau_s_inhibitory", NeuronParameters { tau_s_inhibitory: 0.0, ..good }),
            ("capacitance", NeuronParameters { capacitance: 0.0, ..good }),
            ("initial_potential", NeuronParameters { initial_potential: nan, ..good }),
            ("initial_current", NeuronParameters { initial_current: nan, ..good }),
            ("leak_potential", NeuronParameters { leak_potential: nan, ..good }),
            ("threshold", NeuronParameters { threshold: f64::INFINITY, ..good }),
            ("bias_current", NeuronParameters { bias_current: nan, ..good }),
            ("refractory_period", NeuronParameters { refractory_period: -1e-9, ..good }),
            ("reset_potential", NeuronParameters { reset_potential: 1.0, ..good }),
            ("reset_potential", NeuronParameters { reset_potential: nan, ..good }),
        ];
        for (parameter, neuron) in bad {
            let error = neuron.validate().expect_err(parameter);
            assert_eq!(error.parameter, parameter);
            assert!(error.to_string().contains("must be"), "{error}");
        }
    }
}
