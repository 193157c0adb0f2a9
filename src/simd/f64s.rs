//! Arithmetic on a register of doubles, with exponential and logarithm.
//!
//! The C library's functions are called one at a time; these cost a tenth of them per value. Their
//! errors, a few units in the last place, are measured in the tests below.

use std::ops::{Add, Div, Mul, Neg, Sub};

use pulp::{Simd, bytemuck};

use super::element::Element;

/// As many doubles as fit into one register.
#[derive(Clone, Copy)]
pub struct F64s<S: Simd> {
    simd: S,
    value: S::f64s,
}

/// One truth value for each.
#[derive(Clone, Copy)]
pub struct Mask<S: Simd> {
    simd: S,
    value: S::m64s,
}

/// Adding it rounds a double below 2^51 to an integer, which then stands in its lowest bits.
const ROUNDER: f64 = 6_755_399_441_055_744.0;
/// ln 2 in two parts: an integer below 2^11 times the first is exact.
const LN_2_HIGH: f64 = 6.931_471_803_691_238e-1;
const LN_2_LOW: f64 = 1.908_214_929_270_587_7e-10;

/// Registers that a slice fills, the rest at its end left out.
#[inline(always)]
pub fn registers<S: Simd>(values: &[f64]) -> &[S::f64s] {
    S::as_simd_f64s(values).0
}

/// Registers that a slice fills, to write to.
#[inline(always)]
pub fn registers_mut<S: Simd>(values: &mut [f64]) -> &mut [S::f64s] {
    S::as_mut_simd_f64s(values).0
}

/// `a` where it holds, `b` elsewhere. Through integers, because the compiler does not always see through
/// pulp's own selection of doubles.
#[inline(always)]
pub fn select<S: Simd>(simd: S, holds: S::m64s, a: S::f64s, b: S::f64s) -> S::f64s {
    bytemuck::cast(simd.select_u64s(holds, bytemuck::cast(a), bytemuck::cast(b)))
}

impl<S: Simd> F64s<S> {
    /// These values.
    #[inline(always)]
    pub fn new(simd: S, value: S::f64s) -> Self {
        F64s { simd, value }
    }

    /// One value in every lane.
    #[inline(always)]
    pub fn splat(simd: S, value: f64) -> Self {
        F64s { simd, value: simd.splat_f64s(value) }
    }

    /// The values.
    #[inline(always)]
    pub fn value(self) -> S::f64s {
        self.value
    }

    /// One value in every lane.
    #[inline(always)]
    fn all(self, value: f64) -> Self {
        F64s::splat(self.simd, value)
    }

    /// `self b + c`, with one rounding where the machine can do that.
    #[inline(always)]
    pub fn multiply_add(self, b: Self, c: Self) -> Self {
        F64s::new(self.simd, self.simd.mul_add_e_f64s(self.value, b.value, c.value))
    }

    /// `self − a b`, likewise.
    #[inline(always)]
    pub fn minus_product(self, a: Self, b: Self) -> Self {
        F64s::new(self.simd, self.simd.negate_mul_add_e_f64s(a.value, b.value, self.value))
    }

    /// The polynomial with these coefficients, the constant first.
    #[inline(always)]
    pub fn polynomial<const N: usize>(self, coefficients: &[f64; N]) -> Self {
        let [even, odd] = self.halves(coefficients);
        odd.multiply_add(self, even)
    }

    /// Its even terms, and its odd ones divided by `x`. Both are summed side by side, so that the
    /// machine waits half as long for one term before the next.
    #[inline(always)]
    pub fn halves<const N: usize>(self, coefficients: &[f64; N]) -> [Self; 2] {
        let square = self * self;
        let mut sums = [self.all(coefficients[N - 2]), self.all(coefficients[N - 1])];
        let mut index = N - 2;
        while index >= 2 {
            sums[0] = sums[0].multiply_add(square, self.all(coefficients[index - 2]));
            sums[1] = sums[1].multiply_add(square, self.all(coefficients[index - 1]));
            index -= 2;
        }
        if index == 1 {
            // An odd number of coefficients: what was taken for even is odd.
            sums.swap(0, 1);
            sums[0] = sums[0].multiply_add(square, self.all(coefficients[0]));
        }
        sums
    }

    #[inline(always)]
    pub fn sqrt(self) -> Self {
        F64s::new(self.simd, self.simd.sqrt_f64s(self.value))
    }

    /// The larger one; `other` if this is NaN.
    #[inline(always)]
    pub fn max(self, other: Self) -> Self {
        self.above(other).select(self, other)
    }

    /// The larger one, if both are numbers.
    #[inline(always)]
    pub fn max_of_numbers(self, other: Self) -> Self {
        F64s::new(self.simd, self.simd.max_f64s(self.value, other.value))
    }

    /// The smaller one, if both are numbers.
    #[inline(always)]
    pub fn min(self, other: Self) -> Self {
        F64s::new(self.simd, self.simd.min_f64s(self.value, other.value))
    }

