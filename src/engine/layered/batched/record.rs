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
    fn with_simd<S: Simd>(self, simd: S) {
        let BatchedLayer { layer, pass, .. } = self.layer;
        let tiling = layer.tiling;
        let basis = B::On::<S>::new(simd, &layer.neurons.membrane);
        let count = tiling.columns * pass.arrivals.width;
        let [first, second] = &mut pass.response_factors;
        for column in [&mut *first, &mut *second, &mut pass.inverse_slopes] {
            column.resize(count, 0.0);
        }
        let width = pass.arrivals.registers::<S>();
        let (first, second) = (registers_mut::<S>(first), registers_mut::<S>(second));
        let slopes = registers_mut::<S>(&mut pass.inverse_slopes);
        let times = registers::<S>(&pass.spike_times);
        let references = registers::<S>(&pass.arrivals.references);
        let never = basis.instant(F64s::splat(simd, f64::INFINITY));
        let is_synaptic = matches!(layer.delays, Delays::Synaptic(_));
        let mut weights = Vec::new();
        for column in 0..tiling.columns {
            let groups = &pass.arrivals.groups;
            scaled_weights(&layer, groups, column, basis.weight_scale(), &mut weights);
            let delay = match layer.delays {
                Delays::Dendritic(delays) => delays[column],
                _ => 0.0,
            };
            for (register, reference) in references.iter().enumerate().take(width) {
                let place = column * width + register;
                let spike = F64s::new(simd, times[place]) - F64s::splat(simd, delay);
                let elapsed = spike - F64s::new(simd, *reference);
                let at = basis.instant(elapsed);
                let mut sums = basis.rest();
                for (group, &weight) in weights.iter().enumerate() {
                    let mut arrival = pass.arrivals.instant(simd, group, register);
                    if is_synaptic {
                        let synapse = group * tiling.columns + column;
                        arrival = basis.later(arrival, pass.arrivals.shift(simd, synapse));
                    }
                    let is_causal = at.coordinate.above(arrival.coordinate);
                    let step = basis.step(arrival, never);
                    basis.add(&mut sums, &step, F64s::splat(simd, weight), is_causal);
                }
                let threshold = layer.neurons.thresholds[column];
                let SpikeState { response_factors, inverse_slope, .. } =
                    basis.recorded_spike(&sums, at, elapsed, threshold);
                first[place] = response_factors[0].value();
                second[place] = response_factors[1].value();
                slopes[place] = inverse_slope.value();
            }
        }
    }
}
