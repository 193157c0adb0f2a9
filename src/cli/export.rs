//! `firstspike export`: a network for other tools, or its synapses as an edge list or SONATA edges.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;

use super::exit::failure;
use super::{bad_input, console};
use crate::run::{EdgeExport, Export, RunError};

#[derive(Debug, Args)]
pub(super) struct ExportArguments {
    /// The folder of a run, as `firstspike run` wrote it; with `--edges` also a scenario of populations.
    run: PathBuf,
    /// Write the synapses only: as a table (.csv, .csv.gz), or as SONATA edges (.h5, .hdf5) with files of nodes and types beside
    /// them.
    #[arg(long, value_name = "FILE", conflicts_with = "out")]
    edges: Option<PathBuf>,
    /// Folder for the files [default: the run's, with `_export` behind its name].
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

pub(super) fn run(arguments: &ExportArguments) -> ExitCode {
    if let Some(edges) = &arguments.edges {
        return match EdgeExport::of(&arguments.run) {
            Ok(export) => written(export.write(edges)),
            Err(error) => bad_input(&error),
        };
    }
    let export = match Export::of_run(&arguments.run) {
        Ok(export) => export,
        Err(error) => return bad_input(&error),
    };
    let out = arguments.out.clone().unwrap_or_else(|| beside(&arguments.run));
    written(export.write(&out))
}

/// Names the files that were written.
fn written(files: Result<Vec<PathBuf>, RunError>) -> ExitCode {
    match files {
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
