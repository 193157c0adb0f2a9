//! The parameters of a layer's neurons, in blocks that fill whole registers on every machine.

use super::blocks::{BLOCK_SIZE, Column};
use super::convexity::convexity_coefficients;
use super::propagator::IntervalPropagator;
use crate::neuron::{NeuronParameters, ParameterError};

/// The neurons of a layer, each with parameters of its own. Potentials are relative to each neuron's
/// leak potential.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HeterogeneousNeurons {
    count: usize,
    has_split_currents: bool,
    pub(super) blocks: Vec<NeuronBlock>,
    thresholds: Vec<f64>,
    leak_potentials: Vec<f64>,
    /// None until it is computed.
    rate_range: Option<RateRange>,
    propagators: Vec<IntervalPropagator>,
    longest_prepared: f64,
}

/// The potentials of eight neurons.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PotentialBlock {
    /// Above the leak potential.
    pub threshold: Column,
    /// Above the leak potential.
    pub reset: Column,
    /// The leak potential itself.
    pub leak: Column,
}

/// The parameters of eight neurons.
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(align(64))]
pub(super) struct NeuronBlock {
    /// `λ_m = 1/τ_m`
    pub membrane_rate: Column,
    /// `λ_s = 1/τ_s` of excitatory and inhibitory synapses.
    pub synaptic_rate: [Column; 2],
    /// `λ_m − λ_s`
    pub rate_difference: [Column; 2],
    /// `1/C`
    pub inverse_capacitance: Column,
    /// `C λ_m`
    pub leak_conductance: Column,
    /// `a_e` and `a_i` of `convexity`.
    pub convexity_coefficients: [Column; 2],
    pub threshold: Column,
    pub reset: Column,
    pub refractory_period: Column,
}

impl NeuronBlock {
    /// Neurons that fill up the last block: they never spike.
    const PADDING: NeuronBlock = {
        let (zero, one) = ([0.0; BLOCK_SIZE], [1.0; BLOCK_SIZE]);
        NeuronBlock {
            membrane_rate: one,
            synaptic_rate: [one; 2],
            rate_difference: [zero; 2],
            inverse_capacitance: one,
            leak_conductance: one,
            convexity_coefficients: [zero; 2],
            threshold: [f64::INFINITY; BLOCK_SIZE],
            reset: zero,
            refractory_period: zero,
        }
    };
}

/// The extremes of a layer's rates.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct RateRange {
    pub fastest: f64,
    /// The slowest that is not zero.
    pub slowest: f64,
    /// Largest difference between a neuron's membrane and its synapses.
    pub largest_difference: f64,
}

impl HeterogeneousNeurons {
    /// Takes the neurons' parameters. They have no bias currents and start at rest, whatever their
    /// parameters say of that.
    ///
    /// # Errors
    /// If a parameter is out of its range.
    pub fn new(neurons: &[NeuronParameters]) -> Result<Self, ParameterError> {
        let blocks = neurons.len().div_ceil(BLOCK_SIZE);
        let mut layer = HeterogeneousNeurons {
            count: neurons.len(),
            has_split_currents: neurons
                .iter()
                .any(|neuron| neuron.tau_s_inhibitory != neuron.tau_s),
            blocks: vec![NeuronBlock::PADDING; blocks],
            thresholds: vec![f64::INFINITY; blocks * BLOCK_SIZE],
            leak_potentials: vec![0.0; blocks * BLOCK_SIZE],
            rate_range: None,
            propagators: Vec::new(),
            longest_prepared: 0.0,
        };
        for (index, neuron) in neurons.iter().enumerate() {
            neuron.validate()?;
            layer.set(index, neuron);
        }
        Ok(layer)
    }

    /// Gives a neuron other parameters, which must be valid. A layer without split currents stays so.
    pub fn set(&mut self, index: usize, neuron: &NeuronParameters) {
        self.set_potentials(index, neuron);
        let inhibitory =
            if self.has_split_currents { neuron.tau_s_inhibitory } else { neuron.tau_s };
        let rates = [1.0 / neuron.tau_m, 1.0 / neuron.tau_s, 1.0 / inhibitory];
        let inverse_capacitance = 1.0 / neuron.capacitance;
        let (block, index) = (&mut self.blocks[index / BLOCK_SIZE], index % BLOCK_SIZE);
        let [excitatory, inhibitory] = &mut block.synaptic_rate;
        let before = [block.membrane_rate[index], excitatory[index], inhibitory[index]];
        if rates == before && inverse_capacitance == block.inverse_capacitance[index] {
            return;
        }
        [block.membrane_rate[index], excitatory[index], inhibitory[index]] = rates;
        block.inverse_capacitance[index] = inverse_capacitance;
        block.leak_conductance[index] = neuron.capacitance / neuron.tau_m;
        [block.rate_difference[0][index], block.rate_difference[1][index]] =
            [rates[0] - rates[1], rates[0] - rates[2]];
        [block.convexity_coefficients[0][index], block.convexity_coefficients[1][index]] =
            convexity_coefficients(rates);
        // They were prepared for other rates.
        self.rate_range = None;
        self.propagators.clear();
    }

