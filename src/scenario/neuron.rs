//! Parameters of neurons as a scenario states them.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::ParameterSpec;
use crate::neuron::NeuronParameters;
use crate::random;

/// Parameters of the neurons of a group; what is left out is taken from the scenario's `[neuron]`,
/// and what is left out there from the defaults given here, neuron by neuron.
///
/// `T` is what a parameter is: as it may be written, or (`f64`) the value of one neuron.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NeuronSpec<T = ParameterSpec> {
    /// Membrane time constant; `inf` for a non-leaky neuron. Default: `tau_s`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tau_m: Option<T>,
    /// Synaptic time constant. Default: 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tau_s: Option<T>,
    /// Synaptic time constant of inhibitory synapses, those of negative weight. Default: `tau_s`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tau_s_inhibitory: Option<T>,
    /// Membrane capacitance. Default: `tau_s`, so that a lone spike of weight `w` at
    /// `tau_m = tau_s` raises the potential to `w/e` in any time unit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub capacitance: Option<T>,
    /// Leak potential. Default: 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub leak_potential: Option<T>,
    /// Reset potential. Default: the leak potential.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reset_potential: Option<T>,
    /// Threshold potential. Default: 1 above the leak potential.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub threshold: Option<T>,
    /// Refractory period. Default: 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refractory_period: Option<T>,
    /// Constant current. Default: 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bias_current: Option<T>,
    /// Potential at time zero. Default: the leak potential.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub initial_potential: Option<T>,
    /// Excitatory synaptic current at time zero. Default: 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub initial_current: Option<T>,
    /// Inhibitory synaptic current at time zero. Default: 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub initial_inhibitory_current: Option<T>,
}

impl<T> Default for NeuronSpec<T> {
    fn default() -> Self {
        NeuronSpec {
            tau_m: None,
            tau_s: None,
            tau_s_inhibitory: None,
            capacitance: None,
            leak_potential: None,
            reset_potential: None,
            threshold: None,
            refractory_period: None,
            bias_current: None,
            initial_potential: None,
            initial_current: None,
            initial_inhibitory_current: None,
        }
    }
}

