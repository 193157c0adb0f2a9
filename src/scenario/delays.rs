//! Delays of a layer: whose they are, how they are given, and whether they are trained.

use std::fmt;
use std::path::{Path, PathBuf};

use rand::rngs::ChaCha8Rng;
use serde::de::value::{MapAccessDeserializer, StrDeserializer};
use serde::de::{DeserializeSeed, Error, IntoDeserializer, MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Values;
use crate::learning::DelayTraining;
use crate::network::{DelayKind, LayerDelays};
use crate::settings::{Check, Settings};

/// Delays of a layer, written in one of these ways:
///
/// ```toml
/// delays.axonal.constant = 0.5                # one per presynaptic neuron and bias source
/// delays.dendritic.values = [0.1, 0.2, 0.3]   # one per neuron of the layer
/// delays.synaptic.uniform = { low = 0.0, high = 1.0 }    # one per synapse
/// delays.constant = 0.5                       # short for delays.synaptic.constant
/// ```
///
/// `delays.trainable = { low = 0.0, high = 1.0, learning_rate = 0.003 }` beside it trains them.
#[derive(Clone, Debug, PartialEq)]
pub struct DelaySection {
    /// The delays, at the start if they are trained.
    pub values: DelayValues,
    /// How they are trained; none to leave them as they are.
    pub trainable: Option<DelayTraining>,
}

/// Whose delays they are, and what they are. A file of axonal or dendritic delays has them in its
/// column `delay`.
#[derive(Clone, Debug, PartialEq)]
pub enum DelayValues {
    /// One per presynaptic neuron and bias source.
    Axonal(Values<Vec<f64>>),
    /// One per neuron of the layer.
    Dendritic(Values<Vec<f64>>),
    /// One per synapse, as weights are given.
    Synaptic(Values),
}

impl DelaySection {
    /// What is wrong with a delay, if anything.
    fn refusal(&self, delay: f64) -> Option<String> {
        if !(delay >= 0.0 && delay.is_finite()) {
            return Some(format!("{delay} must not be negative"));
        }
        let DelayTraining { low, high, .. } = self.trainable?;
        let fits = (low..=high).contains(&delay) || !(low < high);
        (!fits).then(|| format!("{delay} must be within the bounds of training, {low} to {high}"))
    }

    /// The delays of a layer with this many rows and columns. The error says what is wrong.
    pub(super) fn delays(
        &self,
        (rows, columns): (usize, usize),
        folder: &Path,
        random: &mut ChaCha8Rng,
    ) -> Result<LayerDelays, String> {
        const ROW: &str = "row (presynaptic neurons, then bias sources)";
        let kind = self.values.kind();
        let values = match &self.values {
            DelayValues::Axonal(values) => values.list(rows, ROW, "delay", folder, random),
            DelayValues::Dendritic(values) => {
                values.list(columns, "neuron", "delay", folder, random)
            }
            DelayValues::Synaptic(values) => values.table(rows, columns, folder, random),
        };
        let values = values.map_err(|error| error.to_string())?;
        match values.iter().find_map(|&delay| self.refusal(delay)) {
            Some(refusal) => Err(refusal),
            None => Ok(LayerDelays { kind, values }),
        }
    }

    /// The file that the delays are in, if they are in one.
    pub(super) fn file_mut(&mut self) -> Option<&mut PathBuf> {
        match &mut self.values {
            DelayValues::Axonal(values) | DelayValues::Dendritic(values) => values.file_mut(),
            DelayValues::Synaptic(values) => values.file_mut(),
        }
    }
}

impl DelayValues {
    /// Whose delays they are.
    pub fn kind(&self) -> DelayKind {
        match self {
            DelayValues::Axonal(_) => DelayKind::Axonal,
            DelayValues::Dendritic(_) => DelayKind::Dendritic,
            DelayValues::Synaptic(_) => DelayKind::Synaptic,
        }
    }

    /// The ends of the interval that they are in, as far as they are known.
    fn ends(&self) -> Option<(f64, f64)> {
        match self {
            DelayValues::Axonal(values) | DelayValues::Dendritic(values) => values.ends(),
            DelayValues::Synaptic(values) => values.ends(),
        }
    }
}

impl Settings for DelayValues {
    fn check(&self, check: &mut Check<'_>) {
        match self {
            DelayValues::Axonal(values) | DelayValues::Dendritic(values) => values.check(check),
            DelayValues::Synaptic(values) => values.check(check),
        }
    }
}

impl Settings for DelaySection {
    /// Checks what can be checked without drawing or reading values.
    fn check(&self, check: &mut Check<'_>) {
        let kind = self.values.kind().name();
        check.settings(kind, &self.values);
        if let Some(training) = &self.trainable {
            check.settings("trainable", training);
        }
        if let Some((least, most)) =
            self.values.ends().filter(|_| self.values.problems().is_empty())
            && let Some(message) = self.refusal(least).or_else(|| self.refusal(most))
        {
            check.refuse(kind, message);
        }
    }
}

impl Serialize for DelaySection {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        let kind = self.values.kind().name();
        match &self.values {
            DelayValues::Axonal(values) | DelayValues::Dendritic(values) => {
                map.serialize_entry(kind, values)?;
            }
            DelayValues::Synaptic(values) => map.serialize_entry(kind, values)?,
        }
        if let Some(trainable) = &self.trainable {
            map.serialize_entry("trainable", trainable)?;
        }
        map.end()
    }
}

