//! Networks of small layers with `τ_m = τ_s` and no delays, many samples side by side.
//!
//! A sample of such a network is too little work for a vector unit: its arrivals fill a register or two,
//! and most operations wait for the one before. So a block of samples goes through layer after layer
//! together, and a register holds one arrival, or one neuron, in as many samples as fit into it. Only
//! where a layer has many arrivals, and each sample another order of them, a register holds neurons of
//! one sample instead while these are looked through ([`many`]; [`few`] is for a handful of arrivals).
//!
//! # The potential without exponentials
//! With `s = λ (t − t₀)`, the time since the sample's last arrival in time constants, and `x = e^s`, the
//! potential in units of the threshold is
//!
//! ```text
//! V/ϑ = (P s + R)/x        P = Σ w'_i x_i    R = −Σ w'_i x_i s_i    w' = w/(λ C ϑ)
//! ```
//!
//! so that `x` is needed per arrival and sample, for all neurons of a layer. A neuron is at or above the
//! threshold if `h(s) = P s + R − e^s ≥ 0`; this is concave in `s`. From below the threshold at one
//! arrival `s₁` it gets there until the next one `s₂`
//!
//! * if `P s₂ + R ≥ x₂`, so that it is there at the end; or
//! * if the maximum of `h`, at `e^s = P`, lies between them and is above zero: `P (ln P − 1) + R > 0`.
//!   This can only be if the tangent of `h` at `s₁` has reached zero at `s₂`: `P s₂ + R ≥ x₁ (1 + s₂ − s₁)`,
//!   which is asked first, because it follows from being there at the end, too.
//!
//! After the last arrival it crosses if the maximum comes later, `P > 1`, and is above zero. From `P` and
//! `R` the time of the crossing has a closed form ([`spikes`]), and all that the way back needs follows
//! from it without another exponential ([`backward`]).

mod arrivals;
mod backward;
mod few;
mod many;
mod spikes;

use pulp::Simd;

use self::arrivals::{ReadClock, collect_arrivals, collect_layer};
pub(super) use self::backward::begin_backward;
use self::backward::{Backward, guard_gradients};
use self::few::{MOST_FEW, sweep_few};
use self::many::sweep_many;
use self::spikes::Solve;
use super::inputs::Arrival;
use super::{DelayGradient, Delays, Layer, SamplePass};
use crate::neuron::Ratio;
use crate::simd::Element;

/// Most rows of a layer: a key has seven bits for them.
pub(super) const MOST_ROWS: usize = 128;
/// Most neurons of a layer with more than a few rows: a wide one keeps a vector unit busy by itself.
const NARROW: usize = 16;
/// Samples are filled up to a multiple of this: the widest register there is.
const PADDING: usize = 8;
/// The scaled time of what never comes: `2^1000`. Finite, so that no difference or product is without a
/// value, and still the smallest of its kind with a row in its last bits.
const NEVER: f64 = f64::from_bits((1023 + 1000) << 52);

/// How one block of samples drove a layer, and what the layer did. Everything stands row by row, or neuron
/// by neuron, with a value per sample; the samples are filled up to [`PADDING`].
#[derive(Clone, Debug, Default)]
pub(super) struct AbreastPass {
    /// Samples, padding included.
    width: usize,
    /// Per sample: when its last arrival comes, in time units.
    references: Vec<f64>,
    /// Per row: `s`; [`NEVER`] if it does not come.
    times: Vec<f64>,
    /// Per row: `x`; zero if it does not come.
    powers: Vec<f64>,
    /// Per neuron: `s` when it spikes; the negative of [`NEVER`] if it does not.
    spikes: Vec<f64>,
    /// Per neuron: `1/x` then; zero if it does not spike.
    decays: Vec<f64>,
    /// Per neuron: the inverse slope of the potential then, in time units; zero if it does not spike.
    inverse_slopes: Vec<f64>,
    /// Per neuron: when it spikes, in time units; infinite if it does not.
    spike_times: Vec<f64>,
}

/// Room to work in.
#[derive(Clone, Debug, Default)]
pub(super) struct AbreastScratch {
    /// The layer's scaled weights.
    weights: Vec<f64>,
    /// What a sweep needs of sorted arrivals.
    sorted: Vec<f64>,
    /// Per neuron and sample: derivatives by the spikes, and by the potential then but for the sign.
    by_spike: Vec<f64>,
    factors: Vec<f64>,
    /// The same where the gradient guard lets weights learn.
    weight_factors: Vec<f64>,
    /// Per row and sample: derivatives by the arrivals.
    by_input: Vec<f64>,
}

