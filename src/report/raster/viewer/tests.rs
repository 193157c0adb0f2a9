//! What keys and the mouse do to the view, and what the screen shows.

use ratatui::backend::TestBackend;
use ratatui::crossterm::event::KeyEventKind;
use ratatui::style::Color;

use super::super::Selection;
use super::*;
use crate::trace::recording::Recording;

/// Ten samples from 0 to 10 ms; neuron `n` of either population spikes at `n` and at `n + 0.5`.
fn raster() -> Raster {
    let mut recording = Recording {
        time_unit: Some("ms".to_owned()),
        populations: ["input", "hidden"].map(str::to_owned).to_vec(),
        ..Recording::default()
    };
    for sample in 0..10 {
        for population in 0..2 {
            for neuron in 0..10 {
                for part in [0.0, 0.5] {
                    recording.times.push(f64::from(neuron) + part);
                    recording.neurons.push(neuron);
                    recording.population.push(population);
                    recording.samples.push(sample);
                }
            }
        }
    }
    let window = "0:10".parse().expect("a window");
    Raster::new(&recording, &Selection { window, ..Selection::default() }).expect("all of it")
}

fn viewer(raster: &Raster) -> Viewer<'_> {
    let mut viewer = Viewer::new(raster, "trace.csv", Marks::Braille, true);
    screen(&mut viewer, 100, 30);
    viewer
}

fn press(viewer: &mut Viewer<'_>, keys: &str) -> Outcome {
    let mut outcome = Outcome::Continue;
    for letter in keys.chars() {
        let code = match letter {
            '\n' => KeyCode::Enter,
            '\x1b' => KeyCode::Esc,
            letter => KeyCode::Char(letter),
        };
        outcome = viewer.key(KeyEvent::new(code, KeyModifiers::NONE));
    }
    outcome
}

/// Draws on a terminal of this size and returns its lines.
fn screen(viewer: &mut Viewer<'_>, width: u16, height: u16) -> Vec<String> {
    let mut terminal = ratatui::Terminal::new(TestBackend::new(width, height)).expect("a terminal");
    terminal.draw(|frame| viewer.draw(frame)).expect("drawn");
    let buffer = terminal.backend().buffer();
    let line = |y| (0..width).map(|x| buffer[(x, y)].symbol()).collect::<String>();
    (0..height).map(line).collect()
}

fn close(one: (f64, f64), other: (f64, f64)) -> bool {
    (one.0 - other.0).abs() < 1e-9 && (one.1 - other.1).abs() < 1e-9
}

#[test]
fn keys_move_within_the_raster_and_never_out_of_it() {
    let raster = raster();
    let mut viewer = viewer(&raster);
    let end = 9.0 * raster.pitch() + 10.0;
    let four = 3.0 * raster.pitch() + 10.0;
    assert!(close(viewer.view().x, (0.0, four)));
    press(&mut viewer, "h");
    assert!(close(viewer.view().x, (0.0, four)), "there is nothing before the beginning");
    press(&mut viewer, "l");
    assert!(close(viewer.view().x, (0.1 * four, 1.1 * four)));
    press(&mut viewer, "-----------");
    assert!(close(viewer.view().x, (0.0, end)), "no wider than everything");
    press(&mut viewer, "+");
    assert!(close(viewer.view().x, (end / 6.0, 5.0 * end / 6.0)), "the middle stays");
    viewer.key(KeyEvent::new(KeyCode::End, KeyModifiers::NONE));
    assert!(close(viewer.view().x, (end / 3.0, end)));
    press(&mut viewer, "k");
    assert!(close(viewer.view().y, (0.0, 1.0)), "all neurons are seen already");
    press(&mut viewer, ">k");
    let (low, high) = viewer.view().y;
    assert!((high - low - 1.0 / 1.5).abs() < 1e-9 && low > 1.0 / 6.0);
    press(&mut viewer, &"+".repeat(200));
    assert!(viewer.view().x.1 > viewer.view().x.0, "the narrowest view is not empty");
    screen(&mut viewer, 100, 30);
    press(&mut viewer, "0");
    assert!(close(viewer.view().x, (0.0, end)) && close(viewer.view().y, (0.0, 1.0)));
}

