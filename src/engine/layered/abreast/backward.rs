//! The backward pass: from the derivatives of the loss by spikes to those by weights and arrivals.
//!
//! With `δ = s − s_i`, the time between an arrival and a spike in time constants, and `e^(−δ) = x_i/x`, the
//! derivatives of the spike time ([`crate::neuron::crossing_derivatives`]) are
//!
//! ```text
//! dT/dw_i = −δ e^(−δ)/(λ C V̇)        dT/dt_i = w_i (1 − δ) e^(−δ)/(C V̇)
//! ```
//!
//! for arrivals before the spike. Sums over samples are formed lane by lane, and over the lanes in the end.

use pulp::{Simd, WithSimd};

use super::super::{DelayGradient, SamplePass};
use super::few::MOST_FEW;
use super::{AbreastLayer, AbreastPass, AbreastScratch, PADDING};
use crate::simd::Element;
use crate::simd::{F64s, registers, registers_mut};

/// Most neurons whose sums are formed together.
const NEURONS: usize = 4;

/// Takes up the derivatives of the loss by the label neurons' times, sample after sample.
pub(in super::super) fn begin_backward(
    by_label_time: &[f64],
    labels: usize,
    samples: usize,
    scratch: &mut AbreastScratch,
) {
    let width = samples.next_multiple_of(PADDING);
    scratch.by_spike.clear();
    scratch.by_spike.resize(labels * width, 0.0);
    for (sample, by_time) in by_label_time.chunks_exact(labels).enumerate() {
        for (label, &by_time) in by_time.iter().enumerate() {
            scratch.by_spike[label * width + sample] = by_time;
        }
    }
}

/// Keeps the weights of every neuron and sample of which one derivative exceeds `guard` from learning.
#[inline(always)]
pub(super) fn guard_gradients<S: Simd, T: Element>(
    simd: S,
    layer: AbreastLayer<'_, T>,
    guard: f64,
    passes: &mut [SamplePass<T>],
    pass: &AbreastPass,
    scratch: &mut AbreastScratch,
) {
    let scale = layer.weight_scale();
    // No response is larger than this.
    let most = scale / std::f64::consts::E;
    let mut largest = F64s::splat(simd, 0.0);
    for &factor in registers::<S>(&scratch.factors) {
        let factor = F64s::new(simd, factor);
        largest = largest.max(factor.max(-factor));
    }
    if largest.largest() * most > guard {
        guard_each(layer, guard, most, passes, pass, scratch);
    }
}

#[cold]
#[inline(never)]
fn guard_each<T: Element>(
    layer: AbreastLayer<'_, T>,
    guard: f64,
    most: f64,
    passes: &mut [SamplePass<T>],
    pass: &AbreastPass,
    scratch: &mut AbreastScratch,
) {
    let scale = layer.weight_scale();
    scratch.weight_factors.extend_from_slice(&scratch.factors);
    for (place, factor) in scratch.weight_factors.iter_mut().enumerate() {
        if factor.abs() * most <= guard {
            continue;
        }
        let sample = place % pass.width;
        let (spike, decay) = (pass.spikes[place], pass.decays[place]);
        let times = pass.times[sample..].iter().step_by(pass.width);
        let powers = pass.powers[sample..].iter().step_by(pass.width);
        let exceeds = times.zip(powers).any(|(time, power)| {
            let elapsed = spike - time;
            elapsed > 0.0 && (*factor * scale * elapsed * power * decay).abs() > guard
        });
        if exceeds {
            *factor = 0.0;
            passes[sample].layers[layer.index].gradient.guarded += 1;
        }
    }
}

/// Adds the derivatives by weights, and writes those by arrivals unless the layer is the first.
pub(super) struct Backward<'a, T> {
    pub layer: AbreastLayer<'a, T>,
    pub pass: &'a AbreastPass,
    pub scratch: &'a mut AbreastScratch,
    pub gradient: &'a mut DelayGradient,
}

impl<T: Element> WithSimd for Backward<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let (rows, columns) = (self.layer.layer.tiling.rows, self.layer.layer.tiling.columns);
        if self.layer.layer.is_first && rows <= MOST_FEW {
            match rows {
                ..=4 => self.add_few::<S, 4>(simd),
                5 => self.add_few::<S, 5>(simd),
                6 => self.add_few::<S, 6>(simd),
                _ => self.add_few::<S, 8>(simd),
            }
            return;
        }
        self.scratch.by_input.clear();
        self.scratch.by_input.resize(rows * self.pass.width, 0.0);
        for first in (0..columns).step_by(NEURONS) {
            match columns - first {
                1 => self.add::<S, 1>(simd, first),
                2 => self.add::<S, 2>(simd, first),
                3 => self.add::<S, 3>(simd, first),
                _ => self.add::<S, 4>(simd, first),
            }
        }
    }
}

