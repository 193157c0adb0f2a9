//! A raster as characters: braille dots, blocks or plain ASCII, with axes and a legend.
//!
//! [`Terminal`] draws a view into a buffer of `ratatui`: the same picture whether it is printed once
//! ([`page`]) or shown in the [`viewer`](super::viewer). Where spikes are so dense that the dots would
//! run into each other, cells are shaded by their number of spikes instead.

mod axes;
mod page;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Style};
use ratatui::text::{Line, Span};

use super::super::picture::PALETTE;
use super::{Cells, Grid, HUES, Raster, Stack, View};

pub use page::{Page, page};

/// Share of the dots that may be set before cells are shaded instead.
const CROWDED: f64 = 0.5;

/// Blank height between two populations, in lines: a dot of braille.
const INSET: f64 = 0.25;

/// What spikes are drawn with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Marks {
    /// Two by four dots in each character.
    #[default]
    Braille,
    /// Two by two quarters of each character, for fonts without braille.
    Blocks,
    /// Nothing that is not ASCII.
    Ascii,
}

impl Marks {
    /// Dots beside and above each other in a character.
    fn dots(self) -> (usize, usize) {
        match self {
            Marks::Braille => (2, 4),
            Marks::Blocks => (2, 2),
            Marks::Ascii => (1, 1),
        }
    }

    /// How dots look that are set; bit `line * columns + column` stands for each.
    fn dotted(self, dots: u8) -> char {
        match self {
            Marks::Braille => {
                // Braille numbers its dots down the columns, the lowest line after all others.
                const BITS: [u32; 8] = [0x01, 0x08, 0x02, 0x10, 0x04, 0x20, 0x40, 0x80];
                let set =
                    (0..8).filter(|dot| dots >> dot & 1 == 1).map(|dot| BITS[dot]).sum::<u32>();
                char::from_u32(0x2800 + set).unwrap_or(' ')
            }
            Marks::Blocks => {
                [' ', '▘', '▝', '▀', '▖', '▌', '▞', '▛', '▗', '▚', '▐', '▜', '▄', '▙', '▟', '█']
                    [usize::from(dots & 15)]
            }
            Marks::Ascii => '|',
        }
    }

    /// The four shades, from the palest.
    fn shades(self) -> [char; 4] {
        match self {
            Marks::Braille | Marks::Blocks => ['░', '▒', '▓', '█'],
            Marks::Ascii => ['.', ':', '*', '#'],
        }
    }
}

/// How many quarters of the densest cell's spikes a cell has, rounded up.
pub(super) fn level(count: u32, most: u32) -> usize {
    (4 * u64::from(count)).div_ceil(u64::from(most.max(1))).clamp(1, 4) as usize
}

/// The numbers of spikes of each of the four levels that have some: level, least, most.
pub(super) fn levels(most: u32) -> Vec<(usize, u32, u32)> {
    let upper = |level: u32| (u64::from(most) * u64::from(level) / 4) as u32;
    let all = (1..=4).map(|level| (level as usize, upper(level - 1) + 1, upper(level)));
    all.filter(|(_, least, most)| least <= most).collect()
}

/// The nearest of the 256 colours that every terminal has, for a hue of the palette.
pub(super) fn colour(hue: usize) -> Color {
    let plotters::style::RGBColor(red, green, blue) = PALETTE[hue % HUES];
    // The colours from 16 on are a cube of these six intensities.
    let step = |channel: u8| {
        let steps = [0, 95, 135, 175, 215, 255_u8];
        (0..6).min_by_key(|&step: &u8| steps[usize::from(step)].abs_diff(channel)).unwrap_or(0)
    };
    Color::Indexed(16 + 36 * step(red) + 6 * step(green) + step(blue))
}

