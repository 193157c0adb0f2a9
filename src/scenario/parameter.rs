//! One neuron parameter of a group of neurons: a plain number, or what differs from neuron to
//! neuron.

use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Values;
use crate::settings::{Check, Settings};

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
pub struct Parameter(pub Values<Vec<f64>>);

impl Parameter {
    /// The value, if it is the same for all neurons.
    pub fn constant(&self) -> Option<f64> {
        match self.0 {
            Values::Constant(value) => Some(value),
            _ => None,
        }
    }

    /// What to say of the value of a neuron that is out of range: where to find or change it.
    pub(super) fn origin(&self, neuron: usize) -> String {
        match &self.0 {
            Values::Normal { .. } | Values::Uniform { .. } | Values::LogitNormal { .. } => {
                "; narrow the distribution (uniform stays between its ends), or give values"
                    .to_owned()
            }
            Values::File(path) => format!("; see row {} of {}", neuron + 1, path.display()),
            Values::Constant(_) | Values::Each(_) | Values::Auto => String::new(),
        }
    }
}

impl Settings for Parameter {
    /// Which constants are accepted depends on the parameter.
    fn check(&self, check: &mut Check<'_>) {
        if self.constant().is_none() {
            self.0.check(check);
        }
    }
}

impl From<f64> for Parameter {
    fn from(value: f64) -> Self {
        Parameter(Values::Constant(value))
    }
}

impl Serialize for Parameter {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.constant() {
            Some(value) => serializer.serialize_f64(value),
            None => self.0.serialize(serializer),
        }
    }
}

/// By hand: an untagged enum would forget where in the file its errors are, and what was expected.
impl<'de> Deserialize<'de> for Parameter {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NumberOrTable;

        impl<'de> Visitor<'de> for NumberOrTable {
            type Value = Parameter;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a number, or a table with normal, uniform, values or file")
            }

            fn visit_f64<E: Error>(self, value: f64) -> Result<Parameter, E> {
                Ok(value.into())
            }

            fn visit_i64<E: Error>(self, value: i64) -> Result<Parameter, E> {
                Ok((value as f64).into())
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Parameter, A::Error> {
                let values = Values::deserialize(MapAccessDeserializer::new(&mut map))?;
                if map.next_key::<IgnoredAny>()?.is_some() {
                    return Err(A::Error::custom(
                        "two keys, expected one of `normal`, `uniform`, `values`, `file`",
                    ));
                }
                Ok(Parameter(values))
            }
        }

        deserializer.deserialize_any(NumberOrTable)
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Parameter {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Parameter".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let for_all = schemars::json_schema!({
            "type": "number",
            "description": "The same for all neurons of the group; `inf` for a membrane without leak.",
        });
        crate::settings::schema::any_of(
            "A number for all neurons of the group, or a table for what differs from neuron to neuron.",
            &[for_all, generator.subschema_for::<Values<Vec<f64>>>()],
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Neuron {
        tau_m: Parameter,
    }

    #[test]
    fn every_way_to_write_a_parameter_is_written_back_as_it_was_read() {
        for (text, values) in [
            ("tau_m = 20.0", Values::Constant(20.0)),
            ("tau_m = 20", Values::Constant(20.0)),
            ("tau_m = inf", Values::Constant(f64::INFINITY)),
            ("tau_m.constant = 20.0", Values::Constant(20.0)),
            ("tau_m.normal = { mean = 20, std = 2 }", Values::Normal { mean: 20.0, std: 2.0 }),
            (
                "tau_m = { uniform = { low = 1.0, high = 2.0 } }",
                Values::Uniform { low: 1.0, high: 2.0 },
            ),
            ("tau_m.values = [1.0, 2]", Values::Each(vec![1.0, 2.0])),
            ("tau_m.file = 'a.csv'", Values::File("a.csv".into())),
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
