//! Samples that ran elsewhere: on a chip, or in the model of one.
//!
//! Of such a sample only the recorded spike times are known, and learning takes them for what an ideal
//! network did: the causal set of a spike are the arrivals recorded before it, and the derivatives are those of
//! the ideal neuron with these arrivals. They take the recorded time everywhere but in one place, the slope of
//! the potential at the crossing, which must not be that of the ideal neuron at a time when it would not have
//! crossed ([`TimeBasis::recorded_spike`]):
//!
//! ```text
//! V̇ = V̇_ideal(T_ideal) e^(−λ_m (T − T_ideal))
//! ```
//!
//! with the crossing `T_ideal` that the causal set implies. For `τ_m = τ_s` this is, factor by factor,
//! the paper's rule with a recorded `T` and the Lambert function of the ideal model. A neuron that the
//! ideal model would have kept silent has no gradient.

use std::marker::PhantomData;

use pulp::{Simd, WithSimd};

use super::search::scaled_weights;
use super::{BatchedLayer, Delays};
use crate::neuron::basis::{BasisOf, SpikeState, TimeBasis};
use crate::simd::{F64s, registers, registers_mut};

/// From recorded spike times, which stand in the pass, to what the backward pass needs.
pub(super) struct Record<'a, B> {
    pub layer: BatchedLayer<'a>,
    pub basis: PhantomData<B>,
}

impl<B: BasisOf> WithSimd for Record<'_, B> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let BatchedLayer { layer, pass, .. } = &mut self.layer;
        let count = layer.tiling.columns * pass.arrivals.width;
        let [first, second] = &mut pass.response_factors;
        for column in [first, second, &mut pass.inverse_slopes] {
            column.resize(count, 0.0);
        }
        match layer.delays {
            Delays::Synaptic(_) => self.sum_all::<S, true>(simd),
            _ => self.sum_all::<S, false>(simd),
        }
    }
}

impl<B: BasisOf> Record<'_, B> {
    /// All neurons, up to four at a time: what follows from the arrivals alone is then computed once for them, and
    /// their sums, each of which waits for itself, are formed side by side.
    #[inline(always)]
    fn sum_all<S: Simd, const IS_SYNAPTIC: bool>(&mut self, simd: S) {
        let columns = self.layer.layer.tiling.columns;
        let mut column = 0;
        while column < columns {
            column += match columns - column {
                1 => self.sum::<S, 1, IS_SYNAPTIC>(simd, column),
                2 => self.sum::<S, 2, IS_SYNAPTIC>(simd, column),
                3 => self.sum::<S, 3, IS_SYNAPTIC>(simd, column),
                _ => self.sum::<S, 4, IS_SYNAPTIC>(simd, column),
            };
        }
    }

    /// Sums what `N` neurons from `column` on had received before their spikes, and writes what follows for
    /// these. Returns `N`.
    #[inline(always)]
    fn sum<S: Simd, const N: usize, const IS_SYNAPTIC: bool>(
        &mut self,
        simd: S,
        column: usize,
    ) -> usize {
        let BatchedLayer { layer, pass, .. } = &mut self.layer;
        let basis = B::On::<S>::new(simd, &layer.neurons.membrane);
        let (tiling, arrivals) = (layer.tiling, &pass.arrivals);
        let width = arrivals.registers::<S>();
        let mut weights = vec![[0.0; N]; arrivals.groups.len()];
        let (mut of_one, mut delays) = (Vec::new(), [0.0; N]);
        for neuron in 0..N {
            let column = column + neuron;
            scaled_weights(layer, &arrivals.groups, column, basis.weight_scale(), &mut of_one);
            for (weights, &weight) in weights.iter_mut().zip(&of_one) {
                weights[neuron] = weight;
            }
            if let Delays::Dendritic(of_neurons) = layer.delays {
                delays[neuron] = of_neurons[column];
            }
        }
        let [first, second] = &mut pass.response_factors;
        let (first, second) = (registers_mut::<S>(first), registers_mut::<S>(second));
        let slopes = registers_mut::<S>(&mut pass.inverse_slopes);
        let times = registers::<S>(&pass.spike_times);
        let references = registers::<S>(&arrivals.references);
        let never = basis.instant(F64s::splat(simd, f64::INFINITY));
        for (register, reference) in references.iter().enumerate().take(width) {
            let (mut sums, mut spikes) = ([basis.rest(); N], [never; N]);
            let mut elapsed = [F64s::splat(simd, 0.0); N];
            for neuron in 0..N {
                let spike = F64s::new(simd, times[(column + neuron) * width + register]);
                let spike = spike - F64s::splat(simd, delays[neuron]);
                elapsed[neuron] = spike - F64s::new(simd, *reference);
                spikes[neuron] = basis.instant(elapsed[neuron]);
            }
            for (group, weights) in weights.iter().enumerate() {
                let arrival = arrivals.instant(simd, group, register);
                for neuron in 0..N {
                    let mut arrival = arrival;
                    if IS_SYNAPTIC {
                        let synapse = group * tiling.columns + column + neuron;
                        arrival = basis.later(arrival, arrivals.shift(simd, synapse));
                    }
                    let is_causal = spikes[neuron].coordinate.above(arrival.coordinate);
                    let step = basis.step(arrival, never);
                    let weight = F64s::splat(simd, weights[neuron]);
                    basis.add(&mut sums[neuron], &step, weight, is_causal);
                }
            }
            for neuron in 0..N {
                let place = (column + neuron) * width + register;
                let threshold = layer.neurons.thresholds[column + neuron];
                let SpikeState { response_factors, inverse_slope, .. } =
                    basis.recorded_spike(&sums[neuron], spikes[neuron], elapsed[neuron], threshold);
                first[place] = response_factors[0].value();
                second[place] = response_factors[1].value();
                slopes[place] = inverse_slope.value();
            }
        }
        N
    }
}
