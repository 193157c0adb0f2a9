//! The terminal around the viewer of rasters, which is left as it was found whatever happens.

use std::io::{self, IsTerminal};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ratatui::DefaultTerminal;
use ratatui::crossterm::event::{
    self, DisableMouseCapture, EnableMouseCapture, Event, KeyEventKind,
};
use ratatui::crossterm::execute;

use super::{bad_input, console};
use crate::report::raster::viewer::{Outcome, Viewer};

/// How long a signal may go unnoticed.
const GLANCE: Duration = Duration::from_millis(100);

static SIGNAL: AtomicBool = AtomicBool::new(false);

/// Whether there is a terminal to show the viewer on.
pub(super) fn check_terminal() -> Result<(), &'static str> {
    let refusal = "--interactive needs a terminal, and standard output is none; leave it out to print \
        the raster, or write a picture with --svg or --png";
    io::stdout().is_terminal().then_some(()).ok_or(refusal)
}

/// Shows a viewer until its user leaves.
pub(super) fn show(mut viewer: Viewer<'_>) -> ExitCode {
    // In raw mode Ctrl-C is a key; this is for signals from elsewhere. Without it they end the program
    // at once, which only leaves the terminal untidy.
    let _ = ctrlc::set_handler(|| SIGNAL.store(true, Ordering::Relaxed));
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let _ = execute!(io::stdout(), DisableMouseCapture);
        before(panic);
    }));
    let mut screen = match Screen::open() {
        Ok(screen) => screen,
        Err(error) => return bad_input(&format!("--interactive: {error}")),
    };
    let shown = run(&mut screen.terminal, &mut viewer);
    drop(screen);
    match shown {
        Ok(Outcome::Interrupted) => ExitCode::from(130),
        Ok(_) => ExitCode::SUCCESS,
        Err(error) => {
            console::err!("error: the terminal: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The terminal, which is restored when this goes away.
struct Screen {
    terminal: DefaultTerminal,
}

impl Screen {
    fn open() -> io::Result<Self> {
        let screen = Screen { terminal: ratatui::try_init()? };
        execute!(io::stdout(), EnableMouseCapture)?;
        Ok(screen)
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        let _ = execute!(io::stdout(), DisableMouseCapture);
        ratatui::restore();
    }
}

fn run(terminal: &mut DefaultTerminal, viewer: &mut Viewer<'_>) -> io::Result<Outcome> {
    loop {
        terminal.draw(|frame| viewer.draw(frame))?;
        while !event::poll(GLANCE)? {
            if SIGNAL.load(Ordering::Relaxed) {
                return Ok(Outcome::Interrupted);
            }
        }
        // All that has come in the meantime at once: a held key or a wheel never lags behind.
        while event::poll(Duration::ZERO)? {
            let outcome = match event::read()? {
                Event::Key(key) if key.kind != KeyEventKind::Release => viewer.key(key),
                Event::Mouse(mouse) => {
                    viewer.mouse(mouse);
                    Outcome::Continue
                }
                _ => Outcome::Continue,
            };
            if outcome != Outcome::Continue {
                return Ok(outcome);
            }
        }
    }
}
