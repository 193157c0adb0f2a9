//! Pictures and pages: of spikes, and of what was learned.

pub mod box_plot;
pub mod class_map;
pub mod differences;
pub mod html;
mod outline;
mod picture;
pub mod raster;
