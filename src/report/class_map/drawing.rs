//! The layout of a [`ClassMap`] and its drawing on any backend.

use plotters::prelude::*;
use plotters::style::text_anchor::HPos;

use super::super::canvas::{Canvas, Drawn};
use super::super::picture::PALETTE;
use super::{ClassMap, Decision, MapSample, SIZE};

/// Sides of the frame around the square plotting area, in pixels. Those with an axis include a
/// blank `MARGIN`.
pub(super) const TOP: u32 = 100;
pub(super) const BOTTOM: u32 = 145;
pub(super) const LEFT: u32 = 185;
const RIGHT: u32 = SIZE.0 - LEFT - SIDE;
pub(super) const SIDE: u32 = SIZE.1 - TOP - BOTTOM;
const MARGIN: u32 = 20;

/// Blank border inside the plotting area, as a fraction of the extent.
const PADDING: f64 = 0.025;

/// Font sizes in pixels: six-point text and up when the picture is a journal column wide.
const TITLE_SIZE: u32 = 52;
const AXIS_SIZE: u32 = 48;
const TEXT_SIZE: u32 = 44;

/// Radii of a sample's dot and of the ring around a misclassified one, in pixels.
const DOT: u32 = 5;
const RING: u32 = 10;

/// Gap between plotting area and legend, side of a swatch, distance of the legend's lines and of
/// its texts from its left end, in pixels.
const LEGEND_GAP: u32 = 35;
const SWATCH: i32 = 36;
const LINE: i32 = 54;
const INDENT: i32 = 52;

/// Classes named in the legend, at most; the lines that remain are for its other entries.
const LEGEND_CLASSES: usize = 11;

/// Fill of the undecided cells.
pub(super) const UNDECIDED: RGBColor = RGBColor(186, 186, 186);

/// Draws a map whose input has been checked.
pub(super) fn draw<DB: DrawingBackend>(map: &ClassMap, canvas: &Canvas<DB>) -> Drawn<DB> {
    canvas.area.fill(&WHITE)?;

    let (x_range, y_range) = map.extent;
    let mut chart = ChartBuilder::on(&canvas.area)
        .margin_top(TOP)
        .margin_right(RIGHT)
        .margin_bottom(MARGIN)
        .margin_left(MARGIN)
        .x_label_area_size(BOTTOM - MARGIN)
        .y_label_area_size(LEFT - MARGIN)
        .build_cartesian_2d(padded(x_range), padded(y_range))?;
    let to_pixel = {
        let plot = chart.plotting_area().clone();
        move |x, y| plot.map_coordinate(&(x, y))
    };

    draw_regions(map, &to_pixel, canvas)?;
    draw_samples(map.samples, &to_pixel, canvas)?;

    chart
        .configure_mesh()
        .disable_mesh()
        .axis_style(BLACK.stroke_width(2))
        .set_all_tick_mark_size(10)
        .x_labels(6)
        .y_labels(6)
        .y_label_offset(canvas.drop(TEXT_SIZE))
        .label_style(("sans-serif", TEXT_SIZE))
        .axis_desc_style(("sans-serif", AXIS_SIZE))
        .x_desc(canvas.fit(map.axis_labels.0, AXIS_SIZE, SIDE)?)
        .y_desc(canvas.fit(map.axis_labels.1, AXIS_SIZE, SIDE)?)
        .draw()?;
    let start = (LEFT as i32, TOP as i32 / 2);
    canvas.text(map.title, TITLE_SIZE, start, HPos::Left, SIZE.0 - LEFT - MARGIN)?;
    draw_legend(map, canvas)?;
    canvas.area.present()
}

/// Fills each run of equal cells of a row with one rectangle. It reaches a pixel into the
/// cells drawn next, so that no background shines through between them.
fn draw_regions<DB: DrawingBackend>(
    map: &ClassMap,
    to_pixel: &impl Fn(f64, f64) -> (i32, i32),
    canvas: &Canvas<DB>,
) -> Drawn<DB> {
    let ((x_min, x_max), (y_min, y_max)) = map.extent;
    let cells = map.resolution as f64;
    let corner = |column: usize, row: usize| {
        to_pixel(
            x_min + (x_max - x_min) * column as f64 / cells,
            y_min + (y_max - y_min) * row as f64 / cells,
        )
    };
    for row in 0..map.resolution {
        let mut column = 0;
        let decisions = &map.decisions[row * map.resolution..][..map.resolution];
        for run in decisions.chunk_by(PartialEq::eq) {
            let (left, bottom) = corner(column, row);
            column += run.len();
            let (right, top) = corner(column, row + 1);
            let fill = match run[0] {
                Decision::Outside => continue,
                Decision::Undecided => UNDECIDED,
                Decision::Class(class) => tint(class),
            };
            let diagonal = [(left, top - 1), (right + 1, bottom)];
            canvas.area.draw(&Rectangle::new(diagonal, fill.filled()))?;
        }
    }
    Ok(())
}

