//! The backward pass of one layer: from the derivatives of the loss by its neurons' spike times to those
//! by its weights and its inputs' times.
//!
//! With the shares of [`super::membrane`], the response to an input `i` at a spike `T_j` is a sum of two
//! products of what depends on the input and what depends on the neuron, whatever the ratio of the time
//! constants:
//!
//! ```text
//! K(T_j − t_i)/C = I_i R_j + u_i M_j        R_j = K(T_j − t₀)/C    M_j = e^(−λ_m (T_j − t₀))
//! ```
//!
//! and so is its slope. The derivatives of [`crate::neuron::crossing_derivatives`] then need no
//! exponential per synapse, only two multiply-adds. The slope of the potential at the spike follows
//! from the current alone: `V̇ = I(T)/C − λ_m ϑ`, because there the potential is the threshold.

use pulp::Simd;

use super::crossing::LayerSpikes;
use super::elementary::{Doubles, registers, registers_mut};
use super::inputs::{Inputs, Share};
use super::lanes::Element;
use super::membrane::{LayerNeurons, ViewColumns};
use super::tiles::{Tile, Tiling};

/// Registers per coefficient.
const WIDEST: usize = 4;

/// Per neuron of a layer (padding included): how the loss depends on its inputs in one sample.
#[derive(Clone, Debug, Default)]
pub struct LayerGradient<T> {
    /// When the neuron spiked; minus infinity if nothing depends on it.
    pub deadlines: Vec<T>,
    /// `dL/dw = by_current I_i + by_potential u_i` for an input before the deadline.
    pub by_current: Vec<T>,
    /// See `by_current`.
    pub by_potential: Vec<T>,
    /// How many neurons the gradient guard kept from learning.
    pub guarded: u64,
}

/// The same for the inputs' times: `dL/dt = w (by_current I_i + by_potential u_i)`.
#[derive(Clone, Debug, Default)]
pub(super) struct TimeGradient<T> {
    pub by_current: Vec<T>,
    pub by_potential: Vec<T>,
    /// No weight gradient of the layer is larger than this.
    pub largest_weight_gradient: f64,
    offsets: Vec<f64>,
    views: ViewColumns,
    /// Deadlines, coefficients by weight and coefficients by time, in double precision.
    columns: [Vec<f64>; 5],
}

impl<T: Element> LayerGradient<T> {
    /// Computes the coefficients of all neurons. `by_time` is the derivative of the loss by each
    /// neuron's spike time (padding included).
    #[inline(always)]
    pub(super) fn prepare<S: Simd>(
        &mut self,
        simd: S,
        neurons: &LayerNeurons,
        inputs: &Inputs<T>,
        spikes: &LayerSpikes,
        by_time: &[f64],
        times: &mut TimeGradient<T>,
    ) {
        let LayerNeurons { membrane, thresholds } = neurons;
        let count = thresholds.len();
        let TimeGradient { offsets, views, columns, .. } = times;
        offsets.clear();
        offsets.extend(
            spikes
                .crossings()
                .iter()
                .map(|&time| if time < f64::INFINITY { time - inputs.reference } else { 0.0 }),
        );
        membrane.view_all(simd, offsets, views);
        for column in columns.iter_mut() {
            column.resize(count, 0.0);
        }
        let [deadlines, weight_current, weight_potential, time_current, time_potential] =
            columns.each_mut().map(|column| registers_mut::<S>(column));
        let [times_of, currents, by_time, thresholds] =
            [spikes.crossings(), &spikes.currents, by_time, thresholds]
                .map(|column| registers::<S>(&column[..count]));
        let [current, response, decay] = [&views.current, &views.response, &views.decay]
            .map(|column| registers::<S>(&column[..count]));
        let (rate, inverse_capacitance) = (
            Doubles::splat(simd, membrane.membrane_rate),
            Doubles::splat(simd, membrane.inverse_capacitance),
        );
        let mut steepest = Doubles::splat(simd, 0.0);
        for index in 0..times_of.len() {
            let time = Doubles::new(simd, times_of[index]);
            let current_there = Doubles::new(simd, currents[index]);
            let by_time = Doubles::new(simd, by_time[index]);
            let threshold = Doubles::new(simd, thresholds[index]);
            let current = Doubles::new(simd, current[index]);
            let response = Doubles::new(simd, response[index]);
            let decay = Doubles::new(simd, decay[index]);
            let push = current * inverse_capacitance;
            let slope = push * current_there - rate * threshold;
            let magnitude = by_time.max(-by_time);
            let takes_part = Doubles::splat(simd, f64::INFINITY)
                .above(time)
                .and(magnitude.above(Doubles::splat(simd, 0.0)))
                .and(slope.above(Doubles::splat(simd, 0.0)));
            let factor = takes_part.select(by_time / slope, Doubles::splat(simd, 0.0));
            steepest = steepest.max(factor.max(-factor));
            deadlines[index] =
                takes_part.select(time, Doubles::splat(simd, f64::NEG_INFINITY)).value();
            weight_current[index] = (-(factor * response)).value();
            weight_potential[index] = (-(factor * decay)).value();
            time_current[index] = (factor * (push - rate * response)).value();
            time_potential[index] = (-(factor * rate * decay)).value();
        }
        times.largest_weight_gradient = steepest.largest() * membrane.largest_response;
        let rounded = [
            &mut self.deadlines,
            &mut self.by_current,
            &mut self.by_potential,
            &mut times.by_current,
            &mut times.by_potential,
        ];
        for (rounded, column) in rounded.into_iter().zip(&times.columns) {
            rounded.clear();
            rounded.extend(column.iter().map(|&value| T::from_f64(value)));
        }
        self.guarded = 0;
    }

