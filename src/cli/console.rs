//! Lines on the terminal, which may go away: a closed pipe (`firstspike run … | head -1`) must not
//! end a run.

/// Prints a line to standard output, if anybody still listens.
macro_rules! out {
    ($($argument:tt)*) => {{
        use std::io::Write as _;
        let _ = writeln!(std::io::stdout(), $($argument)*);
    }};
}

/// Prints a line to standard error, if anybody still listens.
macro_rules! err {
    ($($argument:tt)*) => {{
        use std::io::Write as _;
        let _ = writeln!(std::io::stderr(), $($argument)*);
    }};
}

pub(super) use {err, out};
