//! What a user sets for a neuron, with the accepted ranges.

use serde::{Deserialize, Serialize};

use crate::settings::{Check, LEAST, MOST, Settings};

/// Something for each parameter of a neuron: its value ([`NeuronParameters`]), or, where it may be left
/// out, what is given of it ([`Self::or_default`]).
///
/// Times are in the scenario's time unit; potentials and currents are in any units that satisfy
/// `current × time = capacitance × potential`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(
    feature = "schema",
    schemars(
        rename = "NeuronParameters",
        description = "Parameters of neurons; what is left out is taken from `[neuron]`, and there from the default. \
                       Potentials and currents are in any units with current × time = capacitance × potential."
    )
)]
#[serde(deny_unknown_fields)]
pub struct PerParameter<T> {
    /// Membrane time constant `τ_m`; infinite for the non-leaky (nLIF) neuron. In time units. Above zero. Default:
    /// `tau_s`.
    pub tau_m: T,
    /// Synaptic time constant `τ_s`, of excitatory synapses if those of inhibitory ones differ. In time units.
    /// Finite, above zero. Default: 1.
    pub tau_s: T,
    /// Synaptic time constant of inhibitory synapses (those of negative weight). In time units. Finite, above zero.
    /// Default: `tau_s`.
    pub tau_s_inhibitory: T,
    /// Membrane capacitance `C`. In units of capacitance. Finite, above zero. Default: `tau_s`, so that a lone
    /// spike of weight `w` at `tau_m = tau_s` raises the potential to `w/e` in any time unit.
    pub capacitance: T,
    /// Leak potential `E_l`, where the membrane rests. In units of potential. Finite. Default: 0.
    pub leak_potential: T,
    /// Potential to which a spike resets the membrane. In units of potential. Finite, below the threshold. Default:
    /// the leak potential.
    pub reset_potential: T,
    /// Threshold potential. In units of potential. Finite. Default: 1 above the leak potential.
    pub threshold: T,
    /// How long the potential is held at reset after a spike. In time units. Finite, not negative. Default: 0.
    pub refractory_period: T,
    /// Constant current into the membrane. In units of current. Finite. Default: 0.
    pub bias_current: T,
    /// Potential at time zero; at the leak potential the neuron starts at rest. In units of potential. Finite.
    /// Default: the leak potential.
    pub initial_potential: T,
    /// Excitatory synaptic current at time zero. In units of current. Finite. Default: 0.
    pub initial_current: T,
    /// Inhibitory synaptic current at time zero. In units of current. Finite. Default: 0.
    pub initial_inhibitory_current: T,
}

/// Parameters of one neuron.
///
/// Every field stands for itself: who changes `tau_s` or `leak_potential` and takes the rest from the
/// default sets `tau_s_inhibitory` and `initial_potential` (and `reset_potential`) too.
/// [`PerParameter::or_default`] does that, as scenario files do.
///
/// The default is the paper's neuron: `τ_m = τ_s = 1`, threshold 1 above a leak of 0, and a
/// capacitance equal to `τ_s`, so that one spike of weight `w` raises the potential to `w/e`.
pub type NeuronParameters = PerParameter<f64>;

impl<T> PerParameter<T> {
    /// The parameters' names, in the order of the fields. What is new comes last: scenarios number
    /// their random numbers by it.
    pub const NAMES: [&'static str; 12] = [
        "tau_m",
        "tau_s",
        "tau_s_inhibitory",
        "capacitance",
        "leak_potential",
        "reset_potential",
        "threshold",
        "refractory_period",
        "bias_current",
        "initial_potential",
        "initial_current",
        "initial_inhibitory_current",
    ];

    /// References to all, in the order of the fields.
    pub fn each_ref(&self) -> [&T; 12] {
        let PerParameter {
            tau_m,
            tau_s,
            tau_s_inhibitory,
            capacitance,
            leak_potential,
            reset_potential,
            threshold,
            refractory_period,
            bias_current,
            initial_potential,
            initial_current,
            initial_inhibitory_current,
        } = self;
        [
            tau_m,
            tau_s,
            tau_s_inhibitory,
            capacitance,
            leak_potential,
            reset_potential,
            threshold,
            refractory_period,
            bias_current,
            initial_potential,
            initial_current,
            initial_inhibitory_current,
        ]
    }

    /// Mutable references to all, in the order of the fields.
    pub fn each_mut(&mut self) -> [&mut T; 12] {
        let PerParameter {
            tau_m,
            tau_s,
            tau_s_inhibitory,
            capacitance,
            leak_potential,
            reset_potential,
            threshold,
            refractory_period,
            bias_current,
            initial_potential,
            initial_current,
            initial_inhibitory_current,
        } = self;
        [
            tau_m,
            tau_s,
            tau_s_inhibitory,
            capacitance,
            leak_potential,
            reset_potential,
            threshold,
            refractory_period,
            bias_current,
            initial_potential,
            initial_current,
            initial_inhibitory_current,
        ]
    }

    /// From all, in the order of the fields.
    pub fn from_array(values: [T; 12]) -> Self {
        let [
            tau_m,
            tau_s,
            tau_s_inhibitory,
            capacitance,
            leak_potential,
            reset_potential,
            threshold,
            refractory_period,
            bias_current,
            initial_potential,
            initial_current,
            initial_inhibitory_current,
        ] = values;
        PerParameter {
            tau_m,
            tau_s,
            tau_s_inhibitory,
            capacitance,
            leak_potential,
            reset_potential,
            threshold,
            refractory_period,
            bias_current,
            initial_potential,
            initial_current,
            initial_inhibitory_current,
        }
    }
}

