//! Populations: the parameters of neuron nodes in the terms of this program.
//!
//! NIR: `tau_syn dI/dt = −I + w_in S` and `tau_mem dv/dt = v_leak − v + r I`. Here: `C dV/dt = −C (V − E_l)/τ_m + I`,
//! and a spike adds its weight to I. So `C = tau_mem/r`, and a weight is the jump of the current.

use super::super::convention::{Convention, Jump, Resistance};
use super::super::flat::{Flat, FlatNode};
use super::super::operator::{needed, spread};
use super::Refusal;
use super::paths::{Found, refusal};
use crate::neuron::NeuronParameters;

/// The synaptic time constant that stands for none, in membrane time constants.
const FAST: f64 = 1e-9;
/// By how much spikes are late at most, in membrane time constants: what decays in 30 synaptic ones is gone.
const LATE: f64 = 3e-8;
/// How long a neuron without synaptic filter stays at reset, in that constant: until what has come is gone.
const FAST_REST: f64 = 40.0;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Sources,
    /// With a synaptic filter.
    Filtered,
    /// Without one: potentials jump.
    Fast,
}

/// A population of sources or neurons.
#[derive(Clone, Debug)]
pub(super) struct Population {
    pub(super) kind: Kind,
    pub(super) size: usize,
    pub(super) neurons: Vec<NeuronParameters>,
    /// What a weight is multiplied by to be the jump of the current, for each neuron.
    pub(super) gain: Vec<f64>,
    /// Whether all parameters, also of constant currents, are from this program's metadata.
    own: bool,
}

/// The population of a node: none of a linear one, of an output, or of a read-out at the end.
pub(super) fn population(
    node: &FlatNode<'_>,
    shape: Option<&[usize]>,
    convention: &Convention,
    notes: &mut Vec<String>,
) -> Result<Option<Population>, Refusal> {
    let size = shape.map(|shape| shape.iter().product::<usize>());
    let refuse =
        |reason: &str, help: &str| Err(refusal(node, (reason.to_owned(), help.to_owned())));
    let kind = match node.node.kind.as_str() {
        "Input" if !node.passes => {
            let size = size.filter(|&size| size > 0);
            let Some(size) = size else {
                return refuse(
                    "its shape is not known, or 0",
                    "write `shape`: how many signals come in",
                );
            };
            let (neurons, gain) = (Vec::new(), Vec::new());
            return Ok(Some(Population { kind: Kind::Sources, size, neurons, gain, own: false }));
        }
        "CubaLIF" => Kind::Filtered,
        "LIF" | "IF" => Kind::Fast,
        "Input" | "Output" | "Linear" | "Affine" | "Scale" | "Delay" | "Flatten" | "Conv1d"
        | "Conv2d" | "SumPool2d" | "AvgPool2d" => return Ok(None),
        // What may be at the end only is refused where its signals go on.
        "LI" | "CubaLI" | "I" => return Ok(None),
        "Threshold" => {
            return refuse(
                "a threshold without reset spikes as long as its input is above it",
                "a LIF or CubaLIF is needed",
            );
        }
        _ => return refuse("a type that is not known here", "docs/nir.md lists what is read"),
    };
    let Some(size) = size.filter(|&size| size > 0) else {
        return refuse("how many neurons it has is not known", "write its parameters as arrays");
    };
    let mut population = if kind == Kind::Filtered {
        filtered(node, size, convention)?
    } else {
        fast(node, size, convention, notes)?
    };
    for neuron in &mut population.neurons {
        // A membrane that rests above its threshold would have no beginning.
        if neuron.leak_potential >= neuron.threshold && !population.own {
            neuron.initial_potential = neuron.reset_potential;
        }
    }
    for (place, neuron) in population.neurons.iter().enumerate() {
        if let Err(error) = neuron.validate() {
            let help = "neurons of this kind do not exist here".to_owned();
            return Err(refusal(node, (format!("neuron {place}: {error}"), help)));
        }
    }
    Ok(Some(population))
}

