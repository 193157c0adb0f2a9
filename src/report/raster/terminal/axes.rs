//! The axes around a raster of characters.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::Span;

use super::super::{Stack, View, ticks};
use super::{Terminal, colour};

/// Names of populations are cut to this width.
const LONGEST_NAME: u16 = 14;

/// Behind the spikes of the neuron that is pointed at: a grey on which all hues can be seen.
const POINTED: Color = Color::Indexed(237);

/// What is around the picture is less important than what is in it.
fn faint() -> Style {
    Style::new().add_modifier(Modifier::DIM)
}

/// Where a value of a range is on so many characters; none if it is not in the range.
fn place(value: f64, (low, high): (f64, f64), cells: u16) -> Option<u16> {
    let share = (value - low) / (high - low);
    let hair = 1e-9;
    (-hair..=1.0 + hair)
        .contains(&share)
        .then(|| ((share * f64::from(cells)) as u16).min(cells.saturating_sub(1)))
}

impl Terminal<'_> {
    /// Widths of the names of populations and of the indices of neurons.
    fn widths(&self) -> (u16, u16) {
        let width = |name: &str| Span::raw(name.to_owned()).width() as u16;
        let names = self.raster.bands.iter().map(|band| width(&band.name)).max().unwrap_or(0);
        let highest = self.raster.rows.iter().map(|row| row.neuron).max().unwrap_or(0);
        (names.min(LONGEST_NAME), highest.to_string().len() as u16)
    }

    /// Width of names, indices and the axis.
    pub(super) fn gutter(&self) -> u16 {
        let (names, indices) = self.widths();
        (names + u16::from(names > 0) + indices).max(6) + 1
    }

    /// Draws the axes and what is written at them.
    pub(super) fn draw_axes(
        &self,
        view: &View,
        stack: &Stack,
        area: Rect,
        plot: Rect,
        buffer: &mut Buffer,
    ) {
        let axis = plot.x - 1;
        for y in plot.top()..plot.bottom() {
            buffer[(axis, y)].set_char('│').set_style(faint());
        }
        self.draw_neurons(view, stack, area, plot, buffer);

        let bottom = plot.bottom();
        buffer[(axis, bottom)].set_char('└').set_style(faint());
        for x in plot.left()..plot.right() {
            buffer[(x, bottom)].set_char('─').set_style(faint());
        }
        self.draw_strips(view, area, plot, buffer);
        let title = self.raster.time_label();
        let width = Span::raw(title.as_str()).width() as u16;
        let x = plot.x + plot.width.saturating_sub(width) / 2;
        buffer.set_stringn(x, bottom + 2, title, usize::from(area.right() - x), Style::new());
    }

    /// Names of populations, indices of neurons, and the pointer.
    fn draw_neurons(
        &self,
        view: &View,
        stack: &Stack,
        area: Rect,
        plot: Rect,
        buffer: &mut Buffer,
    ) {
        let axis = plot.x - 1;
        let line = |y: f64| place(y, view.y, plot.height).map(|up| plot.bottom() - 1 - up);
        let (names, _) = self.widths();
        for (index, band) in self.raster.bands.iter().enumerate() {
            let (low, high) = stack.band(index);
            let (low, high) = (low.max(view.y.0), high.min(view.y.1));
            if let Some(y) = line(0.5 * (low + high)).filter(|_| low < high && names > 0) {
                let style = band.population.map_or_else(Style::new, |population| {
                    Style::new().fg(colour(usize::from(population)))
                });
                buffer.set_stringn(area.x, y, &band.name, usize::from(names), style);
            }
        }
        let mut taken = None;
        for (row, y) in ticks::rows(self.raster, stack, view.y, usize::from(plot.height) / 2) {
            let Some(y) = line(y).filter(|&y| taken != Some(y)) else { continue };
            taken = Some(y);
            self.write_neuron(row, y, axis, buffer);
            buffer[(axis, y)].set_char('┤').set_style(faint());
        }
        if area.y < plot.y {
            buffer.set_stringn(area.x, area.y, "neuron", usize::from(plot.x - area.x), faint());
        }
        if let Some(row) = self.selected {
            let (low, high) = stack.row(&self.raster.bands, row);
            if let Some(y) = line(0.5 * (low + high)) {
                self.write_neuron(row, y, axis, buffer);
                buffer[(axis, y)].set_char('▶').set_style(Style::new());
                for x in plot.left()..plot.right() {
                    buffer[(x, y)].bg = POINTED;
                }
            }
        }
    }

    /// Writes a neuron's index to the left of the axis.
    fn write_neuron(&self, row: u32, y: u16, axis: u16, buffer: &mut Buffer) {
        let text = self.raster.rows[row as usize].neuron.to_string();
        let x = axis.saturating_sub(text.len() as u16);
        buffer.set_stringn(x, y, &text, usize::from(axis - x), faint());
    }

    /// Marks of time, and the samples' numbers, of each strip that is seen.
    fn draw_strips(&self, view: &View, area: Rect, plot: Rect, buffer: &mut Buffer) {
        let raster = self.raster;
        let bottom = plot.bottom();
        let column = |x: f64| place(x, view.x, plot.width).map(|column| plot.x + column);
        let per_letter = (view.x.1 - view.x.0) / f64::from(plot.width);
        // The first columns after what has been written below and above.
        let (mut below, mut above) = (area.x, plot.x);
        for strip in raster.strips_within(view.x) {
            let start = strip as f64 * raster.pitch();
            let (left, right) = (start.max(view.x.0), (start + raster.span()).min(view.x.1));
            if left >= right {
                continue;
            }
            let letters = ((right - left) / per_letter) as usize;
            let range = (raster.time_at(strip, left), raster.time_at(strip, right));
            for (time, text) in ticks::times(range, letters) {
                let Some(x) = column(start + (time - raster.window.0)) else { continue };
                let width = text.chars().count() as u16;
                let at = x.saturating_sub(width / 2).min(area.right().saturating_sub(width));
                if at >= below {
                    buffer[(x, bottom)].set_char('┬').set_style(faint());
                    buffer.set_stringn(at, bottom + 1, text, usize::from(width), Style::new());
                    below = at + width + 1;
                }
            }
            let several = raster.samples_in_recording > 1;
            if let Some(&sample) = raster.samples.get(strip).filter(|_| several) {
                let (long, short) = (format!("sample {sample}"), sample.to_string());
                let text = if long.len() < letters { long } else { short };
                let middle = column(0.5 * (left + right)).unwrap_or(plot.x);
                let at = middle.saturating_sub(text.len() as u16 / 2);
                if at >= above
                    && text.len() < letters.max(2)
                    && at + text.len() as u16 <= plot.right()
                {
                    buffer.set_stringn(at, area.y, &text, text.len(), Style::new());
                    above = at + text.len() as u16 + 1;
                }
            }
            let gap = start + 0.5 * (raster.span() + raster.pitch());
            if strip + 1 < raster.strip_count()
                && letters >= 4
                && let Some(x) = column(gap)
            {
                for y in plot.top()..plot.bottom() {
                    let cell = &mut buffer[(x, y)];
                    if cell.symbol() == " " {
                        cell.set_char('│').set_style(faint());
                    }
                }
            }
        }
    }
}
