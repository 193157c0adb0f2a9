//! One neuron parameter of a group of neurons: a plain number, or what differs from neuron to
//! neuron.

use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::ValueSpec;

/// A parameter of all neurons of a population, written in one of these ways:
///
/// ```toml
/// tau_m = 20.0
/// tau_m.normal = { mean = 20.0, std = 2.0 }
/// tau_m.uniform = { low = 15.0, high = 25.0 }
/// tau_m.values = [18.0, 20.0, 22.0]        # one per neuron
/// tau_m.file = "parameters.csv"            # its column `tau_m`, a row per neuron
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct ParameterSpec(pub ValueSpec<Vec<f64>>);

impl ParameterSpec {
    /// The value, if it is the same for all neurons.
    pub fn constant(&self) -> Option<f64> {
        match self.0 {
            ValueSpec::Constant(value) => Some(value),
            _ => None,
        }
    }

    /// What is wrong with the specification itself, if anything. Which constants are accepted
    /// depends on the parameter.
    pub(super) fn problem(&self) -> Option<String> {
        if self.constant().is_some() { None } else { self.0.problem() }
    }

    /// What to say of the value of a neuron that is out of range: where to find or change it.
    pub(super) fn origin(&self, neuron: usize) -> String {
        match &self.0 {
            ValueSpec::Normal { .. }
            | ValueSpec::Uniform { .. }
            | ValueSpec::LogitNormal { .. } => {
                "; narrow the distribution (uniform stays between its ends), or give values"
                    .to_owned()
            }
            ValueSpec::File(path) => format!("; see row {} of {}", neuron + 1, path.display()),
            ValueSpec::Constant(_) | ValueSpec::Values(_) => String::new(),
        }
    }
}

impl From<f64> for ParameterSpec {
    fn from(value: f64) -> Self {
        ParameterSpec(ValueSpec::Constant(value))
    }
}

impl Serialize for ParameterSpec {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.constant() {
            Some(value) => serializer.serialize_f64(value),
            None => self.0.serialize(serializer),
        }
    }
}

/// By hand: an untagged enum would forget where in the file its errors are, and what was expected.
impl<'de> Deserialize<'de> for ParameterSpec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NumberOrTable;

        impl<'de> Visitor<'de> for NumberOrTable {
            type Value = ParameterSpec;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a number, or a table with normal, uniform, values or file")
            }

            fn visit_f64<E: Error>(self, value: f64) -> Result<ParameterSpec, E> {
                Ok(value.into())
            }

            fn visit_i64<E: Error>(self, value: i64) -> Result<ParameterSpec, E> {
                Ok((value as f64).into())
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<ParameterSpec, A::Error> {
                let values = ValueSpec::deserialize(MapAccessDeserializer::new(&mut map))?;
                if map.next_key::<IgnoredAny>()?.is_some() {
                    return Err(A::Error::custom(
                        "two keys, expected one of `normal`, `uniform`, `values`, `file`",
                    ));
                }
                Ok(ParameterSpec(values))
            }
        }

        deserializer.deserialize_any(NumberOrTable)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Neuron {
        tau_m: ParameterSpec,
    }

    #[test]
    fn every_way_to_write_a_parameter_is_written_back_as_it_was_read() {
        for (text, values) in [
            ("tau_m = 20.0", ValueSpec::Constant(20.0)),
            ("tau_m = 20", ValueSpec::Constant(20.0)),
            ("tau_m = inf", ValueSpec::Constant(f64::INFINITY)),
            ("tau_m.constant = 20.0", ValueSpec::Constant(20.0)),
            ("tau_m.normal = { mean = 20, std = 2 }", ValueSpec::Normal { mean: 20.0, std: 2.0 }),
            (
                "tau_m = { uniform = { low = 1.0, high = 2.0 } }",
                ValueSpec::Uniform { low: 1.0, high: 2.0 },
            ),
            ("tau_m.values = [1.0, 2]", ValueSpec::Values(vec![1.0, 2.0])),
            ("tau_m.file = 'a.csv'", ValueSpec::File("a.csv".into())),
        ] {
            let neuron: Neuron = toml::from_str(text).expect(text);
            assert_eq!(neuron.tau_m.0, values, "{text}");
            let written = toml::to_string(&neuron).expect(text);
            assert_eq!(toml::from_str::<Neuron>(&written).expect(&written), neuron);
        }
    }

    #[test]
    fn errors_know_their_line() {
        for (text, line, message) in [
            ("\ntau_m = 'long'", 2, "expected a number, or a table with normal"),
            ("\ntau_m = true", 2, "expected a number, or a table with normal"),
            ("\n\n[tau_m]\nnormla = 3", 4, "unknown variant `normla`, expected one of `constant`"),
            ("[tau_m.normal]\nmean = 3\nstdd = 1", 3, "unknown field `stdd`"),
            ("[tau_m.normal]\nmean = 3\nstd = 'x'", 3, "expected f64"),
            ("\n[tau_m.normal]\nmean = 3", 2, "missing field `std`"),
            ("tau_m = {}", 1, ""),
            ("\n[tau_m]\nvalues = [1.0]\nfile = 'a.csv'", 2, "two keys, expected one of"),
        ] {
            let error = toml::from_str::<Neuron>(text).expect_err(text).to_string();
            assert!(error.contains(&format!("line {line},")), "{text}: {error}");
            assert!(error.contains(message), "{text}: {error}");
        }
    }
}
