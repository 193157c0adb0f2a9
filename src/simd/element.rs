//! Numbers as the vector units of the machine hold them.
//!
//! Closures and the functions of the standard library that take them are avoided around these
//! operations: what is not inlined for certain is compiled without the vector instructions.
//!
//! The widest instruction set is chosen when the program runs (`pulp`). [`Element`] gives the few
//! vector operations that the sweeps need, for double and for single precision.

use std::borrow::Cow;

use pulp::{Simd, bytemuck};

/// A floating-point number that the sweeps compute with.
pub trait Element: Copy + Default + Send + Sync + PartialOrd + 'static {
    /// As many of them as fit into one register.
    type Vector<S: Simd>: Copy;
    /// One truth value for each.
    type Mask<S: Simd>: Copy;
    /// Columns of a matrix are padded with zeros to a multiple of this, the widest register there is, so
    /// that the layout is the same on every machine.
    const PADDING: usize;
    /// Infinity.
    const INFINITY: Self;

    /// Rounds from double precision.
    fn from_f64(value: f64) -> Self;
    /// Widens to double precision.
    fn to_f64(self) -> f64;
    /// Values in double precision.
    fn widened(values: &[Self]) -> Cow<'_, [f64]>;
    /// How many fit into one register.
    fn lanes<S: Simd>() -> usize;
    /// The same value in every lane.
    fn splat<S: Simd>(simd: S, value: Self) -> Self::Vector<S>;
    /// A slice as vectors; what does not fill one is left out.
    fn vectors<S: Simd>(values: &[Self]) -> &[Self::Vector<S>];
    /// A slice as vectors to write to; what does not fill one is left out.
    fn vectors_mut<S: Simd>(values: &mut [Self]) -> &mut [Self::Vector<S>];
    /// The values in a vector.
    fn lanes_mut<S: Simd>(vector: &mut Self::Vector<S>) -> &mut [Self];
    /// `a + b`
    fn add<S: Simd>(simd: S, a: Self::Vector<S>, b: Self::Vector<S>) -> Self::Vector<S>;
    /// `a b`
    fn multiply<S: Simd>(simd: S, a: Self::Vector<S>, b: Self::Vector<S>) -> Self::Vector<S>;
    /// `a b + c`, with one rounding where the machine can do that.
    fn multiply_add<S: Simd>(
        simd: S,
        a: Self::Vector<S>,
        b: Self::Vector<S>,
        c: Self::Vector<S>,
    ) -> Self::Vector<S>;
    /// `a < b`
    fn below<S: Simd>(simd: S, a: Self::Vector<S>, b: Self::Vector<S>) -> Self::Mask<S>;
    /// `a ≥ b`
    fn at_least<S: Simd>(simd: S, a: Self::Vector<S>, b: Self::Vector<S>) -> Self::Mask<S>;
    /// A mask that holds in no lane.
    #[inline(always)]
    fn nowhere<S: Simd>(simd: S) -> Self::Mask<S> {
        let zero = Self::splat(simd, Self::default());
        Self::below(simd, zero, zero)
    }
    /// Both.
    fn and<S: Simd>(simd: S, a: Self::Mask<S>, b: Self::Mask<S>) -> Self::Mask<S>;
    /// Either.
    fn or<S: Simd>(simd: S, a: Self::Mask<S>, b: Self::Mask<S>) -> Self::Mask<S>;
    /// Whether it holds in any lane.
    fn any<S: Simd>(simd: S, mask: Self::Mask<S>) -> bool;
    /// `a` where the mask holds, `b` elsewhere.
    fn select<S: Simd>(
        simd: S,
        mask: Self::Mask<S>,
        a: Self::Vector<S>,
        b: Self::Vector<S>,
    ) -> Self::Vector<S>;
    /// Rounds a register of doubles, and writes it to where the values of that register stand.
    fn write_doubles<S: Simd>(values: &mut [Self], register: usize, doubles: S::f64s);
    /// The values of a register of doubles, widened.
    fn read_doubles<S: Simd>(values: &[Self], register: usize) -> S::f64s;
    /// `a` where the mask holds, zero elsewhere.
    fn where_set<S: Simd>(simd: S, mask: Self::Mask<S>, a: Self::Vector<S>) -> Self::Vector<S>;
    /// The sum over all lanes.
    fn sum<S: Simd>(simd: S, a: Self::Vector<S>) -> Self;
    /// The largest lane.
    fn largest<S: Simd>(simd: S, a: Self::Vector<S>) -> Self;
}

