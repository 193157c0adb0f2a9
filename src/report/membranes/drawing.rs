//! The layout of a [`Figure`] and its drawing on any backend.

use plotters::prelude::*;
use plotters::style::text_anchor::HPos;

use super::super::canvas::{Canvas, Drawn};
use super::super::picture::PALETTE;
use super::super::ticks::RoundNumbers;
use super::{Figure, Panel, Raster};

/// Font sizes in pixels: seven points and up when the picture is a journal column wide.
const TITLE: u32 = 44;
const TEXT: u32 = 38;
const SMALL: u32 = 34;

const WIDTH: i32 = 1400;
/// Frame around the panels.
const LEFT: i32 = 200;
const RIGHT: i32 = 36;
const TOP: i32 = 84;
const NOTE: i32 = 46;
const BOTTOM: i32 = 232;
/// Between panels.
const GAP: i32 = 22;
/// Above a potential: its neuron's name, and below that the marks of its spikes.
const NAME: i32 = 80;
/// Height of the strip with the marks of inputs.
const STRIP: i32 = 76;

const LINE: u32 = 2;
const CURVE: u32 = 4;
const GREY: RGBColor = RGBColor(110, 110, 110);
const SHADE: RGBColor = RGBColor(232, 232, 232);

/// Excitatory blue, inhibitory vermilion, the decision green: hues that colour-blind readers can tell
/// apart, and the marks differ in direction, too.
const EXCITATORY: RGBColor = PALETTE[0];
const INHIBITORY: RGBColor = PALETTE[3];
const DECISION: RGBColor = PALETTE[2];

fn raster_height(raster: &Raster) -> i32 {
    (24 + 16 * raster.rows.min(20) as i32).clamp(90, 240)
}

fn panel_height(figure: &Figure) -> i32 {
    NAME + STRIP + if figure.panels.len() > 6 { 120 } else { 190 }
}

fn head(figure: &Figure) -> i32 {
    TOP + if figure.note.is_empty() { 0 } else { NOTE }
}

/// Width and height of a figure.
pub(super) fn size(figure: &Figure) -> (u32, u32) {
    let rasters: i32 = figure.rasters.iter().map(|raster| raster_height(raster) + GAP).sum();
    let panels = figure.panels.len() as i32 * (panel_height(figure) + GAP);
    (WIDTH as u32, (head(figure) + rasters + panels + BOTTOM) as u32)
}

/// Draws a [`Figure`] whose input has been checked.
pub(super) struct Painter<'c, DB: DrawingBackend> {
    pub canvas: &'c Canvas<DB>,
}

/// The times of the common axis as pixels.
#[derive(Clone, Copy)]
struct Axis {
    from: f64,
    span: f64,
}

impl Axis {
    fn x(self, time: f64) -> i32 {
        let share = (time - self.from) / self.span;
        LEFT + (share * f64::from(WIDTH - RIGHT - LEFT)).round() as i32
    }
}

