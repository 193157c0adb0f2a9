//! Double-double arithmetic: an unevaluated sum of two doubles, some 106 significant bits.
//!
//! Only what the slow twin of the neuron needs. Additions are Knuth's, products use the fused
//! multiply-add, so every rounding error of a single operation is captured exactly in `lo`.

use std::cmp::Ordering;
use std::ops::{Add, AddAssign, Div, Mul, Neg, Sub};

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DoubleDouble {
    pub hi: f64,
    pub lo: f64,
}

const LN_2: DoubleDouble = DoubleDouble { hi: std::f64::consts::LN_2, lo: 2.3190468138462996e-17 };

/// 1/n! for n = 2..=11.
const INVERSE_FACTORIALS: [(f64, f64); 10] = [
    (0.5, 0.0),
    (0.16666666666666666, 9.25185853854297e-18),
    (0.041666666666666664, 2.3129646346357427e-18),
    (0.008333333333333333, 1.1564823173178714e-19),
    (0.001388888888888889, -5.300543954373577e-20),
    (0.0001984126984126984, 1.7209558293420705e-22),
    (2.48015873015873e-05, 2.1511947866775882e-23),
    (2.7557319223985893e-06, -1.858393274046472e-22),
    (2.755731922398589e-07, 2.3767714622250297e-23),
    (2.505210838544172e-08, -1.448814070935912e-24),
];

/// Exact sum of two doubles.
fn two_sum(a: f64, b: f64) -> DoubleDouble {
    let hi = a + b;
    let b_part = hi - a;
    DoubleDouble { hi, lo: (a - (hi - b_part)) + (b - b_part) }
}

/// Exact sum of two doubles with |a| >= |b|.
fn quick_two_sum(a: f64, b: f64) -> DoubleDouble {
    let hi = a + b;
    DoubleDouble { hi, lo: b - (hi - a) }
}

/// Exact product of two doubles.
fn two_product(a: f64, b: f64) -> DoubleDouble {
    let hi = a * b;
    DoubleDouble { hi, lo: a.mul_add(b, -hi) }
}

impl DoubleDouble {
    pub const ZERO: Self = Self { hi: 0.0, lo: 0.0 };
    pub const ONE: Self = Self { hi: 1.0, lo: 0.0 };

    pub fn to_f64(self) -> f64 {
        self.hi + self.lo
    }

    pub fn abs(self) -> Self {
        if self.is_negative() { -self } else { self }
    }

    pub fn is_positive(self) -> bool {
        self.hi > 0.0
    }

    pub fn is_negative(self) -> bool {
        self.hi < 0.0
    }

    pub fn is_zero(self) -> bool {
        self.hi == 0.0
    }

    /// Multiplication by a power of two, which is exact.
    fn scaled(self, power_of_two: f64) -> Self {
        Self { hi: self.hi * power_of_two, lo: self.lo * power_of_two }
    }

    pub fn min(self, other: Self) -> Self {
        if other < self { other } else { self }
    }

    pub fn half(self) -> Self {
        self.scaled(0.5)
    }

    /// e^x - 1 for |x| < 0.4, without cancellation: Taylor at x/512, then nine times
    /// e^2y - 1 = (e^y - 1)(e^y - 1 + 2).
    fn small_exp_m1(self) -> Self {
        let y = self.scaled(1.0 / 512.0);
        let mut sum = DoubleDouble::ZERO;
        for (hi, lo) in INVERSE_FACTORIALS.into_iter().rev() {
            sum = (sum + DoubleDouble { hi, lo }) * y;
        }
        let mut result = (sum + DoubleDouble::ONE) * y;
        for _ in 0..9 {
            result = result * (result + 2.0);
        }
        result
    }

    /// e^x; 0 below -690, where the low word would underflow.
    pub fn exp(self) -> Self {
        if self.hi < -690.0 {
            return DoubleDouble::ZERO;
        }
        let powers = (self.hi / LN_2.hi).round();
        let rest = self - LN_2 * powers;
        (rest.small_exp_m1() + 1.0).scaled(2.0f64.powi(powers as i32))
    }

    /// e^x - 1.
    pub fn exp_m1(self) -> Self {
        if self.hi.abs() < 0.35 { self.small_exp_m1() } else { self.exp() - 1.0 }
    }
}

impl From<f64> for DoubleDouble {
    fn from(value: f64) -> Self {
        Self { hi: value, lo: 0.0 }
    }
}

