//! What a NIR file does not say, and how the programs that write such files mean it.
//!
//! | dialect | times | a spike of weight W moves the current of a `CubaLIF` by | `r` | reset |
//! |---|---|---|---|---|
//! | `strict` | s | `w_in W/tau_syn`: the equations of the NIR paper | as written | to `v_reset` |
//! | `snntorch` | s | `w_in W dt/tau_syn`, dt = 0.1 ms: the spike is 1 for a step | as written | to `v_reset` |
//! | `norse` | s | `w_in W dt/tau_syn`, dt = 1 ms: as norse reads files | as written | to `v_reset` |
//! | `norse-lifcell` | s, multiplied by dt | `W`: as norse writes its `LIFCell` | 1 | to `v_reset` |
//! | `spyx` | steps | `W` | 1/step, whatever is written | by subtraction |
//! | `rockpool` | s | `W` | as written | by subtraction |
//! | `jaxsnn` | ms | `W` | ignored | to `v_reset` |
//! | `hxtorch` | s | `W` | ignored | to `v_reset` |
//!
//! Found in the sources of snnTorch 1.0.0, norse 1.1.0, spyx 1.0.0, rockpool 3.1.0, jaxsnn 0.3.0 and hxtorch.

use std::fmt;

use super::model::{Graph, Node, Tensor};
use crate::settings::TimeUnit;

/// A program that reads and writes NIR files, and so a way to mean them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Dialect {
    /// The equations of the NIR paper, in seconds.
    Strict,
    /// snnTorch.
    Snntorch,
    /// norse, as it reads files.
    Norse,
    /// norse, as it writes its `LIFCell`.
    NorseLifCell,
    /// spyx.
    Spyx,
    /// rockpool.
    Rockpool,
    /// jaxsnn.
    Jaxsnn,
    /// hxtorch.
    Hxtorch,
}

/// How far one spike of weight W moves a synaptic current.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Jump {
    /// By `w_in W/tau_syn`: a spike is a Dirac delta.
    Delta,
    /// By `w_in W dt/tau_syn`: a spike is 1 for a step of this length, in the file's times.
    Step(f64),
    /// By `W`, and a bias by as much in every step of this length, in the file's times; none if it is not known.
    Weight(Option<f64>),
}

/// What a neuron does when it has spiked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reset {
    /// Its potential becomes `v_reset`.
    ToValue,
    /// The threshold is subtracted from its potential.
    Subtract,
}

/// How `r` is read.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Resistance {
    /// As it is written.
    Written,
    /// The program takes it, and `w_in`, to be 1.
    One,
    /// The current is added in each step of this length: `r` is `tau_mem/dt`.
    PerStep(f64),
}

/// All that a file does not say.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Convention {
    /// The unit of the network's times.
    pub unit: TimeUnit,
    /// What the file's times are multiplied by to be in that unit.
    pub scale: f64,
    /// What a spike does to a synaptic current.
    pub jump: Jump,
    /// What a spike does to the input of a `LIF`, which has no synaptic current.
    pub lif_jump: Jump,
    /// The reset.
    pub reset: Reset,
    pub(super) resistance: Resistance,
    /// Whether synaptic currents decay to `v_leak`, too.
    pub(super) leaky_synapse: bool,
}

