//! Layers with synaptic delays, forward and backward.
//!
//! With a delay per synapse the inputs of every neuron come in an order of its own, so nothing is left
//! that the neurons of a layer could share. What they do share over samples is all the rest: weights,
//! delays, thresholds. So here a register holds as many samples as fit into it, and the neurons take
//! turns. The arrivals at a neuron are sorted by a sorting network (Batcher's odd-even merge), which
//! makes the same exchanges whatever the times; then the state is carried from input to input, and the
//! crossing is looked for by the conditions of [`super::sweep`], each sample behind its own mask. All
//! crossings of a register are computed at once, from the states at the inputs before them.

use pulp::Simd;

use super::crossing::{closed_form, general_from};
use super::elementary::{Doubles, Truths, registers, registers_mut};
use super::inputs::Arrival;
use super::lanes::{Element, grow};
use super::membrane::Membrane;
use super::sorting_network::{Comparators, SHORT};
use super::tiles::Tiling;
use super::{Layer, SamplePass};
use crate::neuron::Ratio;

/// The synaptic delays of a layer.
#[derive(Clone, Debug)]
pub(super) struct SynapticDelays {
    /// Row by row, in time units.
    pub values: Vec<f64>,
    comparators: Comparators,
}

/// What a block of samples did in such a layer. Values of one input or neuron in as many samples as
/// fit into a register stand side by side; a group is such a number of samples.
#[derive(Clone, Debug, Default)]
pub(super) struct BlockPass {
    /// Per group and row: when the input comes, without delay; infinite if it does not.
    inputs: Vec<f64>,
    /// Per group and neuron: when it spikes, infinite if it does not.
    spikes: Vec<f64>,
    /// Per group and neuron: its synaptic current at that moment.
    currents: Vec<f64>,
}

/// Room to work in.
#[derive(Clone, Debug, Default)]
pub(super) struct BlockScratch {
    synapses: Vec<SynapseOfRow>,
    arrivals: Vec<f64>,
    weights: Vec<f64>,
    by_spike: Vec<f64>,
    by_input: Vec<f64>,
    by_weight: Vec<f64>,
    weight_sums: Vec<f64>,
    delay_sums: Vec<f64>,
}

/// How the loss depends on the parameters of a layer, summed over samples: what a layer with delays
/// adds to the [`super::LayerGradient`]s of its samples.
#[derive(Clone, Debug, Default)]
pub struct DelayGradient {
    /// By the weights, in tiles; empty unless the delays are synaptic.
    pub weights: Vec<f64>,
    /// By the delays; empty for a layer without.
    pub delays: Vec<f64>,
}

impl SynapticDelays {
    pub fn new(values: Vec<f64>, rows: usize) -> Self {
        SynapticDelays { values, comparators: Comparators::new(rows) }
    }
}

/// What the sweep needs of one neuron's synapses: weight and delay, per row.
#[derive(Clone, Copy, Debug, Default)]
struct SynapseOfRow {
    weight: f64,
    delay: f64,
}

/// Where the values of one column stand in tiles: the first, and the distance to the next row's.
fn column_of(tiling: Tiling, column: usize) -> impl Fn(usize) -> usize {
    let first = tiling.index(0, column);
    let stride = if tiling.rows > 1 { tiling.index(1, column) - first } else { 0 };
    move |row| first + row * stride
}

/// A layer with synaptic delays as the sweep sees it.
pub(super) struct DelayedLayer<'a, T> {
    layer: &'a Layer<T>,
    delays: &'a SynapticDelays,
    /// Index of the layer in its network.
    index: usize,
}

impl<'a, T: Element> DelayedLayer<'a, T> {
    pub fn new(layer: &'a Layer<T>, delays: &'a SynapticDelays, index: usize) -> Self {
        DelayedLayer { layer, delays, index }
    }

    /// The synapses of one neuron.
    fn synapses(&self, column: usize, synapses: &mut Vec<SynapseOfRow>) {
        let Tiling { rows, columns, .. } = self.layer.tiling;
        let place = column_of(self.layer.tiling, column);
        synapses.clear();
        synapses.extend((0..rows).map(|row| SynapseOfRow {
            weight: self.layer.weights[place(row)].to_f64(),
            delay: self.delays.values[row * columns + column],
        }));
    }

