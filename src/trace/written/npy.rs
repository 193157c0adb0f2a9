//! Spikes as two NPY files.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use npyz::{AutoSerialize, WriteOptions, WriterBuilder};

use super::Output;
use crate::trace::recording::Recording;

/// Times as doubles, or as numbers of samples (64 bits) where there is a rate; neurons with 32 bits.
pub(super) fn write(recording: &Recording, output: Output<'_>) -> io::Result<()> {
    let times = recording.times.iter();
    match output.sampling_rate {
        None => array(output.path, recording.len(), times.copied())?,
        Some(rate) => {
            array(output.path, recording.len(), times.map(|&time| (time * rate).round() as i64))?;
        }
    }
    array(output.neurons, recording.len(), recording.neurons.iter().copied())
}

fn array<T: AutoSerialize>(
    path: &Path,
    length: usize,
    values: impl Iterator<Item = T>,
) -> io::Result<()> {
    let mut file = BufWriter::with_capacity(1 << 20, File::create(path)?);
    let options = WriteOptions::new().default_dtype().shape(&[length as u64]);
    let mut writer = options.writer(&mut file).begin_nd()?;
    writer.extend(values)?;
    writer.finish()?;
    file.flush()
}
