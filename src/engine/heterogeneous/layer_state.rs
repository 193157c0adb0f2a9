//! Where the neurons of a layer are in a sample, in blocks of eight, and what they carry to the next.

use pulp::Simd;

use super::spike_search::SearchBlock;
use crate::neuron::heterogeneous::{
    BLOCK_SIZE, BlockSlice, Column, HeterogeneousNeurons, MembraneState, Position, StateColumns,
};
use crate::simd::{F64s, Mask};

/// What the neurons of a layer carry from one sample to the next.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NeuronStates {
    pub(super) blocks: Vec<StateBlock>,
    leak_potentials: Vec<f64>,
}

/// The states of eight neurons.
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(align(64))]
pub(super) struct StateBlock {
    /// Potentials are relative to the leak potential.
    pub state: StateColumns,
    /// End of the refractory period, from the start of the sample: negative or −∞ if it is over. For a
    /// pending spike, the earliest that it can be.
    pub release: Column,
}

impl StateBlock {
    const AT_REST: StateBlock =
        StateBlock { state: StateColumns::AT_REST, release: [f64::NEG_INFINITY; BLOCK_SIZE] };
}

impl NeuronStates {
    /// All neurons at rest.
    #[cfg(test)]
    pub fn at_rest(neurons: &HeterogeneousNeurons) -> Self {
        let mut states = NeuronStates::default();
        states.reset(neurons);
        states
    }

    /// Puts all neurons to rest.
    pub fn reset(&mut self, neurons: &HeterogeneousNeurons) {
        self.blocks.clear();
        self.blocks.resize(neurons.block_count(), StateBlock::AT_REST);
        self.leak_potentials.clear();
        self.leak_potentials.extend_from_slice(neurons.leak_potentials());
    }

    /// Neurons whose leak potentials have changed keep their membrane potentials.
    #[inline(always)]
    pub fn adapt(&mut self, neurons: &HeterogeneousNeurons) {
        let before = self.leak_potentials.chunks_exact_mut(BLOCK_SIZE);
        let leaks = before.zip(neurons.leak_potentials().chunks_exact(BLOCK_SIZE));
        for (block, (before, now)) in self.blocks.iter_mut().zip(leaks) {
            for ((potential, before), &now) in block.state.potential.iter_mut().zip(before).zip(now)
            {
                *potential += *before - now;
                *before = now;
            }
        }
    }
}

/// Pending spikes of a register: each neuron spikes on a known interval; the time is not computed yet.
#[derive(Clone, Copy)]
pub struct PendingSpikes<S: Simd> {
    /// The state at the start of the interval.
    pub start: MembraneState<S>,
    /// When the interval starts; infinite for neurons without a pending spike.
    pub since: F64s<S>,
    /// Length of the interval.
    pub length: F64s<S>,
}

impl<S: Simd> PendingSpikes<S> {
    /// Which neurons have one.
    #[inline(always)]
    pub fn mask(&self, simd: S) -> Mask<S> {
        F64s::splat(simd, f64::INFINITY).above(self.since)
    }

    /// Adds those of neurons that are in these states at the start of one interval.
    #[inline(always)]
    pub fn with(
        self,
        more: Mask<S>,
        start: &MembraneState<S>,
        since: F64s<S>,
        length: F64s<S>,
    ) -> Self {
        PendingSpikes {
            start: start.or(more, self.start),
            since: more.select(since, self.since),
            length: more.select(length, self.length),
        }
    }
}

/// Pending spikes of eight neurons.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
pub struct PendingBlock {
    start: StateColumns,
    since: Column,
    length: Column,
}

impl PendingBlock {
    pub const NONE: PendingBlock = PendingBlock {
        start: StateColumns::AT_REST,
        since: [f64::INFINITY; BLOCK_SIZE],
        length: [0.0; BLOCK_SIZE],
    };

    pub fn clear(&mut self) {
        self.since = [f64::INFINITY; BLOCK_SIZE];
    }
}

/// Which neurons are refractory from one time to another, and which are released between the two.
#[inline(always)]
pub fn held_and_released<S: Simd>(release: F64s<S>, from: F64s<S>, to: F64s<S>) -> [Mask<S>; 2] {
    let held = release.at_least(to);
    [held, release.at_least(from).and_not(held)]
}

/// All neurons of a layer at some time.
pub struct LayerState<'a> {
    pub states: &'a mut [StateBlock],
    pub pending: &'a mut [PendingBlock],
    pub searches: &'a mut [SearchBlock],
}

impl LayerState<'_> {
    #[inline(always)]
    pub fn state<S: Simd>(&self, simd: S, register: usize) -> MembraneState<S> {
        let part = BlockSlice::new::<S>(self.states, register);
        part.state(simd, &part.state)
    }

    #[inline(always)]
    pub fn release<S: Simd>(&self, simd: S, register: usize) -> F64s<S> {
        let part = BlockSlice::new::<S>(self.states, register);
        part.load(simd, &part.release)
    }

    #[inline(always)]
    pub fn set<S: Simd>(&mut self, register: usize, state: &MembraneState<S>, release: F64s<S>) {
        let position = Position::new::<S>(register);
        let block = &mut self.states[position.block];
        block.state.store(position, state);
        position.store(release, &mut block.release);
    }

    #[inline(always)]
    pub fn set_release<S: Simd>(&mut self, register: usize, release: F64s<S>) {
        let position = Position::new::<S>(register);
        position.store(release, &mut self.states[position.block].release);
    }

    #[inline(always)]
    pub fn pending<S: Simd>(&self, simd: S, register: usize) -> PendingSpikes<S> {
        let part = BlockSlice::new::<S>(self.pending, register);
        PendingSpikes {
            start: part.state(simd, &part.start),
            since: part.load(simd, &part.since),
            length: part.load(simd, &part.length),
        }
    }

    #[inline(always)]
    pub fn set_pending<S: Simd>(&mut self, register: usize, pending: &PendingSpikes<S>) {
        let position = Position::new::<S>(register);
        let block = &mut self.pending[position.block];
        block.start.store(position, &pending.start);
        position.store(pending.since, &mut block.since);
        position.store(pending.length, &mut block.length);
    }

    #[inline(always)]
    pub fn clear_pending<S: Simd>(&mut self, simd: S, register: usize) {
        let position = Position::new::<S>(register);
        position.store(F64s::splat(simd, f64::INFINITY), &mut self.pending[position.block].since);
    }
}
