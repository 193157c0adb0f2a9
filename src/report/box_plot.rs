//! Box plots: how a quantity depends on something, over many seeds.
//!
//! A [`Figure`] is one or more [`BoxPlot`]s side by side. Each box spans the quartiles, with a line at
//! the median and whiskers to the smallest and the largest value; every value is a dot beside.
//! Positions along the horizontal axis are categories, in the order given. As in
//! [`class_map`](super::class_map), the same code draws SVG and PNG, with the font of the program.

mod drawing;

use plotters::prelude::*;
use serde::Serialize;

use super::canvas::{Canvas, Drawn};
use super::picture::{self, Drawing, PictureError};

/// Largest width or height of a figure, in pixels.
const LARGEST: u32 = 20_000;

/// Box plots side by side, with a legend of their series at the top.
#[derive(Clone, Debug, Serialize)]
pub struct Figure {
    /// Heading; none if empty.
    pub title: String,
    /// The plots, row by row.
    pub plots: Vec<BoxPlot>,
    /// How many are side by side. Above zero.
    pub columns: usize,
    /// Width and height of a plot with its labels, in pixels of the PNG and user units of the SVG.
    pub size: (u32, u32),
    /// Name of each series, in the order of its colours; there is no legend for less than two.
    pub series: Vec<String>,
}

/// One plot.
#[derive(Clone, Debug, Serialize)]
pub struct BoxPlot {
    /// Heading; none if empty.
    pub title: String,
    /// Quantity and unit along the horizontal axis.
    pub x_label: String,
    /// Quantity and unit along the vertical axis.
    pub y_label: String,
    /// Names of the positions.
    pub categories: Vec<String>,
    /// The boxes of each series, in the order of [`Figure::series`]: one per category, or none.
    pub boxes: Vec<Vec<Option<BoxOfValues>>>,
    /// A level to compare with for each series, drawn as a broken line in its colour; none for a series
    /// without one.
    pub levels: Vec<Option<f64>>,
    /// The largest value that makes sense, if there is one: the axis goes no further.
    pub most: Option<f64>,
}

/// A box and its values.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct BoxOfValues {
    /// Smallest value, quartiles with the median in between, largest value.
    pub quartiles: [f64; 5],
    /// All values, finite.
    pub values: Vec<f64>,
}

impl Figure {
    /// The figure as an SVG document.
    ///
    /// # Errors
    /// If there is no plot, it is too large, or a value is not finite.
    pub fn to_svg(&self) -> Result<String, PictureError> {
        picture::svg(self)
    }

    /// The figure as a PNG file.
    ///
    /// # Errors
    /// As [`to_svg`](Self::to_svg).
    pub fn to_png(&self) -> Result<Vec<u8>, PictureError> {
        picture::png(self)
    }
}

impl Drawing for Figure {
    fn size(&self) -> Result<(u32, u32), PictureError> {
        if self.plots.is_empty() || self.columns == 0 {
            return Err(PictureError::Empty);
        }
        for plot in &self.plots {
            let boxes = plot.boxes.iter().flatten().flatten();
            let numbers = boxes.flat_map(|found| found.values.iter().chain(&found.quartiles));
            if let Some(value) =
                numbers.chain(plot.levels.iter().flatten()).find(|value| !(value.abs() < 1e300))
            {
                return Err(PictureError::Value { value: *value });
            }
        }
        let (width, height) = drawing::size(self);
        if width > LARGEST || height > LARGEST {
            return Err(PictureError::TooLarge { width, height, most: LARGEST });
        }
        Ok((width, height))
    }

    fn draw<DB: DrawingBackend>(&self, canvas: &Canvas<DB>) -> Drawn<DB> {
        drawing::draw(self, canvas)
    }
}

#[cfg(test)]
mod tests;
