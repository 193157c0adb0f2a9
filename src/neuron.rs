//! The physics of one neuron: pure functions of plain values, without allocation, randomness or I/O.
//!
//! A neuron is a current-based leaky integrate-and-fire neuron with exponential synapses (Göltz,
//! Kriener et al. 2021, equation 1). Its membrane potential `V` and synaptic current `I` obey
//!
//! ```text
//! C dV/dt = −(C/τ_m) (V − E_l) + I + I_b        dI/dt = −I/τ_s
//! ```
//!
//! A spike that arrives over a synapse of weight `w` adds `w` to `I`. The neuron spikes when `V`
//! rises to the threshold, is held at the reset potential for the refractory period, and goes on.
//!
//! Data flows through the module in the order of its files:
//!
//! * [`NeuronParameters`]: what a user sets, in the user's units, with the accepted ranges.
//! * [`Dynamics`]: the same neuron prepared for computing, in rates and relative to the leak.
//! * [`State`] and its exact propagation from one event to the next ([`Dynamics::advance`]).
//! * [`Dynamics::first_crossing`]: when the threshold is reached if nothing else arrives.
//! * [`CrossingBound`]: a cheap proof that the threshold is not reached, for many neurons at once.
//! * [`crossing_derivatives`]: how that time moves with every weight and input time.
//! * [`crossing_by_parameters`]: the same with time constants and threshold.
//! * The adjoint state, which carries derivatives of a loss backwards over any number of spikes, to the
//!   parameters themselves ([`NeuronGradients`]).
//!
//! Everything is exact to rounding: there is no time step anywhere.

mod adjoint;
pub(crate) mod basis;
mod bound;
mod compensated_sum;
mod crossing;
mod crossing_split;
mod derivative;
mod derivative_by_parameter;
mod dynamics;
pub(crate) mod heterogeneous;
mod kernel;
mod lambert;
mod membrane;
mod parameters;

pub use adjoint::NeuronGradients;
pub(crate) use adjoint::{AdjointState, LinearDynamics, MembraneState, RateGradients};
pub use bound::CrossingBound;
pub(crate) use compensated_sum::add_compensated;
pub use crossing::{Crossing, first_spike};
pub use derivative::{CausalInput, CrossingDerivative, crossing_derivatives};
pub use derivative_by_parameter::crossing_by_parameters;
pub(crate) use dynamics::Ratio;
pub use dynamics::{Dynamics, Propagator, State};
pub(crate) use membrane::{Membrane, Propagators};
pub use parameters::{NeuronParameters, ParameterError, PerParameter};
