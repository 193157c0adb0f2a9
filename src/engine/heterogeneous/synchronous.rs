//! Synchronous inputs: rows that always spike together, as the copies of an input do. A link sends them
//! as a burst that is the same in every sample.
//!
//! What such a burst adds to a neuron's state depends neither on that state nor on the time, and is summed
//! once for given weights. With `P` for the propagator between two arrivals, and `w_0 … w_n` for the
//! arrivals,
//!
//! ```text
//! P(… P(P(x + w_0) + w_1) …) + w_n = Pⁿ x + (Pⁿ w_0 + … + P w_(n−1) + w_n)
//! ```

use std::ops::Range;
use std::sync::Arc;

use pulp::{Arch, Simd, WithSimd};

use super::SynapseMatrix;
use crate::engine::layered::Arrival;
use crate::neuron::NeuronParameters;
use crate::neuron::heterogeneous::{
    BLOCK_SIZE, BlockSlice, Column, HeterogeneousNeurons, IntervalPropagator, MembraneState,
    Position, PropagatorLanes, StateColumns,
};
use crate::simd::F64s;

/// Rows whose arrivals follow each other at one interval, and their common effect.
#[derive(Clone, Debug)]
pub struct SynchronousInputs {
    rows: Range<u32>,
    interval: f64,
    /// From the first arrival to the last; shared by all inputs of as many rows.
    propagator: Arc<IntervalPropagator>,
    blocks: Vec<EffectBlock>,
}

/// Their effect on eight neurons.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
struct EffectBlock {
    /// What is added to the state.
    added: StateColumns,
    /// Sum of the positive weights.
    excitation: Column,
}

impl SynchronousInputs {
    /// For ranges of rows of a layer of these neurons, which have prepared the interval
    /// ([`HeterogeneousNeurons::prepare`]). They have no weights until they are [`set`](Self::set).
    pub fn new(
        rows: impl IntoIterator<Item = Range<u32>>,
        interval: f64,
        neurons: &[NeuronParameters],
    ) -> Vec<Self> {
        let nothing = EffectBlock { added: StateColumns::AT_REST, excitation: [0.0; BLOCK_SIZE] };
        let blocks = vec![nothing; neurons.len().div_ceil(BLOCK_SIZE)];
        let mut all: Vec<Self> = Vec::new();
        for rows in rows.into_iter().filter(|rows| rows.len() > 1) {
            let length = interval * (rows.len() - 1) as f64;
            let mut known = all.iter().map(|other| &other.propagator);
            let known = known.find(|propagator| propagator.length == length);
            let propagator = known
                .cloned()
                .unwrap_or_else(|| Arc::new(IntervalPropagator::new(length, neurons)));
            let blocks = blocks.clone();
            all.push(SynchronousInputs { rows, interval, propagator, blocks });
        }
        all.sort_by_key(|inputs| inputs.rows.start);
        all
    }

    /// Sums their effect with these weights.
    pub fn set(&mut self, arch: Arch, neurons: &HeterogeneousNeurons, synapses: &SynapseMatrix) {
        arch.dispatch(SumEffect { inputs: self, neurons, synapses });
    }

    /// Which of the inputs, sorted by their rows, a burst is.
    #[inline(always)]
    pub(super) fn of_burst<'a>(
        inputs: &'a [Self],
        arrivals: &[Arrival],
        propagator: Option<&IntervalPropagator>,
    ) -> Option<&'a Self> {
        let (propagator, first) = (propagator?, arrivals[0].row);
        let index = inputs.binary_search_by_key(&first, |inputs| inputs.rows.start).ok()?;
        let SynchronousInputs { rows, interval, .. } = &inputs[index];
        let is_same = arrivals.len() == rows.len()
            && propagator.length == *interval
            && (first..).zip(arrivals).all(|(row, arrival)| arrival.row == row);
        is_same.then_some(&inputs[index])
    }

    /// The state after the last arrival from that before the first, and the sum of the positive weights.
    #[inline(always)]
    pub(super) fn apply<S: Simd, const SPLIT: bool>(
        &self,
        simd: S,
        register: usize,
        state: &MembraneState<S>,
    ) -> (MembraneState<S>, F64s<S>) {
        let part = BlockSlice::new::<S>(&self.blocks, register);
        let propagator = PropagatorLanes::new(simd, &self.propagator, register);
        let mut next = propagator.propagate::<SPLIT>(state);
        let added = part.state(simd, &part.added);
        next.potential = next.potential + added.potential;
        for index in 0..if SPLIT { 2 } else { 1 } {
            next.currents[index] = next.currents[index] + added.currents[index];
        }
        (next, part.load(simd, &part.excitation))
    }
}

struct SumEffect<'a> {
    inputs: &'a mut SynchronousInputs,
    neurons: &'a HeterogeneousNeurons,
    synapses: &'a SynapseMatrix,
}

impl WithSimd for SumEffect<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let SumEffect { inputs, neurons, synapses } = self;
        let mut prepared = neurons.propagators().iter();
        let Some(propagator) = prepared.find(|prepared| prepared.length == inputs.interval) else {
            return;
        };
        for register in 0..inputs.blocks.len() * BLOCK_SIZE / S::F64_LANES {
            let propagator = PropagatorLanes::new(simd, propagator, register);
            let mut state = MembraneState::at_rest(simd);
            let mut excitation = F64s::splat(simd, 0.0);
            for row in inputs.rows.clone() {
                let weights = synapses.row(simd, row, register);
                if row > inputs.rows.start {
                    state = propagator.propagate::<true>(&state);
                }
                if neurons.has_split_currents() {
                    state.add_input::<true>(simd, weights);
                } else {
                    state.add_input::<false>(simd, weights);
                }
                excitation = excitation + weights.max(F64s::splat(simd, 0.0));
            }
            let position = Position::new::<S>(register);
            let block = &mut inputs.blocks[position.block];
            block.added.store(position, &state);
            position.store(excitation, &mut block.excitation);
        }
    }
}
