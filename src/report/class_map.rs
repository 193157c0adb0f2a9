//! A picture of what a network has learned: its decision regions over the plane of the data, with
//! the samples it was tested on drawn on top.
//!
//! The same drawing code makes the SVG and the PNG. Texts are measured, and in the PNG drawn, with
//! the font that ships with the program, so both come out on a machine without any and the same
//! input gives the same bytes. In the SVG texts are outlines of that font.

mod drawing;

use plotters::prelude::*;

use super::canvas::{Canvas, Drawn};
use super::picture::{self, Drawing, PictureError};

/// Width and height of the picture, in pixels of the PNG and user units of the SVG.
pub const SIZE: (u32, u32) = (1400, 1080);

/// The decision regions of a classifier and the samples it was tested on.
///
/// Classes are indices into `class_names`. The picture is [`SIZE`] large; texts that are too long
/// for their place end in an ellipsis.
#[derive(Debug, Clone, Copy)]
pub struct ClassMap<'a> {
    /// Heading of the picture, for instance the accuracy.
    pub title: &'a str,
    /// Cells along each side of the grid of decisions.
    pub resolution: usize,
    /// Decision at the centre of each of the `resolution * resolution` cells that divide
    /// `extent` evenly, row by row from the lowest y, each row from the lowest x.
    pub decisions: &'a [Decision],
    /// Lowest and highest x, lowest and highest y, in units of the data.
    pub extent: ((f64, f64), (f64, f64)),
    /// The samples, within `extent`.
    pub samples: &'a [MapSample],
    /// Name of each class.
    pub class_names: &'a [String],
    /// What x and y are.
    pub axis_labels: (&'a str, &'a str),
}

/// What the network says to a cell of the grid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// The cell is no place for data: left blank.
    Outside,
    /// The network does not decide (no label neuron spikes).
    Undecided,
    /// The network decides for this class.
    Class(usize),
}

/// A sample and what the network said to it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MapSample {
    /// First coordinate, in units of the data.
    pub x: f64,
    /// Second coordinate, in units of the data.
    pub y: f64,
    /// True class.
    pub label: usize,
    /// Class the network decided for, if it did.
    pub decided: Option<usize>,
}

impl MapSample {
    /// Not to decide is wrong, too.
    fn is_misclassified(&self) -> bool {
        self.decided != Some(self.label)
    }
}

impl ClassMap<'_> {
    /// The picture as an SVG document.
    ///
    /// # Errors
    ///
    /// If the decisions do not fill the grid, a class has no name, a range of the extent is empty,
    /// not finite or narrower than a billionth of its bounds, or a sample lies outside the extent.
    pub fn to_svg(&self) -> Result<String, PictureError> {
        picture::svg(self)
    }

    /// The picture as a PNG file.
    ///
    /// # Errors
    ///
    /// As [`to_svg`](Self::to_svg).
    pub fn to_png(&self) -> Result<Vec<u8>, PictureError> {
        picture::png(self)
    }
}

impl Drawing for ClassMap<'_> {
    fn size(&self) -> Result<(u32, u32), PictureError> {
        let cells = self.decisions.len();
        if self.resolution.checked_mul(self.resolution) != Some(cells) {
            let (decisions, resolution) = (cells, self.resolution);
            return Err(PictureError::Grid { decisions, resolution });
        }
        let (x_range, y_range) = self.extent;
        for (axis, (low, high)) in [("x", x_range), ("y", y_range)] {
            // Beyond these bounds the numbers overflow or leave no room for ticks.
            let largest = low.abs().max(high.abs());
            if !(largest <= 1e300 && high - low > f64::max(1e-300, 1e-9 * largest)) {
                return Err(PictureError::AxisRange { axis, low, high });
            }
        }
        let inside = |value: f64, (low, high): (f64, f64)| low <= value && value <= high;
        for (index, sample) in self.samples.iter().enumerate() {
            let &MapSample { x, y, .. } = sample;
            if !(inside(x, x_range) && inside(y, y_range)) {
                return Err(PictureError::SampleOutside { sample: index, x, y });
            }
        }
        let decided = self.decisions.iter().filter_map(|decision| match *decision {
            Decision::Class(class) => Some(class),
            Decision::Outside | Decision::Undecided => None,
        });
        let known = self.samples.iter().map(|sample| sample.label);
        let answered = self.samples.iter().filter_map(|sample| sample.decided);
        let names = self.class_names.len();
        if let Some(class) = decided.chain(known).chain(answered).find(|&c| c >= names) {
            return Err(PictureError::NoClassName { class, names });
        }
        Ok(SIZE)
    }

    fn draw<DB: DrawingBackend>(&self, canvas: &Canvas<DB>) -> Drawn<DB> {
        drawing::draw(self, canvas)
    }
}

#[cfg(test)]
mod tests;
