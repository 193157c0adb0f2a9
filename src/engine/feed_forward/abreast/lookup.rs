//! Weights by row, another row in each sample.

use pulp::{Simd, bytemuck};

/// Rows of a table.
pub(super) const ROWS: usize = 8;

/// A way to look values up. Indices are integers in the bits of doubles, so that they can be sorted with
/// times.
pub(super) trait Lookup<S: Simd>: Copy {
    /// The values.
    type Table: Copy;

    fn table(self, values: &[f64; ROWS]) -> Self::Table;

    /// The value of each lane's index.
    fn get(self, table: Self::Table, indices: S::f64s) -> S::f64s;
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
    fn get(self, table: Self::Table, mut indices: S::f64s) -> S::f64s {
        let lanes: &mut [f64] = bytemuck::cast_slice_mut(std::slice::from_mut(&mut indices));
        for lane in lanes {
            *lane = table[lane.to_bits() as usize % ROWS];
        }
        indices
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
    fn get(self, table: Self::Table, indices: S::f64s) -> S::f64s {
        let values =
            self.0.avx512f._mm512_permutexvar_pd(bytemuck::cast(indices), bytemuck::cast(table));
        bytemuck::cast(values)
    }
}
