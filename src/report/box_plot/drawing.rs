//! The layout of a [`Figure`] and its drawing on any backend.

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::super::picture::{PALETTE, fitted};
use super::ticks::Ticks;
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

pub(in crate::report) type Drawn<DB, T = ()> =
    Result<T, DrawingAreaErrorKind<<DB as DrawingBackend>::ErrorType>>;

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

/// A blank picture that takes a [`Figure`] whose input has been checked, or lines and texts one by one.
pub(in crate::report) struct Canvas<DB: DrawingBackend> {
    pub area: DrawingArea<DB, Shift>,
    text_drop: f64,
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

impl<DB: DrawingBackend> Canvas<DB> {
    /// A canvas on which text is written lower than asked for, by `text_drop` times its size.
    pub fn new(backend: DB, text_drop: f64) -> Self {
        Canvas { area: backend.into_drawing_area(), text_drop }
    }

    pub fn draw(&self, figure: &Figure) -> Drawn<DB> {
        self.area.fill(&WHITE)?;
        let (width, _) = size(figure);
        if !figure.title.is_empty() {
            let room = width - LEFT as u32 - MARGIN;
            let place = (LEFT, TITLE_LINE as i32 / 2 + 6);
            self.text(&figure.title, TITLE, place, HPos::Left, room)?;
        }
        if figure.series.len() > 1 {
            self.legend(figure)?;
        }
        let top = header(figure) as i32;
        for (index, plot) in figure.plots.iter().enumerate() {
            let (column, row) = (index % figure.columns, index / figure.columns);
            let x = column as i32 * figure.size.0 as i32;
            let y = top + row as i32 * figure.size.1 as i32;
            self.plot(plot, figure.series.len(), (x, y), figure.size)?;
        }
        self.area.present()
    }

    /// Explains the colours, as many side by side as fit.
    fn legend(&self, figure: &Figure) -> Drawn<DB> {
        let title = if figure.title.is_empty() { 0 } else { TITLE_LINE };
        let (per_line, each) = legend_grid(figure);
        for (index, name) in figure.series.iter().enumerate() {
            let x = LEFT + (index as u32 % per_line * each) as i32;
            let y = (title + index as u32 / per_line * LEGEND_LINE + LEGEND_LINE / 2) as i32;
            let colour = PALETTE[index % HUES];
            let corners = [(x, y - 14), (x + 40, y + 14)];
            self.area.draw(&Rectangle::new(corners, colour.mix(0.25).filled()))?;
            self.area.draw(&Rectangle::new(corners, colour.stroke_width(LINE)))?;
            self.line((x, y), (x + 40, y), BLACK, 2 * LINE)?;
            self.text(name, TEXT, (x + 56, y), HPos::Left, each.saturating_sub(60))?;
        }
        Ok(())
    }

    fn plot(&self, plot: &BoxPlot, series: usize, at: (i32, i32), size: (u32, u32)) -> Drawn<DB> {
        let boxes = || plot.boxes.iter().flatten().flatten();
        let ends = boxes().flat_map(|found| [found.quartiles[0], found.quartiles[4]]);
        let ends = ends.chain(plot.level.filter(|_| boxes().next().is_some()));
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
            self.text(&plot.title, HEADING, place, HPos::Left, room)?;
        }
        self.axes(plot, &frame, at)?;
        if is_empty {
            let middle = ((frame.left + frame.right) / 2, (frame.top + frame.bottom) / 2);
            return self.text("no results", TEXT, middle, HPos::Center, room);
        }
        if let Some(level) = plot.level {
            let y = frame.y(level);
            let mut x = frame.left;
            while x < frame.right {
                self.line((x, y), ((x + 14).min(frame.right), y), GREY, LINE)?;
                x += 24;
            }
        }
        for (series, boxes) in plot.boxes.iter().enumerate() {
            for (category, found) in boxes.iter().enumerate() {
                if let Some(found) = found {
                    self.one_box(found, &frame, category, series)?;
                }
            }
        }
        Ok(())
    }

