//! Trial noise, drawn anew for each presentation, and which spikes are read out.

use rand::rngs::Xoshiro256PlusPlus;

use super::ChipModel;
use crate::chip::datasheet::{Datasheet, Trial};
use crate::chip::neurons::Deviations;
use crate::chip::normal::NormalNumbers;
use crate::chip::substrate::PresentationKey;
use crate::engine::Spike;
use crate::engine::heterogeneous::LayerSpike;
use crate::neuron::heterogeneous::{BLOCK_SIZE, HeterogeneousNeurons};
use crate::random;

/// What a trial has drawn; kept from sample to sample.
#[derive(Debug, Default)]
pub(super) struct TrialNoise {
    normal: NormalNumbers,
    /// For each neuron of the chip, layer after layer: the factor of its threshold, if nothing else changes.
    thresholds: Vec<f64>,
    /// Or all that changes.
    deviations: Vec<Deviations>,
}

impl ChipModel {
    /// Draws the deviations of a trial: those of all neurons, layer after layer, from one stream.
    pub(super) fn draw_trial(&self, key: PresentationKey, noise: &mut TrialNoise) {
        let sheet = &self.sheet.neurons;
        let deviations = &sheet.trial_to_trial;
        if deviations.is_ideal() {
            return;
        }
        let mut random = match sheet.trial {
            Trial::Sample => random::quick_stream(self.seed, "chip trial", stream_index(key, 0)),
            Trial::Batch => {
                let batch = PresentationKey { sample: key.batch, ..key };
                random::quick_stream(self.seed, "chip batch", stream_index(batch, 0))
            }
        };
        let TrialNoise { normal, thresholds, deviations: drawn } = noise;
        let count = self.layers.iter().map(|layer| layer.targets.len()).sum();
        if deviations.only_thresholds() {
            // The last layer's last block goes on behind them.
            thresholds.resize(count + BLOCK_SIZE, 1.0);
            deviations.threshold.factor_all(&mut random, normal, &mut thresholds[..count]);
        } else {
            *drawn = Deviations::trial(deviations, count, &mut random, normal);
        }
    }

    /// Gives all neurons of a layer the deviations of the trial.
    pub(super) fn apply_trial(
        &self,
        index: usize,
        noise: &TrialNoise,
        neurons: &mut HeterogeneousNeurons,
    ) {
        let layer = &self.layers[index];
        if self.sheet.neurons.trial_to_trial.only_thresholds() {
            // The usual case. Neurons that fill up the last block never spike, whatever their factors.
            let factors = &noise.thresholds[layer.first_neuron..];
            let blocks = layer.thresholds.iter().zip(factors.as_chunks().0).enumerate();
            self.arch.dispatch(
                #[inline(always)]
                || {
                    for (block, (threshold, factors)) in blocks {
                        neurons.set_potential_block(block, &threshold.potentials(factors));
                    }
                },
            );
            return;
        }
        let keeps_time_constants = keeps_time_constants(&self.sheet);
        let drawn = &noise.deviations[layer.first_neuron..];
        let stays = layer.fixed.iter().zip(&layer.targets);
        for (neuron, ((fixed, target), drawn)) in stays.zip(drawn).enumerate() {
            let drawn = fixed.and(*drawn).apply(target);
            if keeps_time_constants {
                neurons.set_potentials(neuron, &drawn);
            } else {
                neurons.set(neuron, &drawn);
            }
        }
    }

    /// The random numbers that jitter a sample's spikes, layer after layer; none without jitter.
    pub(super) fn jitter(&self, key: PresentationKey) -> Option<Xoshiro256PlusPlus> {
        let is_random = self.sheet.link.spike_jitter > 0.0;
        is_random.then(|| random::quick_stream(self.seed, "chip jitter", stream_index(key, 0)))
    }

    /// Jitters the spikes of a layer, and records those within the window with their time stamps.
    pub(super) fn read_out(
        &self,
        first_node: usize,
        random: &mut Option<Xoshiro256PlusPlus>,
        noise: &mut TrialNoise,
        spikes: &mut [LayerSpike],
        record: &mut Vec<Spike>,
    ) {
        if let Some(random) = random {
            let numbers = noise.normal.draw(random, spikes.len());
            for (spike, number) in spikes.iter_mut().zip(numbers) {
                spike.time = (spike.time + self.sheet.link.spike_jitter * number).max(0.0);
            }
        }
        let (window, tick) = (self.sheet.presentation.window, self.sheet.presentation.time_stamp);
        let first = record.len();
        record.resize(first + spikes.len(), Spike { node: 0, time: 0.0 });
        let (seen, mut count) = (&mut record[first..], 0);
        for spike in spikes {
            let time = if tick > 0.0 { stamp(spike.time, tick) } else { spike.time };
            seen[count] = Spike { node: first_node as u32 + spike.neuron, time };
            count += usize::from(spike.time <= window);
        }
        record.truncate(first + count);
    }
}

/// The time of the clock's last tick before a time that is not negative.
fn stamp(time: f64, tick: f64) -> f64 {
    const ALL_WHOLE: f64 = (1_u64 << f64::MANTISSA_DIGITS) as f64;
    let ticks = time / tick;
    // Faster than `floor`, which older processors have no instruction for.
    if ticks < ALL_WHOLE { ticks as i64 as f64 * tick } else { ticks * tick }
}

/// Whether neurons have the same time constants in every trial.
pub(super) fn keeps_time_constants(sheet: &Datasheet) -> bool {
    let trial = &sheet.neurons.trial_to_trial;
    trial.tau_m.is_ideal() && trial.tau_s.is_ideal() && trial.tau_s_inhibitory.is_none()
}

/// Index of the random stream of a layer in a presentation. Where all layers share a stream, it is that of
/// the first.
pub(super) fn stream_index(key: PresentationKey, layer: usize) -> u64 {
    (key.epoch << 40) ^ (u64::from(key.sample) << 8) ^ layer as u64
}
