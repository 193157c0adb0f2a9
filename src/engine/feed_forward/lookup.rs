//! Values by row, another row in each lane of a register.

use pulp::{Simd, bytemuck};

/// Rows of a table.
pub(super) const ROWS: usize = 8;

/// A way to look values up. The rows are the last bits of doubles, so that they can be sorted with times;
/// the other bits do not matter.
pub(super) trait Lookup<S: Simd>: Copy {
    /// The values.
    type Table: Copy;

    fn table(self, values: &[f64; ROWS]) -> Self::Table;

    /// The values in the rows of all lanes.
    fn get(self, table: Self::Table, rows: S::f64s) -> S::f64s;
}

/// On any machine: lane by lane.
#[derive(Clone, Copy)]
pub(super) struct ByLanes;

impl<S: Simd> Lookup<S> for ByLanes {
    type Table = [f64; ROWS];

    #[inline(always)]
    fn table(self, values: &[f64; ROWS]) -> Self::Table {
        *values
    }

    #[inline(always)]
    fn get(self, table: Self::Table, mut rows: S::f64s) -> S::f64s {
        let lanes: &mut [f64] = bytemuck::cast_slice_mut(std::slice::from_mut(&mut rows));
        for lane in lanes {
            *lane = table[lane.to_bits() as usize % ROWS];
        }
        rows
    }
}

/// With AVX-512, where a register holds the table: in one instruction.
#[cfg(target_arch = "x86_64")]
#[derive(Clone, Copy)]
pub(super) struct ByPermutation(pulp::x86::V4);

#[cfg(target_arch = "x86_64")]
impl ByPermutation {
    /// None on another machine, or if it is to be used as another one.
    pub fn new<S: Simd>() -> Option<Self> {
        let is_v4 = std::any::TypeId::of::<S>() == std::any::TypeId::of::<pulp::x86::V4>();
        if is_v4 { pulp::x86::V4::try_new().map(ByPermutation) } else { None }
    }
}

#[cfg(target_arch = "x86_64")]
impl<S: Simd> Lookup<S> for ByPermutation {
    type Table = S::f64s;

    #[inline(always)]
    fn table(self, values: &[f64; ROWS]) -> Self::Table {
        S::as_simd_f64s(values).0[0]
    }

    #[inline(always)]
    fn get(self, table: Self::Table, rows: S::f64s) -> S::f64s {
        let (table, rows) = (bytemuck::cast(table), bytemuck::cast(rows));
        bytemuck::cast(self.0.avx512f._mm512_permutexvar_pd(rows, table))
    }
}

#[cfg(test)]
mod tests {
    use pulp::{Arch, WithSimd};

    use super::*;

    struct Look<'a> {
        values: &'a [f64; ROWS],
        rows: &'a [f64],
    }

    impl WithSimd for Look<'_> {
        type Output = Vec<f64>;

        #[inline(always)]
        fn with_simd<S: Simd>(self, _: S) -> Self::Output {
            #[cfg(target_arch = "x86_64")]
            if let Some(lookup) = ByPermutation::new::<S>() {
                return self.look::<S, _>(lookup);
            }
            self.look::<S, _>(ByLanes)
        }
    }

    impl Look<'_> {
        #[inline(always)]
        fn look<S: Simd, L: Lookup<S>>(self, lookup: L) -> Vec<f64> {
            let table = lookup.table(self.values);
            let mut found = Vec::new();
            for &rows in S::as_simd_f64s(self.rows).0 {
                let values = lookup.get(table, rows);
                let values: &[f64] = bytemuck::cast_slice(std::slice::from_ref(&values));
                found.extend_from_slice(values);
            }
            found
        }
    }

    #[test]
    fn every_machine_finds_the_values_by_the_last_bits() {
        let values = std::array::from_fn(|row| 0.5 + row as f64);
        let rows: Vec<f64> = (0..64_u64)
            .map(|index| f64::from_bits((-1.75_f64).to_bits() & !7 | (index * 5 % 8)))
            .collect();
        for arch in [Arch::new(), Arch::Scalar] {
            let found = arch.dispatch(Look { values: &values, rows: &rows });
            let expected: Vec<f64> =
                rows.iter().map(|row| values[row.to_bits() as usize % ROWS]).collect();
            assert_eq!(found, expected);
        }
    }
}