    /// Runs the layer for the arrivals of all passes, and writes its spikes there.
    #[inline(always)]
    pub fn forward<S: Simd>(
        &self,
        simd: S,
        passes: &mut [SamplePass<T>],
        block: &mut BlockPass,
        scratch: &mut BlockScratch,
    ) {
        let Tiling { rows, columns, .. } = self.layer.tiling;
        let lanes = S::F64_LANES;
        let groups = passes.len().div_ceil(lanes);
        block.inputs.clear();
        block.inputs.resize(groups * rows * lanes, f64::INFINITY);
        block.spikes.resize(groups * columns * lanes, f64::INFINITY);
        block.currents.resize(groups * columns * lanes, 0.0);
        for (sample, pass) in passes.iter().enumerate() {
            let (group, lane) = (sample / lanes, sample % lanes);
            for &Arrival { time, row } in &pass.layers[self.index].inputs.arrivals {
                block.inputs[(group * rows + row as usize) * lanes + lane] = time;
            }
        }
        grow(&mut scratch.arrivals, rows.max(SHORT) * lanes);
        grow(&mut scratch.weights, rows.max(SHORT) * lanes);
        let arrivals = registers_mut::<S>(&mut scratch.arrivals);
        let weights = registers_mut::<S>(&mut scratch.weights);
        let inputs = registers::<S>(&block.inputs);
        let spikes = registers_mut::<S>(&mut block.spikes);
        let currents = registers_mut::<S>(&mut block.currents);
        for column in 0..columns {
            self.synapses(column, &mut scratch.synapses);
            let threshold = Doubles::splat(simd, self.layer.neurons.thresholds[column]);
            for group in 0..groups {
                let inputs = &inputs[group * rows..(group + 1) * rows];
                let places = arrivals.iter_mut().zip(weights.iter_mut());
                let sources = inputs.iter().zip(&scratch.synapses);
                for ((arrival, weight), (&input, synapse)) in places.zip(sources) {
                    *arrival = simd.add_f64s(input, simd.splat_f64s(synapse.delay));
                    *weight = simd.splat_f64s(synapse.weight);
                }
                self.delays.comparators.sort(simd, arrivals, weights);
                let (arrivals, weights) = (&arrivals[..rows], &weights[..rows]);
                let (spike, current) =
                    first_spike(simd, &self.layer.neurons.membrane, threshold, arrivals, weights);
                spikes[group * columns + column] = spike.value();
                currents[group * columns + column] = current.value();
            }
        }
        for (sample, pass) in passes.iter_mut().enumerate() {
            let (group, lane) = (sample / lanes, sample % lanes);
            let times = &mut pass.layers[self.index].spikes.times;
            times.resize(self.layer.tiling.padded_columns(), f64::INFINITY);
            for (column, time) in times[..columns].iter_mut().enumerate() {
                *time = block.spikes[(group * columns + column) * lanes + lane];
            }
        }
    }