impl<T> NeuronSpec<T> {
    /// Every parameter by name. The order numbers the streams of random numbers: what is new comes
    /// last.
    pub(super) fn entries_mut(&mut self) -> [(&'static str, &mut Option<T>); 12] {
        [
            ("tau_m", &mut self.tau_m),
            ("tau_s", &mut self.tau_s),
            ("tau_s_inhibitory", &mut self.tau_s_inhibitory),
            ("capacitance", &mut self.capacitance),
            ("leak_potential", &mut self.leak_potential),
            ("reset_potential", &mut self.reset_potential),
            ("threshold", &mut self.threshold),
            ("refractory_period", &mut self.refractory_period),
            ("bias_current", &mut self.bias_current),
            ("initial_potential", &mut self.initial_potential),
            ("initial_current", &mut self.initial_current),
            ("initial_inhibitory_current", &mut self.initial_inhibitory_current),
        ]
    }

    /// Every parameter that is given, by name.
    pub(super) fn given(&self) -> Vec<(&'static str, T)>
    where
        T: Clone,
    {
        let mut own = self.clone();
        let entries = own.entries_mut().map(|(name, entry)| Some((name, entry.take()?)));
        entries.into_iter().flatten().collect()
    }
}

impl NeuronSpec {
    /// These parameters where they are given, `general`'s elsewhere.
    pub fn over(&self, general: &NeuronSpec) -> NeuronSpec {
        let (mut own, mut general) = (self.clone(), general.clone());
        for ((_, own), (_, general)) in own.entries_mut().into_iter().zip(general.entries_mut()) {
            if own.is_none() {
                *own = general.take();
            }
        }
        own
    }

    /// The parameters of every neuron, if they are the same for all; not yet checked.
    pub fn constant(&self) -> Option<NeuronParameters> {
        let constant = self.given().iter().all(|(_, spec)| spec.constant().is_some());
        constant.then(|| self.constants().resolve())
    }

    /// The parameters that are given; NaN where neurons differ.
    fn constants(&self) -> NeuronSpec<f64> {
        let (mut own, mut constants) = (self.clone(), NeuronSpec::default());
        for ((_, own), (_, constant)) in own.entries_mut().into_iter().zip(constants.entries_mut())
        {
            *constant = own.as_ref().map(|spec| spec.constant().unwrap_or(f64::NAN));
        }
        constants
    }

    /// Fills in every default that is the same for all neurons.
    pub(super) fn fill_in(&mut self) {
        let mut defaults = NeuronSpec::from(self.constants().resolve());
        for ((_, own), (_, default)) in self.entries_mut().into_iter().zip(defaults.entries_mut()) {
            if own.is_none() {
                *own = default.filter(|value| !value.is_nan()).map(ParameterSpec::from);
            }
        }
    }

    /// The parameters of each of `count` neurons, checked. `group` is the number of their
    /// population or layer: each of its parameters has a stream of random numbers of its own, from
    /// which the neurons draw in order. The error names the parameter and says what is wrong.
    pub(super) fn neurons(
        &self,
        count: usize,
        group: usize,
        seed: u64,
        folder: &Path,
    ) -> Result<Vec<NeuronParameters>, (&'static str, String)> {
        if let Some(parameters) = self.constant() {
            parameters.validate().map_err(|error| {
                (error.parameter, format!("{} must be {}", error.value, error.accepted))
            })?;
            return Ok(vec![parameters; count]);
        }
        let mut own = self.clone();
        let mut columns = NeuronSpec::<Vec<f64>>::default();
        let places = own.entries_mut().into_iter().zip(columns.entries_mut()).enumerate();
        for (place, ((name, spec), (_, column))) in places {
            let Some(spec) = spec else { continue };
            let index = ((group as u64) << 32) | place as u64;
            let mut random = random::stream(seed, "neuron parameters", index);
            let values = spec.0.list(count, "neuron", name, folder, &mut random);
            *column = Some(values.map_err(|message| (name, message))?);
        }
        (0..count)
            .map(|neuron| {
                let mut one = NeuronSpec::default();
                for ((_, one), (_, column)) in
                    one.entries_mut().into_iter().zip(columns.entries_mut())
                {
                    *one = column.as_ref().map(|values| values[neuron]);
                }
                let parameters = one.resolve();
                parameters.validate().map_err(|error| {
                    let found = self.given().into_iter().find(|(name, _)| *name == error.parameter);
                    let message = format!(
                        "neuron {neuron}: {} must be {}{}",
                        error.value,
                        error.accepted,
                        found.map_or_else(String::new, |(_, spec)| spec.origin(neuron))
                    );
                    (error.parameter, message)
                })?;
                Ok(parameters)
            })
            .collect()
    }
}

impl NeuronSpec<f64> {
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

impl From<NeuronParameters> for NeuronSpec<f64> {
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
    use crate::scenario::ValueSpec;

    #[test]
    fn defaults_follow_from_what_is_given() {
        let general = NeuronSpec { tau_s: Some(6.0.into()), ..NeuronSpec::default() };
        let own = NeuronSpec { leak_potential: Some((-70.0).into()), ..NeuronSpec::default() };
        let neuron = own.over(&general).constant().expect("nothing is drawn");
        assert_eq!((neuron.tau_m, neuron.capacitance), (6.0, 6.0));
        assert_eq!((neuron.reset_potential, neuron.threshold), (-70.0, -69.0));
        assert_eq!(NeuronSpec::from(neuron).resolve(), neuron);
    }

    #[test]
    fn defaults_follow_each_neuron_and_filling_them_in_changes_nothing() {
        let uniform = ParameterSpec(ValueSpec::Uniform { low: 1.0, high: 2.0 });
        let mut spec = NeuronSpec {
            tau_s: Some(uniform.clone()),
            bias_current: Some(uniform),
            ..NeuronSpec::default()
        };
        let draw = |spec: &NeuronSpec, count, group| {
            spec.neurons(count, group, 1, Path::new("")).expect("within range")
        };
        let neurons = draw(&spec, 20, 3);
        for neuron in &neurons {
            assert!((1.0..2.0).contains(&neuron.tau_s));
            assert_eq!((neuron.tau_m, neuron.capacitance), (neuron.tau_s, neuron.tau_s));
            assert_eq!(neuron.threshold, 1.0);
            assert!(neuron.tau_s != neuron.bias_current, "a stream for each parameter");
        }
        spec.fill_in();
        assert_eq!((spec.tau_m.as_ref(), spec.threshold.clone()), (None, Some(1.0.into())));
        assert_eq!(draw(&spec, 20, 3), neurons);
        assert_eq!(draw(&spec, 5, 3), neurons[..5], "more neurons change no other");
        assert!(draw(&spec, 20, 2) != neurons, "a stream for each group");
    }

    #[test]
    fn a_drawn_value_out_of_range_is_refused() {
        let normal = ParameterSpec(ValueSpec::Normal { mean: 1.0, std: 5.0 });
        let spec = NeuronSpec { tau_m: Some(normal), ..NeuronSpec::default() };
        let (parameter, message) = spec.neurons(100, 0, 1, Path::new("")).expect_err("negative");
        assert_eq!(parameter, "tau_m");
        assert!(
            message.starts_with("neuron ") && message.contains("narrow the distribution"),
            "{message}"
        );
    }
}
