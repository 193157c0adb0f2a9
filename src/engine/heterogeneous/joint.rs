//! Volleys that are the same in every sample: the spikes of rows that always fire together, as the copies of
//! an input do, and that a link sends one after the other.
//!
//! What such a volley adds to a neuron's state does not depend on that state, nor on when it comes, and is
//! summed once for given weights. With `P` for what the stretch between two arrivals does to a state, and
//! `w_0 … w_n` for the arrivals,
//!
//! ```text
//! P(… P(P(x + w_0) + w_1) …) + w_n = Pⁿ x + (Pⁿ w_0 + … + P w_(n−1) + w_n)
//! ```

use std::ops::Range;
use std::sync::Arc;

use pulp::{Arch, Simd, WithSimd};

use super::SynapseColumns;
use super::blocks::{Column, MomentColumns, PADDING, Part, Place};
use super::cells::Known;
use super::motion::Moment;
use super::neurons::{Gap, IndividualNeurons};
use crate::engine::layered::Arrival;
use crate::neuron::NeuronParameters;
use crate::simd::F64s;

/// Rows whose arrivals follow each other at one interval, and what they do together.
#[derive(Clone, Debug)]
pub struct JointRows {
    rows: Range<u32>,
    interval: f64,
    /// What the time from the first to the last does; shared by all of as many rows.
    passage: Arc<Gap>,
    blocks: Vec<JointBlock>,
}

/// What they do to eight neurons.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
struct JointBlock {
    /// What is added to the state.
    effect: MomentColumns,
    /// Sum of the positive weights.
    push: Column,
}

impl JointRows {
    /// For ranges of rows of a layer of these neurons, which have been told of the interval
    /// ([`IndividualNeurons::prepare`]). They have no weights until they are [`set`](Self::set).
    pub fn new(
        rows: impl IntoIterator<Item = Range<u32>>,
        interval: f64,
        neurons: &[NeuronParameters],
    ) -> Vec<Self> {
        let nothing = JointBlock { effect: MomentColumns::ZERO, push: [0.0; PADDING] };
        let blocks = vec![nothing; neurons.len().div_ceil(PADDING)];
        let mut joint: Vec<Self> = Vec::new();
        for rows in rows.into_iter().filter(|rows| rows.len() > 1) {
            let length = interval * (rows.len() - 1) as f64;
            let mut known = joint.iter().map(|other| &other.passage);
            let known = known.find(|passage| passage.length == length);
            let passage = known.cloned().unwrap_or_else(|| Arc::new(Gap::new(length, neurons)));
            joint.push(JointRows { rows, interval, passage, blocks: blocks.clone() });
        }
        joint.sort_by_key(|joint| joint.rows.start);
        joint
    }

    /// Sums what they do with these weights.
    pub fn set(&mut self, arch: Arch, neurons: &IndividualNeurons, synapses: &SynapseColumns) {
        arch.dispatch(Sum { joint: self, neurons, synapses });
    }

    /// Which of them, in the order of their rows, a volley is.
    #[inline(always)]
    pub(super) fn of<'a>(
        joint: &'a [Self],
        arrivals: &[Arrival],
        gap: Option<&Gap>,
    ) -> Option<&'a Self> {
        let (gap, first) = (gap?, arrivals[0].row);
        let place = joint.binary_search_by_key(&first, |joint| joint.rows.start).ok()?;
        let JointRows { rows, interval, .. } = &joint[place];
        let are_they = arrivals.len() == rows.len()
            && gap.length == *interval
            && (first..).zip(arrivals).all(|(row, arrival)| arrival.row == row);
        are_they.then_some(&joint[place])
    }

    /// What the volley makes of a state before its first arrival, and the sum of its positive weights.
    #[inline(always)]
    pub(super) fn after<S: Simd, const SPLIT: bool>(
        &self,
        simd: S,
        register: usize,
        state: &Moment<S>,
    ) -> (Moment<S>, F64s<S>) {
        let part = Part::new::<S>(&self.blocks, register);
        let mut next = Known::new(simd, &self.passage, register).after::<SPLIT>(state);
        let effect = part.moment(simd, &part.effect);
        next.potential = next.potential + effect.potential;
        for index in 0..if SPLIT { 2 } else { 1 } {
            next.currents[index] = next.currents[index] + effect.currents[index];
        }
        (next, part.load(simd, &part.push))
    }
}

struct Sum<'a> {
    joint: &'a mut JointRows,
    neurons: &'a IndividualNeurons,
    synapses: &'a SynapseColumns,
}

impl WithSimd for Sum<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Sum { joint, neurons, synapses } = self;
        let Some(gap) = neurons.gaps.iter().find(|gap| gap.length == joint.interval) else {
            return;
        };
        for register in 0..joint.blocks.len() * PADDING / S::F64_LANES {
            let known = Known::new(simd, gap, register);
            let mut state = Moment::at_rest(simd);
            let mut push = F64s::splat(simd, 0.0);
            for row in joint.rows.clone() {
                let weights = synapses.row(simd, row, register);
                if row > joint.rows.start {
                    state = known.after::<true>(&state);
                }
                if neurons.is_split() {
                    state.receive::<true>(simd, weights);
                } else {
                    state.receive::<false>(simd, weights);
                }
                push = push + weights.max(F64s::splat(simd, 0.0));
            }
            let place = Place::new::<S>(register);
            let block = &mut joint.blocks[place.block];
            block.effect.store(place, &state);
            place.store(push, &mut block.push);
        }
    }
}
