//! Standard normal numbers, many at a time.
//!
//! Drawn one by one, they cost as much as all else of a neuron's sample. With the polar angle
//! `2πu` and the radius `√(−2 ln v)` of a point in the plane, for `u` and `v` uniform between 0 and 1,
//! both of its coordinates are normal (Box and Muller 1958): no branches, so a register of points is as
//! fast as one.
//!
//! 64 random bits give a point: 32 for the radius, which is therefore at most 6.8, one to reflect it in an
//! axis, one in the diagonal, and 30 for its place on the quarter of the circle that is left.

use pulp::{Arch, Simd, WithSimd, bytemuck};
use rand::Rng;

use crate::simd::{F64s, registers, registers_mut};

/// Points that are drawn at once: as many as fit into the widest register there is.
const POINTS: usize = 8;

const TWO_TO_52: f64 = 4_503_599_627_370_496.0;
const TWO_TO_MINUS_32: f64 = 1.0 / 4_294_967_296.0;
const RIGHT_ANGLE_BY_TWO_TO_30: f64 = std::f64::consts::FRAC_PI_2 / 1_073_741_824.0;

/// `cos x` in powers of `x²`; up to an eighth of a turn the next term is below 2e-15.
const COSINE: [f64; 8] = [
    1.0,
    -1.0 / 2.0,
    1.0 / 24.0,
    -1.0 / 720.0,
    1.0 / 40_320.0,
    -1.0 / 3_628_800.0,
    1.0 / 479_001_600.0,
    -1.0 / 87_178_291_200.0,
];

/// `sin x / x` in powers of `x²`; the next term is below 3e-14.
const SINE: [f64; 7] = [
    1.0,
    -1.0 / 6.0,
    1.0 / 120.0,
    -1.0 / 5_040.0,
    1.0 / 362_880.0,
    -1.0 / 39_916_800.0,
    1.0 / 6_227_020_800.0,
];

/// Draws standard normal numbers, and keeps the room for them.
#[derive(Clone, Debug)]
pub(super) struct NormalNumbers {
    arch: Arch,
    bits: Vec<u64>,
    numbers: Vec<f64>,
}

impl Default for NormalNumbers {
    fn default() -> Self {
        NormalNumbers { arch: Arch::new(), bits: Vec::new(), numbers: Vec::new() }
    }
}

impl NormalNumbers {
    /// So many numbers. Each depends only on its index in the sequence, not on how many are drawn.
    pub fn draw(&mut self, random: &mut impl Rng, count: usize) -> &[f64] {
        let blocks = count.div_ceil(2 * POINTS);
        self.bits.resize(blocks * POINTS, 0);
        self.numbers.resize(blocks * 2 * POINTS, 0.0);
        random.fill_bytes(bytemuck::cast_slice_mut(&mut self.bits));
        self.arch.dispatch(BoxMuller { bits: &self.bits, numbers: &mut self.numbers });
        &self.numbers[..count]
    }
}

struct BoxMuller<'a> {
    bits: &'a [u64],
    numbers: &'a mut [f64],
}

impl WithSimd for BoxMuller<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let all = |value| F64s::<S>::splat(simd, value);
        let (bits, _) = self.bits.as_chunks::<POINTS>();
        let (numbers, _) = self.numbers.as_chunks_mut::<{ 2 * POINTS }>();
        for (bits, numbers) in bits.iter().zip(numbers) {
            let points = Points::new(bits);
            let (first, second) = numbers.split_at_mut(POINTS);
            let [first, second] = [first, second].map(|half| registers_mut::<S>(half));
            let columns = [&points.uniform, &points.angle, &points.reflection, &points.is_swapped];
            let [uniform, angle, reflection, is_swapped] =
                columns.map(|column| registers::<S>(column));
            for index in 0..POINTS / S::F64_LANES {
                let load = |column: &[S::f64s]| F64s::new(simd, column[index]);
                let radius = (all(-2.0) * load(uniform).ln()).sqrt();
                let angle = load(angle);
                let square = angle * angle;
                let across = radius * load(reflection) * square.polynomial(&COSINE);
                let along = radius * angle * square.polynomial(&SINE);
                let is_swapped = load(is_swapped).above(all(0.0));
                first[index] = is_swapped.select(along, across).value();
                second[index] = is_swapped.select(across, along).value();
            }
        }
    }
}

/// What random bits say of some points.
struct Points {
    /// Between 0 and 1, both excluded.
    uniform: [f64; POINTS],
    /// Between −π/4 and π/4.
    angle: [f64; POINTS],
    /// One or minus one.
    reflection: [f64; POINTS],
    /// Two or zero.
    is_swapped: [f64; POINTS],
}

