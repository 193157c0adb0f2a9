//! Spike trains: the spikes of a recording sorted by neuron, sample and time.
//!
//! Every row is a spike: where a neuron spikes twice at one time, as sources may, there are two.
//!
//! Spikes are counted per neuron and put in their places, which keeps their order; only neurons whose
//! spikes were not in order are sorted. That takes time proportional to the number of spikes, and 12
//! to 16 bytes for each.

use std::ops::Range;

use rayon::prelude::*;

use super::recording::Recording;

/// The spikes of a recording, neuron by neuron.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Trains {
    /// Names of the populations.
    pub populations: Vec<String>,
    /// The neurons that spike, by population and index.
    pub neurons: Vec<NeuronSpikes>,
    /// Time of each spike: by neuron, then by sample, then by time.
    pub times: Vec<f64>,
    /// Sample of each spike; empty if the recording has no samples.
    pub samples: Vec<u32>,
    /// Index of each spike in the recording.
    pub spikes: Vec<u32>,
}

/// Where the spikes of a neuron are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NeuronSpikes {
    /// Index of its population.
    pub population: u16,
    /// Index of the neuron in its population.
    pub neuron: u32,
    /// Its spikes in [`Trains::times`].
    pub spikes: Range<usize>,
}

/// Neuron numbers up to so many times the number of spikes are counted in a table.
const SPARSE: u64 = 4;

impl Trains {
    /// Sorts the spikes of a recording.
    ///
    /// # Panics
    /// If there are more than 2^32 − 1 spikes, which no recording from a file has.
    pub fn new(recording: &Recording) -> Self {
        let count = recording.len();
        assert!(u32::try_from(count).is_ok(), "more than 2^32 spikes");
        let (places, mut neurons) = places(recording);
        let mut trains = Trains {
            populations: recording.populations.clone(),
            times: vec![0.0; count],
            samples: vec![0; recording.samples.len()],
            spikes: vec![0; count],
            ..Trains::default()
        };
        // `end` of a neuron's spikes is where its next one goes.
        for spike in 0..count {
            let end = &mut neurons[places.of(recording, spike)].spikes.end;
            trains.times[*end] = recording.times[spike];
            if let Some(sample) = trains.samples.get_mut(*end) {
                *sample = recording.samples[spike];
            }
            trains.spikes[*end] = spike as u32;
            *end += 1;
        }
        neurons.retain(|neuron| !neuron.spikes.is_empty());
        trains.neurons = neurons;
        trains.sort();
        trains
    }

    /// The spikes of a neuron, sample by sample: the sample and the place of its spikes.
    pub fn by_sample(&self, neuron: &NeuronSpikes) -> impl Iterator<Item = (u32, Range<usize>)> {
        let Range { start, end } = neuron.spikes;
        let mut at = start;
        std::iter::from_fn(move || {
            if at >= end {
                return None;
            }
            let Some(&sample) = self.samples.get(at) else {
                let all = at..end;
                at = end;
                return Some((0, all));
            };
            let length = self.samples[at..end].partition_point(|&other| other <= sample);
            let part = at..at + length;
            at += length;
            Some((sample, part))
        })
    }

    /// Sorts the spikes of neurons whose spikes are not in order.
    fn sort(&mut self) {
        let sorted: Vec<_> = {
            let by_order = |one: usize, other: usize| {
                let sample = |at: usize| self.samples.get(at).copied().unwrap_or(0);
                let by_time = self.times[one].total_cmp(&self.times[other]);
                sample(one).cmp(&sample(other)).then(by_time).then(one.cmp(&other))
            };
            let order = |neuron: &NeuronSpikes| {
                let mut order: Vec<usize> = neuron.spikes.clone().collect();
                if order.is_sorted_by(|&one, &other| by_order(one, other).is_le()) {
                    return None;
                }
                order.sort_unstable_by(|&one, &other| by_order(one, other));
                Some((neuron.spikes.start, order))
            };
            self.neurons.par_iter().filter_map(order).collect()
        };
        for (start, order) in sorted {
            rearrange(&mut self.times, start, &order);
            rearrange(&mut self.spikes, start, &order);
            if !self.samples.is_empty() {
                rearrange(&mut self.samples, start, &order);
            }
        }
    }
}

