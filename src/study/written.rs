//! A study file as it is written.

use std::path::PathBuf;

use serde::Deserialize;

use super::axis::AxisEntry;
use super::{Combine, Variant};

/// A study file.
#[derive(Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct StudyFile {
    /// What is trained, and how often.
    pub(super) study: Head,
    /// What varies: at least one axis.
    pub(super) axes: Vec<AxisEntry>,
}

/// What is trained, and how often.
#[derive(Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct Head {
    /// Short name, also of the folder of its results: letters, digits, `_` and `-`. Default: the file's name
    /// without its ending.
    pub(super) name: Option<String>,
    /// Heading of its figures. Default: `name`.
    pub(super) title: Option<String>,
    /// The scenario that varies; the path begins at the study's folder.
    pub(super) base: PathBuf,
    /// Changes of the scenario at every point, as `key=value`, or a table of keys and values. Default: none.
    #[serde(default)]
    pub(super) set: Changes,
    /// The seeds with which each point is trained.
    pub(super) seeds: Seeds,
    /// How the networks are trained for their substrate. Default: `in_the_loop`, as the scenario says.
    #[serde(default = "in_the_loop")]
    pub(super) variants: Vec<Variant>,
    /// How the values of several axes are combined. Default: `grid`.
    #[serde(default)]
    pub(super) combine: Combine,
    /// Makes the study a random search of so many trainings, over points, variants and seeds: as many points as
    /// fit, each with a value of every axis drawn, from the interval of a `random` axis, from the list of
    /// another. From 1 to 1000000. Default: no search.
    pub(super) budget: Option<usize>,
    /// Seed of what a random search draws. From 0. Default: 1.
    #[serde(default = "one")]
    pub(super) draw_seed: u64,
}

/// Their number `n` for seeds 1 to `n`, or a list.
#[derive(Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(untagged, expecting = "expected a number of seeds, or a list of seeds")]
pub(super) enum Seeds {
    /// Seeds 1 to this number. At least 1.
    Count(u64),
    /// The seeds. From 0.
    List(Vec<u64>),
}

/// Changes of a scenario.
#[derive(Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(
    untagged,
    expecting = "expected a list such as [\"training.epochs=40\"], or a table such as { \"training.epochs\" = 40 }"
)]
pub(super) enum Changes {
    /// As `key=value`, such as `"training.epochs=40"`.
    List(Vec<String>),
    /// The values by their keys, such as `"training.epochs" = 40`.
    Table(
        #[cfg_attr(
            feature = "schema",
            schemars(with = "std::collections::BTreeMap<String, serde_json::Value>")
        )]
        toml::Table,
    ),
}

impl Default for Changes {
    fn default() -> Self {
        Changes::List(Vec::new())
    }
}

impl Changes {
    /// Each as `key=value`.
    pub(super) fn given(self) -> Vec<String> {
        match self {
            Changes::List(given) => given,
            Changes::Table(table) => {
                let mut given = Vec::new();
                write("", table, &mut given);
                given
            }
        }
    }
}

/// Tables become paths of keys, so that each change is of one value.
fn write(path: &str, table: toml::Table, given: &mut Vec<String>) {
    for (key, value) in table {
        match value {
            toml::Value::Table(inner) if !inner.is_empty() => {
                write(&format!("{path}{key}."), inner, given);
            }
            toml::Value::Table(_) => given.push(format!("{path}{key}={{}}")),
            value => given.push(format!("{path}{key}={value}")),
        }
    }
}

fn one() -> u64 {
    1
}

fn in_the_loop() -> Vec<Variant> {
    vec![Variant::InTheLoop]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_a_list_or_a_table() {
        let given = |text: &str| {
            #[derive(Deserialize)]
            struct Section {
                set: Changes,
            }
            toml::from_str::<Section>(text).map(|section| section.set.given())
        };
        let list =
            given("set = [\"training.epochs=40\", \"chip=\\\"a.toml\\\"\"]").expect("a list");
        assert_eq!(list, ["training.epochs=40", "chip=\"a.toml\""]);
        for table in [
            "set = { \"training.epochs\" = 40, chip = \"a.toml\" }",
            "[set]\ntraining.epochs = 40\nchip = \"a.toml\"",
        ] {
            let mut table = given(table).expect("a table");
            table.sort_by_key(|change| !change.starts_with("training"));
            assert_eq!(table, list);
        }
        let lists = given(
            "set = { \"layers.0.delays\" = { low = 0.5 }, \"dataset.table.features\" = [\"a\", \"b\"] }",
        );
        assert_eq!(
            lists.expect("a table"),
            ["dataset.table.features=[\"a\", \"b\"]", "layers.0.delays.low=0.5"]
        );
        let refused = given("set = 3").expect_err("a number").to_string();
        assert!(refused.contains("a list such as"), "{refused}");
    }
}
