//! Two networks side by side: the same input spikes, and the spikes that come of them.
//!
//! The inputs are canonical (each input alone, all at once) and random with fixed seeds, as strong as is needed for
//! neurons to spike. Where the spikes differ, changes of the second network are tried until they do not: the unit
//! of time, the jump of currents, the reset, the delays. That is the likely cause.

mod stimuli;
mod variation;

use super::meaning::Meaning;
use crate::engine::{EngineError, EngineOptions, EventEngine, Observer, SourceSpike};
use crate::network::{CompiledNetwork, Network};
pub use variation::Cause;
use variation::Variation;

/// Spikes of one run, at most: what explodes is compared up to there.
const MOST_SPIKES: usize = 2_000_000;

/// Networks that cannot be compared.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CompareError {
    /// They have different inputs.
    #[error(
        "the inputs are {first:?} and {second:?} (name, sources): they must be as many, in this order, of the same sizes"
    )]
    Inputs {
        /// Of the first network.
        first: Vec<(String, usize)>,
        /// Of the second.
        second: Vec<(String, usize)>,
    },
    /// They have no populations in common.
    #[error(
        "populations of neurons {first:?} and {second:?} (name, neurons): neither names nor outputs are the same"
    )]
    Populations {
        /// Of the first network.
        first: Vec<(String, usize)>,
        /// Of the second.
        second: Vec<(String, usize)>,
    },
    /// No neuron spikes, whatever comes in.
    #[error(
        "no neuron spikes in either network, even with {rate} spikes per membrane time constant and input"
    )]
    Silent {
        /// How many spikes came in.
        rate: f64,
    },
    /// A run fails.
    #[error("the {which} network: {source}")]
    Engine {
        /// Which network.
        which: &'static str,
        /// Why.
        source: EngineError,
    },
}

/// Spikes of a population: neuron and time, by time.
pub type Spikes = Vec<(u32, f64)>;

/// What two networks have made of the same inputs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Comparison {
    /// Names of the stimuli.
    pub stimuli: Vec<String>,
    /// Spikes of neurons of the first network, over all stimuli.
    pub spikes: usize,
    /// The longest run, in the first network's unit of time.
    pub duration: f64,
    /// The largest difference of the times of one spike, in that unit.
    pub largest: f64,
    /// The first spike that differs, if one does.
    pub difference: Option<Difference>,
    /// Populations with their spikes in both networks, of the stimulus that differs, or of the last.
    pub populations: Vec<(String, Spikes, Spikes)>,
}

/// The first spike that differs.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// The stimulus.
    pub stimulus: String,
    /// Population and neuron.
    pub neuron: (String, u32),
    /// When it spikes in the first network, in its unit; none if it does not.
    pub first: Option<f64>,
    /// When it spikes in the second, in the first's unit.
    pub second: Option<f64>,
    /// What makes the networks equal, if it is changed in the second.
    pub cause: Option<Cause>,
}

/// Recorded spikes to compare a network with.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reference {
    /// Input spikes: place among the inputs, source, time.
    pub inputs: Vec<(usize, u32, f64)>,
    /// Spikes of populations, by time.
    pub populations: Vec<(String, Spikes)>,
}

