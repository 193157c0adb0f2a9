//! How a substrate departs from the ideal, and what it takes.
//!
//! A chip file reads like a datasheet ([`Datasheet`]); every entry is ideal unless it says otherwise.
//! [`ChipModel`] puts a layered network onto such a chip: weights in the steps and the range that it
//! has ([`WeightGrid`]), every neuron with deviations of its own, spikes under way for a while, late,
//! early or lost, recorded with the resolution of its clock. [`HardwareAccount`] says how long that
//! takes on the hardware, and how much energy.
//!
//! ```text
//! scenario's network ─→ fits? ─→ programmed weights ─→ ┌ Substrate ┐ ─→ recorded spikes ─→ learning
//!                                       stimulus ────→ └───────────┘        └─→ time, energy
//! ```
//!
//! A [`Substrate`] runs a network in place of the ideal engines. The model of a chip is one; an
//! external program, and through it a real chip, is another ([`ExternalSubstrate`]).

mod account;
mod datasheet;
mod deviation;
mod error;
#[cfg(feature = "external")]
mod external;
mod link;
mod model;
mod neurons;
mod normal;
mod size;
mod substrate;
mod weights;

pub use account::{HardwareAccount, HardwareClock};
pub use datasheet::{
    Datasheet, EnergySheet, LinkSheet, NeuronDeviations, NeuronSheet, PresentationSheet, Sign,
    SizeSheet, Trial, WeightSheet,
};
pub use deviation::{Deviation, Shape};
pub use error::{AnswerProblem, MeasuredProblem, ProgramFailure, SubstrateError};
#[cfg(feature = "external")]
#[doc(hidden)]
pub use external::parse_answer;
#[cfg(feature = "external")]
pub use external::{Anomalies, Exchange, ExternalSettings, ExternalSubstrate};
pub use model::ChipModel;
pub use size::misfit;
pub use substrate::{Activity, PresentationKey, Presented, Program, Substrate, UntilDecision};
pub use weights::{SynapseGrid, WeightGrid};
