//! Threshold crossings and derivatives of many neurons at once, in the time basis that suits their ratio of
//! time constants.
//!
//! A neuron that starts at rest has, after some arrivals `i` with weights `w_i`, a potential that is a linear
//! form of two sums over them. What an arrival adds to the sums for a unit of weight depends on its time
//! only, so it is computed once for all neurons it reaches; and no exponential is needed where time is
//! measured on a scale that suits the neuron. There are three such scales:
//!
//! | basis | neurons | coordinate of a time `t` |
//! |---|---|---|
//! | [`Equal`] | `τ_m = τ_s` | `s = λ (t − t₀)`, with `x = e^s` beside it |
//! | [`Double`] | `τ_m = 2 τ_s` | `x = e^(λ_m (t − t₀))` |
//! | [`AnyRatio`] | any other, no leak included | `t − t₀` |
//!
//! `t₀` is a reference time that every sample has for itself. A lane of a register is one sample. Potentials
//! are in units of the neuron's threshold. The engines go over arrivals, in order, like this:
//!
//! ```text
//! for each arrival:  sums += weight × step;  does the potential reach 1 before the next one?
//! after the last:    may it still?
//! then:              when, and how steeply  (the crossing)
//! backward:          what the arrival had caused by then, and how that moves with its time (the response)
//! ```

mod any_ratio;
mod double;
mod equal;

use pulp::Simd;

pub(crate) use self::any_ratio::AnyRatio;
use self::any_ratio::crossing_non_leaky;
pub(crate) use self::double::Double;
use self::double::crossing_double;
pub(crate) use self::equal::{Equal, Peak};
use super::{Membrane, Ratio};
use crate::simd::{F64s, Mask};

/// The coordinate of what never comes: `2^1000`. Finite, so that no difference or product is without a
/// value, and still the latest of its kind with an index in its last bits.
pub(crate) const NEVER: f64 = f64::from_bits((1023 + 1000) << 52);

/// A register of times, in a basis.
#[derive(Clone, Copy)]
pub(crate) struct Instant<S: Simd> {
    /// Later is larger; what never comes has the largest there is.
    pub coordinate: F64s<S>,
    /// What else the basis needs of a time; zero for what never comes.
    pub power: F64s<S>,
}

/// What the arrivals so far have done to a register of neurons.
#[derive(Clone, Copy)]
pub(crate) struct Sums<S: Simd> {
    /// The two sums; the basis says of what.
    pub first: F64s<S>,
    /// See `first`.
    pub second: F64s<S>,
    /// The coordinate of the last arrival; zero in a basis whose crossing does not need it.
    pub last: F64s<S>,
}

/// A register of first spikes, as the backward pass needs them.
#[derive(Clone, Copy)]
pub(crate) struct SpikeState<S: Simd> {
    /// What the response to an arrival at the spike is computed from ([`TimeBasis::response`]).
    pub response_factors: [F64s<S>; 2],
    /// One over the slope of the potential, in time units per unit of potential; zero without a spike.
    pub inverse_slope: F64s<S>,
    /// Time units from the reference to the spike; infinite without one.
    pub elapsed: F64s<S>,
}

/// The equations of neurons with one ratio of time constants, for a register of them.
pub(crate) trait TimeBasis<S: Simd>: Copy {
    /// Registers of a [`Self::Step`] in memory.
    const STEP: usize;
    /// Whether a coordinate is as good with an index of five bits in its last bits.
    const CARRIES_INDEX: bool;
    /// From one arrival to the next.
    type Step: Copy;

    fn new(simd: S, membrane: &Membrane) -> Self;

    /// The instant so many time units after the reference; infinite for what never comes.
    fn instant(&self, elapsed: F64s<S>) -> Instant<S>;

    /// The instant of a coordinate.
    fn instant_at(&self, coordinate: F64s<S>) -> Instant<S>;

    /// What a delay does to an instant: two numbers for [`Self::later`].
    fn shift(&self, delay: F64s<S>) -> [F64s<S>; 2];

    /// The instant after a delay.
    fn later(&self, instant: Instant<S>, shift: [F64s<S>; 2]) -> Instant<S>;

    /// From an arrival to the next, which may never come.
    fn step(&self, arrival: Instant<S>, next: Instant<S>) -> Self::Step;

    /// Writes a step to memory.
    fn store(step: &Self::Step, memory: &mut [S::f64s]);

    /// Reads a step from memory.
    fn load(simd: S, memory: &[S::f64s]) -> Self::Step;

