//! The forward pass of one layer and sample: all neurons of a tile side by side, input after input.
//!
//! Each input adds its effect to the sums of all neurons (two multiply-adds per synapse). Whether a
//! neuron crosses before the next input is decided by linear forms of its two sums. Between two inputs
//! the potential has at most one extremum and is concave up to it, so it crosses if and only if
//!
//! * it is at or above the threshold at the next input, or
//! * it falls there already, and its peak in between reaches the threshold; then so does the tangent at
//!   the input before.
//!
//! Only in the second, rare case is the crossing itself computed at once. Otherwise the state is put
//! aside, and the crossings of a layer are computed together when all inputs have been seen
//! ([`super::crossings`]).

mod peaks;
mod state;

use pulp::{Simd, WithSimd};

use self::peaks::crossed_at_peaks;
use self::state::{State, any_of, at_least, rounded};
use super::crossings::{Crossings, CrossingsPart, LayerSpikes};
use super::inputs::{BLOCK, Inputs, Steps};
use crate::engine::layered::LayerNeurons;
use crate::engine::layered::tiles::{Part, REGISTERS, Tiling};
use crate::simd::Element;

/// Most columns of a part.
const COLUMNS: usize = REGISTERS * LANES;
/// Most lanes of a register.
const LANES: usize = 16;

/// A layer as the sweep sees it.
#[derive(Clone, Copy, Debug)]
pub struct SweptLayer<'a, T> {
    pub neurons: &'a LayerNeurons,
    pub tiling: Tiling,
    pub weights: &'a [T],
}

impl<T: Element> SweptLayer<'_, T> {
    /// Runs the layer and writes its spikes.
    #[inline(always)]
    pub fn run<S: Simd>(
        &self,
        simd: S,
        inputs: &mut Inputs<T>,
        steps: &mut Steps<T>,
        crossings: &mut Crossings<T>,
        spikes: &mut LayerSpikes,
    ) {
        crossings.grow(self.tiling.padded_columns());
        for tile in self.tiling.tiles() {
            let weights = &self.weights[tile.start..tile.start + tile.width * self.tiling.rows];
            for part in tile.parts(T::lanes::<S>()) {
                match part.count {
                    4 => self.sweep_apart::<S, 4>(simd, weights, part, inputs, steps, crossings),
                    3 => self.sweep_apart::<S, 3>(simd, weights, part, inputs, steps, crossings),
                    2 => self.sweep_apart::<S, 2>(simd, weights, part, inputs, steps, crossings),
                    _ => self.sweep_apart::<S, 1>(simd, weights, part, inputs, steps, crossings),
                }
            }
        }
        crossings.solve(simd, self.neurons, inputs, spikes);
    }

    #[inline(always)]
    fn sweep_apart<S: Simd, const N: usize>(
        &self,
        simd: S,
        weights: &[T],
        part: Part,
        inputs: &mut Inputs<T>,
        steps: &mut Steps<T>,
        crossings: &mut Crossings<T>,
    ) {
        let layer = *self;
        simd.vectorize(Sweep::<T, N> { layer, weights, part, inputs, steps, crossings });
    }

    /// Sweeps `N` registers of neurons over all inputs.
    #[inline(always)]
    fn sweep<S: Simd, const N: usize>(
        &self,
        simd: S,
        weights: &[T],
        part: &Part,
        inputs: &mut Inputs<T>,
        steps: &mut Steps<T>,
        crossings: &mut Crossings<T>,
    ) {
        let columns = part.column..part.column + N * T::lanes::<S>();
        let mut waiting = Waiting::<S, T, N>::new(simd, &self.neurons.thresholds[columns.clone()]);
        let mut found = crossings.part(columns);
        found.inputs.fill(T::from_f64(Crossings::<T>::NEVER));
        let weights = T::vectors::<S>(weights);
        let zero = T::splat(simd, T::default());
        let mut state = State::<S, T, N>::new(simd);
        let mut next = 0;
        while next < inputs.count {
            if next == inputs.coefficients.count {
                inputs.prepare(simd, &self.neurons.membrane, steps);
            }
            let coefficients = inputs.columns(next..inputs.coefficients.count.min(next + BLOCK));
            let block = steps.block(next);
            for index in 0..coefficients.rows.len() {
                let start = coefficients.rows[index] as usize * part.width + part.first;
                let row = &weights[start..start + N];
                state.add(simd, row, coefficients.currents[index], coefficients.potentials[index]);
                let thresholds = &waiting.thresholds;
                if next + index + 1 == inputs.count {
                    let membrane = &self.neurons.membrane;
                    let may = state.may_still_cross(simd, membrane, block, index, thresholds);
                    waiting.found(simd, &may, &state, next + index, &mut found);
                    return;
                }
                let tangent = state.forms(simd, block.tangent.at(index));
                let reached = at_least::<S, T, N>(simd, &tangent, thresholds);
                if !T::any(simd, any_of::<S, T, N>(simd, &reached)) {
                    continue;
                }
                let potential = state.forms(simd, block.potential.at(index + 1));
                let slope = state.forms(simd, block.slope.at(index + 1));
                let crosses = at_least::<S, T, N>(simd, &potential, thresholds);
                let mut peaks = reached;
                for vector in 0..N {
                    let falls = T::below(simd, slope[vector], zero);
                    let below = T::below(simd, potential[vector], thresholds[vector]);
                    peaks[vector] = T::and(simd, peaks[vector], T::and(simd, falls, below));
                }
                let input = next + index;
                if T::any(simd, any_of::<S, T, N>(simd, &peaks)) {
                    let offset = inputs.sorted.times[input] - inputs.reference;
                    let (membrane, slope) = (&self.neurons.membrane, block.slope.at(index));
                    let thresholds = &waiting.thresholds;
                    let crossed =
                        crossed_at_peaks(simd, membrane, slope, offset, &peaks, &state, thresholds);
                    waiting.found(simd, &crossed, &state, input, &mut found);
                }
                if T::any(simd, any_of::<S, T, N>(simd, &crosses)) {
                    waiting.found(simd, &crosses, &state, input, &mut found);
                    if waiting.is_over(simd) {
                        return;
                    }
                }
            }
            next += coefficients.rows.len();
        }
    }
}

