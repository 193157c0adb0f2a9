//! Keys that fit into a few registers are sorted there, by a bitonic network (Batcher 1968): the same
//! exchanges whatever the keys, so that no branch is ever mispredicted.
//!
//! The key of place `k` stands in register `k mod R`, lane `k/R`: exchanges over less than `R` places are
//! between registers, those over more between lanes. A merge of `size` keys begins with two sorted runs in
//! opposite directions, and exchanges over `size/2`, `size/4`, … 1 places sort it; runs whose place has the
//! bit `size` set are sorted downwards, for the next merge.

use pulp::{Simd, bytemuck};

/// Most lanes of a register of numbers of 32 bits.
const LANES: usize = 16;
/// The first indices.
const INDICES: [u32; LANES] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];

/// Most keys that are sorted in registers.
pub(super) const MOST: usize = 256;

/// Where sorted keys stand.
#[derive(Clone, Copy, Debug)]
pub(super) struct Layout {
    /// Binary logarithm of the number of registers.
    registers: u32,
    lanes: usize,
}

impl Layout {
    /// Where the key of a place stands.
    #[inline(always)]
    pub fn index(self, place: usize) -> usize {
        (place & ((1 << self.registers) - 1)) * self.lanes + (place >> self.registers)
    }
}

/// Sorts as many keys as a power of two, at most [`MOST`]; none if the machine's registers are too small
/// for them.
#[inline(always)]
pub(super) fn sort_in_registers<S: Simd>(simd: S, keys: &mut [u32]) -> Option<Layout> {
    let lanes = S::U32_LANES;
    let registers = match keys.len() / lanes {
        2 => sort::<S, 2>(simd, keys),
        4 => sort::<S, 4>(simd, keys),
        8 => sort::<S, 8>(simd, keys),
        16 => sort::<S, 16>(simd, keys),
        _ => return None,
    };
    Some(Layout { registers, lanes })
}

/// Returns the binary logarithm of the number of registers.
#[inline(always)]
fn sort<S: Simd, const R: usize>(simd: S, keys: &mut [u32]) -> u32 {
    let memory = &mut S::as_mut_simd_u32s(keys).0[..R];
    let mut registers = [simd.splat_u32s(0); R];
    registers.copy_from_slice(memory);
    let network = Network::<S, R> { simd, lanes: S::as_simd_u32s(&INDICES).0[0] };
    // Written out, so that all that depends on sizes and distances is known when this is compiled.
    macro_rules! merges {
        ($($size:literal: $($distance:literal)*;)*) => {
            $(if $size <= R * S::U32_LANES {
                $(network.exchange(&mut registers, $size, $distance);)*
            })*
        };
    }
    merges! {
        2: 1;
        4: 2 1;
        8: 4 2 1;
        16: 8 4 2 1;
        32: 16 8 4 2 1;
        64: 32 16 8 4 2 1;
        128: 64 32 16 8 4 2 1;
        256: 128 64 32 16 8 4 2 1;
    }
    memory.copy_from_slice(&registers);
    R.ilog2()
}

#[derive(Clone, Copy)]
struct Network<S: Simd, const R: usize> {
    simd: S,
    /// Each lane's index.
    lanes: S::u32s,
}

impl<S: Simd, const R: usize> Network<S, R> {
    /// Exchanges keys over a distance, in merges of a size.
    #[inline(always)]
    fn exchange(self, registers: &mut [S::u32s; R], size: usize, distance: usize) {
        let simd = self.simd;
        let is_last = size == R * S::U32_LANES;
        if distance < R {
            for low in 0..R {
                if low & distance != 0 {
                    continue;
                }
                let high = low | distance;
                let (a, b) = (registers[low], registers[high]);
                let (smaller, larger) = (simd.min_u32s(a, b), simd.max_u32s(a, b));
                (registers[low], registers[high]) = if is_last || size < R && low & size == 0 {
                    (smaller, larger)
                } else if size < R {
                    (larger, smaller)
                } else {
                    let ascends = self.lacks(size / R);
                    (
                        simd.select_u32s(ascends, smaller, larger),
                        simd.select_u32s(ascends, larger, smaller),
                    )
                };
            }
            return;
        }
        // The smaller one goes to the lower lane where it ascends, to the higher one where it descends:
        // where both bits are equal.
        let bit = distance / R;
        let run = if is_last { 0 } else { size / R };
        let differs = simd.xor_u32s(self.bit(bit), self.bit(run));
        let takes_smaller = simd.equal_u32s(differs, simd.splat_u32s(0));
        for register in registers {
            let partner = self.swap_lanes(*register, bit);
            let smaller = simd.min_u32s(*register, partner);
            let larger = simd.max_u32s(*register, partner);
            *register = simd.select_u32s(takes_smaller, smaller, larger);
        }
    }