    /// The sum of all lanes.
    #[inline(always)]
    pub fn sum(self) -> f64 {
        self.simd.reduce_sum_f64s(self.value)
    }

    /// The smallest lane.
    #[inline(always)]
    pub fn smallest(self) -> f64 {
        self.simd.reduce_min_f64s(self.value)
    }

    /// The largest lane.
    #[inline(always)]
    pub fn largest(self) -> f64 {
        self.simd.reduce_max_f64s(self.value)
    }

    #[inline(always)]
    pub fn above(self, other: Self) -> Mask<S> {
        let value = self.simd.greater_than_f64s(self.value, other.value);
        Mask { simd: self.simd, value }
    }

    #[inline(always)]
    pub fn at_least(self, other: Self) -> Mask<S> {
        let value = self.simd.greater_than_or_equal_f64s(self.value, other.value);
        Mask { simd: self.simd, value }
    }

    /// One lane.
    #[inline(always)]
    pub fn lane(self, lane: usize) -> f64 {
        bytemuck::cast_slice(std::slice::from_ref(&self.value))[lane]
    }

    /// A function of each lane's index and value, one lane at a time.
    pub fn map(mut self, function: impl Fn(usize, f64) -> f64) -> Self {
        let lanes = bytemuck::cast_slice_mut(std::slice::from_mut(&mut self.value));
        for (lane, value) in lanes.iter_mut().enumerate() {
            *value = function(lane, *value);
        }
        self
    }

    /// `e^x`, with a relative error below 4e-16. Beyond ±708 it stays as it is there.
    #[inline(always)]
    pub fn exp(self) -> Self {
        self.clamped().exp_within_range()
    }

    /// The same for values that are known to lie between ±708.
    #[inline(always)]
    pub fn exp_within_range(self) -> Self {
        let (r, shifted) = self.reduced();
        let series = r.polynomial(&EXPONENTIAL).multiply_add(r * r, r) + self.all(1.0);
        let mut power: S::u64s = bytemuck::cast(shifted.value);
        for bits in bytemuck::cast_slice_mut(std::slice::from_mut(&mut power)) {
            let integer: u64 = *bits;
            *bits = integer.wrapping_add(1023) << 52;
        }
        series * F64s::new(self.simd, bytemuck::cast(power))
    }

    /// `e^x` and `e^(−x)`, likewise.
    #[inline(always)]
    pub fn exp_both(self) -> (Self, Self) {
        let (simd, one) = (self.simd, self.all(1.0));
        let (r, shifted) = self.clamped().reduced();
        let [even, odd] = r.halves(&EXPONENTIAL);
        let square = r * r;
        let series = odd.multiply_add(r, even).multiply_add(square, r) + one;
        let inverse_series = odd.multiply_add(-r, even).multiply_add(square, -r) + one;
        let mut power: S::u64s = bytemuck::cast(shifted.value);
        let mut inverse = power;
        let both = bytemuck::cast_slice_mut(std::slice::from_mut(&mut power))
            .iter_mut()
            .zip(bytemuck::cast_slice_mut(std::slice::from_mut(&mut inverse)));
        for (power, inverse) in both {
            let integer: u64 = *power;
            *power = integer.wrapping_add(1023) << 52;
            *inverse = 1023_u64.wrapping_sub(integer) << 52;
        }
        let power = F64s::new(simd, bytemuck::cast(power));
        let inverse = F64s::new(simd, bytemuck::cast(inverse));
        (series * power, inverse_series * inverse)
    }

    /// Kept within ±708, where `e^x` is a normal number.
    #[inline(always)]
    fn clamped(self) -> Self {
        let simd = self.simd;
        let clamped = simd.min_f64s(self.value, simd.splat_f64s(708.0));
        F64s::new(simd, simd.max_f64s(clamped, simd.splat_f64s(-708.0)))
    }

    /// `r` of `x = k ln 2 + r` with `|r| ≤ ln(2)/2` and an integer `k`, which stands in the lowest bits
    /// of the second value.
    #[inline(always)]
    fn reduced(self) -> (Self, Self) {
        let shifted = self.multiply_add(self.all(std::f64::consts::LOG2_E), self.all(ROUNDER));
        let k = shifted - self.all(ROUNDER);
        let r = k.multiply_add(self.all(-LN_2_HIGH), self);
        (k.multiply_add(self.all(-LN_2_LOW), r), shifted)
    }

    /// `e^x` for `x ≤ 0`, with the same error: below 1e-307, not zero, where that is smaller.
    #[inline(always)]
    pub fn exp_of_negative(self) -> Self {
        let simd = self.simd;
        let clamped = simd.max_f64s(self.value, simd.splat_f64s(-708.0));
        F64s::new(simd, clamped).exp_within_range()
    }

