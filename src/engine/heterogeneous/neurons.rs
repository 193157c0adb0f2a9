//! Neurons and their states of a layer in columns, padded so that they fill whole registers on
//! every machine.

use super::blocks::{Column, MomentColumns, PADDING};
use crate::neuron::{Dynamics, NeuronParameters, ParameterError, State};

/// The neurons of a layer, each with parameters of its own. Potentials are relative to each neuron's
/// leak potential.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct IndividualNeurons {
    count: usize,
    is_split: bool,
    pub(super) blocks: Vec<NeuronBlock>,
    thresholds: Vec<f64>,
    leak: Vec<f64>,
    /// None while it is not known.
    rate_range: Option<RateRange>,
    /// Stretches of time whose effect is known in advance.
    pub(super) gaps: Vec<Gap>,
    longest_gap: f64,
}

/// The potentials of eight neurons.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LevelBlock {
    /// Above the leak potential.
    pub threshold: Column,
    /// Above the leak potential.
    pub reset: Column,
    /// The leak potential itself.
    pub leak: Column,
}

/// Eight neurons.
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(align(64))]
pub(super) struct NeuronBlock {
    /// `λ_m = 1/τ_m`
    pub membrane: Column,
    /// `λ_s = 1/τ_s` of excitatory and inhibitory synapses.
    pub synaptic: [Column; 2],
    /// `λ_m − λ_s`
    pub distance: [Column; 2],
    /// `1/C`
    pub inverse_capacitance: Column,
    /// `C λ_m`
    pub leak_conductance: Column,
    /// `a_e` and `a_i` of `convexity`.
    pub against_convexity: [Column; 2],
    pub threshold: Column,
    pub reset: Column,
    pub refractory_period: Column,
}

impl NeuronBlock {
    /// Padding never spikes.
    const PADDING: NeuronBlock = {
        let (zero, one) = ([0.0; PADDING], [1.0; PADDING]);
        NeuronBlock {
            membrane: one,
            synaptic: [one; 2],
            distance: [zero; 2],
            inverse_capacitance: one,
            leak_conductance: one,
            against_convexity: [zero; 2],
            threshold: [f64::INFINITY; PADDING],
            reset: zero,
            refractory_period: zero,
        }
    };
}

/// What a stretch of time of one length does to each neuron.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Gap {
    pub length: f64,
    pub blocks: Vec<GapBlock>,
}

/// What it does to eight neurons.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[repr(align(64))]
pub(super) struct GapBlock {
    /// `e^(−λ_m t)`
    pub decay: Column,
    /// `e^(−λ_s t)` of both currents.
    pub left: [Column; 2],
    /// `K(t)/C` of both currents.
    pub response: [Column; 2],
    /// What the excitatory current and a depth below zero add to the ceiling
    /// ([`super::cells::Cells::ceiling`]).
    pub bend: [Column; 2],
}

impl Gap {
    pub fn new(length: f64, neurons: &[NeuronParameters]) -> Self {
        let blocks = neurons.len().div_ceil(PADDING);
        let mut gap = Gap { length, blocks: vec![GapBlock::default(); blocks] };
        for (index, neuron) in neurons.iter().enumerate() {
            gap.set(index, neuron);
        }
        gap
    }

    fn set(&mut self, index: usize, neuron: &NeuronParameters) {
        let Ok(dynamics) = Dynamics::new(neuron) else { return };
        let propagator = dynamics.propagator(self.length);
        let after = |mut state: State| {
            propagator.apply(&mut state);
            state
        };
        let unit = |potential, current, inhibitory_current| {
            after(State { potential, current, inhibitory_current })
        };
        let still = unit(0.0, 0.0, 0.0).potential;
        let (block, index) = (&mut self.blocks[index / PADDING], index % PADDING);
        block.decay[index] = unit(1.0, 0.0, 0.0).potential - still;
        let excitatory = unit(0.0, 1.0, 0.0);
        let inhibitory =
            if dynamics.has_split_currents() { unit(0.0, 0.0, 1.0) } else { excitatory };
        block.left[0][index] = excitatory.current;
        block.response[0][index] = excitatory.potential - still;
        block.response[1][index] = inhibitory.potential - still;
        block.left[1][index] = inhibitory.current + inhibitory.inhibitory_current;
        let (membrane, synaptic) = (1.0 / neuron.tau_m, 1.0 / neuron.tau_s);
        let eighth = 0.125 * self.length * self.length;
        block.bend[0][index] = (membrane + synaptic) / neuron.capacitance * eighth;
        block.bend[1][index] = membrane * membrane * eighth;
    }
}

