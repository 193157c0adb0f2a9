//! Parameters of neurons as a scenario states them.

use serde::{Deserialize, Serialize};

use crate::neuron::NeuronParameters;

/// Neuron parameters; what is left out is taken from the scenario's `[neuron]`, and what is left
/// out there from the defaults given here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NeuronSpec {
    /// Membrane time constant; `inf` for a non-leaky neuron. Default: `tau_s`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tau_m: Option<f64>,
    /// Synaptic time constant. Default: 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tau_s: Option<f64>,
    /// Synaptic time constant of inhibitory synapses, those of negative weight. Default: `tau_s`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tau_s_inhibitory: Option<f64>,
    /// Membrane capacitance. Default: `tau_s`, so that a lone spike of weight `w` at
    /// `tau_m = tau_s` raises the potential to `w/e` in any time unit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub capacitance: Option<f64>,
    /// Leak potential. Default: 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub leak_potential: Option<f64>,
    /// Reset potential. Default: the leak potential.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reset_potential: Option<f64>,
    /// Threshold potential. Default: 1 above the leak potential.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub threshold: Option<f64>,
    /// Refractory period. Default: 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refractory_period: Option<f64>,
    /// Constant current. Default: 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bias_current: Option<f64>,
    /// Potential at time zero. Default: the leak potential.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub initial_potential: Option<f64>,
    /// Excitatory synaptic current at time zero. Default: 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub initial_current: Option<f64>,
    /// Inhibitory synaptic current at time zero. Default: 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub initial_inhibitory_current: Option<f64>,
}

impl NeuronSpec {
    /// These parameters where they are given, `general`'s elsewhere.
    pub fn over(&self, general: &NeuronSpec) -> NeuronSpec {
        NeuronSpec {
            tau_m: self.tau_m.or(general.tau_m),
            tau_s: self.tau_s.or(general.tau_s),
            tau_s_inhibitory: self.tau_s_inhibitory.or(general.tau_s_inhibitory),
            capacitance: self.capacitance.or(general.capacitance),
            leak_potential: self.leak_potential.or(general.leak_potential),
            reset_potential: self.reset_potential.or(general.reset_potential),
            threshold: self.threshold.or(general.threshold),
            refractory_period: self.refractory_period.or(general.refractory_period),
            bias_current: self.bias_current.or(general.bias_current),
            initial_potential: self.initial_potential.or(general.initial_potential),
            initial_current: self.initial_current.or(general.initial_current),
            initial_inhibitory_current: self
                .initial_inhibitory_current
                .or(general.initial_inhibitory_current),
        }
    }

    /// The parameters with every default filled in; not yet checked.
    pub fn resolve(&self) -> NeuronParameters {
        let tau_s = self.tau_s.unwrap_or(1.0);
        let leak_potential = self.leak_potential.unwrap_or(0.0);
        NeuronParameters {
            tau_m: self.tau_m.unwrap_or(tau_s),
            tau_s,
            tau_s_inhibitory: self.tau_s_inhibitory.unwrap_or(tau_s),
            capacitance: self.capacitance.unwrap_or(tau_s),
            leak_potential,
            reset_potential: self.reset_potential.unwrap_or(leak_potential),
            threshold: self.threshold.unwrap_or(leak_potential + 1.0),
            refractory_period: self.refractory_period.unwrap_or(0.0),
            bias_current: self.bias_current.unwrap_or(0.0),
            initial_potential: self.initial_potential.unwrap_or(leak_potential),
            initial_current: self.initial_current.unwrap_or(0.0),
            initial_inhibitory_current: self.initial_inhibitory_current.unwrap_or(0.0),
        }
    }
}

impl From<NeuronParameters> for NeuronSpec {
    fn from(parameters: NeuronParameters) -> Self {
        NeuronSpec {
            tau_m: Some(parameters.tau_m),
            tau_s: Some(parameters.tau_s),
            capacitance: Some(parameters.capacitance),
            leak_potential: Some(parameters.leak_potential),
            reset_potential: Some(parameters.reset_potential),
            threshold: Some(parameters.threshold),
            refractory_period: Some(parameters.refractory_period),
            bias_current: Some(parameters.bias_current),
            tau_s_inhibitory: Some(parameters.tau_s_inhibitory),
            initial_potential: Some(parameters.initial_potential),
            initial_current: Some(parameters.initial_current),
            initial_inhibitory_current: Some(parameters.initial_inhibitory_current),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_follow_from_what_is_given() {
        let general = NeuronSpec { tau_s: Some(6.0), ..NeuronSpec::default() };
        let own = NeuronSpec { leak_potential: Some(-70.0), ..NeuronSpec::default() };
        let neuron = own.over(&general).resolve();
        assert_eq!((neuron.tau_m, neuron.capacitance), (6.0, 6.0));
        assert_eq!((neuron.reset_potential, neuron.threshold), (-70.0, -69.0));
        assert_eq!(NeuronSpec::from(neuron).resolve(), neuron);
    }
}
