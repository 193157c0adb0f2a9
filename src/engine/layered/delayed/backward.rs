//! The backward pass of a layer with synaptic delays.

use pulp::{Simd, WithSimd};

use super::super::SamplePass;
use super::super::tiles::Tiling;
use super::powers::Powers;
use super::times::Times;
use super::{
    BlockPass, BlockScratch, Clock, DelayGradient, DelayedLayer, Neighbours, SynapseOfRow,
};
use crate::simd::Element;
use crate::simd::{F64s, registers, registers_mut};

/// See [`DelayedLayer::backward`].
pub(super) struct Backward<'a, T> {
    pub layer: DelayedLayer<'a, T>,
    pub guard: Option<f64>,
    pub neighbours: Neighbours,
    pub passes: &'a mut [SamplePass<T>],
    pub block: &'a BlockPass,
    pub scratch: &'a mut BlockScratch,
    pub gradient: &'a mut DelayGradient,
}

/// The pass on one of the clocks, as a function of its own.
pub(super) struct BackwardOn<'a, T, const POWERS: bool> {
    pub backward: Backward<'a, T>,
    pub by_times: &'a mut [Vec<f64>],
}

impl<T: Element, const POWERS: bool> WithSimd for BackwardOn<'_, T, POWERS> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let BackwardOn { mut backward, by_times } = self;
        let membrane = &backward.layer.layer.neurons.membrane;
        backward.collect(by_times, S::F64_LANES);
        if POWERS {
            backward.run(simd, Powers::new(simd, membrane));
        } else {
            backward.run(simd, Times::new(simd, membrane));
        }
        backward.write(by_times, S::F64_LANES);
    }
}

/// One neuron in a register of samples: up to when inputs count, and the derivative of the loss by the
/// potential there, but for the sign.
#[derive(Clone, Copy)]
struct Cause<S: Simd> {
    deadline: F64s<S>,
    factor: F64s<S>,
}

/// What one input has done, by the derivative.
#[inline(always)]
fn effect<'a, S: Simd, C: Clock<'a, S>>(
    simd: S,
    clock: C,
    input: S::f64s,
    synapse: SynapseOfRow,
    Cause { deadline, factor }: Cause<S>,
) -> [F64s<S>; 2] {
    let shift = F64s::splat(simd, synapse.shift);
    clock.effect(clock.arrival(F64s::new(simd, input), shift), deadline, factor)
}

#[inline(always)]
fn add_effect<S: Simd>(simd: S, effect: [F64s<S>; 2], sums: &mut [S::f64s; 2]) {
    sums[0] = (F64s::new(simd, sums[0]) + effect[0]).value();
    sums[1] = (F64s::new(simd, sums[1]) + effect[1]).value();
}

/// The inputs of a group of samples.
#[inline(always)]
fn inputs_of<S: Simd>(block: &BlockPass, rows: usize, group: usize) -> &[S::f64s] {
    &registers::<S>(&block.inputs)[group * rows..][..rows]
}