impl Dialect {
    /// All of them, with their names.
    pub const ALL: [(&'static str, Dialect); 8] = [
        ("strict", Dialect::Strict),
        ("snntorch", Dialect::Snntorch),
        ("norse", Dialect::Norse),
        ("norse-lifcell", Dialect::NorseLifCell),
        ("spyx", Dialect::Spyx),
        ("rockpool", Dialect::Rockpool),
        ("jaxsnn", Dialect::Jaxsnn),
        ("hxtorch", Dialect::Hxtorch),
    ];

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, dialect)| *dialect == self).map_or("strict", |(name, _)| name)
    }

    /// The step of its simulations unless it is told another, in the file's times; none if it has none.
    pub fn usual_step(self) -> Option<f64> {
        match self {
            Dialect::Snntorch => Some(1e-4),
            Dialect::Norse | Dialect::NorseLifCell => Some(1e-3),
            Dialect::Spyx => Some(1.0),
            _ => None,
        }
    }

    /// What a file means to it; `step` is the length of its steps, by default the [usual one](Self::usual_step).
    pub fn convention(self, step: Option<f64>) -> Convention {
        let strict = Convention {
            unit: TimeUnit::S,
            scale: 1.0,
            jump: Jump::Delta,
            lif_jump: Jump::Delta,
            reset: Reset::ToValue,
            resistance: Resistance::Written,
            leaky_synapse: false,
        };
        let step = step.or(self.usual_step());
        let steps = Jump::Step(step.unwrap_or(1.0));
        match self {
            Dialect::Strict => strict,
            Dialect::Snntorch => Convention { jump: steps, lif_jump: steps, ..strict },
            Dialect::Norse => {
                Convention { jump: steps, lif_jump: steps, leaky_synapse: true, ..strict }
            }
            // The file has dt/tau_inv, which is tau times dt; a step is dt² then.
            Dialect::NorseLifCell => {
                let step = step.unwrap_or(1e-3);
                let (jump, lif_jump) = (Jump::Weight(Some(step * step)), Jump::Step(step * step));
                Convention {
                    scale: 1.0 / step,
                    jump,
                    lif_jump,
                    resistance: Resistance::One,
                    ..strict
                }
            }
            Dialect::Spyx => Convention {
                jump: Jump::Weight(step),
                lif_jump: Jump::Weight(step),
                reset: Reset::Subtract,
                resistance: Resistance::PerStep(step.unwrap_or(1.0)),
                ..strict
            },
            Dialect::Rockpool => Convention {
                jump: Jump::Weight(step),
                lif_jump: Jump::Weight(step),
                reset: Reset::Subtract,
                ..strict
            },
            Dialect::Jaxsnn | Dialect::Hxtorch => Convention {
                unit: if self == Dialect::Jaxsnn { TimeUnit::Ms } else { TimeUnit::S },
                jump: Jump::Weight(step),
                lif_jump: Jump::Weight(step),
                resistance: Resistance::One,
                ..strict
            },
        }
    }
}

impl fmt::Display for Convention {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = self.unit.suffix();
        match self.scale {
            1.0 => write!(f, "times in {unit}")?,
            scale => write!(f, "times in {unit}, {scale} times what is written")?,
        }
        match self.jump {
            Jump::Delta => write!(f, "; a spike moves the current by w_in W/tau_syn")?,
            Jump::Step(dt) => {
                write!(f, "; a spike moves the current by w_in W dt/tau_syn, dt = {dt}")?
            }
            Jump::Weight(_) => write!(f, "; a spike moves the current by W")?,
        }
        match self.resistance {
            Resistance::Written => {}
            Resistance::One => write!(f, "; r = w_in = 1")?,
            Resistance::PerStep(dt) => write!(f, "; r = tau_mem/dt, dt = {dt}")?,
        }
        match self.reset {
            Reset::ToValue => write!(f, "; reset to v_reset"),
            Reset::Subtract => write!(f, "; reset by subtraction"),
        }
    }
}

/// What a file lets one conclude about its convention.
#[derive(Clone, Debug, PartialEq)]
pub enum Guess {
    /// It is known, and why.
    Known {
        /// The convention.
        convention: Convention,
        /// The dialect, if it is one of them.
        dialect: Option<Dialect>,
        /// How that is known.
        reason: String,
    },
    /// It is not: what speaks for which dialect.
    Unknown(Vec<String>),
}

