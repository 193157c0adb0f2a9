//! What fuzzing began with and has found, on stable Rust: every file of every corpus, in its target.

#[path = "../../fuzz/src/lib.rs"]
mod targets;

use std::collections::BTreeSet;
use std::panic::catch_unwind;

use crate::common::binary::{files, project};

#[test]
fn parsers_bear_every_file_of_the_fuzz_corpora() {
    let corpora = project().join("fuzz/corpus");
    let mut failed = Vec::new();
    for (name, target) in targets::TARGETS {
        let files = files(&corpora.join(name));
        assert!(!files.is_empty(), "{name}");
        for (path, bytes) in files {
            if catch_unwind(|| target(&bytes)).is_err() {
                failed.push(path);
            }
        }
    }
    assert!(failed.is_empty(), "{failed:?}");
}

#[test]
fn every_fuzz_target_has_a_program_and_a_corpus() {
    let names = |folder: &str| -> BTreeSet<String> {
        let entries = std::fs::read_dir(project().join("fuzz").join(folder)).expect("a folder");
        let stem = |path: std::path::PathBuf| Some(path.file_stem()?.to_str()?.to_owned());
        entries.filter_map(|entry| stem(entry.expect("readable").path())).collect()
    };
    let targets: BTreeSet<String> =
        targets::TARGETS.iter().map(|&(name, _)| name.to_owned()).collect();
    assert_eq!(names("corpus"), targets);
    assert_eq!(names("fuzz_targets"), targets);
}
