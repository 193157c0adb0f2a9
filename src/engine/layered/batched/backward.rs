//! The backward pass: from the derivatives of the loss by spikes to those by weights, delays and arrivals.
//!
//! The derivatives of a spike time ([`crate::neuron::crossing_derivatives`]) are the response to an arrival and
//! its slope, divided by the slope of the potential:
//!
//! ```text
//! dT/dw_i = −K(T − t_i)/(C V̇)        dT/dt_i = w_i K'(T − t_i)/(C V̇)
//! ```
//!
//! for arrivals before the spike. Sums over samples are formed lane by lane, and over the lanes in the end.

use std::marker::PhantomData;

use pulp::{Scalar, Simd, WithSimd};

use super::{BatchedLayer, Delays};
use crate::engine::layered::{GradientGuard, LayerGradients};
use crate::neuron::basis::{BasisOf, Instant, TimeBasis};
use crate::simd::{F64s, registers, registers_mut};

/// Room to work in; kept from batch to batch.
#[derive(Clone, Debug, Default)]
pub(super) struct Scratch {
    /// Per neuron and sample: the derivative of the loss by the potential at the spike, but for the sign.
    factors: Vec<f64>,
    /// The same where the gradient guard lets weights learn; empty if it lets all.
    guarded_factors: Vec<f64>,
    /// Per row and sample: derivatives by the arrivals.
    by_arrival: Vec<f64>,
}

/// See [`BatchedLayer::backward`].
pub(super) struct Backward<'a, B> {
    pub layer: BatchedLayer<'a>,
    pub guard: Option<GradientGuard>,
    pub by_time: &'a mut Vec<f64>,
    pub gradients: &'a mut LayerGradients,
    pub basis: PhantomData<B>,
}

impl<B: BasisOf> WithSimd for Backward<'_, B> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let BatchedLayer { layer, pass, scratch } = &mut self.layer;
        let tiling = layer.tiling;
        let width = pass.width();
        let scratch = &mut scratch.backward;
        let count = tiling.columns * width;
        let slopes = self.by_time[..count].iter().zip(&pass.inverse_slopes);
        scratch.factors.clear();
        scratch.factors.extend(slopes.clone().map(|(by_time, inverse)| by_time * inverse));
        scratch.guarded_factors.clear();
        if let Delays::Dendritic(_) = layer.delays {
            for (index, (by_time, inverse)) in slopes.enumerate() {
                // What does not spike, or only grazes its threshold, has no derivative.
                if *inverse > 0.0 {
                    self.gradients.delays[index / width] += by_time;
                }
            }
        }
        let is_axonal = matches!(layer.delays, Delays::Axonal(_));
        let is_synaptic = matches!(layer.delays, Delays::Synaptic(_));
        let by_arrival = !layer.is_first || is_axonal;
        scratch.by_arrival.clear();
        if by_arrival {
            scratch.by_arrival.resize(tiling.rows * width, 0.0);
        }
        if let Some(guard) = self.guard {
            self.guard(simd, guard);
        }
        match (is_synaptic, by_arrival) {
            (false, false) => self.add_all::<S, false>(simd),
            (false, true) => self.add_all::<S, true>(simd),
            (true, false) => self.add_each::<S, false>(simd),
            (true, true) => self.add_each::<S, true>(simd),
        }
        let Backward { layer, by_time, gradients, .. } = self;
        let by_arrival = &mut layer.scratch.backward.by_arrival;
        if is_axonal {
            for (sum, by) in gradients.delays.iter_mut().zip(by_arrival.chunks_exact(width)) {
                *sum += by.iter().sum::<f64>();
            }
        }
        std::mem::swap(by_time, by_arrival);
    }
}

