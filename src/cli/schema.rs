//! `firstspike schema`: what can stand in a file, for editors and as a page.

use std::process::ExitCode;

use clap::{Args, ValueEnum};

use super::console;
use crate::reference::FileKind;

#[derive(Debug, Args)]
pub(super) struct SchemaArguments {
    /// The kind of file.
    kind: Kind,
    /// Print the reference of its keys (Markdown) instead.
    #[arg(long)]
    markdown: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Kind {
    Scenario,
    Chip,
    Study,
}

pub(super) fn run(arguments: &SchemaArguments) -> ExitCode {
    let kind = match arguments.kind {
        Kind::Scenario => FileKind::Scenario,
        Kind::Chip => FileKind::Chip,
        Kind::Study => FileKind::Study,
    };
    let text = if arguments.markdown { kind.page() } else { kind.schema_file() };
    console::out!("{}", text.trim_end());
    ExitCode::SUCCESS
}