/// The sweep of `N` registers, as a function of its own: it needs all registers of the machine.
struct Sweep<'a, T, const N: usize> {
    layer: SweptLayer<'a, T>,
    weights: &'a [T],
    part: Part,
    inputs: &'a mut Inputs<T>,
    steps: &'a mut Steps<T>,
    crossings: &'a mut Crossings<T>,
}

impl<T: Element, const N: usize> WithSimd for Sweep<'_, T, N> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Sweep { layer, weights, part, inputs, steps, crossings } = self;
        layer.sweep::<S, N>(simd, weights, &part, inputs, steps, crossings);
    }
}

/// The neurons that have not crossed yet: thresholds, infinite for those that have.
struct Waiting<S: Simd, T: Element, const N: usize> {
    thresholds: [T::Vector<S>; N],
}

impl<S: Simd, T: Element, const N: usize> Waiting<S, T, N> {
    #[inline(always)]
    fn new(simd: S, thresholds: &[f64]) -> Self {
        Waiting { thresholds: rounded::<S, T, N>(simd, thresholds) }
    }

    /// These cross after this input. Their states go to memory: the registers are for the sums.
    #[inline(always)]
    fn found(
        &mut self,
        simd: S,
        crosses: &[T::Mask<S>; N],
        state: &State<S, T, N>,
        index: usize,
        found: &mut CrossingsPart<'_, T>,
    ) {
        let input = T::splat(simd, T::from_f64(index as f64));
        let never = T::splat(simd, T::INFINITY);
        let inputs = T::vectors_mut::<S>(found.inputs);
        let currents = T::vectors_mut::<S>(found.currents);
        let potentials = T::vectors_mut::<S>(found.potentials);
        // Without asking whether there is any: that is hardly ever foreseen.
        for vector in 0..N {
            let crosses = crosses[vector];
            self.thresholds[vector] = T::select(simd, crosses, never, self.thresholds[vector]);
            inputs[vector] = T::select(simd, crosses, input, inputs[vector]);
            currents[vector] = T::select(simd, crosses, state.current[vector], currents[vector]);
            potentials[vector] =
                T::select(simd, crosses, state.potential[vector], potentials[vector]);
        }
    }

    /// Whether all have crossed.
    #[inline(always)]
    fn is_over(&self, simd: S) -> bool {
        let never = T::splat(simd, T::INFINITY);
        let mut waits = T::nowhere(simd);
        for &threshold in &self.thresholds {
            waits = T::or(simd, waits, T::below(simd, threshold, never));
        }
        !T::any(simd, waits)
    }
}
