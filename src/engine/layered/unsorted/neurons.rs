//! What neurons did, and how the loss depends on them.

use pulp::Simd;

use super::super::crossing::Peak;
use crate::simd::grow;
use crate::simd::{F64s, Mask, registers, registers_mut};

/// The neurons of a layer in one sample, filled up to whole registers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Neurons<'a> {
    /// `λ`, per time unit.
    pub rate: f64,
    /// `λ C ϑ`
    pub thresholds: &'a [f64],
    /// When each spiked, in time units; infinite if it did not.
    pub times: &'a [f64],
    /// Derivatives of the loss by these times.
    pub by_time: &'a [f64],
}

/// What follows for each of them, padding included. The columns may be longer.
#[derive(Clone, Debug, Default)]
pub(super) struct Coefficients {
    /// `P`
    pub currents: Vec<f64>,
    /// `R`
    pub potentials: Vec<f64>,
    /// `s_T`; zero for neurons that take no part.
    pub offsets: Vec<f64>,
    /// `dL/dt_i = w_i (x_i − δ_i x_i)` by this.
    pub factors: Vec<f64>,
    /// `dL/dw_i = δ_i x_i` by this.
    pub weight_factors: Vec<f64>,
    /// `ϑ/V_peak`
    ratios: Vec<f64>,
}

impl Coefficients {
    /// Makes room for so many.
    pub fn grow(&mut self, neurons: usize) {
        let Coefficients { currents, potentials, offsets, factors, weight_factors, ratios } = self;
        for column in [currents, potentials, offsets, factors, weight_factors, ratios] {
            grow(column, neurons);
        }
    }
}

impl Neurons<'_> {
    /// Registers of them.
    #[inline(always)]
    pub fn registers<S: Simd>(&self) -> usize {
        self.times.len() / S::F64_LANES
    }

    /// Which of a register of them spiked, and have the loss depend on it.
    #[inline(always)]
    pub fn take_part<S: Simd>(&self, simd: S, register: usize) -> Mask<S> {
        let time = F64s::new(simd, registers::<S>(self.times)[register]);
        let by_time = F64s::new(simd, registers::<S>(self.by_time)[register]);
        let spiked = F64s::splat(simd, f64::INFINITY).above(time);
        let magnitude = by_time.max_of_numbers(-by_time);
        spiked.and(magnitude.above(F64s::splat(simd, 0.0)))
    }

    /// From the sums `P` and `R` to all other coefficients; zero for neurons that the ideal model keeps
    /// silent, and for those that take no part. In two loops: all operations of one register wait for one
    /// another, and the fewer there are until the next register's, the more of them the machine has in view.
    #[inline(always)]
    pub fn solve<S: Simd>(&self, simd: S, reference: f64, coefficients: &mut Coefficients) {
        let all = |value| F64s::splat(simd, value);
        let (zero, one) = (all(0.0), all(1.0));
        let count = self.registers::<S>();
        let Coefficients { currents, potentials, offsets, factors, weight_factors, ratios } =
            coefficients;
        let [times, by_time, thresholds, currents, potentials] =
            [self.times, self.by_time, self.thresholds, currents, potentials]
                .map(|column| &registers::<S>(column)[..count]);
        let [offsets, factors, weight_factors, ratios] = [offsets, factors, weight_factors, ratios]
            .map(|column| &mut registers_mut::<S>(column)[..count]);
        for index in 0..count {
            let current = F64s::new(simd, currents[index]);
            let potential = F64s::new(simd, potentials[index]);
            let threshold = F64s::new(simd, thresholds[index]);
            let peak = Peak::new(simd, one, current, potential, threshold);
            ratios[index] = peak.ratio.value();
        }
        let (rate, reference, inverse_rate) =
            (all(self.rate), all(reference), all(1.0 / self.rate));
        for index in 0..count {
            let current = F64s::new(simd, currents[index]);
            let ratio = F64s::new(simd, ratios[index]);
            let takes_part = self.take_part(simd, index);
            let crosses = current.above(zero).and(one.above(ratio)).and(takes_part);
            let divisor = Peak::lead(simd, ratio) * current;
            let factor = F64s::new(simd, by_time[index]) / divisor;
            // Of a causal set that is long over when the layer's last input comes, nothing may be left.
            let is_finite = all(f64::INFINITY).above(factor.max_of_numbers(-factor));
            let factor = crosses.and(is_finite).select(factor, zero);
            let since = F64s::new(simd, times[index]) - reference;
            offsets[index] = takes_part.select(rate * since, zero).value();
            factors[index] = factor.value();
            weight_factors[index] = (-(factor * inverse_rate)).value();
        }
    }
}
