//! When the rows of a layer come in a batch of samples.
//!
//! Times are collected in time units, row after row, and seen from each sample's last arrival in the time
//! basis of the layer. Where no derivative by a single row is asked for, neighbouring rows that come together
//! in every sample are one group with the sum of their weights: the copies of an input on a chip are. A group
//! that comes in no sample is left out.

use std::marker::PhantomData;
use std::ops::Range;

use pulp::{Simd, WithSimd};

use super::{Arrival, LANES};
use crate::neuron::Membrane;
use crate::neuron::basis::{BasisOf, Instant, TimeBasis};
use crate::simd::{F64s, registers, registers_mut};

/// Values stand row after row, or group after group, with one per sample.
#[derive(Clone, Debug, Default)]
pub(in super::super) struct ArrivalTimes {
    /// Samples, filled up to whole registers.
    pub width: usize,
    /// Rows with the same arrivals in all samples; only those that come in any.
    pub groups: Vec<Range<usize>>,
    /// Per sample: when its last arrival comes, in time units; zero without arrivals.
    pub references: Vec<f64>,
    /// Per row, in time units, without synaptic delays; infinite where it does not come.
    times: Vec<f64>,
    /// Per group ([`Instant::coordinate`]).
    coordinates: Vec<f64>,
    /// Per group ([`Instant::power`]).
    powers: Vec<f64>,
    /// Per synapse, row by row ([`TimeBasis::shift`]); empty without synaptic delays.
    shifts: [Vec<f64>; 2],
}

impl ArrivalTimes {
    /// Takes up the arrivals at the first layer, sample by sample.
    pub fn collect_stimuli(&mut self, stimuli: &[Vec<Arrival>], rows: usize) {
        self.begin(stimuli.len());
        self.times.resize(rows * self.width, f64::INFINITY);
        for (sample, arrivals) in stimuli.iter().enumerate() {
            for &Arrival { time, row } in arrivals {
                self.times[row as usize * self.width + sample] = time;
            }
        }
    }

    /// Takes up the spikes of the layer before, and the bias.
    pub fn collect_spikes(
        &mut self,
        samples: usize,
        spike_times: &[f64],
        bias: &[Arrival],
        rows: usize,
    ) {
        self.begin(samples);
        self.times.extend_from_slice(spike_times);
        self.times.resize(rows * self.width, f64::INFINITY);
        for &Arrival { time, row } in bias {
            self.times[row as usize * self.width..][..self.width].fill(time);
        }
    }

    fn begin(&mut self, samples: usize) {
        self.width = samples.next_multiple_of(LANES);
        self.times.clear();
    }

    /// Puts every row off by its delay.
    pub fn delay_rows(&mut self, delays: &[f64]) {
        for (times, delay) in self.times.chunks_exact_mut(self.width).zip(delays) {
            times.iter_mut().for_each(|time| *time += delay);
        }
    }

    /// Makes every row a group of its own.
    pub fn keep_rows(&mut self) {
        self.groups.clear();
        self.groups.extend((0..self.times.len() / self.width).map(|row| row..row + 1));
    }

    /// Leaves out rows that do not come, and, if `merges`, makes one group of neighbours that come together.
    pub fn group_rows(&mut self, merges: bool) {
        self.groups.clear();
        let mut before: Option<&[f64]> = None;
        for (row, times) in self.times.chunks_exact(self.width).enumerate() {
            match self.groups.last_mut() {
                Some(group) if merges && group.end == row && before == Some(times) => {
                    group.end += 1;
                }
                _ if times.iter().any(|&time| time < f64::INFINITY) => {
                    self.groups.push(row..row + 1);
                }
                _ => {}
            }
            before = Some(times);
        }
    }

    /// Registers of samples.
    #[inline(always)]
    pub fn registers<S: Simd>(&self) -> usize {
        self.width / S::F64_LANES
    }

    /// A group in a register of samples.
    #[inline(always)]
    pub fn instant<S: Simd>(&self, simd: S, group: usize, register: usize) -> Instant<S> {
        let index = group * self.registers::<S>() + register;
        Instant {
            coordinate: F64s::new(simd, registers::<S>(&self.coordinates)[index]),
            power: F64s::new(simd, registers::<S>(&self.powers)[index]),
        }
    }

    /// A group in one sample: coordinate and power.
    #[inline(always)]
    pub fn values(&self, group: usize, sample: usize) -> [f64; 2] {
        let index = group * self.width + sample;
        [self.coordinates[index], self.powers[index]]
    }

    /// What the delay of a synapse does to an instant.
    #[inline(always)]
    pub fn shift<S: Simd>(&self, simd: S, synapse: usize) -> [F64s<S>; 2] {
        let [first, second] = &self.shifts;
        [F64s::splat(simd, first[synapse]), F64s::splat(simd, second[synapse])]
    }
}

/// Reads the times of the groups, and synaptic delays if there are some, in the basis of the layer.
pub(super) struct ReadTimes<'a, B> {
    pub arrivals: &'a mut ArrivalTimes,
    pub membrane: &'a Membrane,
    /// One per synapse, row by row; empty without synaptic delays.
    pub delays: &'a [f64],
    pub basis: PhantomData<B>,
}

impl<B: BasisOf> WithSimd for ReadTimes<'_, B> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let ReadTimes { arrivals, membrane, delays, .. } = self;
        let basis = B::On::<S>::new(simd, membrane);
        let ArrivalTimes { width, groups, references, times, coordinates, powers, shifts } =
            arrivals;
        references.resize(*width, 0.0);
        coordinates.resize(groups.len() * *width, 0.0);
        powers.resize(groups.len() * *width, 0.0);
        let all = |value| F64s::splat(simd, value);
        let (zero, infinity) = (all(0.0), all(f64::INFINITY));
        let (references, times) = (registers_mut::<S>(references), registers::<S>(times));
        let (coordinates, powers) = (registers_mut::<S>(coordinates), registers_mut::<S>(powers));
        let width = *width / S::F64_LANES;
        for (register, reference) in references.iter_mut().enumerate() {
            let mut last = -infinity;
            for group in &*groups {
                let time = F64s::new(simd, times[group.start * width + register]);
                last = last.max_of_numbers(infinity.above(time).select(time, -infinity));
            }
            // Without arrivals any will do.
            let last = last.above(-infinity).select(last, zero);
            *reference = last.value();
            for (index, group) in groups.iter().enumerate() {
                let time = F64s::new(simd, times[group.start * width + register]);
                let Instant { coordinate, power } = basis.instant(time - last);
                coordinates[index * width + register] = coordinate.value();
                powers[index * width + register] = power.value();
            }
        }
        let [first, second] = shifts;
        first.clear();
        first.extend_from_slice(delays);
        first.resize(delays.len().next_multiple_of(LANES), 0.0);
        second.resize(first.len(), 0.0);
        for (first, second) in registers_mut::<S>(first).iter_mut().zip(registers_mut::<S>(second))
        {
            let shift = basis.shift(F64s::new(simd, *first));
            (*first, *second) = (shift[0].value(), shift[1].value());
        }
    }
}
