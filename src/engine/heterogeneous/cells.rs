//! A register of neurons, and what is known of them.

use pulp::Simd;

use super::blocks::Part;
use super::motion::{CLOSE_Z, Moment, SHORT, TINY, TINY_Z};
use super::neurons::{Gap, GapBlock, IndividualNeurons, NeuronBlock, RateRange};
use crate::simd::F64s;

/// What a stretch of time does to a register of neurons: see [`Gap`].
#[derive(Clone, Copy)]
pub struct Known<'a, S: Simd> {
    simd: S,
    part: Part<'a, GapBlock>,
}

impl<'a, S: Simd> Known<'a, S> {
    #[inline(always)]
    pub fn new(simd: S, gap: &'a Gap, register: usize) -> Self {
        Known { simd, part: Part::new::<S>(&gap.blocks, register) }
    }

    /// The state after the stretch.
    #[inline(always)]
    pub fn after<const SPLIT: bool>(&self, state: &Moment<S>) -> Moment<S> {
        let mut next = *state;
        next.potential = state.potential * self.part.load(self.simd, &self.part.decay);
        for index in 0..if SPLIT { 2 } else { 1 } {
            let current = state.currents[index];
            let response = self.part.load(self.simd, &self.part.response[index]);
            next.potential = current.multiply_add(response, next.potential);
            next.currents[index] = current * self.part.load(self.simd, &self.part.left[index]);
        }
        next
    }

    /// See [`GapBlock::bend`].
    #[inline(always)]
    pub fn bend(&self, index: usize) -> F64s<S> {
        self.part.load(self.simd, &self.part.bend[index])
    }
}

/// A register of neurons. What they are stays in memory, which it is read from where it is needed.
#[derive(Clone, Copy)]
pub struct Cells<'a, S: Simd> {
    pub simd: S,
    /// Which of the layer's registers it is.
    pub register: usize,
    part: Part<'a, NeuronBlock>,
    pub limits: Limits,
}

/// What is common to the neurons of a layer.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Stretches that are short for the fastest of the layer's rates.
    pub short: f64,
    /// Stretches that are tiny for it, and for the largest distance of two rates.
    pub tiny: f64,
    /// Stretches for which all of the layer's `|z|` are close.
    pub close: f64,
    /// Whether they spike only once: they are then refractory for ever.
    is_once: bool,
}

impl Limits {
    pub fn new(range: RateRange, is_once: bool) -> Self {
        Limits {
            short: SHORT / range.fastest,
            tiny: (TINY / range.fastest).min(TINY_Z / range.largest_distance),
            close: CLOSE_Z / range.largest_distance,
            is_once,
        }
    }
}

/// Functions that read a column.
macro_rules! columns {
    ($($(#[$doc:meta])* $name:ident)*) => {
        $($(#[$doc])*
        #[inline(always)]
        pub fn $name(&self) -> F64s<S> {
            self.part.load(self.simd, &self.part.$name)
        })*
    };
}

impl<'a, S: Simd> Cells<'a, S> {
    #[inline(always)]
    pub fn new(simd: S, neurons: &'a IndividualNeurons, register: usize, limits: Limits) -> Self {
        Cells { simd, register, part: Part::new::<S>(&neurons.blocks, register), limits }
    }

    /// For how long a spike makes them refractory.
    #[inline(always)]
    pub fn refractory_period(&self) -> F64s<S> {
        if self.limits.is_once {
            F64s::splat(self.simd, f64::INFINITY)
        } else {
            self.part.load(self.simd, &self.part.refractory_period)
        }
    }

    columns! {
        /// `λ_m`
        membrane
        /// `1/C`
        inverse_capacitance
        threshold
        reset
    }

    /// `λ_s` of one of the currents.
    #[inline(always)]
    pub fn synaptic(&self, current: usize) -> F64s<S> {
        self.part.load(self.simd, &self.part.synaptic[current])
    }

    /// `λ_m − λ_s`
    #[inline(always)]
    pub fn distance(&self, current: usize) -> F64s<S> {
        self.part.load(self.simd, &self.part.distance[current])
    }

    /// `a_e` and `a_i` of `convexity`.
    #[inline(always)]
    pub fn against_convexity(&self, current: usize) -> F64s<S> {
        self.part.load(self.simd, &self.part.against_convexity[current])
    }

    /// `C λ_m ϑ`, the current that holds the potential at the threshold.
    #[inline(always)]
    pub fn rheobase(&self) -> F64s<S> {
        let leak_conductance: F64s<S> = self.part.load(self.simd, &self.part.leak_conductance);
        leak_conductance * self.threshold()
    }

    /// `λ_m` times that.
    #[inline(always)]
    pub fn membrane_rheobase(&self) -> F64s<S> {
        self.membrane() * self.rheobase()
    }
}
