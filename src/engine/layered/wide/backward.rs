//! The backward pass of one layer: from the derivatives of the loss by its neurons' spike times to those
//! by its weights and its inputs' times.
//!
//! With the input coefficients of [`super::inputs`], the response to an input `i` at a spike `T_j` is a sum of two
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

use super::crossings::LayerSpikes;
use super::inputs::{CoefficientColumns, Inputs};
use crate::engine::layered::tiles::{Part, Tile, Tiling};
use crate::engine::layered::{GradientGuard, LayerNeurons};
use crate::neuron::{Membrane, Propagators};
use crate::simd::{Element, grow};
use crate::simd::{F64s, registers, registers_mut};

/// Per neuron of a layer (padding included): how the loss depends on its inputs in one sample.
#[derive(Clone, Debug, Default)]
pub struct LayerGradient<T> {
    /// When the neuron spiked; minus infinity if nothing depends on it.
    pub deadlines: Vec<T>,
    /// `dL/dw = by_current I_i + by_potential u_i` for an input before the deadline.
    pub by_current: Vec<T>,
    /// See `by_current`.
    pub by_potential: Vec<T>,
}

/// The same for the inputs' times: `dL/dt = w (by_current I_i + by_potential u_i)`.
#[derive(Clone, Debug, Default)]
pub(super) struct TimeGradient<T> {
    pub by_current: Vec<T>,
    pub by_potential: Vec<T>,
    /// The largest derivative of the loss by a neuron's potential at its spike.
    pub largest_factor: f64,
    /// Per neuron: how its inputs' reference is seen at its spike.
    currents: Vec<f64>,
    responses: Vec<f64>,
    decays: Vec<f64>,
}

