//! Traces as files of every format, from columns in memory; nothing else of their size is.

#[cfg(feature = "hdf5")]
mod hdf5;
mod npy;
mod text;

use std::fs::File;
use std::io;
use std::path::Path;

use super::conversion::Converted;
use super::format::TraceFormat;

/// Where the files of a trace go, and how they look.
#[derive(Clone, Copy, Debug)]
pub struct Output<'p> {
    /// The file; that of the times, if there are two.
    pub path: &'p Path,
    /// The file of the neurons, in the format `npy`.
    pub neurons: &'p Path,
    /// Whether text has a heading, in the format `nest`.
    pub heading: bool,
    /// Whether text is packed with gzip.
    pub packed: bool,
    /// Samples in a second, if times are written as their numbers.
    pub sampling_rate: Option<f64>,
}

/// Writes a trace.
///
/// # Errors
/// If a file cannot be written, or the program is built without HDF5 and the format needs it.
pub fn write(trace: &Converted, format: TraceFormat, output: Output<'_>) -> io::Result<()> {
    match format {
        TraceFormat::Csv => text::csv(&trace.recording, File::create(output.path)?, output.packed),
        TraceFormat::Nest => {
            text::nest(&trace.recording, File::create(output.path)?, output.heading, output.packed)
        }
        TraceFormat::Npy => npy::write(&trace.recording, output),
        #[cfg(feature = "hdf5")]
        TraceFormat::Sonata => hdf5::sonata(&trace.recording, output.path),
        #[cfg(feature = "hdf5")]
        TraceFormat::NirData => hdf5::nir_data(trace, output.path),
        _ => Err(io::Error::new(io::ErrorKind::Unsupported, format!("{format} is not written"))),
    }
}
