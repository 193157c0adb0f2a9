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

use super::crossing::{Crossings, Place, solve_one};
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
    /// Per neuron: its synaptic current at that moment, carried to the inputs' reference.
    pub currents: Vec<f64>,
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
        crossings: &mut Crossings,
        spikes: &mut LayerSpikes,
    ) {
        crossings.clear();
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

    /// Computes the crossings that were put aside.
    #[inline(always)]
    fn finish<S: Simd>(
        &self,
        simd: S,
        inputs: &Inputs<T>,
        crossings: &mut Crossings,
        spikes: &mut LayerSpikes,
    ) {
        let padded = self.tiling.padded_columns();
        let latest_of =
            |input: usize| inputs.arrivals.get(input + 1).map_or(f64::INFINITY, |next| next.time);
        spikes.times.clear();
        spikes.times.resize(padded, f64::INFINITY);
        spikes.currents.clear();
        spikes.currents.resize(padded, 0.0);
        let offset = |input: u32| inputs.arrivals[input as usize].time - inputs.reference;
        crossings.solve(simd, self.membrane, offset);
        for ((place, &elapsed), &current) in
            crossings.places.iter().zip(&crossings.elapsed).zip(&crossings.currents)
        {
            let input = place.input as usize;
            // Rounding may put a crossing beyond the inputs between which it is known to lie.
            let earliest = inputs.arrivals[input].time;
            let latest = latest_of(input);
            // Before the last input it is known to cross: if the solver sees no crossing, it is
            // because the peak lies within rounding of the threshold, at the next input.
            let time = if elapsed.is_nan() {
                latest
            } else {
                (inputs.reference + elapsed).clamp(earliest, latest)
            };
            spikes.times[place.neuron as usize] = time;
            spikes.currents[place.neuron as usize] = current;
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
        crossings: &mut Crossings,
    ) {
        let lanes = T::lanes::<S>();
        let mut thresholds = [T::INFINITY; COLUMNS];
        let mut waiting = 0;
        for (lane, threshold) in thresholds[..N * lanes].iter_mut().enumerate() {
            if part.column + lane < self.tiling.columns {
                *threshold = T::from_f64(self.thresholds[part.column + lane]);
                waiting += 1;
            }
        }
        let weights = T::vectors::<S>(part.weights);
        let mut state = State::<S, T, N> {
            current: [T::splat(simd, T::default()); N],
            potential: [T::splat(simd, T::default()); N],
        };
        for (index, (share, &gap)) in inputs.shares.iter().zip(&steps.gaps).enumerate() {
            let start = share.row as usize * part.width + part.first;
            state.add(simd, &weights[start..start + N], share);
            if gap == Gap::None {
                continue;
            }
            let hot = match gap {
                Gap::Short => state.tangent_reaches(simd, steps, index, &thresholds),
                Gap::Last => state.may_still_cross(simd, self.membrane, steps, index, &thresholds),
                _ => state.may_cross(simd, steps, index, &thresholds),
            };
            if !T::any(simd, any_of::<S, T, N>(simd, &hot)) {
                continue;
            }
            for (vector, &hot) in hot.iter().enumerate() {
                if !T::any(simd, hot) {
                    continue;
                }
                let mut lane_values = [[T::default(); LANES]; 3];
                let flags = T::where_set(simd, hot, T::splat(simd, T::INFINITY));
                for (values, register) in lane_values.iter_mut().zip([
                    flags,
                    state.current[vector],
                    state.potential[vector],
                ]) {
                    T::vectors_mut::<S>(values)[0] = register;
                }
                let [flags, currents, potentials] = &lane_values;
                for lane in 0..lanes {
                    if flags[lane] == T::default() {
                        continue;
                    }
                    let column = vector * lanes + lane;
                    let neuron = part.column + column;
                    let lane_state = (currents[lane].to_f64(), potentials[lane].to_f64());
                    if gap == Gap::Last
                        || self.crosses(
                            inputs,
                            steps,
                            index,
                            lane_state,
                            thresholds[column].to_f64(),
                        )
                    {
                        let place = Place { neuron: neuron as u32, input: index as u32 };
                        crossings.push(place, lane_state.0, lane_state.1, self.thresholds[neuron]);
                        thresholds[column] = T::INFINITY;
                        waiting -= 1;
                    }
                }
            }
            if waiting == 0 {
                return;
            }
        }
    }

    /// Whether a neuron crosses its threshold between an input and the next.
    #[inline(always)]
    fn crosses(
        &self,
        inputs: &Inputs<T>,
        steps: &Steps<T>,
        index: usize,
        state: (f64, f64),
        threshold: f64,
    ) -> bool {
        steps.here.of(index + 1, state) >= threshold
            || steps.slope.of(index + 1, state) < 0.0
                && self.crosses_at_a_peak(inputs, steps, index, state, threshold)
    }

    /// The peak lies between the inputs, unless the potential has been falling all along.
    #[cold]
    fn crosses_at_a_peak(
        &self,
        inputs: &Inputs<T>,
        steps: &Steps<T>,
        index: usize,
        (current, potential): (f64, f64),
        threshold: f64,
    ) -> bool {
        let offset = inputs.arrivals[index].time - inputs.reference;
        self.membrane.slope(&steps.view(index)).of(current, potential) > 0.0
            && solve_one(self.membrane, current, potential, threshold, offset).is_finite()
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
        thresholds: &[T; COLUMNS],
    ) -> [T::Mask<S>; N] {
        let thresholds = T::vectors::<S>(thresholds);
        from_fn(|vector| {
            let reached = self.form(simd, &steps.tangent, index, vector);
            T::at_least(simd, reached, thresholds[vector])
        })
    }

    /// Where the potential is above the threshold at the next input, or falls there after a tangent
    /// that reached it.
    #[inline(always)]
    fn may_cross(
        &self,
        simd: S,
        steps: &Steps<T>,
        index: usize,
        thresholds: &[T; COLUMNS],
    ) -> [T::Mask<S>; N] {
        let thresholds = T::vectors::<S>(thresholds);
        let zero = T::splat(simd, T::default());
        from_fn(|vector| {
            let threshold = thresholds[vector];
            let tangent = self.form(simd, &steps.tangent, index, vector);
            let next = self.form(simd, &steps.here, index + 1, vector);
            let slope = self.form(simd, &steps.slope, index + 1, vector);
            let falls = T::below(simd, slope, zero);
            let peak = T::and(simd, T::at_least(simd, tangent, threshold), falls);
            T::or(simd, T::at_least(simd, next, threshold), peak)
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
        thresholds: &[T; COLUMNS],
    ) -> [T::Mask<S>; N] {
        let thresholds = T::vectors::<S>(thresholds);
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
