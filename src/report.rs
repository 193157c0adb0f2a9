//! Pictures and pages: of spikes, of potentials, and of what was learned.

pub mod box_plot;
mod canvas;
pub mod class_map;
pub mod differences;
pub mod html;
pub mod membranes;
mod outline;
mod picture;
mod prefix;
pub mod raster;
mod ticks;

pub use picture::PictureError;
pub use prefix::{common_prefix, with_prefix};
