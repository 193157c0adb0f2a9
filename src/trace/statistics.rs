//! What can be counted in spike trains: rates, latencies, intervals, irregularity, synchrony.
//!
//! ```text
//! trains ─→ per population: neurons ─→ intervals, latencies ─→ GroupStatistics ─→ quantities
//!                           bins of time ─→ synchrony                             (names and units)
//! ```
//!
//! All of it is sequential and depends on nothing but the spikes, the [`Setting`] and the order of
//! the populations.

mod intervals;
mod quantiles;
mod quantities;
mod synchrony;

pub use intervals::{RunningVariation, coefficient_of_variation, cv2, local_variation};
pub use quantiles::quantile;
pub use quantities::{Quantity, rate_unit};
use synchrony::SampleBins;
pub use synchrony::{SynchronyError, population_fano_factor};

use super::trains::{NeuronSpikes, Trains};

/// What the spikes alone do not tell.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Setting {
    /// Begin and end of each sample, in the time unit of the trace; both belong to it.
    pub window: (f64, f64),
    /// Width of the bins that synchrony is measured with, in the same unit; above zero. None leaves
    /// synchrony out.
    pub bin: Option<f64>,
    /// Neurons of each population, if known.
    pub sizes: Vec<Option<u64>>,
    /// Neurons of each population that spike anywhere in the trace that the spikes were chosen from:
    /// those of a population whose size is not known. Empty: those that spike.
    pub seen: Vec<u64>,
    /// The samples, ascending, those without a spike included. Empty: those with a spike.
    pub samples: Vec<u32>,
}

/// Statistics of a population, or of all.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GroupStatistics {
    /// Name of the population; none of all together.
    pub population: Option<String>,
    /// Neurons, silent ones included, if that is known.
    pub size: Option<u64>,
    /// Neurons that spike.
    pub spiking: u64,
    /// Spikes.
    pub spikes: u64,
    /// Spikes per sample (spikes / samples).
    pub spikes_per_sample: f64,
    /// Spikes of the neuron before them, of the same sample, at the same time: each counts as a spike.
    pub coincident: u64,
    /// Spikes per neuron and unit of time: spikes / (neurons × samples × duration), where neurons are
    /// all if their number is known, else those that spike anywhere in the trace.
    pub rate: Option<f64>,
    /// Time of the first spike of a neuron in a sample, over neurons and samples in which it spikes.
    /// Times count from 0, the start of the sample.
    pub latency: Option<Distribution>,
    /// Time between two successive spikes of a neuron in the same sample.
    pub interval: Option<Distribution>,
    /// [`coefficient_of_variation`] of the intervals of a neuron, mean over neurons with at least two
    /// intervals.
    pub coefficient_of_variation: Option<f64>,
    /// [`cv2`], mean over neurons with two successive intervals.
    pub cv2: Option<f64>,
    /// [`local_variation`], mean over the same neurons.
    pub local_variation: Option<f64>,
    /// [`population_fano_factor`].
    pub fano_factor: Option<f64>,
}

/// Mean and quartiles of values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Distribution {
    /// Their sum over their number.
    pub mean: f64,
    /// A quarter is below.
    pub lower_quartile: f64,
    /// Half is below.
    pub median: f64,
    /// Three quarters are below.
    pub upper_quartile: f64,
}

impl Distribution {
    /// Of all values, which lose their order; none if there are none. Quartiles are [`quantile`]s.
    pub fn of(values: &mut [f64]) -> Option<Self> {
        if values.is_empty() {
            return None;
        }
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        let [lower_quartile, median, upper_quartile] =
            [0.25, 0.5, 0.75].map(|fraction| quantile(values, fraction));
        Some(Distribution { mean, lower_quartile, median, upper_quartile })
    }
}

/// Statistics of all spikes, and of each population in the order of the trace.
#[derive(Clone, Debug, PartialEq)]
pub struct Statistics {
    /// Samples, silent ones included; 1 if the trace has no samples.
    pub samples: u64,
    /// All populations together.
    pub all: GroupStatistics,
    /// Each population.
    pub populations: Vec<GroupStatistics>,
}