impl<B: BasisOf> Backward<'_, B> {
    /// All neurons of a layer without synaptic delays, up to four at a time.
    #[inline(always)]
    fn add_all<S: Simd, const BY_ARRIVAL: bool>(&mut self, simd: S) {
        let columns = self.layer.layer.tiling.columns;
        let mut column = 0;
        while column < columns {
            column += match columns - column {
                1 => self.add_some::<S, 1, BY_ARRIVAL>(simd, column),
                2 => self.add_some::<S, 2, BY_ARRIVAL>(simd, column),
                3 => self.add_some::<S, 3, BY_ARRIVAL>(simd, column),
                _ => self.add_some::<S, 4, BY_ARRIVAL>(simd, column),
            };
        }
    }

    /// All neurons of a layer with synaptic delays.
    #[inline(always)]
    fn add_each<S: Simd, const BY_ARRIVAL: bool>(&mut self, simd: S) {
        for column in 0..self.layer.layer.tiling.columns {
            self.add::<S, 1, true, BY_ARRIVAL>(simd, column);
        }
    }

    #[inline(always)]
    fn add_some<S: Simd, const N: usize, const BY_ARRIVAL: bool>(
        &mut self,
        simd: S,
        first: usize,
    ) -> usize {
        self.add::<S, N, false, BY_ARRIVAL>(simd, first);
        N
    }

    /// Adds all derivatives of `N` neurons from `first` on.
    #[inline(always)]
    fn add<S: Simd, const N: usize, const IS_SYNAPTIC: bool, const BY_ARRIVAL: bool>(
        &mut self,
        simd: S,
        first: usize,
    ) {
        let Backward { layer: BatchedLayer { layer, pass, scratch }, gradients, .. } = self;
        let tiling = layer.tiling;
        let basis = B::On::<S>::new(simd, &layer.neurons.membrane);
        let width = pass.arrivals.registers::<S>();
        let zero = F64s::splat(simd, 0.0);
        let Scratch { factors, guarded_factors, by_arrival } = &mut scratch.backward;
        let weight_factors = if guarded_factors.is_empty() { &*factors } else { guarded_factors };
        let mut places = [tiling.column(first); N];
        for (neuron, place) in places.iter_mut().enumerate() {
            *place = tiling.column(first + neuron);
        }
        let neurons = first * width..(first + N) * width;
        let [first_factors, second_factors, factors, weight_factors] =
            [&pass.response_factors[0], &pass.response_factors[1], factors, weight_factors]
                .map(|column| &registers::<S>(column)[neurons.clone()]);
        let by_arrival = registers_mut::<S>(by_arrival);
        for (group, rows) in pass.arrivals.groups.iter().enumerate() {
            let row = rows.start;
            let (mut weights, mut shifts) = ([zero; N], [[zero; 2]; N]);
            for neuron in 0..N {
                let weight = layer.weights[places[neuron].at(row)];
                weights[neuron] = F64s::splat(simd, weight * basis.slope_scale());
                if IS_SYNAPTIC {
                    let synapse = row * tiling.columns + first + neuron;
                    shifts[neuron] = pass.arrivals.shift(simd, synapse);
                }
            }
            let (mut by_weights, mut by_delays) = ([zero; N], [zero; N]);
            for register in 0..width {
                let arrival = pass.arrivals.instant(simd, group, register);
                let mut by = zero;
                for neuron in 0..N {
                    let place = neuron * width + register;
                    let arrival =
                        if IS_SYNAPTIC { basis.later(arrival, shifts[neuron]) } else { arrival };
                    let response_factors = [
                        F64s::new(simd, first_factors[place]),
                        F64s::new(simd, second_factors[place]),
                    ];
                    let [response, slope] = basis.response(arrival, response_factors);
                    let weight_factor = F64s::new(simd, weight_factors[place]);
                    by_weights[neuron] = weight_factor.multiply_add(response, by_weights[neuron]);
                    if IS_SYNAPTIC || BY_ARRIVAL {
                        let by_slope = F64s::new(simd, factors[place]) * slope;
                        by_delays[neuron] = by_delays[neuron] + by_slope;
                        by = by_slope.multiply_add(weights[neuron], by);
                    }
                }
                if BY_ARRIVAL {
                    let sum = &mut by_arrival[row * width + register];
                    *sum = (F64s::new(simd, *sum) + by).value();
                }
            }
            let scale = -basis.response_scale();
            for neuron in 0..N {
                let gradient = scale * by_weights[neuron].sum();
                for row in rows.clone() {
                    gradients.weights[places[neuron].at(row)] += gradient;
                }
                if IS_SYNAPTIC {
                    let weight = layer.weights[places[neuron].at(row)];
                    let synapse = row * tiling.columns + first + neuron;
                    gradients.delays[synapse] +=
                        weight * basis.slope_scale() * by_delays[neuron].sum();
                }
            }
        }
    }

    /// Keeps the weights of every neuron and sample from learning of which one derivative is too large.
    #[inline(always)]
    fn guard<S: Simd>(&mut self, simd: S, guard: GradientGuard) {
        let scratch = &self.layer.scratch.backward;
        let mut largest = F64s::splat(simd, 0.0);
        for &factor in registers::<S>(&scratch.factors) {
            let factor = F64s::new(simd, factor);
            largest = largest.max(factor.max(-factor));
        }
        let most = self.layer.layer.neurons.membrane.largest_response;
        if !guard.surely_keeps(largest.largest(), most) {
            self.guard_each(guard, most);
        }
    }

    #[cold]
    #[inline(never)]
    fn guard_each(&mut self, guard: GradientGuard, most: f64) {
        let Backward { layer: BatchedLayer { layer, pass, scratch }, gradients, .. } = self;
        let basis = B::On::<Scalar>::new(Scalar, &layer.neurons.membrane);
        let (width, columns) = (pass.width(), layer.tiling.columns);
        let is_synaptic = matches!(layer.delays, Delays::Synaptic(_));
        let all = |value| F64s::splat(Scalar, value);
        let Scratch { factors, guarded_factors, .. } = &mut scratch.backward;
        guarded_factors.extend_from_slice(factors);
        for (place, factor) in guarded_factors.iter_mut().enumerate() {
            let (column, sample) = (place / width, place % width);
            if guard.surely_keeps(factor.abs(), most) {
                continue;
            }
            let response_factors =
                [all(pass.response_factors[0][place]), all(pass.response_factors[1][place])];
            let gradients_by_weight =
                pass.arrivals.groups.iter().enumerate().map(|(group, rows)| {
                    let [coordinate, power] = pass.arrivals.values(group, sample).map(all);
                    let mut arrival = Instant { coordinate, power };
                    if is_synaptic {
                        let synapse = rows.start * columns + column;
                        arrival = basis.later(arrival, pass.arrivals.shift(Scalar, synapse));
                    }
                    *factor
                        * basis.response_scale()
                        * basis.response(arrival, response_factors)[0].value()
                });
            if guard.discards(gradients_by_weight) {
                *factor = 0.0;
                gradients.guarded += 1;
            }
        }
    }
}
