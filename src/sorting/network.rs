//! Sorting of many lists of equal length side by side, one per lane of a register.
//!
//! A sorting network makes the same comparisons whatever is compared, so all lanes can take part in each.
//! Where a list's values may carry an index in their last bits, these keys are sorted alone: that takes two
//! operations per exchange, and up to [`BLOCK`] of them stay in registers all the time. Longer lists are
//! sorted block by block and merged.

use pulp::Simd;

use crate::simd::select;

/// The sorting network for some number of inputs: pairs of places, to be put in order one after the
/// other.
#[derive(Clone, Debug)]
pub(crate) struct Comparators(Vec<[u32; 2]>);

/// Most keys that are sorted in registers. Longer lists have whole blocks.
pub(crate) const BLOCK: usize = 16;

impl Comparators {
    pub fn new(places: usize) -> Self {
        Comparators(sorting_network(places))
    }

    /// Puts the times of each lane in order, and the weights with them.
    #[inline(always)]
    pub fn sort<S: Simd>(&self, simd: S, times: &mut [S::f64s], weights: &mut [S::f64s]) {
        for pair in &self.0 {
            let [low, high] = pair.map(|place| place as usize);
            let swap = simd.greater_than_f64s(times[low], times[high]);
            exchange(simd, low, high, times);
            let (first, second) = (weights[low], weights[high]);
            weights[low] = select(simd, swap, second, first);
            weights[high] = select(simd, swap, first, second);
        }
    }
}

/// Puts two keys of each lane in order.
#[inline(always)]
fn exchange<S: Simd>(simd: S, low: usize, high: usize, keys: &mut [S::f64s]) {
    let (early, late) = (keys[low], keys[high]);
    keys[low] = simd.min_f64s(early, late);
    keys[high] = simd.max_f64s(early, late);
}

/// Puts the keys of each lane in order: at most [`BLOCK`], or whole blocks.
#[inline(always)]
pub(crate) fn sort_keys<S: Simd, const N: usize>(simd: S, keys: &mut [S::f64s; N]) {
    if N <= BLOCK {
        sort_block(simd, keys);
    } else {
        sort_blocks(simd, keys);
    }
}

/// Puts the keys of each lane in order, which are whole blocks.
#[inline(always)]
pub(crate) fn sort_blocks<S: Simd>(simd: S, keys: &mut [S::f64s]) {
    for block in keys.as_chunks_mut::<BLOCK>().0 {
        sort_block(simd, block);
    }
    let mut sorted = BLOCK;
    while sorted < keys.len() {
        for lists in keys.chunks_mut(2 * sorted) {
            merge(simd, sorted, lists);
        }
        sorted *= 2;
    }
}

/// Merges a list of `sorted` keys with what follows, which is no longer. With the second list turned round
/// the exchanges over less and less places of Batcher's bitonic merge put all in order; the first of them
/// turns it round. What is missing to a second list of full length are keys later than all others: they
/// would stay in their places.
#[inline(always)]
fn merge<S: Simd>(simd: S, sorted: usize, keys: &mut [S::f64s]) {
    if keys.len() <= sorted {
        return;
    }
    for high in sorted..keys.len() {
        exchange(simd, 2 * sorted - 1 - high, high, keys);
    }
    let mut distance = sorted / 2;
    while distance >= BLOCK {
        for keys in keys.chunks_mut(2 * distance) {
            for low in 0..keys.len().saturating_sub(distance) {
                exchange(simd, low, low + distance, keys);
            }
        }
        distance /= 2;
    }
    for block in keys.as_chunks_mut::<BLOCK>().0 {
        let mut keys = *block;
        exchange_over::<S, 8>(simd, &mut keys);
        exchange_over::<S, 4>(simd, &mut keys);
        exchange_over::<S, 2>(simd, &mut keys);
        exchange_over::<S, 1>(simd, &mut keys);
        *block = keys;
    }
}

/// The exchanges of a bitonic merge over a distance, which is known when this is compiled.
#[inline(always)]
fn exchange_over<S: Simd, const DISTANCE: usize>(simd: S, keys: &mut [S::f64s; BLOCK]) {
    for low in 0..BLOCK {
        if low & DISTANCE == 0 {
            exchange(simd, low, low + DISTANCE, keys);
        }
    }
}

/// Puts at most [`BLOCK`] keys of each lane in order, in registers.
#[inline(always)]
fn sort_block<S: Simd, const N: usize>(simd: S, block: &mut [S::f64s; N]) {
    let mut keys = *block;
    // Written out, so that all places are known when this is compiled.
    macro_rules! stages {
        ($($sorted:literal: $($distance:literal)*;)*) => {
            $(if $sorted < N {
                $(stage::<S, N, $sorted, $distance>(simd, &mut keys);)*
            })*
        };
    }
    stages! {
        1: 1;
        2: 2 1;
        4: 4 2 1;
        8: 8 4 2 1;
    }
    *block = keys;
}