impl IndividualNeurons {
    /// Puts neurons into columns. They have no bias currents and start at rest, whatever their
    /// parameters say of that.
    ///
    /// # Errors
    /// If a parameter is out of its range.
    pub fn new(neurons: &[NeuronParameters]) -> Result<Self, ParameterError> {
        let blocks = neurons.len().div_ceil(PADDING);
        let mut columns = IndividualNeurons {
            count: neurons.len(),
            is_split: neurons.iter().any(|neuron| neuron.tau_s_inhibitory != neuron.tau_s),
            blocks: vec![NeuronBlock::PADDING; blocks],
            thresholds: vec![f64::INFINITY; blocks * PADDING],
            leak: vec![0.0; blocks * PADDING],
            rate_range: None,
            gaps: Vec::new(),
            longest_gap: 0.0,
        };
        for (index, neuron) in neurons.iter().enumerate() {
            neuron.validate()?;
            columns.set(index, neuron);
        }
        Ok(columns)
    }

    /// Gives a neuron other parameters, which must be valid. A layer whose synaptic time constants are
    /// not split stays so.
    pub fn set(&mut self, index: usize, neuron: &NeuronParameters) {
        self.set_potentials(index, neuron);
        let inhibitory = if self.is_split { neuron.tau_s_inhibitory } else { neuron.tau_s };
        let rates = [1.0 / neuron.tau_m, 1.0 / neuron.tau_s, 1.0 / inhibitory];
        let inverse_capacitance = 1.0 / neuron.capacitance;
        let (block, index) = (&mut self.blocks[index / PADDING], index % PADDING);
        let [excitatory, inhibitory] = &mut block.synaptic;
        let before = [block.membrane[index], excitatory[index], inhibitory[index]];
        if rates == before && inverse_capacitance == block.inverse_capacitance[index] {
            return;
        }
        [block.membrane[index], excitatory[index], inhibitory[index]] = rates;
        block.inverse_capacitance[index] = inverse_capacitance;
        block.leak_conductance[index] = neuron.capacitance / neuron.tau_m;
        [block.distance[0][index], block.distance[1][index]] =
            [rates[0] - rates[1], rates[0] - rates[2]];
        [block.against_convexity[0][index], block.against_convexity[1][index]] =
            against_convexity(rates);
        // What was prepared holds no longer.
        self.rate_range = None;
        self.gaps.clear();
    }

    /// Gives a neuron the potentials and the refractory period of these parameters, which must be valid.
    pub fn set_potentials(&mut self, index: usize, neuron: &NeuronParameters) {
        let leak = neuron.leak_potential;
        let [threshold, reset] = [neuron.threshold - leak, neuron.reset_potential - leak];
        self.thresholds[index] = threshold;
        self.leak[index] = leak;
        let (block, index) = (&mut self.blocks[index / PADDING], index % PADDING);
        block.threshold[index] = threshold;
        block.reset[index] = reset;
        block.refractory_period[index] = neuron.refractory_period;
    }

    /// Gives eight neurons other potentials: `block` counts them. Those that complete the last eight must
    /// have infinite thresholds.
    #[inline(always)]
    pub fn set_levels(&mut self, block: usize, levels: &LevelBlock) {
        let LevelBlock { threshold, reset, leak } = levels;
        let neurons = block * PADDING..(block + 1) * PADDING;
        self.thresholds[neurons.clone()].copy_from_slice(threshold);
        self.leak[neurons].copy_from_slice(leak);
        let block = &mut self.blocks[block];
        block.threshold = *threshold;
        block.reset = *reset;
    }

    /// Computes in advance what these stretches of time do, for as long as no neuron's time constants
    /// change.
    pub fn prepare(&mut self, lengths: &[f64], neurons: &[NeuronParameters]) {
        let lengths = lengths.iter().copied().filter(|&length| length > 0.0);
        self.gaps = lengths.map(|length| Gap::new(length, neurons)).collect();
        self.longest_gap = self.gaps.iter().fold(0.0, |longest, gap| gap.length.max(longest));
        self.rate_range = Some(self.find_rate_range());
    }

    /// Which of the prepared stretches is of this length up to the rounding of its end, if one is.
    #[inline(always)]
    pub(super) fn gap(&self, start: f64, end: f64) -> Option<usize> {
        let rounding = 4.0 * f64::EPSILON * end;
        if end - start > self.longest_gap + rounding {
            return None;
        }
        self.gaps.iter().position(|gap| (end - start - gap.length).abs() <= rounding)
    }