/// A parameter of every neuron; the default if it may be missing.
fn parameter(
    node: &FlatNode<'_>,
    name: &str,
    size: usize,
    default: Option<f64>,
) -> Result<Vec<f64>, Refusal> {
    if let (None, Some(default)) = (node.node.numbers(name), default) {
        return Ok(vec![default; size]);
    }
    let tensor = needed(node.node, name).map_err(|problem| refusal(node, problem))?;
    spread(tensor, size).ok_or_else(|| {
        let reason = format!("its {name} has the shape {:?}", tensor.shape);
        refusal(
            node,
            (reason, format!("one number, or one for each of its {size} neurons is needed")),
        )
    })
}

fn filtered(
    node: &FlatNode<'_>,
    size: usize,
    convention: &Convention,
) -> Result<Population, Refusal> {
    let get = |name: &str, default| parameter(node, name, size, default);
    let (tau_mem, tau_syn) = (get("tau_mem", None)?, get("tau_syn", None)?);
    let (r, w_in) = (get("r", Some(1.0))?, get("w_in", Some(1.0))?);
    let (leak, threshold) = (get("v_leak", Some(0.0))?, get("v_threshold", None)?);
    let reset = get("v_reset", Some(0.0))?;
    let refuse = |reason: String, help: &str| Err(refusal(node, (reason, help.to_owned())));
    if convention.leaky_synapse && leak.iter().any(|&leak| leak != 0.0) {
        return refuse(
            "norse lets the synaptic current decay to v_leak, too, which is not 0".to_owned(),
            "--dialect norse-lifcell or strict is another meaning",
        );
    }
    let mut population = Population {
        kind: Kind::Filtered,
        size,
        neurons: Vec::new(),
        gain: Vec::new(),
        own: false,
    };
    for place in 0..size {
        let (tau_m, tau_s) = (tau_mem[place] * convention.scale, tau_syn[place] * convention.scale);
        let resistance = match convention.resistance {
            Resistance::Written => r[place],
            Resistance::One if r[place] != 1.0 || w_in[place] != 1.0 => {
                return refuse(
                    format!("neuron {place}: r = {} and w_in = {}", r[place], w_in[place]),
                    "this dialect takes both to be 1: firstspike nir convert writes such a file",
                );
            }
            Resistance::One => 1.0,
            Resistance::PerStep(dt) => tau_mem[place] / dt,
        };
        if !(resistance > 0.0) {
            return refuse(format!("neuron {place}: r = {resistance}"), "r must be above 0");
        }
        let gain = match convention.jump {
            Jump::Delta => w_in[place] / tau_s,
            Jump::Step(dt) => w_in[place] * (dt / tau_syn[place]),
            Jump::Weight(_) => 1.0,
        };
        population.gain.push(gain);
        population.neurons.push(NeuronParameters {
            tau_m,
            tau_s,
            tau_s_inhibitory: tau_s,
            capacitance: tau_m / resistance,
            leak_potential: leak[place],
            reset_potential: reset[place],
            threshold: threshold[place],
            initial_potential: leak[place],
            ..NeuronParameters::default()
        });
    }
    own_parameters(node, &w_in, &mut population)?;
    Ok(population)
}

/// Takes the parameters that this program has noted, which say more; they must not contradict the others.
fn own_parameters(
    node: &FlatNode<'_>,
    w_in: &[f64],
    population: &mut Population,
) -> Result<(), Refusal> {
    let Some(noted) = node.node.noted("firstspike_neurons") else { return Ok(()) };
    let refuse = |reason: String| {
        let help = "write the file anew, or remove the metadata of the node".to_owned();
        Err(refusal(node, (reason, help)))
    };
    if noted.shape != [population.size, 12] {
        return refuse(format!(
            "its metadata `firstspike_neurons` have the shape {:?}",
            noted.shape
        ));
    }
    let (rows, _) = noted.values.as_chunks::<12>();
    for (place, (neuron, row)) in population.neurons.iter_mut().zip(rows).enumerate() {
        let own = NeuronParameters::from_array(*row);
        let exact = [
            ("tau_mem", own.tau_m, neuron.tau_m),
            ("tau_syn", own.tau_s, neuron.tau_s),
            // Weights are written as jumps of the current.
            ("w_in", own.tau_s, w_in[place]),
            ("v_leak", own.leak_potential, neuron.leak_potential),
            ("v_reset", own.reset_potential, neuron.reset_potential),
            ("v_threshold", own.threshold, neuron.threshold),
        ];
        let close = (own.capacitance - neuron.capacitance).abs() <= 1e-12 * own.capacitance.abs();
        let wrong = exact.iter().find(|(_, own, written)| own != written);
        let wrong = wrong.map(|&(name, own, written)| (name, own, written));
        let wrong = wrong.or((!close).then_some(("r", own.capacitance, neuron.capacitance)));
        if let Some((name, own, written)) = wrong {
            return refuse(format!(
                "neuron {place}: {name} is {written}, but the metadata of this file are for {own}"
            ));
        }
        *neuron = own;
    }
    population.own = true;
    Ok(())
}

