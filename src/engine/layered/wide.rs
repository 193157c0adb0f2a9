//! A register holds neurons of one sample: layers that keep a vector unit busy by themselves, in double or
//! single precision.
//!
//! A sample goes through layer after layer. The inputs of a layer are sorted once; a [`sweep`] over them
//! keeps two running sums for each neuron, its synaptic current and its potential, both carried to one
//! reference time ([`inputs`]), and notices when a neuron crosses its threshold; the crossing times come from
//! closed forms for many neurons at once ([`crossings`]). The [`backward`] pass walks the layers in the
//! opposite direction over the same sums: each sample leaves two numbers per neuron and input, of which weight
//! gradients are made, tile by tile, over all samples ([`WeightGradients`]).
//!
//! The model of a chip uses it for layers whose neurons have the same time constants ([`homogeneous`]).

mod backward;
mod crossings;
mod homogeneous;
mod inputs;
mod sweep;

use pulp::{Simd, WithSimd};

use self::backward::{LayerGradient, TimeGradient};
use self::crossings::{Crossings, LayerSpikes};
pub use self::homogeneous::{HomogeneousLayer, HomogeneousWorkspace};
use self::inputs::{Inputs, Steps};
use self::sweep::SweptLayer;
use super::tiles::Tile;
use super::{Arrival, Batch, Delays, GradientGuard, Layer, LayerGradients, LayeredEngine};
use crate::simd::Element;

/// What one sample did in one layer, forward and backward.
#[derive(Clone, Debug, Default)]
pub(super) struct LayerPass<T> {
    /// The spikes that drove the layer.
    pub inputs: Inputs<T>,
    /// Its own spikes.
    pub spikes: LayerSpikes,
    /// How the loss depends on its inputs.
    gradient: LayerGradient<T>,
}

/// What a thread works with.
#[derive(Clone, Debug, Default)]
pub(super) struct Scratch<T> {
    steps: Steps<T>,
    crossings: Crossings<T>,
    times: TimeGradient<T>,
    /// Derivatives by the spike times of the layer that is being looked at.
    pub(super) by_time: Vec<f64>,
}

/// Runs one sample.
#[inline(always)]
pub(super) fn forward<S: Simd, T: Element>(
    simd: S,
    engine: &LayeredEngine<T>,
    bias: &[Vec<Arrival>],
    pass: &mut [LayerPass<T>],
    scratch: &mut Scratch<T>,
) {
    for (index, layer) in engine.layers.iter().enumerate() {
        let (before, rest) = pass.split_at_mut(index);
        let LayerPass { inputs, spikes, .. } = &mut rest[0];
        let previous = before.last().map(|previous| {
            let neurons = engine.layers[index - 1].tiling.columns;
            &previous.spikes.times[..neurons]
        });
        let delays = match &layer.delays {
            Delays::Axonal(delays) => Some(delays.as_slice()),
            _ => None,
        };
        inputs.take_up(simd, previous, &bias[index], delays, &mut scratch.steps);
        let swept =
            SweptLayer { neurons: &layer.neurons, tiling: layer.tiling, weights: &layer.weights };
        swept.run(simd, inputs, &mut scratch.steps, &mut scratch.crossings, spikes);
        if let Delays::Dendritic(delays) = &layer.delays {
            spikes.delay(delays);
        }
    }
}

/// Takes one sample back.
#[inline(always)]
pub(super) fn backward<S: Simd, T: Element>(
    simd: S,
    engine: &LayeredEngine<T>,
    by_label_time: &[f64],
    guard: Option<GradientGuard>,
    pass: &mut [LayerPass<T>],
    gradients: &mut [LayerGradients],
    scratch: &mut Scratch<T>,
) {
    let Scratch { times, by_time, .. } = scratch;
    by_time.clear();
    by_time.extend_from_slice(by_label_time);
    let layers = engine.layers.iter().zip(pass).zip(gradients).rev();
    for ((layer, pass), gradients) in layers {
        layer.backward(simd, guard, pass, by_time, times, gradients);
    }
}

impl<T: Element> Layer<T> {
    /// Takes one sample back through the layer. `by_time` are the derivatives by its spikes, and then by
    /// its inputs, one per row.
    #[inline(always)]
    fn backward<S: Simd>(
        &self,
        simd: S,
        guard: Option<GradientGuard>,
        pass: &mut LayerPass<T>,
        by_time: &mut Vec<f64>,
        times: &mut TimeGradient<T>,
        sums: &mut LayerGradients,
    ) {
        let LayerPass { inputs, spikes, gradient } = pass;
        by_time.truncate(self.tiling.columns);
        by_time.resize(self.tiling.padded_columns(), 0.0);
        gradient.prepare(simd, &self.neurons, inputs, spikes, by_time, times);
        if let Delays::Dendritic(_) = self.delays {
            let takes_part = gradient.deadlines.iter().map(|by| by.to_f64() > f64::NEG_INFINITY);
            for ((sum, by_time), takes_part) in
                sums.delays.iter_mut().zip(&*by_time).zip(takes_part)
            {
                *sum += if takes_part { *by_time } else { 0.0 };
            }
        }
        let is_axonal = matches!(self.delays, Delays::Axonal(_));
        if !self.is_first || is_axonal {
            by_time.clear();
            by_time.resize(self.tiling.rows, 0.0);
            gradient.time_gradients(simd, times, self.tiling, &self.weights, inputs, by_time);
            if is_axonal {
                sums.delays.iter_mut().zip(&*by_time).for_each(|(sum, by)| *sum += by);
            }
        }
        let most = self.neurons.membrane.largest_response;
        if let Some(guard) = guard.filter(|guard| !guard.surely_keeps(times.largest_factor, most)) {
            sums.guarded += gradient.guard(inputs, self.tiling.columns, guard);
        }
    }
}

/// Sums the weight gradients of one tile of a layer over samples, in their order.
pub(super) struct WeightGradients<'a, T> {
    pub layer: usize,
    pub tile: &'a Tile,
    pub batches: &'a [Batch<T>],
    pub sums: &'a mut [T],
}

impl<T: Element> WithSimd for WeightGradients<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let WeightGradients { layer, tile, batches, sums } = self;
        for batch in batches {
            for pass in batch.wide_passes() {
                let LayerPass { inputs, gradient, .. } = &pass[layer];
                gradient.add_weight_gradients(simd, inputs, tile, sums);
            }
        }
    }
}