impl Points {
    #[inline(always)]
    fn new(bits: &[u64; POINTS]) -> Self {
        let mut points = Points {
            uniform: [0.0; POINTS],
            angle: [0.0; POINTS],
            reflection: [0.0; POINTS],
            is_swapped: [0.0; POINTS],
        };
        for (index, &bits) in bits.iter().enumerate() {
            // The same on machines that store the last byte first.
            let bits = bits.to_le();
            points.uniform[index] = (integer(bits >> 32) + 0.5) * TWO_TO_MINUS_32;
            let centred = integer(bits & 0x3fff_ffff) - (536_870_912.0 - 0.5);
            points.angle[index] = centred * RIGHT_ANGLE_BY_TWO_TO_30;
            points.reflection[index] = f64::from_bits(1.0_f64.to_bits() | (bits >> 31 & 1) << 63);
            points.is_swapped[index] = f64::from_bits((bits >> 30 & 1) << 62);
        }
        points
    }
}

/// An integer below 2^52. Not every machine can convert more than one at a time; this is an addition.
#[inline(always)]
fn integer(bits: u64) -> f64 {
    f64::from_bits(TWO_TO_52.to_bits() | bits) - TWO_TO_52
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random;

    fn scalar() -> NormalNumbers {
        NormalNumbers { arch: Arch::Scalar, ..NormalNumbers::default() }
    }

    #[test]
    fn they_are_those_of_the_formula() {
        let stream = || random::stream(1, "normal test", 0);
        let mut bits = [0; 4000];
        stream().fill_bytes(bytemuck::cast_slice_mut(&mut bits));
        let (mut normal, mut scalar) = (NormalNumbers::default(), scalar());
        let numbers = normal.draw(&mut stream(), 8000);
        let blocks =
            numbers.chunks(2 * POINTS).zip(scalar.draw(&mut stream(), 8000).chunks(2 * POINTS));
        for ((found, plain), bits) in blocks.zip(bits.chunks(POINTS)) {
            for (index, bits) in bits.iter().copied().map(u64::to_le).enumerate() {
                let uniform = ((bits >> 32) as f64 + 0.5) / 2.0_f64.powi(32);
                let quarter = ((bits % (1 << 30)) as f64 + 0.5) / 2.0_f64.powi(30);
                let (sine, cosine) = (std::f64::consts::FRAC_PI_2 * (quarter - 0.5)).sin_cos();
                let cosine = if bits >> 31 & 1 == 1 { -cosine } else { cosine };
                let mut point = [cosine, sine];
                if bits >> 30 & 1 == 1 {
                    point.swap(0, 1);
                }
                for (half, direction) in point.iter().enumerate() {
                    let expected = (-2.0 * uniform.ln()).sqrt() * direction;
                    for found in [found[half * POINTS + index], plain[half * POINTS + index]] {
                        // The last terms of the series, times the largest radius.
                        assert!((found - expected).abs() < 1e-13, "{found} {expected}");
                    }
                }
            }
        }
    }

    #[test]
    fn they_do_not_depend_on_how_many_are_drawn() {
        let draw = |count| {
            let mut random = random::stream(1, "normal test", 1);
            NormalNumbers::default().draw(&mut random, count).to_vec()
        };
        let many = draw(1000);
        for count in [0, 1, 8, 9, 16, 17, 120] {
            assert_eq!(draw(count), many[..count]);
        }
    }

    #[test]
    fn they_have_the_moments_and_tails_of_a_normal_distribution() {
        const COUNT: usize = 1 << 20;
        let mut random = random::stream(1, "normal test", 2);
        let mut normal = NormalNumbers::default();
        let numbers = normal.draw(&mut random, COUNT);
        let mean = |power: i32| {
            numbers.iter().map(|number| number.powi(power)).sum::<f64>() / COUNT as f64
        };
        // Five standard errors: √((E x^2p − (E x^p)²)/n).
        for (power, expected, variance) in
            [(1, 0.0, 1.0), (2, 1.0, 2.0), (3, 0.0, 15.0), (4, 3.0, 96.0), (6, 15.0, 10_170.0)]
        {
            let error = 5.0 * (variance / COUNT as f64).sqrt();
            assert!((mean(power) - expected).abs() < error, "{power} {}", mean(power));
        }
        for (limit, probability) in [
            (0.5, 0.308_537_5),
            (1.0, 0.158_655_3),
            (2.0, 0.022_750_1),
            (3.0, 0.001_349_9),
            (4.0, 3.167e-5),
        ] {
            for sign in [1.0, -1.0] {
                let beyond = numbers.iter().filter(|&&number| sign * number > limit).count();
                let expected = probability * COUNT as f64;
                let error = 5.0 * expected.sqrt();
                assert!((beyond as f64 - expected).abs() < error, "{limit} {beyond} {expected}");
            }
        }
        // Neither neighbours nor the two coordinates of a point go together.
        for distance in [1, POINTS] {
            let pairs = numbers.iter().zip(&numbers[distance..]);
            let product = pairs.clone().map(|(a, b)| a * b).sum::<f64>() / COUNT as f64;
            let squares = pairs.map(|(a, b)| (a * a - 1.0) * (b * b - 1.0)).sum::<f64>();
            let error = 5.0 / (COUNT as f64).sqrt();
            assert!(product.abs() < error, "{distance} {product}");
            assert!((squares / COUNT as f64).abs() < 2.0 * error, "{distance} {squares}");
        }
    }
}
