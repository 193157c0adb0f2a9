//! Pictures and pages: of potentials, and of what was learned.

pub mod box_plot;
pub mod class_map;
pub mod html;
pub mod membranes;
mod picture;
