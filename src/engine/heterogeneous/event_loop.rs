//! The event loop: all neurons of a layer from their states at time zero to those at the end.
//!
//! All registers go from one burst of arrivals to the next, one register after the other. As a rule neurons
//! propagate, or spike and stay refractory beyond the interval. Then no branch depends on what they do, and
//! the processor works on several registers at a time. Anything else, a refractory period that ends or a
//! neuron that may or may not spike, takes the slow path (`slow_path`). Narrow layers with many arrivals do
//! not take this loop (`narrow`). The time after the last arrival has
//! no more input, and rules of its own (`final_interval`).

use pulp::Simd;

use super::bursts::find_bursts;
use super::final_interval::FinalInterval;
use super::layer_state::{LayerState, PendingBlock, held_and_released};
use super::narrow::{NarrowLayer, is_narrow};
use super::slow_path::SlowPath;
use super::spike_search::SearchBlock;
use super::synchronous::SynchronousInputs;
use super::{HeterogeneousLayer, HeterogeneousWorkspace, LayerSpike, Run};
use crate::engine::layered::Arrival;
use crate::neuron::heterogeneous::{
    IntervalPropagator, LayerLanes, MembraneState, NeuronLanes, PropagatorLanes,
};
use crate::simd::F64s;

impl Run<'_> {
    #[inline(always)]
    pub fn run<S: Simd, const SPLIT: bool>(self, simd: S) {
        let Run { layer, arrivals, end, states, workspace, spikes_once, spikes } = self;
        spikes.clear();
        let neurons = layer.neurons;
        let lanes = LayerLanes::new(neurons, spikes_once);
        let blocks = neurons.block_count();
        let registers = lanes.register_count::<S>();
        let HeterogeneousWorkspace { bursts, pending, searches, lists, sums, .. } = workspace;
        // They only grow: the workspace goes from a large layer to a small one and back.
        grow(pending, blocks, PendingBlock::NONE);
        pending[..blocks].iter_mut().for_each(PendingBlock::clear);
        grow(searches, blocks, SearchBlock::NONE);
        let layer_state = &mut LayerState { states: &mut states.blocks, pending, searches };
        let arrivals = up_to(arrivals, end);
        if is_narrow(layer, arrivals) {
            sums.arrange::<S, Arrival>(arrivals, |arrival| arrival.time);
            for register in 0..registers {
                let lanes = lanes.register(simd, register);
                let (sums, layer_state, spikes) = (&mut *sums, &mut *layer_state, &mut *spikes);
                let narrow =
                    NarrowLayer::<S, SPLIT> { lanes, layer, arrivals, sums, layer_state, spikes };
                simd.vectorize(narrow);
            }
        } else {
            find_bursts(arrivals, neurons, bursts);
            let (nothing, propagator, synchronous) = (&arrivals[..0], None, None);
            let now = 0.0;
            let mut interval =
                Interval { layer, lanes, arrivals: nothing, propagator, synchronous, now };
            for burst in &*bursts {
                interval.begin(&arrivals[burst.range.clone()], burst.propagator(neurons));
                for register in 0..registers {
                    interval.advance::<S, SPLIT>(simd, register, layer_state, spikes);
                }
                interval.now = interval.last();
            }
        }
        let now = arrivals.last().map_or(0.0, |arrival| arrival.time);
        let last = FinalInterval::<S, SPLIT> { simd, lanes, layer_state, now, end, lists, spikes };
        simd.vectorize(last);
        for block in &mut states.blocks {
            block.release.iter_mut().for_each(|release| *release -= end);
        }
        // Their order so far depends on the width of the registers. Those of one neuron are sorted by time,
        // and the stable sort keeps them so.
        spikes.sort_by_key(|spike| spike.neuron);
    }
}

fn grow<B: Copy>(list: &mut Vec<B>, length: usize, empty: B) {
    if list.len() < length {
        list.resize(length, empty);
    }
}

/// The arrivals up to a time: as a rule all.
#[inline(always)]
fn up_to(arrivals: &[Arrival], end: f64) -> &[Arrival] {
    if arrivals.last().is_none_or(|arrival| arrival.time <= end) {
        return arrivals;
    }
    &arrivals[..arrivals.partition_point(|arrival| arrival.time <= end)]
}

/// An interval without input, and the burst that ends it.
pub struct Interval<'a> {
    layer: &'a HeterogeneousLayer<'a>,
    lanes: LayerLanes<'a>,
    /// The burst.
    pub arrivals: &'a [Arrival],
    /// From one of its arrivals to the next.
    pub propagator: Option<&'a IntervalPropagator>,
    /// Its effect, if that was summed in advance.
    synchronous: Option<&'a SynchronousInputs>,
    /// Start of the interval.
    pub now: f64,
}

impl<'a> Interval<'a> {
    fn first(&self) -> f64 {
        self.arrivals[0].time
    }

    fn last(&self) -> f64 {
        self.arrivals[self.arrivals.len() - 1].time
    }

