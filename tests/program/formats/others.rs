//! What the programs whose formats these are make of our files, and we of theirs.

use std::path::Path;
use std::process::Command;

use super::{SPIKES, folder_with};
use crate::common::binary::{read, successful};
use crate::external_substrate::python;

fn run(python: &str, folder: &Path, script: &str) {
    let ended = Command::new(python).args(["-c", script]).current_dir(folder).output();
    let ended = ended.expect("it starts");
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
}

#[test]
fn libsonata_reads_what_is_written() {
    let Some(python) = python("libsonata") else { return };
    let folder = folder_with(&[("a.csv", SPIKES)]);
    successful(folder.path(), &["convert", "a.csv", "a.h5"]);
    run(
        &python,
        folder.path(),
        "import libsonata\n\
         spikes = libsonata.SpikeReader('a.h5')\n\
         assert spikes.get_population_names() == ['exc', 'inh']\n\
         assert spikes['exc'].get() == [(0, 0.1), (2, 3.0), (0, 10.125)], spikes['exc'].get()\n\
         assert spikes['inh'].get() == [(1, 2.25)]\n\
         assert spikes['exc'].time_units == 'milliseconds'\n",
    );
}

#[test]
fn bmtk_reads_what_is_written() {
    let Some(python) = python("bmtk.utils.reports.spike_trains") else { return };
    let folder = folder_with(&[("a.csv", SPIKES)]);
    successful(folder.path(), &["convert", "a.csv", "a.h5"]);
    run(
        &python,
        folder.path(),
        "from bmtk.utils.reports.spike_trains import SpikeTrains\n\
         spikes = SpikeTrains.from_sonata('a.h5')\n\
         assert sorted(spikes.populations) == ['exc', 'inh'], spikes.populations\n\
         assert list(spikes.get_times(0, population='exc')) == [0.1, 10.125]\n\
         assert list(spikes.get_times(1, population='inh')) == [2.25]\n",
    );
}

#[test]
fn sonata_of_others_is_read() {
    let Some(python) = python("h5py") else { return };
    let folder = folder_with(&[]);
    // The attribute `sorting` as the format says, packed pieces, and 32-bit ids.
    run(
        &python,
        folder.path(),
        "import h5py, numpy\n\
         with h5py.File('a.h5', 'w') as file:\n\
         \u{20}   for name, kind in (('a', 'u8'), ('b', 'i4')):\n\
         \u{20}       group = file.create_group('spikes/' + name)\n\
         \u{20}       order = h5py.enum_dtype({'none': 0, 'by_id': 1, 'by_time': 2}, basetype='u1')\n\
         \u{20}       group.attrs.create('sorting', 2, dtype=order)\n\
         \u{20}       times = numpy.arange(70000) / 8\n\
         \u{20}       times = group.create_dataset('timestamps', data=times, compression='gzip', shuffle=True)\n\
         \u{20}       times.attrs['units'] = 'milliseconds'\n\
         \u{20}       group.create_dataset('node_ids', data=(numpy.arange(70000) % 9).astype(kind))\n",
    );
    successful(folder.path(), &["convert", "a.h5", "a.csv"]);
    let found = crate::common::binary::rows(&folder.path().join("a.csv"));
    assert_eq!(found.len(), 140_000);
    assert_eq!(found[69_999].iter().collect::<Vec<_>>(), ["0", "a", "6", "8749.875"]);
    assert_eq!(found[70_001].iter().collect::<Vec<_>>(), ["0", "b", "1", "0.125"]);
}

#[test]
fn neo_reads_what_is_written() {
    let Some(python) = python("neo") else { return };
    let folder = folder_with(&[("a.csv", SPIKES)]);
    successful(folder.path(), &["convert", "a.csv", "a.gdf"]);
    run(
        &python,
        folder.path(),
        "import neo, quantities as pq\n\
         reader = neo.io.NestIO(filenames=['a.gdf'])\n\
         segment = reader.read_segment(gid_list=[], t_start=0 * pq.ms, t_stop=12 * pq.ms,\n\
         \u{20}                             id_column_gdf=0, time_column_gdf=1)\n\
         trains = {int(train.annotations['id']): train for train in segment.spiketrains}\n\
         assert sorted(trains) == [1, 3, 5], sorted(trains)\n\
         assert trains[1].times.rescale('ms').magnitude.tolist() == [0.1, 10.125]\n\
         assert trains[1].t_stop == 12 * pq.ms\n",
    );
}

