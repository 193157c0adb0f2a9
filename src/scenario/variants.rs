//! Where a scenario has one of several kinds of a thing: a loss, a distribution of weights, a source.
//!
//! Serde knows: such a value is an enum. So a scenario is read once for nothing, by a deserializer that
//! notes where an enum is asked for, and which kinds it has.

use std::cell::RefCell;

use serde::de::value::{Error, StrDeserializer};
use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, Error as _, IntoDeserializer, MapAccess, SeqAccess,
    VariantAccess, Visitor,
};
use serde::{Deserialize, forward_to_deserialize_any};

use super::Scenario;

/// Kinds of delays of a layer, which read themselves by hand, as neuron parameters do.
const DELAYS: [&str; 9] = [
    "axonal",
    "dendritic",
    "synaptic",
    "constant",
    "normal",
    "uniform",
    "logit_normal",
    "values",
    "file",
];

/// Ways to give a neuron parameter, beside a plain number.
const PARAMETERS: [&str; 6] = ["constant", "normal", "uniform", "logit_normal", "values", "file"];

/// The enums of a scenario, as far as it could be read.
#[derive(Debug, Default)]
pub(super) struct Variants {
    /// Dotted path of each, and its kinds.
    places: Vec<(String, &'static [&'static str])>,
    /// Path and kind of what another one has replaced.
    pub replaced: Vec<(String, String)>,
}

impl Variants {
    /// What to write for the value of a key that was refused, where it is a kind of something.
    pub fn advice(&self, key: &str, message: &str) -> Option<String> {
        let of = |place: &str| {
            if place == key { Some("") } else { key.strip_prefix(place)?.strip_prefix('.') }
        };
        // The innermost one.
        let found =
            self.places.iter().filter_map(|(place, kinds)| Some((place, kinds, of(place)?)));
        let (place, kinds, rest) = found.max_by_key(|(place, ..)| place.len())?;
        if rest.is_empty() {
            let list = kinds.join(", ");
            // That says it already.
            return (!message.contains("expected one of"))
                .then(|| format!("write --set '{place}={{{}=…}}', with one of {list}", kinds[0]));
        }
        let kind = rest.split('.').next().filter(|kind| kinds.contains(kind))?;
        message.contains("missing field").then(|| {
            format!(
                "`{kind}` has replaced what `{place}` was, and needs all of its values: \
                 --set '{place}={{{kind}={{…}}}}'"
            )
        })
    }
}

/// Reads a scenario's table as far as possible. Of several kinds in one place the one is taken for which
/// `last` is greatest; if it is none for all of them, that is a mistake which stays.
pub(super) fn trace(table: &toml::Table, last: &dyn Fn(&str, &str) -> Option<usize>) -> Variants {
    let found = RefCell::new(Variants::default());
    let root = toml::Value::Table(table.clone());
    let tracer = Tracer { value: &root, path: String::new(), found: &found, last };
    // Whatever is wrong is found again by those who say so.
    let _ = Scenario::deserialize(tracer);
    found.into_inner()
}

/// A value and where it is.
#[derive(Clone)]
struct Tracer<'t> {
    value: &'t toml::Value,
    path: String,
    found: &'t RefCell<Variants>,
    last: &'t dyn Fn(&str, &str) -> Option<usize>,
}

impl<'t> Tracer<'t> {
    fn inner(&self, key: &str, value: &'t toml::Value) -> Self {
        let path =
            if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) };
        Tracer { value, path, ..self.clone() }
    }

    /// The keys of an enum's table that are meant: one, unless the table has a mistake. Notes it.
    fn kinds(&self, table: &'t toml::Table, kinds: &'static [&'static str]) -> Vec<&'t str> {
        let mut found = self.found.borrow_mut();
        found.places.push((self.path.clone(), kinds));
        let keys = table.keys().map(String::as_str);
        let (candidates, others): (Vec<&str>, Vec<&str>) =
            keys.partition(|key| kinds.contains(key));
        let newest =
            candidates.iter().filter_map(|key| Some(((self.last)(&self.path, key)?, *key)));
        let Some((_, meant)) = newest.max().filter(|_| candidates.len() > 1) else {
            return candidates.into_iter().chain(others).collect();
        };
        let dropped = candidates.into_iter().filter(|key| *key != meant);
        found.replaced.extend(dropped.map(|key| (self.path.clone(), key.to_owned())));
        others.into_iter().chain([meant]).collect()
    }

    /// The kinds of a table that reads itself by hand.
    fn own_kinds(&self) -> Option<&'static [&'static str]> {
        let parts: Vec<&str> = self.path.split('.').collect();
        match parts[..] {
            ["layers", _, "delays"] => Some(&DELAYS),
            [.., "neuron", _] => Some(&PARAMETERS),
            ["training", "optimiser"] => Some(&["adam"]),
            ["training", "silent_neurons"] => Some(&["ignore", "auto", "bump", "nudge"]),
            _ => None,
        }
    }
}

