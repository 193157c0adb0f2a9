//! Axes, legend and caption of a raster, and its marks, on any backend.

use plotters::prelude::*;
use plotters::style::text_anchor::HPos;

use super::super::terminal::{grouped, levels, merged};
use super::super::{HUES, Raster, Stack, View, ticks};
use super::{Boxes, Figure, Frame, boxes};
use crate::report::canvas::{Canvas, Drawn};
use crate::report::picture::PALETTE;

/// Sizes of letters in pixels: seven points in a picture of a thousand pixels that is printed 85 mm
/// wide.
const HEADING: u32 = 36;
const TEXT: u32 = 34;
const SMALL: u32 = 28;

/// Sides of the frame around the spikes.
const RIGHT: i32 = 26;
const TOP: i32 = 14;
const BOTTOM: i32 = 118;
const LINE_OF_TEXT: i32 = 46;

/// Length of a mark at an axis, and width of lines.
const TICK: i32 = 9;
const LINE: u32 = 2;

/// Blank height between two populations, in pixels, and the height that is enough for a neuron.
const INSET: f64 = 10.0;
const NEURON: usize = 24;

/// Blank height between the lowest neuron and the axis, in pixels.
const CLEAR: f64 = 8.0;

const GREY: RGBColor = RGBColor(96, 96, 96);
const PALE: RGBColor = RGBColor(205, 205, 205);

/// Draws a raster.
pub(super) struct Painter<'r, DB: DrawingBackend> {
    canvas: Canvas<DB>,
    raster: &'r Raster,
    size: (u32, u32),
    frame: Frame,
    stack: Stack,
    /// Entries of the legend: its lines.
    legend: Vec<Vec<(usize, String)>>,
}

impl<'r, DB: DrawingBackend> Painter<'r, DB> {
    /// What draws a figure on a canvas of its size.
    pub fn new(canvas: Canvas<DB>, figure: &Figure<'r>) -> Self {
        let raster = figure.raster;
        let (width, height) = (figure.size.0 as i32, figure.size.1 as i32);
        let highest = raster.rows.iter().map(|row| row.neuron).max().unwrap_or(0);
        let left = 74 + letters(&highest.to_string(), TEXT).max(letters("00", TEXT));
        let legend = legend(raster, width - left - RIGHT);
        let samples = if shows_samples(raster) { LINE_OF_TEXT } else { 0 };
        let top = TOP + legend.len() as i32 * LINE_OF_TEXT + samples;
        // A caption is there to say what was merged; its line is kept free in any case.
        let bottom = height - BOTTOM - LINE_OF_TEXT;
        let bottom = bottom.max(top + 60);
        let stack = Stack::new(&raster.bands, (bottom - top) as usize, NEURON, INSET);
        let whole = raster.whole(&stack);
        // The lowest neuron's marks stay clear of the axis.
        let view = View { y: (whole.y.0 - CLEAR, whole.y.1), ..whole };
        Painter {
            canvas,
            raster,
            size: figure.size,
            frame: Frame { left, right: width - RIGHT, top, bottom, view },
            stack,
            legend,
        }
    }

    /// The marks of the spikes.
    pub fn boxes(&self) -> Boxes {
        boxes(self.raster, &self.stack, &self.frame)
    }

    /// Draws everything; the marks only if asked to.
    pub fn draw(&self, boxes: &Boxes, marks: bool) -> Drawn<DB> {
        self.canvas.area.fill(&WHITE)?;
        self.draw_legend()?;
        self.draw_neurons()?;
        self.draw_strips()?;
        self.draw_caption(boxes)?;
        if marks {
            for (&(hue, level), own) in &boxes.marks {
                let colour = boxes.colour(hue, level);
                for one in own {
                    let corners = [(one.left, one.top), (one.right, one.bottom)];
                    self.canvas.area.draw(&Rectangle::new(corners, colour.filled()))?;
                }
            }
        }
        self.canvas.area.present()
    }

    /// Explains the colours.
    fn draw_legend(&self) -> Drawn<DB> {
        for (line, entries) in self.legend.iter().enumerate() {
            let y = TOP + line as i32 * LINE_OF_TEXT + LINE_OF_TEXT / 2 - 4;
            let mut x = self.frame.left;
            for (hue, name) in entries {
                let corners = [(x, y - 10), (x + 20, y + 10)];
                self.canvas.area.draw(&Rectangle::new(corners, PALETTE[hue % HUES].filled()))?;
                self.text(name, TEXT, (x + 30, y), HPos::Left, BLACK)?;
                x += entry(name);
            }
        }
        Ok(())
    }

    /// The vertical axis.
    fn draw_neurons(&self) -> Drawn<DB> {
        let Frame { left, right, top, bottom, .. } = self.frame;
        self.line((left, top), (left, bottom), BLACK)?;
        for band in 1..self.raster.bands.len() {
            let y = self.frame.y(self.stack.band(band).0) + 0.5 * INSET;
            self.line((left, y as i32), (right, y as i32), PALE)?;
        }
        let most = (bottom - top) as usize / 44;
        let mut free = i32::MAX;
        for (row, y) in ticks::rows(self.raster, &self.stack, self.frame.view.y, most) {
            let y = self.frame.y(y).round() as i32;
            if y + TEXT as i32 > free {
                continue;
            }
            free = y;
            self.line((left - TICK, y), (left, y), BLACK)?;
            let neuron = self.raster.rows[row as usize].neuron.to_string();
            self.text(&neuron, TEXT, (left - TICK - 7, y), HPos::Right, BLACK)?;
        }
        let middle = (24, (top + bottom) / 2);
        self.canvas.upright(&self.neuron_label(), HEADING, middle, u32::MAX)
    }

