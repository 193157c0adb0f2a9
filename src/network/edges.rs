//! Synapses from files of other simulators, in streams: edge lists as tables of text, and SONATA edges.
//!
//! ```text
//! file ─→ blocks ─→ columns of each block (nodes, weights, delays) ─→ SynapseCounts, then SynapseRows
//!         (text in parallel, HDF5 by ranges of rows)                   or the graph
//! ```
//!
//! A file is read twice, to count and to place, and a few blocks of it are in memory at a time. Every number is
//! checked where it stands: an error has the file, the line or row, the column, and what is accepted.

mod error;
#[cfg(feature = "hdf5")]
mod sonata;
mod table;
mod write;

use std::fs::File;
use std::io::Read;
use std::ops::Range;
use std::path::{Path, PathBuf};

use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{
    Network, NetworkError, Node, Receptor, Synapse, SynapseCounts, SynapseRows, SynapseSink,
};
use crate::settings::{Check, Settings};
pub use error::{EdgeError, EdgePlace, EdgeProblem};
pub use write::write_table;
#[cfg(feature = "hdf5")]
pub use write::{SonataFiles, write_sonata};

/// A file of synapses: a table with a row per synapse, or SONATA edges.
#[derive(Clone, Debug, PartialEq)]
pub struct EdgeFile {
    /// The file.
    pub path: PathBuf,
    /// The number of the first neuron of a population in the file.
    pub first_id: u32,
    /// Columns, or attributes of SONATA edges, that mean nothing here.
    pub ignore: Vec<String>,
    /// By what weights are multiplied.
    pub weight_scale: f64,
    /// The population of SONATA edges; needed if several may be meant.
    pub edges: Option<String>,
    /// The table of the types of SONATA edges, whose weights and delays count where edges have none.
    pub edge_types: Option<PathBuf>,
}

/// A file of synapses, and how it is read.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "EdgeColumns"))]
#[serde(deny_unknown_fields)]
struct Form {
    /// The file, relative to the folder of this file.
    path: PathBuf,
    /// The number of the first neuron of a population in the file. From 0. Default: 0.
    #[serde(default, skip_serializing_if = "is_zero")]
    first_id: u32,
    /// Columns of a table, or attributes of SONATA edges, that mean nothing here; any other that is not known is
    /// refused. Default: none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    ignore: Vec<String>,
    /// By what weights are multiplied, to bring them from another simulator's unit. From -1e100 to 1e100. Default: 1.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    weight_scale: f64,
    /// The population of SONATA edges. Default: all that the file has between these populations of neurons.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    edges: Option<String>,
    /// The table of the types of SONATA edges: `syn_weight` and `delay` where edges have none. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    edge_types: Option<PathBuf>,
}

fn is_zero(number: &u32) -> bool {
    *number == 0
}

fn one() -> f64 {
    1.0
}

fn is_one(number: &f64) -> bool {
    *number == 1.0
}

impl From<Form> for EdgeFile {
    fn from(form: Form) -> Self {
        let Form { path, first_id, ignore, weight_scale, edges, edge_types } = form;
        EdgeFile { path, first_id, ignore, weight_scale, edges, edge_types }
    }
}

impl EdgeFile {
    /// A file with ids from 0 and everything else as by default.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        let (ignore, edges, edge_types) = (Vec::new(), None, None);
        EdgeFile { path: path.into(), first_id: 0, ignore, weight_scale: 1.0, edges, edge_types }
    }
}

impl Settings for EdgeFile {
    fn check(&self, check: &mut Check<'_>) {
        let range = -1e100..=1e100;
        check.range("weight_scale", self.weight_scale, range, "from -1e100 to 1e100");
    }
}

