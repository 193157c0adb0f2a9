//! Initial weights that make a network spike: derived from what arrives at a layer and from its neurons.
//!
//! Of a layer's neurons, whose weights are drawn from a normal distribution of mean `m` and standard deviation `s`,
//! the potential at a time `t` is normally distributed, too, with
//!
//! ```text
//! mean m Σ n_i k(t − t_i)        variance s² Σ n_i k(t − t_i)²
//! ```
//!
//! where `n_i` spikes arrive at `t_i` in a mean sample, and `k` is the response to one of weight 1. [`Drive::weights`]
//! chooses `m` and `s` such that a given share of neurons is above threshold at a given time, and the spread of
//! potentials is a given part of the threshold. How many are above threshold at every time is then known as well: that
//! is when spikes arrive at the next layer ([`Drive::pass`]).

use crate::dataset::{Dataset, Encoding};
use crate::neuron::{Dynamics, NeuronParameters};

/// Samples of a training set that are looked at.
const MOST_SAMPLES: usize = 500;

/// Times at which arrivals are counted.
const BINS: usize = 64;

/// What is wanted of a layer: the share of its neurons that is above threshold `lag` synaptic time constants after
/// `arrived` of its input spikes, and the spread of potentials then, as a part of the threshold.
struct Aim {
    /// As the quantile of the standard normal distribution.
    share: f64,
    arrived: f64,
    lag: f64,
    spread: f64,
}

/// 90 % of the neurons, when nearly all of the input is there.
const HIDDEN: Aim = Aim { share: 1.2816, arrived: 0.8, lag: 0.2, spread: 0.5 };

/// 95 % of the label neurons, after the first third of the spikes of the layer before.
const LABEL: Aim = Aim { share: 1.6449, arrived: 0.3, lag: 0.2, spread: 0.3 };

/// When spikes arrive at a layer in a mean sample.
#[derive(Clone, Debug, PartialEq)]
pub struct Drive {
    /// Time, and the mean number of spikes.
    arrivals: Vec<(f64, f64)>,
}

/// Mean and standard deviation of normally distributed weights.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct InitialWeights {
    /// Their mean.
    pub mean: f64,
    /// Their standard deviation.
    pub std: f64,
}

impl Drive {
    /// The arrivals of a data set's features.
    pub fn of_features(dataset: &Dataset, encoding: Encoding) -> Self {
        let step = dataset.len().div_ceil(MOST_SAMPLES).max(1);
        let samples: Vec<usize> = (0..dataset.len()).step_by(step).collect();
        let times = samples.iter().flat_map(|&sample| {
            let spike = move |index| encoding.spike_time(dataset.feature(sample, index));
            (0..dataset.feature_count).map(spike).filter(|time| time.is_finite())
        });
        let times: Vec<f64> = times.collect();
        let first = times.iter().copied().fold(f64::INFINITY, f64::min);
        let last = times.iter().copied().fold(0.0, f64::max);
        let width = (last - first).max(f64::MIN_POSITIVE) / BINS as f64;
        let share = encoding.copies() as f64 / samples.len().max(1) as f64;
        let mut arrivals: Vec<(f64, f64)> =
            (0..BINS).map(|bin| (first + (bin as f64 + 0.5) * width, 0.0)).collect();
        for time in times {
            let bin = ((time - first) / width) as usize;
            arrivals[bin.min(BINS - 1)].1 += share;
        }
        arrivals.retain(|&(_, count)| count > 0.0);
        Drive { arrivals }
    }

    /// Adds bias sources that spike at these times in every sample.
    pub fn add_bias(&mut self, times: &[f64]) {
        self.arrivals.extend(times.iter().map(|&time| (time, 1.0)));
        self.arrivals.sort_by(|a, b| a.0.total_cmp(&b.0));
    }

    /// How many spikes arrive in a mean sample.
    pub fn spikes(&self) -> f64 {
        self.arrivals.iter().map(|(_, count)| count).sum()
    }

