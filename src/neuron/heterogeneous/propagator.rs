//! Propagators that are prepared: what an interval of a known length does to every neuron of a layer.

use pulp::Simd;

use super::blocks::{BLOCK_SIZE, BlockSlice, Column};
use super::propagation::MembraneState;
use crate::neuron::{Dynamics, NeuronParameters, State};
use crate::simd::F64s;

/// The exact propagation of each neuron over an interval without input.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct IntervalPropagator {
    pub length: f64,
    blocks: Vec<PropagatorBlock>,
}

/// Its coefficients for eight neurons.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[repr(align(64))]
struct PropagatorBlock {
    /// `e^(−λ_m t)`
    membrane_decay: Column,
    /// `e^(−λ_s t)` of both currents.
    current_decay: [Column; 2],
    /// `K(t)/C` of both currents.
    response: [Column; 2],
    /// What the excitatory current and a potential below rest add to the bound of the potential
    /// ([`super::NeuronLanes::potential_bound`]).
    bound: [Column; 2],
}

impl IntervalPropagator {
    /// For an interval of this length, from the scalar propagator.
    pub fn new(length: f64, neurons: &[NeuronParameters]) -> Self {
        let blocks = neurons.len().div_ceil(BLOCK_SIZE);
        let blocks = vec![PropagatorBlock::default(); blocks];
        let mut propagator = IntervalPropagator { length, blocks };
        for (index, neuron) in neurons.iter().enumerate() {
            propagator.set(index, neuron);
        }
        propagator
    }

    fn set(&mut self, index: usize, neuron: &NeuronParameters) {
        let Ok(dynamics) = Dynamics::new(neuron) else { return };
        let propagator = dynamics.propagator(self.length);
        let after = |potential, current, inhibitory_current| {
            let mut state = State { potential, current, inhibitory_current };
            propagator.apply(&mut state);
            state
        };
        // A bias current is part of the scalar propagator, and none of this one.
        let bias = after(0.0, 0.0, 0.0).potential;
        let excitatory = after(0.0, 1.0, 0.0);
        let inhibitory =
            if dynamics.has_split_currents() { after(0.0, 0.0, 1.0) } else { excitatory };
        let (block, index) = (&mut self.blocks[index / BLOCK_SIZE], index % BLOCK_SIZE);
        block.membrane_decay[index] = after(1.0, 0.0, 0.0).potential - bias;
        block.current_decay[0][index] = excitatory.current;
        block.current_decay[1][index] = inhibitory.current + inhibitory.inhibitory_current;
        block.response[0][index] = excitatory.potential - bias;
        block.response[1][index] = inhibitory.potential - bias;
        let (membrane, synaptic) = (1.0 / neuron.tau_m, 1.0 / neuron.tau_s);
        let eighth = 0.125 * self.length * self.length;
        block.bound[0][index] = (membrane + synaptic) / neuron.capacitance * eighth;
        block.bound[1][index] = membrane * membrane * eighth;
    }
}

/// The propagator of a register of neurons.
#[derive(Clone, Copy)]
pub struct PropagatorLanes<'a, S: Simd> {
    simd: S,
    part: BlockSlice<'a, PropagatorBlock>,
}

impl<'a, S: Simd> PropagatorLanes<'a, S> {
    #[inline(always)]
    pub fn new(simd: S, propagator: &'a IntervalPropagator, register: usize) -> Self {
        PropagatorLanes { simd, part: BlockSlice::new::<S>(&propagator.blocks, register) }
    }

    /// The state at the end of the interval.
    #[inline(always)]
    pub fn propagate<const SPLIT: bool>(&self, state: &MembraneState<S>) -> MembraneState<S> {
        let mut next = *state;
        next.potential = state.potential * self.part.load(self.simd, &self.part.membrane_decay);
        for index in 0..if SPLIT { 2 } else { 1 } {
            let current = state.currents[index];
            let response = self.part.load(self.simd, &self.part.response[index]);
            let decay = self.part.load(self.simd, &self.part.current_decay[index]);
            next.potential = current.multiply_add(response, next.potential);
            next.currents[index] = current * decay;
        }
        next
    }

    /// What one unit of the excitatory current, and one of a potential below rest, add to the bound of the
    /// potential.
    #[inline(always)]
    pub(super) fn bound_coefficients(&self) -> [F64s<S>; 2] {
        let [of_excitation, of_depth] = &self.part.bound;
        [self.part.load(self.simd, of_excitation), self.part.load(self.simd, of_depth)]
    }
}
