//! Whether neurons crossed between two inputs although they are below their thresholds at both.

use pulp::{Simd, WithSimd};

use super::LANES;
use super::state::State;
use crate::neuron::{Membrane, Ratio};
use crate::simd::Element;
use crate::simd::F64s;

/// Of neurons whose potential may have risen above the threshold and fallen below it again before
/// the next input, those that did.
#[inline(always)]
pub(super) fn crossed_at_peaks<S: Simd, T: Element, const N: usize>(
    simd: S,
    membrane: &Membrane,
    slope: [T; 2],
    offset: f64,
    peaks: &[T::Mask<S>; N],
    state: &State<S, T, N>,
    thresholds: &[T::Vector<S>; N],
) -> [T::Mask<S>; N] {
    let one = T::splat(simd, T::from_f64(1.0));
    let mut found = [T::nowhere(simd); N];
    for vector in 0..N {
        if T::any(simd, peaks[vector]) {
            let mut lanes = [[T::default(); LANES]; 4];
            T::vectors_mut::<S>(&mut lanes[0])[0] = T::where_set(simd, peaks[vector], one);
            T::vectors_mut::<S>(&mut lanes[1])[0] = state.current[vector];
            T::vectors_mut::<S>(&mut lanes[2])[0] = state.potential[vector];
            T::vectors_mut::<S>(&mut lanes[3])[0] = thresholds[vector];
            look(simd, Peaks { membrane, slope, offset, lanes: &mut lanes });
            found[vector] = T::at_least(simd, T::vectors::<S>(&lanes[0])[0], one);
        }
    }
    found
}

/// Never inlined: the sweep needs its registers for itself, and peaks are rare.
#[cold]
#[inline(never)]
fn look<S: Simd, T: Element>(simd: S, peaks: Peaks<'_, T>) {
    simd.vectorize(peaks);
}

/// A look at the peaks of one register of neurons.
struct Peaks<'a, T> {
    membrane: &'a Membrane,
    /// The slope of the potential at the input before the peaks, as a form of the state.
    slope: [T; 2],
    /// When that input comes, from the reference.
    offset: f64,
    /// Flags (one for those to be looked at, cleared for those that did not cross), currents, potentials
    /// and thresholds.
    lanes: &'a mut [[T; LANES]; 4],
}

impl<T: Element> WithSimd for Peaks<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Peaks { membrane, slope, offset, lanes: [flags, currents, potentials, thresholds] } =
            self;
        let slope = slope.map(T::to_f64);
        if membrane.ratio == Ratio::General {
            let neurons = currents.iter().zip(potentials).zip(thresholds);
            for (flag, ((current, potential), threshold)) in flags.iter_mut().zip(neurons) {
                let [current, potential] = [current.to_f64(), potential.to_f64()];
                // The peak lies between the inputs, unless the potential has been falling all along.
                let crosses = flag.to_f64() != 0.0
                    && slope[0] * current + slope[1] * potential > 0.0
                    && membrane
                        .crossing_after([current, potential], threshold.to_f64(), offset, false)
                        .is_some();
                *flag = T::from_f64(if crosses { 1.0 } else { 0.0 });
            }
            return;
        }
        let all = |value| F64s::splat(simd, value);
        let zero = all(0.0);
        for register in 0..T::lanes::<S>() / S::F64_LANES {
            let [current, potential, threshold] = [&*currents, &*potentials, &*thresholds]
                .map(|column| F64s::new(simd, T::read_doubles::<S>(column, register)));
            let flag = F64s::new(simd, T::read_doubles::<S>(flags, register));
            let rises = all(slope[0]) * current + all(slope[1]) * potential;
            let (_, exists) = membrane.closed_form(simd, current, potential, threshold);
            let crosses = rises.above(zero).and(exists);
            T::write_doubles::<S>(flags, register, crosses.select(flag, zero).value());
        }
    }
}
