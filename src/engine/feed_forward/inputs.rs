//! The spikes that drive a layer in one sample, sorted, with all that depends on their times only.

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
    /// Sorted by time, then row; only those that come.
    pub arrivals: Vec<Arrival>,
    /// The time of the last one.
    pub reference: f64,
    /// Per input: its share in current and potential at the reference, for a unit weight.
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

/// Time to the next input, and so how a crossing before it is looked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Gap {
    /// The next input comes at the same time: both act before anything is looked for.
    #[default]
    None,
    /// Short: the tangent alone rules out nearly all neurons that do not cross.
    Short,
    /// Long: the potential and slope at the next input are looked at too.
    Long,
    /// There is no next input.
    Last,
}

/// Gaps below this fraction of the synaptic time constant count as short.
const SHORT: f64 = 0.05;

/// What the sweep needs of the inputs besides their shares. Every column has a value per input (and
/// some more, to fill a register): coefficients of linear forms of the state at the reference.
#[derive(Clone, Debug, Default)]
pub(super) struct Steps<T> {
    pub gaps: Vec<Gap>,
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
    gap_lengths: Vec<f64>,
    sorter: Sorter,
}

/// Linear forms of the state at the reference, in columns.
#[derive(Clone, Debug, Default)]
pub(super) struct FormColumns<T> {
    pub current: Vec<T>,
    pub potential: Vec<T>,
}

impl<T: Element> Inputs<T> {
    /// Sorts the arrivals and computes what depends on their times.
    #[inline(always)]
    pub(super) fn prepare<S: Simd>(&mut self, simd: S, membrane: &Membrane, steps: &mut Steps<T>) {
        steps.sorter.sort(&mut self.arrivals);
        self.reference = self.arrivals.last().map_or(0.0, |arrival| arrival.time);
        // One more than the inputs, so that each has a next one.
        let padded = (self.arrivals.len() + 1).next_multiple_of(S::F64_LANES);
        let Steps { offsets, views, shares, .. } = steps;
        offsets.clear();
        offsets.extend(self.arrivals.iter().map(|arrival| arrival.time - self.reference));
        offsets.resize(padded, 0.0);
        membrane.view_both(simd, offsets, views, shares);
        self.shares.clear();
        let columns = shares.current.iter().zip(&shares.response);
        self.shares.extend(self.arrivals.iter().zip(columns).map(
            |(arrival, (&current, &potential))| Share {
                time: T::from_f64(arrival.time),
                current: T::from_f64(current),
                potential: T::from_f64(potential),
                row: arrival.row,
            },
        ));
        steps.find_gaps(&self.arrivals, membrane);
        steps.find_forms(simd, membrane);
    }
}

impl<T: Element> Steps<T> {
    /// How the state at the reference is seen at an input.
    pub fn view(&self, index: usize) -> View {
        self.views.get(index)
    }

    fn find_gaps(&mut self, arrivals: &[Arrival], membrane: &Membrane) {
        let short = SHORT / membrane.synaptic_rate;
        self.gaps.clear();
        self.gaps.extend(arrivals.windows(2).map(|pair| {
            let gap = pair[1].time - pair[0].time;
            if gap == 0.0 {
                Gap::None
            } else if gap < short {
                Gap::Short
            } else {
                Gap::Long
            }
        }));
        self.gaps.push(Gap::Last);
    }

    #[inline(always)]
    fn find_forms<S: Simd>(&mut self, simd: S, membrane: &Membrane) {
        let count = self.offsets.len();
        let all = |value| Doubles::splat(simd, value);
        let rate = all(-membrane.membrane_rate);
        let inverse_capacitance = all(membrane.inverse_capacitance);
        for column in [&mut self.tangent, &mut self.here, &mut self.slope] {
            grow(&mut column.current, count);
            grow(&mut column.potential, count);
        }
        self.gap_lengths.clear();
        self.gap_lengths.extend(self.offsets.windows(2).map(|pair| pair[1] - pair[0]));
        self.gap_lengths.push(0.0);
        let gaps = registers::<S>(&self.gap_lengths);
        let [currents, responses, decays] = self.views.registers::<S>(count);
        for index in 0..gaps.len() {
            let gap = Doubles::new(simd, gaps[index]);
            let current = Doubles::new(simd, currents[index]) * inverse_capacitance;
            let response = Doubles::new(simd, responses[index]);
            let decay = Doubles::new(simd, decays[index]);
            let reached = gap.multiply_add(rate, all(1.0));
            let tangent = reached.multiply_add(response, current * gap);
            let slope = rate.multiply_add(response, current);
            T::write_doubles::<S>(&mut self.tangent.current, index, tangent.value());
            T::write_doubles::<S>(&mut self.tangent.potential, index, (reached * decay).value());
            T::write_doubles::<S>(&mut self.here.current, index, response.value());
            T::write_doubles::<S>(&mut self.here.potential, index, decay.value());
            T::write_doubles::<S>(&mut self.slope.current, index, slope.value());
            T::write_doubles::<S>(&mut self.slope.potential, index, (rate * decay).value());
        }
    }
}