    /// Gives a neuron the potentials and the refractory period of these parameters, which must be valid.
    pub fn set_potentials(&mut self, index: usize, neuron: &NeuronParameters) {
        let leak = neuron.leak_potential;
        let [threshold, reset] = [neuron.threshold - leak, neuron.reset_potential - leak];
        self.thresholds[index] = threshold;
        self.leak_potentials[index] = leak;
        let (block, index) = (&mut self.blocks[index / BLOCK_SIZE], index % BLOCK_SIZE);
        block.threshold[index] = threshold;
        block.reset[index] = reset;
        block.refractory_period[index] = neuron.refractory_period;
    }

    /// Gives the eight neurons of a block other potentials. Neurons that fill up the last block must
    /// have infinite thresholds.
    #[inline(always)]
    pub fn set_potential_block(&mut self, block: usize, potentials: &PotentialBlock) {
        let PotentialBlock { threshold, reset, leak } = potentials;
        let neurons = block * BLOCK_SIZE..(block + 1) * BLOCK_SIZE;
        self.thresholds[neurons.clone()].copy_from_slice(threshold);
        self.leak_potentials[neurons].copy_from_slice(leak);
        let block = &mut self.blocks[block];
        block.threshold = *threshold;
        block.reset = *reset;
    }

    /// Prepares the propagators of intervals of these lengths. They serve until a neuron's time constants
    /// change.
    pub fn prepare(&mut self, lengths: &[f64], neurons: &[NeuronParameters]) {
        let lengths = lengths.iter().copied().filter(|&length| length > 0.0);
        self.propagators = lengths.map(|length| IntervalPropagator::new(length, neurons)).collect();
        let prepared = self.propagators.iter().map(|propagator| propagator.length);
        self.longest_prepared = prepared.fold(0.0, f64::max);
        self.rate_range = Some(self.find_rate_range());
    }

    /// The prepared propagators.
    pub fn propagators(&self) -> &[IntervalPropagator] {
        &self.propagators
    }

    /// Index of the prepared propagator for an interval, whose length may deviate by the rounding of its end.
    #[inline(always)]
    pub fn find_propagator(&self, start: f64, end: f64) -> Option<usize> {
        let rounding = 4.0 * f64::EPSILON * end;
        if end - start > self.longest_prepared + rounding {
            return None;
        }
        let fits =
            |propagator: &IntervalPropagator| (end - start - propagator.length).abs() <= rounding;
        self.propagators.iter().position(fits)
    }

    /// Thresholds above each neuron's leak potential, padding included.
    pub fn thresholds(&self) -> &[f64] {
        &self.thresholds
    }

    /// Leak potentials, padding included.
    pub fn leak_potentials(&self) -> &[f64] {
        &self.leak_potentials
    }

    /// Number of neurons.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Number of blocks.
    pub fn block_count(&self) -> usize {
        self.blocks.len()
    }

    /// Whether excitatory and inhibitory currents decay differently.
    pub fn has_split_currents(&self) -> bool {
        self.has_split_currents
    }

    /// Keeps excitatory and inhibitory currents apart from now on, even if they decay alike.
    pub fn split_currents(&mut self) {
        self.has_split_currents = true;
    }

    /// The longest finite time constant of membranes and synapses, in time units.
    pub fn longest_time_constant(&self) -> f64 {
        1.0 / self.rate_range().slowest
    }

    pub(super) fn rate_range(&self) -> RateRange {
        self.rate_range.unwrap_or_else(|| self.find_rate_range())
    }

    fn find_rate_range(&self) -> RateRange {
        let mut range = RateRange { fastest: 0.0, slowest: f64::INFINITY, largest_difference: 0.0 };
        for neuron in 0..self.count {
            let (block, neuron) = (&self.blocks[neuron / BLOCK_SIZE], neuron % BLOCK_SIZE);
            let membrane = block.membrane_rate[neuron];
            let [excitatory, inhibitory] = [0, 1].map(|index| block.synaptic_rate[index][neuron]);
            for rate in [membrane, excitatory, inhibitory] {
                range.fastest = range.fastest.max(rate);
                range.largest_difference = range.largest_difference.max((rate - membrane).abs());
                if rate > 0.0 {
                    range.slowest = range.slowest.min(rate);
                }
            }
        }
        range
    }
}