impl Statistics {
    /// Counts in all trains.
    ///
    /// # Errors
    /// If there are too many bins.
    pub fn new(trains: &Trains, setting: &Setting) -> Result<Self, SynchronyError> {
        let mut samples = samples(trains);
        samples.extend(&setting.samples);
        samples.sort_unstable();
        samples.dedup();
        let bins = match setting.bin {
            Some(bin) => Some(SampleBins::new(setting.window, bin, samples.len())?),
            None => None,
        };
        let group = |index: Option<usize>| {
            let is_in = |neuron: &&NeuronSpikes| {
                index.is_none_or(|index| index == usize::from(neuron.population))
            };
            let mut collected = Collected::default();
            for neuron in trains.neurons.iter().filter(is_in) {
                collected.add(trains, neuron);
            }
            let fano_factor = bins.as_ref().and_then(|bins| {
                bins.fano_factor(trains, trains.neurons.iter().filter(is_in), &samples)
            });
            let (size, seen) = match index {
                Some(index) => (
                    setting.sizes.get(index).copied().flatten(),
                    setting.seen.get(index).copied().unwrap_or(0),
                ),
                None => (setting.sizes.iter().copied().sum(), setting.seen.iter().sum()),
            };
            let mut statistics =
                collected.finish(size, seen, samples.len().max(1) as f64, setting.window);
            statistics.population = index.map(|index| trains.populations[index].clone());
            statistics.fano_factor = fano_factor;
            statistics
        };
        let mut populations: Vec<_> =
            (0..trains.populations.len()).map(|index| group(Some(index))).collect();
        let all = match &mut populations[..] {
            [one] => GroupStatistics { population: None, ..one.clone() },
            _ => group(None),
        };
        Ok(Statistics { samples: samples.len().max(1) as u64, all, populations })
    }
}

/// The samples in which anything spikes, ascending.
fn samples(trains: &Trains) -> Vec<u32> {
    let mut samples: Vec<u32> = Vec::new();
    for neuron in &trains.neurons {
        samples.extend(trains.by_sample(neuron).map(|(sample, _)| sample));
        // Neurons share their samples: without this, the list would be as long as the trace.
        if samples.len() > 1 << 22 {
            samples.sort_unstable();
            samples.dedup();
        }
    }
    samples.sort_unstable();
    samples.dedup();
    samples
}

/// A sum and how many values it has.
#[derive(Clone, Copy, Debug, Default)]
struct Sum {
    sum: f64,
    count: u64,
}

impl Sum {
    fn add(&mut self, value: Option<f64>) {
        if let Some(value) = value {
            self.sum += value;
            self.count += 1;
        }
    }

    fn mean(self) -> Option<f64> {
        (self.count > 0).then(|| self.sum / self.count as f64)
    }
}

/// What neurons of a group add up to.
#[derive(Default)]
struct Collected {
    neurons: u64,
    spikes: u64,
    coincident: u64,
    latencies: Vec<f64>,
    intervals: Vec<f64>,
    coefficient_of_variation: Sum,
    cv2: Sum,
    local_variation: Sum,
}

impl Collected {
    fn add(&mut self, trains: &Trains, neuron: &NeuronSpikes) {
        self.neurons += 1;
        self.spikes += neuron.spikes.len() as u64;
        let first = self.intervals.len();
        let mut successive = intervals::Successive::default();
        for (_, spikes) in trains.by_sample(neuron) {
            let times = &trains.times[spikes];
            self.latencies.push(times[0]);
            let before = self.intervals.len();
            self.intervals.extend(times.windows(2).map(|pair| pair[1] - pair[0]));
            let own = &self.intervals[before..];
            self.coincident += own.iter().filter(|&&interval| interval == 0.0).count() as u64;
            successive.add(own);
        }
        self.coefficient_of_variation.add(coefficient_of_variation(&self.intervals[first..]));
        self.cv2.add(successive.cv2());
        self.local_variation.add(successive.local_variation());
    }

    fn finish(
        mut self,
        size: Option<u64>,
        seen: u64,
        samples: f64,
        window: (f64, f64),
    ) -> GroupStatistics {
        // A size below what spikes was not that of this trace.
        let size = size.filter(|&size| size >= self.neurons);
        let neurons = size.unwrap_or(seen.max(self.neurons));
        let observed = neurons as f64 * samples * (window.1 - window.0);
        GroupStatistics {
            population: None,
            size,
            spiking: self.neurons,
            spikes: self.spikes,
            coincident: self.coincident,
            spikes_per_sample: self.spikes as f64 / samples,
            rate: (observed > 0.0).then(|| self.spikes as f64 / observed),
            latency: Distribution::of(&mut self.latencies),
            interval: Distribution::of(&mut self.intervals),
            coefficient_of_variation: self.coefficient_of_variation.mean(),
            cv2: self.cv2.mean(),
            local_variation: self.local_variation.mean(),
            fano_factor: None,
        }
    }
}

#[cfg(test)]
mod tests;
