//! Sorting the arrivals of one sample.
//!
//! A layer has often spiked long before its last input, so only as many arrivals are sorted as it looks
//! at. All are dealt out into buckets of some arrivals each, by a linear map of time. Within a bucket
//! an arrival's place is the number of those before it, which a register counts for as many arrivals as
//! it has lanes: two operations per register and arrival, and no branch. A comparison sort of times in
//! no order mispredicts every other one. Arrivals of a small layer are sorted in registers
//! ([`bitonic`](super::bitonic)).

use std::ops::Range;

use pulp::Simd;

use super::Arrival;
use super::bitonic::{self, sort_in_registers};
use crate::simd::grow;
use crate::simd::{F64s, registers, registers_mut};

/// Lists up to this length are sorted by insertion.
const SHORT: usize = 8;
/// Lists up to this length are one bucket.
const FEW: usize = 64;
/// Lists from this length on are sorted in registers, if they fit.
const MANY: usize = 33;
/// Fewest arrivals per bucket, if they are spread evenly.
const BUCKET: usize = 4;
/// Most arrivals of a bucket whose places are counted.
const CROWDED: usize = 128;
/// Bits of a key below the one that is set for what never comes: the time, as an integer in units of the
/// resolution, and then the index of the arrival.
const KEY_BITS: u32 = 31;
/// Most lanes of a register of numbers of 32 bits.
const LANES: usize = 16;
/// The first indices.
const INDICES: [f64; LANES] = {
    let mut indices = [0.0; LANES];
    let mut index = 0;
    while index < LANES {
        indices[index] = index as f64;
        index += 1;
    }
    indices
};
/// Adding it rounds a double to an integer, which then stands in its lowest bits.
const ROUNDER: f64 = 4_503_599_627_370_496.0;

/// Arrivals in the order of time, then row; in columns that may be longer.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sorted {
    /// How many there are.
    pub count: usize,
    /// In time units.
    pub times: Vec<f64>,
    /// Rows of the weight matrix.
    pub rows: Vec<u32>,
}

/// Sorts arrivals by time, then row: from the first one on, as far as it is asked to.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sorter {
    /// Times of all arrivals, in no order; infinite for what never comes.
    times: Vec<f64>,
    rows: Vec<u32>,
    /// See [`KEY_BITS`]; in the lowest bits.
    keys: Vec<f64>,
    index_bits: u32,
    /// Where each bucket ends in the order of buckets.
    ends: Vec<u32>,
    /// Keys in the order of buckets.
    dealt: Vec<u32>,
    /// The first bucket that is not sorted yet.
    next: usize,
    places: Vec<u32>,
    crowd: Vec<Arrival>,
}

impl Sorter {
    /// Takes up a list of arrivals. If it is short or sorted already, so is `sorted` afterwards; or else
    /// [`sort`](Self::sort) sorts it. Returns the number of arrivals and the time of the last.
    #[inline(always)]
    pub fn begin<S: Simd>(
        &mut self,
        simd: S,
        arrivals: &mut [Arrival],
        sorted: &mut Sorted,
    ) -> (usize, f64) {
        let count = arrivals.len();
        if count <= SHORT {
            insert(arrivals);
        }
        sorted.set(arrivals);
        if count <= SHORT || sorted.ascends(0..count) {
            return (count, arrivals.last().map_or(0.0, |arrival| arrival.time));
        }
        self.times.clear();
        self.times.extend_from_slice(&sorted.times[..count]);
        self.rows.clear();
        self.rows.extend_from_slice(&sorted.rows[..count]);
        self.deal(simd, sorted)
    }

    /// Takes up the spikes of a layer, one time per row and infinite for none, then those of its bias,
    /// all put off by the delay of their row if there are some.
    #[inline(always)]
    pub fn begin_rows<S: Simd>(
        &mut self,
        simd: S,
        spikes: &[f64],
        bias: &[Arrival],
        delays: Option<&[f64]>,
        sorted: &mut Sorted,
    ) -> (usize, f64) {
        self.times.clear();
        self.times.extend_from_slice(spikes);
        self.rows.clear();
        self.rows.extend(0..spikes.len() as u32);
        for arrival in bias {
            self.times.push(arrival.time);
            self.rows.push(arrival.row);
        }
        if let Some(delays) = delays {
            for (time, &row) in self.times.iter_mut().zip(&self.rows) {
                *time += delays[row as usize];
            }
        }
        self.deal(simd, sorted)
    }

