//! Parameters of neurons as a scenario states them.

use std::path::Path;

use super::Parameter;
use crate::neuron::{NeuronParameters, PerParameter};
use crate::random;
use crate::settings::{Check, Problem, Settings};

/// Parameters of the neurons of a group; what is left out is taken from the scenario's `[neuron]`,
/// and what is left out there from the defaults, neuron by neuron.
pub type GroupParameters = PerParameter<Option<Parameter>>;

impl GroupParameters {
    /// These parameters where they are given, `general`'s elsewhere.
    pub(super) fn over(&self, general: &Self) -> Self {
        let mut own = self.clone();
        for (own, general) in own.each_mut().into_iter().zip(general.each_ref()) {
            if own.is_none() {
                own.clone_from(general);
            }
        }
        own
    }

    /// The parameters of every neuron, if they are the same for all; not yet checked.
    pub fn constant(&self) -> Option<NeuronParameters> {
        let constant = self.given().all(|(_, parameter)| parameter.constant().is_some());
        constant.then(|| self.constants().or_default())
    }

    /// The parameters that are given; NaN where neurons differ.
    fn constants(&self) -> PerParameter<Option<f64>> {
        let constant = |parameter: &Parameter| parameter.constant().unwrap_or(f64::NAN);
        PerParameter::from_array(self.each_ref().map(|parameter| parameter.as_ref().map(constant)))
    }

    /// Fills in every default that is the same for all neurons.
    pub(super) fn fill_in(&mut self) {
        let defaults = self.constants().or_default();
        for (own, default) in self.each_mut().into_iter().zip(defaults.each_ref()) {
            if own.is_none() && !default.is_nan() {
                *own = Some((*default).into());
            }
        }
    }

    /// Checks the parameters, as far as that is possible without drawing or reading their values. A
    /// problem that they inherit from the `general` ones is reported there only.
    pub(super) fn check_over(&self, general: &Self, check: &mut Check<'_>) {
        let inherited = general.problems();
        for problem in self.problems() {
            if !inherited.contains(&problem) {
                check.refuse(problem.key, problem.message);
            }
        }
    }

    /// The parameters of each of `count` neurons, checked. `group` is the number of their
    /// population or layer: each of its parameters has a stream of random numbers of its own, from
    /// which the neurons draw in order.
    pub(super) fn neurons(
        &self,
        count: usize,
        group: usize,
        seed: u64,
        folder: &Path,
    ) -> Result<Vec<NeuronParameters>, Problem> {
        if let Some(parameters) = self.constant() {
            return match parameters.problems().pop() {
                Some(problem) => Err(problem),
                None => Ok(vec![parameters; count]),
            };
        }
        let mut columns = PerParameter::<Option<Vec<f64>>>::default();
        let names = Self::NAMES.into_iter().zip(self.each_ref());
        for (place, ((name, parameter), column)) in names.zip(columns.each_mut()).enumerate() {
            let Some(parameter) = parameter else { continue };
            let index = ((group as u64) << 32) | place as u64;
            let mut random = random::stream(seed, "neuron parameters", index);
            let values = parameter.0.list(count, "neuron", name, folder, &mut random);
            *column =
                Some(values.map_err(|error| Problem {
                    key: name.to_owned(),
                    message: error.to_string(),
                })?);
        }
        let columns = columns.each_ref();
        let neuron = |index: usize| {
            let own = columns.map(|column| column.as_ref().map(|values| values[index]));
            let parameters = PerParameter::from_array(own).or_default();
            let Some(Problem { key, message }) = parameters.problems().pop() else {
                return Ok(parameters);
            };
            let given = self.given().find(|(name, _)| *name == key);
            let origin = given.map_or_else(String::new, |(_, parameter)| parameter.origin(index));
            Err(Problem { key, message: format!("neuron {index}: {message}{origin}") })
        };
        (0..count).map(neuron).collect()
    }
}

impl Settings for GroupParameters {
    /// Checks what can be checked without drawing or reading values.
    fn check(&self, check: &mut Check<'_>) {
        for (name, parameter) in self.given() {
            check.settings(name, parameter);
        }
        if let Some(parameters) = self.constant() {
            parameters.check(check);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::Values;

    #[test]
    fn what_is_left_out_is_taken_from_the_general_parameters() {
        let general = PerParameter { tau_s: Some(6.0.into()), ..GroupParameters::default() };
        let own = PerParameter { leak_potential: Some((-70.0).into()), ..PerParameter::default() };
        let neuron = own.over(&general).constant().expect("nothing is drawn");
        assert_eq!((neuron.tau_m, neuron.capacitance), (6.0, 6.0));
        assert_eq!((neuron.reset_potential, neuron.threshold), (-70.0, -69.0));
    }

    #[test]
    fn defaults_follow_each_neuron_and_filling_them_in_changes_nothing() {
        let uniform = Parameter(Values::Uniform { low: 1.0, high: 2.0 });
        let mut group = PerParameter {
            tau_s: Some(uniform.clone()),
            bias_current: Some(uniform),
            ..GroupParameters::default()
        };
        let draw = |parameters: &GroupParameters, count, group| {
            parameters.neurons(count, group, 1, Path::new("")).expect("within range")
        };
        let neurons = draw(&group, 20, 3);
        for neuron in &neurons {
            assert!((1.0..2.0).contains(&neuron.tau_s));
            assert_eq!((neuron.tau_m, neuron.capacitance), (neuron.tau_s, neuron.tau_s));
            assert_eq!(neuron.threshold, 1.0);
            assert!(neuron.tau_s != neuron.bias_current, "a stream for each parameter");
        }
        group.fill_in();
        assert_eq!((group.tau_m.as_ref(), group.threshold.clone()), (None, Some(1.0.into())));
        assert_eq!(draw(&group, 20, 3), neurons);
        assert_eq!(draw(&group, 5, 3), neurons[..5], "more neurons change no other");
        assert!(draw(&group, 20, 2) != neurons, "a stream for each group");
    }

    #[test]
    fn a_drawn_value_out_of_range_is_refused() {
        let normal = Parameter(Values::Normal { mean: 1.0, std: 5.0 });
        let group = PerParameter { tau_m: Some(normal), ..GroupParameters::default() };
        let Problem { key, message } =
            group.neurons(100, 0, 1, Path::new("")).expect_err("negative");
        assert_eq!(key, "tau_m");
        assert!(
            message.starts_with("neuron ") && message.contains("narrow the distribution"),
            "{message}"
        );
    }
}