impl<T: Element> Backward<'_, T> {
    /// Adds the derivatives by the weights of at most `N` rows, neuron after neuron.
    #[inline(always)]
    fn add_few<S: Simd, const N: usize>(&mut self, simd: S) {
        let Backward { layer, pass, scratch, gradient } = self;
        let tiling = layer.layer.tiling;
        let width = pass.width / S::F64_LANES;
        let zero = F64s::splat(simd, 0.0);
        let scale = -layer.weight_scale();
        let times = registers::<S>(&pass.times);
        let powers = registers::<S>(&pass.powers);
        let spikes = registers::<S>(&pass.spikes).chunks_exact(width);
        let decays = registers::<S>(&pass.decays).chunks_exact(width);
        let factors = registers::<S>(scratch.weight_factors()).chunks_exact(width);
        for (column, ((spikes, decays), factors)) in spikes.zip(decays).zip(factors).enumerate() {
            let mut sums = [zero; N];
            for group in 0..width {
                let spike = F64s::new(simd, spikes[group]);
                let decay = F64s::new(simd, decays[group]);
                let factor = F64s::new(simd, factors[group]);
                for (row, sum) in sums.iter_mut().enumerate() {
                    if row < tiling.rows {
                        let index = row * width + group;
                        let elapsed = spike - F64s::new(simd, times[index]);
                        let left = F64s::new(simd, powers[index]) * decay;
                        let response = elapsed.above(zero).select(elapsed * left, zero);
                        *sum = factor.multiply_add(response, *sum);
                    }
                }
            }
            let place = tiling.column(column);
            for (row, sum) in sums.into_iter().enumerate().take(tiling.rows) {
                let sum = simd.reduce_sum_f64s(sum.value());
                gradient.weights[place.at(row)] += scale * sum;
            }
        }
    }

    /// Adds all derivatives of `N` neurons from `first` on.
    #[inline(always)]
    fn add<S: Simd, const N: usize>(&mut self, simd: S, first: usize) {
        let Backward { layer, pass, scratch, gradient } = self;
        let tiling = layer.layer.tiling;
        let width = pass.width / S::F64_LANES;
        let all = |value| F64s::splat(simd, value);
        let zero = all(0.0);
        let scale = -layer.weight_scale();
        let inverse_capacitance = layer.layer.neurons.membrane.inverse_capacitance;
        let times = registers::<S>(&pass.times).chunks_exact(width);
        let powers = registers::<S>(&pass.powers).chunks_exact(width);
        let AbreastScratch { factors, weight_factors, by_input, .. } = &mut **scratch;
        let weight_factors = if weight_factors.is_empty() { &*factors } else { weight_factors };
        let mut places = [tiling.column(first); N];
        for (neuron, place) in places.iter_mut().enumerate() {
            *place = tiling.column(first + neuron);
        }
        let neurons = first * width..(first + N) * width;
        let [spikes, decays, factors, weight_factors] =
            [&pass.spikes, &pass.decays, factors, weight_factors]
                .map(|column| &registers::<S>(column)[neurons.clone()]);
        let by_input = registers_mut::<S>(by_input).chunks_exact_mut(width);
        for (row, ((times, powers), by_input)) in times.zip(powers).zip(by_input).enumerate() {
            let mut weights = [zero; N];
            for (weight, place) in weights.iter_mut().zip(places) {
                *weight = all(layer.layer.weights[place.at(row)].to_f64() * inverse_capacitance);
            }
            let mut sums = [zero; N];
            for group in 0..width {
                let time = F64s::new(simd, times[group]);
                let power = F64s::new(simd, powers[group]);
                let mut by = F64s::new(simd, by_input[group]);
                for neuron in 0..N {
                    let place = neuron * width + group;
                    let elapsed = F64s::new(simd, spikes[place]) - time;
                    let is_causal = elapsed.above(zero);
                    let left = is_causal.select(power * F64s::new(simd, decays[place]), zero);
                    let response = elapsed * left;
                    let weight_factor = F64s::new(simd, weight_factors[place]);
                    sums[neuron] = weight_factor.multiply_add(response, sums[neuron]);
                    let factor = F64s::new(simd, factors[place]) * weights[neuron];
                    by = factor.multiply_add(left - response, by);
                }
                by_input[group] = by.value();
            }
            for (sum, place) in sums.into_iter().zip(places) {
                let sum = simd.reduce_sum_f64s(sum.value());
                gradient.weights[place.at(row)] += scale * sum;
            }
        }
    }
}

impl AbreastScratch {
    /// The derivatives that weights learn from.
    fn weight_factors(&self) -> &[f64] {
        if self.weight_factors.is_empty() { &self.factors } else { &self.weight_factors }
    }
}
