//! The help says what scripts rely on.

use crate::common;

use common::binary::{project, subcommands, successful};

#[test]
fn every_exit_code_is_documented() {
    let help = successful(project(), &["--help"]).stdout;
    for line in
        ["  0    everything", "  1    ", "  2    bad input", "  3    ", "  130  interrupted"]
    {
        assert!(help.lines().any(|found| found.starts_with(line)), "{line}: {help}");
    }
}

#[test]
fn help_fits_a_terminal_of_80_columns() {
    let mut commands: Vec<Vec<String>> = vec![Vec::new()];
    let mut index = 0;
    while index < commands.len() {
        let parent = commands[index].clone();
        let words: Vec<&str> = parent.iter().map(String::as_str).collect();
        for name in subcommands(&words) {
            commands.push([parent.clone(), vec![name]].concat());
        }
        index += 1;
    }
    assert!(commands.len() >= 20, "{commands:?}");
    for command in commands {
        let mut arguments: Vec<&str> = command.iter().map(String::as_str).collect();
        arguments.push("--help");
        for line in successful(project(), &arguments).stdout.lines() {
            assert!(line.chars().count() <= 80, "{command:?}: {line}");
        }
    }
}
