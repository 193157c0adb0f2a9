//! The terminal around the viewer of rasters, which is left as it was found whatever happens.

use std::io::{self, IsTerminal};
use std::process::ExitCode;
use std::sync::Arc;
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

/// Whether there is a terminal to show the viewer on.
pub(super) fn check_terminal() -> Result<(), &'static str> {
    let refusal = "--interactive needs a terminal, and standard output is none; leave it out to print \
        the raster, or write a picture with --svg or --png";
    io::stdout().is_terminal().then_some(()).ok_or(refusal)
}

/// Shows a viewer until its user leaves.
pub(super) fn show(mut viewer: Viewer<'_>) -> ExitCode {
    let signalled = heed_signals();
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let _ = execute!(io::stdout(), DisableMouseCapture);
        before(panic);
    }));
    let mut screen = match Screen::open() {
        Ok(screen) => screen,
        Err(error) => return bad_input(&format!("--interactive: {error}")),
    };
    let shown = run(&mut screen.terminal, &mut viewer, &signalled);
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

/// A flag that signals from elsewhere set: in raw mode Ctrl-C is a key. Those that cannot be heeded end
/// the program at once, which only leaves the terminal untidy.
fn heed_signals() -> Arc<AtomicBool> {
    let signalled = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&signalled);
    let _ = ctrlc::set_handler(move || flag.store(true, Ordering::Relaxed));
    #[cfg(unix)]
    for signal in [signal_hook::consts::SIGTERM, signal_hook::consts::SIGHUP] {
        let _ = signal_hook::flag::register(signal, Arc::clone(&signalled));
    }
    signalled
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

fn run(
    terminal: &mut DefaultTerminal,
    viewer: &mut Viewer<'_>,
    signalled: &AtomicBool,
) -> io::Result<Outcome> {
    loop {
        terminal.draw(|frame| viewer.draw(frame))?;
        while !event::poll(GLANCE)? {
            if signalled.load(Ordering::Relaxed) {
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