impl Neg for DoubleDouble {
    type Output = Self;
    fn neg(self) -> Self {
        Self { hi: -self.hi, lo: -self.lo }
    }
}

impl Add for DoubleDouble {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        let high = two_sum(self.hi, other.hi);
        let low = two_sum(self.lo, other.lo);
        let sum = quick_two_sum(high.hi, high.lo + low.hi);
        quick_two_sum(sum.hi, sum.lo + low.lo)
    }
}

impl Sub for DoubleDouble {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        self + -other
    }
}

impl Mul for DoubleDouble {
    type Output = Self;
    fn mul(self, other: Self) -> Self {
        let product = two_product(self.hi, other.hi);
        let cross = self.hi * other.lo + self.lo * other.hi;
        quick_two_sum(product.hi, product.lo + cross)
    }
}

impl Div for DoubleDouble {
    type Output = Self;
    fn div(self, other: Self) -> Self {
        let first = self.hi / other.hi;
        let rest = self - other * first;
        let second = rest.hi / other.hi;
        let rest = rest - other * second;
        quick_two_sum(first, second) + rest.hi / other.hi
    }
}

macro_rules! with_plain_double {
    ($($operation:ident $function:ident),*) => {$(
        impl $operation<f64> for DoubleDouble {
            type Output = Self;
            fn $function(self, other: f64) -> Self {
                self.$function(DoubleDouble::from(other))
            }
        }
    )*};
}
with_plain_double!(Add add, Sub sub, Mul mul, Div div);

impl AddAssign for DoubleDouble {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl PartialOrd for DoubleDouble {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        match self.hi.partial_cmp(&other.hi) {
            Some(Ordering::Equal) => self.lo.partial_cmp(&other.lo),
            ordering => ordering,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 3.14159… to 106 bits; like all expected values below from mpmath at 400 bits.
    const PI: DoubleDouble = DoubleDouble { hi: std::f64::consts::PI, lo: 1.2246467991473532e-16 };

    fn assert_close(actual: DoubleDouble, hi: f64, lo: f64, tolerance: f64) {
        let error = ((actual - DoubleDouble { hi, lo }).to_f64() / hi).abs();
        assert!(error < tolerance, "{actual:?} is off {hi:e} + {lo:e} by {error:e}");
    }

    #[test]
    fn basic_operations() {
        let number = |value: f64| DoubleDouble::from(value);
        let e = number(1.0).exp();
        assert_close(number(1.0) / number(3.0), 0.3333333333333333, 1.850371707708594e-17, 1e-31);
        assert_close(PI * e, 8.539734222673568, -6.773815290502424e-16, 1e-30);
        assert_close(PI / e, 1.1557273497909217, -1.3998972600526045e-17, 1e-30);
        assert_close(
            PI - number(22.0) / number(7.0),
            -0.0012644892673496187,
            4.2766038657788487e-20,
            1e-28,
        );
        assert_eq!((number(1e17) + 1.0 - 1e17).to_f64(), 1.0);
    }

    #[test]
    fn exponentials() {
        for (x, hi, lo) in [
            (1.0, std::f64::consts::E, 1.4456468917292502e-16),
            (-0.1, 0.9048374180359595, 5.055984668733208e-17),
            (-37.25, 6.64554417291507e-17, -5.891784267265031e-34),
            (3.7, 40.4473043600674, -1.2179541332469429e-15),
            (1e-9, 1.000000001, -8.224037093664211e-17),
            (-300.0, 5.148200222412013e-131, 2.962376373372979e-147),
        ] {
            assert_close(DoubleDouble::from(x).exp(), hi, lo, 2e-30);
        }
        assert_close(PI.exp(), 23.14069263277927, -1.3488747091995788e-15, 1e-30);
        for (x, hi, lo) in [
            (1e-9, 1.0000000005000001e-09, -7.443897403844588e-26),
            (-0.3, -0.2591817793182821, -1.805530505953e-18),
            (2.0f64.powi(-30), 9.313225750491594e-10, 1.3463226118906587e-28),
        ] {
            assert_close(DoubleDouble::from(x).exp_m1(), hi, lo, 1e-30);
        }
        assert_close(
            (-PI / 1000.0).exp_m1(),
            -0.003136663015045865,
            -1.1275646664710688e-19,
            1e-30,
        );
    }
}
