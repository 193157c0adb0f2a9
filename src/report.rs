//! Pictures of what was learned.

pub mod box_plot;
pub mod class_map;
pub mod differences;
mod picture;
