//! A graph without graphs in it: every node once, edges between their numbers.
//!
//! A graph inside becomes its nodes, with its name and a dot before theirs. An edge into it ends on its
//! input, an edge out of it begins at its output; both stay, as nodes that pass everything on.

use rustc_hash::FxHashMap;

use super::meaning::Refusal;
use super::model::{Graph, Node};

/// A node of a flat graph.
#[derive(Clone, Debug)]
pub(super) struct FlatNode<'g> {
    pub(super) name: String,
    pub(super) node: &'g Node,
    /// Whether it is an input or an output of a graph inside.
    pub(super) passes: bool,
}

/// A graph of nodes alone.
#[derive(Clone, Debug, Default)]
pub(super) struct Flat<'g> {
    pub(super) nodes: Vec<FlatNode<'g>>,
    /// Where each node's edges end, in the order of the file.
    pub(super) after: Vec<Vec<usize>>,
    /// Where each node's edges begin.
    pub(super) before: Vec<Vec<usize>>,
}

/// What an edge to or from a member of a graph means.
enum Ends {
    Node(usize),
    Graph { inputs: Vec<usize>, outputs: Vec<usize> },
}

impl<'g> Flat<'g> {
    /// Flattens a graph; what cannot be is added to the refusals.
    pub(super) fn new(graph: &'g Graph, refusals: &mut Vec<Refusal>) -> Self {
        let mut flat = Flat::default();
        flat.add(graph, "", refusals);
        flat
    }

    fn add(&mut self, graph: &'g Graph, prefix: &str, refusals: &mut Vec<Refusal>) -> Ends {
        let (mut inputs, mut outputs) = (Vec::new(), Vec::new());
        let mut ends = Vec::with_capacity(graph.nodes.len());
        let mut nodes: Vec<(&String, &Node)> = graph.nodes.iter().collect();
        // Files sort nodes by name; what this program wrote has an order.
        if let Some(order) = graph.noted_text("firstspike_order") {
            let rank: FxHashMap<&str, usize> =
                order.lines().enumerate().map(|(rank, name)| (name, rank)).collect();
            nodes.sort_by_key(|(name, _)| rank.get(name.as_str()).copied().unwrap_or(usize::MAX));
        }
        for &(name, node) in &nodes {
            let full = format!("{prefix}{name}");
            if let Some(inner) = &node.graph {
                let inside = self.add(inner, &format!("{full}."), refusals);
                ends.push(inside);
                continue;
            }
            let index = self.nodes.len();
            let is_end = matches!(node.kind.as_str(), "Input" | "Output");
            match node.kind.as_str() {
                "Input" => inputs.push(index),
                "Output" => outputs.push(index),
                _ => {}
            }
            self.nodes.push(FlatNode { name: full, node, passes: is_end && !prefix.is_empty() });
            self.after.push(Vec::new());
            self.before.push(Vec::new());
            ends.push(Ends::Node(index));
        }
        let places: FxHashMap<&String, usize> =
            nodes.iter().enumerate().map(|(place, &(name, _))| (name, place)).collect();
        let place = |name: &String| places.get(name).copied();
        for (from, to) in &graph.edges {
            let (Some(start), Some(end)) = (place(from), place(to)) else { continue };
            let only = |ends: &Ends, is_start: bool| match ends {
                Ends::Node(node) => Ok(*node),
                Ends::Graph { inputs, outputs } => {
                    match if is_start { outputs } else { inputs }[..] {
                        [one] => Ok(one),
                        ref several => Err(several.len()),
                    }
                }
            };
            match (only(&ends[start], true), only(&ends[end], false)) {
                (Ok(start), Ok(end)) => {
                    if !self.after[start].contains(&end) {
                        self.after[start].push(end);
                        self.before[end].push(start);
                    }
                }
                (start, _) => {
                    let (name, what) =
                        if start.is_err() { (from, "outputs") } else { (to, "inputs") };
                    refusals.push(Refusal {
                        node: format!("{prefix}{name}"),
                        kind: "NIRGraph".to_owned(),
                        reason: format!(
                            "the edge {from} → {to} does not say which of its {what} is meant: it must have one"
                        ),
                        help: "write the nodes of this graph into the one around it".to_owned(),
                    });
                }
            }
        }
        Ends::Graph { inputs, outputs }
    }
}