/// A layer as these passes see it.
#[derive(Clone, Copy)]
pub(super) struct AbreastLayer<'a, T> {
    layer: &'a Layer<T>,
    /// Index of the layer in its network.
    index: usize,
}

/// Whether a network of these layers can run so.
pub(super) fn runs<T>(layers: &[Layer<T>]) -> bool {
    // All here is in double precision.
    size_of::<T>() == size_of::<f64>()
        && layers.iter().all(|layer| {
            layer.neurons.membrane.ratio == Ratio::Equal
                && matches!(layer.delays, Delays::None)
                && layer.tiling.rows <= MOST_ROWS
                && (layer.tiling.rows <= MOST_FEW || layer.tiling.columns <= NARROW)
        })
}

impl<'a, T: Element> AbreastLayer<'a, T> {
    pub fn new(layer: &'a Layer<T>, index: usize) -> Self {
        AbreastLayer { layer, index }
    }

    /// `1/(λ C)`: a weight by this is the largest slope that it gives the potential, per time constant.
    fn weight_scale(&self) -> f64 {
        let membrane = &self.layer.neurons.membrane;
        membrane.inverse_capacitance / membrane.membrane_rate
    }

    /// `w'` of a neuron's synapses, row after row.
    fn scaled_weights(&self, column: usize) -> impl Iterator<Item = f64> {
        let Layer { weights, tiling, neurons, .. } = self.layer;
        let (scale, threshold) = (self.weight_scale(), neurons.thresholds[column]);
        let place = tiling.column(column);
        (0..tiling.rows).map(move |row| weights[place.at(row)].to_f64() * scale / threshold)
    }

    /// Runs the layer, and writes its spikes to the passes. It is driven by the layer before and its bias,
    /// or, if it is the first, by the arrivals in the passes.
    #[inline(always)]
    pub fn forward<S: Simd>(
        self,
        simd: S,
        before: Option<&AbreastPass>,
        bias: &[Arrival],
        passes: &mut [SamplePass<T>],
        pass: &mut AbreastPass,
        scratch: &mut AbreastScratch,
    ) {
        let tiling = self.layer.tiling;
        pass.width = passes.len().next_multiple_of(PADDING);
        match before {
            Some(before) => collect_layer(before, bias, tiling.rows, pass),
            None => collect_arrivals(passes, tiling.rows, pass),
        }
        let rate = self.layer.neurons.membrane.membrane_rate;
        simd.vectorize(ReadClock { rate, rows: tiling.rows, pass });
        let count = tiling.columns * pass.width;
        for column in
            [&mut pass.spikes, &mut pass.decays, &mut pass.inverse_slopes, &mut pass.spike_times]
        {
            column.resize(count, 0.0);
        }
        if tiling.rows <= MOST_FEW {
            sweep_few(simd, self, pass, scratch);
        } else {
            sweep_many(simd, self, passes.len(), pass, scratch);
        }
        let thresholds = &self.layer.neurons.thresholds[..tiling.columns];
        simd.vectorize(Solve { rate, thresholds, pass });
        for (sample, sample_pass) in passes.iter_mut().enumerate() {
            let times = &mut sample_pass.layers[self.index].spikes.times;
            times.resize(tiling.padded_columns(), f64::INFINITY);
            let columns = pass.spike_times.chunks_exact(pass.width);
            for (time, column) in times.iter_mut().zip(columns) {
                *time = column[sample];
            }
        }
    }

    /// Carries the derivatives of the loss by the layer's spikes, which stand in the scratch, to those by
    /// its inputs, and adds those by weights to `gradient`.
    #[inline(always)]
    pub fn backward<S: Simd>(
        self,
        simd: S,
        guard: Option<f64>,
        passes: &mut [SamplePass<T>],
        pass: &AbreastPass,
        scratch: &mut AbreastScratch,
        gradient: &mut DelayGradient,
    ) {
        for sample_pass in passes.iter_mut() {
            sample_pass.layers[self.index].gradient.guarded = 0;
        }
        let by_spike = &scratch.by_spike[..self.layer.tiling.columns * pass.width];
        let slopes = by_spike.iter().zip(&pass.inverse_slopes);
        scratch.factors.clear();
        scratch.factors.extend(slopes.map(|(by_spike, inverse)| by_spike * inverse));
        scratch.weight_factors.clear();
        if let Some(guard) = guard {
            guard_gradients(simd, self, guard, passes, pass, scratch);
        }
        simd.vectorize(Backward { layer: self, pass, scratch, gradient });
        std::mem::swap(&mut scratch.by_spike, &mut scratch.by_input);
    }
}
