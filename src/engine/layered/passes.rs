//! Samples through all layers, forward and backward, in the instruction set of the machine.

use pulp::{Simd, WithSimd};

use super::abreast::{AbreastLayer, AbreastPass, begin_backward};
use super::backward::TimeGradient;
use super::delayed::{BlockPass, DelayGradient, DelayedLayer, Driver, Neighbours};
use super::inputs::Arrival;
use super::sweep::SweptLayer;
use super::tiles::Tile;
use super::{Delays, FeedForwardNetwork, Layer, LayerPass, SamplePass, Workspace};
use crate::simd::Element;

pub(super) struct Forward<'a, T> {
    pub network: &'a FeedForwardNetwork<T>,
    pub bias: &'a [Vec<Arrival>],
    pub passes: &'a mut [SamplePass<T>],
    pub workspace: &'a mut Workspace<T>,
}

impl<T: Element> WithSimd for Forward<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Forward { network, bias, passes, workspace } = self;
        if network.is_abreast {
            let Workspace { abreast, abreast_scratch: scratch, .. } = workspace;
            abreast.resize_with(network.layers.len(), AbreastPass::default);
            for (index, layer) in network.layers.iter().enumerate() {
                let (before, rest) = abreast.split_at_mut(index);
                AbreastLayer::new(layer, index).forward(
                    simd,
                    before.last(),
                    &bias[index],
                    passes,
                    &mut rest[0],
                    scratch,
                );
            }
            return;
        }
        workspace.blocks.resize_with(network.layers.len(), BlockPass::default);
        for (index, layer) in network.layers.iter().enumerate() {
            let neighbours = network.neighbours(index);
            for pass in passes.iter_mut() {
                if neighbours.before && matches!(layer.delays, Delays::Synaptic(_)) {
                    break;
                }
                let (before, rest) = pass.layers.split_at_mut(index);
                let LayerPass { inputs, spikes, .. } = &mut rest[0];
                let previous = before.last().map(|previous| {
                    let neurons = network.layers[index - 1].tiling.columns;
                    &previous.spikes.times[..neurons]
                });
                let delays = match &layer.delays {
                    Delays::Synaptic(_) => {
                        if let Some(previous) = previous {
                            inputs.collect(previous, &bias[index]);
                        }
                        continue;
                    }
                    Delays::Axonal(delays) => Some(delays.as_slice()),
                    Delays::Dendritic(_) | Delays::None => None,
                };
                inputs.take_up(simd, previous, &bias[index], delays, &mut workspace.steps);
                let swept = SweptLayer {
                    neurons: &layer.neurons,
                    tiling: layer.tiling,
                    weights: &layer.weights,
                };
                swept.run(simd, inputs, &mut workspace.steps, &mut workspace.crossings, spikes);
                if let Delays::Dendritic(delays) = &layer.delays {
                    spikes.delay(delays);
                }
            }
            if let Delays::Synaptic(delays) = &layer.delays {
                let (before, rest) = workspace.blocks.split_at_mut(index);
                let driver = match before.last() {
                    Some(before) if neighbours.before => {
                        Driver::Layer { before, bias: &bias[index] }
                    }
                    _ => Driver::Arrivals,
                };
                let delayed = DelayedLayer::new(layer, delays, index);
                delayed.forward(simd, driver, passes, &mut rest[0], &mut workspace.scratch);
            }
        }
    }
}

impl<T> FeedForwardNetwork<T> {
    /// Which of a layer's neighbours have synaptic delays.
    fn neighbours(&self, layer: usize) -> Neighbours {
        let is_synaptic = |layer: Option<&Layer<T>>| {
            layer.is_some_and(|layer| matches!(layer.delays, Delays::Synaptic(_)))
        };
        let before = layer.checked_sub(1).and_then(|before| self.layers.get(before));
        Neighbours { before: is_synaptic(before), after: is_synaptic(self.layers.get(layer + 1)) }
    }
}

pub(super) struct Backward<'a, T> {
    pub network: &'a FeedForwardNetwork<T>,
    pub by_label_time: &'a [f64],
    pub guard: Option<f64>,
    pub passes: &'a mut [SamplePass<T>],
    pub workspace: &'a mut Workspace<T>,
}

impl<T: Element> WithSimd for Backward<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Backward { network, by_label_time, guard, passes, workspace } = self;
        let Workspace { times, by_times, blocks, scratch, gradients, .. } = workspace;
        let labels = network.layers[network.layers.len() - 1].tiling.columns;
        if network.is_abreast {
            let Workspace { abreast, abreast_scratch: scratch, .. } = workspace;
            begin_backward(by_label_time, labels, passes.len(), scratch);
            for (index, layer) in network.layers.iter().enumerate().rev() {
                let (pass, gradient) = (&abreast[index], &mut gradients[index]);
                AbreastLayer::new(layer, index)
                    .backward(simd, guard, passes, pass, scratch, gradient);
            }
            return;
        }
        by_times.resize_with(passes.len(), Vec::new);
        for (by_time, by_label_time) in by_times.iter_mut().zip(by_label_time.chunks(labels)) {
            by_time.clear();
            by_time.extend_from_slice(by_label_time);
        }
        for (index, layer) in network.layers.iter().enumerate().rev() {
            let gradient = &mut gradients[index];
            if let Delays::Synaptic(delays) = &layer.delays {
                let delayed = DelayedLayer::new(layer, delays, index);
                let block = &blocks[index];
                let neighbours = network.neighbours(index);
                delayed
                    .backward(simd, guard, neighbours, by_times, passes, block, scratch, gradient);
            } else {
                for (pass, by_time) in passes.iter_mut().zip(by_times.iter_mut()) {
                    let pass = &mut pass.layers[index];
                    layer.backward(simd, guard, pass, by_time, times, gradient);
                }
            }
        }
    }
}

impl<T: Element> Layer<T> {
    /// Takes one sample back through the layer. `by_time` are the derivatives by its spikes, and then by
    /// its inputs, one per row.
    #[inline(always)]
    fn backward<S: Simd>(
        &self,
        simd: S,
        guard: Option<f64>,
        pass: &mut LayerPass<T>,
        by_time: &mut Vec<f64>,
        times: &mut TimeGradient<T>,
        sums: &mut DelayGradient,
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
        if let Some(guard) = guard.filter(|&guard| times.largest_weight_gradient > guard) {
            gradient.guard(inputs, self.tiling.columns, guard);
        }
    }
}

pub(super) struct WeightGradients<'a, T> {
    pub layer: usize,
    pub tile: &'a Tile,
    pub passes: &'a [SamplePass<T>],
    pub sums: &'a mut [T],
}

impl<T: Element> WithSimd for WeightGradients<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let WeightGradients { layer, tile, passes, sums } = self;
        sums.fill(T::default());
        for pass in passes {
            let LayerPass { inputs, gradient, .. } = &pass.layers[layer];
            gradient.add_weight_gradients(simd, inputs, tile, sums);
        }
    }
}
