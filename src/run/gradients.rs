//! The gradients of a scenario's own network against finite differences of the engine.
//!
//! A network of populations is run once; the loss is `Σ c_k t_k` over all spikes of neurons, with
//! coefficients drawn evenly from −1 to 1 by the scenario's seed, so that every spike counts. Layers
//! are run on the first training samples; the loss is the scenario's own, summed over them.
//!
//! Weights, delays and input times are drawn at random. Each is moved by steps relative to its
//! scale (for weights the larger of its own size and the mean size of all, for times the shortest
//! synaptic time constant), and the quotients at a step, its half and its quarter are extrapolated.
//! Where a step changes the spikes, or the extrapolated quotients do not settle, a smaller step is
//! tried; where none does, there is no difference to compare with. Where the quotients from the two
//! sides settle at different values there is no derivative: at a tie, such as an input that arrives
//! just when a refractory period ends. What is not compared is counted, with the reason.
//!
//! Recurrent networks are often chaotic: the derivatives of late spikes grow exponentially with
//! time, until every step that rounding allows changes the spikes. If more than a
//! tenth of the derivatives of a simulation have no difference to compare with, it is cut to half
//! its length, and again.

mod probe;
mod tie;

use rand::RngExt;
use rand::seq::{IndexedRandom, SliceRandom};

use super::simulate::explain;
use super::{RunError, nodes};
use crate::engine::EngineOptions;
use crate::learning::{self, LearningError, TraceGradients};
use crate::network::CompiledNetwork;
use crate::random;
use crate::scenario::LoadedScenario;
use probe::{Objective, Parameter, Presentation, Probe, Quotients, Trains};

/// Training samples that the loss of layers is summed over.
const TRAINING_SAMPLES: usize = 5;

/// Steps that are tried, relative to the scale of what is moved.
const STEPS: [f64; 4] = [1e-4, 1e-5, 1e-6, 1e-7];

/// Largest relative deviation that counts as agreement.
const TOLERANCE: f64 = 1e-5;

/// How many units in the last place every recorded time may be off by: a few, times the condition of
/// its crossing. Each such error moves the loss through all that its spike causes, by `dL/dT` of the
/// whole network; in a chaotic one that is what a difference cannot see through.
const ROUNDINGS: f64 = 30.0;

/// One derivative, found in two ways.
#[derive(Clone, Debug)]
pub struct GradientEntry {
    /// What the loss is differentiated by, such as `weight hidden[3] → label[0]`.
    pub by: String,
    /// By the adjoint.
    pub adjoint: f64,
    /// By finite differences.
    pub difference: f64,
    /// Size of the deviation.
    pub absolute: f64,
    /// The deviation relative to the larger derivative.
    pub relative: f64,
    /// What the difference cannot resolve.
    pub resolution: f64,
}

impl GradientEntry {
    /// Whether the two agree to `1e-5` of their size.
    pub fn agrees_closely(&self) -> bool {
        self.relative <= TOLERANCE
    }

    /// Whether the two agree to `1e-5` of their size, or to what the difference can resolve.
    pub fn agrees(&self) -> bool {
        self.agrees_closely() || self.absolute <= self.resolution
    }
}

/// A parameter by which the loss has no derivative: the one-sided ones differ.
#[derive(Clone, Debug)]
pub struct Kink {
    /// What the loss would be differentiated by, as in [`GradientEntry::by`].
    pub by: String,
    /// The derivative from below.
    pub backward: f64,
    /// The derivative from above.
    pub forward: f64,
    /// What makes the difference, if it was found.
    pub tie: Option<String>,
}

/// The result of comparing.
#[derive(Clone, Debug, Default)]
pub struct GradientCheck {
    /// Derivatives that are not zero, the worst first: those that disagree, then by deviation in
    /// units of what is accepted.
    pub entries: Vec<GradientEntry>,
    /// How many derivatives are zero in both ways.
    pub zero: usize,
    /// Where there is no derivative.
    pub kinks: Vec<Kink>,
    /// How many parameters create or delete spikes with every step that is large enough.
    pub spikes_change: usize,
    /// How many have difference quotients that do not settle before rounding hides them.
    pub unsettled: usize,
    /// How many delays and input times are too close to zero to be moved both ways.
    pub at_zero: usize,
    /// Spikes of neurons in the record.
    pub neuron_spikes: usize,
    /// Spikes that have no derivative.
    pub immovable: usize,
    /// When the compared simulation ended, if that is earlier than the scenario says.
    pub cut_at: Option<f64>,
}