/// By hand: a flattened or untagged enum would forget where in the file its errors are.
impl<'de> Deserialize<'de> for DelaySection {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Delays)
    }
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Key {
    Axonal,
    Dendritic,
    Synaptic,
    Trainable,
    Constant,
    Normal,
    Uniform,
    LogitNormal,
    Values,
    File,
}

/// Beside the kinds, the keys of values alone, which are short for `synaptic`.
#[cfg(feature = "schema")]
impl schemars::JsonSchema for DelaySection {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Delays".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        /// Delays of a layer: one of `axonal`, `dendritic` and `synaptic`. The other keys but `trainable` are
        /// short for those of `synaptic`.
        #[derive(schemars::JsonSchema)]
        #[schemars(deny_unknown_fields)]
        #[expect(dead_code, reason = "its schema is all that it is for")]
        struct Kinds {
            /// One per presynaptic neuron and bias source; in a file the column `delay`. In time units. Not
            /// negative. Default: none.
            axonal: Option<Values<Vec<f64>>>,
            /// One per neuron of the layer; in a file the column `delay`. In time units. Not
            /// negative. Default: none.
            dendritic: Option<Values<Vec<f64>>>,
            /// One per synapse, as weights are given. In time units. Not negative. Default: none.
            synaptic: Option<Values>,
            /// How they are trained, within bounds. Default: they are not.
            trainable: Option<DelayTraining>,
        }

        let mut schema = Kinds::json_schema(generator);
        let short = Values::<Vec<Vec<f64>>>::json_schema(generator);
        let short =
            short.get("oneOf").and_then(|kinds| kinds.as_array()).cloned().unwrap_or_default();
        let kinds = schema.get_mut("properties").and_then(|keys| keys.as_object_mut());
        for (kinds, short) in kinds.into_iter().zip([short]) {
            for (key, value) in
                short.iter().filter_map(|kind| kind["properties"].as_object()).flatten()
            {
                let mut value = value.clone();
                let about = "In time units. Finite, not negative. Default: none.";
                value["description"] = format!("Short for `synaptic.{key}`. {about}").into();
                kinds.insert(key.clone(), value);
            }
        }
        schema
    }
}

struct Delays;

