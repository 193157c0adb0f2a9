//! The sweep over a few inputs: what is found stays in registers, and little is branched on.

use pulp::Simd;

use super::super::crossing::Crossings;
use super::super::inputs::{Inputs, Steps};
use super::super::tiles::Part;
use super::SweptLayer;
use super::peaks::crossed_at_peaks;
use super::state::{State, any_of, rounded};
use crate::simd::Element;

/// Up to so many inputs are few.
pub(super) const FEW: usize = 8;

/// Where `N` registers of neurons cross, as far as is known.
struct Found<S: Simd, T: Element, const N: usize> {
    /// Of the neurons that have not crossed yet; infinite for the others.
    thresholds: [T::Vector<S>; N],
    inputs: [T::Vector<S>; N],
    state: State<S, T, N>,
}

impl<S: Simd, T: Element, const N: usize> Found<S, T, N> {
    /// These cross after this input.
    #[inline(always)]
    fn add(&mut self, simd: S, crosses: &[T::Mask<S>; N], state: &State<S, T, N>, index: usize) {
        let input = T::splat(simd, T::from_f64(index as f64));
        let never = T::splat(simd, T::INFINITY);
        for vector in 0..N {
            let crosses = crosses[vector];
            let Found { thresholds, inputs, state: found } = &mut *self;
            let [current, potential] = [state.current[vector], state.potential[vector]];
            thresholds[vector] = T::select(simd, crosses, never, thresholds[vector]);
            inputs[vector] = T::select(simd, crosses, input, inputs[vector]);
            found.current[vector] = T::select(simd, crosses, current, found.current[vector]);
            found.potential[vector] = T::select(simd, crosses, potential, found.potential[vector]);
        }
    }
}

impl<T: Element> SweptLayer<'_, T> {
    /// [`SweptLayer::sweep`] for at most [`FEW`] inputs.
    #[inline(always)]
    pub(super) fn sweep_few<S: Simd, const N: usize>(
        &self,
        simd: S,
        weights: &[T],
        part: &Part,
        inputs: &mut Inputs<T>,
        steps: &mut Steps<T>,
        crossings: &mut Crossings<T>,
    ) {
        let columns = part.column..part.column + N * T::lanes::<S>();
        let never = T::splat(simd, T::from_f64(Crossings::<T>::NEVER));
        let zero = T::splat(simd, T::default());
        let mut found = Found::<S, T, N> {
            thresholds: rounded::<S, T, N>(simd, &self.neurons.thresholds[columns.clone()]),
            inputs: [never; N],
            state: State::new(simd),
        };
        if inputs.count > 0 {
            if inputs.shares.count == 0 {
                inputs.prepare(simd, &self.neurons.membrane, steps);
            }
            let membrane = &self.neurons.membrane;
            let (shares, block) = (inputs.columns(0..inputs.count), steps.block(0));
            let weights = T::vectors::<S>(weights);
            let mut state = State::<S, T, N>::new(simd);
            let last = inputs.count - 1;
            for index in 0..=last {
                let start = shares.rows[index] as usize * part.width + part.first;
                let row = &weights[start..start + N];
                state.add(simd, row, shares.currents[index], shares.potentials[index]);
                if index == last {
                    let may =
                        state.may_still_cross(simd, membrane, block, index, &found.thresholds);
                    found.add(simd, &may, &state, index);
                    break;
                }
                // What comes at the same time acts before anything is looked for.
                if !(inputs.sorted.times[index] < inputs.sorted.times[index + 1]) {
                    continue;
                }
                let tangent = state.forms(simd, block.tangent.at(index));
                let potential = state.forms(simd, block.potential.at(index + 1));
                let (mut crosses, mut peaks) = ([T::nowhere(simd); N], [T::nowhere(simd); N]);
                for vector in 0..N {
                    let threshold = found.thresholds[vector];
                    let reached = T::at_least(simd, tangent[vector], threshold);
                    let ends_below = T::below(simd, potential[vector], threshold);
                    crosses[vector] = T::at_least(simd, potential[vector], threshold);
                    peaks[vector] = T::and(simd, reached, ends_below);
                }
                if T::any(simd, any_of::<S, T, N>(simd, &peaks)) {
                    let slope = state.forms(simd, block.slope.at(index + 1));
                    for vector in 0..N {
                        let falls = T::below(simd, slope[vector], zero);
                        peaks[vector] = T::and(simd, peaks[vector], falls);
                    }
                    if T::any(simd, any_of::<S, T, N>(simd, &peaks)) {
                        let offset = inputs.sorted.times[index] - inputs.reference;
                        let (slope, thresholds) = (block.slope.at(index), &found.thresholds);
                        let crossed = crossed_at_peaks(
                            simd, membrane, slope, offset, &peaks, &state, thresholds,
                        );
                        for vector in 0..N {
                            crosses[vector] = T::or(simd, crosses[vector], crossed[vector]);
                        }
                    }
                }
                found.add(simd, &crosses, &state, index);
            }
        }
        let part = crossings.part(columns);
        T::vectors_mut::<S>(part.inputs)[..N].copy_from_slice(&found.inputs);
        T::vectors_mut::<S>(part.currents)[..N].copy_from_slice(&found.state.current);
        T::vectors_mut::<S>(part.potentials)[..N].copy_from_slice(&found.state.potential);
    }
}

#[cfg(test)]
mod tests {
    use pulp::Arch;
    use rand::RngExt;

    use super::super::super::inputs::Arrival;
    use super::super::super::uniform::{UniformLayer, UniformWorkspace};
    use super::FEW;
    use crate::neuron::NeuronParameters;
    use crate::random;

    /// Inputs of no weight before all others change nothing, but that there are not few any more.
    #[test]
    fn few_inputs_give_the_same_spikes_as_many() {
        const NEURONS: usize = 70;
        let mut random = random::stream(1, "few inputs", 0);
        let (mut spiked, mut silent) = (0, 0);
        for tau_m in [1.0, 2.0, f64::INFINITY] {
            let parameters = NeuronParameters { tau_m, ..NeuronParameters::default() };
            let neurons = vec![parameters; NEURONS];
            let mut layer = UniformLayer::new(&neurons, 2 * FEW).expect("alike");
            let thresholds = [1.0; NEURONS];
            let mut workspace = UniformWorkspace::default();
            for count in (0..=FEW).cycle().take(300) {
                let mut weights = vec![0.0; 2 * FEW * NEURONS];
                for weight in &mut weights[..FEW * NEURONS] {
                    *weight = random.random_range(-1.5..2.5);
                }
                layer.set_weights(&weights);
                // Some of them at the same time.
                let time = |step: u32| 1.0 + 0.25 * f64::from(step);
                let mut arrivals: Vec<Arrival> = (0..count as u32)
                    .map(|row| Arrival { time: time(random.random_range(0..12)), row })
                    .collect();
                let few = layer.first_spikes(Arch::new(), &arrivals, &thresholds, &mut workspace);
                let few = few.to_vec();
                if count > 0 {
                    let idle = FEW as u32..2 * FEW as u32;
                    arrivals.extend(idle.map(|row| Arrival { time: 0.5, row }));
                }
                let many = layer.first_spikes(Arch::new(), &arrivals, &thresholds, &mut workspace);
                assert_eq!(few, many, "{tau_m} {arrivals:?}");
                spiked += many.iter().filter(|time| time.is_finite()).count();
                silent += many.iter().filter(|time| time.is_infinite()).count();
            }
        }
        assert!(spiked > 10_000 && silent > 10_000, "{spiked} {silent}");
    }
}
