//! Values by row, another row in each lane of a register.

use pulp::{Simd, bytemuck};

/// Rows of a small table.
pub(crate) const SMALL_TABLE: usize = 8;
/// Rows of a large table.
pub(crate) const LARGE_TABLE: usize = 32;

/// A way to look values up in a table of `ROWS` rows, a power of two. The row stands in the last bits of a
/// double, so that it can be sorted with a time; the other bits do not matter.
pub(crate) trait Lookup<S: Simd, const ROWS: usize>: Copy {
    /// The values.
    type Table: Copy;

    fn table(self, values: &[f64; ROWS]) -> Self::Table;

    /// The values in the rows of all lanes.
    fn get(self, table: &Self::Table, rows: S::f64s) -> S::f64s;
}

/// Normal numbers, with a row in their last bits in place of their own: those that differ by more than that
/// keep their order.
#[inline(always)]
pub(crate) fn with_row<S: Simd, const ROWS: usize>(
    simd: S,
    numbers: S::f64s,
    row: usize,
) -> S::f64s {
    let others = simd.splat_u64s(!(ROWS as u64 - 1));
    let bits = simd.and_u64s(bytemuck::cast(numbers), others);
    bytemuck::cast(simd.or_u64s(bits, simd.splat_u64s(row as u64)))
}

/// On any machine: lane by lane.
#[derive(Clone, Copy)]
pub(crate) struct ByLanes;

impl<S: Simd, const ROWS: usize> Lookup<S, ROWS> for ByLanes {
    type Table = [f64; ROWS];

    #[inline(always)]
    fn table(self, values: &[f64; ROWS]) -> Self::Table {
        *values
    }

    #[inline(always)]
    fn get(self, table: &Self::Table, mut rows: S::f64s) -> S::f64s {
        let lanes: &mut [f64] = bytemuck::cast_slice_mut(std::slice::from_mut(&mut rows));
        for lane in lanes {
            *lane = table[lane.to_bits() as usize % ROWS];
        }
        rows
    }
}

/// With AVX-512, where a register holds a small table: in one instruction, or in four if it is large.
#[cfg(target_arch = "x86_64")]
#[derive(Clone, Copy)]
pub(crate) struct ByPermutation(pulp::x86::V4);

#[cfg(target_arch = "x86_64")]
impl ByPermutation {
    /// None on another machine, or if it is to be used as another one.
    pub fn new<S: Simd>() -> Option<Self> {
        let is_v4 = std::any::TypeId::of::<S>() == std::any::TypeId::of::<pulp::x86::V4>();
        if is_v4 { pulp::x86::V4::try_new().map(ByPermutation) } else { None }
    }
}

#[cfg(target_arch = "x86_64")]
impl<S: Simd> Lookup<S, SMALL_TABLE> for ByPermutation {
    type Table = S::f64s;

    #[inline(always)]
    fn table(self, values: &[f64; SMALL_TABLE]) -> Self::Table {
        S::as_simd_f64s(values).0[0]
    }

    #[inline(always)]
    fn get(self, table: &Self::Table, rows: S::f64s) -> S::f64s {
        let (table, rows) = (bytemuck::cast(*table), bytemuck::cast(rows));
        bytemuck::cast(self.0.avx512f._mm512_permutexvar_pd(rows, table))
    }
}

#[cfg(target_arch = "x86_64")]
impl<S: Simd> Lookup<S, LARGE_TABLE> for ByPermutation {
    type Table = [S::f64s; LARGE_TABLE / SMALL_TABLE];

    #[inline(always)]
    fn table(self, values: &[f64; LARGE_TABLE]) -> Self::Table {
        let registers = S::as_simd_f64s(values).0;
        [registers[0], registers[1], registers[2], registers[3]]
    }

    #[inline(always)]
    fn get(self, table: &Self::Table, rows: S::f64s) -> S::f64s {
        let avx512f = self.0.avx512f;
        let rows = bytemuck::cast(rows);
        let [a, b, c, d] = table.map(bytemuck::cast);
        let (first, second) = (
            avx512f._mm512_permutex2var_pd(a, rows, b),
            avx512f._mm512_permutex2var_pd(c, rows, d),
        );
        let in_second = avx512f._mm512_test_epi64_mask(rows, avx512f._mm512_set1_epi64(16));
        bytemuck::cast(avx512f._mm512_mask_blend_pd(in_second, first, second))
    }
}

#[cfg(test)]
mod tests {
    use pulp::{Arch, Scalar, WithSimd};

    use super::*;

    struct Look<'a, const ROWS: usize> {
        values: &'a [f64; ROWS],
        rows: &'a [f64],
    }

    macro_rules! looks {
        ($($rows:ident)*) => {
            $(impl WithSimd for Look<'_, $rows> {
                type Output = Vec<f64>;

                #[inline(always)]
                fn with_simd<S: Simd>(self, _: S) -> Self::Output {
                    #[cfg(target_arch = "x86_64")]
                    if let Some(lookup) = ByPermutation::new::<S>() {
                        return self.look::<S, _>(lookup);
                    }
                    self.look::<S, _>(ByLanes)
                }
            })*
        };
    }
    looks!(SMALL_TABLE LARGE_TABLE);

    impl<const ROWS: usize> Look<'_, ROWS> {
        #[inline(always)]
        fn look<S: Simd, L: Lookup<S, ROWS>>(self, lookup: L) -> Vec<f64> {
            let table = lookup.table(self.values);
            let mut found = Vec::new();
            for &rows in S::as_simd_f64s(self.rows).0 {
                let values = lookup.get(&table, rows);
                let values: &[f64] = bytemuck::cast_slice(std::slice::from_ref(&values));
                found.extend_from_slice(values);
            }
            found
        }
    }

    fn finds_all<const ROWS: usize>()
    where
        for<'a> Look<'a, ROWS>: WithSimd<Output = Vec<f64>>,
    {
        let values: [f64; ROWS] = std::array::from_fn(|row| 0.5 + row as f64);
        let row = |index: usize| index * 5 % ROWS;
        let number = |index: usize| (2.0 + index as f64).ln();
        let rows: Vec<f64> = (0..64)
            .map(|index| with_row::<Scalar, ROWS>(Scalar, number(index), row(index)))
            .collect();
        for (index, with_row) in rows.iter().enumerate() {
            let error = with_row / number(index) - 1.0;
            assert!(error.abs() <= (ROWS - 1) as f64 * f64::EPSILON, "{index} {error}");
        }
        let expected: Vec<f64> = (0..64).map(|index| values[row(index)]).collect();
        for arch in [Arch::new(), Arch::Scalar] {
            assert_eq!(arch.dispatch(Look { values: &values, rows: &rows }), expected);
        }
    }

    #[test]
    fn every_machine_finds_the_values_by_the_last_bits() {
        finds_all::<SMALL_TABLE>();
        finds_all::<LARGE_TABLE>();
    }
}
