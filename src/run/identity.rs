//! Run identity: what results belong to. The scenario with every default filled in, and what the files
//! that it names contained.
//!
//! It is the text of `scenario.toml` in a run's folder: the scenario, and behind it a comment with the
//! SHA-256 of each file. Two runs with the same text compute the same bytes, so that a checkpoint or
//! the results of one serve the other. What generated its data needs no line: seeds are in the scenario.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use crate::dataset::fetch;
use crate::scenario::LoadedScenario;

/// What stands before the checksums.
const HEADING: &str = "# Files that were read, with their SHA-256";

/// What a run belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunIdentity {
    text: String,
    files: Vec<PathBuf>,
}

impl RunIdentity {
    /// The identity of a scenario's run, with its files as they are now. A file that cannot be read has
    /// no checksum: a run that needs it will say so.
    pub fn of(loaded: &LoadedScenario) -> Self {
        let files: Vec<PathBuf> = loaded.scenario.files().into_iter().collect();
        let text = loaded.scenario.to_toml() + &checksums(&files);
        let files = files.into_iter().chain([loaded.path().to_owned()]).collect();
        RunIdentity { text, files }
    }

    /// The identity with this text, of a run without files.
    #[cfg(test)]
    pub(super) fn from_text(text: &str) -> Self {
        RunIdentity { text: text.to_owned(), files: Vec::new() }
    }

    /// The text of `scenario.toml`.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The files that the run reads: the scenario and what it names.
    pub fn files(&self) -> &[PathBuf] {
        &self.files
    }

    /// The first thing in which another identity differs, with both values; none if it is the same.
    pub(super) fn difference(&self, other: &str) -> Option<String> {
        difference(other, &self.text)
    }
}

/// A comment with a line for each file; empty if there are none.
pub(crate) fn checksums<'p>(files: impl IntoIterator<Item = &'p PathBuf>) -> String {
    let mut text = String::new();
    for path in files {
        if text.is_empty() {
            let _ = writeln!(text, "\n{HEADING}");
        }
        let checksum = checksum(path).unwrap_or_else(|_| "unreadable".to_owned());
        // A line feed in a name would end the comment.
        let path = path.display().to_string().replace(['\n', '\r'], "?");
        let _ = writeln!(text, "# {checksum}  {path}");
    }
    text
}

fn checksum(path: &Path) -> io::Result<String> {
    // A pipe would have nothing left for whoever reads it next.
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::other("not a file"));
    }
    fetch::checksum(File::open(path)?)
}

/// The first key, in alphabetical order, whose value differs between two scenarios, or the first file
/// whose content does.
fn difference(there: &str, here: &str) -> Option<String> {
    if there == here {
        return None;
    }
    let says = |values: &BTreeMap<String, String>, key: &String| {
        values.get(key).cloned().unwrap_or_else(|| "not given".to_owned())
    };
    let first = |there: &BTreeMap<String, String>, here: &BTreeMap<String, String>| {
        let keys = there.keys().chain(here.keys());
        keys.filter(|key| there.get(*key) != here.get(*key)).min().cloned()
    };
    let (old, new) = (values(there), values(here));
    if let Some(key) = first(&old, &new) {
        return Some(format!("{key} is {} there, but {} here", says(&old, &key), says(&new, &key)));
    }
    let (old, new) = (contents(there), contents(here));
    Some(first(&old, &new).map_or_else(
        || "their texts differ".to_owned(),
        |file| format!("{file} has other content than it had then"),
    ))
}

/// The first file, in alphabetical order, whose content differs between two texts with checksums; none
/// if one of them has no checksums at all.
pub(crate) fn changed_file(there: &str, here: &str) -> Option<String> {
    let (old, new) = (contents(there), contents(here));
    if old.is_empty() || new.is_empty() {
        return None;
    }
    let files = old.keys().chain(new.keys());
    files.filter(|file| old.get(*file) != new.get(*file)).min().cloned()
}

/// A text without its checksums.
pub(crate) fn without_checksums(text: &str) -> &str {
    text.split_once(&format!("\n{HEADING}\n")).map_or(text, |(before, _)| before)
}

/// Every value of a scenario by its dotted path.
fn values(text: &str) -> BTreeMap<String, String> {
    let mut values = BTreeMap::new();
    let table = toml::from_str(text).map(toml::Value::Table);
    flatten(String::new(), &table.unwrap_or_else(|_| text.to_owned().into()), &mut values);
    values
}

/// The checksum of every file.
fn contents(text: &str) -> BTreeMap<String, String> {
    let lines = text.lines().skip_while(|line| *line != HEADING).skip(1);
    let entry = |line: &str| {
        let (checksum, path) = line.strip_prefix("# ")?.split_once("  ")?;
        Some((path.to_owned(), checksum.to_owned()))
    };
    lines.filter_map(entry).collect()
}

/// Every value that is not a table or list of others, by its dotted path.
fn flatten(key: String, value: &toml::Value, into: &mut BTreeMap<String, String>) {
    let inner = |part: &str| if key.is_empty() { part.to_owned() } else { format!("{key}.{part}") };
    match value {
        toml::Value::Table(table) => {
            table.iter().for_each(|(part, value)| flatten(inner(part), value, into));
        }
        toml::Value::Array(array) if array.iter().any(toml::Value::is_table) => {
            let parts = array.iter().enumerate();
            parts.for_each(|(index, value)| flatten(inner(&index.to_string()), value, into));
        }
        value => {
            into.insert(key, value.to_string());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_key_that_differs_is_named_and_then_the_first_file() {
        let there = "b = 1\n[[layers]]\nsize = 3\n";
        assert_eq!(difference(there, there), None);
        let says = |here: &str| difference(there, here).expect("they differ");
        assert_eq!(
            says("b = 1\nc = 2\n[[layers]]\nsize = 3\n"),
            "c is not given there, but 2 here"
        );
        assert_eq!(says("b = 1\n[[layers]]\nsize = 4\n"), "layers.0.size is 3 there, but 4 here");

        let folder = tempfile::tempdir().expect("a temporary folder");
        let paths = ["a.csv", "b.csv"].map(|name| folder.path().join(name));
        paths.iter().for_each(|path| fs::write(path, "1,2\n").expect("writable"));
        let before = there.to_owned() + &checksums(&paths);
        fs::write(&paths[1], "1,3\n").expect("writable");
        let after = there.to_owned() + &checksums(&paths);
        let found = difference(&before, &after).expect("other content");
        assert_eq!(found, format!("{} has other content than it had then", paths[1].display()));
        fs::write(&paths[1], "1,2\n").expect("writable");
        assert_eq!(before, there.to_owned() + &checksums(&paths));
    }

    #[test]
    fn no_file_makes_no_comment_and_one_that_is_missing_has_no_checksum() {
        assert_eq!(checksums(&[]), "");
        let missing = PathBuf::from("no/such/file");
        assert!(checksums([&missing]).ends_with("# unreadable  no/such/file\n"));
    }
}
