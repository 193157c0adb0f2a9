//! Arrivals in the order of time, in all samples of a register at once.
//!
//! What is sorted are keys: coordinates with the number of their row in the last bits, so that exchanging two
//! takes two operations. Arrivals whose coordinates are equal but for these bits come together but for
//! rounding, and may stay in any order. All that is computed is taken from the coordinates themselves.

use pulp::{Simd, bytemuck};

use super::LANES;
use super::arrivals::ArrivalTimes;
use crate::neuron::basis::{Instant, NEVER, TimeBasis};
use crate::simd::{F64s, grow, registers, registers_mut, with_row};
use crate::sorting::{BLOCK, sort_blocks, sort_keys};

/// Most rows whose number fits into the last bits of a key without harm to the order: seven bits are lost of
/// fifty-two. Longer lists are sorted sample by sample.
const MOST_KEYS: usize = 128;

/// The arrivals of one register of samples in order, as keys.
#[derive(Clone, Copy)]
pub(super) struct Ordered<'a, S: Simd> {
    arrivals: &'a ArrivalTimes,
    register: usize,
    keys: &'a [S::f64s],
}

/// Arrivals that are looked through at a time.
pub(super) const SOME: usize = 8;

/// When some arrivals in a row come, in a register of samples.
pub(super) struct Instants {
    /// Per arrival: coordinates and powers.
    values: [[[f64; LANES]; 2]; SOME + 1],
    count: usize,
}

impl Instants {
    /// One of them; beyond the last arrival, never.
    #[inline(always)]
    pub fn get<S: Simd, B: TimeBasis<S>>(&self, simd: S, basis: B, index: usize) -> Instant<S> {
        if index >= self.count {
            return basis.instant(F64s::splat(simd, f64::INFINITY));
        }
        let [coordinates, powers] = &self.values[index];
        Instant {
            coordinate: F64s::new(simd, registers::<S>(coordinates)[0]),
            power: F64s::new(simd, registers::<S>(powers)[0]),
        }
    }
}

/// Sorts the arrivals of a register of samples.
#[inline(always)]
pub(super) fn sort<'a, S: Simd>(
    simd: S,
    arrivals: &'a ArrivalTimes,
    register: usize,
    keys: &'a mut Vec<f64>,
) -> Ordered<'a, S> {
    let count = arrivals.groups.len();
    let padded = if count <= 8 { 8 } else { count.next_multiple_of(BLOCK) };
    grow(keys, padded * S::F64_LANES);
    if count <= MOST_KEYS {
        sort_register(simd, arrivals, register, &mut registers_mut::<S>(keys)[..padded]);
    } else {
        sort_lanes(arrivals, register, S::F64_LANES, keys);
    }
    Ordered { arrivals, register, keys: &registers::<S>(keys)[..count] }
}

impl<S: Simd> Ordered<'_, S> {
    /// The key of an arrival.
    #[inline(always)]
    pub fn key(&self, place: usize) -> S::f64s {
        self.keys[place]
    }

    /// When the arrivals from a place on come, as many as there are of [`SOME`] and the one after them. They are
    /// written before any is read: a register that is read right after its lanes waits for all of them.
    #[inline(always)]
    pub fn instants(&self, first: usize) -> Instants {
        let count = self.keys.len().saturating_sub(first).min(SOME + 1);
        let mut values = [[[0.0; LANES]; 2]; SOME + 1];
        for (key, [coordinates, powers]) in self.keys[first..][..count].iter().zip(&mut values) {
            let rows: &[u64] = bytemuck::cast_slice(std::slice::from_ref(key));
            for lane in 0..S::F64_LANES {
                let row = row_of(rows[lane], self.keys.len());
                let sample = self.register * S::F64_LANES + lane;
                [coordinates[lane], powers[lane]] = self.arrivals.values(row, sample);
            }
        }
        Instants { values, count }
    }

    /// Brings the weights of all neurons, which stand row by row, in the order of an arrival: every lane its
    /// own, to the registers of each neuron that are `stride` values apart.
    #[inline(always)]
    pub fn gather(
        &self,
        place: usize,
        weights: &[f64],
        columns: usize,
        stride: usize,
        to: &mut [f64],
    ) {
        let rows: &[u64] = bytemuck::cast_slice(std::slice::from_ref(&self.keys[place]));
        for lane in 0..S::F64_LANES {
            let row = row_of(rows[lane], self.keys.len());
            let weights = &weights[row * columns..][..columns];
            for (column, &weight) in weights.iter().enumerate() {
                to[column * stride + lane] = weight;
            }
        }
    }
}

/// The row that a key carries in its last bits.
#[inline(always)]
fn row_of(key: u64, count: usize) -> usize {
    let rows = if count <= MOST_KEYS { MOST_KEYS } else { count.next_power_of_two() };
    key as usize & (rows - 1)
}

#[inline(always)]
fn sort_register<S: Simd>(simd: S, arrivals: &ArrivalTimes, register: usize, keys: &mut [S::f64s]) {
    let count = arrivals.groups.len();
    for (row, key) in keys.iter_mut().enumerate() {
        *key = if row < count {
            let coordinate = arrivals.instant(simd, row, register).coordinate;
            with_row::<S, MOST_KEYS>(simd, coordinate.value(), row)
        } else {
            simd.splat_f64s(2.0 * NEVER)
        };
    }
    macro_rules! sort {
        ($($most:literal)*) => {
            $(if count <= $most {
                let mut first = [simd.splat_f64s(0.0); $most];
                first.copy_from_slice(&keys[..$most]);
                sort_keys(simd, &mut first);
                keys[..$most].copy_from_slice(&first);
                return;
            })*
        };
    }
    sort!(4 5 6 8);
    sort_blocks(simd, keys);
}

/// Sorts more rows than a key has bits for, sample by sample; then the keys are the rows alone.
#[cold]
fn sort_lanes(arrivals: &ArrivalTimes, register: usize, lanes: usize, keys: &mut [f64]) {
    let mut rows: Vec<usize> = (0..arrivals.groups.len()).collect();
    for lane in 0..lanes {
        let coordinate = |row: usize| arrivals.values(row, register * lanes + lane)[0];
        rows.sort_by(|&a, &b| coordinate(a).total_cmp(&coordinate(b)).then(a.cmp(&b)));
        for (place, &row) in rows.iter().enumerate() {
            keys[place * lanes + lane] = f64::from_bits(row as u64);
        }
    }
}
