//! The files that targets write.

use std::path::{Path, PathBuf};

use tempfile::TempDir;

thread_local! {
    static FOLDER: TempDir = tempfile::tempdir().expect("a temporary folder can be made");
}

/// The place of a file in this thread's folder.
pub fn place(name: &str) -> PathBuf {
    FOLDER.with(|folder| folder.path().join(name))
}

/// Writes a file, and returns its place.
pub fn write(name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
    let path = place(name);
    std::fs::write(&path, bytes).expect("the temporary folder can be written to");
    path
}

/// Reads a file that was written.
pub fn read(path: &Path) -> Vec<u8> {
    std::fs::read(path).expect("it was written")
}

/// Two parts: the first two bytes say how long the first is. For formats with NUL bytes.
pub fn halves(data: &[u8]) -> (&[u8], &[u8]) {
    let Some((length, rest)) = data.split_first_chunk::<2>() else { return (data, &[]) };
    rest.split_at(usize::from(u16::from_le_bytes(*length)).min(rest.len()))
}
