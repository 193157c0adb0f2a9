//! A raster as a picture for a page of print: SVG and PNG.
//!
//! A picture of the default size is to be printed a column wide, 85 mm: then its letters are seven
//! points high, and a mark is 0.2 mm wide. Spikes fall on a grid that fine, and marks that touch are
//! drawn as one; where there are too many, the grid is coarser, so that a file stays small whatever
//! the number of spikes. What was merged is said below the picture. As in
//! [`box_plot`](crate::report::box_plot), the same code draws SVG and PNG.

mod axes;
mod boxes;

use std::fmt::Write;

use plotters::prelude::*;

use super::super::canvas::Canvas;
use super::super::outline::outlined;
use super::super::picture::{self, PNG_TEXT_DROP, PictureError};
use super::{Raster, View};
use axes::Painter;
use boxes::{Boxes, boxes};

/// Width and height of a picture, if no other is asked for: pixels of the PNG, user units of the SVG.
pub const SIZE: (u32, u32) = (1000, 640);

/// The smallest and the largest width or height.
pub const RANGE: (u32, u32) = (300, 20_000);

/// A picture of a raster.
#[derive(Clone, Copy, Debug)]
pub struct Figure<'r> {
    /// What is drawn. At least one neuron.
    pub raster: &'r Raster,
    /// Width and height, within [`RANGE`].
    pub size: (u32, u32),
}

/// The place of the spikes in a picture, and what of the raster is there.
struct Frame {
    left: i32,
    right: i32,
    top: i32,
    bottom: i32,
    view: View,
}

impl Frame {
    fn x(&self, x: f64) -> f64 {
        let share = (x - self.view.x.0) / (self.view.x.1 - self.view.x.0);
        f64::from(self.left) + share * f64::from(self.right - self.left)
    }

    fn y(&self, y: f64) -> f64 {
        let share = (y - self.view.y.0) / (self.view.y.1 - self.view.y.0);
        f64::from(self.bottom) - share * f64::from(self.bottom - self.top)
    }

    fn width(&self) -> usize {
        (self.right - self.left) as usize
    }

    fn height(&self) -> usize {
        (self.bottom - self.top) as usize
    }
}

impl Figure<'_> {
    /// The picture as an SVG document.
    ///
    /// # Errors
    /// If there is no neuron, or the size is out of range.
    pub fn to_svg(&self) -> Result<String, PictureError> {
        self.prepare()?;
        let mut svg = String::new();
        let canvas = Canvas::new(SVGBackend::with_string(&mut svg, self.size), 0.0);
        let painter = Painter::new(canvas, self);
        let boxes = painter.boxes();
        painter.draw(&boxes, false).map_err(PictureError::drawing)?;
        drop(painter);
        let mut svg = outlined(&svg).ok_or(PictureError::DamagedFont)?;
        // A path for all marks of a hue and shade: a hundredth of what elements of their own take.
        let end = svg.rfind("</svg>").unwrap_or(svg.len());
        svg.truncate(end);
        for (&(hue, level), marks) in &boxes.marks {
            let RGBColor(red, green, blue) = boxes.colour(hue, level);
            let _ = write!(svg, "<path fill=\"#{red:02X}{green:02X}{blue:02X}\" d=\"");
            for mark in marks {
                let (width, height) = (mark.right - mark.left, mark.bottom - mark.top);
                let (left, top) = (mark.left, mark.top);
                let _ = write!(svg, "M{left} {top}h{width}v{height}h-{width}z");
            }
            svg.push_str("\"/>\n");
        }
        svg.push_str("</svg>\n");
        Ok(svg)
    }

    /// The picture as a PNG file.
    ///
    /// # Errors
    /// As [`to_svg`](Self::to_svg).
    pub fn to_png(&self) -> Result<Vec<u8>, PictureError> {
        self.prepare()?;
        let mut pixels = vec![0; 3 * self.size.0 as usize * self.size.1 as usize];
        let backend = BitMapBackend::with_buffer(&mut pixels, self.size);
        let painter = Painter::new(Canvas::new(backend, PNG_TEXT_DROP), self);
        painter.draw(&painter.boxes(), true).map_err(PictureError::drawing)?;
        drop(painter);
        picture::png_file(&pixels, self.size).map_err(PictureError::drawing)
    }

    /// Checks the input and makes the font known to the drawing code.
    fn prepare(&self) -> Result<(), PictureError> {
        if self.raster.rows.is_empty() {
            return Err(PictureError::NoNeurons);
        }
        let (width, height) = self.size;
        if [width, height].iter().any(|side| !(RANGE.0..=RANGE.1).contains(side)) {
            let (least, most) = RANGE;
            return Err(PictureError::Size { width, height, least, most });
        }
        picture::register_sans_serif().ok_or(PictureError::DamagedFont)
    }
}
