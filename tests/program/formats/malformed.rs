//! Damaged files of every format: a message with file, place and fix, and no more memory than the file has.

use hdf5_pure::{AttrValue, FileBuilder};

use super::{SPIKES, folder_with, refused};
use crate::common::binary::{firstspike, project, successful, text};

/// Writes a SONATA file of one population, with these times and ids.
fn sonata(path: &std::path::Path, times: &[f64], ids: &[i64], unit: &str) {
    let mut builder = FileBuilder::new();
    let mut spikes = builder.create_group("spikes");
    let mut group = spikes.create_group("a");
    let dataset = group.create_dataset("timestamps");
    dataset.with_f64_data(times).set_attr("units", AttrValue::String(unit.to_owned()));
    group.create_dataset("node_ids").with_i64_data(ids);
    spikes.add_group(group.finish());
    builder.add_group(spikes.finish());
    builder.write(path).expect("writable");
}

#[test]
fn what_is_wrong_in_a_sonata_file_is_said() {
    let folder = folder_with(&[]);
    let path = folder.path().join("a.h5");
    for (times, ids, unit, expected) in [
        (
            &[1.0, f64::NAN][..],
            &[0, 1][..],
            "ms",
            "spikes/a/timestamps[1] is NaN: it must be a finite",
        ),
        (
            &[1.0, 2.0],
            &[0, -1],
            "ms",
            "spikes/a/node_ids[1] is -1: it must be a whole number from 0",
        ),
        (&[1.0, 2.0], &[0, 1 << 32], "ms", "spikes/a/node_ids[1] is 4294967296"),
        (&[1.0], &[0, 1], "ms", "spikes/a/node_ids has 2 values, and spikes/a/timestamps has 1"),
        (&[1.0], &[0], "ticks", "the unit of spikes/a/timestamps is `ticks`"),
    ] {
        sonata(&path, times, ids, unit);
        let message = refused(folder.path(), &["stats", "a.h5"]);
        assert!(message.contains("a.h5: ") && message.contains(expected), "{message}");
    }
    sonata(&path, &[1.0, 2.0], &[0, 1], "seconds");
    let printed = successful(folder.path(), &["stats", "a.h5", "--json"]).stdout;
    assert!(printed.contains("\"time_unit\": \"s\""), "{printed}");
}

#[test]
fn a_file_that_claims_more_than_it_has_is_refused() {
    // 10 GB of times, none of which was written; one piece of 3.2 GB; a heap of 10 GB.
    let corpus = project().join("fuzz/corpus/trace_hdf5");
    for (name, format, expected) in [
        ("sonata_unwritten", "sonata", "spikes/a/timestamps: it claims 10000000000 bytes"),
        ("sonata_huge_chunk", "sonata", "spikes/a/timestamps: it claims 3200000000 bytes"),
        ("shd_heap_size", "shd", "spikes/times: "),
    ] {
        let file = corpus.join(name);
        let arguments = ["stats", text(&file), "--format", format];
        let message = refused(project(), &arguments);
        assert!(message.contains(name) && message.contains(expected), "{message}");
    }
}

#[test]
fn files_that_are_cut_off_are_refused() {
    let folder = folder_with(&[("a.csv", SPIKES)]);
    for name in ["a.h5", "a.nirdata", "times.npy"] {
        successful(folder.path(), &["convert", "a.csv", name]);
        let path = folder.path().join(name);
        let sound = std::fs::read(&path).expect("there");
        for part in 1..8 {
            std::fs::write(&path, &sound[..sound.len() * part / 8]).expect("writable");
            let ended = firstspike(folder.path(), &["stats", name]);
            // The end of a file may be room that nothing needs.
            assert!(ended.code == Some(2) || part > 5, "{name}, {part}/8: {}", ended.stdout);
            assert!(ended.code != Some(2) || ended.stderr.contains(name), "{}", ended.stderr);
        }
    }
}

#[test]
fn a_file_of_another_format_is_named() {
    let folder = folder_with(&[("a.csv", SPIKES), ("a.npy", "no array"), ("a.nirdata", "text")]);
    successful(folder.path(), &["convert", "a.csv", "a.h5"]);
    for (arguments, expected) in [
        (&["a.npy"][..], "a.npy: this has times; which file has the neurons?"),
        (&["a.npy", "--neuron-file", "a.npy"], "a.npy: this is no NPY file"),
        (&["a.nirdata"], "a.nirdata: "),
        (&["a.h5", "--format", "nirdata"], "a.h5: nodes: "),
        (&["a.h5", "--format", "shd"], "a.h5: spikes/times: "),
        (&["a.h5", "--format", "csv"], "this is an HDF5 file: call it .h5, or give --format"),
        (&["a.csv", "--format", "sonata"], "a.csv: "),
        (&["a.csv,a.h5", "--format", "sonata"], "2 files are meant, and a trace in the format"),
    ] {
        let message = refused(folder.path(), &[&["stats"], arguments].concat());
        assert!(message.contains(expected), "{arguments:?}: {message}");
    }
}
