//! Short forms of values that have kinds: a kind's name alone, or `true` and `false`, for its defaults.

use std::fmt;

use serde::de::value::{MapAccessDeserializer, StrDeserializer};
use serde::de::{Error, IgnoredAny, IntoDeserializer, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::Optimiser;
use crate::learning::SilentNeuronRule;

/// Reads the optimiser; `adam` alone stands for its defaults.
pub(super) fn optimiser<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Optimiser, D::Error> {
    deserializer.deserialize_any(Short {
        expecting: "\"adam\", or a table of its settings",
        of_word: |word| (word == "adam").then(Optimiser::default),
        of_truth: |_| None,
    })
}

/// Reads the rule for silent neurons; `true` stands for `auto`, `false` for `ignore`.
pub(super) fn silent_neurons<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<SilentNeuronRule, D::Error> {
    deserializer.deserialize_any(Short {
        expecting: "true, false, \"auto\", \"ignore\", or a table with bump or nudge",
        of_word: |_| None,
        of_truth: |on| Some(if on { SilentNeuronRule::Auto } else { SilentNeuronRule::Ignore }),
    })
}

/// The schema of what [`optimiser`] reads.
#[cfg(feature = "schema")]
pub(super) fn optimiser_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
    use crate::settings::schema::{any_of, word};
    let adam = word("adam", "Adam with its defaults.");
    any_of("", &[adam, generator.subschema_for::<Optimiser>()])
}

/// The schema of what [`silent_neurons`] reads.
#[cfg(feature = "schema")]
pub(super) fn silent_neurons_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
    let truth = schemars::json_schema!({ "type": "boolean" });
    let kinds = generator.subschema_for::<SilentNeuronRule>();
    crate::settings::schema::any_of("", &[truth, kinds])
}

/// A value with kinds, and what words and truths stand for.
struct Short<T> {
    expecting: &'static str,
    of_word: fn(&str) -> Option<T>,
    of_truth: fn(bool) -> Option<T>,
}

impl<'de, T: Deserialize<'de>> Visitor<'de> for Short<T> {
    type Value = T;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.expecting)
    }

    fn visit_bool<E: Error>(self, on: bool) -> Result<T, E> {
        let unexpected = serde::de::Unexpected::Bool(on);
        (self.of_truth)(on).ok_or_else(|| E::invalid_type(unexpected, &self))
    }

    fn visit_str<E: Error>(self, word: &str) -> Result<T, E> {
        if let Some(value) = (self.of_word)(word) {
            return Ok(value);
        }
        let word: StrDeserializer<'_, E> = word.into_deserializer();
        T::deserialize(word)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<T, A::Error> {
        let value = T::deserialize(MapAccessDeserializer::new(&mut map))?;
        if map.next_key::<IgnoredAny>()?.is_some() {
            return Err(A::Error::custom("two kinds, expected one"));
        }
        Ok(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::learning::AdamSettings;

    #[derive(Debug, Deserialize)]
    struct Training {
        #[serde(default, deserialize_with = "optimiser")]
        optimiser: Optimiser,
        #[serde(default, deserialize_with = "silent_neurons")]
        silent_neurons: SilentNeuronRule,
    }

    #[test]
    fn names_and_truths_stand_for_defaults_and_tables_for_themselves() {
        let read = |text: &str| toml::from_str::<Training>(text).expect(text);
        assert_eq!(read("optimiser = 'adam'").optimiser, Optimiser::default());
        let Optimiser::Adam(adam) = read("optimiser.adam.learning_rate = 0.5").optimiser;
        assert_eq!(adam, AdamSettings { learning_rate: 0.5, ..AdamSettings::default() });
        for (text, rule) in [
            ("silent_neurons = true", SilentNeuronRule::Auto),
            ("silent_neurons = 'auto'", SilentNeuronRule::Auto),
            ("silent_neurons = false", SilentNeuronRule::Ignore),
            ("silent_neurons = 'ignore'", SilentNeuronRule::Ignore),
            (
                "silent_neurons.bump = { allowed = [0.5], amount = 0.1 }",
                SilentNeuronRule::Bump { allowed: vec![0.5], amount: 0.1 },
            ),
        ] {
            assert_eq!(read(text).silent_neurons, rule, "{text}");
        }
    }

    #[test]
    fn errors_know_their_line() {
        for (text, line, message) in [
            ("\noptimiser = 'sgd'", 2, "unknown variant `sgd`, expected `adam`"),
            ("\n[optimiser.adam]\nrate = 1", 3, "unknown field `rate`"),
            ("\nsilent_neurons = 'on'", 2, "unknown variant `on`"),
            ("\nsilent_neurons = 3", 2, "expected true, false,"),
            ("silent_neurons.bump = { allowed = [0.5] }", 1, "missing field `amount`"),
            (
                "\n[silent_neurons]\nbump = { allowed = [], amount = 1 }\nignore = {}",
                2,
                "two kinds, expected one",
            ),
        ] {
            let error = toml::from_str::<Training>(text).expect_err(text).to_string();
            assert!(error.contains(&format!("line {line},")), "{text}: {error}");
            assert!(error.contains(message), "{text}: {error}");
        }
    }
}
