//! What reaches what: shapes of signals, and paths from neurons through linear nodes to neurons.

use super::super::flat::{Flat, FlatNode};
use super::super::operator::{MOST_ENTRIES, MOST_SIGNALS, Operator, Refused};
use super::Refusal;
use super::neurons::{Kind, Population};

/// Synapses between two populations.
pub(super) struct Bundle {
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) entries: Vec<Entry>,
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
    /// What is constant in the input of a population.
    pub(super) constants: Vec<(usize, Vec<f64>)>,
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
            match shape(node, coming.as_deref()) {
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

/// What comes out of a node for what comes in; none as long as that is not known.
fn shape(node: &FlatNode<'_>, coming: Option<&[usize]>) -> Result<Option<Vec<usize>>, Refused> {
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
            let one = || names.iter().find_map(|name| node.node.numbers(name)).map(|_| vec![1]);
            let from = largest.map(|tensor| tensor.shape.clone());
            Ok(from
                .or_else(|| coming.map(<[usize]>::to_vec))
                .or_else(|| one().filter(|_| coming.is_some())))
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
    if let Some(node) = linear_cycle(flat, populations) {
        let reason = "signals run in a circle through linear nodes alone".to_owned();
        let help = "a neuron is needed in every circle".to_owned();
        refusals.push(refusal(&flat.nodes[node], (reason, help)));
    }
    if !refusals.is_empty() {
        return Err(refusals);
    }
    let mut budget = MOST_ENTRIES;
    for (origin, population) in populations.iter().enumerate() {
        let Some(population) = population else { continue };
        let begin = (0..population.size as u32)
            .map(|neuron| Entry { from: neuron, to: neuron, weight: 1.0, delay: 0.0 })
            .collect::<Vec<_>>();
        let mut waiting: Vec<(usize, Vec<Entry>)> =
            flat.after[origin].iter().rev().map(|&node| (node, begin.clone())).collect();
        while let Some((node, entries)) = waiting.pop() {
            let here = &flat.nodes[node];
            if here.node.kind == "Output" && !here.passes {
                if entries.iter().all(|entry| entry.weight == 1.0 && entry.from == entry.to)
                    && population.kind != Kind::Sources
                    && !found.outputs.contains(&origin)
                {
                    found.outputs.push(origin);
                }
                continue;
            }
            if let Some(target) = &populations[node] {
                if entries.iter().any(|entry| entry.to as usize >= target.size) {
                    let most = entries.iter().map(|entry| entry.to).max().unwrap_or(0) as usize + 1;
                    let reason = format!("{most} signals come from `{}`", flat.nodes[origin].name);
                    let help = format!("it has {} neurons: as many are needed", target.size);
                    return Err(vec![refusal(here, (reason, help))]);
                }
                found.bundles.push(Bundle { from: origin, to: node, entries });
                continue;
            }
            let Some(operator) = &operators[node] else {
                let what = format!(
                    "{} `{}` is a read-out without spikes: it is left out",
                    here.node.kind, here.name
                );
                if !found.notes.contains(&what) {
                    found.notes.push(what);
                }
                continue;
            };
            if entries.iter().any(|entry| entry.to as usize >= operator.inputs) {
                let reason = format!(
                    "it takes {} signals, but more come from `{}`",
                    operator.inputs, flat.nodes[origin].name
                );
                return Err(vec![refusal(here, (reason, "the shapes must fit".to_owned()))]);
            }
            let count: usize = entries.iter().map(|entry| operator.count(entry.to as usize)).sum();
            let Some(left) = budget.checked_sub(count) else {
                let reason = format!("the network has more than {MOST_ENTRIES} synapses");
                return Err(vec![refusal(
                    here,
                    (reason, "a smaller network is needed".to_owned()),
                )]);
            };
            budget = left;
            let mut passed = Vec::with_capacity(count);
            for entry in entries {
                let at = entry.to as usize;
                let delay = entry.delay + operator.delays.get(at).copied().unwrap_or(0.0);
                passed.extend(operator.entries(at).map(|(to, factor)| Entry {
                    from: entry.from,
                    to: to as u32,
                    weight: if entry.weight == 1.0 { factor } else { entry.weight * factor },
                    delay,
                }));
            }
            let (last, others) = match flat.after[node].split_first() {
                Some((first, others)) => (*first, others),
                None => continue,
            };
            waiting.extend(others.iter().rev().map(|&next| (next, passed.clone())));
            waiting.push((last, passed));
        }
    }
    constants(flat, &operators, populations, &mut found);
    Ok(found)
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
        let coming = coming.or(shapes[index].as_deref().filter(|_| node.node.kind == "Output"));
        match Operator::of(node.node, coming?)? {
            Ok(operator) => Some(operator),
            Err(problem) => {
                refusals.push(refusal(node, problem));
                None
            }
        }
    };
    flat.nodes.iter().enumerate().map(operator).collect()
}

/// A node of a circle without neurons, if there is one.
fn linear_cycle(flat: &Flat<'_>, populations: &[Option<Population>]) -> Option<usize> {
    let count = flat.nodes.len();
    let mut coming: Vec<usize> = vec![0; count];
    let is_linear = |node: usize| populations[node].is_none();
    for node in (0..count).filter(|&node| is_linear(node)) {
        for &next in flat.after[node].iter().filter(|&&next| is_linear(next)) {
            coming[next] += 1;
        }
    }
    let mut free: Vec<usize> =
        (0..count).filter(|&node| is_linear(node) && coming[node] == 0).collect();
    let mut seen = vec![false; count];
    while let Some(node) = free.pop() {
        seen[node] = true;
        for &next in flat.after[node].iter().filter(|&&next| is_linear(next)) {
            coming[next] -= 1;
            if coming[next] == 0 {
                free.push(next);
            }
        }
    }
    (0..count).find(|&node| is_linear(node) && !seen[node])
}

/// Follows what is constant, from every node with a bias.
fn constants(
    flat: &Flat<'_>,
    operators: &[Option<Operator>],
    populations: &[Option<Population>],
    found: &mut Found,
) {
    for (origin, operator) in operators.iter().enumerate() {
        let Some(operator) = operator.as_ref().filter(|operator| !operator.bias.is_empty()) else {
            continue;
        };
        let mut waiting: Vec<(usize, Vec<f64>)> =
            flat.after[origin].iter().map(|&node| (node, operator.bias.clone())).collect();
        while let Some((node, values)) = waiting.pop() {
            if populations[node].is_some() {
                match found.constants.iter_mut().find(|(other, _)| *other == node) {
                    Some((_, sum)) if sum.len() == values.len() => {
                        sum.iter_mut().zip(&values).for_each(|(sum, value)| *sum += value);
                    }
                    _ => found.constants.push((node, values)),
                }
                continue;
            }
            let Some(operator) = &operators[node] else { continue };
            let mut passed = vec![0.0; operator.outputs()];
            for (at, value) in values.iter().enumerate().take(operator.inputs) {
                operator.entries(at).for_each(|(to, factor)| passed[to] += value * factor);
            }
            waiting.extend(flat.after[node].iter().map(|&next| (next, passed.clone())));
        }
    }
}