#[test]
fn samples_are_reached_by_number_and_one_by_one() {
    let raster = raster();
    let mut viewer = viewer(&raster);
    let length = 3.0 * raster.pitch() + 10.0;
    press(&mut viewer, "s5\n");
    let left = 5.0 * raster.pitch();
    assert!(close(viewer.view().x, (left, left + length)));
    press(&mut viewer, "]");
    assert!(close(viewer.view().x, (left + raster.pitch(), left + raster.pitch() + length)));
    press(&mut viewer, "[[");
    assert!(close(viewer.view().x, (left - raster.pitch(), left - raster.pitch() + length)));
    let before = viewer.view();
    press(&mut viewer, "s99\n");
    assert_eq!(viewer.view(), before);
    let lines = screen(&mut viewer, 100, 30);
    assert!(lines[29].starts_with("there is no sample `99`; there are 10 from 0 to 9"));
    press(&mut viewer, "s5\x1b");
    assert_eq!(viewer.view(), before, "Escape leaves things as they are");
}

#[test]
fn a_view_of_a_part_of_a_sample_goes_to_the_same_part_of_the_next() {
    let raster = raster();
    let mut viewer = viewer(&raster);
    press(&mut viewer, "s0\n++++++hhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhll");
    let (left, right) = viewer.view().x;
    assert!(right - left < 10.0 && left > 0.0);
    press(&mut viewer, "]");
    assert!(close(viewer.view().x, (left + raster.pitch(), right + raster.pitch())));
}

#[test]
fn a_selected_neuron_shows_its_spikes_and_intervals() {
    let raster = raster();
    let mut viewer = viewer(&raster);
    press(&mut viewer, "nhidden 7\n");
    assert_eq!(viewer.selected(), Some(17));
    let lines = screen(&mut viewer, 110, 30);
    let shown = |text: &str| lines.iter().any(|line| line.contains(text));
    assert!(shown("┌ hidden 7 ─"), "{lines:#?}");
    assert!(shown("20 spikes") && shown("mean interval 0.5"), "{lines:#?}");
    assert!(shown("      0            7           –"), "{lines:#?}");
    assert!(shown("      0          7.5         0.5"), "{lines:#?}");
    assert!(lines.iter().any(|line| line.contains("7▶")), "{lines:#?}");
    press(&mut viewer, "jj");
    assert_eq!(viewer.selected(), Some(15));
    press(&mut viewer, "nnone\n");
    assert_eq!(viewer.selected(), Some(15), "what is not there is not selected");
    press(&mut viewer, "s4\n");
    let lines = screen(&mut viewer, 110, 30);
    assert!(lines.iter().any(|line| line.contains("… 8 before")), "{lines:#?}");
    assert_eq!(press(&mut viewer, "\x1b"), Outcome::Continue);
    assert_eq!(viewer.selected(), None);
    assert_eq!(press(&mut viewer, "\x1b"), Outcome::Quit);
}

#[test]
fn a_selected_neuron_stays_in_sight() {
    let raster = raster();
    let mut viewer = viewer(&raster);
    press(&mut viewer, "n0\n>>>>");
    for _ in 0..19 {
        press(&mut viewer, "k");
        let row = viewer.selected().expect("one is selected");
        let stack = viewer.stack();
        let (low, high) = stack.row(&raster.bands, row);
        let (bottom, top) = viewer.view().y;
        assert!(bottom - 1e-9 <= low / stack.height && high / stack.height <= top + 1e-9);
    }
    assert_eq!(viewer.selected(), Some(19));
}

