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

use pulp::{Arch, Simd, WithSimd};

use super::SynapseColumns;
use super::blocks::{Column, MomentColumns, PADDING, Part, Place};
use super::cells::Known;
use super::motion::Moment;
use super::neurons::{Gap, IndividualNeurons};
use crate::engine::feed_forward::Arrival;
use crate::engine::feed_forward::elementary::Doubles;
use crate::neuron::NeuronParameters;

/// Rows whose arrivals follow each other at one interval, and what they do together.
#[derive(Clone, Debug)]
pub struct JointRows {
    rows: Range<u32>,
    interval: f64,
    /// What the time from the first to the last does.
    pub(super) passage: Gap,
    pub(super) blocks: Vec<JointBlock>,
}

/// What they do to eight neurons.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
pub(super) struct JointBlock {
    /// What is added to the state.
    pub effect: MomentColumns,
    /// Sum of the positive weights.
    pub push: Column,
}

impl JointRows {
    /// For rows of a layer of these neurons, who have been told of the interval
    /// ([`IndividualNeurons::prepare`]). They have no weights until [`set`](Self::set).
    pub fn new(rows: Range<u32>, interval: f64, neurons: &[NeuronParameters]) -> Self {
        let length = interval * f64::from((rows.end - rows.start).saturating_sub(1));
        let nothing = JointBlock { effect: MomentColumns::ZERO, push: [0.0; PADDING] };
        JointRows {
            rows,
            interval,
            passage: Gap::new(length, neurons),
            blocks: vec![nothing; neurons.len().div_ceil(PADDING)],
        }
    }

    /// Sums what they do with these weights.
    pub fn set(&mut self, arch: Arch, neurons: &IndividualNeurons, synapses: &SynapseColumns) {
        arch.dispatch(Sum { joint: self, neurons, synapses });
    }

    /// Whether a volley is theirs.
    #[inline(always)]
    pub(super) fn are(&self, arrivals: &[Arrival], gap: Option<&Gap>) -> bool {
        let (first, count) = (self.rows.start, self.rows.len());
        arrivals.len() == count
            && arrivals[0].row == first
            && gap.is_some_and(|gap| gap.length == self.interval)
            && (first..).zip(arrivals).all(|(row, arrival)| arrival.row == row)
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
            let mut push = Doubles::splat(simd, 0.0);
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
                push = push + weights.max(Doubles::splat(simd, 0.0));
            }
            let place = Place::new::<S>(register);
            let block = &mut joint.blocks[place.block];
            block.effect.store(place, &state);
            place.store(push, &mut block.push);
        }
    }
}

impl JointRows {
    /// What the volley makes of a state before its first arrival, and the sum of its positive weights.
    #[inline(always)]
    pub(super) fn after<S: Simd, const SPLIT: bool>(
        &self,
        simd: S,
        register: usize,
        state: &Moment<S>,
    ) -> (Moment<S>, Doubles<S>) {
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
