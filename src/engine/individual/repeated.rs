//! Neurons that go on after each spike, from any state to the state at the end.

use pulp::{Simd, WithSimd};

use super::motion::{Moment, Rates};
use super::neurons::{NeuronStates, PADDING};
use super::once::PIECE;
use super::search::first_crossing;
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
        let mut walk = Walk {
            rates: Rates::load(simd, neurons, register, fastest),
            piece: PIECE / fastest,
            state: Moment {
                potential: load(&states.potential),
                currents: [load(&states.currents[0]), load(&states.currents[1])],
            },
            threshold: load(&neurons.threshold),
            reset: load(&neurons.reset),
            refractory_period: load(&neurons.refractory_period),
            release: load(&states.held),
            now: 0.0,
            first,
        };
        for arrival in arrivals {
            if arrival.time > walk.now {
                if arrival.time > end {
                    break;
                }
                walk.advance::<SPLIT>(arrival.time, spikes);
            }
            let row = &rows[arrival.row as usize * PADDING + first % PADDING..][..lanes];
            walk.state.receive::<SPLIT>(simd, Doubles::new(simd, registers::<S>(row)[0]));
        }
        if end > walk.now {
            walk.advance::<SPLIT>(end, spikes);
        }
        let held = (walk.release - Doubles::splat(simd, end)).max(Doubles::splat(simd, 0.0));
        registers_mut::<S>(&mut states.potential)[register] = walk.state.potential.value();
        registers_mut::<S>(&mut states.held)[register] = held.value();
        for (column, current) in states.currents.iter_mut().zip(walk.state.currents) {
            registers_mut::<S>(column)[register] = current.value();
        }
    }
}

/// The neurons of a register on their way.
struct Walk<S: Simd> {
    rates: Rates<S>,
    state: Moment<S>,
    threshold: Doubles<S>,
    reset: Doubles<S>,
    refractory_period: Doubles<S>,
    /// End of the refractory period.
    release: Doubles<S>,
    now: f64,
    /// Longest stretch that is looked at as a whole.
    piece: f64,
    /// The neuron in the first lane.
    first: usize,
}

/// A walk as a function of its own, for where something happens.
struct Walking<'a, S: Simd, const SPLIT: bool> {
    walk: &'a mut Walk<S>,
    time: f64,
    spikes: &'a mut Vec<LayerSpike>,
}

impl<S: Simd, const SPLIT: bool> WithSimd for Walking<'_, S, SPLIT> {
    type Output = ();

    #[inline(always)]
    fn with_simd<Same: Simd>(self, _: Same) {
        self.walk.walk::<SPLIT>(self.time, self.spikes);
    }
}

impl<S: Simd> Walk<S> {
    /// Moves on to a time.
    #[inline(always)]
    fn advance<const SPLIT: bool>(&mut self, time: f64, spikes: &mut Vec<LayerSpike>) {
        while SPLIT && time - self.now > self.piece {
            let highest = self.rates.ceiling_for_ever(&self.state);
            let highest = highest.max(self.rates.ceiling_for_ever(&self.reset_state()));
            if !highest.at_least(self.threshold).any() {
                break;
            }
            self.advance_piece::<SPLIT>(self.now + self.piece, spikes);
        }
        self.advance_piece::<SPLIT>(time, spikes);
    }

    /// The state as it were if all neurons were reset.
    #[inline(always)]
    fn reset_state(&self) -> Moment<S> {
        Moment { potential: self.reset, currents: self.state.currents }
    }

    /// Moves on to a time within a piece, or one up to which nothing can happen.
    #[inline(always)]
    fn advance_piece<const SPLIT: bool>(&mut self, time: f64, spikes: &mut Vec<LayerSpike>) {
        let simd = self.rates.simd;
        let (start, end) = (Doubles::splat(simd, self.now), Doubles::splat(simd, time));
        let held = self.release.at_least(end);
        let gap = time - self.now;
        if self.release.above(start).and_not(held).any() {
            let walk = Walking::<S, SPLIT> { walk: self, time, spikes };
            return simd.vectorize(walk);
        }
        // Each neuron is held all the way, or not at all.
        let mut next = self.rates.after_gap::<SPLIT>(&self.state, gap);
        next.potential = held.select(self.state.potential, next.potential);
        let gap = Doubles::splat(simd, gap);
        let ceiling = self.rates.ceiling::<SPLIT>(&self.state, next.potential, gap);
        if ceiling.at_least(self.threshold).and_not(held).any() {
            let walk = Walking::<S, SPLIT> { walk: self, time, spikes };
            return simd.vectorize(walk);
        }
        self.state = next;
        self.now = time;
    }

    /// Moves on to a time. A neuron that spikes on the way goes the rest of it after its refractory
    /// period, while the others wait.
    #[inline(always)]
    fn walk<const SPLIT: bool>(&mut self, time: f64, spikes: &mut Vec<LayerSpike>) {
        let simd = self.rates.simd;
        let zero = Doubles::splat(simd, 0.0);
        let end = Doubles::splat(simd, time);
        let mut rest = Doubles::splat(simd, time - self.now);
        self.now = time;
        loop {
            let held = (self.release - (end - rest)).max(zero);
            if held.above(zero).any() {
                let held = held.above(rest).select(rest, held);
                self.rates.hold::<SPLIT>(&mut self.state, held);
                rest = (rest - held).max(zero);
            }
            let next = self.rates.after::<SPLIT>(&self.state, rest);
            let ceiling = self.rates.ceiling::<SPLIT>(&self.state, next.potential, rest);
            // A state that was left over may be above a threshold that has changed: then it crosses.
            let open = ceiling.at_least(self.threshold).and(rest.above(zero));
            let crosses = next.potential.at_least(self.threshold).and(open);
            if !open.any() {
                self.state = next;
                return;
            }
            let elapsed = first_crossing::<S, SPLIT>(
                &self.rates,
                &self.state,
                self.threshold,
                rest,
                open,
                crosses,
            );
            let spiked = Doubles::splat(simd, f64::INFINITY).above(elapsed);
            if !spiked.any() {
                self.state = next;
                return;
            }
            let elapsed = spiked.select(elapsed, rest);
            self.state = self.rates.after::<SPLIT>(&self.state, elapsed);
            let times = end - rest + elapsed;
            self.state.potential = spiked.select(self.reset, self.state.potential);
            self.release = spiked.select(times + self.refractory_period, self.release);
            rest = spiked.select(rest - elapsed, zero);
            let marks = spiked.select(times, Doubles::splat(simd, f64::INFINITY));
            for lane in 0..S::F64_LANES {
                let time = marks.lane(lane);
                if time < f64::INFINITY {
                    spikes.push(LayerSpike { time, neuron: (self.first + lane) as u32 });
                }
            }
        }
    }
}