    /// Deals the arrivals out into buckets. Returns how many come, and the time of the last.
    #[inline(always)]
    fn deal<S: Simd>(&mut self, simd: S, sorted: &mut Sorted) -> (usize, f64) {
        let length = self.times.len().max(1).next_multiple_of(LANES);
        self.times.resize(length, f64::INFINITY);
        self.rows.resize(length, 0);
        let all = |value| F64s::splat(simd, value);
        let (infinity, one, zero) = (all(f64::INFINITY), all(1.0), all(0.0));
        // Negated times, so that all are maxima.
        let (mut first, mut last, mut count) = (-infinity, -infinity, zero);
        for &time in registers::<S>(&self.times) {
            let time = F64s::new(simd, time);
            let comes = infinity.above(time);
            first = first.max(-time);
            last = last.max(comes.select(time, -infinity));
            count = count + comes.select(one, zero);
        }
        let count = simd.reduce_sum_f64s(count.value()) as usize;
        let (first, last) = (-first.largest(), last.largest());
        let last_or_zero = if count > 0 { last } else { 0.0 };
        self.write_keys(simd, first, last);
        sorted.count = 0;
        sorted.grow(length);
        if (MANY..=bitonic::MOST).contains(&length) && self.sort_all(simd, count, sorted) {
            return (count, last_or_zero);
        }
        grow(&mut self.places, CROWDED);
        // Registers that begin at the last arrival are read, too.
        grow(&mut self.dealt, length + LANES);
        self.next = 0;
        self.ends.clear();
        // Times are dealt out by their first bits; what never comes has a bucket of its own, the last.
        let bits = if length <= FEW { 0 } else { (count / BUCKET / 2).max(1).ilog2() + 1 };
        if bits == 0 {
            for (dealt, key) in self.dealt.iter_mut().zip(&self.keys[..length]) {
                *dealt = key.to_bits() as u32;
            }
            self.ends.push(length as u32);
        } else {
            self.deal_out(length, bits.min(KEY_BITS - self.index_bits));
        }
        (count, last_or_zero)
    }

    /// Sorts all arrivals in registers, if they fit.
    #[inline(always)]
    fn sort_all<S: Simd>(&mut self, simd: S, count: usize, sorted: &mut Sorted) -> bool {
        let length = self.times.len();
        let padded = length.next_power_of_two();
        self.dealt.resize(padded, u32::MAX);
        self.dealt[length..].fill(u32::MAX);
        for (dealt, key) in self.dealt.iter_mut().zip(&self.keys[..length]) {
            *dealt = key.to_bits() as u32;
        }
        let Some(layout) = sort_in_registers(simd, &mut self.dealt) else { return false };
        let mask = (1 << self.index_bits) - 1;
        let columns = sorted.times[..count].iter_mut().zip(&mut sorted.rows[..count]);
        for (place, (time, row)) in columns.enumerate() {
            let index = (self.dealt[layout.index(place)] & mask) as usize;
            (*time, *row) = (self.times[index], self.rows[index]);
        }
        sorted.count = count;
        if !sorted.ascends(0..count) {
            self.sort_by_comparison(0..count, 0..self.dealt.len(), sorted);
        }
        true
    }

    /// Writes the keys of all arrivals. Subtracting, multiplying and rounding keep the order, but for
    /// making some times equal.
    #[inline(always)]
    fn write_keys<S: Simd>(&mut self, simd: S, first: f64, last: f64) {
        let all = |value| F64s::splat(simd, value);
        let length = self.times.len();
        self.index_bits = (length - 1).ilog2() + 1;
        let power = |bits: u32| f64::from(1_u32 << bits);
        let resolution = power(KEY_BITS - self.index_bits);
        let scale = (resolution - 1.0) / (last - first);
        let scale = all(if scale.is_finite() { scale } else { 0.0 });
        let (rounder, origin, never) = (all(ROUNDER), all(first), all(resolution));
        let infinity = all(f64::INFINITY);
        let (indices, step) = (all(power(self.index_bits)), all(S::F64_LANES as f64));
        let mut index = F64s::new(simd, registers::<S>(&INDICES)[0]);
        grow(&mut self.keys, length);
        let keys = registers_mut::<S>(&mut self.keys).iter_mut();
        for (key, &time) in keys.zip(registers::<S>(&self.times)) {
            let time = F64s::new(simd, time);
            let ticks = (time - origin) * scale + rounder - rounder;
            let ticks = infinity.above(time).select(ticks, never);
            *key = (ticks.multiply_add(indices, index) + rounder).value();
            index = index + step;
        }
    }

    /// Deals the keys out by so many of their first bits.
    #[inline(always)]
    fn deal_out(&mut self, length: usize, bits: u32) {
        let shift = KEY_BITS - bits;
        self.ends.resize((1 << bits) + 1, 0);
        let (keys, ends) = (&self.keys[..length], &mut self.ends[..]);
        for key in keys {
            ends[(key.to_bits() as u32 >> shift) as usize] += 1;
        }
        let mut next = 0;
        for end in &mut *ends {
            (*end, next) = (next, next + *end);
        }
        let dealt = &mut self.dealt[..length];
        for key in keys {
            let key = key.to_bits() as u32;
            let end = &mut ends[(key >> shift) as usize];
            dealt[*end as usize] = key;
            *end += 1;
        }
    }

