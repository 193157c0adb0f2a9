//! Exponential and logarithm without branches, for loops that the compiler vectorises.
//!
//! The C library's functions are called one at a time; these cost a quarter of them. Their errors, a
//! few units in the last place, are measured in the tests below.

use pulp::Simd;

use super::lanes::multiply_add;

/// Adding it rounds a double below 2^51 to an integer, which then stands in its lowest bits.
const ROUNDER: f64 = 6_755_399_441_055_744.0;

/// `e^x`: zero below -708, infinite above 709; relative error below 4e-16 between.
#[inline(always)]
pub fn exp<S: Simd>(x: f64) -> f64 {
    let clamped = x.clamp(-708.0, 709.0);
    // x = k ln 2 + r with |r| ≤ ln(2)/2; ln 2 in two parts so that k ln 2 is exact enough.
    let shifted = multiply_add::<S>(clamped, std::f64::consts::LOG2_E, ROUNDER);
    let k = shifted - ROUNDER;
    let r = multiply_add::<S>(k, -6.931_471_803_691_238e-1, clamped);
    let r = multiply_add::<S>(k, -1.908_214_929_270_587_7e-10, r);
    // The Taylor series of e^r; its next term is below 4e-17.
    let mut series = 1.0 / 479_001_600.0;
    series = multiply_add::<S>(series, r, 1.0 / 39_916_800.0);
    series = multiply_add::<S>(series, r, 1.0 / 3_628_800.0);
    series = multiply_add::<S>(series, r, 1.0 / 362_880.0);
    series = multiply_add::<S>(series, r, 1.0 / 40_320.0);
    series = multiply_add::<S>(series, r, 1.0 / 5_040.0);
    series = multiply_add::<S>(series, r, 1.0 / 720.0);
    series = multiply_add::<S>(series, r, 1.0 / 120.0);
    series = multiply_add::<S>(series, r, 1.0 / 24.0);
    series = multiply_add::<S>(series, r, 1.0 / 6.0);
    series = multiply_add::<S>(series, r, 0.5);
    series = multiply_add::<S>(series, r, 1.0);
    series = multiply_add::<S>(series, r, 1.0);
    // 2^k in two factors: the exponent of one alone ends at 1023.
    let power = f64::from_bits(shifted.to_bits().wrapping_add(1022) << 52);
    let scaled = series * power * 2.0;
    if x < -708.0 {
        0.0
    } else if x > 709.0 {
        f64::INFINITY
    } else {
        scaled
    }
}

/// `ln x` for a finite, normal `x > 0`: error below 4e-16 of the larger of `|ln x|` and `|x − 1|`.
/// Anything else gives a number without meaning.
#[inline(always)]
pub fn ln<S: Simd>(x: f64) -> f64 {
    // x = 2^k m with m between √½ and √2.
    const SQRT_HALF_BITS: u64 = 0x3fe6_a09e_667f_3bcd;
    let offset = x.to_bits().wrapping_sub(SQRT_HALF_BITS);
    let m = f64::from_bits((offset & 0x000f_ffff_ffff_ffff).wrapping_add(SQRT_HALF_BITS));
    // The exponent as a double: its bits, shifted by 1024 to be positive, in those of 2^52.
    let biased = (offset >> 52).wrapping_add(1024) & 0xfff;
    let k = f64::from_bits(biased | 0x4330_0000_0000_0000) - (4_503_599_627_370_496.0 + 1024.0);
    // ln m = 2 artanh(s) with |s| ≤ 0.172; the next term is below 2e-17 relative.
    let f = m - 1.0;
    let s = f / (m + 1.0);
    let square = s * s;
    let mut series = 1.0 / 21.0;
    series = multiply_add::<S>(series, square, 1.0 / 19.0);
    series = multiply_add::<S>(series, square, 1.0 / 17.0);
    series = multiply_add::<S>(series, square, 1.0 / 15.0);
    series = multiply_add::<S>(series, square, 1.0 / 13.0);
    series = multiply_add::<S>(series, square, 1.0 / 11.0);
    series = multiply_add::<S>(series, square, 1.0 / 9.0);
    series = multiply_add::<S>(series, square, 1.0 / 7.0);
    series = multiply_add::<S>(series, square, 1.0 / 5.0);
    series = multiply_add::<S>(series, square, 1.0 / 3.0);
    // 2 s = f − s f, so that the largest part is f itself, which is exact.
    let tail = multiply_add::<S>(2.0 * s * square, series, -s * f);
    let low = multiply_add::<S>(k, 1.908_214_929_270_587_7e-10, tail);
    multiply_add::<S>(k, 6.931_471_803_691_238e-1, f + low)
}

#[cfg(test)]
mod tests {
    use pulp::{Arch, WithSimd};

    use super::*;

    struct Both<'a>(&'a [f64]);

    impl WithSimd for Both<'_> {
        type Output = Vec<(f64, f64)>;

        fn with_simd<S: Simd>(self, _: S) -> Self::Output {
            self.0.iter().map(|&x| (exp::<S>(x), ln::<S>(x.abs()))).collect()
        }
    }

    #[test]
    fn both_agree_with_the_library_with_and_without_vector_instructions() {
        let mut arguments: Vec<f64> = (-70_800..70_900).map(|i| f64::from(i) * 0.01).collect();
        arguments.extend((-2000..2000).map(|i| 1.0 + f64::from(i) * 1e-7));
        arguments.extend((-300..300).map(|i| 10f64.powi(i)));
        arguments.extend([1e-300, -1e-17, 0.5, 2.0, std::f64::consts::SQRT_2, 1e15]);
        arguments.retain(|&x| x != 0.0);
        let vectors = Arch::new().dispatch(Both(&arguments));
        let scalars = Both(&arguments).with_simd(pulp::Scalar);
        for results in [vectors, scalars] {
            for (&x, (exponential, logarithm)) in arguments.iter().zip(results) {
                if (-708.0..709.0).contains(&x) {
                    let exact = x.exp();
                    assert!((exponential - exact).abs() <= 4e-16 * exact, "exp({x})");
                }
                let (x, exact) = (x.abs(), x.abs().ln());
                let scale = exact.abs().max((x - 1.0).abs().min(1e-3));
                assert!((logarithm - exact).abs() <= 4e-16 * scale, "ln({x}): {logarithm} {exact}");
            }
        }
        let ends = Both(&[-1e9, 1e9, f64::INFINITY, f64::NEG_INFINITY]).with_simd(pulp::Scalar);
        let ends: Vec<f64> = ends.iter().map(|pair| pair.0).collect();
        assert_eq!(ends, [0.0, f64::INFINITY, f64::INFINITY, 0.0]);
    }
}
