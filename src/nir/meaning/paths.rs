//! What reaches what: shapes of signals, and paths from neurons through linear nodes to neurons.

use std::rc::Rc;

use super::super::flat::{Flat, FlatNode};
use super::super::operator::{MOST_ENTRIES, MOST_SIGNALS, Operator, Refused};
use super::Refusal;
use super::neurons::{Kind, Population};

/// Synapses between two populations.
pub(super) struct Bundle {
    pub(super) from: usize,
    pub(super) to: usize,
    /// Shared by all that the same signals reach.
    pub(super) entries: Rc<[Entry]>,
}

/// A signal on its way: where it comes from, where it is, and what has become of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    pub(super) from: u32,
    pub(super) to: u32,
    pub(super) weight: f64,
    /// In the file's times.
    pub(super) delay: f64,
}

/// What the paths of a graph are.
#[derive(Default)]
pub(super) struct Found {
    pub(super) bundles: Vec<Bundle>,
    /// What is constant in the input of each node.
    pub(super) constants: Vec<Option<Vec<f64>>>,
    /// Populations that an output shows.
    pub(super) outputs: Vec<usize>,
    pub(super) notes: Vec<String>,
}

pub(super) fn refusal(node: &FlatNode<'_>, (reason, help): Refused) -> Refusal {
    Refusal { node: node.name.clone(), kind: node.node.kind.clone(), reason, help }
}

/// The shape of what comes out of each node; none if nothing says.
pub(super) fn shapes(flat: &Flat<'_>, refusals: &mut Vec<Refusal>) -> Vec<Option<Vec<usize>>> {
    let mut shapes: Vec<Option<Vec<usize>>> = vec![None; flat.nodes.len()];
    let mut refused = vec![false; flat.nodes.len()];
    loop {
        let mut changed = false;
        for (index, node) in flat.nodes.iter().enumerate() {
            if shapes[index].is_some() || refused[index] {
                continue;
            }
            let coming = flat.before[index].iter().find_map(|&before| shapes[before].clone());
            let alone = flat.before[index].is_empty();
            match shape(node, coming.as_deref(), alone) {
                Ok(Some(shape))
                    if shape
                        .iter()
                        .try_fold(1usize, |product, &size| product.checked_mul(size))
                        .is_none_or(|size| size > MOST_SIGNALS) =>
                {
                    refused[index] = true;
                    let reason = format!("its shape is {shape:?}");
                    let help = format!("at most {MOST_SIGNALS} neurons or signals are read");
                    refusals.push(refusal(node, (reason, help)));
                }
                Ok(Some(shape)) => {
                    shapes[index] = Some(shape);
                    changed = true;
                }
                Ok(None) => {}
                Err(problem) => {
                    refused[index] = true;
                    refusals.push(refusal(node, problem));
                }
            }
        }
        if !changed {
            return shapes;
        }
    }
}

/// What comes out of a node for what comes in; none as long as that is not known. Nothing comes to one that is alone.
fn shape(
    node: &FlatNode<'_>,
    coming: Option<&[usize]>,
    alone: bool,
) -> Result<Option<Vec<usize>>, Refused> {
    let own = |name: &str| node.node.numbers(name).filter(|tensor| tensor.values.len() > 1);
    let kind = node.node.kind.as_str();
    match kind {
        "Input" | "Output" => {
            let written = node.node.numbers("shape").map(|shape| {
                shape.values.iter().map(|&size| size.max(0.0) as usize).collect::<Vec<_>>()
            });
            // Some programs leave the batch or the time in the shape of outputs.
            let is_input = kind == "Input" && !node.passes;
            Ok(if is_input {
                written
            } else {
                coming.map(<[usize]>::to_vec).or(written.filter(|_| kind == "Input"))
            })
        }
        // The shape of a matrix is its own; whether it fits is said when signals are followed.
        "Linear" | "Affine" => match node.node.numbers("weight").map(|weight| &weight.shape[..]) {
            Some(&[outputs, _]) => Ok(Some(vec![outputs])),
            _ => Operator::of(node.node, &[])
                .map_or(Ok(None), |made| made.map(|made| Some(made.shape))),
        },
        "Scale" | "Delay" | "Flatten" | "Conv1d" | "Conv2d" | "SumPool2d" | "AvgPool2d" => {
            let Some(coming) = coming else { return Ok(None) };
            match Operator::of(node.node, coming) {
                Some(Ok(operator)) => Ok(Some(operator.shape)),
                Some(Err(problem)) => Err(problem),
                None => Ok(None),
            }
        }
        _ => {
            let names =
                ["v_threshold", "tau_mem", "tau", "tau_syn", "r", "v_leak", "v_reset", "threshold"];
            let largest = names.iter().find_map(|name| own(name));
            // An array of one is one neuron if no input could make it a value for all.
            let is_one =
                |name: &&str| node.node.numbers(name).is_some_and(|tensor| tensor.shape == [1]);
            let one = || (alone && names.iter().any(is_one)).then(|| vec![1]);
            let from = largest.map(|tensor| tensor.shape.clone());
            Ok(from.or_else(|| coming.map(<[usize]>::to_vec)).or_else(one))
        }
    }
}

