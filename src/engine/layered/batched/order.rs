//! Arrivals in the order of time, in all samples of a register at once.
//!
//! What is sorted are keys: coordinates with the number of their row in the last bits, so that exchanging two
//! takes two operations. Arrivals whose coordinates are equal but for these bits come together but for
//! rounding, and may stay in any order. All that is computed is taken from the coordinates themselves.

use pulp::{Simd, bytemuck};

use super::LANES;
use super::arrivals::ArrivalTimes;
use crate::engine::layered::sorting_network::{BLOCK, sort_blocks, sort_keys};
use crate::neuron::basis::{Instant, NEVER, TimeBasis};
use crate::simd::{F64s, grow, registers, registers_mut, with_row};

/// Most rows whose number fits into the last bits of a key without harm to the order: seven bits are lost of
/// fifty-two. Longer lists are sorted sample by sample.
const MOST_KEYS: usize = 128;

/// Writes the steps of one register of samples, each behind its row: `1 + B::STEP` registers an arrival.
#[inline(always)]
pub(super) fn write_steps<S: Simd, B: TimeBasis<S>>(
    simd: S,
    basis: B,
    arrivals: &ArrivalTimes,
    register: usize,
    keys: &mut Vec<f64>,
    steps: &mut [S::f64s],
) {
    let count = arrivals.groups.len();
    let lanes = S::F64_LANES;
    let padded = if count <= 8 { 8 } else { count.next_multiple_of(BLOCK) };
    grow(keys, padded * lanes);
    let sorted = &mut registers_mut::<S>(keys)[..padded];
    if count <= MOST_KEYS {
        sort_register(simd, arrivals, register, sorted);
    } else {
        sort_lanes(arrivals, register, lanes, keys);
    }
    let keys = &registers::<S>(keys)[..count];
    let mut next = basis.instant(F64s::splat(simd, f64::INFINITY));
    let places = steps.chunks_exact_mut(1 + B::STEP).zip(keys).rev();
    for (step, &key) in places {
        let mut instants = [[0.0; LANES]; 2];
        let rows: &[u64] = bytemuck::cast_slice(std::slice::from_ref(&key));
        for (lane, &row) in rows.iter().enumerate() {
            let row = row_of(row, count);
            let [coordinate, power] = arrivals.values(row, register * lanes + lane);
            instants[0][lane] = coordinate;
            instants[1][lane] = power;
        }
        let instant = Instant {
            coordinate: F64s::new(simd, registers::<S>(&instants[0])[0]),
            power: F64s::new(simd, registers::<S>(&instants[1])[0]),
        };
        step[0] = key;
        B::store(&basis.step(instant, next), &mut step[1..]);
        next = instant;
    }
}

/// The row that a key carries in its last bits.
#[inline(always)]
pub(super) fn row_of(key: u64, count: usize) -> usize {
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
