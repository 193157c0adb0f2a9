//! The forward pass of one layer and sample: all neurons of a tile side by side, input after input.
//!
//! Each input adds its share to the sums of all neurons (two multiply-adds per synapse). Whether a
//! neuron crosses before the next input is decided by linear forms of its two sums. Between two inputs
//! the potential has at most one extremum and is concave up to it, so it crosses if and only if
//!
//! * it is at or above the threshold at the next input, or
//! * it falls there already, and its peak in between reaches the threshold; then so does the tangent at
//!   the input before.
//!
//! Only in the second, rare case is the crossing itself computed at once. Otherwise the state is put
//! aside, and the crossings of a layer are computed together when all inputs have been seen
//! ([`super::crossing`]).

use pulp::{Simd, WithSimd};

use super::crossing::{Crossings, CrossingsPart, LayerSpikes, closed_form, general};
use super::elementary::Doubles;
use super::inputs::{BLOCK, Block, Inputs, Steps};
use super::lanes::Element;
use super::membrane::{LayerNeurons, Membrane, View};
use super::tiles::{Part, REGISTERS, Tiling};
use crate::neuron::Ratio;

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
        let mut state = State::<S, T, N> { current: [zero; N], potential: [zero; N] };
        let mut next = 0;
        while next < inputs.count {
            if next == inputs.shares.count {
                inputs.prepare(simd, &self.neurons.membrane, steps);
            }
            let shares = inputs.columns(next..inputs.shares.count.min(next + BLOCK));
            let block = steps.block(next);
            for index in 0..shares.rows.len() {
                let start = shares.rows[index] as usize * part.width + part.first;
                let row = &weights[start..start + N];
                state.add(simd, row, shares.currents[index], shares.potentials[index]);
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
                    let view = block.view(index);
                    let crossed =
                        self.crossed_at_peaks(simd, &view, offset, &peaks, &state, &waiting);
                    waiting.found(simd, &crossed, &state, input, &mut found);
                }
                if T::any(simd, any_of::<S, T, N>(simd, &crosses)) {
                    waiting.found(simd, &crosses, &state, input, &mut found);
                    if waiting.is_over(simd) {
                        return;
                    }
                }
            }
            next += shares.rows.len();
        }
    }

    /// Of neurons whose potential may have risen above the threshold and fallen below it again before
    /// the next input, those that did.
    #[inline(always)]
    fn crossed_at_peaks<S: Simd, const N: usize>(
        &self,
        simd: S,
        view: &View,
        offset: f64,
        peaks: &[T::Mask<S>; N],
        state: &State<S, T, N>,
        waiting: &Waiting<S, T, N>,
    ) -> [T::Mask<S>; N] {
        let one = T::splat(simd, T::from_f64(1.0));
        let mut found = [T::nowhere(simd); N];
        for vector in 0..N {
            if T::any(simd, peaks[vector]) {
                let mut lanes = [[T::default(); LANES]; 4];
                T::vectors_mut::<S>(&mut lanes[0])[0] = T::where_set(simd, peaks[vector], one);
                T::vectors_mut::<S>(&mut lanes[1])[0] = state.current[vector];
                T::vectors_mut::<S>(&mut lanes[2])[0] = state.potential[vector];
                T::vectors_mut::<S>(&mut lanes[3])[0] = waiting.thresholds[vector];
                let membrane = &self.neurons.membrane;
                simd.vectorize(Peaks { membrane, view, offset, lanes: &mut lanes });
                found[vector] = T::at_least(simd, T::vectors::<S>(&lanes[0])[0], one);
            }
        }
        found
    }
}

/// A look at the peaks of one register of neurons, as a function of its own: the sweep keeps its
/// registers.
struct Peaks<'a, T> {
    membrane: &'a Membrane,
    view: &'a View,
    /// Of the input before the peaks, from the reference.
    offset: f64,
    /// Flags (one for those to be looked at, cleared for those that did not cross), currents, potentials
    /// and thresholds.
    lanes: &'a mut [[T; LANES]; 4],
}

