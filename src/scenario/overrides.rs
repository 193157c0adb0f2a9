//! Overrides: changes of a scenario's values from outside its file, as `key.path=value`.
//!
//! The value is as in TOML, or a bare word. A path reaches into tables and lists (`layers.0.size`), and
//! makes what is not there. Where a file has one kind of a thing and an override names another
//! (`training.loss.mean_squared_error.correct`), the new kind replaces the old one
//! ([`variants`](super::variants) knows where there are kinds).

use std::path::{Path, PathBuf};

use super::chip;
use super::variants::{Variants, trace};

/// A change of one value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Override {
    /// `key.path=value`, as it was given.
    pub given: String,
    /// The folder that a relative path in it begins at: that of the file that it stands in, or the
    /// working directory.
    pub folder: PathBuf,
}

impl Override {
    /// A change that stands in a file in this folder.
    pub fn in_folder(given: impl Into<String>, folder: impl Into<PathBuf>) -> Self {
        Override { given: given.into(), folder: folder.into() }
    }

    /// A change from the command line, where paths begin at the working directory.
    pub fn here(given: impl Into<String>) -> Self {
        Override::in_folder(given, "")
    }

    /// The key that is changed.
    pub(super) fn key(&self) -> &str {
        self.given.split('=').next().unwrap_or("").trim()
    }

    /// Whether this changes the value of a key, or of a part of the key's path that it is in.
    pub(super) fn reaches(&self, key: &str) -> bool {
        is_within(key, self.key())
    }
}

/// Whether a key is another one, or within it.
pub(super) fn is_within(inner: &str, outer: &str) -> bool {
    inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// Applies overrides to a scenario's table, in their order. Returns where in it there are kinds.
///
/// # Errors
/// The index of the first override that cannot be applied, and what is wrong with it.
pub(super) fn apply_all(
    table: &mut toml::Table,
    overrides: &[Override],
) -> Result<Variants, (usize, String)> {
    for (index, change) in overrides.iter().enumerate() {
        chip::as_table(table);
        apply(table, &change.given).map_err(|message| (index, message))?;
    }
    chip::as_table(table);
    // Of several kinds in one place the one that was named last is meant.
    let last = |place: &str, key: &str| {
        overrides.iter().rposition(|change| is_within(change.key(), &format!("{place}.{key}")))
    };
    let variants = trace(table, &last);
    for (place, dropped) in &variants.replaced {
        remove(table, place, dropped);
    }
    Ok(variants)
}

/// Sets `key.path=value` in the table.
fn apply(table: &mut toml::Table, given: &str) -> Result<(), String> {
    let Some((key, value)) = given.split_once('=') else {
        return Err("an override is written key=value, as in training.epochs=20".to_owned());
    };
    let (key, value) = (key.trim(), value_of(value.trim())?);
    let mut parts: Vec<&str> = key.split('.').collect();
    let last = parts.pop().filter(|part| !part.is_empty()).ok_or("the key is empty")?;
    let Some(first) = parts.first() else {
        table.insert(last.to_owned(), value);
        return Ok(());
    };
    let empty = || toml::Value::Table(toml::Table::new());
    let mut place = table.entry((*first).to_owned()).or_insert_with(empty);
    for part in &parts[1..] {
        place = step_into(place, part)?;
    }
    *step_into(place, last)? = value;
    Ok(())
}

/// A value as in TOML, or a bare word.
fn value_of(text: &str) -> Result<toml::Value, String> {
    let parsed = toml::from_str::<toml::Table>(&format!("value = {text}"));
    let error = match parsed.map(|mut table| table.remove("value")) {
        Ok(Some(value)) => return Ok(value),
        Ok(None) => String::new(),
        Err(error) => error.message().to_owned(),
    };
    // What begins like this is no bare word, but TOML with a mistake.
    if text.starts_with(['[', '{', '"', '\'']) || text.parse::<f64>().is_ok() {
        return Err(format!("`{text}` is not a value of TOML: {error}"));
    }
    Ok(toml::Value::String(text.to_owned()))
}

/// What is under a part of a path. A plain value gives way to a table.
fn step_into<'a>(place: &'a mut toml::Value, part: &str) -> Result<&'a mut toml::Value, String> {
    if !matches!(place, toml::Value::Table(_) | toml::Value::Array(_)) {
        *place = toml::Value::Table(toml::Table::new());
    }
    match place {
        toml::Value::Array(array) => {
            let length = array.len();
            part.parse::<usize>().ok().and_then(|index| array.get_mut(index)).ok_or_else(|| {
                format!("`{part}` is not an index from 0 to {}", length.saturating_sub(1))
            })
        }
        toml::Value::Table(table) => Ok(table
            .entry(part.to_owned())
            .or_insert_with(|| toml::Value::Table(toml::Table::new()))),
        _ => Err(format!("`{part}` cannot be set inside a value that is not a table")),
    }
}

/// Removes a key of the table at a dotted path.
fn remove(table: &mut toml::Table, place: &str, key: &str) {
    let mut parts = place.split('.');
    let mut found = parts.next().and_then(|part| table.get_mut(part));
    for part in parts {
        found = match found {
            Some(toml::Value::Table(table)) => table.get_mut(part),
            Some(toml::Value::Array(array)) => {
                part.parse().ok().and_then(|index: usize| array.get_mut(index))
            }
            _ => None,
        };
    }
    if let Some(toml::Value::Table(table)) = found {
        table.remove(key);
    }
}

/// The folder that a path under a key begins at: that of the last override that gives it, or that of
/// the file.
pub(super) fn folder_of<'a>(key: &str, overrides: &'a [Override], file: &'a Path) -> &'a Path {
    let last = overrides.iter().rev().find(|change| change.reaches(key));
    last.map_or(file, |change| &change.folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overrides_reach_into_tables_and_arrays() {
        let mut table: toml::Table =
            toml::from_str("seed = 1\n[[layers]]\nsize = 3\n[training]\nepochs = 3\n")
                .expect("valid");
        for given in
            ["training.epochs=20", "layers.0.size = 7", "neuron.tau_m=inf", "name=a b", "seed=2"]
        {
            apply(&mut table, given).expect(given);
        }
        let expected: toml::Table = toml::from_str(
            "name = 'a b'\nseed = 2\nneuron.tau_m = inf\ntraining.epochs = 20\nlayers = [{size = 7}]",
        )
        .expect("valid");
        assert_eq!(table, expected);
        for bad in ["training", "=3", "layers.1.size=2", "x=[1e400]", "x={a=1", "x=1e400", "x='a"] {
            assert!(apply(&mut table, bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn paths_begin_where_the_last_override_of_their_key_stands() {
        let overrides = [
            Override::in_folder("dataset.file={training={csv='a.csv'}}", "study"),
            Override::here("dataset.file.training.csv=b.csv"),
            Override::here("training.epochs=3"),
        ];
        let file = Path::new("scenario");
        let folder = |key: &str| folder_of(key, &overrides, file);
        assert_eq!(folder("dataset.file.training.csv"), Path::new(""));
        assert_eq!(folder("dataset.file.test.csv"), Path::new("study"));
        assert_eq!(folder("layers.0.weights.file"), file);
    }
}
