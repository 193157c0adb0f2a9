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
use crate::learning::Schedule;
use crate::scenario::{LoadedScenario, Scenario};

/// What stands before the checksums.
const HEADING: &str = "# Files that were read, with their SHA-256";

/// What a run belongs to.
#[derive(Clone, Debug, PartialEq)]
pub struct RunIdentity {
    text: String,
    files: Vec<PathBuf>,
    length: Option<Length>,
}

/// How long a training is to be.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Length {
    /// The key of its number of epochs.
    key: &'static str,
    epochs: usize,
    schedule: Schedule,
}

impl Length {
    fn of(scenario: &Scenario) -> Option<Self> {
        if let Some(training) = &scenario.training {
            // A number that follows from the size of the data is not known here.
            let (epochs, schedule) = (training.epochs?, training.schedule);
            return Some(Length { key: "training.epochs", epochs, schedule });
        }
        let training = scenario.spike_training.as_ref()?;
        let (epochs, schedule) = (training.epochs, training.schedule);
        Some(Length { key: "spike_training.epochs", epochs, schedule })
    }
}

/// How an earlier run relates to the one that is wanted.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Relation {
    /// It is the same.
    Same,
    /// It has another number of epochs, and every epoch that both have is the same.
    OtherEpochs {
        /// In what it differs, with both values.
        difference: String,
        /// The key of the number of epochs.
        key: &'static str,
        /// The number that is wanted.
        wanted: usize,
    },
    /// It is something else.
    Different(String),
}

impl RunIdentity {
    /// The identity of a scenario's run, with its files as they are now. A file that cannot be read has
    /// no checksum: a run that needs it will say so.
    pub fn of(loaded: &LoadedScenario) -> Self {
        let files: Vec<PathBuf> = loaded.scenario.files().into_iter().collect();
        let text = loaded.scenario.to_toml() + &checksums(&files);
        let files = files.into_iter().chain([loaded.path().to_owned()]).collect();
        RunIdentity { text, files, length: Length::of(&loaded.scenario) }
    }

    /// The identity with this text, of a run without files.
    #[cfg(test)]
    pub(super) fn from_text(text: &str) -> Self {
        RunIdentity { text: text.to_owned(), files: Vec::new(), length: None }
    }

    /// The identity with this text, of a training without files.
    #[cfg(test)]
    pub(super) fn of_training(text: &str, epochs: usize, schedule: Schedule) -> Self {
        let length = Length { key: "training.epochs", epochs, schedule };
        RunIdentity { length: Some(length), ..Self::from_text(text) }
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
    pub(super) fn difference(&self, earlier: &str) -> Option<String> {
        difference(earlier, &self.text, None)
    }

    /// How an earlier run with this text relates to this one.
    pub(super) fn relation(&self, earlier: &str) -> Relation {
        let Some(difference) = self.difference(earlier) else { return Relation::Same };
        let Some(Length { key, epochs, schedule }) = self.length else {
            return Relation::Different(difference);
        };
        if let Some(other) = self::difference(earlier, &self.text, Some(key)) {
            return Relation::Different(other);
        }
        if schedule.depends_on_epochs() {
            return Relation::Different(format!(
                "{difference}, and with {} = \"cosine\" the learning rate of every epoch depends on that",
                key.replace("epochs", "schedule")
            ));
        }
        Relation::OtherEpochs { difference, key, wanted: epochs }
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
/// whose content does. One key may be left out.
fn difference(there: &str, here: &str, left_out: Option<&str>) -> Option<String> {
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
    let (mut old, mut new) = (values(there), values(here));
    let mut explained = false;
    if let Some(key) = left_out {
        explained = old.remove(key) != new.remove(key);
    }
    if let Some(key) = first(&old, &new) {
        return Some(format!("{key} is {} there, but {} here", says(&old, &key), says(&new, &key)));
    }
    let (old, new) = (contents(there), contents(here));
    match first(&old, &new) {
        Some(file) => Some(format!("{file} has other content than it had then")),
        None if explained => None,
        None => Some("their texts differ".to_owned()),
    }
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
        assert_eq!(difference(there, there, None), None);
        let says = |here: &str| difference(there, here, None).expect("they differ");
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
        let found = difference(&before, &after, None).expect("other content");
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

    #[test]
    fn only_the_number_of_epochs_may_differ_and_only_if_the_learning_rate_does_not_depend_on_it() {
        let text =
            |epochs: usize, seed: u64| format!("seed = {seed}\n[training]\nepochs = {epochs}\n");
        let step = Schedule::Step { every: 2, factor: 0.5 };
        for schedule in [Schedule::Constant, step] {
            let wanted = RunIdentity::of_training(&text(5, 1), 5, schedule);
            assert_eq!(wanted.relation(&text(5, 1)), Relation::Same);
            let difference = "training.epochs is 3 there, but 5 here".to_owned();
            let (key, longer) = ("training.epochs", 5);
            assert_eq!(
                wanted.relation(&text(3, 1)),
                Relation::OtherEpochs { difference, key, wanted: longer }
            );
            let other = "seed is 2 there, but 1 here".to_owned();
            assert_eq!(wanted.relation(&text(3, 2)), Relation::Different(other));
        }
        let cosine = RunIdentity::of_training(&text(5, 1), 5, Schedule::Cosine);
        let Relation::Different(difference) = cosine.relation(&text(3, 1)) else {
            panic!("another schedule");
        };
        assert!(difference.contains("training.epochs is 3 there, but 5 here, and with"));
    }
}
