//! A sample of a layer: all neurons from any state to the state at the end.
//!
//! All registers go from one volley of arrivals to the next, one after the other. As a rule neurons go
//! on, or spike and are refractory for longer than the stretch is: then no branch depends on what they do,
//! and the processor works on several registers at a time. What is not that simple, a refractory period
//! that ends or a neuron of which it is not clear whether it spikes, goes a way of its own (`walk`). From the
//! last arrival on there is another rule (`finish`). Few neurons are taken to the last arrival one by one
//! (`few`).

use pulp::{Simd, WithSimd};

use super::blocks::PADDING;
use super::cells::{Cells, Known, Limits};
use super::few::{Few, are_few};
use super::finish::Finish;
use super::joint::JointRows;
use super::motion::Moment;
use super::neurons::Gap;
use super::places::{ParkedBlock, Places, held_and_released};
use super::volleys::find_volleys;
use super::walk::Walk;
use super::way::WayBlock;
use super::{IndividualLayer, IndividualWorkspace, LayerSpike, Run};
use crate::engine::layered::Arrival;
use crate::simd::{F64s, Mask};

impl Run<'_> {
    #[inline(always)]
    pub fn run<S: Simd, const SPLIT: bool>(self, simd: S) {
        let Run { layer, arrivals, end, states, workspace, is_once, spikes } = self;
        spikes.clear();
        let neurons = layer.neurons;
        let limits = Limits::new(neurons.rate_range(), is_once);
        let blocks = neurons.blocks.len();
        let registers = blocks * PADDING / S::F64_LANES;
        let IndividualWorkspace { volleys, parked, ways, lists, sums, .. } = workspace;
        // They only grow: the workspace goes from a large layer to a small one and back.
        grow(parked, blocks, ParkedBlock::NONE);
        parked[..blocks].iter_mut().for_each(ParkedBlock::clear);
        grow(ways, blocks, WayBlock::NONE);
        let places = &mut Places { states: &mut states.blocks, parked, ways };
        let arrivals = up_to(arrivals, end);
        if are_few(layer, arrivals) {
            sums.arrange::<S>(simd, arrivals);
            for register in 0..registers {
                let cells = Cells::new(simd, neurons, register, limits);
                let (sums, places) = (&mut *sums, &mut *places);
                let few = Few::<S, SPLIT> { cells, layer, arrivals, sums, places, spikes };
                simd.vectorize(few);
            }
        } else {
            find_volleys(arrivals, neurons, volleys);
            let mut stage =
                Stage { layer, limits, arrivals: &[], gap: None, joint: None, now: 0.0 };
            for volley in &*volleys {
                stage.begin(&arrivals[volley.range.clone()], volley.gap(neurons));
                for register in 0..registers {
                    stage.take::<S, SPLIT>(simd, register, places, spikes);
                }
                stage.now = stage.last();
            }
        }
        let now = arrivals.last().map_or(0.0, |arrival| arrival.time);
        let finish = Finish::<S, SPLIT> { simd, neurons, limits, places, now, end, lists, spikes };
        simd.vectorize(finish);
        for block in &mut states.blocks {
            block.release.iter_mut().for_each(|release| *release -= end);
        }
        // They were found in an order that depends on the width of the registers, all of a neuron in that
        // of time, which a stable sort keeps.
        spikes.sort_by_key(|spike| spike.neuron);
    }
}

