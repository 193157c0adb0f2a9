//! The input files of `tests/cases`, in a folder of their own.

use std::path::Path;

use super::binary::project;

/// A temporary folder with the files of a case.
pub fn case(name: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    copy(&project().join("tests/cases").join(name), folder.path());
    folder
}

fn copy(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).expect("a case of the repository") {
        let entry = entry.expect("a readable entry");
        std::fs::copy(entry.path(), to.join(entry.file_name())).expect("writable");
    }
}

/// Replaces a text that is in a file once.
pub fn replace(path: &Path, from: &str, to: &str) {
    let text = std::fs::read_to_string(path).expect("a text");
    assert_eq!(text.matches(from).count(), 1, "{from} in {}", path.display());
    std::fs::write(path, text.replace(from, to)).expect("writable");
}