    /// Carries the derivatives of the loss by the layer's spikes, one list per sample, to those by its
    /// inputs, which take their place, one value per row; and adds those by weights and delays to
    /// `gradient`.
    #[expect(clippy::too_many_arguments, reason = "what one layer leaves to the next")]
    #[inline(always)]
    pub fn backward<S: Simd>(
        &self,
        simd: S,
        guard: Option<f64>,
        by_times: &mut [Vec<f64>],
        passes: &mut [SamplePass<T>],
        block: &BlockPass,
        scratch: &mut BlockScratch,
        gradient: &mut DelayGradient,
    ) {
        let Tiling { rows, columns, .. } = self.layer.tiling;
        let lanes = S::F64_LANES;
        let groups = passes.len().div_ceil(lanes);
        let by_spike = &mut scratch.by_spike;
        by_spike.clear();
        by_spike.resize(groups * columns * lanes, 0.0);
        for (sample, by_time) in by_times.iter().enumerate() {
            let (group, lane) = (sample / lanes, sample % lanes);
            for (column, &by_time) in by_time[..columns].iter().enumerate() {
                by_spike[(group * columns + column) * lanes + lane] = by_time;
            }
        }
        for pass in passes.iter_mut() {
            pass.layers[self.index].gradient.guarded = 0;
        }
        scratch.by_input.clear();
        scratch.by_input.resize(groups * rows * lanes, 0.0);
        scratch.by_weight.resize(rows * lanes, 0.0);
        let zero = Doubles::splat(simd, 0.0);
        let by_input = registers_mut::<S>(&mut scratch.by_input);
        let by_weight = registers_mut::<S>(&mut scratch.by_weight);
        for column in 0..columns {
            let place = column_of(self.layer.tiling, column);
            self.synapses(column, &mut scratch.synapses);
            for sums in [&mut scratch.weight_sums, &mut scratch.delay_sums] {
                sums.clear();
                sums.resize(rows * lanes, 0.0);
            }
            let weight_sums = registers_mut::<S>(&mut scratch.weight_sums);
            let delay_sums = registers_mut::<S>(&mut scratch.delay_sums);
            for group in 0..groups {
                let spike = group * columns + column;
                let [time, current, by_time] = [&block.spikes, &block.currents, &*by_spike]
                    .map(|values| Doubles::new(simd, registers::<S>(values)[spike]));
                let Some((deadline, factor)) =
                    self.deadlines(simd, column, [time, current, by_time])
                else {
                    continue;
                };
                let inputs = &registers::<S>(&block.inputs)[group * rows..(group + 1) * rows];
                let by_input = &mut by_input[group * rows..(group + 1) * rows];
                let mut largest = zero;
                let sums = by_input.iter_mut().zip(delay_sums.iter_mut());
                let synapses = inputs.iter().zip(&scratch.synapses);
                for (((by_input, delay_sum), by_weight), (&input, synapse)) in
                    sums.zip(by_weight.iter_mut()).zip(synapses)
                {
                    let input = Doubles::new(simd, input);
                    let by = self.by_synapse(simd, *synapse, input, deadline, factor);
                    *by_weight = by[0].value();
                    largest = largest.max(by[0].max(-by[0]));
                    *by_input = (Doubles::new(simd, *by_input) + by[1]).value();
                    *delay_sum = (Doubles::new(simd, *delay_sum) + by[1]).value();
                }
                let keep = guard.map(|guard| Doubles::splat(simd, guard).at_least(largest));
                for (sum, &by) in weight_sums.iter_mut().zip(&*by_weight) {
                    let by = Doubles::new(simd, by);
                    let by = keep.map_or(by, |keep| keep.select(by, zero));
                    *sum = (Doubles::new(simd, *sum) + by).value();
                }
                if let Some(guard) = guard.filter(|&guard| largest.largest() > guard) {
                    let samples = passes.iter_mut().skip(group * lanes).take(lanes);
                    for (lane, pass) in samples.enumerate() {
                        let exceeds = largest.lane(lane) > guard;
                        pass.layers[self.index].gradient.guarded += u64::from(exceeds);
                    }
                }
            }
            for row in 0..rows {
                gradient.weights[place(row)] += simd.reduce_sum_f64s(weight_sums[row]);
                gradient.delays[row * columns + column] += simd.reduce_sum_f64s(delay_sums[row]);
            }
        }
        for (sample, by_time) in by_times.iter_mut().enumerate() {
            let (group, lane) = (sample / lanes, sample % lanes);
            by_time.clear();
            by_time
                .extend((0..rows).map(|row| scratch.by_input[(group * rows + row) * lanes + lane]));
        }
    }

    /// Up to when inputs count, and the derivative of the loss by the potential there, but for the
    /// sign; none if nothing depends on any of the spikes.
    #[inline(always)]
    fn deadlines<S: Simd>(
        &self,
        simd: S,
        column: usize,
        [time, current, by_time]: [Doubles<S>; 3],
    ) -> Option<(Doubles<S>, Doubles<S>)> {
        let all = |value| Doubles::splat(simd, value);
        let membrane = &self.layer.neurons.membrane;
        let leak = membrane.membrane_rate * self.layer.neurons.thresholds[column];
        let slope = all(membrane.inverse_capacitance) * current - all(leak);
        let matters = all(f64::INFINITY)
            .above(time)
            .and(by_time.max(-by_time).above(all(0.0)))
            .and(slope.above(all(0.0)));
        let deadline = matters.select(time, all(f64::NEG_INFINITY));
        matters.any().then(|| (deadline, matters.select(by_time / slope, all(0.0))))
    }

    /// The derivatives by the weight of a synapse and by the time of its input ([`super::backward`]).
    #[inline(always)]
    fn by_synapse<S: Simd>(
        &self,
        simd: S,
        SynapseOfRow { weight, delay }: SynapseOfRow,
        input: Doubles<S>,
        deadline: Doubles<S>,
        factor: Doubles<S>,
    ) -> [Doubles<S>; 2] {
        let all = |value| Doubles::splat(simd, value);
        let arrival = input + all(delay);
        let membrane = &self.layer.neurons.membrane;
        let causal = deadline.above(arrival);
        let elapsed = causal.select(deadline - arrival, all(0.0));
        let factor = causal.select(factor, all(0.0));
        let views = membrane.views_after(simd, elapsed);
        let slope = views.current * all(membrane.inverse_capacitance)
            - all(membrane.membrane_rate) * views.response;
        [-(factor * views.response), all(weight) * factor * slope]
    }
}

