//! The spikes that drive a layer in one sample, sorted, with all that depends on their times only.

use pulp::Simd;

use super::lanes::Element;
use super::membrane::{Form, Membrane, View};

/// A spike that reaches a layer.
#[derive(Clone, Copy, Debug, PartialEq)]
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
    pub current: T,
    pub potential: T,
    /// Row of the weight matrix.
    pub row: u32,
}

/// What the sweep needs of the inputs besides.
#[derive(Clone, Debug, Default)]
pub struct Steps<T> {
    /// Per input: what the sweep does with it.
    pub steps: Vec<Step<T>>,
    /// Per input: how the state at the reference is seen there.
    pub views: Vec<View>,
}

/// Time to the next input, and so how a crossing before it is looked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Gap {
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

/// One input as the sweep meets it: its shares, and the linear forms of the state at the reference
/// that tell whether the potential can cross before the next input.
#[derive(Clone, Copy, Debug, Default)]
pub struct Step<T> {
    pub gap: Gap,
    pub row: u32,
    pub share_current: T,
    pub share_potential: T,
    /// The potential that the tangent at this input reaches at the next one. Up to its peak the
    /// potential is concave, so it stays below.
    pub tangent_current: T,
    pub tangent_potential: T,
    /// The potential at the next input.
    pub next_current: T,
    pub next_potential: T,
    /// Its slope there.
    pub slope_current: T,
    pub slope_potential: T,
}

/// Gaps below this fraction of the synaptic time constant count as short.
const SHORT: f64 = 0.05;

impl<T: Element> Inputs<T> {
    /// Sorts the arrivals and computes what depends on their times.
    #[inline(always)]
    pub fn prepare<S: Simd>(&mut self, membrane: &Membrane, steps: &mut Steps<T>) {
        sort(&mut self.arrivals);
        self.reference = self.arrivals.last().map_or(0.0, |arrival| arrival.time);
        let count = self.arrivals.len();
        self.shares.clear();
        self.shares.resize(count, Share::default());
        steps.views.clear();
        steps.views.resize(count, View::default());
        for ((share, view), arrival) in
            self.shares.iter_mut().zip(&mut steps.views).zip(&self.arrivals)
        {
            let x = self.reference - arrival.time;
            let Form { current, potential } = membrane.share::<S>(x);
            *share = Share {
                time: T::from_f64(arrival.time),
                current: T::from_f64(current),
                potential: T::from_f64(potential),
                row: arrival.row,
            };
            *view = membrane.view::<S>(-x);
        }
        steps.prepare(membrane, self);
    }
}

impl<T: Element> Steps<T> {
    #[inline(always)]
    fn prepare(&mut self, membrane: &Membrane, inputs: &Inputs<T>) {
        self.steps.clear();
        let short = SHORT / membrane.synaptic_rate;
        for (index, (arrival, share)) in inputs.arrivals.iter().zip(&inputs.shares).enumerate() {
            let mut step = Step {
                gap: Gap::Last,
                row: arrival.row,
                share_current: share.current,
                share_potential: share.potential,
                ..Step::default()
            };
            if let Some(next) = inputs.arrivals.get(index + 1) {
                let gap = next.time - arrival.time;
                let (here, there) = (&self.views[index], &self.views[index + 1]);
                let reached = 1.0 - membrane.membrane_rate * gap;
                let push = here.current * membrane.inverse_capacitance * gap;
                let slope = membrane.slope(there);
                step.gap = if gap == 0.0 {
                    Gap::None
                } else if gap < short {
                    Gap::Short
                } else {
                    Gap::Long
                };
                step.tangent_current = T::from_f64(reached * here.potential.current + push);
                step.tangent_potential = T::from_f64(reached * here.potential.potential);
                step.next_current = T::from_f64(there.potential.current);
                step.next_potential = T::from_f64(there.potential.potential);
                step.slope_current = T::from_f64(slope.current);
                step.slope_potential = T::from_f64(slope.potential);
            }
            self.steps.push(step);
        }
    }
}

/// Sorts by time, then row. Most lists are short or nearly sorted already.
fn sort(arrivals: &mut [Arrival]) {
    let ordered = |a: &Arrival, b: &Arrival| (a.time, a.row) <= (b.time, b.row);
    if !arrivals.is_sorted_by(ordered) {
        arrivals.sort_unstable_by(|a, b| a.time.total_cmp(&b.time).then(a.row.cmp(&b.row)));
    }
}
