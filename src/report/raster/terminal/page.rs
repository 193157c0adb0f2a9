//! A raster printed once, as text with or without colours.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier};
use ratatui::text::{Line, Span};

use super::super::Raster;
use super::{Marks, Terminal, grouped};

/// How a raster is printed.
#[derive(Clone, Debug)]
pub struct Page<'p> {
    /// What the spikes are of: the name of the file.
    pub title: &'p str,
    /// Characters of the widest line.
    pub width: u16,
    /// Lines of all.
    pub height: u16,
    /// What spikes are drawn with.
    pub marks: Marks,
    /// Whether colours are written, as codes of the terminal.
    pub colour: bool,
}

/// Lines of the legend, at most.
const LEGEND_LINES: usize = 3;

/// The whole of a raster with a heading, axes and a legend, each line ended.
pub fn page(raster: &Raster, page: &Page<'_>) -> String {
    let terminal = Terminal { raster, marks: page.marks, selected: None };
    let heading = heading(raster, page.title);
    let heading = wrapped(heading.into_iter().map(|part| vec![Span::raw(part)]), ", ", page.width);
    let mut legend = wrapped(terminal.legend(), "  ", page.width);
    if legend.len() > LEGEND_LINES {
        legend.truncate(LEGEND_LINES - 1);
        legend.push(Line::raw(format!("{} populations in all", raster.populations.len())));
    }
    // One line is for what marks stand for, which is known once they are drawn.
    let around = (heading.len() + legend.len() + 1) as u16;
    let size = Rect::new(0, 0, page.width, page.height.max(around + 6));
    let mut buffer = Buffer::empty(size);
    let mut y = 0;
    for line in &heading {
        buffer.set_line(0, y, line, page.width);
        y += 1;
    }
    let area = Rect::new(0, y, page.width, size.height - around);
    let stack = terminal.stack(terminal.plot_area(area));
    let drawn = terminal.draw(&raster.whole(&stack), &stack, area, &mut buffer);
    y += area.height;
    for line in &legend {
        buffer.set_line(0, y, line, page.width);
        y += 1;
    }
    let explained = terminal.explanation(&drawn);
    if let Some(line) = &explained {
        buffer.set_line(0, y, line, page.width);
        y += 1;
    }
    text(&buffer, y, page)
}

/// Which spikes these are, in parts that belong together.
fn heading(raster: &Raster, title: &str) -> Vec<String> {
    let (spikes, all) = (raster.len() as u64, raster.spikes_in_recording as u64);
    let mut parts = vec![if spikes == all {
        format!("{title}: {} spikes", grouped(spikes))
    } else {
        format!("{title}: {} of {} spikes", grouped(spikes), grouped(all))
    }];
    parts.push(format!("{} neurons", grouped(raster.rows.len() as u64)));
    if let (Some(first), Some(last), 2..) =
        (raster.samples.first(), raster.samples.last(), raster.samples_in_recording)
    {
        let count = raster.samples.len();
        let consecutive = (last - first) as usize + 1 == count;
        let which = match count {
            1 => format!("sample {first}"),
            _ if consecutive => format!("samples {first}–{last}"),
            _ => format!("{count} samples"),
        };
        let hint = if count < raster.samples_in_recording && count > 1 {
            format!(" of {} (others with --samples)", grouped(raster.samples_in_recording as u64))
        } else if count < raster.samples_in_recording {
            format!(" of {}", grouped(raster.samples_in_recording as u64))
        } else {
            String::new()
        };
        parts.push(format!("{which}{hint}"));
    }
    parts
}

/// Parts in lines of a width, as many in each as fit.
fn wrapped(
    parts: impl IntoIterator<Item = Vec<Span<'static>>>,
    between: &'static str,
    width: u16,
) -> Vec<Line<'static>> {
    let mut lines: Vec<Line<'static>> = Vec::new();
    for part in parts {
        let own: usize = part.iter().map(Span::width).sum();
        match lines.last_mut() {
            Some(line) if line.width() + between.len() + own <= usize::from(width) => {
                line.push_span(between);
                part.into_iter().for_each(|span| line.push_span(span));
            }
            _ => lines.push(Line::from(part)),
        }
    }
    lines
}

/// The first lines of a buffer, without blanks at their ends.
fn text(buffer: &Buffer, lines: u16, page: &Page<'_>) -> String {
    let mut text = String::new();
    for y in 0..lines {
        let mut line = String::new();
        // What is written at the end of a line, were it to end here.
        let mut kept = 0;
        let mut style = (Color::Reset, false);
        let mut skip = 0;
        for x in 0..buffer.area.width {
            let cell = &buffer[(x, y)];
            if skip > 0 {
                skip -= 1;
                continue;
            }
            skip = Span::raw(cell.symbol()).width().saturating_sub(1);
            if page.colour && cell.symbol() != " " {
                let wanted = (cell.fg, cell.modifier.contains(Modifier::DIM));
                if wanted != style {
                    line.push_str("\x1b[0");
                    if let Color::Indexed(colour) = wanted.0 {
                        line.push_str(&format!(";38;5;{colour}"));
                    }
                    line.push_str(if wanted.1 { ";2m" } else { "m" });
                    style = wanted;
                }
            }
            if page.marks == Marks::Ascii {
                line.extend(cell.symbol().chars().map(ascii));
            } else {
                line.push_str(cell.symbol());
            }
            if cell.symbol() != " " {
                kept = line.len();
            }
        }
        line.truncate(kept);
        text.push_str(&line);
        if style != (Color::Reset, false) {
            text.push_str("\x1b[0m");
        }
        text.push('\n');
    }
    text
}

/// The letter of ASCII that stands for another.
fn ascii(letter: char) -> char {
    match letter {
        '│' => '|',
        '─' | '–' | '−' => '-',
        '┤' | '┬' | '└' => '+',
        '■' => '#',
        'µ' => 'u',
        'τ' => 't',
        letter if letter.is_ascii() => letter,
        _ => '?',
    }
}