/// Neurons whose potential jumps: the limit of fast synapses, in a refractory period that discards the rest.
fn fast(
    node: &FlatNode<'_>,
    size: usize,
    convention: &Convention,
    notes: &mut Vec<String>,
) -> Result<Population, Refusal> {
    let get = |name: &str, default| parameter(node, name, size, default);
    let leaky = node.node.kind == "LIF";
    let tau = get("tau", (!leaky).then_some(f64::INFINITY))?;
    let (r, leak) = (get("r", Some(1.0))?, get("v_leak", Some(0.0))?);
    let (threshold, reset) = (get("v_threshold", None)?, get("v_reset", Some(0.0))?);
    let mut population =
        Population { kind: Kind::Fast, size, neurons: Vec::new(), gain: Vec::new(), own: false };
    for place in 0..size {
        let (scale, per_step) = (convention.scale, convention.resistance);
        let resistance = match per_step {
            Resistance::PerStep(dt) if leaky => tau[place] / dt,
            _ => r[place],
        };
        let refuse = |reason: String, help: &str| Err(refusal(node, (reason, help.to_owned())));
        if !(resistance > 0.0) || !(tau[place] > 0.0) || (leaky && !tau[place].is_finite()) {
            let reason = format!("neuron {place}: r = {resistance}, tau = {}", tau[place]);
            return refuse(reason, "both must be above 0");
        }
        // dv/dt = r I without a leak, which is a capacitance of 1/r.
        let capacitance = if leaky { tau[place] * scale / resistance } else { 1.0 / resistance };
        let tau_m = tau[place] * scale;
        let tau_s = FAST * if leaky { tau_m } else { 1.0 };
        // The potential jumps by gain·W, so the current by that much charge in tau_s.
        let jump = match convention.lif_jump {
            Jump::Delta => 1.0 / capacitance,
            Jump::Step(dt) => dt * scale / capacitance,
            Jump::Weight(_) => 1.0,
        };
        population.gain.push(jump * capacitance / tau_s);
        population.neurons.push(NeuronParameters {
            tau_m,
            tau_s,
            tau_s_inhibitory: tau_s,
            capacitance,
            leak_potential: leak[place],
            reset_potential: reset[place],
            threshold: threshold[place],
            initial_potential: leak[place],
            refractory_period: FAST_REST * tau_s,
            ..NeuronParameters::default()
        });
    }
    notes.push(format!(
        "{} `{}` has no synaptic filter: its synapses decay in {FAST:e} membrane time constants, and its spikes are \
         late by less than {:e} of one",
        node.node.kind,
        node.name,
        LATE
    ));
    Ok(population)
}

