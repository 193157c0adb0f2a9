//! Sorting of many lists of equal length side by side, one per lane of a register.
//!
//! A sorting network makes the same comparisons whatever is compared, so all lanes can take part in each.

use pulp::Simd;

use super::elementary::select;

/// The sorting network for some number of inputs: pairs of places, to be put in order one after the
/// other.
#[derive(Clone, Debug)]
pub(super) enum Comparators {
    /// Up to [`SHORT`] places: then no index needs to be checked.
    Short(Vec<[u8; 2]>),
    Long(Vec<[u32; 2]>),
}

/// As many places as an index of eight bits can name.
pub(super) const SHORT: usize = 256;

impl Comparators {
    pub fn new(places: usize) -> Self {
        let network = sorting_network(places);
        if places <= SHORT {
            Comparators::Short(network.iter().map(|pair| pair.map(|place| place as u8)).collect())
        } else {
            Comparators::Long(network)
        }
    }

    /// Puts the times of each lane in order, and the weights with them. There must be at least [`SHORT`]
    /// places in memory.
    #[inline(always)]
    pub fn sort<S: Simd>(&self, simd: S, times: &mut [S::f64s], weights: &mut [S::f64s]) {
        match self {
            Comparators::Short(comparators) => {
                let (times, weights) = (&mut times[..SHORT], &mut weights[..SHORT]);
                for &[low, high] in comparators {
                    exchange(simd, usize::from(low), usize::from(high), times, weights);
                }
            }
            Comparators::Long(comparators) => {
                for &[low, high] in comparators {
                    exchange(simd, low as usize, high as usize, times, weights);
                }
            }
        }
    }
}

impl Comparators {
    /// Puts the keys of each lane in order. There must be at least [`SHORT`] places in memory.
    #[inline(always)]
    pub fn sort_keys<S: Simd>(&self, simd: S, keys: &mut [S::f64s]) {
        match self {
            Comparators::Short(comparators) => {
                let keys = &mut keys[..SHORT];
                for &[low, high] in comparators {
                    exchange_keys(simd, usize::from(low), usize::from(high), keys);
                }
            }
            Comparators::Long(comparators) => {
                for &[low, high] in comparators {
                    exchange_keys(simd, low as usize, high as usize, keys);
                }
            }
        }
    }
}

#[inline(always)]
fn exchange_keys<S: Simd>(simd: S, low: usize, high: usize, keys: &mut [S::f64s]) {
    let (early, late) = (keys[low], keys[high]);
    keys[low] = simd.min_f64s(early, late);
    keys[high] = simd.max_f64s(early, late);
}

#[inline(always)]
fn exchange<S: Simd>(
    simd: S,
    low: usize,
    high: usize,
    times: &mut [S::f64s],
    weights: &mut [S::f64s],
) {
    let (early, late) = (times[low], times[high]);
    let swap = simd.greater_than_f64s(early, late);
    times[low] = simd.min_f64s(early, late);
    times[high] = simd.max_f64s(early, late);
    let (first, second) = (weights[low], weights[high]);
    weights[low] = select(simd, swap, second, first);
    weights[high] = select(simd, swap, first, second);
}

/// Puts a few times of each lane in order, and the weights with them, all in registers: each is exchanged
/// with those before it, the last first.
#[inline(always)]
pub(super) fn sort_few<S: Simd, const N: usize>(
    simd: S,
    times: &mut [S::f64s; N],
    weights: &mut [S::f64s; N],
) {
    for count in 1..N {
        for high in (1..=count).rev() {
            exchange(simd, high - 1, high, times, weights);
        }
    }
}

/// Batcher's odd-even merge sort: pairs of places, to be put in order one after the other.
fn sorting_network(count: usize) -> Vec<[u32; 2]> {
    let mut comparators = Vec::new();
    let mut sorted = 1;
    while sorted < count {
        let mut distance = sorted;
        while distance > 0 {
            let mut start = distance % sorted;
            while start + distance < count {
                for low in start..(start + distance).min(count - distance) {
                    if low / (2 * sorted) == (low + distance) / (2 * sorted) {
                        comparators.push([low as u32, (low + distance) as u32]);
                    }
                }
                start += 2 * distance;
            }
            distance /= 2;
        }
        sorted *= 2;
    }
    comparators
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sorting_networks_of_every_size_sort() {
        // A network that sorts all zeros and ones sorts everything.
        for count in 0..=16 {
            let network = sorting_network(count);
            for bits in 0..1_u32 << count {
                let mut values: Vec<u32> = (0..count).map(|place| bits >> place & 1).collect();
                for &[low, high] in &network {
                    if values[low as usize] > values[high as usize] {
                        values.swap(low as usize, high as usize);
                    }
                }
                assert!(values.is_sorted(), "{count} {bits:b}");
            }
        }
        for bits in 0..1_u32 << 6 {
            let mut times: [f64; 6] = std::array::from_fn(|place| f64::from(bits >> place & 1));
            let mut weights = times.map(|time| 2.0 * time);
            sort_few(pulp::Scalar, &mut times, &mut weights);
            assert!(times.is_sorted(), "{bits:b}");
            assert_eq!(weights, times.map(|time| 2.0 * time), "{bits:b}");
        }
        for count in [30, 33, 100, 130, 785] {
            let mut values: Vec<usize> = (0..count).map(|place| place * 7919 % 1009).collect();
            for [low, high] in sorting_network(count) {
                if values[low as usize] > values[high as usize] {
                    values.swap(low as usize, high as usize);
                }
            }
            assert!(values.is_sorted(), "{count}");
        }
    }
}
