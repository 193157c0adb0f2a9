//! Neurons that go on after each spike, from any state to the state at the end.
//!
//! As long as nothing happens a register's state stays in registers: it goes from one arrival to the next
//! in one step, and through a volley of arrivals in one. A stretch on which a neuron may spike, or on
//! which its refractory period ends, is walked by a function of its own (`walk`). From the last arrival on
//! all registers go side by side (`finish`).

use pulp::{Simd, WithSimd};

use super::finish::Finish;
use super::motion::Moment;
use super::neurons::{Gap, IndividualNeurons, NeuronStates, PADDING};
use super::volleys::{Volley, find_volleys};
use super::walk::{Cells, Parked, Place, Walk, Way};
use super::{IndividualLayer, LayerSpike};
use crate::engine::feed_forward::Arrival;
use crate::engine::feed_forward::elementary::{Doubles, Truths, registers, registers_mut};

/// See [`IndividualLayer::all_spikes`].
#[inline(always)]
pub fn run<S: Simd, const SPLIT: bool>(
    simd: S,
    layer: &IndividualLayer<'_>,
    arrivals: &[Arrival],
    end: f64,
    states: &mut NeuronStates,
    spikes: &mut Vec<LayerSpike>,
) {
    let neurons = layer.neurons;
    let range = neurons.rate_range();
    let mut volleys = Vec::with_capacity(arrivals.len());
    find_volleys(arrivals, end, neurons, &mut volleys);
    let count = neurons.threshold.len() / S::F64_LANES;
    let (mut cells, mut ways) = (Vec::with_capacity(count), Vec::with_capacity(count));
    for register in 0..count {
        cells.push(Cells::load(simd, neurons, register, range));
    }
    for (register, cells) in cells.iter().enumerate() {
        let first = cells.first;
        let rows = &layer.synapses.group(first / PADDING)[first % PADDING..];
        let load = |column: &[f64]| Doubles::new(simd, registers::<S>(column)[register]);
        let mut at = Place {
            state: Moment {
                potential: load(&states.potential),
                currents: [load(&states.currents[0]), load(&states.currents[1])],
            },
            release: load(&states.held),
            now: 0.0,
            parked: Parked::none(simd),
        };
        for volley in &volleys {
            let arrivals = &arrivals[volley.range.clone()];
            if arrivals[0].time > at.now {
                at = cells.advance::<SPLIT>(at, arrivals[0].time, spikes);
            }
            at.state.receive::<SPLIT>(simd, weights(simd, rows, arrivals[0]));
            at = cells.pass::<SPLIT>(at, neurons, volley, arrivals, rows, spikes);
        }
        ways.push(Way::new::<SPLIT>(cells, &at, end));
    }
    simd.vectorize(Finish::<S, SPLIT> { cells: &cells, ways: &mut ways, spikes });
    for (register, way) in ways.iter().enumerate() {
        let Place { state, release, .. } = way.place(simd);
        let held = (release - Doubles::splat(simd, end)).max(Doubles::splat(simd, 0.0));
        registers_mut::<S>(&mut states.potential)[register] = state.potential.value();
        registers_mut::<S>(&mut states.held)[register] = held.value();
        registers_mut::<S>(&mut states.currents[0])[register] = state.currents[0].value();
        registers_mut::<S>(&mut states.currents[1])[register] = state.currents[1].value();
    }
}

/// The weights of an arrival at the neurons of a register; `rows` begins with its first weight.
#[inline(always)]
fn weights<S: Simd>(simd: S, rows: &[f64], arrival: Arrival) -> Doubles<S> {
    let row = &rows[arrival.row as usize * PADDING..][..S::F64_LANES];
    Doubles::new(simd, registers::<S>(row)[0])
}

impl<S: Simd> Cells<S> {
    /// Moves on to a time without arrivals on the way.
    #[inline(always)]
    fn advance<const SPLIT: bool>(
        &self,
        at: Place<S>,
        time: f64,
        spikes: &mut Vec<LayerSpike>,
    ) -> Place<S> {
        let rates = &self.rates;
        let gap = time - at.now;
        let (next, open) = rates.after_unknown::<SPLIT>(&at.state, gap, self.threshold);
        self.arrive::<SPLIT>(at, next, open, time, spikes)
    }

