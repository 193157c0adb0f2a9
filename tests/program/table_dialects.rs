//! Tables of data are read in whatever dialect they were written, as traces are.

use crate::common;

use std::io::Write;
use std::path::Path;

use common::binary::{firstspike, successful};
use common::cases::case;

/// A scenario on a table of two classes.
const SCENARIO: &str = r#"
[dataset.file]
training.csv = "TABLE"
validation.last = 1
test.csv = "TABLE"
[encoding]
earliest = 0.15
latest = 2.0
[[layers]]
name = "label"
size = 2
weights.constant = 1.0
"#;

fn check(folder: &Path, table: &str) -> common::binary::Ended {
    std::fs::write(folder.join("scenario.toml"), SCENARIO.replace("TABLE", table))
        .expect("writable");
    firstspike(folder, &["check", "scenario.toml"])
}

#[test]
fn data_tables_of_every_dialect_are_read() {
    let folder = case("data-table-dialects");
    let text = "x,y,label\n0.2,0.8,0\n0.5,0.2,1\n";
    let write = |name: &str, bytes: &[u8]| {
        std::fs::write(folder.path().join(name), bytes).expect("writable");
    };
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(text.as_bytes()).expect("in memory");
    write("packed.csv.gz", &gzip.finish().expect("in memory"));
    let utf_16: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    write("utf_16.csv", &[&[0xff, 0xfe][..], &utf_16].concat());
    write("tabs.tsv", text.replace(',', "\t").as_bytes());
    write("blanks.txt", text.replace(',', "  ").as_bytes());
    for table in [
        "semicolons.csv",
        "comment.csv",
        "float_labels.csv",
        "packed.csv.gz",
        "utf_16.csv",
        "tabs.tsv",
        "blanks.txt",
    ] {
        let ended = check(folder.path(), table);
        assert_eq!(ended.code, Some(0), "{table}: {}", ended.stderr);
        assert!(ended.stderr.contains("1 training, 1 validation and 2 test samples"), "{table}");
    }
    for (table, said) in [
        (&b"x;y;class\n0.2;0.8;0\n"[..], "there are x, y, class (separated by semicolons)"),
        (b"x,y,label\n0.2,0.8,0.5\n", "`0.5`: a label must be a whole number or a word"),
        (b"\x93NUMPY\x01\x00", "this is an NPY file"),
        (b"PK\x03\x04\x14\x00", "this is a ZIP archive"),
    ] {
        write("bad.csv", table);
        let ended = check(folder.path(), "bad.csv");
        assert_eq!(ended.code, Some(2), "{said}");
        assert!(ended.stderr.contains(said), "{}", ended.stderr);
    }
}

#[test]
fn tables_of_synapses_and_weights_are_read_alike() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let write = |name: &str, text: &str| {
        std::fs::write(folder.path().join(name), text).expect("writable");
    };
    write("edges.csv", "# by hand\npre;post;weight;delay\n0;1;0.5;1\n1;0;0.25;2\n");
    write("weights.csv", "% by hand\n1.0\t0.5\n0.5\t1.0\n");
    write(
        "scenario.toml",
        "time_unit = 'ms'\n[[populations]]\nname = 'n'\nsize = 2\n\
        [[projections]]\npre = 'n'\npost = 'n'\nconnect.file = 'edges.csv'\n\
        [[projections]]\npre = 'n'\npost = 'n'\nconnect.all_to_all = {}\n\
        weights.file = 'weights.csv'\ndelays.constant = 1.0\n[simulation]\nuntil = 1.0\n",
    );
    let ended = successful(folder.path(), &["check", "scenario.toml"]);
    assert!(ended.stderr.contains("2 neurons and sources, 4 synapses"), "{}", ended.stderr);
}
