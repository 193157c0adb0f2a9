//! Neurons that go on after each spike, from any state to the state at the end.

use pulp::Simd;

use super::motion::{Moment, Rates};
use super::neurons::{NeuronStates, PADDING};
use super::search::first_crossing;
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
    let lanes = S::F64_LANES;
    let neurons = layer.neurons;
    for register in 0..neurons.threshold.len() / lanes {
        let first = register * lanes;
        let rows = layer.synapses.group(first / PADDING);
        let load = |column: &[f64]| Doubles::new(simd, registers::<S>(column)[register]);
        let mut walk = Walk {
            rates: Rates::load(simd, neurons, register),
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
    /// The neuron in the first lane.
    first: usize,
}

impl<S: Simd> Walk<S> {
    /// Moves on to a time. A neuron that spikes on the way goes the rest of it after its refractory
    /// period, while the others wait.
    #[inline(always)]
    fn advance<const SPLIT: bool>(&mut self, time: f64, spikes: &mut Vec<LayerSpike>) {
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
            let crosses = next.potential.at_least(self.threshold).and(rest.above(zero));
            let open = self.may_cross::<SPLIT>(&next, rest);
            if !crosses.or(open).any() {
                self.state = next;
                return;
            }
            let elapsed = first_crossing::<S, SPLIT>(
                &self.rates,
                &self.state,
                self.threshold,
                rest,
                crosses.or(open),
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

    /// Where the potential may cross the threshold on a stretch, whether or not it ends above it.
    #[inline(always)]
    fn may_cross<const SPLIT: bool>(&self, next: &Moment<S>, rest: Doubles<S>) -> Truths<S> {
        let simd = self.rates.simd;
        let zero = Doubles::splat(simd, 0.0);
        // A state that was left over may be above a threshold that has changed.
        let above = self.state.potential.at_least(self.threshold);
        let open = if SPLIT {
            let push = self.state.currents[0] * self.rates.inverse_capacitance;
            push.multiply_add(rest, self.state.potential.max(zero)).at_least(self.threshold)
        } else {
            let slope = self.rates.slope::<SPLIT>(&self.state);
            // What has decayed beyond the range of the exponential has no sign.
            let still = Doubles::splat(simd, 1e-280);
            let falls = still.above(self.rates.slope::<SPLIT>(next));
            slope.multiply_add(rest, self.state.potential).at_least(self.threshold).and(falls)
        };
        open.or(above).and(rest.above(zero))
    }
}
