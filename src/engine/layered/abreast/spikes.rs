//! When neurons spike, from the sums of their arrivals.
//!
//! `h(s) = P s + R − e^s` has its zero at `s = s* − u`, where `s* = 1 − R/P` is when the potential peaks and
//!
//! ```text
//! (1 − u) e^u = y        y = ϑ/V_peak = e^(s*)/P
//! ```
//!
//! As a function of `p = √(2 (1 − y))`, `e^(−u)` is analytic on the whole interval from 0 (grazing) to `√2`
//! (at once), as `u/p` is ([`super::super::crossing`]), and a polynomial of degree 20 gives it to rounding.
//! With it all else follows: `q = 1 − u = y e^(−u)`, and from `P s + R = x` at the crossing
//!
//! ```text
//! 1/x = 1/(q P)        V̇ = λ ϑ (P/x − 1) = λ ϑ u/q
//! ```

use pulp::{Simd, WithSimd};

use super::{AbreastPass, NEVER};
use crate::simd::{F64s, registers, registers_mut};

/// `e^(−u)` in powers of `√2 p − 1`: an expansion in Chebyshev polynomials, the next term of which is
/// 6e-17.
const DECAY: [f64; 21] = [
    0.559_824_801_298_697_3,
    -0.270_114_502_227_696_84,
    0.107_600_343_367_557_1,
    -0.040_111_865_963_630_47,
    0.014_476_816_359_881_075,
    -0.005_127_704_585_984_587,
    0.001_794_421_592_299_712_6,
    -0.000_622_726_084_654_343_1,
    0.000_214_796_879_890_706_42,
    -7.374_902_862_355_775e-5,
    2.523_051_754_640_758e-5,
    -8.608_789_681_183_442e-6,
    2.930_115_574_823_114e-6,
    -9.915_607_127_089_97e-7,
    3.359_149_225_454_385e-7,
    -1.185_785_922_540_736_6e-7,
    4.039_851_792_767_805e-8,
    -9.820_630_169_042_058e-9,
    3.178_428_863_338_111_4e-9,
    -2.774_072_423_315_551e-9,
    9.624_046_670_266_364e-10,
];

/// Computes all spikes of a layer from what the sweeps left: `P` in the place of the spikes, `R` in that of
/// the decays, and in that of the inverse slopes one if the neuron certainly crosses, zero if only perhaps.
/// A neuron that does not cross has a `P` of zero.
pub(super) struct Solve<'a> {
    /// `λ`, per time unit.
    pub rate: f64,
    /// Per neuron.
    pub thresholds: &'a [f64],
    pub pass: &'a mut AbreastPass,
}

impl WithSimd for Solve<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Solve { rate, thresholds, pass } = self;
        let width = pass.width / S::F64_LANES;
        let firsts = registers_mut::<S>(&mut pass.spikes).chunks_exact_mut(width);
        let seconds = registers_mut::<S>(&mut pass.decays).chunks_exact_mut(width);
        let certain = registers_mut::<S>(&mut pass.inverse_slopes).chunks_exact_mut(width);
        let times = registers_mut::<S>(&mut pass.spike_times).chunks_exact_mut(width);
        let references = &registers::<S>(&pass.references)[..width];
        let all = |value| F64s::splat(simd, value);
        let (zero, one, two, half) = (all(0.0), all(1.0), all(2.0), all(0.5));
        let (root_two, time_constant) = (all(std::f64::consts::SQRT_2), all(1.0 / rate));
        let (infinity, never) = (all(f64::INFINITY), all(NEVER));
        let neurons = firsts.zip(seconds).zip(certain).zip(times).zip(thresholds);
        for ((((firsts, seconds), certain), times), &threshold) in neurons {
            let slope_scale = all(1.0 / (rate * threshold));
            // In two loops: all operations of one register wait for one another, and the fewer there are
            // until the next register's, the more of them the machine has in view.
            for group in 0..width {
                let first = F64s::new(simd, firsts[group]);
                let second = F64s::new(simd, seconds[group]);
                let inverse = one / first;
                let peak = one - second * inverse;
                let ratio = peak.exp() * inverse;
                let is_certain = F64s::new(simd, certain[group]).above(half);
                let crosses = first.above(zero).and(is_certain.or(one.above(ratio)));
                // Two marks a neuron that does not cross.
                let ratio = crosses.select(one.above(ratio).select(ratio, one), two);
                firsts[group] = peak.value();
                seconds[group] = inverse.value();
                times[group] = ratio.value();
            }
            for group in 0..width {
                let peak = F64s::new(simd, firsts[group]);
                let inverse = F64s::new(simd, seconds[group]);
                let ratio = F64s::new(simd, times[group]);
                let crosses = two.above(ratio);
                let p = (two * (one - ratio)).max(zero).sqrt();
                let decay = p.multiply_add(root_two, -one).polynomial(&DECAY);
                let rest = ratio * decay;
                let ahead = (one - rest).max(zero);
                let both = one / (rest * ahead);
                let spike = peak - ahead;
                let slopes = crosses.and(ahead.above(zero));
                let reference = F64s::new(simd, references[group]);
                let time = spike.multiply_add(time_constant, reference);
                firsts[group] = crosses.select(spike, -never).value();
                // Grazing, `q` is one.
                let power = slopes.select(inverse * ahead * both, inverse);
                seconds[group] = crosses.select(power, zero).value();
                certain[group] = slopes.select(rest * rest * both * slope_scale, zero).value();
                times[group] = crosses.select(time, infinity).value();
            }
        }
    }
}
