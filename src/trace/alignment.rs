//! Two traces side by side: which spike of one is which of the other.
//!
//! ```text
//! trains A ┐                                  ┌─→ pairs with their differences
//!          ├─→ trains of the same population, ┤
//! trains B ┘   neuron and sample ─→ matching  └─→ missing (only in A), extra (only in B)
//! ```
//!
//! Within a train the matching is the best of all that keep the order in time (`matching`).
//! Populations go by name, neurons and samples by number.

mod matching;

pub use matching::{Match, MatchingError, match_trains};

use super::statistics::quantile;
use super::trains::{NeuronSpikes, Trains};

/// A spike of one trace and the same of the other.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pair {
    /// Sample.
    pub sample: u32,
    /// Time in A, in the unit of A.
    pub time: f64,
    /// Time in B minus time in A.
    pub difference: f64,
}

/// A spike that only one trace has.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Single {
    /// Sample.
    pub sample: u32,
    /// Time, in the unit of A.
    pub time: f64,
}

/// A neuron in both traces.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NeuronAlignment {
    /// Index of the neuron in its population.
    pub neuron: u32,
    /// Spikes of both.
    pub pairs: Vec<Pair>,
    /// Spikes of A only.
    pub missing: Vec<Single>,
    /// Spikes of B only.
    pub extra: Vec<Single>,
}

/// A population in both traces.
#[derive(Clone, Debug, PartialEq)]
pub struct PopulationAlignment {
    /// Its name in A, or in B if it only spikes there.
    pub name: String,
    /// Two spikes farther apart than this are not the same spike.
    pub reach: f64,
    /// The neurons that spike in either, ascending.
    pub neurons: Vec<NeuronAlignment>,
}

/// Which population of A is which of B; an index is none if the population is silent there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PopulationPair {
    /// Name for both.
    pub name: String,
    /// Index in A.
    pub a: Option<u16>,
    /// Index in B.
    pub b: Option<u16>,
}

/// Aligns two traces whose times are in the same unit. Spikes farther apart than `reach` are not the
/// same; without it, that is [`usual_reach`].
///
/// # Errors
/// If trains are so dense within the reach that there are too many possible pairs.
pub fn align(
    a: &Trains,
    b: &Trains,
    populations: &[PopulationPair],
    reach: Option<f64>,
) -> Result<Vec<PopulationAlignment>, MatchingError> {
    populations
        .iter()
        .map(|pair| {
            let reach = reach.unwrap_or_else(|| usual_reach(a, b, pair));
            let (of_a, of_b) = (neurons(a, pair.a), neurons(b, pair.b));
            let neurons = merge(&of_a, &of_b, |neuron| neuron.neuron)
                .into_iter()
                .map(|(neuron, in_a, in_b)| align_neuron(neuron, (a, in_a), (b, in_b), reach))
                .collect::<Result<_, _>>()?;
            Ok(PopulationAlignment { name: pair.name.clone(), reach, neurons })
        })
        .collect()
}

/// Half the median interval between spikes of a neuron, in both traces: a spike that is farther away
/// is nearer to another. Intervals of 0, between coincident spikes, do not count. Infinite for populations
/// in which no neuron spikes at two times in a sample.
pub fn usual_reach(a: &Trains, b: &Trains, pair: &PopulationPair) -> f64 {
    let mut intervals = Vec::new();
    for (trains, population) in [(a, pair.a), (b, pair.b)] {
        for neuron in neurons(trains, population) {
            for (_, spikes) in trains.by_sample(neuron) {
                let own = trains.times[spikes].windows(2).map(|pair| pair[1] - pair[0]);
                intervals.extend(own.filter(|&interval| interval > 0.0));
            }
        }
    }
    if intervals.is_empty() { f64::INFINITY } else { 0.5 * quantile(&mut intervals, 0.5) }
}

fn neurons(trains: &Trains, population: Option<u16>) -> Vec<&NeuronSpikes> {
    let is_in = |neuron: &&NeuronSpikes| Some(neuron.population) == population;
    trains.neurons.iter().filter(is_in).collect()
}

/// What two ascending lists have under each key.
fn merge<T: Clone>(a: &[T], b: &[T], key: impl Fn(&T) -> u32) -> Vec<(u32, Option<T>, Option<T>)> {
    let (mut at_a, mut at_b) = (0, 0);
    let mut merged = Vec::with_capacity(a.len().max(b.len()));
    while at_a < a.len() || at_b < b.len() {
        let keys = (a.get(at_a).map(&key), b.get(at_b).map(&key));
        let next = match keys {
            (Some(one), Some(other)) => one.min(other),
            (one, other) => one.or(other).unwrap_or(0),
        };
        let take = |list: &[T], at: &mut usize, key: Option<u32>| {
            let found = (key == Some(next)).then(|| list[*at].clone());
            *at += usize::from(found.is_some());
            found
        };
        let of_a = take(a, &mut at_a, keys.0);
        let of_b = take(b, &mut at_b, keys.1);
        merged.push((next, of_a, of_b));
    }
    merged
}

