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

use std::array::from_fn;

use pulp::Simd;

use super::crossing::{Crossings, crosses_after};
use super::elementary::{Doubles, registers_mut};
use super::inputs::{FormColumns, Gap, Inputs, Share, Steps};
use super::lanes::Element;
use super::membrane::Membrane;
use super::tiles::Tiling;

/// Registers per sum and sub-tile.
const WIDEST: usize = 4;
/// Most columns of a sub-tile.
const COLUMNS: usize = WIDEST * LANES;
/// Most lanes of a register.
const LANES: usize = 16;

/// What one layer does in one sample.
#[derive(Clone, Debug, Default)]
pub struct LayerSpikes {
    /// Per neuron (padding included): when it first spikes, in time units; infinite if it does not.
    pub times: Vec<f64>,
    /// Per neuron: its synaptic current when it crosses its threshold, carried to the inputs'
    /// reference.
    pub currents: Vec<f64>,
    /// Per neuron: when it crosses its threshold, if that is not when it spikes: with dendritic delays
    /// it spikes that much later.
    pub crossings: Vec<f64>,
}

impl LayerSpikes {
    /// Per neuron: when it crosses its threshold, on the clock of its inputs.
    pub(super) fn crossings(&self) -> &[f64] {
        if self.crossings.is_empty() { &self.times } else { &self.crossings }
    }

    /// Puts the spikes off by each neuron's delay.
    pub(super) fn delay(&mut self, delays: &[f64]) {
        self.crossings.clear();
        self.crossings.extend_from_slice(&self.times);
        for (time, delay) in self.times.iter_mut().zip(delays) {
            *time += delay;
        }
    }
}

/// A layer as the sweep sees it. Thresholds are padded with infinity.
#[derive(Clone, Copy, Debug)]
pub struct SweptLayer<'a, T> {
    pub membrane: &'a Membrane,
    pub thresholds: &'a [f64],
    pub tiling: Tiling,
    pub weights: &'a [T],
}

impl<T: Element> SweptLayer<'_, T> {
    /// Runs the layer and writes its spikes.
    #[inline(always)]
    pub fn run<S: Simd>(
        &self,
        simd: S,
        inputs: &Inputs<T>,
        steps: &Steps<T>,
        crossings: &mut Crossings<T>,
        spikes: &mut LayerSpikes,
    ) {
        crossings.grow(self.tiling.padded_columns());
        let lanes = T::lanes::<S>();
        for tile in self.tiling.tiles() {
            let weights = &self.weights[tile.start..tile.start + tile.width * self.tiling.rows];
            let vectors = tile.width / lanes;
            let mut first = 0;
            while first < vectors {
                let count = WIDEST.min(vectors - first);
                let part =
                    Part { weights, width: vectors, first, column: tile.column + first * lanes };
                match count {
                    4 => self.sweep::<S, 4>(simd, inputs, steps, &part, crossings),
                    3 => self.sweep::<S, 3>(simd, inputs, steps, &part, crossings),
                    2 => self.sweep::<S, 2>(simd, inputs, steps, &part, crossings),
                    _ => self.sweep::<S, 1>(simd, inputs, steps, &part, crossings),
                }
                first += count;
            }
        }
        self.finish(simd, inputs, crossings, spikes);
    }

    /// Computes the crossings that were found.
    #[inline(always)]
    fn finish<S: Simd>(
        &self,
        simd: S,
        inputs: &Inputs<T>,
        crossings: &mut Crossings<T>,
        spikes: &mut LayerSpikes,
    ) {
        let padded = self.tiling.padded_columns();
        spikes.times.resize(padded, f64::INFINITY);
        spikes.currents.resize(padded, 0.0);
        let offset = |input: usize| inputs.arrivals[input].time - inputs.reference;
        let last = inputs.arrivals.len().saturating_sub(1);
        let LayerSpikes { times, currents, .. } = spikes;
        crossings.solve(simd, self.membrane, self.thresholds, last, offset, currents, times);
        let reference = Doubles::splat(simd, inputs.reference);
        for time in registers_mut::<S>(times) {
            *time = (reference + Doubles::new(simd, *time)).value();
        }
    }

    /// Sweeps `N` registers of neurons over all inputs.
    #[inline(always)]
    fn sweep<S: Simd, const N: usize>(
        &self,
        simd: S,
        inputs: &Inputs<T>,
        steps: &Steps<T>,
        part: &Part<'_, T>,
        crossings: &mut Crossings<T>,
    ) {
        let lanes = T::lanes::<S>();
        let columns = part.column..part.column + N * lanes;
        let mut waiting = Waiting::<S, T, N>::new(simd, &self.thresholds[columns.clone()]);
        let weights = T::vectors::<S>(part.weights);
        let zero = T::splat(simd, T::default());
        let mut state = State::<S, T, N> { current: [zero; N], potential: [zero; N] };
        for (index, (share, &gap)) in inputs.shares.iter().zip(&steps.gaps).enumerate() {
            let start = share.row as usize * part.width + part.first;
            state.add(simd, &weights[start..start + N], share);
            let thresholds = &waiting.thresholds;
            match gap {
                Gap::None => continue,
                Gap::Short => {
                    let reached = state.tangent_reaches(simd, steps, index, thresholds);
                    if !T::any(simd, any_of::<S, T, N>(simd, &reached)) {
                        continue;
                    }
                }
                Gap::Long => (),
                Gap::Last => {
                    let may = state.may_still_cross(simd, self.membrane, steps, index, thresholds);
                    waiting.found(simd, &may, &state, index);
                    break;
                }
            }
            let crosses = state.is_above(simd, steps, index + 1, thresholds);
            let peaks = state.may_have_peaked(simd, steps, index, thresholds);
            if T::any(simd, any_of::<S, T, N>(simd, &peaks)) {
                self.look_at_peaks(simd, inputs, steps, index, &peaks, &state, &mut waiting);
            }
            if T::any(simd, any_of::<S, T, N>(simd, &crosses)) {
                waiting.found(simd, &crosses, &state, index);
                if waiting.is_over(simd) {
                    break;
                }
            }
        }
        waiting.write(crossings, columns.start);
    }

    /// Decides about neurons whose potential may have risen above the threshold and fallen below it
    /// again before the next input.
    #[cold]
    #[expect(clippy::too_many_arguments, reason = "the state of one loop")]
    fn look_at_peaks<S: Simd, const N: usize>(
        &self,
        simd: S,
        inputs: &Inputs<T>,
        steps: &Steps<T>,
        index: usize,
        peaks: &[T::Mask<S>; N],
        state: &State<S, T, N>,
        waiting: &mut Waiting<S, T, N>,
    ) {
        let lanes = T::lanes::<S>();
        let one = T::splat(simd, T::from_f64(1.0));
        let mut found = [[T::default(); LANES]; N];
        for vector in 0..N {
            let mut values = [[T::default(); LANES]; 4];
            let columns = [
                T::where_set(simd, peaks[vector], one),
                state.current[vector],
                state.potential[vector],
                waiting.thresholds[vector],
            ];
            for (values, column) in values.iter_mut().zip(columns) {
                T::vectors_mut::<S>(values)[0] = column;
            }
            for lane in 0..lanes {
                let [flag, current, potential, threshold] = [0, 1, 2, 3].map(|of| values[of][lane]);
                let (current, potential) = (current.to_f64(), potential.to_f64());
                // The peak lies between the inputs, unless the potential has been falling all along.
                let rises = self.membrane.slope(&steps.view(index)).of(current, potential) > 0.0;
                let offset = inputs.arrivals[index].time - inputs.reference;
                let crosses = flag != T::default()
                    && rises
                    && crosses_after(self.membrane, current, potential, threshold.to_f64(), offset);
                found[vector][lane] = T::from_f64(if crosses { 1.0 } else { 0.0 });
            }
        }
        let found: [_; N] =
            from_fn(|vector| T::at_least(simd, T::vectors::<S>(&found[vector])[0], one));
        waiting.found(simd, &found, state, index);
    }
}

