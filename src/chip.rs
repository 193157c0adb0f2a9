//! How a substrate departs from the ideal.
//!
//! A [`Substrate`] runs a layered network in place of the ideal engines: it is programmed with weights
//! and delays, is shown samples, and gives back the spikes that were recorded. Learning then works on
//! the record.

mod external;
mod substrate;

pub use external::{Exchange, ExternalSettings, ExternalSubstrate, Oddities};
pub use substrate::{PresentationKey, Presented, Program, Substrate, SubstrateError};
