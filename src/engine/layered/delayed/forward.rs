//! The forward pass of a layer with synaptic delays: neuron after neuron, a register of samples at a time.

use pulp::{Simd, WithSimd};

use super::super::SamplePass;
use super::super::inputs::Arrival;
use super::super::sorting_network::sort_keys;
use super::super::tiles::Tiling;
use super::powers::Powers;
use super::times::Times;
use super::{BlockPass, BlockScratch, Clock, DelayedLayer, Driver};
#[cfg(target_arch = "x86_64")]
use crate::simd::ByPermutation;
use crate::simd::{ByLanes, LARGE_TABLE, Lookup, SMALL_TABLE, with_row};
use crate::simd::{Element, grow};
use crate::simd::{F64s, registers, registers_mut};

/// See [`DelayedLayer::forward`]; a function of its own, because it needs all registers of the machine.
pub(super) struct Forward<'a, T, const POWERS: bool> {
    pub layer: DelayedLayer<'a, T>,
    pub driver: Driver<'a>,
    pub passes: &'a mut [SamplePass<T>],
    pub block: &'a mut BlockPass,
    pub scratch: &'a mut BlockScratch,
}

impl<T: Element, const POWERS: bool> WithSimd for Forward<'_, T, POWERS> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        #[cfg(target_arch = "x86_64")]
        if let Some(lookup) = ByPermutation::new::<S>() {
            return self.run_with(simd, lookup);
        }
        self.run_with(simd, ByLanes);
    }
}

/// What a clock shows for what does not come.
#[inline(always)]
fn absent<'a, S: Simd, C: Clock<'a, S>>(simd: S, clock: C) -> S::f64s {
    clock.reading(F64s::splat(simd, f64::INFINITY), F64s::splat(simd, 0.0)).value()
}

impl<'a, T: Element, const POWERS: bool> Forward<'a, T, POWERS> {
    #[inline(always)]
    fn run_with<S: Simd, L: Lookup<S, SMALL_TABLE> + Lookup<S, LARGE_TABLE>>(
        mut self,
        simd: S,
        lookup: L,
    ) {
        let membrane = &self.layer.layer.neurons.membrane;
        if POWERS {
            self.run(simd, Powers::new(simd, membrane), lookup);
        } else {
            self.run(simd, Times::new(simd, membrane), lookup);
        }
    }

    #[inline(always)]
    fn run<S: Simd, C: Clock<'a, S>, L>(&mut self, simd: S, clock: C, lookup: L)
    where
        L: Lookup<S, SMALL_TABLE> + Lookup<S, LARGE_TABLE>,
    {
        let lanes = S::F64_LANES;
        self.collect_arrivals(lanes);
        let Forward { layer, passes, block, scratch, .. } = self;
        let Tiling { rows, columns, .. } = layer.layer.tiling;
        let groups = passes.len().div_ceil(lanes);
        block.deadlines.resize(groups * columns * lanes, 0.0);
        block.slopes.resize(groups * columns * lanes, 0.0);
        block.times.resize(groups * columns * lanes, f64::INFINITY);
        scratch.references.resize(groups * lanes, 0.0);
        layer.read_clock(simd, clock, groups, block, registers_mut::<S>(&mut scratch.references));
        for column in 0..columns {
            if !C::CARRIES_ROWS {
                self.search(simd, clock, column, groups);
                continue;
            }
            match rows {
                ..=4 => {
                    self.search_keys::<S, C, L, 4, SMALL_TABLE>(simd, clock, lookup, column, groups)
                }
                5 => {
                    self.search_keys::<S, C, L, 5, SMALL_TABLE>(simd, clock, lookup, column, groups)
                }
                6 => {
                    self.search_keys::<S, C, L, 6, SMALL_TABLE>(simd, clock, lookup, column, groups)
                }
                7 | 8 => {
                    self.search_keys::<S, C, L, 8, SMALL_TABLE>(simd, clock, lookup, column, groups)
                }
                9..=16 => self
                    .search_keys::<S, C, L, 16, LARGE_TABLE>(simd, clock, lookup, column, groups),
                17..=32 => self
                    .search_keys::<S, C, L, 32, LARGE_TABLE>(simd, clock, lookup, column, groups),
                _ => self.search(simd, clock, column, groups),
            }
        }
        self.compute_spikes(simd, clock, groups);
        self.write_times(lanes);
    }