/// Follows all signals.
pub(super) fn follow(
    flat: &Flat<'_>,
    shapes: &[Option<Vec<usize>>],
    populations: &[Option<Population>],
) -> Result<Found, Vec<Refusal>> {
    let mut found = Found::default();
    let mut refusals = Vec::new();
    let operators = operators(flat, shapes, populations, &mut refusals);
    let order = linear_order(flat, populations);
    if let Err(node) = order {
        let reason = "signals run in a circle through linear nodes alone".to_owned();
        let help = "a neuron is needed in every circle".to_owned();
        refusals.push(refusal(&flat.nodes[node], (reason, help)));
    }
    refuse_sizes(flat, &operators, populations, &mut refusals);
    let order = match order {
        Ok(order) if refusals.is_empty() => order,
        _ => return Err(refusals),
    };
    for (index, here) in flat.nodes.iter().enumerate() {
        if matches!(here.node.kind.as_str(), "LI" | "CubaLI" | "I") && operators[index].is_none() {
            found.notes.push(format!(
                "{} `{}` is a read-out without spikes: it is left out",
                here.node.kind, here.name
            ));
        }
    }
    let too_many = |here: &FlatNode<'_>| {
        let reason = format!("the network has more than {MOST_ENTRIES} synapses");
        vec![refusal(here, (reason, "a smaller network is needed".to_owned()))]
    };
    // Signals on their way cost memory and time as synapses do, and every path at least one step.
    let (mut budget, mut synapses) = (MOST_ENTRIES, MOST_ENTRIES);
    for (origin, population) in populations.iter().enumerate() {
        let Some(population) = population else { continue };
        let begin = (0..population.size as u32)
            .map(|neuron| Entry { from: neuron, to: neuron, weight: 1.0, delay: 0.0 })
            .collect::<Rc<[Entry]>>();
        let mut waiting: Vec<(usize, Rc<[Entry]>)> =
            flat.after[origin].iter().rev().map(|&node| (node, begin.clone())).collect();
        while let Some((node, entries)) = waiting.pop() {
            let here = &flat.nodes[node];
            if here.node.kind == "Output" && !here.passes {
                if population.kind != Kind::Sources
                    && !found.outputs.contains(&origin)
                    && entries.iter().all(|entry| entry.weight == 1.0 && entry.from == entry.to)
                {
                    found.outputs.push(origin);
                }
                continue;
            }
            if populations[node].is_some() {
                synapses = synapses.checked_sub(entries.len()).ok_or_else(|| too_many(here))?;
                found.bundles.push(Bundle { from: origin, to: node, entries });
                continue;
            }
            let Some(operator) = &operators[node] else { continue };
            let count: usize = entries.iter().map(|entry| operator.count(entry.to as usize)).sum();
            budget = budget.checked_sub(count.max(1)).ok_or_else(|| too_many(here))?;
            if count == 0 {
                continue;
            }
            let mut passed = Vec::with_capacity(count);
            for entry in entries.iter() {
                let at = entry.to as usize;
                let delay = entry.delay + operator.delays.get(at).copied().unwrap_or(0.0);
                passed.extend(operator.entries(at).map(|(to, factor)| Entry {
                    from: entry.from,
                    to: to as u32,
                    weight: if entry.weight == 1.0 { factor } else { entry.weight * factor },
                    delay,
                }));
            }
            let passed: Rc<[Entry]> = passed.into();
            waiting.extend(flat.after[node].iter().rev().map(|&next| (next, Rc::clone(&passed))));
        }
    }
    found.constants = constants(flat, &operators, populations, &order);
    Ok(found)
}

/// Refuses edges that more or fewer signals come along than the node at their end takes.
fn refuse_sizes(
    flat: &Flat<'_>,
    operators: &[Option<Operator>],
    populations: &[Option<Population>],
    refusals: &mut Vec<Refusal>,
) {
    let size = |node: usize, of: fn(&Operator) -> usize| {
        let own = populations[node].as_ref().map(|population| population.size);
        own.or_else(|| operators[node].as_ref().map(of))
    };
    for (index, node) in flat.nodes.iter().enumerate() {
        let Some(needed) = size(index, |operator| operator.inputs) else { continue };
        for &before in &flat.before[index] {
            let coming = size(before, Operator::outputs).filter(|&coming| coming != needed);
            if let Some(coming) = coming {
                let reason = format!(
                    "it takes {needed} signals, but {coming} come from `{}`",
                    flat.nodes[before].name
                );
                refusals.push(refusal(node, (reason, "the shapes must fit".to_owned())));
            }
        }
    }
}