impl<T> Default for PerParameter<Option<T>> {
    /// Nothing is given.
    fn default() -> Self {
        Self::from_array([const { None }; 12])
    }
}

impl<T> PerParameter<Option<T>> {
    /// Those that are given, with their names.
    pub fn given(&self) -> impl Iterator<Item = (&'static str, &T)> {
        let named = Self::NAMES.into_iter().zip(self.each_ref());
        named.filter_map(|(name, value)| Some((name, value.as_ref()?)))
    }
}

impl PerParameter<Option<f64>> {
    /// What is given, and the defaults of the rest; not yet checked.
    pub fn or_default(&self) -> NeuronParameters {
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

impl Default for NeuronParameters {
    fn default() -> Self {
        PerParameter::<Option<f64>>::default().or_default()
    }
}

impl Settings for NeuronParameters {
    fn check(&self, check: &mut Check<'_>) {
        if let Err(ParameterError { parameter, value, accepted }) = self.validate() {
            check.refuse(parameter, format!("{} must be {accepted}", readable(value)));
        }
    }
}

/// A parameter outside its accepted range.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{parameter} = {} is out of range: it must be {accepted}", readable(*value))]
pub struct ParameterError {
    /// Name of the parameter as it is written in a scenario.
    pub parameter: &'static str,
    /// The value that was refused.
    pub value: f64,
    /// What is accepted, to be read after "must be".
    pub accepted: String,
}

/// A number in digits that can be read, also if it is very large or very small.
fn readable(value: f64) -> String {
    let is_plain = !value.is_finite() || value == 0.0 || (1e-12..1e15).contains(&value.abs());
    if is_plain { value.to_string() } else { format!("{value:e}") }
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
        let borne = format!("from {LEAST:e} to {MOST:e}");
        if !(LEAST..=MOST).contains(&self.tau_m) && self.tau_m.is_finite() {
            return refuse(
                "tau_m",
                self.tau_m,
                &format!("{borne} (or inf for a non-leaky neuron)"),
            );
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
            if !(LEAST..=MOST).contains(&value) {
                return refuse(parameter, value, &borne);
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
            if value.abs() > MOST {
                return refuse(parameter, value, &format!("from {:e} to {MOST:e}", -MOST));
            }
        }
        if !(self.refractory_period >= 0.0 && self.refractory_period.is_finite()) {
            return refuse("refractory_period", self.refractory_period, "finite and not negative");
        }
        if self.refractory_period > MOST {
            let accepted = format!("at most {MOST:e}");
            return refuse("refractory_period", self.refractory_period, &accepted);
        }
        if !(self.reset_potential < self.threshold && self.reset_potential.is_finite()) {
            return Err(ParameterError {
                parameter: "reset_potential",
                value: self.reset_potential,
                accepted: format!("finite and below the threshold ({})", self.threshold),
            });
        }
        if self.reset_potential < -MOST {
            let accepted = format!("at least {:e}", -MOST);
            return refuse("reset_potential", self.reset_potential, &accepted);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_references_and_fields_stand_in_one_order() {
        let numbered = PerParameter::from_array(std::array::from_fn::<usize, 12, _>(|i| i));
        assert_eq!(numbered.each_ref().map(|&i| i), std::array::from_fn(|i| i));
        let json = serde_json::to_string(&numbered).expect("plain numbers");
        for (index, name) in NeuronParameters::NAMES.iter().enumerate() {
            assert!(json.contains(&format!("\"{name}\":{index}")), "{json}");
        }
    }

    #[test]
    fn defaults_follow_from_what_is_given() {
        let given = PerParameter {
            tau_s: Some(6.0),
            leak_potential: Some(-70.0),
            ..PerParameter::default()
        };
        assert_eq!(
            given.given().collect::<Vec<_>>(),
            [("tau_s", &6.0), ("leak_potential", &-70.0)]
        );
        let neuron = given.or_default();
        assert_eq!((neuron.tau_m, neuron.tau_s_inhibitory, neuron.capacitance), (6.0, 6.0, 6.0));
        assert_eq!((neuron.reset_potential, neuron.threshold), (-70.0, -69.0));
    }

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
            // Beyond what the arithmetic bears.
            ("tau_m", NeuronParameters { tau_m: 1e-300, ..good }),
            ("tau_m", NeuronParameters { tau_m: 1e308, ..good }),
            ("tau_s", NeuronParameters { tau_s: 1e-300, ..good }),
            ("capacitance", NeuronParameters { capacitance: 1e300, ..good }),
            ("threshold", NeuronParameters { threshold: 1e308, ..good }),
            ("bias_current", NeuronParameters { bias_current: -1e308, ..good }),
            ("refractory_period", NeuronParameters { refractory_period: 1e300, ..good }),
            ("reset_potential", NeuronParameters { reset_potential: -1e300, ..good }),
        ];
        for (parameter, neuron) in bad {
            let error = neuron.validate().expect_err(parameter);
            assert_eq!(error.parameter, parameter);
            assert!(error.to_string().contains("must be"), "{error}");
        }
    }
}
