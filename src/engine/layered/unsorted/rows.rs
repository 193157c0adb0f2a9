//! When the rows of a layer come in one sample, and what follows from it for all neurons.

use std::ops::Range;

use pulp::Simd;

use super::super::inputs::Arrival;
use super::PADDING;
use crate::simd::{F64s, registers, registers_mut};

/// One value per row, filled up to whole registers.
#[derive(Clone, Debug, Default)]
pub(super) struct Rows {
    /// In time units; infinite if a row does not come.
    pub times: Vec<f64>,
    /// When the last one comes; minus infinity if none does.
    pub reference: f64,
    /// `s`; zero if a row does not come.
    pub offsets: Vec<f64>,
    /// `x`; zero if a row does not come.
    pub powers: Vec<f64>,
    /// `−x s`
    pub moments: Vec<f64>,
}

impl Rows {
    fn begin(&mut self, rows: usize) {
        self.times.clear();
        self.times.resize(rows.next_multiple_of(PADDING), f64::INFINITY);
    }

    /// Takes up the arrivals of a first layer.
    pub fn take_arrivals(&mut self, arrivals: &[Arrival], rows: usize) {
        self.begin(rows);
        for &Arrival { time, row } in arrivals {
            self.times[row as usize] = time;
        }
    }

    /// Takes up the spikes of the layer before, one time per neuron, and the bias.
    pub fn take_spikes(&mut self, spikes: &[f64], bias: &[Arrival], rows: usize) {
        self.begin(rows);
        self.times[..spikes.len()].copy_from_slice(spikes);
        for &Arrival { time, row } in bias {
            self.times[row as usize] = time;
        }
    }

    /// Makes one row of each group, if in each all come at one time or none does; if not, all stays as it is.
    pub fn gather(&mut self, groups: &[Range<usize>]) -> bool {
        for group in groups {
            let (first, others) = (self.times[group.start], group.start + 1..group.end);
            if self.times[others].iter().any(|&time| time != first) {
                return false;
            }
        }
        // No group has a lower number than its first row.
        for (index, group) in groups.iter().enumerate() {
            self.times[index] = self.times[group.start];
        }
        self.times.truncate(groups.len());
        self.times.resize(groups.len().next_multiple_of(PADDING), f64::INFINITY);
        true
    }

    /// Computes all that follows from the times.
    #[inline(always)]
    pub fn read<S: Simd>(&mut self, simd: S, rate: f64) {
        let all = |value| F64s::splat(simd, value);
        let (zero, rate, infinity) = (all(0.0), all(rate), all(f64::INFINITY));
        let mut latest = -infinity;
        for &time in registers::<S>(&self.times) {
            let time = F64s::new(simd, time);
            latest = latest.max_of_numbers(infinity.above(time).select(time, -infinity));
        }
        self.reference = latest.largest();
        let reference = all(self.reference);
        let count = self.times.len();
        for column in [&mut self.offsets, &mut self.powers, &mut self.moments] {
            column.resize(count, 0.0);
        }
        let times = registers::<S>(&self.times);
        let offsets = &mut registers_mut::<S>(&mut self.offsets)[..times.len()];
        let powers = &mut registers_mut::<S>(&mut self.powers)[..times.len()];
        let moments = &mut registers_mut::<S>(&mut self.moments)[..times.len()];
        for (index, &time) in times.iter().enumerate() {
            let time = F64s::new(simd, time);
            let comes = infinity.above(time);
            let offset = comes.select(rate * (time - reference), zero);
            let power = comes.select(offset.exp_of_negative(), zero);
            offsets[index] = offset.value();
            powers[index] = power.value();
            moments[index] = (-(power * offset)).value();
        }
    }
}

/// All rows in groups of neighbours: these ranges, and every row that is in none of them for itself.
pub(super) fn groups(together: &[Range<u32>], rows: usize) -> Vec<Range<usize>> {
    let mut ranges: Vec<Range<usize>> =
        together.iter().map(|range| range.start as usize..range.end as usize).collect();
    ranges.sort_by_key(|range| range.start);
    let (mut groups, mut next) = (Vec::new(), 0);
    for range in ranges {
        let (start, end) = (range.start.max(next), range.end.min(rows));
        if start < end {
            groups.extend((next..start).map(|row| row..row + 1));
            groups.push(start..end);
            next = end;
        }
    }
    groups.extend((next..rows).map(|row| row..row + 1));
    groups
}