    /// Comes to a time with a state, unless something happens on the way: a neuron is released, or
    /// spikes, which is `open`.
    #[inline(always)]
    fn arrive<const SPLIT: bool>(
        &self,
        at: Place<S>,
        mut next: Moment<S>,
        open: Truths<S>,
        time: f64,
        spikes: &mut Vec<LayerSpike>,
    ) -> Place<S> {
        let simd = self.rates.simd;
        let held = at.release.at_least(Doubles::splat(simd, time));
        let open = open.and_not(held);
        let is_released = at.is_released(simd, held);
        // Each neuron is held all the way, or not at all.
        next.potential = held.select(at.state.potential, next.potential);
        if is_released.or(open).any() {
            // In memory for the sake of this only.
            let mut there = at;
            let (at, next) = (&mut there, &next);
            simd.vectorize(Walk::<S, SPLIT> { cells: self, at, next, open, time, spikes });
            return there;
        }
        Place { state: next, now: time, ..at }
    }

    /// Goes from the first arrival of a volley to its last.
    ///
    /// All of the excitatory currents together lift the potential by less than if nothing leaked or
    /// decayed, from where it is or, if it is below, from zero. If that is below the threshold in all
    /// neurons, the volley is one step.
    #[inline(always)]
    fn pass<const SPLIT: bool>(
        &self,
        at: Place<S>,
        neurons: &IndividualNeurons,
        volley: &Volley,
        arrivals: &[Arrival],
        rows: &[f64],
        spikes: &mut Vec<LayerSpike>,
    ) -> Place<S> {
        let Some(gap) = volley.gap(neurons) else { return at };
        let rates = &self.rates;
        let simd = rates.simd;
        let zero = Doubles::splat(simd, 0.0);
        let known = rates.known(gap, self.register);
        let mut next = at.state;
        let [mut push, _] = next.push_and_pull::<SPLIT>(simd);
        for &arrival in &arrivals[1..] {
            next = known.after::<SPLIT>(&next);
            let weights = weights(simd, rows, arrival);
            next.receive::<SPLIT>(simd, weights);
            push = push + weights.max(zero);
        }
        let time = arrivals[arrivals.len() - 1].time;
        let length = Doubles::splat(simd, time - at.now);
        let ceiling =
            (push * rates.inverse_capacitance).multiply_add(length, at.state.potential.max(zero));
        let held = at.release.at_least(Doubles::splat(simd, time));
        let open = ceiling.at_least(self.threshold).and_not(held);
        if at.is_released(simd, held).or(open).any() {
            let mut there = at;
            let at = &mut there;
            simd.vectorize(Steps::<S, SPLIT> { cells: self, at, gap, arrivals, rows, spikes });
            return there;
        }
        next.potential = held.select(at.state.potential, next.potential);
        Place { state: next, now: time, ..at }
    }
}

/// A volley on which something may happen.
struct Steps<'a, S: Simd, const SPLIT: bool> {
    cells: &'a Cells<S>,
    at: &'a mut Place<S>,
    gap: &'a Gap,
    arrivals: &'a [Arrival],
    rows: &'a [f64],
    spikes: &'a mut Vec<LayerSpike>,
}

impl<S: Simd, const SPLIT: bool> WithSimd for Steps<'_, S, SPLIT> {
    type Output = ();

    #[inline(always)]
    fn with_simd<Same: Simd>(self, _: Same) {
        let Steps { cells, at: place, gap, arrivals, rows, spikes } = self;
        let rates = &cells.rates;
        let mut at = *place;
        for &arrival in &arrivals[1..] {
            let (next, ceiling) = rates.after_known::<SPLIT>(&at.state, gap, cells.register);
            let open = ceiling.at_least(cells.threshold);
            at = cells.arrive::<SPLIT>(at, next, open, arrival.time, spikes);
            at.state.receive::<SPLIT>(rates.simd, weights(rates.simd, rows, arrival));
        }
        *place = at;
    }
}
