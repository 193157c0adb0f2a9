//! The layout of a [`Figure`] and its drawing on any backend.

use plotters::prelude::*;
use plotters::style::text_anchor::HPos;

use super::super::canvas::{Canvas, Drawn};
use super::super::picture::PALETTE;
use super::super::ticks::Ticks;
use super::{BoxOfValues, BoxPlot, Figure};

/// Font sizes in pixels: seven points where a plot is 60 mm wide.
const TITLE: u32 = 40;
const HEADING: u32 = 34;
const TEXT: u32 = 32;

/// Sides of the frame around the plotting area of a plot, in pixels.
const LEFT: i32 = 150;
const RIGHT: i32 = 24;
const TOP: i32 = 60;
const BOTTOM: i32 = 130;

/// Height of the figure's title and of its legend's lines.
const TITLE_LINE: u32 = 76;
const LEGEND_LINE: u32 = 52;
/// Blank space at the right of the figure and below it.
const MARGIN: u32 = 16;

/// Length of a mark at an axis, and width of lines.
const TICK: i32 = 10;
const LINE: u32 = 2;

/// Hues of series: yellow, the last of the palette, is too pale for lines on white.
const HUES: usize = PALETTE.len() - 1;

const GREY: RGBColor = RGBColor(110, 110, 110);
const PALE: RGBColor = RGBColor(228, 228, 228);

/// Width and height of a figure.
pub(super) fn size(figure: &Figure) -> (u32, u32) {
    let columns = figure.columns.min(figure.plots.len()) as u32;
    let rows = figure.plots.len().div_ceil(figure.columns) as u32;
    let width = figure.size.0.saturating_mul(columns).saturating_add(MARGIN);
    let height = figure.size.1.saturating_mul(rows);
    (width, height.saturating_add(header(figure) + MARGIN))
}

/// Height above the plots.
fn header(figure: &Figure) -> u32 {
    let title = if figure.title.is_empty() { 0 } else { TITLE_LINE };
    let legend = if figure.series.len() < 2 { 0 } else { figure.series.len() as u32 };
    title + LEGEND_LINE * legend.div_ceil(legend_grid(figure).0)
}

/// Entries of the legend side by side, and the width of each.
fn legend_grid(figure: &Figure) -> (u32, u32) {
    let width = figure.size.0 * figure.columns.min(figure.plots.len()) as u32;
    let longest = figure.series.iter().map(|name| name.chars().count()).max().unwrap_or(0) as u32;
    // Letters are about half as wide as high.
    let each = 110 + longest * TEXT * 11 / 20;
    let room = width.saturating_sub(LEFT as u32);
    ((room / each).clamp(1, figure.series.len().max(1) as u32), each.min(room))
}

/// The plotting area of a plot and its vertical axis.
struct Frame {
    left: i32,
    right: i32,
    top: i32,
    bottom: i32,
    ticks: Ticks,
    categories: usize,
    series: usize,
}

impl Frame {
    fn y(&self, value: f64) -> i32 {
        let Ticks { low, high, .. } = self.ticks;
        let share = (value - low) / (high - low);
        self.bottom - (share * f64::from(self.bottom - self.top)).round() as i32
    }

    /// Width of a category.
    fn step(&self) -> f64 {
        f64::from(self.right - self.left) / self.categories.max(1) as f64
    }

    /// Middle of a category.
    fn x(&self, category: usize) -> f64 {
        f64::from(self.left) + (category as f64 + 0.5) * self.step()
    }

    /// Middle and half the width of a box.
    fn place(&self, category: usize, series: usize) -> (f64, f64) {
        let width = 0.8 * self.step() / self.series.max(1) as f64;
        let shift = (series as f64 + 0.5 - 0.5 * self.series as f64) * width;
        (self.x(category) + shift, (0.38 * width).min(40.0))
    }
}