/// Finds out the convention of a file, where that is safe: it says so itself, or its numbers are those of one
/// program.
pub fn guess(graph: &Graph) -> Guess {
    if let Some(unit) = graph.noted_text("time_unit") {
        let units = [TimeUnit::TauS, TimeUnit::S, TimeUnit::Ms, TimeUnit::Us, TimeUnit::Ns];
        let known = units.into_iter().find(|known| known.suffix() == unit);
        let is_strict = graph.noted_text("current_jump") == Some("w_in*weight/tau_syn");
        let to_value = graph.noted_text("reset") == Some("v_reset");
        if let (Some(unit), true, true) = (known, is_strict, to_value) {
            let convention = Convention { unit, ..Dialect::Strict.convention(None) };
            let reason = "its metadata say so".to_owned();
            return Guess::Known { convention, dialect: None, reason };
        }
    }
    let mut nodes = Vec::new();
    collect(graph, "", &mut nodes);
    let neurons: Vec<&(String, &Node)> =
        nodes.iter().filter(|(_, node)| matches!(node.kind.as_str(), "CubaLIF" | "LIF")).collect();
    let all = |condition: &dyn Fn(&Node) -> bool| {
        !neurons.is_empty() && neurons.iter().all(|(_, node)| condition(node))
    };
    let known = |dialect: Dialect, reason: &str| Guess::Known {
        convention: dialect.convention(None),
        dialect: Some(dialect),
        reason: reason.to_owned(),
    };
    if all(&|node| {
        let tau = node.numbers("tau_mem").or(node.numbers("tau"));
        let membrane = ratio(tau, node.numbers("r"), 1e-4);
        membrane
            && (node.kind == "LIF" || ratio(node.numbers("tau_syn"), node.numbers("w_in"), 1e-4))
    }) {
        return known(
            Dialect::Snntorch,
            "r = tau_mem/0.1 ms and w_in = tau_syn/0.1 ms in every neuron, which snnTorch alone writes",
        );
    }
    if nodes.iter().any(|(name, _)| {
        name.contains("_LinearTorch")
            || name.contains("_LIFTorch")
            || name.contains("_LIFNeuronTorch")
    }) {
        return known(Dialect::Rockpool, "its nodes have the names of rockpool's modules");
    }
    let mut hints = Vec::new();
    let taus =
        neurons.iter().filter_map(|(_, node)| node.numbers("tau_mem").or(node.numbers("tau")));
    let taus: Vec<f64> = taus.flat_map(|tau| tau.values.iter().copied()).collect();
    let (least, most) = taus
        .iter()
        .fold((f64::INFINITY, 0f64), |(least, most), &tau| (least.min(tau), most.max(tau)));
    if least >= 0.5 && most.is_finite() {
        hints.push(format!(
            "membrane time constants from {least} to {most}: milliseconds (jaxsnn) or steps (spyx)?"
        ));
    } else if most > 0.0 && most < 1e-4 {
        hints.push(format!(
            "membrane time constants of at most {most}: hxtorch in s, or norse-lifcell, which writes tau dt?"
        ));
    } else if most > 0.0 {
        hints.push(format!("membrane time constants from {least} to {most}: seconds?"));
    }
    Guess::Unknown(hints)
}

/// What of a convention contradicts what the file's metadata say, if anything does.
pub fn contradiction(graph: &Graph, convention: &Convention) -> Option<String> {
    let unit = graph.noted_text("time_unit").filter(|unit| {
        let units = [TimeUnit::TauS, TimeUnit::S, TimeUnit::Ms, TimeUnit::Us, TimeUnit::Ns];
        units.iter().any(|known| known.suffix() == *unit)
            && (*unit != convention.unit.suffix() || convention.scale != 1.0)
    });
    let jump = graph
        .noted_text("current_jump")
        .filter(|jump| *jump == "w_in*weight/tau_syn" && convention.jump != Jump::Delta);
    let reset = graph
        .noted_text("reset")
        .filter(|reset| *reset == "v_reset" && convention.reset == Reset::Subtract);
    let said = [("time_unit", unit), ("current_jump", jump), ("reset", reset)];
    let said = said.into_iter().find_map(|(name, said)| Some((name, said?)));
    said.map(|(name, said)| {
        format!("its metadata say that `{name}` is `{said}`, and this dialect means: {convention}")
    })
}

fn collect<'g>(graph: &'g Graph, prefix: &str, into: &mut Vec<(String, &'g Node)>) {
    for (name, node) in &graph.nodes {
        let name = format!("{prefix}{name}");
        match &node.graph {
            Some(inner) => collect(inner, &format!("{name}."), into),
            None => into.push((name, node)),
        }
    }
}

/// Whether the first is so many times the second, to single precision.
fn ratio(tau: Option<&Tensor>, factor: Option<&Tensor>, step: f64) -> bool {
    let (Some(tau), Some(factor)) = (tau, factor) else { return false };
    let count = tau.values.len().max(factor.values.len());
    let at = |tensor: &Tensor, place: usize| match tensor.scalar() {
        Some(value) => Some(value),
        None => tensor.values.get(place).copied(),
    };
    count > 0
        && (0..count).all(|place| match (at(tau, place), at(factor, place)) {
            (Some(tau), Some(factor)) => (tau - factor * step).abs() <= 1e-5 * tau.abs(),
            _ => false,
        })
}
