//! NIR graphs in HDF5 files, in the layout of the package `nir` (1.0.8 and before).
//!
//! The root has `version` and the group `node`, which is a graph: `type`, `edges` (pairs of names), and in `nodes` a
//! group for each node, with `type` and its fields as data sets; `metadata` may be in any of them.

use std::collections::BTreeMap;
use std::path::Path;

use super::NirError;
use super::model::{Field, Graph, Node, Tensor};
use crate::hdf5::{self, Hdf5Dataset, Hdf5File, Hdf5Group, Hdf5Value};

/// Graphs within graphs, at most.
const DEEPEST: usize = 16;
/// Groups of a file, at most.
const MOST_GROUPS: usize = 100_000;
/// Numbers of a file, at most: 1 GiB of doubles.
const MOST_NUMBERS: u64 = 1 << 27;

impl Graph {
    /// Reads a graph.
    ///
    /// # Errors
    /// If the file cannot be read, is damaged, or holds no NIR graph; with the path inside it.
    pub fn read(path: &Path) -> Result<Self, NirError> {
        let file = Hdf5File::open(path)?;
        let mut reader = Reader { file: &file, groups: 0, numbers: 0 };
        let root = file.members("")?;
        if !root.groups.iter().any(|name| name == "node") {
            let found = [root.groups, root.datasets].concat().join("`, `");
            let message =
                format!("no group `node`, which a NIR graph is in; there is `{found}` at the root");
            return Err(reader.error("", message));
        }
        let version = match root.datasets.iter().any(|name| name == "version") {
            true => reader.text(&file.dataset("version")?, "version")?,
            false => None,
        };
        let node = reader.node("node", 0)?;
        let mut graph = match node.graph {
            Some(graph) => graph,
            // A node alone is a graph of one.
            None => {
                Graph { nodes: BTreeMap::from([("node".to_owned(), node)]), ..Graph::default() }
            }
        };
        graph.version = version;
        Ok(graph)
    }

    /// Writes the graph.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn write(&self, path: &Path) -> Result<(), NirError> {
        let mut root = Hdf5Group::default();
        root.text("version", self.version.as_deref().unwrap_or("1.0.8"));
        root.group("node", graph_group(self));
        Ok(hdf5::write(path, root)?)
    }
}

struct Reader<'f> {
    file: &'f Hdf5File,
    groups: usize,
    numbers: u64,
}