fn align_neuron(
    neuron: u32,
    (a, in_a): (&Trains, Option<&NeuronSpikes>),
    (b, in_b): (&Trains, Option<&NeuronSpikes>),
    reach: f64,
) -> Result<NeuronAlignment, MatchingError> {
    let samples = |trains: &Trains, neuron: Option<&NeuronSpikes>| -> Vec<_> {
        neuron.map(|neuron| trains.by_sample(neuron).collect()).unwrap_or_default()
    };
    let mut found = NeuronAlignment { neuron, ..NeuronAlignment::default() };
    let merged = merge(&samples(a, in_a), &samples(b, in_b), |part| part.0);
    for (sample, of_a, of_b) in merged {
        let times_a = of_a.map_or(&[][..], |part| &a.times[part.1]);
        let times_b = of_b.map_or(&[][..], |part| &b.times[part.1]);
        for matched in match_trains(times_a, times_b, reach)? {
            match matched {
                Match::Pair(one, other) => found.pairs.push(Pair {
                    sample,
                    time: times_a[one],
                    difference: times_b[other] - times_a[one],
                }),
                Match::Missing(one) => found.missing.push(Single { sample, time: times_a[one] }),
                Match::Extra(other) => found.extra.push(Single { sample, time: times_b[other] }),
            }
        }
    }
    Ok(found)
}

impl PopulationAlignment {
    /// Whether no spike is missing or extra, and no pair is farther apart than the tolerance.
    pub fn is_equal(&self, tolerance: f64) -> bool {
        self.neurons.iter().all(|neuron| {
            let is_near = |pair: &Pair| pair.difference.abs() <= tolerance;
            neuron.missing.is_empty() && neuron.extra.is_empty() && neuron.pairs.iter().all(is_near)
        })
    }
}

impl NeuronAlignment {
    /// Mean difference, mean absolute difference, and the largest absolute one; none without pairs.
    pub fn differences(&self) -> Option<[f64; 3]> {
        let count = self.pairs.len() as f64;
        let differences = || self.pairs.iter().map(|pair| pair.difference);
        (count > 0.0).then(|| {
            [
                differences().sum::<f64>() / count,
                differences().map(f64::abs).sum::<f64>() / count,
                differences().map(f64::abs).fold(0.0, f64::max),
            ]
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::recording::Recording;
    use super::*;

    #[test]
    fn traces_are_aligned_by_population_neuron_and_sample() {
        let trains = |rows: &[(u16, u32, u32, f64)], names: &[&str]| {
            Trains::new(&Recording {
                populations: names.iter().map(|name| (*name).to_owned()).collect(),
                times: rows.iter().map(|row| row.3).collect(),
                neurons: rows.iter().map(|row| row.1).collect(),
                population: rows.iter().map(|row| row.0).collect(),
                samples: rows.iter().map(|row| row.2).collect(),
                ..Recording::default()
            })
        };
        let a = trains(&[(0, 3, 0, 1.0), (0, 3, 1, 5.0), (1, 0, 0, 2.0)], &["x", "y"]);
        let b = trains(&[(1, 3, 0, 1.5), (0, 0, 0, 2.0), (0, 7, 0, 9.0)], &["y", "x"]);
        let pairs = ["x", "y"].map(|name| PopulationPair {
            name: name.to_owned(),
            a: a.populations.iter().position(|other| other == name).map(|at| at as u16),
            b: b.populations.iter().position(|other| other == name).map(|at| at as u16),
        });
        let found = align(&a, &b, &pairs, None).expect("few pairs");
        let x = &found[0].neurons;
        assert_eq!(x.len(), 1);
        assert_eq!(x[0].pairs, [Pair { sample: 0, time: 1.0, difference: 0.5 }]);
        assert_eq!(x[0].missing, [Single { sample: 1, time: 5.0 }]);
        assert_eq!(x[0].differences(), Some([0.5, 0.5, 0.5]));
        let y = &found[1].neurons;
        assert_eq!((y[0].neuron, y[0].pairs.len()), (0, 1));
        assert_eq!((y[1].neuron, &y[1].extra[..]), (7, &[Single { sample: 0, time: 9.0 }][..]));
        assert_eq!(found[0].reach, f64::INFINITY);
    }

    /// Every spike of A is there twice: half its intervals are 0, and are no measure of distance.
    #[test]
    fn coincident_spikes_are_spikes_each() {
        let trains = |times: &[f64]| {
            Trains::new(&Recording {
                populations: vec!["x".to_owned()],
                times: times.to_vec(),
                neurons: vec![0; times.len()],
                ..Recording::default()
            })
        };
        let pairs = [PopulationPair { name: "x".to_owned(), a: Some(0), b: Some(0) }];
        let (twice, once) = (trains(&[1.0, 1.0, 5.0, 5.0, 9.0, 9.0]), trains(&[1.0, 5.0, 9.0]));
        let found = align(&twice, &once, &pairs, None).expect("few pairs");
        assert_eq!(found[0].reach, 2.0);
        let neuron = &found[0].neurons[0];
        assert_eq!((neuron.pairs.len(), neuron.missing.len(), neuron.extra.len()), (3, 3, 0));
        assert!(neuron.pairs.iter().all(|pair| pair.difference == 0.0));
        let found = align(&twice, &twice, &pairs, None).expect("few pairs");
        assert_eq!(found[0].neurons[0].pairs.len(), 6);
    }
}