    /// Goes on to a burst.
    #[inline(always)]
    fn begin(&mut self, arrivals: &'a [Arrival], propagator: Option<&'a IntervalPropagator>) {
        self.arrivals = arrivals;
        self.propagator = propagator;
        self.synchronous =
            SynchronousInputs::of_burst(self.layer.synchronous, arrivals, propagator);
    }

    /// Takes a register of neurons through the interval and the burst.
    #[inline(always)]
    fn advance<S: Simd, const SPLIT: bool>(
        &self,
        simd: S,
        register: usize,
        layer_state: &mut LayerState<'_>,
        spikes: &mut Vec<LayerSpike>,
    ) {
        if !self.fast_path::<S, SPLIT>(simd, register, layer_state) {
            let interval = self;
            simd.vectorize(SlowPath::<S, SPLIT> { simd, interval, register, layer_state, spikes });
        }
    }

    #[inline(always)]
    pub fn lanes<S: Simd>(&self, simd: S, register: usize) -> NeuronLanes<'a, S> {
        self.lanes.register(simd, register)
    }

    /// The weights of an arrival at a register of neurons.
    #[inline(always)]
    pub fn weights<S: Simd>(&self, simd: S, arrival: Arrival, register: usize) -> F64s<S> {
        self.layer.synapses.row(simd, arrival.row, register)
    }

    /// The usual case: no refractory period ends, and neurons that spike on the interval stay refractory
    /// to the end of the burst. Returns false in any other case, and changes nothing.
    #[inline(always)]
    fn fast_path<S: Simd, const SPLIT: bool>(
        &self,
        simd: S,
        register: usize,
        layer_state: &mut LayerState<'_>,
    ) -> bool {
        let all = |value| F64s::<S>::splat(simd, value);
        let lanes = self.lanes::<S>(simd, register);
        let start = layer_state.state::<S>(simd, register);
        let mut release = layer_state.release::<S>(simd, register);
        let threshold = lanes.threshold();
        let (now, time) = (all(self.now), all(self.first()));
        let length = self.first() - self.now;

        let mut state = start;
        let mut crosses = now.above(now);
        let mut unusual = crosses;
        if length > 0.0 {
            let (next, open) = lanes.propagate::<SPLIT>(&start, length, threshold);
            let [held, released] = held_and_released(release, now, time);
            let open = open.and_not(held);
            crosses = next.potential.at_least(threshold).and(open);
            let earliest = now + lanes.refractory_period();
            let early = time.above(earliest).and(crosses);
            unusual = open.and_not(crosses).or(early).or(released);
            state = next;
            state.potential = held.select(start.potential, next.potential);
            state.potential = crosses.select(lanes.reset(), state.potential);
            release = crosses.select(earliest, release);
        }
        let (next, excitation) = self.receive::<S, SPLIT>(&lanes, &state);
        if let Some(excitation) = excitation {
            let last = all(self.last());
            let bound = lanes.charging_bound(state.potential, excitation, last - time);
            let [held, released] = held_and_released(release, time, last);
            let open = bound.at_least(threshold).and_not(held);
            unusual = unusual.or(open).or(released);
            state.potential = held.select(state.potential, next.potential);
        }
        state.currents = next.currents;
        if unusual.any() {
            return false;
        }
        if crosses.any() {
            let pending = layer_state.pending(simd, register);
            let pending = pending.with(crosses, &start, now, all(length));
            layer_state.set_pending(register, &pending);
        }
        layer_state.set(register, &state, release);
        true
    }

    /// The state after the burst from that before it. If the burst has more than one arrival, also all
    /// excitation: the excitatory currents before and all positive weights.
    #[inline(always)]
    fn receive<S: Simd, const SPLIT: bool>(
        &self,
        lanes: &NeuronLanes<'_, S>,
        state: &MembraneState<S>,
    ) -> (MembraneState<S>, Option<F64s<S>>) {
        let &NeuronLanes { simd, register, .. } = lanes;
        if let Some(synchronous) = self.synchronous {
            let [excitation, _] = state.excitation_and_inhibition::<SPLIT>(simd);
            let (next, more) = synchronous.apply::<S, SPLIT>(simd, register, state);
            return (next, Some(excitation + more));
        }
        let mut next = *state;
        next.add_input::<SPLIT>(simd, self.weights(simd, self.arrivals[0], register));
        let Some(propagator) = self.propagator else { return (next, None) };
        let zero = F64s::splat(simd, 0.0);
        let propagator = PropagatorLanes::new(simd, propagator, register);
        let [mut excitation, _] = next.excitation_and_inhibition::<SPLIT>(simd);
        for &arrival in &self.arrivals[1..] {
            next = propagator.propagate::<SPLIT>(&next);
            let weights = self.weights(simd, arrival, register);
            next.add_input::<SPLIT>(simd, weights);
            excitation = excitation + weights.max(zero);
        }
        (next, Some(excitation))
    }
}
