//! Registers of neurons: the parameters that the equations read.

use pulp::Simd;

use super::blocks::{BLOCK_SIZE, BlockSlice};
use super::neurons::{HeterogeneousNeurons, NeuronBlock};
use super::params::PARAMS;
use crate::simd::F64s;

/// The neurons of a layer, from which registers are taken.
#[derive(Clone, Copy)]
pub struct LayerLanes<'a> {
    neurons: &'a HeterogeneousNeurons,
    limits: IntervalLimits,
    spikes_once: bool,
}

/// The longest intervals, in time units, for which each short series serves all neurons of a layer.
#[derive(Clone, Copy, Debug)]
pub(super) struct IntervalLimits {
    /// See [`super::params::KernelParams::short_interval`].
    pub short: f64,
    /// See [`super::params::KernelParams::tiny_interval`] and its `tiny_z`.
    pub tiny: f64,
    /// See [`super::params::KernelParams::close_z`].
    pub close: f64,
}

impl<'a> LayerLanes<'a> {
    /// `spikes_once`: whether each neuron spikes only once, and is refractory for ever after.
    pub fn new(neurons: &'a HeterogeneousNeurons, spikes_once: bool) -> Self {
        let rates = neurons.rate_range();
        let limits = IntervalLimits {
            short: PARAMS.short_interval / rates.fastest,
            tiny: (PARAMS.tiny_interval / rates.fastest)
                .min(PARAMS.tiny_z / rates.largest_difference),
            close: PARAMS.close_z / rates.largest_difference,
        };
        LayerLanes { neurons, limits, spikes_once }
    }

    /// Number of registers, those of padding included.
    #[inline(always)]
    pub fn register_count<S: Simd>(&self) -> usize {
        self.neurons.block_count() * BLOCK_SIZE / S::F64_LANES
    }

    /// One of the registers.
    #[inline(always)]
    pub fn register<S: Simd>(&self, simd: S, register: usize) -> NeuronLanes<'a, S> {
        let &LayerLanes { neurons, limits, spikes_once } = self;
        let part = BlockSlice::new::<S>(&neurons.blocks, register);
        NeuronLanes { simd, register, part, limits, spikes_once }
    }
}

/// A register of neurons. Their parameters stay in memory and are loaded where they are needed.
#[derive(Clone, Copy)]
pub struct NeuronLanes<'a, S: Simd> {
    pub simd: S,
    /// Which of the layer's registers it is.
    pub register: usize,
    part: BlockSlice<'a, NeuronBlock>,
    pub(super) limits: IntervalLimits,
    spikes_once: bool,
}

/// Functions that load a column.
macro_rules! columns {
    ($($(#[$doc:meta])* $name:ident)*) => {
        $($(#[$doc])*
        #[inline(always)]
        pub fn $name(&self) -> F64s<S> {
            self.part.load(self.simd, &self.part.$name)
        })*
    };
}

impl<S: Simd> NeuronLanes<'_, S> {
    /// The refractory period; infinite if neurons spike only once.
    #[inline(always)]
    pub fn refractory_period(&self) -> F64s<S> {
        if self.spikes_once {
            F64s::splat(self.simd, f64::INFINITY)
        } else {
            self.part.load(self.simd, &self.part.refractory_period)
        }
    }

    columns! {
        /// `λ_m`
        membrane_rate
        /// `1/C`
        inverse_capacitance
        threshold
        reset
    }

    /// `λ_s` of one of the currents.
    #[inline(always)]
    pub(super) fn synaptic_rate(&self, current: usize) -> F64s<S> {
        self.part.load(self.simd, &self.part.synaptic_rate[current])
    }

    /// `λ_m − λ_s`
    #[inline(always)]
    pub(super) fn rate_difference(&self, current: usize) -> F64s<S> {
        self.part.load(self.simd, &self.part.rate_difference[current])
    }

    /// `a_e` and `a_i` of `convexity`.
    #[inline(always)]
    pub(super) fn convexity_coefficient(&self, current: usize) -> F64s<S> {
        self.part.load(self.simd, &self.part.convexity_coefficients[current])
    }

    /// `C λ_m ϑ`, the current that holds the potential at the threshold.
    #[inline(always)]
    pub(super) fn rheobase(&self) -> F64s<S> {
        let leak_conductance: F64s<S> = self.part.load(self.simd, &self.part.leak_conductance);
        leak_conductance * self.threshold()
    }

    /// `λ_m` times the rheobase.
    #[inline(always)]
    pub(super) fn membrane_rheobase(&self) -> F64s<S> {
        self.membrane_rate() * self.rheobase()
    }
}
