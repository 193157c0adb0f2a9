//! A raster to walk about in: what keys and the mouse do to the view, and the screen that shows it.
//!
//! A [`Viewer`] knows nothing of a terminal: it takes events ([`Viewer::key`], [`Viewer::mouse`]) and
//! draws itself into a frame of `ratatui`. The command line connects the two.

mod moves;
mod screen;

#[cfg(test)]
mod tests;

use ratatui::crossterm::event::{
    KeyCode, KeyEvent, KeyModifiers, MouseButton, MouseEvent, MouseEventKind,
};
use ratatui::layout::Rect;

use super::terminal::{Marks, Terminal};
use super::{Raster, RowSpike, Stack, View};

/// Samples that are seen in the beginning, at most.
const FIRST_SAMPLES: usize = 4;

/// How far a key moves the view, as a fraction of it, and how much one zooms.
const STEP: f64 = 0.1;
const ZOOM: f64 = 1.5;

/// What is to happen after an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Go on.
    Continue,
    /// The user leaves.
    Quit,
    /// The user interrupts.
    Interrupted,
}

/// What the keys are for.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Mode {
    /// Walking about.
    Browse,
    /// Typing the number of a sample.
    Sample(String),
    /// Typing a neuron.
    Neuron(String),
    /// Reading the list of keys.
    Help,
}

/// A raster and the part of it that is looked at.
#[derive(Clone, Debug)]
pub struct Viewer<'r> {
    raster: &'r Raster,
    title: String,
    marks: Marks,
    colour: bool,
    mode: Mode,
    /// What is looked at; heights are fractions of the stack's.
    view: View,
    selected: Option<u32>,
    /// The spikes of the selected neuron.
    train: Vec<RowSpike>,
    /// What there is to say about the last key.
    message: String,
    /// Where the spikes were drawn last.
    plot: Rect,
    /// What the mouse button is held down for.
    drag: Option<Drag>,
}

/// Where the mouse is that drags, and whether it has moved.
#[derive(Clone, Copy, Debug)]
struct Drag {
    at: (u16, u16),
    moved: bool,
}

impl<'r> Viewer<'r> {
    /// A viewer that shows the first samples, or all if there are none.
    pub fn new(raster: &'r Raster, title: &str, marks: Marks, colour: bool) -> Self {
        let strips = raster.strip_count().min(FIRST_SAMPLES);
        let right = (strips - 1) as f64 * raster.pitch() + raster.span();
        Viewer {
            raster,
            title: title.to_owned(),
            marks,
            colour,
            mode: Mode::Browse,
            view: View { x: (0.0, right), y: (0.0, 1.0) },
            selected: None,
            train: Vec::new(),
            message: String::new(),
            plot: Rect::new(0, 0, 80, 20),
            drag: None,
        }
    }

    /// The range of times along the strips, and of heights as fractions of all, that is seen.
    pub fn view(&self) -> View {
        self.view
    }

    /// The row of the selected neuron.
    pub fn selected(&self) -> Option<u32> {
        self.selected
    }