impl Reader<'_> {
    fn node(&mut self, place: &str, depth: usize) -> Result<Node, NirError> {
        self.groups += 1;
        if depth > DEEPEST {
            return Err(
                self.error(place, format!("graphs within graphs, more than {DEEPEST} deep"))
            );
        }
        if self.groups > MOST_GROUPS {
            return Err(self.error(place, format!("more than {MOST_GROUPS} nodes")));
        }
        let members = self.file.members(place)?;
        let mut node = Node::default();
        let mut edges = Vec::new();
        for name in &members.datasets {
            let inner = format!("{place}/{name}");
            let dataset = self.file.dataset(&inner)?;
            match name.as_str() {
                "type" => node.kind = self.text(&dataset, &inner)?.unwrap_or_default(),
                "edges" => edges = self.edges(&dataset, &inner)?,
                _ => {
                    let field = self.field(&dataset, &inner)?;
                    node.fields.insert(name.clone(), field);
                }
            }
        }
        if node.kind.is_empty() {
            return Err(self.error(place, "no `type`, which every node has".to_owned()));
        }
        let mut nodes = BTreeMap::new();
        for name in &members.groups {
            let inner = format!("{place}/{name}");
            match name.as_str() {
                "metadata" => node.metadata = self.group(&inner, depth + 1)?,
                "nodes" if node.kind == "NIRGraph" => {
                    for name in self.file.members(&inner)?.groups {
                        let read = self.node(&format!("{inner}/{name}"), depth + 1)?;
                        nodes.insert(name, read);
                    }
                }
                _ => {
                    let group = Field::Group(self.group(&inner, depth + 1)?);
                    node.fields.insert(name.clone(), group);
                }
            }
        }
        if node.kind == "NIRGraph" {
            for (from, to) in &edges {
                if let Some(name) = [from, to].into_iter().find(|&name| !nodes.contains_key(name)) {
                    let message = format!("edge {from} → {to}: there is no node `{name}`");
                    return Err(self.error(&format!("{place}/edges"), message));
                }
            }
            let metadata = std::mem::take(&mut node.metadata);
            node.graph = Some(Graph { version: None, nodes, edges, metadata });
        }
        Ok(node)
    }

    fn group(&mut self, place: &str, depth: usize) -> Result<BTreeMap<String, Field>, NirError> {
        self.groups += 1;
        if depth > DEEPEST || self.groups > MOST_GROUPS {
            return Err(
                self.error(place, format!("more than {DEEPEST} groups deep, or {MOST_GROUPS}"))
            );
        }
        let members = self.file.members(place)?;
        let mut fields = BTreeMap::new();
        for name in members.datasets {
            let inner = format!("{place}/{name}");
            let field = self.field(&self.file.dataset(&inner)?, &inner)?;
            fields.insert(name, field);
        }
        for name in members.groups {
            let group = self.group(&format!("{place}/{name}"), depth + 1)?;
            fields.insert(name, Field::Group(group));
        }
        Ok(fields)
    }

    fn field(&mut self, dataset: &Hdf5Dataset<'_>, place: &str) -> Result<Field, NirError> {
        self.count(dataset, place)?;
        if dataset.is_text() {
            let texts = dataset.texts()?;
            return Ok(Field::Text(texts.join("\n")));
        }
        let shape = dataset.shape().iter().map(|&size| size as usize).collect();
        let values = dataset.numbers()?;
        let whole = dataset.is_whole();
        Ok(Field::Numbers(Tensor { shape, values, whole }))
    }

    fn text(&mut self, dataset: &Hdf5Dataset<'_>, place: &str) -> Result<Option<String>, NirError> {
        self.count(dataset, place)?;
        Ok(dataset.texts()?.into_iter().next())
    }

    fn edges(
        &mut self,
        dataset: &Hdf5Dataset<'_>,
        place: &str,
    ) -> Result<Vec<(String, String)>, NirError> {
        self.count(dataset, place)?;
        match dataset.shape() {
            [0, ..] => Ok(Vec::new()),
            [_, 2] => {
                let mut texts = dataset.texts()?.into_iter();
                Ok(std::iter::from_fn(|| Some((texts.next()?, texts.next()?))).collect())
            }
            shape => {
                let message = format!("shape {shape:?}, but edges are pairs of names: [n, 2]");
                Err(self.error(place, message))
            }
        }
    }

    /// Counts what is about to be read, against what a file may hold.
    fn count(&mut self, dataset: &Hdf5Dataset<'_>, place: &str) -> Result<(), NirError> {
        let numbers =
            dataset.shape().iter().fold(1u64, |product, &size| product.saturating_mul(size));
        self.numbers = self.numbers.saturating_add(numbers);
        if self.numbers > MOST_NUMBERS {
            let message = format!(
                "with this one, of shape {:?}, the file has {} numbers: at most {MOST_NUMBERS} are read",
                dataset.shape(),
                self.numbers
            );
            return Err(self.error(place, message));
        }
        Ok(())
    }

    fn error(&self, place: &str, message: String) -> NirError {
        let place = if place.is_empty() { "/" } else { place }.to_owned();
        NirError::Content { path: self.file.path().to_owned(), place, message }
    }
}

fn graph_group(graph: &Graph) -> Hdf5Group {
    let mut group = Hdf5Group::default();
    let names = graph.edges.iter().flat_map(|(from, to)| [from.clone(), to.clone()]).collect();
    let edges = Hdf5Value::Texts { shape: vec![graph.edges.len() as u64, 2], values: names };
    group.datasets.push(("edges".to_owned(), edges));
    group.text("type", "NIRGraph");
    let mut nodes = Hdf5Group::default();
    for (name, node) in &graph.nodes {
        let inner = match &node.graph {
            Some(graph) => graph_group(graph),
            None => {
                let mut group = fields_group(&node.fields);
                group.text("type", &node.kind);
                if !node.metadata.is_empty() {
                    group.group("metadata", fields_group(&node.metadata));
                }
                group
            }
        };
        nodes.group(name, inner);
    }
    group.group("nodes", nodes);
    if !graph.metadata.is_empty() {
        group.group("metadata", fields_group(&graph.metadata));
    }
    group
}

fn fields_group(fields: &BTreeMap<String, Field>) -> Hdf5Group {
    let mut group = Hdf5Group::default();
    for (name, field) in fields {
        match field {
            Field::Text(text) => group.text(name, text),
            Field::Group(fields) => group.group(name, fields_group(fields)),
            Field::Numbers(Tensor { shape, values, whole }) => {
                let shape: Vec<u64> = shape.iter().map(|&size| size as u64).collect();
                if *whole {
                    group.integers(
                        name,
                        &shape,
                        values.iter().map(|&value| value as i64).collect(),
                    );
                } else {
                    group.doubles(name, &shape, values.clone());
                }
            }
        }
    }
    group
}