impl Serialize for EdgeFile {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if *self == EdgeFile::new(&self.path) {
            return self.path.serialize(serializer);
        }
        let EdgeFile { path, first_id, ignore, weight_scale, edges, edge_types } = self.clone();
        Form { path, first_id, ignore, weight_scale, edges, edge_types }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for EdgeFile {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Forms;

        impl<'de> Visitor<'de> for Forms {
            type Value = EdgeFile;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a file name, or { path = \"…\", first_id = 1, … }")
            }

            fn visit_str<E>(self, path: &str) -> Result<EdgeFile, E> {
                Ok(EdgeFile::new(path))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<EdgeFile, A::Error> {
                Form::deserialize(MapAccessDeserializer::new(map)).map(EdgeFile::from)
            }
        }

        deserializer.deserialize_any(Forms)
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for EdgeFile {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "EdgeFile".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        crate::settings::schema::text_or::<Form>(
            "The path of a file of synapses, or a table that says how it is read.",
            generator,
        )
    }
}

/// What synapses of a file have that the file does not say.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EdgeDefaults {
    /// Index of the presynaptic population; none if the file names it.
    pub pre: Option<usize>,
    /// Index of the postsynaptic population; none if the file names it.
    pub post: Option<usize>,
    /// Weight, if the file has none. A file that has some is refused then.
    pub weight: Option<f64>,
    /// Delay, if the file has none. A file that has some is refused then.
    pub delay: Option<f64>,
    /// Receptor, if the file has none.
    pub receptor: Receptor,
}

/// A file of synapses between the populations of a network.
#[derive(Clone, Debug)]
pub struct EdgeSource {
    file: EdgeFile,
    defaults: EdgeDefaults,
    populations: Vec<End>,
    /// The network's unit of time, such as `ms`.
    time_unit: String,
}

/// A population as an end of synapses.
#[derive(Clone, Debug)]
struct End {
    name: String,
    nodes: Range<usize>,
    is_source: bool,
}

/// Some synapses of a file, in its order. Nodes exist, weights and delays are in their ranges.
#[derive(Debug, Default)]
struct EdgeColumns {
    pre: Vec<u32>,
    /// These are empty if synapses are only counted.
    post: Vec<u32>,
    weights: Vec<f64>,
    delays: Vec<f64>,
    /// Empty if all are those of the defaults.
    receptors: Vec<Receptor>,
}

/// What is wanted of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pass {
    Count,
    Read,
}

impl EdgeSource {
    /// A file of synapses of a network with this unit of time. Paths are complete; nothing is read yet.
    pub fn new(file: EdgeFile, defaults: EdgeDefaults, network: &Network, time_unit: &str) -> Self {
        let end = |population: &super::Population| End {
            name: population.name.clone(),
            nodes: population.nodes.clone(),
            is_source: network.graph().raw_nodes()[population.nodes.start].weight == Node::Source,
        };
        let populations = network.populations().iter().map(end).collect();
        EdgeSource { file, defaults, populations, time_unit: time_unit.to_owned() }
    }

    /// Counts the synapses by presynaptic node.
    ///
    /// # Errors
    /// If the file cannot be read, is malformed, or a synapse cannot be.
    pub fn count(&self, counts: &mut SynapseCounts) -> Result<(), EdgeError> {
        self.visit(Pass::Count, &mut |columns| {
            columns.pre.iter().try_for_each(|&pre| counts.add(pre))
        })
    }

    /// Gives every synapse to a sink, in the order of the file.
    ///
    /// # Errors
    /// As [`Self::count`].
    pub fn read(&self, sink: &mut impl SynapseSink) -> Result<(), EdgeError> {
        let default = self.defaults.receptor;
        self.visit(Pass::Read, &mut |columns| {
            for (place, (&pre, &post)) in columns.pre.iter().zip(&columns.post).enumerate() {
                let (weight, delay) = (columns.weights[place], columns.delays[place]);
                let receptor = columns.receptors.get(place).copied().unwrap_or(default);
                sink.take(pre, post, Synapse { weight, delay }, receptor)?;
            }
            Ok(())
        })
    }

