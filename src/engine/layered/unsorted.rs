//! The way back through samples that ran elsewhere, for networks with `τ_m = τ_s` and no delays, without
//! sorting anything.
//!
//! It computes the gradients of [`super::recorded`]. Of a recorded sample all times are known beforehand, so
//! the causal set of a neuron is a comparison, arrival by arrival, with the neuron's own time; and as
//! nothing waits for the forward direction, a sample is walked through once, from the last layer to the
//! first. Neurons on which the loss does not depend need nothing at all.
//!
//! # No exponential of the recorded times
//! With `s = λ (t − t₀)`, the time since the layer's last arrival in time constants, and `x = e^s`, the
//! causal set of a neuron implies the potential
//!
//! ```text
//! V(s) = (P s + R)/(λ C x)        P = Σ w_i x_i        R = −Σ w_i x_i s_i
//! ```
//!
//! which peaks at `s* = 1 − R/P` and, with `y = ϑ/V_peak = λ C ϑ e^(s*)/P`, crosses the threshold at `s* − u`,
//! where `(1 − u) e^u = y` ([`super::crossing`]). The slope there is `λ ϑ u/(1 − u)`, and `x` is `(1 − u) P/(λ C ϑ)`.
//! Carried to the recorded time `s_T` ([`super::recorded`]), the slope becomes
//!
//! ```text
//! V̇ = λ ϑ u/(1 − u) · x/x_T = u P/(C x_T)
//! ```
//!
//! and with `δ_i = s_T − s_i` the derivatives of the spike time ([`crate::neuron::crossing_derivatives`]) are
//!
//! ```text
//! dT/dw_i = −δ_i (x_i/x_T)/(λ C V̇) = −δ_i x_i/(λ u P)
//! dT/dt_i = w_i (1 − δ_i) (x_i/x_T)/(C V̇) = w_i (x_i − δ_i x_i)/(u P)
//! ```
//!
//! So the exponentials are one per arrival and one per neuron, that of `s*`: the paper's rule, with
//! `u = 1 + W`.
//!
//! # Two shapes of layers
//! A layer of many neurons has neurons side by side in a register, and goes over its rows ([`many`]). Rows
//! that always come together, as the copies of an input do, are one row with the sum of their weights, and
//! have one gradient; in a sample where they do not, every row goes for itself. A layer of few neurons has
//! rows side by side, with its weights transposed ([`few`]). The derivatives by weights are summed over
//! samples in these layouts, and brought into that of the network in the end.

mod few;
mod many;
mod neurons;
mod rows;

use std::ops::Range;

use pulp::{Simd, WithSimd};

use self::few::FewNeurons;
use self::many::ManyNeurons;
use self::neurons::{Coefficients, Neurons};
use self::rows::{Rows, groups};
use super::inputs::Arrival;
use super::tiles::Tiling;
use super::{Delays, FeedForwardNetwork, Layer, SamplePass};
use crate::neuron::Ratio;

/// Rows and neurons are filled up to a multiple of this: the widest register there is.
const PADDING: usize = 8;
/// Most rows that come at times of their own of a layer with more than a few neurons. All rows are looked at,
/// where a sweep over sorted ones ends with the last spike.
const MOST_ROWS: usize = 64;
/// Most neurons of a layer with more rows.
const MOST_NEURONS: usize = 16;

/// How a network's recorded samples are taken back. It has the weights of the network in layouts of its own.
#[derive(Clone, Debug)]
pub struct UnsortedBackward {
    layers: Vec<UnsortedLayer>,
}

#[derive(Clone, Debug)]
struct UnsortedLayer {
    shape: Shape,
    /// Per neuron, padding included: `λ C ϑ`.
    thresholds: Vec<f64>,
    weights: Vec<f64>,
}

/// Which way a layer goes.
#[derive(Clone, Debug)]
enum Shape {
    /// Neurons side by side; rows that come together are one row of this tiling.
    Many { groups: Vec<Range<usize>>, tiling: Tiling },
    /// Rows side by side, one neuron's after the other's.
    Few { padded_rows: usize },
}

/// One layer's derivatives of the loss by weights, summed over samples.
#[derive(Clone, Debug, Default)]
pub struct WeightSums {
    /// In the layout of the layer's weights here.
    together: Vec<f64>,
    /// In that of the network, of samples in which rows did not come together that should have; empty if
    /// there was none.
    alone: Vec<f64>,
}

impl WeightSums {
    /// Adds other sums.
    pub fn add(&mut self, other: WeightSums) {
        add_all(&mut self.together, other.together);
        add_all(&mut self.alone, other.alone);
    }
}