fn rearrange<T: Copy>(values: &mut [T], start: usize, order: &[usize]) {
    let sorted: Vec<T> = order.iter().map(|&at| values[at]).collect();
    values[start..start + order.len()].copy_from_slice(&sorted);
}

/// Which place among all neurons a neuron has.
enum Places {
    /// Every number has a place: that of the first of each population.
    Dense(Vec<usize>),
    /// Population and neuron of each place, sorted.
    Sparse(Vec<(u16, u32)>),
}

impl Places {
    fn of(&self, recording: &Recording, spike: usize) -> usize {
        let (population, neuron) = (recording.population_of(spike), recording.neurons[spike]);
        match self {
            Places::Dense(first) => first[population] + neuron as usize,
            Places::Sparse(places) => {
                places.partition_point(|&place| place < (population as u16, neuron))
            }
        }
    }
}

/// The places of all neurons, each with an empty range where its spikes are to begin.
fn places(recording: &Recording) -> (Places, Vec<NeuronSpikes>) {
    let mut sizes = vec![0_u64; recording.populations.len().max(1)];
    for spike in 0..recording.len() {
        let size = &mut sizes[recording.population_of(spike)];
        *size = (*size).max(u64::from(recording.neurons[spike]) + 1);
    }
    let none = |population: u16, neuron: u32| NeuronSpikes { population, neuron, spikes: 0..0 };
    let is_dense = sizes.iter().sum::<u64>() <= SPARSE * recording.len() as u64 + 1_000_000;
    let (places, mut neurons): (_, Vec<NeuronSpikes>) = if is_dense {
        let first = sizes.iter().scan(0, |sum, &size| {
            let first = *sum;
            *sum += size as usize;
            Some(first)
        });
        let first = Places::Dense(first.collect());
        let numbers = sizes.iter().enumerate().flat_map(|(population, &size)| {
            (0..size).map(move |neuron| none(population as u16, neuron as u32))
        });
        (first, numbers.collect())
    } else {
        let pairs = (0..recording.len())
            .map(|spike| (recording.population_of(spike) as u16, recording.neurons[spike]));
        let mut pairs: Vec<_> = pairs.collect();
        pairs.par_sort_unstable();
        pairs.dedup();
        let neurons = pairs.iter().map(|&(population, neuron)| none(population, neuron)).collect();
        (Places::Sparse(pairs), neurons)
    };
    for spike in 0..recording.len() {
        neurons[places.of(recording, spike)].spikes.end += 1;
    }
    let mut start = 0;
    for neuron in &mut neurons {
        let count = neuron.spikes.end;
        neuron.spikes = start..start;
        start += count;
    }
    (places, neurons)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// The slow obvious twin: sort all rows. A row that is there twice is two spikes.
        #[test]
        fn trains_are_the_sorted_spikes(
            rows in prop::collection::vec((0_u16..3, 0_u32..4, 0_u32..3, 0_u32..6), 0..60),
            far in any::<bool>(),
        ) {
            let scale = if far { 1_000_000_000 } else { 1 };
            let recording = Recording {
                populations: vec!["a".to_owned(), "b".to_owned(), "c".to_owned()],
                times: rows.iter().map(|row| f64::from(row.3)).collect(),
                neurons: rows.iter().map(|row| scale * row.1).collect(),
                population: rows.iter().map(|row| row.0).collect(),
                samples: rows.iter().map(|row| row.2).collect(),
                ..Recording::default()
            };
            let trains = Trains::new(&recording);
            let mut expected = rows.clone();
            expected.sort_unstable();
            let mut found = Vec::new();
            for neuron in &trains.neurons {
                for (sample, spikes) in trains.by_sample(neuron) {
                    for at in spikes {
                        let row = rows[trains.spikes[at] as usize];
                        prop_assert_eq!(row.3, trains.times[at] as u32);
                        found.push((neuron.population, neuron.neuron / scale, sample, row.3));
                    }
                }
            }
            prop_assert_eq!(&found, &expected);
        }
    }
}