/// Compares two networks; times are equal if they differ by less than `tolerance` times the length of the run.
///
/// # Errors
/// If their inputs or populations do not fit, no neuron spikes, or a run fails.
pub fn compare(a: &Meaning, b: &Meaning, tolerance: f64) -> Result<Comparison, CompareError> {
    let seconds = |meaning: &Meaning| meaning.time_unit.seconds();
    let ratio = match (seconds(a), seconds(b)) {
        (Some(a), Some(b)) if a != b => a / b,
        _ => 1.0,
    };
    let sizes = |meaning: &Meaning, names: &[String]| sizes(&meaning.network, names);
    let (inputs_a, inputs_b) = (sizes(a, &a.inputs), sizes(b, &b.inputs));
    let same_sizes = |a: &[(String, usize)], b: &[(String, usize)]| {
        a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.1 == b.1)
    };
    if !same_sizes(&inputs_a, &inputs_b) {
        return Err(CompareError::Inputs { first: inputs_a, second: inputs_b });
    }
    let (neurons_a, neurons_b) = (neurons(a), neurons(b));
    let sorted = |mut list: Vec<(String, usize)>| {
        list.sort();
        list
    };
    let pairs: Vec<(String, String)> = if sorted(neurons_a.clone()) == sorted(neurons_b.clone()) {
        neurons_a.iter().map(|(name, _)| (name.clone(), name.clone())).collect()
    } else if !a.outputs.is_empty() && same_sizes(&sizes(a, &a.outputs), &sizes(b, &b.outputs)) {
        a.outputs.iter().cloned().zip(b.outputs.iter().cloned()).collect()
    } else {
        return Err(CompareError::Populations { first: neurons_a, second: neurons_b });
    };
    let stimuli = stimuli::of(a, &inputs_a).map_err(|error| engine("first", error))?;
    let stimuli = match stimuli {
        Ok(stimuli) => stimuli,
        // The second may be the one that spikes.
        Err(rate) => match stimuli::of(b, &inputs_b).map_err(|error| engine("second", error))? {
            Ok(stimuli) => {
                stimuli.into_iter().map(|stimulus| stimulus.scaled(1.0 / ratio)).collect()
            }
            Err(_) => return Err(CompareError::Silent { rate }),
        },
    };
    let mut comparison = Comparison::default();
    for stimulus in &stimuli {
        let run = |meaning: &Meaning, network: &Network, ratio: f64| {
            let inputs =
                stimulus.spikes.iter().map(|&(input, source, time)| (input, source, time * ratio));
            run(network, &meaning.inputs, inputs, stimulus.until * ratio)
        };
        let of_a = run(a, &a.network, 1.0).map_err(|error| engine("first", error))?;
        let of_b = run(b, &b.network, ratio).map_err(|error| engine("second", error))?;
        comparison.duration = comparison.duration.max(stimulus.until);
        comparison.stimuli.push(stimulus.name.clone());
        let limit = tolerance * stimulus.until;
        let picked = |spikes: &Recorded, network: &Network, name: &str, ratio: f64| {
            spikes
                .of(network, name)
                .iter()
                .map(|&(neuron, time)| (neuron, time / ratio))
                .collect::<Spikes>()
        };
        comparison.populations = pairs
            .iter()
            .map(|(name, other)| {
                (
                    name.clone(),
                    picked(&of_a, &a.network, name, 1.0),
                    picked(&of_b, &b.network, other, ratio),
                )
            })
            .collect();
        let (spikes, largest, first) = differences(&comparison.populations, limit, stimulus.until);
        comparison.spikes += spikes;
        comparison.largest = comparison.largest.max(largest);
        if let Some((neuron, first, second)) = first {
            let equal = |variation: &Variation| {
                let changed = variation.apply(&b.network, &a.network, ratio);
                let Some(of_b) = changed.and_then(|network| run(b, &network, ratio).ok()) else {
                    return false;
                };
                let populations: Vec<_> = pairs
                    .iter()
                    .map(|(name, other)| {
                        let own = picked(&of_a, &a.network, name, 1.0);
                        (name.clone(), own, picked(&of_b, &b.network, other, ratio))
                    })
                    .collect();
                // A change is no conversion to the last bit.
                differences(&populations, limit.max(1e-7 * stimulus.until), stimulus.until)
                    .2
                    .is_none()
            };
            let found = variation::candidates(&a.network, &b.network, ratio);
            let cause =
                found.into_iter().find(|(variation, _)| equal(variation)).map(|(_, cause)| cause);
            let stimulus = stimulus.name.clone();
            comparison.difference = Some(Difference { stimulus, neuron, first, second, cause });
            return Ok(comparison);
        }
    }
    Ok(comparison)
}

/// Compares a network with recorded spikes, whose times are in its unit.
///
/// # Errors
/// If a population does not exist in the network, or the run fails.
pub fn compare_with(
    a: &Meaning,
    reference: &Reference,
    tolerance: f64,
) -> Result<Comparison, CompareError> {
    let recorded = reference.populations.iter().flat_map(|(_, spikes)| spikes);
    let times = reference.inputs.iter().map(|spike| spike.2).chain(recorded.map(|spike| spike.1));
    let last = times.fold(0.0, f64::max);
    let until = if last > 0.0 { last * (1.0 + 1e-6) } else { 1.0 };
    let mut inputs = reference.inputs.clone();
    inputs.sort_by(|a, b| a.2.total_cmp(&b.2));
    let spikes = run(&a.network, &a.inputs, inputs.into_iter(), until);
    let spikes = spikes.map_err(|error| engine("first", error))?;
    let populations: Vec<(String, Spikes, Spikes)> = reference
        .populations
        .iter()
        .map(|(name, other)| (name.clone(), spikes.of(&a.network, name).clone(), other.clone()))
        .collect();
    let (count, largest, first) = differences(&populations, tolerance * until, until);
    let difference = first.map(|(neuron, first, second)| {
        let stimulus = "the recorded inputs".to_owned();
        Difference { stimulus, neuron, first, second, cause: None }
    });
    let stimuli = vec!["the recorded inputs".to_owned()];
    Ok(Comparison { stimuli, spikes: count, duration: until, largest, difference, populations })
}