impl<DB: DrawingBackend> Painter<'_, DB> {
    pub fn draw(&self, figure: &Figure) -> Drawn<DB> {
        self.canvas.area.fill(&WHITE)?;
        let room = (WIDTH - 2 * RIGHT) as u32;
        self.canvas.text(&figure.title, TITLE, (RIGHT, TOP / 2), HPos::Left, room)?;
        if !figure.note.is_empty() {
            let place = (RIGHT, TOP + NOTE / 2 - 14);
            self.canvas.coloured_text(&figure.note, SMALL, place, HPos::Left, room, GREY)?;
        }
        let axis = Axis { from: figure.window.0, span: figure.span() };
        self.decision(figure, axis)?;
        let mut top = head(figure);
        for raster in &figure.rasters {
            let bottom = top + raster_height(raster);
            self.raster(raster, axis, (top, bottom))?;
            top = bottom + GAP;
        }
        let (height, largest) = (panel_height(figure), figure.largest_amplitude());
        let first = top;
        for panel in &figure.panels {
            self.panel(panel, axis, (top, top + height), largest)?;
            top += height + GAP;
        }
        let bottom = top - GAP;
        let place = (26, (first + bottom) / 2);
        self.canvas.upright("membrane potential", TEXT, place, (bottom - first) as u32)?;
        self.times(figure, axis, bottom)?;
        self.legend(figure, bottom + 138)?;
        self.canvas.area.present()
    }

    /// A broken line through all panels, which are drawn over it.
    fn decision(&self, figure: &Figure, axis: Axis) -> Drawn<DB> {
        let (from, to) = figure.window;
        let Some(time) = figure.decision.filter(|time| (from..=to).contains(time)) else {
            return Ok(());
        };
        let (x, bottom) = (axis.x(time), size(figure).1 as i32 - BOTTOM - GAP);
        for y in (head(figure)..bottom).step_by(20) {
            self.canvas.line((x, y), (x, (y + 12).min(bottom)), DECISION, LINE + 1)?;
        }
        Ok(())
    }

    fn raster(&self, raster: &Raster, axis: Axis, (top, bottom): (i32, i32)) -> Drawn<DB> {
        self.canvas.line((LEFT, top), (LEFT, bottom), BLACK, LINE)?;
        let room = f64::from(bottom - top - 12) / raster.rows.max(1) as f64;
        let half = ((0.42 * room) as i32).clamp(3, 9);
        for &(time, row) in &raster.spikes {
            let (x, y) = (axis.x(time), f64::from(top + 6) + (row as f64 + 0.5) * room);
            let corners = [(x - 2, y as i32 - half), (x + 2, y as i32 + half)];
            self.canvas.area.draw(&Rectangle::new(corners, BLACK.filled()))?;
        }
        let place = (LEFT - 16, (top + bottom) / 2);
        self.canvas.text(&raster.name, SMALL, place, HPos::Right, LEFT as u32 - 24)
    }

    fn panel(
        &self,
        panel: &Panel,
        axis: Axis,
        (top, bottom): (i32, i32),
        largest: f64,
    ) -> Drawn<DB> {
        let trace = &panel.trace;
        let (upper, lower) = (top + NAME, bottom - STRIP - 6);
        let (low, high) = panel.range();
        let spread = (high - low).max(1e-9 * low.abs().max(high.abs())).max(1e-290);
        let y = |value: f64| lower - ((value - low) / spread * f64::from(lower - upper)) as i32;
        let (right, threshold) = (WIDTH - RIGHT, y(trace.threshold));

        for &(start, end) in &trace.refractory {
            let corners = [(axis.x(start), upper), (axis.x(end), bottom)];
            self.canvas.area.draw(&Rectangle::new(corners, SHADE.filled()))?;
        }
        let (colour, name) = if panel.decides {
            (DECISION, format!("{}: its spike decides", panel.name))
        } else {
            (BLACK, panel.name.clone())
        };
        let place = (LEFT + 14, top + 24);
        self.canvas.coloured_text(&name, TEXT, place, HPos::Left, (right - LEFT) as u32, colour)?;

        self.canvas.line((LEFT, upper), (LEFT, bottom), BLACK, LINE)?;
        let mut labelled: Option<i32> = None;
        for value in [trace.threshold, trace.leak, trace.reset] {
            let y = y(value);
            if value < low || labelled.is_some_and(|taken| (taken - y).abs() < SMALL as i32) {
                continue;
            }
            self.canvas.line((LEFT - 10, y), (LEFT, y), BLACK, LINE)?;
            let place = (LEFT - 18, y);
            self.canvas.text(&number(value, spread), SMALL, place, HPos::Right, 130)?;
            labelled = Some(y);
        }
        let mut x = LEFT;
        while x < right {
            self.canvas.line((x, threshold), ((x + 14).min(right), threshold), GREY, LINE)?;
            x += 24;
        }
        // Resets are drawn as lines along the axis: bitmaps make a steep part of a path too thin.
        let mut stretch: Vec<(i32, i32)> = Vec::new();
        for (index, (&time, &value)) in trace.times.iter().zip(&trace.potential).enumerate() {
            let point = (axis.x(time), y(value));
            if index > 0 && trace.times[index - 1] == time {
                self.curve(std::mem::take(&mut stretch))?;
                self.canvas.line((point.0, y(trace.potential[index - 1])), point, BLACK, CURVE)?;
            }
            stretch.push(point);
        }
        self.curve(stretch)?;

        let baseline = bottom - STRIP / 2;
        self.canvas.line((LEFT, baseline), (right, baseline), GREY, 1)?;
        for input in &trace.inputs {
            let share = (input.amplitude.abs() / largest).min(1.0);
            let length = ((share * f64::from(STRIP / 2 - 2)).round() as i32).max(2);
            let x = axis.x(input.time);
            let (end, colour) = if input.amplitude < 0.0 {
                (baseline + length, INHIBITORY)
            } else {
                (baseline - length, EXCITATORY)
            };
            self.canvas.line((x, baseline), (x, end), colour, LINE + 1)?;
        }
        for time in panel.other_crossings(axis.span) {
            let place = (axis.x(time), threshold);
            self.canvas.area.draw(&Circle::new(place, 9, WHITE.filled()))?;
            self.canvas.area.draw(&Circle::new(place, 9, PALETTE[5].stroke_width(4)))?;
        }
        for &spike in &trace.spikes {
            self.spike((axis.x(spike), upper.min(threshold) - 6), colour)?;
        }
        Ok(())
    }

    /// A stretch of a potential without resets, by points far enough apart for a smooth stroke.
    fn curve(&self, points: Vec<(i32, i32)>) -> Drawn<DB> {
        let Some((&first, &last)) = points.first().zip(points.last()) else { return Ok(()) };
        let mut kept = vec![first];
        for point in points {
            let (x, y) = kept[kept.len() - 1];
            if (point.0 - x).abs() >= 3 || (point.1 - y).abs() >= 6 {
                kept.push(point);
            }
        }
        kept.push(last);
        self.canvas.area.draw(&PathElement::new(kept, BLACK.stroke_width(CURVE)))
    }

    /// A triangle that points down to a place.
    fn spike(&self, (x, y): (i32, i32), colour: RGBColor) -> Drawn<DB> {
        let corners = vec![(x, y), (x - 11, y - 20), (x + 11, y - 20)];
        self.canvas.area.draw(&Polygon::new(corners, colour.filled()))
    }

    fn times(&self, figure: &Figure, axis: Axis, bottom: i32) -> Drawn<DB> {
        let (from, to) = figure.window;
        let y = bottom + 10;
        self.canvas.line((LEFT, y), (WIDTH - RIGHT, y), BLACK, LINE)?;
        for (time, text) in RoundNumbers::about_five((from, to)).all() {
            let x = axis.x(time);
            self.canvas.line((x, y), (x, y + 10), BLACK, LINE)?;
            self.canvas.text(&text, SMALL, (x, y + 32), HPos::Center, 260)?;
        }
        let place = ((LEFT + WIDTH - RIGHT) / 2, y + 82);
        let label = format!("time [{}]", figure.time_unit);
        self.canvas.text(&label, TEXT, place, HPos::Center, 700)
    }

    /// Explains the marks that the figure has, in two lines.
    fn legend(&self, figure: &Figure, top: i32) -> Drawn<DB> {
        let traces = || figure.panels.iter().map(|panel| &panel.trace);
        let has_crossings =
            figure.panels.iter().any(|panel| panel.other_crossings(figure.span()).next().is_some());
        let entries = [
            (Mark::Excitatory, "excitatory input", true),
            (Mark::Inhibitory, "inhibitory input", true),
            (Mark::Threshold, "threshold", true),
            (Mark::Spike, "recorded spike", traces().any(|trace| !trace.spikes.is_empty())),
            (Mark::Crossing, "computed crossing", has_crossings),
            (Mark::Refractory, "held at reset", traces().any(|t| !t.refractory.is_empty())),
            (Mark::Decision, "decision", figure.decision.is_some()),
        ];
        let shown = entries.into_iter().filter(|(_, _, shown)| *shown);
        let (mut x, mut y) = (LEFT, top);
        for (mark, text, _) in shown {
            let width = self.canvas.width_of(text, SMALL)? as i32;
            if x + 54 + width > WIDTH - RIGHT / 2 {
                (x, y) = (LEFT, y + 50);
            }
            self.mark(mark, (x, y))?;
            self.canvas.text(text, SMALL, (x + 48, y), HPos::Left, width as u32 + 8)?;
            x += 48 + width + 40;
        }
        Ok(())
    }

    fn mark(&self, mark: Mark, (x, y): (i32, i32)) -> Drawn<DB> {
        let middle = (x + 18, y);
        match mark {
            Mark::Excitatory => {
                self.canvas.line((middle.0, y + 14), (middle.0, y - 14), EXCITATORY, 5)
            }
            Mark::Inhibitory => {
                self.canvas.line((middle.0, y - 14), (middle.0, y + 14), INHIBITORY, 5)
            }
            Mark::Threshold => {
                self.canvas.line((x, y), (x + 14, y), GREY, LINE)?;
                self.canvas.line((x + 24, y), (x + 38, y), GREY, LINE)
            }
            Mark::Spike => self.spike((middle.0, y + 10), BLACK),
            Mark::Crossing => {
                self.canvas.area.draw(&Circle::new(middle, 9, PALETTE[5].stroke_width(4)))
            }
            Mark::Refractory => self
                .canvas
                .area
                .draw(&Rectangle::new([(x, y - 15), (x + 36, y + 15)], SHADE.filled())),
            Mark::Decision => {
                self.canvas.line((middle.0, y - 17), (middle.0, y - 5), DECISION, LINE + 1)?;
                self.canvas.line((middle.0, y + 5), (middle.0, y + 17), DECISION, LINE + 1)
            }
        }
    }
}

/// What the legend explains.
#[derive(Clone, Copy)]
enum Mark {
    Excitatory,
    Inhibitory,
    Threshold,
    Spike,
    Crossing,
    Refractory,
    Decision,
}

/// A value beside an axis, to a hundredth of the range that is shown.
fn number(value: f64, spread: f64) -> String {
    let digits = (2.0 - spread.log10().floor()).clamp(0.0, 9.0) as usize;
    let text = format!("{value:.digits$}");
    let text =
        if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    text.replace('-', "−")
}
