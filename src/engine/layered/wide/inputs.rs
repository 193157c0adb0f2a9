//! The spikes that drive a layer in one sample, sorted, with all that depends on their times only.

use std::ops::Range;

use pulp::{Simd, WithSimd};

use crate::engine::layered::Arrival;
use crate::neuron::{Membrane, Propagators};
use crate::simd::{Element, grow};
use crate::simd::{F64s, registers};
use crate::sorting::{Sorted, Sorter};

/// The sorted inputs of a layer in one sample: what the backward pass still needs of them.
#[derive(Clone, Debug, Default)]
pub struct Inputs<T> {
    /// Only those that come, in any order. Given for the first layer; others have theirs from the layer before.
    pub arrivals: Vec<Arrival>,
    /// As far as any neuron of the layer had to look, or further.
    pub(super) sorted: Sorted,
    /// How many come.
    pub count: usize,
    /// The time of the last one.
    pub reference: f64,
    /// As far as any neuron of the layer had to look.
    pub coefficients: InputCoefficients<T>,
}

/// Per input: what it adds to the state at the reference, for a unit weight.
#[derive(Clone, Debug, Default)]
pub struct InputCoefficients<T> {
    /// How many are known. The columns may be longer.
    pub count: usize,
    /// When the input comes.
    times: Vec<T>,
    /// What it adds to the current.
    currents: Vec<T>,
    /// What it adds to the potential.
    potentials: Vec<T>,
}

/// Some of the inputs with their [`InputCoefficients`], in columns of equal length.
#[derive(Clone, Copy, Debug)]
pub(super) struct CoefficientColumns<'a, T> {
    pub rows: &'a [u32],
    /// See [`InputCoefficients`].
    pub times: &'a [T],
    /// See [`InputCoefficients`].
    pub currents: &'a [T],
    /// See [`InputCoefficients`].
    pub potentials: &'a [T],
}

impl<T> Inputs<T> {
    /// Some of those whose coefficients are known.
    #[inline(always)]
    pub(super) fn columns(&self, range: Range<usize>) -> CoefficientColumns<'_, T> {
        let length = range.len();
        CoefficientColumns {
            rows: &self.sorted.rows[range.clone()][..length],
            times: &self.coefficients.times[range.clone()][..length],
            currents: &self.coefficients.currents[range.clone()][..length],
            potentials: &self.coefficients.potentials[range][..length],
        }
    }

    /// All whose coefficients are known.
    #[inline(always)]
    pub(super) fn known(&self) -> CoefficientColumns<'_, T> {
        self.columns(0..self.coefficients.count)
    }
}

/// Inputs that are prepared at a time. Often a layer has spiked long before its last input.
pub(super) const BLOCK: usize = 32;
/// So many, and a register that begins with the input after them.
const LENGTH: usize = BLOCK + 8;

/// What the sweep needs of a layer's inputs besides their coefficients.
#[derive(Clone, Debug, Default)]
pub(super) struct Steps<T> {
    blocks: Vec<Block<T>>,
    pub sorter: Sorter,
}

/// The same of some inputs: coefficients of linear forms of the state at the reference.
#[derive(Clone, Debug)]
pub(super) struct Block<T> {
    /// The potential that the tangent at an input reaches at the next one. Up to its peak the
    /// potential is concave, so it stays below. Zero if the next one comes at the same time: both act
    /// before anything is looked for.
    pub tangent: Forms<T>,
    /// The potential at an input.
    pub potential: Forms<T>,
    /// Its slope there.
    pub slope: Forms<T>,
}

/// Linear forms of the state at the reference, in columns.
#[derive(Clone, Debug)]
pub(super) struct Forms<T> {
    current: [T; LENGTH],
    potential: [T; LENGTH],
}

impl<T: Element> Forms<T> {
    fn new() -> Self {
        Forms { current: [T::default(); LENGTH], potential: [T::default(); LENGTH] }
    }

    /// Coefficients of current and potential.
    #[inline(always)]
    pub fn at(&self, index: usize) -> [T; 2] {
        [self.current[index], self.potential[index]]
    }

    #[inline(always)]
    fn write<S: Simd>(&mut self, register: usize, current: F64s<S>, potential: F64s<S>) {
        T::write_doubles::<S>(&mut self.current, register, current.value());
        T::write_doubles::<S>(&mut self.potential, register, potential.value());
    }
}

impl<T: Element> Block<T> {
    fn new() -> Self {
        Block { tangent: Forms::new(), potential: Forms::new(), slope: Forms::new() }
    }
}

impl<T: Element> Inputs<T> {
    /// Takes up the arrivals. Nothing is known of them yet but their number and the last one's time.
    #[inline(always)]
    pub(super) fn begin<S: Simd>(&mut self, simd: S, steps: &mut Steps<T>) {
        (self.count, self.reference) =
            steps.sorter.begin(simd, &mut self.arrivals, &mut self.sorted);
        self.coefficients.count = 0;
    }

    /// Takes up the spikes of a layer and its bias, put off by the delays of their rows if there are
    /// some ([`Sorter::begin_rows`]).
    #[inline(always)]
    pub(super) fn begin_rows<S: Simd>(
        &mut self,
        simd: S,
        spikes: &[f64],
        bias: &[Arrival],
        delays: Option<&[f64]>,
        steps: &mut Steps<T>,
    ) {
        let sorted = &mut self.sorted;
        (self.count, self.reference) = steps.sorter.begin_rows(simd, spikes, bias, delays, sorted);
        self.coefficients.count = 0;
    }

