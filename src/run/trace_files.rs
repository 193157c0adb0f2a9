//! The files of a trace in any format, which appear whole or not at all.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::RunError;
use crate::table::{check_replaceable, partial};
use crate::trace::conversion::Converted;
use crate::trace::format::{IdRanges, TraceFormat, companion_to_write};
use crate::trace::written::{Output, write};

/// Writes a trace; returns the files: times and neurons are two in the format `npy`, and ids are a table
/// beside the file. `.gdf` has no heading, and a name that ends with `.gz` is packed.
///
/// # Errors
/// If a file cannot be written; all are then as they were before.
pub fn write_trace(
    trace: &Converted,
    format: TraceFormat,
    path: &Path,
    sampling_rate: Option<f64>,
) -> Result<Vec<PathBuf>, RunError> {
    let failed = |source| RunError::Output { path: path.to_owned(), source };
    let name = path.to_string_lossy().to_ascii_lowercase();
    let unpacked = name.strip_suffix(".gz");
    let (has_heading, packed) = (!unpacked.unwrap_or(&name).ends_with(".gdf"), unpacked.is_some());
    let neurons = companion_to_write(path);
    let table = IdRanges::beside(path);
    let is_pair = format == TraceFormat::Npy;
    let mut files = vec![path.to_owned()];
    files.extend(is_pair.then(|| neurons.clone()));
    files.extend(trace.ids.as_ref().map(|_| table.clone()));
    let whole = || -> io::Result<()> {
        files.iter().try_for_each(|file| check_replaceable(file))?;
        if trace.ids.is_none() && table.exists() && IdRanges::read(&table).is_err() {
            let message = format!(
                "{} would be taken for the ids of this trace, and is none of firstspike's: move it",
                table.display()
            );
            return Err(io::Error::new(io::ErrorKind::AlreadyExists, message));
        }
        let output = Output {
            path: &partial(path),
            neurons: &partial(&neurons),
            heading: has_heading,
            packed,
            sampling_rate,
        };
        write(trace, format, output)?;
        if let Some(ids) = &trace.ids {
            fs::write(partial(&table), ids.to_csv())?;
        }
        files.iter().try_for_each(|file| fs::rename(partial(file), file))
    };
    whole().map_err(|source| {
        // The write has failed already; a leftover is no second failure.
        files.iter().for_each(|file| drop(fs::remove_file(partial(file))));
        failed(source)
    })?;
    // Ids of another trace that was there would be taken for those of this one.
    if trace.ids.is_none() && table.is_file() {
        fs::remove_file(&table).map_err(|source| RunError::Output { path: table, source })?;
    }
    Ok(files)
}
