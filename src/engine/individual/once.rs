//! Neurons that spike at most once, from rest.
//!
//! The sweep only notices on which stretch a neuron crosses its threshold, and parks the state at the
//! beginning of that stretch; the crossings of a register are then computed together.

use pulp::Simd;

use super::blocks::PADDING;
use super::motion::{Cells, Moment};
use super::neurons::{IndividualNeurons, RateRange};
use super::search::first_crossing;
use super::{IndividualLayer, LayerSpike};
use crate::engine::feed_forward::Arrival;
use crate::engine::feed_forward::elementary::{Doubles, Truths};

/// See [`IndividualLayer::first_spikes`].
#[inline(always)]
pub fn run<S: Simd, const SPLIT: bool>(
    simd: S,
    layer: &IndividualLayer<'_>,
    arrivals: &[Arrival],
    end: f64,
    spikes: &mut Vec<LayerSpike>,
) {
    let lanes = S::F64_LANES;
    let end = end.min(layer.horizon(arrivals));
    let range = layer.neurons.rate_range();
    for register in 0..layer.neurons.blocks.len() * PADDING / lanes {
        let first = register * lanes;
        let times = sweep::<S, SPLIT>(simd, layer, register, range, arrivals, end);
        for lane in 0..lanes.min(layer.neurons.len().saturating_sub(first)) {
            let time = times.lane(lane);
            if time < f64::INFINITY {
                spikes.push(LayerSpike { time, neuron: (first + lane) as u32 });
            }
        }
    }
}

/// The neurons of a register on their way.
struct Sweep<'a, S: Simd> {
    cells: Cells<'a, S>,
    state: Moment<S>,
    /// Infinite once the neuron has spiked.
    threshold: Doubles<S>,
    thresholds: Doubles<S>,
    now: f64,
    /// State at the beginning of the stretch with the crossing, its time and its length.
    parked: Moment<S>,
    since: Doubles<S>,
    length: Doubles<S>,
}

/// The first spikes of the neurons of one register.
#[inline(always)]
fn sweep<S: Simd, const SPLIT: bool>(
    simd: S,
    layer: &IndividualLayer<'_>,
    register: usize,
    range: RateRange,
    arrivals: &[Arrival],
    end: f64,
) -> Doubles<S> {
    let cells = Cells::<S>::new(simd, layer.neurons, register, range);
    let thresholds = cells.threshold();
    let infinity = Doubles::splat(simd, f64::INFINITY);
    let rest = Moment::at_rest(simd);
    let mut sweep = Sweep {
        cells,
        state: rest,
        threshold: thresholds,
        thresholds,
        now: 0.0,
        parked: rest,
        since: infinity,
        length: Doubles::splat(simd, 0.0),
    };
    for arrival in arrivals {
        if arrival.time > sweep.now {
            if arrival.time > end {
                break;
            }
            if !sweep.advance::<SPLIT>(arrival.time, layer.neurons) {
                return sweep.crossings::<SPLIT>();
            }
        }
        let weights = layer.synapses.row(simd, arrival.row, register);
        sweep.state.receive::<SPLIT>(simd, weights);
    }
    if end > sweep.now {
        sweep.advance::<SPLIT>(end, layer.neurons);
    }
    sweep.crossings::<SPLIT>()
}

impl<S: Simd> Sweep<'_, S> {
    /// Moves on to a time; whether any neuron can still spike.
    #[inline(always)]
    fn advance<const SPLIT: bool>(&mut self, time: f64, neurons: &IndividualNeurons) -> bool {
        let gap = time - self.now;
        let length = Doubles::splat(self.cells.simd, gap);
        let (next, open);
        if let Some(known) = neurons.gap(self.now, time) {
            let known = &neurons.gaps[known];
            let ceiling;
            (next, ceiling) = self.cells.after_known::<SPLIT>(&self.state, known);
            open = ceiling.at_least(self.threshold);
        } else {
            (next, open) = self.cells.after_unknown::<SPLIT>(&self.state, gap, self.threshold);
        }
        let mut goes_on = true;
        if open.any() {
            let crosses = next.potential.at_least(self.threshold).and(open);
            goes_on = self.park::<SPLIT>(crosses, open, length);
        }
        self.state = next;
        self.now = time;
        goes_on
    }

    /// Notes which neurons cross on the stretch ahead.
    #[inline(always)]
    fn park<const SPLIT: bool>(
        &mut self,
        crosses: Truths<S>,
        open: Truths<S>,
        gap: Doubles<S>,
    ) -> bool {
        let simd = self.cells.simd;
        let infinity = Doubles::splat(simd, f64::INFINITY);
        let mut park = crosses;
        let undecided = open.and_not(crosses);
        if undecided.any() {
            let nowhere = infinity.above(infinity);
            let time = first_crossing::<S, SPLIT>(
                &self.cells,
                &self.state,
                self.threshold,
                gap,
                undecided,
                nowhere,
            );
            park = park.or(infinity.above(time));
        }
        self.parked = self.state.or(park, self.parked);
        self.since = park.select(Doubles::splat(simd, self.now), self.since);
        self.length = park.select(gap, self.length);
        self.threshold = park.select(infinity, self.threshold);
        infinity.above(self.threshold).any()
    }

    /// When the parked neurons cross.
    #[inline(always)]
    fn crossings<const SPLIT: bool>(&self) -> Doubles<S> {
        let infinity = Doubles::splat(self.cells.simd, f64::INFINITY);
        let parked = infinity.above(self.since);
        if !parked.any() {
            return infinity;
        }
        let elapsed = first_crossing::<S, SPLIT>(
            &self.cells,
            &self.parked,
            self.thresholds,
            self.length,
            parked,
            parked,
        );
        self.since + elapsed
    }
}