    fn terminal(&self) -> Terminal<'r> {
        Terminal { raster: self.raster, marks: self.marks, selected: self.selected }
    }

    fn stack(&self) -> Stack {
        self.terminal().stack(self.plot)
    }

    /// Takes a key.
    pub fn key(&mut self, key: KeyEvent) -> Outcome {
        if key.modifiers.contains(KeyModifiers::CONTROL) && key.code == KeyCode::Char('c') {
            return Outcome::Interrupted;
        }
        self.message.clear();
        match std::mem::replace(&mut self.mode, Mode::Browse) {
            Mode::Browse => self.browse(key.code),
            Mode::Help => Outcome::Continue,
            Mode::Sample(text) => {
                match typed(text, key.code) {
                    Typed::More(text) => self.mode = Mode::Sample(text),
                    Typed::Done(text) => self.go_to_sample(&text),
                    Typed::Left => {}
                }
                Outcome::Continue
            }
            Mode::Neuron(text) => {
                match typed(text, key.code) {
                    Typed::More(text) => self.mode = Mode::Neuron(text),
                    Typed::Done(text) => self.go_to_neuron(&text),
                    Typed::Left => {}
                }
                Outcome::Continue
            }
        }
    }

    fn browse(&mut self, key: KeyCode) -> Outcome {
        match key {
            KeyCode::Char('q') => return Outcome::Quit,
            KeyCode::Esc if self.selected.is_none() => return Outcome::Quit,
            KeyCode::Esc => self.select(None),
            KeyCode::Left | KeyCode::Char('h') => self.pan(-STEP, 0.0),
            KeyCode::Right | KeyCode::Char('l') => self.pan(STEP, 0.0),
            KeyCode::Up | KeyCode::Char('k') => self.up(1),
            KeyCode::Down | KeyCode::Char('j') => self.up(-1),
            KeyCode::Char('+' | '=') => self.zoom_time(1.0 / ZOOM, 0.5),
            KeyCode::Char('-' | '_') => self.zoom_time(ZOOM, 0.5),
            KeyCode::Char('>') => self.zoom_neurons(1.0 / ZOOM, 0.5),
            KeyCode::Char('<') => self.zoom_neurons(ZOOM, 0.5),
            KeyCode::Char(']') | KeyCode::PageDown => self.step_sample(1),
            KeyCode::Char('[') | KeyCode::PageUp => self.step_sample(-1),
            KeyCode::Home => self.pan(f64::NEG_INFINITY, 0.0),
            KeyCode::End => self.pan(f64::INFINITY, 0.0),
            KeyCode::Char('0' | 'w') => self.show_all(),
            KeyCode::Char('s') if self.raster.samples.is_empty() => {
                self.message = "this trace has no samples".to_owned();
            }
            KeyCode::Char('s') => self.mode = Mode::Sample(String::new()),
            KeyCode::Char('n') => self.mode = Mode::Neuron(String::new()),
            KeyCode::Char('?') => self.mode = Mode::Help,
            _ => self.message = "? lists the keys".to_owned(),
        }
        Outcome::Continue
    }

    /// Takes what the mouse did: the wheel zooms where it points (with a key held, neurons), dragging
    /// pans, a click selects.
    pub fn mouse(&mut self, event: MouseEvent) {
        let at = (event.column, event.row);
        let inside = self.plot.contains(at.into());
        let zooms_neurons = event
            .modifiers
            .intersects(KeyModifiers::CONTROL | KeyModifiers::SHIFT | KeyModifiers::ALT);
        match event.kind {
            MouseEventKind::ScrollUp | MouseEventKind::ScrollDown if inside => {
                let up = event.kind == MouseEventKind::ScrollUp;
                let factor = if up { 1.0 / ZOOM } else { ZOOM };
                let (x, y) = self.fraction(at);
                if zooms_neurons { self.zoom_neurons(factor, y) } else { self.zoom_time(factor, x) }
            }
            MouseEventKind::Down(MouseButton::Left) if inside => {
                self.drag = Some(Drag { at, moved: false });
            }
            MouseEventKind::Drag(MouseButton::Left) => {
                if let Some(drag) = self.drag.filter(|drag| drag.at != at) {
                    let cells = |from: u16, to: u16| f64::from(from) - f64::from(to);
                    self.pan(
                        cells(drag.at.0, at.0) / f64::from(self.plot.width),
                        -cells(drag.at.1, at.1) / f64::from(self.plot.height),
                    );
                    self.drag = Some(Drag { at, moved: true });
                }
            }
            MouseEventKind::Up(MouseButton::Left)
                if self.drag.take().is_some_and(|drag| !drag.moved) =>
            {
                let (low, high) = self.view.y;
                let y = low + self.fraction(at).1 * (high - low);
                self.select(self.row_at(y));
            }
            _ => {}
        }
    }

    /// Where the middle of a cell is in the view, from the left and from below.
    fn fraction(&self, (x, y): (u16, u16)) -> (f64, f64) {
        let across = f64::from(x.saturating_sub(self.plot.x)) + 0.5;
        let down = f64::from(y.saturating_sub(self.plot.y)) + 0.5;
        (across / f64::from(self.plot.width), 1.0 - down / f64::from(self.plot.height))
    }
}

/// What became of a line that is typed.
enum Typed {
    More(String),
    Done(String),
    Left,
}

fn typed(mut text: String, key: KeyCode) -> Typed {
    match key {
        KeyCode::Enter => return Typed::Done(text),
        KeyCode::Esc => return Typed::Left,
        KeyCode::Backspace if text.is_empty() => return Typed::Left,
        KeyCode::Backspace => drop(text.pop()),
        KeyCode::Char(letter) if text.len() < 60 => text.push(letter),
        _ => {}
    }
    Typed::More(text)
}