macro_rules! element {
    ($float:ident, $vector:ident, $mask:ident, $lanes:ident, $splat:ident, $vectors:ident,
     $vectors_mut:ident, $add:ident, $multiply:ident, $multiply_add:ident, $below:ident, $at_least:ident,
     $and:ident, $or:ident, $first:ident, $select:ident, $sum:ident, $largest:ident,
     $write:ident, $read:ident, $widened:expr) => {
        impl Element for $float {
            type Vector<S: Simd> = S::$vector;
            type Mask<S: Simd> = S::$mask;
            const PADDING: usize = 64 / size_of::<$float>();
            const INFINITY: Self = $float::INFINITY;

            #[inline(always)]
            fn from_f64(value: f64) -> Self {
                value as $float
            }

            #[inline(always)]
            fn to_f64(self) -> f64 {
                f64::from(self)
            }

            fn widened(values: &[Self]) -> Cow<'_, [f64]> {
                $widened(values)
            }

            #[inline(always)]
            fn lanes<S: Simd>() -> usize {
                S::$lanes
            }

            #[inline(always)]
            fn splat<S: Simd>(simd: S, value: Self) -> S::$vector {
                simd.$splat(value)
            }

            #[inline(always)]
            fn vectors<S: Simd>(values: &[Self]) -> &[S::$vector] {
                S::$vectors(values).0
            }

            #[inline(always)]
            fn vectors_mut<S: Simd>(values: &mut [Self]) -> &mut [S::$vector] {
                S::$vectors_mut(values).0
            }

            #[inline(always)]
            fn lanes_mut<S: Simd>(vector: &mut S::$vector) -> &mut [Self] {
                bytemuck::cast_slice_mut(std::slice::from_mut(vector))
            }

            #[inline(always)]
            fn add<S: Simd>(simd: S, a: S::$vector, b: S::$vector) -> S::$vector {
                simd.$add(a, b)
            }

            #[inline(always)]
            fn multiply<S: Simd>(simd: S, a: S::$vector, b: S::$vector) -> S::$vector {
                simd.$multiply(a, b)
            }

            #[inline(always)]
            fn multiply_add<S: Simd>(
                simd: S,
                a: S::$vector,
                b: S::$vector,
                c: S::$vector,
            ) -> S::$vector {
                simd.$multiply_add(a, b, c)
            }

            #[inline(always)]
            fn below<S: Simd>(simd: S, a: S::$vector, b: S::$vector) -> S::$mask {
                simd.$below(a, b)
            }

            #[inline(always)]
            fn at_least<S: Simd>(simd: S, a: S::$vector, b: S::$vector) -> S::$mask {
                simd.$at_least(a, b)
            }

            #[inline(always)]
            fn and<S: Simd>(simd: S, a: S::$mask, b: S::$mask) -> S::$mask {
                simd.$and(a, b)
            }

            #[inline(always)]
            fn or<S: Simd>(simd: S, a: S::$mask, b: S::$mask) -> S::$mask {
                simd.$or(a, b)
            }

            #[inline(always)]
            fn any<S: Simd>(simd: S, mask: S::$mask) -> bool {
                // With AVX-512 pulp 0.22 counts from the last lane; that it finds none is right.
                simd.$first(mask) < S::$lanes
            }

            #[inline(always)]
            fn select<S: Simd>(
                simd: S,
                mask: S::$mask,
                a: S::$vector,
                b: S::$vector,
            ) -> S::$vector {
                // Through integers: the compiler does not always see through pulp's own selection.
                bytemuck::cast(simd.$select(mask, bytemuck::cast(a), bytemuck::cast(b)))
            }

            #[inline(always)]
            fn write_doubles<S: Simd>(values: &mut [Self], register: usize, doubles: S::f64s) {
                $write::<S>(values, register, doubles);
            }

            #[inline(always)]
            fn read_doubles<S: Simd>(values: &[Self], register: usize) -> S::f64s {
                $read::<S>(values, register)
            }

            #[inline(always)]
            fn where_set<S: Simd>(simd: S, mask: S::$mask, a: S::$vector) -> S::$vector {
                <$float as Element>::select(simd, mask, a, simd.$splat(0.0))
            }

            #[inline(always)]
            fn sum<S: Simd>(simd: S, a: S::$vector) -> Self {
                simd.$sum(a)
            }

            #[inline(always)]
            fn largest<S: Simd>(simd: S, a: S::$vector) -> Self {
                simd.$largest(a)
            }
        }
    };
}

