//! A raster as a page that opens from disk, with zoom and the spike under the pointer named.
//!
//! A page holds every spike as long as they are not too many; beyond, spikes that fall on the same cell
//! of a fine grid are one mark, and the page says so.

use serde::Serialize;

use super::super::html;
use super::terminal::{grouped, merged};
use super::{Grid, HUES, Raster, ticks};
use crate::report::picture::PALETTE;

/// Spikes that a page holds one by one, at most.
const SPIKES: usize = 50_000;

/// The grid for more than that.
const GRID: Grid = Grid { columns: 500, lines: 100, tallest: 1 };

/// Heights of all rows together, in which [`super::Stack`] shares them out.
const HEIGHT: usize = 400;

#[derive(Serialize)]
struct Data {
    time_label: String,
    /// Populations, the uppermost first.
    populations: Vec<Marks>,
    /// Places and texts of the time axis; none if places are times.
    times: Vec<(f64, String)>,
    /// Places of the middles of the strips, and their samples.
    samples: Vec<(f64, String)>,
    neurons: Vec<(f64, String)>,
    x: (f64, f64),
    y: (f64, f64),
    note: String,
}

#[derive(Default, Serialize)]
struct Marks {
    name: String,
    hue: String,
    x: Vec<f64>,
    y: Vec<f64>,
    /// What is said about each mark.
    text: Vec<String>,
}

impl Raster {
    /// The raster as a page.
    ///
    /// # Errors
    /// If the data cannot be written as JSON.
    pub fn to_html(&self, title: &str) -> Result<String, serde_json::Error> {
        let title = format!("{title}: raster");
        let what = format!(
            "{} spikes, {} neurons. Drag to zoom, double-click to go back.",
            grouped(self.len() as u64),
            grouped(self.rows.len() as u64)
        );
        let body = format!(
            "<header>\n<h1>{}</h1>\n<p class=\"what\">{what}</p>\n</header>\n",
            html::escape(&title)
        );
        html::page(&title, &body, &self.data(), include_str!("page.js"))
    }

    fn data(&self) -> Data {
        let stack = super::Stack::new(&self.bands, HEIGHT, 12, 4.0);
        let view = self.whole(&stack);
        let mut populations: Vec<Marks> = self
            .populations
            .iter()
            .enumerate()
            .map(|(index, (name, _))| {
                let hue = PALETTE[index % HUES];
                let hue = format!("#{:02x}{:02x}{:02x}", hue.0, hue.1, hue.2);
                Marks { name: name.clone(), hue, ..Marks::default() }
            })
            .collect();
        let offset = if self.strip_count() > 1 { 0.0 } else { self.window.0 };
        let mut note = String::new();
        if self.len() <= SPIKES {
            self.every_spike(&stack, offset, &mut populations);
        } else {
            let cells = self.count(&view, &stack, GRID);
            self.merged_spikes(&cells, &view, offset, &mut populations);
            note = merged(cells.most(), cells.most_neurons()).unwrap_or_default();
        }
        let several = self.strip_count() > 1;
        let strips = 0..if several { self.strip_count() } else { 0 };
        let start = |strip: usize| strip as f64 * self.pitch();
        let letters = 160 / self.strip_count();
        let times = strips.clone().flat_map(|strip| {
            let of_strip = ticks::times(self.window, letters).into_iter();
            of_strip.map(move |(time, text)| (start(strip) + (time - self.window.0), text))
        });
        let samples = strips.clone().map(|strip| {
            let sample = self.samples.get(strip).copied().unwrap_or(0);
            (start(strip) + 0.5 * self.span(), sample.to_string())
        });
        let neuron = |row: u32| self.rows[row as usize].neuron.to_string();
        let neurons = ticks::rows(self, &stack, view.y, 30).into_iter();
        populations.reverse();
        Data {
            time_label: self.time_label(),
            populations,
            times: times.collect(),
            samples: samples.collect(),
            neurons: neurons.map(|(row, y)| (y, neuron(row))).collect(),
            x: (view.x.0 + offset, view.x.1 + offset),
            y: view.y,
            note,
        }
    }

    fn every_spike(&self, stack: &super::Stack, offset: f64, populations: &mut [Marks]) {
        let unit = self.unit();
        for (strip, spikes) in self.strips.iter().enumerate() {
            for spike in spikes.clone() {
                let (time, row) = (self.times[spike], self.row_of[spike]);
                let neuron = self.rows[row as usize];
                let (low, high) = stack.row(&self.bands, row);
                let marks = &mut populations[usize::from(neuron.population)];
                marks.x.push(strip as f64 * self.pitch() + (time - self.window.0) + offset);
                marks.y.push(0.5 * (low + high));
                let sample = match self.samples.get(strip) {
                    Some(sample) if self.samples_in_recording > 1 => format!("sample {sample}, "),
                    _ => String::new(),
                };
                let text = format!("{sample}neuron {}, {time} {unit}", neuron.neuron);
                marks.text.push(text.trim_end().to_owned());
            }
        }
    }

    fn merged_spikes(
        &self,
        cells: &super::Cells,
        view: &super::View,
        offset: f64,
        populations: &mut [Marks],
    ) {
        let width = (view.x.1 - view.x.0) / cells.grid.columns as f64;
        let height = (view.y.1 - view.y.0) / cells.grid.lines as f64;
        // A hundredth of a cell is exact enough, and short to write.
        let digits = (2.0 - width.log10().floor()).clamp(-15.0, 15.0) as i32;
        let rounded = |x: f64| (x * 10_f64.powi(digits)).round() / 10_f64.powi(digits);
        for (index, mark) in cells.marks.iter().enumerate() {
            let middle = 0.5 * (mark.lines.start + mark.lines.end) as f64;
            for (column, &count) in cells.counts(index).iter().enumerate() {
                if count > 0 {
                    let marks = &mut populations[mark.hue];
                    let x = view.x.0 + (column as f64 + 0.5) * width + offset;
                    marks.x.push(rounded(x));
                    marks.y.push(view.y.1 - middle * height);
                    let many = if count == 1 { "" } else { "s" };
                    marks.text.push(format!("{count} spike{many}"));
                }
            }
        }
    }
}