impl Population {
    /// Adds what is constant in the input, if anything is. A filtered one rises with the synaptic time constant, as in
    /// NIR. The currents of this program's metadata are there already: they must be those of the biases.
    pub(super) fn drive(
        &mut self,
        node: &FlatNode<'_>,
        values: Option<&[f64]>,
        convention: &Convention,
    ) -> Result<(), Refusal> {
        let zeros;
        let values = match values {
            Some(values) => values,
            None if self.own => {
                zeros = vec![0.0; self.size];
                &zeros
            }
            None => return Ok(()),
        };
        if values.len() != self.size {
            let reason = format!("biases for {} neurons come", values.len());
            return Err(refusal(node, (reason, format!("it has {}", self.size))));
        }
        let jump = if self.kind == Kind::Fast { convention.lif_jump } else { convention.jump };
        for (place, (neuron, &bias)) in self.neurons.iter_mut().zip(values).enumerate() {
            let current = match (self.kind, jump) {
                (Kind::Fast, Jump::Weight(Some(dt))) => bias * neuron.capacitance / dt,
                (Kind::Fast, Jump::Delta | Jump::Step(_)) => bias,
                // The stationary current: gain is w_in/tau_syn, in steps w_in dt/tau_syn.
                (_, Jump::Delta) => bias * self.gain[place] * neuron.tau_s,
                (_, Jump::Step(dt)) => {
                    bias * self.gain[place] * neuron.tau_s / (dt * convention.scale)
                }
                (_, Jump::Weight(Some(dt))) => bias * neuron.tau_s / (dt * convention.scale),
                (_, Jump::Weight(None)) if bias == 0.0 => 0.0,
                (_, Jump::Weight(None)) => {
                    let reason =
                        "a bias comes in every step, and the length of a step is not known";
                    let help = "give it: --step SECONDS".to_owned();
                    return Err(refusal(node, (reason.to_owned(), help)));
                }
            };
            if self.own {
                let noted = neuron.bias_current;
                if (noted - current).abs() <= 1e-12 * noted.abs() {
                    continue;
                }
                let reason = format!(
                    "neuron {place}: its biases give the current {current}, but the metadata of this file are for \
                     {noted}"
                );
                let help = "write the file anew, or remove the metadata of the node".to_owned();
                return Err(refusal(node, (reason, help)));
            }
            neuron.bias_current += current;
            if self.kind == Kind::Filtered {
                neuron.initial_current -= current;
            }
        }
        for (place, neuron) in self.neurons.iter().enumerate() {
            if let Err(error) = neuron.validate() {
                let help = "its biases give this number".to_owned();
                return Err(refusal(node, (format!("neuron {place}: {error}"), help)));
            }
        }
        Ok(())
    }
}

/// Refuses neurons without synaptic filter where their limit is not one: where the order of spikes at one time
/// decides.
pub(super) fn refuse_fast_chains(
    flat: &Flat<'_>,
    populations: &[Option<Population>],
    found: &Found,
    refusals: &mut Vec<Refusal>,
) {
    let is_fast = |node: usize| {
        populations[node].as_ref().is_some_and(|population| population.kind == Kind::Fast)
    };
    let chains = found.bundles.iter().filter(|bundle| is_fast(bundle.from) && is_fast(bundle.to));
    let instant: Vec<_> =
        chains.filter(|bundle| bundle.entries.iter().any(|entry| entry.delay == 0.0)).collect();
    let help = "a CubaLIF, whose synapses have a time constant, or a Delay between them is needed";
    for bundle in &instant {
        let from = &flat.nodes[bundle.from].name;
        let mixed = bundle.entries.iter().any(|entry| entry.weight < 0.0 && entry.delay == 0.0);
        // Along which populations can one come back at once?
        let mut reached = vec![bundle.to];
        let mut at = 0;
        while at < reached.len() {
            let next = instant.iter().filter(|next| next.from == reached[at]).map(|next| next.to);
            let next: Vec<usize> = next.filter(|to| !reached.contains(to)).collect();
            reached.extend(next);
            at += 1;
        }
        let circle = reached.contains(&bundle.from);
        let reason = if circle {
            format!(
                "without synaptic filter and delay, spikes from `{from}` come back at the same instant"
            )
        } else if mixed {
            format!(
                "without synaptic filter, spikes from `{from}` that excite and inhibit it come at the same \
                 instant, and their order would decide"
            )
        } else {
            continue;
        };
        let refused = refusal(&flat.nodes[bundle.to], (reason, help.to_owned()));
        if !refusals.contains(&refused) {
            refusals.push(refused);
        }
    }
}