/// Draws a dot for each sample, the misclassified ones last.
fn draw_samples<DB: DrawingBackend>(
    samples: &[MapSample],
    to_pixel: &impl Fn(f64, f64) -> (i32, i32),
    canvas: &Canvas<DB>,
) -> Drawn<DB> {
    let (wrong, right): (Vec<&MapSample>, Vec<_>) =
        samples.iter().partition(|s| s.is_misclassified());
    for sample in right {
        draw_disc(to_pixel(sample.x, sample.y), DOT, colour(sample.label), canvas)?;
    }
    for sample in wrong {
        draw_ringed(to_pixel(sample.x, sample.y), colour(sample.label), canvas)?;
    }
    Ok(())
}

/// Explains the colours to the right of the plotting area.
fn draw_legend<DB: DrawingBackend>(map: &ClassMap, canvas: &Canvas<DB>) -> Drawn<DB> {
    let left = (SIZE.0 - RIGHT + LEGEND_GAP) as i32;
    let mut y = TOP as i32 + SWATCH / 2;
    let centre = left + SWATCH / 2;
    let swatch = |y: i32, fill: RGBColor| {
        let diagonal = [(left, y - SWATCH / 2), (left + SWATCH, y + SWATCH / 2)];
        canvas.area.draw(&Rectangle::new(diagonal, fill.filled()))
    };
    let end_line = |y: &mut i32, text: &str| {
        let width = RIGHT - LEGEND_GAP - INDENT as u32 - MARGIN;
        canvas.text(text, TEXT_SIZE, (left + INDENT, *y), HPos::Left, width)?;
        *y += LINE;
        Ok(())
    };

    for (class, name) in map.class_names.iter().enumerate().take(LEGEND_CLASSES) {
        swatch(y, tint(class))?;
        draw_disc((centre, y), DOT + 2, colour(class), canvas)?;
        end_line(&mut y, name)?;
    }
    if map.class_names.len() > LEGEND_CLASSES {
        let more = map.class_names.len() - LEGEND_CLASSES;
        end_line(&mut y, &format!("and {more} more"))?;
    }
    if map.decisions.contains(&Decision::Undecided) {
        swatch(y, UNDECIDED)?;
        end_line(&mut y, "undecided")?;
    }
    if !map.samples.is_empty() {
        let wrong = map.samples.iter().filter(|s| s.is_misclassified()).count();
        draw_ringed((centre, y), WHITE, canvas)?;
        end_line(&mut y, "misclassified")?;
        end_line(&mut y, &format!("({wrong} of {})", map.samples.len()))?;
    }
    Ok(())
}

fn draw_disc<DB: DrawingBackend>(
    centre: (i32, i32),
    radius: u32,
    fill: RGBColor,
    canvas: &Canvas<DB>,
) -> Drawn<DB> {
    canvas.area.draw(&Circle::new(centre, radius, fill.filled()))
}

/// Draws a dot in a black ring. Two discs, as bitmaps have no smooth rings.
fn draw_ringed<DB: DrawingBackend>(
    centre: (i32, i32),
    fill: RGBColor,
    canvas: &Canvas<DB>,
) -> Drawn<DB> {
    draw_disc(centre, RING, BLACK, canvas)?;
    draw_disc(centre, DOT + 1, fill, canvas)
}

fn padded((low, high): (f64, f64)) -> std::ops::Range<f64> {
    let padding = PADDING * (high - low);
    low - padding..high + padding
}

pub(super) fn colour(class: usize) -> RGBColor {
    PALETTE[class % PALETTE.len()]
}

/// The colour of `class`, mixed with white for use as a background.
pub(super) fn tint(class: usize) -> RGBColor {
    let RGBColor(red, green, blue) = colour(class);
    let lighten = |channel: u8| 255 - (255 - channel) / 10 * 3;
    RGBColor(lighten(red), lighten(green), lighten(blue))
}