    /// One in lanes whose index has this bit, which may be none at all.
    #[inline(always)]
    fn bit(self, bit: usize) -> S::u32s {
        let (zero, one) = (self.simd.splat_u32s(0), self.simd.splat_u32s(1));
        self.simd.select_u32s(self.lacks(bit), zero, one)
    }

    /// Lanes whose index lacks this bit.
    #[inline(always)]
    fn lacks(self, bit: usize) -> S::m32s {
        let simd = self.simd;
        let masked = simd.and_u32s(self.lanes, simd.splat_u32s(bit as u32));
        simd.equal_u32s(masked, simd.splat_u32s(0))
    }

    /// The key in the lane whose index differs in one bit.
    #[inline(always)]
    fn swap_lanes(self, keys: S::u32s, bit: usize) -> S::u32s {
        let simd = self.simd;
        match bit {
            1 => bytemuck::cast(simd.swap_re_im_c32s(bytemuck::cast(keys))),
            2 => bytemuck::cast(simd.swap_re_im_c64s(bytemuck::cast(keys))),
            _ if 2 * bit == S::U32_LANES => simd.rotate_right_u32s(keys, bit),
            _ => {
                let (right, left) =
                    (simd.rotate_right_u32s(keys, bit), simd.rotate_left_u32s(keys, bit));
                simd.select_u32s(self.lacks(bit), left, right)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use pulp::{Arch, WithSimd};

    use super::*;

    struct Sort(Vec<u32>);

    impl WithSimd for Sort {
        type Output = Option<Vec<u32>>;

        fn with_simd<S: Simd>(mut self, simd: S) -> Option<Vec<u32>> {
            let layout = sort_in_registers(simd, &mut self.0)?;
            Some((0..self.0.len()).map(|place| self.0[layout.index(place)]).collect())
        }
    }

    /// What the instruction sets of this machine make of it.
    fn sorted(keys: &[u32]) -> Vec<Option<Vec<u32>>> {
        let mut found = vec![Arch::new().dispatch(Sort(keys.to_vec()))];
        #[cfg(target_arch = "x86_64")]
        if let Some(simd) = pulp::x86::V3::try_new() {
            found.push(pulp::Simd::vectorize(simd, Sort(keys.to_vec())));
        }
        found
    }

    proptest! {
        #[test]
        fn keys_are_sorted(
            mut keys in proptest::collection::vec(any::<u32>(), MOST),
            bits in 4_u32..=8,
            distinct: bool,
        ) {
            keys.truncate(1 << bits);
            if !distinct {
                keys.iter_mut().for_each(|key| *key %= 4);
            }
            let mut expected = keys.clone();
            expected.sort_unstable();
            for found in sorted(&keys).into_iter().flatten() {
                prop_assert_eq!(&found, &expected);
            }
        }
    }

    #[test]
    fn full_registers_are_sorted_on_every_machine_with_wide_ones() {
        let keys: Vec<u32> = (0..MOST as u32 / 2).rev().collect();
        #[cfg(target_arch = "x86_64")]
        if pulp::x86::V3::try_new().is_some() {
            assert!(sorted(&keys).iter().all(Option::is_some));
        }
        assert!(pulp::Scalar.vectorize(Sort(keys)).is_none());
    }
}
