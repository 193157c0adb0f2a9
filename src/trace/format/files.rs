//! The files that a name stands for: one, several with commas between, or a pattern as `spikes-7-*.dat`.

use std::path::{Path, PathBuf};

use super::{FormatProblem, refuse};
use crate::trace::TraceError;

/// The files of a trace, those of a pattern in the order of their names. A name that exists is one file,
/// whatever is in it.
///
/// # Errors
/// If a pattern is none, or no file is like it.
pub(super) fn files(path: &Path) -> Result<Vec<PathBuf>, TraceError> {
    let one = || Ok(vec![path.to_owned()]);
    let Some(text) = path.to_str() else { return one() };
    if path.exists() || !text.contains(['*', '?', '[', ',']) {
        return one();
    }
    let mut found = Vec::new();
    for part in text.split(',') {
        let part_path = Path::new(part);
        if part_path.exists() || !part.contains(['*', '?', '[']) {
            found.push(part_path.to_owned());
            continue;
        }
        let pattern = |error: glob::PatternError| {
            refuse(part_path, FormatProblem::Pattern(error.to_string()))
        };
        let before = found.len();
        for file in glob::glob(part).map_err(pattern)? {
            found.push(file.map_err(|error| {
                let path = error.path().to_owned();
                TraceError::Read { path, source: error.into() }
            })?);
        }
        if found.len() == before {
            return Err(refuse(part_path, FormatProblem::NoMatch));
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_and_lists_are_files() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = |name: &str| folder.path().join(name);
        for name in ["a-1-0.dat", "a-1-1.dat", "b,c.dat"] {
            std::fs::write(path(name), "").expect("writable");
        }
        let both = vec![path("a-1-0.dat"), path("a-1-1.dat")];
        assert_eq!(files(&path("a-1-*.dat")).expect("there"), both);
        let list = format!("{},{}", both[0].display(), both[1].display());
        assert_eq!(files(Path::new(&list)).expect("there"), both);
        assert_eq!(files(&path("b,c.dat")).expect("one"), [path("b,c.dat")]);
        let message = files(&path("c-*.dat")).expect_err("none").to_string();
        assert!(message.ends_with("c-*.dat: no file has such a name"), "{message}");
    }
}
