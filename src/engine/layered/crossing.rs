//! Threshold crossings of many neurons at once, from their states at a common reference time.

use std::ops::Range;

use pulp::Simd;

use super::inputs::Inputs;
use super::membrane::{LayerNeurons, Membrane};
use crate::neuron::{Ratio, State};
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
            let (crossing, exists) = closed_form(simd, membrane, current, potential, threshold);
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
        let all = |value| F64s::splat(simd, value);
        let (rate, inverse_capacitance) = (membrane.membrane_rate, membrane.inverse_capacitance);
        let (rate, inverse_capacitance) = (all(rate), all(inverse_capacitance));
        let inverse_rate = all(1.0) / rate;
        let thresholds = registers::<S>(thresholds);
        let count = thresholds.len();
        let places = &mut registers_mut::<S>(&mut self.places)[..count];
        let times = &mut registers_mut::<S>(&mut spikes.times)[..count];
        let currents = &mut registers_mut::<S>(&mut spikes.currents)[..count];
        for index in 0..count {
            let current = F64s::new(simd, T::read_doubles::<S>(&self.currents, index));
            let potential = F64s::new(simd, T::read_doubles::<S>(&self.potentials, index));
            let threshold = F64s::new(simd, thresholds[index]);
            let peak = Peak::new(simd, rate, current * inverse_capacitance, potential, threshold);
            places[index] = peak.place.value();
            // Until the time is known.
            times[index] = peak.ratio.value();
            currents[index] = current.value();
        }
        let certainty = Certainty::new(simd, inputs.count);
        let (zero, infinity) = (all(0.0), all(f64::INFINITY));
        let reference = all(inputs.reference);
        for index in 0..count {
            let place = F64s::new(simd, places[index]);
            let ratio = F64s::new(simd, times[index]);
            let after = F64s::new(simd, T::read_doubles::<S>(&self.inputs, index));
            let push = F64s::new(simd, currents[index]) * inverse_capacitance;
            let peak = Peak { place, ratio };
            let exists = push.above(zero).and(peak.exceeds_threshold(simd));
            let exists = certainty.exists(after, exists);
            let crossing = peak.crossing(simd, inverse_rate);
            times[index] = exists.select(reference + crossing, infinity).value();
        }
    }

    /// The same by the general solver, neuron by neuron.
    fn solve_each(&self, neurons: &LayerNeurons, inputs: &Inputs<T>, spikes: &mut LayerSpikes) {
        for neuron in 0..neurons.thresholds.len() {
            let after = self.inputs[neuron].to_f64();
            let state = (self.currents[neuron].to_f64(), self.potentials[neuron].to_f64());
            spikes.currents[neuron] = state.0;
            spikes.times[neuron] = f64::INFINITY;
            if after != Self::NEVER {
                let input = after as usize;
                let offset = inputs.sorted.times[input] - inputs.reference;
                let crossing =
                    general(&neurons.membrane, state, neurons.thresholds[neuron], offset);
                // A peak within rounding of the threshold is no reason to lose a certain crossing: it
                // is the next input's.
                let is_certain = input + 1 < inputs.count;
                let certain = is_certain.then(|| inputs.sorted.times[input + 1]);
                let time = crossing.map(|offset| inputs.reference + offset).or(certain);
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

/// A crossing, and whether it exists, from the sums of current and potential
/// ([`Membrane::potential_sum`]). If it is known to exist, it is right to rounding even where the
/// second value is false.
#[inline(always)]
pub fn closed_form<S: Simd>(
    simd: S,
    membrane: &Membrane,
    current: F64s<S>,
    potential: F64s<S>,
    threshold: F64s<S>,
) -> (F64s<S>, Mask<S>) {
    let push = current * F64s::splat(simd, membrane.inverse_capacitance);
    match membrane.ratio {
        Ratio::Equal => {
            equal(simd, F64s::splat(simd, membrane.membrane_rate), push, potential, threshold)
        }
        Ratio::Double => {
            double(simd, F64s::splat(simd, membrane.membrane_rate), push, potential, threshold)
        }
        Ratio::NonLeaky | Ratio::General => {
            non_leaky(simd, F64s::splat(simd, membrane.synaptic_rate), push, potential, threshold)
        }
    }
}

/// `τ_m = τ_s`: `V(x) = (u + (I/C) x) e^(−λx)` peaks at `λx* = 1 − λ u C/I`, and with
/// `y = ϑ/V_peak` the crossing lies `u/λ` before it, where `(1 − u) e^u = y`
/// ([`crate::neuron::Dynamics::first_crossing`]).
///
/// As a function of `p = √(2 (1 − y))`, `u = 1 + W₀(−y/e)` is analytic on the whole interval
/// from 0 (grazing) to `√2` (at once): the square root of the branch point is in `p`, and the next
/// singularity lies as far to the other side, at `p = −√2`. So its expansion in Chebyshev
/// polynomials converges by a factor of `3 + √8` per degree, and a polynomial of degree 20 gives
/// `u/p` to rounding: neither logarithm nor iteration.
#[inline(always)]
fn equal<S: Simd>(
    simd: S,
    rate: F64s<S>,
    push: F64s<S>,
    potential: F64s<S>,
    threshold: F64s<S>,
) -> (F64s<S>, Mask<S>) {
    let (zero, one) = (F64s::splat(simd, 0.0), F64s::splat(simd, 1.0));
    let peak = Peak::new(simd, rate, push, potential, threshold);
    let exists = push.above(zero).and(peak.exceeds_threshold(simd));
    (peak.crossing(simd, one / rate), exists)
}

/// The peak of a potential with `τ_m = τ_s`.
#[derive(Clone, Copy)]
pub(super) struct Peak<S: Simd> {
    /// `λx*`
    place: F64s<S>,
    /// `ϑ/V_peak`
    pub ratio: F64s<S>,
}

impl<S: Simd> Peak<S> {
    #[inline(always)]
    pub(super) fn new(
        simd: S,
        rate: F64s<S>,
        push: F64s<S>,
        potential: F64s<S>,
        threshold: F64s<S>,
    ) -> Self {
        let scale = rate / push;
        let place = F64s::splat(simd, 1.0) - scale * potential;
        Peak { place, ratio: threshold * scale * place.exp() }
    }

    #[inline(always)]
    fn exceeds_threshold(&self, simd: S) -> Mask<S> {
        F64s::splat(simd, 1.0).above(self.ratio)
    }

    /// The time to the crossing.
    #[inline(always)]
    fn crossing(&self, simd: S, inverse_rate: F64s<S>) -> F64s<S> {
        (self.place - Self::lead(simd, self.ratio)) * inverse_rate
    }

    /// `u`, how long before its peak a potential crosses, in time constants, from `ϑ/V_peak`.
    #[inline(always)]
    pub(super) fn lead(simd: S, ratio: F64s<S>) -> F64s<S> {
        let all = |value| F64s::splat(simd, value);
        let (zero, one, two) = (all(0.0), all(1.0), all(2.0));
        let p = (two * (one - ratio)).max(zero).sqrt();
        let x = p.multiply_add(all(std::f64::consts::SQRT_2), -one);
        p * x.polynomial(&LEAD)
    }
}

/// `u/p` in powers of `√2 p − 1`.
const LEAD: [f64; 21] = [
    0.820_429_692_461_014_5,
    -0.138_074_084_853_237_38,
    0.030_874_846_588_745_11,
    -0.007_744_753_603_670_585,
    0.002_068_864_875_126_652,
    -0.000_575_144_033_785_745_9,
    0.000_164_365_328_136_626_98,
    -4.793_434_357_639_82e-5,
    1.419_798_753_068_274_5e-5,
    -4.257_350_452_635_266e-6,
    1.289_371_752_679_495e-6,
    -3.937_651_697_204_255e-7,
    1.210_839_947_731_961_6e-7,
    -3.737_879_282_751_315e-8,
    1.161_378_838_757_254_4e-8,
    -3.723_012_007_035_898_4e-9,
    1.173_353_354_959_937_6e-9,
    -2.927_600_962_338_971_4e-10,
    8.949_681_825_712_587e-11,
    -6.226_883_648_947_78e-11,
    2.033_413_942_729_162_3e-11,
];

/// `τ_m = 2 τ_s`: in `x = e^(−λ_m t)` the potential is `p x − c x²` with `c = I/(C λ_m)`.
#[inline(always)]
fn double<S: Simd>(
    simd: S,
    rate: F64s<S>,
    push: F64s<S>,
    lift: F64s<S>,
    threshold: F64s<S>,
) -> (F64s<S>, Mask<S>) {
    let (zero, two) = (F64s::splat(simd, 0.0), F64s::splat(simd, 2.0));
    let four = F64s::splat(simd, 4.0);
    let scale = push / rate;
    let discriminant = lift * lift - four * scale * threshold;
    let decay = (lift + discriminant.max(zero).sqrt()) / (two * scale);
    let elapsed = -decay.ln() / rate;
    (elapsed, push.above(zero).and(lift.above(zero)).and(discriminant.above(zero)))
}

/// `τ_m = ∞`: the potential is `p − (I/C) τ_s e^(−t/τ_s)`.
#[inline(always)]
fn non_leaky<S: Simd>(
    simd: S,
    rate: F64s<S>,
    push: F64s<S>,
    potential: F64s<S>,
    threshold: F64s<S>,
) -> (F64s<S>, Mask<S>) {
    let zero = F64s::splat(simd, 0.0);
    let left = (potential - threshold) * rate / push;
    let elapsed = -left.ln() / rate;
    (elapsed, push.above(zero).and(left.above(zero)))
}

/// Any ratio: the general solver, from the state at an input; the offset of the crossing.
pub fn general(
    membrane: &Membrane,
    (current, potential): (f64, f64),
    threshold: f64,
    offset: f64,
) -> Option<f64> {
    let view = membrane.view(offset);
    let here = (view.current * current, view.potential.of(current, potential));
    general_from(membrane, here, threshold).map(|elapsed| offset + elapsed)
}

/// The time to the crossing from a state: current and potential themselves.
pub fn general_from(
    membrane: &Membrane,
    (current, potential): (f64, f64),
    threshold: f64,
) -> Option<f64> {
    let state = State { potential, current, inhibitory_current: 0.0 };
    let crossing = membrane.dynamics.with_threshold(threshold).first_crossing(&state);
    crossing.map(|crossing| crossing.elapsed)
}

#[cfg(test)]
mod tests {
    use super::super::sorting::Sorted;
    use super::*;
    use crate::neuron::{Dynamics, NeuronParameters, State};

    /// Sixteen neurons in this state at their only input.
    fn solve(membrane: &Membrane, current: f64, potential: f64) -> f64 {
        let mut crossings = Crossings::<f64> {
            inputs: vec![0.0; 16],
            currents: vec![current; 16],
            potentials: vec![potential; 16],
            places: Vec::new(),
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
                    let view = membrane.view(0.0).potential;
                    let sum = (potential - view.current * current) / view.potential;
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
