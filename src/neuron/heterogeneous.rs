//! Neurons that all differ, a register at a time: the equations of this module's scalar neuron for
//! [`BLOCK_SIZE`] neurons side by side, each with time constants, threshold and currents of its own.
//!
//! Nothing that an input does can be computed once for all such neurons. So every equation is written in
//! lanes: one lane, one neuron.
//!
//! * [`HeterogeneousNeurons`]: the parameters, in blocks; [`LayerLanes`] and [`NeuronLanes`] hand them out,
//!   a register at a time.
//! * [`MembraneState`] and its exact propagation, for any interval (`propagation`) or one that was prepared
//!   ([`IntervalPropagator`]).
//! * What excludes a crossing: `bounds` and `convexity`.
//! * When the threshold is crossed first: [`first_crossing`], or [`CrossingSearch`] step by step.
//! * [`InputSums`] and [`OpenIntervals`]: the same of one neuron, with its inputs in lanes.
//!
//! They agree with the scalar equations to rounding; the tests compare them.

mod blocks;
mod bounds;
mod convexity;
mod crossing;
mod input_sums;
mod lanes;
mod neurons;
mod open_intervals;
mod params;
mod propagation;
mod propagator;
#[cfg(test)]
mod tests;

pub use self::blocks::{BLOCK_SIZE, BlockSlice, Column, Position, StateColumns};
pub use self::crossing::{CrossingSearch, first_crossing};
pub use self::input_sums::{InputSums, NeuronConstants};
pub use self::lanes::{LayerLanes, NeuronLanes};
pub use self::neurons::{HeterogeneousNeurons, PotentialBlock};
pub use self::open_intervals::OpenIntervals;
pub use self::params::PARAMS;
pub use self::propagation::MembraneState;
pub use self::propagator::{IntervalPropagator, PropagatorLanes};
