//! The slow path: a register of neurons through an interval and a burst on which a neuron is released or
//! may spike, arrival by arrival.
//!
//! Synaptic currents survive a spike, and the potential stays at the reset while the neuron is refractory.
//! So the state after a spike does not depend on its time. A neuron that stays refractory beyond the interval
//! of its spike therefore keeps the spike pending, with the state at the start of that interval. The times
//! of all pending spikes of a register are computed together when a refractory period may end, and those of
//! all registers side by side at the end (`final_interval`).

use pulp::{Simd, WithSimd};

use super::LayerSpike;
use super::event_loop::Interval;
use super::layer_state::{LayerState, held_and_released};
use super::spike_search::SpikeSearch;
use crate::neuron::heterogeneous::{MembraneState, NeuronLanes, first_crossing};
use crate::simd::{F64s, Mask};

/// A register that takes the slow path.
pub struct SlowPath<'a, 'b, S: Simd, const SPLIT: bool> {
    pub simd: S,
    pub interval: &'a Interval<'a>,
    pub register: usize,
    pub layer_state: &'a mut LayerState<'b>,
    pub spikes: &'a mut Vec<LayerSpike>,
}

impl<S: Simd, const SPLIT: bool> WithSimd for SlowPath<'_, '_, S, SPLIT> {
    type Output = ();

    #[inline(always)]
    fn with_simd<Same: Simd>(mut self, _: Same) {
        let SlowPath { simd, interval, register, .. } = self;
        let lanes = interval.lanes::<S>(simd, register);
        let threshold = lanes.threshold();
        let mut now = interval.now;
        for (index, &arrival) in interval.arrivals.iter().enumerate() {
            let (length, time) = (arrival.time - now, arrival.time);
            let propagator = interval.propagator.filter(|_| index > 0);
            if propagator.is_some() || length > 0.0 {
                let start = self.layer_state.state(simd, register);
                let (next, open) = if let Some(propagator) = propagator {
                    let (next, bound) = lanes.propagate_prepared::<SPLIT>(&start, propagator);
                    (next, bound.at_least(threshold))
                } else {
                    lanes.propagate::<SPLIT>(&start, length, threshold)
                };
                self.advance(&lanes, &start, next, open, [now, time]);
            }
            now = time;
            let mut state = self.layer_state.state::<S>(simd, register);
            state.add_input::<SPLIT>(simd, interval.weights(simd, arrival, register));
            let release = self.layer_state.release(simd, register);
            self.layer_state.set(register, &state, release);
        }
    }
}

impl<S: Simd, const SPLIT: bool> SlowPath<'_, '_, S, SPLIT> {
    /// Advances from one time to another: to the state `next`, unless a neuron is released before or
    /// spikes, which those that are `open` may.
    #[inline(always)]
    fn advance(
        &mut self,
        lanes: &NeuronLanes<'_, S>,
        start: &MembraneState<S>,
        mut next: MembraneState<S>,
        open: Mask<S>,
        [now, time]: [f64; 2],
    ) {
        let SlowPath { simd, register, .. } = *self;
        let all = |value| F64s::splat(simd, value);
        let (from, to) = (all(now), all(time));
        let mut release = self.layer_state.release(simd, register);
        let [held, released] = held_and_released(release, from, to);
        let open = open.and_not(held);
        // Each neuron is held on the whole interval, or not at all.
        next.potential = held.select(start.potential, next.potential);
        if released.any() {
            return self.find_spikes(lanes, now, time);
        }
        if open.any() {
            let (length, threshold) = (all(time - now), lanes.threshold());
            let mut crosses = next.potential.at_least(threshold).and(open);
            let undecided = open.and_not(crosses);
            if undecided.any() {
                let none = from.above(from);
                let elapsed = first_crossing::<S, SPLIT>(lanes, start, length, undecided, none);
                crosses = crosses.or(all(f64::INFINITY).above(elapsed));
            }
            let earliest = from + lanes.refractory_period();
            if to.above(earliest).and(crosses).any() {
                return self.find_spikes(lanes, now, time);
            }
            let pending = self.layer_state.pending(simd, register);
            let pending = pending.with(crosses, start, from, length);
            self.layer_state.set_pending(register, &pending);
            next.potential = crosses.select(lanes.reset(), next.potential);
            release = crosses.select(earliest, release);
        }
        self.layer_state.set(register, &next, release);
    }

    /// Computes the times of all spikes up to a time, pending ones included.
    #[inline(always)]
    fn find_spikes(&mut self, lanes: &NeuronLanes<'_, S>, now: f64, time: f64) {
        let (lanes, layer_state) = (*lanes, &mut *self.layer_state);
        let search = SpikeSearch { lanes, layer_state, now, time };
        self.simd.vectorize(RunSearch::<S, SPLIT> { search, spikes: self.spikes });
    }
}

/// A search that is a function of its own: it is rare, and long.
struct RunSearch<'a, 'b, S: Simd, const SPLIT: bool> {
    search: SpikeSearch<'a, 'b, S>,
    spikes: &'a mut Vec<LayerSpike>,
}

impl<S: Simd, const SPLIT: bool> WithSimd for RunSearch<'_, '_, S, SPLIT> {
    type Output = ();

    #[inline(always)]
    fn with_simd<Same: Simd>(self, _: Same) {
        self.search.run::<SPLIT>(self.spikes);
    }
}