    fn axes(&self, plot: &BoxPlot, frame: &Frame, at: (i32, i32)) -> Drawn<DB> {
        let &Frame { left, right, top, bottom, .. } = frame;
        self.line((left, top), (left, bottom), BLACK, LINE)?;
        self.line((left, bottom), (right, bottom), BLACK, LINE)?;
        for &mark in &frame.ticks.at {
            let y = frame.y(mark);
            self.line((left + LINE as i32, y), (right, y), PALE, LINE)?;
            self.line((left - TICK, y), (left, y), BLACK, LINE)?;
            let place = (left - TICK - 8, y);
            self.text(&frame.ticks.text(mark), TEXT, place, HPos::Right, LEFT as u32 - 60)?;
        }
        // Of names that would run into each other, every second or third is written.
        let widths: Vec<u32> = plot
            .categories
            .iter()
            .map(|name| Ok(self.area.estimate_text_size(name, &style(TEXT))?.0))
            .collect::<Drawn<DB, _>>()?;
        let widest = widths.into_iter().max().unwrap_or(0) + 12;
        let every = (f64::from(widest) / frame.step()).ceil().max(1.0) as usize;
        for (category, name) in plot.categories.iter().enumerate() {
            let x = frame.x(category).round() as i32;
            self.line((x, bottom), (x, bottom + TICK), BLACK, LINE)?;
            if category % every == 0 {
                let place = (x, bottom + TICK + TEXT as i32 * 3 / 4);
                self.text(name, TEXT, place, HPos::Center, widest)?;
            }
        }
        let place = ((left + right) / 2, bottom + TICK + TEXT as i32 * 2 + 12);
        self.text(
            &plot.x_label,
            HEADING,
            place,
            HPos::Center,
            (right - left) as u32 + LEFT as u32,
        )?;
        let place = (at.0 + 26, (top + bottom) / 2);
        self.upright(&plot.y_label, HEADING, place, (bottom - top) as u32 + TOP as u32)
    }

    /// Box, whiskers and dots.
    fn one_box(
        &self,
        found: &BoxOfValues,
        frame: &Frame,
        category: usize,
        series: usize,
    ) -> Drawn<DB> {
        let colour = PALETTE[series % HUES];
        let (middle, half) = frame.place(category, series);
        let [minimum, lower, median, upper, maximum] = found.quartiles.map(|value| frame.y(value));
        let x = middle.round() as i32;
        let (left, right) = ((middle - half).round() as i32, (middle + half).round() as i32);
        self.line((x, minimum), (x, lower), colour, LINE)?;
        self.line((x, upper), (x, maximum), colour, LINE)?;
        let (cap_left, cap_right) =
            ((middle - 0.5 * half).round() as i32, (middle + 0.5 * half).round() as i32);
        for y in [minimum, maximum] {
            self.line((cap_left, y), (cap_right, y), colour, LINE)?;
        }
        let corners = [(left, upper), (right, lower)];
        self.area.draw(&Rectangle::new(corners, colour.mix(0.25).filled()))?;
        self.area.draw(&Rectangle::new(corners, colour.stroke_width(LINE)))?;
        // Spread evenly, and the same in every picture: multiples of the golden ratio.
        for (index, &value) in found.values.iter().enumerate() {
            let share = (index as f64 * 0.618_033_988_749_895).fract() - 0.5;
            let place = ((middle + 1.3 * share * half).round() as i32, frame.y(value));
            self.area.draw(&Circle::new(place, 4, colour.mix(0.55).filled()))?;
        }
        self.line((left, median), (right, median), BLACK, 2 * LINE)
    }

    /// A line along one of the axes, as a filled rectangle: the same in bitmaps.
    pub fn line(
        &self,
        from: (i32, i32),
        to: (i32, i32),
        colour: RGBColor,
        width: u32,
    ) -> Drawn<DB> {
        let (before, after) = ((width / 2) as i32, (width - width / 2) as i32);
        let corners = [
            (from.0.min(to.0) - before, from.1.min(to.1) - before),
            (from.0.max(to.0) + after, from.1.max(to.1) + after),
        ];
        self.area.draw(&Rectangle::new(corners, colour.filled()))
    }

    /// Writes `text` at half its height, cut to `width` pixels.
    pub fn text(
        &self,
        text: &str,
        size: u32,
        (x, y): (i32, i32),
        side: HPos,
        width: u32,
    ) -> Drawn<DB> {
        let style = style(size).pos(Pos::new(side, VPos::Center));
        let text = self.fit(text, size, width)?;
        self.area.draw(&Text::new(text, (x, y + self.drop(size)), style))
    }

    /// Writes `text` upwards, its middle at a place.
    pub fn upright(&self, text: &str, size: u32, (x, y): (i32, i32), width: u32) -> Drawn<DB> {
        let text = self.fit(text, size, width)?;
        let style = style(size)
            .transform(FontTransform::Rotate270)
            .pos(Pos::new(HPos::Center, VPos::Center));
        self.area.draw(&Text::new(text, (x + self.drop(size), y), style))
    }

    /// `text` as it is printed, without control characters, which XML forbids, and cut to `width` pixels.
    fn fit(&self, text: &str, size: u32, width: u32) -> Drawn<DB, String> {
        let text = text.replace("τ_s", "τₛ").replace("τ_m", "τₘ");
        fitted(&self.area, &text, &style(size), width)
    }

    fn drop(&self, text_size: u32) -> i32 {
        (self.text_drop * f64::from(text_size)).round() as i32
    }
}

fn style(size: u32) -> TextStyle<'static> {
    TextStyle::from(("sans-serif", size))
}
