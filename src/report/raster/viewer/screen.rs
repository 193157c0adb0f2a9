//! What the viewer shows.

use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Clear, Paragraph, Widget};

use super::super::View;
use super::super::terminal::grouped;
use super::{Mode, Viewer};

/// Width of the list of a neuron's spikes.
const PANEL: u16 = 34;

/// The smallest screen that is of use.
const SMALLEST: (u16, u16) = (40, 12);

const KEYS: [(&str, &str); 13] = [
    ("← →  h l", "earlier, later"),
    ("↑ ↓  k j", "up, down; the next neuron if one is selected"),
    ("+ -", "zoom in time (or the mouse wheel)"),
    ("> <", "zoom in neurons (or the wheel with Shift or Ctrl)"),
    ("drag", "move about"),
    ("s 17 ⏎", "go to sample 17"),
    ("] [", "next, previous sample (or Page Down, Page Up)"),
    ("Home End", "beginning, end"),
    ("0", "show everything"),
    ("n 17 ⏎", "select neuron 17; n hidden 17 ⏎ that of a population"),
    ("click", "select a neuron; n ⏎ the one in the middle"),
    ("Esc", "select none; leave"),
    ("q", "leave"),
];

impl Viewer<'_> {
    /// Draws the whole screen.
    pub fn draw(&mut self, frame: &mut Frame<'_>) {
        let area = frame.area();
        self.render(area, frame.buffer_mut());
    }

    fn render(&mut self, area: Rect, buffer: &mut Buffer) {
        if area.width < SMALLEST.0 || area.height < SMALLEST.1 {
            let text = format!("too small: {} x {} at least", SMALLEST.0, SMALLEST.1);
            Paragraph::new(text).render(area, buffer);
            return;
        }
        let panel = if self.selected.is_some() && area.width >= 2 * PANEL { PANEL } else { 0 };
        // Heading above; legend, what marks stand for, and keys below.
        let middle =
            Rect { y: area.y + 1, height: area.height - 4, width: area.width - panel, ..area };
        let terminal = self.terminal();
        self.plot = terminal.plot_area(middle);
        let stack = terminal.stack(self.plot);
        let (low, high) = self.view.y;
        let view = View { x: self.view.x, y: (low * stack.height, high * stack.height) };
        let drawn = terminal.draw(&view, &stack, middle, buffer);

        let heading = format!(
            "{}: {} of {} spikes in view",
            self.title,
            grouped(drawn.spikes),
            grouped(self.raster.len() as u64)
        );
        buffer.set_stringn(
            area.x,
            area.y,
            heading,
            usize::from(area.width),
            Style::new().add_modifier(Modifier::BOLD),
        );
        let mut legend = Line::default();
        for entry in terminal.legend() {
            entry.into_iter().for_each(|span| legend.push_span(span));
            legend.push_span("  ");
        }
        buffer.set_line(area.x, middle.bottom(), &legend, area.width);
        if let Some(line) = terminal.explanation(&drawn) {
            buffer.set_line(area.x, middle.bottom() + 1, &line, area.width);
        }
        buffer.set_line(area.x, area.bottom() - 1, &self.last_line(), area.width);
        if panel > 0 {
            let place = Rect { x: middle.right(), width: panel, ..middle };
            self.render_panel(place, buffer);
        }
        if self.mode == Mode::Help {
            render_help(area, buffer);
        }
        if !self.colour {
            for cell in &mut buffer.content {
                (cell.fg, cell.bg) = (Color::Reset, Color::Reset);
            }
        }
    }

    fn last_line(&self) -> Line<'static> {
        let faint = Style::new().add_modifier(Modifier::DIM);
        match &self.mode {
            Mode::Sample(text) => Line::raw(format!("sample: {text}▏")),
            Mode::Neuron(text) => {
                Line::raw(format!("neuron (index, or population and index): {text}▏"))
            }
            _ if !self.message.is_empty() => Line::raw(self.message.clone()),
            _ => Line::styled(
                "←→↑↓ move  +- zoom  ][ sample  s go to sample  n neuron  0 all  ? help  q leave",
                faint,
            ),
        }
    }

    /// The spikes of the selected neuron from the left end of the view on, with their intervals.
    fn render_panel(&self, area: Rect, buffer: &mut Buffer) {
        let Some(row) = self.selected else { return };
        let neuron = self.raster.rows[row as usize];
        let name = &self.raster.populations[usize::from(neuron.population)].0;
        let title =
            format!(" {} {} ", if name.is_empty() { "neuron" } else { name }, neuron.neuron);
        let block = Block::bordered().title(title);
        let inner = block.inner(area);
        block.render(area, buffer);

        let intervals = self.intervals();
        let known: Vec<f64> = intervals.iter().copied().flatten().collect();
        let count = self.train.len();
        let mut lines = vec![Line::raw(format!(
            "{} spike{}",
            grouped(count as u64),
            if count == 1 { "" } else { "s" }
        ))];
        if !known.is_empty() {
            let mean = known.iter().sum::<f64>() / known.len() as f64;
            lines.push(Line::raw(format!("mean interval {}", significant(mean))));
        }
        let unit = self.raster.unit();
        let unit = if unit.is_empty() { unit } else { format!(" ({unit})") };
        let faint = Style::new().add_modifier(Modifier::DIM);
        let several = self.raster.samples.len() > 1;
        let sample = if several { format!("{:>7}", "sample") } else { String::new() };
        let heading = format!("{sample}{:>13}{:>12}", format!("time{unit}"), "interval");
        lines.push(Line::styled(heading, faint));

        let first = self.first_in_view();
        if first > 0 {
            lines.push(Line::styled(format!("… {} before", grouped(first as u64)), faint));
        }
        let room = usize::from(inner.height).saturating_sub(lines.len());
        for (spike, interval) in self.train.iter().zip(&intervals).skip(first).take(room) {
            let sample = match spike.sample {
                Some(sample) if several => format!("{sample:>7}"),
                _ => String::new(),
            };
            let interval = interval.map_or_else(|| "–".to_owned(), significant);
            lines.push(Line::raw(format!("{sample}{:>13}{interval:>12}", significant(spike.time))));
        }
        if first == count && count > 0 {
            lines.push(Line::styled("none from here on", faint));
        }
        Paragraph::new(lines).render(inner, buffer);
    }

    /// The time since the spike before, of the same sample.
    fn intervals(&self) -> Vec<Option<f64>> {
        let before = std::iter::once(None).chain(self.train.iter().map(Some));
        self.train
            .iter()
            .zip(before)
            .map(|(spike, before)| {
                before.filter(|one| one.sample == spike.sample).map(|one| spike.time - one.time)
            })
            .collect()
    }

    /// The first spike of the selected neuron that is not left of the view.
    fn first_in_view(&self) -> usize {
        let strip = |sample: Option<u32>| {
            sample.and_then(|sample| self.raster.samples.binary_search(&sample).ok()).unwrap_or(0)
        };
        self.train.partition_point(|spike| {
            spike.time < self.raster.time_at(strip(spike.sample), self.view.x.0)
        })
    }
}

/// Nine digits: more than a clock has, fewer than run together.
fn significant(value: f64) -> String {
    let magnitude = if value == 0.0 { 0 } else { value.abs().log10().floor() as i32 };
    if !(-4..9).contains(&magnitude) {
        return format!("{value:.5e}");
    }
    let text = format!("{value:.*}", (8 - magnitude) as usize);
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}

fn render_help(area: Rect, buffer: &mut Buffer) {
    let width = 66.min(area.width);
    let height = (KEYS.len() as u16 + 3).min(area.height);
    let place = Rect {
        x: area.x + (area.width - width) / 2,
        y: area.y + (area.height - height) / 2,
        width,
        height,
    };
    let mut lines: Vec<Line<'_>> = KEYS
        .iter()
        .map(|(key, what)| Line::from(vec![Span::raw(format!(" {key:<10}")), Span::raw(*what)]))
        .collect();
    lines.push(Line::raw(" any key goes back"));
    Clear.render(place, buffer);
    Paragraph::new(lines).block(Block::bordered().title(" keys ")).render(place, buffer);
}
