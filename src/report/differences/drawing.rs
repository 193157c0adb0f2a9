//! The layout of [`Differences`] and their drawing on any backend.

use std::collections::BTreeSet;

use plotters::prelude::*;
use plotters::style::text_anchor::HPos;

use super::super::canvas::{Canvas, Drawn};
use super::super::picture::PALETTE;
use super::super::ticks::Ticks;
use super::{Differences, Panel, WIDTH};
use crate::settings::time_units;

/// Font sizes in pixels.
const TITLE: u32 = 36;
const HEADING: u32 = 30;
const TEXT: u32 = 28;

/// Sides of the frame around the plotting area of a panel, in pixels.
const LEFT: i32 = 160;
const RIGHT: i32 = 40;
const TOP: i32 = 52;

/// Heights: of the title, of the legend, of a plotting area, and of the labels below the last.
const TITLE_LINE: i32 = 64;
const LEGEND_LINE: i32 = 52;
const HEIGHT: i32 = 300;
const BETWEEN: i32 = 24;
const LABELS: i32 = 110;

/// Room for the marks of spikes without partner, at both edges of the plotting area.
const MARGIN: i32 = 30;
const MARK: i32 = 20;

const TICK: i32 = 10;
const LINE: u32 = 2;
const DOT: i32 = 4;

const PALE: RGBColor = RGBColor(228, 228, 228);
const GREY: RGBColor = RGBColor(110, 110, 110);

const BOTH: RGBColor = PALETTE[0];
const MISSING: RGBColor = PALETTE[3];
const EXTRA: RGBColor = PALETTE[2];

/// Width and height of the picture.
pub(super) fn size(differences: &Differences) -> (u32, u32) {
    let panels = differences.panels.len() as i32;
    (WIDTH, (header(differences) + panels * (TOP + HEIGHT + BETWEEN) + LABELS) as u32)
}

fn header(differences: &Differences) -> i32 {
    LEGEND_LINE + if differences.title.is_empty() { 0 } else { TITLE_LINE }
}

/// The plotting area of a panel.
struct Frame {
    left: i32,
    right: i32,
    top: i32,
    bottom: i32,
    times: Ticks,
    differences: Ticks,
}

impl Frame {
    fn x(&self, time: f64) -> i32 {
        let share = (time - self.times.low) / (self.times.high - self.times.low);
        self.left + (share * f64::from(self.right - self.left)).round() as i32
    }

    fn y(&self, difference: f64) -> i32 {
        let Ticks { low, high, .. } = self.differences;
        let share = (difference - low) / (high - low);
        let (top, bottom) = (self.top + MARGIN, self.bottom - MARGIN);
        bottom - (share * f64::from(bottom - top)).round() as i32
    }
}

pub(super) fn draw<DB: DrawingBackend>(
    differences: &Differences,
    canvas: &Canvas<DB>,
) -> Drawn<DB> {
    canvas.area.fill(&WHITE)?;
    let room = WIDTH - (LEFT + RIGHT) as u32;
    if !differences.title.is_empty() {
        canvas.text(&differences.title, TITLE, (LEFT, TITLE_LINE / 2 + 4), HPos::Left, room)?;
    }
    legend(differences, canvas)?;
    let times = differences.panels.iter().flat_map(|panel| {
        let pairs = panel.pairs.iter().map(|pair| pair.0);
        pairs.chain(panel.missing.iter().chain(&panel.extra).copied())
    });
    let (low, high) = ends(times).unwrap_or((0.0, 1.0));
    let mut top = header(differences) + TOP;
    for (index, panel) in differences.panels.iter().enumerate() {
        let scale = Scale::of(panel);
        let values = panel.pairs.iter().map(|pair| pair.1 / scale.factor).chain([0.0]);
        let (least, most) = ends(values).unwrap_or((0.0, 0.0));
        // Where nothing differs, zero is in the middle.
        let (least, most) = if least == most { (-1.0, 1.0) } else { (least, most) };
        let frame = Frame {
            left: LEFT,
            right: WIDTH as i32 - RIGHT,
            top,
            bottom: top + HEIGHT,
            times: Ticks::new(low, high, None),
            differences: Ticks::new(least, most, None),
        };
        if !panel.name.is_empty() {
            canvas.text(&panel.name, HEADING, (LEFT, top - TOP / 2 + 4), HPos::Left, room)?;
        }
        let is_last = index + 1 == differences.panels.len();
        axes(differences, &scale, &frame, is_last, canvas)?;
        spikes(panel, &scale, &frame, canvas)?;
        top += TOP + HEIGHT + BETWEEN;
    }
    canvas.area.present()
}

/// The smallest and the largest value.
fn ends(values: impl Iterator<Item = f64>) -> Option<(f64, f64)> {
    values.fold(None, |ends, value| {
        let (low, high) = ends.unwrap_or((value, value));
        Some((low.min(value), high.max(value)))
    })
}

/// A power of a thousand that brings differences to a size that can be read.
struct Scale {
    factor: f64,
    exponent: i32,
}

