//! How synchronous a population is: the variability of its spike count in bins of time.

use super::super::bins::Bins;
use super::super::trains::{NeuronSpikes, Trains};

/// More bins than this are a mistake.
const MOST_BINS: usize = 1 << 27;

/// Bins that cannot be.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error(
    "bins of {bin} make {count:.3e} of them in {samples} samples from {from} to {to}: at most 1.3e8, with wider \
     bins or in a shorter window"
)]
#[non_exhaustive]
pub struct SynchronyError {
    /// Width of a bin.
    pub bin: f64,
    /// How many bins that makes.
    pub count: f64,
    /// In how many samples.
    pub samples: usize,
    /// Where each sample begins.
    pub from: f64,
    /// Where it ends.
    pub to: f64,
}

/// Variance of the spike counts of a population in bins of equal width, over their mean:
/// (⟨n²⟩ − ⟨n⟩²) / ⟨n⟩ over all bins of all samples. 1 for independent Poisson neurons, whatever their
/// rate; more if they spike together, less if they take turns. It is the synchrony of Potjans and
/// Diesmann (Cerebral Cortex 24, 2014), who take bins of 3 ms. None if there is no spike.
pub fn population_fano_factor(counts: &[u32]) -> Option<f64> {
    let count = counts.len() as f64;
    let mean = counts.iter().map(|&n| f64::from(n)).sum::<f64>() / count;
    let variance = counts.iter().map(|&n| (f64::from(n) - mean).powi(2)).sum::<f64>() / count;
    (mean > 0.0).then(|| variance / mean)
}

/// Bins of time, the same in every sample; the last of a sample may be narrower, and is not used.
pub(super) struct SampleBins {
    bins: Bins,
    samples: usize,
}

impl SampleBins {
    pub fn new(window: (f64, f64), width: f64, samples: usize) -> Result<Self, SynchronyError> {
        let samples = samples.max(1);
        let bins = Bins::new(window, width, MOST_BINS / samples).map_err(|count| {
            let (count, (from, to)) = (count * samples as f64, window);
            SynchronyError { bin: width, count, samples, from, to }
        })?;
        Ok(SampleBins { bins, samples })
    }

    /// [`population_fano_factor`] of some neurons; none if there are less than two bins. The samples are
    /// ascending; a trace without has none.
    pub fn fano_factor<'a>(
        &self,
        trains: &Trains,
        neurons: impl Iterator<Item = &'a NeuronSpikes>,
        samples: &[u32],
    ) -> Option<f64> {
        let per_sample = self.bins.count();
        let mut counts = vec![0_u32; per_sample * self.samples];
        if counts.len() < 2 {
            return None;
        }
        for neuron in neurons {
            for (sample, spikes) in trains.by_sample(neuron) {
                let row = samples.partition_point(|&other| other < sample) * per_sample;
                for bin in trains.times[spikes].iter().filter_map(|&time| self.bins.bin(time)) {
                    counts[row + bin] += 1;
                }
            }
        }
        population_fano_factor(&counts)
    }
}
