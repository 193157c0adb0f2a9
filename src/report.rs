//! Pictures of what was learned.

pub mod box_plot;
pub mod class_map;
mod picture;