fn engine(which: &'static str, source: EngineError) -> CompareError {
    CompareError::Engine { which, source }
}

fn sizes(network: &Network, names: &[String]) -> Vec<(String, usize)> {
    let size = |name: &String| network.population(name).map_or(0, |(_, found)| found.nodes.len());
    names.iter().map(|name| (name.clone(), size(name))).collect()
}

fn neurons(meaning: &Meaning) -> Vec<(String, usize)> {
    let populations = meaning.network.populations().iter();
    let neurons = populations.filter(|population| !meaning.inputs.contains(&population.name));
    neurons.map(|population| (population.name.clone(), population.nodes.len())).collect()
}

/// Spikes by population of the network.
pub(super) struct Recorded(Vec<Spikes>);

impl Recorded {
    fn of(&self, network: &Network, name: &str) -> &Spikes {
        static NONE: Spikes = Vec::new();
        network.population(name).map_or(&NONE, |(id, _)| &self.0[id.0])
    }
}

struct Recorder<'n> {
    network: &'n Network,
    spikes: Vec<Spikes>,
    count: usize,
}

impl Observer for Recorder<'_> {
    fn spike(&mut self, node: usize, time: f64) {
        let populations = self.network.populations();
        let index = populations.partition_point(|population| population.nodes.end <= node);
        self.spikes[index].push(((node - populations[index].nodes.start) as u32, time));
        self.count += 1;
    }

    fn wants_to_stop(&self) -> bool {
        self.count >= MOST_SPIKES
    }
}

/// Runs a network with input spikes in order of time: place among the inputs, source, time.
pub(super) fn run(
    network: &Network,
    inputs: &[String],
    spikes: impl Iterator<Item = (usize, u32, f64)>,
    until: f64,
) -> Result<Recorded, EngineError> {
    let firsts: Vec<usize> = inputs
        .iter()
        .map(|name| network.population(name).map_or(0, |(_, population)| population.nodes.start))
        .collect();
    let stimulus: Vec<SourceSpike> = spikes
        .map(|(input, source, time)| SourceSpike { time, source: firsts[input] as u32 + source })
        .collect();
    let compiled = CompiledNetwork::new(network);
    let mut engine = EventEngine::new(&compiled, EngineOptions::default());
    let spikes = vec![Vec::new(); network.populations().len()];
    let mut recorder = Recorder { network, spikes, count: 0 };
    engine.run(&compiled, &stimulus, until, &mut recorder)?;
    Ok(Recorded(recorder.spikes))
}

type First = ((String, u32), Option<f64>, Option<f64>);

/// Spikes of the first, the largest difference of two times, and the first spike that differs. Spikes at the very
/// end may be missing in one.
fn differences(
    populations: &[(String, Spikes, Spikes)],
    limit: f64,
    until: f64,
) -> (usize, f64, Option<First>) {
    let (mut count, mut largest) = (0, 0f64);
    let mut found: Option<(f64, First)> = None;
    for (name, a, b) in populations {
        count += a.len();
        let by_neuron = |spikes: &Spikes| {
            let mut sorted = spikes.clone();
            sorted.sort_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
            sorted
        };
        let (a, b) = (by_neuron(a), by_neuron(b));
        let (mut at_a, mut at_b) = (0, 0);
        while at_a < a.len() || at_b < b.len() {
            let neuron = match (a.get(at_a), b.get(at_b)) {
                (Some(a), Some(b)) => a.0.min(b.0),
                (one, other) => one.or(other).map_or(0, |spike| spike.0),
            };
            let take = |list: &Spikes, at: &mut usize| {
                let start = *at;
                while list.get(*at).is_some_and(|spike| spike.0 == neuron) {
                    *at += 1;
                }
                list[start..*at].iter().map(|spike| spike.1).collect::<Vec<f64>>()
            };
            let (times_a, times_b) = (take(&a, &mut at_a), take(&b, &mut at_b));
            for place in 0..times_a.len().max(times_b.len()) {
                let (first, second) = (times_a.get(place).copied(), times_b.get(place).copied());
                let difference = match (first, second) {
                    (Some(first), Some(second)) => (first - second).abs(),
                    (one, other) => {
                        let alone = one.or(other).unwrap_or(until);
                        if until - alone <= limit { continue } else { f64::INFINITY }
                    }
                };
                if difference <= limit {
                    largest = largest.max(difference);
                    continue;
                }
                let when = first.unwrap_or(f64::INFINITY).min(second.unwrap_or(f64::INFINITY));
                if found.as_ref().is_none_or(|(earliest, _)| when < *earliest) {
                    found = Some((when, ((name.clone(), neuron), first, second)));
                }
                break;
            }
        }
    }
    (count, largest, found.map(|(_, first)| first))
}