element!(
    f64,
    f64s,
    m64s,
    F64_LANES,
    splat_f64s,
    as_simd_f64s,
    as_mut_simd_f64s,
    add_f64s,
    mul_f64s,
    mul_add_e_f64s,
    less_than_f64s,
    greater_than_or_equal_f64s,
    and_m64s,
    or_m64s,
    first_true_m64s,
    select_u64s,
    reduce_sum_f64s,
    reduce_max_f64s,
    write_f64s,
    read_f64s,
    Cow::Borrowed
);
element!(
    f32,
    f32s,
    m32s,
    F32_LANES,
    splat_f32s,
    as_simd_f32s,
    as_mut_simd_f32s,
    add_f32s,
    mul_f32s,
    mul_add_e_f32s,
    less_than_f32s,
    greater_than_or_equal_f32s,
    and_m32s,
    or_m32s,
    first_true_m32s,
    select_u32s,
    reduce_sum_f32s,
    reduce_max_f32s,
    write_f32s,
    read_f32s,
    |values: &[f32]| Cow::Owned(values.iter().map(|&value| f64::from(value)).collect())
);

#[inline(always)]
fn write_f64s<S: Simd>(values: &mut [f64], register: usize, doubles: S::f64s) {
    S::as_mut_simd_f64s(values).0[register] = doubles;
}

#[inline(always)]
fn read_f64s<S: Simd>(values: &[f64], register: usize) -> S::f64s {
    S::as_simd_f64s(values).0[register]
}

#[inline(always)]
fn write_f32s<S: Simd>(values: &mut [f32], register: usize, doubles: S::f64s) {
    let lanes = S::F64_LANES;
    let values = &mut values[register * lanes..(register + 1) * lanes];
    let doubles = bytemuck::cast_slice(std::slice::from_ref(&doubles));
    for (value, &double) in values.iter_mut().zip(doubles) {
        let double: f64 = double;
        *value = double as f32;
    }
}

#[inline(always)]
fn read_f32s<S: Simd>(values: &[f32], register: usize) -> S::f64s {
    let lanes = S::F64_LANES;
    let values = &values[register * lanes..(register + 1) * lanes];
    let mut doubles: S::f64s = bytemuck::Zeroable::zeroed();
    let wide = bytemuck::cast_slice_mut(std::slice::from_mut(&mut doubles));
    for (double, &value) in wide.iter_mut().zip(values) {
        *double = f64::from(value);
    }
    doubles
}

/// Makes a vector at least so long. What was there stays, whatever it is.
#[inline(always)]
pub fn grow<T: Clone + Default>(values: &mut Vec<T>, length: usize) {
    if values.len() < length {
        values.resize(length, T::default());
    }
}
