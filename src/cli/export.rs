//! `firstspike export`: a network for other tools.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;

use super::exit::failure;
use super::{bad_input, console};
use crate::run::Export;

#[derive(Debug, Args)]
pub(super) struct ExportArguments {
    /// The folder of a run, as `firstspike run` wrote it.
    run: PathBuf,
    /// Folder for the files [default: the run's, with `_export` behind its name].
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

pub(super) fn run(arguments: &ExportArguments) -> ExitCode {
    let export = match Export::of_run(&arguments.run) {
        Ok(export) => export,
        Err(error) => return bad_input(&error),
    };
    let out = arguments.out.clone().unwrap_or_else(|| beside(&arguments.run));
    match export.write(&out) {
        Ok(files) => {
            for file in files {
                console::out!("{}", file.display());
            }
            ExitCode::SUCCESS
        }
        Err(error) => failure(&error),
    }
}

/// `traces/iris_export` for `traces/iris`.
fn beside(run: &Path) -> PathBuf {
    let name = run.file_name().unwrap_or_default().to_string_lossy();
    run.with_file_name(format!("{name}_export"))
}