impl<T: Element> TimeGradient<T> {
    /// Computes how neurons that spike see the reference. Apart from what follows: all operations of one
    /// register wait for one another, and the fewer there are until the next register's, the more of them
    /// the machine has in view.
    #[inline(always)]
    fn see_reference<S: Simd>(
        &mut self,
        simd: S,
        membrane: &Membrane,
        reference: f64,
        times: &[S::f64s],
    ) {
        let (zero, infinity) = (F64s::splat(simd, 0.0), F64s::splat(simd, f64::INFINITY));
        let reference = F64s::splat(simd, reference);
        for column in [&mut self.currents, &mut self.responses, &mut self.decays] {
            grow(column, times.len() * S::F64_LANES);
        }
        let currents = &mut registers_mut::<S>(&mut self.currents)[..times.len()];
        let responses = &mut registers_mut::<S>(&mut self.responses)[..times.len()];
        let decays = &mut registers_mut::<S>(&mut self.decays)[..times.len()];
        for index in 0..times.len() {
            let time = F64s::new(simd, times[index]);
            let offset = infinity.above(time).select(time - reference, zero);
            let Propagators { current, response, decay } = membrane.propagators(simd, offset);
            currents[index] = current.value();
            responses[index] = response.value();
            decays[index] = decay.value();
        }
    }
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
        for column in [
            &mut self.deadlines,
            &mut self.by_current,
            &mut self.by_potential,
            &mut times.by_current,
            &mut times.by_potential,
        ] {
            column.resize(count, T::default());
        }
        let [times_of, currents, by_time, thresholds] =
            [spikes.crossings(), &spikes.currents, by_time, thresholds]
                .map(|column| registers::<S>(&column[..count]));
        let all = |value| F64s::splat(simd, value);
        let (rate, inverse_capacitance) =
            (all(membrane.membrane_rate), all(membrane.inverse_capacitance));
        let (zero, infinity) = (all(0.0), all(f64::INFINITY));
        times.see_reference(simd, membrane, inputs.reference, times_of);
        let currents_seen = &registers::<S>(&times.currents)[..times_of.len()];
        let responses_seen = &registers::<S>(&times.responses)[..times_of.len()];
        let decays_seen = &registers::<S>(&times.decays)[..times_of.len()];
        let mut steepest = zero;
        for index in 0..times_of.len() {
            let time = F64s::new(simd, times_of[index]);
            let current_there = F64s::new(simd, currents[index]);
            let by_time = F64s::new(simd, by_time[index]);
            let threshold = F64s::new(simd, thresholds[index]);
            let spikes = infinity.above(time);
            let current = F64s::new(simd, currents_seen[index]);
            let response = F64s::new(simd, responses_seen[index]);
            let decay = F64s::new(simd, decays_seen[index]);
            let push = current * inverse_capacitance;
            let slope = push * current_there - rate * threshold;
            let magnitude = by_time.max(-by_time);
            let takes_part = spikes.and(magnitude.above(zero)).and(slope.above(zero));
            let factor = takes_part.select(by_time / slope, zero);
            steepest = steepest.max(factor.max(-factor));
            let deadline = takes_part.select(time, -infinity);
            for (column, values) in [
                (&mut self.deadlines, deadline),
                (&mut self.by_current, -(factor * response)),
                (&mut self.by_potential, -(factor * decay)),
                (&mut times.by_current, factor * (push - rate * response)),
                (&mut times.by_potential, -(factor * rate * decay)),
            ] {
                T::write_doubles::<S>(column, index, values.value());
            }
        }
        times.largest_factor = steepest.largest();
    }

    /// Discards the weight gradients of every neuron of which one is too large. Returns of how many.
    pub(super) fn guard(
        &mut self,
        inputs: &Inputs<T>,
        neurons: usize,
        guard: GradientGuard,
    ) -> u64 {
        let mut guarded = 0;
        for neuron in 0..neurons {
            let deadline = self.deadlines[neuron];
            let by_current = self.by_current[neuron].to_f64();
            let by_potential = self.by_potential[neuron].to_f64();
            let known = inputs.known();
            let gradients = (0..known.times.len())
                .take_while(|&input| known.times[input] < deadline)
                .map(|input| {
                    by_current * known.currents[input].to_f64()
                        + by_potential * known.potentials[input].to_f64()
                });
            if guard.discards(gradients) {
                self.by_current[neuron] = T::default();
                self.by_potential[neuron] = T::default();
                guarded += 1;
            }
        }
        guarded
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
        let (sums, coefficients) = (T::vectors_mut::<S>(sums), inputs.known());
        for part in tile.parts(T::lanes::<S>()) {
            match part.count {
                4 => self.add::<S, 4>(simd, &coefficients, &part, sums),
                3 => self.add::<S, 3>(simd, &coefficients, &part, sums),
                2 => self.add::<S, 2>(simd, &coefficients, &part, sums),
                _ => self.add::<S, 1>(simd, &coefficients, &part, sums),
            }
        }
    }

    #[inline(always)]
    fn add<S: Simd, const N: usize>(
        &self,
        simd: S,
        coefficients: &CoefficientColumns<'_, T>,
        part: &Part,
        sums: &mut [T::Vector<S>],
    ) {
        let columns = part.column..part.column + N * T::lanes::<S>();
        let deadlines: [_; N] = load(simd, &self.deadlines[columns.clone()]);
        let latest = latest(simd, &deadlines);
        let by_current: [_; N] = load(simd, &self.by_current[columns.clone()]);
        let by_potential: [_; N] = load(simd, &self.by_potential[columns]);
        for input in 0..coefficients.times.len() {
            // At once if nothing depends on any of these neurons.
            if !(coefficients.times[input] < latest) {
                break;
            }
            let time = T::splat(simd, coefficients.times[input]);
            let current = T::splat(simd, coefficients.currents[input]);
            let potential = T::splat(simd, coefficients.potentials[input]);
            let start = coefficients.rows[input] as usize * part.width + part.first;
            let row = &mut sums[start..start + N];
            for vector in 0..N {
                let gradient = T::multiply(simd, by_current[vector], current);
                let gradient = T::multiply_add(simd, by_potential[vector], potential, gradient);
                let causal = T::below(simd, time, deadlines[vector]);
                row[vector] = T::add(simd, row[vector], T::where_set(simd, causal, gradient));
            }
        }
    }

    /// Adds the derivative of the loss by the time of each input to that of its row.
    #[inline(always)]
    pub(super) fn time_gradients<S: Simd>(
        &self,
        simd: S,
        times: &TimeGradient<T>,
        tiling: Tiling,
        weights: &[T],
        inputs: &Inputs<T>,
        by_row: &mut [f64],
    ) {
        let coefficients = inputs.known();
        for tile in tiling.tiles() {
            let weights = &weights[tile.start..tile.start + tile.width * tiling.rows];
            let weights = T::vectors::<S>(weights);
            for part in tile.parts(T::lanes::<S>()) {
                match part.count {
                    4 => self.sum::<S, 4>(simd, times, weights, &part, &coefficients, by_row),
                    3 => self.sum::<S, 3>(simd, times, weights, &part, &coefficients, by_row),
                    2 => self.sum::<S, 2>(simd, times, weights, &part, &coefficients, by_row),
                    _ => self.sum::<S, 1>(simd, times, weights, &part, &coefficients, by_row),
                }
            }
        }
    }

    #[inline(always)]
    fn sum<S: Simd, const N: usize>(
        &self,
        simd: S,
        times: &TimeGradient<T>,
        weights: &[T::Vector<S>],
        part: &Part,
        coefficients: &CoefficientColumns<'_, T>,
        by_row: &mut [f64],
    ) {
        let columns = part.column..part.column + N * T::lanes::<S>();
        let deadlines: [_; N] = load(simd, &self.deadlines[columns.clone()]);
        let latest = latest(simd, &deadlines);
        let by_current: [_; N] = load(simd, &times.by_current[columns.clone()]);
        let by_potential: [_; N] = load(simd, &times.by_potential[columns]);
        for input in 0..coefficients.times.len() {
            // At once if nothing depends on any of these neurons.
            if !(coefficients.times[input] < latest) {
                break;
            }
            let time = T::splat(simd, coefficients.times[input]);
            let current = T::splat(simd, coefficients.currents[input]);
            let potential = T::splat(simd, coefficients.potentials[input]);
            let row = coefficients.rows[input] as usize;
            let start = row * part.width + part.first;
            let weights = &weights[start..start + N];
            let mut sum = T::splat(simd, T::default());
            for vector in 0..N {
                let gradient = T::multiply(simd, by_current[vector], current);
                let gradient = T::multiply_add(simd, by_potential[vector], potential, gradient);
                let causal = T::below(simd, time, deadlines[vector]);
                let gradient = T::where_set(simd, causal, gradient);
                sum = T::multiply_add(simd, weights[vector], gradient, sum);
            }
            by_row[row] += T::sum(simd, sum).to_f64();
        }
    }
}

/// The last of these deadlines.
#[inline(always)]
fn latest<S: Simd, T: Element, const N: usize>(simd: S, deadlines: &[T::Vector<S>; N]) -> T {
    let mut latest = deadlines[0];
    for &other in &deadlines[1..] {
        latest = T::select(simd, T::below(simd, latest, other), other, latest);
    }
    T::largest(simd, latest)
}

#[inline(always)]
fn load<S: Simd, T: Element, const N: usize>(simd: S, values: &[T]) -> [T::Vector<S>; N] {
    let mut loaded = [T::splat(simd, T::default()); N];
    loaded.copy_from_slice(&T::vectors::<S>(values)[..N]);
    loaded
}
