//! Which populations and samples of two traces belong together.

use std::collections::BTreeSet;
use std::path::Path;

use crate::trace::alignment::PopulationPair;
use crate::trace::recording::Recording;
use crate::trace::selection::Selection;

/// The paths of the two traces, for messages.
type Paths<'a> = (&'a Path, &'a Path);

/// `NAME=OTHER` of the command line.
pub(super) fn renaming(text: &str) -> Result<(String, String), String> {
    let (name, other) = text
        .split_once('=')
        .ok_or("it must be NAME=OTHER, a population of the first trace and one of the second")?;
    Ok((name.to_owned(), other.to_owned()))
}

/// Gives populations of B the names they have in A.
pub(super) fn rename(
    a: &Recording,
    b: &mut Recording,
    map: &[(String, String)],
    (path_a, path_b): Paths<'_>,
) -> Result<(), String> {
    let mut names = b.populations.clone();
    for (name, other) in map {
        let place = |recording: &Recording, name: &String| {
            recording.populations.iter().position(|known| known == name)
        };
        for (recording, name, path) in [(a, name, path_a), (&*b, other, path_b)] {
            if place(recording, name).is_none() {
                return Err(format!(
                    "--map {}={}: {} has no population `{name}`; it has {}",
                    map[0].0,
                    map[0].1,
                    path.display(),
                    list(&recording.populations)
                ));
            }
        }
        if let Some(at) = place(b, other) {
            names[at].clone_from(name);
        }
    }
    let different: BTreeSet<&String> = names.iter().collect();
    if different.len() < names.len() {
        return Err(format!(
            "--map: two populations of {} would have the same name",
            path_b.display()
        ));
    }
    b.populations = names;
    Ok(())
}

/// Chooses spikes of both. A trace without populations or samples has nothing to choose from.
pub(super) fn select(
    a: &mut Recording,
    b: &mut Recording,
    selection: &Selection,
    (path_a, path_b): Paths<'_>,
) -> Result<(), String> {
    for name in &selection.populations {
        if !a.populations.contains(name) && !b.populations.contains(name) {
            return Err(format!(
                "--populations {name}: {} has {}, {} has {}",
                path_a.display(),
                list(&a.populations),
                path_b.display(),
                list(&b.populations)
            ));
        }
    }
    for (recording, path) in [(a, path_a), (b, path_b)] {
        let mut own = selection.clone();
        if recording.samples.is_empty() {
            own.samples.clear();
        }
        if recording.populations == [""] {
            own.populations.clear();
        } else {
            own.populations.retain(|name| recording.populations.contains(name));
            if own.populations.is_empty() && !selection.populations.is_empty() {
                // All that was chosen is silent here.
                *recording = Recording {
                    time_unit: recording.time_unit.take(),
                    populations: vec![String::new()],
                    ..Recording::default()
                };
                continue;
            }
        }
        own.apply(recording).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    Ok(())
}

/// Makes sure that both traces have samples, or neither.
pub(super) fn align_samples(
    a: &mut Recording,
    b: &mut Recording,
    (path_a, path_b): Paths<'_>,
    notes: &mut Vec<String>,
) -> Result<(), String> {
    if a.is_empty() || b.is_empty() {
        return Ok(());
    }
    let numbers = |recording: &Recording| -> BTreeSet<u32> {
        let mut samples = recording.samples.clone();
        samples.dedup();
        samples.into_iter().collect()
    };
    let (of_a, of_b) = (numbers(a), numbers(b));
    if of_a.is_empty() != of_b.is_empty() {
        let is_a = of_b.is_empty();
        let (with, path, other, samples) =
            if is_a { (a, path_a, path_b, of_a) } else { (b, path_b, path_a, of_b) };
        if let (1, Some(sample)) = (samples.len(), samples.first()) {
            if *sample != 0 {
                notes.push(format!(
                    "{} has no samples: it is compared with sample {sample} of {}",
                    other.display(),
                    path.display()
                ));
            }
            with.samples = Vec::new();
            return Ok(());
        }
        return Err(format!(
            "{} has {} samples and {} has none: choose the one to compare with, such as --samples {}",
            path.display(),
            samples.len(),
            other.display(),
            samples.first().copied().unwrap_or(0)
        ));
    }
    for (one, other, path) in [(&of_a, &of_b, path_a), (&of_b, &of_a, path_b)] {
        let only: Vec<&u32> = one.difference(other).collect();
        if let (Some(first), Some(last)) = (only.first(), only.last()) {
            let (count, path) = (only.len(), path.display());
            notes.push(if count == 1 {
                format!("sample {first} has spikes only in {path}")
            } else {
                format!("{count} samples ({first} to {last}) have spikes only in {path}")
            });
        }
    }
    Ok(())
}

/// Which populations are the same.
pub(super) fn populations(
    a: &mut Recording,
    b: &mut Recording,
    (path_a, path_b): Paths<'_>,
    notes: &mut Vec<String>,
) -> Result<Vec<PopulationPair>, String> {
    let unnamed = |recording: &Recording| recording.populations == [""];
    if unnamed(a) != unnamed(b) && !a.is_empty() && !b.is_empty() {
        let is_a = unnamed(b);
        let (named, path, none, other) =
            if is_a { (&*a, path_a, &mut *b, path_b) } else { (&*b, path_b, &mut *a, path_a) };
        let [name] = &named.populations[..] else {
            let there = list(&named.populations);
            return Err(format!(
                "{} has the populations {there}, and {} has none: choose the one to compare with, \
                 such as --populations {}",
                path.display(),
                other.display(),
                named.populations[named.populations.len() - 1]
            ));
        };
        notes.push(format!(
            "{} has no populations: all its neurons are taken for `{name}`",
            other.display()
        ));
        none.populations = vec![name.clone()];
    }
    let names = |recording: &Recording| {
        if recording.is_empty() { Vec::new() } else { recording.populations.clone() }
    };
    let (of_a, of_b) = (names(a), names(b));
    let only = |one: &[String], other: &[String]| -> Vec<String> {
        one.iter().filter(|name| !other.contains(name)).cloned().collect()
    };
    let (only_a, only_b) = (only(&of_a, &of_b), only(&of_b, &of_a));
    if let (Some(first), Some(other)) = (only_a.first(), only_b.first()) {
        let common = of_a.iter().find(|name| of_b.contains(name));
        let or = common.map(|name| format!(", or compare only --populations {name}"));
        return Err(format!(
            "only {} has {}, and only {} has {}: say which are the same, such as --map {first}={other}{}",
            path_a.display(),
            list(&only_a),
            path_b.display(),
            list(&only_b),
            or.unwrap_or_default()
        ));
    }
    for (only, path) in [(&only_a, path_b), (&only_b, path_a)] {
        if !only.is_empty() && only != &[""] {
            notes.push(format!("{} has no spikes of {}", path.display(), list(only)));
        }
    }
    let place = |names: &[String], name: &String| {
        names.iter().position(|other| other == name).map(|at| at as u16)
    };
    let pair = |name: &String| PopulationPair {
        name: name.clone(),
        a: place(&of_a, name),
        b: place(&of_b, name),
    };
    Ok(of_a.iter().chain(&only_b).map(pair).collect())
}

fn list(names: &[String]) -> String {
    if names == [""] { "no populations".to_owned() } else { names.join(", ") }
}
