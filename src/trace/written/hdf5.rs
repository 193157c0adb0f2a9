//! Spikes as HDF5: SONATA and NIRData.

use std::io;
use std::path::Path;

use hdf5_pure::{AttrValue, File, FileAccessProperties, FileBuilder, MaxExtent, SyncPolicy};
use rustc_hash::FxHashMap;

use crate::trace::conversion::Converted;
use crate::trace::recording::Recording;

/// Values of a piece of a dataset. Its number has two bytes: the library writes four for one that needs three,
/// and HDF5 2 refuses that.
const CHUNK: usize = 1 << 15;

/// The number that marks a file of SONATA, and its version.
const MAGIC: u32 = 0x0A7A;
const VERSION: [u32; 2] = [0, 1];

/// Cells of NIRData's padded rows, at most, whatever the spikes are; and for each spike, if that is more.
const LARGEST: u64 = 1 << 26;
const LARGEST_PER_SPIKE: u64 = 8;

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
        // By sample: one spike of sample 2147483646 must not take the memory of all before it.
        let mut counts = FxHashMap::<u32, u64>::default();
        own().for_each(|spike| *counts.entry(recording.sample_of(spike)).or_default() += 1);
        let width = counts.values().copied().max().unwrap_or(0);
        let most = LARGEST.max(LARGEST_PER_SPIKE.saturating_mul(counts.values().sum()));
        let cells = samples.checked_mul(width).filter(|&cells| cells <= most);
        let cells = cells.ok_or_else(|| {
            io::Error::new(
                io::ErrorKind::InvalidInput,
                format!(
                    "{samples} samples, padded to the {width} events of the longest, would be more than \
                     {most} values: choose fewer with --samples"
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
        // How many events of each sample have their place.
        let mut placed = FxHashMap::<u32, u64>::default();
        let mut next = move |spike: usize| {
            let sample = recording.sample_of(spike);
            let placed = placed.entry(sample).or_default();
            *placed += 1;
            (u64::from(sample) * width + *placed - 1) as usize
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_late_sample_does_not_take_the_memory_of_all_before_it() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let trace = |samples: Vec<u32>| Converted {
            recording: Recording {
                time_unit: Some("s".to_owned()),
                populations: vec!["silent".to_owned(), "a".to_owned()],
                times: vec![0.5, 0.25],
                neurons: vec![0, 1],
                population: vec![1, 1],
                samples,
                ..Recording::default()
            },
            sizes: vec![1, 2],
            ids: None,
            notes: Vec::new(),
        };
        let path = folder.path().join("late.nirdata");
        let error = nir_data(&trace(vec![0, 2_147_483_646]), &path).expect_err("too many");
        assert!(error.to_string().contains("choose fewer with --samples"), "{error}");
        assert!(!path.exists());
        nir_data(&trace(vec![0, 5]), &path).expect("six rows");
        let (found, _) =
            crate::trace::format::TraceSource::new(&path).read().expect("what was written");
        assert_eq!((found.times, found.samples), (vec![0.5, 0.25], vec![0, 5]));
    }
}