impl GradientCheck {
    /// Whether derivatives that are not zero were compared, and all of them agree.
    pub fn passed(&self) -> bool {
        !self.entries.is_empty() && self.entries.iter().all(GradientEntry::agrees)
    }

    /// How many parameters have no finite difference to compare with, although there may be a derivative.
    fn without_difference(&self) -> usize {
        self.spikes_change + self.unsettled
    }
}

/// Compares gradients with finite differences for at most `samples` parameters.
///
/// # Errors
/// If the scenario names files that do not fit, or the engine fails.
pub fn check_gradients(loaded: &LoadedScenario, samples: usize) -> Result<GradientCheck, RunError> {
    let mut cut_at = None;
    // A thousandth of the scenario's length, if need be.
    for _ in 0..10 {
        let (probe, base) = prepare(loaded, cut_at)?;
        let patience = if probe.until.is_finite() { samples / 10 } else { samples };
        let mut check = compare(&probe, &base, loaded.scenario.seed, samples, patience);
        if check.without_difference() <= patience {
            check.cut_at = cut_at;
            return Ok(check);
        }
        cut_at = Some(0.5 * probe.until);
    }
    let (probe, base) = prepare(loaded, cut_at)?;
    let check = compare(&probe, &base, loaded.scenario.seed, samples, samples);
    Ok(GradientCheck { cut_at, ..check })
}

/// Gives up when more derivatives than `patience` have no difference to compare with.
fn compare(
    probe: &Probe,
    base: &[Trains],
    seed: u64,
    samples: usize,
    patience: usize,
) -> GradientCheck {
    let gradients: Vec<TraceGradients> =
        base.iter().enumerate().map(|(index, trains)| probe.gradients(index, trains)).collect();
    let is_neuron = |node: u32| probe.compiled.dynamics(node as usize).is_some();
    let spikes = base.iter().flatten();
    let (chosen, at_zero) = choose(probe, seed, samples);
    let mut check = GradientCheck {
        at_zero,
        neuron_spikes: spikes.filter(|spike| is_neuron(spike.node)).count(),
        immovable: gradients.iter().map(|by| by.immovable).sum(),
        ..GradientCheck::default()
    };
    // Roundings are independent: their effects add up as squares.
    let effects = base.iter().zip(&gradients).flat_map(|(trains, by)| {
        trains.iter().zip(&by.spike_times).map(|(spike, by_time)| spike.time * by_time)
    });
    let rounding = effects.map(|effect| effect * effect).sum::<f64>().sqrt();
    for (parameter, scale) in chosen {
        let adjoint = look_up(probe, base, &gradients, parameter);
        let (difference, resolution) = match difference(probe, base, parameter, scale, rounding) {
            Difference::Settled { value, resolution } => (value, resolution),
            Difference::Kink(Quotients { backward, forward }) => {
                let (by, tie) = (describe(probe, parameter), tie::find(probe, base, parameter));
                check.kinks.push(Kink { by, backward, forward, tie });
                continue;
            }
            none => {
                match none {
                    Difference::SpikesChange => check.spikes_change += 1,
                    _ => check.unsettled += 1,
                }
                if check.without_difference() > patience {
                    return check;
                }
                continue;
            }
        };
        if adjoint == 0.0 && difference == 0.0 {
            check.zero += 1;
            continue;
        }
        let absolute = (adjoint - difference).abs();
        check.entries.push(GradientEntry {
            by: describe(probe, parameter),
            adjoint,
            difference,
            absolute,
            relative: absolute / adjoint.abs().max(difference.abs()),
            resolution,
        });
    }
    let badness = |entry: &GradientEntry| {
        entry.absolute / (TOLERANCE * entry.absolute / entry.relative).max(entry.resolution)
    };
    check.entries.sort_by(|a, b| badness(b).total_cmp(&badness(a)));
    check
}