/// Adds values to the sums so far. Nothing at all, on either side, is as good as zeros.
pub(crate) fn add_all(sums: &mut Vec<f64>, more: Vec<f64>) {
    if sums.is_empty() {
        *sums = more;
    } else {
        sums.iter_mut().zip(more).for_each(|(sum, more)| *sum += more);
    }
}

/// What a thread works with; kept from sample to sample.
#[derive(Clone, Debug, Default)]
pub struct UnsortedWorkspace {
    rows: Rows,
    coefficients: Coefficients,
    /// Per neuron of the layer that is looked at, padding included.
    by_spike: Vec<f64>,
    /// Per row.
    by_row: Vec<f64>,
}

impl UnsortedBackward {
    /// The way back through a network; none if it has to be that of [`FeedForwardNetwork::recorded`]. In
    /// most samples the rows of each range in `together` spike at one time in the first layer.
    pub fn new(network: &FeedForwardNetwork<f64>, together: &[Range<u32>]) -> Option<Self> {
        let layers = network.layers.iter().map(|layer| UnsortedLayer::new(layer, together));
        let mut backward = UnsortedBackward { layers: layers.collect::<Option<_>>()? };
        backward.take_weights(network);
        Some(backward)
    }

    /// Takes over the network's present weights.
    pub fn take_weights(&mut self, network: &FeedForwardNetwork<f64>) {
        for (layer, from) in self.layers.iter_mut().zip(&network.layers) {
            layer.take_weights(&from.weights, from.tiling);
        }
    }

    /// Nothing summed yet, for each layer.
    pub fn begin(&self) -> Vec<WeightSums> {
        let sums = |layer: &UnsortedLayer| WeightSums {
            together: vec![0.0; layer.weights.len()],
            alone: Vec::new(),
        };
        self.layers.iter().map(sums).collect()
    }

    /// Takes one sample back. The pass holds what [`FeedForwardNetwork::recorded`] asks for, and
    /// `by_label_time` are the derivatives of the loss by the label neurons' times. Adds the derivatives by
    /// the weights to `sums`, and returns how many neurons the gradient guard kept from learning.
    #[expect(clippy::too_many_arguments, reason = "a sample, its network, and where it goes")]
    pub fn backward(
        &self,
        network: &FeedForwardNetwork<f64>,
        bias: &[Vec<Arrival>],
        pass: &mut SamplePass<f64>,
        by_label_time: &[f64],
        guard: Option<f64>,
        workspace: &mut UnsortedWorkspace,
        sums: &mut [WeightSums],
    ) -> u64 {
        workspace.by_row.clear();
        workspace.by_row.extend_from_slice(by_label_time);
        let sample = SampleBack { backward: self, network, bias, pass, guard, workspace, sums };
        network.arch.dispatch(sample)
    }

    /// A layer's sums in the network's layout.
    pub fn weight_gradients(
        &self,
        network: &FeedForwardNetwork<f64>,
        layer: usize,
        sums: WeightSums,
    ) -> Vec<f64> {
        let tiling = network.layers[layer].tiling;
        let mut gradients = sums.alone;
        gradients.resize(tiling.value_count(), 0.0);
        self.layers[layer].add_gradients(&sums.together, tiling, &mut gradients);
        gradients
    }
}

impl UnsortedLayer {
    fn new(layer: &Layer<f64>, together: &[Range<u32>]) -> Option<Self> {
        let Layer { neurons, tiling, delays, is_first, .. } = layer;
        let membrane = &neurons.membrane;
        if membrane.ratio != Ratio::Equal || !matches!(delays, Delays::None) {
            return None;
        }
        let groups = groups(if *is_first { together } else { &[] }, tiling.rows);
        let padded_rows = tiling.rows.next_multiple_of(PADDING);
        // Whichever has fewer registers to go through.
        let is_few = tiling.columns <= MOST_NEURONS
            && (tiling.columns * padded_rows <= groups.len() * tiling.padded_columns()
                || groups.len() > MOST_ROWS);
        let (shape, count) = if is_few {
            (Shape::Few { padded_rows }, tiling.columns * padded_rows)
        } else if groups.len() <= MOST_ROWS {
            let tiling = Tiling { rows: groups.len(), ..*tiling };
            (Shape::Many { groups, tiling }, tiling.value_count())
        } else {
            return None;
        };
        let scale = membrane.membrane_rate / membrane.inverse_capacitance;
        let thresholds = neurons.thresholds.iter().map(|threshold| threshold * scale).collect();
        Some(UnsortedLayer { shape, thresholds, weights: vec![0.0; count] })
    }