    /// Sums of the responses at a time to what has arrived by then, and of their squares.
    fn responses(&self, dynamics: &Dynamics, time: f64) -> (f64, f64) {
        let before = self.arrivals.iter().take_while(|(arrival, _)| *arrival < time);
        before.fold((0.0, 0.0), |(sum, squares), &(arrival, count)| {
            let (response, _) = dynamics.response(time - arrival);
            (sum + count * response, squares + count * response * response)
        })
    }

    /// Weights with which a layer of these neurons spikes as it should: 90 % of hidden neurons when four fifths of
    /// their input have come, 95 % of label neurons when three tenths have.
    ///
    /// # Errors
    /// If nothing arrives, or the neurons need no input to spike, with the reason.
    pub fn weights(
        &self,
        neurons: &[NeuronParameters],
        is_label: bool,
    ) -> Result<InitialWeights, String> {
        let aim = if is_label { LABEL } else { HIDDEN };
        let (dynamics, distance) = typical(neurons)?;
        let total = self.spikes();
        let mut so_far = 0.0;
        let mut arrivals = self.arrivals.iter();
        let reached = arrivals.find(|(_, count)| {
            so_far += count;
            so_far >= aim.arrived * total
        });
        let Some(&(time, _)) = reached.or(self.arrivals.last()) else {
            return Err("no spikes arrive at the layer".to_owned());
        };
        let (sum, squares) = self.responses(&dynamics, time + aim.lag * dynamics.tau_s());
        let mean = distance * (1.0 + aim.share * aim.spread) / sum;
        let std = distance * aim.spread / squares.sqrt();
        if mean.is_finite() && std.is_finite() {
            Ok(InitialWeights { mean, std })
        } else {
            Err("what arrives at the layer moves no potential".to_owned())
        }
    }

    /// Goes on to what these neurons send to the next layer, with these weights.
    pub fn pass(&mut self, neurons: &[NeuronParameters], weights: InitialWeights) {
        let Ok((dynamics, distance)) = typical(neurons) else { return };
        let (first, last) = match (self.arrivals.first(), self.arrivals.last()) {
            (Some((first, _)), Some((last, _))) => (*first, *last + 3.0 * dynamics.tau_s()),
            _ => return,
        };
        let width = (last - first) / BINS as f64;
        let (mut above, mut spikes) = (0.0, Vec::new());
        for bin in 1..=BINS {
            let time = first + bin as f64 * width;
            let (sum, squares) = self.responses(&dynamics, time);
            let excess = (weights.mean * sum - distance) / (weights.std * squares.sqrt());
            // A neuron that has spiked stays counted.
            let now = if squares > 0.0 { normal_below(excess).max(above) } else { above };
            if now > above {
                spikes.push((time - 0.5 * width, (now - above) * neurons.len() as f64));
            }
            above = now;
        }
        self.arrivals = spikes;
    }
}

/// The neuron in the middle of a layer, and how far its threshold is from where it starts.
fn typical(neurons: &[NeuronParameters]) -> Result<(Dynamics, f64), String> {
    let neuron = neurons.get(neurons.len() / 2).ok_or("there are no neurons")?;
    let distance = neuron.threshold - neuron.leak_potential;
    if !(distance > 0.0) {
        return Err("the neurons rest above their threshold: give weights".to_owned());
    }
    let dynamics = Dynamics::new(neuron).map_err(|error| error.to_string())?;
    Ok((dynamics, distance))
}

/// The share of a standard normal distribution below a value, to 1e-7 (Abramowitz and Stegun, 26.2.17).
fn normal_below(value: f64) -> f64 {
    const COEFFICIENTS: [f64; 5] =
        [1.330_274_429, -1.821_255_978, 1.781_477_937, -0.356_563_782, 0.319_381_530];
    let t = 1.0 / (1.0 + 0.231_641_9 * value.abs());
    let sum = COEFFICIENTS.iter().fold(0.0, |sum, coefficient| (sum + coefficient) * t);
    let above = sum * (-0.5 * value * value).exp() / (2.0 * std::f64::consts::PI).sqrt();
    if value >= 0.0 { 1.0 - above } else { above }
}

#[cfg(test)]
mod tests;
