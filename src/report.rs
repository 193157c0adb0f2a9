//! Pictures and pages of what was learned.

pub mod box_plot;
pub mod class_map;
pub mod html;
mod picture;