    /// Takes weights in the network's layout.
    fn take_weights(&mut self, from: &[f64], tiling: Tiling) {
        match &self.shape {
            Shape::Many { groups, .. } => {
                self.weights.fill(0.0);
                for tile in tiling.tiles() {
                    let sums =
                        self.weights[groups.len() * tile.column..].chunks_exact_mut(tile.width);
                    for (sums, rows) in sums.zip(groups) {
                        let rows = rows.start * tile.width..rows.end * tile.width;
                        for row in from[tile.start..][rows].chunks_exact(tile.width) {
                            sums.iter_mut().zip(row).for_each(|(sum, weight)| *sum += weight);
                        }
                    }
                }
            }
            Shape::Few { padded_rows } => {
                for (column, weights) in self.weights.chunks_exact_mut(*padded_rows).enumerate() {
                    let place = tiling.column(column);
                    for (row, weight) in weights.iter_mut().enumerate().take(tiling.rows) {
                        *weight = from[place.at(row)];
                    }
                }
            }
        }
    }

    /// Adds sums in the layer's own layout to gradients in the network's.
    fn add_gradients(&self, together: &[f64], tiling: Tiling, gradients: &mut [f64]) {
        match &self.shape {
            Shape::Many { groups, .. } => {
                for tile in tiling.tiles() {
                    let sums = together[groups.len() * tile.column..].chunks_exact(tile.width);
                    for (sums, rows) in sums.zip(groups) {
                        let rows = rows.start * tile.width..rows.end * tile.width;
                        for row in gradients[tile.start..][rows].chunks_exact_mut(tile.width) {
                            row.iter_mut().zip(sums).for_each(|(gradient, sum)| *gradient += sum);
                        }
                    }
                }
            }
            Shape::Few { padded_rows } => {
                for (column, sums) in together.chunks_exact(*padded_rows).enumerate() {
                    let place = tiling.column(column);
                    for (row, sum) in sums.iter().enumerate().take(tiling.rows) {
                        gradients[place.at(row)] += sum;
                    }
                }
            }
        }
    }
}

/// [`UnsortedBackward::backward`]
struct SampleBack<'a> {
    backward: &'a UnsortedBackward,
    network: &'a FeedForwardNetwork<f64>,
    bias: &'a [Vec<Arrival>],
    pass: &'a mut SamplePass<f64>,
    guard: Option<f64>,
    workspace: &'a mut UnsortedWorkspace,
    sums: &'a mut [WeightSums],
}

impl WithSimd for SampleBack<'_> {
    type Output = u64;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> u64 {
        let SampleBack { backward, network, bias, pass, guard, workspace, sums } = self;
        let UnsortedWorkspace { rows, coefficients, by_spike, by_row } = workspace;
        let mut guarded = 0;
        for (index, layer) in network.layers.iter().enumerate().rev() {
            let tiling = layer.tiling;
            let UnsortedLayer { shape, thresholds, weights } = &backward.layers[index];
            let WeightSums { together, alone } = &mut sums[index];
            std::mem::swap(by_spike, by_row);
            by_spike.truncate(tiling.columns);
            by_spike.resize(tiling.padded_columns(), 0.0);
            let (before, rest) = pass.layers.split_at_mut(index);
            let pass = &mut rest[0];
            match before.last() {
                Some(before) => {
                    let spikes = &before.spikes.times[..network.layers[index - 1].tiling.columns];
                    rows.take_spikes(spikes, &bias[index], tiling.rows);
                }
                None => rows.take_arrivals(&pass.inputs.arrivals, tiling.rows),
            }
            pass.spikes.times.resize(tiling.padded_columns(), f64::INFINITY);
            let rate = layer.neurons.membrane.membrane_rate;
            let neurons =
                Neurons { rate, thresholds, times: &pass.spikes.times, by_time: by_spike };
            guarded += match shape {
                Shape::Few { padded_rows } => {
                    rows.read(simd, rate);
                    let columns = tiling.columns;
                    let layer = FewNeurons { neurons, rows, columns, width: *padded_rows, weights };
                    layer.backward(simd, guard, coefficients, together, by_row)
                }
                Shape::Many { groups, tiling: grouped } => {
                    let come_together = rows.gather(groups);
                    rows.read(simd, rate);
                    let (tiling, weights, sums) = if come_together {
                        (*grouped, weights, together)
                    } else {
                        alone.resize(tiling.value_count(), 0.0);
                        (tiling, &layer.weights, alone)
                    };
                    let many = ManyNeurons { neurons, rows, tiling, weights };
                    if layer.is_first {
                        many.backward(simd, guard, coefficients, sums, None)
                    } else {
                        many.backward(simd, guard, coefficients, sums, Some(by_row))
                    }
                }
            };
        }
        guarded
    }
}

#[cfg(test)]
mod tests;