    fn visit(
        &self,
        pass: Pass,
        show: &mut dyn FnMut(&EdgeColumns) -> Result<(), NetworkError>,
    ) -> Result<(), EdgeError> {
        if is_hdf5(&self.file.path) {
            #[cfg(feature = "hdf5")]
            return sonata::visit(self, pass, show);
            #[cfg(not(feature = "hdf5"))]
            return Err(self.error(
                EdgePlace::File,
                EdgeProblem::Form("SONATA edges are read with the feature `hdf5` only".to_owned()),
            ));
        }
        table::visit(self, pass, show)
    }

    /// Population of this name, by index.
    fn find(&self, name: &str) -> Option<usize> {
        self.populations.iter().position(|population| population.name == name)
    }

    fn names(&self) -> String {
        let names: Vec<&str> = self.populations.iter().map(|it| it.name.as_str()).collect();
        names.join(", ")
    }

    /// The node of an id of a population; none if there is no such neuron.
    #[inline]
    fn node(&self, population: usize, id: u64) -> Option<u32> {
        let nodes = &self.populations[population].nodes;
        let neuron = id.checked_sub(u64::from(self.file.first_id))?;
        (neuron < nodes.len() as u64).then(|| nodes.start as u32 + neuron as u32)
    }

    /// What is wrong with an id that is none of a population's.
    fn no_such(&self, column: &str, population: usize, id: impl ToString) -> EdgeProblem {
        let End { name, nodes, .. } = &self.populations[population];
        let first = u64::from(self.file.first_id);
        let last = (nodes.len() as u64 + first).saturating_sub(1);
        EdgeProblem::Field {
            column: column.to_owned(),
            found: id.to_string(),
            accepted: format!("from {first} to {last} (population `{name}`)"),
        }
    }

    /// Refuses synapses that end on spike sources.
    fn check_post(&self, population: usize) -> Result<(), EdgeProblem> {
        let End { name, is_source, .. } = &self.populations[population];
        if *is_source {
            let error = NetworkError::SourceAsTarget(name.clone());
            return Err(EdgeProblem::Network(error));
        }
        Ok(())
    }

    /// What is wrong with weight or delay of a synapse, if something is.
    fn check_values(synapse: Synapse) -> Result<(), EdgeProblem> {
        match synapse.out_of_range() {
            None => Ok(()),
            Some((column, value, accepted)) => Err(EdgeProblem::Field {
                column: column.to_owned(),
                found: value.to_string(),
                accepted: accepted.to_owned(),
            }),
        }
    }

    fn error(&self, place: EdgePlace, problem: EdgeProblem) -> EdgeError {
        EdgeError { path: self.file.path.clone(), place, problem: Box::new(problem) }
    }
}

/// Whether a file begins as HDF5 files do.
fn is_hdf5(path: &Path) -> bool {
    let mut start = [0; 8];
    let read = File::open(path)
        .and_then(|file| {
            if file.metadata()?.is_file() {
                Ok(file)
            } else {
                Err(std::io::ErrorKind::Other.into())
            }
        })
        .and_then(|mut file| file.read_exact(&mut start));
    read.is_ok() && start == *b"\x89HDF\r\n\x1a\n"
}

/// The compiled network of `network`'s nodes and the synapses of some files; its own synapses are left out.
///
/// # Errors
/// If a file cannot be read or is malformed, or a synapse cannot be.
pub fn compile(
    network: &Network,
    sources: &[EdgeSource],
) -> Result<super::CompiledNetwork, EdgeError> {
    let mut counts = SynapseCounts::new(network);
    sources.iter().try_for_each(|source| source.count(&mut counts))?;
    let mut rows = SynapseRows::new(network, counts);
    sources.iter().try_for_each(|source| source.read(&mut rows))?;
    rows.finish().map_err(|error| EdgeError {
        path: sources.last().map(|source| source.file.path.clone()).unwrap_or_default(),
        place: EdgePlace::File,
        problem: Box::new(EdgeProblem::Network(error)),
    })
}

#[cfg(test)]
mod tests;