/// Draws views of a raster.
#[derive(Clone, Copy, Debug)]
pub struct Terminal<'r> {
    /// What is drawn.
    pub raster: &'r Raster,
    /// What it is drawn with.
    pub marks: Marks,
    /// A row to point at.
    pub selected: Option<u32>,
}

/// What has been drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Drawn {
    /// Spikes in the view.
    pub spikes: u64,
    /// Spikes of the mark or cell with most of them.
    pub most: u32,
    /// Neurons that share a mark, at most.
    pub most_neurons: u32,
    /// Whether cells are shaded by their number of spikes.
    pub shaded: bool,
}

impl Terminal<'_> {
    /// Where the spikes are drawn, without the axes, in an area; empty if there is no room.
    pub fn plot_area(&self, area: Rect) -> Rect {
        let left = self.gutter().min(area.width);
        let top = 1.min(area.height);
        Rect {
            x: area.x + left,
            y: area.y + top,
            width: area.width - left,
            height: (area.height - top).saturating_sub(3),
        }
    }

    /// How high the bands are on a plot of this height.
    pub fn stack(&self, plot: Rect) -> Stack {
        Stack::new(&self.raster.bands, usize::from(plot.height), 1, INSET)
    }

    /// Draws a view with its axes.
    pub fn draw(&self, view: &View, stack: &Stack, area: Rect, buffer: &mut Buffer) -> Drawn {
        let plot = self.plot_area(area);
        if plot.is_empty() {
            return Drawn { spikes: 0, most: 0, most_neurons: 0, shaded: false };
        }
        let (across, down) = self.marks.dots();
        let (width, height) = (usize::from(plot.width), usize::from(plot.height));
        let grid = Grid { columns: width * across, lines: height * down, tallest: 3 * down };
        let mut cells = self.raster.count(view, stack, grid);
        // In ASCII a cell is a dot, and a dot for many spikes is shaded.
        let crowded = if across == 1 { cells.most() > 1 } else { cells.crowding() > CROWDED };
        if crowded && across > 1 {
            let grid = Grid { columns: width, lines: height, tallest: 3 };
            cells = self.raster.count(view, stack, grid);
        }
        let dots = if crowded { (1, 1) } else { (across, down) };
        self.draw_cells(&cells, dots, crowded, plot, buffer);
        self.draw_axes(view, stack, area, plot, buffer);
        Drawn {
            spikes: cells.spikes(),
            most: cells.most(),
            most_neurons: cells.most_neurons(),
            shaded: crowded,
        }
    }

    /// Each character is of the hue that has most spikes in it.
    fn draw_cells(
        &self,
        cells: &Cells,
        (across, down): (usize, usize),
        shaded: bool,
        plot: Rect,
        buffer: &mut Buffer,
    ) {
        let width = usize::from(plot.width);
        let size = width * usize::from(plot.height);
        let mut dots = vec![0_u8; size];
        let mut counts = vec![[0_u32; HUES]; size];
        for (index, mark) in cells.marks.iter().enumerate() {
            for (column, &count) in cells.counts(index).iter().enumerate() {
                if count == 0 {
                    continue;
                }
                let mut last = usize::MAX;
                for line in mark.lines.clone() {
                    let cell = line / down * width + column / across;
                    dots[cell] |= 1 << (line % down * across + column % across);
                    if cell != last {
                        counts[cell][mark.hue] += count;
                    }
                    last = cell;
                }
            }
        }
        let most = cells.most();
        for (cell, (&dots, counts)) in dots.iter().zip(&counts).enumerate() {
            // The first of those with most.
            let Some(hue) = (0..HUES).rev().max_by_key(|&hue| counts[hue]) else { continue };
            if dots == 0 {
                continue;
            }
            let letter = if shaded {
                self.marks.shades()[level(counts.iter().sum::<u32>().min(most), most) - 1]
            } else {
                self.marks.dotted(dots)
            };
            let (x, y) = (plot.x + (cell % width) as u16, plot.y + (cell / width) as u16);
            buffer[(x, y)].set_char(letter).set_style(Style::new().fg(colour(hue)));
        }
    }

    /// The populations, the uppermost first, with their colours and numbers of spikes.
    pub fn legend(&self) -> Vec<Vec<Span<'static>>> {
        let populations = self.raster.populations.iter().enumerate().rev();
        populations
            .filter(|(_, (name, _))| !name.is_empty())
            .map(|(index, (name, spikes))| {
                vec![
                    Span::styled("■ ", Style::new().fg(colour(index))),
                    Span::raw(format!("{name} {}", grouped(*spikes))),
                ]
            })
            .collect()
    }

    /// What marks stand for, where that is not one spike each.
    pub fn explanation(&self, drawn: &Drawn) -> Option<Line<'static>> {
        if drawn.most <= 1 && drawn.most_neurons <= 1 {
            return None;
        }
        if drawn.shaded {
            let mut text = String::from("merged, spikes per mark:");
            for (level, least, most) in levels(drawn.most) {
                let range = if least == most {
                    grouped(most.into())
                } else {
                    format!("{}–{}", grouped(least.into()), grouped(most.into()))
                };
                text.push_str(&format!("  {} {range}", self.marks.shades()[level - 1]));
            }
            return Some(Line::raw(text));
        }
        Some(Line::raw(merged(drawn.most, drawn.most_neurons)?))
    }
}

