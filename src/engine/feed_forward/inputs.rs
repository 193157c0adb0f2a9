//! The spikes that drive a layer in one sample, sorted, with all that depends on their times only.

use std::ops::Range;

use pulp::Simd;

use super::elementary::{Doubles, registers};
use super::lanes::{Element, grow};
use super::membrane::{Membrane, View, ViewColumns};
use super::sorting::Sorter;

/// A spike that reaches a layer.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Arrival {
    /// When, in time units.
    pub time: f64,
    /// Row of the layer's weight matrix.
    pub row: u32,
}

/// The sorted inputs of a layer in one sample: what the backward pass still needs of them.
#[derive(Clone, Debug, Default)]
pub struct Inputs<T> {
    /// Only those that come. As far as there are shares, they are sorted by time, then row.
    pub arrivals: Vec<Arrival>,
    /// The time of the last one.
    pub reference: f64,
    /// Per input: its share in current and potential at the reference, for a unit weight. Only as far
    /// as any neuron of the layer had to look.
    pub shares: Vec<Share<T>>,
}

/// An input's share in the state at the reference.
#[derive(Clone, Copy, Debug, Default)]
pub struct Share<T> {
    /// When the input comes.
    pub time: T,
    /// What it adds to the current.
    pub current: T,
    /// What it adds to the potential.
    pub potential: T,
    /// Row of the weight matrix.
    pub row: u32,
}

/// Gaps below this fraction of the synaptic time constant count as short.
const SHORT: f64 = 0.05;

/// What the sweep needs of the inputs besides their shares. Every column has a value per input (and
/// some more, to fill a register): coefficients of linear forms of the state at the reference.
#[derive(Clone, Debug, Default)]
pub(super) struct Steps<T> {
    /// Time to the next input; without meaning after the last.
    pub gaps: Vec<f64>,
    /// Gaps below this are so short that the tangent alone rules out nearly all neurons that do not
    /// cross; after longer ones the potential and slope at the next input are looked at at once.
    pub short: f64,
    /// The potential that the tangent at this input reaches at the next one. Up to its peak the
    /// potential is concave, so it stays below.
    pub tangent: FormColumns<T>,
    /// The potential at this input; at the next index, that at the next input.
    pub here: FormColumns<T>,
    /// Its slope there.
    pub slope: FormColumns<T>,
    /// How the state at the reference is seen at each input.
    views: ViewColumns,
    /// How each input's own state is seen at the reference.
    shares: ViewColumns,
    offsets: Vec<f64>,
    sorter: Sorter,
}

/// Linear forms of the state at the reference, in columns.
#[derive(Clone, Debug, Default)]
pub(super) struct FormColumns<T> {
    pub current: Vec<T>,
    pub potential: Vec<T>,
}

/// Inputs that are prepared at a time. Often a layer has spiked long before its last input.
const BLOCK: usize = 32;

impl<T: Element> Inputs<T> {
    /// Takes up the arrivals, in any order. Nothing is known of them yet but the last one's time.
    pub(super) fn begin(&mut self, steps: &mut Steps<T>) {
        self.reference = steps.sorter.begin(&mut self.arrivals);
        self.shares.clear();
    }

    /// Sorts the next few arrivals and computes what depends on their times. All of it is the same,
    /// however many are prepared at a time.
    #[inline(always)]
    pub(super) fn prepare<S: Simd>(&mut self, simd: S, membrane: &Membrane, steps: &mut Steps<T>) {
        let (count, from) = (self.arrivals.len(), self.shares.len());
        let sorted = steps.sorter.sort(&mut self.arrivals, from + BLOCK + 1);
        // Each that is prepared knows the next.
        let to = if sorted == count { count } else { sorted - 1 };
        let lanes = S::F64_LANES;
        let stretch = from / lanes * lanes..(to + 1).next_multiple_of(lanes);
        steps.find_offsets(&self.arrivals[..sorted], self.reference, &stretch);
        let Steps { offsets, views, shares, .. } = steps;
        membrane.view_both(simd, offsets, stretch.clone(), views, shares);
        let columns = shares.current[from..to].iter().zip(&shares.response[from..to]);
        self.shares.extend(self.arrivals[from..to].iter().zip(columns).map(
            |(arrival, (&current, &potential))| Share {
                time: T::from_f64(arrival.time),
                current: T::from_f64(current),
                potential: T::from_f64(potential),
                row: arrival.row,
            },
        ));
        steps.short = SHORT / membrane.synaptic_rate;
        steps.find_forms(simd, membrane, stretch);
    }
}

impl<T: Element> Steps<T> {
    /// How the state at the reference is seen at an input.
    pub fn view(&self, index: usize) -> View {
        self.views.get(index)
    }

    /// Offsets from the reference, and the gaps to the next; zero beyond the arrivals.
    fn find_offsets(&mut self, arrivals: &[Arrival], reference: f64, stretch: &Range<usize>) {
        grow(&mut self.offsets, stretch.end);
        grow(&mut self.gaps, stretch.end);
        let offsets = &mut self.offsets[stretch.clone()];
        offsets.fill(0.0);
        for (offset, arrival) in offsets.iter_mut().zip(&arrivals[stretch.start..]) {
            *offset = arrival.time - reference;
        }
        for (gap, pair) in
            self.gaps[stretch.clone()].iter_mut().zip(arrivals[stretch.start..].windows(2))
        {
            *gap = pair[1].time - pair[0].time;
        }
    }

    #[inline(always)]
    fn find_forms<S: Simd>(&mut self, simd: S, membrane: &Membrane, stretch: Range<usize>) {
        let rate = Doubles::splat(simd, -membrane.membrane_rate);
        let inverse_capacitance = Doubles::splat(simd, membrane.inverse_capacitance);
        for column in [&mut self.tangent, &mut self.here, &mut self.slope] {
            grow(&mut column.current, stretch.end);
            grow(&mut column.potential, stretch.end);
        }
        let gaps = registers::<S>(&self.gaps[stretch.clone()]);
        let first = stretch.start / S::F64_LANES;
        let [currents, responses, decays] = self.views.registers::<S>(stretch);
        for index in 0..gaps.len() {
            let gap = Doubles::new(simd, gaps[index]);
            let current = Doubles::new(simd, currents[index]) * inverse_capacitance;
            let response = Doubles::new(simd, responses[index]);
            let decay = Doubles::new(simd, decays[index]);
            let reached = gap.multiply_add(rate, Doubles::splat(simd, 1.0));
            let tangent = reached.multiply_add(response, current * gap);
            let slope = rate.multiply_add(response, current);
            let index = first + index;
            T::write_doubles::<S>(&mut self.tangent.current, index, tangent.value());
            T::write_doubles::<S>(&mut self.tangent.potential, index, (reached * decay).value());
            T::write_doubles::<S>(&mut self.here.current, index, response.value());
            T::write_doubles::<S>(&mut self.here.potential, index, decay.value());
            T::write_doubles::<S>(&mut self.slope.current, index, slope.value());
            T::write_doubles::<S>(&mut self.slope.potential, index, (rate * decay).value());
        }
    }
}