#[inline(always)]
fn stage<S: Simd, const N: usize, const SORTED: usize, const DISTANCE: usize>(
    simd: S,
    keys: &mut [S::f64s; N],
) {
    for low in 0..N.saturating_sub(DISTANCE) {
        if is_compared(low, SORTED, DISTANCE) {
            exchange(simd, low, low + DISTANCE, keys);
        }
    }
}

/// Whether Batcher's odd-even merge of lists of `sorted` places compares a place with the one at this
/// distance.
#[inline(always)]
const fn is_compared(low: usize, sorted: usize, distance: usize) -> bool {
    let first = distance % sorted;
    low >= first
        && ((low - first) / distance).is_multiple_of(2)
        && low / (2 * sorted) == (low + distance) / (2 * sorted)
}

/// Batcher's odd-even merge sort: pairs of places, to be put in order one after the other.
fn sorting_network(count: usize) -> Vec<[u32; 2]> {
    let mut comparators = Vec::new();
    let mut sorted = 1;
    while sorted < count {
        let mut distance = sorted;
        while distance > 0 {
            let lows = (0..count.saturating_sub(distance))
                .filter(|&low| is_compared(low, sorted, distance));
            comparators.extend(lows.map(|low| [low as u32, (low + distance) as u32]));
            distance /= 2;
        }
        sorted *= 2;
    }
    comparators
}

#[cfg(test)]
mod tests {
    use pulp::Scalar;

    use super::*;

    /// Bits as times.
    fn bits<const N: usize>(bits: u32) -> [f64; N] {
        std::array::from_fn(|place| f64::from(bits >> place & 1))
    }

    // A network that sorts all zeros and ones sorts everything.

    #[test]
    fn networks_of_every_size_sort_times_and_weights_with_them() {
        for count in 0..=BLOCK {
            let network = Comparators::new(count);
            for choice in 0..1_u32 << count {
                let mut times = bits::<BLOCK>(choice)[..count].to_vec();
                let mut weights: Vec<f64> = times.iter().map(|time| 2.0 * time).collect();
                network.sort(Scalar, &mut times, &mut weights);
                assert!(times.is_sorted(), "{count} {choice:b}");
                assert!(times.iter().zip(&weights).all(|(time, weight)| 2.0 * time == *weight));
            }
        }
        for count in [30, 33, 100, 130, 785] {
            let mut times: Vec<f64> =
                (0..count).map(|place| (place * 7919 % 1009) as f64).collect();
            let mut weights = times.clone();
            Comparators::new(count).sort(Scalar, &mut times, &mut weights);
            assert!(times.is_sorted(), "{count}");
            assert_eq!(times, weights, "{count}");
        }
    }

    fn all_sort<const N: usize>() {
        for choice in 0..1_u32 << N {
            let mut keys = bits::<N>(choice);
            sort_keys(Scalar, &mut keys);
            assert!(keys.is_sorted(), "{N} {choice:b}");
        }
    }

    #[test]
    fn keys_are_sorted_in_registers() {
        all_sort::<4>();
        all_sort::<5>();
        all_sort::<6>();
        all_sort::<8>();
        all_sort::<16>();
    }

    #[test]
    fn keys_are_sorted_by_blocks_however_many_there_are() {
        for blocks in 1..=9 {
            let count = blocks * BLOCK;
            // Any two sorted blocks, and then all that a step leaves of zeros and ones in a row.
            for seed in 0..200_usize {
                let mut keys: Vec<f64> = (0..count)
                    .map(|place| ((place + seed) * (7919 + 2 * seed) % 1009) as f64)
                    .collect();
                let mut expected = keys.clone();
                sort_blocks(Scalar, &mut keys);
                expected.sort_by(f64::total_cmp);
                assert_eq!(keys, expected, "{blocks} {seed}");
            }
            for first in 0..=count {
                for length in 0..=count - first {
                    let mut keys: Vec<f64> = (0..count)
                        .map(|place| f64::from(!(first..first + length).contains(&place)))
                        .collect();
                    sort_blocks(Scalar, &mut keys);
                    assert!(keys.is_sorted(), "{blocks} {first} {length}");
                }
            }
        }
        // Two sorted lists of zeros and ones, in all ways.
        for zeros in 0..=BLOCK {
            for more in 0..=BLOCK {
                let mut keys: [f64; 2 * BLOCK] = std::array::from_fn(|place| {
                    let zeros = if place < BLOCK { zeros } else { more };
                    f64::from(place % BLOCK >= zeros)
                });
                sort_keys(Scalar, &mut keys);
                assert!(keys.is_sorted(), "{zeros} {more}");
            }
        }
    }
}
