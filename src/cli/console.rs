//! Lines on the terminal, which may go away: a closed pipe (`firstspike run … | head -1`) must not
//! end a run, but the exit code tells that not everything was printed. What comes from files and programs
//! must not steer the terminal either: control characters are printed as what they are, `\u{1b}` for an
//! escape. Lines are broken between words where the terminal ends; what goes to a file or a pipe is not.

use std::borrow::Cow;
use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::Mutex;

use super::exit::NO_OUTPUT;

/// Prints a line to standard output, if anybody still listens.
macro_rules! out {
    ($($argument:tt)*) => {
        crate::cli::console::print(&format!($($argument)*))
    };
}

/// Prints a line to standard error, if anybody still listens.
macro_rules! err {
    ($($argument:tt)*) => {{
        crate::cli::console::print_error(&format!($($argument)*))
    }};
}

pub(super) use {err, out};

/// The first error of standard output.
static FAILED: Mutex<Option<io::Error>> = Mutex::new(None);

/// Prints a line to standard output.
pub(super) fn print(line: &str) {
    let text = fitted(plain(line), width(&::console::Term::stdout()));
    keep_error(writeln!(io::stdout(), "{text}"));
}

/// Prints a line to standard error.
pub(super) fn print_error(line: &str) {
    let text = fitted(plain(line), width(&::console::Term::stderr()));
    // Who does not listen misses a message, but no result.
    let _ = writeln!(io::stderr(), "{text}");
}

/// Columns of a terminal; none if there is none.
fn width(terminal: &::console::Term) -> Option<usize> {
    terminal.size_checked().map(|(_, width)| usize::from(width)).filter(|&width| width >= 40)
}

/// A text whose lines are no longer than so many letters, as far as it has blanks. What goes on in the next
/// line begins below the first word, or below the second column where there are columns.
fn fitted(text: Cow<'_, str>, width: Option<usize>) -> Cow<'_, str> {
    let Some(width) = width.filter(|&width| text.lines().any(|line| line.chars().count() > width))
    else {
        return text;
    };
    let lines: Vec<String> = text.lines().map(|line| broken(line, width)).collect();
    lines.join("\n").into()
}

fn broken(line: &str, width: usize) -> String {
    let letters: Vec<char> = line.chars().collect();
    let words = letters.iter().take_while(|letter| **letter == ' ').count();
    let gap = letters.windows(2).skip(words).take(width / 2).position(|pair| pair == [' ', ' ']);
    let column = gap.map(|gap| {
        let start = words + gap;
        start + letters[start..].iter().take_while(|letter| **letter == ' ').count()
    });
    let indent = column.filter(|&column| column < width / 2).unwrap_or(words + 2);
    let (mut text, mut rest) = (String::new(), &letters[..]);
    let mut room = width;
    while rest.len() > room {
        let end = (1..=room).rev().find(|&end| rest[end] == ' ' && rest[end - 1] != ' ');
        // The indentation is no word.
        let Some(end) = end.filter(|&end| rest[..end].iter().any(|letter| *letter != ' ')) else {
            break;
        };
        text.extend(&rest[..end]);
        text.push('\n');
        text.extend(std::iter::repeat_n(' ', indent));
        rest = &rest[end + 1..];
        room = width - indent;
    }
    text.extend(rest);
    text
}

/// Prints to standard output what may steer the terminal: it is ours.
pub(super) fn print_raw(text: &str) {
    keep_error(io::stdout().write_all(text.as_bytes()));
}

/// Remembers that something could not be printed.
pub(super) fn keep_error(printed: io::Result<()>) {
    if let Err(error) = printed
        && let Ok(mut failed) = FAILED.lock()
    {
        failed.get_or_insert(error);
    }
}

/// The exit code of a command whose own is given: not 0 if something could not be printed.
pub(super) fn finish(code: ExitCode) -> ExitCode {
    keep_error(io::stdout().flush());
    let failed = FAILED.lock().ok().and_then(|mut failed| failed.take());
    match failed {
        Some(error) if code == ExitCode::SUCCESS => {
            // Who closed a pipe knows.
            if error.kind() != io::ErrorKind::BrokenPipe {
                err!("error: cannot write to standard output: {error}");
            }
            ExitCode::from(NO_OUTPUT)
        }
        _ => code,
    }
}

/// The text without control characters, but for line feeds and tabs.
pub(super) fn plain(text: &str) -> Cow<'_, str> {
    let steers = |letter: char| letter.is_control() && !matches!(letter, '\n' | '\t');
    if !text.contains(steers) {
        return text.into();
    }
    let mut plain = String::with_capacity(text.len() + 16);
    for letter in text.chars() {
        if steers(letter) {
            plain.extend(letter.escape_debug());
        } else {
            plain.push(letter);
        }
    }
    plain.into()
}

#[cfg(test)]
mod tests {
    use super::{fitted, plain};

    #[test]
    fn lines_are_broken_between_words_where_the_terminal_ends() {
        let fit = |text: &str| fitted(text.into(), Some(40)).into_owned();
        assert_eq!(fit("short\nlines"), "short\nlines");
        assert_eq!(
            fit("error: the quick brown fox jumps over the lazy dog and is gone"),
            "error: the quick brown fox jumps over\n  the lazy dog and is gone"
        );
        assert_eq!(
            fit("engine     event (21 times slower than feed_forward): asked"),
            "engine     event (21 times slower than\n           feed_forward): asked"
        );
        // A path has no place to break at.
        let path = "/a".repeat(40);
        assert_eq!(fit(&path), path);
        assert_eq!(fit(&format!("see {path}")), format!("see\n  {path}"));
        let long = "word ".repeat(50);
        assert!(fit(long.trim_end()).lines().all(|line| line.chars().count() <= 40));
        assert_eq!(fitted(long.as_str().into(), None), long);
    }

    #[test]
    fn control_characters_are_printed_as_what_they_are() {
        assert_eq!(plain("a\tb\nµ"), "a\tb\nµ");
        assert_eq!(plain("\u{1b}[2Jx\u{9b}2J\r\u{7}"), "\\u{1b}[2Jx\\u{9b}2J\\r\\u{7}");
    }
}
