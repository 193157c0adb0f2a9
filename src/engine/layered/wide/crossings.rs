//! Threshold crossings of many neurons at once, from their states at a common reference time.

use std::ops::Range;

use pulp::Simd;

use super::inputs::Inputs;
use crate::engine::layered::LayerNeurons;
use crate::neuron::Ratio;
use crate::neuron::basis::Peak;
use crate::simd::{Element, grow};
use crate::simd::{F64s, Mask, registers, registers_mut};

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

/// Where neurons cross: their states at the reference and the inputs after which they do. Each column
/// has a value per neuron, padding included.
#[derive(Clone, Debug, Default)]
pub struct Crossings<T> {
    /// The input after which the neuron crosses; [`NEVER`](Self::NEVER) if it does not.
    pub inputs: Vec<T>,
    pub currents: Vec<T>,
    pub potentials: Vec<T>,
    /// Of neurons with `τ_m = τ_s`: [`Peak::place`].
    places: Vec<f64>,
    /// Of neurons with `τ_m = τ_s`: [`Peak::ratio`].
    ratios: Vec<f64>,
}

/// Some of the columns.
pub struct CrossingsPart<'a, T> {
    pub inputs: &'a mut [T],
    pub currents: &'a mut [T],
    pub potentials: &'a mut [T],
}

impl<T: Element> Crossings<T> {
    /// What stands for no input.
    pub const NEVER: f64 = -1.0;

    pub fn grow(&mut self, neurons: usize) {
        grow(&mut self.inputs, neurons);
        grow(&mut self.currents, neurons);
        grow(&mut self.potentials, neurons);
    }

    /// The columns of some neurons.
    pub fn part(&mut self, neurons: Range<usize>) -> CrossingsPart<'_, T> {
        CrossingsPart {
            inputs: &mut self.inputs[neurons.clone()],
            currents: &mut self.currents[neurons.clone()],
            potentials: &mut self.potentials[neurons],
        }
    }

    /// Computes all spikes. After the last input a neuron that is named may cross, before it it does.
    #[inline(always)]
    pub fn solve<S: Simd>(
        &mut self,
        simd: S,
        neurons: &LayerNeurons,
        inputs: &Inputs<T>,
        spikes: &mut LayerSpikes,
    ) {
        let LayerNeurons { membrane, thresholds } = neurons;
        let count = thresholds.len();
        spikes.times.resize(count, f64::INFINITY);
        spikes.currents.resize(count, 0.0);
        if membrane.ratio == Ratio::General {
            self.solve_each(neurons, inputs, spikes);
            return;
        }
        if membrane.ratio == Ratio::Equal {
            self.solve_equal(simd, neurons, inputs, spikes);
            return;
        }
        let certainty = Certainty::new(simd, inputs.count);
        let infinity = F64s::splat(simd, f64::INFINITY);
        let reference = F64s::splat(simd, inputs.reference);
        let thresholds = registers::<S>(thresholds);
        let times = registers_mut::<S>(&mut spikes.times);
        let currents = registers_mut::<S>(&mut spikes.currents);
        for index in 0..thresholds.len().min(times.len()).min(currents.len()) {
            let current = F64s::new(simd, T::read_doubles::<S>(&self.currents, index));
            let potential = F64s::new(simd, T::read_doubles::<S>(&self.potentials, index));
            let after = F64s::new(simd, T::read_doubles::<S>(&self.inputs, index));
            let threshold = F64s::new(simd, thresholds[index]);
            let (crossing, exists) = membrane.closed_form(simd, current, potential, threshold);
            let exists = certainty.exists(after, exists);
            times[index] = exists.select(reference + crossing, infinity).value();
            currents[index] = current.value();
        }
    }

    /// The same for `τ_m = τ_s`, in two steps: all operations of one register wait for one another, and
    /// the fewer there are until the next register's, the more of them the machine has in view.
    #[inline(always)]
    fn solve_equal<S: Simd>(
        &mut self,
        simd: S,
        LayerNeurons { membrane, thresholds }: &LayerNeurons,
        inputs: &Inputs<T>,
        spikes: &mut LayerSpikes,
    ) {
        grow(&mut self.places, thresholds.len());
        grow(&mut self.ratios, thresholds.len());
        let all = |value| F64s::splat(simd, value);
        let (rate, inverse_capacitance) = (membrane.membrane_rate, membrane.inverse_capacitance);
        let (rate, inverse_capacitance) = (all(rate), all(inverse_capacitance));
        let inverse_rate = all(1.0) / rate;
        let thresholds = registers::<S>(thresholds);
        let count = thresholds.len();
        let places = &mut registers_mut::<S>(&mut self.places)[..count];
        let ratios = &mut registers_mut::<S>(&mut self.ratios)[..count];
        let times = &mut registers_mut::<S>(&mut spikes.times)[..count];
        let currents = &mut registers_mut::<S>(&mut spikes.currents)[..count];
        for index in 0..count {
            let current = F64s::new(simd, T::read_doubles::<S>(&self.currents, index));
            let potential = F64s::new(simd, T::read_doubles::<S>(&self.potentials, index));
            let threshold = F64s::new(simd, thresholds[index]);
            let peak = Peak::new(simd, rate, current * inverse_capacitance, potential, threshold);
            places[index] = peak.place.value();
            ratios[index] = peak.ratio.value();
            currents[index] = current.value();
        }
        let certainty = Certainty::new(simd, inputs.count);
        let (zero, infinity) = (all(0.0), all(f64::INFINITY));
        let reference = all(inputs.reference);
        for index in 0..count {
            let place = F64s::new(simd, places[index]);
            let ratio = F64s::new(simd, ratios[index]);
            let after = F64s::new(simd, T::read_doubles::<S>(&self.inputs, index));
            let push = F64s::new(simd, currents[index]) * inverse_capacitance;
            let peak = Peak::located(simd, place, ratio);
            let exists = push.above(zero).and(peak.exceeds_threshold());
            let exists = certainty.exists(after, exists);
            let crossing = peak.crossing(inverse_rate);
            times[index] = exists.select(reference + crossing, infinity).value();
        }
    }

    /// The same by the general solver, neuron by neuron.
    fn solve_each(&self, neurons: &LayerNeurons, inputs: &Inputs<T>, spikes: &mut LayerSpikes) {
        for neuron in 0..neurons.thresholds.len() {
            let after = self.inputs[neuron].to_f64();
            let sums = [self.currents[neuron].to_f64(), self.potentials[neuron].to_f64()];
            spikes.currents[neuron] = sums[0];
            spikes.times[neuron] = f64::INFINITY;
            if after != Self::NEVER {
                let input = after as usize;
                let offset = inputs.sorted.times[input] - inputs.reference;
                let threshold = neurons.thresholds[neuron];
                let is_certain = input + 1 < inputs.count;
                let crossing = neurons.membrane.crossing_after(sums, threshold, offset, is_certain);
                let time = crossing.map(|offset| inputs.reference + offset);
                spikes.times[neuron] = time.unwrap_or(f64::INFINITY);
            }
        }
    }
}

