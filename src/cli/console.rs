//! Lines on the terminal, which may go away: a closed pipe (`firstspike run … | head -1`) must not
//! end a run. What comes from files and programs must not steer the terminal either: control characters are
//! printed as what they are, `\u{1b}` for an escape.

use std::borrow::Cow;

/// Prints a line to standard output, if anybody still listens.
macro_rules! out {
    ($($argument:tt)*) => {{
        use std::io::Write as _;
        let line = format!($($argument)*);
        let _ = writeln!(std::io::stdout(), "{}", crate::cli::console::plain(&line));
    }};
}

/// Prints a line to standard error, if anybody still listens.
macro_rules! err {
    ($($argument:tt)*) => {{
        use std::io::Write as _;
        let line = format!($($argument)*);
        let _ = writeln!(std::io::stderr(), "{}", crate::cli::console::plain(&line));
    }};
}

pub(super) use {err, out};

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
    use super::plain;

    #[test]
    fn control_characters_are_printed_as_what_they_are() {
        assert_eq!(plain("a\tb\nµ"), "a\tb\nµ");
        assert_eq!(plain("\u{1b}[2Jx\u{9b}2J\r\u{7}"), "\\u{1b}[2Jx\\u{9b}2J\\r\\u{7}");
    }
}
