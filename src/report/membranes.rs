//! How a network comes to its first spikes, in one picture: the spikes that come in, the spikes in
//! between, and the potentials that they drive to the threshold, on one axis of time.
//!
//! ```text
//! rasters       · ·  ·   ·      a row per source or neuron
//!                 · ·· ·  ·
//! potentials    ____/‾‾‾|___    threshold broken, spikes as triangles, refractory spans grey
//!               ╷│ ╵ ╷ │        inputs below: excitatory up, inhibitory down, as long as their effect
//! ```
//!
//! The same [`Figure`] is drawn as SVG, as PNG and on a terminal ([`Figure::to_text`]).

mod drawing;
mod terminal;

use plotters::prelude::*;

use super::canvas::{Canvas, Drawn};
use super::picture::{self, Drawing, PictureError};
use crate::membrane::MembraneTrace;
use drawing::Painter;

/// Most panels of potentials in a picture.
pub const MOST_PANELS: usize = 24;

/// Spikes and potentials of one sample.
#[derive(Clone, Debug)]
pub struct Figure {
    /// Heading.
    pub title: String,
    /// What must be said about the neurons, below the heading; none if empty.
    pub note: String,
    /// Symbol of the time unit.
    pub time_unit: String,
    /// First and last time.
    pub window: (f64, f64),
    /// Spikes of sources and other neurons, from the top.
    pub rasters: Vec<Raster>,
    /// Potentials, below them.
    pub panels: Vec<Panel>,
    /// When the network decided, if it did.
    pub decision: Option<f64>,
}

/// The spikes of some neurons.
#[derive(Clone, Debug)]
pub struct Raster {
    /// What they are.
    pub name: String,
    /// How many neurons there are.
    pub rows: usize,
    /// Time and row of each spike within the window.
    pub spikes: Vec<(f64, usize)>,
}

/// The potential of one neuron.
#[derive(Clone, Debug)]
pub struct Panel {
    /// Which neuron it is.
    pub name: String,
    /// Its potential within the window, and everything that happens to it.
    pub trace: MembraneTrace,
    /// Whether this neuron's spike is the decision.
    pub decides: bool,
}

impl Panel {
    /// Crossings of the threshold that are not recorded spikes: further from each of them than rounding
    /// explains, with `span` for the scale of times.
    fn other_crossings(&self, span: f64) -> impl Iterator<Item = f64> + '_ {
        let is_recorded = move |time: f64| {
            self.trace.spikes.iter().any(|spike| (spike - time).abs() <= 1e-5 * span)
        };
        self.trace.crossings.iter().copied().filter(move |&time| !is_recorded(time))
    }

    /// Lowest and highest potential, with the threshold.
    fn range(&self) -> (f64, f64) {
        let MembraneTrace { potential, threshold, reset, .. } = &self.trace;
        let ends = potential.iter().chain([threshold, reset]);
        ends.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), &value| {
            (low.min(value), high.max(value))
        })
    }
}

impl Figure {
    /// The figure as an SVG document.
    ///
    /// # Errors
    /// If the window is empty, a value is not finite, or there are no panels or too many.
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

    /// The figure as lines of text, `width` characters wide, in colours if that is wanted.
    pub fn to_text(&self, width: usize, colours: bool) -> String {
        terminal::draw(self, width, colours)
    }

    /// Length of the window.
    fn span(&self) -> f64 {
        self.window.1 - self.window.0
    }

    /// The largest effect of an input in any panel, for the scale of their marks.
    fn largest_amplitude(&self) -> f64 {
        let inputs = self.panels.iter().flat_map(|panel| &panel.trace.inputs);
        inputs.map(|input| input.amplitude.abs()).fold(f64::MIN_POSITIVE, f64::max)
    }
}

impl Drawing for Figure {
    fn size(&self) -> Result<(u32, u32), PictureError> {
        if self.panels.is_empty() || self.panels.len() > MOST_PANELS {
            let found = self.panels.len();
            return Err(PictureError::NeuronCount { found, most: MOST_PANELS });
        }
        let (from, to) = self.window;
        // Closer together, times cannot be told apart on the axis.
        if !(to - from > 1e-9 * from.abs().max(to.abs()) && to - from < 1e300) {
            return Err(PictureError::WindowTooShort { from, to });
        }
        for panel in &self.panels {
            let (low, high) = panel.range();
            let largest = low.abs().max(high.abs());
            if !(largest < 1e300) || panel.trace.potential.iter().any(|value| value.is_nan()) {
                let neuron = panel.name.clone();
                return Err(PictureError::Potentials { neuron, low, high });
            }
        }
        Ok(drawing::size(self))
    }

    fn draw<DB: DrawingBackend>(&self, canvas: &Canvas<DB>) -> Drawn<DB> {
        Painter { canvas }.draw(self)
    }
}