#[test]
fn nir_reads_and_writes_the_same_events() {
    let Some(python) = python("nir") else { return };
    let two = "sample,population,neuron,time_s\n0,lif,1,0.5\n0,lif,0,0.25\n2,lif,2,0.125\n";
    let folder = folder_with(&[("a.csv", two)]);
    successful(folder.path(), &["convert", "a.csv", "a.nirdata"]);
    run(
        &python,
        folder.path(),
        "import nir, numpy\n\
         events = nir.read_data('a.nirdata').nodes['lif'].observables['spikes']\n\
         assert events.idx.tolist() == [[0, 1], [-1, -1], [2, -1]], events.idx\n\
         assert events.time.tolist() == [[0.25, 0.5], [numpy.inf] * 2, [0.125, numpy.inf]]\n\
         assert (events.n_neurons, events.t_max) == (3, 0.5)\n\
         grid = nir.TimeGriddedData(numpy.zeros((3, 5, 3)), 0.1)\n\
         node = nir.NIRNodeData({'spikes': events, 'v': grid})\n\
         nir.write_data('b.h5', nir.NIRGraphData({'lif': node}))\n",
    );
    successful(folder.path(), &["diff", "a.csv", "b.h5"]);
}

#[test]
fn events_of_shd_are_read() {
    let Some(python) = python("h5py") else { return };
    let folder = folder_with(&[]);
    run(
        &python,
        folder.path(),
        "import h5py, numpy\n\
         with h5py.File('a.h5', 'w') as file:\n\
         \u{20}   times = file.create_dataset('spikes/times', (1500,), dtype=h5py.vlen_dtype('f2'))\n\
         \u{20}   units = file.create_dataset('spikes/units', (1500,), dtype=h5py.vlen_dtype('u2'))\n\
         \u{20}   for sample in range(1500):\n\
         \u{20}       count = sample % 40\n\
         \u{20}       times[sample] = numpy.arange(count) / 64\n\
         \u{20}       units[sample] = numpy.arange(count) * 17 % 700\n\
         \u{20}   file['labels'] = numpy.arange(1500) % 20\n",
    );
    successful(folder.path(), &["convert", "a.h5", "a.csv"]);
    let expected = (0..1500).flat_map(|sample| {
        (0..sample % 40).map(move |event| {
            let time = format!("{:?}", f64::from(event) / 64.0);
            format!("{sample},,{},{time}\n", event * 17 % 700)
        })
    });
    let expected = format!("sample,population,neuron,time_s\n{}", expected.collect::<String>());
    let found = String::from_utf8(read(&folder.path().join("a.csv"))).expect("UTF-8");
    assert!(found == expected, "{} and {} bytes", found.len(), expected.len());
}

#[test]
fn numpy_reads_what_is_written() {
    let Some(python) = python("numpy") else { return };
    let folder = folder_with(&[("a.csv", "neuron,time_s\n4,0.5\n2,0.25\n")]);
    let rate = ["--output-sampling-rate", "30000"];
    let write = ["convert", "a.csv", "spike_times.npy"];
    successful(folder.path(), &[&write[..], &rate].concat());
    run(
        &python,
        folder.path(),
        "import numpy\n\
         assert numpy.load('spike_times.npy').tolist() == [15000, 7500]\n\
         assert numpy.load('spike_clusters.npy').tolist() == [4, 2]\n\
         numpy.save('times.npy', numpy.array([[1.5], [2.5]], dtype='f4'))\n\
         numpy.save('neurons.npy', numpy.array([7, 8], dtype='u8'))\n",
    );
    successful(folder.path(), &["convert", "times.npy", "b.csv", "--time-unit", "ms"]);
    let found = String::from_utf8(read(&folder.path().join("b.csv"))).expect("UTF-8");
    assert_eq!(found, "sample,population,neuron,time_ms\n0,,7,1.5\n0,,8,2.5\n");
}
