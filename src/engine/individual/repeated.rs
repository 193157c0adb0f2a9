//! Neurons that go on after each spike, from any state to the state at the end.
//!
//! As long as nothing happens a register's state stays in registers. A stretch on which a neuron may
//! spike, or on which its refractory period ends, is walked by a function of its own.

use pulp::{Simd, WithSimd};

use super::motion::{Moment, Rates};
use super::neurons::{IndividualNeurons, NeuronStates, PADDING, PIECE};
use super::search::{first_crossing, only_crossing};
use super::{IndividualLayer, LayerSpike};
use crate::engine::feed_forward::Arrival;
use crate::engine::feed_forward::elementary::{Doubles, registers, registers_mut};

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
    let lanes = S::F64_LANES;
    let neurons = layer.neurons;
    let fastest = neurons.fastest_rate();
    for register in 0..neurons.threshold.len() / lanes {
        let first = register * lanes;
        let rows = layer.synapses.group(first / PADDING);
        let load = |column: &[f64]| Doubles::new(simd, registers::<S>(column)[register]);
        let cells = Cells {
            rates: Rates::load(simd, neurons, register, fastest),
            threshold: load(&neurons.threshold),
            reset: load(&neurons.reset),
            refractory_period: load(&neurons.refractory_period),
            piece: PIECE / fastest,
            register,
            first,
        };
        let mut at = Place {
            state: Moment {
                potential: load(&states.potential),
                currents: [load(&states.currents[0]), load(&states.currents[1])],
            },
            release: load(&states.held),
            now: 0.0,
        };
        for arrival in arrivals {
            if arrival.time > at.now {
                if arrival.time > end {
                    break;
                }
                at = cells.advance::<SPLIT>(at, arrival.time, neurons, spikes);
            }
            let row = &rows[arrival.row as usize * PADDING + first % PADDING..][..lanes];
            at.state.receive::<SPLIT>(simd, Doubles::new(simd, registers::<S>(row)[0]));
        }
        if end > at.now {
            at = cells.advance::<SPLIT>(at, end, neurons, spikes);
        }
        let held = (at.release - Doubles::splat(simd, end)).max(Doubles::splat(simd, 0.0));
        registers_mut::<S>(&mut states.potential)[register] = at.state.potential.value();
        registers_mut::<S>(&mut states.held)[register] = held.value();
        for (column, current) in states.currents.iter_mut().zip(at.state.currents) {
            registers_mut::<S>(column)[register] = current.value();
        }
    }
}

/// The neurons of a register.
#[derive(Clone, Copy)]
struct Cells<S: Simd> {
    rates: Rates<S>,
    threshold: Doubles<S>,
    reset: Doubles<S>,
    refractory_period: Doubles<S>,
    /// Longest stretch that is looked at as a whole.
    piece: f64,
    register: usize,
    /// The neuron in the first lane.
    first: usize,
}

/// Where they are.
#[derive(Clone, Copy)]
struct Place<S: Simd> {
    state: Moment<S>,
    /// End of the refractory period.
    release: Doubles<S>,
    now: f64,
}

impl<S: Simd> Cells<S> {
    /// Moves on to a time.
    #[inline(always)]
    fn advance<const SPLIT: bool>(
        &self,
        mut at: Place<S>,
        time: f64,
        neurons: &IndividualNeurons,
        spikes: &mut Vec<LayerSpike>,
    ) -> Place<S> {
        while SPLIT && time - at.now > self.piece {
            let reset = Moment { potential: self.reset, ..at.state };
            let highest = self.rates.ceiling_for_ever(&at.state);
            let highest = highest.max(self.rates.ceiling_for_ever(&reset));
            if !highest.at_least(self.threshold).any() {
                break;
            }
            at = self.advance_piece::<SPLIT>(at, at.now + self.piece, neurons, spikes);
        }
        self.advance_piece::<SPLIT>(at, time, neurons, spikes)
    }

    /// Moves on to a time within a piece, or one up to which nothing can happen.
    #[inline(always)]
    fn advance_piece<const SPLIT: bool>(
        &self,
        at: Place<S>,
        time: f64,
        neurons: &IndividualNeurons,
        spikes: &mut Vec<LayerSpike>,
    ) -> Place<S> {
        let simd = self.rates.simd;
        let (start, end) = (Doubles::splat(simd, at.now), Doubles::splat(simd, time));
        let held = at.release.at_least(end);
        let is_released = at.release.above(start).and_not(held);
        // Each neuron is held all the way, or not at all.
        let stretch = (at.now, time);
        let (mut next, ceiling) =
            self.rates.move_on::<SPLIT>(&at.state, stretch, neurons, self.register);
        next.potential = held.select(at.state.potential, next.potential);
        let may_spike = ceiling.at_least(self.threshold).and_not(held);
        if is_released.or(may_spike).any() {
            let walk = Walk::<S, SPLIT> { cells: *self, at, next, time, spikes };
            return simd.vectorize(walk);
        }
        Place { state: next, now: time, ..at }
    }