fn grow<B: Copy>(list: &mut Vec<B>, length: usize, nothing: B) {
    if list.len() < length {
        list.resize(length, nothing);
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

/// A stretch without arrivals, and the volley that ends it.
struct Stage<'a> {
    layer: &'a IndividualLayer<'a>,
    limits: Limits,
    arrivals: &'a [Arrival],
    /// Between the arrivals.
    gap: Option<&'a Gap>,
    /// What they do together, if that is known.
    joint: Option<&'a JointRows>,
    /// Beginning of the stretch.
    now: f64,
}

impl<'a> Stage<'a> {
    fn first(&self) -> f64 {
        self.arrivals[0].time
    }

    fn last(&self) -> f64 {
        self.arrivals[self.arrivals.len() - 1].time
    }

    /// Goes on to a volley.
    #[inline(always)]
    fn begin(&mut self, arrivals: &'a [Arrival], gap: Option<&'a Gap>) {
        self.arrivals = arrivals;
        self.gap = gap;
        self.joint = JointRows::of(self.layer.joint, arrivals, gap);
    }

    /// Takes a register of neurons through the stretch and the volley.
    #[inline(always)]
    fn take<S: Simd, const SPLIT: bool>(
        &self,
        simd: S,
        register: usize,
        places: &mut Places<'_>,
        spikes: &mut Vec<LayerSpike>,
    ) {
        if !self.pass::<S, SPLIT>(simd, register, places) {
            let stage = self;
            simd.vectorize(Careful::<S, SPLIT> { simd, stage, register, places, spikes });
        }
    }

    #[inline(always)]
    fn cells<S: Simd>(&self, simd: S, register: usize) -> Cells<'a, S> {
        Cells::new(simd, self.layer.neurons, register, self.limits)
    }

    /// The weights of an arrival at a register of neurons.
    #[inline(always)]
    fn weights<S: Simd>(&self, simd: S, arrival: Arrival, register: usize) -> F64s<S> {
        self.layer.synapses.row(simd, arrival.row, register)
    }

    /// The usual case: no refractory period ends, and neurons that spike on the stretch are refractory to
    /// the end of the volley. If it is another case, nothing is changed.
    #[inline(always)]
    fn pass<S: Simd, const SPLIT: bool>(
        &self,
        simd: S,
        register: usize,
        places: &mut Places<'_>,
    ) -> bool {
        let all = |value| F64s::<S>::splat(simd, value);
        let cells = self.cells::<S>(simd, register);
        let start = places.state::<S>(simd, register);
        let mut release = places.release::<S>(simd, register);
        let threshold = cells.threshold();
        let (now, time) = (all(self.now), all(self.first()));
        let length = self.first() - self.now;

        let mut state = start;
        let mut crosses = now.above(now);
        let mut unusual = crosses;
        if length > 0.0 {
            let (next, open) = cells.after_unknown::<SPLIT>(&start, length, threshold);
            let [held, released] = held_and_released(release, now, time);
            let open = open.and_not(held);
            crosses = next.potential.at_least(threshold).and(open);
            let earliest = now + cells.refractory_period();
            let early = time.above(earliest).and(crosses);
            unusual = open.and_not(crosses).or(early).or(released);
            state = next;
            state.potential = held.select(start.potential, next.potential);
            state.potential = crosses.select(cells.reset(), state.potential);
            release = crosses.select(earliest, release);
        }
        let (next, push) = self.through::<S, SPLIT>(&cells, &state);
        if let Some(push) = push {
            let last = all(self.last());
            let ceiling = (push * cells.inverse_capacitance())
                .multiply_add(last - time, state.potential.max_of_numbers(all(0.0)));
            let [held, released] = held_and_released(release, time, last);
            let open = ceiling.at_least(threshold).and_not(held);
            unusual = unusual.or(open).or(released);
            state.potential = held.select(state.potential, next.potential);
        }
        state.currents = next.currents;
        if unusual.any() {
            return false;
        }
        if crosses.any() {
            let parked = places.parked(simd, register).with(crosses, &start, now, all(length));
            places.park(register, &parked);
        }
        places.set(register, &state, release);
        true
    }

    /// From before the first arrival of the volley to after its last: the state there and, if there is more
    /// than one, the sum of the excitatory currents and weights. All of these together lift the potential
    /// by less than if nothing leaked or decayed, from where it is or, if it is below, from zero.
    #[inline(always)]
    fn through<S: Simd, const SPLIT: bool>(
        &self,
        cells: &Cells<'_, S>,
        state: &Moment<S>,
    ) -> (Moment<S>, Option<F64s<S>>) {
        let &Cells { simd, register, .. } = cells;
        if let Some(joint) = self.joint {
            let [push, _] = state.push_and_pull::<SPLIT>(simd);
            let (next, more) = joint.after::<S, SPLIT>(simd, register, state);
            return (next, Some(push + more));
        }
        let mut next = *state;
        next.receive::<SPLIT>(simd, self.weights(simd, self.arrivals[0], register));
        let Some(gap) = self.gap else { return (next, None) };
        let zero = F64s::splat(simd, 0.0);
        let known = Known::new(simd, gap, register);
        let [mut push, _] = next.push_and_pull::<SPLIT>(simd);
        for &arrival in &self.arrivals[1..] {
            next = known.after::<SPLIT>(&next);
            let weights = self.weights(simd, arrival, register);
            next.receive::<SPLIT>(simd, weights);
            push = push + weights.max(zero);
        }
        (next, Some(push))
    }
}

/// A register on whose way something unusual happens.
struct Careful<'a, 'b, S: Simd, const SPLIT: bool> {
    simd: S,
    stage: &'a Stage<'a>,
    register: usize,
    places: &'a mut Places<'b>,
    spikes: &'a mut Vec<LayerSpike>,
}

impl<S: Simd, const SPLIT: bool> WithSimd for Careful<'_, '_, S, SPLIT> {
    type Output = ();

    #[inline(always)]
    fn with_simd<Same: Simd>(mut self, _: Same) {
        let Careful { simd, stage, register, .. } = self;
        let cells = stage.cells::<S>(simd, register);
        let mut now = stage.now;
        for (index, &arrival) in stage.arrivals.iter().enumerate() {
            let start = self.places.state(simd, register);
            if let Some(gap) = stage.gap.filter(|_| index > 0) {
                let (next, ceiling) = cells.after_known::<SPLIT>(&start, gap);
                self.arrive(&cells, now, next, ceiling.at_least(cells.threshold()), arrival.time);
            } else if arrival.time > now {
                let (length, threshold) = (arrival.time - now, cells.threshold());
                let (next, open) = cells.after_unknown::<SPLIT>(&start, length, threshold);
                self.arrive(&cells, now, next, open, arrival.time);
            }
            now = arrival.time;
            let mut state = self.places.state::<S>(simd, register);
            state.receive::<SPLIT>(simd, stage.weights(simd, arrival, register));
            let release = self.places.release(simd, register);
            self.places.set(register, &state, release);
        }
    }
}

impl<S: Simd, const SPLIT: bool> Careful<'_, '_, S, SPLIT> {
    /// Comes to a time with a state, unless something happens on the way: a neuron is released, or
    /// spikes, which is `open`.
    #[inline(always)]
    fn arrive(
        &mut self,
        cells: &Cells<'_, S>,
        now: f64,
        mut next: Moment<S>,
        open: Mask<S>,
        time: f64,
    ) {
        let Careful { simd, register, .. } = *self;
        let release = self.places.release(simd, register);
        let (from, to) = (F64s::splat(simd, now), F64s::splat(simd, time));
        let [held, released] = held_and_released(release, from, to);
        let open = open.and_not(held);
        // Each neuron is held all the way, or not at all.
        let start = self.places.state::<S>(simd, register);
        next.potential = held.select(start.potential, next.potential);
        if released.or(open).any() {
            let (cells, places, spikes) = (*cells, &mut *self.places, &mut *self.spikes);
            simd.vectorize(Walk::<S, SPLIT> { cells, places, next, open, now, time, spikes });
        } else {
            self.places.set(register, &next, release);
        }
    }
}