    /// Discards the weight gradients of every neuron of which one exceeds `guard` in magnitude.
    pub(super) fn guard(&mut self, inputs: &Inputs<T>, neurons: usize, guard: f64) {
        for neuron in 0..neurons {
            let deadline = self.deadlines[neuron];
            let by_current = self.by_current[neuron].to_f64();
            let by_potential = self.by_potential[neuron].to_f64();
            let exceeds =
                inputs.shares.iter().take_while(|share| share.time < deadline).any(|share| {
                    let gradient = by_current * share.current.to_f64()
                        + by_potential * share.potential.to_f64();
                    gradient.abs() > guard
                });
            if exceeds {
                self.by_current[neuron] = T::default();
                self.by_potential[neuron] = T::default();
                self.guarded += 1;
            }
        }
    }

    /// Adds the weight gradients of one tile, in one sample, to `sums` (the tile's rows).
    #[inline(always)]
    pub(super) fn add_weight_gradients<S: Simd>(
        &self,
        simd: S,
        inputs: &Inputs<T>,
        tile: &Tile,
        sums: &mut [T],
    ) {
        let vectors = tile.width / T::lanes::<S>();
        let sums = T::vectors_mut::<S>(sums);
        let mut first = 0;
        while first < vectors {
            let count = WIDEST.min(vectors - first);
            let columns = tile.column + first * T::lanes::<S>();
            match count {
                4 => self.add::<S, 4>(simd, &inputs.shares, columns, first, vectors, sums),
                3 => self.add::<S, 3>(simd, &inputs.shares, columns, first, vectors, sums),
                2 => self.add::<S, 2>(simd, &inputs.shares, columns, first, vectors, sums),
                _ => self.add::<S, 1>(simd, &inputs.shares, columns, first, vectors, sums),
            }
            first += count;
        }
    }

    #[inline(always)]
    fn add<S: Simd, const N: usize>(
        &self,
        simd: S,
        shares: &[Share<T>],
        column: usize,
        first: usize,
        width: usize,
        sums: &mut [T::Vector<S>],
    ) {
        let columns = column..column + N * T::lanes::<S>();
        let Some(latest) = latest(&self.deadlines[columns.clone()]) else { return };
        let deadlines: [_; N] = load(simd, &self.deadlines[columns.clone()]);
        let by_current: [_; N] = load(simd, &self.by_current[columns.clone()]);
        let by_potential: [_; N] = load(simd, &self.by_potential[columns]);
        for share in shares {
            if !(share.time < latest) {
                break;
            }
            let time = T::splat(simd, share.time);
            let current = T::splat(simd, share.current);
            let potential = T::splat(simd, share.potential);
            let start = share.row as usize * width + first;
            let row = &mut sums[start..start + N];
            for vector in 0..N {
                let gradient = T::multiply(simd, by_current[vector], current);
                let gradient = T::multiply_add(simd, by_potential[vector], potential, gradient);
                let causal = T::below(simd, time, deadlines[vector]);
                row[vector] = T::add(simd, row[vector], T::where_set(simd, causal, gradient));
            }
        }
    }

