//! The help is complete and fits on a terminal of 80 columns.

use crate::common;

use common::binary::{project, successful};

const COMMANDS: [&str; 17] = [
    "",
    "run",
    "check",
    "learn",
    "membranes",
    "reproduce",
    "raster",
    "study",
    "study merge",
    "study report",
    "stats",
    "diff",
    "data",
    "data fetch",
    "data list",
    "data verify",
    "help",
];

#[test]
fn no_line_of_the_help_is_wider_than_a_terminal() {
    for command in COMMANDS {
        let words = command.split_whitespace().chain(["--help"]).collect::<Vec<_>>();
        let arguments = if command == "help" { vec!["help", "help"] } else { words };
        let help = successful(project(), &arguments).stdout;
        let wide: Vec<&str> = help.lines().filter(|line| line.chars().count() > 80).collect();
        assert!(wide.is_empty(), "{command}: {wide:#?}");
        // An example that was broken would go on at the left.
        let lines: Vec<&str> = help.lines().chain([""]).collect();
        for pair in lines.windows(2).filter(|pair| pair[0].starts_with("  firstspike ")) {
            let next = pair[1].trim();
            assert!(next.is_empty() || pair[1].starts_with("  firstspike "), "{command}: {pair:?}");
        }
    }
}

#[test]
fn every_exit_code_is_documented() {
    let help = successful(project(), &["--help"]).stdout;
    for line in
        ["  0    everything", "  1    ", "  2    bad input", "  3    ", "  130  interrupted"]
    {
        assert!(help.lines().any(|found| found.starts_with(line)), "{line}: {help}");
    }
}