/// Which crossings exist whatever their closed form says.
#[derive(Clone, Copy)]
struct Certainty<S: Simd> {
    never: F64s<S>,
    last: F64s<S>,
}

impl<S: Simd> Certainty<S> {
    #[inline(always)]
    fn new(simd: S, inputs: usize) -> Self {
        Certainty {
            never: F64s::splat(simd, Crossings::<f64>::NEVER + 0.5),
            last: F64s::splat(simd, inputs.saturating_sub(1) as f64 - 0.5),
        }
    }

    /// Those after an input before the last lie at their peak, if that is within rounding of the
    /// threshold.
    #[inline(always)]
    fn exists(&self, after: F64s<S>, exists: Mask<S>) -> Mask<S> {
        exists.or(self.last.above(after)).and(after.above(self.never))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::neuron::{Dynamics, Membrane, NeuronParameters, State};
    use crate::simd::F64s;
    use crate::sorting::Sorted;

    /// Sixteen neurons in this state at their only input.
    fn solve(membrane: &Membrane, current: f64, potential: f64) -> f64 {
        let mut crossings = Crossings::<f64> {
            inputs: vec![0.0; 16],
            currents: vec![current; 16],
            potentials: vec![potential; 16],
            ..Crossings::default()
        };
        let neurons = LayerNeurons { membrane: *membrane, thresholds: vec![1.0; 16] };
        let sorted = Sorted { count: 1, times: vec![0.0], rows: vec![0] };
        let inputs = Inputs { sorted, count: 1, ..Inputs::default() };
        let mut spikes = LayerSpikes::default();
        crossings.solve(pulp::Scalar, &neurons, &inputs, &mut spikes);
        assert!(spikes.times.iter().all(|&other| other == spikes.times[0]));
        spikes.times[0]
    }

    #[test]
    fn every_ratio_crosses_where_the_general_solver_says() {
        for tau_m in [1.0, 2.0, f64::INFINITY, 3.0] {
            let parameters =
                NeuronParameters { tau_m, capacitance: 1.7, ..NeuronParameters::default() };
            let dynamics = Dynamics::new(&parameters).expect("valid");
            let membrane = Membrane::new(&dynamics);
            let mut crossed = 0;
            for step in 0..2000 {
                let current = f64::from(step) * 0.01;
                for potential in [-3.0, -0.5, 0.0, 0.5, 0.99] {
                    let state = State { potential, current, inhibitory_current: 0.0 };
                    let expected = dynamics.first_crossing(&state);
                    // The part of the potential that decays with the membrane's rate.
                    let now = membrane.propagators(pulp::Scalar, F64s::splat(pulp::Scalar, 0.0));
                    let sum = (potential - now.response.value() * current) / now.decay.value();
                    let found = solve(&membrane, current, sum);
                    let Some(expected) = expected else {
                        // A crossing in the past is found too.
                        assert!(!found.is_finite() || found < 0.0, "{state:?} {found}");
                        continue;
                    };
                    crossed += 1;
                    let error = (found - expected.elapsed).abs() * expected.slope.min(1.0);
                    assert!(error < 1e-14, "{tau_m} {state:?}: {found} {expected:?}");
                }
            }
            assert!(crossed > 1000);
        }
    }
}