/// Draws a figure whose input has been checked.
pub(super) fn draw<DB: DrawingBackend>(figure: &Figure, canvas: &Canvas<DB>) -> Drawn<DB> {
    canvas.area.fill(&WHITE)?;
    let (width, _) = size(figure);
    if !figure.title.is_empty() {
        let room = width - LEFT as u32 - MARGIN;
        let place = (LEFT, TITLE_LINE as i32 / 2 + 6);
        canvas.text(&figure.title, TITLE, place, HPos::Left, room)?;
    }
    if figure.series.len() > 1 {
        legend(figure, canvas)?;
    }
    let top = header(figure) as i32;
    for (index, plot) in figure.plots.iter().enumerate() {
        let (column, row) = (index % figure.columns, index / figure.columns);
        let x = column as i32 * figure.size.0 as i32;
        let y = top + row as i32 * figure.size.1 as i32;
        draw_plot(plot, figure.series.len(), (x, y), figure.size, canvas)?;
    }
    canvas.area.present()
}

/// Explains the colours, as many side by side as fit.
fn legend<DB: DrawingBackend>(figure: &Figure, canvas: &Canvas<DB>) -> Drawn<DB> {
    let title = if figure.title.is_empty() { 0 } else { TITLE_LINE };
    let (per_line, each) = legend_grid(figure);
    for (index, name) in figure.series.iter().enumerate() {
        let x = LEFT + (index as u32 % per_line * each) as i32;
        let y = (title + index as u32 / per_line * LEGEND_LINE + LEGEND_LINE / 2) as i32;
        let colour = PALETTE[index % HUES];
        let corners = [(x, y - 14), (x + 40, y + 14)];
        canvas.area.draw(&Rectangle::new(corners, colour.mix(0.25).filled()))?;
        canvas.area.draw(&Rectangle::new(corners, colour.stroke_width(LINE)))?;
        canvas.line((x, y), (x + 40, y), BLACK, 2 * LINE)?;
        canvas.text(name, TEXT, (x + 56, y), HPos::Left, each.saturating_sub(60))?;
    }
    Ok(())
}

fn draw_plot<DB: DrawingBackend>(
    plot: &BoxPlot,
    series: usize,
    at: (i32, i32),
    size: (u32, u32),
    canvas: &Canvas<DB>,
) -> Drawn<DB> {
    let boxes = || plot.boxes.iter().flatten().flatten();
    let ends = boxes().flat_map(|found| [found.quartiles[0], found.quartiles[4]]);
    let levels = plot.levels.iter().flatten().copied();
    let ends = ends.chain(levels.filter(|_| boxes().next().is_some()));
    let (low, high) = ends.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
        (low.min(value), high.max(value))
    });
    let is_empty = low > high;
    let (low, high) = if is_empty { (0.0, 1.0) } else { (low, high) };
    let frame = Frame {
        left: at.0 + LEFT,
        right: at.0 + size.0 as i32 - RIGHT,
        top: at.1 + TOP,
        bottom: at.1 + size.1 as i32 - BOTTOM,
        ticks: Ticks::new(low, high, plot.most),
        categories: plot.categories.len(),
        series,
    };
    let room = (frame.right - frame.left) as u32;
    if !plot.title.is_empty() {
        let place = (frame.left, at.1 + TOP / 2);
        canvas.text(&plot.title, HEADING, place, HPos::Left, room)?;
    }
    axes(plot, &frame, at, canvas)?;
    if is_empty {
        let middle = ((frame.left + frame.right) / 2, (frame.top + frame.bottom) / 2);
        return canvas.text("no results", TEXT, middle, HPos::Center, room);
    }
    for (series, level) in plot.levels.iter().enumerate() {
        let Some(level) = level else { continue };
        let hue = if plot.levels.len() > 1 { PALETTE[series % HUES] } else { GREY };
        let y = frame.y(*level);
        let mut x = frame.left;
        while x < frame.right {
            canvas.line((x, y), ((x + 14).min(frame.right), y), hue, LINE)?;
            x += 24;
        }
    }
    for (series, boxes) in plot.boxes.iter().enumerate() {
        for (category, found) in boxes.iter().enumerate() {
            if let Some(found) = found {
                one_box(found, &frame, category, series, canvas)?;
            }
        }
    }
    Ok(())
}

