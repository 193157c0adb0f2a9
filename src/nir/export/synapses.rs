//! Synapses as matrices: one for each pair of populations, with the delays before or behind it.
//!
//! Delays that the presynaptic neuron decides are a `Delay` before the matrix, those that the postsynaptic one
//! decides a `Delay` behind it. Any others are split: a matrix for each length. So are synapses that connect the same
//! two neurons.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

use super::super::model::{Graph, Node, Tensor};
use super::neurons::{Scale, Terms};
use super::{ExportError, MOST_NUMBERS, unused};
use crate::network::{CompiledNetwork, Receptor};

/// Lengths of delays between two populations that are neither axonal nor dendritic, at most.
const MOST_DELAYS: usize = 1000;

struct Edge {
    pre: usize,
    post: usize,
    weight: f64,
    delay: f64,
}

/// Adds all matrices. A population has its bias in its first one, or in one of zeros if it has no synapses.
pub(super) fn add(
    graph: &mut Graph,
    network: &CompiledNetwork,
    names: &[String],
    scales: &[Vec<Scale>],
    terms: &Terms,
    notes: &mut Vec<String>,
) -> Result<(), ExportError> {
    let populations = network.populations();
    let mut population_of = vec![0; network.node_count()];
    for (index, population) in populations.iter().enumerate() {
        population_of[population.nodes.clone()].fill(index);
    }
    let mut pairs = BTreeMap::<(usize, usize), Vec<Edge>>::new();
    let synapses = (0..network.node_count())
        .flat_map(|from| network.outgoing(from).map(move |synapse| (from, synapse)));
    for (from, index) in synapses {
        let to = network.targets()[index] as usize;
        let pair = (population_of[from], population_of[to]);
        let weight = network.weights()[index];
        let by_sign = if weight < 0.0 { Receptor::Inhibitory } else { Receptor::Excitatory };
        let receptor = network.receptor(index);
        if receptor != Receptor::BySign && receptor != by_sign {
            return Err(ExportError {
                population: populations[pair.1].name.clone(),
                reason: "a synapse ends on the receptor of the other sign".to_owned(),
                help: "NIR has one synaptic input per neuron".to_owned(),
            });
        }
        let first = |population: usize| populations[population].nodes.start;
        pairs.entry(pair).or_default().push(Edge {
            pre: from - first(pair.0),
            post: to - first(pair.1),
            weight,
            delay: network.delays()[index] * terms.ratio,
        });
    }
    let mut numbers = 0usize;
    let mut count = |post: usize, more: usize| {
        numbers = numbers.saturating_add(more);
        if numbers <= MOST_NUMBERS {
            return Ok(());
        }
        Err(ExportError {
            population: populations[post].name.clone(),
            reason: format!("the matrices of all synapses have more than {MOST_NUMBERS} numbers"),
            help: "NIR has no sparse matrices: a smaller network is needed".to_owned(),
        })
    };
    let mut biased = Vec::new();
    for ((pre, post), edges) in &pairs {
        let sizes = (populations[*pre].nodes.len(), populations[*post].nodes.len());
        let layers = layers(edges);
        let parts: Option<Vec<Vec<Part<'_>>>> =
            layers.into_iter().map(|layer| parts(layer, sizes)).collect();
        let parts = parts.map(|parts| parts.into_iter().flatten().collect::<Vec<_>>());
        let parts = parts.ok_or_else(|| ExportError {
            population: populations[*post].name.clone(),
            reason: format!(
                "synapses from `{}` have more than {MOST_DELAYS} delays",
                populations[*pre].name
            ),
            help: "NIR has delays per neuron: a delay per synapse needs a matrix each".to_owned(),
        })?;
        count(*post, sizes.0.saturating_mul(sizes.1).saturating_mul(parts.len()))?;
        if parts.len() > 1 {
            notes.push(format!(
                "synapses `{}` → `{}` are {} matrices, as they have several delays, or several connect the same neurons",
                names[*pre],
                names[*post],
                parts.len()
            ));
        }
        for part in parts {
            let bias = (!biased.contains(post)).then(|| {
                biased.push(*post);
                scales[*post].iter().map(|scale| scale.bias).collect::<Vec<f64>>()
            });
            let bias = bias.filter(|bias| bias.iter().any(|&bias| bias != 0.0));
            part.add(graph, (&names[*pre], &names[*post]), sizes, &scales[*post], bias);
        }
    }
    // From sources, or else from itself: programs run nothing that has no input.
    let sources = scales.iter().position(Vec::is_empty);
    for (post, own) in scales.iter().enumerate() {
        if biased.contains(&post) || own.iter().all(|scale| scale.bias == 0.0) {
            continue;
        }
        let pre = sources.unwrap_or(post);
        let sizes = (populations[pre].nodes.len(), populations[post].nodes.len());
        count(post, sizes.0.saturating_mul(sizes.1))?;
        let part = Part { edges: Vec::new(), before: None, behind: None };
        let bias = own.iter().map(|scale| scale.bias).collect();
        part.add(graph, (&names[pre], &names[post]), sizes, own, Some(bias));
    }
    Ok(())
}

