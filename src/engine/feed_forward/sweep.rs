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
use super::inputs::{Gap, Inputs, Step, Steps};
use super::lanes::Element;
use super::membrane::{Membrane, View};
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
                let part = Part {
                    weights,
                    width: vectors,
                    first,
                    column: tile.column + first * lanes,
                };
                match count {
                    4 => self.sweep::<S, 4>(simd, inputs, steps, &part, crossings),
                    3 => self.sweep::<S, 3>(simd, inputs, steps, &part, crossings),
                    2 => self.sweep::<S, 2>(simd, inputs, steps, &part, crossings),
                    _ => self.sweep::<S, 1>(simd, inputs, steps, &part, crossings),
                }
                first += count;
            }
        }
        self.finish::<S>(inputs, crossings, spikes);
    }

    /// Computes the crossings that were put aside.
    #[inline(always)]
    fn finish<S: Simd>(
        &self,
        inputs: &Inputs<T>,
        crossings: &mut Crossings,
        spikes: &mut LayerSpikes,
    ) {
        let padded = self.tiling.padded_columns();
        spikes.times.clear();
        spikes.times.resize(padded, f64::INFINITY);
        spikes.currents.clear();
        spikes.currents.resize(padded, 0.0);
        let offset = |input: u32| inputs.arrivals[input as usize].time - inputs.reference;
        crossings.solve::<S>(self.membrane, offset);
        for ((place, &elapsed), &current) in
            crossings.places.iter().zip(&crossings.elapsed).zip(&crossings.currents)
        {
            let input = place.input as usize;
            // Rounding may put a crossing beyond the inputs between which it is known to lie.
            let earliest = inputs.arrivals[input].time;
            let latest = inputs.arrivals.get(input + 1).map_or(f64::INFINITY, |next| next.time);
            // Before the last input it is known to cross: if the solver sees no crossing, it is
            // because the peak lies within rounding of the threshold, at the next input.
            let time =
                if elapsed.is_nan() { latest } else { (inputs.reference + elapsed).clamp(earliest, latest) };
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
        let mut current = [T::splat(simd, T::default()); N];
        let mut potential = current;
        for (index, step) in steps.steps.iter().enumerate() {
            let start = step.row as usize * part.width + part.first;
            let row = &weights[start..start + N];
            let share_current = T::splat(simd, step.share_current);
            let share_potential = T::splat(simd, step.share_potential);
            for vector in 0..N {
                current[vector] =
                    T::multiply_add(simd, row[vector], share_current, current[vector]);
                potential[vector] =
                    T::multiply_add(simd, row[vector], share_potential, potential[vector]);
            }
            let hot = match step.gap {
                Gap::None => continue,
                Gap::Short => tangent_reaches::<S, T, N>(simd, step, &current, &potential, &thresholds),
                Gap::Long => may_cross::<S, T, N>(simd, step, &current, &potential, &thresholds),
                Gap::Last => still_waiting::<S, T, N>(simd, &thresholds),
            };
            if !T::any(simd, any_of::<S, T, N>(simd, &hot)) {
                continue;
            }
            for vector in 0..N {
                if !T::any(simd, hot[vector]) {
                    continue;
                }
                let mut states = [[T::default(); LANES]; 2];
                T::vectors_mut::<S>(&mut states[0])[0] = current[vector];
                T::vectors_mut::<S>(&mut states[1])[0] = potential[vector];
                for lane in 0..lanes {
                    let column = vector * lanes + lane;
                    if !(thresholds[column] < T::INFINITY) {
                        continue;
                    }
                    let state = (states[0][lane].to_f64(), states[1][lane].to_f64());
                    if self.crosses(inputs, &steps.views[index], index, step, state, thresholds[column].to_f64()) {
                        let neuron = part.column + column;
                        let place = Place { neuron: neuron as u32, input: index as u32 };
                        crossings.push(place, state.0, state.1, self.thresholds[neuron]);
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

    /// Whether a neuron crosses its threshold between an input and the next; after the last input,
    /// whether it may.
    #[inline(always)]
    fn crosses(
        &self,
        inputs: &Inputs<T>,
        view: &View,
        index: usize,
        step: &Step<T>,
        (current, potential): (f64, f64),
        threshold: f64,
    ) -> bool {
        let form = |a: T, b: T| a.to_f64() * current + b.to_f64() * potential;
        if step.gap == Gap::Last {
            let here = view.potential.of(current, potential);
            let most = here.max(0.0) + view.current * current * self.membrane.largest_response;
            return most >= threshold && self.membrane.slope(view).of(current, potential) > 0.0;
        }
        if form(step.next_current, step.next_potential) >= threshold {
            return true;
        }
        if form(step.tangent_current, step.tangent_potential) < threshold
            || form(step.slope_current, step.slope_potential) >= 0.0
        {
            return false;
        }
        // The peak lies between the inputs, unless the potential has been falling all along.
        self.membrane.slope(view).of(current, potential) > 0.0
            && self.crossing(inputs, index, (current, potential), threshold).is_finite()
    }

    #[cold]
    fn crossing(
        &self,
        inputs: &Inputs<T>,
        index: usize,
        (current, potential): (f64, f64),
        threshold: f64,
    ) -> f64 {
        let offset = inputs.arrivals[index].time - inputs.reference;
        solve_one(self.membrane, current, potential, threshold, offset)
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

/// Where the tangent at this input reaches the threshold before the next.
#[inline(always)]
fn tangent_reaches<S: Simd, T: Element, const N: usize>(
    simd: S,
    step: &Step<T>,
    current: &[T::Vector<S>; N],
    potential: &[T::Vector<S>; N],
    thresholds: &[T; COLUMNS],
) -> [T::Mask<S>; N] {
    let by_current = T::splat(simd, step.tangent_current);
    let by_potential = T::splat(simd, step.tangent_potential);
    let thresholds = T::vectors::<S>(thresholds);
    from_fn(|vector| {
        let reached = T::multiply(simd, current[vector], by_current);
        let reached = T::multiply_add(simd, potential[vector], by_potential, reached);
        T::at_least(simd, reached, thresholds[vector])
    })
}

/// Where the potential is above the threshold at the next input, or falls there after a tangent that
/// reached it.
#[inline(always)]
fn may_cross<S: Simd, T: Element, const N: usize>(
    simd: S,
    step: &Step<T>,
    current: &[T::Vector<S>; N],
    potential: &[T::Vector<S>; N],
    thresholds: &[T; COLUMNS],
) -> [T::Mask<S>; N] {
    let form = |a: T, b: T, vector: usize| {
        let part = T::multiply(simd, current[vector], T::splat(simd, a));
        T::multiply_add(simd, potential[vector], T::splat(simd, b), part)
    };
    let thresholds = T::vectors::<S>(thresholds);
    let zero = T::splat(simd, T::default());
    from_fn(|vector| {
        let threshold = thresholds[vector];
        let tangent = form(step.tangent_current, step.tangent_potential, vector);
        let next = form(step.next_current, step.next_potential, vector);
        let slope = form(step.slope_current, step.slope_potential, vector);
        let peak =
            T::and(simd, T::at_least(simd, tangent, threshold), T::below(simd, slope, zero));
        T::or(simd, T::at_least(simd, next, threshold), peak)
    })
}

/// Where a neuron has not crossed yet.
#[inline(always)]
fn still_waiting<S: Simd, T: Element, const N: usize>(
    simd: S,
    thresholds: &[T; COLUMNS],
) -> [T::Mask<S>; N] {
    let thresholds = T::vectors::<S>(thresholds);
    let never = T::splat(simd, T::INFINITY);
    from_fn(|vector| T::below(simd, thresholds[vector], never))
}

#[inline(always)]
fn any_of<S: Simd, T: Element, const N: usize>(
    simd: S,
    masks: &[T::Mask<S>; N],
) -> T::Mask<S> {
    masks[1..].iter().fold(masks[0], |found, &mask| T::or(simd, found, mask))
}