fn axes<DB: DrawingBackend>(
    plot: &BoxPlot,
    frame: &Frame,
    at: (i32, i32),
    canvas: &Canvas<DB>,
) -> Drawn<DB> {
    let &Frame { left, right, top, bottom, .. } = frame;
    canvas.line((left, top), (left, bottom), BLACK, LINE)?;
    canvas.line((left, bottom), (right, bottom), BLACK, LINE)?;
    for (mark, text) in &frame.ticks.marks {
        let y = frame.y(*mark);
        canvas.line((left + LINE as i32, y), (right, y), PALE, LINE)?;
        canvas.line((left - TICK, y), (left, y), BLACK, LINE)?;
        let place = (left - TICK - 8, y);
        canvas.text(text, TEXT, place, HPos::Right, LEFT as u32 - 60)?;
    }
    // Of names that would run into each other, every second or third is written.
    let widths: Vec<u32> =
        plot.categories.iter().map(|name| canvas.width_of(name, TEXT)).collect::<Drawn<DB, _>>()?;
    let widest = widths.into_iter().max().unwrap_or(0) + 12;
    let every = (f64::from(widest) / frame.step()).ceil().max(1.0) as usize;
    for (category, name) in plot.categories.iter().enumerate() {
        let x = frame.x(category).round() as i32;
        canvas.line((x, bottom), (x, bottom + TICK), BLACK, LINE)?;
        if category % every == 0 {
            let place = (x, bottom + TICK + TEXT as i32 * 3 / 4);
            canvas.text(name, TEXT, place, HPos::Center, widest)?;
        }
    }
    let place = ((left + right) / 2, bottom + TICK + TEXT as i32 * 2 + 12);
    canvas.text(
        &plot.x_label,
        HEADING,
        place,
        HPos::Center,
        (right - left) as u32 + LEFT as u32,
    )?;
    let place = (at.0 + 26, (top + bottom) / 2);
    canvas.upright(&plot.y_label, HEADING, place, (bottom - top) as u32 + TOP as u32)
}

/// Box, whiskers and dots.
fn one_box<DB: DrawingBackend>(
    found: &BoxOfValues,
    frame: &Frame,
    category: usize,
    series: usize,
    canvas: &Canvas<DB>,
) -> Drawn<DB> {
    let colour = PALETTE[series % HUES];
    let (middle, half) = frame.place(category, series);
    let [minimum, lower, median, upper, maximum] = found.quartiles.map(|value| frame.y(value));
    let x = middle.round() as i32;
    let (left, right) = ((middle - half).round() as i32, (middle + half).round() as i32);
    canvas.line((x, minimum), (x, lower), colour, LINE)?;
    canvas.line((x, upper), (x, maximum), colour, LINE)?;
    let (cap_left, cap_right) =
        ((middle - 0.5 * half).round() as i32, (middle + 0.5 * half).round() as i32);
    for y in [minimum, maximum] {
        canvas.line((cap_left, y), (cap_right, y), colour, LINE)?;
    }
    let corners = [(left, upper), (right, lower)];
    canvas.area.draw(&Rectangle::new(corners, colour.mix(0.25).filled()))?;
    canvas.area.draw(&Rectangle::new(corners, colour.stroke_width(LINE)))?;
    // Spread evenly, and the same in every picture: multiples of the golden ratio.
    for (index, &value) in found.values.iter().enumerate() {
        let share = (index as f64 * 0.618_033_988_749_895).fract() - 0.5;
        let place = ((middle + 1.3 * share * half).round() as i32, frame.y(value));
        canvas.area.draw(&Circle::new(place, 4, colour.mix(0.55).filled()))?;
    }
    canvas.line((left, median), (right, median), BLACK, 2 * LINE)
}