impl<'a, T: Element> Backward<'a, T> {
    #[inline(always)]
    fn run<S: Simd, C: Clock<'a, S>>(&mut self, simd: S, clock: C) {
        let Tiling { rows, columns, .. } = self.layer.layer.tiling;
        let lanes = S::F64_LANES;
        let groups = self.passes.len().div_ceil(lanes);
        for column in 0..columns {
            let place = self.layer.layer.tiling.column(column);
            self.layer.synapses(column, &self.block.shifts, &mut self.scratch.synapses);
            self.scratch.sums.clear();
            self.scratch.sums.resize(2 * rows * lanes, 0.0);
            // Grows when the first sample is guarded.
            self.scratch.guarded_sums.clear();
            for group in 0..groups {
                let Some(cause) = self.cause(simd, clock, group * columns + column) else {
                    continue;
                };
                let kept = self.heed_guard(simd, clock, group, cause);
                self.add(simd, clock, group, kept, false);
                let beyond = cause.factor - kept.factor;
                let zero = F64s::splat(simd, 0.0);
                if beyond.max(-beyond).above(zero).any() {
                    self.scratch.guarded_sums.resize(2 * rows * lanes, 0.0);
                    self.add(simd, clock, group, Cause { factor: beyond, ..cause }, true);
                }
            }
            let BlockScratch { synapses, sums, guarded_sums, .. } = &self.scratch;
            let sums = registers::<S>(sums).as_chunks::<2>().0;
            let guarded_sums = registers::<S>(guarded_sums).as_chunks::<2>().0;
            for row in 0..rows {
                let synapse = synapses[row];
                let [p, q] = sums[row];
                let [response, mut slope] =
                    clock.response([F64s::new(simd, p), F64s::new(simd, q)]);
                if let Some(&[p, q]) = guarded_sums.get(row) {
                    let [_, more] = clock.response([F64s::new(simd, p), F64s::new(simd, q)]);
                    slope = slope + more;
                }
                self.gradient.weights[place.at(row)] -= response.sum();
                self.gradient.delays[row * columns + column] += synapse.weight * slope.sum();
            }
        }
    }

    /// None if nothing depends on any of these spikes.
    #[inline(always)]
    fn cause<S: Simd, C: Clock<'a, S>>(&self, simd: S, clock: C, spike: usize) -> Option<Cause<S>> {
        let zero = F64s::splat(simd, 0.0);
        let load = |values: &[f64]| F64s::new(simd, registers::<S>(values)[spike]);
        let by_time = load(&self.scratch.by_spike);
        let slope = load(&self.block.slopes);
        let matters = slope.above(zero).and(by_time.max(-by_time).above(zero));
        if !matters.any() {
            return None;
        }
        let deadline = matters.select(load(&self.block.deadlines), clock.never());
        Some(Cause { deadline, factor: matters.select(by_time / slope, zero) })
    }

    /// The same, but for the samples that the gradient guard keeps from changing weights.
    #[inline(always)]
    fn heed_guard<S: Simd, C: Clock<'a, S>>(
        &mut self,
        simd: S,
        clock: C,
        group: usize,
        cause: Cause<S>,
    ) -> Cause<S> {
        let Some(guard) = self.guard else { return cause };
        let zero = F64s::splat(simd, 0.0);
        let size = cause.factor.max(-cause.factor);
        let may_exceed = size * F64s::splat(simd, clock.largest_response());
        if !may_exceed.above(F64s::splat(simd, guard)).any() {
            return cause;
        }
        let mut largest = zero;
        let inputs = inputs_of::<S>(self.block, self.rows(), group);
        for (&input, &synapse) in inputs.iter().zip(&self.scratch.synapses) {
            let [response, _] = clock.response(effect(simd, clock, input, synapse, cause));
            largest = largest.max(response.max(-response));
        }
        if largest.largest() > guard {
            self.count_guarded(group, S::F64_LANES, |lane| largest.lane(lane) > guard);
        }
        let keep = F64s::splat(simd, guard).at_least(largest);
        Cause { factor: keep.select(cause.factor, zero), ..cause }
    }

    fn rows(&self) -> usize {
        self.layer.layer.tiling.rows
    }

    /// Adds what the inputs of a group of samples have done to one of the sums, and, unless they are those
    /// of the network, the derivatives by their times.
    #[inline(always)]
    fn add<S: Simd, C: Clock<'a, S>>(
        &mut self,
        simd: S,
        clock: C,
        group: usize,
        cause: Cause<S>,
        is_guarded: bool,
    ) {
        let rows = self.rows();
        let inputs = inputs_of::<S>(self.block, rows, group);
        let BlockScratch { synapses, by_input, sums, guarded_sums, .. } = &mut *self.scratch;
        let sums = if is_guarded { guarded_sums } else { sums };
        let sums = registers_mut::<S>(sums).as_chunks_mut::<2>().0;
        let places = inputs.iter().zip(&*synapses).zip(sums);
        if self.layer.layer.is_first {
            for ((&input, &synapse), sums) in places {
                add_effect(simd, effect(simd, clock, input, synapse, cause), sums);
            }
            return;
        }
        let by_input = &mut registers_mut::<S>(by_input)[group * rows..][..rows];
        for (((&input, &synapse), sums), by_input) in places.zip(by_input) {
            let effect = effect(simd, clock, input, synapse, cause);
            add_effect(simd, effect, sums);
            let [_, slope] = clock.response(effect);
            let weight = F64s::splat(simd, synapse.weight);
            *by_input = slope.multiply_add(weight, F64s::new(simd, *by_input)).value();
        }
    }

    #[cold]
    #[inline(never)]
    fn count_guarded(&mut self, group: usize, lanes: usize, exceeds: impl Fn(usize) -> bool) {
        let samples = self.passes.iter_mut().skip(group * lanes).take(lanes);
        for (lane, pass) in samples.enumerate() {
            pass.layers[self.layer.index].gradient.guarded += u64::from(exceeds(lane));
        }
    }

    /// Puts the derivatives by all spikes side by side.
    fn collect(&mut self, by_times: &[Vec<f64>], lanes: usize) {
        let Tiling { rows, columns, .. } = self.layer.layer.tiling;
        let groups = self.passes.len().div_ceil(lanes);
        let BlockScratch { by_spike, by_input, .. } = &mut *self.scratch;
        by_spike.clear();
        by_spike.resize(groups * columns * lanes, 0.0);
        if self.neighbours.after {
            // The bias of the layer after comes after its neurons.
            let group = (by_input.len() / groups.max(1)).max(1);
            for (by_spike, by_input) in
                by_spike.chunks_exact_mut(columns * lanes).zip(by_input.chunks_exact(group))
            {
                by_spike.copy_from_slice(&by_input[..columns * lanes]);
            }
        } else {
            for (sample, by_time) in by_times.iter().enumerate() {
                let (group, lane) = (sample / lanes, sample % lanes);
                for (column, &by_time) in by_time[..columns].iter().enumerate() {
                    by_spike[(group * columns + column) * lanes + lane] = by_time;
                }
            }
        }
        for pass in self.passes.iter_mut() {
            pass.layers[self.layer.index].gradient.guarded = 0;
        }
        by_input.clear();
        if !self.layer.layer.is_first {
            by_input.resize(groups * rows * lanes, 0.0);
        }
    }

    /// Gives each sample the derivatives by its inputs.
    fn write(&self, by_times: &mut [Vec<f64>], lanes: usize) {
        if self.neighbours.before || self.layer.layer.is_first {
            return;
        }
        let rows = self.layer.layer.tiling.rows;
        let by_input = &self.scratch.by_input;
        for (sample, by_time) in by_times.iter_mut().enumerate() {
            let (group, lane) = (sample / lanes, sample % lanes);
            by_time.clear();
            by_time.extend((0..rows).map(|row| by_input[(group * rows + row) * lanes + lane]));
        }
    }
}
