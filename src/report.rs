//! Pictures and pages: of spikes, of potentials, and of what was learned.

pub mod box_plot;
pub mod class_map;
pub mod differences;
pub mod html;
pub mod membranes;
mod outline;
mod picture;
pub mod raster;

pub use picture::PictureError;