/// The network, and what it does. A simulation may be cut.
fn prepare(loaded: &LoadedScenario, cut_at: Option<f64>) -> Result<(Probe, Vec<Trains>), RunError> {
    if loaded.scenario.is_simulation() {
        let simulation = loaded.simulation_graph()?;
        let mut probe = Probe {
            compiled: CompiledNetwork::new(&simulation.network),
            network: simulation.network,
            presentations: Vec::new(),
            options: simulation.options,
            until: cut_at.unwrap_or(simulation.until),
        };
        let trains = probe
            .run(&probe.compiled, &simulation.stimulus)
            .map_err(|error| explain(&error, probe.compiled.populations()))?;
        let random = &mut random::stream(loaded.scenario.seed, "gradient check loss", 0);
        let coefficient = |node: u32| {
            let drawn = random.random_range(-1.0..1.0);
            if probe.compiled.dynamics(node as usize).is_some() { drawn } else { 0.0 }
        };
        let objective =
            Objective::Linear(trains.iter().map(|spike| spike.node).map(coefficient).collect());
        probe.presentations.push(Presentation { stimulus: simulation.stimulus, objective });
        return Ok((probe, vec![trains]));
    }
    let learner = loaded.learner()?;
    let set = learner.encode(&learner.data.training);
    let label_layer = learner.network.layers[learner.network.layers.len() - 1];
    let labels = learner.network.network.populations()[label_layer.0].nodes.clone();
    let stimulus = |sample| {
        let mut spikes = Vec::new();
        let mut scratch = learning::EncodingScratch::default();
        set.stimulus(sample, learning::Presentation::Plain, &mut scratch, &mut spikes);
        spikes
    };
    let compiled = CompiledNetwork::new(&learner.network.network);
    let loss = learner.settings.loss.for_labels(&compiled, &labels);
    let presentation = |sample| Presentation {
        stimulus: stimulus(sample),
        objective: Objective::Training { loss, labels: labels.clone(), correct: set.label(sample) },
    };
    let probe = Probe {
        compiled,
        presentations: (0..set.len().min(TRAINING_SAMPLES)).map(presentation).collect(),
        network: learner.network.network,
        options: EngineOptions { at_most_one_spike: true },
        until: f64::INFINITY,
    };
    let run = |(sample, shown): (usize, &Presentation)| {
        probe
            .run(&probe.compiled, &shown.stimulus)
            .map_err(|source| RunError::Learning(LearningError::Engine { sample, source }))
    };
    let base = probe.presentations.iter().enumerate().map(run).collect::<Result<_, _>>()?;
    Ok((probe, base))
}

/// The parameters to move, with the scale of each: as many of each kind as there are. And how many
/// cannot be moved: a delay or input time of less than the largest step could become negative.
fn choose(probe: &Probe, seed: u64, samples: usize) -> (Vec<(Parameter, f64)>, usize) {
    let weights = probe.compiled.weights();
    let mean = weights.iter().map(|weight| weight.abs()).sum::<f64>() / weights.len() as f64;
    let neurons = probe.compiled.distinct_parameters().iter();
    let shortest = neurons.fold(f64::INFINITY, |shortest, neuron| {
        shortest.min(neuron.tau_s).min(neuron.tau_s_inhibitory)
    });
    let movable = |time: f64| (STEPS[0] * shortest..f64::INFINITY).contains(&time);
    let synapses = 0..weights.len();
    let delays = probe.compiled.delays();
    let all_inputs = probe.presentations.iter().enumerate().flat_map(|(presentation, shown)| {
        let times = shown.stimulus.iter().enumerate();
        let times = times.filter(|(_, input)| input.time <= probe.until);
        times.map(move |(spike, input)| (Parameter::Input { presentation, spike }, input.time))
    });
    let (inputs, late): (Vec<_>, Vec<_>) = all_inputs.partition(|&(_, time)| movable(time));
    let at_zero = late.len() + delays.iter().filter(|&&delay| !movable(delay)).count();
    let inputs = inputs.into_iter().map(|(input, _)| input);
    let delays = synapses.clone().filter(|&synapse| movable(delays[synapse]));
    let mut kinds: Vec<Vec<(Parameter, f64)>> = vec![
        synapses
            .map(|synapse| (Parameter::Weight(synapse), weights[synapse].abs().max(mean)))
            .collect(),
        delays.map(|synapse| (Parameter::Delay(synapse), shortest)).collect(),
        inputs.map(|input| (input, shortest)).collect(),
    ];
    kinds.retain(|kind| !kind.is_empty());
    kinds.sort_by_key(Vec::len);
    let random = &mut random::stream(seed, "gradient check choice", 0);
    let mut chosen = Vec::new();
    // The fewest first, so that what a kind cannot use is left for the next.
    for (done, kind) in kinds.iter().enumerate() {
        let share = (samples - chosen.len()) / (kinds.len() - done);
        chosen.extend(kind.sample(random, share).copied());
    }
    chosen.shuffle(random);
    (chosen, at_zero)
}

