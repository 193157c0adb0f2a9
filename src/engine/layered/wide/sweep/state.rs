//! The sums of some registers of neurons while a sweep goes over their inputs.

use pulp::Simd;

use super::super::inputs::Block;
use super::COLUMNS;
use crate::neuron::Membrane;
use crate::simd::Element;

/// The running sums of `N` registers of neurons, carried to the reference.
pub(super) struct State<S: Simd, T: Element, const N: usize> {
    pub current: [T::Vector<S>; N],
    pub potential: [T::Vector<S>; N],
}

impl<S: Simd, T: Element, const N: usize> State<S, T, N> {
    /// No input yet.
    #[inline(always)]
    pub fn new(simd: S) -> Self {
        let zero = T::splat(simd, T::default());
        State { current: [zero; N], potential: [zero; N] }
    }

    /// Adds an input.
    #[inline(always)]
    pub fn add(&mut self, simd: S, row: &[T::Vector<S>], by_current: T, by_potential: T) {
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
    pub fn forms(&self, simd: S, [by_current, by_potential]: [T; 2]) -> [T::Vector<S>; N] {
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
    pub fn may_still_cross(
        &self,
        simd: S,
        membrane: &Membrane,
        block: &Block<T>,
        index: usize,
        thresholds: &[T::Vector<S>; N],
    ) -> [T::Mask<S>; N] {
        let zero = T::splat(simd, T::default());
        // Nothing of the current has decayed yet: the last input is the reference. A little more than
        // the most, for the sake of rounding.
        let most = membrane.largest_response * (1.0 + 1e-6);
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

/// The thresholds of `N` registers of neurons.
#[inline(always)]
pub(super) fn rounded<S: Simd, T: Element, const N: usize>(
    simd: S,
    thresholds: &[f64],
) -> [T::Vector<S>; N] {
    let mut rounded = [T::INFINITY; COLUMNS];
    for (rounded, &threshold) in rounded.iter_mut().zip(thresholds) {
        *rounded = T::from_f64(threshold);
    }
    let mut thresholds = [T::splat(simd, T::default()); N];
    thresholds.copy_from_slice(&T::vectors::<S>(&rounded)[..N]);
    thresholds
}

#[inline(always)]
pub(super) fn at_least<S: Simd, T: Element, const N: usize>(
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
pub(super) fn any_of<S: Simd, T: Element, const N: usize>(
    simd: S,
    masks: &[T::Mask<S>; N],
) -> T::Mask<S> {
    let mut found = masks[0];
    for &mask in &masks[1..] {
        found = T::or(simd, found, mask);
    }
    found
}