/// The states from which neurons cross.
struct Found<S: Simd> {
    /// The threshold, infinite for lanes whose crossing has been found.
    waiting: Doubles<S>,
    /// The inputs before the crossings, and the states there.
    times: Doubles<S>,
    currents: Doubles<S>,
    potentials: Doubles<S>,
}

impl<S: Simd> Found<S> {
    #[inline(always)]
    fn add(&mut self, crosses: Truths<S>, [time, current, potential]: [Doubles<S>; 3]) {
        self.times = crosses.select(time, self.times);
        self.currents = crosses.select(current, self.currents);
        self.potentials = crosses.select(potential, self.potentials);
    }
}

/// When neurons with these inputs, sorted by time, first spike, and their currents then. Infinite for
/// those that do not; infinite times are those of inputs that do not come.
#[inline(always)]
fn first_spike<S: Simd>(
    simd: S,
    membrane: &Membrane,
    threshold: Doubles<S>,
    times: &[S::f64s],
    weights: &[S::f64s],
) -> (Doubles<S>, Doubles<S>) {
    let all = |value| Doubles::splat(simd, value);
    let (zero, infinity) = (all(0.0), all(f64::INFINITY));
    let (rate, inverse_capacitance) =
        (all(membrane.membrane_rate), all(membrane.inverse_capacitance));
    let slope = |current, potential| inverse_capacitance * current - rate * potential;
    let mut found = Found { waiting: threshold, times: zero, currents: zero, potentials: zero };
    let (mut previous, mut current, mut potential) = (zero, zero, zero);
    for (index, (&time, &weight)) in times.iter().zip(weights).enumerate() {
        let (time, weight) = (Doubles::new(simd, time), Doubles::new(simd, weight));
        let comes = infinity.above(time);
        let time = comes.select(time, previous);
        let weight = comes.select(weight, zero);
        if index > 0 {
            let gap = time - previous;
            let views = membrane.views_after(simd, gap);
            let next = potential.multiply_add(views.decay, current * views.response);
            let rise = slope(current, potential);
            let mut crosses = next.at_least(found.waiting);
            let peaks = rise
                .multiply_add(gap, potential)
                .at_least(found.waiting)
                .and(zero.above(slope(current * views.current, next)))
                .and(rise.above(zero))
                .and(found.waiting.above(next));
            if peaks.any() {
                let (_, exists) = cross(simd, membrane, current, potential, threshold);
                crosses = crosses.or(peaks.and(exists));
            }
            if crosses.any() {
                found.add(crosses, [previous, current, potential]);
                found.waiting = crosses.select(infinity, found.waiting);
                if !infinity.above(found.waiting).any() {
                    break;
                }
            }
            (current, potential) = (current * views.current, next);
        }
        current = current + weight;
        previous = time;
    }
    // What has not crossed before its last input may do so after it.
    let waits = infinity.above(found.waiting);
    found.add(waits, [previous, current, potential]);
    let (elapsed, exists) = cross(simd, membrane, found.currents, found.potentials, threshold);
    // A peak within rounding of the threshold is no reason to lose a certain crossing.
    let rises = slope(found.currents, found.potentials).above(zero);
    let exists = waits.select(exists.and(rises).select(elapsed, infinity), elapsed);
    let crosses = infinity.above(exists);
    // A crossing at once may be found a rounding earlier.
    let decay = (all(-membrane.synaptic_rate) * crosses.select(elapsed, zero)).exp();
    (crosses.select(found.times + elapsed, infinity), crosses.select(found.currents * decay, zero))
}

/// The time to the crossing from these states, and whether there is one.
#[inline(always)]
fn cross<S: Simd>(
    simd: S,
    membrane: &Membrane,
    current: Doubles<S>,
    potential: Doubles<S>,
    threshold: Doubles<S>,
) -> (Doubles<S>, Truths<S>) {
    if membrane.ratio != Ratio::General {
        let sum = membrane.potential_sum(simd, current, potential);
        return closed_form(simd, membrane, current, sum, threshold);
    }
    let elapsed = current.map(|lane, current| {
        let state = (current, potential.lane(lane));
        general_from(membrane, state, threshold.lane(lane)).unwrap_or(f64::INFINITY)
    });
    (elapsed, Doubles::splat(simd, f64::INFINITY).above(elapsed))
}
