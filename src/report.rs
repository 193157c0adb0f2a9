//! Pictures: of potentials, and of what was learned.

pub mod box_plot;
pub mod class_map;
pub mod membranes;
mod picture;
