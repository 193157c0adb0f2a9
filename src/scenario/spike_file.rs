//! Spikes from a file: `file = "spikes.csv"`, or with the rows that are meant,
//! `file = { path = "spikes.csv", population = "exc", sample = 0 }`.

use std::path::{Path, PathBuf};

use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::trace::{self, TraceError};

/// A CSV file with columns `neuron` and `time_<unit>`, or a trace in another format, and which of its rows are
/// meant.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SpikeFile {
    /// The file.
    pub path: PathBuf,
    /// If the file has a column `population`: whose rows count. Default: those of the population of this
    /// name that gets the spikes.
    pub population: Option<String>,
    /// If the file has a column `sample`: whose rows count. Default: the only one.
    pub sample: Option<u32>,
}

/// Which rows of a CSV file of spikes are meant.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "SpikeRows"))]
#[serde(deny_unknown_fields)]
struct Rows {
    /// The file, relative to the folder of this file.
    path: PathBuf,
    /// If the file has a column `population`: whose rows count. Default: those of the population of this
    /// name that gets the spikes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    population: Option<String>,
    /// If the file has a column `sample`: whose rows count. From 0. Default: the only one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sample: Option<u32>,
}

impl SpikeFile {
    /// The spikes (neuron, time) for a population of this name; the path is relative to a folder.
    pub(super) fn read(
        &self,
        folder: &Path,
        time_unit: &str,
        population: &str,
    ) -> Result<Vec<(usize, f64)>, TraceError> {
        let population = self.population.as_deref().unwrap_or(population);
        trace::read_spikes_of(&folder.join(&self.path), time_unit, population, self.sample)
    }
}

impl Serialize for SpikeFile {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let SpikeFile { path, population, sample } = self.clone();
        if population.is_none() && sample.is_none() {
            return path.serialize(serializer);
        }
        Rows { path, population, sample }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for SpikeFile {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Forms;

        impl<'de> Visitor<'de> for Forms {
            type Value = SpikeFile;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a file name, or { path = \"…\", population = \"…\", sample = 0 }")
            }

            fn visit_str<E>(self, path: &str) -> Result<SpikeFile, E> {
                Ok(SpikeFile { path: path.into(), ..SpikeFile::default() })
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<SpikeFile, A::Error> {
                let Rows { path, population, sample } =
                    Rows::deserialize(MapAccessDeserializer::new(map))?;
                Ok(SpikeFile { path, population, sample })
            }
        }

        deserializer.deserialize_any(Forms)
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for SpikeFile {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "SpikeFile".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        crate::settings::schema::text_or::<Rows>(
            "The path of a CSV file with columns `neuron` and `time_<unit>` or of a trace in any format of \
             `firstspike convert`; or a table that says which of its rows are meant.",
            generator,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Section {
        file: SpikeFile,
    }

    #[test]
    fn both_forms_are_read_and_written() {
        for text in [
            "file = \"spikes.csv\"\n",
            "[file]\npath = \"spikes.csv\"\npopulation = \"exc\"\nsample = 3\n",
            "[file]\npath = \"spikes.csv\"\nsample = 3\n",
        ] {
            let section: Section = toml::from_str(text).expect(text);
            assert_eq!(section.file.path, Path::new("spikes.csv"));
            assert_eq!(toml::to_string(&section).expect(text), text);
        }
        for (text, expected) in [
            ("file = 3", "a file name, or { path"),
            ("file = { path = \"a\", samples = 0 }", "unknown field `samples`"),
            ("file = { sample = 0 }", "missing field `path`"),
        ] {
            let error = toml::from_str::<Section>(text).expect_err(text).to_string();
            assert!(error.contains(expected), "{error}");
        }
    }
}
