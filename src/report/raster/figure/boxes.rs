//! Marks of spikes as few rectangles.

use std::collections::BTreeMap;

use plotters::style::RGBColor;

use super::super::terminal::level;
use super::super::{Cells, Grid, HUES, Raster, Stack};
use super::Frame;
use crate::report::picture::PALETTE;

/// Share of the cells that may be covered before they are shaded by their number of spikes.
const CROWDED: f64 = 0.4;

/// Rectangles in a picture, at most: a quarter of a megabyte of SVG.
const MOST: usize = 15_000;

/// Sides of the grid's cells, in pixels, from the finest; and how high a mark may be where there is
/// room.
const SIDES: [usize; 6] = [2, 3, 4, 6, 8, 12];
const TALLEST: usize = 40;

/// Sides of a mark where there are at most so many: few are drawn large enough to be seen at once.
const VISIBLE: [(usize, i32); 2] = [(2_500, 6), (8_000, 4)];

/// A rectangle of pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Patch {
    pub left: i32,
    pub right: i32,
    pub top: i32,
    pub bottom: i32,
}

impl Patch {
    /// Makes it at least so high, and half as wide, about its middle.
    fn grow(&mut self, least: i32) {
        let more = (least / 2 + 1 - (self.right - self.left)).max(0);
        self.left -= more / 2;
        self.right += more - more / 2;
        let more = (least - (self.bottom - self.top)).max(0);
        self.top -= more / 2;
        self.bottom += more - more / 2;
    }
}

/// All rectangles of a picture.
pub(super) struct Boxes {
    /// By hue and level of shade, from 1 to 4.
    pub marks: BTreeMap<(usize, usize), Vec<Patch>>,
    /// Whether levels of shade stand for numbers of spikes.
    pub shaded: bool,
    /// Spikes and neurons that one mark stands for, at most.
    pub most: u32,
    pub most_neurons: u32,
}

impl Boxes {
    /// The colour of a hue's level.
    pub fn colour(&self, hue: usize, level: usize) -> RGBColor {
        let RGBColor(red, green, blue) = PALETTE[hue % HUES];
        // The palest is still a third of the hue.
        let share = [0.3, 0.53, 0.77, 1.0][level.clamp(1, 4) - 1];
        let mixed = |channel: u8| (255.0 - share * (255.0 - f64::from(channel))).round() as u8;
        RGBColor(mixed(red), mixed(green), mixed(blue))
    }
}

/// The rectangles of a raster in a frame, on the finest grid that does not need too many.
pub(super) fn boxes(raster: &Raster, stack: &Stack, frame: &Frame) -> Boxes {
    let mut found = Boxes { marks: BTreeMap::new(), shaded: false, most: 0, most_neurons: 0 };
    for side in SIDES {
        let grid = Grid {
            columns: (frame.width() / side).max(1),
            lines: (frame.height() / side).max(1),
            tallest: TALLEST / side,
        };
        let cells = raster.count(&frame.view, stack, grid);
        found = merged(&cells, frame);
        let count = found.marks.values().map(Vec::len).sum::<usize>();
        if count <= MOST {
            let visible = VISIBLE.iter().find(|(most, _)| count <= *most && !found.shaded);
            if let Some(&(_, visible)) = visible {
                found.marks.values_mut().flatten().for_each(|mark| mark.grow(visible));
            }
            break;
        }
    }
    found
}

/// The rectangles of counted cells; those that are side by side and of a kind as one.
fn merged(cells: &Cells, frame: &Frame) -> Boxes {
    let shaded = cells.crowding() > CROWDED && cells.most() > 1;
    let most = cells.most();
    let kind = |count: u32| match count {
        0 => 0,
        count if shaded => level(count, most),
        _ => 4,
    };
    let x = |column: usize| frame.left + (column * frame.width() / cells.grid.columns) as i32;
    let y = |line: usize| frame.top + (line * frame.height() / cells.grid.lines) as i32;
    let mut marks: BTreeMap<(usize, usize), Vec<Patch>> = BTreeMap::new();
    for (index, mark) in cells.marks.iter().enumerate() {
        let (top, bottom) = (y(mark.lines.start), y(mark.lines.end));
        // Tall marks of neurons that are neighbours are told apart by a blank pixel.
        let bottom = if mark.lines.len() > 1 { bottom - 1 } else { bottom };
        let mut column = 0;
        for run in cells.counts(index).chunk_by(|one, other| kind(*one) == kind(*other)) {
            let (left, right) = (x(column), x(column + run.len()));
            column += run.len();
            if run[0] > 0 {
                let own = marks.entry((mark.hue, kind(run[0]))).or_default();
                own.push(Patch { left, right, top, bottom });
            }
        }
    }
    Boxes { marks, shaded, most, most_neurons: cells.most_neurons() }
}