impl<T: Element> WithSimd for Peaks<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Peaks { membrane, view, offset, lanes: [flags, currents, potentials, thresholds] } = self;
        let slope = membrane.slope(view);
        if membrane.ratio == Ratio::General {
            let neurons = currents.iter().zip(potentials).zip(thresholds);
            for (flag, ((current, potential), threshold)) in flags.iter_mut().zip(neurons) {
                let [current, potential] = [current.to_f64(), potential.to_f64()];
                let state = (current, potential);
                // The peak lies between the inputs, unless the potential has been falling all along.
                let crosses = flag.to_f64() != 0.0
                    && slope.of(current, potential) > 0.0
                    && general(membrane, state, threshold.to_f64(), offset).is_some();
                *flag = T::from_f64(if crosses { 1.0 } else { 0.0 });
            }
            return;
        }
        let all = |value| Doubles::splat(simd, value);
        let zero = all(0.0);
        for register in 0..T::lanes::<S>() / S::F64_LANES {
            let [current, potential, threshold] = [&*currents, &*potentials, &*thresholds]
                .map(|column| Doubles::new(simd, T::read_doubles::<S>(column, register)));
            let flag = Doubles::new(simd, T::read_doubles::<S>(flags, register));
            let rises = all(slope.current) * current + all(slope.potential) * potential;
            let (_, exists) = closed_form(simd, membrane, current, potential, threshold);
            let crosses = rises.above(zero).and(exists);
            T::write_doubles::<S>(flags, register, crosses.select(flag, zero).value());
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
        let mut rounded = [T::INFINITY; COLUMNS];
        for (rounded, &threshold) in rounded.iter_mut().zip(thresholds) {
            *rounded = T::from_f64(threshold);
        }
        let mut thresholds = [T::splat(simd, T::default()); N];
        thresholds.copy_from_slice(&T::vectors::<S>(&rounded)[..N]);
        Waiting { thresholds }
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

/// The running sums of `N` registers of neurons, carried to the reference.
struct State<S: Simd, T: Element, const N: usize> {
    current: [T::Vector<S>; N],
    potential: [T::Vector<S>; N],
}

impl<S: Simd, T: Element, const N: usize> State<S, T, N> {
    /// Adds an input.
    #[inline(always)]
    fn add(&mut self, simd: S, row: &[T::Vector<S>], by_current: T, by_potential: T) {
        let by_current = T::splat(simd, by_current);
        let by_potential = T::splat(simd, by_potential);
        let sums = self.current.iter_mut().zip(&mut self.potential);
        for ((current, potential), &weight) in sums.zip(row) {
            *current = T::multiply_add(simd, weight, by_current, *current);
            *potential = T::multiply_add(simd, weight, by_potential, *potential);
        }
    }

    /// A linear form of all neurons.
    #[inline(always)]
    fn forms(&self, simd: S, [by_current, by_potential]: [T; 2]) -> [T::Vector<S>; N] {
        let by_current = T::splat(simd, by_current);
        let by_potential = T::splat(simd, by_potential);
        let mut forms = self.current;
        for (form, &potential) in forms.iter_mut().zip(&self.potential) {
            let part = T::multiply(simd, *form, by_current);
            *form = T::multiply_add(simd, potential, by_potential, part);
        }
        forms
    }

    /// After the last input: where the potential rises, and what is left of the current could lift it
    /// to the threshold.
    #[inline(always)]
    fn may_still_cross(
        &self,
        simd: S,
        membrane: &Membrane,
        block: &Block<T>,
        index: usize,
        thresholds: &[T::Vector<S>; N],
    ) -> [T::Mask<S>; N] {
        let zero = T::splat(simd, T::default());
        let view = block.view(index);
        // A little more than the most, for the sake of rounding.
        let most = view.current * membrane.largest_response * (1.0 + 1e-6);
        let most = T::splat(simd, T::from_f64(most));
        let potential = self.forms(simd, block.potential.at(index));
        let slopes = self.forms(simd, block.slope.at(index));
        let mut masks = [T::nowhere(simd); N];
        for (vector, mask) in masks.iter_mut().enumerate() {
            let (threshold, here, slope) = (thresholds[vector], potential[vector], slopes[vector]);
            let lift = T::multiply(simd, self.current[vector], most);
            let reached = T::multiply_add(simd, self.current[vector], most, here);
            let could = T::or(
                simd,
                T::at_least(simd, reached, threshold),
                T::at_least(simd, lift, threshold),
            );
            *mask = T::and(simd, could, T::below(simd, zero, slope));
        }
        masks
    }
}

#[inline(always)]
fn at_least<S: Simd, T: Element, const N: usize>(
    simd: S,
    values: &[T::Vector<S>; N],
    thresholds: &[T::Vector<S>; N],
) -> [T::Mask<S>; N] {
    let mut masks = [T::nowhere(simd); N];
    for vector in 0..N {
        masks[vector] = T::at_least(simd, values[vector], thresholds[vector]);
    }
    masks
}

#[inline(always)]
fn any_of<S: Simd, T: Element, const N: usize>(simd: S, masks: &[T::Mask<S>; N]) -> T::Mask<S> {
    let mut found = masks[0];
    for &mask in &masks[1..] {
        found = T::or(simd, found, mask);
    }
    found
}