    fn neuron_label(&self) -> String {
        let ordered = self.raster.bands.iter().all(|band| band.ordered);
        if ordered { "neuron" } else { "neuron, by first spike" }.to_owned()
    }

    /// The axis of time and the number of each sample.
    fn draw_strips(&self) -> Drawn<DB> {
        let raster = self.raster;
        let Frame { right, top, bottom, .. } = self.frame;
        let last = raster.strip_count() - 1;
        // The first pixels after what has been written below and above.
        let (mut below, mut above) = (0, 0);
        for strip in 0..=last {
            let start = strip as f64 * raster.pitch();
            let x = |x: f64| self.frame.x(x).round() as i32;
            let (from, to) = (x(start), x(start + raster.span()));
            self.line((from, bottom), (to, bottom), BLACK)?;
            let room = (to - from) as usize / letters("0", TEXT) as usize;
            for (time, text) in ticks::times(raster.window, room) {
                let at = x(start + (time - raster.window.0));
                let half = letters(&text, TEXT) / 2;
                // The last text may not leave the picture.
                let middle = at.min(self.size.0 as i32 - half - 4);
                if middle - half < below {
                    continue;
                }
                below = middle + half + 12;
                self.line((at, bottom), (at, bottom + TICK), BLACK)?;
                let place = (middle, bottom + TICK + 26);
                self.text(&text, TEXT, place, HPos::Center, BLACK)?;
            }
            if shows_samples(raster) {
                let sample = raster.samples[strip];
                let (long, short) = (format!("sample {sample}"), sample.to_string());
                let fits = letters(&long, TEXT) + 16 < to - from;
                let text = if fits { long } else { short };
                let (middle, half) = ((from + to) / 2, letters(&text, TEXT) / 2);
                if middle - half >= above && middle + half <= right + RIGHT {
                    above = middle + half + 12;
                    let place = (middle, top - LINE_OF_TEXT / 2);
                    self.text(&text, TEXT, place, HPos::Center, BLACK)?;
                }
            }
            if strip < last {
                let gap = x(start + 0.5 * (raster.span() + raster.pitch()));
                if to - from > 30 {
                    self.line((gap, top), (gap, bottom), PALE)?;
                }
            }
        }
        let label = raster.time_label();
        let place = ((self.frame.left + right) / 2, bottom + TICK + 26 + LINE_OF_TEXT);
        self.text(&label, HEADING, place, HPos::Center, BLACK)
    }

    /// Says below the picture what marks stand for, where that is not one spike each.
    fn draw_caption(&self, boxes: &Boxes) -> Drawn<DB> {
        let y = self.size.1 as i32 - LINE_OF_TEXT / 2 - 4;
        let mut x = self.frame.left;
        if !boxes.shaded {
            return match merged(boxes.most, boxes.most_neurons) {
                Some(text) => self.text(&text, SMALL, (x, y), HPos::Left, GREY),
                None => Ok(()),
            };
        }
        let text = "spikes per mark:";
        self.text(text, SMALL, (x, y), HPos::Left, GREY)?;
        x += letters(text, SMALL) + 18;
        for (level, least, most) in levels(boxes.most) {
            let text = if least == most {
                grouped(most.into())
            } else {
                format!("{}–{}", grouped(least.into()), grouped(most.into()))
            };
            let hue = boxes.marks.keys().next().map_or(0, |key| key.0);
            let corners = [(x, y - 10), (x + 20, y + 10)];
            self.canvas.area.draw(&Rectangle::new(corners, boxes.colour(hue, level).filled()))?;
            self.text(&text, SMALL, (x + 28, y), HPos::Left, GREY)?;
            x += 28 + letters(&text, SMALL) + 22;
        }
        Ok(())
    }

    fn line(&self, from: (i32, i32), to: (i32, i32), colour: RGBColor) -> Drawn<DB> {
        self.canvas.line(from, to, colour, LINE)
    }

    /// Writes a text whose width has been seen to.
    fn text(
        &self,
        text: &str,
        size: u32,
        place: (i32, i32),
        side: HPos,
        colour: RGBColor,
    ) -> Drawn<DB> {
        self.canvas.coloured_text(text, size, place, side, u32::MAX, colour)
    }
}

/// Width of a text in pixels, about: letters are half as wide as high.
fn letters(text: &str, size: u32) -> i32 {
    (text.chars().count() as f64 * f64::from(size) * 0.52).round() as i32
}

fn shows_samples(raster: &Raster) -> bool {
    raster.samples_in_recording > 1
}

/// Width of an entry of the legend.
fn entry(name: &str) -> i32 {
    30 + letters(name, TEXT) + 34
}

/// The entries of the legend, the uppermost population first, in lines of a width; none for a
/// population alone.
fn legend(raster: &Raster, width: i32) -> Vec<Vec<(usize, String)>> {
    const LINES: usize = 3;
    let mut lines: Vec<Vec<(usize, String)>> = Vec::new();
    if raster.populations.len() < 2 {
        return lines;
    }
    let mut used = i32::MAX / 2;
    for (hue, (name, _)) in raster.populations.iter().enumerate().rev() {
        if used + entry(name) > width {
            if lines.len() == LINES {
                break;
            }
            lines.push(Vec::new());
            used = 0;
        }
        used += entry(name);
        if let Some(line) = lines.last_mut() {
            line.push((hue, name.clone()));
        }
    }
    lines
}