#[test]
fn the_wheel_zooms_where_it_points_dragging_pans_and_a_click_selects() {
    let raster = raster();
    let mut viewer = viewer(&raster);
    let plot = viewer.plot;
    let event = |kind, column, row, modifiers| MouseEvent { kind, column, row, modifiers };
    let none = KeyModifiers::NONE;
    let before = viewer.view().x;
    viewer.mouse(event(MouseEventKind::ScrollUp, plot.x, plot.y, none));
    let after = viewer.view().x;
    assert!((after.1 - after.0 - (before.1 - before.0) / 1.5).abs() < 1e-9);
    assert!(after.0 < 0.01 * before.1, "the left end stays: {after:?}");
    viewer.mouse(event(MouseEventKind::ScrollUp, plot.x, plot.y, KeyModifiers::SHIFT));
    assert!((viewer.view().y.1 - viewer.view().y.0 - 1.0 / 1.5).abs() < 1e-9);
    press(&mut viewer, "0");

    press(&mut viewer, "+");
    let before = viewer.view().x;
    let button = MouseButton::Left;
    viewer.mouse(event(MouseEventKind::Down(button), plot.x + 50, plot.y + 5, none));
    viewer.mouse(event(MouseEventKind::Drag(button), plot.x + 40, plot.y + 5, none));
    viewer.mouse(event(MouseEventKind::Up(button), plot.x + 40, plot.y + 5, none));
    let moved = 10.0 / f64::from(plot.width) * (before.1 - before.0);
    assert!(close(viewer.view().x, (before.0 + moved, before.1 + moved)));
    assert_eq!(viewer.selected(), None, "that was no click");

    let bottom = plot.bottom() - 1;
    viewer.mouse(event(MouseEventKind::Down(button), plot.x, bottom, none));
    viewer.mouse(event(MouseEventKind::Up(button), plot.x, bottom, none));
    assert_eq!(viewer.selected(), Some(0));
}

#[test]
fn the_screen_shows_spikes_axes_legend_and_help() {
    let raster = raster();
    let mut viewer = viewer(&raster);
    let lines = screen(&mut viewer, 100, 30);
    assert_eq!(lines[0].trim_end(), "trace.csv: 160 of 400 spikes in view");
    for text in ["sample 0", "sample 3", "hidden", "time [ms]", "└", "┬", "■ input 200", "? help"]
    {
        assert!(lines.iter().any(|line| line.contains(text)), "{text}: {lines:#?}");
    }
    let braille = |letter: char| ('\u{2801}'..='\u{28ff}').contains(&letter);
    assert!(
        lines.iter().flat_map(|line| line.chars()).filter(|&letter| braille(letter)).count() > 50
    );
    press(&mut viewer, "?");
    assert!(screen(&mut viewer, 100, 30).iter().any(|line| line.contains("any key goes back")));
    press(&mut viewer, "x");
    assert!(!screen(&mut viewer, 100, 30).iter().any(|line| line.contains("any key goes back")));
    for (width, height) in [(1, 1), (39, 30), (100, 3), (40, 12), (300, 100)] {
        screen(&mut viewer, width, height);
    }
    assert!(screen(&mut viewer, 39, 11)[0].contains("too small"));
}

#[test]
fn without_colour_there_is_none() {
    let raster = raster();
    let mut viewer = Viewer::new(&raster, "trace.csv", Marks::Braille, false);
    let mut terminal = ratatui::Terminal::new(TestBackend::new(80, 24)).expect("a terminal");
    terminal.draw(|frame| viewer.draw(frame)).expect("drawn");
    let cells = &terminal.backend().buffer().content;
    assert!(cells.iter().all(|cell| cell.fg == Color::Reset));
}

#[test]
fn q_leaves_and_control_c_interrupts() {
    let raster = raster();
    let mut viewer = viewer(&raster);
    assert_eq!(press(&mut viewer, "q"), Outcome::Quit);
    press(&mut viewer, "s");
    let key =
        KeyEvent::new_with_kind(KeyCode::Char('c'), KeyModifiers::CONTROL, KeyEventKind::Press);
    assert_eq!(viewer.key(key), Outcome::Interrupted);
}
