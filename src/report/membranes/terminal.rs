//! A [`Figure`] on a terminal: rasters and potentials in braille dots, two by four to a character.

use std::fmt::Write;

use super::{Figure, Panel, Raster};

/// Characters left of the drawing, for values on the axis.
const LEFT: usize = 9;
/// Lines of a panel of potentials, and the most of a raster.
const PANEL: usize = 7;
const MOST_RASTER: usize = 6;

/// Colours of terminals, which their themes make readable on their backgrounds.
const EXCITATORY: &str = "34";
const INHIBITORY: &str = "33";
const SPIKE: &str = "1";
const DIM: &str = "2";

pub(super) fn draw(figure: &Figure, width: usize, colours: bool) -> String {
    let columns = width.saturating_sub(LEFT + 1).clamp(20, 400);
    let pen = Pen { figure, columns, colours };
    let mut text = String::new();
    for raster in &figure.rasters {
        pen.raster(&mut text, raster);
    }
    for panel in &figure.panels {
        pen.panel(&mut text, panel);
    }
    pen.axis(&mut text);
    text
}

struct Pen<'a> {
    figure: &'a Figure,
    columns: usize,
    colours: bool,
}

/// Dots, row by row from the top.
struct Dots {
    width: usize,
    height: usize,
    set: Vec<bool>,
}

impl Dots {
    fn new(columns: usize, lines: usize) -> Self {
        let (width, height) = (2 * columns, 4 * lines);
        Dots { width, height, set: vec![false; width * height] }
    }

    fn set(&mut self, x: usize, y: usize) {
        if x < self.width && y < self.height {
            self.set[y * self.width + x] = true;
        }
    }

    fn line(&self, line: usize) -> String {
        /// Bits of the dots of a character, as Unicode orders them: by row, left and right.
        const BITS: [[u32; 2]; 4] = [[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]];
        let character = |column: usize| {
            let mut bits = 0;
            for (row, pair) in BITS.iter().enumerate() {
                for (side, bit) in pair.iter().enumerate() {
                    if self.set[(4 * line + row) * self.width + 2 * column + side] {
                        bits |= bit;
                    }
                }
            }
            char::from_u32(0x2800 + bits).filter(|_| bits != 0).unwrap_or(' ')
        };
        (0..self.width / 2).map(character).collect()
    }
}

