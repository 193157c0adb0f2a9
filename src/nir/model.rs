//! The graph as it stands in a file: nodes with fields, edges between their names.

use std::collections::BTreeMap;

/// Numbers with a shape, row by row; `[]` is the shape of a scalar.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tensor {
    /// The shape.
    pub shape: Vec<usize>,
    /// The values, as many as the shape has.
    pub values: Vec<f64>,
    /// Whether they are stored as integers.
    pub whole: bool,
}

/// A field of a node, or an entry of its metadata.
#[derive(Clone, Debug, PartialEq)]
pub enum Field {
    /// Numbers.
    Numbers(Tensor),
    /// A text.
    Text(String),
    /// More of them, by name.
    Group(BTreeMap<String, Field>),
}

/// A node of a graph.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Node {
    /// Its type: `CubaLIF`, `Linear`, …
    pub kind: String,
    /// Its fields, by name, without its type.
    pub fields: BTreeMap<String, Field>,
    /// What it says beside.
    pub metadata: BTreeMap<String, Field>,
    /// The graph that it is, if its type is `NIRGraph`.
    pub graph: Option<Graph>,
}

/// A NIR graph.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Graph {
    /// The version of the package that wrote it, if the file says.
    pub version: Option<String>,
    /// Its nodes, by name.
    pub nodes: BTreeMap<String, Node>,
    /// From the name of a node to the name of another, in the order of the file.
    pub edges: Vec<(String, String)>,
    /// What it says beside.
    pub metadata: BTreeMap<String, Field>,
}

impl Tensor {
    /// A vector of numbers.
    pub fn vector(values: Vec<f64>) -> Self {
        Tensor { shape: vec![values.len()], values, whole: false }
    }

    /// A vector of integers.
    pub fn integers(values: &[usize]) -> Self {
        let shape = vec![values.len()];
        Tensor { shape, values: values.iter().map(|&value| value as f64).collect(), whole: true }
    }

    /// The one value of a scalar, or of an array of one.
    pub fn scalar(&self) -> Option<f64> {
        if let [value] = self.values[..] { Some(value) } else { None }
    }
}

impl Node {
    /// A node of a type with fields of numbers.
    pub fn new(kind: &str, fields: impl IntoIterator<Item = (&'static str, Tensor)>) -> Self {
        let fields =
            fields.into_iter().map(|(name, value)| (name.to_owned(), Field::Numbers(value)));
        Node { kind: kind.to_owned(), fields: fields.collect(), ..Node::default() }
    }

    /// A field of numbers.
    pub fn numbers(&self, name: &str) -> Option<&Tensor> {
        match self.fields.get(name) {
            Some(Field::Numbers(tensor)) => Some(tensor),
            _ => None,
        }
    }

    /// A field of text.
    pub fn text(&self, name: &str) -> Option<&str> {
        match self.fields.get(name) {
            Some(Field::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// Numbers of the metadata.
    pub fn noted(&self, name: &str) -> Option<&Tensor> {
        match self.metadata.get(name) {
            Some(Field::Numbers(tensor)) => Some(tensor),
            _ => None,
        }
    }
}

impl Graph {
    /// A text of the metadata.
    pub fn noted_text(&self, name: &str) -> Option<&str> {
        match self.metadata.get(name) {
            Some(Field::Text(text)) => Some(text),
            _ => None,
        }
    }
}
