//! How many spikes fall on each cell of a grid over a view.

use std::ops::Range;

use rayon::prelude::*;

use super::{HUES, Raster, Stack, View};

/// Cells over a view: of a terminal's dots, or of a picture's pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grid {
    /// Cells side by side.
    pub columns: usize,
    /// Cells on top of each other.
    pub lines: usize,
    /// How many lines a mark is high, at most, where there is room between neurons.
    pub tallest: usize,
}

/// A horizontal series of cells whose spikes are counted together: those of neurons that share a
/// line and a hue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// The lines that its marks cover, from the top.
    pub lines: Range<usize>,
    /// The hue of its populations.
    pub hue: usize,
    /// How many neurons they are.
    pub neurons: u32,
}

/// What falls on each cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cells {
    /// The grid.
    pub grid: Grid,
    /// What the counts are of, line by line.
    pub marks: Vec<Mark>,
    /// Spikes of each mark in each column.
    counts: Vec<u32>,
}

/// Not in the view.
const OUTSIDE: u32 = u32::MAX;

/// Spikes that are worth another thread.
const CHUNK: usize = 1 << 16;

/// The visible spikes of a strip: where its left end is in time, and which they are.
struct Piece {
    start: f64,
    spikes: Range<usize>,
}

impl Raster {
    /// Counts the spikes of a view by cell and hue.
    ///
    /// A neuron's spikes fall on the line of the middle of its row, and in the column of their time;
    /// what is at the right end of the view falls on the last column. Populations beyond the hues of
    /// the palette share hues and counts with the first ones. The work is proportional to the spikes in
    /// the view, not to those of the recording.
    pub fn count(&self, view: &View, stack: &Stack, grid: Grid) -> Cells {
        let (marks, mark_of) = self.marks(view, stack, grid);
        let columns = grid.columns;
        let scale = columns as f64 / (view.x.1 - view.x.0);
        let pieces = self.pieces(view);
        let size = marks.len() * columns;
        let count = |pieces: &[Piece]| {
            let mut counts = vec![0_u32; size];
            for piece in pieces {
                let spikes = piece.spikes.clone();
                for (time, &row) in self.times[spikes.clone()].iter().zip(&self.row_of[spikes]) {
                    let mark = mark_of[row as usize];
                    if mark != OUTSIDE {
                        let column = (((time - piece.start) * scale) as usize).min(columns - 1);
                        counts[mark as usize * columns + column] += 1;
                    }
                }
            }
            counts
        };
        let share = pieces.len().div_ceil(rayon::current_num_threads()).max(1);
        let counts = pieces.par_chunks(share).map(count).reduce_with(|mut one, other| {
            one.iter_mut().zip(other).for_each(|(one, other)| *one += other);
            one
        });
        Cells { grid, marks, counts: counts.unwrap_or_else(|| vec![0; size]) }
    }

    /// The spikes of a view, in pieces of which none is long.
    fn pieces(&self, view: &View) -> Vec<Piece> {
        let mut pieces = Vec::new();
        for strip in self.strips_within(view.x) {
            let (start, end) = (self.time_at(strip, view.x.0), self.time_at(strip, view.x.1));
            let own = self.strips[strip].clone();
            let times = &self.times[own.clone()];
            let first = own.start + times.partition_point(|&time| time < start);
            let last = own.start + times.partition_point(|&time| time <= end);
            pieces.extend(
                (first..last)
                    .step_by(CHUNK)
                    .map(|from| Piece { start, spikes: from..(from + CHUNK).min(last) }),
            );
        }
        pieces
    }

    /// The marks of a view, and which of them each row falls on.
    fn marks(&self, view: &View, stack: &Stack, grid: Grid) -> (Vec<Mark>, Vec<u32>) {
        let per_line = (view.y.1 - view.y.0) / grid.lines as f64;
        let mut marks: Vec<Mark> = Vec::new();
        let mut mark_of = vec![OUTSIDE; self.rows.len()];
        for (band, rows) in self.bands.iter().enumerate() {
            let (_, height) = stack.rows(&self.bands, band);
            // The marks of the line of the last row, by hue.
            let mut here = (usize::MAX, [OUTSIDE; HUES]);
            for row in rows.rows.clone() {
                let middle = stack.middle(&self.bands, band, row);
                let from_below = ((middle - view.y.0) / per_line).floor();
                if !(0.0..grid.lines as f64).contains(&from_below) {
                    continue;
                }
                let line = grid.lines - 1 - from_below as usize;
                if line != here.0 {
                    here = (line, [OUTSIDE; HUES]);
                }
                let hue = usize::from(self.rows[row as usize].population) % HUES;
                if here.1[hue] == OUTSIDE {
                    here.1[hue] = marks.len() as u32;
                    let tall = (0.8 * height / per_line) as usize;
                    let tall = tall.clamp(1, grid.tallest.max(1));
                    let top = line.saturating_sub(tall / 2);
                    let lines = top..(top + tall).min(grid.lines);
                    marks.push(Mark { lines, hue, neurons: 0 });
                }
                let mark = here.1[hue];
                marks[mark as usize].neurons += 1;
                mark_of[row as usize] = mark;
            }
        }
        (marks, mark_of)
    }
}

impl Cells {
    /// Spikes of a mark, by column.
    pub fn counts(&self, mark: usize) -> &[u32] {
        &self.counts[mark * self.grid.columns..][..self.grid.columns]
    }

    /// How many spikes one mark stands for, at most.
    pub fn most(&self) -> u32 {
        self.counts.iter().copied().max().unwrap_or(0)
    }

    /// How many neurons one mark stands for, at most.
    pub fn most_neurons(&self) -> u32 {
        self.marks.iter().map(|mark| mark.neurons).max().unwrap_or(0)
    }

    /// How many spikes there are in the view.
    pub fn spikes(&self) -> u64 {
        self.counts.iter().map(|&count| u64::from(count)).sum()
    }

    /// How much of the lines that have neurons is covered with marks, from 0 to 1.
    pub fn crowding(&self) -> f64 {
        let covered = self.counts.iter().filter(|&&count| count > 0).count();
        covered as f64 / self.counts.len().max(1) as f64
    }
}