    /// Brings at least `count` arrivals (or all) into their final order, if they are not.
    #[inline(always)]
    pub fn sort<S: Simd>(&mut self, simd: S, sorted: &mut Sorted, count: usize, total: usize) {
        let first = sorted.count;
        let mut is_crowded = false;
        while sorted.count < count.min(total) {
            let (start, end) = (sorted.count, self.ends[self.next] as usize);
            self.next += 1;
            is_crowded |= end - start > CROWDED;
            if !is_crowded {
                self.sort_bucket(simd, start, end, sorted);
            }
            sorted.count = end.min(total);
        }
        // What is equal but for less than the resolution may still be in another order.
        let range = first..sorted.count;
        if is_crowded || !sorted.ascends(range.clone()) {
            // The only bucket of a short list has those that never come in it, too.
            let dealt = range.start..self.ends[self.next - 1] as usize;
            self.sort_by_comparison(range, dealt, sorted);
        }
    }

    /// Sorts a bucket, but for the resolution.
    #[inline(always)]
    fn sort_bucket<S: Simd>(&mut self, simd: S, start: usize, end: usize, sorted: &mut Sorted) {
        let (keys, places) = (&self.dealt[start..], &mut self.places[..CROWDED]);
        count_smaller(simd, keys, end - start, places);
        let mask = (1 << self.index_bits) - 1;
        let sorted_times = &mut sorted.times[start..end];
        let sorted_rows = &mut sorted.rows[start..end];
        for (&key, &place) in keys[..end - start].iter().zip(&*places) {
            let index = (key & mask) as usize;
            sorted_times[place as usize] = self.times[index];
            sorted_rows[place as usize] = self.rows[index];
        }
    }

    /// The arrivals of a range, which have their keys in another.
    #[cold]
    fn sort_by_comparison(
        &mut self,
        range: Range<usize>,
        dealt: Range<usize>,
        sorted: &mut Sorted,
    ) {
        let mask = (1 << self.index_bits) - 1;
        self.crowd.clear();
        for &key in &self.dealt[dealt] {
            let index = (key & mask) as usize;
            // Keys that only fill a register up are of none.
            if self.times.get(index).is_some_and(|&time| time < f64::INFINITY) && key != u32::MAX {
                self.crowd.push(Arrival { time: self.times[index], row: self.rows[index] });
            }
        }
        self.crowd.sort_unstable_by(|a, b| a.time.total_cmp(&b.time).then(a.row.cmp(&b.row)));
        let columns = sorted.times[range.clone()].iter_mut().zip(&mut sorted.rows[range]);
        for ((time, row), arrival) in columns.zip(&self.crowd) {
            (*time, *row) = (arrival.time, arrival.row);
        }
    }
}

impl Sorted {
    /// Whether some of them are in order. All pairs are looked at, side by side.
    #[inline(always)]
    fn ascends(&self, range: Range<usize>) -> bool {
        let (times, rows) = (&self.times[range.clone()], &self.rows[range]);
        let Some(pairs) = times.len().checked_sub(1) else { return true };
        let (times, next_times) = (&times[..pairs], &times[1..]);
        let (rows, next_rows) = (&rows[..pairs], &rows[1..]);
        let mut ascends = true;
        for pair in 0..pairs {
            let (time, next) = (times[pair], next_times[pair]);
            ascends &= (time < next) | (time == next) & (rows[pair] < next_rows[pair]);
        }
        ascends
    }

    fn grow(&mut self, length: usize) {
        grow(&mut self.times, length);
        grow(&mut self.rows, length);
    }

    fn set(&mut self, arrivals: &[Arrival]) {
        self.count = arrivals.len();
        self.grow(arrivals.len());
        let columns = self.times.iter_mut().zip(&mut self.rows);
        for ((time, row), arrival) in columns.zip(arrivals) {
            (*time, *row) = (arrival.time, arrival.row);
        }
    }
}

/// For each of the first `count` keys, how many of them are smaller.
#[inline(always)]
fn count_smaller<S: Simd>(simd: S, keys: &[u32], count: usize, smaller: &mut [u32]) {
    let (zero, one) = (simd.splat_u32s(0), simd.splat_u32s(1));
    let registers = S::as_simd_u32s(keys).0.iter().zip(S::as_mut_simd_u32s(smaller).0);
    for (&register, smaller) in registers.take(count.div_ceil(S::U32_LANES)) {
        let mut sum = zero;
        for &key in &keys[..count] {
            let below = simd.less_than_u32s(simd.splat_u32s(key), register);
            sum = simd.add_u32s(sum, simd.select_u32s(below, one, zero));
        }
        *smaller = sum;
    }
}

/// Whether it comes before another: by time, then row.
#[inline(always)]
pub(super) fn comes_before(a: &Arrival, b: &Arrival) -> bool {
    a.time < b.time || a.time == b.time && a.row < b.row
}

/// Sorts by insertion.
#[inline(always)]
fn insert(arrivals: &mut [Arrival]) {
    for index in 1..arrivals.len() {
        let arrival = arrivals[index];
        let mut place = index;
        while place > 0 && comes_before(&arrival, &arrivals[place - 1]) {
            arrivals[place] = arrivals[place - 1];
            place -= 1;
        }
        arrivals[place] = arrival;
    }
}
