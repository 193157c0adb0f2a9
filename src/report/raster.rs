//! Spike rasters: a mark for every spike, at its time and its neuron.
//!
//! A [`Selection`] of a recording is put in order once, by sample and time, with a row for each
//! neuron ([`Raster::new`]). From then on any part of it is counted as it is looked at
//! ([`Raster::count`]): the spikes of a window are found by binary search and fall into the cells of
//! a terminal or the pixels of a picture, in parallel. So panning and zooming stay fluid over tens of
//! millions of spikes. The drawings over it are [`terminal`], [`figure`], [`viewer`]
//! and a page ([`Raster::to_html`]).
//!
//! Several samples are side by side along the time axis, each in a strip that begins at the same
//! time; populations are stacked, the first one lowest, as indices grow upwards.

mod cells;
pub mod figure;
mod html;
mod layout;
mod place;
mod selection;
pub mod terminal;
mod ticks;
pub mod viewer;

#[cfg(test)]
mod tests;

use std::ops::Range;

pub use cells::{Cells, Grid, Mark};
pub use layout::{Stack, View};
pub use selection::{IndexRanges, ParseSelectionError, Selection, SelectionError, Sort, Window};

use crate::settings::time_units;

/// Hues of populations, which repeat beyond: of the palette those that stand out on white and on
/// black alike.
pub(super) const HUES: usize = 6;

/// The selected spikes of a recording, in the order in which they are drawn.
#[derive(Clone, Debug)]
pub struct Raster {
    /// Unit of the times, if it is known: `ms`, `us`, `tau_s`.
    pub time_unit: Option<String>,
    /// Name and number of selected spikes of each population that is shown.
    pub populations: Vec<(String, u64)>,
    /// Groups of rows, from the lowest.
    pub bands: Vec<Band>,
    /// The neurons, from the lowest row.
    pub rows: Vec<Row>,
    /// The samples that are shown, from the left; none if the recording has no samples.
    pub samples: Vec<u32>,
    /// How many samples the recording has.
    pub samples_in_recording: usize,
    /// How many spikes the recording has.
    pub spikes_in_recording: usize,
    /// Beginning and end of each strip, in the unit of the times.
    pub window: (f64, f64),
    /// Times of the spikes, strip by strip, each in the order of time.
    times: Vec<f64>,
    /// Their rows.
    row_of: Vec<u32>,
    /// Where each strip's spikes are.
    strips: Vec<Range<usize>>,
}

/// Rows that belong together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Band {
    /// Name of the population; empty if it has none, or the rows are of several.
    pub name: String,
    /// The population, if the rows are of one.
    pub population: Option<u16>,
    /// The rows.
    pub rows: Range<u32>,
    /// Whether the rows' neurons are in the order of their indices.
    pub ordered: bool,
}

/// A neuron.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// Its population: an index into [`Raster::populations`].
    pub population: u16,
    /// Its index in the population.
    pub neuron: u32,
}

/// A spike of one neuron.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RowSpike {
    /// The sample, if there are any.
    pub sample: Option<u32>,
    /// When, in the unit of the recording.
    pub time: f64,
}

impl Raster {
    /// How many spikes are selected.
    pub fn len(&self) -> usize {
        self.times.len()
    }

    /// Whether no spike is selected.
    pub fn is_empty(&self) -> bool {
        self.times.is_empty()
    }

    /// How many strips there are side by side: one for each sample.
    pub fn strip_count(&self) -> usize {
        self.strips.len()
    }

    /// The spikes of a neuron in the order of samples and times.
    pub fn spikes_of(&self, row: u32) -> Vec<RowSpike> {
        let of_strip = |(strip, spikes): (usize, &Range<usize>)| {
            let sample = self.samples.get(strip).copied();
            spikes
                .clone()
                .filter(|&spike| self.row_of[spike] == row)
                .map(move |spike| RowSpike { sample, time: self.times[spike] })
                .collect::<Vec<_>>()
        };
        self.strips.iter().enumerate().flat_map(of_strip).collect()
    }

    /// The unit as it is printed: `µs`, `τ_s`; empty if it is not known.
    pub fn unit(&self) -> String {
        self.time_unit.as_deref().map(time_units::symbol).unwrap_or_default()
    }

    /// What the time axis shows.
    pub fn time_label(&self) -> String {
        match self.unit() {
            unit if unit.is_empty() => "time".to_owned(),
            unit => format!("time [{unit}]"),
        }
    }
}
