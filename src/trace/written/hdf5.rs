//! Spikes as HDF5: SONATA and NIRData.

use std::io;
use std::path::Path;

use hdf5_pure::{AttrValue, File, FileAccessProperties, FileBuilder, MaxExtent, SyncPolicy};

use crate::trace::conversion::Converted;
use crate::trace::recording::Recording;

/// Values of a piece of a dataset. Its number has two bytes: the library writes four for one that needs three,
/// and HDF5 2 refuses that.
const CHUNK: usize = 1 << 15;

/// The number that marks a file of SONATA, and its version.
const MAGIC: u32 = 0x0A7A;
const VERSION: [u32; 2] = [0, 1];

/// Cells of NIRData's padded rows, at most.
const LARGEST: u64 = 1 << 31;

/// Writes `/spikes/<population>/timestamps`, in ms, and `node_ids`, in the order of the recording. How they are
/// sorted is not said: the attribute `sorting` is an enumeration, which the library cannot write as one.
pub(super) fn sonata(recording: &Recording, path: &Path) -> io::Result<()> {
    let mut builder = FileBuilder::new();
    builder.set_attr("magic", AttrValue::U32(MAGIC));
    builder.set_attr("version", AttrValue::U32Array(VERSION.to_vec()));
    let mut spikes = builder.create_group("spikes");
    for name in &recording.populations {
        let mut group = spikes.create_group(name);
        for (column, is_time) in [("timestamps", true), ("node_ids", false)] {
            let dataset = group.create_dataset(column);
            if is_time {
                dataset
                    .with_f64_data(&[])
                    .set_attr("units", AttrValue::VarLenString("milliseconds".into()));
            } else {
                dataset.with_u64_data(&[]);
            }
            dataset
                .with_shape(&[0])
                .with_maxshape(&[MaxExtent::Unlimited])
                .with_chunks(&[CHUNK as u64]);
        }
        spikes.add_group(group.finish());
    }
    builder.add_group(spikes.finish());
    builder.write(path).map_err(failed)?;

    let access = FileAccessProperties::new().with_sync_policy(SyncPolicy::OnClose);
    let file = File::open_rw_with_options(path, access).map_err(failed)?;
    for (population, name) in recording.populations.iter().enumerate() {
        let of_population =
            || (0..recording.len()).filter(|&spike| recording.population_of(spike) == population);
        let open = |column| file.dataset(&format!("spikes/{name}/{column}")).map_err(failed);
        let mut dataset = open("timestamps")?;
        in_pieces(of_population().map(|spike| recording.times[spike]), |piece: &[f64]| {
            dataset.append(piece).map_err(failed)
        })?;
        let mut dataset = open("node_ids")?;
        let nodes = of_population().map(|spike| u64::from(recording.neurons[spike]));
        in_pieces(nodes, |piece: &[u64]| dataset.append(piece).map_err(failed))?;
    }
    file.close().map_err(failed)
}

fn in_pieces<T: Copy>(
    values: impl Iterator<Item = T>,
    mut write: impl FnMut(&[T]) -> io::Result<()>,
) -> io::Result<()> {
    let mut piece = Vec::with_capacity(CHUNK);
    for value in values {
        piece.push(value);
        if piece.len() == CHUNK {
            write(&piece)?;
            piece.clear();
        }
    }
    if piece.is_empty() { Ok(()) } else { write(&piece) }
}

/// Writes an observable `spikes` for each population: rows of events by sample, sorted by time and padded with -1
/// and infinity.
pub(super) fn nir_data(trace: &Converted, path: &Path) -> io::Result<()> {
    let recording = &trace.recording;
    let text = |value: &str| AttrValue::VarLenString(value.to_owned());
    let samples = recording.samples.iter().max().map_or(1, |&last| u64::from(last) + 1);
    let last = recording.times.iter().copied().fold(0.0, f64::max);
    let mut order: Vec<u32> = (0..recording.len() as u32).collect();
    order.sort_by(|&a, &b| recording.times[a as usize].total_cmp(&recording.times[b as usize]));
    let mut builder = FileBuilder::new();
    builder.set_attr("__type__", text("NIRGraphData"));
    builder.set_attr("time_unit", text(recording.time_unit.as_deref().unwrap_or("s")));
    let mut nodes = builder.create_group("nodes");
    for (population, name) in recording.populations.iter().enumerate() {
        let own = || {
            let own = order.iter().map(|&spike| spike as usize);
            own.filter(|&spike| recording.population_of(spike) == population)
        };
        let mut counts = vec![0_u64; samples as usize];
        own().for_each(|spike| counts[recording.sample_of(spike) as usize] += 1);
        let width = counts.iter().copied().max().unwrap_or(0);
        let cells = samples.checked_mul(width).filter(|&cells| cells <= LARGEST);
        let cells = cells.ok_or_else(|| {
            io::Error::new(
                io::ErrorKind::InvalidInput,
                format!(
                    "{samples} samples, padded to the {width} events of the longest, would be more than \
                     {LARGEST} values: choose fewer with --samples"
                ),
            )
        })?;
        let mut node = nodes.create_group(name);
        node.set_attr("__type__", text("NIRNodeData"));
        let mut observables = node.create_group("observables");
        let mut events = observables.create_group("spikes");
        events.set_attr("__type__", text("EventData"));
        events.set_attr("n_neurons", AttrValue::I64(trace.sizes[population] as i64));
        events.set_attr("t_max", AttrValue::F64(last));
        // Where the next event of each sample goes.
        let places = || -> Vec<u64> { (0..samples).map(|sample| sample * width).collect() };
        let mut place = places();
        let mut next = move |spike: usize| {
            let place = &mut place[recording.sample_of(spike) as usize];
            *place += 1;
            *place as usize - 1
        };
        let mut times = vec![f64::INFINITY; cells as usize];
        let mut neurons = vec![-1_i64; cells as usize];
        for spike in own() {
            let at = next(spike);
            times[at] = recording.times[spike];
            neurons[at] = i64::from(recording.neurons[spike]);
        }
        events.create_dataset("time").with_f64_data(&times).with_shape(&[samples, width]);
        drop(times);
        events.create_dataset("idx").with_i64_data(&neurons).with_shape(&[samples, width]);
        drop(neurons);
        observables.add_group(events.finish());
        node.add_group(observables.finish());
        nodes.add_group(node.finish());
    }
    builder.add_group(nodes.finish());
    builder.write(path).map_err(failed)
}

fn failed(error: hdf5_pure::Error) -> io::Error {
    match error {
        hdf5_pure::Error::Io(source) => source,
        error => io::Error::other(error.to_string()),
    }
}