impl Pen<'_> {
    /// The column of a time, in `per` parts of a character.
    fn column(&self, time: f64, per: usize) -> usize {
        let share = (time - self.figure.window.0) / self.figure.span();
        let last = per * self.columns - 1;
        ((share * (per * self.columns) as f64) as usize).min(last)
    }

    fn styled(&self, text: &str, style: &str) -> String {
        if self.colours && !text.trim().is_empty() {
            format!("\u{1b}[{style}m{text}\u{1b}[0m")
        } else {
            text.to_owned()
        }
    }

    fn raster(&self, text: &mut String, raster: &Raster) {
        let lines = raster.rows.div_ceil(4).clamp(1, MOST_RASTER);
        let mut dots = Dots::new(self.columns, lines);
        for &(time, row) in &raster.spikes {
            let height = dots.height.min(raster.rows);
            dots.set(self.column(time, 2), row * height / raster.rows.max(1));
        }
        self.heading(text, &format!("{} ({})", raster.name, count(raster.spikes.len(), "spike")));
        for line in 0..lines {
            let _ = writeln!(text, "{:LEFT$}│{}", "", dots.line(line).trim_end());
        }
    }

    fn heading(&self, text: &mut String, heading: &str) {
        let shown: String = heading.chars().take(self.columns).collect();
        let _ = writeln!(text, "{:LEFT$} {}", "", self.styled(&shown, SPIKE));
    }

    fn panel(&self, text: &mut String, panel: &Panel) {
        let trace = &panel.trace;
        let (low, high) = panel.range();
        let spread = (high - low).max(1e-12 * low.abs().max(high.abs()).max(1e-300));
        let mut dots = Dots::new(self.columns, PANEL);
        let most = (dots.height - 1) as f64;
        let row = |value: f64| (((high - value) / spread) * most).round() as usize;
        let threshold = row(trace.threshold);
        for x in (0..dots.width).filter(|x| x % 6 < 2) {
            dots.set(x, threshold);
        }
        let mut before = None;
        for (&time, &value) in trace.times.iter().zip(&trace.potential) {
            let (x, y) = (self.column(time, 2), row(value));
            let from = before.map_or(y, |(_, y)| y);
            // From the last value to this one, all within the column of the later.
            for step in from.min(y)..=from.max(y) {
                dots.set(x, step);
            }
            before = Some((x, y));
        }
        let note = if panel.decides { ": decides" } else { "" };
        self.heading(text, &format!("{}{note}", panel.name));

        let mut marks = vec![' '; self.columns];
        for time in panel.other_crossings(self.figure.span()) {
            marks[self.column(time, 1)] = '◇';
        }
        for &spike in &trace.spikes {
            marks[self.column(spike, 1)] = '▼';
        }
        let marks: String = marks.iter().collect();
        if !marks.trim().is_empty() {
            let _ = writeln!(text, "{:LEFT$}│{}", "", self.styled(marks.trim_end(), SPIKE));
        }
        let labels = self.labels(&[(trace.threshold, threshold), (trace.leak, row(trace.leak))]);
        for line in 0..PANEL {
            let _ = writeln!(text, "{}│{}", labels[line], dots.line(line).trim_end());
        }
        self.inputs(text, panel);
    }

    /// Values beside the axis; the first has precedence where they would stand on one line.
    fn labels(&self, values: &[(f64, usize)]) -> Vec<String> {
        let mut labels = vec![" ".repeat(LEFT); PANEL];
        for &(value, row) in values.iter().rev() {
            if let Some(label) = labels.get_mut(row / 4) {
                *label = format!("{:>width$} ", short(value), width = LEFT - 1);
            }
        }
        labels
    }

    /// A line of the inputs' effects: excitatory ones up, inhibitory ones down.
    fn inputs(&self, text: &mut String, panel: &Panel) {
        const UP: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
        let mut sums = vec![(0.0, 0.0); self.columns];
        for input in &panel.trace.inputs {
            let (excitatory, inhibitory) = &mut sums[self.column(input.time, 1)];
            if input.amplitude < 0.0 {
                *inhibitory -= input.amplitude;
            } else {
                *excitatory += input.amplitude;
            }
        }
        let largest = sums.iter().fold(0.0, |most, sums| sums.0.max(sums.1).max(most));
        let signs: [(fn(&(f64, f64)) -> f64, &str, &str); 2] =
            [(|sums| sums.0, EXCITATORY, "excit."), (|sums| sums.1, INHIBITORY, "inhib.")];
        for (part, colour, name) in signs {
            let bar = |sums| match part(sums) {
                0.0 => ' ',
                sum => UP[((sum / largest * 8.0).ceil() as usize).clamp(1, 8) - 1],
            };
            let bars: String = sums.iter().map(bar).collect();
            if !bars.trim().is_empty() {
                let bars = self.styled(bars.trim_end(), colour);
                let _ = writeln!(text, "{name:>width$} │{bars}", width = LEFT - 1);
            }
        }
    }

    fn axis(&self, text: &mut String) {
        let (from, to) = self.figure.window;
        let mut line: Vec<char> = vec!['─'; self.columns];
        if let Some(time) = self.figure.decision.filter(|time| (from..=to).contains(time)) {
            line[self.column(time, 1)] = '┴';
        }
        let line: String = line.iter().collect();
        let _ = writeln!(text, "{:LEFT$}└{line}", "");
        let ends = [short(from), format!("{} {}", short(to), self.figure.time_unit)];
        let [start, end] = &ends;
        let room = self.columns.saturating_sub(start.chars().count());
        let _ = writeln!(text, "{:LEFT$} {start}{end:>room$}", "");
        let legend = "▼ recorded spike   ◇ threshold reached by itself   ⠒ ⠒ threshold";
        let shown: String = legend.chars().take(self.columns).collect();
        let _ = writeln!(text, "{:LEFT$} {}", "", self.styled(&shown, DIM));
    }
}

/// A number in few letters.
fn short(value: f64) -> String {
    let text = format!("{value:.3}");
    if value != 0.0 && (value.abs() < 0.01 || text.len() > 8) {
        return format!("{value:.2e}");
    }
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn count(number: usize, what: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") }
}
