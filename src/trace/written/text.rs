//! Spikes as rows of text.

use std::fs::File;
use std::io::{self, BufWriter, Write};

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::trace::TraceWriter;
use crate::trace::recording::Recording;

/// Bytes that are written at once.
const BUFFER: usize = 1 << 20;

/// `sample,population,neuron,time_<unit>`, or `time` where the unit is not known.
pub(super) fn csv(recording: &Recording, file: File, packed: bool) -> io::Result<()> {
    packed_or_not(file, packed, |output| {
        let mut writer = match &recording.time_unit {
            Some(unit) => TraceWriter::new(output, unit)?,
            None => TraceWriter::without_unit(output)?,
        };
        for (spike, (&time, &neuron)) in recording.times.iter().zip(&recording.neurons).enumerate()
        {
            let population = &recording.populations[recording.population_of(spike)];
            writer.write(recording.sample_of(spike), population, neuron, time)?;
        }
        writer.finish()
    })
}

/// Id and time, with a tab between them.
pub(super) fn nest(
    recording: &Recording,
    file: File,
    heading: bool,
    packed: bool,
) -> io::Result<()> {
    packed_or_not(file, packed, |output| {
        let mut writer =
            csv::WriterBuilder::new().delimiter(b'\t').has_headers(false).from_writer(output);
        if heading {
            writer.write_record(["sender", "time_ms"])?;
        }
        for row in recording.neurons.iter().zip(&recording.times) {
            writer.serialize(row)?;
        }
        writer.flush()
    })
}

fn packed_or_not(
    file: File,
    packed: bool,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    let mut output = BufWriter::with_capacity(BUFFER, file);
    if packed {
        let mut packer = GzEncoder::new(&mut output, Compression::default());
        write(&mut packer)?;
        packer.finish()?;
    } else {
        write(&mut output)?;
    }
    output.flush()
}