    /// Takes up the inputs of a layer: the spikes of the layer before and its own bias, or, if it is the
    /// first, the arrivals that stand here. They are put off by the delays of their rows.
    #[inline(always)]
    pub(super) fn take_up<S: Simd>(
        &mut self,
        simd: S,
        previous: Option<&[f64]>,
        bias: &[Arrival],
        delays: Option<&[f64]>,
        steps: &mut Steps<T>,
    ) {
        if let Some(previous) = previous {
            return self.begin_rows(simd, previous, bias, delays, steps);
        }
        if let Some(delays) = delays {
            for arrival in &mut self.arrivals {
                arrival.time += delays[arrival.row as usize];
            }
        }
        self.begin(simd, steps);
    }

    /// Sorts the next few arrivals and computes what depends on their times. All of it is the same,
    /// however many are prepared at a time.
    #[inline(always)]
    pub(super) fn prepare<S: Simd>(&mut self, simd: S, membrane: &Membrane, steps: &mut Steps<T>) {
        simd.vectorize(Prepare { inputs: self, membrane, steps });
    }

    #[inline(always)]
    fn prepare_next<S: Simd>(&mut self, simd: S, membrane: &Membrane, steps: &mut Steps<T>) {
        let from = self.coefficients.count;
        // Each that is prepared knows the next.
        steps.sorter.sort(simd, &mut self.sorted, from + BLOCK + 1, self.count);
        let to = self.count.min(from + BLOCK);
        self.coefficients.make_room(to.next_multiple_of(BLOCK), to);
        let index = from / BLOCK;
        if index == steps.blocks.len() {
            steps.blocks.push(Block::new());
        }
        let times = &self.sorted.times[from..self.sorted.count];
        let (block, coefficients) = (&mut steps.blocks[index], &mut self.coefficients);
        block.prepare(simd, membrane, times, self.reference, coefficients, from);
    }
}

/// [`Inputs::prepare`], as a function of its own: the sweeps keep their registers.
struct Prepare<'a, T> {
    inputs: &'a mut Inputs<T>,
    membrane: &'a Membrane,
    steps: &'a mut Steps<T>,
}

impl<T: Element> WithSimd for Prepare<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        self.inputs.prepare_next(simd, self.membrane, self.steps);
    }
}

impl<T: Element> InputCoefficients<T> {
    /// Writes the coefficients of a register of inputs.
    #[inline(always)]
    fn write<S: Simd>(&mut self, register: usize, time: F64s<S>, here: &Propagators<S>) {
        T::write_doubles::<S>(&mut self.times, register, time.value());
        T::write_doubles::<S>(&mut self.currents, register, here.current.value());
        T::write_doubles::<S>(&mut self.potentials, register, here.response.value());
    }

    #[inline(always)]
    fn make_room(&mut self, length: usize, count: usize) {
        self.count = count;
        for column in [&mut self.times, &mut self.currents, &mut self.potentials] {
            grow(column, length);
        }
    }
}

impl<T: Element> Steps<T> {
    /// The block that begins with an input.
    #[inline(always)]
    pub fn block(&self, input: usize) -> &Block<T> {
        &self.blocks[input / BLOCK]
    }
}

impl<T: Element> Block<T> {
    /// Computes all for some inputs, and their coefficients. `times` go on after them, as far as is known.
    #[inline(always)]
    fn prepare<S: Simd>(
        &mut self,
        simd: S,
        membrane: &Membrane,
        times: &[f64],
        reference: f64,
        coefficients: &mut InputCoefficients<T>,
        from: usize,
    ) {
        let mut padded = [reference; LENGTH + 1];
        let known = times.len().min(padded.len());
        padded[..known].copy_from_slice(&times[..known]);
        let all = |value| F64s::splat(simd, value);
        let (rate, one, zero) = (all(-membrane.membrane_rate), all(1.0), all(0.0));
        let inverse_capacitance = all(membrane.inverse_capacitance);
        let reference = all(reference);
        let needed = (known.min(BLOCK) + 1).div_ceil(S::F64_LANES);
        let first = from / S::F64_LANES;
        let next = registers::<S>(&padded[1..]);
        for (index, &time) in registers::<S>(&padded).iter().enumerate().take(needed) {
            let time = F64s::new(simd, time);
            let gap = F64s::new(simd, next[index]) - time;
            let (there, here) = membrane.propagators_both(simd, time - reference);
            if index < BLOCK / S::F64_LANES {
                coefficients.write(first + index, time, &here);
            }
            let Propagators { current, response, decay } = there;
            let current = current * inverse_capacitance;
            let reached = gap.multiply_add(rate, one);
            let tangent = reached.multiply_add(response, current * gap);
            let follows = gap.above(zero);
            let (tangent, lift) =
                (follows.select(tangent, zero), follows.select(reached * decay, zero));
            self.tangent.write::<S>(index, tangent, lift);
            self.potential.write::<S>(index, response, decay);
            self.slope.write::<S>(index, rate.multiply_add(response, current), rate * decay);
        }
    }
}
