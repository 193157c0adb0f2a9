//! The backward pass of a layer with synaptic delays.

use pulp::{Simd, WithSimd};

use super::super::SamplePass;
use super::super::elementary::{Doubles, registers, registers_mut};
use super::super::lanes::Element;
use super::super::tiles::Tiling;
use super::powers::Powers;
use super::times::Times;
use super::{
    BlockPass, BlockScratch, Clock, DelayGradient, DelayedLayer, Neighbours, SynapseOfRow,
    column_of,
};

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
    deadline: Doubles<S>,
    factor: Doubles<S>,
}

impl<'a, T: Element> Backward<'a, T> {
    #[inline(always)]
    fn run<S: Simd, C: Clock<'a, S>>(&mut self, simd: S, clock: C) {
        let Tiling { rows, columns, .. } = self.layer.layer.tiling;
        let lanes = S::F64_LANES;
        let groups = self.passes.len().div_ceil(lanes);
        for column in 0..columns {
            let place = column_of(self.layer.layer.tiling, column);
            self.layer.synapses(column, &self.block.shifts, &mut self.scratch.synapses);
            for sums in [&mut self.scratch.weight_sums, &mut self.scratch.delay_sums] {
                sums.clear();
                sums.resize(rows * lanes, 0.0);
            }
            for group in 0..groups {
                let Some(cause) = self.cause(simd, clock, group * columns + column) else {
                    continue;
                };
                let largest = self.add_synapses(simd, clock, group, cause);
                if let Some(guard) = self.guard {
                    self.add_guarded(simd, group, guard, largest);
                }
            }
            let weight_sums = registers::<S>(&self.scratch.weight_sums);
            let delay_sums = registers::<S>(&self.scratch.delay_sums);
            for row in 0..rows {
                self.gradient.weights[place(row)] += simd.reduce_sum_f64s(weight_sums[row]);
                self.gradient.delays[row * columns + column] +=
                    simd.reduce_sum_f64s(delay_sums[row]);
            }
        }
    }

    /// None if nothing depends on any of these spikes.
    #[inline(always)]
    fn cause<S: Simd, C: Clock<'a, S>>(&self, simd: S, clock: C, spike: usize) -> Option<Cause<S>> {
        let zero = Doubles::splat(simd, 0.0);
        let load = |values: &[f64]| Doubles::new(simd, registers::<S>(values)[spike]);
        let by_time = load(&self.scratch.by_spike);
        let slope = load(&self.block.slopes);
        let matters = slope.above(zero).and(by_time.max(-by_time).above(zero));
        if !matters.any() {
            return None;
        }
        let deadline = matters.select(load(&self.block.deadlines), clock.never());
        Some(Cause { deadline, factor: matters.select(by_time / slope, zero) })
    }

    /// Adds the derivatives by times and delays, and those by weights too if nothing guards them.
    /// Returns the largest of those by weights.
    #[inline(always)]
    fn add_synapses<S: Simd, C: Clock<'a, S>>(
        &mut self,
        simd: S,
        clock: C,
        group: usize,
        Cause { deadline, factor }: Cause<S>,
    ) -> Doubles<S> {
        let rows = self.layer.layer.tiling.rows;
        let inputs = &registers::<S>(&self.block.inputs)[group * rows..][..rows];
        let BlockScratch { synapses, by_input, by_weight, weight_sums, delay_sums, .. } =
            &mut *self.scratch;
        let by_input = &mut registers_mut::<S>(by_input)[group * rows..][..rows];
        let by_weight = if self.guard.is_some() { by_weight } else { weight_sums };
        let adds = self.guard.is_none();
        let sums = by_input.iter_mut().zip(registers_mut::<S>(delay_sums));
        let synapses = inputs.iter().zip(&*synapses);
        let mut largest = Doubles::splat(simd, 0.0);
        for (((by_input, delay_sum), by_weight), (&input, &SynapseOfRow { weight, shift })) in
            sums.zip(registers_mut::<S>(by_weight)).zip(synapses)
        {
            let shift = Doubles::splat(simd, shift);
            let arrival = clock.arrival(Doubles::new(simd, input), shift);
            let [response, slope] = clock.response(arrival, deadline);
            let by = -(factor * response);
            if adds {
                *by_weight = (Doubles::new(simd, *by_weight) + by).value();
            } else {
                *by_weight = by.value();
                largest = largest.max(by.max(-by));
            }
            let by = Doubles::splat(simd, weight) * factor * slope;
            *by_input = (Doubles::new(simd, *by_input) + by).value();
            *delay_sum = (Doubles::new(simd, *delay_sum) + by).value();
        }
        largest
    }

    /// Adds the derivatives by weights, but for samples in which one exceeds `guard`.
    #[inline(always)]
    fn add_guarded<S: Simd>(&mut self, simd: S, group: usize, guard: f64, largest: Doubles<S>) {
        let zero = Doubles::splat(simd, 0.0);
        let keep = Doubles::splat(simd, guard).at_least(largest);
        let sums = registers_mut::<S>(&mut self.scratch.weight_sums);
        for (sum, &by) in sums.iter_mut().zip(registers::<S>(&self.scratch.by_weight)) {
            let by = keep.select(Doubles::new(simd, by), zero);
            *sum = (Doubles::new(simd, *sum) + by).value();
        }
        if largest.largest() > guard {
            self.count_guarded(group, S::F64_LANES, |lane| largest.lane(lane) > guard);
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
        let BlockScratch { by_spike, by_input, by_weight, .. } = &mut *self.scratch;
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
        by_input.resize(groups * rows * lanes, 0.0);
        by_weight.resize(rows * lanes, 0.0);
    }

    /// Gives each sample the derivatives by its inputs.
    fn write(&self, by_times: &mut [Vec<f64>], lanes: usize) {
        if self.neighbours.before {
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