/// Says what marks stand for, where that is not one spike each.
pub(super) fn merged(spikes: u32, neurons: u32) -> Option<String> {
    let count = |count: u32, what: &str| {
        let many = if count == 1 { "" } else { "s" };
        format!("{} {what}{many}", grouped(count.into()))
    };
    match (spikes, neurons) {
        (0 | 1, 0 | 1) => None,
        (0 | 1, neurons) => Some(format!("a line of marks is up to {}", count(neurons, "neuron"))),
        (spikes, 0 | 1) => Some(format!("merged: a mark is up to {}", count(spikes, "spike"))),
        (spikes, neurons) => Some(format!(
            "merged: a mark is up to {}, a line up to {}",
            count(spikes, "spike"),
            count(neurons, "neuron")
        )),
    }
}

/// A number with its digits in groups of three.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn dots_are_where_unicode_has_them() {
        assert_eq!(Marks::Braille.dotted(0), '\u{2800}');
        assert_eq!(Marks::Braille.dotted(0b0000_0001), '⠁');
        assert_eq!(Marks::Braille.dotted(0b0000_0010), '⠈');
        assert_eq!(Marks::Braille.dotted(0b0100_0000), '⡀');
        assert_eq!(Marks::Braille.dotted(0b1000_0000), '⢀');
        assert_eq!(Marks::Braille.dotted(0b1111_1111), '⣿');
        assert_eq!(Marks::Blocks.dotted(0b0101), '▌');
        assert_eq!(Marks::Blocks.dotted(0b1100), '▄');
    }

    #[test]
    fn levels_cover_every_count_once() {
        for most in [1, 2, 3, 4, 5, 7, 100, 1_000_003] {
            let levels = levels(most);
            assert_eq!((levels[0].1, levels[levels.len() - 1].2), (1, most));
            assert!(levels.windows(2).all(|pair| pair[0].2 + 1 == pair[1].1));
            for (index, least, last) in levels {
                assert_eq!((level(least, most), level(last, most)), (index, index), "of {most}");
            }
        }
    }

    #[test]
    fn hues_differ_on_terminals_of_256_colours() {
        let colours: BTreeSet<String> = (0..HUES).map(|hue| format!("{:?}", colour(hue))).collect();
        assert_eq!(colours.len(), HUES);
    }

    #[test]
    fn digits_are_grouped() {
        let texts = [0, 999, 1000, 1_234_567].map(grouped);
        assert_eq!(texts, ["0", "999", "1,000", "1,234,567"]);
    }
}