impl<'de> Visitor<'de> for Delays {
    type Value = DelaySection;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a table with axonal, dendritic or synaptic delays")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<DelaySection, A::Error> {
        let (mut values, mut trainable) = (None, None);
        while let Some(key) = map.next_key::<Key>()? {
            let plain = match key {
                Key::Trainable => {
                    trainable = Some(map.next_value()?);
                    continue;
                }
                _ if values.is_some() => {
                    return Err(A::Error::custom(
                        "two kinds of delays, expected one of `axonal`, `dendritic`, `synaptic`",
                    ));
                }
                Key::Axonal => {
                    values = Some(DelayValues::Axonal(map.next_value()?));
                    continue;
                }
                Key::Dendritic => {
                    values = Some(DelayValues::Dendritic(map.next_value()?));
                    continue;
                }
                Key::Synaptic => {
                    values = Some(DelayValues::Synaptic(map.next_value()?));
                    continue;
                }
                Key::Constant => "constant",
                Key::Normal => "normal",
                Key::Uniform => "uniform",
                Key::LogitNormal => "logit_normal",
                Key::Values => "values",
                Key::File => "file",
            };
            let entry = MapAccessDeserializer::new(Entry { key: Some(plain), map: &mut map });
            values = Some(DelayValues::Synaptic(Values::deserialize(entry)?));
        }
        let values = values.ok_or_else(|| {
            A::Error::custom("no delays, expected one of `axonal`, `dendritic`, `synaptic`")
        })?;
        Ok(DelaySection { values, trainable })
    }
}

/// One entry of a map, the key of which has been read already.
struct Entry<'a, A> {
    key: Option<&'static str>,
    map: &'a mut A,
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Entry<'_, A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, A::Error> {
        let key =
            self.key.take().map(|key| -> StrDeserializer<'_, A::Error> { key.into_deserializer() });
        key.map(|key| seed.deserialize(key)).transpose()
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, A::Error> {
        self.map.next_value_seed(seed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Layer {
        delays: DelaySection,
    }

    #[test]
    fn every_way_to_write_delays_is_written_back_as_it_was_read() {
        let constant = |value| DelayValues::Synaptic(Values::Constant(value));
        let bounds = DelayTraining { low: 0.0, high: 2.0, learning_rate: 0.1 };
        for (text, values, trainable) in [
            ("delays.constant = 1.5", constant(1.5), None),
            ("delays.synaptic.constant = 1.5", constant(1.5), None),
            (
                "delays.values = [[1.0, 2.0]]",
                DelayValues::Synaptic(Values::Each(vec![vec![1.0, 2.0]])),
                None,
            ),
            (
                "delays.axonal.values = [1.0, 2]",
                DelayValues::Axonal(Values::Each(vec![1.0, 2.0])),
                None,
            ),
            (
                "[delays]\ntrainable = { high = 2, learning_rate = 0.1 }\n\
                 dendritic.logit_normal = { mean = 0, std = 0.5, high = 2 }",
                DelayValues::Dendritic(Values::LogitNormal {
                    mean: 0.0,
                    std: 0.5,
                    low: 0.0,
                    high: 2.0,
                }),
                Some(bounds),
            ),
            (
                "[delays.uniform]\nlow = 0\nhigh = 2\n[delays.trainable]\nlow = 0.0\nhigh = 2.0\n\
                 learning_rate = 0.1",
                DelayValues::Synaptic(Values::Uniform { low: 0.0, high: 2.0 }),
                Some(bounds),
            ),
        ] {
            let layer: Layer = toml::from_str(text).expect(text);
            assert_eq!(layer.delays, DelaySection { values, trainable }, "{text}");
            let written = toml::to_string(&layer).expect(text);
            assert_eq!(toml::from_str::<Layer>(&written).expect(&written), layer);
        }
    }

    #[test]
    fn errors_know_their_line() {
        for (text, line, message) in [
            ("\ndelays = 1.0", 2, "expected a table with axonal, dendritic or synaptic"),
            ("\n[delays]\naxnal.constant = 1.0", 3, "unknown variant `axnal`, expected one of"),
            ("[delays.axonal]\nnormla = 1.0", 2, "unknown variant `normla`"),
            ("[delays]\n\nconstant = 'x'", 3, "expected f64"),
            ("[delays.normal]\nmean = 3\nstdd = 1", 3, "unknown field `stdd`"),
            ("\n[delays]\nconstant = 1\naxonal.constant = 1", 2, "two kinds of delays"),
            ("\n[delays]\ntrainable = { high = 1, learning_rate = 1 }", 2, "no delays, expected"),
            ("[delays]\nconstant = 1\ntrainable.high = 1", 3, "missing field `learning_rate`"),
        ] {
            let error = toml::from_str::<Layer>(text).expect_err(text).to_string();
            assert!(error.contains(&format!("line {line},")), "{text}: {error}");
            assert!(error.contains(message), "{text}: {error}");
        }
    }
}