impl Scale {
    fn of(panel: &Panel) -> Self {
        let largest = panel.pairs.iter().map(|pair| pair.1.abs()).fold(0.0, f64::max);
        if largest == 0.0 || (0.01..1e4).contains(&largest) {
            return Scale { factor: 1.0, exponent: 0 };
        }
        let exponent = 3 * (largest.log10() / 3.0).floor() as i32;
        Scale { factor: 10_f64.powi(exponent), exponent }
    }

    /// The scale and the unit, as they stand in brackets.
    fn unit(&self, unit: Option<&str>) -> String {
        let unit = unit_text(unit);
        if self.exponent == 0 {
            return unit;
        }
        let digits = ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'];
        let exponent = self.exponent.to_string();
        let raised = exponent
            .chars()
            .map(|digit| digit.to_digit(10).map_or('⁻', |digit| digits[digit as usize]));
        format!("10{} {unit}", raised.collect::<String>())
    }
}

/// A unit of time as it is printed.
fn unit_text(unit: Option<&str>) -> String {
    unit.map_or_else(|| "time unit".to_owned(), time_units::symbol)
}

fn legend<DB: DrawingBackend>(differences: &Differences, canvas: &Canvas<DB>) -> Drawn<DB> {
    let y = header(differences) - LEGEND_LINE / 2;
    let (first, second) = &differences.names;
    let (dot, gap, each) = (LEFT + 10, 30, 390);
    canvas.area.draw(&Circle::new((dot, y), DOT + 2, BOTH.filled()))?;
    canvas.text(
        &format!("{second} − {first}"),
        TEXT,
        (dot + gap, y),
        HPos::Left,
        each as u32 - 50,
    )?;
    for (place, name, colour) in [(1, first, MISSING), (2, second, EXTRA)] {
        let x = dot + place * each;
        canvas.line((x, y - MARK / 2), (x, y + MARK / 2), colour, LINE + 2)?;
        let edge = if place == 1 { "lower edge" } else { "upper edge" };
        let text = format!("only {name} ({edge})");
        canvas.text(&text, TEXT, (x + gap - 10, y), HPos::Left, each as u32 - 30)?;
    }
    Ok(())
}

fn axes<DB: DrawingBackend>(
    differences: &Differences,
    scale: &Scale,
    frame: &Frame,
    is_last: bool,
    canvas: &Canvas<DB>,
) -> Drawn<DB> {
    let &Frame { left, right, top, bottom, .. } = frame;
    let unit = differences.time_unit.as_deref();
    for (mark, text) in &frame.differences.marks {
        let y = frame.y(*mark);
        let colour = if mark.abs() < 1e-9 { GREY } else { PALE };
        canvas.line((left + LINE as i32, y), (right, y), colour, LINE)?;
        canvas.line((left - TICK, y), (left, y), BLACK, LINE)?;
        canvas.text(text, TEXT, (left - TICK - 8, y), HPos::Right, LEFT as u32 - 62)?;
    }
    canvas.line((left, top), (left, bottom), BLACK, LINE)?;
    canvas.line((left, bottom), (right, bottom), BLACK, LINE)?;
    for (mark, text) in &frame.times.marks {
        let x = frame.x(*mark);
        canvas.line((x, bottom), (x, bottom + TICK), BLACK, LINE)?;
        if is_last {
            let place = (x, bottom + TICK + TEXT as i32 * 3 / 4);
            canvas.text(text, TEXT, place, HPos::Center, 200)?;
        }
    }
    if is_last {
        let place = ((left + right) / 2, bottom + TICK + TEXT as i32 * 2 + 14);
        let text = format!("Time [{}]", unit_text(unit));
        canvas.text(&text, HEADING, place, HPos::Center, (right - left) as u32)?;
    }
    let text = format!("Δt [{}]", scale.unit(unit));
    canvas.upright(&text, HEADING, (28, (top + bottom) / 2), (bottom - top) as u32)
}

fn spikes<DB: DrawingBackend>(
    panel: &Panel,
    scale: &Scale,
    frame: &Frame,
    canvas: &Canvas<DB>,
) -> Drawn<DB> {
    let columns =
        |times: &[f64]| -> BTreeSet<i32> { times.iter().map(|&time| frame.x(time)).collect() };
    for x in columns(&panel.missing) {
        canvas.line((x, frame.bottom - MARK - 4), (x, frame.bottom - 4), MISSING, LINE)?;
    }
    for x in columns(&panel.extra) {
        canvas.line((x, frame.top + 4), (x, frame.top + MARK + 4), EXTRA, LINE)?;
    }
    let places: BTreeSet<(i32, i32)> = panel
        .pairs
        .iter()
        .map(|&(time, difference)| (frame.x(time), frame.y(difference / scale.factor)))
        .collect();
    for &place in &places {
        canvas.area.draw(&Circle::new(place, DOT, BOTH.mix(0.45).filled()))?;
    }
    if places.is_empty() {
        let middle = ((frame.left + frame.right) / 2, (frame.top + frame.bottom) / 2 - 26);
        canvas.text("no spikes of both", TEXT, middle, HPos::Center, 600)?;
    }
    Ok(())
}