impl<'de> Deserializer<'de> for Tracer<'de> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.value {
            toml::Value::String(text) => visitor.visit_str(text),
            toml::Value::Integer(value) => visitor.visit_i64(*value),
            toml::Value::Float(value) => visitor.visit_f64(*value),
            toml::Value::Boolean(value) => visitor.visit_bool(*value),
            toml::Value::Datetime(value) => visitor.visit_string(value.to_string()),
            toml::Value::Array(array) => visitor.visit_seq(Elements {
                rest: array
                    .iter()
                    .enumerate()
                    .map(|(at, it)| self.inner(&at.to_string(), it))
                    .collect(),
            }),
            toml::Value::Table(table) => {
                let keys = match self.own_kinds() {
                    Some(kinds) => self.kinds(table, kinds),
                    None => table.keys().map(String::as_str).collect(),
                };
                let entry = |key: &'de str| Some((key, self.inner(key, table.get(key)?)));
                visitor.visit_map(Entries {
                    rest: keys.into_iter().filter_map(entry).collect(),
                    next: None,
                })
            }
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match self.value {
            toml::Value::String(text) => {
                self.found.borrow_mut().places.push((self.path.clone(), variants));
                visitor.visit_enum(text.as_str().into_deserializer())
            }
            toml::Value::Table(table) => {
                let keys = self.kinds(table, variants);
                let [key] = keys[..] else { return Err(Error::custom("not one kind")) };
                visitor.visit_enum(Kind { key, content: self.inner(key, &table[key]) })
            }
            _ => {
                self.found.borrow_mut().places.push((self.path.clone(), variants));
                Err(Error::custom("no kind"))
            }
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}

struct Elements<'t> {
    rest: std::collections::VecDeque<Tracer<'t>>,
}

impl<'de> SeqAccess<'de> for Elements<'de> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Error> {
        self.rest.pop_front().map(|element| seed.deserialize(element)).transpose()
    }
}

struct Entries<'t> {
    rest: std::collections::VecDeque<(&'t str, Tracer<'t>)>,
    next: Option<Tracer<'t>>,
}

impl<'de> MapAccess<'de> for Entries<'de> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Error> {
        let Some((key, value)) = self.rest.pop_front() else { return Ok(None) };
        self.next = Some(value);
        let key: StrDeserializer<'_, Error> = key.into_deserializer();
        seed.deserialize(key).map(Some)
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, Error> {
        let value = self.next.take().ok_or_else(|| Error::custom("a value without key"))?;
        seed.deserialize(value)
    }
}

struct Kind<'t> {
    key: &'t str,
    content: Tracer<'t>,
}

impl<'de> EnumAccess<'de> for Kind<'de> {
    type Error = Error;
    type Variant = Tracer<'de>;

    fn variant_seed<T: DeserializeSeed<'de>>(
        self,
        seed: T,
    ) -> Result<(T::Value, Tracer<'de>), Error> {
        let key: StrDeserializer<'_, Error> = self.key.into_deserializer();
        Ok((seed.deserialize(key)?, self.content))
    }
}

impl<'de> VariantAccess<'de> for Tracer<'de> {
    type Error = Error;

    fn unit_variant(self) -> Result<(), Error> {
        Ok(())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Error> {
        seed.deserialize(self)
    }

    fn tuple_variant<V: Visitor<'de>>(self, _len: usize, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_any(visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.deserialize_any(visitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kind_that_was_named_last_replaces_the_others() {
        let table: toml::Table = toml::from_str(
            "[neuron]\ntau_m.normal = { mean = 1.0, std = 0.1 }\ntau_m.uniform = { low = 1.0, high = 2.0 }\n\
             [[layers]]\nname = 'a'\nsize = 3\n\
             weights = { normal = { mean = 1.0, std = 1.0 }, constant = 1.0 }\n\
             delays = { axonal.constant = 1.0, synaptic.constant = 1.0, trainable = { high = 2.0, learning_rate = 0.1 } }\n\
             [training]\nepochs = 1\nbatch_size = 1\n\
             loss = { mean_squared_error = {}, shift_invariant_mean_squared_error.margin = 0.1 }\n",
        )
        .expect("TOML");
        let order =
            ["tau_m.uniform", "weights.constant", "delays.synaptic", "loss.mean_squared_error"];
        let last = |place: &str, key: &str| {
            order.iter().position(|named| format!("{place}.{key}").ends_with(named))
        };
        let found = trace(&table, &last);
        let replaced: Vec<(&str, &str)> =
            found.replaced.iter().map(|(place, kind)| (place.as_str(), kind.as_str())).collect();
        let expected = [
            ("neuron.tau_m", "normal"),
            ("layers.0.delays", "axonal"),
            ("layers.0.weights", "normal"),
            ("training.loss", "shift_invariant_mean_squared_error"),
        ];
        let mut sorted = replaced.clone();
        sorted.sort_unstable();
        let mut wanted = expected.to_vec();
        wanted.sort_unstable();
        assert_eq!(sorted, wanted);
        // Nobody named one: the mistake stays.
        assert!(trace(&table, &|_, _| None).replaced.is_empty());
    }

    #[test]
    fn advice_says_what_to_write() {
        let variants = Variants {
            places: vec![("layers.0.weights".to_owned(), &["constant", "normal"])],
            replaced: Vec::new(),
        };
        let advice = |key: &str, message: &str| variants.advice(key, message);
        assert_eq!(
            advice("layers.0.weights", "invalid type").as_deref(),
            Some("write --set 'layers.0.weights={constant=…}', with one of constant, normal")
        );
        assert_eq!(
            advice("layers.0.weights.normal.mean", "missing field `std`").as_deref(),
            Some(
                "`normal` has replaced what `layers.0.weights` was, and needs all of its values: \
                 --set 'layers.0.weights={normal={…}}'"
            )
        );
        assert_eq!(advice("training.epochs", "missing field `x`"), None);
    }
}