/// The neurons that have not crossed yet, and what is known of those that have.
struct Waiting<S: Simd, T: Element, const N: usize> {
    /// Infinite for those that have crossed.
    thresholds: [T::Vector<S>; N],
    inputs: [T::Vector<S>; N],
    currents: [T::Vector<S>; N],
    potentials: [T::Vector<S>; N],
}

impl<S: Simd, T: Element, const N: usize> Waiting<S, T, N> {
    #[inline(always)]
    fn new(simd: S, thresholds: &[f64]) -> Self {
        let mut rounded = [T::INFINITY; COLUMNS];
        for (rounded, &threshold) in rounded.iter_mut().zip(thresholds) {
            *rounded = T::from_f64(threshold);
        }
        let zero = T::splat(simd, T::default());
        Waiting {
            thresholds: from_fn(|vector| T::vectors::<S>(&rounded)[vector]),
            inputs: [T::splat(simd, T::from_f64(Crossings::<T>::NEVER)); N],
            currents: [zero; N],
            potentials: [zero; N],
        }
    }

    /// These cross after this input.
    #[inline(always)]
    fn found(&mut self, simd: S, crosses: &[T::Mask<S>; N], state: &State<S, T, N>, index: usize) {
        let input = T::splat(simd, T::from_f64(index as f64));
        let never = T::splat(simd, T::INFINITY);
        for (vector, &crosses) in crosses.iter().enumerate() {
            let put = |place: &mut T::Vector<S>, value| {
                *place = T::select(simd, crosses, value, *place);
            };
            put(&mut self.thresholds[vector], never);
            put(&mut self.inputs[vector], input);
            put(&mut self.currents[vector], state.current[vector]);
            put(&mut self.potentials[vector], state.potential[vector]);
        }
    }

    /// Whether all have crossed.
    #[inline(always)]
    fn is_over(&self, simd: S) -> bool {
        let never = T::splat(simd, T::INFINITY);
        let waits = from_fn(|vector| T::below(simd, self.thresholds[vector], never));
        !T::any(simd, any_of::<S, T, N>(simd, &waits))
    }