    /// What a weight is multiplied with, and divided by its neuron's threshold, before it is used as a
    /// weight here.
    fn weight_scale(&self) -> f64;

    /// Sums of no arrival.
    fn rest(&self) -> Sums<S>;

    /// Adds the arrival at the start of the step where the mask holds.
    fn add(&self, sums: &mut Sums<S>, step: &Self::Step, weight: F64s<S>, to: Mask<S>);

    /// Which neurons reach their threshold between the two arrivals of a step, of those that the mask names:
    /// all that they have received is summed. A peak that only touches the threshold does not reach it.
    fn crosses(&self, sums: &Sums<S>, step: &Self::Step, of: Mask<S>) -> Mask<S>;

    /// Which of the neurons may reach it after their last arrival, whose [`Instant::power`] is given: of those
    /// that [`Self::crosses`] has not found with a next arrival that never comes.
    fn may_cross_after(&self, sums: &Sums<S>, last_power: F64s<S>) -> Mask<S>;

    /// The crossing of neurons, first part: three numbers for [`Self::spike`]. `certain` ones cross for
    /// certain, `possible` ones perhaps. In two parts, because all operations of one register wait for one
    /// another, and the fewer there are until the next register's, the more the machine works on at once.
    fn locate(&self, sums: &Sums<S>, certain: Mask<S>, possible: Mask<S>) -> [F64s<S>; 3];

    /// The crossing of neurons with this threshold, second part.
    fn spike(&self, located: [F64s<S>; 3], threshold: f64) -> SpikeState<S>;

    /// The spike that was recorded at an instant, so many time units after the reference, of neurons that
    /// received these sums before it: with the slope at the crossing which the sums imply, carried to the
    /// recorded time with the membrane's rate (Göltz, Kriener et al. 2021, equations 5 and 6 with a recorded
    /// `T`). No spike where the sums imply none.
    fn recorded_spike(
        &self,
        sums: &Sums<S>,
        at: Instant<S>,
        elapsed: F64s<S>,
        threshold: f64,
    ) -> SpikeState<S>;

    /// What an arrival of unit weight has added to the potential at a spike, and the derivative of
    /// that by time, in units of [`Self::response_scale`] and [`Self::slope_scale`]; zero for an arrival that
    /// is not before the spike.
    fn response(&self, arrival: Instant<S>, response_factors: [F64s<S>; 2]) -> [F64s<S>; 2];

    /// The unit of a response: potential per weight.
    fn response_scale(&self) -> f64;

    /// The unit of its derivative: potential per weight and time unit.
    fn slope_scale(&self) -> f64;
}

/// The bases as types without a register's width, to choose one by.
pub(crate) trait BasisOf {
    /// Whether a kernel of its own for few arrivals is worth its instructions.
    const LOOKS_UP: bool = false;
    /// The basis for registers of a machine.
    type On<S: Simd>: TimeBasis<S>;
}

/// Chooses [`Equal`].
pub(crate) struct ForEqual;
/// Chooses [`Double`].
pub(crate) struct ForDouble;
/// Chooses [`AnyRatio`].
pub(crate) struct ForAnyRatio;

impl BasisOf for ForEqual {
    const LOOKS_UP: bool = true;
    type On<S: Simd> = Equal<S>;
}

impl BasisOf for ForDouble {
    type On<S: Simd> = Double<S>;
}

impl BasisOf for ForAnyRatio {
    type On<S: Simd> = AnyRatio<S>;
}

impl Membrane {
    /// A crossing, and whether it exists, from the sums of current and potential at the reference, for ratios
    /// with a closed form: when it is, from the reference. If it is known to exist, it is right to rounding
    /// even where the mask says no.
    #[inline(always)]
    pub fn closed_form<S: Simd>(
        &self,
        simd: S,
        current: F64s<S>,
        potential: F64s<S>,
        threshold: F64s<S>,
    ) -> (F64s<S>, Mask<S>) {
        let push = current * F64s::splat(simd, self.inverse_capacitance);
        let rate = F64s::splat(simd, self.membrane_rate);
        match self.ratio {
            Ratio::Equal => {
                Peak::new(simd, rate, push, potential, threshold).first_crossing(rate, push)
            }
            Ratio::Double => crossing_double(simd, rate, push, potential, threshold),
            Ratio::NonLeaky | Ratio::General => {
                let rate = F64s::splat(simd, self.synaptic_rate);
                crossing_non_leaky(simd, rate, push, potential, threshold)
            }
        }
    }
}

#[cfg(test)]
mod tests;