/// Synapses that one matrix can be, with delays before and behind it.
struct Part<'e> {
    edges: Vec<&'e Edge>,
    before: Option<Vec<f64>>,
    behind: Option<Vec<f64>>,
}

/// Synapses with at most one for each pair of neurons: a matrix has one number for it, and a sum of weights is
/// rounded.
fn layers(edges: &[Edge]) -> Vec<Vec<&Edge>> {
    let mut counts = FxHashMap::<(usize, usize), usize>::default();
    let mut layers: Vec<Vec<&Edge>> = Vec::new();
    for edge in edges {
        let count = counts.entry((edge.pre, edge.post)).or_default();
        if *count == layers.len() {
            layers.push(Vec::new());
        }
        layers[*count].push(edge);
        *count += 1;
    }
    layers
}

fn parts(edges: Vec<&Edge>, (pre, post): (usize, usize)) -> Option<Vec<Part<'_>>> {
    let distinct = |end: fn(&Edge) -> usize, count: usize| {
        let mut delays: Vec<Option<f64>> = vec![None; count];
        for edge in &edges {
            match &mut delays[end(edge)] {
                delay @ None => *delay = Some(edge.delay),
                Some(delay) if *delay == edge.delay => {}
                Some(_) => return None,
            }
        }
        let delays: Vec<f64> = delays.into_iter().map(Option::unwrap_or_default).collect();
        Some(delays.iter().any(|&delay| delay != 0.0).then_some(delays))
    };
    if let Some(before) = distinct(|edge| edge.pre, pre) {
        return Some(vec![Part { edges, before, behind: None }]);
    }
    if let Some(behind) = distinct(|edge| edge.post, post) {
        return Some(vec![Part { edges, before: None, behind }]);
    }
    let mut by_delay = BTreeMap::<u64, Vec<&Edge>>::new();
    for edge in edges {
        // The bits of numbers that are not negative are in the numbers' order.
        by_delay.entry(edge.delay.to_bits()).or_default().push(edge);
    }
    (by_delay.len() <= MOST_DELAYS).then(|| {
        let part = |(bits, edges)| {
            let delay = f64::from_bits(bits);
            Part { edges, before: (delay != 0.0).then(|| vec![delay; pre]), behind: None }
        };
        by_delay.into_iter().map(part).collect()
    })
}

impl Part<'_> {
    fn add(
        self,
        graph: &mut Graph,
        (pre, post): (&String, &String),
        (inputs, outputs): (usize, usize),
        scales: &[Scale],
        bias: Option<Vec<f64>>,
    ) {
        let mut values = vec![0.0; inputs * outputs];
        for edge in &self.edges {
            let scale = scales[edge.post].weight;
            let weight = if scale == 1.0 { edge.weight } else { edge.weight * scale };
            values[edge.post * inputs + edge.pre] += weight;
        }
        let weight = Tensor { shape: vec![outputs, inputs], values, whole: false };
        let node = match bias {
            Some(bias) => Node::new("Affine", [("weight", weight), ("bias", Tensor::vector(bias))]),
            None => Node::new("Linear", [("weight", weight)]),
        };
        let mut last = pre.clone();
        let mut append = |graph: &mut Graph, wanted: String, node: Node| {
            let name = unused(graph, &wanted);
            graph.nodes.insert(name.clone(), node);
            graph.edges.push((std::mem::replace(&mut last, name.clone()), name));
        };
        let delay = |delays: Vec<f64>| Node::new("Delay", [("delay", Tensor::vector(delays))]);
        if let Some(before) = self.before {
            append(graph, format!("{pre}-{post}_delay"), delay(before));
        }
        append(graph, format!("{pre}-{post}"), node);
        if let Some(behind) = self.behind {
            append(graph, format!("{pre}-{post}_delay"), delay(behind));
        }
        graph.edges.push((last, post.clone()));
    }
}