    /// `ln x` for a finite, normal `x > 0`: error below 4e-16 of the larger of `|ln x|` and
    /// `|x − 1|`. Anything else gives a number without meaning.
    #[inline(always)]
    pub fn ln(self) -> Self {
        const SQRT_HALF_BITS: u64 = 0x3fe6_a09e_667f_3bcd;
        const TWO_TO_52: f64 = 4_503_599_627_370_496.0;
        let simd = self.simd;
        // x = 2^k m with m between √½ and √2; the bits of the exponent, shifted by 1024 to be
        // positive, in those of 2^52.
        let mut mantissa = simd.transmute_u64s_f64s(self.value);
        let mut exponent = mantissa;
        let both = bytemuck::cast_slice_mut(std::slice::from_mut(&mut mantissa))
            .iter_mut()
            .zip(bytemuck::cast_slice_mut(std::slice::from_mut(&mut exponent)));
        for (mantissa, exponent) in both {
            let bits: u64 = *mantissa;
            let offset = bits.wrapping_sub(SQRT_HALF_BITS);
            *mantissa = (offset & 0x000f_ffff_ffff_ffff).wrapping_add(SQRT_HALF_BITS);
            let biased: u64 = (offset >> 52).wrapping_add(1024) & 0xfff;
            *exponent = biased | TWO_TO_52.to_bits();
        }
        let m = F64s::new(simd, simd.transmute_f64s_u64s(mantissa));
        let k = F64s::new(simd, simd.transmute_f64s_u64s(exponent));
        let k = k - self.all(TWO_TO_52 + 1024.0);
        // ln m = 2 artanh(s) with |s| ≤ 0.172.
        let f = m - self.all(1.0);
        let s = f / (m + self.all(1.0));
        let square = s * s;
        let series = square.polynomial(&ARTANH);
        // 2 s = f − s f, so that the largest part is f itself, which is exact.
        let tail = (s * square * self.all(2.0)).multiply_add(series, -(s * f));
        let low = k.multiply_add(self.all(LN_2_LOW), tail);
        k.multiply_add(self.all(LN_2_HIGH), f + low)
    }
}

impl<S: Simd> Mask<S> {
    /// `a` where it holds, `b` elsewhere.
    #[inline(always)]
    pub fn select(self, a: F64s<S>, b: F64s<S>) -> F64s<S> {
        F64s::new(self.simd, select(self.simd, self.value, a.value, b.value))
    }

    /// Whether it holds in any lane.
    #[inline(always)]
    pub fn any(self) -> bool {
        f64::any(self.simd, self.value)
    }

    /// Either.
    #[inline(always)]
    pub fn or(self, other: Self) -> Self {
        Mask { simd: self.simd, value: self.simd.or_m64s(self.value, other.value) }
    }

    /// This, and not the other.
    #[inline(always)]
    pub fn and_not(self, other: Self) -> Self {
        let neither = self.simd.not_m64s(other.value);
        Mask { simd: self.simd, value: self.simd.and_m64s(self.value, neither) }
    }

    /// Both.
    #[inline(always)]
    pub fn and(self, other: Self) -> Self {
        Mask { simd: self.simd, value: self.simd.and_m64s(self.value, other.value) }
    }
}

/// The Taylor series of `(e^r − 1 − r)/r²`; in `e^r` the next term is below 4e-17. `r` and one are added
/// last, so that the roundings before count little.
const EXPONENTIAL: [f64; 11] = reciprocal_factorials(2);

/// `1/n!` from `n = first` on: coefficients of the series of `e^x`, and from 1 of `(e^x − 1)/x`.
pub const fn reciprocal_factorials<const N: usize>(first: usize) -> [f64; N] {
    let mut coefficients = [0.0; N];
    // Exact: no factorial here is beyond the integers of a double.
    let mut factorial = 1.0;
    let mut n = 0;
    while n < first + N {
        if n > 0 {
            factorial *= n as f64;
        }
        if n >= first {
            coefficients[n - first] = 1.0 / factorial;
        }
        n += 1;
    }
    coefficients
}

/// `(artanh(s) − s)/s³` in powers of `s²`; the next term is below 2e-17 relative.
const ARTANH: [f64; 10] = [
    1.0 / 3.0,
    1.0 / 5.0,
    1.0 / 7.0,
    1.0 / 9.0,
    1.0 / 11.0,
    1.0 / 13.0,
    1.0 / 15.0,
    1.0 / 17.0,
    1.0 / 19.0,
    1.0 / 21.0,
];

macro_rules! operator {
    ($name:ident, $method:ident, $operation:ident) => {
        impl<S: Simd> $name for F64s<S> {
            type Output = Self;

            #[inline(always)]
            fn $method(self, other: Self) -> Self {
                F64s::new(self.simd, self.simd.$operation(self.value, other.value))
            }
        }
    };
}

operator!(Add, add, add_f64s);
operator!(Sub, sub, sub_f64s);
operator!(Mul, mul, mul_f64s);
operator!(Div, div, div_f64s);

impl<S: Simd> Neg for F64s<S> {
    type Output = Self;

    #[inline(always)]
    fn neg(self) -> Self {
        self.all(0.0) - self
    }
}

#[cfg(test)]
mod tests;
