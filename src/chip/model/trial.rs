//! What is drawn anew for each presentation, and what of its spikes is seen.

use rand::rngs::Xoshiro256PlusPlus;

use super::ChipModel;
use crate::chip::datasheet::{Datasheet, Trial};
use crate::chip::neurons::Deviations;
use crate::chip::normal::NormalNumbers;
use crate::chip::substrate::PresentationKey;
use crate::engine::Spike;
use crate::engine::heterogeneous::{IndividualNeurons, LayerSpike, PADDING};
use crate::random;

/// What chance is drawn with, and what it gave in this trial; kept from sample to sample.
#[derive(Debug, Default)]
pub(super) struct Chance {
    normal: NormalNumbers,
    /// For each neuron of the chip, layer after layer: the factor of its threshold, if nothing else changes.
    thresholds: Vec<f64>,
    /// Or all that changes.
    deviations: Vec<Deviations>,
}

impl ChipModel {
    /// Draws the deviations of a trial: those of all neurons, layer after layer, from one stream.
    pub(super) fn draw_trial(&self, key: PresentationKey, chance: &mut Chance) {
        let sheet = &self.sheet.neurons;
        let deviations = &sheet.trial_to_trial;
        if deviations.is_ideal() {
            return;
        }
        let mut random = match sheet.trial {
            Trial::Sample => random::quick_stream(self.seed, "chip trial", place(key, 0)),
            Trial::Batch => {
                let batch = PresentationKey { sample: key.batch, ..key };
                random::quick_stream(self.seed, "chip batch", place(batch, 0))
            }
        };
        let Chance { normal, thresholds, deviations: drawn } = chance;
        let count = self.layers.iter().map(|layer| layer.targets.len()).sum();
        if deviations.only_thresholds() {
            // The last layer's last block goes on behind them.
            thresholds.resize(count + PADDING, 1.0);
            deviations.threshold.factor_all(&mut random, normal, &mut thresholds[..count]);
        } else {
            *drawn = Deviations::trial(deviations, count, &mut random, normal);
        }
    }

    /// Gives all neurons of a layer the deviations of the trial.
    pub(super) fn apply_trial(
        &self,
        index: usize,
        chance: &Chance,
        neurons: &mut IndividualNeurons,
    ) {
        let layer = &self.layers[index];
        if self.sheet.neurons.trial_to_trial.only_thresholds() {
            // The usual case, without what does not change. Whatever factor those have that fill up the last
            // block, they never spike.
            let factors = &chance.thresholds[layer.first_neuron..];
            let blocks = layer.thresholds.iter().zip(factors.as_chunks().0).enumerate();
            self.arch.dispatch(
                #[inline(always)]
                || {
                    for (block, (threshold, factors)) in blocks {
                        neurons.set_levels(block, &threshold.levels(factors));
                    }
                },
            );
            return;
        }
        let keeps_time_constants = keeps_time_constants(&self.sheet);
        let drawn = &chance.deviations[layer.first_neuron..];
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

    /// The chance that moves the spikes of a sample, those of one layer after the other; none without jitter.
    pub(super) fn jitter(&self, key: PresentationKey) -> Option<Xoshiro256PlusPlus> {
        let is_random = self.sheet.link.spike_jitter > 0.0;
        is_random.then(|| random::quick_stream(self.seed, "chip jitter", place(key, 0)))
    }

    /// Moves the spikes of a layer by chance, and adds what is seen of them to the record.
    pub(super) fn read_out(
        &self,
        first_node: usize,
        random: &mut Option<Xoshiro256PlusPlus>,
        chance: &mut Chance,
        spikes: &mut [LayerSpike],
        record: &mut Vec<Spike>,
    ) {
        if let Some(random) = random {
            let numbers = chance.normal.draw(random, spikes.len());
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

/// One number for a layer in a presentation, of which the first stands for all where they share what is
/// drawn.
pub(super) fn place(key: PresentationKey, layer: usize) -> u64 {
    (key.epoch << 40) ^ (u64::from(key.sample) << 8) ^ layer as u64
}