    /// Writes the derivative of the loss by the time of each input to `by_input`.
    #[inline(always)]
    pub(super) fn time_gradients<S: Simd>(
        &self,
        simd: S,
        times: &TimeGradient<T>,
        tiling: Tiling,
        weights: &[T],
        inputs: &Inputs<T>,
        by_input: &mut Vec<f64>,
    ) {
        by_input.clear();
        by_input.resize(inputs.shares.len(), 0.0);
        let lanes = T::lanes::<S>();
        for tile in tiling.tiles() {
            let weights = &weights[tile.start..tile.start + tile.width * tiling.rows];
            let weights = T::vectors::<S>(weights);
            let vectors = tile.width / lanes;
            let mut first = 0;
            while first < vectors {
                let count = WIDEST.min(vectors - first);
                let part =
                    Part { weights, width: vectors, first, column: tile.column + first * lanes };
                match count {
                    4 => self.sum::<S, 4>(simd, times, &part, &inputs.shares, by_input),
                    3 => self.sum::<S, 3>(simd, times, &part, &inputs.shares, by_input),
                    2 => self.sum::<S, 2>(simd, times, &part, &inputs.shares, by_input),
                    _ => self.sum::<S, 1>(simd, times, &part, &inputs.shares, by_input),
                }
                first += count;
            }
        }
    }

    #[inline(always)]
    fn sum<S: Simd, const N: usize>(
        &self,
        simd: S,
        times: &TimeGradient<T>,
        part: &Part<'_, T::Vector<S>>,
        shares: &[Share<T>],
        by_input: &mut [f64],
    ) {
        let columns = part.column..part.column + N * T::lanes::<S>();
        let Some(latest) = latest(&self.deadlines[columns.clone()]) else { return };
        let deadlines: [_; N] = load(simd, &self.deadlines[columns.clone()]);
        let by_current: [_; N] = load(simd, &times.by_current[columns.clone()]);
        let by_potential: [_; N] = load(simd, &times.by_potential[columns]);
        for (share, by_input) in shares.iter().zip(by_input) {
            if !(share.time < latest) {
                break;
            }
            let time = T::splat(simd, share.time);
            let current = T::splat(simd, share.current);
            let potential = T::splat(simd, share.potential);
            let start = share.row as usize * part.width + part.first;
            let row = &part.weights[start..start + N];
            let mut sum = T::splat(simd, T::default());
            for vector in 0..N {
                let gradient = T::multiply(simd, by_current[vector], current);
                let gradient = T::multiply_add(simd, by_potential[vector], potential, gradient);
                let causal = T::below(simd, time, deadlines[vector]);
                let gradient = T::where_set(simd, causal, gradient);
                sum = T::multiply_add(simd, row[vector], gradient, sum);
            }
            *by_input += T::sum(simd, sum).to_f64();
        }
    }
}

/// The columns of a tile that are summed together.
struct Part<'a, V> {
    weights: &'a [V],
    /// Registers per row of the tile.
    width: usize,
    /// The first of these columns, in registers.
    first: usize,
    /// The first of these columns in the layer.
    column: usize,
}

#[inline(always)]
fn load<S: Simd, T: Element, const N: usize>(simd: S, values: &[T]) -> [T::Vector<S>; N] {
    let mut loaded = [T::splat(simd, T::default()); N];
    loaded.copy_from_slice(&T::vectors::<S>(values)[..N]);
    loaded
}

/// The last deadline; none if nothing depends on any of the neurons.
#[inline(always)]
fn latest<T: Element>(deadlines: &[T]) -> Option<T> {
    let mut latest = deadlines[0];
    for &deadline in deadlines {
        if deadline > latest {
            latest = deadline;
        }
    }
    (latest.to_f64() > f64::NEG_INFINITY).then_some(latest)
}