/// What the difference quotients of a parameter come to.
enum Difference {
    /// A value, and what it cannot resolve.
    Settled { value: f64, resolution: f64 },
    /// Different values from the two sides.
    Kink(Quotients),
    /// Every step changes the spikes.
    SpikesChange,
    /// They do not settle.
    Unsettled,
}

fn difference(
    probe: &Probe,
    base: &[Trains],
    parameter: Parameter,
    scale: f64,
    rounding: f64,
) -> Difference {
    let mut found = Difference::SpikesChange;
    for step in STEPS {
        let step = step * scale;
        let at = |step: f64| probe.quotients(base, parameter, step);
        let (Some(full), Some(half), Some(quarter)) = (at(step), at(0.5 * step), at(0.25 * step))
        else {
            continue;
        };
        found = Difference::Unsettled;
        // Richardson: the error of a central quotient is even in the step.
        let extrapolate = |wide: f64, narrow: f64| narrow + (narrow - wide) / 3.0;
        let wide = extrapolate(full.central(), half.central());
        let narrow = extrapolate(half.central(), quarter.central());
        // The narrowest quotient divides by half a step.
        let resolution = ROUNDINGS * f64::EPSILON * rounding / (0.5 * step);
        if (wide - narrow).abs() > 0.3 * TOLERANCE * narrow.abs() + 0.3 * resolution {
            continue;
        }
        // Where there is a derivative, the gap between the sides is odd in the step: it goes with it.
        let gap = 2.0 * quarter.gap() - half.gap();
        let size = quarter.forward.abs().max(quarter.backward.abs());
        // Each of the two divides by a quarter and half of what the central one does, and adds up.
        if gap.abs() > TOLERANCE * size + 12.0 * resolution {
            return Difference::Kink(quarter);
        }
        return Difference::Settled { value: narrow, resolution };
    }
    found
}

fn look_up(
    probe: &Probe,
    base: &[Trains],
    gradients: &[TraceGradients],
    parameter: Parameter,
) -> f64 {
    match parameter {
        Parameter::Weight(synapse) => gradients.iter().map(|by| by.weights[synapse]).sum(),
        Parameter::Delay(synapse) => gradients.iter().map(|by| by.delays[synapse]).sum(),
        Parameter::Input { presentation, spike } => {
            let input = probe.presentations[presentation].stimulus[spike];
            let found = base[presentation]
                .iter()
                .position(|spike| spike.node == input.source && spike.time == input.time);
            found.map_or(0.0, |index| gradients[presentation].spike_times[index])
        }
    }
}

/// The parameter in the user's terms.
fn describe(probe: &Probe, parameter: Parameter) -> String {
    let place = |node: usize| nodes::name(node, probe.compiled.populations());
    let synapse = |synapse: usize| {
        let nodes = 0..probe.compiled.node_count();
        let mut pre = nodes.filter(|&node| probe.compiled.outgoing(node).contains(&synapse));
        let post = probe.compiled.targets()[synapse] as usize;
        format!("{} → {}", pre.next().map_or_else(String::new, place), place(post))
    };
    match parameter {
        Parameter::Weight(index) => format!("weight {}", synapse(index)),
        Parameter::Delay(index) => format!("delay {}", synapse(index)),
        Parameter::Input { presentation, spike } => {
            let input = probe.presentations[presentation].stimulus[spike];
            let sample = match probe.presentations.len() {
                1 => String::new(),
                _ => format!(" in sample {presentation}"),
            };
            format!("input {} at {:.6}{sample}", place(input.source as usize), input.time)
        }
    }
}