    /// Looks for the crossings of one neuron. What is found stands in place of deadlines and slopes.
    #[inline(always)]
    fn search<S: Simd, C: Clock<'a, S>>(
        &mut self,
        simd: S,
        clock: C,
        column: usize,
        groups: usize,
    ) {
        let Forward { layer, block, scratch, .. } = self;
        let Tiling { rows, columns, .. } = layer.layer.tiling;
        let lanes = S::F64_LANES;
        grow(&mut scratch.arrivals, rows * lanes);
        grow(&mut scratch.weights, rows * lanes);
        let arrivals = &mut registers_mut::<S>(&mut scratch.arrivals)[..rows];
        let weights = &mut registers_mut::<S>(&mut scratch.weights)[..rows];
        let (inputs, deadlines) =
            (registers::<S>(&block.inputs), registers_mut::<S>(&mut block.deadlines));
        let slopes = registers_mut::<S>(&mut block.slopes);
        layer.synapses(column, &block.shifts, &mut scratch.synapses);
        let threshold = layer.layer.neurons.thresholds[column];
        let weight_scale = clock.weight_scale(threshold);
        let threshold = F64s::splat(simd, threshold);
        for group in 0..groups {
            let inputs = &inputs[group * rows..(group + 1) * rows];
            let places = arrivals.iter_mut().zip(weights.iter_mut());
            let sources = inputs.iter().zip(&scratch.synapses);
            for ((arrival, weight), (&input, synapse)) in places.zip(sources) {
                let shift = F64s::splat(simd, synapse.shift);
                *arrival = clock.arrival(F64s::new(simd, input), shift).value();
                *weight = simd.splat_f64s(synapse.weight * weight_scale);
            }
            layer.delays.comparators.sort(simd, arrivals, weights);
            let found = clock.search(threshold, arrivals, weights);
            deadlines[group * columns + column] = found[0].value();
            slopes[group * columns + column] = found[1].value();
        }
    }

    /// The same for at most `N` inputs, which carry their rows, so that weights can be looked up in a table
    /// of `ROWS` when all is sorted. All are sorted before any is searched: the shorter the chains of
    /// operations, the more of them the machine has in view.
    #[inline(always)]
    fn search_keys<S: Simd, C: Clock<'a, S>, L, const N: usize, const ROWS: usize>(
        &mut self,
        simd: S,
        clock: C,
        lookup: L,
        column: usize,
        groups: usize,
    ) where
        L: Lookup<S, ROWS>,
    {
        let Forward { layer, block, scratch, .. } = self;
        let Tiling { rows, columns, .. } = layer.layer.tiling;
        let inputs = registers::<S>(&block.inputs);
        layer.synapses(column, &block.shifts, &mut scratch.synapses);
        let synapses = &scratch.synapses[..rows.min(N)];
        grow(&mut scratch.arrivals, groups * N * S::F64_LANES);
        let sorted = &mut registers_mut::<S>(&mut scratch.arrivals)[..groups * N];
        let sorted = sorted.as_chunks_mut::<N>().0;
        let absent = absent(simd, clock);
        for (sorted, inputs) in sorted.iter_mut().zip(inputs.chunks_exact(rows)) {
            let mut keys = [absent; N];
            for row in 0..N {
                if row < inputs.len() && row < synapses.len() {
                    let shift = F64s::splat(simd, synapses[row].shift);
                    let arrival = clock.arrival(F64s::new(simd, inputs[row]), shift).value();
                    keys[row] = with_row::<S, ROWS>(simd, arrival, row);
                }
            }
            sort_keys(simd, &mut keys);
            *sorted = keys;
        }
        let threshold = layer.layer.neurons.thresholds[column];
        let weight_scale = clock.weight_scale(threshold);
        let mut table = [0.0; ROWS];
        for (scaled, synapse) in table.iter_mut().zip(synapses) {
            *scaled = synapse.weight * weight_scale;
        }
        let table = lookup.table(&table);
        let threshold = F64s::splat(simd, threshold);
        let deadlines = registers_mut::<S>(&mut block.deadlines);
        let slopes = registers_mut::<S>(&mut block.slopes);
        for (group, sorted) in sorted.iter().enumerate() {
            let mut weights = [absent; N];
            for (weight, &key) in weights.iter_mut().zip(sorted) {
                *weight = lookup.get(table, key);
            }
            let found = clock.search(threshold, sorted, &weights);
            deadlines[group * columns + column] = found[0].value();
            slopes[group * columns + column] = found[1].value();
        }
    }

    /// Computes the spikes that were found: all together, so that none waits for another's divisions.
    #[inline(always)]
    fn compute_spikes<S: Simd, C: Clock<'a, S>>(&mut self, simd: S, clock: C, groups: usize) {
        let Forward { layer, block, scratch, .. } = self;
        let columns = layer.layer.tiling.columns;
        let references = registers::<S>(&scratch.references);
        let deadlines = registers_mut::<S>(&mut block.deadlines);
        let slopes = registers_mut::<S>(&mut block.slopes);
        let times = registers_mut::<S>(&mut block.times);
        let thresholds = &layer.layer.neurons.thresholds[..columns];
        for (group, &reference) in references.iter().enumerate().take(groups) {
            let reference = F64s::new(simd, reference);
            let range = group * columns..(group + 1) * columns;
            let deadlines = &mut deadlines[range.clone()];
            let (slopes, times) = (&mut slopes[range.clone()], &mut times[range]);
            for column in 0..columns {
                let threshold = F64s::splat(simd, thresholds[column]);
                let first = F64s::new(simd, deadlines[column]);
                let second = F64s::new(simd, slopes[column]);
                let spikes = clock.first_spikes(threshold, [first, second]);
                deadlines[column] = spikes.deadlines.value();
                slopes[column] = spikes.slopes.value();
            }
            for column in 0..columns {
                let deadlines = F64s::new(simd, deadlines[column]);
                times[column] = clock.times(deadlines, reference).value();
            }
        }
    }

    /// Puts the times of all inputs side by side.
    fn collect_arrivals(&mut self, lanes: usize) {
        let rows = self.layer.layer.tiling.rows;
        let groups = self.passes.len().div_ceil(lanes);
        let inputs = &mut self.block.inputs;
        inputs.clear();
        inputs.resize(groups * rows * lanes, f64::INFINITY);
        match self.driver {
            Driver::Arrivals => {
                for (sample, pass) in self.passes.iter().enumerate() {
                    let (group, lane) = (sample / lanes, sample % lanes);
                    for &Arrival { time, row } in &pass.layers[self.layer.index].inputs.arrivals {
                        inputs[(group * rows + row as usize) * lanes + lane] = time;
                    }
                }
            }
            Driver::Layer { before, bias } => {
                let neurons = (rows - self.layer.layer.bias.1) * lanes;
                let groups = before.times.chunks_exact(neurons);
                for (inputs, times) in inputs.chunks_exact_mut(rows * lanes).zip(groups) {
                    inputs[..neurons].copy_from_slice(times);
                    for &Arrival { time, row } in bias {
                        inputs[row as usize * lanes..][..lanes].fill(time);
                    }
                }
            }
        }
    }

    /// Gives each sample its spikes.
    fn write_times(&mut self, lanes: usize) {
        let Tiling { columns, .. } = self.layer.layer.tiling;
        for (sample, pass) in self.passes.iter_mut().enumerate() {
            let (group, lane) = (sample / lanes, sample % lanes);
            let times = &mut pass.layers[self.layer.index].spikes.times;
            times.resize(self.layer.layer.tiling.padded_columns(), f64::INFINITY);
            for (column, time) in times[..columns].iter_mut().enumerate() {
                *time = self.block.times[(group * columns + column) * lanes + lane];
            }
        }
    }
}