    /// Thresholds above each neuron's leak potential, padding included.
    pub fn thresholds(&self) -> &[f64] {
        &self.thresholds
    }

    /// Number of neurons.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Whether excitatory and inhibitory synaptic time constants differ.
    pub fn is_split(&self) -> bool {
        self.is_split
    }

    /// Has excitatory and inhibitory currents apart from now on, even if their time constants are equal.
    pub fn split(&mut self) {
        self.is_split = true;
    }

    /// The longest of all membrane and synaptic time constants that are finite, in time units.
    pub fn longest_time_constant(&self) -> f64 {
        1.0 / self.rate_range().slowest
    }

    /// What is known of all rates.
    pub(super) fn rate_range(&self) -> RateRange {
        self.rate_range.unwrap_or_else(|| self.find_rate_range())
    }

    fn find_rate_range(&self) -> RateRange {
        let mut range = RateRange { fastest: 0.0, slowest: f64::INFINITY, largest_distance: 0.0 };
        for neuron in 0..self.count {
            let (block, neuron) = (&self.blocks[neuron / PADDING], neuron % PADDING);
            let membrane = block.membrane[neuron];
            for rate in [membrane, block.synaptic[0][neuron], block.synaptic[1][neuron]] {
                range.fastest = range.fastest.max(rate);
                range.largest_distance = range.largest_distance.max((rate - membrane).abs());
                if rate > 0.0 {
                    range.slowest = range.slowest.min(rate);
                }
            }
        }
        range
    }
}

/// What is known of all rates of a layer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct RateRange {
    pub fastest: f64,
    /// The slowest that is not zero.
    pub slowest: f64,
    /// Between a neuron's membrane and its synapses.
    pub largest_distance: f64,
}

/// See `convexity`: rates are those of the membrane, and of excitatory and inhibitory synapses. Infinite if
/// the membrane does not leak: then nothing counts as convex.
fn against_convexity([membrane, excitatory, inhibitory]: [f64; 3]) -> [f64; 2] {
    if membrane == 0.0 {
        return [f64::INFINITY; 2];
    }
    let slower = membrane - excitatory;
    let faster = (inhibitory - membrane).max(0.0);
    let [by_excitatory, by_inhibitory] = [slower / membrane, faster / membrane].map(|by| by * by);
    let by_excitatory = by_excitatory.max(by_excitatory * by_excitatory);
    let by_inhibitory = by_inhibitory.max(by_inhibitory * by_inhibitory).max(1.0);
    [slower.max(membrane * by_excitatory), faster * by_inhibitory]
}

/// What the neurons of a layer carry from one sample to the next.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NeuronStates {
    pub(super) blocks: Vec<StateBlock>,
    leak: Vec<f64>,
}

/// The states of eight neurons.
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(align(64))]
pub(super) struct StateBlock {
    /// Potentials are relative to the leak potential; the first current is both if they share a time
    /// constant.
    pub moment: MomentColumns,
    /// End of the refractory period, of a parked neuron the earliest that it can be, counted from the start
    /// of the sample: negative or −∞ if it is over.
    pub release: Column,
}

impl StateBlock {
    const AT_REST: StateBlock =
        StateBlock { moment: MomentColumns::ZERO, release: [f64::NEG_INFINITY; PADDING] };
}

impl NeuronStates {
    /// All neurons at rest.
    pub fn at_rest(neurons: &IndividualNeurons) -> Self {
        let mut states = NeuronStates::default();
        states.reset(neurons);
        states
    }

    /// Puts all neurons to rest.
    pub fn reset(&mut self, neurons: &IndividualNeurons) {
        self.blocks.clear();
        self.blocks.resize(neurons.blocks.len(), StateBlock::AT_REST);
        self.leak.clone_from(&neurons.leak);
    }

    /// Neurons whose leak potentials have changed keep their membrane potentials.
    #[inline(always)]
    pub fn adapt(&mut self, neurons: &IndividualNeurons) {
        let leaks = self.leak.chunks_exact_mut(PADDING).zip(neurons.leak.chunks_exact(PADDING));
        for (block, (before, now)) in self.blocks.iter_mut().zip(leaks) {
            for ((potential, before), &now) in
                block.moment.potential.iter_mut().zip(before).zip(now)
            {
                *potential += *before - now;
                *before = now;
            }
        }
    }
}