    #[inline(always)]
    fn write(&self, crossings: &mut Crossings<T>, column: usize) {
        let columns = column..column + N * T::lanes::<S>();
        T::vectors_mut::<S>(&mut crossings.inputs[columns.clone()]).copy_from_slice(&self.inputs);
        T::vectors_mut::<S>(&mut crossings.currents[columns.clone()])
            .copy_from_slice(&self.currents);
        T::vectors_mut::<S>(&mut crossings.potentials[columns]).copy_from_slice(&self.potentials);
    }
}

/// The columns of a tile that are swept together.
struct Part<'a, T> {
    weights: &'a [T],
    /// Registers per row of the tile.
    width: usize,
    /// The first of these columns, in registers.
    first: usize,
    /// The first of these columns in the layer.
    column: usize,
}

/// The running sums of `N` registers of neurons, carried to the reference.
struct State<S: Simd, T: Element, const N: usize> {
    current: [T::Vector<S>; N],
    potential: [T::Vector<S>; N],
}

impl<S: Simd, T: Element, const N: usize> State<S, T, N> {
    /// Adds an input.
    #[inline(always)]
    fn add(&mut self, simd: S, row: &[T::Vector<S>], share: &Share<T>) {
        let by_current = T::splat(simd, share.current);
        let by_potential = T::splat(simd, share.potential);
        let sums = self.current.iter_mut().zip(&mut self.potential);
        for ((current, potential), &weight) in sums.zip(row) {
            *current = T::multiply_add(simd, weight, by_current, *current);
            *potential = T::multiply_add(simd, weight, by_potential, *potential);
        }
    }

    /// A linear form of one register of neurons.
    #[inline(always)]
    fn form(&self, simd: S, columns: &FormColumns<T>, index: usize, vector: usize) -> T::Vector<S> {
        let by_current = T::splat(simd, columns.current[index]);
        let by_potential = T::splat(simd, columns.potential[index]);
        let part = T::multiply(simd, self.current[vector], by_current);
        T::multiply_add(simd, self.potential[vector], by_potential, part)
    }

    /// Where the tangent at this input reaches the threshold before the next.
    #[inline(always)]
    fn tangent_reaches(
        &self,
        simd: S,
        steps: &Steps<T>,
        index: usize,
        thresholds: &[T::Vector<S>; N],
    ) -> [T::Mask<S>; N] {
        from_fn(|vector| {
            let reached = self.form(simd, &steps.tangent, index, vector);
            T::at_least(simd, reached, thresholds[vector])
        })
    }

    /// Where the potential is at or above the threshold at an input.
    #[inline(always)]
    fn is_above(
        &self,
        simd: S,
        steps: &Steps<T>,
        index: usize,
        thresholds: &[T::Vector<S>; N],
    ) -> [T::Mask<S>; N] {
        from_fn(|vector| {
            let reached = self.form(simd, &steps.here, index, vector);
            T::at_least(simd, reached, thresholds[vector])
        })
    }

    /// Where the potential is below the threshold at the next input and falls there, after a tangent
    /// that reached it.
    #[inline(always)]
    fn may_have_peaked(
        &self,
        simd: S,
        steps: &Steps<T>,
        index: usize,
        thresholds: &[T::Vector<S>; N],
    ) -> [T::Mask<S>; N] {
        let zero = T::splat(simd, T::default());
        let reached = self.tangent_reaches(simd, steps, index, thresholds);
        from_fn(|vector| {
            let falls = T::below(simd, self.form(simd, &steps.slope, index + 1, vector), zero);
            let next = self.form(simd, &steps.here, index + 1, vector);
            let below = T::below(simd, next, thresholds[vector]);
            T::and(simd, T::and(simd, reached[vector], falls), below)
        })
    }

    /// After the last input: where the potential rises, and what is left of the current could lift it
    /// to the threshold.
    #[inline(always)]
    fn may_still_cross(
        &self,
        simd: S,
        membrane: &Membrane,
        steps: &Steps<T>,
        index: usize,
        thresholds: &[T::Vector<S>; N],
    ) -> [T::Mask<S>; N] {
        let zero = T::splat(simd, T::default());
        let view = steps.view(index);
        // A little more than the most, for the sake of rounding.
        let most = view.current * membrane.largest_response * (1.0 + 1e-6);
        let most = T::splat(simd, T::from_f64(most));
        from_fn(|vector| {
            let threshold = thresholds[vector];
            let here = self.form(simd, &steps.here, index, vector);
            let slope = self.form(simd, &steps.slope, index, vector);
            let lift = T::multiply(simd, self.current[vector], most);
            let reached = T::multiply_add(simd, self.current[vector], most, here);
            let could = T::or(
                simd,
                T::at_least(simd, reached, threshold),
                T::at_least(simd, lift, threshold),
            );
            T::and(simd, could, T::below(simd, zero, slope))
        })
    }
}

#[inline(always)]
fn any_of<S: Simd, T: Element, const N: usize>(simd: S, masks: &[T::Mask<S>; N]) -> T::Mask<S> {
    masks[1..].iter().fold(masks[0], |found, &mask| T::or(simd, found, mask))
}