    /// Writes down the spikes of a register.
    #[inline(always)]
    fn push(&self, times: Doubles<S>, spikes: &mut Vec<LayerSpike>) {
        for lane in 0..S::F64_LANES {
            let time = times.lane(lane);
            if time < f64::INFINITY {
                spikes.push(LayerSpike { time, neuron: (self.first + lane) as u32 });
            }
        }
    }
}

/// A stretch on which something may happen.
struct Walk<'a, S: Simd, const SPLIT: bool> {
    cells: Cells<S>,
    at: Place<S>,
    /// The state at its end if no neuron is released or spikes.
    next: Moment<S>,
    time: f64,
    spikes: &'a mut Vec<LayerSpike>,
}

impl<S: Simd, const SPLIT: bool> WithSimd for Walk<'_, S, SPLIT> {
    type Output = Place<S>;

    #[inline(always)]
    fn with_simd<Same: Simd>(mut self, _: Same) -> Place<S> {
        self.simply().unwrap_or_else(|| self.carefully())
    }
}

impl<S: Simd, const SPLIT: bool> Walk<'_, S, SPLIT> {
    /// The usual case: no refractory period ends, some neurons rise above the threshold once, and are
    /// held to the end. None if it is another case.
    #[inline(always)]
    fn simply(&mut self) -> Option<Place<S>> {
        let Cells { rates, threshold, reset, refractory_period, .. } = self.cells;
        let Place { state, release, now } = self.at;
        let simd = rates.simd;
        let all = |value| Doubles::splat(simd, value);
        let (start, end, gap) = (all(now), all(self.time), all(self.time - now));
        let held = release.at_least(end);
        if release.above(start).and_not(held).any() {
            return None;
        }
        let bend = rates.bend::<SPLIT>(&state, gap);
        let higher = state.potential.max(self.next.potential);
        let ceiling = (bend * gap * gap).multiply_add(all(0.125), higher);
        let open = ceiling.at_least(threshold).and_not(held);
        let crosses = self.next.potential.at_least(threshold).and(open);
        // What rises all the way is highest at the end.
        let rises = rates.slope::<SPLIT>(&state).above(bend * gap);
        let below = threshold.above(state.potential);
        if open.and_not(rises.and(below)).any() {
            return None;
        }
        let elapsed = only_crossing::<S, SPLIT>(
            &rates,
            &state,
            self.next.potential,
            threshold,
            self.time - now,
            crosses,
        );
        let times = start + elapsed;
        let released = crosses.select(times + refractory_period, all(f64::INFINITY));
        if end.above(released).any() {
            return None;
        }
        self.cells.push(crosses.select(times, all(f64::INFINITY)), self.spikes);
        let mut next = self.next;
        next.potential = crosses.select(reset, next.potential);
        let release = crosses.select(released, release);
        Some(Place { state: next, release, now: self.time })
    }

    /// Any case. A neuron that spikes on the way goes the rest of it after its refractory period, while
    /// the others wait.
    #[inline(always)]
    fn carefully(self) -> Place<S> {
        let Walk { cells, at, time, spikes, .. } = self;
        let Cells { rates, threshold, reset, refractory_period, .. } = cells;
        let Place { mut state, mut release, now } = at;
        let simd = rates.simd;
        let zero = Doubles::splat(simd, 0.0);
        let end = Doubles::splat(simd, time);
        let mut rest = Doubles::splat(simd, time - now);
        loop {
            let held = (release - (end - rest)).max(zero);
            if held.above(zero).any() {
                let held = held.above(rest).select(rest, held);
                rates.hold::<SPLIT>(&mut state, held);
                rest = (rest - held).max(zero);
            }
            let next = rates.after::<SPLIT>(&state, rest);
            let ceiling = rates.ceiling::<SPLIT>(&state, next.potential, rest);
            // A state that was left over may be above a threshold that has changed: then it crosses.
            let open = ceiling.at_least(threshold).and(rest.above(zero));
            let crosses = next.potential.at_least(threshold).and(open);
            if !open.any() {
                return Place { state: next, release, now: time };
            }
            let elapsed =
                first_crossing::<S, SPLIT>(&rates, &state, threshold, rest, open, crosses);
            let spiked = Doubles::splat(simd, f64::INFINITY).above(elapsed);
            if !spiked.any() {
                return Place { state: next, release, now: time };
            }
            let elapsed = spiked.select(elapsed, rest);
            state = rates.after::<SPLIT>(&state, elapsed);
            let times = end - rest + elapsed;
            state.potential = spiked.select(reset, state.potential);
            release = spiked.select(times + refractory_period, release);
            rest = spiked.select(rest - elapsed, zero);
            cells.push(spiked.select(times, Doubles::splat(simd, f64::INFINITY)), spikes);
        }
    }
}