/// Refuses read-outs, which have no spikes, where their signals go on to neurons.
pub(super) fn refuse_read_outs(
    flat: &Flat<'_>,
    populations: &[Option<Population>],
    refusals: &mut Vec<Refusal>,
) {
    for (index, node) in flat.nodes.iter().enumerate() {
        if matches!(node.node.kind.as_str(), "LI" | "CubaLI" | "I")
            && reaches(flat, populations, index)
        {
            let reason = "its potential goes on to neurons, and only spikes can".to_owned();
            let help = "it may be at the end only, as a read-out".to_owned();
            refusals.push(refusal(node, (reason, help)));
        }
    }
}

/// Whether there is a way from a node to a neuron.
fn reaches(flat: &Flat<'_>, populations: &[Option<Population>], node: usize) -> bool {
    let mut seen = vec![false; flat.nodes.len()];
    let mut waiting = flat.after[node].clone();
    while let Some(next) = waiting.pop() {
        if populations[next].is_some() {
            return true;
        }
        if !std::mem::replace(&mut seen[next], true) {
            waiting.extend(&flat.after[next]);
        }
    }
    false
}

/// The maps of all linear nodes, and of inputs and outputs inside, which pass everything on.
fn operators(
    flat: &Flat<'_>,
    shapes: &[Option<Vec<usize>>],
    populations: &[Option<Population>],
    refusals: &mut Vec<Refusal>,
) -> Vec<Option<Operator>> {
    let operator = |(index, node): (usize, &FlatNode<'_>)| {
        if populations[index].is_some() {
            return None;
        }
        let coming = flat.before[index].iter().find_map(|&before| shapes[before].as_deref());
        if node.passes {
            return Some(Operator::identity(coming?));
        }
        // A matrix says itself how many signals it takes: its bias is there without any.
        let alone = || match node.node.numbers("weight").map(|weight| &weight.shape[..]) {
            Some(&[_, inputs]) => Some(vec![inputs]),
            _ => None,
        };
        let Some(coming) = coming.map(<[usize]>::to_vec).or_else(alone) else {
            if node.node.numbers("bias").is_some_and(|bias| bias.values.iter().any(|&b| b != 0.0)) {
                let reason = "it has a bias, and nothing comes to it".to_owned();
                let help = "an edge from its input is needed".to_owned();
                refusals.push(refusal(node, (reason, help)));
            }
            return None;
        };
        match Operator::of(node.node, &coming)? {
            Ok(operator) => Some(operator),
            Err(problem) => {
                refusals.push(refusal(node, problem));
                None
            }
        }
    };
    flat.nodes.iter().enumerate().map(operator).collect()
}

/// All linear nodes, each behind those before it; else a node of a circle without neurons.
fn linear_order(flat: &Flat<'_>, populations: &[Option<Population>]) -> Result<Vec<usize>, usize> {
    let count = flat.nodes.len();
    let mut coming: Vec<usize> = vec![0; count];
    let is_linear = |node: usize| populations[node].is_none();
    for node in (0..count).filter(|&node| is_linear(node)) {
        for &next in flat.after[node].iter().filter(|&&next| is_linear(next)) {
            coming[next] += 1;
        }
    }
    let mut order: Vec<usize> =
        (0..count).filter(|&node| is_linear(node) && coming[node] == 0).collect();
    let mut at = 0;
    while let Some(&node) = order.get(at) {
        at += 1;
        for &next in flat.after[node].iter().filter(|&&next| is_linear(next)) {
            coming[next] -= 1;
            if coming[next] == 0 {
                order.push(next);
            }
        }
    }
    match (0..count).find(|&node| is_linear(node) && coming[node] > 0) {
        Some(node) => Err(node),
        None => Ok(order),
    }
}

/// What is constant in the input of each node: the biases of all nodes before it, on all paths. Every linear node
/// is visited once, as there may be very many paths.
fn constants(
    flat: &Flat<'_>,
    operators: &[Option<Operator>],
    populations: &[Option<Population>],
    order: &[usize],
) -> Vec<Option<Vec<f64>>> {
    let mut sums: Vec<Option<Vec<f64>>> = vec![None; flat.nodes.len()];
    for &node in order {
        let Some(operator) = &operators[node] else { continue };
        if sums[node].is_none() && operator.bias.is_empty() {
            continue;
        }
        let mut passed = operator.bias.clone();
        passed.resize(operator.outputs(), 0.0);
        for (at, value) in sums[node].take().into_iter().flatten().enumerate() {
            operator.entries(at).for_each(|(to, factor)| passed[to] += value * factor);
        }
        for &next in &flat.after[node] {
            if operators[next].is_none() && populations[next].is_none() {
                continue;
            }
            match &mut sums[next] {
                Some(sum) => sum.iter_mut().zip(&passed).for_each(|(sum, value)| *sum += value),
                none => *none = Some(passed.clone()),
            }
        }
    }
    sums
}
